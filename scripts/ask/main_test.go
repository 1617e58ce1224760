package main

import (
	"bytes"
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/scripts/apply/touchpoints"
	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/dev/post"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

var update = flag.Bool("update", false, "write the golden files")

func TestParse(t *testing.T) {
	for line, want := range map[string]struct {
		options
		mistake string
	}{
		"-touchpoint shop -to me@example.com":           {options: options{touchpoint: "shop", to: "me@example.com", name: "Maija"}},
		"-touchpoint shop -to +358401234567 -locale sv": {options: options{touchpoint: "shop", to: "+358401234567", name: "Maija", locale: "sv"}},
		"-touchpoint shop -print -reminder -name Olli":  {options: options{touchpoint: "shop", name: "Olli", print: true, reminder: true}},
		"-touchpoint shop":                              {mistake: "-to"},
		"-to me@example.com":                            {mistake: "-touchpoint ID"},
		"":                                              {mistake: "-touchpoint ID"},
		"-touchpoint shop -to me@example.com you@example.com": {mistake: `"you@example.com" is not known`},
		"-touchpoint shop -too me@example.com":                {mistake: "-too"},
	} {
		got, err := parse(strings.Fields(line), &bytes.Buffer{})
		if want.mistake != "" {
			if err == nil || !strings.Contains(err.Error(), want.mistake) {
				t.Errorf("%q: %v, want a word of %s", line, err, want.mistake)
			}
			continue
		}
		if err != nil || got != want.options {
			t.Errorf("%q: %+v, %v", line, got, err)
		}
	}
}

var now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// deployment is one with the touchpoints of the local stack, whose mail and SMS
// arrive in a box.
func deployment(t *testing.T) (connect.Deployment, *post.Box) {
	t.Helper()
	t.Setenv(config.Sender, "")
	t.Setenv(config.SMSSender, "")
	tables := testkit.NewTables(t)
	b, err := os.ReadFile("../dev/touchpoints.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file, err := touchpoints.Read("touchpoints.yaml", b)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := tables.Store.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := touchpoints.NewPlan(file, touchpoints.Stored{Rules: rules}, nil, now)
	if err == nil {
		err = plan.Apply(t.Context(), tables.Store)
	}
	if err != nil {
		t.Fatal(err)
	}
	box, err := post.Open("")
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now }
	server := httptest.NewServer(&post.Services{Box: box, Now: clock})
	t.Cleanup(func() {
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return connect.Deployment{Store: tables.Store, URL: "https://answer.example.com", Services: server.URL, Now: clock, Local: true}, box
}

func try(t *testing.T, d connect.Deployment, line string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	o, err := parse(strings.Fields(line), &out)
	if err != nil {
		t.Fatal(err)
	}
	err = ask(t.Context(), d, o, &out)
	return out.String(), err
}

var askID = regexp.MustCompile(`/a/[A-Za-z0-9_-]{22}`)

func TestPrint(t *testing.T) {
	d, box := deployment(t)
	for name, line := range map[string]string{
		"mail.sv.txt":     "-touchpoint shop-nps -locale sv -print",
		"reminder.en.txt": "-touchpoint relation-nps -locale en -name Olli -reminder -print",
		"sms.fi.txt":      "-touchpoint delivery-ces5 -to 0401234567 -print",
	} {
		out, err := try(t, d, line)
		if err != nil {
			t.Fatal(err)
		}
		out = askID.ReplaceAllString(out, "/a/ID")
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, []byte(out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), out); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, n := box.Last(); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
}

// What is sent arrives, and its link leads to an ask that is not counted.
func TestSend(t *testing.T) {
	d, box := deployment(t)
	for _, c := range []struct {
		line, to, from, locale string
		channel                survey.Channel
	}{
		{"-touchpoint shop-nps -to me@example.com -locale en", "me@example.com", "Esimerkkikauppa <kysely@example.com>", "en", survey.Email},
		{"-touchpoint delivery-ces5 -to 0401234567", "+358401234567", "Demo", "fi", survey.SMS},
	} {
		out, err := try(t, d, c.line)
		if err != nil {
			t.Fatal(err)
		}
		link := askID.FindString(out)
		if link == "" || !strings.Contains(out, "is not counted: https://answer.example.com/a/") {
			t.Errorf("it says %q", out)
		}
		all, _ := box.Last()
		if i := all[0]; i.Channel != c.channel || i.To != c.to || i.From != c.from || !strings.Contains(i.Text, "https://answer.example.com"+link) {
			t.Errorf("%s: sent %+v", c.line, i)
		}
		a, err := d.Store.Ask(t.Context(), strings.TrimPrefix(link, "/a/"))
		if err != nil || !a.Test || a.Contact != "" || a.Channel != c.channel || a.Locale != c.locale || !a.SentAt.Equal(now) {
			t.Errorf("%s: the ask is %+v, %v", c.line, a, err)
		}
	}
	t.Setenv(config.Sender, "Toinen <toinen@example.com>")
	if _, err := try(t, d, "-touchpoint shop-nps -to me@example.com"); err != nil {
		t.Fatal(err)
	}
	if all, _ := box.Last(); all[0].From != "Toinen <toinen@example.com>" {
		t.Errorf("it is from %s", all[0].From)
	}
}

func TestMistakes(t *testing.T) {
	d, box := deployment(t)
	for line, want := range map[string]string{
		"-touchpoint shop -to me@example.com":                `there is no touchpoint "shop"; there are: cancel-csat, `,
		"-touchpoint shop-nps -locale de -to me@example.com": `shop-nps has no texts in "de": its locales are fi, sv, en`,
		"-touchpoint shop-nps -to me@":                       "nothing after the @",
		"-touchpoint shop-nps -to 12":                        "phone",
		"-touchpoint cancel-csat -to 0401234567":             "cancel-csat is not asked by sms",
		"-touchpoint shop-product -to me@example.com":        "shop-product is not asked by email",
	} {
		if _, err := try(t, d, line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
	if _, n := box.Last(); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
}

// Without the local stack, whom the messages are from must be told.
func TestSenders(t *testing.T) {
	t.Setenv(config.Sender, "")
	t.Setenv(config.SMSSender, "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	d := connect.Deployment{Now: time.Now}
	for name, channel := range map[string]survey.Channel{config.Sender: survey.Email, config.SMSSender: survey.SMS} {
		m := message.Message{Channel: channel, To: "x"}
		if err := send(t.Context(), d, m); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", channel, err)
		}
	}
}
