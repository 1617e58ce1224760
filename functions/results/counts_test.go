package results

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

const (
	routeOverview = "GET /api/overview"
	routeCompare  = "GET /api/compare/{touchpoint}"
)

// years is 20 touchpoints with five years of answers up to the handler's day,
// some hundred a month each, by three channels and of three segments; the first
// touchpoint had another series in the first two years.
var years = sync.OnceValues(func() (definitions, score.Changes) {
	rng := rand.New(rand.NewPCG(5, 20))
	var defs definitions
	changes := score.Changes{}
	end := date("2026-11-21")
	for i := range 20 {
		m := survey.Metrics()[i%len(survey.Metrics())]
		tp := touchpoint(fmt.Sprintf("touchpoint-%02d", i), m, 1)
		goal := 5.0
		tp.Goal, tp.Phase = &goal, survey.Phases()[i%4]
		defs = append(defs, tp)
		if i == 0 {
			now := *tp
			now.Series = 2
			tp = &now
			defs = append(defs, tp)
		}
		low, high := m.Scale()
		for d := end.AddDate(-5, 0, 0); !d.After(end); d = day.next(d) {
			sheet := score.Sheet{}
			for g, channel := range []survey.Channel{survey.Email, survey.Popup, survey.Link} {
				var t score.Tally
				for s := low; s <= high; s++ {
					t.Scores[s] = rng.Int64N(3)
				}
				t.Answered = t.N()
				t.Delivered = t.Answered + rng.Int64N(30)
				t.Sent, t.Confirmed = t.Delivered+rng.Int64N(3), t.Answered/2
				segment := score.BySegment([]string{"plan=gold", "plan=basic", "vip"}[(g+d.Day())%3])
				sheet.Add(score.Sheet{score.All: t, score.ByChannel(channel): t, segment: t})
			}
			series := tp.Series
			if series == 2 && d.Before(end.AddDate(-3, 0, 0)) {
				series = 1
			}
			for _, p := range []score.Period{score.Day(d), score.Month(d)} {
				k := score.Key{Touchpoint: tp.ID, Series: series, Period: p}
				if changes[k] == nil {
					changes[k] = score.Sheet{}
				}
				changes[k].Add(sheet)
			}
		}
	}
	return defs, changes
})

// TestViews makes the largest of every view over five years of 20 touchpoints,
// each of which has at most 60 kB. It takes two steps of calls to the database
// at most, of which the second is by key: one call for 100 keys. The queries of
// one step count as one: they are made at once (package store).
func TestViews(t *testing.T) {
	defs, changes := years()
	all := "&include=lastYear,previous,channels,segments,earlier"
	for _, tt := range []struct {
		name, route, path, query string
		calls                    int
	}{
		{"overview", routeOverview, "", "", 1},
		{"overview of one segment", routeOverview, "", "segment=plan%3Dgold", 1},
		{"overview of three years", routeOverview, "", "from=2023-12-01&to=2026-11-22", 1},
		{"overview cut off", routeOverview, "", "from=2026-03-17&to=2026-10-04", 2},
		{"a year", routeResults, "touchpoint-00", all[1:], 2},
		{"five years by month", routeResults, "touchpoint-00", "from=2021-12-01&to=2026-11-22" + all, 2},
		{"five years, cut off", routeResults, "touchpoint-00", "from=2021-12-17&to=2026-10-04" + all, 2},
		{"a year by day", routeResults, "touchpoint-00", "from=2025-11-22&to=2026-11-22&by=day" + all, 2},
		{"a month by day", routeResults, "touchpoint-00", "from=2026-11-01&to=2026-11-22&by=day" + all, 2},
		{"a year by week", routeResults, "touchpoint-00", "from=2025-11-22&to=2026-11-22&by=week" + all, 2},
		// A call for each year, all at once.
		{"three years by week", routeResults, "touchpoint-00", "from=2023-11-22&to=2026-11-22&by=week" + all, 6},
		{"comparison", routeCompare, "touchpoint-00", "from=2026-03-17&to=2026-10-04&withFrom=2025-03-17&withTo=2025-10-04", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHandler(defs, changes)
			r := apigw.Request{RouteKey: tt.route, RawQueryString: tt.query, PathParameters: map[string]string{"touchpoint": tt.path}, Headers: map[string]string{"accept-encoding": "gzip"}}
			resp, err := h.Handle(t.Context(), testkit.SignedIn(r, "viewer"))
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("%v %d %s", err, resp.StatusCode, resp.Body)
			}
			z, err := base64.StdEncoding.DecodeString(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			c := h.Sheets.(*counted)
			t.Logf("%d bytes, %d calls, %d keys", len(z), c.calls, c.keys)
			if len(z) > 60_000 {
				t.Errorf("%d bytes", len(z))
			}
			if c.calls > tt.calls || tt.route != routeOverview && c.keys > 100 {
				t.Errorf("%d calls, of which one for %d keys", c.calls, c.keys)
			}
		})
	}
}

