package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func TestGolden(t *testing.T) {
	for _, c := range []struct{ name, args string }{
		{"shop", "-month month.yaml"},
		{"shop-all", "-month month.yaml -all"},
		{"nothing", ""},
		{"free", "-month month.yaml -votes 1000000 -sms 0 -free"},
		{"tracing", "-votes 1000000 -tracing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			if err := run(strings.Fields(c.args), &out); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", c.name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("%s (-update writes it):\n%s", file, diff)
			}
		})
	}
}

func TestBadArguments(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("answers: -1\nreplies: 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"month.yaml", `unknown argument "month.yaml": the file goes after -month`},
		{"-month nowhere.yaml", "nowhere.yaml"},
		{"-month " + bad, "the month cannot be read"},
		{"-prices " + bad, "prices cannot be read"},
		{"-sms 5", "smsPrice must be given"},
		{"-comments 1", "comments must be at most"},
		{"-answers -1", "answers must be from 0"},
		{"-answers many", "invalid value"},
	} {
		var out strings.Builder
		err := run(strings.Fields(c.args), &out)
		if err == nil || !strings.Contains(words(err), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.args, err, c.want)
		}
	}
}

// TestAnotherRegion takes the prices of a file in place of the list's.
func TestAnotherRegion(t *testing.T) {
	list, err := os.ReadFile("bill/prices/us-east-1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "eu-north-1.yaml")
	text := strings.NewReplacer("region: us-east-1\n", "region: eu-north-1\n", "usd: 0.16", "usd: 0.20").Replace(string(list))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run([]string{"-emails", "100000", "-prices", file}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "20.00  eu-north-1") || strings.Contains(out.String(), "  us-east-1  ") {
		t.Errorf("100,000 e-mails at $0.20 for 1,000:\n%s", &out)
	}
}
