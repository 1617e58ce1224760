package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/domsnapshot"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/pulssi/pulssi/shared/testkit"
)

const settled = `
locales: [fi, sv]
touchpoints:
  - id: shop-nps
    phase: after
    metric: nps
    channels: [email, widget, link]
    name: {fi: Ostos, sv: Köp}
    question: {fi: "Suosittelisitko meitä?", sv: "Skulle du rekommendera oss?"}
    goal: 50
    trigger: {event: purchase.completed, delay: 7d, when: [{field: total, min: 10}]}
`

// settings is the dashboard in a browser. Requests are made by who has signed
// in, whose token is their groups.
type settings struct {
	*testing.T
	*Stack
	site    *httptest.Server
	browser context.Context
	frames  map[target.ID]context.Context
}

func newSettings(t *testing.T) *settings {
	t.Helper()
	s := shared(t, Options{Touchpoints: []byte(settled)})
	site := httptest.NewServer(apart(t, s).api(func(r *http.Request) (map[string]string, error) {
		groups := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		return map[string]string{"sub": "u1", "cognito:groups": "[" + groups + "]"}, nil
	}))
	t.Cleanup(site.Close)
	return &settings{t, s, site, testkit.Browser(t, testkit.Locale("fi"), testkit.Deadline(browsing)), map[target.ID]context.Context{}}
}

// as signs in as somebody in a group.
func (s *settings) as(group string) {
	s.Helper()
	open(s.browser, s.T, s.site.URL+"/dashboard/config.json") // of the site, and nothing runs in it
	session, err := json.Marshal(map[string]any{"access": group, "refresh": "", "expires": time.Now().AddDate(1, 0, 0).UnixMilli(), "name": "Aino"})
	if err != nil {
		s.Fatal(err)
	}
	s.run(fmt.Sprintf(`sessionStorage.setItem("pulssi.session", %q)`, session))
}

// visit opens a page of the dashboard.
func (s *settings) visit(path string) {
	s.Helper()
	open(s.browser, s.T, s.site.URL+path)
}

func (s *settings) run(script string) {
	s.Helper()
	if err := chromedp.Do(s.browser, chromedp.Evaluate[chromedp.Void](script)); err != nil {
		s.Fatalf("%s: %v", script, err)
	}
}

func (s *settings) keys(keys string) {
	s.Helper()
	if err := chromedp.Do(s.browser, chromedp.KeyEvent(keys)); err != nil {
		s.Fatal(err)
	}
}

// until waits for an expression to hold in the page.
func (s *settings) until(expression string) {
	s.Helper()
	eventually(s.T, expression, func() bool {
		holds, err := chromedp.Run(s.browser, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err != nil {
			s.Fatal(err)
		}
		return holds
	})
}

// write writes a text into a field by the keyboard, in place of what is there.
func (s *settings) write(field, text string) {
	s.Helper()
	s.until(fmt.Sprintf("document.getElementById(%q)", field))
	s.run(fmt.Sprintf("document.getElementById(%q).select(); document.getElementById(%[1]q).focus()", field))
	s.keys(kb.Backspace + text)
}

// save presses the button by the keyboard.
func (s *settings) save() {
	s.Helper()
	s.run("document.getElementById('save').focus()")
	s.keys(kb.Enter)
}

// says waits for the bar below the form to say something.
func (s *settings) says(words string) {
	s.Helper()
	s.until(fmt.Sprintf("document.getElementById('said')?.textContent.includes(%q)", words))
}

// previewed waits for a preview that asks the question as it was changed.
func (s *settings) previewed(kind string) {
	s.Helper()
	const words = "Suosittelisitko kauppaamme?"
	s.run(fmt.Sprintf("document.getElementById('preview-%s').click()", kind))
	found := false
	read := chromedp.Func(func(ctx context.Context, frame *chromedp.Target) error {
		shown, err := cdp.Call(ctx, frame, domsnapshot.CaptureSnapshot, domsnapshot.CaptureSnapshotParams{ComputedStyles: []string{}})
		found = found || slices.ContainsFunc(shown.Strings, func(text string) bool { return strings.TrimSpace(text) == words })
		return err
	})
	eventually(s.T, kind+" with "+words, func() bool {
		targets, err := chromedp.Targets(s.browser)
		if err != nil {
			s.Fatal(err)
		}
		for _, to := range targets {
			if to.Type != "iframe" {
				continue
			}
			frame, ok := s.frames[to.TargetID]
			if !ok {
				// To leave it again would close it: it is left with its page.
				frame, _ = chromedp.NewContext(s.browser, chromedp.WithTargetID(to.TargetID))
				s.frames[to.TargetID] = frame
			}
			_ = chromedp.Do(frame, read) // one that has gone meanwhile reads nothing
		}
		return found
	})
}

func (s *settings) accessible(what string) {
	s.Helper()
	for _, scheme := range []string{"light", "dark"} {
		if err := chromedp.Do(s.browser, chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
			_, err := cdp.Call(ctx, page, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
			})
			return err
		})); err != nil {
			s.Fatal(err)
		}
		violations, err := testkit.Axe(s.browser)
		if err != nil {
			s.Fatal(err)
		}
		for _, v := range violations {
			s.Errorf("%s, %s: %s", what, scheme, v)
		}
	}
}

