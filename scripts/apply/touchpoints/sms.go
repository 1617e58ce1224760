package touchpoints

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulssi/pulssi/shared/gsm"
	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/survey"
)

// longestLink is where customers reach a deployment, at its longest that an SMS
// is held to here: an address of 60 characters.
var longestLink = "https://" + strings.Repeat("x", 52)

// checkSMS returns a mistake for each language in which a touchpoint's SMS takes
// more parts than are sent.
func checkSMS(t *survey.Touchpoint, company string) []error {
	if !slices.Contains(t.Channels, survey.SMS) {
		return nil
	}
	var errs []error
	for _, locale := range t.Locales {
		text := message.Letter{
			Ask: survey.NewID(), Touchpoint: t, Contact: &survey.Contact{}, Locale: locale, Link: longestLink, Company: company, Reminder: true, Replies: true,
		}.SMS().Text
		if size := gsm.Measure(text); size.Parts > gsm.MaxParts {
			errs = append(errs, fmt.Errorf("%s: the SMS in %s takes %d parts (%d units of %s), and at most %d are sent: shorten message.sms, or the question where there is none",
				t.ID, locale, size.Parts, size.Units, size.Encoding, gsm.MaxParts))
		}
	}
	return errs
}
