// Package apigw reads API Gateway v2 events (HTTP API, payload format 2.0)
// and writes the answers: decoding, limits, errors and CORS, once for all
// functions. Only the fields that Pulssi uses are decoded, which is what a
// small function spends its time on.
package apigw

import (
	"bytes"
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/pulssi/pulssi/shared/survey"
)

// MaxBody is the largest body of a request, in bytes after decoding.
const MaxBody = 16 << 10

// Request is an API Gateway v2 HTTP event. Header names are in lower case;
// a header sent twice arrives joined by commas, as the gateway does it.
type Request struct {
	RouteKey        string            `json:"routeKey"`
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Headers         map[string]string `json:"headers"`
	PathParameters  map[string]string `json:"pathParameters"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
	RequestContext  struct {
		DomainName string `json:"domainName"`
		RequestID  string `json:"requestId"`
		HTTP       struct {
			Method string `json:"method"`
		} `json:"http"`
		Authorizer struct {
			JWT struct {
				Claims map[string]string `json:"claims"`
			} `json:"jwt"`
		} `json:"authorizer"`
	} `json:"requestContext"`
}

// Claims returns what the token says of the caller, which the gateway's JWT
// authorizer has verified: each claim as a text, a list in brackets. Nil on a
// route without the authorizer.
func (r *Request) Claims() map[string]string { return r.RequestContext.Authorizer.JWT.Claims }

// Path returns a path parameter, decoded.
func (r *Request) Path(name string) string {
	v := r.PathParameters[name]
	if d, err := url.PathUnescape(v); err == nil {
		return d
	}
	return v
}

// Query returns the parameters of the query. A malformed part is left out.
func (r *Request) Query() url.Values {
	q, _ := url.ParseQuery(r.RawQueryString) // the well-formed part is returned beside the error
	return q
}

// Origin returns where the request's own host is reached: base where it is
// given (config.PublicURL), else https on the gateway's host, which is the public
// one only where no CDN stands in front.
func (r *Request) Origin(base string) string {
	if base != "" {
		return base
	}
	return "https://" + r.RequestContext.DomainName
}

// Raw returns the body, decoded, of whatever size. The error is
// [survey.Invalid] where the encoding is broken.
func (r *Request) Raw() ([]byte, error) {
	if !r.IsBase64Encoded {
		return []byte(r.Body), nil
	}
	b, err := base64.StdEncoding.DecodeString(r.Body)
	if err != nil {
		return nil, survey.Errorf(survey.Invalid, "body", "body is not readable")
	}
	return b, nil
}

// Bytes returns the body, decoded. The error is [survey.TooLarge] over
// [MaxBody] and [survey.Invalid] where the encoding is broken.
func (r *Request) Bytes() ([]byte, error) {
	b, err := r.Raw()
	if err != nil {
		return nil, err
	}
	return b, limit(len(b))
}

// Form returns the fields of a body that is a form, as [DecodeForm] reads
// them. A form writes most bytes as three, "%C3": what counts against
// [MaxBody] is what they stand for, or a comment of the longest length allowed
// would fit in some alphabets only.
func (r *Request) Form(known ...string) (url.Values, error) {
	b, err := r.Raw()
	if err == nil {
		err = limit(len(b) - 2*bytes.Count(b, []byte("%")))
	}
	if err != nil {
		return nil, err
	}
	return DecodeForm(b, known...)
}

func limit(size int) error {
	if size > MaxBody {
		return survey.Errorf(survey.TooLarge, "body", "body must be at most %d bytes", MaxBody)
	}
	return nil
}

// ContentType returns the media type of the body in lower case, without its
// parameters; "" where there is none or it is malformed.
func (r *Request) ContentType() string {
	t, _, err := mime.ParseMediaType(r.Headers["content-type"])
	if err != nil {
		return ""
	}
	return t
}

// WantsHTML reports whether the client prefers a page to JSON (RFC 9110,
// Accept): a browser following a link or sending a form does.
func (r *Request) WantsHTML() bool {
	html, json := 0.0, 0.0
	for part := range strings.SplitSeq(r.Headers["accept"], ",") {
		t, q := weighed(part)
		switch t {
		case "text/html", "application/xhtml+xml":
			html = max(html, q)
		case "application/json":
			json = max(json, q)
		}
	}
	return html > 0 && html >= json
}

// Locale returns the first of available, in the order of the client's
// Accept-Language (RFC 9110), that it accepts by language; "" where it accepts
// none of them.
func (r *Request) Locale(available []string) string {
	type wish struct {
		lang string
		q    float64
	}
	var wishes []wish
	for part := range strings.SplitSeq(r.Headers["accept-language"], ",") {
		if t, q := weighed(part); t != "" && q > 0 {
			wishes = append(wishes, wish{t, q})
		}
	}
	slices.SortStableFunc(wishes, func(a, b wish) int {
		switch {
		case a.q > b.q:
			return -1
		case a.q < b.q:
			return 1
		}
		return 0
	})
	for _, w := range wishes {
		for _, l := range available {
			if survey.Language(strings.ToLower(l)) == survey.Language(w.lang) {
				return l
			}
		}
	}
	return ""
}

// weighed splits one part of an Accept header into its value in lower case
// and its weight, which is 1 where none is given and 0 where it is malformed.
func weighed(part string) (value string, q float64) {
	value, params, _ := strings.Cut(part, ";")
	q = 1
	if _, w, ok := strings.Cut(params, "q="); ok {
		var err error
		if q, err = strconv.ParseFloat(strings.TrimSpace(w), 64); err != nil || q < 0 || q > 1 {
			q = 0
		}
	}
	return strings.ToLower(strings.TrimSpace(value)), q
}

// Response is what the gateway sends back.
type Response struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers,omitempty"`
	Body            string            `json:"body,omitempty"`
	IsBase64Encoded bool              `json:"isBase64Encoded,omitempty"`
}

// Set sets a header, by its name in lower case, and returns the response.
func (p Response) Set(name, value string) Response {
	if p.Headers == nil {
		p.Headers = map[string]string{}
	}
	p.Headers[name] = value
	return p
}

// HTML returns a page. It may be stored by nobody: it is about one person.
func HTML(status int, body string) Response {
	return Response{StatusCode: status, Body: body, Headers: map[string]string{
		"content-type":  "text/html; charset=utf-8",
		"cache-control": "no-store",
	}}
}

// IfNoneMatch returns resp, a 200 with an etag, or 304 in its place where the
// client has it already: where If-None-Match is "*" or has the etag, by the
// weak comparison (RFC 9110, 13.1.2). The headers stay, but for those of the
// body.
func IfNoneMatch(r *Request, resp Response) Response {
	for tag := range strings.SplitSeq(r.Headers["if-none-match"], ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == resp.Headers["etag"] {
			resp.StatusCode, resp.Body, resp.IsBase64Encoded = http.StatusNotModified, "", false
			for _, name := range []string{"content-type", "content-encoding", "x-content-type-options"} {
				delete(resp.Headers, name)
			}
			return resp
		}
	}
	return resp
}
