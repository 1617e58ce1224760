package pump

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// shard is one shard being delivered, in order and one batch at a time.
type shard struct {
	*Pump
	id       string
	at       Position
	iterator *string // nil before the first read, and where it must be made anew
	closed   bool    // all of it has been read
	pending  []record
	failures int // invocations in a row that failed
}

// run delivers the shard until it ends or ctx is done.
func (s *shard) run(ctx context.Context) {
	for ctx.Err() == nil {
		n, full := s.take()
		switch {
		case n > 0 && (full || s.closed || time.Since(s.pending[0].readAt) >= s.batching()):
			s.deliver(ctx, s.pending[:n])
			s.pending = s.pending[n:]
		case n == 0 && s.windowOver():
			s.closeWindow(ctx)
		case s.closed && len(s.pending) == 0:
			s.at.Ended = true
			s.save(ctx)
			return
		default:
			if s.read(ctx) == 0 {
				pause(ctx, pollEvery)
			}
		}
	}
}

func (s *shard) batching() time.Duration {
	return time.Duration(s.Mapping.BatchingSeconds) * time.Second
}

func (s *shard) window() time.Duration { return time.Duration(s.Mapping.WindowSeconds) * time.Second }

// take returns how many of the pending records make up the next batch, and
// whether nothing that may still come could join it.
func (s *shard) take() (n int, full bool) {
	if len(s.pending) == 0 {
		return 0, false
	}
	start := s.at.Window
	if start.IsZero() {
		start = s.pending[0].created.Truncate(s.window())
	}
	end := start.Add(s.window())
	size := 0
	for i, r := range s.pending {
		size += len(r.json)
		later := s.window() > 0 && !r.created.Before(end)
		if later || i == s.Mapping.Batch || i > 0 && size > maxPayload {
			return i, true
		}
	}
	return len(s.pending), len(s.pending) == s.Mapping.Batch
}

// windowOver reports whether the open window, if there is one, gets no more
// records: one of a later window has come, the shard has ended, or nothing has
// come for a while.
func (s *shard) windowOver() bool {
	return !s.at.Window.IsZero() &&
		(len(s.pending) > 0 || s.closed || time.Since(s.at.Window.Add(s.window())) >= windowGrace)
}

// read reads records into pending, and returns how many.
func (s *shard) read(ctx context.Context) int {
	if s.closed {
		return 0
	}
	out, err := s.records(ctx)
	if err != nil {
		s.iterator = nil
		if _, gone := errors.AsType[*types.ResourceNotFoundException](err); gone {
			s.closed = true // the shard is older than the stream keeps records
			return 0
		}
		if _, trimmed := errors.AsType[*types.TrimmedDataAccessException](err); trimmed && s.at.Sequence == "" {
			return 0 // the oldest record expired since the iterator was made
		} else if trimmed {
			s.at.Sequence = "" // what is left begins later
		}
		if ctx.Err() == nil {
			s.Log.WarnContext(ctx, "reading a shard", "shard", s.id, "error", err.Error())
		}
		return 0
	}
	s.iterator, s.closed = out.NextShardIterator, out.NextShardIterator == nil
	now := time.Now()
	for _, r := range out.Records {
		s.pending = append(s.pending, newRecord(r, s.ARN, now))
	}
	return len(out.Records)
}

func (s *shard) records(ctx context.Context) (*dynamodbstreams.GetRecordsOutput, error) {
	if s.iterator == nil {
		in := &dynamodbstreams.GetShardIteratorInput{
			StreamArn: aws.String(s.ARN), ShardId: aws.String(s.id),
			ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
		}
		last := s.at.Sequence
		if len(s.pending) > 0 {
			last = s.pending[len(s.pending)-1].sequence
		}
		if last != "" {
			in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &last
		}
		out, err := s.Streams.GetShardIterator(ctx, in)
		if err != nil {
			return nil, err
		}
		s.iterator = out.ShardIterator
	}
	return s.Streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: s.iterator})
}

