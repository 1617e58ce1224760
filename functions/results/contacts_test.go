package results

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// book is rules in memory.
type book survey.Rules

func (b book) Rulebook(context.Context) (*asking.Rulebook, error) {
	return asking.NewRulebook(survey.Rules(b)), nil
}

// noContacts is a store of contacts that has, and can do, nothing.
type noContacts struct{ err error }

func (n noContacts) Contact(context.Context, string) (*survey.Contact, error) { return nil, n.err }
func (n noContacts) FindContact(context.Context, string, string) (*survey.Contact, error) {
	return nil, n.err
}
func (n noContacts) ListContacts(context.Context, string, int) ([]*survey.Contact, string, error) {
	return nil, "", n.err
}
func (n noContacts) AddContact(context.Context, string, survey.Details, time.Time) (*survey.Contact, error) {
	return nil, n.err
}
func (n noContacts) ChangeContact(context.Context, string, int, func(*survey.Contact) error, time.Time) (*survey.Contact, error) {
	return nil, n.err
}
func (n noContacts) DeleteContact(context.Context, string) error { return n.err }

// caller calls a handler as the gateway does.
type caller struct {
	t testing.TB
	h *Handler
}

// do makes a request, of JSON where body is not "", to a path of a route.
func (c caller) do(route, id, query, body string) apigw.Response {
	c.t.Helper()
	r := apigw.Request{RouteKey: route, RawQueryString: query, Body: body, Headers: map[string]string{}}
	if id != "" {
		r.PathParameters = map[string]string{"id": id}
	}
	if body != "" {
		r.Headers["content-type"] = "application/json; charset=utf-8"
	}
	resp, err := c.h.Handle(c.t.Context(), testkit.SignedIn(r, "admin"))
	if err != nil {
		c.t.Fatal(err)
	}
	return resp
}

// want reads the answer into v, and fails the test where its status is another.
func (c caller) want(resp apigw.Response, status int, v any) {
	c.t.Helper()
	if resp.StatusCode != status {
		c.t.Fatalf("status %d, want %d: %s", resp.StatusCode, status, resp.Body)
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal([]byte(resp.Body), v); err != nil {
		c.t.Fatalf("%v in %s", err, resp.Body)
	}
}

// refused fails the test unless the answer is an error with this code and field.
func (c caller) refused(resp apigw.Response, status int, code survey.Code, field, message string) {
	c.t.Helper()
	var got struct {
		Error struct {
			Code           survey.Code
			Field, Message string
		}
	}
	if err := json.Unmarshal([]byte(resp.Body), &got); err != nil {
		c.t.Fatalf("%d: %v in %q", resp.StatusCode, err, resp.Body)
	}
	e := got.Error
	if resp.StatusCode != status || e.Code != code || e.Field != field || !strings.Contains(e.Message, message) {
		c.t.Errorf("got %d %s on %q: %s; want %d %s on %q: %s", resp.StatusCode, e.Code, e.Field, e.Message, status, code, field, message)
	}
}

func (c caller) add(body string) contact {
	c.t.Helper()
	var got contact
	resp := c.do("POST /api/contacts", "", "", body)
	c.want(resp, http.StatusCreated, &got)
	if resp.Headers["location"] != "/api/contacts/"+got.ID || survey.CheckID("id", got.ID) != nil {
		c.t.Errorf("id %q, location %q", got.ID, resp.Headers["location"])
	}
	return got
}

// onTables returns a handler on fresh tables, whose clock stands at noon.
func onTables(t *testing.T) (caller, *testkit.Tables, *testkit.Clock) {
	tables := testkit.NewTables(t)
	clock := testkit.NewClock(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC))
	catalog := store.NewCatalog(tables.Store, clock.Now)
	return caller{t, &Handler{
		Sheets: tables.Store, Feed: tables.Store, Annotations: tables.Store, Shares: tables.Store, Touchpoints: catalog, Definitions: catalog, Contacts: tables.Store, History: tables.Store, Rules: catalog, Audit: tables.Store,
		Bus: &bus{}, Zone: helsinki, Now: clock.Now,
	}}, tables, clock
}

