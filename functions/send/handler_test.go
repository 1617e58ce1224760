package send

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // as the function has it

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

var (
	errTrouble   = errors.New("no answer")
	errThrottled = survey.Errorf(survey.Unavailable, "", "too many at once")
	errRefused   = survey.Errorf(survey.Invalid, "email", "nobody has this address")
)

func TestAsk(t *testing.T) {
	w := newWorld(t)
	var told strings.Builder
	w.h.Metrics = obs.NewMetrics(func(string) string { return "pulssi-prod-send" }, &told, w.h.Now)
	a := w.purchase(w.contact(nil))
	w.done(a)
	if line := told.String(); strings.Count(line, "\n") != 1 || !strings.Contains(line, `"Sends":1`) || strings.Contains(line, "@") {
		t.Errorf("one message was sent; told is %s", line)
	}

	id := w.h.askID(a)
	want := &survey.Ask{
		ID: id, Touchpoint: "shop", Series: 3, Metric: survey.NPS, Channel: survey.Email, Locale: "fi",
		Segments: []string{"members"}, Contact: a.Contact, Occasion: a.Occasion, Ref: "4711",
		AskedAt: monday, TriedAt: monday, SentAt: monday,
	}
	if diff := cmp.Diff(want, w.askOf(a)); diff != "" {
		t.Errorf("the ask (-want +got):\n%s", diff)
	}
	d := survey.Decision{
		Contact: a.Contact, Touchpoint: "shop", Occasion: a.Occasion, Verdict: survey.WasAsked,
		At: monday, Due: a.Due, Channel: survey.Email, Ask: id,
	}
	if diff := cmp.Diff(d, w.decision(a)); diff != "" {
		t.Errorf("the decision (-want +got):\n%s", diff)
	}
	c, err := w.Contact(t.Context(), a.Contact)
	if err != nil || c.LastAsk != id || c.Asked["shop"].Ask != id || !c.LastAskedAt.Equal(monday) {
		t.Errorf("the contact's turn: %+v, %v", c, err)
	}
	sent := w.sentTo(a)
	if len(sent) != 1 {
		t.Fatalf("%d messages were sent", len(sent))
	}
	m := sent[0]
	wantMessage := message.Message{
		Channel: survey.Email, To: c.Email, Ask: id, Touchpoint: "shop", Name: "Kauppa Oy",
		Unsubscribe: "https://answer.example.com/u/" + id,
	}
	if diff := cmp.Diff(wantMessage, m, cmpopts.IgnoreFields(message.Message{}, "Written")); diff != "" {
		t.Errorf("the message (-want +got):\n%s", diff)
	}
	for _, part := range []string{"Maija", "Suosittelisitko", "tuoli", "https://answer.example.com/a/" + id + "?s=0", "/a/" + id + "?s=10"} {
		if !strings.Contains(m.Text, part) {
			t.Errorf("the text does not say %q:\n%s", part, m.Text)
		}
	}
	reminder := w.wait()
	wantReminder := a
	wantReminder.Reminder, wantReminder.Due = true, monday.Add(72*time.Hour)
	if diff := cmp.Diff(waiting{wantReminder.Due, wantReminder}, reminder, cmp.AllowUnexported(waiting{})); diff != "" {
		t.Errorf("the reminder (-want +got):\n%s", diff)
	}

	// The same message again, at any time, changes nothing.
	before := w.askOf(a)
	for _, later := range []time.Duration{0, time.Minute, time.Hour} {
		w.clock.Move(later)
		w.done(a)
	}
	if diff := cmp.Diff(before, w.askOf(a)); diff != "" {
		t.Errorf("the ask changed:\n%s", diff)
	}
	if diff := cmp.Diff(d, w.decision(a)); diff != "" {
		t.Errorf("the decision changed:\n%s", diff)
	}
	if n := len(w.sentTo(a)); n != 1 {
		t.Errorf("%d messages after repetitions", n)
	}
	if r := w.wait(); !r.at.Equal(reminder.at) {
		t.Errorf("a repetition schedules the reminder for %v", r.at)
	}
}

