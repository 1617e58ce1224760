package send

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// reminder asks a contact, moves the clock to when the reminder is due and
// returns its message.
func (w *world) reminder(change func(*survey.Details)) queue.Ask {
	w.t.Helper()
	w.done(w.purchase(w.contact(change)))
	next := w.wait()
	w.clock.Move(next.at.Sub(w.clock.Now()))
	return next.ask
}

func TestReminder(t *testing.T) {
	w := newWorld(t)
	a := w.reminder(nil)
	now := w.clock.Now()
	w.done(a)
	sent := w.sentTo(a)
	if len(sent) != 1 || !sent[0].Reminder || !strings.Contains(sent[0].Text, "/a/"+w.h.askID(a)) {
		t.Fatalf("sent %+v", sent)
	}
	first := w.sent[0]
	if sent[0].Subject == first.Subject || sent[0].Text == first.Text {
		t.Error("the reminder reads as the ask")
	}
	want := survey.Decision{
		Contact: a.Contact, Touchpoint: "shop", Occasion: a.Occasion.ReminderOf(), Verdict: survey.WasAsked,
		At: now, Due: a.Due, Channel: survey.Email, Ask: w.h.askID(a),
	}
	if diff := cmp.Diff(want, w.decision(a)); diff != "" {
		t.Errorf("the decision (-want +got):\n%s", diff)
	}
	if ask := w.askOf(a); !ask.RemindedAt.Equal(now) {
		t.Errorf("reminded at %v", ask.RemindedAt)
	}
	// Again: nothing, also by the message of the ask.
	w.again(a) // another invocation may be at it
	w.clock.Move(visibility)
	w.done(a)
	a.Reminder = false
	w.done(a)
	if len(w.sent) != 2 || len(w.waiting) > 0 {
		t.Errorf("%d messages sent, %d scheduled", len(w.sent), len(w.waiting))
	}
	a.Reminder = true
	if diff := cmp.Diff(want, w.decision(a)); diff != "" {
		t.Errorf("the decision changed:\n%s", diff)
	}
}

// The reminder comes on a day and at an hour at which asks are sent.
func TestReminderOnWorkingDay(t *testing.T) {
	w := newWorld(t)
	w.clock.Move(48*time.Hour + 9*time.Hour + 59*time.Minute) // Wednesday, 19:59
	w.done(w.purchase(w.contact(nil)))
	if at, want := w.wait().at, monday.Add(7*24*time.Hour-2*time.Hour); !at.Equal(want) { // Monday, 8:00
		t.Errorf("scheduled for %v, want %v", at, want)
	}
}

