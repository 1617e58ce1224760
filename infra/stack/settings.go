// Package stack is what a deployment of Pulssi is made of. Functions, routes,
// tables and mappings are those of package topology; what is added here is how
// AWS is to run them.
package stack

import (
	"errors"
	"fmt"
	"slices"
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

// ReadSettings reads the context through get, which returns nil for a key that
// is not set:
//
//	stage          dev (default) or prod
//	zone           reporting time zone, default Europe/Helsinki
//	publicUrl      https://answer.example.com, default the gateway's own address
//	retentionDays  91 to 3650, default 1095
//
// Every mistake is returned, joined, each naming its key.
func ReadSettings(get func(key string) any) (Settings, error) {
	var errs []error
	text := func(key, otherwise string) string {
		switch v := get(key).(type) {
		case nil:
			return otherwise
		case string:
			return v
		case float64: // a number in cdk.json
			return fmt.Sprint(v)
		default:
			errs = append(errs, fmt.Errorf("context %s must be a text, not %v", key, v))
			return otherwise
		}
	}
	s := Settings{
		Stage:         Stage(text("stage", string(Dev))),
		Zone:          text("zone", config.DefaultZone),
		PublicURL:     text("publicUrl", ""),
		RetentionDays: text("retentionDays", "1095"),
	}
	if !slices.Contains([]Stage{Dev, Prod}, s.Stage) {
		errs = append(errs, fmt.Errorf("context stage must be dev or prod, not %q", s.Stage))
	}
	if s.PublicURL != "" && !strings.HasPrefix(s.PublicURL, "https://") {
		errs = append(errs, fmt.Errorf("context publicUrl must start with https://, not %q", s.PublicURL))
	}
	// The rest is held to the rules of those who will read it.
	env := s.environment()
	env[config.Region] = "any"
	getenv := func(name string) string { return env[name] }
	if _, err := config.Read(getenv); err != nil {
		errs = append(errs, fmt.Errorf("context publicUrl or retentionDays: %w", err))
	}
	if _, err := config.ReadZone(getenv); err != nil {
		errs = append(errs, fmt.Errorf("context zone: %w", err))
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
