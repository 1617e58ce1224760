package answer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pulssi/pulssi/functions/answer"
	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

const id = "AAAAAAAAAAAAAAAAAAAAAA"

var now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

var questions = map[survey.Metric]survey.Text{
	survey.NPS: {
		"fi": "Kuinka todennäköisesti suosittelisit meitä ystävälle tai kollegalle?",
		"sv": "Hur sannolikt är det att du skulle rekommendera oss till en vän eller kollega?",
		"en": "How likely are you to recommend us to a friend or colleague?",
	},
	survey.CSAT: {
		"fi": "Kuinka tyytyväinen olet saamaasi palveluun?",
		"sv": "Hur nöjd är du med den service du fick?",
		"en": "How satisfied are you with the service you received?",
	},
	survey.CES: {
		"fi": "Mitä mieltä olet väitteestä: tilaaminen oli helppoa.",
		"sv": "Vad anser du om påståendet: det var lätt att beställa.",
		"en": "How far do you agree: it was easy to place my order.",
	},
	survey.CES5: {
		"fi": "Kuinka vaivalloista tilauksen vastaanottaminen oli?",
		"sv": "Hur besvärligt var det att ta emot leveransen?",
		"en": "How much effort did it take to receive your order?",
	},
	survey.Smiley: {
		"fi": "Miltä käynti meillä tuntui tänään?",
		"sv": "Hur kändes besöket hos oss i dag?",
		"en": "How was your visit today?",
	},
	survey.Thumbs: {
		"fi": "Löysitkö etsimäsi tiedon?",
		"sv": "Hittade du informationen du sökte?",
		"en": "Did you find what you were looking for?",
	},
}

// touchpoint returns a touchpoint of a metric, by the metric's name, in three
// languages. The one of NPS has every text of its own, in two of them.
func touchpoint(m survey.Metric) *survey.Touchpoint {
	t := &survey.Touchpoint{
		ID: string(m), Version: 1, Series: 1, Phase: survey.After, Metric: m,
		Locales: []string{"fi", "sv", "en"}, Channels: []survey.Channel{survey.Email, survey.Link},
		Name: survey.Text{"fi": "Nimi"}, Question: questions[m],
	}
	if m == survey.NPS {
		t.Low = survey.Text{"fi": "En missään nimessä", "en": "Never ever"}
		t.Followup = map[survey.Category]survey.Text{
			survey.Promoter:  {"fi": "Hienoa! Mistä pidit eniten?", "en": "Great! What did you like the most?"},
			survey.Detractor: {"fi": "Mikä meni pieleen?", "en": "What went wrong?"},
		}
		t.Thanks = survey.Text{"fi": "Kiitos, että kerroit!", "en": "Thank you for telling us!"}
	}
	return t
}

// ask returns an ask of a metric's touchpoint, an hour old.
func ask(m survey.Metric, locale string) *survey.Ask {
	return &survey.Ask{
		ID: id, Touchpoint: string(m), Series: 1, Metric: m, Channel: survey.Email, Locale: locale,
		AskedAt: now.Add(-time.Hour), SentAt: now.Add(-time.Hour),
	}
}

// answered returns the ask with an answer.
func answered(a *survey.Ask, score int, trust survey.Trust, comment string) *survey.Ask {
	a.Score, a.Trust, a.Comment, a.AnsweredAt = score, trust, comment, now.Add(-time.Minute)
	return a
}

type touchpoints map[string]*survey.Touchpoint

func catalog() touchpoints {
	c := touchpoints{}
	for _, m := range survey.Metrics() {
		c[string(m)] = touchpoint(m)
	}
	return c
}

func (c touchpoints) Touchpoint(_ context.Context, id string) (*survey.Touchpoint, error) {
	if t, ok := c[id]; ok {
		return t, nil
	}
	return nil, survey.Errorf(survey.NotFound, "touchpoint", "there is no such touchpoint")
}

func (c touchpoints) Series(ctx context.Context, k store.SeriesKey) (*survey.Touchpoint, error) {
	t, err := c.Touchpoint(ctx, k.Touchpoint)
	if err == nil && t.Series != k.Series {
		return nil, survey.Errorf(survey.NotFound, "series", "there is no such series")
	}
	return t, err
}

// one is a store with one ask, or none, that applies the rules of the domain.
// With readOnly it fails the test on every write.
type one struct {
	t        *testing.T
	ask      *survey.Ask
	err      error // of every call
	readOnly bool
	answers  []survey.Answer
	votes    []survey.Vote
}

func (o *one) Ask(_ context.Context, id string) (*survey.Ask, error) {
	if o.err != nil {
		return nil, o.err
	}
	if o.ask == nil || o.ask.ID != id {
		return nil, survey.Errorf(survey.NotFound, "id", "there is no such question")
	}
	a := *o.ask
	return &a, nil
}

func (o *one) Answer(ctx context.Context, id string, in survey.Answer, now time.Time) (*survey.Ask, error) {
	if o.readOnly {
		o.t.Error("an answer was written")
	}
	a, err := o.Ask(ctx, id)
	if err != nil {
		return nil, err
	}
	_, trust, err := a.Decide(in, now)
	if err != nil {
		return nil, err
	}
	o.answers = append(o.answers, in)
	a.Score, a.Trust = in.Score, trust
	if a.AnsweredAt.IsZero() {
		a.AnsweredAt = now
	}
	if in.Comment != nil {
		a.Comment = *in.Comment
	}
	o.ask = a
	return a, nil
}