func TestReminderRefused(t *testing.T) {
	w := newWorld(t)
	answer := func(score int, via survey.Via) func(queue.Ask) {
		return func(a queue.Ask) {
			if _, err := w.Answer(t.Context(), w.h.askID(a), survey.Answer{Score: score, Via: via}, w.clock.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(a queue.Ask)
		edit   func(a *queue.Ask)
		why    survey.Reason
	}{
		{name: "answered", change: answer(9, survey.ViaHuman), why: survey.HasAnswered},
		{name: "answered, and asked again since", change: func(a queue.Ask) {
			answer(9, survey.ViaHuman)(a)
			turn := store.Turn{Contact: a.Contact, Touchpoint: "shop", Ask: survey.NewID(), Channel: survey.Email, At: w.clock.Now()}
			if err := w.TakeTurn(t.Context(), turn); err != nil {
				t.Fatal(err)
			}
		}, why: survey.HasAnswered},
		{name: "stopped", change: func(queue.Ask) { w.touchpoints["shop"].Stopped = true }, why: survey.Stopped},
		{name: "contact gone", change: func(a queue.Ask) { _ = w.DeleteContact(t.Context(), a.Contact) }, why: survey.NoContact},
		{name: "opted out, with a phone", change: func(a queue.Ask) {
			if _, err := w.OptOut(t.Context(), a.Contact, []survey.Channel{survey.Email}, false, monday); err != nil {
				t.Fatal(err)
			}
		}, why: survey.OptedOut},
		{name: "no mail service", change: func(queue.Ask) { delete(w.h.Transports, survey.Email) }, why: survey.Undeliverable},
		{name: "never asked", edit: func(a *queue.Ask) { a.Contact = w.contact(nil) }, why: survey.TooLate},
		{name: "too late", change: func(queue.Ask) { w.clock.Move(14*24*time.Hour + time.Second) }, why: survey.TooLate},
		{name: "ask closed", edit: func(a *queue.Ask) {
			w.clock.Move(survey.AnswerWindow - 72*time.Hour)
			a.Due = w.clock.Now()
		}, why: survey.TooLate},
		{name: "refused for good", change: func(queue.Ask) { w.transport = func(message.Message) error { return errRefused } }, why: survey.Undeliverable},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			w.clock.Move(monday.Sub(w.clock.Now()))
			a := w.reminder(func(d *survey.Details) { d.Phone = "+35840" + strings.Map(digit, d.Ref)[:7] })
			t.Cleanup(func() {
				w.touchpoints["shop"].Stopped = false
				w.h.Transports[survey.Email], w.transport = w, nil
			})
			if c.change != nil {
				c.change(a)
			}
			if c.edit != nil {
				c.edit(&a)
			}
			w.done(a)
			w.wasRefused(a, c.why)
			if d := w.decision(a); d.Reason == survey.HasAnswered && (d.Other != "" || !d.Until.IsZero()) {
				t.Errorf("decided %+v", d)
			}
			if len(w.sentTo(a)) > 0 || len(w.waiting) > 0 {
				t.Errorf("%d reminders were sent, %d scheduled", len(w.sentTo(a)), len(w.waiting))
			}
		})
	}
}

func digit(r rune) rune { return '0' + r%10 }

