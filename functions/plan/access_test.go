package plan

import (
	"testing"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// TestAccessIsWhatIsUsed plans a day on which everybody has a turn, and events of
// people of all kinds, and holds the calls to DynamoDB against those that the
// function is granted.
func TestAccessIsWhatIsUsed(t *testing.T) {
	t.Parallel()
	tables := testkit.NewTables(t)
	w := newWorld(t, monday.Add(-hour), everyone("23"), shop())
	for _, tp := range w.touchpoints {
		if err := tables.Store.PutTouchpoint(t.Context(), nil, tp); err != nil {
			t.Fatal(err)
		}
	}
	was, err := tables.Store.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rules := was
	rules.Rest = new(survey.Span(hour)) // or events give way to turns
	if err := tables.Store.PutRules(t.Context(), was, rules); err != nil {
		t.Fatal(err)
	}
	known, err := tables.Store.Upsert(t.Context(), []survey.Details{
		{Ref: "C-1", Email: "one@example.com"}, {Email: "two@example.com", OptOut: []survey.Channel{survey.Email}},
	}, monday.Add(-day))
	if err != nil {
		t.Fatal(err)
	}
	access, s := testkit.NewAccess(tables)
	w.h.Store, w.h.Catalog = s, store.NewCatalog(s, w.clock.Now)
	w.tick(monday.Add(-hour))
	w.tick(monday)
	w.clock.Move(2 * hour)
	byID := purchase("order-1", known[0].Contact, monday)
	byRef, moved, fresh := purchase("order-2", "", monday), purchase("order-3", "", monday), purchase("order-4", "", monday)
	byRef.Contact = events.Contact{Ref: "C-1"}
	moved.Contact = events.Contact{Ref: "C-1", Email: "another@example.com"}
	fresh.Contact = events.Contact{Email: "three@example.com", Zone: "Europe/Stockholm"}
	for _, e := range []events.Event{byID, byRef, moved, fresh} {
		w.handle(eventBody(t, e))
	}
	if n := len(w.took()); n != 5 || len(w.refused) > 0 {
		t.Errorf("%d asks are queued, want one of the turn and four of events; refused: %v", n, w.refused)
	}
	access.IsGranted(t, topology.Plan)
}
