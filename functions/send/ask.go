package send

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// ask asks a contact, or keeps why not. It can be repeated at any time, also
// where it ended anywhere the last time.
func (h *Handler) ask(ctx context.Context, a queue.Ask) error {
	was, err := found(h.Store.Ask(ctx, h.askID(a)))
	if err != nil {
		return err
	}
	m, err := h.matter(ctx, a)
	if err != nil {
		return err
	}
	var channel survey.Channel
	if was != nil {
		channel = was.Channel
		switch {
		case !was.SentAt.IsZero():
			return h.settle(ctx, m, was)
		case arrived(was): // so it was sent, though nobody could keep that
			was.SentAt = was.TriedAt
			if was.SentAt.IsZero() {
				was.SentAt = h.Now()
			}
			if err := h.Store.MarkSent(ctx, was.ID, was.SentAt); err != nil {
				return err
			}
			return h.settle(ctx, m, was)
		case !was.RefusedAt.IsZero():
			return h.refuse(ctx, survey.Decision{
				Contact: a.Contact, Touchpoint: a.Touchpoint, Occasion: a.Occasion, At: was.RefusedAt, Due: a.Due,
			}, survey.Undeliverable)
		case h.Now().Sub(was.TriedAt) < visibility:
			return errBusy
		}
	}
	d := m.decide(a.Occasion, channel, h.Now())
	if d.Verdict == survey.Refused {
		return h.Store.PutDecision(ctx, d)
	}
	if !m.book.Sendable(m.touchpoint.Trigger, m.zone, d.At) {
		return h.postpone(ctx, m, d)
	}
	next := was
	if next == nil {
		next = m.newAsk(d.Channel)
	}
	msg, err := h.write(ctx, m, next)
	if h.Transports[d.Channel] == nil || err != nil && survey.CodeOf(err) == survey.Invalid {
		slog.ErrorContext(ctx, "nothing can be sent", "touchpoint", a.Touchpoint, "channel", string(d.Channel), "error", cmp.Or(err, errNoTransport).Error())
		return h.refuse(ctx, d, survey.Undeliverable)
	}
	if err != nil {
		return err
	}
	if h.DryRun {
		slog.InfoContext(ctx, "would be sent", "touchpoint", a.Touchpoint, "contact", survey.Fingerprint(a.Contact), "channel", string(d.Channel))
		return nil
	}
	if err := h.Pace.Wait(ctx); err != nil {
		return err
	}
	if refused, err := h.takeTurn(ctx, m, d.Channel, channel); err != nil || refused {
		return err
	}
	if err := h.claim(ctx, was, next); err != nil {
		return err
	}
	return h.deliver(ctx, m, next, d, msg)
}

// arrived reports whether something came back of an ask that only a message can
// have brought about.
func arrived(a *survey.Ask) bool {
	return a.Answered() || !a.RepliedAt.IsZero() || !a.DeliveredAt.IsZero() || !a.BouncedAt.IsZero()
}

var errNoTransport = errors.New("no sender is configured for the channel")

// newAsk returns the ask of a matter, reserved by nobody yet.
func (m *matter) newAsk(channel survey.Channel) *survey.Ask {
	return &survey.Ask{
		ID: m.id, Touchpoint: m.Touchpoint, Series: m.touchpoint.Series, Metric: m.touchpoint.Metric, Channel: channel,
		Locale:   cmp.Or(m.contact.Locale, m.book.Rules().Locale),
		Segments: m.contact.Segments, Contact: m.Contact, Occasion: m.Occasion, Ref: m.Ref,
	}
}

