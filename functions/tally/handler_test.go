package tally_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/functions/tally"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// sheetsFunc is sheets made of a function.
type sheetsFunc func(context.Context, score.Key, score.Sheet, store.Span) error

func (f sheetsFunc) AddToSheet(ctx context.Context, k score.Key, change score.Sheet, span store.Span, _ time.Time) error {
	return f(ctx, k, change, span)
}

func handler(s tally.Sheets) *tally.Handler {
	return &tally.Handler{Sheets: s, Zone: time.UTC, Now: func() time.Time { return noon }}
}

// answered returns an ask that a human answered at noon, by no channel, so
// that it counts once in the sheets of the day and the month.
func answered(points int) *survey.Ask {
	a := testkit.NewAsk(noon)
	a.Channel, a.Score, a.Trust, a.AnsweredAt = "", points, survey.Human, noon
	return a
}

func edited(a *survey.Ask, points int) *survey.Ask {
	b := *a
	b.Score = points
	return &b
}

// corrupt returns a record whose new image is no ask.
func corrupt(sequence string) events.DynamoDBEventRecord {
	a := answered(9)
	a.ID, a.Comment = "corrupt", "my name is Aino"
	r := testkit.StreamRecord(sequence, nil, a)
	r.Change.NewImage["score"] = events.NewNumberAttribute("11")
	return r
}

var today = score.Key{Touchpoint: "shop-nps", Series: 1, Period: "day#2026-11-21"}

