package grants

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/testkit/noon"
	"github.com/pulssi/pulssi/shared/topology"
)

// scenarios have every function do all that it does: each calls start once, when
// the tables hold what the function reads.
var scenarios = map[topology.Function]func(*world){
	topology.Answer:   answers,
	topology.Vote:     votes,
	topology.Results:  shows,
	topology.Tally:    counts,
	topology.Intake:   imports,
	topology.Plan:     plans,
	topology.Send:     sends,
	topology.Delivery: hears,
	topology.Publish:  publishes,
}

// answers shows, takes and changes an answer to a series that has ended, and
// takes an opt-out.
func answers(w *world) {
	shop := touchpoint("shop-nps", nil)
	w.put(shop)
	w.follow(shop)
	contact := w.contact(survey.Details{Email: "maija@example.com"})
	id := w.ask(func(a *survey.Ask) { a.Contact = contact })
	w.start()
	w.request(http.MethodGet, "/a/"+id, "", http.StatusOK)
	w.request(http.MethodPost, "/a/"+id, `{"score":9,"via":"auto"}`, http.StatusOK)
	w.request(http.MethodPost, "/a/"+id, `{"score":3,"comment":"Hei","via":"human"}`, http.StatusOK)
	w.request(http.MethodGet, "/u/"+id, "", http.StatusOK)
	w.request(http.MethodPost, "/u/"+id, url.Values{"channel": {"all"}, "action": {"stop"}}.Encode(), http.StatusOK)
}

// votes tells the popup what it is, and takes a vote and a comment to it.
func votes(w *world) {
	w.put(touchpoint("shop-nps", nil))
	w.start()
	w.request(http.MethodGet, "/w/shop-nps.json", "", http.StatusOK)
	id := survey.NewID()
	w.request(http.MethodPost, "/v/shop-nps", `{"id":"`+id+`","score":9}`, http.StatusOK)
	w.request(http.MethodPost, "/v/shop-nps", `{"id":"`+id+`","score":9,"comment":"Hei"}`, http.StatusOK)
}

