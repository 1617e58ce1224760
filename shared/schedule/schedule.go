// Package schedule puts an ask into the queue of asks at a later moment, by
// Amazon EventBridge Scheduler.
package schedule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/pulssi/pulssi/shared/queue"
)

// Target is where the schedules live, and where their asks go.
type Target struct {
	Group string // name of the schedule group
	Role  string // ARN of the role that puts messages into the queue
	Queue string // ARN of the queue of asks
	// Failed is the ARN of the queue that keeps an ask where Queue could not be
	// reached for a day: the schedule is gone then.
	Failed string
}

// Client makes schedules. It is safe for concurrent use.
type Client struct {
	scheduler *scheduler.Client
	target    Target
	now       func() time.Time
}

// New returns a client. now is the clock.
func New(c *scheduler.Client, target Target, now func() time.Time) *Client {
	return &Client{c, target, now}
}

// soonest is how far ahead of now a schedule is at least. Scheduler refuses a
// moment in the past and works by the minute (EventBridge Scheduler User Guide:
// schedule types, 60 second precision), so that one just ahead could be past
// when it arrives.
const soonest = time.Minute

// At has the ask arrive in the queue at a moment, rounded up to a second, or up
// to a minute later; a moment that is past or less than a minute ahead becomes
// a minute from now. The schedule is deleted when it is done.
//
// name tells the schedule from all others: 1 to 64 letters, digits, and -_.
// Where one of that name waits already, At returns nil and leaves it as it is,
// whatever it says. When it is done its name is free, so a repeat after that
// sends the ask once more: whoever takes it must not mind. Scheduler tries for
// a day to reach the queue, and then puts the ask into [Target.Failed]; it may
// also send the ask more than once.
func (c *Client) At(ctx context.Context, at time.Time, name string, a queue.Ask) error {
	body, err := a.Encode()
	if err != nil {
		return err
	}
	if least := c.now().Add(soonest); at.Before(least) {
		at = least
	}
	at = at.UTC().Add(time.Second - 1).Truncate(time.Second)
	_, err = c.scheduler.CreateSchedule(ctx, &scheduler.CreateScheduleInput{
		Name:                       &name,
		GroupName:                  &c.target.Group,
		ScheduleExpression:         aws.String("at(" + at.Format("2006-01-02T15:04:05") + ")"),
		ScheduleExpressionTimezone: aws.String("UTC"),
		FlexibleTimeWindow:         &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
		ActionAfterCompletion:      types.ActionAfterCompletionDelete,
		Target: &types.Target{
			Arn: &c.target.Queue, RoleArn: &c.target.Role, Input: aws.String(string(body)),
			DeadLetterConfig: &types.DeadLetterConfig{Arn: &c.target.Failed},
		},
	})
	if _, exists := errors.AsType[*types.ConflictException](err); exists {
		return nil
	}
	if err != nil {
		return fmt.Errorf("scheduling an ask of %s for %s: %w", a.Touchpoint, at.Format(time.RFC3339), err)
	}
	return nil
}
