package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const isc = `ISC License

Copyright (c) 2026 Maija Mallikas

Permission to use, copy, modify, and/or distribute this software for any
purpose with or without fee is hereby granted, provided that the above
copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH
REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND
FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM
LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR
OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR
PERFORMANCE OF THIS SOFTWARE.
`

// project is a small one that has a dependency of every kind.
func project(t *testing.T) map[string]string {
	t.Helper()
	apache, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"go.mod": `module example.com/shop
go 1.26
require (
	example.com/linked v1.2.3
	example.com/told v0.1.0
	example.com/tried v0.2.0
	example.com/unused v0.3.0
)
replace (
	example.com/linked => ./linked
	example.com/told => ./told
	example.com/tried => ./tried
	example.com/unused => ./unused
)
`,
		"functions/answer/answer.go":            "package answer\n\nimport (\n_ \"example.com/linked\"\n_ \"example.com/linked/part\"\n)\n",
		"scripts/tell/main.go":                  "package main\n\nimport (\n_ \"example.com/linked\"\n_ \"example.com/told\"\n)\n\nfunc main() {}\n",
		"scripts/tell/main_test.go":             "package main\n\nimport _ \"example.com/tried\"\n",
		"linked/go.mod":                         "module example.com/linked\n",
		"linked/linked.go":                      "package linked\n",
		"linked/LICENSE":                        string(apache),
		"linked/part/part.go":                   "package part\n",
		"linked/part/COPYING.txt":               isc,
		"linked/apart/apart.go":                 "package apart\n",
		"linked/apart/LICENSE":                  "Nobody may use this part.\n",
		"told/go.mod":                           "module example.com/told\n",
		"told/told.go":                          "package told\n",
		"told/license.go":                       "package told\n",
		"tried/go.mod":                          "module example.com/tried\n",
		"tried/tried.go":                        "package tried\n",
		"tried/LICENSE.md":                      "Only for those who ask first. " + isc[:200],
		"unused/go.mod":                         "module example.com/unused\n",
		"unused/unused.go":                      "package unused\n",
		"scripts/package-lock.json":             `{"packages": {"": {"license": "Apache-2.0"}, "node_modules/@a/shown": {"version": "1.0.0", "license": "MIT"}, "node_modules/run": {"version": "2.0.0", "license": "MIT"}, "node_modules/run/node_modules/@a/shown": {"version": "0.9.0", "license": "MIT"}, "node_modules/elsewhere": {"version": "3.0.0", "license": "0BSD", "optional": true}, "node_modules/silent": {"version": "4.0.0"}}}`,
		"scripts/node_modules/run/package.json": `{"version": "2.0.0", "license": "(MIT OR CC0-1.0)"}`,
		"scripts/node_modules/run/node_modules/@a/shown/package.json":                               `{"version": "0.9.0", "license": "ISC"}`,
		"scripts/node_modules/@a/shown/package.json":                                                `{"version": "1.0.0", "license": "MIT"}`,
		"scripts/node_modules/silent/package.json":                                                  `{"version": "4.0.0", "licenses": [{"type": "MIT"}]}`,
		"scripts/imitation.txt":                                                                     "# what imitates\nSaid_So==1.0\nWritten.down==2.0\nsorted==3.0\nvague==4.0\n",
		".local/imitation/lib/python3.10/site-packages/said_so-1.0.dist-info/METADATA":              "Metadata-Version: 2.4\nName: Said-So\nVersion: 1.0\nLicense-Expression: MIT-0\n\nIt says so.\n",
		".local/imitation/lib/python3.10/site-packages/said_so-1.0.dist-info/LICENSE":               "Whatever.\n",
		".local/imitation/lib/python3.10/site-packages/written_down-2.0.dist-info/METADATA":         "Name: written-down\nVersion: 2.0\nLicense: see the file\nClassifier: License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)\n",
		".local/imitation/lib/python3.10/site-packages/written_down-2.0.dist-info/licenses/LICENSE": isc,
		".local/imitation/lib/python3.10/site-packages/sorted-3.0.dist-info/METADATA":               "Name: sorted\nVersion: 3.0\nClassifier: Programming Language :: Python\nClassifier: License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)\n",
		".local/imitation/lib/python3.10/site-packages/vague-4.0.dist-info/METADATA":                "Name: vague\nVersion: 4.0\nLicense: free\nClassifier: License :: OSI Approved :: BSD License\n",
		".local/imitation/lib/python3.10/site-packages/pip-5.0.dist-info/METADATA":                  "Name: pip\nVersion: 5.0\n",
	}
}

// write puts files into a folder of the test and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOPROXY", "off") // nothing is asked for
	return root
}

