package sms

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/survey"
)

func sampleMessage() message.Message {
	return message.Message{Written: message.Written{Text: "Suosittelisitko? https://answer.example.com/a/A"}, Channel: survey.SMS, To: "+358401234567"}
}

// service answers as SNS does (API, Publish), and keeps the request.
type service struct {
	calls   int
	request url.Values
	status  int
	fault   string // the code; "" for none
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls++
	_ = r.ParseForm()
	s.request = r.PostForm
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(s.status)
	if s.fault != "" {
		_, _ = fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>+358401234567</Message></Error></ErrorResponse>`, s.fault)
		return
	}
	_, _ = io.WriteString(w, `<PublishResponse><PublishResult><MessageId>sns-id</MessageId></PublishResult></PublishResponse>`)
}

func (s *service) client(t *testing.T) *Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return newClient(t, server.URL)
}

func newClient(t *testing.T, endpoint string) *Client {
	t.Helper()
	o := sns.Options{Region: "eu-north-1", BaseEndpoint: &endpoint, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
	})}
	c, err := New(sns.New(o, Options), "Kauppa1")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSend(t *testing.T) {
	s := &service{status: 200}
	id, err := s.client(t).Send(t.Context(), sampleMessage())
	if err != nil || id != "sns-id" || s.calls != 1 {
		t.Fatalf("%q, %v, %d calls", id, err, s.calls)
	}
	if s.request.Get("PhoneNumber") != "+358401234567" || s.request.Get("Message") != sampleMessage().Text {
		t.Errorf("the request: %v", s.request)
	}
	got := map[string]string{}
	for i := 1; s.request.Has(fmt.Sprintf("MessageAttributes.entry.%d.Name", i)); i++ {
		entry := func(field string) string {
			return s.request.Get(fmt.Sprintf("MessageAttributes.entry.%d.%s", i, field))
		}
		got[entry("Name")] = entry("Value.DataType") + " " + entry("Value.StringValue")
	}
	for name, want := range map[string]string{
		"AWS.SNS.SMS.SenderID": "String Kauppa1", "AWS.SNS.SMS.MaxPrice": "Number " + MaxPrice, "AWS.SNS.SMS.SMSType": "String Transactional",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

// Who asks for a reply sends from a number, where there is one.
func TestReply(t *testing.T) {
	for number, want := range map[string]string{"": "AWS.SNS.SMS.SenderID Kauppa1", "+358400000000": "AWS.MM.SMS.OriginationNumber +358400000000"} {
		s := &service{status: 200}
		c := s.client(t)
		c.Number = number
		m := sampleMessage()
		m.Reply = true
		if _, err := c.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := 1; i <= 4; i++ {
			entry := fmt.Sprintf("MessageAttributes.entry.%d.", i)
			if name := s.request.Get(entry + "Name"); strings.HasSuffix(name, "SenderID") || strings.HasSuffix(name, "Number") {
				got = append(got, name+" "+s.request.Get(entry+"Value.StringValue"))
			}
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("number %q: from %q, want %q", number, got, want)
		}
	}
}

func TestNothingIsSentTo(t *testing.T) {
	s := &service{status: 200}
	c := s.client(t)
	for _, bad := range []string{"", "+", "0401234567", "+35840 1234567", "+35840x", "+358401234567\n"} {
		m := sampleMessage()
		m.To = bad
		if _, err := c.Send(t.Context(), m); survey.CodeOf(err) != survey.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if s.calls > 0 {
		t.Errorf("%d calls", s.calls)
	}
}

// What is sent is written plainly, in at most three parts.
func TestParts(t *testing.T) {
	for _, c := range []struct {
		text, sent string // sent "" for nothing
	}{
		{"”Nopea” – ja hyvä…", `"Nopea" - ja hyvä...`},
		{"Åse Š", "Åse Š"},
		{strings.Repeat("ä", 3*153), strings.Repeat("ä", 3*153)},
		{strings.Repeat("’", 3*153), strings.Repeat("'", 3*153)},
		{strings.Repeat("ä", 3*153+1), ""},
		{strings.Repeat("š", 3*67), strings.Repeat("š", 3*67)},
		{strings.Repeat("š", 3*67+1), ""},
		{"", ""},
	} {
		s := &service{status: 200}
		m := sampleMessage()
		m.Text, m.Touchpoint = c.text, "shop"
		_, err := s.client(t).Send(t.Context(), m)
		e, _ := errors.AsType[*survey.Error](err)
		if c.sent != "" && (err != nil || s.request.Get("Message") != c.sent) || c.sent == "" && (e == nil || e.Code != survey.Invalid || e.Field != "message" || !strings.Contains(e.Message, "shop") || s.calls > 0) {
			t.Errorf("%q: sent %q, %v", c.text, s.request.Get("Message"), err)
		}
	}
}

// What each error of SNS means, and that a call is made once.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		status int
		fault  string
		want   survey.Code
	}{
		{400, "InvalidParameter", survey.Invalid},
		{400, "ParameterValueInvalid", survey.Invalid},
		{400, "OptedOut", survey.Invalid},
		{400, "ValidationException", survey.Invalid},
		{400, "Throttling", survey.Unavailable},
		{429, "Throttled", survey.Unavailable},
		{403, "AuthorizationError", survey.Unavailable},
		{500, "InternalError", survey.Unavailable},
		{503, "", survey.Unavailable},
	} {
		s := &service{status: c.status, fault: c.fault}
		_, err := s.client(t).Send(t.Context(), sampleMessage())
		if code := survey.CodeOf(err); err == nil || code != c.want || s.calls != 1 {
			t.Errorf("%d %s: %v after %d calls, want %s", c.status, c.fault, err, s.calls, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "35840") {
			t.Errorf("%s names the number: %v", c.fault, err)
		}
	}
	// No answer: nobody knows whether it was sent. No connection: it was not.
	cut := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	if _, err := newClient(t, cut.URL).Send(t.Context(), sampleMessage()); err == nil || survey.CodeOf(err) != survey.Internal {
		t.Errorf("a cut connection: %v", err)
	}
	cut.Close()
	if _, err := newClient(t, cut.URL).Send(t.Context(), sampleMessage()); survey.CodeOf(err) != survey.Unavailable {
		t.Errorf("no connection: %v", err)
	}
}

func TestSenderID(t *testing.T) {
	for id, ok := range map[string]bool{
		"P": true, "Kauppa1": true, "Pulssi12345": true, "1a": true,
		"": false, "Pulssi123456": false, "12345": false, "Kauppa Oy": false, "Pähkinä": false, "a-b": false,
	} {
		if _, err := New(nil, id); (err == nil) != ok {
			t.Errorf("%q: %v", id, err)
		}
	}
}
