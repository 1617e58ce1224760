package plan

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
)

// everyone asks all contacts on one day of November, at 10 in the morning.
func everyone(day string) *survey.Touchpoint {
	return touchpoint("everyone", survey.Trigger{Every: survey.Monthly, Spread: new(false), On: day, Hour: 10})
}

// spread asks contacts all month long, on all days, at noon.
func spread() *survey.Touchpoint {
	return touchpoint("spread", survey.Trigger{
		Every: survey.Monthly, Hour: 12, Weekdays: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"},
	})
}

func contactsOf(asks []queue.Ask) []string {
	var out []string
	for _, a := range asks {
		out = append(out, a.Contact)
	}
	slices.Sort(out)
	return out
}

func TestTick(t *testing.T) {
	w := newWorld(t, monday, everyone("23"))
	here := w.add(3, "Europe/Helsinki", nil)
	there := w.add(2, "America/New_York", nil)
	w.add(1, "Europe/Helsinki", func(c *survey.Contact) { c.Email = "" })
	w.tick(monday.Add(-hour))
	if n := len(w.took()); n != 0 {
		t.Fatalf("%d asks an hour early", n)
	}
	w.tick(monday)
	asks := w.took()
	if !slices.Equal(contactsOf(asks), here) {
		t.Errorf("asked %v, want %v", contactsOf(asks), here)
	}
	for _, a := range asks {
		if want := (queue.Ask{Touchpoint: "everyone", Contact: a.Contact, Occasion: "2026-11", Due: monday}); !a.Due.Equal(monday) || a.Occasion != want.Occasion || a.Touchpoint != want.Touchpoint {
			t.Errorf("queued %+v, want %+v", a, want)
		}
	}
	if d := decisionOf(t, w, "contact000000000000006", "everyone", "2026-11"); len(w.decisions) != 1 || d.Verdict != survey.Refused || d.Reason != survey.NoAddress || !d.Due.Equal(monday) {
		t.Errorf("decided %+v", w.decisions)
	}
	w.tick(monday)            // again
	w.tick(monday.Add(-hour)) // and one that was delayed
	if n := len(w.took()); n != 0 || !w.planned.Through.Equal(monday) {
		t.Errorf("a repeated tick asks %d, planned through %s", n, w.planned.Through)
	}
	w.ticks(monday.Add(hour), monday.Add(12*hour))
	if got := contactsOf(w.took()); !slices.Equal(got, there) {
		t.Errorf("in New York asked %v, want %v", got, there)
	}
}

// A tick is the full hour, though our clock may be a moment behind; one from the
// future plans until now.
func TestTickAndClock(t *testing.T) {
	for _, c := range []struct {
		behind time.Duration
		asks   int
	}{{0, 1}, {time.Minute, 1}, {time.Minute + time.Millisecond, 0}, {2 * hour, 0}} {
		w := newWorld(t, monday.Add(-3*hour), everyone("23"))
		w.add(1, "Europe/Helsinki", nil)
		w.tick(monday.Add(-3 * hour))
		w.clock.Move(3*hour - c.behind)
		w.handle(tickBody(monday))
		if n := len(w.queue); n != c.asks {
			t.Errorf("%s behind: %d asks, want %d", c.behind, n, c.asks)
		}
		w.tick(monday)
		if n := len(w.queue); n != 1 {
			t.Errorf("%s behind: %d asks in the end, want 1", c.behind, n)
		}
	}
}

// Touchpoints whose first tick is in mid-period have turns from then on.
func TestNewCadence(t *testing.T) {
	w := newWorld(t, monday, spread())
	w.add(300, "Europe/Helsinki", nil)
	w.ticks(monday.Add(-hour), monday.Add(23*hour))
	if n := len(w.took()); n < 7 || n > 13 { // 300 contacts, 30 days
		t.Errorf("the first day asks %d of 300", n)
	}
	w.define(spread(), everyone("2"))
	w.ticks(monday.Add(24*hour), monday.Add(26*hour))
	for _, a := range w.took() {
		if a.Touchpoint == "everyone" {
			t.Fatal("a new cadence asks for a day that is past")
		}
	}
	// The first tick that knows it fails; the next makes up for its hour.
	w = newWorld(t, monday, everyone("23"))
	w.add(1, "Europe/Helsinki", nil)
	w.trouble = func(call string, _ bool) error {
		if call == "EachOfCohort" {
			return errors.New("trouble")
		}
		return nil
	}
	if err := w.h.Handle(context.Background(), tickBody(monday)); err == nil {
		t.Fatal("no error")
	}
	w.trouble = nil
	w.tick(monday.Add(hour))
	if n := len(w.queue); n != 1 {
		t.Errorf("%d asks after a first tick that failed, want 1", n)
	}
}

