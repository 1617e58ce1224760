package stack

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pulssi/pulssi/functions/send"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
)

// welcome asks a demonstration customer about a purchase of a week ago. It goes
// as any ask does, only at once: by night too, and on holidays.
func (s *Stack) welcome(ctx context.Context, h *send.Handler) error {
	now := s.Clock.Now()
	maija := survey.Details{FirstName: "Maija", LastName: "Esimerkki", Email: "maija@example.com", Phone: "+358400009999"}
	made, err := s.Store.Upsert(ctx, []survey.Details{maija}, now)
	if err != nil {
		return err
	}
	body, err := queue.Ask{
		Touchpoint: "shop-nps", Contact: made[0].Contact, Occasion: asking.OccasionOf("purchase.completed", "order-1001"),
		Due: now, Ref: "order-1001", At: now.Add(-7 * 24 * time.Hour), About: "keinutuoli",
	}.Encode()
	if err != nil {
		return err
	}
	hurried := *h
	hurried.Catalog = atOnce{h.Catalog}
	resp, err := hurried.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "welcome", Body: string(body)}}})
	if err == nil && len(resp.BatchItemFailures) > 0 {
		err = errors.New("the first e-mail could not be sent: see above")
	}
	return err
}

// atOnce is a catalog by which people are asked at any hour of any day, and
// whatever they are asked about soon.
type atOnce struct{ send.Catalog }

func (atOnce) All(context.Context) ([]*survey.Touchpoint, error) { return nil, nil }

func (a atOnce) Touchpoint(ctx context.Context, id string) (*survey.Touchpoint, error) {
	t, err := a.Catalog.Touchpoint(ctx, id)
	if err != nil || t.Trigger == nil {
		return t, err
	}
	out, trigger := *t, *t.Trigger
	trigger.Weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	out.Trigger = &trigger
	return &out, nil
}

func (a atOnce) Rulebook(ctx context.Context) (*asking.Rulebook, error) {
	book, err := a.Catalog.Rulebook(ctx)
	if err != nil {
		return nil, err
	}
	rules := book.Rules()
	rules.Quiet, rules.Holidays, rules.Closed = &survey.Quiet{}, survey.NoHolidays, nil
	return asking.NewRulebook(rules), nil
}
