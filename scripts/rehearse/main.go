// Command rehearse deploys Pulssi as `make deploy` does, the synthesized
// template by the CDK's own command line, into an imitation of AWS (package
// ministack), uses it, and removes it again:
//
//	make rehearse
//
// It prints each step with its time, and each invocation of a function. What
// else was said is under .local/rehearsal. It exits with 1 where a step or an
// invocation fails, or a function writes an error to its log.
//
// Functions run as compiled for this machine, not for arm64 as deployed, each
// with the environment that its deployment gave it and with credentials of its
// role, to whose policy ministack holds every call; CDK's own two, by which one
// region learns of another, ministack runs itself. All requests go by the front,
// whose rules ministack follows, to the bucket of files or to the API. Done here,
// because ministack does it otherwise than AWS: the front finds the API, and one
// region the other, by a port of this program; the account may take on the roles,
// as Lambda may; the batches of the stream get a tumbling window, with the name of
// their shard; and a null for no failures in a batch is written as none. What is
// changed in the template, because ministack does not understand it, is printed;
// it is all in forMinistack.
//
// Not shown: the firewalls and what the front keeps, that people can sign in by the pages of the user pool (a program's
// token is used), text messages, TLS, what becomes of failed batches, schedules,
// alarms, and that a mail arrives anywhere but in SES.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pulssi/pulssi/shared/testkit/checkout"
	"github.com/pulssi/pulssi/shared/testkit/ministack"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "rehearse:", err)
		os.Exit(1)
	}
}

// limit is how long a rehearsal may take, on a machine with much else to do.
const limit = 10 * time.Minute

func run() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	root, err := checkout.Root()
	if err != nil {
		return err
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	dir := filepath.Join(root, ".local", "rehearsal")
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(dir, "ministack.log"))
	if err != nil {
		return err
	}
	defer log.Close()

	j := &journal{out: os.Stdout, began: time.Now()}
	functions, err := newFunctions(ctx, dir, j)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, functions.close()) }()
	server, err := ministack.Start(ctx, log, functions.variables()...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	j.say("an empty account %s in %s, at %s", ministack.Account, ministack.Region, server.URL)

	origin, err := newOrigin(account{server.URL})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, origin.server.Close()) }()

	r := &rehearsal{dir: dir, journal: j, functions: functions, account: account{server.URL}, origin: origin}
	functions.account = r.account
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"build", functions.build},
		{"synthesize", r.synthesize},
		{"bootstrap", r.bootstrap},
		{"look before", r.look},
		{"deploy", r.deploy},
		{"the front", r.front},
		{"touchpoints", r.touchpoints},
		{"a vote", r.vote},
		{"sign-in", r.signIn},
		{"an ask after a purchase", r.ask},
		{"the results", r.results},
		{"an ask to oneself", r.askOneself},
		{"deploy again", r.deployAgain},
		{"look before it is destroyed", r.lookAgain},
		{"destroy", r.destroy},
	} {
		j.say("== %s", step.name)
		if err := errors.Join(step.do(ctx), functions.failed()); err != nil {
			return fmt.Errorf("%s: %w (see %s)", step.name, err, dir)
		}
	}
	j.say("rehearsed")
	return nil
}
