package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/pulssi/pulssi/shared/survey"
)

//go:embed texts/fi.json texts/sv.json texts/en.json
var textFiles embed.FS

// Locales lists the languages that every text of Pulssi's own exists in, the
// last being the one that stands in for all others.
func Locales() []string { return []string{"fi", "sv", "en"} }

var texts = map[string]func() *Texts{
	"fi": sync.OnceValue(func() *Texts { return mustReadTexts("fi") }),
	"sv": sync.OnceValue(func() *Texts { return mustReadTexts("sv") }),
	"en": sync.OnceValue(func() *Texts { return mustReadTexts("en") }),
}

// In returns the texts in the language of a locale, and in English where
// there are none. They are read when first asked for.
func In(locale string) *Texts {
	if t, ok := texts[survey.Language(locale)]; ok {
		return t()
	}
	return texts["en"]()
}

// mustReadTexts reads an embedded file, which a test has read before.
func mustReadTexts(locale string) *Texts {
	b, err := textFiles.ReadFile("texts/" + locale + ".json")
	if err == nil {
		var t *Texts
		if t, err = readTexts(b); err == nil {
			return t
		}
	}
	panic(fmt.Sprintf("web: texts of %s: %v", locale, err))
}

func readTexts(b []byte) (*Texts, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	t := &Texts{}
	return t, d.Decode(t)
}

// Texts is every text in one language.
type Texts struct {
	// Metrics are the texts about answers, by metric.
	Metrics map[survey.Metric]MetricTexts `json:"metrics"`
	// Popup are the popup's own texts.
	Popup PopupTexts `json:"popup"`
	// Errors say what went wrong, by code.
	Errors map[survey.Code]string `json:"errors"`
	// Page is on the answer page.
	Page PageTexts `json:"page"`
	// Unsubscribe is on the page that ends the questions.
	Unsubscribe UnsubscribeTexts `json:"unsubscribe"`
}

// MetricTexts are the texts about the answers of one metric.
type MetricTexts struct {
	Low      string                     `json:"low"`      // label of the lowest answer
	High     string                     `json:"high"`     // label of the highest
	Answers  []string                   `json:"answers"`  // name of each answer for those who hear the page, from the lowest on
	Followup map[survey.Category]string `json:"followup"` // what is asked next
}

// PopupTexts are the texts of the popup beside those about answers.
type PopupTexts struct {
	Thanks string `json:"thanks"` // after the answer, where the touchpoint has none
	Send   string `json:"send"`   // of the button that ends the comment
	Close  string `json:"close"`  // of the button that closes the popup
	More   string `json:"more"`   // of the link after the thanks
}
