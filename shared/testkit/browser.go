package testkit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/pulssi/pulssi/shared/testkit/checkout"
	"github.com/pulssi/pulssi/shared/testkit/internal/tether"
)

var (
	errNoChromium = errors.New("no Chromium found: run `make setup`")
	errNoAxe      = errors.New("axe-core is not installed: run `make setup`")
)

type browserOptions struct {
	width, height int64
	scale         float64
	touch         bool
	dark          bool
	noScript      bool
	locale        string
	deadline      time.Duration
}

// A BrowserOption changes what [Browser] gives.
type BrowserOption func(*browserOptions)

// Viewport sets the window's inner size in CSS pixels; 1280 by 800 if not given.
func Viewport(width, height int64) BrowserOption {
	return func(o *browserOptions) { o.width, o.height = width, height }
}

// Scale sets how many device pixels make a CSS pixel; 1 if not given.
func Scale(factor float64) BrowserOption {
	return func(o *browserOptions) { o.scale = factor }
}

// Touch makes the device a phone or tablet: it has a touch screen, for
// [chromedp.Tap], and follows the page's viewport tag.
func Touch() BrowserOption {
	return func(o *browserOptions) { o.touch = true }
}

// Dark makes the visitor prefer a dark colour scheme.
func Dark() BrowserOption {
	return func(o *browserOptions) { o.dark = true }
}

// NoJavaScript keeps the page's scripts from running. Actions that evaluate
// JavaScript still work, unless they wait for a timer; [Axe] works.
func NoJavaScript() BrowserOption {
	return func(o *browserOptions) { o.noScript = true }
}

// Locale sets the visitor's language, such as "fi", for scripts and in requests.
func Locale(tag string) BrowserOption {
	return func(o *browserOptions) { o.locale = tag }
}

// Deadline sets how long the context lasts; one minute if not given.
func Deadline(d time.Duration) BrowserOption {
	return func(o *browserOptions) { o.deadline = d }
}

// Browser returns a chromedp context with an empty page in headless Chromium.
// All calls in a process share one Chromium, but each has storage and cookies of
// its own, as a new visitor has. The page closes when the test ends.
//
// The test fails at its end if the page logged errors that [ConsoleErrors] did
// not take, and at once if Chromium is missing.
func Browser(t testing.TB, opts ...BrowserOption) context.Context {
	t.Helper()
	o := browserOptions{width: 1280, height: 800, scale: 1, deadline: time.Minute}
	for _, option := range opts {
		option(&o)
	}
	browser, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	page, closePage := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(closePage)
	v := &visit{noScript: o.noScript}
	ctx, cancel := context.WithTimeout(context.WithValue(page, visitKey{}, v), o.deadline)
	t.Cleanup(cancel)
	if err := chromedp.Listen(ctx, v.listen); err != nil {
		t.Fatalf("open a page in Chromium: %v", err)
	}
	if err := chromedp.Do(ctx, o.emulate()); err != nil {
		t.Fatalf("set the page up: %v", err)
	}
	t.Cleanup(func() {
		for _, text := range ConsoleErrors(ctx) {
			t.Errorf("in the browser's console: %s", text)
		}
	})
	return ctx
}

func (o *browserOptions) emulate() chromedp.Action[chromedp.Void] {
	metrics := []chromedp.EmulateViewportOption{chromedp.EmulateScale(o.scale)}
	if o.touch {
		metrics = append(metrics, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	return chromedp.Steps(
		chromedp.EmulateViewport(o.width, o.height, metrics...),
		chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
			if o.dark {
				dark := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}
				if _, err := cdp.Call(ctx, page, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: dark}); err != nil {
					return err
				}
			}
			if o.locale != "" {
				agent, err := chromedp.Evaluate[string]("navigator.userAgent")(ctx, page)
				if err != nil {
					return err
				}
				if _, err := cdp.Call(ctx, page, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent, AcceptLanguage: o.locale}); err != nil {
					return err
				}
			}
			return nil
		}),
		disableScript(o.noScript),
	)
}

func disableScript(disabled bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		_, err := cdp.Call(ctx, page, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: disabled})
		return err
	})
}

// ConsoleErrors takes what the page of a [Browser] context has logged as errors
// since the last call, oldest first: console.error, failed assertions, exceptions
// and rejections that nothing caught, and the browser's own errors, such as a
// blocked resource or an answer of 404. The icon that Chromium asks for by itself
// does not count.
func ConsoleErrors(ctx context.Context) []string {
	v, ok := ctx.Value(visitKey{}).(*visit)
	if !ok {
		return nil
	}
	// An answer comes after the events that Chromium sent before it. Without an
	// answer, the page is gone, and what it logged has come.
	_, _ = chromedp.Run(ctx, chromedp.Evaluate[int]("0"))
	return v.take()
}

type visitKey struct{}

// A visit is what a context of [Browser] carries besides the page.
type visit struct {
	noScript bool

	mu     sync.Mutex
	errors []string
}

func (v *visit) take() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	taken := v.errors
	v.errors = nil
	return taken
}

