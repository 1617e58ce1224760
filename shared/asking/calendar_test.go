package asking

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/survey"
)

// day reads a day.
func day(t testing.TB, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestHolidays holds the holidays to the almanac of the University of Helsinki.
func TestHolidays(t *testing.T) {
	for year, moving := range map[int]string{
		//    Good Friday, Easter, its Monday, Ascension, Whit Sunday, Midsummer Eve and Day, All Saints
		2024: "03-29 03-31 04-01 05-09 05-19 06-21 06-22 11-02",
		2025: "04-18 04-20 04-21 05-29 06-08 06-20 06-21 11-01",
		2026: "04-03 04-05 04-06 05-14 05-24 06-19 06-20 10-31",
		2027: "03-26 03-28 03-29 05-06 05-16 06-25 06-26 11-06",
		2028: "04-14 04-16 04-17 05-25 06-04 06-23 06-24 11-04",
		2029: "03-30 04-01 04-02 05-10 05-20 06-22 06-23 11-03",
		2030: "04-19 04-21 04-22 05-30 06-09 06-21 06-22 11-02",
		2031: "04-11 04-13 04-14 05-22 06-01 06-20 06-21 11-01",
		2032: "03-26 03-28 03-29 05-06 05-16 06-25 06-26 11-06",
	} {
		var got []string
		for _, d := range Holidays(year) {
			if d.Year() != year {
				t.Errorf("%s is a holiday of %d", d, year)
			}
			got = append(got, d.Format("01-02"))
		}
		want := append(strings.Fields(moving), "01-01", "01-06", "05-01", "12-06", "12-24", "12-25", "12-26")
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%d: %v, want %v", year, got, want)
		}
	}
}

// TestEaster has the earliest and the latest Easter there can be.
func TestEaster(t *testing.T) {
	for _, want := range []string{"1818-03-22", "1943-04-25", "1961-04-02", "2000-04-23", "2008-03-23", "2019-04-21", "2038-04-25", "2285-03-22"} {
		d := day(t, want)
		if got := easterSunday(d.Year()); !got.Equal(d) {
			t.Errorf("%s, want %s", got.Format(time.DateOnly), want)
		}
	}
	// In 2008 Ascension Day was May Day: one day, told once.
	if got := len(Holidays(2008)); got != 14 {
		t.Errorf("%d holidays in 2008", got)
	}
}

func TestPeriods(t *testing.T) {
	for _, tt := range []struct {
		cadence            survey.Cadence
		day, from, to      string
		occasion, nextOccs survey.Occasion
	}{
		{survey.Monthly, "2026-11-01", "2026-11-01", "2026-12-01", "2026-11", "2026-12"},
		{survey.Monthly, "2026-12-31", "2026-12-01", "2027-01-01", "2026-12", "2027-01"},
		{survey.Monthly, "2028-02-29", "2028-02-01", "2028-03-01", "2028-02", "2028-03"},
		{survey.Quarterly, "2026-01-01", "2026-01-01", "2026-04-01", "2026Q1", "2026Q2"},
		{survey.Quarterly, "2026-03-31", "2026-01-01", "2026-04-01", "2026Q1", "2026Q2"},
		{survey.Quarterly, "2026-04-01", "2026-04-01", "2026-07-01", "2026Q2", "2026Q3"},
		{survey.Quarterly, "2026-08-15", "2026-07-01", "2026-10-01", "2026Q3", "2026Q4"},
		{survey.Quarterly, "2026-12-31", "2026-10-01", "2027-01-01", "2026Q4", "2027Q1"},
		{survey.Yearly, "2026-01-01", "2026-01-01", "2027-01-01", "2026", "2027"},
		{survey.Yearly, "2026-12-31", "2026-01-01", "2027-01-01", "2026", "2027"},
	} {
		p := PeriodOf(tt.cadence, day(t, tt.day))
		if !p.From.Equal(day(t, tt.from)) || !p.To.Equal(day(t, tt.to)) || p.Occasion() != tt.occasion || p.Next().Occasion() != tt.nextOccs {
			t.Errorf("%s of %s: %+v, %s, then %s", tt.cadence, tt.day, p, p.Occasion(), p.Next().Occasion())
		}
		if named, ok := periodNamed(tt.cadence, tt.occasion); !ok || named != p {
			t.Errorf("%s names %+v, %v", tt.occasion, named, ok)
		}
	}
	for _, tt := range []struct {
		cadence survey.Cadence
		names   string
	}{
		{survey.Monthly, "2026-13 2026-00 2026-1 2026-011 2026Q1 2026 x +026-01 reminder/2026-01"},
		{survey.Quarterly, "2026Q0 2026Q5 2026Q 2026q1 2026Q11 2026-01 2026 reminder/2026Q1"},
		{survey.Yearly, "2026Q1 2026-01 26 20260 x"},
		{"", "2026Q1 2026 2026-01"},
	} {
		for _, name := range append(strings.Fields(tt.names), "") {
			if p, ok := periodNamed(tt.cadence, survey.Occasion(name)); ok {
				t.Errorf("%q names a period of %q: %+v", name, tt.cadence, p)
			}
		}
	}
}

