// Command lambda is the function tally as Lambda runs it.
package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"
	_ "time/tzdata" // the runtime has no zones

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/pulssi/pulssi/functions/tally"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/store"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(1)
	}
}

// run returns only where the function cannot start.
func run() error {
	slog.SetDefault(obs.WithTrace(lambdacontext.NewLogger()))
	c, err := config.Read(os.Getenv)
	if err != nil {
		return err
	}
	zone, err := config.ReadZone(os.Getenv)
	if err != nil {
		return err
	}
	h := &tally.Handler{Sheets: store.New(store.NewClient(c, os.Getenv), c), Zone: zone, Metrics: obs.NewMetrics(os.Getenv, os.Stdout, time.Now), Now: time.Now}
	lambda.StartHandlerFunc(h.Handle)
	return nil
}
