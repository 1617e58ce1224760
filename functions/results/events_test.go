package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

func sampleEvent(t testing.TB, typ string) string {
	t.Helper()
	b, err := events.Sample(typ)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func batchOf(es ...string) string { return `{"events":[` + strings.Join(es, ",") + `]}` }

func TestTakeEvents(t *testing.T) {
	var each []string
	for _, typ := range events.Types() {
		each = append(each, sampleEvent(t, typ))
	}
	short := func(id int) string {
		return fmt.Sprintf(`{"type":"custom","version":1,"id":"e-%d","time":"2026-11-21T10:00:00Z","contact":{"ref":"a"},"data":{"name":"x"}}`, id)
	}
	var ten []string
	for i := range 10 {
		ten = append(ten, short(i))
	}
	tests := []struct {
		name string
		body string
		want string
	}{
		{"ten", batchOf(ten...), `{"accepted":10,"ids":["e-0","e-1","e-2","e-3","e-4","e-5","e-6","e-7","e-8","e-9"]}`},
		{"a list of one", batchOf(short(1)), `{"accepted":1,"ids":["e-1"]}`},
		{"one twice", batchOf(short(1), short(1)), `{"accepted":2,"ids":["e-1","e-1"]}`},
	}
	for i, typ := range events.Types() {
		var e events.Event
		if err := json.Unmarshal([]byte(each[i]), &e); err != nil {
			t.Fatal(err)
		}
		tests = append(tests, struct{ name, body, want string }{typ, each[i], `{"accepted":1,"ids":["` + e.ID + `"]}`})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := &bus{}
			c := caller{t, &Handler{Bus: b, Rules: book{}}}
			resp := c.do("POST /api/events", "", "", tt.body)
			c.want(resp, http.StatusAccepted, nil)
			if resp.Body != tt.want {
				t.Errorf("got %s, want %s", resp.Body, tt.want)
			}
			if b.source != topology.APISource {
				t.Errorf("the source is %q", b.source)
			}
			var ids []string
			for _, e := range b.got {
				ids = append(ids, e.ID)
				if _, err := e.Encode(); err != nil {
					t.Error(err)
				}
			}
			var answer takenEvents
			c.want(resp, http.StatusAccepted, &answer)
			if !slices.Equal(answer.IDs, ids) {
				t.Errorf("%q are on the bus", ids)
			}
		})
	}
}

