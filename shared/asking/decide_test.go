package asking

import (
	"encoding/json"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/survey"
)

const (
	hours = time.Hour
	days  = 24 * time.Hour
)

// now is a Tuesday of 2026Q4, 12:00 in Helsinki.
var now = time.Date(2026, time.October, 20, 9, 0, 0, 0, time.UTC)

// question returns an occasion to ask that nothing stands against: about a
// purchase, 7 days ago.
func question(t testing.TB) Question {
	return Question{
		Contact: &survey.Contact{ID: "c1", Number: 1, Email: "a@example.com", Phone: "+358401234567", Zone: "Europe/Helsinki", Segments: []string{"plan=gold", "vip"}},
		Touchpoint: &survey.Touchpoint{
			ID: "shop-nps", Channels: []survey.Channel{survey.Link, survey.Email, survey.SMS},
			Trigger: &survey.Trigger{Event: "purchase.completed", Delay: survey.Span(7 * days)},
		},
		Occasion: OccasionOf("purchase.completed", "order-4711"),
		Due:      now, Now: now,
		Ask:  "ask-1",
		Zone: zone(t, "Europe/Helsinki"),
	}
}

// cadence makes the question one of 2026Q4.
func cadence(q *Question) {
	q.Touchpoint.ID, q.Touchpoint.Trigger, q.Occasion = "relation-nps", &survey.Trigger{Every: survey.Quarterly}, "2026Q4"
}

// asked makes the contact one who was asked at a touchpoint some time ago.
func asked(q *Question, touchpoint, ask string, ago time.Duration) {
	q.Contact.Asked = maps.Clone(q.Contact.Asked)
	if q.Contact.Asked == nil {
		q.Contact.Asked = map[string]survey.Asked{}
	}
	at := q.Now.Add(-ago)
	q.Contact.Asked[touchpoint] = survey.Asked{At: at, Ask: ask}
	if at.After(q.Contact.LastAskedAt) {
		q.Contact.LastAskedAt, q.Contact.LastAsk = at, ask
	}
}

// out makes the contact one who opted out of a channel some time ago.
func out(q *Question, ch survey.Channel, ago time.Duration) {
	if q.Contact.OptOuts == nil {
		q.Contact.OptOuts = map[survey.Channel]time.Time{}
	}
	q.Contact.OptOuts[ch] = q.Now.Add(-ago)
}

