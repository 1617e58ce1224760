package asking

import (
	"fmt"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Words explains a decision in one English sentence, for a person reading:
//
//	Asked by e-mail about 2026Q4 on Mon 5 Oct 2026 at 9:00.
//	Not asked about purchase.completed (order-4711) on Tue 6 Oct 2026 at 9:00: another question (Shop) was sent too shortly before; the contact can be asked again from Wed 4 Nov 2026 at 9:00.
//
// It does not name the decision's own touchpoint. Times are those of zone,
// mostly the contact's. name tells what a touchpoint is called; its id is used
// where name is nil or returns "".
func Words(d survey.Decision, zone *time.Location, name func(touchpoint string) string) string {
	at := func(t time.Time) string {
		t = t.In(zone)
		return fmt.Sprintf("%s at %d:%02d", t.Format("Mon 2 Jan 2006"), t.Hour(), t.Minute())
	}
	about, reminder := d.Occasion.Reminds()
	asked := "asked"
	if reminder {
		asked = "reminded"
	}
	what := " about " + occasionWords(about)
	switch d.Verdict {
	case survey.Planned:
		return "Will be " + asked + by(d.Channel) + what + " on " + at(d.Due) + "."
	case survey.WasAsked:
		return strings.ToUpper(asked[:1]) + asked[1:] + by(d.Channel) + what + " on " + at(d.At) + "."
	default:
		return "Not " + asked + what + " on " + at(d.At) + ": " + reasonWords(d, at, name) + "."
	}
}

func by(ch survey.Channel) string {
	switch ch {
	case survey.Email:
		return " by e-mail"
	case survey.SMS:
		return " by SMS"
	case "":
		return ""
	default:
		return " by " + string(ch)
	}
}

// occasionWords writes a period as it is, and a business event by its type and
// id.
func occasionWords(o survey.Occasion) string {
	eventType, id, ok := strings.Cut(string(o), "/")
	if !ok {
		return string(o)
	}
	return eventType + " (" + id + ")"
}

func reasonWords(d survey.Decision, at func(time.Time) string, name func(string) string) string {
	question := "another question"
	switch d.Other {
	case "":
	case d.Touchpoint:
		question = "this question"
	default:
		called := ""
		if name != nil {
			called = name(d.Other)
		}
		if called == "" {
			called = d.Other
		}
		question += " (" + called + ")"
	}
	const tooShortly = " was sent too shortly before; the contact can be asked again from "
	switch d.Reason {
	case survey.NoTouchpoint:
		return "the touchpoint does not ask about it any more"
	case survey.Stopped:
		return "the touchpoint was stopped"
	case survey.NoContact:
		return "the contact was deleted"
	case survey.OutOfSegment:
		return "the touchpoint asks other segments"
	case survey.OutOfSample:
		return "the contact is not in the touchpoint's sample"
	case survey.NoAddress:
		return "the contact has no address for the touchpoint's channels"
	case survey.OptedOut:
		if d.Until.IsZero() {
			return "the contact has opted out"
		}
		return "the contact opted out on " + at(d.Until)
	case survey.Bounced:
		return "messages to the contact's address have come back since " + at(d.Until)
	case survey.TooLate:
		return "it was due on " + at(d.Due) + ", too long before"
	case survey.HasAnswered:
		return "the contact has answered"
	case survey.SameAsked:
		return "this question" + tooShortly + at(d.Until)
	case survey.OtherAsked:
		return question + tooShortly + at(d.Until)
	case survey.TurnComes:
		return "the turn of " + question + " is due on " + at(d.Until) + " and goes first"
	case survey.Undeliverable:
		return "the message could not be delivered"
	default:
		return string(d.Reason) // of a version to come
	}
}