// TestAnEventArrivesWhole: what is put on the bus is what was posted.
func TestAnEventArrivesWhole(t *testing.T) {
	b := &bus{}
	c := caller{t, &Handler{Bus: b, Rules: book{}}}
	c.want(c.do("POST /api/events", "", "", sampleEvent(t, events.TicketClosed)), http.StatusAccepted, nil)
	want, err := events.Decode([]byte(sampleEvent(t, events.TicketClosed)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]events.Event{want}, b.got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTakeEventsRefuses(t *testing.T) {
	good := sampleEvent(t, events.Custom)
	with := func(old, new string) string {
		t.Helper()
		out := strings.Replace(good, old, new, 1)
		if out == good {
			t.Fatalf("the sample has no %s", old)
		}
		return out
	}
	eleven := slices.Repeat([]string{`{}`}, 11)
	tests := []struct {
		name, body string
		status     int
		code       survey.Code
		field, msg string
	}{
		{"a wrong version", with(`"version": 1`, `"version": 2`), 400, survey.Invalid, "version", "version must be 1, a version of custom"},
		{"an unknown type", with(`"type": "custom"`, `"type": "customs"`), 400, survey.Invalid, "type", "type must be one of purchase.completed, "},
		{"no contact", with(`"contact"`, `"person"`), 400, survey.Invalid, "contact", "contact must be there"},
		{"an unknown field", with(`"version"`, `"source": "crm", "version"`), 400, survey.UnknownField, "source", "source is not a field of an event"},
		{"an e-mail address that is none", with(`"email": "aino.virtanen@example.com"`, `"email": "x"`), 400, survey.Invalid, "contact.email", "contact.email: e-mail address has no @"},
		{"letters in a second's phone number", batchOf(good, with(`"ref": "C-1001"`, `"ref": "C-1001", "phone": "040 call me"`)), 400, survey.Invalid, "events[1].contact.phone", "events[1].contact.phone: "},
		{"a second that is bad", batchOf(good, with(`"ref": "C-1001"`, `"ref": 1001`)), 400, survey.Invalid, "events[1].contact.ref", "events[1].contact.ref must be a text"},
		{"a second with an unknown field", batchOf(good, with(`"version"`, `"x": 1, "version"`)), 400, survey.UnknownField, "events[1].x", "events[1].x is not a field of an event"},
		{"two that are bad", batchOf(with(`"data"`, `"date"`), with(`"id"`, `"no"`)), 400, survey.Invalid, "events[0].data", "events[0].data must be there"},
		{"a list in the list", batchOf(good, "[]"), 400, survey.Invalid, "events[1]", "events[1]: an event must be one JSON object"},
		{"null in the list", batchOf("null"), 400, survey.Invalid, "events[0]", "events[0]: an event must be one JSON object"},
		{"no events", batchOf(), 400, survey.Invalid, "events", "events must be from 1 to 10"},
		{"events that are null", `{"events":null}`, 400, survey.Invalid, "events", "events must be from 1 to 10"},
		{"eleven", batchOf(eleven...), 400, survey.Invalid, "events", "events must be from 1 to 10"},
		{"events that are an object", `{"events":{}}`, 400, survey.Invalid, "events", "events must be a list, not object"},
		{"events beside something", `{"events":[],"source":"crm"}`, 400, survey.UnknownField, "source", "source is not a field of this request"},
		{"events twice", `{"events":[` + good + `],"events":[]}`, 400, survey.Invalid, "events", "events must be there once"},
		{"EVENTS", `{"EVENTS":[` + good + `]}`, 400, survey.UnknownField, "EVENTS", "EVENTS is not a field of this request"},
		{"a bare list", `[` + good + `]`, 400, survey.Invalid, "body", "an event must be one JSON object"},
		{"half of one", good[:len(good)/2], 400, survey.Invalid, "body", "an event must be one JSON object"},
		{"a body over its limit", good + strings.Repeat(" ", apigw.MaxBody+1-len(good)), 413, survey.TooLarge, "body", "body must be at most 16384 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := &bus{}
			c := caller{t, &Handler{Bus: b, Rules: book{}}}
			c.refused(c.do("POST /api/events", "", "", tt.body), tt.status, tt.code, tt.field, tt.msg)
			if len(b.got) > 0 {
				t.Errorf("%d are on the bus all the same", len(b.got))
			}
		})
	}
	c := caller{t, &Handler{Bus: &bus{}, Rules: book{}}}
	c.want(c.do("POST /api/events", "", "", good+strings.Repeat(" ", apigw.MaxBody-len(good))), http.StatusAccepted, nil)
	c.refused(c.do("POST /api/events", "", "", ""), 415, survey.UnsupportedType, "content-type", "must be application/json")
	c.refused(c.do("POST /api/events", "", "source=crm", good), 400, survey.UnknownField, "source", "which has none")

	c.h.Bus = &bus{err: errors.New("the bus is on fire")}
	if resp := c.do("POST /api/events", "", "", good); resp.StatusCode != http.StatusInternalServerError || strings.Contains(resp.Body, "fire") {
		t.Errorf("a bus that fails: %d %s", resp.StatusCode, resp.Body)
	}
}

func FuzzDecodeEvents(f *testing.F) {
	good := sampleEvent(f, events.Custom)
	for _, s := range []string{good, batchOf(good, good), batchOf("null"), `{"events":{}}`, `{"Events":[]}`, "", "[" + good + "]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		es, places, err := decodeEvents(b)
		if err != nil {
			if survey.CodeOf(err) == survey.Internal {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		if len(es) < 1 || len(es) > maxEvents || len(places) != len(es) {
			t.Fatalf("%d events", len(es))
		}
	})
}
