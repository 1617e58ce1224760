package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// MarshalAsk writes an ask as an item, for [UnmarshalAsk] to read. Empty fields and zero times are left
// out, and the keys of the feed are there only with a comment.
func (s *Store) MarshalAsk(a *survey.Ask) item {
	it := item{
		"id":         str(a.ID),
		"touchpoint": str(a.Touchpoint),
		"series":     num(int64(a.Series)),
		"metric":     str(string(a.Metric)),
		"channel":    str(string(a.Channel)),
		"ttl":        s.ttl(a.AskedAt),
	}
	for name, v := range map[string]string{
		"locale": a.Locale, "contact": a.Contact, "comment": a.Comment,
		"trust": string(a.Trust), "ref": a.Ref, "page": a.Page, "occasion": string(a.Occasion),
	} {
		if v != "" {
			it[name] = str(v)
		}
	}
	for name, t := range map[string]time.Time{
		"askedAt": a.AskedAt, "triedAt": a.TriedAt, "sentAt": a.SentAt, "refusedAt": a.RefusedAt, "deliveredAt": a.DeliveredAt, "bouncedAt": a.BouncedAt,
		"remindedAt": a.RemindedAt, "repliedAt": a.RepliedAt, "answeredAt": a.AnsweredAt, "editedAt": a.EditedAt, "autoAt": a.AutoAt,
	} {
		if !t.IsZero() {
			it[name] = millis(t)
		}
	}
	if a.Answered() {
		it["score"] = num(int64(a.Score))
	}
	if a.Comment != "" {
		at := a.AnsweredAt
		if at.IsZero() {
			at = a.RepliedAt
		}
		feed, feedAt := feedKeys(a.Touchpoint, a.ID, at)
		it["feed"], it["feedAt"] = str(feed), str(feedAt)
	}
	for name, is := range map[string]bool{"test": a.Test, demoFlag: a.Demo} {
		if is {
			it[name] = flag()
		}
	}
	if len(a.Segments) > 0 {
		it["segments"] = &types.AttributeValueMemberSS{Value: a.Segments}
	}
	if len(a.Attrs) > 0 {
		it["attrs"] = marshalAttrs(a.Attrs)
	}
	return it
}

func marshalAttrs(attrs map[string]string) types.AttributeValue {
	m := item{}
	for k, v := range attrs {
		m[k] = str(v)
	}
	return &types.AttributeValueMemberM{Value: m}
}

func (s *Store) ttl(askedAt time.Time) types.AttributeValue {
	return num(askedAt.Add(s.retention).Unix())
}

// UnmarshalAsk reads an ask from an item, or from an image of it in a stream.
// It returns an error where the item is no ask or breaks a rule that counting
// relies on: a metric or trust it does not know, an answer outside its scale.
func UnmarshalAsk(it map[string]types.AttributeValue) (*survey.Ask, error) {
	a, err := unmarshalAsk(it)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", survey.Fingerprint(askID(it)), err)
	}
	return a, nil
}

// askID returns the id of an item of the responses, "" where it has none.
func askID(it item) string {
	d := decoder{it: it}
	return d.str("id")
}

