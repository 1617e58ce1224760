package answer

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/web"
)

// maxEcho is the longest body that an error page gives back, in bytes. The
// page has to fit into Lambda's response of 6 MB after escaping, which makes
// five bytes of one at worst.
const maxEcho = 1 << 20

// respond returns a page. Like all of them, see secured, it runs nothing but its own script, tells nobody
// where the visitor came from, and stays out of search engines and frames.
func respond(status int, p *web.AnswerPage) apigw.Response {
	return secured(apigw.HTML(status, p.HTML()))
}

func secured(r apigw.Response) apigw.Response {
	return r.
		Set("content-security-policy", web.AnswerPolicy).
		Set("referrer-policy", "no-referrer").
		Set("x-robots-tag", "noindex").
		Set("x-content-type-options", "nosniff")
}

// failed returns an error with which no question can be shown, and the comment
// that was sent for it.
func failed(ctx context.Context, r *apigw.Request, err error) apigw.Response {
	if !r.WantsHTML() {
		return apigw.Error(ctx, r, err)
	}
	e, status := apigw.Known(ctx, r, err)
	return respond(status, &web.AnswerPage{Error: e, Locale: r.Locale(web.Locales()), Unsaved: comment(typed(r))})
}

// show answers GET and HEAD /a/{id}. It reads and never writes, whoever asks:
// mail scanners open every link.
func (h *Handler) show(ctx context.Context, r *apigw.Request) (apigw.Response, error) {
	id := r.Path("id")
	if err := survey.CheckID("id", id); err != nil {
		return apigw.Response{}, err
	}
	a, t, err := h.ask(ctx, id)
	if err != nil {
		return apigw.Response{}, err
	}
	if !h.Now().Before(a.Open()) {
		return closed(r, t, a), nil
	}
	p := standing(r, t, a)
	s, err := clicked(r, t.Metric)
	if err != nil {
		e, status := apigw.Known(ctx, r, err)
		p.Error = e
		return respond(status, p), nil
	}
	// What a person has answered stands until a person changes it on the page:
	// the link of a message may be opened again to do just that, and says still
	// what it was sent with.
	if s != nil && a.Trust != survey.Human {
		p.Stored = a.Counted() && a.Score == *s
		p.Auto = !p.Stored && a.Trust != survey.Suspect
		p.Score = s
	}
	return respond(http.StatusOK, p), nil
}

