package results

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/signin"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// ledger is an audit log in memory.
type ledger struct {
	entries []survey.AuditEntry
	err     error
	// recorded is called with each entry before it is there; nil for nothing.
	recorded func(survey.AuditEntry)
}

func (l *ledger) Record(_ context.Context, d survey.AuditEntry) error {
	if l.err != nil {
		return l.err
	}
	if err := d.Check(); err != nil {
		return err
	}
	if l.recorded != nil {
		l.recorded(d)
	}
	l.entries = append(l.entries, d)
	return nil
}

func (l *ledger) AuditEntries(context.Context, store.AuditQuery) ([]survey.AuditEntry, string, error) {
	all := slices.Clone(l.entries)
	slices.Reverse(all)
	return all, "", l.err
}

// unrecorded are the routes that are no GET and change nothing that an
// administrator answers for: a plan and a preview only ask, and business events
// are what other systems tell, as those that come over the bus.
var unrecorded = []string{routePlan, routePreview, "POST /api/events"}

// changing is a request that changes something, and what the log tells of it.
type changing struct {
	route, id, query, body string
	status                 int
	action                 survey.Action
	subject                string // "" for one that is made
	before, after          string // "" for none
}

// everyItem returns all that the tables have, but for the audit log.
func everyItem(t testing.TB, s *store.Store) map[string][]store.Text {
	t.Helper()
	out := map[string][]store.Text{}
	for _, table := range topology.Tables() {
		if table.Name == topology.Audit.Name {
			continue
		}
		err := s.EachStored(t.Context(), table, func(it store.Stored) error {
			out[table.Name+" "+it.Key] = it.Texts
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestEveryChangeIsRecorded makes a request of every route that changes
// something, or takes data out: the log has it before anything changes, nothing
// changes where the log cannot be told, and nothing about a customer is in it, nor what
// administrators write freely.
func TestEveryChangeIsRecorded(t *testing.T) {
	c, tables, _ := onTables(t)
	shop := touchpoint("shop-nps", survey.NPS, 1)
	if err := tables.Store.PutTouchpoint(t.Context(), nil, shop); err != nil {
		t.Fatal(err)
	}
	stopped := *shop
	stopped.Stopped = true
	known, gone := c.add(aino), c.add(`{"ref":"C-2","email":"poistuva@esimerkki.fi"}`)
	mark := survey.Annotation{ID: survey.NewID(), Date: "2026-11-01", Text: "Aino valitti", By: "u0", At: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)}
	if err := tables.Store.AddAnnotation(t.Context(), mark); err != nil {
		t.Fatal(err)
	}
	key := survey.NewID()
	view := survey.Share{ID: survey.ShareID(key), Name: "Ainolle", View: survey.View{Page: survey.OverviewPage, Last: 12}, By: "u0", At: mark.At}
	if err := tables.Store.AddShare(t.Context(), view); err != nil {
		t.Fatal(err)
	}
	put := func(version int, change string) string {
		return fmt.Sprintf(`{"version":%d,"definition":%s}`, version, declaredOf(t, shop, change))
	}
	markIs := func(text, date string, version int) string {
		return fmt.Sprintf(`{"id":%q,"touchpoint":null,"date":%q,"text":%d,"by":"u0","at":"2026-11-02T00:00:00Z","version":%d}`, mark.ID, date, len(text), version)
	}
	shareIs := func(id, name, by, at string) string {
		return fmt.Sprintf(`{"id":%q,"name":%d,"view":{"page":"overview","last":12},"comments":false,"expires":null,"by":%q,"at":%q}`, id, len(name), by, at)
	}
	const made = "00000000-0000-4000-8000-000000000001"
	// In what is wanted $ID is the entry's subject, and of a touchpoint only some
	// fields are told.
	cases := []changing{
		{routePut, "shop-nps", "", put(1, `{"goal":50}`), 200, survey.TouchpointPut, "shop-nps", `{"id":"shop-nps","version":1}`, `{"id":"shop-nps","version":2,"goal":50}`},
		{routePut, "shop-nps", "", put(2, `{"stopped":true}`), 200, survey.TouchpointStop, "shop-nps", `{"version":2,"goal":50}`, `{"version":3,"stopped":true}`},
		{routePut, "new", "", strings.Replace(put(0, `{"id":"new"}`), "shop-nps", "new", 1), 201, survey.TouchpointPut, "new", "", `{"id":"new","version":1,"metric":"nps"}`},
		{"POST /api/contacts", "", "", `{"ref":"C-3","firstName":"Eino"}`, 201, survey.ContactAdd, "", "", `{"version":1,"fields":["ref","firstName"]}`},
		{"PATCH /api/contacts/{id}", known.ID, "", `{"email":"aino@uusi.fi","lastName":"Virtanen","segments":[]}`, 200, survey.ContactChange, survey.Fingerprint(known.ID), `{"version":1}`, `{"version":2,"fields":["email","segments"]}`},
		{"DELETE /api/contacts/{id}", gone.ID, "", "", 204, survey.ContactDelete, survey.Fingerprint(gone.ID), `{"version":1,"fields":["ref","email","zone"]}`, ""},
		{"POST /api/annotations", "", "", `{"date":"2026-11-03","text":"Eino älisi"}`, 201, survey.AnnotationAdd, "", "",
			`{"id":"$ID","touchpoint":null,"date":"2026-11-03","text":10,"by":"` + made + `","at":"2026-11-21T10:00:00Z","version":1}`},
		{"PATCH /api/annotations/{id}", mark.ID, "", `{"text":"Aino kehui"}`, 200, survey.AnnotationChange, mark.ID, markIs("Aino valitti", "2026-11-01", 1), markIs("Aino kehui", "2026-11-01", 2)},
		{"DELETE /api/annotations/{id}", mark.ID, "", "", 204, survey.AnnotationDelete, mark.ID, markIs("Aino kehui", "2026-11-01", 2), ""},
		{"POST /api/shares", "", "", `{"name":"Einolle","view":{"page":"overview","last":12}}`, 201, survey.ShareAdd, "", "", shareIs("$ID", "Einolle", made, "2026-11-21T10:00:00Z")},
		{"DELETE /api/shares/{id}", view.ID, "", "", 204, survey.ShareDelete, view.ID, shareIs(view.ID, "Ainolle", "u0", "2026-11-02T00:00:00Z"), ""},
		{"GET /api/export/{touchpoint}", "shop-nps", "", "", 200, survey.Export, "shop-nps", "", `{"what":"scores","format":"csv","from":"2025-12-01","to":"2026-11-22"}`},
		{"GET /api/export/{touchpoint}", "shop-nps", "what=comments&format=xlsx&from=2026-11-01&q=Aino", "", 200, survey.Export, "shop-nps", "",
			`{"what":"comments","format":"xlsx","from":"2026-11-01","to":"2026-11-22","parameters":["from","q"]}`},
	}
	for route := range routes {
		tested := slices.ContainsFunc(cases, func(tt changing) bool { return tt.route == route })
		if !tested && !strings.HasPrefix(route, "GET ") && !slices.Contains(unrecorded, route) {
			t.Errorf("%s: say here how it is recorded, or that it changes nothing", route)
		}
	}
	var secret []string
	for _, k := range []contact{known, gone} {
		secret = append(secret, k.ID, k.Ref, k.Email)
	}
	secret = append(secret, known.Phone, "Aino", "Virtanen", "Esimerkki Oy", "Stockholm", "plan=gold", "uusi.fi", "Eino", "valitti", "kehui", "älisi", survey.Fingerprint("Ainolle"), survey.Fingerprint("Aino kehui"), key)
	for _, tt := range cases {
		t.Run(tt.route+" "+string(tt.action), func(t *testing.T) {
			c := caller{t, c.h}
			before := everyItem(t, tables.Store)
			same := func(when string) {
				t.Helper()
				if diff := cmp.Diff(before, everyItem(t, tables.Store)); diff != "" {
					t.Errorf("%s something has changed:\n%s", when, diff)
				}
			}
			ask := func() apigw.Response {
				r := request(tt.route, tt.id, tt.query, tt.body)
				r.PathParameters["touchpoint"] = tt.id
				return signedIn(t, c.h, r, string(routes[tt.route].role))
			}
			c.h.Audit = &ledger{err: errors.New("down")}
			if resp := ask(); resp.StatusCode != http.StatusInternalServerError || strings.Contains(resp.Body, "down") {
				t.Errorf("where the log cannot be told: %d %s", resp.StatusCode, resp.Body)
			}
			same("where the log cannot be told")

			log := &ledger{recorded: func(survey.AuditEntry) { same("before it is recorded") }}
			c.h.Audit = log
			resp := ask()
			if resp.StatusCode != tt.status || len(log.entries) != 1 {
				t.Fatalf("%d %s, the log has %+v", resp.StatusCode, resp.Body, log.entries)
			}
			if changed := !reflect.DeepEqual(before, everyItem(t, tables.Store)); changed != (tt.action != survey.Export) {
				t.Errorf("changed: %t", changed)
			}
			d := log.entries[0]
			if tt.subject == "" {
				tt.subject = idIn(t, resp, tt.action)
			}
			want := survey.AuditEntry{ID: d.ID, At: c.h.Now(), Who: made, Role: string(routes[tt.route].role), Action: tt.action, Subject: tt.subject, Outcome: survey.Begun, Before: d.Before, After: d.After}
			if diff := cmp.Diff(want, d); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			tells(t, "before", tt.before, d.Before)
			tells(t, "after", strings.ReplaceAll(tt.after, "$ID", tt.subject), d.After)
			told := fmt.Sprintf("%+v %s %s", d, d.Before, d.After)
			for _, s := range secret {
				if s != "" && strings.Contains(told, s) {
					t.Errorf("%q is in the log: %s", s, told)
				}
			}
		})
	}
}

// idIn returns what the log calls the thing that a request has made.
func idIn(t *testing.T, resp apigw.Response, a survey.Action) string {
	t.Helper()
	var made struct{ ID, Key string }
	if err := json.Unmarshal([]byte(resp.Body), &made); err != nil || made.ID == "" {
		t.Fatalf("%v in %s", err, resp.Body)
	}
	if a == survey.ContactAdd {
		return survey.Fingerprint(made.ID)
	}
	if made.Key != "" && made.ID == made.Key {
		t.Error("the id is the key")
	}
	return made.ID
}

// tells fails the test unless a state is as wanted; of a touchpoint, where it
// has the fields that are wanted.
func tells(t *testing.T, which, want string, got json.RawMessage) {
	t.Helper()
	if want == "" || got == nil {
		if want != string(got) {
			t.Errorf("%s it is %s, want %s", which, got, want)
		}
		return
	}
	var w, g map[string]any
	if err := errors.Join(json.Unmarshal([]byte(want), &w), json.Unmarshal(got, &g)); err != nil {
		t.Fatal(err)
	}
	if _, whole := g["metric"]; whole {
		for name := range g {
			if _, told := w[name]; !told {
				delete(g, name)
			}
		}
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("%s it is -want +got:\n%s", which, diff)
	}
}

// What is like that already is written nowhere.
func TestNoChangeIsNotRecorded(t *testing.T) {
	c, tables, _ := onTables(t)
	if err := tables.Store.PutTouchpoint(t.Context(), nil, touchpoint("shop-nps", survey.NPS, 1)); err != nil {
		t.Fatal(err)
	}
	k := c.add(aino)
	log := &ledger{}
	c.h.Audit = log
	r := request(routePut, "", "", fmt.Sprintf(`{"version":1,"definition":%s}`, declaredOf(t, touchpoint("shop-nps", survey.NPS, 1), `{}`)))
	r.PathParameters["touchpoint"] = "shop-nps"
	c.want(signedIn(t, c.h, r, "admin"), http.StatusOK, nil)
	for _, body := range []string{`{}`, `{"firstName":" Aino","segments":["vip","plan=gold","vip"],"optOut":["sms"]}`} {
		c.want(c.do("PATCH /api/contacts/{id}", k.ID, "", body), http.StatusOK, nil)
	}
	h := newHandler(twoShops(), nil)
	h.Annotations, h.Audit = &marks{all: []survey.Annotation{{ID: k.ID, Version: 1, Date: "2026-11-01", Text: "Kassa"}}}, log
	c.want(caller{t, h}.do("PATCH /api/annotations/{id}", k.ID, "", `{"text":"Kassa"}`), http.StatusOK, nil)
	if len(log.entries) > 0 {
		t.Errorf("the log has %+v", log.entries)
	}
}

// contested is annotations that somebody else changes just before each of the
// first writes.
type contested struct {
	*marks
	times int
}

func (m *contested) ChangeAnnotation(ctx context.Context, id string, version int, change func(*survey.Annotation) error) (survey.Annotation, error) {
	if m.times > 0 {
		m.times--
		m.all[0].Version++
	}
	return m.marks.ChangeAnnotation(ctx, id, version, change)
}

// A change that fails is told to have failed. Where somebody else wrote
// meanwhile it is made anew, of what is there by then, unless the client has
// named the version.
func TestFailedChangesAreRecorded(t *testing.T) {
	for name, tt := range map[string]struct {
		times  int
		body   string
		status int
		want   string // outcomes, and versions before
	}{
		"once":               {1, `{"date":"2026-11-02"}`, 200, "begun 1, failed, begun 2"},
		"again and again":    {9, `{"date":"2026-11-02"}`, 409, "begun 1, failed, begun 2, failed, begun 3, failed"},
		"a version is named": {1, `{"date":"2026-11-02","version":1}`, 409, "begun 1, failed"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHandler(twoShops(), nil)
			log := &ledger{}
			id := survey.NewID()
			h.Annotations, h.Audit = &contested{&marks{all: []survey.Annotation{{ID: id, Version: 1, Date: "2026-11-01", Text: "Kassa"}}}, tt.times}, log
			c := caller{t, h}
			c.want(c.do("PATCH /api/annotations/{id}", id, "", tt.body), tt.status, nil)
			var got []string
			for i, d := range log.entries {
				var before struct{ Version int }
				if d.Before != nil {
					if err := json.Unmarshal(d.Before, &before); err != nil {
						t.Fatal(err)
					}
				}
				got = append(got, strings.TrimSuffix(fmt.Sprintf("%s %d", d.Outcome, before.Version), " 0"))
				if d.Outcome == survey.Failed && (d.Of != log.entries[i-1].ID || d.Subject != id || d.Who != log.entries[0].Who) {
					t.Errorf("%+v is not of the one before", d)
				}
			}
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("the log has %q, want %q", got, tt.want)
			}
		})
	}
}

// TestReadAudit reads the log page by page, by its filters.
func TestReadAudit(t *testing.T) {
	c, tables, clock := onTables(t)
	k := c.add(aino) // the first entry, at noon
	for i := range entriesInPage + 9 {
		d, err := survey.NewAuditEntry("maija", survey.Operator, survey.RulesPut, "", nil, map[string]int{"n": i}, clock.Now().Add(time.Duration(i+1)*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if err := tables.Store.Record(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	read := func(query string) auditLog {
		t.Helper()
		var got auditLog
		c.want(c.do("GET /api/audit", "", query, ""), http.StatusOK, &got)
		return got
	}
	first := read("")
	if len(first.Entries) != entriesInPage || first.Cursor == nil || string(first.Entries[0].After) != `{"n":58}` {
		t.Fatalf("%d entries, cursor %v", len(first.Entries), first.Cursor)
	}
	second := read("cursor=" + url.QueryEscape(*first.Cursor))
	if len(second.Entries) != 10 || second.Cursor != nil {
		t.Fatalf("then %d entries, cursor %v", len(second.Entries), second.Cursor)
	}
	added := second.Entries[9]
	subject := survey.Fingerprint(k.ID)
	want := auditEntry{
		ID: added.ID, At: clock.Now().UTC(), Who: "00000000-0000-4000-8000-000000000001", Role: "admin", Action: survey.ContactAdd, Subject: &subject,
		Before: json.RawMessage("null"), After: added.After, Outcome: survey.Begun,
	}
	if diff := cmp.Diff(want, added); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if resp := c.do("GET /api/audit", "", "action=rules.put", ""); !strings.Contains(resp.Body, `"subject":null,"before":null,"after":{"n":58},"outcome":"begun","of":null}`) {
		t.Errorf("nothing is null in %.300s", resp.Body)
	}
	for query, n := range map[string]int{
		"subject=" + k.ID:                           1, // who knows the id
		"subject=" + subject:                        1, // as an entry has it
		"subject=" + survey.NewID():                 0,
		"action=contact.add":                        1,
		"action=contact.delete":                     0,
		"action=rules.put&subject=" + k.ID:          0,
		"from=2026-11-21&to=2026-11-22":             entriesInPage,
		"from=2026-10-01&to=2026-11-21":             0,
		"from=2025-01-01&to=2025-02-01":             0,
		"from=2026-11-21&action=contact.add":        1,
		"from=2026-11-20&to=2026-11-21&subject=new": 0,
	} {
		if got := read(query); len(got.Entries) != n {
			t.Errorf("%s: %d entries, want %d", query, len(got.Entries), n)
		}
	}
	for query, field := range map[string]string{
		"action=": "action", "action=share": "action", "subject=": "subject", "subject=" + strings.Repeat("a", survey.MaxAuditSubject+1): "subject",
		"cursor=": "cursor", "cursor=x": "cursor", "from=now": "from", "from=2026-11-01&to=2026-11-01": "to",
		"to=2026-11-01&cursor=" + url.QueryEscape(*first.Cursor): "cursor", "action=erase&action=export": "action",
	} {
		c.refused(c.do("GET /api/audit", "", query, ""), 400, survey.Invalid, field, field+" must")
	}
	c.refused(c.do("GET /api/audit", "", "limit=1", ""), 400, survey.UnknownField, "limit", "there are from, to, subject, action, cursor")
	for _, role := range []signin.Role{signin.Viewer, signin.Agent} {
		resp, err := c.h.Handle(t.Context(), testkit.SignedIn(apigw.Request{RouteKey: "GET /api/audit"}, string(role)))
		if err != nil {
			t.Fatal(err)
		}
		c.refused(resp, http.StatusForbidden, survey.Forbidden, "role", "this is for the role admin")
	}
}
