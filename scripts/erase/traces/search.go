package traces

import (
	"context"
	"errors"
	"strings"
)

// Found is how much there is of a person, by place; a place without anything is
// left out.
type Found map[string]int

// Add adds what was found elsewhere.
func (f Found) Add(more Found) {
	for place, n := range more {
		f[place] += n
	}
}

// Search is what the local stack is asked.
type Search struct {
	Person Person `json:"person"`
	// Erase is whether what is found is erased, after it was counted.
	Erase bool `json:"erase"`
}

// Where the local stack takes a [Search] by POST, and the record of an erasure
// by PUT, with its name behind; without a name GET gives all that there are, as
// [Record].
const (
	SearchPath = "/traces"
	RecordPath = "/erasures/"
)

// InBucket returns how many uploads and reports have the person in them, and
// deletes them, whole, where erase is true: the rest of an upload is in the
// tables by then, which the error says where it is not.
func InBucket(ctx context.Context, b Bucket, f *Finder, erase bool) (Found, error) {
	keys, err := f.Files(ctx, b)
	if err != nil {
		return nil, err
	}
	found := Found{}
	for _, key := range keys {
		folder, _, _ := strings.Cut(key, "/")
		found[folder]++
	}
	if !erase {
		return found, nil
	}
	if err := imported(ctx, b, keys); err != nil {
		return nil, err
	}
	var errs []error
	for _, key := range keys {
		errs = append(errs, b.Delete(ctx, key))
	}
	return found, errors.Join(errs...)
}