func (o *one) Vote(_ context.Context, t *survey.Touchpoint, v survey.Vote, now time.Time) (*survey.Ask, error) {
	if o.readOnly {
		o.t.Error("a vote was written")
	}
	if o.err != nil {
		return nil, o.err
	}
	o.votes = append(o.votes, v)
	a := &survey.Ask{ID: v.ID, Touchpoint: t.ID, Series: t.Series, Metric: t.Metric, Score: v.Score, Trust: survey.Human, AskedAt: now, AnsweredAt: now}
	if v.Comment != nil {
		a.Comment = *v.Comment
	}
	return a, nil
}

func (o *one) Contact(_ context.Context, id string) (*survey.Contact, error) {
	return &survey.Contact{ID: id, Email: "maija@example.com"}, o.err
}

func (o *one) OptOut(ctx context.Context, id string, channels []survey.Channel, back bool, now time.Time) (*survey.Contact, error) {
	if o.readOnly {
		o.t.Error("an opt-out was written")
	}
	c, err := o.Contact(ctx, id)
	if !back {
		c.Merge(survey.Details{OptOut: channels}, now)
	}
	return c, err
}

func handler(o *one) *answer.Handler {
	return &answer.Handler{Asks: o, Contacts: o, Touchpoints: catalog(), Now: func() time.Time { return now }}
}

// request returns a request of a browser to a route of which the parameter
// has a value.
func request(route, value, query string) apigw.Request {
	method, path, _ := strings.Cut(route, " ")
	name := strings.Trim(path[strings.LastIndex(path, "{"):], "{}")
	r := apigw.Request{RouteKey: route, RawQueryString: query, PathParameters: map[string]string{name: value}, Headers: map[string]string{"accept": "text/html"}}
	r.RequestContext.HTTP.Method, r.RequestContext.RequestID = method, "request-1"
	return r
}

func postForm(route, value string, form url.Values) apigw.Request {
	r := request(route, value, "")
	r.Headers["content-type"], r.Body = "application/x-www-form-urlencoded", form.Encode()
	return r
}

func postJSON(body string) apigw.Request {
	r := request("POST /a/{id}", id, "")
	r.Headers["content-type"], r.Headers["accept"], r.Body = "application/json", "application/json", body
	return r
}

