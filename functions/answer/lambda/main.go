// Command lambda is the answer function on AWS Lambda.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/pulssi/pulssi/functions/answer"
	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/store"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "answer:", err)
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
	// The first read also opens the connection that the first answer is written
	// over. It runs beside the start, which it must not hold up: an answer
	// is taken without the catalog. Where Lambda freezes the process in the middle
	// of it, it goes on or fails at the next request, which waits for it; a
	// failed read is tried again, and told, by the request that needs it.
	go func() { _, _ = touchpoints.All(context.Background()) }()
	h := &answer.Handler{Asks: s, Contacts: s, Touchpoints: touchpoints, Now: time.Now}
	lambda.StartHandlerFunc(apigw.BehindFront(c.FrontKey, h.Handle))
	return nil
}
