package intake

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/topology"
)

// State is how far an import is.
type State string

// The states.
const (
	Running State = "running" // or waiting for its next run
	Done    State = "done"
	Failed  State = "failed" // for good, by the file's own mistake: see Report.Error
)

// Kind is what became of a row or a cell with a problem.
type Kind string

// The kinds.
const (
	Refused Kind = "refused"  // the row
	LeftOut Kind = "left out" // the cell; the rest of its row was taken
	Noted   Kind = "noted"    // the cell was taken, but look at it
)

// MaxProblems is how many problems a report has in itself, and MaxListed how
// many are in the file of problems, which lies beside the uploaded file on the
// function's disk, and is opened by a spreadsheet program. What is beyond is only
// counted.
const (
	MaxProblems = 100
	MaxListed   = 300_000
)

// Report tells what became of a file. It is kept as JSON beside the files, see
// [ReportKey], and never has a cell's value in it.
type Report struct {
	File string `json:"file"` // its name, without the folder of uploads
	// Size and Modified tell one file of a name from the next.
	Size       int64     `json:"size"` // bytes
	Modified   time.Time `json:"modified"`
	StartedAt  time.Time `json:"startedAt"`
	FinishedAt time.Time `json:"finishedAt,omitzero"`
	State      State     `json:"state"`
	Error      string    `json:"error,omitempty"`
	// Paused is whether a run ended early, in good order: the next goes on
	// after Rows.
	Paused bool `json:"paused,omitempty"`

	Sheet     string `json:"sheet,omitempty"` // of a workbook
	Rows      int    `json:"rows"`            // below the headings, so far; the sum of the next four
	Added     int    `json:"added"`
	Changed   int    `json:"changed"`
	Unchanged int    `json:"unchanged"`
	Refused   int    `json:"refused"`
	LeftOut   int    `json:"leftOut"` // cells of rows that were taken, or refused after all
	Noted     int    `json:"noted"`   // cells

	Columns  ReportColumns `json:"columns"`
	Problems []Problem     `json:"problems"` // the first MaxProblems
	Listed   int           `json:"listed"`   // problems in the file of problems
}

// fail ends an import by the file's own mistake.
func (r *Report) fail(mistake error, now time.Time) {
	r.State, r.Error, r.FinishedAt = Failed, mistake.Error(), now
}

// ReportColumns says what the columns were taken for.
type ReportColumns struct {
	Recognised map[string]Field `json:"recognised"`
	Ignored    []string         `json:"ignored"`
}

// Problem is one row or cell that was not taken, and why.
type Problem struct {
	Row    int    `json:"row"`              // as the file counts, from 1
	Column string `json:"column,omitempty"` // its name; "" for the whole row
	Kind   Kind   `json:"kind"`
	Reason string `json:"reason"`
}

// ReportKey is where the report of an uploaded file is; upload is its key.
func ReportKey(upload string) string { return reportPath(upload) + ".json" }

// ProblemsKey is where all problems of an uploaded file are, as CSV; upload is its
// key.
func ProblemsKey(upload string) string { return reportPath(upload) + ".csv" }

func reportPath(upload string) string {
	return topology.Reports + strings.TrimPrefix(upload, topology.Uploads)
}

// problemsFile writes problems as CSV that spreadsheet programs in Finland and
// Sweden open as a table: a byte order mark and semicolons. Headings come from
// the file, so a cell that would be a formula gets an apostrophe before it
// (OWASP, "CSV Injection").
type problemsFile struct{ csv *csv.Writer }

func newProblemsFile(w io.Writer, begin bool) (*problemsFile, error) {
	p := &problemsFile{csv.NewWriter(w)}
	p.csv.Comma = ';'
	if !begin {
		return p, nil
	}
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, fmt.Errorf("writing the problems: %w", err)
	}
	return p, p.write("row", "column", "kind", "reason")
}

func (p *problemsFile) add(x Problem) error {
	return p.write(strconv.Itoa(x.Row), x.Column, string(x.Kind), x.Reason)
}

func (p *problemsFile) write(cells ...string) error {
	for i, c := range cells {
		if c != "" && strings.ContainsAny(c[:1], "=+-@\t\r") {
			cells[i] = "'" + c
		}
	}
	if err := p.csv.Write(cells); err != nil {
		return fmt.Errorf("writing the problems: %w", err)
	}
	return nil
}

func (p *problemsFile) flush() error {
	p.csv.Flush()
	if err := p.csv.Error(); err != nil {
		return fmt.Errorf("writing the problems: %w", err)
	}
	return nil
}
