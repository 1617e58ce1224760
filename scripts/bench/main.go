// Command bench measures what Pulssi promises about speed, size and cost, each
// figure beside a baseline of the same run: machines differ, and one machine
// differs from minute to minute, so a ratio says more than a time.
//
// It prints a table and exits with 1 where a budget does not hold. What it
// needs is what `make setup` installs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"
)

// Row is one measured promise.
type Row struct {
	What     string
	Measured string
	Baseline string
	Budget   string
	Holds    bool
}

// section measures a few rows that share their set-up.
type section struct {
	name    string
	measure func(context.Context, *bench) ([]Row, error)
}

var sections = []section{
	{"start", starts},
	{"invoke", invocations},
	{"size", sizes},
	{"pages", pages},
	{"popup", popup},
	{"idle", idle},
	{"dashboard", dashboard},
	{"writes", writes},
	{"throughput", throughput},
	{"planning", planning},
	{"change", changes},
}

// bench is what the sections share.
type bench struct {
	dir   string // for what is built
	runs  int    // starts of each binary
	calls int    // invocations of each binary
}

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(w io.Writer) error {
	b := &bench{}
	flag.IntVar(&b.runs, "runs", 40, "how often each function is started")
	flag.IntVar(&b.calls, "calls", 4000, "how often each function is invoked")
	only := flag.String("only", "", "measure only these sections, separated by commas: "+names())
	flag.Parse()
	for name := range strings.SplitSeq(*only, ",") {
		if name != "" && !slices.ContainsFunc(sections, func(s section) bool { return s.name == name }) {
			return fmt.Errorf("there is no section %q: there are %s", name, names())
		}
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if b.dir, err = os.MkdirTemp("", "pulssi-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)

	broken := 0
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "what\tmeasured\tbaseline of this run\tbudget\t")
	for _, s := range sections {
		if *only != "" && !strings.Contains(","+*only+",", ","+s.name+",") {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring: %s\n", s.name)
		rows, err := s.measure(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		for _, r := range rows {
			verdict := "holds"
			if !r.Holds {
				verdict = "BROKEN"
				broken++
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", r.What, r.Measured, r.Baseline, r.Budget, verdict)
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if broken > 0 {
		return errors.New("a budget does not hold")
	}
	return nil
}

func names() string {
	out := make([]string, len(sections))
	for i, s := range sections {
		out[i] = s.name
	}
	return strings.Join(out, ", ")
}
