package vote_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/functions/vote"
	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

const (
	id   = "AAAAAAAAAAAAAAAAAAAAAA"
	shop = "https://shop.example"
	self = "https://answer.example"
)

var now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// shopNPS returns a touchpoint with everything that a vote can meet.
func shopNPS() *survey.Touchpoint {
	sample := 20
	return &survey.Touchpoint{
		ID: "shop-nps", Version: 3, Series: 2, Phase: survey.After, Metric: survey.NPS,
		Locales: []string{"fi", "sv", "en"}, Channels: []survey.Channel{survey.Popup, survey.App},
		Origins:  []string{shop, "http://localhost:8080"},
		Name:     survey.Text{"fi": "Kauppa"},
		Question: survey.Text{"fi": "Suosittelisitko meitä?", "en": "Would you recommend us?"},
		Followup: map[survey.Category]survey.Text{survey.Detractor: {"fi": "Mikä meni pieleen?", "en": "What went wrong?"}},
		Segments: map[string][]string{"plan": {"gold"}},
		Widget:   &survey.Widget{Include: []string{"/kiitos*"}, Delay: survey.Span(3 * time.Second), Sample: &sample, Color: "#ffcc00"},
	}
}

// touchpoints and votes are fakes: a struct of func fields, and a map.
type touchpoints map[string]*survey.Touchpoint

func (f touchpoints) Touchpoint(_ context.Context, id string) (*survey.Touchpoint, error) {
	if t, ok := f[id]; ok {
		return t, nil
	}
	return nil, survey.Errorf(survey.NotFound, "touchpoint", "there is no such touchpoint")
}

type votes func(survey.Vote) (*survey.Ask, error)

func (f votes) Vote(_ context.Context, _ *survey.Touchpoint, v survey.Vote, _ time.Time) (*survey.Ask, error) {
	return f(v)
}

func take(v survey.Vote) (*survey.Ask, error) {
	return &survey.Ask{ID: v.ID, Score: v.Score, Trust: survey.Human, AnsweredAt: now}, nil
}

func refuse(survey.Vote) (*survey.Ask, error) { panic("a refused vote was taken") }

func handler(v votes) *vote.Handler {
	mail := shopNPS()
	mail.ID, mail.Channels, mail.Widget = "mail-nps", []survey.Channel{survey.Email}, nil
	return &vote.Handler{
		Votes:       v,
		Touchpoints: touchpoints{"shop-nps": shopNPS(), "mail-nps": mail},
		Now:         func() time.Time { return now },
		PublicURL:   self,
	}
}

// request builds an event as API Gateway sends it for a route of the vote
// function; parameter is the value of the path's one parameter.
func request(route, parameter string, headers map[string]string, body string) apigw.Request {
	method, path, _ := strings.Cut(route, " ")
	name := path[strings.Index(path, "{")+1 : len(path)-1]
	r := apigw.Request{
		RouteKey: route, RawPath: strings.Replace(path, "{"+name+"}", parameter, 1),
		PathParameters: map[string]string{name: parameter}, Headers: headers, Body: body,
	}
	r.RequestContext.HTTP.Method = method
	r.RequestContext.DomainName = "abc.execute-api.example"
	r.RequestContext.RequestID = "request-1"
	return r
}

func post(headers map[string]string, body string) apigw.Request {
	h := map[string]string{"content-type": "application/json"}
	maps.Copy(h, headers)
	return request("POST /v/{touchpoint}", "shop-nps", h, body)
}

func handle(t *testing.T, h *vote.Handler, r apigw.Request) apigw.Response {
	t.Helper()
	resp, err := h.Handle(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

type failure struct {
	Error struct {
		Code    survey.Code `json:"code"`
		Field   string      `json:"field"`
		Message string      `json:"message"`
	} `json:"error"`
}

func decoded[T any](t *testing.T, resp apigw.Response) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(resp.Body), &v); err != nil {
		t.Fatalf("%q: %v", resp.Body, err)
	}
	return v
}

