// Package score counts answers and judges the numbers: tallies, scores,
// margins of error, differences. It is pure: standard library and package
// survey only. Everything is computed from integer counts and rounded once,
// for display.
package score

import (
	"fmt"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Tally is a count of answers, or a change of one: every field may be
// negative then. The zero Tally counts nothing. Adding is associative and
// commutative, and [Tally.Sub] inverts it exactly.
type Tally struct {
	Scores  [survey.MaxScore + 1]int64 // counted answers by score
	Suspect int64                      // answers that look like a mail scanner's, on the day of the answer

	// By the day the ask was sent, so that a rate never exceeds 100 %.
	Sent      int64
	Delivered int64 // by notice, or proved by an answer
	Bounced   int64 // and never answered
	Answered  int64 // counted answers
	Confirmed int64 // of those, by a human
}

// Add returns t + u.
func (t Tally) Add(u Tally) Tally { return t.plus(u, 1) }

// Sub returns t - u.
func (t Tally) Sub(u Tally) Tally { return t.plus(u, -1) }

func (t Tally) plus(u Tally, sign int64) Tally {
	mine := t.counters()
	for i, c := range u.counters() {
		*mine[i].Value += sign * *c.Value
	}
	return t
}

// N is the number of counted answers.
func (t Tally) N() int64 {
	var n int64
	for _, c := range t.Scores {
		n += c
	}
	return n
}

// Counter is one number of a tally under the name it is stored by.
type Counter struct {
	Name  string
	Value *int64
}

// Counters lists the numbers of t, to read or to set, in a fixed order: the
// scores "0" to "10", then suspect, sent, delivered, bounced, answered,
// confirmed. The names are part of the stored format.
func (t *Tally) Counters() []Counter { c := t.counters(); return c[:] }

var scoreNames = [...]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}

func (t *Tally) counters() [survey.MaxScore + 7]Counter {
	var out [survey.MaxScore + 7]Counter
	for i := range t.Scores {
		out[i] = Counter{scoreNames[i], &t.Scores[i]}
	}
	copy(out[survey.MaxScore+1:], []Counter{
		{"suspect", &t.Suspect},
		{"sent", &t.Sent},
		{"delivered", &t.Delivered},
		{"bounced", &t.Bounced},
		{"answered", &t.Answered},
		{"confirmed", &t.Confirmed},
	})
	return out
}

// Group is a part of the answers of a sheet: "" for all of them,
// "channel:email" for those by one channel, "segment:gold" for those of one
// segment.
type Group string

// All is the group of all answers.
const All Group = ""

// ByChannel returns the group of the answers by c.
func ByChannel(c survey.Channel) Group { return Group("channel:" + string(c)) }

// BySegment returns the group of the answers in segment s.
func BySegment(s string) Group { return Group("segment:" + s) }

// Channel returns the channel of the group, or "" and false for another group.
func (g Group) Channel() (survey.Channel, bool) {
	c, ok := g.of("channel:")
	return survey.Channel(c), ok
}

// Segment returns the segment of the group, or "" and false for another group.
func (g Group) Segment() (string, bool) { return g.of("segment:") }

func (g Group) of(kind string) (string, bool) {
	if name, ok := strings.CutPrefix(string(g), kind); ok {
		return name, true
	}
	return "", false
}

// Sheet is the tally of one touchpoint series in one period, by group.
type Sheet map[Group]Tally

// Add adds u to s, dropping groups that come to nothing.
func (s Sheet) Add(u Sheet) { s.plus(u, 1) }

// Sub subtracts u from s, dropping groups that come to nothing.
func (s Sheet) Sub(u Sheet) { s.plus(u, -1) }

func (s Sheet) plus(u Sheet, sign int64) {
	for g, t := range u {
		s.bump(g, t, sign)
	}
}

func (s Sheet) bump(g Group, t Tally, sign int64) {
	if sum := s[g].plus(t, sign); sum != (Tally{}) {
		s[g] = sum
	} else {
		delete(s, g)
	}
}

