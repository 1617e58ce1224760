package send

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// matter is a message and what is known of it now.
type matter struct {
	queue.Ask
	id         string // of the ask
	book       *asking.Rulebook
	all        []*survey.Touchpoint
	touchpoint *survey.Touchpoint // nil where there is none any more
	contact    *survey.Contact    // nil where there is none any more
	zone       *time.Location     // of the contact
}

func (h *Handler) askID(a queue.Ask) string {
	return survey.AskID(h.Secret, a.Touchpoint, string(a.Occasion), a.Contact)
}

func (h *Handler) matter(ctx context.Context, a queue.Ask) (*matter, error) {
	m := &matter{Ask: a, id: h.askID(a)}
	var err error
	if m.book, err = h.Catalog.Rulebook(ctx); err != nil {
		return nil, err
	}
	if m.all, err = h.Catalog.All(ctx); err != nil {
		return nil, err
	}
	if m.touchpoint, err = found(h.Catalog.Touchpoint(ctx, a.Touchpoint)); err != nil {
		return nil, err
	}
	if m.contact, err = found(h.Store.Contact(ctx, a.Contact)); err != nil {
		return nil, err
	}
	zone := m.book.Rules().Zone
	if m.contact != nil {
		zone = cmp.Or(m.contact.Zone, zone)
	}
	if m.zone, err = time.LoadLocation(zone); err != nil {
		return nil, fmt.Errorf("the zone of contact %s: %w", survey.Fingerprint(a.Contact), err)
	}
	return m, nil
}

// found makes nil of what is not there.
func found[T any](v *T, err error) (*T, error) {
	if survey.CodeOf(err) == survey.NotFound && err != nil {
		return nil, nil
	}
	return v, err
}

// decide decides the occasion, or the reminder of it. An ask that was made
// before keeps its channel; "" is for none.
func (m *matter) decide(o survey.Occasion, channel survey.Channel, now time.Time) survey.Decision {
	t := m.touchpoint
	if t != nil && channel != "" {
		only := *t
		only.Channels = []survey.Channel{channel}
		t = &only
	}
	d := m.book.Decide(asking.Question{
		Contact: m.contact, Touchpoint: t, Cadences: m.all,
		Occasion: o, Due: m.Due, Now: now, Ask: m.id, Zone: m.zone,
	})
	d.Contact, d.Touchpoint = m.Contact, m.Touchpoint // also where there is none any more
	return d
}

// moment returns when, from t on, the contact may be sent something.
func (m *matter) moment(t time.Time) (time.Time, bool) {
	if m.book.Sendable(m.touchpoint.Trigger, m.zone, t) {
		return t, true
	}
	return m.book.Next(m.touchpoint.Trigger, m.zone, t)
}

// postpone has the message come again at the next moment at which it may be
// sent, and keeps that. d is the decision to send it. Where the moment is close,
// the message stays in the queue: its schedule for that very moment may have
// brought it, by a clock that is ahead, and still be there, so that another of
// its name would not be made.
func (h *Handler) postpone(ctx context.Context, m *matter, d survey.Decision) error {
	at, ok := m.book.Next(m.touchpoint.Trigger, m.zone, d.At)
	if !ok {
		return h.refuse(ctx, d, survey.TooLate) // no day of the next year is open
	}
	if at.Sub(d.At) < firstDelay {
		return errEarly
	}
	if err := h.Schedules.At(ctx, at, m.scheduleName(at), m.Ask); err != nil {
		return err
	}
	d.Due = at
	return h.Store.PutDecision(ctx, d)
}

// refuse keeps that the contact is not asked, for a reason that Decide does not
// know.
func (h *Handler) refuse(ctx context.Context, d survey.Decision, why survey.Reason) error {
	d.Verdict, d.Reason, d.Channel = survey.Refused, why, ""
	d.Other, d.Until = "", time.Time{}
	return h.Store.PutDecision(ctx, d)
}

// scheduleName names the schedule of the message at a moment. It tells nothing
// of the ask's id, and is another one than plan gives: that schedule may still
// be there when its message has come.
func (m *matter) scheduleName(at time.Time) string {
	kind := "ask"
	if m.Reminder {
		kind = "reminder"
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%d", kind, m.Touchpoint, m.Occasion, m.Contact, at.Unix()))
	return "send-" + hex.EncodeToString(sum[:16])
}

// write writes the message of an ask, in the words of its series. The error is
// [survey.Invalid] where there is no such message: it would be too large.
func (h *Handler) write(ctx context.Context, m *matter, a *survey.Ask) (message.Message, error) {
	t, err := found(h.Catalog.Series(ctx, store.SeriesKey{Touchpoint: a.Touchpoint, Series: a.Series}))
	if err != nil {
		return message.Message{}, err
	}
	if t == nil {
		t = m.touchpoint
	}
	rules := m.book.Rules()
	l := message.Letter{
		Ask: a.ID, Touchpoint: t, Contact: m.contact, Locale: a.Locale, Link: h.PublicURL,
		Company: rules.Company, Postal: rules.Postal, About: m.About, At: m.At, Zone: m.zone, Reminder: m.Reminder, Replies: h.Replies,
	}
	if m.touchpoint.Trigger.Event != "" {
		l.Event, _, _ = strings.Cut(string(m.Occasion), "/")
	}
	out := message.Message{
		Channel: a.Channel, To: m.contact.Address(a.Channel), Ask: a.ID, Touchpoint: a.Touchpoint, Reminder: m.Reminder,
		Name: rules.Company, ReplyTo: rules.ReplyTo, Unsubscribe: h.PublicURL + "/u/" + a.ID,
	}
	if a.Channel == survey.SMS {
		out.Written = l.SMS()
		return out, nil
	}
	out.Written, err = l.Email()
	return out, err
}

// tellSent tells that a message was taken by its service.
func (h *Handler) tellSent(ctx context.Context, m *matter, channel survey.Channel, messageID string) {
	slog.InfoContext(ctx, "sent", "touchpoint", m.Touchpoint, "contact", survey.Fingerprint(m.Contact), "reminder", m.Reminder, "channel", string(channel), "serviceId", survey.Fingerprint(messageID))
	h.Metrics.Put(ctx, nil, obs.Sends.Is(1))
}
