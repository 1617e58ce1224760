// Package awsenv is what the clients of AWS services need in a function: the
// region, credentials, and limits of time, from the environment.
package awsenv

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/pulssi/pulssi/shared/config"
)

// Endpoint is the variable that replaces the endpoint of every service but
// DynamoDB: the one that all AWS SDKs have for it.
const Endpoint = "AWS_ENDPOINT_URL"

// A call is tried three times (the SDK's default), each of which ends when
// nothing can be connected to or nothing begins to answer in this time. The
// answer itself may take as long as the caller's context, as a file does.
const (
	connectTimeout = 2 * time.Second
	answerTimeout  = 5 * time.Second
)

// Config returns what NewFromConfig of a service's package takes, with the
// credentials that Lambda puts in the environment, which do not change while
// the process runs. It makes no call and reads no file, unlike
// config.LoadDefaultConfig.
func Config(c config.Config, getenv func(string) string) aws.Config {
	out := aws.Config{
		Region: c.Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID:     getenv("AWS_ACCESS_KEY_ID"),
				SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
				SessionToken:    getenv("AWS_SESSION_TOKEN"),
				Source:          "environment",
			}, nil
		}),
		HTTPClient: &http.Client{Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout:   connectTimeout,
			ResponseHeaderTimeout: answerTimeout,
			MaxIdleConnsPerHost:   32,
			IdleConnTimeout:       90 * time.Second,
		}},
	}
	if endpoint := getenv(Endpoint); endpoint != "" {
		out.BaseEndpoint = aws.String(endpoint)
	}
	return out
}
