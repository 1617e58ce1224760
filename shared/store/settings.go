package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// Kinds of settings.
const (
	kindTouchpoint = "touchpoint" // by touchpoint: the definition in force
	kindSeries     = "series"     // by series key: the last definition of an ended series
	kindAnnotation = "annotation" // by id
	kindShare      = "share"      // by the hash of the key: a shared view
)

func settingKey(kind, id string) item {
	return item{topology.Settings.Hash.Name: str(kind), topology.Settings.Range.Name: str(id)}
}

// marshalTouchpoint writes a definition as an item: as JSON, which is what
// people edit and read, with its version beside it for the condition.
func marshalTouchpoint(kind, id string, t *survey.Touchpoint) (item, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("touchpoint %s: %w", t.ID, err)
	}
	it := settingKey(kind, id)
	it["version"] = num(int64(t.Version))
	it["definition"] = str(string(b))
	return it, nil
}

func unmarshalTouchpoint(it item) (*survey.Touchpoint, error) {
	d := decoder{it: it}
	t := &survey.Touchpoint{}
	if err := json.Unmarshal([]byte(d.str("definition")), t); err != nil {
		return nil, fmt.Errorf("touchpoint %s: %w", d.str(topology.Settings.Range.Name), err)
	}
	return t, nil
}

// Touchpoints returns the definitions in force, by id in order.
func (s *Store) Touchpoints(ctx context.Context) ([]*survey.Touchpoint, error) {
	e := newExpression()
	cond := e.is(topology.Settings.Hash.Name, "=", str(kindTouchpoint))
	pages := dynamodb.NewQueryPaginator(s.db, &dynamodb.QueryInput{
		TableName:                 s.table(topology.Settings),
		KeyConditionExpression:    &cond,
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	})
	var out []*survey.Touchpoint
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the touchpoints: %w", err)
		}
		for _, it := range page.Items {
			t, err := unmarshalTouchpoint(it)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
	}
	return out, nil
}

// Touchpoint returns the definition in force of a touchpoint, read
// consistently: what a change can be made from. The error is [survey.NotFound]
// where there is none.
func (s *Store) Touchpoint(ctx context.Context, id string) (*survey.Touchpoint, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      s.table(topology.Settings),
		Key:            settingKey(kindTouchpoint, id),
		ConsistentRead: new(true),
	})
	if err != nil {
		return nil, fmt.Errorf("reading touchpoint %s: %w", id, err)
	}
	if len(out.Item) == 0 {
		return nil, noTouchpoint()
	}
	return unmarshalTouchpoint(out.Item)
}

func noTouchpoint() error {
	return survey.Errorf(survey.NotFound, "touchpoint", "there is no such touchpoint")
}

// EndedSeries returns the last definition of a series that is over. The error
// is [survey.NotFound] where there is none.
func (s *Store) EndedSeries(ctx context.Context, k SeriesKey) (*survey.Touchpoint, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: s.table(topology.Settings),
		Key:       settingKey(kindSeries, k.String()),
	})
	if err != nil {
		return nil, fmt.Errorf("reading series %s: %w", k, err)
	}
	if len(out.Item) == 0 {
		return nil, survey.Errorf(survey.NotFound, "series", "there is no series %d of %s", k.Series, k.Touchpoint)
	}
	return unmarshalTouchpoint(out.Item)
}

// PutTouchpoint makes t the definition in force, on condition that the one it
// was made from still is: was, or none where was is nil. Where t has another
// series, the last definition of the ended one is kept in the same
// transaction. The error is [survey.Conflict] where somebody else changed the
// touchpoint meanwhile; nothing is written then.
func (s *Store) PutTouchpoint(ctx context.Context, was, t *survey.Touchpoint) error {
	it, err := marshalTouchpoint(kindTouchpoint, t.ID, t)
	if err != nil {
		return err
	}
	put := &types.Put{TableName: s.table(topology.Settings), Item: it}
	e := newExpression()
	cond := e.notExists("version")
	if was != nil {
		cond = e.is("version", "=", num(int64(was.Version)))
		put.ExpressionAttributeValues = e.values
	}
	put.ConditionExpression, put.ExpressionAttributeNames = &cond, e.names
	writes := []types.TransactWriteItem{{Put: put}}
	if was != nil && was.Series != t.Series {
		ended, err := marshalTouchpoint(kindSeries, SeriesKey{was.ID, was.Series}.String(), was)
		if err != nil {
			return err
		}
		writes = append(writes, types.TransactWriteItem{Put: &types.Put{TableName: s.table(topology.Settings), Item: ended}})
	}
	_, err = s.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
	if conflicted(err) {
		return survey.Errorf(survey.Conflict, "id", "touchpoint %s has been changed meanwhile, read it again", t.ID)
	}
	if err != nil {
		return fmt.Errorf("writing touchpoint %s, version %s: %w", t.ID, strconv.Itoa(t.Version), err)
	}
	return nil
}
