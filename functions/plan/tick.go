package plan

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

const (
	tickEvery = topology.TickHours * time.Hour
	// skew is how much the scheduler's clock may be ahead of ours.
	skew = time.Minute
	// furthest is how far back turns are made up for that no tick planned.
	furthest = 35 * 24 * time.Hour
	// onTime is how long after its moment a turn is still queued without
	// looking at the clock: a tick comes up to an hour after it.
	onTime = tickEvery
	// workers is how many pages are planned at a time, of pageSize contacts
	// each: no more contacts than these are in memory, however many there are.
	// They mostly wait for other services.
	workers  = 16
	pageSize = 250
	// maxDone is how many parts of an unfinished tick are remembered, so that
	// they fit in the item, which is far smaller than DynamoDB's 400 kB then.
	maxDone = 5000
)

// turn is a turn that a tick plans.
type turn struct {
	asking.Turn
	occasion survey.Occasion
	// swept is whether an earlier tick has been over the moment already, and
	// days have changed since.
	swept bool
	// at is when the asks are to be sent; zero for now.
	at time.Time
}

// part is the contacts of a cohort in a zone, and the turns that some of them
// may have.
type part struct {
	cohort int
	name   string // of the zone
	zone   *time.Location
	turns  []*turn
	key    string // tells it from all others, also of other ticks

	read bool         // all pages have been handed out
	left atomic.Int64 // pages that are not planned yet
}

// run is one tick.
type run struct {
	*Handler
	book  *asking.Rulebook
	all   []*survey.Touchpoint
	now   time.Time
	until time.Time
	// texts are what Days of the rulebook says: it goes through a whole period,
	// and is asked for every part.
	texts map[string]string

	queued, scheduled, refused atomic.Int64 // for the log
}

// tick plans the turns that have come since the last tick, until the moment at,
// which is not later than now. What has been planned is left out, so ticks may
// be skipped and repeated. A new cadence, and one that got another period, has
// turns from the hour before the first tick that knows it: a cadence that starts
// in mid-period does not ask half the customers at once, and they have their
// turn in the next one. Where the days of a period change, its past turns are
// gone through again: who was neither asked nor refused yet, and has a past day
// now, is asked now.
//
// A contact added after the moment of its turn waits for the next period. One
// that moves to another time zone between the moments of both on the very day of
// its turn does so too, or is asked once.
func (h *Handler) tick(ctx context.Context, at time.Time) error {
	r := &run{Handler: h, now: h.Now(), until: at, texts: map[string]string{}}
	if at.After(r.now.Add(skew)) {
		r.until = r.now
	}
	was, err := h.Store.Planned(ctx)
	if err != nil {
		return err
	}
	if !r.until.After(was.Through) {
		return nil // planned, by this tick or a later one
	}
	if r.book, err = h.Catalog.Rulebook(ctx); err != nil {
		return err
	}
	if r.all, err = h.Catalog.All(ctx); err != nil {
		return err
	}
	zones, err := h.Store.Zones(ctx)
	if err != nil {
		return err
	}
	was, err = r.meet(ctx, was)
	if err != nil {
		return err
	}
	parts := r.parts(ctx, was, zones)
	done, err := r.plan(ctx, parts)
	if err != nil {
		return errors.Join(err, h.remember(ctx, was, done))
	}
	next := store.Planned{Through: r.until, Days: map[string]string{}, Since: map[string]time.Time{}}
	for _, t := range r.cadences() {
		next.Days[t.ID], next.Since[t.ID] = r.days(t), was.Since[t.ID]
	}
	if err := h.Store.PutPlanned(ctx, was, next); err != nil && survey.CodeOf(err) != survey.Conflict {
		return err // a Conflict is another tick, which goes over the same turns
	}
	slog.InfoContext(ctx, "planned", "tick", r.until, "parts", len(parts),
		"queued", r.queued.Load(), "scheduled", r.scheduled.Load(), "refused", r.refused.Load())
	return nil
}

// cadences returns the touchpoints that ask in a cadence.
func (r *run) cadences() []*survey.Touchpoint {
	return slices.DeleteFunc(slices.Clone(r.all), func(t *survey.Touchpoint) bool { return t.Trigger == nil || t.Trigger.Every == "" })
}

// periods returns the periods of a touchpoint in which it is now somewhere on
// earth: one, or two for some hours.
func (r *run) periods(t *survey.Touchpoint) []asking.Period {
	const west, east = -12 * time.Hour, 14 * time.Hour // of all zones, from UTC
	first := asking.PeriodOf(t.Trigger.Every, r.until.UTC().Add(west))
	last := asking.PeriodOf(t.Trigger.Every, r.until.UTC().Add(east))
	if first == last {
		return []asking.Period{first}
	}
	return []asking.Period{first, last}
}

