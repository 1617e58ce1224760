package message

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/web"
)

var update = flag.Bool("update", false, "write the golden files")

// letter returns a letter about a purchase, to somebody whose name has markup.
func letter(m survey.Metric, locale string) Letter {
	return Letter{
		Ask: strings.Repeat("A", 22),
		Touchpoint: &survey.Touchpoint{
			ID: "shop", Metric: m, Locales: []string{"fi", "sv", "en"},
			Question: survey.Text{"fi": "Miten onnistuimme?", "sv": "Hur lyckades vi?", "en": "How did we do?"},
		},
		Contact: &survey.Contact{ID: "c", FirstName: "Åsa <b>"},
		Locale:  locale, Link: "https://answer.example.com", Company: "Kauppa & Kumppanit Oy", Postal: "Esimerkkikatu 1, 00100 Helsinki",
		Event: events.PurchaseCompleted, About: "Pöytälamppu", At: time.Date(2026, 11, 20, 22, 30, 0, 0, time.UTC), Zone: helsinki(),
	}
}

func helsinki() *time.Location {
	zone, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		panic(err)
	}
	return zone
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it); got\n%s", path, got)
	}
}

func TestGolden(t *testing.T) {
	for _, m := range survey.Metrics() {
		for _, locale := range web.Locales() {
			w, err := letter(m, locale).Email()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, string(m)+"."+locale+".html", w.HTML)
			golden(t, string(m)+"."+locale+".txt", "Subject: "+w.Subject+"\n\n"+w.Text+"\nSMS: "+letter(m, locale).SMS().Text+"\n")
		}
	}
}

// Every answer is a link with a name in both parts, and nothing is loaded.
func TestEveryAnswerIsALink(t *testing.T) {
	hrefs := regexp.MustCompile(`href="([^"]*)"`)
	for _, m := range survey.Metrics() {
		w, err := letter(m, "fi").Email()
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, s := range web.Scores(m) {
			want = append(want, letter(m, "fi").link(s))
		}
		want = append(want, "https://answer.example.com/u/"+strings.Repeat("A", 22))
		var got []string
		for _, h := range hrefs.FindAllStringSubmatch(w.HTML, -1) {
			got = append(got, h[1])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: links %q, want %q", m, got, want)
		}
		for _, l := range want {
			if !strings.Contains(w.Text, "\n"+l+"\n") {
				t.Errorf("%s: the text lacks %s", m, l)
			}
		}
		for _, loaded := range []string{"<img", "src=", "url(", "<script", "<link", "<form"} {
			if strings.Contains(w.HTML, loaded) {
				t.Errorf("%s: the e-mail has %s", m, loaded)
			}
		}
	}
}