// bus is a bus in memory.
type bus struct {
	source string
	got    []events.Event
	err    error
}

func (b *bus) Put(_ context.Context, source string, es ...events.Event) error {
	if b.err != nil {
		return b.err
	}
	b.source, b.got = source, append(b.got, es...)
	return nil
}

const aino = `{"ref":" C-1001 ","email":" Aino.Virtanen@Esimerkki.FI","phone":"040 123 4567","firstName":"Aino","lastName":"Virtanen",
	"company":"Esimerkki Oy","locale":"sv","zone":"Europe/Stockholm","segments":["vip","plan=gold"],"optOut":["sms"]}`

func TestAddContact(t *testing.T) {
	c, _, clock := onTables(t)
	got := c.add(aino)
	now := clock.Now().UTC()
	want := contact{
		ID: got.ID, Version: 1, Ref: "C-1001", Email: "aino.virtanen@esimerkki.fi", Phone: "+358401234567",
		FirstName: "Aino", LastName: "Virtanen", Company: "Esimerkki Oy", Locale: "sv", Zone: "Europe/Stockholm",
		Segments: []string{"plan=gold", "vip"}, OptOuts: map[survey.Channel]time.Time{survey.SMS: now},
		CreatedAt: &now, ChangedAt: &now,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("added: -want +got:\n%s", diff)
	}
	var read contact
	c.want(c.do("GET /api/contacts/{id}", got.ID, "", ""), http.StatusOK, &read)
	if diff := cmp.Diff(got, read); diff != "" {
		t.Errorf("read again: -want +got:\n%s", diff)
	}

	only := c.add(`{"email":"b@example.com","phone":null}`)
	want = contact{
		ID: only.ID, Version: 1, Email: "b@example.com", Zone: "Europe/Helsinki", Segments: []string{}, OptOuts: map[survey.Channel]time.Time{},
		CreatedAt: &now, ChangedAt: &now,
	}
	if diff := cmp.Diff(want, only); diff != "" {
		t.Errorf("by address alone: -want +got:\n%s", diff)
	}
	resp := c.do("GET /api/contacts/{id}", only.ID, "", "")
	for _, shape := range []string{`"segments":[]`, `"optOuts":{}`, `"lastAskedAt":null`, `"ref":""`} {
		if !strings.Contains(resp.Body, shape) {
			t.Errorf("there is no %s in %s", shape, resp.Body)
		}
	}
	if resp.Headers["cache-control"] != "no-store" {
		t.Errorf("personal data with cache-control %q", resp.Headers["cache-control"])
	}
}

