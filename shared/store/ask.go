package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
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
		"trust": string(a.Trust), "ref": a.Ref, "page": a.Page,
	} {
		if v != "" {
			it[name] = str(v)
		}
	}
	for name, t := range map[string]time.Time{
		"askedAt": a.AskedAt, "sentAt": a.SentAt, "deliveredAt": a.DeliveredAt, "bouncedAt": a.BouncedAt,
		"answeredAt": a.AnsweredAt, "editedAt": a.EditedAt, "autoAt": a.AutoAt,
	} {
		if !t.IsZero() {
			it[name] = millis(t)
		}
	}
	if a.Answered() {
		it["score"] = num(int64(a.Score))
	}
	if a.Comment != "" {
		feed, feedAt := feedKeys(a.Touchpoint, a.ID, a.AnsweredAt)
		it["feed"], it["feedAt"] = str(feed), str(feedAt)
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
	d := decoder{it: it}
	a := &survey.Ask{
		ID:          d.str("id"),
		Touchpoint:  d.str("touchpoint"),
		Series:      int(d.num("series")),
		Metric:      survey.Metric(d.str("metric")),
		Channel:     survey.Channel(d.str("channel")),
		Locale:      d.str("locale"),
		Contact:     d.str("contact"),
		AskedAt:     d.time("askedAt"),
		SentAt:      d.time("sentAt"),
		DeliveredAt: d.time("deliveredAt"),
		BouncedAt:   d.time("bouncedAt"),
		Score:       int(d.num("score")),
		Comment:     d.str("comment"),
		Trust:       survey.Trust(d.str("trust")),
		AnsweredAt:  d.time("answeredAt"),
		EditedAt:    d.time("editedAt"),
		AutoAt:      d.time("autoAt"),
		Ref:         d.str("ref"),
		Page:        d.str("page"),
	}
	switch v := it["segments"].(type) {
	case nil:
	case *types.AttributeValueMemberSS:
		a.Segments = slices.Sorted(slices.Values(v.Value)) // a set comes back in any order
	default:
		d.fail("segments")
	}
	switch v := it["attrs"].(type) {
	case nil:
	case *types.AttributeValueMemberM:
		in := decoder{it: v.Value}
		for k := range v.Value {
			if a.Attrs == nil {
				a.Attrs = map[string]string{}
			}
			a.Attrs[k] = in.str(k)
		}
		if in.err != nil {
			d.fail("attrs")
		}
	default:
		d.fail("attrs")
	}
	switch {
	case d.err != nil:
		return nil, fmt.Errorf("ask %q: %w", a.ID, d.err)
	case a.ID == "" || a.Touchpoint == "" || a.Series < 1 || !a.Metric.Valid() || a.AskedAt.IsZero():
		return nil, fmt.Errorf("ask %q: no touchpoint, series, metric or time", a.ID)
	case !slices.Contains([]survey.Trust{"", survey.Click, survey.Human, survey.Suspect}, a.Trust):
		return nil, fmt.Errorf("ask %q: trust %q is unknown", a.ID, a.Trust)
	case a.Answered() != (it["score"] != nil):
		return nil, fmt.Errorf("ask %q: a score without trust, or trust without a score", a.ID)
	case a.Answered() && (!a.Metric.Admits(a.Score) || a.AnsweredAt.IsZero()):
		return nil, fmt.Errorf("ask %q: answer %d is not one of %s, or has no time", a.ID, a.Score, a.Metric)
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
		return nil, fmt.Errorf("reading ask %s: %w", id, err)
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
		return fmt.Errorf("creating ask %s: %w", a.ID, err)
	}
	return nil
}

// EachAsk calls yield with every ask there is, in no order, read consistently,
// until it returns an error, which EachAsk returns. For an item that cannot be
// read, yield gets the error instead, which names its id.
func (s *Store) EachAsk(ctx context.Context, yield func(*survey.Ask, error) error) error {
	return s.scan(ctx, topology.Responses, func(it item) error { return yield(UnmarshalAsk(it)) })
}

// KeptSince returns the moment from which on every ask that was made is still
// there; an earlier one may have expired.
func (s *Store) KeptSince(now time.Time) time.Time { return now.Add(-s.retention) }
