package delivery_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/functions/delivery"
	"github.com/pulssi/pulssi/shared/survey"
)

var errDown = errors.New("the store is down")

// failing is a store whose calls of one name fail.
type failing struct {
	*memory
	call string
	err  error
}

func (f failing) fails(call string) error {
	if f.call == call {
		return f.err
	}
	return nil
}

func (f failing) Ask(ctx context.Context, id string) (*survey.Ask, error) {
	a, err := f.memory.Ask(ctx, id)
	return a, errors.Join(f.fails("Ask"), err)
}

func (f failing) AsksOf(ctx context.Context, contact string) ([]*survey.Ask, error) {
	all, err := f.memory.AsksOf(ctx, contact)
	return all, errors.Join(f.fails("AsksOf"), err)
}

func (f failing) FindContact(ctx context.Context, field, value string) (*survey.Contact, error) {
	if err := f.fails("FindContact " + value); err != nil {
		return nil, err
	}
	c, err := f.memory.FindContact(ctx, field, value)
	return c, errors.Join(f.fails("FindContact"), err)
}

func (f failing) Answer(context.Context, string, survey.Answer, time.Time) (*survey.Ask, error) {
	return nil, f.fails("Answer")
}

func (f failing) KeepReply(context.Context, *survey.Ask, string, time.Time) error {
	return f.fails("KeepReply")
}

func (f failing) MarkDelivered(context.Context, string, time.Time) error {
	return f.fails("MarkDelivered")
}

func (f failing) MarkBounced(context.Context, string, time.Time) error { return f.fails("MarkBounced") }

func (f failing) NoteBounces(context.Context, string, survey.Channel, func(*survey.Contact, survey.Bounces) survey.Bounces, time.Time) error {
	return f.fails("NoteBounces")
}

func (f failing) OptOut(context.Context, string, []survey.Channel, bool, time.Time) (*survey.Contact, error) {
	return nil, f.fails("OptOut")
}

// What the store could not take comes again; what it will never take does not.
// Neither errors, which are logged, nor the log name anybody.
func TestFailures(t *testing.T) {
	mail, sms, person := strings.Repeat("E", 22), strings.Repeat("S", 22), strings.Repeat("C", 22)
	var log strings.Builder
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(was) })
	m := &memory{
		asks: map[string]*survey.Ask{
			mail: {ID: mail, Channel: survey.Email, Contact: person, AskedAt: now, SentAt: now},
			sms:  {ID: sms, Metric: survey.NPS, Channel: survey.SMS, Contact: person, AskedAt: now, SentAt: now},
		},
		contacts: map[string]*survey.Contact{person: {ID: person, Email: "maija@example.com", Phone: "+358401234567"}},
	}
	delivered := ses("Delivery", mail, `,"delivery":{"timestamp":"2026-11-21T10:00:02.000Z"}`)
	gone := survey.Errorf(survey.NotFound, "id", "it is gone")
	for _, c := range []struct {
		call, event string
		err         error
		again       bool
	}{
		{"Ask", delivered, errDown, true},
		{"MarkDelivered", delivered, errDown, true},
		{"MarkDelivered", delivered, gone, false},
		{"NoteBounces", delivered, errDown, true},
		{"NoteBounces", delivered, gone, false},
		{"MarkBounced", bounce("Permanent", mail), errDown, true},
		{"NoteBounces", bounce("Permanent", mail), errDown, true},
		{"MarkBounced", ses("Reject", mail, ""), errDown, true},
		{"OptOut", ses("Complaint", mail, ""), errDown, true},
		{"OptOut", ses("Complaint", mail, ""), gone, false},
		{"FindContact", text("+358401234567", "9"), errDown, true},
		{"AsksOf", text("+358401234567", "9"), errDown, true},
		{"Answer", text("+358401234567", "9"), errDown, true},
		{"Answer", text("+358401234567", "9"), gone, false},
		{"Answer", text("+358401234567", "9"), survey.Errorf(survey.Closed, "", "it is closed"), false},
		{"Answer", text("+358401234567", "9"), survey.Errorf(survey.Unavailable, "", "later"), true},
		{"KeepReply", text("+358401234567", "hei"), errDown, true},
		{"KeepReply", text("+358401234567", "hei"), survey.Errorf(survey.Conflict, "id", "it is answered"), true},
		{"KeepReply", text("+358401234567", "hei"), gone, false},
		{"OptOut", text("+358401234567", "stop"), errDown, true},
		{"OptOut", text("+358401234567", "stop"), gone, false},
	} {
		h := &delivery.Handler{Store: failing{m, c.call, c.err}, Now: func() time.Time { return now }}
		err := h.Handle(t.Context(), json.RawMessage(c.event))
		if c.again != errors.Is(err, c.err) || !c.again && err != nil {
			t.Errorf("%s says %v: %v, want it again: %v\n%s", c.call, c.err, err, c.again, c.event)
		}
		if err != nil {
			slog.ErrorContext(t.Context(), err.Error()) // as Lambda does
		}
	}
	late := &delivery.Handler{Store: m, Now: func() time.Time { return now.AddDate(1, 0, 0) }}
	for _, from := range []string{"+358401234567", "+358409999999"} { // to no open question, and from nobody
		if err := late.Handle(t.Context(), json.RawMessage(text(from, "9"))); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"35840", "maija", mail, sms, person, "ses-1", "sms-1"} {
		if strings.Contains(log.String(), name) {
			t.Errorf("the log names somebody by %q:\n%s", name, &log)
		}
	}
	for _, id := range []string{person, "ses-1", "sms-1"} {
		if !strings.Contains(log.String(), survey.Fingerprint(id)) {
			t.Errorf("the log does not tell of %s:\n%s", id, &log)
		}
	}
}

// One message that fails does not keep the others of its event from being taken.
func TestOneOfSeveral(t *testing.T) {
	id := survey.NewID()
	m := &memory{
		asks:     map[string]*survey.Ask{id: {ID: id, Metric: survey.NPS, Channel: survey.SMS, Contact: "c", AskedAt: now, SentAt: now}},
		contacts: map[string]*survey.Contact{"c": {ID: "c", Phone: "+358401234567"}},
	}
	head, _ := strings.CutSuffix(text("+358409999999", "9"), "]}")
	_, tail, _ := strings.Cut(text("+358401234567", "stop"), "[")
	h := &delivery.Handler{Store: partly{failing{m, "FindContact +358409999999", errDown}}, Now: func() time.Time { return now }}
	if err := h.Handle(t.Context(), json.RawMessage(head+","+tail)); !errors.Is(err, errDown) {
		t.Errorf("the failure is not told: %v", err)
	}
	if len(m.contacts["c"].OptOuts) == 0 {
		t.Error("the second message was not taken")
	}
}

// partly takes opt-outs.
type partly struct{ failing }

func (p partly) OptOut(ctx context.Context, id string, channels []survey.Channel, back bool, at time.Time) (*survey.Contact, error) {
	return p.memory.OptOut(ctx, id, channels, back, at)
}
