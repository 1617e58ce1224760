package results

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/signin"
	"github.com/pulssi/pulssi/shared/survey"
)

// Annotations keeps the dated marks on the timeline.
type Annotations interface {
	// Annotations returns all of them, in no order.
	Annotations(ctx context.Context) ([]survey.Annotation, error)
	// AddAnnotation stores a new one as version 1. The error is
	// [survey.Conflict] where there are too many already.
	AddAnnotation(ctx context.Context, a survey.Annotation) error
	// ChangeAnnotation changes one, all or nothing. change may be called again
	// where somebody else writes meanwhile. The errors are [survey.NotFound],
	// [survey.Conflict] on the version, and change's own.
	ChangeAnnotation(ctx context.Context, id string, version int, change func(*survey.Annotation) error) (survey.Annotation, error)
	// DeleteAnnotation deletes one. The error is [survey.NotFound] where there
	// is none.
	DeleteAnnotation(ctx context.Context, id string) error
}

// annotation is one in an answer.
type annotation struct {
	ID         string    `json:"id"`
	Touchpoint *string   `json:"touchpoint"` // null for all
	Date       string    `json:"date"`
	Text       string    `json:"text"`
	By         string    `json:"by"`
	At         time.Time `json:"at"`
	Version    int       `json:"version"`
}

func newAnnotation(a survey.Annotation) annotation {
	out := annotation{ID: a.ID, Date: a.Date, Text: a.Text, By: a.By, At: a.At.UTC(), Version: a.Version}
	if a.Touchpoint != "" {
		out.Touchpoint = &a.Touchpoint
	}
	return out
}

// annotationList is the answer to GET /api/annotations.
type annotationList struct {
	Annotations []annotation `json:"annotations"` // the oldest date first
}

// annotations returns the marks that somebody may see, of one touchpoint and of all
// where touchpoint is not "", the oldest date first. The marks of all
// touchpoints are for everybody.
func (h *Handler) annotations(ctx context.Context, who signin.Who, touchpoint string) ([]survey.Annotation, error) {
	all, err := h.Annotations.Annotations(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(a survey.Annotation) bool {
		return a.Touchpoint != "" && (!who.Sees(a.Touchpoint) || touchpoint != "" && touchpoint != a.Touchpoint)
	})
	slices.SortFunc(all, func(a, b survey.Annotation) int {
		return cmp.Or(strings.Compare(a.Date, b.Date), a.At.Compare(b.At), strings.Compare(a.ID, b.ID))
	})
	return all, nil
}

// annotationsIn returns the marks of a touchpoint, and of all, within a range of
// days, as an answer has them.
func (h *Handler) annotationsIn(ctx context.Context, who signin.Who, touchpoint string, in span) ([]annotation, error) {
	all, err := h.annotations(ctx, who, touchpoint)
	if err != nil {
		return nil, err
	}
	out := []annotation{}
	for _, a := range all {
		if in.from.Format(dateFormat) <= a.Date && a.Date < in.to.Format(dateFormat) {
			out = append(out, newAnnotation(a))
		}
	}
	return out, nil
}

func (h *Handler) listAnnotations(ctx context.Context, r *call) (apigw.Response, error) {
	q, err := onceEach(r.RawQueryString, "touchpoint")
	if err != nil {
		return apigw.Response{}, err
	}
	touchpoint := ""
	if q.Has("touchpoint") {
		t, err := h.touchpoint(ctx, r, q.Get("touchpoint"))
		if err != nil {
			return apigw.Response{}, err
		}
		touchpoint = t.ID
	}
	all, err := h.annotations(ctx, r.who, touchpoint)
	if err != nil {
		return apigw.Response{}, err
	}
	out := annotationList{Annotations: make([]annotation, 0, len(all))}
	for _, a := range all {
		out.Annotations = append(out.Annotations, newAnnotation(a))
	}
	return tagged(r, out), nil
}

// mark is a body that adds or changes an annotation.
type mark struct {
	told    survey.Annotation
	given   map[string]json.RawMessage // the fields that the body has, among them those that are null
	version int                        // of the annotation to change, 0 for any
}

