package survey

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Every text of a message has its limit, on either side of the edge.
func TestMessageLimits(t *testing.T) {
	for _, f := range []struct {
		field string
		set   func(*Message, Text)
		limit int
	}{
		{"message.subject.fi", func(m *Message, v Text) { m.Subject = v }, MaxName},
		{"message.preheader.fi", func(m *Message, v Text) { m.Preheader = v }, MaxName},
		{"message.opening.fi", func(m *Message, v Text) { m.Opening = v }, MaxText},
		{"message.news.fi", func(m *Message, v Text) { m.News = v }, MaxText},
		{"message.sms.fi", func(m *Message, v Text) { m.SMS = v }, MaxText},
	} {
		for text, want := range map[string]string{
			strings.Repeat("ä", f.limit):   "",
			strings.Repeat("ä", f.limit+1): "at most",
			" \n":                          "must not be empty",
			"a\ab":                         "must not contain control characters",
			"a\xff":                        "must be UTF-8",
			"Hei {firstName}":              "",
			"Hei {etunimi}":                "must name only {firstName}, {company}, {about}, {date}, not {etunimi}",
			"Hei { firstName}":             "not { firstName}",
			"Hei {}":                       "not {}",
		} {
			tp := good()
			tp.Message = &Message{}
			f.set(tp.Message, Text{"fi": text})
			wantOne(t, tp, f.field, want)
		}
	}
}

func TestMessageRules(t *testing.T) {
	for _, c := range []struct {
		name           string
		edit           func(*Touchpoint)
		field, message string
	}{
		{"nothing", func(t *Touchpoint) { t.Message = &Message{} }, "", ""},
		{"every variable in every language", func(t *Touchpoint) {
			t.Message = &Message{Opening: Text{"fi": "{firstName} {company} {about} {date}", "sv-FI": "{date}{date}"}}
		}, "", ""},
		{"a language that is not listed", func(t *Touchpoint) { t.Message = &Message{News: Text{"en": "So we did."}} }, "message.news.en", "is in a language that locales does not list"},
		{"an unknown variable in the second language", func(t *Touchpoint) {
			t.Message = &Message{SMS: Text{"fi": "{company}", "sv-FI": "{company} {lastName}"}}
		}, "message.sms.sv-FI", "not {lastName}"},
		{"reply with sms", func(t *Touchpoint) { t.Channels, t.Message = []Channel{SMS}, &Message{Reply: true} }, "", ""},
		{"reply without sms", func(t *Touchpoint) { t.Message = &Message{Reply: true} }, "message.reply", "message.reply needs sms among channels"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tp := good()
			c.edit(tp)
			wantOne(t, tp, c.field, c.message)
		})
	}
}

// wantOne wants Validate to have one error, of that field and with that in its
// message; none where the message is "".
func wantOne(t *testing.T, tp *Touchpoint, field, message string) {
	t.Helper()
	err := tp.Validate()
	e, _ := errors.AsType[*Error](err)
	switch {
	case message == "" && err != nil:
		t.Errorf("%+v: %v", *tp.Message, err)
	case message != "" && (e == nil || e.Code != Invalid || e.Field != field || !strings.Contains(e.Message, message) || strings.Contains(err.Error(), "\n")):
		t.Errorf("%+v: %v, want one error of %s: %s", *tp.Message, err, field, message)
	}
}

func TestFill(t *testing.T) {
	values := map[string]string{"firstName": "Maija", "company": "Kauppa {about}", "about": ""}
	for text, want := range map[string]string{
		"":                               "",
		"Hei {firstName},":               "Hei Maija,",
		"Hei {date},":                    "Hei,",  // the space before it goes too
		"Hei  {date},":                   "Hei ,", // but one
		"Hei\n{date}!":                   "Hei!",
		"{date} oli hyvä":                "oli hyvä", // at the beginning, what comes after it
		"{date}, {about}: miten sujui?":  "miten sujui?",
		"{date}":                         "",
		"({about})":                      "()",
		"{firstName}{firstName}":         "MaijaMaija",
		"{company}":                      "Kauppa {about}", // a value is no text
		"{unknown}x":                     "x",
		"{firstName":                     "{firstName",
		"firstName}":                     "firstName}",
		"{{firstName}}":                  "{Maija}",
		"Ostit {about} meiltä {date}.":   "Ostit meiltä.",
		"{firstName}, miten {about} on?": "Maija, miten on?",
	} {
		if got := Fill(text, values); got != want {
			t.Errorf("Fill(%q) is %q, want %q", text, got, want)
		}
	}
}

// A text whose variables all have values keeps everything around them.
func TestFillKeepsTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := map[string]string{}
		for _, v := range Variables() {
			values[v] = rapid.StringMatching(`[a-zäö{}, ]{1,5}`).Draw(t, v)
		}
		var text, want strings.Builder
		var names []string
		for _, part := range rapid.SliceOf(rapid.SampledFrom(append(Variables(), " ", ",", "\n", "ä", "."))).Draw(t, "parts") {
			if v, ok := values[part]; ok {
				names = append(names, part)
				text.WriteString("{" + part + "}")
				want.WriteString(v)
			} else {
				text.WriteString(part)
				want.WriteString(part)
			}
		}
		if got := Fill(text.String(), values); got != want.String() {
			t.Errorf("Fill(%q) is %q, want %q", text.String(), got, want.String())
		}
		if got := Names(text.String()); !slices.Equal(got, names) {
			t.Errorf("Names(%q) is %q, want %q", text.String(), got, names)
		}
	})
}
