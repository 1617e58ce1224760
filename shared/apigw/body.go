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

// DecodeJSON reads one JSON object into v. The errors name the field and the
// rule: [survey.UnknownField] for a field that v does not have,
// [survey.Invalid] for a value of a wrong type, for broken JSON and for
// anything after the object.
func DecodeJSON(b []byte, v any) error {
	if b = bytes.TrimSpace(b); len(b) == 0 || b[0] != '{' {
		return notAnObject() // null would be taken for an empty one
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return survey.Errorf(survey.Invalid, "body", "body must be one JSON object and nothing after it")
		}
		return nil
	}
	if e, ok := errors.AsType[*survey.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		return survey.Errorf(survey.Invalid, e.Field, "%s must be %s, not %s", e.Field, kindName(e.Type.Kind()), e.Value)
	}
	// encoding/json has no type for this error; its text is covered by a test.
	if quoted, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		name, err := strconv.Unquote(quoted)
		if err != nil {
			name = quoted
		}
		return survey.Errorf(survey.UnknownField, name, "%s is not a field of this request", name)
	}
	return notAnObject()
}

func notAnObject() error {
	return survey.Errorf(survey.Invalid, "body", "body must be a JSON object")
}

// kindName names what a field holds, or what the values of a field that is an
// object hold: encoding/json does not tell the two apart.
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
			return nil, survey.Errorf(survey.Invalid, name, "%s must be there once", name)
		}
	}
	return form, nil
}
