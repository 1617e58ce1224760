package table_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/pulssi/pulssi/shared/table"
)

// read returns the rows of the first table of a file, with their numbers, and
// the error that ends it.
func read(b []byte) (rows []table.Row, err error) {
	sheets, err := table.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	r, err := sheets[0].Open()
	if err != nil {
		return nil, err
	}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		row.Cells = append([]string(nil), row.Cells...)
		row.Notes = append([]table.Note(nil), row.Notes...)
		rows = append(rows, row)
	}
}

// cells writes rows shortly: "1: a|b".
func cells(rows []table.Row) string {
	var s []string
	for _, r := range rows {
		line := fmt.Sprintf("%d: %s", r.Number, strings.Join(r.Cells, "|"))
		if r.Broken != "" {
			line += "!" + r.Broken
		}
		for _, n := range r.Notes {
			line += fmt.Sprintf(" [%d %t %s]", n.Column, n.Missing, n.Message)
		}
		s = append(s, line)
	}
	return strings.Join(s, "\n")
}

func encoded(t testing.TB, e encoding.Encoding, s string) string {
	t.Helper()
	out, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestText(t *testing.T) {
	const fi = "Sähköposti;Etunimi\npäivi@example.com;Päivi\nåke@example.com;Åke €\n"
	const fiRows = "1: Sähköposti|Etunimi\n2: päivi@example.com|Päivi\n3: åke@example.com|Åke €"
	late := strings.Repeat("a@example.com;b\n", 10_000)
	for name, c := range map[string]struct{ in, want string }{
		"comma":                       {"a,b\n1,2\n", "1: a|b\n2: 1|2"},
		"semicolon":                   {"a;b\n1;2\n", "1: a|b\n2: 1|2"},
		"tab":                         {"a\tb\n1\t2\n", "1: a|b\n2: 1|2"},
		"one column":                  {"email\na@example.com\n", "1: email\n2: a@example.com"},
		"no line end at the end":      {"a;b\n1;2", "1: a|b\n2: 1|2"},
		"CRLF":                        {"a;b\r\n1;2\r\n", "1: a|b\n2: 1|2"},
		"commas in cells":             {"email;group\na;x,y\nb;y,z\n", "1: email|group\n2: a|x,y\n3: b|y,z"},
		"semicolons in quotes":        {"email,group\na,\"x;y;z\"\nb,\"x;y;z\"\n", "1: email|group\n2: a|x;y;z\n3: b|x;y;z"},
		"a title above":               {"Customers\n\na;b;c\n1;2;3\n", "1: Customers\n3: a|b|c\n4: 1|2|3"},
		"sep=":                        {"sep=;\na;b,c,d\n1;2,3,4\n", "2: a|b,c,d\n3: 1|2,3,4"},
		"sep=, CRLF":                  {"SEP=,\r\na,b\r\n", "2: a|b"},
		"quoted line ends":            {"a;b\n\"1\n2\r\n3\";x\n4;y\n", "1: a|b\n2: 1\n2\n3|x\n5: 4|y"},
		"doubled quotes":              {"a;b\n\"Oy \"\"X\"\"\";2\n", "1: a|b\n2: Oy \"X\"|2"},
		"blank rows and cells":        {"a;b\n;\n\n  ;\t;\n1;;\n", "1: a|b\n5: 1"},
		"white space":                 {"a;b\n 1 ;\u00a02\n", "1: a|b\n2: 1|2"},
		"a row with more":             {"a;b\n1;2;3\n", "1: a|b\n2: 1|2|3"},
		"UTF-8":                       {fi, fiRows},
		"UTF-8 with a mark":           {"\xef\xbb\xbf" + fi, fiRows},
		"UTF-16 LE":                   {encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), fi), fiRows},
		"UTF-16 BE":                   {encoded(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), fi), fiRows},
		"UTF-16 LE without a mark":    {encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), fi), fiRows},
		"UTF-16 BE without a mark":    {encoded(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), fi), fiRows},
		"Windows-1252":                {encoded(t, charmap.Windows1252, fi), fiRows},
		"ISO-8859-1":                  {encoded(t, charmap.ISO8859_1, "nimi\nPäivi\n"), "1: nimi\n2: Päivi"},
		"Windows-1252 at the end":     {"nimi\nP\xe4", "1: nimi\n2: Pä"},
		"a quote within a cell":       {"a;b\nOy \"X\" Ab;2\n3;4\n", "1: a|b\n2: !a quote (\") in line 2 is not closed at the end of its cell, or stands inside a cell without quotes around it; nothing of line 2 was read\n3: 3|4"},
		"a quote closed too late":     {"a;b\n\"1;2\n3;4\n5;\"6\n7;8\n", "1: a|b\n2: !a quote (\") in lines 2 to 4 is not closed at the end of its cell, or stands inside a cell without quotes around it; nothing of lines 2 to 4 was read\n5: 7|8"},
		"a quote never closed":        {"a;b\n1;2\n\"3;4\n5;6\n", "1: a|b\n2: 1|2\n3: !a quote (\") in lines 3 to 4 is not closed at the end of its cell, or stands inside a cell without quotes around it; nothing of lines 3 to 4 was read"},
		"a letter late in a file":     {late + "ä@example.com;b\n", strings.TrimSpace(numbered(late)) + "\n10001: ä@example.com|b"},
		"1252 late in a file":         {late + "\xe4@example.com;b\n", strings.TrimSpace(numbered(late)) + "\n10001: ä@example.com|b"},
		"half a letter at the window": {strings.Repeat("x", 64<<10-1) + "ä\nb\n", "1: " + strings.Repeat("x", 64<<10-1) + "ä\n2: b"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := read([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := cells(rows); got != c.want {
				if len(got) > 1000 {
					got = got[len(got)-200:]
				}
				t.Errorf("read\n%s", got)
			}
		})
	}
}

