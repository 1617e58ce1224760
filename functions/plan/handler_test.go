package plan

import (
	"context"
	"encoding/json"
	"errors"

	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
)

// monday is a Monday morning, 10:00 in Helsinki.
var monday = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

const hour, day = time.Hour, 24 * time.Hour

// shop asks at once after a purchase, care a week after a large one.
func shop() *survey.Touchpoint {
	return touchpoint("shop", survey.Trigger{Event: events.PurchaseCompleted})
}

func care() *survey.Touchpoint {
	return touchpoint("care", survey.Trigger{
		Event: events.PurchaseCompleted, Delay: survey.Span(7 * day), When: []survey.Condition{{Field: "total", Min: new(50.0)}},
	})
}

func decisionOf(t testing.TB, w *world, contact, touchpoint string, o survey.Occasion) survey.Decision {
	t.Helper()
	d, ok := w.decisions[occasionKey{contact, touchpoint, o}]
	if !ok {
		t.Fatalf("nothing is decided for %s %s %s", contact, touchpoint, o)
	}
	return d
}

func TestEventIsPlanned(t *testing.T) {
	w := newWorld(t, monday, shop(), care())
	id := w.add(1, "Europe/Helsinki", nil)[0]
	happened := monday.Add(-hour)
	body := eventBody(t, purchase("order-1", id, happened))
	o := asking.OccasionOf(events.PurchaseCompleted, "order-1")
	for range 3 { // a repeat changes nothing but that the ask is queued again, which send tells
		w.handle(body)
	}
	now := queue.Ask{Touchpoint: "shop", Contact: id, Occasion: o, Due: monday, Ref: "4711", At: happened, About: "tuoli"}
	then := now
	then.Touchpoint, then.Due = "care", happened.Add(7*day)
	if diff := cmp.Diff([]queue.Ask{now, now, now}, w.took()); diff != "" {
		t.Errorf("queued (-want +got):\n%s", diff)
	}
	if s := w.waiting[scheduleName(then)]; len(w.waiting) != 1 || !s.at.Equal(then.Due) || !cmp.Equal(s.ask, then) {
		t.Errorf("scheduled %+v, want %+v", w.waiting, then)
	}
	for touchpoint, due := range map[string]time.Time{"shop": monday, "care": then.Due} {
		d := decisionOf(t, w, id, touchpoint, o)
		if d.Verdict != survey.Planned || d.Channel != survey.Email || !d.At.Equal(monday) || !d.Due.Equal(due) {
			t.Errorf("%s: decided %+v, want planned for %s", touchpoint, d, due)
		}
	}
}

// What was asked or refused already is left alone, and what was only planned is
// queued again for the moment it was planned for.
func TestRepeatedEvent(t *testing.T) {
	for _, c := range []struct {
		verdict survey.Verdict
		asks    int
	}{{survey.WasAsked, 0}, {survey.Refused, 0}, {survey.Planned, 1}} {
		w := newWorld(t, monday, shop())
		id := w.add(1, "Europe/Helsinki", nil)[0]
		was := survey.Decision{
			Contact: id, Touchpoint: "shop", Occasion: asking.OccasionOf(events.PurchaseCompleted, "o"),
			Verdict: c.verdict, At: monday.Add(-hour), Due: monday.Add(-30 * time.Minute),
		}
		w.keep(was)
		w.handle(eventBody(t, purchase("o", id, monday.Add(-2*hour))))
		asks := w.took()
		if len(asks) != c.asks || len(w.waiting) != 0 || c.asks == 1 && !asks[0].Due.Equal(was.Due) {
			t.Errorf("%s: queued %+v", c.verdict, asks)
		}
		if d := decisionOf(t, w, id, "shop", was.Occasion); d != was {
			t.Errorf("%s: decided %+v, was %+v", c.verdict, d, was)
		}
	}
}

