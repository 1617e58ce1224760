package pump

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Position is how far one shard has been dealt with.
type Position struct {
	Sequence string            `json:"sequence,omitempty"` // of the last record
	Window   time.Time         `json:"window,omitzero"`    // start of the open window; zero for none
	State    map[string]string `json:"state,omitempty"`    // of the open window
	Ended    bool              `json:"ended,omitempty"`    // the shard has no more records
}

// Checkpoints are positions by stream and shard, kept in a file. They are safe
// for concurrent use.
type Checkpoints struct {
	path string

	mu  sync.Mutex
	all map[string]map[string]Position // by stream, by shard
}

// OpenCheckpoints reads the file, which need not exist. With path "" they are
// kept in memory only.
func OpenCheckpoints(path string) (*Checkpoints, error) {
	c := &Checkpoints{path: path, all: map[string]map[string]Position{}}
	if path == "" {
		return c, nil
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoints: %w", err)
	}
	if err := json.Unmarshal(b, &c.all); err != nil {
		return nil, fmt.Errorf("reading the checkpoints of %s: %w", path, err)
	}
	if c.all == nil {
		c.all = map[string]map[string]Position{} // the file says null
	}
	return c, nil
}

func (c *Checkpoints) get(stream, shard string) Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[stream][shard]
}

// put sets a position and replaces the file, so that a crash leaves either
// the old one or the new one.
func (c *Checkpoints) put(stream, shard string, p Position) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all[stream] == nil {
		c.all[stream] = map[string]Position{}
	}
	c.all[stream][shard] = p
	if c.path == "" {
		return nil
	}
	b, err := json.MarshalIndent(c.all, "", "  ")
	if err != nil {
		return err
	}
	next := c.path + ".next"
	if err := os.WriteFile(next, b, 0o600); err != nil {
		return err
	}
	return os.Rename(next, c.path)
}

// keep forgets the shards of a stream that are not listed. The file follows
// with the next put.
func (c *Checkpoints) keep(stream string, listed map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for shard := range c.all[stream] {
		if !listed[shard] {
			delete(c.all[stream], shard)
		}
	}
}
