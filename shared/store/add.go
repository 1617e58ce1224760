package store

import (
	"context"
	"fmt"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// AddContact adds somebody new to the contacts, under an id that nobody has: a
// [survey.NewID]. It never tells a contact that
// is known anything, unlike [Store.Upsert]. Somebody who takes an address of
// which the last holder had opted out is opted out as well. It is safe for
// concurrent use; a repeated call finds the addresses taken.
//
// The error is [survey.Conflict] on ref, email or phone where that belongs to
// another contact, [survey.Invalid] where a detail breaks a rule.
func (s *Store) AddContact(ctx context.Context, id string, d survey.Details, now time.Time) (*survey.Contact, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	now = now.UTC().Truncate(time.Millisecond)
	for try := 1; ; try++ {
		c := &survey.Contact{ID: id}
		c.Merge(d, now)
		known, err := s.holdings(ctx, addressesOf(c))
		if err != nil {
			return nil, err
		}
		if err := belongToOthers(c, known); err != nil {
			return nil, err
		}
		if err := s.complete(ctx, []*person{{now: c}}); err != nil {
			return nil, err
		}
		err = s.writeContact(ctx, nil, c, known, now)
		if err == nil {
			return c, nil
		}
		if survey.CodeOf(err) != survey.Conflict || try == changeTries {
			return nil, err
		}
		if err := pause(ctx, try); err != nil {
			return nil, fmt.Errorf("adding a contact: %w", err)
		}
	}
}

// belongToOthers returns a [survey.Conflict] on the first of a contact's
// addresses that belongs to another, nil where there is none.
func belongToOthers(c *survey.Contact, known map[string]holding) error {
	for _, a := range []struct{ field, value string }{{fieldRef, c.Ref}, {fieldEmail, c.Email}, {fieldPhone, c.Phone}} {
		if h := known[addressKey(a.field, a.value)]; a.value != "" && h.contact != "" && h.contact != c.ID {
			return survey.Errorf(survey.Conflict, a.field, "%s %s", a.field, ofAnother)
		}
	}
	return nil
}
