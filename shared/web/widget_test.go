package web

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"io/fs"
	"strings"
	"testing"
)

// TestReleasedFilesNeverChange holds every released file to its hash, and the
// files in dist to the release of their version, if there is one.
func TestReleasedFilesNeverChange(t *testing.T) {
	b, err := widgetFiles.ReadFile("released/integrity.txt")
	if err != nil {
		t.Fatal(err)
	}
	hashes := map[string]string{}
	for line := range strings.Lines(string(b)) {
		name, hash, _ := strings.Cut(strings.TrimSpace(line), " ")
		hashes[name] = hash
	}
	released, err := fs.Glob(widgetFiles, "released/*.js")
	if err != nil {
		t.Fatal(err)
	}
	if len(released) != len(hashes) {
		t.Errorf("%d files are released, %d have a hash", len(released), len(hashes))
	}
	for name, want := range hashes {
		b, err := widgetFiles.ReadFile("released/" + name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha512.Sum384(b)
		if got := "sha384-" + base64.StdEncoding.EncodeToString(sum[:]); got != want {
			t.Errorf("%s is released and has changed: its hash is %s, was %s", name, got, want)
		}
		f, ok := Widget(name)
		if !ok || !bytes.Equal(f.Body, b) || f.CacheControl != cacheReleased {
			t.Errorf("%s is not served as it was released", name)
		}
	}
	for dist, name := range map[string]string{
		"dist/pulssi.js": "pulssi." + WidgetVersion() + ".js", "dist/pulssi.ui.js": "pulssi." + WidgetVersion() + ".ui.js",
	} {
		if _, ok := hashes[name]; !ok {
			continue // not released yet
		}
		now, err := widgetFiles.ReadFile(dist)
		if err != nil {
			t.Fatal(err)
		}
		if f, _ := Widget(name); !bytes.Equal(now, f.Body) {
			t.Errorf("%s differs from %s, which is released: give src/widget/version.txt a new version", dist, name)
		}
	}
}

// TestLoaderHoldsTheUIToItsHash: whoever pins the loader, pins both.
func TestLoaderHoldsTheUIToItsHash(t *testing.T) {
	loads := WidgetLoads()
	loader, _ := Widget(loads[0])
	ui, ok := Widget(loads[1])
	if !ok {
		t.Fatalf("there is no %s", loads[1])
	}
	sum := sha256.Sum256(ui.Body)
	for _, want := range []string{`"` + loads[1] + `"`, "sha256-" + base64.StdEncoding.EncodeToString(sum[:])} {
		if !bytes.Contains(loader.Body, []byte(want)) {
			t.Errorf("the loader lacks %s", want)
		}
	}
}

// TestNoSinks: nothing that the popup does needs a policy of Trusted Types or
// an inline style.
func TestNoSinks(t *testing.T) {
	for _, name := range WidgetLoads() {
		f, _ := Widget(name)
		for _, sink := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser", `createElement("script")`, `createElement("style")`, "cssText", "document.cookie", ".prototype", "console."} {
			if bytes.Contains(f.Body, []byte(sink)) {
				t.Errorf("%s has %s", name, sink)
			}
		}
	}
}
