package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pulssi/pulssi/scripts/dev/stack"
	"github.com/pulssi/pulssi/scripts/load/traffic"
	"github.com/pulssi/pulssi/scripts/recount/differences"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/testkit/dynamodblocal"
	"github.com/pulssi/pulssi/shared/topology"
)

var people = flag.Int("load.n", 10_000, "people of the load test")

// writesPerAnswer is the most updates of sheets that one answer may cost in a
// loaded window.
const writesPerAnswer = 0.02

func startStack(t *testing.T, o stack.Options) *stack.Stack {
	t.Helper()
	file, err := os.ReadFile("../dev/touchpoints.yaml")
	if err != nil {
		t.Fatal(err)
	}
	o.Touchpoints = file
	s, err := stack.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestEveryAcceptedAnswerIsCounted loads the whole stack at full speed: every
// answer that was accepted stands in the store as it was last accepted, a
// recount finds no difference, and sheets are written rarely.
func TestEveryAcceptedAnswerIsCounted(t *testing.T) {
	meter := &testkit.Meter{}
	// On a DynamoDB Local of its own: there, reading a stream takes the longer
	// the more records all streams have, so that the load would hold up the
	// tests that share a server, and they the load.
	s := startStack(t, stack.Options{Tune: func(f topology.Function, o *dynamodb.Options) {
		if f == topology.Tally {
			meter.Attach(o)
		}
	}})
	c := traffic.Config{
		URL: s.URL, N: *people, Concurrency: 32, Touchpoints: 5, Seed: 1,
		Mix: traffic.Mix{Links: 20, Scanners: 5, Edits: 5, Comments: 5, Duplicates: 5},
	}
	report, err := traffic.Run(t.Context(), c, s.Store, nil)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.Write(&text); err != nil {
		t.Fatal(err)
	}
	t.Log(text.String())
	if len(report.Statuses) != 1 || report.Statuses[200] == 0 {
		t.Errorf("statuses %v, want all 200", report.Statuses)
	}
	if report.Answers != *people {
		t.Errorf("%d answers were accepted, of %d", report.Answers, *people)
	}

	zone, err := time.LoadLocation(config.DefaultZone)
	if err != nil {
		t.Fatal(err)
	}
	find := differences.Finder{
		Store: s.Store, Zone: zone, Settle: 12 * time.Second, Patience: 2 * time.Minute,
		Now: time.Now, Wait: differences.Wait, Progress: func(int) {},
	}
	found, err := find.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Differences)+len(found.Moving)+len(found.Unreadable) > 0 || found.Asks < *people {
		t.Errorf("recount: %+v", found)
	}

	missing := len(report.Accepted)
	err = s.Store.EachAsk(t.Context(), func(a *survey.Ask, err error) error {
		if err != nil {
			return err
		}
		want, ok := report.Accepted[a.ID]
		if !ok {
			return nil // an example of the stack
		}
		missing--
		if got := (traffic.Accepted{Score: a.Score, Trust: a.Trust, Comment: a.Comment}); got != want {
			t.Errorf("%s is %+v, accepted was %+v", a.ID, got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if missing != 0 {
		t.Errorf("%d accepted answers are not in the store", missing)
	}

	writes := 0
	for _, call := range meter.Calls() {
		if call.Operation == "UpdateItem" {
			writes++
		}
	}
	per := float64(writes) / float64(report.Answers)
	t.Logf("%d updates of sheets, %.4f an answer", writes, per)
	// However slow the machine: every sheet once in a batching window, with
	// one window before and two after the load.
	batching := float64(topology.Streams()[0].BatchingSeconds)
	windows := report.Seconds/batching + 3
	if most := float64(found.Sheets) * windows; writes == 0 || float64(writes) > most {
		t.Errorf("%d updates of %d sheets in %.1f windows", writes, found.Sheets, windows)
	}
	// A window is loaded where one update of each sheet is within the limit.
	loaded := float64(2*c.Touchpoints) / writesPerAnswer
	if inWindow := float64(report.Answers) / windows; inWindow >= loaded && per > writesPerAnswer {
		t.Errorf("%.4f updates of sheets an answer with %.0f answers in a window, at most %g", per, inWindow, writesPerAnswer)
	}
}

// TestCommand runs the command as a person does, beside a local stack that
// tells where it is.
func TestCommand(t *testing.T) {
	checkout := t.TempDir() // removed after the stack has taken its address back
	s := startStack(t, stack.Options{Endpoint: dynamodblocal.Shared(t), Prefix: "t" + survey.NewID() + "-"})
	if err := os.WriteFile(filepath.Join(checkout, "go.mod"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Announce(filepath.Join(checkout, ".local", "dev.json")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(checkout)
	t.Setenv(config.DynamoDBEndpoint, "")
	t.Setenv(config.TablePrefix, "")
	var out, progress bytes.Buffer
	if err := run(t.Context(), []string{"-n", "50", "-json", "-rate", "500"}, &out, &progress); err != nil {
		t.Fatal(err)
	}
	var report traffic.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if report.Answers != 50 || report.Requests[traffic.Vote] == 0 {
		t.Errorf("report %+v", report)
	}
	if !strings.Contains(progress.String(), "\r50 of 50 people") || strings.Count(progress.String(), "\n") != 2 {
		t.Errorf("progress: %q", progress.String())
	}
	if err := run(t.Context(), []string{"-n", "1", "-url", s.URL + "/"}, io.Discard, io.Discard); err != nil {
		t.Errorf("an address of its own: %v", err)
	}
	for _, args := range [][]string{{"-n", "0"}, {"-url", "localhost"}, {"-links", "60", "-scanners", "41"}, {"more"}, {"-touchpoints", "100"}, {"-rate", "-1"}, {"-concurrency", "0"}, {"-edits", "101"}} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
}
