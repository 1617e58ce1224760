package checkout

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestRoot(t *testing.T) {
	// The temporary folder may be reached over a link, which Getwd resolves.
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	repository := filepath.Join(top, "repository")
	inside := filepath.Join(repository, "shared", "survey")
	if err := os.MkdirAll(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(repository, "go.mod"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{inside: repository, repository: repository, top: ""} {
		t.Chdir(dir)
		got, err := Root()
		if got != want || errors.Is(err, ErrOutside) != (want == "") {
			t.Errorf("in %s: %q, %v, want %q", dir, got, err, want)
		}
	}
}
