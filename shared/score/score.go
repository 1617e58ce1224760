package score

import (
	"math/big"
	"strconv"

	"github.com/pulssi/pulssi/shared/survey"
)

// Few is the number of answers from which a score is judged. With fewer, pages
// show it greyed with "too few answers", no goal is called met or missed, and
// no difference is called real.
const Few = 10

// TooFew reports whether t has too few answers to be judged.
func TooFew(t Tally) bool { return t.N() < Few }

// NoScore is what stands where there is no number to show: an en dash.
const NoScore = "–"

// Categories returns how many answers fell in each category of m, zeros
// included. They sum to [Tally.N]. It is empty for an unknown metric.
func Categories(m survey.Metric, t Tally) map[survey.Category]int64 {
	out := make(map[survey.Category]int64)
	for _, c := range m.Categories() {
		out[c] = 0
	}
	low, high := m.Scale()
	for s := low; s <= high; s++ {
		out[m.Category(s)] += t.Scores[s]
	}
	return out
}

// Score returns the score of t, unrounded and in the metric's own unit, and
// false where there is no answer: nothing has no score, least of all 0. It is
// the value of [Of].
func Score(m survey.Metric, t Tally) (float64, bool) { return Of(m, t).Value() }

// Margin returns half the width of the score's 95 % interval; see
// [Figure.Margin].
func Margin(m survey.Metric, t Tally) (float64, bool) { return Of(m, t).Margin() }

// Interval returns the score's 95 % interval; see [Figure.Interval].
func Interval(m survey.Metric, t Tally) (low, high float64, ok bool) { return Of(m, t).Interval() }

// Figure is a number computed from counts, and kept as counts until it is
// read: the mean of a whole number that each answer stands for, in some unit.
// The zero Figure has no value.
type Figure struct {
	kind       kind
	n          int64 // answers
	sum        int64 // of what each answer stands for
	squares    int64 // sum of the squares
	times, per int64 // the unit: the value is times x sum / (per x n)
	low, high  float64
}

// kind is what an answer stands for, and so how sure a figure is.
type kind int

const (
	net   kind = iota // +1, 0 or -1
	share             // 1 or 0
	mean              // a number on a scale
)

// Of returns the score of t:
//
//   - NPS: 100 x (promoters - detractors) / n, from -100 to 100 (Reichheld,
//     "The One Number You Need to Grow", HBR, December 2003; Bain & Company);
//   - CSAT, smiley, thumbs: per cent satisfied, from 0 to 100 (for CSAT the
//     top-2-box convention);
//   - CES, CES5: the mean answer, from 1 to 7 and from 1 to 5 (Dixon, Freeman
//     and Toman, "Stop Trying to Delight Your Customers", HBR, July 2010, and
//     its second form, CES 2.0). A low mean of CES5 is a good one.
func Of(m survey.Metric, t Tally) Figure {
	switch m {
	case survey.NPS:
		c := Categories(m, t)
		p, d := c[survey.Promoter], c[survey.Detractor]
		return Figure{kind: net, n: t.N(), sum: p - d, squares: p + d, times: 100, per: 1, low: -100, high: 100}
	case survey.CSAT, survey.Smiley, survey.Thumbs:
		return percent(Categories(m, t)[survey.Satisfied], t.N())
	case survey.CES, survey.CES5:
		low, high := m.ScoreRange()
		f := meanAbove(0, t)
		f.times, f.per, f.low, f.high = 1, 1, low, high
		return f
	default:
		return Figure{}
	}
}

// Beside returns the figure that is shown beside the score: for CES and CES5
// the per cent who found it easy, for smiley the mean face as an index from 0
// (the unhappiest) to 100. The other metrics have none.
func Beside(m survey.Metric, t Tally) Figure {
	switch m {
	case survey.CES, survey.CES5:
		return percent(Categories(m, t)[survey.Satisfied], t.N())
	case survey.Smiley:
		low, high := m.Scale()
		f := meanAbove(int64(low), t)
		f.times, f.per, f.low, f.high = 100, int64(high-low), 0, 100
		return f
	default:
		return Figure{}
	}
}

// percent returns the figure of k of n, in per cent.
func percent(k, n int64) Figure {
	return Figure{kind: share, n: n, sum: k, squares: k, times: 100, per: 1, low: 0, high: 100}
}

// meanAbove returns the figure of the mean answer, counted from zero.
func meanAbove(zero int64, t Tally) Figure {
	f := Figure{kind: mean, n: t.N()}
	for s, c := range t.Scores {
		v := int64(s) - zero
		f.sum += v * c
		f.squares += v * v * c
	}
	return f
}

// Value returns the number, unrounded, and false where there is none. It is
// the float nearest to the exact fraction, so comparing it with a decimal as
// people write it ("28.6") never errs by a rounding of its own.
func (f Figure) Value() (float64, bool) {
	if f.n <= 0 {
		return 0, false
	}
	return float64(f.times*f.sum) / float64(f.per*f.n), true
}

// Rounded returns the number as programs get it, and false where there is
// none: with one decimal, means on a scale with two. It is rounded once, from
// the counts, half away from zero.
func (f Figure) Rounded() (float64, bool) {
	if f.n <= 0 {
		return 0, false
	}
	v, err := strconv.ParseFloat(f.decimal(f.decimals()), 64)
	return v, err == nil
}

// decimals is how many of them [Figure.Rounded] leaves.
func (f Figure) decimals() int {
	if f.onScale() {
		return 2
	}
	return 1
}

// fraction returns the number exactly. There must be one.
func (f Figure) fraction() *big.Rat {
	num, den := big.NewInt(f.times), big.NewInt(f.per)
	return new(big.Rat).SetFrac(num.Mul(num, big.NewInt(f.sum)), den.Mul(den, big.NewInt(f.n)))
}

// rounded rounds a number in the figure's unit as the figure itself is.
func (f Figure) rounded(r *big.Rat) float64 {
	v, _ := strconv.ParseFloat(r.FloatString(f.decimals()), 64) // half away from zero
	return v + 0                                                // a zero has no sign
}

// String returns the number as people read it: a whole number, means on a
// scale with one decimal, and [NoScore] where there is none. It is rounded
// once, from the counts, half away from zero: -0.5 is "-1". The minus sign is
// a hyphen, the decimal point a point, and there is no unit; pages put in
// those of the reader's language.
func (f Figure) String() string {
	switch {
	case f.n <= 0:
		return NoScore
	case f.onScale():
		return f.decimal(1)
	default:
		return f.decimal(0)
	}
}

// onScale reports whether the number is in the unit of the answers, a few
// points wide, rather than in hundredths.
func (f Figure) onScale() bool { return f.kind == mean && f.times == 1 }

// decimal writes the number with so many decimals, half away from zero, in
// whole-number arithmetic so that a tie is a tie.
func (f Figure) decimal(decimals int) string {
	num, den := f.times*f.sum, f.per*f.n
	for range decimals {
		num *= 10
	}
	sign := ""
	if num < 0 {
		num, sign = -num, "-"
	}
	digits := strconv.FormatInt((2*num+den)/(2*den), 10)
	for len(digits) <= decimals {
		digits = "0" + digits
	}
	whole, rest := digits[:len(digits)-decimals], digits[len(digits)-decimals:]
	if rest != "" {
		rest = "." + rest
	}
	if 2*num < den {
		sign = "" // it comes to zero, which has no sign
	}
	return sign + whole + rest
}
