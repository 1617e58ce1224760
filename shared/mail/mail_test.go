package mail

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/survey"
)

func at() time.Time { return time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC) }

func sampleMessage() message.Message {
	return message.Message{
		Written: message.Written{Subject: "Yksi kysymys", HTML: "<p>Hei</p>", Text: "Hei\n", Lang: "fi"},
		Channel: survey.Email, To: "maija@example.org", Ask: strings.Repeat("A", 22), Touchpoint: "shop-nps",
		Name: "Kauppa Öy", ReplyTo: "apu@example.com", Unsubscribe: "https://answer.example.com/u/A",
	}
}

// service answers as SES does (API v2, SendEmail), and keeps the request.
type service struct {
	calls   int
	request struct {
		FromEmailAddress     string
		ConfigurationSetName *string
		Destination          struct{ ToAddresses []string }
		Content              struct{ Raw struct{ Data string } }
		EmailTags            []struct{ Name, Value string }
	}
	status int
	fault  string // the code; "" for none
	text   string
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls++
	b, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(b, &s.request)
	w.Header().Set("Content-Type", "application/json")
	if s.fault != "" {
		w.Header().Set("X-Amzn-Errortype", s.fault)
	}
	w.WriteHeader(s.status)
	_ = json.NewEncoder(w).Encode(map[string]string{"MessageId": "0100-id", "message": s.text})
}

func (s *service) client(t *testing.T, sender string) *Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return newClient(t, server.URL, sender)
}

func newClient(t *testing.T, url, sender string) *Client {
	t.Helper()
	o := sesv2.Options{Region: "eu-north-1", BaseEndpoint: &url, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
	})}
	c, err := New(sesv2.New(o, Options), sender, at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSend(t *testing.T) {
	for sender, from := range map[string]mail.Address{
		"kysely@example.com":                {Name: "Kauppa Öy", Address: "kysely@example.com"},
		"Oma nimi <kysely@example.com>":     {Name: "Oma nimi", Address: "kysely@example.com"},
		`"Kauppa, Oy" <kysely@example.com>`: {Name: "Kauppa, Oy", Address: "kysely@example.com"},
	} {
		s := &service{status: 200}
		c := s.client(t, sender)
		id, err := c.Send(t.Context(), sampleMessage())
		if err != nil || id != "0100-id" || s.calls != 1 {
			t.Fatalf("%q, %v, %d calls", id, err, s.calls)
		}
		if to := s.request.Destination.ToAddresses; len(to) != 1 || to[0] != "maija@example.org" || s.request.FromEmailAddress != "kysely@example.com" {
			t.Errorf("from %q to %q", s.request.FromEmailAddress, to)
		}
		if tags := s.request.EmailTags; len(tags) != 2 || tags[0].Value != strings.Repeat("A", 22) || tags[1].Value != "shop-nps" {
			t.Errorf("tags %+v", tags)
		}
		e := s.read(t)
		if a, err := e.Header.AddressList("From"); err != nil || *a[0] != from {
			t.Errorf("from %v, %v; want %v", a, err, from)
		}
		for field, want := range map[string]string{
			"To": "<maija@example.org>", "Reply-To": "<apu@example.com>", "Subject": "Yksi kysymys", "Date": "Mon, 23 Nov 2026 08:00:00 +0000",
			"List-Unsubscribe": "<https://answer.example.com/u/A>", "Content-Language": "fi", "Feedback-Id": "shop-nps:pulssi:example.com",
		} {
			if got := e.Header.Get(field); got != want {
				t.Errorf("%s: %q, want %q", field, got, want)
			}
		}
		if set := s.request.ConfigurationSetName; set != nil {
			t.Errorf("with the configuration set %q, and none is given", *set)
		}
		first := e.Header.Get("Message-ID")
		c.Set = "pulssi-test"
		m := sampleMessage()
		m.Reminder = true
		if _, err := c.Send(t.Context(), m); err != nil || s.read(t).Header.Get("Message-ID") == first {
			t.Errorf("the reminder has the Message-ID of the ask (%v)", err)
		}
		if set := s.request.ConfigurationSetName; set == nil || *set != "pulssi-test" {
			t.Errorf("without its configuration set: %v", set)
		}
	}
}

// read reads the e-mail of the last request.
func (s *service) read(t *testing.T) *mail.Message {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(s.request.Content.Raw.Data)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestReplyToThatIsNone(t *testing.T) {
	var log strings.Builder
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(was) })
	s := &service{status: 200}
	c := s.client(t, "kysely@example.com")
	for _, bad := range []string{"apu", "apu@example.com, x@example.com", "Apu <apu@example.com>", "a@b\r\nBcc: x@example.com"} {
		m := sampleMessage()
		m.ReplyTo = bad
		if _, err := c.Send(t.Context(), m); err != nil {
			t.Errorf("%q: %v", bad, err)
		}
		if h := s.read(t).Header; h.Get("Reply-To") != "" || h.Get("Bcc") != "" {
			t.Errorf("%q: header %v", bad, h)
		}
	}
	if strings.Count(log.String(), "none") != 4 || strings.Contains(log.String(), sampleMessage().Ask) { // who has the ask's id can answer it
		t.Errorf("the log: %s", &log)
	}
}

