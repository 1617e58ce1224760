package store

import (
	"context"
	"encoding/json"

	"github.com/pulssi/pulssi/shared/survey"
)

// Shares returns all shared views, as consistent as the last write, in no
// order.
func (s *Store) Shares(ctx context.Context) ([]survey.Share, error) {
	out := []survey.Share{}
	err := s.eachSetting(ctx, kindShare, func(id string, _ int, definition []byte) error {
		out = append(out, survey.Share{ID: id})
		return json.Unmarshal(definition, &out[len(out)-1])
	})
	return out, err
}

// Share returns the shared view with an id, which may have expired. The error
// is [survey.NotFound] where there is none.
func (s *Store) Share(ctx context.Context, id string) (survey.Share, error) {
	v := survey.Share{ID: id}
	version, err := s.readSetting(ctx, setting{kindShare, id}, &v)
	if err == nil && version == 0 {
		err = noSuchSetting(kindShare)
	}
	return v, err
}

// AddShare stores a new shared view. The error is [survey.Conflict] where there
// are [survey.MaxShares] already; those that are added at the same moment may
// exceed them by a few.
func (s *Store) AddShare(ctx context.Context, v survey.Share) error {
	return s.addSetting(ctx, setting{kindShare, v.ID}, v, survey.MaxShares)
}

// DeleteShare deletes a shared view: nobody can open it from then on. The error
// is [survey.NotFound] where there is none.
func (s *Store) DeleteShare(ctx context.Context, id string) error {
	return s.deleteSetting(ctx, setting{kindShare, id})
}
