package score

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/survey"
)

// The wanted numbers were computed from the formulas with mpmath at 30 digits.
func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name     string
		metric   survey.Metric
		from, to Tally
		want     Difference
	}{
		{"nps real", survey.NPS, nps(200, 120, 80), nps(230, 110, 60),
			Difference{12.5, 1.91324097875, 22.9006548029, 0.0204868558374, true}},
		{"nps noise", survey.NPS, nps(9, 4, 7), nps(12, 5, 3),
			Difference{35, -16.4760051563, 77.3455703737, 0.203520429252, false}},
		{"share down", survey.CSAT, answers(map[int]int64{5: 56, 1: 14}), answers(map[int]int64{4: 48, 3: 32}),
			Difference{-20, -33.5758455476, -5.24529266381, 0.00723729446728, true}},
		{"share up", survey.Thumbs, thumbs(10, 20), thumbs(18, 20),
			Difference{40, 11.0226175727, 61.7046551546, 0.0049159216185, true}},
		{"ces noise", survey.CES, answers(map[int]int64{1: 1, 3: 2, 5: 6, 6: 8, 7: 3}), answers(map[int]int64{4: 3, 5: 6, 6: 10, 7: 11}),
			Difference{2. / 3, -0.108917779581, 1.44225111291, 0.0894136888833, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := Compare(c.metric, c.from, c.to)
			if !ok || got.Real != c.want.Real {
				t.Errorf("%v, real %v, want %v", ok, got.Real, c.want.Real)
			}
			near(t, "change", got.Change, c.want.Change, 1e-9)
			near(t, "low", got.Low, c.want.Low, 1e-7)
			near(t, "high", got.High, c.want.High, 1e-7)
			near(t, "p", got.P, c.want.P, 1e-9)
		})
	}
}

// Student's sleep data (Student, "The Probable Error of a Mean", Biometrika 6,
// 1908), in tenths of an hour; R's help page of t.test prints for them
// t = -1.8608, df = 17.776, p-value = 0.07939, interval -3.3654832 to 0.2054832.
func TestWelchOfStudentsSleep(t *testing.T) {
	of := func(tenths ...float64) (s sample) {
		for _, v := range tenths {
			s = s.plus(sample{1, v, v * v})
		}
		return s
	}
	diff, half, p := welch(
		of(19, 8, 11, 1, -1, 44, 55, 16, 46, 34),
		of(7, -16, -2, -12, -1, 34, 37, 8, 0, 20))
	near(t, "low", (diff-half)/10, -3.3654832, 1e-7)
	near(t, "high", (diff+half)/10, 0.2054832, 1e-7)
	near(t, "p", p, 0.07939, 5e-6)
}

