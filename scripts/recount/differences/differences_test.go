package differences_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/scripts/recount/differences"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

var (
	ctx = context.Background()
	now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
)

// world is tables, a clock that waiting moves, and what happens meanwhile.
type world struct {
	*testkit.Tables
	t         *testing.T
	clock     *testkit.Clock
	sequence  int
	waits     int
	meanwhile func()
}

func newWorld(t *testing.T) *world {
	return &world{Tables: testkit.NewTables(t), t: t, clock: testkit.NewClock(now), meanwhile: func() {}}
}

func (w *world) finder() *differences.Finder {
	return &differences.Finder{
		Store: w.Store, Zone: time.UTC, Settle: 15 * time.Second, Patience: time.Minute, Now: w.clock.Now,
		Wait: func(_ context.Context, d time.Duration) error {
			w.waits++
			w.clock.Move(d)
			w.meanwhile()
			return nil
		},
		Progress: func(int) {},
	}
}

// ask writes an ask that a human answered some days ago, not counted yet.
func (w *world) ask(touchpoint string, points, daysAgo int) *survey.Ask {
	w.t.Helper()
	a := testkit.NewAsk(now.AddDate(0, 0, -daysAgo))
	a.Touchpoint, a.Score, a.Trust, a.AnsweredAt = touchpoint, points, survey.Human, a.AskedAt
	if err := w.Store.CreateAsk(ctx, a); err != nil {
		w.t.Fatal(err)
	}
	return a
}

// count counts asks, as the function tally does.
func (w *world) count(asks ...*survey.Ask) {
	w.t.Helper()
	changes := score.Changes{}
	for _, a := range asks {
		changes.Replace(nil, a, time.UTC)
	}
	for k, s := range changes {
		w.add(k, s)
	}
}

