package survey

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// AuditYears is how long an entry of the audit log is kept: longer than answers
// are unless somebody says otherwise (three years), so that who changed what
// stands as long as what it bears on, with two years more to look into it.
const AuditYears = 5

// Limits of an entry. An item of DynamoDB has at most 400 kB, and both states
// are in one.
const (
	MaxAuditWho     = 640 // of a user of AWS: "user/", a path of 512 and a name of 64 characters (IAM quotas)
	MaxAuditSubject = 100
	MaxAuditState   = 64 << 10 // bytes of JSON
)

// Action is what somebody does as an administrator. Actions are part of the
// HTTP contract.
type Action string

// The actions.
const (
	TouchpointPut    Action = "touchpoint.put" // added or changed
	TouchpointStop   Action = "touchpoint.stop"
	TouchpointStart  Action = "touchpoint.start"
	RulesPut         Action = "rules.put" // of asking
	ContactAdd       Action = "contact.add"
	ContactChange    Action = "contact.change"
	ContactDelete    Action = "contact.delete"
	ContactsImport   Action = "contacts.import" // a file of them
	AnnotationAdd    Action = "annotation.add"
	AnnotationChange Action = "annotation.change"
	AnnotationDelete Action = "annotation.delete"
	ShareAdd         Action = "share.add"
	ShareDelete      Action = "share.delete"
	Export           Action = "export"   // taking data out
	TestAsk          Action = "ask.test" // an ask to oneself
	Erase            Action = "erase"    // a person
	Redrive          Action = "redrive"  // of what functions could not do
	RecountRepair    Action = "recount.repair"
	Restore          Action = "restore"        // of a table, from a copy
	HistoryFill      Action = "history.fill"   // with made-up answers
	HistoryRemove    Action = "history.remove" // of them
)

// Actions lists the actions.
func Actions() []Action {
	return []Action{
		TouchpointPut, TouchpointStop, TouchpointStart, RulesPut, ContactAdd, ContactChange, ContactDelete, ContactsImport,
		AnnotationAdd, AnnotationChange, AnnotationDelete, ShareAdd, ShareDelete, Export, TestAsk, Erase, Redrive,
		RecountRepair, Restore, HistoryFill, HistoryRemove,
	}
}

// PutAction is the action of making is the definition of a touchpoint in place
// of was, nil for none: whatever else changes, a stop is found as one.
func PutAction(was, is *Touchpoint) Action {
	switch {
	case was == nil || was.Stopped == is.Stopped:
		return TouchpointPut
	case is.Stopped:
		return TouchpointStop
	default:
		return TouchpointStart
	}
}

// Outcome says what an entry tells.
type Outcome string

// The outcomes.
const (
	Begun  Outcome = "begun"  // was about to be done, and was, unless it is told that it failed
	Failed Outcome = "failed" // was not done, or not all of it
)

// Operator is the role of who works with scripts. The others are those of
// package signin.
const Operator = "operator"

// AuditEntry is an entry of the audit log: who does what, when, and what it is
// before and after. It is written before it is done, so that nothing is done that
// the log lacks; where it fails, another one says so. It stays when a person is
// erased, so nothing about a customer may be in it: a contact is the
// [Fingerprint] of its id and the names of fields, and what administrators write
// freely, an annotation's text or a share's name, is its length. What the company
// says of itself is in it whole: the texts of touchpoints, and its name and
// addresses in the rules of asking. Those who administer are named, by their ids:
// that is what it is for.
type AuditEntry struct {
	ID      string
	At      time.Time // to the millisecond
	Who     string    // the subject of a token as package signin has it; of an operator the identity in AWS, or "local:" and the user's name
	Role    string    // a role of package signin, or [Operator]
	Action  Action
	Subject string          // id of the touchpoint, annotation or share, [Fingerprint] of the contact's, name of the queue; "" for none
	Before  json.RawMessage // nil for none
	After   json.RawMessage // nil for none
	Outcome Outcome
	Of      string // of one that failed: the id of the entry that says what was begun
}

// NewAuditEntry returns what somebody is about to do, with a new id. before and after
// are anything that JSON can say, nil or a nil pointer for none. One that takes over
// [MaxAuditState] is told by its size and the SHA-256 of its JSON instead:
// {"bytes": 70000, "sha256": "…"}. The error is that something is no JSON.
func NewAuditEntry(who, role string, a Action, subject string, before, after any, now time.Time) (AuditEntry, error) {
	e := AuditEntry{ID: NewID(), At: now.UTC().Truncate(time.Millisecond), Who: who, Role: role, Action: a, Subject: subject, Outcome: Begun}
	for _, s := range []struct {
		to *json.RawMessage
		v  any
	}{{&e.Before, before}, {&e.After, after}} {
		b, err := json.Marshal(s.v)
		if string(b) == "null" {
			continue
		}
		if err == nil && len(b) > MaxAuditState {
			sum := sha256.Sum256(b)
			b, err = json.Marshal(map[string]any{"bytes": len(b), "sha256": hex.EncodeToString(sum[:])})
		}
		if err != nil {
			return AuditEntry{}, fmt.Errorf("describing %s: %w", a, err)
		}
		*s.to = b
	}
	return e, nil
}

// LoggedContact is a contact as a state of an entry: the names of the fields that
// it has, or of those that a change changes, as [Details.Check] has them.
type LoggedContact struct {
	Version int      `json:"version,omitempty"` // not of one that may be known already
	Fields  []string `json:"fields,omitempty"`
}

// Failure returns the entry that says that what e tells was begun and not done, or
// not all of it. It is later than e, by a millisecond at least.
func (e AuditEntry) Failure(now time.Time) AuditEntry {
	at := now.UTC().Truncate(time.Millisecond)
	if !at.After(e.At) {
		at = e.At.Add(time.Millisecond)
	}
	return AuditEntry{ID: NewID(), At: at, Who: e.Who, Role: e.Role, Action: e.Action, Subject: e.Subject, Outcome: Failed, Of: e.ID}
}

// Check returns nil, or the first broken rule: an [Invalid] [Error].
func (e *AuditEntry) Check() error {
	if err := CheckID("id", e.ID); err != nil {
		return err
	}
	switch {
	case e.At.IsZero() || !e.At.Equal(e.At.Truncate(time.Millisecond)):
		return broken("at", "must be a time, to the millisecond")
	case !slices.Contains(Actions(), e.Action):
		return broken("action", "must be an action")
	case e.Outcome != Begun && e.Outcome != Failed:
		return broken("outcome", "must be one of %s, %s", Begun, Failed)
	case (e.Outcome == Failed) != (CheckID("of", e.Of) == nil):
		return broken("of", "must be the id of what failed, and of nothing else")
	}
	if err := checkName("who", e.Who, MaxAuditWho); err != nil {
		return err
	}
	if err := checkName("role", e.Role, MaxAuditSubject); err != nil {
		return err
	}
	if err := checkLine("subject", e.Subject, MaxAuditSubject); err != nil {
		return err
	}
	for _, s := range []struct {
		field string
		state json.RawMessage
	}{{"before", e.Before}, {"after", e.After}} {
		if len(s.state) > MaxAuditState || s.state != nil && !json.Valid(s.state) {
			return broken(s.field, "must be JSON of at most %d bytes", MaxAuditState)
		}
	}
	return nil
}
