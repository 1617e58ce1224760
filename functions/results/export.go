package results

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// Limits of an export. A function answers with 6 MB at most, and what it answers
// with is a third longer in base64 than the file.
const (
	maxPart = 4 << 20 // bytes after which a part of a CSV file ends with the row
	maxRows = 10_000  // of a workbook, which has no parts
	maxBook = 4 << 20 // bytes of a workbook
)

// Kinds of exports, and their formats.
const (
	exportScores   = "scores"
	exportComments = "comments"
	formatCSV      = "csv"
	formatXLSX     = "xlsx"
)

// byteOrderMark is what Excel knows UTF-8 by.
const byteOrderMark = "\ufeff"

// cell is one of a table; what is "" is empty.
type cell struct {
	value string
	kind  kind
}

type kind int

const (
	prose  kind = iota // which a stranger may have written
	number             // written as it is in the answers of the API
	figure             // a number as people read it, whose decimals stay in a workbook
)

func textCell(s string) cell { return cell{value: s} }

func numberCell(n int64) cell { return cell{strconv.FormatInt(n, 10), number} }

func decimalCell(d decimal) cell {
	if d == nil {
		return cell{}
	}
	return cell{string(*d), number}
}

func timeCell(t *time.Time) cell {
	if t == nil {
		return cell{}
	}
	return textCell(t.Format(time.RFC3339Nano))
}

// export answers with a file: the scores of a touchpoint by period, or its
// comments. It changes nothing, and is recorded as what was taken out.
func (h *Handler) export(ctx context.Context, r *call) (change, error) {
	values, err := onceEach(r.RawQueryString, "what", "format", "separator", "from", "to", "by", "series", "channel", "segment", "category", "score", "locale", "q", "cursor")
	if err != nil {
		return change{}, err
	}
	t, err := h.touchpoint(ctx, r, r.Path("touchpoint"))
	if err != nil {
		return change{}, err
	}
	f, err := parseFile(values)
	if err != nil {
		return change{}, err
	}
	write := h.exportComments
	if f.what == exportScores {
		write = h.exportScores
	}
	from, to, err := h.days(f.question)
	if err != nil {
		return change{}, err
	}
	after := loggedExport{f.what, f.format, from.Format(dateFormat), to.Format(dateFormat), slices.Sorted(maps.Keys(f.question))}
	return change{action: survey.Export, subject: t.ID, after: after, do: func(ctx context.Context) (apigw.Response, error) {
		return write(ctx, r, t, f)
	}}, nil
}

// loggedExport is an export in the audit log. Of parameters that a name could be
// in, such as a search, their own names stand there alone.
type loggedExport struct {
	What       string   `json:"what"`
	Format     string   `json:"format"`
	From       string   `json:"from"`
	To         string   `json:"to"`
	Parameters []string `json:"parameters,omitempty"`
}

// file is what an export shall be.
type file struct {
	what, format string
	comma        rune       // of a CSV file, between cells
	question     url.Values // the parameters of results or of responses
}

// parseFile reads the parameters. Those that are only of the other kind of
// export, or of the other format, must be left out.
func parseFile(values url.Values) (file, error) {
	f := file{what: exportScores, format: formatCSV, comma: ',', question: url.Values{}}
	for _, p := range []struct {
		name  string
		to    *string
		known []string
	}{{"what", &f.what, []string{exportScores, exportComments}}, {"format", &f.format, []string{formatCSV, formatXLSX}}} {
		if !values.Has(p.name) {
			continue
		}
		if *p.to = values.Get(p.name); !slices.Contains(p.known, *p.to) {
			return f, survey.Errorf(survey.Invalid, p.name, "%s must be one of %s", p.name, strings.Join(p.known, ", "))
		}
	}
	if values.Has("separator") {
		commas := map[string]rune{"comma": ',', "semicolon": ';'}
		var ok bool
		if f.comma, ok = commas[values.Get("separator")]; !ok {
			return f, survey.Errorf(survey.Invalid, "separator", "separator must be one of comma, semicolon")
		}
	}
	none := []string{"category", "score", "locale", "q", "cursor"}
	if f.what == exportComments {
		none = []string{"by", "series"}
	}
	for _, name := range none {
		if values.Has(name) {
			return f, survey.Errorf(survey.Invalid, name, "%s must be left out of an export of %s", name, f.what)
		}
	}
	if f.format == formatXLSX {
		for _, name := range []string{"separator", "cursor"} {
			if values.Has(name) {
				return f, survey.Errorf(survey.Invalid, name, "%s must be left out of a workbook", name)
			}
		}
	}
	for name, v := range values {
		if name != "what" && name != "format" && name != "separator" {
			f.question[name] = v
		}
	}
	return f, nil
}

