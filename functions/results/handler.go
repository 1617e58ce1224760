// Package results is the function that the dashboard and other programs work
// with: it reads scores, from the sheets that tally counted, and touchpoints;
// keeps the contacts, and says why one was asked or not; and takes business
// events. openapi.yaml is its contract.
package results

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/signin"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// Sheets reads tallies.
type Sheets interface {
	// Sheets returns the sheets of a series from one period to another, both
	// included and of one kind (days or months), in order of time. Periods in
	// which nothing was counted are left out.
	Sheets(ctx context.Context, k store.SeriesKey, from, to score.Period) ([]store.StoredSheet, error)
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
	Touchpoints Touchpoints
	Definitions Definitions
	Contacts    Contacts
	History     History
	Rules       Rules
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
	"GET /dashboard":                {(*Handler).dashboard, signin.Nobody},
	"GET /dashboard/{proxy+}":       {(*Handler).dashboard, signin.Nobody},
	"GET /s/{key}":                  {(*Handler).dashboard, signin.Nobody},
	"GET /api/touchpoints":          {(*Handler).touchpoints, signin.Viewer},
	"GET /api/results/{touchpoint}": {(*Handler).results, signin.Viewer},
	"GET /api/contacts":             {(*Handler).listContacts, signin.Agent},
	"POST /api/contacts":            {(*Handler).addContact, signin.Agent},
	"GET /api/contacts/{id}":        {(*Handler).getContact, signin.Agent},
	"PATCH /api/contacts/{id}":      {(*Handler).changeContact, signin.Agent},
	"DELETE /api/contacts/{id}":     {(*Handler).deleteContact, signin.Admin},
	"GET /api/contacts/{id}/why":    {(*Handler).why, signin.Agent},
	"POST /api/events":              {(*Handler).takeEvents, signin.Agent},

	"GET /api/touchpoints/{touchpoint}":          {(*Handler).showTouchpoint, signin.Viewer},
	"PUT /api/touchpoints/{touchpoint}":          {(*Handler).putTouchpoint, signin.Admin},
	"POST /api/touchpoints/{touchpoint}/plan":    {(*Handler).planTouchpoint, signin.Admin},
	"POST /api/touchpoints/{touchpoint}/preview": {(*Handler).previewTouchpoint, signin.Viewer},
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
		return nil, survey.Errorf(survey.NotFound, "touchpoint", "there is no such touchpoint")
	}
	return t, nil
}

// tagged returns the answer with an ETag of its content, or a 304 where the
// client has it already, who thus learns that nothing has changed. Nobody but
// the client may keep it, and not without asking again.
func tagged(r *call, body any) apigw.Response {
	resp := apigw.JSON(http.StatusOK, body)
	sum := sha256.Sum256([]byte(resp.Body))
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return apigw.IfNoneMatch(r.Request, resp.Set("etag", tag).Set("cache-control", "private, no-cache"))
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
		out.Touchpoints = append(out.Touchpoints, touchpointEntry{
			ID: t.ID, Metric: t.Metric, Series: t.Series, Phase: t.Phase, Channels: t.Channels,
			Name: t.Name, Question: t.Question, Locales: t.Locales, Goal: t.Goal,
		})
	}
	return tagged(r, out), nil
}

func (h *Handler) results(ctx context.Context, r *call) (apigw.Response, error) {
	t, err := h.touchpoint(ctx, r, r.Path("touchpoint"))
	if err != nil {
		return apigw.Response{}, err
	}
	y, m, d := h.Now().In(h.Zone).Date()
	q, err := parseQuery(r.RawQueryString, time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
	if err != nil {
		return apigw.Response{}, err
	}
	if q.group, err = r.group(q.group); err != nil {
		return apigw.Response{}, err
	}
	if t, err = h.series(ctx, t, q.series); err != nil {
		return apigw.Response{}, err
	}
	sums, err := h.sum(ctx, t, q)
	if err != nil {
		return apigw.Response{}, err
	}
	return tagged(r, newReport(t, h.Zone, q, sums)), nil
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
		return g, survey.Errorf(survey.NotFound, "segment", "there is no such segment")
	}
	return g, nil
}

// series returns the definition whose answers are asked for: t, the one in
// force, where series is 0. Series are never mixed.
func (h *Handler) series(ctx context.Context, t *survey.Touchpoint, series int) (*survey.Touchpoint, error) {
	if series == 0 || series == t.Series {
		return t, nil
	}
	return h.Touchpoints.Series(ctx, store.SeriesKey{Touchpoint: t.ID, Series: series})
}

// sum reads the sheets of the range, all runs at once, and returns the tally
// of each period of the query.
func (h *Handler) sum(ctx context.Context, t *survey.Touchpoint, q query) ([]score.Tally, error) {
	reads := q.reads()
	found := make([][]store.StoredSheet, len(reads))
	errs := make([]error, len(reads))
	var wg sync.WaitGroup
	for i, run := range reads {
		wg.Go(func() {
			found[i], errs[i] = h.Sheets.Sheets(ctx, store.SeriesKey{Touchpoint: t.ID, Series: t.Series}, run.from, run.to)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	periods := q.periods()
	index := make(map[time.Time]int, len(periods))
	for i, p := range periods {
		index[q.by.start(p.from)] = i
	}
	sums := make([]score.Tally, len(periods))
	for _, run := range found {
		for _, s := range run {
			start, err := s.Key.Period.Start()
			if err != nil {
				return nil, err
			}
			i := index[q.by.start(start)]
			sums[i] = sums[i].Add(s.Counts[q.group])
		}
	}
	return sums, nil
}