func TestCompressed(t *testing.T) {
	h := newHandler(definitions{touchpoint("shop", survey.NPS, 1)}, nil)
	compressed := func(headers map[string]string) apigw.Response {
		r := apigw.Request{RouteKey: routeResults, PathParameters: map[string]string{"touchpoint": "shop"}, Headers: headers}
		resp, err := h.Handle(t.Context(), testkit.SignedIn(r, "viewer"))
		if err != nil || resp.Headers["vary"] != "accept-encoding" {
			t.Fatalf("%v %v", err, resp.Headers)
		}
		return resp
	}
	plain, packed := compressed(nil), compressed(map[string]string{"accept-encoding": "br, gzip"})
	z, err := base64.StdEncoding.DecodeString(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(z))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if string(body) != plain.Body || packed.Headers["content-encoding"] != "gzip" || plain.Headers["content-encoding"] != "" {
		t.Error("the answers differ")
	}
	if packed.Headers["etag"] == plain.Headers["etag"] {
		t.Error("other bytes with the same strong tag")
	}
	again := compressed(map[string]string{"accept-encoding": "gzip", "if-none-match": packed.Headers["etag"]})
	if again.StatusCode != http.StatusNotModified || again.Body != "" || again.IsBase64Encoded || again.Headers["content-encoding"] != "" {
		t.Errorf("known already: %d %v", again.StatusCode, again.Headers)
	}
}

// TestSumsOfSpans draws answers and spans, and holds the sums, of whole sheets,
// against a count of the answers themselves: whatever of them is read from
// months, from days, or as what is left of a month.
func TestSumsOfSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tp := touchpoint("shop", survey.Thumbs, 1)
		start := date("2026-01-20")
		today := start.AddDate(0, 0, 200)
		changes := score.Changes{}
		var days []int
		for range rapid.IntRange(0, 40).Draw(t, "answers") {
			n := rapid.IntRange(0, 200).Draw(t, "day")
			days = append(days, n)
			a := answer(tp, 1, start.AddDate(0, 0, n))
			a.Segments = []string{"vip"}
			changes.Replace(nil, a, time.UTC)
		}
		h := newHandler(definitions{tp}, changes)
		h.Zone, h.Now = time.UTC, func() time.Time { return today }
		var parts []part
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			from := rapid.IntRange(-60, 240).Draw(t, "from")
			to := from + rapid.IntRange(1, 120).Draw(t, "days")
			parts = append(parts, part{seriesOf(tp), rapid.SampledFrom(units).Draw(t, "by"), span{start.AddDate(0, 0, from), start.AddDate(0, 0, to)}})
		}
		c, err := h.read(t.Context(), parts)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			var want int64
			for _, n := range days {
				if d := start.AddDate(0, 0, n); !d.Before(p.from) && d.Before(p.to) {
					want++
				}
			}
			for _, g := range []score.Group{score.All, score.ByChannel(survey.Popup), score.BySegment("vip")} {
				if got := c.sum(p)[g].N(); got != want {
					t.Errorf("%v by %s, %q: %d, want %d", p.span, p.by, g, got, want)
				}
			}
		}
	})
}

