package results

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/survey"
)

// handCase is one score that was computed by hand.
type handCase struct {
	Name                     string
	Metric                   survey.Metric
	Counts                   map[string]int64
	Shown                    string
	Score, Margin, Low, High *json.Number
}

// handCases reads testdata/cases.json.
func handCases(t *testing.T) []handCase {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []handCase }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 10 {
		t.Fatalf("%d cases", len(file.Cases))
	}
	return file.Cases
}

// counted returns a handler that has counted the answers of the case in October
// 2026, at the touchpoint "case".
func (c handCase) counted(t *testing.T) *Handler {
	t.Helper()
	var tally score.Tally
	for given, n := range c.Counts {
		i, err := strconv.Atoi(given)
		if err != nil {
			t.Fatal(err)
		}
		tally.Scores[i] = n
	}
	return newHandler(definitions{touchpoint("case", c.Metric, 1)}, score.Changes{{Touchpoint: "case", Series: 1, Period: "month#2026-10"}: {score.All: tally}})
}

const caseQuery = "from=2026-10-01&to=2026-11-01"

// TestCases holds the API against numbers that were computed by hand, to the
// last digit.
func TestCases(t *testing.T) {
	for _, c := range handCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			h := c.counted(t)
			var got report
			if err := json.Unmarshal([]byte(get(t, h, routeResults, "case", caseQuery).Body), &got); err != nil {
				t.Fatal(err)
			}
			if got.Total.Shown != c.Shown {
				t.Errorf("shown %s, want %s", got.Total.Shown, c.Shown)
			}
			for _, f := range []struct {
				name string
				got  decimal
				want *json.Number
			}{{"score", got.Total.Score, c.Score}, {"margin", got.Total.Margin, c.Margin}, {"low", got.Total.Low, c.Low}, {"high", got.Total.High, c.High}} {
				if !same(f.got, f.want) {
					t.Errorf("%s %v, want %v", f.name, text(f.got), text(f.want))
				}
			}
		})
	}
}

// same reports whether two numbers are the same, however many zeros they end
// in, or both null.
func same(a, b *json.Number) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, err := a.Float64()
	y, err2 := b.Float64()
	return err == nil && err2 == nil && x == y
}

func text(n *json.Number) string {
	if n == nil {
		return "null"
	}
	return n.String()
}
