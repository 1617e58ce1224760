package results

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// marks is annotations in memory.
type marks struct {
	all []survey.Annotation
	err error
}

func (m *marks) Annotations(context.Context) ([]survey.Annotation, error) {
	return slices.Clone(m.all), m.err
}

func (m *marks) AddAnnotation(_ context.Context, a survey.Annotation) error {
	m.all = append(m.all, a)
	return m.err
}

func (m *marks) ChangeAnnotation(_ context.Context, id string, version int, change func(*survey.Annotation) error) (survey.Annotation, error) {
	for i, a := range m.all {
		if a.ID != id {
			continue
		}
		if version != 0 && version != a.Version {
			return a, survey.Errorf(survey.Conflict, "version", "the annotation has been changed meanwhile, read it again")
		}
		if err := change(&a); err != nil {
			return a, err
		}
		a.Version++
		m.all[i] = a
		return a, m.err
	}
	return survey.Annotation{}, m.noneOr()
}

func (m *marks) DeleteAnnotation(_ context.Context, id string) error {
	n := len(m.all)
	if m.all = slices.DeleteFunc(m.all, func(a survey.Annotation) bool { return a.ID == id }); len(m.all) == n {
		return m.noneOr()
	}
	return m.err
}

func (m *marks) noneOr() error {
	if m.err != nil {
		return m.err
	}
	return survey.Errorf(survey.NotFound, "annotation", "there is no such annotation")
}

