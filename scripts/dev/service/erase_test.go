package service

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pulssi/pulssi/shared/queue"
)

// Of what waits, is scheduled, was given up or is done, nothing of one person is
// left, also after a restart, and everything of the others.
func TestErase(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, start)
	hers, his := ask(1), ask(2)
	for _, a := range []queue.Ask{hers, his} {
		if err := r.SendAsks(t.Context(), []queue.Ask{a}); err != nil {
			t.Fatal(err)
		}
		if err := r.At(t.Context(), start.Add(time.Hour), "later-"+a.Contact[:4], a); err != nil {
			t.Fatal(err)
		}
		if err := r.SendRefused(t.Context(), []byte(`{"contact":"`+a.Contact+`"}`), "no"); err != nil {
			t.Fatal(err)
		}
		if err := r.Notice([]byte(`{"contact":"` + a.Contact + `"}`)); err != nil {
			t.Fatal(err)
		}
	}
	matches := func(text string) bool { return strings.Contains(text, hers.Contact) }
	if n := r.Mentioning(matches); n != 4 {
		t.Errorf("%d are found", n)
	}
	for range 2 {
		if err := r.Erase(matches); err != nil {
			t.Fatal(err)
		}
		if n := r.Mentioning(matches); n != 0 {
			t.Errorf("%d are left", n)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "services.jsonl"))
	if err != nil || matches(string(b)) || strings.Count(string(b), his.Contact) != 4 {
		t.Errorf("the journal has %s, %v", b, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, start)
	var sent, noticed record[string]
	again.Start(functions{
		send: func(_ context.Context, e events.SQSEvent) (resp events.SQSEventResponse, err error) {
			for _, m := range e.Records {
				sent.add(m.Body)
			}
			return resp, nil
		},
		notice: func(_ context.Context, payload json.RawMessage) error {
			noticed.add(string(payload))
			return nil
		},
	}.handlers())
	again.settle()
	again.move(2 * time.Hour)
	if s, n := sent.got(), noticed.got(); len(s) != 2 || len(n) != 1 || matches(strings.Join(append(s, n...), "")) {
		t.Errorf("delivered %q, %q", s, n)
	}
	if _, n := again.Dead(10); n != 1 {
		t.Errorf("%d dead letters", n)
	}
}

// What is under way cannot be taken back, and is told.
func TestEraseWhatIsUnderWay(t *testing.T) {
	at, over := make(chan bool), make(chan bool)
	r := run(t, functions{send: func(context.Context, events.SQSEvent) (resp events.SQSEventResponse, err error) {
		at <- true
		<-over
		return resp, nil
	}})
	a := ask(1)
	if err := r.SendAsks(t.Context(), []queue.Ask{a}); err != nil {
		t.Fatal(err)
	}
	<-at
	matches := func(text string) bool { return strings.Contains(text, a.Contact) }
	if err := r.Erase(matches); err == nil || !strings.Contains(err.Error(), "is under way") {
		t.Errorf("error %v", err)
	}
	close(over)
	r.settle()
	if err := r.Erase(matches); err != nil || r.Mentioning(matches) != 0 {
		t.Errorf("when it is done: %v", err)
	}
}