// deliver invokes the function until every record of the batch is dealt with
// or given up, or ctx is done. What succeeded is checkpointed at once. A batch
// none of which succeeded is halved where the mapping says so, which does not
// count as a retry.
func (s *shard) deliver(ctx context.Context, batch []record) {
	if s.window() > 0 && s.at.Window.IsZero() {
		s.at.Window = batch[0].created.Truncate(s.window())
	}
	tries := 0
	for ctx.Err() == nil {
		if batch = s.dropOld(ctx, batch); len(batch) == 0 {
			return
		}
		done, request := s.invoke(ctx, batch, false)
		tries++
		switch {
		case done > 0:
			s.at.Sequence = batch[done-1].sequence
			s.save(ctx)
			if batch = batch[done:]; len(batch) == 0 {
				return
			}
			tries = 0
		case ctx.Err() != nil:
			return // it may have failed for being stopped
		case s.Mapping.Bisect && len(batch) > 1:
			s.backOff(ctx)
			s.deliver(ctx, batch[:len(batch)/2])
			if ctx.Err() == nil {
				s.deliver(ctx, batch[len(batch)/2:])
			}
			return
		case tries > s.Mapping.Retries:
			s.giveUp(ctx, batch, exhausted, request, tries)
			return
		}
		s.backOff(ctx)
	}
}

// dropOld gives up the records at the head of the batch that are too old.
func (s *shard) dropOld(ctx context.Context, batch []record) []record {
	limit := time.Duration(s.Mapping.MaxAgeSeconds) * time.Second
	n := 0
	for limit > 0 && n < len(batch) && time.Since(batch[n].created) > limit {
		n++
	}
	if n > 0 {
		s.giveUp(ctx, batch[:n], tooOld, "", 0)
	}
	return batch[n:]
}

// giveUp writes down that records are never delivered, and goes on after
// them.
func (s *shard) giveUp(ctx context.Context, batch []record, why condition, request string, invocations int) {
	s.Log.ErrorContext(ctx, "gave up records of a stream", "function", s.Mapping.Function, "shard", s.id, "records", len(batch), "condition", why)
	line, err := json.Marshal(newFailure(s, batch, why, request, invocations))
	if err == nil {
		_, err = s.Failed.Write(append(line, '\n'))
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "writing down a failure", "error", err.Error())
	}
	s.at.Sequence = batch[len(batch)-1].sequence
	s.failures = 0
	s.save(ctx)
}

// closeWindow makes the final invocation of the open window, without records,
// and lets the next record open a window with a fresh state.
func (s *shard) closeWindow(ctx context.Context) {
	for tries := 1; ctx.Err() == nil; tries++ {
		if done, _ := s.invoke(ctx, nil, true); done == 0 || tries > s.Mapping.Retries {
			s.at.Window, s.at.State = time.Time{}, nil
			s.save(ctx)
			return
		}
		s.backOff(ctx)
	}
}

// failed is what invoke returns where the function failed as a whole.
const failed = -1

// invoke invokes the function once. It returns how many records at the head
// of the batch it dealt with, failed where it returned an error, and the id of
// the request.
func (s *shard) invoke(ctx context.Context, batch []record, final bool) (done int, request string) {
	e := event{Records: make([]json.RawMessage, len(batch))}
	for i, r := range batch {
		e.Records[i] = r.json
	}
	if s.window() > 0 {
		e.TimeWindowProperties = &events.TimeWindowProperties{
			Window: events.Window{
				Start: events.RFC3339EpochTime{Time: s.at.Window},
				End:   events.RFC3339EpochTime{Time: s.at.Window.Add(s.window())},
			},
			State:                  s.at.State,
			ShardID:                s.id,
			EventSourceARN:         s.ARN,
			IsFinalInvokeForWindow: final,
		}
		if s.at.State == nil {
			e.State = map[string]string{}
		}
	}
	out, request, err := s.call(ctx, e)
	if err != nil {
		s.failures++
		s.Log.WarnContext(ctx, "an invocation failed", "function", s.Mapping.Function, "request", request, "records", len(batch), "error", err.Error())
		return failed, request
	}
	done = out.succeeded(batch)
	if done < len(batch) {
		s.failures++
		s.Log.WarnContext(ctx, "an invocation failed in part", "function", s.Mapping.Function, "request", request, "records", len(batch), "succeeded", done)
	} else {
		s.failures = 0
	}
	if done > 0 || len(batch) == 0 {
		s.at.State = out.State
	}
	return done, request
}

func (s *shard) save(ctx context.Context) {
	if err := s.Checkpoints.put(s.ARN, s.id, s.at); err != nil {
		// The next checkpoint covers it; a crash before delivers again.
		s.Log.WarnContext(ctx, "writing a checkpoint", "error", err.Error())
	}
}

// backOff waits before the next try, twice as long after every failure.
func (s *shard) backOff(ctx context.Context) {
	pause(ctx, min(maxBackoff, minBackoff<<min(max(s.failures-1, 0), 20)))
}

// pause waits for d or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
