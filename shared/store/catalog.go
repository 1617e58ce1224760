package store

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/survey"
)

// CatalogAge is how long a [Catalog] serves what it has read.
const CatalogAge = time.Minute

// Catalog is the touchpoints and the rules of asking, each read at most once a minute. A request pays for a
// read only when the last one is too old; where a read fails and there is an
// older copy, the copy is served and the failure logged. It is safe for
// concurrent use.
type Catalog struct {
	store *Store
	now   func() time.Time

	mu     sync.Mutex
	readAt time.Time
	byID   map[string]*survey.Touchpoint
	all    []*survey.Touchpoint
	ended  map[SeriesKey]endedSeries

	rulesMu     sync.Mutex
	rulesReadAt time.Time
	book        *asking.Rulebook
}

// endedSeries is what a read of a series found: its last definition, or the
// error that there is none.
type endedSeries struct {
	last     *survey.Touchpoint
	notFound error
}

// NewCatalog returns an empty catalog. [Catalog.All] fills it; called once at
// start, it also opens the connection that the first answer is written over.
func NewCatalog(s *Store, now func() time.Time) *Catalog {
	return &Catalog{store: s, now: now, ended: map[SeriesKey]endedSeries{}}
}

// All returns the touchpoints in force, by id in order. Callers must not
// change them.
func (c *Catalog) All(ctx context.Context) ([]*survey.Touchpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.refresh(ctx); err != nil {
		return nil, err
	}
	return c.all, nil
}

// Touchpoint returns the definition in force of a touchpoint. The error is
// [survey.NotFound] where there is none.
func (c *Catalog) Touchpoint(ctx context.Context, id string) (*survey.Touchpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.refresh(ctx); err != nil {
		return nil, err
	}
	t, ok := c.byID[id]
	if !ok {
		return nil, noTouchpoint()
	}
	return t, nil
}

// Stored returns the definition in force as [Store.Touchpoint] does, whatever
// the copy says.
func (c *Catalog) Stored(ctx context.Context, id string) (*survey.Touchpoint, error) {
	return c.store.Touchpoint(ctx, id)
}

// PutTouchpoint makes t the definition in force as [Store.PutTouchpoint] does,
// and has it in the copy at once.
func (c *Catalog) PutTouchpoint(ctx context.Context, was, t *survey.Touchpoint) error {
	if _, err := c.All(ctx); err != nil {
		return err // a copy that is first read just after the write may miss it
	}
	if err := c.store.PutTouchpoint(ctx, was, t); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if copied := c.byID[t.ID]; copied != nil && copied.Version > t.Version {
		return nil // somebody else has been faster, twice
	}
	all := slices.DeleteFunc(slices.Clone(c.all), func(other *survey.Touchpoint) bool { return other.ID == t.ID })
	at, _ := slices.BinarySearchFunc(all, t.ID, func(other *survey.Touchpoint, id string) int { return strings.Compare(other.ID, id) })
	c.take(slices.Insert(all, at, t))
	return nil
}

// Series returns the definition of one series of a touchpoint: the one in
// force, or the last one of a series that is over, which never changes and is
// read once. The error is [survey.NotFound] where there is none, which is
// remembered until the touchpoints are read again: who asks for series that
// never were shall not cost a read each time. A read keeps nobody else waiting.
func (c *Catalog) Series(ctx context.Context, k SeriesKey) (*survey.Touchpoint, error) {
	t, err := c.Touchpoint(ctx, k.Touchpoint)
	if err == nil && t.Series == k.Series {
		return t, nil
	}
	if err != nil && survey.CodeOf(err) != survey.NotFound {
		return nil, err
	}
	c.mu.Lock()
	e, ok := c.ended[k]
	c.mu.Unlock()
	if !ok {
		t, err := c.store.EndedSeries(ctx, k)
		if err != nil && survey.CodeOf(err) != survey.NotFound {
			return nil, err
		}
		e = endedSeries{t, err}
		c.mu.Lock()
		c.ended[k] = e
		c.mu.Unlock()
	}
	return e.last, e.notFound
}

// Rulebook returns the rules of asking in force. They are read apart from the
// touchpoints, by those who ask for them alone.
func (c *Catalog) Rulebook(ctx context.Context) (*asking.Rulebook, error) {
	c.rulesMu.Lock()
	defer c.rulesMu.Unlock()
	now := c.now()
	if c.book != nil && now.Sub(c.rulesReadAt) < CatalogAge {
		return c.book, nil
	}
	r, err := c.store.Rules(ctx)
	switch {
	case err == nil:
		c.book = asking.NewRulebook(r)
	case c.book == nil:
		return nil, err
	default:
		slog.WarnContext(ctx, "serving old rules of asking", "error", err.Error())
	}
	c.rulesReadAt = now
	return c.book, nil
}

// refresh reads the touchpoints where the copy is too old. Only one caller
// reads; the others wait for it.
func (c *Catalog) refresh(ctx context.Context) error {
	now := c.now()
	if c.byID != nil && now.Sub(c.readAt) < CatalogAge {
		return nil
	}
	all, err := c.store.Touchpoints(ctx)
	if err != nil {
		if c.byID == nil {
			return err
		}
		slog.WarnContext(ctx, "serving old touchpoints", "error", err.Error())
		c.readAt = now // not every request shall wait for another failure
		return nil
	}
	c.readAt = now
	c.take(all)
	return nil
}

// take makes all the copy.
func (c *Catalog) take(all []*survey.Touchpoint) {
	c.all = all
	maps.DeleteFunc(c.ended, func(_ SeriesKey, e endedSeries) bool { return e.notFound != nil })
	c.byID = make(map[string]*survey.Touchpoint, len(all))
	for _, t := range all {
		c.byID[t.ID] = t
	}
}
