package results

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/signin"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/theme"
)

// Limits of a page of responses, and of what is searched for, in characters.
const (
	usualResponses = 30
	maxResponses   = 100
	maxSearch      = 100
)

// responseList is the answer to GET /api/responses.
type responseList struct {
	Responses []response `json:"responses"`
	Cursor    *string    `json:"cursor"`   // of the next page; null at the end
	Searched  string     `json:"searched"` // how far back has been looked, a day
}

type response struct {
	// Key names the answer. The id of its ask is not told, as whoever has it
	// can answer in its place.
	Key        string          `json:"key"`
	Touchpoint string          `json:"touchpoint"`
	Series     int             `json:"series"`
	Metric     survey.Metric   `json:"metric"`
	Score      int             `json:"score"`
	Category   survey.Category `json:"category"`
	Comment    string          `json:"comment"`
	Channel    survey.Channel  `json:"channel"`
	Locale     string          `json:"locale"`
	Segments   []string        `json:"segments"`
	AnsweredAt time.Time       `json:"answeredAt"`
	EditedAt   *time.Time      `json:"editedAt"` // null where it is as it was first given
	Confirmed  bool            `json:"confirmed"`
	Contact    *string         `json:"contact"` // for agents
	Page       string          `json:"page"`
	Ref        string          `json:"ref"`
}

func newResponse(a *survey.Ask, who signin.Who) response {
	sum := sha256.Sum256([]byte(a.ID))
	out := response{
		Key:        base64.RawURLEncoding.EncodeToString(sum[:])[:survey.IDLength],
		Touchpoint: a.Touchpoint, Series: a.Series, Metric: a.Metric, Score: a.Score, Category: a.Metric.Category(a.Score), Comment: a.Comment,
		Channel: a.Channel, Locale: a.Locale, Segments: append([]string{}, a.Segments...), AnsweredAt: a.AnsweredAt.UTC(),
		Confirmed: a.Trust == survey.Human, Page: a.Page, Ref: a.Ref,
	}
	if a.EditedAt.After(a.AnsweredAt) {
		out.EditedAt = instant(a.EditedAt)
	}
	if a.Contact != "" && who.May(signin.Agent) == nil {
		out.Contact = &a.Contact
	}
	return out
}

// responses answers with a page of the answers that have words, the newest
// first.
func (h *Handler) responses(ctx context.Context, r *call) (apigw.Response, error) {
	values, err := onceEach(r.RawQueryString, "touchpoint", "from", "to", "category", "score", "channel", "segment", "locale", "q", "cursor", "limit")
	if err != nil {
		return apigw.Response{}, err
	}
	touchpoints, err := h.seen(ctx, r, values)
	if err != nil {
		return apigw.Response{}, err
	}
	from, to, err := h.days(values)
	if err != nil {
		return apigw.Response{}, err
	}
	f, err := parseFilter(values, r.who)
	if err != nil {
		return apigw.Response{}, err
	}
	limit := usualResponses
	if values.Has("limit") {
		if limit, err = parseNumber("limit", values.Get("limit"), 1, maxResponses); err != nil {
			return apigw.Response{}, err
		}
	}
	start, end := store.FeedAt(h.midnight(from)), store.FeedAt(h.midnight(to))
	c := cursor{at: end, length: longest}
	if values.Has("cursor") {
		if c, err = parseCursor(values); err != nil {
			return apigw.Response{}, err
		}
		if c.at > end {
			return apigw.Response{}, noCursor()
		}
	}
	in := newReading(h.Feed, touchpoints, start, c.at, f.keeps)
	in.length, in.coarse = c.length, len(r.who.Segments) > 0
	if !f.narrow() {
		in.enough = limit + 1
	}
	var found []store.FeedEntry
	for wave := 0; wave < maxWaves && len(found) <= limit && len(in.gaps) > 0; wave++ {
		if err := in.wave(ctx); err != nil {
			return apigw.Response{}, err
		}
		found = in.entries()
	}
	next, more := in.known(), len(in.gaps) > 0
	if len(found) > limit {
		found = found[:limit]
		next, more = found[limit-1].At, true
	}
	out := responseList{Responses: make([]response, 0, len(found)), Searched: next.Time().In(h.Zone).Format(dateFormat)}
	for _, e := range found {
		out.Responses = append(out.Responses, newResponse(e.Ask, r.who))
	}
	if more {
		out.Cursor = new(cursor{next, in.length}.encode(values))
	}
	return tagged(r, out), nil
}

