package answer

import (
	"bytes"
	"context"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/web"
)

// oneClick is the field, and its value, that a mail program posts where its
// user presses its own unsubscribe button (RFC 8058, section 3.2).
const (
	oneClick      = "List-Unsubscribe"
	oneClickValue = "One-Click"
)

// showUnsubscribe answers GET and HEAD /u/{id}: it asks, and never writes.
func (h *Handler) showUnsubscribe(ctx context.Context, r *apigw.Request) (apigw.Response, error) {
	a, c, err := h.asked(ctx, r)
	if err != nil {
		return apigw.Response{}, err
	}
	return respondUnsubscribe(a, c, false), nil
}

// unsubscribe answers POST /u/{id}: by a mail program, which is told nothing
// but that it is done, or by the page's forms. There is no redirect either way.
// Repeating it changes nothing.
func (h *Handler) unsubscribe(ctx context.Context, r *apigw.Request) (apigw.Response, error) {
	a, c, err := h.asked(ctx, r)
	if err != nil {
		return apigw.Response{}, err
	}
	choice, err := decodeUnsubscribe(r)
	if err != nil {
		return apigw.Response{}, err
	}
	if c == nil {
		return respondUnsubscribe(a, nil, false), nil // nobody is asked any more
	}
	channels := []survey.Channel{survey.Email, survey.SMS}
	switch {
	case choice.oneClick:
		channels = []survey.Channel{a.Channel}
	case choice.channel != web.Everything:
		channels = []survey.Channel{survey.Channel(choice.channel)}
	}
	if c, err = h.Contacts.OptOut(ctx, c.ID, channels, choice.again, h.Now()); err != nil {
		if survey.CodeOf(err) == survey.NotFound {
			return respondUnsubscribe(a, nil, false), nil // deleted meanwhile
		}
		return apigw.Response{}, err
	}
	return respondUnsubscribe(a, c, choice.again), nil
}

// asked returns the ask of the request's link, and the contact who was asked,
// nil where there is none any more. An ask that was made to nobody known has no
// such page.
func (h *Handler) asked(ctx context.Context, r *apigw.Request) (*survey.Ask, *survey.Contact, error) {
	id := r.Path("id")
	if err := survey.CheckID("id", id); err != nil {
		return nil, nil, err
	}
	a, err := h.Asks.Ask(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if a.Contact == "" {
		return nil, nil, survey.Errorf(survey.NotFound, "id", "there is no question with this id")
	}
	c, err := h.Contacts.Contact(ctx, a.Contact)
	if survey.CodeOf(err) == survey.NotFound && err != nil {
		return a, nil, nil
	}
	return a, c, err
}

func respondUnsubscribe(a *survey.Ask, c *survey.Contact, again bool) apigw.Response {
	p := &web.UnsubscribePage{Action: "/u/" + a.ID, Locale: a.Locale, Asked: a.Channel, Gone: c == nil, Resumed: again}
	for _, ch := range []survey.Channel{survey.Email, survey.SMS} {
		if c == nil {
			break
		}
		if c.Address(ch) != "" {
			p.Reach = append(p.Reach, ch)
		}
		if _, out := c.OptOuts[ch]; out {
			p.Out = append(p.Out, ch)
		}
	}
	return secured(apigw.HTML(http.StatusOK, p.HTML()))
}

// unsubscription is what a POST asks for.
type unsubscription struct {
	oneClick bool
	channel  string // of the page's form: a channel, or all
	again    bool
}

// decodeUnsubscribe reads a POST by a mail program, which may come in either
// encoding of forms (RFC 8058, section 3.2), or by the page.
func decodeUnsubscribe(r *apigw.Request) (unsubscription, error) {
	if r.ContentType() == "multipart/form-data" {
		return decodeMultipart(r)
	}
	if r.ContentType() != typeForm {
		return unsubscription{}, survey.Errorf(survey.UnsupportedType, "content-type", "content-type must be %s or multipart/form-data", typeForm)
	}
	form, err := r.Form(oneClick, web.UnsubscribeField, web.UnsubscribeAction)
	if err != nil {
		return unsubscription{}, err
	}
	if form.Has(oneClick) {
		return checkOneClick(form.Get(oneClick))
	}
	u := unsubscription{channel: form.Get(web.UnsubscribeField), again: form.Get(web.UnsubscribeAction) == web.AskAgain}
	if !slices.Contains([]string{web.Everything, string(survey.Email), string(survey.SMS)}, u.channel) {
		return unsubscription{}, survey.Errorf(survey.Invalid, web.UnsubscribeField, "%s must be %s, %s or %s", web.UnsubscribeField, survey.Email, survey.SMS, web.Everything)
	}
	if !slices.Contains([]string{"", web.StopAsking, web.AskAgain}, form.Get(web.UnsubscribeAction)) {
		return unsubscription{}, survey.Errorf(survey.Invalid, web.UnsubscribeAction, "%s must be %s or %s", web.UnsubscribeAction, web.StopAsking, web.AskAgain)
	}
	return u, nil
}

func decodeMultipart(r *apigw.Request) (unsubscription, error) {
	wrong := func() (unsubscription, error) {
		return unsubscription{}, survey.Errorf(survey.Invalid, oneClick, "%s must be %s", oneClick, oneClickValue)
	}
	b, err := r.Bytes()
	if err != nil {
		return unsubscription{}, err
	}
	_, params, err := mime.ParseMediaType(r.Headers["content-type"])
	if err != nil {
		return wrong()
	}
	part, err := multipart.NewReader(bytes.NewReader(b), params["boundary"]).NextPart()
	if err != nil || part.FormName() != oneClick {
		return wrong()
	}
	value, err := io.ReadAll(part) // of a body that is held to its limit
	if err != nil {
		return wrong()
	}
	return checkOneClick(string(value))
}

func checkOneClick(value string) (unsubscription, error) {
	if value != oneClickValue {
		return unsubscription{}, survey.Errorf(survey.Invalid, oneClick, "%s must be %s", oneClick, oneClickValue)
	}
	return unsubscription{oneClick: true}, nil
}
