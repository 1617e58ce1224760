// Package connect finds the tables that a script is to work on.
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

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/testkit/checkout"
)

// Store returns the store to work on, and in words where it is:
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
func Store(ctx context.Context) (*store.Store, string, error) {
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

func open(ctx context.Context, getenv func(string) string, devFile func() (string, error)) (*store.Store, string, error) {
	prefix, endpoint := getenv(config.TablePrefix), getenv(config.DynamoDBEndpoint)
	if prefix == "" {
		dev, err := readDev(devFile)
		if err != nil {
			return nil, "", err
		}
		switch {
		case dev.Endpoint != "" && (endpoint == "" || endpoint == dev.Endpoint):
			prefix, endpoint = dev.Prefix, dev.Endpoint
		case endpoint == "":
			return nil, "", fmt.Errorf("no tables to work on: start the local stack with `make dev`, or set %s to that of a deployment", config.TablePrefix)
		}
	}
	given := map[string]string{config.TablePrefix: prefix, config.DynamoDBEndpoint: endpoint}
	if endpoint == "" {
		return openAWS(ctx, getenv, given)
	}
	env := func(name string) string { return cmp.Or(given[name], getenv(name), localEnv[name]) }
	c, err := config.Read(env)
	if err != nil {
		return nil, "", err
	}
	return store.New(store.NewClient(c, env), c), fmt.Sprintf("the tables %s* at %s", prefix, endpoint), nil
}

// openAWS takes region and credentials from wherever the AWS tools take them;
// an engineer has profiles and single sign-on, which functions do not.
func openAWS(ctx context.Context, getenv func(string) string, given map[string]string) (*store.Store, string, error) {
	ac, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("reading the AWS settings: %w", err)
	}
	given[config.Region] = ac.Region
	c, err := config.Read(func(name string) string { return cmp.Or(given[name], getenv(name)) })
	if err != nil {
		return nil, "", err
	}
	return store.New(dynamodb.NewFromConfig(ac), c), fmt.Sprintf("the tables %s* in AWS, %s", c.TablePrefix, c.Region), nil
}

// dev is what .local/dev.json tells: see package stack of scripts/dev.
type dev struct {
	Endpoint string `json:"endpoint"`
	Prefix   string `json:"prefix"`
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
