package vote_test

import (
	"bytes"
	"compress/gzip"
	"testing"

	"github.com/pulssi/pulssi/functions/vote"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/web"
)

// The budgets of all that a visitor's browser loads, in bytes after gzip -9:
// where the popup does not show, and where it is shown and answered.
const (
	budgetHidden = 1600
	budgetShown  = 5000
)

func TestSizes(t *testing.T) {
	size := func(b []byte) int {
		var out bytes.Buffer
		z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Len()
	}
	var code []int
	for _, name := range web.WidgetLoads() {
		f, ok := web.Widget(name)
		if !ok {
			t.Fatalf("there is no %s", name)
		}
		code = append(code, size(f.Body))
		t.Logf("%s: %d bytes", name, size(f.Body))
	}
	for _, s := range shapes {
		tp := asking(s.metric)
		tp.Widget = &survey.Widget{Shape: s.shape, Include: []string{"/thanks*"}, Delay: 3e9, Color: "#ffcc00"}
		h := &vote.Handler{Touchpoints: touchpoints{tp.ID: tp}}
		get := func(query string) int {
			r := request("GET /w/{file}", tp.ID+".json", nil, "")
			r.RawQueryString = query
			return size([]byte(handle(t, h, r).Body))
		}
		for _, locale := range tp.Locales {
			when, show := get("part=when"), get("part=show&locale="+locale)
			hidden, shown := code[0]+when, code[0]+when+code[1]+show
			t.Logf("%s in %s: when %d, show %d; hidden %d, shown %d", s.name, locale, when, show, hidden, shown)
			if hidden > budgetHidden || shown > budgetShown {
				t.Errorf("%s in %s: %d bytes where it does not show, %d where it does; at most %d and %d", s.name, locale, hidden, shown, budgetHidden, budgetShown)
			}
		}
	}
}
