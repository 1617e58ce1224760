package results

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/signin"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

const (
	routeResponses = "GET /api/responses"
	routeThemes    = "GET /api/themes/{touchpoint}"
)

// feed is the feed in memory, of which a query reads some entries at most, as
// DynamoDB reads 1 MB.
type feed struct {
	asks  map[string][]feedItem // by touchpoint and month, the newest first
	most  int
	err   error
	mu    sync.Mutex
	calls int
}

type feedItem struct {
	at  string
	ask *survey.Ask
}

func newFeed(most int, asks ...*survey.Ask) *feed {
	f := &feed{asks: map[string][]feedItem{}, most: most}
	for _, a := range asks {
		at := a.AnsweredAt
		if at.IsZero() {
			at = a.RepliedAt
		}
		k := a.Touchpoint + at.UTC().Format("2006-01")
		f.asks[k] = append(f.asks[k], feedItem{string(store.FeedAt(at)) + "#" + a.ID, a})
	}
	for _, items := range f.asks {
		slices.SortFunc(items, func(a, b feedItem) int { return strings.Compare(b.at, a.at) })
	}
	return f
}

func (f *feed) Feed(_ context.Context, touchpoint string, from, to store.FeedPosition, limit int) ([]store.FeedEntry, bool, error) {
	f.mu.Lock()
	f.calls++
	f.mu.Unlock()
	if a, b := from.Time(), to.Time().Add(-time.Nanosecond); !strings.Contains(string(to), "#") && (a.Year() != b.Year() || a.Month() != b.Month()) || from >= to {
		return nil, false, fmt.Errorf("%s to %s is no span of one month", from, to)
	}
	var out []store.FeedEntry
	for _, it := range f.asks[touchpoint+string(from)[:7]] {
		if it.at < string(from) || it.at > string(to) {
			continue
		}
		if len(out) == f.most || limit > 0 && len(out) == limit {
			return out, true, f.err
		}
		out = append(out, store.FeedEntry{At: store.FeedPosition(it.at[:len("2006-01-02T15:04:05.000Z#")+8]), Ask: it.ask})
	}
	return out, false, f.err
}

// said is an answer with words.
func said(t *survey.Touchpoint, score int, at time.Time, comment string) *survey.Ask {
	a := answer(t, score, at)
	a.Comment, a.Locale, a.EditedAt = comment, "fi", at
	return a
}

func listResponses(t testing.TB, h *Handler, query string, groups ...string) (out responseList, resp apigw.Response) {
	t.Helper()
	resp, err := h.Handle(context.Background(), testkit.SignedIn(apigw.Request{RouteKey: routeResponses, RawQueryString: query}, groups...))
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == 200 {
		if err := json.Unmarshal([]byte(resp.Body), &out); err != nil {
			t.Fatal(err)
		}
	}
	return out, resp
}

func comments(l responseList) []string {
	out := []string{}
	for _, r := range l.Responses {
		out = append(out, r.Comment)
	}
	return out
}

// onFeed returns a handler of two touchpoints and what customers said there.
func onFeed() (*Handler, []*survey.Ask) {
	shop, care := touchpoint("shop-nps", survey.NPS, 2), touchpoint("care", survey.CSAT, 1)
	old := touchpoint("shop-nps", survey.CSAT, 1)
	at := func(days, minutes int) time.Time {
		return time.Date(2026, 11, 21, 12, minutes, 0, 0, time.UTC).AddDate(0, 0, -days)
	}
	with := func(a *survey.Ask, change func(*survey.Ask)) *survey.Ask { change(a); return a }
	asks := []*survey.Ask{
		with(said(shop, 2, at(0, 0), "Toimituksessa kesti"), func(a *survey.Ask) {
			a.Contact, a.Segments, a.Channel, a.EditedAt, a.Ref = "c-1", []string{"plan=gold", "vip"}, survey.Email, at(0, 5), "T-7"
		}),
		said(care, 5, at(1, 0), "Nopea palvelu"),
		with(said(shop, 9, at(30, 0), "<b>hyvä</b> =1+1"), func(a *survey.Ask) { a.Trust, a.Segments = survey.Click, []string{"vip"} }),
		with(said(shop, 0, at(40, 0), "Sen leverans"), func(a *survey.Ask) { a.Locale = "sv-FI" }),
		said(old, 5, at(60, 0), "Vanha sarja"),
		with(said(care, 1, at(90, 0), "Toimitus unohtui"), func(a *survey.Ask) { a.Segments = []string{"plan=basic"} }),
		// What is no counted answer of a customer:
		with(said(shop, 1, at(2, 0), "epäilyttävä"), func(a *survey.Ask) { a.Trust = survey.Suspect }),
		with(said(shop, 1, at(2, 1), "koe"), func(a *survey.Ask) { a.Test = true }),
		with(said(shop, 1, at(2, 2), "sana tekstiviestillä"), func(a *survey.Ask) {
			a.Trust, a.RepliedAt, a.AnsweredAt, a.Score = "", a.AnsweredAt, time.Time{}, 0
		}),
	}
	h := newHandler(definitions{old, shop, care}[1:], nil)
	h.Feed = newFeed(1000, asks...)
	return h, asks
}

