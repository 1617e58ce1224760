package tally_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/functions/tally"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// ledger is sheets in memory, with the contract of [store.Store.AddToSheet]:
// TestLedgerKeepsTheStoresContract holds it to that.
type ledger struct {
	mu     sync.Mutex
	sheets map[score.Key]score.Sheet
	marks  map[score.Key]map[string]mark // by shard
}

type mark struct {
	last string
	at   time.Time
}

func newLedger() *ledger {
	return &ledger{sheets: map[score.Key]score.Sheet{}, marks: map[score.Key]map[string]mark{}}
}

func (l *ledger) AddToSheet(_ context.Context, k score.Key, change score.Sheet, span store.Span, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, t := range change {
		for _, c := range t.Counters() {
			if *c.Value != 0 {
				n++
			}
		}
	}
	if n > store.MaxSheetChanges {
		return fmt.Errorf("%v: %w", k, store.ErrTooManyChanges)
	}
	if l.sheets[k] == nil {
		l.sheets[k], l.marks[k] = score.Sheet{}, map[string]mark{}
	}
	marks := l.marks[k]
	if m, ok := marks[span.Shard]; ok && store.CompareSequence(m.last, span.First) >= 0 {
		return &store.CountedError{Last: m.last}
	}
	l.sheets[k].Add(change)
	marks[span.Shard] = mark{span.Last, now}
	maps.DeleteFunc(marks, func(shard string, m mark) bool {
		return shard != span.Shard && now.Sub(m.at) > 48*time.Hour
	})
	return nil
}

// counts returns what the sheets have counted, without those that come to
// nothing.
func (l *ledger) counts(testing.TB) map[score.Key]score.Sheet {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[score.Key]score.Sheet{}
	for k, s := range l.sheets {
		if len(s) > 0 {
			out[k] = maps.Clone(s)
		}
	}
	return out
}

// stored is sheets in DynamoDB Local.
type stored struct{ *store.Store }

func newStored(t testing.TB) stored { return stored{testkit.NewTables(t).Store} }