func TestSMS(t *testing.T) {
	w := newWorld(t)
	a := w.purchase(w.contact(func(d *survey.Details) { d.Email, d.Phone = "", "+358401234567" }))
	w.done(a)
	sent := w.sentTo(a)
	if len(sent) != 1 || sent[0].Channel != survey.SMS || sent[0].To != "+358401234567" || sent[0].HTML != "" ||
		!strings.Contains(sent[0].Text, "https://answer.example.com/a/"+w.h.askID(a)) {
		t.Fatalf("sent %+v", sent)
	}
	if ask := w.askOf(a); ask.Channel != survey.SMS {
		t.Errorf("the ask's channel is %s", ask.Channel)
	}
}

func TestCadence(t *testing.T) {
	w := newWorld(t)
	c := w.contact(func(d *survey.Details) { d.Segments = []string{"loyal"} })
	a := queue.Ask{Touchpoint: "relation", Contact: c, Occasion: "2026Q4", Due: monday.Add(-time.Hour)}
	w.done(a)
	if len(w.sentTo(a)) != 1 || w.decision(a).Verdict != survey.WasAsked {
		t.Errorf("sent %d, decided %+v", len(w.sentTo(a)), w.decision(a))
	}
	if len(w.waiting) > 0 {
		t.Error("a reminder of a touchpoint that has none")
	}
}

// What keeps a contact from being asked is kept, and nothing else happens.
func TestRefused(t *testing.T) {
	w := newWorld(t)
	day := 24 * time.Hour
	taken := func(touchpoint string, ago time.Duration) func(string) {
		return func(c string) {
			turn := store.Turn{Contact: c, Touchpoint: touchpoint, Ask: survey.NewID(), Channel: survey.Email, At: w.clock.Now().Add(-ago)}
			if err := w.TakeTurn(t.Context(), turn); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name   string
		who    func(*survey.Details)
		before func(contact string)
		edit   func(*queue.Ask)
		change func(*survey.Touchpoint)
		why    survey.Reason
	}{
		{name: "touchpoint gone", edit: func(a *queue.Ask) { a.Touchpoint = "gone" }, why: survey.NoTouchpoint},
		{name: "no trigger", change: func(t *survey.Touchpoint) { t.Trigger = nil }, why: survey.NoTouchpoint},
		{name: "another event", change: func(t *survey.Touchpoint) { t.Trigger = &survey.Trigger{Event: "meeting.held"} }, why: survey.NoTouchpoint},
		{name: "stopped", change: func(t *survey.Touchpoint) { t.Stopped = true }, why: survey.Stopped},
		{name: "contact gone", before: func(c string) { _ = w.DeleteContact(t.Context(), c) }, why: survey.NoContact},
		{name: "another segment", change: func(t *survey.Touchpoint) { t.Trigger.Segments = []string{"vip"} }, why: survey.OutOfSegment},
		{name: "not in the sample", change: func(t *survey.Touchpoint) { t.Trigger.Sample = new(0) }, why: survey.OutOfSample},
		{name: "no address", who: func(d *survey.Details) { d.Email = "" }, why: survey.NoAddress},
		{name: "opted out", who: func(d *survey.Details) { d.OptOut = []survey.Channel{survey.Email} }, why: survey.OptedOut},
		{name: "too late", edit: func(a *queue.Ask) { a.Due = a.Due.Add(-14*day - time.Second) }, why: survey.TooLate},
		{name: "same touchpoint", before: taken("shop", 90*day-time.Millisecond), why: survey.SameAsked},
		{name: "other touchpoint", before: taken("support", 30*day-time.Millisecond), why: survey.OtherAsked},
		{name: "a turn comes", who: func(d *survey.Details) { d.Segments = []string{"loyal"} }, change: func(*survey.Touchpoint) {
			w.touchpoints["relation"].Trigger.Spread, w.touchpoints["relation"].Trigger.On = new(false), "3-1"
		}, why: survey.TurnComes},
		{name: "no mail service", change: func(*survey.Touchpoint) { delete(w.h.Transports, survey.Email) }, why: survey.Undeliverable},
		{name: "too large", change: func(*survey.Touchpoint) { w.rules.Postal = strings.Repeat("x", message.MaxHTML) }, why: survey.Undeliverable},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			shop, rules := *w.touchpoints["shop"], w.rules
			t.Cleanup(func() {
				w.touchpoints["shop"], w.rules = &shop, rules
				w.h.Transports[survey.Email] = w
			})
			if c.change != nil {
				changed, trigger := shop, *shop.Trigger
				changed.Trigger = &trigger
				w.touchpoints["shop"] = &changed
				c.change(&changed)
			}
			contact := w.contact(c.who)
			if c.before != nil {
				c.before(contact)
			}
			a := w.purchase(contact)
			if c.edit != nil {
				c.edit(&a)
			}
			before, _ := w.Contact(t.Context(), contact)
			w.done(a)
			w.wasRefused(a, c.why)
			w.done(a)
			if ask := w.askOf(a); ask != nil || len(w.sentTo(a)) > 0 || len(w.waiting) > 0 {
				t.Errorf("an ask %+v, %d messages, %d scheduled", ask, len(w.sentTo(a)), len(w.waiting))
			}
			after, _ := w.Contact(t.Context(), contact)
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("the contact changed:\n%s", diff)
			}
		})
	}
}

