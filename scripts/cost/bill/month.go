// Package bill works out what a month of Pulssi costs on AWS: from a
// description of the month, the units that the functions use for each thing that
// happens, and the prices of AWS.
package bill

import (
	"bytes"
	"math"

	"github.com/goccy/go-yaml"

	"github.com/pulssi/pulssi/shared/survey"
)

// Month describes a month.
type Month struct {
	// Contacts is how many people are known.
	Contacts int `yaml:"contacts"`
	// Emails and SMS is how many messages are sent, reminders too. SMSPrice is
	// what a text message costs, in US dollars: that goes by country and
	// operator (https://aws.amazon.com/sns/sms-pricing/), and it must be given
	// where there are any.
	Emails   int     `yaml:"emails"`
	SMS      int     `yaml:"sms"`
	SMSPrice float64 `yaml:"smsPrice"`
	// Answers come by a link, and Votes by the popup or an app. Comments is how
	// many of both have a comment.
	Answers  int `yaml:"answers"`
	Votes    int `yaml:"votes"`
	Comments int `yaml:"comments"`
	// PageViews is how many views there are of pages with the popup, by a browser
	// that does not have its script and settings yet: both come from the front.
	PageViews int `yaml:"pageViews"`
	// Events is how many business events come by the bus.
	Events int `yaml:"events"`
	// DashboardHours is how long people look at the dashboard, all together,
	// and Users how many of them sign in.
	DashboardHours int `yaml:"dashboardHours"`
	Users          int `yaml:"users"`
	// Backup is whether the tables are copied every night (a deployment of stage
	// prod), and Tracing whether X-Ray records a sample of the invocations.
	Backup  bool `yaml:"backup"`
	Tracing bool `yaml:"tracing"`
}

// Read reads a description in YAML into the month, whose other fields stay as they
// are. A field that nobody knows is an error, as is what is no number.
func (m *Month) Read(file []byte) error {
	if err := yaml.NewDecoder(bytes.NewReader(file), yaml.Strict()).Decode(m); err != nil {
		return &survey.Error{Code: survey.Invalid, Field: "month", Message: "the month cannot be read: " + yaml.FormatError(err, false, false), Err: err}
	}
	return nil
}

// most is the largest number that a month may have of anything.
const most = 1_000_000_000_000

// Check returns what is wrong with a month: [survey.Invalid] on the field.
func (m Month) Check() error {
	for _, f := range []struct {
		name string
		n    int
	}{
		{"contacts", m.Contacts},
		{"emails", m.Emails},
		{"sms", m.SMS},
		{"answers", m.Answers},
		{"votes", m.Votes},
		{"comments", m.Comments},
		{"pageViews", m.PageViews},
		{"events", m.Events},
		{"dashboardHours", m.DashboardHours},
		{"users", m.Users},
	} {
		if f.n < 0 || f.n > most {
			return survey.Errorf(survey.Invalid, f.name, "%s must be from 0 to %d", f.name, most)
		}
	}
	switch {
	case m.Comments > m.Answers+m.Votes:
		return survey.Errorf(survey.Invalid, "comments", "comments must be at most as many as answers and votes together")
	case m.SMSPrice < 0 || m.SMSPrice > 10 || math.IsNaN(m.SMSPrice):
		return survey.Errorf(survey.Invalid, "smsPrice", "smsPrice must be from 0 to 10 US dollars")
	case m.SMS > 0 && m.SMSPrice == 0:
		return survey.Errorf(survey.Invalid, "smsPrice", "smsPrice must be given where there are SMS: what one costs in your country is at https://aws.amazon.com/sns/sms-pricing/")
	}
	return nil
}
