package answer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/pulssi/pulssi/functions/vote"
	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/apigw/local"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

var pictures = flag.String("pictures", "", "the folder to put a picture of every page into, for a person to look at")

// gallery serves every state of every page at /METRIC/LOCALE/STATE, and takes
// whatever the pages' scripts post.
func gallery(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{metric}/{locale}/{state}", func(w http.ResponseWriter, r *http.Request) {
		m := survey.Metric(r.PathValue("metric"))
		write(w, shown(t, m, r.PathValue("locale"), r.PathValue("state")))
	})
	mux.HandleFunc("POST /a/{id}", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Score int }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		write(w, apigw.JSON(http.StatusOK, map[string]any{"score": in.Score, "trust": survey.Click}))
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func write(w http.ResponseWriter, resp apigw.Response) {
	for name, v := range resp.Headers {
		w.Header().Set(name, v)
	}
	// What went wrong is on the page, and not what these tests are about: a
	// browser would tell it in its console.
	_, _ = fmt.Fprint(w, resp.Body)
}

// shown is the page of a metric in one of the states, or of an ask that is
// closed or unknown.
func shown(t *testing.T, m survey.Metric, locale, state string) apigw.Response {
	a := ask(m, locale)
	switch state {
	case "closed":
		a = answered(a, happy[m], survey.Human, "Toimitus oli nopea")
		a.AnsweredAt = now.Add(-survey.EditWindow)
	case "unknown":
		a = nil
	case "answered":
		answered(a, happy[m], survey.Human, "Toimitus oli nopea")
	}
	h := handler(&one{t: t, ask: a})
	for _, s := range states {
		if s.name == state {
			return handle(t, h, s.request(happy[m]))
		}
	}
	return handle(t, h, request("GET /a/{id}", id, ""))
}

func allStates() []string {
	out := []string{"closed", "unknown"}
	for _, s := range states {
		out = append(out, s.name)
	}
	return out
}

// screens are the ways that pages are looked at. The last is a window of 1,280
// pixels at 200 % zoom.
var screens = []struct {
	name          string
	width, height int64
	scale         float64
}{{"phone", 320, 568, 1}, {"desktop", 1280, 800, 1}, {"zoomed", 640, 400, 2}}

// measure tells what is wrong with the layout: content beyond the window's
// edge, and targets too small to touch.
const measure = `(() => {
	const wrong = [];
	const page = document.scrollingElement;
	if (page.scrollWidth > innerWidth) wrong.push("the page is " + page.scrollWidth + " wide");
	for (const e of document.querySelectorAll("label:has(input), button, textarea")) {
		const r = e.getBoundingClientRect();
		if (r.width && (r.width < 44 || r.height < 44)) wrong.push(e.outerHTML.slice(0, 90) + " is " + r.width + " by " + r.height);
		if (r.left < 0 || r.right > innerWidth) wrong.push(e.outerHTML.slice(0, 90) + " is cut off");
	}
	return wrong.join("; ");
})()`

// TestEveryPageIsAccessible looks at every state of every metric's page with
// axe, and at its layout, in light and dark, on a phone, on a desktop and at
// 200 % zoom.
func TestEveryPageIsAccessible(t *testing.T) {
	server := gallery(t)
	for _, screen := range screens {
		for _, scheme := range []string{"light", "dark"} {
			opts := []testkit.BrowserOption{testkit.Viewport(screen.width, screen.height), testkit.Scale(screen.scale), testkit.Deadline(5 * time.Minute)}
			if scheme == "dark" {
				opts = append(opts, testkit.Dark())
			}
			ctx := testkit.Browser(t, opts...)
			for _, m := range survey.Metrics() {
				for _, state := range allStates() {
					name := fmt.Sprintf("%s-%s-%s-%s", m, state, screen.name, scheme)
					t.Run(name, func(t *testing.T) {
						look(t, ctx, server.URL+"/"+string(m)+"/fi/"+state, name)
					})
				}
			}
			_ = server
			t.Run("nps-arabic", func(t *testing.T) {
				look(t, ctx, server.URL+"/nps/ar/preselected", "nps-arabic-"+screen.name+"-"+scheme)
			})
		}
	}
}

func look(t *testing.T, ctx context.Context, address, name string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
	wrong, err := chromedp.Run(ctx, chromedp.Evaluate[string](measure))
	if err != nil {
		t.Fatal(err)
	}
	if wrong != "" {
		t.Errorf("%s: %s", name, wrong)
	}
	violations, err := testkit.Axe(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		t.Errorf("%s: %s", name, v)
	}
	if *pictures != "" {
		if err := testkit.Screenshot(ctx, filepath.Join(*pictures, name+".png")); err != nil {
			t.Fatal(err)
		}
	}
}