// At the edge of each time the contact is asked.
func TestNoLongerRefused(t *testing.T) {
	w := newWorld(t)
	day := 24 * time.Hour
	for _, c := range []struct {
		touchpoint string
		ago        time.Duration
	}{{"shop", 90 * day}, {"support", 30 * day}} {
		contact := w.contact(nil)
		if err := w.TakeTurn(t.Context(), store.Turn{Contact: contact, Touchpoint: c.touchpoint, Ask: survey.NewID(), At: monday.Add(-c.ago), Channel: survey.Email}); err != nil {
			t.Fatal(err)
		}
		a := w.purchase(contact)
		a.Due = monday.Add(-14 * day)
		w.done(a)
		if len(w.sentTo(a)) != 1 {
			t.Errorf("not asked %v after %s", c.ago, c.touchpoint)
		}
	}
}

func TestAtNight(t *testing.T) {
	w := newWorld(t)
	w.clock.Move(12 * time.Hour) // 22:00 in Helsinki
	a := w.purchase(w.contact(nil))
	morning := monday.Add(22 * time.Hour) // 8:00
	w.done(a)
	w.done(a)
	if d := w.decision(a); d.Verdict != survey.Planned || !d.Due.Equal(morning) {
		t.Errorf("decided %+v", d)
	}
	if len(w.sentTo(a)) > 0 || w.askOf(a) != nil {
		t.Fatal("asked at night")
	}
	next := w.wait()
	if !next.at.Equal(morning) {
		t.Fatalf("scheduled for %v, want %v", next.at, morning)
	}
	if diff := cmp.Diff(a, next.ask); diff != "" {
		t.Fatalf("the message changed:\n%s", diff)
	}
	w.clock.Move(10 * time.Hour)
	w.done(next.ask)
	if len(w.sentTo(a)) != 1 {
		t.Error("not asked in the morning")
	}
}

// A clock that is a moment behind that of the scheduler: the schedule that
// brought the message may still be there, and another of its name would not be
// made. The message comes again from the queue.
func TestAMomentEarly(t *testing.T) {
	w := newWorld(t)
	morning := monday.Add(22 * time.Hour) // 8:00
	for _, c := range []struct {
		early     time.Duration
		scheduled int
	}{{time.Millisecond, 0}, {firstDelay - time.Millisecond, 0}, {firstDelay, 1}} {
		clear(w.waiting)
		w.clock.Move(morning.Add(-c.early).Sub(w.clock.Now()))
		a := w.purchase(w.contact(nil))
		if again := len(w.deliver(a)); again != 1-c.scheduled || len(w.waiting) != c.scheduled || len(w.sentTo(a)) > 0 {
			t.Errorf("%v early: %d come again, %d scheduled, %d sent", c.early, again, len(w.waiting), len(w.sentTo(a)))
		}
		if c.scheduled == 0 {
			w.clock.Move(firstDelay)
			w.done(a)
			if len(w.sentTo(a)) != 1 {
				t.Errorf("%v early: sent %d", c.early, len(w.sentTo(a)))
			}
		}
	}
}

