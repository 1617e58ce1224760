package vote_test

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// script returns a script tag of the popup.
func script(touchpoint string) string {
	return `<script async src="%API%/pulssi.js" data-touchpoint="` + touchpoint + `"></script>`
}

// serve makes the website's pages anew.
func (w *website) serve(page func(path string) string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.page = page
}

// arrived is true where no vote is waiting to be sent again.
const arrived = "$('textarea') && !Object.keys(localStorage).some((k) => k.startsWith('pulssi.q.'))"

// busy answers as an overloaded service does.
func busy(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	rw.WriteHeader(http.StatusServiceUnavailable)
}

func method(m string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == m }
}

func part(p string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.URL.Query().Get("part") == p }
}

// drop breaks the connection off, as a dead network or an ad blocker does.
func drop(rw http.ResponseWriter, _ *http.Request) {
	if c, _, err := rw.(http.Hijacker).Hijack(); err == nil {
		_ = c.Close() // as good as any other end
	}
}

// forgiving is a test that overlooks the browser's own lines about requests that
// failed, which a page cannot keep out of the console.
type forgiving struct{ *testing.T }

func (f forgiving) Errorf(format string, args ...any) {
	f.Helper()
	if text := fmt.Sprintf(format, args...); !strings.Contains(text, "Failed to load resource") {
		f.Error(text)
	}
}

// visitBadly is visit where requests are bound to fail.
func (w *website) visitBadly(t *testing.T) *visitor {
	t.Helper()
	v := &visitor{t: t, ctx: testkit.Browser(forgiving{t})}
	v.open(w.Shop + "/")
	return v
}

func TestNothingLoadsBeforeItIsNeeded(t *testing.T) {
	tp := asking(survey.NPS)
	tp.Widget.Include = []string{"/thanks*"}
	w := newWebsite(t, tp)
	v := w.visit(t)
	v.said(tp.ID, "path")
	if got := w.seen(""); len(got) != 2 || !strings.HasPrefix(got[0], "GET /pulssi.js") || !strings.HasPrefix(got[1], "GET /w/shop-nps.json?part=when") {
		t.Errorf("requests %q, want the script and its config alone", got)
	}
	if marks := eval[int](v, `localStorage.length + sessionStorage.length + document.cookie.length`); marks != 0 {
		t.Errorf("%d marks on a page where it does not show", marks)
	}
	if n := eval[int](v, `document.querySelectorAll("pulssi-popup,link").length`); n != 0 {
		t.Errorf("%d elements on a page where it does not show", n)
	}
}

func TestPatterns(t *testing.T) {
	v := &visitor{t: t, ctx: testkit.Browser(t)}
	for _, c := range []struct {
		include, exclude []string
		path             string
		shows            bool
	}{
		{nil, nil, "/", true},
		{[]string{"/thanks"}, nil, "/thanks", true},
		{[]string{"/thanks"}, nil, "/thanks/", false},
		{[]string{"/thanks"}, nil, "/no/thanks", false},
		{[]string{"/thanks*"}, nil, "/thanks/1/2", true},
		{[]string{"*/done"}, nil, "/a/b/done", true},
		{[]string{"/a", "/b"}, nil, "/b", true},
		{[]string{"/kiitos-ä*"}, nil, "/kiitos-%C3%A4iti", true},
		{[]string{"/a.b"}, nil, "/axb", false},
		{[]string{"/a(b|c)"}, nil, "/ab", false},
		{nil, []string{"/cart*"}, "/cart/2", false},
		{nil, []string{"/cart"}, "/cart/2", true},
		{[]string{"/shop*"}, []string{"/shop/pay"}, "/shop/pay", false},
		{[]string{"/shop*"}, []string{"/shop/pay"}, "/shop/paid", true},
	} {
		tp := asking(survey.NPS)
		tp.Widget.Include, tp.Widget.Exclude = c.include, c.exclude
		r := request("GET /w/{file}", tp.ID+".json", nil, "")
		r.RawQueryString = "part=when"
		h := handler(nil)
		h.Touchpoints = touchpoints{tp.ID: tp}
		when := decoded[struct{ Path string }](t, handle(t, h, r))
		if got := eval[bool](v, fmt.Sprintf(`RegExp(%q).test(%q)`, when.Path, c.path)); got != c.shows {
			t.Errorf("include %q, exclude %q on %s: %v, by %s", c.include, c.exclude, c.path, got, when.Path)
		}
	}
}

func TestDelayScrollAndViews(t *testing.T) {
	tp := asking(survey.NPS)
	tp.Widget.Delay, tp.Widget.Scroll, tp.Widget.Views = survey.Span(time.Second), 50, 2
	w := newWebsite(t, tp)
	v := w.visit(t)
	v.said(tp.ID, "views")
	v.open(w.Shop + "/")
	v.said(tp.ID, "waiting")
	v.until(`performance.now() > 1300`)
	if eval[bool](v, `!!root`) {
		t.Error("it shows before the page is scrolled")
	}
	v.do(chromedp.Evaluate[chromedp.Void](`scrollTo(0, 0.4 * (document.documentElement.scrollHeight - innerHeight))`))
	v.do(chromedp.Evaluate[chromedp.Void](`new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))`, chromedp.EvalAwaitPromise))
	if eval[string](v, `Pulssi.debug()["shop-nps"]`) != "waiting" {
		t.Error("it shows at 40 % of the page")
	}
	v.do(chromedp.Evaluate[chromedp.Void](`scrollTo(0, 0.6 * (document.documentElement.scrollHeight - innerHeight))`))
	v.shown()

	tp.Widget.Scroll, tp.Widget.Views = 0, 0
	v = w.visit(t)
	v.shown()
	if at := eval[float64](v, `performance.now()`); at < 1000 {
		t.Errorf("shown after %.0f ms, want 1 s", at)
	}
}

