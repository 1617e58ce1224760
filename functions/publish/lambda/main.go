// Command lambda is the publish function on AWS Lambda.
package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pulssi/pulssi/functions/publish"
	"github.com/pulssi/pulssi/shared/awsenv"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/obs"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "publish:", err)
		os.Exit(1)
	}
}

func run() error {
	c, err := config.Read(os.Getenv)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	slog.SetDefault(obs.WithTrace(lambdacontext.NewLogger()))
	client := s3.NewFromConfig(awsenv.Config(c, os.Getenv))
	h := &publish.Handler{Open: func(bucket string) publish.Bucket { return files.New(client, bucket) }}
	lambda.Start(h.Handle) // the generic form has no handlers without an answer
	return nil
}
