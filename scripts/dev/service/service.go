// Package service is what AWS runs beside the functions, in this process: the
// queues with their dead-letter queues (SQS), schedules for single asks and the
// hourly tick (EventBridge Scheduler), the bus of business events
// (EventBridge), and the bucket (S3). Functions get them behind the same
// methods as the clients of packages queue, schedule, bus and files, and are
// invoked with the same JSON.
//
// All of it goes by one clock, which may be moved: [Services.MoveTo] goes from
// one moment at which something is due to the next, as real time would, only
// without the waiting.
//
// Everything is kept in a folder, so that nothing is lost when the process
// ends, even killed; what was under way then is delivered again. What is
// delivered at least once here is so on AWS too.
//
// It does not imitate the retention of messages (14 days at most), the limits
// of sizes, the order in which SQS mixes messages, its second copies, and the
// minute within which Scheduler is exact.
package service

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/pulssi/pulssi/shared/topology"
)

// Clock is a clock that can be moved forward.
type Clock interface {
	Now() time.Time
	// Move moves the clock forward to a moment.
	Move(to time.Time) error
	// Check returns the error that Move would.
	Check(to time.Time) error
}

// Services are the services. Its methods are safe for concurrent use.
type Services struct {
	Bus   Bus
	Files *Files

	// NextTurn returns the first moment after one, and not after another, at
	// which a turn of a cadence comes, and false where there is none. A clock
	// that is moved passes over the ticks before it, which plan nothing; nil
	// for passing over none. It is set before Start.
	NextTurn func(ctx context.Context, after, until time.Time) (time.Time, bool, error)

	clock Clock
	log   *slog.Logger
	dir   string // of its own, removed by Close, where it keeps nothing; else ""

	mu        sync.Mutex
	changed   *sync.Cond // whenever something may be due, done, or over
	timer     *time.Timer
	journal   *journal
	closed    bool
	functions map[topology.Function]lambda.Handler
	busy      map[topology.Function]int // invocations under way
	workers   sync.WaitGroup
	stop      context.CancelFunc // of the invocations under way

	queues    []*queueState
	receipts  map[string]*Message // under way, by receipt handle
	schedules timeline[*Scheduled]
	names     map[string]bool // of the schedules
	calls     map[topology.Function]*timeline[*call]
	dead      []*DeadLetter // oldest first
	ticked    time.Time     // the full hour of the last tick
	made      int           // counts what is made, for the order after a restart
}

// The kinds of keys in the journal; the id follows.
const (
	messageKey  = "message/"
	scheduleKey = "schedule/"
	callKey     = "call/"
	deadKey     = "dead/"
	tickKey     = "tick"
)

// Open returns the services whose state is in a folder, which is made where it
// is missing, and which one process may use at a time. With dir "" nothing is
// kept after Close. Nothing is delivered before [Services.Start].
func Open(dir string, clock Clock, log *slog.Logger) (*Services, error) {
	s := &Services{
		clock: clock, log: log, busy: map[topology.Function]int{},
		receipts: map[string]*Message{}, names: map[string]bool{}, calls: map[topology.Function]*timeline[*call]{},
	}
	for _, f := range calledFunctions {
		s.calls[f] = &timeline[*call]{}
	}
	s.changed = sync.NewCond(&s.mu)
	s.Bus = Bus{s}
	path := filepath.Join(dir, "services.jsonl")
	if dir == "" {
		temporary, err := os.MkdirTemp("", "pulssi-services-")
		if err != nil {
			return nil, err
		}
		dir, s.dir, path = temporary, temporary, ""
	}
	for _, q := range topology.Queues() {
		s.queues = append(s.queues, &queueState{Queue: q})
	}
	var err error
	if s.Files, err = openFiles(filepath.Join(dir, "files"), s); err != nil {
		return nil, err
	}
	if s.journal, err = openJournal(path); err != nil {
		return nil, err
	}
	if err := s.restore(); err != nil {
		return nil, errors.Join(err, s.journal.close())
	}
	return s, nil
}

