package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// deedMonth is how the months of the audit log are called, deedMoment how its
// entries begin: they compare as texts.
const (
	deedMonth  = "2006-01"
	deedMoment = "2006-01-02T15:04:05.000Z"
)

func deedKey(at time.Time, id string) item {
	at = at.UTC()
	return item{
		topology.Audit.Hash.Name:  str(at.Format(deedMonth)),
		topology.Audit.Range.Name: str(at.Format(deedMoment) + "#" + id),
	}
}

// Record adds a deed to the audit log, for [survey.DeedYears]. What is there is
// never written again: a repeat does nothing, and returns nil. The error is that
// the deed breaks a rule ([survey.Deed.Check]), or a failure, after which it may
// be there.
func (s *Store) Record(ctx context.Context, d survey.Deed) error {
	if err := d.Check(); err != nil {
		return err
	}
	it := deedKey(d.At, d.ID)
	it[topology.Audit.TTL] = num(d.At.AddDate(survey.DeedYears, 0, 0).Unix())
	for name, v := range map[string]string{
		"who": d.Who, "role": d.Role, "action": string(d.Action), "subject": d.Subject, "before": string(d.Before),
		"after": string(d.After), "outcome": string(d.Outcome), "of": d.Of,
	} {
		if v != "" {
			it[name] = str(v)
		}
	}
	e := newExpression()
	cond := e.notExists(topology.Audit.Range.Name)
	_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: s.table(topology.Audit), Item: it, ConditionExpression: &cond, ExpressionAttributeNames: e.names,
	})
	if _, there := refused(err); there {
		return nil
	}
	if err != nil {
		return fmt.Errorf("recording %s: %w", d.Action, err)
	}
	return nil
}

func unmarshalDeed(it item) (survey.Deed, error) {
	d := decoder{it: it}
	moment, id, _ := strings.Cut(d.str(topology.Audit.Range.Name), "#")
	at, err := time.Parse(deedMoment, moment)
	if err != nil {
		return survey.Deed{}, fmt.Errorf("reading a deed: %w", err)
	}
	state := func(name string) json.RawMessage {
		if v := d.str(name); v != "" {
			return json.RawMessage(v)
		}
		return nil
	}
	out := survey.Deed{
		ID: id, At: at, Who: d.str("who"), Role: d.str("role"), Action: survey.Action(d.str("action")), Subject: d.str("subject"),
		Before: state("before"), After: state("after"), Outcome: survey.Outcome(d.str("outcome")), Of: d.str("of"),
	}
	if d.err != nil {
		return survey.Deed{}, fmt.Errorf("reading the deed %s: %w", id, d.err)
	}
	return out, nil
}

// Limits of a page of the audit log.
const (
	MaxDeeds = 100
	// deedBytes is the size of the states from which on a page is full: an
	// answer of a function has at most 6 MB.
	deedBytes = 1 << 20
	// deedReads is the most calls for one page, each of at most 1 MB: as many as
	// there are months of which something can be there, and some.
	deedReads = survey.DeedYears*12 + 4
)

// DeedQuery is what is asked of the audit log.
type DeedQuery struct {
	From, To time.Time     // from included, to not
	Subjects []string      // one of them; none for all
	Action   survey.Action // "" for all
	Cursor   string        // of the page before; "" for the first
	Limit    int           // 1 to [MaxDeeds]
}

// Deeds returns a page of the audit log, the newest first, as consistent as the
// last write, and the cursor of the next, "" where there is no more. A page may
// have fewer than the limit, or none, and another one after it: of what is large,
// or is looked for far. The error is [survey.Invalid] on cursor where it is none
// of such a question.
func (s *Store) Deeds(ctx context.Context, q DeedQuery) (page []survey.Deed, cursor string, err error) {
	if q.Limit < 1 || q.Limit > MaxDeeds {
		return nil, "", fmt.Errorf("a page of %d deeds: must be from 1 to %d", q.Limit, MaxDeeds)
	}
	from, to := q.From.UTC().Format(deedMoment), q.To.UTC().Format(deedMoment)
	month := q.To.UTC().Add(-time.Millisecond)
	var after item // the entry, or the place, after which to read
	if q.Cursor != "" {
		moment, id, _ := strings.Cut(q.Cursor, "#")
		at, err := time.Parse(deedMoment, moment)
		if err != nil || at.Format(deedMoment) != moment || id != "" && survey.CheckID("cursor", id) != nil || q.Cursor < from || q.Cursor >= to {
			return nil, "", survey.Errorf(survey.Invalid, "cursor", "cursor must be that of a page of the same question")
		}
		month = at
		after = item{topology.Audit.Hash.Name: str(at.Format(deedMonth)), topology.Audit.Range.Name: str(q.Cursor)}
	}
	month = time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, time.UTC)
	size := 0
	for reads := 0; month.Format(deedMonth) >= from[:len(deedMonth)]; reads++ {
		if reads == deedReads {
			if after == nil { // all of the month after this one has been read
				return page, month.AddDate(0, 1, 0).Format(deedMoment), nil
			}
			d := decoder{it: after}
			return page, d.str(topology.Audit.Range.Name), d.err
		}
		out, err := s.db.Query(ctx, s.deeds(q, month.Format(deedMonth), from, to, after))
		if err != nil {
			return nil, "", fmt.Errorf("reading the audit log: %w", err)
		}
		for _, it := range out.Items {
			if len(page) == q.Limit || size >= deedBytes {
				last := page[len(page)-1]
				return page, last.At.Format(deedMoment) + "#" + last.ID, nil
			}
			d, err := unmarshalDeed(it)
			if err != nil {
				return nil, "", err
			}
			page, size = append(page, d), size+len(d.Before)+len(d.After)
		}
		if after = out.LastEvaluatedKey; len(after) == 0 {
			after, month = nil, month.AddDate(0, -1, 0)
		}
	}
	return page, "", nil
}

// deeds is the query of one month of the audit log.
func (s *Store) deeds(q DeedQuery, month, from, to string, after item) *dynamodb.QueryInput {
	e := newExpression()
	// No entry is at a moment itself, so that BETWEEN leaves to out.
	cond := e.is(topology.Audit.Hash.Name, "=", str(month)) + " AND " +
		e.name(topology.Audit.Range.Name) + " BETWEEN " + e.value(str(from)) + " AND " + e.value(str(to))
	in := &dynamodb.QueryInput{
		TableName: s.table(topology.Audit), KeyConditionExpression: &cond, ExclusiveStartKey: after,
		ScanIndexForward: aws.Bool(false), ConsistentRead: aws.Bool(true),
	}
	var wanted []string
	if q.Action != "" {
		wanted = append(wanted, e.is("action", "=", str(string(q.Action))))
	}
	if len(q.Subjects) > 0 {
		subjects := make([]types.AttributeValue, len(q.Subjects))
		for i, subject := range q.Subjects {
			subjects[i] = str(subject)
		}
		wanted = append(wanted, e.in("subject", subjects...))
	}
	if len(wanted) > 0 {
		in.FilterExpression = aws.String(strings.Join(wanted, " AND "))
	} else {
		in.Limit = aws.Int32(int32(q.Limit) + 1)
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.names, e.values
	return in
}
