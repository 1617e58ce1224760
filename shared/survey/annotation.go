package survey

import (
	"strings"
	"time"
)

// Limits of annotations. All of a deployment are read at once.
const (
	MaxAnnotations    = 500
	MaxAnnotationText = 200
)

// The years that a date which somebody writes may have: before the first nobody
// asked anything here.
const (
	FirstYear = 2000
	LastYear  = 2199
)

// Annotation is a dated mark on the timeline: "new checkout", "moved support to
// chat". Field names in lower case are those that it is stored under.
type Annotation struct {
	ID         string    `json:"-"`
	Version    int       `json:"-"`                    // counts every change, from 1
	Touchpoint string    `json:"touchpoint,omitempty"` // "" for all
	Date       string    `json:"date"`                 // a day of the reporting zone: "2026-11-21"
	Text       string    `json:"text"`
	By         string    `json:"by"` // the subject who made it, as package signin has it
	At         time.Time `json:"at"` // made
}

// Check returns nil, or the first broken rule: an [Invalid] [Error] on
// touchpoint, date or text. Whether there is the touchpoint is for others to
// say.
func (a *Annotation) Check() error {
	if a.Touchpoint != "" {
		if err := CheckTouchpointID("touchpoint", a.Touchpoint); err != nil {
			return err
		}
	}
	if err := CheckDate("date", a.Date); err != nil {
		return err
	}
	return checkName("text", a.Text, MaxAnnotationText)
}

// CheckDate returns an [Invalid] error on field where s is not a calendar day
// from [FirstYear] to [LastYear].
func CheckDate(field, s string) error {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil || d.Year() < FirstYear || d.Year() > LastYear {
		return Errorf(Invalid, field, "%s must be a date such as 2026-11-21, from %d to %d", field, FirstYear, LastYear)
	}
	return nil
}

// checkName returns an [Invalid] error on field where s is not one line of 1 to
// limit characters, which are more than white space.
func checkName(field, s string, limit int) error {
	if strings.TrimSpace(s) == "" {
		return broken(field, "must not be empty")
	}
	return checkLine(field, s, limit)
}
