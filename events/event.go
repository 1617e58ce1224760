// Package events is the business events that Pulssi takes: their types and
// versions, one JSON Schema each, and a sample of each.
package events

import (
	"bytes"
	"encoding/json"
	"time"
)

// Event is one thing that happened in the company's business. It comes as the
// detail of an EventBridge event, whose detail-type is Type, or by POST
// /api/events. The company's own id makes a repeat harmless: one event asks
// once.
type Event struct {
	Type    string    `json:"type"`    // "purchase.completed"
	Version int       `json:"version"` // of the type, from 1
	ID      string    `json:"id"`      // the company's own, such as an order's number
	Time    time.Time `json:"time"`    // when it happened
	Contact Contact   `json:"contact"`
	// Data are the fields of the type. About and ref, where a type has them,
	// tell the customer what the question is about.
	Data map[string]any `json:"data,omitempty"`
}

// Contact says who it happened to, by at least one of id, ref, email and
// phone. A person not known yet becomes a contact where an address is given.
type Contact struct {
	ID        string   `json:"id,omitempty"`  // Pulssi's
	Ref       string   `json:"ref,omitempty"` // the company's own customer number
	Email     string   `json:"email,omitempty"`
	Phone     string   `json:"phone,omitempty"`
	FirstName string   `json:"firstName,omitempty"`
	LastName  string   `json:"lastName,omitempty"`
	Company   string   `json:"company,omitempty"`
	Locale    string   `json:"locale,omitempty"`
	Zone      string   `json:"zone,omitempty"`
	Segments  []string `json:"segments,omitempty"`
}

// The types.
const (
	PurchaseCompleted     = "purchase.completed"
	DeliveryCompleted     = "delivery.completed"
	TicketClosed          = "ticket.closed"
	CallEnded             = "call.ended"
	MeetingHeld           = "meeting.held"
	TrialEnded            = "trial.ended"
	CartAbandoned         = "cart.abandoned"
	SubscriptionCancelled = "subscription.cancelled"
	// Custom is the generic type: its data say what happened in name.
	Custom = "custom"
)

// Encode writes the event as the detail of an EventBridge event. What [Decode]
// took, it takes again.
func (e Event) Encode() ([]byte, error) { return marshal(e) }

// marshal writes JSON as short as it can be: encoding/json by itself writes <
// as six bytes.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
