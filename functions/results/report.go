package results

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/survey"
)

// report is the answer to GET /api/results/{touchpoint}.
type report struct {
	Touchpoint string        `json:"touchpoint"`
	Metric     survey.Metric `json:"metric"`
	Series     int           `json:"series"`
	Zone       string        `json:"zone"`
	Goal       *float64      `json:"goal"` // null where there is none
	By         unit          `json:"by"`
	Channel    string        `json:"channel,omitempty"` // where asked for
	Segment    string        `json:"segment,omitempty"` // where asked for
	Periods    []period      `json:"periods"`           // all of the range, empty ones too
	Total      period        `json:"total"`
}

// period is the numbers of one period. Scores have one decimal, means (CES,
// CES5) two; percentages have one. What needs an answer is null where there
// is none.
type period struct {
	From   string  `json:"from"` // inclusive
	To     string  `json:"to"`   // exclusive
	N      int64   `json:"n"`
	Score  decimal `json:"score"`
	Margin decimal `json:"margin"` // of the score, plus or minus, 95 %; null for a mean of equal answers

	Counts     map[string]int64          `json:"counts"` // by answer, those given only
	Categories map[survey.Category]int64 `json:"categories"`
	Suspect    int64                     `json:"suspect"` // not in n
	Sent       int64                     `json:"sent"`    // this and the next four by the day the ask was sent
	Delivered  int64                     `json:"delivered"`
	Bounced    int64                     `json:"bounced"`
	Answered   int64                     `json:"answered"`
	Confirmed  int64                     `json:"confirmed"`

	Shown   string        `json:"shown"`   // the score as people read it, a dash where there is none
	Low     decimal       `json:"low"`     // of the score's 95 % interval
	High    decimal       `json:"high"`    //
	Beside  decimal       `json:"beside"`  // ces, ces5: per cent easy; smiley: mean as an index of 0 to 100
	TooFew  bool          `json:"tooFew"`  // to be judged
	Verdict score.Verdict `json:"verdict"` // on the goal; "" where there is none
	Rates   rates         `json:"rates"`
}

// rates are the three response rates in per cent.
type rates struct {
	AnsweredOfSent       decimal `json:"answeredOfSent"`
	AnsweredOfDelivered  decimal `json:"answeredOfDelivered"`
	ConfirmedOfDelivered decimal `json:"confirmedOfDelivered"`
}

// decimal is a number with the decimals that it is given with, 10.0 rather
// than 10; nil is null.
type decimal *json.Number

func newReport(t *survey.Touchpoint, zone *time.Location, q query, sums []score.Tally) report {
	out := report{
		Touchpoint: t.ID, Metric: t.Metric, Series: t.Series, Zone: zone.String(), Goal: t.Goal, By: q.by,
		Periods: make([]period, 0, len(sums)),
	}
	if c, ok := q.group.Channel(); ok {
		out.Channel = string(c)
	}
	out.Segment, _ = q.group.Segment()
	var total score.Tally
	for i, p := range q.periods() {
		out.Periods = append(out.Periods, newPeriod(t, p, sums[i]))
		total = total.Add(sums[i])
	}
	out.Total = newPeriod(t, span{q.from, q.to}, total)
	return out
}

func newPeriod(t *survey.Touchpoint, s span, tally score.Tally) period {
	m := t.Metric
	figure := score.Of(m, tally)
	p := period{
		From: s.from.Format(dateFormat), To: s.to.Format(dateFormat),
		N: tally.N(), Score: rounded(figure, decimals(m)),
		Counts: map[string]int64{}, Categories: score.Categories(m, tally), Suspect: tally.Suspect,
		Sent: tally.Sent, Delivered: tally.Delivered, Bounced: tally.Bounced,
		Answered: tally.Answered, Confirmed: tally.Confirmed,
		Shown: figure.String(), Beside: rounded(score.Beside(m, tally), 1), TooFew: score.TooFew(tally),
		Rates: rates{
			AnsweredOfSent:       rounded(score.AnsweredOfSent(tally), 1),
			AnsweredOfDelivered:  rounded(score.AnsweredOfDelivered(tally), 1),
			ConfirmedOfDelivered: rounded(score.ConfirmedOfDelivered(tally), 1),
		},
	}
	for s, n := range tally.Scores {
		if n != 0 {
			p.Counts[strconv.Itoa(s)] = n
		}
	}
	if v, ok := figure.Margin(); ok {
		p.Margin = fixed(v, decimals(m))
	}
	if low, high, ok := figure.Interval(); ok {
		p.Low, p.High = fixed(low, decimals(m)), fixed(high, decimals(m))
	}
	if t.Goal != nil {
		p.Verdict = score.Goal(m, tally, *t.Goal)
	}
	return p
}

// decimals is how many decimals the score of a metric is given with: two for
// means on a scale of a few points.
func decimals(m survey.Metric) int {
	if m == survey.CES || m == survey.CES5 {
		return 2
	}
	return 1
}

// rounded writes a figure, which rounds itself from the counts.
func rounded(f score.Figure, decimals int) decimal {
	v, ok := f.Rounded()
	if !ok {
		return nil
	}
	return fixed(v, decimals)
}

// fixed rounds half away from zero and writes all decimals. A zero has no
// sign.
func fixed(v float64, decimals int) decimal {
	unit := math.Pow10(decimals)
	n := json.Number(strconv.FormatFloat(math.Round(v*unit)/unit+0, 'f', decimals, 64))
	return &n
}
