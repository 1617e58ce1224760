// Command history fills a deployment with two years of a shop's customers, to
// show how results look, and removes them again:
//
//	go run ./scripts/history
//	go run ./scripts/history -remove
//
// What it writes is marked as generated, goes the way of real answers and is
// counted beside them. It can be stopped and started again: it goes on where it
// was. Removing leaves every real answer as it is, and the results as if the
// others had never been there.
//
// It works on the local stack while that is running, and on DYNAMODB_ENDPOINT
// where it is set, in the tables that PULSSI_TABLE_PREFIX names. It fills
// nothing in AWS; what was generated there by other means it removes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/history/demo"
	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/survey"
)

func main() {
	err := interruptible()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "\nhistory: stopped on the way; the same command goes on")
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "\nhistory:", err)
		os.Exit(1)
	}
}

func interruptible() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], os.Stdout)
}

var errInAWS = errors.New("demo data are for the local stack: start it with `make dev`")

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("history", flag.ContinueOnError)
	remove := flags.Bool("remove", false, "remove everything that was generated")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	zone, err := config.ReadZone(os.Getenv)
	if err != nil {
		return err
	}
	d, err := connect.Open(ctx)
	if err != nil {
		return err
	}
	if !d.Local && !*remove {
		return errInAWS
	}
	by, err := operator.Of(ctx, d)
	if err != nil {
		return err
	}
	began := time.Now()
	if *remove {
		say(out, "Removing the demo data of %s\n", d.Where)
		err := by.Do(ctx, survey.HistoryRemove, "", nil, nil, func(ctx context.Context) error {
			return demo.Remove(ctx, d.Store, shown(out, time.Now))
		})
		if err != nil {
			return err
		}
		say(out, "\nRemoved in %s. The results follow within seconds.\n", time.Since(began).Round(time.Second))
		return nil
	}
	say(out, "Filling two years into %s\n", d.Where)
	err = by.Do(ctx, survey.HistoryFill, "", nil, nil, func(ctx context.Context) error {
		return (&demo.Filler{Store: d.Store, Zone: zone, Now: d.Now}).Fill(ctx, shown(out, time.Now))
	})
	if err != nil {
		return err
	}
	say(out, "\nFilled in %s. The results follow within a minute: %s\n", time.Since(began).Round(time.Second), d.URL)
	return nil
}

// shown returns a progress that is one line, over and over.
func shown(out io.Writer, now func() time.Time) demo.Progress {
	pace := demo.NewPace(now)
	return func(done, of int) {
		pace.Note(done, of)
		say(out, "\r%s   ", pace)
	}
}

// say prints. Nobody can be told where that fails, so it does not matter.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
