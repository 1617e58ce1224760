package results

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	routeTouchpoints = "GET /api/touchpoints"
	routeResults     = "GET /api/results/{touchpoint}"
)

var helsinki = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		panic(err)
	}
	return zone
}()

// counted is sheets in memory.
type counted struct {
	score.Changes
	err error

	mu    sync.Mutex
	calls int
	keys  int // asked for by key
}

func (c *counted) Sheets(_ context.Context, of []store.SeriesKey, from, to score.Period) ([]store.StoredSheet, error) {
	return c.find(func(key score.Key) bool {
		k := store.SeriesKey{Touchpoint: key.Touchpoint, Series: key.Series}
		return slices.Contains(of, k) && from <= key.Period && key.Period <= to
	})
}

func (c *counted) SheetsAt(_ context.Context, keys []score.Key) ([]store.StoredSheet, error) {
	c.mu.Lock()
	c.keys += len(keys)
	c.mu.Unlock()
	return c.find(func(key score.Key) bool { return slices.Contains(keys, key) })
}

func (c *counted) find(wanted func(score.Key) bool) ([]store.StoredSheet, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	var out []store.StoredSheet
	for key, sheet := range c.Changes {
		if wanted(key) {
			out = append(out, store.StoredSheet{Key: key, Counts: sheet})
		}
	}
	return out, c.err
}

// definitions is touchpoints in memory: the last of an id is in force.
type definitions []*survey.Touchpoint

func (d definitions) All(ctx context.Context) ([]*survey.Touchpoint, error) {
	var out []*survey.Touchpoint
	for _, t := range d {
		if now, err := d.Touchpoint(ctx, t.ID); err == nil && now == t {
			out = append(out, t)
		}
	}
	return out, nil
}

func (d definitions) Touchpoint(_ context.Context, id string) (*survey.Touchpoint, error) {
	for i := len(d) - 1; i >= 0; i-- {
		if d[i].ID == id {
			return d[i], nil
		}
	}
	return nil, survey.Errorf(survey.NotFound, "touchpoint", "there is no such touchpoint")
}

func (d definitions) Series(_ context.Context, k store.SeriesKey) (*survey.Touchpoint, error) {
	for _, t := range d {
		if t.ID == k.Touchpoint && t.Series == k.Series {
			return t, nil
		}
	}
	return nil, survey.Errorf(survey.NotFound, "series", "there is no series %d of %s", k.Series, k.Touchpoint)
}

func touchpoint(id string, m survey.Metric, series int) *survey.Touchpoint {
	return &survey.Touchpoint{
		ID: id, Version: series, Series: series, Metric: m, Phase: survey.After,
		Locales: []string{"fi", "en"}, Channels: []survey.Channel{survey.Email, survey.Popup},
		Name:     survey.Text{"fi": "Verkkokauppa", "en": "Web shop"},
		Question: survey.Text{"fi": "Kuinka todennäköisesti suosittelisit meitä?", "en": "How likely are you to recommend us?"},
	}
}

// answer is one counted answer.
func answer(t *survey.Touchpoint, scoreGiven int, at time.Time) *survey.Ask {
	return &survey.Ask{
		ID: survey.NewID(), Touchpoint: t.ID, Series: t.Series, Metric: t.Metric, Channel: survey.Popup,
		AskedAt: at, AnsweredAt: at, Score: scoreGiven, Trust: survey.Human,
	}
}

