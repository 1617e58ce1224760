package store_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// addMany makes n contacts in a zone.
func addMany(t testing.TB, tables *testkit.Tables, n int, zone string) (ids []string) {
	t.Helper()
	var rows []survey.Details
	for i := range n {
		rows = append(rows, survey.Details{Ref: fmt.Sprint(zone, i), Zone: zone})
	}
	for part := range slices.Chunk(rows, 100) {
		for _, o := range upsert(t, tables.Store, now, part...) {
			ids = append(ids, o.Contact)
		}
	}
	return ids
}

func TestContactsByID(t *testing.T) {
	tables := testkit.NewTables(t)
	ids := addMany(t, tables, 101, "Asia/Tokyo") // more than one call
	got, err := tables.Store.ContactsByID(ctx, slices.Concat(ids, ids[:3], []string{survey.NewID()}))
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Sorted(slices.Values(ids)); !slices.Equal(slices.Sorted(maps.Keys(got)), want) {
		t.Errorf("%d contacts, want the %d that there are", len(got), len(want))
	}
	if none, err := tables.Store.ContactsByID(ctx, nil); err != nil || len(none) != 0 {
		t.Errorf("%v, %v of none", none, err)
	}
}

func TestListContacts(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	want := slices.Sorted(slices.Values(addMany(t, tables, 25, "Asia/Tokyo")))
	var got []string
	cursor, pages := "", 0
	for {
		page, next, err := s.ListContacts(ctx, cursor, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > 10 {
			t.Errorf("%d contacts on a page of 10", len(page))
		}
		for _, c := range page {
			got = append(got, c.ID)
		}
		if pages++; next == "" {
			break
		}
		cursor = next
	}
	if slices.Sort(got); !slices.Equal(got, want) || pages != 3 {
		t.Errorf("%d contacts on %d pages, want %d on 3", len(got), pages, len(want))
	}
	for _, bad := range []int{0, 1001} {
		_, _, err := s.ListContacts(ctx, "", bad)
		wantCode(t, err, survey.Invalid, "limit")
	}
	if all, _, err := s.ListContacts(ctx, "", 1000); err != nil || len(all) != len(want) {
		t.Errorf("%d contacts, %v", len(all), err)
	}
	_, _, err := s.ListContacts(ctx, "not a cursor", 10)
	wantCode(t, err, survey.Invalid, "cursor")
}

// Of a cohort everybody in a zone is found and nobody else, page by page, with
// nothing but the index read.
func TestEachOfCohort(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	byZone := map[string][]string{}
	for _, zone := range []string{"America/Indiana/Knox", "Asia/Tokyo", "Europe/Helsinki"} {
		byZone[zone] = addMany(t, tables, 60, zone)
	}
	for zone, ids := range byZone {
		got := map[string]int{}
		for cohort := range asking.Cohorts {
			if err := s.EachOfCohort(ctx, cohort, zone, func(page []string) error {
				for _, id := range page {
					got[id] = cohort
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(slices.Values(ids))) {
			t.Errorf("%d contacts in %s, want %d", len(got), zone, len(ids))
		}
		known, err := s.ContactsByID(ctx, ids)
		if err != nil {
			t.Fatal(err)
		}
		for id, cohort := range got {
			if want := asking.Cohort(known[id].Number); cohort != want {
				t.Errorf("contact %s is in cohort %d, want %d", id, cohort, want)
			}
		}
	}
	for _, zone := range []string{"Asia/Toky", "America/Indiana", ""} { // a name that begins like one
		if err := s.EachOfCohort(ctx, 0, zone, func(page []string) error { return fmt.Errorf("%v", page) }); err != nil {
			t.Errorf("in %q there is %v", zone, err)
		}
	}
	stop := errors.New("stop")
	for cohort := range asking.Cohorts {
		calls := 0
		if err := s.EachOfCohort(ctx, cohort, "Asia/Tokyo", func([]string) error { calls++; return stop }); calls > 0 && !errors.Is(err, stop) || calls > 1 {
			t.Errorf("error %v after %d calls", err, calls)
		}
	}
}

func TestEachOfCohortReadsEveryPage(t *testing.T) {
	tables := testkit.NewTables(t)
	zone := "Asia/Tokyo"
	var want []string
	for i := range 45 {
		id := survey.NewID()
		_, err := tables.DB.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: aws.String(tables.Config.TablePrefix + topology.Contacts.Name),
			Item:      map[string]attribute{"id": text(id), "cohort": number("7"), "zoneId": text(zone + "#" + id)},
		})
		if err != nil {
			t.Fatal(i, err)
		}
		want = append(want, id)
	}
	var got []string
	pages := 0
	if err := small(tables, 10).EachOfCohort(ctx, 7, zone, func(ids []string) error {
		pages++
		got = append(got, ids...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) || pages != 5 {
		t.Errorf("%d contacts on %d pages, want %d on 5", len(got), pages, len(want))
	}
}

// A contact that is not to be read is an error that names it by its fingerprint,
// and no contact.
func TestUnreadableContacts(t *testing.T) {
	tables := testkit.NewTables(t)
	good := map[string]attribute{"number": number("1"), "version": number("1"), "zone": text("Asia/Tokyo")}
	for name, v := range map[string]struct {
		field string
		value attribute
	}{
		"number":   {"number", number("0")},
		"version":  {"version", number("0")},
		"zone":     {"zone", nil},
		"type":     {"email", number("1")},
		"segments": {"segments", text("vip")},
		"asked":    {"asked", text("shop-nps")},
		"opt-outs": {"optOuts", text("email")},
	} {
		it := maps.Clone(good)
		it["id"] = text(name)
		if it[v.field] = v.value; v.value == nil {
			delete(it, v.field)
		}
		if _, err := tables.DB.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(tables.Config.TablePrefix + topology.Contacts.Name), Item: it}); err != nil {
			t.Fatal(err)
		}
		if c, err := tables.Store.Contact(ctx, name); err == nil || !strings.Contains(err.Error(), survey.Fingerprint(name)) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	if _, err := tables.Store.ContactsByID(ctx, []string{"zone"}); err == nil {
		t.Error("no error for a contact without a zone")
	}
}