// shows makes every kind of request to the API.
func shows(w *world) {
	old := touchpoint("shop-nps", nil)
	old.Metric = survey.CSAT
	w.put(old)
	shop := *old
	shop.Version, shop.Series, shop.Metric = 2, 2, survey.NPS
	first, second := w.contact(survey.Details{Email: "maija@example.com", Ref: "C-1"}), w.contact(survey.Details{Ref: "C-2"})
	mark, key := survey.Annotation{ID: survey.NewID(), Touchpoint: "shop-nps", Date: "2026-11-01", Text: "Kassa"}, survey.NewID()
	view := survey.View{Page: survey.TouchpointPage, Touchpoint: "shop-nps", Last: 12}
	month := score.Key{Touchpoint: "shop-nps", Series: 2, Period: "month#2026-10"}
	for _, err := range []error{
		w.tables.Store.PutTouchpoint(w.Context(), old, &shop),
		w.tables.Store.PutDecision(w.Context(), survey.Decision{Contact: first, Touchpoint: "shop-nps", Occasion: "2026Q4", Verdict: survey.Refused, Reason: survey.Stopped, At: time.Now()}),
		w.tables.Store.AddAnnotation(w.Context(), mark),
		w.tables.Store.AddShare(w.Context(), survey.Share{ID: survey.ShareID(key), Name: "Johto", View: view, Comments: true}),
		w.tables.Store.AddToSheet(w.Context(), month, score.Sheet{score.All: {Suspect: 1}}, store.Span{Shard: "s", First: "1", Last: "1"}, time.Now()),
	} {
		if err != nil {
			w.Fatal(err)
		}
	}
	w.ask(func(a *survey.Ask) { a.Contact, a.Series, a.Occasion = first, 2, "2026Q3" })
	event, err := events.Sample(events.PurchaseCompleted)
	if err != nil {
		w.Fatal(err)
	}
	w.start()
	for _, r := range []struct {
		method, target, body string
		status               int
	}{
		{"GET", "/api/touchpoints", "", 200},
		{"GET", "/api/results/shop-nps?series=1", "", 200},
		{"GET", "/api/results/shop-nps?series=2&from=2026-10-20&to=2026-11-01", "", 200},
		{"GET", "/api/overview", "", 200},
		{"GET", "/api/compare/shop-nps?channel=email&withChannel=sms", "", 200},
		{"GET", "/api/me", "", 200},
		{"GET", "/api/export/shop-nps?what=comments", "", 200},
		{"GET", "/api/responses?touchpoint=shop-nps", "", 200},
		{"GET", "/api/themes/shop-nps", "", 200},
		{"GET", "/api/annotations", "", 200},
		{"POST", "/api/annotations", `{"date":"2026-11-01","text":"Kassa"}`, 201},
		{"PATCH", "/api/annotations/" + mark.ID, `{"text":"Uusi kassa"}`, 200},
		{"GET", "/api/annotations/" + mark.ID + "/effect", "", 200},
		{"DELETE", "/api/annotations/" + mark.ID, "", 204},
		{"GET", "/api/shares", "", 200},
		{"POST", "/api/shares", `{"name":"Johto","view":{"page":"overview","last":12}}`, 201},
		{"GET", "/shared/" + key, "", 200},
		{"DELETE", "/api/shares/" + survey.ShareID(key), "", 204},
		{"POST", "/api/contacts", `{"email":"aino@example.com","zone":"Asia/Tokyo"}`, 201},
		{"GET", "/api/contacts", "", 200},
		{"GET", "/api/contacts?phone=0401234567", "", 200},
		{"PATCH", "/api/contacts/" + first, `{"company":"A"}`, 200},
		{"PATCH", "/api/contacts/" + first, `{"ref":null,"phone":"0407654321"}`, 200},
		{"GET", "/api/contacts/" + first + "/why", "", 200},
		{"DELETE", "/api/contacts/" + first, "", 204},
		{"DELETE", "/api/contacts/" + second, "", 204},
		{"POST", "/api/events", string(event), 202},
		{"GET", "/api/audit", "", 200},
	} {
		w.request(r.method, r.target, r.body, r.status)
	}
	var stored struct {
		Version    int            `json:"version"`
		Definition map[string]any `json:"definition"`
	}
	if err := json.Unmarshal([]byte(w.request(http.MethodGet, "/api/touchpoints/shop-nps", "", http.StatusOK)), &stored); err != nil {
		w.Fatal(err)
	}
	stored.Definition["metric"] = survey.CES
	changed, err := json.Marshal(stored)
	if err != nil {
		w.Fatal(err)
	}
	w.request(http.MethodPut, "/api/touchpoints/shop-nps", string(changed), http.StatusOK)
}

// counts counts an answer.
func counts(w *world) {
	before := testkit.NewAsk(time.Now())
	after := *before
	after.Score, after.Trust, after.AnsweredAt = 9, survey.Human, before.AskedAt
	w.start()
	w.invoke(testkit.StreamBatch("shard", testkit.StreamRecord("1", before, &after)), `{"state":{},"batchItemFailures":null}`)
}

// imports imports people, one of whom has another address then, and a file that
// was imported already.
func imports(w *world) {
	w.start()
	for name, content := range map[string]string{
		"new.csv":     "ref,email,zone\n1,a@example.com,Asia/Tokyo\n2,b@example.com,\n",
		"changed.csv": "ref,email\n2,c@example.com\n",
	} {
		w.upload(name, content)
	}
	for _, name := range []string{"new.csv", "changed.csv", "new.csv"} {
		w.message(`{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"uploads/`+name+`"}}}]}`, done)
	}
}