// seen returns the touchpoints that are asked for: one, or all that the reader
// sees.
func (h *Handler) seen(ctx context.Context, r *call, values url.Values) ([]string, error) {
	if values.Has("touchpoint") {
		t, err := h.touchpoint(ctx, r, values.Get("touchpoint"))
		if err != nil {
			return nil, err
		}
		return []string{t.ID}, nil
	}
	all, err := h.Touchpoints.All(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, t := range all {
		if r.who.Sees(t.ID) {
			out = append(out, t.ID)
		}
	}
	return out, nil
}

// days returns the days that are asked for, by the rules of [parseSpan].
func (h *Handler) days(values url.Values) (from, to time.Time, err error) {
	s, err := parseSpan(values, asked, h.today())
	return s.from, s.to, err
}

// midnight returns the moment at which a day of the reporting zone begins: where
// the clocks skip midnight, the one at which they do.
func (h *Handler) midnight(day time.Time) time.Time {
	y, m, d := day.Date()
	t := time.Date(y, m, d, 0, 0, 0, 0, h.Zone)
	if t.Day() != d {
		_, t = t.ZoneBounds()
	}
	return t
}

// filter says which answers with words are wanted.
type filter struct {
	who      signin.Who
	category survey.Category
	score    *int
	channel  survey.Channel
	segment  string
	locale   string
	words    theme.Search
}

// parseFilter reads the parameters of a filter. The errors are
// [survey.Invalid] on the one that breaks a rule, and [survey.NotFound] for a
// segment beyond the reader's.
func parseFilter(values url.Values, who signin.Who) (filter, error) {
	f := filter{who: who}
	if values.Has("category") {
		f.category = survey.Category(values.Get("category"))
		if known := append(survey.NPS.Categories(), survey.CSAT.Categories()...); !slices.Contains(known, f.category) {
			return f, survey.Errorf(survey.Invalid, "category", "category must be one of promoter, passive, detractor, satisfied, neutral, dissatisfied")
		}
	}
	if values.Has("score") {
		n, err := parseNumber("score", values.Get("score"), 0, survey.MaxScore)
		if err != nil {
			return f, err
		}
		f.score = &n
	}
	for _, name := range []string{"channel", "segment"} { // which go together here
		if !values.Has(name) {
			continue
		}
		g, err := parseGroup(url.Values{name: values[name]})
		if err != nil {
			return f, err
		}
		f.set(g)
	}
	if !who.SeesSegment(f.segment) && f.segment != "" {
		return f, errNoSegment
	}
	if values.Has("locale") {
		if f.locale = values.Get("locale"); !isLanguage(f.locale) {
			return f, survey.Errorf(survey.Invalid, "locale", "locale must be a language such as fi")
		}
	}
	if values.Has("q") {
		q := values.Get("q")
		if !utf8.ValidString(q) || utf8.RuneCountInString(q) > maxSearch {
			return f, survey.Errorf(survey.Invalid, "q", "q must be at most %d characters", maxSearch)
		}
		if f.words = theme.NewSearch(q); f.words.Empty() {
			return f, survey.Errorf(survey.Invalid, "q", "q must have a word in it")
		}
	}
	return f, nil
}

func (f *filter) set(g score.Group) {
	if s, ok := g.Segment(); ok {
		f.segment = s
	}
	if c, ok := g.Channel(); ok {
		f.channel = c
	}
}

// isLanguage reports whether s is a language (BCP 47): two or three letters.
func isLanguage(s string) bool {
	return (len(s) == 2 || len(s) == 3) && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

// narrow reports whether the filter leaves out answers that the reader may
// see, or the reader sees some alone: then more has to be read than is shown.
func (f filter) narrow() bool {
	return f.category != "" || f.score != nil || f.channel != "" || f.segment != "" || f.locale != "" || !f.words.Empty() || len(f.who.Segments) > 0
}

// keeps reports whether an ask is wanted: a counted answer of a customer, with
// words, that the reader may see.
func (f filter) keeps(a *survey.Ask) bool {
	return a.Counted() && !a.Test && a.Comment != "" && f.who.SeesAnswer(a.Touchpoint, a.Segments) &&
		(f.category == "" || a.Metric.Category(a.Score) == f.category) &&
		(f.score == nil || a.Score == *f.score) &&
		(f.channel == "" || a.Channel == f.channel) &&
		(f.segment == "" || slices.Contains(a.Segments, f.segment)) &&
		(f.locale == "" || survey.Language(a.Locale) == f.locale) &&
		(f.words.Empty() || f.words.Matches(a.Comment, survey.Language(a.Locale)))
}

// parseNumber reads a whole number of a parameter.
func parseNumber(field, s string, low, high int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high || strconv.Itoa(n) != s {
		return 0, survey.Errorf(survey.Invalid, field, "%s must be a whole number from %d to %d", field, low, high)
	}
	return n, nil
}

// cursor is where the next page of responses begins: before a position, of the
// same question. Answers that arrive while somebody reads are before it. With
// it comes what was learned of how dense the feed is.
type cursor struct {
	at     store.FeedPosition
	length time.Duration
}

const cursorVersion = "1"

func (c cursor) encode(values url.Values) string {
	parts := []string{cursorVersion, question(values), strconv.Itoa(int(c.length / time.Second)), string(c.at)}
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "|")))
}

// question tells one question from another: all parameters but those of the
// page.
func question(values url.Values) string {
	of := url.Values{}
	for name, v := range values {
		if name != "cursor" && name != "limit" {
			of[name] = v
		}
	}
	sum := sha256.Sum256([]byte(of.Encode()))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// parseCursor reads the cursor of a request. The error is [survey.Invalid]
// where it is none, or that of another question.
func parseCursor(values url.Values) (cursor, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(values.Get("cursor"))
	parts := strings.Split(string(b), "|")
	if err != nil || len(parts) != 4 || parts[0] != cursorVersion {
		return cursor{}, noCursor()
	}
	if parts[1] != question(values) {
		return cursor{}, survey.Errorf(survey.Invalid, "cursor", "cursor must be used with the parameters of the page that it came with")
	}
	seconds, err := strconv.Atoi(parts[2])
	length := time.Duration(seconds) * time.Second
	if err != nil || seconds < int(shortest/time.Second) || seconds > int(longest/time.Second) {
		return cursor{}, noCursor()
	}
	at, err := store.ParseFeedPosition(parts[3])
	if err != nil {
		return cursor{}, noCursor()
	}
	return cursor{at, length}, nil
}

func noCursor() error {
	return survey.Errorf(survey.Invalid, "cursor", "cursor must be one that a page of responses came with")
}
