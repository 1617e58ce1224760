package asking

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/survey"
)

// Cohorts are filled evenly from the first contacts on.
func TestCohort(t *testing.T) {
	for _, n := range []int{900, 1000, 10_000, 123_456} {
		var size [Cohorts]int
		for i := 1; i <= n; i++ {
			size[Cohort(int64(i))]++
		}
		mean := float64(n) / Cohorts
		for c, s := range size {
			if float64(s) < 0.7*mean || float64(s) > 1.3*mean {
				t.Errorf("of %d contacts %d are in cohort %d", n, s, c)
			}
		}
	}
	// Stored with the contact: the same for ever.
	for number, want := range map[int64]int{1: 55, 2: 21, 3: 76, 1000: 3, 1_000_000: 88} {
		if got := Cohort(number); got != want {
			t.Errorf("contact %d is in cohort %d, was in %d", number, got, want)
		}
	}
}

func drawID(t *rapid.T) string {
	return rapid.StringMatching(`[a-z0-9][a-z0-9-]{0,20}`).Draw(t, "id")
}

// Whatever the rules and the days: each contact has exactly one turn in a
// period, on an open day, and is in a cohort that the turn names.
func TestEveryContactHasOneTurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, g := NewRulebook(drawRules(t)), drawTrigger(t, true)
		p := PeriodOf(g.Every, date(2026, time.Month(rapid.IntRange(1, 24).Draw(t, "month")), 1))
		all := b.turnsOf(&survey.Touchpoint{ID: drawID(t), Trigger: g}, p)
		if len(all) == 0 {
			t.Skip("no open day")
		}
		cohorts := map[int][]int{}
		for i, turn := range all {
			if turn.Day.Before(p.From) || !turn.Day.Before(p.To) || !b.Open(g, turn.Day) || i > 0 && !all[i-1].Day.Before(turn.Day) {
				t.Fatalf("a turn on %s of %+v", turn.Day, p)
			}
			cohorts[i] = turn.Cohorts()
			if most := Cohorts/len(all) + 2; len(cohorts[i]) > most && len(all) > 1 {
				t.Fatalf("%d of %d days: cohorts %v", i, len(all), cohorts[i])
			}
			if sorted := slices.Sorted(slices.Values(cohorts[i])); len(slices.Compact(sorted)) != len(cohorts[i]) {
				t.Fatalf("cohorts %v", cohorts[i])
			}
		}
		first := rapid.Int64Range(1, 1<<40).Draw(t, "number")
		for number := first; number < first+50; number++ {
			turns := 0
			for i, turn := range all {
				if turn.Has(number) {
					turns++
					if !slices.Contains(cohorts[i], Cohort(number)) {
						t.Fatalf("contact %d of cohort %d: %v", number, Cohort(number), cohorts[i])
					}
				}
			}
			if turns != 1 {
				t.Fatalf("contact %d has %d turns", number, turns)
			}
		}
	})
}

// The edges of the days are where Has changes, to the bit.
func TestEdges(t *testing.T) {
	for days := 2; days <= 366; days++ {
		turn := Turn{Touchpoint: &survey.Touchpoint{ID: "x"}, days: days}
		// The inverse of an odd number modulo 2^64, by Newton's method.
		inverse := uint64(golden)
		for range 6 {
			inverse *= 2 - golden*inverse
		}
		for i := range days {
			turn.index = i
			first, last := turn.edge(i), turn.edge(i+1)-1
			for fraction, want := range map[uint64]bool{first: true, last: true, first - 1: false, last + 1: false} {
				if got := turn.Has(int64((fraction - offset("x")) * inverse)); got != want {
					t.Fatalf("%x of day %d of %d: %v", fraction, i, days, got)
				}
			}
		}
	}
}

// However many contacts there are, from a thousand on, no day of a month or a
// quarter has more than 1.2 times the mean.
func TestLoadOfDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &survey.Trigger{Every: rapid.SampledFrom([]survey.Cadence{survey.Monthly, survey.Quarterly}).Draw(t, "every")}
		n := rapid.IntRange(1000, 20_000).Draw(t, "contacts")
		p := PeriodOf(g.Every, date(2026, time.Month(rapid.IntRange(1, 24).Draw(t, "month")), 1))
		all := NewRulebook(survey.Rules{}).turnsOf(&survey.Touchpoint{ID: drawID(t), Trigger: g}, p)
		load := make([]int, len(all))
		for number := range n {
			i := slices.IndexFunc(all, func(turn Turn) bool { return turn.Has(int64(number + 1)) })
			load[i]++
		}
		mean := float64(n) / float64(len(all))
		for i, l := range load {
			if float64(l) > 1.2*mean || float64(l) < 0.8*mean {
				t.Fatalf("%d of %d contacts on day %d of %d", l, n, i, len(all))
			}
		}
	})
}