// signedIn makes a request in the name of somebody in those groups.
func signedIn(t testing.TB, h *Handler, r apigw.Request, groups ...string) apigw.Response {
	t.Helper()
	resp, err := h.Handle(t.Context(), testkit.SignedIn(r, groups...))
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func twoShops() definitions {
	return definitions{touchpoint("shop-csat", survey.CSAT, 1), touchpoint("shop-nps", survey.NPS, 1)}
}

func TestAnnotations(t *testing.T) {
	h := newHandler(twoShops(), nil)
	h.Annotations = &marks{}
	c := caller{t, h}
	var got annotation
	c.want(c.do("POST /api/annotations", "", "", `{"touchpoint":"shop-nps","date":"2026-11-01","text":" Uusi <b>kassa</b> "}`), http.StatusCreated, &got)
	shop := "shop-nps"
	now := h.Now().UTC()
	want := annotation{ID: got.ID, Touchpoint: &shop, Date: "2026-11-01", Text: "Uusi <b>kassa</b>", By: "00000000-0000-4000-8000-000000000001", At: now, Version: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("added: -want +got:\n%s", diff)
	}
	var all annotation
	c.want(c.do("POST /api/annotations", "", "", `{"touchpoint":null,"date":"2026-10-01","text":"Hinnat nousivat"}`), http.StatusCreated, &all)

	c.want(c.do("PATCH /api/annotations/{id}", got.ID, "", `{"version":1,"text":"Uudempi kassa"}`), http.StatusOK, &got)
	if want.Text, want.Version = "Uudempi kassa", 2; !cmp.Equal(want, got) {
		t.Errorf("changed: %s", cmp.Diff(want, got))
	}
	var moved annotation
	c.want(c.do("PATCH /api/annotations/{id}", got.ID, "", `{"touchpoint":null}`), http.StatusOK, &moved)
	if moved.Touchpoint != nil || moved.Date != "2026-11-01" {
		t.Errorf("made one of all: %+v", moved)
	}
	c.want(c.do("PATCH /api/annotations/{id}", got.ID, "", `{"touchpoint":"shop-nps"}`), http.StatusOK, nil)

	for _, tt := range []struct {
		query  string
		groups []string
		want   []string
	}{
		{"", []string{"viewer"}, []string{all.ID, got.ID}},
		{"touchpoint=shop-nps", []string{"viewer"}, []string{all.ID, got.ID}},
		{"touchpoint=shop-csat", []string{"viewer"}, []string{all.ID}},
		{"", []string{"viewer", "touchpoint:shop-csat"}, []string{all.ID}},
		{"", []string{"viewer", "touchpoint:shop-nps"}, []string{all.ID, got.ID}},
	} {
		var list annotationList
		c.want(signedIn(t, h, apigw.Request{RouteKey: "GET /api/annotations", RawQueryString: tt.query}, tt.groups...), http.StatusOK, &list)
		var ids []string
		for _, a := range list.Annotations {
			ids = append(ids, a.ID)
		}
		if diff := cmp.Diff(tt.want, ids); diff != "" {
			t.Errorf("%v, %q: -want +got:\n%s", tt.groups, tt.query, diff)
		}
	}
	var rep report
	c.want(get(t, h, routeResults, "shop-nps", "from=2026-11-01&to=2026-12-01&include=annotations"), http.StatusOK, &rep)
	if len(rep.Annotations) != 1 || rep.Annotations[0].ID != got.ID {
		t.Errorf("in November: %+v", rep.Annotations)
	}

	c.want(c.do("DELETE /api/annotations/{id}", got.ID, "", ""), http.StatusNoContent, nil)
	c.refused(c.do("DELETE /api/annotations/{id}", got.ID, "", ""), 404, survey.NotFound, "annotation", "there is no such annotation")
}

func TestAnnotationsRefuse(t *testing.T) {
	h := newHandler(twoShops(), nil)
	mark := survey.Annotation{ID: survey.NewID(), Version: 3, Touchpoint: "shop-nps", Date: "2026-11-01", Text: "Kassa"}
	h.Annotations = &marks{all: []survey.Annotation{mark}}
	const add, change, effect = "POST /api/annotations", "PATCH /api/annotations/{id}", "GET /api/annotations/{id}/effect"
	for _, tt := range []struct {
		name, route, id, query, body string
		status                       int
		code                         survey.Code
		field, msg                   string
	}{
		{"no text", add, "", "", `{"date":"2026-11-01"}`, 400, survey.Invalid, "text", "must not be empty"},
		{"a text of 201", add, "", "", `{"date":"2026-11-01","text":"` + strings.Repeat("ä", 201) + `"}`, 400, survey.Invalid, "text", "at most 200 characters"},
		{"no date", add, "", "", `{"text":"Kassa"}`, 400, survey.Invalid, "date", "a date such as"},
		{"a date of 1999", add, "", "", `{"date":"1999-12-31","text":"Kassa"}`, 400, survey.Invalid, "date", "from 2000 to 2199"},
		{"an unknown touchpoint", add, "", "", `{"touchpoint":"nothing","date":"2026-11-01","text":"Kassa"}`, 404, survey.NotFound, "touchpoint", "no such touchpoint"},
		{"a version", add, "", "", `{"version":1,"date":"2026-11-01","text":"Kassa"}`, 400, survey.UnknownField, "version", "is not a field"},
		{"an unknown field", add, "", "", `{"id":"1"}`, 400, survey.UnknownField, "id", "is not a field"},
		{"an old version", change, mark.ID, "", `{"version":2,"text":"A"}`, 409, survey.Conflict, "version", "read it again"},
		{"version 0", change, mark.ID, "", `{"version":0}`, 400, survey.Invalid, "version", "from 1"},
		{"a text taken away", change, mark.ID, "", `{"text":null}`, 400, survey.Invalid, "text", "must not be empty"},
		{"another mark", change, survey.NewID(), "", `{}`, 404, survey.NotFound, "annotation", "no such annotation"},
		{"an effect of none", effect, survey.NewID(), "", "", 404, survey.NotFound, "annotation", "no such annotation"},
		{"an effect at another touchpoint", effect, mark.ID, "touchpoint=shop-csat", "", 400, survey.Invalid, "touchpoint", "that of the annotation, shop-nps"},
		{"an effect of six days", effect, mark.ID, "days=6", "", 400, survey.Invalid, "days", "from 7 to 365"},
		{"an effect of 366 days", effect, mark.ID, "days=366", "", 400, survey.Invalid, "days", "from 7 to 365"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := caller{t, h}
			c.refused(c.do(tt.route, tt.id, tt.query, tt.body), tt.status, tt.code, tt.field, tt.msg)
		})
	}
	c := caller{t, h}
	other := apigw.Request{RouteKey: effect, PathParameters: map[string]string{"id": mark.ID}}
	c.refused(signedIn(t, h, other, "viewer", "touchpoint:shop-csat"), 404, survey.NotFound, "annotation", "no such annotation")
	c.refused(signedIn(t, h, apigw.Request{RouteKey: add}, "viewer"), 403, survey.Forbidden, "role", "agent")
}

