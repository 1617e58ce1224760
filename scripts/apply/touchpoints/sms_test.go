package touchpoints

import (
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// A plan is refused where an SMS would be too long in some language.
func TestSMSMustFit(t *testing.T) {
	// "Muistutus: Kauppa: ", the text, and a space and a link of 85 characters
	// take 3 x 153 septets.
	const fits = 3*153 - 19 - 86
	for _, c := range []struct {
		name string
		edit func(*survey.Touchpoint)
		want string // of the error; "" for none
	}{
		{"at the edge", func(t *survey.Touchpoint) { t.Question["fi"] = strings.Repeat("ä", fits) }, ""},
		{"one more", func(t *survey.Touchpoint) { t.Question["fi"] = strings.Repeat("ä", fits+1) },
			"shop: the SMS in fi takes 4 parts (460 units of gsm-7), and at most 3 are sent: shorten message.sms, or the question where there is none"},
		{"in the second language", func(t *survey.Touchpoint) { t.Question["sv"] = strings.Repeat("š", 100) }, "shop: the SMS in sv takes 4 parts (206 units of ucs-2)"},
		{"another text", func(t *survey.Touchpoint) {
			t.Question["fi"] = strings.Repeat("ä", fits+1)
			t.Message = &survey.Message{SMS: survey.Text{"fi": "Suosittelisitko, {firstName}?"}}
		}, ""},
		{"not by SMS", func(t *survey.Touchpoint) {
			t.Channels, t.Question["fi"] = []survey.Channel{survey.Email}, strings.Repeat("ä", fits+1)
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tp := &survey.Touchpoint{
				ID: "shop", Phase: survey.After, Metric: survey.NPS, Locales: []string{"fi", "sv"}, Channels: []survey.Channel{survey.SMS},
				Name: survey.Text{"fi": "Kauppa"}, Question: survey.Text{"fi": "Suosittelisitko?", "sv": "Skulle du rekommendera?"},
			}
			c.edit(tp)
			file := File{Touchpoints: []*survey.Touchpoint{tp}}
			rules := survey.Rules{Company: "Kauppa"}
			for _, stated := range []bool{false, true} { // who asks is stated by the file, or stored
				stored := Stored{Rules: survey.DefaultRules()}
				if file.Asking = nil; stated {
					file.Asking = &rules
				} else {
					stored.Rules = rules.Complete()
				}
				_, err := NewPlan(file, stored, nil, time.Now())
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
					t.Errorf("%v, want %q", err, c.want)
				}
			}
		})
	}
}
