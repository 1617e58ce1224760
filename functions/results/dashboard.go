package results

import (
	"context"
	"net/http"
	"strings"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/web"
)

// Signin is where people sign in to the dashboard, by the authorization code
// flow with PKCE (RFC 7636). Its form is that of /dashboard/config.json.
type Signin struct {
	URL    string `json:"signin"` // below which the endpoints of Amazon Cognito are
	Client string `json:"client"`
	Scope  string `json:"scope"`
}

// signinScope asks for what the dashboard shows of who is signed in.
const signinScope = "openid email profile"

// root leads whoever types the bare address to the dashboard.
func (h *Handler) root(context.Context, *call) (apigw.Response, error) {
	return apigw.Response{StatusCode: http.StatusFound, Headers: map[string]string{"location": "/dashboard", "cache-control": "no-store"}}, nil
}

// dashboard answers with the dashboard's one document, whatever the address of
// the view in it, with what it loads, with the frame of its previews, and with
// where one signs in. None of it is a secret: what it shows comes by the API.
func (h *Handler) dashboard(_ context.Context, r *call) (apigw.Response, error) {
	path := r.Path("proxy")
	if path == "config.json" {
		config := h.Signin
		config.Scope = signinScope
		return apigw.JSON(http.StatusOK, config).Set("cache-control", "no-cache"), nil
	}
	if name, ok := strings.CutPrefix(path, "assets/"); ok {
		f, ok := web.DashboardAsset(name)
		if !ok {
			return apigw.Response{}, survey.Errorf(survey.NotFound, "path", "there is no such file")
		}
		return apigw.File(r.Request, f), nil
	}
	if path == "frame" {
		return apigw.File(r.Request, web.FramePage()).Set("content-security-policy", web.FramePolicy), nil
	}
	resp := apigw.File(r.Request, web.DashboardPage()).
		Set("content-security-policy", web.DashboardPolicy(h.Signin.URL)).
		Set("referrer-policy", "no-referrer")
	if r.RouteKey == "GET /s/{key}" {
		resp = resp.Set("x-robots-tag", "noindex")
	}
	return resp, nil
}
