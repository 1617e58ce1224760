package audit_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/audit"
	"github.com/pulssi/pulssi/shared/survey"
)

// log is an audit log in memory, which fails as it is told.
type log struct {
	deeds []survey.Deed
	errs  []error // of each call; nil after them
}

func (l *log) Record(ctx context.Context, d survey.Deed) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var err error
	if len(l.errs) > 0 {
		err, l.errs = l.errs[0], l.errs[1:]
	}
	if err == nil {
		l.deeds = append(l.deeds, d)
	}
	return err
}

func (l *log) outcomes() (out []survey.Outcome) {
	for _, d := range l.deeds {
		out = append(out, d.Outcome)
	}
	return out
}

func TestDo(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) }
	d, err := survey.NewDeed("u1", "admin", survey.ShareDelete, survey.NewID(), 1, nil, now())
	if err != nil {
		t.Fatal(err)
	}
	down, none := errors.New("down"), survey.Errorf(survey.NotFound, "share", "there is no such share")
	begun := []survey.Outcome{survey.Begun}
	for name, tt := range map[string]struct {
		log  []error
		do   error
		done bool
		code survey.Code // of the error; "" for none
		want []survey.Outcome
	}{
		"done":                      {nil, nil, true, "", begun},
		"failed":                    {nil, none, true, survey.NotFound, append(begun, survey.Failed)},
		"not recorded":              {[]error{down}, nil, false, survey.Internal, nil},
		"refused by the log":        {[]error{survey.Errorf(survey.Invalid, "who", "who must be somebody")}, nil, false, survey.Internal, nil},
		"failed, and so is the log": {[]error{nil, down}, none, true, survey.NotFound, begun},
	} {
		t.Run(name, func(t *testing.T) {
			l, done := &log{errs: tt.log}, false
			ctx, cancel := context.WithCancel(t.Context())
			err := audit.Do(ctx, l, d, now, func(context.Context) error {
				if done = true; !slices.Equal(l.outcomes(), begun) {
					t.Errorf("before it is done the log has %v", l.outcomes())
				}
				cancel() // as where a request's time is over
				return tt.do
			})
			cancel()
			if done != tt.done || !slices.Equal(l.outcomes(), tt.want) {
				t.Errorf("done %t, the log has %v", done, l.outcomes())
			}
			if (err == nil) != (tt.code == "") || err != nil && survey.CodeOf(err) != tt.code {
				t.Errorf("error %v, want %q", err, tt.code)
			}
			if tt.do != nil && !errors.Is(err, tt.do) {
				t.Errorf("error %v, want that of the deed", err)
			}
			if n := len(l.deeds); n == 2 && (l.deeds[1].Of != d.ID || !l.deeds[1].At.After(d.At)) {
				t.Errorf("the failure is %+v", l.deeds[1])
			}
		})
	}
}
