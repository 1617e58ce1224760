package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/dev/stack"
	"github.com/pulssi/pulssi/scripts/erase/traces"
	"github.com/pulssi/pulssi/scripts/recount/differences"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit/dynamodblocal"
	"github.com/pulssi/pulssi/shared/topology"
)

// asking at once after a purchase and a delivery, and long after a ticket.
const touchpoints = `
locales: [fi, en]
touchpoints:
  - id: shop-nps
    phase: after
    metric: nps
    channels: [email, widget]
    origins: ["http://localhost"]
    name: {fi: Kauppa, en: Shop}
    question: {fi: Kuinka todennäköisesti?, en: How likely?}
    rest: 0d
    trigger: {event: purchase.completed}
    widget: {}
  - id: delivered
    phase: after
    metric: csat
    channels: [sms]
    name: {fi: Toimitus, en: Delivery}
    question: {fi: Kuinka tyytyväinen?, en: How satisfied?}
    rest: 0d
    message: {reply: true}
    trigger: {event: delivery.completed}
  - id: ticket
    phase: after
    metric: csat
    channels: [email]
    name: {fi: Tuki, en: Support}
    question: {fi: Kuinka tyytyväinen?, en: How satisfied?}
    rest: 0d
    trigger: {event: ticket.closed, delay: 14d}
`

const (
	email = "paivi.ahtari@example.fi"
	phone = "+358401234567"
	other = "matti@example.fi"
)

var now = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// people is the register that is imported: the person, somebody of the same
// name, and one more.
const people = "Asiakasnro;Etunimi;Sukunimi;Sähköposti;Matkapuhelin;Markkinointikielto\r\n" +
	"B-0017;Päivi;Ähtäri;" + email + ";040 123 4567;\r\n" +
	"B-0018;Päivi;Ähtäri;paivi.toinen@example.fi;;\r\n" +
	"B-0019;Matti;Meikäläinen;" + other + ";;\r\n"