// TestEffect marks the 12th of November, ten days before the last one that
// there is, and a day at which the first series ended.
func TestEffect(t *testing.T) {
	shop := touchpoint("shop-nps", survey.NPS, 2)
	changes := score.Changes{}
	on := func(d, n, given int, series int) {
		for range n {
			a := answer(shop, given, time.Date(2026, 11, d, 12, 0, 0, 0, time.UTC))
			a.Series, a.Segments = series, []string{"vip"}
			changes.Replace(nil, a, helsinki)
		}
	}
	on(1, 50, 10, 2)  // too long before
	on(2, 20, 10, 2)  // the first of ten days before
	on(5, 90, 0, 1)   // of another series
	on(11, 20, 10, 2) // the last day before
	on(12, 15, 0, 2)  // the day itself
	on(21, 25, 10, 2) // today
	h := newHandler(definitions{shop}, changes)
	mark := survey.Annotation{ID: survey.NewID(), Version: 1, Date: "2026-11-12", Text: "Kassa"}
	later := survey.Annotation{ID: survey.NewID(), Version: 1, Touchpoint: "shop-nps", Date: "2026-12-24", Text: "Joulu"}
	h.Annotations = &marks{all: []survey.Annotation{mark, later}}
	c := caller{t, h}
	c.refused(c.do("GET /api/annotations/{id}/effect", mark.ID, "", ""), 400, survey.Invalid, "touchpoint", "touchpoint must be there")

	var got beforeAfter
	c.want(c.do("GET /api/annotations/{id}/effect", mark.ID, "touchpoint=shop-nps&days=28", ""), http.StatusOK, &got)
	line := []any{got.Days, got.Series, got.Before.From, got.Before.To, got.Before.N, got.After.From, got.After.To, got.After.N, got.Difference.Change, got.Difference.Verdict, *got.Difference.Better}
	b, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	// Before: NPS 100 of 40. After: 25 promoters and 15 detractors of 40, NPS 25.
	if want := `[10,2,"2026-11-02","2026-11-12",40,"2026-11-12","2026-11-22",40,-75.0,"real",false]`; string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
	c.want(c.do("GET /api/annotations/{id}/effect", mark.ID, "touchpoint=shop-nps&days=7&channel=email", ""), http.StatusOK, &got)
	if got.Days != 7 || got.Channel != "email" || got.Before.N != 0 || got.Difference != nil {
		t.Errorf("by e-mail: %+v", got)
	}
	c.want(c.do("GET /api/annotations/{id}/effect", later.ID, "", ""), http.StatusOK, &got)
	if got.Days != 0 || got.Before.N != 0 || got.After.N != 0 || got.After.From != "2026-12-24" || got.Difference != nil {
		t.Errorf("in the future: %+v", got)
	}
	var limited beforeAfter
	r := apigw.Request{RouteKey: "GET /api/annotations/{id}/effect", RawQueryString: "touchpoint=shop-nps", PathParameters: map[string]string{"id": mark.ID}}
	c.want(signedIn(t, h, r, "viewer", "segment:vip"), http.StatusOK, &limited)
	if limited.Segment != "vip" || limited.After.N != 40 {
		t.Errorf("of a segment: %+v", limited)
	}
}
