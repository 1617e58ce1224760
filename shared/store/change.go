package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// changeTries is how often a change is made anew because somebody else wrote
// the same contact or address meanwhile.
const changeTries = 10

// ChangeContact changes a contact's details, once: change gets a copy, and may
// be called again where somebody else writes meanwhile. What it does to the id,
// the number, the version, the times and the asks is ignored. It returns what
// is stored then; where change changes nothing, nothing is written. A contact
// that takes a known address of which the last holder had opted out is opted
// out as well.
//
// The error is [survey.NotFound] where there is no such contact;
// [survey.Conflict] on version where version is neither 0 nor the contact's, and
// on ref, email or phone where that belongs to another contact; [survey.Invalid]
// where a detail breaks a rule; or change's own.
func (s *Store) ChangeContact(ctx context.Context, id string, version int, change func(*survey.Contact) error, now time.Time) (*survey.Contact, error) {
	now = now.UTC().Truncate(time.Millisecond)
	for try := 1; ; try++ {
		was, err := s.Contact(ctx, id)
		if err != nil {
			return nil, err
		}
		if version != 0 && version != was.Version {
			return nil, meanwhile()
		}
		c, err := s.changed(ctx, was, change)
		if err != nil {
			return nil, err
		}
		if c == was {
			return was, nil
		}
		known, err := s.holdings(ctx, addressesOf(c))
		if err != nil {
			return nil, err
		}
		if err := belongToOthers(c, known); err != nil {
			return nil, err
		}
		err = s.writeContact(ctx, was, c, known, now)
		if err == nil {
			return c, nil
		}
		if survey.CodeOf(err) != survey.Conflict || try == changeTries {
			return nil, err
		}
		if err := pause(ctx, try); err != nil {
			return nil, fmt.Errorf("changing contact %s: %w", survey.Fingerprint(id), err)
		}
	}
}

func meanwhile() error {
	return survey.Errorf(survey.Conflict, "version", "the contact has been changed meanwhile, read it again")
}

// changed returns what change makes of a contact, and was itself where that is
// the same.
func (s *Store) changed(ctx context.Context, was *survey.Contact, change func(*survey.Contact) error) (*survey.Contact, error) {
	c := clone(was)
	if err := change(c); err != nil {
		return nil, err
	}
	c.ID, c.Number, c.Version, c.CreatedAt, c.ChangedAt = was.ID, was.Number, was.Version, was.CreatedAt, was.ChangedAt
	c.LastAskedAt, c.LastAsk, c.Asked, c.Bounces = was.LastAskedAt, was.LastAsk, was.Asked, was.Bounces
	for ch, at := range c.OptOuts {
		c.OptOuts[ch] = at.UTC().Truncate(time.Millisecond)
	}
	c.Segments = slices.Compact(slices.Sorted(slices.Values(c.Segments)))
	if c.Zone == "" {
		r, err := s.Rules(ctx)
		if err != nil {
			return nil, err
		}
		c.Zone = r.Zone
	}
	d := c.Details()
	if err := d.Check(); err != nil {
		return nil, err
	}
	if sameDetails(c, was) {
		return was, nil
	}
	return c, nil
}

func clone(c *survey.Contact) *survey.Contact {
	out := *c
	out.Segments, out.OptOuts, out.Asked = slices.Clone(c.Segments), maps.Clone(c.OptOuts), maps.Clone(c.Asked)
	out.Bounces = maps.Clone(c.Bounces)
	return &out
}

func sameDetails(a, b *survey.Contact) bool {
	return a.Ref == b.Ref && a.Email == b.Email && a.Phone == b.Phone &&
		a.FirstName == b.FirstName && a.LastName == b.LastName && a.Company == b.Company &&
		a.Locale == b.Locale && a.Zone == b.Zone && slices.Equal(a.Segments, b.Segments) &&
		maps.EqualFunc(a.OptOuts, b.OptOuts, time.Time.Equal)
}

