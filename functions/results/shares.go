package results

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
)

// Shares keeps the shared views.
type Shares interface {
	// Shares returns all of them, expired ones too, in no order.
	Shares(ctx context.Context) ([]survey.Share, error)
	// Share returns the one with an id, which may have expired. The error is
	// [survey.NotFound] where there is none.
	Share(ctx context.Context, id string) (survey.Share, error)
	// AddShare stores a new one. The error is [survey.Conflict] where there are
	// too many already.
	AddShare(ctx context.Context, v survey.Share) error
	// DeleteShare revokes one. The error is [survey.NotFound] where there is
	// none.
	DeleteShare(ctx context.Context, id string) error
}

// share is one in an answer.
type share struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`
	View     survey.View `json:"view"`
	Comments bool        `json:"comments"`
	Expires  *string     `json:"expires"` // null for no end
	By       string      `json:"by"`
	At       time.Time   `json:"at"`
}

func newShare(s survey.Share) share {
	return share{ID: s.ID, Name: s.Name, View: s.View, Comments: s.Comments, Expires: ending(s), By: s.By, At: s.At.UTC()}
}

// ending is the last day of a share in an answer, null for none.
func ending(s survey.Share) *string {
	if s.Expires == "" {
		return nil
	}
	return &s.Expires
}

// newlyShared is the answer to POST /api/shares: the key is told this once.
type newlyShared struct {
	share
	Key  string `json:"key"`
	Path string `json:"path"`
}

// shareList is the answer to GET /api/shares.
type shareList struct {
	Shares []share `json:"shares"` // the newest first
}

func (h *Handler) listShares(ctx context.Context, r *call) (apigw.Response, error) {
	if _, err := onceEach(r.RawQueryString); err != nil {
		return apigw.Response{}, err
	}
	all, err := h.Shares.Shares(ctx)
	if err != nil {
		return apigw.Response{}, err
	}
	slices.SortFunc(all, func(a, b survey.Share) int { return cmp.Or(b.At.Compare(a.At), strings.Compare(a.ID, b.ID)) })
	out := shareList{Shares: make([]share, 0, len(all))}
	for _, s := range all {
		out.Shares = append(out.Shares, newShare(s))
	}
	return tagged(r, out), nil
}

// addShare makes a shared view. Its key is random, and kept by nobody but whom
// it is told.
func (h *Handler) addShare(ctx context.Context, r *call) (change, error) {
	if _, err := onceEach(r.RawQueryString); err != nil {
		return change{}, err
	}
	b, err := jsonBody(r)
	if err != nil {
		return change{}, err
	}
	s, err := decodeShare(b)
	if err != nil {
		return change{}, err
	}
	if err := s.Check(h.today()); err != nil {
		return change{}, err
	}
	if err := h.checkView(ctx, r, s.View); err != nil {
		return change{}, within("view", err)
	}
	key := survey.NewID()
	s.ID, s.By, s.At = survey.ShareID(key), r.who.ID, h.Now().UTC().Truncate(time.Millisecond)
	return change{action: survey.ShareAdd, subject: s.ID, after: newLoggedShare(s), do: func(ctx context.Context) (apigw.Response, error) {
		if err := h.Shares.AddShare(ctx, s); err != nil {
			return apigw.Response{}, err
		}
		return apigw.JSON(http.StatusCreated, newlyShared{newShare(s), key, "/s/" + key}), nil
	}}, nil
}

// loggedShare is a share in the audit log: its name may be somebody's, and stands
// as how long it is. Its key is not known here.
type loggedShare struct {
	share
	Name int `json:"name"` // characters
}

func newLoggedShare(s survey.Share) loggedShare {
	return loggedShare{newShare(s), utf8.RuneCountInString(s.Name)}
}

// decodeShare reads a body that makes a shared view. The errors are those of
// [apigw.DecodeJSON], in the view with its path: "view.page".
func decodeShare(b []byte) (survey.Share, error) {
	var in struct {
		Name     string          `json:"name"`
		View     json.RawMessage `json:"view"`
		Comments bool            `json:"comments"`
		Expires  string          `json:"expires"`
	}
	if err := apigw.DecodeJSON(b, &in); err != nil {
		return survey.Share{}, err
	}
	var view struct {
		Page       survey.Page `json:"page"`
		Touchpoint string      `json:"touchpoint"`
		Last       int         `json:"last"`
		From       string      `json:"from"`
		To         string      `json:"to"`
		By         string      `json:"by"`
		Channel    string      `json:"channel"`
		Segment    string      `json:"segment"`
	}
	if err := apigw.DecodeJSON(in.View, &view); err != nil {
		return survey.Share{}, within("view", err)
	}
	return survey.Share{Name: strings.TrimSpace(in.Name), View: survey.View(view), Comments: in.Comments, Expires: in.Expires}, nil
}

// within returns an error of a part of the body, named, as one of the body.
func within(part string, err error) error {
	e, ok := errors.AsType[*survey.Error](err)
	if !ok {
		return err
	}
	out := *e
	switch rule, named := strings.CutPrefix(e.Message, e.Field+" "); {
	case e.Field == "body": // the part is no object
		out.Field, out.Message = part, part+" "+rule
	case named:
		out.Field = part + "." + e.Field
		out.Message = out.Field + " " + rule
	default:
		out.Field = part + "." + e.Field
	}
	return &out
}

// parameters returns what is asked of the results for a view on a day: those of
// a request.
func parameters(v survey.View, today time.Time) string {
	q := url.Values{}
	for name, value := range map[string]string{"from": v.From, "to": v.To, "by": v.By, "channel": v.Channel, "segment": v.Segment} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if v.Last != 0 {
		q.Set("from", month.start(today).AddDate(0, 1-v.Last, 0).Format(dateFormat))
		q.Set("to", today.AddDate(0, 0, 1).Format(dateFormat))
	}
	return q.Encode()
}

// checkView returns what is wrong with the question of a view, on the parameter
// that breaks a rule. A range that moves on is longest on the last day of a
// month.
func (h *Handler) checkView(ctx context.Context, r *call, v survey.View) error {
	end := month.next(month.start(h.today())).AddDate(0, 0, -1)
	if v.Page == survey.OverviewPage {
		_, err := parseOverview(parameters(v, end), end)
		return err
	}
	if _, err := h.touchpoint(ctx, r, v.Touchpoint); err != nil {
		return err
	}
	_, err := parseQuery(parameters(v, end), end)
	return err
}

func (h *Handler) deleteShare(ctx context.Context, r *call) (change, error) {
	id, err := onlyID(r)
	if err != nil {
		return change{}, err
	}
	was, err := h.Shares.Share(ctx, id)
	if err != nil {
		return change{}, err
	}
	return change{action: survey.ShareDelete, subject: id, before: newLoggedShare(was), do: func(ctx context.Context) (apigw.Response, error) {
		if err := h.Shares.DeleteShare(ctx, id); err != nil {
			return apigw.Response{}, err
		}
		return apigw.Response{StatusCode: http.StatusNoContent}, nil
	}}, nil
}
