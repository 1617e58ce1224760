package store

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// contested is how often a write that lost against another is decided anew.
// Each loss means that somebody else's answer to the same ask was taken, which
// the rules of trust let happen a handful of times at most.
const contested = 8

// Answer takes an answer to an ask by the rules of [survey.Ask.Decide] and
// returns the ask as it stands then. Whether it was changed or not, no error
// means that the answer has been dealt with.
//
// The usual answer is one conditional update that reads nothing and writes no
// index. Only where its condition fails, or where there is a comment, is the
// ask looked at and a second update made, on condition that it is still as it
// was. Repeating a call changes nothing but the time of the last edit; of
// concurrent calls the result is that of some order of them.
//
// Errors: [survey.NotFound], [survey.Invalid] on score, [survey.Closed], and
// [survey.Unavailable] where other answers to the same ask won every time.
func (s *Store) Answer(ctx context.Context, id string, in survey.Answer, now time.Time) (*survey.Ask, error) {
	if len(survey.Admitting(in.Score)) == 0 {
		// No metric has this score, so the ask must be read to name its rule.
		a, err := s.Ask(ctx, id)
		if err != nil {
			return nil, err
		}
		return nil, survey.CheckScore(a.Metric, in.Score)
	}
	now = now.Truncate(time.Millisecond)
	var a *survey.Ask
	var taken bool
	var err error
	if in.Comment == nil {
		a, taken, err = s.takeUnread(ctx, id, in, now)
	} else {
		a, err = s.Ask(ctx, id) // the feed's keys are made of what it holds
	}
	if err != nil || taken {
		return a, err
	}
	for range contested {
		step, trust, err := a.Decide(in, now)
		if err != nil {
			return nil, err
		}
		if step == survey.Keep {
			return a, nil
		}
		a, taken, err = s.write(ctx, a, in, step, trust, now)
		if err != nil || taken {
			return a, err
		}
	}
	return nil, survey.Errorf(survey.Unavailable, "", "others are answering the same question, try again")
}

// takeUnread takes an answer without a comment in one update, on condition
// that [survey.Ask.Decide] would take it: the ask's metric admits the score,
// it is open, and it is unanswered or (for a human) not suspect. It returns what
// [Store.update] returns.
func (s *Store) takeUnread(ctx context.Context, id string, in survey.Answer, now time.Time) (*survey.Ask, bool, error) {
	e := newExpression()
	e.set("score", num(int64(in.Score)))
	unanswered := e.notExists("trust") + " AND " + e.is("askedAt", ">", millis(now.Add(-survey.AnswerWindow)))
	var open string
	if in.Via == survey.ViaHuman {
		e.set("trust", str(string(survey.Human)))
		e.set("editedAt", millis(now))
		e.setOnce("answeredAt", millis(now))
		open = "(" + unanswered + ") OR (" +
			e.in("trust", str(string(survey.Click)), str(string(survey.Human))) + " AND " +
			e.is("answeredAt", ">", millis(now.Add(-survey.EditWindow))) + ")"
	} else {
		e.set("trust", str(string(survey.Click)))
		e.set("answeredAt", millis(now))
		e.set("autoAt", millis(now))
		open = unanswered + " AND (" + e.notExists("sentAt") + " OR " +
			e.is("sentAt", "<=", millis(now.Add(-survey.SendGrace))) + ")"
	}
	metrics := survey.Admitting(in.Score)
	admit := make([]types.AttributeValue, len(metrics))
	for i, m := range metrics {
		admit[i] = str(string(m))
	}
	return s.update(ctx, id, e, e.in("metric", admit...)+" AND ("+open+")")
}

// write makes one step of an answer on condition that the ask still is what
// it was when the step was decided. It returns what [Store.update] returns.
func (s *Store) write(ctx context.Context, a *survey.Ask, in survey.Answer, step survey.Step, trust survey.Trust, now time.Time) (*survey.Ask, bool, error) {
	e := newExpression()
	var cond string
	if a.Answered() {
		cond = e.is("trust", "=", str(string(a.Trust))) + " AND " + e.is("score", "=", num(int64(a.Score))) +
			" AND " + e.is("answeredAt", "=", millis(a.AnsweredAt))
	} else {
		cond = e.exists() + " AND " + e.notExists("trust")
	}
	e.set("trust", str(string(trust)))
	if step == survey.Take || !a.Answered() {
		e.set("score", num(int64(in.Score)))
	}
	answeredAt := a.AnsweredAt
	if !a.Answered() || step == survey.Take && !a.Counted() {
		answeredAt = now
		e.set("answeredAt", millis(now))
	}
	if in.Via == survey.ViaHuman {
		e.set("editedAt", millis(now))
	} else {
		e.set("autoAt", millis(now))
	}
	if in.Comment != nil {
		e.setComment(a.Touchpoint, a.ID, *in.Comment, answeredAt)
	}
	return s.update(ctx, a.ID, e, cond)
}

// setComment sets the comment and the keys that place it in the feed, or
// removes all three.
func (e *expression) setComment(touchpoint, id, comment string, answeredAt time.Time) {
	if comment == "" {
		e.remove("comment")
		e.remove("feed")
		e.remove("feedAt")
		return
	}
	feed, feedAt := feedKeys(touchpoint, id, answeredAt)
	e.set("comment", str(comment))
	e.set("feed", str(feed))
	e.set("feedAt", str(feedAt))
}

