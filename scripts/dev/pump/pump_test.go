package pump

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/topology"
)

// The bubble's clock starts at a whole minute, so windows of 30 s start at 0.

type (
	input  = events.DynamoDBTimeWindowEvent
	output = events.DynamoDBTimeWindowEventResponse
)

func TestWindowsAndTheirState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		moments := slices.Concat(at(2, 0), at(1, 6*time.Second), at(1, 29*time.Second), at(1, 31*time.Second))
		r := newRig(t, &stream{shards: []*fakeShard{{id: "a", at: moments}}}, topology.Stream{Batch: 100, BatchingSeconds: 5, WindowSeconds: 30}, "")
		r.fn.do = func(e input) (output, error) {
			n, _ := strconv.Atoi(e.State["n"]) // none in a new window
			var out output
			out.State = map[string]string{"n": strconv.Itoa(n + len(e.Records))}
			return out, nil
		}
		r.runFor(t, 5*time.Minute)
		r.wantCalls(t,
			"5s [a/0..a/1] a 0-30 map[]",
			"11s [a/2] a 0-30 map[n:2]",
			"31s [a/3] a 0-30 map[n:3]", // a later window has begun
			"31s [] a 0-30 map[n:4] final",
			"36s [a/4] a 30-60 map[]",
			"3m0s [] a 30-60 map[n:1] final", // two minutes after the end
		)
	})
}

// TestAnAnswerIsCountedSoon holds the mapping as it is deployed to what the
// live results promise: an answer shows within 10 seconds. The pages ask every
// 2 seconds, and 1 is left for counting and for the way there and back.
func TestAnAnswerIsCountedSoon(t *testing.T) {
	const within = 7 * time.Second
	mapping := topology.Streams()[0]
	if mapping.Function != topology.Tally {
		t.Fatalf("the first mapping is of %s", mapping.Function)
	}
	synctest.Test(t, func(t *testing.T) {
		// At every phase of the batches and of two windows, and in a shard that
		// follows another.
		var early, late []time.Time
		for d := time.Duration(0); d < 90*time.Second; d += 370 * time.Millisecond {
			if d < 45*time.Second {
				early = append(early, time.Now().Add(d))
			} else {
				late = append(late, time.Now().Add(d))
			}
		}
		r := newRig(t, &stream{shards: []*fakeShard{
			{id: "a", at: early, ends: late[0]},
			{id: "b", parent: "a", at: late},
		}}, mapping, "")
		r.fn.do = func(e input) (output, error) {
			for _, record := range e.Records {
				if took := time.Since(record.Change.ApproximateCreationDateTime.Time); took > within {
					t.Errorf("%s is counted after %s, later than %s", record.EventID, took, within)
				}
			}
			return output{}, nil
		}
		r.runFor(t, 2*time.Minute)
		if got, want := len(r.fn.ok), len(early)+len(late); got != want {
			t.Errorf("%d records counted, want %d", got, want)
		}
	})
}

func TestBatches(t *testing.T) {
	tests := []struct {
		name    string
		shard   func() *fakeShard // made in the bubble, by its clock
		mapping topology.Stream
		want    []string
	}{
		{"as many records as the mapping says", func() *fakeShard { return &fakeShard{id: "a", at: at(2500, 0)} }, topology.Stream{Batch: 1000, BatchingSeconds: 5},
			[]string{"0s [a/0..a/999]", "0s [a/1000..a/1999]", "5s [a/2000..a/2499]"}},
		{"at most 6 MB", func() *fakeShard { return &fakeShard{id: "a", at: at(5, 0), size: 3 << 20} }, topology.Stream{Batch: 1000, BatchingSeconds: 5},
			[]string{"0s [a/0]", "0s [a/1]", "0s [a/2]", "0s [a/3]", "5s [a/4]"}},
		{"what arrives within the batching window", func() *fakeShard {
			return &fakeShard{id: "a", at: slices.Concat(at(1, 0), at(1, 4*time.Second), at(1, 6*time.Second))}
		}, topology.Stream{Batch: 1000, BatchingSeconds: 5},
			[]string{"5s [a/0..a/1]", "11s [a/2]"}},
		{"at once without a batching window", func() *fakeShard { return &fakeShard{id: "a", at: at(3, 0)} }, topology.Stream{Batch: 1000},
			[]string{"0s [a/0..a/2]"}},
		{"at once where the shard ends", func() *fakeShard { return &fakeShard{id: "a", at: at(3, 0), ends: time.Now()} }, topology.Stream{Batch: 1000, BatchingSeconds: 5},
			[]string{"0s [a/0..a/2]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, &stream{shards: []*fakeShard{tt.shard()}}, tt.mapping, "")
				r.runFor(t, time.Minute)
				r.wantCalls(t, tt.want...)
			})
		})
	}
}

