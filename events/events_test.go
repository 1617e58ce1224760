package events

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "add new versions to the golden list")

// object is a sample that a test changes.
type object = map[string]any

func sample(t testing.TB, typ string) object {
	t.Helper()
	b, err := Sample(typ)
	if err != nil {
		t.Fatal(err)
	}
	var o object
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func encoded(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// put sets a field by path: names and indexes. A nil value removes it.
func put(t testing.TB, o object, path string, v any) {
	t.Helper()
	names := strings.Split(path, ".")
	for _, n := range names[:len(names)-1] {
		switch in := o[n].(type) {
		case object:
			o = in
		case []any: // its first
			o = in[0].(object)
		default:
			t.Fatalf("there is no %s in %s", n, path)
		}
	}
	last := names[len(names)-1]
	if v == nil {
		delete(o, last)
	} else {
		o[last] = v
	}
}

// TestEveryTypeIsWhole holds the types, their schemas and their samples
// against each other, both ways.
func TestEveryTypeIsWhole(t *testing.T) {
	wantSchemas, wantSamples := []string{"envelope.v1.json"}, []string{}
	for _, typ := range Types() {
		if len(Versions(typ)) == 0 {
			t.Errorf("%s has no version", typ)
		}
		for _, v := range Versions(typ) {
			wantSchemas = append(wantSchemas, fmt.Sprintf("%s.v%d.json", typ, v))
			b, err := Schema(typ, v)
			if err != nil {
				t.Fatal(err)
			}
			var s struct {
				Schema     string `json:"$schema"`
				Title      string
				Properties struct{ Type, Version struct{ Const any } }
			}
			if err := json.Unmarshal(b, &s); err != nil {
				t.Fatal(err)
			}
			if s.Schema != "https://json-schema.org/draft/2020-12/schema" || s.Title != typ || s.Properties.Type.Const != typ || s.Properties.Version.Const != float64(v) {
				t.Errorf("the schema of %s v%d says it is %+v", typ, v, s)
			}
		}
		wantSamples = append(wantSamples, typ+".json")
		b, err := Sample(typ)
		if err != nil {
			t.Fatal(err)
		}
		e, err := Decode(b)
		if err != nil {
			t.Fatalf("the sample of %s: %v", typ, err)
		}
		if v := Versions(typ); e.Type != typ || e.Version != v[len(v)-1] {
			t.Errorf("the sample of %s is %s v%d", typ, e.Type, e.Version)
		}
		for _, common := range []string{"about", "ref"} {
			if e.Data[common] == nil {
				t.Errorf("the sample of %s has no %s", typ, common)
			}
		}
	}
	if len(versions) != len(Types()) {
		t.Errorf("%d types have versions, there are %d", len(versions), len(Types()))
	}
	for folder, want := range map[string][]string{"schemas": wantSchemas, "samples": wantSamples} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries {
			got = append(got, e.Name())
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", folder, diff)
		}
	}
}

// TestReleasedVersionsStay holds every schema against the list of what was
// released. -update adds what is new to the list, and changes nothing in it: a
// schema that differs needs a new version.
func TestReleasedVersionsStay(t *testing.T) {
	path := filepath.Join("testdata", "released.txt")
	b, err := os.ReadFile(path)
	if err != nil && !(*update && errors.Is(err, os.ErrNotExist)) {
		t.Fatal(err)
	}
	released := map[string]string{}
	for line := range strings.Lines(string(b)) {
		name, sum, _ := strings.Cut(strings.TrimSpace(line), " ")
		released[name] = sum
	}
	entries, err := os.ReadDir("schemas")
	if err != nil {
		t.Fatal(err)
	}
	here := map[string]bool{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join("schemas", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer // what it says, not how it is laid out
		if err := json.Compact(&compact, b); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(compact.Bytes())
		got := hex.EncodeToString(sum[:])
		here[e.Name()] = true
		switch want, ok := released[e.Name()]; {
		case ok && got != want:
			t.Errorf("%s is released and has changed: it needs a new version", e.Name())
		case !ok && *update:
			released[e.Name()] = got
		case !ok:
			t.Errorf("%s is not in %s: run the test with -update", e.Name(), path)
		}
	}
	for name := range released {
		if !here[name] {
			t.Errorf("%s is released and gone", name)
		}
	}
	if *update && !t.Failed() {
		var out strings.Builder
		for _, name := range slices.Sorted(func(yield func(string) bool) {
			for n := range released {
				if !yield(n) {
					return
				}
			}
		}) {
			fmt.Fprintf(&out, "%s %s\n", name, released[name])
		}
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDecode(t *testing.T) {
	e, err := Decode(encoded(t, sample(t, PurchaseCompleted)))
	if err != nil {
		t.Fatal(err)
	}
	want := Event{
		Type: PurchaseCompleted, Version: 1, ID: "order-4711", Time: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC),
		Contact: Contact{Ref: "C-1001", Email: "aino.virtanen@example.com", FirstName: "Aino", LastName: "Virtanen", Locale: "fi", Zone: "Europe/Helsinki"},
		Data: object{
			"about": "Talvitakki Myrsky", "ref": "4711", "total": 129.9, "currency": "EUR", "shop": "verkkokauppa",
			"items": []any{object{"sku": "TAKKI-42", "name": "Talvitakki Myrsky", "category": "takit", "quantity": 1.0, "price": 129.9}},
		},
	}
	e.Time = e.Time.UTC()
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// changes are mutations of every sample: what is set where, and the error, "" for none.
var changes = []struct {
	name  string
	path  string
	value any // nil removes the field
	field string
	want  string
}{
	{"a field nobody knows", "colour", "red", "colour", "colour is not a field of an event"},
	{"a name in capitals", "TYPE", "custom", "TYPE", "TYPE is not a field of an event"},
	{"a very long name", strings.Repeat("ä", 65), 1, strings.Repeat("ä", 64) + "...", strings.Repeat("ä", 64) + "... is not a field of an event"},
	{"no type", "type", nil, "type", "type must be one of purchase.completed, delivery.completed, ticket.closed, call.ended, meeting.held, trial.ended, cart.abandoned, subscription.cancelled, custom"},
	{"a type nobody knows", "type", "purchase.complete", "type", "type must be one of purchase.completed, delivery.completed, ticket.closed, call.ended, meeting.held, trial.ended, cart.abandoned, subscription.cancelled, custom"},
	{"a type that is no text", "type", 1, "type", "type must be one of purchase.completed, delivery.completed, ticket.closed, call.ended, meeting.held, trial.ended, cart.abandoned, subscription.cancelled, custom"},
	{"no version", "version", nil, "version", "version must be 1, a version of {type}"},
	{"a version to come", "version", 2, "version", "version must be 1, a version of {type}"},
	{"version 0", "version", 0, "version", "version must be 1, a version of {type}"},
	{"a version as a text", "version", "1", "version", "version must be 1, a version of {type}"},
	{"no id", "id", nil, "id", "id must be there"},
	{"an empty id", "id", "", "id", "id must be printable ASCII characters, without spaces around them"},
	{"an id of 1", "id", "1", "", ""},
	{"an id of 128", "id", strings.Repeat("x", 128), "", ""},
	{"an id of 129", "id", strings.Repeat("x", 129), "id", "id must be at most 128 characters"},
	{"an id with spaces in it", "id", "order 4711 / 2", "", ""},
	{"an id with a space after it", "id", "order-4711 ", "id", "id must be printable ASCII characters, without spaces around them"},
	{"an id with a zero byte", "id", "a\x00b", "id", "id must be printable ASCII characters, without spaces around them"},
	{"an id as a number", "id", 4711, "id", "id must be a text"},
	{"no time", "time", nil, "time", "time must be there"},
	{"a time without a zone", "time", "2026-11-21T10:00:00", "time", "time must be a time such as 2026-11-21T10:00:00+02:00 (RFC 3339)"},
	{"a day", "time", "2026-11-21", "time", "time must be a time such as 2026-11-21T10:00:00+02:00 (RFC 3339)"},
	{"a leap second", "time", "2016-12-31T23:59:60Z", "time", "time must be a time such as 2026-11-21T10:00:00+02:00 (RFC 3339)"},
	{"a zone 23 hours away", "time", "2026-11-21T10:00:00+23:59", "", ""},
	{"a zone 24 hours away", "time", "2026-11-21T10:00:00+24:00", "time", "time must be a time such as 2026-11-21T10:00:00+02:00 (RFC 3339)"},
	{"30 February", "time", "2026-02-30T10:00:00Z", "time", "time must be a time such as 2026-11-21T10:00:00+02:00 (RFC 3339)"},
	{"seconds since 1970", "time", 1795248000, "time", "time must be a text"},
	{"the year 1", "time", "0001-01-01T00:00:00Z", "time", "time must be a time from the year 2000 to 2199"},
	{"1999", "time", "1999-12-31T23:59:59Z", "time", "time must be a time from the year 2000 to 2199"},
	{"2000", "time", "2000-01-01T00:00:00Z", "", ""},
	{"2199", "time", "2199-12-31T23:59:59.999Z", "", ""},
	{"2200", "time", "2200-01-01T00:00:00Z", "time", "time must be a time from the year 2000 to 2199"},
	{"no contact", "contact", nil, "contact", "contact must be there"},
	{"an empty contact", "contact", object{}, "contact", "contact must have at least one of id, ref, email, phone"},
	{"a contact by name", "contact", object{"firstName": "Aino"}, "contact", "contact must have at least one of id, ref, email, phone"},
	{"a contact that is a text", "contact", "aino@example.com", "contact", "contact must be an object"},
	{"a contact by id", "contact", object{"id": "AAAAAAAAAAAAAAAAAAAAAA"}, "", ""},
	{"a contact by phone", "contact", object{"phone": "040 123 4567"}, "", ""},
	{"a field of a contact that nobody knows", "contact.emial", "a@example.com", "contact.emial", "contact.emial is not a field of an event"},
	{"a contact's id of 21", "contact.id", strings.Repeat("A", 21), "contact.id", "contact.id must be 22 characters of A-Z, a-z, 0-9, - and _"},
	{"a contact's ref of 64", "contact.ref", strings.Repeat("ä", 64), "", ""},
	{"a contact's ref of 65", "contact.ref", strings.Repeat("ä", 65), "contact.ref", "contact.ref must be at most 64 characters"},
	{"a contact's ref on two lines", "contact.ref", "a\nb", "contact.ref", "contact.ref must be one line without control characters"},
	{"an empty e-mail address", "contact.email", "", "contact.email", "contact.email must not be empty"},
	{"an e-mail address of 254", "contact.email", strings.Repeat("a", 254), "", ""}, // whether it is one, plan says
	{"an e-mail address of 255", "contact.email", strings.Repeat("a", 255), "contact.email", "contact.email must be at most 254 characters"},
	{"a phone number of 65", "contact.phone", strings.Repeat("1", 65), "contact.phone", "contact.phone must be at most 64 characters"},
	{"a phone number as a number", "contact.phone", 358401234567, "contact.phone", "contact.phone must be a text"},
	{"a first name of 100", "contact.firstName", strings.Repeat("ä", 100), "", ""},
	{"a first name of 101", "contact.firstName", strings.Repeat("ä", 101), "contact.firstName", "contact.firstName must be at most 100 characters"},
	{"a last name with a bell", "contact.lastName", "\a", "contact.lastName", "contact.lastName must be one line without control characters"},
	{"a company of 101", "contact.company", strings.Repeat("x", 101), "contact.company", "contact.company must be at most 100 characters"},
	{"a locale of ICU", "contact.locale", "fi_FI", "contact.locale", "contact.locale must be a language such as fi or sv-FI"},
	{"a zone of 65", "contact.zone", strings.Repeat("x", 65), "contact.zone", "contact.zone must be at most 64 characters"},
	{"20 segments", "contact.segments", slices.Repeat([]string{"vip"}, 20), "", ""},
	{"21 segments", "contact.segments", slices.Repeat([]string{"vip"}, 21), "contact.segments", "contact.segments must be at most 20"},
	{"a segment of 81", "contact.segments", []string{"vip", strings.Repeat("x", 81)}, "", ""},
	{"a segment of 82", "contact.segments", []string{"vip", strings.Repeat("x", 82)}, "contact.segments[1]", "contact.segments[1] must be at most 81 characters"},
	{"a segment that is a number", "contact.segments", []any{7}, "contact.segments[0]", "contact.segments[0] must be a text"},
	{"segments that are a text", "contact.segments", "vip", "contact.segments", "contact.segments must be a list"},
	{"data that are a list", "data", []any{1}, "data", "data must be an object"},
	{"about of 200", "data.about", strings.Repeat("ä", 200), "", ""},
	{"about of 201", "data.about", strings.Repeat("ä", 201), "data.about", "data.about must be at most 200 characters"},
	{"about on two lines", "data.about", "Talvitakki\r\nBcc: all@example.com", "data.about", "data.about must be one line without control characters"},
	{"about on two lines of Unicode", "data.about", "a\u2028b", "data.about", "data.about must be one line without control characters"},
	{"a ref of 64", "data.ref", strings.Repeat("x", 64), "", ""},
	{"a ref of 65", "data.ref", strings.Repeat("x", 65), "data.ref", "data.ref must be at most 64 characters"},
	{"a ref that is a number", "data.ref", 4711, "data.ref", "data.ref must be a text"},
	{"a field of the company's own", "data.loyalty", object{"tier": "gold", "years": []any{1, nil, true}}, "", ""},
}

// ofType are mutations of the samples of one type.
var ofType = []struct {
	typ, path string
	value     any
	field     string
	want      string
}{
	{PurchaseCompleted, "data", nil, "", ""},
	{PurchaseCompleted, "data.total", -0.01, "data.total", "data.total must be at least 0"},
	{PurchaseCompleted, "data.total", 0, "", ""},
	{PurchaseCompleted, "data.total", "129,90", "data.total", "data.total must be a number"},
	{PurchaseCompleted, "data.currency", "eur", "data.currency", "data.currency must be three capital letters (ISO 4217), such as EUR"},
	{PurchaseCompleted, "data.shop", strings.Repeat("x", 101), "data.shop", "data.shop must be at most 100 characters"},
	{PurchaseCompleted, "data.items", object{}, "data.items", "data.items must be a list"},
	{PurchaseCompleted, "data.items", slices.Repeat([]any{object{}}, 100), "", ""},
	{PurchaseCompleted, "data.items", slices.Repeat([]any{object{}}, 101), "data.items", "data.items must be at most 100"},
	{PurchaseCompleted, "data.items", []any{object{}, "coat"}, "data.items[1]", "data.items[1] must be an object"},
	{PurchaseCompleted, "data.items.price", "free", "data.items[0].price", "data.items[0].price must be a number"},
	{PurchaseCompleted, "data.items.quantity", -1, "data.items[0].quantity", "data.items[0].quantity must be at least 0"},
	{PurchaseCompleted, "data.items.name", strings.Repeat("x", 201), "data.items[0].name", "data.items[0].name must be at most 200 characters"},
	{PurchaseCompleted, "data.items.sku", strings.Repeat("x", 65), "data.items[0].sku", "data.items[0].sku must be at most 64 characters"},
	{PurchaseCompleted, "data.items.category", 3, "data.items[0].category", "data.items[0].category must be a text"},
	{PurchaseCompleted, "data.items.size", "M", "", ""},
	{DeliveryCompleted, "data.carrier", 1, "data.carrier", "data.carrier must be a text"},
	{DeliveryCompleted, "data.method", false, "data.method", "data.method must be a text"},
	{DeliveryCompleted, "data.onTime", "yes", "data.onTime", "data.onTime must be true or false"},
	{TicketClosed, "data.category", "a\tb", "data.category", "data.category must be one line without control characters"},
	{TicketClosed, "data.priority", 1, "data.priority", "data.priority must be a text"},
	{TicketClosed, "data.resolved", 1, "data.resolved", "data.resolved must be true or false"},
	{TicketClosed, "data.openedAt", "yesterday", "data.openedAt", "data.openedAt must be a time such as 2026-11-21T10:00:00+02:00 (RFC 3339)"},
	{CallEnded, "data", nil, "data", "data must be there"},
	{CallEnded, "data.kind", nil, "data.kind", "data.kind must be there"},
	{CallEnded, "data.kind", "sales", "", ""},
	{CallEnded, "data.kind", "private", "data.kind", "data.kind must be one of support, sales"},
	{CallEnded, "data.seconds", 1.5, "data.seconds", "data.seconds must be a whole number"},
	{CallEnded, "data.seconds", -1, "data.seconds", "data.seconds must be at least 0"},
	{CallEnded, "data.queue", 1, "data.queue", "data.queue must be a text"},
	{MeetingHeld, "data.kind", 1, "data.kind", "data.kind must be a text"},
	{MeetingHeld, "data.minutes", -1, "data.minutes", "data.minutes must be at least 0"},
	{MeetingHeld, "data.remote", "no", "data.remote", "data.remote must be true or false"},
	{TrialEnded, "data.plan", 1, "data.plan", "data.plan must be a text"},
	{TrialEnded, "data.days", 0.5, "data.days", "data.days must be a whole number"},
	{TrialEnded, "data.bought", "no", "data.bought", "data.bought must be true or false"},
	{CartAbandoned, "data.total", -1, "data.total", "data.total must be at least 0"},
	{CartAbandoned, "data.currency", "€", "data.currency", "data.currency must be three capital letters (ISO 4217), such as EUR"},
	{CartAbandoned, "data.items.price", -1, "data.items[0].price", "data.items[0].price must be at least 0"},
	{CartAbandoned, "data.shop", 1, "data.shop", "data.shop must be a text"},
	{SubscriptionCancelled, "data.plan", 1, "data.plan", "data.plan must be a text"},
	{SubscriptionCancelled, "data.reason", strings.Repeat("x", 201), "data.reason", "data.reason must be at most 200 characters"},
	{SubscriptionCancelled, "data.endsAt", "1999-01-01T00:00:00Z", "data.endsAt", "data.endsAt must be a time from the year 2000 to 2199"},
	{SubscriptionCancelled, "data.monthly", -1, "data.monthly", "data.monthly must be at least 0"},
	{SubscriptionCancelled, "data.currency", "EURO", "data.currency", "data.currency must be three capital letters (ISO 4217), such as EUR"},
	{Custom, "data", nil, "data", "data must be there"},
	{Custom, "data.name", nil, "data.name", "data.name must be there"},
	{Custom, "data.name", strings.Repeat("x", 100), "", ""},
	{Custom, "data.name", strings.Repeat("x", 101), "data.name", "data.name must be 1 to 100 letters, digits, dots, - and _"},
	{Custom, "data.name", "", "data.name", "data.name must be 1 to 100 letters, digits, dots, - and _"},
	{Custom, "data.name", "warranty repaired", "data.name", "data.name must be 1 to 100 letters, digits, dots, - and _"},
}

func TestMutations(t *testing.T) {
	for _, typ := range Types() {
		for _, c := range changes {
			t.Run(typ+"/"+c.name, func(t *testing.T) {
				o := sample(t, typ)
				put(t, o, c.path, c.value)
				field, want := c.field, strings.ReplaceAll(c.want, "{type}", typ)
				if required := map[string]string{CallEnded: "kind", Custom: "name"}[typ]; required != "" && c.path == "data" {
					// The required field is missing too; the first field is told.
					if _, list := c.value.([]any); !list {
						field, want = "data."+required, "data."+required+" must be there"
					}
				}
				holds(t, encoded(t, o), field, want)
			})
		}
	}
	for _, c := range ofType {
		t.Run(c.typ+"/"+c.path, func(t *testing.T) {
			o := sample(t, c.typ)
			put(t, o, c.path, c.value)
			holds(t, encoded(t, o), c.field, c.want)
		})
	}
}

// TestEveryFieldIsHeld holds the mutations against the schemas: each field of
// each type is in them with a value that is refused.
func TestEveryFieldIsHeld(t *testing.T) {
	refused := map[string]bool{}
	for _, c := range ofType {
		refused[c.typ+" "+strings.ReplaceAll(c.field, "[0]", "")] = true
	}
	for _, typ := range Types() {
		for _, v := range Versions(typ) {
			b, err := Schema(typ, v)
			if err != nil {
				t.Fatal(err)
			}
			var s struct {
				Properties struct{ Data struct{ Properties object } }
			}
			if err := json.Unmarshal(b, &s); err != nil {
				t.Fatal(err)
			}
			for name := range s.Properties.Data.Properties {
				if !refused[typ+" data."+name] && !refused[typ+" data."+name+".price"] {
					t.Errorf("no mutation of %s has data.%s refused", typ, name)
				}
			}
		}
	}
}

func holds(t *testing.T, b []byte, field, want string) {
	t.Helper()
	_, err := Decode(b)
	if want == "" {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("got %v, want %q", err, want)
	}
	if e.Field != field || e.Message != want {
		t.Errorf("got %q: %q, want %q: %q", e.Field, e.Message, field, want)
	}
	if unknown := strings.HasSuffix(want, "is not a field of an event"); e.Unknown != unknown {
		t.Errorf("Unknown is %t", e.Unknown)
	}
}

func TestDecodeRefusesWhatIsNoEvent(t *testing.T) {
	whole := string(encoded(t, sample(t, Custom)))
	for name, c := range map[string]struct{ body, field, want string }{
		"nothing":           {"", "", "an event must be one JSON object and nothing after it"},
		"a list":            {"[" + whole + "]", "", "an event must be one JSON object and nothing after it"},
		"null":              {"null", "", "an event must be one JSON object and nothing after it"},
		"half of one":       {whole[:len(whole)/2], "", "an event must be one JSON object and nothing after it"},
		"two":               {whole + whole, "", "an event must be one JSON object and nothing after it"},
		"deep":              {strings.Repeat("[", 12000), "", "an event must be one JSON object and nothing after it"},
		"Latin-1":           {strings.Replace(whole, "warranty.repaired", "\xe4", 1), "", "an event must be UTF-8"},
		"a vast number":     {strings.Replace(whole, `"days":6`, `"days":1e400`, 1), "", "an event must have no number beyond 1.7e308"},
		"a field twice":     {strings.Replace(whole, `"contact":`, `"contact":{"email":"a@example.com"},"contact":`, 1), "contact", "contact must be there once"},
		"one deeper twice":  {strings.Replace(whole, `"days":6`, `"days":[1,{"a":1,"b":2,"a":3}]`, 1), "data.days[1].a", "data.days[1].a must be there once"},
		"a contact is null": {strings.Replace(whole, `"contact":{`, `"contact":null,"x":{`, 1), "contact", "contact must be an object"},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "nothing" && c.body == whole {
				t.Fatal("the sample is unchanged")
			}
			holds(t, []byte(c.body), c.field, c.want)
		})
	}
}

func TestVersionIsANumberHoweverItIsWritten(t *testing.T) {
	b := bytes.Replace(encoded(t, sample(t, CallEnded)), []byte(`"version":1`), []byte(`"version":1.0e0`), 1)
	if e, err := Decode(b); err != nil || e.Version != 1 {
		t.Errorf("got version %d, %v", e.Version, err)
	}
}

func TestSizeAtItsEdge(t *testing.T) {
	o := sample(t, Custom)
	put(t, o, "data.note", "")
	free := MaxSize - len(encoded(t, o))
	put(t, o, "data.note", strings.Repeat("x", free))
	holds(t, encoded(t, o), "", "")
	put(t, o, "data.note", strings.Repeat("x", free+1))
	holds(t, encoded(t, o), "", "an event must be at most 16384 bytes")

	// Markup is as long as it looks; a number may be longer than it looks.
	put(t, o, "data.note", "")
	note := func(s string) []byte { return bytes.Replace(encoded(t, o), []byte(`""`), []byte(s), 1) }
	holds(t, note(`"`+strings.Repeat("<", free)+`"`), "", "")
	fits := free / 23 // as 1 and 20 zeros, a comma, and the rest of the brackets
	holds(t, note("["+strings.Repeat("1e20,", fits)+"1]"), "", "")
	holds(t, note("["+strings.Repeat("1e20,", fits+100)+"1]"), "", "an event must be at most 16384 bytes")
}

func TestFieldsOfDataAtTheirEdge(t *testing.T) {
	o := sample(t, Custom)
	data := o["data"].(object)
	for i := len(data); i < 100; i++ {
		data[fmt.Sprint("f", i)] = i
	}
	holds(t, encoded(t, o), "", "")
	data["more"] = 1
	holds(t, encoded(t, o), "data", "data must have at most 100 fields")
}

// TestEncodeGivesWhatDecodeTakes, so that what results puts on the bus plan
// can read.
func TestEncodeGivesWhatDecodeTakes(t *testing.T) {
	for _, typ := range Types() {
		e, err := Decode(encoded(t, sample(t, typ)))
		if err != nil {
			t.Fatal(err)
		}
		b, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, again); diff != "" {
			t.Errorf("%s: -once +twice:\n%s", typ, diff)
		}
	}
}

func TestUnknownTypes(t *testing.T) {
	_, err := Sample("purchase")
	if e, ok := errors.AsType[*Error](err); !ok || e.Field != "type" || !strings.Contains(e.Message, "custom") {
		t.Errorf("the sample of no type: %v", err)
	}
	for _, c := range []struct {
		typ     string
		version int
	}{{"purchase", 1}, {Custom, 0}, {Custom, 2}, {"envelope", 1}, {"../schema.go", 1}} {
		if _, err := Schema(c.typ, c.version); err == nil {
			t.Errorf("there is a schema of %s v%d", c.typ, c.version)
		}
	}
	if v := Versions("purchase"); len(v) != 0 {
		t.Errorf("versions %v of no type", v)
	}
}

// TestWordsForEveryRule holds the words of errors against the schemas: each
// pattern and keyword that they use is told in words.
func TestWordsForEveryRule(t *testing.T) {
	told := []string{
		"additionalProperties", "required", "anyOf", "type", "enum", "const", "pattern", "format",
		"minLength", "maxLength", "maxItems", "maxProperties", "minimum",
		"$schema", "$ref", "$defs", "title", "description", "properties", "items", // nothing to break
	}
	seen := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		in, ok := v.(object)
		if !ok {
			return
		}
		for keyword, v := range in {
			if !slices.Contains(told, keyword) {
				t.Errorf("a schema has the keyword %s, of which errors would say nothing", keyword)
			}
			switch keyword {
			case "pattern":
				seen[v.(string)] = true
				if patterns[v.(string)] == "" {
					t.Errorf("there are no words for the pattern %s", v)
				}
			case "format":
				if v != "date-time" {
					t.Errorf("there are no words for the format %s", v)
				}
			case "type":
				if kinds[v.(string)] == "" {
					t.Errorf("there are no words for the type %s", v)
				}
			case "properties", "$defs":
				for _, s := range v.(object) {
					walk(s)
				}
			case "items":
				walk(v)
			case "anyOf":
				for _, s := range v.([]any) {
					walk(s)
				}
			}
		}
	}
	entries, err := os.ReadDir("schemas")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join("schemas", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		var o object
		if err := json.Unmarshal(b, &o); err != nil {
			t.Fatal(err)
		}
		walk(o)
	}
	if len(seen) != len(patterns) {
		t.Errorf("there are words for %d patterns, the schemas have %d", len(patterns), len(seen))
	}
}