func (w *world) add(k score.Key, s score.Sheet) {
	w.t.Helper()
	w.sequence++
	sequence := fmt.Sprint(w.sequence)
	if err := w.Store.AddToSheet(ctx, k, s, store.Span{Shard: "shard", First: sequence, Last: sequence}, now); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) find(f *differences.Finder) differences.Report {
	w.t.Helper()
	report, err := f.Find(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return report
}

// lines returns the differences in words.
func lines(r differences.Report) (out []string) {
	for _, d := range r.Differences {
		for _, c := range d.Counters() {
			out = append(out, fmt.Sprintf("%s#%d %s %q %s %d %d", d.Stored.Key.Touchpoint, d.Stored.Key.Series, d.Stored.Key.Period, c.Group, c.Name, c.Stored, c.Recounted))
		}
	}
	return out
}

func sheet(touchpoint string, p score.Period) score.Key {
	return score.Key{Touchpoint: touchpoint, Series: 1, Period: p}
}

func nines(g score.Group, n int64) score.Sheet {
	var t score.Tally
	t.Scores[9] = n
	return score.Sheet{g: t}
}

func TestHealthy(t *testing.T) {
	w := newWorld(t)
	w.count(w.ask("shop", 9, 0), w.ask("shop", 3, 1), w.ask("app", 9, 40))
	want := differences.Report{Asks: 3, Sheets: 5}
	if diff := cmp.Diff(want, w.find(w.finder())); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if w.waits > 0 {
		t.Errorf("%d waits, although nothing differs", w.waits)
	}
}

func TestFoundAndRepaired(t *testing.T) {
	w := newWorld(t)
	w.count(w.ask("shop", 9, 0))
	w.ask("app", 2, 0)                                                          // its sheets are missing
	w.add(sheet("shop", "day#2026-11-21"), nines(score.All, 2))                 // counted too much
	w.add(sheet("shop", "month#2026-11"), nines("segment:plan=gold", -1))       // and too little
	w.add(sheet("gone", "day#2026-11-01"), nines(score.ByChannel("email"), 12)) // nobody answered
	f := w.finder()
	report := w.find(f)
	want := []string{
		`app#1 day#2026-11-21 "" 2 0 1`, `app#1 day#2026-11-21 "channel:email" 2 0 1`,
		`app#1 month#2026-11 "" 2 0 1`, `app#1 month#2026-11 "channel:email" 2 0 1`,
		`gone#1 day#2026-11-01 "channel:email" 9 12 0`,
		`shop#1 day#2026-11-21 "" 9 3 1`,
		`shop#1 month#2026-11 "segment:plan=gold" 9 -1 0`,
	}
	if diff := cmp.Diff(want, lines(report)); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	if waited := w.clock.Now().Sub(now); waited != f.Settle {
		t.Errorf("judged after %s, want %s", waited, f.Settle)
	}
	repaired, err := f.Repair(ctx, report.Differences)
	if err != nil || repaired != 5 {
		t.Fatalf("%d sheets repaired, %v, want 5", repaired, err)
	}
	if got := lines(w.find(f)); len(got) > 0 {
		t.Errorf("after the repair: %v", got)
	}
}

func TestOneTouchpoint(t *testing.T) {
	w := newWorld(t)
	w.ask("shop", 9, 0)
	w.ask("app", 9, 0)
	f := w.finder()
	f.Touchpoint = "app"
	report := w.find(f)
	if len(report.Differences) != 2 || report.Sheets != 2 || report.Differences[0].Stored.Key.Touchpoint != "app" {
		t.Errorf("%+v: want the two sheets of app", report)
	}
}

// An answer that is on its way is no difference.
func TestLaggingStream(t *testing.T) {
	w := newWorld(t)
	late := w.ask("shop", 9, 0)
	w.meanwhile = func() {
		if w.waits == 3 {
			w.count(late)
		}
	}
	report := w.find(w.finder())
	if len(report.Differences)+len(report.Moving) > 0 || w.waits != 3 {
		t.Errorf("%+v after %d waits: want nothing after 3", report, w.waits)
	}
}

// A sheet that is counted all the time is not judged; others are.
func TestMovingSheet(t *testing.T) {
	w := newWorld(t)
	w.ask("app", 9, 0) // never counted
	w.count(w.ask("shop", 9, 0))
	w.ask("shop", 9, 0)
	w.meanwhile = func() { w.count(w.ask("shop", 9, 0)) } // always one behind: the sheet moves, the difference does not
	f := w.finder()
	report := w.find(f)
	want := []score.Key{sheet("shop", "day#2026-11-21"), sheet("shop", "month#2026-11")}
	if diff := cmp.Diff(want, report.Moving); diff != "" {
		t.Errorf("moving (-want +got):\n%s", diff)
	}
	if got := lines(report); len(got) != 4 || !strings.HasPrefix(got[0], "app") {
		t.Errorf("differences %v, want those of app", got)
	}
	if waited := w.clock.Now().Sub(now); waited != f.Patience {
		t.Errorf("gave up after %s, want %s", waited, f.Patience)
	}
}

// The same sheet with another difference has not stood still either.
func TestMovingAsks(t *testing.T) {
	w := newWorld(t)
	w.ask("shop", 9, 0)
	w.meanwhile = func() { w.ask("shop", 9, 0) }
	if report := w.find(w.finder()); len(report.Differences) > 0 || len(report.Moving) != 2 {
		t.Errorf("%+v: want two moving sheets", report)
	}
}

func TestRepairLeavesWhatMoved(t *testing.T) {
	w := newWorld(t)
	w.ask("shop", 9, 0)
	f := w.finder()
	report := w.find(f)
	w.add(sheet("shop", "day#2026-11-21"), nines(score.All, 1)) // counted after all
	repaired, err := f.Repair(ctx, report.Differences)
	if err != nil || repaired != 1 {
		t.Fatalf("%d sheets repaired, %v: want the month's alone", repaired, err)
	}
	want := []string{`shop#1 day#2026-11-21 "channel:email" 9 0 1`}
	if diff := cmp.Diff(want, lines(w.find(f))); diff != "" {
		t.Errorf("differences after the repair (-want +got):\n%s", diff)
	}
}

// A day is compared only if no ask that it may have counted can have expired.
func TestExpiredAsksAreSkipped(t *testing.T) {
	w := newWorld(t)
	first := w.Store.KeptSince(now).Add(survey.AnswerWindow + 24*time.Hour)
	w.add(sheet("shop", score.Day(first)), nines(score.All, 1)) // began before
	w.add(sheet("shop", score.Day(first.Add(24*time.Hour))), nines(score.All, 1))
	report := w.find(w.finder())
	if report.Skipped != 1 || report.Sheets != 1 || len(report.Differences) != 1 {
		t.Errorf("%+v: want one sheet skipped and one that differs", report)
	}
}

func TestUnreadableAsk(t *testing.T) {
	w := newWorld(t)
	w.count(w.ask("shop", 9, 0))
	if _, err := w.DB.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(w.Config.TablePrefix + topology.Responses.Name),
		Item:      map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "corrupt"}},
	}); err != nil {
		t.Fatal(err)
	}
	report := w.find(w.finder())
	if len(report.Unreadable) != 1 || !strings.Contains(report.Unreadable[0], "corrupt") || len(report.Differences) > 0 || report.Asks != 2 {
		t.Errorf("%+v: want one unreadable ask and no difference", report)
	}
}

func TestWait(t *testing.T) {
	if err := differences.Wait(ctx, time.Nanosecond); err != nil {
		t.Error(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := differences.Wait(cancelled, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that it was cancelled", err)
	}
}