func get(t testing.TB, h *Handler, route, path, query string) apigw.Response {
	t.Helper()
	r := apigw.Request{RouteKey: route, RawQueryString: query, PathParameters: map[string]string{"touchpoint": path}}
	resp, err := h.Handle(t.Context(), testkit.SignedIn(r, "viewer"))
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func newHandler(d definitions, c score.Changes) *Handler {
	now := time.Date(2026, 11, 21, 21, 59, 0, 0, time.UTC) // 23:59 in Helsinki
	return &Handler{Sheets: &counted{Changes: c}, Touchpoints: d, Audit: &ledger{}, Zone: helsinki, Now: func() time.Time { return now }}
}

// example is the one of the contract: a zero, six twos, four sevens and nine
// tens in October.
func example(t *survey.Touchpoint) []*survey.Ask {
	at := time.Date(2026, 10, 14, 9, 0, 0, 0, time.UTC)
	var out []*survey.Ask
	for s, n := range map[int]int{0: 1, 2: 6, 7: 4, 10: 9} {
		for range n {
			out = append(out, answer(t, s, at))
		}
	}
	return out
}

func TestGolden(t *testing.T) {
	goal := 50.0
	shop := touchpoint("shop-nps", survey.NPS, 1)
	shop.Goal = &goal
	changes := score.Changes{}
	for _, a := range example(shop) {
		changes.Replace(nil, a, helsinki)
	}
	defs := definitions{shop}
	for _, m := range survey.Metrics() {
		tp := touchpoint("all-"+string(m), m, 1)
		defs = append(defs, tp)
		low, high := m.Scale()
		for s := low; s <= high; s++ { // s + 1 answers s each
			for i := range s + 1 {
				a := answer(tp, s, time.Date(2026, 11, 1+i, 12, 0, 0, 0, time.UTC))
				a.Channel, a.SentAt = survey.Email, a.AnsweredAt.Add(-time.Hour)
				changes.Replace(nil, a, helsinki)
			}
		}
		suspect := answer(tp, low, time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC))
		suspect.Trust, suspect.SentAt = survey.Suspect, suspect.AnsweredAt
		changes.Replace(nil, suspect, helsinki)
	}
	h := newHandler(defs, changes)
	tests := []struct{ name, route, path, query string }{
		{"contract", routeResults, "shop-nps", "from=2026-10-01&to=2026-12-01&by=month"},
		{"empty", routeResults, "shop-nps", "from=2026-10-15&to=2026-10-16&by=day"},
		{"channel", routeResults, "shop-nps", "from=2026-10-01&to=2026-11-01&by=quarter&channel=email"},
		{"touchpoints", routeTouchpoints, "", ""},
	}
	for _, m := range survey.Metrics() {
		tests = append(tests, struct{ name, route, path, query string }{string(m), routeResults, "all-" + string(m), "from=2026-11-01&to=2026-12-01"})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := get(t, h, tt.route, tt.path, tt.query)
			if resp.StatusCode != http.StatusOK {
				t.Fatalf("status %d: %s", resp.StatusCode, resp.Body)
			}
			golden(t, tt.name+".json", resp.Body)
		})
	}
}

func golden(t *testing.T, name, body string) {
	t.Helper()
	var indented strings.Builder
	var v json.RawMessage = []byte(body)
	enc := json.NewEncoder(&indented)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(indented.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), indented.String()); diff != "" {
		t.Errorf("%s: -want +got:\n%s", path, diff)
	}
}

