// Package local is an HTTP API (API Gateway v2) on this machine: it turns each
// HTTP request into the event that the gateway would send, payload format 2.0,
// and the function's response into an HTTP response. Functions cannot tell it
// from the real one.
//
// What it does not imitate: a CDN in front, throttling, CORS configured in the
// gateway, stages, mapping of parameters, access logs.
package local

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pulssi/pulssi/shared/topology"
)

// maxPayload is the gateway's limit of a request's body (Amazon API Gateway
// quotas, HTTP API, payload size).
const maxPayload = 10 << 20

// Invoke calls a function with an event and returns its answer, both JSON.
type Invoke func(ctx context.Context, event []byte) ([]byte, error)

// Invoke calls f, which makes it a handler as package lambda has them.
func (f Invoke) Invoke(ctx context.Context, event []byte) ([]byte, error) { return f(ctx, event) }

// Function makes an [Invoke] of a handler, through JSON both ways as Lambda
// does it. Invocations may run side by side, which those of lambda.NewHandler
// may not: they return a buffer that the next one writes into (aws-lambda-go
// v1.55.1, handler.go, jsonOutBuffer), as Lambda runs one at a time.
func Function[In, Out any](handle func(context.Context, In) (Out, error)) Invoke {
	return func(ctx context.Context, event []byte) ([]byte, error) {
		var in In
		if err := json.Unmarshal(event, &in); err != nil {
			return nil, fmt.Errorf("reading the event: %w", err)
		}
		out, err := handle(ctx, in)
		if err != nil {
			return nil, err
		}
		return json.Marshal(out)
	}
}

// Authorizer verifies who makes a request to a route that is for those who have
// signed in, as a JWT authorizer does, and returns the claims as the gateway
// passes them on: each as a text, a list as "[a b]". An error is answered with
// 401 {"message":"Unauthorized"}.
type Authorizer func(r *http.Request) (map[string]string, error)

// API serves routes by the functions behind them. It is safe for concurrent
// use.
type API struct {
	// Authorize guards the routes that are [topology.Route.SignedIn]; where it
	// is nil, they are answered without claims.
	Authorize Authorizer

	routes    []route
	functions map[topology.Function]Invoke
	now       func() time.Time
}

type route struct {
	topology.Route
	segments []string
}

// New returns an API of those routes whose function is among functions.
func New(routes []topology.Route, functions map[topology.Function]Invoke, now func() time.Time) *API {
	a := &API{functions: functions, now: now}
	for _, r := range routes {
		if functions[r.Function] != nil {
			a.routes = append(a.routes, route{r, strings.Split(r.Path, "/")})
		}
	}
	return a
}

