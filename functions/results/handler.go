// Package results is the function that the dashboard and other programs work
// with: it reads scores, from the sheets that tally counted, and touchpoints;
// keeps the contacts, and says why one was asked or not; takes business events;
// and keeps a log of who changed what. openapi.yaml is its contract.
package results

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"time"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/signin"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// Sheets reads tallies.
type Sheets interface {
	// Sheets returns the sheets of some series from one period to another, both
	// included and of one kind (days or months), in any order. Periods in which
	// nothing was counted are left out.
	Sheets(ctx context.Context, of []store.SeriesKey, from, to score.Period) ([]store.StoredSheet, error)
	// SheetsAt returns the sheets that have the keys, each named once, in any
	// order. Those in which nothing was counted are left out.
	SheetsAt(ctx context.Context, keys []score.Key) ([]store.StoredSheet, error)
}

// Touchpoints knows the touchpoints. Callers must not change what it returns.
type Touchpoints interface {
	// All returns the definitions in force, by id in order.
	All(ctx context.Context) ([]*survey.Touchpoint, error)
	// Touchpoint returns the definition in force. The error is
	// [survey.NotFound] where there is none.
	Touchpoint(ctx context.Context, id string) (*survey.Touchpoint, error)
	// Series returns the definition of one series, which may be over. The
	// error is [survey.NotFound] where there is none.
	Series(ctx context.Context, k store.SeriesKey) (*survey.Touchpoint, error)
}

// Handler answers the requests. It is safe for concurrent use.
type Handler struct {
	Sheets      Sheets
	Feed        Feed
	Touchpoints Touchpoints
	Definitions Definitions
	Contacts    Contacts
	History     History
	Rules       Rules
	Annotations Annotations
	Shares      Shares
	Audit       Audit
	Demo        Demo // nil where nothing is generated
	// Signin is where people sign in to the dashboard.
	Signin Signin
	Bus    Bus
	// Zone is the reporting zone, in which answers were counted by day. Here
	// it only decides which day today is.
	Zone *time.Location
	Now  func() time.Time
}

// route is one of the routes: what answers it, and to whom.
type route struct {
	handle func(*Handler, context.Context, *call) (apigw.Response, error)
	// role is the least that may ask; [signin.Nobody] for a route that needs no
	// sign-in.
	role signin.Role
}

// routes are the routes, as package topology lists them.
var routes = map[string]route{
	"GET /":                         {(*Handler).root, signin.Nobody},
	"GET /dashboard":                {(*Handler).dashboard, signin.Nobody},
	"GET /dashboard/{proxy+}":       {(*Handler).dashboard, signin.Nobody},
	"GET /s/{key}":                  {(*Handler).dashboard, signin.Nobody},
	"GET /api/me":                   {(*Handler).me, signin.Nobody},
	"GET /api/overview":             {(*Handler).readOverview, signin.Viewer},
	"GET /api/compare/{touchpoint}": {(*Handler).compare, signin.Viewer},
	"GET /api/touchpoints":          {(*Handler).touchpoints, signin.Viewer},
	"GET /api/results/{touchpoint}": {(*Handler).results, signin.Viewer},
	"GET /api/responses":            {(*Handler).responses, signin.Viewer},
	"GET /api/themes/{touchpoint}":  {(*Handler).themes, signin.Viewer},
	"GET /api/contacts":             {(*Handler).listContacts, signin.Agent},
	"POST /api/contacts":            {recorded((*Handler).addContact), signin.Agent},
	"GET /api/contacts/{id}":        {(*Handler).getContact, signin.Agent},
	"PATCH /api/contacts/{id}":      {recorded((*Handler).changeContact), signin.Agent},
	"DELETE /api/contacts/{id}":     {recorded((*Handler).deleteContact), signin.Admin},
	"GET /api/contacts/{id}/why":    {(*Handler).why, signin.Agent},
	"POST /api/events":              {(*Handler).takeEvents, signin.Agent},

	"GET /api/touchpoints/{touchpoint}":          {(*Handler).showTouchpoint, signin.Viewer},
	"PUT /api/touchpoints/{touchpoint}":          {recorded((*Handler).putTouchpoint), signin.Admin},
	"POST /api/touchpoints/{touchpoint}/plan":    {(*Handler).planTouchpoint, signin.Admin},
	"POST /api/touchpoints/{touchpoint}/preview": {(*Handler).previewTouchpoint, signin.Viewer},

	"GET /api/annotations":             {(*Handler).listAnnotations, signin.Viewer},
	"POST /api/annotations":            {recorded((*Handler).addAnnotation), signin.Agent},
	"PATCH /api/annotations/{id}":      {recorded((*Handler).changeAnnotation), signin.Agent},
	"DELETE /api/annotations/{id}":     {recorded((*Handler).deleteAnnotation), signin.Agent},
	"GET /api/annotations/{id}/effect": {(*Handler).annotationEffect, signin.Viewer},
	"GET /api/shares":                  {(*Handler).listShares, signin.Agent},
	"POST /api/shares":                 {recorded((*Handler).addShare), signin.Agent},
	"DELETE /api/shares/{id}":          {recorded((*Handler).deleteShare), signin.Agent},
	"GET /api/export/{touchpoint}":     {recorded((*Handler).export), signin.Viewer},
	"GET /shared/{key}":                {(*Handler).openShare, signin.Nobody},
	"GET /api/audit":                   {(*Handler).readAudit, signin.Admin},
}

