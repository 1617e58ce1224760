package touchpoints

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/revision"
	"github.com/pulssi/pulssi/shared/survey"
)

// Kind is what a plan does with one touchpoint.
type Kind string

// The kinds.
const (
	Create    Kind = "create"
	Change    Kind = "change"
	NewSeries Kind = "new series"
	Unchanged Kind = "unchanged"
	Left      Kind = "left alone" // in the store, not in the file
)

// Step is what a plan does with one touchpoint.
type Step struct {
	Kind Kind
	// Was is the stored definition, nil for Create; Becomes the one to
	// store, nil for Left and the same for Unchanged.
	Was, Becomes *survey.Touchpoint
	// Reason says why a new series starts, or why none does though the
	// question has changed.
	Reason string
	// Notes say in words what a changed trigger does.
	Notes []string
	// Fields are the fields that differ, one line each.
	Fields []string
}

// Rules is what a plan does with the rules of asking: nothing where no field
// differs.
type Rules struct {
	Was, Becomes survey.Rules
	Notes        []string
	Fields       []string
}

// Plan is what brings the stored definitions in line with a file.
type Plan struct {
	Asking *Rules // nil where the file says nothing of them
	// Steps are first those of the file in its order, then what it does not
	// mention.
	Steps []Step
}

// Stored is what a store has.
type Stored struct {
	Touchpoints []*survey.Touchpoint
	Rules       survey.Rules // completed
}

// NewPlan compares the definitions of a file with the stored ones. Where a
// metric (and with it the scale) or the wording of a question in a language
// differs, or a language is no longer asked in, the answers so far may not be
// mixed with those to come, and a new series starts (see
// [survey.Touchpoint.SameSeries]); keep lists the touchpoints whose question
// means the same as before.
//
// The rules of asking become those that the file states, and the defaults of
// all others; they stay as they are where it has none.
//
// It returns an error where the SMS of a touchpoint would be too long, and where
// keep names a touchpoint that is not in the file, whose metric differs, or that
// needs no keeping. The notes are about the periods of now.
func NewPlan(f File, stored Stored, keep []string, now time.Time) (Plan, error) {
	byID := map[string]*survey.Touchpoint{}
	for _, t := range stored.Touchpoints {
		byID[t.ID] = t
	}
	kept := map[string]bool{}
	for _, id := range keep {
		kept[id] = true
	}
	var p Plan
	var errs []error
	company := stored.Rules.Company
	if f.Asking != nil {
		company = f.Asking.Company
	}
	for _, t := range f.Touchpoints {
		for _, err := range revision.CheckSMS(t, company) {
			errs = append(errs, fmt.Errorf("%s: %s", t.ID, err.Message))
		}
		keepThis := kept[t.ID]
		delete(kept, t.ID)
		s, err := newStep(t, byID[t.ID], keepThis)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		delete(byID, t.ID)
		p.Steps = append(p.Steps, s)
	}
	for _, id := range slices.Sorted(maps.Keys(kept)) {
		errs = append(errs, fmt.Errorf("keep-series %s: the file has no such touchpoint", id))
	}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		p.Steps = append(p.Steps, Step{Kind: Left, Was: byID[id]})
	}
	if f.Asking != nil {
		p.Asking = &Rules{Was: stored.Rules, Becomes: *f.Asking, Fields: lines(revision.Diff(stored.Rules, f.Asking.Complete()))}
	}
	p.note(asking.NewRulebook(stored.Rules), now)
	return p, errors.Join(errs...)
}

func newStep(declared, was *survey.Touchpoint, keep bool) (Step, error) {
	r, err := revision.New(was, declared, keep)
	if err != nil {
		return Step{}, fmt.Errorf("keep-series %s: %w", declared.ID, err)
	}
	s := Step{Kind: Change, Was: was, Becomes: r.Becomes, Reason: r.Reason(), Fields: lines(r.Fields)}
	switch {
	case was == nil:
		s.Kind = Create
	case r.NewSeries():
		s.Kind = NewSeries
	case !r.Writes():
		s.Kind = Unchanged
	case r.Kept:
		s.Reason += ", and keep-series says that it means the same"
	}
	return s, nil
}

