// Package bus puts business events on Amazon EventBridge.
package bus

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/batch"
)

// limits are those of PutEvents (Amazon EventBridge User Guide: sending events,
// calculating event entry size): 10 entries, 256 KB in all.
var limits = batch.Limits{Items: 10, Bytes: 256 << 10}

// Client puts events on one bus. It is safe for concurrent use.
type Client struct {
	eventbridge *eventbridge.Client
	bus         string
}

// New returns a client of the bus of that name.
func New(c *eventbridge.Client, bus string) *Client { return &Client{c, bus} }

// Put puts events on the bus, each with its type as the detail-type and with
// its own time. It repeats what EventBridge did not take, as package batch
// tells, and returns an error where some, or all, were not taken in the end;
// after that the caller may put all of them again. An event may arrive more
// than once and in any order. EventBridge takes events for a bus that does not
// exist, and says nothing.
func (c *Client) Put(ctx context.Context, source string, es ...events.Event) error {
	entries := make([]types.PutEventsRequestEntry, len(es))
	for i, e := range es {
		detail, err := e.Encode()
		if err != nil {
			return fmt.Errorf("writing an event %s: %w", e.Type, err)
		}
		entries[i] = types.PutEventsRequestEntry{
			EventBusName: &c.bus,
			Source:       &source,
			DetailType:   aws.String(e.Type),
			Time:         aws.Time(e.Time),
			Detail:       aws.String(string(detail)),
		}
	}
	if err := batch.Give(ctx, entries, limits, size, c.put); err != nil {
		return fmt.Errorf("putting %d events on the bus: %w", len(es), err)
	}
	return nil
}

// size is the size of an entry as EventBridge counts it.
func size(e types.PutEventsRequestEntry) int {
	const ofTime = 14
	return ofTime + len(*e.Source) + len(*e.DetailType) + len(*e.Detail)
}

// passing are the error codes of a single entry that another try may mend
// (EventBridge API Reference: PutEventsResultEntry).
var passing = []string{"ThrottlingException", "InternalFailure", "InternalException", "ServiceUnavailable"}

// put makes one call.
func (c *Client) put(ctx context.Context, entries []types.PutEventsRequestEntry) ([]batch.Failure, error) {
	out, err := c.eventbridge.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
	if err != nil {
		return nil, err
	}
	if out.FailedEntryCount == 0 {
		return nil, nil
	}
	if len(out.Entries) != len(entries) {
		return nil, fmt.Errorf("EventBridge tells of %d events, and was given %d", len(out.Entries), len(entries))
	}
	var failed []batch.Failure
	for i, e := range out.Entries { // in the order of the request
		if code := aws.ToString(e.ErrorCode); code != "" {
			failed = append(failed, batch.Failure{Index: i, Refused: !slices.Contains(passing, code), Reason: code})
		}
	}
	return failed, nil
}
