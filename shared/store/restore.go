package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// Restorable lists the tables that are put back from a copy, in the order for
// all of them: what needs a contact comes after the contacts. Tallies are
// counted again, and to the audit log nothing is ever added but what was done.
func Restorable() []topology.Table {
	return []topology.Table{topology.Settings, topology.Contacts, topology.Addresses, topology.Decisions, topology.Responses}
}

// State is how an item of a copy stands to the live table.
type State int

// The states. All but the first two are of items that are not in the live table.
const (
	Same    State = iota // as it is in the live table
	Differs              // is in the live table, and was changed since
	Missing              // can be put back
	// Orphan is a decision on a contact that is not there, or an address that
	// its contact does not have, any more.
	Orphan
	// Taken is a contact of whose addresses another contact has one by now.
	Taken
	// Unreadable is nothing that such a table has; an ask of that kind would
	// hold up counting.
	Unreadable
)

// Saved is an item of a copy.
type Saved struct {
	Key     string    // hash and range with a "/" between
	ID      string    // of an ask, a contact or a setting; "" for others
	Contact string    // whose it is; "" for nobody's
	Ends    time.Time // from when on it is not kept; zero for always
	State   State
	it      item
}

// Copy is what a table was at some moment, under another name.
type Copy struct {
	// About is how many items there are, as DynamoDB counted them in the last six
	// hours; 0 where it has not yet.
	About int64
	// At is the moment; zero where DynamoDB does not tell.
	At time.Time
	// Own is whether DynamoDB tells that the copy was made of the live table. It
	// does not tell of every copy, and of no table that is none.
	Own bool

	s    *Store
	t    topology.Table
	name string
}

// OpenCopy returns the copy of one of the tables [Restorable], by its whole
// name. The error is [survey.NotFound] where it or the live table is not there,
// and [survey.Invalid] where the copy is the live table, is not ready, has
// another key or is known to be of another table, also of another deployment's
// by that name: who was erased there, this one does not know.
func (s *Store) OpenCopy(ctx context.Context, t topology.Table, name string) (*Copy, error) {
	live := *s.table(t)
	if name == live {
		return nil, survey.Errorf(survey.Invalid, "copy", "%s is the live table, and no copy of it", name)
	}
	is, err := s.describe(ctx, live)
	if err != nil {
		return nil, err
	}
	was, err := s.describe(ctx, name)
	if err != nil {
		return nil, err
	}
	if was.TableStatus != types.TableStatusActive {
		return nil, survey.Errorf(survey.Invalid, "copy", "%s is not ready: %s", name, was.TableStatus)
	}
	if a, b := keyOf(is), keyOf(was); a != b {
		return nil, survey.Errorf(survey.Invalid, "copy", "%s has another key than %s: %s, and not %s", name, live, b, a)
	}
	c := &Copy{About: aws.ToInt64(was.ItemCount), s: s, t: t, name: name}
	if r := was.RestoreSummary; r != nil {
		c.At = aws.ToTime(r.RestoreDateTime)
		source, own := aws.ToString(r.SourceTableArn), aws.ToString(is.TableArn)
		if source != "" && source != own {
			return nil, survey.Errorf(survey.Invalid, "copy", "%s was made of %s, and not of %s", name, source, own)
		}
		c.Own = source != ""
	}
	return c, nil
}

func (s *Store) describe(ctx context.Context, name string) (*types.TableDescription, error) {
	out, err := s.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		return nil, survey.Errorf(survey.NotFound, "table", "there is no table %s", name)
	}
	if err != nil {
		return nil, fmt.Errorf("looking at the table %s: %w", name, err)
	}
	return out.Table, nil
}

// keyOf returns the key of a table in words: "id (S)".
func keyOf(t *types.TableDescription) string {
	var parts []string
	for _, k := range t.KeySchema { // the hash is the first
		i := slices.IndexFunc(t.AttributeDefinitions, func(a types.AttributeDefinition) bool { return *a.AttributeName == *k.AttributeName })
		parts = append(parts, fmt.Sprintf("%s (%s)", *k.AttributeName, t.AttributeDefinitions[i].AttributeType))
	}
	return strings.Join(parts, ", ")
}

// Each calls yield with all items of the copy, page by page (of 1 MB) in no
// order, and with how each stands to the live table at that moment, until it
// returns an error, which Each returns. Both are read consistently.
func (c *Copy) Each(ctx context.Context, yield func([]Saved) error) error {
	pages := dynamodb.NewScanPaginator(c.s.db, &dynamodb.ScanInput{TableName: &c.name, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading the copy %s: %w", c.name, err)
		}
		saved := make([]Saved, len(page.Items))
		for i, it := range page.Items {
			saved[i] = c.read(it)
		}
		if err := c.compare(ctx, saved); err != nil {
			return err
		}
		if err := c.judge(ctx, saved); err != nil {
			return err
		}
		if err := yield(saved); err != nil {
			return err
		}
	}
	return nil
}

