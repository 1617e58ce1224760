package table

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// workbook is an XLSX file (ECMA-376). It is read here, part by part, and not
// by one of the libraries: those hold a sheet in memory to tell its formulas
// and merged cells.
type workbook struct {
	parts    map[string]*zip.File
	texts    *texts
	dates    []bool // by the number of a cell's style
	date1904 bool
}

// maxDirectory is the most bytes that are read to know a ZIP's parts, each of
// which costs memory. A workbook has tens of them.
const maxDirectory = 1 << 20

// meterAt lets at most a number of bytes through.
type meterAt struct {
	r    io.ReaderAt
	left int64
}

func (m *meterAt) ReadAt(p []byte, off int64) (int, error) {
	if m.left -= int64(len(p)); m.left < 0 {
		return 0, errors.New("the directory is too long")
	}
	return m.r.ReadAt(p, off)
}

// relation is one line of a .rels part.
type relation struct {
	ID     string `xml:"Id,attr"`
	Type   string `xml:"Type,attr"`
	Target string `xml:"Target,attr"`
}

func openWorkbook(f io.ReaderAt, size int64) ([]Sheet, error) {
	directory := &meterAt{r: f, left: maxDirectory}
	archive, err := zip.NewReader(directory, size)
	if directory.left < 0 {
		return nil, mistake("the file has too many parts for a workbook")
	}
	directory.left = math.MaxInt64
	if err != nil {
		return nil, mistake("the file is a broken .xlsx: it cannot be unpacked")
	}
	w := &workbook{parts: map[string]*zip.File{}}
	unzipped := uint64(0)
	for _, p := range archive.File {
		// The archive's reader holds a part to the size that is told here.
		if p.UncompressedSize64 > MaxUnzipped || unzipped+p.UncompressedSize64 > MaxUnzipped {
			return nil, mistake("the file unpacks to more than %d MB", MaxUnzipped>>20)
		}
		unzipped += p.UncompressedSize64
		w.parts[strings.TrimPrefix(p.Name, "/")] = p
	}
	root, err := w.relations("_rels/.rels")
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(root, func(r relation) bool { return strings.HasSuffix(r.Type, "/officeDocument") })
	if i < 0 || !strings.HasSuffix(root[i].Target, ".xml") || !strings.Contains(root[i].Target, "workbook") {
		return nil, mistake("the file is a ZIP, but no Excel workbook (.xlsx)")
	}
	return w.sheets(resolve("", root[i].Target))
}

// sheets reads the workbook itself.
func (w *workbook) sheets(main string) ([]Sheet, error) {
	rels, err := w.relations(path.Join(path.Dir(main), "_rels", path.Base(main)+".rels"))
	if err != nil {
		return nil, err
	}
	targets := map[string]string{}
	for _, r := range rels {
		to := resolve(path.Dir(main), r.Target)
		targets[r.ID] = to
		switch {
		case strings.HasSuffix(r.Type, "/sharedStrings"):
			w.texts, err = w.readTexts(to)
		case strings.HasSuffix(r.Type, "/styles"):
			w.dates, err = w.readStyles(to)
		}
		if err != nil {
			return nil, err
		}
	}
	var sheets []Sheet
	err = w.each(main, func(_ *decoder, e xml.StartElement) error {
		switch e.Name.Local {
		case "workbookPr":
			v := attr(e, "date1904")
			w.date1904 = v == "1" || v == "true"
		case "sheet":
			if s := attr(e, "state"); s == "hidden" || s == "veryHidden" {
				return nil
			}
			name, part := attr(e, "name"), targets[attr(e, "id")]
			sheets = append(sheets, Sheet{Name: name, Open: func() (Reader, error) { return w.openSheet(name, part) }})
		}
		return nil
	})
	if err == nil && len(sheets) == 0 {
		err = mistake("the workbook has no visible sheet")
	}
	return sheets, err
}

