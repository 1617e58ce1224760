// Command load sends answers through the HTTP API of the running local stack,
// and reports what became of them:
//
//	go run ./scripts/load -n 10000
//
// The answers are a mix over several touchpoints: votes, clicks in e-mails,
// changed scores, comments, requests sent twice, and mail scanners that open
// every link. The same -seed makes the same mix. It is for the local stack,
// and for a deployment that was made to be loaded: what it sends is counted
// like any other answer.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/load/traffic"
)

func main() {
	if err := interruptible(); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func interruptible() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	c := traffic.Config{}
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.StringVar(&c.URL, "url", "", "where the API is; by default that of the local stack, or PULSSI_PUBLIC_URL")
	flags.IntVar(&c.N, "n", 1000, "people who answer")
	flags.Float64Var(&c.Rate, "rate", 0, "people a second; 0 for full speed")
	flags.IntVar(&c.Concurrency, "concurrency", 32, "people at the same time")
	flags.IntVar(&c.Touchpoints, "touchpoints", 5, "how many touchpoints take part")
	flags.Uint64Var(&c.Seed, "seed", 1, "of the generator")
	flags.IntVar(&c.Mix.Links, "links", 20, "per cent who answer by a link in an e-mail")
	flags.IntVar(&c.Mix.Scanners, "scanners", 5, "per cent whose mail scanner opens all links")
	flags.IntVar(&c.Mix.Edits, "edits", 5, "per cent who change their score")
	flags.IntVar(&c.Mix.Comments, "comments", 5, "per cent who comment")
	flags.IntVar(&c.Mix.Duplicates, "duplicates", 5, "per cent of requests that are sent twice")
	asJSON := flags.Bool("json", false, "report as JSON")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	d, err := connect.Open(ctx)
	if err != nil {
		return err
	}
	c.URL = strings.TrimSuffix(cmp.Or(c.URL, d.URL), "/")
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("-url must be the http or https address of the API, not %q", c.URL)
	}
	if _, err := fmt.Fprintf(progress, "%d people answer at %s, in %s.\n", c.N, c.URL, d.Where); err != nil {
		return err
	}
	line := newLine(progress, c.N)
	report, err := traffic.Run(ctx, c, d.Store, line.show)
	line.end()
	if report == nil {
		return err
	}
	if *asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return errors.Join(enc.Encode(report), err)
	}
	return errors.Join(report.Write(out), err)
}

// line shows progress on one line, four times a second at most.
type line struct {
	w     io.Writer
	of    int
	begin time.Time
	next  time.Time
	shown bool
}

func newLine(w io.Writer, of int) *line { return &line{w: w, of: of, begin: time.Now()} }

func (l *line) show(done int) {
	now := time.Now()
	if now.Before(l.next) && done < l.of {
		return
	}
	l.next, l.shown = now.Add(250*time.Millisecond), true
	_, _ = fmt.Fprintf(l.w, "\r%d of %d people, %.0f a second ", done, l.of, float64(done)/now.Sub(l.begin).Seconds()) // the load goes on unseen
}

func (l *line) end() {
	if l.shown {
		_, _ = fmt.Fprintln(l.w) // as in show
	}
}