func (c *Copy) read(it item) Saved {
	d := decoder{it: it}
	out := Saved{Key: keyText(c.t, it), ID: d.str("id"), Contact: d.str("contact"), State: Missing, it: it}
	if n := d.num("ttl"); n > 0 {
		out.Ends = time.Unix(n, 0)
	}
	err := d.err
	if err == nil {
		switch c.t.Name {
		case topology.Responses.Name:
			_, err = UnmarshalAsk(it)
		case topology.Contacts.Name:
			out.Contact = out.ID
			_, err = unmarshalContact(it)
		case topology.Addresses.Name:
			_, _, err = unmarshalHolding(it)
		case topology.Decisions.Name:
			_, err = unmarshalDecision(it)
		}
	}
	if err != nil {
		out.State = Unreadable
	}
	return out
}

func keyText(t topology.Table, it item) string {
	d := decoder{it: it}
	key := d.str(t.Hash.Name)
	if t.Range.Name != "" {
		key += "/" + d.str(t.Range.Name)
	}
	return key
}

// compare notes which items are in the live table.
func (c *Copy) compare(ctx context.Context, saved []Saved) error {
	parts := slices.Collect(slices.Chunk(saved, maxBatchGet))
	return each(ctx, len(parts), func(ctx context.Context, i int) error {
		ask := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
		for _, sv := range parts[i] {
			key := item{c.t.Hash.Name: sv.it[c.t.Hash.Name]}
			if c.t.Range.Name != "" {
				key[c.t.Range.Name] = sv.it[c.t.Range.Name]
			}
			ask.Keys = append(ask.Keys, key)
		}
		found, err := c.s.getBatch(ctx, c.t, ask)
		if err != nil {
			return err
		}
		live := make(map[string]item, len(found))
		for _, it := range found {
			live[keyText(c.t, it)] = it
		}
		for j := range parts[i] {
			sv := &parts[i][j]
			is, there := live[sv.Key]
			switch {
			case !there:
			case c.areZones(sv.it):
				if len(zonesIn(sv.it, is)) == 0 {
					sv.State = Same
				}
			case equal(&types.AttributeValueMemberM{Value: sv.it}, &types.AttributeValueMemberM{Value: is}):
				sv.State = Same
			default:
				sv.State = Differs
			}
		}
		return nil
	})
}

// areZones reports whether an item is the zones of contacts: what of a set is
// missing can be added to it.
func (c *Copy) areZones(it item) bool {
	return c.t.Name == topology.Settings.Name && keyText(c.t, it) == keyText(c.t, zonesKey.key())
}

// zonesIn returns the zones of contacts that an item has and another lacks.
func zonesIn(it, other item) []string {
	d, o := decoder{it: it}, decoder{it: other}
	known := o.set("names")
	return slices.DeleteFunc(d.set("names"), func(name string) bool { return slices.Contains(known, name) })
}

// equal reports whether two values are the same; sets come in any order.
func equal(a, b types.AttributeValue) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberM:
		b, ok := b.(*types.AttributeValueMemberM)
		return ok && maps.EqualFunc(a.Value, b.Value, equal)
	case *types.AttributeValueMemberSS:
		b, ok := b.(*types.AttributeValueMemberSS)
		return ok && slices.Equal(slices.Sorted(slices.Values(a.Value)), slices.Sorted(slices.Values(b.Value)))
	}
	return reflect.DeepEqual(a, b)
}

// judge notes which of the missing items cannot be put back for what became of
// their contacts.
func (c *Copy) judge(ctx context.Context, saved []Saved) error {
	missing := func(yield func(*Saved) bool) {
		for i := range saved {
			if saved[i].State == Missing && saved[i].Contact != "" && !yield(&saved[i]) {
				return
			}
		}
	}
	switch c.t.Name {
	case topology.Decisions.Name, topology.Addresses.Name:
		var ids []string
		for sv := range missing {
			ids = append(ids, sv.Contact)
		}
		contacts, err := c.s.ContactsByID(ctx, ids)
		if err != nil {
			return err
		}
		for sv := range missing {
			who := contacts[sv.Contact]
			if who == nil || c.t.Name == topology.Addresses.Name && !slices.Contains(addressesOf(who), sv.Key) {
				sv.State = Orphan
			}
		}
	case topology.Contacts.Name:
		keys := map[string][]string{}
		var all []string
		for sv := range missing {
			who, err := unmarshalContact(sv.it)
			if err != nil {
				return err
			}
			keys[sv.Key] = addressesOf(who)
			all = append(all, keys[sv.Key]...)
		}
		known, err := c.s.holdings(ctx, all)
		if err != nil {
			return err
		}
		for sv := range missing {
			if slices.ContainsFunc(keys[sv.Key], func(key string) bool { return known[key].contact != "" && known[key].contact != sv.Contact }) {
				sv.State = Taken
			}
		}
	}
	return nil
}

