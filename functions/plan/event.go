package plan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/address"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
)

const (
	// soon is how far ahead an ask is still queued: a schedule is no more exact.
	soon = time.Minute
	// ahead is how much the clock of whoever tells of an event may be ahead.
	ahead = 24 * time.Hour
)

// envelope is what EventBridge puts around a business event.
type envelope struct {
	DetailType string          `json:"detail-type"`
	Time       time.Time       `json:"time"`
	Detail     json.RawMessage `json:"detail"`
}

func readEvent(body []byte) (envelope, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil || len(e.Detail) == 0 {
		return envelope{}, refusal("is no event of EventBridge with a detail-type, a time and a detail")
	}
	return e, nil
}

// decode reads the business event. Its type and time may be left to the
// envelope; a type that is given must be the envelope's, by which rules of the
// bus go. Its id may not: EventBridge makes a new one each time the same event
// is put on the bus, so only the company's own makes a repeat harmless.
func (e envelope) decode() (events.Event, error) {
	detail := e.Detail
	var o map[string]json.RawMessage
	if err := json.Unmarshal(detail, &o); err == nil && o != nil && (o["type"] == nil || o["time"] == nil && !e.Time.IsZero()) {
		fill := map[string]any{"type": e.DetailType}
		if !e.Time.IsZero() {
			fill["time"] = e.Time
		}
		for name, v := range fill {
			if o[name] != nil {
				continue
			}
			b, err := json.Marshal(v)
			if err != nil {
				return events.Event{}, fmt.Errorf("writing the %s of an event: %w", name, err)
			}
			o[name] = b
		}
		if detail, err = json.Marshal(o); err != nil {
			return events.Event{}, fmt.Errorf("completing an event: %w", err)
		}
	}
	out, err := events.Decode(detail)
	if broken, ok := errors.AsType[*events.Error](err); ok {
		return events.Event{}, refusal(broken.Message)
	}
	if err == nil && out.Type != e.DetailType {
		return events.Event{}, refusal("type must be the detail-type of the event")
	}
	return out, err
}

// event plans the asks about a business event: of every touchpoint that listens
// to its type and whose conditions its data meet. Where there is none, nothing
// is kept of the person. They may be several; which of them is sent, the rest
// between asks decides then.
func (h *Handler) event(ctx context.Context, body []byte, envelope envelope) error {
	e, err := envelope.decode()
	if why, ok := errors.AsType[refusal](err); ok {
		return h.refuse(ctx, body, why)
	} else if err != nil {
		return err
	}
	ids := []any{"type", e.Type, "event", survey.Fingerprint(e.ID)}
	if err := h.about(ctx, e); err != nil {
		if why, ok := errors.AsType[refusal](err); ok {
			return h.refuse(ctx, body, why, ids...)
		}
		return fmt.Errorf("planning for %s %s: %w", e.Type, survey.Fingerprint(e.ID), err)
	}
	return nil
}

