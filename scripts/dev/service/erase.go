package service

import (
	"container/heap"
	"errors"
	"fmt"
	"slices"
)

// Mentioning returns how many messages, schedules, invocations and dead letters
// have a text that matches.
func (s *Services) Mentioning(matches func(text string) bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, v := range s.journal.live {
		if matches(string(v)) {
			n++
		}
	}
	return n
}

// Erase removes those that [Services.Mentioning] counts, and what the journal
// still has of any that are done. What is under way just now is left, and told
// by an error: it is to be erased when it is done.
func (s *Services) Erase(matches func(text string) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := map[string]bool{}
	for key, v := range s.journal.live {
		gone[key] = matches(string(v))
	}
	for _, q := range s.queues {
		for _, m := range q.waiting.drop(func(m *Message) bool { return gone[messageKey+m.ID] }) {
			s.remove(messageKey + m.ID)
		}
	}
	for _, sc := range s.schedules.drop(func(sc *Scheduled) bool { return gone[scheduleKey+sc.Name] }) {
		delete(s.names, sc.Name)
		s.remove(scheduleKey + sc.Name)
	}
	for _, t := range s.calls {
		for _, c := range t.drop(func(c *call) bool { return gone[callKey+c.ID] }) {
			s.remove(callKey + c.ID)
		}
	}
	s.dead = slices.DeleteFunc(s.dead, func(d *DeadLetter) bool {
		if gone[deadKey+d.ID] {
			s.remove(deadKey + d.ID)
		}
		return gone[deadKey+d.ID]
	})
	s.change()
	if s.journal.path != "" {
		if err := s.journal.rewrite(); err != nil {
			return err
		}
	}
	var errs []error
	for key := range s.journal.live {
		if gone[key] {
			errs = append(errs, fmt.Errorf("%s is under way", key))
		}
	}
	return errors.Join(errs...)
}

// drop takes the things away that match, whether they are due or not.
func (t *timeline[T]) drop(matches func(T) bool) []T {
	var out []T
	t.h = slices.DeleteFunc(t.h, func(m moment[T]) bool {
		if matches(m.thing) {
			out = append(out, m.thing)
			return true
		}
		return false
	})
	heap.Init(&t.h)
	return out
}
