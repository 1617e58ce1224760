package asking

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// dayOf returns the day that t is in its own zone.
func dayOf(t time.Time) time.Time {
	y, m, d := t.Date()
	return date(y, m, d)
}

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// Holidays returns the public holidays of Finland in a year, in order, with
// the two eves on which hardly anybody works either. Sources: the church's
// holidays of the Church Act (652/2023), Act 388/1937 (Independence Day) and
// Act 272/1944 (May Day); the eves of Midsummer and Christmas are days off by
// collective agreements. Sundays that are holidays by a name of their own are
// in it too.
func Holidays(year int) []time.Time {
	easter := easterSunday(year)
	days := []time.Time{
		date(year, time.January, 1),
		date(year, time.January, 6),
		easter.AddDate(0, 0, -2), // Good Friday
		easter,
		easter.AddDate(0, 0, 1),
		date(year, time.May, 1),
		easter.AddDate(0, 0, 39),                     // Ascension Day
		easter.AddDate(0, 0, 49),                     // Whit Sunday
		from(date(year, time.June, 19), time.Friday), // Midsummer Eve
		from(date(year, time.June, 20), time.Saturday),
		from(date(year, time.October, 31), time.Saturday), // All Saints' Day
		date(year, time.December, 6),
		date(year, time.December, 24),
		date(year, time.December, 25),
		date(year, time.December, 26),
	}
	slices.SortFunc(days, time.Time.Compare)
	return slices.Compact(days) // Ascension Day may be May Day
}

// from returns the first such day of the week from day on.
func from(day time.Time, w time.Weekday) time.Time {
	return day.AddDate(0, 0, (int(w)-int(day.Weekday())+7)%7)
}

// easterSunday is the algorithm of the Gregorian calendar as Meeus has it
// (Astronomical Algorithms, second edition, chapter 8).
func easterSunday(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	f := (b + 8) / 25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return date(year, time.Month(n/31), n%31+1)
}

// Period is one period of a cadence.
type Period struct {
	Cadence  survey.Cadence
	From, To time.Time // days; To is the first that is no longer in it
}

// PeriodOf returns the period of a cadence in which a day lies.
func PeriodOf(c survey.Cadence, day time.Time) Period {
	y, m, _ := day.Date()
	months := 1
	switch c {
	case survey.Quarterly:
		m, months = m-(m-1)%3, 3
	case survey.Yearly:
		m, months = time.January, 12
	case survey.Monthly:
	}
	first := date(y, m, 1)
	return Period{c, first, first.AddDate(0, months, 0)}
}

// periodNamed returns the period of a cadence that an occasion names, and false
// where it names none.
func periodNamed(c survey.Cadence, o survey.Occasion) (Period, bool) {
	var y, m int
	var err error
	switch c {
	case survey.Monthly:
		_, err = fmt.Sscanf(string(o), "%4d-%2d", &y, &m)
	case survey.Quarterly:
		_, err = fmt.Sscanf(string(o), "%4dQ%1d", &y, &m)
		m = 3*m - 2
	case survey.Yearly:
		_, err = fmt.Sscanf(string(o), "%4d", &y)
		m = 1
	default:
		return Period{}, false
	}
	p := PeriodOf(c, date(y, time.Month(m), 1))
	return p, err == nil && p.Occasion() == o
}

// Next returns the period after p.
func (p Period) Next() Period { return PeriodOf(p.Cadence, p.To) }

// Occasion names the period: "2026-11", "2026Q4", "2026".
func (p Period) Occasion() survey.Occasion {
	y, m, _ := p.From.Date()
	switch p.Cadence {
	case survey.Quarterly:
		return survey.Occasion(fmt.Sprintf("%04dQ%d", y, (m+2)/3))
	case survey.Yearly:
		return survey.Occasion(fmt.Sprintf("%04d", y))
	default:
		return survey.Occasion(fmt.Sprintf("%04d-%02d", y, m))
	}
}

// Rulebook is the rules of a deployment, ready to be asked. It is safe for
// concurrent use.
type Rulebook struct {
	rules    survey.Rules
	closed   map[string]bool // "2026-12-27" or "12-27"
	holidays sync.Map        // by year, as Holidays returns them; each is worked out once
}

// NewRulebook returns the rulebook of rules, completed with their defaults.
func NewRulebook(r survey.Rules) *Rulebook {
	b := &Rulebook{rules: r.Complete(), closed: map[string]bool{}}
	for _, c := range r.Closed {
		b.closed[c] = true
	}
	return b
}

// Rules returns the rules, completed.
func (b *Rulebook) Rules() survey.Rules { return b.rules }

// Open reports whether asks of a trigger are sent on a day.
func (b *Rulebook) Open(g *survey.Trigger, day time.Time) bool {
	if !g.SendsOn(day.Weekday()) {
		return false
	}
	if len(b.closed) > 0 && (b.closed[day.Format(time.DateOnly)] || b.closed[day.Format("01-02")]) {
		return false
	}
	return b.rules.Holidays == survey.NoHolidays || !slices.ContainsFunc(b.holidaysOf(day.Year()), day.Equal)
}

func (b *Rulebook) holidaysOf(year int) []time.Time {
	days, ok := b.holidays.Load(year)
	if !ok {
		days, _ = b.holidays.LoadOrStore(year, Holidays(year))
	}
	return days.([]time.Time)
}

// openDays returns the days of a period on which asks of a trigger are sent.
func (b *Rulebook) openDays(g *survey.Trigger, p Period) []time.Time {
	var days []time.Time
	for d := p.From; d.Before(p.To); d = d.AddDate(0, 0, 1) {
		if b.Open(g, d) {
			days = append(days, d)
		}
	}
	return days
}