// Every day is in exactly one period of each cadence, which its name finds.
func TestPeriodsCoverTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(survey.Cadences()).Draw(t, "cadence")
		d := date(2020, time.January, 1).AddDate(0, 0, rapid.IntRange(0, 20_000).Draw(t, "day"))
		p := PeriodOf(c, d)
		if d.Before(p.From) || !d.Before(p.To) {
			t.Fatalf("%s is not in %+v", d, p)
		}
		if named, ok := periodNamed(c, p.Occasion()); !ok || named != p {
			t.Fatalf("%s names %+v", p.Occasion(), named)
		}
		if n := p.Next(); !n.From.Equal(p.To) || PeriodOf(c, n.From.AddDate(0, 0, -1)) != p {
			t.Fatalf("%+v is followed by %+v", p, n)
		}
	})
}

func TestOpen(t *testing.T) {
	weekdays := &survey.Trigger{Event: "x"}
	every := &survey.Trigger{Event: "x", Weekdays: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}}
	sundays := &survey.Trigger{Event: "x", Weekdays: []string{"sun"}}
	for _, tt := range []struct {
		rules   survey.Rules
		trigger *survey.Trigger
		open    string
		closed  string
	}{
		{survey.Rules{}, weekdays, "2026-11-20 2026-11-23 2026-12-23 2026-12-28 2027-01-07", "2026-11-21 2026-11-22 2026-12-24 2026-12-25 2027-01-01 2027-01-06 2026-06-19 2026-04-03"},
		{survey.Rules{}, every, "2026-11-21 2026-11-22 2026-12-27", "2026-12-24 2026-12-06 2026-10-31 2026-05-24"},
		{survey.Rules{}, sundays, "2026-11-22 2026-12-27", "2026-11-23 2026-12-06 2026-04-05"},
		{survey.Rules{Holidays: survey.NoHolidays}, weekdays, "2026-12-24 2026-12-25 2027-01-01 2026-04-03", "2026-12-26 2026-12-27"},
		{survey.Rules{Closed: []string{"2026-12-28", "02-29", "07-15"}}, weekdays, "2027-12-28 2026-12-29 2028-02-28", "2026-12-28 2028-02-29 2026-07-15 2027-07-15 2026-12-24"},
	} {
		b := NewRulebook(tt.rules)
		for days, want := range map[string]bool{tt.open: true, tt.closed: false} {
			for d := range strings.FieldsSeq(days) {
				if got := b.Open(tt.trigger, day(t, d)); got != want {
					t.Errorf("%+v, %v: %s is open: %v", tt.rules, tt.trigger.Weekdays, d, got)
				}
			}
		}
	}
}

// A rulebook answers the same to all who ask at once.
func TestRulebookIsShared(t *testing.T) {
	b := NewRulebook(survey.Rules{})
	g := &survey.Trigger{Every: survey.Yearly}
	done := make(chan string)
	for range 8 {
		go func() {
			n := 0
			for y := 2024; y < 2034; y++ {
				n += len(b.openDays(g, PeriodOf(survey.Yearly, date(y, time.May, 1))))
			}
			done <- fmt.Sprint(n)
		}()
	}
	first := <-done
	for range 7 {
		if n := <-done; n != first {
			t.Errorf("%s and %s open days", first, n)
		}
	}
}
