package results

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/survey"
)

func date(s string) time.Time {
	d, err := time.Parse(dateFormat, s)
	if err != nil {
		panic(err)
	}
	return d
}

var today = date("2026-11-21")

func TestParseQuery(t *testing.T) {
	tests := []struct {
		raw  string
		want query
	}{
		{"", query{span{date("2025-12-01"), date("2026-11-22")}, month, 0, score.All, include{}}},
		{"from=2026-10-01&to=2026-12-01&by=month", query{span{date("2026-10-01"), date("2026-12-01")}, month, 0, score.All, include{}}},
		{"from=2026-11-20", query{span{date("2026-11-20"), date("2026-11-22")}, month, 0, score.All, include{}}},
		{"to=2026-03-01", query{span{date("2025-03-01"), date("2026-03-01")}, month, 0, score.All, include{}}},
		{"to=2026-03-02&by=week", query{span{date("2025-04-01"), date("2026-03-02")}, week, 0, score.All, include{}}},
		{"by=day&series=2&channel=widget", query{span{date("2025-12-01"), date("2026-11-22")}, day, 2, "channel:widget", include{}}},
		{"include=segments,lastYear", query{span{date("2025-12-01"), date("2026-11-22")}, month, 0, score.All, include{lastYear: true, segments: true}}},
		{"from=2025-11-21&to=2026-11-22&by=day", query{span{date("2025-11-21"), date("2026-11-22")}, day, 0, score.All, include{}}},
		{"from=2023-11-20&to=2026-11-22&by=week", query{span{date("2023-11-20"), date("2026-11-22")}, week, 0, score.All, include{}}},
		{"by=quarter&segment=plan%3Dgold", query{span{date("2025-12-01"), date("2026-11-22")}, quarter, 0, "segment:plan=gold", include{}}},
		{"by=year&from=2016-11-22&to=2026-11-22", query{span{date("2016-11-22"), date("2026-11-22")}, year, 0, score.All, include{}}}, // ten years
	}
	for _, tt := range tests {
		t.Run(tt.raw, func(t *testing.T) {
			got, err := parseQuery(tt.raw, today)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestParseQueryRefuses(t *testing.T) {
	tests := []struct {
		raw, field, message string
	}{
		{"from=2026-10-02&to=2026-10-01", "to", "to must be after from: from 2026-10-02 is included, to 2026-10-01 is not"},
		{"from=2026-10-01&to=2026-10-01", "to", "to must be after from: from 2026-10-01 is included, to 2026-10-01 is not"},
		{"from=2026-12-01", "to", "to must be after from: from 2026-12-01 is included, to 2026-11-22 is not"},
		{"from=2016-11-21&to=2026-11-22", "to", "to must be at most 10 years after from"},
		{"from=yesterday", "from", "from must be a date such as 2026-11-21, from 2000 to 2199"},
		{"from=2026-02-29", "from", "from must be a date such as 2026-11-21, from 2000 to 2199"},
		{"to=2026-1-1", "to", "to must be a date such as 2026-11-21, from 2000 to 2199"},
		{"to=", "to", "to must be a date such as 2026-11-21, from 2000 to 2199"},
		{"to=0000-01-01", "to", "to must be a date such as 2026-11-21, from 2000 to 2199"},
		{"from=1999-12-31&to=2000-02-01", "from", "from must be a date such as 2026-11-21, from 2000 to 2199"},
		{"to=2200-01-01", "to", "to must be a date such as 2026-11-21, from 2000 to 2199"},
		{"from=2025-11-20&to=2026-11-22&by=day", "by", "by must be week or longer for more than 366 days: these are 367"},
		{"from=2023-11-19&to=2026-11-22&by=week", "by", "by must be month or longer for more than 1098 days: these are 1099"},
		{"include=", "include", "include must be a list of lastYear, previous, channels, segments, earlier, annotations, separated by commas, each there once"},
		{"include=channels,channels", "include", "include must be a list of lastYear, previous, channels, segments, earlier, annotations, separated by commas, each there once"},
		{"include=categories", "include", "include must be a list of lastYear, previous, channels, segments, earlier, annotations, separated by commas, each there once"},
		{"by=hour", "by", "by must be one of day, week, month, quarter, year"},
		{"by=", "by", "by must be one of day, week, month, quarter, year"},
		{"series=0", "series", "series must be a whole number from 1"},
		{"series=1.5", "series", "series must be a whole number from 1"},
		{"series=%2B1", "series", "series must be a whole number from 1"},
		{"channel=pigeon", "channel", "channel must be one of email, sms, widget, app, link, kiosk, agent"},
		{"channel=", "channel", "channel must be one of email, sms, widget, app, link, kiosk, agent"},
		{"segment=", "segment", "segment must be 1 to 241 characters, such as plan=gold"},
		{"segment=" + strings.Repeat("%C3%A4", 242), "segment", "segment must be 1 to 241 characters, such as plan=gold"},
		{"segment=%FF", "segment", "segment must be 1 to 241 characters, such as plan=gold"},
		{"segment=a&channel=email", "segment", "segment must not be given together with channel"},
		{"by=day&by=week", "by", "by must be there once"},
		{"metric=nps", "metric", "metric is not a parameter of this request: there are from, to, by, series, channel, segment, include"},
		{"from=%zz", "query", "query must be percent-encoded name=value pairs joined by &"},
	}
	for _, tt := range tests {
		t.Run(tt.raw, func(t *testing.T) {
			_, err := parseQuery(tt.raw, today)
			e, ok := errors.AsType[*survey.Error](err)
			if !ok {
				t.Fatalf("got %v, want a survey.Error", err)
			}
			if e.Field != tt.field || e.Message != tt.message {
				t.Errorf("got %s: %s, want %s: %s", e.Field, e.Message, tt.field, tt.message)
			}
		})
	}
	if _, err := parseQuery("segment="+strings.Repeat("%C3%A4", 241), today); err != nil {
		t.Errorf("241 characters: %v", err)
	}
}

func TestPeriods(t *testing.T) {
	tests := []struct {
		by       unit
		from, to string
		want     string
	}{
		{day, "2026-03-28", "2026-03-31", "2026-03-28 2026-03-29 2026-03-30 2026-03-31"}, // the clocks change on the 29th
		{week, "2025-12-31", "2026-01-13", "2025-12-31 2026-01-05 2026-01-12 2026-01-13"},
		{week, "2026-11-16", "2026-11-23", "2026-11-16 2026-11-23"}, // Monday to Sunday
		{month, "2026-10-01", "2026-12-01", "2026-10-01 2026-11-01 2026-12-01"},
		{month, "2026-01-31", "2026-03-02", "2026-01-31 2026-02-01 2026-03-01 2026-03-02"},
		{quarter, "2025-11-15", "2026-05-01", "2025-11-15 2026-01-01 2026-04-01 2026-05-01"},
		{year, "2024-02-29", "2026-01-01", "2024-02-29 2025-01-01 2026-01-01"},
	}
	for _, tt := range tests {
		t.Run(string(tt.by)+" "+tt.from, func(t *testing.T) {
			edges := []string{tt.from}
			for _, p := range tt.by.periods(span{date(tt.from), date(tt.to)}) {
				if p.from.Format(dateFormat) != edges[len(edges)-1] {
					t.Errorf("period from %s follows one to %s", p.from, edges[len(edges)-1])
				}
				edges = append(edges, p.to.Format(dateFormat))
			}
			if got := strings.Join(edges, " "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestPrevious(t *testing.T) {
	for _, tt := range []struct{ from, to, want string }{
		{"2026-10-01", "2026-11-01", "2026-09-01"}, // a month
		{"2026-02-01", "2026-03-01", "2026-01-01"}, // a month of another length
		{"2026-01-01", "2026-04-01", "2025-10-01"}, // a quarter
		{"2025-12-01", "2026-11-22", "2024-12-01"}, // twelve months, of which the last is running
		{"2026-11-01", "2026-11-22", "2026-10-01"}, // the running month
		{"2026-01-01", "2027-01-01", "2025-01-01"}, // the running year
		{"2026-11-01", "2026-11-21", "2026-10-12"}, // not up to today: days
		{"2026-11-16", "2026-11-23", "2026-11-10"}, // a week of which 6 days are over
		{"2026-11-09", "2026-11-16", "2026-11-02"}, // a whole week
		{"2026-12-10", "2026-12-12", "2026-12-08"}, // all in the future
	} {
		got := span{date(tt.from), date(tt.to)}.previous(today)
		if got != (span{date(tt.want), date(tt.from)}) {
			t.Errorf("%s to %s: %v, want from %s", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestYearBefore(t *testing.T) {
	for _, tt := range []struct {
		by                     unit
		from, to, first, after string
	}{
		{month, "2026-10-01", "2026-11-01", "2025-10-01", "2025-11-01"},
		{week, "2026-11-16", "2026-11-23", "2025-11-17", "2025-11-24"}, // Monday to Sunday as well
		{day, "2024-02-28", "2024-02-29", "2023-02-28", "2023-03-01"},
		{day, "2024-02-29", "2024-03-01", "2023-03-01", "2023-03-01"}, // there was none
		{day, "2025-02-28", "2025-03-01", "2024-02-28", "2024-03-01"}, // and here one more
	} {
		if got := tt.by.yearBefore(span{date(tt.from), date(tt.to)}); got != (span{date(tt.first), date(tt.after)}) {
			t.Errorf("%s %s: %v", tt.by, tt.from, got)
		}
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"", "from=2026-10-01&to=2026-12-01&by=month", "series=2&channel=email", "segment=%00", "from=9999-12-31&to=9999-12-31", "to=9999-12-31&by=week", "include=lastYear,previous", "include=,", "from=2024-02-29&to=2024-03-01&by=day"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := parseQuery(raw, today)
		if err != nil {
			if survey.CodeOf(err) == survey.Internal {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		periods := q.by.periods(q.span)
		if len(periods) == 0 || periods[0].from != q.from || periods[len(periods)-1].to != q.to {
			t.Fatalf("periods %v do not make up %v", periods, q)
		}
		if before := q.previous(today); before.to != q.from || before.days() < 1 {
			t.Fatalf("%v comes before %v", before, q.span)
		}
		last := q.by.yearBefore(q.span).from
		for _, p := range periods {
			y := q.by.yearBefore(p)
			if y.from != last || y.to.Before(y.from) {
				t.Fatalf("%v is a year before %v, after one to %v", y, p, last)
			}
			last = y.to
		}
	})
}
