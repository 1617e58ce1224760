// Package post is the mail and SMS services of the local stack: it takes what
// the real clients of SES (API v2) and SNS send, keeps it where two pages show
// it, an inbox and a phone, and tells back what became of it as AWS does.
//
// Only what Pulssi calls is there: SendEmail with a raw message, and Publish to
// a phone number. Both are held to the services' own limits of size. Addresses
// that start with bounce, soft or complaint have it happen to them, as those of
// the SES mailbox simulator do.
package post

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	gomail "github.com/emersion/go-message/mail"

	"github.com/pulssi/pulssi/shared/survey"
)

// Limits of the services: the most bytes of a raw e-mail (Amazon SES quotas) and
// the most characters of an SMS that SNS takes apart (Amazon SNS, Publish).
const (
	maxRaw  = 40 << 20
	maxText = 1600
)

// Item is one message that arrived.
type Item struct {
	Number     int            `json:"n"` // counts from 1
	At         time.Time      `json:"at"`
	Channel    survey.Channel `json:"channel"`
	From       string         `json:"from"`
	To         string         `json:"to"`
	Subject    string         `json:"subject,omitempty"`
	Text       string         `json:"text"`
	Lang       string         `json:"lang,omitempty"` // of an e-mail
	HTML       string         `json:"-"`              // of an e-mail
	Raw        []byte         `json:"-"`              // of an e-mail
	Ask        string         `json:"ask,omitempty"`  // as tagged
	Touchpoint string         `json:"touchpoint,omitempty"`
	// Unsubscribe is the address that the header List-Unsubscribe names.
	Unsubscribe string `json:"unsubscribe,omitempty"`
	// Mine is whether the phone's owner wrote it, to whom From wrote before.
	Mine bool `json:"mine,omitempty"`
}

// Sender and SMSSender are whom messages are from where nothing else is set. The
// name beside the address is that of the company, as the rules of asking have it.
const (
	Sender    = "kysely@example.com"
	SMSSender = "Demo"
	// SMSNumber is whom those are from that ask for a reply.
	SMSNumber = "+358400000000"
)

// Services answers the calls of the clients. It is safe for concurrent use.
type Services struct {
	Box *Box
	Now func() time.Time
	// Notice hands a notice to the function that takes those of SES, in the
	// form that EventBridge has it. It may return before that has happened.
	Notice func(event []byte)
}

// ServeHTTP answers SendEmail and Publish, and refuses every other call by name.
func (s *Services) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2*maxRaw))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/v2/email/outbound-emails":
		s.sendEmail(w, body)
	case r.Method == http.MethodPost && r.URL.Path == "/" && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.publish(w, r)
	default:
		http.Error(w, fmt.Sprintf("the local stack has no %s %s", r.Method, r.URL.Path), http.StatusNotImplemented)
	}
}

func (s *Services) sendEmail(w http.ResponseWriter, body []byte) {
	refuse := func(message string) {
		w.Header().Set("X-Amzn-ErrorType", "BadRequestException")
		writeJSON(w, http.StatusBadRequest, map[string]string{"message": message})
	}
	var in struct {
		Destination struct{ ToAddresses []string }
		Content     struct{ Raw *struct{ Data string } }
		EmailTags   []struct{ Name, Value string }
	}
	if err := json.Unmarshal(body, &in); err != nil || in.Content.Raw == nil || len(in.Destination.ToAddresses) != 1 {
		refuse("the local stack takes one raw e-mail to one address")
		return
	}
	raw, err := base64.StdEncoding.DecodeString(in.Content.Raw.Data)
	if err != nil || len(raw) > maxRaw {
		refuse("the raw e-mail is not base64, or over 40 MB")
		return
	}
	i, err := read(raw)
	if err != nil {
		refuse(err.Error())
		return
	}
	i.At, i.To = s.Now().UTC(), in.Destination.ToAddresses[0]
	tags := map[string][]string{}
	for _, t := range in.EmailTags {
		tags[t.Name] = []string{t.Value}
		switch t.Name {
		case "ask":
			i.Ask = t.Value
		case "touchpoint":
			i.Touchpoint = t.Value
		}
	}
	kept, err := s.Box.Put(i)
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, map[string]string{"message": err.Error()})
		return
	}
	id := fmt.Sprintf("local-%d", kept.Number)
	writeJSON(w, http.StatusOK, map[string]string{"MessageId": id})
	s.tell(id, i.To, tags)
}

