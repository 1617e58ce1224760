package service

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// journal keeps entries in a file: every change is a line at its end, and the
// last line of a key holds. A line is written by one call, so that a process
// that is killed leaves at most its last line unfinished, which counts as not
// written. What no longer holds is left out at the next opening, and when it
// is most of the file.
//
// It is not safe for concurrent use.
type journal struct {
	path  string // "" for memory only
	file  *os.File
	live  map[string]json.RawMessage
	lines int
}

// entry is one line. A nil Value takes the key away.
type entry struct {
	Key   string          `json:"k"`
	Value json.RawMessage `json:"v,omitempty"`
}

// slack is how many lines may be outdated before the file is rewritten.
const slack = 10_000

func openJournal(path string) (*journal, error) {
	j := &journal{path: path, live: map[string]json.RawMessage{}}
	if path == "" {
		return j, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return j, j.rewrite()
	}
	if err != nil {
		return nil, err
	}
	err = j.read(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return j, j.rewrite()
}

func (j *journal) read(r io.Reader) error {
	in := bufio.NewReaderSize(r, 1<<20)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // what stands after the last line's end was never finished
		}
		if err != nil {
			return err
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if e.Value == nil {
			delete(j.live, e.Key)
		} else {
			j.live[e.Key] = e.Value
		}
	}
}

// rewrite replaces the file by one of what holds.
func (j *journal) rewrite() (err error) {
	fresh, err := os.OpenFile(j.path+".new", os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(fresh, 1<<20)
	enc := json.NewEncoder(out)
	for k, v := range j.live {
		err = errors.Join(err, enc.Encode(entry{k, v}))
	}
	if err = errors.Join(err, out.Flush()); err == nil {
		err = os.Rename(j.path+".new", j.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("rewriting %s: %w", j.path, err), fresh.Close())
	}
	if j.file != nil {
		err = j.file.Close()
	}
	j.file, j.lines = fresh, len(j.live)
	return err
}

// put sets an entry.
func (j *journal) put(key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return j.write(entry{key, b})
}

// drop takes an entry away.
func (j *journal) drop(key string) error { return j.write(entry{Key: key}) }

func (j *journal) write(e entry) error {
	if j.path != "" {
		var line bytes.Buffer
		if err := json.NewEncoder(&line).Encode(e); err != nil {
			return err
		}
		if n, err := j.file.Write(line.Bytes()); err != nil {
			return errors.Join(fmt.Errorf("writing %s: %w", j.path, err), j.takeBack(n))
		}
		j.lines++
	}
	if e.Value == nil {
		delete(j.live, e.Key)
	} else {
		j.live[e.Key] = e.Value
	}
	if j.path != "" && j.lines > 2*len(j.live)+slack {
		return j.rewrite()
	}
	return nil
}

// takeBack removes the n bytes of a line that could not be finished.
func (j *journal) takeBack(n int) error {
	info, err := j.file.Stat()
	if err != nil {
		return err
	}
	return j.file.Truncate(info.Size() - int64(n))
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