// ask reads an ask and what it asked.
func (h *Handler) ask(ctx context.Context, id string) (*survey.Ask, *survey.Touchpoint, error) {
	a, err := h.Asks.Ask(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	t, err := h.definition(ctx, a)
	return a, t, err
}

// standing returns the page of an ask with the answer that counts, if any. A text
// message has no room for the link that ends the questions, so its page has it.
func standing(r *apigw.Request, t *survey.Touchpoint, a *survey.Ask) *web.AnswerPage {
	p := &web.AnswerPage{Touchpoint: t, Locale: locale(r, t, a.Locale), Action: "/a/" + a.ID, Trust: a.Trust, Comment: a.Comment}
	if a.Counted() {
		p.Score, p.Stored = &a.Score, true
	}
	if a.Channel == survey.SMS && a.Contact != "" {
		p.Unsubscribe = "/u/" + a.ID
	}
	return p
}

func closed(r *apigw.Request, t *survey.Touchpoint, a *survey.Ask) apigw.Response {
	p := standing(r, t, a)
	p.Closed = true
	p.Error = survey.Errorf(survey.Closed, "", "the question can no longer be answered")
	return respond(apigw.Status(survey.Closed), p)
}

// clicked is the answer that a link came with, nil for none.
func clicked(r *apigw.Request, m survey.Metric) (*int, error) {
	q := r.Query()
	if !q.Has("s") {
		return nil, nil
	}
	s, err := apigw.ParseScore(q.Get("s"))
	if err == nil {
		err = survey.CheckScore(m, s)
	}
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// locale returns the touchpoint's locale to speak: the wished one (an ask's) or
// that of its language, the first that the browser asks for, or the first.
func locale(r *apigw.Request, t *survey.Touchpoint, wish string) string {
	for _, l := range []string{wish, survey.Language(wish)} {
		if slices.Contains(t.Locales, l) {
			return l
		}
	}
	return cmp.Or(r.Locale(t.Locales), t.Locales[0])
}

// thank returns the page after an answer, on which it can still be changed.
// The answer is taken whatever happens here: where the question cannot be read,
// the page says thanks without it.
func (h *Handler) thank(ctx context.Context, r *apigw.Request, a *survey.Ask) apigw.Response {
	t, err := h.definition(ctx, a)
	if err != nil {
		slog.ErrorContext(ctx, "thanks without the question", "request", r.RequestContext.RequestID,
			"touchpoint", a.Touchpoint, "series", a.Series, "error", err.Error())
		return respond(http.StatusOK, &web.AnswerPage{Locale: cmp.Or(a.Locale, r.Locale(web.Locales())), Thanks: true})
	}
	p := standing(r, t, a)
	p.Thanks = true
	return respond(http.StatusOK, p)
}

// again returns the page after an answer that was refused, with all that was
// typed.
func (h *Handler) again(ctx context.Context, r *apigw.Request, id string, err error) (apigw.Response, error) {
	if survey.CodeOf(err) == survey.NotFound || errors.Is(err, context.DeadlineExceeded) {
		return apigw.Response{}, err // there is no question to read, or no time for it
	}
	e, status := apigw.Known(ctx, r, err)
	a, t, readErr := h.ask(ctx, id)
	if readErr != nil {
		return apigw.Response{}, readErr
	}
	p := standing(r, t, a)
	p.Error = e
	if p.Closed = e.Code == survey.Closed; p.Closed {
		p.Unsaved = comment(typed(r))
		return respond(status, p), nil
	}
	p.Stored = false
	keep(p, typed(r))
	return respond(status, p), nil
}

// typed returns what can be read of the form that r sent, however wrong it is:
// nobody shall have to write a comment twice.
func typed(r *apigw.Request) url.Values {
	b, err := r.Raw()
	if err != nil || r.ContentType() != typeForm || len(b) > maxEcho {
		return nil
	}
	form, _ := url.ParseQuery(string(b)) // the well-formed part is returned beside the error
	return form
}

// comment returns the comment of a form, with a mark for all that is not UTF-8.
func comment(form url.Values) string {
	return strings.ToValidUTF8(form.Get("comment"), "\uFFFD")
}

// keep puts on a page what was typed.
func keep(p *web.AnswerPage, form url.Values) {
	if form.Has("comment") {
		p.Comment = comment(form)
	}
	if s, err := apigw.ParseScore(form.Get("score")); err == nil && p.Touchpoint.Metric.Admits(s) {
		p.Score = &s
	}
}

// public returns the touchpoint of a public link. The error is
// [survey.NotFound] where there is none, or none with such a link.
func (h *Handler) public(ctx context.Context, r *apigw.Request) (*survey.Touchpoint, error) {
	id := r.Path("touchpoint")
	if err := survey.CheckTouchpointID("touchpoint", id); err != nil {
		return nil, err
	}
	t, err := h.Touchpoints.Touchpoint(ctx, id)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(t.Channels, survey.Link) {
		return nil, survey.Errorf(survey.NotFound, "touchpoint", "there is no such touchpoint with a public link")
	}
	return t, nil
}

// showLink answers GET and HEAD /t/{touchpoint}. It writes nothing; each visit gets an
// id of its own, in case the form is sent without the script.
func (h *Handler) showLink(ctx context.Context, r *apigw.Request) (apigw.Response, error) {
	t, err := h.public(ctx, r)
	if err != nil {
		return apigw.Response{}, err
	}
	v := survey.Vote{ID: survey.NewID(), Channel: survey.Link, Locale: locale(r, t, ""), Ref: r.Query().Get("ref")}
	p := votePage(t, v)
	if p.Score, err = clicked(r, t.Metric); err == nil {
		// The vote that the page would send is checked as a whole, with any
		// answer where none is chosen yet.
		v.Score, _ = t.Metric.Scale()
		err = v.Check(t)
	}
	if err != nil {
		e, status := apigw.Known(ctx, r, err)
		p.Error = e
		if e.Field == "ref" {
			p.Vote.Ref = ""
		}
		return respond(status, p), nil
	}
	return respond(http.StatusOK, p), nil
}

func votePage(t *survey.Touchpoint, v survey.Vote) *web.AnswerPage {
	return &web.AnswerPage{
		Touchpoint: t, Locale: v.Locale, Action: "/t/" + t.ID,
		Vote: &web.VotePage{ID: v.ID, Ref: v.Ref},
	}
}

func thankVote(t *survey.Touchpoint, v survey.Vote, a *survey.Ask) apigw.Response {
	p := votePage(t, v)
	p.Score, p.Comment, p.Trust, p.Stored, p.Thanks = &a.Score, a.Comment, a.Trust, true, true
	return respond(http.StatusOK, p)
}

// voteAgain returns the page after a vote that was refused, with all that was
// typed. What the person cannot mend is mended: a new id, a known language.
func voteAgain(ctx context.Context, r *apigw.Request, t *survey.Touchpoint, err error) apigw.Response {
	e, status := apigw.Known(ctx, r, err)
	form := typed(r)
	v := survey.Vote{ID: form.Get("id"), Locale: locale(r, t, form.Get("locale")), Ref: form.Get("ref")}
	if survey.CheckID("id", v.ID) != nil || e.Code == survey.Conflict || e.Code == survey.Closed {
		v.ID = survey.NewID()
	}
	if e.Field == "ref" {
		v.Ref = ""
	}
	p := votePage(t, v)
	p.Error = e
	keep(p, form)
	return respond(status, p)
}
