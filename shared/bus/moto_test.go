package bus_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/bus"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit/moto"
	"github.com/pulssi/pulssi/shared/topology"
)

// wire is an HTTP client that has requests and answers pass through it.
type wire func(*http.Request) (*http.Response, error)

func (w wire) Do(r *http.Request) (*http.Response, error) { return w(r) }

// arrival is an event as a rule's target gets it.
type arrival struct {
	Source     string       `json:"source"`
	DetailType string       `json:"detail-type"`
	Time       time.Time    `json:"time"`
	Detail     events.Event `json:"detail"`
}

// newBus makes a bus of this test's own, in moto, whose rule has the pattern
// of the deployed one and a queue as its target, and returns the bus and what
// takes from the queue all that has arrived, by the events' ids. w may be nil.
func newBus(t *testing.T, w wire) (*bus.Client, func() []arrival) {
	t.Helper()
	c := moto.Config(t)
	name := "b-" + survey.NewID()
	queues, buses := sqs.NewFromConfig(c), eventbridge.NewFromConfig(c)
	q, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := buses.CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: &name}); err != nil {
		t.Fatal(err)
	}
	if _, err := buses.PutRule(t.Context(), &eventbridge.PutRuleInput{
		EventBusName: &name, Name: &name, EventPattern: aws.String(`{"source":[{"anything-but":["` + topology.OwnSource + `"]}]}`),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := buses.PutTargets(t.Context(), &eventbridge.PutTargetsInput{EventBusName: &name, Rule: &name, Targets: []types.Target{
		{Id: aws.String("queue"), Arn: aws.String("arn:aws:sqs:" + moto.Region + ":" + moto.Account + ":" + name)},
	}}); err != nil {
		t.Fatal(err)
	}
	if w != nil {
		c.HTTPClient = w
	}
	return bus.New(eventbridge.NewFromConfig(c), name), func() []arrival {
		t.Helper()
		var all []arrival
		for {
			out, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: q.QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600})
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Messages) == 0 {
				slices.SortFunc(all, func(a, b arrival) int { return strings.Compare(a.Detail.ID, b.Detail.ID) })
				return all
			}
			for _, m := range out.Messages {
				var a arrival
				if err := json.Unmarshal([]byte(*m.Body), &a); err != nil {
					t.Fatal(err)
				}
				all = append(all, a)
			}
		}
	}
}

func newEvents(n int) []events.Event {
	es := make([]events.Event, n)
	for i := range es {
		es[i] = events.Event{
			Type: events.PurchaseCompleted, Version: 1, ID: fmt.Sprintf("order-%03d", i),
			Time:    time.Date(2026, 11, 21, 9, 0, i, 0, time.UTC),
			Contact: events.Contact{Ref: "c-17", FirstName: "Äijö"},
			Data:    map[string]any{"about": "Pörröiset tohvelit", "amount": 49.9},
		}
	}
	return es
}

func want(es ...events.Event) []arrival {
	var all []arrival
	for _, e := range es {
		all = append(all, arrival{topology.APISource, e.Type, e.Time, e})
	}
	return all
}

func TestEventsArriveAtTheRulesTarget(t *testing.T) {
	calls := 0
	b, arrived := newBus(t, func(r *http.Request) (*http.Response, error) { calls++; return http.DefaultClient.Do(r) })
	es := newEvents(12)
	if err := b.Put(t.Context(), topology.APISource, es...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want(es...), arrived()); diff != "" {
		t.Error(diff)
	}
	if calls != 2 {
		t.Errorf("%d calls, want 2 for 12 events", calls)
	}
	if err := b.Put(t.Context(), topology.APISource); err != nil || calls != 2 {
		t.Errorf("no events: %v, %d calls", err, calls)
	}
}

func TestOurOwnEventsDoNotComeBack(t *testing.T) {
	b, arrived := newBus(t, nil)
	if err := b.Put(t.Context(), topology.OwnSource, newEvents(1)...); err != nil {
		t.Fatal(err)
	}
	if all := arrived(); len(all) != 0 {
		t.Errorf("they do: %+v", all)
	}
}

func TestEventsThatTheBusDidNotTakeArePutAgain(t *testing.T) {
	for _, c := range []struct {
		name     string
		failures int // of the first event of the second call
		code     string
		calls    int
		err      string
	}{
		{"once", 1, "ThrottlingException", 3, ""},
		{"always", 100, "InternalFailure", 5, "putting 12 events on the bus: 1 were not taken, the first because of: InternalFailure"},
		{"for its own fault", 1, "MalformedDetail", 2, "putting 12 events on the bus: 1 were not taken, the first because of: MalformedDetail"},
	} {
		t.Run(c.name, func(t *testing.T) {
			es := newEvents(12)
			calls, left := 0, c.failures
			b, arrived := newBus(t, func(r *http.Request) (*http.Response, error) {
				calls++
				if left == 0 {
					return http.DefaultClient.Do(r)
				}
				return failOne(r, es[10].ID, c.code, &left)
			})
			err := b.Put(t.Context(), topology.APISource, es...)
			if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if calls != c.calls {
				t.Errorf("%d calls, want %d", calls, c.calls)
			}
			all := want(es...)
			if c.err != "" {
				all = slices.Delete(all, 10, 11)
			}
			if diff := cmp.Diff(all, arrived()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// failOne keeps the entry with a text in it from the bus, and has the answer
// tell so in its place, as EventBridge does.
func failOne(r *http.Request, text, code string, left *int) (*http.Response, error) {
	var in struct{ Entries []map[string]any }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	failed := slices.IndexFunc(in.Entries, func(e map[string]any) bool { return strings.Contains(e["Detail"].(string), text) })
	if failed >= 0 {
		*left--
		in.Entries = slices.Delete(in.Entries, failed, failed+1)
	}
	out := struct {
		FailedEntryCount int
		Entries          []map[string]any
	}{}
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}}
	if len(in.Entries) > 0 {
		body, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		if resp, err = http.DefaultClient.Do(r); err != nil {
			return nil, err
		}
		if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
			return nil, err
		}
	}
	if failed >= 0 {
		out.FailedEntryCount++
		out.Entries = slices.Insert(out.Entries, failed, map[string]any{"ErrorCode": code, "ErrorMessage": "not now"})
	}
	body, err := json.Marshal(out)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, err
}

func TestAnEventThatIsTooLarge(t *testing.T) {
	b, arrived := newBus(t, nil)
	es := newEvents(2)
	es[0].Data["about"] = strings.Repeat("a", 256<<10)
	err := b.Put(t.Context(), topology.APISource, es...)
	if err == nil || !strings.Contains(err.Error(), "1 were not taken, the first because of: larger than 262144 bytes") {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff(want(es[1]), arrived()); diff != "" {
		t.Error(diff)
	}
}
