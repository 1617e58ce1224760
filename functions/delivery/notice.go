package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/survey"
)

// notice is what SES tells of a message (Amazon SES, "Examples of event data that
// Amazon SES publishes to Amazon EventBridge"), of which this is read.
type notice struct {
	EventType string `json:"eventType"`
	Mail      struct {
		MessageID   string              `json:"messageId"`
		Destination []string            `json:"destination"`
		Tags        map[string][]string `json:"tags"`
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
	log := []any{"type", n.EventType, "serviceId", survey.Fingerprint(n.Mail.MessageID)}
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
		when := at(n.Delivery, h.Now())
		if err = h.Store.MarkDelivered(ctx, a.ID, when); err == nil {
			err = h.noteBounces(ctx, a, n, when, func(b survey.Bounces, address string) survey.Bounces { return b.Delivered(address, a.ID) })
		}
	case "Bounce":
		if n.Bounce == nil {
			passOver(ctx, "a bounce that says nothing", log...)
			return nil
		}
		when := at(&n.Bounce.moment, h.Now())
		hard := n.Bounce.BounceType == permanent
		if err = h.Store.MarkBounced(ctx, a.ID, when); err == nil {
			err = h.noteBounces(ctx, a, n, when, func(b survey.Bounces, address string) survey.Bounces { return b.Bounced(address, a.ID, hard, when) })
		}
	case "Complaint":
		// The message arrived, and the person wants no more: an opt-out, which
		// holds for whatever address they have.
		if a.Contact != "" {
			_, err = h.Store.OptOut(ctx, a.Contact, []survey.Channel{a.Channel}, false, at(n.Complaint, h.Now()))
		}
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
		return fmt.Errorf("noting %s of message %s: %w", n.EventType, survey.Fingerprint(n.Mail.MessageID), err)
	}
	if name, ok := watched[n.EventType]; ok {
		h.Metrics.Put(ctx, nil, name.Is(1))
	}
	return nil
}

// watched are the notices that are counted for people to watch.
var watched = map[string]obs.Name{"Bounce": obs.Bounces, "Complaint": obs.Complaints}

// noteBounces changes what is known of the address that the message of an ask
// went to, where the contact has it still. The ask of a test has none.
func (h *Handler) noteBounces(ctx context.Context, a *survey.Ask, n notice, when time.Time, change func(b survey.Bounces, address string) survey.Bounces) error {
	if a.Contact == "" {
		return nil
	}
	return h.Store.NoteBounces(ctx, a.Contact, a.Channel, func(c *survey.Contact, b survey.Bounces) survey.Bounces {
		address := c.Address(a.Channel)
		if !slices.ContainsFunc(n.Mail.Destination, func(to string) bool { return strings.EqualFold(to, address) }) {
			return b
		}
		return change(b, address)
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
