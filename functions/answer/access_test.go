package answer_test

import (
	"net/http"
	"testing"

	"github.com/pulssi/pulssi/functions/answer"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// TestAccessIsWhatIsUsed shows, answers and ends asks in every way, and holds the
// calls to DynamoDB against those that the function is granted.
func TestAccessIsWhatIsUsed(t *testing.T) {
	tables, h := stored(t)
	first := touchpoint(survey.NPS)
	second := *first
	second.Version, second.Series, second.Question = first.Version+1, first.Series+1, survey.Text{"fi": "Toisin sanoen?"}
	if err := tables.Store.PutTouchpoint(t.Context(), first, &second); err != nil {
		t.Fatal(err)
	}
	out, err := tables.Store.Upsert(t.Context(), []survey.Details{both()}, now)
	if err != nil {
		t.Fatal(err)
	}
	a := ask(survey.NPS, "fi") // of the first series, which is over
	a.Contact = out[0].Contact
	if err := tables.Store.CreateAsk(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	access, s := testkit.NewAccess(tables)
	watched := &answer.Handler{Asks: s, Contacts: s, Touchpoints: store.NewCatalog(s, h.Now), Now: h.Now}
	handle(t, watched, request("GET /a/{id}", id, ""))
	for _, body := range []string{`{"score":9,"via":"auto"}`, `{"score":3,"comment":"Hei","via":"human"}`} {
		if resp := handle(t, watched, postJSON(body)); resp.StatusCode != http.StatusOK {
			t.Fatalf("status %d: %s", resp.StatusCode, resp.Body)
		}
	}
	handle(t, watched, request("GET /u/{id}", id, ""))
	handle(t, watched, postForm("POST /u/{id}", id, form("channel", "all", "action", "stop")))
	access.IsGranted(t, topology.Answer)
}
