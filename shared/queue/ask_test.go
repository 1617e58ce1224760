package queue_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
)

// whole is a message that is an ask.
const whole = `{"touchpoint":"shop-nps","contact":"AAAAAAAAAAAAAAAAAAAAAA","occasion":"2026Q4","due":"2026-11-21T09:00:00Z"}`

func TestDecodeAsk(t *testing.T) {
	a, err := queue.DecodeAsk([]byte(whole + "\n"))
	want := queue.Ask{
		Touchpoint: "shop-nps", Contact: "AAAAAAAAAAAAAAAAAAAAAA", Occasion: "2026Q4", Due: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
	}
	if err != nil || a != want {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestDecodeAskRefuses(t *testing.T) {
	without := func(field string) string { return strings.Replace(whole, `"`+field+`"`, `"about"`, 1) }
	for name, c := range map[string]struct{ body, field, message string }{
		"nothing":            {"", "", "the message is no ask"},
		"null":               {"null", "touchpoint", ""},
		"a list":             {"[]", "", "the message is no ask"},
		"cut off":            {whole[:len(whole)-1], "", "the message is no ask"},
		"an unknown field":   {strings.Replace(whole, "{", `{"asked":true,`, 1), "", "the message is no ask"},
		"two asks":           {whole + whole, "", "the message is more than one ask"},
		"a brace after it":   {whole + "}", "", "the message is more than one ask"},
		"a bracket after it": {whole + " ]", "", "the message is more than one ask"},
		"garbage after it":   {whole + "x", "", "the message is more than one ask"},
		"no touchpoint":      {without("touchpoint"), "touchpoint", ""},
		"no contact":         {without("contact"), "contact", ""},
		"an address":         {strings.Replace(whole, "AAAAAAAAAAAAAAAAAAAAAA", "maija@example.com", 1), "contact", ""},
		"no occasion":        {without("occasion"), "occasion", "occasion must be given"},
		"no time":            {strings.Replace(whole, "2026-11-21T09:00:00Z", "0001-01-01T00:00:00Z", 1), "due", "due must be given"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := queue.DecodeAsk([]byte(c.body))
			e, ok := errors.AsType[*survey.Error](err)
			if !ok || e.Code != survey.Invalid || e.Field != c.field || c.message != "" && e.Message != c.message {
				t.Errorf("%+v, %#v", a, err)
			}
			if a != (queue.Ask{}) {
				t.Errorf("an error, and %+v", a)
			}
		})
	}
}

// What is taken has all that is needed, and what is not, says why.
func FuzzDecodeAsk(f *testing.F) {
	for _, s := range []string{whole, whole + "}", "null", `{"due":"2026-11-21T09:00:00+25:00"}`, strings.Replace(whole, "{", `{"reminder":true,"ref":"\ud800","at":"2026-11-14T09:00:00+02:00",`, 1)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := queue.DecodeAsk(body)
		switch {
		case err == nil:
			if survey.CheckTouchpointID("touchpoint", a.Touchpoint) != nil || survey.CheckID("contact", a.Contact) != nil || a.Occasion == "" || a.Due.IsZero() {
				t.Errorf("taken: %+v", a)
			}
		case survey.CodeOf(err) != survey.Invalid || a != (queue.Ask{}):
			t.Errorf("%+v, %v", a, err)
		}
	})
}
