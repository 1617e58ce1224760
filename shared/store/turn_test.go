package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

const day = 24 * time.Hour

func turnOf(c *survey.Contact, touchpoint, ask string, at time.Time) store.Turn {
	return store.Turn{
		Contact: c.ID, Touchpoint: touchpoint, Ask: ask, Channel: survey.Email, At: at, Rest: 30 * day, Recontact: 90 * day,
	}
}

func TestTakeTurn(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		turn  func(*store.Turn)
		field string // of the conflict, "" for none
	}{
		"the same ask again":                      {func(t *store.Turn) { t.Ask = "first" }, ""},
		"the same ask again, without any rest":    {func(t *store.Turn) { t.Ask, t.At, t.Rest, t.Recontact = "first", now.Add(time.Hour), 0, 0 }, ""},
		"another touchpoint before the rest ends": {func(t *store.Turn) { t.Touchpoint, t.At = "shop-csat", now.Add(30*day-ms) }, "rest"},
		"another touchpoint after the rest":       {func(t *store.Turn) { t.Touchpoint, t.At = "shop-csat", now.Add(30*day) }, ""},
		"the same before the recontact time":      {func(t *store.Turn) { t.At = now.Add(90*day - ms) }, "recontact"},
		"the same after the recontact time":       {func(t *store.Turn) { t.At = now.Add(90 * day) }, ""},
		"a recontact time shorter than the rest":  {func(t *store.Turn) { t.At, t.Recontact = now.Add(30*day-ms), day }, "rest"},
		"no rest":                                 {func(t *store.Turn) { t.Touchpoint, t.Rest = "shop-csat", 0 }, ""},
		"no recontact time":                       {func(t *store.Turn) { t.Rest, t.Recontact = 0, 0 }, ""},
		"an opt-out":                              {func(t *store.Turn) { t.Channel, t.At = survey.SMS, now.Add(100*day) }, "channel"},
		"an opt-out since the same ask":           {func(t *store.Turn) { t.Ask, t.Channel = "first", survey.SMS }, "channel"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.NewTables(t).Store
			was := addContact(t, s, survey.Details{Email: "maija@x.fi", OptOut: []survey.Channel{survey.SMS}})
			if err := s.TakeTurn(ctx, turnOf(was, "shop-nps", "first", now)); err != nil {
				t.Fatal(err)
			}
			first := contact(t, s, was.ID)
			if want := (survey.Asked{At: now, Ask: "first"}); first.LastAsk != "first" || !first.LastAskedAt.Equal(now) || first.Asked["shop-nps"] != want || first.Version != was.Version {
				t.Errorf("after the first turn %+v", first)
			}
			turn := turnOf(was, "shop-nps", "second", now)
			c.turn(&turn)
			err := s.TakeTurn(ctx, turn)
			is := contact(t, s, was.ID)
			if c.field != "" {
				wantCode(t, err, survey.Conflict, c.field)
			} else if err != nil {
				t.Fatal(err)
			}
			want := first
			if c.field == "" && turn.Ask != "first" {
				want.LastAsk, want.LastAskedAt = turn.Ask, turn.At
				want.Asked[turn.Touchpoint] = survey.Asked{At: turn.At, Ask: turn.Ask}
			}
			if diff := cmp.Diff(want, is); diff != "" {
				t.Errorf("contact (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTakeTurnOfNobody(t *testing.T) {
	tables := testkit.NewTables(t)
	nobody := &survey.Contact{ID: survey.NewID()}
	wantCode(t, tables.Store.TakeTurn(ctx, turnOf(nobody, "shop-nps", "first", now)), survey.NotFound, "contact")
	_, err := tables.Store.Contact(ctx, nobody.ID)
	wantCode(t, err, survey.NotFound, "contact")
}

// Of many asks of many touchpoints at the same time one gets the turn, while
// the contact's details are changed; neither write loses the other.
func TestConcurrentTurns(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	c := addContact(t, s, survey.Details{Ref: "R", Email: "maija@x.fi"})
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex
		got []string
	)
	for i := range 12 {
		wg.Go(func() {
			ask := fmt.Sprint("ask", i)
			err := s.TakeTurn(ctx, turnOf(c, fmt.Sprint("touchpoint-", i%3), ask, now))
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, ask)
			} else if survey.CodeOf(err) != survey.Conflict {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if _, err := s.Upsert(ctx, []survey.Details{{Ref: "R", Email: fmt.Sprintf("e%d@x.fi", i)}}, now); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	is := contact(t, s, c.ID)
	if len(got) != 1 || is.LastAsk != got[0] || len(is.Asked) != 1 {
		t.Errorf("asks %v took the turn; the contact says %s, %v", got, is.LastAsk, is.Asked)
	}
	if is.Version != 13 {
		t.Errorf("version %d, want 13: one for each change", is.Version)
	}
	wantAgreement(t, tables)
}
