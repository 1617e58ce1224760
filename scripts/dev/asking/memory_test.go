// Package asking_test lets the functions of asking live through months together.
// Plan and send live through random ones, with everything between them in memory,
// and what they did is held to the rules as people would read them: no rule is
// looked up in package asking, which is not its own judge. What comes back of one
// month's asks is counted to what a program reads.
package asking_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	// A life takes a third of a second. -rapid.checks on the command line, which
	// is read later, still counts.
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// key names one occasion.
type key struct {
	contact, touchpoint string
	occasion            survey.Occasion
}

// letter is one message that went out.
type letter struct {
	key
	at       time.Time
	channel  survey.Channel
	reminder bool
}

// memory is everything that plan and send have to do with: the tables, the
// touchpoints, the queue and the schedules. It is used by one goroutine at a
// time but for plan's workers, which write decisions and schedules, and only
// read the rest.
type memory struct {
	mu          sync.Mutex // of decisions and waiting
	now         time.Time
	touchpoints []*survey.Touchpoint
	rules       survey.Rules
	contacts    map[string]*survey.Contact
	asks        map[string]*survey.Ask
	decisions   map[key]survey.Decision
	planned     store.Planned
	queue       chan queue.Ask
	waiting     map[string]wait
	sent        []letter
	delayed     int
}

type wait struct {
	at  time.Time
	ask queue.Ask
}

func notFound(what string) error {
	return survey.Errorf(survey.NotFound, what, "there is no such %s", what)
}

func (m *memory) clock() time.Time { return m.now }

func (m *memory) All(context.Context) ([]*survey.Touchpoint, error) { return m.touchpoints, nil }

func (m *memory) Rulebook(context.Context) (*asking.Rulebook, error) {
	return asking.NewRulebook(m.rules), nil
}

func (m *memory) Touchpoint(_ context.Context, id string) (*survey.Touchpoint, error) {
	for _, t := range m.touchpoints {
		if t.ID == id {
			return t, nil
		}
	}
	return nil, notFound("touchpoint")
}

func (m *memory) Series(ctx context.Context, k store.SeriesKey) (*survey.Touchpoint, error) {
	return m.Touchpoint(ctx, k.Touchpoint)
}

func (m *memory) Contact(_ context.Context, id string) (*survey.Contact, error) {
	c := m.contacts[id]
	if c == nil {
		return nil, notFound("contact")
	}
	out := *c
	out.OptOuts, out.Asked = maps.Clone(c.OptOuts), maps.Clone(c.Asked)
	return &out, nil
}

func (m *memory) ContactsByID(ctx context.Context, ids []string) (map[string]*survey.Contact, error) {
	out := map[string]*survey.Contact{}
	for _, id := range ids {
		if c, err := m.Contact(ctx, id); err == nil {
			out[id] = c
		}
	}
	return out, nil
}

func (m *memory) FindContact(ctx context.Context, field, value string) (*survey.Contact, error) {
	for id, c := range m.contacts {
		if value == map[string]string{"ref": c.Ref, "email": c.Email, "phone": c.Phone}[field] {
			return m.Contact(ctx, id)
		}
	}
	return nil, notFound("contact")
}

func (m *memory) Upsert(ctx context.Context, rows []survey.Details, _ time.Time) ([]store.Outcome, error) {
	var out []store.Outcome
	for _, d := range rows {
		for _, f := range []struct{ field, value string }{{"ref", d.Ref}, {"email", d.Email}, {"phone", d.Phone}} {
			if c, err := m.FindContact(ctx, f.field, f.value); f.value != "" && err == nil {
				out = append(out, store.Outcome{Contact: c.ID, Result: store.Unchanged})
				break
			}
		}
	}
	return out, nil
}