// Writes reports how much the plan would write: touchpoints, and the rules of
// asking.
func (p Plan) Writes() int {
	n := 0
	if p.Asking.writes() {
		n++
	}
	for _, s := range p.Steps {
		if s.writes() {
			n++
		}
	}
	return n
}

func (s Step) writes() bool { return s.Kind == Create || s.Kind == Change || s.Kind == NewSeries }

func (r *Rules) writes() bool { return r != nil && len(r.Fields) > 0 }

// Write writes the plan for people.
func (p Plan) Write(w io.Writer) error {
	var b strings.Builder
	write := func(all []string) {
		for _, l := range all {
			fmt.Fprintf(&b, "    %s\n", l)
		}
	}
	switch r := p.Asking; {
	case r.writes():
		fmt.Fprintf(&b, "~ asking: change the rules to version %d\n", r.Was.Version+1)
		write(r.Notes)
		write(r.Fields)
	case r != nil:
		fmt.Fprintln(&b, "= asking: unchanged")
	}
	for _, s := range p.Steps {
		switch s.Kind {
		case Create:
			fmt.Fprintf(&b, "+ %s: create, %s, %s\n", s.Becomes.ID, s.Becomes.Metric, s.Becomes.Phase)
		case Change:
			fmt.Fprintf(&b, "~ %s: change to version %d, series %d goes on\n", s.Was.ID, s.Becomes.Version, s.Becomes.Series)
		case NewSeries:
			fmt.Fprintf(&b, "! %s: change to version %d, and start series %d\n", s.Was.ID, s.Becomes.Version, s.Becomes.Series)
		case Unchanged:
			fmt.Fprintf(&b, "= %s: unchanged\n", s.Was.ID)
		case Left:
			fmt.Fprintf(&b, "? %s: in the store, not in the file: left alone\n", s.Was.ID)
		}
		if s.Reason != "" {
			fmt.Fprintf(&b, "    because %s\n", s.Reason)
		}
		if s.Kind == NewSeries {
			fmt.Fprintf(&b, "    answers so far stay in series %d and are not mixed with new ones\n", s.Was.Series)
		}
		write(s.Notes)
		write(s.Fields)
	}
	counts := map[Kind]int{}
	for _, s := range p.Steps {
		counts[s.Kind]++
	}
	fmt.Fprintf(&b, "%d to create, %d to change, %d to start a new series, %d unchanged, %d left alone\n",
		counts[Create], counts[Change], counts[NewSeries], counts[Unchanged], counts[Left])
	_, err := io.WriteString(w, b.String())
	return err
}

// Store writes definitions and rules.
type Store interface {
	// PutTouchpoint makes t the definition in force, on condition that the
	// one it was made from still is; [survey.Conflict] where it is not.
	PutTouchpoint(ctx context.Context, was, t *survey.Touchpoint) error
	// PutRules makes r the rules of asking in force, on the same condition.
	PutRules(ctx context.Context, was, r survey.Rules) error
}

// Apply writes the plan: the rules of asking, so that nothing new is asked by
// the old ones, then touchpoint by touchpoint. Where one has been changed since
// the plan was made, its error is [survey.Conflict] and what comes before it is
// written; a new plan finishes the rest.
func (p Plan) Apply(ctx context.Context, s Store) error {
	if p.Asking.writes() {
		if err := s.PutRules(ctx, p.Asking.Was, p.Asking.Becomes); err != nil {
			return fmt.Errorf("asking: %w", err)
		}
	}
	for _, step := range p.Steps {
		if !step.writes() {
			continue
		}
		if err := s.PutTouchpoint(ctx, step.Was, step.Becomes); err != nil {
			return fmt.Errorf("touchpoint %s: %w", step.Becomes.ID, err)
		}
	}
	return nil
}

// lines writes fields that differ, one line each: "goal: 40 -> 50", "+ low.fi:
// ...", "- widget: ...".
func lines(fields []revision.Field) []string {
	var out []string
	for _, f := range fields {
		switch {
		case f.From == "":
			out = append(out, "+ "+f.Path+": "+f.To)
		case f.To == "":
			out = append(out, "- "+f.Path+": "+f.From)
		default:
			out = append(out, "  "+f.Path+": "+f.From+" -> "+f.To)
		}
	}
	return out
}
