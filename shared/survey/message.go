package survey

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Message is what a touchpoint says in its messages beside the question. Each
// text may name variables, see [Variables]; one that is not stated is Pulssi's
// own.
type Message struct {
	Subject   Text `json:"subject,omitempty"`   // of the e-mail
	Preheader Text `json:"preheader,omitempty"` // what mail programs show after the subject
	Opening   Text `json:"opening,omitempty"`   // before the question, instead of the reason for asking
	News      Text `json:"news,omitempty"`      // what the company did with the last answers, or aims at
	SMS       Text `json:"sms,omitempty"`       // instead of the question, in an SMS
	// Reply is whether an SMS asks for a reply with a number instead of a
	// click on a link.
	Reply bool `json:"reply,omitempty"`
}

// Variables lists what a text of a message may name, in braces: {firstName},
// {company} (who asks), {about} (what the business event was about) and {date}
// (its day).
func Variables() []string { return []string{"firstName", "company", "about", "date"} }

var variable = regexp.MustCompile(`\s?\{([^{}]*)\}`)

// leading is a variable at the beginning of a text, with what parts it from the
// rest.
var leading = regexp.MustCompile(`^\{([^{}]*)\}[\s,:;!–-]*`)

// Fill returns a text of a message with its variables filled in. One without a
// value is left out with the white space before it: "Hei {firstName}," is
// "Hei," to somebody whose name is not known. At the beginning of the text it
// goes with what parts it from the rest: "{firstName}, how was it?" is "how was
// it?".
func Fill(text string, values map[string]string) string {
	for {
		first := leading.FindStringSubmatch(text)
		if first == nil || values[first[1]] != "" {
			break
		}
		text = text[len(first[0]):]
	}
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		space, name, _ := strings.Cut(found, "{")
		if v := values[strings.TrimSuffix(name, "}")]; v != "" {
			return space + v
		}
		return ""
	})
}

// Names returns the variables that a text names, in order.
func Names(text string) []string {
	var out []string
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

func (m *Message) validate(t *Touchpoint, text func(field string, v Text, required bool, limit int)) []error {
	if m == nil {
		return nil
	}
	var errs []error
	for _, f := range []struct {
		name  string
		text  Text
		limit int
	}{
		{"message.subject", m.Subject, MaxName}, {"message.preheader", m.Preheader, MaxName},
		{"message.opening", m.Opening, MaxText}, {"message.news", m.News, MaxText}, {"message.sms", m.SMS, MaxText},
	} {
		text(f.name, f.text, false, f.limit)
		for _, l := range slices.Sorted(maps.Keys(f.text)) {
			for _, v := range Names(f.text[l]) {
				if !slices.Contains(Variables(), v) {
					errs = append(errs, broken(fmt.Sprintf("%s.%s", f.name, l), "must name only {%s}, not {%s}", strings.Join(Variables(), "}, {"), v))
				}
			}
		}
	}
	if m.Reply && !slices.Contains(t.Channels, SMS) {
		errs = append(errs, broken("message.reply", "needs sms among channels"))
	}
	return errs
}
