// Command restore puts back into a table of a running deployment what a copy of
// it has and the table lacks:
//
//	go run ./scripts/restore [-yes] [-differing] [-deleted-too] [-erase-again] [-of-this-deployment] TABLE COPY
//
// TABLE is settings, contacts, addresses, decisions or responses; for several
// that is the order. COPY is the whole name of a table that point-in-time
// recovery or AWS Backup made of it. So a wrong deletion, a bad import or a lost
// table is mended while customers go on answering.
//
// COPY must be of this very deployment: who was erased is in its own audit log and
// under erasures/ in its own bucket, and in no other's. A table that DynamoDB
// knows to be of another one is refused. Where it does not tell what COPY was made
// of, -of-this-deployment says that it was made of this deployment's TABLE; a live
// table of another deployment looks just like that.
//
// It reads both, says how much would be put back, and asks; -yes answers. Nothing
// that is in the table is overwritten or deleted: what differs from the copy stays
// as it is, and -differing lists its keys, at most 1000. Every write is on
// condition that there is nothing of that key. It may be stopped, and repeated:
// what is there by then is left alone. Where a whole table was lost, what was
// written after the copy's moment is lost with it, opt-outs among it: take the
// latest copy.
//
// Not put back is:
//
//   - what has passed its ttl;
//   - what cannot be read: an ask like that would hold up counting;
//   - the contact, addresses, decisions and asks of people who were erased
//     (scripts/erase): whose fingerprint is in a record under erasures/ in the
//     bucket, or in an entry of the audit log. The score of such an answer does not
//     come back either, unless the copy has it as nobody's;
//   - what somebody deleted on purpose after the copy's moment: contacts,
//     annotations and shared views of whose deletion the audit log tells.
//     -deleted-too puts them back, where that was the mistake: all that TABLE
//     lacks, those too whose deletion people asked for, and revoked shared links,
//     which open again. So take a copy of a moment just before the wrong deletion,
//     and delete the others once more;
//   - a contact of whose e-mail address, phone number or ref another contact has
//     one by now;
//   - decisions on contacts that are not there when they are compared, and
//     addresses that their contact does not have any more: contacts come first.
//     Hashes of addresses with an opt-out, which are nobody's, come back.
//
// Answers of contacts who were deleted, and not erased, are put back: they stay
// when a contact is deleted. A contact comes back with its addresses, opted out
// as these are. Zones of contacts are a set, and those that it lacks are added.
//
// Fingerprints do not tell of words about somebody in answers of others, or of a
// contact of the same person under another id. So where people were erased after
// the copy's moment (at any time, where DynamoDB does not tell the moment),
// settings, contacts and responses are put back only with -erase-again: it says
// that one knows who they were, and erases them again afterwards; the erasures are
// listed also where a run fails, or has nothing to put back. The exit code is 1
// where somebody was erased meanwhile.
//
// Tallies are not put back: they are counted again. The stream counts every
// answer that is put back, as one that is new. That is right where it was deleted
// item by item, which took it out of the count. Where the table was lost as a
// whole, tallies still have it and count it twice. So after responses, once
// counting is not behind, scripts/recount tells, and its --repair mends it; but
// sheets that are too old to be recounted (those of the first month or two of what
// is kept) keep what was counted twice. Nothing is ever put back into the audit
// log.
//
// The audit log has it before it is done: who, which table, which copy, and how
// many items. It reads the copy and the table twice, at one read unit for every
// 4 kB of each, and the audit log since the copy's moment; in memory is a page of
// 1 MB at a time. Delete the copy afterwards: scripts/erase does not look into it.
//
// It works on the tables that package connect finds; in AWS with the bucket
// PULSSI_FILES, which need not be set where it is the one that was deployed.
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

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

func main() {
	err := interruptible()
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "restore:", err)
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "restore: stopped on the way; the same command goes on")
	}
	os.Exit(1)
}

func interruptible() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	t := &terminal{out: os.Stdout, progress: os.Stderr, open: connect.Open, person: operator.Person(os.Stdin)}
	return t.run(ctx, os.Args[1:])
}

// terminal is where the command runs.
type terminal struct {
	out      io.Writer // of what was found and done
	progress io.Writer
	person   io.Reader // who answers questions; nil for nobody
	open     func(context.Context) (connect.Deployment, error)
}

// say tells. Nobody can be told where that fails, so it does not matter.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

const usage = "usage: restore [-yes] [-differing] [-deleted-too] [-erase-again] [-of-this-deployment] TABLE COPY"

