package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// desk is a person at a terminal, and the tables that the commands work on.
type desk struct {
	t      *testing.T
	tables *testkit.Tables
	clock  *testkit.Clock
}

func newDesk(t *testing.T) *desk {
	return &desk{t, testkit.NewTables(t), testkit.NewClock(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))}
}

// says runs a command; answer is what the person says when asked, "" where
// there is none.
func (d *desk) says(answer string, args ...string) (string, error) {
	d.t.Helper()
	var out bytes.Buffer
	t := &terminal{out: &out, progress: &out, open: func(context.Context) (connect.Deployment, error) {
		return connect.Deployment{Store: d.tables.Store, Where: "the test's tables", Now: d.clock.Now, Local: true}, nil
	}}
	if answer != "" {
		t.person = strings.NewReader(answer + "\n")
	}
	err := t.run(d.t.Context(), args)
	return out.String(), err
}

// run runs a command that does what it is to do.
func (d *desk) run(args ...string) string {
	d.t.Helper()
	out, err := d.says("", args...)
	if err != nil {
		d.t.Fatalf("contacts %q: %v\n%s", args, err, out)
	}
	return out
}

// recorded fails the test unless the audit log has these entries, the oldest
// first: action, subject, and what was before and after; and nothing of anybody.
func (d *desk) recorded(want ...string) {
	d.t.Helper()
	all, _, err := d.tables.Store.AuditEntries(d.t.Context(), store.AuditQuery{From: d.clock.Now().AddDate(0, 0, -1), To: d.clock.Now().AddDate(0, 0, 1), Limit: store.MaxAuditEntries})
	if err != nil {
		d.t.Fatal(err)
	}
	var got []string
	for _, e := range all {
		got = append(got, strings.Join([]string{string(e.Action), e.Subject, string(e.Before), string(e.After), string(e.Outcome)}, " "))
	}
	slices.Reverse(got)
	if diff := cmp.Diff(want, got); diff != "" {
		d.t.Errorf("the log: -want +got:\n%s", diff)
	}
}

// has fails the test where a text lacks something.
func has(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("there is no %q in\n%s", w, got)
		}
	}
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestImport(t *testing.T) {
	d := newDesk(t)
	file := write(t, "generated.csv", d.run("generate", "-seed", "3", "-encoding", "windows-1252", "120"))
	has(t, d.run("import", "-check", file), `column "Sähköposti": email`, "rows: 120, usable: 120, refused: 0, cells left out: 0\n")
	has(t, d.run("list"), "0 contacts\n")
	has(t, d.run("import", file), "importing generated.csv into the test's tables\n", "rows: 120, added: 120, changed: 0, unchanged: 0, refused: 0, cells left out: 0\n")
	has(t, d.run("import", file), "rows: 120, added: 0, changed: 0, unchanged: 120, refused: 0")
	has(t, d.run("list", "-limit", "0"), "120 contacts\n", "100120")
	has(t, d.run("show", "100120"), "2026-11-21 09:00 UTC") // by the clock of where it goes
	has(t, d.run("list", "-limit", "7"), "the first 7 contacts; -limit says how many to list\n")
	if out, err := d.says("", "list", "-limit", "-3"); err == nil || err.Error() != "-limit must be at least 0" {
		t.Errorf("%v, %s", err, out)
	}

	problems := filepath.Join(t.TempDir(), "problems.csv")
	odd := write(t, "odd.csv", "Osoite,Numero,Kaupunki,email\na@example.com,08-465 004 10,Oulu,zzz\nb,no,,\n"+strings.Repeat("x,,,\n", 12))
	out := d.run("import", "-map", "Osoite=email,Numero=phone", "-map", "email=", "-country", "SE", "-locale", "sv", "-segment", "spring", "-problems", problems, odd)
	has(t, out, `column "Numero": phone`, `columns ignored: ["Kaupunki" "email"]`, `row 3, "Osoite": left out: e-mail address has no @`,
		"row 3: refused: has neither an e-mail address nor a phone number that can be used", "rows: 14, added: 1, changed: 0, unchanged: 0, refused: 13, cells left out: 14\n")
	if b, err := os.ReadFile(problems); err != nil || strings.Count(string(b), "\n") != 1+14+13 {
		t.Errorf("%s, %v", b, err)
	}
	has(t, d.run("show", "+46846500410"), "a@example.com", "sv", "spring")
	has(t, d.run("import", "-map", "Osoite=email", odd), "... and more; -problems FILE writes all of them")
	if all, _, err := d.tables.Store.AuditEntries(t.Context(), store.AuditQuery{From: d.clock.Now(), To: d.clock.Now().AddDate(0, 0, 1), Limit: 10}); err != nil || len(all) != 4 || all[0].Action != survey.ContactsImport {
		t.Errorf("%v, of four imports the log has %+v", err, all)
	}
}

