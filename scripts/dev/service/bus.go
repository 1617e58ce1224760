package service

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	business "github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/topology"
)

// region and account stand in the names of things; everything is on this
// machine.
const (
	region  = "eu-north-1"
	account = "000000000000"
)

// Bus is the bus of business events. Its rule passes every event on to plan
// that Pulssi has not published itself.
type Bus struct{ s *Services }

// Put is that of package bus's client.
func (b Bus) Put(_ context.Context, source string, es ...business.Event) error {
	if source == topology.OwnSource {
		return nil // no rule passes it on
	}
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	for _, e := range es {
		detail, err := e.Encode()
		if err != nil {
			return fmt.Errorf("writing an event %s: %w", e.Type, err)
		}
		payload, err := json.Marshal(events.EventBridgeEvent{
			Version: "0", ID: newID(), DetailType: e.Type, Source: source,
			AccountID: account, Time: e.Time.UTC(), Region: region, Resources: []string{}, Detail: detail,
		})
		if err != nil {
			return fmt.Errorf("writing an event %s: %w", e.Type, err)
		}
		if err := b.s.add(&call{Function: topology.EventFunction, Payload: payload, At: b.s.clock.Now()}); err != nil {
			return err
		}
	}
	return nil
}

// Notice has the function hear what became of an e-mail: it takes an event of
// SES as the account's own bus passes it on.
func (s *Services) Notice(event []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(&call{Function: topology.NoticeFunction, Payload: event, At: s.clock.Now()})
}
