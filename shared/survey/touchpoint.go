package survey

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Phase is where in the customer's path a touchpoint lies.
type Phase string

// The phases, in the order of the path.
const (
	Before  Phase = "before"
	During  Phase = "during"
	After   Phase = "after"
	Leaving Phase = "leaving"
)

// Phases lists the phases in the order of the path.
func Phases() []Phase { return []Phase{Before, During, After, Leaving} }

// Channel is the way an answer comes in.
type Channel string

// The channels. Link is a public link (QR code, letter, e-mail signature);
// Agent is an answer that a person of the company wrote down.
const (
	Email Channel = "email"
	SMS   Channel = "sms"
	Popup Channel = "widget"
	App   Channel = "app"
	Link  Channel = "link"
	Kiosk Channel = "kiosk"
	Agent Channel = "agent"
)

// Channels lists the channels.
func Channels() []Channel { return []Channel{Email, SMS, Popup, App, Link, Kiosk, Agent} }

// Touchpoint is a moment in the customer's path where we ask: its metric and
// question, and the rules of asking. Field names in lower case are those of
// the touchpoints file and of the stored definition.
type Touchpoint struct {
	ID      string   `json:"id"`
	Version int      `json:"version,omitempty"` // counts every change, from 1
	Series  int      `json:"series,omitempty"`  // counts the definitions whose answers may not be mixed, from 1
	Phase   Phase    `json:"phase"`
	Metric  Metric   `json:"metric"`
	Locales []string `json:"locales"` // languages of the texts, in order of fallback

	Channels []Channel `json:"channels"`
	// Origins are the websites whose pages may vote, as scheme://host[:port].
	Origins []string `json:"origins,omitempty"`

	Name     Text              `json:"name"`
	Question Text              `json:"question"`
	Low      Text              `json:"low,omitempty"`  // label of the scale's lowest answer; the metric's own where empty
	High     Text              `json:"high,omitempty"` // label of the highest
	Followup map[Category]Text `json:"followup,omitempty"`
	Thanks   Text              `json:"thanks,omitempty"`

	// Goal is the score aimed at, in the metric's own unit; nil for none.
	Goal *float64 `json:"goal,omitempty"`
	// Recontact is the shortest time between two asks of this touchpoint to
	// the same person; zero for the deployment's default.
	Recontact Span `json:"recontact,omitempty"`
	// Rest is the shortest time from any ask to a person to one of this
	// touchpoint; nil for the deployment's default, zero for none.
	Rest *Span `json:"rest,omitempty"`
	// Stopped is whether nobody is asked for now, not even those who are in
	// the queue. Answers to what was asked, votes and public links go on.
	Stopped bool     `json:"stopped,omitempty"`
	Trigger *Trigger `json:"trigger,omitempty"`
	Message *Message `json:"message,omitempty"`
	Widget  *Widget  `json:"widget,omitempty"`
	// Segments says which attributes of a vote place it in a segment, and
	// the values that do: {"plan": ["basic", "gold"]} counts votes with
	// attrs.plan "gold" in the segment "plan=gold". Other attributes are
	// stored and never counted, so that a stranger cannot grow the tallies.
	Segments map[string][]string `json:"segments,omitempty"`
}

