package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

func TestTryAsk(t *testing.T) {
	s := testkit.NewTables(t).Store
	later := now.Add(3 * time.Minute)
	wantCode(t, s.TryAsk(ctx, survey.NewID(), time.Time{}, now), survey.Conflict, "id")

	a := create(t, s, func(a *survey.Ask) { a.TriedAt = now })
	wantCode(t, s.TryAsk(ctx, a.ID, time.Time{}, later), survey.Conflict, "id")
	wantCode(t, s.TryAsk(ctx, a.ID, now.Add(time.Millisecond), later), survey.Conflict, "id")
	wantAsk(t, s, a)
	if err := s.TryAsk(ctx, a.ID, now, later); err != nil {
		t.Fatal(err)
	}
	a.TriedAt = later
	wantAsk(t, s, a)
	wantCode(t, s.TryAsk(ctx, a.ID, now, later), survey.Conflict, "id") // a repetition looks the same

	wantCode(t, s.ReleaseAsk(ctx, a.ID, now), survey.Conflict, "id")
	if err := s.ReleaseAsk(ctx, a.ID, later); err != nil {
		t.Fatal(err)
	}
	a.TriedAt = time.Time{}
	wantAsk(t, s, a)
	if err := s.TryAsk(ctx, a.ID, time.Time{}, later); err != nil {
		t.Fatal(err)
	}
	a.TriedAt = later

	if err := s.MarkSent(ctx, a.ID, later); err != nil {
		t.Fatal(err)
	}
	a.SentAt = later
	wantCode(t, s.TryAsk(ctx, a.ID, later, later.Add(time.Hour)), survey.Conflict, "id")
	wantCode(t, s.RefuseAsk(ctx, a.ID, later), survey.Conflict, "id")
	wantAsk(t, s, a)
}

func TestTryAskAtOnce(t *testing.T) {
	s := testkit.NewTables(t).Store
	a := create(t, s, func(a *survey.Ask) { a.TriedAt = now })
	var got atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			switch err := s.TryAsk(ctx, a.ID, now, now.Add(time.Duration(i+1)*time.Second)); {
			case err == nil:
				got.Add(1)
			case survey.CodeOf(err) != survey.Conflict:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got.Load() != 1 {
		t.Errorf("%d of 8 got the attempt", got.Load())
	}
}

func TestRefuseAsk(t *testing.T) {
	s := testkit.NewTables(t).Store
	wantCode(t, s.RefuseAsk(ctx, survey.NewID(), now), survey.Conflict, "id")
	a := create(t, s, func(a *survey.Ask) { a.TriedAt = now })
	for range 2 {
		if err := s.RefuseAsk(ctx, a.ID, now); err != nil {
			t.Fatal(err)
		}
	}
	a.RefusedAt = now
	wantAsk(t, s, a)
	wantCode(t, s.TryAsk(ctx, a.ID, now, now.Add(time.Hour)), survey.Conflict, "id")
}

func TestReleaseReminder(t *testing.T) {
	s := testkit.NewTables(t).Store
	a := create(t, s, func(a *survey.Ask) { a.SentAt = now })
	wantCode(t, s.ReleaseReminder(ctx, a.ID, now), survey.Conflict, "id")
	if err := s.MarkReminded(ctx, a.ID, now); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.ReleaseReminder(ctx, a.ID, now.Add(time.Millisecond)), survey.Conflict, "id")
	if err := s.ReleaseReminder(ctx, a.ID, now); err != nil {
		t.Fatal(err)
	}
	wantAsk(t, s, a)
	if err := s.MarkReminded(ctx, a.ID, now.Add(time.Hour)); err != nil {
		t.Errorf("a released reminder cannot be sent: %v", err)
	}
}

func wantAsk(t *testing.T, s *store.Store, want *survey.Ask) {
	t.Helper()
	got, err := s.Ask(ctx, want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the ask (-want +got):\n%s", diff)
	}
}
