package asking_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/functions/plan"
	"github.com/pulssi/pulssi/functions/send"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
)

const day = 24 * time.Hour

// holidays are the weekdays on which nobody is asked in Finland, from almanacs.
var holidays = []string{
	"2025-12-24", "2025-12-25", "2025-12-26", "2026-01-01", "2026-01-06", "2026-04-03", "2026-04-06", "2026-05-01", "2026-05-14", "2026-06-19",
	"2026-12-24", "2026-12-25", "2027-01-01", "2027-01-06", "2027-03-26", "2027-03-29",
}

// zones have daylight saving in either half of the year, of an hour and of half
// an hour, or none.
var zones = []string{"Europe/Helsinki", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Auckland"}

// starts are days from which a daylight-saving night or a year's end is near.
var starts = []string{"2026-03-02", "2026-09-21", "2026-10-12", "2025-12-10", "2026-12-14", "2026-06-01"}

// life is one run through some months.
type life struct {
	*memory
	t    *rapid.T
	plan *plan.Handler
	send *send.Handler
	from time.Time

	happened map[string]happening // by id
	failures int
	optedOut map[string]time.Time // by contact and channel
	stopped  map[string]time.Time // by touchpoint
}

type happening struct {
	events.Event
	told time.Time // when it was first told of
}

// drawTouchpoints draws one or two cadences and two touchpoints after events.
func drawTouchpoints(t *rapid.T) []*survey.Touchpoint {
	make := func(id string, g survey.Trigger) *survey.Touchpoint {
		if rapid.Bool().Draw(t, "weekdays") {
			g.Weekdays = [][]string{{"tue", "wed", "thu"}, {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, {"fri"}}[rapid.IntRange(0, 2).Draw(t, "which")]
		}
		if rapid.Bool().Draw(t, "segment") {
			g.Segments = []string{"vip"}
		}
		out := &survey.Touchpoint{
			ID: id, Version: 1, Series: 1, Phase: survey.After, Metric: survey.NPS, Locales: []string{"fi"},
			Channels: [][]survey.Channel{{survey.Email}, {survey.SMS}, {survey.Email, survey.SMS}}[rapid.IntRange(0, 2).Draw(t, "channels")],
			Name:     survey.Text{"fi": id}, Question: survey.Text{"fi": "Suosittelisitko?"}, Trigger: &g,
		}
		if rapid.IntRange(0, 3).Draw(t, "own rest") == 0 {
			out.Rest = new(survey.Span(time.Duration(rapid.IntRange(0, 20).Draw(t, "rest")) * day))
		}
		if rapid.IntRange(0, 3).Draw(t, "own recontact") == 0 {
			out.Recontact = survey.Span(time.Duration(rapid.IntRange(1, 40).Draw(t, "recontact")) * day)
		}
		if err := out.Validate(); err != nil {
			t.Fatal(err)
		}
		return out
	}
	cadence := func() survey.Trigger {
		g := survey.Trigger{Every: rapid.SampledFrom(survey.Cadences()).Draw(t, "every"), Hour: rapid.SampledFrom([]int{0, 8, 15, 22, 3}).Draw(t, "hour")}
		if rapid.IntRange(0, 3).Draw(t, "at once") == 0 {
			g.Spread = new(false)
		}
		if rapid.IntRange(0, 3).Draw(t, "sampled") == 0 {
			g.Sample = new(50)
		}
		return g
	}
	out := []*survey.Touchpoint{
		make("shop", survey.Trigger{Event: events.PurchaseCompleted, Delay: survey.Span(rapid.IntRange(0, 14*24).Draw(t, "delay")) * survey.Span(time.Hour)}),
		make("support", survey.Trigger{Event: events.TicketClosed, Hour: rapid.SampledFrom([]int{0, 10}).Draw(t, "hour"), Reminder: survey.Span(rapid.IntRange(0, 5).Draw(t, "reminder")) * survey.Span(day)}),
		make("relation", cadence()),
	}
	if rapid.Bool().Draw(t, "second cadence") {
		out = append(out, make("pulse", cadence()))
	}
	return out
}

func drawContacts(t *rapid.T, from time.Time) map[string]*survey.Contact {
	out := map[string]*survey.Contact{}
	for n := range rapid.IntRange(1, 25).Draw(t, "contacts") {
		id := fmt.Sprintf("contact%015d", n+1)
		c := &survey.Contact{ID: id, Number: int64(rapid.IntRange(1, 1000).Draw(t, "number")), Version: 1, Zone: rapid.SampledFrom(zones).Draw(t, "zone"), CreatedAt: from}
		kind := rapid.IntRange(0, 7).Draw(t, "addresses")
		if kind != 1 && kind != 2 {
			c.Email = id + "@example.com"
		}
		if kind > 1 && kind != 4 {
			c.Phone = fmt.Sprintf("+35840%07d", n+1)
		}
		if rapid.Bool().Draw(t, "vip") {
			c.Segments = []string{"vip"}
		}
		out[id] = c
	}
	return out
}

// TestMonths is the whole: whatever the contacts, the touchpoints, the events
// and the clock, however often a message comes and a tick is missed or repeated,
// nobody is asked in a way they should not be, and everybody who was due and
// could be asked was.
func TestMonths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start, err := time.Parse(time.DateOnly, rapid.SampledFrom(starts).Draw(t, "start"))
		if err != nil {
			t.Fatal(err)
		}
		l := &life{
			t: t, from: start, happened: map[string]happening{}, optedOut: map[string]time.Time{}, stopped: map[string]time.Time{},
			memory: &memory{
				now: start, touchpoints: drawTouchpoints(t), contacts: drawContacts(t, start),
				asks: map[string]*survey.Ask{}, decisions: map[key]survey.Decision{}, waiting: map[string]wait{}, queue: make(chan queue.Ask, 10_000),
			},
		}
		l.plan = &plan.Handler{Store: l, Catalog: l, Queue: l, Schedules: l, Refused: l, Now: l.clock}
		l.send = &send.Handler{
			Store: l, Catalog: l, Schedules: l, Queue: l, Secret: []byte("secret"), PublicURL: "https://answer.example.com", Now: l.clock,
			Transports: map[survey.Channel]send.Transport{survey.Email: l, survey.SMS: l},
		}
		l.months(rapid.IntRange(20, 75).Draw(t, "days"))
		l.judge()
	})
}