// decisions has a row on either side of every edge of every reason. A row
// without a reason is planned, by e-mail where it does not say otherwise.
var decisions = []struct {
	name    string
	edit    func(*Question)
	reason  survey.Reason
	other   string
	until   time.Time
	channel survey.Channel
}{
	{name: "as it is", edit: func(*Question) {}},
	{name: "in a cadence", edit: cadence},

	{name: "no touchpoint", edit: func(q *Question) { q.Touchpoint = nil }, reason: survey.NoTouchpoint},
	{name: "no trigger", edit: func(q *Question) { q.Touchpoint.Trigger = nil }, reason: survey.NoTouchpoint},
	{name: "another event's now", edit: func(q *Question) { q.Touchpoint.Trigger.Event = "ticket.closed" }, reason: survey.NoTouchpoint},
	{name: "an event that begins like it", edit: func(q *Question) { q.Touchpoint.Trigger.Event = "purchase" }, reason: survey.NoTouchpoint},
	{name: "a cadence's now", edit: func(q *Question) { q.Touchpoint.Trigger = &survey.Trigger{Every: survey.Quarterly} }, reason: survey.NoTouchpoint},
	{name: "an event's now", edit: func(q *Question) {
		trigger := q.Touchpoint.Trigger
		cadence(q)
		q.Touchpoint.Trigger = trigger
	}, reason: survey.NoTouchpoint},
	{name: "every month now", edit: func(q *Question) { cadence(q); q.Touchpoint.Trigger.Every = survey.Monthly }, reason: survey.NoTouchpoint},
	{name: "other days of the same cadence now", edit: func(q *Question) { cadence(q); q.Touchpoint.Trigger.Spread = new(false) }},

	{name: "stopped", edit: func(q *Question) { q.Touchpoint.Stopped = true }, reason: survey.Stopped},
	{name: "no contact", edit: func(q *Question) { q.Contact = nil }, reason: survey.NoContact},
	{name: "no contact, and so no zone", edit: func(q *Question) { cadence(q); q.Contact, q.Zone = nil, nil }, reason: survey.NoContact},

	{name: "a segment of its own", edit: func(q *Question) { q.Touchpoint.Trigger.Segments = []string{"x", "vip"} }},
	{name: "a segment of attribute and value", edit: func(q *Question) { q.Touchpoint.Trigger.Segments = []string{"plan=gold"} }},
	{name: "another value", edit: func(q *Question) { q.Touchpoint.Trigger.Segments = []string{"plan=basic", "plan"} }, reason: survey.OutOfSegment},
	{name: "no segments", edit: func(q *Question) {
		q.Touchpoint.Trigger.Segments, q.Contact.Segments = []string{"vip"}, nil
	}, reason: survey.OutOfSegment},

	{name: "a sample of all", edit: func(q *Question) { q.Touchpoint.Trigger.Sample = new(100) }},
	{name: "a sample of none", edit: func(q *Question) { q.Touchpoint.Trigger.Sample = new(0) }, reason: survey.OutOfSample},

	{name: "no e-mail", edit: func(q *Question) { q.Contact.Email = "" }, channel: survey.SMS},
	{name: "by SMS first", edit: func(q *Question) { q.Touchpoint.Channels = []survey.Channel{survey.SMS, survey.Email} }, channel: survey.SMS},
	{name: "no address", edit: func(q *Question) { q.Contact.Email, q.Contact.Phone = "", "" }, reason: survey.NoAddress},
	{name: "no address that the touchpoint sends to", edit: func(q *Question) { q.Touchpoint.Channels, q.Contact.Email = []survey.Channel{survey.Email}, "" }, reason: survey.NoAddress},
	{name: "opted out of e-mail", edit: func(q *Question) { out(q, survey.Email, hours) }, channel: survey.SMS},
	{name: "opted out of SMS", edit: func(q *Question) { out(q, survey.SMS, hours) }},
	{name: "opted out of both", edit: func(q *Question) { out(q, survey.Email, 2*hours); out(q, survey.SMS, hours) }, reason: survey.OptedOut, until: now.Add(-hours)},
	{name: "both addresses came back", edit: func(q *Question) { back(q, survey.Email, 2*hours); back(q, survey.SMS, hours) }, reason: survey.Bounced, until: now.Add(-hours)},
	{name: "one came back, out of the other", edit: func(q *Question) { back(q, survey.SMS, hours); out(q, survey.Email, 2*hours) }, reason: survey.OptedOut, until: now.Add(-2 * hours)},
	{name: "out of one, the other came back", edit: func(q *Question) { back(q, survey.Email, hours); out(q, survey.SMS, 2*hours) }, reason: survey.OptedOut, until: now.Add(-2 * hours)},
	{name: "opted out of the only one", edit: func(q *Question) { out(q, survey.Email, hours); q.Contact.Phone = "" }, reason: survey.OptedOut, until: now.Add(-hours)},
	{name: "opted out of one that has no address", edit: func(q *Question) {
		out(q, survey.Email, hours)
		out(q, survey.SMS, hours)
		q.Contact.Email, q.Contact.Phone = "", ""
	}, reason: survey.NoAddress},

	{name: "14 days late", edit: func(q *Question) { q.Due = now.Add(-14 * days) }},
	{name: "later", edit: func(q *Question) { q.Due = now.Add(-14*days - 1) }, reason: survey.TooLate},
	{name: "the period's last second", edit: func(q *Question) { cadence(q); q.Now = time.Date(2026, 12, 31, 21, 59, 59, 0, time.UTC) }},
	{name: "the next period", edit: func(q *Question) { cadence(q); q.Now = time.Date(2026, 12, 31, 22, 0, 0, 0, time.UTC) }, reason: survey.TooLate},
	{name: "the next period here, not there", edit: func(q *Question) {
		cadence(q)
		q.Now, q.Zone = time.Date(2026, 12, 31, 22, 0, 0, 0, time.UTC), time.UTC
	}},
	{name: "due before the period, in the zone of today", edit: func(q *Question) { cadence(q); q.Due = time.Date(2026, 9, 30, 19, 0, 0, 0, time.UTC) }},

	{name: "asked here 90 days ago", edit: func(q *Question) { asked(q, "shop-nps", "a", 90*days) }},
	{name: "asked here just less ago", edit: func(q *Question) { asked(q, "shop-nps", "a", 90*days-1) }, reason: survey.SameAsked, other: "shop-nps", until: now.Add(1)},
	{name: "asked here, an own time", edit: func(q *Question) {
		q.Touchpoint.Recontact = survey.Span(40 * days)
		asked(q, "shop-nps", "a", 40*days)
	}},
	{name: "asked here in less than the own time", edit: func(q *Question) {
		q.Touchpoint.Recontact = survey.Span(400 * days)
		asked(q, "shop-nps", "a", 400*days-1)
	}, reason: survey.SameAsked, other: "shop-nps", until: now.Add(1)},
	{name: "asked in the last period", edit: func(q *Question) { cadence(q); asked(q, "relation-nps", "a", 60*days) }},
	{name: "asked in the last period, not long ago", edit: func(q *Question) { cadence(q); asked(q, "relation-nps", "a", 60*days-1) }, reason: survey.SameAsked, other: "relation-nps", until: now.Add(1)},

	{name: "asked elsewhere 30 days ago", edit: func(q *Question) { asked(q, "support-csat", "a", 30*days) }},
	{name: "asked elsewhere just less ago", edit: func(q *Question) { asked(q, "support-csat", "a", 30*days-1) }, reason: survey.OtherAsked, other: "support-csat", until: now.Add(1)},
	{name: "asked elsewhere, an own time", edit: func(q *Question) {
		q.Touchpoint.Rest = new(survey.Span(10 * days))
		asked(q, "support-csat", "a", 10*days)
	}},
	{name: "asked elsewhere, no time", edit: func(q *Question) {
		q.Touchpoint.Rest = new(survey.Span(0))
		asked(q, "support-csat", "a", 1)
	}},
	{name: "asked elsewhere, and before here", edit: func(q *Question) {
		asked(q, "shop-nps", "a", 100*days)
		asked(q, "support-csat", "b", 29*days)
	}, reason: survey.OtherAsked, other: "support-csat", until: now.Add(days)},
	{name: "a rest longer than the recontact time", edit: func(q *Question) {
		q.Touchpoint.Recontact = survey.Span(10 * days)
		asked(q, "shop-nps", "a", 29*days)
	}, reason: survey.OtherAsked, other: "shop-nps", until: now.Add(days)},
	{name: "asked elsewhere before a turn", edit: func(q *Question) { cadence(q); asked(q, "support-csat", "a", 30*days-1) }, reason: survey.OtherAsked, other: "support-csat", until: now.Add(1)},
	{name: "by a touchpoint that is not told of", edit: func(q *Question) {
		q.Contact.LastAskedAt, q.Contact.LastAsk = now.Add(-days), "a"
	}, reason: survey.OtherAsked, until: now.Add(29 * days)},

	{name: "this very ask took the turn", edit: func(q *Question) { asked(q, "shop-nps", "ask-1", hours) }},
	{name: "this very ask, and others since", edit: func(q *Question) {
		asked(q, "shop-nps", "ask-1", 2*hours)
		asked(q, "support-csat", "b", hours)
	}},
	{name: "an ask without an id is not this one", edit: func(q *Question) {
		q.Ask = ""
		asked(q, "shop-nps", "", hours)
	}, reason: survey.SameAsked, other: "shop-nps", until: now.Add(90*days - hours)},

	{name: "a reminder", edit: func(q *Question) {
		q.Occasion = q.Occasion.ReminderOf()
		asked(q, "shop-nps", "ask-1", 7*days)
	}},
	{name: "a reminder 14 days late", edit: func(q *Question) { q.Occasion, q.Due = q.Occasion.ReminderOf(), now.Add(-14*days) }},
	{name: "a reminder later", edit: func(q *Question) { q.Occasion, q.Due = q.Occasion.ReminderOf(), now.Add(-14*days-1) }, reason: survey.TooLate},
	{name: "a reminder in the next period", edit: func(q *Question) {
		cadence(q)
		q.Occasion, q.Now = q.Occasion.ReminderOf(), time.Date(2027, 1, 5, 9, 0, 0, 0, time.UTC)
		q.Due = q.Now
		asked(q, "relation-nps", "ask-1", 7*days)
	}},
	{name: "a reminder of a cadence, too late", edit: func(q *Question) {
		cadence(q)
		q.Occasion, q.Due = q.Occasion.ReminderOf(), now.Add(-14*days-1)
	}, reason: survey.TooLate},
	{name: "a reminder of another cadence", edit: func(q *Question) {
		cadence(q)
		q.Occasion = survey.Occasion("2026-10").ReminderOf()
	}, reason: survey.NoTouchpoint},
	{name: "an event whose id ends like a reminder", edit: func(q *Question) { q.Occasion = OccasionOf("purchase.completed", "4711/reminder") }},
}

