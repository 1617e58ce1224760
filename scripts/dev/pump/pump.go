// Package pump feeds a DynamoDB stream to a function as the event source
// mapping of AWS Lambda does: batches and a batching window, tumbling windows
// with their state and final invocation, one batch of a shard at a time,
// parents before children, partial batch responses, bisecting, retries with a
// growing delay, a greatest age of records, and a record of every batch that
// was given up.
//
// What it follows is the AWS Lambda Developer Guide, "Using AWS Lambda with
// Amazon DynamoDB". What it leaves out: parallelization above 1, the early end
// of a window whose state exceeds 1 MB, filters, and the network between.
package pump

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/pulssi/pulssi/shared/topology"
)

const (
	// pollEvery is how often Lambda asks a shard for records (Developer Guide:
	// four times a second).
	pollEvery = 250 * time.Millisecond
	// listEvery is how often new shards are looked for.
	listEvery = 2 * time.Second
	// maxPayload is the most bytes of records in one invocation.
	maxPayload = 6 << 20
	// windowGrace is how long after the end of a window its last records are
	// waited for where none of a later window has come.
	windowGrace = 2 * time.Minute
	// The delay between failed invocations of a shard doubles from minBackoff.
	minBackoff = 100 * time.Millisecond
	maxBackoff = 30 * time.Second
	// stopGrace is how long an invocation may go on after the pump was told
	// to stop.
	stopGrace = 1500 * time.Millisecond
	// timeout is how long one invocation may take.
	timeout = time.Minute
)

// Streams reads streams: *dynamodbstreams.Client.
type Streams interface {
	DescribeStream(context.Context, *dynamodbstreams.DescribeStreamInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error)
	GetShardIterator(context.Context, *dynamodbstreams.GetShardIteratorInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error)
	GetRecords(context.Context, *dynamodbstreams.GetRecordsInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error)
}

// Pump feeds one stream to one function.
type Pump struct {
	Streams  Streams
	ARN      string          // of the stream
	Mapping  topology.Stream // its settings; Table is not looked at
	Function lambda.Handler
	// Checkpoints remembers how far the stream has been dealt with. A record
	// is never skipped; one whose checkpoint was not written before a crash is
	// delivered again.
	Checkpoints *Checkpoints
	// Failed receives one line of JSON for every batch that was given up, in
	// the form that Lambda sends to an on-failure destination.
	Failed io.Writer
	Log    *slog.Logger
}

// Run feeds the stream from its checkpoints on, from its oldest record where
// there are none, until ctx is done. An invocation that is under way then may
// finish, within a second or two; what was read and not yet delivered is read
// again by the next Run.
func (p *Pump) Run(ctx context.Context) {
	ended := make(chan string)
	running := map[string]bool{}
	var wg sync.WaitGroup
	defer wg.Wait()
	tick := time.NewTicker(listEvery)
	defer tick.Stop()
	for {
		shards, err := p.shards(ctx)
		if err != nil && ctx.Err() == nil {
			p.Log.WarnContext(ctx, "looking for shards", "stream", p.ARN, "error", err.Error())
		}
		for _, id := range p.ready(shards) {
			if running[id] {
				continue
			}
			running[id] = true
			s := &shard{Pump: p, id: id, at: p.Checkpoints.get(p.ARN, id)}
			wg.Go(func() {
				s.run(ctx)
				select {
				case ended <- id:
				case <-ctx.Done():
				}
			})
		}
		select {
		case <-ctx.Done():
			return
		case id := <-ended:
			delete(running, id)
		case <-tick.C:
		}
	}
}

// shards lists the stream's shards and forgets the checkpoints of others.
func (p *Pump) shards(ctx context.Context) ([]types.Shard, error) {
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(p.ARN)}
	var all []types.Shard
	for {
		out, err := p.Streams.DescribeStream(ctx, in)
		if err != nil {
			return nil, err
		}
		all = append(all, out.StreamDescription.Shards...)
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			break
		}
	}
	ids := make(map[string]bool, len(all))
	for _, s := range all {
		ids[*s.ShardId] = true
	}
	p.Checkpoints.keep(p.ARN, ids)
	return all, nil
}

// ready returns the shards that have something to deliver and whose parent
// has been dealt with, or is gone.
func (p *Pump) ready(shards []types.Shard) []string {
	open := map[string]bool{}
	for _, s := range shards {
		open[*s.ShardId] = !p.Checkpoints.get(p.ARN, *s.ShardId).Ended
	}
	var out []string
	for _, s := range shards {
		if open[*s.ShardId] && !open[aws.ToString(s.ParentShardId)] {
			out = append(out, *s.ShardId)
		}
	}
	return out
}