// months goes through the time by the hour.
func (l *life) months(days int) {
	for hour := range days * 24 {
		l.now = l.from.Add(time.Duration(hour) * time.Hour)
		// Every few days something happens; the last fortnight is quiet, so
		// that all of it can come to its end.
		if hour < (days-18)*24 && rapid.IntRange(0, 30).Draw(l.t, "happens") == 0 {
			l.happen(hour)
		}
		// A tick is missed now and then, or comes twice; the next makes up for it.
		ticks := []int{1, 1, 1, 1, 1, 1, 2, 0}[rapid.IntRange(0, 7).Draw(l.t, "ticks")]
		for range ticks {
			l.must(l.plan.Handle(l.t.Context(), json.RawMessage(`{"tick":"`+l.now.Format(time.RFC3339)+`"}`)))
		}
		l.deliver()
	}
	l.must(l.plan.Handle(l.t.Context(), json.RawMessage(`{"tick":"`+l.now.Format(time.RFC3339)+`"}`)))
	l.deliver()
}

func (l *life) must(err error) {
	if err != nil {
		l.t.Fatal(err)
	}
}

// happen is a purchase or a ticket, told once or more often, an opt-out, or a
// stop of a touchpoint.
func (l *life) happen(hour int) {
	ids := slices.Sorted(maps.Keys(l.contacts))
	c := l.contacts[rapid.SampledFrom(ids).Draw(l.t, "who")]
	switch rapid.IntRange(0, 9).Draw(l.t, "what") {
	case 0:
		ch := rapid.SampledFrom([]survey.Channel{survey.Email, survey.SMS}).Draw(l.t, "out")
		if c.Merge(survey.Details{OptOut: []survey.Channel{ch}}, l.now) {
			l.optedOut[c.ID+string(ch)] = l.now
		}
	case 1:
		t := *rapid.SampledFrom(l.touchpoints).Draw(l.t, "stopped")
		if _, ok := l.stopped[t.ID]; ok || rapid.Bool().Draw(l.t, "not really") {
			return
		}
		t.Stopped, l.stopped[t.ID] = true, l.now
		l.touchpoints = slices.Clone(l.touchpoints)
		l.touchpoints[slices.IndexFunc(l.touchpoints, func(o *survey.Touchpoint) bool { return o.ID == t.ID })] = &t
	default:
		e := events.Event{
			Type: rapid.SampledFrom([]string{events.PurchaseCompleted, events.TicketClosed}).Draw(l.t, "type"), Version: 1, ID: fmt.Sprint("e", hour),
			Time: l.now.Add(-time.Duration(rapid.IntRange(0, 72).Draw(l.t, "ago")) * time.Hour), Contact: events.Contact{ID: c.ID}, Data: map[string]any{"ref": fmt.Sprint(hour)},
		}
		l.happened[e.ID] = happening{e, l.now}
		for range rapid.IntRange(1, 3).Draw(l.t, "told") {
			l.tell(e)
		}
		if len(l.happened) > 1 && rapid.IntRange(0, 3).Draw(l.t, "an old one again") == 0 {
			l.tell(l.happened[slices.Sorted(maps.Keys(l.happened))[0]].Event)
		}
	}
}

