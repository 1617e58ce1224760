package connect

import (
	"context"

	"github.com/pulssi/pulssi/shared/address"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

// Find returns the contact that who names: by its id, e-mail address, ref or
// phone number, whichever is somebody's first. The error is [survey.NotFound]
// where it is nobody's.
func Find(ctx context.Context, s *store.Store, who string) (*survey.Contact, error) {
	if survey.CheckID("id", who) == nil {
		c, err := s.Contact(ctx, who)
		if err == nil || survey.CodeOf(err) != survey.NotFound {
			return c, err
		}
	}
	type key struct{ field, value string }
	var keys []key
	if email, err := address.Email(who); err == nil {
		keys = append(keys, key{"email", email})
	}
	keys = append(keys, key{"ref", who})
	rules, err := s.Rules(ctx)
	if err != nil {
		return nil, err
	}
	if phone, err := address.Phone(who, rules.Country); err == nil {
		keys = append(keys, key{"phone", phone})
	}
	for _, k := range keys {
		c, err := s.FindContact(ctx, k.field, k.value)
		if err == nil || survey.CodeOf(err) != survey.NotFound {
			return c, err
		}
	}
	return nil, survey.Errorf(survey.NotFound, "", "there is no contact with the id, e-mail address, ref or phone number %q", who)
}