func TestCompareNeedsTwoIntervals(t *testing.T) {
	varied := answers(map[int]int64{5: 20, 6: 20})
	for _, c := range []struct {
		name     string
		metric   survey.Metric
		from, to Tally
	}{
		{"nothing before", survey.NPS, Tally{}, nps(20, 0, 0)},
		{"nothing after", survey.Thumbs, thumbs(20, 20), Tally{}},
		{"all the same before", survey.CES, answers(map[int]int64{1: 20}), varied},
		{"all the same after", survey.CES, varied, answers(map[int]int64{7: 20})},
		{"one after", survey.CES, varied, answers(map[int]int64{7: 1})},
		{"unknown metric", "unknown", varied, varied},
	} {
		if d, ok := Compare(c.metric, c.from, c.to); ok || d != (Difference{}) {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
}

func TestTooFewAreNeverReal(t *testing.T) {
	for _, c := range []struct {
		from, to int64
		want     bool
	}{{9, 1000, false}, {1000, 9, false}, {10, 10, true}, {1000, 10, true}} {
		d, ok := Compare(survey.NPS, nps(0, 0, c.from), nps(c.to, 0, 0))
		if !ok || d.Low <= 0 || d.Real != c.want {
			t.Errorf("%d and %d answers: %+v, want real %v", c.from, c.to, d, c.want)
		}
	}
}

func TestCompareProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMetric(t)
		a, b := anyTally(t, m, "a"), anyTally(t, m, "b")
		there, ok := Compare(m, a, b)
		back, ok2 := Compare(m, b, a)
		if ok != ok2 {
			t.Fatalf("there %v, back %v", ok, ok2)
		}
		if !ok {
			return
		}
		want := Difference{-there.Change, -there.High, -there.Low, there.P, there.Real}
		if back != want {
			t.Errorf("there %+v, back %+v", there, back)
		}
		low, high := m.ScoreRange()
		if there.Low < low-high || there.High > high-low || there.Low > there.High {
			t.Errorf("%+v is wider than two scores can lie apart", there)
		}
		if excludes := there.Low > 0 || there.High < 0; excludes != (there.P < 0.05) && math.Abs(there.P-0.05) > 1e-9 {
			t.Errorf("%+v: interval and p disagree", there)
		}
		if there.Real && (TooFew(a) || TooFew(b)) {
			t.Errorf("%+v is real with %d and %d answers", there, a.N(), b.N())
		}
		// The same answers more often are the same score, whatever the
		// imaginary ones draw it to.
		k := rapid.Int64Range(1, 100).Draw(t, "k")
		var more Tally
		for s, n := range a.Scores {
			more.Scores[s] = k * n
		}
		if d, ok := Compare(m, a, more); ok && (d.Real || d.Change != 0) {
			t.Errorf("the same shares in %d and %d answers: %+v", a.N(), more.N(), d)
		}
	})
}

// sampleOf draws n answers from a distribution over the scores from 0.
func sampleOf(rng *rand.Rand, n int, p []float64) Tally {
	var t Tally
	for range n {
		u, s := rng.Float64(), 0
		for ; s < len(p)-1 && u >= p[s]; s++ {
			u -= p[s]
		}
		t.Scores[s]++
	}
	return t
}

// TestFalseAlarms draws pairs of samples from one distribution. At most 5 %
// may be called real, and 1.5 % more by the luck of the 2,000 draws (three
// standard deviations).
func TestFalseAlarms(t *testing.T) {
	for i, c := range []struct {
		name   string
		metric survey.Metric
		n, m   int
		p      []float64
	}{
		{"nps", survey.NPS, 400, 400, []float64{.05, 0, .05, 0, 0, .05, .05, .15, .15, .2, .3}},
		{"nps one-sided", survey.NPS, 30, 60, []float64{.02, 0, 0, 0, 0, 0, 0, .08, 0, 0, .9}},
		{"nps few", survey.NPS, 12, 15, []float64{.1, .05, .05, .05, .05, .1, .1, .1, .1, .15, .15}},
		{"share", survey.CSAT, 100, 150, []float64{0, .1, .1, .1, .3, .4}},
		{"share near 1", survey.Thumbs, 20, 200, []float64{.05, .95}},
		{"mean", survey.CES, 25, 80, []float64{0, .05, .05, .1, .1, .2, .3, .2}},
		{"skewed mean", survey.CES5, 40, 40, []float64{0, .7, .15, .1, .03, .02}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(20261121, uint64(i)))
			const rounds = 2000
			alarms := 0
			for range rounds {
				if d, ok := Compare(c.metric, sampleOf(rng, c.n, c.p), sampleOf(rng, c.m, c.p)); ok && d.Real {
					alarms++
				}
			}
			if share := float64(alarms) / rounds; share > .065 || share == 0 {
				t.Errorf("%.1f %% of no-changes called real", 100*share)
			}
		})
	}
}

// TestPower draws from the company of the plain formula's check values, half
// promoters and a fifth detractors, whose NPS rises by 15 points between two
// periods of 400 answers: the change must be found four times in five. By the
// formula it is 15 points in 5.26, found 81.4 % of the time. (Where answers are
// more one or the other, they vary more, and 15 points are found less often.)
func TestPower(t *testing.T) {
	rng := rand.New(rand.NewPCG(20261121, 15))
	before := []float64{.2, 0, 0, 0, 0, 0, 0, .3, 0, .5, 0}
	after := []float64{.125, 0, 0, 0, 0, 0, 0, .3, 0, .575, 0}
	const rounds = 4000
	found := 0
	for range rounds {
		if d, _ := Compare(survey.NPS, sampleOf(rng, 400, before), sampleOf(rng, 400, after)); d.Real && d.Change > 0 {
			found++
		}
	}
	if share := float64(found) / rounds; share < .8 || share > .84 {
		t.Errorf("found %.1f %% of the changes", 100*share)
	}
}