func TestOneContact(t *testing.T) {
	d := newDesk(t)
	out := d.run("add", "-ref", "A-7", "-email", "Aino@Example.com", "-phone", "040 1234567", "-first", "Aino", "-segments", "vip, b", "-opt-out", "sms")
	id := strings.TrimSpace(strings.TrimPrefix(out, "added "))
	if survey.CheckID("id", id) != nil {
		t.Fatalf("added: %s", out)
	}
	for _, who := range []string{id, "aino@example.COM", "040 1234567", "+358 40 1234567", "A-7"} {
		has(t, d.run("show", who), id, survey.Fingerprint(id), "aino@example.com", "+358401234567", "b, vip", "sms since 2026-11-21", "2026-11-21 09:00 UTC")
	}
	d.clock.Move(time.Second)
	has(t, d.run("add", "-ref", "A-7", "-last", "Virtanen"), "there is such a contact already, and it was changed: "+id)
	d.clock.Move(time.Second)
	has(t, d.run("add", "-ref", "A-7"), "there is such a contact already: "+id)
	d.clock.Move(time.Second)
	has(t, d.run("change", "-first", "Aila", "-phone", "", "-segments", "c", "-opt-out", "email", "A-7"), "Aila", "Virtanen", "email since 2026-11-21, sms since")
	if c, err := d.tables.Store.Contact(t.Context(), id); err != nil || c.Phone != "" || c.FirstName != "Aila" || c.LastName != "Virtanen" || len(c.Segments) != 1 || len(c.OptOuts) != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	has(t, d.run("change", "-first", "Aila", "A-7"), "nothing to change")

	if out, err := d.says("", "delete", "A-7"); err == nil || err.Error() != "nothing was done: say -yes to do it without a question" {
		t.Errorf("%v, %s", err, out)
	}
	if out, err := d.says("n", "delete", "A-7"); err != nil || !strings.HasSuffix(out, "Delete this contact from the test's tables? [y/N] nothing was deleted\n") {
		t.Errorf("%v, %s", err, out)
	}
	d.clock.Move(time.Second)
	if out, err := d.says("y", "delete", "A-7"); err != nil || !strings.HasSuffix(out, "deleted "+id+"\n") {
		t.Errorf("%v, %s", err, out)
	}
	if _, err := d.says("", "show", "A-7"); survey.CodeOf(err) != survey.NotFound {
		t.Errorf("after it was deleted: %v", err)
	}
	d.recorded(
		`contact.add `+survey.Fingerprint(id)+`  {"version":1,"fields":["ref","email","phone","firstName","segments","optOut"]} begun`,
		`contact.change `+survey.Fingerprint(id)+` {"version":1} {"version":2,"fields":["lastName"]} begun`,
		`contact.change `+survey.Fingerprint(id)+` {"version":2} {"version":3,"fields":["phone","firstName","segments","optOut"]} begun`,
		`contact.delete `+survey.Fingerprint(id)+` {"version":3,"fields":["ref","email","firstName","lastName","zone","segments","optOut"]}  begun`,
	)
}