// Trigger says when contacts are asked, by e-mail or SMS: some time after a
// business event, or in a cadence.
type Trigger struct {
	Event string `json:"event,omitempty"` // a business event's type, "purchase.completed"
	Delay Span   `json:"delay,omitempty"` // from the event to the ask
	// When are conditions on the event's data, all of which must hold.
	When []Condition `json:"when,omitempty"`

	Every Cadence `json:"every,omitempty"` // month, quarter or year
	// Spread is whether the contacts take their turns all period long, which
	// is the default; where false, everyone is asked on one day.
	Spread *bool `json:"spread,omitempty"`
	// On is that day, in a period that is not spread: the day of the month
	// ("15"), the month of the quarter and its day ("2-15"), or the month and
	// its day ("11-15"); the period's first where empty. It moves to the next
	// allowed day, and a day that the month does not have to its last.
	On string `json:"on,omitempty"`

	// Hour is the earliest hour of the contact's day, 1 to 23, at which asks
	// are sent. 0 for the usual one: 9 in a cadence, and for an event any
	// that is not quiet.
	Hour int `json:"hour,omitempty"`
	// Weekdays are those on which asks are sent: mon, tue, wed, thu, fri, sat,
	// sun. From mon to fri where empty.
	Weekdays []string `json:"weekdays,omitempty"`
	// Segments are the contacts' segments that are asked; all where empty.
	Segments []string `json:"segments,omitempty"`
	// Sample is how many per cent of the contacts are asked, always the same
	// ones; 100 where nil.
	Sample *int `json:"sample,omitempty"`
	// Reminder is how long after the ask those who have not answered are
	// reminded, once; zero for never.
	Reminder Span `json:"reminder,omitempty"`
}

// Condition is one on a field of a business event's data: its value must be
// one of In, where there are any, and from Min to Max, where they are not nil.
type Condition struct {
	Field string   `json:"field"` // by path: "total", "shop.country"
	In    []string `json:"in,omitempty"`
	Min   *float64 `json:"min,omitempty"`
	Max   *float64 `json:"max,omitempty"`
}

// Widget says when and how the popup shows. A zero field is its default.
type Widget struct {
	Include []string `json:"include,omitempty"` // URL paths with *, any of which must match; all paths where empty
	Exclude []string `json:"exclude,omitempty"` // URL paths with *, none of which may match

	Delay  Span `json:"delay,omitempty"`  // on the page before it shows
	Scroll int  `json:"scroll,omitempty"` // per cent of the page scrolled before it shows
	Exit   bool `json:"exit,omitempty"`   // instead of after Delay, when the pointer leaves for the window's top, or on a phone after 30 s without input
	Views  int  `json:"views,omitempty"`  // from the Nth page view of the visit on
	Sample *int `json:"sample,omitempty"` // per cent of visitors asked, 100 where nil

	Recontact Span `json:"recontact,omitempty"` // after an answer, 90d where zero
	Dismissed Span `json:"dismissed,omitempty"` // after closing without an answer, 14d where zero

	Place  string `json:"place,omitempty"`  // corner (default), bar, or inline
	Target string `json:"target,omitempty"` // CSS selector of the element that holds an inline survey
	Color  string `json:"color,omitempty"`  // of the theme, #rrggbb
	Shape  string `json:"shape,omitempty"`  // of CSAT: stars (default) or faces
	Link   string `json:"link,omitempty"`   // https address offered after the thanks
}

// Limits of a definition. They keep a stored definition far below DynamoDB's
// item limit and every text readable on a phone.
const (
	MaxTouchpointID = 63
	MaxLocales      = 20
	MaxName         = 100
	MaxText         = 500
	MaxOrigins      = 20
	MaxOrigin       = 255
	MaxPatterns     = 50
	MaxPattern      = 200
	MaxSegments     = 50 // values over all attributes of one touchpoint
	MaxEvent        = 128
	MaxTarget       = 200
	MaxLink         = 500
	MaxConditions   = 10
	MaxField        = 100 // characters of a condition's field, and of one of its values
	MaxIn           = 50  // values of one condition
	MaxReminder     = Span(60 * day)
)

// weekdays are the days as a trigger names them.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // by time.Weekday

// CheckTouchpointID returns an [Invalid] error on field unless id is 1 to 63
// of a-z, 0-9 and -, starting with a letter or digit.
func CheckTouchpointID(field, id string) error {
	ok := 1 <= len(id) && len(id) <= MaxTouchpointID && id[0] != '-'
	for i := 0; ok && i < len(id); i++ {
		c := id[i]
		ok = 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-'
	}
	if !ok {
		return Errorf(Invalid, field, "%s must be 1 to %d characters of a-z, 0-9 and -, and not start with -", field, MaxTouchpointID)
	}
	return nil
}

