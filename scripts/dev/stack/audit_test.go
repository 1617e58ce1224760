package stack

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/pulssi/pulssi/shared/survey"
)

// recorded puts n entries of an operator into the audit log, a minute apart from
// yesterday on, and returns the last.
func (s *settings) recorded(n int) survey.AuditEntry {
	s.Helper()
	var e survey.AuditEntry
	for i := range n {
		at := s.Clock.Now().AddDate(0, 0, -1).Truncate(time.Minute).Add(time.Duration(i) * time.Minute)
		var err error
		if e, err = survey.NewAuditEntry("user/maija", survey.Operator, survey.Redrive, "asks-failed", map[string]int{"messages": i + 1}, nil, at); err != nil {
			s.Fatal(err)
		}
		if err := s.Store.Record(s.Context(), e); err != nil {
			s.Fatal(err)
		}
	}
	return e
}

// fits fails the test where a page is wider than a phone or a desk, or breaks a
// rule of WCAG there.
func (s *settings) fits(what string) {
	s.Helper()
	for _, width := range widths {
		if err := chromedp.Do(s.browser, chromedp.EmulateViewport(width, 800)); err != nil {
			s.Fatal(err)
		}
		s.accessible(fmt.Sprintf("%s at %d px", what, width))
		if wide, err := chromedp.Run(s.browser, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); err != nil || wide > width {
			s.Errorf("%s at %d px is %d px wide, %v", what, width, wide, err)
		}
	}
}

// TestTheAuditLogInTheDashboard reads the log as an admin does, with the
// keyboard: what was changed, page by page, by action and by subject.
func TestTheAuditLogInTheDashboard(t *testing.T) {
	s := newSettings(t)
	s.as("admin")
	s.visit("/dashboard/settings")
	s.until("document.querySelector('a[href=\"/dashboard/audit\"]')")
	s.run("document.querySelector('a[href=\"/dashboard/audit\"]').click()")
	s.until("document.querySelector('.blank')?.textContent.includes('Lokissa ei ole vielä mitään')")
	s.fits("an empty log")

	// What is done in the dashboard is in the log, with what it was before.
	s.visit("/dashboard/settings/shop-nps")
	s.write("field-goal", "55,5")
	s.says("Sarja jatkuu")
	s.save()
	s.says("Tallennettu.")
	last := s.recorded(60)
	s.visit("/dashboard/audit")
	s.until("document.querySelectorAll('.audit tbody tr').length === 50")
	s.until("document.querySelector('.audit tbody tr').textContent.includes('Sinä')")
	s.run("document.querySelector('.audit summary').focus()")
	s.keys(kb.Enter)
	s.until("document.querySelector('.audit details[open] dl').innerText.includes('goal')")
	s.until(`[...[...document.querySelectorAll(".audit details[open] dt")].find((dt) => dt.textContent === "goal").nextElementSibling.querySelectorAll("code")].map((x) => x.textContent).join() === "50,55.5"`)
	s.fits("the log")

	s.run("document.querySelector('.pages a:last-child').focus()")
	s.keys(kb.Enter)
	s.until("location.search.includes('cursor=') && document.querySelectorAll('.audit tbody tr').length === 11")
	s.until("document.querySelectorAll('.pages a').length === 1")

	// Another filter begins with its first page.
	s.run("const a = document.getElementById('audit-action'); a.value = 'touchpoint.put'; a.dispatchEvent(new Event('change', {bubbles: true}))")
	s.until("location.search === '?action=touchpoint.put' && document.querySelectorAll('.audit tbody tr').length === 1")
	s.write("audit-subject", "other")
	s.keys(kb.Enter)
	s.until("document.querySelector('.blank')?.textContent.includes('Mitään ei löytynyt')")
	s.fits("nothing of a subject")

	// What failed and what was begun of it lead to each other on a page; where
	// there is the failure alone, it names the other one.
	failed, elsewhere := last.Failure(last.At.Add(time.Minute)), last.Failure(last.At.Add(2*time.Minute))
	elsewhere.Of = survey.NewID()
	for _, e := range []survey.AuditEntry{failed, elsewhere} {
		if err := s.Store.Record(s.Context(), e); err != nil {
			s.Fatal(err)
		}
	}
	s.visit("/dashboard/audit?subject=asks-failed")
	row := func(e survey.AuditEntry) string { return fmt.Sprintf("document.getElementById(%q)", e.ID) }
	s.until(row(elsewhere) + "?.innerText.includes('Aloitus on merkinnässä " + elsewhere.Of + "')")
	s.until(row(last) + ".innerText.includes('Epäonnistui')")
	s.until("document.querySelectorAll('.audit .failed').length === 3")
	for _, to := range [][2]survey.AuditEntry{{failed, last}, {last, failed}} {
		s.run(fmt.Sprintf("%s.querySelector('a[href=\"#%s\"]').focus()", row(to[0]), to[1].ID))
		s.keys(kb.Enter)
		s.until(row(to[1]) + ".matches(':target')")
	}
	s.fits("a failure")

	// It is for nobody else.
	s.as("agent")
	s.visit("/dashboard/settings")
	s.until("document.querySelector('.touchpoints')")
	s.until("!document.querySelector('a[href=\"/dashboard/audit\"]')")
	s.visit("/dashboard/audit")
	s.until("document.querySelector('.trouble')?.textContent.includes('Sivua ei löydy')")
}
