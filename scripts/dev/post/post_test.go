package post

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/awsenv"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/mail"
	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/sms"
	"github.com/pulssi/pulssi/shared/survey"
)

var now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string) *Box {
	t.Helper()
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func numbered(t *testing.T, b *Box, n int) Item {
	t.Helper()
	i, err := b.Numbered(n)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// clients are the real ones, of an endpoint on this machine.
func clients(t *testing.T, s *Services) (*mail.Client, *sms.Client) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c := awsenv.Config(config.Config{Region: "eu-north-1"}, func(name string) string {
		return map[string]string{awsenv.Endpoint: server.URL, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}[name]
	})
	m, err := mail.New(sesv2.NewFromConfig(c, mail.Options), "Kauppa Öy <kysely@example.com>", func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	p, err := sms.New(sns.NewFromConfig(c, sms.Options), "Kauppa")
	if err != nil {
		t.Fatal(err)
	}
	return m, p
}

func written(ch survey.Channel, to string) message.Message {
	return message.Message{
		Written: message.Written{Subject: "Miten onnistuimme? 😀", HTML: "<p>Hyvää päivää</p>\n", Text: "Hyvää päivää\n", Lang: "fi"},
		Channel: ch, To: to, Ask: strings.Repeat("A", 22), Touchpoint: "shop-nps", Unsubscribe: "https://answer.example.com/u/" + strings.Repeat("A", 22),
	}
}

// What the real clients send arrives as it was written.
func TestArrives(t *testing.T) {
	b := open(t, "")
	var notices []string
	s := &Services{Box: b, Now: func() time.Time { return now }, Notice: func(event []byte) { notices = append(notices, string(event)) }}
	m, p := clients(t, s)
	sent := written(survey.Email, "maija@example.org")
	id, err := m.Send(t.Context(), sent)
	if err != nil || id != "local-1" {
		t.Fatalf("%q, %v", id, err)
	}
	got := numbered(t, b, 1)
	if !strings.Contains(string(got.Raw), "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n") {
		t.Errorf("the source is %q", got.Raw)
	}
	got.Raw = nil
	want := Item{
		Number: 1, At: now, Channel: survey.Email, From: "Kauppa Öy <kysely@example.com>", To: sent.To, Subject: sent.Subject, Lang: "fi",
		Text: sent.Text, HTML: sent.HTML, Ask: sent.Ask, Touchpoint: sent.Touchpoint, Unsubscribe: sent.Unsubscribe,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text := written(survey.SMS, "+358401234567")
	if id, err = p.Send(t.Context(), text); err != nil || id != "local-2" {
		t.Fatalf("%q, %v", id, err)
	}
	if diff := cmp.Diff(Item{Number: 2, At: now, Channel: survey.SMS, From: "Kauppa", To: text.To, Text: text.Text}, numbered(t, b, 2)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(notices) != 1 || !strings.Contains(notices[0], `"eventType":"Delivery"`) || !strings.Contains(notices[0], `"ask":["`+sent.Ask+`"]`) {
		t.Errorf("notices %q", notices)
	}
}

func TestSimulatedAddresses(t *testing.T) {
	for to, want := range map[string][]string{
		"maija@example.org": {"Email Delivered"}, "bounce@example.org": {"Email Bounced"},
		"soft-1@example.org": {"Email Bounced"}, "complaint@example.org": {"Email Delivered", "Email Complaint Received"},
	} {
		var got []string
		s := &Services{Box: open(t, ""), Now: func() time.Time { return now }, Notice: func(event []byte) {
			var e struct {
				DetailType string `json:"detail-type"`
			}
			if err := json.Unmarshal(event, &e); err != nil {
				t.Error(err)
			}
			got = append(got, e.DetailType)
		}}
		m, _ := clients(t, s)
		if _, err := m.Send(t.Context(), written(survey.Email, to)); err != nil {
			t.Fatal(err)
		}
		if strings.Join(got, ",") != strings.Join(want, ",") {
			t.Errorf("%s: %q, want %q", to, got, want)
		}
	}
}

// What cannot be taken is refused as the services refuse it: the clients tell it
// from a failure.
func TestRefuses(t *testing.T) {
	b := open(t, "")
	s := &Services{Box: b, Now: func() time.Time { return now }}
	publish := func(text string) string {
		return url.Values{"Action": {"Publish"}, "PhoneNumber": {"+358401234567"}, "Message": {text}}.Encode()
	}
	for _, c := range []struct {
		path, contentType, body string
		status                  int
	}{
		{"/", "application/x-www-form-urlencoded", publish(strings.Repeat("ä", maxText)), 200}, // the only one that is kept
		{"/", "application/x-www-form-urlencoded", publish(strings.Repeat("ä", maxText+1)), 400},
		{"/", "application/x-www-form-urlencoded", publish(""), 400},
		{"/v2/email/outbound-emails", "application/json", `{}`, 400},
		{"/v2/email/outbound-emails", "application/json", `{`, 400},
		{"/v2/email/outbound-emails", "application/json", `{"Destination":{"ToAddresses":["a@b.fi"]},"Content":{"Raw":{"Data":"!"}}}`, 400},
		{"/v2/email/outbound-emails", "application/json", `{"Destination":{"ToAddresses":["a@b.fi"]},"Content":{"Raw":{"Data":"eA=="}}}`, 400},
		{"/", "application/x-www-form-urlencoded", "Action=Subscribe", 400},
		{"/", "application/x-amz-json-1.0", "{}", 501},
		{"/v2/email/identities", "application/json", "{}", 501},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		s.ServeHTTP(w, r)
		if w.Code != c.status || len(list(b)) != 1 {
			t.Errorf("%s %s: %d, want %d", c.path, c.body, w.Code, c.status)
		}
	}
}

func list(b *Box) []Item {
	all, _ := b.Last()
	return all
}
