package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// now is far ahead: by its own clock DynamoDB Local deletes nothing.
var now = time.Date(2100, 11, 21, 9, 0, 0, 0, time.UTC)

type item = map[string]types.AttributeValue

// world is a deployment's tables on DynamoDB Local, and copies of them.
type world struct {
	*testing.T
	*testkit.Tables
	copies string // prefix
	d      connect.Deployment
	asked  func() // is called before a person answers; nil for nothing
}

func newWorld(t *testing.T) *world {
	t.Helper()
	tables := testkit.NewTables(t)
	return &world{T: t, Tables: tables, d: connect.Deployment{Store: tables.Store, Where: "the test's tables", Now: testkit.NewClock(now).Now, Local: true}}
}

func (w *world) must(what string, err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%s: %v", what, err)
	}
}

// save makes copies of all tables as they are.
func (w *world) save() {
	w.Helper()
	w.copies = w.Config.TablePrefix + "copy-"
	w.must("making copies", store.CreateTables(w.Context(), w.DB, w.copies))
	for _, t := range store.Restorable() {
		for _, it := range w.items(w.Config.TablePrefix + t.Name) {
			w.put(w.copies+t.Name, it)
		}
	}
}

func (w *world) put(table string, it item) {
	w.Helper()
	_, err := w.DB.PutItem(w.Context(), &dynamodb.PutItemInput{TableName: &table, Item: it})
	w.must("putting", err)
}

// items returns all items of a table, by key.
func (w *world) items(table string) map[string]item {
	w.Helper()
	i := slices.IndexFunc(topology.Tables(), func(t topology.Table) bool { return strings.HasSuffix(table, "-"+t.Name) })
	t, out := topology.Tables()[i], map[string]item{}
	pages := dynamodb.NewScanPaginator(w.DB, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.Context())
		w.must("scanning", err)
		for _, it := range page.Items {
			key := it[t.Hash.Name].(*types.AttributeValueMemberS).Value
			if t.Range.Name != "" {
				key += "/" + it[t.Range.Name].(*types.AttributeValueMemberS).Value
			}
			for _, v := range it {
				if set, ok := v.(*types.AttributeValueMemberSS); ok {
					slices.Sort(set.Value)
				}
			}
			out[key] = it
		}
	}
	return out
}

// live returns the items of a live table, by key.
func (w *world) live(t topology.Table) map[string]item {
	w.Helper()
	return w.items(w.Config.TablePrefix + t.Name)
}

// lose deletes items of a live table, all where no keys are named.
func (w *world) lose(t topology.Table, keys ...string) {
	w.Helper()
	all := w.live(t)
	if len(keys) == 0 {
		keys = slices.Collect(maps.Keys(all))
	}
	for _, key := range keys {
		it := item{t.Hash.Name: all[key][t.Hash.Name]}
		if t.Range.Name != "" {
			it[t.Range.Name] = all[key][t.Range.Name]
		}
		_, err := w.DB.DeleteItem(w.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(w.Config.TablePrefix + t.Name), Key: it})
		w.must("deleting", err)
	}
}

// restores runs the command on the copy of a table. answer is what a person
// says, "" for nobody there. DynamoDB Local does not tell what a copy is of.
func (w *world) restores(answer string, t topology.Table, flags ...string) (string, error) {
	w.Helper()
	if w.d.Local {
		flags = append(flags, "-of-this-deployment")
	}
	return w.runs(w.Context(), answer, append(flags, t.Name, w.copies+t.Name)...)
}

func (w *world) runs(ctx context.Context, answer string, args ...string) (string, error) {
	w.Helper()
	var said strings.Builder
	term := &terminal{out: &said, progress: &said, open: func(context.Context) (connect.Deployment, error) { return w.d, nil }}
	if answer != "" {
		term.person = &person{strings.NewReader(answer + "\n"), w.asked}
	}
	err := term.run(ctx, args)
	return said.String(), err
}

// person answers once something else is done.
type person struct {
	io.Reader
	asked func()
}

func (p *person) Read(b []byte) (int, error) {
	if p.asked != nil {
		p.asked()
		p.asked = nil
	}
	return p.Reader.Read(b)
}

var counts = regexp.MustCompile(`(?m)^  ([^:\n]+): (\d+)$`)

