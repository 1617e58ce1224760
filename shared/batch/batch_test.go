package batch_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/batch"
)

// taker is a service that takes texts, and fails those it is told to.
type taker struct {
	calls [][]string
	fail  func(call, index int, item string) *batch.Failure
}

func (s *taker) call(_ context.Context, items []string) ([]batch.Failure, error) {
	s.calls = append(s.calls, slices.Clone(items))
	var failed []batch.Failure
	for i, item := range items {
		if s.fail == nil {
			continue
		}
		if f := s.fail(len(s.calls), i, item); f != nil {
			f.Index = i
			failed = append(failed, *f)
		}
	}
	return failed, nil
}

func length(s string) int { return len(s) }

// TestEveryCallIsWithinTheLimits holds for items of any sizes: each that fits
// is given once, in order, and no call is smaller than it could be.
func TestEveryCallIsWithinTheLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := batch.Limits{Items: rapid.IntRange(1, 10).Draw(t, "most items"), Bytes: rapid.IntRange(1, 20).Draw(t, "most bytes")}
		largest := limits.Bytes
		if rapid.Bool().Draw(t, "some do not fit") {
			largest += 5
		}
		sizes := rapid.SliceOfN(rapid.IntRange(0, largest), 0, 60).Draw(t, "sizes")
		items := make([]int, len(sizes)) // by their places
		var fitting []int
		for i := range items {
			items[i] = i
			if sizes[i] <= limits.Bytes {
				fitting = append(fitting, i)
			}
		}
		var given []int
		last, room := -1, batch.Limits{} // of the call before
		err := batch.Give(context.Background(), items, limits, func(i int) int { return sizes[i] }, func(_ context.Context, call []int) ([]batch.Failure, error) {
			if call[0] == last+1 && room.Items > 0 && sizes[call[0]] <= room.Bytes {
				t.Errorf("item %d would have fitted into the call before", call[0])
			}
			room = limits
			for _, i := range call {
				room.Items--
				room.Bytes -= sizes[i]
				last = i
			}
			if room.Items < 0 || room.Bytes < 0 {
				t.Errorf("a call of %v with sizes %v, limits %+v", call, sizes, limits)
			}
			given = append(given, call...)
			return nil, nil
		})
		if !slices.Equal(given, fitting) {
			t.Errorf("given %v, want %v", given, fitting)
		}
		if (err != nil) != (len(fitting) < len(items)) {
			t.Errorf("error %v, and %d of %d items fit", err, len(fitting), len(items))
		}
	})
}

func TestWhatFailedIsGivenAgain(t *testing.T) {
	items := strings.Split("abcdef", "")
	three := batch.Limits{Items: 3, Bytes: 100}
	for _, c := range []struct {
		name  string
		fail  func(call, index int, item string) *batch.Failure
		calls string // items of the calls
		err   string
	}{
		{"nothing fails", nil, "abc def", ""},
		{"two fail once", func(call, _ int, item string) *batch.Failure {
			if call == 1 && item != "b" {
				return &batch.Failure{Reason: "Throttling"}
			}
			return nil
		}, "abc ac def", ""},
		{"one at fault is not given again", func(_, _ int, item string) *batch.Failure {
			if item == "b" {
				return &batch.Failure{Refused: true, Reason: "InvalidMessageContents"}
			}
			return nil
		}, "abc def", "1 were not taken, the first because of: InvalidMessageContents"},
		{"two that always fail", func(_, _ int, item string) *batch.Failure {
			if item == "c" || item == "d" {
				return &batch.Failure{Reason: "no " + item}
			}
			return nil
		}, "abc c c c def d d d", "2 were not taken, the first because of: no c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := taker{fail: c.fail}
				start := time.Now()
				err := batch.Give(t.Context(), items, three, length, s.call)
				if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
					t.Errorf("error %v, want %q", err, c.err)
				}
				var calls []string
				for _, call := range s.calls {
					calls = append(calls, strings.Join(call, ""))
				}
				if got := strings.Join(calls, " "); got != c.calls {
					t.Errorf("calls %q, want %q", got, c.calls)
				}
				if took := time.Since(start); took >= 2*1400*time.Millisecond || (took == 0) != (len(calls) == 2) {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

func TestACallThatFailsEndsIt(t *testing.T) {
	broken := errors.New("broken")
	calls := 0
	err := batch.Give(t.Context(), []string{"too long", "a", "b"}, batch.Limits{Items: 1, Bytes: 3}, length,
		func(context.Context, []string) ([]batch.Failure, error) { calls++; return nil, broken })
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "larger than 3 bytes") || calls != 1 {
		t.Errorf("after %d calls: %v", calls, err)
	}
}

func TestAPauseEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the caller went away")
	err := batch.Give(ctx, []string{"a"}, batch.Limits{Items: 1, Bytes: 1}, length,
		func(context.Context, []string) ([]batch.Failure, error) {
			cancel(gone)
			return []batch.Failure{{}}, nil
		})
	if !errors.Is(err, gone) {
		t.Errorf("error %v, want %v", err, gone)
	}
}