// exportScores answers with a row for each period.
func (h *Handler) exportScores(ctx context.Context, r *call, t *survey.Touchpoint, f file) (apigw.Response, error) {
	q, err := parseQuery(f.question.Encode(), h.today())
	if err != nil {
		return apigw.Response{}, err
	}
	if q.group, err = r.group(q.group); err != nil {
		return apigw.Response{}, err
	}
	rep, err := h.report(ctx, r.who, t, q)
	if err != nil {
		return apigw.Response{}, err
	}
	name := fmt.Sprintf("%s-%s-%s", t.ID, rep.Total.From, rep.Total.To)
	w, err := f.writer()
	if err != nil {
		return apigw.Response{}, err
	}
	rows := [][]cell{scoreHeader(rep.Metric)}
	for _, p := range rep.Periods {
		rows = append(rows, scoreRow(rep, p))
	}
	for _, row := range rows {
		if err := w.write(row); err != nil {
			return apigw.Response{}, err
		}
	}
	return f.answer(w, name)
}

// scoreHeader names the columns as the API names the fields.
func scoreHeader(m survey.Metric) []cell {
	names := []string{"touchpoint", "metric", "series", "from", "to", "n", "score", "margin", "low", "high", "shown", "beside", "tooFew", "verdict", "distance"}
	for _, c := range m.Categories() {
		names = append(names, "categories."+string(c))
	}
	low, high := m.Scale()
	for s := low; s <= high; s++ {
		names = append(names, "counts."+strconv.Itoa(s))
	}
	names = append(names, "suspect", "sent", "delivered", "bounced", "answered", "confirmed",
		"rates.answeredOfSent", "rates.answeredOfDelivered", "rates.confirmedOfDelivered")
	return textCells(names)
}

func textCells(names []string) []cell {
	out := make([]cell, len(names))
	for i, n := range names {
		out[i] = textCell(n)
	}
	return out
}

func scoreRow(rep report, p period) []cell {
	shown := cell{p.Shown, figure}
	row := []cell{
		textCell(rep.Touchpoint), textCell(string(rep.Metric)), numberCell(int64(rep.Series)), textCell(p.From), textCell(p.To),
		numberCell(p.N), decimalCell(p.Score), decimalCell(p.Margin), decimalCell(p.Low), decimalCell(p.High), shown,
		decimalCell(p.Beside), textCell(strconv.FormatBool(p.TooFew)), textCell(string(p.Verdict)), decimalCell(p.Distance),
	}
	for _, c := range rep.Metric.Categories() {
		row = append(row, numberCell(p.Categories[c]))
	}
	low, high := rep.Metric.Scale()
	for s := low; s <= high; s++ {
		row = append(row, numberCell(p.Counts[strconv.Itoa(s)]))
	}
	for _, n := range []int64{p.Suspect, p.Sent, p.Delivered, p.Bounced, p.Answered, p.Confirmed} {
		row = append(row, numberCell(n))
	}
	return append(row, decimalCell(p.Rates.AnsweredOfSent), decimalCell(p.Rates.AnsweredOfDelivered), decimalCell(p.Rates.ConfirmedOfDelivered))
}

