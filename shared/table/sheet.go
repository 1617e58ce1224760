package table

import (
	"encoding/xml"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// sheet reads the rows of one sheet of a workbook.
type sheet struct {
	w     *workbook
	name  string
	d     *decoder
	row   int // the last one's number
	size  int // bytes of its cells
	cells []string
	notes []Note
	ended bool
}

func (w *workbook) openSheet(name, part string) (Reader, error) {
	d, err := w.open(part)
	if err != nil {
		return nil, err
	}
	return &sheet{w: w, name: name, d: d}, nil
}

// Next returns the next row. After the rows come the merged cells, as a
// workbook has them.
func (s *sheet) Next() (Row, error) {
	for !s.ended {
		e, err := s.d.start()
		if err != nil {
			s.ended = true
			s.d.close()
			return Row{}, err // io.EOF among them
		}
		switch e.Name.Local {
		case "row":
			if err := s.read(e); err != nil {
				return Row{}, err
			}
			if len(s.cells) > 0 || len(s.notes) > 0 {
				return Row{Number: s.row, Cells: s.cells, Notes: s.notes}, nil
			}
		case "mergeCell":
			if r, ok := s.merged(attr(e, "ref")); ok {
				return r, nil
			}
		}
	}
	return Row{}, io.EOF
}

// read reads the row just started.
func (s *sheet) read(e xml.StartElement) error {
	s.row++
	if r := attr(e, "r"); r != "" {
		n, err := strconv.Atoi(r)
		if err != nil || n < s.row || n > 1<<20 {
			return mistake("the workbook is broken: after row %d of %s comes row %q", s.row-1, quoted(s.name), r)
		}
		s.row = n
	}
	s.cells, s.notes, s.size = s.cells[:0], s.notes[:0], 0
	column := -1
	for {
		t, err := s.d.inside()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.EndElement:
			if t.Name.Local == "row" {
				return nil
			}
		case xml.StartElement:
			if t.Name.Local != "c" {
				continue
			}
			column++
			if r := attr(t, "r"); r != "" {
				c, _, ok := place(r)
				if !ok || c < column {
					return mistake("the workbook is broken: in row %d of %s is a cell %q", s.row, quoted(s.name), r)
				}
				column = c
			}
			if err := s.cell(t, column); err != nil {
				return err
			}
		}
	}
}

// cell reads the cell just started.
func (s *sheet) cell(e xml.StartElement, column int) error {
	var value strings.Builder
	var rich string
	formula, valued, in := false, false, ""
	for open := true; open; {
		t, err := s.d.inside()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			in = t.Name.Local
			switch in {
			case "f":
				formula = true
			case "v":
				valued = true
			case "is":
				if rich, err = s.d.richText(); err != nil {
					return err
				}
				in = ""
			}
		case xml.EndElement:
			in = ""
			open = t.Name.Local != "c"
		case xml.CharData:
			if in == "v" {
				value.Write(t)
			}
			if value.Len() > MaxToken {
				return mistake("row %d of %s has a cell longer than %d kB", s.row, quoted(s.name), MaxToken>>10)
			}
		}
	}
	text, problem := rich, ""
	if text == "" {
		text, problem = s.value(attr(e, "t"), attr(e, "s"), value.String())
	}
	if formula && !valued {
		problem = "is a formula without a stored value: save the file anew in a spreadsheet program"
	}
	if text = strings.TrimSpace(text); problem == "" && text == "" {
		return nil
	}
	if column >= MaxColumns {
		return mistake("there are more than %d columns", MaxColumns)
	}
	if problem != "" {
		s.notes = append(s.notes, Note{Column: column, Missing: true, Message: problem})
		return nil
	}
	// A shared text may stand in any number of cells.
	if s.size += len(text); s.size > MaxRow {
		return mistake("row %d of %s is longer than %d kB", s.row, quoted(s.name), MaxRow>>10)
	}
	for len(s.cells) < column {
		s.cells = append(s.cells, "")
	}
	s.cells = append(s.cells, text)
	return nil
}

// value returns what a cell of a type and style shows, but numbers whole.
func (s *sheet) value(kind, style, v string) (text, problem string) {
	switch kind {
	case "s":
		i, err := strconv.Atoi(strings.TrimSpace(v))
		text, ok := s.w.texts.at(i)
		if err != nil || !ok {
			return "", "is a text that the workbook does not have"
		}
		return text, ""
	case "str", "inlineStr":
		return unescape(v), ""
	case "e":
		return "", "is an error, " + errorValue(v)
	case "b", "d":
		return v, ""
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return v, ""
	}
	if i, err := strconv.Atoi(style); err == nil && 0 <= i && i < len(s.w.dates) && s.w.dates[i] {
		if d, ok := date(n, s.w.date1904); ok {
			return d, ""
		}
	}
	// A phone number that became a number is one of whole digits.
	return strconv.FormatFloat(n, 'f', -1, 64), ""
}

// errorValue returns an error's own name where it is one of Excel's, none of
// which is anybody's data.
func errorValue(v string) string {
	switch v = strings.TrimSpace(v); v {
	case "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A":
		return v
	}
	return "of a formula"
}

// date returns the day, and the time where there is one, of a serial number:
// days since 1899-12-30, as Excel counts from March 1900 on (ECMA-376, part 1,
// section 18.17.4.1), or since 1904-01-01.
func date(serial float64, from1904 bool) (string, bool) {
	if serial < 0 || serial > 2958465.99999 { // 9999-12-31
		return "", false
	}
	from := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if from1904 {
		from = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	days, rest := math.Modf(serial)
	t := from.AddDate(0, 0, int(days)).Add(time.Duration(math.Round(rest*86400)) * time.Second)
	if rest == 0 {
		return t.Format(time.DateOnly), true
	}
	return t.Format(time.DateTime), true
}

// merged returns the note about a merged range.
func (s *sheet) merged(ref string) (Row, bool) {
	first, last, two := strings.Cut(ref, ":")
	column, row, ok := place(first)
	if !two || !ok {
		return Row{}, false
	}
	_, lastRow, ok := place(last)
	if !ok || lastRow < row {
		return Row{}, false
	}
	return Row{Number: lastRow, Notes: []Note{{
		Column:  column,
		Message: "the cells " + ref + " are merged: their value counts for " + columnName(column) + strconv.Itoa(row) + " alone",
	}}}, true
}
