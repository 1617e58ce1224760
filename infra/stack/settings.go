// Package stack is what a deployment of Pulssi is made of. Functions, routes,
// tables and mappings are those of package topology; what is added here is how
// AWS is to run them.
package stack

import (
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pulssi/pulssi/shared/config"
)

// Stage says what a deployment is for.
type Stage string

// The stages. The data of Prod is protected from deletion.
const (
	Dev  Stage = "dev"
	Prod Stage = "prod"
)

// Settings is the context of a deployment.
type Settings struct {
	Stage         Stage
	Zone          string // reporting time zone, an IANA name
	PublicURL     string // where customers reach the API; "" for the gateway's own address
	RetentionDays string // how long asks are kept, in days
	FileDays      string // how long uploads and reports are kept, in days
	Sender        string // verified address that e-mails come from; "" for no e-mail
	SenderDomain  string // its domain, that SES is to know; "" where it does already
	SMSSender     string // sender id of SMS; "" for no SMS
	SMSNumber     string // number that text messages which ask for a reply come from; "" for none
	SendRate      string // messages a second, at most
	DryRun        string // "true" where nothing is sent
	AlarmEmail    string // address that alarms are sent to; "" for nobody
	SigninPrefix  string // of the address of the sign-in's pages; "" for one made of the stage and the account
	Programs      string // "true" where programs may sign in too
}

// keys are those of the context.
var keys = []string{"stage", "zone", "publicUrl", "retentionDays", "fileDays", "sender", "senderDomain", "smsSender", "smsNumber", "sendRate", "dryRun", "alarmEmail", "signinPrefix", "programs"}