// decodeMark reads the body. The errors are those of [apigw.DecodeJSON], and
// [survey.Invalid] on the version.
func decodeMark(b []byte) (mark, error) {
	var in struct {
		Version    *int   `json:"version"`
		Touchpoint string `json:"touchpoint"`
		Date       string `json:"date"`
		Text       string `json:"text"`
	}
	if err := apigw.DecodeJSON(b, &in); err != nil {
		return mark{}, err
	}
	m := mark{told: survey.Annotation{Touchpoint: in.Touchpoint, Date: in.Date, Text: strings.TrimSpace(in.Text)}}
	if err := json.Unmarshal(b, &m.given); err != nil {
		return mark{}, fmt.Errorf("reading the fields of a body: %w", err)
	}
	if in.Version != nil {
		if m.version = *in.Version; m.version < 1 {
			return mark{}, survey.Errorf(survey.Invalid, "version", "version must be a whole number from 1")
		}
	}
	return m, nil
}

// change does to an annotation what the body says: a field that it has is
// replaced. The errors are those of [survey.Annotation.Check].
func (m *mark) change(a *survey.Annotation) error {
	for name, f := range map[string]struct {
		to *string
		v  string
	}{"touchpoint": {&a.Touchpoint, m.told.Touchpoint}, "date": {&a.Date, m.told.Date}, "text": {&a.Text, m.told.Text}} {
		if _, given := m.given[name]; given {
			*f.to = f.v
		}
	}
	return a.Check()
}

// readMark reads the body of a request that has no parameters. A touchpoint in
// it must exist.
func (h *Handler) readMark(ctx context.Context, r *call) (mark, error) {
	b, err := jsonBody(r)
	if err != nil {
		return mark{}, err
	}
	m, err := decodeMark(b)
	if err == nil && m.told.Touchpoint != "" {
		_, err = h.touchpoint(ctx, r, m.told.Touchpoint)
	}
	return m, err
}

func (h *Handler) addAnnotation(ctx context.Context, r *call) (change, error) {
	if _, err := onceEach(r.RawQueryString); err != nil {
		return change{}, err
	}
	m, err := h.readMark(ctx, r)
	if err != nil {
		return change{}, err
	}
	if _, given := m.given["version"]; given {
		return change{}, survey.Errorf(survey.UnknownField, "version", "version is not a field of this request")
	}
	a := m.told
	if err := a.Check(); err != nil {
		return change{}, err
	}
	a.ID, a.Version, a.By, a.At = survey.NewID(), 1, r.who.ID, h.Now().UTC().Truncate(time.Millisecond)
	return change{action: survey.AnnotationAdd, subject: a.ID, after: newLoggedAnnotation(a), do: func(ctx context.Context) (apigw.Response, error) {
		if err := h.Annotations.AddAnnotation(ctx, a); err != nil {
			return apigw.Response{}, err
		}
		return apigw.JSON(http.StatusCreated, newAnnotation(a)), nil
	}}, nil
}

// changeAnnotation changes the version that it has read, so that the log has
// what it was before.
func (h *Handler) changeAnnotation(ctx context.Context, r *call) (change, error) {
	id, err := onlyID(r)
	if err != nil {
		return change{}, err
	}
	m, err := h.readMark(ctx, r)
	if err != nil {
		return change{}, err
	}
	was, err := h.annotation(ctx, r)
	if err != nil {
		return change{}, err
	}
	is := was
	if err := m.change(&is); err != nil {
		return change{}, err
	}
	c := change{again: m.version == 0, do: func(ctx context.Context) (apigw.Response, error) {
		a, err := h.Annotations.ChangeAnnotation(ctx, id, cmp.Or(m.version, was.Version), m.change)
		if err != nil {
			return apigw.Response{}, err
		}
		return apigw.JSON(http.StatusOK, newAnnotation(a)), nil
	}}
	if is != was {
		is.Version++
		c.action, c.subject, c.before, c.after = survey.AnnotationChange, id, newLoggedAnnotation(was), newLoggedAnnotation(is)
	}
	return c, nil
}

func (h *Handler) deleteAnnotation(ctx context.Context, r *call) (change, error) {
	id, err := onlyID(r)
	if err != nil {
		return change{}, err
	}
	was, err := h.annotation(ctx, r)
	if err != nil {
		return change{}, err
	}
	return change{action: survey.AnnotationDelete, subject: id, before: newLoggedAnnotation(was), do: func(ctx context.Context) (apigw.Response, error) {
		if err := h.Annotations.DeleteAnnotation(ctx, id); err != nil {
			return apigw.Response{}, err
		}
		return apigw.Response{StatusCode: http.StatusNoContent}, nil
	}}, nil
}

// loggedAnnotation is an annotation in the audit log: its text may name somebody,
// and stands as how long it is. Where that is the same, the version tells that
// the text is another.
type loggedAnnotation struct {
	annotation
	Text int `json:"text"` // characters
}