// TestSettingsOfATouchpoint changes a touchpoint as an admin does, with the
// keyboard, and looks at it as a viewer does.
func TestSettingsOfATouchpoint(t *testing.T) {
	s := newSettings(t)
	s.as("admin")
	s.visit("/dashboard/settings/shop-nps")

	// What does not change the question goes on in the same series.
	s.write("field-name-fi", "Ostoksen jälkeen")
	s.says("Sarja jatkuu")
	s.accessible("a draft")
	s.save()
	s.says("Tallennettu.")
	s.run("document.querySelector('nav a').click()")
	s.until("[...document.querySelectorAll('main a')].some((a) => a.textContent.includes('Ostoksen jälkeen'))")

	// A bad value is told at its field, and the summary leads to it.
	s.visit("/dashboard/settings/shop-nps")
	s.write("field-goal", "101")
	s.until("document.getElementById('field-goal').getAttribute('aria-invalid') === 'true'")
	s.until("document.getElementById('field-goal-wrong').textContent.includes('−100…100')")
	s.save()
	s.until("document.activeElement.id === 'problems'")
	s.accessible("a bad value")
	s.keys(kb.Tab + kb.Enter)
	s.until("document.activeElement.id === 'field-goal'")
	s.write("field-goal", "55,5")
	s.until("!document.getElementById('field-goal-wrong')")

	// Another question is another series, after a word.
	s.write("field-question-fi", "Suosittelisitko kauppaamme?")
	s.says("Uusi sarja 2 alkaa, koska kysymys muuttuu (suomi)")
	s.previewed("email")
	s.previewed("page")
	s.previewed("widget")
	s.save()
	s.until("document.querySelector('dialog[open]')?.textContent.includes('kysymys muuttuu (suomi)')")
	s.accessible("the question whether to begin a series")
	s.keys(kb.Tab + kb.Enter)
	s.says("Sarja 2 alkoi")
	stored, err := s.Store.Touchpoint(t.Context(), "shop-nps")
	if err != nil {
		t.Fatal(err)
	}
	if g := stored.Trigger; stored.Series != 2 || *stored.Goal != 55.5 || stored.Name["fi"] != "Ostoksen jälkeen" || len(g.When) != 1 || *g.When[0].Min != 10 {
		t.Errorf("stored: %+v with the trigger %+v", stored, g)
	}

	// What another admin saves meanwhile is told, and mine is kept.
	s.write("field-name-sv", "Efter köpet")
	s.says("Sarja jatkuu")
	theirs := *stored
	theirs.Version, theirs.Stopped = stored.Version+1, true
	if err := s.Store.PutTouchpoint(t.Context(), stored, &theirs); err != nil {
		t.Fatal(err)
	}
	s.until("document.getElementById('mine')")
	s.run("document.getElementById('mine').click()")
	s.says("Sarja jatkuu")
	s.save()
	s.says("Tallennettu.")
	if stored, err = s.Store.Touchpoint(t.Context(), "shop-nps"); err != nil || !stored.Stopped || stored.Name["sv"] != "Efter köpet" {
		t.Errorf("stored: %+v, %v", stored, err)
	}

	// Who leaves is asked, and finds the draft again.
	s.write("field-name-sv", "Köpet")
	s.says("Sarja jatkuu")
	s.run("document.querySelector('.back a').click()")
	s.until("document.querySelector('dialog[open]')")
	s.run("document.querySelector('dialog[open] button:nth-child(2)').click()")
	s.until("location.pathname === '/dashboard/settings' && document.querySelector('.stopped')")
	s.accessible("the list")
	s.run("document.querySelector('.touchpoints a').click()")
	s.until("document.getElementById('field-name-sv')?.value === 'Köpet'")
	s.run("document.getElementById('discard').click()")
	s.says("Ei muutoksia.")

	// A new one begins with the question of its metric.
	s.run("document.querySelector('.back a').click()")
	s.until("document.getElementById('new-touchpoint')")
	s.run("document.getElementById('new-touchpoint').click()")
	s.write("new-name", "Myymälä")
	s.write("new-id", "store-thumbs")
	s.run("const m = document.getElementById('new-metric'); m.value = 'thumbs'; m.dispatchEvent(new Event('change', {bubbles: true}))")
	s.run("document.getElementById('new-id').focus()")
	s.keys(kb.Enter)
	s.says("ensimmäinen sarja alkaa")
	s.save()
	s.says("Tallennettu.")
	if stored, err = s.Store.Touchpoint(t.Context(), "store-thumbs"); err != nil || stored.Metric != "thumbs" || stored.Question["sv"] != "Hittade du det du sökte?" {
		t.Errorf("stored: %+v, %v", stored, err)
	}

	// Who may not change it sees it.
	s.as("viewer")
	s.visit("/dashboard/settings/shop-nps")
	s.until("document.getElementById('field-goal')?.value === '55,5' && document.getElementById('field-goal').matches(':disabled')")
	s.until("document.querySelector('main .note').textContent.includes('vain ylläpitäjä')")
	if left, err := chromedp.Run(s.browser, chromedp.Evaluate[int](`document.querySelectorAll("#save, #discard, main form :enabled:is(input, select, textarea, button)").length`)); err != nil || left != 0 {
		t.Errorf("a viewer can press %d things, %v", left, err)
	}
	s.previewed("widget")
	s.accessible("a viewer's")
}