func TestResponses(t *testing.T) {
	h, asks := onFeed()
	all := []string{"Toimituksessa kesti", "Nopea palvelu", "<b>hyvä</b> =1+1", "Sen leverans", "Vanha sarja", "Toimitus unohtui"}
	for _, tt := range []struct {
		name, query string
		groups      []string
		want        []string
	}{
		{"all", "", []string{"viewer"}, all},
		{"of a touchpoint, all series", "touchpoint=care", []string{"viewer"}, []string{all[1], all[5]}},
		{"from", "from=2026-11-20", []string{"viewer"}, all[:2]},
		{"to", "to=2026-11-20", []string{"viewer"}, all[2:]},
		{"an empty day", "from=2026-11-19&to=2026-11-20", []string{"viewer"}, []string{}},
		{"category", "category=detractor", []string{"viewer"}, []string{all[0], all[3]}},
		{"category of another metric", "category=satisfied", []string{"viewer"}, []string{all[1], all[4]}},
		{"score", "score=5", []string{"viewer"}, []string{all[1], all[4]}},
		{"score 0", "score=0", []string{"viewer"}, all[3:4]},
		{"channel", "channel=email", []string{"viewer"}, all[:1]},
		{"segment", "segment=vip", []string{"viewer"}, []string{all[0], all[2]}},
		{"channel and segment", "segment=vip&channel=widget", []string{"viewer"}, all[2:3]},
		{"language", "locale=sv", []string{"viewer"}, all[3:4]},
		{"words in any inflection", "q=toimitus", []string{"viewer"}, []string{all[0], all[5]}},
		{"all words", "q=TOIMITUKSIA+unohtaa", []string{"viewer"}, []string{}},
		{"no more than the limit", "limit=2", []string{"viewer"}, all[:2]},
		{"of a viewer's touchpoint", "", []string{"viewer", "touchpoint:care"}, []string{all[1], all[5]}},
		{"of a viewer's segment", "", []string{"viewer", "segment:vip"}, []string{all[0], all[2]}},
		{"of a viewer's segments, one", "segment=plan%3Dgold", []string{"viewer", "segment:vip", "segment:plan=gold"}, all[:1]},
		{"of both", "", []string{"viewer", "touchpoint:care", "segment:plan=basic"}, all[5:]},
		{"of a touchpoint that is no more", "", []string{"viewer", "touchpoint:gone"}, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, resp := listResponses(t, h, tt.query, tt.groups...)
			if diff := gocmp.Diff(tt.want, comments(out)); diff != "" {
				t.Errorf("%d: -want +got:\n%s%s", resp.StatusCode, diff, resp.Body)
			}
			for _, a := range asks {
				if strings.Contains(resp.Body, a.ID) {
					t.Error("the id of an ask is told")
				}
			}
		})
	}

	out, _ := listResponses(t, h, "", "agent")
	edited := asks[0].EditedAt
	contact := "c-1"
	want := response{
		Key: out.Responses[0].Key, Touchpoint: "shop-nps", Series: 2, Metric: survey.NPS, Score: 2, Category: survey.Detractor, Comment: all[0],
		Channel: survey.Email, Locale: "fi", Segments: []string{"plan=gold", "vip"}, AnsweredAt: asks[0].AnsweredAt, EditedAt: &edited, Confirmed: true,
		Contact: &contact, Ref: "T-7",
	}
	if diff := gocmp.Diff(want, out.Responses[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := survey.CheckID("key", want.Key); err != nil {
		t.Error(err)
	}
	if r := out.Responses[2]; r.EditedAt != nil || r.Confirmed {
		t.Errorf("a click that nobody changed: %+v", r)
	}
	if out, _ = listResponses(t, h, "", "viewer"); out.Responses[0].Contact != nil {
		t.Error("a viewer is told the contact")
	}
}

func TestResponsesRefuse(t *testing.T) {
	h, _ := onFeed()
	first, _ := listResponses(t, h, "limit=1", "viewer")
	of := url.QueryEscape
	raw, err := base64.RawURLEncoding.DecodeString(*first.Cursor)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(part int, to string) string {
		parts := strings.Split(string(raw), "|")
		parts[part] = to
		return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "|")))
	}
	for _, tt := range []struct {
		query  string
		groups []string
		code   survey.Code
		field  string
	}{
		{"from=2026-02-01&to=2026-01-01", nil, survey.Invalid, "to"},
		{"from=yesterday", nil, survey.Invalid, "from"},
		{"touchpoint=none", nil, survey.NotFound, "touchpoint"},
		{"touchpoint=A", nil, survey.Invalid, "touchpoint"},
		{"touchpoint=shop-nps", []string{"touchpoint:care"}, survey.NotFound, "touchpoint"},
		{"category=angry", nil, survey.Invalid, "category"},
		{"score=11", nil, survey.Invalid, "score"},
		{"score=-1", nil, survey.Invalid, "score"},
		{"score=05", nil, survey.Invalid, "score"},
		{"channel=fax", nil, survey.Invalid, "channel"},
		{"segment=", nil, survey.Invalid, "segment"},
		{"segment=vip", []string{"segment:plan=gold"}, survey.NotFound, "segment"},
		{"locale=fi-FI", nil, survey.Invalid, "locale"},
		{"locale=f", nil, survey.Invalid, "locale"},
		{"q=", nil, survey.Invalid, "q"},
		{"q=%F0%9F%98%A1", nil, survey.Invalid, "q"},
		{"q=" + strings.Repeat("%C3%A4", 101), nil, survey.Invalid, "q"},
		{"q=%ff", nil, survey.Invalid, "q"},
		{"limit=0", nil, survey.Invalid, "limit"},
		{"limit=101", nil, survey.Invalid, "limit"},
		{"limit=1&limit=2", nil, survey.Invalid, "limit"},
		{"sort=score", nil, survey.UnknownField, "sort"},
		{"cursor=", nil, survey.Invalid, "cursor"},
		{"cursor=x", nil, survey.Invalid, "cursor"},
		{"cursor=" + of(*first.Cursor) + "&score=2", nil, survey.Invalid, "cursor"},
		{"cursor=" + of(*first.Cursor) + "&to=2026-11-01", nil, survey.Invalid, "cursor"},
		{"cursor=" + changed(0, "0"), nil, survey.Invalid, "cursor"},
		{"cursor=" + changed(2, "0"), nil, survey.Invalid, "cursor"},
		{"cursor=" + changed(2, "99999999999"), nil, survey.Invalid, "cursor"},
		{"cursor=" + changed(3, "2027-01-01T00:00:00.000Z"), nil, survey.Invalid, "cursor"},
		{"cursor=" + changed(3, "2026-11-01"), nil, survey.Invalid, "cursor"},
	} {
		_, resp := listResponses(t, h, tt.query, append([]string{"viewer"}, tt.groups...)...)
		var got struct {
			Error struct {
				Code  survey.Code
				Field string
			}
		}
		if err := json.Unmarshal([]byte(resp.Body), &got); err != nil || got.Error.Code != tt.code || got.Error.Field != tt.field {
			t.Errorf("%s: %d %s, want %s on %s", tt.query, resp.StatusCode, resp.Body, tt.code, tt.field)
		}
	}
	for _, ok := range []string{"q=" + strings.Repeat("%C3%A4+", 50), "limit=100", "score=10", "cursor=" + of(*first.Cursor) + "&limit=5", "cursor=" + changed(3, "2020-01-01T00:00:00.000Z")} {
		if _, resp := listResponses(t, h, ok, "viewer"); resp.StatusCode != 200 {
			t.Errorf("%s: %s", ok, resp.Body)
		}
	}
	h.Feed = &feed{err: errors.New("on fire")}
	if _, resp := listResponses(t, h, "", "viewer"); resp.StatusCode != 500 || strings.Contains(resp.Body, "fire") {
		t.Errorf("a failure: %d %s", resp.StatusCode, resp.Body)
	}
}

