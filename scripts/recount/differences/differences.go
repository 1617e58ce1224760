// Package differences compares what the sheets have counted with a recount of
// all asks, and repairs what differs.
package differences

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// Store is what is compared: see package store.
type Store interface {
	EachAsk(ctx context.Context, yield func(*survey.Ask, error) error) error
	EachSheet(ctx context.Context, yield func(store.StoredSheet) error) error
	RepairSheet(ctx context.Context, was store.StoredSheet, difference score.Sheet) (bool, error)
	KeptSince(now time.Time) time.Time
}

// Finder looks for differences.
type Finder struct {
	Store Store
	// Zone is the reporting time zone, that of the function tally.
	Zone *time.Location
	// Touchpoint is the only one to look at; "" for all.
	Touchpoint string
	// Settle is how long a difference must stand still before it counts: longer
	// than the stream takes to be counted.
	Settle time.Duration
	// Patience is how long to wait for sheets that keep moving; at least Settle.
	Patience time.Duration

	Now func() time.Time
	// Wait waits, or returns the context's error.
	Wait func(context.Context, time.Duration) error
	// Progress is told, with every ask, how many have been read in this look.
	Progress func(asks int)
}

// Difference is a sheet that has not counted what it should have.
type Difference struct {
	Stored    store.StoredSheet // with revision zero where there is none
	Recounted score.Sheet
}

// Missing returns what must be added to the sheet.
func (d Difference) Missing() score.Sheet {
	missing := score.Sheet{}
	missing.Add(d.Recounted)
	missing.Sub(d.Stored.Counts)
	return missing
}

// Counter is one number of a sheet that differs.
type Counter struct {
	Group             score.Group
	Name              string
	Stored, Recounted int64
}

// Counters returns the numbers that differ, by group, in the order of
// [score.Tally.Counters].
func (d Difference) Counters() []Counter {
	missing := d.Missing()
	var out []Counter
	for _, g := range slices.Sorted(maps.Keys(missing)) {
		differs, stored, recounted := missing[g], d.Stored.Counts[g], d.Recounted[g]
		for i, c := range differs.Counters() {
			if *c.Value != 0 {
				out = append(out, Counter{g, c.Name, *stored.Counters()[i].Value, *recounted.Counters()[i].Value})
			}
		}
	}
	return out
}

// Report is what was found.
type Report struct {
	Asks   int // read
	Sheets int // compared
	// Skipped is how many sheets are so old that asks which they counted may
	// have expired.
	Skipped int
	// Unreadable is what is wrong with asks that cannot be read, by id. They
	// are counted nowhere.
	Unreadable []string

	// Differences stand still; they are in order.
	Differences []Difference
	// Moving are sheets that differ and had changed again at every look.
	Moving []score.Key
}

// Find compares every sheet with a recount. A difference counts only if it
// has stood still for Settle: neither the sheet nor the difference has changed
// meanwhile. Until all have, or Patience is over, it looks again, so that
// answers on their way are no differences.
func (f *Finder) Find(ctx context.Context) (Report, error) {
	const looks = 5 // within Settle
	began := f.Now()
	since := map[score.Key]time.Time{}
	var last map[score.Key]Difference
	for {
		report, found, err := f.look(ctx)
		if err != nil {
			return report, err
		}
		now := f.Now()
		for k, d := range found {
			if was, ok := last[k]; !ok || !same(was, d) {
				since[k] = now
			}
		}
		for _, k := range slices.SortedFunc(maps.Keys(found), compareKeys) {
			if now.Sub(since[k]) >= f.Settle {
				report.Differences = append(report.Differences, found[k])
			} else {
				report.Moving = append(report.Moving, k)
			}
		}
		if len(report.Moving) == 0 || now.Sub(began) >= f.Patience {
			return report, nil
		}
		last = found
		if err := f.Wait(ctx, f.Settle/looks); err != nil {
			return report, err
		}
	}
}

// Repair writes the differences, each on condition that its sheet has not
// counted anything since it was read, and returns how many were written. The
// others are to be looked for again.
func (f *Finder) Repair(ctx context.Context, differences []Difference) (repaired int, err error) {
	for _, d := range differences {
		done, err := f.Store.RepairSheet(ctx, d.Stored, d.Missing())
		if err != nil {
			return repaired, err
		}
		if done {
			repaired++
		}
	}
	return repaired, nil
}

// look compares once. The sheets are read before the asks: whatever is counted
// after that changes their revision, so that no repair can count it twice.
func (f *Finder) look(ctx context.Context) (Report, map[score.Key]Difference, error) {
	var report Report
	sheets := map[score.Key]store.StoredSheet{}
	err := f.Store.EachSheet(ctx, func(s store.StoredSheet) error {
		sheets[s.Key] = s
		return nil
	})
	if err != nil {
		return report, nil, err
	}
	recount := score.Changes{}
	err = f.Store.EachAsk(ctx, func(a *survey.Ask, err error) error {
		report.Asks++
		f.Progress(report.Asks)
		if err != nil {
			report.Unreadable = append(report.Unreadable, err.Error())
			return nil
		}
		recount.Replace(nil, a, f.Zone)
		return ctx.Err()
	})
	if err != nil {
		return report, nil, err
	}
	for k := range recount {
		if _, ok := sheets[k]; !ok {
			sheets[k] = store.StoredSheet{Key: k, Counts: score.Sheet{}}
		}
	}
	kept := f.keptSince()
	found := map[score.Key]Difference{}
	for k, s := range sheets {
		if f.Touchpoint != "" && k.Touchpoint != f.Touchpoint {
			continue
		}
		if start, err := k.Period.Start(); err == nil && start.Before(kept) {
			report.Skipped++
			continue
		}
		report.Sheets++
		if d := (Difference{Stored: s, Recounted: recount[k]}); len(d.Missing()) > 0 {
			found[k] = d
		}
	}
	return report, found, nil
}

// keptSince returns the first day whose answers are all to asks that cannot
// have expired: an ask is kept from when it was made, and may be answered, and
// sent, up to [survey.AnswerWindow] later. A day is added for time zones.
func (f *Finder) keptSince() time.Time {
	return f.Store.KeptSince(f.Now()).Add(survey.AnswerWindow + 24*time.Hour)
}

func same(a, b Difference) bool {
	return a.Stored.Revision == b.Stored.Revision && maps.Equal(a.Missing(), b.Missing())
}

func compareKeys(a, b score.Key) int {
	return cmp.Or(cmp.Compare(a.Touchpoint, b.Touchpoint), cmp.Compare(a.Series, b.Series), cmp.Compare(a.Period, b.Period))
}

// Wait waits for d, as [Finder.Wait] does outside of tests.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("while waiting for the tables to stand still: %w", ctx.Err())
	}
}
