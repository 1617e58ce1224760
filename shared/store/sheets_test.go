package store_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// How AddToSheet repeats, overlaps, refuses and prunes is told by the contract
// of package tally's tests, which holds the store and a double of it to the
// same table.

var shop = store.SeriesKey{Touchpoint: "shop-nps", Series: 1}

func sheet(p score.Period) score.Key { return score.Key{Touchpoint: "shop-nps", Series: 1, Period: p} }

func nines(n int64) score.Sheet {
	var t score.Tally
	t.Scores[9] = n
	return score.Sheet{score.All: t}
}

// wide returns a change of n counters, in groups with the longest names.
func wide(n int) score.Sheet {
	s := score.Sheet{}
	for i := 0; n > 0; i++ {
		var t score.Tally
		for _, c := range t.Counters() {
			if n > 0 {
				*c.Value = 1
				n--
			}
		}
		s[score.BySegment(fmt.Sprintf("%s=%02d%s", strings.Repeat("ä", 40), i, strings.Repeat("ö", 38)))] = t
	}
	return s
}

func add(t testing.TB, s *store.Store, k score.Key, change score.Sheet, shard, sequence string, at time.Time) {
	t.Helper()
	if err := s.AddToSheet(ctx, k, change, store.Span{Shard: shard, First: sequence, Last: sequence}, at); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, s *store.Store, k store.SeriesKey, from, to score.Period) []store.StoredSheet {
	t.Helper()
	sheets, err := s.Sheets(ctx, []store.SeriesKey{k}, from, to)
	if err != nil {
		t.Fatal(err)
	}
	return ordered(sheets)
}

func ordered(sheets []store.StoredSheet) []store.StoredSheet {
	slices.SortFunc(sheets, func(a, b store.StoredSheet) int {
		return cmp.Or(strings.Compare(a.Key.Touchpoint, b.Key.Touchpoint), a.Key.Series-b.Key.Series, strings.Compare(string(a.Key.Period), string(b.Key.Period)))
	})
	return sheets
}

