package intake

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/table"
	"github.com/pulssi/pulssi/shared/testkit"
)

var start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// bucket keeps files in memory.
type bucket struct {
	mu    sync.Mutex
	files map[string]file
	puts  map[string]int
	fail  func(key string) error // of a Put
}

type file struct {
	body []byte
	info files.Info
}

func newBucket() *bucket { return &bucket{files: map[string]file{}, puts: map[string]int{}} }

func (b *bucket) Open(_ context.Context, key string) (io.ReadCloser, files.Info, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.files[key]
	if !ok {
		return nil, files.Info{}, survey.Errorf(survey.NotFound, "", "there is no such file")
	}
	return io.NopCloser(bytes.NewReader(f.body)), f.info, nil
}

func (b *bucket) Put(_ context.Context, key, _ string, body io.ReadSeeker, meta map[string]string) error {
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		if err := b.fail(key); err != nil {
			return err
		}
	}
	b.puts[key]++
	b.files[key] = file{content, files.Info{Key: key, Size: int64(len(content)), Modified: start, Meta: meta}}
	return nil
}

// contacts knows persons by their addresses, and does what the store does as
// far as it is needed here.
type contacts struct {
	mu      sync.Mutex
	known   map[string]string // by address
	upserts int
	before  func(batch int, rows []survey.Details) error
}

func (c *contacts) Rules(context.Context) (survey.Rules, error) { return survey.DefaultRules(), nil }

func (c *contacts) Upsert(ctx context.Context, rows []survey.Details, _ time.Time) ([]store.Outcome, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.upserts++
	if len(rows) > store.MaxUpsert {
		return nil, fmt.Errorf("%d rows", len(rows))
	}
	if c.before != nil {
		if err := c.before(c.upserts, rows); err != nil {
			return nil, err
		}
	}
	out := make([]store.Outcome, len(rows))
	for i, d := range rows {
		now := fmt.Sprintf("%+v", d)
		was, known := c.known[d.Email+d.Phone]
		out[i].Result = store.Changed
		switch {
		case !known:
			out[i].Result = store.Added
		case was == now:
			out[i].Result = store.Unchanged
		}
		if c.known != nil {
			c.known[d.Email+d.Phone] = now
		}
	}
	return out, nil
}

// world is a handler and what is around it.
type world struct {
	*Handler
	t        *testing.T
	bucket   *bucket
	contacts *contacts
	clock    *testkit.Clock
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, bucket: newBucket(), contacts: &contacts{known: map[string]string{}}, clock: testkit.NewClock(start)}
	w.Handler = &Handler{Files: w.bucket, Contacts: w.contacts, Now: w.clock.Now, Folder: t.TempDir()}
	t.Cleanup(func() {
		if left, err := os.ReadDir(w.Folder); err != nil || len(left) > 0 {
			t.Errorf("files are left: %v, %v", left, err)
		}
	})
	return w
}

func notice(keys ...string) string {
	var n struct{ Records []any }
	for _, k := range keys {
		n.Records = append(n.Records, map[string]any{
			"eventName": "ObjectCreated:Put", "s3": map[string]any{"object": map[string]any{"key": url.QueryEscape(k)}},
		})
	}
	b, _ := json.Marshal(n)
	return string(b)
}

// upload puts a file and handles its notice; it returns the report, and
// whether the message was done.
func (w *world) upload(name, content string, meta ...string) (*Report, bool) {
	w.t.Helper()
	m := map[string]string{}
	for i := 0; i < len(meta); i += 2 {
		m[meta[i]] = meta[i+1]
	}
	w.bucket.files["uploads/"+name] = file{[]byte(content), files.Info{Size: int64(len(content)), Modified: w.clock.Now(), Meta: m}}
	return w.handle(w.t.Context(), name)
}