func newLoggedAnnotation(a survey.Annotation) loggedAnnotation {
	return loggedAnnotation{newAnnotation(a), utf8.RuneCountInString(a.Text)}
}

// Limits of the days that an effect is looked for in, on either side.
const (
	usualEffectDays = 28
	minEffectDays   = 7
	maxEffectDays   = 365
)

// beforeAfter is the answer to GET /api/annotations/{id}/effect.
type beforeAfter struct {
	Annotation annotation    `json:"annotation"`
	Touchpoint string        `json:"touchpoint"`
	Metric     survey.Metric `json:"metric"`
	Series     int           `json:"series"`
	Channel    string        `json:"channel,omitempty"` // where asked for
	Segment    string        `json:"segment,omitempty"` // where asked for
	Days       int           `json:"days"`              // on either side, fewer than asked for where the date is not so long ago
	Before     period        `json:"before"`
	After      period        `json:"after"`
	Difference *difference   `json:"difference"` // null where a side has no answer
}

// annotationEffect holds the days from an annotation's date on against as many
// before. Only answers of the touchpoint's current series are looked at: where
// it began between, the days before that are empty, and answers to another
// question are never held against these.
func (h *Handler) annotationEffect(ctx context.Context, r *call) (apigw.Response, error) {
	values, err := onceEach(r.RawQueryString, "touchpoint", "days", "channel", "segment")
	if err != nil {
		return apigw.Response{}, err
	}
	a, err := h.annotation(ctx, r)
	if err != nil {
		return apigw.Response{}, err
	}
	id := a.Touchpoint
	if values.Has("touchpoint") {
		id = values.Get("touchpoint")
	} else if id == "" {
		return apigw.Response{}, survey.Errorf(survey.Invalid, "touchpoint", "touchpoint must be there, as the annotation is of all")
	}
	t, err := h.touchpoint(ctx, r, id)
	if err != nil {
		return apigw.Response{}, err
	}
	if a.Touchpoint != "" && a.Touchpoint != id {
		return apigw.Response{}, survey.Errorf(survey.Invalid, "touchpoint", "touchpoint must be that of the annotation, %s", a.Touchpoint)
	}
	days := usualEffectDays
	if values.Has("days") {
		if days, err = parseNumber("days", values.Get("days"), minEffectDays, maxEffectDays); err != nil {
			return apigw.Response{}, err
		}
	}
	g, err := parseGroup(values)
	if err != nil {
		return apigw.Response{}, err
	}
	if g, err = r.group(g); err != nil {
		return apigw.Response{}, err
	}
	date, err := parseDate("date", a.Date)
	if err != nil {
		return apigw.Response{}, err
	}
	past := span{date, h.today().AddDate(0, 0, 1)}
	days = max(0, min(days, past.days()))
	before := part{seriesOf(t), day, span{date.AddDate(0, 0, -days), date}}
	after := part{seriesOf(t), day, span{date, date.AddDate(0, 0, days)}}
	c, err := h.read(ctx, []part{before, after})
	if err != nil {
		return apigw.Response{}, err
	}
	if err := c.know(r.who, g); err != nil {
		return apigw.Response{}, err
	}
	was, is := c.sum(before)[g], c.sum(after)[g]
	out := beforeAfter{
		Annotation: newAnnotation(a), Touchpoint: t.ID, Metric: t.Metric, Series: t.Series, Days: days,
		Before: newPeriod(t, before.span, was), After: newPeriod(t, after.span, is), Difference: compared(t, was, is),
	}
	channel, _ := g.Channel()
	out.Channel = string(channel)
	out.Segment, _ = g.Segment()
	return tagged(r, out), nil
}

// annotation returns the mark that is named in the path, among those that r may
// see. The errors are [survey.Invalid] and [survey.NotFound].
func (h *Handler) annotation(ctx context.Context, r *call) (survey.Annotation, error) {
	id := r.Path("id")
	if err := survey.CheckID("id", id); err != nil {
		return survey.Annotation{}, err
	}
	all, err := h.annotations(ctx, r.who, "")
	if err != nil {
		return survey.Annotation{}, err
	}
	i := slices.IndexFunc(all, func(a survey.Annotation) bool { return a.ID == id })
	if i < 0 {
		return survey.Annotation{}, survey.Errorf(survey.NotFound, "annotation", "there is no such annotation")
	}
	return all[i], nil
}
