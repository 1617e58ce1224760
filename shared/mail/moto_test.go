package mail_test

import (
	"io"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/mail"
	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit/moto"
)

// TestSESTakesIt sends by the real SDK to an imitation of SES that was made by
// others. What a mail says in all its parts is tested where it is composed.
func TestSESTakesIt(t *testing.T) {
	c := sesv2.NewFromConfig(moto.Config(t), mail.Options)
	domain := "d" + strings.ToLower(strings.NewReplacer("_", "u", "-", "h").Replace(survey.NewID())) + ".example"
	if _, err := c.CreateEmailIdentity(t.Context(), &sesv2.CreateEmailIdentityInput{EmailIdentity: &domain}); err != nil {
		t.Fatal(err)
	}
	set := "s" + survey.NewID()
	if _, err := c.CreateConfigurationSet(t.Context(), &sesv2.CreateConfigurationSetInput{ConfigurationSetName: &set}); err != nil {
		t.Fatal(err)
	}
	from := func(sender string) *mail.Client {
		t.Helper()
		m, err := mail.New(c, sender, func() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) })
		if err != nil {
			t.Fatal(err)
		}
		m.Set = set
		return m
	}
	m := message.Message{
		Written: message.Written{Subject: "Miten tämä sujui?", HTML: "<p>Hyvää päivää</p>", Text: "Hyvää päivää", Lang: "fi"},
		Channel: survey.Email, To: "aino@customer.example", Ask: survey.NewID(), Touchpoint: "shop-nps",
		Name: "Verkkokauppa Äijö", ReplyTo: "help@shop.example", Unsubscribe: "https://answer.example.com/u/1",
	}
	id, err := from("feedback@"+domain).Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	var raw string
	for _, sent := range moto.Kept(t, "ses", "RawMessage") {
		if sent["id"] == id {
			raw = sent["raw_data"].(string)
			if diff := cmp.Diff("feedback@"+domain, sent["source"]); diff != "" {
				t.Error(diff)
			}
		}
	}
	got, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("SES has no message %s: %v", id, err)
	}
	if a, err := got.Header.AddressList("From"); err != nil || len(a) != 1 || *a[0] != (netmail.Address{Name: m.Name, Address: "feedback@" + domain}) {
		t.Errorf("it is from %v, %v", a, err)
	}
	if a, err := got.Header.AddressList("To"); err != nil || len(a) != 1 || a[0].Address != m.To {
		t.Errorf("it goes to %v, %v", a, err)
	}
	if body, err := io.ReadAll(got.Body); err != nil || len(body) == 0 {
		t.Errorf("it has no body: %v", err)
	}

	// SES takes nothing from a sender that it does not know.
	if _, err := from("feedback@unknown.example").Send(t.Context(), m); err == nil {
		t.Error("a sender that SES does not know may send")
	}
}
