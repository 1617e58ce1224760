package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// advice is what is wrong, or left to do, and then what to do about it, line by
// line. Commands are indented.
type advice []string

// command indents a command to be run, for an [advice].
func command(format string, args ...any) string { return "    " + fmt.Sprintf(format, args...) }

// which is the part of a CONTEXT that says which deployment it is of. A stage is
// in one region, and `make` takes eu-north-1 where none is given.
func which(stage, region string) string { return "-c stage=" + stage + " -c region=" + region }

// asDeployed goes before a command that has no more of the CONTEXT than [which]:
// the rest may be needed too, as alarmEmail is in prod.
const asDeployed = "with the CONTEXT that it was deployed with, of which this part says which it is:"

// finding is what a check found.
type finding struct {
	seen     string   // in a few words, told where there are no problems
	problems []advice // for which nothing is deployed or destroyed
	notes    []advice // for afterwards
}

// check is one of the things that are looked at.
type check struct {
	name string
	look func(ctx context.Context) (finding, error)
}

// lookLimit is how long one check may take.
const lookLimit = time.Minute

// report tells what was looked at while it is, and keeps what is to be told at
// the end.
type report struct {
	out      io.Writer
	problems []advice
	notes    []advice
}

// make makes a check, tells of it in one line, and reports whether all is well.
// What cannot be looked at is a problem too: it is not known to be well.
func (r *report) make(ctx context.Context, c check) bool {
	say(r.out, "  %-10s ", c.name) // before the answer, so that one sees what is waited for
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	f, err := c.look(ctx)
	if err != nil {
		f.problems = append(f.problems, advice{fmt.Sprintf("This could not be looked at (%s): %v.", c.name, err),
			"It is not known to be well. Where a right is missing, ask whoever gives rights in the account for it."})
	}
	if n := len(f.problems); n > 0 {
		f.seen = "refused, see " + numbers(len(r.problems)+1, n)
	}
	say(r.out, "%s\n", f.seen)
	r.problems = append(r.problems, f.problems...)
	r.notes = append(r.notes, f.notes...)
	return len(f.problems) == 0
}

// numbers names n problems from a number on.
func numbers(from, n int) string {
	if n == 1 {
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d to %d", from, from+n-1)
}

var errRefused = errors.New("refused")

// end tells the notes, under a heading, and the problems, for which it returns
// an error.
func (r *report) end(heading string) error {
	if len(r.notes) > 0 {
		say(r.out, "\n%s:\n", heading)
	}
	for _, n := range r.notes {
		say(r.out, "  - %s\n", strings.Join(n, "\n    "))
	}
	if len(r.problems) == 0 {
		return nil
	}
	say(r.out, "\n")
	for i, p := range r.problems {
		say(r.out, "%2d. %s\n", i+1, strings.Join(p, "\n    "))
	}
	what := "1 problem"
	if n := len(r.problems); n > 1 {
		what = fmt.Sprintf("%d problems", n)
	}
	return fmt.Errorf("%w for %s, see above; nothing was changed", errRefused, what)
}

// say prints. Nobody can be told where that fails, so it does not matter.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
