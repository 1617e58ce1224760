package plan

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
)

// Nights when clocks change, in one direction and the other, and turns of the
// year, in the zones of the property test.
var nights = []time.Time{
	time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC),   // Helsinki, forward
	time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC),  // Helsinki, back
	time.Date(2027, 3, 14, 7, 0, 0, 0, time.UTC),   // New York and St John's, forward
	time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC),   // New York, back
	time.Date(2026, 10, 3, 15, 30, 0, 0, time.UTC), // Lord Howe, forward by half an hour
	time.Date(2027, 4, 3, 15, 0, 0, 0, time.UTC),   // Lord Howe, back
	time.Date(2026, 4, 25, 22, 0, 0, 0, time.UTC),  // Cairo, forward at midnight
	time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC),
	time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC),
}

var zones = []string{
	"Europe/Helsinki", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu",
	"Pacific/Kiritimati", "Pacific/Pago_Pago",
}

func drawCadence(t *rapid.T, id string) *survey.Touchpoint {
	g := survey.Trigger{
		Every: rapid.SampledFrom(survey.Cadences()).Draw(t, "every"),
		Hour:  rapid.IntRange(0, 23).Draw(t, "hour"),
	}
	if rapid.Bool().Draw(t, "all week") {
		g.Weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	}
	if rapid.Bool().Draw(t, "segment") {
		g.Segments = []string{"vip"}
	}
	if rapid.Bool().Draw(t, "on a day") {
		g.Spread, g.Every = new(false), survey.Monthly
		g.On = rapid.SampledFrom([]string{"", "1", "2", "14", "25", "26", "29", "31"}).Draw(t, "on")
	}
	return touchpoint(id, g)
}

// Whatever the cadences, the rules, the zones and the clocks: everybody who has
// a turn while ticks come, and may be asked, is queued once for the period, for
// the sending hour of an open day of their own, and within the hour after it
// where the ticks are regular; everybody else who has a turn is refused and told
// why. Ticks may come late, not at all, or twice.
func TestEveryoneDueIsQueuedOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.SampledFrom(nights).Draw(t, "night").Truncate(hour).Add(-time.Duration(rapid.IntRange(1, 60).Draw(t, "before")) * hour)
		w := newWorld(t, start, drawCadence(t, "one"), drawCadence(t, "two"))
		w.rules.Holidays = rapid.SampledFrom([]string{"FI", survey.NoHolidays}).Draw(t, "holidays")
		quiet := rapid.SampledFrom([]survey.Quiet{{From: 20, To: 8}, {From: 12, To: 14}, {}}).Draw(t, "quiet")
		w.rules.Quiet = &quiet
		for range rapid.IntRange(1, 3).Draw(t, "zones") {
			w.add(rapid.IntRange(1, 40).Draw(t, "contacts"), rapid.SampledFrom(zones).Draw(t, "zone"), func(c *survey.Contact) {
				if rapid.IntRange(0, 3).Draw(t, "address") == 0 {
					c.Email = ""
				}
				if rapid.Bool().Draw(t, "vip") {
					c.Segments = []string{"vip"}
				}
				c.Number = rapid.Int64Range(1, 1<<40).Draw(t, "number")
			})
		}
		// A tick may be missing where regular is false, but the first and the
		// last.
		regular := rapid.Bool().Draw(t, "regular")
		end := start.Add(100 * hour)
		var got []asked
		for at := start; !at.After(end); at = at.Add(hour) {
			if !regular && at != start && at != end && rapid.IntRange(0, 2).Draw(t, "tick") > 0 {
				continue
			}
			for range rapid.IntRange(1, 2).Draw(t, "times") {
				w.tick(at)
			}
			for _, a := range w.took() {
				got = append(got, asked{a, at})
			}
		}
		for _, s := range w.waiting {
			if regular {
				t.Errorf("regular ticks schedule %+v for %s", s.ask, s.at)
			}
			got = append(got, asked{s.ask, s.at})
		}
		w.check(t, got, start, end, regular)
	})
}

// asked is an ask and when it comes to send.
type asked struct {
	queue.Ask
	at time.Time
}

func (w *world) check(t *rapid.T, got []asked, start, end time.Time, regular bool) {
	book := asking.NewRulebook(w.rules)
	due := 0
	for _, tp := range w.touchpoints {
		for _, c := range w.contacts {
			zone, err := time.LoadLocation(c.Zone)
			if err != nil {
				t.Fatal(err)
			}
			may := c.Email != "" && (len(tp.Trigger.Segments) == 0 || len(c.Segments) > 0)
			for _, turn := range book.Turns(tp, zone, start.Add(-hour), end) {
				if !turn.Has(c.Number) {
					continue
				}
				o := turn.Period.Occasion()
				i := slices.IndexFunc(got, func(a asked) bool {
					return a.Touchpoint == tp.ID && a.Contact == c.ID && a.Occasion == o
				})
				d, decided := w.decisions[occasionKey{c.ID, tp.ID, o}]
				if !may {
					if !decided || d.Verdict != survey.Refused || i >= 0 {
						t.Errorf("%s %s %s: asked, or not refused: %+v", tp.ID, c.ID, o, d)
					}
					continue
				}
				if decided && d.Reason == survey.TooLate && !regular {
					continue // its period was over when the next tick came
				}
				if i < 0 || decided {
					t.Errorf("%s %s %s: not asked, decided %+v", tp.ID, c.ID, o, d)
					continue
				}
				due++
				a := got[i]
				got = slices.Delete(got, i, i+1)
				w.checkMoment(t, book, tp, zone, a, regular)
				if !a.Due.Equal(turn.Due) {
					t.Errorf("%s %s %s: due %s, want %s", tp.ID, c.ID, o, a.Due, turn.Due)
				}
			}
		}
	}
	if len(got) > 0 {
		t.Errorf("%d due, and %d asks more, such as %+v", due, len(got), got[0])
	}
}

// checkMoment holds when an ask comes to what a calendar and a clock on the wall
// say of it.
func (w *world) checkMoment(t *rapid.T, book *asking.Rulebook, tp *survey.Touchpoint, zone *time.Location, a asked, regular bool) {
	want, _ := tp.Trigger.SendHour()
	if q := book.Rules().Quiet; q.Covers(want) {
		want = q.To
	}
	local := a.Due.In(zone)
	skipped := time.Date(local.Year(), local.Month(), local.Day(), want, 0, 0, 0, zone)
	if local.Hour() != want && skipped.Hour() == want || local.Minute() != 0 && skipped.Minute() == 0 {
		t.Errorf("due %s, want at %d", local, want)
	}
	if !tp.Trigger.SendsOn(local.Weekday()) || w.rules.Holidays == "FI" && slices.Contains([]string{"12-25", "12-26", "01-01", "01-06"}, local.Format("01-02")) {
		t.Errorf("due %s, which is no open day", local)
	}
	if regular && (a.at.Before(a.Due) || !a.at.Before(a.Due.Add(hour))) {
		t.Errorf("due %s, and queued at %s", a.Due, a.at)
	}
	if a.at.Before(a.Due) || !regular && a.at.Sub(a.Due) > hour && !book.Sendable(tp.Trigger, zone, a.at) {
		t.Errorf("due %s, and sent at %s", local, a.at.In(zone))
	}
}
