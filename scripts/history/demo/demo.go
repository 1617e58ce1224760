// Package demo fills a deployment with a history that never was (package
// generator), and removes it. Every answer takes the way of a real one: an ask
// is made and answered, or a vote is cast, by the writes that the functions
// make, and the stream of the responses is counted.
package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pulssi/pulssi/scripts/history/generator"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// Store is where the history is written: see package store.
type Store interface {
	Touchpoints(ctx context.Context) ([]*survey.Touchpoint, error)
	Demo(ctx context.Context) (store.Demo, error)
	PutDemo(ctx context.Context, was, d store.Demo) error
	DeleteDemo(ctx context.Context, was store.Demo) error

	CreateAsk(ctx context.Context, a *survey.Ask) error
	Answer(ctx context.Context, id string, in survey.Answer, now time.Time) (*survey.Ask, error)
	Vote(ctx context.Context, t *survey.Touchpoint, v survey.Vote, now time.Time) (*survey.Ask, error)

	EachAsk(ctx context.Context, yield func(*survey.Ask, error) error) error
	DeleteDemoAsk(ctx context.Context, id string) (bool, error)

	AddAnnotation(ctx context.Context, a survey.Annotation) error
	DeleteAnnotation(ctx context.Context, id string) error
}

const (
	// workers is how many asks are written or deleted at a time.
	workers = 16
	// portion is after how many asks it is noted how far the history is
	// written.
	portion    = 400
	seedLength = 16
)

// Progress is told how many asks are done, and of how many; of is 0 where
// nobody knows.
type Progress func(done, of int)

// Filler writes histories.
type Filler struct {
	Store Store
	// Zone is the reporting time zone.
	Zone *time.Location
	// Now is the deployment's clock, at which a new history ends.
	Now func() time.Time
}

