package store

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/survey"
)

func TestSeriesKeyComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := SeriesKey{rapid.StringMatching(`[a-z0-9][a-z0-9-]{0,62}`).Draw(t, "touchpoint"), rapid.IntRange(1, 1<<30).Draw(t, "series")}
		got, err := ParseSeriesKey(k.String())
		if err != nil || got != k {
			t.Fatalf("%v came back as %v, %v", k, got, err)
		}
	})
}

func TestParseSeriesKeyRefuses(t *testing.T) {
	for _, s := range []string{"", "a", "#1", "a#", "a#0", "a#-1", "a#1.0", "a#1#2"} {
		if k, err := ParseSeriesKey(s); err == nil {
			t.Errorf("%q was read as %v", s, k)
		}
	}
}

func TestCounterNameComesBack(t *testing.T) {
	var tally score.Tally
	groups := []score.Group{score.All, score.ByChannel(survey.Kiosk), score.BySegment("plan=gold"), score.BySegment("a/b/9")}
	seen := map[string]bool{}
	for _, g := range groups {
		for _, c := range tally.Counters() {
			name := counterName(g, c.Name)
			gotGroup, gotCounter, ok := parseCounterName(name)
			if !ok || gotGroup != g || gotCounter != c.Name {
				t.Errorf("%q, %q came back as %q, %q, %v", g, c.Name, gotGroup, gotCounter, ok)
			}
			if seen[name] {
				t.Errorf("%q names two counters", name)
			}
			seen[name] = true
		}
	}
}

func TestWatermarkComparesAsNumbers(t *testing.T) {
	sequence := rapid.StringMatching(`[1-9][0-9]{0,39}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := sequence.Draw(t, "a"), sequence.Draw(t, "b")
		below := len(a) < len(b) || len(a) == len(b) && a < b
		if got := CompareSequence(a, b) < 0; got != below {
			t.Fatalf("%s before %s: %v, want %v", a, b, got, below)
		}
		// The condition of the update: the watermark's value against the first
		// sequence number of the batch.
		if got := watermarkValue(a, time.Unix(1<<33, 0)) < pad(b); got != below {
			t.Fatalf("watermark at %s below %s: %v, want %v", a, b, got, below)
		}
		if got := (&CountedError{Last: pad(a)}).After(b); got != below {
			t.Fatalf("%s after those counted up to %s: %v, want %v", b, a, got, below)
		}
	})
}

func TestWatermarkComesBack(t *testing.T) {
	at := time.Unix(1_795_262_400, 0)
	last, got, err := parseWatermark(watermarkValue("100", at))
	if err != nil || strings.TrimLeft(last, "0") != "100" || !got.Equal(at) {
		t.Errorf("came back as %s, %v, %v", last, got, err)
	}
	for _, s := range []string{"", "1", "1@", "1@x"} {
		if _, _, err := parseWatermark(s); err == nil {
			t.Errorf("%q was read", s)
		}
	}
}

func TestFeedKeysSortByTime(t *testing.T) {
	early := time.Date(2026, 11, 30, 23, 59, 59, 999e6, time.UTC)
	feed, first := feedKeys("shop", "z", early)
	next, second := feedKeys("shop", "a", early.Add(time.Millisecond).In(time.FixedZone("east", 7200)))
	if feed != "shop#2026-11" || next != "shop#2026-12" || first >= second {
		t.Errorf("%s %s, %s %s", feed, first, next, second)
	}
}
