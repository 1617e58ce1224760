package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/text/encoding/charmap"

	"github.com/pulssi/pulssi/scripts/dev/post"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// relation asks everybody every quarter.
const relation = `
locales: [fi, sv, en]
touchpoints:
  - id: relation
    phase: during
    metric: nps
    channels: [email, sms]
    name: {en: Relationship}
    question: {en: How likely?}
    trigger: {every: quarter}
`

// shopping asks two days after a purchase, and whoever comes by.
const shopping = `
locales: [en]
touchpoints:
  - id: shop-nps
    phase: after
    metric: nps
    channels: [email, widget]
    name: {en: Shop}
    question: {en: How likely?}
    trigger: {event: purchase.completed, delay: 2d}
`

// person is a row of a customer register.
type person struct {
	email, phone, zone string
	out                bool
}

// register returns a register of 1,000 rows as Excel saves it in Finland, and
// its people by their reference. Five rows have no address, and five are there
// a second time.
func register() (file []byte, people map[string]person) {
	var b strings.Builder
	b.WriteString("Asiakasnro;Nimi;Sähköposti;Matkapuhelin;Kieli;Segmentti;Aikavyöhyke;Markkinointikielto\r\n")
	people = map[string]person{}
	zones := []string{"", "", "", "", "", "", "", "Europe/Stockholm", "Asia/Tokyo", "America/New_York"}
	for i := range 1000 {
		n := i
		if i >= 995 {
			n -= 500
		}
		ref := fmt.Sprintf("B-%04d", n)
		p := person{email: fmt.Sprintf("asiakas.%d@example.fi", n), zone: zones[n%len(zones)], out: n%50 == 7}
		if n%7 == 3 {
			p.email, p.phone = "", fmt.Sprintf("040 000 %04d", n)
		}
		if n%200 == 111 {
			ref, p = "", person{}
		}
		if ref != "" {
			people[ref] = p
		}
		out := ""
		if p.out {
			out = "Kyllä"
		}
		fmt.Fprintf(&b, "%s;Päivi Ähtäri %d;%s;%s;suomi;\"avain;asiakas\";%s;%s\r\n", ref, n, p.email, p.phone, p.zone, out)
	}
	file, err := charmap.Windows1252.NewEncoder().Bytes([]byte(b.String()))
	if err != nil {
		panic(err)
	}
	return file, people
}

// upload uploads a file by the form, and returns the page that shows what came
// of it.
func upload(t *testing.T, s *Stack, name string, file []byte) string {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(file)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/contacts", &form)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("uploading: %s", resp.Status)
	}
	settle(t, s)
	_, page := call(t, http.MethodGet, s.URL+"/contacts/imports", "")
	return page
}

func settle(t *testing.T, s *Stack) {
	t.Helper()
	if err := s.Services.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func move(t *testing.T, s *Stack, to time.Time) {
	t.Helper()
	if err := s.Services.MoveTo(t.Context(), to, nil); err != nil {
		t.Fatal(err)
	}
}

// counts returns the numbers of the first import of the page.
func counts(page string) string {
	var out []string
	for _, name := range []string{"Added", "Changed", "Unchanged", "Refused"} {
		_, after, _ := strings.Cut(page, "<dt>"+name+"</dt><dd>")
		n, _, _ := strings.Cut(after, "<")
		out = append(out, name+" "+n)
	}
	return strings.Join(out, ", ")
}

// everybody returns all contacts.
func everybody(t *testing.T, s *Stack) []*survey.Contact {
	t.Helper()
	var all []*survey.Contact
	for cursor := ""; ; {
		page, next, err := s.Store.ListContacts(t.Context(), cursor, 100)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, page...); next == "" {
			return all
		}
		cursor = next
	}
}

