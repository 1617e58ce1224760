// Command lambda is the results function on AWS Lambda.
package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"
	_ "time/tzdata" // the runtime has no zone data

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/pulssi/pulssi/functions/results"
	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/awsenv"
	"github.com/pulssi/pulssi/shared/bus"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/store"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "results:", err)
		os.Exit(1)
	}
}

func run() error {
	c, err := config.Read(os.Getenv)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	zone, err := config.ReadZone(os.Getenv)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	names, err := config.Need(os.Getenv, config.Bus, config.SigninURL, config.SigninClient)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	slog.SetDefault(obs.WithTrace(lambdacontext.NewLogger()))
	s := store.New(store.NewClient(c, os.Getenv), c)
	catalog := store.NewCatalog(s, time.Now)
	h := &results.Handler{
		Sheets: s, Feed: s, Annotations: s, Shares: s, Touchpoints: catalog, Definitions: catalog, Contacts: s, History: s, Rules: catalog, Demo: s, Audit: s,
		Bus:    bus.New(eventbridge.NewFromConfig(awsenv.Config(c, os.Getenv)), names[config.Bus]),
		Signin: results.Signin{URL: names[config.SigninURL], Client: names[config.SigninClient]},
		Zone:   zone, Now: time.Now,
	}
	lambda.StartHandlerFunc(apigw.BehindFront(c.FrontKey, h.Handle))
	return nil
}
