package main

import (
	"context"
	"slices"
	"time"

	"github.com/pulssi/pulssi/scripts/erase/traces"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// Store is the tables: see package store.
type Store interface {
	EachStored(ctx context.Context, t topology.Table, yield func(store.Stored) error) error
	AnonymiseAsk(ctx context.Context, id string) (bool, error)
	RemoveSaid(ctx context.Context, id string, attributes []string) (bool, error)
	DeleteContact(ctx context.Context, id string) error
	DeleteDecisions(ctx context.Context, contact string) error
}

// eraser looks for a person and erases them.
type eraser struct {
	Store  Store
	Place  place
	Person traces.Person
}

// sight is what was found.
type sight struct {
	found traces.Found
	own   []string            // ids of the person's asks
	said  map[string][]string // by id of an ask of somebody else, the attributes that name the person
	left  []string            // tables and keys of what nobody can change but by hand
	stays []elsewhere         // entries of the audit log
}

// others is the place in [traces.Found] of asks of others.
const others = "responses of others"

func (e *eraser) places() []string {
	var out []string
	for _, t := range topology.Tables() {
		out = append(out, "table "+t.Name)
	}
	return append(out, e.Place.names()...)
}

// look looks everywhere. Responses come first, because the ids of the person's
// own are looked for in the rest.
func (e *eraser) look(ctx context.Context) (*sight, error) {
	s := &sight{found: traces.Found{}, said: map[string][]string{}}
	for _, t := range topology.Tables() { // the responses are the first
		f, err := traces.NewFinder(e.Person)
		if err != nil {
			return nil, err
		}
		if err := e.Store.EachStored(ctx, t, func(it store.Stored) error {
			e.item(s, f, t, it)
			return nil
		}); err != nil {
			return nil, err
		}
		for _, id := range s.own {
			if !slices.Contains(e.Person.Asks, id) {
				e.Person.Asks = append(e.Person.Asks, id)
			}
		}
	}
	around, err := e.Place.search(ctx, e.Person, false)
	if err != nil {
		return nil, err
	}
	s.found.Add(around)
	return s, nil
}

func (e *eraser) isOwn(it store.Stored) bool {
	return e.Person.Contact != "" && it.First("contact") == e.Person.Contact || slices.Contains(e.Person.Asks, it.Key)
}

// item notes what an item of a table has of the person.
func (e *eraser) item(s *sight, f *traces.Finder, t topology.Table, it store.Stored) {
	names := f.In
	var theirs bool
	switch t.Name {
	case topology.Responses.Name:
		theirs = e.isOwn(it)
	case topology.Contacts.Name:
		theirs = e.Person.Contact != "" && it.Key == e.Person.Contact
		names = f.Address // somebody of the same name is somebody else
	case topology.Addresses.Name, topology.Decisions.Name:
		theirs = e.Person.Contact != "" && it.First("contact") == e.Person.Contact
	case topology.Settings.Name, topology.Audit.Name:
		names = func(text string) bool { return f.In(text) || f.InJSON(text) }
	}
	if theirs {
		s.found[t.Name]++
		if t.Name == topology.Responses.Name {
			s.own = append(s.own, it.Key)
		}
		return
	}
	var in []string
	for _, text := range it.Texts {
		if names(text.Value) && !slices.Contains(in, text.Attribute) {
			in = append(in, text.Attribute)
		}
	}
	if len(in) == 0 {
		return
	}
	if t.Name == topology.Audit.Name {
		s.stays = append(s.stays, elsewhere{t.Name + " " + it.Key, "an entry that names the person; nobody changes one", it.Expires.Format(time.DateOnly)})
		return
	}
	removable := func(attribute string) bool { return slices.Contains(store.Said(), attribute) }
	if t.Name == topology.Responses.Name && slices.ContainsFunc(in, removable) {
		s.found[others]++
		s.said[it.Key] = slices.DeleteFunc(slices.Clone(in), func(a string) bool { return !removable(a) })
	}
	if t.Name != topology.Responses.Name || !slices.ContainsFunc(in, removable) || len(s.said[it.Key]) < len(in) {
		s.left = append(s.left, t.Name+" "+it.Key)
	}
}

// rounds is how often it is looked again for what came while it was erasing.
const rounds = 3

// erase erases what was found, and what comes meanwhile, and returns what there
// is after that. The contact goes last, so that a run that ends early can be
// repeated by whatever it was known by.
func (e *eraser) erase(ctx context.Context, s *sight) (*sight, error) {
	for round := 1; ; round++ {
		if _, err := e.Place.search(ctx, e.Person, true); err != nil {
			return nil, err
		}
		for _, id := range s.own {
			if _, err := e.Store.AnonymiseAsk(ctx, id); err != nil {
				return nil, err
			}
		}
		for id, attributes := range s.said {
			if _, err := e.Store.RemoveSaid(ctx, id, attributes); err != nil {
				return nil, err
			}
		}
		if e.Person.Contact != "" {
			err := e.Store.DeleteContact(ctx, e.Person.Contact)
			if survey.CodeOf(err) == survey.NotFound && err != nil {
				err = e.Store.DeleteDecisions(ctx, e.Person.Contact)
			}
			if err != nil {
				return nil, err
			}
		}
		var err error
		if s, err = e.look(ctx); err != nil || len(s.found) == 0 || round == rounds {
			return s, err
		}
	}
}
