package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/table"
)

// Contacts is where persons are kept.
type Contacts interface {
	// Upsert adds persons or tells contacts what rows know of them: see
	// [store.Store.Upsert].
	Upsert(ctx context.Context, rows []survey.Details, now time.Time) ([]store.Outcome, error)
	// Rules returns the deployment's rules, complete.
	Rules(ctx context.Context) (survey.Rules, error)
}

const (
	// atOnce is how many batches are written at a time.
	atOnce = 8
	// tellRows and tellEvery are how often it is told how far an import is,
	// whichever comes first.
	tellRows  = 10_000
	tellEvery = 2 * time.Second
	// stopBefore is kept back from the time that there is, to write down how
	// far the import is.
	stopBefore = time.Minute
)

// Import reads a table into the contacts.
type Import struct {
	Contacts Contacts
	Now      func() time.Time
	// Mapping says by name what columns are; "" ignores one.
	Mapping map[string]Field
	// Defaults hold for all rows. Without a country, that of the rules.
	Defaults Defaults
	// Problems gets every problem up to MaxListed as a line of CSV, after those
	// that are in it where the report's import goes on.
	Problems io.Writer
	// Tell is called with the report every now and then; nil for nobody. Its
	// error ends the run.
	Tell func(context.Context, *Report) error
}

// ParseMapping reads a mapping of columns: a JSON object of column names and
// fields. The error is a [*table.Error].
func ParseMapping(s string) (map[string]Field, error) {
	if s == "" {
		return nil, nil
	}
	var m map[string]Field
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		return nil, mistake("mapping: must be a JSON object of column names and fields, such as {\"Osoite\": \"email\"}")
	}
	return m, nil
}

// errTimeOver is that a run stops in good time before its deadline.
var errTimeOver = errors.New("the time is over")

// Run imports the table of size bytes that f has, after the r.Rows rows of it
// that are imported. It keeps r up to date and returns nil where the import is
// over, [Done] or [Failed]. After an error it is not: r then tells how far it
// came, and another Run goes on from there. Rows that were imported and not
// told so, or are imported again, count as unchanged.
//
// Rows are written in batches, several at a time, but those of one person one
// after the other, in the order of the file: the last one is right.
func (i *Import) Run(ctx context.Context, f io.ReaderAt, size int64, r *Report) error {
	r.State, r.Paused, r.Error = Running, false, ""
	if r.Problems == nil {
		r.Problems = []Problem{}
	}
	problems, err := newProblemsFile(i.Problems, r.Rows == 0)
	if err != nil {
		return err
	}
	run := &run{Import: i, report: r, problems: problems, busy: map[string]bool{}, toldAt: i.Now(), toldRows: r.Rows}
	if err = run.tell(ctx); err == nil {
		err = run.all(ctx, f, size)
	}
	if flushErr := problems.flush(); flushErr != nil {
		return flushErr
	}
	if err == nil {
		r.State, r.FinishedAt = Done, i.Now().UTC()
		return nil
	}
	if own, ok := errors.AsType[*table.Error](err); ok {
		r.fail(own, i.Now().UTC())
		return nil
	}
	return err
}

// run is one [Import.Run].
type run struct {
	*Import
	defaults Defaults
	columns  *Columns
	report   *Report
	problems *problemsFile
	pending  []*batch        // those being written, in order
	busy     map[string]bool // addresses and refs in them
	toldAt   time.Time
	toldRows int
}

// batch is some rows in order, with those among them that can be written.
type batch struct {
	persons []person
	rows    []survey.Details
	written chan struct{} // closed when the next two are known
	out     []store.Outcome
	err     error
}

// maxBatch is the most rows of a batch, refused ones included.
const maxBatch = 1000

func (i *run) all(ctx context.Context, f io.ReaderAt, size int64) error {
	if err := i.prepare(ctx); err != nil {
		return err
	}
	rows, err := i.open(f, size)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	err = i.each(ctx, rows)
	cancel()
	for _, b := range i.pending { // after an error: not told, so written again
		<-b.written
	}
	return err
}

// prepare completes the defaults, and checks them.
func (i *run) prepare(ctx context.Context) error {
	i.defaults = i.Defaults
	if i.defaults.Country == "" {
		rules, err := i.Contacts.Rules(ctx)
		if err != nil {
			return fmt.Errorf("reading the rules: %w", err)
		}
		i.defaults.Country = rules.Country
	}
	given := survey.Details{Ref: "-", Locale: i.defaults.Locale}
	if i.defaults.Segment != "" {
		given.Segments = []string{i.defaults.Segment}
	}
	rules := survey.Rules{Country: i.defaults.Country}
	for _, e := range append(broken(given.Check()), broken(rules.Validate())...) {
		return mistake("%s", e.Message)
	}
	return nil
}

// open finds the table: the first visible one that has headings.
func (i *run) open(f io.ReaderAt, size int64) (table.Reader, error) {
	sheets, err := table.Open(f, size)
	if err != nil {
		return nil, err
	}
	var first error
	for _, s := range sheets {
		columns, err := i.headings(s)
		if err == nil {
			i.columns = columns
			i.report.Sheet = s.Name
			i.report.Columns = ReportColumns{columns.Recognised(), columns.Ignored()}
			return s.Open()
		}
		if first == nil {
			first = err
			if len(sheets) > 1 {
				first = mistake("sheet %q: %s; the other sheets do no better", s.Name, err)
			}
		}
	}
	return nil, first
}

