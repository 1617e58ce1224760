package send

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// monday is a Monday morning, 10:00 in Helsinki.
var monday = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// world is all that a handler has to do with: a real store, and everything else
// in memory. Any call can be made to fail.
type world struct {
	*store.Store // calls of the test's own go there
	t            testing.TB
	h            *Handler
	clock        *testkit.Clock
	touchpoints  map[string]*survey.Touchpoint
	rules        survey.Rules

	mu        sync.Mutex
	trouble   func(call string, after bool) error // nil for none; may panic
	sent      []message.Message
	waiting   map[string]waiting // by name
	delays    []time.Duration
	meddler   func(c *survey.Contact) // changes what is read of a contact
	transport func(m message.Message) error
}

type waiting struct {
	at  time.Time
	ask queue.Ask
}

func newWorld(t testing.TB) *world {
	t.Helper()
	clock := testkit.NewClock(monday)
	w := &world{
		Store: testkit.NewTables(t).Store, t: t, clock: clock, rules: survey.Rules{Company: "Kauppa Oy"},
		waiting: map[string]waiting{}, touchpoints: map[string]*survey.Touchpoint{},
	}
	for _, tp := range []survey.Touchpoint{
		{ID: "shop", Metric: survey.NPS, Trigger: &survey.Trigger{Event: "purchase.completed", Reminder: survey.Span(3 * 24 * time.Hour)}},
		{ID: "support", Metric: survey.CSAT, Trigger: &survey.Trigger{Event: "ticket.closed"}},
		{ID: "relation", Metric: survey.NPS, Trigger: &survey.Trigger{Every: survey.Quarterly, Segments: []string{"loyal"}}},
	} {
		tp.Series, tp.Phase, tp.Locales = 3, survey.After, []string{"fi", "en"}
		tp.Channels = []survey.Channel{survey.Email, survey.SMS}
		tp.Name, tp.Question = survey.Text{"fi": tp.ID}, survey.Text{"fi": "Suosittelisitko meitä?", "en": "Would you recommend us?"}
		if err := tp.Validate(); err != nil {
			t.Fatal(err)
		}
		w.touchpoints[tp.ID] = &tp
	}
	w.h = &Handler{
		Store: faultyStore{w}, Catalog: faultyCatalog{w}, Schedules: w, Queue: w,
		Transports: map[survey.Channel]Transport{survey.Email: w, survey.SMS: w},
		Secret:     []byte(strings.Repeat("s", 32)), PublicURL: "https://answer.example.com", Now: clock.Now,
	}
	return w
}

// step is one call: trouble may come before or after its effect.
func (w *world) step(call string, do func() error) error {
	w.mu.Lock()
	trouble := w.trouble
	w.mu.Unlock()
	if trouble == nil {
		return do()
	}
	if err := trouble(call, false); err != nil {
		return err
	}
	err := do()
	if lost := trouble(call, true); lost != nil {
		return lost
	}
	return err
}

func (w *world) At(_ context.Context, at time.Time, name string, a queue.Ask) error {
	return w.step("At", func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if _, ok := w.waiting[name]; !ok {
			w.waiting[name] = waiting{at, a}
		}
		return nil
	})
}

func (w *world) Delay(_ context.Context, _ string, d time.Duration) error {
	return w.step("Delay", func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.delays = append(w.delays, d)
		return nil
	})
}

func (w *world) Send(_ context.Context, m message.Message) (string, error) {
	err := w.step("Send", func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.transport != nil {
			if err := w.transport(m); err != nil {
				return err
			}
		}
		w.sent = append(w.sent, m)
		return nil
	})
	return fmt.Sprint("service-", len(w.sent)), err
}

// faultyCatalog knows the world's touchpoints.
type faultyCatalog struct{ *world }

func (c faultyCatalog) All(context.Context) (all []*survey.Touchpoint, err error) {
	err = c.step("All", func() error {
		for _, t := range c.touchpoints {
			all = append(all, t)
		}
		return nil
	})
	return all, err
}

