package results

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/functions/vote"
	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/gsm"
	"github.com/pulssi/pulssi/shared/survey"
)

func previewed(t *testing.T, h *Handler, body string) preview {
	t.Helper()
	resp := as(t, h, routePreview, "shop-nps", body, "admin")
	var got preview
	if err := json.Unmarshal([]byte(resp.Body), &got); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v: %s", body, resp.StatusCode, err, resp.Body)
	}
	return got
}

var href = regexp.MustCompile(`href="([^"]*)"`)

func TestPreviewOfAnEmail(t *testing.T) {
	h, w := settings()
	w.definitions[0].Trigger = &survey.Trigger{Event: "purchase.completed"}
	for _, tt := range []struct{ body, subject, opening string }{
		{`{"kind":"email"}`, "Miten onnistuimme? Yksi nopea kysymys", "Hei,"},
		{`{"kind":"email","locale":"fi","firstName":"Aino <b>","about":"tilaus 7"}`, "Miten onnistuimme? Yksi nopea kysymys", "Hei Aino <b>,"},
		{`{"kind":"email","locale":"en","reminder":true}`, "A reminder: How did we do? One quick question", "Hi,"},
	} {
		got := previewed(t, h, tt.body)
		if got.Subject != tt.subject || !strings.HasPrefix(got.Text, tt.opening+"\n") || got.SMS != nil || got.Config != nil {
			t.Errorf("%s: subject %q, text %q", tt.body, got.Subject, got.Text)
		}
		if strings.Contains(got.HTML, "<script") || strings.Contains(got.HTML, "<b>") || !strings.Contains(got.HTML, "Kauppa") || !strings.Contains(got.HTML, "Katu 1") {
			t.Errorf("%s: %s", tt.body, got.HTML)
		}
		links := href.FindAllStringSubmatch(got.HTML, -1)
		if len(links) != 12 { // eleven answers, and the end of the e-mails
			t.Errorf("%s: %d links", tt.body, len(links))
		}
		for _, l := range links {
			if !strings.HasPrefix(l[1], "https://example.invalid/") {
				t.Errorf("%s: a link to %s", tt.body, l[1])
			}
		}
	}
	if text := previewed(t, h, `{"kind":"email","about":"tilaus 7"}`).Text; !strings.Contains(text, "tilaus 7") {
		t.Errorf("what it is about is not in %q", text)
	}
}

func TestPreviewOfAnSMS(t *testing.T) {
	h, _ := settings()
	if got := previewed(t, h, `{"kind":"sms","locale":"en"}`); got.Text != "Kauppa: How likely are you to recommend us? https://example.invalid/a/AAAAAAAAAAAAAAAAAAAAAA" ||
		*got.SMS != (smsSize{Parts: 1, Units: 129, Encoding: gsm.GSM7}) || got.HTML != "" {
		t.Errorf("%+v, %+v", got, got.SMS)
	}
	// "Kauppa: " before the question, a space and a link of 85 characters after.
	for question, want := range map[string]smsSize{
		strings.Repeat("ä", 160-94):  {1, 160, gsm.GSM7, false},
		strings.Repeat("ä", 160-93):  {2, 161, gsm.GSM7, false},
		strings.Repeat("š", 134-94):  {2, 134, gsm.UCS2, false},
		strings.Repeat("š", 134-93):  {3, 135, gsm.UCS2, false},
		strings.Repeat("ä", 2*67-94): {1, 134, gsm.GSM7, false},
	} {
		got := previewed(t, h, `{"kind":"sms","definition":`+declared(t, `{"channels":["sms"],"locales":["fi"],"name":{"fi":"A"},"question":{"fi":"`+question+`"}}`)+`}`)
		if *got.SMS != want || !strings.Contains(got.Text, question) {
			t.Errorf("%s: %+v, want %+v; %q", question, got.SMS, want, got.Text)
		}
	}
	got := previewed(t, h, `{"kind":"sms","locale":"fi","definition":`+declared(t, `{"channels":["sms"],"message":{"sms":{"fi":"Hei {firstName}! 0-10?"},"reply":true}}`)+`,"firstName":"Aino"}`)
	if !got.SMS.Reply || !strings.Contains(got.Text, "Hei Aino! 0-10?") || strings.Contains(got.Text, "example.invalid") {
		t.Errorf("a reply: %+v, %+v", got, got.SMS)
	}
}

func TestPreviewOfThePage(t *testing.T) {
	h, _ := settings()
	for body, want := range map[string]string{
		`{"kind":"page"}`:                         "Kuinka todennäköisesti suosittelisit meitä?",
		`{"kind":"page","locale":"en","score":9}`: ` value="9" aria-label="9 of 10" checked`,
		`{"kind":"page","locale":"en","score":0,"definition":` + declared(t, `{"followup":{"detractor":{"en":"What <i>happened?"}}}`) + `}`: "What &lt;i&gt;happened?",
	} {
		got := previewed(t, h, body)
		if !strings.Contains(got.HTML, want) || !strings.Contains(got.HTML, "form-action 'none'") || strings.Contains(got.HTML, "<script") || strings.Contains(got.HTML, "<i>") {
			t.Errorf("%s: there is no %q in %s", body, want, got.HTML)
		}
	}
}

// The config is the one that the popup gets.
func TestPreviewOfThePopup(t *testing.T) {
	h, w := settings()
	r := apigw.Request{RouteKey: "GET /w/{file}", PathParameters: map[string]string{"file": "shop-nps.json"}}
	resp, err := (&vote.Handler{Touchpoints: w}).Handle(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Config json.RawMessage }
	body := as(t, h, routePreview, "shop-nps", `{"kind":"widget"}`, "viewer").Body
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(resp.Body, string(got.Config)); diff != "" {
		t.Errorf("-vote +preview:\n%s", diff)
	}
}

func TestPreviewRefuses(t *testing.T) {
	h, _ := settings()
	for _, tt := range []struct{ body, field, message string }{
		{`{}`, "kind", "kind must be one of email, sms, page, widget"},
		{`{"kind":"fax"}`, "kind", "kind must be one of email, sms, page, widget"},
		{`{"kind":"page","locale":"sv"}`, "locale", "locale must be one of fi, en"},
		{`{"kind":"page","score":11}`, "score", "score must be a whole number from 0 to 10"},
		{`{"kind":"email","firstName":"` + strings.Repeat("ä", maxExampleName+1) + `"}`, "firstName", "firstName must be at most 100 characters"},
		{`{"kind":"email","about":"` + strings.Repeat("ä", maxExampleAbout+1) + `"}`, "about", "about must be at most 200 characters"},
	} {
		wantError(t, as(t, h, routePreview, "shop-nps", tt.body, "viewer"), survey.Invalid, tt.field, tt.message)
	}
	previewed(t, h, `{"kind":"email","firstName":"`+strings.Repeat("ä", maxExampleName)+`","about":"`+strings.Repeat("ä", maxExampleAbout)+`"}`)
}