func numbered(lines string) string {
	var s strings.Builder
	for i, l := range strings.Split(strings.TrimSpace(lines), "\n") {
		fmt.Fprintf(&s, "%d: %s\n", i+1, strings.ReplaceAll(l, ";", "|"))
	}
	return s.String()
}

func TestNoTable(t *testing.T) {
	archive := func(parts ...string) string {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for i := 0; i < len(parts); i += 2 {
			w, _ := z.Create(parts[i])
			_, _ = io.WriteString(w, parts[i+1])
		}
		_ = z.Close()
		return b.String()
	}
	for name, c := range map[string]struct{ in, want string }{
		"empty":       {"", "the file is empty"},
		"xls":         {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "the file is an old Excel file (.xls) or has a password: save it as .xlsx without one, or as CSV"},
		"PDF":         {"%PDF-1.7\n", "the file is a PDF, not a table: save it as CSV or .xlsx"},
		"binary":      {"\x89PNG\r\n\x1a\n\x00\x00\x01\x00\x07\x00\x01", "the file is no text: save it as CSV or .xlsx"},
		"old Macs":    {"a;b\r1;2\r", "the file's lines end as those of old Macs: save it as CSV UTF-8"},
		"half a ZIP":  {"PK\x03\x04abc", "the file is a broken .xlsx: it cannot be unpacked"},
		"another ZIP": {archive("a.txt", "a"), "the file is a ZIP, but no Excel workbook (.xlsx)"},
		"a document": {archive("_rels/.rels", `<Relationships><Relationship Id="1" Type="x/officeDocument" Target="word/document.xml"/></Relationships>`),
			"the file is a ZIP, but no Excel workbook (.xlsx)"},
		"no workbook in it": {archive("_rels/.rels", `<Relationships><Relationship Id="1" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>`),
			"the file is a ZIP, but no Excel workbook (.xlsx)"},
		"a row too long":   {"a;b\n1;2\n\"" + strings.Repeat("x\n", table.MaxRow), "line 3 begins a row of more than 1024 kB: is a quote (\") in it never closed?"},
		"too many columns": {strings.Repeat(";", table.MaxColumns) + "x\n", "line 1: there are more than 1000 columns"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read([]byte(c.in))
			if e, ok := errors.AsType[*table.Error](err); !ok || e.Message != c.want {
				t.Errorf("the error is %v, want %s", err, c.want)
			}
		})
	}
	if rows, err := read([]byte(strings.Repeat(";", table.MaxColumns-1) + "x\n")); err != nil || len(rows[0].Cells) != table.MaxColumns {
		t.Errorf("%d columns: %v", table.MaxColumns, err)
	}
	if _, err := table.Open(bytes.NewReader(nil), table.MaxFile+1); err == nil || err.Error() != "the file is larger than 200 MB: divide it" {
		t.Errorf("too large: %v", err)
	}
	if _, err := table.Open(zeroes{}, table.MaxFile); err != nil {
		t.Errorf("as large as may be: %v", err)
	}
}