// counted returns the counts of a report by the first words of each, "left out"
// aside; those of zero are not in it.
func counted(said string) map[string]string {
	out := map[string]string{}
	for _, m := range counts.FindAllStringSubmatch(said, -1) {
		if m[2] != "0" {
			out[strings.TrimPrefix(m[1], "left out, ")] = m[2]
		}
	}
	return out
}

// does has something recorded as a script does it.
func (w *world) does(a survey.Action, subject string) {
	w.Helper()
	by := operator.Operator{Name: "local:maija", Log: w.Store, Now: w.d.Now}
	w.must("recording", by.Do(w.Context(), a, subject, nil, nil, func(context.Context) error { return nil }))
}

// people adds contacts, each with an e-mail address and a ref, an answer and a
// decision, and returns their ids.
func (w *world) people(names ...string) []string {
	w.Helper()
	rows := make([]survey.Details, len(names))
	for i, name := range names {
		rows[i] = survey.Details{Ref: "ref-" + name, Email: name + "@example.fi", FirstName: name, Segments: []string{"vip", "a"}}
	}
	added, err := w.Store.Upsert(w.Context(), rows, now)
	w.must("adding people", err)
	var ids []string
	for _, a := range added {
		ids = append(ids, a.Contact)
		ask := answered(a.Contact)
		w.must("asking", w.Store.CreateAsk(w.Context(), ask))
		w.must("deciding", w.Store.PutDecision(w.Context(), survey.Decision{
			Contact: a.Contact, Touchpoint: "shop-nps", Occasion: "2100Q4", Verdict: survey.WasAsked, At: now, Ask: ask.ID,
		}))
	}
	return ids
}

func answered(contact string) *survey.Ask {
	a := testkit.NewAsk(now)
	a.Contact, a.SentAt, a.AnsweredAt, a.Trust, a.Score = contact, now, now, survey.Human, 9
	return a
}

func (w *world) annotation(text string) string {
	w.Helper()
	a := survey.Annotation{ID: survey.NewID(), Version: 1, Date: "2100-11-21", Text: text, By: "somebody", At: now}
	w.must("annotating", w.Store.AddAnnotation(w.Context(), a))
	return a.ID
}

func (w *world) same(t topology.Table, want map[string]item) {
	w.Helper()
	if got := w.live(t); !reflect.DeepEqual(got, want) {
		w.Errorf("%s has %d items, want %d; of the same keys: %t", t.Name, len(got), len(want),
			slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))))
	}
}

// Everything that was lost comes back as it was, in the order that is told, and
// a second time there is nothing to do.
func TestAWholeLoss(t *testing.T) {
	w := newWorld(t)
	ids := w.people("aino", "eino", "vesa")
	_, err := w.Store.OptOut(t.Context(), ids[2], []survey.Channel{survey.Email}, false, now)
	w.must("opting out", err)
	w.must("deleting", w.Store.DeleteContact(t.Context(), ids[2])) // whose opt-outs stay
	w.annotation("kampanja")
	w.save()
	want := map[string]map[string]item{}
	for _, table := range store.Restorable() {
		want[table.Name] = w.live(table)
		if len(want[table.Name]) < 2 {
			t.Fatalf("%s has %d items", table.Name, len(want[table.Name]))
		}
		w.lose(table)
	}
	for _, table := range store.Restorable() {
		said, err := w.restores("y", table)
		if err != nil {
			t.Fatalf("%s: %v\n%s", table.Name, err, said)
		}
	}
	for _, table := range store.Restorable() {
		w.same(table, want[table.Name])
		said, err := w.restores("", table)
		if all := fmt.Sprint(len(want[table.Name])); err != nil || !cmp.Equal(counted(said), map[string]string{"items in the copy": all, "the same in the table": all}) {
			t.Errorf("%s, again: %v\n%s", table.Name, err, said)
		}
	}
	log, _, err := w.Store.AuditEntries(t.Context(), store.AuditQuery{From: now.AddDate(0, 0, -1), To: now.AddDate(0, 0, 1), Action: survey.Restore, Limit: 10})
	if err != nil || len(log) != 5 {
		t.Fatalf("the log has %d entries, %v", len(log), err)
	}
	i := slices.IndexFunc(log, func(e survey.AuditEntry) bool { return e.Subject == "responses" })
	if e := log[i]; e.Role != survey.Operator || string(e.After) != `{"copy":"`+w.copies+`responses","putBack":3,"ofThisDeployment":true}` || e.Before != nil {
		t.Errorf("the log has %+v", e)
	}
}

