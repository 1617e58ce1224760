package results

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"github.com/pulssi/pulssi/shared/apigw/local"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// gate serves the dashboard to an admin, and holds what a view is waiting for
// until it is opened.
type gate struct {
	http.Handler
	held  string        // the path that is held
	waits chan struct{} // is received from when a view waits,
	opens chan struct{} // and this to open it
	bytes int           // of the answer, as it went over the line
	told  string        // its status and encoding
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != g.held {
		g.Handler.ServeHTTP(w, r)
		return
	}
	out := httptest.NewRecorder()
	g.Handler.ServeHTTP(out, r)
	g.bytes, g.told = out.Body.Len(), fmt.Sprintf("%d %s", out.Code, out.Header().Get("content-encoding"))
	for _, step := range []chan struct{}{g.waits, g.opens} {
		select {
		case step <- struct{}{}:
		case <-r.Context().Done():
			return
		}
	}
	for name, values := range out.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(out.Code)
	_, _ = w.Write(out.Body.Bytes()) // a browser that is gone needs no answer
}

// BenchmarkDashboard measures the dashboard over five years of 20 touchpoints:
// how long Chromium runs scripts from the moment that a view's data come until
// they are painted, the median of b.N loads; how long it lays out besides; how
// many bytes the data are, and how many calls to the database they took. With a
// processor as it is and one four times slower. `make bench` prints it.
func BenchmarkDashboard(b *testing.B) {
	defs, changes := years()
	tp := touchpoint("touchpoint-00", survey.NPS, 2)
	var said30 []*survey.Ask
	for i := range 30 {
		said30 = append(said30, said(tp, i%11, date("2026-11-20").Add(-time.Duration(i)*time.Hour), "Tilaaminen oli helppoa, mutta toimitus kesti kauemmin kuin luvattiin."))
	}
	for _, view := range []struct{ name, path, held, before, after string }{
		{"overview", "/dashboard", "/api/overview", ".attention .bone", ".stand"},
		{"overview-3-years", "/dashboard?from=2023-12-01", "/api/overview", ".attention .bone", ".stand"},
		{"touchpoint-5-years", "/dashboard/t/touchpoint-00?from=2021-12-01", "/api/results/touchpoint-00", ".comment", ".plot canvas"},
		{"touchpoint-a-year-by-day", "/dashboard/t/touchpoint-00?from=2025-11-22&by=day", "/api/results/touchpoint-00", ".comment", ".plot canvas"},
	} {
		for _, slower := range []float64{1, 4} {
			b.Run(fmt.Sprintf("view=%s/slower=%g", view.name, slower), func(b *testing.B) {
				h := newHandler(defs, changes)
				h.Feed, h.Annotations = newFeed(100, said30...), &marks{}
				api := local.New(topology.Routes(), map[topology.Function]local.Invoke{topology.Results: local.Function(h.Handle)}, h.Now)
				api.Authorize = func(*http.Request) (map[string]string, error) {
					return map[string]string{"sub": "bench", "cognito:groups": "[admin]"}, nil
				}
				g := &gate{Handler: api, held: view.held, waits: make(chan struct{}), opens: make(chan struct{})}
				server := httptest.NewServer(g)
				b.Cleanup(func() {
					server.CloseClientConnections() // which may be held
					server.Close()
				})

				ctx := testkit.Browser(b, testkit.Deadline(5*time.Minute))
				do := func(actions ...chromedp.Action[chromedp.Void]) {
					b.Helper()
					if err := chromedp.Do(ctx, actions...); err != nil {
						b.Fatal(err)
					}
				}
				eval := func(script string) {
					b.Helper()
					if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("(async () => {"+script+"; return true})()", chromedp.EvalAwaitPromise)); err != nil {
						b.Fatal(err)
					}
				}
				metrics := func() map[string]float64 {
					b.Helper()
					out := map[string]float64{}
					do(chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
						r, err := cdp.Call(ctx, page, performance.GetMetrics, cdp.Empty{})
						if err != nil {
							return err
						}
						for _, m := range r.Metrics {
							out[m.Name] = m.Value * 1e3
						}
						return nil
					}))
					return out
				}
				do(chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
					if _, err := cdp.Call(ctx, page, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
						return err
					}
					_, err := cdp.Call(ctx, page, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: slower})
					return err
				}), chromedp.Navigate(server.URL+"/dashboard"))
				eval(`sessionStorage.setItem("pulssi.session", JSON.stringify({access: "bench", refresh: "", expires: 9e15, name: "Aino"}))`)

				painted := func(selector string) {
					b.Helper()
					eval(fmt.Sprintf(`const frame = () => new Promise(requestAnimationFrame); while (!document.querySelector(%q)) await frame(); await frame(); await frame()`, selector))
				}
				sheets := h.Sheets.(*counted)
				calls := 0
				var script, layout, before []float64
				load := func() {
					was := sheets.calls
					do(chromedp.Navigate(server.URL + view.path))
					<-g.waits
					calls = sheets.calls - was
					painted(view.before) // and so is everything else
					if g.told != "200 gzip" {
						b.Fatalf("the answer is %s", g.told)
					}
					m := metrics()
					<-g.opens
					painted(view.after)
					n := metrics()
					script = append(script, n["ScriptDuration"]-m["ScriptDuration"])
					layout = append(layout, n["LayoutDuration"]+n["RecalcStyleDuration"]-m["LayoutDuration"]-m["RecalcStyleDuration"])
					before = append(before, m["ScriptDuration"])
				}
				load()
				script, layout, before = nil, nil, nil
				for b.Loop() {
					load()
				}
				middle := func(v []float64) float64 {
					v = slices.Sorted(slices.Values(v))
					return v[len(v)/2]
				}
				b.ReportMetric(middle(script), "script-ms")
				b.ReportMetric(middle(layout), "layout-ms")
				b.ReportMetric(middle(before), "before-ms")
				b.ReportMetric(float64(g.bytes), "gzip-bytes")
				b.ReportMetric(float64(calls), "calls")
			})
		}
	}
}
