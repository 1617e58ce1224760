// Command apply brings the touchpoints of a deployment in line with a file:
//
//	go run ./scripts/apply [-yes] [-keep-series ID]... FILE
//	go run ./scripts/apply -stop ID | -start ID
//
// It checks the whole file, shows what it would do, and asks before it writes
// anything; -yes answers. Touchpoints that the file does not mention are left
// alone. A changed metric or question starts a new series, because its answers
// may not be mixed with earlier ones; -keep-series ID says that the wording of
// a touchpoint was mended without changing its meaning. The rules of asking, in
// the file's section asking, become as it says; without one they are left alone.
//
// -stop has a touchpoint ask nobody from now on, not even those who are in the
// queue, and -start has it go on: at once, without a file and without a
// question. The file should say the same (stopped: true): the next apply goes by
// it.
//
// Each write is in the audit log before it is done, with who ran the command.
//
// It works on the local stack while that is running, on DYNAMODB_ENDPOINT
// where it is set, and otherwise on the AWS account of the environment's
// credentials, in the tables that PULSSI_TABLE_PREFIX names.
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pulssi/pulssi/scripts/apply/touchpoints"
	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/shared/survey"
)

func main() {
	if err := interruptible(); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "apply:", err)
		os.Exit(1)
	}
}

func interruptible() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], operator.Person(os.Stdin), os.Stdout, func(ctx context.Context) (deployment, error) {
		d, err := connect.Open(ctx)
		return deployment{d.Store, d.Where, d.Now, func(ctx context.Context) (operator.Operator, error) { return operator.Of(ctx, d) }}, err
	})
}

// Store is what apply needs of the store.
type Store interface {
	touchpoints.Store
	Touchpoints(ctx context.Context) ([]*survey.Touchpoint, error)
	Rules(ctx context.Context) (survey.Rules, error)
}

// deployment is what a file is applied to.
type deployment struct {
	Store
	where string // in words
	now   func() time.Time
	// operator is asked before the first write.
	operator func(context.Context) (operator.Operator, error)
}

// recorded returns the store of the deployment, each write of which is recorded
// in the audit log first.
func (d deployment) recorded(ctx context.Context) (recorded, error) {
	by, err := d.operator(ctx)
	return recorded{d, by}, err
}

// recorded is a store whose writes are recorded first.
type recorded struct {
	Store
	by operator.Operator
}

func (r recorded) PutTouchpoint(ctx context.Context, was, t *survey.Touchpoint) error {
	return r.by.Do(ctx, survey.PutAction(was, t), t.ID, was, t, func(ctx context.Context) error { return r.Store.PutTouchpoint(ctx, was, t) })
}

func (r recorded) PutRules(ctx context.Context, was, rules survey.Rules) error {
	becomes := rules.Complete()
	becomes.Version = was.Version + 1
	return r.by.Do(ctx, survey.RulesPut, "", was, becomes, func(ctx context.Context) error { return r.Store.PutRules(ctx, was, rules) })
}

// errNotAsked ends a run that has nobody to ask.
var errNotAsked = errors.New("nothing was written: say -yes to write without a question")

