package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	awsevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/apigw/local"
	"github.com/pulssi/pulssi/shared/awsenv"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/testkit/moto"
	"github.com/pulssi/pulssi/shared/topology"
	"github.com/pulssi/pulssi/shared/web"
)

// services are the AWS services around the functions, in moto: of one test
// alone.
type services struct {
	t         *testing.T
	tables    *testkit.Tables
	queues    *sqs.Client
	schedules *scheduler.Client
	files     *files.Client
	name      string // of everything
	domain    string // that mail comes from
	env       []string
}

func newServices(t *testing.T, tables *testkit.Tables) *services {
	t.Helper()
	c := moto.Config(t)
	name := "s" + strings.ToLower(strings.NewReplacer("_", "u", "-", "h").Replace(survey.NewID()))
	buckets := s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
	s := &services{
		t: t, tables: tables, name: name, domain: name + ".example",
		queues: sqs.NewFromConfig(c), schedules: scheduler.NewFromConfig(c), files: files.New(buckets, name),
	}
	asks, err1 := s.queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	refused, err2 := s.queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name + "-failed")})
	_, err3 := s.schedules.CreateScheduleGroup(t.Context(), &scheduler.CreateScheduleGroupInput{Name: &name})
	_, err4 := eventbridge.NewFromConfig(c).CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: &name})
	_, err5 := buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &name, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: moto.Region},
	})
	_, err6 := secretsmanager.NewFromConfig(c).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: &name, SecretString: aws.String(strings.Repeat("s", 64)),
	})
	_, err7 := sesv2.NewFromConfig(c).CreateEmailIdentity(t.Context(), &sesv2.CreateEmailIdentityInput{EmailIdentity: &s.domain})
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{
		awsenv.Endpoint: moto.Endpoint(t), config.PublicURL: "https://answer.example.com",
		config.AsksQueue: *asks.QueueUrl, config.RefusedQueue: *refused.QueueUrl,
		config.AsksQueueARN:  "arn:aws:sqs:" + moto.Region + ":" + moto.Account + ":" + name,
		config.FailedAsksARN: "arn:aws:sqs:" + moto.Region + ":" + moto.Account + ":" + name + "-failed",
		config.ScheduleGroup: name, config.ScheduleRole: "arn:aws:iam::" + moto.Account + ":role/" + name,
		config.Bus: name, config.Files: name, config.SecretID: name, config.Sender: "feedback@" + s.domain, config.SMSSender: "Pulssi",
		config.SigninURL: "https://pulssi.auth.eu-north-1.amazoncognito.com", config.SigninClient: "dashboard",
	} {
		s.env = append(s.env, k+"="+v)
	}
	return s
}

// received returns the bodies of what is in a queue.
func (s *services) received(name string) []string {
	s.t.Helper()
	url, err := s.queues.GetQueueUrl(s.t.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := s.queues.ReceiveMessage(s.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url.QueueUrl, MaxNumberOfMessages: 10})
	if err != nil {
		s.t.Fatal(err)
	}
	var bodies []string
	for _, m := range out.Messages {
		bodies = append(bodies, *m.Body)
	}
	return bodies
}

// scheduled returns how many schedules there are.
func (s *services) scheduled() int {
	s.t.Helper()
	list, err := s.schedules.ListSchedules(s.t.Context(), &scheduler.ListSchedulesInput{GroupName: &s.name})
	if err != nil {
		s.t.Fatal(err)
	}
	return len(list.Schedules)
}

