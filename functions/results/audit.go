package results

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/audit"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// Audit is the audit log.
type Audit interface {
	audit.Log
	// AuditEntries returns a page of it, the newest first, and the cursor of the
	// next, "" where there is no more. The error is [survey.Invalid] on a cursor
	// that is none.
	AuditEntries(ctx context.Context, q store.AuditQuery) ([]survey.AuditEntry, string, error)
}

// change is what a request is about to do.
type change struct {
	action        survey.Action // "" where everything is like that already
	subject       string
	before, after any // nil for none
	// do does it, and nothing else than what the change says.
	do func(context.Context) (apigw.Response, error)
	// again is whether the change is made anew where somebody else wrote
	// meanwhile: the client has named no version.
	again bool
}

// changeTries is how often a change is made anew.
const changeTries = 3

// recorded answers a request that changes something, or takes data out. describe
// says what it is about to do, and does nothing. Then the audit log is told, and
// then it is done: where the log cannot be told, nothing is (500). Where it
// fails, the log is told that as well. So the log may have what was not done in
// the end, and never lacks what was.
func recorded(describe func(*Handler, context.Context, *call) (change, error)) func(*Handler, context.Context, *call) (apigw.Response, error) {
	return func(h *Handler, ctx context.Context, r *call) (apigw.Response, error) {
		for try := 1; ; try++ {
			c, err := describe(h, ctx, r)
			if err != nil {
				return apigw.Response{}, err
			}
			resp, err := h.record(ctx, r, c)
			if err == nil || !c.again || !wroteMeanwhile(err) || try == changeTries {
				return resp, err
			}
		}
	}
}

// record does a change once it is recorded.
func (h *Handler) record(ctx context.Context, r *call, c change) (resp apigw.Response, err error) {
	if c.action == "" {
		return c.do(ctx)
	}
	e, err := survey.NewAuditEntry(r.who.ID, string(r.who.Role), c.action, c.subject, c.before, c.after, h.Now())
	if err != nil {
		return apigw.Response{}, err
	}
	err = audit.Do(ctx, h.Audit, e, h.Now, func(ctx context.Context) error {
		var err error
		resp, err = c.do(ctx)
		return err
	})
	return resp, err
}

// wroteMeanwhile reports whether err is that a version is in force no more.
func wroteMeanwhile(err error) bool {
	e, ok := errors.AsType[*survey.Error](err)
	return ok && e.Code == survey.Conflict && e.Field == "version"
}

// entriesInPage is how many entries of the log are in an answer, at most.
const entriesInPage = 50

// auditEntry is an entry of the log in an answer.
type auditEntry struct {
	ID      string          `json:"id"`
	At      time.Time       `json:"at"`
	Who     string          `json:"who"`
	Role    string          `json:"role"`
	Action  survey.Action   `json:"action"`
	Subject *string         `json:"subject"` // null for none
	Before  json.RawMessage `json:"before"`  // null for none
	After   json.RawMessage `json:"after"`   // null for none
	Outcome survey.Outcome  `json:"outcome"`
	Of      *string         `json:"of"` // null but where it failed
}

func newAuditEntry(e survey.AuditEntry) auditEntry {
	text := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	return auditEntry{
		ID: e.ID, At: e.At, Who: e.Who, Role: e.Role, Action: e.Action, Subject: text(e.Subject),
		Before: e.Before, After: e.After, Outcome: e.Outcome, Of: text(e.Of),
	}
}

// auditLog is the answer to GET /api/audit.
type auditLog struct {
	Entries []auditEntry `json:"entries"` // the newest first
	Cursor  *string      `json:"cursor"`  // of the next page; null on the last
}

// readAudit answers with a page of the audit log. A subject is looked for as it
// is, and as its fingerprint, so that whoever knows a contact's id finds what
// was done to it.
func (h *Handler) readAudit(ctx context.Context, r *call) (apigw.Response, error) {
	values, err := onceEach(r.RawQueryString, "from", "to", "subject", "action", "cursor")
	if err != nil {
		return apigw.Response{}, err
	}
	from, to, err := h.days(values)
	if err != nil {
		return apigw.Response{}, err
	}
	q := store.AuditQuery{From: h.midnight(from), To: h.midnight(to), Cursor: values.Get("cursor"), Limit: entriesInPage}
	if values.Has("cursor") && q.Cursor == "" {
		return apigw.Response{}, survey.Errorf(survey.Invalid, "cursor", "cursor must not be empty")
	}
	if values.Has("action") {
		if q.Action = survey.Action(values.Get("action")); !slices.Contains(survey.Actions(), q.Action) {
			return apigw.Response{}, survey.Errorf(survey.Invalid, "action", "action must be one of %s", actionNames())
		}
	}
	if values.Has("subject") {
		subject := values.Get("subject")
		if len(subject) < 1 || len(subject) > survey.MaxAuditSubject {
			return apigw.Response{}, survey.Errorf(survey.Invalid, "subject", "subject must be 1 to %d characters", survey.MaxAuditSubject)
		}
		q.Subjects = []string{subject, survey.Fingerprint(subject)}
	}
	found, next, err := h.Audit.AuditEntries(ctx, q)
	if err != nil {
		return apigw.Response{}, err
	}
	out := auditLog{Entries: make([]auditEntry, 0, len(found))}
	for _, e := range found {
		out.Entries = append(out.Entries, newAuditEntry(e))
	}
	if next != "" {
		out.Cursor = &next
	}
	return tagged(r, out), nil
}

func actionNames() string {
	names := make([]string, len(survey.Actions()))
	for i, a := range survey.Actions() {
		names[i] = string(a)
	}
	return strings.Join(names, ", ")
}