// What is in the table stays, whatever the copy has; what is missing comes back
// where its time is not over and it can be read.
func TestWhatIsThereStays(t *testing.T) {
	w := newWorld(t)
	w.people("aino", "eino")
	kept := slices.Sorted(maps.Keys(w.live(topology.Responses)))
	old := answered("")
	old.AskedAt = now.Add(-w.Config.Retention)
	w.must("asking", w.Store.CreateAsk(t.Context(), old))
	w.save()
	w.put(w.copies+"responses", item{"id": &types.AttributeValueMemberS{Value: survey.NewID()}})
	want := w.live(topology.Responses)
	delete(want, old.ID)
	w.lose(topology.Responses, old.ID, kept[0])
	w.must("bouncing", w.Store.MarkBounced(t.Context(), kept[1], now))
	fresh := answered("")
	w.must("asking", w.Store.CreateAsk(t.Context(), fresh))
	is := w.live(topology.Responses)
	want[kept[1]], want[fresh.ID] = is[kept[1]], is[fresh.ID]

	for _, answer := range []string{"", "n"} {
		said, err := w.restores(answer, topology.Responses)
		if err == nil || !strings.HasPrefix(err.Error(), "nothing was put back") || len(w.live(topology.Responses)) != 2 {
			t.Errorf("%q: %v\n%s", answer, err, said)
		}
	}
	said, err := w.restores("", topology.Responses, "-yes", "-differing")
	found := map[string]string{"items in the copy": "4", "changed since, and left alone": "1", "past their ttl": "1", "cannot be read": "1", "to be put back": "1"}
	if diff := cmp.Diff(found, counted(said)); err != nil || diff != "" || !strings.Contains(said, "differs: "+kept[1]+"\n") ||
		!strings.Contains(said, "put back: 1\n") || !strings.Contains(said, "go run ./scripts/recount") {
		t.Errorf("%v, -want +got:\n%s\n%s", err, diff, said)
	}
	w.same(topology.Responses, want)
}

// Who was erased does not come back, with anything of theirs, whatever is said.
func TestErasedStaysErased(t *testing.T) {
	w := newWorld(t)
	ids := w.people("aino", "eino")
	vote := answered("")
	w.must("voting", w.Store.CreateAsk(t.Context(), vote))
	w.save()
	w.must("deleting", w.Store.DeleteContact(t.Context(), ids[0]))
	for _, a := range append(w.asksOf(ids[0]), vote.ID) {
		_, err := w.Store.AnonymiseAsk(t.Context(), a)
		w.must("anonymising", err)
	}
	w.does(survey.Erase, survey.Fingerprint(ids[0]))
	w.does(survey.Erase, survey.Fingerprint(vote.ID))
	w.does(survey.ContactDelete, survey.Fingerprint(ids[0]))
	want := map[string]map[string]item{}
	for _, table := range store.Restorable() {
		want[table.Name] = w.live(table)
	}
	for name, n := range map[string]string{"contacts": "1", "addresses": "2", "decisions": "1", "responses": "2"} {
		table, err := tableOf(name)
		w.must("finding", err)
		said, err := w.restores("", table, "-yes", "-erase-again", "-deleted-too")
		if got := counted(said); err != nil || got["of people who were erased"] != n || got["to be put back"] != "" {
			t.Errorf("%s: %v\n%s", name, err, said)
		}
		w.same(table, want[name])
	}

	// What may have words about them comes back where somebody sees to that.
	w.lose(topology.Responses)
	said, err := w.restores("y", topology.Responses)
	if err == nil || !strings.Contains(err.Error(), "say -erase-again") || strings.Count(err.Error(), ": audit entry ") != 2 || len(w.live(topology.Responses)) != 0 {
		t.Errorf("%v\n%s", err, said)
	}
	said, err = w.restores("y", topology.Responses, "-erase-again")
	if err != nil || len(w.live(topology.Responses)) != 1 || strings.Count(said, ": audit entry ") != 2 {
		t.Errorf("%v\n%s", err, said)
	}
	w.lose(topology.Decisions)
	if said, err = w.restores("y", topology.Decisions); err != nil || len(w.live(topology.Decisions)) != 1 {
		t.Errorf("decisions, in which there are no words: %v\n%s", err, said)
	}
}

func (w *world) asksOf(contact string) (ids []string) {
	w.Helper()
	all, err := w.Store.AsksOf(w.Context(), contact)
	w.must("reading asks", err)
	for _, a := range all {
		ids = append(ids, a.ID)
	}
	return ids
}

