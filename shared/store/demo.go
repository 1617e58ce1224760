package store

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// demoFlag is the attribute of asks that were generated.
const demoFlag = "demo"

func flag() types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: true} }

var demoKey = setting{"demo", "history"}

// Demo is the history that was generated, or is being. Version counts the
// changes, from 1; 0 says that there is none.
type Demo struct {
	Version int
	// Seed is what the history and the ids of its asks are made from: with the
	// same one the same history is made again, and nothing of it twice.
	Seed []byte
	// From and Until are the time that it covers.
	From, Until time.Time
	// Through is the moment up to which all asks are written.
	Through time.Time
	// Removing is whether it is being removed, so that nothing more is written.
	Removing bool `json:",omitempty"`
}

// Demo returns the history that was generated, as consistent as the last write;
// the zero Demo where there is none.
func (s *Store) Demo(ctx context.Context) (Demo, error) {
	var d Demo
	version, err := s.readSetting(ctx, demoKey, &d)
	if err != nil {
		return Demo{}, err
	}
	d.Version = version
	return d, nil
}

// HasDemo reports whether some of the asks were generated.
func (s *Store) HasDemo(ctx context.Context) (bool, error) {
	it, err := s.settingItem(ctx, demoKey)
	return len(it) > 0, err
}

// PutDemo replaces was by d, with the version after was's. The error is
// [survey.Conflict] where was has been replaced meanwhile; nothing is written
// then.
func (s *Store) PutDemo(ctx context.Context, was, d Demo) error {
	d.Version = 0
	return s.putSetting(ctx, demoKey, was.Version, d)
}

// DeleteDemo forgets the history, once its asks are deleted. The error is
// [survey.Conflict] where it is not was any more; nothing changes then.
func (s *Store) DeleteDemo(ctx context.Context, was Demo) error {
	e := newExpression()
	cond := e.is("version", "=", num(int64(was.Version)))
	_, err := s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                 s.table(topology.Settings),
		Key:                       demoKey.key(),
		ConditionExpression:       &cond,
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	})
	if _, ok := refused(err); ok {
		return survey.Errorf(survey.Conflict, "version", "the demo data have been changed meanwhile, look again")
	}
	if err != nil {
		return fmt.Errorf("forgetting the demo data: %w", err)
	}
	return nil
}

// DeleteDemoAsk deletes an ask on condition that it was generated, and reports
// whether it did: not where there is none, or one that was not. What it counted
// for is taken out of the tallies. It can be repeated.
func (s *Store) DeleteDemoAsk(ctx context.Context, id string) (bool, error) {
	e := newExpression()
	cond := e.is(demoFlag, "=", flag())
	_, err := s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                 s.table(topology.Responses),
		Key:                       item{topology.Responses.Hash.Name: str(id)},
		ConditionExpression:       &cond,
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	})
	if _, ok := refused(err); ok {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("deleting a generated ask: %w", err)
	}
	return true, nil
}