func TestExit(t *testing.T) {
	tp := asking(survey.NPS)
	tp.Widget.Exit = true
	w := newWebsite(t, tp)
	v := w.visit(t)
	v.said(tp.ID, "waiting")
	out := `document.body.dispatchEvent(new MouseEvent("mouseout", {bubbles: true, clientX: 9, clientY: %d, relatedTarget: %s}))`
	for _, stays := range []string{fmt.Sprintf(out, 300, "null"), fmt.Sprintf(out, -1, "document.body")} {
		v.do(chromedp.Evaluate[chromedp.Void](stays))
	}
	if eval[string](v, `Pulssi.debug()["shop-nps"]`) != "waiting" {
		t.Error("it shows though the pointer is still there")
	}
	v.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(out, -1, "null")))
	v.shown()

	// On a phone the clock runs a hundred times as fast.
	w.serve(func(path string) string {
		return pageWith(path, `<script>{const timer = setTimeout, now = Date.now, start = now();
			window.setTimeout = (f, ms, ...a) => timer(f, ms / 100, ...a); Date.now = () => start + 100 * (now() - start)}</script>`+script(tp.ID))
	})
	v = w.visit(t, testkit.Touch(), testkit.Viewport(390, 700))
	v.said(tp.ID, "waiting")
	touch := `new Promise((r) => { let n = 0; const t = setInterval(() => { dispatchEvent(new Event("touchstart")); if (++n == 30) r(clearInterval(t)) }, 20) })`
	v.do(chromedp.Evaluate[chromedp.Void](touch, chromedp.EvalAwaitPromise))
	if eval[bool](v, `!!root`) {
		t.Error("it shows to a visitor who does not rest")
	}
	v.shown()
}

// A visitor is in the sample or not, for good, and the share of those who are
// is the touchpoint's: of 2,000 within 4 standard deviations.
func TestSample(t *testing.T) {
	const visitors, percent = 2000, 30
	tp := asking(survey.NPS)
	share := percent
	tp.Widget.Sample, tp.Widget.Delay = &share, survey.Span(time.Hour)
	w := newWebsite(t, tp)
	w.serve(func(path string) string { return pageWith(path, "") })
	v := w.visit(t, testkit.Deadline(3*time.Minute))
	outcome := `const once = () => new Promise((resolve) => {
			document.querySelectorAll("script").forEach((s) => s.remove());
			window.Pulssi?.stop(); delete window.Pulssi;
			const s = document.createElement("script");
			s.dataset.touchpoint = "shop-nps"; s.src = "` + w.API + `/pulssi.js";
			s.onload = async () => { while (!Pulssi.debug()["shop-nps"]) await new Promise((r) => setTimeout(r)); resolve(Pulssi.debug()["shop-nps"]) };
			document.body.append(s);
		});`
	got := eval[map[string]int](v, outcome+`
		const n = {in: 0, moved: 0, other: 0};
		for (let i = 0; i < `+fmt.Sprint(visitors)+`; i++) {
			localStorage.clear();
			const first = await once();
			if (first == "waiting") n.in++; else if (first != "sample") n.other++;
			if (i % 20 == 0 && await once() != first) n.moved++;
		}
		return n`)
	sd := math.Sqrt(visitors * percent / 100. * (1 - percent/100.))
	if got["other"] != 0 || got["moved"] != 0 || math.Abs(float64(got["in"])-visitors*percent/100.) > 4*sd {
		t.Errorf("of %d visitors %d are in a sample of %d %%, %d moved, %d saw something else", visitors, got["in"], percent, got["moved"], got["other"])
	}
	t.Logf("%d of %d visitors are in a sample of %d %%", got["in"], visitors, percent)

	// What is kept is one of a hundred numbers, and where the visitor asks not to
	// be tracked, for the visit alone.
	for _, c := range []struct{ ask, kept string }{
		{`0`, `localStorage`},
		{`Object.defineProperty(navigator, "globalPrivacyControl", {value: true, configurable: true})`, `sessionStorage`},
		{`delete navigator.globalPrivacyControl; Object.defineProperty(navigator, "doNotTrack", {value: "1"})`, `sessionStorage`},
	} {
		kept := eval[map[string]string](v, outcome+`localStorage.clear(); sessionStorage.clear(); `+c.ask+`; await once();
			return {local: localStorage["pulssi.s.shop-nps"] ?? "", session: sessionStorage["pulssi.s.shop-nps"] ?? "", count: "" + (localStorage.length + sessionStorage.length)}`)
		number := kept[strings.TrimSuffix(c.kept, "Storage")]
		if len(number) < 1 || len(number) > 2 || strings.Trim(number, "0123456789") != "" || kept["count"] != "1" {
			t.Errorf("after %s kept %v, want one number below 100 in %s", c.ask, kept, c.kept)
		}
	}
}

