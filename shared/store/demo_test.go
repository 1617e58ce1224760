package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

func TestDemo(t *testing.T) {
	s := testkit.NewTables(t).Store
	wantDemo := func(want store.Demo) {
		t.Helper()
		got, err := s.Demo(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("demo (-want +got):\n%s", diff)
		}
		if has, err := s.HasDemo(ctx); err != nil || has != (want.Version > 0) {
			t.Errorf("has demo data: %t, %v", has, err)
		}
	}
	wantDemo(store.Demo{})
	first := store.Demo{Seed: []byte{1, 2}, From: now.AddDate(-2, 0, 0), Until: now, Through: now.AddDate(-1, 0, 0)}
	if err := s.PutDemo(ctx, store.Demo{}, first); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.PutDemo(ctx, store.Demo{}, first), survey.Conflict, "version")
	first.Version = 1
	wantDemo(first)

	second := first
	second.Removing = true
	if err := s.PutDemo(ctx, first, second); err != nil {
		t.Fatal(err)
	}
	second.Version = 2
	wantCode(t, s.DeleteDemo(ctx, first), survey.Conflict, "version")
	wantDemo(second)
	if err := s.DeleteDemo(ctx, second); err != nil {
		t.Fatal(err)
	}
	wantDemo(store.Demo{})
}

func TestOnlyWhatWasGeneratedIsDeleted(t *testing.T) {
	s := testkit.NewTables(t).Store
	ask := create(t, s, func(a *survey.Ask) { a.Demo = true })
	comment := "hei"
	votes := map[bool]survey.Vote{}
	for _, demo := range []bool{true, false} {
		v := newVote()
		v.Demo, v.Comment = demo, &comment
		votes[demo] = v
		a, err := s.Vote(ctx, touchpoint(), v, now)
		if err != nil || a.Demo != demo {
			t.Fatalf("%+v, %v: demo is not %t", a, err, demo)
		}
	}
	// What is generated never changes a vote that was not.
	again := votes[false]
	again.Demo, again.Comment = true, nil
	_, err := s.Vote(ctx, touchpoint(), again, now.Add(time.Second))
	wantCode(t, err, survey.Conflict, "id")
	real := create(t, s, func(*survey.Ask) {})
	for _, tc := range []struct {
		id   string
		want bool
	}{{ask.ID, true}, {ask.ID, false}, {votes[true].ID, true}, {real.ID, false}, {survey.NewID(), false}} {
		if deleted, err := s.DeleteDemoAsk(ctx, tc.id); err != nil || deleted != tc.want {
			t.Errorf("deleted: %t, %v, want %t", deleted, err, tc.want)
		}
	}
	if _, err := s.Ask(ctx, real.ID); err != nil {
		t.Error(err)
	}
}
