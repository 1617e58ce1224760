package stack

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/pulssi/pulssi/shared/testkit"
)

// widths are those of a phone and of a desk.
var widths = []int64{360, 1280}

// nothingMoves loads the overview and a touchpoint over a slow line, and sums
// up how far what is there already is moved by what comes (layout-shift of the
// Layout Instability API, as in Cumulative Layout Shift).
func (g *guest) nothingMoves() {
	defer g.do(chromedp.EmulateViewport(1280, 800), latency(0))
	// What came of an event is asked for when the rest is there.
	g.posted("/api/annotations", fmt.Sprintf(`{"touchpoint":"shop-nps","date":%q,"text":"Uusi kassa"}`, g.Clock.Now().AddDate(0, 0, -historyDays/2).Format(time.DateOnly)))
	g.do(latency(150))
	for _, width := range widths {
		g.do(chromedp.EmulateViewport(width, 800))
		for _, path := range []string{"/dashboard", "/dashboard/t/shop-nps"} {
			g.visit(path)
			g.settled()
			if path != "/dashboard" {
				g.until(`document.querySelector("div.came")`)
			}
			type shift struct {
				Sum  float64
				What []string
			}
			got, err := chromedp.Run(g.ctx, chromedp.Evaluate[shift](`(async () => {
				const out = {Sum: 0, What: []};
				new PerformanceObserver((list) => {
					for (const e of list.getEntries()) {
						out.Sum += e.value;
						for (const s of e.sources) out.What.push((s.node?.className ?? s.node?.nodeName) + " " + JSON.stringify([s.previousRect, s.currentRect]));
					}
				}).observe({type: "layout-shift", buffered: true});
				for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
				await new Promise((done) => setTimeout(done));
				return out;
			})()`, chromedp.EvalAwaitPromise))
			if err != nil {
				g.Fatal(err)
			}
			if got.Sum >= 0.01 {
				g.Errorf("%s at %d px: what is there moves by %.4f: %q", path, width, got.Sum, got.What)
			}
		}
	}
}

// accessible holds every page to WCAG, in light and dark, on a phone and at a
// desk, and to its width: a page is not scrolled sideways.
func (g *guest) accessible() {
	defer g.do(chromedp.EmulateViewport(1280, 800), prefer("light"))
	contact := g.contact()
	shared := g.sharePath()
	out := g.dashboard.guest(g.T)
	for _, page := range []struct {
		name, path string
		guest      *guest
		open       string // is pressed first
	}{
		{"overview", "/dashboard", g, ""},
		{"touchpoint", "/dashboard/t/shop-nps", g, ""},
		{"table", "/dashboard/t/shop-checkout?view=themes", g, "button[aria-pressed].plain"},
		{"share", "/dashboard", g, "#share"},
		{"people", "/dashboard/people", g, ""},
		{"person", "/dashboard/people/" + contact, g, ""},
		{"settings", "/dashboard/settings", g, ""},
		{"settings of a touchpoint", "/dashboard/settings/shop-nps", g, ""},
		{"shares", "/dashboard/shares", g, ""},
		{"not found", "/dashboard/nothing", g, ""},
		{"signed out", "/dashboard", out, ""},
		{"shared", shared, out, ""},
	} {
		v := page.guest
		v.T = g.T
		v.visit(page.path)
		v.settled()
		if page.open != "" {
			v.press(page.open)
		}
		for _, width := range widths {
			for _, scheme := range []string{"light", "dark"} {
				v.do(chromedp.EmulateViewport(width, 800), prefer(scheme))
				violations, err := testkit.Axe(v.ctx)
				if err != nil {
					g.Fatal(err)
				}
				for _, violation := range violations {
					g.Errorf("%s at %d px, %s: %s", page.name, width, scheme, violation)
				}
			}
			if wide := look[int](v, "document.documentElement.scrollWidth"); int64(wide) > width {
				g.Errorf("%s at %d px is %d px wide", page.name, width, wide)
			}
		}
	}
}

// contact makes a contact and returns its id.
func (g *guest) contact() string {
	g.Helper()
	return look[string](g.posted("/api/contacts", `{"ref":"C-1","firstName":"Maija","email":"maija@example.com"}`), "window.posted.id")
}

// sharePath shares the overview and returns the path of the view.
func (g *guest) sharePath() string {
	g.Helper()
	return look[string](g.posted("/api/shares", `{"name":"Johtoryhmä","view":{"page":"overview","last":12},"comments":true}`), "window.posted.path")
}

// posted makes a request as the guest, whose answer is then window.posted.
func (g *guest) posted(path, body string) *guest {
	g.Helper()
	status, err := chromedp.Run(g.ctx, chromedp.Evaluate[int](fmt.Sprintf(`(async () => {
		const {access} = JSON.parse(sessionStorage.getItem("pulssi.session"));
		const answer = await fetch(%q, {method: "POST", body: %q, headers: {"content-type": "application/json", authorization: "Bearer " + access}});
		window.posted = await answer.json();
		return answer.status;
	})()`, path, body), chromedp.EvalAwaitPromise))
	if err != nil || status != http.StatusCreated {
		g.Fatalf("%s: %d, %v", path, status, err)
	}
	return g
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
