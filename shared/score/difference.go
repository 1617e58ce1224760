package score

import (
	"cmp"
	"math"
	"math/big"
	"slices"

	"github.com/pulssi/pulssi/shared/survey"
)

// Difference is how much the score of one tally differs from another's, in the
// metric's own unit (points, per cent, points of the scale).
type Difference struct {
	Change    float64 // the second score minus the first
	Low, High float64 // 95 % interval of the true change
	P         float64 // chance of a change at least so large if nothing had changed, two-sided
	// Real reports whether the interval excludes 0 and neither tally has
	// [TooFew] answers. Only then may a page say "real change", else it says
	// "within noise". Where several differences are looked at together, [Holm]
	// must agree too.
	Real bool
}

// imaginaryShare are two answers of a share, one yes and one no.
var imaginaryShare = sample{n: 2, sum: 1, squares: 1}

// Compare returns the difference from one tally of m to another that shares
// no answer with it: two periods, two channels, two segments. Swapping them
// turns its sign and changes nothing else. Like [Figure.Interval] it uses the
// adjusted form always:
//
//   - NPS: z test with the variances of both after three imaginary answers
//     each (Lewis and Sauro, "How to Statistically Compare Two Net Promoter
//     Scores", MeasuringU, 2021);
//   - shares: z test with the variances of both after one imaginary yes and
//     one no each (Agresti and Caffo, "Simple and Effective Confidence
//     Intervals for Proportions and Differences of Proportions Result from
//     Adding Two Successes and Two Failures", The American Statistician 54(4),
//     2000);
//   - means: Welch's t test ("The Generalization of 'Student's' Problem when
//     Several Different Population Variances are Involved", Biometrika 34,
//     1947), with Satterthwaite's degrees of freedom.
//
// The imaginary answers are in the interval and in P, not in Change. False
// where either score has no interval.
func Compare(m survey.Metric, from, to Tally) (Difference, bool) {
	a, b := Of(m, from), Of(m, to)
	_, _, okA := a.spread()
	_, _, okB := b.spread()
	if !okA || !okB {
		return Difference{}, false
	}
	var center, half, p float64
	switch a.kind {
	case net:
		center, half, p = zTest(a.sample().plus(imaginaryNet), b.sample().plus(imaginaryNet))
	case share:
		center, half, p = zTest(a.sample().plus(imaginaryShare), b.sample().plus(imaginaryShare))
	case mean:
		center, half, p = welch(a.sample(), b.sample())
	}
	before, _ := a.Value()
	after, _ := b.Value()
	unit, width := a.scale(), a.high-a.low
	d := Difference{
		Change: after - before,
		Low:    max(-width, unit*(center-half)),
		High:   min(width, unit*(center+half)),
		P:      p,
	}
	d.Real = (d.Low > 0 || d.High < 0) && !TooFew(from) && !TooFew(to)
	return d, true
}

// Change returns how much the score of m is changed from one tally to another,
// as programs get it: rounded as [Figure.Rounded] does it, once, from the
// counts. False where either has no score.
func Change(m survey.Metric, from, to Tally) (float64, bool) {
	a, b := Of(m, from), Of(m, to)
	if a.n <= 0 || b.n <= 0 {
		return 0, false
	}
	return b.rounded(new(big.Rat).Sub(b.fraction(), a.fraction())), true
}

// Pair is two tallies of a metric that share no answer.
type Pair struct {
	Metric   survey.Metric
	From, To Tally
}

// CompareAll returns the difference of each of several pairs that are looked
// at together, as [Compare] does, nil where there is none. Real are only those
// that stand by [Holm]'s correction too, at 5 % for all of them. Pairs with too
// few answers are none of those, whatever their answers are, so they are not
// among what is corrected for.
func CompareAll(pairs []Pair) []*Difference {
	out := make([]*Difference, len(pairs))
	var judged []*Difference
	var p []float64
	for i, pair := range pairs {
		d, ok := Compare(pair.Metric, pair.From, pair.To)
		if !ok {
			continue
		}
		out[i] = &d
		if !TooFew(pair.From) && !TooFew(pair.To) {
			judged, p = append(judged, &d), append(p, d.P)
		}
	}
	for i, stands := range Holm(p, 0.05) {
		judged[i].Real = judged[i].Real && stands
	}
	return out
}

// zTest returns the difference of two means, half the width of its 95 %
// interval and its two-sided p value by the normal distribution.
func zTest(a, b sample) (diff, half, p float64) {
	diff = b.mean() - a.mean()
	se := math.Sqrt(a.variance()/a.n + b.variance()/b.n)
	return diff, z95 * se, normalTails(diff / se)
}

// welch returns the same by Student's t with both variances estimated.
func welch(a, b sample) (diff, half, p float64) {
	diff = b.mean() - a.mean()
	va, vb := a.variance()/(a.n-1), b.variance()/(b.n-1)
	v := va + vb
	df := v * v / (va*va/(a.n-1) + vb*vb/(b.n-1))
	se := math.Sqrt(v)
	return diff, studentQuantile(df) * se, studentTails(diff/se, df)
}

// Holm reports, for each of several p values looked at together, whether it
// stands at level alpha for all of them: the chance of even one false alarm
// among them is at most alpha. The smallest is held against alpha / k, the next
// against alpha / (k-1) and so on, until one does not stand; then none of the
// rest does (Holm, "A Simple Sequentially Rejective Multiple Test Procedure",
// Scandinavian Journal of Statistics 6, 1979). The order of p does not matter.
func Holm(p []float64, alpha float64) []bool {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	stands := make([]bool, len(p))
	for k, i := range order {
		if p[i] > alpha/float64(len(p)-k) {
			break
		}
		stands[i] = true
	}
	return stands
}