func TestRefuses(t *testing.T) {
	h := newHandler(definitions{touchpoint("shop-nps", survey.NPS, 1)}, nil)
	tests := []struct {
		name, route, path, query string
		status                   int
		want                     string
	}{
		{"unknown touchpoint", routeResults, "nothing", "", 404, `{"error":{"code":"not_found","field":"touchpoint","message":"there is no such touchpoint"}}`},
		{"malformed touchpoint", routeResults, "Shop%20NPS", "", 400, `{"error":{"code":"invalid","field":"touchpoint","message":"touchpoint must be 1 to 63 characters of a-z, 0-9 and -, and not start with -"}}`},
		{"unknown series", routeResults, "shop-nps", "series=2", 404, `{"error":{"code":"not_found","field":"series","message":"there is no series 2 of shop-nps"}}`},
		{"backwards", routeResults, "shop-nps", "from=2026-02-01&to=2026-01-01", 400, `{"error":{"code":"invalid","field":"to","message":"to must be after from: from 2026-02-01 is included, to 2026-01-01 is not"}}`},
		{"unknown parameter", routeResults, "shop-nps", "until=2026-01-01", 400, `{"error":{"code":"unknown_field","field":"until","message":"until is not a parameter of this request: there are from, to, by, series, channel, segment, include"}}`},
		{"parameter of touchpoints", routeTouchpoints, "", "phase=after", 400, `{"error":{"code":"unknown_field","field":"phase","message":"phase is not a parameter of this request, which has none"}}`},
		{"another route", "GET /api/secrets", "", "", 404, `{"error":{"code":"not_found","message":"there is nothing at this path"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := get(t, h, tt.route, tt.path, tt.query)
			if resp.StatusCode != tt.status || resp.Body != tt.want {
				t.Errorf("got %d %s, want %d %s", resp.StatusCode, resp.Body, tt.status, tt.want)
			}
		})
	}
}

func TestAFailureIsOpaque(t *testing.T) {
	h := newHandler(definitions{touchpoint("shop-nps", survey.NPS, 1)}, nil)
	h.Sheets = &counted{err: errors.New("the table is on fire")}
	resp := get(t, h, routeResults, "shop-nps", "")
	if resp.StatusCode != http.StatusInternalServerError || strings.Contains(resp.Body, "fire") {
		t.Errorf("got %d %s", resp.StatusCode, resp.Body)
	}
}

func TestTodayIsOfTheZone(t *testing.T) {
	h := newHandler(definitions{touchpoint("shop-nps", survey.NPS, 1)}, nil)
	now := h.Now()
	for _, tt := range []struct {
		at   time.Time
		want string
	}{{now, `"to":"2026-11-22"`}, {now.Add(time.Minute), `"to":"2026-11-23"`}} { // midnight in Helsinki
		h.Now = func() time.Time { return tt.at }
		if body := get(t, h, routeResults, "shop-nps", "").Body; !strings.Contains(body, tt.want) {
			t.Errorf("at %s: no %s in %s", tt.at, tt.want, body)
		}
	}
}

func TestETag(t *testing.T) {
	tp := touchpoint("shop-nps", survey.NPS, 1)
	changes := score.Changes{}
	h := newHandler(definitions{tp}, changes)
	ask := func(tags string) apigw.Response {
		r := apigw.Request{RouteKey: routeResults, PathParameters: map[string]string{"touchpoint": tp.ID}, Headers: map[string]string{"if-none-match": tags}}
		resp, err := h.Handle(t.Context(), testkit.SignedIn(r, "viewer"))
		if err != nil {
			t.Fatal(err)
		}
		if resp.Headers["cache-control"] != "private, no-cache" {
			t.Errorf("cache-control is %q", resp.Headers["cache-control"])
		}
		return resp
	}
	first := ask("")
	tag := first.Headers["etag"]
	for _, tags := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		if resp := ask(tags); resp.StatusCode != http.StatusNotModified || resp.Body != "" || resp.Headers["etag"] != tag {
			t.Errorf("If-None-Match %s: got %d %q", tags, resp.StatusCode, resp.Body)
		}
	}
	changes.Replace(nil, answer(tp, 9, h.Now()), helsinki)
	if resp := ask(tag); resp.StatusCode != http.StatusOK || resp.Headers["etag"] == tag {
		t.Errorf("after an answer: got %d with tag %s", resp.StatusCode, resp.Headers["etag"])
	}
}

// TestPeriodsSumUp draws answers and ranges, and holds every period and the
// total against a count of the answers themselves.
func TestPeriodsSumUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(survey.Metrics()).Draw(t, "metric")
		tp := touchpoint("shop", m, 1)
		low, high := m.Scale()
		start := time.Date(2025, 12, 20, 0, 0, 0, 0, time.UTC)
		var asks []*survey.Ask
		changes := score.Changes{}
		for range rapid.IntRange(0, 60).Draw(t, "answers") {
			at := start.Add(time.Duration(rapid.IntRange(0, 500*24*60).Draw(t, "minute")) * time.Minute)
			a := answer(tp, rapid.IntRange(low, high).Draw(t, "score"), at)
			if rapid.Bool().Draw(t, "email") {
				a.Channel = survey.Email
			}
			asks = append(asks, a)
			changes.Replace(nil, a, helsinki)
		}
		from := start.AddDate(0, 0, rapid.IntRange(-40, 500).Draw(t, "from"))
		to := from.AddDate(0, 0, rapid.IntRange(1, 366).Draw(t, "days"))
		h := newHandler(definitions{tp}, changes)
		now := start.AddDate(0, 0, rapid.IntRange(501, 540).Draw(t, "today"))
		h.Now = func() time.Time { return now }
		resp, err := h.Handle(context.Background(), testkit.SignedIn(apigw.Request{
			RouteKey: routeResults, PathParameters: map[string]string{"touchpoint": tp.ID},
			RawQueryString: "channel=email&from=" + from.Format(dateFormat) + "&to=" + to.Format(dateFormat) +
				"&by=" + string(rapid.SampledFrom(units).Draw(t, "by")),
		}, "viewer"))
		if err != nil {
			t.Fatal(err)
		}
		var got report
		if err := json.Unmarshal([]byte(resp.Body), &got); err != nil {
			t.Fatal(err)
		}
		var sum int64
		for _, p := range append(got.Periods, got.Total) {
			var n int64
			for _, a := range asks {
				if d := a.AnsweredAt.In(helsinki).Format(dateFormat); a.Channel == survey.Email && p.From <= d && d < p.To {
					n++
				}
			}
			var byScore, byCategory int64
			for _, c := range p.Counts {
				byScore += c
			}
			for _, c := range p.Categories {
				byCategory += c
			}
			if p.N != n || byScore != n || byCategory != n {
				t.Fatalf("%s to %s: n %d, %d by score, %d by category, counted %d", p.From, p.To, p.N, byScore, byCategory, n)
			}
			if (p.Score == nil) != (n == 0) {
				t.Fatalf("%s to %s: score %v of %d answers", p.From, p.To, p.Score, n)
			}
			sum += n
		}
		if sum != 2*got.Total.N {
			t.Fatalf("the periods sum up to %d, the total is %d", sum-got.Total.N, got.Total.N)
		}
		if calls := h.Sheets.(*counted).calls; calls > 2 {
			t.Fatalf("%d calls", calls)
		}
	})
}

func TestSeriesAreNotMixed(t *testing.T) {
	old, now := touchpoint("shop", survey.CSAT, 1), touchpoint("shop", survey.NPS, 2)
	changes := score.Changes{}
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	changes.Replace(nil, answer(old, 5, at), helsinki)
	changes.Replace(nil, answer(now, 0, at), helsinki)
	changes.Replace(nil, answer(now, 10, at), helsinki)
	h := newHandler(definitions{old, now}, changes)
	for query, want := range map[string]string{"": "nps 2 2 0.0", "series=2": "nps 2 2 0.0", "series=1": "csat 1 1 100.0"} {
		var got struct {
			Metric string
			Series int
			Total  struct {
				N     int
				Score json.Number
			}
		}
		if err := json.Unmarshal([]byte(get(t, h, routeResults, "shop", query).Body), &got); err != nil {
			t.Fatal(err)
		}
		have, err := json.Marshal([]any{got.Metric, got.Series, got.Total.N, got.Total.Score})
		if err != nil {
			t.Fatal(err)
		}
		if s := strings.NewReplacer(`"`, "", "[", "", "]", "", ",", " ").Replace(string(have)); s != want {
			t.Errorf("%q: got %s, want %s", query, s, want)
		}
	}
}

