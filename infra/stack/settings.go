// Package stack is what a deployment of Pulssi is made of. Functions, routes,
// tables and mappings are those of package topology; what is added here is how
// AWS is to run them.
package stack

import (
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"

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
	Region        string   // of everything but what is in us-east-1 alone
	Zone          string   // reporting time zone, an IANA name
	Locales       []string // in which those who may sign in are written to, in that order
	Domain        string   // host at which customers reach everything; "" for CloudFront's own
	Certificate   string   // ARN of the domain's certificate, in us-east-1; "" for none
	RetentionDays string   // how long asks are kept, in days
	FileDays      string   // how long uploads and reports are kept, in days
	Sender        string   // verified address that e-mails come from; "" for no e-mail
	SenderDomain  string   // its domain, that SES is to know; "" where it does already
	SMSSender     string   // sender id of SMS; "" for no SMS
	SMSNumber     string   // number that text messages which ask for a reply come from; "" for none
	SMSBudget     string   // what text messages may cost in a month, in US dollars, before an alarm
	SendRate      string   // messages a second, at most
	DryRun        string   // "true" where nothing is sent
	AlarmEmails   []string // addresses that alarms are sent to; none for nobody
	Budget        string   // what the account may cost in a month, in US dollars, before an alarm; "" for no limit
	SigninPrefix  string   // of the address of the sign-in's pages; "" for one made of the stage and the account
	Programs      string   // "true" where programs may sign in too
	Tracing       string   // "true" where X-Ray records a sample of the invocations
}

// keys are those of the context.
var keys = []string{
	"stage", "region", "zone", "locales", "domain", "certificate", "retentionDays", "fileDays", "sender", "senderDomain", "smsSender", "smsNumber",
	"smsBudget", "sendRate", "dryRun", "alarmEmail", "budget", "signinPrefix", "programs", "tracing",
}

// regions are those of the partition aws that have every service which a
// deployment uses, of which Amazon SES is the rarest (the endpoints that the AWS
// SDKs know, to which a test holds them).
var regions = strings.Fields(`
	af-south-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2
	ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7
	ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3
	il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2`)

// locales are those of every text.
var locales = []string{"fi", "sv", "en"}

// maxAlarmEmails is how many people a budget can write to (AWS Budgets: 10
// e-mail subscribers a notification).
const maxAlarmEmails = 10

