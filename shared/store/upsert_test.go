package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // as the functions have it

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

func upsert(t testing.TB, s *store.Store, at time.Time, rows ...survey.Details) []store.Outcome {
	t.Helper()
	out, err := s.Upsert(ctx, rows, at)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// addContact makes one contact.
func addContact(t testing.TB, s *store.Store, d survey.Details) *survey.Contact {
	t.Helper()
	out := upsert(t, s, now, d)
	if out[0].Result != store.Added {
		t.Fatalf("%+v: want a new contact", out[0])
	}
	return contact(t, s, out[0].Contact)
}

func contact(t testing.TB, s *store.Store, id string) *survey.Contact {
	t.Helper()
	c, err := s.Contact(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func results(out []store.Outcome) string {
	var b strings.Builder
	for _, o := range out {
		b.WriteString(string(o.Result))
		for _, p := range o.Problems {
			b.WriteString(" (" + p.Field + ": " + p.Message + ")")
		}
		b.WriteString("; ")
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func TestUpsertStoresAllOfARow(t *testing.T) {
	s := testkit.NewTables(t).Store
	d := survey.Details{
		Ref: "1001", Email: "maija@example.fi", Phone: "+358401234567", FirstName: "Maija", LastName: "Mäkelä", Company: "Kauppa Oy",
		Locale: "sv-FI", Zone: "Asia/Tokyo", Segments: []string{"vip", "plan=gold", "vip"}, OptOut: []survey.Channel{survey.SMS},
	}
	at := now.Add(123 * time.Nanosecond) // times are kept to the millisecond
	id := upsert(t, s, at, d)[0].Contact
	want := &survey.Contact{
		ID: id, Number: 1, Version: 1, Ref: "1001", Email: "maija@example.fi", Phone: "+358401234567",
		FirstName: "Maija", LastName: "Mäkelä", Company: "Kauppa Oy", Locale: "sv-FI", Zone: "Asia/Tokyo",
		Segments: []string{"plan=gold", "vip"}, OptOuts: map[survey.Channel]time.Time{survey.SMS: now},
		CreatedAt: now, ChangedAt: now,
	}
	if diff := cmp.Diff(want, contact(t, s, id)); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	for field, value := range map[string]string{"ref": d.Ref, "email": d.Email, "phone": d.Phone} {
		if got, err := s.FindContact(ctx, field, value); err != nil || got.ID != id {
			t.Errorf("by %s: %+v, %v", field, got, err)
		}
		_, err := s.FindContact(ctx, field, value+"0")
		wantCode(t, err, survey.NotFound, "contact")
	}
	_, err := s.FindContact(ctx, "firstName", "Maija")
	wantCode(t, err, survey.Invalid, "firstName")

	later := now.Add(time.Hour)
	if got := results(upsert(t, s, later, survey.Details{Ref: "1001", FirstName: "Maria", Segments: []string{}, OptOut: []survey.Channel{survey.SMS}})); got != "changed" {
		t.Error(got)
	}
	want.FirstName, want.Segments, want.Version, want.ChangedAt = "Maria", nil, 2, later
	if diff := cmp.Diff(want, contact(t, s, id)); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
}

func TestUpsertZones(t *testing.T) {
	s := testkit.NewTables(t).Store
	if zones, err := s.Zones(ctx); err != nil || len(zones) != 0 {
		t.Errorf("%v, %v before there is anybody", zones, err)
	}
	rules := survey.DefaultRules()
	rules.Zone = "Europe/Stockholm"
	if err := s.PutRules(ctx, survey.Rules{}, rules); err != nil {
		t.Fatal(err)
	}
	c := addContact(t, s, survey.Details{Email: "a@example.fi"})
	if c.Zone != "Europe/Stockholm" || c.Locale != "" {
		t.Errorf("zone %q, locale %q: want the rules' zone, and no locale", c.Zone, c.Locale)
	}
	addContact(t, s, survey.Details{Email: "b@example.fi", Zone: "Asia/Tokyo"})
	upsert(t, s, now, survey.Details{Email: "b@example.fi", Zone: "Africa/Cairo"})
	want := []string{"Africa/Cairo", "Asia/Tokyo", "Europe/Stockholm"}
	if zones, err := s.Zones(ctx); err != nil || !slices.Equal(zones, want) {
		t.Errorf("zones %v, %v; want %v", zones, err, want)
	}
}

// Whom a row is about, and what becomes of addresses that others have. Every
// case begins with the same contacts.
func TestUpsertIdentity(t *testing.T) {
	const taken = "belongs to another contact"
	known := []survey.Details{
		0: {Ref: "R0", Email: "e0@x.fi", Phone: "+3580"},
		1: {Email: "e1@x.fi"},
		2: {Phone: "+3582"},
		3: {Ref: "R3", Phone: "+3583"},
		4: {Email: "e4@x.fi", Phone: "+3584"},
	}
	for name, c := range map[string]struct {
		row  survey.Details
		want string
		who  int            // index of known; -1 for somebody new
		then survey.Details // addresses of who afterwards
	}{
		"by ref, same":                            {survey.Details{Ref: "R0"}, "unchanged", 0, known[0]},
		"by ref, new e-mail":                      {survey.Details{Ref: "R0", Email: "new@x.fi"}, "changed", 0, survey.Details{Ref: "R0", Email: "new@x.fi", Phone: "+3580"}},
		"by ref, e-mail of another":               {survey.Details{Ref: "R0", Email: "e1@x.fi"}, "unchanged (email: " + taken + ")", 0, known[0]},
		"by ref, phone of another":                {survey.Details{Ref: "R0", Phone: "+3582", Company: "Oy"}, "changed (phone: " + taken + ")", 0, known[0]},
		"by e-mail":                               {survey.Details{Email: "e1@x.fi", Phone: "+3589"}, "changed", 1, survey.Details{Email: "e1@x.fi", Phone: "+3589"}},
		"by e-mail, takes the ref":                {survey.Details{Ref: "R9", Email: "e1@x.fi"}, "changed", 1, survey.Details{Ref: "R9", Email: "e1@x.fi"}},
		"by e-mail, the row has no ref":           {survey.Details{Email: "e0@x.fi"}, "unchanged", 0, known[0]},
		"e-mail of one with another ref":          {survey.Details{Ref: "R9", Email: "e0@x.fi", Phone: "+3589"}, "added (email: " + taken + ")", -1, survey.Details{Ref: "R9", Phone: "+3589"}},
		"nothing left but a ref":                  {survey.Details{Ref: "R9", Email: "e0@x.fi"}, "refused (email: " + taken + ")", -1, survey.Details{}},
		"nothing left of two":                     {survey.Details{Ref: "R9", Email: "e0@x.fi", Phone: "+3583"}, "refused (email: " + taken + "; phone)", -1, survey.Details{}},
		"a ref alone":                             {survey.Details{Ref: "R9"}, "added", -1, survey.Details{Ref: "R9"}},
		"by phone, the row has no e-mail":         {survey.Details{Phone: "+3580"}, "unchanged", 0, known[0]},
		"by phone, the contact has no e-mail":     {survey.Details{Phone: "+3582", Email: "new@x.fi"}, "changed", 2, survey.Details{Phone: "+3582", Email: "new@x.fi"}},
		"by phone, takes the ref":                 {survey.Details{Ref: "R9", Phone: "+3582"}, "changed", 2, survey.Details{Ref: "R9", Phone: "+3582"}},
		"phone of one with another ref":           {survey.Details{Ref: "R9", Phone: "+3583", Email: "new@x.fi"}, "added (phone: " + taken + ")", -1, survey.Details{Ref: "R9", Email: "new@x.fi"}},
		"phone of one with another e-mail":        {survey.Details{Phone: "+3584", Email: "new@x.fi"}, "added (phone: " + taken + ")", -1, survey.Details{Email: "new@x.fi"}},
		"e-mail decides before phone":             {survey.Details{Phone: "+3582", Email: "e1@x.fi", Company: "Oy"}, "changed (phone: " + taken + ")", 1, known[1]},
		"ref decides before e-mail, before phone": {survey.Details{Ref: "R3", Email: "e1@x.fi", Phone: "+3584"}, "unchanged (email: " + taken + "; phone)", 3, known[3]},
		"somebody new":                            {survey.Details{Ref: "R9", Email: "new@x.fi", Phone: "+3589"}, "added", -1, survey.Details{Ref: "R9", Email: "new@x.fi", Phone: "+3589"}},
		"nobody at all":                           {survey.Details{FirstName: "Maija"}, "refused (email: a contact needs an e-mail address, a phone number or a ref)", -1, survey.Details{}},
		"a broken rule":                           {survey.Details{Email: "new@x.fi", Zone: "Mars/Olympus", Locale: "?"}, "refused (locale: locale must be a language such as fi or sv-FI) (zone: zone must be a time zone such as Europe/Helsinki)", -1, survey.Details{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tables := testkit.NewTables(t)
			first := upsert(t, tables.Store, now, known...)
			switch is, err := tables.Store.WhoIs(ctx, c.row); {
			case c.who < 0:
				wantCode(t, err, survey.NotFound, "contact")
			case err != nil || is.ID != first[c.who].Contact:
				t.Errorf("it is about %+v, %v, want contact %d of %v", is, err, c.who, first)
			}
			got := upsert(t, tables.Store, now, c.row)[0]
			c.want = strings.ReplaceAll(c.want, "; phone)", ") (phone: "+taken+")")
			if results([]store.Outcome{got}) != c.want {
				t.Errorf("%s, want %s", results([]store.Outcome{got}), c.want)
			}
			switch isNew := !slices.ContainsFunc(first, func(o store.Outcome) bool { return o.Contact == got.Contact }); {
			case got.Result == store.Refused:
				if got.Contact != "" {
					t.Error("a refused row has a contact")
				}
			case c.who >= 0 && got.Contact != first[c.who].Contact || c.who < 0 && !isNew:
				t.Errorf("it was about %s, want contact %d of %v", got.Contact, c.who, first)
			default:
				is := contact(t, tables.Store, got.Contact)
				if is.Ref != c.then.Ref || is.Email != c.then.Email || is.Phone != c.then.Phone {
					t.Errorf("it is %+v, want %+v", is, c.then)
				}
			}
			wantAgreement(t, tables)
		})
	}
}

func TestUpsertMergesRowsOfOnePerson(t *testing.T) {
	tables := testkit.NewTables(t)
	out := upsert(t, tables.Store, now,
		survey.Details{Email: "a@x.fi", FirstName: "A"},
		survey.Details{Email: "b@x.fi"},
		survey.Details{Email: "a@x.fi", FirstName: "A"},
		survey.Details{Ref: "R", Email: "a@x.fi", Phone: "+3581"},
		survey.Details{Phone: "+3581", FirstName: "B"},
		survey.Details{Ref: "R", Email: "c@x.fi"}, // gives up a@x.fi
		survey.Details{Email: "a@x.fi"},           // somebody new
		survey.Details{Ref: "R", Company: "Oy"},
	)
	if got, want := results(out), "added; added; unchanged; changed; changed; changed; added; changed"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for i, same := range []int{0, 1, 0, 0, 0, 0, 6, 0} {
		if out[i].Contact != out[same].Contact {
			t.Errorf("row %d is about %s, want that of row %d", i, out[i].Contact, same)
		}
	}
	if out[6].Contact == out[0].Contact || out[1].Contact == out[0].Contact {
		t.Error("two persons are one")
	}
	c := contact(t, tables.Store, out[0].Contact)
	if c.FirstName != "B" || c.Email != "c@x.fi" || c.Phone != "+3581" || c.Company != "Oy" {
		t.Errorf("the person is %+v", c)
	}
	wantAgreement(t, tables)
}

// A row that changes nothing costs two reads, and writes nothing.
func TestUpsertOfTheSameWritesNothing(t *testing.T) {
	tables := testkit.NewTables(t)
	rows := make([]survey.Details, store.MaxUpsert)
	for i := range rows {
		rows[i] = survey.Details{Ref: fmt.Sprint(i), Email: fmt.Sprintf("e%d@x.fi", i), Phone: fmt.Sprintf("+358%d", i), Segments: []string{"b", "a"}}
	}
	first := upsert(t, tables.Store, now, rows...)
	numbers := map[int64]bool{}
	for _, o := range first {
		numbers[contact(t, tables.Store, o.Contact).Number] = true
	}
	if len(numbers) != len(rows) || !numbers[1] || !numbers[100] {
		t.Errorf("%d numbers, want 1 to 100", len(numbers))
	}
	tables.Meter.Reset()
	for i, o := range upsert(t, tables.Store, now.Add(time.Hour), rows...) {
		if o.Result != store.Unchanged || o.Contact != first[i].Contact {
			t.Errorf("row %d: %+v", i, o)
		}
	}
	var calls []string
	for _, c := range tables.Meter.Calls() {
		calls = append(calls, c.Operation)
	}
	if want := []string{"BatchGetItem", "BatchGetItem", "BatchGetItem", "BatchGetItem"}; !slices.Equal(calls, want) {
		t.Errorf("calls %v, want %v: 300 addresses, 100 contacts", calls, want)
	}
	if _, err := tables.Store.Upsert(ctx, make([]survey.Details, store.MaxUpsert+1), now); err == nil {
		t.Error("no error for too many rows")
	}
}

// Whoever had opted out and was deleted, or moved on to another address, is
// still opted out when the address comes back.
func TestOptedOutAreNotResurrected(t *testing.T) {
	out := []survey.Channel{survey.Email}
	maija := survey.Details{Ref: "R", Email: "maija@x.fi", Phone: "+3581"}
	for name, back := range map[string]survey.Details{
		"by ref":    {Ref: "R", Email: "new@x.fi"},
		"by e-mail": {Email: "maija@x.fi"},
		"by phone":  {Phone: "+3581", Email: "new@x.fi"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tables := testkit.NewTables(t)
			s := tables.Store
			c := addContact(t, s, maija)
			upsert(t, s, now.Add(time.Hour), survey.Details{Ref: "R", OptOut: out})
			if err := s.DeleteContact(ctx, c.ID); err != nil {
				t.Fatal(err)
			}
			wantAgreement(t, tables)
			got := upsert(t, s, now.Add(2*time.Hour), back, survey.Details{Email: back.Email, Phone: back.Phone, Ref: back.Ref, OptOut: out})
			if results(got) != "added; unchanged" || got[0].Contact == c.ID {
				t.Fatalf("%+v: want somebody new, who is opted out already", got)
			}
			if is := contact(t, s, got[0].Contact); !is.OptOuts[survey.Email].Equal(now.Add(time.Hour)) || len(is.OptOuts) != 1 {
				t.Errorf("opted out %v, want of e-mail since %s", is.OptOuts, now.Add(time.Hour))
			}
			wantAgreement(t, tables)
		})
	}
	for name, take := range map[string]func(*store.Store) (*survey.Contact, error){
		"added": func(s *store.Store) (*survey.Contact, error) {
			return s.AddContact(ctx, survey.NewID(), survey.Details{Ref: "S", Phone: "+3581"}, now.Add(time.Hour))
		},
		"changed": func(s *store.Store) (*survey.Contact, error) {
			id := upsert(t, s, now, survey.Details{Ref: "S"})[0].Contact
			return s.ChangeContact(ctx, id, 0, func(c *survey.Contact) error { c.Email = maija.Email; return nil }, now.Add(time.Hour))
		},
	} {
		t.Run(name, func(t *testing.T) {
			tables := testkit.NewTables(t)
			upsert(t, tables.Store, now, maija, survey.Details{Ref: "R", OptOut: out})
			c, err := tables.Store.FindContact(ctx, "ref", "R")
			if err != nil {
				t.Fatal(err)
			}
			if err := tables.Store.DeleteContact(ctx, c.ID); err != nil {
				t.Fatal(err)
			}
			c, err = take(tables.Store)
			if err != nil {
				t.Fatal(err)
			}
			if is := contact(t, tables.Store, c.ID); !is.OptOuts[survey.Email].Equal(now) || !cmp.Equal(is, c) {
				t.Errorf("it is %+v, told as %+v: want opted out since %s", is, c, now)
			}
			wantAgreement(t, tables)
		})
	}
	t.Run("moved on", func(t *testing.T) {
		tables := testkit.NewTables(t)
		upsert(t, tables.Store, now, maija, survey.Details{Ref: "R", OptOut: out}, survey.Details{Ref: "R", Email: "other@x.fi"})
		if c := addContact(t, tables.Store, survey.Details{Email: "maija@x.fi"}); !c.OptOuts[survey.Email].Equal(now) {
			t.Errorf("opted out %v", c.OptOuts)
		}
		wantAgreement(t, tables)
	})
	t.Run("not opted out", func(t *testing.T) {
		tables := testkit.NewTables(t)
		if err := tables.Store.DeleteContact(ctx, addContact(t, tables.Store, maija).ID); err != nil {
			t.Fatal(err)
		}
		if n := len(scan(t, tables, topology.Addresses)); n != 0 {
			t.Errorf("%d addresses are left of somebody who is forgotten", n)
		}
	})
}

// Many at once import the same people, each in another order and grouping.
// Whatever happens, nobody is there twice.
func TestConcurrentUpsertsOfTheSamePeople(t *testing.T) {
	tables := testkit.NewTables(t)
	const people, writers = 30, 6
	var wg sync.WaitGroup
	added := make([]int, writers)
	for w := range writers {
		other := store.New(tables.DB, tables.Config) // another process
		wg.Go(func() {
			var rows []survey.Details
			for i := range people {
				n := (i*7 + w*11) % people
				d := survey.Details{Email: fmt.Sprintf("e%d@x.fi", n)}
				if w%2 == 0 {
					d.Phone = fmt.Sprintf("+358%d", n)
				}
				rows = append(rows, d)
			}
			for part := range slices.Chunk(rows, 5+w) {
				out, err := other.Upsert(ctx, part, now)
				if err != nil {
					t.Error(err)
					return
				}
				for _, o := range out {
					if o.Result == store.Added {
						added[w]++
					}
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range added {
		sum += n
	}
	if all := scan(t, tables, topology.Contacts); len(all) != people || sum != people {
		t.Errorf("%d contacts, %d told as added; want %d", len(all), sum, people)
	}
	wantAgreement(t, tables)
}

func TestConcurrentUpsertsOfOneNewAddress(t *testing.T) {
	tables := testkit.NewTables(t)
	for i := range 20 {
		d := survey.Details{Email: fmt.Sprintf("e%d@x.fi", i)}
		ids := make([]string, 2)
		var wg sync.WaitGroup
		for w := range ids {
			wg.Go(func() {
				out, err := tables.Store.Upsert(ctx, []survey.Details{d}, now)
				if err != nil {
					t.Error(err)
					return
				}
				ids[w] = out[0].Contact
			})
		}
		wg.Wait()
		if ids[0] != ids[1] {
			t.Errorf("%s has two contacts: %v", d.Email, ids)
		}
	}
	wantAgreement(t, tables)
}

// What happens between the two reads of an upsert, of the addresses and of who
// has them, is not overlooked.
func TestUpsertReadsInTwoSteps(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(s *store.Store, maija string) error
		row       survey.Details
		want      string
	}{
		"the address was given up": {func(s *store.Store, maija string) error {
			_, err := s.ChangeContact(ctx, maija, 0, func(c *survey.Contact) error { c.Email = "new@x.fi"; return nil }, now)
			return err
		}, survey.Details{Email: "maija@x.fi"}, "added"},
		"who had it was deleted": {func(s *store.Store, maija string) error {
			return s.DeleteContact(ctx, maija)
		}, survey.Details{Email: "maija@x.fi", Phone: "+3582"}, "added (phone: belongs to another contact)"},
		"who has it was changed": {func(s *store.Store, maija string) error {
			_, err := s.ChangeContact(ctx, maija, 0, func(c *survey.Contact) error { c.Ref = "R1"; return nil }, now)
			return err
		}, survey.Details{Ref: "R2", Email: "maija@x.fi", Phone: "+3583"}, "added (email: belongs to another contact)"},
	} {
		t.Run(name, func(t *testing.T) {
			tables := testkit.NewTables(t)
			maija := addContact(t, tables.Store, survey.Details{Email: "maija@x.fi"})
			addContact(t, tables.Store, survey.Details{Email: "matti@x.fi", Phone: "+3582"})
			var once sync.Once
			s := through(tables, func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				if p, ok := in.Parameters.(*dynamodb.BatchGetItemInput); ok {
					if _, ok := p.RequestItems[tables.Config.TablePrefix+topology.Contacts.Name]; ok {
						once.Do(func() {
							if err := c.meanwhile(tables.Store, maija.ID); err != nil {
								t.Error(err)
							}
						})
					}
				}
				return next.HandleInitialize(ctx, in)
			})
			out := upsert(t, s, now, c.row)
			if results(out) != c.want || out[0].Contact == maija.ID {
				t.Errorf("%+v, want %s", out, c.want)
			}
			wantAgreement(t, tables)
		})
	}
}

// A run that died between two batches is run again from the start.
func TestUpsertAgainAfterACrash(t *testing.T) {
	tables := testkit.NewTables(t)
	var rows []survey.Details
	for i := range 40 {
		rows = append(rows, survey.Details{Ref: fmt.Sprint(i / 2), Email: fmt.Sprintf("e%d@x.fi", i), OptOut: []survey.Channel{survey.SMS}[:i%2]})
	}
	run := func(until int) {
		for part := range slices.Chunk(rows[:until], 7) {
			upsert(t, tables.Store, now, part...)
		}
	}
	run(14)
	run(len(rows))
	run(len(rows))
	if n := len(scan(t, tables, topology.Contacts)); n != 20 {
		t.Errorf("%d contacts, want 20", n)
	}
	wantAgreement(t, tables)
}

// scan returns every item of a table.
func scan(t testing.TB, tables *testkit.Tables, of topology.Table) []map[string]types.AttributeValue {
	t.Helper()
	var out []map[string]types.AttributeValue
	pages := dynamodb.NewScanPaginator(tables.DB, &dynamodb.ScanInput{TableName: aws.String(tables.Config.TablePrefix + of.Name), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page.Items...)
	}
	return out
}

func hash(field, value string) string {
	sum := sha256.Sum256([]byte(field + ":" + value))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// wantAgreement checks that the addresses are exactly those of the contacts,
// beside the opt-outs of who had them before, that no two contacts have the
// same number, and that each is in its cohort and zone.
func wantAgreement(t testing.TB, tables *testkit.Tables) {
	t.Helper()
	text := func(v types.AttributeValue) string {
		s, _ := v.(*types.AttributeValueMemberS)
		if s == nil {
			return ""
		}
		return s.Value
	}
	want := map[string]string{}
	numbers := map[int64]string{}
	for _, it := range scan(t, tables, topology.Contacts) {
		c := contact(t, tables.Store, text(it["id"]))
		for field, value := range map[string]string{"ref": c.Ref, "email": c.Email, "phone": c.Phone} {
			if value == "" {
				continue
			}
			if other, ok := want[hash(field, value)]; ok {
				t.Errorf("contacts %s and %s have the same %s", other, c.ID, field)
			}
			want[hash(field, value)] = c.ID
		}
		if other, ok := numbers[c.Number]; ok {
			t.Errorf("contacts %s and %s have number %d", other, c.ID, c.Number)
		}
		numbers[c.Number] = c.ID
		if n, ok := it["cohort"].(*types.AttributeValueMemberN); !ok || n.Value != fmt.Sprint(asking.Cohort(c.Number)) || text(it["zoneId"]) != c.Zone+"#"+c.ID {
			t.Errorf("contact %s is in cohort %v, %q", c.ID, it["cohort"], text(it["zoneId"]))
		}
	}
	got := map[string]string{}
	for _, it := range scan(t, tables, topology.Addresses) {
		m, _ := it["optOuts"].(*types.AttributeValueMemberM)
		switch id := text(it["contact"]); {
		case (id == "") == (m == nil):
			t.Errorf("address %v has a contact and opt-outs, or neither", it)
		case id != "":
			got[text(it["address"])] = id
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("addresses (-of the contacts +stored):\n%s", diff)
	}
}

// people is what the contacts should be: row by row, told in the plainest way.
type people struct {
	all  []*survey.Contact
	left map[string]map[survey.Channel]time.Time // opt-outs by address that nobody has
}

func (p *people) with(field, value string) *survey.Contact {
	for _, c := range p.all {
		if value != "" && map[string]string{"ref": c.Ref, "email": c.Email, "phone": c.Phone}[field] == value {
			return c
		}
	}
	return nil
}

func (p *people) upsert(d survey.Details, at time.Time) (c *survey.Contact, result string) {
	byEmail, byPhone := p.with("email", d.Email), p.with("phone", d.Phone)
	ownRef := func(c *survey.Contact) bool { return d.Ref != "" && c.Ref != "" }
	c = p.with("ref", d.Ref)
	if c == nil && byEmail != nil && !ownRef(byEmail) {
		c = byEmail
	}
	if c == nil && byPhone != nil && !ownRef(byPhone) && (d.Email == "" || byPhone.Email == "") {
		c = byPhone
	}
	var problems string
	if byEmail != nil && byEmail != c {
		d.Email, problems = "", problems+" (email: belongs to another contact)"
	}
	if byPhone != nil && byPhone != c {
		d.Phone, problems = "", problems+" (phone: belongs to another contact)"
	}
	if c == nil && problems != "" && d.Email == "" && d.Phone == "" {
		return nil, "refused" + problems
	}
	result = "unchanged"
	if c == nil {
		c, result = &survey.Contact{Zone: "Europe/Helsinki"}, "added"
		p.all = append(p.all, c)
	}
	was := *c
	if c.Merge(d, at) && result != "added" {
		result = "changed"
	}
	p.moved(&was, c)
	return c, result + problems
}

// moved keeps the books when a contact has got other addresses.
func (p *people) moved(was, is *survey.Contact) {
	pairs := [][3]string{{"ref", was.Ref, is.Ref}, {"email", was.Email, is.Email}, {"phone", was.Phone, is.Phone}}
	for _, f := range pairs {
		if key := f[0] + " " + f[2]; f[1] != f[2] && f[2] != "" {
			for ch, at := range p.left[key] {
				if have, ok := is.OptOuts[ch]; !ok || at.Before(have) {
					is.OptOuts = maps.Clone(is.OptOuts)
					if is.OptOuts == nil {
						is.OptOuts = map[survey.Channel]time.Time{}
					}
					is.OptOuts[ch] = at
				}
			}
			delete(p.left, key)
		}
	}
	for _, f := range pairs {
		if f[1] != f[2] && f[1] != "" && len(is.OptOuts) > 0 {
			p.left[f[0]+" "+f[1]] = maps.Clone(is.OptOuts)
		}
	}
}

func (p *people) delete(c *survey.Contact) {
	p.moved(c, &survey.Contact{OptOuts: c.OptOuts})
	p.all = slices.DeleteFunc(p.all, func(o *survey.Contact) bool { return o == c })
}

// After any sequence of batches, changes and deletions the contacts are those
// that the plain account of it has, and the addresses agree with them.
func TestContactsAgainstPlainAccount(t *testing.T) {
	tables := testkit.NewTables(t)
	s := tables.Store
	rapid.Check(t, func(rt *rapid.T) {
		world := survey.NewID() // the people of the runs before are none of this one
		value := func(prefix string, n int) *rapid.Generator[string] {
			return rapid.Map(rapid.IntRange(-1, n), func(i int) string {
				if i < 0 {
					return ""
				}
				return fmt.Sprint(prefix, i, world)
			})
		}
		outs := rapid.SliceOfNDistinct(rapid.SampledFrom([]survey.Channel{survey.Email, survey.SMS}), 0, 1, rapid.ID[survey.Channel])
		row := rapid.Custom(func(rt *rapid.T) survey.Details {
			return survey.Details{
				Ref: value("ref", 3).Draw(rt, "ref"), Email: value("email", 4).Draw(rt, "email"), Phone: value("phone", 2).Draw(rt, "phone"),
				FirstName: rapid.SampledFrom([]string{"", "A", "B"}).Draw(rt, "name"), OptOut: outs.Draw(rt, "out"),
			}
		}).Filter(func(d survey.Details) bool { return d.Ref != "" || d.Email != "" || d.Phone != "" })
		p := &people{left: map[string]map[survey.Channel]time.Time{}}
		at := now
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			at = at.Add(time.Minute)
			switch what := rapid.SampledFrom([]string{"batch", "batch", "change", "delete"}).Draw(rt, "step"); {
			case what == "batch" || len(p.all) == 0:
				rows := rapid.SliceOfN(row, 1, 8).Draw(rt, "rows")
				out, err := s.Upsert(ctx, rows, at)
				if err != nil {
					rt.Fatal(err)
				}
				for i, d := range rows {
					c, want := p.upsert(d, at)
					if got := results(out[i : i+1]); got != want {
						rt.Fatalf("row %d is %s, want %s", i, got, want)
					}
					if c == nil {
						continue
					}
					if c.ID == "" {
						c.ID = out[i].Contact
					}
					if c.ID != out[i].Contact {
						rt.Fatalf("row %d is about %s, want %s", i, out[i].Contact, c.ID)
					}
				}
			case what == "change":
				c := rapid.SampledFrom(p.all).Draw(rt, "contact")
				d := row.Draw(rt, "into")
				_, err := s.ChangeContact(ctx, c.ID, 0, func(c *survey.Contact) error {
					c.Ref, c.Email, c.Phone = d.Ref, d.Email, d.Phone
					return nil
				}, at)
				wantErr := ""
				for _, f := range [][2]string{{"ref", d.Ref}, {"email", d.Email}, {"phone", d.Phone}} {
					if o := p.with(f[0], f[1]); o != nil && o != c && wantErr == "" {
						wantErr = "conflict: " + f[0] + " belongs to another contact"
					}
				}
				if got := fmt.Sprint(err); err == nil && wantErr != "" || err != nil && got != wantErr {
					rt.Fatalf("change: %v, want %q", err, wantErr)
				}
				if err == nil {
					was := *c
					c.Ref, c.Email, c.Phone = d.Ref, d.Email, d.Phone
					p.moved(&was, c)
				}
			default:
				c := rapid.SampledFrom(p.all).Draw(rt, "contact")
				if err := s.DeleteContact(ctx, c.ID); err != nil {
					rt.Fatal(err)
				}
				p.delete(c)
			}
		}
		ids := []string{survey.NewID()}
		want := map[string]*survey.Contact{}
		for _, c := range p.all {
			ids = append(ids, c.ID)
			want[c.ID] = c
		}
		got, err := s.ContactsByID(ctx, ids)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(survey.Contact{}, "Number", "Version", "CreatedAt", "ChangedAt")); diff != "" {
			rt.Errorf("contacts (-want +got):\n%s", diff)
		}
		addresses := map[string]any{}
		for _, c := range p.all {
			for field, v := range map[string]string{"ref": c.Ref, "email": c.Email, "phone": c.Phone} {
				if v != "" {
					addresses[hash(field, v)] = c.ID
				}
			}
		}
		for key, left := range p.left {
			field, v, _ := strings.Cut(key, " ")
			addresses[hash(field, v)] = left
		}
		if diff := cmp.Diff(addresses, storedAddresses(rt, tables, world)); diff != "" {
			rt.Errorf("addresses (-want +got):\n%s", diff)
		}
	})
	wantAgreement(t, tables)
}

// storedAddresses returns what is stored of all addresses of a run of
// TestContactsAgainstPlainAccount: the contact or the opt-outs.
func storedAddresses(t rapid.TB, tables *testkit.Tables, world string) map[string]any {
	t.Helper()
	name := tables.Config.TablePrefix + topology.Addresses.Name
	var keys []map[string]attribute
	for field, n := range map[string]int{"ref": 3, "email": 4, "phone": 2} {
		for i := range n + 1 {
			keys = append(keys, map[string]attribute{"address": text(hash(field, fmt.Sprint(field, i, world)))})
		}
	}
	got, err := tables.DB.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{name: {Keys: keys, ConsistentRead: aws.Bool(true)}}})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	for _, it := range got.Responses[name] {
		key := it["address"].(*types.AttributeValueMemberS).Value
		if id, ok := it["contact"].(*types.AttributeValueMemberS); ok {
			out[key] = id.Value
		}
		if m, ok := it["optOuts"].(*types.AttributeValueMemberM); ok {
			left := map[survey.Channel]time.Time{}
			for ch, v := range m.Value {
				ms, err := strconv.ParseInt(v.(*types.AttributeValueMemberN).Value, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				left[survey.Channel(ch)] = time.UnixMilli(ms).UTC()
			}
			out[key] = left
		}
	}
	return out
}
