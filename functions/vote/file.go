package vote

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/web"
)

// file answers GET of a file of the popup, compressed where the client takes
// that. Pages of every origin may load it.
func file(ctx context.Context, r *apigw.Request) apigw.Response {
	f, ok := web.Widget(r.Path("file"))
	if !ok {
		return apigw.Error(ctx, r, survey.Errorf(survey.NotFound, "file", "there is no such file"))
	}
	resp := apigw.Response{StatusCode: http.StatusOK, Headers: map[string]string{
		"content-type":                 f.Type,
		"cache-control":                f.CacheControl,
		"access-control-allow-origin":  "*",
		"cross-origin-resource-policy": "cross-origin",
		"x-content-type-options":       "nosniff",
		"vary":                         "accept-encoding",
		"etag":                         f.ETag,
	}, Body: string(f.Body)}
	if takesGzip(r.Headers["accept-encoding"]) {
		resp.Headers["content-encoding"], resp.Headers["etag"] = "gzip", f.GzipETag
		resp.Body, resp.IsBase64Encoded = base64.StdEncoding.EncodeToString(f.Gzip), true
	}
	return apigw.IfNoneMatch(r, resp)
}

// takesGzip reports whether an Accept-Encoding header names gzip and does not
// refuse it by weight 0.
func takesGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.Trim(strings.TrimSpace(weight), "q=0.") != "" || weight == ""
		}
	}
	return false
}