func (v *visit) listen(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			text = consoleText(e.Args)
		}
	case *runtime.EventExceptionThrown:
		text = (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error()
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !strings.HasSuffix(e.Entry.URL, "/favicon.ico") {
			text = strings.TrimSpace(e.Entry.Text + " " + e.Entry.URL)
		}
	}
	if text == "" {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.errors = append(v.errors, text)
}

func consoleText(args []*runtime.RemoteObject) string {
	words := []string{"console.error"}
	for _, arg := range args {
		words = append(words, cmp.Or(arg.Description, strings.Trim(string(arg.Value), `"`), string(arg.Type)))
	}
	return strings.Join(words, " ")
}

// Screenshot writes what the page's viewport shows to a PNG file, for a person to
// look at. It makes the file's folder.
func Screenshot(ctx context.Context, path string) error {
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return fmt.Errorf("screenshot: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("screenshot: %w", err)
	}
	if err := os.WriteFile(path, png, 0o644); err != nil {
		return fmt.Errorf("screenshot: %w", err)
	}
	return nil
}

// A Violation is one accessibility rule that a page breaks.
type Violation struct {
	Rule   string  `json:"id"`
	Impact string  `json:"impact"` // minor, moderate, serious or critical
	Help   string  `json:"help"`
	Places []Place `json:"nodes"`
}

// A Place is one element that breaks a rule.
type Place struct {
	Selector string `json:"target"`
	HTML     string `json:"html"`
	Summary  string `json:"failureSummary"` // what would mend it
}

// String returns the rule and every place, for a test's message.
func (v Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s", v.Rule, v.Impact, v.Help)
	for _, p := range v.Places {
		fmt.Fprintf(&b, "\n  %s\n    %s\n    %s", p.Selector, p.HTML, strings.ReplaceAll(p.Summary, "\n", "\n    "))
	}
	return b.String()
}

// runAxe turns axe's result into []Violation. A target inside a shadow root is a
// list of selectors, from the outermost host inwards.
const runAxe = `axe.run(document, {
	iframes: false,
	resultTypes: ["violations"],
	runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
}).then(({violations}) => violations.map((v) => ({
	...v,
	nodes: v.nodes.map((n) => ({...n, target: n.target.flat().join(" ")})),
})))`

// Axe checks the page against the rules of WCAG 2.0, 2.1 and 2.2, levels A and AA,
// that a program can check, and returns what breaks them. It works under any
// Content-Security-Policy, looks into open shadow roots, and does not look into
// frames. It fails when axe-core is missing or the page is closed.
func Axe(ctx context.Context) ([]Violation, error) {
	source, err := axeSource()
	if err != nil {
		return nil, err
	}
	// Axe waits by timers. Scripts that the page lost by NoJavaScript stay lost.
	v, _ := ctx.Value(visitKey{}).(*visit)
	noScript := v != nil && v.noScript
	there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`"axe" in globalThis`)) // from an earlier look at this page
	if err == nil && !there {
		err = chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](source))
	}
	if err := cmp.Or(err, chromedp.Do(ctx, disableScript(false))); err != nil {
		return nil, fmt.Errorf("load axe: %w", err)
	}
	violations, err := chromedp.Run(ctx, chromedp.Evaluate[[]Violation](runAxe, chromedp.EvalAwaitPromise))
	if err := cmp.Or(err, chromedp.Do(ctx, disableScript(noScript))); err != nil {
		return nil, fmt.Errorf("run axe: %w", err)
	}
	return violations, nil
}

var axeSource = sync.OnceValues(func() (string, error) {
	root, err := checkout.Root()
	if err != nil {
		return "", fmt.Errorf("%w (%w)", errNoAxe, err)
	}
	source, err := os.ReadFile(filepath.Join(root, "scripts", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		return "", fmt.Errorf("%w (%w)", errNoAxe, err)
	}
	return string(source), nil
})

// chromium starts the browser of this process and returns its context. The
// browser ends, and its profile is removed, when the process ends.
var chromium = sync.OnceValues(func() (context.Context, error) {
	path, err := chromiumPath()
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "pulssi-chromium-")
	if err != nil {
		return nil, fmt.Errorf("start Chromium: %w", err)
	}
	var tieErr error
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), slices.Concat(
		chromedp.DefaultExecAllocatorOptions[:], // headless, no first run, no background networking or sync; no sandbox for root
		[]chromedp.ExecAllocatorOption{
			chromedp.ExecPath(path),
			chromedp.UserDataDir(profile),
			chromedp.DisableGPU,
			chromedp.Flag("disable-quic", true),
			chromedp.Flag("disable-component-update", true),
			chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) { _, tieErr = tether.Tie(cmd, profile) }),
		},
	)...)
	ctx, _ := chromedp.NewContext(allocator)
	if err := cmp.Or(chromedp.Do(ctx), tieErr); err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("start Chromium at %s: %w", path, err), os.RemoveAll(profile))
	}
	return ctx, nil
})

func chromiumPath() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return "", fmt.Errorf("CHROMIUM: %w", err)
		}
		return found, nil
	}
	for _, name := range []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"/Applications/Chromium.app/Contents/MacOS/Chromium",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoChromium
}
