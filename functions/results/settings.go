package results

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/revision"
	"github.com/pulssi/pulssi/shared/survey"
)

// Definitions keeps the definitions of touchpoints.
type Definitions interface {
	// Stored returns the definition in force, read consistently. The error is
	// [survey.NotFound] where there is none.
	Stored(ctx context.Context, id string) (*survey.Touchpoint, error)
	// PutTouchpoint makes t the definition in force, on condition that the one
	// it was made from still is: was, or none where was is nil. [Touchpoints]
	// has it at once. The error is [survey.Conflict] where it is not.
	PutTouchpoint(ctx context.Context, was, t *survey.Touchpoint) error
}

// definition is the answer to GET /api/touchpoints/{touchpoint}. The definition
// itself has no version and no series, like one of a touchpoints file.
type definition struct {
	Version    int                `json:"version"`
	Definition *survey.Touchpoint `json:"definition"`
}

func newDefinition(t *survey.Touchpoint) definition {
	declared := *t
	declared.Version, declared.Series = 0, 0
	return definition{t.Version, &declared}
}

// touchpointEffect is what a change does.
type touchpointEffect struct {
	Changes []fieldChange `json:"changes"`
	Series  seriesChange  `json:"series"`
	// Notes say in English what it does to those who are asked.
	Notes []string `json:"notes"`
}

type fieldChange struct {
	Field string `json:"field"`
	From  string `json:"from"` // as JSON; empty for none
	To    string `json:"to"`
}

type seriesChange struct {
	From int           `json:"from"` // 0 for a new touchpoint
	To   int           `json:"to"`
	Why  []seriesCause `json:"why"`
	// Words are all of it in English.
	Words string `json:"words"`
}

type seriesCause struct {
	What    string   `json:"what"`
	Locales []string `json:"locales"`
}

func newTouchpointEffect(r revision.Revision, notes []string) touchpointEffect {
	out := touchpointEffect{Changes: []fieldChange{}, Series: seriesChange{To: r.Becomes.Series, Why: []seriesCause{}, Words: r.Reason()}, Notes: append([]string{}, notes...)}
	if r.Was != nil {
		out.Series.From = r.Was.Series
	}
	for _, f := range r.Fields {
		out.Changes = append(out.Changes, fieldChange{f.Path, f.From, f.To})
	}
	for _, c := range r.Causes {
		out.Series.Why = append(out.Series.Why, seriesCause{c.What, append([]string{}, c.Locales...)})
	}
	return out
}

// touchpointPlan is the answer to POST /api/touchpoints/{touchpoint}/plan.
type touchpointPlan struct {
	touchpointEffect
	Problems []ruleBroken `json:"problems"`
}

type ruleBroken struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// changedTouchpoint is the answer to PUT /api/touchpoints/{touchpoint}.
type changedTouchpoint struct {
	definition
	touchpointEffect
}

func (h *Handler) showTouchpoint(ctx context.Context, r *call) (apigw.Response, error) {
	if _, err := onceEach(r.RawQueryString); err != nil {
		return apigw.Response{}, err
	}
	id := r.Path("touchpoint")
	if err := survey.CheckTouchpointID("touchpoint", id); err != nil {
		return apigw.Response{}, err
	}
	t, err := h.Definitions.Stored(ctx, id)
	if err != nil {
		return apigw.Response{}, err
	}
	if !r.who.Sees(id) {
		return apigw.Response{}, errNoTouchpoint()
	}
	return tagged(r, newDefinition(t)), nil
}

// proposedTouchpoint is a definition that somebody proposes for a touchpoint.
type proposedTouchpoint struct {
	revision revision.Revision
	// problems are the rules that it breaks, with which it cannot be stored.
	problems []*survey.Error
	notes    []string
}

