package queue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Ask is the message by which plan has send ask one contact: now, or, through
// a schedule, later. The same message may arrive any number of times.
type Ask struct {
	Touchpoint string          `json:"touchpoint"`
	Contact    string          `json:"contact"` // id
	Occasion   survey.Occasion `json:"occasion"`
	Due        time.Time       `json:"due"` // when the ask was to be sent
	// Reminder is whether the contact was asked already, and is now reminded.
	Reminder bool `json:"reminder,omitempty"`
	// Of a business event: its own reference, such as an order's number, when
	// it happened, and what it was about, in the company's words.
	Ref   string    `json:"ref,omitempty"`
	At    time.Time `json:"at,omitzero"`
	About string    `json:"about,omitempty"`
}

// DecodeAsk reads the body of a message. The error is [survey.Invalid] where it
// is no JSON of an Ask, has a field nobody knows, or lacks one that is needed.
func DecodeAsk(body []byte) (Ask, error) {
	var a Ask
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return Ask{}, &survey.Error{Code: survey.Invalid, Message: "the message is no ask", Err: err}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Ask{}, survey.Errorf(survey.Invalid, "", "the message is more than one ask")
	}
	if err := survey.CheckTouchpointID("touchpoint", a.Touchpoint); err != nil {
		return Ask{}, err
	}
	if err := survey.CheckID("contact", a.Contact); err != nil {
		return Ask{}, err
	}
	if a.Occasion == "" {
		return Ask{}, survey.Errorf(survey.Invalid, "occasion", "occasion must be given")
	}
	if a.Due.IsZero() {
		return Ask{}, survey.Errorf(survey.Invalid, "due", "due must be given")
	}
	return a, nil
}

// Encode writes the body of a message.
func (a Ask) Encode() ([]byte, error) {
	b, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("writing an ask of %s: %w", a.Touchpoint, err)
	}
	return b, nil
}