// exportComments answers with a row for each answer that has words, the newest
// first. A CSV file comes in parts: the header Link says where the next is, and
// only the first has the names of the columns.
func (h *Handler) exportComments(ctx context.Context, r *call, t *survey.Touchpoint, f file) (apigw.Response, error) {
	from, to, err := h.days(f.question)
	if err != nil {
		return apigw.Response{}, err
	}
	wanted, err := parseFilter(f.question, r.who)
	if err != nil {
		return apigw.Response{}, err
	}
	bound := url.Values{"touchpoint": {t.ID}, "what": {f.what}} // of which question a cursor is
	for name, v := range f.question {
		bound[name] = v
	}
	c := cursor{at: store.FeedAt(h.midnight(to)), length: longest}
	if f.question.Has("cursor") {
		end := c.at
		if c, err = parseCursor(bound); err != nil {
			return apigw.Response{}, err
		}
		if c.at > end {
			return apigw.Response{}, noCursor()
		}
	}
	w, err := f.writer()
	if err != nil {
		return apigw.Response{}, err
	}
	if !f.question.Has("cursor") {
		if err := w.write(textCells(commentHeader)); err != nil {
			return apigw.Response{}, err
		}
	}
	in := newReading(h.Feed, []string{t.ID}, store.FeedAt(h.midnight(from)), c.at, wanted.keeps)
	in.length, in.coarse = c.length, len(r.who.Segments) > 0
	for wave := 0; len(in.gaps) > 0 && (wave < maxWaves || f.format == formatXLSX); wave++ {
		if err := in.wave(ctx); err != nil {
			return apigw.Response{}, err
		}
		if f.format == formatXLSX && len(in.kept) > maxRows {
			return apigw.Response{}, survey.Errorf(survey.Invalid, "format", "format must be csv for more than %d comments; or ask for fewer days", maxRows)
		}
	}
	next, more := in.known(), len(in.gaps) > 0
	found := in.entries()
	for i, e := range found {
		if err := w.write(commentRow(newResponse(e.Ask, r.who))); err != nil {
			return apigw.Response{}, err
		}
		if w.size() >= maxPart && i < len(found)-1 {
			next, more = e.At, true
			break
		}
	}
	resp, err := f.answer(w, fmt.Sprintf("%s-comments-%s-%s", t.ID, from.Format(dateFormat), to.Format(dateFormat)))
	if err == nil && more {
		link := url.Values{"what": {f.what}, "cursor": {cursor{next, in.length}.encode(bound)}}
		for name, v := range f.question {
			if name != "cursor" {
				link[name] = v
			}
		}
		if f.comma != ',' {
			link.Set("separator", "semicolon")
		}
		resp = resp.Set("link", fmt.Sprintf(`</api/export/%s?%s>; rel="next"`, t.ID, link.Encode()))
	}
	return resp, err
}

var commentHeader = []string{
	"answeredAt", "touchpoint", "series", "metric", "score", "category", "comment", "channel", "locale", "segments",
	"editedAt", "confirmed", "contact", "page", "ref", "key",
}

func commentRow(a response) []cell {
	contact := ""
	if a.Contact != nil {
		contact = *a.Contact
	}
	return []cell{
		timeCell(&a.AnsweredAt), textCell(a.Touchpoint), numberCell(int64(a.Series)), textCell(string(a.Metric)), numberCell(int64(a.Score)),
		textCell(string(a.Category)), textCell(a.Comment), textCell(string(a.Channel)), textCell(a.Locale), textCell(strings.Join(a.Segments, ", ")),
		timeCell(a.EditedAt), textCell(strconv.FormatBool(a.Confirmed)), textCell(contact), textCell(a.Page), textCell(a.Ref), textCell(a.Key),
	}
}

// tableWriter writes a table row by row.
type tableWriter interface {
	write(row []cell) error
	// size is how many bytes have been written so far, of a file that can have
	// parts; 0 of another.
	size() int
	// finish returns the file.
	finish() ([]byte, error)
}

func (f file) writer() (tableWriter, error) {
	if f.format == formatXLSX {
		return newWorkbook()
	}
	w := &csvWriter{decimal: "."}
	if f.comma == ';' {
		w.decimal = ","
	}
	if !f.question.Has("cursor") {
		w.buf.WriteString(byteOrderMark)
	}
	w.csv = csv.NewWriter(&w.buf)
	w.csv.Comma, w.csv.UseCRLF = f.comma, true
	return w, nil
}

