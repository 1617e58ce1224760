package asking

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// MaxLate is how long after it was due an ask about a business event is still
// sent. One in a cadence is sent until its period is over.
const MaxLate = 14 * 24 * time.Hour

// Question is one occasion to ask one contact.
type Question struct {
	Contact    *survey.Contact    // nil where there is none any more
	Touchpoint *survey.Touchpoint // the definition in force; nil where there is none
	// Cadences are the touchpoints that may have a turn coming; those without
	// a cadence are passed over.
	Cadences []*survey.Touchpoint
	Occasion survey.Occasion
	Due      time.Time
	Now      time.Time
	// Ask is the id of the ask where it may have taken the contact's turn
	// already: an ask does not stand in its own way.
	Ask string
	// Zone is the contact's.
	Zone *time.Location
}

// Decide returns what becomes of an occasion: [survey.Planned] with the channel,
// or [survey.Refused] with the first reason that holds, in the order of the
// reasons. It does not look at the hour, see [Rulebook.Sendable]. Contact and
// Touchpoint of the decision are empty where they are nil.
func (b *Rulebook) Decide(q Question) survey.Decision {
	d := survey.Decision{Occasion: q.Occasion, Verdict: survey.Refused, At: q.Now, Due: q.Due}
	if q.Contact != nil {
		d.Contact = q.Contact.ID
	}
	t := q.Touchpoint
	if t == nil || !b.about(t, q) {
		d.Reason = survey.NoTouchpoint
		if t != nil {
			d.Touchpoint = t.ID
		}
		return d
	}
	d.Touchpoint = t.ID
	switch {
	case t.Stopped:
		d.Reason = survey.Stopped
		return d
	case q.Contact == nil:
		d.Reason = survey.NoContact
		return d
	case !inSegments(t.Trigger, q.Contact):
		d.Reason = survey.OutOfSegment
		return d
	case !inSample(t, q.Contact.ID):
		d.Reason = survey.OutOfSample
		return d
	}
	channel, since, reason := reach(t, q.Contact)
	if reason != "" {
		d.Reason, d.Until = reason, since
		return d
	}
	if b.late(t, q) {
		d.Reason = survey.TooLate
		return d
	}
	if reason, other, until := b.tired(t, q); reason != "" {
		d.Reason, d.Other, d.Until = reason, other, until
		return d
	}
	d.Verdict, d.Channel = survey.Planned, channel
	return d
}

// OccasionOf names a business event as an occasion.
func OccasionOf(eventType, eventID string) survey.Occasion {
	return survey.Occasion(eventType + "/" + eventID)
}

// about reports whether the occasion is one of the touchpoint's trigger.
func (b *Rulebook) about(t *survey.Touchpoint, q Question) bool {
	switch g := t.Trigger; {
	case g == nil:
		return false
	case g.Every != "":
		return PeriodOf(g.Every, dayOf(q.Due.In(q.Zone))).Occasion() == q.Occasion
	default:
		return strings.HasPrefix(string(q.Occasion), g.Event+"/")
	}
}

func (b *Rulebook) late(t *survey.Touchpoint, q Question) bool {
	if t.Trigger.Every != "" {
		return !dayOf(q.Now.In(q.Zone)).Before(PeriodOf(t.Trigger.Every, dayOf(q.Due.In(q.Zone))).To)
	}
	return q.Now.Sub(q.Due) > MaxLate
}

// tired returns why the contact has been asked enough for now.
func (b *Rulebook) tired(t *survey.Touchpoint, q Question) (reason survey.Reason, other string, until time.Time) {
	c := q.Contact
	same := c.Asked[t.ID]
	if q.Ask != "" && same.Ask == q.Ask {
		return "", "", time.Time{}
	}
	if !same.At.IsZero() {
		if until := same.At.Add(t.RecontactAfter(b.rules)); until.After(q.Now) {
			return survey.SameAsked, t.ID, until
		}
	}
	if !c.LastAskedAt.IsZero() {
		if until := c.LastAskedAt.Add(t.RestAfter(b.rules)); until.After(q.Now) {
			return survey.OtherAsked, lastTouchpoint(c), until
		}
	}
	if t.Trigger.Every != "" {
		return "", "", time.Time{}
	}
	for _, o := range q.Cadences {
		if o.ID == t.ID || t.RestAfter(b.rules) == 0 {
			continue
		}
		if due, ok := b.comes(o, q); ok {
			return survey.TurnComes, o.ID, due
		}
	}
	return "", "", time.Time{}
}