// allPages goes through all pages of a question, and returns the comments and how
// many requests that took.
func allPages(t *rapid.T, h *Handler, query url.Values, groups ...string) (found []string, requests int) {
	for {
		h.Feed.(*feed).calls = 0
		r := testkit.SignedIn(apigw.Request{RouteKey: routeResponses, RawQueryString: query.Encode()}, groups...)
		resp, err := h.Handle(context.Background(), r)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: %v %s", query.Encode(), err, resp.Body)
		}
		var out responseList
		if err := json.Unmarshal([]byte(resp.Body), &out); err != nil {
			t.Fatal(err)
		}
		found, requests = append(found, comments(out)...), requests+1
		if out.Cursor == nil {
			return found, requests
		}
		if requests > 20_000 {
			t.Fatal("there is no end")
		}
		query.Set("cursor", *out.Cursor)
	}
}

// TestPagesLoseNothing draws feeds, filters and sizes of pages, and holds all
// pages together against the plain list.
func TestPagesLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		defs := definitions{}
		for i := range rapid.IntRange(1, 20).Draw(t, "touchpoints") {
			defs = append(defs, touchpoint(fmt.Sprint("t", i), survey.NPS, 1))
		}
		moments := rapid.SampledFrom([]int{3, 200, 1_000_000}).Draw(t, "moments")
		start := time.Date(2026, 8, 20, 0, 0, 0, 0, time.UTC)
		var asks []*survey.Ask
		for i := range rapid.IntRange(0, 150).Draw(t, "answers") {
			at := start.Add(time.Duration(rapid.IntRange(0, moments).Draw(t, "moment")) * (90 * 24 * time.Hour / time.Duration(moments)))
			a := said(rapid.SampledFrom(defs).Draw(t, "touchpoint"), rapid.IntRange(5, 7).Draw(t, "score"), at.Truncate(time.Millisecond), fmt.Sprint("sana ", i))
			a.ID = fmt.Sprintf("%08d%014d", rapid.IntRange(0, 9_999).Draw(t, "id")*10_000+i, i)
			if rapid.IntRange(0, 9).Draw(t, "suspect") == 0 {
				a.Trust = survey.Suspect
			}
			asks = append(asks, a)
		}
		h := newHandler(defs, nil)
		h.Feed = newFeed(rapid.IntRange(1, 40).Draw(t, "most"), asks...)
		query := url.Values{"limit": {strconv.Itoa(rapid.IntRange(1, 40).Draw(t, "limit"))}, "from": {"2026-08-01"}}
		want := func(*survey.Ask) bool { return true }
		switch rapid.IntRange(0, 3).Draw(t, "filter") {
		case 1:
			query.Set("category", "detractor")
			want = func(a *survey.Ask) bool { return a.Score <= 6 }
		case 2:
			query.Set("touchpoint", defs[0].ID)
			want = func(a *survey.Ask) bool { return a.Touchpoint == defs[0].ID }
		case 3:
			query.Set("q", "sana")
			query.Set("to", "2026-10-15")
			want = func(a *survey.Ask) bool { return a.AnsweredAt.Before(time.Date(2026, 10, 14, 21, 0, 0, 0, time.UTC)) }
		}
		asks = slices.DeleteFunc(asks, func(a *survey.Ask) bool { return !a.Counted() || !want(a) })
		slices.SortFunc(asks, func(a, b *survey.Ask) int {
			return cmp.Or(b.AnsweredAt.Compare(a.AnsweredAt), strings.Compare(b.ID, a.ID))
		})
		var expected []string
		for _, a := range asks {
			expected = append(expected, a.Comment)
		}
		found, _ := allPages(t, h, query, "viewer")
		if diff := gocmp.Diff(expected, found); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// TestAHundredThousandComments searches them for what one has. Every request