// TestAQuarter uploads a register and lets a whole quarter pass: everybody who
// may be asked is asked once, at nine in the morning where they live, on no day
// off, and no day carries much more than another. The same file again changes
// nothing.
func TestAQuarter(t *testing.T) {
	s := shared(t, Options{Touchpoints: []byte(relation)})
	quarter := asking.PeriodOf(survey.Quarterly, s.Clock.Now()).Next()
	// The evening before in Helsinki and New York, the first morning in Tokyo:
	// the last turns of one quarter are over, and the first of the next not yet.
	const evening = -2 * time.Hour
	move(t, s, quarter.From.Add(evening))
	file, people := register()
	if got, want := counts(upload(t, s, "asiakkaat.csv", file)), "Added 990, Changed 0, Unchanged 5, Refused 5"; got != want {
		t.Fatalf("the report says %s, want %s", got, want)
	}
	move(t, s, quarter.To.Add(evening))

	book := asking.NewRulebook(survey.DefaultRules())
	open := 0
	for d := quarter.From; d.Before(quarter.To); d = d.AddDate(0, 0, 1) {
		if book.Open(&survey.Trigger{Every: survey.Quarterly}, d) {
			open++
		}
	}
	contacts := everybody(t, s)
	if len(contacts) != len(people) || len(people) != 990 {
		t.Fatalf("%d contacts of %d people", len(contacts), len(people))
	}
	asked, byDay := 0, map[string]int{}
	for _, c := range contacts {
		p, ok := people[c.Ref]
		if !ok {
			t.Errorf("nobody has ref %s", c.Ref)
		}
		asks, err := s.Store.AsksOf(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		decisions, err := s.Store.Decisions(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(decisions) != 1 || decisions[0].Occasion != quarter.Occasion() {
			t.Errorf("%s: decisions %+v", c.Ref, decisions)
			continue
		}
		if p.out {
			if len(asks) != 0 || decisions[0].Reason != survey.OptedOut {
				t.Errorf("%s wants no questions: %d asks, %+v", c.Ref, len(asks), decisions[0])
			}
			continue
		}
		if len(asks) != 1 || decisions[0].Verdict != survey.WasAsked || asks[0].SentAt.IsZero() {
			t.Errorf("%s: %d asks, %+v", c.Ref, len(asks), decisions[0])
			continue
		}
		asked++
		zone := p.zone
		if zone == "" {
			zone = "Europe/Helsinki"
		}
		where, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		at := asks[0].SentAt.In(where)
		y, m, d := at.Date()
		day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		if at.Hour() != 9 || at.Weekday() == time.Saturday || at.Weekday() == time.Sunday ||
			slices.ContainsFunc(asking.Holidays(y), day.Equal) || day.Before(quarter.From) || !day.Before(quarter.To) {
			t.Errorf("%s in %s was asked on %s", c.Ref, zone, at)
		}
		byDay[at.Format(time.DateOnly)]++
	}
	if want := 990 - 20; asked != want {
		t.Errorf("%d were asked, want %d", asked, want)
	}
	if _, sent := s.Box.Last(); sent != asked {
		t.Errorf("%d messages for %d asks", sent, asked)
	}
	mean := float64(asked) / float64(open)
	for day, n := range byDay {
		if float64(n) > 1.5*mean {
			t.Errorf("%d were asked on %s, with a mean of %.1f", n, day, mean)
		}
	}
	if days := s.Ledger.Days(); len(days) < open {
		t.Errorf("the ledger has %d days, with %d open ones", len(days), open)
	}
	if dead, n := s.Services.Dead(5); n != 0 {
		t.Errorf("%d dead letters: %+v", n, dead)
	}

	if got, want := counts(upload(t, s, "asiakkaat.csv", file)), "Added 0, Changed 0, Unchanged 995, Refused 5"; got != want {
		t.Errorf("the second report says %s, want %s", got, want)
	}
	if again := everybody(t, s); len(again) != len(contacts) {
		t.Errorf("%d contacts after the second upload", len(again))
	}
}

// purchase is the event of one.
func purchase(s *Stack, id, email string) string {
	return fmt.Sprintf(`{"type":"purchase.completed","version":1,"id":%q,"time":%q,"contact":{"email":%q}}`,
		id, s.Clock.Now().Format(time.RFC3339), email)
}

func fire(t *testing.T, s *Stack, event string) {
	t.Helper()
	if status, body := call(t, http.MethodPost, s.URL+"/api/events", event); status != http.StatusAccepted {
		t.Fatalf("an event: %d %s", status, body)
	}
	settle(t, s)
}

func to(letters []post.Item) []string {
	var out []string
	for _, l := range letters {
		out = append(out, l.To)
	}
	return out
}

// TestAnEventAsksOnce tells of one purchase several times, and of another after
// whose ask was scheduled the touchpoint is stopped.
func TestAnEventAsksOnce(t *testing.T) {
	s := shared(t, Options{Touchpoints: []byte(shopping)})
	first := purchase(s, "order-1", "one@example.com")
	for range 3 {
		fire(t, s, first)
	}
	if waiting, n := s.Services.Scheduled(10); n != 1 {
		t.Errorf("%d asks are scheduled: %+v", n, waiting)
	}
	if letters, n := s.Box.Last(); n != 0 {
		t.Errorf("asked at once: %v", to(letters))
	}
	week := func() { move(t, s, s.Clock.Now().AddDate(0, 0, 14)) } // over any holidays
	week()
	fire(t, s, first)
	week()
	if letters, _ := s.Box.Last(); !slices.Equal(to(letters), []string{"one@example.com"}) {
		t.Errorf("asked %v", to(letters))
	}

	fire(t, s, purchase(s, "order-2", "two@example.com"))
	if _, n := s.Services.Scheduled(10); n != 1 {
		t.Errorf("%d asks are scheduled", n)
	}
	was, err := s.Store.Touchpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stopped := *was[0]
	stopped.Stopped = true
	if err := s.Store.PutTouchpoint(t.Context(), was[0], &stopped); err != nil {
		t.Fatal(err)
	}
	week()
	if letters, _ := s.Box.Last(); !slices.Equal(to(letters), []string{"one@example.com"}) {
		t.Errorf("asked %v after the stop", to(letters))
	}
	two, err := s.Store.FindContact(t.Context(), "email", "two@example.com")
	if err != nil {
		t.Fatal(err)
	}
	decisions, err := s.Store.Decisions(t.Context(), two.ID)
	if err != nil || len(decisions) != 1 || decisions[0].Reason != survey.Stopped {
		t.Errorf("decisions %+v, %v", decisions, err)
	}
	if _, page := call(t, http.MethodGet, s.URL+"/contacts/"+two.ID, ""); !strings.Contains(page, "the touchpoint was stopped") {
		t.Error("the contact's page does not say why nobody was asked")
	}
}

// TestThePagesOfAsking goes through them as a new user does: upload, fire, move,
// read.
func TestThePagesOfAsking(t *testing.T) {
	s := shared(t, Options{Touchpoints: []byte(shopping)})
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte("Name,Email\nAino Ahti,aino@example.com\nNobody,none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx := testkit.Browser(t, testkit.Deadline(browsing))
	do := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	says := func(where, what string) {
		t.Helper()
		eventually(t, fmt.Sprintf("%q in %s", what, where), func() bool {
			now, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", where)))
			return err == nil && strings.Contains(now, what) // an error is that one page goes and the next comes
		})
	}

	open(ctx, t, s.URL+"/contacts")
	says("main", "There is nobody yet")
	do("choosing a file", chromedp.Do(ctx, chromedp.SetUploadFiles("#file", []string{file})))
	do("uploading", chromedp.Do(ctx, chromedp.Click("#upload-form button")))
	says("#imports", "Done.")
	says("#imports", "has neither an e-mail address nor a phone number")
	says("main", "Aino Ahti")
	aino, err := s.Store.FindContact(t.Context(), "email", "aino@example.com")
	do("finding Aino", err)

	open(ctx, t, s.URL+"/events?contact="+aino.ID)
	do("firing", chromedp.Do(ctx, chromedp.Click(`form[action^="/events"] button`)))
	says("main", "Taken: order-")
	do("spoiling the event", chromedp.Do(ctx, chromedp.SetValue("#body", `{"type":"purchase.completed"}`)))
	do("firing it", chromedp.Do(ctx, chromedp.Click(`form[action^="/events"] button`)))
	says("main", "The API says 400:")
	testkit.ConsoleErrors(ctx) // the browser tells of the status, which is meant
	settle(t, s)

	open(ctx, t, s.URL+"/queue")
	says("main", "Aino Ahti")
	open(ctx, t, s.URL+"/clock")
	do("moving", chromedp.Do(ctx, chromedp.Click(`button[value="month"]`)))
	says("#status", "Moved from")
	says("#sum", "1 asked")
	open(ctx, t, s.URL+"/queue")
	says("#sent ~ ul", "to aino@example.com")
	open(ctx, t, s.URL+"/contacts/"+aino.ID)
	says("main", "Asked by e-mail about purchase.completed")

	for name, opts := range map[string][]testkit.BrowserOption{
		"light": {testkit.Viewport(1280, 900)},
		"dark":  {testkit.Viewport(1280, 900), testkit.Dark()},
		"phone": {testkit.Viewport(320, 700), testkit.Touch()},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := testkit.Browser(t, append(opts, testkit.Deadline(browsing))...)
			for _, path := range []string{"/contacts", "/contacts/" + aino.ID, "/events", "/clock", "/queue"} {
				open(ctx, t, s.URL+path)
				violations, err := testkit.Axe(ctx)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range violations {
					t.Errorf("%s: %s", path, v)
				}
				if wide, err := chromedp.Run(ctx, chromedp.Evaluate[int]("document.documentElement.scrollWidth - innerWidth")); err != nil || wide > 0 {
					t.Errorf("%s is %d pixels wider than the window, %v", path, wide, err)
				}
			}
		})
	}
}

// TestMistakesOnThePages makes each mistake of a visitor once.
func TestMistakesOnThePages(t *testing.T) {
	s := shared(t, Options{Touchpoints: []byte(shopping)})
	post := func(path, form string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var page bytes.Buffer
		if _, err := page.ReadFrom(resp.Body); err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(page.String(), `<p class="mistake" role="alert">`)
		message, _, _ := strings.Cut(after, "<")
		return resp.StatusCode, message
	}
	for _, tt := range []struct {
		path, form, says string
		status           int
	}{
		{"/clock", "to=2020-01-01T10:00", "The clock only goes forward", http.StatusBadRequest},
		{"/clock", "to=2099-01-01T10:00", "at most ten years ahead", http.StatusBadRequest},
		{"/clock", "to=tomorrow", "Choose a day and a time", http.StatusBadRequest},
		{"/clock", "by=century", "an hour, a day, a week", http.StatusBadRequest},
		{"/contacts", "", "choose a file", http.StatusBadRequest},
		{"/events?type=custom", "body=%7B", "The API says 400: an event must be one JSON object", http.StatusUnprocessableEntity},
		{"/events?type=custom", "body=" + strings.Repeat("x", 17<<10), "The API says 413", http.StatusUnprocessableEntity},
		{"/events?type=custom", "body=" + strings.Repeat("x", 2<<20), "an event is at most 16 kB", http.StatusRequestEntityTooLarge},
	} {
		if status, message := post(tt.path, tt.form); status != tt.status || !strings.Contains(message, tt.says) {
			t.Errorf("%s %.40s: %d %q, want %d %q", tt.path, tt.form, status, message, tt.status, tt.says)
		}
	}
	for _, path := range []string{"/contacts/nobody", "/contacts/" + survey.NewID(), "/contacts/problems/none.csv", "/queue/sent/1", "/events?type=none"} {
		if status, _ := call(t, http.MethodGet, s.URL+path, ""); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
	var c struct{ Moving bool }
	if _, body := call(t, http.MethodGet, s.URL+"/clock.json", ""); json.Unmarshal([]byte(body), &c) != nil || c.Moving {
		t.Errorf("the clock says %s", body)
	}
}
