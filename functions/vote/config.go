package vote

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
)

// Defaults of [survey.Widget], as its fields document them.
const (
	defaultRecontact = survey.Span(90 * 24 * time.Hour)
	defaultDismissed = survey.Span(14 * 24 * time.Hour)
	defaultColor     = "#1f5fd0"
)

// Parts of a config that the popup asks for: whether it may show, before it
// knows that it will; and what it shows, in one language, when it is about to.
const (
	partWhen = "when"
	partShow = "show"
)

// full is the config of a touchpoint: everything that an app needs to ask the
// question itself. Times are in milliseconds.
type full struct {
	Touchpoint string        `json:"touchpoint"`
	Version    int           `json:"version"`
	Metric     survey.Metric `json:"metric"`
	Low        int           `json:"low"`  // the scale's lowest answer
	High       int           `json:"high"` // and its highest
	Locales    []string      `json:"locales"`
	When       when          `json:"when"`
	look
	Texts map[string]texts `json:"texts"` // by locale, in each of which no text of the touchpoint is missing
}

// when says under which conditions the popup shows.
type when struct {
	// Off says why it never does; the rest is empty then.
	Off     string   `json:"off,omitempty"`
	Include []string `json:"include,omitempty"`
	Exclude []string `json:"exclude,omitempty"`
	Delay   int64    `json:"delay,omitempty"`
	Scroll  int      `json:"scroll,omitempty"`
	Exit    bool     `json:"exit,omitempty"`
	Views   int      `json:"views,omitempty"`
	Sample  *int     `json:"sample,omitempty"` // per cent, where it is not 100
}

// look says how the popup looks, and for how long it then stays away.
type look struct {
	Place     string `json:"place,omitempty"`
	Target    string `json:"target,omitempty"`
	Shape     string `json:"shape,omitempty"`
	Link      string `json:"link,omitempty"`
	Colors    theme  `json:"colors"`
	Recontact int64  `json:"recontact"`
	Dismissed int64  `json:"dismissed"`
}

// show is what the popup shows, in one language.
type show struct {
	Metric survey.Metric `json:"metric"`
	look
	Locale string `json:"locale"`
	RTL    bool   `json:"rtl,omitempty"`
	Text   texts  `json:"text"`
}

// texts are the texts of a touchpoint in one language. Low and High are empty
// where the touchpoint leaves them to its metric.
type texts struct {
	Question string                     `json:"question"`
	Low      string                     `json:"low,omitempty"`
	High     string                     `json:"high,omitempty"`
	Followup map[survey.Category]string `json:"followup,omitempty"`
	Thanks   string                     `json:"thanks,omitempty"`
}

// config answers GET /w/{touchpoint}.json.
//
// With part=when it answers 200 even where the popup may not show, with the
// reason: a page asks that of every visitor, and a refusal would stand in the
// console of a page that has nothing to do with it.
func (h *Handler) config(ctx context.Context, r *apigw.Request) apigw.Response {
	resp, err := h.part(ctx, r)
	if err != nil {
		resp = apigw.Error(ctx, r, err)
	}
	return resp.Set("access-control-allow-origin", "*")
}

func (h *Handler) part(ctx context.Context, r *apigw.Request) (apigw.Response, error) {
	q := r.Query()
	t, err := h.popup(ctx, r.Path("file"))
	switch part := q.Get("part"); part {
	case partWhen:
		if err == nil && !h.allows(t, r) {
			err = errOrigin()
		}
		w := when{}
		if e, ok := errors.AsType[*survey.Error](err); ok {
			w.Off = e.Message
		} else if err != nil {
			return apigw.Response{}, err
		} else {
			w = whenOf(t)
		}
		return cacheable(r, w).Set("vary", "origin"), nil
	case partShow:
		if err != nil {
			return apigw.Response{}, err
		}
		l := closest(q.Get("locale"), t.Locales)
		return cacheable(r, show{t.Metric, lookOf(t), l, rightToLeft(l), textsOf(t, l)}), nil
	case "":
		if err != nil {
			return apigw.Response{}, err
		}
		return cacheable(r, fullOf(t)), nil
	default:
		return apigw.Response{}, survey.Errorf(survey.Invalid, "part", "part must be %s or %s", partWhen, partShow)
	}
}

