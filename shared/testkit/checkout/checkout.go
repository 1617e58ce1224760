// Package checkout finds the folder of this repository, for tests and scripts
// that use what `make setup` or the local stack keeps in it.
package checkout

import (
	"errors"
	"os"
	"path/filepath"
)

// ErrOutside says that the working directory is in no checkout.
var ErrOutside = errors.New("the working directory is outside of the repository")

// Root returns the folder of the go.mod at or above the working directory, or
// [ErrOutside]. go test and go run both start a program inside of it.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", ErrOutside
		}
		dir = parent
	}
}
