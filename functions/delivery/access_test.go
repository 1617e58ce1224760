package delivery_test

import (
	"testing"

	"github.com/pulssi/pulssi/functions/delivery"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// TestAccessIsWhatIsUsed takes every kind of notice and reply, and holds the
// calls to DynamoDB against those that the function is granted.
func TestAccessIsWhatIsUsed(t *testing.T) {
	tables, clock := testkit.NewTables(t), testkit.NewClock(now)
	out, err := tables.Store.Upsert(t.Context(), []survey.Details{{Email: "maija@example.com", Phone: "+358401234567"}}, now)
	if err != nil {
		t.Fatal(err)
	}
	access, s := testkit.NewAccess(tables)
	w := &world{t, tables.Store, clock, &delivery.Handler{Store: s, Now: clock.Now}, out[0].Contact}
	mail := w.sent(survey.Email, survey.NPS)
	w.sent(survey.SMS, survey.NPS)
	for _, event := range []string{
		ses("Delivery", mail, `,"delivery":{"timestamp":"2026-11-21T10:00:02.000Z","recipients":["maija@example.com"]}`),
		bounce("Transient", mail), bounce("Permanent", mail),
		text("+358401234567", "hetki"), text("+358401234567", "9"), text("+358401234567", "stop"),
	} {
		w.take(event)
	}
	access.IsGranted(t, topology.Delivery)
}
