package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/pulssi/pulssi/functions/plan"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// planMoment is when everyone is asked: on a Monday at 9 in Helsinki.
var planMoment = time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)

const planZone = "Europe/Helsinki"

// crowd is any number of contacts that exist while they are looked at, and all
// else that planning needs, in memory. One in ten has no address.
type crowd struct {
	plan.Store // of which planning a tick needs what follows
	contacts   int64
	asks       int64 // queued
	refusals   int64
	pages      int64
	heap       uint64 // the most that was in use
}

func contactID(number int64) string { return fmt.Sprintf("contact%015d", number) }

func contactOf(id string) (*survey.Contact, error) {
	number, err := strconv.ParseInt(id[len("contact"):], 10, 64)
	if err != nil {
		return nil, err
	}
	c := &survey.Contact{
		ID: id, Number: number, Version: 1, Ref: "C-" + id, FirstName: "Aino", LastName: "Virtanen", Zone: planZone,
		Segments: []string{"consumer", "gold"}, CreatedAt: planMoment.AddDate(-1, 0, 0),
		LastAskedAt: planMoment.AddDate(0, -6, 0), Asked: map[string]survey.Asked{"shop": {At: planMoment.AddDate(0, -6, 0)}},
	}
	if number%10 > 0 {
		c.Email = id + "@example.com"
	}
	return c, nil
}

func (c *crowd) EachOfCohort(_ context.Context, cohort int, _ string, yield func(ids []string) error) error {
	const page = 8000 // as many as fit in the 1 MB that one query answers
	var ids []string
	for n := int64(1); n <= c.contacts; n++ {
		if asking.Cohort(n) == cohort {
			ids = append(ids, contactID(n))
		}
		if len(ids) == page || n == c.contacts {
			if err := yield(ids); err != nil {
				return err
			}
			ids = nil
		}
	}
	return nil
}

func (c *crowd) ContactsByID(_ context.Context, ids []string) (map[string]*survey.Contact, error) {
	out := make(map[string]*survey.Contact, len(ids))
	for _, id := range ids {
		is, err := contactOf(id)
		if err != nil {
			return nil, err
		}
		out[id] = is
	}
	if atomic.AddInt64(&c.pages, 1)%50 == 0 {
		c.weigh()
	}
	return out, nil
}

// weigh notes how much memory is in use.
func (c *crowd) weigh() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for {
		was := atomic.LoadUint64(&c.heap)
		if m.HeapInuse <= was || atomic.CompareAndSwapUint64(&c.heap, was, m.HeapInuse) {
			return
		}
	}
}

func (c *crowd) Zones(context.Context) ([]string, error) { return []string{planZone}, nil }

func (c *crowd) Planned(context.Context) (store.Planned, error) {
	return store.Planned{Version: 1, Through: planMoment.Add(-time.Hour)}, nil
}

func (c *crowd) PutPlanned(context.Context, store.Planned, store.Planned) error { return nil }

func (c *crowd) PutDecisions(_ context.Context, ds []survey.Decision) error {
	atomic.AddInt64(&c.refusals, int64(len(ds)))
	return nil
}

func (c *crowd) All(context.Context) ([]*survey.Touchpoint, error) {
	return []*survey.Touchpoint{{
		ID: "everyone", Channels: []survey.Channel{survey.Email, survey.SMS},
		Trigger: &survey.Trigger{Every: survey.Quarterly, Spread: new(false), On: "2-23"},
	}}, nil
}

func (c *crowd) Rulebook(context.Context) (*asking.Rulebook, error) {
	return asking.NewRulebook(survey.DefaultRules()), nil
}

func (c *crowd) SendAsks(_ context.Context, asks []queue.Ask) error {
	for _, a := range asks {
		if _, err := a.Encode(); err != nil {
			return err
		}
	}
	atomic.AddInt64(&c.asks, int64(len(asks)))
	return nil
}

// planFor plans the tick at which so many contacts are due, and returns how many
// it planned in a second.
func planFor(ctx context.Context, contacts int64) (*crowd, float64, error) {
	c := &crowd{contacts: contacts}
	h := &plan.Handler{Store: c, Catalog: c, Queue: c, Now: func() time.Time { return planMoment }}
	runtime.GC()
	began := time.Now()
	if err := h.Handle(ctx, json.RawMessage(`{"tick":"`+planMoment.Format(time.RFC3339)+`"}`)); err != nil {
		return nil, 0, err
	}
	rate := float64(contacts) / time.Since(began).Seconds()
	if c.asks+c.refusals != contacts || c.refusals != contacts/10 {
		return nil, 0, fmt.Errorf("of %d contacts %d were queued and %d refused", contacts, c.asks, c.refusals)
	}
	return c, rate, nil
}

// planning measures a tick at which everyone is due: contacts in a second, and
// that ten times as many need no more memory. The baseline does no more than go
// through the contacts and write each a message.
func planning(ctx context.Context, _ *bench) ([]Row, error) {
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil))) // what a tick tells of itself
	const few, many = 100_000, 1_000_000
	small, _, err := planFor(ctx, few)
	if err != nil {
		return nil, err
	}
	large, rate, err := planFor(ctx, many)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for n := range int64(many) {
		c, err := contactOf(contactID(n + 1))
		if err != nil {
			return nil, err
		}
		if _, err := (queue.Ask{Touchpoint: "everyone", Contact: c.ID, Occasion: "2026Q4", Due: planMoment}).Encode(); err != nil {
			return nil, err
		}
	}
	plain := many / time.Since(began).Seconds()
	const atLeast, spare = 5000, 16e6 // a million contacts held would be 600 MB
	return []Row{{
		What:     fmt.Sprintf("planning: contacts read, checked and queued, %d due at once, without the database", many),
		Measured: fmt.Sprintf("%.0f/s, %.2f x", rate, rate/plain),
		Baseline: fmt.Sprintf("generated and written one by one %.0f/s", plain),
		Budget:   fmt.Sprintf("%d/s", atLeast),
		Holds:    rate >= atLeast,
	}, {
		What:     fmt.Sprintf("planning: most memory in use, %d due at once", many),
		Measured: fmt.Sprintf("%.1f MB", float64(large.heap)/1e6),
		Baseline: fmt.Sprintf("%d due at once %.1f MB", few, float64(small.heap)/1e6),
		Budget:   fmt.Sprintf("%.0f MB more", spare/1e6),
		Holds:    float64(large.heap) <= float64(small.heap)+spare,
	}}, nil
}
