package queue_test

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
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit/moto"
)

// wire is an HTTP client that has requests and answers pass through it.
type wire func(*http.Request) (*http.Response, error)

func (w wire) Do(r *http.Request) (*http.Response, error) { return w(r) }

// newQueue makes a queue of this test's own, in moto. w may be nil.
func newQueue(t *testing.T, w wire) (*sqs.Client, string) {
	t.Helper()
	c := moto.Config(t)
	out, err := sqs.NewFromConfig(c).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q-" + survey.NewID())})
	if err != nil {
		t.Fatal(err)
	}
	if w != nil {
		c.HTTPClient = w
	}
	return sqs.NewFromConfig(c), *out.QueueUrl
}

// receive takes every message that the queue has now.
func receive(t *testing.T, c *sqs.Client, url string) []types.Message {
	t.Helper()
	var all []types.Message
	for {
		out, err := c.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: 600, MessageAttributeNames: []string{"All"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return all
		}
		all = append(all, out.Messages...)
	}
}

// decoded returns the asks of messages, by contact.
func decoded(t *testing.T, messages []types.Message) []queue.Ask {
	t.Helper()
	var asks []queue.Ask
	for _, m := range messages {
		a, err := queue.DecodeAsk([]byte(*m.Body))
		if err != nil {
			t.Fatal(err)
		}
		asks = append(asks, a)
	}
	return sorted(asks)
}

func sorted(asks []queue.Ask) []queue.Ask {
	return slices.SortedFunc(slices.Values(asks), func(a, b queue.Ask) int { return strings.Compare(a.Contact, b.Contact) })
}

func newAsks(n int) []queue.Ask {
	asks := make([]queue.Ask, n)
	for i := range asks {
		asks[i] = queue.Ask{
			Touchpoint: "shop-nps", Contact: survey.NewID(), Occasion: "purchase.completed/order-4711",
			Due: time.Date(2026, 11, 21, 9, 0, i, 0, time.UTC), Reminder: i%2 == 1,
			Ref: "order-4711", At: time.Date(2026, 11, 14, 9, 0, 0, 0, time.UTC), About: "Pörröiset tohvelit & \"muuta\" 😀",
		}
	}
	return asks
}

func TestAsksArriveAsTheyWereSent(t *testing.T) {
	calls := 0
	c, url := newQueue(t, func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".SendMessageBatch") {
			calls++
		}
		return http.DefaultClient.Do(r)
	})
	asks := newAsks(25)
	if err := queue.New(c, url).SendAsks(t.Context(), asks); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sorted(asks), decoded(t, receive(t, c, url))); diff != "" {
		t.Error(diff)
	}
	if calls != 3 {
		t.Errorf("%d calls, want 3 for 25 asks", calls)
	}
	if err := queue.New(c, url).SendAsks(t.Context(), nil); err != nil || calls != 3 {
		t.Errorf("no asks: %v, %d calls", err, calls)
	}
}

func TestLargeAsksGoInMoreCalls(t *testing.T) {
	c, url := newQueue(t, nil)
	asks := newAsks(4)
	for i := range asks {
		asks[i].About = strings.Repeat("a", 100<<10) // two fit into one call
	}
	huge := newAsks(1)[0]
	huge.About = strings.Repeat("a", 256<<10)
	err := queue.New(c, url).SendAsks(t.Context(), append([]queue.Ask{huge}, asks...))
	if err == nil || !strings.Contains(err.Error(), "1 were not taken, the first because of: larger than 262144 bytes") {
		t.Errorf("an ask that no call takes: error %v", err)
	}
	if diff := cmp.Diff(sorted(asks), decoded(t, receive(t, c, url))); diff != "" {
		t.Error(diff)
	}
}