func TestWhatIsSaid(t *testing.T) {
	for _, c := range []struct {
		name  string
		edit  func(*Letter)
		has   []string // in subject or text
		hasNo []string
	}{
		{"a purchase", func(*Letter) {}, []string{
			"Subject: How did we do? One quick question\n", "Hi Åsa <b>,", "You bought Pöytälamppu from us on 21 November 2026.",
			"because you are our customer", "\nKauppa & Kumppanit Oy, Esimerkkikatu 1, 00100 Helsinki\n", "https://answer.example.com/u/",
		}, nil},
		{"a purchase of nothing named", func(l *Letter) { l.About = "" }, []string{"You bought from us on 21 November 2026."}, []string{"Pöytälamppu"}},
		{"an event of one's own", func(l *Letter) { l.Event = events.Custom }, []string{"You were in touch with us recently."}, nil},
		{"a cadence", func(l *Letter) { l.Event, l.About, l.At = "", "", time.Time{} }, []string{"from time to time"}, []string{"2026"}},
		{"no name", func(l *Letter) { l.Contact.FirstName = "" }, []string{"Hi,\n"}, []string{"Hi ,"}},
		{"a name with line ends and headers", func(l *Letter) { l.Contact.FirstName = "A\r\nBcc: x@y.fi\r\n" }, []string{"Hi A Bcc: x@y.fi,"}, []string{"\nBcc"}},
		{"a reminder", func(l *Letter) { l.Reminder = true }, []string{"Subject: A reminder: How did we do?", "We asked you this a little while ago."}, nil},
		{"own words", func(l *Letter) {
			l.Touchpoint.Message = &survey.Message{
				Subject: survey.Text{"en": "{firstName}, how was {about}?"}, Opening: survey.Text{"en": "You came by on {date}."}, News: survey.Text{"en": "So we opened on Sundays."},
			}
		}, []string{"Subject: Åsa <b>, how was Pöytälamppu?\n", "You came by on 21 November 2026.", "So we opened on Sundays.\n\nThank you!"}, []string{"You bought"}},
		{"own words to somebody whose name is not known", func(l *Letter) {
			l.Contact.FirstName = ""
			l.Touchpoint.Message = &survey.Message{Subject: survey.Text{"en": "{firstName}, how was {about}?"}}
		}, []string{"Subject: how was Pöytälamppu?\n"}, nil},
		{"own words of several lines", func(l *Letter) {
			l.Touchpoint.Message = &survey.Message{
				Subject: survey.Text{"en": "One\nBcc: x@y.fi"}, Opening: survey.Text{"en": "You came by.\n\n  Twice.\n"}, News: survey.Text{"en": "We listened.\nWe did."},
			}
		}, []string{"Subject: One Bcc: x@y.fi\n", "You came by.\n\nTwice.\n\n", "We listened.\n\nWe did.\n\nThank you!"}, nil},
		{"a variable that nobody knows any more", func(l *Letter) {
			l.Touchpoint.Message = &survey.Message{Opening: survey.Text{"en": "Hello {lastName}!"}}
		}, []string{"Hello!"}, []string{"lastName", "{"}},
		{"a variable in somebody's name", func(l *Letter) { l.Contact.FirstName = "{company}{{.Link}}" }, []string{"Hi {company}{{.Link}},"}, nil},
		{"a name that is no UTF-8", func(l *Letter) { l.Contact.FirstName = "A\xffB" }, []string{"Hi A\ufffdB,"}, []string{"\xff"}},
		{"a thing with markup, line ends and headers", func(l *Letter) { l.About = "<b>x</b>\r\n\r\nBcc: x@y.fi" }, []string{"You bought <b>x</b> Bcc: x@y.fi from us"}, []string{"\nBcc", "\r"}},
		{"a company with markup", func(l *Letter) { l.Company = "<b>&\"'" }, []string{"\n<b>&\"', Esim"}, nil},
		{"a company that is not told", func(l *Letter) { l.Company = "" }, []string{"\n\nanswer.example.com\n\n--", "\nanswer.example.com, Esim"}, nil},
		{"nobody known, who can end nothing", func(l *Letter) { l.Contact.ID = "" }, []string{"Hi Åsa"}, []string{"/u/", "Unsubscribe"}},
		{"a language nobody translated", func(l *Letter) { l.Locale = "de" }, []string{"Miten onnistuimme?", "Hei Åsa"}, nil},
		{"a language that only Pulssi speaks", func(l *Letter) { l.Touchpoint.Question = survey.Text{"sv": "Hur?"} }, []string{"Hur?", "Hi Åsa"}, nil},
		{"no language", func(l *Letter) { l.Locale = "" }, []string{"Miten onnistuimme?", "Hei Åsa"}, nil},
		{"no language that is one", func(l *Letter) { l.Locale = "\r\n<b>" }, []string{"Miten onnistuimme?", "Hei Åsa"}, nil},
		{"a region", func(l *Letter) { l.Locale = "sv-FI" }, []string{"Hur lyckades vi?", "Hej Åsa"}, nil},
		{"no address", func(l *Letter) { l.Postal = "" }, []string{"Kauppa & Kumppanit Oy\n"}, []string{"Oy,"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := letter(survey.NPS, "en")
			c.edit(&l)
			w, err := l.Email()
			if err != nil {
				t.Fatal(err)
			}
			all := "Subject: " + w.Subject + "\n\n" + w.Text
			for _, s := range c.has {
				if !strings.Contains(all, s) {
					t.Errorf("lacks %q:\n%s", s, all)
				}
			}
			for _, s := range c.hasNo {
				if strings.Contains(all, s) {
					t.Errorf("has %q:\n%s", s, all)
				}
			}
			if strings.Contains(w.HTML, "<b>") {
				t.Error("somebody's markup is in the HTML")
			}
			if strings.Contains(w.HTML, "{{") && l.Contact.FirstName != "{company}{{.Link}}" || !utf8.ValidString(all+w.HTML) || strings.ContainsAny(w.Subject, "\r\n") || strings.Contains(w.Text, "\r") {
				t.Errorf("subject %q, HTML\n%s", w.Subject, w.HTML)
			}
			if sms := l.SMS().Text; strings.ContainsAny(sms, "\r\n") || !utf8.ValidString(sms) || strings.Contains(sms, "{") && !strings.Contains(l.Contact.FirstName, "{") {
				t.Errorf("SMS %q", sms)
			}
		})
	}
}

// Texts of a touchpoint at their longest, all of characters that HTML escapes,
// make the largest e-mail there can be.
func TestLargest(t *testing.T) {
	l := letter(survey.NPS, "en")
	long := survey.Text{"en": strings.Repeat("'", survey.MaxText)}
	l.Touchpoint.Question, l.Touchpoint.Message = long, &survey.Message{Subject: long, Preheader: long, Opening: long, News: long}
	l.Contact.FirstName, l.About = strings.Repeat("'", survey.MaxContactName), strings.Repeat("'", 200)
	w, err := l.Email()
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	t.Logf("%d bytes", len(w.HTML))
	l.Company = strings.Repeat("'", MaxHTML)
	if _, err := l.Email(); survey.CodeOf(err) != survey.Invalid {
		t.Errorf("a larger one: %v", err)
	}
}