func (l *life) tell(e events.Event) {
	detail, err := e.Encode()
	l.must(err)
	body, err := json.Marshal(map[string]any{"detail-type": e.Type, "source": "shop", "time": e.Time, "detail": json.RawMessage(detail)})
	l.must(err)
	l.must(l.plan.Handle(l.t.Context(), body))
}

// deliver hands the queue and the schedules that are due to send, every message
// up to three times, in any order.
func (l *life) deliver() {
	for _, name := range slices.Sorted(maps.Keys(l.waiting)) {
		if w := l.waiting[name]; !w.at.After(l.now) {
			l.queue <- w.ask
			delete(l.waiting, name)
		}
	}
	var all []queue.Ask
	for len(l.queue) > 0 {
		a := <-l.queue
		for range rapid.IntRange(1, 3).Draw(l.t, "times") {
			all = append(all, a)
		}
	}
	// Workers queue in any order; the draw is of an order that does not depend
	// on it.
	slices.SortStableFunc(all, func(a, b queue.Ask) int {
		return cmp.Or(cmp.Compare(a.Touchpoint, b.Touchpoint), cmp.Compare(a.Contact, b.Contact), cmp.Compare(a.Occasion, b.Occasion))
	})
	if len(all) > 1 {
		all = rapid.Permutation(all).Draw(l.t, "order")
	}
	for i, a := range all {
		body, err := a.Encode()
		l.must(err)
		resp, err := l.send.Handle(l.t.Context(), lambdaevents.SQSEvent{Records: []lambdaevents.SQSMessage{{MessageId: fmt.Sprint(i), Body: string(body)}}})
		l.must(err)
		if len(resp.BatchItemFailures) > 0 { // it comes again, when the visibility time is over
			l.failures++
			l.waiting[fmt.Sprint("again", l.failures)] = wait{l.now.Add(time.Hour), a}
		}
	}
}