func unmarshalAsk(it item) (*survey.Ask, error) {
	d := decoder{it: it}
	a := &survey.Ask{
		ID:          d.str("id"),
		Touchpoint:  d.str("touchpoint"),
		Series:      int(d.num("series")),
		Metric:      survey.Metric(d.str("metric")),
		Channel:     survey.Channel(d.str("channel")),
		Locale:      d.str("locale"),
		Segments:    d.set("segments"),
		Contact:     d.str("contact"),
		Test:        d.flag("test"),
		Demo:        d.flag(demoFlag),
		Occasion:    survey.Occasion(d.str("occasion")),
		AskedAt:     d.time("askedAt"),
		TriedAt:     d.time("triedAt"),
		SentAt:      d.time("sentAt"),
		RefusedAt:   d.time("refusedAt"),
		DeliveredAt: d.time("deliveredAt"),
		BouncedAt:   d.time("bouncedAt"),
		RemindedAt:  d.time("remindedAt"),
		Score:       int(d.num("score")),
		Comment:     d.str("comment"),
		Trust:       survey.Trust(d.str("trust")),
		RepliedAt:   d.time("repliedAt"),
		AnsweredAt:  d.time("answeredAt"),
		EditedAt:    d.time("editedAt"),
		AutoAt:      d.time("autoAt"),
		Ref:         d.str("ref"),
		Page:        d.str("page"),
	}
	in := decoder{it: d.dict("attrs")}
	for k := range in.it {
		if a.Attrs == nil {
			a.Attrs = map[string]string{}
		}
		a.Attrs[k] = in.str(k)
	}
	if in.err != nil {
		d.fail("attrs")
	}
	switch {
	case d.err != nil:
		return nil, d.err
	case a.ID == "" || a.Touchpoint == "" || a.Series < 1 || !a.Metric.Valid() || a.AskedAt.IsZero():
		return nil, errors.New("no touchpoint, series, metric or time")
	case !slices.Contains([]survey.Trust{"", survey.Click, survey.Human, survey.Suspect}, a.Trust):
		return nil, fmt.Errorf("trust %q is unknown", a.Trust)
	case a.Answered() != (it["score"] != nil):
		return nil, errors.New("a score without trust, or trust without a score")
	case a.Answered() && (!a.Metric.Admits(a.Score) || a.AnsweredAt.IsZero()):
		return nil, fmt.Errorf("answer %d is not one of %s, or has no time", a.Score, a.Metric)
	}
	return a, nil
}

// decoder reads attributes of expected types and remembers the first that is
// of another; a missing one is zero.
type decoder struct {
	it  item
	err error
}

func (d *decoder) fail(name string) {
	if d.err == nil {
		d.err = fmt.Errorf("attribute %q is not of its type", name)
	}
}

func (d *decoder) str(name string) string {
	switch v := d.it[name].(type) {
	case nil:
	case *types.AttributeValueMemberS:
		return v.Value
	default:
		d.fail(name)
	}
	return ""
}

func (d *decoder) num(name string) int64 {
	switch v := d.it[name].(type) {
	case nil:
	case *types.AttributeValueMemberN:
		n, err := strconv.ParseInt(v.Value, 10, 64)
		if err != nil {
			d.fail(name)
		}
		return n
	default:
		d.fail(name)
	}
	return 0
}

// set returns the texts of a set in order: a set comes back in any.
func (d *decoder) set(name string) []string {
	switch v := d.it[name].(type) {
	case nil:
	case *types.AttributeValueMemberSS:
		return slices.Sorted(slices.Values(v.Value))
	default:
		d.fail(name)
	}
	return nil
}

func (d *decoder) dict(name string) item {
	switch v := d.it[name].(type) {
	case nil:
	case *types.AttributeValueMemberM:
		return v.Value
	default:
		d.fail(name)
	}
	return nil
}

func (d *decoder) flag(name string) bool {
	switch v := d.it[name].(type) {
	case nil:
		return false
	case *types.AttributeValueMemberBOOL:
		return v.Value
	default:
		d.fail(name)
		return false
	}
}

func (d *decoder) time(name string) time.Time {
	if n := d.num(name); n != 0 {
		return time.UnixMilli(n).UTC()
	}
	return time.Time{}
}

// Ask returns the ask with an id, as consistent as the last write. The error
// is [survey.NotFound] where there is none.
func (s *Store) Ask(ctx context.Context, id string) (*survey.Ask, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      s.table(topology.Responses),
		Key:            item{"id": str(id)},
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, fmt.Errorf("reading an ask: %w", err)
	}
	if len(out.Item) == 0 {
		return nil, noSuchAsk()
	}
	return UnmarshalAsk(out.Item)
}

func noSuchAsk() error {
	return survey.Errorf(survey.NotFound, "id", "there is no question with this id")
}

// CreateAsk writes a new ask. It returns a [survey.Conflict] error, and
// changes nothing, where one with its id exists: the same ask can never be
// made twice. It returns [survey.Invalid] on segments where there are more
// than [survey.MaxSegmentsOfAsk]: an answer is counted in each of them, and
// one that changes more counters than fit in an update could not be counted.
func (s *Store) CreateAsk(ctx context.Context, a *survey.Ask) error {
	if len(a.Segments) > survey.MaxSegmentsOfAsk {
		return survey.Errorf(survey.Invalid, "segments", "segments must be at most %d", survey.MaxSegmentsOfAsk)
	}
	e := newExpression()
	cond := e.notExists("id")
	_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                s.table(topology.Responses),
		Item:                     s.MarshalAsk(a),
		ConditionExpression:      &cond,
		ExpressionAttributeNames: e.names,
	})
	if _, ok := refused(err); ok {
		return survey.Errorf(survey.Conflict, "id", "there is an ask with this id")
	}
	if err != nil {
		return fmt.Errorf("creating an ask of %s: %w", a.Touchpoint, err)
	}
	return nil
}

