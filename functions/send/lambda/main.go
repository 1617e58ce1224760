// Command lambda is the send function on AWS Lambda.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
	_ "time/tzdata" // the runtime has no zones

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pulssi/pulssi/functions/send"
	"github.com/pulssi/pulssi/shared/awsenv"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/mail"
	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/schedule"
	"github.com/pulssi/pulssi/shared/secret"
	"github.com/pulssi/pulssi/shared/sms"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "send:", err)
		os.Exit(1)
	}
}

func run() error {
	c, err1 := config.Read(os.Getenv)
	sending, err2 := config.ReadSending(os.Getenv)
	must, err3 := config.Need(os.Getenv, config.PublicURL, config.AsksQueue, config.AsksQueueARN, config.FailedAsksARN, config.ScheduleGroup, config.ScheduleRole, config.SecretID)
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	slog.SetDefault(obs.WithTrace(lambdacontext.NewLogger()))
	services := awsenv.Config(c, os.Getenv)
	key, err := secret.Read(context.Background(), secretsmanager.NewFromConfig(services), must[config.SecretID])
	if err != nil {
		return err
	}
	transports := map[survey.Channel]send.Transport{}
	if sending.Sender != "" {
		client, err := mail.New(sesv2.NewFromConfig(services, mail.Options), sending.Sender, time.Now)
		if err != nil {
			return fmt.Errorf("%s: %w", config.Sender, err)
		}
		client.Set = sending.MailSet
		transports[survey.Email] = client
	}
	if sending.SMSSender != "" {
		client, err := sms.New(sns.NewFromConfig(services, sms.Options), sending.SMSSender)
		if err != nil {
			return fmt.Errorf("%s: %w", config.SMSSender, err)
		}
		client.Number = sending.SMSNumber
		transports[survey.SMS] = client
	}
	tables := store.New(store.NewClient(c, os.Getenv), c)
	target := schedule.Target{
		Group: must[config.ScheduleGroup], Role: must[config.ScheduleRole],
		Queue: must[config.AsksQueueARN], Failed: must[config.FailedAsksARN],
	}
	h := &send.Handler{
		Replies: sending.SMSNumber != "",
		Store:   tables, Catalog: store.NewCatalog(tables, time.Now),
		Schedules:  schedule.New(scheduler.NewFromConfig(services), target, time.Now),
		Queue:      queue.New(sqs.NewFromConfig(services), must[config.AsksQueue]),
		Transports: transports, Secret: key, PublicURL: c.PublicURL,
		// The rate is that of all invocations together.
		Pace:   send.NewPace(sending.Rate/float64(topology.Asks.Concurrency), time.Now, send.Timer),
		DryRun: sending.DryRun, Metrics: obs.NewMetrics(os.Getenv, os.Stdout, time.Now), Now: time.Now,
	}
	lambda.StartHandlerFunc(h.Handle)
	return nil
}
