package asking

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// MaxLate is how long after it was due an ask about a business event, or a
// reminder, is still sent. An ask in a cadence is sent until its period is over.
const MaxLate = 14 * 24 * time.Hour

// Question is one occasion to ask one contact.
type Question struct {
	Contact    *survey.Contact    // nil where there is none any more
	Touchpoint *survey.Touchpoint // the definition in force; nil where there is none
	// Cadences are the touchpoints that may have a turn coming; those without
	// a cadence are passed over.
	Cadences []*survey.Touchpoint
	// Occasion is what the ask is about, or [survey.Occasion.ReminderOf] that.
	Occasion survey.Occasion
	Due      time.Time
	Now      time.Time
	// Ask is the id of the ask where it may have taken the contact's turn
	// already: an ask does not stand in its own way.
	Ask string
	// Zone is the contact's; not looked at where there is none.
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
	if t == nil || !about(t.Trigger, q.Occasion) {
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
	if late(t.Trigger, q) {
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

// about reports whether an occasion is one of a trigger: a period of its
// cadence, or a business event of its type.
func about(g *survey.Trigger, o survey.Occasion) bool {
	asked, _ := o.Reminds()
	switch {
	case g == nil:
		return false
	case g.Every != "":
		_, ok := periodNamed(g.Every, asked)
		return ok
	default:
		return strings.HasPrefix(string(asked), g.Event+"/")
	}
}

// late reports whether it is too late for an ask: its period is over, or it was
// due too long ago. The period is the one that is named, whatever the contact's
// zone is by now.
func late(g *survey.Trigger, q Question) bool {
	if g.Every != "" {
		if p, ok := periodNamed(g.Every, q.Occasion); ok { // not a reminder
			return !dayOf(q.Now.In(q.Zone)).Before(p.To)
		}
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
	if t.RestAfter(b.rules) == 0 {
		return "", "", time.Time{}
	}
	for _, o := range q.Cadences {
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
	rest := o.RestAfter(b.rules)
	if rest == 0 {
		return time.Time{}, false // nothing can take the turn away
	}
	for _, turn := range b.Turns(o, q.Zone, q.Now.Add(-turnUnderWay), q.Now.Add(rest)) {
		// A turn that comes too soon after what was asked already is lost anyway.
		lost := q.Contact.Asked[o.ID].At.Add(o.RecontactAfter(b.rules)).After(turn.Due) || q.Contact.LastAskedAt.Add(rest).After(turn.Due)
		if turn.Has(q.Contact.Number) && !lost {
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
// and may be asked, or why there is none: an opt-out tells more than a bounce.
// since is when the last of the reason's kind was.
func reach(t *survey.Touchpoint, c *survey.Contact) (ch survey.Channel, since time.Time, reason survey.Reason) {
	reason = survey.NoAddress
	for _, ch := range t.Channels {
		if c.Address(ch) == "" {
			continue
		}
		why := survey.OptedOut
		at, stopped := c.OptOuts[ch]
		if !stopped {
			why = survey.Bounced
			at, stopped = c.Undeliverable(ch)
		}
		switch {
		case !stopped:
			return ch, time.Time{}, ""
		case reason == survey.OptedOut && why == survey.Bounced:
		case reason != why || at.After(since):
			reason, since = why, at
		}
	}
	return "", since, reason
}

// Matches reports whether a business event's data, as encoding/json decodes
// them, meet all conditions. A field is a path of names with dots between; one
// that is not there meets none, nor does null, a list or an object. In compares
// texts as they are, numbers as they are written without an exponent ("10",
// "9.5"), and yes and no as "true" and "false"; Min and Max want numbers.
func Matches(when []survey.Condition, data map[string]any) bool {
	for _, c := range when {
		v := field(data, c.Field)
		if s, ok := text(v); !ok || len(c.In) > 0 && !slices.Contains(c.In, s) {
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

// field returns the value at a path, nil where there is none.
func field(data map[string]any, path string) any {
	name, rest, deeper := strings.Cut(path, ".")
	v := data[name]
	if !deeper {
		return v
	}
	in, _ := v.(map[string]any)
	return field(in, rest)
}

func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	default:
		return "", false
	}
}
