// Command lambda is the delivery function on AWS Lambda.
package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/pulssi/pulssi/functions/delivery"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/store"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "delivery:", err)
		os.Exit(1)
	}
}

func run() error {
	c, err := config.Read(os.Getenv)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	slog.SetDefault(obs.WithTrace(lambdacontext.NewLogger()))
	h := &delivery.Handler{Store: store.New(store.NewClient(c, os.Getenv), c), Metrics: obs.NewMetrics(os.Getenv, os.Stdout, time.Now), Now: time.Now}
	lambda.Start(h.Handle)
	return nil
}