func TestSMS(t *testing.T) {
	l := letter(survey.NPS, "fi")
	if got, want := l.SMS().Text, "Kauppa & Kumppanit Oy: Miten onnistuimme? https://answer.example.com/a/AAAAAAAAAAAAAAAAAAAAAA"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	l.Touchpoint.Message = &survey.Message{Reply: true}
	if got := l.SMS(); got.Reply || !strings.HasSuffix(got.Text, "/a/AAAAAAAAAAAAAAAAAAAAAA") {
		t.Errorf("nobody can reply, and yet %+v", got)
	}
	l.Replies = true
	if !l.SMS().Reply {
		t.Error("an SMS that asks for a reply does not say so")
	}
	l.Touchpoint.Message = &survey.Message{Reply: true, SMS: survey.Text{"fi": "Hei {firstName}, suosittelisitko meitä?"}}
	l.Contact.FirstName = "Åsa\nBcc"
	if got, want := l.SMS().Text, "Kauppa & Kumppanit Oy: Hei Åsa Bcc, suosittelisitko meitä? Vastaa numerolla 0-10. Lopeta viestit: LOPETA"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	own := l.Touchpoint.Message.SMS
	l.Touchpoint.Message.SMS = nil
	if got, want := l.SMS().Text, "Kauppa & Kumppanit Oy: Miten onnistuimme? 0: En lainkaan todennäköisesti, 10: Erittäin todennäköisesti. Vastaa numerolla 0-10. Lopeta viestit: LOPETA"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	l.Touchpoint.Message.SMS, l.Reminder = own, true
	if got, want := l.SMS().Text, "Muistutus: Kauppa & Kumppanit Oy: Hei Åsa Bcc,"; !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	l.Reminder, l.Company = false, ""
	if got := l.SMS().Text; strings.HasPrefix(got, ":") {
		t.Errorf("%q", got)
	}
}

// A long name, or one in another alphabet, never makes an SMS that is not sent.
func TestSMSFits(t *testing.T) {
	for _, c := range []struct {
		name        string
		words       int // of the touchpoint's text, ten characters each
		first       string
		about       string
		has, hasNot string
	}{
		{"a name", 20, "Maija", "", "Hei Maija, ", ""},
		{"typography", 20, "Mai’ja", "", "Hei Mai'ja, ", ""},
		{"another alphabet that fits", 5, "Šárka", "", "Hei Šárka, ", ""},
		{"another alphabet that does not", 20, "Šárka", "", "Hei, ", "Š"},
		{"a long thing", 33, "Maija", strings.Repeat("ö", 200), "Hei, ", "ö"},
		{"a long company, which is nobody's name", 1, "Maija", "", "Hei, ", ""},
	} {
		l := letter(survey.NPS, "fi")
		if strings.HasPrefix(c.name, "a long company") {
			l.Company = strings.Repeat("K", 400)
		}
		l.Touchpoint.Message = &survey.Message{SMS: survey.Text{"fi": "Hei {firstName}, " + strings.Repeat("sanasanat ", c.words) + "{about}?"}}
		l.Contact.FirstName, l.About = c.first, c.about
		got := l.SMS().Text
		if !strings.Contains(got, c.has) || c.hasNot != "" && strings.Contains(got, c.hasNot) {
			t.Errorf("%s: %q", c.name, got)
		}
		if l.Contact.FirstName != c.first {
			t.Errorf("%s: the contact is now %q", c.name, l.Contact.FirstName)
		}
	}
}

// Every text exists in every language, with the same variables, and there is
// a reason for each type of event.
func TestTexts(t *testing.T) {
	var variablesOf func(v reflect.Value) []string
	variablesOf = func(v reflect.Value) []string {
		switch v.Kind() {
		case reflect.String:
			if strings.TrimSpace(v.String()) == "" {
				return []string{"MISSING"}
			}
			names := survey.Names(v.String())
			slices.Sort(names)
			return []string{strings.Join(slices.Compact(names), " ")}
		case reflect.Struct:
			var out []string
			for i := range v.NumField() {
				out = append(out, v.Type().Field(i).Name)
				out = append(out, variablesOf(v.Field(i))...)
			}
			return out
		case reflect.Map:
			var out []string
			keys := v.MapKeys()
			slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
			for _, k := range keys {
				out = append(append(out, k.String()), variablesOf(v.MapIndex(k))...)
			}
			return out
		default:
			t.Fatalf("a text of kind %s", v.Kind())
			return nil
		}
	}
	english := variablesOf(reflect.ValueOf(*in("en")))
	if slices.Contains(english, "MISSING") {
		t.Errorf("en lacks a text: %q", english)
	}
	for _, l := range web.Locales() {
		if got := variablesOf(reflect.ValueOf(*in(l))); !slices.Equal(got, english) {
			t.Errorf("%s: %q\nen: %q", l, got, english)
		}
		for _, e := range events.Types() {
			for _, r := range []string{e, e + "/about"} {
				if e != events.Custom && in(l).Reasons[r] == "" {
					t.Errorf("%s has no reason %s", l, r)
				}
			}
		}
	}
}
