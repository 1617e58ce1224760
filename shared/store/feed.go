package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// FeedPosition is a place in the feed of comments: a moment, and of a place
// between two answers of one moment the beginning of an id as well. It compares
// as a text, and is never the place of an answer itself but one beside it. The
// whole id is not in it, as whoever knows that can answer; of two answers of
// one millisecond whose ids begin alike, which 48 random bits do not, a position
// tells no difference.
type FeedPosition string

const (
	feedMoment = "2006-01-02T15:04:05.000Z"
	feedMonth  = "2006-01"
	// idInPosition is how much of an id is in a position. The 14 characters
	// that are not are 80 bits or more, which nobody guesses.
	idInPosition = 8
	idCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// FeedAt returns the place before all answers of a moment and after those of
// any earlier one.
func FeedAt(t time.Time) FeedPosition {
	return FeedPosition(t.UTC().Truncate(time.Millisecond).Format(feedMoment))
}

// ParseFeedPosition reads a position that somebody has kept.
func ParseFeedPosition(s string) (FeedPosition, error) {
	moment, id, hasID := strings.Cut(s, "#")
	t, err := time.Parse(feedMoment, moment)
	if err != nil || t.Format(feedMoment) != moment || hasID && (len(id) != idInPosition || strings.Trim(id, idCharacters) != "") {
		return "", fmt.Errorf("%q is not a place in the feed", s)
	}
	return FeedPosition(s), nil
}

// Time returns the moment of a position.
func (p FeedPosition) Time() time.Time {
	moment, _, _ := strings.Cut(string(p), "#")
	t, err := time.Parse(feedMoment, moment)
	if err != nil {
		return time.Time{} // not made by FeedAt, ParseFeedPosition or a FeedEntry
	}
	return t
}

// FeedEntry is an ask with words in the feed.
type FeedEntry struct {
	// At is the place just before the entry, so that what is before At is what
	// comes after the entry, as feeds are read from the newest on.
	At  FeedPosition
	Ask *survey.Ask
}

// Feed returns what is in the feed of a touchpoint from one position, included,
// to another, which is not: the newest first, at most limit entries (0 for as
// many as DynamoDB reads at once, which is 1 MB), and whether there is more. It
// is one call. The span must lie within one UTC month. The feed is an index,
// which is a moment behind; among the entries are words without an answer, and
// answers that are suspect or of a test.
func (s *Store) Feed(ctx context.Context, touchpoint string, from, to FeedPosition, limit int) (entries []FeedEntry, more bool, err error) {
	e := newExpression()
	// No entry is at a position itself, so that BETWEEN leaves to out.
	cond := e.is("feed", "=", str(touchpoint+"#"+string(from)[:len(feedMonth)])) + " AND " +
		e.name("feedAt") + " BETWEEN " + e.value(str(string(from))) + " AND " + e.value(str(string(to)))
	in := &dynamodb.QueryInput{
		TableName:                 s.table(topology.Responses),
		IndexName:                 aws.String("feed"),
		KeyConditionExpression:    &cond,
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
		ScanIndexForward:          aws.Bool(false),
	}
	if limit > 0 {
		in.Limit = aws.Int32(int32(limit))
	}
	out, err := s.db.Query(ctx, in)
	if err != nil {
		return nil, false, fmt.Errorf("reading the feed of %s: %w", touchpoint, err)
	}
	for _, it := range out.Items {
		a, err := UnmarshalAsk(it)
		if err != nil {
			return nil, false, err
		}
		d := decoder{it: it}
		at, id, ok := strings.Cut(d.str("feedAt"), "#")
		if !ok || len(id) < idInPosition {
			return nil, false, fmt.Errorf("ask %s: no place in the feed", survey.Fingerprint(a.ID))
		}
		entries = append(entries, FeedEntry{FeedPosition(at + "#" + id[:idInPosition]), a})
	}
	return entries, len(out.LastEvaluatedKey) > 0, nil
}
