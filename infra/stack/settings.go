// Package stack is what a deployment of Pulssi is made of. Functions, routes,
// tables and mappings are those of package topology; what is added here is how
// AWS is to run them.
package stack

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
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
}

// keys are those of the context.
var keys = []string{"stage", "zone", "publicUrl", "retentionDays"}

// ReadSettings reads the context of an app:
//
//	stage          dev (default) or prod
//	zone           reporting time zone, default Europe/Helsinki
//	publicUrl      https://answer.example.com, default the gateway's own address
//	retentionDays  91 to 3650, default 1095
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
		case float64: // a number in cdk.json
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
	}
	if s.Stage != Dev && s.Stage != Prod {
		errs = append(errs, fmt.Errorf("context stage must be dev or prod, not %q", s.Stage))
	}
	// An origin and no more: the functions compare it with what browsers send.
	if u, err := url.Parse(s.PublicURL); s.PublicURL != "" && (err != nil || u.Host == "" || s.PublicURL != "https://"+u.Host) {
		errs = append(errs, fmt.Errorf("context publicUrl must be https:// and a host, as https://answer.example.com, not %q", s.PublicURL))
	}
	// The rest is held to the rules of those who will read it.
	env := map[string]string{config.Region: "any", config.Zone: s.Zone, config.Retention: s.RetentionDays}
	getenv := func(name string) string { return env[name] }
	if _, err := config.ReadZone(getenv); err != nil {
		errs = append(errs, fmt.Errorf("context zone: %w", err))
	}
	if _, err := config.Read(getenv); err != nil {
		errs = append(errs, fmt.Errorf("context retentionDays: %w", err))
	}
	return s, errors.Join(errs...)
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
