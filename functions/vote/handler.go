// Package vote is the function that the popup, apps and public pages talk to:
// it hands out the popup's files and what to show, and takes votes.
package vote

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
)

// Votes takes votes.
type Votes interface {
	// Vote takes a checked vote. The same id again changes the same response
	// while it can be edited, so that a retry, even a concurrent one, is
	// harmless. The errors are [survey.Closed] and [survey.Conflict].
	Vote(ctx context.Context, t *survey.Touchpoint, v survey.Vote, now time.Time) (*survey.Ask, error)
}

// Touchpoints knows the touchpoints.
type Touchpoints interface {
	// Touchpoint returns the definition in force, which must not be changed.
	// The error is [survey.NotFound] where there is none.
	Touchpoint(ctx context.Context, id string) (*survey.Touchpoint, error)
}

// Handler answers the requests. It is safe for concurrent use.
type Handler struct {
	Votes       Votes
	Touchpoints Touchpoints
	Now         func() time.Time
	// PublicURL is where the API is reached, whose own pages may vote; "" for
	// the host that a request came to.
	PublicURL string
}

// The routes, as package topology lists them.
const (
	routeConfig    = "GET /w/{file}"
	routeFile      = "GET /{file}"
	routeVote      = "POST /v/{touchpoint}"
	routePreflight = "OPTIONS /v/{touchpoint}"
)

// preflightAge is how long a browser may remember a preflight, in seconds:
// the longest that Chromium grants.
const preflightAge = "7200"

// Handle answers one request. The error is always nil: what goes wrong is told
// in the response.
func (h *Handler) Handle(ctx context.Context, r apigw.Request) (apigw.Response, error) {
	switch r.RouteKey {
	case routeConfig:
		return h.config(ctx, &r), nil
	case routeFile:
		return file(ctx, &r), nil
	case routeVote:
		return h.fromOrigin(ctx, &r, h.vote), nil
	case routePreflight:
		return h.fromOrigin(ctx, &r, preflight), nil
	}
	return apigw.Error(ctx, &r, survey.Errorf(survey.NotFound, "", "there is nothing at this path")), nil
}

// fromOrigin answers with next where the request's origin may vote on the
// touchpoint, and lets pages of that origin read the answer, errors too.
func (h *Handler) fromOrigin(ctx context.Context, r *apigw.Request, next func(context.Context, *apigw.Request, *survey.Touchpoint) (apigw.Response, error)) apigw.Response {
	t, err := h.touchpoint(ctx, r.Path("touchpoint"))
	allowed := h.allows(t, r)
	var resp apigw.Response
	if err == nil {
		if allowed {
			resp, err = next(ctx, r, t)
		} else {
			err = errOrigin()
		}
	}
	if err != nil {
		resp = apigw.Error(ctx, r, err)
	}
	if origin := r.Headers["origin"]; allowed && origin != "" {
		resp = resp.Set("access-control-allow-origin", origin)
	}
	return resp.Set("vary", "origin")
}

// touchpoint returns the definition of a touchpoint, after a look at its id
// that costs nothing.
func (h *Handler) touchpoint(ctx context.Context, id string) (*survey.Touchpoint, error) {
	if err := survey.CheckTouchpointID("touchpoint", id); err != nil {
		return nil, err
	}
	return h.Touchpoints.Touchpoint(ctx, id)
}

// allows reports whether the request may come from where it does: from no page
// (an app, a server, a page's own GET), from a page of ours, or from a website
// on the touchpoint's list. Without a touchpoint there is no list.
func (h *Handler) allows(t *survey.Touchpoint, r *apigw.Request) bool {
	origin := r.Headers["origin"]
	return origin == "" || origin == r.Origin(h.PublicURL) || t != nil && slices.Contains(t.Origins, origin)
}

func errOrigin() error {
	return survey.Errorf(survey.Forbidden, "origin", "origin must be on the touchpoint's list of websites")
}

func preflight(context.Context, *apigw.Request, *survey.Touchpoint) (apigw.Response, error) {
	return apigw.Response{StatusCode: http.StatusNoContent, Headers: map[string]string{
		"access-control-allow-methods": http.MethodPost,
		"access-control-allow-headers": "content-type",
		"access-control-max-age":       preflightAge,
	}}, nil
}

func (h *Handler) vote(ctx context.Context, r *apigw.Request, t *survey.Touchpoint) (apigw.Response, error) {
	switch r.ContentType() {
	case "application/json", "text/plain":
	default:
		return apigw.Response{}, survey.Errorf(survey.UnsupportedType, "content-type", "content-type must be application/json or text/plain")
	}
	b, err := r.Bytes()
	if err != nil {
		return apigw.Response{}, err
	}
	v, err := decode(b)
	if err != nil {
		return apigw.Response{}, err
	}
	if err := v.Check(t); err != nil {
		return apigw.Response{}, err
	}
	a, err := h.Votes.Vote(ctx, t, v, h.Now())
	if err != nil {
		return apigw.Response{}, err
	}
	return apigw.Accepted(a), nil
}

// decode reads the body of a vote. It holds no rule but that there is a score:
// the others are [survey.Vote.Check]'s.
func decode(b []byte) (survey.Vote, error) {
	var in struct {
		ID      string          `json:"id"`
		Score   *apigw.Score    `json:"score"`
		Comment *string         `json:"comment"`
		Channel survey.Channel  `json:"channel"`
		Locale  string          `json:"locale"`
		Page    string          `json:"page"`
		Ref     string          `json:"ref"`
		Attrs   map[string]word `json:"attrs"`
	}
	if err := apigw.DecodeJSON(b, &in); err != nil {
		return survey.Vote{}, err
	}
	if in.Score == nil {
		return survey.Vote{}, apigw.NoScore()
	}
	var attrs map[string]string
	if len(in.Attrs) > 0 {
		attrs = make(map[string]string, len(in.Attrs))
		for k, v := range in.Attrs {
			attrs[k] = string(v)
		}
	}
	return survey.Vote{
		ID: in.ID, Score: int(*in.Score), Comment: in.Comment, Channel: in.Channel,
		Locale: in.Locale, Page: in.Page, Ref: in.Ref, Attrs: attrs,
	}, nil
}

// word is a text, or a number or truth value as it is written: a page that
// sends {"total": 49.9} as an attribute means its text.
type word string

// UnmarshalJSON reads the value. Its error is [survey.Invalid] on attrs.
func (w *word) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '{', '[':
		return survey.Errorf(survey.Invalid, "attrs", "attrs must have texts, numbers, true or false as values")
	case '"':
		return json.Unmarshal(b, (*string)(w))
	case 'n': // null is no text
		return nil
	}
	*w = word(b)
	return nil
}
