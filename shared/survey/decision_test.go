package survey

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
)

// Reasons lists every constant that there is, in its order.
func TestReasons(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "decision.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want []Reason
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "Reason" {
			for _, v := range spec.Values {
				s, err := strconv.Unquote(v.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, Reason(s))
			}
		}
		return true
	})
	if len(want) < 13 || !slices.Equal(Reasons(), want) {
		t.Errorf("%q, want %q", Reasons(), want)
	}
}

// A reminder is never taken for an occasion, whatever an event is called.
func TestReminds(t *testing.T) {
	for _, o := range []Occasion{"2026Q4", "2026", "custom/invoice-12", "custom/invoice-12/reminder", "custom/reminder/invoice-12"} {
		if of, ok := o.Reminds(); ok || of != o {
			t.Errorf("%s is of the reminder of %s", o, of)
		}
		if of, ok := o.ReminderOf().Reminds(); !ok || of != o {
			t.Errorf("the reminder of %s is %s, of %s", o, o.ReminderOf(), of)
		}
	}
	if Occasion("custom/invoice-12").ReminderOf() == "custom/invoice-12/reminder" {
		t.Error("the reminder of one event is another event")
	}
}