func (w *workbook) relations(part string) (out []relation, err error) {
	if _, ok := w.parts[part]; !ok {
		return nil, mistake("the file is a ZIP, but no Excel workbook (.xlsx)")
	}
	err = w.each(part, func(_ *decoder, e xml.StartElement) error {
		if e.Name.Local == "Relationship" {
			out = append(out, relation{attr(e, "Id"), attr(e, "Type"), attr(e, "Target")})
		}
		return nil
	})
	return out, err
}

// resolve returns the part that a relation of a part in a folder points to.
func resolve(folder, target string) string {
	if strings.HasPrefix(target, "/") {
		return strings.TrimPrefix(path.Clean(target), "/")
	}
	return path.Join(folder, target)
}

// texts are the shared texts of a workbook, one behind the other: cheaper by
// far than a string each.
type texts struct {
	all  []byte
	ends []uint32
}

func (t *texts) at(i int) (string, bool) {
	if t == nil || i < 0 || i >= len(t.ends) {
		return "", false
	}
	start := uint32(0)
	if i > 0 {
		start = t.ends[i-1]
	}
	return string(t.all[start:t.ends[i]]), true
}

func (w *workbook) readTexts(part string) (*texts, error) {
	t := &texts{}
	err := w.each(part, func(d *decoder, e xml.StartElement) error {
		if e.Name.Local != "si" {
			return nil
		}
		s, err := d.richText()
		if err != nil {
			return err
		}
		if len(t.all)+len(s) > MaxTexts || len(t.ends) >= MaxTexts/4 {
			return mistake("the workbook has more than %d MB of text: save the sheet as CSV", MaxTexts>>20)
		}
		t.all = append(t.all, s...)
		t.ends = append(t.ends, uint32(len(t.all)))
		return nil
	})
	return t, err
}

// readStyles returns which styles show a number as a date.
func (w *workbook) readStyles(part string) (dates []bool, err error) {
	custom := map[int]bool{}
	inCells := false
	err = w.each(part, func(_ *decoder, e xml.StartElement) error {
		switch e.Name.Local {
		case "numFmt":
			if id, err := strconv.Atoi(attr(e, "numFmtId")); err == nil {
				custom[id] = isDateFormat(attr(e, "formatCode"))
			}
		case "cellXfs":
			inCells = true
		case "cellStyles", "dxfs":
			inCells = false
		case "xf":
			if !inCells {
				return nil
			}
			id, _ := strconv.Atoi(attr(e, "numFmtId")) // none is 0, General
			// The formats that a file need not define (ECMA-376, part 1,
			// section 18.8.30): dates and times.
			builtIn := 14 <= id && id <= 22 || 27 <= id && id <= 36 || 45 <= id && id <= 47 || 50 <= id && id <= 58
			dates = append(dates, builtIn || custom[id])
		}
		return nil
	})
	return dates, err
}

// isDateFormat reports whether a number's format has years, days or hours in
// it, outside of what stands in quotes, in brackets or behind a backslash.
func isDateFormat(code string) bool {
	var until rune
	skip := false
	for _, r := range strings.ToLower(code) {
		switch {
		case skip:
			skip = false
		case until != 0:
			if r == until {
				until = 0
			}
		case r == '"':
			until = '"'
		case r == '[':
			until = ']'
		case r == '\\' || r == '_' || r == '*':
			skip = true
		case r == 'y' || r == 'd' || r == 'h':
			return true
		}
	}
	return false
}

// each calls do with every element of a part as it starts, in order.
func (w *workbook) each(part string, do func(d *decoder, e xml.StartElement) error) error {
	d, err := w.open(part)
	if err != nil {
		return err
	}
	defer d.close()
	for {
		e, err := d.start()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = do(d, e)
		}
		if err != nil {
			return err
		}
	}
}

// decoder reads the XML of one part.
type decoder struct {
	part  string
	zip   io.Closer
	meter *meter
	xml   *xml.Decoder
}

var errLongToken = errors.New("a piece of XML is too long")

