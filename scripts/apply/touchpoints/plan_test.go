package touchpoints

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/revision"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// today is a day of 2026Q4.
var today = time.Date(2026, time.November, 20, 10, 0, 0, 0, time.UTC)

var update = flag.Bool("update", false, "write the golden files")

// stored returns the example's touchpoints as a store would have them.
func stored(t *testing.T) []*survey.Touchpoint {
	t.Helper()
	_, all := readExample(t)
	for _, tp := range all {
		tp.Version, tp.Series = 3, 2
	}
	return all
}

func get(t *testing.T, all []*survey.Touchpoint, id string) *survey.Touchpoint {
	t.Helper()
	for _, tp := range all {
		if tp.ID == id {
			return tp
		}
	}
	t.Fatalf("no touchpoint %s", id)
	return nil
}

func TestPlanGolden(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, was []*survey.Touchpoint) []*survey.Touchpoint // of the store
		keep   []string
		edit   func(t *testing.T, f *File)
	}{
		{name: "unchanged"},
		{name: "create", change: func(*testing.T, []*survey.Touchpoint) []*survey.Touchpoint { return nil }},
		{name: "change", change: func(t *testing.T, was []*survey.Touchpoint) []*survey.Touchpoint {
			nps := get(t, was, "shop-nps")
			goal := 40.0
			nps.Goal, nps.Widget.Sample, nps.Channels = &goal, nil, nps.Channels[:2]
			nps.Followup["promoter"]["en"] = "Great <3"
			delete(nps.Question, "sv") // a new language is no new series
			nps.Thanks = survey.Text{"en": "Thanks"}
			nps.Trigger = nil
			return was
		}},
		{name: "new-series", change: func(t *testing.T, was []*survey.Touchpoint) []*survey.Touchpoint {
			get(t, was, "support-csat").Metric = survey.Smiley
			nps := get(t, was, "shop-nps")
			nps.Question["fi"], nps.Question["sv"] = "Suosittelisitko?", "Rekommenderar du?"
			return was
		}},
		{name: "language-dropped", change: func(t *testing.T, was []*survey.Touchpoint) []*survey.Touchpoint {
			get(t, was, "shop-nps").Question["de"] = "Würden Sie uns empfehlen?"
			csat := get(t, was, "support-csat")
			csat.Question["de"], csat.Question["fi"] = "Wie war es?", "Kuinka kävi?"
			return was
		}},
		{name: "keep-series", keep: []string{"shop-nps"}, change: func(t *testing.T, was []*survey.Touchpoint) []*survey.Touchpoint {
			get(t, was, "shop-nps").Question["fi"] = "Kuinka todennäköisesti suosittelsit meitä ystävälle tai kollegalle?"
			return was
		}},
		{name: "turns-move", change: func(t *testing.T, was []*survey.Touchpoint) []*survey.Touchpoint {
			g := get(t, was, "relation-nps").Trigger
			g.Spread, g.On, g.Hour, g.Weekdays = new(false), "2-15", 10, []string{"mon", "sat"}
			return was
		}},
		{name: "another-cadence", change: func(t *testing.T, was []*survey.Touchpoint) []*survey.Touchpoint {
			get(t, was, "relation-nps").Trigger.Every = survey.Monthly
			get(t, was, "cancel-csat").Trigger = &survey.Trigger{Every: survey.Yearly, Spread: new(false)}
			get(t, was, "support-csat").Trigger = &survey.Trigger{Event: "call.ended"}
			return was
		}},
		{name: "cadence-unmoved", change: func(t *testing.T, was []*survey.Touchpoint) []*survey.Touchpoint {
			g := get(t, was, "relation-nps").Trigger
			g.Spread, g.Hour, g.Sample, g.Reminder = nil, 0, new(50), 0 // every day and the hour as they are
			return was
		}},
		{name: "stopped", change: func(t *testing.T, was []*survey.Touchpoint) []*survey.Touchpoint {
			get(t, was, "shop-nps").Stopped = true
			return was
		}, edit: func(t *testing.T, f *File) { get(t, f.Touchpoints, "relation-nps").Stopped = true }},
		{name: "warnings", edit: func(t *testing.T, f *File) {
			r := get(t, f.Touchpoints, "relation-nps")
			r.Trigger.Hour, r.Recontact = 22, survey.Span(90*24*time.Hour)
			get(t, f.Touchpoints, "shop-nps").Trigger.Hour = 7
		}},
		{name: "asking", edit: func(_ *testing.T, f *File) {
			f.Asking = &survey.Rules{Rest: new(survey.Span(14 * 24 * time.Hour)), Quiet: &survey.Quiet{From: 21, To: 7}, Closed: []string{"07-06"}}
		}},
		{name: "asking-moves-turns", edit: func(t *testing.T, f *File) {
			f.Asking = &survey.Rules{Holidays: survey.NoHolidays, Closed: []string{"2026-12-28"}}
			get(t, f.Touchpoints, "relation-nps").Goal = nil
			f.Touchpoints = f.Touchpoints[1:]
		}},
		{name: "asking-unchanged", edit: func(_ *testing.T, f *File) {
			f.Asking = &survey.Rules{Rest: new(survey.Span(30 * 24 * time.Hour)), Zone: "Europe/Helsinki"}
		}},
		{name: "left-alone", change: func(_ *testing.T, was []*survey.Touchpoint) []*survey.Touchpoint {
			extra := *was[0]
			extra.ID = "another"
			return append(was, &extra)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			was := stored(t)
			if tt.change != nil {
				was = tt.change(t, was)
			}
			_, declared := readExample(t)
			f := File{Touchpoints: declared}
			if tt.edit != nil {
				tt.edit(t, &f)
			}
			plan, err := NewPlan(f, Stored{was, survey.DefaultRules()}, tt.keep, today)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			if err := plan.Write(&b); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", tt.name+".txt")
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("%s: -want +got:\n%s", path, diff)
			}
		})
	}
}