// with returns a good body with fields set, or taken out where the value is
// nil.
func with(fields map[string]any) string {
	m := map[string]any{"id": id, "score": 9}
	for k, v := range fields {
		if m[k] = v; v == nil {
			delete(m, k)
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestRefusedVotes(t *testing.T) {
	attrs := func(n int) map[string]string {
		m := map[string]string{}
		for i := range n {
			m[fmt.Sprint("k", i)] = "v"
		}
		return m
	}
	padded := func(n int) string { return with(nil) + strings.Repeat(" ", n-len(with(nil))) }
	for _, c := range []struct {
		name, body  string
		contentType string
		status      int
		code        survey.Code
		field, rule string // rule is a part of the message
	}{
		{name: "no id", body: with(map[string]any{"id": nil}), field: "id", rule: "22 characters"},
		{name: "id too short", body: with(map[string]any{"id": id[1:]}), field: "id", rule: "22 characters"},
		{name: "id too long", body: with(map[string]any{"id": id + "A"}), field: "id", rule: "22 characters"},
		{name: "id with +", body: with(map[string]any{"id": id[1:] + "+"}), field: "id", rule: "22 characters"},
		{name: "id a number", body: with(map[string]any{"id": 7}), field: "id", rule: "must be a text"},
		{name: "no score", body: with(map[string]any{"score": nil}), field: "score", rule: "must be there"},
		{name: "score null", body: `{"id":"` + id + `","score":null}`, field: "score", rule: "must be there"},
		{name: "score below", body: with(map[string]any{"score": -1}), field: "score", rule: "from 0 to 10"},
		{name: "score above", body: with(map[string]any{"score": 11}), field: "score", rule: "from 0 to 10"},
		{name: "score a fraction", body: with(map[string]any{"score": 9.5}), field: "score", rule: "whole number"},
		{name: "score a fraction of zero", body: `{"id":"` + id + `","score":9.0}`, field: "score", rule: "whole number"},
		{name: "score with exponent", body: `{"id":"` + id + `","score":1e1}`, field: "score", rule: "whole number"},
		{name: "score a text", body: with(map[string]any{"score": "9"}), field: "score", rule: "whole number"},
		{name: "score huge", body: `{"id":"` + id + `","score":99999999999999999999}`, field: "score", rule: "whole number"},
		{name: "unknown field", body: with(map[string]any{"email": "a@b.example"}), code: survey.UnknownField, field: "email", rule: "email is not a field"},
		{name: "comment too long", body: with(map[string]any{"comment": strings.Repeat("ä", 2001)}), field: "comment", rule: "at most 2000 characters"},
		{name: "comment with a control character", body: with(map[string]any{"comment": "a\x00b"}), field: "comment", rule: "control characters"},
		{name: "comment a list", body: with(map[string]any{"comment": []int{}}), field: "comment", rule: "must be a text"},
		{name: "channel of asks", body: with(map[string]any{"channel": "email"}), field: "channel", rule: "widget, app"},
		{name: "channel not offered", body: with(map[string]any{"channel": "kiosk"}), field: "channel", rule: "widget, app"},
		{name: "locale no language", body: with(map[string]any{"locale": "Finnish"}), field: "locale", rule: "a language"},
		{name: "page too long", body: with(map[string]any{"page": strings.Repeat("p", 301)}), field: "page", rule: "at most 300"},
		{name: "page of two lines", body: with(map[string]any{"page": "a\nb"}), field: "page", rule: "control characters"},
		{name: "ref too long", body: with(map[string]any{"ref": strings.Repeat("r", 65)}), field: "ref", rule: "at most 64"},
		{name: "too many attrs", body: with(map[string]any{"attrs": attrs(11)}), field: "attrs", rule: "at most 10"},
		{name: "attr without a name", body: with(map[string]any{"attrs": map[string]string{"": "v"}}), field: "attrs", rule: "1 to 40"},
		{name: "attr name too long", body: with(map[string]any{"attrs": map[string]string{strings.Repeat("k", 41): "v"}}), field: "attrs", rule: "1 to 40"},
		{name: "attr value too long", body: with(map[string]any{"attrs": map[string]string{"k": strings.Repeat("v", 201)}}), field: "attrs.k", rule: "at most 200"},
		{name: "attr an object", body: with(map[string]any{"attrs": map[string]any{"k": map[string]any{}}}), field: "attrs", rule: "texts, numbers"},
		{name: "attr a list", body: with(map[string]any{"attrs": map[string]any{"k": []int{}}}), field: "attrs", rule: "texts, numbers"},
		{name: "attrs a list", body: with(map[string]any{"attrs": []string{"a"}}), field: "attrs", rule: "must be an object"},
		{name: "empty body", body: "", field: "body", rule: "JSON object"},
		{name: "broken JSON", body: `{"id":`, field: "body", rule: "JSON object"},
		{name: "a list", body: `[]`, field: "body", rule: "JSON object"},
		{name: "two objects", body: with(nil) + "{}", field: "body", rule: "nothing after it"},
		{name: "body of 16 kB and a byte", body: padded(apigw.MaxBody + 1), status: 413, code: survey.TooLarge, field: "body", rule: "16384 bytes"},
		{name: "a form", body: "score=9", contentType: "application/x-www-form-urlencoded", status: 415, code: survey.UnsupportedType, field: "content-type", rule: "application/json or text/plain"},
		{name: "no content type", body: with(nil), contentType: "-", status: 415, code: survey.UnsupportedType, field: "content-type", rule: "application/json or text/plain"},
	} {
		t.Run(c.name, func(t *testing.T) {
			headers := map[string]string{"origin": shop}
			if c.contentType != "" {
				headers["content-type"] = strings.Trim(c.contentType, "-")
			}
			resp := handle(t, handler(refuse), post(headers, c.body))
			want := map[int]int{0: http.StatusBadRequest}[c.status]
			if want == 0 {
				want = c.status
			}
			if c.code == "" {
				c.code = survey.Invalid
			}
			got := decoded[failure](t, resp).Error
			if resp.StatusCode != want || got.Code != c.code || got.Field != c.field || !strings.Contains(got.Message, c.rule) {
				t.Errorf("status %d, %+v; want %d, %s, %s, %q", resp.StatusCode, got, want, c.code, c.field, c.rule)
			}
			if o := resp.Headers["access-control-allow-origin"]; o != shop || resp.Headers["vary"] != "origin" {
				t.Errorf("the page cannot read the error: allow-origin %q, vary %q", o, resp.Headers["vary"])
			}
		})
	}
}

func TestAcceptedVotes(t *testing.T) {
	long := strings.Repeat("ä", 2000)
	full := map[string]string{}
	for i := range 9 {
		full[fmt.Sprint("k", i)] = strings.Repeat("v", 200)
	}
	full[strings.Repeat("k", 40)] = ""
	nine := survey.Vote{ID: id, Score: 9, Channel: survey.Popup}
	for _, c := range []struct {
		name, body, contentType string
		want                    func(*survey.Vote)
	}{
		{name: "the least", body: with(nil)},
		{name: "as text", body: with(nil), contentType: "text/plain;charset=UTF-8"},
		{name: "as JSON with a charset", body: with(nil), contentType: "Application/JSON; charset=utf-8"},
		{name: "of 16 kB", body: with(nil) + strings.Repeat(" ", apigw.MaxBody-len(with(nil)))},
		{name: "the lowest", body: with(map[string]any{"score": 0}), want: func(v *survey.Vote) { v.Score = 0 }},
		{name: "the highest", body: with(map[string]any{"score": 10}), want: func(v *survey.Vote) { v.Score = 10 }},
		{name: "the longest comment", body: with(map[string]any{"comment": long}), want: func(v *survey.Vote) { v.Comment = &long }},
		{name: "an emptied comment", body: with(map[string]any{"comment": " \r\n"}), want: func(v *survey.Vote) { v.Comment = new(string) }},
		{name: "from an app", body: with(map[string]any{"channel": "app", "ref": strings.Repeat("r", 64)}), want: func(v *survey.Vote) {
			v.Channel, v.Ref = survey.App, strings.Repeat("r", 64)
		}},
		{name: "a page without its query", body: with(map[string]any{"page": "shop.example/kiitos?mail=a@b.example#x", "locale": "sv-FI"}), want: func(v *survey.Vote) {
			v.Page, v.Locale = "shop.example/kiitos", "sv-FI"
		}},
		{name: "attrs that are no texts", body: with(map[string]any{"attrs": map[string]any{"total": 49.90, "new": true, "plan": "gold", "none": nil}}), want: func(v *survey.Vote) {
			v.Attrs = map[string]string{"total": "49.9", "new": "true", "plan": "gold", "none": ""}
		}},
		{name: "all attrs", body: with(map[string]any{"attrs": full}), want: func(v *survey.Vote) { v.Attrs = full }},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := nine
			if c.want != nil {
				c.want(&want)
			}
			var got survey.Vote
			h := handler(func(v survey.Vote) (*survey.Ask, error) { got = v; return take(v) })
			headers := map[string]string{}
			if c.contentType != "" {
				headers["content-type"] = c.contentType
			}
			r := post(headers, base64.StdEncoding.EncodeToString([]byte(c.body)))
			r.IsBase64Encoded = true
			resp := handle(t, h, r)
			if resp.StatusCode != http.StatusOK {
				t.Fatalf("status %d: %s", resp.StatusCode, resp.Body)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			body := fmt.Sprintf(`{"id":"%s","score":%d,"trust":"human","editableUntil":"2026-12-21T10:00:00Z"}`, id, want.Score)
			if resp.Body != body {
				t.Errorf("body %s, want %s", resp.Body, body)
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		origin, touchpoint string
		status             int
		allowed            string // what the response allows
	}{
		{"", "shop-nps", 200, ""},
		{shop, "shop-nps", 200, shop},
		{"http://localhost:8080", "shop-nps", 200, "http://localhost:8080"},
		{self, "shop-nps", 200, self},
		{"https://abc.execute-api.example", "shop-nps", 403, ""}, // the gateway's own, behind the public one
		{"https://evil.example", "shop-nps", 403, ""},
		{"https://shop.example.evil.example", "shop-nps", 403, ""},
		{"https://www.shop.example", "shop-nps", 403, ""},
		{"http://shop.example", "shop-nps", 403, ""},
		{"http://localhost:8081", "shop-nps", 403, ""},
		{"null", "shop-nps", 403, ""},
		{shop, "nothing", 404, ""},
		{self, "nothing", 404, self},
		{self, "No-Such-Id", 400, self},
	} {
		for _, method := range []string{"POST", "OPTIONS"} {
			t.Run(method+" "+c.touchpoint+" from "+c.origin, func(t *testing.T) {
				headers := map[string]string{"content-type": "text/plain"}
				if c.origin != "" {
					headers["origin"] = c.origin
				}
				h := handler(take)
				if c.status != http.StatusOK {
					h = handler(refuse)
				}
				resp := handle(t, h, request(method+" /v/{touchpoint}", c.touchpoint, headers, with(nil)))
				want := c.status
				if method == "OPTIONS" && want == http.StatusOK {
					want = http.StatusNoContent
					if resp.Headers["access-control-allow-methods"] != "POST" || resp.Headers["access-control-allow-headers"] != "content-type" || resp.Headers["access-control-max-age"] != "7200" {
						t.Errorf("preflight headers %v", resp.Headers)
					}
				}
				if resp.StatusCode != want {
					t.Errorf("status %d, want %d: %s", resp.StatusCode, want, resp.Body)
				}
				if c.status == http.StatusForbidden {
					if f := decoded[failure](t, resp).Error; f.Field != "origin" || f.Code != survey.Forbidden {
						t.Errorf("error %+v", f)
					}
				}
				if got := resp.Headers["access-control-allow-origin"]; got != c.allowed || resp.Headers["vary"] != "origin" {
					t.Errorf("allow-origin %q, want %q; vary %q", got, c.allowed, resp.Headers["vary"])
				}
				if _, ok := resp.Headers["access-control-allow-credentials"]; ok {
					t.Error("credentials are allowed")
				}
			})
		}
	}
}

func TestOwnOriginWithoutPublicURL(t *testing.T) {
	h := handler(take)
	h.PublicURL = ""
	if resp := handle(t, h, post(map[string]string{"origin": "https://abc.execute-api.example"}, with(nil))); resp.StatusCode != http.StatusOK {
		t.Errorf("status %d: %s", resp.StatusCode, resp.Body)
	}
}

func TestFailuresOfTheStore(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		secret bool
	}{
		{survey.Errorf(survey.Closed, "", "the answer could be changed until then"), 410, false},
		{survey.Errorf(survey.Conflict, "id", "id belongs to another answer"), 409, false},
		{survey.Errorf(survey.Unavailable, "", "try again"), 503, false},
		{fmt.Errorf("dial tcp 10.0.0.1: secret"), 500, true},
	} {
		h := handler(func(survey.Vote) (*survey.Ask, error) { return nil, c.err })
		resp := handle(t, h, post(map[string]string{"origin": shop}, with(nil)))
		if resp.StatusCode != c.status || strings.Contains(resp.Body, "secret") || c.secret && !strings.Contains(resp.Body, "request-1") {
			t.Errorf("%v: status %d, %s", c.err, resp.StatusCode, resp.Body)
		}
		if resp.Headers["access-control-allow-origin"] != shop {
			t.Errorf("%v: the page cannot read the error", c.err)
		}
	}
}

func TestRoutesAreTopologys(t *testing.T) {
	h := handler(take)
	for _, r := range topology.Routes() {
		if r.Function != topology.Vote {
			continue
		}
		resp := handle(t, h, request(r.Method+" "+r.Path, "shop-nps", map[string]string{"content-type": "text/plain"}, with(nil)))
		if strings.Contains(resp.Body, "nothing at this path") {
			t.Errorf("%s %s is not handled", r.Method, r.Path)
		}
	}
	if resp := handle(t, h, request("GET /v/{touchpoint}", "shop-nps", nil, "")); resp.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown route: status %d", resp.StatusCode)
	}
}

// stored returns a handler on DynamoDB Local.
func stored(t *testing.T) (*testkit.Tables, *testkit.Clock, *vote.Handler) {
	t.Helper()
	tables, clock := testkit.NewTables(t), testkit.NewClock(now)
	h := handler(nil)
	h.Votes, h.Now = tables.Store, clock.Now
	return tables, clock, h
}

func TestOneVoteIsOneWriteUnit(t *testing.T) {
	tables, _, h := stored(t)
	body := with(map[string]any{"locale": "fi", "page": "shop.example/kiitos", "ref": "TICKET-7", "attrs": map[string]string{"plan": "gold"}})
	for range 2 { // the second is a retry
		tables.Meter.Reset()
		if resp := handle(t, h, post(nil, body)); resp.StatusCode != http.StatusOK {
			t.Fatalf("status %d: %s", resp.StatusCode, resp.Body)
		}
		calls := tables.Meter.Calls()
		if len(calls) != 1 || calls[0].Operation != "UpdateItem" || calls[0].Units != 1 || calls[0].IndexUnits != 0 {
			t.Errorf("calls %+v, want one UpdateItem of 1.0 units", calls)
		}
	}
	got, err := tables.Store.Ask(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	want := &survey.Ask{
		ID: id, Touchpoint: "shop-nps", Series: 2, Metric: survey.NPS, Channel: survey.Popup, Locale: "fi",
		Segments: []string{"plan=gold"}, Score: 9, Trust: survey.Human, Ref: "TICKET-7", Page: "shop.example/kiitos",
		Attrs: map[string]string{"plan": "gold"}, AskedAt: now, AnsweredAt: now, EditedAt: now,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestSameIDChangesTheResponse(t *testing.T) {
	tables, clock, h := stored(t)
	comment := "Hidas toimitus"
	steps := []struct {
		after  time.Duration
		fields map[string]any
		status int
		score  int
		text   string
	}{
		{0, nil, 200, 9, ""},
		{time.Minute, map[string]any{"comment": comment}, 200, 9, comment},
		{time.Minute, map[string]any{"score": 3}, 200, 3, comment},
		{survey.EditWindow - 2*time.Minute - time.Millisecond, map[string]any{"comment": ""}, 200, 9, ""},
		{time.Millisecond, map[string]any{"score": 1}, 410, 9, ""},
	}
	for i, s := range steps {
		clock.Move(s.after)
		resp := handle(t, h, post(nil, with(s.fields)))
		if resp.StatusCode != s.status {
			t.Fatalf("step %d: status %d: %s", i, resp.StatusCode, resp.Body)
		}
		a, err := tables.Store.Ask(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if a.Score != s.score || a.Comment != s.text || !a.AnsweredAt.Equal(now) {
			t.Errorf("step %d: score %d, comment %q, answered %s", i, a.Score, a.Comment, a.AnsweredAt)
		}
	}
}

func TestConcurrentDuplicatesMakeOneResponse(t *testing.T) {
	tables, _, h := stored(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if resp := handle(t, h, post(nil, with(map[string]any{"comment": "Hei"}))); resp.StatusCode != http.StatusOK {
				t.Errorf("status %d: %s", resp.StatusCode, resp.Body)
			}
		})
	}
	wg.Wait()
	n := 0
	if err := tables.Store.EachAsk(t.Context(), func(a *survey.Ask, err error) error {
		if n++; err != nil {
			return err
		}
		if a.ID != id || a.Score != 9 || a.Comment != "Hei" {
			t.Errorf("response %+v", a)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n != 1 {
		t.Errorf("%d responses, want 1", n)
	}
}

// FuzzVote holds every body to an answer of 200 or a 4xx that names a field.
func FuzzVote(f *testing.F) {
	for _, s := range []string{
		with(nil), with(map[string]any{"comment": "Hei", "attrs": map[string]string{"plan": "gold"}}),
		"", "null", "[]", `"x"`, `{"id":1}`, `{"score":1e400}`, `{"score":{}}`, `{"attrs":{"a":null}}`, `{"comment":"\ud800"}`, "{\"page\":\"\xff\"}",
	} {
		f.Add([]byte(s), "application/json")
		f.Add([]byte(s), "text/plain")
	}
	f.Add([]byte(with(nil)), "text/plain; charset=\"")
	h := handler(take)
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		r := post(map[string]string{"content-type": contentType}, base64.StdEncoding.EncodeToString(body))
		r.IsBase64Encoded = true
		resp := handle(t, h, r)
		switch {
		case resp.StatusCode == http.StatusOK:
		case resp.StatusCode >= 400 && resp.StatusCode < 500 && decoded[failure](t, resp).Error.Field != "":
		default:
			t.Errorf("status %d: %s", resp.StatusCode, resp.Body)
		}
	})
}
