package asking

import (
	"fmt"
	"hash/fnv"
	"math/bits"
	"strconv"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Cohorts is the number of cohorts: evenly filled groups of contacts, of which
// a spread cadence asks one after the other.
const Cohorts = 90

// golden is 2^64 divided by the golden ratio. Its multiples, read as fractions
// of 2^64, fill the interval from 0 to 1 more evenly than chance, however many
// there are (Knuth, The Art of Computer Programming, volume 3, section 6.4:
// the three-distance theorem).
const golden = 0x9E3779B97F4A7C15

// turn is where the contact with a number stands in every cadence, as a
// fraction of 2^64.
func turn(number int64) uint64 { return uint64(number) * golden }

// cohortOf returns the cohort in which a turn lies.
func cohortOf(turn uint64) int {
	c, _ := bits.Mul64(turn, Cohorts)
	return int(c)
}

// Cohort returns the cohort, 0 to [Cohorts]-1, of the contact with a number.
func Cohort(number int64) int { return cohortOf(turn(number)) }

// offset moves the turns of a touchpoint against those of the others, so that
// two cadences do not always meet at the same contacts on the same day.
func offset(touchpoint string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(touchpoint)) // never fails
	return h.Sum64() * golden
}

// Turn is a day on which asks of a cadence are due, to the contacts for whom
// [Turn.Has] holds.
type Turn struct {
	Touchpoint *survey.Touchpoint
	Period     Period
	Day        time.Time
	Due        time.Time // the moment, in the zone that was asked for
	index      int       // of the day among the open ones; -1 for everyone's day
	days       int       // how many are open
}

// Has reports whether the turn is that of the contact with a number: the
// period's open days are dealt out evenly over all turns.
func (t Turn) Has(number int64) bool {
	if t.index < 0 {
		return true
	}
	i, _ := bits.Mul64(turn(number)+offset(t.Touchpoint.ID), uint64(t.days))
	return int(i) == t.index
}

// Cohorts returns the cohorts in which there may be contacts whose turn it is.
func (t Turn) Cohorts() []int {
	var out []int
	if t.index < 0 || t.days == 1 {
		for c := range Cohorts {
			out = append(out, c)
		}
		return out
	}
	first := t.edge(t.index) - offset(t.Touchpoint.ID)
	last := t.edge(t.index+1) - 1 - offset(t.Touchpoint.ID)
	for c := cohortOf(first); ; c = (c + 1) % Cohorts {
		out = append(out, c)
		if c == cohortOf(last) {
			return out
		}
	}
}

// edge returns the lowest fraction of day i: i / days, rounded up.
func (t Turn) edge(i int) uint64 {
	if i == t.days {
		return 0 // 1 is 2^64, which wraps
	}
	q, rem := bits.Div64(uint64(i), 0, uint64(t.days))
	if rem > 0 {
		q++
	}
	return q
}

// Turns returns the turns of a touchpoint that are due after a moment and
// until another, included, to contacts in zone, in order. There are none where
// the touchpoint is in no cadence.
func (b *Rulebook) Turns(t *survey.Touchpoint, zone *time.Location, after, until time.Time) []Turn {
	if t.Trigger == nil || t.Trigger.Every == "" {
		return nil
	}
	hour, _ := b.sendHour(t.Trigger)
	var out []Turn
	first := dayOf(after.In(zone)) // no moment of an earlier day is to come
	// But one of the next may have been: clocks go back over midnight, too.
	last := dayOf(until.In(zone)).AddDate(0, 0, 1)
	for p := PeriodOf(t.Trigger.Every, first); !p.From.After(last); p = p.Next() {
		for _, turn := range b.turnsOf(t, p) {
			if turn.Day.Before(first) || turn.Day.After(last) {
				continue
			}
			turn.Due = moment(turn.Day, hour, zone)
			if turn.Due.After(after) && !turn.Due.After(until) {
				out = append(out, turn)
			}
		}
	}
	return out
}

// turnsOf returns the turns of one period, without the moment.
func (b *Rulebook) turnsOf(t *survey.Touchpoint, p Period) []Turn {
	open := b.openDays(t.Trigger, p)
	if len(open) == 0 {
		return nil
	}
	if t.Trigger.Spreads() {
		out := make([]Turn, len(open))
		for i, d := range open {
			out[i] = Turn{Touchpoint: t, Period: p, Day: d, index: i, days: len(open)}
		}
		return out
	}
	month, dayOfMonth, ok := t.Trigger.Day()
	if !ok {
		return nil
	}
	first := p.From.AddDate(0, month-1, 0)
	day := first.AddDate(0, 0, min(dayOfMonth, first.AddDate(0, 1, -1).Day())-1)
	for _, d := range open {
		if !d.Before(day) {
			return []Turn{{Touchpoint: t, Period: p, Day: d, index: -1}}
		}
	}
	return []Turn{{Touchpoint: t, Period: p, Day: open[len(open)-1], index: -1}} // the last that there is
}

// Days says at which days and hour the turns of a cadence fall in a period, so
// that a change of it can be told: two definitions of a touchpoint, under any
// rules, with the same text give each contact the same turn.
func (b *Rulebook) Days(t *survey.Touchpoint, p Period) string {
	if t.Trigger == nil || t.Trigger.Every == "" {
		return ""
	}
	h := fnv.New64a()
	hour, _ := b.sendHour(t.Trigger)
	_, _ = fmt.Fprintf(h, "%d", hour) // a hash never fails
	for _, turn := range b.turnsOf(t, p) {
		_, _ = fmt.Fprintf(h, " %s/%d", turn.Day.Format(time.DateOnly), turn.index)
	}
	return string(t.Trigger.Every) + " " + string(p.Occasion()) + " " + strconv.FormatUint(h.Sum64(), 36)
}