func TestAddContactRefuses(t *testing.T) {
	c, _, _ := onTables(t)
	first := c.add(aino)
	long := strings.Repeat
	tests := []struct {
		name, body string
		status     int
		code       survey.Code
		field, msg string
	}{
		{"a taken ref", `{"ref":"C-1001","email":"x@example.com"}`, 409, survey.Conflict, "ref", "ref belongs to another contact"},
		{"a taken e-mail address", `{"ref":"C-1002","email":"AINO.virtanen@esimerkki.fi"}`, 409, survey.Conflict, "email", "email belongs to another contact"},
		{"a taken phone number", `{"ref":"C-1002","phone":"+358 40 1234567"}`, 409, survey.Conflict, "phone", "phone belongs to another contact"},
		{"nothing that identifies", `{"firstName":"Aino"}`, 400, survey.Invalid, "email", "needs an e-mail address, a phone number or a ref"},
		{"white space for an address", `{"email":"  "}`, 400, survey.Invalid, "email", "needs an e-mail address, a phone number or a ref"},
		{"no e-mail address", `{"email":"aino"}`, 400, survey.Invalid, "email", "has no @"},
		{"letters in a phone number", `{"phone":"040 CALL ME"}`, 400, survey.Invalid, "phone", "must not contain letters"},
		{"a good and a bad address", `{"email":"y@example.com","phone":"12"}`, 400, survey.Invalid, "phone", "phone number"},
		{"a ref of 65", `{"ref":"` + long("x", 65) + `"}`, 400, survey.Invalid, "ref", "ref must be at most 64 characters"},
		{"a first name of 101", `{"ref":"a","firstName":"` + long("ä", 101) + `"}`, 400, survey.Invalid, "firstName", "firstName must be at most 100 characters"},
		{"a last name of two lines", `{"ref":"a","lastName":"a\nb"}`, 400, survey.Invalid, "lastName", "lastName must not contain control characters"},
		{"a company of 101", `{"ref":"a","company":"` + long("x", 101) + `"}`, 400, survey.Invalid, "company", "company must be at most 100 characters"},
		{"a locale", `{"ref":"a","locale":"suomi"}`, 400, survey.Invalid, "locale", "locale must be a language"},
		{"a zone", `{"ref":"a","zone":"Helsinki"}`, 400, survey.Invalid, "zone", "zone must be a time zone"},
		{"a segment", `{"ref":"a","segments":["vip","a/b"]}`, 400, survey.Invalid, "segments", "segments must be made of"},
		{"21 segments", `{"ref":"a","segments":["` + strings.Join(slices.Repeat([]string{"vip"}, 21), `","`) + `"]}`, 400, survey.Invalid, "segments", "segments must be at most 20"},
		{"segments that are a text", `{"ref":"a","segments":"vip"}`, 400, survey.Invalid, "segments", "segments must be a list, not string"},
		{"an opt-out of a kiosk", `{"ref":"a","optOut":["kiosk"]}`, 400, survey.Invalid, "optOut", "optOut must be of email, sms"},
		{"a version", `{"ref":"a","version":1}`, 400, survey.UnknownField, "version", "version is not a field of this request"},
		{"an unknown field", `{"ref":"a","Email":"x@example.com"}`, 400, survey.UnknownField, "Email", "Email is not a field of this request"},
		{"a field twice", `{"ref":"a","ref":"b"}`, 400, survey.Invalid, "ref", "ref must be there once"},
		{"a number for a text", `{"ref":7}`, 400, survey.Invalid, "ref", "ref must be a text, not number"},
		{"a list", `[]`, 400, survey.Invalid, "body", "body must be a JSON object"},
		{"a body over its limit", `{"ref":"a","company":"` + long("x", apigw.MaxBody) + `"}`, 413, survey.TooLarge, "body", "body must be at most 16384 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := caller{t, c.h}
			c.refused(c.do("POST /api/contacts", "", "", tt.body), tt.status, tt.code, tt.field, tt.msg)
		})
	}
	c.refused(c.do("POST /api/contacts", "", "", ""), 415, survey.UnsupportedType, "content-type", "must be application/json")
	c.refused(c.do("POST /api/contacts", "", "dry=1", `{"ref":"a"}`), 400, survey.UnknownField, "dry", "dry is not a parameter of this request, which has none")

	var list contactList
	c.want(c.do("GET /api/contacts", "", "", ""), http.StatusOK, &list)
	if len(list.Contacts) != 1 || list.Contacts[0].ID != first.ID || list.Contacts[0].Version != 1 {
		t.Errorf("after all that: %+v", list)
	}
}

