package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

func TestChangeContact(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	c := addContact(t, s, survey.Details{
		Ref: "R", Email: "maija@x.fi", Phone: "+3581", FirstName: "Maija", Zone: "Asia/Tokyo", Segments: []string{"vip"}, OptOut: []survey.Channel{survey.SMS},
	})
	if err := s.TakeTurn(ctx, turnOf(c, "shop-nps", "first", now)); err != nil {
		t.Fatal(err)
	}
	later := now.Add(time.Hour)
	got, err := s.ChangeContact(ctx, c.ID, 1, func(c *survey.Contact) error {
		*c = survey.Contact{ // all that is not a detail is ignored
			ID: "x", Number: 99, Version: 99, Asked: map[string]survey.Asked{"x": {}}, LastAsk: "x", LastAskedAt: later, CreatedAt: later,
			Email: "maria@x.fi", LastName: "Mäkelä", Segments: []string{"b", "a", "b"},
			OptOuts: map[survey.Channel]time.Time{survey.Email: later.Add(time.Nanosecond)},
		}
		return nil
	}, later.Add(time.Nanosecond))
	if err != nil {
		t.Fatal(err)
	}
	want := &survey.Contact{
		ID: c.ID, Number: 1, Version: 2, Email: "maria@x.fi", LastName: "Mäkelä", Zone: "Europe/Helsinki", Segments: []string{"a", "b"},
		OptOuts: map[survey.Channel]time.Time{survey.Email: later}, CreatedAt: now, ChangedAt: later,
		LastAskedAt: now, LastAsk: "first", Asked: map[string]survey.Asked{"shop-nps": {At: now, Ask: "first"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("returned (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, contact(t, s, c.ID)); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	wantAgreement(t, tables)

	tables.Meter.Reset()
	same, err := s.ChangeContact(ctx, c.ID, 0, func(c *survey.Contact) error { c.Segments = []string{"b", "a"}; return nil }, later.Add(time.Hour))
	if err != nil || same.Version != 2 || !same.ChangedAt.Equal(later) {
		t.Errorf("%+v, %v: want what it was", same, err)
	}
	if calls := tables.Meter.Calls(); len(calls) != 1 {
		t.Errorf("calls %v, want one read", calls)
	}
}

func TestChangeContactRefused(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	addContact(t, s, survey.Details{Ref: "R1", Email: "e1@x.fi", Phone: "+3581"})
	c := addContact(t, s, survey.Details{Ref: "R2", Email: "e2@x.fi", Phone: "+3582"})
	own := errors.New("no")
	for name, change := range map[string]struct {
		change func(*survey.Contact) error
		code   survey.Code
		field  string
	}{
		"ref of another":    {func(c *survey.Contact) error { c.Ref = "R1"; return nil }, survey.Conflict, "ref"},
		"e-mail of another": {func(c *survey.Contact) error { c.Email = "e1@x.fi"; return nil }, survey.Conflict, "email"},
		"phone of another":  {func(c *survey.Contact) error { c.Phone = "+3581"; return nil }, survey.Conflict, "phone"},
		"nothing left":      {func(c *survey.Contact) error { c.Ref, c.Email, c.Phone = "", "", ""; return nil }, survey.Invalid, "email"},
		"a broken rule":     {func(c *survey.Contact) error { c.Zone = "Mars/Olympus"; return nil }, survey.Invalid, "zone"},
		"a foreign channel": {func(c *survey.Contact) error {
			c.OptOuts = map[survey.Channel]time.Time{"widget": now}
			return nil
		}, survey.Invalid, "optOut"},
	} {
		_, err := s.ChangeContact(ctx, c.ID, 0, change.change, now)
		t.Run(name, func(t *testing.T) { wantCode(t, err, change.code, change.field) })
	}
	if _, err := s.ChangeContact(ctx, c.ID, 0, func(*survey.Contact) error { return own }, now); !errors.Is(err, own) {
		t.Errorf("error %v, want the change's own", err)
	}
	never := func(*survey.Contact) error { t.Error("called"); return nil }
	_, err := s.ChangeContact(ctx, c.ID, 2, never, now)
	wantCode(t, err, survey.Conflict, "version")
	_, err = s.ChangeContact(ctx, survey.NewID(), 0, never, now)
	wantCode(t, err, survey.NotFound, "contact")
	if diff := cmp.Diff(c, contact(t, s, c.ID)); diff != "" {
		t.Errorf("it has changed:\n%s", diff)
	}
	wantAgreement(t, tables)
}

// Changes without a version all take effect, and of those with one only one;
// two contacts that both want an address do not both get it.
func TestConcurrentChanges(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	var ids []string
	for i := range 4 {
		ids = append(ids, addContact(t, s, survey.Details{Ref: fmt.Sprint(i)}).ID)
	}
	var wg sync.WaitGroup
	won := make([]bool, 8)
	for i := range won {
		wg.Go(func() {
			_, err := s.ChangeContact(ctx, ids[i%4], 0, func(c *survey.Contact) error { c.Email = "one@x.fi"; return nil }, now)
			if won[i] = err == nil; !won[i] && survey.CodeOf(err) != survey.Conflict {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if _, err := s.ChangeContact(ctx, ids[0], 0, func(c *survey.Contact) error {
				c.Segments = append(c.Segments, fmt.Sprint("s", i))
				return nil
			}, now); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	holders := map[int]bool{}
	for i, w := range won {
		if w {
			holders[i%4] = true
		}
	}
	if len(holders) != 1 {
		t.Errorf("contacts %v have the same address", holders)
	}
	if c := contact(t, s, ids[0]); len(c.Segments) != len(won) {
		t.Errorf("segments %v: a change was lost", c.Segments)
	}
	wantAgreement(t, tables)

	versioned := make([]error, 4)
	v := contact(t, s, ids[1]).Version
	for i := range versioned {
		wg.Go(func() {
			_, versioned[i] = s.ChangeContact(ctx, ids[1], v, func(c *survey.Contact) error { c.Company = fmt.Sprint(i); return nil }, now)
		})
	}
	wg.Wait()
	n := 0
	for _, err := range versioned {
		if err == nil {
			n++
		} else {
			wantCode(t, err, survey.Conflict, "version")
		}
	}
	if n != 1 {
		t.Errorf("%d changes of version %d took effect", n, v)
	}
}

func TestDeleteContact(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	c := addContact(t, s, survey.Details{Ref: "R", Email: "maija@x.fi"})
	other := addContact(t, s, survey.Details{Ref: "S"})
	for i := range 60 { // more than two batches
		for _, id := range []string{c.ID, other.ID} {
			if err := s.PutDecision(ctx, survey.Decision{Contact: id, Touchpoint: "shop-nps", Occasion: survey.Occasion(fmt.Sprint(i)), Verdict: survey.Planned, At: now}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.DeleteContact(ctx, c.ID); err != nil {
		t.Fatal(err)
	}
	_, err := s.Contact(ctx, c.ID)
	wantCode(t, err, survey.NotFound, "contact")
	_, err = s.FindContact(ctx, "ref", "R")
	wantCode(t, err, survey.NotFound, "contact")
	wantCode(t, s.DeleteContact(ctx, c.ID), survey.NotFound, "contact")
	if n := len(scan(t, tables, topology.Decisions)); n != 60 {
		t.Errorf("%d decisions are left, want the 60 of the other contact", n)
	}
	wantAgreement(t, tables)
}

// A contact is deleted while others change it: it is gone in the end, with all
// its addresses.
func TestDeleteWhileChanged(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	for range 5 {
		c := addContact(t, s, survey.Details{Ref: "R", OptOut: []survey.Channel{survey.Email}})
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				_, err := s.ChangeContact(ctx, c.ID, 0, func(c *survey.Contact) error { c.Email = fmt.Sprintf("e%d@x.fi", i); return nil }, now)
				if err != nil && survey.CodeOf(err) != survey.NotFound {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			if err := s.DeleteContact(ctx, c.ID); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if n := len(scan(t, tables, topology.Contacts)); n != 0 {
			t.Errorf("%d contacts are left", n)
		}
		wantAgreement(t, tables)
	}
}
