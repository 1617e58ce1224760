package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// decisionLife is how long a decision is kept after it was made or its ask was
// due, whichever is later: a year, whatever its length.
const decisionLife = 366 * 24 * time.Hour

// occasionKey names a touchpoint, whose id has no "#", and an occasion.
func occasionKey(touchpoint string, o survey.Occasion) string { return touchpoint + "#" + string(o) }

func decisionKey(contact, touchpoint string, o survey.Occasion) item {
	return item{
		topology.Decisions.Hash.Name:  str(contact),
		topology.Decisions.Range.Name: str(occasionKey(touchpoint, o)),
	}
}

func marshalDecision(d survey.Decision) item {
	it := decisionKey(d.Contact, d.Touchpoint, d.Occasion)
	last := d.At
	if d.Due.After(last) {
		last = d.Due
	}
	it["verdict"] = str(string(d.Verdict))
	it[topology.Decisions.TTL] = num(last.Add(decisionLife).Unix())
	for name, v := range map[string]string{"channel": string(d.Channel), "ask": d.Ask, "reason": string(d.Reason), "other": d.Other} {
		if v != "" {
			it[name] = str(v)
		}
	}
	for name, t := range map[string]time.Time{"at": d.At, "due": d.Due, "until": d.Until} {
		if !t.IsZero() {
			it[name] = millis(t)
		}
	}
	return it
}

func unmarshalDecision(it item) (survey.Decision, error) {
	d := decoder{it: it}
	key := d.str(topology.Decisions.Range.Name)
	touchpoint, occasion, ok := strings.Cut(key, "#")
	out := survey.Decision{
		Contact:    d.str(topology.Decisions.Hash.Name),
		Touchpoint: touchpoint,
		Occasion:   survey.Occasion(occasion),
		Verdict:    survey.Verdict(d.str("verdict")),
		At:         d.time("at"),
		Due:        d.time("due"),
		Channel:    survey.Channel(d.str("channel")),
		Ask:        d.str("ask"),
		Reason:     survey.Reason(d.str("reason")),
		Other:      d.str("other"),
		Until:      d.time("until"),
	}
	if d.err != nil {
		return survey.Decision{}, fmt.Errorf("a decision on contact %s: %w", survey.Fingerprint(out.Contact), d.err)
	}
	if !ok {
		return survey.Decision{}, fmt.Errorf("a decision on contact %s: the key is not that of one", survey.Fingerprint(out.Contact))
	}
	return out, nil
}

// PutDecision keeps a decision, in place of an earlier one on the same contact,
// touchpoint and occasion. That somebody was asked is never replaced by another
// verdict, which is no error: what was decided again by a repeated message
// changes nothing then.
func (s *Store) PutDecision(ctx context.Context, d survey.Decision) error {
	in := &dynamodb.PutItemInput{TableName: s.table(topology.Decisions), Item: marshalDecision(d)}
	if d.Verdict != survey.WasAsked {
		e := newExpression()
		cond := e.notExists("verdict") + " OR " + e.is("verdict", "<>", str(string(survey.WasAsked)))
		in.ConditionExpression = &cond
		in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.names, e.values
	}
	_, err := s.db.PutItem(ctx, in)
	if _, ok := refused(err); ok {
		return nil
	}
	if err != nil {
		return fmt.Errorf("keeping a decision on contact %s at %s: %w", survey.Fingerprint(d.Contact), d.Touchpoint, err)
	}
	return nil
}

// PutDecisions keeps any number of decisions as [Store.PutDecision] keeps one,
// many at a time: a batch of DynamoDB has no conditions. No two may be on the
// same contact, touchpoint and occasion. After an error some are kept and some
// not; the call can be repeated.
func (s *Store) PutDecisions(ctx context.Context, ds []survey.Decision) error {
	return each(ctx, len(ds), func(ctx context.Context, i int) error { return s.PutDecision(ctx, ds[i]) })
}

// Decision returns the decision on a contact, a touchpoint and an occasion, as
// consistent as the last write. The error is [survey.NotFound] where there is
// none.
func (s *Store) Decision(ctx context.Context, contact, touchpoint string, o survey.Occasion) (survey.Decision, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      s.table(topology.Decisions),
		Key:            decisionKey(contact, touchpoint, o),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return survey.Decision{}, fmt.Errorf("reading a decision on contact %s at %s: %w", survey.Fingerprint(contact), touchpoint, err)
	}
	if len(out.Item) == 0 {
		return survey.Decision{}, survey.Errorf(survey.NotFound, "occasion", "nothing has been decided on this occasion")
	}
	return unmarshalDecision(out.Item)
}

// Decisions returns all decisions on a contact, the newest first. They are kept
// for a year.
func (s *Store) Decisions(ctx context.Context, contact string) ([]survey.Decision, error) {
	var out []survey.Decision
	err := s.eachDecision(ctx, contact, nil, func(it item) error {
		d, err := unmarshalDecision(it)
		out = append(out, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(out, func(a, b survey.Decision) int { return b.At.Compare(a.At) })
	return out, nil
}

// deleteDecisions deletes all decisions on a contact.
func (s *Store) deleteDecisions(ctx context.Context, contact string) error {
	var keys []item
	only := []string{topology.Decisions.Hash.Name, topology.Decisions.Range.Name}
	if err := s.eachDecision(ctx, contact, only, func(it item) error {
		keys = append(keys, it)
		return nil
	}); err != nil {
		return err
	}
	return s.batchDelete(ctx, topology.Decisions, keys)
}

// eachDecision calls yield with the decisions on a contact, with the attributes
// only names (all where it is nil).
func (s *Store) eachDecision(ctx context.Context, contact string, only []string, yield func(item) error) error {
	e := newExpression()
	cond := e.is(topology.Decisions.Hash.Name, "=", str(contact))
	in := &dynamodb.QueryInput{
		TableName:                 s.table(topology.Decisions),
		KeyConditionExpression:    &cond,
		ConsistentRead:            aws.Bool(true),
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	}
	if only != nil {
		names := make([]string, len(only))
		for i, n := range only {
			names[i] = e.name(n)
		}
		in.Select = types.SelectSpecificAttributes
		in.ProjectionExpression = aws.String(strings.Join(names, ","))
	}
	pages := dynamodb.NewQueryPaginator(s.db, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading the decisions on contact %s: %w", survey.Fingerprint(contact), err)
		}
		for _, it := range page.Items {
			if err := yield(it); err != nil {
				return err
			}
		}
	}
	return nil
}
