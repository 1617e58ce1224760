package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestARelease(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("src/widget/version.txt", "1.2.3\n")
	write("dist/pulssi.js", "loader")
	write("dist/pulssi.ui.js", "ui")
	write("released/integrity.txt", "")
	if err := Release(root); err != nil {
		t.Fatal(err)
	}
	// The hashes are those that openssl dgst -sha384 -binary | base64 prints.
	const want = "pulssi.1.2.3.js sha384-kwVc5svpkpm5SR/DKPD4uoQcj7vzwD3bFulFX/WgEpuM7c68WTiJytN7E/Yjgj1p\n" +
		"pulssi.1.2.3.ui.js sha384-+0BAXBThKxinD6OKQAMgg27HesfrNRgIICubLzFpKZVVZU/3CiZQGFGTSfYUDzvD\n"
	got, err := os.ReadFile(filepath.Join(root, "released", "integrity.txt"))
	if err != nil || string(got) != want {
		t.Errorf("hashes %q, want %q, %v", got, want, err)
	}
	write("dist/pulssi.js", "another loader")
	if err := Release(root); err == nil || !strings.Contains(err.Error(), "never changes") {
		t.Errorf("the same version again: %v", err)
	}
	if b, err := os.ReadFile(filepath.Join(root, "released", "pulssi.1.2.3.js")); err != nil || string(b) != "loader" {
		t.Errorf("the released file is %q now, %v", b, err)
	}
}

// TestDocsPinTheRelease holds the tag in the docs to the version that is
// released.
func TestDocsPinTheRelease(t *testing.T) {
	version, err := widgetVersion(filepath.Join(web, "src"))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := Integrities(web)
	if err != nil {
		t.Fatal(err)
	}
	docs, err := os.ReadFile(filepath.Join(web, "docs", "widget.md"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(lines) {
		name, hash, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == loaderName(version) && (!strings.Contains(string(docs), "/"+name+`"`) || !strings.Contains(string(docs), `integrity="`+hash+`"`)) {
			t.Errorf("docs/widget.md does not pin %s to %s", name, hash)
		}
	}
}
