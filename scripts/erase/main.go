// Command erase erases a person:
//
//	go run ./scripts/erase [-yes] [-also WORDS]... WHO > record.json
//
// WHO is a contact's id, e-mail address, phone number or ref, or the id of an
// ask (of a link /a/ID, or of an answer of somebody who is no contact); also of
// one whose contact is deleted already. It looks for the person, says how much
// there is, and asks before it erases; -yes answers. -also adds words to look
// for, such as a former address or a nickname.
//
// The contact goes, with the decisions on it and its addresses; of addresses
// with an opt-out the hash stays, so that whoever comes back by one is still
// opted out. Asks and answers become nobody's: what they count for stays, under
// a new id (see [store.Store.AnonymiseAsk]), so that no result changes. Where
// answers of others name the person by id, address or full name, their whole
// comments go, and so do references and attributes with the name; their scores
// stay. Uploads and reports with the person in them are deleted whole; on the
// local stack also what is in the inbox, on the phone and in the queues.
//
// The audit log has it first: who erases, and how much; of the person the
// fingerprint of the id alone. It is searched as the settings are. Nobody changes
// that log: an entry that names the person, such as one of rules by which answers
// go to their address, stays until it expires, and the record says when.
//
// It may be stopped and repeated: the contact goes last, so that the next run
// knows whom to look for. It reads all tables at least twice, at one read unit
// for every 4 kB.
//
// The record is printed, and kept in the bucket under erasures/. It has counts,
// and the fingerprint of the person's id: what was looked for and where, how much there was before and
// after, and what could not be looked at, and why. The exit code is 1 where
// something is left; the record tells its key.
//
// It works on the local stack while that is running, on DYNAMODB_ENDPOINT
// where it is set, and otherwise on the AWS account of the environment's
// credentials, in the tables that PULSSI_TABLE_PREFIX names and in the bucket
// PULSSI_FILES, which need not be set where it is the one that was deployed.
package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pulssi/pulssi/scripts/connect"
	"github.com/pulssi/pulssi/scripts/erase/traces"
	"github.com/pulssi/pulssi/scripts/operator"
	"github.com/pulssi/pulssi/shared/address"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

func main() {
	if err := interruptible(); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "erase:", err)
		os.Exit(1)
	}
}

func interruptible() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	t := &terminal{out: os.Stdout, progress: os.Stderr, person: operator.Person(os.Stdin), open: connect.Open}
	return t.run(ctx, os.Args[1:])
}

// terminal is where the command runs.
type terminal struct {
	out      io.Writer // of the record
	progress io.Writer
	person   io.Reader // who answers questions; nil for nobody
	open     func(context.Context) (connect.Deployment, error)
}

// say tells. Nobody can be told where that fails, so it does not matter.
func (t *terminal) say(format string, args ...any) { _, _ = fmt.Fprintf(t.progress, format, args...) }

func (t *terminal) run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("erase", flag.ContinueOnError)
	flags.SetOutput(t.progress)
	flags.Usage = func() {
		t.say("usage: erase [-yes] [-also WORDS]... WHO\n")
		flags.PrintDefaults()
	}
	yes := flags.Bool("yes", false, "erase without asking")
	var also []string
	flags.Func("also", "further `words` to look for, at least 4 characters; may be repeated", func(v string) error {
		also = append(also, v)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("usage: erase [-yes] [-also WORDS]... WHO (flags come first)")
	}
	d, err := t.open(ctx)
	if err != nil {
		return err
	}
	by, place, err := around(ctx, d)
	if err != nil {
		return err
	}
	p, optedOut, err := who(ctx, d.Store, flags.Arg(0))
	if err != nil {
		return err
	}
	p.Also = also
	if len(p.Looks()) == 0 {
		return errors.New("there is no such contact, and what was given is too short to be looked for")
	}
	return t.erase(ctx, d, by, &eraser{Store: d.Store, Place: place, Person: p}, optedOut, *yes)
}

// who returns the person that a word names, and how many addresses of theirs
// have opted out.
func who(ctx context.Context, s *store.Store, word string) (traces.Person, int, error) {
	c, err := connect.Find(ctx, s, word)
	if err == nil {
		return of(c)
	}
	if survey.CodeOf(err) != survey.NotFound {
		return traces.Person{}, 0, err
	}
	if survey.CheckID("id", word) == nil {
		a, err := s.Ask(ctx, word)
		switch {
		case err != nil && survey.CodeOf(err) != survey.NotFound:
			return traces.Person{}, 0, err
		case err != nil:
			return traces.Person{Contact: word}, 0, nil // who may be deleted already
		case a.Contact == "":
			return traces.Person{Asks: []string{word}}, 0, nil
		}
		c, err := s.Contact(ctx, a.Contact)
		if err == nil {
			return of(c)
		}
		if survey.CodeOf(err) != survey.NotFound {
			return traces.Person{}, 0, err
		}
		return traces.Person{Contact: a.Contact}, 0, nil
	}
	if email, err := address.Email(word); err == nil {
		return traces.Person{Email: email}, 0, nil
	}
	rules, err := s.Rules(ctx)
	if err != nil {
		return traces.Person{}, 0, err
	}
	if phone, err := address.Phone(word, rules.Country); err == nil {
		return traces.Person{Phone: phone}, 0, nil
	}
	return traces.Person{Ref: word}, 0, nil
}