// Two touchpoints of one cadence do not ask the same contacts on the same days.
func TestTouchpointsAreApart(t *testing.T) {
	b := NewRulebook(survey.Rules{})
	g := &survey.Trigger{Every: survey.Quarterly}
	p := PeriodOf(g.Every, date(2026, time.October, 1))
	one, two := b.turnsOf(&survey.Touchpoint{ID: "relation-nps", Trigger: g}, p), b.turnsOf(&survey.Touchpoint{ID: "relation-csat", Trigger: g}, p)
	same := 0
	for number := range int64(1000) {
		for i := range one {
			if one[i].Has(number+1) && two[i].Has(number+1) {
				same++
			}
		}
	}
	if same > 100 {
		t.Errorf("%d of 1000 contacts have both turns on one day", same)
	}
}

func TestEveryonesDay(t *testing.T) {
	for _, tt := range []struct {
		every    survey.Cadence
		on       string
		weekdays string
		closed   string
		in, want string
	}{
		{survey.Monthly, "", "", "", "2026-12-24", "2026-12-01"},
		{survey.Monthly, "", "", "", "2026-11-24", "2026-11-02"}, // the first is a Sunday
		{survey.Monthly, "15", "", "", "2026-12-01", "2026-12-15"},
		{survey.Monthly, "31", "", "", "2027-04-01", "2027-04-30"},
		{survey.Monthly, "30", "", "", "2028-02-01", "2028-02-29"},
		{survey.Monthly, "31", "", "", "2026-02-01", "2026-02-27"},            // nothing open from there on: the last that was
		{survey.Monthly, "24", "", "12-28 12-29", "2026-12-01", "2026-12-30"}, // over Christmas
		{survey.Quarterly, "", "", "", "2027-02-03", "2027-01-04"},
		{survey.Quarterly, "2-15", "", "", "2026-12-01", "2026-11-16"},
		{survey.Quarterly, "3-31", "", "", "2026-05-01", "2026-06-30"},
		{survey.Yearly, "11-15", "", "", "2026-05-01", "2026-11-16"},
		{survey.Yearly, "2-29", "", "", "2026-05-01", "2026-03-02"}, // the 28th is a Saturday
		{survey.Yearly, "12-31", "sun", "", "2026-05-01", "2026-12-27"},
	} {
		g := &survey.Trigger{Every: tt.every, Spread: new(false), On: tt.on, Weekdays: strings.Fields(tt.weekdays)}
		b := NewRulebook(survey.Rules{Closed: strings.Fields(tt.closed)})
		turns := b.turnsOf(&survey.Touchpoint{ID: "x", Trigger: g}, PeriodOf(tt.every, day(t, tt.in)))
		if len(turns) != 1 || turns[0].Day.Format(time.DateOnly) != tt.want {
			t.Errorf("%s on %q: %v, want %s", tt.every, tt.on, turns, tt.want)
			continue
		}
		if !turns[0].Has(1) || !turns[0].Has(1<<40) || len(turns[0].Cohorts()) != Cohorts {
			t.Errorf("%s on %q: not everyone's", tt.every, tt.on)
		}
	}
}

// A day without anybody's turn: every day of the month is closed.
func TestNoOpenDay(t *testing.T) {
	b := NewRulebook(survey.Rules{Closed: []string{"02-06", "02-13", "02-20", "02-27"}})
	tp := &survey.Touchpoint{ID: "x", Trigger: &survey.Trigger{Every: survey.Monthly, Weekdays: []string{"sat"}}}
	if turns := b.Turns(tp, time.UTC, date(2027, time.January, 31), date(2027, time.March, 1)); len(turns) != 0 {
		t.Errorf("%v", turns)
	}
	if turns := b.Turns(tp, time.UTC, date(2027, time.January, 31), date(2027, time.March, 31)); len(turns) != 4 {
		t.Errorf("%d turns in March", len(turns))
	}
	for _, g := range []*survey.Trigger{nil, {Event: "purchase.completed"}} {
		if turns := b.Turns(&survey.Touchpoint{Trigger: g}, time.UTC, date(2027, time.January, 1), date(2028, time.January, 1)); turns != nil {
			t.Errorf("%+v: %v", g, turns)
		}
	}
}

