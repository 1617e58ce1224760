package results

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
)

// shared is shared views in memory.
type shared struct {
	all []survey.Share
	err error
}

func (s *shared) Shares(context.Context) ([]survey.Share, error) { return slices.Clone(s.all), s.err }

func (s *shared) Share(_ context.Context, id string) (survey.Share, error) {
	for _, v := range s.all {
		if v.ID == id {
			return v, s.err
		}
	}
	return survey.Share{}, s.noneOr()
}

func (s *shared) AddShare(_ context.Context, v survey.Share) error {
	s.all = append(s.all, v)
	return s.err
}

func (s *shared) DeleteShare(_ context.Context, id string) error {
	n := len(s.all)
	if s.all = slices.DeleteFunc(s.all, func(v survey.Share) bool { return v.ID == id }); len(s.all) == n {
		return s.noneOr()
	}
	return s.err
}

func (s *shared) noneOr() error {
	if s.err != nil {
		return s.err
	}
	return survey.Errorf(survey.NotFound, "share", "there is no such share")
}

func open(t testing.TB, h *Handler, key string) apigw.Response {
	t.Helper()
	r := apigw.Request{RouteKey: "GET /shared/{key}", PathParameters: map[string]string{"key": key}}
	resp, err := h.Handle(t.Context(), r) // nobody has signed in
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestShares(t *testing.T) {
	h := newHandler(twoShops(), nil)
	views := &shared{}
	h.Shares, h.Annotations = views, &marks{}
	c := caller{t, h}
	var got newlyShared
	c.want(c.do("POST /api/shares", "", "", `{"name":"Johto","view":{"page":"touchpoint","touchpoint":"shop-nps","last":12,"by":"week"},"expires":"2026-11-30"}`), http.StatusCreated, &got)
	last := "2026-11-30"
	want := share{
		ID: survey.ShareID(got.Key), Name: "Johto", Expires: &last, By: "00000000-0000-4000-8000-000000000001", At: h.Now().UTC(),
		View: survey.View{Page: survey.TouchpointPage, Touchpoint: "shop-nps", Last: 12, By: "week"},
	}
	if diff := cmp.Diff(want, got.share); diff != "" || survey.CheckID("key", got.Key) != nil || got.Path != "/s/"+got.Key {
		t.Errorf("key %q, path %q: -want +got:\n%s", got.Key, got.Path, diff)
	}
	for _, v := range views.all {
		if strings.Contains(v.ID, got.Key) {
			t.Error("the key is stored")
		}
	}
	resp := c.do("GET /api/shares", "", "", "")
	var list shareList
	c.want(resp, http.StatusOK, &list)
	if diff := cmp.Diff([]share{want}, list.Shares); diff != "" || strings.Contains(resp.Body, got.Key) {
		t.Errorf("the list: -want +got:\n%s", diff)
	}

	first := open(t, h, got.Key)
	c.want(first, http.StatusOK, nil)
	if first.Headers["cache-control"] != "no-store" || first.Headers["x-robots-tag"] != "noindex" || first.Headers["etag"] == "" {
		t.Errorf("headers %v", first.Headers)
	}
	gone := open(t, h, survey.NewID())
	c.refused(gone, 404, survey.NotFound, "key", "there is no such shared view")
	h.Now = testNow("2026-11-30T21:59:59Z") // midnight is at 22
	c.want(open(t, h, got.Key), http.StatusOK, nil)
	h.Now = testNow("2026-11-30T22:00:00Z")
	same := func(what string, resp apigw.Response) {
		t.Helper()
		if resp.StatusCode != gone.StatusCode || resp.Body != gone.Body {
			t.Errorf("%s: %d %s", what, resp.StatusCode, resp.Body)
		}
	}
	same("expired", open(t, h, got.Key))
	h.Now = testNow("2026-11-21T22:00:00Z")
	same("the id for the key", open(t, h, got.ID))
	same("no key", open(t, h, "x"))
	views.all[0].View.Touchpoint = "gone-nps"
	same("a touchpoint that is gone", open(t, h, got.Key))
	views.all[0].View.Touchpoint = "shop-nps"
	c.want(open(t, h, got.Key), http.StatusOK, nil)
	c.want(c.do("DELETE /api/shares/{id}", got.ID, "", ""), http.StatusNoContent, nil)
	same("revoked", open(t, h, got.Key))
	c.refused(c.do("DELETE /api/shares/{id}", got.ID, "", ""), 404, survey.NotFound, "share", "there is no such share")
}

func TestSharesRefuse(t *testing.T) {
	h := newHandler(twoShops(), nil)
	h.Shares = &shared{}
	view := func(v string) string { return `{"name":"n","view":` + v + `}` }
	for _, tt := range []struct {
		name, body string
		status     int
		code       survey.Code
		field, msg string
	}{
		{"no view", `{"name":"n"}`, 400, survey.Invalid, "view", "view must be a JSON object"},
		{"a view that is a text", view(`"x"`), 400, survey.Invalid, "view", "view must be a JSON object"},
		{"no name", `{"view":{"page":"overview","last":12}}`, 400, survey.Invalid, "name", "must not be empty"},
		{"an unknown field of the view", view(`{"page":"overview","what":1}`), 400, survey.UnknownField, "view.what", "view.what is not a field"},
		{"half a month", view(`{"page":"overview","last":1.5}`), 400, survey.Invalid, "view.last", "view.last must be a number"},
		{"an unknown touchpoint", view(`{"page":"touchpoint","touchpoint":"nothing","last":12}`), 404, survey.NotFound, "view.touchpoint", "there is no such touchpoint"},
		{"a range backwards", view(`{"page":"overview","from":"2026-02-01","to":"2026-01-01"}`), 400, survey.Invalid, "view.to", "view.to must be after from"},
		{"an unknown unit", view(`{"page":"touchpoint","touchpoint":"shop-nps","last":12,"by":"hour"}`), 400, survey.Invalid, "view.by", "view.by must be one of"},
		{"more days than there can be", view(`{"page":"touchpoint","touchpoint":"shop-nps","last":13,"by":"day"}`), 400, survey.Invalid, "view.by", "view.by must be week or longer"},
		{"channel and segment", view(`{"page":"touchpoint","touchpoint":"shop-nps","last":12,"channel":"email","segment":"vip"}`), 400, survey.Invalid, "view.segment", "together with channel"},
		{"until today", `{"name":"n","view":{"page":"overview","last":12},"expires":"2026-11-21"}`, 400, survey.Invalid, "expires", "after today"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := caller{t, h}
			c.refused(c.do("POST /api/shares", "", "", tt.body), tt.status, tt.code, tt.field, tt.msg)
		})
	}
	for _, route := range []string{"GET /api/shares", "POST /api/shares", "DELETE /api/shares/{id}"} {
		caller{t, h}.refused(signedIn(t, h, apigw.Request{RouteKey: route}, "viewer"), 403, survey.Forbidden, "role", "agent")
	}
	r := apigw.Request{RouteKey: "GET /shared/{key}", PathParameters: map[string]string{"key": survey.NewID()}, RawQueryString: "from=2026-01-01"}
	caller{t, h}.refused(signedIn(t, h, r), 400, survey.UnknownField, "from", "which has none")
}
