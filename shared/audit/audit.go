// Package audit has what administrators do written down before it is done. It
// is pure.
package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Log keeps deeds, and changes none that it has.
type Log interface {
	// Record adds a deed. It is there when Record returns nil; after an error it
	// may be. A repeat is harmless.
	Record(ctx context.Context, d survey.Deed) error
}

// Do does what a deed says, after it was recorded: where it cannot be, nothing
// is done, and the error is [survey.Internal], whatever the log's is.
// Where it fails, the log is told that too, even though ctx is over, and the
// error is do's own. So the log may have what was begun and not done (with no
// word of the failure where this process or the log died), and never lacks what
// was done.
func Do(ctx context.Context, log Log, d survey.Deed, now func() time.Time, do func(context.Context) error) error {
	if err := log.Record(ctx, d); err != nil {
		return &survey.Error{Code: survey.Internal, Message: "nothing was done, as it could not be recorded", Err: err}
	}
	err := do(ctx)
	if err == nil {
		return nil
	}
	if lost := log.Record(context.WithoutCancel(ctx), d.Failure(now())); lost != nil {
		return errors.Join(err, fmt.Errorf("recording that %s failed: %w", d.ID, lost))
	}
	return err
}