func TestHandleCounts(t *testing.T) {
	a, b := answered(9), answered(3)
	for name, tc := range map[string]struct {
		batches [][]events.DynamoDBEventRecord
		today   map[int]int64 // answers by score
	}{
		"a new answer": {
			[][]events.DynamoDBEventRecord{{testkit.StreamRecord("1", nil, a)}},
			map[int]int64{9: 1},
		},
		"two records out of order, one twice": {
			[][]events.DynamoDBEventRecord{{testkit.StreamRecord("10", nil, b), testkit.StreamRecord("9", nil, a), testkit.StreamRecord("10", nil, b)}},
			map[int]int64{9: 1, 3: 1},
		},
		"a batch delivered twice": {
			[][]events.DynamoDBEventRecord{{testkit.StreamRecord("1", nil, a)}, {testkit.StreamRecord("1", nil, a)}},
			map[int]int64{9: 1},
		},
		"a batch with its end delivered before": {
			[][]events.DynamoDBEventRecord{
				{testkit.StreamRecord("1", nil, a)},
				{testkit.StreamRecord("1", nil, a), testkit.StreamRecord("2", nil, b)},
			},
			map[int]int64{9: 1, 3: 1},
		},
		"an edit": {
			[][]events.DynamoDBEventRecord{{testkit.StreamRecord("1", nil, a)}, {testkit.StreamRecord("2", a, edited(a, 0))}},
			map[int]int64{0: 1},
		},
		"an answer taken back in the same batch, whose first half comes again": {
			[][]events.DynamoDBEventRecord{
				{testkit.StreamRecord("1", nil, a), testkit.StreamRecord("2", a, nil)},
				{testkit.StreamRecord("1", nil, a)},
			},
			map[int]int64{},
		},
		"a removal": {
			[][]events.DynamoDBEventRecord{{testkit.StreamRecord("1", nil, a)}, {testkit.StreamRecord("2", a, nil)}},
			map[int]int64{},
		},
		"an expiry": {
			[][]events.DynamoDBEventRecord{{testkit.StreamRecord("1", nil, a)}, {testkit.ExpiryRecord("2", a)}},
			map[int]int64{9: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			for _, batch := range tc.batches {
				resp, err := handler(l).Handle(context.Background(), testkit.StreamBatch("shard", batch...))
				if err != nil || len(resp.BatchItemFailures) > 0 {
					t.Fatal(resp.BatchItemFailures, err)
				}
			}
			got := map[int]int64{}
			for points, n := range l.counts(t)[today][score.All].Scores {
				if n != 0 {
					got[points] = n
				}
			}
			if diff := cmp.Diff(tc.today, got); diff != "" {
				t.Errorf("today's scores (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHandleWritesEachSheetOnce(t *testing.T) {
	var spans []store.Span
	l := newLedger()
	h := handler(sheetsFunc(func(ctx context.Context, k score.Key, change score.Sheet, span store.Span) error {
		if k == today {
			spans = append(spans, span)
		}
		return l.AddToSheet(ctx, k, change, span, noon)
	}))
	var batch []events.DynamoDBEventRecord
	for i := range 1000 {
		batch = append(batch, testkit.StreamRecord(fmt.Sprint(9_500+i), nil, answered(i%11)))
	}
	if _, err := h.Handle(context.Background(), testkit.StreamBatch("shard", batch...)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]store.Span{{Shard: "shard", First: "9500", Last: "10499"}}, spans); diff != "" {
		t.Errorf("writes to today's sheet (-want +got):\n%s", diff)
	}
	if n := l.counts(t)[today][score.All].N(); n != 1000 {
		t.Errorf("%d answers counted, not 1000", n)
	}
}

func TestHandleWithoutRecords(t *testing.T) {
	var final events.DynamoDBTimeWindowEvent
	final.IsFinalInvokeForWindow = true
	resp, err := handler(nil).Handle(context.Background(), final)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(resp)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"state":{},"batchItemFailures":null}`; string(got) != want {
		t.Errorf("response %s, want %s", got, want)
	}
}

func TestHandleWithoutShard(t *testing.T) {
	_, err := handler(nil).Handle(context.Background(), testkit.StreamBatch("", testkit.StreamRecord("1", nil, answered(9))))
	if err == nil || !strings.Contains(err.Error(), "tumbling window") {
		t.Errorf("error %v does not name the cause", err)
	}
}

// Three records: the first concerns all sheets, the others one day each.
func threeDays() []events.DynamoDBEventRecord {
	first, second, third := answered(9), answered(9), answered(9)
	first.AnsweredAt = noon.Add(-24 * time.Hour)
	second.AnsweredAt = noon.Add(-48 * time.Hour)
	return []events.DynamoDBEventRecord{
		testkit.StreamRecord("1", nil, first), testkit.StreamRecord("2", nil, second), testkit.StreamRecord("3", nil, third),
	}
}

func TestHandleReportsTheFirstUncounted(t *testing.T) {
	for name, tc := range map[string]struct {
		broken []score.Period
		from   string // "" for the invocation's failure
	}{
		"one sheet":              {[]score.Period{"day#2026-11-19"}, "2"},
		"the last sheet":         {[]score.Period{"day#2026-11-21"}, "3"},
		"two sheets":             {[]score.Period{"day#2026-11-21", "day#2026-11-19"}, "2"},
		"the first record's":     {[]score.Period{"day#2026-11-20"}, ""},
		"the sheet of all three": {[]score.Period{"month#2026-11", "day#2026-11-21"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			h := handler(sheetsFunc(func(ctx context.Context, k score.Key, change score.Sheet, span store.Span) error {
				if slices.Contains(tc.broken, k.Period) {
					return errFault
				}
				return l.AddToSheet(ctx, k, change, span, noon)
			}))
			resp, err := h.Handle(context.Background(), testkit.StreamBatch("shard", threeDays()...))
			if resp.State == nil {
				t.Error("the response has no state")
			}
			if tc.from == "" {
				if !errors.Is(err, errFault) {
					t.Errorf("error %v, want the write's", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]events.DynamoDBBatchItemFailure{{ItemIdentifier: tc.from}}, resp.BatchItemFailures); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
			if got, want := len(l.counts(t)), 4-len(tc.broken); got != want {
				t.Errorf("%d sheets written, want the %d others", got, want)
			}
		})
	}
}

// A batch that cannot be finished in time stops early enough to say so.
func TestHandleStopsBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handler(sheetsFunc(func(ctx context.Context, k score.Key, _ score.Sheet, _ store.Span) error {
			if k.Period != "day#2026-11-21" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}))
		const left = 60 * time.Second
		ctx, cancel := context.WithTimeout(context.Background(), left)
		defer cancel()
		began := time.Now()
		resp, err := h.Handle(ctx, testkit.StreamBatch("shard", threeDays()...))
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != left-2*time.Second {
			t.Errorf("it stopped after %s of %s, want 2s kept back", took, left)
		}
		if diff := cmp.Diff([]events.DynamoDBBatchItemFailure{{ItemIdentifier: "3"}}, resp.BatchItemFailures); diff != "" {
			t.Errorf("failures (-want +got):\n%s", diff)
		}
	})
}

// A record that cannot be counted is isolated by the bisection that failures
// cause, and ends in the on-failure queue alone; all others are counted.
func TestUncountableRecordIsIsolated(t *testing.T) {
	log := captureLog(t)
	wider := answered(9) // alone too wide for one update of a sheet
	for i := range store.MaxSheetChanges + 1 {
		wider.Segments = append(wider.Segments, fmt.Sprintf("plan=%03d", i))
	}
	for name, bad := range map[string]func(sequence string) events.DynamoDBEventRecord{
		"corrupt":  corrupt,
		"too wide": func(sequence string) events.DynamoDBEventRecord { return testkit.StreamRecord(sequence, nil, wider) },
	} {
		for place := range 8 {
			t.Run(fmt.Sprintf("%s/%d", name, place), func(t *testing.T) {
				l := newLedger()
				var records []events.DynamoDBEventRecord
				for i := range 8 {
					r := testkit.StreamRecord(fmt.Sprint(i), nil, answered(i))
					if i == place {
						r = bad(fmt.Sprint(i))
					}
					records = append(records, r)
				}
				dead := lambda(t, handler(l), records, 3)
				if diff := cmp.Diff([]string{fmt.Sprint(place)}, dead); diff != "" {
					t.Errorf("on-failure queue (-want +got):\n%s", diff)
				}
				if n := l.counts(t)[today][score.All].N(); n != 7 {
					t.Errorf("%d answers counted, want the 7 others", n)
				}
			})
		}
	}
	if s := log.String(); !strings.Contains(s, survey.Fingerprint("corrupt")) || strings.Contains(s, "corrupt") || strings.Contains(s, "Aino") {
		t.Errorf("the log must have the fingerprint of the ask's id and nothing of its content:\n%s", s)
	}
}

// lambda delivers a batch as an event source mapping with bisection and
// partial responses does, and returns the sequence numbers of the records that
// were given up after so many retries.
func lambda(t *testing.T, h *tally.Handler, batch []events.DynamoDBEventRecord, retries int) (dead []string) {
	t.Helper()
	for range 1 + retries {
		resp, err := h.Handle(context.Background(), testkit.StreamBatch("shard", batch...))
		switch {
		case err != nil && len(batch) > 1:
			half := len(batch) / 2
			return append(lambda(t, h, batch[:half], retries), lambda(t, h, batch[half:], retries)...)
		case err != nil:
			continue
		case len(resp.BatchItemFailures) == 0:
			return nil
		}
		i := slices.IndexFunc(batch, func(r events.DynamoDBEventRecord) bool {
			return r.Change.SequenceNumber == resp.BatchItemFailures[0].ItemIdentifier
		})
		if i < 0 {
			t.Fatalf("%v is not of the batch", resp.BatchItemFailures)
		}
		batch = batch[i:]
	}
	for _, r := range batch {
		dead = append(dead, r.Change.SequenceNumber)
	}
	return dead
}

func captureLog(t *testing.T) *bytes.Buffer {
	t.Helper()
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return &log
}

// Whatever arrives is counted, reported or refused, and never panics.
func FuzzHandle(f *testing.F) {
	seeds := []string{
		`{}`, `{"shardId":"s"}`,
		`{"shardId":"s","Records":[{"eventName":"REMOVE","userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},"dynamodb":{"SequenceNumber":"1"}}]}`,
		`{"shardId":"s","Records":[{"dynamodb":{"SequenceNumber":"x","NewImage":{"id":{"S":"a"},"n":{"N":"1.5"},"b":{"BOOL":true},"z":{"NULL":true},"l":{"L":[{"B":"AA=="}]},"ss":{"SS":["a"]},"ns":{"NS":["1"]},"bs":{"BS":["AA=="]}}}}]}`,
	}
	e, err := json.Marshal(answeredEvent())
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range append(seeds, string(e)) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var e events.DynamoDBTimeWindowEvent
		if json.Unmarshal(data, &e) != nil {
			return
		}
		l := newLedger()
		resp, err := handler(l).Handle(context.Background(), e)
		if err == nil && len(resp.BatchItemFailures) == 0 && e.ShardID != "" {
			return
		}
		if err == nil && len(e.Records) > 0 && len(resp.BatchItemFailures) != 1 {
			t.Errorf("%d failures, want the first", len(resp.BatchItemFailures))
		}
	})
}

func answeredEvent() events.DynamoDBTimeWindowEvent {
	a := answered(9)
	a.Segments, a.Attrs, a.Comment = []string{"plan=gold"}, map[string]string{"plan": "gold"}, "kiitos"
	return testkit.StreamBatch("s", testkit.StreamRecord("1", nil, a), testkit.StreamRecord("2", a, edited(a, 3)))
}

// The seed of the fuzz target is an event that is counted, so that it covers
// the whole way.
func TestEventSurvivesJSON(t *testing.T) {
	b, err := json.Marshal(answeredEvent())
	if err != nil {
		t.Fatal(err)
	}
	var e events.DynamoDBTimeWindowEvent
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	l := newLedger()
	if _, err := handler(l).Handle(context.Background(), e); err != nil {
		t.Fatal(err)
	}
	var three score.Tally
	three.Scores[3] = 1
	want := score.Sheet{score.All: three, score.BySegment("plan=gold"): three}
	if diff := cmp.Diff(want, l.counts(t)[today]); diff != "" {
		t.Errorf("today's sheet (-want +got):\n%s", diff)
	}
}