func (s stored) counts(t testing.TB) map[score.Key]score.Sheet {
	t.Helper()
	out := map[score.Key]score.Sheet{}
	if err := s.EachSheet(context.Background(), func(sheet store.StoredSheet) error {
		if len(sheet.Counts) > 0 {
			out[sheet.Key] = sheet.Counts
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// counter is sheets whose counts a test can look at.
type counter interface {
	tally.Sheets
	counts(testing.TB) map[score.Key]score.Sheet
}

// addition is one call of AddToSheet.
type addition struct {
	key    score.Key
	change score.Sheet
	span   store.Span
	at     time.Time
}

// outcome is what a call came to, in words that compare.
func outcome(err error) string {
	counted, repeated := store.IsCounted(err)
	switch {
	case err == nil:
		return "added"
	case repeated:
		return "counted up to " + strings.TrimLeft(counted.Last, "0")
	case errors.Is(err, store.ErrTooManyChanges):
		return "too many changes"
	default:
		return err.Error()
	}
}

func run(t testing.TB, c counter, calls []addition) (outcomes []string) {
	t.Helper()
	for _, a := range calls {
		outcomes = append(outcomes, outcome(c.AddToSheet(context.Background(), a.key, a.change, a.span, a.at)))
	}
	return outcomes
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func oneNine(by int64) score.Sheet {
	var t score.Tally
	t.Scores[9] = by
	return score.Sheet{score.All: t}
}

// wide returns a change of n counters, in groups with the longest names.
func wide(n int) score.Sheet {
	s := score.Sheet{}
	for i := 0; n > 0; i++ {
		var t score.Tally
		for _, c := range t.Counters() {
			if n > 0 {
				*c.Value = 1
				n--
			}
		}
		long := strings.Repeat("ä", survey.MaxAttrKey)
		s[score.BySegment(fmt.Sprintf("%s=%02d%s", long, i, long[:2*(survey.MaxAttrKey-2)]))] = t
	}
	return s
}

func TestSheetsContract(t *testing.T) {
	day, month := score.Key{Touchpoint: "a", Series: 1, Period: "day#2026-11-21"}, score.Key{Touchpoint: "a", Series: 1, Period: "month#2026-11"}
	span := func(first, last string) store.Span { return store.Span{Shard: "shard-1", First: first, Last: last} }
	for name, tc := range map[string]struct {
		calls    []addition
		outcomes []string
		counts   map[score.Key]score.Sheet
	}{
		"one": {
			[]addition{{day, oneNine(1), span("10", "20"), noon}},
			[]string{"added"},
			map[score.Key]score.Sheet{day: oneNine(1)},
		},
		"the same again": {
			[]addition{{day, oneNine(1), span("10", "20"), noon}, {day, oneNine(1), span("10", "20"), noon}},
			[]string{"added", "counted up to 20"},
			map[score.Key]score.Sheet{day: oneNine(1)},
		},
		"overlapping by its first": {
			[]addition{{day, oneNine(1), span("10", "20"), noon}, {day, oneNine(1), span("20", "30"), noon}},
			[]string{"added", "counted up to 20"},
			map[score.Key]score.Sheet{day: oneNine(1)},
		},
		"beginning right behind": {
			[]addition{{day, oneNine(1), span("10", "20"), noon}, {day, oneNine(1), span("21", "30"), noon}},
			[]string{"added", "added"},
			map[score.Key]score.Sheet{day: oneNine(2)},
		},
		"sequence numbers of different lengths": {
			[]addition{{day, oneNine(1), span("9", "9"), noon}, {day, oneNine(1), span("10", "10"), noon}, {day, oneNine(1), span("9", "9"), noon}},
			[]string{"added", "added", "counted up to 10"},
			map[score.Key]score.Sheet{day: oneNine(2)},
		},
		"an empty change moves the watermark": {
			[]addition{{day, score.Sheet{}, span("10", "20"), noon}, {day, oneNine(1), span("15", "15"), noon}},
			[]string{"added", "counted up to 20"},
			map[score.Key]score.Sheet{},
		},
		"another shard, another sheet": {
			[]addition{
				{day, oneNine(1), span("10", "20"), noon},
				{day, oneNine(1), store.Span{Shard: "shard-2", First: "10", Last: "20"}, noon},
				{month, oneNine(1), span("10", "20"), noon},
			},
			[]string{"added", "added", "added"},
			map[score.Key]score.Sheet{day: oneNine(2), month: oneNine(1)},
		},
		"to nothing and below": {
			[]addition{{day, oneNine(1), span("1", "1"), noon}, {day, oneNine(-1), span("2", "2"), noon}, {month, oneNine(-2), span("2", "2"), noon}},
			[]string{"added", "added", "added"},
			map[score.Key]score.Sheet{month: oneNine(-2)},
		},
		"as many changes as there may be": {
			[]addition{{day, wide(store.MaxSheetChanges), span("1", "1"), noon}},
			[]string{"added"},
			map[score.Key]score.Sheet{day: wide(store.MaxSheetChanges)},
		},
		"one change more": {
			[]addition{{day, wide(store.MaxSheetChanges + 1), span("1", "1"), noon}, {day, oneNine(1), span("1", "1"), noon}},
			[]string{"too many changes", "added"},
			map[score.Key]score.Sheet{day: oneNine(1)},
		},
		"48 hours keep another shard's watermark": {
			[]addition{
				{day, oneNine(1), span("10", "20"), noon},
				{day, oneNine(1), store.Span{Shard: "shard-2", First: "1", Last: "1"}, noon.Add(48 * time.Hour)},
				{day, oneNine(1), span("10", "20"), noon.Add(48 * time.Hour)},
			},
			[]string{"added", "added", "counted up to 20"},
			map[score.Key]score.Sheet{day: oneNine(2)},
		},
		"a second more removes it": {
			[]addition{
				{day, oneNine(1), span("10", "20"), noon},
				{day, oneNine(1), store.Span{Shard: "shard-2", First: "1", Last: "1"}, noon.Add(48*time.Hour + time.Second)},
				{day, oneNine(1), span("10", "20"), noon.Add(49 * time.Hour)},
				{day, oneNine(1), store.Span{Shard: "shard-2", First: "1", Last: "1"}, noon.Add(49 * time.Hour)},
			},
			[]string{"added", "added", "added", "counted up to 1"},
			map[score.Key]score.Sheet{day: oneNine(3)},
		},
	} {
		for kind, sheets := range map[string]func() counter{
			"memory": func() counter { return newLedger() },
			"store":  func() counter { return newStored(t) },
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				c := sheets()
				if diff := cmp.Diff(tc.outcomes, run(t, c, tc.calls)); diff != "" {
					t.Errorf("outcomes (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tc.counts, c.counts(t)); diff != "" {
					t.Errorf("counts (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// Whatever is called, the double answers and counts as the store does.
func TestLedgerKeepsTheStoresContract(t *testing.T) {
	real := newStored(t)
	rapid.Check(t, func(rt *rapid.T) {
		touchpoint := survey.NewID() // so that sheets are fresh
		double := newLedger()
		var calls []addition
		at := noon
		for range rapid.IntRange(1, 8).Draw(rt, "calls") {
			at = at.Add(rapid.SampledFrom([]time.Duration{0, time.Second, 47 * time.Hour, 49 * time.Hour}).Draw(rt, "later"))
			first := rapid.IntRange(1, 30).Draw(rt, "first")
			var change score.Tally
			change.Scores[rapid.IntRange(0, 2).Draw(rt, "score")] = int64(rapid.IntRange(-2, 2).Draw(rt, "by"))
			change.Sent = int64(rapid.IntRange(-1, 1).Draw(rt, "sent"))
			group := rapid.SampledFrom([]score.Group{score.All, "channel:email", "segment:plan=gold", "segment:a/b"}).Draw(rt, "group")
			calls = append(calls, addition{
				key:    score.Key{Touchpoint: touchpoint, Series: 1, Period: rapid.SampledFrom([]score.Period{"day#2026-11-21", "month#2026-11"}).Draw(rt, "period")},
				change: score.Sheet{group: change},
				span: store.Span{
					Shard: rapid.SampledFrom([]string{"shard-1", "shard-2", "shard-3"}).Draw(rt, "shard"),
					First: fmt.Sprint(first), Last: fmt.Sprint(first + rapid.IntRange(0, 10).Draw(rt, "more")),
				},
				at: at,
			})
		}
		if diff := cmp.Diff(run(t, real, calls), run(t, double, calls)); diff != "" {
			rt.Fatalf("outcomes (-store +double):\n%s", diff)
		}
		got := double.counts(t)
		for _, period := range []score.Period{"day#2026-11-21", "month#2026-11"} {
			k := score.Key{Touchpoint: touchpoint, Series: 1, Period: period}
			sheets, err := real.Sheets(context.Background(), []store.SeriesKey{{Touchpoint: touchpoint, Series: 1}}, period, period)
			if err != nil {
				rt.Fatal(err)
			}
			want := score.Sheet{}
			for _, s := range sheets {
				want.Add(s.Counts)
			}
			have := score.Sheet{}
			have.Add(got[k])
			if diff := cmp.Diff(want, have); diff != "" {
				rt.Fatalf("%s (-store +double):\n%s", period, diff)
			}
		}
	})
}
