package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

func TestRules(t *testing.T) {
	s := testkit.NewTables(t).Store
	got, err := s.Rules(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(survey.DefaultRules(), got); diff != "" {
		t.Errorf("without any (-defaults +got):\n%s", diff)
	}
	none := got
	first := survey.Rules{Version: 7, Rest: new(survey.Span(0)), Quiet: &survey.Quiet{From: 0, To: 0}, Closed: []string{"12-27"}, Locale: "sv"}
	if err := s.PutRules(ctx, none, first); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.PutRules(ctx, none, first), survey.Conflict, "version")
	got, err = s.Rules(ctx)
	if err != nil {
		t.Fatal(err)
	}
	first.Version = 1
	if diff := cmp.Diff(first.Complete(), got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	second := got
	second.Holidays = survey.NoHolidays
	if err := s.PutRules(ctx, got, second); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.PutRules(ctx, got, second), survey.Conflict, "version")
	second.Version = 2
	if got, err := s.Rules(ctx); err != nil || !cmp.Equal(second, got) {
		t.Errorf("%+v, %v; want %+v", got, err, second)
	}
}

func TestPlanned(t *testing.T) {
	s := testkit.NewTables(t).Store
	never, err := s.Planned(ctx)
	if err != nil || never.Version != 0 || !never.Through.IsZero() || never.Days != nil {
		t.Errorf("%+v, %v before anything was planned", never, err)
	}
	p := store.Planned{Through: now, Days: map[string]string{"shop-nps": "quarter 2026Q4 abc"}, Since: map[string]time.Time{"shop-nps": now.Add(-time.Hour)}}
	if err := s.PutPlanned(ctx, never, p); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.PutPlanned(ctx, never, p), survey.Conflict, "version")
	p.Version = 1
	first, err := s.Planned(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, first); diff != "" {
		t.Errorf("planned (-want +got):\n%s", diff)
	}
	// Of several that go on from the same state, one does.
	var wg sync.WaitGroup
	errs := make([]error, 5)
	for i := range errs {
		wg.Go(func() {
			errs[i] = s.PutPlanned(ctx, first, store.Planned{Through: now.Add(time.Duration(i) * time.Hour)})
		})
	}
	wg.Wait()
	n := 0
	for _, err := range errs {
		if err == nil {
			n++
		} else {
			wantCode(t, err, survey.Conflict, "version")
		}
	}
	if last, err := s.Planned(ctx); n != 1 || err != nil || last.Version != 2 {
		t.Errorf("%d went on, to %+v, %v", n, last, err)
	}
}

// The rules are read at most once a minute, never with the touchpoints, and an
// old copy is served where a read fails.
func TestCatalogRulebook(t *testing.T) {
	tables := testkit.NewTables(t)
	clock := testkit.NewClock(now)
	c := store.NewCatalog(tables.Store, clock.Now)
	if _, err := c.All(ctx); err != nil {
		t.Fatal(err)
	}
	reads := func(n int) {
		t.Helper()
		got := 0
		for _, call := range tables.Meter.Calls() {
			if call.Operation == "GetItem" {
				got++
			}
		}
		if got != n {
			t.Errorf("%d reads of the rules, want %d", got, n)
		}
	}
	reads(0)
	dead, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.Rulebook(dead); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v where there is no copy", err)
	}
	tables.Meter.Reset()
	want := func(zone string) {
		t.Helper()
		b, err := c.Rulebook(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if b.Rules().Zone != zone {
			t.Errorf("zone %s, want %s", b.Rules().Zone, zone)
		}
	}
	want("Europe/Helsinki")
	if err := tables.Store.PutRules(ctx, survey.Rules{}, survey.Rules{Zone: "Asia/Tokyo"}); err != nil {
		t.Fatal(err)
	}
	clock.Move(store.CatalogAge - time.Millisecond)
	want("Europe/Helsinki")
	reads(1)
	clock.Move(time.Millisecond)
	if b, err := c.Rulebook(dead); err != nil || b.Rules().Zone != "Europe/Helsinki" {
		t.Errorf("%v, %v: want the old copy", b, err)
	}
	clock.Move(store.CatalogAge)
	want("Asia/Tokyo")
	want("Asia/Tokyo")
	reads(3)
}