// The turns of a zone are those of its own clocks, on the edge of a window too.
func TestTurns(t *testing.T) {
	b := NewRulebook(survey.Rules{})
	tp := &survey.Touchpoint{ID: "relation-nps", Trigger: &survey.Trigger{Every: survey.Quarterly}}
	parse := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tt := range []struct {
		zone, after, until string
		due                string // in UTC
	}{
		{"Europe/Helsinki", "2026-10-01T05:00:00Z", "2026-10-01T06:00:00Z", "2026-10-01T06:00:00Z"}, // until is included
		{"Europe/Helsinki", "2026-10-01T06:00:00Z", "2026-10-01T07:00:00Z", ""},                     // after is not
		{"Europe/Helsinki", "2026-10-26T00:00:00Z", "2026-10-27T00:00:00Z", "2026-10-26T07:00:00Z"}, // winter time
		{"Europe/Helsinki", "2026-12-23T12:00:00Z", "2026-12-28T12:00:00Z", "2026-12-28T07:00:00Z"}, // over Christmas
		{"Europe/Helsinki", "2026-12-31T12:00:00Z", "2027-01-05T00:00:00Z", "2027-01-04T07:00:00Z"}, // over New Year
		{"Asia/Kathmandu", "2026-10-01T03:00:00Z", "2026-10-01T04:00:00Z", "2026-10-01T03:15:00Z"},
		{"Pacific/Kiritimati", "2026-09-30T18:00:00Z", "2026-09-30T20:00:00Z", "2026-09-30T19:00:00Z"}, // October there
		{"Pacific/Honolulu", "2026-10-01T00:00:00Z", "2026-10-01T19:00:00Z", "2026-10-01T19:00:00Z"},   // 30 September was asked at 19:00Z the day before
	} {
		turns := b.Turns(tp, zone(t, tt.zone), parse(tt.after), parse(tt.until))
		if tt.due == "" && len(turns) == 0 {
			continue
		}
		if len(turns) != 1 || !turns[0].Due.Equal(parse(tt.due)) || turns[0].Period.Occasion() != PeriodOf(survey.Quarterly, turns[0].Day).Occasion() {
			t.Errorf("%s after %s: %+v, want %s", tt.zone, tt.after, turns, tt.due)
		}
	}
}

// At 0:01 on a Sunday it was Saturday 23:01 again: the turn of Sunday at 0:00 has
// come by then.
func TestTurnsOverMidnight(t *testing.T) {
	b := NewRulebook(survey.Rules{Quiet: &survey.Quiet{From: 22, To: 0}})
	tp := &survey.Touchpoint{ID: "x", Trigger: &survey.Trigger{Every: survey.Monthly, Hour: 23, Weekdays: []string{"sun"}}}
	midnight := time.Date(2010, time.November, 7, 2, 30, 0, 0, time.UTC)
	for _, until := range []time.Duration{0, 15 * time.Minute, 2 * time.Hour} {
		turns := b.Turns(tp, zone(t, "America/St_Johns"), midnight.Add(-1), midnight.Add(until))
		if len(turns) != 1 || !turns[0].Due.Equal(midnight) {
			t.Errorf("until %s later: %v", until, turns)
		}
		if turns := b.Turns(tp, zone(t, "America/St_Johns"), midnight, midnight.Add(until)); len(turns) != 0 {
			t.Errorf("after it, until %s later: %v", until, turns)
		}
	}
}

// Windows that follow each other have all turns between them and none twice,
// wherever the cuts are, and whatever clocks do meanwhile.
func TestTurnsSplit(t *testing.T) {
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
		b, g := NewRulebook(drawRules(t)), drawTrigger(t, true)
		if rapid.Bool().Draw(t, "everyone") {
			g.Spread = new(false)
		}
		tp := &survey.Touchpoint{ID: "x", Trigger: g}
		from := night.AddDate(0, 0, -rapid.IntRange(1, 40).Draw(t, "before")).Add(time.Duration(rapid.IntRange(0, 24*60).Draw(t, "minute")) * time.Minute)
		at := from
		var parts []Turn
		for range rapid.IntRange(1, 60).Draw(t, "windows") {
			next := at.Add(time.Duration(rapid.SampledFrom([]int{0, 15, 30, 60, 60, 60, 24 * 60, 3 * 24 * 60}).Draw(t, "window")) * time.Minute)
			parts = append(parts, b.Turns(tp, z, at, next)...)
			at = next
		}
		whole := b.Turns(tp, z, from, at)
		if !slices.Equal(parts, whole) {
			t.Fatalf("%v, in parts %v", whole, parts)
		}
		// And none is missing: each open day of the time in between has one.
		days := 0
		for d := dayOf(from.In(z)).AddDate(0, 0, 2); d.AddDate(0, 0, 2).Before(dayOf(at.In(z))); d = d.AddDate(0, 0, 1) {
			if g.Spreads() && b.Open(g, d) {
				days++
				if !slices.ContainsFunc(whole, func(turn Turn) bool { return turn.Day.Equal(d) }) {
					t.Fatalf("no turn on %s", d)
				}
			}
		}
		if g.Spreads() && len(whole) > days+5 {
			t.Fatalf("%d turns on %d days", len(whole), days)
		}
	})
}

