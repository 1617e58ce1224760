package survey

import (
	"slices"
	"testing"
)

func TestMetrics(t *testing.T) {
	const (
		pr, pa, de = Promoter, Passive, Detractor
		sa, ne, di = Satisfied, Neutral, Dissatisfied
	)
	for _, c := range []struct {
		metric     Metric
		low, high  int
		byAnswer   []Category
		categories []Category
		from, to   float64 // of the score
	}{
		{NPS, 0, 10, []Category{de, de, de, de, de, de, de, pa, pa, pr, pr}, []Category{pr, pa, de}, -100, 100},
		{CSAT, 1, 5, []Category{di, di, ne, sa, sa}, []Category{sa, ne, di}, 0, 100},
		{CES, 1, 7, []Category{di, di, di, ne, sa, sa, sa}, []Category{sa, ne, di}, 1, 7},
		{CES5, 1, 5, []Category{sa, sa, ne, di, di}, []Category{sa, ne, di}, 1, 5},
		{Smiley, 1, 4, []Category{di, di, sa, sa}, []Category{sa, di}, 0, 100},
		{Thumbs, 0, 1, []Category{di, sa}, []Category{sa, di}, 0, 100},
	} {
		t.Run(string(c.metric), func(t *testing.T) {
			if !c.metric.Valid() {
				t.Error("not valid")
			}
			if low, high := c.metric.Scale(); low != c.low || high != c.high {
				t.Errorf("scale %d..%d, want %d..%d", low, high, c.low, c.high)
			}
			for score := c.low - 3; score <= c.high+3; score++ {
				want, admitted := Category(""), c.low <= score && score <= c.high
				if admitted {
					want = c.byAnswer[score-c.low]
				}
				if got := c.metric.Category(score); got != want || c.metric.Admits(score) != admitted {
					t.Errorf("%d is %q, admitted %v, want %q, %v", score, got, c.metric.Admits(score), want, admitted)
				}
			}
			if got := c.metric.Categories(); !slices.Equal(got, c.categories) {
				t.Errorf("categories %v, want %v", got, c.categories)
			}
			if from, to := c.metric.ScoreRange(); from != c.from || to != c.to {
				t.Errorf("scores %v..%v, want %v..%v", from, to, c.from, c.to)
			}
			if c.high > MaxScore {
				t.Errorf("%d is over MaxScore", c.high)
			}
		})
	}
	if want := []Metric{NPS, CSAT, CES, CES5, Smiley, Thumbs}; !slices.Equal(Metrics(), want) {
		t.Errorf("metrics %v, want %v", Metrics(), want)
	}
}

func TestUnknownMetric(t *testing.T) {
	for _, m := range []Metric{"", "NPS", "nps ", "unknown"} {
		low, high := m.Scale()
		from, to := m.ScoreRange()
		if m.Valid() || low != 0 || high != -1 || m.Admits(0) || m.Category(0) != "" || m.Categories() != nil || from != 0 || to != 0 {
			t.Errorf("%q is something", m)
		}
	}
}

func TestAdmitting(t *testing.T) {
	for score, want := range map[int][]Metric{
		-1: nil,
		0:  {NPS, Thumbs},
		1:  {NPS, CSAT, CES, CES5, Smiley, Thumbs},
		2:  {NPS, CSAT, CES, CES5, Smiley},
		4:  {NPS, CSAT, CES, CES5, Smiley},
		5:  {NPS, CSAT, CES, CES5},
		6:  {NPS, CES},
		7:  {NPS, CES},
		8:  {NPS},
		10: {NPS},
		11: nil,
	} {
		if got := Admitting(score); !slices.Equal(got, want) {
			t.Errorf("%d: %v, want %v", score, got, want)
		}
	}
}

func TestCheckScore(t *testing.T) {
	for _, c := range []struct {
		metric Metric
		score  int
		want   string
	}{
		{NPS, 0, ""},
		{NPS, 10, ""},
		{NPS, -1, "score must be a whole number from 0 to 10"},
		{NPS, 11, "score must be a whole number from 0 to 10"},
		{CES, 0, "score must be a whole number from 1 to 7"},
		{CES, 8, "score must be a whole number from 1 to 7"},
		{Thumbs, 2, "score must be a whole number from 0 to 1"},
	} {
		wantError(t, CheckScore(c.metric, c.score), "score", c.want)
	}
}
