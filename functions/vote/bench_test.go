package vote_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// BenchmarkPageWhereItDoesNotShow measures what the popup costs a page on
// which it does not show: the time that Chromium runs scripts, of a page with
// the popup's tag less that of the same page without, medians of b.N loads each
// by turns, and the layouts and long tasks more. With a processor as it is and
// one four times slower. `make bench` prints it.
func BenchmarkPageWhereItDoesNotShow(b *testing.B) {
	for _, slower := range []float64{1, 4} {
		b.Run(fmt.Sprintf("slower=%g", slower), func(b *testing.B) {
			tp := asking(survey.NPS)
			tp.Widget.Include = []string{"/thanks*"}
			w := newWebsite(b, tp)
			with := w.page
			w.page = func(path string) string {
				page := with(path)
				if tag := strings.Index(page, "<script"); path == "/without" && tag >= 0 {
					page = page[:tag]
				}
				return page
			}
			v := w.visit(b, testkit.Deadline(5*time.Minute))
			v.do(chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
				if _, err := cdp.Call(ctx, page, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
					return err
				}
				// Every load is a visitor's first.
				if _, err := cdp.Call(ctx, page, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}); err != nil {
					return err
				}
				_, err := cdp.Call(ctx, page, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: slower})
				return err
			}))
			script := map[string][]float64{}
			layouts := map[string]float64{}
			long := 0.0
			load := func(path string) (map[string]float64, float64) {
				v.open(w.Shop + path)
				// A moment for what the tag does; the same on both pages.
				tasks := eval[float64](v, `let n = 0; new PerformanceObserver((l) => n += l.getEntries().length).observe({type: "longtask", buffered: true}); await new Promise((r) => setTimeout(r, 300)); return n`)
				return v.metrics(), tasks
			}
			load("/with")
			load("/without")
			for b.Loop() {
				for _, path := range []string{"/with", "/without"} {
					m, tasks := load(path)
					script[path] = append(script[path], m["ScriptDuration"]*1e3)
					layouts[path] += m["LayoutCount"]
					if path == "/with" {
						long += tasks
					}
				}
			}
			if asked := len(w.seen("GET /w/")); asked < len(script["/with"]) {
				b.Fatalf("%d configs for %d loads: the popup did not run", asked, len(script["/with"]))
			}
			b.ReportMetric(median(script["/with"])-median(script["/without"]), "script-ms")
			b.ReportMetric(median(script["/without"]), "without-ms")
			b.ReportMetric((layouts["/with"]-layouts["/without"])/float64(len(script["/with"])), "layouts")
			b.ReportMetric(long, "long-tasks")
		})
	}
}

// metrics returns Chromium's counters of the document's work so far, durations
// in seconds.
func (v *visitor) metrics() map[string]float64 {
	v.t.Helper()
	out := map[string]float64{}
	v.do(chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		r, err := cdp.Call(ctx, page, performance.GetMetrics, cdp.Empty{})
		if err != nil {
			return err
		}
		for _, m := range r.Metrics {
			out[m.Name] = m.Value
		}
		return nil
	}))
	return out
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
