package message

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/pulssi/pulssi/shared/web"
)

//go:embed texts/fi.json texts/sv.json texts/en.json
var textFiles embed.FS

// fallback is the language of those whose own Pulssi does not speak.
const fallback = "en"

// texts is what Pulssi says in messages in one language. Variables are those
// of [survey.Variables]; some have further ones, which their comments name.
type texts struct {
	Subject   string            `json:"subject"`
	Reminder  string            `json:"reminder"` // {subject}
	Preheader string            `json:"preheader"`
	Greeting  string            `json:"greeting"`
	Remind    string            `json:"remind"`
	Reasons   map[string]string `json:"reasons"` // for asking, by the event's type, with "/about" where that is known
	Hint      string            `json:"hint"`
	Thanks    string            `json:"thanks"`
	Signature string            `json:"signature"`
	Why       string            `json:"why"`
	// Unsubscribe is of a link, Plain of the e-mail's text part.
	Unsubscribe string `json:"unsubscribe"`
	Plain       struct {
		Answer      string `json:"answer"`
		Unsubscribe string `json:"unsubscribe"`
	} `json:"plain"`
	SMS struct {
		Ask   string `json:"ask"`   // {company} {question} {link}
		Reply string `json:"reply"` // {company} {question} {ends} {low} {high}
	} `json:"sms"`
}

var all = sync.OnceValue(func() map[string]*texts {
	out := map[string]*texts{}
	for _, l := range web.Locales() {
		b, err := textFiles.ReadFile("texts/" + l + ".json")
		if err == nil {
			d := json.NewDecoder(bytes.NewReader(b))
			d.DisallowUnknownFields()
			out[l] = &texts{}
			err = d.Decode(out[l])
		}
		if err != nil {
			panic(fmt.Sprintf("message: texts of %s: %v", l, err)) // embedded: a test has read them before
		}
	}
	return out
})

func in(lang string) *texts { return all()[lang] }

func known(lang string) bool { return slices.Contains(web.Locales(), lang) }
