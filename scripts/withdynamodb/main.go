// Command withdynamodb runs a command with one DynamoDB Local for all of its
// processes, given to them in DYNAMODB_ENDPOINT:
//
//	go run ./scripts/withdynamodb go test ./...
//
// It starts nothing when DYNAMODB_ENDPOINT is set already. Its exit code is the
// command's.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/pulssi/pulssi/shared/testkit/dynamodblocal"
)

func main() {
	err := run(os.Args[1:])
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit) && exit.Exited():
		os.Exit(exit.ExitCode())
	default:
		fmt.Fprintln(os.Stderr, "withdynamodb:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("which command? usage: withdynamodb COMMAND [ARGUMENTS]")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if os.Getenv(dynamodblocal.EndpointVariable) == "" {
		server, err := dynamodblocal.Start(ctx, dynamodblocal.Options{})
		if err != nil {
			return err
		}
		defer func() { _ = server.Stop() }() // the tether ends it in any case
		if err := os.Setenv(dynamodblocal.EndpointVariable, server.Endpoint()); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// An interrupt typed at the terminal reaches the command by itself; this
	// passes on the others, and lets the command end in its own way.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	return cmd.Run()
}
