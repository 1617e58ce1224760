package store_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// next returns what a touchpoint becomes by a change.
func next(was *survey.Touchpoint, change func(*survey.Touchpoint)) *survey.Touchpoint {
	t := *was
	t.Version++
	change(&t)
	return &t
}

func put(t testing.TB, s *store.Store, was, is *survey.Touchpoint) {
	t.Helper()
	if err := s.PutTouchpoint(ctx, was, is); err != nil {
		t.Fatal(err)
	}
}

func TestPutTouchpoint(t *testing.T) {
	s := testkit.NewTables(t).Store
	wantTouchpoints := func(want ...*survey.Touchpoint) {
		t.Helper()
		got, err := s.Touchpoints(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("touchpoints (-want +got):\n%s", diff)
		}
	}
	first := touchpoint()
	put(t, s, nil, first)
	wantCode(t, s.PutTouchpoint(ctx, nil, first), survey.Conflict, "id")

	goal := 50.0
	second := next(first, func(t *survey.Touchpoint) { t.Goal = &goal })
	put(t, s, first, second)
	wantTouchpoints(second)
	wantCode(t, s.PutTouchpoint(ctx, first, next(first, func(*survey.Touchpoint) {})), survey.Conflict, "id")
	if _, err := s.EndedSeries(ctx, shop); err == nil {
		t.Error("the series has ended")
	} else {
		wantCode(t, err, survey.NotFound, "series")
	}

	third := next(second, func(t *survey.Touchpoint) { t.Metric, t.Series = survey.CSAT, 2 })
	wantCode(t, s.PutTouchpoint(ctx, first, third), survey.Conflict, "id") // neither part is written
	if _, err := s.EndedSeries(ctx, shop); survey.CodeOf(err) != survey.NotFound {
		t.Errorf("error %v: the series has ended by a refused change", err)
	}
	put(t, s, second, third)
	wantTouchpoints(third)
	ended, err := s.EndedSeries(ctx, shop)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(second, ended); diff != "" {
		t.Errorf("the ended series (-want +got):\n%s", diff)
	}

	other := touchpoint()
	other.ID = "app-csat"
	put(t, s, nil, other)
	wantTouchpoints(other, third)
}

func TestPutTouchpointAtOnce(t *testing.T) {
	s := testkit.NewTables(t).Store
	first := touchpoint()
	put(t, s, nil, first)
	var mu sync.Mutex
	var wg sync.WaitGroup
	won := 0
	for i := range 5 {
		wg.Go(func() {
			err := s.PutTouchpoint(ctx, first, next(first, func(t *survey.Touchpoint) { t.Series, t.Recontact = 2, survey.Span(i) }))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else {
				wantCode(t, err, survey.Conflict, "id")
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d changes of the same version were taken", won)
	}
}

// count returns how many calls of an operation were made.
func count(tables *testkit.Tables, operation string) (n int) {
	for _, c := range tables.Meter.Calls() {
		if c.Operation == operation {
			n++
		}
	}
	return n
}

func TestCatalogReadsOnceAMinute(t *testing.T) {
	tables := testkit.NewTables(t)
	clock := testkit.NewClock(now)
	catalog := store.NewCatalog(tables.Store, clock.Now)
	first := touchpoint()
	put(t, tables.Store, nil, first)
	version := func(want int) {
		t.Helper()
		got, err := catalog.Touchpoint(ctx, "shop-nps")
		if err != nil || got.Version != want {
			t.Fatalf("%+v, %v: want version %d", got, err, want)
		}
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if all, err := catalog.All(ctx); err != nil || len(all) != 1 {
				t.Errorf("%v, %v: want one touchpoint", all, err)
			}
		})
	}
	wg.Wait()
	if n := count(tables, "Query"); n != 1 {
		t.Errorf("%d reads for 20 callers at once", n)
	}
	put(t, tables.Store, first, next(first, func(*survey.Touchpoint) {}))
	clock.Move(store.CatalogAge - time.Millisecond)
	version(1)
	clock.Move(time.Millisecond)
	version(2)
	if n := count(tables, "Query"); n != 2 {
		t.Errorf("%d reads within a minute and a bit", n)
	}
	_, err := catalog.Touchpoint(ctx, "nowhere")
	wantCode(t, err, survey.NotFound, "touchpoint")
}

// Whoever changes a touchpoint sees it changed, also where nothing is read.
func TestCatalogHasWhatWasPutThroughIt(t *testing.T) {
	tables := testkit.NewTables(t)
	clock := testkit.NewClock(now)
	catalog := store.NewCatalog(tables.Store, clock.Now)
	if _, err := catalog.Stored(ctx, "shop-nps"); survey.CodeOf(err) != survey.NotFound {
		t.Errorf("error %v before there is one", err)
	}
	var versions []*survey.Touchpoint
	for _, id := range []string{"shop-nps", "z", "a"} {
		first := touchpoint()
		first.ID = id
		if err := catalog.PutTouchpoint(ctx, nil, first); err != nil {
			t.Fatal(err)
		}
		versions = append(versions, first)
	}
	first := versions[0]
	_, err := catalog.Series(ctx, store.SeriesKey{Touchpoint: "shop-nps", Series: 7})
	wantCode(t, err, survey.NotFound, "series")
	second := next(first, func(t *survey.Touchpoint) { t.Metric, t.Series = survey.CSAT, 7 })
	third := next(second, func(t *survey.Touchpoint) { t.Metric, t.Series = survey.NPS, 8 })
	for _, step := range [][2]*survey.Touchpoint{{first, second}, {second, third}} {
		if err := catalog.PutTouchpoint(ctx, step[0], step[1]); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, catalog.PutTouchpoint(ctx, first, second), survey.Conflict, "id")
	all, err := catalog.All(ctx)
	if diff := cmp.Diff([]*survey.Touchpoint{versions[2], third, versions[1]}, all); err != nil || diff != "" {
		t.Errorf("%v; all (-want +got):\n%s", err, diff)
	}
	if got, err := catalog.Touchpoint(ctx, "shop-nps"); err != nil || got.Version != 3 {
		t.Errorf("%+v, %v: want version 3", got, err)
	}
	if got, err := catalog.Series(ctx, store.SeriesKey{Touchpoint: "shop-nps", Series: 7}); err != nil || got.Metric != survey.CSAT {
		t.Errorf("the ended series: %+v, %v", got, err)
	}
	if n := count(tables, "Query"); n != 1 {
		t.Errorf("%d reads of all, want the first", n)
	}

	// Another instance writes: the copy is old, what a change is made from is not.
	put(t, tables.Store, third, next(third, func(*survey.Touchpoint) {}))
	if got, err := catalog.Stored(ctx, "shop-nps"); err != nil || got.Version != 4 {
		t.Errorf("stored is %+v, %v: want version 4", got, err)
	}
	if got, err := catalog.Touchpoint(ctx, "shop-nps"); err != nil || got.Version != 3 {
		t.Errorf("the copy is %+v, %v: want version 3", got, err)
	}
}

func TestCatalogServesItsCopyWhereAReadFails(t *testing.T) {
	tables := testkit.NewTables(t)
	clock := testkit.NewClock(now)
	catalog := store.NewCatalog(tables.Store, clock.Now)
	put(t, tables.Store, nil, touchpoint())
	broken, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := catalog.All(broken); err == nil || !strings.Contains(err.Error(), "touchpoints") {
		t.Fatalf("error %v without a copy", err)
	}
	if _, err := catalog.All(ctx); err != nil {
		t.Fatal(err)
	}
	tables.Meter.Reset()
	clock.Move(store.CatalogAge)
	for range 3 {
		if all, err := catalog.All(broken); err != nil || len(all) != 1 {
			t.Errorf("%v, %v: want the copy", all, err)
		}
	}
	if n := count(tables, "Query"); n != 1 {
		t.Errorf("%d reads while they fail, want one a minute", n)
	}
}

func TestCatalogKnowsEndedSeries(t *testing.T) {
	tables := testkit.NewTables(t)
	catalog := store.NewCatalog(tables.Store, testkit.NewClock(now).Now)
	first := touchpoint()
	second := next(first, func(t *survey.Touchpoint) { t.Series = 2 })
	put(t, tables.Store, nil, first)
	put(t, tables.Store, first, second)
	for range 2 {
		for n, want := range map[int]*survey.Touchpoint{1: first, 2: second} {
			got, err := catalog.Series(ctx, store.SeriesKey{Touchpoint: "shop-nps", Series: n})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("series %d (-want +got):\n%s", n, diff)
			}
		}
	}
	if n := count(tables, "GetItem"); n != 1 {
		t.Errorf("the ended series was read %d times", n)
	}
}