func TestFixed(t *testing.T) {
	for _, tt := range []struct {
		v        float64
		decimals int
		want     string
	}{{10, 1, "10.0"}, {-0.04, 1, "0.0"}, {0.25, 1, "0.3"}, {-0.25, 1, "-0.3"}, {4.125, 2, "4.13"}} {
		if got := string(*fixed(tt.v, tt.decimals)); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.v, got, tt.want)
		}
	}
}

// TestOnTables runs against real tables, across both changes of the clocks:
// 29 March 2026 has 23 hours in Helsinki, 25 October 25.
func TestOnTables(t *testing.T) {
	tables := testkit.NewTables(t)
	ctx := t.Context()
	shop := touchpoint("shop-nps", survey.NPS, 1)
	if err := tables.Store.PutTouchpoint(ctx, nil, shop); err != nil {
		t.Fatal(err)
	}
	asks := example(shop)
	for _, at := range []string{
		"2026-03-28T21:59:59Z", // 28th 23:59:59
		"2026-03-28T22:00:00Z", // 29th, midnight
		"2026-03-29T20:59:59Z", // 29th, 23:59:59
		"2026-03-29T21:00:00Z", // 30th, midnight
		"2026-10-24T21:00:00Z", // 25th, midnight
		"2026-10-25T00:30:00Z", // 25th, 3:30 for the first time
		"2026-10-25T01:30:00Z", // 25th, 3:30 again
		"2026-10-25T21:59:59Z", // 25th, 23:59:59
		"2026-10-25T22:00:00Z", // 26th, midnight
	} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		asks = append(asks, answer(shop, 10, instant))
	}
	changes := score.Changes{}
	for _, a := range asks {
		changes.Replace(nil, a, helsinki)
	}
	for key, sheet := range changes {
		if err := tables.Store.AddToSheet(ctx, key, sheet, store.Span{Shard: "s", First: "1", Last: "2"}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	h := newHandler(nil, nil)
	h.Sheets, h.Touchpoints = tables.Store, store.NewCatalog(tables.Store, time.Now)
	tests := []struct{ query, want string }{
		{"from=2026-10-14&to=2026-10-15&by=day", "20=10.0 | 20=10.0"},
		{"from=2026-10-01&to=2026-12-01&by=month", "25=28.0 0=null | 25=28.0"},
		{"from=2026-03-28&to=2026-03-31&by=day", "1=100.0 2=100.0 1=100.0 | 4=100.0"},
		{"from=2026-10-24&to=2026-10-27&by=day", "0=null 4=100.0 1=100.0 | 5=100.0"},
		{"from=2026-10-24&to=2026-10-31&by=week", "4=100.0 1=100.0 | 5=100.0"},
		{"from=2026-03-30&to=2026-10-26&by=year", "25=28.0 | 25=28.0"},
	}
	for _, tt := range tests {
		tables.Meter.Reset()
		resp := get(t, h, routeResults, "shop-nps", tt.query)
		var got report
		if err := json.Unmarshal([]byte(resp.Body), &got); err != nil {
			t.Fatalf("%s: %v in %s", tt.query, err, resp.Body)
		}
		var line []string
		for i, p := range append(got.Periods, got.Total) {
			if i == len(got.Periods) {
				line = append(line, "|")
			}
			s := "null"
			if p.Score != nil {
				s = string(*p.Score)
			}
			n, err := json.Marshal(p.N)
			if err != nil {
				t.Fatal(err)
			}
			line = append(line, string(n)+"="+s)
		}
		if s := strings.Join(line, " "); s != tt.want {
			t.Errorf("%s: got %s, want %s", tt.query, s, tt.want)
		}
		queries := 0
		for _, c := range tables.Meter.Calls() {
			if c.Operation == "Query" || c.Operation == "BatchGetItem" {
				queries++
			}
		}
		if queries < 1 || queries > 2 {
			t.Errorf("%s: %d calls", tt.query, queries)
		}
	}
}
