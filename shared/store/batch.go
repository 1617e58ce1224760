package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/topology"
)

// DynamoDB's limits of one call (Service quotas: BatchGetItem, BatchWriteItem).
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
)

// A batch that DynamoDB did only in part is taken up again after a random pause
// of up to [firstPause], which doubles every time; after [batchTries] without
// any headway it is given up.
const (
	batchTries = 8
	firstPause = 20 * time.Millisecond
)

// inFlight is how many single writes of one call are on their way at once.
const inFlight = 16

// errNoHeadway says that DynamoDB did nothing of a batch, time after time.
var errNoHeadway = errors.New("DynamoDB takes none of the rest")

// pause waits a random time before the try with a number, counted from 1.
func pause(ctx context.Context, try int) error {
	t := time.NewTimer(rand.N(firstPause << min(try, batchTries)))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// batchGet returns the items of a table that have the keys, in any order, as
// consistent as the last write; those that are not there are left out. Keys
// may be named twice.
func (s *Store) batchGet(ctx context.Context, t topology.Table, keys []string) ([]item, error) {
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	var out []item
	for part := range slices.Chunk(keys, maxBatchGet) {
		ask := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
		for _, k := range part {
			ask.Keys = append(ask.Keys, item{t.Hash.Name: str(k)})
		}
		found, err := s.getBatch(ctx, t, ask)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// getBatch returns the items of a table that one batch asks for, of at most
// [maxBatchGet] keys, each there once.
func (s *Store) getBatch(ctx context.Context, t topology.Table, ask types.KeysAndAttributes) ([]item, error) {
	var out []item
	for try := 1; len(ask.Keys) > 0; {
		got, err := s.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{*s.table(t): ask}})
		if err != nil {
			return nil, fmt.Errorf("reading %d items of %s: %w", len(ask.Keys), t.Name, err)
		}
		found := got.Responses[*s.table(t)]
		out = append(out, found...)
		rest := got.UnprocessedKeys[*s.table(t)].Keys
		if len(rest) == 0 {
			break
		}
		if len(rest) < len(ask.Keys) {
			try = 1
		}
		ask.Keys = rest
		if try > batchTries {
			return nil, fmt.Errorf("reading %d items of %s: %w", len(rest), t.Name, errNoHeadway)
		}
		if err := pause(ctx, try); err != nil {
			return nil, fmt.Errorf("reading %d items of %s: %w", len(rest), t.Name, err)
		}
		try++
	}
	return out, nil
}

// batchDelete deletes the items of a table that have the keys; those that are
// not there are passed over.
func (s *Store) batchDelete(ctx context.Context, t topology.Table, keys []item) error {
	for part := range slices.Chunk(keys, maxBatchWrite) {
		var rest []types.WriteRequest
		for _, k := range part {
			rest = append(rest, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: k}})
		}
		for try := 1; ; {
			got, err := s.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*s.table(t): rest}})
			if err != nil {
				return fmt.Errorf("deleting %d items of %s: %w", len(rest), t.Name, err)
			}
			left := got.UnprocessedItems[*s.table(t)]
			if len(left) == 0 {
				break
			}
			if len(left) < len(rest) {
				try = 1
			}
			rest = left
			if try > batchTries {
				return fmt.Errorf("deleting %d items of %s: %w", len(rest), t.Name, errNoHeadway)
			}
			if err := pause(ctx, try); err != nil {
				return fmt.Errorf("deleting %d items of %s: %w", len(rest), t.Name, err)
			}
			try++
		}
	}
	return nil
}

// each calls do with every index below n, [inFlight] at once. After an error,
// which it returns, no further call begins and those under way are cancelled.
func each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		wg   sync.WaitGroup
		next = make(chan int)
	)
	for range min(n, inFlight) {
		wg.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
hand:
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
			break hand
		}
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}
