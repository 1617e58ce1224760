package score

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/survey"
)

// anyChange draws a tally that may be a change: negative counts too.
func anyChange(t *rapid.T, name string) Tally {
	var out Tally
	for _, c := range out.Counters() {
		*c.Value = rapid.Int64Range(-1000, 1000).Draw(t, name+"."+c.Name)
	}
	return out
}

func anySheet(t *rapid.T, name string) Sheet {
	s := Sheet{}
	for _, g := range []Group{All, ByChannel(survey.Email), ByChannel(survey.Kiosk), BySegment("plan=gold")} {
		if change := anyChange(t, name); rapid.Bool().Draw(t, name+" has "+string(g)) {
			s.Add(Sheet{g: change})
		}
	}
	return s
}

func TestTallyAddition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anyChange(t, "a"), anyChange(t, "b"), anyChange(t, "c")
		if a.Add(b) != b.Add(a) {
			t.Error("not commutative")
		}
		if a.Add(b).Add(c) != a.Add(b.Add(c)) {
			t.Error("not associative")
		}
		if a.Add(Tally{}) != a || a.Sub(Tally{}) != a {
			t.Error("the zero tally changes something")
		}
		if a.Add(b).Sub(b) != a || a.Sub(a) != (Tally{}) || a.Sub(b).Add(b) != a {
			t.Error("Sub does not invert Add")
		}
		if got := a.Add(b).N(); got != a.N()+b.N() {
			t.Errorf("n of the sum is %d", got)
		}
	})
}

func TestSheetAddition(t *testing.T) {
	sum := func(sheets ...Sheet) Sheet {
		out := Sheet{}
		for _, s := range sheets {
			out.Add(s)
		}
		return out
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anySheet(t, "a"), anySheet(t, "b"), anySheet(t, "c")
		if !maps.Equal(sum(a, b), sum(b, a)) {
			t.Error("not commutative")
		}
		if !maps.Equal(sum(sum(a, b), c), sum(a, sum(b, c))) {
			t.Error("not associative")
		}
		if !maps.Equal(sum(a, Sheet{}), a) {
			t.Error("the empty sheet changes something")
		}
		back := sum(a, b)
		back.Sub(b)
		if !maps.Equal(back, a) {
			t.Error("Sub does not invert Add")
		}
		back.Sub(a)
		if len(back) != 0 {
			t.Errorf("groups that come to nothing stay: %v", back)
		}
	})
}

// The names are part of the stored format: a changed one orphans every count
// stored under it.
func TestCounters(t *testing.T) {
	var tally Tally
	var names []string
	for i, c := range tally.Counters() {
		names = append(names, c.Name)
		*c.Value = int64(i + 1)
	}
	want := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "suspect", "sent", "delivered", "bounced", "answered", "confirmed"}
	if !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	if got := (Tally{[11]int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 12, 13, 14, 15, 16, 17}); tally != got {
		t.Errorf("the counters do not reach every field: %+v", tally)
	}
}

func TestGroups(t *testing.T) {
	if c, ok := ByChannel(survey.SMS).Channel(); !ok || c != survey.SMS {
		t.Error(c, ok)
	}
	if s, ok := BySegment("a:b=c").Segment(); !ok || s != "a:b=c" {
		t.Error(s, ok)
	}
	for _, g := range []Group{All, BySegment("channel:sms")} {
		if c, ok := g.Channel(); ok || c != "" {
			t.Errorf("%q is channel %q", g, c)
		}
	}
	for _, g := range []Group{All, ByChannel("segment:x")} {
		if s, ok := g.Segment(); ok || s != "" {
			t.Errorf("%q is segment %q", g, s)
		}
	}
}

func TestPeriods(t *testing.T) {
	at := time.Date(2026, 11, 1, 0, 30, 0, 0, helsinki(t)) // 31 October in UTC
	if Day(at) != "day#2026-11-01" || Month(at) != "month#2026-11" {
		t.Error(Day(at), Month(at))
	}
	for p, want := range map[Period]time.Time{
		Day(at):          time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		Month(at):        time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		"day#2028-02-29": time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC),
	} {
		if got, err := p.Start(); err != nil || !got.Equal(want) {
			t.Errorf("%s starts %v %v, want %v", p, got, err, want)
		}
	}
	for _, p := range []Period{"", "day", "day#", "day#2026-02-29", "day#2026-1-1", "month#2026-13", "month#2026-01-01", "week#2026-01", "2026-01-01"} {
		if got, err := p.Start(); err == nil {
			t.Errorf("%q starts %v", p, got)
		}
	}
}