// run does what the command does. person is who answers the question, nil for
// nobody; open connects to the deployment.
func run(ctx context.Context, args []string, person io.Reader, out io.Writer, open func(context.Context) (deployment, error)) error {
	flags := flag.NewFlagSet("apply", flag.ContinueOnError)
	flags.SetOutput(out)
	yes := flags.Bool("yes", false, "write without asking")
	var keep []string
	flags.Func("keep-series", "`ID` of a touchpoint whose question was reworded without changing its meaning; may be repeated", func(id string) error {
		keep = append(keep, id)
		return nil
	})
	stop := flags.String("stop", "", "`ID` of a touchpoint that shall ask nobody from now on")
	start := flags.String("start", "", "`ID` of a touchpoint that was stopped and shall go on")
	flags.Usage = func() {
		_, _ = fmt.Fprintln(out, "usage: apply [-yes] [-keep-series ID]... FILE\n       apply -stop ID | -start ID") // as PrintDefaults does
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *stop != "" || *start != "" {
		if flags.NFlag() != 1 || flags.NArg() != 0 {
			flags.Usage()
			return errors.New("stop and start go alone, without a file and other flags")
		}
		d, err := open(ctx)
		if err != nil {
			return err
		}
		return setStopped(ctx, d, cmp.Or(*stop, *start), *stop != "", out)
	}
	if flags.NArg() != 1 {
		flags.Usage()
		return errors.New("name one file, after the flags")
	}
	plan, d, err := makePlan(ctx, flags.Arg(0), keep, open)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "Touchpoints in %s:\n\n", d.where); err != nil {
		return err
	}
	if err := plan.Write(out); err != nil {
		return err
	}
	if plan.Writes() == 0 {
		return nil
	}
	if !*yes {
		if person == nil {
			return errNotAsked
		}
		if _, err := fmt.Fprint(out, "\nWrite this? [y/N] "); err != nil {
			return err
		}
		answer, err := bufio.NewReader(person).ReadString('\n')
		if errors.Is(err, io.EOF) && answer == "" {
			return errNotAsked // /dev/null looks like a terminal
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading the answer: %w", err)
		}
		if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
			_, err := fmt.Fprintln(out, "Nothing was written.")
			return err
		}
	}
	to, err := d.recorded(ctx)
	if err != nil {
		return err
	}
	if err := plan.Apply(ctx, to); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nWrote %d. Running functions take it up within a minute.\n", plan.Writes())
	return err
}

func makePlan(ctx context.Context, path string, keep []string, open func(context.Context) (deployment, error)) (touchpoints.Plan, deployment, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return touchpoints.Plan{}, deployment{}, err
	}
	f, err := touchpoints.Read(path, b)
	if err != nil {
		return touchpoints.Plan{}, deployment{}, err
	}
	d, err := open(ctx)
	if err != nil {
		return touchpoints.Plan{}, d, err
	}
	var stored touchpoints.Stored
	if stored.Touchpoints, err = d.Touchpoints(ctx); err != nil {
		return touchpoints.Plan{}, d, err
	}
	if stored.Rules, err = d.Rules(ctx); err != nil {
		return touchpoints.Plan{}, d, err
	}
	plan, err := touchpoints.NewPlan(f, stored, keep, d.now())
	return plan, d, err
}

// setStopped stops a touchpoint, or has it go on: another version of the same
// series.
func setStopped(ctx context.Context, d deployment, id string, stopped bool, out io.Writer) error {
	all, err := d.Touchpoints(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(t *survey.Touchpoint) bool { return t.ID == id })
	if i < 0 {
		var ids []string
		for _, t := range all {
			ids = append(ids, t.ID)
		}
		return fmt.Errorf("there is no touchpoint %s; there are %s", id, cmp.Or(strings.Join(ids, ", "), "none"))
	}
	was := all[i]
	if was.Stopped == stopped {
		_, err := fmt.Fprintf(out, "%s %s.\n", id, map[bool]string{true: "is stopped already", false: "is not stopped"}[stopped])
		return err
	}
	t := *was
	t.Stopped = stopped
	t.Version++
	to, err := d.recorded(ctx)
	if err != nil {
		return err
	}
	if err := to.PutTouchpoint(ctx, was, &t); err != nil {
		return fmt.Errorf("touchpoint %s: %w", id, err)
	}
	words := "%s asks again (version %d); running functions take it up within a minute. Remove stopped: true from your touchpoints file, where it is, or the next apply stops it again.\n"
	if stopped {
		words = "%s is stopped (version %d); running functions take it up within a minute, also for who is in the queue. Write stopped: true into your touchpoints file, or the next apply starts it again.\n"
	}
	_, err = fmt.Fprintf(out, words, id, t.Version)
	return err
}