// Ticks that did not come are made up for: at once where that is an hour to
// send at, else later.
func TestLateTick(t *testing.T) {
	for _, c := range []struct {
		name string
		late time.Duration
		at   time.Time // zero for at once
	}{
		{"an hour", hour, time.Time{}},
		{"in the afternoon", 5 * hour, time.Time{}},
		{"at night", 13 * hour, monday.Add(24 * hour)},
		{"on the next morning, before the hour", 23 * hour, monday.Add(24 * hour)},
		{"on the next day", 26 * hour, time.Time{}},
		{"on Saturday", 5 * 24 * hour, monday.Add(7 * 24 * hour)},
	} {
		w := newWorld(t, monday, everyone("23"))
		id := w.add(1, "Europe/Helsinki", nil)[0]
		w.tick(monday.Add(-hour))
		w.tick(monday.Add(c.late))
		asks := w.took()
		for _, s := range w.waiting {
			if !s.at.Equal(c.at) {
				t.Errorf("%s: scheduled for %s, want %s", c.name, s.at, c.at)
			}
			asks = append(asks, s.ask)
		}
		if len(asks) != 1 || asks[0].Contact != id || !asks[0].Due.Equal(monday) || len(w.waiting) > 0 == c.at.IsZero() {
			t.Errorf("%s: asks %+v, %d of them later", c.name, asks, len(w.waiting))
		}
	}
	// Nobody is asked later than in the period, and why is kept.
	w := newWorld(t, monday, everyone("30"))
	id := w.add(1, "Europe/Helsinki", nil)[0]
	w.tick(monday.Add(-hour))
	w.tick(monday.Add(7*24*hour + 13*hour)) // the last night of November
	if d := decisionOf(t, w, id, "everyone", "2026-11"); len(w.queue)+len(w.waiting) != 0 || d.Reason != survey.TooLate || !d.At.Equal(w.clock.Now()) {
		t.Errorf("in the last night: %d asks, %d scheduled, decided %+v", len(w.queue), len(w.waiting), d)
	}
	w = newWorld(t, monday, everyone("23"))
	id = w.add(1, "Europe/Helsinki", nil)[0]
	w.tick(monday.Add(-hour))
	w.tick(monday.Add(8 * 24 * hour))
	if d := decisionOf(t, w, id, "everyone", "2026-11"); len(w.queue) != 0 || d.Reason != survey.TooLate {
		t.Errorf("a week late: %d asks, decided %+v", len(w.queue), d)
	}
	// Of a turn just too long ago not even that.
	for _, c := range []struct {
		late      time.Duration
		decisions int
	}{{furthest - time.Second, 1}, {furthest, 0}} {
		w := newWorld(t, monday, everyone("23"))
		w.add(1, "Europe/Helsinki", nil)
		w.tick(monday.Add(-hour))
		w.tick(monday.Add(c.late))
		n := 0
		for k := range w.decisions {
			if k.occasion == "2026-11" {
				n++
			}
		}
		if n != c.decisions {
			t.Errorf("%s late: %d decisions, want %d", c.late, n, c.decisions)
		}
	}
}

// The last moment of a contact's creation at which its turn counts is the turn's.
func TestContactAddedAfterItsTurn(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		asks  int
	}{{-time.Millisecond, 1}, {0, 1}, {time.Millisecond, 0}} {
		w := newWorld(t, monday, everyone("23"))
		w.tick(monday.Add(-hour))
		w.add(1, "Europe/Helsinki", func(contact *survey.Contact) { contact.CreatedAt = monday.Add(c.after) })
		w.tick(monday)
		if n := len(w.queue); n != c.asks {
			t.Errorf("added %s after its turn: %d asks, want %d", c.after, n, c.asks)
		}
	}
}