// PutBack puts items of the copy into the live table that are [Missing] there,
// many at a time, and returns how many it put. Each is on condition that there
// is nothing of its key: what was written meanwhile stays, and nothing is ever
// changed or deleted. A contact and its addresses are one transaction, as ever,
// and an opt-out that stands on one of them is the contact's again; its zone is
// made known first. A decision is put without another look at its contact: where
// that is deleted in the moment since [Copy.Each], the decision stays until its
// ttl. After an error some are there and some not; the call can be repeated.
func (c *Copy) PutBack(ctx context.Context, saved []Saved) (int, error) {
	var put atomic.Int64
	err := each(ctx, len(saved), func(ctx context.Context, i int) error {
		var done bool
		var err error
		switch sv := saved[i]; {
		case c.areZones(sv.it):
			done, err = true, c.putZones(ctx, sv.it)
		case c.t.Name == topology.Contacts.Name:
			done, err = c.putContact(ctx, sv.it)
		default:
			done, err = c.put(ctx, sv)
		}
		if err != nil {
			return fmt.Errorf("putting an item back into %s: %w", c.t.Name, err)
		}
		if done {
			put.Add(1)
		}
		return nil
	})
	return int(put.Load()), err
}

func (c *Copy) putZones(ctx context.Context, it item) error {
	for _, name := range zonesIn(it, nil) {
		c.s.zones.Delete(name) // it may have been known, and lost
		if err := c.s.useZone(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// missing is the write of an item on condition that there is none of its key.
func (c *Copy) missing(it item) *types.Put {
	e := newExpression()
	return &types.Put{
		TableName: c.s.table(c.t), Item: it, ConditionExpression: aws.String(e.notExists(c.t.Hash.Name)), ExpressionAttributeNames: e.names,
	}
}

// put puts an item back, an address on condition that its contact has it.
func (c *Copy) put(ctx context.Context, sv Saved) (bool, error) {
	return untilQuiet(ctx, func() (bool, error) {
		put := c.missing(sv.it)
		if c.t.Name != topology.Addresses.Name || sv.Contact == "" {
			_, err := c.s.db.PutItem(ctx, &dynamodb.PutItemInput{
				TableName: put.TableName, Item: put.Item, ConditionExpression: put.ConditionExpression, ExpressionAttributeNames: put.ExpressionAttributeNames,
			})
			return err == nil, err
		}
		who, err := c.s.Contact(ctx, sv.Contact)
		if survey.CodeOf(err) == survey.NotFound || err == nil && !slices.Contains(addressesOf(who), sv.Key) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		e := newExpression()
		cond := e.is("version", "=", num(int64(who.Version)))
		err = c.s.transact(ctx, []types.TransactWriteItem{{Put: put}, {ConditionCheck: &types.ConditionCheck{
			TableName: c.s.table(topology.Contacts), Key: contactKey(who.ID), ConditionExpression: &cond,
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		}}})
		return err == nil, err
	})
}

// putContact puts a contact back with those of its addresses that are nobody's,
// unless another has one of them.
func (c *Copy) putContact(ctx context.Context, it item) (bool, error) {
	was, err := unmarshalContact(it)
	if err != nil {
		return false, err
	}
	if err := c.s.useZone(ctx, was.Zone); err != nil {
		return false, err
	}
	return untilQuiet(ctx, func() (bool, error) {
		known, err := c.s.holdings(ctx, addressesOf(was))
		if err != nil {
			return false, err
		}
		who, back := clone(was), maps.Clone(it)
		var writes []types.TransactWriteItem
		for _, key := range addressesOf(who) {
			switch h := known[key]; h.contact {
			case who.ID:
			case "":
				inherit(who, h)
				writes = append(writes, c.s.take(key, who.ID, h))
			default:
				return false, nil
			}
		}
		if len(who.OptOuts) > 0 {
			back["optOuts"] = marshalOptOuts(who.OptOuts)
		}
		err = c.s.transact(ctx, append([]types.TransactWriteItem{{Put: c.missing(back)}}, writes...))
		return err == nil, err
	})
}

// untilQuiet calls put, and again where somebody else writes meanwhile, up to
// [changeTries] times. That the first condition of a write, or the only one,
// does not hold is no error.
func untilQuiet(ctx context.Context, put func() (bool, error)) (bool, error) {
	for try := 1; ; try++ {
		done, err := put()
		if _, there := refused(err); there {
			return false, nil
		}
		if e, ok := errors.AsType[*types.TransactionCanceledException](err); ok && aws.ToString(e.CancellationReasons[0].Code) == "ConditionalCheckFailed" {
			return false, nil
		}
		if err == nil || !conflicted(err) || try == changeTries {
			return done, err
		}
		if err := pause(ctx, try); err != nil {
			return false, err
		}
	}
}
