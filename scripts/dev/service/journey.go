package service

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Journey moves the clock in the background, one move at a time. It is safe
// for concurrent use.
type Journey struct {
	services *Services

	mu     sync.Mutex
	state  Progress
	cancel context.CancelFunc
	over   chan struct{} // closed when the last move has ended
}

// Progress is how far a move has come.
type Progress struct {
	Moving bool
	// From and To are of the move under way, or of the last one; zero where
	// the clock was not moved since the start. Now is the clock's time.
	From, To, Now time.Time
	Err           string // why the last move ended before To; "" where it did not
}

// NewJourney returns a journey of the services' clock.
func NewJourney(s *Services) *Journey { return &Journey{services: s} }

// Begin starts to move the clock to a moment. The error is [survey.Conflict]
// where it is moving already, and that of the clock where it cannot be moved
// there.
func (j *Journey) Begin(to time.Time) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	from := j.services.clock.Now()
	if j.state.Moving {
		return survey.Errorf(survey.Conflict, "to", "the clock is moving already: stop it first, or wait")
	}
	if err := j.services.clock.Check(to); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	j.state, j.cancel, j.over = Progress{Moving: true, From: from, To: to}, cancel, over
	go func() {
		defer close(over)
		defer cancel()
		err := j.services.MoveTo(ctx, to, nil)
		j.mu.Lock()
		defer j.mu.Unlock()
		j.state.Moving = false
		e, told := errors.AsType[*survey.Error](err)
		switch {
		case err == nil:
		case told:
			j.state.Err = e.Message
		case ctx.Err() != nil:
			j.state.Err = "stopped on the way"
		default:
			j.state.Err = "failed: see the terminal of make dev"
			j.services.log.Error("moving the clock", "error", err.Error())
		}
	}()
	return nil
}

// Stop ends the move under way, if there is one: the clock stays at the last
// moment at which something was done. It waits for that.
func (j *Journey) Stop() {
	j.mu.Lock()
	cancel, over := j.cancel, j.over
	j.mu.Unlock()
	if cancel != nil {
		cancel()
		<-over
	}
}

// Progress returns how far the move under way, or the last one, has come.
func (j *Journey) Progress() Progress {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := j.state
	p.Now = j.services.clock.Now()
	return p
}
