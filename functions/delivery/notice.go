package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// notice is what SES tells of a message (Amazon SES, "Examples of event data that
// Amazon SES publishes to Amazon EventBridge"). Of what it has, only this is
// read: no address.
type notice struct {
	EventType string `json:"eventType"`
	Mail      struct {
		MessageID string              `json:"messageId"`
		Tags      map[string][]string `json:"tags"`
	} `json:"mail"`
	Delivery  *moment `json:"delivery"`
	Complaint *moment `json:"complaint"`
	Bounce    *struct {
		moment
		BounceType string `json:"bounceType"`
	} `json:"bounce"`
}

type moment struct {
	Timestamp time.Time `json:"timestamp"`
}

// permanent is the kind of bounce after which another message would come back
// as well. An undetermined one may be anything, and counts as soft.
const permanent = "Permanent"

// askTag is the tag under which send tells SES the ask of a message.
const askTag = "ask"

func (h *Handler) notice(ctx context.Context, detail json.RawMessage) error {
	var n notice
	if err := json.Unmarshal(detail, &n); err != nil {
		passOver(ctx, "a notice that is none")
		return nil
	}
	log := []any{"type", n.EventType, "serviceId", n.Mail.MessageID}
	tags := n.Mail.Tags[askTag]
	if len(tags) != 1 || survey.CheckID(askTag, tags[0]) != nil {
		passOver(ctx, "a notice about a message without an ask", log...)
		return nil
	}
	a, err := h.Store.Ask(ctx, tags[0])
	if isGone(err) {
		passOver(ctx, "a notice about an ask that is not there", log...)
		return nil
	}
	if err != nil {
		return err
	}
	switch n.EventType {
	case "Delivery":
		err = h.delivered(ctx, a, at(n.Delivery, h.Now()))
	case "Bounce":
		if n.Bounce == nil {
			passOver(ctx, "a bounce that says nothing", log...)
			return nil
		}
		err = h.bounced(ctx, a, n.Bounce.BounceType == permanent, at(&n.Bounce.moment, h.Now()))
	case "Complaint":
		// The message arrived, and the person wants no more: an opt-out, which
		// holds for whatever address they have.
		_, err = h.Store.OptOut(ctx, a.Contact, []survey.Channel{survey.Email}, false, at(n.Complaint, h.Now()))
	case "Reject":
		// SES found a virus in it and sent nothing: nobody gets it. The address
		// is not to blame.
		err = h.Store.MarkBounced(ctx, a.ID, h.Now())
	default: // Send, DeliveryDelay and what is to come: nothing has changed yet
		return nil
	}
	if isGone(err) {
		passOver(ctx, "a notice about a contact that is not there", log...)
		return nil
	}
	if err != nil {
		return fmt.Errorf("noting %s of message %s: %w", n.EventType, n.Mail.MessageID, err)
	}
	return nil
}

func (h *Handler) delivered(ctx context.Context, a *survey.Ask, when time.Time) error {
	if err := h.Store.MarkDelivered(ctx, a.ID, when); err != nil {
		return err
	}
	return h.Store.NoteBounces(ctx, a.Contact, a.Channel, func(c *survey.Contact, b survey.Bounces) survey.Bounces {
		if b.Ask == a.ID {
			return b // it arrived and came back, in either order
		}
		return b.Delivered(c.Address(a.Channel))
	}, when)
}

func (h *Handler) bounced(ctx context.Context, a *survey.Ask, hard bool, when time.Time) error {
	if err := h.Store.MarkBounced(ctx, a.ID, when); err != nil {
		return err
	}
	return h.Store.NoteBounces(ctx, a.Contact, a.Channel, func(c *survey.Contact, b survey.Bounces) survey.Bounces {
		if c.Address(a.Channel) == "" {
			return b // it has been taken away meanwhile
		}
		return b.Bounced(c.Address(a.Channel), a.ID, hard, when)
	}, when)
}

// at is when something happened; where that is not told, now.
func at(m *moment, now time.Time) time.Time {
	if m == nil || m.Timestamp.IsZero() {
		return now
	}
	return m.Timestamp
}

func isGone(err error) bool { return err != nil && survey.CodeOf(err) == survey.NotFound }
