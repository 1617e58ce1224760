package answer_test

import (
	"bytes"
	"compress/gzip"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/web"
)

var update = flag.Bool("update", false, "write the golden files")

// states are the pages of an ask, by name.
var states = []struct {
	name    string
	stored  bool
	status  int
	request func(happy int) apigw.Request
}{
	{"fresh", false, 200, func(int) apigw.Request { return request("GET /a/{id}", id, "") }},
	{"preselected", false, 200, func(happy int) apigw.Request { return request("GET /a/{id}", id, "s="+strconv.Itoa(happy)) }},
	{"answered", true, 200, func(int) apigw.Request { return request("GET /a/{id}", id, "") }},
	{"thanks", false, 200, func(happy int) apigw.Request {
		return postForm("POST /a/{id}", id, url.Values{"score": {strconv.Itoa(happy)}, "comment": {"Kiitos & näkemiin"}})
	}},
	{"error", false, 400, func(int) apigw.Request {
		return postForm("POST /a/{id}", id, url.Values{"comment": {"Tämä ei saa kadota"}})
	}},
}

// happy is an answer of each metric that is not at the scale's end where it
// can be.
var happy = map[survey.Metric]int{survey.NPS: 9, survey.CSAT: 4, survey.CES: 6, survey.CES5: 2, survey.Smiley: 3, survey.Thumbs: 1}

// TestPages holds every page to its golden file and to its size.
func TestPages(t *testing.T) {
	largest := 0
	for _, m := range survey.Metrics() {
		for _, locale := range web.Locales() {
			for _, s := range states {
				a := ask(m, locale)
				if s.stored {
					answered(a, happy[m], survey.Human, "Toimitus oli nopea")
				}
				resp := handle(t, handler(&one{t: t, ask: a}), s.request(happy[m]))
				if resp.StatusCode != s.status {
					t.Errorf("%s %s %s: status %d", m, locale, s.name, resp.StatusCode)
				}
				size := gzipped(t, resp.Body)
				largest = max(largest, size)
				if size > 8000 {
					t.Errorf("%s %s %s: %d bytes gzip, want at most 8,000", m, locale, s.name, size)
				}
				golden(t, string(m)+"-"+locale+"-"+s.name+".html", readable(resp.Body))
			}
		}
	}
	t.Logf("the largest page has %d bytes gzip", largest)
}

func gzipped(t *testing.T, s string) int {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

var built = regexp.MustCompile(`(?s)(<style>|<script>).*?(</)`)

// readable leaves out the built script and style, which have tests of their
// own, and ends lines between elements.
func readable(page string) string {
	page = built.ReplaceAllString(page, "$1…$2")
	return strings.ReplaceAll(page, "><", ">\n<") + "\n"
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s:\n%s", name, d)
	}
}

// arabic returns a touchpoint in a language that Pulssi has no texts of its
// own in, and that is written from right to left.
func arabic(m survey.Metric) *survey.Touchpoint {
	t := touchpoint(m)
	t.Locales = []string{"ar", "en"}
	t.Question = survey.Text{"ar": "ما مدى احتمال أن توصي بنا؟"}
	t.Low, t.High, t.Followup, t.Thanks = survey.Text{"ar": "غير محتمل"}, survey.Text{"en": "Likely"}, nil, nil
	return t
}

func TestOtherLanguages(t *testing.T) {
	h := handler(&one{t: t, ask: ask(survey.NPS, "ar-EG")})
	h.Touchpoints = touchpoints{"nps": arabic(survey.NPS)}
	body := handle(t, h, request("GET /a/{id}", id, "s=9")).Body
	for _, want := range []string{
		`<html lang="ar" dir="rtl">`, "<h1>ما مدى", `aria-hidden="true">غير محتمل</span>`,
		`aria-hidden="true" lang="en" dir="ltr">Likely</span>`, `<button lang="en" dir="ltr">Send answer</button>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s:\n%s", want, readable(body))
		}
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct{ ask, accept, want string }{
		{"sv", "fi", "sv"},
		{"sv-FI", "fi", "sv"},
		{"", "en-GB, fi;q=0.5", "en"},
		{"de", "sv;q=0.3, en;q=0.8", "en"},
		{"de", "de, fr", "fi"},
		{"", "", "fi"},
	} {
		r := request("GET /a/{id}", id, "")
		r.Headers["accept-language"] = c.accept
		body := handle(t, handler(&one{t: t, ask: ask(survey.CSAT, c.ask)}), r).Body
		if !strings.Contains(body, `<html lang="`+c.want+`" dir="ltr">`) {
			t.Errorf("ask %q, browser %q: %.60s", c.ask, c.accept, body)
		}
	}
}

// TestHostileTexts shows every text that somebody else wrote.
func TestHostileTexts(t *testing.T) {
	const hostile = `"'><script>alert(1)</script></textarea></title><!--&amp;`
	text := survey.Text{"fi": hostile}
	nps := touchpoint(survey.NPS)
	nps.Question, nps.Low, nps.High, nps.Thanks = text, text, text, text
	nps.Followup = map[survey.Category]survey.Text{survey.Promoter: text, survey.Passive: text, survey.Detractor: text}
	thumbs := touchpoint(survey.Thumbs)
	thumbs.Question, thumbs.Low, thumbs.High = text, text, text
	stored := answered(ask(survey.NPS, hostile), 9, survey.Human, hostile)
	closed := *stored
	closed.AnsweredAt = now.Add(-survey.EditWindow)
	for name, c := range map[string]struct {
		ask     *survey.Ask
		request apigw.Request
	}{
		"shown":       {stored, request("GET /a/{id}", id, "")},
		"closed":      {&closed, request("GET /a/{id}", id, "")},
		"refused":     {stored, postForm("POST /a/{id}", id, form("score", "x", "comment", hostile, hostile, hostile))},
		"thumbs":      {answered(ask(survey.Thumbs, "fi"), 1, survey.Human, hostile), request("GET /a/{id}", id, "")},
		"a link":      {nil, request("GET /t/{touchpoint}", "nps", form("ref", hostile).Encode())},
		"its form":    {nil, postForm("POST /t/{touchpoint}", "nps", form("score", "x", "id", hostile, "ref", hostile, "comment", hostile, "locale", hostile))},
		"a wrong id":  {nil, request("GET /a/{id}", hostile, "")},
		"no such one": {nil, request("GET /t/{touchpoint}", hostile, "")},
	} {
		h := handler(&one{t: t, ask: c.ask})
		h.Touchpoints = touchpoints{"nps": nps, "thumbs": thumbs}
		body := readable(handle(t, h, c.request).Body)
		for _, bad := range []string{"<script>alert", "<!--", `"'>`, "</textarea></title>"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s: %s is not escaped:\n%s", name, bad, body)
			}
		}
	}
}
