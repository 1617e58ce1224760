package score

import (
	"math/big"
	"strconv"

	"github.com/pulssi/pulssi/shared/survey"
)

// Verdict is what can be said of a score and its goal.
type Verdict string

// The verdicts.
const (
	Met      Verdict = "met"
	Missed   Verdict = "missed"
	Unjudged Verdict = "too_few" // fewer than [Few] answers
)

// Goal returns whether the score of t meets goal, which is in the metric's own
// unit: at least the goal, and for CES5, where low is good, at most. The exact
// score is held against it, not a rounded one: 49.6 shows as 50 and misses 50.
func Goal(m survey.Metric, t Tally, goal float64) Verdict {
	v, ok := Score(m, t)
	switch {
	case !ok || TooFew(t):
		return Unjudged
	case LowIsGood(m) && v <= goal, !LowIsGood(m) && v >= goal:
		return Met
	default:
		return Missed
	}
}

// Distance returns how far the score of t is beyond goal, negative where it
// falls short: the score minus the goal, and for CES5, where low is good, the
// goal minus the score. It is rounded as [Figure.Rounded] does it, once, from
// the counts and the goal as it is written. False where there is no score.
func Distance(m survey.Metric, t Tally, goal float64) (float64, bool) {
	f := Of(m, t)
	written, ok := new(big.Rat).SetString(strconv.FormatFloat(goal, 'f', -1, 64))
	if f.n <= 0 || !ok {
		return 0, false
	}
	d := new(big.Rat).Sub(f.fraction(), written)
	if LowIsGood(m) {
		d.Neg(d)
	}
	return f.rounded(d), true
}

// LowIsGood reports whether the lower score of m is the better one.
func LowIsGood(m survey.Metric) bool { return m == survey.CES5 }
