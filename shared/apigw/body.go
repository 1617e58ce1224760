package apigw

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/pulssi/pulssi/shared/survey"
)

// DecodeJSON reads one JSON object into the struct that v points to, whose
// fields are named by their json tags alone. encoding/json by itself takes
// {"score":9,"SCORE":3} for a score of 3; here a name counts only as it is
// written, and once. The errors name the field and the rule:
// [survey.UnknownField] for a field that v does not have, [survey.Invalid] for
// one that is there twice, for a value of a wrong type, for broken JSON and
// for anything after the object.
func DecodeJSON(b []byte, v any) error {
	fields := fieldsOf(v)
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return notAnObject()
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return notAnObject()
		}
		name := t.(string) // the decoder lets nothing else stand here
		f, ok := fields[name]
		switch {
		case !ok:
			return survey.Errorf(survey.UnknownField, name, "%s is not a field of this request", name)
		case f.seen:
			return twice(name)
		}
		f.seen = true
		if err := d.Decode(f.into.Addr().Interface()); err != nil {
			return f.broken(name, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return notAnObject()
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return survey.Errorf(survey.Invalid, "body", "body must be one JSON object and nothing after it")
	}
	return nil
}

// field is one field of a body.
type field struct {
	into reflect.Value
	seen bool
}

// fieldsOf returns the fields of the struct that v points to, by name.
func fieldsOf(v any) map[string]*field {
	s := reflect.ValueOf(v).Elem()
	fields := make(map[string]*field, s.NumField())
	for i := range s.NumField() {
		fields[s.Type().Field(i).Tag.Get("json")] = &field{into: s.Field(i)}
	}
	return fields
}

// broken says what err, of decoding the field, means to the caller.
func (f *field) broken(name string, err error) error {
	if e, ok := errors.AsType[*survey.Error](err); ok {
		return e
	}
	e, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return notAnObject()
	}
	of := f.into.Type()
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	each := ""
	if e.Type != of {
		each = " in every entry" // of an object or a list
	}
	return survey.Errorf(survey.Invalid, name, "%s must be %s%s, not %s", name, kindName(e.Type.Kind()), each, e.Value)
}

func notAnObject() error {
	return survey.Errorf(survey.Invalid, "body", "body must be a JSON object")
}

func twice(name string) error {
	return survey.Errorf(survey.Invalid, name, "%s must be there once", name)
}

// kindName names what a value must be.
func kindName(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "a text"
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Bool:
		return "true or false"
	default:
		return "a number"
	}
}

// Score is an answer as a program sends it: a JSON number without fraction or
// exponent. Whether it is on the scale is for the touchpoint to say.
type Score int

// UnmarshalJSON reads the number. Its errors are [survey.Invalid] on score.
func (s *Score) UnmarshalJSON(b []byte) error {
	n, err := ParseScore(string(b))
	*s = Score(n)
	return err
}

// ParseScore reads an answer as a form or a link sends it: digits, perhaps
// with a minus sign. The error is [survey.Invalid] on score.
func ParseScore(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || strings.HasPrefix(s, "+") {
		return 0, survey.Errorf(survey.Invalid, "score", "score must be a whole number")
	}
	return n, nil
}

// NoScore returns the error on a body without an answer, [survey.Invalid] on
// score.
func NoScore() error {
	return survey.Errorf(survey.Invalid, "score", "score must be there, a whole number")
}

// DecodeForm reads a form (application/x-www-form-urlencoded) of which every
// field is in known. The errors are [survey.UnknownField], and
// [survey.Invalid] where the form is malformed or has a field twice.
func DecodeForm(b []byte, known ...string) (url.Values, error) {
	form, err := url.ParseQuery(string(b))
	if err != nil {
		return nil, survey.Errorf(survey.Invalid, "body", "body must be a form")
	}
	for name, values := range form {
		ok := false
		for _, k := range known {
			ok = ok || k == name
		}
		if !ok {
			return nil, survey.Errorf(survey.UnknownField, name, "%s is not a field of this form", name)
		}
		if len(values) > 1 {
			return nil, twice(name)
		}
	}
	return form, nil
}
