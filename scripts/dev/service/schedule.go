package service

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/topology"
)

// Scheduled is an ask that goes into the queue at a moment.
type Scheduled struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
	Ask  queue.Ask `json:"ask"`
}

// soonest is how far ahead a schedule is at least, as of package schedule.
const soonest = time.Minute

// At is that of package schedule's client: the ask goes into the queue at a
// moment, rounded up to a second and at least a minute ahead. Where a schedule
// of that name waits already, it stays as it is.
func (s *Services) At(_ context.Context, at time.Time, name string, a queue.Ask) error {
	if _, err := a.Encode(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names[name] {
		return nil
	}
	if least := s.clock.Now().Add(soonest); at.Before(least) {
		at = least
	}
	sc := &Scheduled{Name: name, At: at.UTC().Add(time.Second - 1).Truncate(time.Second), Ask: a}
	if err := s.journal.put(scheduleKey+name, sc); err != nil {
		return fmt.Errorf("keeping a schedule: %w", err)
	}
	s.names[name] = true
	s.schedules.add(sc.At, sc)
	s.change()
	return nil
}

// deliverSchedules puts what is due into the queue. The schedule goes after
// the message is kept: killed in between, the ask comes twice and is not lost.
func (s *Services) deliverSchedules(now time.Time) {
	for {
		sc, ok := s.schedules.take(now)
		if !ok {
			return
		}
		body, err := sc.Ask.Encode()
		if err == nil {
			err = s.send(topology.Asks.Name, string(body))
		}
		if err != nil { // the disk is full, say
			s.log.Error("delivering a schedule", "schedule", sc.Name, "error", err.Error())
			s.schedules.add(now.Add(soonest), sc)
			return
		}
		delete(s.names, sc.Name)
		s.remove(scheduleKey + sc.Name)
	}
}

// Scheduled returns the first schedules, at most limit, in the order in which
// they are due, and how many there are in all.
func (s *Services) Scheduled(limit int) ([]Scheduled, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.schedules.all()
	slices.SortFunc(all, func(a, b *Scheduled) int { return a.At.Compare(b.At) })
	out := make([]Scheduled, 0, min(limit, len(all)))
	for _, sc := range all[:min(limit, len(all))] {
		out = append(out, *sc)
	}
	return out, len(all)
}

// call is one invocation that nobody waits for: of the tick, of the bus, or of
// a notice.
type call struct {
	ID       string            `json:"id"`
	Order    int               `json:"order"`
	Function topology.Function `json:"function"`
	Payload  json.RawMessage   `json:"payload"`
	At       time.Time         `json:"at"`
	Tries    int               `json:"tries,omitempty"`
}

// calledFunctions are those that are invoked so: by business events and the
// tick, and by notices. Each works on callConcurrency of them at once.
var calledFunctions = []topology.Function{topology.EventFunction, topology.NoticeFunction}

const callConcurrency = 2

// The tries of an invocation that nobody waits for, and the pauses after the
// first and the second (AWS Lambda Developer Guide: "How Lambda handles errors
// and retries with asynchronous invocation").
const callTries = 3

func pauseAfter(try int) time.Duration { return time.Duration(try) * time.Minute }

// callLimit is how long such an invocation may take.
const callLimit = 15 * time.Minute

// add has a function invoked. The lock is held.
func (s *Services) add(c *call) error {
	c.ID, c.Order = newID(), s.order()
	if err := s.journal.put(callKey+c.ID, c); err != nil {
		return fmt.Errorf("keeping an invocation: %w", err)
	}
	s.calls[c.Function].add(c.At, c)
	s.change()
	return nil
}

func (s *Services) invokeCall(c *call) job {
	return func(ctx context.Context) func() {
		_, err := s.invoke(ctx, c.Function, callLimit, c.Payload)
		return func() { s.finishCall(c, err) }
	}
}

func (s *Services) finishCall(c *call, err error) {
	if err == nil {
		s.remove(callKey + c.ID)
		return
	}
	c.Tries++
	if c.Tries >= callTries {
		reason := fmt.Sprintf("%s failed with it %d times, the last time with: %s", c.Function, c.Tries, err)
		failed := topology.RefusedEvents
		if c.Function == topology.NoticeFunction {
			failed = string(c.Function) + "-failed" // its own
		}
		if err := s.bury(failed, string(c.Payload), reason); err == nil {
			s.remove(callKey + c.ID)
			return
		}
	}
	c.At = s.clock.Now().Add(pauseAfter(c.Tries))
	if err := s.journal.put(callKey+c.ID, c); err != nil {
		s.log.Error("keeping an invocation", "call", c.ID, "error", err.Error())
	}
	s.calls[c.Function].add(c.At, c)
}
