package results

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/survey"
)

// Limits of a question. Days and weeks are counted from the sheets of days, and
// what is between them and the reader is a megabyte for a year or two.
const (
	maxYears   = 10
	maxDays    = 366                                         // of which each is a period
	maxWeeks   = 3 * 366                                     // days, of which each week is a period
	maxSegment = survey.MaxAttrKey + 1 + survey.MaxAttrValue // "attribute=value"
)

// dateFormat is how dates are written in questions and answers.
const dateFormat = "2006-01-02"

// query is what a client asks for.
type query struct {
	span
	by      unit
	series  int // 0 for the current one
	group   score.Group
	include include
}

// include is what a report has beside the periods and their total.
type include struct {
	lastYear, previous, channels, segments, earlier, annotations bool
}

// parseQuery reads the parameters of a request for the scores of a touchpoint.
// by is month where it is left out. The errors are [survey.Invalid] and
// [survey.UnknownField], on the parameter that breaks a rule.
func parseQuery(raw string, today time.Time) (query, error) {
	values, err := onceEach(raw, "from", "to", "by", "series", "channel", "segment", "include")
	if err != nil {
		return query{}, err
	}
	q := query{by: month}
	if q.span, err = parseSpan(values, asked, today); err != nil {
		return query{}, err
	}
	if values.Has("by") {
		if q.by = unit(values.Get("by")); !slices.Contains(units, q.by) {
			return query{}, survey.Errorf(survey.Invalid, "by", "by must be one of day, week, month, quarter, year")
		}
	}
	switch n := q.days(); {
	case q.by == day && n > maxDays:
		return query{}, survey.Errorf(survey.Invalid, "by", "by must be week or longer for more than %d days: these are %d", maxDays, n)
	case q.by == week && n > maxWeeks:
		return query{}, survey.Errorf(survey.Invalid, "by", "by must be month or longer for more than %d days: these are %d", maxWeeks, n)
	}
	if values.Has("series") {
		s := values.Get("series")
		if q.series, err = strconv.Atoi(s); err != nil || q.series < 1 || strconv.Itoa(q.series) != s {
			return query{}, survey.Errorf(survey.Invalid, "series", "series must be a whole number from 1")
		}
	}
	if values.Has("include") {
		if q.include, err = parseInclude(values.Get("include")); err != nil {
			return query{}, err
		}
	}
	q.group, err = parseGroup(values)
	return q, err
}

func parseInclude(list string) (include, error) {
	var in include
	known := []struct {
		name string
		is   *bool
	}{
		{"lastYear", &in.lastYear}, {"previous", &in.previous}, {"channels", &in.channels},
		{"segments", &in.segments}, {"earlier", &in.earlier}, {"annotations", &in.annotations},
	}
	var names []string
	for _, k := range known {
		names = append(names, k.name)
	}
	for name := range strings.SplitSeq(list, ",") {
		i := slices.Index(names, name)
		if i < 0 || *known[i].is {
			return include{}, survey.Errorf(survey.Invalid, "include", "include must be a list of %s, separated by commas, each there once", strings.Join(names, ", "))
		}
		*known[i].is = true
	}
	return in, nil
}

// names are those of the parameters that say which answers are meant.
type names struct{ from, to, channel, segment string }

// asked are the names of the only answers that are asked for, or of the first
// of two.
var asked = names{"from", "to", "channel", "segment"}

// parseSpan reads a range of days. Where from and to are left out, they are the
// last twelve months up to and including today: from the first of the month
// eleven months before the last day.
func parseSpan(values url.Values, as names, today time.Time) (span, error) {
	s := span{to: today.AddDate(0, 0, 1)}
	var err error
	if values.Has(as.to) {
		if s.to, err = parseDate(as.to, values.Get(as.to)); err != nil {
			return span{}, err
		}
	}
	s.from = month.start(s.to.AddDate(0, 0, -1)).AddDate(0, -11, 0)
	if values.Has(as.from) {
		if s.from, err = parseDate(as.from, values.Get(as.from)); err != nil {
			return span{}, err
		}
	}
	switch {
	case !s.from.Before(s.to):
		return span{}, survey.Errorf(survey.Invalid, as.to, "%s must be after %s: from %s is included, to %s is not", as.to, as.from, s.from.Format(dateFormat), s.to.Format(dateFormat))
	case s.to.After(s.from.AddDate(maxYears, 0, 0)):
		return span{}, survey.Errorf(survey.Invalid, as.to, "%s must be at most %d years after %s", as.to, maxYears, as.from)
	}
	return s, nil
}

