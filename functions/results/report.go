package results

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/signin"
	"github.com/pulssi/pulssi/shared/store"
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
	// What follows is there where it was asked for.
	LastYear    *yearBefore     `json:"lastYear,omitempty"`
	Previous    *spanBefore     `json:"previous,omitempty"`
	Channels    []group         `json:"channels,omitzero"`
	Segments    []group         `json:"segments,omitzero"`
	Earlier     []earlierSeries `json:"earlier,omitzero"`
	Annotations []annotation    `json:"annotations,omitzero"`
}

// period is the numbers of one period.
type period struct {
	From string `json:"from"` // inclusive
	To   string `json:"to"`   // exclusive
	figures
}

// figures are the numbers of some answers. Scores have one decimal, means (CES,
// CES5) two; percentages have one. What needs an answer is null where there is
// none.
type figures struct {
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

	Shown    string        `json:"shown"`    // the score as people read it, a dash where there is none
	Low      decimal       `json:"low"`      // of the score's 95 % interval
	High     decimal       `json:"high"`     //
	Beside   decimal       `json:"beside"`   // ces, ces5: per cent easy; smiley: mean as an index of 0 to 100
	TooFew   bool          `json:"tooFew"`   // to be judged
	Verdict  score.Verdict `json:"verdict"`  // on the goal; "" where there is none
	Distance decimal       `json:"distance"` // beyond the goal, below zero where it falls short; null without a goal
	Rates    rates         `json:"rates"`
}

// rates are the three response rates in per cent.
type rates struct {
	AnsweredOfSent       decimal `json:"answeredOfSent"`
	AnsweredOfDelivered  decimal `json:"answeredOfDelivered"`
	ConfirmedOfDelivered decimal `json:"confirmedOfDelivered"`
}

// difference is one score against another.
type difference struct {
	Change  decimal `json:"change"`
	Low     decimal `json:"low"` // of the true change's 95 % interval
	High    decimal `json:"high"`
	P       decimal `json:"p"`
	Verdict verdict `json:"verdict"`
	Better  *bool   `json:"better"` // null for no change
}

// verdict is what can be said of a difference.
type verdict string

const (
	realChange   verdict = "real"
	withinNoise  verdict = "noise"
	tooFewToTell verdict = "too_few"
)

// yearBefore is the same periods a year before, one for each.
type yearBefore struct {
	Periods    []period    `json:"periods"`
	Total      period      `json:"total"`
	Difference *difference `json:"difference"` // null where the range is over a year long, too: the two would share answers
}

// spanBefore is the span of the same length before the range.
type spanBefore struct {
	Total      period      `json:"total"`
	Difference *difference `json:"difference"`
}

// group is the answers by one channel, or of one segment.
type group struct {
	Name string `json:"name"`
	figures
	Difference *difference `json:"difference"` // from all other answers to these
}

// earlierSeries is a series that has ended.
type earlierSeries struct {
	Series   int           `json:"series"`
	Metric   survey.Metric `json:"metric"`
	Question survey.Text   `json:"question"`
	Periods  []period      `json:"periods"` // from the first with an answer to the last
}

// decimal is a number with the decimals that it is given with, 10.0 rather
// than 10; nil is null.
type decimal *json.Number

func (h *Handler) results(ctx context.Context, r *call) (apigw.Response, error) {
	t, err := h.touchpoint(ctx, r, r.Path("touchpoint"))
	if err != nil {
		return apigw.Response{}, err
	}
	q, err := parseQuery(r.RawQueryString, h.today())
	if err != nil {
		return apigw.Response{}, err
	}
	if q.group, err = r.group(q.group); err != nil {
		return apigw.Response{}, err
	}
	out, err := h.report(ctx, r.who, t, q)
	if err != nil {
		return apigw.Response{}, err
	}
	return tagged(r, out), nil
}

