package site

import (
	"encoding/csv"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/scripts/dev/ledger"
	"github.com/pulssi/pulssi/scripts/dev/service"
	"github.com/pulssi/pulssi/shared/address"
	"github.com/pulssi/pulssi/shared/survey"
)

// TestTheSample holds the sample to what its comment says of it.
func TestTheSample(t *testing.T) {
	text, err := charmap.Windows1252.NewDecoder().Bytes(Sample())
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(string(text)))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1001 || rows[0][3] != "Sähköposti" || !strings.Contains(string(Sample()), "S\xe4hk\xf6posti") {
		t.Errorf("%d rows under %q", len(rows)-1, rows[0])
	}
	seen := map[string]bool{}
	twice, broken, without := 0, 0, 0
	for _, row := range rows[1:] {
		line := strings.Join(row, ";")
		if seen[line] {
			twice++
		}
		seen[line] = true
		email, phone := row[3], row[4]
		if email == "" && phone == "" {
			without++
			continue
		}
		if _, err := address.Email(email); err != nil {
			broken++
			if phone == "" {
				t.Errorf("nobody can be asked of %q", line)
			}
		}
		if phone != "" {
			if _, err := address.Phone(phone, "FI"); err != nil {
				t.Errorf("phone %q: %v", phone, err)
			}
		}
	}
	if twice != 2 || broken != 5 || without != 3 {
		t.Errorf("%d are there twice, %d addresses are broken, %d have none", twice, broken, without)
	}
}

