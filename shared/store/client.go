package store

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/topology"
)

// Store is the tables behind one client. It is safe for concurrent use.
type Store struct {
	db        *dynamodb.Client
	prefix    string
	retention time.Duration
}

// New returns a store on the tables that c names.
func New(db *dynamodb.Client, c config.Config) *Store {
	return &Store{db: db, prefix: c.TablePrefix, retention: c.Retention}
}

func (s *Store) table(t topology.Table) *string { return aws.String(s.prefix + t.Name) }

// NewClient builds a DynamoDB client from c and from the credentials that
// Lambda puts in the environment, which do not change while the process runs.
// It makes no call and reads no file: config.LoadDefaultConfig costs more than
// all the rest of a function's start. tune may change the options; it is for
// measuring.
func NewClient(c config.Config, getenv func(string) string, tune ...func(*dynamodb.Options)) *dynamodb.Client {
	o := dynamodb.Options{
		Region: c.Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID:     getenv("AWS_ACCESS_KEY_ID"),
				SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
				SessionToken:    getenv("AWS_SESSION_TOKEN"),
				Source:          "environment",
			}, nil
		}),
		HTTPClient: &http.Client{
			// One request takes milliseconds; the longest that a person should
			// wait for an answer to be taken is the sum of three tries.
			Timeout: 3 * time.Second,
			Transport: &http.Transport{
				MaxIdleConns:        128,
				MaxIdleConnsPerHost: 128,
				IdleConnTimeout:     90 * time.Second,
				ForceAttemptHTTP2:   false,
			},
		},
	}
	if c.DynamoDBEndpoint != "" {
		o.BaseEndpoint = aws.String(c.DynamoDBEndpoint)
	}
	return dynamodb.New(o, tune...)
}