// takeTurn takes the contact's turn for an ask by a channel. Where something
// has come between since it was decided, it keeps the refusal; where nothing
// has, or it is over already, it returns an error and the message comes again.
// kept is the channel of an ask that was made before, "" for none.
func (h *Handler) takeTurn(ctx context.Context, m *matter, channel, kept survey.Channel) (refused bool, err error) {
	now := h.Now()
	rules := m.book.Rules()
	err = h.Store.TakeTurn(ctx, store.Turn{
		Contact: m.Contact, Touchpoint: m.Touchpoint, Ask: m.id, Channel: channel, At: now,
		Rest: m.touchpoint.RestAfter(rules), Recontact: m.touchpoint.RecontactAfter(rules),
	})
	if code := survey.CodeOf(err); err == nil || code != survey.Conflict && code != survey.NotFound {
		return false, err
	}
	again, readErr := h.matter(ctx, m.Ask)
	if readErr != nil {
		return false, readErr
	}
	if d := again.decide(m.Occasion, kept, now); d.Verdict == survey.Refused {
		return true, h.Store.PutDecision(ctx, d)
	}
	return false, err
}

// claim makes next, the ask, this invocation's for one attempt. was is the ask
// as it is stored, nil where there is none. One invocation gets it of all that
// want it. Where nobody knows what became of the last attempt, a line of the
// log says that this may be the second message.
func (h *Handler) claim(ctx context.Context, was, next *survey.Ask) error {
	now := h.Now().Truncate(time.Millisecond) // as it is kept
	var err error
	if was == nil {
		next.AskedAt, next.TriedAt = now, now
		err = h.Store.CreateAsk(ctx, next)
	} else {
		if !was.TriedAt.IsZero() {
			slog.WarnContext(ctx, "sending what may have been sent", "touchpoint", was.Touchpoint, "contact", survey.Fingerprint(was.Contact))
		}
		err = h.Store.TryAsk(ctx, was.ID, was.TriedAt, now)
		next.TriedAt = now
	}
	if err != nil && survey.CodeOf(err) == survey.Conflict {
		// Another invocation has it; or this one has, and the reply to the
		// first of two writes was lost.
		return errBusy
	}
	return err
}

// deliver sends the message of an ask that is claimed. From here on it goes
// through to the end, whatever time is left.
func (h *Handler) deliver(ctx context.Context, m *matter, a *survey.Ask, d survey.Decision, msg message.Message) error {
	ctx = context.WithoutCancel(ctx)
	messageID, err := h.Transports[a.Channel].Send(ctx, msg)
	switch code := survey.CodeOf(err); {
	case err == nil:
	case code == survey.Invalid:
		slog.WarnContext(ctx, "refused for good", "touchpoint", m.Touchpoint, "contact", survey.Fingerprint(m.Contact), "channel", string(a.Channel), "error", err.Error())
		d.At = h.Now()
		if err := h.Store.RefuseAsk(ctx, a.ID, d.At); err != nil {
			return err
		}
		return h.refuse(ctx, d, survey.Undeliverable)
	case code == survey.Unavailable:
		if freeErr := h.Store.ReleaseAsk(ctx, a.ID, a.TriedAt); freeErr != nil {
			return errors.Join(err, freeErr)
		}
		return err
	default:
		return err
	}
	h.tellSent(ctx, m, a.Channel, messageID)
	a.SentAt = h.Now()
	if err := h.Store.MarkSent(ctx, a.ID, a.SentAt); err != nil {
		return err
	}
	return h.settle(ctx, m, a)
}

// settle keeps that the contact was asked, and has the reminder come.
func (h *Handler) settle(ctx context.Context, m *matter, a *survey.Ask) error {
	err := h.Store.PutDecision(ctx, survey.Decision{
		Contact: m.Contact, Touchpoint: m.Touchpoint, Occasion: m.Occasion, Verdict: survey.WasAsked,
		At: a.SentAt, Due: m.Due, Channel: a.Channel, Ask: a.ID,
	})
	if err != nil || m.touchpoint == nil || m.touchpoint.Trigger == nil || m.touchpoint.Trigger.Reminder == 0 || a.Counted() || !a.RemindedAt.IsZero() {
		return err
	}
	at, ok := m.moment(a.SentAt.Add(time.Duration(m.touchpoint.Trigger.Reminder)))
	if !ok {
		return nil // no day of the next year is open
	}
	reminder := *m
	reminder.Reminder, reminder.Due = true, at
	return h.Schedules.At(ctx, at, reminder.scheduleName(at), reminder.Ask)
}