// TestContactAtItsLimits adds the longest of everything, in a body of exactly
// the limit.
func TestContactAtItsLimits(t *testing.T) {
	c, _, _ := onTables(t)
	segments := make([]string, survey.MaxContactSegments)
	for i := range segments {
		segments[i] = fmt.Sprintf("%02d%s=%s", i, strings.Repeat("ä", survey.MaxAttrKey-2), strings.Repeat("ö", survey.MaxAttrKey))
	}
	b, err := json.Marshal(map[string]any{
		"ref": strings.Repeat("ä", survey.MaxContactRef), "firstName": strings.Repeat("ä", survey.MaxContactName),
		"lastName": strings.Repeat("ä", survey.MaxContactName), "company": strings.Repeat("ä", survey.MaxContactName),
		"email": strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 61)+".", 3) + "fi", "segments": segments, "optOut": []string{"sms", "email"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := c.add(string(b) + strings.Repeat(" ", apigw.MaxBody-len(b)))
	if len(got.Segments) != survey.MaxContactSegments || len(got.OptOuts) != 2 {
		t.Errorf("%d segments, %d opt-outs", len(got.Segments), len(got.OptOuts))
	}
}

func TestChangeContact(t *testing.T) {
	c, _, clock := onTables(t)
	first := c.add(aino)
	before := clock.Now().UTC()
	clock.Move(time.Hour)
	now := clock.Now().UTC()

	var got contact
	patch := func(body string) contact {
		t.Helper()
		var out contact
		c.want(c.do("PATCH /api/contacts/{id}", first.ID, "", body), http.StatusOK, &out)
		return out
	}
	want := first
	if got = patch(`{}`); !cmp.Equal(first, got) {
		t.Errorf("a change of nothing: %s", cmp.Diff(first, got))
	}
	if got = patch(`{"company":"Esimerkki Oy","segments":["plan=gold","vip"],"version":1,"optOut":["sms"],"email":"AINO.VIRTANEN@esimerkki.fi"}`); !cmp.Equal(first, got) {
		t.Errorf("a change to what is: %s", cmp.Diff(first, got))
	}
	got = patch(`{"version":1,"firstName":"Aino-Maija","phone":"+46 70 123 45 67","segments":["b2b"],"optOut":["email","sms"]}`)
	want.Version, want.FirstName, want.Phone, want.Segments, want.ChangedAt = 2, "Aino-Maija", "+46701234567", []string{"b2b"}, &now
	want.OptOuts = map[survey.Channel]time.Time{survey.SMS: before, survey.Email: now}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a change: -want +got:\n%s", diff)
	}
	got = patch(`{"ref":null,"phone":null,"firstName":null,"lastName":"","company":null,"locale":null,"zone":null,"segments":null,"version":null}`)
	want = contact{
		ID: first.ID, Version: 3, Email: first.Email, Zone: "Europe/Helsinki", Segments: []string{}, OptOuts: want.OptOuts,
		CreatedAt: &before, ChangedAt: &now,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("all removed: -want +got:\n%s", diff)
	}
	// What was given up is free, and comes with the opt-outs of who gave it up.
	other := c.add(`{"ref":"C-1001","phone":"040 123 4567"}`)
	if !cmp.Equal(other.OptOuts, want.OptOuts) {
		t.Errorf("opt-outs %v, want those of the last holder: %v", other.OptOuts, want.OptOuts)
	}

	for _, tt := range []struct {
		name, body string
		status     int
		code       survey.Code
		field, msg string
	}{
		{"an old version", `{"version":2,"company":"A"}`, 409, survey.Conflict, "version", "read it again"},
		{"a version to come", `{"version":4,"company":"A"}`, 409, survey.Conflict, "version", "read it again"},
		{"version 0", `{"version":0}`, 400, survey.Invalid, "version", "version must be a whole number from 1"},
		{"half a version", `{"version":1.5}`, 400, survey.Invalid, "version", "version must be a number"},
		{"a taken ref", `{"ref":"C-1001"}`, 409, survey.Conflict, "ref", "ref belongs to another contact"},
		{"a taken phone number", `{"phone":"0401234567"}`, 409, survey.Conflict, "phone", "phone belongs to another contact"},
		{"the last address", `{"email":null}`, 400, survey.Invalid, "email", "needs an e-mail address, a phone number or a ref"},
		{"a bad address", `{"email":"a@b"}`, 400, survey.Invalid, "email", "no dot after the @"},
		{"a bad zone", `{"zone":"Local"}`, 400, survey.Invalid, "zone", "zone must be a time zone"},
		{"an opt-in", `{"optOut":["email"]}`, 403, survey.Forbidden, "optOut", "optOut must have sms: only the person can opt in again"},
		{"an opt-in to all", `{"optOut":[]}`, 403, survey.Forbidden, "optOut", "only the person can opt in again"},
		{"an opt-in by null", `{"optOut":null}`, 403, survey.Forbidden, "optOut", "only the person can opt in again"},
		{"an opt-out of a widget", `{"optOut":["email","sms","widget"]}`, 400, survey.Invalid, "optOut", "optOut must be of email, sms"},
		{"an unknown field", `{"optOuts":{}}`, 400, survey.UnknownField, "optOuts", "optOuts is not a field"},
		{"no object", `"company"`, 400, survey.Invalid, "body", "must be a JSON object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := caller{t, c.h}
			c.refused(c.do("PATCH /api/contacts/{id}", first.ID, "", tt.body), tt.status, tt.code, tt.field, tt.msg)
		})
	}
	if again := patch(`{}`); !cmp.Equal(want, again) {
		t.Errorf("after what was refused: %s", cmp.Diff(want, again))
	}
	c.refused(c.do("PATCH /api/contacts/{id}", survey.NewID(), "", `{}`), 404, survey.NotFound, "contact", "there is no such contact")
	c.refused(c.do("PATCH /api/contacts/{id}", other.ID, "", ""), 415, survey.UnsupportedType, "content-type", "must be application/json")
	c.refused(c.do("PATCH /api/contacts/{id}", "short", "", `{}`), 400, survey.Invalid, "id", "id must be 22 characters")
	// null for an opt-out that is not there takes nothing away.
	var same contact
	free := c.add(`{"ref":"C-2002"}`)
	c.want(c.do("PATCH /api/contacts/{id}", free.ID, "", `{"optOut":null}`), http.StatusOK, &same)
	if !cmp.Equal(free, same) {
		t.Errorf("null for no opt-outs: %s", cmp.Diff(free, same))
	}
}