// ReadSettings reads the context of an app:
//
//	stage          dev (default) or prod
//	region         eu-north-1 (default) or another that has all services
//	zone           reporting time zone, default Europe/Helsinki
//	locales        fi,sv,en (default) or fewer, or in another order
//	domain         answer.example.com, default CloudFront's own name; needed in prod
//	certificate    ARN of its certificate in us-east-1; needed with a domain
//	retentionDays  91 to 3650, default 1095
//	fileDays       1 to 365, default 30
//	sender         feedback@example.com or Example <feedback@example.com>, default none
//	senderDomain   example.com, where SES is yet to know it, default none
//	smsSender      1 to 11 letters and digits with a letter among them, default none
//	smsNumber      +358401234567, which people can reply to, default none
//	smsBudget      over 0, default 50, in US dollars a month
//	sendRate       over 0 to 1000, default 10
//	dryRun         true or false (default)
//	alarmEmail     ops@example.com, or up to 10 with commas between them, default none; needed in prod
//	budget         over 0, in US dollars a month, default none; needs an alarmEmail, needed in prod
//	signinPrefix   kauppa-pulssi, of https://kauppa-pulssi.auth.REGION.amazoncognito.com, default pulssi-STAGE-ACCOUNT
//	programs       true or false (default): a client with a secret, at six dollars a month
//	tracing        true or false (default): X-Ray records a sample of the invocations
//
// Every mistake is returned, joined, each naming its key. A key that is none of
// these is one: a misspelt stage must not deploy another one. Keys with a mark
// in them (@aws-cdk/..., aws:cdk:...) are CDK's own.
func ReadSettings(context map[string]any) (Settings, error) {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("context "+format, args...)) }
	for _, key := range slices.Sorted(maps.Keys(context)) {
		if !slices.Contains(keys, key) && !strings.ContainsAny(key, "@:/") {
			bad("%s is not known: there are %s", key, strings.Join(keys, ", "))
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
			bad("%s must be a text, not %v", key, v)
			return otherwise
		}
	}
	s := Settings{
		Stage:         Stage(text("stage", string(Dev))),
		Region:        text("region", "eu-north-1"),
		Zone:          text("zone", config.DefaultZone),
		Locales:       commas(text("locales", strings.Join(locales, ","))),
		Domain:        text("domain", ""),
		Certificate:   text("certificate", ""),
		RetentionDays: text("retentionDays", "1095"),
		FileDays:      text("fileDays", "30"),
		Sender:        text("sender", ""),
		SenderDomain:  text("senderDomain", ""),
		SMSSender:     text("smsSender", ""),
		SMSNumber:     text("smsNumber", ""),
		SMSBudget:     text("smsBudget", "50"),
		SendRate:      text("sendRate", "10"),
		DryRun:        text("dryRun", "false"),
		AlarmEmails:   commas(text("alarmEmail", "")),
		Budget:        text("budget", ""),
		SigninPrefix:  text("signinPrefix", ""),
		Programs:      text("programs", "false"),
		Tracing:       text("tracing", "false"),
	}
	if s.Stage != Dev && s.Stage != Prod {
		bad("stage must be dev or prod, not %q", s.Stage)
	}
	if !slices.Contains(regions, s.Region) {
		bad("region must be one that has all services, not %q: %s", s.Region, strings.Join(regions, ", "))
	}
	if !distinct(s.Locales, locales) {
		bad("locales must be one or more of %s, each once and with commas between them, not %q", strings.Join(locales, ", "), strings.Join(s.Locales, ","))
	}
	s.checkFront(bad)
	s.checkSending(bad)
	s.checkAlarms(bad)
	if days := s.fileDays(); strconv.Itoa(days) != s.FileDays || days < 1 || days > 365 {
		bad("fileDays must be a whole number of days from 1 to 365, not %q", s.FileDays)
	}
	if s.SigninPrefix != "" && !isSigninPrefix(s.SigninPrefix) {
		bad("signinPrefix must be 1 to 63 small letters (a-z), digits and hyphens between them, without aws, amazon and cognito, not %q", s.SigninPrefix)
	}
	for _, flag := range []struct{ key, value string }{{"dryRun", s.DryRun}, {"programs", s.Programs}, {"tracing", s.Tracing}} {
		if flag.value != "true" && flag.value != "false" {
			bad("%s must be true or false, not %q", flag.key, flag.value)
		}
	}
	// The rest is held to the rules of those who will read it.
	env := map[string]string{config.Region: "any", config.Zone: s.Zone, config.Retention: s.RetentionDays}
	getenv := func(name string) string { return env[name] }
	if _, err := config.ReadZone(getenv); err != nil {
		bad("zone: %w", err)
	}
	if _, err := config.Read(getenv); err != nil {
		bad("retentionDays: %w", err)
	}
	return s, errors.Join(errs...)
}

// checkFront holds what is about the address to its rules, and tells bad.
func (s Settings) checkFront(bad func(string, ...any)) {
	if s.Domain != "" && (len(s.Domain) > 253 || !domainName.MatchString(s.Domain)) {
		bad("domain must be a host in small letters without https:// and slashes, as answer.example.com, not %q", s.Domain)
	}
	if s.Certificate != "" && !certificate.MatchString(s.Certificate) {
		bad("certificate must be the ARN of a certificate of AWS Certificate Manager in %s, where CloudFront looks for it, not %q", frontRegion, s.Certificate)
	}
	if s.Stage == Prod && s.Domain == "" {
		bad("domain must be given in prod, with its certificate: CloudFront's own name takes TLS older than 1.2, and customers do not know it")
	}
	if (s.Domain == "") != (s.Certificate == "") {
		bad("certificate and domain must be given together: a domain needs its certificate (request it in %s: aws acm request-certificate --region %[1]s --validation-method DNS --domain-name DOMAIN)", frontRegion)
	}
}

