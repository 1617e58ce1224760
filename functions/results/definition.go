package results

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/pulssi/pulssi/shared/revision"
	"github.com/pulssi/pulssi/shared/survey"
)

// maxProblems is the most problems of a definition that are told at once.
const maxProblems = 100

// readDefinition reads a definition as a touchpoints file has it, in JSON, and
// returns every rule that it breaks, those of its form first: fields that
// nobody reads, values of a wrong type. What can be read is read. company is
// who asks.
func readDefinition(b json.RawMessage, id, company string) (*survey.Touchpoint, []*survey.Error) {
	t := &survey.Touchpoint{}
	var r definitionReader
	if len(b) == 0 || b[0] != '{' {
		r.bad(survey.Invalid, "definition", "definition must be an object")
		return t, r.problems
	}
	r.read("", b, reflect.ValueOf(t).Elem())
	if t.Version != 0 || t.Series != 0 {
		r.bad(survey.Invalid, "version", "version and series are counted by Pulssi, not set in a definition")
		t.Version, t.Series = 0, 0
	}
	if t.ID != id {
		r.bad(survey.Invalid, "id", "id must be %s, as in the address", id)
	}
	unreadable := map[string]bool{}
	for _, p := range r.problems {
		unreadable[p.Field] = true
	}
	for _, err := range unjoined(errors.Join(t.Validate(), revision.CheckEvent(t))) {
		if e, ok := errors.AsType[*survey.Error](err); ok && !unreadable[e.Field] {
			r.problems = append(r.problems, e)
		}
	}
	if len(r.problems) == 0 {
		r.problems = revision.CheckSMS(t, company)
	}
	return t, r.problems[:min(len(r.problems), maxProblems)]
}

// unjoined returns the errors that are joined in one.
func unjoined(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, unjoined(e)...)
	}
	return out
}

// definitionReader reads JSON by types, and goes on after a mistake.
type definitionReader struct{ problems []*survey.Error }

func (r *definitionReader) bad(code survey.Code, path, format string, args ...any) {
	r.problems = append(r.problems, survey.Errorf(code, path, format, args...))
}

// read reads a value into v. Null is no value.
func (r *definitionReader) read(path string, b json.RawMessage, v reflect.Value) {
	if string(b) == "null" {
		return
	}
	if _, text := v.Addr().Interface().(encoding.TextUnmarshaler); text {
		r.value(path, b, v, "a text")
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		r.read(path, b, v.Elem())
	case reflect.Struct:
		fields := map[string]reflect.Value{}
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			fields[name] = v.Field(i)
		}
		r.members(path, b, func(name, at string, b json.RawMessage) {
			if f, ok := fields[name]; ok {
				r.read(at, b, f)
			} else {
				r.bad(survey.UnknownField, at, "%s is not a field of a definition", at)
			}
		})
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		r.members(path, b, func(name, at string, b json.RawMessage) {
			if string(b) == "null" {
				return
			}
			e := reflect.New(v.Type().Elem()).Elem()
			r.read(at, b, e)
			v.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), e)
		})
	case reflect.Slice:
		var entries []json.RawMessage
		if json.Unmarshal(b, &entries) != nil {
			r.bad(survey.Invalid, path, "%s must be a list", path)
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(entries), len(entries)))
		for i, b := range entries {
			r.read(fmt.Sprintf("%s[%d]", path, i), b, v.Index(i))
		}
	case reflect.String:
		r.value(path, b, v, "a text")
	case reflect.Bool:
		r.value(path, b, v, "true or false")
	case reflect.Int:
		r.value(path, b, v, "a whole number")
	default:
		r.value(path, b, v, "a number")
	}
}

// value reads a value that has no parts.
func (r *definitionReader) value(path string, b json.RawMessage, v reflect.Value, kind string) {
	err := json.Unmarshal(b, v.Addr().Interface())
	if e, ok := errors.AsType[*survey.Error](err); ok {
		r.bad(survey.Invalid, path, "%s: %s", path, e.Message)
	} else if err != nil {
		r.bad(survey.Invalid, path, "%s must be %s", path, kind)
	}
}

// members calls each with every member of an object, whose names count only as
// they are written, and once.
func (r *definitionReader) members(path string, b json.RawMessage, each func(name, at string, b json.RawMessage)) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		r.bad(survey.Invalid, path, "%s must be an object", path)
		return
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		var v json.RawMessage
		if err == nil {
			err = d.Decode(&v)
		}
		if err != nil {
			panic("results: a part of a JSON document that is none: " + err.Error()) // the whole has been read before
		}
		name := t.(string) // the decoder lets nothing else stand here
		at := path + "." + name
		switch {
		case path == "" && name == "":
			at = `""` // every problem has a field
		case path == "":
			at = name
		}
		if seen[name] {
			r.bad(survey.Invalid, at, "%s must be there once", at)
			continue
		}
		seen[name] = true
		each(name, at, v)
	}
}