// A month that is read before an answer is counted, and its days after it.
func TestNothingIsBelowZero(t *testing.T) {
	tp := touchpoint("shop", survey.Thumbs, 1)
	one := score.Tally{Scores: [11]int64{1: 1}}
	h := newHandler(definitions{tp}, score.Changes{
		{Touchpoint: "shop", Series: 1, Period: "month#2026-10"}:  {score.All: one},
		{Touchpoint: "shop", Series: 1, Period: "day#2026-10-25"}: {score.All: one.Add(one)},
	})
	var got report
	if err := json.Unmarshal([]byte(get(t, h, routeResults, "shop", "from=2026-10-01&to=2026-10-25").Body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Total.N != 0 || len(got.Total.Counts) != 0 {
		t.Errorf("%+v", got.Total)
	}
}

// groupsOf has 100 answers by each of two channels in each of two months: by
// e-mail all tens at first and zeros then; by popup tens and zeros alike.
func groupsOf(t testing.TB) *Handler {
	t.Helper()
	goal := 20.0
	old, tp := touchpoint("shop", survey.CSAT, 1), touchpoint("shop", survey.NPS, 2)
	tp.Goal = &goal
	changes := score.Changes{}
	add := func(tp *survey.Touchpoint, n, given int, channel survey.Channel, at string, segments ...string) {
		for range n {
			a := answer(tp, given, date(at).Add(12*time.Hour))
			a.Channel, a.Segments = channel, segments
			changes.Replace(nil, a, helsinki)
		}
	}
	add(old, 12, 5, survey.Email, "2026-08-10")
	add(tp, 100, 10, survey.Email, "2026-09-10", "plan=gold")
	add(tp, 100, 0, survey.Email, "2026-10-10", "plan=gold")
	for _, at := range []string{"2026-09-11", "2026-10-11"} {
		add(tp, 60, 10, survey.Popup, at, "plan=basic", "vip")
		add(tp, 40, 0, survey.Popup, at, "plan=basic")
	}
	add(tp, 30, 10, survey.Email, "2025-10-10", "plan=gold")
	return newHandler(definitions{old, tp}, changes)
}

func fetch(t testing.TB, h *Handler, route, query string, into any, groups ...string) apigw.Response {
	t.Helper()
	r := apigw.Request{RouteKey: route, RawQueryString: query, PathParameters: map[string]string{"touchpoint": "shop"}}
	resp, err := h.Handle(t.Context(), testkit.SignedIn(r, groups...))
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", query, resp.StatusCode, resp.Body)
		}
		if err := json.Unmarshal([]byte(resp.Body), into); err != nil {
			t.Fatal(err)
		}
	}
	return resp
}

func lineOf(d *difference) string {
	if d == nil {
		return "none"
	}
	better := "same"
	if d.Better != nil {
		better = map[bool]string{true: "better", false: "worse"}[*d.Better]
	}
	return fmt.Sprint(text(d.Change), " ", d.Verdict, " ", better)
}