// ReadSettings reads the context of an app:
//
//	stage          dev (default) or prod
//	zone           reporting time zone, default Europe/Helsinki
//	publicUrl      https://answer.example.com, default the gateway's own address
//	retentionDays  91 to 3650, default 1095
//	fileDays       1 to 365, default 30
//	sender         feedback@example.com or Example <feedback@example.com>, default none
//	senderDomain   example.com, where SES is yet to know it, default none
//	smsSender      1 to 11 letters and digits with a letter among them, default none
//	smsNumber      +358401234567, which people can reply to, default none
//	sendRate       over 0 to 1000, default 10
//	dryRun         true or false (default)
//	alarmEmail     ops@example.com, default none
//	signinPrefix   kauppa-pulssi, of https://kauppa-pulssi.auth.REGION.amazoncognito.com, default pulssi-STAGE-ACCOUNT
//	programs       true or false (default): a client with a secret, at six dollars a month
//
// Every mistake is returned, joined, each naming its key. A key that is none of
// these is one: a misspelt stage must not deploy another one. Keys with a mark
// in them (@aws-cdk/..., aws:cdk:...) are CDK's own.
func ReadSettings(context map[string]any) (Settings, error) {
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(context)) {
		if !slices.Contains(keys, key) && !strings.ContainsAny(key, "@:/-") {
			errs = append(errs, fmt.Errorf("context %s is not known: there are %s", key, strings.Join(keys, ", ")))
		}
	}
	text := func(key, otherwise string) string {
		switch v := context[key].(type) {
		case nil:
			return otherwise
		case string:
			return v
		case bool: // in cdk.json, as the next
			return strconv.FormatBool(v)
		case float64:
			return strconv.FormatFloat(v, 'f', -1, 64)
		default:
			errs = append(errs, fmt.Errorf("context %s must be a text, not %v", key, v))
			return otherwise
		}
	}
	s := Settings{
		Stage:         Stage(text("stage", string(Dev))),
		Zone:          text("zone", config.DefaultZone),
		PublicURL:     strings.TrimSuffix(text("publicUrl", ""), "/"),
		RetentionDays: text("retentionDays", "1095"),
		FileDays:      text("fileDays", "30"),
		Sender:        text("sender", ""),
		SenderDomain:  text("senderDomain", ""),
		SMSSender:     text("smsSender", ""),
		SMSNumber:     text("smsNumber", ""),
		SendRate:      text("sendRate", "10"),
		DryRun:        text("dryRun", "false"),
		AlarmEmail:    text("alarmEmail", ""),
		SigninPrefix:  text("signinPrefix", ""),
		Programs:      text("programs", "false"),
	}
	if s.Stage != Dev && s.Stage != Prod {
		errs = append(errs, fmt.Errorf("context stage must be dev or prod, not %q", s.Stage))
	}
	// An origin and no more: the functions compare it with what browsers send.
	if u, err := url.Parse(s.PublicURL); s.PublicURL != "" && (err != nil || u.Host == "" || s.PublicURL != "https://"+u.Host) {
		errs = append(errs, fmt.Errorf("context publicUrl must be https:// and a host, as https://answer.example.com, not %q", s.PublicURL))
	}
	if days := s.fileDays(); strconv.Itoa(days) != s.FileDays || days < 1 || days > 365 {
		errs = append(errs, fmt.Errorf("context fileDays must be a whole number of days from 1 to 365, not %q", s.FileDays))
	}
	if _, ok := s.senderAddress(); s.Sender != "" && !ok {
		errs = append(errs, fmt.Errorf("context sender must be an e-mail address, alone or as Example <feedback@example.com>, not %q", s.Sender))
	}
	if d := s.SenderDomain; d != "" {
		address, _ := s.senderAddress()
		if _, host, _ := strings.Cut(address, "@"); host != d && !strings.HasSuffix(host, "."+d) {
			errs = append(errs, fmt.Errorf("context senderDomain must be the domain of sender, or one above it, not %q", d))
		}
	}
	if s.SMSSender != "" && (len(s.SMSSender) > 11 || !smsSender.MatchString(s.SMSSender)) {
		errs = append(errs, fmt.Errorf("context smsSender must be 1 to 11 letters (a-z) and digits with at least one letter, not %q", s.SMSSender))
	}
	// The rest is held to the rules of those who will read it.
	env := map[string]string{
		config.Region: "any", config.Zone: s.Zone, config.Retention: s.RetentionDays, config.SendRate: s.SendRate,
	}
	getenv := func(name string) string { return env[name] }
	if _, err := config.ReadSending(getenv); err != nil {
		errs = append(errs, fmt.Errorf("context sendRate: %w", err))
	}
	number := func(name string) string { return map[string]string{config.SMSNumber: s.SMSNumber}[name] }
	if _, err := config.ReadSending(number); err != nil {
		errs = append(errs, fmt.Errorf("context smsNumber: %w", err))
	}
	if s.DryRun != "true" && s.DryRun != "false" {
		errs = append(errs, fmt.Errorf("context dryRun must be true or false, not %q", s.DryRun))
	}
	if a, err := mail.ParseAddress(s.AlarmEmail); s.AlarmEmail != "" && (err != nil || a.Address != s.AlarmEmail) {
		errs = append(errs, fmt.Errorf("context alarmEmail must be an e-mail address without a name, as ops@example.com, not %q", s.AlarmEmail))
	}
	if s.SigninPrefix != "" && !isSigninPrefix(s.SigninPrefix) {
		errs = append(errs, fmt.Errorf("context signinPrefix must be 1 to 63 small letters (a-z), digits and hyphens between them, without aws, amazon and cognito, not %q", s.SigninPrefix))
	}
	if s.Programs != "true" && s.Programs != "false" {
		errs = append(errs, fmt.Errorf("context programs must be true or false, not %q", s.Programs))
	}
	if _, err := config.ReadZone(getenv); err != nil {
		errs = append(errs, fmt.Errorf("context zone: %w", err))
	}
	if _, err := config.Read(getenv); err != nil {
		errs = append(errs, fmt.Errorf("context retentionDays: %w", err))
	}
	return s, errors.Join(errs...)
}

// smsSender is a sender id of up to 11 characters (Amazon SNS Developer Guide:
// SenderID).
var smsSender = regexp.MustCompile(`^[0-9]*[A-Za-z][0-9A-Za-z]*$`)

// senderAddress returns the address of Sender without a name, and whether there
// is one.
func (s Settings) senderAddress() (string, bool) {
	a, err := mail.ParseAddress(s.Sender)
	if err != nil {
		return "", false
	}
	return a.Address, true
}

// fileDays returns FileDays as a number, 0 where it is none.
func (s Settings) fileDays() int {
	days, _ := strconv.Atoi(s.FileDays)
	return days
}

// prefix begins the names of a deployment's tables, functions and log groups,
// so that several can live in one account.
func (s Settings) prefix() string { return "pulssi-" + string(s.Stage) + "-" }

// environment is what every function gets to know.
func (s Settings) environment() map[string]string {
	return map[string]string{
		config.TablePrefix: s.prefix(),
		config.Zone:        s.Zone,
		config.PublicURL:   s.PublicURL,
		config.Retention:   s.RetentionDays,
	}
}
