package survey

import "time"

// Trust is how sure we are that a human answered.
type Trust string

// The levels of trust. A suspect answer is shown apart and never counted.
const (
	Click   Trust = "click"   // a page's script reported the click
	Human   Trust = "human"   // a person acted on the page
	Suspect Trust = "suspect" // it looks like a mail scanner
)

// Via is how an answer says that it came about.
type Via string

// The ways. Auto is sent by the page's script when the document becomes
// visible; ViaHuman after a person touched the page.
const (
	Auto     Via = "auto"
	ViaHuman Via = "human"
)

// Windows of time in the life of an ask.
const (
	// AnswerWindow is how long after it was asked an ask can be answered.
	AnswerWindow = 90 * day
	// EditWindow is how long after the first answer it can be changed.
	EditWindow = 30 * day
	// ScannerWindow is the time within which a second automatic answer with
	// another score shows that no human opened the links.
	ScannerWindow = 120 * time.Second
	// SendGrace is the time after sending within which nobody has read the
	// message yet, so that an automatic answer is a scanner's.
	SendGrace = 5 * time.Second
)

// Ask is one question to one person, known or not, at one touchpoint, from
// the moment it is reserved until it is answered, edited, erased. Zero times
// have not happened. Times are kept to the millisecond.
type Ask struct {
	ID         string
	Touchpoint string
	Series     int
	Metric     Metric
	Channel    Channel
	Locale     string
	Segments   []string // sorted; "attribute=value" or a contact's own
	Contact    string   // id of the contact, "" where there is none
	Occasion   Occasion // of an ask to a contact
	// Test is whether the company asked itself, to see how it looks: nothing of
	// it is counted.
	Test bool
	// Demo is whether it was generated, to show how results look. It is counted
	// as any other, and can be told from them and removed.
	Demo bool

	AskedAt time.Time // reserved; for a vote, the moment of the first post
	// TriedAt is when the last attempt to send it began that may have got
	// through: zero where there was none, or where it surely did not.
	TriedAt     time.Time
	SentAt      time.Time // handed to the mail or SMS service
	RefusedAt   time.Time // by the mail or SMS service, for good: it will never be sent
	DeliveredAt time.Time
	BouncedAt   time.Time
	RemindedAt  time.Time
	// RepliedAt is when words came back by SMS without an answer in them,
	// which Comment has.
	RepliedAt time.Time

	Score      int // meaningful only where Answered
	Comment    string
	Trust      Trust     // "" until answered
	AnsweredAt time.Time // of the first answer, which decides the day it counts on
	EditedAt   time.Time // when a person last acted on the answer
	AutoAt     time.Time // of the last automatic answer that was taken

	Ref   string            // the caller's own reference, such as a ticket number
	Page  string            // of a vote: host and path, never the query
	Attrs map[string]string // of a vote
}

// Answered reports whether there is an answer, trusted or not.
func (a *Ask) Answered() bool { return a.Trust != "" }

// Counted reports whether the answer is counted in tallies.
func (a *Ask) Counted() bool { return a.Trust == Click || a.Trust == Human }

// Open returns the moment until which the ask can be answered or, once
// answered, changed. A suspect answer is nobody's: the ask stays open as if
// it were unanswered.
func (a *Ask) Open() time.Time {
	if a.Counted() {
		return a.AnsweredAt.Add(EditWindow)
	}
	return a.AskedAt.Add(AnswerWindow)
}