// daysOf says on which days the turns of a period fall.
func (r *run) daysOf(t *survey.Touchpoint, p asking.Period) string {
	key := t.ID + " " + string(p.Occasion())
	if _, ok := r.texts[key]; !ok {
		r.texts[key] = r.book.Days(t, p)
	}
	return r.texts[key]
}

// days says on which days the turns of the present periods fall.
func (r *run) days(t *survey.Touchpoint) string {
	var out []string
	for _, p := range r.periods(t) {
		out = append(out, r.daysOf(t, p))
	}
	return strings.Join(out, daysSeparator)
}

const daysSeparator = ", "

// changedSince returns the moment from which on turns may fall on other days
// than they did, was, when the last tick planned them; zero where they do not.
func (r *run) changedSince(t *survey.Touchpoint, was string) time.Time {
	for _, p := range r.periods(t) {
		is := r.daysOf(t, p)
		period := is[:strings.LastIndex(is, " ")+1]
		for _, w := range strings.Split(was, daysSeparator) {
			if strings.HasPrefix(w, period) && w != is {
				return p.From.AddDate(0, 0, -1) // the period has begun in no zone
			}
		}
	}
	return time.Time{}
}

// meet writes down the cadences that are new before anything is planned, so
// that their first turns are counted from now whatever becomes of this tick. It
// returns what is written down.
func (r *run) meet(ctx context.Context, was store.Planned) (store.Planned, error) {
	next := was
	next.Days, next.Since = maps.Clone(was.Days), maps.Clone(was.Since)
	if next.Days == nil {
		next.Days, next.Since = map[string]string{}, map[string]time.Time{}
	}
	known := true
	for _, t := range r.cadences() {
		if was.Since[t.ID].IsZero() || !strings.HasPrefix(was.Days[t.ID], string(t.Trigger.Every)+" ") {
			next.Since[t.ID], next.Days[t.ID] = r.until.Add(-tickEvery), r.days(t)
			known = false
		}
	}
	if known {
		return was, nil
	}
	if err := r.Store.PutPlanned(ctx, was, next); err != nil {
		return store.Planned{}, err
	}
	next.Version++
	return next, nil
}

// parts returns what is to be planned and is not done yet.
func (r *run) parts(ctx context.Context, was store.Planned, zones []string) []*part {
	through := was.Through
	if oldest := r.until.Add(-furthest); !through.IsZero() && through.Before(oldest) {
		slog.ErrorContext(ctx, "turns are too long ago and left out", "from", through, "to", oldest)
		through = oldest
	}
	done := map[string]bool{}
	for _, key := range was.Done {
		done[key] = true
	}
	var out []*part
	for _, name := range zones {
		zone, err := time.LoadLocation(name)
		if err != nil { // contacts of a zone that this build does not know must not hold up the others
			slog.ErrorContext(ctx, "time zone is unknown and left out", "zone", name, "error", err.Error())
			continue
		}
		byCohort := map[int]*part{}
		for _, t := range r.cadences() {
			for _, turn := range r.turns(t, zone, was, through) {
				for _, c := range turn.Cohorts() {
					if byCohort[c] == nil {
						byCohort[c] = &part{cohort: c, name: name, zone: zone}
					}
					byCohort[c].turns = append(byCohort[c].turns, turn)
				}
			}
		}
		for _, c := range slices.Sorted(maps.Keys(byCohort)) {
			p := byCohort[c]
			if p.key = r.key(p); !done[p.key] {
				out = append(out, p)
			}
		}
	}
	return out
}

