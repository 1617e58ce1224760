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
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	devtools "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

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
// closed or unknown, or answered although its question cannot be read.
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
	if state == "thanked" {
		h.Touchpoints = unreadable{}
		return handle(t, h, postForm("POST /a/{id}", id, form("score", "1")))
	}
	if locale == "ar" {
		h.Touchpoints = touchpoints{string(m): arabic(m)}
	}
	for _, s := range states {
		if s.name == state {
			return handle(t, h, s.request(happy[m]))
		}
	}
	return handle(t, h, request("GET /a/{id}", id, ""))
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

// TestEveryPageIsAccessible looks at every state of every metric's page, and at
// those that are no metric's, with axe, and at its layout, in light and dark, on
// a phone, on a desktop and at 200 % zoom. Each metric has a tab of its own.
func TestEveryPageIsAccessible(t *testing.T) {
	server := gallery(t)
	tab := func(name string, pages ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := testkit.Browser(t, testkit.Deadline(5*time.Minute))
			for _, page := range pages {
				look(t, ctx, server.URL+"/"+page, strings.ReplaceAll(page, "/", "-"))
			}
		})
	}
	for _, m := range survey.Metrics() {
		pages := []string{string(m) + "/fi/closed"}
		for _, s := range states {
			pages = append(pages, string(m)+"/fi/"+s.name)
		}
		tab(string(m), pages...)
	}
	tab("others", "nps/ar/preselected", "nps/fi/unknown", "nps/fi/thanked")
}