// What was deleted on purpose comes back where that is said; a contact with what
// it has now, and never beside another of the same address.
func TestDeletedOnPurpose(t *testing.T) {
	w := newWorld(t)
	ids := w.people("aino", "eino", "vesa", "outi")
	note, view := w.annotation("kampanja"), survey.Share{ID: survey.NewID(), Name: "kaikki", By: "somebody", At: now}
	w.must("sharing", w.Store.AddShare(t.Context(), view))
	w.save()
	whole := w.live(topology.Contacts)
	_, err := w.Store.OptOut(t.Context(), ids[0], []survey.Channel{survey.Email}, false, now.Add(time.Hour))
	w.must("opting out", err)
	for _, id := range ids[:3] {
		w.must("deleting", w.Store.DeleteContact(t.Context(), id))
	}
	w.does(survey.ContactDelete, survey.Fingerprint(ids[0]))
	w.does(survey.ContactDelete, survey.Fingerprint(ids[2]))
	_, err = w.Store.Upsert(t.Context(), []survey.Details{{Email: "vesa@example.fi"}}, now)
	w.must("adding", err)
	_, err = w.Store.ChangeContact(t.Context(), ids[3], 0, func(c *survey.Contact) error { c.Email = "new@example.fi"; return nil }, now)
	w.must("changing", err)
	w.must("deleting", w.Store.DeleteAnnotation(t.Context(), note))
	w.must("deleting", w.Store.DeleteShare(t.Context(), view.ID))
	w.does(survey.ShareDelete, view.ID)

	// Without the contacts there is nothing for their decisions to be on.
	said, err := w.restores("y", topology.Decisions)
	if got := counted(said); err != nil || got["without their contact"] != "3" || got["to be put back"] != "" {
		t.Errorf("decisions: %v\n%s", err, said)
	}
	for _, c := range []struct {
		table topology.Table
		flags []string
		want  map[string]string
	}{
		{topology.Settings, nil, map[string]string{
			"deleted on purpose (-deleted-too puts them back)": "1", "to be put back": "1", "changed since, and left alone": "1", // the counter
		}},
		{topology.Settings, []string{"-deleted-too"}, map[string]string{
			"deleted on purpose, and yet put back": "1", "to be put back": "1", "changed since, and left alone": "1",
		}},
		{topology.Contacts, nil, map[string]string{
			"deleted on purpose (-deleted-too puts them back)": "1", "with an address that another contact has": "1", "to be put back": "1", "changed since, and left alone": "1",
		}},
		{topology.Contacts, []string{"-deleted-too"}, map[string]string{
			"deleted on purpose, and yet put back": "1", "with an address that another contact has": "1", "to be put back": "1", "changed since, and left alone": "1",
		}},
		// The address that outi had, and the ref that vesa had, are nobody's.
		{topology.Addresses, nil, map[string]string{"without their contact": "2", "changed since, and left alone": "1"}},
		{topology.Decisions, nil, map[string]string{"without their contact": "1", "to be put back": "2"}},
	} {
		said, err := w.restores("y", c.table, c.flags...)
		got := counted(said)
		delete(got, "items in the copy")
		delete(got, "the same in the table")
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s %q: %v, -want +got:\n%s", c.table.Name, c.flags, err, diff)
		}
	}
	eino, err := w.Store.FindContact(t.Context(), "email", "eino@example.fi")
	if err != nil || eino.ID != ids[1] || !reflect.DeepEqual(w.live(topology.Contacts)[ids[1]], whole[ids[1]]) {
		t.Errorf("eino is %+v, %v", eino, err)
	}
	// The copy does not know that aino opted out.
	if aino, err := w.Store.FindContact(t.Context(), "ref", "ref-aino"); err != nil || aino.ID != ids[0] || !aino.OptOuts[survey.Email].Equal(now.Add(time.Hour)) {
		t.Errorf("aino is %+v, %v", aino, err)
	}
}

// Zones of contacts are looked into also where the setting came to be anew.
func TestZones(t *testing.T) {
	w := newWorld(t)
	for _, zone := range []string{"Europe/Helsinki", "Europe/London"} {
		_, err := w.Store.Upsert(t.Context(), []survey.Details{{Ref: zone, Zone: zone}}, now)
		w.must("adding", err)
	}
	w.save()
	want := w.live(topology.Settings)
	w.lose(topology.Settings, "zones/contacts")
	// A process that does not know yet that the zone is known.
	_, err := store.New(w.DB, w.Config).Upsert(t.Context(), []survey.Details{{Ref: "new", Zone: "Europe/Helsinki"}}, now)
	w.must("adding", err)
	delete(want, "counter/contacts")
	said, err := w.restores("y", topology.Settings)
	got := w.live(topology.Settings)
	delete(got, "counter/contacts")
	if err != nil || counted(said)["to be put back"] != "1" || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v\n%s", err, got, said)
	}
}

