package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	business "github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/scripts/dev/clock"
	"github.com/pulssi/pulssi/shared/apigw/local"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

var start = time.Date(2026, 11, 21, 12, 30, 0, 0, time.UTC)

// rig is services on a clock that stands unless it is moved.
type rig struct {
	*Services
	clock *clock.Clock
	t     *testing.T
}

// functions are fakes; one that is nil succeeds.
type functions struct {
	send, intake func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)
	plan, notice func(context.Context, json.RawMessage) error
}

func (f functions) handlers() map[topology.Function]lambda.Handler {
	if f.send == nil {
		f.send = func(context.Context, events.SQSEvent) (r events.SQSEventResponse, err error) { return }
	}
	if f.intake == nil {
		f.intake = func(context.Context, events.SQSEvent) (r events.SQSEventResponse, err error) { return }
	}
	if f.plan == nil {
		f.plan = func(context.Context, json.RawMessage) error { return nil }
	}
	if f.notice == nil {
		f.notice = func(context.Context, json.RawMessage) error { return nil }
	}
	return map[topology.Function]lambda.Handler{
		topology.Delivery: local.Function(func(ctx context.Context, payload json.RawMessage) (any, error) { return nil, f.notice(ctx, payload) }),
		topology.Send:     local.Function(f.send), topology.Intake: local.Function(f.intake),
		topology.Plan: local.Function(func(ctx context.Context, payload json.RawMessage) (any, error) { return nil, f.plan(ctx, payload) }),
	}
}

func open(t *testing.T, dir string, at time.Time) *rig {
	t.Helper()
	c, err := clock.Open("", func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir, c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &rig{s, c, t}
}

func run(t *testing.T, f functions) *rig {
	t.Helper()
	r := open(t, "", start)
	r.Start(f.handlers())
	return r
}

func (r *rig) settle() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	if err := r.Settle(ctx); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) move(d time.Duration) {
	r.t.Helper()
	if err := r.MoveTo(r.t.Context(), r.clock.Now().Add(d), nil); err != nil {
		r.t.Fatal(err)
	}
}

func ask(n int) queue.Ask {
	return queue.Ask{Touchpoint: "shop-nps", Contact: survey.NewID(), Occasion: survey.Occasion(fmt.Sprint("order/", n)), Due: start}
}

func (r *rig) sendAsks(n int) {
	r.t.Helper()
	var asks []queue.Ask
	for i := range n {
		asks = append(asks, ask(i))
	}
	if err := r.SendAsks(r.t.Context(), asks); err != nil {
		r.t.Fatal(err)
	}
}

// record keeps what came, in order.
type record[T any] struct {
	mu  sync.Mutex
	all []T
}

func (r *record[T]) add(v T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, v)
}

func (r *record[T]) got() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

func TestBatchesAndWhatAMessageSays(t *testing.T) {
	var sizes record[int]
	var got record[queue.Ask]
	r := open(t, "", start)
	r.sendAsks(25)
	r.Start(functions{send: func(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
		sizes.add(len(e.Records))
		lc, ok := lambdacontext.FromContext(ctx)
		if _, deadline := ctx.Deadline(); !ok || lc.AwsRequestID == "" || !deadline {
			t.Error("the invocation has no id or no deadline")
		}
		for _, m := range e.Records {
			a, err := queue.DecodeAsk([]byte(m.Body))
			if err != nil {
				t.Error(err)
			}
			got.add(a)
			if m.MessageId == "" || m.ReceiptHandle == "" || m.EventSource != "aws:sqs" || m.EventSourceARN != "arn:aws:sqs:eu-north-1:000000000000:asks" ||
				m.Attributes["ApproximateReceiveCount"] != "1" || m.Attributes["SentTimestamp"] != fmt.Sprint(start.UnixMilli()) {
				t.Errorf("the message is %+v", m)
			}
		}
		return events.SQSEventResponse{}, nil
	}}.handlers())
	r.settle()
	slices.Sort(sizes.all)
	if want := []int{5, 10, 10}; !slices.Equal(sizes.got(), want) {
		t.Errorf("batches of %v, want %v", sizes.got(), want)
	}
	occasions := map[survey.Occasion]bool{}
	for _, a := range got.got() {
		occasions[a.Occasion] = true
	}
	if len(got.got()) != 25 || len(occasions) != 25 {
		t.Errorf("%d asks came, %d of them different", len(got.got()), len(occasions))
	}
	if _, n := r.Waiting("asks", 10); n != 0 {
		t.Errorf("%d wait still", n)
	}
}