func (m *memory) EachOfCohort(_ context.Context, cohort int, zone string, yield func([]string) error) error {
	var ids []string
	for id, c := range m.contacts {
		if asking.Cohort(c.Number) == cohort && c.Zone == zone {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return yield(ids)
}

func (m *memory) Zones(context.Context) ([]string, error) {
	zones := map[string]bool{}
	for _, c := range m.contacts {
		zones[c.Zone] = true
	}
	return slices.Sorted(maps.Keys(zones)), nil
}

func (m *memory) Decision(_ context.Context, contact, touchpoint string, o survey.Occasion) (survey.Decision, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.decisions[key{contact, touchpoint, o}]
	if !ok {
		return d, notFound("occasion")
	}
	return d, nil
}

func (m *memory) PutDecision(_ context.Context, d survey.Decision) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := key{d.Contact, d.Touchpoint, d.Occasion}
	if m.decisions[k].Verdict != survey.WasAsked || d.Verdict == survey.WasAsked {
		m.decisions[k] = d
	}
	return nil
}

func (m *memory) PutDecisions(ctx context.Context, ds []survey.Decision) error {
	for _, d := range ds {
		_ = m.PutDecision(ctx, d)
	}
	return nil
}

func (m *memory) Planned(context.Context) (store.Planned, error) { return m.planned, nil }

func (m *memory) PutPlanned(_ context.Context, was, p store.Planned) error {
	if was.Version != m.planned.Version {
		return survey.Errorf(survey.Conflict, "version", "the plan has been changed meanwhile")
	}
	p.Version++
	m.planned = p
	return nil
}

func (m *memory) SendAsks(_ context.Context, asks []queue.Ask) error {
	for _, a := range asks {
		m.queue <- a
	}
	return nil
}

func (m *memory) At(_ context.Context, at time.Time, name string, a queue.Ask) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.waiting[name]; !ok {
		m.waiting[name] = wait{at, a}
	}
	return nil
}

func (m *memory) SendRefused(_ context.Context, body []byte, reason string) error {
	return fmt.Errorf("refused: %s: %s", reason, body)
}

func (m *memory) Delay(context.Context, string, time.Duration) error {
	m.delayed++
	return nil
}

func (m *memory) TakeTurn(_ context.Context, t store.Turn) error {
	c := m.contacts[t.Contact]
	if c == nil {
		return notFound("contact")
	}
	here := c.Asked[t.Touchpoint]
	switch _, out := c.OptOuts[t.Channel]; {
	case out:
		return survey.Errorf(survey.Conflict, "channel", "opted out")
	case here.Ask == t.Ask:
		return nil
	case !here.At.IsZero() && here.At.Add(t.Recontact).After(t.At), !c.LastAskedAt.IsZero() && c.LastAskedAt.Add(t.Rest).After(t.At):
		return survey.Errorf(survey.Conflict, "rest", "too soon")
	}
	c.LastAskedAt, c.LastAsk = t.At, t.Ask
	if c.Asked == nil {
		c.Asked = map[string]survey.Asked{}
	}
	c.Asked[t.Touchpoint] = survey.Asked{At: t.At, Ask: t.Ask}
	return nil
}

func (m *memory) Ask(_ context.Context, id string) (*survey.Ask, error) {
	a := m.asks[id]
	if a == nil {
		return nil, notFound("id")
	}
	out := *a
	return &out, nil
}

func (m *memory) CreateAsk(_ context.Context, a *survey.Ask) error {
	if m.asks[a.ID] != nil {
		return survey.Errorf(survey.Conflict, "id", "there is an ask with this id")
	}
	out := *a
	m.asks[a.ID] = &out
	return nil
}

func (m *memory) TryAsk(_ context.Context, id string, last, at time.Time) error {
	a := m.asks[id]
	if a == nil || !a.SentAt.IsZero() || !a.RefusedAt.IsZero() || !a.TriedAt.Equal(last) {
		return survey.Errorf(survey.Conflict, "id", "not so")
	}
	a.TriedAt = at
	return nil
}

func (m *memory) ReleaseAsk(context.Context, string, time.Time) error      { return nil }
func (m *memory) ReleaseReminder(context.Context, string, time.Time) error { return nil }
func (m *memory) RefuseAsk(context.Context, string, time.Time) error       { return nil }

func (m *memory) MarkSent(_ context.Context, id string, at time.Time) error {
	if a := m.asks[id]; a != nil && a.SentAt.IsZero() {
		a.SentAt = at
	}
	return nil
}

func (m *memory) MarkReminded(_ context.Context, id string, at time.Time) error {
	a := m.asks[id]
	if a == nil || !a.RemindedAt.IsZero() || a.Counted() {
		return survey.Errorf(survey.Conflict, "id", "the contact has been reminded")
	}
	a.RemindedAt = at
	return nil
}

// Send is the transport of both channels.
func (m *memory) Send(_ context.Context, msg message.Message) (string, error) {
	a := m.asks[msg.Ask]
	if a == nil || msg.To == "" || !strings.Contains(msg.Text, msg.Ask) {
		return "", fmt.Errorf("a message without an ask, an address or a link: %+v", msg)
	}
	m.sent = append(m.sent, letter{key{a.Contact, a.Touchpoint, a.Occasion}, m.now, msg.Channel, msg.Reminder})
	return fmt.Sprint(len(m.sent)), nil
}