func TestAsksThatSQSDidNotTakeAreSentAgain(t *testing.T) {
	for _, c := range []struct {
		name        string
		failures    int // of the first ask of the second call
		senderFault bool
		calls       int
		err         string
	}{
		{"once", 1, false, 4, ""},
		{"three times", 3, false, 6, ""},
		{"always", 100, false, 6, "sending 25 asks: 1 were not taken, the first because of: InternalError"},
		{"for its own fault", 1, true, 3, "sending 25 asks: 1 were not taken, the first because of: InternalError"},
	} {
		t.Run(c.name, func(t *testing.T) {
			asks := newAsks(25)
			broken := asks[10]
			calls, left := 0, c.failures
			client, url := newQueue(t, func(r *http.Request) (*http.Response, error) {
				if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".SendMessageBatch") {
					return http.DefaultClient.Do(r)
				}
				calls++
				if left == 0 {
					return http.DefaultClient.Do(r)
				}
				return failOne(r, broken.Contact, c.senderFault, &left)
			})
			err := queue.New(client, url).SendAsks(t.Context(), asks)
			if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if calls != c.calls {
				t.Errorf("%d calls, want %d", calls, c.calls)
			}
			want := asks
			if c.err != "" {
				want = slices.Delete(slices.Clone(asks), 10, 11)
			}
			if diff := cmp.Diff(sorted(want), decoded(t, receive(t, client, url))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// failOne keeps the entry with a text in it from the queue, and has the answer
// tell so, as SQS does.
func failOne(r *http.Request, text string, senderFault bool, left *int) (*http.Response, error) {
	var in struct {
		QueueUrl string
		Entries  []map[string]any
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	var failed []map[string]any
	in.Entries = slices.DeleteFunc(in.Entries, func(e map[string]any) bool {
		if !strings.Contains(e["MessageBody"].(string), text) {
			return false
		}
		*left--
		failed = append(failed, map[string]any{"Id": e["Id"], "Code": "InternalError", "Message": "busy", "SenderFault": senderFault})
		return true
	})
	out := map[string]any{}
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}}
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
		resp.Header.Del("X-Amz-Crc32")
	}
	out["Failed"] = failed
	body, err := json.Marshal(out)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, err
}

func TestAQueueThatIsNotThere(t *testing.T) {
	c, url := newQueue(t, nil)
	if err := queue.New(c, url+"-not").SendAsks(t.Context(), newAsks(1)); err == nil || !strings.Contains(err.Error(), "NonExistentQueue") {
		t.Errorf("error %v", err)
	}
}

func TestDelay(t *testing.T) {
	var asked []string
	c, url := newQueue(t, func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ChangeMessageVisibility") {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			var in struct{ VisibilityTimeout int }
			if err := json.Unmarshal(body, &in); err != nil {
				return nil, err
			}
			asked = append(asked, fmt.Sprint(in.VisibilityTimeout))
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		return http.DefaultClient.Do(r)
	})
	q := queue.New(c, url)
	if err := q.SendAsks(t.Context(), newAsks(1)); err != nil {
		t.Fatal(err)
	}
	delay := func(m types.Message, d time.Duration) {
		t.Helper()
		if err := q.Delay(t.Context(), *m.ReceiptHandle, d); err != nil {
			t.Fatal(err)
		}
	}
	m := receive(t, c, url)[0] // hidden for ten minutes
	delay(m, 0)                // and now for none
	again := receive(t, c, url)
	if len(again) != 1 || *again[0].MessageId != *m.MessageId {
		t.Fatalf("after a delay of nothing there are %d messages", len(again))
	}
	m = again[0]
	delay(m, time.Hour)
	if hidden := receive(t, c, url); len(hidden) != 0 {
		t.Errorf("a message that is delayed by an hour comes at once")
	}
	delay(m, 1500*time.Millisecond)
	delay(m, -time.Hour)
	m = receive(t, c, url)[0]
	delay(m, queue.MaxDelay)
	delay(m, 30*24*time.Hour)
	if got, want := strings.Join(asked, " "), "0 3600 2 0 42300 42300"; got != want {
		t.Errorf("hidden for %s seconds, want %s", got, want)
	}
	if err := q.Delay(t.Context(), "no such handle", time.Minute); err == nil {
		t.Error("a message that was never received is delayed")
	}
}

func TestWhatIsRefusedIsKept(t *testing.T) {
	c, url := newQueue(t, nil)
	r := queue.NewRefused(c, url)
	long := strings.Repeat("a", 255<<10-1)
	for _, c2 := range []struct{ body, reason, wantBody, wantReason string }{
		{`{"type":"purchase.completed"}`, "version must be 1", `{"type":"purchase.completed"}`, "version must be 1"},
		{"", "", "(empty)", "(none)"},
		{"a\x00b\tc\r\nd\x7f\xff\uFFFE\U0001F600", "the byte \x1b", "a\uFFFDb\tc\r\nd\x7f\uFFFD\uFFFD\U0001F600", "the byte \uFFFD"},
		{long + "bc", strings.Repeat("r", 1025), long + "b", strings.Repeat("r", 1024)},
		{long + "ä", strings.Repeat("r", 1023) + "ä", long, strings.Repeat("r", 1023)}, // never half a character
	} {
		if err := r.SendRefused(t.Context(), []byte(c2.body), c2.reason); err != nil {
			t.Fatal(err)
		}
		messages := receive(t, c, url)
		if len(messages) != 1 {
			t.Fatalf("%d messages, want 1", len(messages))
		}
		body, reason := *messages[0].Body, *messages[0].MessageAttributes[queue.ReasonAttribute].StringValue
		if body != c2.wantBody || reason != c2.wantReason {
			t.Errorf("%.40q because of %.40q is kept as %.40q (%d bytes) because of %.40q (%d)", c2.body, c2.reason, body, len(body), reason, len(reason))
		}
		if !utf8.ValidString(body) {
			t.Errorf("%.40q is no UTF-8", body)
		}
	}
	if err := queue.NewRefused(c, url+"-not").SendRefused(t.Context(), nil, ""); err == nil {
		t.Error("there is no such queue, and no error")
	}
}
