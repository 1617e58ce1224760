package survey

import (
	"strings"
	"time"
)

// Occasion names what an ask is about: a period of a cadence ("2026Q4") or a
// business event ("purchase.completed/order-4711"). One contact is asked at
// one touchpoint once for an occasion.
type Occasion string

// reminder begins the occasion of a reminder: no period is called like that, and
// no type of a business event, whose id may have any end.
const reminder = "reminder/"

// ReminderOf is the occasion of the reminder of an ask, of which there is at
// most one.
func (o Occasion) ReminderOf() Occasion { return reminder + o }

// Reminds returns what the occasion of a reminder reminds of, and whether it is
// one; o itself where it is none.
func (o Occasion) Reminds() (of Occasion, ok bool) {
	s, ok := strings.CutPrefix(string(o), reminder)
	return Occasion(s), ok
}

// Verdict says what became of an occasion.
type Verdict string

// The verdicts.
const (
	Planned  Verdict = "planned" // will be asked, at Decision.Due
	WasAsked Verdict = "asked"   // was asked, or reminded
	Refused  Verdict = "refused" // was not asked, for Decision.Reason
)

// Reason is why a contact was not asked. Reasons are part of the HTTP contract.
type Reason string

// The reasons, in the order in which they are looked for: the first that holds
// is told.
const (
	NoTouchpoint  Reason = "no_touchpoint" // it is gone, or no longer asked by this trigger
	Stopped       Reason = "stopped"       // the touchpoint is
	NoContact     Reason = "no_contact"    // deleted since
	OutOfSegment  Reason = "segment"       // the touchpoint asks other segments
	OutOfSample   Reason = "sample"        // the contact is not in the sample
	NoAddress     Reason = "no_address"    // none for the touchpoint's channels
	OptedOut      Reason = "opted_out"     // of all channels that would reach the contact
	Bounced       Reason = "bounced"       // messages to the only address, or to all, came back
	TooLate       Reason = "too_late"      // the occasion is too long ago
	HasAnswered   Reason = "answered"      // and needs no reminder
	SameAsked     Reason = "recontact"     // the same touchpoint asked too short a time ago
	OtherAsked    Reason = "rest"          // another touchpoint asked too short a time ago
	TurnComes     Reason = "turn"          // a cadence's turn comes soon, and is kept
	Undeliverable Reason = "undeliverable" // the mail or SMS service refuses the message, or there is none for the channel
)

// Reasons lists the reasons, in the order in which they are looked for.
func Reasons() []Reason {
	return []Reason{
		NoTouchpoint, Stopped, NoContact, OutOfSegment, OutOfSample, NoAddress, OptedOut, Bounced,
		TooLate, HasAnswered, SameAsked, OtherAsked, TurnComes, Undeliverable,
	}
}

// Decision is what was decided about one contact, one touchpoint and one
// occasion, and why. There is one for each three: what is decided again
// replaces it.
type Decision struct {
	Contact    string
	Touchpoint string
	Occasion   Occasion
	Verdict    Verdict
	At         time.Time // decided
	Due        time.Time // when the ask is, or would have been, due
	Channel    Channel   // of an ask
	Ask        string    // id of an ask
	Reason     Reason    // of a refusal
	// Other is the touchpoint that the reason is about: the one that asked
	// before, or whose turn comes.
	Other string
	// Until is when the reason ends: the recontact time is over, the turn
	// comes. For an opt-out, since when it holds.
	Until time.Time
}
