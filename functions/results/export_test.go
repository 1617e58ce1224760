package results

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/survey"
)

const routeExport = "GET /api/export/{touchpoint}"

// download returns the file that an export answers with, and its headers.
func download(t testing.TB, h *Handler, path, query string) ([]byte, map[string]string) {
	t.Helper()
	resp := get(t, h, routeExport, path, query)
	if resp.StatusCode != http.StatusOK || !resp.IsBase64Encoded {
		t.Fatalf("status %d: %s", resp.StatusCode, resp.Body)
	}
	b, err := base64.StdEncoding.DecodeString(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b, resp.Headers
}

func readCSV(t testing.TB, b []byte, comma rune) [][]string {
	t.Helper()
	b, ok := bytes.CutPrefix(b, []byte("\xef\xbb\xbf"))
	if !ok {
		t.Errorf("no byte order mark: %q", b[:min(len(b), 10)])
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.Comma = comma
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func readWorkbook(t testing.TB, b []byte) (rows [][]string, f *excelize.File) {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if rows, err = f.GetRows(f.GetSheetName(0), excelize.Options{RawCellValue: true}); err != nil {
		t.Fatal(err)
	}
	return rows, f
}

// flat writes what is in an answer of the API by path, as columns are named:
// "rates.answeredOfSent"; null is "".
func flat(t testing.TB, v any) map[string]string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var o map[string]any
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	var walk func(prefix string, o map[string]any)
	walk = func(prefix string, o map[string]any) {
		for name, v := range o {
			switch v := v.(type) {
			case map[string]any:
				walk(prefix+name+".", v)
			case nil:
				out[prefix+name] = ""
			default:
				out[prefix+name] = fmt.Sprint(v)
			}
		}
	}
	walk("", o)
	return out
}

// TestExportOfScores holds every cell of the files against the answers of the
// API, for every metric.
func TestExportOfScores(t *testing.T) {
	var defs definitions
	changes := score.Changes{}
	for _, m := range survey.Metrics() {
		tp := touchpoint("all-"+string(m), m, 1)
		tp.Goal = new(2.5)
		defs = append(defs, tp)
		low, high := m.Scale()
		for s := low; s <= high; s++ {
			for i := range s + 1 {
				a := answer(tp, s, time.Date(2026, 11, 1+i, 12, 0, 0, 0, time.UTC))
				a.SentAt = a.AnsweredAt
				changes.Replace(nil, a, helsinki)
			}
		}
	}
	h := newHandler(defs, changes)
	const query = "from=2026-11-01&to=2026-12-01&by=week"
	for _, tp := range defs {
		t.Run(tp.ID, func(t *testing.T) {
			var rep report
			if err := json.Unmarshal([]byte(get(t, h, routeResults, tp.ID, query).Body), &rep); err != nil {
				t.Fatal(err)
			}
			b, headers := download(t, h, tp.ID, query)
			if name := headers["content-disposition"]; name != `attachment; filename="`+tp.ID+`-2026-11-01-2026-12-01.csv"` {
				t.Errorf("content-disposition %s", name)
			}
			comma := readCSV(t, b, ',')
			b, _ = download(t, h, tp.ID, query+"&separator=semicolon")
			semicolon := readCSV(t, b, ';')
			b, _ = download(t, h, tp.ID, query+"&format=xlsx")
			workbook, _ := readWorkbook(t, b)
			if len(comma) != len(rep.Periods)+1 || len(semicolon) != len(comma) || len(workbook) != len(comma) {
				t.Fatalf("%d, %d, %d rows for %d periods", len(comma), len(semicolon), len(workbook), len(rep.Periods))
			}
			for i, p := range rep.Periods {
				want := flat(t, p)
				want["touchpoint"], want["metric"], want["series"] = tp.ID, string(tp.Metric), "1"
				for j, column := range comma[0] {
					value, ok := want[column]
					if !ok && strings.HasPrefix(column, "counts.") {
						value, ok = "0", true // those that nobody gave
					}
					if got := comma[i+1][j]; !ok || got != value {
						t.Errorf("%s, %s: the file has %q, the API %q", p.From, column, got, value)
					}
					if got := strings.Replace(semicolon[i+1][j], ",", ".", 1); got != value {
						t.Errorf("%s, %s: with semicolons %q, the API %q", p.From, column, semicolon[i+1][j], value)
					}
					var cell string
					if j < len(workbook[i+1]) { // empty ones at the end are left out
						cell = workbook[i+1][j]
					}
					if n, err := strconv.ParseFloat(value, 64); err == nil && column != "shown" {
						value = strconv.FormatFloat(n, 'f', -1, 64)
					}
					if cell != value {
						t.Errorf("%s, %s: the workbook has %q, the API %q", p.From, column, cell, value)
					}
					delete(want, column)
				}
				if len(want) != 0 {
					t.Errorf("not in the file: %v", want)
				}
			}
		})
	}
}

// nasty are comments that somebody could have written to be run by a
// spreadsheet, or that break a file.
var nasty = []string{
	`=HYPERLINK("http://evil.example","click")`, "+358 40 123", "-5 pistettä", "@SUM(1)", "\tsarkain", "\rrivi",
	"kaksi\nriviä", `lainaus "ja", pilkku; puolipiste`, "<script>alert(1)</script>", "ä\u00a0😀", "'heitto", " =alku",
}

func TestExportOfComments(t *testing.T) {
	shop := touchpoint("shop-nps", survey.NPS, 1)
	var asks []*survey.Ask
	for i, s := range nasty {
		a := answer(shop, i%11, time.Date(2026, 11, 20, 12, 60-i, 0, 0, time.UTC))
		a.Comment, a.Segments, a.Locale, a.Ref, a.Contact = s, []string{"plan=gold", "vip"}, "fi", "=1+1", survey.NewID()
		asks = append(asks, a)
	}
	h, _ := sharing(definitions{shop}, asks, survey.View{}, false)
	b, headers := download(t, h, "shop-nps", "what=comments&from=2026-11-01&to=2026-12-01")
	rows := readCSV(t, b, ',')
	if name := headers["content-disposition"]; name != `attachment; filename="shop-nps-comments-2026-11-01-2026-12-01.csv"` || headers["link"] != "" {
		t.Errorf("headers %v", headers)
	}
	b, _ = download(t, h, "shop-nps", "what=comments&format=xlsx&from=2026-11-01&to=2026-12-01")
	workbook, f := readWorkbook(t, b)
	column := slices.Index(rows[0], "comment")
	if len(rows) != len(nasty)+1 || !slices.Equal(rows[0], workbook[0]) {
		t.Fatalf("%d rows, %v and %v", len(rows), rows[0], workbook[0])
	}
	var list responseList
	if err := json.Unmarshal([]byte(get(t, h, "GET /api/responses", "", "touchpoint=shop-nps").Body), &list); err != nil {
		t.Fatal(err)
	}
	for i, s := range nasty {
		// All line ends of a file are the same; a \r alone, which no comment can
		// have, is none.
		want := strings.ReplaceAll(s, "\r", "")
		if strings.ContainsAny(s[:1], "=+-@\t\r") {
			want = "'" + want
		}
		if got := rows[i+1][column]; got != want {
			t.Errorf("the file has %q, want %q", got, want)
		}
		if got := rows[i+1][slices.Index(rows[0], "ref")]; got != "'=1+1" {
			t.Errorf("the ref is %q", got)
		}
		name, err := excelize.CoordinatesToCellName(column+1, i+2)
		if err != nil {
			t.Fatal(err)
		}
		if formula, err := f.GetCellFormula(f.GetSheetName(0), name); err != nil || formula != "" {
			t.Errorf("%q is the formula %q, %v", s, formula, err)
		}
		if kind, err := f.GetCellType(f.GetSheetName(0), name); err != nil || kind != excelize.CellTypeInlineString {
			t.Errorf("%q is of type %v, %v", s, kind, err)
		}
		if got := strings.ReplaceAll(workbook[i+1][column], "\r", "\n"); got != strings.ReplaceAll(s, "\r", "\n") {
			t.Errorf("the workbook has %q, want %q", got, s)
		}
		a := flat(t, list.Responses[i])
		for j, c := range rows[0] {
			if value := rows[i+1][j]; c != "comment" && c != "ref" && c != "segments" && value != harmless(a[c]) {
				t.Errorf("%s: the file has %q, the API %q", c, value, a[c])
			}
		}
	}
}

// TestExportInParts reads a file of several parts as a client does that follows
// the links.
func TestExportInParts(t *testing.T) {
	shop := touchpoint("shop-nps", survey.NPS, 1)
	long := strings.Repeat("ä", survey.MaxComment)
	n := 2*maxPart/len(long) + 100
	var feed words
	for i := range n {
		a := answer(shop, 9, time.Date(2026, 11, 1, 12, 0, i, 0, time.UTC))
		a.Comment = long
		feed = append(feed, a)
	}
	h := newHandler(definitions{shop}, nil)
	h.Feed = feed
	query, keys, parts := "what=comments&separator=semicolon&channel=widget", map[string]bool{}, 0
	for query != "" {
		b, headers := download(t, h, "shop-nps", query)
		if len(b) > maxPart+5000 {
			t.Errorf("a part of %d bytes", len(b))
		}
		if parts++; parts > 1 {
			b = append([]byte(byteOrderMark+"answeredAt;key\r\n"), b...)
		}
		r := csv.NewReader(bytes.NewReader(b))
		r.Comma, r.FieldsPerRecord = ';', -1
		for first := true; ; first = false {
			row, err := r.Read()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if first {
				if !strings.HasPrefix(row[0], byteOrderMark+"answeredAt") {
					t.Errorf("the first row is %q", row)
				}
				continue
			}
			if key := row[len(row)-1]; keys[key] {
				t.Fatalf("%s is there twice", key)
			} else {
				keys[key] = true
			}
		}
		query = ""
		if link := headers["link"]; link != "" {
			u, err := url.Parse(strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`))
			if err != nil || u.Path != "/api/export/shop-nps" {
				t.Fatalf("link %s: %v", link, err)
			}
			query = u.RawQuery
		}
	}
	if parts != 3 || len(keys) != n {
		t.Errorf("%d answers in %d parts, want %d in 3", len(keys), parts, n)
	}
}

func TestExportRefuses(t *testing.T) {
	shop := touchpoint("shop-nps", survey.NPS, 1)
	var feed words
	for i := range maxRows + 1 {
		a := answer(shop, 9, time.Date(2026, 11, 1, 12, 0, i, 0, time.UTC))
		a.Comment = "Hyvä"
		feed = append(feed, a)
	}
	h := newHandler(twoShops(), score.Changes{})
	h.Feed = feed
	for _, tt := range []struct {
		path, query string
		status      int
		code        survey.Code
		field, msg  string
	}{
		{"nothing", "", 404, survey.NotFound, "touchpoint", "no such touchpoint"},
		{"shop-nps", "what=answers", 400, survey.Invalid, "what", "one of scores, comments"},
		{"shop-nps", "format=xls", 400, survey.Invalid, "format", "one of csv, xlsx"},
		{"shop-nps", "separator=tab", 400, survey.Invalid, "separator", "one of comma, semicolon"},
		{"shop-nps", "separator=semicolon&format=xlsx", 400, survey.Invalid, "separator", "left out of a workbook"},
		{"shop-nps", "q=hinta", 400, survey.Invalid, "q", "left out of an export of scores"},
		{"shop-nps", "what=comments&by=day", 400, survey.Invalid, "by", "left out of an export of comments"},
		{"shop-nps", "what=comments&format=xlsx&cursor=x", 400, survey.Invalid, "cursor", "left out of a workbook"},
		{"shop-nps", "what=comments&cursor=x", 400, survey.Invalid, "cursor", "cursor must be one"},
		{"shop-nps", "what=comments&format=xlsx", 400, survey.Invalid, "format", "csv for more than 10000 comments"},
		{"shop-nps", "from=2026-02-01&to=2026-01-01", 400, survey.Invalid, "to", "to must be after from"},
		{"shop-nps", "limit=5", 400, survey.UnknownField, "limit", "is not a parameter"},
	} {
		t.Run(tt.query, func(t *testing.T) {
			caller{t, h}.refused(get(t, h, routeExport, tt.path, tt.query), tt.status, tt.code, tt.field, tt.msg)
		})
	}
	var long words // of letters that no compression makes much shorter
	for _, a := range feed[:1500] {
		letters := make([]rune, survey.MaxComment)
		for i := range letters {
			letters[i] = rune(0x4e00 + rand.IntN(0x5000))
		}
		one := *a
		one.Comment = string(letters)
		long = append(long, &one)
	}
	h.Feed = long
	caller{t, h}.refused(get(t, h, routeExport, "shop-nps", "what=comments&format=xlsx"), 400, survey.Invalid, "format", "csv for a file of over 4 MB")
	h.Feed = feed[1:]
	if b, _ := download(t, h, "shop-nps", "what=comments&format=xlsx"); len(b) == 0 {
		t.Error("a workbook of 10,000 comments is empty")
	}
	r := apigw.Request{RouteKey: routeExport, PathParameters: map[string]string{"touchpoint": "shop-nps"}}
	caller{t, h}.refused(signedIn(t, h, r, "viewer", "touchpoint:shop-csat"), 404, survey.NotFound, "touchpoint", "no such touchpoint")
}

func TestHarmless(t *testing.T) {
	want := map[string]string{"": "", "a": "a", "=1": "'=1", "+": "'+", "-1": "'-1", "@x": "'@x", "\t1": "'\t1", "\r1": "'\r1", "\n=1": "'\n'=1", "ä=1": "ä=1",
		"＝1": "'＝1", "a;=1": "a;'=1", "a,+1": "a,'+1", "a\t@x": "a\t'@x", "a\n\n-1": "a\n\n'-1", `a;"=1"`: `a;"'=1"`, "a; b, c\nd": "a; b, c\nd"}
	got := map[string]string{}
	for s := range want {
		got[s] = harmless(s)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestExportOfCases holds both kinds of files against numbers that were computed
// by hand, to the last digit.
func TestExportOfCases(t *testing.T) {
	for _, c := range handCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			h := c.counted(t)
			csvFile, _ := download(t, h, "case", caseQuery)
			workbook, _ := download(t, h, "case", caseQuery+"&format=xlsx")
			cells, _ := readWorkbook(t, workbook)
			for format, rows := range map[string][][]string{"CSV": readCSV(t, csvFile, ','), "XLSX": cells} {
				at := func(column string) string { return rows[1][slices.Index(rows[0], column)] }
				if at("shown") != c.Shown {
					t.Errorf("%s: shown %q, want %q", format, at("shown"), c.Shown)
				}
				for column, want := range map[string]*json.Number{"score": c.Score, "margin": c.Margin, "low": c.Low, "high": c.High} {
					var got *json.Number
					if at(column) != "" {
						got = new(json.Number(at(column)))
					}
					if !same(got, want) {
						t.Errorf("%s: %s is %q, want %v", format, column, at(column), text(want))
					}
				}
			}
		})
	}
}
