package stack

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"github.com/pulssi/pulssi/shared/survey"
)

// numbers holds the overview, the page of a touchpoint, the API and the files
// to the same numbers, to the last digit: those that were computed by hand.
func (g *guest) numbers() {
	g.visit("/dashboard")
	g.settled()
	for _, c := range g.cases {
		n := 0
		for _, some := range c.Counts {
			n += some
		}
		want := c.written()
		what := func(where, got string) {
			g.Helper()
			if got != want {
				g.Errorf("%s: %s says %q, want %q", c.Name, where, got, want)
			}
		}
		api := g.total(g.T, c.id, "")
		what("the API", numbersCase{Metric: c.Metric, figures: api.figures}.written())
		if !same(api.Low, c.Low) || !same(api.High, c.High) || api.N != n {
			g.Errorf("%s: the API says %+v", c.Name, api)
		}
		card := fmt.Sprintf(`.stand:has(a[href*="/t/%s?"], a[href$="/t/%s"])`, c.id, c.id)
		what("the overview", g.read(card+" .score"))
		g.do(chromedp.Click(card + " a"))
		g.until(fmt.Sprintf(`document.querySelector("h1")?.textContent === %q && document.querySelector(".standing .figure")`, c.Name))
		what("the page", g.read(".standing .score"))
		for score, n := range c.Counts {
			low, _ := c.Metric.Scale()
			at, err := strconv.Atoi(score)
			if err != nil {
				g.Fatal(err)
			}
			if got := g.read(fmt.Sprintf(".scores li:nth-child(%d) .n", at-low+1)); got != strconv.Itoa(n) {
				g.Errorf("%s: the page says that %s was answered %s times, want %d", c.Name, score, got, n)
			}
		}
		for _, format := range []string{"csv", "xlsx"} {
			in := g.row(c.id, format)
			what("the "+format+" file", numbersCase{Metric: c.Metric, figures: in}.written())
			if !same(in.Low, c.Low) || !same(in.High, c.High) {
				g.Errorf("%s: the %s file says %+v", c.Name, format, in)
			}
		}
		g.do(chromedp.Click(`nav a[href="/dashboard"]`))
		g.until(fmt.Sprintf("document.querySelector(%q)", card))
	}
}

// written is a score as the page writes it in Finnish, with its margin.
func (c numbersCase) written() string {
	out := finnish(c.Shown)
	if slices.Contains([]survey.Metric{survey.CSAT, survey.Smiley, survey.Thumbs}, c.Metric) {
		out += " %"
	}
	if c.Margin == nil {
		return out
	}
	margin, err := c.Margin.Float64()
	if err != nil {
		return err.Error()
	}
	decimals := 1
	if c.Metric == survey.CES || c.Metric == survey.CES5 {
		decimals = 2
	}
	return out + " ± " + finnish(strconv.FormatFloat(margin, 'f', decimals, 64))
}

// same reports whether two numbers are the same, however many zeros they end
// in, or both missing.
func same(a, b *json.Number) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, err := a.Float64()
	y, err2 := b.Float64()
	return err == nil && err2 == nil && x == y
}

// row returns the one row of a touchpoint's file of scores that has answers.
func (g *guest) row(touchpoint, format string) figures {
	g.Helper()
	file := g.file(g.T, "/api/export/"+touchpoint+"?by=year&format="+format)
	var rows [][]string
	var err error
	if format == "csv" {
		rows, err = csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\ufeff")))).ReadAll()
	} else {
		rows, err = cells(file)
	}
	if err != nil {
		g.Fatal(err)
	}
	column := func(row []string, name string) string {
		g.Helper()
		i := slices.Index(rows[0], name)
		if i < 0 {
			g.Fatalf("the file has no column %s: %q", name, rows[0])
		}
		if i >= len(row) {
			return ""
		}
		return row[i]
	}
	rows = slices.DeleteFunc(rows, func(row []string) bool { return column(row, "n") == "0" })
	if len(rows) != 2 {
		g.Fatalf("the file has %d rows with answers", len(rows)-1)
	}
	decimal := func(name string) *json.Number {
		if v := column(rows[1], name); v != "" {
			return new(json.Number(v))
		}
		return nil
	}
	return figures{column(rows[1], "shown"), decimal("score"), decimal("margin"), decimal("low"), decimal("high")}
}

// cells returns the cells of a workbook's first sheet as Excel shows them.
func cells(file []byte) ([][]string, error) {
	f, err := excelize.OpenReader(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.GetRows(f.GetSheetName(0))
}