// A robot's answer is none.
func TestReminderAfterSuspectAnswer(t *testing.T) {
	w := newWorld(t)
	a := w.purchase(w.contact(nil))
	w.done(a)
	if _, err := w.Answer(t.Context(), w.h.askID(a), survey.Answer{Score: 0, Via: survey.Auto}, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if ask := w.askOf(a); ask.Trust != survey.Suspect {
		t.Fatalf("trust is %q", ask.Trust)
	}
	next := w.wait()
	w.clock.Move(next.at.Sub(w.clock.Now()))
	w.done(next.ask)
	if len(w.sentTo(next.ask)) != 1 {
		t.Error("not reminded")
	}
}

func TestReminderAtNight(t *testing.T) {
	w := newWorld(t)
	a := w.reminder(nil)
	w.clock.Move(12 * time.Hour)
	w.done(a)
	next := w.wait()
	if d := w.decision(a); d.Verdict != survey.Planned || !d.Due.Equal(next.at) || len(w.sentTo(a)) > 0 {
		t.Errorf("decided %+v", d)
	}
	w.clock.Move(next.at.Sub(w.clock.Now()))
	w.done(next.ask)
	if len(w.sentTo(a)) != 1 {
		t.Error("not reminded in the morning")
	}
}

// A reminder that surely was not sent comes again; one of which nobody knows
// does not.
func TestReminderTrouble(t *testing.T) {
	w := newWorld(t)
	a := w.reminder(nil)
	w.transport = func(message.Message) error { return errThrottled }
	w.again(a)
	if len(w.delays) != 1 || !w.askOf(a).RemindedAt.IsZero() {
		t.Errorf("delays %v, ask %+v", w.delays, w.askOf(a))
	}
	w.transport = nil
	w.done(a)
	if len(w.sentTo(a)) != 1 {
		t.Errorf("sent %d times", len(w.sentTo(a)))
	}

	a = w.reminder(nil)
	w.transport = func(message.Message) error { return errTrouble }
	w.done(a)
	w.transport = nil
	w.clock.Move(visibility)
	w.done(a)
	if len(w.sentTo(a)) != 0 || w.decision(a).Verdict != survey.WasAsked {
		t.Errorf("sent %d times, decided %+v", len(w.sentTo(a)), w.decision(a))
	}

	// Somebody else reminds, or the person answers, in between.
	a = w.reminder(nil)
	w.trouble = func(call string, after bool) error {
		if call == "MarkReminded" && !after {
			return w.MarkReminded(t.Context(), w.h.askID(a), w.clock.Now())
		}
		return nil
	}
	w.again(a)
	w.trouble = nil
	if len(w.sentTo(a)) > 0 {
		t.Error("reminded twice")
	}

	for _, call := range []string{"Ask", "Rulebook", "Contact", "Series", "MarkReminded", "PutDecision"} {
		a := w.reminder(nil)
		w.trouble = func(c string, after bool) error {
			if c == call && !after {
				return errTrouble
			}
			return nil
		}
		w.again(a)
		w.trouble = nil
		w.again2(a)
		if len(w.sentTo(a)) != 1 || w.decision(a).Verdict != survey.WasAsked {
			t.Errorf("%s: sent %d, decided %+v", call, len(w.sentTo(a)), w.decision(a))
		}
	}
}

// A reminder that is refused for good was not sent, however often its message
// comes.
func TestReminderRefusedForGood(t *testing.T) {
	w := newWorld(t)
	a := w.reminder(nil)
	w.transport = func(message.Message) error { return errRefused }
	for range 3 {
		w.done(a)
		w.wasRefused(a, survey.Undeliverable)
		w.clock.Move(visibility)
	}
	if ask := w.askOf(a); !ask.RemindedAt.IsZero() {
		t.Errorf("the ask is %+v", ask)
	}
}

func TestReminderDryRun(t *testing.T) {
	w := newWorld(t)
	a := w.reminder(nil)
	w.h.DryRun = true
	w.done(a)
	if len(w.sentTo(a)) > 0 || !w.askOf(a).RemindedAt.IsZero() {
		t.Error("a dry run leaves traces")
	}
}

func TestPace(t *testing.T) {
	now := monday
	var waits []time.Duration
	p := NewPace(4, func() time.Time { return now }, func(_ context.Context, d time.Duration) error {
		waits = append(waits, d)
		now = now.Add(d)
		return nil
	})
	for range 4 {
		if err := p.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(100 * time.Millisecond) // of which 150 ms are left
	_ = p.Wait(t.Context())
	now = now.Add(time.Hour) // no turns are saved up
	_ = p.Wait(t.Context())
	_ = p.Wait(t.Context())
	quarter := 250 * time.Millisecond
	if diff := cmp.Diff([]time.Duration{quarter, quarter, quarter, 150 * time.Millisecond, quarter}, waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, p := range map[string]*Pace{"none": nil, "first": NewPace(1, func() time.Time { return now }, Timer), "waiting": p} {
		if name == "waiting" {
			p = NewPace(0.001, func() time.Time { return now }, Timer)
			_ = p.Wait(t.Context())
		}
		if err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Timer(t.Context(), time.Nanosecond); err != nil {
		t.Error(err)
	}
}

// The pace holds for what is sent, and a batch whose time is over stays as it
// was.
func TestPaceOfSending(t *testing.T) {
	w := newWorld(t)
	var waits []time.Duration
	w.h.Pace = NewPace(10, w.clock.Now, func(_ context.Context, d time.Duration) error {
		waits = append(waits, d)
		w.clock.Move(d)
		return nil
	})
	stopped := w.purchase(w.contact(func(d *survey.Details) { d.OptOut = []survey.Channel{survey.Email} }))
	w.done(w.purchase(w.contact(nil)), w.purchase(w.contact(nil)), stopped, w.purchase(w.contact(nil)))
	if diff := cmp.Diff([]time.Duration{100 * time.Millisecond, 100 * time.Millisecond}, waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	w.h.Pace = NewPace(10, w.clock.Now, func(context.Context, time.Duration) error { return context.DeadlineExceeded })
	_ = w.h.Pace.Wait(t.Context())
	a := w.purchase(w.contact(nil))
	before, _ := w.Contact(t.Context(), a.Contact)
	w.again(a)
	after, _ := w.Contact(t.Context(), a.Contact)
	if w.askOf(a) != nil || !cmp.Equal(before, after) {
		t.Error("something was begun")
	}
}
