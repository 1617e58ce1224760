package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// Stored is an item of a table as texts.
type Stored struct {
	Key string // of the item; hash and range with a "/" between
	// Texts are all its texts, however deep, and the names of its attributes
	// and of what is in them. Numbers are none: they are times and counts.
	Texts []Text
	// Expires is when it is deleted by itself; zero for never.
	Expires time.Time
}

// Text is one text of an item, and the attribute that it is in.
type Text struct{ Attribute, Value string }

// First returns the first text of an attribute, "" where there is none.
func (s Stored) First(attribute string) string {
	for _, t := range s.Texts {
		if t.Attribute == attribute && t.Value != attribute {
			return t.Value
		}
	}
	return ""
}

// EachStored calls yield with every item of a table, in no order, read
// consistently, until it returns an error, which EachStored returns. It reads
// also what no other method would: it is for looking for traces of a person.
func (s *Store) EachStored(ctx context.Context, t topology.Table, yield func(Stored) error) error {
	return s.scan(ctx, t, func(it item) error {
		d := decoder{it: it}
		out := Stored{Key: d.str(t.Hash.Name)}
		if t.Range.Name != "" {
			out.Key += "/" + d.str(t.Range.Name)
		}
		for _, name := range slices.Sorted(maps.Keys(it)) {
			out.Texts = texts(append(out.Texts, Text{name, name}), name, it[name])
		}
		if at := d.num(t.TTL); at != 0 {
			out.Expires = time.Unix(at, 0).UTC()
		}
		return yield(out)
	})
}

// texts appends the texts in a value.
func texts(to []Text, attribute string, v types.AttributeValue) []Text {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		to = append(to, Text{attribute, v.Value})
	case *types.AttributeValueMemberB:
		to = append(to, Text{attribute, string(v.Value)})
	case *types.AttributeValueMemberSS:
		for _, s := range v.Value {
			to = append(to, Text{attribute, s})
		}
	case *types.AttributeValueMemberL:
		for _, e := range v.Value {
			to = texts(to, attribute, e)
		}
	case *types.AttributeValueMemberM:
		for _, k := range slices.Sorted(maps.Keys(v.Value)) {
			to = texts(append(to, Text{attribute, k}), attribute, v.Value[k])
		}
	}
	return to
}

// counted are the attributes of an ask that its place in the tallies follows
// from, and what it was about; none tells of a person.
var counted = []string{
	"touchpoint", "series", "metric", "channel", "segments", "test", demoFlag,
	"askedAt", "sentAt", "refusedAt", "deliveredAt", "bouncedAt", "score", "trust", "answeredAt", "ttl",
}

// later are the attributes that an ask may get after it was made.
var later = []string{
	"triedAt", "sentAt", "refusedAt", "deliveredAt", "bouncedAt", "remindedAt", "repliedAt",
	"trust", "score", "comment", "answeredAt", "editedAt", "autoAt",
}

// AnonymiseAsk makes an ask nobody's, and reports whether there was one: what it
// counts for goes on under a new random id, and everything else is gone, the
// link in the message with it. The id goes too, because it is made of the
// contact's: who has the secret could make it again. Both are one transaction,
// so that tallies count the same before and after. An ask that was neither sent
// nor answered counts for nothing and is deleted. After an error it is as it
// was or done; the call can be repeated.
func (s *Store) AnonymiseAsk(ctx context.Context, id string) (bool, error) {
	for try := 1; ; try++ {
		out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: s.table(topology.Responses), Key: item{"id": str(id)}, ConsistentRead: aws.Bool(true),
		})
		if err != nil {
			return false, fmt.Errorf("reading an ask: %w", err)
		}
		if len(out.Item) == 0 {
			return false, nil
		}
		err = s.transact(ctx, s.anonymise(out.Item))
		if err == nil {
			return true, nil
		}
		if !conflicted(err) || try == changeTries {
			return false, fmt.Errorf("anonymising an ask: %w", err)
		}
		if err := pause(ctx, try); err != nil {
			return false, fmt.Errorf("anonymising an ask: %w", err)
		}
	}
}

// anonymise returns the writes that make an ask nobody's, on condition that it
// still is what it was.
func (s *Store) anonymise(was item) []types.TransactWriteItem {
	e := newExpression()
	cond := e.exists()
	for _, name := range slices.Sorted(maps.Keys(was)) {
		cond += " AND " + e.name(name) + "=" + e.value(was[name])
	}
	for _, name := range later {
		if was[name] == nil {
			cond += " AND " + e.notExists(name)
		}
	}
	writes := []types.TransactWriteItem{{Delete: &types.Delete{
		TableName:                 s.table(topology.Responses),
		Key:                       item{"id": was["id"]},
		ConditionExpression:       &cond,
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	}}}
	if was["sentAt"] == nil && was["trust"] == nil {
		return writes
	}
	fresh := item{"id": str(survey.NewID())}
	for _, name := range counted {
		if v := was[name]; v != nil {
			fresh[name] = v
		}
	}
	n := newExpression()
	return append(writes, types.TransactWriteItem{Put: &types.Put{
		TableName:                s.table(topology.Responses),
		Item:                     fresh,
		ConditionExpression:      aws.String(n.notExists("id")),
		ExpressionAttributeNames: n.names,
	}})
}

// Said returns the attributes of an ask that have what somebody wrote, or what a
// program told of them; an ask counts the same without.
func Said() []string { return []string{"comment", "ref", "page", "attrs", "occasion"} }

// RemoveSaid removes attributes of [Said] from an ask, and reports whether there
// is one. A comment leaves the feed as well. It can be repeated.
func (s *Store) RemoveSaid(ctx context.Context, id string, attributes []string) (bool, error) {
	e := newExpression()
	for _, name := range attributes {
		if name == "comment" {
			e.setComment("", id, "", time.Time{})
			continue
		}
		e.remove(name)
	}
	old, err := s.mark(ctx, id, e, e.is("id", "=", str(id)))
	if err != nil {
		return false, fmt.Errorf("removing words from an ask: %w", err)
	}
	return old == nil, nil
}

// DeleteDecisions deletes the decisions on a contact who is not there any more,
// such as those that were made while it was deleted.
func (s *Store) DeleteDecisions(ctx context.Context, contact string) error {
	return s.deleteDecisions(ctx, contact)
}