// tell tells what became of an e-mail: by its address, as the SES mailbox
// simulator does.
func (s *Services) tell(id, to string, tags map[string][]string) {
	if s.Notice == nil {
		return
	}
	at := s.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	detail := map[string]any{"mail": map[string]any{"timestamp": at, "messageId": id, "destination": []string{to}, "tags": tags}}
	kind := "Delivery"
	switch {
	case strings.HasPrefix(to, "bounce"):
		kind = "Bounce"
		detail["bounce"] = map[string]any{"bounceType": "Permanent", "bounceSubType": "General", "timestamp": at}
	case strings.HasPrefix(to, "soft"):
		kind = "Bounce"
		detail["bounce"] = map[string]any{"bounceType": "Transient", "bounceSubType": "MailboxFull", "timestamp": at}
	default:
		detail["delivery"] = map[string]any{"timestamp": at, "recipients": []string{to}}
	}
	kinds := []string{kind}
	if strings.HasPrefix(to, "complaint") {
		kinds = append(kinds, "Complaint")
		detail["complaint"] = map[string]any{"timestamp": at, "complaintFeedbackType": "abuse"}
	}
	for _, kind := range kinds {
		detail["eventType"] = kind
		b, err := json.Marshal(map[string]any{
			"version": "0", "id": id + "-" + kind, "source": "aws.ses", "time": at, "detail": detail,
			"detail-type": map[string]string{"Delivery": "Email Delivered", "Bounce": "Email Bounced", "Complaint": "Email Complaint Received"}[kind],
		})
		if err != nil {
			panic("post: a notice that is no JSON: " + err.Error()) // of texts alone
		}
		s.Notice(b)
	}
}

// read takes an e-mail apart. The error says what is wrong with it.
func read(raw []byte) (Item, error) {
	r, err := gomail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		return Item{}, fmt.Errorf("the e-mail cannot be read: %w", err)
	}
	i := Item{Channel: survey.Email, Raw: raw}
	if i.Subject, err = r.Header.Subject(); err != nil {
		return Item{}, fmt.Errorf("the subject cannot be read: %w", err)
	}
	from, err := r.Header.AddressList("From")
	if err != nil || len(from) != 1 {
		return Item{}, errors.New("the e-mail must be from one address")
	}
	i.From = from[0].Address
	if from[0].Name != "" {
		i.From = from[0].Name + " <" + from[0].Address + ">"
	}
	i.Lang = r.Header.Get("Content-Language")
	i.Unsubscribe = strings.Trim(r.Header.Get("List-Unsubscribe"), "<>")
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return i, nil
		}
		if err != nil {
			return Item{}, fmt.Errorf("a part of the e-mail cannot be read: %w", err)
		}
		body, err := io.ReadAll(part.Body)
		if err != nil {
			return Item{}, fmt.Errorf("a part of the e-mail cannot be read: %w", err)
		}
		switch kind, _, _ := strings.Cut(part.Header.Get("Content-Type"), ";"); kind {
		case "text/plain":
			i.Text = strings.ReplaceAll(string(body), "\r\n", "\n")
		case "text/html":
			i.HTML = strings.ReplaceAll(string(body), "\r\n", "\n")
		}
	}
}

// publish answers a call in the form that SNS has (AWS Query).
func (s *Services) publish(w http.ResponseWriter, r *http.Request) {
	refuse := func(code, message string) {
		writeXML(w, http.StatusBadRequest, struct {
			XMLName xml.Name `xml:"ErrorResponse"`
			Code    string   `xml:"Error>Code"`
			Message string   `xml:"Error>Message"`
		}{Code: code, Message: message})
	}
	if err := r.ParseForm(); err != nil || r.Form.Get("Action") != "Publish" || r.Form.Get("PhoneNumber") == "" {
		refuse("InvalidParameter", "the local stack takes Publish to a phone number")
		return
	}
	i := Item{At: s.Now().UTC(), Channel: survey.SMS, To: r.Form.Get("PhoneNumber"), Text: r.Form.Get("Message")}
	if n := utf8.RuneCountInString(i.Text); n == 0 || n > maxText {
		refuse("InvalidParameter", fmt.Sprintf("an SMS has 1 to %d characters", maxText))
		return
	}
	for n := 1; r.Form.Has(fmt.Sprintf("MessageAttributes.entry.%d.Name", n)); n++ {
		entry := fmt.Sprintf("MessageAttributes.entry.%d.", n)
		switch r.Form.Get(entry + "Name") {
		case "AWS.SNS.SMS.SenderID", "AWS.MM.SMS.OriginationNumber":
			i.From = r.Form.Get(entry + "Value.StringValue")
		}
	}
	kept, err := s.Box.Put(i)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeXML(w, http.StatusOK, struct {
		XMLName xml.Name `xml:"PublishResponse"`
		ID      string   `xml:"PublishResult>MessageId"`
	}{ID: fmt.Sprintf("local-%d", kept.Number)})
}

// Reply is the event by which SNS tells the function of a text message that
// somebody sent (AWS End User Messaging SMS, two-way).
func Reply(from, to, body string) ([]byte, error) {
	inner, err := json.Marshal(map[string]string{
		"originationNumber": from, "destinationNumber": to, "messageBody": body, "messageKeyword": "", "inboundMessageId": survey.NewID(),
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"Records": []any{map[string]any{
		"EventSource": "aws:sns", "Sns": map[string]any{"MessageId": survey.NewID(), "Message": string(inner)},
	}}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that is gone needs no answer
}

func writeXML(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(v)
}
