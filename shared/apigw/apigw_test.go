package apigw

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// told is what a program is told of an error: code, field and message.
func told(err error) string {
	e, ok := errors.AsType[*survey.Error](err)
	if !ok {
		return "not told: " + err.Error()
	}
	return string(e.Code) + " " + e.Field + ": " + e.Message
}

func TestRequestReadsAnEvent(t *testing.T) {
	var r Request
	err := json.Unmarshal([]byte(`{"version":"2.0","routeKey":"POST /a/{id}","rawPath":"/a/x%20y","rawQueryString":"s=9&bad=%zz",
		"headers":{"host":"h"},"pathParameters":{"id":"x%20y"},"requestContext":{"domainName":"d.example","requestId":"R",
		"http":{"method":"POST"}},"body":"e30=","isBase64Encoded":true}`), &r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := r.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]string{
		"path parameter": {r.Path("id"), "x y"},
		"query":          {r.Query().Get("s"), "9"},
		"body":           {string(body), "{}"},
		"own origin":     {r.Origin(""), "https://d.example"},
		"given origin":   {r.Origin("https://answer.example"), "https://answer.example"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
		}
	}
	r.PathParameters["id"] = "100%"
	if got := r.Path("id"); got != "100%" {
		t.Errorf("a path parameter that is not encoded is %q, want it as it is", got)
	}
}

