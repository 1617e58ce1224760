package store

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/survey"
)

// MarkDelivered says that the message of an ask reached its mail server or
// phone. The first time stands; saying it again changes nothing. The error is
// [survey.NotFound] where there is no such ask.
func (s *Store) MarkDelivered(ctx context.Context, id string, at time.Time) error {
	return s.markOnce(ctx, id, "deliveredAt", at)
}

// MarkBounced says that the message of an ask came back. The first time stands;
// saying it again changes nothing. The error is [survey.NotFound] where there is
// no such ask.
func (s *Store) MarkBounced(ctx context.Context, id string, at time.Time) error {
	return s.markOnce(ctx, id, "bouncedAt", at)
}

// markOnce sets a time of an ask where it has none yet.
func (s *Store) markOnce(ctx context.Context, id, attribute string, at time.Time) error {
	e := newExpression()
	e.set(attribute, millis(at))
	old, err := s.mark(ctx, id, e, e.exists()+" AND "+e.notExists(attribute))
	switch {
	case err != nil:
		return fmt.Errorf("setting %s of an ask: %w", attribute, err)
	case old != nil && len(old) == 0:
		return noSuchAsk()
	default:
		return nil
	}
}

// KeepReply keeps words that came back without an answer in them, instead of
// those that came before. Where the ask has an answer that counts they are its
// comment: take them with [Store.Answer]. The error is [survey.Conflict] then,
// and [survey.NotFound] where there is no such ask.
func (s *Store) KeepReply(ctx context.Context, a *survey.Ask, comment string, at time.Time) error {
	feed, feedAt := feedKeys(a.Touchpoint, a.ID, at)
	e := newExpression()
	e.set("comment", str(comment))
	e.set("repliedAt", millis(at))
	e.set("feed", str(feed))
	e.set("feedAt", str(feedAt))
	old, err := s.mark(ctx, a.ID, e, e.exists()+" AND ("+e.notExists("trust")+" OR "+e.is("trust", "=", str(string(survey.Suspect)))+")")
	switch {
	case err != nil:
		return fmt.Errorf("keeping a reply at %s: %w", a.Touchpoint, err)
	case old != nil && len(old) == 0:
		return noSuchAsk()
	case old != nil:
		return survey.Errorf(survey.Conflict, "id", "the question has been answered")
	default:
		return nil
	}
}

// NoteBounces changes what is known of the address of a contact's channel:
// change gets what is known and returns what is known then, and may be called
// again where somebody else writes meanwhile. Where it changes nothing, nothing
// is written. The error is [survey.NotFound] where there is no such contact.
func (s *Store) NoteBounces(ctx context.Context, id string, ch survey.Channel, change func(c *survey.Contact, b survey.Bounces) survey.Bounces, now time.Time) error {
	return s.revise(ctx, id, now, func(c *survey.Contact, e *expression) bool {
		b := change(c, c.Bounces[ch])
		if b == c.Bounces[ch] {
			return false
		}
		c.Bounces = maps.Clone(c.Bounces)
		if c.Bounces == nil {
			c.Bounces = map[survey.Channel]survey.Bounces{}
		}
		c.Bounces[ch] = b
		e.set("bounces", marshalBounces(c.Bounces))
		return true
	})
}

func marshalBounces(all map[survey.Channel]survey.Bounces) types.AttributeValue {
	m := item{}
	for ch, b := range all {
		one := item{"address": str(b.Address), "soft": num(int64(b.Soft)), "ask": str(b.Ask)}
		if !b.StoppedAt.IsZero() {
			one["stoppedAt"] = millis(b.StoppedAt)
		}
		m[string(ch)] = &types.AttributeValueMemberM{Value: one}
	}
	return &types.AttributeValueMemberM{Value: m}
}

func (d *decoder) bounces(name string) map[survey.Channel]survey.Bounces {
	var out map[survey.Channel]survey.Bounces
	for ch, v := range d.dict(name) {
		one, ok := v.(*types.AttributeValueMemberM)
		if !ok {
			d.fail(name)
			return nil
		}
		in := decoder{it: one.Value}
		if out == nil {
			out = map[survey.Channel]survey.Bounces{}
		}
		out[survey.Channel(ch)] = survey.Bounces{
			Address: in.str("address"), Soft: int(in.num("soft")), Ask: in.str("ask"), StoppedAt: in.time("stoppedAt"),
		}
		if in.err != nil {
			d.fail(name)
		}
	}
	return out
}