// TestFailures has a message fail in every way that there is: it comes again
// when its visibility ends, and goes to the dead letters in the end.
func TestFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		fail   func(e events.SQSEvent) (events.SQSEventResponse, error)
		others bool // whether the other message of the batch is done with
		reason string
	}{
		"it is named": {func(e events.SQSEvent) (r events.SQSEventResponse, err error) {
			for _, m := range e.Records {
				if strings.Contains(m.Body, "order/0") {
					r.BatchItemFailures = append(r.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
				}
			}
			return r, nil
		}, true, "send failed with it 50 times"},
		"all fail": {func(events.SQSEvent) (r events.SQSEventResponse, err error) {
			return r, errors.New("no database")
		}, false, "send failed with it 50 times, the last time with: no database"},
		"a panic": {func(events.SQSEvent) (events.SQSEventResponse, error) {
			panic("oh")
		}, false, "send failed with it 50 times, the last time with: panic: oh"},
		"an unknown name": {func(events.SQSEvent) (r events.SQSEventResponse, err error) {
			r.BatchItemFailures = []events.SQSBatchItemFailure{{ItemIdentifier: "x"}}
			return r, nil
		}, false, `send failed with it 50 times, the last time with: the response names a message that is not of the batch, "x"`},
	} {
		t.Run(name, func(t *testing.T) {
			var at record[time.Time]
			r := open(t, "", start)
			r.sendAsks(2)
			r.Start(functions{send: func(_ context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
				at.add(r.clock.Now())
				return tt.fail(e)
			}}.handlers())
			r.settle()
			if _, n := r.Waiting("asks", 10); n != map[bool]int{true: 1, false: 2}[tt.others] {
				t.Errorf("%d wait after the first time", n)
			}
			r.move(time.Duration(topology.Asks.VisibilitySeconds)*time.Second - 1)
			if n := len(at.got()); n != 1 {
				t.Errorf("handed out %d times before its visibility ended", n)
			}
			r.move(1)
			if n := len(at.got()); n != 2 {
				t.Errorf("handed out %d times when its visibility ended", n)
			}
			r.move(24 * time.Hour)
			if n := len(at.got()); n != topology.Asks.Receives {
				t.Errorf("handed out %d times, want %d", n, topology.Asks.Receives)
			}
			dead, n := r.Dead(10)
			if n != map[bool]int{true: 1, false: 2}[tt.others] {
				t.Fatalf("%d dead letters", n)
			}
			if d := dead[0]; d.Queue != "asks-failed" || d.Reason != tt.reason || !strings.Contains(d.Body, "shop-nps") {
				t.Errorf("the dead letter is %+v", d)
			}
			if _, n := r.Waiting("asks", 10); n != 0 {
				t.Errorf("%d wait still", n)
			}
		})
	}
}

// TestRedrive mends what made every message fail, and has them come again: also
// after a restart none is lost, and none is left.
func TestRedrive(t *testing.T) {
	dir := t.TempDir()
	var broken atomic.Bool
	broken.Store(true)
	var asks record[string]
	send := func(_ context.Context, e events.SQSEvent) (r events.SQSEventResponse, err error) {
		if broken.Load() {
			return r, errors.New("no database")
		}
		for _, m := range e.Records {
			a, err := queue.DecodeAsk([]byte(m.Body))
			if err != nil {
				t.Error(err)
			}
			asks.add(string(a.Occasion) + " " + m.Attributes["ApproximateReceiveCount"])
		}
		return r, nil
	}
	r := open(t, dir, start)
	r.sendAsks(3)
	if err := r.SendRefused(t.Context(), []byte("x"), "no"); err != nil {
		t.Fatal(err)
	}
	r.Start(functions{send: send}.handlers())
	r.settle()
	r.move(24 * time.Hour)
	if _, n := r.Dead(10); n != 4 {
		t.Fatalf("%d dead letters, want 4", n)
	}
	for _, name := range []string{topology.RefusedEvents, "asks", "tally-failed", ""} {
		if n, err := r.Redrive(name); n != 0 || survey.CodeOf(err) != survey.Invalid {
			t.Errorf("%q: %d are put back, error %v", name, n, err)
		}
	}
	if n, err := r.Redrive(topology.Imports.Failed()); n != 0 || err != nil {
		t.Errorf("of imports %d are put back, error %v", n, err)
	}
	broken.Store(false)
	if n, err := r.Redrive(topology.Asks.Failed()); n != 3 || err != nil {
		t.Fatalf("%d are put back, error %v", n, err)
	}
	r.settle()
	got := asks.got()
	slices.Sort(got)
	if want := []string{"order/0 1", "order/1 1", "order/2 1"}; !slices.Equal(got, want) {
		t.Errorf("asks %v, want %v", got, want)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, start)
	dead, n := again.Dead(10)
	if _, waiting := again.Waiting("asks", 1); n != 1 || dead[0].Queue != topology.RefusedEvents || waiting != 0 {
		t.Errorf("after a restart there are %d dead letters and %d waiting", n, waiting)
	}
}