// contact makes a contact.
func (s *services) contact(email string) string {
	s.t.Helper()
	out, err := s.tables.Store.Upsert(s.t.Context(), []survey.Details{{Email: email, Locale: "fi"}}, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return out[0].Contact
}

// touchpoints puts two that a purchase triggers, at once and a week later, at
// whatever hour and day this test runs.
func (s *services) touchpoints(ctx context.Context) error {
	never, any7 := survey.Quiet{}, []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	errs := []error{s.tables.Store.PutRules(ctx, survey.Rules{}, survey.Rules{Version: 1, Quiet: &never, Holidays: "none", Company: "Kauppa Oy"})}
	for id, delay := range map[string]survey.Span{"shop-now": 0, "shop-later": survey.Span(7 * 24 * time.Hour)} {
		errs = append(errs, s.tables.Store.PutTouchpoint(ctx, nil, &survey.Touchpoint{
			ID: id, Version: 1, Series: 1, Phase: survey.After, Metric: survey.NPS, Locales: []string{"fi"},
			Channels: []survey.Channel{survey.Email}, Name: survey.Text{"fi": "Kauppa"}, Question: survey.Text{"fi": "Suosittelisitko?"},
			Trigger: &survey.Trigger{Event: events.PurchaseCompleted, Delay: delay, Weekdays: any7, Reminder: survey.Span(3 * 24 * time.Hour)},
		}))
	}
	return errors.Join(errs...)
}

// messages is an event of SQS with one message.
func messages(body string) awsevents.SQSEvent {
	return awsevents.SQSEvent{Records: []awsevents.SQSMessage{{MessageId: "m", ReceiptHandle: "r", Body: body, Attributes: map[string]string{"ApproximateReceiveCount": "1"}}}}
}

// invoked invokes with an event, and holds the answer to be what it should.
func invoked(t *testing.T, invoke local.Invoke, event any, want string) {
	t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := invoke(t.Context(), payload)
	if err != nil || string(answer) != want {
		t.Errorf("%s, %v, want %s", answer, err, want)
	}
}

const allDone = `{"batchItemFailures":null}`

// intakes imports a file.
func (s *services) intakes(t *testing.T, invoke local.Invoke) {
	file := strings.NewReader("email;etunimi\naino@intake.example;Aino\n")
	if err := s.files.Put(t.Context(), topology.Uploads+"a.csv", "text/csv", file, nil); err != nil {
		t.Fatal(err)
	}
	invoked(t, invoke, messages(`{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"uploads/a.csv"}}}]}`), allDone)
	if c, err := s.tables.Store.FindContact(t.Context(), "email", "aino@intake.example"); err != nil || c.FirstName != "Aino" {
		t.Errorf("the contact is %+v, %v", c, err)
	}
	if list, err := s.files.List(t.Context(), topology.Reports); err != nil || len(list) == 0 {
		t.Errorf("the reports are %v, %v", list, err)
	}
}

// plans takes a purchase, and an event that is none.
func (s *services) plans(t *testing.T, invoke local.Invoke) {
	event := events.Event{Type: events.PurchaseCompleted, Version: 1, ID: "order-1", Time: time.Now(), Contact: events.Contact{ID: s.contact("aino@plan.example")}}
	invoked(t, invoke, map[string]any{"source": topology.APISource, "detail-type": event.Type, "detail": event}, "null")
	if asks := s.received(s.name); len(asks) != 1 || !strings.Contains(asks[0], "shop-now") {
		t.Errorf("the queue of asks has %q", asks)
	}
	if n := s.scheduled(); n != 1 {
		t.Errorf("%d schedules, want 1", n)
	}
	event.Version = 99
	invoked(t, invoke, map[string]any{"source": topology.APISource, "detail-type": event.Type, "detail": event}, "null")
	if refused := s.received(s.name + "-failed"); len(refused) != 1 || !strings.Contains(refused[0], "order-1") {
		t.Errorf("the queue of what was refused has %q", refused)
	}
	invoked(t, invoke, map[string]any{"tick": time.Now().UTC().Truncate(time.Hour)}, "null")
}

// sends sends an e-mail, and schedules its reminder.
func (s *services) sends(t *testing.T, invoke local.Invoke) {
	before, to := s.scheduled(), "aino@send.example"
	body, err := queue.Ask{
		Touchpoint: "shop-now", Contact: s.contact(to), Occasion: "purchase.completed/order-2", Due: time.Now(), At: time.Now(),
	}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	invoked(t, invoke, messages(string(body)), allDone)
	sent := 0
	for _, m := range moto.Kept(t, "ses", "RawMessage") {
		if m["source"] == "feedback@"+s.domain && strings.Contains(m["raw_data"].(string), to) {
			sent++
		}
	}
	if sent != 1 || s.scheduled() != before+1 {
		t.Errorf("%d e-mails and %d reminders, want one each", sent, s.scheduled()-before)
	}
}

// publishes puts the files of the CDN into the bucket, and tells CloudFormation.
func (s *services) publishes(t *testing.T, invoke local.Invoke) {
	told := make(chan string, 1)
	cloudFormation := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a broken one is not what it should be
		told <- string(body)
	}))
	defer cloudFormation.Close()
	invoked(t, invoke, map[string]any{
		"RequestType": "Create", "ResponseURL": cloudFormation.URL, "RequestId": "r", "ResourceProperties": map[string]any{"Bucket": s.name},
	}, "null")
	close(told) // by now it is told, or never
	if answer := <-told; !strings.Contains(answer, `"Status":"SUCCESS"`) {
		t.Errorf("CloudFormation is told %q", answer)
	}
	current, _ := web.Widget("pulssi.js")
	if f, err := s.files.OpenServed(t.Context(), "pulssi.js"); err != nil || !bytes.Equal(f.Body, current.Body) {
		t.Errorf("the file is %+v, %v", f, err)
	}
}

// delivers hears that an e-mail arrived.
func (s *services) delivers(t *testing.T, invoke local.Invoke) {
	ask := testkit.NewAsk(time.Now())
	ask.Contact = s.contact("aino@delivery.example")
	ask.SentAt = ask.AskedAt
	if err := s.tables.Store.CreateAsk(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	invoked(t, invoke, map[string]any{"source": "aws.ses", "detail-type": "Email Delivered", "detail": map[string]any{
		"eventType": "Delivery", "mail": map[string]any{"messageId": "m", "tags": map[string]any{"ask": []string{ask.ID}}},
		"delivery": map[string]any{"timestamp": time.Now()},
	}}, "null")
	if a, err := s.tables.Store.Ask(t.Context(), ask.ID); err != nil || a.DeliveredAt.IsZero() {
		t.Errorf("the ask is %+v, %v", a, err)
	}
}
