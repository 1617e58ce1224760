package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// OptOut notes that a person wants no asks by some channels, or, where back is
// true, that they want them again. Only the person says so, by the link of a
// message or a reply to one. An opt-out that stands, stands from when it was
// first made; a repeat writes nothing. It returns the contact as it is then. The
// error is [survey.NotFound] where there is no such contact.
func (s *Store) OptOut(ctx context.Context, id string, channels []survey.Channel, back bool, now time.Time) (*survey.Contact, error) {
	now = now.UTC().Truncate(time.Millisecond)
	var result *survey.Contact
	err := s.revise(ctx, id, now, func(c *survey.Contact, e *expression) bool {
		result = c
		was := maps.Clone(c.OptOuts)
		if back {
			maps.DeleteFunc(c.OptOuts, func(ch survey.Channel, _ time.Time) bool { return slices.Contains(channels, ch) })
		} else {
			c.Merge(survey.Details{OptOut: channels}, now)
		}
		if len(c.OptOuts) > 0 {
			e.set("optOuts", marshalOptOuts(c.OptOuts))
		} else {
			e.remove("optOuts")
		}
		return !maps.Equal(c.OptOuts, was)
	})
	return result, err
}

// revise changes part of a contact: change gets a copy of the contact and an
// empty update, and returns whether there is anything to write. It may be called
// again where somebody else writes meanwhile.
func (s *Store) revise(ctx context.Context, id string, now time.Time, change func(*survey.Contact, *expression) bool) error {
	for try := 1; ; try++ {
		c, err := s.Contact(ctx, id)
		if err != nil {
			return err
		}
		e := newExpression()
		if !change(c, e) {
			return nil
		}
		cond := e.is("version", "=", num(int64(c.Version)))
		c.Version, c.ChangedAt = c.Version+1, now.UTC().Truncate(time.Millisecond)
		e.set("version", num(int64(c.Version)))
		e.set("changedAt", millis(now))
		_, err = s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                 s.table(topology.Contacts),
			Key:                       contactKey(id),
			UpdateExpression:          e.update(),
			ConditionExpression:       &cond,
			ExpressionAttributeNames:  e.names,
			ExpressionAttributeValues: e.values,
		})
		if err == nil {
			return nil
		}
		if _, changed := refused(err); !changed && !metTransaction(err) || try == changeTries {
			return fmt.Errorf("changing contact %s: %w", survey.Fingerprint(id), err)
		}
		if err := pause(ctx, try); err != nil {
			return fmt.Errorf("changing contact %s: %w", survey.Fingerprint(id), err)
		}
	}
}
