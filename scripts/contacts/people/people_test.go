package people_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"github.com/pulssi/pulssi/scripts/contacts/people"
	"github.com/pulssi/pulssi/shared/address"
)

func TestWrite(t *testing.T) {
	write := func(o people.Options) string {
		t.Helper()
		var b bytes.Buffer
		if err := people.Write(&b, o); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	const n = 3000
	o := people.Options{People: n, Seed: 7, Separator: ';', Encoding: "utf-8"}
	got := write(o)
	if got != write(o) {
		t.Error("the same seed made up other people")
	}
	if o.Seed = 8; got == write(o) {
		t.Error("another seed made up the same people")
	}
	r := csv.NewReader(strings.NewReader(got))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil || len(rows) != n+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	seen := map[string]bool{}
	phones := 0
	for _, row := range rows[1:] {
		email, err := address.Email(row[3])
		if err != nil || !strings.HasSuffix(email, ".example.com") || email != strings.ToLower(row[3]) {
			t.Errorf("%s: %v", row[3], err)
		}
		if row[4] != "" {
			phones++
			p, err := address.Phone(row[4], "FI")
			if err != nil || !strings.HasPrefix(p, "+46701740") && !strings.HasPrefix(p, "+1") {
				t.Errorf("%s: %v", row[4], err)
			}
			row = append(row, p)
		}
		for _, key := range append([]string{row[0], email}, row[9:]...) {
			if seen[key] {
				t.Errorf("%s twice", key)
			}
			seen[key] = true
		}
	}
	if phones != n/3 {
		t.Errorf("%d have phones", phones)
	}
	for _, e := range people.Encodings() {
		o.Encoding = e
		if s := write(o); !slices.Contains([]string{"Asia", "\xef\xbb\xbfA", "\xff\xfeA\x00"}, s[:4]) {
			t.Errorf("%s begins with %q", e, s[:4])
		}
	}
	o.Encoding = "windows-1252"
	if s := write(o); !strings.Contains(s, "S\xe4hk\xf6posti") || strings.Contains(s, "\x1a") {
		t.Error("no Windows-1252")
	}
	if o.Encoding = "EBCDIC"; people.Write(&bytes.Buffer{}, o) == nil {
		t.Error("there is no EBCDIC")
	}
}