func handle(t *testing.T, h *answer.Handler, r apigw.Request) apigw.Response {
	t.Helper()
	resp, err := h.Handle(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// failure is an error as JSON.
type failure struct {
	Error struct {
		Code           survey.Code
		Field, Message string
	}
}

func decoded(t *testing.T, resp apigw.Response) failure {
	t.Helper()
	var f failure
	if err := json.Unmarshal([]byte(resp.Body), &f); err != nil {
		t.Fatalf("%s: %v", resp.Body, err)
	}
	return f
}

func form(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	return f
}

func TestGetAndHeadWriteNothing(t *testing.T) {
	for _, state := range []*survey.Ask{nil, ask(survey.NPS, "fi"), answered(ask(survey.NPS, "fi"), 3, survey.Click, "Hei"), answered(ask(survey.NPS, "fi"), 3, survey.Suspect, "")} {
		h := handler(&one{t: t, ask: state, readOnly: true})
		for s := -1; s <= 11; s++ {
			for _, r := range []apigw.Request{
				request("GET /a/{id}", id, fmt.Sprintf("s=%d", s)), request("HEAD /a/{id}", id, fmt.Sprintf("s=%d", s)),
				request("GET /t/{touchpoint}", "nps", fmt.Sprintf("s=%d&ref=TICKET-7", s)),
				request("HEAD /t/{touchpoint}", "nps", fmt.Sprintf("s=%d&ref=TICKET-7", s)),
			} {
				resp := handle(t, h, r)
				if isHead := strings.HasPrefix(r.RouteKey, "HEAD "); isHead != (resp.Body == "") {
					t.Errorf("%s: %d bytes", r.RouteKey, len(resp.Body))
				}
			}
		}
	}
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	for path, value := range map[string]string{" /a/{id}": id, " /t/{touchpoint}": "nps"} {
		for _, query := range []string{"", "s=9", "s=11"} {
			h := handler(&one{t: t, ask: ask(survey.NPS, "fi")})
			get, head := handle(t, h, request("GET"+path, value, query)), handle(t, h, request("HEAD"+path, value, query))
			if head.Body != "" || head.StatusCode != get.StatusCode || !maps.Equal(head.Headers, get.Headers) {
				t.Errorf("HEAD%s %d %v, GET %d %v", path, head.StatusCode, head.Headers, get.StatusCode, get.Headers)
			}
		}
	}
}

// TestScannersWriteNothing opens all links of an ask as a scanner does, on the
// real tables.
func TestScannersWriteNothing(t *testing.T) {
	tables, h := stored(t)
	a := ask(survey.NPS, "fi")
	if err := tables.Store.CreateAsk(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	tables.Meter.Reset()
	for range 2 {
		for _, method := range []string{"GET", "HEAD"} {
			for s := range 11 {
				if resp := handle(t, h, request(method+" /a/{id}", id, fmt.Sprintf("s=%d", s))); resp.StatusCode != http.StatusOK {
					t.Errorf("status %d", resp.StatusCode)
				}
			}
		}
	}
	for _, method := range []string{"GET", "HEAD"} {
		if resp := handle(t, h, request(method+" /t/{touchpoint}", "nps", "s=9")); resp.StatusCode != http.StatusOK {
			t.Errorf("status %d", resp.StatusCode)
		}
	}
	calls := tables.Meter.Calls()
	if len(calls) == 0 {
		t.Error("the meter saw no call")
	}
	for _, c := range calls {
		if c.Operation != "GetItem" && c.Operation != "Query" {
			t.Errorf("a %s", c.Operation)
		}
	}
	if got, err := tables.Store.Ask(t.Context(), id); err != nil || got.Answered() {
		t.Errorf("ask %+v, error %v", got, err)
	}
}

// stored returns a handler on DynamoDB Local, with a touchpoint of each metric.
func stored(t *testing.T) (*testkit.Tables, *answer.Handler) {
	t.Helper()
	tables := testkit.NewTables(t)
	for _, m := range survey.Metrics() {
		if err := tables.Store.PutTouchpoint(t.Context(), nil, touchpoint(m)); err != nil {
			t.Fatal(err)
		}
	}
	clock := testkit.NewClock(now)
	return tables, &answer.Handler{Asks: tables.Store, Touchpoints: store.NewCatalog(tables.Store, clock.Now), Now: clock.Now}
}

func TestOneAnswerIsOneWriteUnit(t *testing.T) {
	tables, h := stored(t)
	if err := tables.Store.CreateAsk(t.Context(), ask(survey.NPS, "fi")); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"score":9,"via":"auto"}`, `{"score":3,"via":"human"}`} {
		tables.Meter.Reset()
		if resp := handle(t, h, postJSON(body)); resp.StatusCode != http.StatusOK {
			t.Fatalf("status %d: %s", resp.StatusCode, resp.Body)
		}
		if c := tables.Meter.Calls(); len(c) != 1 || c[0].Operation != "UpdateItem" || c[0].Units != 1 || c[0].IndexUnits != 0 {
			t.Errorf("%s: calls %+v, want one UpdateItem of 1.0 units", body, c)
		}
	}
}

func TestAnswerAsJSON(t *testing.T) {
	long := strings.Repeat("😀", survey.MaxComment)
	for _, c := range []struct {
		body string
		want survey.Answer
		text string // of the answer's comment, nil where "-"
		out  string
	}{
		{`{"score":9,"via":"auto"}`, survey.Answer{Score: 9, Via: survey.Auto}, "-", `"score":9,"trust":"click"`},
		{`{"score":0,"via":"human"}`, survey.Answer{Score: 0, Via: survey.ViaHuman}, "-", `"score":0,"trust":"human"`},
		{`{"score":10,"via":"human","comment":" Hei\r\n "}`, survey.Answer{Score: 10, Via: survey.ViaHuman}, "Hei", `"score":10,"trust":"human"`},
		{`{"score":10,"via":"human","comment":""}`, survey.Answer{Score: 10, Via: survey.ViaHuman}, "", `"score":10,"trust":"human"`},
		{`{"score":10,"via":"human","comment":"` + long + `"}`, survey.Answer{Score: 10, Via: survey.ViaHuman}, long, `"score":10,"trust":"human"`},
	} {
		o := &one{t: t, ask: ask(survey.NPS, "fi")}
		resp := handle(t, handler(o), postJSON(c.body))
		if want := `{"id":"` + id + `",` + c.out + `,"editableUntil":"2026-12-21T10:00:00Z"}`; resp.StatusCode != http.StatusOK || resp.Body != want {
			t.Errorf("%.60s: status %d, %s, want %s", c.body, resp.StatusCode, resp.Body, want)
		}
		if len(o.answers) != 1 {
			t.Fatalf("%.60s: %d answers", c.body, len(o.answers))
		}
		got := o.answers[0]
		text := "-"
		if got.Comment != nil {
			text = *got.Comment
		}
		if got.Score != c.want.Score || got.Via != c.want.Via || text != c.text {
			t.Errorf("%.60s: answer %+v with comment %.20q", c.body, got, text)
		}
	}
}

// TestBadAnswers sends everything that the function refuses, as a program and
// as a form. No body reaches the store but the one whose score only the ask
// can refuse.
func TestBadAnswers(t *testing.T) {
	long := strings.Repeat("ä", survey.MaxComment+1)
	for _, c := range []struct {
		name, body, contentType, id string
		status                      int
		code                        survey.Code
		field                       string
	}{
		{name: "score over the scale", body: `{"score":11,"via":"human"}`, field: "score"},
		{name: "score under the scale", body: `{"score":-1,"via":"human"}`, field: "score"},
		{name: "fraction", body: `{"score":8.5,"via":"human"}`, field: "score"},
		{name: "exponent", body: `{"score":1e1,"via":"human"}`, field: "score"},
		{name: "score as text", body: `{"score":"9","via":"human"}`, field: "score"},
		{name: "huge score", body: `{"score":99999999999999999999,"via":"human"}`, field: "score"},
		{name: "missing score", body: `{"via":"human"}`, field: "score"},
		{name: "null score", body: `{"score":null,"via":"human"}`, field: "score"},
		{name: "missing via", body: `{"score":9}`, field: "via"},
		{name: "unknown via", body: `{"score":9,"via":"robot"}`, field: "via"},
		{name: "automatic comment", body: `{"score":9,"via":"auto","comment":"Hei"}`, field: "comment"},
		{name: "comment over the limit", body: `{"score":9,"via":"human","comment":"` + long + `"}`, field: "comment"},
		{name: "control character", body: `{"score":9,"via":"human","comment":"a\u0000b"}`, field: "comment"},
		{name: "unknown field", body: `{"score":9,"via":"human","admin":true}`, code: survey.UnknownField, field: "admin"},
		{name: "no object", body: `[9]`, field: "body"},
		{name: "nothing", body: ``, field: "body"},
		{name: "two objects", body: `{"score":9,"via":"human"}{}`, field: "body"},
		{name: "body too large", body: `{"score":9,"via":"human","comment":"` + strings.Repeat("a", apigw.MaxBody) + `"}`, status: 413, code: survey.TooLarge, field: "body"},
		{name: "wrong content type", body: `{"score":9,"via":"human"}`, contentType: "text/plain", status: 415, code: survey.UnsupportedType, field: "content-type"},
		{name: "no content type", body: `{"score":9,"via":"human"}`, contentType: "-", status: 415, code: survey.UnsupportedType, field: "content-type"},
		{name: "unknown id", body: `{"score":9,"via":"human"}`, id: "BBBBBBBBBBBBBBBBBBBBBB", status: 404, code: survey.NotFound},
		{name: "short id", body: `{"score":9,"via":"human"}`, id: "BBBB", field: "id"},
		{name: "malformed id", body: `{"score":9,"via":"human"}`, id: "<script>alert(1)</scri", field: "id"},
		{name: "form: missing score", body: "comment=Hei", contentType: "form", field: "score"},
		{name: "form: empty score", body: "score=&comment=Hei", contentType: "form", field: "score"},
		{name: "form: fraction", body: "score=8.5", contentType: "form", field: "score"},
		{name: "form: score with a plus", body: "score=%2B9", contentType: "form", field: "score"},
		{name: "form: score over the scale", body: "score=11&comment=Hei", contentType: "form", field: "score"},
		{name: "form: two scores", body: "score=9&score=8", contentType: "form", field: "score"},
		{name: "form: unknown field", body: "score=9&admin=1", contentType: "form", code: survey.UnknownField, field: "admin"},
		{name: "form: malformed", body: "score=%zz", contentType: "form", field: "body"},
		{name: "form: comment over the limit", body: form("score", "9", "comment", long).Encode(), contentType: "form", field: "comment"},
		{name: "form: not UTF-8", body: "score=9&comment=%ff", contentType: "form", field: "comment"},
		{name: "form: too large", body: form("score", "9", "comment", strings.Repeat("a", apigw.MaxBody)).Encode(), contentType: "form", status: 413, code: survey.TooLarge, field: "body"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &one{t: t, ask: ask(survey.NPS, "fi")}
			r := postJSON(c.body)
			switch c.contentType {
			case "":
			case "-":
				delete(r.Headers, "content-type")
			case "form":
				r.Headers["content-type"] = "application/x-www-form-urlencoded"
			default:
				r.Headers["content-type"] = c.contentType
			}
			if c.id != "" {
				r.PathParameters["id"] = c.id
			}
			status, code := c.status, c.code
			if status == 0 {
				status = http.StatusBadRequest
			}
			if code == "" {
				code = survey.Invalid
			}
			resp := handle(t, handler(o), r)
			f := decoded(t, resp).Error
			if resp.StatusCode != status || f.Code != code || c.field != "" && f.Field != c.field || f.Message == "" || c.field != "" && !strings.Contains(f.Message, c.field) {
				t.Errorf("status %d, %+v, want %d %s on %q", resp.StatusCode, f, status, code, c.field)
			}
			r.Headers["accept"] = "text/html"
			resp = handle(t, handler(o), r)
			if resp.StatusCode != status || !strings.HasPrefix(resp.Body, "<!doctype html>") {
				t.Errorf("as a page: status %d, %.60s", resp.StatusCode, resp.Body)
			}
			if len(o.answers) > 0 {
				t.Errorf("answers %+v", o.answers)
			}
		})
	}
}

func TestBadLinks(t *testing.T) {
	for _, c := range []struct {
		name, route, value, query string
		status                    int
		form                      bool
		text                      string
	}{
		{"unknown id", "GET /a/{id}", "BBBBBBBBBBBBBBBBBBBBBB", "", 404, false, "Survey not found"},
		{"short id", "GET /a/{id}", id[1:], "", 400, false, "id must be 22 characters"},
		{"long id", "GET /a/{id}", id + "A", "", 400, false, "id must be 22 characters"},
		{"hostile id", "GET /a/{id}", "%3Cscript%3E", "", 400, false, "id must be 22 characters"},
		{"over the scale", "GET /a/{id}", id, "s=11", 400, true, "0–10"},
		{"under the scale", "GET /a/{id}", id, "s=-1", 400, true, "0–10"},
		{"fraction", "GET /a/{id}", id, "s=8.5", 400, true, "0–10"},
		{"word", "GET /a/{id}", id, "s=nine", 400, true, "0–10"},
		{"empty", "GET /a/{id}", id, "s=", 400, true, "0–10"},
		{"no such touchpoint", "GET /t/{touchpoint}", "nothing", "", 404, false, "Survey not found"},
		{"malformed touchpoint", "GET /t/{touchpoint}", "No%20such", "", 400, false, "touchpoint must be"},
		{"a broken link is called one", "GET /a/{id}", "abc", "", 400, false, "The link may be broken."},
		{"no public link", "GET /t/{touchpoint}", "mail", "", 404, false, "Survey not found"},
		{"public link over the scale", "GET /t/{touchpoint}", "nps", "s=11", 400, true, "0–10"},
		{"longest ref", "GET /t/{touchpoint}", "nps", "ref=" + strings.Repeat("r", survey.MaxRef), 200, true, "rrr"},
		{"ref too long", "GET /t/{touchpoint}", "nps", "ref=" + strings.Repeat("r", survey.MaxRef+1), 400, true, "ref must be at most 64"},
		{"ref with a control character", "GET /t/{touchpoint}", "nps", "ref=a%00b", 400, true, "ref must not contain"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := handler(&one{t: t, ask: ask(survey.NPS, "fi"), readOnly: true})
			mail := touchpoint(survey.NPS)
			mail.Channels = []survey.Channel{survey.Email}
			h.Touchpoints.(touchpoints)["mail"] = mail
			resp := handle(t, h, request(c.route, c.value, c.query))
			if resp.StatusCode != c.status || !strings.Contains(resp.Body, c.text) || strings.Contains(resp.Body, "<form") != c.form {
				t.Errorf("status %d, want %d, a form %t and %q: %s", resp.StatusCode, c.status, c.form, c.text, readable(resp.Body))
			}
			r := request(c.route, c.value, c.query)
			r.Headers["accept"] = "application/json"
			if resp := handle(t, h, r); !c.form && decoded(t, resp).Error.Code == "" {
				t.Errorf("as JSON: %s", resp.Body)
			}
		})
	}
}

// TestNoCommentIsLost holds every refused form to the page that gives it back.
func TestNoCommentIsLost(t *testing.T) {
	typed := "Tämä <b>ei</b> saa kadota & häipyä"
	kept := "Tämä &lt;b&gt;ei&lt;/b&gt; saa kadota &amp; häipyä"
	long := strings.Repeat("ä", survey.MaxComment+1)
	huge := strings.Repeat("pitkä ", 5000)
	for _, c := range []struct {
		name   string
		form   url.Values
		err    error
		status int
		text   string
		also   string
	}{
		{name: "no score", form: form("comment", typed), status: 400, text: kept, also: "Valitse"},
		{name: "score off the scale", form: form("score", "12", "comment", typed), status: 400, text: kept, also: "0–10"},
		{name: "too long", form: form("score", "7", "comment", long), status: 400, text: long, also: "2 000"},
		{name: "control character", form: form("score", "7", "comment", "a\x07b"+typed), status: 400, text: kept, also: "pysty tallentamaan"},
		{name: "unknown field", form: form("score", "7", "comment", typed, "x", "1"), status: 400, text: kept, also: "x is not a field"},
		{name: "too large", form: form("score", "7", "comment", huge), status: 413, text: strings.TrimSpace(huge), also: "liian pitkä"},
		{name: "busy", form: form("score", "7", "comment", typed), err: survey.Errorf(survey.Unavailable, "", "try again"), status: 503, text: kept, also: "ruuhkainen"},
		{name: "failure", form: form("score", "7", "comment", typed), err: fmt.Errorf("secret"), status: 500, text: kept, also: "request-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, link := range []bool{false, true} {
				h := handler(&one{t: t, ask: ask(survey.NPS, "fi")})
				if c.err != nil {
					h.Asks = failing{h.Asks, c.err}
				}
				r := postForm("POST /a/{id}", id, c.form)
				if link {
					f := maps.Clone(c.form)
					f.Set("id", id)
					f.Set("ref", "TICKET-7")
					r = postForm("POST /t/{touchpoint}", "nps", f)
				}
				resp := handle(t, h, r)
				if resp.StatusCode != c.status || !strings.Contains(resp.Body, c.text) || !strings.Contains(resp.Body, c.also) || strings.Contains(resp.Body, "secret") {
					t.Errorf("status %d, want %d with %.40q and %q:\n%.3000s", resp.StatusCode, c.status, c.text, c.also, readable(resp.Body))
				}
				if checked := strings.Contains(resp.Body, " checked"); checked != (c.form.Get("score") == "7") {
					t.Errorf("the score is kept: %t", checked)
				}
				if link && (!strings.Contains(resp.Body, `value="TICKET-7"`) || !strings.Contains(resp.Body, `value="`+id+`"`)) {
					t.Errorf("the ref or the id is lost:\n%.3000s", readable(resp.Body))
				}
			}
		})
	}
}

// TestNoCommentIsLostWithoutAForm holds pages that can show no form to the
// comment that came for it.
func TestNoCommentIsLostWithoutAForm(t *testing.T) {
	over := answered(ask(survey.NPS, "fi"), 9, survey.Human, "Vanha")
	over.AnsweredAt = now.Add(-survey.EditWindow)
	for _, c := range []struct {
		name   string
		asks   *one
		route  string
		value  string
		status int
		texts  []string
	}{
		{"closed", &one{t: t, ask: over}, "POST /a/{id}", id, 410, []string{"9 / 10", "Vanha", "ei tallennettu"}},
		{"unknown id", &one{t: t}, "POST /a/{id}", id, 404, []string{"not saved"}},
		{"malformed id", &one{t: t}, "POST /a/{id}", "x", 400, []string{"not saved"}},
		{"nothing can be read", &one{t: t, err: errors.New("secret")}, "POST /a/{id}", id, 500, []string{"not saved", "request-1"}},
		{"unknown touchpoint", &one{t: t}, "POST /t/{touchpoint}", "nothing", 404, []string{"not saved"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp := handle(t, handler(c.asks), postForm(c.route, c.value, form("score", "3", "comment", "Uusi <b>")))
			if resp.StatusCode != c.status || strings.Contains(resp.Body, "<form") {
				t.Errorf("status %d, want %d and no form", resp.StatusCode, c.status)
			}
			for _, want := range append(c.texts, "Uusi &lt;b&gt;") {
				if !strings.Contains(resp.Body, want) {
					t.Errorf("the page lacks %q: %s", want, readable(resp.Body))
				}
			}
		})
	}
}

// TestNoCommentIsLostToSlowTables sends a form to tables that take every
// request and never answer: the page comes before Lambda would end the
// invocation, and after one request of the client's, not two.
func TestNoCommentIsLostToSlowTables(t *testing.T) {
	const longest = 20 * time.Second
	for _, c := range []struct {
		name               string
		invocation, client time.Duration
	}{
		{"the invocation's time is over first", 1700 * time.Millisecond, longest},
		{"the client's is", longest, 100 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			var requests atomic.Int32
			silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				_, _ = io.Copy(io.Discard, r.Body) // only then is it seen that the client has gone
				<-r.Context().Done()
			}))
			defer silent.Close()
			conf := config.Config{Region: "eu-north-1", DynamoDBEndpoint: silent.URL}
			s := store.New(store.NewClient(conf, func(string) string { return "x" }, func(o *dynamodb.Options) {
				o.HTTPClient, o.RetryMaxAttempts = &http.Client{Timeout: c.client}, 1
			}), conf)
			h := &answer.Handler{Asks: s, Touchpoints: catalog(), Now: time.Now}
			ctx, cancel := context.WithTimeout(t.Context(), c.invocation)
			defer cancel()
			resp, err := h.Handle(ctx, postForm("POST /a/{id}", id, form("score", "3", "comment", "Uusi <b>")))
			if err != nil || ctx.Err() != nil {
				t.Fatalf("error %v, the invocation's %v", err, ctx.Err())
			}
			if resp.StatusCode != http.StatusInternalServerError || !strings.Contains(resp.Body, "Uusi &lt;b&gt;") {
				t.Errorf("status %d: %s", resp.StatusCode, readable(resp.Body))
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

// unreadable is a catalog that cannot be read.
type unreadable struct{ answer.Touchpoints }

func (unreadable) Touchpoint(context.Context, string) (*survey.Touchpoint, error) {
	return nil, errors.New("secret")
}

func (unreadable) Series(context.Context, store.SeriesKey) (*survey.Touchpoint, error) {
	return nil, errors.New("secret")
}

// TestTakenAnswerIsThankedFor takes answers to questions that cannot be read
// again: they are saved, and the page says so.
func TestTakenAnswerIsThankedFor(t *testing.T) {
	former := ask(survey.NPS, "fi")
	former.Series = 2
	former.Touchpoint = "csat"
	for name, c := range map[string]struct {
		ask         *survey.Ask
		touchpoints answer.Touchpoints
		accept      string
		texts       []string
	}{
		"in the ask's language":                {ask(survey.NPS, "fi"), unreadable{}, "sv", []string{`<html lang="fi"`, "Kiitos vastauksestasi!", "Vastauksesi on tallennettu"}},
		"in the browser's":                     {ask(survey.NPS, ""), unreadable{}, "sv", []string{`<html lang="sv"`, "Tack för ditt svar!"}},
		"a definition that is of another kind": {former, catalog(), "", []string{`<html lang="fi"`, "Kiitos vastauksestasi!"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := &one{t: t, ask: c.ask}
			h := handler(o)
			h.Touchpoints = c.touchpoints
			r := postForm("POST /a/{id}", id, form("score", "3", "comment", "Uusi"))
			r.Headers["accept-language"] = c.accept
			resp := handle(t, h, r)
			if len(o.answers) != 1 || resp.StatusCode != http.StatusOK {
				t.Fatalf("%d answers, status %d: %s", len(o.answers), resp.StatusCode, readable(resp.Body))
			}
			for _, want := range c.texts {
				if !strings.Contains(resp.Body, want) {
					t.Errorf("the page lacks %q: %s", want, readable(resp.Body))
				}
			}
			for _, bad := range []string{"ei tallennettu", "secret", "<form"} {
				if strings.Contains(resp.Body, bad) {
					t.Errorf("the page has %q: %s", bad, readable(resp.Body))
				}
			}
		})
	}
}

// TestLongestFormInEveryAlphabet sends comments of the longest length allowed:
// a form writes each of these characters as three bytes for every one.
func TestLongestFormInEveryAlphabet(t *testing.T) {
	for _, c := range []string{"a", "ä", "ж", "字", "😀"} {
		o := &one{t: t, ask: ask(survey.NPS, "fi")}
		long := strings.Repeat(c, survey.MaxComment)
		if resp := handle(t, handler(o), postForm("POST /a/{id}", id, form("score", "9", "comment", long))); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", c, resp.StatusCode)
		}
		if len(o.answers) != 1 || *o.answers[0].Comment != long {
			t.Errorf("%s: %d answers", c, len(o.answers))
		}
	}
	// The limit itself: "comment=" and what it stands for.
	for size, status := range map[int]int{apigw.MaxBody: 400, apigw.MaxBody + 1: 413} {
		r := postForm("POST /a/{id}", id, nil)
		r.Body = "comment=" + strings.Repeat("%61", size-len("comment="))
		if resp := handle(t, handler(&one{t: t, ask: ask(survey.NPS, "fi")}), r); resp.StatusCode != status {
			t.Errorf("%d bytes: status %d, want %d", size, resp.StatusCode, status)
		}
	}
}

// failing refuses every write.
type failing struct {
	answer.Asks
	err error
}

func (f failing) Answer(context.Context, string, survey.Answer, time.Time) (*survey.Ask, error) {
	return nil, f.err
}

func (f failing) Vote(context.Context, *survey.Touchpoint, survey.Vote, time.Time) (*survey.Ask, error) {
	return nil, f.err
}

func TestClosed(t *testing.T) {
	edge := func(answeredAgo, askedAgo time.Duration) *survey.Ask {
		a := ask(survey.NPS, "fi")
		a.AskedAt = now.Add(-askedAgo)
		if answeredAgo > 0 {
			a.Score, a.Trust, a.Comment, a.AnsweredAt = 9, survey.Human, "Hei <i>", now.Add(-answeredAgo)
		}
		return a
	}
	for _, c := range []struct {
		name   string
		ask    *survey.Ask
		status int
		text   []string
	}{
		{"a moment before the last", edge(survey.EditWindow-time.Millisecond, survey.EditWindow), 200, []string{"<form"}},
		{"answered", edge(survey.EditWindow, survey.EditWindow), 410, []string{"päättynyt", "9 / 10", "Hei &lt;i&gt;"}},
		{"unanswered, just in time", edge(0, survey.AnswerWindow-time.Millisecond), 200, []string{"<form"}},
		{"unanswered", edge(0, survey.AnswerWindow), 410, []string{"päättynyt"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []apigw.Request{request("GET /a/{id}", id, "s=9"), postForm("POST /a/{id}", id, form("score", "9"))} {
				resp := handle(t, handler(&one{t: t, ask: c.ask}), r)
				if resp.StatusCode != c.status || strings.Contains(resp.Body, "<form") != (c.status == 200) {
					t.Errorf("%s: status %d: %s", r.RouteKey, resp.StatusCode, readable(resp.Body))
				}
				for _, want := range c.text {
					if !strings.Contains(resp.Body, want) {
						t.Errorf("%s lacks %q: %s", r.RouteKey, want, readable(resp.Body))
					}
				}
			}
		})
	}
}

func TestRoutesAreTopologys(t *testing.T) {
	served := map[string]bool{}
	for _, r := range topology.Routes() {
		if r.Function != topology.Answer {
			continue
		}
		served[r.Method+" "+r.Path] = true
		value := id
		if strings.Contains(r.Path, "touchpoint") {
			value = "nps"
		}
		req := request(r.Method+" "+r.Path, value, "")
		if r.Method == "POST" {
			req = postForm(r.Method+" "+r.Path, value, form("score", "9", "id", id))
			if value == id {
				req = postForm(r.Method+" "+r.Path, value, form("score", "9"))
			}
		}
		a := ask(survey.NPS, "fi")
		if strings.HasPrefix(r.Path, "/u/") {
			a.Contact = "c"
			if r.Method == "POST" {
				req = postForm(r.Method+" "+r.Path, value, form("channel", "all"))
			}
		}
		if resp := handle(t, handler(&one{t: t, ask: a}), req); resp.StatusCode != http.StatusOK {
			t.Errorf("%s %s: status %d", r.Method, r.Path, resp.StatusCode)
		}
	}
	if len(served) < 9 {
		t.Errorf("topology has %v", served)
	}
	if resp := handle(t, handler(&one{t: t}), request("GET /x/{id}", id, "")); resp.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown route: status %d", resp.StatusCode)
	}
}

func TestHeaders(t *testing.T) {
	for _, r := range []apigw.Request{
		request("GET /a/{id}", id, "s=9"), request("GET /a/{id}", "x", ""), request("GET /t/{touchpoint}", "nps", ""),
		postForm("POST /a/{id}", id, form("score", "9")), postForm("POST /a/{id}", id, form()),
	} {
		h := handle(t, handler(&one{t: t, ask: ask(survey.NPS, "fi")}), r).Headers
		for name, want := range map[string]string{
			"content-type": "text/html; charset=utf-8", "cache-control": "no-store", "referrer-policy": "no-referrer",
			"x-robots-tag": "noindex", "x-content-type-options": "nosniff",
		} {
			if h[name] != want {
				t.Errorf("%s: %s is %q, want %q", r.RouteKey, name, h[name], want)
			}
		}
		if _, ok := h["set-cookie"]; ok {
			t.Error("a cookie")
		}
		for _, part := range []string{"default-src 'none'", "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(h["content-security-policy"], part) {
				t.Errorf("the policy lacks %s", part)
			}
		}
		if strings.Contains(h["content-security-policy"], "unsafe") {
			t.Error("the policy allows any script or style")
		}
	}
}

// TestVote sends the form of a public link, twice under one id.
func TestVote(t *testing.T) {
	o := &one{t: t}
	for _, score := range []string{"9", "3"} {
		resp := handle(t, handler(o), postForm("POST /t/{touchpoint}", "nps", form("id", id, "score", score, "comment", "Hei", "locale", "sv", "ref", "TICKET-7")))
		if resp.StatusCode != http.StatusOK || !strings.Contains(resp.Body, `value="`+id+`"`) || !strings.Contains(resp.Body, `value="TICKET-7"`) || !strings.Contains(resp.Body, `<html lang="sv"`) {
			t.Errorf("status %d: %s", resp.StatusCode, readable(resp.Body))
		}
	}
	if len(o.votes) != 2 || o.votes[0].ID != id || o.votes[0].Channel != survey.Link || o.votes[0].Ref != "TICKET-7" || o.votes[0].Locale != "sv" || *o.votes[1].Comment != "Hei" {
		t.Errorf("votes %+v", o.votes)
	}
}

func TestVoteWithAnIDOfAnotherGetsANewOne(t *testing.T) {
	for _, err := range []error{survey.Errorf(survey.Conflict, "id", "id belongs to another answer"), survey.Errorf(survey.Closed, "", "too late")} {
		h := handler(&one{t: t, err: err})
		resp := handle(t, h, postForm("POST /t/{touchpoint}", "nps", form("id", id, "score", "9", "comment", "Hei")))
		if resp.StatusCode != apigw.Status(survey.CodeOf(err)) || strings.Contains(resp.Body, id) || !strings.Contains(resp.Body, `name="id" value="`) || !strings.Contains(resp.Body, "Hei") {
			t.Errorf("status %d: %s", resp.StatusCode, readable(resp.Body))
		}
	}
}

