package plan

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the tests provoke what is logged
	m.Run()
}

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// world is all that a handler has to do with, in memory, and a model of send.
// Any call can be made to fail.
type world struct {
	t     fataler
	h     *Handler
	clock *testkit.Clock

	mu          sync.Mutex
	touchpoints []*survey.Touchpoint
	rules       survey.Rules
	contacts    map[string]*survey.Contact
	decisions   map[occasionKey]survey.Decision
	planned     store.Planned
	queue       []queue.Ask
	waiting     map[string]waiting // by name
	refused     []refusedBody
	sent        map[occasionKey][]time.Time
	trouble     func(call string, after bool) error // nil for none
}

type occasionKey struct {
	contact, touchpoint string
	occasion            survey.Occasion
}

type waiting struct {
	at  time.Time
	ask queue.Ask
}

type refusedBody struct {
	body   string
	reason string
}

func newWorld(t fataler, at time.Time, touchpoints ...*survey.Touchpoint) *world {
	w := &world{
		t: t, clock: testkit.NewClock(at),
		contacts: map[string]*survey.Contact{}, decisions: map[occasionKey]survey.Decision{},
		waiting: map[string]waiting{}, sent: map[occasionKey][]time.Time{},
	}
	w.define(touchpoints...)
	w.h = &Handler{Store: memory{w}, Catalog: w, Queue: w, Schedules: w, Refused: w, Now: w.clock.Now}
	return w
}

// define puts touchpoints in force instead of those that are.
func (w *world) define(touchpoints ...*survey.Touchpoint) {
	w.t.Helper()
	for _, t := range touchpoints {
		if err := t.Validate(); err != nil {
			w.t.Fatal(err)
		}
	}
	w.touchpoints = touchpoints
}

func touchpoint(id string, g survey.Trigger) *survey.Touchpoint {
	return &survey.Touchpoint{
		ID: id, Version: 1, Series: 1, Phase: survey.After, Metric: survey.NPS, Locales: []string{"fi"},
		Channels: []survey.Channel{survey.Email, survey.SMS},
		Name:     survey.Text{"fi": id}, Question: survey.Text{"fi": "Suosittelisitko?"}, Trigger: &g,
	}
}

// add adds contacts with numbers from the next on, made a year ago, each as it
// is changed.
func (w *world) add(n int, zone string, change func(*survey.Contact)) (ids []string) {
	for range n {
		id := fmt.Sprintf("contact%015d", len(w.contacts)+1)
		c := &survey.Contact{
			ID: id, Number: int64(len(w.contacts) + 1), Version: 1, Email: id + "@example.com", Zone: zone,
			CreatedAt: w.clock.Now().AddDate(-1, 0, 0),
		}
		if change != nil {
			change(c)
		}
		w.contacts[id] = c
		ids = append(ids, id)
	}
	return ids
}

// step is one call: trouble may come before or after its effect.
func (w *world) step(call string, do func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.trouble == nil {
		return do()
	}
	if err := w.trouble(call, false); err != nil {
		return err
	}
	err := do()
	if lost := w.trouble(call, true); lost != nil {
		return lost
	}
	return err
}

func (w *world) All(context.Context) (all []*survey.Touchpoint, err error) {
	err = w.step("All", func() error { all = w.touchpoints; return nil })
	return all, err
}

func (w *world) Rulebook(context.Context) (b *asking.Rulebook, err error) {
	err = w.step("Rulebook", func() error { b = asking.NewRulebook(w.rules); return nil })
	return b, err
}

func (w *world) SendAsks(_ context.Context, asks []queue.Ask) error {
	return w.step("SendAsks", func() error { w.queue = append(w.queue, asks...); return nil })
}

func (w *world) At(_ context.Context, at time.Time, name string, a queue.Ask) error {
	return w.step("At", func() error { w.wait(at, name, a); return nil })
}

func (w *world) wait(at time.Time, name string, a queue.Ask) {
	if _, ok := w.waiting[name]; !ok {
		w.waiting[name] = waiting{at, a}
	}
}

func (w *world) SendRefused(_ context.Context, body []byte, reason string) error {
	return w.step("SendRefused", func() error {
		w.refused = append(w.refused, refusedBody{string(body), reason})
		return nil
	})
}

// memory is the store of a world.
type memory struct{ w *world }

func (s memory) clone(c *survey.Contact) *survey.Contact {
	out := *c
	out.Asked = maps.Clone(c.Asked)
	return &out
}

func noContact() error { return survey.Errorf(survey.NotFound, "contact", "there is no such contact") }

