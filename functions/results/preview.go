package results

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/gsm"
	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/popup"
	"github.com/pulssi/pulssi/shared/revision"
	"github.com/pulssi/pulssi/shared/signin"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/web"
)

// What can be looked at before anybody is asked.
const (
	previewEmail  = "email"
	previewSMS    = "sms"
	previewPage   = "page"   // that a link leads to
	previewWidget = "widget" // what the popup is told
)

// An ask that does not exist, to nobody, at an address that leads nowhere (RFC
// 6761, 6.4).
const (
	exampleAsk     = "AAAAAAAAAAAAAAAAAAAAAA"
	exampleContact = "BBBBBBBBBBBBBBBBBBBBBB"
	exampleLink    = "https://example.invalid"
)

// Limits of what an example names, in characters.
const (
	maxExampleName  = 100
	maxExampleAbout = 200
)

// previewRequest is the body of POST /api/touchpoints/{touchpoint}/preview.
type previewRequest struct {
	Kind   string `json:"kind"`
	Locale string `json:"locale"` // the touchpoint's first where empty
	// Definition is one that is not in force; of the one in force where there
	// is none.
	Definition json.RawMessage `json:"definition"`

	FirstName string       `json:"firstName"` // of whoever is asked, in a message
	About     string       `json:"about"`     // what the business event was about, in a message
	Reminder  bool         `json:"reminder"`  // the message is one
	Score     *apigw.Score `json:"score"`     // that is chosen, on the page
}

// preview is the answer, with what there is of its kind.
type preview struct {
	Kind    string        `json:"kind"`
	Locale  string        `json:"locale"`
	Subject string        `json:"subject,omitempty"`
	HTML    string        `json:"html,omitempty"`
	Text    string        `json:"text,omitempty"`
	SMS     *smsSize      `json:"sms,omitempty"`
	Config  *popup.Config `json:"config,omitempty"`
}

// smsSize is what an SMS takes where its link is as long as one may be.
type smsSize struct {
	Parts    int          `json:"parts"`
	Units    int          `json:"units"`
	Encoding gsm.Encoding `json:"encoding"`
	Reply    bool         `json:"reply"`
}

// previewTouchpoint shows what customers get to see of a touchpoint: of the
// definition in force to everybody who sees the touchpoint, of any other to
// those who may make it so.
func (h *Handler) previewTouchpoint(ctx context.Context, r *call) (apigw.Response, error) {
	if _, err := onceEach(r.RawQueryString); err != nil {
		return apigw.Response{}, err
	}
	b, err := jsonBody(r)
	if err != nil {
		return apigw.Response{}, err
	}
	var in previewRequest
	if err := apigw.DecodeJSON(b, &in); err != nil {
		return apigw.Response{}, err
	}
	book, err := h.Rules.Rulebook(ctx)
	if err != nil {
		return apigw.Response{}, err
	}
	t, err := h.shown(ctx, r, in.Definition, book.Rules().Company)
	if err != nil {
		return apigw.Response{}, err
	}
	if err := in.check(t); err != nil {
		return apigw.Response{}, err
	}
	out, err := in.show(t, h.letter(t, in, book.Rules()))
	if err != nil {
		return apigw.Response{}, err
	}
	return apigw.JSON(http.StatusOK, out), nil
}

// shown returns what an example is of: the definition in force, or the one
// that is given. The error is about the first rule that it breaks.
func (h *Handler) shown(ctx context.Context, r *call, given json.RawMessage, company string) (*survey.Touchpoint, error) {
	id := r.Path("touchpoint")
	if len(given) == 0 || string(given) == "null" {
		return h.touchpoint(ctx, r, id)
	}
	if err := r.who.May(signin.Admin); err != nil {
		return nil, err
	}
	if err := survey.CheckTouchpointID("touchpoint", id); err != nil {
		return nil, err
	}
	t, problems := readDefinition(given, id, company)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	return t, nil
}

// check returns the first rule that an example breaks, and completes it.
func (p *previewRequest) check(t *survey.Touchpoint) error {
	kinds := []string{previewEmail, previewSMS, previewPage, previewWidget}
	if p.Locale == "" {
		p.Locale = t.Locales[0]
	}
	switch {
	case !slices.Contains(kinds, p.Kind):
		return survey.Errorf(survey.Invalid, "kind", "kind must be one of %s", strings.Join(kinds, ", "))
	case !slices.Contains(t.Locales, p.Locale):
		return survey.Errorf(survey.Invalid, "locale", "locale must be one of %s", strings.Join(t.Locales, ", "))
	case utf8.RuneCountInString(p.FirstName) > maxExampleName:
		return survey.Errorf(survey.Invalid, "firstName", "firstName must be at most %d characters", maxExampleName)
	case utf8.RuneCountInString(p.About) > maxExampleAbout:
		return survey.Errorf(survey.Invalid, "about", "about must be at most %d characters", maxExampleAbout)
	case p.Score != nil:
		return survey.CheckScore(t.Metric, int(*p.Score))
	}
	return nil
}

// letter is the message of an example.
func (h *Handler) letter(t *survey.Touchpoint, p previewRequest, rules survey.Rules) message.Letter {
	l := message.Letter{
		Ask: exampleAsk, Touchpoint: t, Contact: &survey.Contact{ID: exampleContact, FirstName: p.FirstName}, Locale: p.Locale,
		Link: exampleLink, Company: rules.Company, Postal: rules.Postal, Reminder: p.Reminder, Replies: true,
	}
	if t.Trigger != nil && t.Trigger.Event != "" {
		l.Event, l.About, l.At, l.Zone = t.Trigger.Event, p.About, h.Now(), h.Zone
	}
	return l
}

// show writes a checked example.
func (p *previewRequest) show(t *survey.Touchpoint, l message.Letter) (preview, error) {
	out := preview{Kind: p.Kind, Locale: p.Locale}
	switch p.Kind {
	case previewEmail:
		w, err := l.Email()
		if err != nil {
			return preview{}, err
		}
		out.Subject, out.HTML, out.Text = w.Subject, w.HTML, w.Text
	case previewSMS:
		w := l.SMS()
		l.Link = revision.LongestLink
		size := gsm.Measure(l.SMS().Text)
		out.Text, out.SMS = w.Text, &smsSize{size.Parts, size.Units, size.Encoding, w.Reply}
	case previewPage:
		page := web.AnswerPage{Touchpoint: t, Locale: p.Locale, Score: (*int)(p.Score), Example: true}
		out.HTML = page.HTML()
	case previewWidget:
		config := popup.ConfigOf(t)
		out.Config = &config
	}
	return out, nil
}