func TestKeepSeriesIsRefused(t *testing.T) {
	_, declared := readExample(t)
	was := stored(t)
	get(t, was, "support-csat").Metric = survey.Smiley
	_, err := NewPlan(File{Touchpoints: declared}, Stored{was[1:], survey.DefaultRules()}, []string{"support-csat", "delivery-ces5", "shop-nps", "nothing"}, today)
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		"keep-series shop-nps: the touchpoint is new",
		"keep-series support-csat: the metric changes from smiley to csat, whose answers cannot be counted together",
		"keep-series delivery-ces5: neither metric nor question changes, the series goes on anyway",
		"keep-series nothing: the file has no such touchpoint",
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestApply follows a touchpoint through its life in real tables.
func TestApply(t *testing.T) {
	tables := testkit.NewTables(t)
	ctx := t.Context()
	var stated *survey.Rules
	plan := func(declared []*survey.Touchpoint, keep ...string) Plan {
		t.Helper()
		was, err := tables.Store.Touchpoints(ctx)
		if err != nil {
			t.Fatal(err)
		}
		rules, err := tables.Store.Rules(ctx)
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewPlan(File{declared, stated}, Stored{was, rules}, keep, today)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	apply := func(declared []*survey.Touchpoint, keep ...string) {
		t.Helper()
		if err := plan(declared, keep...).Apply(ctx, tables.Store); err != nil {
			t.Fatal(err)
		}
		if n := plan(declared).Writes(); n != 0 {
			t.Fatalf("applied, and %d to write again", n)
		}
	}
	inForce := func() *survey.Touchpoint {
		t.Helper()
		all, err := tables.Store.Touchpoints(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return get(t, all, "shop-nps")
	}
	_, declared := readExample(t)
	apply(declared)
	if tp := inForce(); tp.Version != 1 || tp.Series != 1 {
		t.Errorf("created as version %d, series %d", tp.Version, tp.Series)
	}
	goal := 60.0
	get(t, declared, "shop-nps").Goal = &goal
	apply(declared)
	if tp := inForce(); tp.Version != 2 || tp.Series != 1 || *tp.Goal != 60 {
		t.Errorf("changed to version %d, series %d", tp.Version, tp.Series)
	}
	get(t, declared, "shop-nps").Question["fi"] = "Suosittelisitko meitä?"
	apply(declared)
	if tp := inForce(); tp.Version != 3 || tp.Series != 2 {
		t.Errorf("reworded to version %d, series %d", tp.Version, tp.Series)
	}
	ended, err := tables.Store.EndedSeries(ctx, store.SeriesKey{Touchpoint: "shop-nps", Series: 1})
	if err != nil || ended.Version != 2 {
		t.Errorf("the ended series: %+v, %v", ended, err)
	}
	get(t, declared, "shop-nps").Question["fi"] = "Suosittelisitko meitä ystävälle?"
	apply(declared, "shop-nps")
	if tp := inForce(); tp.Version != 4 || tp.Series != 2 {
		t.Errorf("mended to version %d, series %d", tp.Version, tp.Series)
	}

	stated = &survey.Rules{Rest: new(survey.Span(14 * 24 * time.Hour)), Closed: []string{"12-27"}}
	apply(declared)
	if r, err := tables.Store.Rules(ctx); err != nil || r.Version != 1 || r.Rest.String() != "14d" || r.Recontact.String() != "90d" {
		t.Errorf("rules %+v, %v", r, err)
	}
	stated = nil
	apply(declared)
	if r, err := tables.Store.Rules(ctx); err != nil || r.Version != 1 || r.Rest.String() != "14d" {
		t.Errorf("a file that says nothing of them: rules %+v, %v", r, err)
	}
	stated = &survey.Rules{}
	third, fourth := plan(declared), plan(declared)
	if err := third.Apply(ctx, tables.Store); err != nil {
		t.Fatal(err)
	}
	if r, err := tables.Store.Rules(ctx); err != nil || r.Version != 2 || r.Rest.String() != "30d" || r.Closed != nil {
		t.Errorf("a file that states none: rules %+v, %v", r, err)
	}
	if err := fourth.Apply(ctx, tables.Store); survey.CodeOf(err) != survey.Conflict {
		t.Errorf("rules of a second plan: %v", err)
	}
	stated = nil

	// Two people plan at the same time: the second is told, and overwrites nothing.
	get(t, declared, "shop-nps").Question["en"] = "Would you recommend us?"
	first, second := plan(declared), plan(declared)
	if err := first.Apply(ctx, tables.Store); err != nil {
		t.Fatal(err)
	}
	if err := second.Apply(ctx, tables.Store); survey.CodeOf(err) != survey.Conflict {
		t.Errorf("the second plan: %v", err)
	}
	if tp := inForce(); tp.Version != 5 || tp.Series != 3 {
		t.Errorf("two plans made version %d, series %d", tp.Version, tp.Series)
	}
}

// TestDiffNamesEveryField holds the diff to the definition's JSON: whatever
// differs there has a line.
func TestDiffNamesEveryField(t *testing.T) {
	_, all := readExample(t)
	for _, a := range all {
		for _, b := range all {
			x, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			y, err := json.Marshal(b)
			if err != nil {
				t.Fatal(err)
			}
			if (string(x) == string(y)) != (len(revision.Diff(a, b)) == 0) {
				t.Errorf("%s and %s: %v", a.ID, b.ID, revision.Diff(a, b))
			}
		}
	}
}
