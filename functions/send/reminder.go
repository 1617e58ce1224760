package send

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
)

// remind reminds a contact of an ask that was sent, or keeps why not. It can be
// repeated at any time. It keeps that the contact was reminded before it sends
// the reminder, and takes that back where it surely was not sent: so a reminder
// may get lost where the function ends in between, and none is sent twice.
func (h *Handler) remind(ctx context.Context, a queue.Ask) error {
	ask, err := found(h.Store.Ask(ctx, h.askID(a)))
	if err != nil {
		return err
	}
	m, err := h.matter(ctx, a)
	if err != nil {
		return err
	}
	var channel survey.Channel
	if ask != nil {
		channel = ask.Channel
	}
	d := m.decide(a.Occasion.ReminderOf(), channel, h.Now())
	switch {
	case ask == nil || ask.SentAt.IsZero():
		if d.Verdict != survey.Refused { // the ask is kept no more
			return h.refuse(ctx, d, survey.TooLate)
		}
		return h.Store.PutDecision(ctx, d)
	case !ask.RemindedAt.IsZero() && h.Now().Sub(ask.RemindedAt) < visibility:
		return errBusy
	case !ask.RemindedAt.IsZero():
		return h.reminded(ctx, d, ask, ask.RemindedAt)
	case ask.Counted():
		return h.refuse(ctx, d, survey.HasAnswered)
	case d.Verdict == survey.Refused:
		return h.Store.PutDecision(ctx, d)
	case !d.At.Before(ask.Open()):
		return h.refuse(ctx, d, survey.TooLate)
	case !m.book.Sendable(m.touchpoint.Trigger, m.zone, d.At):
		return h.postpone(ctx, m, d)
	}
	msg, err := h.write(ctx, m, ask)
	if h.Transports[channel] == nil || err != nil && survey.CodeOf(err) == survey.Invalid {
		return h.refuse(ctx, d, survey.Undeliverable)
	}
	if err != nil {
		return err
	}
	if h.DryRun {
		slog.InfoContext(ctx, "would be sent", "touchpoint", a.Touchpoint, "contact", survey.Fingerprint(a.Contact), "channel", string(channel), "reminder", true)
		return nil
	}
	if err := h.Pace.Wait(ctx); err != nil {
		return err
	}
	now := h.Now().Truncate(time.Millisecond) // as it is kept
	if err := h.Store.MarkReminded(ctx, ask.ID, now); err != nil {
		return err // where somebody else was first, that is seen when the message comes again
	}
	ctx = context.WithoutCancel(ctx)
	messageID, err := h.Transports[channel].Send(ctx, msg)
	switch code := survey.CodeOf(err); {
	case err == nil:
		h.tellSent(ctx, m, channel, messageID)
	case code == survey.Invalid:
		slog.WarnContext(ctx, "refused for good", "touchpoint", m.Touchpoint, "contact", survey.Fingerprint(m.Contact), "channel", string(channel), "reminder", true, "error", err.Error())
		if err := h.Store.ReleaseReminder(ctx, ask.ID, now); err != nil {
			return err
		}
		return h.refuse(ctx, d, survey.Undeliverable)
	case code == survey.Unavailable:
		if freeErr := h.Store.ReleaseReminder(ctx, ask.ID, now); freeErr != nil {
			return errors.Join(err, freeErr)
		}
		return err
	default:
		slog.WarnContext(ctx, "nobody knows whether a reminder was sent", "touchpoint", m.Touchpoint, "contact", survey.Fingerprint(m.Contact), "error", err.Error())
	}
	return h.reminded(ctx, d, ask, now)
}

// reminded keeps that a contact was reminded.
func (h *Handler) reminded(ctx context.Context, d survey.Decision, a *survey.Ask, at time.Time) error {
	d.Verdict, d.Reason, d.Other, d.Until = survey.WasAsked, "", "", time.Time{}
	d.At, d.Channel, d.Ask = at, a.Channel, a.ID
	return h.Store.PutDecision(ctx, d)
}
