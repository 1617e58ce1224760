// Package outbox is where the local stack's e-mails and SMS end: nobody gets
// them, and a page shows them. The last [Kept] are kept.
package outbox

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/survey"
)

// Kept is how many messages are kept.
const Kept = 500

// Sent is one message.
type Sent struct {
	Number  int             `json:"n"` // counts from 1
	At      time.Time       `json:"at"`
	Message message.Message `json:"message"`
}

// Outbox is a transport of the function send. It is safe for concurrent use.
type Outbox struct {
	path string // "" for memory only
	now  func() time.Time

	mu    sync.Mutex
	file  *os.File
	lines int
	last  []Sent // oldest first
}

// Open returns the outbox in a file, which need not exist; with path "" it is
// kept in memory only.
func Open(path string, now func() time.Time) (*Outbox, error) {
	o := &Outbox{path: path, now: now}
	if path == "" {
		return o, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return o, o.rewrite()
	}
	if err == nil {
		err = errors.Join(o.read(f), f.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("reading the outbox %s: %w", path, err)
	}
	return o, o.rewrite()
}

func (o *Outbox) read(r io.Reader) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // what stands after the last line's end was never finished
		}
		if err != nil {
			return err
		}
		var s Sent
		if err := json.Unmarshal(line, &s); err != nil {
			return err
		}
		o.keep(s)
	}
}

func (o *Outbox) keep(s Sent) {
	o.last = append(o.last, s)
	if len(o.last) > Kept {
		o.last = slices.Delete(o.last, 0, len(o.last)-Kept)
	}
}

// rewrite replaces the file by one of what is kept.
func (o *Outbox) rewrite() error {
	var all bytes.Buffer
	enc := json.NewEncoder(&all)
	for _, s := range o.last {
		if err := enc.Encode(s); err != nil {
			return err
		}
	}
	fresh, err := os.OpenFile(o.path+".new", os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err = fresh.Write(all.Bytes()); err == nil {
		err = os.Rename(o.path+".new", o.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("rewriting the outbox: %w", err), fresh.Close())
	}
	err = o.Close()
	o.file, o.lines = fresh, len(o.last)
	return err
}

// Close closes the file.
func (o *Outbox) Close() error {
	if o.file == nil {
		return nil
	}
	return o.file.Close()
}

// Send takes a message and returns its number as the service's own id. The
// error is [survey.Unavailable] where it cannot be kept.
func (o *Outbox) Send(_ context.Context, m message.Message) (id string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := Sent{Number: o.total() + 1, At: o.now().UTC(), Message: m}
	if o.path != "" {
		line, err := json.Marshal(s)
		if err == nil {
			_, err = o.file.Write(append(line, '\n'))
		}
		if err != nil {
			return "", &survey.Error{Code: survey.Unavailable, Message: "the outbox cannot be written", Err: err}
		}
		o.lines++
	}
	o.keep(s)
	if o.lines > 2*Kept {
		if err := o.rewrite(); err != nil {
			return "", err
		}
	}
	return "local-" + strconv.Itoa(s.Number), nil
}

func (o *Outbox) total() int {
	if len(o.last) == 0 {
		return 0
	}
	return o.last[len(o.last)-1].Number
}

// Last returns the last messages, at most limit, the newest first, and how
// many were ever sent.
func (o *Outbox) Last(limit int) ([]Sent, int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := slices.Clone(o.last[max(0, len(o.last)-limit):])
	slices.Reverse(out)
	return out, o.total()
}

// Numbered returns a message that is kept. The error is [survey.NotFound] where
// there is none.
func (o *Outbox) Numbered(n int) (Sent, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, ok := slices.BinarySearchFunc(o.last, n, func(s Sent, n int) int { return s.Number - n })
	if !ok {
		return Sent{}, survey.Errorf(survey.NotFound, "", "there is no such message among the last %d", Kept)
	}
	return o.last[i], nil
}