func TestLinked(t *testing.T) {
	const host = "localhost:8080"
	for text, want := range map[string][]span{
		"":       nil,
		"no one": {{Text: "no one"}},
		"See http://localhost:8080/a/x?s=9.": {
			{Text: "See "}, {"http://localhost:8080/a/x?s=9", "/a/x?s=9"}, {Text: "."},
		},
		"(https://example.com/ä)\nhttp://localhost:80801/": {
			{Text: "("}, {"https://example.com/ä", "https://example.com/ä"}, {Text: ")\n"}, {"http://localhost:80801/", "http://localhost:80801/"},
		},
	} {
		if got := linked(text, host); !slices.Equal(got, want) {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}

func TestFileNames(t *testing.T) {
	for name, want := range map[string]string{
		"asiakkaat 2026.csv": "asiakkaat 2026.csv", `C:\Users\x\Päivi.xlsx`: "Päivi.xlsx", "../../etc/passwd": "passwd",
		"": "contacts", "..": "contacts", "a;b\x00c<script>.csv": "a_b_c_script_.csv",
		strings.Repeat("ä", 200) + ".csv": strings.Repeat("ä", 96) + ".csv",
	} {
		if got := fileName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestSteps(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		t.Helper()
		m, err := time.ParseInLocation(ofInput, s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	from := at("2026-10-24T12:00") // the last day of summer time
	for by, want := range map[string]time.Time{
		"hour": at("2026-10-24T13:00"), "day": at("2026-10-25T12:00"), "week": at("2026-10-31T12:00"),
		"month": at("2026-11-24T12:00"), "quarter": at("2027-01-24T12:00"),
	} {
		if got, ok := step(from.UTC(), by, zone); !ok || !got.Equal(want) {
			t.Errorf("a %s: %s, want %s", by, got, want)
		}
	}
	if _, ok := step(from, "century", zone); ok || len(steps) != 5 {
		t.Error("a century is a step")
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -999: "-999", -1000: "-1,000"} {
		if got := number(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	if one, two := count(1, "row"), count(2000, "row"); one != "1 row" || two != "2,000 rows" {
		t.Errorf("%s, %s", one, two)
	}
}

func TestTheChart(t *testing.T) {
	if v := newDayView(nil); v.Sum != "Nobody was asked yet, nor refused." || v.Bars != nil {
		t.Errorf("without days: %+v", v)
	}
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	v := newDayView([]ledger.Day{{Day: day(5), Asked: 6, Refused: 2}, {Day: day(7), Asked: 2, Reminded: 1}})
	want := []bar{
		{"Mon 5 Jan 2026: 6 asked, 0 reminded, 2 not asked", 0, []part{{"asked", 25, 75}, {"refused", 0, 25}}},
		{"Wed 7 Jan 2026: 2 asked, 1 reminded, 0 not asked", 20, []part{{"asked", 75, 25}, {"reminded", 62.5, 12.5}}},
	}
	if v.Width != barSpacing*fewestDays || v.First != "5 Jan 2026" || v.Last != "7 Jan 2026" ||
		v.Sum != "8 asked, 1 reminded, 2 not asked. On the 2 days with asks, 4.0 a day, and 6 at most." ||
		!slices.EqualFunc(v.Bars, want, func(a, b bar) bool { return a.Title == b.Title && a.X == b.X && slices.Equal(a.Parts, b.Parts) }) {
		t.Errorf("the chart is %+v", v)
	}
	v = newDayView([]ledger.Day{{Day: day(1), Asked: 1}, {Day: day(1 + shownDays), Asked: 1}})
	if len(v.Bars) != 1 || v.Width != barSpacing*shownDays {
		t.Errorf("%d bars on %d, of two days that are too far apart", len(v.Bars), v.Width)
	}
}

func TestHappenedTo(t *testing.T) {
	got := happenedTo([]byte(`{"type":"custom","contact":{"ref":"a"},"data":{"n":1e3}}`), "x")
	if string(got) != `{"contact":{"id":"x"},"data":{"n":1e3},"type":"custom"}` {
		t.Errorf("got %s", got)
	}
	for _, body := range []string{"", "[]", "null", "{", `"x"`} {
		if got := happenedTo([]byte(body), "x"); string(got) != body {
			t.Errorf("%q became %q", body, got)
		}
	}
}

// TestFreshEvents holds every prefilled event to its schema.
func TestFreshEvents(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 5, time.UTC)
	s := &site{desk: Desk{Zone: time.UTC, Now: func() time.Time { return now }}}
	for _, name := range events.Types() {
		ids := map[string]bool{}
		for range 3 {
			body, err := s.freshEvent(name)
			if err != nil {
				t.Fatal(err)
			}
			e, err := events.Decode([]byte(body))
			if err != nil || e.Type != name || !e.Time.Equal(now.Truncate(time.Second)) {
				t.Errorf("%s: %v, %s", name, err, body)
			}
			ids[e.ID] = true
		}
		if len(ids) == 1 {
			t.Errorf("%s has the same id every time", name)
		}
	}
}

func TestMistakes(t *testing.T) {
	if m, status, ok := mistake(survey.Errorf(survey.TooLarge, "file", "the file is too large")); !ok || status != 413 || m != "The file is too large." {
		t.Errorf("%q, %d, %t", m, status, ok)
	}
	for _, err := range []error{nil, &json.SyntaxError{}, survey.Errorf(survey.Internal, "", "secret")} {
		if _, _, ok := mistake(err); ok {
			t.Errorf("%v is told to the visitor", err)
		}
	}
}

func TestLater(t *testing.T) {
	for span, want := range map[string]string{
		"1d": "1 day", "7d": "7 days", "24h": "1 day", "36h": "36 hours", "1h": "1 hour", "90m": "90 minutes", "1s": "1 second", "61s": "61 seconds",
	} {
		s, err := survey.ParseSpan(span)
		if err != nil {
			t.Fatal(err)
		}
		if got := later(s); got != want {
			t.Errorf("%s: %q, want %q", span, got, want)
		}
	}
}

// TestRefusal: a field is named as it is written in the event.
func TestRefusal(t *testing.T) {
	var answer apiAnswer
	if err := json.Unmarshal([]byte(`{"error":{"code":"invalid","field":"id","message":"id must be there"}}`), &answer); err != nil {
		t.Fatal(err)
	}
	if got, want := refusal(400, answer), "The API says 400: id must be there."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestInterrupted: an import is interrupted where its message was received and
// waits all the same.
func TestInterrupted(t *testing.T) {
	at := time.Date(2026, 11, 22, 1, 22, 0, 0, time.UTC)
	body := func(key string) string {
		return `{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"` + key + `"}}}]}`
	}
	got := interrupted([]service.Message{
		{Body: body("uploads/20261121-230716.001/asiakkaat+%C3%A4.csv"), Receives: 1, Visible: at},
		{Body: body("uploads/20261121-230716.002/new.csv"), Visible: at},
		{Body: "nonsense", Receives: 3, Visible: at},
	})
	if want := map[string]time.Time{"uploads/20261121-230716.001/asiakkaat ä.csv": at}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
