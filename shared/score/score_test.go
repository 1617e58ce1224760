package score

import (
	"fmt"
	"maps"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/survey"
)

// answers returns a tally of so many answers by score.
func answers(counts map[int]int64) Tally {
	var t Tally
	for s, n := range counts {
		t.Scores[s] = n
	}
	return t
}

// nps returns a tally of so many promoters, passives and detractors.
func nps(promoters, passives, detractors int64) Tally {
	return answers(map[int]int64{10: promoters, 7: passives, 0: detractors})
}

// thumbs returns a tally of k yes among n.
func thumbs(k, n int64) Tally { return answers(map[int]int64{1: k, 0: n - k}) }

// anyTally draws a tally of counted answers on m's scale.
func anyTally(t *rapid.T, m survey.Metric, name string) Tally {
	var out Tally
	low, high := m.Scale()
	most := rapid.SampledFrom([]int64{0, 1, 3, 50, 100_000}).Draw(t, name+" at most")
	for s := low; s <= high; s++ {
		out.Scores[s] = rapid.Int64Range(0, most).Draw(t, fmt.Sprintf("%s[%d]", name, s))
	}
	return out
}

func anyMetric(t *rapid.T) survey.Metric {
	return rapid.SampledFrom(survey.Metrics()).Draw(t, "metric")
}

func TestCategories(t *testing.T) {
	every := Tally{Scores: [...]int64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}}
	only := func(low, high int) (out Tally) {
		copy(out.Scores[low:high+1], every.Scores[low:high+1])
		return out
	}
	type counts = map[survey.Category]int64
	for _, c := range []struct {
		metric survey.Metric
		tally  Tally
		want   counts
	}{
		{survey.NPS, every, counts{survey.Promoter: 512 + 1024, survey.Passive: 128 + 256, survey.Detractor: 127}},
		{survey.CSAT, only(1, 5), counts{survey.Satisfied: 16 + 32, survey.Neutral: 8, survey.Dissatisfied: 2 + 4}},
		{survey.CES, only(1, 7), counts{survey.Satisfied: 32 + 64 + 128, survey.Neutral: 16, survey.Dissatisfied: 2 + 4 + 8}},
		{survey.CES5, only(1, 5), counts{survey.Satisfied: 2 + 4, survey.Neutral: 8, survey.Dissatisfied: 16 + 32}},
		{survey.Smiley, only(1, 4), counts{survey.Satisfied: 8 + 16, survey.Dissatisfied: 2 + 4}},
		{survey.Thumbs, only(0, 1), counts{survey.Satisfied: 2, survey.Dissatisfied: 1}},
		{survey.NPS, Tally{}, counts{survey.Promoter: 0, survey.Passive: 0, survey.Detractor: 0}},
		{survey.Thumbs, Tally{}, counts{survey.Satisfied: 0, survey.Dissatisfied: 0}},
		{"unknown", every, counts{}},
	} {
		if got := Categories(c.metric, c.tally); !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.metric, got, c.want)
		}
	}
}

func TestCategoriesSumToN(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMetric(t)
		tally := anyTally(t, m, "tally")
		var sum int64
		for _, n := range Categories(m, tally) {
			sum += n
		}
		if sum != tally.N() {
			t.Errorf("categories sum to %d, n is %d", sum, tally.N())
		}
	})
}