func helsinki(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

var aDay = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// anyAsk draws an ask as it may stand in the table, or nil for not there.
func anyAsk(t *rapid.T) *survey.Ask {
	if rapid.IntRange(0, 9).Draw(t, "there") == 0 {
		return nil
	}
	after := func(name string, base time.Time, never bool) time.Time {
		if never && rapid.Bool().Draw(t, "no "+name) {
			return time.Time{}
		}
		return base.Add(time.Duration(rapid.IntRange(0, 60*24*40).Draw(t, name)) * time.Minute)
	}
	m := anyMetric(t)
	low, high := m.Scale()
	a := &survey.Ask{
		Touchpoint: "shop", Series: 1, Metric: m,
		Channel:  rapid.SampledFrom([]survey.Channel{survey.Email, survey.SMS, survey.Popup}).Draw(t, "channel"),
		Segments: rapid.SampledFrom([][]string{nil, {"plan=gold"}, {"age=old", "plan=gold"}}).Draw(t, "segments"),
		AskedAt:  after("asked", aDay, false),
		SentAt:   after("sent", aDay, true),
		Trust:    rapid.SampledFrom([]survey.Trust{"", survey.Click, survey.Human, survey.Suspect}).Draw(t, "trust"),
	}
	if !a.SentAt.IsZero() {
		a.DeliveredAt, a.BouncedAt = after("delivered", a.SentAt, true), after("bounced", a.SentAt, true)
	}
	if a.Answered() {
		a.AnsweredAt = after("answered", a.AskedAt, false)
		a.Score = rapid.IntRange(low, high).Draw(t, "score")
	}
	return a
}

// counted returns the changes of one ask alone, replaced as it says.
func counted(before, after *survey.Ask) Changes {
	c := Changes{}
	c.Replace(before, after, time.UTC)
	return c
}

// filled returns c without the keys that were only touched.
func filled(c Changes) Changes {
	out := Changes{}
	for k, s := range c {
		if len(s) > 0 {
			out[k] = s
		}
	}
	return out
}

func equal(a, b Changes) bool { return maps.EqualFunc(a, b, maps.Equal[Sheet, Sheet]) }

// TestContribution holds one image of an ask against what it counts for.
func TestContribution(t *testing.T) {
	sent := aDay.Add(time.Hour)
	answered := aDay.Add(49 * time.Hour) // two days later
	sentOnly := survey.Ask{Metric: survey.NPS, Channel: survey.Email, AskedAt: aDay, SentAt: sent}
	with := func(edit func(*survey.Ask)) *survey.Ask {
		a := sentOnly
		edit(&a)
		return &a
	}
	answer := func(a *survey.Ask, trust survey.Trust) { a.Trust, a.Score, a.AnsweredAt = trust, 9, answered }
	nine := Tally{Scores: [11]int64{9: 1}}
	for _, c := range []struct {
		name           string
		ask            *survey.Ask
		onSent, onDone Tally // on the day it was sent, and on the day it was answered
	}{
		{"not there", nil, Tally{}, Tally{}},
		{"reserved", with(func(a *survey.Ask) { a.SentAt = time.Time{} }), Tally{}, Tally{}},
		{"sent", &sentOnly, Tally{Sent: 1}, Tally{}},
		{"delivered", with(func(a *survey.Ask) { a.DeliveredAt = sent }), Tally{Sent: 1, Delivered: 1}, Tally{}},
		{"a test, answered", with(func(a *survey.Ask) { a.Test = true; answer(a, survey.Human) }), Tally{}, Tally{}},
		{"bounced", with(func(a *survey.Ask) { a.BouncedAt = sent }), Tally{Sent: 1, Bounced: 1}, Tally{}},
		{"delivered, then bounced", with(func(a *survey.Ask) { a.DeliveredAt, a.BouncedAt = sent, answered }), Tally{Sent: 1, Bounced: 1}, Tally{}},
		{"clicked", with(func(a *survey.Ask) { answer(a, survey.Click) }), Tally{Sent: 1, Delivered: 1, Answered: 1}, nine},
		{"confirmed", with(func(a *survey.Ask) { answer(a, survey.Human) }), Tally{Sent: 1, Delivered: 1, Answered: 1, Confirmed: 1}, nine},
		{"bounced and answered", with(func(a *survey.Ask) { a.BouncedAt = sent; answer(a, survey.Click) }), Tally{Sent: 1, Delivered: 1, Answered: 1}, nine},
		{"suspect", with(func(a *survey.Ask) { answer(a, survey.Suspect) }), Tally{Sent: 1}, Tally{Suspect: 1}},
		{"suspect and bounced", with(func(a *survey.Ask) { a.BouncedAt = sent; answer(a, survey.Suspect) }), Tally{Sent: 1, Bounced: 1}, Tally{Suspect: 1}},
		{"a vote", with(func(a *survey.Ask) { a.SentAt = time.Time{}; answer(a, survey.Human) }), Tally{}, nine},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := counted(nil, c.ask)
			want := Changes{}
			for _, part := range []struct {
				at    time.Time
				tally Tally
			}{{sent, c.onSent}, {answered, c.onDone}} {
				for _, p := range []Period{Day(part.at), Month(part.at)} {
					if part.tally == (Tally{}) {
						continue
					}
					k := Key{Period: p}
					if want[k] == nil {
						want[k] = Sheet{}
					}
					want[k].Add(Sheet{All: part.tally, ByChannel(survey.Email): part.tally})
				}
			}
			if !equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}

func TestContributionBySegment(t *testing.T) {
	c := counted(nil, &survey.Ask{
		Touchpoint: "shop", Series: 3, Metric: survey.Thumbs, Segments: []string{"age=old", "plan=gold"},
		AskedAt: aDay, AnsweredAt: aDay, Trust: survey.Human, Score: 1,
	})
	yes := thumbs(1, 1)
	want := Sheet{All: yes, BySegment("age=old"): yes, BySegment("plan=gold"): yes} // and no channel
	if !equal(c, Changes{{"shop", 3, "day#2026-11-21"}: want, {"shop", 3, "month#2026-11"}: want}) {
		t.Error(c)
	}
}

// A stream of an ask's images comes to the last minus the first, in whatever
// order its steps arrive.
func TestReplaceInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		images := make([]*survey.Ask, rapid.IntRange(2, 8).Draw(t, "images"))
		for i := range images {
			images[i] = anyAsk(t)
		}
		steps := make([]int, len(images)-1)
		for i := range steps {
			steps[i] = i
		}
		got := Changes{}
		for _, i := range rapid.Permutation(steps).Draw(t, "order") {
			got.Replace(images[i], images[i+1], time.UTC)
		}
		want := counted(images[0], images[len(images)-1])
		if !equal(filled(got), want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

// Whatever happens to an ask between its first image and its removal, nothing
// of it stays but the keys it touched.
func TestRemovalLeavesOnlyTouchedKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		touched := map[Key]bool{}
		got := Changes{}
		var last *survey.Ask
		for range rapid.IntRange(1, 8).Draw(t, "edits") {
			next := anyAsk(t)
			for k := range counted(last, next) {
				touched[k] = true
			}
			got.Replace(last, next, time.UTC)
			last = next
		}
		for k := range counted(last, nil) {
			touched[k] = true
		}
		got.Replace(last, nil, time.UTC)
		for k, sheet := range got {
			if len(sheet) > 0 || !touched[k] {
				t.Errorf("%v stays: %v", k, sheet)
			}
			delete(touched, k)
		}
		if len(touched) > 0 {
			t.Errorf("touched and gone: %v", touched)
		}
	})
}

func TestReplaceThatChangesNothingTouchesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAsk(t)
		if c := counted(a, a); len(c) != 0 {
			t.Errorf("touched %v", c)
		}
		if a == nil {
			return
		}
		b := *a
		b.Comment, b.EditedAt, b.Locale = "why", aDay, "sv"
		if c := counted(a, &b); len(c) != 0 {
			t.Errorf("a comment touched %v", c)
		}
	})
}

// A later edit changes the day of the first answer, not the day of the edit.
func TestEditCountsOnTheDayOfTheAnswer(t *testing.T) {
	first := survey.Ask{Metric: survey.NPS, AskedAt: aDay, AnsweredAt: aDay, Trust: survey.Human, Score: 9}
	edited := first
	edited.Score, edited.EditedAt = 3, aDay.AddDate(0, 0, 20)
	want := Sheet{All: answers(map[int]int64{3: 1, 9: -1})}
	if got := counted(&first, &edited); !equal(got, Changes{{Period: Day(aDay)}: want, {Period: Month(aDay)}: want}) {
		t.Error(got)
	}
}

// The days of Helsinki when the clocks change have 23 and 25 hours; every
// minute of them, and the midnights around them, lands on its own date.
func TestDaysOfTheReportingZone(t *testing.T) {
	zone := helsinki(t)
	on := func(at time.Time) Period {
		c := Changes{}
		c.Replace(nil, &survey.Ask{Metric: survey.Thumbs, AskedAt: at, AnsweredAt: at, Trust: survey.Human}, zone)
		for k := range c {
			if _, err := time.Parse("day#2006-01-02", string(k.Period)); err == nil {
				return k.Period
			}
		}
		t.Fatalf("no day in %v", c)
		return ""
	}
	for _, c := range []struct {
		name         string
		first, after time.Time // the day in UTC
		day          Period
	}{
		{"summer", time.Date(2026, 7, 14, 21, 0, 0, 0, time.UTC), time.Date(2026, 7, 15, 21, 0, 0, 0, time.UTC), "day#2026-07-15"},
		{"23 hours", time.Date(2026, 3, 28, 22, 0, 0, 0, time.UTC), time.Date(2026, 3, 29, 21, 0, 0, 0, time.UTC), "day#2026-03-29"},
		{"25 hours", time.Date(2026, 10, 24, 21, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 22, 0, 0, 0, time.UTC), "day#2026-10-25"},
		{"new year", time.Date(2026, 12, 31, 22, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 22, 0, 0, 0, time.UTC), "day#2027-01-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for at := c.first; at.Before(c.after); at = at.Add(time.Minute) {
				if got := on(at); got != c.day {
					t.Fatalf("%v lands on %s", at, got)
				}
			}
			if got := on(c.first.Add(-time.Millisecond)); got == c.day {
				t.Errorf("the millisecond before lands on %s", got)
			}
			if got := on(c.after.Add(-time.Millisecond)); got != c.day {
				t.Errorf("the last millisecond lands on %s", got)
			}
			if got := on(c.after); got == c.day {
				t.Errorf("the midnight after lands on %s", got)
			}
		})
	}
}

