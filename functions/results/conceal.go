package results

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/survey"
)

// concealment says what is hidden of some figures: all of them, or those about
// asks, which are of other people than the answers.
type concealment struct{ all, asks bool }

// conceal decides what is hidden of a whole and of its parts, set by set. The
// parts of one set share no answer; what is in none of them is the set's rest.
// What is told of one set tells nothing of another, as the whole is all that
// they have in common. Where there is no way but to hide the whole, everything
// is hidden that anybody is in.
func conceal(whole figures, sets [][]figures) (of concealment, parts [][]concealment) {
	answers, asks := !score.Small(whole.N), !score.Small(whole.Sent)
	for _, set := range sets {
		hidden, ok := hide(whole.N, set, func(_ int, f figures) int64 { return f.N })
		answers = answers && ok
		part := make([]concealment, len(set))
		for i := range set {
			part[i].all = hidden[i]
		}
		hidden, ok = hide(whole.Sent, set, func(i int, f figures) int64 {
			if part[i].all {
				return 0 // among the rest
			}
			return f.Sent
		})
		asks = asks && ok
		for i := range set {
			part[i].asks = hidden[i]
		}
		parts = append(parts, part)
	}
	everything := func(f figures) concealment { return concealment{all: !answers && f.N > 0, asks: !answers || !asks} }
	for i, set := range sets {
		for j, f := range set {
			e := everything(f)
			parts[i][j].all = parts[i][j].all || e.all
			parts[i][j].asks = parts[i][j].asks || e.asks
		}
	}
	return everything(whole), parts
}

// hide is [score.Hide] for the parts of a whole, which size tells the size of.
func hide(whole int64, set []figures, size func(int, figures) int64) (hidden []bool, ok bool) {
	sizes, rest := make([]int64, len(set)), whole
	for i, f := range set {
		sizes[i] = size(i, f)
		rest -= sizes[i]
	}
	return score.Hide(sizes, max(0, rest))
}

// show returns what is told of the figures.
func (c concealment) show(f figures) sharedFigures {
	if c.all {
		return sharedFigures{Hidden: true, figures: figures{
			Counts: map[string]int64{}, Categories: map[survey.Category]int64{}, Shown: score.NoScore, TooFew: true,
		}}
	}
	out := sharedFigures{figures: f, N: &f.N, Suspect: &f.Suspect}
	if c.asks {
		out.Rates = rates{}
		return out
	}
	out.Sent, out.Delivered, out.Bounced, out.Answered, out.Confirmed = &f.Sent, &f.Delivered, &f.Bounced, &f.Answered, &f.Confirmed
	return out
}

func (c concealment) showPeriod(p period) sharedPeriod {
	return sharedPeriod{p.From, p.To, c.show(p.figures)}
}

func showPeriods(ps []period, cs []concealment) []sharedPeriod {
	out := make([]sharedPeriod, len(ps))
	for i, p := range ps {
		out[i] = cs[i].showPeriod(p)
	}
	return out
}

// showGroups returns what is told of the groups: those of which something is, in
// their order, and then the others by name, as the order of those would tell
// their sizes.
func showGroups(gs []group, cs []concealment) []sharedGroup {
	if gs == nil {
		return nil
	}
	out := make([]sharedGroup, len(gs))
	for i, g := range gs {
		out[i] = sharedGroup{g.Name, cs[i].show(g.figures), g.Difference}
		if cs[i].all {
			out[i].Difference = nil
		}
	}
	slices.SortStableFunc(out, func(a, b sharedGroup) int {
		switch {
		case a.Hidden && b.Hidden:
			return cmp.Compare(a.Name, b.Name)
		case a.Hidden:
			return 1
		case b.Hidden:
			return -1
		}
		return 0
	})
	return out
}

func figuresOf[T any](of []T, get func(T) figures) []figures {
	out := make([]figures, len(of))
	for i, v := range of {
		out[i] = get(v)
	}
	return out
}

func ofPeriod(p period) figures { return p.figures }
func ofGroup(g group) figures   { return g.figures }

