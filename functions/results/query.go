package results

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/survey"
)

// Limits of a question. Ten years of days is the longest answer, which stays
// far below the 6 MB that a function may return.
const (
	maxYears   = 10
	firstYear  = 2000 // before which nobody asked anything here
	lastYear   = 2199
	maxSegment = survey.MaxAttrKey + 1 + survey.MaxAttrValue // "attribute=value"
)

// dateFormat is how dates are written in questions and answers.
const dateFormat = "2006-01-02"

// query is what a client asks for. Dates are days of the reporting zone,
// written as UTC midnights, so that arithmetic on them knows no daylight
// saving: which instants a day holds was settled when its answers were
// counted.
type query struct {
	from, to time.Time // from inclusive, to exclusive
	by       unit
	series   int // 0 for the current one
	group    score.Group
}

// parseQuery reads the parameters of a request. Where from and to are left
// out, they are the last twelve months up to and including today: from the
// first of the month eleven months before the last day. by is month where it
// is left out. The errors are [survey.Invalid] and [survey.UnknownField], on
// the parameter that breaks a rule.
func parseQuery(raw string, today time.Time) (query, error) {
	values, err := onceEach(raw, "from", "to", "by", "series", "channel", "segment")
	if err != nil {
		return query{}, err
	}
	q := query{by: month, to: today.AddDate(0, 0, 1)}
	if values.Has("to") {
		if q.to, err = parseDate("to", values.Get("to")); err != nil {
			return query{}, err
		}
	}
	q.from = month.start(q.to.AddDate(0, 0, -1)).AddDate(0, -11, 0)
	if values.Has("from") {
		if q.from, err = parseDate("from", values.Get("from")); err != nil {
			return query{}, err
		}
	}
	switch {
	case !q.from.Before(q.to):
		return query{}, survey.Errorf(survey.Invalid, "to", "to must be after from: from %s is included, to %s is not", q.from.Format(dateFormat), q.to.Format(dateFormat))
	case q.to.After(q.from.AddDate(maxYears, 0, 0)):
		return query{}, survey.Errorf(survey.Invalid, "to", "to must be at most %d years after from", maxYears)
	}
	if values.Has("by") {
		if q.by = unit(values.Get("by")); !slices.Contains(units, q.by) {
			return query{}, survey.Errorf(survey.Invalid, "by", "by must be one of day, week, month, quarter, year")
		}
	}
	if values.Has("series") {
		s := values.Get("series")
		if q.series, err = strconv.Atoi(s); err != nil || q.series < 1 || strconv.Itoa(q.series) != s {
			return query{}, survey.Errorf(survey.Invalid, "series", "series must be a whole number from 1")
		}
	}
	q.group, err = parseGroup(values)
	return q, err
}

// onceEach returns the parameters of a request, each of which must be known and
// there once. The errors are [survey.Invalid] and [survey.UnknownField].
func onceEach(raw string, known ...string) (url.Values, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, survey.Errorf(survey.Invalid, "query", "query must be percent-encoded name=value pairs joined by &")
	}
	for name, v := range values {
		if !slices.Contains(known, name) {
			has := ", which has none"
			if len(known) > 0 {
				has = ": there are " + strings.Join(known, ", ")
			}
			return nil, survey.Errorf(survey.UnknownField, name, "%s is not a parameter of this request%s", name, has)
		}
		if len(v) > 1 {
			return nil, survey.Errorf(survey.Invalid, name, "%s must be there once", name)
		}
	}
	return values, nil
}

// parseGroup reads which part of the answers is asked for. Sheets count by
// channel and by segment, not by both at once.
func parseGroup(values url.Values) (score.Group, error) {
	channel, segment := survey.Channel(values.Get("channel")), values.Get("segment")
	switch {
	case values.Has("channel") && values.Has("segment"):
		return "", survey.Errorf(survey.Invalid, "segment", "segment must not be given together with channel")
	case values.Has("channel"):
		if !slices.Contains(survey.Channels(), channel) {
			names := make([]string, len(survey.Channels()))
			for i, c := range survey.Channels() {
				names[i] = string(c)
			}
			return "", survey.Errorf(survey.Invalid, "channel", "channel must be one of %s", strings.Join(names, ", "))
		}
		return score.ByChannel(channel), nil
	case values.Has("segment"):
		if n := utf8.RuneCountInString(segment); n < 1 || n > maxSegment || !utf8.ValidString(segment) {
			return "", survey.Errorf(survey.Invalid, "segment", "segment must be 1 to %d characters, such as plan=gold", maxSegment)
		}
		return score.BySegment(segment), nil
	}
	return score.All, nil
}

func parseDate(field, s string) (time.Time, error) {
	d, err := time.Parse(dateFormat, s)
	if err != nil || d.Year() < firstYear || d.Year() > lastYear {
		return time.Time{}, survey.Errorf(survey.Invalid, field, "%s must be a date such as 2026-11-21, from %d to %d", field, firstYear, lastYear)
	}
	return d, nil
}

// unit is the length of a period: a calendar day, an ISO 8601 week (Monday to
// Sunday), or a calendar month, quarter or year.
type unit string

const (
	day     unit = "day"
	week    unit = "week"
	month   unit = "month"
	quarter unit = "quarter"
	year    unit = "year"
)

var units = []unit{day, week, month, quarter, year}

// start returns the first day of the period that holds date.
func (u unit) start(date time.Time) time.Time {
	y, m, d := date.Date()
	switch u {
	case week:
		return date.AddDate(0, 0, -(int(date.Weekday())+6)%7) // Monday is the first
	case month:
		d = 1
	case quarter:
		m, d = m-(m-1)%3, 1
	case year:
		m, d = time.January, 1
	}
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// next returns the first day of the period after the one that starts on date.
func (u unit) next(date time.Time) time.Time {
	switch u {
	case week:
		return date.AddDate(0, 0, 7)
	case month:
		return date.AddDate(0, 1, 0)
	case quarter:
		return date.AddDate(0, 3, 0)
	case year:
		return date.AddDate(1, 0, 0)
	default:
		return date.AddDate(0, 0, 1)
	}
}

// span is a run of days, from inclusive, to exclusive.
type span struct{ from, to time.Time }

// periods returns every period of the range in order of time, empty ones too,
// the first and the last clipped to the range.
func (q query) periods() []span {
	var out []span
	for from := q.from; from.Before(q.to); {
		to := q.by.next(q.by.start(from))
		if to.After(q.to) {
			to = q.to
		}
		out = append(out, span{from, to})
		from = to
	}
	return out
}

// sheets is one run of sheets to read, both included.
type sheets struct{ from, to score.Period }

// reads returns the fewest sheets that make up the periods: month sheets for
// the whole months of the range where no period is shorter than a month, and
// day sheets for the rest. That is three runs at most, none of which overlap.
func (q query) reads() []sheets {
	if q.by == day || q.by == week {
		return []sheets{days(q.from, q.to)}
	}
	first, last := month.start(q.from), month.start(q.to)
	if first.Before(q.from) {
		first = month.next(first)
	}
	if !first.Before(last) {
		return []sheets{days(q.from, q.to)} // no whole month
	}
	out := []sheets{{score.Month(first), score.Month(last.AddDate(0, -1, 0))}}
	if q.from.Before(first) {
		out = append(out, days(q.from, first))
	}
	if last.Before(q.to) {
		out = append(out, days(last, q.to))
	}
	return out
}

func days(from, to time.Time) sheets {
	return sheets{score.Day(from), score.Day(to.AddDate(0, 0, -1))}
}
