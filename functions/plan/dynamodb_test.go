package plan

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// tables is the store on DynamoDB Local, whose calls can be made to fail as
// those of a world.
type tables struct {
	*store.Store
	w *world
}

func (s tables) Contact(ctx context.Context, id string) (c *survey.Contact, err error) {
	err = s.w.step("Contact", func() (err error) { c, err = s.Store.Contact(ctx, id); return err })
	return c, err
}

func (s tables) ContactsByID(ctx context.Context, ids []string) (out map[string]*survey.Contact, err error) {
	err = s.w.step("ContactsByID", func() (err error) { out, err = s.Store.ContactsByID(ctx, ids); return err })
	return out, err
}

func (s tables) FindContact(ctx context.Context, field, value string) (c *survey.Contact, err error) {
	err = s.w.step("FindContact", func() (err error) { c, err = s.Store.FindContact(ctx, field, value); return err })
	return c, err
}

func (s tables) Upsert(ctx context.Context, rows []survey.Details, now time.Time) (out []store.Outcome, err error) {
	err = s.w.step("Upsert", func() (err error) { out, err = s.Store.Upsert(ctx, rows, now); return err })
	return out, err
}

func (s tables) EachOfCohort(ctx context.Context, cohort int, zone string, yield func(ids []string) error) error {
	var pages [][]string // given on when the call is over: what takes them calls too
	err := s.w.step("EachOfCohort", func() error {
		return s.Store.EachOfCohort(ctx, cohort, zone, func(ids []string) error { pages = append(pages, ids); return nil })
	})
	for _, ids := range pages {
		if err != nil {
			return err
		}
		err = yield(ids)
	}
	return err
}

func (s tables) Zones(ctx context.Context) (out []string, err error) {
	err = s.w.step("Zones", func() (err error) { out, err = s.Store.Zones(ctx); return err })
	return out, err
}

func (s tables) Decision(ctx context.Context, contact, touchpoint string, o survey.Occasion) (d survey.Decision, err error) {
	err = s.w.step("Decision", func() (err error) { d, err = s.Store.Decision(ctx, contact, touchpoint, o); return err })
	return d, err
}

func (s tables) PutDecision(ctx context.Context, d survey.Decision) error {
	return s.w.step("PutDecision", func() error { return s.Store.PutDecision(ctx, d) })
}

func (s tables) PutDecisions(ctx context.Context, ds []survey.Decision) error {
	return s.w.step("PutDecisions", func() error { return s.Store.PutDecisions(ctx, ds) })
}

func (s tables) Planned(ctx context.Context) (p store.Planned, err error) {
	err = s.w.step("Planned", func() (err error) { p, err = s.Store.Planned(ctx); return err })
	return p, err
}

func (s tables) PutPlanned(ctx context.Context, was, p store.Planned) error {
	return s.w.step("PutPlanned", func() error { return s.Store.PutPlanned(ctx, was, p) })
}

// stored is what became of everybody, by the ref of the contact.
type stored struct {
	Asked   map[string]int // messages taken for "ref touchpoint occasion"
	Refused map[string]survey.Reason
}

