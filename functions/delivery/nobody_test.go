package delivery_test

import (
	"context"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// nobody is a store in which there is nothing.
type nobody struct{}

func none() error { return survey.Errorf(survey.NotFound, "", "there is no such thing") }

func (nobody) Ask(context.Context, string) (*survey.Ask, error)      { return nil, none() }
func (nobody) AsksOf(context.Context, string) ([]*survey.Ask, error) { return nil, nil }
func (nobody) Answer(context.Context, string, survey.Answer, time.Time) (*survey.Ask, error) {
	return nil, none()
}
func (nobody) KeepReply(context.Context, *survey.Ask, string, time.Time) error { return none() }
func (nobody) MarkDelivered(context.Context, string, time.Time) error          { return none() }
func (nobody) MarkBounced(context.Context, string, time.Time) error            { return none() }
func (nobody) FindContact(context.Context, string, string) (*survey.Contact, error) {
	return nil, none()
}
func (nobody) NoteBounces(context.Context, string, survey.Channel, func(*survey.Contact, survey.Bounces) survey.Bounces, time.Time) error {
	return none()
}
func (nobody) OptOut(context.Context, string, []survey.Channel, bool, time.Time) (*survey.Contact, error) {
	return nil, none()
}