// zeroes is an endless file.
type zeroes struct{}

func (zeroes) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

// workbook makes a workbook with a library that is not ours.
func workbook(t testing.TB, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWorkbook(t *testing.T) {
	b := workbook(t, func(f *excelize.File) {
		s := "Sheet1"
		must(t, f.SetSheetRow(s, "A1", &[]any{"Sähköposti", "Puhelin", "Nimi", "Päivä"}))
		must(t, f.SetSheetRow(s, "A2", &[]any{"aino@example.com", 358401234567, " Aino <&> Virtanen ", 45363}))
		must(t, f.SetSheetRow(s, "A4", &[]any{"", 401234567.0, "Matti\r\nMeikäläinen", 45363.5}))
		must(t, f.SetSheetRow(s, "A5", &[]any{true, 0.1, -5, 1e21}))
		date, err := f.NewStyle(&excelize.Style{NumFmt: 14})
		must(t, err)
		custom, err := f.NewStyle(&excelize.Style{CustomNumFmt: new(`"d"0.00;[Red]yyyy\-mm\-dd`)})
		must(t, err)
		text, err := f.NewStyle(&excelize.Style{CustomNumFmt: new(`"d"0.00 [Red]\d`)})
		must(t, err)
		must(t, f.SetCellStyle(s, "D2", "D2", date))
		must(t, f.SetCellStyle(s, "D4", "D4", custom))
		must(t, f.SetCellStyle(s, "D5", "D5", text))
		must(t, f.SetCellStyle(s, "XFD6", "XFD6", date)) // blank
		must(t, f.SetCellRichText(s, "A7", []excelize.RichTextRun{{Text: "ma"}, {Text: "tti@example.com"}}))
		must(t, f.SetCellFormula(s, "B7", "1+1"))
		must(t, f.SetCellFormula(s, "C8", "A1&B1"))
		must(t, f.MergeCell(s, "A2", "A4"))
		must(t, f.MergeCell(s, "C8", "D9"))
	})
	rows, err := read(b)
	if err != nil {
		t.Fatal(err)
	}
	const noValue = " true is a formula without a stored value: save the file anew in a spreadsheet program]"
	want := "1: Sähköposti|Puhelin|Nimi|Päivä\n" +
		"2: aino@example.com|358401234567|Aino <&> Virtanen|2024-03-12\n" +
		"4: |401234567|Matti\r\nMeikäläinen|2024-03-12 12:00:00\n" +
		"5: 1|0.1|-5|1000000000000000000000\n" +
		"7: matti@example.com [1" + noValue + "\n" +
		"8:  [2" + noValue + "\n" +
		"4:  [0 false the cells A2:A4 are merged: their value counts for A2 alone]\n" +
		"9:  [2 false the cells C8:D9 are merged: their value counts for C8 alone]"
	if diff := cmp.Diff(want, cells(rows)); diff != "" {
		t.Error(diff)
	}
}

func TestVisibleSheets(t *testing.T) {
	b := workbook(t, func(f *excelize.File) {
		for _, name := range []string{"Hidden", "Päällä", "Buried"} {
			_, err := f.NewSheet(name)
			must(t, err)
			must(t, f.SetSheetRow(name, "A1", &[]any{"in " + name}))
		}
		f.SetActiveSheet(2)
		must(t, f.SetSheetVisible("Sheet1", false))
		must(t, f.SetSheetVisible("Hidden", false))
		must(t, f.SetSheetVisible("Buried", false, true))
	})
	sheets, err := table.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(sheets) != 1 || sheets[0].Name != "Päällä" {
		t.Fatalf("%+v, %v", sheets, err)
	}
	for range 2 { // Open begins anew
		r, err := sheets[0].Open()
		must(t, err)
		if row, err := r.Next(); err != nil || row.Cells[0] != "in Päällä" {
			t.Errorf("%+v, %v", row, err)
		}
	}
}

// parts makes a workbook of one sheet by hand.
func parts(t testing.TB, sheet func(io.Writer), more ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	put := func(name string, write func(io.Writer)) {
		w, err := z.Create(name)
		must(t, err)
		write(w)
	}
	text := func(s string) func(io.Writer) { return func(w io.Writer) { _, _ = io.WriteString(w, s) } }
	put("_rels/.rels", text(`<Relationships><Relationship Id="1" Type="x/officeDocument" Target="/xl/workbook.xml"/></Relationships>`))
	put("xl/workbook.xml", text(`<workbook><workbookPr date1904="1"/><sheets><sheet name="S" r:id="r1"/></sheets></workbook>`))
	put("xl/_rels/workbook.xml.rels", text(`<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>`+
		`<Relationship Id="r2" Type="x/styles" Target="styles.xml"/><Relationship Id="r3" Type="x/sharedStrings" Target="strings.xml"/></Relationships>`))
	put("xl/styles.xml", text(`<styleSheet><cellXfs><xf/><xf numFmtId="14"/></cellXfs></styleSheet>`))
	if len(more) == 0 {
		more = []string{"xl/strings.xml", `<sst><si><t>a</t><rPh><t>phonetic</t></rPh></si><si><r><t>b_x000D_</t></r><r><t> c_x005F_x0041_</t></r></si></sst>`}
	}
	put("xl/worksheets/sheet1.xml", sheet)
	for i := 0; i < len(more); i += 2 {
		put(more[i], text(more[i+1]))
	}
	must(t, z.Close())
	return b.Bytes()
}

func TestSheetsOfOtherPrograms(t *testing.T) {
	for name, c := range map[string]struct{ in, want, err string }{
		"no places": {`<row><c t="s"><v>0</v></c><c/><c t="s"><v>1</v></c></row><row><c><v>1.5E3</v></c></row>`, "1: a||b\r c_x0041_\n2: 1500", ""},
		"1904":      {`<row><c s="1"><v>1</v></c></row>`, "1: 1904-01-02", ""},
		"no number": {`<row><c><v>abc</v></c><c><v>NaN</v></c></row>`, "1: abc|NaN", ""},
		"errors":    {`<row><c t="e"><v>#N/A</v></c><c t="e"><v>odd</v></c><c t="s"><v>7</v></c></row>`, "1:  [0 true is an error, #N/A] [1 true is an error, of a formula] [2 true is a text that the workbook does not have]", ""},
		"inline":    {`<row><c t="inlineStr"><is><t>in</t></is></c><c t="str"><f>x</f><v>calc</v></c><c t="str"><f>x</f><v></v></c></row>`, "1: in|calc", ""},
		"rows back": {`<row r="5"><c><v>1</v></c></row><row r="5"><c><v>2</v></c></row>`, "5: 1", "the workbook is broken: after row 5 of sheet \"S\" comes row \"5\""},
		"cell back": {`<row r="5"><c r="B5"><v>1</v></c><c r="B5"><v>2</v></c></row>`, "", "the workbook is broken: in row 5 of sheet \"S\" is a cell \"B5\""},
		"no cell":   {`<row><c r="XFE1"><v>1</v></c></row>`, "", "the workbook is broken: in row 1 of sheet \"S\" is a cell \"XFE1\""},
		"far cell":  {`<row><c r="ALM1"><v>1</v></c></row>`, "", "there are more than 1000 columns"},
		"last cell": {`<row><c r="ALL1"><v>1</v></c></row>`, "1: " + strings.Repeat("|", 999) + "1", ""},
		"cut off":   {`<row><c><v>1</v></c></row><row><c><v>`, "1: 1", "the workbook is broken: its part \"xl/worksheets/sheet1.xml\" ends too early"},
		"no XML":    {`<row><c><v>1</v></c></row><row<`, "1: 1", "the workbook is broken: its part \"xl/worksheets/sheet1.xml\" is no XML in line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := read(parts(t, func(w io.Writer) { _, _ = io.WriteString(w, c.in) }))
			if got := cells(rows); got != c.want {
				t.Errorf("read\n%s, want\n%s", got, c.want)
			}
			if e, ok := errors.AsType[*table.Error](err); ok != (c.err != "") || ok && e.Message != c.err {
				t.Errorf("the error is %v, want %s", err, c.err)
			}
		})
	}
}