func (c faultyCatalog) Touchpoint(_ context.Context, id string) (t *survey.Touchpoint, err error) {
	err = c.step("Touchpoint", func() error {
		if t = c.touchpoints[id]; t == nil {
			return survey.Errorf(survey.NotFound, "touchpoint", "there is no such touchpoint")
		}
		return nil
	})
	return t, err
}

func (c faultyCatalog) Series(_ context.Context, k store.SeriesKey) (t *survey.Touchpoint, err error) {
	err = c.step("Series", func() error {
		if t = c.touchpoints[k.Touchpoint]; t == nil || t.Series != k.Series {
			if t = c.touchpoints[k.String()]; t == nil { // an ended series
				return survey.Errorf(survey.NotFound, "series", "there is no such series")
			}
		}
		return nil
	})
	return t, err
}

func (c faultyCatalog) Rulebook(context.Context) (b *asking.Rulebook, err error) {
	err = c.step("Rulebook", func() error { b = asking.NewRulebook(c.rules); return nil })
	return b, err
}

// faultyStore is the store as the handler sees it.
type faultyStore struct{ w *world }

func (s faultyStore) Contact(ctx context.Context, id string) (c *survey.Contact, err error) {
	err = s.w.step("Contact", func() (err error) {
		if c, err = s.w.Contact(ctx, id); err == nil && s.w.meddler != nil {
			s.w.meddler(c)
		}
		return err
	})
	return c, err
}

func (s faultyStore) Ask(ctx context.Context, id string) (a *survey.Ask, err error) {
	err = s.w.step("Ask", func() (err error) { a, err = s.w.Ask(ctx, id); return err })
	return a, err
}

func (s faultyStore) TakeTurn(ctx context.Context, t store.Turn) error {
	return s.w.step("TakeTurn", func() error { return s.w.TakeTurn(ctx, t) })
}

func (s faultyStore) CreateAsk(ctx context.Context, a *survey.Ask) error {
	return s.w.step("CreateAsk", func() error { return s.w.CreateAsk(ctx, a) })
}

func (s faultyStore) TryAsk(ctx context.Context, id string, last, at time.Time) error {
	return s.w.step("TryAsk", func() error { return s.w.TryAsk(ctx, id, last, at) })
}

func (s faultyStore) ReleaseAsk(ctx context.Context, id string, at time.Time) error {
	return s.w.step("ReleaseAsk", func() error { return s.w.ReleaseAsk(ctx, id, at) })
}

func (s faultyStore) RefuseAsk(ctx context.Context, id string, at time.Time) error {
	return s.w.step("RefuseAsk", func() error { return s.w.RefuseAsk(ctx, id, at) })
}

func (s faultyStore) MarkSent(ctx context.Context, id string, at time.Time) error {
	return s.w.step("MarkSent", func() error { return s.w.MarkSent(ctx, id, at) })
}

func (s faultyStore) MarkReminded(ctx context.Context, id string, at time.Time) error {
	return s.w.step("MarkReminded", func() error { return s.w.MarkReminded(ctx, id, at) })
}

func (s faultyStore) ReleaseReminder(ctx context.Context, id string, at time.Time) error {
	return s.w.step("ReleaseReminder", func() error { return s.w.ReleaseReminder(ctx, id, at) })
}

func (s faultyStore) PutDecision(ctx context.Context, d survey.Decision) error {
	return s.w.step("PutDecision", func() error { return s.w.PutDecision(ctx, d) })
}

// contact adds somebody with an e-mail address, changed by change.
func (w *world) contact(change func(d *survey.Details)) string {
	w.t.Helper()
	d := survey.Details{Ref: survey.NewID(), FirstName: "Maija", Zone: "Europe/Helsinki", Locale: "fi", Segments: []string{"members"}}
	d.Email = strings.ToLower(d.Ref) + "@example.com"
	if change != nil {
		change(&d)
	}
	out, err := w.Upsert(w.t.Context(), []survey.Details{d}, monday.Add(-1000*time.Hour))
	if err != nil || out[0].Result != store.Added || len(out[0].Problems) > 0 {
		w.t.Fatalf("adding a contact: %+v, %v", out, err)
	}
	return out[0].Contact
}

