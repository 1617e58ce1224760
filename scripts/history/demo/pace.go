package demo

import (
	"fmt"
	"time"
)

// Pace says how far something has come, and how long it still takes if it goes
// on as it did.
type Pace struct {
	Done, Of int

	now   func() time.Time
	began time.Time
	first int // done when it began, by an earlier run
	noted time.Time
}

// NewPace returns the pace of what begins with the first note.
func NewPace(now func() time.Time) *Pace { return &Pace{now: now} }

// Note notes how much is done.
func (p *Pace) Note(done, of int) {
	p.noted = p.now()
	if p.began.IsZero() {
		p.began, p.first = p.noted, done
	}
	p.Done, p.Of = done, of
}

// Percent is the share that is done, rounded down.
func (p *Pace) Percent() int {
	if p.Of == 0 {
		return 0
	}
	return 100 * p.Done / p.Of
}

// Left is how long the rest takes, or false where nobody knows yet.
func (p *Pace) Left() (time.Duration, bool) {
	if p.Done <= p.first {
		return 0, false
	}
	return p.noted.Sub(p.began) * time.Duration(p.Of-p.Done) / time.Duration(p.Done-p.first), true
}

func (p *Pace) String() string {
	s := fmt.Sprintf("%d of %d, %d %%", p.Done, p.Of, p.Percent())
	if left, ok := p.Left(); ok && p.Done < p.Of {
		s += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return s
}
