package audit_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/audit"
	"github.com/pulssi/pulssi/shared/survey"
)

// log is an audit log in memory, which fails as it is told.
type log struct {
	entries []survey.AuditEntry
	errs    []error // of each call; nil after them
}

func (l *log) Record(ctx context.Context, e survey.AuditEntry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var err error
	if len(l.errs) > 0 {
		err, l.errs = l.errs[0], l.errs[1:]
	}
	if err == nil {
		l.entries = append(l.entries, e)
	}
	return err
}

func (l *log) outcomes() (out []survey.Outcome) {
	for _, e := range l.entries {
		out = append(out, e.Outcome)
	}
	return out
}

func TestDo(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) }
	e, err := survey.NewAuditEntry("u1", "admin", survey.ShareDelete, survey.NewID(), 1, nil, now())
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
		lost bool // a line says that the failure is not in the log
	}{
		"done":                      {nil, nil, true, "", begun, false},
		"failed":                    {nil, none, true, survey.NotFound, append(begun, survey.Failed), false},
		"not recorded":              {[]error{down}, nil, false, survey.Internal, nil, false},
		"refused by the log":        {[]error{survey.Errorf(survey.Invalid, "who", "who must be somebody")}, nil, false, survey.Internal, nil, false},
		"failed, and so is the log": {[]error{nil, down}, none, true, survey.NotFound, begun, true},
	} {
		t.Run(name, func(t *testing.T) {
			var lines bytes.Buffer
			was := slog.Default()
			slog.SetDefault(slog.New(slog.NewTextHandler(&lines, nil)))
			t.Cleanup(func() { slog.SetDefault(was) })
			l, done := &log{errs: tt.log}, false
			ctx, cancel := context.WithCancel(t.Context())
			err := audit.Do(ctx, l, e, now, func(context.Context) error {
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
			said := lines.String()
			if tt.lost != (said != "") || tt.lost && (strings.Count(said, "\n") != 1 || !strings.Contains(said, "entry="+e.ID+" action=share.delete error=down")) {
				t.Errorf("it is logged that %q", said)
			}
			if tt.do != nil && !errors.Is(err, tt.do) {
				t.Errorf("error %v, want that of what was done", err)
			}
			if n := len(l.entries); n == 2 && (l.entries[1].Of != e.ID || !l.entries[1].At.After(e.At)) {
				t.Errorf("the failure is %+v", l.entries[1])
			}
		})
	}
}