func TestDeleteContact(t *testing.T) {
	c, _, _ := onTables(t)
	got := c.add(aino)
	resp := c.do("DELETE /api/contacts/{id}", got.ID, "", "")
	if c.want(resp, http.StatusNoContent, nil); resp.Body != "" {
		t.Errorf("a body: %s", resp.Body)
	}
	for _, route := range []string{"GET /api/contacts/{id}", "DELETE /api/contacts/{id}", "GET /api/contacts/{id}/why"} {
		c.refused(c.do(route, got.ID, "", ""), 404, survey.NotFound, "contact", "there is no such contact")
		c.refused(c.do(route, got.ID+"x", "", ""), 400, survey.Invalid, "id", "id must be 22 characters")
		c.refused(c.do(route, got.ID, "force=1", ""), 400, survey.UnknownField, "force", "which has none")
	}
	// Who comes back by the same address is still opted out.
	if again := c.add(aino); again.ID == got.ID || len(again.OptOuts) != 1 {
		t.Errorf("added again: %+v", again)
	}
	if again := c.add(`{"email":"c@example.com"}`); len(again.OptOuts) != 0 {
		t.Errorf("somebody else is opted out: %+v", again)
	}
}

func TestListContacts(t *testing.T) {
	c, _, _ := onTables(t)
	var list contactList
	resp := c.do("GET /api/contacts", "", "", "")
	if c.want(resp, http.StatusOK, &list); resp.Body != `{"contacts":[],"cursor":null}` {
		t.Errorf("nobody: %s", resp.Body)
	}
	want := map[string]bool{}
	for i := range 7 {
		want[c.add(fmt.Sprintf(`{"ref":"C-%d"}`, i)).ID] = true
	}
	for _, limit := range []int{1, 3, 7, 200} {
		got := map[string]bool{}
		query := fmt.Sprint("limit=", limit)
		for range 20 {
			list = contactList{}
			c.want(c.do("GET /api/contacts", "", query, ""), http.StatusOK, &list)
			if len(list.Contacts) > limit {
				t.Errorf("%d contacts, the limit is %d", len(list.Contacts), limit)
			}
			for _, k := range list.Contacts {
				if got[k.ID] {
					t.Errorf("%s is there twice", k.ID)
				}
				got[k.ID] = true
			}
			if list.Cursor == nil {
				break
			}
			query = fmt.Sprintf("limit=%d&cursor=%s", limit, *list.Cursor)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by %d: -want +got:\n%s", limit, diff)
		}
	}
	for _, tt := range []struct{ query, field, msg string }{
		{"limit=0", "limit", "limit must be a whole number from 1 to 200"},
		{"limit=201", "limit", "limit must be a whole number from 1 to 200"},
		{"limit=-1", "limit", "limit must be a whole number from 1 to 200"},
		{"limit=07", "limit", "limit must be a whole number from 1 to 200"},
		{"limit=ten", "limit", "limit must be a whole number from 1 to 200"},
		{"limit=", "limit", "limit must be a whole number from 1 to 200"},
		{"limit=5&limit=6", "limit", "limit must be there once"},
		{"cursor=", "cursor", "cursor must be 22 characters"},
		{"cursor=abc", "cursor", "cursor must be 22 characters"},
		{"email=a", "email", "has no @"},
		{"phone=CALL", "phone", "must not contain letters"},
		{"ref=+", "ref", "ref must not be empty"},
		{"ref=a&limit=1", "ref", "ref must be given alone"},
		{"ref=a&email=a@example.com", "ref", "ref must be given alone"},
		{"%zz", "query", "percent-encoded"},
	} {
		t.Run(tt.query, func(t *testing.T) {
			c := caller{t, c.h}
			c.refused(c.do("GET /api/contacts", "", tt.query, ""), 400, survey.Invalid, tt.field, tt.msg)
		})
	}
	c.refused(c.do("GET /api/contacts", "", "name=Aino", ""), 400, survey.UnknownField, "name", "there are cursor, limit, email, phone, ref")
}