// When an ask about an event is sent, and why one is refused ahead of time.
func TestWhenAnEventIsAskedAbout(t *testing.T) {
	saturday := monday.Add(5 * day)
	on := func(d, h, m int) time.Time { return time.Date(2026, 11, d, h-2, m, 0, 0, time.UTC) } // in Helsinki
	for _, c := range []struct {
		name     string
		trigger  survey.Trigger
		now      time.Time
		happened time.Time
		change   func(*world, *survey.Contact)
		queued   bool
		at       time.Time // zero where refused
		reason   survey.Reason
	}{
		{"at once", survey.Trigger{}, monday, monday, nil, true, monday, ""},
		{"a delay that is past", survey.Trigger{Delay: survey.Span(day)}, monday, monday.Add(-3 * day), nil, true, monday, ""},
		{"a minute ahead is now", survey.Trigger{Delay: survey.Span(hour)}, monday, monday.Add(time.Minute - hour), nil, true, monday.Add(time.Minute), ""},
		{"a second more is scheduled", survey.Trigger{Delay: survey.Span(hour)}, monday, monday.Add(time.Minute + time.Second - hour), nil, false, monday.Add(time.Minute + time.Second), ""},
		{"on a Saturday waits for Monday", survey.Trigger{}, saturday, saturday, nil, false, on(30, 8, 0), ""},
		{"at night waits for the morning", survey.Trigger{}, on(23, 22, 30), on(23, 22, 30), nil, false, on(24, 8, 0), ""},
		{"at its hour", survey.Trigger{Hour: 15}, monday, monday, nil, false, on(23, 15, 0), ""},
		{"due 14 days ago", survey.Trigger{}, monday, monday.Add(-14 * day), nil, true, monday, ""},
		{"due longer ago", survey.Trigger{}, monday, monday.Add(-14*day - time.Second), nil, false, time.Time{}, survey.TooLate},
		{"too late when it could be sent", survey.Trigger{Weekdays: []string{"sun"}}, monday, monday.Add(-9 * day), nil, false, time.Time{}, survey.TooLate},
		{"no address", survey.Trigger{}, monday, monday, func(_ *world, c *survey.Contact) { c.Email = "" }, false, time.Time{}, survey.NoAddress},
		{"opted out", survey.Trigger{}, monday, monday, func(_ *world, c *survey.Contact) {
			c.OptOuts = map[survey.Channel]time.Time{survey.Email: monday}
		}, false, time.Time{}, survey.OptedOut},
		{"another segment", survey.Trigger{Segments: []string{"vip"}}, monday, monday, nil, false, time.Time{}, survey.OutOfSegment},
		{"out of the sample", survey.Trigger{Sample: new(0)}, monday, monday, nil, false, time.Time{}, survey.OutOfSample},
		{"stopped for now", survey.Trigger{}, monday, monday, func(w *world, _ *survey.Contact) { w.touchpoints[0].Stopped = true }, true, monday, ""},
		{"asked elsewhere yesterday", survey.Trigger{}, monday, monday, func(_ *world, c *survey.Contact) {
			c.LastAskedAt = monday.Add(-day)
		}, false, time.Time{}, survey.OtherAsked},
		{"asked elsewhere, and rested when it is due", survey.Trigger{Delay: survey.Span(29 * day)}, monday, monday, func(_ *world, c *survey.Contact) {
			c.LastAskedAt = monday.Add(-day)
		}, false, monday.Add(29 * day), ""},
		{"asked here, too short before it is due", survey.Trigger{Delay: survey.Span(29 * day)}, monday, monday, func(_ *world, c *survey.Contact) {
			c.Asked = map[string]survey.Asked{"tp": {At: monday.Add(-30 * day)}}
		}, false, time.Time{}, survey.SameAsked},
		{"a turn comes", survey.Trigger{}, monday, monday, func(w *world, _ *survey.Contact) {
			w.touchpoints = append(w.touchpoints, touchpoint("relation", survey.Trigger{Every: survey.Monthly, Spread: new(false), On: "30"}))
		}, false, time.Time{}, survey.TurnComes},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.trigger.Event = events.PurchaseCompleted
			w := newWorld(t, c.now, touchpoint("tp", c.trigger))
			id := w.add(1, "Europe/Helsinki", nil)[0]
			if c.change != nil {
				c.change(w, w.contacts[id])
			}
			w.handle(eventBody(t, purchase("o", id, c.happened)))
			d := decisionOf(t, w, id, "tp", asking.OccasionOf(events.PurchaseCompleted, "o"))
			asks := w.took()
			if !d.At.Equal(c.now) {
				t.Errorf("decided at %s, want %s", d.At, c.now)
			}
			if c.at.IsZero() {
				if d.Verdict != survey.Refused || d.Reason != c.reason || len(asks)+len(w.waiting) != 0 {
					t.Errorf("decided %+v with %d asks, want refused for %s", d, len(asks)+len(w.waiting), c.reason)
				}
				return
			}
			for _, s := range w.waiting {
				if !s.at.Equal(c.at) {
					t.Errorf("scheduled for %s, want %s", s.at, c.at)
				}
				asks = append(asks, s.ask)
			}
			if d.Verdict != survey.Planned || !d.Due.Equal(c.at) || len(asks) != 1 || !asks[0].Due.Equal(c.at) {
				t.Fatalf("decided %+v and asks %+v, want one at %s", d, asks, c.at)
			}
			if queued := len(w.waiting) == 0; queued != c.queued {
				t.Errorf("queued at once: %t", queued)
			}
		})
	}
}