// plans plans the turn of everybody that has come in this hour, and purchases
// that are asked about at once and later, of people of all kinds.
func plans(w *world) {
	tick := time.Now().UTC().Truncate(time.Hour)
	zone := noon.Zone(tick)
	there, err := time.LoadLocation(zone)
	if err != nil {
		w.Fatal(err)
	}
	w.put(
		touchpoint("everyone", &survey.Trigger{Every: survey.Monthly, Spread: new(false), On: strconv.Itoa(tick.In(there).Day()), Hour: 12}),
		touchpoint("shop-now", &survey.Trigger{Event: events.PurchaseCompleted}),
		touchpoint("shop-later", &survey.Trigger{Event: events.PurchaseCompleted, Delay: survey.Span(7 * 24 * time.Hour)}),
	)
	known := w.contact(survey.Details{Ref: "C-1", Email: "one@example.com", Zone: zone})
	w.contact(survey.Details{Email: "two@example.com", Zone: zone, OptOut: []survey.Channel{survey.Email}})
	w.start()
	w.invoke(map[string]any{"tick": tick}, "null")
	for i, c := range []events.Contact{
		{ID: known}, {Ref: "C-1"}, {Ref: "C-1", Email: "another@example.com"}, {Email: "three@example.com", Zone: "Asia/Tokyo"},
	} {
		e := events.Event{Type: events.PurchaseCompleted, Version: 1, ID: fmt.Sprint("order-", i), Time: time.Now(), Contact: c}
		w.invoke(map[string]any{"source": topology.APISource, "detail-type": e.Type, "detail": e}, "null")
	}
	w.invoke(map[string]any{"source": topology.APISource, "detail-type": events.PurchaseCompleted, "detail": map[string]any{"version": 99}}, "null")
}

// sends sends an e-mail, which the mail service takes at the second try, has its
// reminder come, and sends a text message.
func sends(w *world) {
	w.put(touchpoint("shop", &survey.Trigger{Event: events.PurchaseCompleted, Reminder: survey.Span(3 * 24 * time.Hour)}))
	byEmail, bySMS := w.contact(survey.Details{Email: "maija@example.com"}), w.contact(survey.Details{Phone: "+358401234567"})
	w.start()
	ask := func(contact string) string {
		b, err := queue.Ask{Touchpoint: "shop", Contact: contact, Occasion: "purchase.completed/order", Due: time.Now(), At: time.Now()}.Encode()
		if err != nil {
			w.Fatal(err)
		}
		return string(b)
	}
	w.recorder.setDown("ses")
	w.message(ask(byEmail), again)
	w.recorder.setDown("")
	w.message(ask(byEmail), done)
	w.message(ask(bySMS), done)
}

// hears takes notices of SES and replies to text messages.
func hears(w *world) {
	contact := w.contact(survey.Details{Email: "maija@example.com", Phone: "+358401234567"})
	mail := w.ask(func(a *survey.Ask) { a.Contact = contact })
	w.ask(func(a *survey.Ask) { a.Contact, a.Channel = contact, survey.SMS })
	w.start()
	notice := func(kind, field string, what map[string]any) {
		what["timestamp"] = time.Now()
		w.invoke(map[string]any{"source": "aws.ses", "detail-type": "Email " + kind, "detail": map[string]any{
			"eventType": kind, field: what, "mail": map[string]any{"messageId": "m", "tags": map[string]any{"ask": []string{mail}}},
		}}, "null")
	}
	notice("Delivery", "delivery", map[string]any{})
	notice("Bounce", "bounce", map[string]any{"bounceType": "Permanent"})
	for _, text := range []string{"hetki", "9", "stop"} {
		inner, err := json.Marshal(map[string]string{"originationNumber": "+358401234567", "messageBody": text, "inboundMessageId": "i"})
		if err != nil {
			w.Fatal(err)
		}
		w.invoke(map[string]any{"Records": []any{map[string]any{"EventSource": "aws:sns", "Sns": map[string]any{"MessageId": "s", "Message": string(inner)}}}}, "null")
	}
}

// publishes writes the files of the front, and looks at them again.
func publishes(w *world) {
	answers := make(chan string, 1)
	cloudformation := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.Error(err)
		}
		answers <- string(body)
	}))
	w.Cleanup(cloudformation.Close)
	bucket := ""
	if err := w.of.each("Custom::Files", func(s *stack, _ string, r resource) (err error) {
		bucket, err = s.text(r.Properties["Bucket"])
		return err
	}); err != nil {
		w.Fatal(err)
	}
	w.start()
	for range 2 {
		w.invoke(map[string]any{
			"RequestType": "Create", "RequestId": "r", "ResponseURL": cloudformation.URL, "StackId": "s", "LogicalResourceId": "l", "ResourceType": "Custom::Files",
			"ResourceProperties": map[string]string{"Bucket": bucket, "Version": "v"},
		}, "null")
		if answer := <-answers; !strings.Contains(answer, `"SUCCESS"`) {
			w.Errorf("CloudFormation is told %s", answer)
		}
	}
}
