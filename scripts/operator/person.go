package operator

import (
	"io"
	"os"
)

// Person returns f where somebody can answer on it, and else nil: then nobody is
// asked. What is no terminal may be taken for one (/dev/null), and ends at once.
func Person(f *os.File) io.Reader {
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return f
}