func TestAnsweredIsNotAskedAgain(t *testing.T) {
	tp := asking(survey.NPS)
	tp.Widget.Recontact, tp.Widget.Dismissed = survey.Span(60*24*time.Hour), survey.Span(24*time.Hour)
	for _, c := range []struct {
		name  string
		do    func(*visitor)
		days  float64
		votes int
	}{
		{"seen", func(*visitor) {}, 1, 0},
		{"closed", func(v *visitor) { v.click(`$(".x")`); v.until(`!root`) }, 1, 0},
		{"escaped", func(v *visitor) { v.keys(kb.Escape); v.until(`!root`) }, 1, 0},
		{"answered", func(v *visitor) { v.click(answerButton(9)); v.until(arrived) }, 60, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWebsite(t, tp)
			v := w.visit(t)
			v.shown()
			c.do(v)
			days := eval[float64](v, `(localStorage["pulssi.t.shop-nps"] - Date.now()) / 864e5`)
			if math.Abs(days-c.days) > 0.01 {
				t.Errorf("stays away for %.2f days, want %v", days, c.days)
			}
			v.open(w.Shop + "/")
			v.said(tp.ID, "asked")
			v.do(chromedp.Evaluate[chromedp.Void](`localStorage["pulssi.t.shop-nps"] = Date.now() - 1`))
			v.open(w.Shop + "/")
			v.shown()
			if n := w.posts(); n != c.votes {
				t.Errorf("%d votes, want %d", n, c.votes)
			}
		})
	}
}

func TestOneVoteIsOneRequest(t *testing.T) {
	tp := asking(survey.CSAT)
	w := newWebsite(t, tp)
	v := w.visit(t)
	v.shown()
	x, y := v.spot(answerButton(3))
	w.Tables.Meter.Reset()
	v.do(chromedp.MouseClickXY(x, y), chromedp.MouseClickXY(x, y, chromedp.ClickCount(2)))
	w.stored(t, func(a *survey.Ask) bool { return a.Score == 4 })
	v.click(`$("button.s")`)
	v.until(`$(".q").textContent.includes("Thank you")`)
	v.open(w.Shop + "/")
	v.said(tp.ID, "asked")
	w.stored(t, func(a *survey.Ask) bool { return a.Score == 4 })
	if n := w.posts(); n != 1 {
		t.Errorf("%d requests for a double click, Send without a comment and a reload, want 1", n)
	}
	writes := 0.0
	for _, call := range w.Tables.Meter.Calls() {
		if call.Operation == "UpdateItem" {
			writes += call.Units
		}
	}
	if writes != 1 {
		t.Errorf("%v write units, want 1", writes)
	}
}