func TestDecide(t *testing.T) {
	b := NewRulebook(survey.Rules{})
	for _, tt := range decisions {
		t.Run(tt.name, func(t *testing.T) {
			q := question(t)
			tt.edit(&q)
			want := survey.Decision{
				Occasion: q.Occasion, At: q.Now, Due: q.Due,
				Verdict: survey.Refused, Reason: tt.reason, Other: tt.other, Until: tt.until,
			}
			if q.Contact != nil {
				want.Contact = q.Contact.ID
			}
			if q.Touchpoint != nil {
				want.Touchpoint = q.Touchpoint.ID
			}
			if tt.reason == "" {
				want.Verdict, want.Channel = survey.Planned, tt.channel
				if tt.channel == "" {
					want.Channel = survey.Email
				}
			}
			if got := b.Decide(q); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// The first reason that holds is told: each is added to all that come after it.
func TestReasonsAreInOrder(t *testing.T) {
	b := NewRulebook(survey.Rules{})
	q := question(t)
	relation := &survey.Touchpoint{ID: "relation-nps", Channels: []survey.Channel{survey.Email, survey.SMS}, Trigger: &survey.Trigger{Every: survey.Quarterly}}
	q.Cadences = []*survey.Touchpoint{relation}
	for _, turn := range b.Turns(relation, q.Zone, now, now.Add(100*days)) {
		if turn.Has(q.Contact.Number) {
			q.Now = turn.Due.Add(-days)
			break
		}
	}
	q.Due = q.Now
	steps := []struct {
		reason survey.Reason
		also   func()
	}{
		{"", func() { q.Cadences = nil }},
		{survey.TurnComes, func() { q.Cadences = []*survey.Touchpoint{relation} }},
		{survey.OtherAsked, func() { asked(&q, "support-csat", "b", days) }},
		{survey.SameAsked, func() { asked(&q, "shop-nps", "a", 2*days) }},
		{survey.TooLate, func() { q.Due = q.Now.Add(-15 * days) }},
		{survey.OptedOut, func() { out(&q, survey.Email, days); out(&q, survey.SMS, days) }},
		{survey.NoAddress, func() { q.Contact.Email, q.Contact.Phone = "", "" }},
		{survey.OutOfSample, func() { q.Touchpoint.Trigger.Sample = new(0) }},
		{survey.OutOfSegment, func() { q.Touchpoint.Trigger.Segments = []string{"other"} }},
		{survey.NoContact, func() { q.Contact = nil }},
		{survey.Stopped, func() { q.Touchpoint.Stopped = true }},
		{survey.NoTouchpoint, func() { q.Touchpoint = nil }},
	}
	for _, s := range steps {
		s.also()
		if got := b.Decide(q); got.Reason != s.reason {
			t.Errorf("%q, want %q", got.Reason, s.reason)
		}
	}
}

// turnOf returns when the contact's turn at a cadence comes after a moment.
func turnOf(t testing.TB, b *Rulebook, tp *survey.Touchpoint, c *survey.Contact, z *time.Location, after time.Time) time.Time {
	t.Helper()
	for _, turn := range b.Turns(tp, z, after, after.Add(500*days)) {
		if turn.Has(c.Number) {
			return turn.Due
		}
	}
	t.Fatal("no turn")
	return time.Time{}
}

// The relationship survey keeps its turn: nothing else is asked so shortly
// before that the turn would be lost.
func TestTurnIsKept(t *testing.T) {
	b := NewRulebook(survey.Rules{})
	relation := func() *survey.Touchpoint {
		return &survey.Touchpoint{ID: "relation-nps", Channels: []survey.Channel{survey.Email}, Trigger: &survey.Trigger{Every: survey.Quarterly}}
	}
	c := question(t).Contact
	due := turnOf(t, b, relation(), c, zone(t, "Europe/Helsinki"), time.Date(2026, time.October, 31, 22, 0, 0, 0, time.UTC))
	for _, tt := range []struct {
		name   string
		before time.Duration // the turn
		edit   func(*Question, *survey.Touchpoint)
		keeps  bool
	}{
		{"just before", 1, nil, true},
		{"30 days before", 30 * days, nil, true}, // a second's delay would take it away
		{"earlier", 30*days + 1, nil, false},
		{"at its moment", 0, nil, true},
		{"under way for almost an hour", -hours + 1, nil, true},
		{"an hour later", -hours, nil, false},
		{"asked in the turn", -hours + 1, func(q *Question, _ *survey.Touchpoint) {
			q.Touchpoint.Rest = new(survey.Span(time.Minute))
			asked(q, "relation-nps", "r", 30*time.Minute)
		}, false},
		{"the cadence's own rest", 5 * days, func(_ *Question, r *survey.Touchpoint) { r.Rest = new(survey.Span(5 * days)) }, true},
		{"longer than that", 5*days + 1, func(_ *Question, r *survey.Touchpoint) { r.Rest = new(survey.Span(5 * days)) }, false},
		{"a cadence that needs no rest", 1, func(_ *Question, r *survey.Touchpoint) { r.Rest = new(survey.Span(0)) }, false},
		{"one that asks without rest", days, func(q *Question, _ *survey.Touchpoint) { q.Touchpoint.Rest = new(survey.Span(0)) }, false},
		{"stopped", days, func(_ *Question, r *survey.Touchpoint) { r.Stopped = true }, false},
		{"of other segments", days, func(_ *Question, r *survey.Touchpoint) { r.Trigger.Segments = []string{"x"} }, false},
		{"of a sample", days, func(_ *Question, r *survey.Touchpoint) { r.Trigger.Sample = new(0) }, false},
		{"that does not reach the contact", days, func(q *Question, _ *survey.Touchpoint) { out(q, survey.Email, hours) }, false},
		{"that asked not long ago", days, func(q *Question, _ *survey.Touchpoint) { asked(q, "relation-nps", "r", 58*days) }, false},
		{"that asked in time", days, func(q *Question, _ *survey.Touchpoint) { asked(q, "relation-nps", "r", 59*days) }, true},
		{"that is lost anyway", days, func(q *Question, _ *survey.Touchpoint) {
			q.Touchpoint.Rest = new(survey.Span(days))
			asked(q, "support-csat", "s", 28*days)
		}, false},
		{"that is not lost", days, func(q *Question, _ *survey.Touchpoint) {
			q.Touchpoint.Rest = new(survey.Span(days))
			asked(q, "support-csat", "s", 29*days)
		}, true},
		{"of no cadence", days, func(_ *Question, r *survey.Touchpoint) { r.Trigger = &survey.Trigger{Event: "x"} }, false},
		{"without a trigger", days, func(_ *Question, r *survey.Touchpoint) { r.Trigger = nil }, false},
		{"under way, of a cadence that needs no rest", -time.Minute, func(_ *Question, r *survey.Touchpoint) { r.Rest = new(survey.Span(0)) }, false},
		{"for a cadence's ask", days, func(q *Question, _ *survey.Touchpoint) {
			q.Touchpoint.Trigger, q.Occasion = &survey.Trigger{Every: survey.Quarterly}, PeriodOf(survey.Quarterly, q.Now).Occasion()
		}, false},
		{"for this very ask", days, func(q *Question, _ *survey.Touchpoint) { asked(q, "shop-nps", "ask-1", 0) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q, r := question(t), relation()
			q.Now = due.Add(-tt.before)
			q.Due = q.Now
			q.Cadences = []*survey.Touchpoint{{ID: "a", Trigger: q.Touchpoint.Trigger}, r}
			if tt.edit != nil {
				tt.edit(&q, r)
			}
			got := b.Decide(q)
			switch {
			case tt.keeps && (got.Reason != survey.TurnComes || got.Other != "relation-nps" || !got.Until.Equal(due)):
				t.Errorf("%+v", got)
			case !tt.keeps && got.Verdict != survey.Planned:
				t.Errorf("%+v", got)
			}
		})
	}
}

// Whatever happens before, a contact's turn is asked when it comes, unless the
// contact was asked before any of it could have been foreseen.
func TestTurnIsAlwaysAsked(t *testing.T) {
	helsinki := zone(t, "Europe/Helsinki")
	rapid.Check(t, func(t *rapid.T) {
		b := NewRulebook(survey.Rules{})
		relation := &survey.Touchpoint{ID: drawID(t), Channels: []survey.Channel{survey.Email}, Trigger: &survey.Trigger{Every: rapid.SampledFrom(survey.Cadences()).Draw(t, "every")}}
		if rapid.Bool().Draw(t, "own rest") {
			most := int(relation.Trigger.Every.Rest() / days) // beyond that a cadence stands in its own way
			relation.Rest = new(survey.Span(time.Duration(rapid.IntRange(0, most).Draw(t, "rest")) * days))
		}
		q := Question{
			Contact:    &survey.Contact{ID: "c", Number: rapid.Int64Range(1, 1e9).Draw(t, "number"), Email: "a@example.com"},
			Touchpoint: &survey.Touchpoint{ID: "event-" + relation.ID, Channels: []survey.Channel{survey.Email}, Trigger: &survey.Trigger{Event: "x"}},
			Cadences:   []*survey.Touchpoint{relation}, Zone: helsinki,
		}
		at := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
		turns := b.Turns(relation, helsinki, at, at.AddDate(2, 0, 0))
		for _, turn := range turns {
			if !turn.Has(q.Contact.Number) {
				continue
			}
			for at.Before(turn.Due) { // events come at any time
				q.Occasion, q.Due, q.Now, q.Ask = "x/1", at, at, at.String()
				if b.Decide(q).Verdict == survey.Planned {
					asked2(q.Contact, q.Touchpoint.ID, q.Ask, at)
				}
				at = at.Add(time.Duration(rapid.IntRange(1, 40*24).Draw(t, "hours")) * time.Hour)
			}
			turnQ := q
			turnQ.Touchpoint, turnQ.Occasion, turnQ.Due, turnQ.Now, turnQ.Ask = relation, turn.Period.Occasion(), turn.Due, turn.Due, "turn"+turn.Due.String()
			if d := b.Decide(turnQ); d.Verdict != survey.Planned {
				t.Fatalf("%s: %+v of %+v", turn.Due, d, q.Contact)
			}
			asked2(q.Contact, relation.ID, turnQ.Ask, turn.Due)
		}
	})
}

func asked2(c *survey.Contact, touchpoint, ask string, at time.Time) {
	q := Question{Contact: c, Now: at}
	asked(&q, touchpoint, ask, 0)
}

// A sample is of the size it says, the same every time, another one for each
// touchpoint, and holds every smaller one.
func TestSample(t *testing.T) {
	const n = 10_000
	in := func(id string, sample int, contact int) bool {
		tp := &survey.Touchpoint{ID: id, Trigger: &survey.Trigger{Sample: &sample}}
		return inSample(tp, survey.AskID([]byte("secret"), id[:1], "contact", time.Duration(contact).String()))
	}
	for _, sample := range []int{0, 1, 10, 50, 99, 100} {
		got, both := 0, 0
		for c := range n {
			if !in("a-one", sample, c) {
				continue
			}
			got++
			if in("a-two", sample, c) {
				both++
			}
			if sample < 100 && !in("a-one", sample+1, c) {
				t.Fatalf("%d is in a sample of %d and not of %d", c, sample, sample+1)
			}
		}
		if off := got - n*sample/100; off < -200 || off > 200 {
			t.Errorf("a sample of %d%%: %d of %d", sample, got, n)
		}
		if off := both - n*sample*sample/10_000; off < -250 || off > 250 {
			t.Errorf("two samples of %d%% share %d of %d", sample, both, n)
		}
	}
}

func TestMatches(t *testing.T) {
	var data map[string]any
	if err := json.Unmarshal([]byte(`{
		"total": 99.5, "items": 10, "big": 12345678901, "country": "FI", "gift": true, "note": null, "tags": ["a"], "zero": 0, "number": "10",
		"shop": {"id": "helsinki", "floor": {"level": 2}}
	}`), &data); err != nil {
		t.Fatal(err)
	}
	is := func(field string, in ...string) survey.Condition { return survey.Condition{Field: field, In: in} }
	from := func(field string, low, high *float64) survey.Condition {
		return survey.Condition{Field: field, Min: low, Max: high}
	}
	for _, tt := range []struct {
		name string
		when []survey.Condition
		want bool
	}{
		{"no condition", nil, true},
		{"text", []survey.Condition{is("country", "SE", "FI")}, true},
		{"another text", []survey.Condition{is("country", "SE", "fi")}, false},
		{"whole number as text", []survey.Condition{is("items", "10")}, true},
		{"large number as text", []survey.Condition{is("big", "12345678901")}, true},
		{"number as text", []survey.Condition{is("total", "99.5")}, true},
		{"zero", []survey.Condition{is("zero", "0")}, true},
		{"yes", []survey.Condition{is("gift", "true")}, true},
		{"no", []survey.Condition{is("gift", "false")}, false},
		{"null", []survey.Condition{is("note", "", "null", "<nil>")}, false},
		{"a list", []survey.Condition{is("tags", "a", "[a]")}, false},
		{"an object", []survey.Condition{is("shop", "helsinki", "map[]")}, false},
		{"by path", []survey.Condition{is("shop.id", "helsinki")}, true},
		{"by a deeper path", []survey.Condition{is("shop.floor.level", "2")}, true},
		{"missing", []survey.Condition{is("colour", "", "red")}, false},
		{"missing in an object", []survey.Condition{is("shop.name", "", "x")}, false},
		{"missing object", []survey.Condition{is("store.id", "helsinki")}, false},
		{"into a text", []survey.Condition{is("country.code", "FI")}, false},
		{"an empty name", []survey.Condition{is("shop.", "helsinki")}, false},
		{"at min", []survey.Condition{from("total", new(99.5), nil)}, true},
		{"below min", []survey.Condition{from("total", new(99.6), nil)}, false},
		{"at max", []survey.Condition{from("total", nil, new(99.5))}, true},
		{"above max", []survey.Condition{from("total", nil, new(99.4))}, false},
		{"within", []survey.Condition{from("total", new(0.0), new(100.0))}, true},
		{"min of zero", []survey.Condition{from("zero", new(0.0), nil)}, true},
		{"min of a text", []survey.Condition{from("number", new(0.0), nil)}, false},
		{"min of a missing one", []survey.Condition{from("colour", nil, new(9.0))}, false},
		{"in and min", []survey.Condition{{Field: "items", In: []string{"10"}, Min: new(10.0)}}, true},
		{"in and not min", []survey.Condition{{Field: "items", In: []string{"10"}, Min: new(11.0)}}, false},
		{"both", []survey.Condition{is("country", "FI"), from("total", new(50.0), nil)}, true},
		{"one of two", []survey.Condition{is("country", "FI"), from("total", new(100.0), nil)}, false},
	} {
		if got := Matches(tt.when, data); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	if Matches([]survey.Condition{is("total", "1")}, nil) || !Matches(nil, nil) {
		t.Error("an event without data meets no condition, and all of none")
	}
}

// back makes messages to the contact's address of a channel have come back.
func back(q *Question, ch survey.Channel, ago time.Duration) {
	if q.Contact.Bounces == nil {
		q.Contact.Bounces = map[survey.Channel]survey.Bounces{}
	}
	q.Contact.Bounces[ch] = survey.Bounces{Address: q.Contact.Address(ch), StoppedAt: q.Now.Add(-ago)}
}