func TestScore(t *testing.T) {
	for _, c := range []struct {
		name    string
		metric  survey.Metric
		tally   Tally
		value   float64
		rounded float64
		shown   string
	}{
		// 2/7 is 28.57; from rounded percentages (57 - 29) it would be 28.
		{"nps from counts", survey.NPS, nps(4, 1, 2), 200.0 / 7, 28.6, "29"},
		{"nps below zero", survey.NPS, nps(2, 1, 4), -200.0 / 7, -28.6, "-29"},
		{"nps of the contract", survey.NPS, answers(map[int]int64{0: 1, 2: 6, 7: 4, 10: 9}), 10, 10, "10"},
		{"nps all promoters", survey.NPS, nps(3, 0, 0), 100, 100, "100"},
		{"nps all detractors", survey.NPS, nps(0, 0, 3), -100, -100, "-100"},
		{"nps all passives", survey.NPS, nps(0, 3, 0), 0, 0, "0"},
		{"nps tie up", survey.NPS, nps(1, 199, 0), 0.5, 0.5, "1"},
		{"nps tie down", survey.NPS, nps(0, 199, 1), -0.5, -0.5, "-1"},
		{"nps just under a tie", survey.NPS, nps(0, 200, 1), -100.0 / 201, -0.5, "0"},
		{"nps tie of a tenth", survey.NPS, nps(0, 1999, 1), -0.05, -0.1, "0"},
		{"nps no minus zero", survey.NPS, nps(0, 2000, 1), -100.0 / 2001, 0, "0"},
		{"csat", survey.CSAT, answers(map[int]int64{5: 3, 4: 2, 3: 2, 1: 1}), 62.5, 62.5, "63"},
		{"smiley", survey.Smiley, answers(map[int]int64{4: 1, 3: 1, 2: 1}), 200.0 / 3, 66.7, "67"},
		{"thumbs", survey.Thumbs, thumbs(1, 8), 12.5, 12.5, "13"},
		{"ces", survey.CES, answers(map[int]int64{7: 1, 6: 1, 3: 1}), 16.0 / 3, 5.33, "5.3"},
		{"ces tie", survey.CES, answers(map[int]int64{5: 19, 6: 1}), 5.05, 5.05, "5.1"},
		{"ces tie of a hundredth", survey.CES, answers(map[int]int64{5: 199, 6: 1}), 5.005, 5.01, "5.0"},
		{"ces5", survey.CES5, answers(map[int]int64{1: 3, 5: 1}), 2, 2, "2.0"},
		{"billions", survey.NPS, nps(4e12, 1e12, 2e12), 200.0 / 7, 28.6, "29"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, ok := Score(c.metric, c.tally)
			if !ok || v != c.value {
				t.Errorf("score %v %v, want %v", v, ok, c.value)
			}
			f := Of(c.metric, c.tally)
			if r, ok := f.Rounded(); !ok || r != c.rounded {
				t.Errorf("rounded %v %v, want %v", r, ok, c.rounded)
			}
			if s := f.String(); s != c.shown {
				t.Errorf("shown %q, want %q", s, c.shown)
			}
		})
	}
}

func TestBeside(t *testing.T) {
	for _, c := range []struct {
		metric  survey.Metric
		tally   Tally
		value   float64
		rounded float64
		shown   string
	}{
		{survey.CES, answers(map[int]int64{7: 1, 5: 1, 4: 1}), 200.0 / 3, 66.7, "67"},
		{survey.CES5, answers(map[int]int64{1: 1, 2: 1, 3: 1, 5: 5}), 25, 25, "25"},
		{survey.Smiley, answers(map[int]int64{1: 2}), 0, 0, "0"},
		{survey.Smiley, answers(map[int]int64{4: 2}), 100, 100, "100"},
		{survey.Smiley, answers(map[int]int64{2: 1, 3: 1}), 50, 50, "50"},
		{survey.Smiley, answers(map[int]int64{1: 1, 2: 1}), 100.0 / 6, 16.7, "17"},
	} {
		f := Beside(c.metric, c.tally)
		v, ok := f.Value()
		r, _ := f.Rounded()
		if !ok || v != c.value || r != c.rounded || f.String() != c.shown {
			t.Errorf("%s: %v %v %q, want %v %v %q", c.metric, v, r, f, c.value, c.rounded, c.shown)
		}
	}
	for _, m := range []survey.Metric{survey.NPS, survey.CSAT, survey.Thumbs, "unknown"} {
		if f := Beside(m, thumbs(1, 2)); f != (Figure{}) {
			t.Errorf("%s has something beside it: %v", m, f)
		}
	}
}

