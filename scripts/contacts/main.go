// Command contacts looks at the contacts of a deployment and changes them:
//
//	go run ./scripts/contacts import [-map 'Column=field,...'] [-country FI] [-locale fi] [-segment NAME] [-problems FILE] [-check] FILE
//	go run ./scripts/contacts list [-limit N]
//	go run ./scripts/contacts show WHO
//	go run ./scripts/contacts why WHO
//	go run ./scripts/contacts add -email ADDRESS ...
//	go run ./scripts/contacts change [-email ADDRESS] ... WHO
//	go run ./scripts/contacts delete [-yes] WHO
//	go run ./scripts/contacts generate [-seed N] [-separator ';'] [-encoding utf-8] N
//
// WHO is a contact's id, e-mail address, phone number or ref. import reads a
// CSV or XLSX file as the function intake does, straight into the tables;
// with -check it only tells what it finds. It can be stopped and started
// again: what is imported already counts as unchanged. generate writes made-up
// customers for trials; it needs no deployment.
//
// It works on the local stack while that is running, on DYNAMODB_ENDPOINT
// where it is set, and otherwise on the AWS account of the environment's
// credentials, in the tables that PULSSI_TABLE_PREFIX names.
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
	"strings"
	"syscall"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/shared/survey"
)

func main() {
	if err := interruptible(); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "contacts:", words(err))
		os.Exit(1)
	}
}

func interruptible() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	t := &terminal{out: os.Stdout, progress: os.Stderr, person: operator.Person(os.Stdin), open: connect.Open}
	return t.run(ctx, os.Args[1:])
}

// words says what is wrong without the codes that are for programs.
func words(err error) string {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var each []string
		for _, err := range all.Unwrap() {
			each = append(each, words(err))
		}
		return strings.Join(each, "; ")
	}
	if e, ok := errors.AsType[*survey.Error](err); ok && e.Err == nil {
		return strings.ReplaceAll(err.Error(), e.Error(), e.Message)
	}
	return err.Error()
}

// terminal is where the command runs.
type terminal struct {
	out      io.Writer
	progress io.Writer
	person   io.Reader // who answers questions; nil for nobody
	open     func(context.Context) (connect.Deployment, error)
}

// command is one of the words that come first.
type command struct {
	usage string
	flags func(*flag.FlagSet) func(ctx context.Context, args []string) error
	args  int
}

func (t *terminal) commands() map[string]command {
	return map[string]command{
		"import":   {"import [-map 'Column=field,...'] [-country FI] [-locale fi] [-segment NAME] [-problems FILE] [-check] FILE", t.importFile, 1},
		"list":     {"list [-limit N]", t.list, 0},
		"show":     {"show WHO", t.show, 1},
		"why":      {"why WHO", t.why, 1},
		"add":      {"add -email ADDRESS -phone NUMBER -ref REF ... (one of the three at least)", t.add, 0},
		"change":   {"change [-email ADDRESS] ... WHO", t.change, 1},
		"delete":   {"delete [-yes] WHO", t.remove, 1},
		"generate": {"generate [-seed N] [-separator ';'] [-encoding utf-8] N", t.generate, 1},
	}
}

// order is that of the help.
var order = []string{"import", "list", "show", "why", "add", "change", "delete", "generate"}

func (t *terminal) run(ctx context.Context, args []string) error {
	commands := t.commands()
	if len(args) == 0 || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" || args[0] == "help" {
		t.say("usage:\n")
		for _, name := range order {
			t.say("  contacts %s\n", commands[name].usage)
		}
		t.say("WHO is a contact's id, e-mail address, phone number or ref. contacts COMMAND -h tells more.\n")
		return flag.ErrHelp
	}
	c, ok := commands[args[0]]
	if !ok {
		return fmt.Errorf("there is no command %q; the commands are %s", args[0], strings.Join(order, ", "))
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(t.out)
	flags.Usage = func() {
		t.say("usage: contacts %s\n", c.usage)
		flags.PrintDefaults()
	}
	do := c.flags(flags)
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() != c.args {
		return fmt.Errorf("usage: contacts %s (flags come first)", c.usage)
	}
	return do(ctx, flags.Args())
}

// say prints. Nobody can be told where that fails, so it does not matter.
func (t *terminal) say(format string, args ...any) { _, _ = fmt.Fprintf(t.out, format, args...) }

// ask returns whether a person says yes.
func (t *terminal) ask(question string) (bool, error) {
	nobody := errors.New("nothing was done: say -yes to do it without a question")
	if t.person == nil {
		return false, nobody
	}
	t.say("%s [y/N] ", question)
	line, err := bufio.NewReader(t.person).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("reading the answer: %w", err)
	}
	if line == "" { // not even a line's end: /dev/null, say
		t.say("\n")
		return false, nobody
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes", nil
}

// contact opens the deployment, and returns the contact there that who names.
func (t *terminal) contact(ctx context.Context, who string) (connect.Deployment, *survey.Contact, error) {
	d, err := t.open(ctx)
	if err != nil {
		return d, nil, err
	}
	c, err := connect.Find(ctx, d.Store, who)
	return d, c, err
}
