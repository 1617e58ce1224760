package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
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
	for try := 1; ; try++ {
		was, err := s.Contact(ctx, id)
		if err != nil {
			return nil, err
		}
		c := clone(was)
		if back {
			maps.DeleteFunc(c.OptOuts, func(ch survey.Channel, _ time.Time) bool { return slices.Contains(channels, ch) })
		} else {
			c.Merge(survey.Details{OptOut: channels}, now)
		}
		if maps.Equal(c.OptOuts, was.OptOuts) {
			return was, nil
		}
		c.Version, c.ChangedAt = was.Version+1, now
		e := newExpression()
		e.set("version", num(int64(c.Version)))
		e.set("changedAt", millis(now))
		if len(c.OptOuts) > 0 {
			e.set("optOuts", marshalOptOuts(c.OptOuts))
		} else {
			e.remove("optOuts")
		}
		cond := e.is("version", "=", num(int64(was.Version)))
		_, err = s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                 s.table(topology.Contacts),
			Key:                       contactKey(id),
			UpdateExpression:          e.update(),
			ConditionExpression:       aws.String(cond),
			ExpressionAttributeNames:  e.names,
			ExpressionAttributeValues: e.values,
		})
		if _, changed := refused(err); changed && try < changeTries {
			if err := pause(ctx, try); err != nil {
				return nil, fmt.Errorf("opting contact %s out: %w", id, err)
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("opting contact %s out: %w", id, err)
		}
		return c, nil
	}
}
