// Package send is the function that asks: it takes asks that are due from the
// queue, decides a last time whether the contact may be asked, sends the message
// and keeps what became of it.
//
// Messages come at least once, in any order, and the function may end at any
// point. Still each ask is made once, its turn is taken once, and its message is
// sent once, but for one window: where the function ended, or nothing was heard,
// between handing a message to the mail or SMS service and keeping that it was
// sent, nobody knows whether it was, and after the queue's visibility time it is
// sent again. Each time that happens a line of the log says so. A reminder, of
// which nobody misses one, is not sent again there.
package send

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// Store keeps contacts, asks and decisions; see the methods of [store.Store].
type Store interface {
	Contact(ctx context.Context, id string) (*survey.Contact, error)
	TakeTurn(ctx context.Context, t store.Turn) error
	Ask(ctx context.Context, id string) (*survey.Ask, error)
	CreateAsk(ctx context.Context, a *survey.Ask) error
	TryAsk(ctx context.Context, id string, last, at time.Time) error
	ReleaseAsk(ctx context.Context, id string, at time.Time) error
	RefuseAsk(ctx context.Context, id string, at time.Time) error
	MarkSent(ctx context.Context, id string, at time.Time) error
	MarkReminded(ctx context.Context, id string, at time.Time) error
	ReleaseReminder(ctx context.Context, id string, at time.Time) error
	PutDecision(ctx context.Context, d survey.Decision) error
}

// Catalog knows the touchpoints and the rules; see [store.Catalog]. What it
// returns must not be changed.
type Catalog interface {
	All(ctx context.Context) ([]*survey.Touchpoint, error)
	Touchpoint(ctx context.Context, id string) (*survey.Touchpoint, error)
	Series(ctx context.Context, k store.SeriesKey) (*survey.Touchpoint, error)
	Rulebook(ctx context.Context) (*asking.Rulebook, error)
}

// Schedules puts asks into the queue later.
type Schedules interface {
	// At has an ask arrive at a moment, or soon where that is past. It changes
	// nothing and returns nil where one of that name waits already.
	At(ctx context.Context, at time.Time, name string, a queue.Ask) error
}

// Queue is where the messages come from.
type Queue interface {
	// Delay has a message that is reported as failed come again after a time.
	Delay(ctx context.Context, receiptHandle string, d time.Duration) error
}

// Transport hands messages of one channel to the service that delivers them.
type Transport interface {
	// Send returns the service's own id of the message. It tries once. The
	// error is [survey.Invalid] where the service refuses the message for good,
	// [survey.Unavailable] where it was surely not sent and may be later, and
	// any other where nobody knows whether it was sent.
	Send(ctx context.Context, m message.Message) (id string, err error)
}

// Handler takes messages from the queue of asks. It is safe for concurrent use.
type Handler struct {
	Store     Store
	Catalog   Catalog
	Schedules Schedules
	Queue     Queue
	// Transports are by channel. What would go by a channel that has none is
	// refused as [survey.Undeliverable], before the contact's turn is taken.
	Transports map[survey.Channel]Transport
	Secret     []byte // that ids of asks are made with
	// Replies is whether text messages can be replied to.
	Replies   bool
	PublicURL string // where customers reach Pulssi, without a slash at its end
	Pace      *Pace  // nil for as fast as can be
	// DryRun is whether all is decided and written, and nothing sent. What
	// would have been sent is told in the log, leaves no trace else, and is
	// gone from the queue.
	DryRun  bool
	Metrics *obs.Metrics // nil for none
	Now     func() time.Time
}

const (
	// attemptTime is kept back from the invocation's time, so that what has
	// begun can be ended: a call to the mail or SMS service takes up to 9 s
	// (package awsenv), and what came of it is kept in milliseconds.
	attemptTime = 12 * time.Second
	// firstDelay is how long a message that failed stays away the first time,
	// and maxDelay the longest.
	firstDelay = 30 * time.Second
	maxDelay   = time.Hour
)

// visibility is after how long an attempt is over whose end nobody has heard:
// its message has been handed out again, or could have been.
var visibility = time.Duration(topology.Asks.VisibilitySeconds) * time.Second

var (
	errMalformed = errors.New("the message is no ask, and never will be")
	errBusy      = errors.New("another invocation may be at the same ask")
	errEarly     = errors.New("the ask may be sent in a moment")
)

// Handle takes a batch. Messages that were not dealt with are reported, and come
// again: what failed after a time that doubles with each time it was received,
// from 30 s to an hour; what another invocation may be at, or what is malformed,
// when the queue's visibility time is over. What comes too often goes to the
// dead-letter queue. The error is always nil.
func (h *Handler) Handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-attemptTime))
		defer cancel()
	}
	var resp events.SQSEventResponse
	for _, m := range e.Records {
		err := ctx.Err()
		if err == nil {
			err = h.message(ctx, m.Body)
		}
		if err == nil {
			continue
		}
		slog.ErrorContext(ctx, "message comes again", "message", m.MessageId, "error", err.Error())
		resp.BatchItemFailures = append(resp.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		if errors.Is(err, errMalformed) || errors.Is(err, errBusy) || ctx.Err() != nil {
			continue
		}
		if !errors.Is(err, errEarly) {
			h.Metrics.Put(ctx, nil, obs.SendFailures.Is(1))
		}
		if err := h.Queue.Delay(ctx, m.ReceiptHandle, delay(m.Attributes["ApproximateReceiveCount"])); err != nil {
			slog.WarnContext(ctx, "message comes again sooner than it should", "message", m.MessageId, "error", err.Error())
		}
	}
	return resp, nil
}

// delay returns for how long a message stays away that was received so often.
func delay(receives string) time.Duration {
	d := firstDelay
	n, _ := strconv.Atoi(receives) // SQS tells a number; without one it is the first time
	for ; n > 1 && d < maxDelay; n-- {
		d *= 2
	}
	return min(d, maxDelay)
}

func (h *Handler) message(ctx context.Context, body string) error {
	a, err := queue.DecodeAsk([]byte(body))
	if err != nil {
		return errMalformed // the cause may quote what somebody wrote
	}
	if a.Reminder {
		err = h.remind(ctx, a)
	} else {
		err = h.ask(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("asking contact %s at %s: %w", survey.Fingerprint(a.Contact), a.Touchpoint, err)
	}
	return nil
}