// A comment is never lost for what the server refuses and nobody can see.
func TestACommentWithControlCharacters(t *testing.T) {
	w := newWebsite(t, asking(survey.NPS))
	v := w.visit(t)
	v.shown()
	v.click(answerButton(9))
	v.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("pulssi-popup").shadowRoot.querySelector("textarea").value = "\ta\u0000b\u0085c\r\nd\u007f "`))
	v.click(`$("button.s")`)
	w.stored(t, func(a *survey.Ask) bool { return a.Comment == "a b c\nd" })
}

func TestAChangedMind(t *testing.T) {
	w := newWebsite(t, asking(survey.NPS))
	v := w.visit(t)
	v.shown()
	v.click(answerButton(9))
	v.until(`$("textarea")`)
	v.click(answerButton(3))
	v.until(`$("label").textContent.includes("Sorry")`)
	w.stored(t, func(a *survey.Ask) bool { return a.Score == 3 })
}

func TestOfflineThenNextPage(t *testing.T) {
	tp := asking(survey.NPS)
	w := newWebsite(t, tp)
	v := w.visitBadly(t)
	v.shown()
	w.intercept(method("POST"), drop)
	v.click(answerButton(8))
	v.click(`$("textarea")`)
	v.keys("Hyvä")
	v.click(`$("button.s")`)
	v.until(`$(".q").textContent.includes("Thank you")`)
	// Still no network on the next page.
	before := w.posts()
	v.open(w.Shop + "/next")
	eventually(t, func() bool { return w.posts() > before }, func() string { return "the vote was sent again" })
	if n := len(w.responses(t)); n != 0 {
		t.Fatalf("%d responses while there is no network", n)
	}
	w.intercept(nil, nil)
	v.open(w.Shop + "/next")
	w.stored(t, func(a *survey.Ask) bool { return a.Score == 8 && a.Comment == "Hyvä" })
	v.until(`!Object.keys(localStorage).some((k) => k.startsWith("pulssi.q."))`)
	before = w.posts()
	v.open(w.Shop + "/next")
	v.said(tp.ID, "asked")
	if n := w.posts(); n != before {
		t.Error("a vote that was taken is sent again")
	}
}

func TestAVoteIsSentAFewTimesAtMost(t *testing.T) {
	w := newWebsite(t, asking(survey.NPS))
	v := w.visitBadly(t)
	v.shown()
	w.intercept(method("POST"), busy)
	v.click(answerButton(8))
	for i := range 5 {
		eventually(t, func() bool { return w.posts() == i+1 }, func() string { return fmt.Sprint(i+1, " tries: ", w.posts()) })
		v.open(w.Shop + "/next")
	}
	v.said("shop-nps", "asked")
	if left := eval[int](v, `Object.keys(localStorage).filter((k) => k.startsWith("pulssi.q.")).length`); left != 0 || w.posts() != 5 {
		t.Errorf("%d votes kept after %d tries", left, w.posts())
	}
}

func TestBackOnline(t *testing.T) {
	w := newWebsite(t, asking(survey.NPS))
	v := w.visitBadly(t)
	v.shown()
	w.intercept(method("POST"), drop)
	v.click(answerButton(8))
	eventually(t, func() bool { return w.posts() > 0 }, func() string { return "a try" })
	w.intercept(nil, nil)
	v.do(chromedp.Evaluate[chromedp.Void](`dispatchEvent(new Event("online"))`))
	w.stored(t, func(a *survey.Ask) bool { return a.Score == 8 })
}

func TestStrictPolicies(t *testing.T) {
	tp := asking(survey.CSAT)
	for _, c := range []struct{ name, policy, script string }{
		{"of the same origin", "default-src 'none'; script-src 'self'; connect-src 'self'", ""},
		{"with Trusted Types", "default-src 'none'; script-src %API%; connect-src %API%; require-trusted-types-for 'script'; trusted-types 'none'", ""},
		{"with a nonce", "default-src 'none'; script-src 'nonce-n0nce'; connect-src %API%", `<script async nonce="n0nce" crossorigin src="%API%/pulssi.js" data-touchpoint="shop-csat"></script>`},
		{"with a nonce and strict-dynamic", "default-src 'none'; script-src 'nonce-n0nce' 'strict-dynamic'; connect-src %API%", `<script async nonce="n0nce" crossorigin src="%API%/pulssi.js" data-touchpoint="shop-csat"></script>`},
		{"framed off", "default-src 'none'; script-src %API%; connect-src %API%; sandbox allow-scripts allow-same-origin", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWebsite(t, tp)
			tag := c.script
			if tag == "" {
				tag = script(tp.ID)
			}
			w.serve(func(string) string {
				return `<!doctype html><html lang="en"><title>Strict</title><h1>Strict</h1>` + tag
			})
			w.policy = c.policy
			v := &visitor{t: t, ctx: testkit.Browser(t)}
			if strings.Contains(c.policy, "'self'") {
				v.open(w.API + "/")
			} else {
				v.open(w.Shop + "/")
			}
			// A violation is an error in the console, which fails the test.
			v.shown()
			if width := eval[float64](v, `$(".p").getBoundingClientRect().width`); width != 432 {
				t.Errorf("the popup is %v wide: its style is missing", width)
			}
			v.click(answerButton(4))
			w.stored(t, func(a *survey.Ask) bool { return a.Score == 5 })
		})
	}
}

// The loader holds the second file to its hash.
func TestChangedFileIsNotRun(t *testing.T) {
	tp := asking(survey.NPS)
	w := newWebsite(t, tp)
	w.intercept(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, ".ui.js") }, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/javascript")
		rw.Header().Set("Access-Control-Allow-Origin", "*")
		fmt.Fprint(rw, `window.evil = true; export const show = () => { window.evil = true }; export const resend = show;`)
	})
	v := w.visit(t)
	v.said(tp.ID, "[object Event]")
	if eval[bool](v, `!!window.evil || !!root`) {
		t.Error("a changed file was run")
	}
	if errs := strings.Join(testkit.ConsoleErrors(v.ctx), "\n"); !strings.Contains(errs, "integrity") {
		t.Errorf("console: %q, want the browser's word about integrity", errs)
	}
}

func TestStorageBlocked(t *testing.T) {
	share := 100
	tp := asking(survey.NPS)
	tp.Widget.Sample, tp.Widget.Views = &share, 1
	for name, block := range map[string]string{
		"refused": `for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, {get() { throw new DOMException("no", "SecurityError") }})`,
		"missing": `for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, {value: null})`,
		"full":    `Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError") }; const full = new Proxy({}, {set() { throw new DOMException("full", "QuotaExceededError") }}); for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, {value: full})`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWebsite(t, tp)
			w.serve(func(path string) string { return pageWith(path, `<script>`+block+`</script>`+script(tp.ID)) })
			v := w.visit(t)
			v.shown()
			v.click(answerButton(7))
			w.stored(t, func(a *survey.Ask) bool { return a.Score == 7 })
			v.keys("Ok")
			v.click(`$("button.s")`)
			w.stored(t, func(a *survey.Ask) bool { return a.Comment == "Ok" })
			v.do(chromedp.Evaluate[chromedp.Void](`dispatchEvent(new Event("online"))`))
		})
	}
}

