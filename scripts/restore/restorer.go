package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

const (
	// progressEvery is how many items of the copy are compared between two words
	// about it.
	progressEvery = 10_000
	// maxListed is the most keys or erasures that are listed.
	maxListed = 1000
	// closing is the longest that it takes to see who was erased meanwhile, also
	// where the run was stopped.
	closing = time.Minute
)

// restorer puts back what is missing.
type restorer struct {
	copy       *store.Copy
	table      topology.Table
	log        entries
	records    records
	now        func() time.Time
	deletedToo bool
	differs    func(key string) // gets the keys of what differs; nil for nobody
	progress   func(format string, args ...any)

	first, last *gone // who and what was gone before it began, and when it was done
}

// report is how many items of a copy there are of each kind.
type report struct {
	read, same, differ, missing                             int
	expired, erased, deleted, orphaned, taken, cannotBeRead int
}

func (r report) print(w io.Writer, deletedToo bool) {
	deleted := "left out, deleted on purpose (-deleted-too puts them back)"
	if deletedToo {
		deleted = "deleted on purpose, and yet put back"
	}
	for _, line := range []struct {
		what   string
		n      int
		always bool
	}{
		{"items in the copy", r.read, true},
		{"the same in the table", r.same, true},
		{"changed since, and left alone", r.differ, true},
		{"left out, past their ttl", r.expired, false},
		{"left out, of people who were erased", r.erased, false},
		{deleted, r.deleted, false},
		{"left out, without their contact", r.orphaned, false},
		{"left out, with an address that another contact has", r.taken, false},
		{"left out, cannot be read", r.cannotBeRead, false},
		{"to be put back", r.missing, true},
	} {
		if line.always || line.n > 0 {
			say(w, "  %s: %d\n", line.what, line.n)
		}
	}
}

// look counts what there is in the copy, and changes nothing.
func (r *restorer) look(ctx context.Context) (report, error) {
	g, err := readGone(ctx, r.log, r.records, r.copy.At, r.now())
	if err != nil {
		return report{}, err
	}
	r.first, r.last = g, g
	return r.walk(ctx, g, r.differs, func([]store.Saved) (int, error) { return 0, nil })
}

// put puts back what is missing, and returns how many items that were, also
// after an error. Who was erased meanwhile is left out as well, as far as it is
// known; who was by the end is read also after an error, and where ctx is done.
func (r *restorer) put(ctx context.Context) (int, error) {
	g, err := readGone(ctx, r.log, r.records, r.copy.At, r.now())
	if err != nil {
		return 0, err
	}
	r.last = g
	put := 0
	_, err = r.walk(ctx, g, nil, func(missing []store.Saved) (int, error) {
		n, err := r.copy.PutBack(ctx, missing)
		put += n
		return put, err
	})
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer stop()
	last, unknown := readGone(ctx, r.log, r.records, r.copy.At, r.now())
	if unknown != nil {
		return put, errors.Join(err, fmt.Errorf("who was erased meanwhile is not known: %w", unknown))
	}
	r.last = last
	return put, err
}

// walk goes over the copy once, page by page. put gets what of a page can be put
// back, and returns how much it has put in all.
func (r *restorer) walk(ctx context.Context, g *gone, differs func(key string), put func([]store.Saved) (int, error)) (report, error) {
	var all report
	err := r.copy.Each(ctx, func(page []store.Saved) error {
		var missing []store.Saved
		for _, sv := range page {
			if r.count(&all, sv, g) {
				missing = append(missing, sv)
			}
			if sv.State == store.Differs && differs != nil && all.differ <= maxListed {
				differs(sv.Key)
			}
		}
		n, err := put(missing)
		if before := all.read; err == nil {
			all.read += len(page)
			if all.read/progressEvery > before/progressEvery {
				r.tell(all.read, n)
			}
		}
		return err
	})
	return all, err
}

func (r *restorer) tell(read, put int) {
	of := ""
	if r.copy.About > 0 {
		of = fmt.Sprintf(" of about %d", r.copy.About)
	}
	r.progress("%d%s items compared, %d put back\n", read, of, put)
}

// count counts an item, and reports whether it is to be put back.
func (r *restorer) count(all *report, sv store.Saved, g *gone) bool {
	switch {
	case sv.State == store.Same:
		all.same++
	case sv.State == store.Differs:
		all.differ++
	case !sv.Ends.IsZero() && !sv.Ends.After(r.now()):
		all.expired++
	case g.erased[fingerprint(sv.Contact)] || g.erased[fingerprint(sv.ID)]:
		all.erased++
	case sv.State == store.Orphan:
		all.orphaned++
	case sv.State == store.Taken:
		all.taken++
	case sv.State == store.Unreadable:
		all.cannotBeRead++
	case r.wasDeleted(sv, g):
		all.deleted++
		if r.deletedToo {
			all.missing++
		}
		return r.deletedToo
	default:
		all.missing++
		return true
	}
	return false
}

// wasDeleted reports whether somebody deleted an item on purpose. Answers stay
// where their contact is deleted.
func (r *restorer) wasDeleted(sv store.Saved, g *gone) bool {
	switch r.table.Name {
	case topology.Contacts.Name:
		return g.deleted[fingerprint(sv.ID)]
	case topology.Settings.Name:
		return g.deleted[sv.ID]
	}
	return false
}

// fingerprint is "" of nothing.
func fingerprint(id string) string {
	if id == "" {
		return ""
	}
	return survey.Fingerprint(id)
}

// eraseAgain returns the erasures after which something about somebody may be
// in the copy that their fingerprint does not tell.
func (r *restorer) eraseAgain() []erasure {
	switch r.table.Name {
	case topology.Addresses.Name, topology.Decisions.Name: // no words, and nobody but with their contact
		return nil
	}
	return r.last.erasures
}

// erasedMeanwhile returns an error where somebody was erased between looking and
// the end, and so may be back.
func (r *restorer) erasedMeanwhile() error {
	var since []erasure
	for _, e := range r.last.erasures {
		if !slices.Contains(r.first.erasures, e) {
			since = append(since, e)
		}
	}
	if len(since) == 0 {
		return nil
	}
	return fmt.Errorf("people were erased meanwhile and may be back, erase them again:\n%s", list(since))
}