func TestBisectAndRetries(t *testing.T) {
	poisoned := func(e input) bool {
		return slices.ContainsFunc(e.Records, func(r events.DynamoDBEventRecord) bool { return r.EventID == "a/5" })
	}
	broken := func(e input) (out output, err error) {
		if poisoned(e) {
			err = errBroken
		}
		return out, err
	}
	tests := []struct {
		name    string
		mapping topology.Stream
		do      func(input) (output, error)
		calls   []string
		failed  []string
		ok      int
	}{
		{"an error halves the batch until the record is alone", topology.Stream{Batch: 100, Bisect: true, Retries: 2}, broken,
			[]string{"0s [a/0..a/7]", "0s [a/0..a/3]", "0s [a/4..a/7]", "0s [a/4..a/5]", "0s [a/4]", "0s [a/5]", "0s [a/5]", "0s [a/5]", "0s [a/6..a/7]"},
			[]string{"a 6-6 of 1 RetryAttemptsExhausted 3"}, 7},
		{"a panic is an error", topology.Stream{Batch: 100, Bisect: true}, func(e input) (output, error) {
			if poisoned(e) {
				panic(errBroken)
			}
			return output{}, nil
		},
			[]string{"0s [a/0..a/7]", "0s [a/0..a/3]", "0s [a/4..a/7]", "0s [a/4..a/5]", "0s [a/4]", "0s [a/5]", "0s [a/6..a/7]"},
			[]string{"a 6-6 of 1 RetryAttemptsExhausted 1"}, 7},
		{"without bisect the batch is tried whole", topology.Stream{Batch: 100, Retries: 1}, broken,
			[]string{"0s [a/0..a/7]", "0s [a/0..a/7]"},
			[]string{"a 1-8 of 8 RetryAttemptsExhausted 2"}, 0},
		{"a named record is tried again with those after it", topology.Stream{Batch: 100, Bisect: true, Retries: 2}, func(e input) (output, error) {
			var out output
			for _, r := range e.Records {
				if r.EventID == "a/5" && len(e.Records) > 2 {
					out.BatchItemFailures = append(out.BatchItemFailures, events.DynamoDBBatchItemFailure{ItemIdentifier: r.Change.SequenceNumber})
				}
			}
			return out, nil
		},
			[]string{"0s [a/0..a/7]", "0s [a/5..a/7]", "0s [a/5]", "0s [a/6..a/7]"}, nil, 8},
		{"of several named records the first counts", topology.Stream{Batch: 100}, func(e input) (output, error) {
			var out output
			if len(e.Records) == 8 {
				out.BatchItemFailures = []events.DynamoDBBatchItemFailure{{ItemIdentifier: "7"}, {ItemIdentifier: "3"}}
			}
			return out, nil
		}, []string{"0s [a/0..a/7]", "0s [a/2..a/7]"}, nil, 8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, &stream{shards: []*fakeShard{{id: "a", at: at(8, 0)}}}, tt.mapping, "")
				r.fn.do = tt.do
				r.runFor(t, 10*time.Second)
				// The delays double from a tenth of a second; the order is what matters here.
				for i, c := range r.fn.calls {
					_, c, _ = strings.Cut(c, " ")
					r.fn.calls[i] = "0s " + c
				}
				r.wantCalls(t, tt.calls...)
				if got := r.conditions(t); !slices.Equal(got, tt.failed) {
					t.Errorf("given up: %q, want %q", got, tt.failed)
				}
				if len(r.fn.ok) != tt.ok {
					t.Errorf("dealt with %v", r.fn.ok)
				}
			})
		})
	}
}

