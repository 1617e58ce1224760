package post

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/pulssi/pulssi/shared/survey"
)

// Kept is how many items a box keeps, the last ones: more than a quarter of
// 1,000 people brings, each of whom is reminded and answers.
const Kept = 3000

// Box keeps what arrives in a folder: every e-mail as a file of its own, which
// any mail program opens (12.eml), and a list of all. It is safe for concurrent
// use.
type Box struct {
	dir       string
	temporary bool // the folder goes with the box

	mu    sync.Mutex
	file  *os.File // the list
	lines int
	last  []Item // oldest first, without source and HTML
	given int    // the last number when some were erased
}

// Open returns the box in a folder, which need not exist; with dir "" nothing
// is kept after Close.
func Open(dir string) (*Box, error) {
	b := &Box{dir: dir}
	var err error
	if dir == "" {
		b.temporary = true
		b.dir, err = os.MkdirTemp("", "pulssi-post-")
	} else {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = b.read()
	}
	if err == nil {
		err = b.rewrite()
	}
	if err != nil {
		return nil, fmt.Errorf("reading what arrived in %s: %w", b.dir, err)
	}
	return b, nil
}

func (b *Box) list() string { return filepath.Join(b.dir, "list.jsonl") }

func (b *Box) source(n int) string { return filepath.Join(b.dir, strconv.Itoa(n)+".eml") }

func (b *Box) read() (err error) {
	f, err := os.Open(b.list())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	in := bufio.NewReader(f)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // what stands after the last line's end was never finished
		}
		if err != nil {
			return err
		}
		var i Item
		if err := json.Unmarshal(line, &i); err != nil {
			return err
		}
		b.last = append(b.last, i)
	}
}

// rewrite replaces the list by one of what is kept.
func (b *Box) rewrite() error {
	if err := b.trim(); err != nil {
		return err
	}
	var all bytes.Buffer
	enc := json.NewEncoder(&all)
	for _, i := range b.last {
		if err := enc.Encode(i); err != nil {
			return err
		}
	}
	fresh, err := os.OpenFile(b.list()+".new", os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err = fresh.Write(all.Bytes()); err == nil {
		err = os.Rename(b.list()+".new", b.list())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("rewriting the list: %w", err), fresh.Close())
	}
	if b.file != nil {
		err = b.file.Close()
	}
	b.file, b.lines = fresh, len(b.last)
	return err
}

// trim forgets the oldest.
func (b *Box) trim() error {
	for len(b.last) > Kept {
		if err := os.Remove(b.source(b.last[0].Number)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		b.last = b.last[1:]
	}
	return nil
}

// Close closes the list.
func (b *Box) Close() error {
	err := b.file.Close()
	if b.temporary {
		err = errors.Join(err, os.RemoveAll(b.dir))
	}
	return err
}

// Put keeps an item, and returns it with its number.
func (b *Box) Put(i Item) (Item, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i.Number = b.total() + 1
	if i.Raw != nil {
		if err := os.WriteFile(b.source(i.Number), i.Raw, 0o600); err != nil {
			return i, fmt.Errorf("keeping what arrived: %w", err)
		}
	}
	line, err := json.Marshal(i)
	if err == nil {
		_, err = b.file.Write(append(line, '\n'))
	}
	if err != nil {
		return i, fmt.Errorf("keeping what arrived: %w", err)
	}
	b.lines++
	listed := i
	listed.Raw, listed.HTML = nil, ""
	b.last = append(b.last, listed)
	if b.lines > 2*Kept {
		return i, b.rewrite()
	}
	return i, b.trim()
}

func (b *Box) total() int {
	if len(b.last) == 0 {
		return b.given
	}
	return max(b.given, b.last[len(b.last)-1].Number)
}

// Last returns the items that are kept, the newest first, without their source
// and HTML, and how many there ever were.
func (b *Box) Last() ([]Item, int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := slices.Clone(b.last)
	slices.Reverse(out)
	return out, b.total()
}

// Numbered returns an item that is kept, whole. The error is [survey.NotFound]
// where there is none.
func (b *Box) Numbered(n int) (Item, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, ok := slices.BinarySearchFunc(b.last, n, func(i Item, n int) int { return i.Number - n })
	if !ok {
		return Item{}, survey.Errorf(survey.NotFound, "", "there is no such message among the last %d", Kept)
	}
	i := b.last[at]
	if i.Channel != survey.Email {
		return i, nil
	}
	raw, err := os.ReadFile(b.source(n))
	if err != nil {
		return Item{}, fmt.Errorf("reading an e-mail: %w", err)
	}
	whole, err := read(raw)
	i.Raw, i.HTML = raw, whole.HTML
	return i, err
}
