// Package audit has what administrators do written down before it is done.
package audit

import (
	"context"
	"log/slog"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Log keeps entries, and changes none that it has.
type Log interface {
	// Record adds an entry. It is there when Record returns nil; after an error it
	// may be. A repeat is harmless.
	Record(ctx context.Context, d survey.AuditEntry) error
}

// Do does what an entry says, after it was recorded: where it cannot be, nothing
// is done, and the error is [survey.Internal], whatever the log's is.
// Where it fails, the log is told that too, even though ctx is over, and the
// error is do's own; where the log cannot be told, a line in the process's own
// log says so, with ids alone. So the audit log may have what was begun and not
// done (with no word of the failure where this process or the log died), and
// never lacks what was done.
func Do(ctx context.Context, log Log, e survey.AuditEntry, now func() time.Time, do func(context.Context) error) error {
	if err := log.Record(ctx, e); err != nil {
		return &survey.Error{Code: survey.Internal, Message: "nothing was done, as it could not be recorded", Err: err}
	}
	err := do(ctx)
	if err == nil {
		return nil
	}
	if lost := log.Record(context.WithoutCancel(ctx), e.Failure(now())); lost != nil {
		slog.ErrorContext(ctx, "the audit log has something that failed as done", "entry", e.ID, "action", e.Action, "error", lost.Error())
	}
	return err
}
