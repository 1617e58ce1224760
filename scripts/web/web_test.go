package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const web = "../../shared/web"

// TestBuiltFilesAreFresh holds the committed files to their sources.
func TestBuiltFilesAreFresh(t *testing.T) {
	files, err := Build(filepath.Join(web, "src"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(filepath.Join(web, "dist"), files); err != nil {
		t.Error(err)
	}
}

func TestCheckFindsEveryDifference(t *testing.T) {
	dist := t.TempDir()
	for name, text := range map[string]string{"same.js": "1", "other.js": "old", "stray.js": "1"} {
		if err := os.WriteFile(filepath.Join(dist, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := Check(dist, []File{{Name: "same.js", Contents: []byte("1")}, {Name: "other.js", Contents: []byte("new")}, {Name: "missing.js"}})
	if err == nil {
		t.Fatal("no difference found")
	}
	for _, want := range []string{"other.js is not", "missing.js is not", "stray.js comes from no source"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "same.js") {
		t.Errorf("error %q names a file that is as it should be", err)
	}
}

func TestBuildNamesTheFileOfAMistake(t *testing.T) {
	src := t.TempDir()
	for _, e := range entries {
		if err := os.WriteFile(filepath.Join(src, filepath.Base(e.source)), []byte("let x ="), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Build(src); err == nil || !strings.Contains(err.Error(), entries[0].source) {
		t.Errorf("error %v, want one that names %s", err, entries[0].source)
	}
}

// TestPackagesInFiles holds what is said to be in the pages to their sources: the
// dashboard imports Preact, and the pages of customers nothing.
func TestPackagesInFiles(t *testing.T) {
	files, err := Build(filepath.Join(web, "src"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		switch dashboard := f.Name == "dashboard.js"; {
		case dashboard && !slices.Contains(f.Packages, "preact"):
			t.Errorf("%s has code of %q, want preact among them", f.Name, f.Packages)
		case !strings.HasPrefix(f.Name, "dashboard") && len(f.Packages) > 0:
			t.Errorf("%s has code of %q", f.Name, f.Packages)
		}
	}
}

// TestNotices keeps the licence of whose code is bundled, once where several have
// the same.
func TestNotices(t *testing.T) {
	packages := t.TempDir()
	for name, text := range map[string]string{"a": "The licence\nof A and C\n", "b": "The licence of B", "@c/d": "The licence\nof A and C", "e": "an end */"} {
		if err := os.MkdirAll(filepath.Join(packages, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(packages, name, "LICENSE"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const want = "/*! a, @c/d\n\nThe licence\nof A and C */\n/*! b\n\nThe licence of B */\n"
	if got, err := notices(packages, []string{"a", "b", "@c/d"}); err != nil || string(got) != want {
		t.Errorf("notices %q, %v, want %q", got, err, want)
	}
	for _, name := range []string{"e", "none"} {
		if _, err := notices(packages, []string{name}); err == nil || !strings.Contains(err.Error(), "the licence of "+name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for _, name := range []string{"dashboard.js", "dashboard.css"} {
		b, err := os.ReadFile(filepath.Join(web, "dist", name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), "Permission is hereby granted, free of charge") {
			t.Errorf("%s has no notice", name)
		}
	}
}

func TestPackageOfAFile(t *testing.T) {
	for path, want := range map[string]string{
		"../../scripts/node_modules/preact/dist/preact.mjs": "preact",
		"scripts/node_modules/@preact/signals/dist/a.mjs":   "@preact/signals",
		"node_modules/a/node_modules/@b/c/d/e.js":           "a/node_modules/@b/c",
		"shared/web/src/answer.ts":                          "",
	} {
		if got, ok := packageOf(path); got != want || ok != (want != "") {
			t.Errorf("%s is of %q, want %q", path, got, want)
		}
	}
}