// site is the functions behind a gateway, on the real tables, with a record
// of what browsers asked it for.
type site struct {
	*testkit.Tables
	url   string
	clock *testkit.Clock

	mu       sync.Mutex
	requests []string // method, path and body
	offline  bool
}

func newSite(t *testing.T) *site {
	t.Helper()
	tables, h := stored(t)
	s := &site{Tables: tables, clock: testkit.NewClock(now)}
	h.Now = s.clock.Now
	v := &vote.Handler{Votes: tables.Store, Touchpoints: h.Touchpoints, Now: s.clock.Now}
	api := local.New(topology.Routes(), map[topology.Function]local.Invoke{
		topology.Answer: local.Function(h.Handle), topology.Vote: local.Function(v.Handle),
	}, s.clock.Now)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.record(t, r) {
			panic(http.ErrAbortHandler) // the connection breaks
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.url, v.PublicURL = server.URL, server.URL
	return s
}

// record notes a request, and reports whether the connection is to break.
func (s *site) record(t *testing.T, r *http.Request) bool {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPost && s.offline {
		return true
	}
	s.requests = append(s.requests, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+string(body)))
	return false
}

func (s *site) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *site) setOffline(offline bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offline = offline
}

// invite makes an ask and returns the address of its link.
func (s *site) invite(t *testing.T) string {
	t.Helper()
	if err := s.Store.CreateAsk(t.Context(), ask(survey.NPS, "fi")); err != nil {
		t.Fatal(err)
	}
	return s.url + "/a/" + id
}

// until waits for the ask to be as it should.
func (s *site) until(t *testing.T, id, what string, ok func(*survey.Ask) bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		a, err := s.Store.Ask(t.Context(), id)
		if err == nil && ok(a) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the ask never became %s: %+v, error %v, requests %q", what, a, err, s.seen())
		}
	}
}

func is(score int, trust survey.Trust, comment string) func(*survey.Ask) bool {
	return func(a *survey.Ask) bool {
		return a.Answered() && a.Score == score && a.Trust == trust && a.Comment == comment
	}
}

func do[T any](t *testing.T, ctx context.Context, actions ...chromedp.Action[T]) {
	t.Helper()
	for _, a := range actions {
		if _, err := chromedp.Run(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
}

// says waits until an expression is true on the page.
func says(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if err == nil && ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never true: %s: %v", expression, err)
		}
	}
}

const (
	saved  = `document.getElementById("note").textContent.includes("tallennettu")`
	thanks = `document.getElementById("thanks").checkVisibility()`
)

func radio(score int) string { return fmt.Sprintf(`input[value="%d"]`, score) }

func TestOneClick(t *testing.T) {
	s, ctx := newSite(t), testkit.Browser(t, testkit.Locale("fi"))
	link := s.invite(t)
	do(t, ctx, chromedp.Navigate(link+"?s=9"))
	s.until(t, id, "a promoter", is(9, survey.Click, ""))
	says(t, ctx, saved)
	do(t, ctx, chromedp.Click(radio(3)))
	s.until(t, id, "a detractor", is(3, survey.Human, ""))
	says(t, ctx, `document.getElementById("ask").textContent === "Mikä meni pieleen?"`)
	do(t, ctx, chromedp.SendKeys("#comment", "Hidas toimitus"))
	s.until(t, id, "explained", is(3, survey.Human, "Hidas toimitus"))
	do(t, ctx, chromedp.Click("button"))
	says(t, ctx, thanks)
	says(t, ctx, `location.search === ""`)

	// The message's link again: what a person answered stands.
	do(t, ctx, chromedp.Navigate(link+"?s=9"))
	says(t, ctx, `document.querySelector(":checked").value === "3" && document.getElementById("comment").value === "Hidas toimitus"`)
	do(t, ctx, chromedp.Click("h1"))

	want := []string{
		"GET /a/" + id, `POST /a/` + id + ` {"score":9,"via":"auto"}`, `POST /a/` + id + ` {"score":3,"via":"human"}`,
		`POST /a/` + id + ` {"score":3,"comment":"Hidas toimitus","via":"human"}`, "GET /a/" + id,
	}
	if got := s.seen(); !slices.Equal(got, want) {
		t.Errorf("requests\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