// Validate returns nil, or every broken rule of the definition joined (see
// [errors.Join]), each an [Invalid] [Error] with the path of its field, such
// as "question.sv".
func (t *Touchpoint) Validate() error {
	var errs []error
	bad := func(field, format string, args ...any) { errs = append(errs, broken(field, format, args...)) }
	if err := CheckTouchpointID("id", t.ID); err != nil {
		errs = append(errs, err)
	}
	if !slices.Contains(Phases(), t.Phase) {
		bad("phase", "must be one of %s", list(Phases()))
	}
	if !t.Metric.Valid() {
		bad("metric", "must be one of %s", list(Metrics()))
	}
	if len(t.Locales) == 0 || len(t.Locales) > MaxLocales {
		bad("locales", "must name from 1 to %d languages", MaxLocales)
	}
	for i, l := range t.Locales {
		switch f := fmt.Sprintf("locales[%d]", i); {
		case !validLocale(l):
			bad(f, "must be a language such as fi or sv-FI, not %q", l)
		case slices.Contains(t.Locales[:i], l):
			bad(f, "must not repeat %q", l)
		}
	}
	if len(t.Channels) == 0 {
		bad("channels", "must name at least one of %s", list(Channels()))
	}
	for i, c := range t.Channels {
		switch f := fmt.Sprintf("channels[%d]", i); {
		case !slices.Contains(Channels(), c):
			bad(f, "must be one of %s, not %q", list(Channels()), c)
		case slices.Contains(t.Channels[:i], c):
			bad(f, "must not repeat %q", c)
		}
	}
	if len(t.Origins) > MaxOrigins {
		bad("origins", "must be at most %d", MaxOrigins)
	}
	for i, o := range t.Origins {
		if !validOrigin(o) {
			bad(fmt.Sprintf("origins[%d]", i), "must be https://host or http://localhost, with a port where it is not the usual one, in lower case, without a path, not %q", o)
		}
	}
	text := func(field string, v Text, required bool, limit int) {
		if len(t.Locales) == 0 {
			return // told above; there is no language to hold the text against
		}
		if required && v.In("", t.Locales) == "" {
			bad(field, "must have a text in at least one of %s", strings.Join(t.Locales, ", "))
		}
		for _, l := range slices.Sorted(maps.Keys(v)) {
			f := field + "." + l
			switch {
			case !slices.Contains(t.Locales, l):
				bad(f, "is in a language that locales does not list")
			case !utf8.ValidString(v[l]):
				bad(f, "must be UTF-8")
			case utf8.RuneCountInString(v[l]) > limit:
				bad(f, "must be at most %d characters", limit)
			case strings.TrimSpace(v[l]) == "":
				bad(f, "must not be empty")
			case hasControl(v[l]):
				bad(f, "must not contain control characters")
			}
		}
	}
	text("name", t.Name, true, MaxName)
	text("question", t.Question, true, MaxText)
	text("low", t.Low, false, MaxName)
	text("high", t.High, false, MaxName)
	text("thanks", t.Thanks, false, MaxText)
	for _, c := range slices.Sorted(maps.Keys(t.Followup)) {
		f := "followup." + string(c)
		if t.Metric.Valid() && !slices.Contains(t.Metric.Categories(), c) {
			bad(f, "is not a category of %s, which has %s", t.Metric, list(t.Metric.Categories()))
		}
		text(f, t.Followup[c], false, MaxText)
	}
	if t.Goal != nil && t.Metric.Valid() {
		// Written so that a goal which is not a number is out of range.
		if low, high := t.Metric.ScoreRange(); !(low <= *t.Goal && *t.Goal <= high) {
			bad("goal", "must be from %g to %g for %s", low, high, t.Metric)
		}
	}
	values := 0
	for _, a := range slices.Sorted(maps.Keys(t.Segments)) {
		values += len(t.Segments[a])
		if len(t.Segments[a]) == 0 {
			bad("segments."+a, "must list at least one value")
		}
		for _, v := range append([]string{a}, t.Segments[a]...) {
			if !validSegmentPart(v) {
				bad("segments."+a, "must be made of 1 to %d letters, digits, spaces, - and _, not %q", MaxAttrKey, v)
			}
		}
	}
	if values > MaxSegments {
		bad("segments", "must have at most %d values together", MaxSegments)
	}
	errs = append(errs, t.Trigger.validate()...)
	if t.Trigger != nil && len(t.Channels) > 0 && !slices.Contains(t.Channels, Email) && !slices.Contains(t.Channels, SMS) {
		bad("trigger", "needs email or sms among channels")
	}
	errs = append(errs, t.Message.validate(t, text)...)
	errs = append(errs, t.Widget.validate(t)...)
	return errors.Join(errs...)
}

