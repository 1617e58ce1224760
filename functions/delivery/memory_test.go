package delivery_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// memory is a store in memory, for what is tried thousands of times. The store
// itself is held to the same words by its own tests.
type memory struct {
	asks     map[string]*survey.Ask
	contacts map[string]*survey.Contact
}

func (m *memory) Ask(_ context.Context, id string) (*survey.Ask, error) {
	a, ok := m.asks[id]
	if !ok {
		return nil, survey.Errorf(survey.NotFound, "id", "there is no such ask")
	}
	out := *a
	return &out, nil
}

func (m *memory) AsksOf(_ context.Context, contact string) ([]*survey.Ask, error) {
	var out []*survey.Ask
	for _, a := range m.asks {
		if a.Contact == contact {
			one := *a
			out = append(out, &one)
		}
	}
	slices.SortFunc(out, func(a, b *survey.Ask) int {
		return cmp.Or(b.AskedAt.Compare(a.AskedAt), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

func (m *memory) Answer(ctx context.Context, id string, in survey.Answer, now time.Time) (*survey.Ask, error) {
	a, err := m.Ask(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := survey.CheckScore(a.Metric, in.Score); err != nil {
		return nil, err
	}
	step, trust, err := a.Decide(in, now)
	if err != nil || step == survey.Keep {
		return a, err
	}
	a.Score, a.Trust, a.EditedAt = in.Score, trust, now
	if a.AnsweredAt.IsZero() {
		a.AnsweredAt = now
	}
	if in.Comment != nil {
		a.Comment = *in.Comment
	}
	m.asks[id] = a
	return a, nil
}

func (m *memory) KeepReply(ctx context.Context, a *survey.Ask, comment string, at time.Time) error {
	return m.change(ctx, a.ID, func(a *survey.Ask) { a.Comment, a.RepliedAt = comment, at })
}

func (m *memory) MarkDelivered(ctx context.Context, id string, at time.Time) error {
	return m.change(ctx, id, func(a *survey.Ask) { a.DeliveredAt = first(a.DeliveredAt, at) })
}

func (m *memory) MarkBounced(ctx context.Context, id string, at time.Time) error {
	return m.change(ctx, id, func(a *survey.Ask) { a.BouncedAt = first(a.BouncedAt, at) })
}

func (m *memory) change(ctx context.Context, id string, change func(*survey.Ask)) error {
	a, err := m.Ask(ctx, id)
	if err == nil {
		change(a)
		m.asks[id] = a
	}
	return err
}

func first(was, at time.Time) time.Time {
	if was.IsZero() {
		return at
	}
	return was
}

func (m *memory) FindContact(_ context.Context, _, value string) (*survey.Contact, error) {
	for _, c := range m.contacts {
		if c.Phone == value {
			return c, nil
		}
	}
	return nil, survey.Errorf(survey.NotFound, "id", "there is no such contact")
}

func (m *memory) NoteBounces(_ context.Context, id string, ch survey.Channel, change func(*survey.Contact, survey.Bounces) survey.Bounces, _ time.Time) error {
	c, ok := m.contacts[id]
	if !ok {
		return survey.Errorf(survey.NotFound, "id", "there is no such contact")
	}
	if b := change(c, c.Bounces[ch]); b != c.Bounces[ch] {
		c.Bounces = maps.Clone(c.Bounces)
		if c.Bounces == nil {
			c.Bounces = map[survey.Channel]survey.Bounces{}
		}
		c.Bounces[ch] = b
	}
	return nil
}

func (m *memory) OptOut(_ context.Context, id string, channels []survey.Channel, back bool, now time.Time) (*survey.Contact, error) {
	c, ok := m.contacts[id]
	if !ok {
		return nil, survey.Errorf(survey.NotFound, "id", "there is no such contact")
	}
	if back {
		maps.DeleteFunc(c.OptOuts, func(ch survey.Channel, _ time.Time) bool { return slices.Contains(channels, ch) })
	} else {
		c.Merge(survey.Details{OptOut: channels}, now)
	}
	return c, nil
}