// TestEnvelopeIsOfTheTypes holds the schema of the envelope against the Go
// types that are read from it.
func TestEnvelopeIsOfTheTypes(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("schemas", "envelope.v1.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Properties object
		Defs       struct {
			Contact struct{ Properties object }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		of     reflect.Type
		fields object
	}{{reflect.TypeFor[Event](), s.Properties}, {reflect.TypeFor[Contact](), s.Defs.Contact.Properties}} {
		if c.of.NumField() != len(c.fields) {
			t.Errorf("%s has %d fields, its schema %d", c.of, c.of.NumField(), len(c.fields))
		}
		for f := range c.of.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if c.fields[name] == nil {
				t.Errorf("%s.%s is no field of the schema", c.of, name)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, typ := range Types() {
		b, err := Sample(typ)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, c := range changes {
		o := sample(f, Custom)
		put(f, o, c.path, c.value)
		f.Add(encoded(f, o))
	}
	f.Add([]byte(`{"type":"custom","version":1e0,"id":"\u0000"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Decode(b)
		if err != nil {
			told, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("a fault of ours: %v", err)
			}
			if !strings.HasPrefix(told.Message, told.Field) || told.Message == "" {
				t.Fatalf("the message %q does not begin with %q", told.Message, told.Field)
			}
			return
		}
		again, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		same, err := Decode(again)
		if err != nil {
			t.Fatalf("what was taken is refused when written again: %v", err)
		}
		if !reflect.DeepEqual(same.Data, e.Data) {
			t.Fatalf("the data change: %v, %v", e.Data, same.Data)
		}
	})
}
