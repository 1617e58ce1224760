package demo_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/scripts/dev/stack"
	"github.com/pulssi/pulssi/scripts/history/demo"
	"github.com/pulssi/pulssi/scripts/history/generator"
	"github.com/pulssi/pulssi/scripts/recount/differences"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit/dynamodblocal"
	"github.com/pulssi/pulssi/shared/topology"
)

const leaving = `
locales: [en]
touchpoints:
  - id: cancel-csat
    phase: leaving
    metric: csat
    channels: [email, link]
    name: {en: Cancelling}
    question: {en: How did it go?}
`

// world is a stack with real answers, in which a history can be filled in.
type world struct {
	*stack.Stack
	zone   *time.Location
	filler *demo.Filler
}

func newWorld(t *testing.T) world {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		t.Fatal(err)
	}
	s, err := stack.Start(t.Context(), stack.Options{
		Endpoint: dynamodblocal.Shared(t), Prefix: "t" + survey.NewID() + "-", Zone: zone, Touchpoints: []byte(leaving),
		Mapping: func(m topology.Stream) topology.Stream {
			m.BatchingSeconds = 0
			return m
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return world{s, zone, &demo.Filler{Store: s.Store, Zone: zone, Now: s.Clock.Now}}
}

// sheets returns what is counted, once that is what the asks come to.
func (w world) sheets(t *testing.T) map[score.Key]score.Sheet {
	t.Helper()
	f := &differences.Finder{
		Store: w.Store, Zone: w.zone, Settle: 20 * time.Second, Patience: time.Minute, Now: time.Now,
		// What is being counted needs no more than a moment.
		Wait:     func(ctx context.Context, _ time.Duration) error { return differences.Wait(ctx, 300*time.Millisecond) },
		Progress: func(int) {},
	}
	report, err := f.Find(t.Context())
	if err != nil || len(report.Differences) > 0 || len(report.Moving) > 0 || len(report.Unreadable) > 0 {
		t.Fatalf("%v; sheets that differ: %d, that are being counted: %d; unreadable: %q", err, len(report.Differences), len(report.Moving), report.Unreadable)
	}
	out := map[score.Key]score.Sheet{}
	if err := w.Store.EachSheet(t.Context(), func(s store.StoredSheet) error {
		if len(s.Counts) > 0 {
			out[s.Key] = s.Counts
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// asks returns the asks that were generated, in the order of the generator,
// and the ids of the others.
func (w world) asks(t *testing.T) (made []*survey.Ask, real []string) {
	t.Helper()
	if err := w.Store.EachAsk(t.Context(), func(a *survey.Ask, err error) error {
		if err != nil {
			return err
		}
		if a.Demo {
			made = append(made, a)
		} else {
			real = append(real, a.ID)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(made, func(a, b *survey.Ask) int {
		if c := a.AskedAt.Compare(b.AskedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	slices.Sort(real)
	return made, real
}

// fillSome fills until something is told to be done that was not when it began,
// and is stopped then.
func (w world) fillSome(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	first := -1
	err := w.filler.Fill(ctx, func(done, _ int) {
		switch {
		case first < 0:
			first = done
		case done > first:
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want that it was stopped", err)
	}
}

func TestAHistoryComesAndGoes(t *testing.T) {
	w := newWorld(t)
	touchpoints, err := w.Store.Touchpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now := w.Clock.Now()
	for i, at := range []time.Time{now, now.AddDate(0, 0, -1), now.AddDate(-2, 1, 0)} {
		v := survey.Vote{ID: survey.NewID(), Score: 3 + i, Channel: survey.Link}
		if _, err := w.Store.Vote(t.Context(), touchpoints[0], v, at); err != nil {
			t.Fatal(err)
		}
	}
	before := w.sheets(t)
	_, real := w.asks(t)

	w.fillSome(t)
	first, _ := w.asks(t)
	w.fillSome(t)
	d, err := w.Store.Demo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := generator.History{Seed: d.Seed, Touchpoints: touchpoints, From: d.From, Until: d.Until, Zone: w.zone}.Asks()
	second, _ := w.asks(t)
	if len(first) == 0 || len(second) <= len(first) || len(second) >= len(want) {
		t.Fatalf("%d, then %d asks of %d", len(first), len(second), len(want))
	}
	through := slices.IndexFunc(want, func(a *survey.Ask) bool { return !a.AskedAt.Before(d.Through) })
	for i, a := range second[:through] { // of those after it some may be written
		if diff := cmp.Diff(want[i], a); diff != "" {
			t.Fatalf("ask %d as it is stored (-generated +stored):\n%s", i, diff)
		}
	}
	if annotations, err := w.Store.Annotations(t.Context()); err != nil || len(annotations) != 2 {
		t.Errorf("%d annotations, %v", len(annotations), err)
	}
	if during := w.sheets(t); len(during) < 10*len(before) {
		t.Errorf("%d sheets with a history, %d without", len(during), len(before))
	}

	if err := demo.Remove(t.Context(), w.Store, func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	made, left := w.asks(t)
	if diff := cmp.Diff(real, left); diff != "" || len(made) > 0 {
		t.Errorf("%d generated asks are left; others (-before +after):\n%s", len(made), diff)
	}
	if diff := cmp.Diff(before, w.sheets(t)); diff != "" {
		t.Errorf("sheets (-before +after):\n%s", diff)
	}
	if annotations, err := w.Store.Annotations(t.Context()); err != nil || len(annotations) > 0 {
		t.Errorf("%d annotations are left, %v", len(annotations), err)
	}
	if has, err := w.Store.HasDemo(t.Context()); err != nil || has {
		t.Errorf("there are demo data: %t, %v", has, err)
	}
	if err := demo.Remove(t.Context(), w.Store, func(int, int) {}); err != nil {
		t.Errorf("once more: %v", err)
	}
}