// puts has the command call before with the name of the table ahead of each put
// of an item, which is not done where that is an error.
func (w *world) puts(before func(table string) error) {
	w.d.Store = store.New(store.NewClient(w.Config, func(name string) string {
		return map[string]string{"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}[name]
	}, func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("puts", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				if put, is := in.Parameters.(*dynamodb.PutItemInput); is {
					if err := before(strings.TrimPrefix(*put.TableName, w.Config.TablePrefix)); err != nil {
						return middleware.InitializeOutput{}, middleware.Metadata{}, err
					}
				}
				return next.HandleInitialize(ctx, in)
			}), middleware.Before)
		})
	}), w.Config)
}

// Who was erased between looking and putting back is left out, and the end says
// that others may have come back.
func TestErasedMeanwhile(t *testing.T) {
	w := newWorld(t)
	ids := w.people("aino", "eino")
	w.save()
	w.lose(topology.Responses)
	w.asked = func() { w.does(survey.Erase, survey.Fingerprint(ids[0])) }
	said, err := w.restores("y", topology.Responses)
	if err == nil || !strings.HasPrefix(err.Error(), "people were erased meanwhile and may be back, erase them again:\n") ||
		strings.Count(err.Error(), ": audit entry ") != 1 || !strings.Contains(said, "put back: 1\n") {
		t.Errorf("%v\n%s", err, said)
	}
	if len(w.asksOf(ids[0])) != 0 || len(w.asksOf(ids[1])) != 1 {
		t.Errorf("there are %v", slices.Collect(maps.Keys(w.live(topology.Responses))))
	}
}

// Whom to erase again is told also where a run is stopped, with who was erased
// just before, and where there is nothing left to put back.
func TestWhomToEraseAgain(t *testing.T) {
	w := newWorld(t)
	ids := w.people("aino", "eino", "vesa")
	w.save()
	w.lose(topology.Responses)
	w.does(survey.Erase, survey.Fingerprint(ids[0]))
	ctx, stop := context.WithCancel(t.Context())
	erase := sync.OnceFunc(func() { w.does(survey.Erase, survey.Fingerprint(ids[1])) })
	w.puts(func(table string) error {
		if table == "responses" {
			erase()
			stop()
		}
		return ctx.Err()
	})
	told := regexp.MustCompile(`(?s)Now erase again .*: audit entry .*: audit entry `)
	said, err := w.runs(ctx, "", "-yes", "-erase-again", "-of-this-deployment", "responses", w.copies+"responses")
	if !errors.Is(err, context.Canceled) || strings.Count(err.Error(), ": audit entry ") != 1 || !told.MatchString(said) {
		t.Errorf("stopped: %v\n%s", err, said)
	}
	w.d.Store = w.Store
	for _, left := range []string{"1", ""} {
		said, err := w.restores("", topology.Responses, "-yes", "-erase-again")
		if err != nil || counted(said)["to be put back"] != left || !told.MatchString(said) {
			t.Errorf("with %q left: %v\n%s", left, err, said)
		}
	}
}

// A run that is stopped leaves what it did, says so in the log, and the next one
// does the rest.
func TestStopped(t *testing.T) {
	w := newWorld(t)
	for range 100 {
		w.must("asking", w.Store.CreateAsk(t.Context(), answered("")))
	}
	w.save()
	want := w.live(topology.Responses)
	w.lose(topology.Responses)
	ctx, stop := context.WithCancel(t.Context())
	var puts atomic.Int64
	w.puts(func(string) error {
		if puts.Add(1) == 40 {
			stop()
		}
		return nil
	})
	said, err := w.runs(ctx, "", "-yes", "-of-this-deployment", "responses", w.copies+"responses")
	some := len(w.live(topology.Responses))
	if !errors.Is(err, context.Canceled) || some == 0 || some == len(want) || !strings.Contains(said, "put back: ") {
		t.Fatalf("%d are there, %v\n%s", some, err, said)
	}
	said, err = w.restores("", topology.Responses, "-yes")
	if got := counted(said); err != nil || got["the same in the table"] == "" || got["to be put back"] == "" { // some may have got there late
		t.Errorf("%v\n%s", err, said)
	}
	w.same(topology.Responses, want)
	log, _, err := w.Store.AuditEntries(t.Context(), store.AuditQuery{From: now.AddDate(0, 0, -1), To: now.AddDate(0, 0, 1), Action: survey.Restore, Limit: 10})
	if err != nil || len(log) != 3 || !slices.ContainsFunc(log, func(e survey.AuditEntry) bool { return e.Outcome == survey.Failed }) {
		t.Errorf("the log has %+v, %v", log, err)
	}
}