// log is what was logged.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// world is a local stack with people in it.
type world struct {
	*testing.T
	*stack.Stack
	dir string
	log *log
	db  *dynamodb.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir(), log: &log{}}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	s, err := stack.Start(t.Context(), stack.Options{
		Dir: w.dir, Endpoint: dynamodblocal.Shared(t), Prefix: "t" + survey.NewID() + "-", Touchpoints: []byte(touchpoints),
		Mapping: func(m topology.Stream) topology.Stream {
			m.BatchingSeconds = 0
			return m
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w.Stack = s
	w.db = store.NewClient(s.Config, func(name string) string {
		return map[string]string{"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}[name]
	})
	return w
}

func (w *world) must(what string, err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%s: %v", what, err)
	}
}

func (w *world) settle() { w.must("settling", w.Services.Settle(w.Context())) }

func (w *world) move(to time.Time) {
	w.Helper()
	w.must("moving the clock", w.Services.MoveTo(w.Context(), to, nil))
}

func (w *world) post(path, body string, want int) {
	w.Helper()
	w.call(http.MethodPost, path, body, want)
}

// call makes a request, and returns the answer, which must have a status.
func (w *world) call(method, path, body string, want int) []byte {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, w.URL+path, strings.NewReader(body))
	w.must(method, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	w.must(method, err)
	defer resp.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	w.must(method, err)
	if resp.StatusCode != want {
		w.Fatalf("%s %s: %s %s", method, path, resp.Status, &b)
	}
	return b.Bytes()
}

func (w *world) event(kind, id, contact string) {
	w.Helper()
	w.post("/api/events", fmt.Sprintf(`{"type":%q,"version":1,"id":%q,"time":%q,"contact":%s}`, kind, id, w.Clock.Now().Format(time.RFC3339), contact), http.StatusAccepted)
	w.settle()
}

func (w *world) answer(id string, score int, comment string) {
	w.Helper()
	w.post("/a/"+id, fmt.Sprintf(`{"score":%d,"comment":%q,"via":"human"}`, score, comment), http.StatusOK)
}

func (w *world) find(address string) *survey.Contact {
	w.Helper()
	c, err := w.Store.FindContact(w.Context(), "email", address)
	w.must("finding "+address, err)
	return c
}

// live has the person, and others, live through all that leaves traces. It
// returns the id of a vote whose comment names the person.
func (w *world) live() (vote string) {
	w.Helper()
	ctx := w.Context()
	file, err := charmap.Windows1252.NewEncoder().String(people)
	w.must("writing the file", err)
	for name, meta := range map[string]string{"uploads/asiakkaat.csv": "", "uploads/lisää.csv": "Päivi Ähtäri.csv"} {
		w.must("uploading", w.Services.Files.Put(ctx, name, "text/csv", strings.NewReader(file), map[string]string{"name": meta}))
	}
	w.settle()
	zone, err := time.LoadLocation("Europe/Helsinki")
	w.must("the zone", err)
	at, ok := asking.NewRulebook(survey.DefaultRules()).Next(&survey.Trigger{Event: "purchase.completed"}, zone, w.Clock.Now())
	if !ok {
		w.Fatal("nobody is ever asked")
	}
	w.move(at.Add(time.Minute))
	w.event("purchase.completed", "order-1", `{"email":"`+email+`"}`)
	w.event("purchase.completed", "order-2", `{"email":"`+other+`"}`)
	w.event("delivery.completed", "delivery-1", `{"phone":"`+phone+`"}`)
	w.event("ticket.closed", "ticket-1", `{"email":"`+email+`"}`) // waits
	w.must("refusing", w.Services.SendRefused(ctx, []byte(`{"detail-type":"nothing.known","detail":{"contact":{"email":"`+email+`"}}}`), "is of no type"))
	w.move(w.Clock.Now().Add(time.Minute))
	for address, comment := range map[string]string{email: "Soittakaa 040-123 4567, t. Päivi", other: "Päivi Ähtäri palveli hyvin"} {
		asks, err := w.Store.AsksOf(ctx, w.find(address).ID)
		w.must("reading asks", err)
		for _, a := range asks {
			w.answer(a.ID, map[survey.Channel]int{survey.Email: 9, survey.SMS: 5}[a.Channel], comment)
		}
	}
	tp, err := w.Store.Touchpoint(ctx, "shop-nps")
	w.must("the touchpoint", err)
	vote = survey.NewID()
	said := "Vastatkaa osoitteeseen " + strings.ToUpper(email)
	_, err = w.Store.Vote(ctx, tp, survey.Vote{ID: vote, Score: 3, Channel: survey.Popup, Comment: &said, Ref: "B-0017", Attrs: map[string]string{"mail": email}}, w.Clock.Now())
	w.must("voting", err)
	w.administer()
	_, err = w.Store.OptOut(ctx, w.find(email).ID, []survey.Channel{survey.SMS}, false, w.Clock.Now())
	w.must("opting out", err)
	return vote
}

// administer has an administrator work with the person, so that the audit log
// tells of it.
func (w *world) administer() {
	w.Helper()
	w.call(http.MethodPatch, "/api/contacts/"+w.find(email).ID, `{"company":"Päivi Ähtäri Oy"}`, http.StatusOK)
	w.call(http.MethodGet, "/api/export/shop-nps?what=comments&q=B-0017", "", http.StatusOK)
	var made struct{ ID string }
	w.must("reading", json.Unmarshal(w.call(http.MethodPost, "/api/annotations", `{"date":"2026-11-21","text":"Päivi Ähtäri, `+email+`"}`, http.StatusCreated), &made))
	w.call(http.MethodDelete, "/api/annotations/"+made.ID, "", http.StatusNoContent)
	w.must("reading", json.Unmarshal(w.call(http.MethodPost, "/api/shares", `{"name":"Päivi Ähtäri, `+phone+`","view":{"page":"overview","last":1}}`, http.StatusCreated), &made))
	w.call(http.MethodDelete, "/api/shares/"+made.ID, "", http.StatusNoContent)
}

// audited returns what the audit log has of a subject, "" for all, the newest
// first.
func (w *world) audited(subject string) []survey.AuditEntry {
	w.Helper()
	q := store.AuditQuery{From: now.AddDate(0, 0, -1), To: w.Clock.Now().AddDate(0, 0, 1), Limit: store.MaxAuditEntries}
	if subject != "" {
		q.Subjects = []string{subject}
	}
	all, _, err := w.Store.AuditEntries(w.Context(), q)
	w.must("reading the audit log", err)
	return all
}

// tallied waits until the tallies equal a recount, and returns them.
func (w *world) tallied() map[score.Key]score.Sheet {
	w.Helper()
	zone, err := time.LoadLocation("Europe/Helsinki")
	w.must("the zone", err)
	f := &differences.Finder{
		Store: w.Store, Zone: zone, Settle: time.Millisecond, Patience: time.Millisecond,
		Now: time.Now, Wait: differences.Wait, Progress: func(int) {},
	}
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	for {
		r, err := f.Find(ctx)
		w.must("recounting", err)
		if len(r.Differences)+len(r.Moving)+len(r.Unreadable) == 0 {
			break
		}
		w.must("waiting for the tallies", differences.Wait(ctx, 50*time.Millisecond))
	}
	out := map[score.Key]score.Sheet{}
	w.must("reading sheets", w.Store.EachSheet(ctx, func(s store.StoredSheet) error {
		out[s.Key] = s.Counts
		return nil
	}))
	return out
}

// exported returns what an administrator can take out, by place: the answers
// with words, and of every touchpoint the scores and comments as files of both
// kinds.
func (w *world) exported() map[string]string {
	w.Helper()
	out := map[string]string{"responses": string(w.call(http.MethodGet, "/api/responses?limit=100", "", http.StatusOK))}
	for _, touchpoint := range []string{"shop-nps", "delivered", "ticket"} {
		for _, what := range []string{"scores", "comments"} {
			place := touchpoint + " " + what
			out[place+" csv"] = string(w.call(http.MethodGet, "/api/export/"+touchpoint+"?what="+what, "", http.StatusOK))
			b := w.call(http.MethodGet, "/api/export/"+touchpoint+"?format=xlsx&what="+what, "", http.StatusOK)
			book, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
			w.must("opening a workbook", err)
			for _, part := range book.File {
				r, err := part.Open()
				w.must("opening a workbook", err)
				b, err := io.ReadAll(r)
				w.must("reading a workbook", err)
				out[place+" xlsx"] += string(b)
			}
		}
	}
	return out
}

// everything returns all bytes that the stack keeps and gives out, by place.
func (w *world) everything() map[string]string {
	w.Helper()
	out := w.exported()
	out["log"] = w.log.String()
	for _, t := range topology.Tables() {
		pages := dynamodb.NewScanPaginator(w.db, &dynamodb.ScanInput{TableName: aws.String(w.Config.TablePrefix + t.Name), ConsistentRead: aws.Bool(true)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(w.Context())
			w.must("scanning", err)
			b, err := json.Marshal(page.Items)
			w.must("scanning", err)
			out["table "+t.Name] += string(b)
		}
	}
	w.must("reading files", filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		text, decodeErr := charmap.Windows1252.NewDecoder().String(string(b))
		mailed, _ := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(b))) // as far as it is that
		out[strings.TrimPrefix(path, w.dir)] = path + string(b) + text + string(mailed)
		return errors.Join(err, decodeErr)
	}))
	return out
}

