package survey

import "time"

// MaxSoftBounces is how many soft bounces in a row stop an address: a mailbox
// that was full five times is nobody's any more.
const MaxSoftBounces = 5

// Bounces is what has come back from one address of a contact.
type Bounces struct {
	Address string // what was written to; bounces of a former address count no more
	Soft    int    // for now, in a row; 0 after one for good
	Ask     string // id of the last ask that bounced
	// StoppedAt is since when nothing is sent to the address: a hard bounce
	// came, or too many soft ones; zero where it is not stopped.
	StoppedAt time.Time
}

// isDead reports whether a hard bounce has stopped the address.
func (b Bounces) isDead() bool { return !b.StoppedAt.IsZero() && b.Soft < MaxSoftBounces }

// Bounced returns what is known of an address after a message of an ask came
// back, hard (for good) or soft (for now). The same bounce told again changes
// nothing.
func (b Bounces) Bounced(address, ask string, hard bool, at time.Time) Bounces {
	if b.Address != address {
		b = Bounces{Address: address}
	}
	switch {
	case b.isDead():
	case hard:
		b.Ask, b.Soft, b.StoppedAt = ask, 0, at
	case b.Ask != ask && b.StoppedAt.IsZero():
		b.Ask = ask
		if b.Soft++; b.Soft >= MaxSoftBounces {
			b.StoppedAt = at
		}
	}
	return b
}

// Delivered returns what is known of an address after a message of an ask
// reached it: the soft bounces of others are forgotten, a stop stays. Mail
// servers take messages that they send back later, and the one may be told
// before the other: what came back of the same ask counts, in either order.
func (b Bounces) Delivered(address, ask string) Bounces {
	switch {
	case b.Address != address || b.isDead():
	case b.Ask == ask:
		b.Soft, b.StoppedAt = 1, time.Time{}
	case b.StoppedAt.IsZero():
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
