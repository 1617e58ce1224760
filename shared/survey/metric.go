package survey

// Metric is a way of asking and the scale of its answers, by name. The scales
// and categories are those of the literature:
//
//   - NPS: Reichheld, "The One Number You Need to Grow", HBR, December 2003.
//   - CSAT: the top-2-box convention on five stars or faces.
//   - CES: Dixon, Freeman and Toman, "Stop Trying to Delight Your Customers",
//     HBR, July 2010, in its second form (CES 2.0, agreement 1 to 7).
//   - CES5: the first form, effort from 1 (effortless) to 5 (very laborious).
//     Its direction is part of its definition: a low answer is a good one.
//   - Smiley: four faces without a middle. Thumbs: yes or no.
type Metric string

// The metrics.
const (
	NPS    Metric = "nps"
	CSAT   Metric = "csat"
	CES    Metric = "ces"
	CES5   Metric = "ces5"
	Smiley Metric = "smiley"
	Thumbs Metric = "thumbs"
)

// Metrics lists all metrics in the order of the documentation.
func Metrics() []Metric { return []Metric{NPS, CSAT, CES, CES5, Smiley, Thumbs} }

// Category is what one answer says about the one who gave it: promoter,
// passive or detractor for NPS; satisfied, neutral or dissatisfied for the
// other metrics.
type Category string

// The categories.
const (
	Promoter     Category = "promoter"
	Passive      Category = "passive"
	Detractor    Category = "detractor"
	Satisfied    Category = "satisfied"
	Neutral      Category = "neutral"
	Dissatisfied Category = "dissatisfied"
)

// MaxScore is the largest answer of any metric; answers are whole numbers
// from 0 to MaxScore.
const MaxScore = 10

// scale is one row of the table of metrics. category has one entry per
// answer, from the lowest.
type scale struct {
	low      int
	category []Category
}

var scales = map[Metric]scale{
	NPS: {0, []Category{
		Detractor, Detractor, Detractor, Detractor, Detractor, Detractor, Detractor,
		Passive, Passive, Promoter, Promoter,
	}},
	CSAT:   {1, []Category{Dissatisfied, Dissatisfied, Neutral, Satisfied, Satisfied}},
	CES:    {1, []Category{Dissatisfied, Dissatisfied, Dissatisfied, Neutral, Satisfied, Satisfied, Satisfied}},
	CES5:   {1, []Category{Satisfied, Satisfied, Neutral, Dissatisfied, Dissatisfied}},
	Smiley: {1, []Category{Dissatisfied, Dissatisfied, Satisfied, Satisfied}},
	Thumbs: {0, []Category{Dissatisfied, Satisfied}},
}

// Valid reports whether m is one of the metrics.
func (m Metric) Valid() bool { _, ok := scales[m]; return ok }

// Scale returns the lowest and the highest answer of m, and 0, -1 (an empty
// scale) for an unknown metric.
func (m Metric) Scale() (low, high int) {
	s := scales[m]
	return s.low, s.low + len(s.category) - 1
}

// Admits reports whether score is an answer on m's scale.
func (m Metric) Admits(score int) bool {
	low, high := m.Scale()
	return low <= score && score <= high
}

// Category returns the category of an answer, and "" for an answer that m
// does not admit.
func (m Metric) Category(score int) Category {
	if !m.Admits(score) {
		return ""
	}
	s := scales[m]
	return s.category[score-s.low]
}

// Categories returns the categories of m from the happiest on. Smiley and
// thumbs have no middle.
func (m Metric) Categories() []Category {
	switch m {
	case NPS:
		return []Category{Promoter, Passive, Detractor}
	case Smiley, Thumbs:
		return []Category{Satisfied, Dissatisfied}
	case CSAT, CES, CES5:
		return []Category{Satisfied, Neutral, Dissatisfied}
	default:
		return nil
	}
}

// Admitting returns the metrics whose scale has score, in the order of
// [Metrics]. A conditional write uses it to check an answer against the
// metric of an ask it has not read.
func Admitting(score int) []Metric {
	var out []Metric
	for _, m := range Metrics() {
		if m.Admits(score) {
			out = append(out, m)
		}
	}
	return out
}