// update updates one ask on a condition. It returns the ask as it is then and
// whether the condition held; the error is [survey.NotFound] where there is no
// such ask.
func (s *Store) update(ctx context.Context, id string, e *expression, cond string) (*survey.Ask, bool, error) {
	out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           s.table(topology.Responses),
		Key:                                 item{"id": str(id)},
		UpdateExpression:                    e.update(),
		ConditionExpression:                 &cond,
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	standing, lost := refused(err)
	switch {
	case err == nil:
		standing = out.Attributes
	case !lost:
		return nil, false, fmt.Errorf("updating an ask: %w", err)
	case len(standing) == 0:
		return nil, false, noSuchAsk()
	}
	a, err := UnmarshalAsk(standing)
	return a, !lost, err
}

// Vote takes a vote on a touchpoint: a response of its own under the id that
// the client made. The same id again changes the same response while it can
// be edited, so that a retry is harmless and a comment can follow the score.
// The vote must have passed [survey.Vote.Check].
//
// It is one conditional update that reads nothing and writes no index. With a
// comment the response is read first, since its place in the feed follows from
// its first answer, and the update is made on condition that this still is as
// it was read.
//
// Errors: [survey.Closed] where the response can no longer be changed,
// [survey.Conflict] where the id belongs to another touchpoint, to an earlier
// series, or to an ask that was sent, and [survey.Unavailable] where a comment
// found another response under the id every time.
func (s *Store) Vote(ctx context.Context, t *survey.Touchpoint, v survey.Vote, now time.Time) (*survey.Ask, error) {
	now = now.Truncate(time.Millisecond)
	var standing *survey.Ask // as far as it is known; nil for none
	if v.Comment != nil {
		a, err := s.Ask(ctx, v.ID)
		if err != nil && survey.CodeOf(err) != survey.NotFound {
			return nil, err
		}
		standing = a
	}
	for range contested {
		e, cond := s.vote(t, v, standing, now)
		a, taken, err := s.update(ctx, v.ID, e, cond)
		switch {
		case survey.CodeOf(err) == survey.NotFound:
			standing = nil // erased since it was read
			continue
		case err != nil || taken:
			return a, err
		case a.Touchpoint != t.ID || a.Series != t.Series || a.Contact != "" || !a.SentAt.IsZero() || !a.Answered() || v.Demo && !a.Demo:
			return nil, survey.Errorf(survey.Conflict, "id", "id belongs to another answer, make a new one")
		}
		if end := a.AnsweredAt.Add(survey.EditWindow); !now.Before(end) {
			return nil, survey.Errorf(survey.Closed, "", "the answer could be changed until %s", end.UTC().Format(time.RFC3339))
		}
		standing = a
	}
	return nil, survey.Errorf(survey.Unavailable, "", "others are answering under the same id, try again")
}

// vote returns the update that a vote is and its condition: there is no
// response under the id, or it is one that the vote may change. Where there is
// a comment, standing must still be what stands.
func (s *Store) vote(t *survey.Touchpoint, v survey.Vote, standing *survey.Ask, now time.Time) (*expression, string) {
	e := newExpression()
	e.set("score", num(int64(v.Score)))
	e.set("trust", str(string(survey.Human)))
	e.set("editedAt", millis(now))
	// The same for every post that the condition lets through.
	e.set("touchpoint", str(t.ID))
	e.set("series", num(int64(t.Series)))
	e.set("metric", str(string(t.Metric)))
	e.setOnce("channel", str(string(v.Channel)))
	e.setOnce("askedAt", millis(now))
	e.setOnce("answeredAt", millis(now))
	e.setOnce("ttl", s.ttl(now))
	for name, val := range map[string]string{"locale": v.Locale, "page": v.Page, "ref": v.Ref} {
		if val != "" {
			e.setOnce(name, str(val))
		}
	}
	if len(v.Attrs) > 0 {
		e.setOnce("attrs", marshalAttrs(v.Attrs))
	}
	if v.Demo {
		e.setOnce(demoFlag, flag())
	}
	if segments := t.SegmentsOf(v.Attrs); len(segments) > 0 {
		e.setOnce("segments", &types.AttributeValueMemberSS{Value: segments})
	}
	if v.Comment != nil && standing == nil {
		e.setComment(t.ID, v.ID, *v.Comment, now)
		return e, e.notExists("id")
	}
	changeable := e.is("touchpoint", "=", str(t.ID)) + " AND " + e.is("series", "=", num(int64(t.Series))) + " AND " +
		e.notExists("sentAt") + " AND " + e.notExists("contact") + " AND " +
		e.is("answeredAt", ">", millis(now.Add(-survey.EditWindow)))
	if v.Demo {
		changeable += " AND " + e.is(demoFlag, "=", flag())
	}
	if v.Comment == nil {
		return e, e.notExists("id") + " OR (" + changeable + ")"
	}
	e.setComment(t.ID, v.ID, *v.Comment, standing.AnsweredAt)
	return e, changeable + " AND " + e.is("answeredAt", "=", millis(standing.AnsweredAt))
}
