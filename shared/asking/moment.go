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

// Next returns the first moment, not before t, for an ask of a trigger that is
// due at t, to somebody in zone. Where the trigger has a sending hour, it is
// that hour of an open day: what is due at ten waits for the next nine. Where it
// has none, it is t itself, or the first moment after it that is on an open day
// and not quiet. An ask may be sent at it, see [Rulebook.Sendable]. It returns
// false where no day within a year is open.
func (b *Rulebook) Next(g *survey.Trigger, zone *time.Location, t time.Time) (time.Time, bool) {
	hour, fixed := b.sendHour(g)
	first := dayOf(t.In(zone))
	for i := range lookahead {
		day := first.AddDate(0, 0, i)
		if fixed {
			if !b.Open(g, day) {
				continue
			}
			if at := moment(day, hour, zone); !at.Before(t) && b.Sendable(g, zone, at) {
				return at, true
			}
			continue
		}
		at, end := moment(day, 0, zone), moment(day.AddDate(0, 0, 1), 0, zone)
		if at.Before(t) {
			at = t
		}
		for ; at.Before(end); at = nextHour(at, zone) {
			if b.Sendable(g, zone, at) {
				return at, true
			}
		}
	}
	return time.Time{}, false
}

// nextHour returns when, after t, the hour of the clocks in zone changes: they
// reach the next one, or are moved.
func nextHour(t time.Time, zone *time.Location) time.Time {
	local := t.In(zone)
	past := time.Duration(local.Minute())*time.Minute + time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
	next := t.Add(time.Hour - past)
	if _, moved := local.ZoneBounds(); !moved.IsZero() && moved.Before(next) {
		return moved
	}
	return next
}