func TestStoppedTouchpointKeepsRefusals(t *testing.T) {
	stopped := everyone("23")
	stopped.Stopped = true
	w := newWorld(t, monday, stopped)
	for _, id := range w.add(2, "Europe/Helsinki", nil) {
		w.tick(monday)
		if d := decisionOf(t, w, id, "everyone", "2026-11"); d.Verdict != survey.Refused || d.Reason != survey.Stopped {
			t.Errorf("decided %+v, want refused as stopped", d)
		}
	}
	if len(w.queue) != 0 {
		t.Errorf("queued %+v", w.queue)
	}
}

// The days of a cadence change in mid-period: whoever has had a turn has none
// again, whoever has a past day now and has not is asked now, the others on their
// new day.
func TestCadenceChangedInMidPeriod(t *testing.T) {
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	end := start.AddDate(0, 1, 0).Add(-hour)
	change := time.Date(2026, 10, 12, 15, 0, 0, 0, time.UTC)
	october := func(change func(*survey.Trigger)) *survey.Touchpoint {
		out := spread()
		if change != nil {
			change(out.Trigger)
		}
		return out
	}
	weekdays := func(g *survey.Trigger) { g.Weekdays = []string{"sat", "sun"} }
	for _, c := range []struct {
		name   string
		after  *survey.Touchpoint
		rules  func(*survey.Rules)
		atOnce int // asked by the first tick after it, or on the next open day: at least
		most   int // and at most
	}{
		{"weekdays", october(weekdays), nil, 5, 20},
		{"the hour", october(func(g *survey.Trigger) { g.Hour = 9 }), nil, 0, 0},
		{"closed days", spread(), func(r *survey.Rules) { r.Closed = []string{"10-20", "10-21", "10-22", "10-23"} }, 5, 20},
		{"everyone on a day to come", october(func(g *survey.Trigger) { g.Spread, g.On = new(false), "20" }), nil, 0, 0},
		{"everyone on a day that is past", october(func(g *survey.Trigger) { g.Spread, g.On = new(false), "5" }), nil, 100, 125},
		{"quiet hours at the hour", spread(), func(r *survey.Rules) { r.Quiet = &survey.Quiet{From: 11, To: 14} }, 0, 0},
	} {
		w := newWorld(t, start.Add(-hour), spread())
		ids := w.add(200, "Europe/Helsinki", nil)
		// Every tenth was asked elsewhere, and is refused until the 10th.
		for i := 0; i < len(ids); i += 10 {
			w.contacts[ids[i]].LastAskedAt = time.Date(2026, 9, 20, 12, 0, 0, 0, time.UTC)
		}
		for at := start.Add(-hour); at.Before(change); at = at.Add(hour) {
			w.tick(at)
			w.deliver(3)
		}
		before := maps.Clone(w.decisions)
		w.define(c.after)
		if c.rules != nil {
			c.rules(&w.rules)
		}
		w.tick(change)
		if n := len(w.queue) + len(w.waiting); n < c.atOnce || n > c.most {
			t.Errorf("%s: %d are asked at once, want from %d to %d", c.name, n, c.atOnce, c.most)
		}
		for at := change; !at.After(end); at = at.Add(hour) {
			w.tick(at)
			w.deliver(3)
		}
		for k, d := range before {
			// A new day still to come is a new turn for those who were refused.
			if is := w.decisions[k]; d.Verdict == survey.WasAsked && is != d {
				t.Errorf("%s: decided %+v, was %+v", c.name, is, d)
			}
		}
		for _, id := range ids {
			k := occasionKey{id, "spread", "2026-10"}
			d := w.decisions[k]
			if n := len(w.sent[k]); n > 1 || n == 1 != (d.Verdict == survey.WasAsked) || n == 0 && d.Reason != survey.OtherAsked {
				t.Errorf("%s: %s asked %d times, decided %+v", c.name, id, n, d)
			}
		}
	}
}

