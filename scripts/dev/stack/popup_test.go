package stack

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/pulssi/pulssi/scripts/recount/differences"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/testkit"
)

// TestFiftyVotesByThePopup clicks fifty answers in fifty popups on another
// website; the tally, a recount and the live results agree about them.
func TestFiftyVotesByThePopup(t *testing.T) {
	website := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1>`)
	}))
	defer website.Close()
	s := shared(t, Options{Touchpoints: []byte(`
locales: [en]
touchpoints:
  - {id: shop-nps, phase: after, metric: nps, channels: [widget], origins: ["` + website.URL + `"], name: {en: Shop}, question: {en: "How likely?"}}
`)})

	ctx := testkit.Browser(t, testkit.Deadline(browsing))
	open(ctx, t, website.URL)
	const popup = `document.querySelector("pulssi-popup")?.shadowRoot`
	run := func(script string) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](script)); err != nil {
			t.Fatalf("%s: %v", script, err)
		}
	}
	until := func(expression string) {
		t.Helper()
		eventually(t, expression, func() bool {
			holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
			if err != nil {
				t.Fatal(err)
			}
			return holds
		})
	}
	run(`document.body.append(Object.assign(document.createElement("script"), {src: "` + s.URL + `/pulssi.js"}))`)
	until(`window.Pulssi`)
	counts := map[int]int{}
	for i := range 50 {
		score := i * 7 % 11
		counts[score]++
		run(`Pulssi.stop(); localStorage.clear(); Pulssi.ask("shop-nps")`)
		until(popup + `?.querySelector("[role=radio]")`)
		run(fmt.Sprintf(popup+`.querySelectorAll("[role=radio]")[%d].click()`, score))
		until(`Object.keys(localStorage).join() == "pulssi.t.shop-nps"`) // the vote has arrived
	}

	eventually(t, "fifty votes in the results", func() bool { n, _ := total(t, s); return n == 50 })
	_, got := total(t, s)
	var counted map[int]int
	if err := json.Unmarshal([]byte(got), &counted); err != nil || !maps.Equal(counted, counts) {
		t.Errorf("results %s, want %v, %v", got, counts, err)
	}
	zone, err := time.LoadLocation(config.DefaultZone)
	if err != nil {
		t.Fatal(err)
	}
	// The sheets of the day and of the month are not written at the same moment.
	recount := differences.Finder{Store: s.Store, Zone: zone, Settle: patience / 2, Patience: patience, Now: time.Now, Wait: differences.Wait, Progress: func(int) {}}
	report, err := recount.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if report.Asks != 50 || len(report.Differences) != 0 || len(report.Moving) != 0 || len(report.Unreadable) != 0 {
		t.Errorf("the recount says %+v", report)
	}
}