// report answers a question about a touchpoint, whose definition in force is t,
// to somebody who may see the touchpoint and the group. The error is
// [survey.NotFound] for a series that never was, and for a segment of which
// nobody has heard: one that none of the answers that are looked at is of,
// unless it is one of the reader's own.
func (h *Handler) report(ctx context.Context, who signin.Who, t *survey.Touchpoint, q query) (report, error) {
	t, err := h.series(ctx, t, q.series)
	if err != nil {
		return report{}, err
	}
	whole := part{seriesOf(t), q.by, q.span}
	before, last := whole, whole
	before.span, last.span = q.previous(h.today()), q.by.yearBefore(q.span)
	parts := []part{whole}
	if q.include.lastYear {
		parts = append(parts, last)
	}
	if q.include.previous {
		parts = append(parts, before)
	}
	if q.include.earlier {
		for n := 1; n < t.Series; n++ {
			parts = append(parts, part{store.SeriesKey{Touchpoint: t.ID, Series: n}, q.by, q.span})
		}
	}
	var marks []annotation
	var unmarked error
	var wg sync.WaitGroup
	if q.include.annotations {
		wg.Go(func() { marks, unmarked = h.annotationsIn(ctx, who, t.ID, q.span) })
	}
	c, err := h.read(ctx, parts)
	wg.Wait()
	if err := errors.Join(err, unmarked); err != nil {
		return report{}, err
	}
	if err := c.know(who, q.group); err != nil {
		return report{}, err
	}

	total := c.sum(whole)
	out := report{
		Touchpoint: t.ID, Metric: t.Metric, Series: t.Series, Zone: h.Zone.String(), Goal: t.Goal, By: q.by,
		Periods: c.periods(t, whole, q.group), Total: newPeriod(t, q.span, total[q.group]), Annotations: marks,
	}
	if channel, ok := q.group.Channel(); ok {
		out.Channel = string(channel)
	}
	out.Segment, _ = q.group.Segment()
	if q.include.lastYear {
		was := c.sum(last)[q.group]
		y := &yearBefore{Total: newPeriod(t, last.span, was)}
		for _, s := range q.by.periods(q.span) {
			p := part{last.of, q.by, q.by.yearBefore(s)}
			y.Periods = append(y.Periods, newPeriod(t, p.span, c.sum(p)[q.group]))
		}
		if !last.to.After(q.from) {
			y.Difference = compared(t, was, total[q.group])
		}
		out.LastYear = y
	}
	if q.include.previous {
		was := c.sum(before)[q.group]
		out.Previous = &spanBefore{newPeriod(t, before.span, was), compared(t, was, total[q.group])}
	}
	if q.include.channels {
		out.Channels = groups(t, who, total, channelName)
	}
	if q.include.segments {
		out.Segments = groups(t, who, total, score.Group.Segment)
	}
	if q.include.earlier {
		if out.Earlier, err = h.earlier(ctx, c, parts, q.group); err != nil {
			return report{}, err
		}
	}
	return out, nil
}

func seriesOf(t *survey.Touchpoint) store.SeriesKey {
	return store.SeriesKey{Touchpoint: t.ID, Series: t.Series}
}

// series returns the definition whose answers are asked for: t, the one in
// force, where series is 0. Series are never mixed.
func (h *Handler) series(ctx context.Context, t *survey.Touchpoint, series int) (*survey.Touchpoint, error) {
	if series == 0 || series == t.Series {
		return t, nil
	}
	return h.Touchpoints.Series(ctx, store.SeriesKey{Touchpoint: t.ID, Series: series})
}

// periods returns the numbers of every period of a part.
func (c *counts) periods(t *survey.Touchpoint, p part, g score.Group) []period {
	out := []period{}
	for _, s := range p.by.periods(p.span) {
		out = append(out, newPeriod(t, s, c.sum(part{p.of, p.by, s})[g]))
	}
	return out
}

// earlier returns those of the parts that are of series which have ended, from
// the first period with an answer of the group to the last.
func (h *Handler) earlier(ctx context.Context, c *counts, parts []part, g score.Group) ([]earlierSeries, error) {
	out := []earlierSeries{}
	for _, p := range parts {
		if p.of == parts[0].of || !c.counted(p.of) {
			continue
		}
		t, err := h.Touchpoints.Series(ctx, p.of)
		if err != nil {
			return nil, err
		}
		periods := c.periods(t, p, g)
		answered := func(p period) bool { return p.N > 0 }
		first := slices.IndexFunc(periods, answered)
		if first < 0 {
			continue
		}
		last := len(periods)
		for periods[last-1].N == 0 {
			last--
		}
		out = append(out, earlierSeries{t.Series, t.Metric, t.Question, periods[first:last]})
	}
	return out, nil
}