// Whoever was refused on a day that is past is not asked because the days
// change.
func TestRefusedStayRefusedWhenDaysChange(t *testing.T) {
	w := newWorld(t, monday, everyone("23"))
	id := w.add(1, "Europe/Helsinki", func(c *survey.Contact) { c.LastAskedAt = monday.Add(-20*24*hour + hour) })[0]
	late := w.add(1, "Europe/Helsinki", func(c *survey.Contact) { c.CreatedAt = monday.Add(hour) })[0]
	w.tick(monday)
	was := decisionOf(t, w, id, "everyone", "2026-11")
	w.define(everyone("20"))
	w.ticks(monday.Add(hour), monday.Add(4*hour))
	if d := decisionOf(t, w, id, "everyone", "2026-11"); d != was || was.Reason != survey.OtherAsked || len(w.queue) != 0 {
		t.Errorf("decided %+v, was %+v; queued %+v", d, was, w.queue)
	}
	w.define(everyone("24"))
	w.ticks(monday.Add(5*hour), monday.Add(24*hour))
	if got := contactsOf(w.took()); !slices.Equal(got, []string{id, late}) {
		t.Errorf("on a new day asked %v, want %s, who was refused on the old, and %s", got, id, late)
	}
}

// Another cadence is a new one, and so is one that was away.
func TestCadenceReplaced(t *testing.T) {
	w := newWorld(t, monday, everyone("23"))
	w.add(2, "Europe/Helsinki", nil)
	w.tick(monday.Add(-hour))
	quarterly := touchpoint("everyone", survey.Trigger{Every: survey.Quarterly, Spread: new(false), On: "1-5"})
	w.define(quarterly)
	w.ticks(monday, monday.Add(2*hour))
	if n := len(w.queue); n != 0 || !w.planned.Since["everyone"].Equal(monday.Add(-hour)) {
		t.Errorf("%d asks for a day that is past, since %s", n, w.planned.Since["everyone"])
	}
	w.define()
	w.tick(monday.Add(3 * hour))
	if len(w.planned.Since)+len(w.planned.Days) != 0 {
		t.Errorf("a touchpoint that is gone is remembered: %+v", w.planned)
	}
	w.define(everyone("20"))
	w.ticks(monday.Add(4*hour), monday.Add(5*hour))
	if n := len(w.queue); n != 0 {
		t.Errorf("%d asks of a cadence that was away on its day", n)
	}
}

// A change about the turn of the year of the days of the period that has begun
// nowhere but in the east, or goes on nowhere but in the west.
func TestChangeWherePeriodsMeet(t *testing.T) {
	year := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(day string, hour int) *survey.Touchpoint {
		out := everyone(day)
		out.Trigger.Hour = hour
		return out
	}
	for _, c := range []struct {
		zone     string
		cadence  *survey.Touchpoint
		closed   string // until the change
		change   time.Time
		occasion survey.Occasion
	}{
		// It is 11 on New Year's Day.
		{"Pacific/Auckland", at("1", 10), "01-01", year.Add(-2 * hour), "2027-01"},
		// It is 16 on New Year's Eve.
		{"Pacific/Pago_Pago", at("30", 17), "12-30", year.Add(3 * hour), "2026-12"},
	} {
		w := newWorld(t, year.Add(-72*hour), c.cadence)
		w.rules.Holidays, w.rules.Closed = survey.NoHolidays, []string{c.closed}
		id := w.add(1, c.zone, nil)[0]
		w.ticks(year.Add(-72*hour), c.change.Add(-hour))
		if n := len(w.took()); n != 0 {
			t.Fatalf("%s: %d asks before the change", c.zone, n)
		}
		w.rules.Closed = nil
		w.tick(c.change)
		asks := w.took()
		for _, s := range w.waiting {
			asks = append(asks, s.ask)
		}
		if len(asks) != 1 || asks[0].Contact != id || asks[0].Occasion != c.occasion {
			t.Errorf("%s: asked %+v, want %s for %s", c.zone, asks, id, c.occasion)
		}
	}
}