// TestUsualLimit holds the number of contacts that a list has where the client
// names none.
func TestUsualLimit(t *testing.T) {
	var asked int
	h := &Handler{Contacts: listed{noContacts{}, func(limit int) { asked = limit }}}
	caller{t, h}.want(caller{t, h}.do("GET /api/contacts", "", "", ""), http.StatusOK, nil)
	if asked != 50 {
		t.Errorf("a list of %d", asked)
	}
}

type listed struct {
	noContacts
	limit func(int)
}

func (l listed) ListContacts(_ context.Context, _ string, limit int) ([]*survey.Contact, string, error) {
	l.limit(limit)
	return nil, "", nil
}

func TestFindContact(t *testing.T) {
	c, _, _ := onTables(t)
	a := c.add(aino)
	b := c.add(`{"email":"b+news@example.com","phone":"+46701234567"}`)
	for query, want := range map[string]string{
		"ref=C-1001":                           a.ID,
		"ref=%20C-1001":                        a.ID,
		"email=Aino.Virtanen%40esimerkki.fi":   a.ID,
		"email=%20aino.virtanen@esimerkki.fi+": a.ID,
		"phone=0401234567":                     a.ID, // of the deployment's country
		"phone=%2B358401234567":                a.ID,
		"phone=+358401234567":                  a.ID, // + not encoded
		"email=b+news@example.com":             b.ID,
		"email=b%2Bnews@example.com":           b.ID,
		"phone=%2B46%2070-123%2045%2067":       b.ID,
		"ref=c-1001":                           "",
		"email=nobody@example.com":             "",
		"phone=0407654321":                     "",
	} {
		var list contactList
		c.want(c.do("GET /api/contacts", "", query, ""), http.StatusOK, &list)
		var got string
		for _, k := range list.Contacts {
			got += k.ID
		}
		if got != want || list.Cursor != nil {
			t.Errorf("%s: got %q with cursor %v, want %q", query, got, list.Cursor, want)
		}
	}
}