func TestAnUnreadableAnswerIsAFailure(t *testing.T) {
	for name, answer := range map[string]string{"no JSON": "ok", "a record of another batch": `{"batchItemFailures":[{"itemIdentifier":"99"}]}`, "no record": `{"batchItemFailures":[{"itemIdentifier":""}]}`} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, &stream{shards: []*fakeShard{{id: "a", at: at(2, 0)}}}, topology.Stream{Batch: 100, Retries: 1}, "")
				r.Function = raw(answer)
				r.runFor(t, 10*time.Second)
				if got, want := r.conditions(t), []string{"a 1-2 of 2 RetryAttemptsExhausted 2"}; !slices.Equal(got, want) {
					t.Errorf("given up: %q, want %q", got, want)
				}
			})
		})
	}
	for _, answer := range []string{"", "null", "{}", `{"batchItemFailures":null}`, `{"batchItemFailures":[]}`} {
		t.Run("success "+answer, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, &stream{shards: []*fakeShard{{id: "a", at: at(2, 0)}}}, topology.Stream{Batch: 100}, "")
				r.Function = raw(answer)
				r.runFor(t, 10*time.Second)
				if p := r.Checkpoints.get(arn, "a"); p.Sequence != "2" || r.failed.Len() > 0 {
					t.Errorf("at %+v, given up %s", p, r.failed.String())
				}
			})
		})
	}
}

type raw string

func (r raw) Invoke(context.Context, []byte) ([]byte, error) { return []byte(r), nil }

func TestTheDelayGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, &stream{shards: []*fakeShard{{id: "a", at: at(1, 0)}}}, topology.Stream{Batch: 100, Retries: 20}, "")
		var waits []time.Duration
		last := time.Now()
		r.fn.do = func(input) (output, error) {
			waits = append(waits, time.Since(last))
			last = time.Now()
			return output{}, errBroken
		}
		r.runFor(t, time.Hour)
		if len(waits) != 21 {
			t.Fatalf("%d invocations of 21", len(waits))
		}
		for i, w := range waits[1:] {
			if want := min(100*time.Millisecond<<i, 30*time.Second); w != want {
				t.Errorf("before retry %d: %s, want %s", i+1, w, want)
			}
		}
	})
}

func TestOldRecordsAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		moments := slices.Concat(at(2, -101*time.Second), at(1, -99*time.Second))
		r := newRig(t, &stream{shards: []*fakeShard{{id: "a", at: moments}}}, topology.Stream{Batch: 100, MaxAgeSeconds: 100, Retries: 1000}, "")
		r.fn.do = func(input) (output, error) { return output{}, errBroken }
		r.runFor(t, time.Minute)
		if got, want := r.conditions(t), []string{"a 1-2 of 2 RecordAgeExceeded 0", "a 3-3 of 1 RecordAgeExceeded 0"}; !slices.Equal(got, want) {
			t.Errorf("given up: %q, want %q", got, want)
		}
		if len(r.fn.calls) == 0 {
			t.Error("the record of 99 s was never tried")
		}
	})
}

func TestParentsComeFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		s := &stream{shards: []*fakeShard{
			{id: "child", parent: "parent", at: at(2, 0)},
			{id: "parent", parent: "gone", at: at(2, 0), ends: now.Add(20 * time.Second)},
			{id: "other", at: at(1, 0)},
		}}
		r := newRig(t, s, topology.Stream{Batch: 100, BatchingSeconds: 5, WindowSeconds: 30}, "")
		r.runFor(t, 40*time.Second)
		slices.Sort(r.fn.calls[:2]) // two shards at once
		r.wantCalls(t,
			"5s [other/0] other 0-30 map[]",
			"5s [parent/0..parent/1] parent 0-30 map[]",
			"20s [] parent 0-30 map[] final", // the window ends with the shard
			"25s [child/0..child/1] child 0-30 map[]",
		)
		if !r.Checkpoints.get(arn, "parent").Ended {
			t.Error("the parent has not ended")
		}
	})
}

func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoints.json")
	synctest.Test(t, func(t *testing.T) {
		s := &stream{shards: []*fakeShard{
			{id: "ended", at: at(1, 0), ends: time.Now()},
			{id: "a", at: slices.Concat(at(2, 0), at(1, 8*time.Second), at(1, 40*time.Second))},
		}}
		m := topology.Stream{Batch: 100, BatchingSeconds: 5, WindowSeconds: 30}
		count := func(e input) (output, error) {
			n, _ := strconv.Atoi(e.State["n"])
			var out output
			out.State = map[string]string{"n": strconv.Itoa(n + len(e.Records))}
			return out, nil
		}
		first := newRig(t, s, m, path)
		first.fn.do = count
		first.runFor(t, 10*time.Second) // a/2 is read by then, and not delivered
		slices.Sort(first.fn.calls)
		first.wantCalls(t, "0s [] ended 0-30 map[n:1] final", "0s [ended/0] ended 0-30 map[]", "5s [a/0..a/1] a 0-30 map[]")

		second := newRig(t, s, m, path)
		second.fn.do = count
		second.runFor(t, 40*time.Second)
		second.wantCalls(t, "5s [a/2] a 0-30 map[n:2]", "30s [] a 0-30 map[n:3] final", "35s [a/3] a 30-60 map[]")
	})
}

func TestStopLetsAnInvocationFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, &stream{shards: []*fakeShard{{id: "a", at: at(1, 0)}}}, topology.Stream{Batch: 100}, "")
		var end time.Time
		r.Function = invokeFunc(func(ctx context.Context) error {
			<-ctx.Done() // a slow one, that heeds its context
			end = time.Now()
			return ctx.Err()
		})
		start := time.Now()
		r.runFor(t, time.Second)
		if took := end.Sub(start); took != time.Second+stopGrace {
			t.Errorf("the invocation was stopped after %s", took)
		}
		if p := r.Checkpoints.get(arn, "a"); p.Sequence != "" {
			t.Errorf("what failed is checkpointed: %+v", p)
		}
	})
}

type invokeFunc func(ctx context.Context) error

func (f invokeFunc) Invoke(ctx context.Context, _ []byte) ([]byte, error) { return nil, f(ctx) }

func TestReadErrorsAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stream{shards: []*fakeShard{{id: "a", at: slices.Concat(at(1, 0), at(1, time.Second))}}}
		s.fail = []error{errBroken, &types.ExpiredIteratorException{}, &types.TrimmedDataAccessException{}, &types.LimitExceededException{}}
		r := newRig(t, s, topology.Stream{Batch: 100, BatchingSeconds: 5}, "")
		r.runFor(t, 10*time.Second)
		r.wantCalls(t, "6s [a/0..a/1]")
	})
}

func TestAShardThatIsGoneHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stream{shards: []*fakeShard{{id: "a"}, {id: "b", parent: "a", at: at(1, 0)}}}
		s.fail = []error{&types.ResourceNotFoundException{}}
		r := newRig(t, s, topology.Stream{Batch: 100}, "")
		r.runFor(t, 10*time.Second)
		r.wantCalls(t, "0s [b/0]")
	})
}

