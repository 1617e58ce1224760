package survey

import "time"

// MaxSoftBounces is how many soft bounces in a row stop an address: a mailbox
// that was full five times is nobody's any more.
const MaxSoftBounces = 5

// Bounces is what has come back from one address of a contact.
type Bounces struct {
	Address string // what was written to; bounces of a former address count no more
	Soft    int    // for now, in a row
	Ask     string // id of the last ask that bounced
	// StoppedAt is since when nothing is sent to the address: a hard bounce
	// came, or too many soft ones; zero where it is not stopped.
	StoppedAt time.Time
}

// Bounced returns what is known of an address after a message of an ask came
// back, hard (for good) or soft (for now). The same bounce told again changes
// nothing.
func (b Bounces) Bounced(address, ask string, hard bool, at time.Time) Bounces {
	if b.Address != address {
		b = Bounces{Address: address}
	}
	if b.Ask == ask && !hard {
		return b
	}
	b.Ask = ask
	if !hard {
		b.Soft++
	}
	if b.StoppedAt.IsZero() && (hard || b.Soft >= MaxSoftBounces) {
		b.StoppedAt = at
	}
	return b
}

// Delivered returns what is known of an address after a message reached it: soft
// bounces are forgotten, a stop stays.
func (b Bounces) Delivered(address string) Bounces {
	if b.Address == address {
		b.Soft = 0
	}
	return b
}

// Undeliverable returns since when nothing is sent to the contact's address of a
// channel, because it takes no messages.
func (c *Contact) Undeliverable(ch Channel) (since time.Time, ok bool) {
	b := c.Bounces[ch]
	if b.StoppedAt.IsZero() || b.Address != c.Address(ch) {
		return time.Time{}, false
	}
	return b.StoppedAt, true
}