// purchase returns the message about a purchase by a contact, due now.
func (w *world) purchase(contact string) queue.Ask {
	return queue.Ask{
		Touchpoint: "shop", Contact: contact, Occasion: asking.OccasionOf("purchase.completed", "order-"+contact),
		Due: w.clock.Now(), Ref: "4711", At: w.clock.Now().Add(-72 * time.Hour), About: "tuoli",
	}
}

// batch returns messages as SQS delivers them, received for the nth time.
func batch(t testing.TB, receives int, asks ...queue.Ask) events.SQSEvent {
	t.Helper()
	var e events.SQSEvent
	for i, a := range asks {
		body, err := a.Encode()
		if err != nil {
			t.Fatal(err)
		}
		e.Records = append(e.Records, events.SQSMessage{
			MessageId: strconv.Itoa(i), ReceiptHandle: "r" + strconv.Itoa(i), Body: string(body),
			Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(receives)},
		})
	}
	return e
}

// deliver delivers messages and returns which come again, by index.
func (w *world) deliver(asks ...queue.Ask) []string {
	w.t.Helper()
	resp, err := w.h.Handle(w.t.Context(), batch(w.t, 1, asks...))
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, f := range resp.BatchItemFailures {
		out = append(out, f.ItemIdentifier)
	}
	return out
}

// done delivers messages that must not come again.
func (w *world) done(asks ...queue.Ask) {
	w.t.Helper()
	if again := w.deliver(asks...); len(again) > 0 {
		w.t.Fatalf("messages %v come again", again)
	}
}

// again delivers one message that must come again.
func (w *world) again(a queue.Ask) {
	w.t.Helper()
	if len(w.deliver(a)) != 1 {
		w.t.Fatal("the message does not come again")
	}
}

func (w *world) askOf(a queue.Ask) *survey.Ask {
	w.t.Helper()
	ask, err := found(w.Ask(w.t.Context(), w.h.askID(a)))
	if err != nil {
		w.t.Fatal(err)
	}
	return ask
}

// decision returns what was decided, zero where nothing was.
func (w *world) decision(a queue.Ask) survey.Decision {
	w.t.Helper()
	o := a.Occasion
	if a.Reminder {
		o = o.ReminderOf()
	}
	d, err := w.Decision(w.t.Context(), a.Contact, a.Touchpoint, o)
	if err != nil && survey.CodeOf(err) != survey.NotFound {
		w.t.Fatal(err)
	}
	return d
}

// wasRefused fails unless the occasion was refused for a reason.
func (w *world) wasRefused(a queue.Ask, why survey.Reason) {
	w.t.Helper()
	if d := w.decision(a); d.Verdict != survey.Refused || d.Reason != why {
		w.t.Errorf("decided %q for %q, want refused for %q", d.Verdict, d.Reason, why)
	}
}

// sentTo returns the messages that went out about an ask.
func (w *world) sentTo(a queue.Ask) []message.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := w.h.askID(a)
	return slices.DeleteFunc(slices.Clone(w.sent), func(m message.Message) bool { return m.Ask != id || m.Reminder != a.Reminder })
}

// wait returns the only message that is scheduled, and takes it.
func (w *world) wait() waiting {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) != 1 {
		w.t.Fatalf("%d messages are scheduled, want 1", len(w.waiting))
	}
	var out waiting
	for name, x := range w.waiting {
		if len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			w.t.Errorf("%q is no name of a schedule", name)
		}
		out = x
	}
	clear(w.waiting)
	return out
}

// logged returns what the rest of the test logs.
func logged(t *testing.T) *strings.Builder {
	t.Helper()
	var b strings.Builder
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&b, nil)))
	t.Cleanup(func() { slog.SetDefault(was) })
	return &b
}