// judge holds everything that was sent, and everything that was not, to the
// rules.
func (l *life) judge() {
	asked := map[key]time.Time{}
	byContact := map[string][]letter{}
	for _, s := range l.sent {
		l.proper(s)
		if s.reminder {
			continue
		}
		if at, ok := asked[s.key]; ok {
			l.t.Errorf("%+v was asked at %s and %s", s.key, at, s.at)
		}
		asked[s.key] = s.at
		for _, before := range byContact[s.contact] {
			l.apart(before, s)
		}
		byContact[s.contact] = append(byContact[s.contact], s)
	}
	for k, d := range l.decisions {
		if k.occasion != d.Occasion || d.Contact != k.contact || d.Touchpoint != k.touchpoint {
			l.t.Errorf("%+v says %+v", k, d)
		}
		l.right(k, d, asked, byContact[k.contact])
	}
	for k := range asked {
		if d := l.decisions[k]; d.Verdict != survey.WasAsked {
			l.t.Errorf("why says %q of %+v, which was asked", d.Verdict, k)
		}
	}
	l.complete()
}

func (l *life) zone(contact string) *time.Location {
	zone, err := time.LoadLocation(l.contacts[contact].Zone)
	l.must(err)
	return zone
}

func (l *life) touchpoint(id string) *survey.Touchpoint {
	t, err := l.Touchpoint(l.t.Context(), id)
	l.must(err)
	return t
}

// sendable reports whether messages of a touchpoint go out at a moment where
// somebody lives.
func (l *life) sendable(t *survey.Touchpoint, local time.Time) bool {
	days := t.Trigger.Weekdays
	if len(days) == 0 {
		days = []string{"mon", "tue", "wed", "thu", "fri"}
	}
	weekday := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}[local.Weekday()]
	return local.Hour() >= 8 && local.Hour() < 20 && slices.Contains(days, weekday) && !slices.Contains(holidays, local.Format(time.DateOnly))
}

// hours returns the full hours from one moment to another.
func hours(from, to time.Time) []time.Time {
	var out []time.Time
	for at := from.Truncate(time.Hour); !at.After(to); at = at.Add(time.Hour) {
		out = append(out, at)
	}
	return out
}

// proper holds one message to the hour, the day, the opt-outs, the stop and the
// segment.
func (l *life) proper(s letter) {
	local, t := s.at.In(l.zone(s.contact)), l.touchpoint(s.touchpoint)
	if !l.sendable(t, local) {
		l.t.Errorf("%+v was sent on %s", s.key, local.Format(time.RFC1123Z))
	}
	if t.Trigger.Every != "" && !s.reminder {
		want := map[int]int{0: 9, 8: 8, 15: 15, 22: 8, 3: 8}[t.Trigger.Hour] // what is quiet moves to its end
		if local.Hour() < want {
			l.t.Errorf("%+v was sent before %d: %s", s.key, want, local)
		}
	}
	if at, out := l.optedOut[s.contact+string(s.channel)]; out && !s.at.Before(at) {
		l.t.Errorf("%+v was sent at %s after opting out at %s", s.key, s.at, at)
	}
	if at, stopped := l.stopped[s.touchpoint]; stopped && !s.at.Before(at) {
		l.t.Errorf("%+v was sent at %s after the stop at %s", s.key, s.at, at)
	}
	if len(t.Trigger.Segments) > 0 && len(l.contacts[s.contact].Segments) == 0 {
		l.t.Errorf("%+v is not in the segment", s.key)
	}
	if !slices.Contains(t.Channels, s.channel) || l.contacts[s.contact].Address(s.channel) == "" {
		l.t.Errorf("%+v went by %s", s.key, s.channel)
	}
}

// spans returns the shortest times before an ask at t: since any, and since the
// same.
func (l *life) spans(t *survey.Touchpoint) (rest, recontact time.Duration) {
	rest, recontact = 30*day, 90*day
	if most := map[survey.Cadence]time.Duration{survey.Monthly: 20 * day, survey.Quarterly: 60 * day, survey.Yearly: 240 * day}[t.Trigger.Every]; most > 0 {
		rest, recontact = min(rest, most), min(recontact, most)
	}
	if t.Rest != nil {
		rest = time.Duration(*t.Rest)
	}
	if t.Recontact != 0 {
		recontact = time.Duration(t.Recontact)
	}
	return rest, recontact
}

