package send

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
)

// quiet turns the log off for the rest of the test.
func quiet(t *testing.T) {
	was := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { slog.SetDefault(was) })
}

// killed is the end of a process.
type killed struct{}

// end is how and where one delivery is made to end: before or after the effect
// of its nth call, by the end of the process or with a call that fails.
type end struct {
	call  int
	after bool
	kill  bool
	name  string // of that call, once it was reached; "" where it was not
}

// deliverTo delivers a message to an invocation that comes to an end, and
// reports whether the message comes again.
func (w *world) deliverTo(e *end, a queue.Ask) (again bool) {
	n := 0
	w.trouble = func(call string, after bool) error {
		if !after {
			n++
		}
		if n != e.call || after != e.after || e.name != "" {
			return nil
		}
		e.name = call
		if e.kill {
			panic(killed{})
		}
		return errTrouble
	}
	defer func() {
		w.trouble = nil
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
			again = true
		}
	}()
	return len(w.deliver(a)) > 0
}

// in reports whether the end came where nobody knows whether the message was
// sent, though it was: between its effect and that it is kept.
func (e end) in(mark string) bool {
	return e.name == "Send" && e.after || e.name == mark && !e.after
}

// 500 asks, and the reminders of half of them, each at an invocation that ends
// at a random point, each redelivered until it is done and three times more:
// every ask is made once, its turn is taken once, its message and its reminder
// are sent once, but for the windows that the package tells of.
func TestKilledAnywhere(t *testing.T) {
	quiet(t)
	w := newWorld(t)
	const runs, calls = 500, 13
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var twice, lost int
	seen := map[string]int{}
	for run := range runs {
		w.clock.Move(monday.Sub(w.clock.Now()))
		w.sent = nil
		clear(w.waiting)
		a := w.purchase(w.contact(nil))
		for _, reminder := range []bool{false, true}[:1+run%2] {
			mark := "MarkSent"
			if reminder {
				mark = "MarkReminded"
				next := w.wait()
				w.clock.Move(next.at.Sub(w.clock.Now()))
				a = next.ask
			}
			e := end{call: 1 + random.IntN(calls), after: random.IntN(2) == 0, kill: random.IntN(2) == 0}
			again := w.deliverTo(&e, a)
			seen[fmt.Sprint(e.name, " ", e.after)]++
			for range 3 {
				if !again {
					break
				}
				w.clock.Move(visibility)
				again = len(w.deliver(a)) > 0
			}
			if again {
				t.Fatalf("run %d, %+v: the message comes again and again", run, e)
			}
			before := w.askOf(a)
			for range 3 {
				w.clock.Move(visibility)
				w.done(a)
			}
			if after := w.askOf(a); !after.SentAt.Equal(before.SentAt) || !after.RemindedAt.Equal(before.RemindedAt) {
				t.Errorf("run %d, %+v: a repetition changes the ask", run, e)
			}
			n := len(w.sentTo(a))
			switch {
			case n == 1:
			case !reminder && n == 2 && e.in(mark):
				twice++
			case reminder && n == 0 && (e.name == mark && e.after || e.name == "Send" && !e.after):
				lost++
			default:
				t.Errorf("run %d, %+v: sent %d times", run, e, n)
			}
			if d := w.decision(a); d.Verdict != survey.WasAsked {
				t.Errorf("run %d, %+v: decided %+v", run, e, d)
			}
		}
		ask := w.askOf(a)
		if ask.SentAt.IsZero() || ask.RemindedAt.IsZero() != (run%2 == 0) || ask.AskedAt.After(ask.SentAt) {
			t.Errorf("run %d: ask %+v", run, ask)
		}
		c, err := w.Contact(t.Context(), a.Contact)
		if err != nil || len(c.Asked) != 1 || c.Asked["shop"].Ask != ask.ID || c.LastAsk != ask.ID || c.LastAskedAt.After(ask.AskedAt) {
			t.Errorf("run %d: the turn of %+v, %v", run, c, err)
		}
	}
	asks := 0
	if err := w.EachAsk(t.Context(), func(*survey.Ask, error) error { asks++; return nil }); err != nil || asks != runs {
		t.Errorf("%d asks of %d contacts, %v", asks, runs, err)
	}
	t.Logf("%d asks; in the window: %d sent twice, %d reminders lost; ends at: %v", asks, twice, lost, seen)
	if twice == 0 || lost == 0 {
		t.Error("no end came into the windows: the test does not look where it should")
	}
}

