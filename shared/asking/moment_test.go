package asking

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/survey"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// nights are when clocks are moved, in every way that clocks have been.
var nights = []struct{ zone, day string }{
	{"Europe/Helsinki", "2026-03-29"},
	{"Europe/Helsinki", "2026-10-25"},
	{"America/New_York", "2026-03-08"},
	{"America/New_York", "2026-11-01"},
	{"Australia/Lord_Howe", "2026-04-05"},  // by half an hour
	{"Australia/Lord_Howe", "2026-10-04"},  //
	{"Asia/Kathmandu", "1986-01-01"},       // by a quarter of an hour, at midnight and a year's end
	{"Asia/Kathmandu", "2026-01-01"},       // never since
	{"Pacific/Apia", "2011-12-30"},         // a day that was not
	{"Pacific/Kiritimati", "1994-12-31"},   // the last of a year
	{"Pacific/Kwajalein", "1993-08-21"},    //
	{"America/Sao_Paulo", "2018-11-04"},    // at midnight, forward
	{"America/Sao_Paulo", "2019-02-16"},    // and back, into the day before
	{"America/St_Johns", "2010-11-07"},     // a minute past midnight, back into the day before
	{"America/St_Johns", "2011-03-13"},     //
	{"Antarctica/Troll", "2026-03-29"},     // by two hours
	{"Antarctica/Troll", "2026-10-25"},     //
	{"Africa/Casablanca", "2026-03-22"},    // for Ramadan, summer's hour taken back
	{"America/Santiago", "2026-09-06"},     // at midnight
	{"Asia/Gaza", "2026-03-28"},            //
	{"Africa/Cairo", "2026-10-29"},         // at midnight, back
	{"America/Caracas", "2016-05-01"},      // for good
	{"UTC", "2026-06-30"},                  //
	{"Asia/Pyongyang", "2018-05-05"},       // at 23:30
	{"Pacific/Chatham", "2026-04-05"},      // at 3:45
	{"America/Scoresbysund", "2024-03-31"}, // twice in a row
}

// clock is what the clocks of a zone showed, minute by minute.
type clock struct {
	from time.Time
	face []time.Time // as if in UTC
}

func watch(z *time.Location, from time.Time, days int) clock {
	c := clock{from: from}
	for i := range days * 24 * 60 {
		l := from.Add(time.Duration(i) * time.Minute).In(z)
		c.face = append(c.face, time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC))
	}
	return c
}

// first returns the first minute in which the clocks showed a time or a later
// one.
func (c clock) first(face time.Time) time.Time {
	i := slices.IndexFunc(c.face, func(f time.Time) bool { return !f.Before(face) })
	return c.from.Add(time.Duration(i) * time.Minute)
}

// TestMoment watches the clocks through nights in which they are moved: an
// hour's moment is the first at which they show it, or jump over it.
func TestMoment(t *testing.T) {
	for _, n := range nights {
		z, night := zone(t, n.zone), day(t, n.day)
		c := watch(z, night.AddDate(0, 0, -4), 8)
		var last time.Time
		for d := night.AddDate(0, 0, -2); !d.After(night.AddDate(0, 0, 2)); d = d.AddDate(0, 0, 1) {
			for h := range 24 {
				got := moment(d, h, z)
				if want := c.first(d.Add(time.Duration(h) * time.Hour)); !got.Equal(want) {
					t.Errorf("%s, %d on %s: %s, want %s", n.zone, h, d.Format(time.DateOnly), got, want.In(z))
				}
				if got.Before(last) {
					t.Errorf("%s, %d on %s is before the hour before", n.zone, h, d.Format(time.DateOnly))
				}
				last = got
			}
		}
	}
}