// broken returns an [Invalid] error that field breaks the rule. The field is
// no part of the format: it may hold what somebody wrote.
func broken(field, rule string, args ...any) error {
	return Errorf(Invalid, field, "%s %s", field, fmt.Sprintf(rule, args...))
}

func (g *Trigger) validate() []error {
	if g == nil {
		return nil
	}
	var errs []error
	bad := func(field, rule string, args ...any) { errs = append(errs, broken(field, rule, args...)) }
	if (g.Event == "") == (g.Every == "") {
		bad("trigger", "must have either event or every")
	}
	if len(g.Event) > MaxEvent || strings.ContainsFunc(g.Event, notEventType) {
		bad("trigger.event", "must be at most %d letters, digits, dots, - and _", MaxEvent)
	}
	if g.Every != "" && !slices.Contains(Cadences(), g.Every) {
		bad("trigger.every", "must be month, quarter or year")
	}
	if g.Event == "" && g.Delay != 0 {
		bad("trigger.delay", "needs trigger.event")
	}
	if g.Event == "" && len(g.When) > 0 {
		bad("trigger.when", "needs trigger.event")
	}
	if len(g.When) > MaxConditions {
		bad("trigger.when", "must be at most %d conditions", MaxConditions)
	}
	for i, c := range g.When {
		f := fmt.Sprintf("trigger.when[%d]", i)
		if c.Field == "" || utf8.RuneCountInString(c.Field) > MaxField {
			bad(f+".field", "must be 1 to %d characters", MaxField)
		}
		if len(c.In) > MaxIn {
			bad(f+".in", "must be at most %d values", MaxIn)
		}
		for j, v := range c.In {
			if !utf8.ValidString(v) || utf8.RuneCountInString(v) > MaxField {
				bad(fmt.Sprintf("%s.in[%d]", f, j), "must be at most %d characters", MaxField)
			}
		}
		if len(c.In) == 0 && c.Min == nil && c.Max == nil {
			bad(f, "must have in, min or max")
		}
		for field, v := range map[string]*float64{".min": c.Min, ".max": c.Max} {
			if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
				bad(f+field, "must be a number")
			}
		}
		if c.Min != nil && c.Max != nil && *c.Min > *c.Max {
			bad(f+".min", "must not be above max")
		}
	}
	if g.Every == "" && g.Spread != nil {
		bad("trigger.spread", "needs trigger.every")
	}
	if g.On != "" && (g.Every == "" || g.Spreads()) {
		bad("trigger.on", "needs trigger.every and spread: false")
	} else if g.On != "" && slices.Contains(Cadences(), g.Every) {
		if _, _, ok := g.Day(); !ok {
			bad("trigger.on", "must be a day such as 15 for month, 2-15 (second month, day 15) for quarter, 11-15 for year, not %q", g.On)
		}
	}
	if g.Hour < 0 || g.Hour > 23 {
		bad("trigger.hour", "must be from 0 to 23")
	}
	for i, d := range g.Weekdays {
		switch f := fmt.Sprintf("trigger.weekdays[%d]", i); {
		case !slices.Contains(weekdays, d):
			bad(f, "must be one of mon, tue, wed, thu, fri, sat, sun, not %q", d)
		case slices.Contains(g.Weekdays[:i], d):
			bad(f, "must not repeat %q", d)
		}
	}
	if len(g.Segments) > MaxSegments {
		bad("trigger.segments", "must be at most %d", MaxSegments)
	}
	for i, s := range g.Segments {
		if !ValidSegment(s) {
			bad(fmt.Sprintf("trigger.segments[%d]", i), "must be made of 1 to %d letters, digits, spaces, - and _, not %q", MaxAttrKey, s)
		}
	}
	if g.Sample != nil && (*g.Sample < 0 || *g.Sample > 100) {
		bad("trigger.sample", "must be per cent, from 0 to 100")
	}
	if g.Reminder > MaxReminder {
		bad("trigger.reminder", "must be at most %s", MaxReminder)
	}
	return errs
}

