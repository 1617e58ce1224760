package results

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

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
		{"", query{date("2025-12-01"), date("2026-11-22"), month, 0, score.All}},
		{"from=2026-10-01&to=2026-12-01&by=month", query{date("2026-10-01"), date("2026-12-01"), month, 0, score.All}},
		{"from=2026-11-20", query{date("2026-11-20"), date("2026-11-22"), month, 0, score.All}},
		{"to=2026-03-01", query{date("2025-03-01"), date("2026-03-01"), month, 0, score.All}},
		{"to=2026-03-02&by=week", query{date("2025-04-01"), date("2026-03-02"), week, 0, score.All}},
		{"by=day&series=2&channel=widget", query{date("2025-12-01"), date("2026-11-22"), day, 2, "channel:widget"}},
		{"by=quarter&segment=plan%3Dgold", query{date("2025-12-01"), date("2026-11-22"), quarter, 0, "segment:plan=gold"}},
		{"by=year&from=2016-11-22&to=2026-11-22", query{date("2016-11-22"), date("2026-11-22"), year, 0, score.All}}, // ten years
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
		{"metric=nps", "metric", "metric is not a parameter of this request: there are from, to, by, series, channel, segment"},
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
			q := query{from: date(tt.from), to: date(tt.to), by: tt.by}
			edges := []string{tt.from}
			for _, p := range q.periods() {
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

func TestReads(t *testing.T) {
	tests := []struct {
		by       unit
		from, to string
		want     []sheets
	}{
		{day, "2026-01-01", "2026-02-01", []sheets{{"day#2026-01-01", "day#2026-01-31"}}},
		{week, "2026-01-01", "2026-02-01", []sheets{{"day#2026-01-01", "day#2026-01-31"}}},
		{month, "2026-01-01", "2026-03-01", []sheets{{"month#2026-01", "month#2026-02"}}},
		{year, "2026-01-02", "2026-02-01", []sheets{{"day#2026-01-02", "day#2026-01-31"}}},
		{month, "2026-01-02", "2026-01-31", []sheets{{"day#2026-01-02", "day#2026-01-30"}}},
		{quarter, "2025-12-31", "2026-03-02", []sheets{{"month#2026-01", "month#2026-02"}, {"day#2025-12-31", "day#2025-12-31"}, {"day#2026-03-01", "day#2026-03-01"}}},
	}
	for _, tt := range tests {
		t.Run(string(tt.by)+" "+tt.from+" "+tt.to, func(t *testing.T) {
			got := query{from: date(tt.from), to: date(tt.to), by: tt.by}.reads()
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(sheets{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestReadsCoverEachDayOnce holds the runs of sheets against the days of the
// range: each is in exactly one sheet.
func TestReadsCoverEachDayOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := today.AddDate(0, 0, rapid.IntRange(-1000, 1000).Draw(t, "from"))
		q := query{from: from, to: from.AddDate(0, 0, rapid.IntRange(1, 900).Draw(t, "days")), by: rapid.SampledFrom(units).Draw(t, "by")}
		seen := map[string]int{}
		for _, run := range q.reads() {
			start, err := run.from.Start()
			if err != nil {
				t.Fatal(err)
			}
			end, err := run.to.Start()
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(string(run.to), "month#") {
				end = month.next(end).AddDate(0, 0, -1)
			}
			for d := start; !d.After(end); d = d.AddDate(0, 0, 1) {
				seen[d.Format(dateFormat)]++
			}
		}
		n := 0
		for d := q.from; d.Before(q.to); d = d.AddDate(0, 0, 1) {
			if n++; seen[d.Format(dateFormat)] != 1 {
				t.Fatalf("%s is read %d times", d, seen[d.Format(dateFormat)])
			}
		}
		if len(seen) != n {
			t.Fatalf("%d days are read, the range has %d", len(seen), n)
		}
	})
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"", "from=2026-10-01&to=2026-12-01&by=month", "series=2&channel=email", "segment=%00", "from=9999-12-31&to=9999-12-31", "to=9999-12-31&by=week"} {
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
		periods := q.periods()
		if len(periods) == 0 || periods[0].from != q.from || periods[len(periods)-1].to != q.to {
			t.Fatalf("periods %v do not make up %v", periods, q)
		}
	})
}