func TestReportIncludes(t *testing.T) {
	h := groupsOf(t)
	var got report
	fetch(t, h, routeResults, "from=2026-08-01&to=2026-11-01&include=earlier,previous,lastYear,channels,segments", &got, "viewer")
	lines := []string{
		fmt.Sprint("last year ", len(got.LastYear.Periods), " ", got.LastYear.Total.From, " ", got.LastYear.Total.N, " ", lineOf(got.LastYear.Difference)),
		fmt.Sprint("previous ", got.Previous.Total.From, " ", got.Previous.Total.N, " ", lineOf(got.Previous.Difference)),
		fmt.Sprint("goal ", text(got.Total.Distance), " ", got.Total.Verdict),
	}
	for _, groups := range [][]group{got.Channels, got.Segments} {
		for _, g := range groups {
			lines = append(lines, fmt.Sprint(g.Name, " ", g.N, " ", lineOf(g.Difference)))
		}
	}
	for _, e := range got.Earlier {
		lines = append(lines, fmt.Sprint("series ", e.Series, " ", e.Metric, " ", len(e.Periods), " ", e.Periods[0].From, " ", e.Periods[0].Shown))
	}
	want := []string{
		"last year 3 2025-08-01 30 -90.0 real worse",
		"previous 2026-05-01 0 none",
		"goal -10.0 missed",           // 220 tens and 180 zeros of 400
		"email 200 -20.0 noise worse", // p = 0.047, one of two
		"widget 200 20.0 noise better",
		"plan=gold 200 -20.0 noise worse", // against all without it, which is plan=basic
		"plan=basic 200 20.0 noise better",
		"vip 120 128.6 real better", // 100 against 100 x (100 - 180) / 280 = -28.57
		"series 1 csat 1 2026-08-01 100",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	var bare map[string]json.RawMessage
	fetch(t, h, routeResults, "", &bare, "viewer")
	for _, name := range []string{"lastYear", "previous", "channels", "segments", "earlier"} {
		if _, ok := bare[name]; ok {
			t.Errorf("%s was not asked for", name)
		}
	}
	var long report
	fetch(t, h, routeResults, "from=2025-01-01&to=2026-11-01&include=lastYear,channels&by=year", &long, "viewer")
	if long.LastYear.Difference != nil {
		t.Error("a difference from answers that are the same")
	}
}

// TestReportOfASegment is what somebody sees who is to see one segment.
func TestReportOfASegment(t *testing.T) {
	h := groupsOf(t)
	var got report
	fetch(t, h, routeResults, "from=2026-09-01&to=2026-11-01&include=channels,segments,previous", &got, "viewer", "segment:plan%3Dgold", "segment:gone")
	if got.Total.N != 0 { // the first of hers, of which nobody is
		t.Errorf("%d answers", got.Total.N)
	}
	if len(got.Channels) != 0 || len(got.Segments) != 1 || got.Segments[0].Name != "plan=gold" || got.Segments[0].Difference != nil {
		t.Errorf("%+v %+v", got.Channels, got.Segments)
	}
	var all overview
	fetch(t, h, routeOverview, "segment=plan%3Dgold", &all, "viewer", "segment:plan%3Dgold")
	if all.Touchpoints[0].Total.N != 200 || all.Segment != "plan=gold" {
		t.Errorf("%+v", all)
	}
}

func TestSegmentsThatAreNot(t *testing.T) {
	h := groupsOf(t)
	want := `{"error":{"code":"not_found","field":"segment","message":"there is no such segment"}}`
	for _, tt := range []struct{ route, query, group string }{
		{routeResults, "segment=nobody", ""},
		{routeResults, "segment=vip", "segment:plan%3Dgold"},
		{routeResults, "channel=email", "segment:plan%3Dgold"},
		{routeOverview, "segment=nobody", ""},
		{routeOverview, "segment=vip", "segment:plan%3Dgold"},
		{routeCompare, "segment=nobody&withFrom=2026-01-01&withTo=2026-02-01&to=2026-11-01&from=2026-08-01", ""},
		{routeCompare, "segment=plan%3Dgold&withSegment=plan%3Dbasic", "segment:plan%3Dgold"},
	} {
		if resp := fetch(t, h, tt.route, tt.query, nil, "viewer", tt.group); resp.StatusCode != http.StatusNotFound || resp.Body != want {
			t.Errorf("%s %s: %d %s", tt.route, tt.query, resp.StatusCode, resp.Body)
		}
	}
	// Where nothing was answered, there is nothing to know a segment by.
	if resp := fetch(t, h, routeResults, "segment=plan%3Dgold&from=2026-01-01&to=2026-02-01", nil, "viewer"); resp.StatusCode != http.StatusOK {
		t.Errorf("of an empty month: %d", resp.StatusCode)
	}
}

func TestOverview(t *testing.T) {
	tally := func(tens, zeros int64) score.Sheet {
		return score.Sheet{score.All: {Scores: [11]int64{0: zeros, 10: tens}}}
	}
	low := func(ones, fives int64) score.Sheet {
		return score.Sheet{score.All: {Scores: [11]int64{1: ones, 5: fives}}}
	}
	at := func(id string, p score.Period) score.Key { return score.Key{Touchpoint: id, Series: 1, Period: p} }
	var defs definitions
	for _, id := range []string{"a-leaving", "b-before", "c-after", "d-effort"} {
		defs = append(defs, touchpoint(id, survey.NPS, 1))
	}
	defs[0].Phase, defs[1].Phase, defs[3].Metric = survey.Leaving, survey.Before, survey.CES5
	h := newHandler(defs, score.Changes{
		at("a-leaving", "month#2026-10"): tally(60, 40), at("a-leaving", "month#2026-07"): tally(60, 40),
		// Alone it would be real (p = 0.03), together with the other two it is not.
		at("b-before", "month#2026-10"): tally(74, 26), at("b-before", "month#2026-05"): tally(60, 40),
		at("c-after", "month#2026-11"):  tally(1, 0),                                               // which is not over
		at("d-effort", "month#2026-08"): low(80, 20), at("d-effort", "month#2026-07"): low(20, 80), // it became easier
	})
	var got overview
	fetch(t, h, routeOverview, "", &got, "viewer")
	var lines []string
	for _, e := range got.Touchpoints {
		lines = append(lines, strings.Join([]string{
			e.ID, fmt.Sprint(e.Total.N), fmt.Sprint(len(e.Trend)), e.Recent.Before.From, e.Recent.Now.From, e.Recent.Now.To, lineOf(e.Recent.Difference),
		}, " "))
	}
	want := []string{
		"b-before 200 12 2026-05-01 2026-08-01 2026-11-01 28.0 noise better",
		"c-after 1 12 2026-05-01 2026-08-01 2026-11-01 none",
		"d-effort 200 12 2026-05-01 2026-08-01 2026-11-01 -2.40 real better",
		"a-leaving 200 12 2026-05-01 2026-08-01 2026-11-01 0.0 noise same",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if resp := fetch(t, h, routeOverview, "from=2023-11-21", nil, "viewer"); !strings.Contains(resp.Body, `"field":"to","message":"to must be at most 3 years after from in an overview"`) {
		t.Errorf("over three years: %s", resp.Body)
	}
	fetch(t, h, routeOverview, "to=2026-11-01&from=2026-10-01", &got, "viewer", "touchpoint:c-after")
	if len(got.Touchpoints) != 1 || got.Touchpoints[0].ID != "c-after" || got.Touchpoints[0].Total.N != 0 {
		t.Errorf("one to be seen: %+v", got.Touchpoints)
	}
}

func TestCompare(t *testing.T) {
	h := groupsOf(t)
	for _, tt := range []struct{ query, want string }{
		{"from=2026-09-01&to=2026-10-01&withFrom=2026-10-01&withTo=2026-11-01", "200 200 -100.0 real worse"},
		{"from=2026-09-01&to=2026-10-01&withFrom=2026-10-01&withTo=2026-11-01&channel=email", "100 100 -200.0 real worse"},
		{"from=2026-09-01&to=2026-11-01&channel=email&withChannel=widget", "200 200 20.0 real better"},
		{"from=2026-09-01&to=2026-11-01&segment=plan%3Dbasic&withSegment=plan%3Dgold", "200 200 -20.0 real worse"},
		{"from=2026-09-01&to=2026-10-01&segment=vip&withSegment=plan%3Dgold&withFrom=2026-10-01&withTo=2026-11-01", "60 100 -200.0 real worse"},
		{"from=2026-09-01&to=2026-10-01&withFrom=2026-07-01&withTo=2026-08-01", "200 0 none"},
	} {
		var got comparison
		fetch(t, h, routeCompare, tt.query, &got, "viewer")
		if s := fmt.Sprint(got.First.N, " ", got.Second.N, " ", lineOf(got.Difference)); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.query, s, tt.want)
		}
	}
	both := " must be such that no answer is in both: other days, or on the same days two channels or two values of one attribute"
	for _, tt := range []struct{ query, field, message string }{
		{"", "withFrom", "withFrom" + both},
		{"from=2026-09-01&to=2026-10-02&withFrom=2026-10-01&withTo=2026-11-01", "withFrom", "withFrom" + both},
		{"segment=plan%3Dgold&withSegment=plan%3Dgold", "withFrom", "withFrom" + both},
		{"segment=vip&withSegment=plan%3Dgold", "withSegment", "withSegment" + both},
		{"channel=email&withSegment=plan%3Dgold", "withSegment", "withSegment" + both},
		{"withSegment=plan%3Dgold", "withSegment", "withSegment" + both},
		{"withFrom=2026-10-01", "withTo", "withFrom and withTo must be there together"},
		{"withTo=2026-10-01", "withTo", "withFrom and withTo must be there together"},
		{"withFrom=2026-10-01&withTo=2026-10-01", "withTo", "withTo must be after withFrom: from 2026-10-01 is included, to 2026-10-01 is not"},
		{"withFrom=now&withTo=2026-10-01", "withFrom", "withFrom must be a date such as 2026-11-21, from 2000 to 2199"},
		{"withChannel=email&withSegment=a", "withSegment", "withSegment must not be given together with withChannel"},
		{"withChannel=pigeon", "withChannel", "withChannel must be one of email, sms, widget, app, link, kiosk, agent"},
	} {
		resp := fetch(t, h, routeCompare, tt.query, nil, "viewer")
		want := fmt.Sprintf(`{"error":{"code":"invalid","field":%q,"message":%q}}`, tt.field, tt.message)
		if resp.StatusCode != http.StatusBadRequest || resp.Body != want {
			t.Errorf("%s: %d %s, want %s", tt.query, resp.StatusCode, resp.Body, want)
		}
	}
}

func TestMe(t *testing.T) {
	h := newHandler(nil, nil)
	for _, tt := range []struct {
		groups []string
		want   string
	}{
		{nil, `"role":"","touchpoints":null,"segments":null,"zone":"Europe/Helsinki","today":"2026-11-21","demo":false}`},
		{[]string{"viewer", "segment:plan%3Dgold"}, `"role":"viewer","touchpoints":null,"segments":["plan=gold"],"zone":"Europe/Helsinki","today":"2026-11-21","demo":false}`},
		{[]string{"viewer", "touchpoint:shop"}, `"role":"viewer","touchpoints":["shop"],"segments":null,"zone":"Europe/Helsinki","today":"2026-11-21","demo":false}`},
		{[]string{"admin", "touchpoint:shop"}, `"role":"admin","touchpoints":null,"segments":null,"zone":"Europe/Helsinki","today":"2026-11-21","demo":false}`},
	} {
		if resp := fetch(t, h, "GET /api/me", "", nil, tt.groups...); resp.StatusCode != http.StatusOK || !strings.HasSuffix(resp.Body, tt.want) {
			t.Errorf("%v: %d %s", tt.groups, resp.StatusCode, resp.Body)
		}
	}
}