func (w *world) handle(ctx context.Context, name string) (*Report, bool) {
	w.t.Helper()
	resp, err := w.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m1", Body: notice("uploads/" + name)}}})
	if err != nil {
		w.t.Fatal(err)
	}
	f, ok := w.bucket.files["reports/"+name+".json"]
	if !ok {
		return nil, len(resp.BatchItemFailures) == 0
	}
	var r Report
	if err := json.Unmarshal(f.body, &r); err != nil {
		w.t.Fatal(err)
	}
	return &r, len(resp.BatchItemFailures) == 0
}

// problems returns the lines of the file of problems.
func (w *world) problems(name string) []string {
	w.t.Helper()
	s, ok := strings.CutPrefix(string(w.bucket.files["reports/"+name+".csv"].body), "\ufeffrow;column;kind;reason\n")
	if !ok {
		w.t.Fatalf("the file of problems is %.100q", s)
	}
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

func TestAFile(t *testing.T) {
	w := newWorld(t)
	in := "Asiakkaat;;;\r\nSähköposti;Puhelin;Kaupunki;Ryhmä\r\naino@example.com;040 1234567;Oulu;vip\r\n" +
		"matti;letters;Oulu;\r\nmaija@example.com;letters;Oulu;!\r\n\"Oy \"X;a;;\r\naino@example.com;040 1234567;Turku;vip\r\n"
	got, done := w.upload("a/asiakkaat 1.csv", in)
	want := &Report{
		Listed: 6,
		File:   "a/asiakkaat 1.csv", Size: int64(len(in)), Modified: start, StartedAt: start, FinishedAt: start, State: Done,
		Rows: 5, Added: 2, Unchanged: 1, Refused: 2, LeftOut: 4,
		Columns: ReportColumns{map[string]Field{"Sähköposti": Email, "Puhelin": Phone, "Ryhmä": Segments}, []string{"Kaupunki"}},
		Problems: []Problem{
			{4, "Sähköposti", LeftOut, "e-mail address has no @"},
			{4, "Puhelin", LeftOut, "phone number must not contain letters"},
			{4, "", Refused, "has neither an e-mail address nor a phone number that can be used"},
			{5, "Puhelin", LeftOut, "phone number must not contain letters"},
			{5, "Ryhmä", LeftOut, "segments must be made of 1 to 40 letters, digits, spaces, - and _, with one = allowed in between"},
			{6, "", Refused, `a quote (") in line 6 is not closed at the end of its cell, or stands inside a cell without quotes around it; nothing of line 6 was read`},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" || !done {
		t.Error(done, diff)
	}
	if got := w.problems("a/asiakkaat 1.csv"); len(got) != 6 || got[0] != "4;Sähköposti;left out;e-mail address has no @" || !strings.HasPrefix(got[5], `6;;refused;"a quote ("") in line 6`) {
		t.Errorf("problems are %q", got)
	}

	w.clock.Move(time.Hour)
	upserts := w.contacts.upserts
	if again, done := w.handle(t.Context(), "a/asiakkaat 1.csv"); !done || !cmp.Equal(got, again) || w.contacts.upserts != upserts {
		t.Errorf("the same message: %+v", again)
	}
	if again, done := w.upload("a/asiakkaat 1.csv", in); !done || again.Added+again.Changed != 0 || again.Unchanged != 3 || !again.StartedAt.Equal(start.Add(time.Hour)) {
		t.Errorf("the same file again: %+v", again)
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	wide := strings.TrimSuffix(strings.Repeat("Sarake;", 50), ";") + "\n" + strings.Repeat("x;", 50) + "\n"
	for name, c := range map[string]struct {
		in   string
		meta []string
		want string
	}{
		"empty":          {"", nil, "the file is empty"},
		"no address":     {wide, nil, `no column has addresses: there must be one for e-mail or phone among the first 10 rows, such as sähköposti, puhelin, e-post, telefon, email or phone, or a mapping; the columns are ` + strings.TrimSuffix(strings.Repeat(`"Sarake", `, 50), ", ")},
		"heading in 11":  {strings.Repeat("x\n", 10) + "email\na@example.com\n", nil, `no column has addresses: there must be one for e-mail or phone among the first 10 rows, such as sähköposti, puhelin, e-post, telefon, email or phone, or a mapping; the columns are "x"`},
		"bad mapping":    {"email\n", []string{"mapping", "email"}, `mapping: must be a JSON object of column names and fields, such as {"Osoite": "email"}`},
		"bad country":    {"email\n", []string{"country", "fi"}, "country must be two capital letters (ISO 3166-1), such as FI"},
		"bad locale":     {"email\n", []string{"locale", "suomi"}, "locale must be a language such as fi or sv-FI"},
		"bad segment":    {"email\n", []string{"segment", "a!"}, `segments must be made of 1 to 40 letters, digits, spaces, - and _, with one = allowed in between`},
		"a broken .xlsx": {"PK\x03\x04", nil, "the file is a broken .xlsx: it cannot be unpacked"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			got, done := w.upload("f", c.in, c.meta...)
			if !done || got.State != Failed || got.Error != c.want || got.FinishedAt.IsZero() || w.contacts.upserts != 0 {
				t.Errorf("done %t, %+v, want %s", done, got, c.want)
			}
		})
	}
	t.Run("too large", func(t *testing.T) {
		w := newWorld(t)
		w.bucket.files["uploads/f"] = file{nil, files.Info{Size: table.MaxFile + 1}}
		if got, done := w.handle(t.Context(), "f"); !done || got.State != Failed || got.Error != "the file is larger than 200 MB: divide it" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("heading in 10", func(t *testing.T) {
		if got, _ := newWorld(t).upload("f", strings.Repeat("x\n", 9)+"email\na@example.com\n"); got.State != Done || got.Rows != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestWhatIsToldBesideTheFile(t *testing.T) {
	w := newWorld(t)
	var got []survey.Details
	w.contacts.before = func(_ int, rows []survey.Details) error { got = append(got, rows...); return nil }
	w.upload("f", "Osoite;email;Gatan\na@example.com;070-174 06 05;x\n", "mapping", `{"OSOITE":"email","Email":"phone"}`, "country", "SE", "locale", "sv", "segment", "spring")
	if diff := cmp.Diff([]survey.Details{{Email: "a@example.com", Phone: "+46701740605", Locale: "sv", Segments: []string{"spring"}}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAWorkbook(t *testing.T) {
	x := excelize.NewFile()
	fill := func(sheet string, rows ...[]any) {
		for i, r := range rows {
			if err := x.SetSheetRow(sheet, fmt.Sprint("A", i+1), &r); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill("Sheet1", []any{"What this is"})
	if _, err := x.NewSheet("Asiakkaat"); err != nil {
		t.Fatal(err)
	}
	fill("Asiakkaat", []any{"Kaikki asiakkaat"}, []any{"Matkapuhelin", "Nimi", "Ryhmä"}, []any{401234567, "Aino V", "a"}, []any{501234567}, []any{4.0123, "x"})
	if err := errors.Join(x.SetCellFormula("Asiakkaat", "A3", "B1"), x.SetCellFormula("Asiakkaat", "B4", "A1"), x.SetCellFormula("Asiakkaat", "A9", "A1"), x.MergeCell("Asiakkaat", "C3", "C4"), x.MergeCell("Asiakkaat", "A1", "C1")); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	got, _ := w.upload("asiakkaat.xlsx", b.String())
	const noValue = "is a formula without a stored value: save the file anew in a spreadsheet program"
	want := []Problem{
		{4, "Nimi", LeftOut, noValue},
		{5, "Matkapuhelin", LeftOut, "phone number is not a number of the numbering plan of FI; one of another country must begin with +"},
		{5, "", Refused, "has neither an e-mail address nor a phone number that can be used"},
		{9, "Matkapuhelin", LeftOut, noValue},
		{9, "", Refused, "has neither an e-mail address nor a phone number that can be used"},
		{4, "Ryhmä", Noted, "the cells C3:C4 are merged: their value counts for C3 alone"},
	}
	if _, ok := w.contacts.known["+358401234567"]; !ok {
		t.Errorf("a formula's stored value: %v", w.contacts.known)
	}
	if diff := cmp.Diff(want, got.Problems); diff != "" || got.State != Done || got.Sheet != "Asiakkaat" || got.Rows != 4 || got.Added != 2 || got.Refused != 2 || got.Noted != 1 {
		t.Errorf("%+v\n%s", got, diff)
	}
}

// A heading that a spreadsheet program would take for a formula.
func TestProblemsAreNoFormulas(t *testing.T) {
	w := newWorld(t)
	w.upload("f", "email,\"=HYPERLINK(\"\"http://evil.example\"\")\"\naino,x\n", "mapping", `{"=HYPERLINK(\"http://evil.example\")":"phone"}`)
	p, err := csv.NewReader(strings.NewReader(strings.ReplaceAll(w.problems("f")[1], ";", ","))).Read()
	if err != nil || p[1] != `'=HYPERLINK("http://evil.example")` {
		t.Errorf("%q, %v", p, err)
	}
}

// More than a hundred thousand refused rows, the last of which has two problems
// more than are listed.
func TestMoreProblemsThanAreListed(t *testing.T) {
	const n = MaxListed/2 + 1 // rows with two problems each
	w := newWorld(t)
	got, done := w.upload("f", "email\n"+strings.Repeat("x\n", n))
	if !done || got.State != Done || got.Rows != n || got.Refused != n || got.LeftOut != n || got.Listed != MaxListed || len(got.Problems) != MaxProblems {
		t.Errorf("%+v", got)
	}
	p := w.problems("f")
	if len(p) != MaxListed || p[MaxListed-1] != fmt.Sprint(n, ";;refused;has neither an e-mail address nor a phone number that can be used") {
		t.Errorf("%d problems, the last %s", len(p), p[len(p)-1])
	}
	if puts := w.bucket.puts["reports/f.json"]; puts < n/tellRows {
		t.Errorf("told %d times how far it is", puts)
	}
}

// A file in a folder that is called as that of uploads has a report of its own,
// by which it is known when its message comes again.
func TestAFolderOfUploadsWithinUploads(t *testing.T) {
	w := newWorld(t)
	if got, done := w.upload("uploads/f", "email\na@example.com\n"); !done || got == nil || got.File != "uploads/f" || got.Added != 1 {
		t.Fatalf("done %t, %+v", done, got)
	}
	if got, done := w.handle(t.Context(), "uploads/f"); !done || got.Added != 1 {
		t.Errorf("again: done %t, %+v", done, got)
	}
	if len(w.bucket.files) != 3 {
		t.Errorf("%d files, want the upload, its report and its problems", len(w.bucket.files))
	}
}

// many returns a file of n persons.
func many(n int) string {
	var s strings.Builder
	s.WriteString("email\n")
	for i := range n {
		fmt.Fprintf(&s, "p%d@example.com\nx\n", i)
	}
	return s.String()
}

// until is a context with a deadline that the test moves.
type until struct {
	context.Context
	deadline atomic.Pointer[time.Time]
}

func (u *until) Deadline() (time.Time, bool) { return *u.deadline.Load(), true }

// left makes the deadline come in d.
func (u *until) left(d time.Duration) { u.deadline.Store(new(time.Now().Add(d))) }

func TestARunOutOfTimeGoesOn(t *testing.T) {
	const n = 2500
	w := newWorld(t)
	ctx := &until{Context: t.Context()}
	ctx.left(15 * time.Minute)
	seen := map[string]int{}
	w.contacts.before = func(batch int, rows []survey.Details) error {
		for _, r := range rows {
			seen[r.Email]++
		}
		if batch == 7 {
			ctx.left(stopBefore)
		}
		return nil
	}
	w.bucket.files["uploads/f"] = file{[]byte(many(n)), files.Info{Size: 1, Modified: start}}
	got, done := w.handle(ctx, "f")
	if done || got.State != Running || !got.Paused || got.Rows == 0 || got.Rows >= 2*n || got.Rows != got.Added+got.Refused {
		t.Fatalf("done %t, %+v", done, got)
	}
	if p := w.problems("f"); len(p) != 2*got.Refused {
		t.Errorf("%d problems of %d rows", len(p), got.Refused)
	}
	// The second run has its 15 minutes, too.
	ctx.left(15 * time.Minute)
	got, done = w.handle(ctx, "f")
	if !done || got.State != Done || got.Paused || got.Added != n || got.Refused != n || got.Rows != 2*n || len(w.problems("f")) != 2*n {
		t.Errorf("done %t, %+v", done, got)
	}
	for email, times := range seen {
		if times != 1 {
			t.Errorf("%s was imported %d times", email, times)
		}
	}
	if len(seen) != n {
		t.Errorf("%d persons were imported", len(seen))
	}
}

func TestAFaultThatPasses(t *testing.T) {
	const n = 1500
	w := newWorld(t)
	w.contacts.before = func(batch int, _ []survey.Details) error {
		if batch == 5 {
			return survey.Errorf(survey.Unavailable, "", "not now")
		}
		return nil
	}
	got, done := w.upload("f", many(n))
	if done || got.State != Running || !got.Paused {
		t.Fatalf("done %t, %+v", done, got)
	}
	got, done = w.handle(t.Context(), "f")
	if !done || got.State != Done || got.Rows != 2*n || got.Added+got.Unchanged != n || got.Refused != n || len(w.contacts.known) != n || len(w.problems("f")) != 2*n {
		t.Errorf("done %t, %+v", done, got)
	}
}

// A run that is killed says nothing, and the next begins again.
func TestAKilledRun(t *testing.T) {
	const n = 6000 // and as many that are refused: it is told once how far it is
	for _, when := range []string{"reports/f.csv", "reports/f.json"} {
		w := newWorld(t)
		puts := 0
		w.bucket.fail = func(key string) error {
			if puts++; puts > 2 && key == when {
				return errors.New("killed")
			}
			return nil
		}
		if got, done := w.upload("f", many(n)); done || got.State != Running || got.Paused || got.Rows < tellRows {
			t.Fatalf("done %t, %+v", done, got)
		}
		w.bucket.fail = nil
		got, done := w.handle(t.Context(), "f")
		if !done || got.State != Done || got.Unchanged != n || got.Refused != n || len(w.problems("f")) != 2*n {
			t.Errorf("done %t, %+v", done, got)
		}
	}
}

// The rows of one person are written in order, though batches are written at
// the same time.
func TestTheLastRowOfAPersonIsRight(t *testing.T) {
	var s strings.Builder
	s.WriteString("email,name\n")
	for i := range 3000 {
		fmt.Fprintf(&s, "p%d@example.com,N%d\n", i%750, i)
	}
	var mu sync.Mutex
	w := newWorld(t)
	last, writing, started := map[string]string{}, map[string]bool{}, 0
	eighth := make(chan struct{})
	w.Handler.Contacts = upsert(func(_ context.Context, rows []survey.Details) ([]store.Outcome, error) {
		mu.Lock()
		started++
		first := started == 1
		if started == 8 { // has persons of the first batch in it
			close(eighth)
		}
		for _, r := range rows {
			if writing[r.Email] {
				t.Errorf("%s is written twice at the same time", r.Email)
			}
			writing[r.Email], last[r.Email] = true, r.FirstName
		}
		mu.Unlock()
		if first {
			select {
			case <-eighth:
			case <-time.After(300 * time.Millisecond): // it waits, as it should
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for _, r := range rows {
			delete(writing, r.Email)
		}
		return make([]store.Outcome, len(rows)), nil
	})
	w.upload("f", s.String())
	for i := range 750 {
		if got, want := last[fmt.Sprintf("p%d@example.com", i)], fmt.Sprint("N", 2250+i); got != want {
			t.Fatalf("person %d is %s, want %s", i, got, want)
		}
	}
}

type upsert func(context.Context, []survey.Details) ([]store.Outcome, error)

func (u upsert) Upsert(ctx context.Context, rows []survey.Details, _ time.Time) ([]store.Outcome, error) {
	return u(ctx, rows)
}
func (upsert) Rules(context.Context) (survey.Rules, error) { return survey.DefaultRules(), nil }

func TestMessages(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want string
		ok   bool
	}{
		"two files":      {notice("uploads/a b+ä.csv", "uploads/c/d.csv"), "uploads/a b+ä.csv,uploads/c/d.csv", true},
		"a test":         {`{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}`, "", true},
		"a removal":      {strings.ReplaceAll(notice("uploads/a"), "ObjectCreated:Put", "ObjectRemoved:Delete"), "", true},
		"elsewhere":      {notice("reports/a.json", "uploads/", "uploads/folder/", "x"), "", true},
		"no JSON":        {"hello", "", false},
		"something else": {`{"tick":"2026-11-21T09:00:00Z"}`, "", false},
		"a bad key":      {strings.ReplaceAll(notice("uploads/a"), "%2F", "%zz"), "", false},
	} {
		keys, err := uploads(c.body)
		if got := strings.Join(keys, ","); got != c.want || (err == nil) != c.ok {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	w := newWorld(t)
	if r, done := w.handle(t.Context(), "gone"); !done || r != nil {
		t.Errorf("a file that is gone: %+v", r)
	}
	resp, err := w.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "bad", Body: "?"}, {MessageId: "good", Body: notice("uploads/gone")}}})
	if err != nil || len(resp.BatchItemFailures) != 1 || resp.BatchItemFailures[0].ItemIdentifier != "bad" {
		t.Errorf("%+v, %v", resp, err)
	}
}

func FuzzUploads(f *testing.F) {
	f.Add(notice("uploads/a b+ä.csv"))
	f.Add(`{"Event":"s3:TestEvent"}`)
	f.Add(`{"Records":[{"eventName":"ObjectCreated:Copy","s3":{"object":{"key":"uploads%2Fx"}}}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		keys, err := uploads(body)
		for _, k := range keys {
			if err != nil || !strings.HasPrefix(k, "uploads/") {
				t.Errorf("%q, %v", k, err)
			}
		}
	})
}

// generated is a file of persons that is made as it is read.
type generated struct {
	rows, at int
	left     []byte
}

func (g *generated) Read(p []byte) (int, error) {
	for len(g.left) < len(p) && g.at <= g.rows {
		if g.at == 0 {
			g.left = append(g.left, "email;phone;first name;last name;segment\n"...)
		} else {
			g.left = fmt.Appendf(g.left, "person.%d@mail.example.com;+35840%07d;Aino Maria;Virtanen;vip,city=Oulu\n", g.at, g.at)
		}
		g.at++
	}
	if len(g.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, g.left)
	g.left = g.left[:copy(g.left, g.left[n:])]
	return n, nil
}

func TestMemoryStaysFlat(t *testing.T) {
	const n = 100_000 // rows that were kept would take twice the limit
	w := newWorld(t)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapInuse
	}
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	size, err := io.Copy(f, &generated{rows: n})
	if err != nil {
		t.Fatal(err)
	}
	before, most := heap(), uint64(0)
	w.contacts.known = nil // everybody is new, and forgotten
	w.contacts.before = func(batch int, _ []survey.Details) error {
		if batch%100 == 0 {
			most = max(most, heap())
		}
		return nil
	}
	var r Report
	i := &Import{Contacts: w.contacts, Now: time.Now, Problems: io.Discard}
	if err := i.Run(t.Context(), f, size, &r); err != nil || r.Added != n {
		t.Fatalf("%v, %+v", err, r)
	}
	const limit = 16 << 20
	if most > before+limit {
		t.Errorf("the heap grew from %d to %d kB over %d rows of %d MB", before>>10, most>>10, n, size>>20)
	}
	t.Logf("heap: %d kB before, %d kB at most", before>>10, most>>10)
}

const headings = "Asiakasnumero;Etunimi;Sukunimi;Sähköposti;Matkapuhelin;Kieli;Ryhmä;Kaupunki\r\n"

// On real tables; a thousand rows of it go through the local stack.
func TestRowsOfWindows1252(t *testing.T) {
	const n = 150 // more than a batch
	tables := testkit.NewTables(t)
	w := newWorld(t)
	w.Handler.Contacts = tables.Store
	var s strings.Builder
	s.WriteString(headings)
	for i := range n {
		fmt.Fprintf(&s, "A-%d;Päivi;Mäkelä;paivi.makela%d@example.com;040 %07d;%s;kanta-asiakas,ä;Jyväskylä\r\n", i, i, 1000000+i, []string{"suomi", "ruotsi"}[i%2])
	}
	in, err := charmap.Windows1252.NewEncoder().String(s.String())
	if err != nil {
		t.Fatal(err)
	}
	got, done := w.upload("asiakkaat.csv", in)
	if !done || got.State != Done || got.Rows != n || got.Added != n || len(got.Problems) != 0 {
		t.Fatalf("%+v", got)
	}
	c, err := tables.Store.FindContact(t.Context(), "ref", "A-7")
	if err != nil || c.FirstName != "Päivi" || c.LastName != "Mäkelä" || c.Email != "paivi.makela7@example.com" || c.Phone != "+358401000007" ||
		c.Locale != "sv" || c.Zone != "Europe/Helsinki" || !cmp.Equal(c.Segments, []string{"kanta-asiakas", "ä"}) {
		t.Errorf("%+v, %v", c, err)
	}
	w.clock.Move(time.Hour)
	if got, _ = w.upload("asiakkaat.csv", in); got.State != Done || got.Added != 0 || got.Changed != 0 || got.Unchanged != n {
		t.Errorf("the same file again: %+v", got)
	}
	if again, err := tables.Store.FindContact(t.Context(), "ref", "A-7"); err != nil || !cmp.Equal(c, again) {
		t.Errorf("%+v, %v", again, err)
	}
	changed, err := charmap.Windows1252.NewEncoder().String(headings + "A-7;Pia;;;;;;\r\nA-7;Pia;;pia@example.com;;;;\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ = w.upload("muutokset.csv", changed); got.Changed != 1 || got.Refused != 1 {
		t.Errorf("a change: %+v", got)
	}
	if c, err = tables.Store.FindContact(t.Context(), "email", "pia@example.com"); err != nil || c.Ref != "A-7" || c.FirstName != "Pia" || c.LastName != "Mäkelä" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestTwoContactsSharingAnAddress(t *testing.T) {
	tables := testkit.NewTables(t)
	w := newWorld(t)
	w.Handler.Contacts = tables.Store
	in := "id,name,email,phone,opt-out\n1,Aino,home@example.com,040 1234567,x\n2,Matti,home@example.com,040 7654321,\n3,Maija,home@example.com,,\n"
	want := []Problem{
		{3, "email", LeftOut, "belongs to another contact"},
		{4, "email", Refused, "belongs to another contact"},
	}
	for run := range 2 {
		w.clock.Move(time.Hour)
		got, _ := w.upload("f", in)
		if diff := cmp.Diff(want, got.Problems); diff != "" || got.State != Done || got.Rows != 3 || got.Refused != 1 || got.LeftOut != 1 || run == 0 && got.Added != 2 || run == 1 && got.Unchanged != 2 {
			t.Errorf("run %d: %+v\n%s", run, got, diff)
		}
	}
	if c, err := tables.Store.FindContact(t.Context(), "email", "home@example.com"); err != nil || c.Ref != "1" || len(c.OptOuts) != 2 {
		t.Errorf("%+v, %v", c, err)
	}
}