// call is a request, and who makes it: the gateway has verified the token.
type call struct {
	*apigw.Request
	who signin.Who
}

// Handle answers one request. The error is always nil: what goes wrong is told
// in the response.
func (h *Handler) Handle(ctx context.Context, r apigw.Request) (apigw.Response, error) {
	resp, err := h.answer(ctx, &call{&r, signin.FromClaims(r.Claims())})
	if err != nil {
		return apigw.Error(ctx, &r, err), nil
	}
	return resp, nil
}

func (h *Handler) answer(ctx context.Context, r *call) (apigw.Response, error) {
	rt, ok := routes[r.RouteKey]
	if !ok {
		return apigw.Response{}, survey.Errorf(survey.NotFound, "", "there is nothing at this path")
	}
	if rt.role != signin.Nobody {
		if err := r.who.May(rt.role); err != nil {
			return apigw.Response{}, err
		}
	}
	return rt.handle(h, ctx, r)
}

// touchpoint returns the definition in force of a touchpoint that is asked for,
// by the rules of [signin.Who.Sees]: what somebody may not see is answered like
// what does not exist. The errors are [survey.Invalid] and [survey.NotFound].
func (h *Handler) touchpoint(ctx context.Context, r *call, id string) (*survey.Touchpoint, error) {
	if err := survey.CheckTouchpointID("touchpoint", id); err != nil {
		return nil, err
	}
	t, err := h.Touchpoints.Touchpoint(ctx, id)
	if err != nil {
		return nil, err
	}
	if !r.who.Sees(id) {
		return nil, errNoTouchpoint()
	}
	return t, nil
}

// minGzip is the size, in bytes, from which an answer is worth compressing.
const minGzip = 1 << 10

// tagged returns the answer with an ETag, or a 304 where the client has it
// already, who thus learns that nothing has changed. It is compressed where the
// client takes that; the tag, a strong one, is then another. Nobody but the
// client may keep it, and not without asking again.
func tagged(r *call, body any) apigw.Response {
	resp := apigw.JSON(http.StatusOK, body)
	sum := sha256.Sum256([]byte(resp.Body))
	tag := base64.RawURLEncoding.EncodeToString(sum[:12])
	if len(resp.Body) >= minGzip && r.TakesGzip() {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		_, _ = io.WriteString(w, resp.Body) // a buffer takes all
		_ = w.Close()
		resp.Body, resp.IsBase64Encoded = base64.StdEncoding.EncodeToString(z.Bytes()), true
		resp = resp.Set("content-encoding", "gzip")
		tag += "-gzip"
	}
	return apigw.IfNoneMatch(r.Request, resp.Set("etag", `"`+tag+`"`).Set("cache-control", "private, no-cache").Set("vary", "accept-encoding"))
}

// touchpointList is the answer to GET /api/touchpoints.
type touchpointList struct {
	Touchpoints []touchpointEntry `json:"touchpoints"`
}

type touchpointEntry struct {
	ID       string           `json:"id"`
	Metric   survey.Metric    `json:"metric"`
	Series   int              `json:"series"`
	Phase    survey.Phase     `json:"phase"`
	Channels []survey.Channel `json:"channels"`
	Name     survey.Text      `json:"name"`
	Question survey.Text      `json:"question"`
	Locales  []string         `json:"locales"`
	Goal     *float64         `json:"goal"`
	Stopped  bool             `json:"stopped"`
}

func (h *Handler) touchpoints(ctx context.Context, r *call) (apigw.Response, error) {
	if _, err := onceEach(r.RawQueryString); err != nil {
		return apigw.Response{}, err
	}
	all, err := h.Touchpoints.All(ctx)
	if err != nil {
		return apigw.Response{}, err
	}
	out := touchpointList{Touchpoints: make([]touchpointEntry, 0, len(all))}
	for _, t := range all {
		if !r.who.Sees(t.ID) {
			continue
		}
		out.Touchpoints = append(out.Touchpoints, newEntry(t))
	}
	return tagged(r, out), nil
}

func newEntry(t *survey.Touchpoint) touchpointEntry {
	return touchpointEntry{
		ID: t.ID, Metric: t.Metric, Series: t.Series, Phase: t.Phase, Channels: t.Channels,
		Name: t.Name, Question: t.Question, Locales: t.Locales, Goal: t.Goal, Stopped: t.Stopped,
	}
}

// group returns the part of the answers that r is about where g is asked for:
// who sees some segments alone and asks for all answers is told of the first of
// those. What lies beyond is [survey.NotFound].
func (r *call) group(g score.Group) (score.Group, error) {
	if len(r.who.Segments) == 0 {
		return g, nil
	}
	if g == score.All {
		return score.BySegment(r.who.Segments[0]), nil
	}
	if s, ok := g.Segment(); !ok || !r.who.SeesSegment(s) {
		return g, errNoSegment
	}
	return g, nil
}

var errNoSegment = survey.Errorf(survey.NotFound, "segment", "there is no such segment")

// today returns the day it is in the reporting zone.
func (h *Handler) today() time.Time {
	y, m, d := h.Now().In(h.Zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
