package results

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// Feed reads the feed of comments.
type Feed interface {
	// Feed returns what is in the feed of a touchpoint from one position,
	// included, to another, which is not, both of one UTC month: the newest
	// first, at most limit entries (0 for as many as can be read at once), and
	// whether there is more. Among them are words without an answer, and
	// answers that are suspect or of a test.
	Feed(ctx context.Context, touchpoint string, from, to store.FeedPosition, limit int) ([]store.FeedEntry, bool, error)
}

// Limits of one request's reading. A wave is queries made at once, so that a
// request takes as long as maxWaves of them, however many comments there are.
// An entry is about 500 bytes, of which a query reads up to 1 MB: a wave is 16
// MB at most, and of more touchpoints than atOnce each is read less of.
const (
	maxWaves = 2
	atOnce   = 16
	maxRead  = 32_000
)

// Lengths of a slice, the part of the feed that one query reads.
const (
	shortest = time.Second
	longest  = 31 * 24 * time.Hour
)

// reading goes through the feed of some touchpoints in waves, from the newest
// entry on. What it has read stands with gaps between: a query that did not get
// to the end of its slice leaves one. All above the newest gap is known.
type reading struct {
	feed        Feed
	touchpoints []string
	from, to    store.FeedPosition
	// coarse is whether where it got to is told to somebody who may not know of
	// every entry, and so not of the moment and the id of the one it ended at.
	coarse bool
	// keep says which entries are wanted.
	keep func(*survey.Ask) bool
	// enough is how many entries of a slice do; 0 for all of them.
	enough int
	// length is the length of a slice that one query is likely to get through:
	// what was learned from those that it did not, or a whole month.
	length time.Duration
	gaps   []slice // the newest first
	kept   []store.FeedEntry
}

// slice is a part of the feed of one touchpoint within one UTC month.
type slice struct {
	touchpoint string
	from, to   store.FeedPosition
}

// newestFirst orders slices by where they end.
func newestFirst(a, b slice) int {
	return cmp.Or(strings.Compare(string(b.to), string(a.to)), strings.Compare(a.touchpoint, b.touchpoint))
}

// newReading returns a reading of the span from one position to another of
// which nothing has been read yet.
func newReading(feed Feed, touchpoints []string, from, to store.FeedPosition, keep func(*survey.Ask) bool) *reading {
	r := &reading{feed: feed, touchpoints: touchpoints, from: from, to: to, keep: keep, length: longest}
	for to > from {
		last := to.Time()
		start := month.start(last)
		if to == store.FeedAt(start) { // nothing of that month
			start = start.AddDate(0, -1, 0)
		}
		begin := max(from, store.FeedAt(start))
		for _, t := range touchpoints {
			r.gaps = append(r.gaps, slice{t, begin, to})
		}
		to = begin
	}
	return r
}

// next takes the newest slices off the gaps: as many as are read at once, but
// one of each touchpoint at least, as nothing is known before all have been
// read.
func (r *reading) next() []slice {
	var out []slice
	for n := max(atOnce, len(r.touchpoints)); len(r.gaps) > 0 && len(out) < n; {
		s := r.gaps[0]
		r.gaps = r.gaps[1:]
		if from := store.FeedAt(s.to.Time().Add(-r.length)); from > s.from {
			r.leave(slice{s.touchpoint, s.from, from})
			s.from = from
		}
		out = append(out, s)
	}
	return out
}

// leave puts a slice among the gaps.
func (r *reading) leave(s slice) {
	i, _ := slices.BinarySearchFunc(r.gaps, s, newestFirst)
	r.gaps = slices.Insert(r.gaps, i, s)
}

// wave reads the newest slices that have not been read, all at once.
func (r *reading) wave(ctx context.Context) error {
	parts := r.next()
	limit := cmp.Or(r.enough, max(1, maxRead/max(1, len(parts))))
	found := make([][]store.FeedEntry, len(parts))
	more := make([]bool, len(parts))
	errs := make([]error, len(parts))
	var wg sync.WaitGroup
	for i, p := range parts {
		wg.Go(func() {
			found[i], more[i], errs[i] = r.feed.Feed(ctx, p.touchpoint, p.from, p.to, limit)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	learned := min(4*r.length, longest)
	for i, p := range parts {
		for _, e := range found[i] {
			if r.keep(e.Ask) {
				r.kept = append(r.kept, e)
			}
		}
		if n := len(found[i]); more[i] && n > 0 {
			end := found[i][n-1].At
			r.leave(slice{p.touchpoint, p.from, end})
			// A little less than one query got through, as entries differ.
			learned = min(learned, max(shortest, p.to.Time().Sub(end.Time())*6/10))
		}
	}
	if r.enough == 0 {
		r.length = learned
	}
	return nil
}

// known returns the position down to which everything has been read: a whole
// minute where it is told coarsely, unless that would be where it began.
func (r *reading) known() store.FeedPosition {
	if len(r.gaps) == 0 {
		return r.from
	}
	to := r.gaps[0].to
	if next := store.FeedAt(to.Time().Truncate(time.Minute).Add(time.Minute)); r.coarse && next < r.to {
		return next
	}
	return to
}

// entries returns those that are wanted down to where everything is known, the
// newest first.
func (r *reading) entries() []store.FeedEntry {
	known := r.known()
	out := slices.DeleteFunc(slices.Clone(r.kept), func(e store.FeedEntry) bool { return e.At < known })
	slices.SortFunc(out, func(a, b store.FeedEntry) int {
		return cmp.Or(strings.Compare(string(b.At), string(a.At)), strings.Compare(a.Ask.Touchpoint, b.Ask.Touchpoint))
	})
	return out
}