func TestBodyLimit(t *testing.T) {
	for _, c := range []struct {
		name    string
		body    string
		encoded bool
		want    string // "" for no error
	}{
		{"at the limit", strings.Repeat("x", MaxBody), false, ""},
		{"over it", strings.Repeat("x", MaxBody+1), false, "too_large body: body must be at most 16384 bytes"},
		{"encoded, at the limit", base64.StdEncoding.EncodeToString(make([]byte, MaxBody)), true, ""},
		{"encoded, over it", base64.StdEncoding.EncodeToString(make([]byte, MaxBody+1)), true, "too_large body: body must be at most 16384 bytes"},
		{"encoded badly", "?", true, "invalid body: body is not readable"},
	} {
		r := Request{Body: c.body, IsBase64Encoded: c.encoded}
		_, err := r.Bytes()
		if (err == nil) != (c.want == "") || err != nil && told(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestFormLimitCountsWhatBytesStandFor(t *testing.T) {
	for n, fits := range map[int]bool{MaxBody - 2: true, MaxBody - 1: false} { // and "c="
		r := Request{Body: "c=" + strings.Repeat("%C3", n)}
		if _, err := r.Form("c"); (err == nil) != fits {
			t.Errorf("%d encoded bytes: %v, want it to fit: %v", n, err, fits)
		}
	}
}

func TestContentType(t *testing.T) {
	for in, want := range map[string]string{
		"application/json": "application/json", "Text/Plain;charset=UTF-8": "text/plain", "": "", "a b": "", ";": "",
	} {
		r := Request{Headers: map[string]string{"content-type": in}}
		if got := r.ContentType(); got != want {
			t.Errorf("ContentType of %q is %q, want %q", in, got, want)
		}
	}
}

func TestWantsHTML(t *testing.T) {
	for accept, want := range map[string]bool{
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true, // a browser
		"*/*":                               false, // curl, fetch
		"":                                  false,
		"application/json":                  false,
		"application/json, text/html":       true, // no preference: a person may be looking
		"application/json, text/html;q=0.9": false,
		"text/html;q=0":                     false,
		"TEXT/HTML ; q=0.5":                 true,
		"text/html;q=nonsense":              false,
	} {
		r := Request{Headers: map[string]string{"accept": accept}}
		if got := r.WantsHTML(); got != want {
			t.Errorf("WantsHTML of %q is %v, want %v", accept, got, want)
		}
	}
}

func TestLocale(t *testing.T) {
	for _, c := range []struct{ accept, available, want string }{
		{"sv-FI,sv;q=0.9,fi;q=0.8", "fi sv en", "sv"},
		{"en;q=0.1,fi;q=0.9", "fi sv en", "fi"},
		{"de,fr", "fi sv en", ""},
		{"", "fi", ""},
		{"*", "fi", ""},
		{"fi;q=0, sv;q=0.1", "fi sv", "sv"},
		{"FI", "fi-FI sv", "fi-FI"},
		{"fi;q=2", "fi", ""},
		{"en,fi", "fi en", "en"}, // of equal weight the first
	} {
		r := Request{Headers: map[string]string{"accept-language": c.accept}}
		if got := r.Locale(strings.Fields(c.available)); got != c.want {
			t.Errorf("Locale of %q among %s is %q, want %q", c.accept, c.available, got, c.want)
		}
	}
}

func TestIfNoneMatch(t *testing.T) {
	const tag = `"v1"`
	for header, want := range map[string]int{
		"": 200, `"v2"`: 200, "v1": 200, `"v1`: 200, `W/"v2"`: 200, `"v2", "v3"`: 200, `w/"v1"`: 200,
		tag: 304, "W/" + tag: 304, `"v2", ` + tag: 304, `"v2",W/` + tag + `,"v3"`: 304, "*": 304, " * ": 304,
	} {
		headers := map[string]string{"content-type": "text/css", "content-encoding": "gzip", "x-content-type-options": "nosniff", "etag": tag, "vary": "v", "cache-control": "c"}
		full := Response{StatusCode: http.StatusOK, Headers: headers, Body: "Yg==", IsBase64Encoded: true}
		exp := Response{StatusCode: http.StatusNotModified, Headers: map[string]string{"etag": tag, "vary": "v", "cache-control": "c"}}
		if want == http.StatusOK {
			exp = full
			exp.Headers = maps.Clone(headers)
		}
		if got := IfNoneMatch(&Request{Headers: map[string]string{"if-none-match": header}}, full); !reflect.DeepEqual(got, exp) {
			t.Errorf("If-None-Match %s: %+v, want %+v", header, got, exp)
		}
	}
	if got := IfNoneMatch(&Request{}, Response{StatusCode: http.StatusOK, Headers: map[string]string{"etag": tag}}); got.StatusCode != http.StatusOK {
		t.Errorf("without If-None-Match: %+v", got)
	}
}

// sample is a body as the functions declare theirs.
type sample struct {
	Score   *Score            `json:"score"`
	Text    string            `json:"text"`
	Comment *string           `json:"comment"`
	Attrs   map[string]string `json:"attrs"`
}

func TestDecodeJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{"score":9,"text":"a","attrs":{"k":"v"}}`: "",
		`{}`:                             "",
		` {"score":-1} `:                 "",
		`{"score":9.5}`:                  "invalid score: score must be a whole number",
		`{"score":9.0}`:                  "invalid score: score must be a whole number",
		`{"score":1e1}`:                  "invalid score: score must be a whole number",
		`{"score":"9"}`:                  "invalid score: score must be a whole number",
		`{"score":true}`:                 "invalid score: score must be a whole number",
		`{"score":99999999999999999999}`: "invalid score: score must be a whole number",
		`{"text":1}`:                     "invalid text: text must be a text, not number",
		`{"attrs":[]}`:                   "invalid attrs: attrs must be an object, not array",
		`{"attrs":{"k":1}}`:              "invalid attrs: attrs must be a text in every entry, not number",
		`{"comment":1}`:                  "invalid comment: comment must be a text, not number",
		`{"score":null,"attrs":null}`:    "",
		`{"SCORE":3}`:                    "unknown_field SCORE: SCORE is not a field of this request",
		`{"score":9,"SCORE":3}`:          "unknown_field SCORE: SCORE is not a field of this request",
		`{"\u017fcore":9}`:               "unknown_field ſcore: ſcore is not a field of this request", // folds to s
		`{"":9}`:                         "unknown_field :  is not a field of this request",
		`{"score":9,"score":3}`:          "invalid score: score must be there once",
		`{"score":9,"\u0073core":9}`:     "invalid score: score must be there once",
		`{"score":null,"score":3}`:       "invalid score: score must be there once",
		`{"score":9,}`:                   "invalid body: body must be a JSON object",
		`{"score" 9}`:                    "invalid body: body must be a JSON object",
		`{"score":}`:                     "invalid body: body must be a JSON object",
		`{1:2}`:                          "invalid body: body must be a JSON object",
		`{`:                              "invalid body: body must be a JSON object",
		`{"colour":"red"}`:               "unknown_field colour: colour is not a field of this request",
		`{"a\"b":1}`:                     `unknown_field a"b: a"b is not a field of this request`,
		``:                               "invalid body: body must be a JSON object",
		`null`:                           "invalid body: body must be a JSON object",
		`[]`:                             "invalid body: body must be a JSON object",
		`"text"`:                         "invalid body: body must be a JSON object",
		`{"score":9`:                     "invalid body: body must be a JSON object",
		`{"score":9}{"score":8}`:         "invalid body: body must be one JSON object and nothing after it",
		`{"score":9} x`:                  "invalid body: body must be one JSON object and nothing after it",
	} {
		var v sample
		err := DecodeJSON([]byte(in), &v)
		if (err == nil) != (want == "") || err != nil && told(err) != want {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
}

// Whatever a body is, it is refused with an error for the caller, or read as
// encoding/json reads it.
func FuzzDecodeJSON(f *testing.F) {
	for _, s := range []string{
		`{"score":9}`, `{"attrs":{"k":1}}`, `{"a\"b":1}`, `nul`, `{"score":9} x`, `{"score":9,"Score":3}`, `{"text":"a","text":"b"}`,
		` {"comment":"\ud800","attrs":{"a":"b","a":null},"score":null} `, `{"text":"\xff"}`, `{"score":1,}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v, plain sample
		if err := DecodeJSON(b, &v); err != nil {
			if strings.HasPrefix(told(err), "not told") {
				t.Errorf("%q: %v", b, err)
			}
			return
		}
		if err := json.Unmarshal(b, &plain); err != nil || !reflect.DeepEqual(v, plain) {
			t.Errorf("%q: %+v, where encoding/json reads %+v, %v", b, v, plain, err)
		}
	})
}

func TestDecodeForm(t *testing.T) {
	form, err := DecodeForm([]byte("score=9&comment=hyv%C3%A4+p%C3%A4iv%C3%A4"), "score", "comment")
	if err != nil || form.Get("score") != "9" || form.Get("comment") != "hyvä päivä" {
		t.Errorf("form %v, error %v", form, err)
	}
	for in, want := range map[string]string{
		"colour=red":      "unknown_field colour: colour is not a field of this form",
		"score=9&score=8": "invalid score: score must be there once",
		"score=%zz":       "invalid body: body must be a form",
	} {
		if _, err := DecodeForm([]byte(in), "score"); err == nil || told(err) != want {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
}

func TestParseScore(t *testing.T) {
	for in, want := range map[string]int{"0": 0, "10": 10, "-1": -1, "007": 7} {
		if got, err := ParseScore(in); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "+9", "9.5", "9 ", "nine", "0x9"} {
		if _, err := ParseScore(in); err == nil || told(err) != "invalid score: score must be a whole number" {
			t.Errorf("%q: error %v", in, err)
		}
	}
}

func TestJSON(t *testing.T) {
	want := Response{StatusCode: 201, Body: `{"score":9}`, Headers: map[string]string{
		"content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff",
	}}
	if got := JSON(http.StatusCreated, map[string]int{"score": 9}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestAccepted(t *testing.T) {
	answered := time.Date(2026, 11, 21, 14, 0, 0, 0, time.FixedZone("EET", 2*60*60))
	for trust, until := range map[survey.Trust]string{
		survey.Human:   "2026-12-21T12:00:00Z", // 30 days from the answer
		survey.Click:   "2026-12-21T12:00:00Z",
		survey.Suspect: "2027-02-18T12:00:00Z", // 90 days from the question, a day before
	} {
		resp := Accepted(&survey.Ask{ID: "i", Score: 0, Trust: trust, AskedAt: answered.AddDate(0, 0, -1), AnsweredAt: answered, Comment: "private", Contact: "c"})
		want := `{"id":"i","score":0,"trust":"` + string(trust) + `","editableUntil":"` + until + `"}`
		if resp.StatusCode != http.StatusOK || resp.Body != want || resp.Headers["content-type"] != "application/json" {
			t.Errorf("%+v, want 200 %s", resp, want)
		}
	}
}

func TestNoScore(t *testing.T) {
	if got := told(NoScore()); got != "invalid score: score must be there, a whole number" {
		t.Error(got)
	}
}

func TestErrors(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	r := &Request{RouteKey: "POST /a/{id}"}
	r.RequestContext.RequestID = "R1"

	resp := Error(context.Background(), r, survey.Errorf(survey.Invalid, "score", "score must be there"))
	if want := `{"error":{"code":"invalid","field":"score","message":"score must be there"}}`; resp.StatusCode != 400 || resp.Body != want {
		t.Errorf("%d %s, want 400 %s", resp.StatusCode, resp.Body, want)
	}
	if log.Len() > 0 {
		t.Errorf("a mistake of the caller's was logged: %s", log.String())
	}
	resp = Error(context.Background(), r, errors.New("the secret detail"))
	if want := `{"error":{"code":"internal","message":"something went wrong on our side, request R1"}}`; resp.StatusCode != 500 || resp.Body != want {
		t.Errorf("%d %s, want 500 %s", resp.StatusCode, resp.Body, want)
	}
	if !strings.Contains(log.String(), "the secret detail") || !strings.Contains(log.String(), "R1") {
		t.Errorf("the log is %q, want the detail and the request", log.String())
	}
}

func TestEveryCodeHasAStatus(t *testing.T) {
	for _, c := range []survey.Code{
		survey.Invalid, survey.UnknownField, survey.NotFound, survey.Forbidden, survey.Closed, survey.Conflict,
		survey.TooLarge, survey.UnsupportedType, survey.Unavailable,
	} {
		if s := Status(c); s < 400 || s == http.StatusInternalServerError {
			t.Errorf("the status of %s is %d", c, s)
		}
	}
	if s := Status("nonsense"); s != http.StatusInternalServerError {
		t.Errorf("the status of an unknown code is %d, want 500", s)
	}
}