func TestDependencies(t *testing.T) {
	all, err := dependencies(write(t, project(t)), []string{"@a/shown"})
	if err != nil {
		t.Fatal(err)
	}
	want := `go example.com/linked v1.2.3 functions Apache-2.0 AND ISC
go example.com/told v0.1.0 tools unknown
go example.com/tried v0.2.0 tests unknown
npm @a/shown 0.9.0 tools ISC
npm @a/shown 1.0.0 pages MIT
npm elsewhere 3.0.0 tools 0BSD
npm run 2.0.0 tools (MIT OR CC0-1.0)
npm silent 4.0.0 tools unknown
python Said_So 1.0 tools MIT-0
python Written.down 2.0 tools ISC
python sorted 3.0 tools MPL-2.0
python vague 4.0 tools unknown
`
	if diff := cmp.Diff(want, lines(all)); diff != "" {
		t.Error(diff)
	}
}

// TestWhatIsMissing takes away what the list is read from: none of it is passed
// over.
func TestWhatIsMissing(t *testing.T) {
	const about = ".local/imitation/lib/python3.10/site-packages/said_so-1.0.dist-info/METADATA"
	for _, c := range []struct{ file, text, want string }{
		{"scripts/node_modules/run/package.json", "", "run 2.0.0 is not installed: run `scripts/setup.sh node`"},
		{"scripts/node_modules/run/package.json", `{"version": "2.0.1", "license": "MIT"}`, "run 2.0.0 is not installed"},
		{"scripts/node_modules/run/package.json", `{"version": 2}`, "package.json"},
		{"scripts/package-lock.json", `{"packages": {}}`, "the pages have code of @a/shown"},
		{"scripts/package-lock.json", "", "package-lock.json"},
		{about, "Name: Said-So\nVersion: 1.1\n", "Said_So 1.0 is not installed: run `scripts/setup.sh imitation`"},
		{about, "no head", "METADATA"},
		{"go.mod", "", "go list"},
	} {
		files := project(t)
		if delete(files, c.file); c.text != "" {
			files[c.file] = c.text
		}
		_, err := dependencies(write(t, files), []string{"@a/shown"})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s as %q: error %v, want one with %q", c.file, c.text, err, c.want)
		}
	}
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		licence string
		use     use
		ok      bool
	}{
		{"MIT", functions, true},
		{"Apache-2.0", pages, true},
		{"Apache-2.0 AND BSD-3-Clause", functions, true},
		{"Apache-2.0 AND GPL-2.0-only", functions, false},
		{"(MIT OR GPL-2.0-only)", pages, true},
		{"GPL-2.0-only OR AGPL-3.0-only", tools, false},
		{"MIT AND (GPL-2.0-only OR ISC)", functions, true},
		{"(MIT AND GPL-2.0-only) OR AGPL-3.0-only", functions, false},
		{"MPL-2.0", functions, false},
		{"MPL-2.0", pages, false},
		{"MPL-2.0", tests, true},
		{"MPL-2.0 OR MIT", functions, true},
		{"PSF-2.0", tools, true},
		{"Apache-2.0 AND CNRI-Python", tools, true},
		{"CNRI-Python", functions, false},
		{"GPL-3.0-only", tools, false},
		{"SSPL-1.0", tests, false},
		{unknown, tests, false},
		{"", tools, false},
	} {
		err := dependency{from: "go", name: "example.com/x", version: "v1.0.0", use: c.use, licence: c.licence}.check()
		if (err == nil) != c.ok {
			t.Errorf("%q for %s: error %v, want allowed %t", c.licence, c.use, err, c.ok)
		}
	}
	for _, r := range rules {
		if r.why == "" {
			t.Errorf("nobody says why %s may be", r.id)
		}
	}
}

func TestMistakes(t *testing.T) {
	all := []dependency{
		{"go", "example.com/a", "v1.0.0", functions, "MIT"},
		{"go", "example.com/b", "v1.0.0", functions, "MPL-2.0"},
		{"npm", "c", "1.0.0", pages, unknown},
	}
	err := mistakes("go example.com/a v0.9.0 functions MIT\n"+lines(all[1:]), lines(all), all)
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	for _, want := range []string{
		"is out of date", "- go example.com/a v0.9.0 functions MIT\n+ go example.com/a v1.0.0 functions MIT",
		"go example.com/b v1.0.0 comes under MPL-2.0", "npm c 1.0.0 comes under unknown",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
	if err := mistakes(lines(all[:1]), lines(all[:1]), all[:1]); err != nil {
		t.Errorf("a list as it should be: %v", err)
	}
}

func TestBadArguments(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := run([]string{"check"}); err == nil || !strings.Contains(err.Error(), `not "check"`) {
		t.Errorf("error %v", err)
	}
}

// TestTexts holds what is recognised to whole texts: a part of one is none.
func TestTexts(t *testing.T) {
	apache, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{isc, "ISC"},
		{isc + "\n" + string(apache), "ISC Apache-2.0"},
		{isc[:300], unknown},
		{isc + strings.Repeat("But nobody may sell it, or use it on a Sunday. ", 20), unknown},
		{"", unknown},
	} {
		if got := strings.Join(recognise([]byte(c.text)), " "); got != c.want {
			t.Errorf("%.40q with %d bytes is %q, want %q", c.text, len(c.text), got, c.want)
		}
	}
}