// MarkSent says that an ask was handed to the mail or SMS service. The first
// time stands; saying it again changes nothing. The error is [survey.NotFound]
// where there is no such ask.
func (s *Store) MarkSent(ctx context.Context, id string, at time.Time) error {
	return s.markOnce(ctx, id, "sentAt", at)
}

// MarkReminded says that the contact was reminded of an ask, which happens
// once. The error is [survey.Conflict] where that happened before or where there
// is an answer (a suspect one is none), [survey.NotFound] where there is no such
// ask; nothing is written then.
func (s *Store) MarkReminded(ctx context.Context, id string, at time.Time) error {
	e := newExpression()
	e.set("remindedAt", millis(at))
	old, err := s.mark(ctx, id, e, e.exists()+" AND "+e.notExists("remindedAt")+
		" AND ("+e.notExists("trust")+" OR "+e.is("trust", "=", str(string(survey.Suspect)))+")")
	switch {
	case err != nil:
		return fmt.Errorf("marking an ask reminded: %w", err)
	case old == nil:
		return nil
	case len(old) == 0:
		return noSuchAsk()
	case old["remindedAt"] != nil:
		return survey.Errorf(survey.Conflict, "id", "the contact has been reminded")
	default:
		return survey.Errorf(survey.Conflict, "id", "the contact has answered")
	}
}

// mark changes an ask. Where the condition does not hold it returns what the
// ask was, which is empty where there is none; nil where it does.
func (s *Store) mark(ctx context.Context, id string, e *expression, cond string) (item, error) {
	_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           s.table(topology.Responses),
		Key:                                 item{"id": str(id)},
		UpdateExpression:                    e.update(),
		ConditionExpression:                 &cond,
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if old, ok := refused(err); ok {
		if old == nil {
			old = item{}
		}
		return old, nil
	}
	return nil, err
}

const byContact = "byContact"

// AsksOf returns all asks of a contact that are still kept, the newest first.
// They are found by an index, which is a moment behind; each is as consistent
// as the last write.
func (s *Store) AsksOf(ctx context.Context, contact string) ([]*survey.Ask, error) {
	e := newExpression()
	cond := e.is("contact", "=", str(contact))
	pages := dynamodb.NewQueryPaginator(s.db, &dynamodb.QueryInput{
		TableName:                 s.table(topology.Responses),
		IndexName:                 aws.String(byContact),
		KeyConditionExpression:    &cond,
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	})
	var ids []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the asks of contact %s: %w", survey.Fingerprint(contact), err)
		}
		for _, it := range page.Items {
			d := decoder{it: it}
			ids = append(ids, d.str("id"))
		}
	}
	items, err := s.batchGet(ctx, topology.Responses, ids)
	if err != nil {
		return nil, fmt.Errorf("reading the asks of contact %s: %w", survey.Fingerprint(contact), err)
	}
	out := make([]*survey.Ask, 0, len(items))
	for _, it := range items {
		a, err := UnmarshalAsk(it)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *survey.Ask) int {
		return cmp.Or(b.AskedAt.Compare(a.AskedAt), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// EachAsk calls yield with every ask there is, in no order, read consistently,
// until it returns an error, which EachAsk returns. For an item that cannot be
// read, yield gets the error instead, which names its id: it is for an operator
// to mend, and not for a log.
func (s *Store) EachAsk(ctx context.Context, yield func(*survey.Ask, error) error) error {
	return s.scan(ctx, topology.Responses, func(it item) error {
		a, err := unmarshalAsk(it)
		if err != nil {
			err = fmt.Errorf("ask %q: %w", askID(it), err)
		}
		return yield(a, err)
	})
}

// KeptSince returns the moment from which on every ask that was made is still
// there; an earlier one may have expired.
func (s *Store) KeptSince(now time.Time) time.Time { return now.Add(-s.retention) }