func TestWhy(t *testing.T) {
	d := newDesk(t)
	id := strings.TrimSpace(strings.TrimPrefix(d.run("add", "-email", "aino@example.com"), "added "))
	has(t, d.run("why", "aino@example.com"), "In logs the contact is "+survey.Fingerprint(id)+".\n", "Nothing was decided about contact "+id+" within a year")
	now := d.clock.Now()
	for _, x := range []survey.Decision{
		{Touchpoint: "shop-nps", Occasion: "2027Q1", Verdict: survey.Planned, At: now.Add(-48 * time.Hour), Due: now.Add(60 * 24 * time.Hour), Channel: survey.Email},
		{Touchpoint: "shop-nps", Occasion: "2026Q4", Verdict: survey.WasAsked, At: now.Add(-24 * time.Hour), Due: now, Channel: survey.Email},
		{Touchpoint: "support", Occasion: "ticket.closed/7", Verdict: survey.Refused, At: now, Due: now, Reason: survey.OptedOut},
	} {
		x.Contact = id
		if err := d.tables.Store.PutDecision(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
	out := d.run("why", id)
	out, ok := strings.CutPrefix(out, "In logs the contact is "+survey.Fingerprint(id)+".\n")
	has(t, out, "Contact "+id+", times of Europe/Helsinki, the newest first:\n")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if !ok || len(lines) != 4 || lines[1] != "  shop-nps: Will be asked by e-mail about 2027Q1 on Wed 20 Jan 2027 at 11:00." ||
		!strings.HasPrefix(lines[2], "  support: Not asked about ticket.closed (7) on Sat 21 Nov 2026 at 11:00: ") ||
		lines[3] != "  shop-nps: Asked by e-mail about 2026Q4 on Fri 20 Nov 2026 at 11:00." {
		t.Errorf("explained as\n%s", out)
	}
}

func TestMistakes(t *testing.T) {
	d := newDesk(t)
	d.run("add", "-email", "aino@example.com", "-ref", "1")
	d.run("add", "-email", "matti@example.com", "-ref", "2")
	file := write(t, "f.csv", "Nimi\nAino\n")
	for _, c := range []struct{ args, want string }{
		{"", ""}, {"help", ""}, {"import -h", ""},
		{"impotr", `there is no command "impotr"; the commands are import, list, show, why, add, change, delete, generate`},
		{"show", "usage: contacts show WHO (flags come first)"},
		{"show 1 2", "usage: contacts show WHO (flags come first)"},
		{"show nobody", `there is no contact with the id, e-mail address, ref or phone number "nobody"`},
		{"show AAAAAAAAAAAAAAAAAAAAAA", `there is no contact with the id, e-mail address, ref or phone number "AAAAAAAAAAAAAAAAAAAAAA"`},
		{"add", "a contact needs an e-mail address, a phone number or a ref"},
		{"add -zone Turku -opt-out widget -ref 3", "zone must be a time zone such as Europe/Helsinki; optOut must be of email, sms"},
		{"add -ref 3 -email aino@example.com", "email belongs to another contact"},
		{"add -email aino -phone CALL", "e-mail address has no @; phone number must not contain letters"},
		{"change 1", `nothing to change: say what, such as -email (with "" to remove it)`},
		{"change -email matti@example.com 1", "email belongs to another contact"},
		{"change -opt-out widget 1", `-opt-out must be email or sms, not "widget"`},
		{"change -locale suomi 1", "locale must be a language such as fi or sv-FI"},
		{"import nofile.csv", "open nofile.csv: no such file or directory"},
		{"import -map email " + file, `invalid value "email" for flag -map: must be Column=field, not "email"`},
		{"import " + file, `no column has addresses: there must be one for e-mail or phone among the first 10 rows, such as sähköposti, puhelin, e-post, telefon, email or phone, or a mapping; the columns are "Nimi"`},
		{"generate x", `the number of people must be from 0 to 10000000, not "x"`},
		{"generate 10000001", `the number of people must be from 0 to 10000000, not "10000001"`},
		{"generate -separator | 1", `-separator must be ; or , or \t, not "|"`},
		{"generate -encoding x 1", `there is no encoding "x": it must be one of utf-8, utf-8-bom, utf-16, windows-1252`},
	} {
		out, err := d.says("", strings.Fields(c.args)...)
		switch {
		case err == nil:
			t.Errorf("contacts %s: no error, but\n%s", c.args, out)
		case c.want == "":
			if !errors.Is(err, flag.ErrHelp) || !strings.Contains(out, "usage:") {
				t.Errorf("contacts %s: %v\n%s", c.args, err, out)
			}
		case words(err) != c.want:
			t.Errorf("contacts %s: %s, want %s", c.args, words(err), c.want)
		}
	}
}

// TestNobodyAnswers: a question that meets the end of the input, as in a job
// that reads /dev/null, is no "no" but a failure.
func TestNobodyAnswers(t *testing.T) {
	for _, input := range []string{"", "\n", "n"} {
		out := &bytes.Buffer{}
		sure, err := (&terminal{out: out, person: strings.NewReader(input)}).ask("Delete?")
		if sure || (err != nil) != (input == "") {
			t.Errorf("%q: %t, %v", input, sure, err)
		}
	}
}
