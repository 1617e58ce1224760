package moto

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/testkit/checkout"
)

func TestOneServerForAll(t *testing.T) {
	if a, b := Endpoint(t), Endpoint(t); a != b || !strings.HasPrefix(a, "http://127.0.0.1:") {
		t.Errorf("the server is at %s and at %s", a, b)
	}
}

func TestWhatIsMissingNamesTheRemedy(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := start(t.Context()); !errors.Is(err, errNotInstalled) || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("start outside of the repository = %v", err)
	}
	if err := os.WriteFile("go.mod", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := start(t.Context()); !errors.Is(err, errNotInstalled) {
		t.Errorf("start without the program = %v", err)
	}
}

// TestAServerThatFailsSaysWhatItPrinted runs programs in the place of Python.
func TestAServerThatFailsSaysWhatItPrinted(t *testing.T) {
	for _, c := range []struct {
		name, program, want string
		limit               time.Duration
	}{
		{"it ends", "echo no module named moto >&2; exit 1", "no module named moto", startLimit},
		{"it says nothing", "echo wait; exec tail -f /dev/null", "it did not say where it listens", 500 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			bin := filepath.Join(".local", "moto", "bin")
			if err := errors.Join(
				os.WriteFile("go.mod", nil, 0o600),
				os.MkdirAll(bin, 0o750),
				os.WriteFile(filepath.Join(bin, "python"), []byte("#!/bin/sh\n"+c.program+"\n"), 0o700),
			); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), c.limit)
			defer cancel()
			if _, err := start(ctx); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("start = %v, want %q", err, c.want)
			}
		})
	}
}

// TestThePinsAreWhatIsInstalled fails where somebody changed the list of
// packages and has not run setup since, which would test with others than CI.
func TestThePinsAreWhatIsInstalled(t *testing.T) {
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	installed, err := exec.CommandContext(t.Context(), filepath.Join(root, ".local", "moto", "bin", "python"), "-m", "pip", "freeze", "--disable-pip-version-check").Output()
	if err != nil {
		t.Fatal(err)
	}
	listed, err := os.ReadFile(filepath.Join(root, "scripts", "moto.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(listed)) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") && !strings.Contains(string(installed), line+"\n") {
			t.Errorf("%s is listed and not installed", line)
		}
	}
}
