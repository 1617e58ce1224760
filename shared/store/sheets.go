package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/topology"
)

// MaxSheetChanges is the most counters that one update of a sheet can change:
// each takes up to 10 bytes of an update expression, which DynamoDB limits to
// 4 KB.
const MaxSheetChanges = 300

// ErrTooManyChanges says that a change has more than [MaxSheetChanges]
// counters.
var ErrTooManyChanges = fmt.Errorf("over %d changes in one update of a sheet", MaxSheetChanges)

// watermarkLife is how long a shard's watermark is of use. A stream keeps
// records for 24 hours, so twice that after its last batch a shard has nothing
// left to repeat.
const watermarkLife = 48 * time.Hour

// Span is the run of sequence numbers of one shard that a change to a sheet
// was folded from, both ends included.
type Span struct{ Shard, First, Last string }

// CountedError says that a sheet has counted some of the records of a change
// before: those of the shard up to and including Last.
type CountedError struct{ Last string }

func (e *CountedError) Error() string { return "the sheet has counted the shard up to " + e.Last }

// After reports whether a sequence number is beyond those counted.
func (e *CountedError) After(sequence string) bool { return pad(sequence) > pad(e.Last) }

// CompareSequence compares two sequence numbers of a shard: negative where a
// comes before b, zero where they are the same.
func CompareSequence(a, b string) int { return strings.Compare(pad(a), pad(b)) }

// AddToSheet adds a change to a sheet, once: in one update it adds the
// counters and moves the shard's watermark to span.Last, on condition that the
// watermark is below span.First. The change may be empty, which moves the
// watermark alone. Otherwise nothing is written and a [*CountedError] says up
// to where the shard is counted. A repeated call therefore never counts twice;
// a call of which nobody knows whether it was carried out can be repeated.
//
// A change of more than [MaxSheetChanges] counters is refused with
// [ErrTooManyChanges] before anything is written. Watermarks of shards that
// have not moved for 48 hours are removed in passing.
func (s *Store) AddToSheet(ctx context.Context, k score.Key, change score.Sheet, span Span, now time.Time) error {
	e := newExpression()
	n := 0
	for g, t := range change {
		for _, c := range t.Counters() {
			if *c.Value != 0 {
				e.add(counterName(g, c.Name), *c.Value)
				n++
			}
		}
	}
	if n > MaxSheetChanges {
		return fmt.Errorf("sheet %v: %d counters: %w", k, n, ErrTooManyChanges)
	}
	e.add(revision, 1)
	mark := watermarkPrefix + span.Shard
	e.set(mark, str(watermarkValue(span.Last, now)))
	cond := e.notExists(mark) + " OR " + e.is(mark, "<", str(pad(span.First)))
	out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           s.table(topology.Tallies),
		Key:                                 sheetKey(k),
		UpdateExpression:                    e.update(),
		ConditionExpression:                 &cond,
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValues:                        types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if old, ok := refused(err); ok {
		d := decoder{it: old}
		last, _, err := parseWatermark(d.str(mark))
		if err != nil {
			return fmt.Errorf("sheet %v, shard %s: %w", k, span.Shard, err)
		}
		return &CountedError{last}
	}
	if err != nil {
		return fmt.Errorf("adding to sheet %v: %w", k, err)
	}
	return s.prune(ctx, k, out.Attributes, mark, now)
}

// prune removes the watermarks of an old image that are of no more use. Each
// shard is removed once from each sheet, so this hardly ever writes.
func (s *Store) prune(ctx context.Context, k score.Key, old item, keep string, now time.Time) error {
	e := newExpression()
	var conds []string
	for name, v := range old {
		if name == keep || !strings.HasPrefix(name, watermarkPrefix) {
			continue
		}
		d := decoder{it: old}
		if _, at, err := parseWatermark(d.str(name)); err == nil && now.Sub(at) > watermarkLife {
			e.remove(name)
			conds = append(conds, e.is(name, "=", v))
		}
		if len(conds) == MaxSheetChanges/10 {
			break // the rest goes next time
		}
	}
	if len(conds) == 0 {
		return nil
	}
	cond := strings.Join(conds, " AND ")
	_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 s.table(topology.Tallies),
		Key:                       sheetKey(k),
		UpdateExpression:          e.update(),
		ConditionExpression:       &cond,
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	})
	if _, ok := refused(err); ok {
		return nil // somebody else pruned them
	}
	if err != nil {
		return fmt.Errorf("pruning the watermarks of sheet %v: %w", k, err)
	}
	return nil
}

func sheetKey(k score.Key) item {
	return item{
		topology.Tallies.Hash.Name:  str(SeriesKey{k.Touchpoint, k.Series}.String()),
		topology.Tallies.Range.Name: str(string(k.Period)),
	}
}

// StoredSheet is a sheet as it stands in the table.
type StoredSheet struct {
	Key    score.Key
	Counts score.Sheet
	// Revision counts the updates of the sheet: it is the same only where
	// nothing has been counted since. Zero for a sheet that is not there.
	Revision int64
}