// answer returns the file as an attachment that nobody stores but the reader.
func (f file) answer(w tableWriter, name string) (apigw.Response, error) {
	b, err := w.finish()
	if err != nil {
		return apigw.Response{}, err
	}
	if f.format == formatXLSX && len(b) > maxBook {
		return apigw.Response{}, survey.Errorf(survey.Invalid, "format", "format must be csv for a file of over %d MB; or ask for fewer days", maxBook>>20)
	}
	types := map[string]string{
		formatCSV:  "text/csv; charset=utf-8",
		formatXLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	}
	return apigw.Response{StatusCode: http.StatusOK, Body: base64.StdEncoding.EncodeToString(b), IsBase64Encoded: true, Headers: map[string]string{
		"content-type":           types[f.format],
		"content-disposition":    fmt.Sprintf("attachment; filename=%q", name+"."+f.format),
		"cache-control":          "no-store",
		"x-content-type-options": "nosniff",
	}}, nil
}

// csvWriter writes a CSV file (RFC 4180).
type csvWriter struct {
	buf     bytes.Buffer
	csv     *csv.Writer
	decimal string // the sign between a number's whole part and its decimals
}

func (w *csvWriter) write(row []cell) error {
	out := make([]string, len(row))
	for i, c := range row {
		if c.kind == prose {
			out[i] = harmless(c.value)
		} else {
			out[i] = strings.Replace(c.value, ".", w.decimal, 1)
		}
	}
	if err := w.csv.Write(out); err != nil {
		return fmt.Errorf("writing a row: %w", err)
	}
	w.csv.Flush()
	return nil
}

func (w *csvWriter) size() int { return w.buf.Len() }

func (w *csvWriter) finish() ([]byte, error) { return w.buf.Bytes(), w.csv.Error() }

// harmless returns a text that no spreadsheet takes for a formula, nor a part of
// it (OWASP, "CSV Injection"): what begins like one gets an apostrophe before it.
// A part begins after whatever could end a cell: a spreadsheet parts a file by
// the signs of the reader's region, semicolons where the file has commas, and
// then quotes do not hold a text together.
func harmless(s string) string {
	var out strings.Builder
	first := formulas + "\t\r\n"
	for _, r := range s {
		if strings.ContainsRune(first, r) {
			out.WriteByte('\'')
		}
		out.WriteRune(r)
		if first = ""; strings.ContainsRune(",;\t\r\n\"", r) {
			first = formulas
		}
	}
	return out.String()
}

// formulas are the signs that a formula begins with, as wide as letters of
// Chinese and Japanese too.
const formulas = "=+-@＝＋－＠"

// workbook writes an Excel workbook of one sheet. Its texts are of the type
// text, which is never a formula.
type workbook struct {
	file *excelize.File
	rows *excelize.StreamWriter
	n    int
}

func newWorkbook() (*workbook, error) {
	f := excelize.NewFile()
	rows, err := f.NewStreamWriter(f.GetSheetName(0))
	if err != nil {
		return nil, fmt.Errorf("beginning a workbook: %w", err)
	}
	return &workbook{file: f, rows: rows}, nil
}

func (w *workbook) write(row []cell) error {
	w.n++
	out := make([]any, len(row))
	for i, c := range row {
		if out[i] = c.value; c.kind == number {
			v, err := strconv.ParseFloat(c.value, 64)
			if err != nil {
				return fmt.Errorf("a cell of a workbook: %w", err)
			}
			out[i] = v
		}
	}
	if err := w.rows.SetRow("A"+strconv.Itoa(w.n), out); err != nil {
		return fmt.Errorf("writing a row: %w", err)
	}
	return nil
}

func (w *workbook) size() int { return 0 }

func (w *workbook) finish() ([]byte, error) {
	if err := w.rows.Flush(); err != nil {
		return nil, fmt.Errorf("ending a workbook: %w", err)
	}
	b, err := w.file.WriteToBuffer()
	if err != nil {
		return nil, fmt.Errorf("writing a workbook: %w", err)
	}
	return b.Bytes(), nil
}
