package send

import (
	"errors"
	"testing"

	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// TestAccessIsWhatIsUsed asks, tries again, reminds and refuses, in an ended
// series too, and holds the calls to DynamoDB against those that the function is
// granted.
func TestAccessIsWhatIsUsed(t *testing.T) {
	w, tables := newWorld(t), testkit.NewTables(t)
	first := w.touchpoints["shop"]
	if err := tables.Store.PutTouchpoint(t.Context(), nil, first); err != nil {
		t.Fatal(err)
	}
	access, s := testkit.NewAccess(tables)
	w.Store, w.h.Store, w.h.Catalog = tables.Store, s, store.NewCatalog(s, w.clock.Now)
	// The mail service is down first, so that the ask is tried twice.
	w.transport = func(message.Message) error { return survey.Errorf(survey.Unavailable, "", "it is down") }
	a := w.purchase(w.contact(nil))
	w.again(a)
	w.transport = nil
	w.done(a)
	second := *first
	second.Version, second.Series, second.Question = first.Version+1, first.Series+1, survey.Text{"fi": "Toisin sanoen?"}
	if err := tables.Store.PutTouchpoint(t.Context(), first, &second); err != nil {
		t.Fatal(err)
	}
	next := w.wait()
	w.clock.Move(next.at.Sub(w.clock.Now()))
	w.done(next.ask)
	if len(w.sentTo(next.ask)) != 1 {
		t.Error("nobody was reminded")
	}
	w.transport = func(message.Message) error { return survey.Errorf(survey.Invalid, "email", "no") }
	w.done(w.purchase(w.contact(func(d *survey.Details) { d.Ref = "C-2" })))
	w.transport = func(message.Message) error { return errors.New("nobody knows") }
	w.again(w.purchase(w.contact(func(d *survey.Details) { d.Ref = "C-3" })))
	access.IsGranted(t, topology.Send)
}
