package tally_test

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/functions/tally"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

var (
	seed   = flag.Uint64("tally.seed", 1, "seed of the first generated round; each round's is one more")
	rounds = flag.Int("tally.rounds", 1000, "generated rounds in memory")
)

const storedRounds = 5

// Whatever a stream delivers, the tallies equal a recount: batches repeated,
// shuffled and mixed with records from before, bisected, failing between two
// sheets before or after a write, with writes that land long after they were
// given up, and with a second mapping that starts over in the middle of it.
func TestTalliesEqualARecount(t *testing.T) {
	var seen sights
	for i := range uint64(*rounds) {
		round(t, *seed+i, newLedger(), &seen)
	}
	for what, n := range map[string]*atomic.Int64{
		"writes failed before": &seen.before, "writes failed after": &seen.after, "late writes": &seen.late,
		"second mappings": &seen.second, "bisections": &seen.bisected, "partial failures": &seen.partial,
		"repetitions": &seen.repeated, "changes too large": &seen.large, "expiries": &seen.expired,
		"removals": &seen.removed, "suspects": &seen.suspect, "cancelling changes": &seen.cancelled,
	} {
		if n.Load() < 10 {
			t.Errorf("%d %s in %d rounds: the generator does not test them", n.Load(), what, *rounds)
		}
	}
}

func TestTalliesEqualARecountInDynamoDB(t *testing.T) {
	sheets := newStored(t)
	var seen sights
	for i := range uint64(storedRounds) {
		round(t, *seed+i, sheets, &seen)
	}
}

// random returns a generator for a seed and what it is for. (ChaCha8, because
// PCG's first draws are alike for seeds that are.)
func random(of ...uint64) *rand.Rand {
	var key [32]byte
	for i, n := range of {
		binary.LittleEndian.PutUint64(key[8*i:], n)
	}
	return rand.New(rand.NewChaCha8(key))
}

// sights counts what the generator has come across.
type sights struct {
	before, after, late, second, bisected, partial, repeated, large, expired, removed, suspect, cancelled atomic.Int64
}