// The same message reaches several invocations at once.
func TestSameMessageAtOnce(t *testing.T) {
	quiet(t)
	w := newWorld(t)
	for range 20 {
		w.clock.Move(monday.Sub(w.clock.Now()))
		w.sent = nil
		clear(w.waiting)
		a := w.purchase(w.contact(nil))
		for _, reminder := range []bool{false, true} {
			if reminder {
				next := w.wait()
				w.clock.Move(next.at.Sub(w.clock.Now()))
				a = next.ask
			}
			w.atOnce(a, a, a, a)
			w.clock.Move(visibility)
			w.done(a, a)
			if n := len(w.sentTo(a)); n != 1 || w.decision(a).Verdict != survey.WasAsked {
				t.Fatalf("sent %d times (reminder: %v), decided %+v", n, reminder, w.decision(a))
			}
		}
	}
	// A stale attempt is taken up by one only.
	for range 20 {
		w.sent = nil
		w.clock.Move(monday.Sub(w.clock.Now()))
		a := w.purchase(w.contact(nil))
		w.transport = func(message.Message) error { return errTrouble }
		w.again(a)
		w.transport = nil
		w.clock.Move(visibility)
		w.atOnce(a, a, a, a)
		if n := len(w.sentTo(a)); n != 1 {
			t.Fatalf("sent %d times", n)
		}
	}
}

// atOnce delivers messages to an invocation each, all at the same time.
func (w *world) atOnce(asks ...queue.Ask) {
	w.t.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for _, a := range asks {
		e := batch(w.t, 1, a)
		wg.Go(func() {
			<-start
			if _, err := w.h.Handle(w.t.Context(), e); err != nil {
				w.t.Error(err)
			}
		})
	}
	close(start)
	wg.Wait()
}

// Two touchpoints want the same contact at once: one asks, the other keeps why
// not.
func TestTwoTouchpointsAtOnce(t *testing.T) {
	quiet(t)
	w := newWorld(t)
	asked := map[string]int{}
	for range 30 {
		shop := w.purchase(w.contact(nil))
		support := shop
		support.Touchpoint, support.Occasion = "support", "ticket.closed/1"
		w.atOnce(shop, support)
		w.done(shop, support)
		first, second := shop, support
		if len(w.sentTo(support)) > 0 {
			first, second = support, shop
		}
		asked[first.Touchpoint]++
		if len(w.sentTo(first)) != 1 || len(w.sentTo(second)) != 0 || w.decision(first).Verdict != survey.WasAsked {
			t.Fatalf("sent %d and %d", len(w.sentTo(first)), len(w.sentTo(second)))
		}
		w.wasRefused(second, survey.OtherAsked)
		if w.askOf(second) != nil {
			t.Error("an ask without a turn")
		}
	}
	t.Logf("asked by %v", asked)
}

// The mail service takes nothing for an hour. The queue is played with its
// visibility times: nothing is lost, and nothing is sent twice.
func TestThrottledForAnHour(t *testing.T) {
	quiet(t)
	w := newWorld(t)
	type entry struct {
		ask      queue.Ask
		at       time.Time
		receives int
	}
	var q []entry
	var all []queue.Ask
	for range 30 {
		a := w.purchase(w.contact(nil))
		all = append(all, a)
		q = append(q, entry{ask: a, at: monday})
	}
	w.transport = func(message.Message) error {
		if w.clock.Now().Before(monday.Add(time.Hour)) {
			return errThrottled
		}
		return nil
	}
	most := 0
	for len(q) > 0 {
		slices.SortStableFunc(q, func(a, b entry) int { return a.at.Compare(b.at) })
		e := q[0]
		q = q[1:]
		if d := e.at.Sub(w.clock.Now()); d > 0 {
			w.clock.Move(d)
		}
		e.receives++
		most = max(most, e.receives)
		w.delays = nil
		resp, err := w.h.Handle(t.Context(), batch(t, e.receives, e.ask))
		if err != nil {
			t.Fatal(err)
		}
		if len(resp.BatchItemFailures) > 0 {
			e.at = w.clock.Now().Add(visibility)
			if len(w.delays) > 0 {
				e.at = w.clock.Now().Add(w.delays[0])
			}
			q = append(q, e)
		}
	}
	for _, a := range all {
		if n := len(w.sentTo(a)); n != 1 || w.decision(a).Verdict != survey.WasAsked {
			t.Errorf("sent %d times, decided %+v", n, w.decision(a))
		}
	}
	if most > 10 || w.clock.Now().After(monday.Add(3*time.Hour)) {
		t.Errorf("received %d times, done %v later", most, w.clock.Now().Sub(monday))
	}
}
