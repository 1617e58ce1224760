package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/scripts/recount/differences"
	"github.com/pulssi/pulssi/shared/audit"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// broken returns tables with one answer that was counted twice on its day and
// never in its month.
func broken(t *testing.T) *testkit.Tables {
	tables := testkit.NewTables(t)
	a := testkit.NewAsk(now)
	a.Channel, a.Score, a.Trust, a.AnsweredAt = survey.Link, 9, survey.Human, now
	if err := tables.Store.CreateAsk(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	twice := score.Changes{}
	twice.Replace(nil, a, time.UTC)
	twice.Replace(nil, a, time.UTC)
	day := score.Key{Touchpoint: a.Touchpoint, Series: 1, Period: "day#2026-11-21"}
	if err := tables.Store.AddToSheet(context.Background(), day, twice[day], store.Span{Shard: "s", First: "1", Last: "1"}, now); err != nil {
		t.Fatal(err)
	}
	return tables
}

const found = `touchpoint  series  period          group         counter  stored  recounted
shop-nps    1       day 2026-11-21  all           9        2       1
shop-nps    1       day 2026-11-21  channel:link  9        2       1
shop-nps    1       month 2026-11   all           9        0       1
shop-nps    1       month 2026-11   channel:link  9        0       1
asks read: 1, sheets compared: 2, numbers that differ: 4
`

func TestRecount(t *testing.T) {
	tables := broken(t)
	clock := testkit.NewClock(now)
	f := &differences.Finder{
		Store: tables.Store, Zone: time.UTC, Settle: time.Second, Patience: time.Second, Now: clock.Now,
		Wait:     func(_ context.Context, d time.Duration) error { clock.Move(d); return nil },
		Progress: func(int) {},
	}
	for _, tc := range []struct {
		repair bool
		out    string
		err    error
	}{
		{false, found, errDiffer},
		{true, found + "sheets repaired: 2 of 2\nasks read: 1, sheets compared: 2, numbers that differ: 0\n", nil},
		{false, "asks read: 1, sheets compared: 2, numbers that differ: 0\n", nil},
	} {
		var out bytes.Buffer
		if err := recount(context.Background(), f, operatorOf(tables.Store, tc.repair), &out); !errors.Is(err, tc.err) {
			t.Errorf("error %v, want %v", err, tc.err)
		}
		if diff := cmp.Diff(tc.out, out.String()); diff != "" {
			t.Errorf("output (-want +got):\n%s", diff)
		}
	}
	log, _, err := tables.Store.AuditEntries(t.Context(), store.AuditQuery{From: now.AddDate(0, 0, -1), To: now.AddDate(0, 0, 1), Limit: 10})
	if err != nil || len(log) != 1 || log[0].Action != survey.RecountRepair {
		t.Fatalf("%v, the log has %+v", err, log)
	}
	const before = `{"shop-nps#1 day#2026-11-21 all/9":2,"shop-nps#1 day#2026-11-21 channel:link/9":2,"shop-nps#1 month#2026-11 all/9":0,"shop-nps#1 month#2026-11 channel:link/9":0}`
	if d := log[0]; string(d.Before) != before || string(d.After) != strings.NewReplacer(":2", ":1", ":0", ":1").Replace(before) {
		t.Errorf("the log has %s before, %s after", d.Before, d.After)
	}
}

// operatorOf is who repairs, nil for nobody.
func operatorOf(log audit.Log, repairs bool) *operator.Operator {
	if !repairs {
		return nil
	}
	return &operator.Operator{Name: "local:maija", Log: log, Now: func() time.Time { return now }}
}

func TestRun(t *testing.T) {
	tables := broken(t)
	t.Setenv(config.DynamoDBEndpoint, tables.Config.DynamoDBEndpoint)
	t.Setenv(config.TablePrefix, tables.Config.TablePrefix)
	t.Setenv(config.Zone, "UTC")
	var out, progress bytes.Buffer
	if err := run([]string{"--settle", "1ms", "--touchpoint", "shop-nps"}, &out, &progress); !errors.Is(err, errDiffer) {
		t.Errorf("error %v, want that the tallies differ", err)
	}
	if diff := cmp.Diff(found, out.String()); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
	if !strings.Contains(progress.String(), tables.Config.TablePrefix) {
		t.Errorf("progress %q does not say where", progress.String())
	}
	for name, args := range map[string][]string{
		"a touchpoint that is none": {"--touchpoint", "Shop"},
		"an argument":               {"shop"},
		"an unknown flag":           {"--fix"},
	} {
		if err := run(args, &out, &progress); err == nil || errors.Is(err, errDiffer) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// half is a store of which only a half can be seen: an ask cannot be read, and
// a sheet counts something between any two looks.
type half struct {
	unreadable, moving bool
	looks              int
}

func (h *half) EachAsk(_ context.Context, yield func(*survey.Ask, error) error) error {
	if !h.unreadable {
		return nil
	}
	return yield(nil, errors.New(`ask "x": why`))
}

func (h *half) EachSheet(_ context.Context, yield func(store.StoredSheet) error) error {
	if !h.moving {
		return nil
	}
	h.looks++
	return yield(store.StoredSheet{
		Key: score.Key{Touchpoint: "shop-nps", Series: 1, Period: "day#2026-11-21"}, Revision: int64(h.looks),
		Counts: score.Sheet{score.All: {Sent: int64(h.looks)}},
	})
}

func (h *half) RepairSheet(context.Context, store.StoredSheet, score.Sheet) (bool, error) {
	return true, nil
}

func (h *half) KeptSince(now time.Time) time.Time { return now.AddDate(-3, 0, 0) }

// What could not be compared is no proof that nothing differs.
func TestExitCode(t *testing.T) {
	const unproved = "recount: this does not prove that the tallies are right: "
	for name, tc := range map[string]struct {
		store  half
		code   int
		stderr string
	}{
		"everything seen":          {half{}, 0, ""},
		"an ask cannot be read":    {half{unreadable: true}, 2, unproved + "asks that could not be read: 1, sheets that were being counted all the while: 0\n"},
		"a sheet is being counted": {half{moving: true}, 2, unproved + "asks that could not be read: 0, sheets that were being counted all the while: 1\n"},
	} {
		for _, repair := range []bool{false, true} {
			clock := testkit.NewClock(now)
			f := &differences.Finder{
				Store: &tc.store, Zone: time.UTC, Settle: time.Second, Patience: time.Second, Now: clock.Now,
				Wait:     func(_ context.Context, d time.Duration) error { clock.Move(d); return nil },
				Progress: func(int) {},
			}
			var stderr bytes.Buffer
			if code := exit(recount(t.Context(), f, operatorOf(nil, repair), io.Discard), &stderr); code != tc.code || stderr.String() != tc.stderr {
				t.Errorf("%s, repair %t: exit code %d, %q, want %d, %q", name, repair, code, stderr.String(), tc.code, tc.stderr)
			}
		}
	}
	for err, want := range map[error]int{errDiffer: 1, flag.ErrHelp: 0, context.DeadlineExceeded: 2} {
		if code := exit(err, io.Discard); code != want {
			t.Errorf("%v: exit code %d, want %d", err, code, want)
		}
	}
}

func TestReportOfWhatIsNotJudged(t *testing.T) {
	var out bytes.Buffer
	printReport(&out, differences.Report{Asks: 3, Sheets: 2, Skipped: 1, Unreadable: []string{`ask "x": why`}, Moving: make([]score.Key, 2)})
	want := `unreadable: ask "x": why
asks read: 3, sheets compared: 2, numbers that differ: 0
sheets skipped, because asks that they counted may have expired: 1
sheets not judged, because they are being counted (look again when there is less to do): 2
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}