// turnUnderWay is how long after its moment a turn is still looked for: the
// tick that asks it may be on its way.
const turnUnderWay = time.Hour

// comes returns when the contact's turn at a cadence comes, where that is so
// soon that an ask now would take it away: the relationship survey keeps its
// turn.
func (b *Rulebook) comes(o *survey.Touchpoint, q Question) (due time.Time, ok bool) {
	if o.Trigger == nil || o.Trigger.Every == "" || o.Stopped || !inSegments(o.Trigger, q.Contact) || !inSample(o, q.Contact.ID) {
		return time.Time{}, false
	}
	if _, _, reason := reach(o, q.Contact); reason != "" {
		return time.Time{}, false
	}
	for _, turn := range b.Turns(o, q.Zone, q.Now.Add(-turnUnderWay), q.Now.Add(o.RestAfter(b.rules))) {
		last := q.Contact.Asked[o.ID].At
		if turn.Has(q.Contact.Number) && !last.Add(o.RecontactAfter(b.rules)).After(turn.Due) {
			return turn.Due, true
		}
	}
	return time.Time{}, false
}

func lastTouchpoint(c *survey.Contact) string {
	for id, a := range c.Asked {
		if a.Ask == c.LastAsk {
			return id
		}
	}
	return ""
}

func inSegments(g *survey.Trigger, c *survey.Contact) bool {
	return len(g.Segments) == 0 || slices.ContainsFunc(g.Segments, func(s string) bool { return slices.Contains(c.Segments, s) })
}

// inSample reports whether a contact is in the sample of a touchpoint: always
// the same answer, and another one for each touchpoint. A larger sample holds
// every smaller one.
func inSample(t *survey.Touchpoint, contact string) bool {
	if t.Trigger.Sample == nil {
		return true
	}
	sum := sha256.Sum256([]byte(t.ID + "\x00" + contact))
	return binary.BigEndian.Uint64(sum[:])%100 < uint64(max(0, *t.Trigger.Sample))
}

// reach returns the first of the touchpoint's channels by which the contact can
// and may be asked, or why there is none. since is when the last opt-out was.
func reach(t *survey.Touchpoint, c *survey.Contact) (ch survey.Channel, since time.Time, reason survey.Reason) {
	reason = survey.NoAddress
	for _, ch := range t.Channels {
		if c.Address(ch) == "" {
			continue
		}
		at, out := c.OptOuts[ch]
		if !out {
			return ch, time.Time{}, ""
		}
		reason = survey.OptedOut
		if at.After(since) {
			since = at
		}
	}
	return "", since, reason
}

// Matches reports whether a business event's data meet all conditions. A field
// is a path of names with dots between; one that is not there meets none.
// Texts, whole numbers and yes-or-no values are compared as text by In; Min and
// Max want numbers.
func Matches(when []survey.Condition, data map[string]any) bool {
	for _, c := range when {
		v, ok := field(data, c.Field)
		if !ok || len(c.In) > 0 && !slices.Contains(c.In, text(v)) {
			return false
		}
		if c.Min == nil && c.Max == nil {
			continue
		}
		n, ok := v.(float64)
		if !ok || c.Min != nil && n < *c.Min || c.Max != nil && n > *c.Max {
			return false
		}
	}
	return true
}

func field(data map[string]any, path string) (any, bool) {
	name, rest, deeper := strings.Cut(path, ".")
	v, ok := data[name]
	if !ok || !deeper {
		return v, ok
	}
	in, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	return field(in, rest)
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

func formatHash(h uint64) string { return strconv.FormatUint(h, 36) }
