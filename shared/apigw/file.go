package apigw

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/pulssi/pulssi/shared/web"
)

// File returns a file of package web, compressed where the client takes that,
// or a 304 where it has it already. The headers may be added to.
func File(r *Request, f *web.File) Response {
	resp := Response{StatusCode: http.StatusOK, Headers: map[string]string{
		"content-type":           f.Type,
		"cache-control":          f.CacheControl,
		"x-content-type-options": "nosniff",
		"vary":                   "accept-encoding",
		"etag":                   f.ETag,
	}, Body: string(f.Body)}
	if r.TakesGzip() {
		resp.Headers["content-encoding"], resp.Headers["etag"] = "gzip", f.GzipETag
		resp.Body, resp.IsBase64Encoded = base64.StdEncoding.EncodeToString(f.Gzip), true
	}
	return IfNoneMatch(r, resp)
}

// TakesGzip reports whether the client's Accept-Encoding names gzip and does
// not refuse it by weight 0.
func (r *Request) TakesGzip() bool {
	for part := range strings.SplitSeq(r.Headers["accept-encoding"], ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.Trim(strings.TrimSpace(weight), "q=0.") != "" || weight == ""
		}
	}
	return false
}
