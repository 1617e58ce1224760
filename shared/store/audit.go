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

// auditMonth is how the months of the audit log are called, auditMoment how its
// entries begin: they compare as texts.
const (
	auditMonth  = "2006-01"
	auditMoment = "2006-01-02T15:04:05.000Z"
)

func auditKey(at time.Time, id string) item {
	at = at.UTC()
	return item{
		topology.Audit.Hash.Name:  str(at.Format(auditMonth)),
		topology.Audit.Range.Name: str(at.Format(auditMoment) + "#" + id),
	}
}

// Record adds an entry to the audit log, for [survey.AuditYears]. What is there is
// never written again: the write has that as its condition, a repeat does
// nothing, and returns nil. (Whoever may put items into the table with other code
// could leave the condition out, and put another entry in its place: IAM has no
// rule against it. Point-in-time recovery and the nightly copies show that.) The
// error is that the entry breaks a rule ([survey.AuditEntry.Check]), or a failure,
// after which it may be there.
func (s *Store) Record(ctx context.Context, a survey.AuditEntry) error {
	if err := a.Check(); err != nil {
		return err
	}
	it := auditKey(a.At, a.ID)
	it[topology.Audit.TTL] = num(a.At.AddDate(survey.AuditYears, 0, 0).Unix())
	for name, v := range map[string]string{
		"who": a.Who, "role": a.Role, "action": string(a.Action), "subject": a.Subject, "before": string(a.Before),
		"after": string(a.After), "outcome": string(a.Outcome), "of": a.Of,
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
		return fmt.Errorf("recording %s: %w", a.Action, err)
	}
	return nil
}

func unmarshalAuditEntry(it item) (survey.AuditEntry, error) {
	d := decoder{it: it}
	moment, id, _ := strings.Cut(d.str(topology.Audit.Range.Name), "#")
	at, err := time.Parse(auditMoment, moment)
	if err != nil {
		return survey.AuditEntry{}, fmt.Errorf("reading an entry of the audit log: %w", err)
	}
	state := func(name string) json.RawMessage {
		if v := d.str(name); v != "" {
			return json.RawMessage(v)
		}
		return nil
	}
	out := survey.AuditEntry{
		ID: id, At: at, Who: d.str("who"), Role: d.str("role"), Action: survey.Action(d.str("action")), Subject: d.str("subject"),
		Before: state("before"), After: state("after"), Outcome: survey.Outcome(d.str("outcome")), Of: d.str("of"),
	}
	if d.err != nil {
		return survey.AuditEntry{}, fmt.Errorf("reading the entry %s of the audit log: %w", id, d.err)
	}
	return out, nil
}

// Limits of a page of the audit log.
const (
	MaxAuditEntries = 100
	// auditBytes is the size of the states from which on a page is full: an
	// answer of a function has at most 6 MB.
	auditBytes = 1 << 20
	// auditReads is the most calls for one page, each of at most 1 MB: as many as
	// there are months of which something can be there, and some.
	auditReads = survey.AuditYears*12 + 4
)

// AuditQuery is what is asked of the audit log.
type AuditQuery struct {
	From, To time.Time     // from included, to not
	Subjects []string      // one of them; none for all
	Action   survey.Action // "" for all
	Cursor   string        // of the page before; "" for the first
	Limit    int           // 1 to [MaxAuditEntries]
}

// AuditEntries returns a page of the audit log, the newest first, as consistent
// as the last write, and the cursor of the next, "" where there is no more. A page
// may have fewer than the limit, or none, and another one after it: of what is
// large, or is looked for far. The error is [survey.Invalid] on cursor where it is
// none of such a question.
func (s *Store) AuditEntries(ctx context.Context, q AuditQuery) (page []survey.AuditEntry, cursor string, err error) {
	return s.auditPage(ctx, q, auditReads)
}

// auditPage is a page that takes no more than so many calls.
func (s *Store) auditPage(ctx context.Context, q AuditQuery, calls int) (page []survey.AuditEntry, cursor string, err error) {
	if q.Limit < 1 || q.Limit > MaxAuditEntries {
		return nil, "", fmt.Errorf("a page of %d entries: must be from 1 to %d", q.Limit, MaxAuditEntries)
	}
	from, to := q.From.UTC().Format(auditMoment), q.To.UTC().Format(auditMoment)
	month := q.To.UTC().Add(-time.Millisecond)
	var after item // the entry, or the place, after which to read
	if q.Cursor != "" {
		moment, id, _ := strings.Cut(q.Cursor, "#")
		at, err := time.Parse(auditMoment, moment)
		if err != nil || at.Format(auditMoment) != moment || id != "" && survey.CheckID("cursor", id) != nil || q.Cursor < from || q.Cursor >= to {
			return nil, "", survey.Errorf(survey.Invalid, "cursor", "cursor must be that of a page of the same question")
		}
		month = at
		after = item{topology.Audit.Hash.Name: str(at.Format(auditMonth)), topology.Audit.Range.Name: str(q.Cursor)}
	}
	month = time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, time.UTC)
	size := 0
	for reads := 0; month.Format(auditMonth) >= from[:len(auditMonth)]; reads++ {
		if reads == calls {
			if after == nil { // all of the month after this one has been read
				return page, month.AddDate(0, 1, 0).Format(auditMoment), nil
			}
			d := decoder{it: after}
			return page, d.str(topology.Audit.Range.Name), d.err
		}
		out, err := s.db.Query(ctx, s.auditQuery(q, month.Format(auditMonth), from, to, after))
		if err != nil {
			return nil, "", fmt.Errorf("reading the audit log: %w", err)
		}
		for _, it := range out.Items {
			if len(page) == q.Limit || size >= auditBytes {
				last := page[len(page)-1]
				return page, last.At.Format(auditMoment) + "#" + last.ID, nil
			}
			d, err := unmarshalAuditEntry(it)
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

// auditQuery is the query of one month of the audit log.
func (s *Store) auditQuery(q AuditQuery, month, from, to string, after item) *dynamodb.QueryInput {
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