// An answer counts on its own day and the rates on the day of sending, also
// where midnight, a month and a year lie between.
func TestSendCohort(t *testing.T) {
	zone := helsinki(t)
	c := Changes{}
	c.Replace(nil, &survey.Ask{
		Metric: survey.Thumbs, Trust: survey.Human, Score: 1,
		AskedAt:    time.Date(2026, 12, 31, 21, 59, 0, 0, time.UTC),
		SentAt:     time.Date(2026, 12, 31, 21, 59, 59, 0, time.UTC),
		AnsweredAt: time.Date(2026, 12, 31, 22, 0, 0, 0, time.UTC),
	}, zone)
	asked := Sheet{All: {Sent: 1, Delivered: 1, Answered: 1, Confirmed: 1}}
	yes := Sheet{All: thumbs(1, 1)}
	want := Changes{
		{Period: "day#2026-12-31"}: asked, {Period: "month#2026-12"}: asked,
		{Period: "day#2027-01-01"}: yes, {Period: "month#2027-01"}: yes,
	}
	if !equal(c, want) {
		t.Errorf("%v, want %v", c, want)
	}
}

// The months are the sums of their days.
func TestMonthsAreSumsOfDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Changes{}
		for range rapid.IntRange(0, 10).Draw(t, "asks") {
			c.Replace(anyAsk(t), anyAsk(t), time.UTC)
		}
		months := Changes{}
		for k, s := range c {
			if start, err := k.Period.Start(); err != nil {
				t.Fatal(err)
			} else if k.Period == Day(start) {
				k.Period = Month(start)
				if months[k] == nil {
					months[k] = Sheet{}
				}
				months[k].Add(s)
			}
		}
		for k, s := range c {
			if start, _ := k.Period.Start(); k.Period == Month(start) && !maps.Equal(s, months[k]) {
				t.Errorf("%v is %v, its days %v", k, s, months[k])
			}
		}
	})
}

func BenchmarkReplace(b *testing.B) {
	zone := time.FixedZone("reporting", 2*60*60)
	rng := rand.New(rand.NewPCG(1, 2))
	asks := make([]*survey.Ask, 1000)
	for i := range asks {
		at := aDay.Add(time.Duration(rng.IntN(60*24)) * time.Minute)
		asks[i] = &survey.Ask{
			Touchpoint: fmt.Sprintf("touchpoint-%d", i%5), Series: 1, Metric: survey.NPS, Channel: survey.Email,
			AskedAt: at, AnsweredAt: at, Trust: survey.Human, Score: rng.IntN(11),
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c := Changes{}
		c.Replace(nil, asks[i%len(asks)], zone)
	}
}
