package web_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/web"
)

// send fills in the form of the frame's page and sends it, and returns which
// rule of the page's policy keeps it.
const send = `new Promise((kept) => {
	const frame = document.querySelector("iframe");
	frame.onload = () => {
		const page = frame.contentDocument;
		page.addEventListener("securitypolicyviolation", (e) => kept(e.effectiveDirective));
		page.querySelector("input[value='9']").click();
		page.querySelector("button").click();
	};
	frame.srcdoc = document.documentElement.dataset.page;
})`

// TestTheBrowserHoldsAnExample shows an example where everything is allowed
// that a frame can be allowed.
func TestTheBrowserHoldsAnExample(t *testing.T) {
	page := web.AnswerPage{
		Touchpoint: &survey.Touchpoint{ID: "shop", Metric: survey.NPS, Locales: []string{"fi"}, Question: survey.Text{"fi": "Suosittelisitko?"}},
		Locale:     "fi", Action: "/t/shop", Example: true,
	}
	sent := make(chan string, 10)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			sent <- r.Method + " " + r.URL.Path
		}
		w.Header().Set("content-type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en" data-page="%s"><title>Frame</title><iframe sandbox="allow-same-origin allow-scripts allow-forms allow-popups allow-top-navigation"></iframe>`, html.EscapeString(page.HTML()))
	}))
	defer site.Close()
	ctx := testkit.Browser(t)
	if _, err := chromedp.Run(ctx, chromedp.Navigate(site.URL)); err != nil {
		t.Fatal(err)
	}
	kept, err := chromedp.Run(ctx, chromedp.Evaluate[string](send, chromedp.EvalAwaitPromise))
	if err != nil || kept != "form-action" {
		t.Errorf("kept by %q, %v", kept, err)
	}
	if len(sent) > 0 {
		t.Errorf("sent %s", <-sent)
	}
	testkit.ConsoleErrors(ctx) // which tell of the form that was kept
}
