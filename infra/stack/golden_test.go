package stack

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the templates of testdata anew")

// TestTemplates holds the templates to those of testdata, where a change of what
// is deployed can be read:
//
//	go test ./infra/stack -run TestTemplates -update && git diff infra/stack/testdata
func TestTemplates(t *testing.T) {
	a, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	for _, names := range a.names {
		for _, name := range names {
			golden := filepath.Join("testdata", name+".template.json")
			b, err := os.ReadFile(filepath.Join(a.folder, name+".template.json"))
			if err != nil {
				t.Fatal(err)
			}
			got := indented(t, b)
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s is not what %s says; if it should be, write that anew with -update (-want +got):\n%s", name, golden, diff)
			}
		}
	}
}

// indented is a template with its keys in order, a value a line.
func indented(t *testing.T, template []byte) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal(template, &v); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
