// Package traffic makes people who answer, and reports what became of their
// answers: votes on pages, clicks in e-mails, second thoughts, comments,
// requests sent twice, and mail scanners that open every link.
//
// All of it is drawn from one seed: the same seed makes the same people in the
// same order, though under ids of their own.
package traffic

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Mix is what share of the people do what, in per cent.
type Mix struct {
	Links      int // answer by a link instead of a vote
	Scanners   int // are a mail scanner: it opens every link of one ask
	Edits      int // change their score afterwards
	Comments   int // comment afterwards
	Duplicates int // send the same twice
}

// Config is how much of what is sent where.
type Config struct {
	URL         string // of the HTTP API, without a slash at its end
	N           int    // people
	Rate        float64
	Concurrency int // people at the same time
	Touchpoints int // the first so many that take votes
	Seed        uint64
	Mix         Mix
	Client      *http.Client // nil for one of its own
}

// check returns what is wrong with the config.
func (c Config) check() error {
	switch {
	case c.N < 1 || c.N > 10_000_000:
		return errors.New("n must be from 1 to 10,000,000")
	case c.Rate < 0:
		return errors.New("rate must not be negative")
	case c.Concurrency < 1 || c.Concurrency > 1000:
		return errors.New("concurrency must be from 1 to 1,000")
	case c.Touchpoints < 1:
		return errors.New("touchpoints must be at least 1")
	}
	for _, share := range []int{c.Mix.Links, c.Mix.Scanners, c.Mix.Edits, c.Mix.Comments, c.Mix.Duplicates} {
		if share < 0 || share > 100 {
			return errors.New("shares must be from 0 to 100 per cent")
		}
	}
	if c.Mix.Links+c.Mix.Scanners > 100 {
		return errors.New("links and scanners together must be at most 100 per cent")
	}
	return nil
}

// Store makes the asks whose links are clicked.
type Store interface {
	Touchpoints(ctx context.Context) ([]*survey.Touchpoint, error)
	CreateAsk(ctx context.Context, a *survey.Ask) error
}

// Run sends the traffic and returns what became of it. It stops early, with
// what there is and without an error, when ctx is done. progress is told, from
// one goroutine at a time, how many people are through; nil for nobody.
//
// A request that the API refuses or fails is counted, not an error; one that
// no answer comes to, is both.
func Run(ctx context.Context, c Config, s Store, progress func(done int)) (*Report, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	touchpoints, err := choose(ctx, s, c.Touchpoints)
	if err != nil {
		return nil, err
	}
	if c.Client == nil {
		transport := &http.Transport{MaxIdleConnsPerHost: c.Concurrency}
		defer transport.CloseIdleConnections()
		c.Client = &http.Client{Transport: transport, Timeout: 30 * time.Second}
	}
	begin := time.Now()
	people := make(chan int)
	parts := make([]*Report, c.Concurrency)
	errs := make([]error, c.Concurrency)
	var done counter
	var wg sync.WaitGroup
	for w := range c.Concurrency {
		parts[w] = newReport()
		wg.Go(func() {
			for i := range people {
				p := person{Config: &c, store: s, report: parts[w], rng: random(c.Seed, i)}
				p.touchpoint = touchpoints[p.rng.IntN(len(touchpoints))]
				if err := p.live(ctx); err != nil && ctx.Err() == nil {
					errs[w] = err // the last one tells as much as the first
				}
				done.add(progress)
			}
		})
	}
	c.pace(ctx, begin, people)
	close(people)
	wg.Wait()
	report := newReport()
	for _, p := range parts {
		report.add(p)
	}
	report.finish(time.Since(begin))
	return report, errors.Join(errs...)
}

// pace lets people go at the rate, or as fast as they are taken.
func (c Config) pace(ctx context.Context, begin time.Time, people chan<- int) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := range c.N {
		if c.Rate > 0 {
			timer.Reset(time.Until(begin.Add(time.Duration(float64(i) / c.Rate * float64(time.Second)))))
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
		}
		select {
		case <-ctx.Done():
			return
		case people <- i:
		}
	}
}

// counter counts people who are through, and passes it on in order.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add(progress func(int)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	if progress != nil {
		progress(c.n)
	}
}

// choose returns the first n touchpoints that take votes, spread over as many
// metrics as there are.
func choose(ctx context.Context, s Store, n int) ([]*survey.Touchpoint, error) {
	all, err := s.Touchpoints(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(slices.Clone(all), func(t *survey.Touchpoint) bool {
		return !slices.ContainsFunc(t.Channels, func(c survey.Channel) bool {
			return slices.Contains([]survey.Channel{survey.Popup, survey.App, survey.Link, survey.Kiosk}, c)
		})
	})
	used := map[survey.Metric]int{}
	rank := map[string]int{}
	for _, t := range all {
		rank[t.ID] = used[t.Metric] // how many of its metric come before it
		used[t.Metric]++
	}
	slices.SortStableFunc(all, func(a, b *survey.Touchpoint) int { return rank[a.ID] - rank[b.ID] })
	if len(all) < n {
		return nil, fmt.Errorf("%d touchpoints take votes, %d are asked for: apply scripts/dev/touchpoints.yaml", len(all), n)
	}
	return all[:n], nil
}

// random returns the generator of one person.
func random(seed uint64, person int) *rand.Rand {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(person))
	return rand.New(rand.NewChaCha8(key))
}