// restore takes what the journal has. What was under way is due again at once:
// the process that had it is gone.
func (s *Services) restore() error {
	read := func(key string, into any) error {
		if err := json.Unmarshal(s.journal.live[key], into); err != nil {
			return fmt.Errorf("reading %s of the services: %w", key, err)
		}
		return nil
	}
	var messages []*Message
	var calls []*call
	for key := range s.journal.live {
		kind, _, _ := strings.Cut(key, "/")
		var err error
		switch kind + "/" {
		case messageKey:
			m := &Message{}
			err = read(key, m)
			messages = append(messages, m)
			s.made = max(s.made, m.Order)
		case scheduleKey:
			sc := &Scheduled{}
			err = read(key, sc)
			s.schedules.add(sc.At, sc)
			s.names[sc.Name] = true
		case callKey:
			c := &call{}
			err = read(key, c)
			calls = append(calls, c)
			s.made = max(s.made, c.Order)
		case deadKey:
			d := &DeadLetter{}
			err = read(key, d)
			s.dead = append(s.dead, d)
			s.made = max(s.made, d.Order)
		case tickKey + "/":
			err = read(key, &s.ticked)
		}
		if err != nil {
			return err
		}
	}
	slices.SortFunc(messages, func(a, b *Message) int { return a.Order - b.Order })
	slices.SortFunc(calls, func(a, b *call) int { return a.Order - b.Order })
	slices.SortFunc(s.dead, func(a, b *DeadLetter) int { return a.Order - b.Order })
	for _, m := range messages {
		q := s.queue(m.Queue)
		if q == nil {
			return fmt.Errorf("a message is in queue %q, of which there is none", m.Queue)
		}
		q.waiting.add(m.Visible, m)
	}
	for _, c := range calls {
		if s.calls[c.Function] == nil {
			return fmt.Errorf("an invocation is of %q, which nobody invokes so", c.Function)
		}
		s.calls[c.Function].add(c.At, c)
	}
	if s.ticked.IsZero() { // a fresh folder: the next full hour is the first
		s.ticked = fullHour(s.clock.Now())
		return s.journal.put(tickKey, s.ticked)
	}
	return nil
}

// order numbers what is made.
func (s *Services) order() int {
	s.made++
	return s.made
}

// Start starts to deliver to the functions, each of which must be there: those
// of the queues, of the bus, of the tick and of the notices. It is called once.
func (s *Services) Start(functions map[topology.Function]lambda.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.functions = functions
	alive, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.timer = time.AfterFunc(time.Hour, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.change()
	})
	workers := callConcurrency * len(calledFunctions)
	for _, q := range s.queues {
		workers += concurrency(q.Queue)
	}
	for range workers {
		s.workers.Go(func() { s.work(alive) })
	}
	s.change()
}

// stopGrace is how long invocations under way may take when the services stop.
const stopGrace = 2 * time.Second

// Close stops delivering. Invocations under way may finish within two seconds;
// what they had not finished by then comes again after a restart.
func (s *Services) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	if s.stop != nil {
		s.timer.Stop()
		end := time.AfterFunc(stopGrace, s.stop)
		defer end.Stop()
		defer s.stop()
	}
	s.changed.Broadcast()
	s.mu.Unlock()
	s.workers.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	err := errors.Join(s.journal.close(), s.Files.close())
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// change wakes everybody who waits, and has the timer wake them again when
// something is due. The lock is held.
func (s *Services) change() {
	s.changed.Broadcast()
	if s.timer == nil || s.closed {
		return
	}
	if wait := s.next().Sub(s.clock.Now()); wait > 0 {
		s.timer.Reset(wait)
	} else {
		s.timer.Stop() // a worker that becomes free takes it
	}
}

// next returns when something is due for the first time. There is always the
// next tick.
func (s *Services) next() time.Time { return s.firstOf(s.nextTick()) }

func (s *Services) nextTick() time.Time { return s.ticked.Add(topology.TickHours * time.Hour) }

// firstOf returns a moment, or an earlier one at which something other than a
// tick is due.
func (s *Services) firstOf(next time.Time) time.Time {
	earlier := func(t time.Time, ok bool) {
		if ok && t.Before(next) {
			next = t
		}
	}
	for _, q := range s.queues {
		earlier(q.waiting.next())
	}
	earlier(s.schedules.next())
	for _, c := range s.calls {
		earlier(c.next())
	}
	return next
}