// about plans the asks about an event. The error is a refusal where the event
// can never be planned.
func (h *Handler) about(ctx context.Context, e events.Event) error {
	all, err := h.Catalog.All(ctx)
	if err != nil {
		return err
	}
	var listening []*survey.Touchpoint
	for _, t := range all {
		if g := t.Trigger; g != nil && g.Event == e.Type && asking.Matches(g.When, e.Data) {
			listening = append(listening, t)
		}
	}
	if len(listening) == 0 {
		return nil
	}
	now := h.Now()
	if e.Time.After(now.Add(ahead)) {
		return refusal("time must not be in the future")
	}
	book, err := h.Catalog.Rulebook(ctx)
	if err != nil {
		return err
	}
	c, err := h.person(ctx, e, book.Rules().Country, now)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return fmt.Errorf("the zone of contact %s: %w", survey.Fingerprint(c.ID), err)
	}
	for _, t := range listening {
		d, err := h.Store.Decision(ctx, c.ID, t.ID, asking.OccasionOf(e.Type, e.ID))
		switch known, err := found(err); {
		case err != nil:
			return err
		case known && d.Verdict != survey.Planned:
			continue // a repeat
		case !known:
			d = decide(book, asking.Question{
				Contact: c, Touchpoint: t, Cadences: all, Occasion: asking.OccasionOf(e.Type, e.ID),
				Due: e.Time.Add(time.Duration(t.Trigger.Delay)).UTC(), Now: now, Zone: zone,
			})
			// Kept before the ask is queued: what send keeps of it comes after.
			if err := h.Store.PutDecision(ctx, d); err != nil {
				return err
			}
		}
		if d.Verdict == survey.Planned {
			if err := h.give(ctx, d, e, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// person returns the contact an event is about. One that it names by its id
// stays as it is; else the contact learns what the event tells, or is new.
func (h *Handler) person(ctx context.Context, e events.Event, country string, now time.Time) (*survey.Contact, error) {
	id := e.Contact.ID
	if id == "" {
		d := survey.Details{
			Ref: e.Contact.Ref, Email: e.Contact.Email, Phone: e.Contact.Phone,
			FirstName: e.Contact.FirstName, LastName: e.Contact.LastName, Company: e.Contact.Company,
			Locale: e.Contact.Locale, Zone: e.Contact.Zone, Segments: e.Contact.Segments,
		}
		var why []string
		for _, err := range address.Clean(&d, country) {
			why = append(why, told(err))
		}
		if d.Email == "" && d.Phone == "" { // nobody new can be reached like that
			known := false
			if d.Ref != "" {
				_, err := h.Store.FindContact(ctx, "ref", d.Ref)
				if known, err = found(err); err != nil {
					return nil, err
				}
			}
			if !known {
				return nil, refusal(strings.Join(append(why, "contact is not known and has no address"), "; "))
			}
		}
		out, err := h.Store.Upsert(ctx, []survey.Details{d}, now)
		if err != nil {
			return nil, err
		}
		for _, p := range out[0].Problems {
			why = append(why, "contact: "+p.Message)
		}
		if id = out[0].Contact; id == "" {
			return nil, refusal(strings.Join(why, "; "))
		}
		if len(why) > 0 {
			slog.WarnContext(ctx, "details were not taken", "type", e.Type, "event", survey.Fingerprint(e.ID), "contact", survey.Fingerprint(id), "problems", why)
		}
	}
	c, err := h.Store.Contact(ctx, id)
	if there, err := found(err); err != nil || !there && e.Contact.ID == "" {
		return nil, errors.Join(err, errGone)
	} else if !there {
		return nil, refusal("contact.id is of no contact")
	}
	return c, err
}

// told says what is wrong with a detail, without the detail.
func told(err error) string {
	if e, ok := errors.AsType[*survey.Error](err); ok {
		return "contact: " + e.Message
	}
	return "contact: an address cannot be read"
}

// errGone is when a contact is deleted while an event about it is planned. The
// next try adds it anew.
var errGone = errors.New("the contact has gone meanwhile")

// decide decides an occasion as of the moment at which the ask is to be sent,
// by what is known now: a rest that will be over by then, or a touchpoint that
// is stopped and may go on by then, is for send to look at. The moment is Due of
// a decision to ask.
func decide(book *asking.Rulebook, q asking.Question) survey.Decision {
	now, due := q.Now, q.Due
	at, ok := book.Next(q.Touchpoint.Trigger, q.Zone, later(due, now))
	if !ok {
		at = later(due, now) // no day of the next year is open, which send tells
	}
	going := *q.Touchpoint
	going.Stopped = false
	q.Touchpoint, q.Now = &going, at
	d := book.Decide(q)
	d.At = now
	if d.Verdict == survey.Planned {
		d.Due = at.UTC()
	}
	return d
}

// give queues the ask that was decided, or schedules it.
func (h *Handler) give(ctx context.Context, d survey.Decision, e events.Event, now time.Time) error {
	a := queue.Ask{Touchpoint: d.Touchpoint, Contact: d.Contact, Occasion: d.Occasion, Due: d.Due, At: e.Time.UTC()}
	// Of a type whose data have none they are "".
	a.Ref, _ = e.Data["ref"].(string)
	a.About, _ = e.Data["about"].(string)
	if d.Due.After(now.Add(soon)) {
		return h.Schedules.At(ctx, d.Due, scheduleName(a), a)
	}
	return h.Queue.SendAsks(ctx, []queue.Ask{a})
}

// scheduleName names the schedule of an ask by all that makes it one. It tells
// nothing of the ask's id.
func scheduleName(a queue.Ask) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s", a.Touchpoint, a.Occasion, a.Contact))
	return "plan-" + hex.EncodeToString(sum[:16])
}
