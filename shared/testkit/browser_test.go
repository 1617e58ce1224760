package testkit_test

import (
	"context"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/pulssi/pulssi/shared/testkit"
)

const (
	goodPage = `<!doctype html><html lang="en"><title>Good</title><main><h1>Good</h1><label>Name <input></label></main>`
	badPage  = `<!doctype html><html lang="en"><title>Bad</title><main><h1>Bad</h1><input id="name"></main>`
)

func TestAxe(t *testing.T) {
	const strict = "default-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	tests := map[string]struct {
		page, policy string
		opts         []testkit.BrowserOption
		want         []string
	}{
		"a good page":                {page: goodPage},
		"a bad page":                 {page: badPage, want: []string{"label"}},
		"a bad page, strict policy":  {page: badPage, policy: strict, want: []string{"label"}},
		"a bad page, no JavaScript":  {page: badPage, opts: []testkit.BrowserOption{testkit.NoJavaScript()}, want: []string{"label"}},
		"a good page, no JavaScript": {page: goodPage, opts: []testkit.BrowserOption{testkit.NoJavaScript()}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ctx := testkit.Browser(t, test.opts...)
			open(t, ctx, serve(t, test.page, test.policy))
			violations, err := testkit.Axe(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var rules []string
			for _, v := range violations {
				rules = append(rules, v.Rule)
			}
			if !slices.Equal(rules, test.want) {
				t.Errorf("broken rules = %v, want %v\n%v", rules, test.want, violations)
			}
			if len(violations) == 1 {
				text := violations[0].String()
				for _, part := range []string{"label (critical)", "#name", `<input id="name">`, "Fix any of"} {
					if !strings.Contains(text, part) {
						t.Errorf("the violation's text lacks %q:\n%s", part, text)
					}
				}
			}
		})
	}
}

func TestConsoleErrors(t *testing.T) {
	tests := map[string]struct{ script, want string }{
		"logged":           {`console.error("left", {a: 1}, 2)`, "console.error left Object 2"},
		"assertion":        {`console.assert(false, "not so")`, "not so"},
		"exception":        {`null.x`, "Cannot read properties of null"},
		"rejection":        {`Promise.reject(new Error("refused"))`, "refused"},
		"missing resource": {`document.head.append(Object.assign(new Image(), {src: "/missing.png"}))`, "404"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ctx := testkit.Browser(t)
			page := `<!doctype html><title>Errors</title><script>` + test.script + `</script>`
			open(t, ctx, serve(t, page, ""))
			got := testkit.ConsoleErrors(ctx)
			if len(got) != 1 || !strings.Contains(got[0], test.want) {
				t.Errorf("errors = %q, want one with %q", got, test.want)
			}
			if again := testkit.ConsoleErrors(ctx); len(again) != 0 {
				t.Errorf("errors taken twice: %q", again)
			}
		})
	}
}

// failing stands in for the test that a page's error should fail.
type failing struct {
	*testing.T
	cleanup []func()
	errors  []string
}

func (f *failing) Cleanup(fn func()) { f.cleanup = append(f.cleanup, fn) }

func (f *failing) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

func TestErrorsLeftInTheConsoleFailTheTest(t *testing.T) {
	inner := &failing{T: t}
	open(t, testkit.Browser(inner), serve(t, `<script>console.error("left")</script>`, ""))
	for _, fn := range slices.Backward(inner.cleanup) {
		fn()
	}
	if len(inner.errors) != 1 || !strings.Contains(inner.errors[0], "left") {
		t.Errorf("failures = %q, want one", inner.errors)
	}
}

func TestBrowserOptions(t *testing.T) {
	const script = `<!doctype html><meta name="viewport" content="width=device-width"><title>before</title>
		<script>document.title = "after"</script><noscript>off</noscript>`
	tests := map[string]struct {
		opts       []testkit.BrowserOption
		expression string
		want       string
	}{
		"JavaScript runs":     {nil, `document.title`, "after"},
		"NoJavaScript":        {[]testkit.BrowserOption{testkit.NoJavaScript()}, `document.title + document.body.innerText.trim()`, "beforeoff"},
		"the usual viewport":  {nil, `[innerWidth, innerHeight, devicePixelRatio].join()`, "1280,800,1"},
		"Viewport and Scale":  {[]testkit.BrowserOption{testkit.Viewport(320, 480), testkit.Scale(2)}, `[innerWidth, innerHeight, devicePixelRatio].join()`, "320,480,2"},
		"light":               {nil, `String(matchMedia("(prefers-color-scheme: dark)").matches)`, "false"},
		"Dark":                {[]testkit.BrowserOption{testkit.Dark()}, `String(matchMedia("(prefers-color-scheme: dark)").matches)`, "true"},
		"Touch":               {[]testkit.BrowserOption{testkit.Touch()}, `String(navigator.maxTouchPoints > 0 && matchMedia("(pointer: coarse)").matches)`, "true"},
		"Locale":              {[]testkit.BrowserOption{testkit.Locale("sv")}, `navigator.language`, "sv"},
		"Locale, in requests": {[]testkit.BrowserOption{testkit.Locale("sv")}, `fetch("/languages").then((r) => r.text())`, "sv"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ctx := testkit.Browser(t, test.opts...)
			open(t, ctx, serve(t, script, ""))
			got, err := chromedp.Run(ctx, chromedp.Evaluate[string](test.expression, chromedp.EvalAwaitPromise))
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("%s = %q, want %q", test.expression, got, test.want)
			}
		})
	}
}

func TestEveryVisitorIsNew(t *testing.T) {
	url := serve(t, goodPage, "")
	const visit = `(() => { const seen = localStorage.seen ?? "new"; localStorage.seen = "seen"; return seen })()`
	for range 2 {
		ctx := testkit.Browser(t)
		open(t, ctx, url)
		for _, want := range []string{"new", "seen"} {
			got, err := chromedp.Run(ctx, chromedp.Evaluate[string](visit))
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("the visitor is %s, want %s", got, want)
			}
		}
	}
}

func TestScreenshot(t *testing.T) {
	ctx := testkit.Browser(t, testkit.Viewport(300, 200), testkit.Scale(2))
	open(t, ctx, serve(t, goodPage, ""))
	path := filepath.Join(t.TempDir(), "pictures", "page.png")
	if err := testkit.Screenshot(ctx, path); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.DecodeConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if picture.Width != 600 || picture.Height != 400 {
		t.Errorf("the picture is %d by %d, want 600 by 400", picture.Width, picture.Height)
	}
}

// serve gives the URL of a page. /languages tells the request's languages.
func serve(t *testing.T, page, policy string) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if policy != "" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		fmt.Fprint(w, page)
	})
	mux.HandleFunc("GET /languages", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("Accept-Language"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func open(t *testing.T, ctx context.Context, url string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
}
