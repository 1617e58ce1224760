package sms_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/sms"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit/moto"
)

// TestSNSTakesIt sends by the real SDK to an imitation of SNS that was made by
// others.
func TestSNSTakesIt(t *testing.T) {
	c, err := sms.New(sns.NewFromConfig(moto.Config(t), sms.Options), "Pulssi")
	if err != nil {
		t.Fatal(err)
	}
	m := message.Message{
		Written: message.Written{Text: "Miten tämä sujui? https://answer.example.com/a/1"},
		Channel: survey.SMS, To: "+358401234567", Ask: survey.NewID(), Touchpoint: "shop-nps",
	}
	id, err := c.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, sent := range moto.Kept(t, "sns", "SMS") {
		if sent["message_id"] == id {
			found = true
			if sent["phone_number"] != m.To || sent["message"] != m.Text {
				t.Errorf("SNS has %v", sent)
			}
		}
	}
	if !found {
		t.Errorf("SNS has no message %s", id)
	}
	// A number that only SNS sees to be none.
	m.To = "+012345"
	if _, err := c.Send(t.Context(), m); survey.CodeOf(err) != survey.Invalid {
		t.Errorf("a number that is none: %v, want %s", err, survey.Invalid)
	}
}