func unmarshalSheet(it item) (StoredSheet, error) {
	d := decoder{it: it}
	key, err := ParseSeriesKey(d.str(topology.Tallies.Hash.Name))
	if err != nil {
		return StoredSheet{}, err
	}
	out := StoredSheet{
		Key:      score.Key{Touchpoint: key.Touchpoint, Series: key.Series, Period: score.Period(d.str(topology.Tallies.Range.Name))},
		Counts:   score.Sheet{},
		Revision: d.num(revision),
	}
	for name := range it {
		g, counter, ok := parseCounterName(name)
		if !ok || strings.HasPrefix(name, watermarkPrefix) {
			continue // a key, a watermark, the revision
		}
		t := out.Counts[g]
		for _, c := range t.Counters() {
			if c.Name == counter {
				*c.Value = d.num(name)
			}
		}
		if t != (score.Tally{}) {
			out.Counts[g] = t
		}
	}
	if d.err != nil {
		return StoredSheet{}, fmt.Errorf("sheet %v: %w", out.Key, d.err)
	}
	return out, nil
}

// Sheets returns the sheets of some series from one period to another, both
// included and of one kind, in any order. Periods without a sheet are left
// out. It makes one query for each series and megabyte of its sheets, those of
// all series at once: to who waits, they are one round trip.
func (s *Store) Sheets(ctx context.Context, of []SeriesKey, from, to score.Period) ([]StoredSheet, error) {
	found, errs := make([][]StoredSheet, len(of)), make([]error, len(of))
	var wg sync.WaitGroup
	for i, k := range of {
		wg.Go(func() { found[i], errs[i] = s.sheets(ctx, k, from, to) })
	}
	wg.Wait()
	return slices.Concat(found...), errors.Join(errs...)
}

func (s *Store) sheets(ctx context.Context, k SeriesKey, from, to score.Period) ([]StoredSheet, error) {
	e := newExpression()
	cond := e.is(topology.Tallies.Hash.Name, "=", str(k.String())) + " AND " +
		e.name(topology.Tallies.Range.Name) + " BETWEEN " + e.value(str(string(from))) + " AND " + e.value(str(string(to)))
	var out []StoredSheet
	pages := dynamodb.NewQueryPaginator(s.db, &dynamodb.QueryInput{
		TableName:                 s.table(topology.Tallies),
		KeyConditionExpression:    &cond,
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the sheets of %s: %w", k, err)
		}
		if out, err = appendSheets(out, page.Items); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func appendSheets(out []StoredSheet, items []item) ([]StoredSheet, error) {
	for _, it := range items {
		sheet, err := unmarshalSheet(it)
		if err != nil {
			return nil, err
		}
		out = append(out, sheet)
	}
	return out, nil
}

// SheetsAt returns the sheets that have the keys, each named once, in any
// order; those that are not there are left out. It makes one call for 100
// keys, and calls for others at the same time.
func (s *Store) SheetsAt(ctx context.Context, keys []score.Key) ([]StoredSheet, error) {
	parts := slices.Collect(slices.Chunk(keys, maxBatchGet))
	found := make([][]StoredSheet, len(parts))
	err := each(ctx, len(parts), func(ctx context.Context, i int) error {
		var ask types.KeysAndAttributes
		for _, k := range parts[i] {
			ask.Keys = append(ask.Keys, sheetKey(k))
		}
		items, err := s.getBatch(ctx, topology.Tallies, ask)
		if err != nil {
			return err
		}
		found[i], err = appendSheets(nil, items)
		return err
	})
	return slices.Concat(found...), err
}

// EachSheet calls yield with every sheet there is, in no order, read
// consistently, until it returns an error, which EachSheet returns.
func (s *Store) EachSheet(ctx context.Context, yield func(StoredSheet) error) error {
	return s.scan(ctx, topology.Tallies, func(it item) error {
		sheet, err := unmarshalSheet(it)
		if err != nil {
			return err
		}
		return yield(sheet)
	})
}

// RepairSheet adds a difference to a sheet, which need not exist yet, on
// condition that nothing has been counted in it since it was read. It reports
// false where something has; a difference of over [MaxSheetChanges] counters
// may be added in part then.
func (s *Store) RepairSheet(ctx context.Context, was StoredSheet, difference score.Sheet) (bool, error) {
	var changes []counterChange
	for g, t := range difference {
		for _, c := range t.Counters() {
			if *c.Value != 0 {
				changes = append(changes, counterChange{counterName(g, c.Name), *c.Value})
			}
		}
	}
	rev := was.Revision
	for part := range slices.Chunk(changes, MaxSheetChanges) {
		e := newExpression()
		for _, c := range part {
			e.add(c.name, c.by)
		}
		e.add(revision, 1)
		cond := e.notExists(revision)
		if rev > 0 {
			cond = e.is(revision, "=", num(rev))
		}
		_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                 s.table(topology.Tallies),
			Key:                       sheetKey(was.Key),
			UpdateExpression:          e.update(),
			ConditionExpression:       &cond,
			ExpressionAttributeNames:  e.names,
			ExpressionAttributeValues: e.values,
		})
		if _, ok := refused(err); ok {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("repairing sheet %v: %w", was.Key, err)
		}
		rev++
	}
	return true, nil
}

type counterChange struct {
	name string
	by   int64
}

// scan calls yield with every item of a table, read consistently.
func (s *Store) scan(ctx context.Context, t topology.Table, yield func(item) error) error {
	pages := dynamodb.NewScanPaginator(s.db, &dynamodb.ScanInput{TableName: s.table(t), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading all of %s: %w", t.Name, err)
		}
		for _, it := range page.Items {
			if err := yield(it); err != nil {
				return err
			}
		}
	}
	return nil
}

// IsCounted returns the [CountedError] in err's chain, if there is one.
func IsCounted(err error) (*CountedError, bool) { return errors.AsType[*CountedError](err) }