// Fill writes a history of [generator.Years], or what is missing of the one
// that was begun: it can be stopped at any time and repeated, and writes nothing
// twice. The error is [survey.Conflict] where somebody else is filling or
// removing it meanwhile, and [survey.Invalid] where there is no touchpoint that
// a history can be made up for.
func (f *Filler) Fill(ctx context.Context, progress Progress) error {
	touchpoints, err := f.Store.Touchpoints(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(touchpoints, generator.Knows) {
		return survey.Errorf(survey.Invalid, "touchpoints", "touchpoints: none of them is one that demo data are made up for, see scripts/dev/touchpoints.yaml")
	}
	d, err := f.begin(ctx)
	if err != nil {
		return err
	}
	if d.Removing {
		return survey.Errorf(survey.Conflict, "", "the demo data are being removed: let that end first")
	}
	h := generator.History{Seed: d.Seed, Touchpoints: touchpoints, From: d.From, Until: d.Until, Zone: f.Zone}
	asks := h.Asks()
	for i, e := range h.Events() {
		err := f.Store.AddAnnotation(ctx, survey.Annotation{
			ID: annotationID(d.Seed, i), Touchpoint: e.Touchpoint, Date: e.At.Format(time.DateOnly), Text: e.Text, By: "demo", At: d.Until,
		})
		if err != nil && survey.CodeOf(err) != survey.Conflict { // it is there
			return err
		}
	}
	byID := map[string]*survey.Touchpoint{}
	for _, t := range touchpoints {
		byID[t.ID] = t
	}
	done := 0
	for done < len(asks) && asks[done].AskedAt.Before(d.Through) {
		done++
	}
	for part := range slices.Chunk(asks[done:], portion) {
		progress(done, len(asks))
		err := each(ctx, part, func(ctx context.Context, a *survey.Ask) error { return f.write(ctx, byID[a.Touchpoint], a) })
		if err != nil {
			return err
		}
		done += len(part)
		next := d
		next.Through = part[len(part)-1].AskedAt
		if done == len(asks) {
			next.Through = d.Until
		}
		if err := f.Store.PutDemo(ctx, d, next); err != nil {
			return err
		}
		next.Version++
		d = next
	}
	progress(len(asks), len(asks))
	return nil
}

// begin returns the history that was begun, or begins one.
func (f *Filler) begin(ctx context.Context) (store.Demo, error) {
	d, err := f.Store.Demo(ctx)
	if err != nil || d.Version > 0 {
		return d, err
	}
	seed := make([]byte, seedLength)
	_, _ = rand.Read(seed) // documented never to return an error
	until := f.Now().UTC().Truncate(time.Millisecond)
	from := until.AddDate(-generator.Years, 0, 0)
	if err := f.Store.PutDemo(ctx, d, store.Demo{Seed: seed, From: from, Until: until, Through: from}); err != nil {
		return d, err
	}
	return f.Store.Demo(ctx)
}

// annotationID returns the id of the mark of an event by its number.
func annotationID(seed []byte, i int) string {
	return survey.AskID(seed, "annotation", fmt.Sprint(i), "")
}

// write takes the steps that lead to an ask as it stands. Each of them can be
// repeated.
func (f *Filler) write(ctx context.Context, t *survey.Touchpoint, a *survey.Ask) error {
	var comment *string
	if a.Comment != "" {
		comment = &a.Comment
	}
	if a.SentAt.IsZero() {
		_, err := f.Store.Vote(ctx, t, survey.Vote{
			ID: a.ID, Score: a.Score, Comment: comment, Channel: a.Channel, Locale: a.Locale, Page: a.Page, Attrs: a.Attrs, Demo: true,
		}, a.AnsweredAt)
		return err
	}
	// What became of the message is known by now, so it need not be told bit by
	// bit, which would take three times as long.
	sent := *a
	sent.Score, sent.Comment, sent.Trust = 0, "", ""
	sent.AnsweredAt, sent.EditedAt, sent.AutoAt = time.Time{}, time.Time{}, time.Time{}
	if err := f.Store.CreateAsk(ctx, &sent); err != nil && survey.CodeOf(err) != survey.Conflict { // made before
		return err
	}
	if !a.Answered() {
		return nil
	}
	via := survey.Auto
	if a.Trust == survey.Human {
		via = survey.ViaHuman
	}
	_, err := f.Store.Answer(ctx, a.ID, survey.Answer{Score: a.Score, Comment: comment, Via: via}, a.AnsweredAt)
	return err
}

// Remove deletes everything that was generated, and nothing else; the tallies
// follow. It can be stopped at any time and repeated.
func Remove(ctx context.Context, s Store, progress Progress) error {
	d, err := s.Demo(ctx)
	if err != nil {
		return err
	}
	if d.Version > 0 && !d.Removing {
		next := d
		next.Removing = true
		if err := s.PutDemo(ctx, d, next); err != nil {
			return err
		}
		next.Version++
		d = next
	}
	done := 0
	// What somebody who was filling had on the way may come after a look: the
	// last one finds nothing.
	for {
		found, err := generated(ctx, s)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			break
		}
		of := done + len(found)
		for part := range slices.Chunk(found, portion) {
			progress(done, of)
			err := each(ctx, part, func(ctx context.Context, id string) error {
				_, err := s.DeleteDemoAsk(ctx, id)
				return err
			})
			if err != nil {
				return err
			}
			done += len(part)
		}
		progress(done, of)
	}
	if d.Version == 0 {
		return nil
	}
	for i := range (generator.History{Seed: d.Seed, From: d.From, Until: d.Until, Zone: time.UTC}).Events() {
		if err := s.DeleteAnnotation(ctx, annotationID(d.Seed, i)); err != nil && survey.CodeOf(err) != survey.NotFound { // somebody did
			return err
		}
	}
	return s.DeleteDemo(ctx, d)
}

// generated returns the ids of all asks that were.
func generated(ctx context.Context, s Store) ([]string, error) {
	var ids []string
	err := s.EachAsk(ctx, func(a *survey.Ask, err error) error {
		if err == nil && a.Demo {
			ids = append(ids, a.ID)
		}
		return ctx.Err()
	})
	return ids, err
}

// each calls do with every thing, several at a time. After an error, which it
// returns, no further call begins.
func each[T any](ctx context.Context, things []T, do func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan T)
	var wg sync.WaitGroup
	for range min(workers, len(things)) {
		wg.Go(func() {
			for t := range next {
				if err := do(ctx, t); err != nil {
					cancel(err)
				}
			}
		})
	}
hand:
	for _, t := range things {
		select {
		case next <- t:
		case <-ctx.Done():
			break hand
		}
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}
