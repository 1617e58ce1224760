package results

import (
	"context"
	"math"
	"time"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/theme"
)

// themeReport is the answer to GET /api/themes/{touchpoint}.
type themeReport struct {
	Touchpoint string         `json:"touchpoint"`
	From       string         `json:"from"`
	To         string         `json:"to"`
	Comments   int            `json:"comments"` // that were read
	Locales    map[string]int `json:"locales"`  // of them
	// Complete is false where there were more than one request reads; they are
	// then those since a day.
	Complete bool         `json:"complete"`
	Since    string       `json:"since"`
	Unhappy  []themeEntry `json:"unhappy"`
	Happy    []themeEntry `json:"happy"`
	Rising   []themeEntry `json:"rising"`
}

type themeEntry struct {
	Words     string  `json:"words"`
	Locale    string  `json:"locale"`
	Q         string  `json:"q"`
	In        int     `json:"in"`
	Of        int     `json:"of"`
	Against   int     `json:"against"`
	AgainstOf int     `json:"againstOf"`
	Keyness   float64 `json:"keyness"`
	Example   string  `json:"example"`
}

func newThemes(found []theme.Theme) []themeEntry {
	out := make([]themeEntry, 0, len(found))
	for _, t := range found {
		out = append(out, themeEntry{
			Words: t.Words, Locale: t.Language, Q: t.Words, In: t.In, Of: t.Of, Against: t.Against, AgainstOf: t.AgainstOf,
			Keyness: math.Round(100*t.Keyness) / 100, Example: t.Example,
		})
	}
	return out
}

// themes answers with what the comments of a touchpoint are about, of all its
// series: a promoter or satisfied customer is happy, a detractor or dissatisfied
// one is not, whatever was asked. The halves of the range that are held against
// each other are those of the time that was read, up to now.
func (h *Handler) themes(ctx context.Context, r *call) (apigw.Response, error) {
	t, err := h.touchpoint(ctx, r, r.Path("touchpoint"))
	if err != nil {
		return apigw.Response{}, err
	}
	values, err := onceEach(r.RawQueryString, "from", "to", "channel", "segment", "locale")
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
	start, end := h.midnight(from), h.midnight(to)
	in := newReading(h.Feed, []string{t.ID}, store.FeedAt(start), store.FeedAt(end), f.keeps)
	for wave := 0; wave < maxWaves && len(in.gaps) > 0; wave++ {
		if err := in.wave(ctx); err != nil {
			return apigw.Response{}, err
		}
	}
	since := in.known().Time()
	if end.After(h.Now()) {
		end = h.Now()
	}
	middle := since.Add(end.Sub(since) / 2)
	out := themeReport{
		Touchpoint: t.ID, From: from.Format(dateFormat), To: to.Format(dateFormat), Locales: map[string]int{},
		Complete: len(in.gaps) == 0, Since: since.In(h.Zone).Format(dateFormat),
	}
	var comments []theme.Comment
	for _, e := range in.entries() {
		c := newComment(e, middle)
		comments = append(comments, c)
		out.Locales[c.Language]++
	}
	out.Comments = len(comments)
	found := theme.Find(comments)
	out.Unhappy, out.Happy, out.Rising = newThemes(found.Unhappy), newThemes(found.Happy), newThemes(found.Rising)
	return tagged(r, out), nil
}

func newComment(e store.FeedEntry, middle time.Time) theme.Comment {
	c := theme.Comment{Text: e.Ask.Comment, Language: survey.Language(e.Ask.Locale), Late: !e.At.Time().Before(middle)}
	switch e.Ask.Metric.Category(e.Ask.Score) {
	case survey.Promoter, survey.Satisfied:
		c.Mood = theme.Happy
	case survey.Detractor, survey.Dissatisfied:
		c.Mood = theme.Unhappy
	}
	return c
}
