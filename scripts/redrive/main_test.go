package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pulssi/pulssi/scripts/dev/clock"
	"github.com/pulssi/pulssi/scripts/dev/service"
	"github.com/pulssi/pulssi/scripts/dev/site"
	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/shared/apigw/local"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit/moto"
	"github.com/pulssi/pulssi/shared/topology"
)

var start = time.Date(2026, 11, 21, 12, 30, 0, 0, time.UTC)

func newAsk() queue.Ask {
	return queue.Ask{Touchpoint: "shop-nps", Contact: survey.NewID(), Occasion: "purchase.completed/order-4711", Due: start, About: "Pörröiset tohvelit"}
}

// command runs the command with what a person would type, "" for nobody there.
func command(t *testing.T, q queues, args, typed string) (string, error) {
	t.Helper()
	var person io.Reader
	if typed != "" {
		person = strings.NewReader(typed)
	}
	var out strings.Builder
	log := &log{}
	by := operator.Operator{Name: "local:maija", Log: log, Now: func() time.Time { return start }}
	err := run(t.Context(), strings.Fields(args), person, &out, func(context.Context) (deployment, error) {
		return deployment{watched{q, t, log}, "a test", func(context.Context) (operator.Operator, error) { return by, nil }}, nil
	})
	return out.String(), err
}

// log is an audit log.
type log struct{ entries []survey.AuditEntry }

func (l *log) Record(_ context.Context, d survey.AuditEntry) error {
	l.entries = append(l.entries, d)
	return d.Check()
}

// watched is queues of which nothing is moved that is not recorded.
type watched struct {
	queues
	t   *testing.T
	log *log
}

func (w watched) Move(ctx context.Context, queue string) (int, error) {
	if d := w.log.entries; len(d) != 1 || d[0].Action != survey.Redrive || d[0].Subject != queue || !strings.HasPrefix(string(d[0].Before), `{"messages":`) {
		w.t.Errorf("before %s is moved the log has %+v", queue, d)
	}
	return w.queues.Move(ctx, queue)
}

