// Package connect finds the deployment that a script is to work on.
package connect

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pulssi/pulssi/scripts/dev/clock"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/testkit/checkout"
)

// Deployment is where a script works.
type Deployment struct {
	Store *store.Store
	// Where is in words where the tables are.
	Where string
	// URL is where the HTTP API is, without a slash at its end: that of the
	// local stack, and PULSSI_PUBLIC_URL anywhere else. "" where nobody says.
	URL string
	// Services is where the local stack takes mail and SMS, as SES and SNS do;
	// "" for AWS itself.
	Services string
	// Now is the time there: the local stack's clock can be moved.
	Now func() time.Time
	// Local is whether the tables are not in AWS: the local stack's, or at a
	// DYNAMODB_ENDPOINT.
	Local bool
	// Prefix begins the names of tables and queues. AWS is what NewFromConfig of
	// a service's package takes, where it is not Local.
	Prefix string
	AWS    aws.Config
}

// Open returns the deployment to work on:
//
//   - the local stack while it runs, which tells its address in
//     .local/dev.json, unless PULSSI_TABLE_PREFIX or the DYNAMODB_ENDPOINT of
//     something else is set;
//   - else the tables PULSSI_TABLE_PREFIX at DYNAMODB_ENDPOINT, where that is
//     set;
//   - else the tables PULSSI_TABLE_PREFIX in AWS, in the account and region of
//     the usual AWS settings: environment, profile, single sign-on.
//
// It makes no call to the tables. The error says what to set where there is
// none of these.
func Open(ctx context.Context) (Deployment, error) {
	return open(ctx, os.Getenv, func() (string, error) {
		root, err := checkout.Root()
		return filepath.Join(root, ".local", "dev.json"), err
	})
}

// localEnv is what the local stack needs and nobody sets: DynamoDB Local takes
// any region and credentials.
var localEnv = map[string]string{
	config.Region: "eu-north-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
}

func open(ctx context.Context, getenv func(string) string, devFile func() (string, error)) (Deployment, error) {
	given, services, now := map[string]string{}, "", time.Now
	for _, name := range []string{config.TablePrefix, config.DynamoDBEndpoint, config.PublicURL} {
		given[name] = getenv(name)
	}
	if given[config.TablePrefix] == "" {
		dev, err := readDev(devFile)
		if err != nil {
			return Deployment{}, err
		}
		switch endpoint := given[config.DynamoDBEndpoint]; {
		case dev.Endpoint != "" && (endpoint == "" || endpoint == dev.Endpoint):
			given = map[string]string{config.TablePrefix: dev.Prefix, config.DynamoDBEndpoint: dev.Endpoint, config.PublicURL: dev.URL}
			services = dev.Services
			c, err := clock.Open(dev.Clock, time.Now)
			if err != nil {
				return Deployment{}, err
			}
			now = c.Now
		case endpoint == "":
			return Deployment{}, fmt.Errorf("no tables to work on: start the local stack with `make dev`, or set %s to that of a deployment", config.TablePrefix)
		}
	}
	if given[config.DynamoDBEndpoint] == "" {
		return openAWS(ctx, getenv, given)
	}
	env := func(name string) string { return cmp.Or(given[name], getenv(name), localEnv[name]) }
	c, err := config.Read(env)
	if err != nil {
		return Deployment{}, err
	}
	return Deployment{
		Store: store.New(store.NewClient(c, env), c),
		Where: fmt.Sprintf("the tables %s* at %s", c.TablePrefix, c.DynamoDBEndpoint),
		URL:   c.PublicURL,

		Services: services, Now: now, Local: true, Prefix: c.TablePrefix,
	}, nil
}

// openAWS takes region and credentials from wherever the AWS tools take them;
// an engineer has profiles and single sign-on, which functions do not.
func openAWS(ctx context.Context, getenv func(string) string, given map[string]string) (Deployment, error) {
	ac, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return Deployment{}, fmt.Errorf("reading the AWS settings: %w", err)
	}
	given[config.Region] = ac.Region
	c, err := config.Read(func(name string) string { return cmp.Or(given[name], getenv(name)) })
	if err != nil {
		return Deployment{}, err
	}
	return Deployment{
		Store: store.New(dynamodb.NewFromConfig(ac), c),
		Where: fmt.Sprintf("the tables %s* in AWS, %s", c.TablePrefix, c.Region),
		URL:   c.PublicURL,
		Now:   time.Now,

		Prefix: c.TablePrefix, AWS: ac,
	}, nil
}

// dev is what .local/dev.json tells: see package stack of scripts/dev.
type dev struct {
	Endpoint string `json:"endpoint"`
	Prefix   string `json:"prefix"`
	URL      string `json:"url"`
	Services string `json:"services"`
	Clock    string `json:"clock"`
}

// readDev returns the address of the local stack, empty while it does not run.
func readDev(file func() (string, error)) (d dev, err error) {
	path, err := file()
	if err != nil {
		return d, err
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(b, &d); err != nil {
		return d, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}
