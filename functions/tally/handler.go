// Package tally counts the stream of responses: every change of an ask, in
// every sheet that it concerns, exactly once.
package tally

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// Sheets is where counts are kept.
type Sheets interface {
	// AddToSheet adds a change to a sheet once, and answers a repetition with
	// a [*store.CountedError] and a change that is too large with
	// [store.ErrTooManyChanges]: see [store.Store.AddToSheet].
	AddToSheet(ctx context.Context, k score.Key, change score.Sheet, span store.Span, now time.Time) error
}

const (
	// writers is how many sheets are written at a time. The connections are
	// the client's, so more would only queue.
	writers = 8
	// reportTime is kept back from the invocation's time to report what is
	// left.
	reportTime = 2 * time.Second
)

// Handler counts batches of the stream of one shard.
type Handler struct {
	Sheets Sheets
	// Zone is the reporting time zone, which decides the day and the month.
	Zone    *time.Location
	Metrics *obs.Metrics // nil for none
	Now     func() time.Time
}

// Handle counts a batch. It may be delivered again, in whole or in part, in
// any order and at the same time, as long as every record's first delivery
// comes after the records before it in its shard have been counted: what a
// sheet has counted is told by its watermark of the shard, and is left out.
//
// Where not everything could be counted, because writes failed, the time ran
// out or a record cannot be read, the response names the first record that is
// not surely counted in all its sheets; those before it are. Where that is the
// batch's first record there is nothing to report and the error is returned,
// so that Lambda halves the batch: a record that can never be counted ends up
// alone, and then in the on-failure queue, while the rest goes on.
func (h *Handler) Handle(ctx context.Context, e events.DynamoDBTimeWindowEvent) (events.DynamoDBTimeWindowEventResponse, error) {
	var resp events.DynamoDBTimeWindowEventResponse
	resp.State = map[string]string{} // a window's response must have one; nothing is kept in it
	if len(e.Records) == 0 {
		return resp, nil // the last invocation of a window
	}
	if e.ShardID == "" {
		return resp, errors.New("the event names no shard: its event source mapping needs a tumbling window")
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reportTime))
		defer cancel()
	}
	records := inOrder(e.Records)
	var seen watched
	parts, from, err := h.divide(records, &seen)
	if left, writeErr := h.count(ctx, e.ShardID, parts); writeErr != nil {
		from, err = left, writeErr // all of parts come before an unreadable record
	}
	if err == nil {
		seen.tell(ctx, h, e.ShardID, records)
		return resp, nil
	}
	if from == records[0].Change.SequenceNumber {
		return resp, fmt.Errorf("shard %s from %s: %w", e.ShardID, from, err)
	}
	slog.ErrorContext(ctx, "batch counted in part", "shard", e.ShardID, "from", from, "error", err.Error())
	resp.BatchItemFailures = []events.DynamoDBBatchItemFailure{{ItemIdentifier: from}}
	return resp, nil
}

// inOrder returns the records by sequence number, each once.
func inOrder(records []events.DynamoDBEventRecord) []events.DynamoDBEventRecord {
	sorted := slices.Clone(records)
	slices.SortFunc(sorted, func(a, b events.DynamoDBEventRecord) int {
		return store.CompareSequence(a.Change.SequenceNumber, b.Change.SequenceNumber)
	})
	return slices.CompactFunc(sorted, func(a, b events.DynamoDBEventRecord) bool {
		return a.Change.SequenceNumber == b.Change.SequenceNumber
	})
}

// part is what one record changes in one sheet.
type part struct {
	sequence string
	change   score.Sheet
}

// divide returns what the records change in each sheet, in their order. It
// stops before a record that cannot be read, and returns its sequence number
// and what is wrong with it. What it has read is seen by seen.
func (h *Handler) divide(records []events.DynamoDBEventRecord, seen *watched) (parts map[score.Key][]part, from string, err error) {
	parts = map[score.Key][]part{}
	for _, r := range records {
		if expired(r) {
			continue // an answer stays counted when the ask is no longer kept
		}
		sequence := r.Change.SequenceNumber
		before, err := ask(r.Change.OldImage)
		if err != nil {
			return parts, sequence, fmt.Errorf("record %s, old image: %w", sequence, err)
		}
		after, err := ask(r.Change.NewImage)
		if err != nil {
			return parts, sequence, fmt.Errorf("record %s, new image: %w", sequence, err)
		}
		seen.see(before, after)
		changes := score.Changes{}
		changes.Replace(before, after, h.Zone)
		for k, change := range changes {
			parts[k] = append(parts[k], part{sequence, change})
		}
	}
	return parts, "", nil
}

// expired reports whether a record is the removal of an item whose time to
// live was over (DynamoDB Developer Guide, "DynamoDB Streams and Time to
// Live").
func expired(r events.DynamoDBEventRecord) bool {
	return r.EventName == string(events.DynamoDBOperationTypeRemove) && r.UserIdentity != nil &&
		r.UserIdentity.Type == "Service" && r.UserIdentity.PrincipalID == "dynamodb.amazonaws.com"
}

// ask reads one image of a record; nil where there is none.
func ask(image map[string]events.DynamoDBAttributeValue) (*survey.Ask, error) {
	if len(image) == 0 {
		return nil, nil
	}
	return store.UnmarshalAsk(attributes(image))
}

// count writes the sheets, several at a time. Where some could not be written
// it returns the sequence number of the first part that may not be counted,
// and why.
func (h *Handler) count(ctx context.Context, shard string, sheets map[score.Key][]part) (from string, err error) {
	type failure struct {
		from string
		err  error
	}
	var (
		mu       sync.Mutex
		failures []failure
		wg       sync.WaitGroup
	)
	free := make(chan struct{}, writers)
	for k, parts := range sheets {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			if from, err := h.add(ctx, k, shard, parts); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, failure{from, err})
			}
		})
	}
	wg.Wait()
	if len(failures) == 0 {
		return "", nil
	}
	first := slices.MinFunc(failures, func(a, b failure) int { return store.CompareSequence(a.from, b.from) })
	return first.from, fmt.Errorf("%d of %d sheets not written: %w", len(failures), len(sheets), first.err)
}

// add counts the parts of one sheet, which are in order. The watermark that it
// moves is that of the parts: the records between them do not concern the
// sheet. Where some could not be counted it returns the sequence number of the
// first of them, and why.
func (h *Handler) add(ctx context.Context, k score.Key, shard string, parts []part) (from string, err error) {
	for len(parts) > 0 {
		if err := ctx.Err(); err != nil {
			return parts[0].sequence, err
		}
		change := score.Sheet{}
		for _, p := range parts {
			change.Add(p.change)
		}
		span := store.Span{Shard: shard, First: parts[0].sequence, Last: parts[len(parts)-1].sequence}
		err := h.Sheets.AddToSheet(ctx, k, change, span, h.Now())
		counted, repeated := store.IsCounted(err)
		switch {
		case err == nil:
			return "", nil
		case repeated && !counted.After(parts[0].sequence):
			parts = slices.DeleteFunc(parts, func(p part) bool { return !counted.After(p.sequence) })
		case errors.Is(err, store.ErrTooManyChanges) && len(parts) > 1:
			half := len(parts) / 2
			if from, err := h.add(ctx, k, shard, parts[:half:half]); err != nil {
				return from, err
			}
			parts = parts[half:]
		default:
			return parts[0].sequence, err
		}
	}
	return "", nil
}