// TestCoverage draws samples from a known distribution: 95 % of the intervals
// hold its true score, give or take the approximations and the luck of the
// draws. The plain formula fails the one-sided row.
func TestCoverage(t *testing.T) {
	for i, c := range []struct {
		name   string
		metric survey.Metric
		n      int
		p      []float64
		truth  float64
	}{
		{"nps", survey.NPS, 50, []float64{.2, 0, 0, 0, 0, 0, 0, .3, 0, 0, .5}, 30},
		{"nps one-sided", survey.NPS, 30, []float64{.02, 0, 0, 0, 0, 0, 0, .08, 0, 0, .9}, 88},
		{"share", survey.Thumbs, 20, []float64{.1, .9}, 90},
		{"mean", survey.CES, 15, []float64{0, .05, .05, .1, .1, .2, .3, .2}, 5.05},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(95, uint64(i)))
			const rounds = 2000
			held := 0
			for range rounds {
				low, high, ok := Interval(c.metric, sampleOf(rng, c.n, c.p))
				if ok && low <= c.truth && c.truth <= high {
					held++
				}
			}
			if share := float64(held) / rounds; share < .93 || share > .985 {
				t.Errorf("%.1f %% of the intervals hold the truth", 100*share)
			}
		})
	}
}

func TestCompareAll(t *testing.T) {
	big, small := Pair{survey.NPS, nps(200, 100, 100), nps(260, 80, 60)}, Pair{survey.NPS, nps(200, 120, 80), nps(230, 110, 60)}
	noise := Pair{survey.NPS, nps(9, 4, 7), nps(12, 5, 3)}
	few, fewer, none := Pair{survey.NPS, nps(0, 0, 9), nps(900, 0, 0)}, Pair{survey.NPS, nps(3, 3, 3), nps(3, 3, 3)}, Pair{survey.CES, Tally{}, Tally{}}
	for _, c := range []struct {
		name  string
		pairs []Pair
		want  string
	}{
		{"none", nil, ""},
		{"alone p = 0.02 is real", []Pair{small}, "real"},
		{"of four it is not", []Pair{small, noise, noise, big}, "noise noise noise real"},
		{"too few are not among those", []Pair{few, small, none}, "noise real none"},
		{"nor are those that differ little", []Pair{fewer, small, fewer}, "noise real noise"},
	} {
		var got []string
		for _, d := range CompareAll(c.pairs) {
			switch {
			case d == nil:
				got = append(got, "none")
			case d.Real:
				got = append(got, "real")
			default:
				got = append(got, "noise")
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %s, want %s", c.name, s, c.want)
		}
	}
}

func TestChange(t *testing.T) {
	for _, c := range []struct {
		name     string
		metric   survey.Metric
		from, to Tally
		want     float64
		ok       bool
	}{
		{"from nothing", survey.NPS, Tally{}, nps(1, 0, 0), 0, false},
		{"to nothing", survey.NPS, nps(1, 0, 0), Tally{}, 0, false},
		{"not of rounded scores", survey.NPS, nps(1, 2, 0), nps(2, 1, 0), 33.3, true},                          // 66.7 - 33.3 is 33.4
		{"a tie", survey.Thumbs, thumbs(0, 2000), thumbs(1, 2000), 0.1, true},                                  // 0.05
		{"a tie down", survey.Thumbs, thumbs(3, 2000), thumbs(0, 2000), -0.2, true},                            // -0.15
		{"no minus zero", survey.NPS, nps(0, 2000, 0), nps(0, 2999, 1), 0, true},                               // -0.033
		{"a mean", survey.CES, answers(map[int]int64{5: 1}), answers(map[int]int64{5: 199, 6: 1}), 0.01, true}, // 0.005
		{"billions", survey.NPS, nps(4e12, 1e12, 2e12), nps(4e12, 0, 2e12), 4.8, true},                         // 33.33 - 28.57
	} {
		if got, ok := Change(c.metric, c.from, c.to); got != c.want || ok != c.ok || math.Signbit(got) != math.Signbit(c.want) {
			t.Errorf("%s: %v %v, want %v %v", c.name, got, ok, c.want, c.ok)
		}
	}
}

// TestOverviewsWithoutAChange draws overviews of 20 touchpoints of which none
// changes: in at most 5 % of them may any be called real, and 2.5 % more by the
// luck of the 300 draws (two standard deviations).
func TestOverviewsWithoutAChange(t *testing.T) {
	rng := rand.New(rand.NewPCG(20261121, 20))
	const rounds, touchpoints = 300, 20
	alarms, overviews := 0, 0
	for range rounds {
		any := false
		for _, d := range CompareAll(drawOverview(rng, touchpoints)) {
			if d.Real {
				alarms++
				any = true
			}
		}
		if any {
			overviews++
		}
	}
	if each, whole := float64(alarms)/(rounds*touchpoints), float64(overviews)/rounds; each > .05 || whole > .075 || alarms == 0 {
		t.Errorf("%.2f %% of the comparisons, in %.1f %% of the overviews, called real", 100*each, 100*whole)
	}
}

// drawOverview draws the pairs of an overview, each of one distribution: from
// 40 to 239 answers a side, on three of the metrics.
func drawOverview(rng *rand.Rand, touchpoints int) []Pair {
	kinds := []struct {
		metric survey.Metric
		p      []float64
	}{
		{survey.NPS, []float64{.05, 0, .05, 0, 0, .05, .05, .15, .15, .2, .3}},
		{survey.CSAT, []float64{0, .1, .1, .1, .3, .4}},
		{survey.CES, []float64{0, .05, .05, .1, .1, .2, .3, .2}},
	}
	var pairs []Pair
	for i := range touchpoints {
		k := kinds[i%len(kinds)]
		pairs = append(pairs, Pair{k.metric, sampleOf(rng, 40+rng.IntN(200), k.p), sampleOf(rng, 40+rng.IntN(200), k.p)})
	}
	return pairs
}

func TestHolm(t *testing.T) {
	for _, c := range []struct {
		name string
		p    []float64
		want []bool
	}{
		{"none", nil, []bool{}},
		{"one at the edge", []float64{.05}, []bool{true}},
		{"one over the edge", []float64{.0500001}, []bool{false}},
		// The worked example of Wikipedia's article on the Holm-Bonferroni method.
		{"four", []float64{.01, .04, .03, .005}, []bool{true, false, false, true}},
		{"at every edge", []float64{.05, .025, .05 / 3, .0125}, []bool{true, true, true, true}},
		{"a gap stops all the rest", []float64{.04, .04, .04}, []bool{false, false, false}},
		{"only the first", []float64{.016, .04, .9}, []bool{true, false, false}},
	} {
		if got := Holm(c.p, .05); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestHolmProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Float64Range(0, .2), 0, 12).Draw(t, "p")
		got := Holm(p, .05)
		for i := range p {
			if got[i] && p[i] > .05 || !got[i] && p[i] <= .05/float64(len(p)) {
				t.Errorf("p = %v of %v: %v", p[i], p, got[i])
			}
			for j := range p {
				if got[j] && p[i] < p[j] && !got[i] {
					t.Errorf("%v stands and the smaller %v does not", p[j], p[i])
				}
			}
		}
		order := rapid.Permutation(p).Draw(t, "order")
		count := func(all []bool) (n int) {
			for _, b := range all {
				if b {
					n++
				}
			}
			return n
		}
		if count(Holm(order, .05)) != count(got) {
			t.Errorf("%v and %v differ", p, order)
		}
	})
}
