// Package popup says what the popup of a touchpoint is told: when it shows, and
// what.
package popup

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/web"
)

// Defaults of [survey.Widget], as its fields document them.
const (
	defaultRecontact = survey.Span(90 * 24 * time.Hour)
	defaultDismissed = survey.Span(14 * 24 * time.Hour)
	defaultColor     = "#1f5fd0"
)

// Config is everything that an app needs to ask a touchpoint's question itself.
// Times are in milliseconds.
type Config struct {
	Touchpoint string        `json:"touchpoint"`
	Version    int           `json:"version"`
	Metric     survey.Metric `json:"metric"`
	Locales    []string      `json:"locales"`
	When       When          `json:"when"`
	look
	Texts map[string]texts `json:"texts"` // by locale, none of them missing
}

// When says under which conditions the popup shows.
type When struct {
	// Off says why it never does; nothing else is there then.
	Off string `json:"off,omitempty"`
	// Path is a regular expression (ECMAScript) of the paths on which it does.
	Path   string `json:"path,omitempty"`
	Delay  int64  `json:"delay,omitempty"`
	Scroll int    `json:"scroll,omitempty"`
	Exit   bool   `json:"exit,omitempty"`
	Views  int    `json:"views,omitempty"`
	Sample *int   `json:"sample,omitempty"` // per cent, where it is not 100
}

// look says how the popup looks, and for how long it then stays away.
type look struct {
	Low       int               `json:"low"`             // the lowest answer
	Answers   []survey.Category `json:"answers"`         // the category of each answer, from the lowest on
	Shape     string            `json:"shape"`           // numbers, stars, faces or thumbs
	Icons     []string          `json:"icons,omitempty"` // the drawing of each answer: a path of SVG on 32 by 32
	Place     string            `json:"place"`           // corner, bar or inline
	Target    string            `json:"target,omitempty"`
	Link      string            `json:"link,omitempty"`
	Colors    theme             `json:"colors"`
	Recontact int64             `json:"recontact"`
	Dismissed int64             `json:"dismissed"`
}

// Show is what the popup shows, in one language.
type Show struct {
	look
	Locale string `json:"locale"`
	Dir    string `json:"dir"` // of the language's writing: ltr or rtl
	Text   texts  `json:"text"`
}

// texts are the texts of a touchpoint in one language.
type texts struct {
	Question string                     `json:"question"`
	Low      string                     `json:"low"`
	High     string                     `json:"high"`
	Answers  []string                   `json:"answers"` // the name of each answer, for those who hear it
	Followup map[survey.Category]string `json:"followup"`
	web.PopupTexts
}

// ConfigOf returns the config of a touchpoint.
func ConfigOf(t *survey.Touchpoint) Config {
	f := Config{
		Touchpoint: t.ID, Version: t.Version, Metric: t.Metric, Locales: t.Locales,
		When: WhenOf(t), look: lookOf(t), Texts: map[string]texts{},
	}
	for _, l := range t.Locales {
		f.Texts[l] = textsOf(t, l)
	}
	return f
}

// widgetOf returns the rules of a touchpoint's popup, which may all be
// defaults.
func widgetOf(t *survey.Touchpoint) survey.Widget {
	if t.Widget == nil {
		return survey.Widget{}
	}
	return *t.Widget
}

// ShowOf returns what the popup of a touchpoint shows to who wishes for a
// locale: in that, else in the same language, else in the touchpoint's first.
func ShowOf(t *survey.Touchpoint, wish string) Show {
	l := closest(wish, t.Locales)
	return Show{lookOf(t), l, web.Direction(l), textsOf(t, l)}
}

// WhenOf returns when the popup of a touchpoint shows.
func WhenOf(t *survey.Touchpoint) When {
	w := widgetOf(t)
	out := When{Path: paths(w.Include, w.Exclude), Delay: millis(w.Delay), Scroll: w.Scroll, Exit: w.Exit, Views: w.Views}
	if w.Sample != nil && *w.Sample < 100 {
		out.Sample = w.Sample
	}
	return out
}

