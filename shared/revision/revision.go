// Package revision says what a changed definition does to a touchpoint: which
// fields differ, whether its answers can still be counted together, and whom
// it makes Pulssi ask.
package revision

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulssi/pulssi/shared/survey"
)

// Revision is what becomes of a touchpoint.
type Revision struct {
	// Was is the definition in force, nil for a new touchpoint; Becomes the one
	// to store, with its version and series. Where no field differs it has
	// those that are in force.
	Was, Becomes *survey.Touchpoint
	// Fields are those that differ, by path; none of a new touchpoint.
	Fields []Field
	// Causes are why the answers so far and those to come may not be counted
	// together; none where they may.
	Causes []Cause
	// Kept is whether the series goes on in spite of them.
	Kept bool
}

// New compares the definition in force, nil for none, with one that is
// declared, whose version and series do not count. Where a metric (and with it
// the scale) or the wording of a question in a language differs, or a language
// is no longer asked in, a new series starts (see
// [survey.Touchpoint.SameSeries]), but where keep says that the question means
// the same as before. The error says why there is nothing to keep; the revision
// is the one without keep then.
func New(was, declared *survey.Touchpoint, keep bool) (Revision, error) {
	t := *declared
	r := Revision{Was: was, Becomes: &t}
	var err error
	if was == nil {
		t.Version, t.Series = 1, 1
		if keep {
			err = errors.New("the touchpoint is new")
		}
		return r, err
	}
	t.Version, t.Series = was.Version, was.Series
	if r.Fields = Diff(was, &t); len(r.Fields) > 0 {
		t.Version++
	}
	if !t.SameSeries(was) {
		r.Causes = causes(was, &t)
	}
	switch {
	case keep && len(r.Causes) == 0:
		err = errors.New("neither metric nor question changes, the series goes on anyway")
	case keep && t.Metric != was.Metric:
		err = fmt.Errorf("%s, whose answers cannot be counted together", r.Reason())
	}
	r.Kept = keep && err == nil
	if len(r.Causes) > 0 && !r.Kept {
		t.Series++
	}
	return r, err
}

// Writes reports whether there is anything to store.
func (r Revision) Writes() bool { return r.Was == nil || len(r.Fields) > 0 }

// NewSeries reports whether the series of a touchpoint ends and another starts.
func (r Revision) NewSeries() bool { return r.Was != nil && r.Was.Series != r.Becomes.Series }

// What keeps answers from being counted together.
const (
	Metric   = "metric"   // the metric differs
	Question = "question" // the question has other words
	Language = "language" // the question is no longer asked in a language
)

// Cause is one thing that ends a series.
type Cause struct {
	What string
	// Locales are the languages of the question, in order; none of a metric.
	Locales []string
}

func causes(was, t *survey.Touchpoint) []Cause {
	if was.Metric != t.Metric {
		return []Cause{{What: Metric}}
	}
	changed, dropped := Cause{What: Question}, Cause{What: Language}
	for _, l := range slices.Sorted(maps.Keys(was.Question)) {
		switch q, ok := t.Question[l]; {
		case !ok:
			dropped.Locales = append(dropped.Locales, l)
		case q != was.Question[l]:
			changed.Locales = append(changed.Locales, l)
		}
	}
	return slices.DeleteFunc([]Cause{changed, dropped}, func(c Cause) bool { return len(c.Locales) == 0 })
}

// Reason says the causes in words: "the question changes in fi, sv"; "" for
// none.
func (r Revision) Reason() string {
	var question []string
	for _, c := range r.Causes {
		switch locales := strings.Join(c.Locales, ", "); c.What {
		case Metric:
			return fmt.Sprintf("the metric changes from %s to %s", r.Was.Metric, r.Becomes.Metric)
		case Question:
			question = append(question, "changes in "+locales)
		case Language:
			question = append(question, "is no longer asked in "+locales)
		}
	}
	if len(question) == 0 {
		return ""
	}
	return "the question " + strings.Join(question, " and ")
}

// Field is one field that differs: its path in the definition, "followup.promoter.fi",
// and its values as JSON, "" for none.
type Field struct{ Path, From, To string }

// Diff returns the fields that differ between two definitions, or two sets of
// rules, in order. Lists are one value, since their order matters; version and
// series are no fields of a definition.
func Diff(was, becomes any) []Field {
	a, b := flatten(was), flatten(becomes)
	paths := slices.Sorted(maps.Keys(a))
	for p := range b {
		if _, ok := a[p]; !ok {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	var out []Field
	for _, p := range paths {
		if a[p] != b[p] {
			out = append(out, Field{p, a[p], b[p]})
		}
	}
	return out
}

// flatten returns a definition's fields as JSON by path.
func flatten(t any) map[string]string {
	out := map[string]string{}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // people read it
	err := enc.Encode(t)
	if err == nil {
		err = flattenInto(out, "", b.Bytes())
	}
	if err != nil {
		panic("revision: a definition that is no JSON: " + err.Error()) // it was decoded from JSON or YAML
	}
	delete(out, "version")
	delete(out, "series")
	return out
}

func flattenInto(out map[string]string, path string, b json.RawMessage) error {
	if b[0] != '{' {
		out[path] = string(b)
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return err
	}
	for name, v := range fields {
		p := name
		if path != "" {
			p = path + "." + name
		}
		if err := flattenInto(out, p, v); err != nil {
			return err
		}
	}
	return nil
}
