package operator_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulssi/pulssi/scripts/operator"
)

func TestPerson(t *testing.T) {
	open := func(name string, flags int) *os.File {
		t.Helper()
		f, err := os.OpenFile(name, flags, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	file, device := open(filepath.Join(t.TempDir(), "answers"), os.O_RDWR|os.O_CREATE), open(os.DevNull, os.O_RDONLY)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	closed := open(os.DevNull, os.O_RDONLY)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		f    *os.File
		want io.Reader
	}{"a file": {file, nil}, "a pipe": {r, nil}, "closed": {closed, nil}, "a device": {device, device}} {
		if got := operator.Person(tt.f); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