// stays within its waves, and together they are few.
func TestAHundredThousandComments(t *testing.T) {
	shop := touchpoint("shop-nps", survey.NPS, 1)
	const n = 100_000
	start := time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)
	asks := make([]*survey.Ask, n)
	for i := range asks {
		at := start.Add(355 * 24 * time.Hour * time.Duration(i) / n)
		asks[i] = said(shop, i%11, at, "Kaikki sujui hyvin, paketti oli siisti")
	}
	asks[7].Comment = "Hissin ovi oli jumissa"
	h := newHandler(definitions{shop}, nil)
	f := newFeed(2000, asks...) // 1 MB
	h.Feed = f
	query := url.Values{"q": {"hissi"}}
	last := "9999"
	for requests := 1; ; requests++ {
		f.calls = 0
		out, resp := listResponses(t, h, query.Encode(), "viewer")
		if resp.StatusCode != 200 || f.calls > maxWaves*atOnce {
			t.Fatalf("%d queries: %d %s", f.calls, resp.StatusCode, resp.Body)
		}
		if out.Searched > last {
			t.Fatalf("searched back to %s, and before to %s", out.Searched, last)
		}
		last = out.Searched
		if out.Cursor == nil {
			if len(out.Responses) != 1 || requests > 12 {
				t.Errorf("%d found at the end, after %d requests", len(out.Responses), requests)
			}
			t.Logf("%d requests", requests)
			return
		}
		query.Set("cursor", *out.Cursor)
	}
}

