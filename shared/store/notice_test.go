package store_test

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

var maija = survey.Details{Email: "maija@example.com", Phone: "+358401234567"}

// The first time stands, and nothing else of the ask changes.
func TestMarkDeliveredAndBounced(t *testing.T) {
	s := testkit.NewTables(t).Store
	want := *create(t, s, full)
	want.DeliveredAt, want.BouncedAt = time.Time{}, time.Time{}
	want.ID = survey.NewID()
	if err := s.CreateAsk(ctx, &want); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		at := now.Add(time.Duration(i) * time.Hour)
		if err := s.MarkDelivered(ctx, want.ID, at); err != nil {
			t.Fatal(err)
		}
		if err := s.MarkBounced(ctx, want.ID, at.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	want.DeliveredAt, want.BouncedAt = now, now.Add(time.Minute)
	got, err := s.Ask(ctx, want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	wantCode(t, s.MarkDelivered(ctx, survey.NewID(), now), survey.NotFound, "id")
	wantCode(t, s.MarkBounced(ctx, survey.NewID(), now), survey.NotFound, "id")
}

// Words without an answer stand until the next, and never in an answer's place.
func TestKeepReply(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	a := create(t, s, func(a *survey.Ask) { a.Channel = survey.SMS })
	keep := func(words string, at time.Time) error { return s.KeepReply(ctx, a, words, at) }
	for i, words := range []string{"hetki", "hetki vielä"} {
		at := now.Add(time.Duration(i) * time.Minute)
		if err := keep(words, at); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Ask(ctx, a.ID); err != nil || got.Comment != words || !got.RepliedAt.Equal(at) || got.Answered() {
			t.Errorf("%+v, %v", got, err)
		}
	}
	// A scanner's answer is none.
	if _, err := s.Answer(ctx, a.ID, survey.Answer{Score: 1, Via: survey.Auto}, a.AskedAt.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Answer(ctx, a.ID, survey.Answer{Score: 9, Via: survey.Auto}, a.AskedAt.Add(time.Hour+time.Second)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Ask(ctx, a.ID); err != nil || got.Trust != survey.Suspect {
		t.Fatalf("%+v, %v: want it suspect", got, err)
	}
	if err := keep("kolmas", now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Ask(ctx, a.ID); err != nil || got.Comment != "kolmas" || got.Trust != survey.Suspect {
		t.Errorf("%+v, %v", got, err)
	}
	comment := "vastaus"
	if _, err := s.Answer(ctx, a.ID, survey.Answer{Score: 9, Via: survey.ViaHuman, Comment: &comment}, a.AskedAt.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	wantCode(t, keep("myöhässä", now.Add(3*time.Hour)), survey.Conflict, "id")
	if got, err := s.Ask(ctx, a.ID); err != nil || got.Comment != comment {
		t.Errorf("%+v, %v", got, err)
	}
	a.ID = survey.NewID()
	wantCode(t, keep("kenelle", now), survey.NotFound, "id")
}

// Bounces are kept by channel, nothing is written for nothing, and of many that
// come at once each counts.
func TestNoteBounces(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	id := addContact(t, s, maija).ID
	before := contact(t, s, id)
	tables.Meter.Reset()
	if err := s.NoteBounces(ctx, id, survey.Email, func(c *survey.Contact, b survey.Bounces) survey.Bounces {
		if c.Email != "maija@example.com" || b != (survey.Bounces{}) {
			t.Errorf("it gets %+v, %+v", c, b)
		}
		return b
	}, now); err != nil {
		t.Fatal(err)
	}
	for _, call := range tables.Meter.Calls() {
		if call.Operation != "GetItem" {
			t.Errorf("nothing has changed, and there is a %s", call.Operation)
		}
	}
	if diff := cmp.Diff(before, contact(t, s, id)); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
	stop := survey.Bounces{Address: "+358401234567", Ask: "a", Soft: 5, StoppedAt: now}
	if err := s.NoteBounces(ctx, id, survey.SMS, func(*survey.Contact, survey.Bounces) survey.Bounces { return stop }, now); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			ask := fmt.Sprint(i)
			err := s.NoteBounces(ctx, id, survey.Email, func(_ *survey.Contact, b survey.Bounces) survey.Bounces {
				return b.Bounced("maija@example.com", ask, false, now)
			}, now)
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got := contact(t, s, id).Bounces
	if got[survey.Email].Soft != 4 || got[survey.SMS] != stop {
		t.Errorf("%+v", got)
	}
	wantCode(t, s.NoteBounces(ctx, survey.NewID(), survey.Email, nil, now), survey.NotFound, "contact")
}

// An opt-out stands from when it was first made, until the person takes it back;
// of two at once neither is lost.
func TestOptOut(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	id := addContact(t, s, maija).ID
	version := contact(t, s, id).Version
	both := []survey.Channel{survey.Email, survey.SMS}
	var all sync.WaitGroup
	for _, ch := range both {
		all.Go(func() {
			c, err := s.OptOut(ctx, id, []survey.Channel{ch}, false, now)
			if err != nil {
				t.Error(err)
			} else if _, out := c.OptOuts[ch]; !out {
				t.Errorf("%s: it returns %+v", ch, c)
			}
		})
	}
	all.Wait()
	out := map[survey.Channel]time.Time{survey.Email: now, survey.SMS: now}
	c := contact(t, s, id)
	if !maps.EqualFunc(c.OptOuts, out, time.Time.Equal) || c.Version != version+2 {
		t.Errorf("%v in version %d, want %v in version %d", c.OptOuts, c.Version, out, version+2)
	}
	if c, err := s.OptOut(ctx, id, both, false, now.Add(time.Hour)); err != nil || c.Version != version+2 || !c.OptOuts[survey.Email].Equal(now) {
		t.Errorf("again: %+v, %v", c, err)
	}
	if c, err := s.OptOut(ctx, id, []survey.Channel{survey.Email}, true, now.Add(time.Hour)); err != nil || len(c.OptOuts) != 1 || c.Version != version+3 || !c.ChangedAt.Equal(now.Add(time.Hour)) {
		t.Errorf("back: %+v, %v", c, err)
	}
	if c, err := s.OptOut(ctx, id, both, true, now.Add(2*time.Hour)); err != nil || len(c.OptOuts) != 0 {
		t.Errorf("all back: %+v, %v", c, err)
	}
	if c := contact(t, s, id); len(c.OptOuts) != 0 || c.Version != version+4 {
		t.Errorf("all back: %+v", c)
	}
	if c, err := s.OptOut(ctx, id, both, true, now); err != nil || c.Version != version+4 {
		t.Errorf("back again: %+v, %v", c, err)
	}
	_, err := s.OptOut(ctx, survey.NewID(), both, false, now)
	wantCode(t, err, survey.NotFound, "contact")
}
