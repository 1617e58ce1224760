package scripts_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSetupLeavesOthersPackages has setup.sh install Node packages here alone,
// and never through a link into another checkout, which npm would empty.
func TestSetupLeavesOthersPackages(t *testing.T) {
	script, err := os.ReadFile("setup.sh")
	if err != nil {
		t.Fatal(err)
	}
	for name, linked := range map[string]bool{"a folder of its own": false, "a link": true} {
		t.Run(name, func(t *testing.T) {
			here, other, bin := t.TempDir(), t.TempDir(), t.TempDir()
			scripts := filepath.Join(here, "scripts")
			write := func(file, text string) {
				t.Helper()
				if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Mkdir(scripts, 0o700); err != nil {
				t.Fatal(err)
			}
			write(filepath.Join(scripts, "setup.sh"), string(script))
			write(filepath.Join(scripts, "package-lock.json"), "{}")
			if linked {
				if err := os.Symlink(other, filepath.Join(scripts, "node_modules")); err != nil {
					t.Fatal(err)
				}
			}
			write(filepath.Join(bin, "go"), "#!/bin/sh\necho go1.26\n")
			write(filepath.Join(bin, "node"), "#!/bin/sh\necho v20.0.0\n")
			write(filepath.Join(bin, "npm"), "#!/bin/sh\nmkdir -p node_modules && touch node_modules/installed\n")
			cmd := exec.CommandContext(t.Context(), filepath.Join(scripts, "setup.sh"), "node")
			cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			if refused := err != nil; refused != linked || linked && !strings.Contains(string(out), "scripts/node_modules is a link") {
				t.Errorf("%v\n%s", err, out)
			}
			if _, err := os.Stat(filepath.Join(scripts, "node_modules", "installed")); errors.Is(err, fs.ErrNotExist) != linked {
				t.Errorf("what npm would install: %v", err)
			}
		})
	}
}