// playStored lets a Monday morning happen on fresh tables: a tick for everybody,
// three events, two of them the same, and then another day for those whose turn
// has not come, which is in Stockholm. Invocations are killed and messages delivered as in [play].
func playStored(t *testing.T, k *killer) stored {
	t.Helper()
	ctx := t.Context()
	tb := testkit.NewTables(t)
	at10 := everyone("23")
	w := newWorld(t, monday.Add(-hour), at10, shop())
	w.rules.Rest = new(survey.Span(hour))
	s := tables{tb.Store, w}
	w.h.Store, w.h.Queue = s, partial{w, k}
	var rows []survey.Details
	for i := range 30 {
		d := survey.Details{Ref: fmt.Sprintf("C-%02d", i), Email: fmt.Sprintf("c%d@example.com", i), Zone: []string{"Europe/Helsinki", "Europe/Stockholm"}[i%2]}
		switch i % 10 {
		case 8:
			d.Email = ""
		case 9:
			d.OptOut = []survey.Channel{survey.Email}
		}
		rows = append(rows, d)
	}
	outcomes, err := tb.Store.Upsert(ctx, rows, monday.Add(-24*hour))
	if err != nil {
		t.Fatal(err)
	}
	refs := map[string]string{}
	for i, o := range outcomes {
		refs[o.Contact] = rows[i].Ref
	}
	newcomer := purchase("order-3", "", monday.Add(90*time.Minute))
	newcomer.Contact = events.Contact{Ref: "C-new", Email: "new@example.com"}
	eleven := everyone("24")
	eleven.Trigger.Hour = 11
	order := eventBody(t, purchase("order-1", outcomes[0].Contact, monday.Add(-hour)))
	w.trouble = k.step
	for _, it := range []happening{
		{monday.Add(-hour), tickBody(monday.Add(-hour))}, {monday, tickBody(monday)},
		{monday.Add(90 * time.Minute), order}, {monday.Add(91 * time.Minute), order}, {monday.Add(95 * time.Minute), eventBody(t, newcomer)},
		{monday.Add(2 * hour), tickBody(monday.Add(2 * hour))}, {monday.Add(26 * hour), tickBody(monday.Add(26 * hour))},
	} {
		w.clock.Move(it.at.Sub(w.clock.Now()))
		if it.at.Equal(monday.Add(2 * hour)) {
			w.define(eleven, shop()) // once in the middle
		}
		for {
			k.dead = false
			err := w.h.Handle(ctx, it.body)
			if err == nil && !k.dead {
				break
			}
			if !k.dead {
				t.Fatalf("not killed, and yet: %v", err)
			}
		}
		for _, a := range w.took() {
			for range 3 {
				w.sendStored(ctx, tb.Store, a)
			}
		}
	}
	out := stored{map[string]int{}, map[string]survey.Reason{}}
	added, err := tb.Store.FindContact(ctx, "ref", "C-new")
	if err != nil {
		t.Fatal(err)
	}
	refs[added.ID] = added.Ref
	for id, ref := range refs {
		ds, err := tb.Store.Decisions(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range ds {
			key := fmt.Sprint(ref, " ", d.Touchpoint, " ", d.Occasion)
			switch d.Verdict {
			case survey.Refused:
				out.Refused[key] = d.Reason
			case survey.WasAsked:
				out.Asked[key] = len(w.sent[occasionKey{id, d.Touchpoint, d.Occasion}])
			case survey.Planned:
				t.Errorf("%s is planned still", key)
			}
		}
	}
	return out
}

// sendStored is what send does with a message in its sending hours, with the
// store's own claim of a turn.
func (w *world) sendStored(ctx context.Context, s *store.Store, a queue.Ask) {
	w.t.Helper()
	must := func(err error) {
		if err != nil {
			w.t.Fatal(err)
		}
	}
	k := occasionKey{a.Contact, a.Touchpoint, a.Occasion}
	c, err := s.Contact(ctx, a.Contact)
	must(err)
	zone, err := time.LoadLocation(c.Zone)
	must(err)
	tp := w.touchpoints[0]
	if a.Touchpoint != tp.ID {
		tp = w.touchpoints[1]
	}
	id := survey.AskID([]byte("secret"), a.Touchpoint, string(a.Occasion), a.Contact)
	d := asking.NewRulebook(w.rules).Decide(asking.Question{
		Contact: c, Touchpoint: tp, Occasion: a.Occasion, Due: a.Due, Now: w.clock.Now(), Ask: id, Zone: zone,
	})
	if d.Verdict != survey.Refused {
		must(s.TakeTurn(ctx, store.Turn{
			Contact: c.ID, Touchpoint: tp.ID, Ask: id, Channel: d.Channel, At: w.clock.Now(),
			Rest: tp.RestAfter(asking.NewRulebook(w.rules).Rules()), Recontact: tp.RecontactAfter(asking.NewRulebook(w.rules).Rules()),
		}))
		if len(w.sent[k]) == 0 {
			w.sent[k] = append(w.sent[k], w.clock.Now())
		}
		d.Verdict, d.Ask = survey.WasAsked, id
	}
	must(s.PutDecision(ctx, d))
}

// On real tables, with and without kills: 24 of 30 contacts, and somebody new,
// are asked for November, two of them about a purchase as well, 6 are refused.
func TestStoredPlan(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	counter := &killer{r: r}
	want := playStored(t, counter)
	if len(want.Asked) != 24+3 || len(want.Refused) != 6 {
		t.Fatalf("%d are asked, want 27; %d refused, want 6: %v", len(want.Asked), len(want.Refused), want)
	}
	for key, n := range want.Asked {
		if n != 1 {
			t.Errorf("%s is asked %d times", key, n)
		}
	}
	for range 3 {
		k := &killer{r: r, at: []int{1 + r.IntN(counter.calls), 1 + r.IntN(counter.calls)}}
		if diff := cmp.Diff(want, playStored(t, k)); diff != "" || k.kills == 0 {
			t.Errorf("%d kills, at calls %v of %d (-want +got):\n%s", k.kills, k.at, counter.calls, diff)
		}
	}
}