func TestWhy(t *testing.T) {
	c, tables, clock := onTables(t)
	k := c.add(`{"ref":"C-1","email":"a@example.com","zone":"Asia/Tokyo"}`)
	ctx := t.Context()
	tp := touchpoint("shop-nps", survey.NPS, 1)
	if err := tables.Store.PutTouchpoint(ctx, nil, tp); err != nil {
		t.Fatal(err)
	}
	day := func(d int) time.Time { return time.Date(2026, 11, d, 7, 0, 0, 0, time.UTC) }
	askIDs := []string{survey.NewID(), survey.NewID(), survey.NewID()}
	for _, d := range []survey.Decision{
		{Contact: k.ID, Touchpoint: "shop-nps", Occasion: "2026Q4", Verdict: survey.WasAsked, At: day(2), Due: day(2), Channel: survey.Email, Ask: askIDs[0]},
		{Contact: k.ID, Touchpoint: "support-csat", Occasion: "ticket.closed/8123", Verdict: survey.Refused, Reason: survey.OtherAsked, Other: "shop-nps", At: day(9), Due: day(9), Until: day(2).AddDate(0, 0, 30)},
		{Contact: k.ID, Touchpoint: "cart-ces", Occasion: "cart.abandoned/9", Verdict: survey.Planned, At: day(20), Due: day(27), Channel: survey.Email},
		{Contact: survey.NewID(), Touchpoint: "shop-nps", Occasion: "2026Q4", Verdict: survey.Refused, Reason: survey.NoAddress, At: day(2), Due: day(2)},
	} {
		if err := tables.Store.PutDecision(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	for i, at := range []time.Time{day(2), day(3), day(4)} {
		a := &survey.Ask{
			ID: askIDs[i], Touchpoint: tp.ID, Series: 1, Metric: tp.Metric, Channel: survey.Email, Locale: "fi",
			Contact: k.ID, Occasion: survey.Occasion(fmt.Sprint("2026Q", i+2)), AskedAt: at,
		}
		if err := tables.Store.CreateAsk(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	if err := tables.Store.MarkSent(ctx, askIDs[0], day(2).Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	answered := survey.Answer{Score: 9, Via: survey.ViaHuman}
	if _, err := tables.Store.Answer(ctx, askIDs[0], answered, clock.Now()); err != nil {
		t.Fatal(err)
	}
	resp := c.do("GET /api/contacts/{id}/why", k.ID, "", "")
	var got explanation
	c.want(resp, http.StatusOK, &got)
	at := func(d int) *time.Time { return new(day(d)) }
	want := explanation{
		Contact: k,
		Decisions: []decision{
			{Touchpoint: "cart-ces", Occasion: "cart.abandoned/9", Verdict: "planned", At: at(20), Due: at(27), Channel: "email",
				Words: "Will be asked by e-mail about cart.abandoned (9) on Fri 27 Nov 2026 at 16:00."},
			{Touchpoint: "support-csat", Occasion: "ticket.closed/8123", Verdict: "refused", Reason: "rest", At: at(9), Due: at(9), Until: new(day(2).AddDate(0, 0, 30)), Other: "shop-nps",
				Words: "Not asked about ticket.closed (8123) on Mon 9 Nov 2026 at 16:00: another question (Web shop) was sent too shortly before; the contact can be asked again from Wed 2 Dec 2026 at 16:00."},
			{Touchpoint: "shop-nps", Occasion: "2026Q4", Verdict: "asked", At: at(2), Due: at(2), Channel: "email",
				Words: "Asked by e-mail about 2026Q4 on Mon 2 Nov 2026 at 16:00."},
		},
		Asks: []ask{
			{Touchpoint: "shop-nps", Occasion: "2026Q4", AskedAt: at(4)},
			{Touchpoint: "shop-nps", Occasion: "2026Q3", AskedAt: at(3)},
			{Touchpoint: "shop-nps", Occasion: "2026Q2", AskedAt: at(2), SentAt: new(day(2).Add(time.Second)), Answered: true, Score: new(9)},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, id := range askIDs {
		if strings.Contains(resp.Body, id) {
			t.Errorf("the id of an ask is in %s", resp.Body)
		}
	}
}

func TestASuspectAnswerIsNone(t *testing.T) {
	h := &Handler{Contacts: one{}, History: history{asks: []*survey.Ask{{Touchpoint: "shop", Score: 3, Trust: survey.Suspect}}}, Touchpoints: definitions{}}
	var got explanation
	caller{t, h}.want(caller{t, h}.do("GET /api/contacts/{id}/why", survey.NewID(), "", ""), http.StatusOK, &got)
	if diff := cmp.Diff([]ask{{Touchpoint: "shop"}}, got.Asks); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// one is a store with one contact.
type one struct{ noContacts }

func (one) Contact(_ context.Context, id string) (*survey.Contact, error) {
	return &survey.Contact{ID: id, Version: 1, Ref: "C-1", Zone: "Europe/Helsinki"}, nil
}

type history struct {
	decisions []survey.Decision
	asks      []*survey.Ask
	err       error // of the asks
}

func (h history) Decisions(context.Context, string) ([]survey.Decision, error) {
	return h.decisions, nil
}
func (h history) AsksOf(context.Context, string) ([]*survey.Ask, error) { return h.asks, h.err }

// TestFailuresOfContactsAreOpaque: what the tables say stays inside.
func TestFailuresOfContactsAreOpaque(t *testing.T) {
	broken := noContacts{errors.New("the table is on fire")}
	for _, h := range []*Handler{
		{Contacts: broken, Rules: book{}, Audit: &ledger{}, Now: time.Now},
		{Contacts: one{noContacts: broken}, History: history{err: broken.err}, Rules: book{}, Audit: &ledger{}, Now: time.Now},
	} {
		c := caller{t, h}
		for route, body := range map[string]string{
			"GET /api/contacts": "", "POST /api/contacts": `{"ref":"a"}`, "PATCH /api/contacts/{id}": "{}",
			"DELETE /api/contacts/{id}": "", "GET /api/contacts/{id}/why": "",
		} {
			resp := c.do(route, survey.NewID(), "", body)
			if resp.StatusCode != http.StatusInternalServerError || strings.Contains(resp.Body, "fire") {
				t.Errorf("%s: got %d %s", route, resp.StatusCode, resp.Body)
			}
		}
		if resp := c.do("GET /api/contacts", "", "ref=a", ""); resp.StatusCode != http.StatusInternalServerError || strings.Contains(resp.Body, "fire") {
			t.Errorf("a search: got %d %s", resp.StatusCode, resp.Body)
		}
	}
}

func FuzzDecodeDetails(f *testing.F) {
	for _, s := range []string{aino, `{}`, `{"version":null,"email":null}`, `{"segments":[null]}`, `{"optOut":["email","email"]}`, `{"ref":"\u0000"}`, `{"email":`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := decodeDetails(b)
		if err != nil {
			if survey.CodeOf(err) == survey.Internal {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		c := survey.Contact{OptOuts: map[survey.Channel]time.Time{survey.Email: time.Unix(0, 0)}}
		if err := d.change(&c, time.Unix(1, 0)); err != nil && survey.CodeOf(err) != survey.Forbidden {
			t.Fatal(err)
		}
		if at, out := c.OptOuts[survey.Email]; !out || !at.Equal(time.Unix(0, 0)) {
			t.Fatalf("opted in again by %s", b)
		}
	})
}