func of(c *survey.Contact) (traces.Person, int, error) {
	optedOut := 0
	if len(c.OptOuts) > 0 {
		for _, a := range []string{c.Ref, c.Email, c.Phone} {
			if a != "" {
				optedOut++
			}
		}
	}
	return traces.Person{
		Contact: c.ID, Ref: c.Ref, Email: c.Email, Phone: c.Phone, FirstName: c.FirstName, LastName: c.LastName,
	}, optedOut, nil
}

// record is what is kept of an erasure: counts, and nothing of the person but a
// fingerprint.
type record struct {
	traces.Record
	By    string `json:"by"`
	Where string `json:"where"`

	LookedFor []string     `json:"lookedFor"`
	LookedIn  []string     `json:"lookedIn"`
	Before    traces.Found `json:"before"`
	After     traces.Found `json:"after"`
	// Left are the tables and keys of what has to be changed by hand.
	Left []string `json:"left"`
	// Stays are entries of the audit log, which go by themselves.
	Stays       []elsewhere `json:"stays"`
	OptOutsKept int         `json:"optOutsKept"` // hashes of addresses
	NotLookedIn []elsewhere `json:"notLookedIn"`
}

// elsewhere is a place that nothing is erased from.
type elsewhere struct {
	Place string `json:"place"`
	Has   string `json:"has"`
	Until string `json:"until"`
}

func (t *terminal) erase(ctx context.Context, d connect.Deployment, by string, e *eraser, optedOut int, yes bool) error {
	r := record{
		Record: traces.Record{ID: survey.NewID()}, By: by, Where: d.Where, LookedFor: e.Person.Looks(), LookedIn: e.places(),
		OptOutsKept: optedOut, NotLookedIn: notLookedIn(d.Local),
	}
	switch {
	case e.Person.Contact != "":
		r.Contact = survey.Fingerprint(e.Person.Contact)
	case len(e.Person.Asks) > 0:
		r.Ask = survey.Fingerprint(e.Person.Asks[0])
	}
	before, err := e.look(ctx)
	if err != nil {
		return err
	}
	r.Before = before.found
	t.say("In %s, by %s, there are:\n", d.Where, strings.Join(r.LookedFor, ", "))
	for _, place := range slices.Sorted(maps.Keys(before.found)) {
		more := ""
		if place == others {
			more = " (their whole comments go, and their scores stay)"
		}
		t.say("  %s: %d%s\n", place, before.found[place], more)
	}
	for _, key := range before.left {
		t.say("  to be changed by hand: %s\n", key)
	}
	for _, entry := range before.stays {
		t.say("  stays until it expires on %s: %s\n", entry.Until, entry.Place)
	}
	after := before
	switch {
	case len(before.found) == 0:
		t.say("  nothing\n")
	default:
		if err := t.sure(yes); err != nil {
			return err
		}
		if after, err = recorded(ctx, d, e, before, cmp.Or(r.Contact, r.Ask)); err != nil && !errors.Is(err, errLeft) {
			return err
		}
	}
	r.After, r.Left, r.At = after.found, append([]string{}, after.left...), d.Now().UTC().Truncate(time.Second)
	r.Stays = append([]elsewhere{}, after.stays...)
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	b = append(b, '\n')
	if _, err := t.out.Write(b); err != nil {
		return fmt.Errorf("printing the record: %w", err)
	}
	if err := e.Place.keep(ctx, r.ID+".json", b); err != nil {
		return fmt.Errorf("the record above is not in the bucket: %w", err)
	}
	if len(after.stays) > 0 {
		return errLeft
	}
	return undone(after)
}

var errLeft = errors.New("something is left, see the record")

// undone returns errLeft where there is anything of a person that could go.
func undone(s *sight) error {
	if len(s.found)+len(s.left) > 0 {
		return errLeft
	}
	return nil
}

// recorded erases once the audit log has how much there is, and who, by a
// fingerprint, "" for somebody without. It returns what there is after that. The
// error is errLeft where that is something that could go.
func recorded(ctx context.Context, d connect.Deployment, e *eraser, before *sight, subject string) (after *sight, err error) {
	by, err := operator.Of(ctx, d)
	if err != nil {
		return nil, err
	}
	err = by.Do(ctx, survey.Erase, subject, before.found, nil, func(ctx context.Context) error {
		var err error
		if after, err = e.erase(ctx, before); err != nil {
			return fmt.Errorf("not everything is erased, run it again: %w", err)
		}
		return undone(after)
	})
	return after, err
}

// sure returns an error where nobody says that it is to be done.
func (t *terminal) sure(yes bool) error {
	if yes {
		return nil
	}
	nobody := errors.New("nothing was erased: say -yes to do it without a question")
	if t.person == nil {
		return nobody
	}
	t.say("Erase all of that, for good? [y/N] ")
	line, err := bufio.NewReader(t.person).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if line == "" {
		return nobody
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); answer != "y" && answer != "yes" {
		return errors.New("nothing was erased")
	}
	return nil
}