// Spreads reports whether the contacts of a cadence take their turns all
// period long.
func (g *Trigger) Spreads() bool { return g.Every != "" && (g.Spread == nil || *g.Spread) }

// SendHour returns the earliest hour of the contact's day for asks, and false
// where any that is not quiet will do.
func (g *Trigger) SendHour() (hour int, ok bool) {
	switch {
	case g.Hour != 0:
		return g.Hour, true
	case g.Every != "":
		return 9, true
	}
	return 0, false
}

// SendsOn reports whether asks are sent on a day of the week.
func (g *Trigger) SendsOn(d time.Weekday) bool {
	if len(g.Weekdays) == 0 {
		return d != time.Saturday && d != time.Sunday
	}
	return slices.Contains(g.Weekdays, weekdays[d])
}

// Day returns the month of the period (from 1) and the day of that month on
// which everyone is asked. ok is false where On is not written as the cadence
// wants it.
func (g *Trigger) Day() (month, dayOfMonth int, ok bool) {
	months := map[Cadence]int{Monthly: 1, Quarterly: 3, Yearly: 12}[g.Every]
	if g.On == "" {
		return 1, 1, months > 0
	}
	m, d := "1", g.On
	if g.Every != Monthly {
		if m, d, ok = strings.Cut(g.On, "-"); !ok {
			return 0, 0, false
		}
	}
	month, err1 := strconv.Atoi(m)
	dayOfMonth, err2 := strconv.Atoi(d)
	return month, dayOfMonth, err1 == nil && err2 == nil && 1 <= month && month <= months && 1 <= dayOfMonth && dayOfMonth <= 31
}

func (w *Widget) validate(t *Touchpoint) []error {
	if w == nil {
		return nil
	}
	var errs []error
	bad := func(field, rule string, args ...any) { errs = append(errs, broken(field, rule, args...)) }
	if !slices.Contains(t.Channels, Popup) {
		bad("widget", "needs widget among channels")
	}
	patterns := func(field string, ps []string) {
		if len(ps) > MaxPatterns {
			bad(field, "must be at most %d", MaxPatterns)
		}
		for i, p := range ps {
			if !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "*") || utf8.RuneCountInString(p) > MaxPattern {
				bad(fmt.Sprintf("%s[%d]", field, i), "must start with / or * and have at most %d characters, not %q", MaxPattern, p)
			}
		}
	}
	patterns("widget.include", w.Include)
	patterns("widget.exclude", w.Exclude)
	if w.Scroll < 0 || w.Scroll > 100 {
		bad("widget.scroll", "must be per cent, from 0 to 100")
	}
	if w.Sample != nil && (*w.Sample < 0 || *w.Sample > 100) {
		bad("widget.sample", "must be per cent, from 0 to 100")
	}
	if w.Views < 0 {
		bad("widget.views", "must not be negative")
	}
	if !slices.Contains([]string{"", "corner", "bar", "inline"}, w.Place) {
		bad("widget.place", "must be corner, bar or inline")
	}
	if (w.Place == "inline") != (w.Target != "") {
		bad("widget.target", "must name an element exactly where widget.place is inline")
	}
	if utf8.RuneCountInString(w.Target) > MaxTarget {
		bad("widget.target", "must be at most %d characters", MaxTarget)
	}
	if w.Color != "" && !validColor(w.Color) {
		bad("widget.color", "must be written as #rrggbb")
	}
	if !slices.Contains([]string{"", "stars", "faces"}, w.Shape) || w.Shape != "" && t.Metric != CSAT {
		bad("widget.shape", "must be stars or faces, and only for csat")
	}
	if u, err := url.Parse(w.Link); w.Link != "" && (err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || len(w.Link) > MaxLink) {
		bad("widget.link", "must be an https address of at most %d characters", MaxLink)
	}
	return errs
}