func (t *terminal) run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("restore", flag.ContinueOnError)
	flags.SetOutput(t.progress)
	flags.Usage = func() {
		say(t.progress, "%s\n", usage)
		flags.PrintDefaults()
	}
	var (
		r          restorer
		yes        = flags.Bool("yes", false, "put back without asking")
		differing  = flags.Bool("differing", false, "list the keys of what differs, at most 1000")
		eraseAgain = flags.Bool("erase-again", false, "who was erased after the copy's moment is known, and will be erased again")
		own        = flags.Bool("of-this-deployment", false, "the copy is known to be of this very deployment, where DynamoDB does not tell")
	)
	flags.BoolVar(&r.deletedToo, "deleted-too", false, "put back also what was deleted on purpose: all of it since the copy's moment")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		return errors.New(usage + " (flags come first)")
	}
	table, err := tableOf(flags.Arg(0))
	if err != nil {
		return err
	}
	d, err := t.open(ctx)
	if err != nil {
		return err
	}
	if r.copy, err = d.Store.OpenCopy(ctx, table, flags.Arg(1)); err != nil {
		return err
	}
	if !r.copy.Own && !*own {
		return fmt.Errorf("DynamoDB does not tell what %s was made of, and who was erased is known of this deployment alone: "+
			"where it is a copy of its %s, say -of-this-deployment", flags.Arg(1), table.Name)
	}
	r.log, r.now, r.records, r.table = d.Store, d.Now, recordsOf(d), table
	r.progress = func(format string, args ...any) { say(t.progress, format, args...) }
	if *differing {
		r.differs = func(key string) { say(t.out, "differs: %s\n", key) }
	}
	say(t.out, "%s, of %s, beside %s of %s\n", flags.Arg(1), moment(r.copy.At), table.Name, d.Where)
	what := done{Copy: flags.Arg(1), OfThisDeployment: !r.copy.Own, DeletedToo: r.deletedToo, EraseAgain: *eraseAgain}
	return t.restore(ctx, d, &r, what, *yes)
}

// tableOf returns the table that is called name.
func tableOf(name string) (topology.Table, error) {
	all := store.Restorable()
	if i := slices.IndexFunc(all, func(t topology.Table) bool { return t.Name == name }); i >= 0 {
		return all[i], nil
	}
	switch name {
	case topology.Tallies.Name:
		return topology.Table{}, errors.New("tallies are not put back, but counted again: go run ./scripts/recount")
	case topology.Audit.Name:
		return topology.Table{}, errors.New("nothing is put back into the audit log: it has what was done, and is added to by that alone")
	}
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.Name
	}
	return topology.Table{}, fmt.Errorf("there is no table %q: it must be one of %s", name, strings.Join(names, ", "))
}

// done is what the audit log has of it.
type done struct {
	Copy             string `json:"copy"`
	PutBack          int    `json:"putBack"`
	OfThisDeployment bool   `json:"ofThisDeployment,omitempty"` // by the word of who did it
	DeletedToo       bool   `json:"deletedToo,omitempty"`
	EraseAgain       bool   `json:"eraseAgain,omitempty"`
}

func (t *terminal) restore(ctx context.Context, d connect.Deployment, r *restorer, what done, yes bool) error {
	before, err := r.look(ctx)
	if err != nil {
		return err
	}
	before.print(t.out, r.deletedToo)
	if before.missing == 0 {
		if what.EraseAgain { // an earlier run may have put it back, and failed
			t.tellErasures(r)
		}
		return nil
	}
	if again := r.eraseAgain(); len(again) > 0 && !what.EraseAgain {
		return fmt.Errorf("nothing was put back: people were erased after the copy's moment, and words about them may be in it\n%s"+
			"where you know who they were and erase them again afterwards, say -erase-again", list(again))
	}
	if err := t.sure(before.missing, r.table.Name, yes); err != nil {
		return err
	}
	by, err := operator.Of(ctx, d)
	if err != nil {
		return err
	}
	what.PutBack = before.missing
	begun := false
	err = by.Do(ctx, survey.Restore, r.table.Name, nil, what, func(ctx context.Context) error {
		begun = true
		put, err := r.put(ctx)
		say(t.out, "put back: %d\n", put)
		return err
	})
	if !begun {
		return err
	}
	t.tellErasures(r)
	if err == nil && r.table.Name == topology.Responses.Name {
		say(t.out, "The tally counts now what was put back. Once it is not behind, see whether the count is right:\n"+
			"go run ./scripts/recount, and with --repair where numbers differ\n")
	}
	return errors.Join(err, r.erasedMeanwhile())
}

// tellErasures tells after which erasures people are to be erased again.
func (t *terminal) tellErasures(r *restorer) {
	if again := r.eraseAgain(); len(again) > 0 {
		say(t.out, "Now erase again (go run ./scripts/erase WHO) those of these erasures:\n%s", list(again))
	}
}

// sure returns an error where nobody says that it is to be done.
func (t *terminal) sure(items int, table string, yes bool) error {
	if yes {
		return nil
	}
	nobody := errors.New("nothing was put back: say -yes to do it without a question")
	if t.person == nil {
		return nobody
	}
	say(t.progress, "Put %d back into %s? [y/N] ", items, table)
	line, err := bufio.NewReader(t.person).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if line == "" {
		return nobody
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); answer != "y" && answer != "yes" {
		return errors.New("nothing was put back")
	}
	return nil
}
