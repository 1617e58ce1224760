package events

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed schemas samples
var files embed.FS

// versions are the versions of each type, from the first. A version never
// changes once it is released: companies send it.
var versions = map[string][]int{
	PurchaseCompleted: {1}, DeliveryCompleted: {1}, TicketClosed: {1}, CallEnded: {1}, MeetingHeld: {1},
	TrialEnded: {1}, CartAbandoned: {1}, SubscriptionCancelled: {1}, Custom: {1},
}

// Types lists the types, in the order of a customer's path, the generic one
// last.
func Types() []string {
	return []string{
		PurchaseCompleted, DeliveryCompleted, TicketClosed, CallEnded, MeetingHeld,
		TrialEnded, CartAbandoned, SubscriptionCancelled, Custom,
	}
}

// Versions lists the versions of a type; there are none of an unknown one.
func Versions(typ string) []int { return slices.Clone(versions[typ]) }

// Schema returns the JSON Schema (draft 2020-12) of a type's version. It
// refers to envelope.v1.json, beside it in the folder schemas.
func Schema(typ string, version int) ([]byte, error) {
	if !slices.Contains(versions[typ], version) {
		return nil, fmt.Errorf("there is no version %d of an event %q", version, typ)
	}
	return files.ReadFile("schemas/" + fileOf(typ, version))
}

// Sample returns an example of a type, of its newest version, as indented
// JSON. The error is an [Error] on type where there is no such type.
func Sample(typ string) ([]byte, error) {
	if versions[typ] == nil {
		return nil, unknownType()
	}
	return files.ReadFile("samples/" + typ + ".json")
}

func fileOf(typ string, version int) string { return fmt.Sprintf("%s.v%d.json", typ, version) }

// schemas are compiled when the first event comes, not at every start.
var schemas = sync.OnceValues(compile)

// compile returns every schema by its file.
func compile() (map[string]*jsonschema.Schema, error) {
	// Without a scheme of its own the library takes a name for a file of the
	// working directory.
	const at = "events:///"
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: checkTime})
	entries, err := files.ReadDir("schemas")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		b, err := files.ReadFile("schemas/" + e.Name())
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("reading schema %s: %w", e.Name(), err)
		}
		if err := c.AddResource(at+e.Name(), doc); err != nil {
			return nil, fmt.Errorf("adding schema %s: %w", e.Name(), err)
		}
	}
	out := map[string]*jsonschema.Schema{}
	for typ, vs := range versions {
		for _, v := range vs {
			s, err := c.Compile(at + fileOf(typ, v))
			if err != nil {
				return nil, fmt.Errorf("compiling schema %s: %w", fileOf(typ, v), err)
			}
			out[fileOf(typ, v)] = s
		}
	}
	return out, nil
}

// checkTime holds a text to RFC 3339 as encoding/json reads and writes a time:
// without leap seconds.
func checkTime(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	var t time.Time
	if err := t.UnmarshalText([]byte(s)); err != nil {
		return err
	}
	_, err := t.MarshalText() // a zone 24 hours away is read and cannot be written
	return err
}