func (s memory) Contact(_ context.Context, id string) (c *survey.Contact, err error) {
	err = s.w.step("Contact", func() error {
		if s.w.contacts[id] == nil {
			return noContact()
		}
		c = s.clone(s.w.contacts[id])
		return nil
	})
	return c, err
}

func (s memory) ContactsByID(_ context.Context, ids []string) (out map[string]*survey.Contact, err error) {
	err = s.w.step("ContactsByID", func() error {
		out = map[string]*survey.Contact{}
		for _, id := range ids {
			if c := s.w.contacts[id]; c != nil {
				out[id] = s.clone(c)
			}
		}
		return nil
	})
	return out, err
}

func (s memory) FindContact(_ context.Context, field, value string) (c *survey.Contact, err error) {
	err = s.w.step("FindContact", func() error {
		for _, is := range s.w.contacts {
			if value == map[string]string{"ref": is.Ref, "email": is.Email, "phone": is.Phone}[field] {
				c = s.clone(is)
				return nil
			}
		}
		return noContact()
	})
	return c, err
}

func (s memory) Upsert(_ context.Context, rows []survey.Details, now time.Time) (out []store.Outcome, err error) {
	err = s.w.step("Upsert", func() error {
		for _, d := range rows {
			out = append(out, s.upsert(d, now))
		}
		return nil
	})
	return out, err
}

func (s memory) upsert(d survey.Details, now time.Time) store.Outcome {
	if err := d.Check(); err != nil {
		e, _ := errors.AsType[*survey.Error](err)
		return store.Outcome{Result: store.Refused, Problems: []store.Problem{{Field: e.Field, Message: e.Message}}}
	}
	for _, c := range s.w.contacts {
		if d.Ref != "" && c.Ref == d.Ref || d.Email != "" && c.Email == d.Email || d.Phone != "" && c.Phone == d.Phone {
			c.Merge(d, now)
			return store.Outcome{Contact: c.ID, Result: store.Changed}
		}
	}
	id := s.w.add(1, asking.NewRulebook(s.w.rules).Rules().Zone, func(c *survey.Contact) {
		c.Email, c.CreatedAt = "", now
		c.Merge(d, now)
	})[0]
	return store.Outcome{Contact: id, Result: store.Added}
}