func (l *life) apart(before, after letter) {
	rest, recontact := l.spans(l.touchpoint(after.touchpoint))
	gap := after.at.Sub(before.at)
	if gap < rest || before.touchpoint == after.touchpoint && gap < recontact {
		l.t.Errorf("%+v was asked %s after %+v", after.key, gap, before.key)
	}
}

// right holds a decision to what happened: who was asked was, and a reason not
// to is true.
func (l *life) right(k key, d survey.Decision, asked map[key]time.Time, letters []letter) {
	if asking.Words(d, time.UTC, nil) == "" {
		l.t.Errorf("no words for %+v", d)
	}
	c, t := l.contacts[k.contact], l.touchpoint(k.touchpoint)
	_, reminder := k.occasion.Reminds()
	_, was := asked[k]
	if reminder {
		was = slices.ContainsFunc(l.sent, func(s letter) bool {
			return s.reminder && s.occasion.ReminderOf() == k.occasion && s.key.contact == k.contact && s.key.touchpoint == k.touchpoint
		})
	}
	if was != (d.Verdict == survey.WasAsked) {
		l.t.Errorf("why says %q of %+v, sent %v", d.Verdict, k, was)
	}
	if d.Verdict != survey.Refused {
		return
	}
	rest, recontact := l.spans(t)
	sentBefore := func(touchpoint string, within time.Duration) bool {
		return slices.ContainsFunc(letters, func(s letter) bool {
			return (touchpoint == "" || s.touchpoint == touchpoint) && !s.reminder && !s.at.After(d.At) && d.At.Sub(s.at) < within
		})
	}
	outOf := func(ch survey.Channel) bool {
		at, out := l.optedOut[k.contact+string(ch)]
		return out && !at.After(d.At)
	}
	stoppedAt, stopped := l.stopped[k.touchpoint]
	var ok bool
	switch d.Reason {
	case survey.Stopped:
		ok = stopped && !stoppedAt.After(d.At)
	case survey.OutOfSegment:
		ok = len(t.Trigger.Segments) > 0 && len(c.Segments) == 0
	case survey.OutOfSample:
		ok = t.Trigger.Sample != nil
	case survey.NoAddress:
		ok = !slices.ContainsFunc(t.Channels, func(ch survey.Channel) bool { return c.Address(ch) != "" })
	case survey.OptedOut:
		channels := t.Channels
		if reminder { // it goes the way of the ask
			channels = slices.DeleteFunc(slices.Clone(channels), func(ch survey.Channel) bool {
				return !slices.ContainsFunc(letters, func(s letter) bool {
					return s.occasion.ReminderOf() == k.occasion && s.touchpoint == k.touchpoint && s.channel == ch
				})
			})
		}
		ok = len(channels) > 0
		for _, ch := range channels {
			ok = ok && (c.Address(ch) == "" || outOf(ch))
		}
	case survey.SameAsked:
		ok = sentBefore(k.touchpoint, recontact) || planned(d, letters, k.touchpoint, recontact)
	case survey.OtherAsked:
		ok = sentBefore("", rest) || planned(d, letters, "", rest)
	case survey.TurnComes:
		ok = t.Trigger.Every == "" && d.Other != "" && d.Until.After(d.At.Add(-2*time.Hour)) && l.turnKept(k.contact, d)
	case survey.TooLate:
		from := d.At
		if d.Due.After(from) {
			from = d.Due
		}
		ok = reminder || t.Trigger.Every != "" || !slices.ContainsFunc(hours(from, d.Due.Add(14*day)), func(at time.Time) bool {
			local := at.In(l.zone(k.contact))
			return l.sendable(t, local) && (t.Trigger.Hour == 0 || local.Hour() == t.Trigger.Hour)
		})
	case survey.NoTouchpoint, survey.NoContact, survey.HasAnswered, survey.Undeliverable, survey.Bounced:
		ok = false // none of them can have happened here
	}
	if !ok {
		l.t.Errorf("%+v was refused at %s (due %s) for %s %s until %s; letters %+v", k, d.At, d.Due, d.Reason, d.Other, d.Until, letters)
	}
}

