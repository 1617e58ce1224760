package bill

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/pulssi/pulssi/shared/survey"
)

// The keys of the prices that a bill is made of. A file has all of them.
const (
	apiRequest        = "api.request"
	lambdaRequest     = "lambda.request"
	lambdaCompute     = "lambda.compute"
	dynamodbWrite     = "dynamodb.write"
	dynamodbRead      = "dynamodb.read"
	dynamodbStorage   = "dynamodb.storage"
	dynamodbRecovery  = "dynamodb.recovery"
	dynamodbBackup    = "dynamodb.backup"
	sqsRequest        = "sqs.request"
	schedulerCall     = "scheduler.call"
	busEvent          = "bus.event"
	sesEmail          = "ses.email"
	logsIngest        = "logs.ingest"
	metricMonth       = "cloudwatch.metric"
	alarmMonth        = "cloudwatch.alarm"
	dashboardMonth    = "cloudwatch.dashboard"
	secretMonth       = "secret.month"
	cognitoUser       = "cognito.user"
	transferOut       = "transfer.out"
	cloudfrontRequest = "cloudfront.request"
	cloudfrontOut     = "cloudfront.out"
	cloudfrontOrigin  = "cloudfront.origin"
	wafACL            = "waf.acl"
	wafRule           = "waf.rule"
	wafRequest        = "waf.request"
	s3Storage         = "s3.storage"
	s3Get             = "s3.get"
	s3Put             = "s3.put"
	xrayTrace         = "xray.trace"
)

var keys = []string{
	apiRequest, lambdaRequest, lambdaCompute, dynamodbWrite, dynamodbRead, dynamodbStorage, dynamodbRecovery,
	dynamodbBackup, sqsRequest, schedulerCall, busEvent, sesEmail, logsIngest, metricMonth, alarmMonth,
	dashboardMonth, secretMonth, cognitoUser, transferOut, cloudfrontRequest, cloudfrontOut, cloudfrontOrigin,
	wafACL, wafRule, wafRequest, s3Storage, s3Get, s3Put, xrayTrace,
}

// Prices are the list prices of one region, in US dollars.
type Prices struct {
	Region  string            `yaml:"region"`
	Sources map[string]Source `yaml:"sources"`
	Prices  map[string]Price  `yaml:"prices"` // by key
}

// Source is where a price was read.
type Source struct {
	URL  string `yaml:"url"`
	From string `yaml:"from"` // what there says it
	Date string `yaml:"date"` // 2026-11-22: since when it holds, of when it is, or when it was read
}

// Price is what a number of units costs in a month.
type Price struct {
	Service    string  `yaml:"service"`
	Unit       string  `yaml:"unit"` // in the plural
	USD        float64 `yaml:"usd"`
	Per        float64 `yaml:"per"`        // how many units USD is for
	Free       float64 `yaml:"free"`       // units that cost nothing in any month of any account
	Region     string  `yaml:"region"`     // where it differs from that of the file
	Source     string  `yaml:"source"`     // a key of the sources
	FreeSource string  `yaml:"freeSource"` // another, where it says what is free
}

//go:embed prices/us-east-1.yaml
var listPrices []byte

// ListPrices returns the prices of us-east-1.
func ListPrices() (Prices, error) { return ReadPrices(listPrices) }

// ReadPrices reads a file of prices. It must have each price that a bill may
// have, and no other, each with its source and date. The error is
// [survey.Invalid] and names the price.
func ReadPrices(file []byte) (Prices, error) {
	var p Prices
	if err := yaml.NewDecoder(bytes.NewReader(file), yaml.Strict()).Decode(&p); err != nil {
		return Prices{}, &survey.Error{Code: survey.Invalid, Field: "prices", Message: "prices cannot be read: " + yaml.FormatError(err, false, false), Err: err}
	}
	if p.Region == "" {
		return Prices{}, survey.Errorf(survey.Invalid, "region", "region must be given, as eu-north-1")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Sources)) {
		s, field := p.Sources[name], "sources."+name
		if _, err := time.Parse(time.DateOnly, s.Date); err != nil {
			return Prices{}, survey.Errorf(survey.Invalid, field, "%s must have a date as 2026-11-22, not %q", field, s.Date)
		}
		if !strings.HasPrefix(s.URL, "https://") || s.From == "" {
			return Prices{}, survey.Errorf(survey.Invalid, field, "%s must have a url (https://...), and what there says it (from)", field)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(p.Prices)) {
		price, field := p.Prices[key], "prices."+key
		_, known := p.Sources[price.Source]
		_, freeKnown := p.Sources[price.FreeSource]
		switch {
		case !slices.Contains(keys, key):
			return Prices{}, survey.Errorf(survey.Invalid, field, "%s is not known: there are %s", field, strings.Join(keys, ", "))
		case price.Service == "" || price.Unit == "":
			return Prices{}, survey.Errorf(survey.Invalid, field, "%s must have a service and a unit", field)
		case price.USD < 0 || price.Free < 0 || price.Per <= 0:
			return Prices{}, survey.Errorf(survey.Invalid, field, "%s must have usd and free of at least 0, and per over 0", field)
		case !known:
			return Prices{}, survey.Errorf(survey.Invalid, field, "%s must have a source that is among sources, not %q", field, price.Source)
		case price.FreeSource != "" && !freeKnown:
			return Prices{}, survey.Errorf(survey.Invalid, field, "%s must have a freeSource that is among sources, not %q", field, price.FreeSource)
		}
	}
	for _, key := range keys {
		if _, ok := p.Prices[key]; !ok {
			return Prices{}, survey.Errorf(survey.Invalid, "prices."+key, "prices.%s must be given", key)
		}
	}
	return p, nil
}

// region returns where a price holds.
func (p Prices) region(key string) string {
	if r := p.Prices[key].Region; r != "" {
		return r
	}
	return p.Region
}

// usd returns what a quantity costs.
func (p Prices) usd(key string, quantity float64) float64 {
	price := p.Prices[key]
	return quantity * price.USD / price.Per
}

// String returns the source in one line.
func (s Source) String() string { return fmt.Sprintf("%s, %s: %s", s.Date, s.From, s.URL) }