func (s memory) EachOfCohort(_ context.Context, cohort int, zone string, yield func(ids []string) error) error {
	var ids []string
	err := s.w.step("EachOfCohort", func() error {
		for id, c := range s.w.contacts {
			if asking.Cohort(c.Number) == cohort && c.Zone == zone {
				ids = append(ids, id)
			}
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	return yield(ids)
}

func (s memory) Zones(context.Context) (out []string, err error) {
	err = s.w.step("Zones", func() error {
		zones := map[string]bool{}
		for _, c := range s.w.contacts {
			zones[c.Zone] = true
		}
		out = slices.Sorted(maps.Keys(zones))
		return nil
	})
	return out, err
}

func (s memory) Decision(_ context.Context, contact, touchpoint string, o survey.Occasion) (d survey.Decision, err error) {
	err = s.w.step("Decision", func() error {
		var ok bool
		if d, ok = s.w.decisions[occasionKey{contact, touchpoint, o}]; !ok {
			return survey.Errorf(survey.NotFound, "occasion", "nothing has been decided on this occasion")
		}
		return nil
	})
	return d, err
}

func (s memory) PutDecision(_ context.Context, d survey.Decision) error {
	return s.w.step("PutDecision", func() error { s.w.keep(d); return nil })
}

func (s memory) PutDecisions(_ context.Context, ds []survey.Decision) error {
	return s.w.step("PutDecisions", func() error {
		for _, d := range ds {
			s.w.keep(d)
		}
		return nil
	})
}

// keep keeps a decision, as the store does: that somebody was asked stays.
func (w *world) keep(d survey.Decision) {
	k := occasionKey{d.Contact, d.Touchpoint, d.Occasion}
	if w.decisions[k].Verdict != survey.WasAsked || d.Verdict == survey.WasAsked {
		w.decisions[k] = d
	}
}

func (s memory) Planned(context.Context) (p store.Planned, err error) {
	err = s.w.step("Planned", func() error { p = s.w.planned; return nil })
	return p, err
}

func (s memory) PutPlanned(_ context.Context, was, p store.Planned) error {
	return s.w.step("PutPlanned", func() error {
		if was.Version != s.w.planned.Version {
			return survey.Errorf(survey.Conflict, "version", "the plan has been changed meanwhile")
		}
		p.Version = was.Version + 1
		s.w.planned = p
		return nil
	})
}

// tick moves the clock to a moment and plans it.
func (w *world) tick(at time.Time) {
	w.t.Helper()
	w.clock.Move(at.Sub(w.clock.Now()))
	if err := w.h.Handle(context.Background(), tickBody(at)); err != nil {
		w.t.Fatalf("tick %s: %v", at, err)
	}
}

// ticks plans every hour from a moment to another, included.
func (w *world) ticks(from, to time.Time) {
	w.t.Helper()
	for ; !from.After(to); from = from.Add(time.Hour) {
		w.tick(from)
	}
}

func tickBody(at time.Time) json.RawMessage {
	return json.RawMessage(`{"tick":"` + at.UTC().Format(time.RFC3339) + `"}`)
}

// eventBody returns a business event as EventBridge brings it.
func eventBody(t fataler, e events.Event) json.RawMessage {
	t.Helper()
	detail, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return bridge(t, e.Type, string(detail))
}

func bridge(t fataler, detailType, detail string) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(map[string]any{
		"version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": detailType, "source": "shop",
		"account": "123456789012", "time": "2026-11-23T08:00:00Z", "region": "eu-north-1", "resources": []string{},
		"detail": json.RawMessage(detail),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// purchase returns a purchase by a contact.
func purchase(id, contact string, at time.Time) events.Event {
	return events.Event{
		Type: events.PurchaseCompleted, Version: 1, ID: id, Time: at, Contact: events.Contact{ID: contact},
		Data: map[string]any{"ref": "4711", "about": "tuoli", "total": 80.0, "currency": "EUR"},
	}
}

// handle handles a body, which must work.
func (w *world) handle(body json.RawMessage) {
	w.t.Helper()
	if err := w.h.Handle(context.Background(), body); err != nil {
		w.t.Fatal(err)
	}
}

// took takes what is queued, in an order that does not depend on who was faster.
func (w *world) took() []queue.Ask {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.queue
	w.queue = nil
	slices.SortStableFunc(out, func(a, b queue.Ask) int {
		return cmp.Or(cmp.Compare(a.Contact, b.Contact), cmp.Compare(a.Touchpoint, b.Touchpoint), cmp.Compare(a.Occasion, b.Occasion))
	})
	return out
}

// due queues what has waited for its moment until now.
func (w *world) due() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(w.waiting)) {
		if s := w.waiting[name]; !s.at.After(w.clock.Now()) {
			w.queue = append(w.queue, s.ask)
			delete(w.waiting, name)
		}
	}
}

// send is what send does with a message, each time that it comes.
func (w *world) send(a queue.Ask) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	k := occasionKey{a.Contact, a.Touchpoint, a.Occasion}
	id, now := fmt.Sprint(k), w.clock.Now()
	c := w.contacts[a.Contact]
	i := slices.IndexFunc(w.touchpoints, func(t *survey.Touchpoint) bool { return t.ID == a.Touchpoint })
	if c == nil || i < 0 {
		w.t.Fatalf("nothing is known of %+v", a)
	}
	if len(w.sent[k]) > 0 {
		return
	}
	t := w.touchpoints[i]
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		w.t.Fatal(err)
	}
	book := asking.NewRulebook(w.rules)
	d := book.Decide(asking.Question{
		Contact: c, Touchpoint: t, Cadences: w.touchpoints, Occasion: a.Occasion, Due: a.Due, Now: now, Ask: id, Zone: zone,
	})
	switch {
	case d.Verdict == survey.Refused:
	case !book.Sendable(t.Trigger, zone, now):
		at, ok := book.Next(t.Trigger, zone, now)
		if !ok {
			w.t.Fatalf("no day is open for %+v", a)
		}
		w.wait(at, fmt.Sprint("send", k, at), a)
		d.Due = at
	default:
		w.sent[k] = append(w.sent[k], now)
		if c.Asked == nil {
			c.Asked = map[string]survey.Asked{}
		}
		c.Asked[t.ID] = survey.Asked{At: now, Ask: id}
		c.LastAskedAt, c.LastAsk = now, id
		d.Verdict, d.Ask = survey.WasAsked, id
	}
	w.keep(d)
}

// deliver gives what is queued to send, each message so often.
func (w *world) deliver(times int) {
	w.t.Helper()
	w.due()
	for _, a := range w.took() {
		for range times {
			w.send(a)
		}
	}
}