// paths returns a regular expression of the paths that one of include matches,
// if there is any, and none of exclude. It has no part that ECMAScript and Go
// read differently but the look-ahead, which Go does not know.
func paths(include, exclude []string) string {
	out := "^"
	if len(exclude) > 0 {
		out += "(?!(" + anyOf(exclude) + ")$)"
	}
	if len(include) > 0 {
		out += "(" + anyOf(include) + ")$"
	}
	return out
}

func anyOf(patterns []string) string {
	var out []string
	for _, p := range patterns {
		parts := strings.Split(p, "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(encodePath(parts[i]))
		}
		out = append(out, strings.Join(parts, ".*"))
	}
	return strings.Join(out, "|")
}

// encodePath writes a path as a browser's location has it (WHATWG URL, path
// percent-encode set). What is encoded already stays.
func encodePath(path string) string {
	var b strings.Builder
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c > '~' || strings.IndexByte("\"#<>?^`{}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func lookOf(t *survey.Touchpoint) look {
	w := widgetOf(t)
	out := look{
		Shape: shapeOf(t.Metric, w), Place: cmp.Or(w.Place, "corner"), Target: w.Target, Link: w.Link,
		Colors:    themeOf(cmp.Or(w.Color, defaultColor)),
		Recontact: millis(cmp.Or(w.Recontact, t.Recontact, defaultRecontact)),
		Dismissed: millis(cmp.Or(w.Dismissed, defaultDismissed)),
	}
	low, high := t.Metric.Scale()
	out.Low, out.Icons = low, iconsOf(t.Metric, out.Shape)
	for score := low; score <= high; score++ {
		out.Answers = append(out.Answers, t.Metric.Category(score))
	}
	return out
}

// Shapes of a scale.
const (
	shapeNumbers = "numbers"
	shapeStars   = "stars"
	shapeFaces   = "faces"
	shapeThumbs  = "thumbs"
)

func shapeOf(m survey.Metric, w survey.Widget) string {
	switch m {
	case survey.CSAT:
		return cmp.Or(w.Shape, shapeStars)
	case survey.Smiley:
		return shapeFaces
	case survey.Thumbs:
		return shapeThumbs
	default:
		return shapeNumbers
	}
}

// textsOf returns the texts in one language: the touchpoint's own where it has
// them, the metric's where it has none.
func textsOf(t *survey.Touchpoint, locale string) texts {
	own := web.In(locale)
	m := own.Metrics[t.Metric]
	out := texts{
		Question:   t.Question.In(locale, t.Locales),
		Low:        cmp.Or(t.Low.In(locale, t.Locales), m.Low),
		High:       cmp.Or(t.High.In(locale, t.Locales), m.High),
		Followup:   map[survey.Category]string{},
		PopupTexts: own.Popup,
	}
	out.Thanks = cmp.Or(t.Thanks.In(locale, t.Locales), out.Thanks)
	out.Answers = names(t, m.Answers, out.Low, out.High)
	for _, c := range t.Metric.Categories() {
		out.Followup[c] = cmp.Or(t.Followup[c].In(locale, t.Locales), m.Followup[c])
	}
	return out
}

// names returns the names of the answers for those who hear them. The ends are
// called what their labels say, and a number that is seen is heard (WCAG 2.2,
// 2.5.3).
func names(t *survey.Touchpoint, answers []string, lowest, highest string) []string {
	out := slices.Clone(answers)
	last := len(out) - 1
	if t.Metric == survey.NPS {
		out[0] += ", " + lowest
		out[last] += ", " + highest
		return out
	}
	out[0], out[last] = lowest, highest
	if shapeOf(t.Metric, widgetOf(t)) == shapeNumbers {
		low, _ := t.Metric.Scale()
		for i := range out {
			out[i] = fmt.Sprintf("%d, %s", low+i, out[i])
		}
	}
	return out
}

// closest returns the locale of have that suits a wish best: the same, else
// the same language, else the first.
func closest(wish string, have []string) string {
	for _, same := range []func(string) bool{
		func(l string) bool { return strings.EqualFold(l, wish) },
		func(l string) bool { return strings.EqualFold(survey.Language(l), survey.Language(wish)) },
	} {
		if i := slices.IndexFunc(have, same); i >= 0 {
			return have[i]
		}
	}
	if len(have) == 0 {
		return ""
	}
	return have[0]
}

func millis(s survey.Span) int64 { return time.Duration(s).Milliseconds() }