// concealReport hides the small figures of a report, and those from which they
// could be worked out. The periods, the channels, and the values of each
// attribute by which there are segments are sets of parts of the total.
func concealReport(rep report) sharedReport {
	attributes := byAttribute(rep.Segments, rep.Total.figures)
	sets := [][]figures{figuresOf(rep.Periods, ofPeriod), figuresOf(rep.Channels, ofGroup)}
	for _, places := range attributes {
		sets = append(sets, figuresOf(places, func(i int) figures { return rep.Segments[i].figures }))
	}
	of, parts := conceal(rep.Total.figures, sets)
	segments := make([]concealment, len(rep.Segments))
	for a, places := range attributes {
		for j, i := range places {
			segments[i] = parts[2+a][j]
		}
	}
	out := sharedReport{
		report: rep, Periods: showPeriods(rep.Periods, parts[0]), Total: of.showPeriod(rep.Total),
		Channels: showGroups(rep.Channels, parts[1]), Segments: showGroups(rep.Segments, segments),
	}
	if y := rep.LastYear; y != nil {
		was, periods := conceal(y.Total.figures, [][]figures{figuresOf(y.Periods, ofPeriod)})
		out.LastYear = &sharedYear{Periods: showPeriods(y.Periods, periods[0]), Total: was.showPeriod(y.Total), Difference: y.Difference}
		if was.all || of.all {
			out.LastYear.Difference = nil
		}
	}
	out.Annotations = slices.Clone(rep.Annotations)
	for i := range out.Annotations {
		out.Annotations[i].By = "" // who of the company did what is nobody else's business
	}
	for _, e := range rep.Earlier { // whose sum is not told
		one := sharedEarlier{earlierSeries: e}
		for _, p := range e.Periods {
			one.Periods = append(one.Periods, alone(p).showPeriod(p))
		}
		out.Earlier = append(out.Earlier, one)
	}
	return out
}

// alone is what is hidden of a period that is no part of anything that is told.
func alone(p period) concealment {
	return concealment{all: score.Small(p.N), asks: score.Small(p.Sent)}
}

// byAttribute returns the places of the segments by attribute: plan=gold and
// plan=basic are of one, and vip is one of its own. Nobody is thought to have
// two values of an attribute; where there are more answers than there can be
// then, each value stands alone.
func byAttribute(segments []group, whole figures) [][]int {
	var names []string
	places := map[string][]int{}
	for i, s := range segments {
		name, _, _ := strings.Cut(s.Name, "=")
		if places[name] == nil {
			names = append(names, name)
		}
		places[name] = append(places[name], i)
	}
	var out [][]int
	for _, name := range names {
		var n, sent int64
		for _, i := range places[name] {
			n, sent = n+segments[i].N, sent+segments[i].Sent
		}
		if n <= whole.N && sent <= whole.Sent {
			out = append(out, places[name])
			continue
		}
		for _, i := range places[name] {
			out = append(out, []int{i})
		}
	}
	return out
}

// concealEntry hides the small figures of one touchpoint of an overview from
// one day to another.
func concealEntry(e overviewEntry, from, to string) sharedEntry {
	of, parts := conceal(e.Total.figures, [][]figures{figuresOf(e.Trend, ofPeriod)})
	now, before := e.Recent.Now, e.Recent.Before
	hidden := func(p period) concealment { return concealRecent(p, e.Trend, parts[0], from, to) }
	out := sharedEntry{
		touchpointEntry: e.touchpointEntry, Total: of.showPeriod(e.Total), Trend: showPeriods(e.Trend, parts[0]),
		Recent: sharedRecent{Now: hidden(now).showPeriod(now), Before: hidden(before).showPeriod(before), Difference: e.Recent.Difference},
	}
	if out.Recent.Now.Hidden || out.Recent.Before.Hidden {
		out.Recent.Difference = nil
	}
	return out
}

// concealRecent is what is hidden of a span beside a trend: nothing where it is
// made of months that are told, and all where it shares days with the trend
// otherwise.
func concealRecent(p period, trend []period, hidden []concealment, from, to string) concealment {
	if p.To <= from || to <= p.From {
		return alone(p)
	}
	var out concealment
	next := p.From
	for i, m := range trend {
		if m.From == next && m.To <= p.To {
			out.all, out.asks, next = out.all || hidden[i].all, out.asks || hidden[i].asks, m.To
		}
	}
	if next != p.To {
		return concealment{all: true}
	}
	return out
}
