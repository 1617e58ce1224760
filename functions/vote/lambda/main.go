// Command lambda is the vote function on AWS Lambda.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/pulssi/pulssi/functions/vote"
	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/store"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "vote:", err)
		os.Exit(1)
	}
}

func run() error {
	c, err := config.Read(os.Getenv)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	slog.SetDefault(obs.WithTrace(lambdacontext.NewLogger()))
	s := store.New(store.NewClient(c, os.Getenv), c)
	touchpoints := store.NewCatalog(s, time.Now)
	// The first read also opens the connection that the first vote is written
	// over. It must not hold up the start, and a failure is told by the request
	// that needs the catalog.
	go func() { _, _ = touchpoints.All(context.Background()) }()
	h := &vote.Handler{Votes: s, Touchpoints: touchpoints, Now: time.Now, PublicURL: c.PublicURL}
	lambda.StartHandlerFunc(apigw.BehindFront(c.FrontKey, h.Handle))
	return nil
}
