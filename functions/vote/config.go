package vote

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/popup"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/web"
)

// Parts of a config that the popup asks for: whether it may show, before it
// knows that it will; and what it shows, in one language, when it is about to.
const (
	partWhen = "when"
	partShow = "show"
)

// config answers GET /w/{touchpoint}.json.
//
// With part=when it answers 200 even where the popup may not show, with the
// reason: a page asks that of every visitor, and a refusal would stand in the
// console of a page that has nothing to do with it.
//
// Nothing but path, part, locale and the headers Accept-Encoding and Origin makes
// another answer, so that a CDN may keep one for each of these.
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
		w := popup.When{}
		if e, ok := errors.AsType[*survey.Error](err); ok {
			w.Off = e.Message
		} else if err != nil {
			return apigw.Response{}, err
		} else {
			w = popup.WhenOf(t)
		}
		return cacheable(r, w).Set("vary", "accept-encoding, origin"), nil
	case partShow:
		if err != nil {
			return apigw.Response{}, err
		}
		return cacheable(r, popup.ShowOf(t, q.Get("locale"))), nil
	case "":
		if err != nil {
			return apigw.Response{}, err
		}
		return cacheable(r, popup.ConfigOf(t)), nil
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

// cacheable returns v as JSON that may be kept for a minute, as long as the
// catalog keeps a touchpoint, and 304 where the client has the same.
func cacheable(r *apigw.Request, v any) apigw.Response {
	b, err := json.Marshal(v)
	if err != nil {
		panic("vote: a config that is no JSON: " + err.Error()) // a type of ours, never data
	}
	resp := apigw.Response{StatusCode: http.StatusOK, Body: string(b), Headers: map[string]string{
		"content-type":  "application/json",
		"cache-control": "public, max-age=60",
		"vary":          "accept-encoding",
		"etag":          web.ETag(b),
	}}
	if r.TakesGzip() {
		z := web.Gzip(b)
		resp.Headers["content-encoding"], resp.Headers["etag"] = "gzip", web.ETag(z)
		resp.Body, resp.IsBase64Encoded = base64.StdEncoding.EncodeToString(z), true
	}
	return apigw.IfNoneMatch(r, resp)
}
