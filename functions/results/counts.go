package results

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
)

// part is some days of a series whose counts a view needs, by periods of some
// length.
type part struct {
	of store.SeriesKey
	by unit
	span
}

// daily reports whether the periods are counted from the sheets of days. Longer
// ones are, from those of months.
func (p part) daily() bool { return p.by == day || p.by == week }

// counts is what was counted of the parts of a view.
type counts struct {
	today        time.Time
	months, days map[store.SeriesKey]map[time.Time]score.Sheet // by their first day
}

// read reads what was counted, in two steps of calls that are made at once:
//
//   - the sheets of months, one run for all parts by month or longer, and the
//     sheets of days for those by day and week, one run for each year or less;
//   - the sheets of days at the edges that do not lie between two months, of
//     the side of the edge that has fewer days, and of those months alone in
//     which anything was counted. The other side is the rest of the month.
//
// So a view of months within a few years is one call, or two. Nothing was
// answered after today: an edge in the future takes no second step.
func (h *Handler) read(ctx context.Context, parts []part) (*counts, error) {
	c := &counts{
		today:  h.today(),
		months: map[store.SeriesKey]map[time.Time]score.Sheet{},
		days:   map[store.SeriesKey]map[time.Time]score.Sheet{},
	}
	runs := runs(parts)
	found := make([][]store.StoredSheet, len(runs))
	errs := make([]error, len(runs))
	var wg sync.WaitGroup
	for i, r := range runs {
		wg.Go(func() { found[i], errs[i] = h.Sheets.Sheets(ctx, r.of, r.from, r.to) })
	}
	wg.Wait()
	for i := range runs {
		if errs[i] != nil {
			return nil, errs[i]
		}
		if err := keep(c.months, c.days, found[i]); err != nil {
			return nil, err
		}
	}
	if edges := c.edges(parts); len(edges) > 0 {
		sheets, err := h.Sheets.SheetsAt(ctx, edges)
		if err != nil {
			return nil, err
		}
		if err := keep(c.months, c.days, sheets); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// run is sheets of some series, from one period to another, both included.
type run struct {
	of       []store.SeriesKey
	from, to score.Period
}

// longestRun is how many days one run has at most: a year of a touchpoint's
// days is about what one call can answer.
const longestRun = 366

// runs returns the runs of sheets that make up the parts.
func runs(parts []part) []run {
	var out []run
	var months span
	var of []store.SeriesKey
	var daily []span
	for _, p := range parts {
		if p.daily() {
			daily = append(daily, p.span)
			continue
		}
		of = append(of, p.of)
		first, last := month.start(p.from), month.start(p.to.AddDate(0, 0, -1))
		if months.from.IsZero() || first.Before(months.from) {
			months.from = first
		}
		if last.After(months.to) {
			months.to = last
		}
	}
	if len(of) > 0 {
		out = append(out, run{distinct(of), score.Month(months.from), score.Month(months.to)})
	}
	for _, s := range joined(daily) {
		for from := s.from; from.Before(s.to); from = from.AddDate(0, 0, longestRun) {
			piece := span{from, earlier(s.to, from.AddDate(0, 0, longestRun))}
			var of []store.SeriesKey
			for _, p := range parts {
				if p.daily() && p.from.Before(piece.to) && piece.from.Before(p.to) {
					of = append(of, p.of)
				}
			}
			out = append(out, run{distinct(of), score.Day(piece.from), score.Day(piece.to.AddDate(0, 0, -1))})
		}
	}
	return out
}

// joined returns the days of all the spans, each once, in the fewest spans.
func joined(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	var out []span
	for _, s := range spans {
		if n := len(out); n > 0 && !s.from.After(out[n-1].to) {
			if s.to.After(out[n-1].to) {
				out[n-1].to = s.to
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

func distinct(of []store.SeriesKey) []store.SeriesKey {
	var out []store.SeriesKey
	for _, k := range of {
		if !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func keep(months, days map[store.SeriesKey]map[time.Time]score.Sheet, sheets []store.StoredSheet) error {
	for _, s := range sheets {
		start, err := s.Key.Period.Start()
		if err != nil {
			return err
		}
		of, kind := store.SeriesKey{Touchpoint: s.Key.Touchpoint, Series: s.Key.Series}, days
		if s.Key.Period == score.Month(start) {
			kind = months
		}
		if kind[of] == nil {
			kind[of] = map[time.Time]score.Sheet{}
		}
		kind[of][start] = s.Counts
	}
	return nil
}

// edges returns the sheets of days that the parts need beside those of months.
func (c *counts) edges(parts []part) []score.Key {
	var out []score.Key
	seen := map[score.Key]bool{}
	for _, p := range parts {
		if p.daily() {
			continue
		}
		for _, date := range []time.Time{p.from, p.to} {
			side, _ := c.side(p.of, date)
			for d := side.from; d.Before(side.to); d = day.next(d) {
				if k := (score.Key{Touchpoint: p.of.Touchpoint, Series: p.of.Series, Period: score.Day(d)}); !seen[k] {
					seen[k] = true
					out = append(out, k)
				}
			}
		}
	}
	return out
}

// side returns the days of a month before a date, or those from it on, whichever
// are fewer, and reports which. There are none where all that the month holds
// is on the other side.
func (c *counts) side(of store.SeriesKey, date time.Time) (s span, before bool) {
	first := month.start(date)
	head, rest := span{first, date}, span{date, earlier(month.next(first), c.today.AddDate(0, 0, 1))}
	switch {
	case c.months[of][first] == nil || !date.After(first):
		return span{}, true
	case !rest.from.Before(rest.to):
		return span{}, false
	case head.days() <= rest.days():
		return head, true
	default:
		return rest, false
	}
}

// sum returns the counts of one of the parts that were read, or of some of its
// periods. Callers may change what it returns.
func (c *counts) sum(p part) score.Sheet {
	out := score.Sheet{}
	if p.daily() {
		c.addDays(out, p.of, p.span)
		return out
	}
	for first := month.start(p.from); first.Before(p.to); first = month.next(first) {
		out.Add(c.months[p.of][first])
	}
	out.Sub(c.before(p.of, p.from))
	if first := month.start(p.to); first.Before(p.to) {
		out.Sub(c.months[p.of][first])
		out.Add(c.before(p.of, p.to))
	}
	return floored(out)
}

// before returns what was counted in the month of a date on days before it.
func (c *counts) before(of store.SeriesKey, date time.Time) score.Sheet {
	out := score.Sheet{}
	side, before := c.side(of, date)
	if before {
		c.addDays(out, of, side)
		return out
	}
	rest := score.Sheet{}
	c.addDays(rest, of, side)
	out.Add(c.months[of][month.start(date)])
	out.Sub(rest)
	return out
}

func (c *counts) addDays(out score.Sheet, of store.SeriesKey, s span) {
	for d := s.from; d.Before(s.to); d = day.next(d) {
		out.Add(c.days[of][d])
	}
}

// floored makes the counts that are below zero zero: a month and its days are
// counted one after the other, so that for a moment a part can be more than
// the whole.
func floored(s score.Sheet) score.Sheet {
	for g, t := range s {
		for _, counter := range t.Counters() {
			*counter.Value = max(0, *counter.Value)
		}
		s[g] = t
	}
	return s
}

// counted reports whether anything of a series was read.
func (c *counts) counted(of store.SeriesKey) bool { return len(c.months[of])+len(c.days[of]) > 0 }

// lacks reports whether there are answers in what was read, and none of a
// group.
func (c *counts) lacks(g score.Group) bool {
	some := false
	for _, kind := range []map[store.SeriesKey]map[time.Time]score.Sheet{c.months, c.days} {
		for _, sheets := range kind {
			for _, s := range sheets {
				if _, ok := s[g]; ok {
					return false
				}
				some = true
			}
		}
	}
	return some
}
