package delivery_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/functions/delivery"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

var now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// world is the tables with one contact.
type world struct {
	t       *testing.T
	store   *store.Store
	clock   *testkit.Clock
	handler *delivery.Handler
	contact string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	tables, clock := testkit.NewTables(t), testkit.NewClock(now)
	w := &world{t: t, store: tables.Store, clock: clock, handler: &delivery.Handler{Store: tables.Store, Now: clock.Now}}
	return w.of("maija@example.com", "+358401234567")
}

// of returns the same world with another contact.
func (w *world) of(email, phone string) *world {
	w.t.Helper()
	out, err := w.store.Upsert(w.t.Context(), []survey.Details{{Email: email, Phone: phone}}, w.clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	other := *w
	other.contact = out[0].Contact
	return &other
}

// sent makes an ask that was sent to the contact now.
func (w *world) sent(ch survey.Channel, m survey.Metric) string {
	w.t.Helper()
	id := survey.NewID()
	err := w.store.CreateAsk(w.t.Context(), &survey.Ask{
		ID: id, Touchpoint: "shop", Series: 1, Metric: m, Channel: ch, Contact: w.contact, AskedAt: w.clock.Now(), SentAt: w.clock.Now(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) ask(id string) *survey.Ask {
	w.t.Helper()
	a, err := w.store.Ask(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) person() *survey.Contact {
	w.t.Helper()
	c, err := w.store.Contact(w.t.Context(), w.contact)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// take hands an event to the function twice: whatever comes may come again.
func (w *world) take(event string) {
	w.t.Helper()
	for range 2 {
		if err := w.handler.Handle(w.t.Context(), json.RawMessage(event)); err != nil {
			w.t.Fatalf("%s: %v", event, err)
		}
	}
}

// ses is an event as SES publishes it to EventBridge, cut to what is said here.
func ses(kind, ask, more string) string {
	return fmt.Sprintf(`{"version":"0","id":"e","detail-type":"Email %s","source":"aws.ses","detail":{"eventType":%q,
		"mail":{"timestamp":"2026-11-21T09:59:58.000Z","messageId":"ses-1","destination":["maija@example.com"],"tags":{"ses:configuration-set":["pulssi"],"ask":[%q]}}%s}}`, kind, kind, ask, more)
}

func bounce(kind, ask string) string {
	return ses("Bounce", ask, fmt.Sprintf(`,"bounce":{"bounceType":%q,"bounceSubType":"General","bouncedRecipients":[{"emailAddress":"maija@example.com"}],"timestamp":"2026-11-21T10:00:01.000Z","feedbackId":"f"}`, kind))
}

func text(from, body string) string {
	inner, _ := json.Marshal(map[string]string{
		"originationNumber": from, "destinationNumber": "+358400000000", "messageKeyword": "K", "messageBody": body, "inboundMessageId": "sms-1", "previousPublishedMessageId": "p",
	})
	outer, _ := json.Marshal(map[string]any{"Records": []any{map[string]any{"EventSource": "aws:sns", "Sns": map[string]any{"MessageId": "s", "Message": string(inner)}}}})
	return string(outer)
}

func TestNotices(t *testing.T) {
	w := newWorld(t)
	delivered := w.sent(survey.Email, survey.NPS)
	w.take(ses("Delivery", delivered, `,"delivery":{"timestamp":"2026-11-21T10:00:02.000Z","processingTimeMillis":900,"recipients":["maija@example.com"]}`))
	if a := w.ask(delivered); !a.DeliveredAt.Equal(now.Add(2*time.Second)) || !a.BouncedAt.IsZero() {
		t.Errorf("delivered: %+v", a)
	}
	w.take(ses("Send", delivered, `,"send":{}`))
	w.take(ses("DeliveryDelay", delivered, `,"deliveryDelay":{"timestamp":"2026-11-21T10:00:02.000Z"}`))

	rejected := w.sent(survey.Email, survey.NPS)
	w.take(ses("Reject", rejected, `,"reject":{"reason":"Bad content"}`))
	if a := w.ask(rejected); a.BouncedAt.IsZero() {
		t.Errorf("rejected: %+v", a)
	}
	if c := w.person(); len(c.Bounces) != 0 || len(c.OptOuts) != 0 {
		t.Errorf("the contact is to blame: %+v", c)
	}

	hard := w.sent(survey.Email, survey.NPS)
	w.take(bounce("Permanent", hard))
	if a := w.ask(hard); !a.BouncedAt.Equal(now.Add(time.Second)) {
		t.Errorf("bounced: %+v", a)
	}
	if since, ok := w.person().Undeliverable(survey.Email); !ok || !since.Equal(now.Add(time.Second)) {
		t.Errorf("a hard bounce does not stop the address: %v, %v", since, ok)
	}
}

func TestSoftBouncesStopAfterFive(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= survey.MaxSoftBounces; n++ {
		if _, ok := w.person().Undeliverable(survey.Email); ok {
			t.Fatalf("stopped after %d", n-1)
		}
		w.take(bounce([]string{"Transient", "Undetermined"}[n%2], w.sent(survey.Email, survey.NPS)))
	}
	if _, ok := w.person().Undeliverable(survey.Email); !ok {
		t.Error("not stopped after five")
	}
	if _, ok := w.person().Undeliverable(survey.SMS); ok {
		t.Error("the phone is stopped")
	}
}

func TestADeliveryForgetsSoftBounces(t *testing.T) {
	w := newWorld(t)
	for range survey.MaxSoftBounces - 1 {
		w.take(bounce("Transient", w.sent(survey.Email, survey.NPS)))
	}
	w.take(ses("Delivery", w.sent(survey.Email, survey.NPS), `,"delivery":{"timestamp":"2026-11-21T10:00:02.000Z"}`))
	w.take(bounce("Transient", w.sent(survey.Email, survey.NPS)))
	if b := w.person().Bounces[survey.Email]; b.Soft != 1 || !b.StoppedAt.IsZero() {
		t.Errorf("%+v", b)
	}
}

func TestComplaint(t *testing.T) {
	w := newWorld(t)
	w.take(ses("Complaint", w.sent(survey.Email, survey.NPS), `,"complaint":{"complainedRecipients":[{"emailAddress":"maija@example.com"}],"timestamp":"2026-11-21T10:05:00.000Z"}`))
	if at := w.person().OptOuts[survey.Email]; !at.Equal(now.Add(5 * time.Minute)) {
		t.Errorf("opted out at %v", at)
	}
}

// What cannot be used is forgotten; it neither fails nor changes anything.
func TestPassedOver(t *testing.T) {
	w := newWorld(t)
	id := w.sent(survey.Email, survey.NPS)
	gone := w.sent(survey.Email, survey.NPS)
	before := *w.ask(id)
	for _, event := range []string{
		bounce("Permanent", strings.Repeat("B", 22)),
		bounce("Permanent", "short"),
		ses("Bounce", id, ""),
		ses("Surprise", id, ""),
		`{"detail-type":"Email Bounced","detail":{"eventType":"Bounce","mail":{"messageId":"m"},"bounce":{"bounceType":"Permanent"}}}`,
		`{"detail-type":"Email Bounced","detail":7}`,
		text("+358409999999", "9"), text("not a number", "9"), text("", "9"), text("+358401234567", "9"),
		`{"Records":[{"Sns":{"Message":"{"}}]}`,
	} {
		w.take(event)
	}
	if a := *w.ask(id); fmt.Sprint(a) != fmt.Sprint(before) {
		t.Errorf("%+v, was %+v", a, before)
	}
	if c := w.person(); len(c.Bounces)+len(c.OptOuts) > 0 {
		t.Errorf("%+v", c)
	}
	if err := w.store.DeleteContact(t.Context(), w.contact); err != nil {
		t.Fatal(err)
	}
	w.take(bounce("Permanent", gone))
	w.take(ses("Complaint", gone, ""))
	for _, event := range []string{`{}`, `[]`, `7`, `{"Records":[]}`} {
		if err := w.handler.Handle(t.Context(), json.RawMessage(event)); err == nil {
			t.Errorf("%s is taken", event)
		}
	}
}

func TestReplies(t *testing.T) {
	world := newWorld(t)
	for i, c := range []struct {
		body      string
		score     int // -1 for none
		comment   string
		out, kept bool
	}{
		{"9", 9, "", false, false},
		{" 10 ", 10, "", false, false},
		{"9!", 9, "", false, false},
		{"Annan 4, koska toimitus myöhästyi", 4, "Annan , koska toimitus myöhästyi", false, false},
		{"4. Toimitus myöhästyi", 4, "Toimitus myöhästyi", false, false},
		{"10/10", 10, "", false, false},
		{"9 / 10 hyvä", 9, "hyvä", false, false},
		{"9 tai 10", -1, "9 tai 10", false, true},
		{"11", -1, "11", false, true},
		{"-1", -1, "-1", false, true},
		{"8,5", -1, "8,5", false, true},
		{"A4", -1, "A4", false, true},
		{"5kpl", -1, "5kpl", false, true},
		{"👍", -1, "👍", false, true},
		{"9 👍", 9, "👍", false, false},
		{"Hyvää palvelua", -1, "Hyvää palvelua", false, true},
		{"  ", -1, "", false, false},
		{"\x00", -1, "", false, false},
		{"STOP", -1, "", true, false},
		{"Lopeta.", -1, "", true, false},
		{"sluta", -1, "", true, false},
		{"LOPETA viestit, kiitos", -1, "", true, false},
		{"Lopeta jo nämä viestit", -1, "Lopeta jo nämä viestit", false, true},
		{"stop 3", 3, "stop", false, false},
		{"Please stop calling", -1, "Please stop calling", false, true},
		{strings.Repeat("ä", survey.MaxComment+1), -1, strings.Repeat("ä", survey.MaxComment), false, true},
	} {
		t.Run(c.body[:min(len(c.body), 30)], func(t *testing.T) {
			phone := fmt.Sprintf("+3584000000%02d", i)
			w := world.of("", phone)
			w.t = t
			older := w.sent(survey.SMS, survey.NPS)
			w.clock.Move(time.Hour)
			id := w.sent(survey.SMS, survey.NPS)
			w.clock.Move(time.Minute)
			w.sent(survey.Email, survey.NPS)
			w.take(text(phone, c.body))
			a := w.ask(id)
			if c.score >= 0 && (a.Trust != survey.Human || a.Score != c.score) || c.score < 0 && a.Answered() {
				t.Errorf("trust %q, score %d, want %d", a.Trust, a.Score, c.score)
			}
			if a.Comment != c.comment {
				t.Errorf("comment %q, want %q", a.Comment, c.comment)
			}
			if c.kept != !a.RepliedAt.IsZero() {
				t.Errorf("kept at %v", a.RepliedAt)
			}
			if _, out := w.person().OptOuts[survey.SMS]; out != c.out {
				t.Errorf("out %v", out)
			}
			if w.ask(older).Answered() {
				t.Error("an older question is answered")
			}
		})
	}
}

func TestAConversation(t *testing.T) {
	w := newWorld(t)
	id := w.sent(survey.SMS, survey.CSAT)
	say := func(body string) *survey.Ask {
		w.clock.Move(time.Minute)
		w.take(text("+358401234567", body))
		return w.ask(id)
	}
	if a := say("hetki"); a.Answered() || a.Comment != "hetki" {
		t.Errorf("words first: %+v", a)
	}
	if a := say("toinen"); a.Answered() || a.Comment != "hetki\ntoinen" {
		t.Errorf("more words: %+v", a)
	}
	if a := say("2"); a.Score != 2 || a.Trust != survey.Human || a.Comment != "hetki\ntoinen" {
		t.Errorf("then a number: %+v", a)
	}
	if a := say("kassalla oli jono"); a.Score != 2 || a.Comment != "hetki\ntoinen\nkassalla oli jono" {
		t.Errorf("then why: %+v", a)
	}
	if a := say("3 hetki"); a.Score != 3 || a.Comment != "hetki\ntoinen\nkassalla oli jono" {
		t.Errorf("then another number, with words that are there: %+v", a)
	}
	say("stop")
	if _, out := w.person().OptOuts[survey.SMS]; !out {
		t.Error("not out after STOP")
	}
	if _, out := w.person().OptOuts[survey.Email]; out {
		t.Error("out of e-mail after STOP by SMS")
	}
	say("aloita")
	if _, out := w.person().OptOuts[survey.SMS]; out {
		t.Error("still out after ALOITA")
	}
	w.clock.Move(survey.AnswerWindow)
	if a := say("5"); a.Score != 3 {
		t.Errorf("after the time is over: %+v", a)
	}
}

// A scanner's answer is nobody's: words are kept beside it, and a number is an
// answer.
func TestAfterAScanner(t *testing.T) {
	w := newWorld(t)
	id := w.sent(survey.SMS, survey.CSAT)
	if _, err := w.store.Answer(t.Context(), id, survey.Answer{Score: 1, Via: survey.Auto}, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.take(text("+358401234567", "mikä tämä on"))
	if a := w.ask(id); a.Trust != survey.Suspect || a.Comment != "mikä tämä on" || a.RepliedAt.IsZero() {
		t.Errorf("words: %+v", a)
	}
	w.take(text("+358401234567", "4"))
	if a := w.ask(id); a.Trust != survey.Human || a.Score != 4 || a.Comment != "mikä tämä on" {
		t.Errorf("a number: %+v", a)
	}
}

// A message that the person has changed their address since, or was to nobody
// known, tells of the ask alone.
func TestAnotherAddress(t *testing.T) {
	w := newWorld(t)
	id := w.sent(survey.Email, survey.NPS)
	elsewhere := strings.Replace(bounce("Permanent", id), `"destination":["maija@example.com"]`, `"destination":["maija@old.example.com"]`, 1)
	w.take(elsewhere)
	if a := w.ask(id); a.BouncedAt.IsZero() {
		t.Error("the ask did not bounce")
	}
	if b := w.person().Bounces; len(b) > 0 {
		t.Errorf("the new address: %+v", b)
	}
	w.take(strings.ReplaceAll(bounce("Permanent", id), "maija@example.com", "Maija@Example.com"))
	if _, ok := w.person().Undeliverable(survey.Email); !ok {
		t.Error("the same address in capitals is not stopped")
	}
	test := *testkit.NewAsk(now)
	test.Test = true
	if err := w.store.CreateAsk(t.Context(), &test); err != nil {
		t.Fatal(err)
	}
	w.take(ses("Delivery", test.ID, `,"delivery":{"timestamp":"2026-11-21T10:00:02.000Z"}`))
	w.take(bounce("Permanent", test.ID))
	w.take(ses("Complaint", test.ID, ""))
	if a := w.ask(test.ID); a.DeliveredAt.IsZero() || a.BouncedAt.IsZero() {
		t.Errorf("a test: %+v", a)
	}
}

// Every answer of every scale is read, also out of the highest, and nothing
// beside it.
func TestScore(t *testing.T) {
	for _, m := range survey.Metrics() {
		low, high := m.Scale()
		for n := -1; n <= 12; n++ {
			want := low <= n && n <= high
			for _, form := range []string{"%d", " %d ", "%d!", "(%d)", "arvosana: %d", "%d\nkiitos"} {
				body := fmt.Sprintf(form, n)
				if got, _, ok := delivery.Score(m, body); ok != want || ok && got != n {
					t.Errorf("%s: %q is %d, %v", m, body, got, ok)
				}
			}
			for _, form := range []string{"%d/%d", "%d / %d", "%d of %d", "%d out of %d", "%d av %d", "%d kautta %d"} {
				body := fmt.Sprintf(form, n, high)
				if got, rest, ok := delivery.Score(m, body); ok != want || ok && (got != n || rest != "") {
					t.Errorf("%s: %q is %d and %q, %v", m, body, got, rest, ok)
				}
			}
			if _, _, ok := delivery.Score(m, fmt.Sprintf("%d/%d", n, high+1)); ok {
				t.Errorf("%s: %d of %d is an answer", m, n, high+1)
			}
			for _, form := range []string{"%d %d", "%d-%d", "%d tai %d", "%d,%d", "%d.%d", "+%d", "x%d", "%dx"} {
				body := fmt.Sprintf(form, n, high)
				if strings.Count(form, "%") == 1 {
					body = fmt.Sprintf(form, n)
				}
				if got, _, ok := delivery.Score(m, body); ok {
					t.Errorf("%s: %q is %d", m, body, got)
				}
			}
		}
	}
}

func FuzzHandle(f *testing.F) {
	f.Add(bounce("Permanent", strings.Repeat("A", 22)))
	f.Add(text("+358401234567", "9"))
	f.Add(`{"detail-type":"x","detail":{"mail":{"tags":{"ask":[]}}}}`)
	f.Fuzz(func(t *testing.T, event string) {
		h := &delivery.Handler{Store: &memory{}, Now: func() time.Time { return now }}
		_ = h.Handle(t.Context(), json.RawMessage(event)) // whatever it is, it does not panic
	})
}

func FuzzScore(f *testing.F) {
	for _, s := range []string{"9", "9/10", "9 of 10", "-1", "1e3", "٣", "10 10 10", "9.9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, m := range survey.Metrics() {
			if score, _, ok := delivery.Score(m, body); ok && !m.Admits(score) {
				t.Errorf("%s: %q is %d", m, body, score)
			}
		}
	})
}
