// Command dev is `make dev`: Pulssi on this machine, on one command. See
// package stack for what runs, and for what it does not imitate.
//
// PORT says where it listens, 8080 where it is not set. PULSSI_ZONE is the
// reporting time zone. Everything is kept in .local/dev, so that stopping and
// starting again loses nothing; while it runs, .local/dev.json tells the other
// scripts where it is.
//
// DYNAMODB_ENDPOINT names a DynamoDB to use instead of starting DynamoDB Local.
// The tables local-* there are then the stack's: it makes those that are
// missing and writes into those that are there. What belongs to them and is no
// table, the links and how far the stream is counted, is kept in .local/dev
// for each endpoint on its own.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/pulssi/pulssi/scripts/dev/stack"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/testkit/checkout"
)

//go:embed touchpoints.yaml
var touchpointsFile []byte

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "dev:", err)
		os.Exit(1)
	}
}

func run() error {
	began := time.Now()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	root, err := checkout.Root()
	if err != nil {
		return err
	}
	port, err := readPort(os.Getenv)
	if err != nil {
		return err
	}
	zone, err := config.ReadZone(os.Getenv)
	if err != nil {
		return err
	}
	dir := filepath.Join(root, ".local", "dev")
	say := func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
	s, err := stack.Start(ctx, stack.Options{
		Dir: dir, Port: port, Endpoint: os.Getenv(config.DynamoDBEndpoint), Zone: zone,
		Touchpoints: touchpointsFile, SignIn: true, Welcome: true, Say: say,
	})
	if err != nil {
		return err
	}
	if err := s.Announce(filepath.Join(root, ".local", "dev.json")); err != nil {
		return errors.Join(err, s.Close())
	}
	say("Ready in %s.", time.Since(began).Round(100*time.Millisecond))
	say("")
	say("    %s", s.URL)
	say("")
	if s.Fresh {
		say("One mail waits in the inbox: %s/inbox", s.URL)
		say("")
	}
	say("Two years of demo data: go run ./scripts/history, or the button on that page.")
	say("Ctrl-C stops it; everything is kept.")
	<-ctx.Done()
	stop() // a second Ctrl-C ends it at once
	say("\nStopping.")
	return s.Close()
}

func readPort(getenv func(string) string) (int, error) {
	v := getenv("PORT")
	if v == "" {
		return 8080, nil
	}
	port, err := strconv.ParseUint(v, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("PORT must be a number from 1 to 65535, not %q", v)
	}
	return int(port), nil
}
