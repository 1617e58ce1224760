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
