package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// MaxSize is the most bytes of one event, as it comes and as [Event.Encode]
// writes it. EventBridge would take 256 kB.
const MaxSize = 16 << 10

// Error says what is wrong with an event, to whoever sent it.
type Error struct {
	Field   string // by path, "data.items[0].price"; "" where the event as a whole is to blame
	Message string // names the field first, where there is one, then the rule; never a value
	// Unknown is whether Field is one that an event does not have.
	Unknown bool
}

func (e *Error) Error() string { return e.Message }

func broken(field, rule string, args ...any) *Error {
	return &Error{Field: field, Message: field + " " + fmt.Sprintf(rule, args...)}
}

// Decode reads one event and holds it to the schema of its type and version.
// Fields of the envelope and of the contact that nobody knows are refused,
// further ones in the data are kept. The error is an [Error] about the first
// broken rule, by field in alphabetical order; any other is a fault of this
// package.
func Decode(b []byte) (Event, error) {
	if len(b) > MaxSize {
		return Event{}, tooLarge()
	}
	if !utf8.Valid(b) {
		return Event{}, &Error{Message: "an event must be UTF-8"}
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok { // the one thing that any cannot hold
			return Event{}, &Error{Message: "an event must have no number beyond 1.7e308"}
		}
		return Event{}, &Error{Message: "an event must be one JSON object and nothing after it"}
	}
	o, ok := v.(map[string]any)
	if !ok {
		return Event{}, &Error{Message: "an event must be one JSON object and nothing after it"}
	}
	if twice := repeated(json.NewDecoder(bytes.NewReader(b)), ""); twice != "" {
		return Event{}, broken(twice, "must be there once")
	}
	file, err := schemaOf(o)
	if err != nil {
		return Event{}, err
	}
	all, err := schemas()
	if err != nil {
		return Event{}, err
	}
	if err := all[file].Validate(v); err != nil {
		e, ok := errors.AsType[*jsonschema.ValidationError](err)
		if !ok {
			return Event{}, fmt.Errorf("validating an event: %w", err)
		}
		return Event{}, first(e, v)
	}
	return read(o)
}

// read returns a valid event. It is written anew first: to a schema 1.0 is a
// whole number, to Go's decoder it is none; and what is longer then, such as
// 1e20, must still be an event to whoever gets it next.
func read(o map[string]any) (Event, error) {
	b, err := marshal(o)
	if err != nil {
		return Event{}, fmt.Errorf("writing a valid event: %w", err)
	}
	if len(b) > MaxSize {
		return Event{}, tooLarge()
	}
	var e Event
	if err := json.Unmarshal(b, &e); err != nil {
		return Event{}, fmt.Errorf("reading a valid event: %w", err)
	}
	return e, nil
}

func tooLarge() *Error {
	return &Error{Message: fmt.Sprintf("an event must be at most %d bytes", MaxSize)}
}

// repeated returns the path of the first field that is there twice in the
// value that comes next, "" for none. encoding/json would take the last.
func repeated(d *json.Decoder, path string) string {
	t, err := d.Token()
	if err != nil {
		return "" // it was read once already
	}
	switch t {
	case json.Delim('{'):
		seen := map[string]bool{}
		for d.More() {
			t, err := d.Token()
			name, ok := t.(string)
			if err != nil || !ok {
				return ""
			}
			at := join(path, name)
			if seen[name] {
				return at
			}
			seen[name] = true
			if twice := repeated(d, at); twice != "" {
				return twice
			}
		}
	case json.Delim('['):
		for i := 0; d.More(); i++ {
			if twice := repeated(d, path+"["+strconv.Itoa(i)+"]"); twice != "" {
				return twice
			}
		}
	default:
		return ""
	}
	_, _ = d.Token() // the end; it was read once already
	return ""
}

// schemaOf returns the file of the schema that an event names.
func schemaOf(o map[string]any) (string, error) {
	typ, ok := o["type"].(string)
	if !ok || versions[typ] == nil {
		return "", unknownType()
	}
	for _, v := range versions[typ] {
		if n, ok := o["version"].(float64); ok && n == float64(v) {
			return fileOf(typ, v), nil
		}
	}
	return "", broken("version", "must be %s, a version of %s", numbers(versions[typ]), typ)
}

func unknownType() *Error { return broken("type", "must be one of %s", strings.Join(Types(), ", ")) }

