package pump

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/pulssi/pulssi/shared/topology"
)

const arn = "arn:aws:dynamodb:eu-north-1:000000000000:table/responses/stream/1"

// stream is a stream in memory. A record is there from its moment on, so that
// a test writes down what happens when, and lets the bubble's clock run.
type stream struct {
	shards []*fakeShard

	mu   sync.Mutex
	fail []error // of the next reads, one each
}

type fakeShard struct {
	id, parent string
	at         []time.Time // of records "id/0", "id/1"
	size       int         // bytes of each
	ends       time.Time   // zero for never
}

func (s *stream) shard(id string) *fakeShard {
	for _, sh := range s.shards {
		if sh.id == id {
			return sh
		}
	}
	return nil
}

// sequence numbers grow in length, as real ones may.
func sequence(i int) string { return strconv.Itoa(1 + i) }

func (s *stream) DescribeStream(_ context.Context, in *dynamodbstreams.DescribeStreamInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error) {
	// One shard a page.
	i := 0
	if in.ExclusiveStartShardId != nil {
		i = 1 + slices.Index(s.shards, s.shard(*in.ExclusiveStartShardId))
	}
	d := &types.StreamDescription{StreamArn: in.StreamArn}
	if i < len(s.shards) {
		sh := s.shards[i]
		d.Shards = []types.Shard{{ShardId: &sh.id}}
		if sh.parent != "" {
			d.Shards[0].ParentShardId = &sh.parent
		}
	}
	if i+1 < len(s.shards) {
		d.LastEvaluatedShardId = &s.shards[i].id
	}
	return &dynamodbstreams.DescribeStreamOutput{StreamDescription: d}, nil
}

func (s *stream) GetShardIterator(_ context.Context, in *dynamodbstreams.GetShardIteratorInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error) {
	next := 0
	if in.ShardIteratorType == types.ShardIteratorTypeAfterSequenceNumber {
		n, err := strconv.Atoi(*in.SequenceNumber)
		if err != nil {
			return nil, err
		}
		next = n
	}
	return &dynamodbstreams.GetShardIteratorOutput{ShardIterator: iterator(*in.ShardId, next)}, nil
}

func iterator(id string, next int) *string { return aws.String(id + " " + strconv.Itoa(next)) }

func (s *stream) GetRecords(_ context.Context, in *dynamodbstreams.GetRecordsInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fail) > 0 {
		err := s.fail[0]
		s.fail = s.fail[1:]
		return nil, err
	}
	id, n, _ := strings.Cut(*in.ShardIterator, " ")
	next, err := strconv.Atoi(n)
	if err != nil {
		return nil, err
	}
	sh, out := s.shard(id), &dynamodbstreams.GetRecordsOutput{}
	for next < len(sh.at) && len(out.Records) < 1000 && !sh.at[next].After(time.Now()) {
		out.Records = append(out.Records, types.Record{
			EventID: aws.String(id + "/" + strconv.Itoa(next)), EventName: types.OperationTypeInsert,
			Dynamodb: &types.StreamRecord{
				ApproximateCreationDateTime: &sh.at[next],
				Keys:                        map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: strings.Repeat("x", sh.size)}},
				SequenceNumber:              aws.String(sequence(next)),
			},
		})
		next++
	}
	if sh.ends.IsZero() || next < len(sh.at) || time.Now().Before(sh.ends) {
		out.NextShardIterator = iterator(id, next)
	}
	return out, nil
}

// function records its invocations and does what a test says.
type function struct {
	do func(e events.DynamoDBTimeWindowEvent) (events.DynamoDBTimeWindowEventResponse, error)

	mu    sync.Mutex
	start time.Time
	calls []string
	ok    []string // the ids of records dealt with, in order
}

// Invoke decodes the event as the Lambda runtime would.
func (f *function) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var e events.DynamoDBTimeWindowEvent
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.calls = append(f.calls, describe(time.Since(f.start), e))
	f.mu.Unlock()
	var out events.DynamoDBTimeWindowEventResponse
	var err error
	if f.do != nil {
		out, err = f.do(e)
	}
	if err != nil {
		return nil, err
	}
	failed := map[string]bool{}
	for _, i := range out.BatchItemFailures {
		failed[i.ItemIdentifier] = true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range e.Records {
		if failed[r.Change.SequenceNumber] {
			break
		}
		f.ok = append(f.ok, r.EventID)
	}
	return json.Marshal(out)
}

// describe writes an event as "5s a [a/0..a/1] window 0s state map[n:1]".
func describe(at time.Duration, e events.DynamoDBTimeWindowEvent) string {
	s := at.Truncate(time.Second).String() + " "
	switch n := len(e.Records); n {
	case 0:
		s += "[]"
	case 1:
		s += "[" + e.Records[0].EventID + "]"
	default:
		s += "[" + e.Records[0].EventID + ".." + e.Records[n-1].EventID + "]"
	}
	if e.Window.End.After(e.Window.Start.Time) {
		s += fmt.Sprintf(" %s %d-%d %v", e.ShardID, e.Window.Start.Second()+60*e.Window.Start.Minute(), e.Window.End.Second()+60*e.Window.End.Minute(), e.State)
	}
	if e.IsFinalInvokeForWindow {
		s += " final"
	}
	return s
}

// rig is a pump with everything a test looks at.
type rig struct {
	*Pump
	fn     *function
	failed bytes.Buffer
	log    bytes.Buffer
}

func newRig(t *testing.T, s *stream, m topology.Stream, path string) *rig {
	t.Helper()
	c, err := OpenCheckpoints(path)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{fn: &function{start: time.Now()}}
	r.Pump = &Pump{
		Streams: s, ARN: arn, Mapping: m, Function: r.fn, Checkpoints: c, Failed: &r.failed,
		Log: slog.New(slog.NewTextHandler(&r.log, nil)),
	}
	return r
}

// runFor runs the pump for a time of the bubble's clock.
func (r *rig) runFor(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	r.Run(ctx)
}

func (r *rig) wantCalls(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(r.fn.calls, want) {
		t.Errorf("invocations:\n%s\nwant:\n%s", strings.Join(r.fn.calls, "\n"), strings.Join(want, "\n"))
	}
}

// conditions returns why batches were given up, as "a 3-3 RetryAttemptsExhausted 3".
func (r *rig) conditions(t *testing.T) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(r.failed.String()) {
		var f failure
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %s-%s of %d %s %d", f.Batch.ShardID, f.Batch.StartSequence, f.Batch.EndSequence,
			f.Batch.BatchSize, f.RequestContext.Condition, f.RequestContext.ApproximateInvokeCount))
	}
	return out
}

// at returns n moments, each d after now.
func at(n int, d time.Duration) []time.Time {
	out := make([]time.Time, n)
	for i := range out {
		out[i] = time.Now().Add(d)
	}
	return out
}

var errBroken = errors.New("broken")
