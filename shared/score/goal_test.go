package score

import (
	"testing"

	"github.com/pulssi/pulssi/shared/survey"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		name   string
		metric survey.Metric
		tally  Tally
		goal   float64
		want   float64
		ok     bool
	}{
		{"no answer", survey.NPS, Tally{}, 50, 0, false},
		{"beyond", survey.NPS, nps(4, 1, 2), 20, 8.6, true},                                            // 28.571 - 20
		{"short", survey.NPS, nps(4, 1, 2), 50, -21.4, true},                                           // 28.571 - 50
		{"not of a rounded score", survey.CSAT, answers(map[int]int64{5: 2, 1: 1}), 33.35, 33.3, true}, // 66.667 - 33.35 = 33.317; 66.7 - 33.35 is a tie
		{"as the goal is written", survey.NPS, nps(0, 1, 0), 0.15, -0.2, true},                         // the float below 0.15 would give -0.1
		{"met to the point", survey.Thumbs, thumbs(1, 2), 50, 0, true},
		{"low is good", survey.CES5, answers(map[int]int64{1: 3, 5: 1}), 2.5, 0.5, true}, // 2.5 - 2
		{"low is good, short", survey.CES5, answers(map[int]int64{3: 1}), 2.5, -0.5, true},
	} {
		if got, ok := Distance(c.metric, c.tally, c.goal); got != c.want || ok != c.ok {
			t.Errorf("%s: %v %v, want %v %v", c.name, got, ok, c.want, c.ok)
		}
	}
}
