package local

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pulssi/pulssi/shared/topology"
)

type (
	request  = events.APIGatewayV2HTTPRequest
	response = events.APIGatewayV2HTTPResponse
)

// serve returns an API with one function, which handle is, behind a few
// routes.
func serve(t *testing.T, handle func(context.Context, request) (response, error)) *httptest.Server {
	t.Helper()
	var routes []topology.Route
	for _, r := range []string{"GET /a/{id}", "HEAD /a/{id}", "POST /a/{id}", "GET /{file}", "GET /pulssi.js", "GET /gone"} {
		method, path, _ := strings.Cut(r, " ")
		fn := topology.Answer
		if path == "/gone" {
			fn = topology.Vote // not among the functions
		}
		routes = append(routes, topology.Route{Method: method, Path: path, Function: fn})
	}
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	srv := httptest.NewServer(New(routes, map[topology.Function]Invoke{topology.Answer: Function(handle)}, func() time.Time { return at }))
	t.Cleanup(srv.Close)
	return srv
}

func TestEvent(t *testing.T) {
	var got request
	srv := serve(t, func(_ context.Context, r request) (response, error) {
		got = r
		return response{StatusCode: 201, Headers: map[string]string{"x-test": "yes"}, Cookies: []string{"c=1"}, Body: "ok"}, nil
	})
	req, _ := http.NewRequest("POST", srv.URL+"/a/%C3%A4%20b?s=9&x=1&x=2", strings.NewReader(`{"score":9}`))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Add("X-Twice", "1")
	req.Header.Add("X-Twice", "2")
	req.Header.Set("Cookie", "a=1; b=2")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 201 || resp.Header.Get("X-Test") != "yes" || resp.Header.Get("Set-Cookie") != "c=1" || string(body) != "ok" {
		t.Errorf("response %d %v %q", resp.StatusCode, resp.Header, body)
	}
	for what, pair := range map[string][2]string{
		"version":  {got.Version, "2.0"},
		"route":    {got.RouteKey, "POST /a/{id}"},
		"path":     {got.RawPath, "/a/ä b"},
		"query":    {got.RawQueryString, "s=9&x=1&x=2"},
		"joined":   {got.QueryStringParameters["x"], "1,2"},
		"id":       {got.PathParameters["id"], "ä b"},
		"header":   {got.Headers["x-twice"], "1,2"},
		"cookies":  {strings.Join(got.Cookies, "|"), "a=1|b=2"},
		"no c.":    {got.Headers["cookie"], ""},
		"body":     {got.Body, `{"score":9}`},
		"method":   {got.RequestContext.HTTP.Method, "POST"},
		"host":     {"http://" + got.RequestContext.DomainName, srv.URL},
		"time":     {got.RequestContext.Time, "21/Nov/2026:12:00:00 +0000"},
		"sourceIp": {got.RequestContext.HTTP.SourceIP, "127.0.0.1"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
		}
	}
	if got.RequestContext.TimeEpoch != 1795262400000 || got.RequestContext.RequestID == "" || got.IsBase64Encoded {
		t.Errorf("context %+v, base64 %v", got.RequestContext, got.IsBase64Encoded)
	}
}

func TestBinary(t *testing.T) {
	want := []byte{0, 0xff, 'x'}
	srv := serve(t, func(_ context.Context, r request) (response, error) {
		if !r.IsBase64Encoded {
			return response{}, errors.New("a binary body came as it is")
		}
		return response{StatusCode: 200, Body: r.Body, IsBase64Encoded: true}, nil
	})
	for _, contentType := range []string{"application/octet-stream", "application/x-www-form-urlencoded", "application/json"} {
		resp, err := http.Post(srv.URL+"/a/x", contentType, bytes.NewReader(want))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || !bytes.Equal(body, want) {
			t.Errorf("%s: %d %v, want the same bytes back", contentType, resp.StatusCode, body)
		}
	}
}

func TestRoutes(t *testing.T) {
	srv := serve(t, func(_ context.Context, r request) (response, error) {
		if r.PathParameters["id"] == "fails" {
			return response{}, errors.New("no")
		}
		return response{StatusCode: 200, Headers: map[string]string{"x-route": r.RouteKey}}, nil
	})
	for _, c := range []struct {
		method, path, route string
		status              int
	}{
		{"GET", "/a/x", "GET /a/{id}", 200},
		{"HEAD", "/a/x", "HEAD /a/{id}", 200},
		{"GET", "/pulssi.js", "GET /pulssi.js", 200},
		{"GET", "/pulssi.1.js", "GET /{file}", 200},
		{"GET", "/gone", "GET /{file}", 200}, // its own function is not served here
		{"DELETE", "/a/x", "", 404},
		{"GET", "/a/", "", 404},
		{"GET", "/a/x/y", "", 404},
		{"GET", "/", "", 404},
		{"GET", "/a/fails", "", 500},
	} {
		req, _ := http.NewRequest(c.method, srv.URL+c.path, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.status || resp.Header.Get("X-Route") != c.route {
			t.Errorf("%s %s: %d by %q, want %d by %q", c.method, c.path, resp.StatusCode, resp.Header.Get("X-Route"), c.status, c.route)
		}
	}
}

func TestPayloadLimit(t *testing.T) {
	srv := serve(t, func(context.Context, request) (response, error) { return response{StatusCode: 200}, nil })
	for size, want := range map[int]int{maxPayload: 200, maxPayload + 1: 413} {
		resp, err := http.Post(srv.URL+"/a/x", "text/plain", strings.NewReader(strings.Repeat(" ", size)))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%d bytes: %d, want %d", size, resp.StatusCode, want)
		}
	}
}