func TestADelayedMessageComesWhenItIsToCome(t *testing.T) {
	var at record[time.Time]
	r := open(t, "", start)
	r.sendAsks(1)
	r.Start(functions{send: func(ctx context.Context, e events.SQSEvent) (resp events.SQSEventResponse, err error) {
		at.add(r.clock.Now())
		m := e.Records[0]
		if len(at.got()) < 3 {
			if err := r.Delay(ctx, m.ReceiptHandle, time.Hour-time.Millisecond); err != nil {
				t.Error(err)
			}
			resp.BatchItemFailures = []events.SQSBatchItemFailure{{ItemIdentifier: m.MessageId}}
		}
		return resp, nil
	}}.handlers())
	r.move(5 * time.Hour)
	if want := []time.Time{start, start.Add(time.Hour), start.Add(2 * time.Hour)}; !slices.EqualFunc(at.got(), want, time.Time.Equal) {
		t.Errorf("it came at %v, want %v", at.got(), want)
	}
	if err := r.Delay(t.Context(), "old", time.Hour); survey.CodeOf(err) != survey.NotFound {
		t.Errorf("delaying what is not under way: %v", err)
	}
}

// TestRealTimeGoesOn waits for a message that is due in a second of the
// machine's own clock: nobody moves this one.
func TestRealTimeGoesOn(t *testing.T) {
	c, err := clock.Open("", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open("", c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	times := make(chan time.Time, 2)
	s.Start(functions{send: func(ctx context.Context, e events.SQSEvent) (resp events.SQSEventResponse, err error) {
		times <- time.Now()
		if m := e.Records[0]; m.Attributes["ApproximateReceiveCount"] == "1" {
			resp.BatchItemFailures = []events.SQSBatchItemFailure{{ItemIdentifier: m.MessageId}}
			err = s.Delay(ctx, m.ReceiptHandle, time.Second)
		}
		return resp, err
	}}.handlers())
	if err := s.SendAsks(t.Context(), []queue.Ask{ask(0)}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var first time.Time
	for i := range 2 {
		select {
		case at := <-times:
			if i == 0 {
				first = at
			} else if at.Sub(first) < time.Second {
				t.Errorf("it came again after %s", at.Sub(first))
			}
		case <-ctx.Done():
			t.Fatal("it did not come")
		}
	}
}

func TestAsManyAtOnceAsTheQueueAllows(t *testing.T) {
	var mu sync.Mutex
	running, most := 0, 0
	both := make(chan struct{})
	r := open(t, "", start)
	r.sendAsks(50)
	r.Start(functions{send: func(ctx context.Context, _ events.SQSEvent) (r events.SQSEventResponse, err error) {
		mu.Lock()
		running++
		most = max(most, running)
		if running == topology.Asks.Concurrency && most == running {
			select {
			case <-both:
			default:
				close(both)
			}
		}
		mu.Unlock()
		select {
		case <-both:
		case <-ctx.Done():
		}
		mu.Lock()
		running--
		mu.Unlock()
		return r, nil
	}}.handlers())
	r.settle()
	if most != topology.Asks.Concurrency {
		t.Errorf("%d at once, want %d", most, topology.Asks.Concurrency)
	}
}

func TestSchedules(t *testing.T) {
	type arrival struct {
		occasion survey.Occasion
		at       time.Time
	}
	var got record[arrival]
	var r *rig
	r = run(t, functions{send: func(_ context.Context, e events.SQSEvent) (resp events.SQSEventResponse, err error) {
		for _, m := range e.Records {
			a, err := queue.DecodeAsk([]byte(m.Body))
			if err != nil {
				t.Error(err)
			}
			got.add(arrival{a.Occasion, r.clock.Now()})
		}
		return resp, nil
	}})
	at := func(when time.Time, name string, n int) {
		t.Helper()
		if err := r.At(t.Context(), when, name, ask(n)); err != nil {
			t.Fatal(err)
		}
	}
	at(start.Add(3*time.Hour), "later", 3)
	at(start.Add(90*time.Minute+time.Nanosecond), "soon", 2)
	at(start.Add(5*time.Hour), "soon", 9) // waits already
	at(start.AddDate(-1, 0, 0), "past", 1)
	if all, n := r.Scheduled(2); n != 3 || len(all) != 2 || all[0].Name != "past" || all[1].Name != "soon" || all[1].Ask.Occasion != "order/2" {
		t.Errorf("%d wait: %+v", n, all)
	}
	r.settle()
	if len(got.got()) != 0 {
		t.Error("one came at once")
	}
	r.move(24 * time.Hour)
	want := []arrival{
		{"order/1", start.Add(time.Minute)},
		{"order/2", start.Add(90*time.Minute + time.Second)},
		{"order/3", start.Add(3 * time.Hour)},
	}
	if !slices.EqualFunc(got.got(), want, func(a, b arrival) bool { return a.occasion == b.occasion && a.at.Equal(b.at) }) {
		t.Errorf("came %v, want %v", got.got(), want)
	}
	at(r.clock.Now().Add(time.Hour), "soon", 4) // the name is free again
	r.move(2 * time.Hour)
	if n := len(got.got()); n != 4 {
		t.Errorf("%d came", n)
	}
	if _, n := r.Scheduled(10); n != 0 {
		t.Errorf("%d wait still", n)
	}
}

func TestTheBus(t *testing.T) {
	var got record[string]
	var at record[time.Time]
	var r *rig
	r = run(t, functions{plan: func(_ context.Context, payload json.RawMessage) error {
		if !strings.Contains(string(payload), "detail") {
			return nil // a tick
		}
		got.add(string(payload))
		at.add(r.clock.Now())
		return errors.New("no database")
	}})
	e := business.Event{Type: business.PurchaseCompleted, Version: 1, ID: "order-1", Time: start, Contact: business.Contact{Ref: "A-1"}}
	if err := r.Bus.Put(t.Context(), topology.OwnSource, e); err != nil {
		t.Fatal(err)
	}
	if err := r.Bus.Put(t.Context(), topology.APISource, e); err != nil {
		t.Fatal(err)
	}
	r.move(time.Hour)
	want := []time.Time{start, start.Add(time.Minute), start.Add(3 * time.Minute)}
	if !slices.EqualFunc(at.got(), want, time.Time.Equal) {
		t.Errorf("plan was invoked at %v, want %v", at.got(), want)
	}
	var payload events.EventBridgeEvent
	if err := json.Unmarshal([]byte(got.got()[0]), &payload); err != nil {
		t.Fatal(err)
	}
	if payload.Source != "pulssi.api" || payload.DetailType != "purchase.completed" || !payload.Time.Equal(start) || payload.ID == "" ||
		string(payload.Detail) != `{"type":"purchase.completed","version":1,"id":"order-1","time":"2026-11-21T12:30:00Z","contact":{"ref":"A-1"}}` {
		t.Errorf("the event is %s", got.got()[0])
	}
	dead, n := r.Dead(10)
	if n != 1 || dead[0].Queue != topology.RefusedEvents || dead[0].Reason != "plan failed with it 3 times, the last time with: no database" || dead[0].Body != got.got()[0] {
		t.Errorf("the dead letters are %+v", dead)
	}
}

// A notice comes while events keep plan busy, and again where the function
// fails.
func TestNotices(t *testing.T) {
	heard, busy := make(chan struct{}), make(chan struct{}, callConcurrency)
	var tries record[string]
	r := run(t, functions{
		plan: func(ctx context.Context, _ json.RawMessage) error {
			busy <- struct{}{}
			select {
			case <-heard:
			case <-ctx.Done():
			}
			return nil
		},
		notice: func(_ context.Context, payload json.RawMessage) error {
			if tries.add(string(payload)); len(tries.got()) == 1 {
				close(heard)
			}
			return errors.New("no database")
		},
	})
	for i := range callConcurrency {
		if err := r.Bus.Put(t.Context(), "shop", business.Event{Type: "custom", ID: fmt.Sprint("e-", i)}); err != nil {
			t.Fatal(err)
		}
		<-busy
	}
	if err := r.Notice([]byte(`{"detail-type":"Email Bounced"}`)); err != nil {
		t.Fatal(err)
	}
	r.settle()
	if got := tries.got(); !slices.Equal(got, []string{`{"detail-type":"Email Bounced"}`}) {
		t.Errorf("heard %q", got)
	}
	r.move(3 * time.Minute)
	dead, n := r.Dead(10)
	if n != 1 || len(tries.got()) != callTries || dead[0].Queue != "delivery-failed" || dead[0].Body != `{"detail-type":"Email Bounced"}` {
		t.Errorf("%d tries, the dead letters are %+v", len(tries.got()), dead)
	}
}

func TestWhatIsRefusedIsKept(t *testing.T) {
	r := run(t, functions{})
	for i := range 3 {
		if err := r.SendRefused(t.Context(), []byte{'0' + byte(i)}, "no contact"); err != nil {
			t.Fatal(err)
		}
	}
	dead, n := r.Dead(2)
	if n != 3 || len(dead) != 2 || dead[0].Body != "2" || dead[1].Body != "1" || dead[0].Reason != "not used: no contact" || dead[0].Queue != topology.RefusedEvents {
		t.Errorf("%d dead letters: %+v", n, dead)
	}
}

func TestTicks(t *testing.T) {
	var got record[string]
	r := run(t, functions{plan: func(_ context.Context, payload json.RawMessage) error {
		got.add(string(payload))
		return nil
	}})
	r.settle()
	if n := len(got.got()); n != 0 {
		t.Errorf("%d ticks before the hour", n)
	}
	r.move(3 * time.Hour)
	want := []string{`{"tick":"2026-11-21T13:00:00Z"}`, `{"tick":"2026-11-21T14:00:00Z"}`, `{"tick":"2026-11-21T15:00:00Z"}`}
	if !slices.Equal(got.got(), want) {
		t.Errorf("ticks %v, want %v", got.got(), want)
	}
}

// TestTicksWithoutATurnArePassedOver moves over three days with two turns, one
// of them at half past, and a schedule.
func TestTicksWithoutATurnArePassedOver(t *testing.T) {
	var got record[string]
	r := open(t, "", start)
	turns := []time.Time{start.Add(90 * time.Minute), start.Add(50 * time.Hour), start.Add(100 * time.Hour)}
	r.NextTurn = func(_ context.Context, after, until time.Time) (time.Time, bool, error) {
		for _, turn := range turns {
			if turn.After(after) && !turn.After(until) {
				return turn, true, nil
			}
		}
		return time.Time{}, false, nil
	}
	r.Start(functions{plan: func(_ context.Context, payload json.RawMessage) error {
		got.add(string(payload[9:22]))
		return nil
	}}.handlers())
	if err := r.At(t.Context(), start.Add(4*time.Hour), "s", ask(1)); err != nil {
		t.Fatal(err)
	}
	r.move(72 * time.Hour)
	want := []string{
		"2026-11-21T14", // the first turn
		"2026-11-21T16", // the schedule's
		"2026-11-22T17", // after a day
		"2026-11-23T15", // the second turn
		"2026-11-24T12", // the end
	}
	if !slices.Equal(got.got(), want) {
		t.Errorf("ticks %v, want %v", got.got(), want)
	}
	r.NextTurn = func(context.Context, time.Time, time.Time) (time.Time, bool, error) {
		return time.Time{}, false, errors.New("no database")
	}
	if err := r.MoveTo(t.Context(), r.clock.Now().Add(72*time.Hour), nil); err == nil || !strings.Contains(err.Error(), "no database") {
		t.Errorf("moving without knowing the turns: %v", err)
	}
}

// TestMovingIsStoppedOnTheWay stops a move after its third stop.
func TestMovingIsStoppedOnTheWay(t *testing.T) {
	r := run(t, functions{})
	ctx, cancel := context.WithCancel(t.Context())
	stops := 0
	err := r.MoveTo(ctx, start.AddDate(0, 3, 0), func() {
		if stops++; stops == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || !r.clock.Now().Equal(start.Add(2*time.Hour+30*time.Minute)) {
		t.Errorf("stopped at %s: %v", r.clock.Now(), err)
	}
}

func TestMovingBackIsRefused(t *testing.T) {
	r := run(t, functions{})
	if err := r.MoveTo(t.Context(), start.Add(-time.Hour), nil); survey.CodeOf(err) != survey.Invalid {
		t.Errorf("moved back: %v", err)
	}
}

// TestStopAndStart ends the services at any moment, also killed: what was
// waiting waits again, and what was under way is delivered again.
func TestStopAndStart(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir, start)
	first.sendAsks(11)
	for i, when := range []time.Duration{time.Hour, 2 * time.Hour} {
		if err := first.At(t.Context(), start.Add(when), fmt.Sprint("s", i), ask(100+i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.Bus.Put(t.Context(), "shop", business.Event{Type: "custom", ID: "e-1"}); err != nil {
		t.Fatal(err)
	}
	if err := first.SendRefused(t.Context(), []byte("x"), "no"); err != nil {
		t.Fatal(err)
	}
	// The invocation of the first batch never ends: the process is killed.
	first.mu.Lock()
	if batch := first.receive(first.queue("asks"), start); len(batch) != 10 {
		t.Fatalf("a batch of %d", len(batch))
	}
	first.mu.Unlock()

	var asks record[string]
	var plans record[string]
	second := open(t, dir, start.Add(5*time.Hour)) // five hours later
	if _, n := second.Waiting("asks", 1); n != 11 {
		t.Errorf("%d messages wait after the restart", n)
	}
	second.Start(functions{
		send: func(_ context.Context, e events.SQSEvent) (r events.SQSEventResponse, err error) {
			for _, m := range e.Records {
				a, err := queue.DecodeAsk([]byte(m.Body))
				if err != nil {
					t.Error(err)
				}
				asks.add(string(a.Occasion) + " " + m.Attributes["ApproximateReceiveCount"])
			}
			return r, nil
		},
		plan: func(_ context.Context, payload json.RawMessage) error {
			if strings.Contains(string(payload), "tick") {
				plans.add(string(payload))
			} else {
				plans.add("event")
			}
			return nil
		},
	}.handlers())
	second.settle()
	want := []string{"order/10 1", "order/100 1", "order/101 1"}
	for i := range 10 {
		want = append(want, fmt.Sprintf("order/%d 2", i))
	}
	slices.Sort(want)
	got := asks.got()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("asks %v, want %v", got, want)
	}
	planned := plans.got()
	slices.Sort(planned)
	if want := []string{"event", `{"tick":"2026-11-21T17:00:00Z"}`}; !slices.Equal(planned, want) {
		t.Errorf("plan got %v, want %v", planned, want)
	}
	if _, n := second.Dead(1); n != 1 {
		t.Errorf("%d dead letters", n)
	}
	third := open(t, dir, start.Add(5*time.Hour))
	if _, n := third.Waiting("asks", 1); n != 0 || !third.ticked.Equal(time.Date(2026, 11, 21, 17, 0, 0, 0, time.UTC)) {
		t.Errorf("after all was done %d wait, the last tick was %s", n, third.ticked)
	}
}

// TestAnInvocationIsCutOffAtTheStop closes while an invocation hangs: its
// message is due at the next start, and not when it would be after a failure.
func TestAnInvocationIsCutOffAtTheStop(t *testing.T) {
	begun := make(chan struct{})
	r := open(t, "", start)
	r.sendAsks(1)
	r.Start(functions{send: func(ctx context.Context, _ events.SQSEvent) (r events.SQSEventResponse, err error) {
		close(begun)
		<-ctx.Done()
		return r, ctx.Err()
	}}.handlers())
	<-begun
	before := time.Now()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(before); took < stopGrace || took > time.Minute {
		t.Errorf("closing took %s", took)
	}
	if err := r.Settle(t.Context()); err == nil {
		t.Error("closed services settle")
	}
	if messages, n := r.Waiting("asks", 1); n != 1 || !messages[0].Visible.Equal(start) {
		t.Errorf("%d wait: %+v", n, messages)
	}
}
