package store

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

const byCohort = "byCohort"

func contactKey(id string) item { return item{topology.Contacts.Hash.Name: str(id)} }

// zoneKey starts with the zone, so that the contacts of one zone stand
// together in a cohort.
func zoneKey(zone, id string) string { return zone + "#" + id }

// marshalDetails writes what a change of a contact may change. An empty text or
// set is there with no value: it is to be removed.
func marshalDetails(c *survey.Contact) map[string]types.AttributeValue {
	it := item{
		"version":   num(int64(c.Version)),
		"zoneId":    str(zoneKey(c.Zone, c.ID)),
		"changedAt": millis(c.ChangedAt),
		"segments":  nil,
		"optOuts":   nil,
	}
	for name, v := range map[string]string{
		"ref": c.Ref, "email": c.Email, "phone": c.Phone, "firstName": c.FirstName, "lastName": c.LastName,
		"company": c.Company, "locale": c.Locale, "zone": c.Zone,
	} {
		it[name] = nil
		if v != "" {
			it[name] = str(v)
		}
	}
	if len(c.Segments) > 0 {
		it["segments"] = &types.AttributeValueMemberSS{Value: c.Segments}
	}
	if len(c.OptOuts) > 0 {
		it["optOuts"] = marshalOptOuts(c.OptOuts)
	}
	return it
}

// marshalContact writes a contact as an item. The map of asks is always there:
// an update can set a path only inside of one.
func marshalContact(c *survey.Contact) item {
	it := contactKey(c.ID)
	for name, v := range marshalDetails(c) {
		if v != nil {
			it[name] = v
		}
	}
	it["number"] = num(c.Number)
	it["cohort"] = num(int64(asking.Cohort(c.Number)))
	it["createdAt"] = millis(c.CreatedAt)
	if !c.LastAskedAt.IsZero() {
		it["lastAskedAt"], it["lastAsk"] = millis(c.LastAskedAt), str(c.LastAsk)
	}
	if len(c.Bounces) > 0 {
		it["bounces"] = marshalBounces(c.Bounces)
	}
	asked := item{}
	for t, a := range c.Asked {
		asked[t] = marshalAsked(a)
	}
	it["asked"] = &types.AttributeValueMemberM{Value: asked}
	return it
}

func marshalAsked(a survey.Asked) types.AttributeValue {
	return &types.AttributeValueMemberM{Value: item{"at": millis(a.At), "ask": str(a.Ask)}}
}

func marshalOptOuts(o map[survey.Channel]time.Time) types.AttributeValue {
	m := item{}
	for ch, at := range o {
		m[string(ch)] = millis(at)
	}
	return &types.AttributeValueMemberM{Value: m}
}

func unmarshalContact(it item) (*survey.Contact, error) {
	d := decoder{it: it}
	c := &survey.Contact{
		ID:          d.str("id"),
		Number:      d.num("number"),
		Version:     int(d.num("version")),
		Ref:         d.str("ref"),
		Email:       d.str("email"),
		Phone:       d.str("phone"),
		FirstName:   d.str("firstName"),
		LastName:    d.str("lastName"),
		Company:     d.str("company"),
		Locale:      d.str("locale"),
		Zone:        d.str("zone"),
		Segments:    d.set("segments"),
		OptOuts:     d.optOuts("optOuts"),
		Bounces:     d.bounces("bounces"),
		CreatedAt:   d.time("createdAt"),
		ChangedAt:   d.time("changedAt"),
		LastAskedAt: d.time("lastAskedAt"),
		LastAsk:     d.str("lastAsk"),
	}
	for t, v := range d.dict("asked") {
		in, ok := v.(*types.AttributeValueMemberM)
		if !ok {
			d.fail("asked")
			break
		}
		a := decoder{it: in.Value}
		if c.Asked == nil {
			c.Asked = map[string]survey.Asked{}
		}
		c.Asked[t] = survey.Asked{At: a.time("at"), Ask: a.str("ask")}
		if a.err != nil {
			d.fail("asked")
		}
	}
	switch {
	case d.err != nil:
		return nil, fmt.Errorf("contact %s: %w", survey.Fingerprint(c.ID), d.err)
	case c.ID == "" || c.Number < 1 || c.Version < 1 || c.Zone == "":
		return nil, fmt.Errorf("contact %s: no number, version or zone", survey.Fingerprint(c.ID))
	}
	return c, nil
}

