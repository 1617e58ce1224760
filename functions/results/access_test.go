package results

import (
	"net/http"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// TestAccessIsWhatIsUsed makes every kind of request, and holds the calls to
// DynamoDB against those that the function is granted.
func TestAccessIsWhatIsUsed(t *testing.T) {
	tables := testkit.NewTables(t)
	ctx := t.Context()
	old, shop := touchpoint("shop-nps", survey.CSAT, 1), touchpoint("shop-nps", survey.NPS, 2)
	if err := tables.Store.PutTouchpoint(ctx, nil, old); err != nil {
		t.Fatal(err)
	}
	if err := tables.Store.PutTouchpoint(ctx, old, shop); err != nil {
		t.Fatal(err)
	}
	access, s := testkit.NewAccess(tables)
	catalog := store.NewCatalog(s, time.Now)
	c := caller{t, &Handler{Sheets: s, Feed: s, Annotations: s, Shares: s, Touchpoints: catalog, Definitions: catalog, Contacts: s, History: s, Rules: catalog, Demo: s, Audit: s, Bus: &bus{}, Zone: helsinki, Now: time.Now}}
	k := c.add(aino)
	other := c.add(`{"ref":"C-2"}`) // nobody's opt-outs come with it, and no zone
	if err := tables.Store.PutDecision(ctx, survey.Decision{Contact: k.ID, Touchpoint: "shop-nps", Occasion: "2026Q4", Verdict: survey.Refused, Reason: survey.Stopped, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := tables.Store.CreateAsk(ctx, &survey.Ask{ID: survey.NewID(), Touchpoint: "shop-nps", Series: 2, Metric: survey.NPS, Channel: survey.Email, Locale: "fi", Contact: k.ID, Occasion: "2026Q3", AskedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	mark := survey.Annotation{ID: survey.NewID(), Touchpoint: "shop-nps", Date: "2026-11-01", Text: "Kassa"}
	if err := tables.Store.AddAnnotation(ctx, mark); err != nil {
		t.Fatal(err)
	}
	key := survey.NewID()
	view := survey.View{Page: survey.TouchpointPage, Touchpoint: "shop-nps", Last: 12}
	if err := tables.Store.AddShare(ctx, survey.Share{ID: survey.ShareID(key), Name: "Johto", View: view, Comments: true}); err != nil {
		t.Fatal(err)
	}
	month := score.Key{Touchpoint: "shop-nps", Series: 2, Period: "month#2026-10"}
	if err := tables.Store.AddToSheet(ctx, month, score.Sheet{score.All: {Suspect: 1}}, store.Span{Shard: "s", First: "1", Last: "1"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		route, id, query, body string
		status                 int
	}{
		{"GET /api/touchpoints", "", "", "", 200},
		{"GET /api/results/{touchpoint}", "shop-nps", "series=1", "", 200},
		{"GET /api/results/{touchpoint}", "shop-nps", "series=2&from=2026-10-20&to=2026-11-01", "", 200},
		{"GET /api/overview", "", "", "", 200},
		{"GET /api/compare/{touchpoint}", "shop-nps", "channel=email&withChannel=sms", "", 200},
		{"GET /api/me", "", "", "", 200},
		{routeShow, "shop-nps", "", "", 200},
		{routePut, "shop-nps", "", `{"version":2,"definition":` + declared(t, `{"metric":"csat"}`) + `}`, 200},
		{"GET /api/export/{touchpoint}", "shop-nps", "what=comments", "", 200},
		{"GET /api/annotations", "", "", "", 200},
		{"POST /api/annotations", "", "", `{"date":"2026-11-01","text":"Kassa"}`, 201},
		{"PATCH /api/annotations/{id}", mark.ID, "", `{"text":"Uusi kassa"}`, 200},
		{"GET /api/annotations/{id}/effect", mark.ID, "", "", 200},
		{"DELETE /api/annotations/{id}", mark.ID, "", "", 204},
		{"GET /api/shares", "", "", "", 200},
		{"POST /api/shares", "", "", `{"name":"Johto","view":{"page":"overview","last":12}}`, 201},
		{"GET /shared/{key}", key, "", "", 200},
		{"DELETE /api/shares/{id}", survey.ShareID(key), "", "", 204},
		{"GET /api/responses", "", "touchpoint=shop-nps", "", 200},
		{"GET /api/themes/{touchpoint}", "shop-nps", "", "", 200},
		{"GET /api/contacts", "", "", "", 200},
		{"GET /api/contacts", "", "phone=0401234567", "", 200},
		{"PATCH /api/contacts/{id}", k.ID, "", `{"company":"A"}`, 200},
		{"PATCH /api/contacts/{id}", k.ID, "", `{"ref":null,"phone":"0407654321"}`, 200},
		{"PATCH /api/contacts/{id}", other.ID, "", `{"ref":"C-3","zone":"Asia/Tokyo"}`, 200},
		{"GET /api/contacts/{id}/why", k.ID, "", "", 200},
		{"DELETE /api/contacts/{id}", k.ID, "", "", 204},
		{"DELETE /api/contacts/{id}", other.ID, "", "", 204},
		{"POST /api/contacts", "", "", aino, http.StatusCreated},
		{"POST /api/events", "", "", sampleEvent(t, "custom"), 202},
		{"GET /api/audit", "", "", "", 200},
	} {
		req := request(r.route, r.id, r.query, r.body)
		req.PathParameters["touchpoint"], req.PathParameters["key"] = r.id, r.id
		resp, err := c.h.Handle(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		c.want(resp, r.status, nil)
	}
	access.IsGranted(t, topology.Results)
}