// TestVoteInAMalformedLocaleCanBeSentAgain sends the form as it came back: with
// a locale that the touchpoint has.
func TestVoteInAMalformedLocaleCanBeSentAgain(t *testing.T) {
	for sent, back := range map[string]string{"fi-fi": "fi", "sv_FI": "sv", "deutsch!": "fi"} {
		o := &one{t: t}
		f := form("id", id, "score", "9", "comment", "Hei", "locale", sent)
		resp := handle(t, handler(o), postForm("POST /t/{touchpoint}", "nps", f))
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(resp.Body, `name="locale" value="`+back+`"`) {
			t.Errorf("%s: status %d: %s", sent, resp.StatusCode, readable(resp.Body))
		}
		f.Set("locale", back)
		if resp := handle(t, handler(o), postForm("POST /t/{touchpoint}", "nps", f)); resp.StatusCode != http.StatusOK || len(o.votes) == 0 {
			t.Errorf("%s, then %s: status %d: %s", sent, back, resp.StatusCode, readable(resp.Body))
		}
	}
}

// TestFormerDefinition asks by a definition that the instance does not have
// yet.
func TestFormerDefinition(t *testing.T) {
	a := ask(survey.NPS, "fi")
	a.Series = 2
	if resp := handle(t, handler(&one{t: t, ask: a}), request("GET /a/{id}", id, "")); resp.StatusCode != http.StatusOK {
		t.Errorf("the same metric: status %d", resp.StatusCode)
	}
	a.Metric = survey.CSAT
	if resp := handle(t, handler(&one{t: t, ask: a}), request("GET /a/{id}", id, "")); resp.StatusCode != http.StatusNotFound {
		t.Errorf("another metric: status %d", resp.StatusCode)
	}
}

