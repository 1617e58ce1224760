package service

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// Message is one message in a queue.
type Message struct {
	ID      string    `json:"id"`
	Order   int       `json:"order"`
	Queue   string    `json:"queue"`
	Body    string    `json:"body"`
	Sent    time.Time `json:"sent"`
	Visible time.Time `json:"visible"` // when it is due
	// Receives is how often it was handed out, FirstReceived when first, and
	// Failure what came of the last time, where the function said it.
	Receives      int       `json:"receives,omitempty"`
	FirstReceived time.Time `json:"firstReceived,omitzero"`
	Failure       string    `json:"failure,omitempty"`

	delayed time.Duration // asked for while it is under way; negative for not
}

// DeadLetter is what was given up.
type DeadLetter struct {
	ID     string    `json:"id"`
	Order  int       `json:"order"`
	Queue  string    `json:"queue"` // the dead-letter queue
	Body   string    `json:"body"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

type queueState struct {
	topology.Queue
	waiting timeline[*Message]
}

// anyConcurrency is how many invocations there are at once of a queue that
// sets no limit.
const anyConcurrency = 2

func concurrency(q topology.Queue) int {
	if q.Concurrency == 0 {
		return anyConcurrency
	}
	return q.Concurrency
}

func (s *Services) queue(name string) *queueState {
	for _, q := range s.queues {
		if q.Name == name {
			return q
		}
	}
	return nil
}

// SendAsks is that of [queue.Client].
func (s *Services) SendAsks(_ context.Context, asks []queue.Ask) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range asks {
		body, err := a.Encode()
		if err != nil {
			return err
		}
		if err := s.send(topology.Asks.Name, string(body)); err != nil {
			return err
		}
	}
	return nil
}

// send puts a message into a queue. The lock is held.
func (s *Services) send(queue, body string) error {
	now := s.clock.Now()
	m := &Message{ID: newID(), Order: s.order(), Queue: queue, Body: body, Sent: now, Visible: now}
	if err := s.journal.put(messageKey+m.ID, m); err != nil {
		return fmt.Errorf("keeping a message: %w", err)
	}
	s.queue(queue).waiting.add(m.Visible, m)
	s.change()
	return nil
}

// Delay is that of [queue.Client], for all queues.
func (s *Services) Delay(_ context.Context, receiptHandle string, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.receipts[receiptHandle]
	if !ok {
		return survey.Errorf(survey.NotFound, "receiptHandle", "no message is under way with this receipt handle")
	}
	d = min(max(d, 0), queue.MaxDelay)
	m.delayed = (d + time.Second - 1).Truncate(time.Second)
	return nil
}

// SendRefused is that of [queue.Refused]: the message is among the dead
// letters of the business events.
func (s *Services) SendRefused(_ context.Context, body []byte, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bury(topology.RefusedEvents, string(body), "not used: "+reason)
}

// bury adds a dead letter. The lock is held.
func (s *Services) bury(queue, body, reason string) error {
	d := &DeadLetter{ID: newID(), Order: s.order(), Queue: queue, Body: body, Reason: reason, At: s.clock.Now()}
	if err := s.journal.put(deadKey+d.ID, d); err != nil {
		return fmt.Errorf("keeping a dead letter: %w", err)
	}
	s.dead = append(s.dead, d)
	return nil
}

// receive hands out a batch of messages that are due.
func (s *Services) receive(q *queueState, now time.Time) []*Message {
	var batch []*Message
	for len(batch) < q.Batch {
		m, ok := q.waiting.take(now)
		if !ok {
			break
		}
		m.Receives++
		if m.Receives == 1 {
			m.FirstReceived = now
		}
		m.delayed = -1
		s.keep(m)
		s.receipts[m.receipt()] = m
		batch = append(batch, m)
	}
	return batch
}

// keep writes down how a message stands. Where that fails it is only known to
// have been handed out less often.
func (s *Services) keep(m *Message) {
	if err := s.journal.put(messageKey+m.ID, m); err != nil {
		s.log.Error("keeping a message", "message", m.ID, "error", err.Error())
	}
}

func (m *Message) receipt() string { return m.ID + "/" + strconv.Itoa(m.Receives) }

// deliver invokes the queue's function with a batch, as an event source
// mapping does: what it does not name as failed is taken away, and all of it
// comes again where it fails as a whole.
func (s *Services) deliver(q *queueState, batch []*Message) job {
	received := s.clock.Now()
	event := events.SQSEvent{}
	for _, m := range batch {
		sum := md5.Sum([]byte(m.Body))
		event.Records = append(event.Records, events.SQSMessage{
			MessageId: m.ID, ReceiptHandle: m.receipt(), Body: m.Body, Md5OfBody: hex.EncodeToString(sum[:]),
			Attributes: map[string]string{
				"ApproximateReceiveCount":          strconv.Itoa(m.Receives),
				"SentTimestamp":                    strconv.FormatInt(m.Sent.UnixMilli(), 10),
				"SenderId":                         account,
				"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.FirstReceived.UnixMilli(), 10),
			},
			MessageAttributes: map[string]events.SQSMessageAttribute{},
			EventSource:       "aws:sqs", EventSourceARN: "arn:aws:sqs:" + region + ":" + account + ":" + q.Name, AWSRegion: region,
		})
	}
	return func(ctx context.Context) func() {
		out, err := s.invoke(ctx, q.Function, time.Duration(q.VisibilitySeconds)*time.Second, event)
		var failed map[string]bool
		if err == nil {
			failed, err = failures(out, batch)
		}
		cut := ctx.Err() != nil
		return func() {
			if cut { // by the stop: it goes on at the next start, as after a kill
				for _, m := range batch {
					m.delayed = 0
				}
			}
			s.finish(q, batch, received, failed, err)
		}
	}
}

// failures returns the messages of a batch that a function names as failed. As
// of Lambda, a name that is not of the batch fails all of it (Developer Guide:
// "Implementing partial batch responses").
func failures(out []byte, batch []*Message) (map[string]bool, error) {
	var resp events.SQSEventResponse
	if len(out) > 0 {
		if err := json.Unmarshal(out, &resp); err != nil {
			return nil, fmt.Errorf("reading the response: %w", err)
		}
	}
	failed := map[string]bool{}
	for _, f := range resp.BatchItemFailures {
		if !slices.ContainsFunc(batch, func(m *Message) bool { return m.ID == f.ItemIdentifier }) {
			return nil, fmt.Errorf("the response names a message that is not of the batch, %q", f.ItemIdentifier)
		}
		failed[f.ItemIdentifier] = true
	}
	return failed, nil
}

// finish takes away what was dealt with, and has the rest come again or, when
// it has come often enough, go to the dead-letter queue.
func (s *Services) finish(q *queueState, batch []*Message, received time.Time, failed map[string]bool, err error) {
	for _, m := range batch {
		delete(s.receipts, m.receipt())
		if err == nil && !failed[m.ID] {
			s.remove(messageKey + m.ID)
			continue
		}
		m.Failure = ""
		if err != nil {
			m.Failure = err.Error()
		}
		if m.Receives >= q.Receives {
			reason := fmt.Sprintf("%s failed with it %d times", q.Function, m.Receives)
			if m.Failure != "" {
				reason += ", the last time with: " + m.Failure
			}
			if err := s.bury(q.Failed(), m.Body, reason); err == nil {
				s.remove(messageKey + m.ID)
				continue
			}
		}
		m.Visible = received.Add(time.Duration(q.VisibilitySeconds) * time.Second)
		if m.delayed >= 0 {
			m.Visible = s.clock.Now().Add(m.delayed)
		}
		s.keep(m)
		q.waiting.add(m.Visible, m)
	}
}

// remove takes an entry out of the journal. Where that fails it comes again
// after a restart, as everything may.
func (s *Services) remove(key string) {
	if err := s.journal.drop(key); err != nil {
		s.log.Error("removing what is done", "key", key, "error", err.Error())
	}
}

// Waiting returns the first messages of a queue, at most limit, in the order
// in which they are due, and how many there are in all. Those under way are
// not among them.
func (s *Services) Waiting(queue string, limit int) ([]Message, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.queue(queue).waiting.all()
	slices.SortFunc(all, func(a, b *Message) int {
		if c := a.Visible.Compare(b.Visible); c != 0 {
			return c
		}
		return a.Order - b.Order
	})
	out := make([]Message, 0, min(limit, len(all)))
	for _, m := range all[:min(limit, len(all))] {
		out = append(out, *m)
	}
	return out, len(all)
}

// Dead returns the last dead letters of all queues, at most limit, the newest
// first, and how many there are in all.
func (s *Services) Dead(limit int) ([]DeadLetter, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []DeadLetter
	for _, d := range slices.Backward(s.dead) {
		if len(out) == limit {
			break
		}
		out = append(out, *d)
	}
	return out, len(s.dead)
}

// Redrive puts all dead letters of a queue's dead-letter queue back into it, as
// SQS does (StartMessageMoveTask), and returns how many there were. They are
// handed out at once, as if for the first time. The error is [survey.Invalid]
// where that is the dead-letter queue of no queue. After another error some are
// back, and it can be called again; what was put back in the moment that the
// process ended is there twice, as everything may be.
func (s *Services) Redrive(failed string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.queues, func(q *queueState) bool { return q.Failed() == failed })
	if i < 0 {
		return 0, survey.Errorf(survey.Invalid, "queue", "queue must be the dead-letter queue of a queue, not %q", failed)
	}
	moved := 0
	for _, d := range slices.Clone(s.dead) {
		if d.Queue != failed {
			continue
		}
		if err := s.send(s.queues[i].Name, d.Body); err != nil {
			return moved, err
		}
		s.dead = slices.DeleteFunc(s.dead, func(other *DeadLetter) bool { return other == d })
		s.remove(deadKey + d.ID)
		moved++
	}
	return moved, nil
}
