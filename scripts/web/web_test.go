package main

import (
	"os"
	"path/filepath"
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
	err := Check(dist, []File{{"same.js", []byte("1")}, {"other.js", []byte("new")}, {"missing.js", nil}})
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
