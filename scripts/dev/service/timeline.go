package service

import (
	"container/heap"
	"time"
)

// timeline holds things by the moment when they are due; those of one moment
// in the order in which they were added.
type timeline[T any] struct {
	h     moments[T]
	added int
}

type moment[T any] struct {
	at    time.Time
	order int
	thing T
}

// add puts a thing on the timeline.
func (t *timeline[T]) add(at time.Time, thing T) {
	t.added++
	heap.Push(&t.h, moment[T]{at, t.added, thing})
}

// next returns when the first thing is due, and false where there is none.
func (t *timeline[T]) next() (time.Time, bool) {
	if len(t.h) == 0 {
		return time.Time{}, false
	}
	return t.h[0].at, true
}

// take takes the first thing away where it is due at a moment.
func (t *timeline[T]) take(now time.Time) (thing T, ok bool) {
	if len(t.h) == 0 || t.h[0].at.After(now) {
		return thing, false
	}
	return heap.Pop(&t.h).(moment[T]).thing, true
}

// all returns the things in no order.
func (t *timeline[T]) all() []T {
	out := make([]T, len(t.h))
	for i, m := range t.h {
		out[i] = m.thing
	}
	return out
}

type moments[T any] []moment[T]

func (m moments[T]) Len() int { return len(m) }
func (m moments[T]) Less(i, j int) bool {
	return m[i].at.Before(m[j].at) || m[i].at.Equal(m[j].at) && m[i].order < m[j].order
}
func (m moments[T]) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m *moments[T]) Push(x any)   { *m = append(*m, x.(moment[T])) }
func (m *moments[T]) Pop() any {
	last := len(*m) - 1
	x := (*m)[last]
	(*m)[last] = moment[T]{} // lets go of the thing
	*m = (*m)[:last]
	return x
}