// writeContact writes a contact, new where was is nil, and all addresses that
// it takes and gives up: all or nothing. known says who holds the addresses of
// c; those of others must not be among them. It completes c: the opt-outs that
// come with an address, the version, the times. The error is [survey.Conflict]
// where the contact is no longer what it was, or an address no longer what is
// known.
func (s *Store) writeContact(ctx context.Context, was, c *survey.Contact, known map[string]holding, now time.Time) error {
	had, has := addressesOf(was), addressesOf(c)
	c.ChangedAt = now
	if was == nil {
		c.Version, c.CreatedAt = 1, now
	} else {
		c.Version = was.Version + 1
	}
	var writes []types.TransactWriteItem
	for _, key := range has {
		if !slices.Contains(had, key) {
			if known[key].contact != "" {
				return meanwhile() // the address was read before the contact, which has given it up since
			}
			inherit(c, known[key])
			writes = append(writes, s.take(key, c.ID, known[key]))
		}
	}
	for _, key := range had {
		if !slices.Contains(has, key) {
			writes = append(writes, s.release(key, c))
		}
	}
	if err := s.useZone(ctx, c.Zone); err != nil {
		return err
	}
	var err error
	switch {
	case was == nil:
		err = s.transact(ctx, append(writes, s.create(c)))
	case len(writes) == 0:
		up := s.replace(c, was.Version)
		_, err = s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: up.TableName, Key: up.Key, UpdateExpression: up.UpdateExpression, ConditionExpression: up.ConditionExpression,
			ExpressionAttributeNames: up.ExpressionAttributeNames, ExpressionAttributeValues: up.ExpressionAttributeValues,
		})
	default:
		err = s.transact(ctx, append(writes, types.TransactWriteItem{Update: s.replace(c, was.Version)}))
	}
	if conflicted(err) {
		return meanwhile()
	}
	if err != nil {
		return fmt.Errorf("writing contact %s: %w", survey.Fingerprint(c.ID), err)
	}
	return nil
}

// inherit gives a contact the opt-outs that came with an address, each from
// when it was first made.
func inherit(c *survey.Contact, h holding) {
	for ch, at := range h.optOuts {
		if have, out := c.OptOuts[ch]; out && !at.Before(have) {
			continue
		}
		if c.OptOuts == nil {
			c.OptOuts = map[survey.Channel]time.Time{}
		}
		c.OptOuts[ch] = at
	}
}

func (s *Store) transact(ctx context.Context, writes []types.TransactWriteItem) error {
	_, err := s.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
	return err
}

// create returns the write of a new contact.
func (s *Store) create(c *survey.Contact) types.TransactWriteItem {
	e := newExpression()
	cond := e.notExists("id")
	return types.TransactWriteItem{Put: &types.Put{
		TableName:                s.table(topology.Contacts),
		Item:                     marshalContact(c),
		ConditionExpression:      &cond,
		ExpressionAttributeNames: e.names,
	}}
}

// replace returns the write of a contact's details, on condition that they are
// still of a version. It leaves the asks alone, which are written beside it.
func (s *Store) replace(c *survey.Contact, version int) *types.Update {
	e := newExpression()
	details := marshalDetails(c)
	for _, name := range slices.Sorted(maps.Keys(details)) {
		if v := details[name]; v != nil {
			e.set(name, v)
		} else {
			e.remove(name)
		}
	}
	cond := e.is("version", "=", num(int64(version)))
	return &types.Update{
		TableName:                 s.table(topology.Contacts),
		Key:                       contactKey(c.ID),
		UpdateExpression:          e.update(),
		ConditionExpression:       &cond,
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	}
}

// DeleteContact deletes a contact, the decisions on it, and its addresses,
// except that an address of somebody who had opted out is remembered, as a hash
// with the opt-outs, so that the person who comes back by it is still opted
// out. Asks and answers stay, under an id that leads to nobody. The decisions
// go first, so that a repeated call ends what one that died began. The error is
// [survey.NotFound] where there is no such contact.
func (s *Store) DeleteContact(ctx context.Context, id string) error {
	for try := 1; ; try++ {
		c, err := s.Contact(ctx, id)
		if err != nil {
			return err
		}
		if err := s.deleteDecisions(ctx, id); err != nil {
			return err
		}
		e := newExpression()
		cond := e.is("version", "=", num(int64(c.Version)))
		writes := []types.TransactWriteItem{{Delete: &types.Delete{
			TableName:                 s.table(topology.Contacts),
			Key:                       contactKey(id),
			ConditionExpression:       &cond,
			ExpressionAttributeNames:  e.names,
			ExpressionAttributeValues: e.values,
		}}}
		for _, key := range addressesOf(c) {
			writes = append(writes, s.release(key, c))
		}
		err = s.transact(ctx, writes)
		if err == nil {
			return nil
		}
		if !conflicted(err) || try == changeTries {
			return fmt.Errorf("deleting contact %s: %w", survey.Fingerprint(id), err)
		}
		if err := pause(ctx, try); err != nil {
			return fmt.Errorf("deleting contact %s: %w", survey.Fingerprint(id), err)
		}
	}
}