// TestNothingIsLost draws failures of every kind, and holds what the function
// dealt with against the stream: every record, in order, none given up.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(rt, "records")
		batch := rapid.IntRange(1, 20).Draw(rt, "batch")
		bisect := rapid.Bool().Draw(rt, "bisect")
		window := rapid.SampledFrom([]int{0, 2}).Draw(rt, "window")
		stops := rapid.IntRange(0, 3).Draw(rt, "stops")
		gaps := rapid.SliceOfN(rapid.IntRange(0, 900), n, n).Draw(rt, "gaps")
		outcomes := rapid.SliceOfN(rapid.IntRange(0, 3), 30, 30).Draw(rt, "outcomes")
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		var got []string
		synctest.Test(t, func(t *testing.T) {
			moments := make([]time.Time, n)
			now := time.Now()
			for i, g := range gaps {
				now = now.Add(time.Duration(g) * time.Millisecond)
				moments[i] = now
			}
			s := &stream{shards: []*fakeShard{{id: "a", at: moments}}}
			next := 0
			for range stops + 1 {
				r := newRig(t, s, topology.Stream{Batch: batch, BatchingSeconds: 1, WindowSeconds: window, Bisect: bisect, Retries: 1000}, filepath.Join(dir, "checkpoints"))
				r.fn.do = func(e input) (output, error) {
					if next++; next > len(outcomes) || len(e.Records) == 0 {
						return output{}, nil
					}
					switch outcomes[next-1] {
					case 1:
						return output{}, errBroken
					case 2:
						panic("broken")
					case 3:
						var out output
						out.BatchItemFailures = []events.DynamoDBBatchItemFailure{{ItemIdentifier: e.Records[len(e.Records)/2].Change.SequenceNumber}}
						return out, nil
					}
					return output{}, nil
				}
				r.runFor(t, 20*time.Second)
				got = append(got, r.fn.ok...)
				if r.failed.Len() > 0 {
					t.Errorf("given up: %s", r.failed.String())
				}
			}
			last := newRig(t, s, topology.Stream{Batch: batch, WindowSeconds: window}, filepath.Join(dir, "checkpoints"))
			last.runFor(t, 20*time.Minute) // longer than 30 failures delay
			got = append(got, last.fn.ok...)
		})
		for i := range max(n, len(got)) {
			if i >= n || i >= len(got) || got[i] != fmt.Sprintf("a/%d", i) {
				rt.Fatalf("%d records came through as %v", n, got)
			}
		}
	})
}

func TestCheckpointsFile(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.json")
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCheckpoints(broken); err == nil {
		t.Error("a broken file was read")
	}
	path := filepath.Join(dir, "ok.json")
	c, err := OpenCheckpoints(path)
	if err != nil {
		t.Fatal(err)
	}
	window := time.Date(2026, 11, 21, 0, 0, 30, 0, time.UTC)
	for _, id := range []string{"kept", "forgotten", "kept"} {
		if err := c.put(arn, id, Position{Sequence: "12", Window: window, State: map[string]string{"n": "1"}}); err != nil {
			t.Fatal(err)
		}
	}
	c.keep(arn, map[string]bool{"kept": true})
	if err := c.put(arn, "ended", Position{Ended: true}); err != nil {
		t.Fatal(err)
	}
	c, err = OpenCheckpoints(path)
	if err != nil {
		t.Fatal(err)
	}
	if p := c.get(arn, "kept"); p.Sequence != "12" || !p.Window.Equal(window) || p.State["n"] != "1" || p.Ended {
		t.Errorf("kept: %+v", p)
	}
	if p := c.get(arn, "forgotten"); p.Sequence != "" {
		t.Errorf("forgotten: %+v", p)
	}
	if p := c.get(arn, "ended"); !p.Ended || !p.Window.IsZero() {
		t.Errorf("ended: %+v", p)
	}
}
