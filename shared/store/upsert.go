package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// MaxUpsert is the most rows of one [Store.Upsert].
const MaxUpsert = 100

// Result is what became of a row.
type Result string

// The results.
const (
	Added     Result = "added"     // a new contact
	Changed   Result = "changed"   // one that was known
	Unchanged Result = "unchanged" // one that was known like that
	Refused   Result = "refused"   // nothing was taken, for the problems told
)

// Outcome says what became of a row.
type Outcome struct {
	Contact  string // id; "" where Refused
	Result   Result
	Problems []Problem // what was not taken
}

// Problem is one detail that was not taken, and why. It names no detail.
type Problem struct{ Field, Message string }

const ofAnother = "belongs to another contact"

// Upsert adds persons to the contacts, or tells a contact what a row knows of
// it (survey.Contact.Merge), and returns an outcome for each of at most
// [MaxUpsert] rows, in order.
//
// Who a row is about: the contact with its ref; else the one with its e-mail
// address, unless both have a ref of their own; else the one with its phone
// number, unless both have a ref or both an e-mail address of their own: people
// share phones. Else it is somebody new. An address that another contact has is
// left out and told as a problem, and somebody new who has none left is refused,
// as is a row that breaks a rule of [survey.Details.Check]. Rows of one person
// are taken in order. Somebody new who takes an address of which the last holder
// had opted out is opted out as well.
//
// It is safe for concurrent use, in any number of processes: no two contacts
// ever have the same address. A row that changes nothing writes nothing. After
// an error, some rows may have been taken and others not; the call can be
// repeated, and tells those as unchanged then. It is [survey.Unavailable] where
// others kept writing the same contacts.
func (s *Store) Upsert(ctx context.Context, rows []survey.Details, now time.Time) ([]Outcome, error) {
	if len(rows) > MaxUpsert {
		return nil, fmt.Errorf("upserting %d rows: over %d", len(rows), MaxUpsert)
	}
	now = now.UTC().Truncate(time.Millisecond)
	out := make([]Outcome, len(rows))
	var todo []int // rows, in order
	for i, r := range rows {
		if err := r.Check(); err != nil {
			out[i] = Outcome{Result: Refused, Problems: problemsOf(err)}
			continue
		}
		todo = append(todo, i)
	}
	for try := 1; len(todo) > 0; {
		left, err := s.upsert(ctx, rows, todo, out, now)
		if err != nil {
			return nil, fmt.Errorf("upserting %d rows: %w", len(rows), err)
		}
		if len(left) < len(todo) {
			try = 1
		} else {
			if try == changeTries {
				return nil, survey.Errorf(survey.Unavailable, "", "the contacts are being changed by others, try again")
			}
			if err := pause(ctx, try); err != nil {
				return nil, fmt.Errorf("upserting %d rows: %w", len(rows), err)
			}
			try++
		}
		todo = left
	}
	return out, nil
}

// problemsOf returns the broken rules that are joined in err.
func problemsOf(err error) []Problem {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var out []Problem
		for _, err := range all.Unwrap() {
			out = append(out, problemsOf(err)...)
		}
		return out
	}
	if e, ok := errors.AsType[*survey.Error](err); ok {
		return []Problem{{e.Field, e.Message}}
	}
	return []Problem{{Message: err.Error()}}
}

