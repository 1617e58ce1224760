package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// Annotations returns all annotations, as consistent as the last write, in no
// order.
func (s *Store) Annotations(ctx context.Context) ([]survey.Annotation, error) {
	out := []survey.Annotation{}
	err := s.eachSetting(ctx, kindAnnotation, func(id string, version int, definition []byte) error {
		out = append(out, survey.Annotation{ID: id, Version: version})
		return json.Unmarshal(definition, &out[len(out)-1])
	})
	return out, err
}

// AddAnnotation stores a new annotation as version 1. The error is
// [survey.Conflict] where there are [survey.MaxAnnotations] already; those that
// are added at the same moment may exceed them by a few.
func (s *Store) AddAnnotation(ctx context.Context, a survey.Annotation) error {
	return s.addSetting(ctx, setting{kindAnnotation, a.ID}, a, survey.MaxAnnotations)
}

// ChangeAnnotation changes an annotation, and returns what is stored then;
// where change changes nothing, nothing is written. change gets a copy, and may
// be called again where somebody else writes meanwhile. What it does to the id
// and the version is ignored.
//
// The error is [survey.NotFound] where there is no such annotation,
// [survey.Conflict] where version is neither 0 nor the annotation's, or
// change's own.
func (s *Store) ChangeAnnotation(ctx context.Context, id string, version int, change func(*survey.Annotation) error) (survey.Annotation, error) {
	k := setting{kindAnnotation, id}
	for try := 1; ; try++ {
		was := survey.Annotation{ID: id}
		var err error
		if was.Version, err = s.readSetting(ctx, k, &was); err != nil {
			return survey.Annotation{}, err
		}
		switch {
		case was.Version == 0:
			return survey.Annotation{}, noSuchSetting(kindAnnotation)
		case version != 0 && version != was.Version:
			return survey.Annotation{}, survey.Errorf(survey.Conflict, "version", "the annotation has been changed meanwhile, read it again")
		}
		a := was
		if err := change(&a); err != nil {
			return survey.Annotation{}, err
		}
		a.ID, a.Version = was.ID, was.Version
		if a == was {
			return a, nil
		}
		a.Version++
		err = s.putSetting(ctx, k, was.Version, a)
		if err == nil {
			return a, nil
		}
		if survey.CodeOf(err) != survey.Conflict || try == changeTries {
			return survey.Annotation{}, err
		}
		if err := pause(ctx, try); err != nil {
			return survey.Annotation{}, fmt.Errorf("changing an annotation: %w", err)
		}
	}
}

// DeleteAnnotation deletes an annotation. The error is [survey.NotFound] where
// there is none.
func (s *Store) DeleteAnnotation(ctx context.Context, id string) error {
	return s.deleteSetting(ctx, setting{kindAnnotation, id})
}

// eachSetting calls yield for every setting of a kind.
func (s *Store) eachSetting(ctx context.Context, kind string, yield func(id string, version int, definition []byte) error) error {
	e := newExpression()
	cond := e.is(topology.Settings.Hash.Name, "=", str(kind))
	pages := dynamodb.NewQueryPaginator(s.db, &dynamodb.QueryInput{
		TableName:                 s.table(topology.Settings),
		KeyConditionExpression:    &cond,
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
		ConsistentRead:            aws.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading all of kind %s: %w", kind, err)
		}
		for _, it := range page.Items {
			d := decoder{it: it}
			id, version, definition := d.str(topology.Settings.Range.Name), d.num("version"), d.str("definition")
			if d.err != nil {
				return fmt.Errorf("reading all of kind %s: %w", kind, d.err)
			}
			if err := yield(id, int(version), []byte(definition)); err != nil {
				return fmt.Errorf("reading the %s %s: %w", kind, id, err)
			}
		}
	}
	return nil
}

// addSetting stores a setting that is not there yet, of a kind of which there
// shall be at most limit.
func (s *Store) addSetting(ctx context.Context, k setting, v any, limit int) error {
	n := 0
	err := s.eachSetting(ctx, k.kind, func(string, int, []byte) error { n++; return nil })
	if err != nil {
		return err
	}
	if n >= limit {
		return survey.Errorf(survey.Conflict, k.kind+"s", "there are %d %ss already, which is the most: delete some first", limit, k.kind)
	}
	return s.putSetting(ctx, k, 0, v)
}

func (s *Store) deleteSetting(ctx context.Context, k setting) error {
	e := newExpression()
	cond := e.exists()
	_, err := s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                s.table(topology.Settings),
		Key:                      k.key(),
		ConditionExpression:      &cond,
		ExpressionAttributeNames: e.names,
	})
	if _, ok := refused(err); ok {
		return noSuchSetting(k.kind)
	}
	if err != nil {
		return fmt.Errorf("deleting the %s %s: %w", k.kind, k.id, err)
	}
	return nil
}

func noSuchSetting(kind string) error {
	return survey.Errorf(survey.NotFound, kind, "there is no such %s", kind)
}