// popup returns the touchpoint that a file of /w/ is about. The error is
// [survey.NotFound] where there is none, or none with a popup.
func (h *Handler) popup(ctx context.Context, file string) (*survey.Touchpoint, error) {
	none := survey.Errorf(survey.NotFound, "touchpoint", "there is no such touchpoint with a popup")
	id, ok := strings.CutSuffix(file, ".json")
	if !ok || survey.CheckTouchpointID("touchpoint", id) != nil {
		return nil, none
	}
	t, err := h.Touchpoints.Touchpoint(ctx, id)
	if err != nil && survey.CodeOf(err) != survey.NotFound {
		return nil, err
	}
	if err != nil || !slices.Contains(t.Channels, survey.Popup) {
		return nil, none
	}
	return t, nil
}

func fullOf(t *survey.Touchpoint) full {
	low, high := t.Metric.Scale()
	f := full{
		Touchpoint: t.ID, Version: t.Version, Metric: t.Metric, Low: low, High: high, Locales: t.Locales,
		When: whenOf(t), look: lookOf(t), Texts: map[string]texts{},
	}
	for _, l := range t.Locales {
		f.Texts[l] = textsOf(t, l)
	}
	return f
}

func whenOf(t *survey.Touchpoint) when {
	w := t.Widget
	if w == nil {
		return when{}
	}
	out := when{
		Include: w.Include, Exclude: w.Exclude, Delay: millis(w.Delay), Scroll: w.Scroll, Exit: w.Exit, Views: w.Views,
	}
	if w.Sample != nil && *w.Sample < 100 {
		out.Sample = w.Sample
	}
	return out
}

func lookOf(t *survey.Touchpoint) look {
	w := t.Widget
	if w == nil {
		w = &survey.Widget{}
	}
	return look{
		Place: w.Place, Target: w.Target, Shape: w.Shape, Link: w.Link,
		Colors:    themeOf(cmp.Or(w.Color, defaultColor)),
		Recontact: millis(cmp.Or(w.Recontact, t.Recontact, defaultRecontact)),
		Dismissed: millis(cmp.Or(w.Dismissed, defaultDismissed)),
	}
}

func textsOf(t *survey.Touchpoint, locale string) texts {
	out := texts{
		Question: t.Question.In(locale, t.Locales),
		Low:      t.Low.In(locale, t.Locales),
		High:     t.High.In(locale, t.Locales),
		Thanks:   t.Thanks.In(locale, t.Locales),
	}
	for c, text := range t.Followup {
		if out.Followup == nil {
			out.Followup = map[survey.Category]string{}
		}
		out.Followup[c] = text.In(locale, t.Locales)
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

// rightToLeft reports whether a language is written from right to left in its
// usual script (Unicode CLDR, characterOrder).
func rightToLeft(locale string) bool {
	return slices.Contains([]string{"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"}, survey.Language(locale))
}

func millis(s survey.Span) int64 { return time.Duration(s).Milliseconds() }

// cacheable returns v as JSON that may be kept for a minute, as long as the
// catalog keeps a touchpoint, and 304 where the client has the same.
func cacheable(r *apigw.Request, v any) apigw.Response {
	b, err := json.Marshal(v)
	if err != nil {
		panic("vote: a config that is no JSON: " + err.Error()) // a type of ours, never data
	}
	return notModified(r, apigw.Response{StatusCode: http.StatusOK, Body: string(b), Headers: map[string]string{
		"content-type":  "application/json",
		"cache-control": "public, max-age=60",
		"etag":          etag(b),
	}})
}

// etag returns a strong entity tag of the bytes.
func etag(b []byte) string {
	sum := sha256.Sum256(b)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// notModified returns resp, or 304 in its place where one of the tags of
// If-None-Match is resp's by the weak comparison (RFC 9110, 13.1.2).
func notModified(r *apigw.Request, resp apigw.Response) apigw.Response {
	for tag := range strings.SplitSeq(r.Headers["if-none-match"], ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == resp.Headers["etag"] {
			resp.StatusCode, resp.Body, resp.IsBase64Encoded = http.StatusNotModified, "", false
			delete(resp.Headers, "content-type")
			delete(resp.Headers, "content-encoding")
			return resp
		}
	}
	return resp
}
