// Package config reads the environment variables that the functions run on.
// infra sets them under the same names and scripts/dev gives them locally. A
// missing or malformed variable fails at start, with its name, so that a
// mistake dies at deployment and not in a request.
package config

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The names of the variables.
const (
	// TablePrefix is followed by a table's name of package topology:
	// "pulssi-prod-" makes "pulssi-prod-responses". May be empty.
	TablePrefix = "PULSSI_TABLE_PREFIX"
	// Zone is the reporting time zone, an IANA name. Default Europe/Helsinki.
	Zone = "PULSSI_ZONE"
	// PublicURL is where customers reach the API, https://answer.example.com,
	// whose own pages may vote. Default: the host the request came to, which
	// behind a CDN is not the one that customers know.
	PublicURL = "PULSSI_PUBLIC_URL"
	// FrontKey is what the CDN in front of the API sends with each request, in
	// the header [FrontHeader]; requests without it are refused. It needs
	// PublicURL. None where nothing stands in front: all requests pass.
	FrontKey = "PULSSI_FRONT_KEY"
	// Retention is how many days an ask is kept. Default 1095 (three years);
	// 91 to 3650.
	Retention = "PULSSI_RETENTION_DAYS"
	// AsksQueue is the address (URL) of the queue of asks, AsksQueueARN its
	// name for the scheduler and FailedAsksARN that of its dead-letter queue,
	// and RefusedQueue the address of the queue of business events that could
	// not be used.
	AsksQueue     = "PULSSI_ASKS_QUEUE"
	AsksQueueARN  = "PULSSI_ASKS_QUEUE_ARN"
	FailedAsksARN = "PULSSI_FAILED_ASKS_ARN"
	RefusedQueue  = "PULSSI_REFUSED_QUEUE"
	// Bus is the name of the bus of business events.
	Bus = "PULSSI_BUS"
	// ScheduleGroup is the name of the group of the schedules for single asks,
	// and ScheduleRole the role (ARN) that they put messages into the queue
	// with.
	ScheduleGroup = "PULSSI_SCHEDULE_GROUP"
	ScheduleRole  = "PULSSI_SCHEDULE_ROLE"
	// Files is the name of the bucket of uploads and reports.
	Files = "PULSSI_FILES"
	// SecretID is the name of the secret (Secrets Manager) that the ids of
	// asks are made with. Send alone knows it.
	SecretID = "PULSSI_SECRET_ID"
	// Sender is the verified address that e-mails come from, and SMSSender the
	// sender id of SMS. A channel whose own is not set sends nothing: asks by
	// it are refused as undeliverable.
	Sender    = "PULSSI_SENDER"
	SMSSender = "PULSSI_SMS_SENDER"
	// SMSNumber is the number, as +358401234567, that text messages which ask
	// for a reply come from. Where it is not set they have a link instead.
	SMSNumber = "PULSSI_SMS_NUMBER"
	// MailSet is the configuration set of SES that e-mails are sent with: it
	// tells what becomes of them. None where it is not set.
	MailSet = "PULSSI_MAIL_SET"
	// SendRate is how many messages are sent a second, at most. Default 10;
	// more than 0, at most 1000.
	SendRate = "PULSSI_SEND_RATE"
	// DryRun is true where asks are decided and nothing is sent. Default false.
	DryRun = "PULSSI_DRY_RUN"
	// SigninURL is where people sign in: the domain of the user pool, below
	// which its endpoints are (/oauth2/authorize, /oauth2/token, /logout).
	// SigninClient is the id of the dashboard's client there.
	SigninURL    = "PULSSI_SIGNIN_URL"
	SigninClient = "PULSSI_SIGNIN_CLIENT"
	// Region is set by Lambda.
	Region = "AWS_REGION"
	// DynamoDBEndpoint replaces the service's own endpoint (DynamoDB Local).
	DynamoDBEndpoint = "DYNAMODB_ENDPOINT"
)

// FrontHeader is the header with the [FrontKey], in lower case as functions get it.
const FrontHeader = "x-pulssi-front"

// DefaultZone is the reporting zone where none is given.
const DefaultZone = "Europe/Helsinki"