// The person an event is about is found, learns what it tells, or is new; where
// nobody asks about the event, nothing is kept.
func TestPersonOfAnEvent(t *testing.T) {
	about := func(c events.Contact) json.RawMessage {
		e := purchase("o", "", monday)
		e.Contact = c
		return eventBody(t, e)
	}
	w := newWorld(t, monday, shop())
	known := w.add(1, "Asia/Tokyo", func(c *survey.Contact) { c.Ref = "C-1" })[0]
	w.handle(about(events.Contact{Ref: "C-1", FirstName: "Aino"}))
	if c := w.contacts[known]; c.FirstName != "Aino" || len(w.contacts) != 1 || len(w.decisions) != 1 {
		t.Errorf("the known contact is %+v, of %d", c, len(w.contacts))
	}
	w.handle(about(events.Contact{ID: known, FirstName: "Eino"}))
	if c := w.contacts[known]; c.FirstName != "Aino" {
		t.Errorf("a contact named by id is %+v", c)
	}
	w.handle(about(events.Contact{Email: " New@Example.COM", Phone: "040 123 4567", Zone: "Asia/Tokyo", Segments: []string{"vip"}}))
	w.handle(about(events.Contact{Email: "wrong@", Phone: "+358 40 765 4321"})) // one address will do
	if len(w.contacts) != 3 || len(w.refused) != 0 {
		t.Fatalf("%d contacts, refused %+v", len(w.contacts), w.refused)
	}
	for _, c := range w.contacts {
		switch c.Number {
		case 2:
			if c.Email != "new@example.com" || c.Phone != "+358401234567" || c.Zone != "Asia/Tokyo" || len(c.Segments) != 1 {
				t.Errorf("the new contact is %+v", c)
			}
		case 3:
			if c.Email != "" || c.Phone != "+358407654321" || c.Zone != "Europe/Helsinki" {
				t.Errorf("the contact with a wrong address is %+v", c)
			}
		}
	}

	for name, define := range map[string][]*survey.Touchpoint{
		"no touchpoint":      {touchpoint("support", survey.Trigger{Event: events.TicketClosed}), touchpoint("q", survey.Trigger{Every: survey.Quarterly})},
		"conditions unmet":   {touchpoint("large", survey.Trigger{Event: events.PurchaseCompleted, When: []survey.Condition{{Field: "total", Min: new(81.0)}}})},
		"touchpoint removed": nil,
	} {
		w := newWorld(t, monday, define...)
		w.handle(about(events.Contact{Email: "new@example.com"}))
		if n := len(w.contacts) + len(w.decisions) + len(w.queue) + len(w.refused); n != 0 {
			t.Errorf("%s: %d things are kept", name, n)
		}
	}
}

