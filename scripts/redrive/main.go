// Command redrive shows what functions could not do, and has it tried again:
//
//	go run ./scripts/redrive                          # how much there is, in each dead-letter queue
//	go run ./scripts/redrive [-limit N] [-yes] QUEUE  # asks-failed, say
//
// Of a queue it shows the first messages, with their ids and the reason where the
// message has one, and nothing of their content but ids: it may be about people.
// Then it asks, and moves all of them back into the queue that they came from;
// -yes answers. First mend what made them fail, or they come back. Who was asked
// meanwhile is not asked again, and a file that is imported twice changes
// nothing.
//
// The queues of what came without a queue cannot be moved; of these it shows what
// there is, and says what to do.
//
// It works on the local stack while that is running, and otherwise on the AWS
// account of the environment's credentials, with the queues whose names begin
// with PULSSI_TABLE_PREFIX. There, a message that is shown is hidden from others
// while it is, and counts as received once more.
package main

import (
	"bufio"
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
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// queues is where the dead letters are. Names are without the deployment's
// prefix.
type queues interface {
	// Count returns about how many messages there are in a dead-letter queue.
	Count(ctx context.Context, queue string) (int, error)
	// Look returns some of them, at most limit, and leaves them there.
	Look(ctx context.Context, queue string, limit int) ([]letter, error)
	// Move moves all of them back to where they came from, and returns how many
	// there were. Where ctx is done first, the rest goes on by itself.
	Move(ctx context.Context, queue string) (int, error)
}

// letter is one dead letter.
type letter struct {
	ID     string
	At     time.Time // when it was sent first
	Reason string    // "" where the message has none
	Body   string
}

// kind is one dead-letter queue.
type kind struct {
	name string
	of   topology.Function
	// movable is whether its messages came from a queue.
	movable bool
	// instead is what to do with what cannot be moved.
	instead string
}

// kinds lists the dead-letter queues.
func kinds() []kind {
	var out []kind
	for _, q := range topology.Queues() {
		out = append(out, kind{name: q.Failed(), of: q.Function, movable: true})
	}
	out = append(out,
		kind{name: topology.RefusedEvents, of: topology.EventFunction, instead: "an event that was refused is sent again by whoever sent it, mended; " +
			"of another, repeat the invocation of plan (README, Operating)"},
		kind{name: string(topology.NoticeFunction) + "-failed", of: topology.NoticeFunction, instead: "repeat the invocation of delivery (README, Operating)"},
		kind{name: string(topology.PublishFunction) + "-failed", of: topology.PublishFunction, instead: "deploy again: CloudFormation waits for no answer of then"},
	)
	for _, s := range topology.Streams() {
		out = append(out, kind{name: string(s.Function) + "-failed", of: s.Function,
			instead: "the messages point into the stream and are of no other use: run scripts/recount --repair"})
	}
	return out
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], operator.Person(os.Stdin), os.Stdout, open)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "redrive:", err)
		os.Exit(1)
	}
}

// deployment is where dead letters are moved.
type deployment struct {
	queues
	where string // in words
	// operator is asked before something is moved.
	operator func(context.Context) (operator.Operator, error)
}

// open returns the deployment.
func open(ctx context.Context) (deployment, error) {
	d, err := connect.Open(ctx)
	if err != nil {
		return deployment{}, err
	}
	by := func(ctx context.Context) (operator.Operator, error) { return operator.Of(ctx, d) }
	switch {
	case d.Services != "":
		return deployment{&localStack{d.URL}, "the local stack at " + d.URL, by}, nil
	case d.Local:
		return deployment{}, fmt.Errorf("%s have no queues: start the local stack with `make dev`, or unset DYNAMODB_ENDPOINT", d.Where)
	}
	return deployment{&cloud{sqs.NewFromConfig(d.AWS), d.Prefix, time.Second}, fmt.Sprintf("the queues %s* in AWS, %s", d.Prefix, d.AWS.Region), by}, nil
}

var errNotAsked = errors.New("nothing was moved: say -yes to move it without a question")

// run does what the command does. person is who answers the question, nil for
// nobody.
func run(ctx context.Context, args []string, person io.Reader, out io.Writer, open func(context.Context) (deployment, error)) error {
	flags := flag.NewFlagSet("redrive", flag.ContinueOnError)
	flags.SetOutput(out)
	yes := flags.Bool("yes", false, "move without asking")
	limit := flags.Int("limit", 20, "how many messages to show, 1 to 1000")
	flags.Usage = func() {
		say(out, "usage: redrive [-limit N] [-yes] [QUEUE]\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *limit < 1 || *limit > 1000 {
		return fmt.Errorf("limit must be from 1 to 1000, not %d", *limit)
	}
	if flags.NArg() > 1 {
		return errors.New("name one queue, after the flags")
	}
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return k.name == flags.Arg(0) })
	if flags.NArg() == 1 && i < 0 {
		var names []string
		for _, k := range all {
			names = append(names, k.name)
		}
		return fmt.Errorf("there is no dead-letter queue %q; there are %s", flags.Arg(0), strings.Join(names, ", "))
	}
	d, err := open(ctx)
	if err != nil {
		return err
	}
	if i < 0 {
		return count(ctx, d, all, out)
	}
	return redrive(ctx, d, all[i], *limit, *yes, person, out)
}

// count prints how much there is in each queue.
func count(ctx context.Context, d deployment, all []kind, out io.Writer) error {
	say(out, "Of %s:\n", d.where)
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, k := range all {
		n, err := d.Count(ctx, k.name)
		if err != nil {
			return err
		}
		say(tw, "%s\t%d\n", k.name, n)
	}
	return tw.Flush()
}

// redrive shows what is in one queue, and moves it once that is in the audit log.
func redrive(ctx context.Context, d deployment, k kind, limit int, yes bool, person io.Reader, out io.Writer) error {
	n, err := d.Count(ctx, k.name)
	if err != nil {
		return err
	}
	letters, err := d.Look(ctx, k.name, limit)
	if err != nil {
		return err
	}
	say(out, "%s of %s has %d.\n", k.name, d.where, max(n, len(letters)))
	if len(letters) == 0 {
		return nil
	}
	show(out, k, letters)
	if !k.movable {
		say(out, "These cannot be moved: %s.\n", k.instead)
		return nil
	}
	if !yes {
		agreed, err := ask(person, out, "Is what made them fail mended, and shall all of them be tried again?")
		if err != nil || !agreed {
			return err
		}
	}
	by, err := d.operator(ctx)
	if err != nil {
		return err
	}
	moved := 0
	before := map[string]int{"messages": max(n, len(letters))}
	err = by.Do(ctx, survey.Redrive, k.name, before, nil, func(ctx context.Context) error {
		if moved, err = d.Move(ctx, k.name); err != nil {
			return fmt.Errorf("after %d were moved: %w", moved, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	say(out, "%d moved back, for %s to try again.\n", moved, k.of)
	return nil
}

// ask returns whether a person says yes.
func ask(person io.Reader, out io.Writer, question string) (bool, error) {
	if person == nil {
		return false, errNotAsked
	}
	say(out, "%s [y/N] ", question)
	line, err := bufio.NewReader(person).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("reading the answer: %w", err)
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	if answer != "y" && answer != "yes" {
		say(out, "Nothing was moved.\n")
		return false, nil
	}
	return true, nil
}

// say prints. Nobody can be told where that fails, so it does not matter.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