// Config is what every function needs.
type Config struct {
	TablePrefix      string
	PublicURL        string // "" for the request's own host; no slash at its end
	FrontKey         string // "" where all requests pass
	Retention        time.Duration
	Region           string
	DynamoDBEndpoint string // "" for the service's own
}

// Read reads the variables through getenv, which is os.Getenv or a test's. It
// returns every mistake at once, joined.
func Read(getenv func(string) string) (Config, error) {
	var errs []error
	c := Config{
		TablePrefix:      getenv(TablePrefix),
		PublicURL:        strings.TrimSuffix(getenv(PublicURL), "/"),
		FrontKey:         getenv(FrontKey),
		Region:           getenv(Region),
		DynamoDBEndpoint: getenv(DynamoDBEndpoint),
	}
	if c.Region == "" {
		errs = append(errs, fmt.Errorf("%s is not set", Region))
	}
	for _, v := range []struct{ name, value string }{{PublicURL, c.PublicURL}, {DynamoDBEndpoint, c.DynamoDBEndpoint}} {
		if u, err := url.Parse(v.value); v.value != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			errs = append(errs, fmt.Errorf("%s must be an http or https address, not %q", v.name, v.value))
		}
	}
	if c.FrontKey != "" && c.PublicURL == "" {
		errs = append(errs, fmt.Errorf("%s is not set, and %s is", PublicURL, FrontKey))
	}
	days := 1095
	if s := getenv(Retention); s != "" {
		if _, err := fmt.Sscanf(s, "%d", &days); err != nil || fmt.Sprint(days) != s || days < 91 || days > 3650 {
			errs = append(errs, fmt.Errorf("%s must be a whole number of days from 91 to 3650, not %q", Retention, s))
		}
	}
	c.Retention = time.Duration(days) * 24 * time.Hour
	return c, errors.Join(errs...)
}

// ReadZone reads the reporting zone. It is apart from [Read] because only the
// functions that count and show days need the zone's data, which they carry
// with them (time/tzdata): the runtime has none.
func ReadZone(getenv func(string) string) (*time.Location, error) {
	name := getenv(Zone)
	if name == "" {
		name = DefaultZone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Zone, err)
	}
	return zone, nil
}

// Sending is how messages are sent.
type Sending struct {
	Sender, SMSSender string // "" for none
	SMSNumber         string // "" for none
	MailSet           string // "" for none
	Rate              float64
	DryRun            bool
}

// ReadSending reads how messages are sent. It returns every mistake at once,
// joined.
func ReadSending(getenv func(string) string) (Sending, error) {
	s := Sending{Sender: getenv(Sender), SMSSender: getenv(SMSSender), SMSNumber: getenv(SMSNumber), MailSet: getenv(MailSet), Rate: 10}
	var errs []error
	if digits := strings.TrimPrefix(s.SMSNumber, "+"); s.SMSNumber != "" && (digits == s.SMSNumber || len(digits) < 5 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "") {
		errs = append(errs, fmt.Errorf("%s must be a phone number as +358401234567, not %q", SMSNumber, s.SMSNumber))
	}
	if v := getenv(SendRate); v != "" {
		var err error
		// Written so that what is not a number is out of range.
		if s.Rate, err = strconv.ParseFloat(v, 64); err != nil || !(s.Rate > 0 && s.Rate <= 1000) {
			errs = append(errs, fmt.Errorf("%s must be a number over 0 and at most 1000, not %q", SendRate, v))
		}
	}
	if v := getenv(DryRun); v != "" {
		if v != "true" && v != "false" {
			errs = append(errs, fmt.Errorf("%s must be true or false, not %q", DryRun, v))
		}
		s.DryRun = v == "true"
	}
	return s, errors.Join(errs...)
}

// Need returns the values of variables that must be set. The error names every
// one that is not.
func Need(getenv func(string) string, names ...string) (map[string]string, error) {
	out := map[string]string{}
	var errs []error
	for _, n := range names {
		if out[n] = getenv(n); out[n] == "" {
			errs = append(errs, fmt.Errorf("%s is not set", n))
		}
	}
	return out, errors.Join(errs...)
}