// propose holds what a body proposes against the definition in force. The
// error is about the touchpoint's id, or a failure; what is wrong with the
// definition is among the problems.
func (h *Handler) propose(ctx context.Context, r *call, definition json.RawMessage, keep bool) (proposedTouchpoint, error) {
	id := r.Path("touchpoint")
	if err := survey.CheckTouchpointID("touchpoint", id); err != nil {
		return proposedTouchpoint{}, err
	}
	was, err := h.Definitions.Stored(ctx, id)
	if err != nil && survey.CodeOf(err) != survey.NotFound {
		return proposedTouchpoint{}, err
	}
	book, err := h.Rules.Rulebook(ctx)
	if err != nil {
		return proposedTouchpoint{}, err
	}
	t, problems := readDefinition(definition, id, book.Rules().Company)
	change, err := revision.New(was, t, keep)
	if err != nil {
		problems = append(problems, survey.Errorf(survey.Invalid, "keepSeries", "keepSeries must not be set: %v", err))
	}
	p := proposedTouchpoint{revision: change, problems: problems}
	if len(problems) == 0 {
		p.notes = revision.Notes(was, change.Becomes, book, book, h.Now())
	}
	return p, nil
}

func (h *Handler) planTouchpoint(ctx context.Context, r *call) (apigw.Response, error) {
	if _, err := onceEach(r.RawQueryString); err != nil {
		return apigw.Response{}, err
	}
	b, err := jsonBody(r)
	if err != nil {
		return apigw.Response{}, err
	}
	var in struct {
		Definition json.RawMessage `json:"definition"`
		KeepSeries bool            `json:"keepSeries"`
	}
	if err := apigw.DecodeJSON(b, &in); err != nil {
		return apigw.Response{}, err
	}
	p, err := h.propose(ctx, r, in.Definition, in.KeepSeries)
	if err != nil {
		return apigw.Response{}, err
	}
	out := touchpointPlan{touchpointEffect: newTouchpointEffect(p.revision, p.notes), Problems: []ruleBroken{}}
	for _, e := range p.problems {
		out.Problems = append(out.Problems, ruleBroken{e.Field, e.Message})
	}
	return apigw.JSON(http.StatusOK, out), nil
}

// putTouchpoint stores a definition where the one that it was made from is
// still in force.
func (h *Handler) putTouchpoint(ctx context.Context, r *call) (change, error) {
	if _, err := onceEach(r.RawQueryString); err != nil {
		return change{}, err
	}
	b, err := jsonBody(r)
	if err != nil {
		return change{}, err
	}
	var in struct {
		Version    *int            `json:"version"`
		Definition json.RawMessage `json:"definition"`
		KeepSeries bool            `json:"keepSeries"`
	}
	if err := apigw.DecodeJSON(b, &in); err != nil {
		return change{}, err
	}
	if in.Version == nil || *in.Version < 0 {
		return change{}, survey.Errorf(survey.Invalid, "version", "version must be that of the definition which is changed, or 0 for a new touchpoint")
	}
	p, err := h.propose(ctx, r, in.Definition, in.KeepSeries)
	if err != nil {
		return change{}, err
	}
	was, t := p.revision.Was, p.revision.Becomes
	switch {
	case was == nil && *in.Version != 0:
		return change{}, errNoTouchpoint()
	case was != nil && was.Version != *in.Version:
		return change{}, survey.Errorf(survey.Conflict, "version", "version must be %d, which is in force by now: read the touchpoint again", was.Version)
	case len(p.problems) > 0:
		return change{}, p.problems[0]
	}
	status := http.StatusOK
	if was == nil {
		status = http.StatusCreated
	}
	answer := apigw.JSON(status, changedTouchpoint{newDefinition(t), newTouchpointEffect(p.revision, p.notes)})
	if !p.revision.Writes() {
		return change{do: func(context.Context) (apigw.Response, error) { return answer, nil }}, nil
	}
	return change{action: survey.PutAction(was, t), subject: t.ID, before: was, after: t, do: func(ctx context.Context) (apigw.Response, error) {
		if err := h.Definitions.PutTouchpoint(ctx, was, t); err != nil {
			return apigw.Response{}, err
		}
		slog.InfoContext(ctx, "touchpoint changed", "request", r.RequestContext.RequestID, "by", r.who.ID,
			"touchpoint", t.ID, "version", t.Version, "series", t.Series)
		return answer, nil
	}}, nil
}

func errNoTouchpoint() error {
	return survey.Errorf(survey.NotFound, "touchpoint", "there is no such touchpoint")
}
