package store

import (
	"context"
	"fmt"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// TryAsk claims an ask for an attempt to send it that begins at a time. last is
// the ask's [survey.Ask.TriedAt] as the caller has read it. Of all callers that
// have read the same, one gets nil and the others [survey.Conflict]; so does
// whoever comes after the ask was sent or refused for good, or is gone. A
// caller whose first reply was lost gets it too, and must take the attempt for
// somebody else's.
func (s *Store) TryAsk(ctx context.Context, id string, last, at time.Time) error {
	e := newExpression()
	e.set("triedAt", millis(at))
	cond := e.exists() + " AND " + e.notExists("sentAt") + " AND " + e.notExists("refusedAt") + " AND "
	if last.IsZero() {
		cond += e.notExists("triedAt")
	} else {
		cond += e.is("triedAt", "=", millis(last))
	}
	return s.changeAsk(ctx, id, e, cond, "claiming")
}

// ReleaseAsk takes the claim of [Store.TryAsk], or of the ask's creation, back:
// the attempt that began at a time surely did not get through. It returns
// [survey.Conflict], and changes nothing, where there is no such claim.
func (s *Store) ReleaseAsk(ctx context.Context, id string, at time.Time) error {
	e := newExpression()
	e.remove("triedAt")
	return s.changeAsk(ctx, id, e, e.is("triedAt", "=", millis(at)), "releasing")
}

// RefuseAsk keeps that the mail or SMS service refused an ask for good. A
// repetition changes nothing but the time. It returns [survey.Conflict] where
// the ask is gone or was sent.
func (s *Store) RefuseAsk(ctx context.Context, id string, at time.Time) error {
	e := newExpression()
	e.set("refusedAt", millis(at))
	return s.changeAsk(ctx, id, e, e.exists()+" AND "+e.notExists("sentAt"), "refusing")
}

// ReleaseReminder takes back that the contact was reminded at a time: the
// reminder surely did not get through. It returns [survey.Conflict], and
// changes nothing, where there is no such reminder.
func (s *Store) ReleaseReminder(ctx context.Context, id string, at time.Time) error {
	e := newExpression()
	e.remove("remindedAt")
	return s.changeAsk(ctx, id, e, e.is("remindedAt", "=", millis(at)), "releasing the reminder of")
}

func (s *Store) changeAsk(ctx context.Context, id string, e *expression, cond, doing string) error {
	old, err := s.mark(ctx, id, e, cond)
	if err != nil {
		return fmt.Errorf("%s an ask: %w", doing, err)
	}
	if old != nil {
		return survey.Errorf(survey.Conflict, "id", "the question is not in the state that it was")
	}
	return nil
}
