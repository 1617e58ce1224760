// Command lambda is the plan function on AWS Lambda.
//
// Any number of it may run at once. The hourly tick is one invocation of up to
// 15 minutes, which waits for DynamoDB and SQS most of the time; what a tick
// cannot finish, its retries and the next tick go on with. Events come one to an
// invocation, as many at once as the account's concurrency allows.
package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
	_ "time/tzdata" // the runtime has no zones

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pulssi/pulssi/functions/plan"
	"github.com/pulssi/pulssi/shared/awsenv"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/schedule"
	"github.com/pulssi/pulssi/shared/store"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "plan:", err)
		os.Exit(1)
	}
}

// run returns only where the function cannot start.
func run() error {
	c, err1 := config.Read(os.Getenv)
	must, err2 := config.Need(os.Getenv, config.AsksQueue, config.AsksQueueARN, config.FailedAsksARN, config.RefusedQueue, config.ScheduleGroup, config.ScheduleRole)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	slog.SetDefault(obs.WithTrace(lambdacontext.NewLogger()))
	services := awsenv.Config(c, os.Getenv)
	messages := sqs.NewFromConfig(services)
	tables := store.New(store.NewClient(c, os.Getenv), c)
	target := schedule.Target{
		Group: must[config.ScheduleGroup], Role: must[config.ScheduleRole],
		Queue: must[config.AsksQueueARN], Failed: must[config.FailedAsksARN],
	}
	h := &plan.Handler{
		Store: tables, Catalog: store.NewCatalog(tables, time.Now),
		Queue:     queue.New(messages, must[config.AsksQueue]),
		Schedules: schedule.New(scheduler.NewFromConfig(services), target, time.Now),
		Refused:   queue.NewRefused(messages, must[config.RefusedQueue]),
		Now:       time.Now,
	}
	lambda.Start(h.Handle) // the generic form has no handlers without an answer
	return nil
}
