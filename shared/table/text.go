package table

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const (
	// window is how much is looked at before it is decided how a text is
	// encoded and separated.
	window = 64 << 10
	// sampleRows is how many rows are looked at for the separator.
	sampleRows = 20
)

// text reads rows of text with separators, as RFC 4180 has them.
type text struct {
	rows  *csv.Reader
	meter *meter
	last  int // the line that the last row ends on
	first bool
}

func newText(r io.Reader) (Reader, error) {
	decoded, err := decode(r)
	if err != nil {
		return nil, err
	}
	t := &text{meter: &meter{r: decoded}, first: true}
	t.meter.over = errTooLong
	t.meter.left = MaxRow
	in := bufio.NewReaderSize(t.meter, window)
	sample, err := in.Peek(window)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.IndexByte(sample, 0) >= 0 {
		return nil, mistake("the file is no text: save it as CSV or .xlsx")
	}
	if bytes.IndexByte(sample, '\r') >= 0 && bytes.IndexByte(sample, '\n') < 0 {
		return nil, mistake("the file's lines end as those of old Macs: save it as CSV UTF-8")
	}
	t.rows = csv.NewReader(in)
	t.rows.Comma = separator(string(sample), err != nil)
	t.rows.FieldsPerRecord = -1
	t.rows.ReuseRecord = true
	return t, nil
}

// errTooLong stands for a row over MaxRow.
var errTooLong = errors.New("a row is too long")

func (t *text) Next() (Row, error) {
	for {
		t.meter.left = MaxRow
		cells, err := t.rows.Read()
		first := t.first
		t.first = false
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			return t.broken(parse), nil
		}
		switch {
		case errors.Is(err, errTooLong):
			return Row{}, mistake("line %d begins a row of more than %d kB: is a quote (\") in it never closed?", t.last+1, MaxRow>>10)
		case err != nil:
			return Row{}, err // io.EOF among them
		}
		line, _ := t.rows.FieldPos(0)
		t.last = line
		for _, c := range cells {
			t.last += strings.Count(c, "\n")
		}
		if first && strings.HasPrefix(strings.ToLower(cells[0]), "sep=") {
			continue
		}
		if cells, err = trim(cells); err != nil {
			return Row{}, mistake("line %d: %s", line, err)
		}
		if len(cells) > 0 {
			return Row{Number: line, Cells: cells}, nil
		}
	}
}

// broken returns the row that could not be read. The next one is read from the
// line after it.
func (t *text) broken(e *csv.ParseError) Row {
	t.last = max(e.Line, e.StartLine)
	lines := fmt.Sprintf("line %d", e.StartLine)
	if e.Line > e.StartLine {
		lines = fmt.Sprintf("lines %d to %d", e.StartLine, e.Line)
	}
	return Row{Number: e.StartLine, Broken: "a quote (\") in " + lines + " is not closed at the end of its cell, or stands inside a cell without quotes around it; nothing of " + lines + " was read"}
}

// trim removes white space around cells, and blank cells at the end.
func trim(cells []string) ([]string, error) {
	n := 0
	for i, c := range cells {
		if cells[i] = strings.TrimSpace(c); cells[i] != "" {
			n = i + 1
		}
	}
	if n > MaxColumns {
		return nil, mistake("there are more than %d columns", MaxColumns)
	}
	return cells[:n], nil
}

// separator returns what separates the cells of a text that begins with
// sample, all of the text or a part: the character by which the most of its
// first rows have the same number of cells, the more the better. Where a line
// says it ("sep=;", as Excel has it), that.
func separator(sample string, all bool) rune {
	first, _, _ := strings.Cut(sample, "\n")
	first = strings.TrimRight(first, "\r")
	if len(first) == len("sep=;") && strings.EqualFold(first[:4], "sep=") && strings.ContainsAny(first[4:], ";,\t|") {
		return rune(first[4])
	}
	if !all { // the last line may be half a line
		sample = sample[:strings.LastIndexByte(sample, '\n')+1]
	}
	best, most := ',', 0
	for _, s := range ";,\t" {
		rows := csv.NewReader(strings.NewReader(sample))
		rows.Comma, rows.LazyQuotes, rows.FieldsPerRecord = s, true, -1
		byCells := map[int]int{}
		for range sampleRows {
			cells, err := rows.Read()
			if err != nil {
				break
			}
			if n := len(cells); n > 1 {
				byCells[n]++
			}
		}
		for cells, n := range byCells {
			if score := n*(MaxColumns+1) + min(cells, MaxColumns); score > most {
				best, most = s, score
			}
		}
	}
	return best
}

// decode returns r in UTF-8 without a byte order mark. UTF-16 is known by its
// mark, or by the zero bytes that every other byte of a western text in it is.
// What is not UTF-8 is Windows-1252, which has ISO-8859-1 in it.
func decode(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, window)
	start, err := in.Peek(window)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	utf16 := func(e unicode.Endianness) io.Reader {
		return transform.NewReader(in, unicode.UTF16(e, unicode.UseBOM).NewDecoder())
	}
	switch even, odd := zeros(start); {
	case bytes.HasPrefix(start, []byte("\xff\xfe")) || odd > len(start)/4 && even == 0:
		return utf16(unicode.LittleEndian), nil
	case bytes.HasPrefix(start, []byte("\xfe\xff")) || even > len(start)/4 && odd == 0:
		return utf16(unicode.BigEndian), nil
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3) // is in the buffer
		return in, nil
	}
	return &eightBit{in: in}, nil
}

// zeros counts the zero bytes at even and at odd places.
func zeros(b []byte) (even, odd int) {
	for i, c := range b {
		if c == 0 && i%2 == 0 {
			even++
		} else if c == 0 {
			odd++
		}
	}
	return even, odd
}

// eightBit reads UTF-8 or Windows-1252. The two are the same up to the first
// byte that is no ASCII, and only there it is decided, by it and what comes
// after it: the first letters beyond ASCII may come late in a large file.
type eightBit struct {
	in      *bufio.Reader
	decided io.Reader
}

func (e *eightBit) Read(p []byte) (int, error) {
	if e.decided != nil {
		return e.decided.Read(p)
	}
	if _, err := e.in.Peek(1); err != nil {
		return 0, err
	}
	ahead, _ := e.in.Peek(e.in.Buffered()) // what is there cannot fail to be seen
	ascii := bytes.IndexFunc(ahead, func(r rune) bool { return r >= utf8.RuneSelf })
	switch {
	case ascii < 0:
		return e.in.Read(p[:min(len(p), len(ahead))])
	case ascii > 0:
		return e.in.Read(p[:min(len(p), ascii)])
	}
	// What comes after; the end of the file, or of reading, is told when it is
	// come to.
	ahead, err := e.in.Peek(window)
	if validStart(ahead, err == nil) {
		e.decided = e.in
	} else {
		e.decided = transform.NewReader(e.in, charmap.Windows1252.NewDecoder())
	}
	return e.decided.Read(p)
}

// validStart reports whether b is UTF-8, but for a character that its end
// cuts off where there is more.
func validStart(b []byte, more bool) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return more && !utf8.FullRune(b)
		}
		b = b[n:]
	}
	return true
}