// in returns in which places there is any of some texts, in any case.
func in(places map[string]string, texts ...string) []string {
	found := map[string]bool{}
	for place, content := range places {
		for _, text := range texts {
			if strings.Contains(strings.ToLower(content), strings.ToLower(text)) {
				found[place] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// known returns all that a person is known by: address, phone, name, and the ids
// of contact, asks, occasions and messages.
func (w *world) known(c *survey.Contact) []string {
	w.Helper()
	out := []string{c.ID, c.Email, c.Phone, "401234567", "040 123 4567", "040-123 4567", c.Ref, c.FirstName + " " + c.LastName}
	asks, err := w.Store.AsksOf(w.Context(), c.ID)
	w.must("reading asks", err)
	for _, a := range asks {
		out = append(out, a.ID, survey.Fingerprint(a.ID)) // as exports have it
	}
	decisions, err := w.Store.Decisions(w.Context(), c.ID)
	w.must("reading decisions", err)
	for _, d := range decisions {
		_, event, _ := strings.Cut(string(d.Occasion), "/")
		out = append(out, string(d.Occasion), event)
	}
	items, _ := w.Box.Last()
	sent := 0
	for _, i := range items {
		if i.To != c.Email && i.To != c.Phone {
			continue
		}
		sent++
		out = append(out, fmt.Sprintf("local-%d", i.Number)) // as the mail or SMS service has it
		if i.Channel == survey.Email {
			whole, err := w.Box.Numbered(i.Number)
			w.must("reading an e-mail", err)
			m, err := mail.ReadMessage(bytes.NewReader(whole.Raw))
			w.must("reading an e-mail", err)
			out = append(out, m.Header.Get("Message-ID"))
		}
	}
	if len(asks) != 2 || len(decisions) != 3 || sent != 2 || slices.Contains(out, "") {
		w.Fatalf("of %d asks, %d decisions and %d messages the person is known by %q", len(asks), len(decisions), sent, out)
	}
	return out
}

// erases runs the command; answer is what a person says, "" for nobody there.
func (w *world) erases(answer string, args ...string) (record, string, error) {
	w.Helper()
	var out, said bytes.Buffer
	t := &terminal{out: &out, progress: &said, open: func(context.Context) (connect.Deployment, error) {
		return connect.Deployment{Store: w.Store, Where: "the test's stack", Services: w.PostURL, Now: w.Clock.Now, Local: true}, nil
	}}
	if answer != "" {
		t.person = strings.NewReader(answer + "\n")
	}
	err := t.run(w.Context(), args)
	var r record
	if out.Len() > 0 {
		w.must("reading the record", json.Unmarshal(out.Bytes(), &r))
		for _, text := range []string{email, phone, "401234567", "Ähtäri", "B-0017"} {
			if strings.Contains(out.String(), text) {
				w.Errorf("the record tells %q:\n%s", text, &out)
			}
		}
		kept, readErr := os.ReadFile(filepath.Join(w.dir, "endpoint-"+url.PathEscape(w.Config.DynamoDBEndpoint), "files", "objects", "erasures", r.ID+".json"))
		if readErr != nil || !bytes.Equal(kept, out.Bytes()) {
			w.Errorf("the bucket has %q, %v", kept, readErr)
		}
	}
	return r, said.String(), err
}

// dying is a store whose process ends before the contact is deleted.
type dying struct{ *store.Store }

var errDied = errors.New("the process ended")

func (dying) DeleteContact(context.Context, string) error { return errDied }

// TestNothingIsLeftOfAPerson fills a stack with a person, erases them, and looks
// for them by its own means in all that there is.
func TestNothingIsLeftOfAPerson(t *testing.T) {
	w := newWorld(t)
	vote := w.live()
	c := w.find(email)
	asks, err := w.Store.AsksOf(t.Context(), c.ID)
	w.must("reading asks", err)
	known := w.known(c)
	before := w.tallied()
	places := w.everything()
	kept := in(places, known...)
	for _, place := range []string{
		"table addresses", "table contacts", "table decisions", "table responses", "list.jsonl", ".eml", "services.jsonl", "asiakkaat.csv",
		"responses", "shop-nps comments csv", "shop-nps comments xlsx", "delivered comments csv", "delivered comments xlsx",
	} {
		if !slices.ContainsFunc(kept, func(k string) bool { return strings.HasSuffix(k, place) }) {
			t.Errorf("the test leaves no trace in %s, only in %q", place, kept)
		}
	}
	for _, what := range known {
		if len(in(places, what, survey.Fingerprint(what))) == 0 { // of a message the log alone tells
			t.Errorf("there is no %q anywhere, so nobody can miss it", what)
		}
	}
	// These tell of the person too, by what leads to nobody once the id is gone.
	if named := in(places, survey.Fingerprint(c.ID)); !slices.Equal(named, []string{"log", "table audit"}) {
		t.Errorf("the contact's fingerprint is in %q", named)
	}
	if asked, _, err := w.erases("n", email); err == nil || err.Error() != "nothing was erased" || asked.ID != "" {
		t.Errorf("after no: %+v, %v", asked, err)
	}
	if _, _, err := w.erases("", email); err == nil || !strings.Contains(err.Error(), "-yes") {
		t.Errorf("with nobody there: %v", err)
	}
	if again := in(w.everything(), known...); !slices.Equal(kept, again) {
		t.Errorf("without a yes, there is something in %q, not %q", again, kept)
	}

	// A first run ends too early: the next finds the person still.
	p, _, err := of(c)
	if err != nil {
		t.Fatal(err)
	}
	e := &eraser{Store: dying{w.Store}, Place: localStack(w.PostURL), Person: p}
	s, err := e.look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := traces.Found{
		"responses": 2, others: 2, "contacts": 1, "addresses": 3, "decisions": 3,
		"uploads": 2, "inbox": 1, "phone": 1, "queues": 2,
	}
	if diff := cmp.Diff(want, s.found); diff != "" || len(s.left) > 0 {
		t.Errorf("found (-want +got):\n%s, left %q", diff, s.left)
	}
	if _, err := e.erase(t.Context(), s); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	r, told, err := w.erases("yes", "040 1234567")
	if err != nil {
		t.Fatalf("%v\n%s", err, told)
	}
	want = traces.Found{"contacts": 1, "addresses": 3, "decisions": 3}
	if diff := cmp.Diff(want, r.Before); diff != "" || len(r.After)+len(r.Left) > 0 || r.Contact != survey.Fingerprint(c.ID) || r.By != "local" || r.OptOutsKept != 3 {
		t.Errorf("the record is %+v, before (-want +got):\n%s", r, diff)
	}

	// The audit log tells what was done, and to nobody.
	if r.LookedIn = slices.DeleteFunc(r.LookedIn, func(place string) bool { return place != "table audit" }); len(r.LookedIn) != 1 {
		t.Errorf("the record does not say that the audit log was searched")
	}
	entries := w.audited(survey.Fingerprint(c.ID))
	if len(entries) != 2 || entries[0].Action != survey.Erase || string(entries[0].Before) != `{"addresses":3,"contacts":1,"decisions":3}` || entries[0].After != nil ||
		entries[0].Role != survey.Operator || !strings.HasPrefix(entries[0].Who, "local:") || entries[1].Action != survey.ContactChange {
		t.Errorf("of the person the log has %+v", entries)
	}
	entries = slices.DeleteFunc(w.audited(""), func(d survey.AuditEntry) bool { return d.Action == survey.Export })
	if len(entries) != 2+2+2 {
		t.Errorf("the log has %d entries", len(entries))
	}
	if left := in(w.everything(), known...); len(left) > 0 {
		t.Errorf("the person is still in %q", left)
	}
	if diff := cmp.Diff(before, w.tallied()); diff != "" {
		t.Errorf("tallies (-before +after):\n%s", diff)
	}
	w.others(vote)
	for _, a := range asks {
		if _, err := w.Store.Ask(t.Context(), a.ID); survey.CodeOf(err) != survey.NotFound {
			t.Errorf("the link in the message still leads somewhere: %v", err)
		}
	}
	w.move(w.Clock.Now().AddDate(0, 0, 21)) // past the ask that was waiting
	if left := in(w.everything(), known...); len(left) > 0 {
		t.Errorf("later the person is in %q", left)
	}

	// Once more there is nothing to do.
	if r, _, err := w.erases("", email); err != nil || len(r.Before)+len(r.After) > 0 || r.OptOutsKept != 0 {
		t.Errorf("again: %+v, %v", r, err)
	}
	// Who comes back is still opted out.
	out, err := w.Store.Upsert(t.Context(), []survey.Details{{Email: email}}, w.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if back, err := w.Store.Contact(t.Context(), out[0].Contact); err != nil || len(back.OptOuts) != 1 {
		t.Errorf("who came back: %+v, %v", back, err)
	}
}

// others checks that those who are not erased are as they were, but for words
// about the person.
func (w *world) others(vote string) {
	w.Helper()
	ctx := w.Context()
	if namesake := w.find("paivi.toinen@example.fi"); namesake.LastName != "Ähtäri" || namesake.Ref != "B-0018" {
		w.Errorf("somebody of the same name is %+v", namesake)
	}
	asks, err := w.Store.AsksOf(ctx, w.find(other).ID)
	if err != nil || len(asks) != 1 || asks[0].Score != 9 || asks[0].Comment != "" || asks[0].Occasion == "" {
		w.Errorf("the answer of somebody else is %+v, %v", asks, err)
	}
	v, err := w.Store.Ask(ctx, vote)
	if err != nil || v.Score != 3 || v.Comment != "" || v.Ref != "" || v.Attrs != nil {
		w.Errorf("the vote is %+v, %v", v, err)
	}
	month := w.Clock.Now()
	from, to := store.FeedAt(month.Add(-time.Hour)), store.FeedAt(month)
	if entries, _, err := w.Store.Feed(ctx, "shop-nps", from, to, 0); err != nil || len(entries) > 0 {
		w.Errorf("the feed has %+v, %v", entries, err)
	}
	if letters, _ := w.Box.Last(); len(letters) != 1 || letters[0].To != other {
		w.Errorf("the inbox has %+v", letters)
	}
}

// TestSomebodyKnownByAnAnswerAlone erases who is no contact, by the id of a vote,
// and finds what was said of them elsewhere by further words.
func TestSomebodyKnownByAnAnswerAlone(t *testing.T) {
	w := newWorld(t)
	tp, err := w.Store.Touchpoint(t.Context(), "shop-nps")
	w.must("the touchpoint", err)
	cast := func(score int, comment string) string {
		id := survey.NewID()
		_, err := w.Store.Vote(t.Context(), tp, survey.Vote{ID: id, Score: score, Channel: survey.Popup, Comment: &comment, Page: "shop.example/" + comment}, w.Clock.Now())
		w.must("voting", err)
		return id
	}
	own := cast(0, "Aila")
	other := cast(10, "Tapasin Aila Aallon kassalla")
	w.must("annotating", w.Store.AddAnnotation(t.Context(), survey.Annotation{
		ID: survey.NewID(), Version: 1, Touchpoint: "shop-nps", Date: "2026-11-21", Text: "Aila Aallon kampanja", By: "somebody", At: w.Clock.Now(),
	}))
	before := w.tallied()
	r, _, err := w.erases("", "-yes", "-also", "aila aallon", own)
	if err == nil || err.Error() != "something is left, see the record" || len(r.Left) != 1 || !strings.HasPrefix(r.Left[0], "settings annotation/") {
		t.Errorf("%+v, %v", r, err)
	}
	if diff := cmp.Diff(traces.Found{"responses": 1, others: 1}, r.Before); diff != "" || len(r.After) > 0 || r.Ask != survey.Fingerprint(own) || r.Contact != "" {
		t.Errorf("the record is %+v, before (-want +got):\n%s", r, diff)
	}
	if _, err := w.Store.Ask(t.Context(), own); survey.CodeOf(err) != survey.NotFound {
		t.Errorf("the vote is still there: %v", err)
	}
	if v, err := w.Store.Ask(t.Context(), other); err != nil || v.Score != 10 || v.Comment+v.Page != "" {
		t.Errorf("the other vote is %+v, %v", v, err)
	}
	if diff := cmp.Diff(before, w.tallied()); diff != "" {
		t.Errorf("tallies (-before +after):\n%s", diff)
	}
}

// An entry of the audit log with the person's address stays, and the record says
// for how long.
func TestTheAuditLogIsSearched(t *testing.T) {
	w := newWorld(t)
	e, err := survey.NewAuditEntry("somebody", "admin", survey.RulesPut, "", map[string]string{"replyTo": email}, nil, w.Clock.Now())
	w.must("describing", err)
	w.must("recording", w.Store.Record(t.Context(), e))
	r, said, err := w.erases("", "-yes", email)
	expires := e.At.AddDate(survey.AuditYears, 0, 0).Format(time.DateOnly)
	if !errors.Is(err, errLeft) || len(r.Left) > 0 || len(r.Stays) != 1 || !strings.HasPrefix(r.Stays[0].Place, "audit ") || !strings.HasSuffix(r.Stays[0].Place, "#"+e.ID) || r.Stays[0].Until != expires {
		t.Errorf("%v, left %q, stays %+v", err, r.Left, r.Stays)
	}
	if log := w.audited(""); slices.ContainsFunc(log, func(a survey.AuditEntry) bool { return a.Outcome == survey.Failed }) {
		t.Errorf("all that could be done is logged as failed: %+v", log)
	}
	if want := "  stays until it expires on " + expires + ": " + r.Stays[0].Place + "\n"; !strings.Contains(said, want) {
		t.Errorf("there is no %q in %s", want, said)
	}
}

func TestMistakes(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ args, want string }{
		{"", "usage: erase [-yes] [-also WORDS]... WHO (flags come first)"},
		{"a b", "usage: erase [-yes] [-also WORDS]... WHO (flags come first)"},
		{"-also abc 1234", "what is looked for must have at least 4 characters"},
		{"123", "there is no such contact, and what was given is too short to be looked for"},
	} {
		if r, _, err := w.erases("", strings.Fields(c.args)...); err == nil || err.Error() != c.want || r.ID != "" {
			t.Errorf("erase %s: %v, %+v", c.args, err, r)
		}
	}
	if r, said, err := w.erases("", "B-9999"); err != nil || !strings.Contains(said, "  nothing\n") || r.ID == "" {
		t.Errorf("nobody: %v, %s", err, said)
	}
}
