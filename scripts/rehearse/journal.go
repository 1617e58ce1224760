package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// journal is what the rehearsal tells, each line with the time since its begin.
type journal struct {
	out   io.Writer
	began time.Time
	mu    sync.Mutex
}

func (j *journal) say(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	// Where nobody can read it, the exit code still tells.
	_, _ = fmt.Fprintf(j.out, "%6.1fs  %s\n", time.Since(j.began).Seconds(), fmt.Sprintf(format, args...))
}
