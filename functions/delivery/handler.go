// Package delivery is the function that hears what became of messages: the
// notices of SES, which come over EventBridge, and the replies to text messages,
// which come over SNS. It marks asks and contacts, so that an address that takes
// no messages gets none, and a person who says stop is left alone.
//
// Everything comes at least once and in any order; taking it again changes
// nothing.
package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/survey"
)

// Store keeps asks and contacts; see the methods of store.Store.
type Store interface {
	Ask(ctx context.Context, id string) (*survey.Ask, error)
	AsksOf(ctx context.Context, contact string) ([]*survey.Ask, error)
	Answer(ctx context.Context, id string, in survey.Answer, now time.Time) (*survey.Ask, error)
	KeepReply(ctx context.Context, a *survey.Ask, comment string, at time.Time) error
	MarkDelivered(ctx context.Context, id string, at time.Time) error
	MarkBounced(ctx context.Context, id string, at time.Time) error
	FindContact(ctx context.Context, field, value string) (*survey.Contact, error)
	NoteBounces(ctx context.Context, id string, ch survey.Channel, change func(*survey.Contact, survey.Bounces) survey.Bounces, now time.Time) error
	OptOut(ctx context.Context, id string, channels []survey.Channel, back bool, now time.Time) (*survey.Contact, error)
}

// Handler takes notices and replies. It is safe for concurrent use.
type Handler struct {
	Store   Store
	Metrics *obs.Metrics // nil for none
	Now     func() time.Time
}

// errForeign is what is neither a notice nor a reply: a mistake in what invokes
// the function.
var errForeign = errors.New("the event is neither a notice of SES nor a message of SNS")

// Handle takes one event of EventBridge, or the messages of one of SNS. An error
// makes Lambda try again, twice, and then put the event into the function's
// dead-letter queue. What can never be used, such as a notice about a message
// nobody here sent, is told in the log and forgotten.
func (h *Handler) Handle(ctx context.Context, raw json.RawMessage) error {
	var event struct {
		DetailType string                  `json:"detail-type"`
		Detail     json.RawMessage         `json:"detail"`
		Records    []events.SNSEventRecord `json:"Records"`
	}
	if err := json.Unmarshal(raw, &event); err != nil {
		return fmt.Errorf("%w: %w", errForeign, err)
	}
	switch {
	case event.DetailType != "":
		return h.notice(ctx, event.Detail)
	case len(event.Records) > 0:
		var errs []error
		for _, r := range event.Records {
			if err := h.reply(ctx, r.SNS.Message); err != nil {
				errs = append(errs, fmt.Errorf("message %s: %w", r.SNS.MessageID, err))
			}
		}
		return errors.Join(errs...)
	default:
		return errForeign
	}
}

// passOver tells what cannot be used. There is nothing in it about a person.
func passOver(ctx context.Context, why string, args ...any) {
	slog.WarnContext(ctx, "passed over: "+why, args...)
}
