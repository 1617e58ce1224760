package apigw

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/pulssi/pulssi/shared/config"
)

// keyed is a request with a key, "" for none.
func keyed(key string) Request {
	r := Request{RouteKey: "GET /a/{id}", Headers: map[string]string{"host": "abc123.execute-api.eu-north-1.amazonaws.com"}}
	if key != "" {
		r.Headers[config.FrontHeader] = key
	}
	return r
}

func TestBehindFront(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	const key = "q7Jx0bGk2m9ZtV4yW1cNfAq7Jx0bGk2m"
	for _, c := range []struct {
		name, key string
		request   Request
		passes    bool
	}{
		{"the key", key, keyed(key), true},
		{"none", key, keyed(""), false},
		{"no headers", key, Request{}, false},
		{"another", key, keyed(strings.Repeat("x", len(key))), false},
		{"its beginning", key, keyed(key[:len(key)-1]), false},
		{"more than it", key, keyed(key + "x"), false},
		{"twice", key, keyed(key + "," + key), false},
		{"in another case", key, keyed(strings.ToUpper(key)), false},
		{"nothing in front", "", keyed(""), true},
		{"nothing in front, and a key", "", keyed(key), true},
		{"nothing in front, no headers", "", Request{}, true},
	} {
		var seen *Request
		handle := BehindFront(c.key, func(_ context.Context, r Request) (Response, error) {
			seen = &r
			return Response{StatusCode: http.StatusNoContent}, nil
		})
		resp, err := handle(t.Context(), c.request)
		if err != nil || (seen != nil) != c.passes {
			t.Errorf("%s: handled %v, %v", c.name, seen != nil, err)
		}
		if c.passes {
			if _, there := seen.Headers[config.FrontHeader]; c.key != "" && (there || seen.Headers["host"] == "" || seen.RouteKey == "") || resp.StatusCode != http.StatusNoContent {
				t.Errorf("%s: the handler sees %+v and answers %+v", c.name, seen, resp)
			}
			continue
		}
		if want := `{"error":{"code":"forbidden","field":"host","message":"host must be the public one, by which alone the API is reached"}}`; resp.StatusCode != http.StatusForbidden || resp.Body != want || resp.Headers["cache-control"] != "no-store" {
			t.Errorf("%s: %+v, want 403 %s", c.name, resp, want)
		}
	}
	if log.Len() > 0 {
		t.Errorf("the log is %s", &log)
	}
}

// TestFrontCostsNothing: the header is taken out of a map that is there, and
// compared where it lies.
func TestFrontCostsNothing(t *testing.T) {
	const key = "q7Jx0bGk2m9ZtV4yW1cNfAq7Jx0bGk2mq7Jx0bGk2m9ZtV4yW1cNfAq7Jx0bGk2m"
	handle := BehindFront(key, func(context.Context, Request) (Response, error) { return Response{}, nil })
	r, ctx := keyed(key), t.Context()
	if n := testing.AllocsPerRun(100, func() {
		r.Headers[config.FrontHeader] = key
		_, _ = handle(ctx, r)
	}); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// BenchmarkBehindFront measures what a request costs more.
func BenchmarkBehindFront(b *testing.B) {
	const key = "q7Jx0bGk2m9ZtV4yW1cNfAq7Jx0bGk2mq7Jx0bGk2m9ZtV4yW1cNfAq7Jx0bGk2m"
	handle := BehindFront(key, func(context.Context, Request) (Response, error) { return Response{}, nil })
	r := keyed(key)
	b.ReportAllocs()
	for b.Loop() {
		r.Headers[config.FrontHeader] = key
		_, _ = handle(b.Context(), r)
	}
}
