package survey

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	for _, c := range []struct {
		in   string
		want time.Duration
		out  string // as it is written again
	}{
		{"0s", 0, "0s"},
		{"0d", 0, "0s"},
		{"3s", 3 * time.Second, "3s"},
		{"59s", 59 * time.Second, "59s"},
		{"60s", time.Minute, "1m"},
		{"90s", 90 * time.Second, "90s"},
		{"10m", 10 * time.Minute, "10m"},
		{"60m", time.Hour, "1h"},
		{"12h", 12 * time.Hour, "12h"},
		{"24h", 24 * time.Hour, "1d"},
		{"36h", 36 * time.Hour, "36h"},
		{"007d", 7 * 24 * time.Hour, "7d"},
		{"3650d", 3650 * 24 * time.Hour, "3650d"},
		{"87600h", 3650 * 24 * time.Hour, "3650d"},
		{"5256000m", 3650 * 24 * time.Hour, "3650d"},
		{"315360000s", 3650 * 24 * time.Hour, "3650d"},
	} {
		got, err := ParseSpan(c.in)
		if err != nil || time.Duration(got) != c.want || got.String() != c.out {
			t.Errorf("%q: %v written %q, %v; want %v written %q", c.in, time.Duration(got), got, err, c.want, c.out)
		}
	}
	for _, in := range []string{
		"", "s", "3", "d3", "-3s", "+3s", "1.5h", "1h30m", "3 s", " 3s", "3s ", "3S", "3ms", "3w", "٣s", "0x3s", "1_0s",
		"3651d", "87601h", "5256001m", "315360001s", "4294967296s", "99999999999999999999d",
	} {
		got, err := ParseSpan(in)
		if got != 0 {
			t.Errorf("%q is %v", in, got)
		}
		wantError(t, err, "", "is not a time span: write a whole number and s, m, h or d, at most 3650d")
	}
}

func TestSpanInJSON(t *testing.T) {
	type doc struct {
		A Span `json:"a"`
		B Span `json:"b,omitempty"`
	}
	out, err := json.Marshal(doc{A: Span(90 * 24 * time.Hour)})
	if err != nil || string(out) != `{"a":"90d"}` {
		t.Errorf("%s %v", out, err)
	}
	var in doc
	if err := json.Unmarshal([]byte(`{"a":"2h","b":"3s"}`), &in); err != nil || in != (doc{Span(2 * time.Hour), Span(3 * time.Second)}) {
		t.Errorf("%v %v", in, err)
	}
	for _, bad := range []string{`{"a":"soon"}`, `{"a":90}`, `{"a":""}`} {
		before := doc{A: 7}
		if err := json.Unmarshal([]byte(bad), &before); err == nil || before.A != 7 {
			t.Errorf("%s: %v, %v", bad, before, err)
		}
	}
}

func FuzzParseSpan(f *testing.F) {
	for _, s := range []string{"3s", "10m", "12h", "90d", "0s", "3650d", "3651d", "-1d", "1.5h", "", "d", "18446744073709551616s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseSpan(s)
		if err != nil {
			return
		}
		if v < 0 || v > Span(maxSpan) {
			t.Errorf("%q is %v", s, time.Duration(v))
		}
		text := v.String()
		if again, err := ParseSpan(text); err != nil || again != v {
			t.Errorf("%q is written %q, which is %v, %v", s, text, again, err)
		}
		// What is written is the shortest way to say it.
		if len(text) > len(strings.TrimLeft(s, "0")) && v != 0 {
			t.Errorf("%q is written longer: %q", s, text)
		}
	})
}
