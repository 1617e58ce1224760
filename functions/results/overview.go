package results

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/signin"
	"github.com/pulssi/pulssi/shared/survey"
)

// overview is the answer to GET /api/overview.
type overview struct {
	From        string          `json:"from"`
	To          string          `json:"to"`
	Zone        string          `json:"zone"`
	Segment     string          `json:"segment,omitempty"` // where asked for
	Touchpoints []overviewEntry `json:"touchpoints"`       // along the customer's path, then by id
}

type overviewEntry struct {
	touchpointEntry
	Total  period   `json:"total"`
	Trend  []period `json:"trend"` // by month
	Recent recent   `json:"recent"`
}

// recent is the last whole three months against the three before.
type recent struct {
	Now        period      `json:"now"`
	Before     period      `json:"before"`
	Difference *difference `json:"difference"` // judged together with those of all touchpoints
}

// recentMonths is how many months are held against as many before.
const recentMonths = 3

// maxOverviewYears is how long an overview can be: the months of 20 touchpoints
// are some 16 kB a year, and a page shall not wait for more than 60.
const maxOverviewYears = 3

// overviewQuery is what a client asks for.
type overviewQuery struct {
	span
	group score.Group // all, or a segment
}

func parseOverview(raw string, today time.Time) (overviewQuery, error) {
	values, err := onceEach(raw, "from", "to", "segment")
	if err != nil {
		return overviewQuery{}, err
	}
	var q overviewQuery
	if q.span, err = parseSpan(values, asked, today); err != nil {
		return overviewQuery{}, err
	}
	if q.to.After(q.from.AddDate(maxOverviewYears, 0, 0)) {
		return overviewQuery{}, survey.Errorf(survey.Invalid, asked.to, "to must be at most %d years after from in an overview", maxOverviewYears)
	}
	q.group, err = parseGroup(values)
	return q, err
}

func (h *Handler) readOverview(ctx context.Context, r *call) (apigw.Response, error) {
	q, err := parseOverview(r.RawQueryString, h.today())
	if err != nil {
		return apigw.Response{}, err
	}
	if q.group, err = r.group(q.group); err != nil {
		return apigw.Response{}, err
	}
	out, err := h.overview(ctx, r.who, q)
	if err != nil {
		return apigw.Response{}, err
	}
	return tagged(r, out), nil
}

// overview answers a question about all touchpoints that somebody may see, each
// by its current series, to somebody who may see the group. The error is
// [survey.NotFound] for a segment of which nobody has heard, as [Handler.report]
// has it.
func (h *Handler) overview(ctx context.Context, who signin.Who, q overviewQuery) (overview, error) {
	all, err := h.Touchpoints.All(ctx)
	if err != nil {
		return overview{}, err
	}
	seen := slices.DeleteFunc(slices.Clone(all), func(t *survey.Touchpoint) bool { return !who.Sees(t.ID) })
	slices.SortStableFunc(seen, func(a, b *survey.Touchpoint) int {
		return cmp.Compare(slices.Index(survey.Phases(), a.Phase), slices.Index(survey.Phases(), b.Phase))
	})
	end := month.start(earlier(q.to, h.today()))
	middle := end.AddDate(0, -recentMonths, 0)
	spans := []span{q.span, {middle, end}, {middle.AddDate(0, -recentMonths, 0), middle}}
	var parts []part
	for _, t := range seen {
		for _, s := range spans {
			parts = append(parts, part{seriesOf(t), month, s})
		}
	}
	c, err := h.read(ctx, parts)
	if err != nil {
		return overview{}, err
	}
	if err := c.know(who, q.group); err != nil {
		return overview{}, err
	}
	out := overview{
		From: q.from.Format(dateFormat), To: q.to.Format(dateFormat), Zone: h.Zone.String(),
		Touchpoints: make([]overviewEntry, 0, len(seen)),
	}
	out.Segment, _ = q.group.Segment()
	var pairs []score.Pair
	for _, t := range seen {
		tally := func(s span) score.Tally { return c.sum(part{seriesOf(t), month, s})[q.group] }
		now, before := tally(spans[1]), tally(spans[2])
		pairs = append(pairs, score.Pair{Metric: t.Metric, From: before, To: now})
		out.Touchpoints = append(out.Touchpoints, overviewEntry{
			touchpointEntry: newEntry(t),
			Total:           newPeriod(t, q.span, tally(q.span)),
			Trend:           c.periods(t, part{seriesOf(t), month, q.span}, q.group),
			Recent:          recent{Now: newPeriod(t, spans[1], now), Before: newPeriod(t, spans[2], before)},
		})
	}
	for i, d := range differences(pairs) {
		out.Touchpoints[i].Recent.Difference = d
	}
	return out, nil
}