// FuzzAnswer holds every body to an answer of 200 or a 4xx that names a field.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"score":9,"via":"human","comment":"Hei"}`, `{"score":9,"via":"auto"}`, "", "null", "[]", `{"score":1e400}`, `{"score":{}}`,
		`{"score":9,"via":"human","comment":"\ud800"}`, "score=9&comment=Hei", "score=%ff", "=", "score=9;comment", "comment=%zz&score=9", "via=auto&score=9&comment=",
	} {
		f.Add(s, "application/json")
		f.Add(s, "application/x-www-form-urlencoded")
	}
	f.Add("score=9", "application/x-www-form-urlencoded; charset=\"")
	f.Fuzz(func(t *testing.T, body, contentType string) {
		for _, accept := range []string{"application/json", "text/html"} {
			r := postJSON(body)
			r.Headers["content-type"], r.Headers["accept"] = contentType, accept
			resp := handle(t, handler(&one{t: t, ask: ask(survey.NPS, "fi")}), r)
			switch isPage := strings.HasPrefix(resp.Body, "<!doctype html>"); {
			case resp.StatusCode == http.StatusOK:
			case resp.StatusCode < 400 || resp.StatusCode >= 500:
				t.Errorf("status %d", resp.StatusCode)
			case isPage != (accept == "text/html"):
				t.Errorf("a page %t for %s", isPage, accept)
			case isPage:
			default:
				// Only an unknown field can have no name: "=9".
				if f := decoded(t, resp).Error; f.Field == "" && f.Code != survey.UnknownField {
					t.Errorf("no field: %s", resp.Body)
				}
			}
		}
	})
}