func look(t *testing.T, ctx context.Context, address, name string) {
	t.Helper()
	do(t, ctx, chromedp.Navigate(address))
	for _, screen := range screens {
		for _, scheme := range []string{"light", "dark"} {
			do(t, ctx, chromedp.EmulateViewport(screen.width, screen.height, chromedp.EmulateScale(screen.scale)), prefer(scheme))
			here := name + "-" + screen.name + "-" + scheme
			wrong, err := chromedp.Run(ctx, chromedp.Evaluate[string](measure))
			if err != nil {
				t.Fatal(err)
			}
			if wrong != "" {
				t.Errorf("%s: %s", here, wrong)
			}
			violations, err := testkit.Axe(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range violations {
				t.Errorf("%s: %s", here, v)
			}
			if *pictures == "" {
				continue
			}
			if err := testkit.Screenshot(ctx, filepath.Join(*pictures, here+".png")); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// prefer sets the visitor's colour scheme. Nothing moves meanwhile, or colours
// would be measured that are on their way.
func prefer(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		_, err := cdp.Call(ctx, page, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	})
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

func radio(score int) chromedp.CSS { return chromedp.CSS(fmt.Sprintf(`input[value="%d"]`, score)) }

func TestOneClick(t *testing.T) {
	s, ctx := newSite(t), testkit.Browser(t, testkit.Locale("fi"))
	link := s.invite(t)
	do(t, ctx, chromedp.Navigate(link+"?s=9"))
	s.until(t, id, "a promoter", is(9, survey.Click, ""))
	says(t, ctx, saved)
	do(t, ctx, chromedp.Click(radio(3)))
	s.until(t, id, "a detractor", is(3, survey.Human, ""))
	says(t, ctx, `document.getElementById("ask").textContent === "Mikä meni pieleen?"`)
	do(t, ctx, chromedp.Click(commentBox), typed("Hidas toimitus"))
	s.until(t, id, "explained", is(3, survey.Human, "Hidas toimitus"))
	do(t, ctx, chromedp.Click(button))
	says(t, ctx, thanks)
	says(t, ctx, `location.search === ""`)

	// The message's link again: what a person answered stands.
	do(t, ctx, chromedp.Navigate(link+"?s=9"))
	says(t, ctx, `document.querySelector(":checked").value === "3" && document.getElementById("comment").value === "Hidas toimitus"`)
	do(t, ctx, chromedp.Click(chromedp.CSS("h1")))

	get, post := "GET /a/"+id, "POST /a/"+id+" "
	want := []string{get, post + `{"score":9,"via":"auto"}`, post + `{"score":3,"via":"human"}`, post + `{"score":3,"comment":"Hidas toimitus","via":"human"}`, get}
	if got := s.seen(); !slices.Equal(got, want) {
		t.Errorf("requests\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOneClickWithoutScript(t *testing.T) {
	s, ctx := newSite(t), testkit.Browser(t, testkit.NoJavaScript())
	link := s.invite(t)
	do(t, ctx, chromedp.Navigate(link+"?s=9"))
	if a, err := s.Store.Ask(t.Context(), id); err != nil || a.Answered() {
		t.Fatalf("ask %+v, error %v", a, err)
	}
	do(t, ctx, chromedp.Click(button), chromedp.WaitVisible(chromedp.CSS("#thanks")))
	s.until(t, id, "a promoter", is(9, survey.Human, ""))
	do(t, ctx, chromedp.Click(radio(3)), chromedp.SendKeys(commentBox, "Hidas toimitus"), chromedp.Click(button))
	s.until(t, id, "a detractor", is(3, survey.Human, "Hidas toimitus"))
	do(t, ctx, chromedp.Navigate(link+"?s=9"))
	says(t, ctx, `document.querySelector(":checked").value === "3" && document.getElementById("comment").value === "Hidas toimitus"`)
	form := []string{
		"GET /a/" + id, "POST /a/" + id + " score=9&comment=",
		"POST /a/" + id + " score=3&comment=Hidas+toimitus", "GET /a/" + id,
	}
	if got := s.seen(); !slices.Equal(got, form) {
		t.Errorf("requests %q, want %q", got, form)
	}
}

// TestKeyboard answers without a pointer.
func TestKeyboard(t *testing.T) {
	s, ctx := newSite(t), testkit.Browser(t)
	do(t, ctx, chromedp.Navigate(s.invite(t)))
	do(t, ctx, chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(" "))
	s.until(t, id, "answered", is(0, survey.Human, ""))
	do(t, ctx, chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight))
	s.until(t, id, "changed", is(2, survey.Human, ""))
	do(t, ctx, chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("Hei"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	s.until(t, id, "explained", is(2, survey.Human, "Hei"))
	says(t, ctx, thanks+` && document.activeElement.id === "thanks"`)
}

// TestNothingIsSentWithoutReason opens pages and does what is no answer.
func TestNothingIsSentWithoutReason(t *testing.T) {
	suspect := answered(ask(survey.NPS, "fi"), 4, survey.Suspect, "")
	clicked := answered(ask(survey.NPS, "fi"), 9, survey.Click, "")
	human := answered(ask(survey.NPS, "fi"), 3, survey.Human, "")
	for name, c := range map[string]struct {
		ask   *survey.Ask
		query string
		act   []chromedp.Action[chromedp.Void]
	}{
		"a link without an answer, touched": {ask(survey.NPS, "fi"), "", []chromedp.Action[chromedp.Void]{chromedp.Click(chromedp.CSS("h1")), chromedp.KeyEvent(kb.Tab), chromedp.Click(button)}},
		"a suspect answer, looked at":       {suspect, "?s=9", nil},
		"the answer that is stored":         {clicked, "?s=9", nil},
		"a person's answer, touched":        {human, "?s=9", []chromedp.Action[chromedp.Void]{chromedp.Click(chromedp.CSS("h1"))}},
		"a person's answer, its button":     {human, "", []chromedp.Action[chromedp.Void]{chromedp.Click(button)}},
		"a page that a script only pretends to touch": {clicked, "?s=9", []chromedp.Action[chromedp.Void]{eval(
			`for (const t of ["pointerdown", "keydown", "touchstart", "input"]) document.getElementById("comment").dispatchEvent(new Event(t, {bubbles: true}))`)}},
	} {
		t.Run(name, func(t *testing.T) {
			s, ctx := newSite(t), testkit.Browser(t)
			if err := s.Store.CreateAsk(t.Context(), c.ask); err != nil {
				t.Fatal(err)
			}
			do(t, ctx, stopClock, chromedp.Navigate(s.url+"/a/"+id+c.query))
			do(t, ctx, c.act...)
			do(t, ctx, minute)
			// Whatever was sent came before what now follows: one message
			// flies at a time.
			do(t, ctx, chromedp.Click(radio(7)), minute)
			s.until(t, id, "answered", is(7, survey.Human, ""))
			want := []string{"GET /a/" + id, "POST /a/" + id + ` {"score":7,"via":"human"}`}
			if got := s.seen(); !slices.Equal(got, want) {
				t.Errorf("requests %q, want %q", got, want)
			}
		})
	}
}

func TestTouchConfirmsTheClick(t *testing.T) {
	for _, trust := range []survey.Trust{survey.Click, survey.Suspect} {
		s, ctx := newSite(t), testkit.Browser(t)
		if err := s.Store.CreateAsk(t.Context(), answered(ask(survey.NPS, "fi"), 9, trust, "")); err != nil {
			t.Fatal(err)
		}
		do(t, ctx, chromedp.Navigate(s.url+"/a/"+id+"?s=9"), chromedp.Click(chromedp.CSS("h1")))
		s.until(t, id, "a person's", is(9, survey.Human, ""))
	}
}

// TestSecondLinkSoonAfterTheFirstAsksToConfirm clicks as a scanner would: who
// is a person is asked for one press more.
func TestSecondLinkSoonAfterTheFirstAsksToConfirm(t *testing.T) {
	s, ctx := newSite(t), testkit.Browser(t)
	link := s.invite(t)
	do(t, ctx, chromedp.Navigate(link+"?s=9"))
	s.until(t, id, "a promoter", is(9, survey.Click, ""))
	do(t, ctx, chromedp.Navigate(link+"?s=2"))
	s.until(t, id, "suspect", is(9, survey.Suspect, ""))
	says(t, ctx, `document.querySelector("#note > span").textContent.includes("Vahvista")`)
	says(t, ctx, `document.querySelector(":checked").value === "2"`)
	do(t, ctx, chromedp.Click(button))
	s.until(t, id, "confirmed", is(2, survey.Human, ""))
	says(t, ctx, thanks)
}

// TestUnseenPagesReportNothing opens a page that is prerendered, and one in
// the background, until somebody looks.
func TestUnseenPagesReportNothing(t *testing.T) {
	for _, c := range []struct{ property, unseen, seen, event string }{
		{"prerendering", "true", "false", "prerenderingchange"},
		{"visibilityState", `"hidden"`, `"visible"`, "visibilitychange"},
	} {
		t.Run(c.property, func(t *testing.T) {
			s, ctx := newSite(t), testkit.Browser(t)
			do(t, ctx, stopClock, atStart(`globalThis.unseen = `+c.unseen+`; Object.defineProperty(Document.prototype, "`+c.property+`", {get: () => unseen})`))
			do(t, ctx, chromedp.Navigate(s.invite(t)+"?s=9"), minute)
			do(t, ctx, eval(`fetches.push("seen"); unseen = `+c.seen+`; document.dispatchEvent(new Event("`+c.event+`"))`))
			s.until(t, id, "reported", is(9, survey.Click, ""))
			says(t, ctx, `fetches.join() === "seen,POST"`)
		})
	}
}

func TestOfflineKeepsTheAnswer(t *testing.T) {
	s, ctx := newSite(t), testkit.Browser(t)
	do(t, ctx, chromedp.Navigate(s.invite(t)))
	s.setOffline(true)
	do(t, ctx, chromedp.Click(radio(7)), chromedp.SendKeys(commentBox, "Juna meni tunneliin"))
	says(t, ctx, `document.getElementById("note").textContent.includes("Yhteys ei") && document.getElementById("comment").value === "Juna meni tunneliin"`)
	// A reload in the tunnel keeps the text too.
	do(t, ctx, chromedp.Reload())
	says(t, ctx, `document.getElementById("comment").value === "Juna meni tunneliin"`)
	s.setOffline(false)
	do(t, ctx, chromedp.Click(radio(8)))
	s.until(t, id, "sent", is(8, survey.Human, "Juna meni tunneliin"))
	says(t, ctx, saved)
	for _, e := range testkit.ConsoleErrors(ctx) {
		if !strings.Contains(e, "ERR_") {
			t.Errorf("in the console: %s", e)
		}
	}
}

func TestRetriesByItself(t *testing.T) {
	s, ctx := newSite(t), testkit.Browser(t)
	do(t, ctx, chromedp.Navigate(s.invite(t)))
	s.setOffline(true)
	do(t, ctx, chromedp.Click(radio(7)))
	says(t, ctx, `document.getElementById("note").textContent.includes("Yhteys ei")`)
	s.setOffline(false)
	s.until(t, id, "sent", is(7, survey.Human, ""))
	testkit.ConsoleErrors(ctx) // of the broken connection
}

// TestLeavingSendsTheComment leaves before the typed comment is due.
func TestLeavingSendsTheComment(t *testing.T) {
	s, ctx := newSite(t), testkit.Browser(t)
	do(t, ctx, chromedp.Navigate(s.invite(t)))
	do(t, ctx, chromedp.Click(radio(7)), chromedp.Click(commentBox), typed("Kiire"), chromedp.Navigate("about:blank"))
	s.until(t, id, "explained", is(7, survey.Human, "Kiire"))
}

func TestLongCommentIsKeptAndTheScoreSent(t *testing.T) {
	s, ctx := newSite(t), testkit.Browser(t)
	do(t, ctx, chromedp.Navigate(s.invite(t)))
	do(t, ctx, chromedp.Click(radio(7)), chromedp.Click(commentBox), typed(strings.Repeat("😀", survey.MaxComment+1)))
	says(t, ctx, `document.getElementById("count").textContent === "Merkkejä liikaa: 1"`)
	s.until(t, id, "answered", is(7, survey.Human, ""))
	do(t, ctx, chromedp.Click(button))
	says(t, ctx, `document.getElementById("note").textContent.includes("2 000") && document.activeElement.id === "comment" && !(`+thanks+`)`)
	do(t, ctx, chromedp.KeyEvent(kb.End), chromedp.KeyEvent(kb.Backspace))
	s.until(t, id, "explained", is(7, survey.Human, strings.Repeat("😀", survey.MaxComment)))
}

func TestPublicLink(t *testing.T) {
	s, ctx := newSite(t), testkit.Browser(t, testkit.Locale("sv"))
	do(t, ctx, chromedp.Navigate(s.url+"/t/csat?s=4&ref=TICKET-7"))
	says(t, ctx, `document.documentElement.lang === "sv" && document.querySelector(":checked").value === "4"`)
	if got := s.seen(); len(got) != 1 {
		t.Fatalf("requests %q before the person did anything", got)
	}
	do(t, ctx, chromedp.Click(radio(2)))
	vote := s.vote(t, is(2, survey.Human, ""))
	do(t, ctx, chromedp.Reload(), chromedp.SendKeys(commentBox, "Lång kö"))
	again := s.vote(t, is(2, survey.Human, "Lång kö"))
	if again.ID != vote.ID || again.Ref != "TICKET-7" || again.Locale != "sv" || again.Channel != survey.Link {
		t.Errorf("vote %+v, then %+v", vote, again)
	}
}

// TestPublicLinkForTheNextPerson answers twice in one tab, as on a tablet at a
// reception: by the same address opened again, and by a link to it.
func TestPublicLinkForTheNextPerson(t *testing.T) {
	for name, open := range map[string]func(address string) chromedp.Action[chromedp.Void]{
		"address": chromedp.Navigate,
		"link": func(address string) chromedp.Action[chromedp.Void] {
			return eval("location.assign(" + strconv.Quote(address) + ")")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, ctx := newSite(t), testkit.Browser(t)
			address := s.url + "/t/csat"
			do(t, ctx, chromedp.Navigate(address), chromedp.Click(radio(2)), chromedp.Click(commentBox), typed("Salainen"), chromedp.Click(button))
			says(t, ctx, thanks)
			first := s.vote(t, is(2, survey.Human, "Salainen"))
			if got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`JSON.stringify(sessionStorage)`)); err != nil || strings.Contains(got, "Salainen") {
				t.Errorf("the tab keeps %s, error %v", got, err)
			}
			do(t, ctx, open(address))
			says(t, ctx, `document.getElementById("note").textContent === "" && !document.querySelector(":checked")`)
			if got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.getElementById("comment").value`)); err != nil || got != "" {
				t.Errorf("the next person reads %q, error %v", got, err)
			}
			do(t, ctx, chromedp.Click(radio(5)), chromedp.Click(button))
			says(t, ctx, thanks)
			if all := s.all(t); len(all) != 2 {
				t.Errorf("%d responses, want 2", len(all))
			}
			s.until(t, first.ID, "unchanged", is(2, survey.Human, "Salainen"))
		})
	}
}

func TestPublicLinkWithoutScript(t *testing.T) {
	s, ctx := newSite(t), testkit.Browser(t, testkit.NoJavaScript())
	do(t, ctx, chromedp.Navigate(s.url+"/t/csat?s=4&ref=TICKET-7"), chromedp.Click(button))
	vote := s.vote(t, is(4, survey.Human, ""))
	do(t, ctx, chromedp.WaitVisible(chromedp.CSS("#thanks")), chromedp.Click(radio(2)), chromedp.SendKeys(commentBox, "Hei"), chromedp.Click(button))
	if again := s.vote(t, is(2, survey.Human, "Hei")); again.ID != vote.ID || again.Ref != "TICKET-7" {
		t.Errorf("vote %+v, then %+v", vote, again)
	}
}

// vote waits for the one response there is to be as it should.
func (s *site) vote(t *testing.T, ok func(*survey.Ask) bool) *survey.Ask {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		all := s.all(t)
		if len(all) > 1 {
			t.Fatalf("%d responses", len(all))
		}
		if len(all) == 1 && ok(all[0]) {
			return all[0]
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("responses %+v, requests %q", all, s.seen())
		}
	}
}

// all returns the responses there are.
func (s *site) all(t *testing.T) []*survey.Ask {
	t.Helper()
	var all []*survey.Ask
	if err := s.Store.EachAsk(t.Context(), func(a *survey.Ask, err error) error {
		all = append(all, a)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

const (
	button     = chromedp.CSS("button")
	commentBox = chromedp.CSS("#comment")
)

// eval runs a script of the test's on the page, and waits for its promise.
func eval(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](script, chromedp.EvalAwaitPromise)
}

// atStart runs a script in every new document before its own.
func atStart(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		_, err := cdp.Call(ctx, page, devtools.AddScriptToEvaluateOnNewDocument, devtools.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

// stopClock gives every new document timers that run when the test says so, and
// a list of what it fetches.
var stopClock = atStart(`
	const timers = new Map();
	let last = 0, clock = 0;
	globalThis.setTimeout = (run, wait = 0) => {
		timers.set(++last, {run, at: clock + wait});
		return last;
	};
	globalThis.clearTimeout = (timer) => timers.delete(timer);
	globalThis.pass = (milliseconds) => {
		const end = clock + milliseconds;
		for (;;) {
			const [next] = [...timers].filter(([, {at}]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
			if (!next) break;
			timers.delete(next[0]);
			clock = next[1].at;
			next[1].run();
		}
		clock = end;
	};
	globalThis.fetches = [];
	const real = fetch;
	globalThis.fetch = (url, options) => {
		fetches.push(options.method);
		return real(url, options);
	};
`)

// minute lets a minute pass on a page whose clock stands, which is longer than
// anything waits there.
var minute = eval("pass(60_000)")

// typed inserts a text where the caret is, at once.
func typed(text string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		_, err := cdp.Call(ctx, page, input.InsertText, input.InsertTextParams{Text: text})
		return err
	})
}
