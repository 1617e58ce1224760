package demo

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/pulssi/pulssi/shared/survey"
)

func TestJob(t *testing.T) {
	j := NewJob(&Filler{}, slog.New(slog.DiscardHandler))
	j.Stop() // of nothing
	var noted chan struct{}
	untilStopped := func(ctx context.Context, p Progress) error {
		p(1, 4)
		close(noted)
		<-ctx.Done()
		return ctx.Err()
	}
	returns := func(err error) func(context.Context, Progress) error {
		return func(context.Context, Progress) error {
			close(noted)
			return err
		}
	}
	for name, tc := range map[string]struct {
		do  func(context.Context, Progress) error
		err string
	}{
		"stopped": {untilStopped, "stopped on the way"},
		"done":    {returns(nil), ""},
		"told":    {returns(survey.Errorf(survey.Conflict, "", "why")), "why"},
		"failed":  {returns(errors.New("secret")), "failed: see the terminal of make dev"},
	} {
		noted = make(chan struct{})
		if err := j.begin(Removing, tc.do); err != nil {
			t.Fatal(err)
		}
		<-noted
		if name == "stopped" {
			if s := j.State(); s.Doing != Removing || s.Pace.Percent() != 25 {
				t.Errorf("%+v while it works", s)
			}
			if err := j.Fill(); survey.CodeOf(err) != survey.Conflict {
				t.Errorf("%v, want that one is under way", err)
			}
		}
		j.Stop()
		if s := j.State(); s.Doing != "" || s.Did != Removing || s.Err != tc.err {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
