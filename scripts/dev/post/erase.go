package post

import (
	"errors"
	"io/fs"
	"os"
)

// Count returns how many items match, by channel.
func (b *Box) Count(matches func(Item) bool) map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[string]int{}
	for _, i := range b.last {
		if matches(i) {
			out[string(i.Channel)]++
		}
	}
	return out
}

// Erase removes the items that match, with their sources. Their numbers are not
// given again while the box is open.
func (b *Box) Erase(matches func(Item) bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.given = b.total()
	var kept []Item
	for _, i := range b.last {
		if !matches(i) {
			kept = append(kept, i)
			continue
		}
		if err := os.Remove(b.source(i.Number)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	b.last = kept
	return b.rewrite()
}
