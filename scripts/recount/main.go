// Command recount counts all asks again and compares the result with every
// sheet of the tallies:
//
//	go run ./scripts/recount [--repair] [--touchpoint ID]
//
// It prints each number that differs; a healthy system has none. What is still
// on its way through the stream is no difference: one must stand still for
// --settle before it counts. --repair writes the differences into the sheets,
// except where a sheet has counted something meanwhile, and compares again; the
// audit log has them first.
//
// Exit code 0 means that everything was compared and nothing differs, 1 that
// something differs, and 2 that it cannot be said: the recount failed, asks
// could not be read, or sheets were being counted all the while.
//
// Sheets whose asks may have expired cannot be recounted and are skipped. It
// works on the tables that package connect finds, and reads all of them: about
// one read unit for every 4 kB of asks and sheets, and again at every look.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/scripts/recount/differences"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/survey"
)

const (
	// tries is how often it compares and repairs until nothing differs.
	tries = 3
	// progressEvery is how many asks are read between two words about it.
	progressEvery = 50_000
)

var (
	// errDiffer says that differences remain.
	errDiffer = errors.New("the tallies differ from a recount")
	// errUnproved says that nothing differs as far as could be seen.
	errUnproved = errors.New("this does not prove that the tallies are right")
)

func main() {
	os.Exit(exit(run(os.Args[1:], os.Stdout, os.Stderr), os.Stderr))
}

// exit returns the exit code, and says what the report does not.
func exit(err error, stderr io.Writer) int {
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errDiffer):
		return 1
	}
	say(stderr, "recount: %s\n", err)
	return 2
}

func run(args []string, out, progress io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	flags := flag.NewFlagSet("recount", flag.ContinueOnError)
	flags.SetOutput(progress)
	repair := flags.Bool("repair", false, "write the differences into the sheets")
	touchpoint := flags.String("touchpoint", "", "look at the touchpoint `ID` only")
	settle := flags.Duration("settle", 15*time.Second, "how long a difference must stand still")
	patience := flags.Duration("patience", time.Minute, "how long to wait for sheets that are being counted")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	if *touchpoint != "" {
		if err := survey.CheckTouchpointID("touchpoint", *touchpoint); err != nil {
			return err
		}
	}
	zone, err := config.ReadZone(os.Getenv)
	if err != nil {
		return err
	}
	d, err := connect.Open(ctx)
	if err != nil {
		return err
	}
	say(progress, "Recounting %s\n", d.Where)
	f := &differences.Finder{
		Store: d.Store, Zone: zone, Touchpoint: *touchpoint, Settle: *settle, Patience: max(*patience, *settle),
		Now: time.Now, Wait: differences.Wait,
		Progress: func(asks int) {
			if asks%progressEvery == 0 {
				say(progress, "%d asks read\n", asks)
			}
		},
	}
	if !*repair {
		return recount(ctx, f, nil, out)
	}
	by, err := operator.Of(ctx, d)
	if err != nil {
		return err
	}
	return recount(ctx, f, &by, out)
}

// recount prints the differences, and repairs them, each time once it is in the
// audit log, where there is somebody in whose name. The error
// is errDiffer where some remain, and errUnproved where there may be some that
// could not be seen.
func recount(ctx context.Context, f *differences.Finder, by *operator.Operator, out io.Writer) error {
	for range tries {
		report, err := f.Find(ctx)
		if err != nil {
			return err
		}
		printReport(out, report)
		switch {
		case len(report.Differences) == 0:
			return proved(report)
		case by == nil:
			return errDiffer
		}
		before, after := states(report.Differences)
		err = by.Do(ctx, survey.RecountRepair, f.Touchpoint, before, after, func(ctx context.Context) error {
			repaired, err := f.Repair(ctx, report.Differences)
			say(out, "sheets repaired: %d of %d\n", repaired, len(report.Differences))
			return err
		})
		if err != nil {
			return err
		}
	}
	return errDiffer
}

// states returns the numbers that differ as the sheets have them and as they
// are recounted, by name: "shop-nps#1 day#2026-11-21 all/9".
func states(all []differences.Difference) (before, after map[string]int64) {
	before, after = map[string]int64{}, map[string]int64{}
	for _, d := range all {
		for _, c := range d.Counters() {
			k := d.Stored.Key
			name := fmt.Sprintf("%s#%d %s %s/%s", k.Touchpoint, k.Series, k.Period, groupName(c.Group), c.Name)
			before[name], after[name] = c.Stored, c.Recounted
		}
	}
	return before, after
}

func groupName(g score.Group) string { return cmp.Or(string(g), "all") }

// proved returns errUnproved, with the reason, where a report without
// differences has not seen everything.
func proved(r differences.Report) error {
	if len(r.Unreadable) == 0 && len(r.Moving) == 0 {
		return nil
	}
	return fmt.Errorf("%w: asks that could not be read: %d, sheets that were being counted all the while: %d",
		errUnproved, len(r.Unreadable), len(r.Moving))
}

func printReport(out io.Writer, r differences.Report) {
	for _, u := range r.Unreadable {
		say(out, "unreadable: %s\n", u)
	}
	counters := 0
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, d := range r.Differences {
		for _, c := range d.Counters() {
			if counters == 0 {
				say(table, "touchpoint\tseries\tperiod\tgroup\tcounter\tstored\trecounted\n")
			}
			counters++
			k := d.Stored.Key
			say(table, "%s\t%d\t%s\t%s\t%s\t%d\t%d\n", k.Touchpoint, k.Series, strings.Replace(string(k.Period), "#", " ", 1),
				groupName(c.Group), c.Name, c.Stored, c.Recounted)
		}
	}
	_ = table.Flush() // fails only as say does
	say(out, "asks read: %d, sheets compared: %d, numbers that differ: %d\n", r.Asks, r.Sheets, counters)
	if r.Skipped > 0 {
		say(out, "sheets skipped, because asks that they counted may have expired: %d\n", r.Skipped)
	}
	if len(r.Moving) > 0 {
		say(out, "sheets not judged, because they are being counted (look again when there is less to do): %d\n", len(r.Moving))
	}
}

// say prints. Nobody can be told where that fails, so it does not matter.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
