package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

func TestDecisionsComeBack(t *testing.T) {
	s := testkit.NewTables(t).Store
	moment := rapid.Map(rapid.Int64Range(-1, 1e12), func(ms int64) time.Time {
		if ms < 1 {
			return time.Time{}
		}
		return time.UnixMilli(ms).UTC()
	})
	rapid.Check(t, func(rt *rapid.T) {
		want := survey.Decision{
			Contact:    survey.NewID(),
			Touchpoint: rapid.StringMatching(`[a-z0-9-]{1,8}`).Draw(rt, "touchpoint"),
			Occasion:   survey.Occasion(rapid.StringMatching(`[a-z.]{1,8}/[ -~]{0,20}`).Draw(rt, "occasion")),
			Verdict:    rapid.SampledFrom([]survey.Verdict{survey.Planned, survey.WasAsked, survey.Refused}).Draw(rt, "verdict"),
			At:         moment.Draw(rt, "at"), Due: moment.Draw(rt, "due"), Until: moment.Draw(rt, "until"),
			Channel: rapid.SampledFrom([]survey.Channel{"", survey.Email}).Draw(rt, "channel"),
			Ask:     rapid.SampledFrom([]string{"", "ask"}).Draw(rt, "ask"),
			Reason:  rapid.SampledFrom([]survey.Reason{"", survey.OtherAsked}).Draw(rt, "reason"),
			Other:   rapid.SampledFrom([]string{"", "shop-csat"}).Draw(rt, "other"),
		}
		if err := s.PutDecision(ctx, want); err != nil {
			rt.Fatal(err)
		}
		got, err := s.Decision(ctx, want.Contact, want.Touchpoint, want.Occasion)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Errorf("stored (-want +got):\n%s", diff)
		}
		_, err = s.Decision(ctx, want.Contact, want.Touchpoint, want.Occasion+"x")
		wantCode(t, err, survey.NotFound, "occasion")
	})
}

// What is decided again replaces the decision, except that somebody was asked.
func TestDecidedAgain(t *testing.T) {
	s := testkit.NewTables(t).Store
	verdicts := []survey.Verdict{survey.Planned, survey.Refused, survey.WasAsked}
	for _, was := range verdicts {
		for _, again := range verdicts {
			first := survey.Decision{Contact: survey.NewID(), Touchpoint: "shop-nps", Occasion: "2026Q4", Verdict: was, At: now}
			second := first
			second.Verdict, second.At = again, now.Add(time.Hour)
			for _, d := range []survey.Decision{first, second} {
				if err := s.PutDecisions(ctx, []survey.Decision{d}); err != nil {
					t.Fatal(err)
				}
			}
			want := second
			if was == survey.WasAsked && again != survey.WasAsked {
				want = first
			}
			if got, err := s.Decisions(ctx, first.Contact); err != nil || !slices.Equal(got, []survey.Decision{want}) {
				t.Errorf("%s, then %s: %+v, %v", was, again, got, err)
			}
		}
	}
}

func TestDecisionsExpire(t *testing.T) {
	tables := testkit.NewTables(t)
	const life = 366 * 24 * time.Hour
	for name, d := range map[string]struct{ at, due, want time.Time }{
		"decided":   {now, now.Add(-time.Hour), now.Add(life)},
		"due later": {now, now.Add(time.Hour), now.Add(time.Hour + life)},
	} {
		c := survey.NewID()
		if err := tables.Store.PutDecision(ctx, survey.Decision{Contact: c, Touchpoint: "t", Occasion: "o", Verdict: survey.Planned, At: d.at, Due: d.due}); err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(scan(t, tables, topology.Decisions), func(it map[string]attribute) bool {
			return reflect.DeepEqual(it["contact"], text(c)) && reflect.DeepEqual(it[topology.Decisions.TTL], number(fmt.Sprint(d.want.Unix())))
		})
		if i < 0 {
			t.Errorf("%s: no decision expires at %d", name, d.want.Unix())
		}
	}
}

// All decisions of a contact come back, the newest first, however many pages
// they are.
func TestDecisionsOfAContact(t *testing.T) {
	s := testkit.NewTables(t).Store
	c := survey.NewID()
	const n = 1200 // of 1 kB and more: over 1 MB, the most that one page has
	var ds []survey.Decision
	for i := range n {
		ds = append(ds, survey.Decision{
			Contact: c, Touchpoint: "shop-nps", Occasion: survey.Occasion(fmt.Sprintf("x/%d%s", i, strings.Repeat("-", 900))), Verdict: survey.Refused,
			At: now.Add(time.Duration((i*7)%n) * time.Minute),
		})
	}
	if err := s.PutDecisions(ctx, append(ds, survey.Decision{Contact: survey.NewID(), Touchpoint: "t", Occasion: "o", Verdict: survey.Planned, At: now})); err != nil {
		t.Fatal(err)
	}
	got, err := s.Decisions(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(ds, func(a, b survey.Decision) int { return b.At.Compare(a.At) })
	if diff := cmp.Diff(ds, got); diff != "" {
		t.Errorf("%d decisions, want %d in order", len(got), n)
	}
	if none, err := s.Decisions(ctx, survey.NewID()); err != nil || len(none) != 0 {
		t.Errorf("%v, %v of nobody", none, err)
	}
}

func TestPutDecisionsTellsAnError(t *testing.T) {
	s := testkit.NewTables(t).Store
	ds := make([]survey.Decision, 100)
	for i := range ds {
		ds[i] = survey.Decision{Contact: survey.NewID(), Touchpoint: "t", Occasion: survey.Occasion(fmt.Sprint(i)), Verdict: survey.Planned, At: now}
	}
	ds[50].Contact, ds[50].Touchpoint = "", "unwritten" // no key
	err := s.PutDecisions(ctx, ds)
	if err == nil || !strings.Contains(err.Error(), "unwritten") {
		t.Errorf("error %v, want one that names the touchpoint of the decision", err)
	}
}