// turns returns the turns of a touchpoint that are to be planned.
func (r *run) turns(t *survey.Touchpoint, zone *time.Location, was store.Planned, through time.Time) []*turn {
	since := was.Since[t.ID]
	from := later(through, since)
	first := from
	if changed := r.changedSince(t, was.Days[t.ID]); !changed.IsZero() && changed.Before(from) {
		first = later(changed, since)
	}
	var out []*turn
	for _, is := range r.book.Turns(t, zone, first, r.until) {
		is.Due = is.Due.UTC() // as it is kept
		next := &turn{Turn: is, occasion: is.Period.Occasion(), swept: !is.Due.After(from)}
		if r.now.Sub(is.Due) > onTime && !r.book.Sendable(t.Trigger, zone, r.now) {
			// Where no day of the next year is open, send refuses it.
			next.at, _ = r.book.Next(t.Trigger, zone, r.now)
		}
		out = append(out, next)
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// key names a part by all that decides whom it holds.
func (r *run) key(p *part) string {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %d", p.name, p.cohort) // a hash never fails
	for _, t := range p.turns {
		_, _ = fmt.Fprintf(h, " %s %d %s", t.Touchpoint.ID, t.Due.Unix(), r.daysOf(t.Touchpoint, t.Period))
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// remember writes down which parts of an unfinished tick are done, so that the
// next one goes on after them: what does not fit in one invocation is done in
// several. Nothing is lost where that fails.
func (h *Handler) remember(ctx context.Context, was store.Planned, done []string) error {
	if len(done) == 0 {
		return nil
	}
	next := was
	next.Done = slices.Concat(was.Done, done)
	next.Done = next.Done[max(0, len(next.Done)-maxDone):]
	if err := h.Store.PutPlanned(ctx, was, next); err != nil && survey.CodeOf(err) != survey.Conflict {
		return err
	}
	return nil
}

// plan plans the parts, many pages at a time, and returns the keys of those that
// are done. It stops at the first error, or when the time is nearly up.
func (r *run) plan(ctx context.Context, parts []*part) (done []string, err error) {
	if deadline, ok := ctx.Deadline(); ok {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, deadline.Add(-stopTime), errUnfinished)
		defer stop()
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	type page struct {
		*part
		ids []string
	}
	pages := make(chan page)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for p := range pages {
				if err := r.page(ctx, p.part, p.ids); err != nil {
					fail(err)
					continue // until there are no more
				}
				p.left.Add(-1)
			}
		})
	}
	for _, p := range parts {
		if ctx.Err() != nil {
			break
		}
		err := r.Store.EachOfCohort(ctx, p.cohort, p.name, func(ids []string) error {
			for some := range slices.Chunk(ids, pageSize) {
				p.left.Add(1)
				select {
				case pages <- page{p, some}:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			return nil
		})
		if err != nil {
			fail(err)
			break
		}
		p.read = true
	}
	close(pages)
	wg.Wait()
	for _, p := range parts {
		if p.read && p.left.Load() == 0 {
			done = append(done, p.key)
		}
	}
	if len(done) < len(parts) {
		return done, context.Cause(ctx)
	}
	return done, nil
}

// page plans some contacts of a part.
func (r *run) page(ctx context.Context, p *part, ids []string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	contacts, err := r.Store.ContactsByID(ctx, ids)
	if err != nil {
		return err
	}
	var asks []queue.Ask
	var refusals []survey.Decision
	for _, id := range ids {
		c := contacts[id]
		if c == nil {
			continue // deleted
		}
		for _, t := range p.turns {
			if !t.Has(c.Number) || c.CreatedAt.After(t.Due) {
				continue
			}
			if over, err := r.over(ctx, c, t); err != nil {
				return err
			} else if over {
				continue
			}
			d := r.decide(c, p.zone, t)
			a := queue.Ask{Touchpoint: t.Touchpoint.ID, Contact: c.ID, Occasion: t.occasion, Due: t.Due}
			switch {
			case d.Verdict == survey.Refused:
				refusals = append(refusals, d)
			case t.at.IsZero():
				asks = append(asks, a)
			default:
				if err := r.Schedules.At(ctx, t.at, scheduleName(a), a); err != nil {
					return err
				}
				r.scheduled.Add(1)
			}
		}
	}
	if len(asks) > 0 {
		if err := r.Queue.SendAsks(ctx, asks); err != nil {
			return err
		}
	}
	if len(refusals) > 0 {
		if err := r.Store.PutDecisions(ctx, refusals); err != nil {
			return err
		}
	}
	r.queued.Add(int64(len(asks)))
	r.refused.Add(int64(len(refusals)))
	return nil
}

// over reports whether a contact's turn is over: the ask of an earlier try has
// been sent, or, of a turn that is gone through again, the contact was asked or
// refused on its day as it was before.
func (r *run) over(ctx context.Context, c *survey.Contact, t *turn) (bool, error) {
	if asked, ok := c.Asked[t.Touchpoint.ID]; ok && !asked.At.Before(t.Due) {
		return true, nil
	}
	if !t.swept {
		return false, nil
	}
	d, err := r.Store.Decision(ctx, c.ID, t.Touchpoint.ID, t.occasion)
	decided, err := found(err)
	return decided && d.Verdict != survey.Planned, err
}

// decide decides a turn as of the moment at which the ask is to be sent.
func (r *run) decide(c *survey.Contact, zone *time.Location, t *turn) survey.Decision {
	d := r.book.Decide(asking.Question{
		Contact: c, Touchpoint: t.Touchpoint, Cadences: r.all,
		Occasion: t.occasion, Due: t.Due, Now: later(r.now, t.at), Zone: zone,
	})
	d.At = r.now
	return d
}