func TestHostilePages(t *testing.T) {
	tp := asking(survey.NPS)
	for name, inside := range map[string]string{
		"styles":           `<style>html *, pulssi-popup { display: none !important; all: unset !important; position: static !important; opacity: 0 !important; color: red !important; font: 3px fantasy !important; direction: rtl !important; visibility: hidden !important; transform: scale(0) !important; pointer-events: none !important }</style>`,
		"frozen built-ins": `<script>for (const o of [Object, Array, Function, String, RegExp, Promise, Map, Element, HTMLElement, Node, Event, EventTarget, Storage]) { Object.freeze(o.prototype); Object.freeze(o) }; Object.freeze(JSON); Object.freeze(Math)</script>`,
		"old libraries":    `<script>Array.prototype.toJSON = function () { return "no" }; Array.prototype.each = () => 0; Object.prototype.extra = 1</script>`,
		"a base":           `<base href="https://elsewhere.example/">`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWebsite(t, tp)
			w.serve(func(string) string {
				return `<!doctype html><html lang="en"><title>Hostile</title><h1>Hostile</h1>` + inside + script(tp.ID)
			})
			v := w.visit(t)
			v.shown()
			v.settled()
			v.until(`$(".p").checkVisibility({opacityProperty: true, visibilityProperty: true})`)
			box := eval[[]float64](v, `const b = $(".p").getBoundingClientRect(); return [b.right, b.bottom, b.width]`)
			if box[0] != 1260 || box[1] != 780 || box[2] != 432 {
				t.Errorf("the popup is at %v", box)
			}
			if font := eval[string](v, `getComputedStyle($(".q")).font`); !strings.Contains(font, "16px") {
				t.Errorf("the question's font is %s", font)
			}
			v.picture("hostile " + name)
			v.click(answerButton(6))
			w.stored(t, func(a *survey.Ask) bool { return a.Score == 6 })
		})
	}
	t.Run("everything hidden", func(t *testing.T) {
		w := newWebsite(t, tp)
		w.serve(func(string) string {
			return `<!doctype html><title>Hidden</title><style>* { display: none !important }</style>` + script(tp.ID)
		})
		// A page whose root is not rendered shows nothing, not the popup either.
		v := w.visit(t)
		v.shown()
	})
	t.Run("removed", func(t *testing.T) {
		w := newWebsite(t, tp)
		v := w.visit(t)
		v.shown()
		v.click(answerButton(6))
		v.until(`$("textarea")`)
		v.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("pulssi-popup").remove(); document.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true})); Pulssi.stop(); Pulssi.stop()`))
		w.stored(t, func(a *survey.Ask) bool { return a.Score == 6 })
	})
	t.Run("a global of that name", func(t *testing.T) {
		w := newWebsite(t, tp)
		w.serve(func(path string) string { return pageWith(path, `<form id="Pulssi"></form>`+script(tp.ID)) })
		v := w.visit(t)
		v.until(`performance.getEntriesByType("resource").some((e) => e.name.endsWith("pulssi.js") && e.responseEnd)`)
		v.until(`document.readyState == "complete"`)
	})
	t.Run("no global but Pulssi", func(t *testing.T) {
		w := newWebsite(t, tp)
		w.serve(func(path string) string {
			return pageWith(path, `<script>window.before = new Set(Object.getOwnPropertyNames(window))</script>`+script(tp.ID))
		})
		v := w.visit(t)
		v.shown()
		if more := eval[[]string](v, `Object.getOwnPropertyNames(window).filter((n) => !before.has(n) && n != "before")`); len(more) != 1 || more[0] != "Pulssi" {
			t.Errorf("globals %q", more)
		}
	})
}

func TestTags(t *testing.T) {
	tp, other := asking(survey.NPS), asking(survey.CSAT)
	t.Run("twice", func(t *testing.T) {
		w := newWebsite(t, tp)
		w.serve(func(path string) string { return pageWith(path, script(tp.ID)+script(tp.ID)) })
		v := w.visit(t)
		v.shown()
		v.until(`performance.getEntriesByType("resource").filter((e) => e.name.endsWith("pulssi.js")).length >= 1`)
		if n := eval[int](v, `document.querySelectorAll("pulssi-popup").length`); n != 1 {
			t.Errorf("%d popups", n)
		}
		if n := len(w.seen("GET /w/shop-nps.json?part=when")); n != 1 {
			t.Errorf("%d configs", n)
		}
	})
	t.Run("of two touchpoints", func(t *testing.T) {
		w := newWebsite(t, tp, other)
		v := w.visit(t)
		v.shown()
		v.until(`Object.values(Pulssi.debug()).sort().join() == "gave way,shown"`)
		v.click(`$(".x")`)
		if n := eval[int](v, `document.querySelectorAll("pulssi-popup").length`); n != 0 {
			t.Errorf("%d popups after the first was closed", n)
		}
		v.open(w.Shop + "/")
		v.shown()
	})
	t.Run("without a touchpoint", func(t *testing.T) {
		w := newWebsite(t, tp)
		w.serve(func(path string) string { return pageWith(path, `<script async src="%API%/pulssi.js"></script>`) })
		v := w.visit(t)
		v.until(`window.Pulssi`)
		if n := len(w.seen("GET /w/")); n != 0 {
			t.Errorf("%d configs asked for nothing", n)
		}
		v.do(chromedp.Evaluate[chromedp.Void](`Pulssi.ask("shop-nps", {ref: "ORDER-7", attrs: {plan: "gold"}, locale: "sv-FI"})`))
		v.shown()
		v.click(answerButton(9))
		a := w.stored(t, func(a *survey.Ask) bool { return a.Score == 9 })
		if a.Ref != "ORDER-7" || a.Attrs["plan"] != "gold" || a.Locale != "sv" {
			t.Errorf("stored %+v", a)
		}
		if q := eval[string](v, `$(".q").textContent`); q != "Hur gick det?" {
			t.Errorf("asked %q", q)
		}
		v.do(chromedp.Evaluate[chromedp.Void](`Pulssi.stop()`))
		v.until(`!root`)
	})
}

func TestNotAllowedHere(t *testing.T) {
	tp := asking(survey.NPS)
	w := newWebsite(t, tp)
	tp.Origins = nil
	v := w.visit(t)
	v.said(tp.ID, "origin must be on the touchpoint's list")
	if got := w.seen(""); len(got) != 2 {
		t.Errorf("requests %q", got)
	}
	w.serve(func(path string) string { return pageWith(path, script("nothing")) })
	v.open(w.Shop + "/")
	v.said("nothing", "no such touchpoint")
}

func TestBadConfigs(t *testing.T) {
	tp := asking(survey.NPS)
	answer := func(status int, body string) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Access-Control-Allow-Origin", "*")
			rw.WriteHeader(status)
			fmt.Fprint(rw, body)
		}
	}
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, c := range []struct {
		name   string
		match  func(*http.Request) bool
		answer http.HandlerFunc
		said   string
		quiet  bool // the browser has nothing to say about it either
	}{
		{"no JSON", part("when"), answer(200, "<html>"), "SyntaxError", true},
		{"no object", part("when"), answer(200, "null"), "TypeError", true},
		{"empty", part("when"), answer(200, ""), "SyntaxError", true},
		{"of an error", part("when"), answer(500, `{"error":{"code":"internal"}}`), "", false},
		{"slow", part("when"), hang, "TimeoutError", true},
		{"refused", part("when"), drop, "TypeError", false},
		{"texts missing", part("show"), answer(200, "{}"), "TypeError", true},
		{"texts slow", part("show"), hang, "TimeoutError", true},
		{"texts refused", part("show"), answer(404, `{"error":{}}`), "TypeError", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWebsite(t, tp)
			w.intercept(c.match, c.answer)
			visit := w.visitBadly
			if c.quiet {
				visit = func(t *testing.T) *visitor { return w.visit(t) }
			}
			v := visit(t)
			if c.said == "" {
				v.until(`"shop-nps" in (window.Pulssi?.debug() ?? {})`)
			} else {
				v.said(tp.ID, c.said)
			}
			if eval[bool](v, `!!root`) {
				t.Error("it shows")
			}
		})
	}
	t.Run("unknown fields and markup", func(t *testing.T) {
		tp := asking(survey.NPS)
		tp.Question["en"] = `<img src=x onerror="window.evil=1"> & <b>you</b>?`
		tp.Thanks = survey.Text{"en": `<script>window.evil=1</script>`}
		w := newWebsite(t, tp)
		w.intercept(part("when"), answer(200, `{"path":"^","colour":"red","delay":0,"nested":{"a":[1]}}`))
		v := w.visit(t)
		v.shown()
		if q := eval[string](v, `$(".q").textContent`); q != tp.Question["en"] {
			t.Errorf("the question reads %q", q)
		}
		v.click(answerButton(9))
		v.click(`$("button.s")`)
		v.until(`$(".t").textContent == "<script>window.evil=1</script>"`)
		if eval[bool](v, `!!window.evil`) {
			t.Error("markup of a text was run")
		}
	})
}

func TestWaitsForAGoodMoment(t *testing.T) {
	tp := asking(survey.NPS)
	for _, c := range []struct{ name, page, end string }{
		{"typing", `<script>document.getElementById("name").focus()</script>`, `document.activeElement.blur()`},
		{"an open dialog", `<dialog id="d">Cookies?</dialog><script>document.getElementById("d").showModal()</script>`, `document.getElementById("d").close()`},
		{"a dialog of divs", `<div role="dialog" id="d">Cookies?</div>`, `document.getElementById("d").hidden = true`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWebsite(t, tp)
			w.serve(func(path string) string { return pageWith(path, c.page+script(tp.ID)) })
			v := w.visit(t)
			v.said(tp.ID, "waiting")
			v.until(`performance.now() > 1200`)
			if eval[bool](v, `!!root`) {
				t.Fatal("it shows")
			}
			if got := len(w.seen("")); got != 2 {
				t.Errorf("%d requests before it could show, want the script and its config", got)
			}
			v.do(chromedp.Evaluate[chromedp.Void](c.end))
			v.shown()
		})
	}
}

func TestSinglePageApp(t *testing.T) {
	tp := asking(survey.NPS)
	tp.Widget.Include, tp.Widget.Exclude = []string{"/thanks*", "/help"}, []string{"/thanks/not"}
	for name, old := range map[string]string{
		"by the Navigation API": ``,
		"without it":            `<script>delete window.navigation; Object.defineProperty(window, "navigation", {value: undefined})</script>`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWebsite(t, tp)
			w.serve(func(path string) string {
				return pageWith(path, old+`<button id="go">Go</button><script>document.getElementById("go").onclick = () => history.pushState({}, "", window.to)</script>`+script(tp.ID))
			})
			v := w.visit(t)
			v.said(tp.ID, "path")
			goTo := func(path string) {
				v.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`window.to = %q; document.getElementById("go").click()`, path)))
			}
			goTo("/thanks/not")
			goTo("/list")
			v.said(tp.ID, "path")
			goTo("/thanks/7")
			v.shown()
			if n := len(w.seen("GET /w/shop-nps.json?part=when")); n != 1 {
				t.Errorf("%d configs over four routes, want 1", n)
			}
			// What is not touched goes with its page.
			goTo("/list")
			v.until(`!root`)
			v.do(chromedp.Evaluate[chromedp.Void](`localStorage.clear()`))
			goTo("/help")
			v.shown()
			v.click(answerButton(2))
			v.until(`root.activeElement?.localName == "textarea"`)
			goTo("/list")
			v.keys("Kesken")
			v.click(`$("button.s")`)
			w.stored(t, func(a *survey.Ask) bool { return a.Comment == "Kesken" })
		})
	}
}

func TestPlaces(t *testing.T) {
	tp := asking(survey.CSAT)
	t.Run("inline", func(t *testing.T) {
		tp := asking(survey.CSAT)
		tp.Widget.Place, tp.Widget.Target = "inline", "#here"
		w := newWebsite(t, tp)
		v := w.visit(t)
		v.until(`document.querySelector("#here pulssi-popup")`)
		if marks := eval[int](v, `localStorage.length`); marks != 0 {
			t.Errorf("%d marks before an answer", marks)
		}
		v.accessible()
		v.click(answerButton(3))
		x, y := v.spot(answerButton(3))
		v.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y, chromedp.ButtonNone))
		v.until(`$$(".g svg")[3].matches(":hover")`)
		// The star under the pointer fills like those before it.
		stars := `$$(".g svg").map((star) => getComputedStyle(star).fill + " on " + getComputedStyle(star).backgroundColor)`
		v.until(`$$(".g svg").length == 5`)
		if got := eval[[]string](v, stars); got[3] != got[2] || got[3] == got[4] || !strings.HasSuffix(got[3], " on rgba(0, 0, 0, 0)") {
			t.Errorf("the stars are %q", got)
		}
		v.picture("inline")
		v.click(`$("button.s")`)
		v.until(`$(".q").textContent.includes("Thank you")`)
		v.open(w.Shop + "/")
		v.said(tp.ID, "asked")
		tp.Widget.Target = "#nowhere"
		v = w.visit(t)
		v.said(tp.ID, "TypeError")
	})
	t.Run("bar", func(t *testing.T) {
		tp := asking(survey.NPS)
		tp.Widget.Place, tp.Widget.Color = "bar", "#ffcc00"
		w := newWebsite(t, tp)
		v := w.visit(t)
		v.shown()
		v.settled()
		if box := eval[[]float64](v, `const b = $(".p").getBoundingClientRect(); return [b.left, b.right, b.bottom]`); box[0] != 0 || box[1] != 1280 || box[2] != 800 {
			t.Errorf("the bar is at %v", box)
		}
		v.click(answerButton(9))
		v.picture("bar")
		v.accessible()
	})
	t.Run("with a link", func(t *testing.T) {
		tp.Widget.Link = "https://review.example/"
		w := newWebsite(t, tp)
		v := w.visit(t)
		v.shown()
		v.click(answerButton(4))
		v.click(`$("button.s")`)
		v.until(`$("a[href='https://review.example/']").rel == "noopener"`)
		v.picture("link")
		v.accessible()
	})
}

func TestAccessibility(t *testing.T) {
	tp := asking(survey.NPS)
	w := newWebsite(t, tp)
	t.Run("focus", func(t *testing.T) {
		v := w.visit(t)
		v.shown()
		if at := eval[string](v, `document.activeElement.localName`); at != "body" {
			t.Errorf("the popup took the focus to %s", at)
		}
		names := eval[[]string](v, `const d = $("[role=dialog]"), g = $("[role=radiogroup]"); return [d.ariaLabel, g.ariaLabel, $$("[role=radio]")[0].ariaLabel, $$("[role=radio]")[10].ariaLabel, $(".x").ariaLabel, d.lang]`)
		if got := strings.Join(names, "|"); got != questions[survey.NPS]+"|"+questions[survey.NPS]+"|0 of 10, Not at all likely|10 of 10, Extremely likely|Close|en" {
			t.Errorf("names %s", got)
		}
		v.until(`$("[role=status]").textContent == $(".q").textContent`)
		v.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("main a").focus()`))
		v.keys(kb.Tab)
		v.until(`root.activeElement == $$("[role=radio]")[0]`)
		v.keys(kb.ArrowRight + kb.ArrowDown + kb.ArrowRight + kb.ArrowUp)
		v.until(`root.activeElement == $$("[role=radio]")[2] && root.activeElement.tabIndex == 0 && $$("[role=radio][tabindex='0']").length == 1`)
		if n := w.posts(); n != 0 {
			t.Fatalf("%d votes by moving", n)
		}
		v.keys(" ")
		v.until(`root.activeElement?.localName == "textarea" && $("label").control == root.activeElement && root.activeElement.maxLength == 2000`)
		v.keys(kb.Escape)
		v.until(`!root && document.activeElement.localName == "a"`)
	})
	t.Run("digits", func(t *testing.T) {
		for _, c := range []struct {
			keys  string
			score int
		}{{"7", 7}, {"1", 1}, {"10", 10}, {"0", 0}} {
			w := newWebsite(t, tp)
			v := w.visit(t)
			v.shown()
			v.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("main a").focus()`))
			v.keys(kb.Tab)
			v.keys(c.keys)
			w.stored(t, func(a *survey.Ask) bool { return a.Score == c.score })
			if n := w.posts(); n != 1 {
				t.Errorf("%s: %d votes", c.keys, n)
			}
		}
		// A digit that is no answer is none.
		w := newWebsite(t, asking(survey.CSAT))
		v := w.visit(t)
		v.shown()
		v.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("main a").focus()`))
		v.keys(kb.Tab)
		v.keys("069")
		v.keys("5")
		w.stored(t, func(a *survey.Ask) bool { return a.Score == 5 })
	})
	t.Run("Escape is the page's own", func(t *testing.T) {
		v := newWebsite(t, tp).visit(t)
		v.shown()
		v.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("name").focus()`))
		v.keys(kb.Escape)
		if !eval[bool](v, `!!root`) {
			t.Error("Escape in the page's field closed the popup")
		}
	})
	t.Run("narrow, zoomed, long and from right to left", func(t *testing.T) {
		tp := asking(survey.NPS)
		tp.Locales = []string{"ar", "fi"}
		tp.Question = survey.Text{"ar": "ما مدى احتمال أن توصي بنا لصديق أو زميل؟", "fi": "Lentokonesuihkuturbiinimoottoriapumekaanikkoaliupseerioppilastarkastuslautakunnanpuheenjohtaja?"}
		tp.Low, tp.High = survey.Text{"fi": "Epätodennäköisyyslaskelmallisestikatsottunasanomattomanhuonosti"}, survey.Text{"fi": "Erinomaisestijaylitsevuotavaisen tyytyväisenä"}
		w := newWebsite(t, tp)
		for _, locale := range []string{"ar", "fi"} {
			for _, size := range [][2]int64{{320, 568}, {640, 400}, {1280, 800}} {
				w.serve(func(path string) string {
					return strings.Replace(pageWith(path, script(tp.ID)), `lang="en"`, `lang="`+locale+`"`, 1)
				})
				v := w.visit(t, testkit.Viewport(size[0], size[1]), testkit.Touch())
				v.shown()
				v.tap(answerButton(3))
				v.until(`$("textarea")`)
				v.picture(fmt.Sprint("long-", locale, size[0]))
				v.accessible()
				if over := eval[[]string](v, `const p = $(".p").getBoundingClientRect(); return [...root.querySelectorAll(".p *:not(.h)")].filter((e) => { const r = e.getBoundingClientRect(); return r.left < p.left - 1 || r.right > p.right + 1 }).map((e) => e.className + e.localName)`); len(over) > 0 {
					t.Errorf("%s at %v: out of the popup: %q", locale, size, over)
				}
				if p := eval[[]float64](v, `const r = $(".p").getBoundingClientRect(); return [r.left, r.top, innerWidth - r.right]`); p[0] < 0 || p[1] < 0 || p[2] < 0 {
					t.Errorf("%s at %v: the popup is out of the window by %v", locale, size, p)
				}
				if locale == "ar" && size[0] == 1280 {
					if left := eval[float64](v, `$(".p").getBoundingClientRect().left`); left != 20 {
						t.Errorf("from right to left the popup is at %v", left)
					}
				}
			}
		}
	})
	t.Run("targets on a phone", func(t *testing.T) {
		for _, s := range shapes {
			tp := asking(s.metric)
			tp.Widget.Shape = s.shape
			w := newWebsite(t, tp)
			v := w.visit(t, testkit.Viewport(320, 568), testkit.Touch())
			v.shown()
			if small := eval[[]string](v, `$$("button").map((b) => b.getBoundingClientRect()).filter((r) => r.width < 44 || r.height < 44).map((r) => r.width + "x" + r.height)`); len(small) > 0 {
				t.Errorf("%s: targets of %q", s.name, small)
			}
		}
	})
	t.Run("nothing moves", func(t *testing.T) {
		v := w.visit(t)
		v.shown()
		if what := eval[[]string](v, `root.adoptedStyleSheets.flatMap((s) => [...s.cssRules]).filter((r) => r instanceof CSSKeyframesRule).flatMap((r) => [...r.cssRules]).flatMap((k) => [...k.style])`); !slices.Equal(what, []string{"opacity"}) {
			t.Errorf("animated: %q, want opacity alone", what)
		}
	})
}
