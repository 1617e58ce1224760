package revision

import (
	"slices"
	"strings"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/gsm"
	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/survey"
)

// CheckEvent returns a [survey.Invalid] error where the definition asks after
// a business event that there is none of.
func CheckEvent(t *survey.Touchpoint) error {
	if t.Trigger == nil || t.Trigger.Event == "" || slices.Contains(events.Types(), t.Trigger.Event) {
		return nil
	}
	return survey.Errorf(survey.Invalid, "trigger.event", "trigger.event must be one of %s, not %q", strings.Join(events.Types(), ", "), t.Trigger.Event)
}

// LongestLink is where customers reach a deployment, at its longest that an SMS
// is held to: an address of 60 characters.
var LongestLink = "https://" + strings.Repeat("x", 52)

// CheckSMS returns a [survey.Invalid] error for each language in which an SMS
// of a valid definition takes more parts than are sent, where company asks.
func CheckSMS(t *survey.Touchpoint, company string) []*survey.Error {
	if !slices.Contains(t.Channels, survey.SMS) {
		return nil
	}
	field := "question"
	if t.Message != nil && len(t.Message.SMS) > 0 {
		field = "message.sms"
	}
	var errs []*survey.Error
	for _, locale := range t.Locales {
		text := message.Letter{
			Ask: survey.NewID(), Touchpoint: t, Contact: &survey.Contact{}, Locale: locale, Link: LongestLink, Company: company, Reminder: true, Replies: true,
		}.SMS().Text
		if size := gsm.Measure(text); size.Parts > gsm.MaxParts {
			errs = append(errs, survey.Errorf(survey.Invalid, field, "the SMS in %s takes %d parts (%d units of %s), and at most %d are sent: shorten message.sms, or the question where there is none",
				locale, size.Parts, size.Units, size.Encoding, gsm.MaxParts))
		}
	}
	return errs
}