func numbers(vs []int) string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = strconv.Itoa(v)
	}
	return strings.Join(out, " or ")
}

// first returns the first broken rule by field.
func first(e *jsonschema.ValidationError, v any) *Error {
	all := leaves(e, v)
	return slices.MinFunc(all, func(a, b *Error) int {
		return strings.Compare(a.Field+"\x00"+a.Message, b.Field+"\x00"+b.Message)
	})
}

// leaves returns the broken rules at the ends of a tree of errors.
func leaves(e *jsonschema.ValidationError, v any) []*Error {
	if _, choice := e.ErrorKind.(*kind.AnyOf); len(e.Causes) == 0 || choice {
		return []*Error{told(e, v)}
	}
	var out []*Error
	for _, c := range e.Causes {
		out = append(out, leaves(c, v)...)
	}
	return out
}

// patterns says what the patterns of the schemas ask for.
var patterns = map[string]string{
	"^[!-~]([ -~]*[!-~])?$": "must be printable ASCII characters, without spaces around them",
	"^2[01]":                "must be a time from the year 2000 to 2199",
	"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$": "must be one line without control characters",
	"^[A-Za-z0-9_-]{22}$":                          "must be 22 characters of A-Z, a-z, 0-9, - and _",
	"^[a-z]{2,3}(-[A-Z]{2})?$":                     "must be a language such as fi or sv-FI",
	"^[A-Z]{3}$":                                   "must be three capital letters (ISO 4217), such as EUR",
	"^[A-Za-z0-9._-]{1,100}$":                      "must be 1 to 100 letters, digits, dots, - and _",
}

// told says one broken rule in plain words.
func told(e *jsonschema.ValidationError, v any) *Error {
	at := path(e.InstanceLocation, v)
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		field := join(at, slices.Min(k.Properties))
		return &Error{Field: field, Message: field + " is not a field of an event", Unknown: true}
	case *kind.Required:
		return broken(join(at, k.Missing[0]), "must be there")
	case *kind.AnyOf: // of a contact
		return broken(at, "must have at least one of id, ref, email, phone")
	case *kind.Type:
		return broken(at, "must be %s", kinds[k.Want[0]])
	case *kind.Enum:
		want := make([]string, len(k.Want))
		for i, w := range k.Want {
			want[i] = fmt.Sprint(w)
		}
		return broken(at, "must be one of %s", strings.Join(want, ", "))
	case *kind.Pattern:
		return broken(at, "%s", patterns[k.Want])
	case *kind.Format: // the one that is used
		return broken(at, "must be a time such as 2026-11-21T10:00:00+02:00 (RFC 3339)")
	case *kind.MinLength:
		return broken(at, "must not be empty")
	case *kind.MaxLength:
		return broken(at, "must be at most %d characters", k.Want)
	case *kind.MaxItems:
		return broken(at, "must be at most %d", k.Want)
	case *kind.MaxProperties:
		return broken(at, "must have at most %d fields", k.Want)
	case *kind.Minimum:
		return broken(at, "must be at least %s", decimal(k.Want))
	default:
		return broken(at, "breaks the rule %s of its schema", strings.Join(e.ErrorKind.KeywordPath(), "."))
	}
}

// kinds names what a value must be, by the schema's word.
var kinds = map[string]string{
	"string": "a text", "number": "a number", "integer": "a whole number", "boolean": "true or false",
	"object": "an object", "array": "a list",
}

func decimal(r *big.Rat) string { return strings.TrimSuffix(r.FloatString(0), ".") }

// path writes the place of a value in an event: "data.items[0].price".
func path(location []string, v any) string {
	out := ""
	for _, name := range location {
		switch in := v.(type) {
		case []any:
			out += "[" + name + "]"
			if i, err := strconv.Atoi(name); err == nil && i < len(in) {
				v = in[i]
			}
		case map[string]any:
			out, v = join(out, name), in[name]
		}
	}
	return out
}

// join writes the path of a field in the object at a path.
func join(path, name string) string {
	if path == "" {
		return cut(name)
	}
	return path + "." + cut(name)
}

// cut keeps a name that somebody else wrote to a length that can be shown.
func cut(name string) string {
	const most = 64
	if r := []rune(name); len(r) > most {
		return string(r[:most]) + "..."
	}
	return name
}
