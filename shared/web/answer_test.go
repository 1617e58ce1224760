package web

import (
	"strings"
	"testing"

	"github.com/pulssi/pulssi/shared/survey"
)

func TestDirection(t *testing.T) {
	for locale, want := range map[string]string{
		"fi": "ltr", "sv-FI": "ltr", "en": "ltr", "": "ltr", "arn": "ltr",
		"ar": "rtl", "ar-EG": "rtl", "he": "rtl", "ckb": "rtl",
	} {
		if got := Direction(locale); got != want {
			t.Errorf("%q is written %s, want %s", locale, got, want)
		}
	}
}

// An example differs from the page itself in what could send anything.
func TestAnExampleSendsNothing(t *testing.T) {
	p := AnswerPage{
		Touchpoint: &survey.Touchpoint{ID: "shop", Metric: survey.NPS, Locales: []string{"fi"}, Question: survey.Text{"fi": "Suosittelisitko?"}},
		Locale:     "fi", Score: new(9), Action: "/t/shop",
	}
	page := p.HTML()
	p.Example = true
	example := p.HTML()
	policy := `<meta http-equiv="content-security-policy" content="` + examplePolicy + `">`
	if strings.Count(example, policy) != 1 || strings.Contains(example, "<script") || !strings.Contains(examplePolicy, "default-src 'none'") || !strings.Contains(examplePolicy, "form-action 'none'") {
		t.Errorf("the example is %s", example)
	}
	before, script, _ := strings.Cut(page, `<script type="application/json"`)
	if script == "" || strings.Replace(example, policy, "", 1) != before+"</body></html>" {
		t.Errorf("beside the script they differ:\n%s\n%s", page, example)
	}
}
