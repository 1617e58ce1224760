// Package batch gives many items to a service that takes a few in one call and
// may refuse some of them while it takes the rest, as Amazon SQS and
// EventBridge do.
package batch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Items that failed by no fault of their own are given again: [Tries] calls in
// all, with random pauses before the repeats of less than 200, 400 and 800 ms
// (full jitter, as the AWS SDKs have it).
const (
	Tries      = 4
	firstPause = 200 * time.Millisecond
)

// Limits are what one call takes.
type Limits struct {
	Items int // at most
	Bytes int // of all items together, at most
}

// Failure is one item that a call did not take.
type Failure struct {
	Index int // in the call
	// Refused is whether the item itself is at fault, so that giving it again
	// would change nothing.
	Refused bool
	Reason  string // a code, without anything of the item
}

// Give calls call with all items, in order, as few times as limits allow. An
// item larger than limits is not given at all. call returns an error where the
// call failed as a whole, which ends the work: the client has tried it again
// already. Items that fail alone hold up nobody: they are given again, the rest
// goes on, and the error tells in the end how many there were and why. A repeat
// after an error gives every item once more.
func Give[T any](ctx context.Context, items []T, limits Limits, size func(T) int, call func(context.Context, []T) ([]Failure, error)) error {
	var lost failures
	for len(items) > 0 {
		if size(items[0]) > limits.Bytes {
			lost.add(fmt.Sprintf("larger than %d bytes", limits.Bytes))
			items = items[1:]
			continue
		}
		n := fit(items, limits, size)
		if err := give(ctx, items[:n], call, &lost); err != nil {
			return errors.Join(err, lost.err())
		}
		items = items[n:]
	}
	return lost.err()
}

// fit returns how many of the first items one call takes: at least one.
func fit[T any](items []T, limits Limits, size func(T) int) int {
	n, bytes := 0, 0
	for n < min(len(items), limits.Items) {
		if bytes += size(items[n]); n > 0 && bytes > limits.Bytes {
			break
		}
		n++
	}
	return n
}

// give gives the items of one call, and those that fail again.
func give[T any](ctx context.Context, items []T, call func(context.Context, []T) ([]Failure, error), lost *failures) error {
	pause := firstPause
	for try := 1; ; try++ {
		failed, err := call(ctx, items)
		if err != nil {
			return err
		}
		var again []T
		for _, f := range failed {
			if f.Refused || try == Tries {
				lost.add(f.Reason)
				continue
			}
			again = append(again, items[f.Index])
		}
		if len(again) == 0 {
			return nil
		}
		items = again
		timer := time.NewTimer(rand.N(pause))
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("before %d were given again: %w", len(items), context.Cause(ctx))
		case <-timer.C:
		}
		pause *= 2
	}
}

// failures counts the items that were not taken, and keeps the first reason.
type failures struct {
	n      int
	reason string
}

func (f *failures) add(reason string) {
	if f.n++; f.n == 1 {
		f.reason = reason
	}
}

func (f *failures) err() error {
	if f.n == 0 {
		return nil
	}
	return fmt.Errorf("%d were not taken, the first because of: %s", f.n, f.reason)
}