// Every hour of every day of this time has exactly one moment, in order.
func TestMomentsAreInOrder(t *testing.T) {
	zones := []string{"Europe/Helsinki", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo", "Africa/Casablanca", "Antarctica/Troll", "Pacific/Kiritimati"}
	rapid.Check(t, func(t *rapid.T) {
		z, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		d := date(1990, time.January, 1).AddDate(0, 0, rapid.IntRange(0, 50*365).Draw(t, "day"))
		h := rapid.IntRange(0, 23).Draw(t, "hour")
		at := moment(d, h, z)
		if again := moment(d, h, z); again != at {
			t.Fatalf("%s and %s", at, again)
		}
		next := moment(d, h+1, z)
		if h == 23 {
			next = moment(d.AddDate(0, 0, 1), 0, z)
		}
		if gap := next.Sub(at); gap < 0 || gap > 3*time.Hour {
			t.Fatalf("%s, and %s later the next", at, gap)
		}
		if local := at.In(z); dayOf(local).Equal(d) && local.Hour() == h && local.Minute() != 0 && !at.Equal(startOfZone(local)) {
			t.Fatalf("%d strikes at %s", h, local)
		}
	})
}

func startOfZone(t time.Time) time.Time {
	start, _ := t.ZoneBounds()
	return start
}

func TestSendable(t *testing.T) {
	helsinki := zone(t, "Europe/Helsinki")
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", s, helsinki)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	event, nine, late := &survey.Trigger{Event: "x"}, &survey.Trigger{Every: survey.Quarterly}, &survey.Trigger{Event: "x", Hour: 22}
	for _, tt := range []struct {
		trigger *survey.Trigger
		at      string
		want    bool
	}{
		{event, "2026-11-20 07:59:59", false}, // quiet until 8
		{event, "2026-11-20 08:00:00", true},
		{event, "2026-11-20 19:59:59", true},
		{event, "2026-11-20 20:00:00", false},
		{event, "2026-11-21 12:00:00", false}, // Saturday
		{event, "2026-12-24 12:00:00", false}, // Christmas Eve
		{nine, "2026-11-20 08:59:59", false},
		{nine, "2026-11-20 09:00:00", true},
		{nine, "2026-11-20 17:00:00", true}, // the queue is late
		{nine, "2026-11-20 20:00:00", false},
		{late, "2026-11-20 07:59:59", false}, // a quiet hour is moved to the first that is not
		{late, "2026-11-20 08:00:00", true},
		{late, "2026-11-20 22:00:00", false},
	} {
		if got := NewRulebook(survey.Rules{}).Sendable(tt.trigger, helsinki, at(tt.at)); got != tt.want {
			t.Errorf("%+v at %s: %v", *tt.trigger, tt.at, got)
		}
	}
	// Elsewhere it is another hour and another day.
	if b := NewRulebook(survey.Rules{}); b.Sendable(event, zone(t, "America/New_York"), at("2026-11-20 14:59:59")) || !b.Sendable(event, zone(t, "America/New_York"), at("2026-11-20 15:00:00")) {
		t.Error("8 in New York is 15 in Helsinki")
	}
	if b := NewRulebook(survey.Rules{}); !b.Sendable(event, zone(t, "Pacific/Apia"), at("2026-11-22 21:00:00")) {
		t.Error("it is Monday morning in Apia")
	}
}

func TestNext(t *testing.T) {
	type row struct {
		zone    string
		rules   survey.Rules
		trigger survey.Trigger
		at      string // there
		want    string // there, with the offset where it can be either
	}
	for _, tt := range []row{
		{"Europe/Helsinki", survey.Rules{}, survey.Trigger{Event: "x"}, "2026-11-20 12:34:56 +0200", "2026-11-20 12:34:56 +0200"},
		{"Europe/Helsinki", survey.Rules{}, survey.Trigger{Event: "x"}, "2026-11-20 07:59:59 +0200", "2026-11-20 08:00:00 +0200"},
		{"Europe/Helsinki", survey.Rules{}, survey.Trigger{Event: "x"}, "2026-11-20 20:00:00 +0200", "2026-11-23 08:00:00 +0200"}, // over the weekend
		{"Europe/Helsinki", survey.Rules{}, survey.Trigger{Event: "x"}, "2026-12-23 20:00:00 +0200", "2026-12-28 08:00:00 +0200"}, // over Christmas
		{"Europe/Helsinki", survey.Rules{Closed: []string{"12-28"}}, survey.Trigger{Event: "x"}, "2026-12-24 09:00:00 +0200", "2026-12-29 08:00:00 +0200"},
		{"Europe/Helsinki", survey.Rules{}, survey.Trigger{Event: "x"}, "2026-12-31 23:00:00 +0200", "2027-01-04 08:00:00 +0200"}, // over New Year
		{"Europe/Helsinki", survey.Rules{}, survey.Trigger{Event: "x", Hour: 17}, "2026-11-20 17:00:00 +0200", "2026-11-20 17:00:00 +0200"},
		{"Europe/Helsinki", survey.Rules{}, survey.Trigger{Event: "x", Hour: 17}, "2026-11-19 17:00:01 +0200", "2026-11-20 17:00:00 +0200"},
		{"Europe/Helsinki", survey.Rules{}, survey.Trigger{Event: "x", Hour: 22}, "2026-11-19 08:00:01 +0200", "2026-11-20 08:00:00 +0200"}, // out of the quiet hours
		{"Europe/Helsinki", survey.Rules{}, survey.Trigger{Event: "x", Weekdays: []string{"sun"}}, "2026-11-20 12:00:00 +0200", "2026-11-22 08:00:00 +0200"},
		{"Europe/Helsinki", survey.Rules{Quiet: &survey.Quiet{}}, survey.Trigger{Event: "x"}, "2026-11-20 23:59:59 +0200", "2026-11-20 23:59:59 +0200"},
		{"Europe/Helsinki", survey.Rules{Quiet: &survey.Quiet{}}, survey.Trigger{Event: "x"}, "2026-11-22 23:59:59 +0200", "2026-11-23 00:00:00 +0200"},
		// Clocks go from 3 to 4: at 3 that day is at 4.
		{"Europe/Helsinki", survey.Rules{Quiet: &survey.Quiet{}}, survey.Trigger{Event: "x", Hour: 3, Weekdays: []string{"sun"}}, "2026-03-28 12:00:00 +0200", "2026-03-29 04:00:00 +0300"},
		{"Europe/Helsinki", survey.Rules{Quiet: &survey.Quiet{From: 4, To: 3}}, survey.Trigger{Event: "x", Weekdays: []string{"sun"}}, "2026-03-28 12:00:00 +0200", "2026-04-12 03:00:00 +0300"}, // Easter in between; all hours but 3 are quiet: not that day
		{"Europe/Helsinki", survey.Rules{Quiet: &survey.Quiet{From: 4, To: 3}}, survey.Trigger{Event: "x", Hour: 3, Weekdays: []string{"sun", "mon"}}, "2026-03-28 12:00:00 +0200", "2026-03-30 03:00:00 +0300"},
		// Clocks go from 4 back to 3: at 3 is at the first.
		{"Europe/Helsinki", survey.Rules{Quiet: &survey.Quiet{}}, survey.Trigger{Event: "x", Hour: 3, Weekdays: []string{"sun"}}, "2026-10-24 12:00:00 +0300", "2026-10-25 03:00:00 +0300"},
		{"Europe/Helsinki", survey.Rules{Quiet: &survey.Quiet{}}, survey.Trigger{Event: "x", Hour: 3, Weekdays: []string{"sun", "mon"}}, "2026-10-25 03:00:00 +0200", "2026-10-26 03:00:00 +0200"},
		// By two hours, from 3 back to 1: the second 2 comes before 3.
		{"Antarctica/Troll", survey.Rules{Quiet: &survey.Quiet{From: 1, To: 2}}, survey.Trigger{Event: "x", Weekdays: []string{"sun"}}, "2026-10-25 01:30:00 +0000", "2026-10-25 02:00:00 +0000"},
		{"Australia/Lord_Howe", survey.Rules{Quiet: &survey.Quiet{From: 20, To: 2}}, survey.Trigger{Event: "x", Weekdays: []string{"sun"}}, "2026-10-03 12:00:00 +1030", "2026-10-04 02:30:00 +1100"},
		{"Asia/Kathmandu", survey.Rules{}, survey.Trigger{Event: "x", Hour: 9}, "2026-12-31 09:00:01 +0545", "2027-01-04 09:00:00 +0545"},
		// Friday 30 December 2011 was not; the next that was open was a Monday.
		{"Pacific/Apia", survey.Rules{}, survey.Trigger{Event: "x", Hour: 9}, "2011-12-29 09:00:01 -1000", "2012-01-02 09:00:00 +1400"},
		// Monday began at 1 in Brazil.
		{"America/Sao_Paulo", survey.Rules{Quiet: &survey.Quiet{}}, survey.Trigger{Event: "x", Weekdays: []string{"sun"}}, "2018-11-03 23:59:59 -0300", "2018-11-04 01:00:00 -0200"},
		// A minute past midnight it was Saturday again.
		{"America/St_Johns", survey.Rules{Holidays: survey.NoHolidays, Quiet: &survey.Quiet{From: 0, To: 1}}, survey.Trigger{Event: "x", Weekdays: []string{"sat"}}, "2010-11-07 00:00:00 -0230", "2010-11-06 23:01:00 -0330"},
	} {
		z := zone(t, tt.zone)
		at, err := time.Parse("2006-01-02 15:04:05 -0700", tt.at)
		if err != nil {
			t.Fatal(err)
		}
		b := NewRulebook(tt.rules)
		got, ok := b.Next(&tt.trigger, z, at)
		if shown := got.In(z).Format("2006-01-02 15:04:05 -0700"); !ok || shown != tt.want {
			t.Errorf("%s, %+v at %s: %s, want %s", tt.zone, tt.trigger, tt.at, shown, tt.want)
		}
		if ok && !b.Sendable(&tt.trigger, z, got) {
			t.Errorf("%s, %+v: %s is not sendable", tt.zone, tt.trigger, got)
		}
	}
}

// Where no day is open, there is no next moment.
func TestNextOfNever(t *testing.T) {
	var closed []string
	for d := date(2024, time.January, 1); d.Year() == 2024; d = d.AddDate(0, 0, 1) {
		if len(closed) < 366 {
			closed = append(closed, d.Format("01-02"))
		}
	}
	b := NewRulebook(survey.Rules{Closed: closed})
	for _, g := range []*survey.Trigger{{Event: "x"}, {Event: "x", Hour: 9}} {
		if at, ok := b.Next(g, time.UTC, date(2026, time.May, 1)); ok {
			t.Errorf("%+v: %s", *g, at)
		}
	}
}

// drawRules draws rules and a trigger of a business event or a cadence.
func drawRules(t *rapid.T) survey.Rules {
	r := survey.Rules{Holidays: rapid.SampledFrom([]string{"FI", survey.NoHolidays}).Draw(t, "holidays")}
	if rapid.Bool().Draw(t, "quiet") {
		r.Quiet = &survey.Quiet{From: rapid.IntRange(0, 23).Draw(t, "quiet from"), To: rapid.IntRange(0, 23).Draw(t, "quiet to")}
	}
	r.Closed = rapid.SliceOfN(rapid.SampledFrom([]string{"12-27", "12-28", "2026-03-30", "2026-10-26", "01-04", "02-29", "2026-11-02"}), 0, 4).Draw(t, "closed")
	return r
}

func drawTrigger(t *rapid.T, cadence bool) *survey.Trigger {
	g := &survey.Trigger{
		Hour:     rapid.IntRange(0, 23).Draw(t, "hour"),
		Weekdays: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}), 0, 7, rapid.ID[string]).Draw(t, "weekdays"),
	}
	if !cadence {
		g.Event = "purchase.completed"
		return g
	}
	g.Every = rapid.SampledFrom(survey.Cadences()).Draw(t, "every")
	return g
}

