package asking_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/pulssi/pulssi/functions/delivery"
	"github.com/pulssi/pulssi/functions/results"
	"github.com/pulssi/pulssi/functions/tally"
	"github.com/pulssi/pulssi/scripts/dev/pump"
	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/apigw/local"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// month is a touchpoint whose asks are sent, and what becomes of them.
type month struct {
	t      *testing.T
	tables *testkit.Tables
	clock  *testkit.Clock
	hears  *delivery.Handler
}

func newMonth(t *testing.T) *month {
	tables, clock := testkit.NewTables(t), testkit.NewClock(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	return &month{t, tables, clock, &delivery.Handler{Store: tables.Store, Now: clock.Now}}
}

// at moves the clock to a time in Helsinki.
func (m *month) at(s string) time.Time {
	m.t.Helper()
	zone, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		m.t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
	if err != nil {
		m.t.Fatal(err)
	}
	m.clock.Move(at.Sub(m.clock.Now()))
	return at
}

// ask makes an ask to a new contact, and returns its id. It is made a while
// before it is sent.
func (m *month) ask(n int, ch survey.Channel, when string, edit ...func(*survey.Ask)) string {
	m.t.Helper()
	ctx, at := m.t.Context(), m.at(when)
	out, err := m.tables.Store.Upsert(ctx, []survey.Details{{Email: email(n), Phone: phone(n)}}, at)
	if err != nil {
		m.t.Fatal(err)
	}
	a := testkit.NewAsk(at.Add(-time.Hour))
	a.Channel, a.Contact = ch, out[0].Contact
	for _, e := range edit {
		e(a)
	}
	if err := m.tables.Store.CreateAsk(ctx, a); err != nil {
		m.t.Fatal(err)
	}
	return a.ID
}

func (m *month) sent(n int, ch survey.Channel, when string, edit ...func(*survey.Ask)) string {
	m.t.Helper()
	id := m.ask(n, ch, when, edit...)
	for range 2 {
		if err := m.tables.Store.MarkSent(m.t.Context(), id, m.clock.Now()); err != nil {
			m.t.Fatal(err)
		}
	}
	return id
}

func email(n int) string { return fmt.Sprintf("person%d@example.com", n) }

func phone(n int) string { return fmt.Sprintf("+3584000000%02d", n) }

// hear tells of a message twice.
func (m *month) hear(event any) {
	m.t.Helper()
	b, err := json.Marshal(event)
	for range 2 {
		if err == nil {
			err = m.hears.Handle(m.t.Context(), b)
		}
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// notice is what SES tells of the e-mail to contact n: Delivery, or a Bounce of
// a kind.
func (m *month) notice(n int, ask, kind string) {
	m.t.Helper()
	detail := map[string]any{"eventType": kind, "mail": map[string]any{"messageId": "m", "destination": []string{email(n)}, "tags": map[string][]string{"ask": {ask}}}}
	if kind != "Delivery" {
		detail["eventType"], detail["bounce"] = "Bounce", map[string]any{"bounceType": kind, "timestamp": m.clock.Now()}
	}
	m.hear(map[string]any{"detail-type": "Email", "detail": detail})
}

func (m *month) reply(n int, body, when string) {
	m.t.Helper()
	m.at(when)
	inner, err := json.Marshal(map[string]string{"originationNumber": phone(n), "messageBody": body})
	if err != nil {
		m.t.Fatal(err)
	}
	m.hear(map[string]any{"Records": []any{map[string]any{"Sns": map[string]string{"Message": string(inner)}}}})
}

func (m *month) answer(ask string, score int, via survey.Via, when string) {
	m.t.Helper()
	if _, err := m.tables.Store.Answer(m.t.Context(), ask, survey.Answer{Score: score, Via: via}, m.at(when)); err != nil {
		m.t.Fatal(err)
	}
}

// count counts the stream of responses as deployed, up to the record of an ask.
func (m *month) count(last string) {
	m.t.Helper()
	table, err := m.tables.DB.DescribeTable(m.t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(m.tables.Config.TablePrefix + topology.Responses.Name)})
	if err != nil {
		m.t.Fatal(err)
	}
	checkpoints, err := pump.OpenCheckpoints("")
	if err != nil {
		m.t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(m.t.Context(), time.Minute)
	defer stop()
	zone, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		m.t.Fatal(err)
	}
	h := &tally.Handler{Sheets: m.tables.Store, Zone: zone, Now: m.clock.Now}
	all := false
	o := m.tables.DB.Options()
	p := &pump.Pump{
		Streams: dynamodbstreams.New(dynamodbstreams.Options{Region: o.Region, Credentials: o.Credentials, BaseEndpoint: o.BaseEndpoint}),
		ARN:     *table.Table.LatestStreamArn, Checkpoints: checkpoints, Failed: io.Discard, Log: slog.New(slog.DiscardHandler),
		Mapping: topology.Stream{Batch: 7, WindowSeconds: 30, Bisect: true, Retries: 5},
		Function: local.Function(func(ctx context.Context, e lambdaevents.DynamoDBTimeWindowEvent) (lambdaevents.DynamoDBTimeWindowEventResponse, error) {
			resp, err := h.Handle(ctx, e)
			for _, r := range e.Records {
				if err == nil && r.Change.Keys["id"].String() == last {
					all = true
					stop()
				}
			}
			return resp, err
		}),
	}
	p.Run(ctx)
	if !all {
		m.t.Fatal("the stream was not counted to its end")
	}
}

// numbers are what a program reads of a period.
type numbers struct {
	Sent, Delivered, Bounced, Answered, Confirmed, N, Suspect int
	Score                                                     *float64
	Rates                                                     struct{ AnsweredOfSent, AnsweredOfDelivered, ConfirmedOfDelivered *float64 }
}

func (n numbers) String() string {
	figure := func(f *float64) string {
		if f == nil {
			return "-"
		}
		return strconv.FormatFloat(*f, 'f', 1, 64)
	}
	return fmt.Sprintf("sent %d, delivered %d, bounced %d, answered %d, confirmed %d: %s of sent, %s of delivered, %s confirmed; %d answers (%d suspect), score %s",
		n.Sent, n.Delivered, n.Bounced, n.Answered, n.Confirmed,
		figure(n.Rates.AnsweredOfSent), figure(n.Rates.AnsweredOfDelivered), figure(n.Rates.ConfirmedOfDelivered), n.N, n.Suspect, figure(n.Score))
}

func (m *month) results(query string) (periods []numbers, total numbers) {
	m.t.Helper()
	tp := &survey.Touchpoint{
		ID: "shop-nps", Version: 1, Series: 1, Phase: survey.After, Metric: survey.NPS, Locales: []string{"fi"}, Channels: []survey.Channel{survey.Email, survey.SMS},
		Name: survey.Text{"fi": "Kauppa"}, Question: survey.Text{"fi": "Suosittelisitko?"},
	}
	if err := m.tables.Store.PutTouchpoint(m.t.Context(), nil, tp); err != nil && survey.CodeOf(err) != survey.Conflict {
		m.t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		m.t.Fatal(err)
	}
	h := &results.Handler{Sheets: m.tables.Store, Touchpoints: store.NewCatalog(m.tables.Store, m.clock.Now), Zone: zone, Now: m.clock.Now}
	var req apigw.Request
	req.RouteKey, req.RawQueryString, req.PathParameters = "GET /api/results/{touchpoint}", query, map[string]string{"touchpoint": "shop-nps"}
	resp, err := h.Handle(m.t.Context(), testkit.SignedIn(req, "viewer"))
	if err != nil || resp.StatusCode != 200 {
		m.t.Fatalf("%v: %d %s", err, resp.StatusCode, resp.Body)
	}
	var out struct {
		Periods []numbers
		Total   numbers
	}
	if err := json.NewDecoder(strings.NewReader(resp.Body)).Decode(&out); err != nil {
		m.t.Fatal(err)
	}
	return out.Periods, out.Total
}

// TestResponseRates lives through a month by a script, with bounces and with
// answers that come in the next one, from the asks to what a program reads. The
// numbers were worked out by hand.
func TestResponseRates(t *testing.T) {
	m := newMonth(t)
	// By e-mail, in November: ten.
	ids := map[int]string{}
	for n := 1; n <= 10; n++ {
		ids[n] = m.sent(n, survey.Email, fmt.Sprintf("2026-11-%02d 10:00", n+1))
	}
	for n := 1; n <= 6; n++ {
		m.notice(n, ids[n], "Delivery")
	}
	m.notice(7, ids[7], "Permanent")
	m.notice(8, ids[8], "Transient")
	m.notice(10, ids[10], "Transient") // and yet it was read; of the ninth, nobody tells anything
	m.answer(ids[1], 10, survey.ViaHuman, "2026-11-12 11:00")
	m.answer(ids[2], 2, survey.Auto, "2026-11-12 11:30")
	m.answer(ids[2], 9, survey.ViaHuman, "2026-11-12 11:31") // a click, mended
	m.answer(ids[3], 3, survey.Auto, "2026-11-13 09:00")     // a click, and no more
	m.answer(ids[5], 4, survey.Auto, "2026-11-14 09:00")
	m.answer(ids[5], 9, survey.Auto, "2026-11-14 09:00") // a scanner
	// By SMS: two, of which nobody tells whether they arrived.
	m.sent(11, survey.SMS, "2026-11-12 12:00")
	m.sent(12, survey.SMS, "2026-11-12 12:00")
	m.reply(12, "ei nyt", "2026-11-12 12:30")
	m.reply(11, "8", "2026-11-13 07:00")
	// What is none: an ask that was refused for good, one that is only reserved,
	// and one to oneself.
	refused := m.ask(13, survey.Email, "2026-11-15 10:00")
	if err := m.tables.Store.RefuseAsk(t.Context(), refused, m.clock.Now()); err != nil {
		t.Fatal(err)
	}
	m.ask(14, survey.Email, "2026-11-15 10:00")
	test := m.sent(15, survey.Email, "2026-11-15 10:00", func(a *survey.Ask) { a.Test = true })
	m.notice(15, test, "Delivery")
	m.answer(test, 0, survey.ViaHuman, "2026-11-15 11:00")
	// The last night of November in UTC is December in Helsinki.
	ids[16] = m.sent(16, survey.Email, "2026-12-01 00:30")
	m.notice(16, ids[16], "Delivery")
	m.answer(ids[16], 6, survey.ViaHuman, "2026-12-02 10:00")
	// Late answers to what was sent in November.
	m.answer(ids[10], 0, survey.ViaHuman, "2026-12-05 10:00")
	m.answer(ids[4], 7, survey.ViaHuman, "2026-12-20 10:00")
	m.count(m.ask(17, survey.Email, "2026-12-21 10:00"))

	// November: answered are 1, 2, 3, 4, 10 and 11, of which 3 is not
	// confirmed; bounced 7 and 8, as 10 was read. Its own answers are 10, 9, 3
	// and 8; December's are 6, 0 and 7.
	for _, c := range []struct {
		query   string
		periods []string
		total   string
	}{
		{
			"from=2026-11-01&to=2027-01-01",
			[]string{
				"sent 12, delivered 8, bounced 2, answered 6, confirmed 5: 50.0 of sent, 60.0 of delivered, 50.0 confirmed; 4 answers (1 suspect), score 25.0",
				"sent 1, delivered 1, bounced 0, answered 1, confirmed 1: 100.0 of sent, 100.0 of delivered, 100.0 confirmed; 3 answers (0 suspect), score -66.7",
			},
			"sent 13, delivered 9, bounced 2, answered 7, confirmed 6: 53.8 of sent, 63.6 of delivered, 54.5 confirmed; 7 answers (1 suspect), score -14.3",
		},
		{
			"from=2026-11-01&to=2026-12-01&channel=email",
			[]string{"sent 10, delivered 7, bounced 2, answered 5, confirmed 4: 50.0 of sent, 62.5 of delivered, 50.0 confirmed; 3 answers (1 suspect), score 33.3"},
			"sent 10, delivered 7, bounced 2, answered 5, confirmed 4: 50.0 of sent, 62.5 of delivered, 50.0 confirmed; 3 answers (1 suspect), score 33.3",
		},
		{
			"from=2026-11-01&to=2026-12-01&channel=sms",
			[]string{"sent 2, delivered 1, bounced 0, answered 1, confirmed 1: 50.0 of sent, 50.0 of delivered, 50.0 confirmed; 1 answers (0 suspect), score 0.0"},
			"sent 2, delivered 1, bounced 0, answered 1, confirmed 1: 50.0 of sent, 50.0 of delivered, 50.0 confirmed; 1 answers (0 suspect), score 0.0",
		},
		{ // the day on which 4 was sent: its answer of December is in its rate, not in its score
			"from=2026-11-05&to=2026-11-06&by=day",
			[]string{"sent 1, delivered 1, bounced 0, answered 1, confirmed 1: 100.0 of sent, 100.0 of delivered, 100.0 confirmed; 0 answers (0 suspect), score -"},
			"sent 1, delivered 1, bounced 0, answered 1, confirmed 1: 100.0 of sent, 100.0 of delivered, 100.0 confirmed; 0 answers (0 suspect), score -",
		},
	} {
		periods, total := m.results(c.query)
		if len(periods) != len(c.periods) {
			t.Fatalf("%s: %v", c.query, periods)
		}
		for i, p := range periods {
			if p.String() != c.periods[i] {
				t.Errorf("%s, period %d:\n%s, want\n%s", c.query, i+1, p, c.periods[i])
			}
		}
		if total.String() != c.total {
			t.Errorf("%s, in all:\n%s, want\n%s", c.query, total, c.total)
		}
	}
}