// work takes jobs until the services are closed.
func (s *Services) work(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed {
		f, job := s.pick()
		if job == nil {
			s.changed.Wait()
			continue
		}
		s.busy[f]++
		s.change() // there may be more for another worker
		s.mu.Unlock()
		finish := job(ctx)
		s.mu.Lock()
		s.busy[f]--
		finish()
		s.change()
	}
}

// job invokes a function without the lock, and returns what is to be done with
// it.
type job func(ctx context.Context) (finish func())

// pick returns something that is due and whose function is free, or nil.
func (s *Services) pick() (topology.Function, job) {
	now := s.clock.Now()
	s.tick(now)
	s.deliverSchedules(now)
	for _, q := range s.queues {
		if s.busy[q.Function] >= concurrency(q.Queue) {
			continue
		}
		if batch := s.receive(q, now); len(batch) > 0 {
			return q.Function, s.deliver(q, batch)
		}
	}
	for _, f := range calledFunctions {
		if s.busy[f] >= callConcurrency {
			continue
		}
		if c, ok := s.calls[f].take(now); ok {
			return f, s.invokeCall(c)
		}
	}
	return "", nil
}

// Settle waits until nothing is due and nothing under way at the clock's time.
// It returns the error of ctx where that is done first.
func (s *Services) Settle(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changed.Broadcast()
	})()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.closed {
			return errors.New("the services are closed")
		}
		if s.settled() {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		s.changed.Wait()
	}
}

func (s *Services) settled() bool {
	for _, n := range s.busy {
		if n > 0 {
			return false
		}
	}
	return s.next().After(s.clock.Now())
}

// MoveTo moves the clock forward to a moment, and stops on the way at every
// one at which something is due (of the ticks, those at which a turn has come,
// and one a day), until all of that is done. progress, where it
// is not nil, is called after every stop. Where ctx is done first, the clock
// stays at the last one and the error is that of ctx; it is [survey.Invalid]
// where the moment is before the clock's.
func (s *Services) MoveTo(ctx context.Context, to time.Time, progress func()) error {
	if err := s.clock.Check(to); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.Settle(ctx); err != nil {
			return err
		}
		next, err := s.nextStop(ctx, to)
		if err != nil {
			return err
		}
		if next.After(s.clock.Now()) {
			if err := s.clock.Move(next); err != nil {
				return err
			}
		}
		s.mu.Lock()
		s.change()
		s.mu.Unlock()
		if !next.Before(to) {
			return s.Settle(ctx)
		}
		if progress != nil {
			progress()
		}
	}
}

// maxPassed is how many ticks in a row a moved clock passes over at most.
const maxPassed = 24

// nextStop returns the next moment on the way to another at which there is
// something to do, or that one.
func (s *Services) nextStop(ctx context.Context, to time.Time) (time.Time, error) {
	s.mu.Lock()
	tick := s.nextTick()
	stop := s.firstOf(tick.Add(maxPassed * topology.TickHours * time.Hour))
	s.mu.Unlock()
	if stop.After(to) {
		stop = to
	}
	if !tick.Before(stop) {
		return stop, nil
	}
	if s.NextTurn == nil {
		return tick, nil
	}
	// The tick before has planned until its own hour.
	turn, ok, err := s.NextTurn(ctx, tick.Add(-topology.TickHours*time.Hour), stop)
	if err != nil {
		return time.Time{}, fmt.Errorf("looking for the next turn: %w", err)
	}
	if hour := fullHour(turn.Add(topology.TickHours*time.Hour - 1)); ok && hour.Before(stop) {
		return hour, nil
	}
	return stop, nil
}

// tick has plan told of a full hour that has come. Where several have, because
// the process was not running, the last is told: plan itself looks back.
func (s *Services) tick(now time.Time) {
	hour := fullHour(now)
	if !hour.After(s.ticked) {
		return
	}
	payload, err := json.Marshal(map[string]time.Time{"tick": hour})
	if err == nil {
		err = s.add(&call{Function: topology.TickFunction, Payload: payload, At: hour})
	}
	if err == nil {
		err = s.journal.put(tickKey, hour)
	}
	if err != nil {
		s.log.Error("the tick could not be kept", "error", err.Error())
	}
	s.ticked = hour
}

func fullHour(t time.Time) time.Time { return t.UTC().Truncate(topology.TickHours * time.Hour) }

// newID returns an id of a message or an invocation.
func newID() string { return strings.ToLower(rand.Text()) }