// TestOnTheLocalStack has asks fail until they are given up, mends what made
// them fail, and moves them back.
func TestOnTheLocalStack(t *testing.T) {
	c, err := clock.Open("", func() time.Time { return start })
	if err != nil {
		t.Fatal(err)
	}
	s, err := service.Open("", c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	var broken atomic.Bool
	broken.Store(true)
	sent := make(chan queue.Ask, 3)
	send := func(_ context.Context, e events.SQSEvent) (r events.SQSEventResponse, err error) {
		if broken.Load() {
			return r, errors.New("no database")
		}
		for _, m := range e.Records {
			a, err := queue.DecodeAsk([]byte(m.Body))
			if err != nil {
				return r, err
			}
			sent <- a
		}
		return r, nil
	}
	nothing := local.Function(func(context.Context, json.RawMessage) (any, error) { return nil, nil })
	s.Start(map[topology.Function]lambda.Handler{
		topology.Send: local.Function(send), topology.Intake: nothing, topology.Plan: nothing, topology.Delivery: nothing,
	})
	asks := []queue.Ask{newAsk(), newAsk(), newAsk()}
	if err := s.SendAsks(t.Context(), asks); err != nil {
		t.Fatal(err)
	}
	if err := s.SendRefused(t.Context(), []byte(`{"contact":{"email":"maija@example.com"}}`), "version must be 1"); err != nil {
		t.Fatal(err)
	}
	if err := s.MoveTo(t.Context(), start.Add(24*time.Hour), nil); err != nil {
		t.Fatal(err)
	}
	pages, err := site.New(nil, nil, site.Desk{Queues: s}, nil, site.Programs{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	stack := &localStack{server.URL}

	out, err := command(t, stack, "", "")
	if err != nil || !strings.Contains(out, "asks-failed      3\n") || !strings.Contains(out, "events-failed    1\n") || !strings.Contains(out, "imports-failed   0\n") {
		t.Errorf("the queues, %v:\n%s", err, out)
	}
	out, err = command(t, stack, "-yes events-failed", "")
	if err != nil || !strings.Contains(out, "version must be 1") || !strings.Contains(out, "cannot be moved") || strings.Contains(out, "maija") {
		t.Errorf("refused events, %v:\n%s", err, out)
	}
	for _, c := range []struct {
		args, typed, want string
		err               error
	}{
		{"asks-failed", "", "no database", errNotAsked},
		{"asks-failed", "n\n", "Nothing was moved.", nil},
		{"asks-failed", "\n", "Nothing was moved.", nil},
		{"-limit 1 asks-failed", "no\n", "asks-failed of a test has 3.", nil},
		{"-yes imports-failed", "", "imports-failed of a test has 0.\n", nil},
	} {
		out, err := command(t, stack, c.args, c.typed)
		if !errors.Is(err, c.err) || !strings.Contains(out, c.want) || strings.Contains(out, "tohvelit") {
			t.Errorf("%s, %q: %v\n%s", c.args, c.typed, err, out)
		}
	}
	if _, n := s.Dead(10); n != 4 {
		t.Fatalf("there are %d dead letters before the move", n)
	}
	broken.Store(false)
	out, err = command(t, stack, "asks-failed", "y\n")
	if err != nil || !strings.Contains(out, "3 moved back, for send to try again.") {
		t.Fatalf("%v:\n%s", err, out)
	}
	for range asks {
		if a := <-sent; !strings.Contains(out, "contact "+a.Contact+" at shop-nps") {
			t.Errorf("ask of %s was not shown:\n%s", a.Contact, out)
		}
	}
}

// wire is an HTTP client that has requests pass through it.
type wire func(*http.Request) (*http.Response, error)

func (w wire) Do(r *http.Request) (*http.Response, error) { return w(r) }

// inCloud makes a dead-letter queue in moto with so many asks, and a refused one
// with a reason. moto does not move messages: moves are answered with the tasks,
// one after the other, in the form that SQS documents (API reference:
// ListMessageMoveTasks).
func inCloud(t *testing.T, asks int, tasks ...string) (*cloud, func() []string) {
	t.Helper()
	config := moto.Config(t)
	prefix := "pulssi-" + survey.NewID() + "-"
	plain := sqs.NewFromConfig(config)
	queueOf := func(name string) string {
		out, err := plain.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(prefix + name)})
		if err != nil {
			t.Fatal(err)
		}
		return *out.QueueUrl
	}
	failed, refused := queueOf(topology.Asks.Failed()), queueOf(topology.RefusedEvents)
	for range asks {
		body, err := newAsk().Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := plain.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &failed, MessageBody: aws.String(string(body))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := queue.NewRefused(plain, refused).SendRefused(t.Context(), []byte(`{"contact":{"email":"maija@example.com"}}`), "version must be 1"); err != nil {
		t.Fatal(err)
	}
	var calls []string
	config.HTTPClient = wire(func(r *http.Request) (*http.Response, error) {
		_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		answer := func(body string) (*http.Response, error) {
			in, err := io.ReadAll(r.Body)
			calls = append(calls, action+" "+string(in))
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), Request: r,
				Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}}, err
		}
		switch action {
		case "StartMessageMoveTask":
			return answer(`{"TaskHandle":"task-1"}`)
		case "ListMessageMoveTasks":
			task := tasks[0]
			if len(tasks) > 1 {
				tasks = tasks[1:]
			}
			return answer(`{"Results":[` + task + `]}`)
		}
		return http.DefaultClient.Do(r)
	})
	return &cloud{sqs.NewFromConfig(config), prefix, time.Millisecond}, func() []string { return calls }
}

func TestInTheCloud(t *testing.T) {
	c, calls := inCloud(t, 23,
		`{"Status":"RUNNING","ApproximateNumberOfMessagesMoved":9,"ApproximateNumberOfMessagesToMove":23,"StartedTimestamp":1}`,
		`{"Status":"COMPLETED","ApproximateNumberOfMessagesMoved":23,"ApproximateNumberOfMessagesToMove":23,"StartedTimestamp":1}`)
	out, err := command(t, c, "-yes -limit 12 asks-failed", "")
	if err != nil || !strings.Contains(out, "asks-failed of a test has 23.") || !strings.Contains(out, "23 moved back, for send to try again.") {
		t.Fatalf("%v:\n%s", err, out)
	}
	if n := strings.Count(out, "the log of send has the reason"); n != 12 || strings.Count(out, " at shop-nps") != 12 || strings.Contains(out, "tohvelit") {
		t.Errorf("%d are shown, want 12:\n%s", n, out)
	}
	arn := fmt.Sprintf(`"SourceArn":"arn:aws:sqs:%s:%s:%sasks-failed"`, moto.Region, moto.Account, c.prefix)
	got := calls()
	if len(got) != 3 || got[0] != "StartMessageMoveTask {"+arn+"}" || !strings.Contains(got[1], arn) || !strings.HasPrefix(got[2], "ListMessageMoveTasks ") {
		t.Errorf("calls %q", got)
	}
	// All of them can be received at once: what was looked at is hidden no more.
	url, err := c.url(t.Context(), "asks-failed")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		received, err := c.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: 600})
		if err != nil {
			t.Fatal(err)
		}
		if len(received.Messages) == 0 {
			break
		}
		n += len(received.Messages)
	}
	if n != 23 {
		t.Errorf("%d messages can be received, want 23", n)
	}
}

