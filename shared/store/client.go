package store

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/topology"
)

// Store is the tables behind one client. It is safe for concurrent use.
type Store struct {
	db        *dynamodb.Client
	prefix    string
	retention time.Duration
	zones     sync.Map // those of contacts that this process has made known: name -> true
}

// New returns a store on the tables that c names.
func New(db *dynamodb.Client, c config.Config) *Store {
	return &Store{db: db, prefix: c.TablePrefix, retention: c.Retention}
}

func (s *Store) table(t topology.Table) *string { return aws.String(s.prefix + t.Name) }

// How long a call may take: [tries] of at most [tryTimeout], with two random
// pauses of less than [maxPause] between them, are 4 s at worst. So a function
// that may run for 10 s still tells its caller what happened. DynamoDB answers
// in milliseconds: one try that takes a second has met a dead connection or a
// sick host, and the next one takes another. The SDK's own pauses are seconds
// long, more than a person who waits for her answer to be taken should pay.
const (
	tries      = 3
	tryTimeout = time.Second
	maxPause   = 500 * time.Millisecond
	// localTimeout is a try's limit at an endpoint of one's own: DynamoDB Local
	// shares a machine with a browser, a compiler or a load test, and being
	// slow there is no failure.
	localTimeout = 10 * time.Second
)

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
		Retryer: retry.NewStandard(func(so *retry.StandardOptions) {
			so.MaxAttempts = tries
			so.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return rand.N(maxPause), nil })
		}),
	}
	hc := &http.Client{
		Timeout: tryTimeout,
		Transport: &http.Transport{
			MaxIdleConns:        128,
			MaxIdleConnsPerHost: 128,
			IdleConnTimeout:     90 * time.Second,
			ForceAttemptHTTP2:   false,
		},
	}
	if c.DynamoDBEndpoint != "" {
		o.BaseEndpoint = aws.String(c.DynamoDBEndpoint)
		hc.Timeout = localTimeout
	}
	o.HTTPClient = hc
	return dynamodb.New(o, tune...)
}
