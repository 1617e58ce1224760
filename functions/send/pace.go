package send

import (
	"context"
	"sync"
	"time"
)

// Pace lets messages go at most so many a second, one after the other. It is
// safe for concurrent use.
type Pace struct {
	every time.Duration
	now   func() time.Time
	wait  func(ctx context.Context, d time.Duration) error

	mu   sync.Mutex
	next time.Time // when the next may go
}

// NewPace returns a pace of perSecond, more than 0. wait waits for a time or
// until the context ends, whose error it then returns; [Timer] is one.
func NewPace(perSecond float64, now func() time.Time, wait func(context.Context, time.Duration) error) *Pace {
	return &Pace{every: time.Duration(float64(time.Second) / perSecond), now: now, wait: wait}
}

// Wait waits for the caller's turn. It returns the context's error where the
// context ends before; the turn is gone then. A nil Pace never waits.
func (p *Pace) Wait(ctx context.Context) error {
	if p == nil {
		return ctx.Err()
	}
	p.mu.Lock()
	now := p.now()
	mine := p.next
	if mine.Before(now) {
		mine = now
	}
	p.next = mine.Add(p.every)
	p.mu.Unlock()
	if d := mine.Sub(now); d > 0 {
		return p.wait(ctx, d)
	}
	return ctx.Err()
}

// Timer waits for a time of the machine's clock.
func Timer(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