// TestBombs holds the memory that a small file can take to some megabytes.
func TestBombs(t *testing.T) {
	flood := func(start, piece string, bytes int) func(io.Writer) {
		return func(w io.Writer) {
			_, _ = io.WriteString(w, start)
			for range bytes / len(piece) {
				_, _ = io.WriteString(w, piece)
			}
		}
	}
	many := strings.Repeat("x", 1<<16)
	whole := parts(t, flood("<row><c><v>1</v></c></row><row><c><v>", many, 8<<20))
	// claiming returns a workbook whose sheet says that it unpacks to so many bytes.
	claiming := func(size uint32) []byte {
		b := slices.Clone(whole)
		at := bytes.LastIndex(b, []byte("xl/worksheets/sheet1.xml")) - 46 // in the directory
		if !bytes.HasPrefix(b[at:], []byte("PK\x01\x02")) {
			t.Fatal("the directory is not where it should be")
		}
		binary.LittleEndian.PutUint32(b[at+24:], size)
		return b
	}
	others := uint32(0)
	archive, err := zip.NewReader(bytes.NewReader(claiming(0)), int64(len(whole)))
	must(t, err)
	for _, p := range archive.File {
		others += uint32(p.UncompressedSize64)
	}
	if _, err := table.Open(bytes.NewReader(claiming(table.MaxUnzipped-others)), int64(len(whole))); err != nil {
		t.Errorf("as much as may be: %v", err)
	}
	var directory bytes.Buffer
	z := zip.NewWriter(&directory)
	for i := range 40_000 {
		_, err := z.Create(fmt.Sprint("part", i))
		must(t, err)
	}
	must(t, z.Close())
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"says that it is large": {claiming(table.MaxUnzipped - others + 1), "the file unpacks to more than 1024 MB"},
		"says that it is small": {claiming(100), "the workbook is broken: its part \"xl/worksheets/sheet1.xml\" cannot be unpacked"},
		"one text":              {parts(t, flood("<row><c><v>", many, 8<<20)), "row 1 of sheet \"S\" has a cell longer than 1024 kB"},
		"one comment":           {parts(t, flood("<row><c><!--", many, 8<<20)), "the workbook's part \"xl/worksheets/sheet1.xml\" has a piece longer than 1024 kB"},
		"many texts in a cell":  {parts(t, flood("<row><c><v>", many[:1000]+"<x/><v>", 8<<20)), "row 1 of sheet \"S\" has a cell longer than 1024 kB"},
		"one shared text":       {parts(t, flood("", " ", 1), "xl/strings.xml", "<sst><si>"+strings.Repeat("<t>"+many+"</t>", 17)), "the workbook's part \"xl/strings.xml\" has a text longer than 1024 kB"},
		"many shared texts":     {parts(t, flood("", " ", 1), "xl/strings.xml", "<sst>"+strings.Repeat("<si><t>"+many+"</t></si>", table.MaxTexts>>16+1)), "the workbook has more than 100 MB of text: save the sheet as CSV"},
		"one row":               {parts(t, flood("<row>", `<c t="s"><v>0</v></c>`, 16<<10), "xl/strings.xml", "<sst><si><t>"+many+"</t></si></sst>"), "row 1 of sheet \"S\" is longer than 1024 kB"},
		"many parts":            {directory.Bytes(), "the file has too many parts for a workbook"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			rows, err := read(c.file)
			runtime.ReadMemStats(&after)
			if e, ok := errors.AsType[*table.Error](err); !ok || e.Message != c.want {
				t.Errorf("%d rows, the error is %v, want %s", len(rows), err, c.want)
			}
			limit := uint64(32 << 20)
			if name == "many shared texts" {
				limit = 800 << 20 // allocated all in all; they are held up to their own limit
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > limit {
				t.Errorf("a file of %d kB took %d MB", len(c.file)>>10, got>>20)
			}
		})
	}
}

