// Package table reads the tables that people export from other programs: text
// with separators (CSV) in the encodings that are met, and Excel workbooks
// (XLSX). It streams: whatever a file holds, only one row of it and, of a
// workbook, its shared texts are in memory.
package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Limits. What is beyond them is refused with an [Error] that names the limit.
const (
	// MaxFile is the most bytes of a file.
	MaxFile = 200 << 20
	// MaxColumns is the most columns with anything in them.
	MaxColumns = 1000
	// MaxRow is about the most bytes of one row, MaxToken that of one piece of a
	// workbook's XML.
	MaxRow   = 1 << 20
	MaxToken = 1 << 20
	// MaxUnzipped is the most bytes of a workbook's parts together.
	MaxUnzipped = 1 << 30
	// MaxTexts is the most bytes of a workbook's shared texts.
	MaxTexts = 100 << 20
)

// Error is a file's own mistake, told to whoever uploaded it.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func mistake(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Row is one row that is not blank.
type Row struct {
	// Number is the row's as a person counts: the line of a text that it
	// begins on, the row of a sheet.
	Number int
	// Cells are the texts, without white space around them; a row may have
	// fewer than the one before. They are valid until the next row is read.
	Cells []string
	// Broken is why nothing of the row could be read, "" where it could.
	Broken string
	// Notes are about single cells.
	Notes []Note
}

// Note says something about one cell.
type Note struct {
	Column int // from 0
	// Missing is whether the cell has a value that could not be read, and is
	// blank instead.
	Missing bool
	Message string
}

// Reader reads the rows of one table.
type Reader interface {
	// Next returns the next row that is not blank, and [io.EOF] after the
	// last. An [*Error] ends the table before its end. Rows without cells
	// carry notes alone: what a workbook says of its rows after them.
	Next() (Row, error)
}

// Sheet is one table of a file.
type Sheet struct {
	Name string // "" of a text
	// Open begins at the first row, at every call.
	Open func() (Reader, error)
}

// Open returns the visible tables of a file of size bytes: those of a workbook,
// or the one of a text. The error is an [*Error] where the file is neither.
func Open(f io.ReaderAt, size int64) ([]Sheet, error) {
	if size > MaxFile {
		return nil, TooLarge()
	}
	start := make([]byte, min(size, 8))
	if _, err := f.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	switch {
	case size == 0:
		return nil, mistake("the file is empty")
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return openWorkbook(f, size)
	case bytes.HasPrefix(start, []byte("\xd0\xcf\x11\xe0")): // an OLE 2 compound file
		return nil, mistake("the file is an old Excel file (.xls) or has a password: save it as .xlsx without one, or as CSV")
	case bytes.HasPrefix(start, []byte("%PDF")):
		return nil, mistake("the file is a PDF, not a table: save it as CSV or .xlsx")
	}
	return []Sheet{{Open: func() (Reader, error) { return newText(io.NewSectionReader(f, 0, size)) }}}, nil
}

// TooLarge returns the [*Error] of a file over [MaxFile].
func TooLarge() error {
	return mistake("the file is larger than %d MB: divide it", MaxFile>>20)
}

// meter lets at most a number of bytes through until it is filled again, so
// that one endless piece cannot fill the memory.
type meter struct {
	r    io.Reader
	left int
	over error // what is returned where they are used up
}

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, m.over
	}
	n, err := m.r.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}
