// Package plan is the function that decides who is due to be asked: every hour
// those whose turn has come in a cadence, and after a business event the person
// it happened to. What is due now goes into the queue of asks, what is due later
// into a schedule; send decides a last time and asks. Who is not asked, and why,
// is kept as a decision.
//
// Ticks and events come at least once, in any order, perhaps two at a time, and
// the function may end at any point. All it does can be repeated: an ask that is
// queued twice is sent once, a decision is replaced by the same one, and how far
// the cadences are planned is written down only when everything is queued.
package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// Store keeps contacts, decisions, and how far the cadences are planned; see the
// methods of [store.Store].
type Store interface {
	Contact(ctx context.Context, id string) (*survey.Contact, error)
	ContactsByID(ctx context.Context, ids []string) (map[string]*survey.Contact, error)
	FindContact(ctx context.Context, field, value string) (*survey.Contact, error)
	Upsert(ctx context.Context, rows []survey.Details, now time.Time) ([]store.Outcome, error)
	EachOfCohort(ctx context.Context, cohort int, zone string, yield func(ids []string) error) error
	Zones(ctx context.Context) ([]string, error)
	Decision(ctx context.Context, contact, touchpoint string, o survey.Occasion) (survey.Decision, error)
	PutDecision(ctx context.Context, d survey.Decision) error
	PutDecisions(ctx context.Context, ds []survey.Decision) error
	Planned(ctx context.Context) (store.Planned, error)
	PutPlanned(ctx context.Context, was, p store.Planned) error
}

// Catalog knows the touchpoints and the rules; see [store.Catalog]. What it
// returns must not be changed.
type Catalog interface {
	All(ctx context.Context) ([]*survey.Touchpoint, error)
	Rulebook(ctx context.Context) (*asking.Rulebook, error)
}

// Queue takes the asks that are due.
type Queue interface {
	// SendAsks queues any number of asks. After an error some of them may be
	// queued.
	SendAsks(ctx context.Context, asks []queue.Ask) error
}

// Schedules puts asks into the queue later.
type Schedules interface {
	// At has an ask arrive at a moment. It changes nothing and returns nil where
	// one of that name waits already.
	At(ctx context.Context, at time.Time, name string, a queue.Ask) error
}

// Refused keeps what can never be planned, for people to look at.
type Refused interface {
	SendRefused(ctx context.Context, body []byte, reason string) error
}

// Handler plans. It is safe for concurrent use.
type Handler struct {
	Store     Store
	Catalog   Catalog
	Queue     Queue
	Schedules Schedules
	Refused   Refused
	Now       func() time.Time
}

// stopTime is kept back from the invocation's time, so that what has begun can
// be ended and what is done written down.
const stopTime = 20 * time.Second

// Handle plans for an hour or an event: body is {"tick": "2026-11-21T09:00:00Z"},
// or an EventBridge event whose detail is a business event (package events).
// What is neither, or can never be planned, is put into the queue of refused
// events with the reason, and is no error: it would be the same when it came
// again. After an error the same body is to be handled again.
func (h *Handler) Handle(ctx context.Context, body json.RawMessage) error {
	var in struct {
		Tick       json.RawMessage `json:"tick"`
		DetailType *string         `json:"detail-type"`
	}
	err := json.Unmarshal(body, &in)
	switch {
	case err == nil && in.Tick != nil && in.DetailType == nil:
		var at time.Time
		if at, err = readTick(body); err == nil {
			return h.tick(ctx, at)
		}
	case err == nil && in.DetailType != nil && in.Tick == nil:
		var e envelope
		if e, err = readEvent(body); err == nil {
			return h.event(ctx, body, e)
		}
	default:
		err = refusal("is neither a tick nor an event of EventBridge")
	}
	return h.refuse(ctx, body, err)
}

// refusal is why a body can never be planned. It holds nothing of what the body
// says of a person.
type refusal string

func (r refusal) Error() string { return string(r) }

// refuse puts what can never be planned where people find it. ids are what the
// log may name of it.
func (h *Handler) refuse(ctx context.Context, body []byte, why error, ids ...any) error {
	slog.WarnContext(ctx, "refused", append(ids, "reason", why.Error())...)
	if err := h.Refused.SendRefused(ctx, body, why.Error()); err != nil {
		return fmt.Errorf("refusing what came: %w", err)
	}
	return nil
}

// readTick reads the moment of a tick.
func readTick(body []byte) (time.Time, error) {
	var in struct {
		Tick time.Time `json:"tick"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || in.Tick.IsZero() {
		return time.Time{}, refusal(`is no tick, which is {"tick": "2026-11-21T09:00:00Z"}`)
	}
	return in.Tick, nil
}

// found is nil where the error is that there is no such thing.
func found(err error) (bool, error) {
	if err != nil && survey.CodeOf(err) == survey.NotFound {
		return false, nil
	}
	return err == nil, err
}

// errUnfinished is why a tick ended before it was done.
var errUnfinished = errors.New("the time is up before everybody due was queued, the next try goes on from here")