func (i *run) headings(s table.Sheet) (*Columns, error) {
	rows, err := s.Open()
	if err != nil {
		return nil, err
	}
	var top []table.Row
	for len(top) < HeadingRows {
		r, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && len(top) == 0 {
			return nil, err
		}
		if err != nil {
			break // told when the rows are read
		}
		if len(r.Cells) > 0 {
			r.Cells = append([]string(nil), r.Cells...)
			top = append(top, r)
		}
	}
	return newColumns(top, i.Mapping)
}

// each imports the rows below the headings, but for the first that are done.
// Where the table ends in an error, what stands before it is imported.
func (i *run) each(ctx context.Context, rows table.Reader) error {
	done := i.report.Rows
	b := &batch{}
	for {
		r, end := rows.Next()
		if end == nil && r.Number <= i.columns.Heading {
			continue
		}
		p := person{row: r.Number}
		switch {
		case end != nil:
		case r.Broken == "" && len(r.Cells) == 0 && !missing(r):
			p = i.columns.remark(r)
		case done > 0:
			done--
			continue
		default:
			p = i.columns.person(r, i.defaults)
		}
		if end == nil {
			b.add(p)
		}
		if end != nil || b.full() {
			if i.timeOver(ctx) {
				return errors.Join(errTimeOver, i.settle(ctx, 0))
			}
			if err := i.send(ctx, b); err != nil {
				return err
			}
			b = &batch{}
		}
		switch {
		case end == nil:
			continue
		case errors.Is(end, io.EOF):
			return i.settle(ctx, 0)
		}
		if err := i.settle(ctx, 0); err != nil {
			return err
		}
		return end
	}
}

// timeOver reports whether the run must end to be able to tell how far it is.
// A deadline is in real time, whatever the clock of the data says.
func (i *run) timeOver(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < stopBefore
}

func (b *batch) add(p person) {
	b.persons = append(b.persons, p)
	if !p.refused && !p.aside {
		b.rows = append(b.rows, p.details)
	}
}

func (b *batch) full() bool { return len(b.rows) == store.MaxUpsert || len(b.persons) == maxBatch }

// keys returns what could make two batches be about one person.
func (b *batch) keys() []string {
	var out []string
	for _, d := range b.rows {
		out = append(out, "e"+d.Email, "p"+d.Phone, "r"+d.Ref)
	}
	return slices.DeleteFunc(out, func(k string) bool { return len(k) == 1 })
}

// send has a batch written as soon as none of those being written is about the
// same persons.
func (i *run) send(ctx context.Context, b *batch) error {
	most := atOnce - 1
	if slices.ContainsFunc(b.keys(), func(k string) bool { return i.busy[k] }) {
		most = 0
	}
	if err := i.settle(ctx, most); err != nil {
		return err
	}
	for _, k := range b.keys() {
		i.busy[k] = true
	}
	b.written = make(chan struct{})
	i.pending = append(i.pending, b)
	go func() {
		defer close(b.written)
		if len(b.rows) > 0 {
			b.out, b.err = i.Contacts.Upsert(ctx, b.rows, i.Now())
		}
	}()
	return nil
}

// settle waits until at most some batches are being written, and counts the
// others.
func (i *run) settle(ctx context.Context, most int) error {
	for len(i.pending) > most {
		b := i.pending[0]
		<-b.written
		if b.err != nil {
			return fmt.Errorf("writing the rows after the first %d: %w", i.report.Rows, b.err)
		}
		i.pending = i.pending[1:]
		for _, k := range b.keys() {
			delete(i.busy, k)
		}
		if err := i.count(b); err != nil {
			return err
		}
		if now := i.Now(); i.report.Rows-i.toldRows >= tellRows || now.Sub(i.toldAt) >= tellEvery {
			if err := i.tell(ctx); err != nil {
				return err
			}
			i.toldRows, i.toldAt = i.report.Rows, now
		}
	}
	return nil
}

func (i *run) tell(ctx context.Context) error {
	if i.Tell == nil {
		return nil
	}
	return i.Tell(ctx, i.report)
}

// count adds a written batch to the report.
func (i *run) count(b *batch) error {
	out := b.out
	for _, p := range b.persons {
		for _, c := range p.complaints {
			if err := i.problem(p.row, c.column, c.kind, c.reason); err != nil {
				return err
			}
		}
		if p.aside {
			continue
		}
		i.report.Rows++
		if p.refused {
			i.report.Refused++
			continue
		}
		o := out[0]
		out = out[1:]
		kind := LeftOut
		switch o.Result {
		case store.Added:
			i.report.Added++
		case store.Changed:
			i.report.Changed++
		case store.Unchanged:
			i.report.Unchanged++
		default:
			i.report.Refused++
			kind = Refused
		}
		for _, x := range o.Problems {
			column, ok := p.from[Field(x.Field)]
			if !ok {
				column = -1
			}
			if err := i.problem(p.row, column, kind, x.Message); err != nil {
				return err
			}
		}
	}
	return nil
}

func (i *run) problem(row, column int, kind Kind, reason string) error {
	p := Problem{row, i.columns.Name(column), kind, reason}
	switch kind {
	case LeftOut:
		i.report.LeftOut++
	case Noted:
		i.report.Noted++
	case Refused: // rows are counted where they end
	}
	if len(i.report.Problems) < MaxProblems {
		i.report.Problems = append(i.report.Problems, p)
	}
	if i.report.Listed == MaxListed {
		return nil
	}
	i.report.Listed++
	return i.problems.add(p)
}
