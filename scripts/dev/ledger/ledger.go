// Package ledger counts, by day, how many contacts were asked, reminded and
// refused on the local stack, so that a page can show how evenly a quarter is
// spread without reading every contact.
package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Ledger is the count. It is safe for concurrent use.
type Ledger struct {
	zone *time.Location

	mu   sync.Mutex
	file *os.File // nil for memory only
	last map[key]entry
	days map[int32]*Day
}

// key names one contact, touchpoint and occasion: the first bytes of a SHA-256
// of the three, which no two share among the few millions that there may be.
type key [12]byte

// entry is what became of it last.
type entry struct {
	day  int32 // since 1970, in the ledger's zone
	kind kind
}

type kind byte

const (
	asked kind = iota
	reminded
	refused
)

// Day is what was decided on one day.
type Day struct {
	Day                      time.Time // midnight UTC; only its date counts
	Asked, Reminded, Refused int
}

// record is the length of an entry in the file: a key, a day and a kind.
const record = len(key{}) + 4 + 1

// Open returns the ledger in a file, which need not exist; with path "" it is
// kept in memory only. Days are those of zone.
func Open(path string, zone *time.Location) (*Ledger, error) {
	l := &Ledger{zone: zone, last: map[key]entry{}, days: map[int32]*Day{}}
	if path == "" {
		return l, nil
	}
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	whole := len(b) - len(b)%record // a process that was killed may have left a part of one
	for r := range slices.Chunk(b[:whole], record) {
		e := entry{int32(binary.BigEndian.Uint32(r[len(key{}):])), kind(r[record-1])}
		if e.kind > refused {
			return nil, fmt.Errorf("reading the ledger %s: an entry of no kind", path)
		}
		l.set(key(r[:len(key{})]), e)
	}
	if l.file, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	err = l.file.Truncate(int64(whole))
	if err == nil {
		_, err = l.file.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the ledger: %w", err), l.file.Close())
	}
	return l, nil
}

// Close closes the file.
func (l *Ledger) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// Note notes decisions that were kept. What is decided again counts once, as
// it was decided last; what is only planned does not count yet.
func (l *Ledger) Note(ds ...survey.Decision) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []byte
	for _, d := range ds {
		e := entry{l.day(d.At), refused}
		_, reminder := d.Occasion.Reminds()
		switch {
		case d.Verdict == survey.Planned:
			continue
		case d.Verdict == survey.WasAsked && reminder:
			e.kind = reminded
		case d.Verdict == survey.WasAsked:
			e.kind = asked
		}
		k := keyOf(d)
		if was, ok := l.last[k]; ok && was == e {
			continue
		}
		l.set(k, e)
		out = append(out, k[:]...)
		out = binary.BigEndian.AppendUint32(out, uint32(e.day))
		out = append(out, byte(e.kind))
	}
	if l.file == nil || len(out) == 0 {
		return nil
	}
	if _, err := l.file.Write(out); err != nil {
		return fmt.Errorf("writing the ledger: %w", err)
	}
	return nil
}

func keyOf(d survey.Decision) key {
	sum := sha256.Sum256([]byte(d.Contact + "\x00" + d.Touchpoint + "\x00" + string(d.Occasion)))
	return key(sum[:])
}

func (l *Ledger) day(t time.Time) int32 {
	y, m, d := t.In(l.zone).Date()
	return int32(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// set moves a key to where it counts now.
func (l *Ledger) set(k key, e entry) {
	if was, ok := l.last[k]; ok {
		*l.count(was)--
	}
	l.last[k] = e
	*l.count(e)++
}

func (l *Ledger) count(e entry) *int {
	d := l.days[e.day]
	if d == nil {
		d = &Day{Day: time.Unix(int64(e.day)*86400, 0).UTC()}
		l.days[e.day] = d
	}
	switch e.kind {
	case asked:
		return &d.Asked
	case reminded:
		return &d.Reminded
	default:
		return &d.Refused
	}
}

// Days returns the days on which something was decided, in order.
func (l *Ledger) Days() []Day {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Day, 0, len(l.days))
	for _, d := range l.days {
		if d.Asked+d.Reminded+d.Refused > 0 {
			out = append(out, *d)
		}
	}
	slices.SortFunc(out, func(a, b Day) int { return a.Day.Compare(b.Day) })
	return out
}
