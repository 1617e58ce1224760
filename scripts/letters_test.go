package scripts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLettersAreShown holds the e-mails to what Outlook, Gmail and Apple Mail
// show, by public data on mail programs.
func TestLettersAreShown(t *testing.T) {
	letters, err := filepath.Glob("../shared/message/testdata/*.html")
	if err != nil || len(letters) < 18 {
		t.Fatalf("%d letters, want one for each metric and language (%v)", len(letters), err)
	}
	check := func(files ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), "node", append([]string{"letters.mjs"}, files...)...).CombinedOutput()
		return string(out), err
	}
	if out, err := check(letters...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	bad := filepath.Join(t.TempDir(), "bad.html")
	if err := os.WriteFile(bad, []byte(`<p style="position:absolute">x</p><form></form>`), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := check(bad); err == nil || !strings.Contains(out, "<form> element is not shown by outlook.windows") {
		t.Errorf("a letter with a form passes: %v\n%s", err, out)
	}
}