// ScoreRange returns the lowest and highest score that a tally of m can have,
// in the unit that goals are written in.
func (m Metric) ScoreRange() (low, high float64) {
	switch m {
	case NPS:
		return -100, 100
	case CES, CES5:
		l, h := m.Scale()
		return float64(l), float64(h)
	case CSAT, Smiley, Thumbs:
		return 0, 100
	default:
		return 0, 0
	}
}

// SameSeries reports whether answers to old and t may be counted together:
// the metric is the same, and t asks in every language that old asks in, in the
// same words. A language may be added. One that is dropped ends the series:
// only old is known here, so a language that came back later with other words
// could not be told from a new one, and both would be counted together. This
// way a series has one wording in each language from its first day to its last.
func (t *Touchpoint) SameSeries(old *Touchpoint) bool {
	if t.Metric != old.Metric {
		return false
	}
	for l, was := range old.Question {
		if t.Question[l] != was {
			return false
		}
	}
	return true
}

// SegmentsOf returns the segments that a vote's attributes place it in,
// sorted, each "attribute=value".
func (t *Touchpoint) SegmentsOf(attrs map[string]string) []string {
	var out []string
	for a, values := range t.Segments {
		if v, ok := attrs[a]; ok && slices.Contains(values, v) {
			out = append(out, a+"="+v)
		}
	}
	slices.Sort(out)
	return out
}

func list[S ~string](all []S) string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = string(s)
	}
	return strings.Join(out, ", ")
}

// validLocale reports whether l is a language with an optional region, in
// the usual case of letters (BCP 47): fi, sv-FI.
func validLocale(l string) bool {
	lang, region, ok := strings.Cut(l, "-")
	return (len(lang) == 2 || len(lang) == 3) && within(lang, 'a', 'z') && (!ok || len(region) == 2 && within(region, 'A', 'Z'))
}

// within reports whether every byte of s is from low to high.
func within(s string, low, high byte) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < low || s[i] > high {
			return false
		}
	}
	return true
}

func notEventType(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && !('0' <= r && r <= '9') && r != '.' && r != '-' && r != '_'
}

// validOrigin reports whether o is an origin exactly as a browser sends it
// (RFC 6454, section 6.2), over TLS or on this very machine: in lower case,
// an international name in its ASCII form, without the scheme's own port. One
// that no browser sends would never match, and a wildcard is none.
func validOrigin(o string) bool {
	u, err := url.Parse(o)
	if err != nil || len(o) > MaxOrigin || o != u.Scheme+"://"+u.Host {
		return false
	}
	host := u.Hostname()
	if strings.HasPrefix(u.Host, "[") {
		// A browser writes an IPv6 address in its shortest form, as netip does.
		ip, err := netip.ParseAddr(host)
		if err != nil || !ip.Is6() || ip.Is4In6() || ip.String() != host {
			return false
		}
	} else if host == "" || strings.ContainsFunc(host, notHostName) {
		return false
	}
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	if port := u.Port(); port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || port != strconv.FormatUint(n, 10) || port == defaultPorts[u.Scheme] {
			return false
		}
	}
	return u.Scheme == "https" || u.Scheme == "http" && (host == "localhost" || host == "127.0.0.1" || host == "::1")
}

var defaultPorts = map[string]string{"https": "443", "http": "80"}

func notHostName(r rune) bool {
	return !('a' <= r && r <= 'z') && !('0' <= r && r <= '9') && r != '.' && r != '-' && r != '_'
}

func validColor(c string) bool {
	if len(c) != 7 || c[0] != '#' {
		return false
	}
	_, err := strconv.ParseUint(c[1:], 16, 32)
	return err == nil
}