// The envelope may tell the type and the time. What never can be planned is kept
// with the reason and holds up nothing.
func TestBadInput(t *testing.T) {
	good := `{"type":"purchase.completed","version":1,"id":"o","time":"2026-11-23T08:00:00Z","contact":{"email":"a@example.com"},"data":{}}`
	change := func(pairs ...string) string {
		out := strings.NewReplacer(pairs...).Replace(good)
		if out == good {
			t.Fatalf("%q changes nothing", pairs)
		}
		return out
	}
	in := func(detail string) string { return string(bridge(t, events.PurchaseCompleted, detail)) }
	noTime := strings.Replace(in(change(`"time":"2026-11-23T08:00:00Z",`, "")), `"time":"2026-11-23T08:00:00Z",`, "", 1)
	for _, c := range []struct {
		name, body, reason string // reason "" where it is planned
	}{
		{"a good event", in(good), ""},
		{"type and time of the envelope", in(change(`"type":"purchase.completed",`, "", `"time":"2026-11-23T08:00:00Z",`, "")), ""},
		{"no time anywhere", noTime, "time must be there"},
		{"no id", in(change(`"id":"o",`, "")), "id must be there"},
		{"wrong version", in(change(`"version":1`, `"version":7`)), "version must be 1, a version of purchase.completed"},
		{"type of another", in(change("purchase.completed", "ticket.closed")), "type must be the detail-type of the event"},
		{"unknown type", string(bridge(t, "dog.barked", change(`"type":"purchase.completed",`, ""))), "type must be one of"},
		{"no contact", in(change(`"contact":{"email":"a@example.com"},`, "")), "contact must be there"},
		{"empty contact", in(change(`{"email":"a@example.com"}`, "{}")), "contact must have at least one of id, ref, email, phone"},
		{"unknown contact id", in(change(`"email":"a@example.com"`, `"id":"AAAAAAAAAAAAAAAAAAAAAA"`)), "contact.id is of no contact"},
		{"unknown ref, no address", in(change(`"email":"a@example.com"`, `"ref":"C-77"`)), "contact is not known and has no address"},
		{"addresses that are none", in(change(`"email":"a@example.com"`, `"email":"nobody","phone":"12ab"`)), "e-mail address has no @; contact: phone number must not contain letters"},
		{"a zone that is none", in(change(`"a@example.com"`, `"a@example.com","zone":"Mars/Base"`)), "zone must be a time zone"},
		{"a field nobody knows", in(change(`"data"`, `"dta"`)), "dta is not a field of an event"},
		{"tomorrow", in(change("2026-11-23", "2026-11-24")), ""}, // to the second
		{"later than tomorrow", in(change("2026-11-23T08:00:00Z", "2026-11-24T08:00:01Z")), "time must not be in the future"},
		{"twice the same field", in(change(`"version":1`, `"version":1,"version":1`)), "version must be there once"},
		{"detail is a text", string(bridge(t, events.PurchaseCompleted, `"x"`)), "one JSON object"},
		{"no detail", `{"detail-type":"purchase.completed","source":"shop"}`, "is no event of EventBridge"},
		{"a detail-type that is no text", `{"detail-type":5,"detail":{}}`, "neither a tick nor an event"},
		{"malformed tick", `{"tick":"21.11.2026 9:00"}`, "is no tick"},
		{"tick of another kind", `{"tick":9}`, "is no tick"},
		{"tick with more", `{"tick":"2026-11-23T08:00:00Z","force":true}`, "is no tick"},
		{"tick and event", `{"tick":"2026-11-23T08:00:00Z","detail-type":"x"}`, "neither a tick nor an event"},
		{"something else", `{"Records":[]}`, "neither a tick nor an event"},
		{"null", `null`, "neither a tick nor an event"},
		{"a list", `[]`, "neither a tick nor an event"},
		{"no JSON", `{"tick`, "neither a tick nor an event"},
		{"nothing", ``, "neither a tick nor an event"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, monday, shop())
			w.handle(json.RawMessage(c.body))
			if c.reason == "" {
				if len(w.refused) != 0 || len(w.queue)+len(w.waiting) != 1 {
					t.Errorf("queued %d, refused %+v", len(w.queue), w.refused)
				}
				return
			}
			if len(w.refused) != 1 || w.refused[0].body != c.body || !strings.Contains(w.refused[0].reason, c.reason) {
				t.Fatalf("refused %+v, want for %q", w.refused, c.reason)
			}
			for _, personal := range []string{"a@example.com", "nobody", "12ab", "C-77"} {
				if strings.Contains(w.refused[0].reason, personal) {
					t.Errorf("the reason %q names %q", w.refused[0].reason, personal)
				}
			}
			if n := len(w.contacts) + len(w.decisions) + len(w.queue) + len(w.waiting) + w.planned.Version; n != 0 {
				t.Errorf("%d things are kept", n)
			}
		})
	}
}