// ServeHTTP answers a request as the gateway would: 404 {"message":"Not
// Found"} where no route fits, 401 where [API.Authorize] refuses, 413 over 10 MB, and 500 {"message":"Internal
// Server Error"} where the function fails, which is logged.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	match, params := a.match(r.Method, r.URL)
	if match == nil {
		fail(w, http.StatusNotFound, "Not Found")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			fail(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		}
		return // the client is gone
	}
	e := a.event(match, params, r, body)
	if a.Authorize != nil && match.SignedIn() {
		claims, err := a.Authorize(r)
		if err != nil {
			w.Header().Set("Www-Authenticate", "Bearer")
			fail(w, http.StatusUnauthorized, "Unauthorized")
			return
		}
		e.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
			JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims},
		}
	}
	event, err := json.Marshal(e)
	if err != nil {
		panic("local: an event that is no JSON: " + err.Error()) // a type of AWS's, never data
	}
	answer, err := a.functions[match.Function](r.Context(), event)
	var resp events.APIGatewayV2HTTPResponse
	if err == nil {
		err = json.Unmarshal(answer, &resp)
	}
	if err != nil {
		slog.ErrorContext(r.Context(), "function failed", "function", match.Function, "error", err.Error())
		fail(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	out := []byte(resp.Body)
	if resp.IsBase64Encoded {
		if out, err = base64.StdEncoding.DecodeString(resp.Body); err != nil {
			fail(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
	}
	for name, v := range resp.Headers {
		w.Header().Set(name, v)
	}
	for _, c := range resp.Cookies {
		w.Header().Add("Set-Cookie", c)
	}
	if w.Header().Get("Content-Type") == "" && len(out) > 0 {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(out) // a client that is gone needs no answer
}

func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message}) // a client that is gone needs no answer
}

// Serves reports whether there is a route for the request.
func (a *API) Serves(r *http.Request) bool {
	match, _ := a.match(r.Method, r.URL)
	return match != nil
}

// match returns the route of a request and its parameters: the route with the
// most literal segments, as the gateway picks it.
func (a *API) match(method string, u *url.URL) (*route, map[string]string) {
	segments := strings.Split(u.EscapedPath(), "/")
	var best *route
	var params map[string]string
	most := -1
	for i := range a.routes {
		rt := &a.routes[i]
		last := len(rt.segments) - 1
		greedy := strings.HasSuffix(rt.segments[last], "+}")
		if rt.Method != method || len(rt.segments) != len(segments) && !(greedy && len(rt.segments) < len(segments)) {
			continue
		}
		p, literal, ok := map[string]string{}, 0, true
		if greedy {
			rest := strings.Join(segments[last:], "/")
			if v, err := url.PathUnescape(rest); err == nil {
				rest = v
			}
			p[strings.Trim(rt.segments[last], "{+}")], ok = rest, rest != ""
		}
		for j, want := range rt.segments {
			if greedy && j == last {
				break
			}
			name, isParam := strings.CutPrefix(want, "{")
			switch {
			case isParam && segments[j] != "":
				v, err := url.PathUnescape(segments[j])
				if err != nil {
					v = segments[j]
				}
				p[strings.TrimSuffix(name, "}")] = v
			case want == segments[j]:
				literal++
			default:
				ok = false
			}
		}
		if ok && literal > most {
			best, params, most = rt, p, literal
		}
	}
	return best, params
}

func (a *API) event(rt *route, params map[string]string, r *http.Request, body []byte) events.APIGatewayV2HTTPRequest {
	now := a.now()
	sourceIP, _, _ := net.SplitHostPort(r.RemoteAddr) // "" where there is none
	headers := map[string]string{"host": r.Host, "x-forwarded-proto": "http"}
	for name, values := range r.Header {
		if name != "Cookie" {
			headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	if r.ContentLength > 0 {
		headers["content-length"] = fmt.Sprint(r.ContentLength)
	}
	var cookies []string
	for _, line := range r.Header.Values("Cookie") {
		cookies = append(cookies, strings.Split(line, "; ")...)
	}
	query := map[string]string{}
	values := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		query[name] = strings.Join(values[name], ",")
	}
	key := rt.Method + " " + rt.Path
	e := events.APIGatewayV2HTTPRequest{
		Version:               "2.0",
		RouteKey:              key,
		RawPath:               r.URL.Path,
		RawQueryString:        r.URL.RawQuery,
		Cookies:               cookies,
		Headers:               headers,
		QueryStringParameters: query,
		PathParameters:        params,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey:     key,
			AccountID:    "000000000000",
			Stage:        "$default",
			RequestID:    requestID(),
			APIID:        "local",
			DomainName:   r.Host,
			DomainPrefix: "local",
			Time:         now.UTC().Format("02/Jan/2006:15:04:05 -0700"),
			TimeEpoch:    now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method:    r.Method,
				Path:      r.URL.Path,
				Protocol:  r.Proto,
				SourceIP:  sourceIP,
				UserAgent: r.UserAgent(),
			},
		},
	}
	if textual(r.Header.Get("Content-Type")) && utf8.Valid(body) {
		e.Body = string(body)
	} else {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return e
}

// textual reports whether the gateway passes a body of this type on as it is;
// others it encodes as base64, a form among them.
func textual(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return contentType == "" || err == nil && (strings.HasPrefix(t, "text/") || t == "application/json" || t == "application/xml" || t == "application/javascript")
}

func requestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // documented never to return an error
	return hex.EncodeToString(b[:])
}
