package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// TestAddContactOnce: of many who add the same person at once, one does; the
// others are told which address is taken, and leave nothing behind.
func TestAddContactOnce(t *testing.T) {
	s := testkit.NewTables(t).Store
	ctx, now := t.Context(), time.Now()
	const many = 8
	added := make([]*survey.Contact, many)
	errs := make([]error, many)
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			d := survey.Details{Email: "aino@example.com", Phone: "+358401234567"}
			if i%2 == 1 { // the same e-mail address with another number
				d.Phone = ""
			}
			added[i], errs[i] = s.AddContact(ctx, survey.NewID(), d, now)
		})
	}
	wg.Wait()
	var winner *survey.Contact
	for i, err := range errs {
		if err == nil {
			if winner != nil {
				t.Fatalf("two are added: %s, %s", winner.ID, added[i].ID)
			}
			winner = added[i]
		} else if survey.CodeOf(err) != survey.Conflict {
			t.Error(err)
		}
	}
	if winner == nil {
		t.Fatal("nobody is added")
	}
	all, _, err := s.ListContacts(ctx, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || all[0].ID != winner.ID || all[0].Number < 1 {
		t.Errorf("%d contacts are there", len(all))
	}
	found, err := s.FindContact(ctx, "email", "aino@example.com")
	if err != nil || found.ID != winner.ID {
		t.Errorf("by the address: %v, %v", found, err)
	}
}
