package site

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Store is what the pages need of the store.
type Store interface {
	Touchpoints(ctx context.Context) ([]*survey.Touchpoint, error)
	Ask(ctx context.Context, id string) (*survey.Ask, error)
	// CreateAsk returns a [survey.Conflict] error where the ask is there.
	CreateAsk(ctx context.Context, a *survey.Ask) error
}

// Locales lists the languages that example asks are made in.
func Locales() []string { return []string{"fi", "sv", "en"} }

// Links are the example asks: a set has one for every metric and language, as
// if each had been sent by e-mail a minute ago. A fresh set is made on demand;
// which one is shown outlives a restart. They are safe for concurrent use.
type Links struct {
	store Store
	now   func() time.Time
	path  string // of the file that keeps the state; "" for memory only

	mu    sync.Mutex
	state linkState
}

type linkState struct {
	Secret []byte `json:"secret"` // of the ids, as send has one
	Set    int    `json:"set"`    // the number of the set that is shown
}

// OpenLinks returns the links whose state is in a file, which need not exist;
// with path "" it is kept in memory only.
func OpenLinks(s Store, now func() time.Time, path string) (*Links, error) {
	l := &Links{store: s, now: now, path: path, state: linkState{Secret: make([]byte, 32), Set: 1}}
	_, _ = rand.Read(l.state.Secret) // documented never to return an error
	if path == "" {
		return l, nil
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, l.save()
	}
	if err == nil {
		err = json.Unmarshal(b, &l.state)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the example links: %w", err)
	}
	return l, nil
}

func (l *Links) save() error {
	if l.path == "" {
		return nil
	}
	b, err := json.Marshal(l.state)
	if err != nil {
		return err
	}
	return os.WriteFile(l.path, b, 0o600)
}

// Renew makes a fresh set, which is shown from now on.
func (l *Links) Renew(ctx context.Context) error {
	l.mu.Lock()
	l.state.Set++
	err := l.save()
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("keeping the number of the set: %w", err)
	}
	_, err = l.Asks(ctx)
	return err
}

// Asks returns the asks of the set that is shown, as they stand, by metric and
// language. Those that do not exist yet are made, for a touchpoint of each
// metric that is asked about by e-mail.
func (l *Links) Asks(ctx context.Context) ([]*survey.Ask, error) {
	all, err := l.store.Touchpoints(ctx)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	state := l.state
	l.mu.Unlock()
	var out []*survey.Ask
	for _, m := range survey.Metrics() {
		t := byEmail(all, m)
		if t == nil {
			continue
		}
		for _, locale := range Locales() {
			a, err := l.ask(ctx, t, locale, state)
			if err != nil {
				return nil, err
			}
			out = append(out, a)
		}
	}
	return out, nil
}

// byEmail returns the touchpoint of a metric that is asked about by e-mail,
// the one with the most channels where there are several; nil for none.
func byEmail(all []*survey.Touchpoint, m survey.Metric) *survey.Touchpoint {
	var best *survey.Touchpoint
	for _, t := range all {
		if t.Metric == m && slices.Contains(t.Channels, survey.Email) && (best == nil || len(t.Channels) > len(best.Channels)) {
			best = t
		}
	}
	return best
}

// ask returns one ask as it stands, and makes it where it is not there. The
// series is part of its occasion, so that a new one gets new asks.
func (l *Links) ask(ctx context.Context, t *survey.Touchpoint, locale string, state linkState) (*survey.Ask, error) {
	occasion := "example " + strconv.Itoa(state.Set) + " series " + strconv.Itoa(t.Series)
	id := survey.AskID(state.Secret, t.ID, occasion, "example-"+locale)
	a, err := l.store.Ask(ctx, id)
	if survey.CodeOf(err) != survey.NotFound {
		return a, err
	}
	sent := l.now().Add(-time.Minute).Truncate(time.Millisecond)
	a = &survey.Ask{
		ID: id, Touchpoint: t.ID, Series: t.Series, Metric: t.Metric, Channel: survey.Email, Locale: locale,
		AskedAt: sent, SentAt: sent,
	}
	if err := l.store.CreateAsk(ctx, a); err != nil && survey.CodeOf(err) != survey.Conflict {
		return nil, err
	}
	return l.store.Ask(ctx, id)
}