func TestRefusedEventsInTheCloud(t *testing.T) {
	c, calls := inCloud(t, 0)
	out, err := command(t, c, "-yes events-failed", "")
	if err != nil || !strings.Contains(out, "version must be 1") || !strings.Contains(out, "cannot be moved") || strings.Contains(out, "maija") || len(calls()) > 0 {
		t.Errorf("%v, %q:\n%s", err, calls(), out)
	}
	if _, err := command(t, c, "imports-failed", ""); err == nil || !strings.Contains(err.Error(), c.prefix+"imports-failed") {
		t.Errorf("a queue that is not there: %v", err)
	}
}

func TestMovesThatFail(t *testing.T) {
	for _, task := range []string{
		`{"Status":"FAILED","FailureReason":"CouldNotDetermineMessageSource","ApproximateNumberOfMessagesMoved":2,"StartedTimestamp":1}`,
		`{"Status":"CANCELLED","ApproximateNumberOfMessagesMoved":2,"StartedTimestamp":1}`,
	} {
		c, _ := inCloud(t, 1, task)
		_, err := command(t, c, "-yes asks-failed", "")
		if err == nil || !strings.Contains(err.Error(), "after 2 were moved: SQS ended the move of asks-failed") {
			t.Errorf("%s: error %v", task, err)
		}
	}
	c, _ := inCloud(t, 1, `{"Status":"RUNNING","StartedTimestamp":1}`)
	ctx, cancel := context.WithCancel(t.Context())
	c.every = time.Hour
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := c.Move(ctx, "asks-failed"); !errors.Is(err, context.Canceled) {
		t.Errorf("a move that is not waited for: %v", err)
	}
}

func TestWhatMessagesTell(t *testing.T) {
	attribute := func(v string) types.MessageAttributeValue {
		return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &v}
	}
	at := map[string]string{"SentTimestamp": "1795264200000"}
	for _, c := range []struct {
		attributes    map[string]types.MessageAttributeValue
		body          string
		reason, about string
	}{
		{nil, `{"requestContext":{"requestId":"r-1","condition":"RetriesExhausted"},"requestPayload":{"email":"maija@example.com"}}`, "", "invocation r-1, RetriesExhausted"},
		{map[string]types.MessageAttributeValue{"ERROR_CODE": attribute("NO_PERMISSIONS"), "ERROR_MESSAGE": attribute("not allowed")}, `{}`, "not allowed", ""},
		{map[string]types.MessageAttributeValue{"ERROR_CODE": attribute("NO_PERMISSIONS")}, `maija@example.com`, "NO_PERMISSIONS", ""},
		{map[string]types.MessageAttributeValue{"reason": attribute("no")}, `{"touchpoint":"x"}`, "no", ""},
	} {
		l := letterOf(types.Message{MessageId: aws.String("m-1"), Body: &c.body, Attributes: at, MessageAttributes: c.attributes})
		if l.ID != "m-1" || !l.At.Equal(start) || l.Reason != c.reason || about(l.Body) != c.about {
			t.Errorf("%s: %+v, %q", c.body, l, about(l.Body))
		}
	}
}

func TestBadArguments(t *testing.T) {
	for args, want := range map[string]string{
		"asks":                       `there is no dead-letter queue "asks"; there are asks-failed, imports-failed, events-failed, delivery-failed, publish-failed, tally-failed`,
		"asks-failed imports-failed": "name one queue",
		"-limit 0 asks-failed":       "limit must be from 1 to 1000",
		"-limit 1001 asks-failed":    "limit must be from 1 to 1000",
	} {
		if _, err := command(t, nil, args, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", args, err)
		}
	}
}

// TestKindsAreThoseOfTheTemplates has every queue that infra makes for what
// failed among the kinds.
func TestKindsAreThoseOfTheTemplates(t *testing.T) {
	files, err := filepath.Glob("../../infra/stack/testdata/pulssi-prod*.template.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	var made, known []string
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var template struct {
			Resources map[string]struct{ Properties map[string]any }
		}
		if err := json.Unmarshal(b, &template); err != nil {
			t.Fatal(err)
		}
		for _, r := range template.Resources {
			queue, _ := r.Properties["QueueName"].(string)
			if name, ours := strings.CutPrefix(queue, "pulssi-prod-"); ours && strings.HasSuffix(name, "-failed") {
				made = append(made, name)
			}
		}
	}
	for _, k := range kinds() {
		known = append(known, k.name)
	}
	slices.Sort(made)
	slices.Sort(known)
	if !slices.Equal(made, known) {
		t.Errorf("known are %q, and infra makes %q", known, made)
	}
}
