// Package clock is a clock that can be moved forward: a quarter of asking can
// be watched in a minute. Between two moves it goes on as real time does.
//
// It never goes back, since what happened at a later time cannot be undone.
// Back to real time is a fresh folder of data.
package clock

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Farthest is how far from real time the clock can be moved: ten years, within
// which the rules of time zones and holidays mean something.
const Farthest = 10 * 366 * 24 * time.Hour

// Clock is a movable clock. It is safe for concurrent use.
type Clock struct {
	path string // of the file that keeps the offset; "" for memory only
	real func() time.Time

	mu     sync.Mutex
	offset time.Duration
}

// state is the form of the file.
type state struct {
	// Offset is how far the clock is ahead of real time, in nanoseconds.
	Offset time.Duration `json:"offset"`
}

// Open returns the clock whose offset is in a file, which need not exist; with
// path "" it is kept in memory only. real is time.Now, or a test's.
func Open(path string, real func() time.Time) (*Clock, error) {
	c := &Clock{path: path, real: real}
	if path == "" {
		return c, nil
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	var s state
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err == nil && (s.Offset < 0 || s.Offset > Farthest) {
		err = fmt.Errorf("the clock is ahead by %s, which is not from 0 to %s", s.Offset, Farthest)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the clock %s: %w", path, err)
	}
	c.offset = s.Offset
	return c, nil
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time { return c.real().Add(c.offset) }

// Ahead returns how far the clock is ahead of real time.
func (c *Clock) Ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

// Move moves the clock to a moment, from which it goes on. The error is
// [survey.Invalid] where the moment is before the clock's, or further than
// [Farthest] from real time.
func (c *Clock) Move(to time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.add(to.Sub(c.now()))
}

// Check returns the error that [Clock.Move] would return, and moves nothing.
func (c *Clock) Check(to time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.check(to.Sub(c.now()))
}

// Add moves the clock by d, see [Clock.Move].
func (c *Clock) Add(d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.add(d)
}

func (c *Clock) check(d time.Duration) error {
	switch {
	case d < 0:
		return survey.Errorf(survey.Invalid, "to", "the clock only goes forward: real time is back with a fresh folder of data (.local/dev)")
	case d > Farthest-c.offset:
		return survey.Errorf(survey.Invalid, "to", "the clock goes at most ten years ahead of real time")
	}
	return nil
}

func (c *Clock) add(d time.Duration) error {
	if err := c.check(d); err != nil {
		return err
	}
	if err := c.save(c.offset + d); err != nil {
		return err
	}
	c.offset += d
	return nil
}

// save replaces the file at once, so that a stop at any moment leaves a whole
// one.
func (c *Clock) save(offset time.Duration) error {
	if c.path == "" {
		return nil
	}
	b, err := json.Marshal(state{offset})
	if err == nil {
		err = os.WriteFile(c.path+".new", b, 0o600)
	}
	if err == nil {
		err = os.Rename(c.path+".new", c.path)
	}
	if err != nil {
		return fmt.Errorf("keeping the clock: %w", err)
	}
	return nil
}
