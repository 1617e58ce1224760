package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// Settings of which there is one of each.
var (
	rulesKey   = setting{"rules", "asking"}
	planKey    = setting{"plan", "tick"}
	zonesKey   = setting{"zones", "contacts"}
	counterKey = setting{"counter", "contacts"}
)

type setting struct{ kind, id string }

func (k setting) key() item { return settingKey(k.kind, k.id) }

// Planned is how far the cadences have been planned. Version counts the
// changes, from 1; 0 says that nothing has been planned.
type Planned struct {
	Version int
	// Through is the moment up to which every turn has been queued.
	Through time.Time
	// Days says by touchpoint on which days its turns fell (asking.Rulebook.Days),
	// and Since since when they do.
	Days  map[string]string
	Since map[string]time.Time
	// Done names the parts of a tick that are done, where the tick after
	// Through is not.
	Done []string `json:",omitempty"`
}

// Rules returns the rules of asking, each that is not stated with its default;
// of Version 0 where none are stored.
func (s *Store) Rules(ctx context.Context) (survey.Rules, error) {
	var r survey.Rules
	version, err := s.readSetting(ctx, rulesKey, &r)
	if err != nil {
		return survey.Rules{}, err
	}
	r.Version = version
	return r.Complete(), nil
}

// PutRules makes r the rules of asking, with the version after was's, on
// condition that was are still in force. The error is [survey.Conflict] where
// somebody else changed them meanwhile; nothing is written then.
func (s *Store) PutRules(ctx context.Context, was, r survey.Rules) error {
	r.Version = 0 // it stands beside the definition
	return s.putSetting(ctx, rulesKey, was.Version, r)
}

// Planned returns how far the cadences have been planned, as consistent as the
// last write; the zero Planned where they never were.
func (s *Store) Planned(ctx context.Context) (Planned, error) {
	var p Planned
	version, err := s.readSetting(ctx, planKey, &p)
	if err != nil {
		return Planned{}, err
	}
	p.Version = version
	return p, nil
}

// PutPlanned replaces was by p, with the version after was's. The error is
// [survey.Conflict] where was has been replaced meanwhile; nothing is written
// then.
func (s *Store) PutPlanned(ctx context.Context, was, p Planned) error {
	p.Version = 0
	return s.putSetting(ctx, planKey, was.Version, p)
}

// readSetting reads a setting that is kept as JSON with a version; 0, and
// nothing is read, where there is none.
func (s *Store) readSetting(ctx context.Context, k setting, to any) (version int, err error) {
	it, err := s.settingItem(ctx, k)
	if err != nil || len(it) == 0 {
		return 0, err
	}
	d := decoder{it: it}
	version = int(d.num("version"))
	if err := json.Unmarshal([]byte(d.str("definition")), to); err != nil {
		return 0, fmt.Errorf("reading the %s of %s: %w", k.kind, k.id, err)
	}
	return version, d.err
}

func (s *Store) settingItem(ctx context.Context, k setting) (item, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      s.table(topology.Settings),
		Key:            k.key(),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, fmt.Errorf("reading the %s of %s: %w", k.kind, k.id, err)
	}
	return out.Item, nil
}

func (s *Store) putSetting(ctx context.Context, k setting, was int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing the %s of %s: %w", k.kind, k.id, err)
	}
	e := newExpression()
	e.set("version", num(int64(was)+1))
	e.set("definition", str(string(b)))
	cond := e.notExists("version")
	if was > 0 {
		cond = e.is("version", "=", num(int64(was)))
	}
	_, err = s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 s.table(topology.Settings),
		Key:                       k.key(),
		UpdateExpression:          e.update(),
		ConditionExpression:       &cond,
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	})
	if _, ok := refused(err); ok {
		return survey.Errorf(survey.Conflict, "version", "the %s of %s have been changed meanwhile, read them again", k.kind, k.id)
	}
	if err != nil {
		return fmt.Errorf("writing the %s of %s: %w", k.kind, k.id, err)
	}
	return nil
}

// Zones returns the time zones of all contacts, sorted. A zone of which the
// last contact has gone stays.
func (s *Store) Zones(ctx context.Context) ([]string, error) {
	it, err := s.settingItem(ctx, zonesKey)
	if err != nil {
		return nil, err
	}
	d := decoder{it: it}
	return d.set("names"), d.err
}

// useZone makes a zone known before the first contact in it is written, so that
// no contact is ever in a zone that nobody looks into.
func (s *Store) useZone(ctx context.Context, name string) error {
	if _, known := s.zones.Load(name); known {
		return nil
	}
	e := newExpression()
	e.addTo("names", name)
	_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 s.table(topology.Settings),
		Key:                       zonesKey.key(),
		UpdateExpression:          e.update(),
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	})
	if err != nil {
		return fmt.Errorf("noting the zone of a contact: %w", err)
	}
	s.zones.Store(name, true)
	return nil
}

// takeNumbers returns the first of n numbers that no contact has or will get
// from anybody else.
func (s *Store) takeNumbers(ctx context.Context, n int) (first int64, err error) {
	e := newExpression()
	e.add("last", int64(n))
	out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 s.table(topology.Settings),
		Key:                       counterKey.key(),
		UpdateExpression:          e.update(),
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
		ReturnValues:              types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return 0, fmt.Errorf("taking %d numbers of contacts: %w", n, err)
	}
	d := decoder{it: out.Attributes}
	return d.num("last") - int64(n) + 1, d.err
}
