package delivery_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/functions/delivery"
	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/survey"
)

// TestWatching: bounces and complaints that were noted are told, each once, and
// nothing of the person.
func TestWatching(t *testing.T) {
	id := survey.NewID()
	m := &memory{
		asks:     map[string]*survey.Ask{id: {ID: id, Metric: survey.NPS, Channel: survey.Email, Contact: "c", AskedAt: now, SentAt: now}},
		contacts: map[string]*survey.Contact{"c": {ID: "c", Email: "maija@example.com"}},
	}
	var told strings.Builder
	h := &delivery.Handler{Store: m, Now: func() time.Time { return now }}
	h.Metrics = obs.NewMetrics(func(string) string { return "pulssi-prod-delivery" }, &told, h.Now)
	for _, c := range []struct{ event, want string }{
		{bounce("Permanent", id), `"Bounces":1`},
		{bounce("Transient", id), `"Bounces":1`},
		{ses("Complaint", id, `,"complaint":{"timestamp":"2026-11-21T10:00:01.000Z"}`), `"Complaints":1`},
		{ses("Delivery", id, `,"delivery":{"timestamp":"2026-11-21T10:00:02.000Z"}`), ""},
		{bounce("Permanent", survey.NewID()), ""}, // of nobody here
	} {
		told.Reset()
		if err := h.Handle(t.Context(), json.RawMessage(c.event)); err != nil {
			t.Fatal(err)
		}
		if line := told.String(); !strings.Contains(line, c.want) || (c.want == "") != (line == "") || strings.Contains(line, "maija") {
			t.Errorf("%s\ntold is %q, want %s", c.event, line, c.want)
		}
	}
	told.Reset()
	h.Store = failing{m, "MarkBounced", errDown}
	if err := h.Handle(t.Context(), json.RawMessage(bounce("Permanent", id))); !errors.Is(err, errDown) || told.Len() > 0 {
		t.Errorf("what comes again is told already: %v, %q", err, told.String())
	}
}