// Of long work it is told how far it is.
func TestProgress(t *testing.T) {
	w := newWorld(t)
	w.save()
	table := w.copies + topology.Decisions.Name
	for part := range slices.Chunk(make([]struct{}, progressEvery), 25) {
		var batch []types.WriteRequest
		for range part {
			batch = append(batch, types.WriteRequest{PutRequest: &types.PutRequest{Item: item{
				"contact": &types.AttributeValueMemberS{Value: survey.NewID()}, "occasion": &types.AttributeValueMemberS{Value: "shop-nps#2100Q4"},
			}}})
		}
		_, err := w.DB.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: batch}})
		w.must("writing", err)
	}
	said, err := w.restores("", topology.Decisions)
	if want := fmt.Sprintf("%d of about %[1]d items compared, 0 put back\n", progressEvery); err != nil || !strings.Contains(said, want) ||
		counted(said)["without their contact"] != fmt.Sprint(progressEvery) {
		t.Errorf("%v\n%s", err, said)
	}
}

// What cannot be recorded is not done.
func TestNothingUnrecorded(t *testing.T) {
	w := newWorld(t)
	w.people("aino")
	w.save()
	w.lose(topology.Responses)
	down := errors.New("down")
	w.puts(func(table string) error {
		if table == "audit" {
			return down
		}
		return nil
	})
	said, err := w.restores("", topology.Responses, "-yes")
	if !errors.Is(err, down) || !strings.Contains(err.Error(), "nothing was done, as it could not be recorded") || len(w.live(topology.Responses)) != 0 {
		t.Errorf("%v\n%s", err, said)
	}
}

func TestMistakes(t *testing.T) {
	w := newWorld(t)
	w.people("aino")
	w.save()
	live := w.Config.TablePrefix
	for _, c := range []struct{ args, want string }{
		{"", usage + " (flags come first)"},
		{"responses", usage + " (flags come first)"},
		{"responses a b", usage + " (flags come first)"},
		{"answers x", `there is no table "answers": it must be one of settings, contacts, addresses, decisions, responses`},
		{"tallies x", "tallies are not put back, but counted again: go run ./scripts/recount"},
		{"audit x", "nothing is put back into the audit log: it has what was done, and is added to by that alone"},
		{"responses " + live + "responses", "invalid: " + live + "responses is the live table, and no copy of it"},
		{"-of-this-deployment responses " + live + "responses", "invalid: " + live + "responses is the live table, and no copy of it"},
		{"responses " + w.copies + "responses", "DynamoDB does not tell what " + w.copies + "responses was made of, and who was erased is known of this deployment alone: " +
			"where it is a copy of its responses, say -of-this-deployment"},
		{"responses " + live + "none", "not_found: there is no table " + live + "none"},
		{"responses " + live + "settings", "invalid: " + live + "settings has another key than " + live + "responses: kind (S), id (S), and not id (S)"},
	} {
		if _, err := w.runs(t.Context(), "y", strings.Fields(c.args)...); err == nil || err.Error() != c.want {
			t.Errorf("restore %s: %v", c.args, err)
		}
	}
	// Of the same key, and yet no answers.
	said, err := w.runs(t.Context(), "y", "-of-this-deployment", "responses", w.copies+"contacts")
	if want := map[string]string{"items in the copy": "1", "cannot be read": "1"}; err != nil || !cmp.Equal(counted(said), want) {
		t.Errorf("contacts for responses: %v\n%s", err, said)
	}
	_, err = w.DB.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String(live + "responses")})
	w.must("deleting", err)
	if _, err := w.restores("y", topology.Responses); err == nil || err.Error() != "not_found: there is no table "+live+"responses" {
		t.Errorf("without the live table: %v", err)
	}
}
