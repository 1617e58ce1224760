package survey

import (
	"strings"
	"testing"
)

func TestAnnotationCheck(t *testing.T) {
	long := strings.Repeat
	tests := []struct {
		name   string
		change func(*Annotation)
		field  string // "" where it is right
		rule   string
	}{
		{"of all touchpoints", func(*Annotation) {}, "", ""},
		{"of one", func(a *Annotation) { a.Touchpoint = "shop-nps" }, "", ""},
		{"of none that could be", func(a *Annotation) { a.Touchpoint = "Shop" }, "touchpoint", "1 to 63 characters"},
		{"a text of 200", func(a *Annotation) { a.Text = long("ö", 200) }, "", ""},
		{"a text of 201", func(a *Annotation) { a.Text = long("ö", 201) }, "text", "at most 200 characters"},
		{"no text", func(a *Annotation) { a.Text = "" }, "text", "must not be empty"},
		{"white space", func(a *Annotation) { a.Text = "  " }, "text", "must not be empty"},
		{"no UTF-8", func(a *Annotation) { a.Text = "\xff" }, "text", "must be UTF-8"},
		{"a text of two lines", func(a *Annotation) { a.Text = "a\nb" }, "text", "control characters"},
		{"markup, which is text", func(a *Annotation) { a.Text = "<b>=1+1</b>" }, "", ""},
		{"the first day", func(a *Annotation) { a.Date = "2000-01-01" }, "", ""},
		{"a day before", func(a *Annotation) { a.Date = "1999-12-31" }, "date", "from 2000 to 2199"},
		{"the last day", func(a *Annotation) { a.Date = "2199-12-31" }, "", ""},
		{"a day after", func(a *Annotation) { a.Date = "2200-01-01" }, "date", "from 2000 to 2199"},
		{"no day", func(a *Annotation) { a.Date = "2026-02-30" }, "date", "a date such as"},
		{"a moment", func(a *Annotation) { a.Date = "2026-02-20T10:00:00Z" }, "date", "a date such as"},
		{"no date", func(a *Annotation) { a.Date = "" }, "date", "a date such as"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := Annotation{Date: "2026-11-21", Text: "Uusi kassa"}
			tt.change(&a)
			wantBroken(t, a.Check(), tt.field, tt.rule)
		})
	}
}