// planned reports whether the reason holds at the moment that the ask was to be
// sent, where plan refused ahead of it.
func planned(d survey.Decision, letters []letter, touchpoint string, within time.Duration) bool {
	return d.Due.After(d.At) && slices.ContainsFunc(letters, func(s letter) bool {
		return (touchpoint == "" || s.touchpoint == touchpoint) && !s.reminder && !s.at.After(d.At) && d.Due.Sub(s.at) < within
	})
}

// turnKept reports whether the turn that an ask gave way to was due when it was
// said to be.
func (l *life) turnKept(contact string, d survey.Decision) bool {
	if d.Until.After(l.now) {
		return true // it is still to come
	}
	for k, turn := range l.decisions {
		if k.contact == contact && k.touchpoint == d.Other && turn.Due.Equal(d.Until) {
			return true
		}
	}
	return false
}

// complete looks for everybody who was due: in each period that lies in the time
// as a whole each contact has one decision, and so has every event that was told
// in time.
func (l *life) complete() {
	for _, t := range l.touchpoints {
		for id := range l.contacts {
			if t.Trigger.Every != "" {
				l.completePeriods(t, id)
			}
		}
	}
	for _, h := range l.happened {
		for _, t := range l.touchpoints {
			if t.Trigger.Event != h.Type || l.now.Sub(h.Time.Add(time.Duration(t.Trigger.Delay))) < 16*day {
				continue
			}
			k := key{h.Contact.ID, t.ID, survey.Occasion(h.Type + "/" + h.ID)}
			if d, ok := l.decisions[k]; !ok || d.Verdict == survey.Planned {
				l.t.Errorf("%+v, told at %s, has come to nothing: %+v", k, h.told, d)
			}
		}
	}
}

func (l *life) completePeriods(t *survey.Touchpoint, contact string) {
	found := map[survey.Occasion]survey.Decision{}
	for k, d := range l.decisions {
		if k.contact == contact && k.touchpoint == t.ID && len(k.occasion) <= len("2026-11") {
			found[k.occasion] = d
		}
	}
	zone := l.zone(contact)
	months := map[survey.Cadence]int{survey.Monthly: 1, survey.Quarterly: 3, survey.Yearly: 12}[t.Trigger.Every]
	for year := 2025; year <= 2027; year++ {
		for m := 1; m <= 12; m += months {
			begins := time.Date(year, time.Month(m), 1, 0, 0, 0, 0, zone)
			ends := time.Date(year, time.Month(m+months), 1, 0, 0, 0, 0, zone)
			name := survey.Occasion(fmt.Sprintf("%d", year))
			switch t.Trigger.Every {
			case survey.Monthly:
				name = survey.Occasion(fmt.Sprintf("%d-%02d", year, m))
			case survey.Quarterly:
				name = survey.Occasion(fmt.Sprintf("%dQ%d", year, (m+2)/3))
			case survey.Yearly:
			}
			d, ok := found[name]
			if begins.After(l.from) && ends.Before(l.now) && (!ok || d.Verdict == survey.Planned) {
				l.t.Errorf("%s had no turn at %s in %s: %+v", contact, t.ID, name, d)
			}
			if ok && (d.Due.Before(begins) || !d.Due.Before(ends)) {
				l.t.Errorf("%s: %s in %s was due on %s", contact, t.ID, name, d.Due)
			}
			delete(found, name)
		}
	}
	if len(found) > 0 {
		l.t.Errorf("%s has turns at %s that are none: %+v", contact, t.ID, found)
	}
}