func TestNoOpenDay(t *testing.T) {
	w := newWorld(t)
	w.touchpoints["shop"].Trigger.Weekdays = []string{"sun"}
	for d := monday; d.Before(monday.AddDate(2, 0, 0)); d = d.AddDate(0, 0, 1) {
		w.rules.Closed = append(w.rules.Closed, d.Format(time.DateOnly))
	}
	a := w.purchase(w.contact(nil))
	w.done(a)
	w.wasRefused(a, survey.TooLate)
}

// Another invocation may be sending: the message comes again when that one is
// surely over.
func TestBusy(t *testing.T) {
	w := newWorld(t)
	log := logged(t)
	a := w.purchase(w.contact(nil))
	w.trouble = func(call string, after bool) error {
		if call == "Send" && !after {
			return errTrouble
		}
		return nil
	}
	w.again(a)
	w.trouble = nil
	if ask := w.askOf(a); ask == nil || !ask.SentAt.IsZero() || !ask.TriedAt.Equal(monday) {
		t.Fatalf("the ask is %+v", ask)
	}
	delays := len(w.delays)
	w.clock.Move(visibility - time.Millisecond)
	w.again(a)
	if len(w.sentTo(a)) > 0 || len(w.delays) != delays {
		t.Errorf("sent %d, delayed %v", len(w.sentTo(a)), w.delays)
	}
	if strings.Contains(log.String(), "sending what may have been sent") {
		t.Error("the window is told of too early")
	}
	w.clock.Move(time.Millisecond)
	w.done(a)
	if len(w.sentTo(a)) != 1 {
		t.Errorf("sent %d times", len(w.sentTo(a)))
	}
	if n := strings.Count(log.String(), "sending what may have been sent"); n != 1 {
		t.Errorf("the window is told of %d times", n)
	}
}

