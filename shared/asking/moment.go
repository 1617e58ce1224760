package asking

import (
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// moment returns the first moment of an hour of a day in a zone. Where the
// clocks skip the hour it is the moment they do, and where they strike it
// twice the first: so every hour of every day has exactly one moment.
func moment(day time.Time, hour int, zone *time.Location) time.Time {
	y, m, d := day.Date()
	t := time.Date(y, m, d, hour, 0, 0, 0, zone)
	start, end := t.ZoneBounds()
	wall := func(t time.Time) time.Time { // the clock's face, as if in UTC
		y, m, d := t.Date()
		return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	}
	want := time.Date(y, m, d, hour, 0, 0, 0, time.UTC)
	switch face := wall(t); {
	case face.Before(want):
		return end
	case face.After(want):
		return start
	}
	if !start.IsZero() {
		_, now := t.Zone()
		_, before := start.Add(-time.Nanosecond).Zone()
		if earlier := t.Add(time.Duration(now-before) * time.Second); earlier.Before(start) && wall(earlier).Equal(want) {
			return earlier
		}
	}
	return t
}

// sendHour is [survey.Trigger.SendHour], moved out of the quiet hours.
func (b *Rulebook) sendHour(g *survey.Trigger) (int, bool) {
	h, ok := g.SendHour()
	if ok && b.rules.Quiet.Covers(h) {
		h = b.rules.Quiet.To
	}
	return h, ok
}

// Sendable reports whether an ask of a trigger may be sent now to somebody in
// zone: on an open day, not before the sending hour, and not in quiet hours.
func (b *Rulebook) Sendable(g *survey.Trigger, zone *time.Location, now time.Time) bool {
	local := now.In(zone)
	if !b.Open(g, dayOf(local)) || b.rules.Quiet.Covers(local.Hour()) {
		return false
	}
	h, ok := b.sendHour(g)
	return !ok || !now.Before(moment(dayOf(local), h, zone))
}

// lookahead is how many days are looked through for an open one: a year has
// an open weekday, whatever the holidays.
const lookahead = 400

// Next returns the first moment, not before t, at which an ask of a trigger
// that is due at t is to be sent to somebody in zone: at the sending hour of an
// open day, or, where there is none, t itself or the first moment after it that
// is on an open day and not quiet. It returns false where no day within a year
// is open.
func (b *Rulebook) Next(g *survey.Trigger, zone *time.Location, t time.Time) (time.Time, bool) {
	hour, fixed := b.sendHour(g)
	first := dayOf(t.In(zone))
	for i := range lookahead {
		day := first.AddDate(0, 0, i)
		if !b.Open(g, day) {
			continue
		}
		if fixed {
			if at := moment(day, hour, zone); !at.Before(t) {
				return at, true
			}
			continue
		}
		if i == 0 && !b.rules.Quiet.Covers(t.In(zone).Hour()) {
			return t, true
		}
		for h := range 24 {
			if at := moment(day, h, zone); !b.rules.Quiet.Covers(h) && !at.Before(t) {
				return at, true
			}
		}
	}
	return time.Time{}, false
}