// Lines of the log name the event and the contact by their fingerprints.
func TestLinesNameNobody(t *testing.T) {
	for line, contact := range map[string]events.Contact{
		"details were not taken": {Email: "a@example.com", Phone: "12ab"},
		"refused":                {Ref: "C-77"},
	} {
		w := newWorld(t, monday, shop())
		var log strings.Builder
		was := slog.Default()
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
		e := purchase("order-1", "", monday)
		e.Contact = contact
		w.handle(eventBody(t, e))
		slog.SetDefault(was)
		told := log.String()
		if !strings.Contains(told, line) || !strings.Contains(told, survey.Fingerprint("order-1")) {
			t.Errorf("%s: the log is %s", line, told)
		}
		names := []string{"order-1", "a@example.com", "12ab", "C-77", "4711"}
		for id := range w.contacts {
			if names = append(names, id); !strings.Contains(told, survey.Fingerprint(id)) {
				t.Errorf("%s: the contact is not in %s", line, told)
			}
		}
		for _, name := range names {
			if strings.Contains(told, name) {
				t.Errorf("%s: the log has %q: %s", line, name, told)
			}
		}
	}
}

// Every failure of what the handler calls is an error, so that Lambda tries
// again; nothing is refused for it.
func TestEveryFailureIsAnError(t *testing.T) {
	newcomer := purchase("o2", "", monday)
	newcomer.Contact = events.Contact{Ref: "C-1"}
	bodies := map[string]func(id string) json.RawMessage{
		"tick":  func(string) json.RawMessage { return tickBody(monday) },
		"event": func(id string) json.RawMessage { return eventBody(t, purchase("order-1", id, monday)) },
		"ref":   func(string) json.RawMessage { return eventBody(t, newcomer) },
		"bad":   func(string) json.RawMessage { return json.RawMessage(`{}`) },
	}
	everyone := touchpoint("everyone", survey.Trigger{Every: survey.Monthly, Spread: new(false), On: "23", Hour: 10})
	for _, call := range []string{
		"All", "Rulebook", "Contact", "FindContact", "Upsert", "Decision", "PutDecision", "PutDecisions", "Zones", "Planned", "PutPlanned",
		"EachOfCohort", "ContactsByID", "SendAsks", "At", "SendRefused",
	} {
		failed := 0
		for name, body := range bodies {
			// Its first call fails, then its second, until there are no more. They
			// are counted by name: workers make theirs in any order.
			for n := 1; ; n++ {
				w := newWorld(t, monday, shop(), care(), everyone)
				w.rules.Rest = new(survey.Span(0))
				id := w.add(1, "Europe/Helsinki", func(c *survey.Contact) { c.Ref = "C-1" })[0]
				w.add(1, "Europe/Helsinki", func(c *survey.Contact) { c.Email = "" })
				calls := 0
				w.trouble = func(is string, after bool) error {
					if after || is != call {
						return nil
					}
					if calls++; calls == n {
						return errors.New("trouble")
					}
					return nil
				}
				err := w.h.Handle(context.Background(), body(id))
				if calls < n {
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
					break
				}
				failed++
				if err == nil || !strings.Contains(err.Error(), "trouble") || len(w.refused) != 0 {
					t.Errorf("%s, %s %d: error %v, refused %+v", name, call, n, err, w.refused)
				} else if strings.Contains(err.Error(), id) || strings.Contains(err.Error(), "order-1") {
					t.Errorf("%s, %s %d: the error %v is logged, and names whom it is about", name, call, n, err)
				}
			}
		}
		if failed == 0 {
			t.Errorf("%s never failed", call)
		}
	}
}

func FuzzHandle(f *testing.F) {
	f.Add([]byte(`{"tick":"2026-11-23T08:00:00Z"}`))
	f.Add([]byte(eventBody(f, purchase("o", "AAAAAAAAAAAAAAAAAAAAAA", monday))))
	f.Add([]byte(bridge(f, events.PurchaseCompleted, `{"version":1,"id":"o","contact":{"email":"a@example.com"}}`)))
	f.Add([]byte(`{"tick":null,"detail-type":"x","detail":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		w := newWorld(t, monday, shop(), care())
		if err := w.h.Handle(context.Background(), body); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		for _, a := range w.took() {
			b, err := a.Encode()
			if err != nil {
				t.Fatal(err)
			}
			// The ids of the test's contacts are of the right length.
			if _, err := queue.DecodeAsk(b); err != nil {
				t.Fatalf("%q queued %s: %v", body, b, err)
			}
		}
	})
}
