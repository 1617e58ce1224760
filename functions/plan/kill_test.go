package plan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
)

var errKilled = errors.New("killed")

// killer ends invocations at calls, each before or after its effect: from then
// on every call of the invocation fails, as nothing more happens.
type killer struct {
	r     *rand.Rand
	calls int   // so far, over all invocations
	at    []int // of the calls that kill, none twice
	dead  bool
	kills int
}

// step is the trouble of a world.
func (k *killer) step(string, bool) error {
	if k.dead {
		return errKilled
	}
	k.calls++
	if slices.Contains(k.at, k.calls) {
		k.dead = true
		k.kills++
		return errKilled
	}
	return nil
}

// partial is a queue that, where it is killed, has taken some asks perhaps.
type partial struct {
	*world
	k *killer
}

func (p partial) SendAsks(ctx context.Context, asks []queue.Ask) error {
	if err := p.world.SendAsks(ctx, asks); err == nil || p.k.kills == 0 {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, asks[:p.k.r.IntN(len(asks)+1)]...)
	return errKilled
}

// happening is an invocation at a moment.
type happening struct {
	at   time.Time
	body json.RawMessage
}

// scenario makes a world and what happens in it, always the same for a seed:
// ticks of some days with gaps between them, and events, some of them twice.
func scenario(t *testing.T, seed uint64) (*world, []happening) {
	r := rand.New(rand.NewPCG(seed, 1))
	starts := []time.Time{ // with nights when clocks change, and the turn of a year
		time.Date(2026, 10, 23, 5, 0, 0, 0, time.UTC), time.Date(2026, 12, 29, 5, 0, 0, 0, time.UTC),
		time.Date(2027, 3, 12, 5, 0, 0, 0, time.UTC), time.Date(2027, 3, 27, 5, 0, 0, 0, time.UTC),
	}
	now := starts[r.IntN(len(starts))]
	all := spread()
	all.ID, all.Trigger.Hour = "all", 9+r.IntN(4)
	once := everyone(fmt.Sprint(now.Day() + 1))
	once.Trigger.Weekdays = all.Trigger.Weekdays
	care, shop := care(), shop()
	care.Trigger.Delay = survey.Span(time.Duration(r.IntN(30)) * hour)
	once.Stopped = r.IntN(4) == 0
	w := newWorld(t, now, all, care, once, shop)
	w.rules.Rest = new(survey.Span([]time.Duration{0, 0, 12 * hour, 30 * 24 * hour}[r.IntN(4)]))
	var ids []string
	for _, zone := range []string{"Europe/Helsinki", "America/New_York", "Australia/Lord_Howe"} {
		ids = append(ids, w.add(10+r.IntN(20), zone, func(c *survey.Contact) {
			switch r.IntN(8) {
			case 0:
				c.Email = ""
			case 1:
				c.OptOuts = map[survey.Channel]time.Time{survey.Email: now.Add(-hour)}
			case 2:
				c.LastAskedAt = now.Add(-10 * hour)
			}
		})...)
	}
	var out []happening
	for i := range 14 {
		out = append(out, happening{now, tickBody(now)})
		for range r.IntN(3) {
			e := purchase(fmt.Sprint("order-", r.IntN(20)), ids[r.IntN(len(ids))], now.Add(-time.Duration(r.IntN(40))*hour))
			if r.IntN(3) == 0 { // somebody new, or met before
				e.Contact = events.Contact{Email: fmt.Sprintf("new%d@example.com", r.IntN(5)), Zone: "Asia/Tokyo"}
			}
			out = append(out, happening{now.Add(time.Duration(r.IntN(60)) * time.Minute), eventBody(t, e)})
		}
		gap := time.Duration(1+r.IntN(9)) * hour
		if i%3 > 0 {
			gap = hour
		}
		now = now.Add(gap)
	}
	slices.SortStableFunc(out, func(a, b happening) int { return a.at.Compare(b.at) })
	return w, out
}

// outcome is what became of everybody.
type outcome struct {
	Sent      map[occasionKey][]time.Time
	Decisions map[occasionKey]survey.Decision
	Waiting   int
	Refused   []string
}

// play lets a scenario happen, each invocation as often as it is killed, and
// delivers every message three times, also between two tries.
func play(t *testing.T, seed uint64, k *killer) outcome {
	t.Helper()
	w, happens := scenario(t, seed)
	w.trouble = k.step
	w.h.Queue = partial{w, k}
	for _, it := range happens {
		w.clock.Move(it.at.Sub(w.clock.Now()))
		for {
			k.dead = false
			err := w.h.Handle(context.Background(), it.body)
			if err == nil && !k.dead {
				break
			}
			if !k.dead {
				t.Fatalf("seed %d: not killed, and yet: %v", seed, err)
			}
			if k.r.IntN(2) == 0 {
				w.deliver(3)
			}
		}
		w.deliver(3)
	}
	for k, d := range w.decisions {
		if d.Verdict == survey.Refused {
			d.Due = time.Time{} // plan tells when it was due, send when it was to be sent
			w.decisions[k] = d
		}
	}
	out := outcome{Sent: w.sent, Decisions: w.decisions, Waiting: len(w.waiting)}
	for _, r := range w.refused {
		out.Refused = append(out.Refused, r.reason)
	}
	return out
}

// Whatever call the function ends at, before it or after its effect, and however
// often its messages are delivered: the same people are asked about the same
// occasions at the same moments, and the others are told the same reasons, as in
// a run of the same scenario without any trouble.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	const scenarios, runs = 25, 20
	kills, asked, refused := 0, 0, 0
	for seed := range uint64(scenarios) {
		r := rand.New(rand.NewPCG(seed, 2))
		counter := &killer{r: r}
		want := play(t, seed, counter)
		for k, times := range want.Sent {
			if asked++; len(times) != 1 {
				t.Fatalf("seed %d: %v is asked %d times", seed, k, len(times))
			}
		}
		for _, d := range want.Decisions {
			if d.Verdict == survey.Refused {
				refused++
			}
		}
		for run := range runs {
			k := &killer{r: r}
			for range 1 + r.IntN(4) {
				k.at = append(k.at, 1+r.IntN(counter.calls))
			}
			got := play(t, seed, k)
			if kills += k.kills; k.kills == 0 {
				t.Errorf("seed %d, run %d: nothing was killed at calls %v of %d", seed, run, k.at, counter.calls)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(occasionKey{})); diff != "" {
				t.Fatalf("seed %d, run %d, killed at calls %v of %d (-want +got):\n%s", seed, run, k.at, counter.calls, diff)
			}
		}
	}
	if asked < 20*scenarios || refused < 15*scenarios {
		t.Errorf("only %d asked and %d refused in %d scenarios", asked, refused, scenarios)
	}
	t.Logf("%d kills in %d runs; %d asked and %d refused in each", kills, scenarios*runs, asked/scenarios, refused/scenarios)
}