// Where the asks of a tick that failed in the end have been sent, the next try
// leaves their contacts alone, also where they could be asked again.
func TestTickAfterItsAsksWereSent(t *testing.T) {
	w := newWorld(t, monday, everyone("23"))
	w.rules.Rest, w.rules.Recontact = new(survey.Span(0)), new(survey.Span(0))
	w.add(3, "Europe/Helsinki", nil)
	w.tick(monday.Add(-hour))
	w.clock.Move(hour)
	w.trouble = func(call string, _ bool) error {
		if call == "PutPlanned" {
			return errors.New("trouble")
		}
		return nil
	}
	if err := w.h.Handle(context.Background(), tickBody(monday)); err == nil {
		t.Fatal("no error")
	}
	w.trouble = nil
	w.deliver(1)
	w.tick(monday.Add(hour))
	if n := len(w.took()); n != 0 || len(w.sent) != 3 {
		t.Errorf("%d are asked, and %d of them again", len(w.sent), n)
	}
}

// Two ticks at once both queue everybody, which send tells, and one of them is
// written down.
func TestTicksAtOnce(t *testing.T) {
	w := newWorld(t, monday, everyone("23"))
	w.add(1, "Europe/Helsinki", nil)
	w.tick(monday.Add(-hour))
	first := true
	w.clock.Move(hour)
	w.trouble = func(call string, after bool) error {
		if call == "PutPlanned" && !after && first {
			first = false
			w.planned.Version++ // the other one was here
		}
		return nil
	}
	w.handle(tickBody(monday))
	if len(w.queue) != 1 || !w.planned.Through.Equal(monday.Add(-hour)) {
		t.Errorf("queued %d, planned through %s", len(w.queue), w.planned.Through)
	}
	w.tick(monday.Add(hour))
	if asks := w.took(); len(asks) != 2 || asks[0] != asks[1] || !w.planned.Through.Equal(monday.Add(hour)) {
		t.Errorf("queued %+v, planned through %s", asks, w.planned.Through)
	}
}

// A tick that does not fit in one invocation stops in time, and the next goes on
// where it was.
func TestTickGoesOnWhereTheTimeWasUp(t *testing.T) {
	w := newWorld(t, monday, everyone("23"))
	ids := w.add(1000, "Europe/Helsinki", nil)
	w.tick(monday.Add(-hour))
	w.clock.Move(hour)
	invocations, read := 0, 0
	for tick := monday; w.planned.Through.Before(monday); tick = tick.Add(time.Minute) {
		if invocations++; invocations > 50 {
			t.Fatal("the tick never ends")
		}
		// The deadline comes after so many pages: a context of its own, as no
		// test can wait for the real one.
		ctx, stop := context.WithCancelCause(context.Background())
		var pages atomic.Int64
		w.trouble = func(call string, after bool) error {
			if call == "EachOfCohort" && after {
				read++
			}
			if call == "SendAsks" && after && pages.Add(1) == 20 {
				stop(errUnfinished)
			}
			return nil
		}
		err := w.h.Handle(ctx, tickBody(tick))
		stop(nil)
		if done := !w.planned.Through.Before(monday); done != (err == nil) || err != nil && !errors.Is(err, errUnfinished) {
			t.Fatalf("invocation %d: error %v, planned through %s", invocations, err, w.planned.Through)
		}
	}
	asked := contactsOf(w.took())
	if all := slices.Compact(slices.Clone(asked)); !slices.Equal(all, ids) || len(asked) > len(ids)+invocations*workers*20 {
		t.Errorf("%d asks to %d of %d contacts", len(asked), len(all), len(ids))
	}
	if invocations < 3 || read > 90+invocations*(workers+2) || len(w.planned.Done) != 0 {
		t.Errorf("%d invocations, %d cohorts read of 90, %d parts remembered", invocations, read, len(w.planned.Done))
	}
	// With no time at all nothing is begun.
	ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(stopTime-time.Second))
	defer cancel()
	w.clock.Move(30 * 24 * hour)
	if err := w.h.Handle(ctx, tickBody(w.clock.Now())); !errors.Is(err, errUnfinished) || len(w.took()) != 0 {
		t.Errorf("without time: %v", err)
	}
}