func TestNothingIsSentTo(t *testing.T) {
	s := &service{status: 200}
	c := s.client(t, "kysely@example.com")
	for _, bad := range []string{"", "maija", "a@example.org,b@example.org", "Maija <a@example.org>", "a@example.org\r\nBcc: b@example.org", " a@example.org", "a@example.org (x)"} {
		m := sampleMessage()
		m.To = bad
		if _, err := c.Send(t.Context(), m); survey.CodeOf(err) != survey.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for field, edit := range map[string]func(*message.Message){
		"subject": func(m *message.Message) { m.Subject = "a\r\nBcc: b@example.org" },
		"name":    func(m *message.Message) { m.Name = "a\r\nBcc: b@example.org" },
		"size":    func(m *message.Message) { m.Text = strings.Repeat("x", MaxRaw) },
	} {
		m := sampleMessage()
		edit(&m)
		if _, err := c.Send(t.Context(), m); survey.CodeOf(err) != survey.Invalid {
			t.Errorf("%s: %v", field, err)
		}
	}
	if s.calls > 0 {
		t.Errorf("%d calls", s.calls)
	}
}

// What each error of SES means, and that a call is made once.
func TestErrors(t *testing.T) {
	const lost = survey.Internal
	for _, c := range []struct {
		status int
		fault  string
		text   string
		want   survey.Code
	}{
		{400, "BadRequestException", "Illegal address maija@example.org", survey.Invalid},
		{400, "MessageRejected", "Email content is not allowed: maija@example.org", survey.Invalid},
		{400, "MessageRejected", "Email address is not verified. The following identities failed the check in region EU-NORTH-1: maija@example.org", survey.Invalid},
		{400, "MessageRejected", "Email address is not verified. The following identities failed the check in region EU-NORTH-1: kysely@example.com", survey.Unavailable},
		{400, "MessageRejected", "Email address is not verified. The following identities failed the check in region EU-NORTH-1: maija@example.org, kysely@example.com", survey.Unavailable},
		{400, "BadRequestException", "Configuration set <pulssi-test> does not exist.", survey.Unavailable},
		{400, "BadRequestException", "Configuration set <another> does not exist.", survey.Invalid},
		{400, "MailFromDomainNotVerifiedException", "", survey.Unavailable},
		{400, "AccountSuspendedException", "", survey.Unavailable},
		{400, "SendingPausedException", "", survey.Unavailable},
		{400, "LimitExceededException", "", survey.Unavailable},
		{404, "NotFoundException", "", survey.Unavailable},
		{403, "AccessDeniedException", "", survey.Unavailable},
		{429, "TooManyRequestsException", "Maximum sending rate exceeded.", survey.Unavailable},
		{500, "InternalServiceErrorException", "", survey.Unavailable},
		{503, "", "", survey.Unavailable},
	} {
		s := &service{status: c.status, fault: c.fault, text: c.text}
		client := s.client(t, "kysely@example.com")
		client.Set = "pulssi-test"
		_, err := client.Send(t.Context(), sampleMessage())
		if code := survey.CodeOf(err); err == nil || code != c.want || s.calls != 1 {
			t.Errorf("%d %s: %v after %d calls, want %s", c.status, c.fault, err, s.calls, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "maija") {
			t.Errorf("%s names the address: %v", c.fault, err)
		}
	}
	// No answer: nobody knows whether it was sent.
	cut := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(cut.Close)
	if _, err := newClient(t, cut.URL, "kysely@example.com").Send(t.Context(), sampleMessage()); err == nil || survey.CodeOf(err) != lost {
		t.Errorf("a cut connection: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server does not see that the client has gone
		cancel()
		<-r.Context().Done()
	}))
	if _, err := newClient(t, slow.URL, "kysely@example.com").Send(ctx, sampleMessage()); !errors.Is(err, context.Canceled) || survey.CodeOf(err) != lost {
		t.Errorf("no answer in time: %v", err)
	}
	// No connection: it was not.
	slow.Close()
	if _, err := newClient(t, slow.URL, "kysely@example.com").Send(t.Context(), sampleMessage()); survey.CodeOf(err) != survey.Unavailable {
		t.Errorf("no connection: %v", err)
	}
}

func TestSenderThatIsNone(t *testing.T) {
	for _, bad := range []string{"", "kysely", "a@example.com, b@example.com"} {
		if _, err := New(nil, bad, at); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