func TestCatalogRemembersThatThereIsNoSeries(t *testing.T) {
	tables := testkit.NewTables(t)
	clock := testkit.NewClock(now)
	catalog := store.NewCatalog(tables.Store, clock.Now)
	first := touchpoint()
	put(t, tables.Store, nil, first)
	none := func(k store.SeriesKey, reads int) {
		t.Helper()
		for range 3 {
			_, err := catalog.Series(ctx, k)
			wantCode(t, err, survey.NotFound, "series")
		}
		if n := count(tables, "GetItem"); n != reads {
			t.Errorf("%v: %d reads, want %d", k, n, reads)
		}
	}
	none(store.SeriesKey{Touchpoint: "shop-nps", Series: 99}, 1)
	none(store.SeriesKey{Touchpoint: "nowhere", Series: 1}, 2)
	none(store.SeriesKey{Touchpoint: "shop-nps", Series: 2}, 3)

	second := next(first, func(t *survey.Touchpoint) { t.Series = 2 })
	put(t, tables.Store, first, second)
	put(t, tables.Store, second, next(second, func(t *survey.Touchpoint) { t.Series = 3 }))
	clock.Move(store.CatalogAge)
	got, err := catalog.Series(ctx, store.SeriesKey{Touchpoint: "shop-nps", Series: 2})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(second, got); diff != "" {
		t.Errorf("a series that there is by now (-want +got):\n%s", diff)
	}
	none(store.SeriesKey{Touchpoint: "shop-nps", Series: 99}, 5)
}

// While one caller reads an ended series, the others have the touchpoints.
func TestCatalogKeepsNobodyWaiting(t *testing.T) {
	tables := testkit.NewTables(t)
	var catalog *store.Catalog
	s := interrupted(tables, "GetItem", 1, func() {
		done := make(chan error, 1)
		go func() {
			_, err := catalog.Touchpoint(ctx, "shop-nps")
			done <- err
		}()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("a caller waits for the read of an ended series")
		}
	})
	catalog = store.NewCatalog(s, testkit.NewClock(now).Now)
	put(t, tables.Store, nil, touchpoint())
	_, err := catalog.Series(ctx, store.SeriesKey{Touchpoint: "shop-nps", Series: 2})
	wantCode(t, err, survey.NotFound, "series")
}