// know returns [survey.NotFound] where a group is a segment that somebody must
// know of, and nothing that was read is.
func (c *counts) know(who signin.Who, g score.Group) error {
	if _, ok := g.Segment(); ok && len(who.Segments) == 0 && c.lacks(g) {
		return errNoSegment
	}
	return nil
}

// groups returns the answers of a sheet by channel or by segment, which name
// tells, each against all others, judged together. First come those that
// deserve attention: what is really worse than the rest, then what is worse,
// the largest first. Who is to see some segments alone sees those, and nothing
// of the rest: not even a difference from it.
func groups(t *survey.Touchpoint, who signin.Who, all score.Sheet, name func(score.Group) (string, bool)) []group {
	out := []group{}
	var pairs []score.Pair
	for g, tally := range all {
		n, ok := name(g)
		limited := len(who.Segments) > 0
		if s, isSegment := g.Segment(); !ok || limited && !(isSegment && who.SeesSegment(s)) {
			continue
		}
		out = append(out, group{Name: n, figures: newFigures(t, tally)})
		rest := all[score.All].Sub(tally)
		if limited {
			rest = score.Tally{}
		}
		pairs = append(pairs, score.Pair{Metric: t.Metric, From: rest, To: tally})
	}
	for i, d := range differences(pairs) {
		out[i].Difference = d
	}
	slices.SortFunc(out, func(a, b group) int {
		return cmp.Or(a.Difference.concern()-b.Difference.concern(), cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func channelName(g score.Group) (string, bool) {
	c, ok := g.Channel()
	return string(c), ok
}

// concern returns 0 for what is really worse, 1 for what is worse, and 2 for
// the rest.
func (d *difference) concern() int {
	switch {
	case d == nil || d.Better == nil || *d.Better || d.Verdict == tooFewToTell:
		return 2
	case d.Verdict == realChange:
		return 0
	default:
		return 1
	}
}

// compared returns the difference of two tallies that are looked at alone.
func compared(t *survey.Touchpoint, from, to score.Tally) *difference {
	return differences([]score.Pair{{Metric: t.Metric, From: from, To: to}})[0]
}

// differences returns the difference of each pair, judged together; nil where
// there is none.
func differences(pairs []score.Pair) []*difference {
	out := make([]*difference, len(pairs))
	for i, d := range score.CompareAll(pairs) {
		if d == nil {
			continue
		}
		p := pairs[i]
		change, _ := score.Change(p.Metric, p.From, p.To)
		n := decimals(p.Metric)
		out[i] = &difference{Change: fixed(change, n), Low: fixed(d.Low, n), High: fixed(d.High, n), P: fixed(d.P, 4), Verdict: withinNoise}
		switch {
		case d.Real:
			out[i].Verdict = realChange
		case score.TooFew(p.From) || score.TooFew(p.To):
			out[i].Verdict = tooFewToTell
		}
		if d.Change != 0 {
			better := d.Change > 0 != score.LowIsGood(p.Metric)
			out[i].Better = &better
		}
	}
	return out
}

func newPeriod(t *survey.Touchpoint, s span, tally score.Tally) period {
	return period{s.from.Format(dateFormat), s.to.Format(dateFormat), newFigures(t, tally)}
}

func newFigures(t *survey.Touchpoint, tally score.Tally) figures {
	m := t.Metric
	figure := score.Of(m, tally)
	f := figures{
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
			f.Counts[strconv.Itoa(s)] = n
		}
	}
	if v, ok := figure.Margin(); ok {
		f.Margin = fixed(v, decimals(m))
	}
	if low, high, ok := figure.Interval(); ok {
		f.Low, f.High = fixed(low, decimals(m)), fixed(high, decimals(m))
	}
	if t.Goal != nil {
		f.Verdict = score.Goal(m, tally, *t.Goal)
		if d, ok := score.Distance(m, tally, *t.Goal); ok {
			f.Distance = fixed(d, decimals(m))
		}
	}
	return f
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