func TestNothingHasNoScore(t *testing.T) {
	figures := map[string]Figure{"zero": {}, "unknown metric": Of("unknown", nps(1, 1, 1))}
	for _, m := range survey.Metrics() {
		figures[string(m)] = Of(m, Tally{Sent: 5, Suspect: 2})
		figures["beside "+string(m)] = Beside(m, Tally{})
		figures["taken away "+string(m)] = Of(m, Tally{}.Sub(answers(map[int]int64{1: 3})))
	}
	for name, f := range figures {
		v, ok := f.Value()
		r, rok := f.Rounded()
		_, mok := f.Margin()
		_, _, iok := f.Interval()
		if ok || rok || mok || iok || v != 0 || r != 0 || f.String() != "–" {
			t.Errorf("%s: value %v %v, rounded %v %v, margin %v, interval %v, shown %q", name, v, ok, r, rok, mok, iok, f)
		}
	}
}

// TestRoundedOnce holds both roundings against exact fractions from the
// definitions in words, computed another way.
func TestRoundedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMetric(t)
		tally := anyTally(t, m, "tally")
		n := tally.N()
		if n == 0 {
			return
		}
		c := Categories(m, tally)
		exact, shown, rounded := big.NewRat(0, 1), 0, 1
		switch m {
		case survey.NPS:
			exact.SetFrac64(100*(c[survey.Promoter]-c[survey.Detractor]), n)
		case survey.CES, survey.CES5:
			var sum int64
			for s, k := range tally.Scores {
				sum += int64(s) * k
			}
			exact.SetFrac64(sum, n)
			shown, rounded = 1, 2
		default:
			exact.SetFrac64(100*c[survey.Satisfied], n)
		}
		f := Of(m, tally)
		// Rat.FloatString rounds half away from zero, but keeps the sign of -0.
		want, _ := new(big.Rat).SetString(exact.FloatString(shown))
		if got, ok := new(big.Rat).SetString(f.String()); !ok || got.Cmp(want) != 0 || f.String()[0] == '-' && got.Sign() == 0 {
			t.Errorf("%s %s shown as %q, want %s", m, exact, f, want.FloatString(shown))
		}
		want, _ = new(big.Rat).SetString(exact.FloatString(rounded))
		wantFloat, _ := want.Float64()
		if got, ok := f.Rounded(); !ok || got != wantFloat {
			t.Errorf("%s %s rounded to %v, want %v", m, exact, got, wantFloat)
		}
		low, high := m.ScoreRange()
		if v, _ := f.Value(); v < low || v > high {
			t.Errorf("%s %v is out of %v..%v", m, v, low, high)
		}
	})
}

func TestTooFew(t *testing.T) {
	if !TooFew(thumbs(9, 9)) || TooFew(thumbs(10, 10)) || !TooFew(Tally{Sent: 100}) {
		t.Error("ten answers are judged, nine are not")
	}
}

func TestGoal(t *testing.T) {
	ces := answers
	for _, c := range []struct {
		name   string
		metric survey.Metric
		tally  Tally
		goal   float64
		want   Verdict
	}{
		{"nothing", survey.NPS, Tally{}, -100, Unjudged},
		{"nine of nine", survey.NPS, nps(9, 0, 0), 0, Unjudged},
		{"ten of ten", survey.NPS, nps(10, 0, 0), 0, Met},
		{"exactly", survey.NPS, nps(15, 0, 5), 50, Met},
		{"one short", survey.NPS, nps(14, 1, 5), 50, Missed},
		{"shown as the goal and yet short", survey.NPS, nps(496, 504, 0), 50, Missed},
		{"exactly a decimal", survey.CES, ces(map[int]int64{5: 7, 6: 3}), 5.3, Met},
		{"over", survey.CES, ces(map[int]int64{6: 10}), 5.3, Met},
		{"under", survey.CES, ces(map[int]int64{5: 8, 6: 2}), 5.3, Missed},
		{"effort exactly", survey.CES5, ces(map[int]int64{1: 2, 2: 8}), 1.8, Met},
		{"less effort", survey.CES5, ces(map[int]int64{1: 10}), 1.8, Met},
		{"more effort", survey.CES5, ces(map[int]int64{1: 1, 2: 9}), 1.8, Missed},
		{"csat", survey.CSAT, answers(map[int]int64{4: 4, 5: 4, 1: 2}), 80, Met},
		{"unknown metric", "unknown", nps(10, 0, 0), 0, Unjudged},
	} {
		if got := Goal(c.metric, c.tally, c.goal); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