// Two turns of a contact are never nearer to each other than the recontact time
// that a cadence has by default: none is lost.
func TestTurnsAreApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawTrigger(t, true)
		b := NewRulebook(survey.Rules{Holidays: rapid.SampledFrom([]string{"FI", survey.NoHolidays}).Draw(t, "holidays")})
		tp := &survey.Touchpoint{ID: drawID(t), Trigger: g}
		number := rapid.Int64Range(1, 1e9).Draw(t, "number")
		rest := tp.RecontactAfter(b.Rules())
		var last time.Time
		from := date(rapid.IntRange(2024, 2040).Draw(t, "year"), time.January, 1)
		for _, turn := range b.Turns(tp, time.UTC, from, from.AddDate(3, 0, 0)) {
			if !turn.Has(number) {
				continue
			}
			if turn.Due.Sub(last) < rest {
				t.Fatalf("%s is %s after %s", turn.Due, turn.Due.Sub(last), last)
			}
			last = turn.Due
		}
	})
}

// Days tells every change that moves a turn, and no other.
func TestDays(t *testing.T) {
	p := PeriodOf(survey.Quarterly, date(2026, time.October, 1))
	was := func() *survey.Touchpoint {
		return &survey.Touchpoint{ID: "relation-nps", Trigger: &survey.Trigger{Every: survey.Quarterly}}
	}
	days := NewRulebook(survey.Rules{}).Days(was(), p)
	if !strings.HasPrefix(days, "quarter 2026Q4 ") {
		t.Errorf("%q", days)
	}
	for _, tt := range []struct {
		name  string
		edit  func(*survey.Touchpoint)
		rules survey.Rules
		moves bool
	}{
		{"nothing", func(*survey.Touchpoint) {}, survey.Rules{}, false},
		{"the question", func(tp *survey.Touchpoint) { tp.Question = survey.Text{"fi": "?"} }, survey.Rules{}, false},
		{"what is the default", func(tp *survey.Touchpoint) {
			tp.Trigger.Hour, tp.Trigger.Spread, tp.Trigger.Weekdays = 9, new(true), []string{"mon", "tue", "wed", "thu", "fri"}
		}, survey.Rules{}, false},
		{"the hour", func(tp *survey.Touchpoint) { tp.Trigger.Hour = 10 }, survey.Rules{}, true},
		{"the weekdays", func(tp *survey.Touchpoint) { tp.Trigger.Weekdays = []string{"mon"} }, survey.Rules{}, true},
		{"everyone on a day", func(tp *survey.Touchpoint) { tp.Trigger.Spread = new(false) }, survey.Rules{}, true},
		{"the cadence", func(tp *survey.Touchpoint) { tp.Trigger.Every = survey.Monthly }, survey.Rules{}, true},
		{"by event", func(tp *survey.Touchpoint) { tp.Trigger = &survey.Trigger{Event: "x"} }, survey.Rules{}, true},
		{"a closed day", func(*survey.Touchpoint) {}, survey.Rules{Closed: []string{"12-28"}}, true},
		{"a closed day of another period", func(*survey.Touchpoint) {}, survey.Rules{Closed: []string{"07-06"}}, false},
		{"no holidays", func(*survey.Touchpoint) {}, survey.Rules{Holidays: survey.NoHolidays}, true},
		{"quiet at nine", func(*survey.Touchpoint) {}, survey.Rules{Quiet: &survey.Quiet{From: 20, To: 10}}, true},
	} {
		tp := was()
		tt.edit(tp)
		if got := NewRulebook(tt.rules).Days(tp, p); (got != days) != tt.moves {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}
