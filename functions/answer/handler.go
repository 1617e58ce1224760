// Package answer is the function behind the links of messages, letters and QR
// codes: it shows a question with the answer that was clicked, takes the
// answer, and lets the person change it and say why.
package answer

import (
	"context"
	"net/http"
	"time"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// Asks knows the asks and takes answers.
type Asks interface {
	// Ask returns an ask, read consistently. The error is [survey.NotFound]
	// where there is none.
	Ask(ctx context.Context, id string) (*survey.Ask, error)
	// Answer takes an answer by the rules of [survey.Ask.Decide]. Repeating
	// it changes nothing but the time of the last edit. The errors are
	// [survey.NotFound], [survey.Invalid] on score, [survey.Closed] and
	// [survey.Unavailable].
	Answer(ctx context.Context, id string, in survey.Answer, now time.Time) (*survey.Ask, error)
	// Vote takes a checked vote. The same id again changes the same response
	// while it can be edited. The errors are [survey.Closed] and
	// [survey.Conflict].
	Vote(ctx context.Context, t *survey.Touchpoint, v survey.Vote, now time.Time) (*survey.Ask, error)
}

// Contacts knows the people who were asked.
type Contacts interface {
	// Contact returns a contact. The error is [survey.NotFound] where there is
	// none.
	Contact(ctx context.Context, id string) (*survey.Contact, error)
	// OptOut notes that a person wants no asks by some channels, or wants them
	// again, and returns the contact as it is then. Repeating it changes
	// nothing. The error is [survey.NotFound] where there is none.
	OptOut(ctx context.Context, id string, channels []survey.Channel, back bool, now time.Time) (*survey.Contact, error)
}

// Touchpoints knows the touchpoints.
type Touchpoints interface {
	// Touchpoint returns the definition in force, which must not be changed.
	// The error is [survey.NotFound] where there is none.
	Touchpoint(ctx context.Context, id string) (*survey.Touchpoint, error)
	// Series returns the definition that a series had, which must not be
	// changed. The error is [survey.NotFound] where there is none.
	Series(ctx context.Context, k store.SeriesKey) (*survey.Touchpoint, error)
}

// Handler answers the requests. It is safe for concurrent use.
type Handler struct {
	Asks        Asks
	Contacts    Contacts
	Touchpoints Touchpoints
	Now         func() time.Time
}

// pageTime is kept back from the invocation's time to give back what was typed
// where the tables do not answer: Lambda ends a late invocation with nothing.
const pageTime = 1500 * time.Millisecond

// The routes, as package topology lists them.
const (
	routeShow     = "GET /a/{id}"
	routeHead     = "HEAD /a/{id}"
	routeAnswer   = "POST /a/{id}"
	routeShowLink = "GET /t/{touchpoint}"
	routeHeadLink = "HEAD /t/{touchpoint}"
	routeVote     = "POST /t/{touchpoint}"

	routeShowUnsubscribe = "GET /u/{id}"
	routeHeadUnsubscribe = "HEAD /u/{id}"
	routeUnsubscribe     = "POST /u/{id}"
)

// Handle answers one request. The error is always nil: what goes wrong is told
// in the response, as a page or as JSON.
//
// The POST routes need no token against forged requests: the id of an ask
// is the secret that allows to answer it, sent in no cookie, so that whoever
// can forge the request can also just make it; and a public link is open to
// everybody.
func (h *Handler) Handle(ctx context.Context, r apigw.Request) (apigw.Response, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-pageTime))
		defer cancel()
	}
	var resp apigw.Response
	var err error
	switch r.RouteKey {
	case routeShow, routeHead:
		resp, err = h.show(ctx, &r)
	case routeAnswer:
		resp, err = h.answer(ctx, &r)
	case routeShowLink, routeHeadLink:
		resp, err = h.showLink(ctx, &r)
	case routeVote:
		resp, err = h.vote(ctx, &r)
	case routeShowUnsubscribe, routeHeadUnsubscribe:
		resp, err = h.showUnsubscribe(ctx, &r)
	case routeUnsubscribe:
		resp, err = h.unsubscribe(ctx, &r)
	default:
		err = survey.Errorf(survey.NotFound, "", "there is nothing at this path")
	}
	if err != nil {
		resp = failed(ctx, &r, err)
	}
	if r.RequestContext.HTTP.Method == http.MethodHead {
		resp.Body = ""
	}
	return resp, nil
}

// definition returns what an ask asked: the touchpoint as it was in the ask's
// series. An instance whose copy of the catalog is older than the series shows
// the definition that it has: rather a former wording than no question.
func (h *Handler) definition(ctx context.Context, a *survey.Ask) (*survey.Touchpoint, error) {
	t, err := h.Touchpoints.Series(ctx, store.SeriesKey{Touchpoint: a.Touchpoint, Series: a.Series})
	if survey.CodeOf(err) != survey.NotFound {
		return t, err
	}
	t, inForce := h.Touchpoints.Touchpoint(ctx, a.Touchpoint)
	if inForce != nil || t.Metric != a.Metric {
		return nil, err
	}
	return t, nil
}

// answer answers POST /a/{id}: JSON with JSON, a form with a page.
func (h *Handler) answer(ctx context.Context, r *apigw.Request) (apigw.Response, error) {
	id := r.Path("id")
	if err := survey.CheckID("id", id); err != nil {
		return apigw.Response{}, err
	}
	in, err := decode(r)
	if err == nil {
		var a *survey.Ask
		if a, err = h.Asks.Answer(ctx, id, in, h.Now()); err == nil {
			if r.ContentType() == typeJSON {
				return apigw.Accepted(a), nil
			}
			return h.thank(ctx, r, a), nil
		}
	}
	if !r.WantsHTML() {
		return apigw.Response{}, err
	}
	return h.again(ctx, r, id, err)
}

// vote answers POST /t/{touchpoint}, the form of a public link.
func (h *Handler) vote(ctx context.Context, r *apigw.Request) (apigw.Response, error) {
	t, err := h.public(ctx, r)
	if err != nil {
		return apigw.Response{}, err
	}
	v, err := decodeVote(r)
	if err == nil {
		err = v.Check(t)
	}
	if err == nil {
		var a *survey.Ask
		if a, err = h.Asks.Vote(ctx, t, v, h.Now()); err == nil {
			return thankVote(t, v, a), nil
		}
	}
	if !r.WantsHTML() {
		return apigw.Response{}, err
	}
	return voteAgain(ctx, r, t, err), nil
}
