package score

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/survey"
)

func TestWaldMargin(t *testing.T) {
	for _, c := range []struct {
		n    int64
		want string
	}{{50, "21.6"}, {100, "15.3"}, {400, "7.7"}, {1000, "4.8"}} {
		if got := fmt.Sprintf("%.1f", WaldMargin(.5, .2, c.n)); got != c.want {
			t.Errorf("n = %d: %s, want %s", c.n, got, c.want)
		}
	}
	if WaldMargin(1, 0, 10) != 0 {
		t.Error("the plain formula gives 0 when all are promoters; that is why it is not used")
	}
}

// The wanted numbers were computed from the formulas with mpmath at 30 digits.
// The shares are worked examples of Newcombe, "Two-sided confidence intervals
// for the single proportion", Statistics in Medicine 17, 1998, table I, method
// 3: 81/263 gives 0.2553 to 0.3662, 15/148 gives 0.0624 to 0.1605, 0/20 gives 0
// to 0.1611, 1/29 gives 0.0061 to 0.1718.
func TestInterval(t *testing.T) {
	for _, c := range []struct {
		name              string
		figure            Figure
		margin, low, high float64
	}{
		{"nps contract", Of(survey.NPS, nps(9, 4, 7)), 35.47076049, -26.77510832, 44.16641267},
		{"nps all promoters, cut at 100", Of(survey.NPS, nps(10, 0, 0)), 29.41952538, 47.50355154, 100},
		{"nps all detractors, cut at -100", Of(survey.NPS, nps(0, 0, 10)), 29.41952538, -100, -47.50355154},
		{"nps one passive", Of(survey.NPS, nps(0, 1, 0)), 60.01139595, -60.01139595, 60.01139595},
		{"nps one promoter", Of(survey.NPS, nps(1, 0, 0)), 73.49864942, -48.49864942, 98.49864942},
		{"nps many", Of(survey.NPS, nps(250, 70, 80)), 7.838851828, 34.344771, 50.02247466},
		{"thumbs 81/263", Of(survey.Thumbs, thumbs(81, 263)), 5.5460529, 25.528852, 36.620958},
		{"csat 15/148", Of(survey.CSAT, answers(map[int]int64{5: 5, 4: 10, 3: 33, 2: 50, 1: 50})), 4.9050421, 6.23864, 16.048724},
		{"smiley 0/20", Of(survey.Smiley, answers(map[int]int64{1: 9, 2: 11})), 8.0562579, 0, 16.112516},
		{"easy 1/29", Beside(survey.CES, answers(map[int]int64{5: 1, 4: 28})), 8.2821002, 0.61132143, 17.175522},
		{"rate 7/20", AnsweredOfSent(Tally{Sent: 20, Answered: 7}), 19.297695, 18.119182, 56.714572},
		{"ces", Of(survey.CES, answers(map[int]int64{1: 1, 3: 2, 5: 6, 6: 8, 7: 3})), 0.697491062, 4.602508938, 5.997491062},
		// Two answers one apart: 1/2 x 12.706.
		{"ces5 of two, cut at both ends", Of(survey.CES5, answers(map[int]int64{2: 1, 3: 1})), 6.35310237, 1, 5},
		{"faces 0 and 100", Beside(survey.Smiley, answers(map[int]int64{1: 1, 4: 1})), 635.310237, 0, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			margin, ok := c.figure.Margin()
			low, high, ok2 := c.figure.Interval()
			if !ok || !ok2 {
				t.Fatal("no interval")
			}
			near(t, "margin", margin, c.margin, 1e-6)
			near(t, "low", low, c.low, 1e-6)
			near(t, "high", high, c.high, 1e-6)
		})
	}
}

// NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.2: 195 measurements
// with mean 9.26146 and standard deviation 0.02278881 lie within 9.258242 and
// 9.264679.
func TestStudentIntervalOfNIST(t *testing.T) {
	half := studentQuantile(194) * 0.02278881 / math.Sqrt(195)
	near(t, "low", 9.26146-half, 9.258242, 1e-6)
	near(t, "high", 9.26146+half, 9.264679, 1e-6)
}

func TestNoMarginOfAMeanThatDoesNotVary(t *testing.T) {
	for _, c := range []struct {
		metric survey.Metric
		tally  Tally
		ok     bool
	}{
		{survey.CES, answers(map[int]int64{6: 1}), false},
		{survey.CES, answers(map[int]int64{6: 1000}), false},
		{survey.CES5, answers(map[int]int64{5: 12}), false},
		{survey.CES, answers(map[int]int64{6: 999, 7: 1}), true},
		{survey.CES, answers(map[int]int64{2: 1, 4: 1}), true}, // the sum is 3 x n, the squares are not
		{survey.CES, answers(map[int]int64{6: 4e9}), false},
		{survey.CES, answers(map[int]int64{6: 4e9, 7: 1}), true},
	} {
		margin, ok := Margin(c.metric, c.tally)
		_, _, ok2 := Interval(c.metric, c.tally)
		if ok != c.ok || ok2 != c.ok || ok && margin <= 0 {
			t.Errorf("%s %v: margin %v %v, interval %v, want %v", c.metric, c.tally.Scores, margin, ok, ok2, c.ok)
		}
	}
}

func TestMarginIsNeverZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMetric(t)
		tally := anyTally(t, m, "tally")
		low, high := m.ScoreRange()
		margin, ok := Margin(m, tally)
		from, to, ok2 := Interval(m, tally)
		means := m == survey.CES || m == survey.CES5
		switch {
		case ok != ok2:
			t.Fatalf("margin %v, interval %v", ok, ok2)
		case !ok && tally.N() > 0 && !means:
			t.Fatal("no margin of an NPS or a share")
		case !ok:
			return
		}
		if !(margin > 0) || from < low || to > high || !(from < to) {
			t.Errorf("margin %v, interval %v..%v in %v..%v", margin, from, to, low, high)
		}
		// The interval of a single NPS answer, drawn to the middle, is the
		// only one that may leave the score out.
		const rounding = 1e-9
		if v, _ := Score(m, tally); tally.N() > 1 && (v < from-rounding || v > to+rounding) {
			t.Errorf("score %v is not within %v..%v", v, from, to)
		}
		// Twice the same answers say more.
		if twice, _ := Margin(m, tally.Add(tally)); twice >= margin {
			t.Errorf("margin %v, of twice the answers %v", margin, twice)
		}
	})
}