func (d *decoder) optOuts(name string) map[survey.Channel]time.Time {
	var out map[survey.Channel]time.Time
	in := decoder{it: d.dict(name)}
	for ch := range in.it {
		if out == nil {
			out = map[survey.Channel]time.Time{}
		}
		out[survey.Channel(ch)] = in.time(ch)
	}
	if in.err != nil {
		d.fail(name)
	}
	return out
}

func noSuchContact() error {
	return survey.Errorf(survey.NotFound, "contact", "there is no such contact")
}

// Contact returns the contact with an id, as consistent as the last write. The
// error is [survey.NotFound] where there is none.
func (s *Store) Contact(ctx context.Context, id string) (*survey.Contact, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      s.table(topology.Contacts),
		Key:            contactKey(id),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, fmt.Errorf("reading contact %s: %w", survey.Fingerprint(id), err)
	}
	if len(out.Item) == 0 {
		return nil, noSuchContact()
	}
	return unmarshalContact(out.Item)
}

// ContactsByID returns the contacts with ids, any number of them, as consistent
// as the last write. Those that are not there are left out.
func (s *Store) ContactsByID(ctx context.Context, ids []string) (map[string]*survey.Contact, error) {
	items, err := s.batchGet(ctx, topology.Contacts, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*survey.Contact, len(items))
	for _, it := range items {
		c, err := unmarshalContact(it)
		if err != nil {
			return nil, err
		}
		out[c.ID] = c
	}
	return out, nil
}

// MaxContactsListed is the most contacts that [Store.ListContacts] returns at
// once.
const MaxContactsListed = 1000

// ListContacts returns up to limit contacts in no order, those after cursor,
// and the cursor of the next; both are "" where the list begins and ends. A
// page before the last may hold fewer than limit, or none. What is written
// meanwhile may be in the list or not; nothing that stays is left out or told
// twice. The error is [survey.Invalid] for a cursor or limit that is none.
func (s *Store) ListContacts(ctx context.Context, cursor string, limit int) ([]*survey.Contact, string, error) {
	if limit < 1 || limit > MaxContactsListed {
		return nil, "", survey.Errorf(survey.Invalid, "limit", "limit must be from 1 to %d", MaxContactsListed)
	}
	in := &dynamodb.ScanInput{TableName: s.table(topology.Contacts), Limit: aws.Int32(int32(limit))}
	if cursor != "" {
		if err := survey.CheckID("cursor", cursor); err != nil {
			return nil, "", err
		}
		in.ExclusiveStartKey = contactKey(cursor)
	}
	page, err := s.db.Scan(ctx, in)
	if err != nil {
		return nil, "", fmt.Errorf("listing contacts: %w", err)
	}
	var out []*survey.Contact
	for _, it := range page.Items {
		c, err := unmarshalContact(it)
		if err != nil {
			return nil, "", err
		}
		out = append(out, c)
	}
	d := decoder{it: page.LastEvaluatedKey}
	return out, d.str(topology.Contacts.Hash.Name), d.err
}

// EachOfCohort calls yield with the ids of all contacts of a cohort (package
// asking) in a zone, page by page in no order, until it returns an error, which
// EachOfCohort returns. It reads the index alone, which is a moment behind the
// contacts.
func (s *Store) EachOfCohort(ctx context.Context, cohort int, zone string, yield func(ids []string) error) error {
	e := newExpression()
	ix := topology.Contacts.Indexes[0]
	cond := e.is(ix.Hash.Name, "=", num(int64(cohort))) + " AND begins_with(" + e.name(ix.Range.Name) + "," + e.value(str(zoneKey(zone, ""))) + ")"
	pages := dynamodb.NewQueryPaginator(s.db, &dynamodb.QueryInput{
		TableName:                 s.table(topology.Contacts),
		IndexName:                 aws.String(byCohort),
		KeyConditionExpression:    &cond,
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading cohort %d of %s: %w", cohort, zone, err)
		}
		ids := make([]string, 0, len(page.Items))
		for _, it := range page.Items {
			d := decoder{it: it}
			ids = append(ids, d.str(topology.Contacts.Hash.Name))
			if d.err != nil {
				return fmt.Errorf("reading cohort %d of %s: %w", cohort, zone, d.err)
			}
		}
		if len(ids) == 0 {
			continue
		}
		if err := yield(ids); err != nil {
			return err
		}
	}
	return nil
}