// upsert takes rows once, and returns those that are to be taken again: others
// wrote meanwhile, or an earlier row is about to give up an address that the row
// names.
func (s *Store) upsert(ctx context.Context, rows []survey.Details, todo []int, out []Outcome, now time.Time) (left []int, err error) {
	told := make([]survey.Details, len(todo))
	for i, row := range todo {
		told[i] = rows[row]
	}
	b, err := s.known(ctx, told)
	if err != nil {
		return nil, err
	}
	for _, i := range todo {
		if !b.take(i, rows[i], out, now) {
			left = append(left, i)
		}
	}
	if err := s.complete(ctx, b.touched); err != nil {
		return nil, err
	}
	lost := make([]bool, len(b.touched))
	err = each(ctx, len(b.touched), func(ctx context.Context, i int) error {
		p := b.touched[i]
		if p.was != nil && sameDetails(p.was, p.now) {
			return nil
		}
		err := s.writeContact(ctx, p.was, p.now, b.held, now)
		if survey.CodeOf(err) == survey.Conflict {
			lost[i] = true
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, p := range b.touched {
		if lost[i] {
			left = append(left, p.rows...)
		}
	}
	slices.Sort(left)
	return left, nil
}

// known returns a round of an upsert that knows who has the addresses of rows.
func (s *Store) known(ctx context.Context, rows []survey.Details) (*batch, error) {
	b := &batch{byID: map[string]*person{}, taken: map[string]*person{}, busy: map[string]bool{}}
	var keys []string
	for _, r := range rows {
		keys = append(keys, addressKeys(r.Ref, r.Email, r.Phone)...)
	}
	var err error
	if b.held, err = s.holdings(ctx, keys); err != nil {
		return nil, err
	}
	var ids []string
	for _, h := range b.held {
		if h.contact != "" {
			ids = append(ids, h.contact)
		}
	}
	known, err := s.ContactsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	for id, c := range known {
		b.byID[id] = &person{was: c, now: clone(c)}
	}
	return b, nil
}

// WhoIs returns the contact that a row is about, as [Store.Upsert] has it. The
// error is [survey.NotFound] where it is somebody new.
func (s *Store) WhoIs(ctx context.Context, row survey.Details) (*survey.Contact, error) {
	b, err := s.known(ctx, []survey.Details{row})
	if err != nil {
		return nil, err
	}
	p := b.who(row)
	if p == nil {
		return nil, noSuchContact()
	}
	return p.was, nil
}

// batch is what one round of an upsert knows.
type batch struct {
	held    map[string]holding // by key of an address, as stored
	byID    map[string]*person
	taken   map[string]*person // by key of an address that a row of this round took
	busy    map[string]bool    // keys of addresses whose rows wait for the next round
	touched []*person          // those that rows are about, in order
}

// person is a contact before and after the rows of a round.
type person struct {
	was  *survey.Contact // nil for somebody new
	now  *survey.Contact
	rows []int
}

// of returns who has an address, nil for nobody.
func (b *batch) of(field, value string) *person {
	if value == "" {
		return nil
	}
	key := addressKey(field, value)
	if p, ok := b.taken[key]; ok {
		return p
	}
	return b.byID[b.held[key].contact]
}

// take takes one row, and reports false where it has to wait.
func (b *batch) take(i int, d survey.Details, out []Outcome, now time.Time) bool {
	keys := addressKeys(d.Ref, d.Email, d.Phone)
	for _, key := range keys {
		if b.busy[key] {
			b.wait(keys)
			return false
		}
	}
	p := b.who(d)
	o := Outcome{Result: Unchanged}
	for _, a := range []struct {
		field string
		value *string
	}{{fieldEmail, &d.Email}, {fieldPhone, &d.Phone}} {
		if other := b.of(a.field, *a.value); other != nil && other != p {
			o.Problems = append(o.Problems, Problem{a.field, ofAnother})
			*a.value = ""
		}
	}
	if p == nil {
		if len(o.Problems) > 0 && d.Email == "" && d.Phone == "" {
			o.Result = Refused
			out[i] = o
			return true
		}
		p = &person{now: &survey.Contact{ID: survey.NewID()}}
		o.Result = Added
	} else if len(p.rows) > 0 && gives(p.now, d) {
		// What earlier rows say, an opt-out perhaps, is about the address that
		// this one replaces: it is written first.
		b.wait(keys)
		return false
	}
	if len(p.rows) == 0 {
		b.touched = append(b.touched, p)
	}
	p.rows = append(p.rows, i)
	had := addressesOf(p.now)
	if p.now.Merge(d, now) && o.Result != Added {
		o.Result = Changed
	}
	b.settle(p, had)
	o.Contact = p.now.ID
	out[i] = o
	return true
}

// settle notes who has which address after a row. had are the keys of those
// that the contact had before.
func (b *batch) settle(p *person, had []string) {
	has := addressesOf(p.now)
	gave := slices.ContainsFunc(had, func(key string) bool { return !slices.Contains(has, key) })
	for _, key := range has {
		b.taken[key] = p
		if !slices.Contains(had, key) {
			inherit(p.now, b.held[key])
		}
	}
	if !gave {
		return
	}
	// What is given up is free, and later rows of the person say nothing about
	// it, once it is written.
	for _, key := range slices.Concat(had, has) {
		b.busy[key] = true
	}
}

// gives reports whether a contact gives up an address for another one.
func gives(c *survey.Contact, d survey.Details) bool {
	other := func(have, told string) bool { return have != "" && told != "" && have != told }
	return other(c.Email, d.Email) || other(c.Phone, d.Phone)
}

// wait makes all rows wait that may be about the same persons as one that does.
func (b *batch) wait(keys []string) {
	for _, key := range keys {
		b.busy[key] = true
		p := b.taken[key]
		if p == nil {
			p = b.byID[b.held[key].contact]
		}
		if p != nil {
			for _, k := range addressesOf(p.now) {
				b.busy[k] = true
			}
		}
	}
}

// who returns whom a row is about, nil for somebody new.
func (b *batch) who(d survey.Details) *person {
	if p := b.of(fieldRef, d.Ref); p != nil {
		return p
	}
	if p := b.of(fieldEmail, d.Email); p != nil && (d.Ref == "" || p.now.Ref == "") {
		return p
	}
	if p := b.of(fieldPhone, d.Phone); p != nil && (d.Ref == "" || p.now.Ref == "") && (d.Email == "" || p.now.Email == "") {
		return p
	}
	return nil
}

// complete gives those who are new a number, and a zone where they have none.
func (s *Store) complete(ctx context.Context, touched []*person) error {
	var fresh []*survey.Contact
	for _, p := range touched {
		if p.was == nil {
			fresh = append(fresh, p.now)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	first, err := s.takeNumbers(ctx, len(fresh))
	if err != nil {
		return err
	}
	var rules survey.Rules
	for i, c := range fresh {
		c.Number = first + int64(i)
		if c.Zone != "" {
			continue
		}
		if rules.Zone == "" {
			if rules, err = s.Rules(ctx); err != nil {
				return err
			}
		}
		c.Zone = rules.Zone
	}
	return nil
}