func TestThrottled(t *testing.T) {
	w := newWorld(t)
	log := logged(t)
	a := w.purchase(w.contact(nil))
	w.transport = func(message.Message) error { return errThrottled }
	resp, err := w.h.Handle(t.Context(), batch(t, 3, a))
	if err != nil || len(resp.BatchItemFailures) != 1 {
		t.Fatalf("%+v, %v", resp, err)
	}
	if diff := cmp.Diff([]time.Duration{2 * time.Minute}, w.delays); diff != "" {
		t.Errorf("delays:\n%s", diff)
	}
	if ask := w.askOf(a); ask == nil || !ask.TriedAt.IsZero() {
		t.Fatalf("the ask is %+v, want it free", ask)
	}
	w.transport = nil
	w.done(a) // at once: it surely was not sent
	if len(w.sentTo(a)) != 1 || strings.Contains(log.String(), "may have been sent") {
		t.Errorf("sent %d; log: %s", len(w.sentTo(a)), log)
	}

	// What has changed meanwhile counts.
	for _, c := range []struct {
		change func(contact string)
		why    survey.Reason
	}{
		{func(string) { w.touchpoints["shop"].Stopped = true }, survey.Stopped},
		{func(c string) {
			if _, err := w.OptOut(t.Context(), c, []survey.Channel{survey.Email}, false, monday); err != nil {
				t.Fatal(err)
			}
		}, survey.OptedOut},
	} {
		// The ask keeps its channel: the phone is no way out.
		a := w.purchase(w.contact(func(d *survey.Details) { d.Phone = "+358409876543" }))
		w.transport = func(message.Message) error { return errThrottled }
		w.again(a)
		w.transport = nil
		c.change(a.Contact)
		w.done(a)
		w.wasRefused(a, c.why)
		if len(w.sentTo(a)) > 0 {
			t.Errorf("%s: sent", c.why)
		}
		w.touchpoints["shop"].Stopped = false
		if err := w.DeleteContact(t.Context(), a.Contact); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRefusedForGood(t *testing.T) {
	w := newWorld(t)
	log := logged(t)
	a := w.purchase(w.contact(nil))
	w.transport = func(message.Message) error { return errRefused }
	w.done(a)
	w.wasRefused(a, survey.Undeliverable)
	first := w.decision(a)
	if ask := w.askOf(a); !ask.RefusedAt.Equal(monday) || !ask.SentAt.IsZero() {
		t.Errorf("the ask is %+v", ask)
	}
	w.transport = nil
	w.clock.Move(time.Hour)
	w.done(a)
	if len(w.sentTo(a)) > 0 {
		t.Error("tried again")
	}
	if diff := cmp.Diff(first, w.decision(a)); diff != "" {
		t.Errorf("the decision changed:\n%s", diff)
	}
	if strings.Contains(log.String(), "@") {
		t.Errorf("an address in the log: %s", log)
	}
}

// Malformed messages come again until they end in the dead-letter queue; the
// rest of the batch goes on.
func TestMalformed(t *testing.T) {
	w := newWorld(t)
	log := logged(t)
	a := w.purchase(w.contact(nil))
	e := batch(t, 1, a)
	for _, body := range []string{
		"", "null", "{}", "[]", "maija@example.com", `{"touchpoint":"shop","maija@example.com":1}`,
		strings.Replace(e.Records[0].Body, `"occasion":"`, `"occasion":"","x":"`, 1),
		e.Records[0].Body + e.Records[0].Body, e.Records[0].Body + "}",
	} {
		e.Records = append([]events.SQSMessage{{MessageId: "bad", Body: body}}, e.Records...)
	}
	resp, err := w.h.Handle(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(resp.BatchItemFailures); n != len(e.Records)-1 {
		t.Errorf("%d messages come again, want %d", n, len(e.Records)-1)
	}
	for _, f := range resp.BatchItemFailures {
		if f.ItemIdentifier != "bad" {
			t.Errorf("%s comes again", f.ItemIdentifier)
		}
	}
	if len(w.sentTo(a)) != 1 || len(w.delays) > 0 {
		t.Errorf("sent %d, delayed %v", len(w.sentTo(a)), w.delays)
	}
	if strings.Contains(log.String(), "maija") {
		t.Errorf("what was wrong is in the log: %s", log)
	}
}

// Another touchpoint takes the turn after it was decided.
func TestTurnTakenMeanwhile(t *testing.T) {
	w := newWorld(t)
	a := w.purchase(w.contact(nil))
	w.trouble = func(call string, after bool) error {
		if call == "TakeTurn" && !after {
			w.trouble = nil
			return w.TakeTurn(t.Context(), store.Turn{Contact: a.Contact, Touchpoint: "support", Ask: survey.NewID(), Channel: survey.Email, At: monday})
		}
		return nil
	}
	w.done(a)
	w.wasRefused(a, survey.OtherAsked)
	if d := w.decision(a); d.Other != "support" || w.askOf(a) != nil {
		t.Errorf("decided %+v", d)
	}

	// The contact is deleted.
	a = w.purchase(w.contact(nil))
	w.trouble = func(call string, after bool) error {
		if call == "TakeTurn" && !after {
			w.trouble = nil
			return w.DeleteContact(t.Context(), a.Contact)
		}
		return nil
	}
	w.done(a)
	w.wasRefused(a, survey.NoContact)

	// An opt-out of the channel leaves the other one.
	a = w.purchase(w.contact(func(d *survey.Details) { d.Phone = "+358401112222" }))
	w.trouble = func(call string, after bool) error {
		if call == "TakeTurn" && !after {
			w.trouble = nil
			_, err := w.OptOut(t.Context(), a.Contact, []survey.Channel{survey.Email}, false, monday)
			return err
		}
		return nil
	}
	w.again(a)
	w.done(a)
	if sent := w.sentTo(a); len(sent) != 1 || sent[0].Channel != survey.SMS {
		t.Errorf("sent %+v", sent)
	}
}

// What nobody could keep as sent has arrived: it is not sent again.
func TestArrivedUnsent(t *testing.T) {
	w := newWorld(t)
	for name, comes := range map[string]func(id string) error{
		"answered": func(id string) error {
			_, err := w.Answer(t.Context(), id, survey.Answer{Score: 9, Via: survey.ViaHuman}, w.clock.Now())
			return err
		},
		"delivered": func(id string) error { return w.MarkDelivered(t.Context(), id, w.clock.Now()) },
		"bounced":   func(id string) error { return w.MarkBounced(t.Context(), id, w.clock.Now()) },
	} {
		clear(w.waiting)
		tried := w.clock.Now()
		a := w.purchase(w.contact(nil))
		w.trouble = func(call string, after bool) error {
			if call == "MarkSent" && !after {
				return errTrouble
			}
			return nil
		}
		w.again(a)
		w.trouble = nil
		w.clock.Move(time.Minute)
		if err := comes(w.h.askID(a)); err != nil {
			t.Fatal(err)
		}
		w.done(a)
		w.clock.Move(visibility)
		w.done(a)
		ask := w.askOf(a)
		if len(w.sentTo(a)) != 1 || !ask.SentAt.Equal(tried) || w.decision(a).Verdict != survey.WasAsked {
			t.Errorf("%s: sent %d times; ask %+v, decision %+v", name, len(w.sentTo(a)), ask, w.decision(a))
		}
		if n := len(w.waiting); (n == 0) != (name == "answered") {
			t.Errorf("%s: %d reminders", name, n)
		}
	}
}

// An ask that was made before a series ended is written in its words.
func TestEndedSeries(t *testing.T) {
	w := newWorld(t)
	a := w.purchase(w.contact(nil))
	w.transport = func(message.Message) error { return errThrottled }
	w.again(a)
	w.transport = nil
	old, next := w.touchpoints["shop"], *w.touchpoints["shop"]
	next.Series, next.Question = 4, survey.Text{"fi": "Uusi kysymys?"}
	w.touchpoints["shop#3"], w.touchpoints["shop"] = old, &next
	w.done(a)
	if sent := w.sentTo(a); len(sent) != 1 || !strings.Contains(sent[0].Text, "Suosittelisitko") || w.askOf(a).Series != 3 {
		t.Errorf("sent %+v", sent)
	}
	// Where the words are gone, those in force have to do.
	a = w.purchase(w.contact(nil))
	w.transport = func(message.Message) error { return errThrottled }
	w.again(a)
	w.transport = nil
	gone := next
	gone.Series = 5
	w.touchpoints["shop"] = &gone
	w.done(a)
	if sent := w.sentTo(a); len(sent) != 1 || !strings.Contains(sent[0].Text, "Uusi") {
		t.Errorf("sent %+v", sent)
	}
}

// Line ends and header syntax in what is known of a contact stay text.
func TestNoHeadersFromContacts(t *testing.T) {
	w := newWorld(t)
	w.meddler = func(c *survey.Contact) { c.FirstName = "Maija\r\nBcc: all@example.com\r\n\r\n<b>" }
	w.touchpoints["shop"].Message = &survey.Message{Subject: survey.Text{"fi": "Hei {firstName}, {about}"}}
	a := w.purchase(w.contact(nil))
	a.About = "tuoli\nBcc: all@example.com"
	w.done(a)
	m := w.sentTo(a)[0]
	if strings.ContainsAny(m.Subject+m.To+m.Name+m.Unsubscribe+m.ReplyTo, "\r\n") {
		t.Errorf("a line end in a header: %+v", m)
	}
	if strings.Contains(m.HTML, "<b>") {
		t.Error("a name with markup is markup")
	}
}

func TestDryRun(t *testing.T) {
	w := newWorld(t)
	log := logged(t)
	w.h.DryRun = true
	a := w.purchase(w.contact(nil))
	before, _ := w.Contact(t.Context(), a.Contact)
	w.done(a)
	after, _ := w.Contact(t.Context(), a.Contact)
	if len(w.sent) > 0 || w.askOf(a) != nil || !cmp.Equal(before, after) || w.decision(a).Verdict != "" {
		t.Error("a dry run leaves traces")
	}
	if !strings.Contains(log.String(), "would be sent") {
		t.Errorf("the log: %s", log)
	}
}

// Lines of the log name the contact by its fingerprint, and nothing else of whom
// they are about.
func TestLinesNameNobody(t *testing.T) {
	for line, happen := range map[string]func(w *world) queue.Ask{
		"sent": func(w *world) queue.Ask {
			a := w.purchase(w.contact(nil))
			w.done(a)
			return a
		},
		"would be sent": func(w *world) queue.Ask {
			a := w.purchase(w.contact(nil))
			w.h.DryRun = true
			w.done(a)
			return a
		},
		"would be sent, a reminder": func(w *world) queue.Ask {
			a := w.reminder(nil)
			w.h.DryRun = true
			w.done(a)
			return a
		},
		"refused for good": func(w *world) queue.Ask {
			a := w.purchase(w.contact(nil))
			w.transport = func(message.Message) error { return errRefused }
			w.done(a)
			return a
		},
		"refused for good, a reminder": func(w *world) queue.Ask {
			a := w.reminder(nil)
			w.transport = func(message.Message) error { return errRefused }
			w.done(a)
			return a
		},
		"message comes again": func(w *world) queue.Ask {
			a := w.purchase(w.contact(nil))
			w.transport = func(message.Message) error { return errThrottled }
			w.again(a)
			return a
		},
		"sending what may have been sent": func(w *world) queue.Ask {
			a := w.purchase(w.contact(nil))
			w.transport = func(message.Message) error { return errTrouble }
			w.again(a)
			w.clock.Move(visibility)
			w.again(a)
			return a
		},
		"nobody knows whether a reminder was sent": func(w *world) queue.Ask {
			a := w.reminder(nil)
			w.transport = func(message.Message) error { return errTrouble }
			w.done(a)
			return a
		},
	} {
		w := newWorld(t)
		log := logged(t)
		a := happen(w)
		told := log.String()
		if !strings.Contains(told, strings.TrimSuffix(line, ", a reminder")) || !strings.Contains(told, survey.Fingerprint(a.Contact)) {
			t.Errorf("%s: the log is %s", line, told)
		}
		for _, id := range []string{a.Contact, w.h.askID(a), "order-", "service-", "4711", "@", "Maija"} {
			if strings.Contains(told, id) {
				t.Errorf("%s: the log has %q: %s", line, id, told)
			}
		}
	}
}

// A batch ends early enough to report what is left, untouched.
func TestDeadline(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithTimeout(t.Context(), attemptTime) // which is kept back
	defer cancel()
	a, b := w.purchase(w.contact(nil)), w.purchase(w.contact(nil))
	resp, err := w.h.Handle(ctx, batch(t, 1, a, b))
	if err != nil || len(resp.BatchItemFailures) != 2 {
		t.Fatalf("%+v, %v", resp, err)
	}
	if w.askOf(a) != nil || w.askOf(b) != nil || len(w.delays) > 0 {
		t.Error("something was begun")
	}
}

// What has begun goes through to the end, though the time is over.
func TestAttemptGoesThrough(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	a := w.purchase(w.contact(nil))
	w.transport = func(message.Message) error { cancel(); return nil }
	resp, err := w.h.Handle(ctx, batch(t, 1, a))
	if err != nil || len(resp.BatchItemFailures) > 0 {
		t.Fatalf("%+v, %v", resp, err)
	}
	if w.askOf(a).SentAt.IsZero() || w.decision(a).Verdict != survey.WasAsked {
		t.Error("what was sent is not kept")
	}
}

// Any call may fail; the message comes again and the delay is asked for.
func TestTroubleAnywhere(t *testing.T) {
	w := newWorld(t)
	for _, call := range []string{"Ask", "Rulebook", "All", "Touchpoint", "Contact", "Series", "TakeTurn", "CreateAsk", "MarkSent", "PutDecision", "At"} {
		a := w.purchase(w.contact(nil))
		w.delays = nil
		w.trouble = func(c string, after bool) error {
			if c == call && !after || c == "Delay" {
				return errTrouble
			}
			return nil
		}
		w.again(a)
		w.trouble = nil
		w.again2(a)
		if len(w.sentTo(a)) < 1 || w.decision(a).Verdict != survey.WasAsked {
			t.Errorf("%s: sent %d, decided %+v", call, len(w.sentTo(a)), w.decision(a))
		}
	}
}

// again2 delivers a message until it is done, which takes the queue's
// visibility time where an attempt stands.
func (w *world) again2(a queue.Ask) {
	w.t.Helper()
	w.clock.Move(visibility)
	w.done(a)
}

func TestDelay(t *testing.T) {
	for receives, want := range map[string]time.Duration{
		"": 30 * time.Second, "0": 30 * time.Second, "1": 30 * time.Second, "2": time.Minute, "7": 32 * time.Minute,
		"8": time.Hour, "9": time.Hour, "50": time.Hour, "1000000": time.Hour,
	} {
		if got := delay(receives); got != want {
			t.Errorf("after %q receives: %v, want %v", receives, got, want)
		}
	}
}