// round makes a world of asks, lets it change, and delivers the changes as a
// stream would, twice; then once more from the start.
func round(t *testing.T, seed uint64, sheets counter, seen *sights) {
	t.Helper()
	w := newWorld(seed, seen)
	f := &faulty{next: sheets, seed: seed, seen: seen, tries: map[string]uint64{}, frontier: map[string]*delivery{}}
	h := &tally.Handler{Sheets: f, Zone: w.zone, Now: func() time.Time { return noon }}
	check := func(when string) {
		t.Helper()
		got := sheets.counts(t)
		for k := range got {
			if !strings.HasPrefix(k.Touchpoint, w.prefix) {
				delete(got, k)
			}
		}
		if diff := cmp.Diff(w.recount(), got); diff != "" {
			t.Fatalf("seed %d, %s: tallies differ (-recount +tally):\n%s", seed, when, diff)
		}
	}
	deliver := func(from map[string]int) {
		t.Helper()
		for i, s := range w.shards {
			f.frontier[s.id] = &delivery{handler: h, shard: s, pos: from[s.id], rng: random(seed, uint64(i)+1), seen: seen}
			from[s.id] = len(s.records)
		}
		var wg sync.WaitGroup
		errs := make([]error, len(w.shards))
		for i, s := range w.shards {
			wg.Go(func() { errs[i] = f.frontier[s.id].run(len(s.records)) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	delivered := map[string]int{}
	for range 2 {
		w.live(8 + w.rng.IntN(22))
		deliver(delivered)
		check("delivered")
		f.land()
		check("after late writes")
	}
	deliver(map[string]int{})
	f.land()
	check("delivered again from the start")
}

// world is asks and the shards of the stream of their changes.
type world struct {
	rng    *rand.Rand
	zone   *time.Location
	prefix string // of touchpoints, so that rounds do not share sheets
	seen   *sights

	series                []store.SeriesKey
	segments, least, most int // how many there are, and how many an ask has
	asks                  []*survey.Ask
	lost                  []*survey.Ask // expired: counted for ever
	shards                []*shard
}

type shard struct {
	id      string
	last    uint64
	records []events.DynamoDBEventRecord
}

func newWorld(seed uint64, seen *sights) *world {
	zone, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		panic(err)
	}
	w := &world{
		rng: random(seed, 0), zone: zone, seen: seen, prefix: fmt.Sprintf("r%d-", seed),
		series:   []store.SeriesKey{{Touchpoint: "shop", Series: 1}, {Touchpoint: "shop", Series: 2}, {Touchpoint: "app", Series: 1}},
		segments: 3, most: 2,
	}
	shards := 1 + w.rng.IntN(3)
	if w.rng.IntN(25) == 0 { // sheets too wide for one update
		shards, w.series = 1, []store.SeriesKey{{Touchpoint: "wide", Series: 1}}
		w.segments, w.least, w.most = 400, survey.MaxSegmentsOfAsk, survey.MaxSegmentsOfAsk
	}
	for i := range shards {
		// Sequence numbers that soon have one digit more.
		w.shards = append(w.shards, &shard{id: fmt.Sprintf("shardId-%d", i), last: 99_980 + w.rng.Uint64N(20)})
	}
	return w
}

// live lets n things happen.
func (w *world) live(n int) {
	for range n {
		if len(w.asks) < 3 || w.rng.IntN(5) == 0 {
			a := w.newAsk()
			w.asks = append(w.asks, a)
			w.record(len(w.asks)-1, nil, a, false)
			continue
		}
		i := w.rng.IntN(len(w.asks))
		before := w.asks[i]
		if before == nil {
			continue // gone
		}
		switch w.rng.IntN(20) {
		case 0:
			w.seen.expired.Add(1)
			w.lost, w.asks[i] = append(w.lost, before), nil
			w.record(i, before, nil, true)
		case 1:
			w.seen.removed.Add(1)
			w.asks[i] = nil
			w.record(i, before, nil, false)
		default:
			w.asks[i] = w.changed(before)
			w.record(i, before, w.asks[i], false)
		}
	}
}

func (w *world) newAsk() *survey.Ask {
	// From before the end of summer time to over the end of the month.
	a := testkit.NewAsk(time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC).Add(time.Duration(w.rng.IntN(8*24*60)) * time.Minute))
	series := w.series[w.rng.IntN(len(w.series))]
	a.Touchpoint, a.Series = w.prefix+series.Touchpoint, series.Series
	a.Channel = survey.Channels()[w.rng.IntN(3)]
	for range w.least + w.rng.IntN(w.most-w.least+1) {
		a.Segments = append(a.Segments, fmt.Sprintf("plan=%03d", w.rng.IntN(w.segments)))
	}
	slices.Sort(a.Segments)
	a.Segments = slices.Compact(a.Segments)
	switch w.rng.IntN(3) {
	case 0: // a vote: there and answered at once
		w.answer(a, survey.Human)
	case 1:
		a.Contact = "c1"
		a.SentAt = a.AskedAt.Add(w.later())
	}
	return a
}

func (w *world) later() time.Duration { return time.Duration(w.rng.IntN(2*24*60)) * time.Minute }

// changed returns what an ask became.
func (w *world) changed(before *survey.Ask) *survey.Ask {
	a := *before
	switch w.rng.IntN(8) {
	case 0:
		a.SentAt = a.AskedAt.Add(w.later())
	case 1:
		a.DeliveredAt = a.AskedAt.Add(w.later())
	case 2:
		a.BouncedAt = a.AskedAt.Add(w.later())
	case 3:
		w.answer(&a, survey.Click)
	case 4:
		w.seen.suspect.Add(1)
		w.answer(&a, survey.Suspect)
	case 5, 6:
		w.answer(&a, survey.Human)
	case 7: // counts for nothing: a comment, an erasure
		a.Contact = ""
		if a.Answered() {
			a.Comment = "thanks"
		}
	}
	return &a
}

func (w *world) answer(a *survey.Ask, trust survey.Trust) {
	if !a.Answered() || a.Trust == survey.Suspect {
		a.AnsweredAt = a.AskedAt.Add(w.later())
	}
	a.Trust, a.Score = trust, w.rng.IntN(survey.MaxScore+1)
}

// record writes a change to the stream: all those of one ask to one shard.
func (w *world) record(i int, before, after *survey.Ask, expired bool) {
	s := w.shards[i%len(w.shards)]
	s.last += 1 + w.rng.Uint64N(3)
	sequence := fmt.Sprint(s.last)
	if expired {
		s.records = append(s.records, testkit.ExpiryRecord(sequence, before))
		return
	}
	s.records = append(s.records, testkit.StreamRecord(sequence, before, after))
}

// recount is what the sheets should have counted.
func (w *world) recount() map[score.Key]score.Sheet {
	changes := score.Changes{}
	for _, a := range slices.Concat(w.asks, w.lost) {
		changes.Replace(nil, a, w.zone)
	}
	out := map[score.Key]score.Sheet{}
	for k, s := range changes {
		if len(s) > 0 {
			out[k] = s
		}
	}
	return out
}

// delivery imitates an event source mapping on one shard: batches in order,
// the next only when the last is done, halved when the function fails, and
// from the lowest failure on when it reports one.
type delivery struct {
	handler *tally.Handler
	shard   *shard
	pos     int // all records before it are done
	rng     *rand.Rand
	seen    *sights
	doubled atomic.Bool // a second mapping delivers the shard
}

// run delivers up to the record at end.
func (d *delivery) run(end int) error {
	for d.pos < end {
		if err := d.offer(d.pos, min(end, d.pos+1+d.rng.IntN(25)), 0); err != nil {
			return err
		}
	}
	return nil
}

// offer delivers the records from first to end until they are done.
func (d *delivery) offer(first, end, failed int) error {
	if failed > 1000 {
		return fmt.Errorf("shard %s: records %d to %d are never done", d.shard.id, first, end)
	}
	batch := slices.Clone(d.shard.records[first:end])
	if d.pos > 0 && d.rng.IntN(4) == 0 { // with some that are done, or there twice
		d.seen.repeated.Add(1)
		for range 1 + d.rng.IntN(10) {
			batch = append(batch, d.shard.records[d.rng.IntN(end)])
		}
		d.rng.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	}
	resp, err := d.handler.Handle(context.Background(), testkit.StreamBatch(d.shard.id, batch...))
	switch {
	case err != nil && end-first > 1:
		d.seen.bisected.Add(1)
		half := (first + end) / 2
		if err := d.offer(first, half, failed+1); err != nil {
			return err
		}
		return d.offer(half, end, failed+1)
	case err != nil:
		return d.offer(first, end, failed+1)
	case len(resp.BatchItemFailures) > 0:
		d.seen.partial.Add(1)
		from := resp.BatchItemFailures[0].ItemIdentifier
		i := slices.IndexFunc(d.shard.records[:end], func(r events.DynamoDBEventRecord) bool { return r.Change.SequenceNumber == from })
		if i < 0 {
			return fmt.Errorf("shard %s: %q is reported, which was not delivered", d.shard.id, from)
		}
		d.pos = max(d.pos, min(i, end))
		return d.offer(max(first, i), end, failed+1)
	}
	d.pos = max(d.pos, end)
	if d.rng.IntN(5) == 0 { // done, and delivered again
		d.seen.repeated.Add(1)
		again := d.rng.IntN(end)
		if _, err := d.handler.Handle(context.Background(), testkit.StreamBatch(d.shard.id, d.shard.records[again:end]...)); err != nil && !errors.Is(err, errFault) {
			return err
		}
	}
	return nil
}

var errFault = errors.New("injected fault")

// faulty is sheets that fail. What happens to a write depends on the seed and
// on how often that very write was tried, not on the order of goroutines.
type faulty struct {
	next counter
	seed uint64
	seen *sights

	mu       sync.Mutex
	tries    map[string]uint64
	late     []func()
	frontier map[string]*delivery // the first mappings, by shard
}

func (f *faulty) AddToSheet(ctx context.Context, k score.Key, change score.Sheet, span store.Span, now time.Time) error {
	if len(change) == 0 {
		f.seen.cancelled.Add(1)
	}
	rng := f.draw(k, span)
	write := func() error { return f.next.AddToSheet(ctx, k, change, span, now) }
	switch n := rng.IntN(100); {
	case n < 3:
		f.seen.before.Add(1)
		return errFault
	case n < 6:
		f.seen.after.Add(1)
		_ = write()
		return errFault
	case n < 8:
		f.seen.late.Add(1)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.late = append(f.late, func() { _ = write() })
		return errFault
	case n < 9:
		f.land()
	case n < 10:
		f.second(span.Shard, rng)
	}
	err := write()
	if errors.Is(err, store.ErrTooManyChanges) {
		f.seen.large.Add(1)
	}
	return err
}

func (f *faulty) draw(k score.Key, span store.Span) *rand.Rand {
	write := fmt.Sprint(k, span)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tries[write]++
	h := fnv.New64a()
	_, _ = h.Write([]byte(write)) // documented never to fail
	return random(f.seed, h.Sum64(), f.tries[write])
}

// land carries out the writes that were given up.
func (f *faulty) land() {
	f.mu.Lock()
	late := f.late
	f.late = nil
	f.mu.Unlock()
	for _, write := range late {
		write()
	}
}

// second delivers a shard by another mapping, from a record that is done or
// the first that is not, while the first mapping is in the middle of a batch.
func (f *faulty) second(shard string, rng *rand.Rand) {
	first := f.frontier[shard]
	if first.doubled.Swap(true) {
		return // one at a time
	}
	defer first.doubled.Store(false)
	f.seen.second.Add(1)
	// Its errors are the first mapping's to find: what it leaves undone, that
	// one delivers.
	d := &delivery{handler: first.handler, shard: first.shard, pos: rng.IntN(first.pos + 1), rng: rng, seen: f.seen}
	_ = d.run(d.pos + rng.IntN(len(d.shard.records)-d.pos+1))
}