// Period is the time that a sheet covers: a day ("day#2026-11-21") or a
// calendar month ("month#2026-11"). Periods of one kind sort by time.
type Period string

// Day returns the period of the calendar day of t in t's own location.
func Day(t time.Time) Period { return Period("day#" + t.Format("2006-01-02")) }

// Month returns the period of the calendar month of t in t's own location.
func Month(t time.Time) Period { return Period("month#" + t.Format("2006-01")) }

// Start returns the first day of the period as a UTC midnight, whatever zone
// it was counted in: a date without a time.
func (p Period) Start() (time.Time, error) {
	kind, date, _ := strings.Cut(string(p), "#")
	var t time.Time
	var err error
	switch kind {
	case "day":
		t, err = time.Parse("2006-01-02", date)
	case "month":
		t, err = time.Parse("2006-01", date)
	default:
		err = fmt.Errorf("unknown kind")
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("period %q: %w", string(p), err)
	}
	return t, nil
}

// Key names one sheet.
type Key struct {
	Touchpoint string
	Series     int
	Period     Period
}

// Changes are changes to sheets, folded in any order. A key whose sheet is
// empty was touched by changes that cancel out: whoever writes down how far a
// sheet has been counted must still do so.
type Changes map[Key]Sheet

// Replace folds in that an ask became what it is in after, having been what
// it is in before; nil for not there. What a stream of images is made of: the
// new image's contribution minus the old one's, so that a run of them, in any
// order, comes to the last minus the first. A change that counts for nothing
// touches no key.
func (c Changes) Replace(before, after *survey.Ask, zone *time.Location) {
	one := Changes{}
	one.contribute(before, zone, -1)
	one.contribute(after, zone, 1)
	for k, s := range one {
		if len(s) == 0 {
			continue
		}
		if c[k] == nil {
			c[k] = Sheet{}
		}
		c[k].Add(s)
	}
}

// contribute folds in what one image of an ask counts for, sign times. It is
// a pure function of the image and the reporting zone:
//
//   - nothing that nobody sent or answered, and nothing of a test;
//   - a counted answer once under its score, a suspect one once under
//     suspect, on the day of the first answer;
//   - a sent ask once under sent, and under delivered, bounced, answered and
//     confirmed as the case may be, on the day it was sent. An answer proves
//     delivery, so answered is never above delivered, nor delivered above sent.
//
// Each on the day's sheet and the month's, for all, for the channel and for
// every segment.
func (c Changes) contribute(a *survey.Ask, zone *time.Location, sign int64) {
	if a == nil || a.Test {
		return
	}
	if a.Answered() {
		var t Tally
		if a.Counted() {
			t.Scores[a.Score] = 1
		} else {
			t.Suspect = 1
		}
		c.add(a, a.AnsweredAt.In(zone), t, sign)
	}
	if !a.SentAt.IsZero() {
		t := Tally{Sent: 1}
		switch {
		case a.Counted():
			t.Delivered, t.Answered = 1, 1
			if a.Trust == survey.Human {
				t.Confirmed = 1
			}
		case !a.BouncedAt.IsZero():
			t.Bounced = 1
		case !a.DeliveredAt.IsZero():
			t.Delivered = 1
		}
		c.add(a, a.SentAt.In(zone), t, sign)
	}
}

func (c Changes) add(a *survey.Ask, at time.Time, t Tally, sign int64) {
	for _, p := range [...]Period{Day(at), Month(at)} {
		k := Key{a.Touchpoint, a.Series, p}
		s := c[k]
		if s == nil {
			s = Sheet{}
			c[k] = s
		}
		s.bump(All, t, sign)
		if a.Channel != "" {
			s.bump(ByChannel(a.Channel), t, sign)
		}
		for _, seg := range a.Segments {
			s.bump(BySegment(seg), t, sign)
		}
	}
}
