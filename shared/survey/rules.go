package survey

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Rules are how a deployment asks, at all its touchpoints. Field names in
// lower case are those of the touchpoints file, under asking, and of the
// stored rules. The zero Rules are not in force anywhere: [DefaultRules] are.
type Rules struct {
	Version int `json:"version,omitempty"` // counts every change, from 1
	// Rest is the shortest time between any two asks to one person, whatever
	// the touchpoints and channels. Default 30d.
	Rest *Span `json:"rest,omitempty"`
	// Recontact is the shortest time between two asks of one touchpoint to
	// one person. Default 90d. A touchpoint in a cadence has a default of its
	// own, see [Touchpoint.RecontactAfter].
	Recontact *Span `json:"recontact,omitempty"`
	// Quiet are the hours of the person's day in which nothing is sent.
	// Default from 20 to 8.
	Quiet *Quiet `json:"quiet,omitempty"`
	// Holidays is the country whose public holidays are days without asks:
	// FI (default) or none.
	Holidays string `json:"holidays,omitempty"`
	// Closed are further days without asks: "2026-12-27", or "12-27" for
	// every year.
	Closed []string `json:"closed,omitempty"`
	// Country is that of phone numbers written without one. Default FI.
	Country string `json:"country,omitempty"`
	// Zone is the time zone of contacts for whom none is told. Default
	// Europe/Helsinki.
	Zone string `json:"zone,omitempty"`
	// Company is who asks, as customers know it; Postal its address, which
	// every e-mail carries; ReplyTo where answers to an e-mail go.
	Company string `json:"company,omitempty"`
	Postal  string `json:"postal,omitempty"`
	ReplyTo string `json:"replyTo,omitempty"`
	// Locale is the language of contacts for whom none is told. Default fi.
	Locale string `json:"locale,omitempty"`
}

// Quiet are hours of the day, from the first to before the last: 20 to 8 is
// the night from 20:00 to 8:00. None where both are the same.
type Quiet struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Covers reports whether an hour of the day is quiet.
func (q Quiet) Covers(hour int) bool {
	if q.From <= q.To {
		return q.From <= hour && hour < q.To
	}
	return hour >= q.From || hour < q.To
}

// NoHolidays is the country without holidays.
const NoHolidays = "none"

// MaxClosed is the most own days without asks.
const MaxClosed = 200

// DefaultRules returns the rules where a deployment states none.
func DefaultRules() Rules { return Rules{}.Complete() }

// Complete returns the rules with the default of each that is not stated.
func (r Rules) Complete() Rules {
	if r.Rest == nil {
		r.Rest = new(Span(30 * day))
	}
	if r.Recontact == nil {
		r.Recontact = new(Span(90 * day))
	}
	if r.Quiet == nil {
		r.Quiet = &Quiet{From: 20, To: 8}
	}
	for to, otherwise := range map[*string]string{&r.Holidays: "FI", &r.Country: "FI", &r.Zone: "Europe/Helsinki", &r.Locale: "fi"} {
		if *to == "" {
			*to = otherwise
		}
	}
	return r
}

// Validate returns nil, or every broken rule joined, each an [Invalid] [Error]
// with the path of its field.
func (r *Rules) Validate() error {
	var errs []error
	bad := func(field, format string, args ...any) { errs = append(errs, broken(field, format, args...)) }
	if q := r.Quiet; q != nil && (q.From < 0 || q.From > 23 || q.To < 0 || q.To > 23) {
		bad("quiet", "must be hours from 0 to 23")
	}
	if !slices.Contains([]string{"", "FI", NoHolidays}, r.Holidays) {
		bad("holidays", "must be FI or %s", NoHolidays)
	}
	if len(r.Closed) > MaxClosed {
		bad("closed", "must be at most %d days", MaxClosed)
	}
	for i, c := range r.Closed {
		if !validClosed(c) {
			bad(fmt.Sprintf("closed[%d]", i), "must be a day such as 2026-12-27, or 12-27 for every year, not %q", c)
		}
	}
	if r.Country != "" && (len(r.Country) != 2 || !within(r.Country, 'A', 'Z')) {
		bad("country", "must be two capital letters (ISO 3166-1), such as FI")
	}
	for _, f := range []struct{ field, value string }{{"company", r.Company}, {"postal", r.Postal}, {"replyTo", r.ReplyTo}} {
		if err := checkLine(f.field, f.value, MaxAddress); err != nil {
			errs = append(errs, err)
		}
	}
	if r.Zone != "" && !validZone(r.Zone) {
		bad("zone", "must be a time zone such as Europe/Helsinki")
	}
	if r.Locale != "" && !validLocale(r.Locale) {
		bad("locale", "must be a language such as fi or sv-FI")
	}
	return errors.Join(errs...)
}

func validClosed(c string) bool {
	if _, err := time.Parse(time.DateOnly, c); err == nil {
		return true
	}
	_, err := time.Parse(time.DateOnly, "2024-"+c) // a leap year, so that 02-29 is a day
	return err == nil
}

// RestAfter returns the shortest time from any ask to one person to an ask of
// t. The touchpoint's own where it states one, else the rules'; of a cadence,
// never more than [Cadence.Rest], as two of its asks are one period apart.
func (t *Touchpoint) RestAfter(r Rules) time.Duration {
	if t.Rest != nil {
		return time.Duration(*t.Rest)
	}
	rest := time.Duration(*r.Rest)
	if t.Trigger != nil && t.Trigger.Every != "" {
		rest = min(rest, t.Trigger.Every.Rest())
	}
	return rest
}

// RecontactAfter returns the shortest time between two asks of t to one
// person: its own where it states one, else the rules'; of a cadence, never
// more than [Cadence.Rest].
func (t *Touchpoint) RecontactAfter(r Rules) time.Duration {
	if t.Recontact != 0 {
		return time.Duration(t.Recontact)
	}
	recontact := time.Duration(*r.Recontact)
	if t.Trigger != nil && t.Trigger.Every != "" {
		recontact = min(recontact, t.Trigger.Every.Rest())
	}
	return recontact
}

// Cadence is how often everyone is asked.
type Cadence string

// The cadences.
const (
	Monthly   Cadence = "month"
	Quarterly Cadence = "quarter"
	Yearly    Cadence = "year"
)

// Cadences lists the cadences.
func Cadences() []Cadence { return []Cadence{Monthly, Quarterly, Yearly} }

// Rest is the longest recontact time that a cadence keeps by default: two
// thirds of its period. Periods differ in length, and so do the allowed days
// in them: a turn comes up to some days early or late, and a recontact time as
// long as the period would skip every other one.
func (c Cadence) Rest() time.Duration {
	switch c {
	case Monthly:
		return 20 * day
	case Quarterly:
		return 60 * day
	case Yearly:
		return 240 * day
	default:
		return 0
	}
}
