package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// Fields that identify a contact, and are kept in the table of addresses.
const (
	fieldRef   = "ref"
	fieldEmail = "email"
	fieldPhone = "phone"
)

// addressKey returns the key of an address: the first 16 bytes of SHA-256 over
// its field and value, in base64url. So the table can keep an opted-out address
// without knowing it.
func addressKey(field, value string) string {
	sum := sha256.Sum256([]byte(field + ":" + value))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// addressKeys returns the keys of what identifies a person; those that are
// empty are left out.
func addressKeys(ref, email, phone string) []string {
	var out []string
	for _, a := range []struct{ field, value string }{{fieldRef, ref}, {fieldEmail, email}, {fieldPhone, phone}} {
		if a.value != "" {
			out = append(out, addressKey(a.field, a.value))
		}
	}
	return out
}

func addressesOf(c *survey.Contact) []string {
	if c == nil {
		return nil
	}
	return addressKeys(c.Ref, c.Email, c.Phone)
}

// holding is what is known of an address: the contact that holds it or, where
// there is none any more, the opt-outs of the last that did. Zero for an
// address that nobody holds.
type holding struct {
	contact string
	optOuts map[survey.Channel]time.Time
}

func marshalHolding(key string, h holding) item {
	it := item{topology.Addresses.Hash.Name: str(key)}
	if h.contact != "" {
		it["contact"] = str(h.contact)
	}
	if len(h.optOuts) > 0 {
		it["optOuts"] = marshalOptOuts(h.optOuts)
	}
	return it
}

func unmarshalHolding(it item) (key string, h holding, err error) {
	d := decoder{it: it}
	key, h.contact = d.str(topology.Addresses.Hash.Name), d.str("contact")
	h.optOuts = d.optOuts("optOuts")
	if d.err != nil {
		// Its key is made of the address, which could be found by trying.
		return "", holding{}, fmt.Errorf("an address: %w", d.err)
	}
	return key, h, nil
}

// holdings returns what is known of addresses, by key; nobody's are left out.
func (s *Store) holdings(ctx context.Context, keys []string) (map[string]holding, error) {
	items, err := s.batchGet(ctx, topology.Addresses, keys)
	if err != nil {
		return nil, err
	}
	out := make(map[string]holding, len(items))
	for _, it := range items {
		key, h, err := unmarshalHolding(it)
		if err != nil {
			return nil, err
		}
		out[key] = h
	}
	return out, nil
}

// take returns the write by which a contact takes an address, on condition
// that the address is still held as was says: by nobody.
func (s *Store) take(key, contact string, was holding) types.TransactWriteItem {
	e := newExpression()
	put := &types.Put{
		TableName:                s.table(topology.Addresses),
		Item:                     marshalHolding(key, holding{contact: contact}),
		ExpressionAttributeNames: e.names,
	}
	if len(was.optOuts) == 0 {
		put.ConditionExpression = aws.String(e.notExists(topology.Addresses.Hash.Name))
	} else {
		put.ConditionExpression = aws.String(e.notExists("contact") + " AND " + e.is("optOuts", "=", marshalOptOuts(was.optOuts)))
		put.ExpressionAttributeValues = e.values
	}
	return types.TransactWriteItem{Put: put}
}

// release returns the write by which a contact gives up an address: the item
// goes, unless there are opt-outs to remember.
func (s *Store) release(key string, c *survey.Contact) types.TransactWriteItem {
	e := newExpression()
	cond := e.is("contact", "=", str(c.ID))
	if len(c.OptOuts) > 0 {
		return types.TransactWriteItem{Put: &types.Put{
			TableName:                 s.table(topology.Addresses),
			Item:                      marshalHolding(key, holding{optOuts: c.OptOuts}),
			ConditionExpression:       &cond,
			ExpressionAttributeNames:  e.names,
			ExpressionAttributeValues: e.values,
		}}
	}
	return types.TransactWriteItem{Delete: &types.Delete{
		TableName:                 s.table(topology.Addresses),
		Key:                       item{topology.Addresses.Hash.Name: str(key)},
		ConditionExpression:       &cond,
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	}}
}

// FindContact returns the contact with a ref, e-mail address or phone number,
// both normalised: field is "ref", "email" or "phone". The error is
// [survey.NotFound] where there is none, [survey.Invalid] for another field.
func (s *Store) FindContact(ctx context.Context, field, value string) (*survey.Contact, error) {
	if field != fieldRef && field != fieldEmail && field != fieldPhone {
		return nil, survey.Errorf(survey.Invalid, field, "a contact is found by ref, email or phone")
	}
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      s.table(topology.Addresses),
		Key:            item{topology.Addresses.Hash.Name: str(addressKey(field, value))},
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, fmt.Errorf("finding a contact by %s: %w", field, err)
	}
	_, h, err := unmarshalHolding(out.Item)
	if err != nil {
		return nil, err
	}
	if h.contact == "" {
		return nil, noSuchContact()
	}
	return s.Contact(ctx, h.contact)
}
