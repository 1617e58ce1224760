package store

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// Turn is an ask's claim on a contact's fatigue budget.
type Turn struct {
	Contact    string
	Touchpoint string
	Ask        string // id
	Channel    survey.Channel
	At         time.Time
	// Rest is the shortest time since the last ask of all, Recontact since the
	// last of the same touchpoint; a time exactly as long is long enough.
	Rest, Recontact time.Duration
}

// TakeTurn takes a contact's turn for an ask, in one conditional write: of any
// number of asks that claim it at once, one gets it. It returns nil where the
// ask has it, also from before. The error is [survey.Conflict] where the rest,
// the recontact time or an opt-out by the channel forbids it, with the field
// "rest", "recontact" or "channel", and [survey.NotFound] where there is no such
// contact; nothing is written then. The contact's version stays: no detail of
// the contact changes.
func (s *Store) TakeTurn(ctx context.Context, t Turn) error {
	e := newExpression()
	same := e.path("asked", t.Touchpoint)
	last, lastHere, holder := e.name("lastAskedAt"), e.path("asked", t.Touchpoint, "at"), e.path("asked", t.Touchpoint, "ask")
	e.set("lastAskedAt", millis(t.At))
	e.set("lastAsk", str(t.Ask))
	e.sets = append(e.sets, same+"="+e.value(marshalAsked(survey.Asked{At: t.At, Ask: t.Ask})))
	cond := e.exists() +
		" AND attribute_not_exists(" + e.path("optOuts", string(t.Channel)) + ")" +
		" AND (attribute_not_exists(" + last + ") OR " + last + "<=" + e.value(millis(t.At.Add(-t.Rest))) + ")" +
		" AND (attribute_not_exists(" + lastHere + ") OR " + lastHere + "<=" + e.value(millis(t.At.Add(-t.Recontact))) + ")" +
		" AND (attribute_not_exists(" + holder + ") OR " + holder + "<>" + e.value(str(t.Ask)) + ")"
	in := &dynamodb.UpdateItemInput{
		TableName:                           s.table(topology.Contacts),
		Key:                                 contactKey(t.Contact),
		UpdateExpression:                    e.update(),
		ConditionExpression:                 &cond,
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	_, err := s.db.UpdateItem(ctx, in)
	for try := 1; err != nil && metTransaction(err) && try < changeTries; try++ {
		if err := pause(ctx, try); err != nil {
			return fmt.Errorf("taking the turn of contact %s: %w", survey.Fingerprint(t.Contact), err)
		}
		_, err = s.db.UpdateItem(ctx, in)
	}
	old, ok := refused(err)
	switch {
	case err == nil:
		return nil
	case !ok:
		return fmt.Errorf("taking the turn of contact %s: %w", survey.Fingerprint(t.Contact), err)
	case len(old) == 0:
		return noSuchContact()
	}
	c, err := unmarshalContact(old)
	if err != nil {
		return err
	}
	here := c.Asked[t.Touchpoint]
	switch _, out := c.OptOuts[t.Channel]; {
	case out:
		return survey.Errorf(survey.Conflict, "channel", "the contact does not want to be asked by %s", t.Channel)
	case here.Ask == t.Ask:
		return nil
	case !here.At.IsZero() && here.At.Add(t.Recontact).After(t.At):
		return survey.Errorf(survey.Conflict, "recontact", "the contact was asked at %s too short a time ago", t.Touchpoint)
	default:
		return survey.Errorf(survey.Conflict, "rest", "the contact was asked too short a time ago")
	}
}
