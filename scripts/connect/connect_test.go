package connect

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/testkit"
)

func TestOpen(t *testing.T) {
	t.Setenv(config.Region, "eu-west-1") // read by the AWS client itself
	const (
		services = "http://127.0.0.1:3333"
		local    = "http://localhost:9000"
		public   = "https://answer.example.com"
	)
	ahead := filepath.Join(t.TempDir(), "clock.json")
	if err := os.WriteFile(ahead, []byte(`{"offset":86400000000000}`), 0o600); err != nil {
		t.Fatal(err)
	}
	running := fmt.Sprintf(`{"endpoint":"http://127.0.0.1:1111","prefix":"dev-","url":%q,"services":%q,"clock":%q}`, local, services, ahead)
	for name, tc := range map[string]struct {
		dev  string // content of .local/dev.json, "" for none
		env  map[string]string
		want string // where the tables are, or a part of the error
		url  string
	}{
		"the local stack":         {running, nil, "the tables dev-* at http://127.0.0.1:1111", local},
		"the local stack's own":   {running, map[string]string{config.DynamoDBEndpoint: "http://127.0.0.1:1111"}, "the tables dev-* at http://127.0.0.1:1111", local},
		"the local stack alone":   {running, map[string]string{config.PublicURL: public}, "the tables dev-* at http://127.0.0.1:1111", local},
		"another endpoint":        {running, map[string]string{config.DynamoDBEndpoint: "http://127.0.0.1:2222"}, "the tables * at http://127.0.0.1:2222", ""},
		"endpoint and prefix":     {running, map[string]string{config.DynamoDBEndpoint: "http://127.0.0.1:2222", config.TablePrefix: "t-", config.PublicURL: public}, "the tables t-* at http://127.0.0.1:2222", public},
		"a deployment":            {running, map[string]string{config.TablePrefix: "pulssi-prod-"}, "the tables pulssi-prod-* in AWS, eu-west-1", ""},
		"a deployment's address":  {running, map[string]string{config.TablePrefix: "pulssi-prod-", config.PublicURL: public + "/"}, "the tables pulssi-prod-* in AWS, eu-west-1", public},
		"nothing":                 {"", nil, "make dev", ""},
		"a broken file":           {"{", nil, "dev.json", ""},
		"a broken endpoint":       {"", map[string]string{config.DynamoDBEndpoint: "here"}, config.DynamoDBEndpoint, ""},
		"an unreadable retention": {running, map[string]string{config.Retention: "long"}, config.Retention, ""},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "dev.json")
			if tc.dev != "" {
				if err := os.WriteFile(file, []byte(tc.dev), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			d, err := open(context.Background(), func(name string) string { return tc.env[name] }, func() (string, error) { return file, nil })
			got := d.Where
			if err != nil {
				got = err.Error()
			}
			if (d.Store == nil) != (err != nil) || !strings.Contains(got, tc.want) || d.URL != tc.url {
				t.Errorf("%+v, %v: want %q, address %q", d, err, tc.want, tc.url)
			}
			if err != nil {
				return
			}
			isLocal := strings.Contains(d.Where, "dev-")
			if isLocal != (d.Services == services) || !isLocal && d.Services != "" {
				t.Errorf("mail and SMS go to %q", d.Services)
			}
			if isAhead := d.Now().After(time.Now().Add(23 * time.Hour)); isAhead != isLocal {
				t.Errorf("the clock is ahead: %t", isAhead)
			}
		})
	}
}

// What the local stack tells is enough to read its tables.
func TestOpenReadsTheTables(t *testing.T) {
	tables := testkit.NewTables(t)
	env := map[string]string{config.DynamoDBEndpoint: tables.Config.DynamoDBEndpoint, config.TablePrefix: tables.Config.TablePrefix}
	d, err := open(context.Background(), func(name string) string { return env[name] }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Store.Touchpoints(context.Background()); err != nil {
		t.Error(err)
	}
}