func TestSheetsOfARange(t *testing.T) {
	s := testkit.NewTables(t).Store
	for i, p := range []score.Period{"day#2026-11-01", "day#2026-10-31", "month#2026-11", "day#2026-11-30", "day#2026-12-01", "month#2026-10"} {
		add(t, s, sheet(p), nines(int64(i+1)), "shard", "1", now)
	}
	add(t, s, score.Key{Touchpoint: "shop-nps", Series: 2, Period: "day#2026-11-15"}, nines(1), "shard", "1", now)
	add(t, s, score.Key{Touchpoint: "shop-nps-2", Series: 1, Period: "day#2026-11-15"}, nines(1), "shard", "1", now)
	for name, tc := range map[string]struct {
		from, to score.Period
		want     []store.StoredSheet
	}{
		"days": {"day#2026-11-01", "day#2026-11-30", []store.StoredSheet{
			{Key: sheet("day#2026-11-01"), Counts: nines(1), Revision: 1}, {Key: sheet("day#2026-11-30"), Counts: nines(4), Revision: 1},
		}},
		"months": {"month#2026-10", "month#2026-11", []store.StoredSheet{
			{Key: sheet("month#2026-10"), Counts: nines(6), Revision: 1}, {Key: sheet("month#2026-11"), Counts: nines(3), Revision: 1},
		}},
		"none": {"day#2026-11-02", "day#2026-11-29", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := gocmp.Diff(tc.want, read(t, s, shop, tc.from, tc.to)); diff != "" {
				t.Errorf("sheets (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSheetsOfSeries reads more series than one statement can name, whose
// sheets are over 1 MB together, the most that one page has.
func TestSheetsOfSeries(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	var of []store.SeriesKey
	var want, at []score.Key
	for i := range 55 {
		k := store.SeriesKey{Touchpoint: "shop-nps", Series: i + 1}
		of = append(of, k)
		for _, p := range []score.Period{"month#2026-09", "month#2026-11"} {
			key := score.Key{Touchpoint: k.Touchpoint, Series: k.Series, Period: p}
			change := nines(int64(i + 1))
			if i < 25 && p == "month#2026-11" {
				change = wide(store.MaxSheetChanges)
			}
			add(t, s, key, change, "shard", "1", now)
			at = append(at, key)
			if p == "month#2026-11" {
				want = append(want, key)
			}
		}
	}
	for i := range 30 { // in none of which there is anything
		at = append(at, score.Key{Touchpoint: "shop-nps", Series: i + 1, Period: "day#2026-11-01"})
	}
	keys := func(sheets []store.StoredSheet) (out []score.Key) {
		for _, sheet := range ordered(sheets) {
			out = append(out, sheet.Key)
		}
		return out
	}
	tables.Meter.Reset()
	got, err := s.Sheets(ctx, of, "month#2026-10", "month#2026-11")
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, keys(got)); diff != "" {
		t.Errorf("sheets (-want +got):\n%s", diff)
	}
	if n := len(tables.Meter.Calls()); n < 3 {
		t.Errorf("%d calls: the sheets of the first 50 series are more than one page, those of the rest another", n)
	}
	tables.Meter.Reset()
	if got, err = s.SheetsAt(ctx, at); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(at[:110], keys(got)); diff != "" {
		t.Errorf("sheets (-want +got):\n%s", diff)
	}
	if n := len(tables.Meter.Calls()); n != 2 {
		t.Errorf("%d calls for %d keys", n, len(at))
	}
	if none, err := s.Sheets(ctx, nil, "month#2026-10", "month#2026-11"); err != nil || none != nil {
		t.Errorf("of no series: %v %v", none, err)
	}
}

func TestEachSheetReadsEveryPage(t *testing.T) {
	s := testkit.NewTables(t).Store
	var want, got []string
	for i := range 30 { // over 1 MB together, the most that one page has
		k := score.Key{Touchpoint: "shop-nps", Series: i + 1, Period: "day#2026-11-21"}
		add(t, s, k, wide(store.MaxSheetChanges), "shard", "1", now)
		want = append(want, fmt.Sprint(k))
	}
	if err := s.EachSheet(ctx, func(sheet store.StoredSheet) error {
		got = append(got, fmt.Sprint(sheet.Key))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("sheets (-want +got):\n%s", diff)
	}
}

// rawSheet returns the names of the attributes of a sheet.
func rawSheet(t testing.TB, tables *testkit.Tables, k score.Key) (names []string) {
	t.Helper()
	out, err := tables.DB.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(tables.Config.TablePrefix + topology.Tallies.Name),
		Key:       map[string]attribute{"series": text(shop.String()), "period": text(string(k.Period))},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range out.Item {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestOldWatermarksAreRemoved(t *testing.T) {
	tables := testkit.NewTables(t)
	k := sheet("day#2026-11-21")
	for i := range 35 {
		add(t, tables.Store, k, nines(1), fmt.Sprintf("old-%02d", i), "1", now)
	}
	add(t, tables.Store, k, nines(1), "young", "1", now.Add(time.Hour))
	later := now.Add(48*time.Hour + time.Second)
	add(t, tables.Store, k, nines(1), "new", "1", later)
	add(t, tables.Store, k, nines(1), "new", "2", later) // some at a time
	want := []string{"all/9", "period", "revision", "series", "watermark/new", "watermark/young"}
	if diff := gocmp.Diff(want, rawSheet(t, tables, k)); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if got := read(t, tables.Store, shop, k.Period, k.Period); got[0].Revision != 38 || got[0].Counts[score.All].N() != 38 {
		t.Errorf("%+v: want revision 38 and 38 answers", got[0])
	}
	tables.Meter.Reset()
	add(t, tables.Store, k, nines(1), "new", "3", later)
	if calls := tables.Meter.Calls(); len(calls) != 1 {
		t.Errorf("%+v: want one update where nothing is to be removed", calls)
	}
}

func TestRepairSheet(t *testing.T) {
	s := testkit.NewTables(t).Store
	k := sheet("day#2026-11-21")
	add(t, s, k, nines(2), "shard", "1", now)
	was := read(t, s, shop, k.Period, k.Period)[0]

	repair := func(was store.StoredSheet, difference score.Sheet, want bool) {
		t.Helper()
		done, err := s.RepairSheet(ctx, was, difference)
		if err != nil || done != want {
			t.Fatalf("repaired: %v, %v, want %v", done, err, want)
		}
	}
	add(t, s, k, nines(1), "shard", "2", now) // it moves
	repair(was, nines(-2), false)
	if got := read(t, s, shop, k.Period, k.Period)[0]; got.Counts[score.All].N() != 3 {
		t.Errorf("%+v: a sheet that had moved was repaired", got)
	}
	repair(read(t, s, shop, k.Period, k.Period)[0], nines(-3), true)
	if got := read(t, s, shop, k.Period, k.Period)[0]; len(got.Counts) != 0 {
		t.Errorf("%+v: want nothing counted", got)
	}

	missing := store.StoredSheet{Key: sheet("day#2026-11-20")}
	repair(missing, wide(store.MaxSheetChanges+1), true) // in two updates
	got := read(t, s, shop, missing.Key.Period, missing.Key.Period)
	want := []store.StoredSheet{{Key: missing.Key, Counts: wide(store.MaxSheetChanges + 1), Revision: 2}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("the missing sheet (-want +got):\n%s", diff)
	}
	repair(missing, nines(1), false) // it is there now
	// What a shard has counted is still known after a repair.
	if err := s.AddToSheet(ctx, k, nines(1), store.Span{Shard: "shard", First: "2", Last: "2"}, now); err == nil {
		t.Error("a record was counted again after a repair")
	}
}
