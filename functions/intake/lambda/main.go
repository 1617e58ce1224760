// Command lambda is the function intake as Lambda runs it.
package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"
	_ "time/tzdata" // the runtime has no zones

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pulssi/pulssi/functions/intake"
	"github.com/pulssi/pulssi/shared/awsenv"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/store"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "intake:", err)
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
	names, err := config.Need(os.Getenv, config.Files)
	if err != nil {
		return err
	}
	h := &intake.Handler{
		Files:    files.New(s3.NewFromConfig(awsenv.Config(c, os.Getenv)), names[config.Files]),
		Contacts: store.New(store.NewClient(c, os.Getenv), c),
		Now:      time.Now,
	}
	lambda.StartHandlerFunc(h.Handle)
	return nil
}
