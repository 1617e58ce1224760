package traces

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pulssi/pulssi/shared/topology"
)

// Record is what the record of an erasure says of who was erased, and when.
type Record struct {
	ID string    `json:"id"`
	At time.Time `json:"at"` // when it was done
	// Contact is the fingerprint of the id of who was erased, as logs have it,
	// Ask that of the ask by which somebody was known who is no contact. Both are
	// "" for somebody who was looked for by an address or a ref alone.
	Contact string `json:"contact,omitempty"`
	Ask     string `json:"ask,omitempty"`
}

// Records returns all records of erasures that a bucket has, in no order.
func Records(ctx context.Context, b Bucket) ([]Record, error) {
	list, err := b.List(ctx, topology.Erasures)
	if err != nil {
		return nil, err
	}
	out := make([]Record, len(list))
	for i, f := range list {
		if err := read(ctx, b, f.Key, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func read(ctx context.Context, b Bucket, key string, into any) (err error) {
	body, _, err := b.Open(ctx, key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return fmt.Errorf("reading %s: %w", key, err)
	}
	return nil
}