func FuzzCursor(f *testing.F) {
	values := url.Values{"q": {"hissi"}}
	f.Add(cursor{store.FeedAt(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)), longest}.encode(values))
	f.Add(cursor{"2026-11-01T00:00:00.000Z#abcdefgh", shortest}.encode(values))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		values := url.Values{"q": {"hissi"}, "cursor": {s}, "limit": {"3"}}
		c, err := parseCursor(values)
		if err != nil {
			if e, ok := errors.AsType[*survey.Error](err); !ok || e.Field != "cursor" {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		if got, err := parseCursor(url.Values{"q": {"hissi"}, "cursor": {c.encode(values)}}); err != nil || got != c {
			t.Errorf("%q is %v, written again %v, %v", s, c, got, err)
		}
	})
}

// Clocks that skip midnight go on at one, of the next day: what was said just
// before is of the day that ends.
func TestDaysBeginWhereMidnightIsSkipped(t *testing.T) {
	for zone, day := range map[string]string{"America/Santiago": "2026-09-06", "Africa/Cairo": "2026-04-24", "Europe/Helsinki": "2026-03-29"} {
		at, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		d, err := time.Parse(dateFormat, day)
		if err != nil {
			t.Fatal(err)
		}
		begins := (&Handler{Zone: at}).midnight(d)
		if last, first := begins.Add(-time.Millisecond).In(at), begins.In(at); last.Format(dateFormat) >= day || first.Format(dateFormat) != day {
			t.Errorf("%s, %s begins at %v, after %v", zone, day, first, last)
		}
	}
}

// TestCursorTellsNothingUnseen reads a dense feed as somebody who sees one
// segment: no cursor tells which answer of another it came to, and by the cursors
// every answer of the segment is read once.
func TestCursorTellsNothingUnseen(t *testing.T) {
	shop := touchpoint("shop-nps", survey.NPS, 1)
	unseen, want := map[string]bool{}, map[string]bool{}
	var asks []*survey.Ask
	for i := range 3000 {
		a := answer(shop, 9, time.Date(2026, 11, 14, 12, 0, i, 500e6, time.UTC))
		if a.Comment, a.Segments = "Hyvä", []string{"plan=basic"}; i%100 == 0 {
			a.Segments = []string{"plan=gold"}
			want[newResponse(a, signin.Who{}).Key] = true
		} else {
			unseen[string(store.FeedAt(a.AnsweredAt))] = true
		}
		asks = append(asks, a)
	}
	h := newHandler(definitions{shop}, nil)
	h.Feed = newFeed(40, asks...)
	got := map[string]bool{}
	for query := ""; ; {
		r := apigw.Request{RouteKey: routeResponses, RawQueryString: query}
		var page responseList
		caller{t, h}.want(signedIn(t, h, r, "viewer", "segment:plan=gold"), http.StatusOK, &page)
		for _, a := range page.Responses {
			if got[a.Key] {
				t.Errorf("%s is there twice", a.AnsweredAt)
			}
			got[a.Key] = true
		}
		if page.Cursor == nil {
			break
		}
		b, err := base64.RawURLEncoding.DecodeString(*page.Cursor)
		if err != nil {
			t.Fatal(err)
		}
		_, position, _ := strings.Cut(string(b), "|2026")
		if moment, _, _ := strings.Cut("2026"+position, "#"); unseen[moment] {
			t.Errorf("the cursor %s tells of an answer that may not be seen", b)
		}
		query = "cursor=" + *page.Cursor
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