// A cell is as quick to read where every character of it is an escape.
func TestManyEscapes(t *testing.T) {
	const n = 20_000
	b := parts(t, func(w io.Writer) {
		_, _ = io.WriteString(w, "<row><c><is><t>"+strings.Repeat("_x0041_", n)+"</t></is></c></row>")
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rows, err := read(b)
	runtime.ReadMemStats(&after)
	if err != nil || len(rows) != 1 || rows[0].Cells[0] != strings.Repeat("A", n) {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 {
		t.Errorf("%d escapes took %d MB", n, got>>20)
	}
}

// Everything that is read ends in rows or an error, never in a panic.
func FuzzText(f *testing.F) {
	for _, s := range []string{"a;b\n1;2\n", "\xff\xfea\x00;\x00", "\xfe\xff\x00a", "\xef\xbb\xbfa,b\n\"x\ny\",z", "sep=\t\na\tb", "a;\"b\nc", "\xe4;\xf6\n", "a\rb\r", "\n\n;;\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.HasPrefix(b, []byte("PK")) {
			return
		}
		check(t, b)
	})
}

func FuzzWorkbook(f *testing.F) {
	f.Add(workbook(f, func(x *excelize.File) {
		must(f, x.SetSheetRow("Sheet1", "A1", &[]any{"email", 1, true}))
		must(f, x.MergeCell("Sheet1", "A1", "B1"))
	}))
	f.Add(parts(f, func(w io.Writer) { _, _ = io.WriteString(w, `<row><c t="s"><v>0</v></c></row>`) }))
	f.Fuzz(check)
}

// FuzzSheet reads any XML as a sheet: what is packed is seldom reached by
// changing the bytes of an archive.
func FuzzSheet(f *testing.F) {
	for _, s := range []string{`<row r="2"><c r="A2" t="s"><v>0</v></c></row><mergeCell ref="A1:B2"/>`, `<row><c s="1"><f>x</f></c>`, `<c><is><t>_x0041_</t></is></c>`, `<mergeCell ref="A9:"/>`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		check(t, parts(t, func(w io.Writer) { _, _ = io.WriteString(w, s) }))
	})
}

func check(t *testing.T, b []byte) {
	rows, err := read(b)
	if _, own := errors.AsType[*table.Error](err); err != nil && !own {
		t.Errorf("an error that nobody can mend: %v", err)
	}
	for _, r := range rows {
		if r.Number < 1 || len(r.Cells) > table.MaxColumns || len(r.Cells) == 0 && r.Broken == "" && len(r.Notes) == 0 {
			t.Errorf("row %+v", r)
		}
	}
}
