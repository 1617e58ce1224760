package vote_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/pulssi/pulssi/functions/vote"
	"github.com/pulssi/pulssi/shared/apigw/local"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

var screenshots = flag.String("screenshots", "", "a folder for pictures of the popup")

// website is a website with the popup, and the API behind it.
type website struct {
	// API is where the API is, and a page of any path too; Shop is another
	// origin with the same pages, which may vote too.
	API, Shop string
	Tables    *testkit.Tables

	handler     *vote.Handler
	touchpoints touchpoints

	mu       sync.Mutex
	page     func(path string) string // the page's HTML, where %API% is the API's address
	policy   string                   // Content-Security-Policy of the pages
	answer   http.HandlerFunc         // answers in the API's place where it is not nil and match holds
	match    func(*http.Request) bool
	requests []string // to the API: method, path and query
}

// newWebsite serves pages with a script tag for each touchpoint.
func newWebsite(t testing.TB, tps ...*survey.Touchpoint) *website {
	t.Helper()
	w := &website{Tables: testkit.NewTables(t), touchpoints: touchpoints{}}
	w.handler = &vote.Handler{Votes: w.Tables.Store, Touchpoints: w.touchpoints, Now: time.Now}
	api := local.New(topology.Routes(), map[topology.Function]local.Invoke{topology.Vote: local.Function(w.handler.Handle)}, time.Now)
	serve := func(withAPI bool) string {
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.mu.Lock()
			page, policy, answer := w.page, w.policy, w.answer
			if answer != nil && !w.match(r) {
				answer = nil
			}
			toAPI := withAPI && (strings.HasPrefix(r.URL.Path, "/pulssi") || r.Method == http.MethodPost || strings.HasPrefix(r.URL.Path, "/w/"))
			if toAPI {
				w.requests = append(w.requests, r.Method+" "+r.URL.RequestURI())
			}
			w.mu.Unlock()
			switch {
			case toAPI && answer != nil:
				answer(rw, r)
			case toAPI:
				api.ServeHTTP(rw, r)
			case r.URL.Path == "/favicon.ico":
				http.NotFound(rw, r)
			default:
				rw.Header().Set("Content-Type", "text/html; charset=utf-8")
				if policy != "" {
					rw.Header().Set("Content-Security-Policy", strings.ReplaceAll(policy, "%API%", w.API))
				}
				_, _ = io.WriteString(rw, strings.ReplaceAll(page(r.URL.Path), "%API%", w.API))
			}
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	w.API = serve(true)
	w.handler.PublicURL = w.API
	w.Shop = serve(false)
	var tags string
	for _, tp := range tps {
		tp.Origins = append(tp.Origins, w.Shop)
		w.touchpoints[tp.ID] = tp
		tags += `<script async src="%API%/pulssi.js" data-touchpoint="` + tp.ID + `"></script>`
	}
	w.page = func(path string) string { return pageWith(path, tags) }
	return w
}

// pageWith returns a page with a text, a field and a scroll bar.
func pageWith(path, inside string) string {
	return `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">` +
		`<title>Shop</title><style>body{margin:40px auto;max-width:60ch;font:18px/1.6 Georgia;padding:0 16px}@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}a{color:#9cf}}</style>` +
		`<main><h1>Shop</h1><p id="path">` + path + `</p><p><label>Name <input id="name"></label> <a href="/next">Next</a></p>` +
		strings.Repeat(`<p>Reindeer moss grows slowly. It needs clean air, and many years, before it is fit to be picked; who waits is rewarded.</p>`, 12) +
		`<div id="here"></div></main>` + inside
}

// asking returns a touchpoint of one metric that asks at once.
func asking(m survey.Metric) *survey.Touchpoint {
	return &survey.Touchpoint{
		ID: "shop-" + string(m), Version: 1, Series: 1, Phase: survey.After, Metric: m,
		Locales: []string{"en", "fi", "sv"}, Channels: []survey.Channel{survey.Popup},
		Name:     survey.Text{"en": "Shop"},
		Question: survey.Text{"en": questions[m], "fi": "Miten meni?", "sv": "Hur gick det?"},
		Widget:   &survey.Widget{},
	}
}

var questions = map[survey.Metric]string{
	survey.NPS:    "How likely are you to recommend us to a friend or colleague?",
	survey.CSAT:   "How satisfied are you with your order?",
	survey.CES:    "The shop made it easy for me to find what I was looking for.",
	survey.CES5:   "How much effort did the return take?",
	survey.Smiley: "How was your visit today?",
	survey.Thumbs: "Did this page answer your question?",
}

// visit opens the website's first page in a browser of its own.
func (w *website) visit(t testing.TB, opts ...testkit.BrowserOption) *visitor {
	t.Helper()
	v := &visitor{t: t, ctx: testkit.Browser(t, opts...)}
	v.open(w.Shop + "/")
	return v
}

// posts returns the votes that were sent.
func (w *website) posts() int { return len(w.seen("POST ")) }

// seen returns the requests to the API that begin so.
func (w *website) seen(prefix string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, r := range w.requests {
		if strings.HasPrefix(r, prefix) {
			out = append(out, r)
		}
	}
	return out
}

// intercept answers the requests that match in the API's place.
func (w *website) intercept(match func(*http.Request) bool, answer http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.match, w.answer = match, answer
}

// responses returns all that is stored.
func (w *website) responses(t *testing.T) []*survey.Ask {
	t.Helper()
	var out []*survey.Ask
	if err := w.Tables.Store.EachAsk(t.Context(), func(a *survey.Ask, err error) error {
		out = append(out, a)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// stored waits until the one response there is is as it should be.
func (w *website) stored(t *testing.T, is func(*survey.Ask) bool) *survey.Ask {
	t.Helper()
	var all []*survey.Ask
	eventually(t, func() bool {
		all = w.responses(t)
		return len(all) == 1 && is(all[0])
	}, func() string { b, _ := json.Marshal(all); return "stored are " + string(b) })
	return all[0]
}

// eventually fails the test where a condition does not come to hold.
func eventually(t testing.TB, holds func() bool, what func() string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(15 * time.Second)
	defer limit.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("in vain: " + what())
		}
	}
}

// visitor is a browser of its own.
type visitor struct {
	t   testing.TB
	ctx context.Context
}

func (v *visitor) do(actions ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	if err := chromedp.Do(v.ctx, actions...); err != nil {
		v.t.Fatal(err)
	}
}

// prelude is in scope of what a visitor evaluates: $ and $$ look into the
// popup.
const prelude = `const host = document.querySelector("pulssi-popup"), root = host?.shadowRoot;
	const $ = (s) => root?.querySelector(s), $$ = (s) => [...(root?.querySelectorAll(s) ?? [])];
	const at = (e) => { e?.scrollIntoView({block: "nearest"}); const r = e?.getBoundingClientRect(); return r ? [r.x + r.width / 2, r.y + r.height / 2] : [] };
	`

// eval evaluates an expression, or statements that return a value.

func eval[T any](v *visitor, expression string) T {
	v.t.Helper()
	if !strings.Contains(expression, "return ") {
		expression = "return (" + expression + ")"
	}
	got, err := chromedp.Run(v.ctx, chromedp.Evaluate[T]("(async () => {"+prelude+expression+"})()", chromedp.EvalAwaitPromise))
	if err != nil {
		v.t.Fatalf("%s: %v", expression, err)
	}
	return got
}

// until waits until an expression is true.
func (v *visitor) until(expression string) {
	v.t.Helper()
	eventually(v.t, func() bool { return eval[bool](v, "!!("+expression+")") }, func() string {
		return expression + " in " + eval[string](v, `(root?.textContent ?? "no popup") + " " + JSON.stringify(window.Pulssi?.debug())`)
	})
}

func (v *visitor) open(url string) { v.t.Helper(); v.do(chromedp.Navigate(url)) }

// shown waits for the popup.
func (v *visitor) shown() { v.t.Helper(); v.until(`$(".p")`) }

// said waits until the popup says why it does or does not show.
func (v *visitor) said(touchpoint, why string) {
	v.t.Helper()
	v.until(fmt.Sprintf(`(window.Pulssi?.debug()[%q] ?? "").includes(%q)`, touchpoint, why))
}

// settled waits until the popup has moved into its place.
func (v *visitor) settled() {
	v.t.Helper()
	v.until(`$(".p").getAnimations().every((a) => a.playState == "finished")`)
}

// spot returns where an element of the popup is.
func (v *visitor) spot(element string) (x, y float64) {
	v.t.Helper()
	v.settled()
	v.until(element)
	p := eval[[]float64](v, `at(`+element+`)`)
	if len(p) != 2 {
		v.t.Fatalf("there is no %s", element)
	}
	return p[0], p[1]
}

func (v *visitor) click(element string) {
	v.t.Helper()
	x, y := v.spot(element)
	v.do(chromedp.MouseClickXY(x, y))
}

func (v *visitor) tap(element string) {
	v.t.Helper()
	x, y := v.spot(element)
	v.do(chromedp.TapXY(x, y))
}

func (v *visitor) keys(keys string) { v.t.Helper(); v.do(chromedp.KeyEvent(keys)) }

// answerButton is the button of the answer with an index.
func answerButton(i int) string { return fmt.Sprintf(`$$("[role=radio]")[%d]`, i) }

// picture saves what is seen, where pictures are wanted.
func (v *visitor) picture(name string) {
	v.t.Helper()
	if *screenshots == "" {
		return
	}
	v.settled()
	if err := testkit.Screenshot(v.ctx, filepath.Join(*screenshots, name+".png")); err != nil {
		v.t.Fatal(err)
	}
}

// accessible holds the popup, once it is in its place and has its colors, to WCAG.
func (v *visitor) accessible() {
	v.t.Helper()
	v.settled()
	violations, err := testkit.Axe(v.ctx)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, violation := range violations {
		v.t.Error(violation)
	}
}

// shapes are the popups that there are.
var shapes = []struct {
	name   string
	metric survey.Metric
	shape  string
}{
	{"nps", survey.NPS, ""},
	{"stars", survey.CSAT, ""},
	{"faces", survey.CSAT, "faces"},
	{"smiley", survey.Smiley, ""},
	{"ces", survey.CES, ""},
	{"ces5", survey.CES5, ""},
	{"thumbs", survey.Thumbs, ""},
}

func TestEveryMetricIsVotedByMouseTouchAndKeyboard(t *testing.T) {
	for _, s := range shapes {
		low, high := s.metric.Scale()
		t.Run(s.name, func(t *testing.T) {
			for _, by := range []string{"mouse", "touch", "keyboard"} {
				t.Run(by, func(t *testing.T) {
					tp := asking(s.metric)
					tp.Widget.Shape = s.shape
					w := newWebsite(t, tp)
					var opts []testkit.BrowserOption
					if by == "touch" {
						opts = append(opts, testkit.Touch(), testkit.Viewport(320, 640))
					}
					v := w.visit(t, opts...)
					v.shown()
					switch by {
					case "mouse":
						v.click(answerButton(high - low))
					case "touch":
						v.tap(answerButton(high - low))
					case "keyboard":
						v.keys(kb.Tab)        // the page's field
						v.keys(kb.Tab)        // the page's link
						v.keys(kb.Tab)        // the scale
						v.keys(kb.End)        // the highest answer
						v.keys(kb.ArrowRight) // and round to the lowest
						v.keys(kb.ArrowLeft)  // and back
						if n := w.posts(); n != 0 {
							t.Errorf("%d votes before one was chosen", n)
						}
						v.keys(kb.Enter)
					}
					a := w.stored(t, func(a *survey.Ask) bool { return a.Score == high })
					if a.Channel != survey.Popup || a.Trust != survey.Human || a.Locale != "en" || a.Page != strings.TrimPrefix(w.Shop, "http://")+"/" {
						t.Errorf("stored %+v", a)
					}
					v.until(answerButton(high-low) + `.ariaChecked == "true"`)
					text := "Mukavaa!\nKiitos"
					if by == "touch" {
						v.tap(`$("textarea")`)
					}
					v.until(`root.activeElement?.localName == "textarea"`)
					v.keys(text)
					if by == "touch" {
						v.tap(`$("button.s")`)
					} else {
						v.keys(kb.Tab)
						v.keys(" ")
					}
					w.stored(t, func(a *survey.Ask) bool { return a.Comment == text && a.Score == high })
					v.until(`$(".q").textContent.includes("Thank you")`)
					if n := w.posts(); n != 2 {
						t.Errorf("%d requests, want one for the score and one for the comment", n)
					}
				})
			}
		})
	}
}

// TestEveryMetricIsAccessible holds every popup to WCAG at every step, in light and
// dark, on a phone and a desktop; with -screenshots it keeps pictures to look at.
func TestEveryMetricIsAccessible(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			tp := asking(s.metric)
			tp.Widget.Shape = s.shape
			v := newWebsite(t, tp).visit(t)
			look := func(step int) {
				t.Helper()
				for _, scheme := range []string{"light", "dark"} {
					for _, width := range []int64{320, 1280} {
						v.do(chromedp.EmulateViewport(width, 640), prefer(scheme))
						v.picture(fmt.Sprintf("%s-%s-%d-%d", s.name, scheme, width, step))
						v.accessible()
					}
				}
			}
			v.shown()
			look(1)
			v.click(answerButton(1))
			look(2)
			v.click(`$("button.s")`)
			v.until(`$(".q").textContent.includes("Thank you")`)
			look(3)
		})
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
