package results

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/survey"
)

// History knows what was decided about a contact, and what it was asked.
type History interface {
	// Decisions returns the decisions of the last year, the newest first.
	Decisions(ctx context.Context, contact string) ([]survey.Decision, error)
	// AsksOf returns the asks that are still kept, the newest first.
	AsksOf(ctx context.Context, contact string) ([]*survey.Ask, error)
}

// explanation is the answer to GET /api/contacts/{id}/why. The id of an ask is
// nowhere in it: whoever has one can answer for the customer.
type explanation struct {
	Contact   contact    `json:"contact"`
	Decisions []decision `json:"decisions"` // the newest first
	Asks      []ask      `json:"asks"`      // the newest first
}

// decision is one on the contact, and what it says in plain English.
type decision struct {
	Touchpoint string          `json:"touchpoint"`
	Occasion   survey.Occasion `json:"occasion"`
	Verdict    survey.Verdict  `json:"verdict"`
	Reason     survey.Reason   `json:"reason"` // "" where it is no refusal
	At         *time.Time      `json:"at"`
	Due        *time.Time      `json:"due"`
	Until      *time.Time      `json:"until"` // null where the reason does not end by itself
	Other      string          `json:"other"` // the touchpoint that the reason is about
	Channel    survey.Channel  `json:"channel"`
	Words      string          `json:"words"` // times are those of the contact's zone
}

// ask is one that was sent, or is about to be.
type ask struct {
	Touchpoint string          `json:"touchpoint"`
	Occasion   survey.Occasion `json:"occasion"`
	AskedAt    *time.Time      `json:"askedAt"`
	SentAt     *time.Time      `json:"sentAt"`
	Answered   bool            `json:"answered"` // by the customer, not by a mail scanner
	Score      *int            `json:"score"`
}

func (h *Handler) why(ctx context.Context, r *call) (apigw.Response, error) {
	id, err := onlyID(r)
	if err != nil {
		return apigw.Response{}, err
	}
	c, err := h.Contacts.Contact(ctx, id)
	if err != nil {
		return apigw.Response{}, err
	}
	decisions, err := h.History.Decisions(ctx, id)
	if err != nil {
		return apigw.Response{}, err
	}
	asks, err := h.History.AsksOf(ctx, id)
	if err != nil {
		return apigw.Response{}, err
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return apigw.Response{}, fmt.Errorf("the zone of contact %s: %w", survey.Fingerprint(id), err)
	}
	name, err := h.names(ctx)
	if err != nil {
		return apigw.Response{}, err
	}
	out := explanation{Contact: newContact(c), Decisions: make([]decision, 0, len(decisions)), Asks: make([]ask, 0, len(asks))}
	for _, d := range decisions {
		out.Decisions = append(out.Decisions, decision{
			Touchpoint: d.Touchpoint, Occasion: d.Occasion, Verdict: d.Verdict, Reason: d.Reason,
			At: instant(d.At), Due: instant(d.Due), Until: instant(d.Until), Other: d.Other, Channel: d.Channel,
			Words: asking.Words(d, zone, name),
		})
	}
	for _, a := range asks {
		e := ask{Touchpoint: a.Touchpoint, Occasion: a.Occasion, AskedAt: instant(a.AskedAt), SentAt: instant(a.SentAt), Answered: a.Counted()}
		if e.Answered {
			e.Score = &a.Score
		}
		out.Asks = append(out.Asks, e)
	}
	return apigw.JSON(http.StatusOK, out), nil
}

// names returns what the touchpoints are called in English, or else in the
// first language that they have; "" for one that is gone.
func (h *Handler) names(ctx context.Context) (func(touchpoint string) string, error) {
	all, err := h.Touchpoints.All(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, t := range all {
		names[t.ID] = t.Name.In("en", t.Locales)
	}
	return func(touchpoint string) string { return names[touchpoint] }, nil
}
