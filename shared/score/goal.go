package score

import "github.com/pulssi/pulssi/shared/survey"

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
	case m == survey.CES5 && v <= goal, m != survey.CES5 && v >= goal:
		return Met
	default:
		return Missed
	}
}