// checkSending holds what is about e-mails and text messages to its rules, and
// tells bad.
func (s Settings) checkSending(bad func(string, ...any)) {
	address, ok := s.senderAddress()
	if s.Sender != "" && !ok {
		bad("sender must be an e-mail address, alone or as Example <feedback@example.com>, not %q", s.Sender)
	}
	if d := s.SenderDomain; d != "" {
		if _, host, _ := strings.Cut(strings.ToLower(address), "@"); host != d && !strings.HasSuffix(host, "."+d) {
			bad("senderDomain must be the domain of sender, or one above it, not %q", d)
		}
	}
	if s.SMSSender != "" && (len(s.SMSSender) > 11 || !smsSender.MatchString(s.SMSSender)) {
		bad("smsSender must be 1 to 11 letters (a-z) and digits with at least one letter, not %q", s.SMSSender)
	}
	if s.SMSNumber != "" && s.SMSSender == "" {
		bad("smsNumber must come with smsSender, by which most text messages are sent")
	}
	read := func(name, value string) error {
		_, err := config.ReadSending(func(n string) string { return map[string]string{name: value}[n] })
		return err
	}
	if err := read(config.SendRate, s.SendRate); err != nil {
		bad("sendRate: %w", err)
	}
	if err := read(config.SMSNumber, s.SMSNumber); err != nil {
		bad("smsNumber: %w", err)
	}
}

// checkAlarms holds who is told of what to its rules, and tells bad.
func (s Settings) checkAlarms(bad func(string, ...any)) {
	for i, address := range s.AlarmEmails {
		if slices.Contains(s.AlarmEmails[:i], address) {
			bad("alarmEmail must name each address once, not %q twice", address)
			break
		}
		if a, err := mail.ParseAddress(address); err != nil || a.Address != address {
			bad("alarmEmail must be e-mail addresses without names, as ops@example.com, with commas between them, not %q", address)
			break
		}
	}
	if len(s.AlarmEmails) > maxAlarmEmails {
		bad("alarmEmail must be at most %d addresses, not %d", maxAlarmEmails, len(s.AlarmEmails))
	}
	if _, ok := dollars(s.Budget); s.Budget != "" && !ok {
		bad("budget must be a number of US dollars over 0 and at most %d, not %q", maxDollars, s.Budget)
	}
	if s.Stage == Prod && len(s.AlarmEmails) == 0 {
		bad("alarmEmail must be given in prod: alarms have to reach somebody")
	}
	if s.Stage == Prod && s.Budget == "" {
		bad("budget must be given in prod, in US dollars a month: who pays should hear of it first")
	}
	if s.Budget != "" && len(s.AlarmEmails) == 0 {
		bad("budget must come with alarmEmail: somebody has to be told")
	}
	if _, ok := dollars(s.SMSBudget); !ok {
		bad("smsBudget must be a number of US dollars over 0 and at most %d, not %q", maxDollars, s.SMSBudget)
	}
}

// maxDollars is the most that a budget may be: more is a slip of the hand.
const maxDollars = 1_000_000

// dollars reads an amount of US dollars, and says whether it is one.
func dollars(text string) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && amount.MatchString(text) && v > 0 && v <= maxDollars
}

var amount = regexp.MustCompile(`^[0-9]+(?:\.[0-9]{1,2})?$`)

// commas returns the parts of a text between commas; none of an empty text.
func commas(text string) []string {
	if text == "" {
		return nil
	}
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// distinct reports whether there is something, each once and among some.
func distinct(values, among []string) bool {
	for i, v := range values {
		if !slices.Contains(among, v) || slices.Contains(values[:i], v) {
			return false
		}
	}
	return len(values) > 0
}

// domainName is a host of two or more labels (RFC 1123).
var domainName = regexp.MustCompile(`^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$`)

// certificate is the ARN of one that CloudFront takes.
var certificate = regexp.MustCompile(`^arn:aws:acm:` + frontRegion + `:[0-9]{12}:certificate/[0-9a-f-]{36}$`)

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
func (s Settings) prefix() string { return s.name() + "-" }

// name is that of what there is one of in a deployment, and begins the names of
// its stacks.
func (s Settings) name() string { return "pulssi-" + string(s.Stage) }

// kept is what becomes of what stays when its stack goes: it goes nevertheless
// where the deployment fails that made it, so that the next finds no name taken,
// unless it is protected from deletion, which CloudFormation would fail at.
func kept(protected bool) awscdk.RemovalPolicy {
	if protected {
		return awscdk.RemovalPolicy_RETAIN
	}
	return awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE
}

// environment is what every function gets to know.
func (s Settings) environment() map[string]string {
	return map[string]string{
		config.TablePrefix: s.prefix(),
		config.Zone:        s.Zone,
		config.Retention:   s.RetentionDays,
	}
}