func (w *workbook) open(part string) (*decoder, error) {
	f, ok := w.parts[part]
	if !ok {
		return nil, mistake("the workbook is broken: it has no part %q", part)
	}
	r, err := f.Open()
	if err != nil {
		return nil, mistake("the workbook is broken: its part %q cannot be unpacked", part)
	}
	m := &meter{r: r, over: errLongToken}
	return &decoder{part: part, zip: r, meter: m, xml: xml.NewDecoder(m)}, nil
}

func (d *decoder) close() { _ = d.zip.Close() }

// token returns the next token; [io.EOF] after the last.
func (d *decoder) token() (xml.Token, error) {
	d.meter.left = MaxToken
	t, err := d.xml.RawToken()
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return t, err
	case errors.Is(err, errLongToken):
		return nil, mistake("the workbook's part %q has a piece longer than %d kB", d.part, MaxToken>>10)
	}
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return nil, mistake("the workbook is broken: its part %q is no XML in line %d", d.part, syntax.Line)
	}
	return nil, mistake("the workbook is broken: its part %q cannot be unpacked", d.part)
}

// start returns the next element's start.
func (d *decoder) start() (xml.StartElement, error) {
	for {
		t, err := d.token()
		if err != nil {
			return xml.StartElement{}, err
		}
		if e, ok := t.(xml.StartElement); ok {
			return e, nil
		}
	}
}

// richText returns the text of the element just started, up to its end:
// that in t, of which there may be several, but no phonetic runs (rPh).
func (d *decoder) richText() (string, error) {
	var s strings.Builder
	depth, phonetic, inText := 1, 0, false
	for depth > 0 {
		t, err := d.inside()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			depth++
			inText = t.Name.Local == "t"
			if t.Name.Local == "rPh" {
				phonetic = depth
			}
		case xml.EndElement:
			if depth == phonetic {
				phonetic = 0
			}
			depth--
			inText = false
		case xml.CharData:
			if inText && phonetic == 0 {
				s.Write(t)
			}
		}
		if s.Len() > MaxToken {
			return "", mistake("the workbook's part %q has a text longer than %d kB", d.part, MaxToken>>10)
		}
	}
	return unescape(s.String()), nil
}

// inside returns the next token of an element that has not ended.
func (d *decoder) inside() (xml.Token, error) {
	t, err := d.token()
	if errors.Is(err, io.EOF) {
		err = mistake("the workbook is broken: its part %q ends too early", d.part)
	}
	return t, err
}

// unescape replaces what Excel writes for characters that XML cannot have:
// _x000D_ (ECMA-376, part 1, section 22.9.2.19).
func unescape(s string) string {
	var out strings.Builder
	done := 0 // of s
	for at := 0; ; {
		i := strings.Index(s[at:], "_x")
		if i < 0 {
			break
		}
		i += at
		at = i + 1
		if len(s) < i+7 || s[i+6] != '_' {
			continue
		}
		if n, err := strconv.ParseUint(s[i+2:i+6], 16, 16); err == nil {
			out.WriteString(s[done:i])
			out.WriteRune(rune(n))
			at, done = i+7, i+7
		}
	}
	out.WriteString(s[done:])
	return out.String()
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// columnName returns a column's letters, from 0: A, B, ... AA.
func columnName(c int) string {
	s := ""
	for c++; c > 0; c = (c - 1) / 26 {
		s = string(rune('A'+(c-1)%26)) + s
	}
	return s
}

// place reads a cell's place: "AB12" is column 27, row 12. ok is false where it
// is none of a sheet (16,384 columns, 1,048,576 rows).
func place(ref string) (column, row int, ok bool) {
	i := 0
	for ; i < len(ref) && i < 4 && 'A' <= ref[i] && ref[i] <= 'Z'; i++ {
		column = column*26 + int(ref[i]-'A') + 1
	}
	row, err := strconv.Atoi(ref[i:])
	return column - 1, row, err == nil && 1 <= column && column <= 16384 && 1 <= row && row <= 1<<20
}

func quoted(sheet string) string { return fmt.Sprintf("sheet %q", sheet) }