// Next is the first sendable moment, at the sending hour where there is one:
// the clocks are watched minute by minute.
func TestNextIsFirst(t *testing.T) {
	zones := map[string]*time.Location{}
	for _, n := range nights {
		zones[n.zone] = zone(t, n.zone)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom(nights).Draw(t, "night")
		z := zones[n.zone]
		night, err := time.Parse(time.DateOnly, n.day)
		if err != nil {
			t.Fatal(err)
		}
		b, g := NewRulebook(drawRules(t)), drawTrigger(t, false)
		from := night.AddDate(0, 0, -2).Add(time.Duration(rapid.IntRange(0, 4*24*60).Draw(t, "minute")) * time.Minute)
		got, ok := b.Next(g, z, from)
		if !ok || got.Before(from) || !b.Sendable(g, z, got) {
			t.Fatalf("%s, %v, sendable: %v", got.In(z), ok, b.Sendable(g, z, got))
		}
		hour, fixed := b.sendHour(g)
		for at := from; at.Before(got) && at.Before(from.AddDate(0, 0, 4)); at = at.Add(time.Minute) {
			if !b.Sendable(g, z, at) {
				continue
			}
			if !fixed || at.Equal(moment(dayOf(at.In(z)), hour, z)) {
				t.Fatalf("from %s: %s, but %s is sendable", from.In(z), got.In(z), at.In(z))
			}
		}
	})
}