// onceEach returns the parameters of a request, each of which must be known and
// there once. The errors are [survey.Invalid] and [survey.UnknownField].
func onceEach(raw string, known ...string) (url.Values, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, survey.Errorf(survey.Invalid, "query", "query must be percent-encoded name=value pairs joined by &")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) { // of several mistakes always the same is told
		if !slices.Contains(known, name) {
			has := ", which has none"
			if len(known) > 0 {
				has = ": there are " + strings.Join(known, ", ")
			}
			return nil, survey.Errorf(survey.UnknownField, name, "%s is not a parameter of this request%s", name, has)
		}
		if len(values[name]) > 1 {
			return nil, survey.Errorf(survey.Invalid, name, "%s must be there once", name)
		}
	}
	return values, nil
}

// parseGroup reads which part of the answers is asked for. Sheets count by
// channel and by segment, not by both at once.
func parseGroup(values url.Values) (score.Group, error) { return parseGroupAs(values, asked) }

func parseGroupAs(values url.Values, as names) (score.Group, error) {
	channel, segment := survey.Channel(values.Get(as.channel)), values.Get(as.segment)
	switch {
	case values.Has(as.channel) && values.Has(as.segment):
		return "", survey.Errorf(survey.Invalid, as.segment, "%s must not be given together with %s", as.segment, as.channel)
	case values.Has(as.channel):
		if !slices.Contains(survey.Channels(), channel) {
			names := make([]string, len(survey.Channels()))
			for i, c := range survey.Channels() {
				names[i] = string(c)
			}
			return "", survey.Errorf(survey.Invalid, as.channel, "%s must be one of %s", as.channel, strings.Join(names, ", "))
		}
		return score.ByChannel(channel), nil
	case values.Has(as.segment):
		if n := utf8.RuneCountInString(segment); n < 1 || n > maxSegment || !utf8.ValidString(segment) {
			return "", survey.Errorf(survey.Invalid, as.segment, "%s must be 1 to %d characters, such as plan=gold", as.segment, maxSegment)
		}
		return score.BySegment(segment), nil
	}
	return score.All, nil
}

func parseDate(field, s string) (time.Time, error) {
	if err := survey.CheckDate(field, s); err != nil {
		return time.Time{}, err
	}
	return time.Parse(dateFormat, s)
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

// span is a run of days, from inclusive, to exclusive. Dates are days of the
// reporting zone, written as UTC midnights, so that arithmetic on them knows no
// daylight saving: which instants a day holds was settled when its answers were
// counted.
type span struct{ from, to time.Time }

func (s span) days() int { return int(s.to.Sub(s.from) / (24 * time.Hour)) }

// periods returns every period of a span in order of time, empty ones too, the
// first and the last clipped to the span.
func (u unit) periods(s span) []span {
	var out []span
	for from := s.from; from.Before(s.to); {
		to := u.next(u.start(from))
		if to.After(s.to) {
			to = s.to
		}
		out = append(out, span{from, to})
		from = to
	}
	return out
}

// yearBefore returns the same days a year before; for weeks, the weekdays 52
// weeks before. The 29th of February has no day a year before: it is empty.
func (u unit) yearBefore(s span) span {
	if u == week {
		return span{s.from.AddDate(0, 0, -364), s.to.AddDate(0, 0, -364)}
	}
	return span{s.from.AddDate(-1, 0, 0), s.to.AddDate(-1, 0, 0)}
}

// previous returns the span of the same length just before s. Where s is whole
// months, the last of which may be the running one up to today or longer, it is
// as many whole months before; otherwise as many days, of which those after
// today are none.
func (s span) previous(today time.Time) span {
	tomorrow := today.AddDate(0, 0, 1)
	last := month.start(s.to.AddDate(0, 0, -1))
	if month.start(s.from).Equal(s.from) && (month.next(last).Equal(s.to) || !s.to.Before(tomorrow)) {
		months := 12*(last.Year()-s.from.Year()) + int(last.Month()-s.from.Month()) + 1
		return span{s.from.AddDate(0, -months, 0), s.from}
	}
	if past := (span{s.from, tomorrow}); s.to.After(tomorrow) && past.days() > 0 {
		s = past
	}
	return span{s.from.AddDate(0, 0, -s.days()), s.from}
}
