package vote_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
)

// TestConfigsAreCompressed holds what is sent to what the popup's size counts.
func TestConfigsAreCompressed(t *testing.T) {
	h := handler(nil)
	for _, query := range []string{"", "part=when", "part=show&locale=en"} {
		r := request("GET /w/{file}", "shop-nps.json", map[string]string{}, "")
		r.RawQueryString = query
		plain := handle(t, h, r)
		r.Headers["accept-encoding"] = "br, gzip"
		packed := handle(t, h, r)
		sent, err := base64.StdEncoding.DecodeString(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(sent))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(z)
		if err != nil || string(got) != plain.Body {
			t.Errorf("%s: compressed it is %q, %v; want %q", query, got, err, plain.Body)
		}
		if packed.Headers["content-encoding"] != "gzip" || packed.Headers["etag"] == plain.Headers["etag"] ||
			!strings.HasPrefix(packed.Headers["vary"], "accept-encoding") || packed.Headers["vary"] != plain.Headers["vary"] {
			t.Errorf("%s: headers %v and %v", query, packed.Headers, plain.Headers)
		}
	}
}

func TestConfigCaching(t *testing.T) {
	h := handler(nil)
	get := func(parts, match string) (int, string, map[string]string) {
		r := request("GET /w/{file}", "shop-nps.json", map[string]string{}, "")
		if r.RawQueryString = parts; match != "" {
			r.Headers["if-none-match"] = match
		}
		resp := handle(t, h, r)
		return resp.StatusCode, resp.Body, resp.Headers
	}
	seen := map[string]string{}
	for _, query := range []string{"", "part=when", "part=show", "part=show&locale=en"} {
		status, body, headers := get(query, "")
		tag := headers["etag"]
		if status != http.StatusOK || body == "" || headers["cache-control"] != "public, max-age=60" || headers["access-control-allow-origin"] != "*" || headers["content-type"] != "application/json" {
			t.Errorf("%s: status %d, headers %v", query, status, headers)
		}
		if len(tag) < 10 || tag[0] != '"' || seen[tag] != "" {
			t.Errorf("%s: tag %s, which %q has too", query, tag, seen[tag])
		}
		seen[tag] = query
		for match, want := range map[string]int{
			tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, `"x",W/` + tag + `,"y"`: 304, "*": 304,
			`"x"`: 200, strings.Trim(tag, `"`): 200, `W/"x"`: 200,
		} {
			status, body, headers := get(query, match)
			if status != want || (body == "") != (want == 304) || headers["etag"] != tag || headers["cache-control"] == "" || headers["access-control-allow-origin"] != "*" {
				t.Errorf("%s with %s: status %d, %d bytes, headers %v, want %d", query, match, status, len(body), headers, want)
			}
		}
	}
	version4 := shopNPS()
	version4.Question["fi"] = "Suosittelisitko meitä ystävälle?"
	h.Touchpoints = touchpoints{"shop-nps": version4}
	if _, _, headers := get("", ""); seen[headers["etag"]] != "" {
		t.Error("another question has the same tag")
	}
}

// TestConfigCacheKey holds the configs to what a cache in front may tell them
// apart by: path, part, locale, and the headers Accept-Encoding and Origin. A cache
// that goes by Vary finds those headers there.
func TestConfigCacheKey(t *testing.T) {
	h := handler(nil)
	get := func(query string, headers map[string]string) apigw.Response {
		r := request("GET /w/{file}", "shop-nps.json", headers, "")
		r.RawQueryString = query
		return handle(t, h, r)
	}
	others := map[string]string{
		"accept": "text/html", "accept-language": "sv", "authorization": "Bearer x", "cache-control": "no-cache", "cookie": "a=b",
		"host": "other.example", "referer": "https://evil.example/", "sec-fetch-site": "cross-site", "user-agent": "curl", "x-forwarded-for": "203.0.113.7",
	}
	keys := map[string]string{"accept-encoding": "gzip", "origin": "https://evil.example"}
	for _, query := range []string{"part=when", "part=show&locale=fi", ""} {
		plain := get(query, nil)
		if diff := cmp.Diff(plain, get(query+"&utm=x", others)); diff != "" {
			t.Errorf("%s: what is in no key makes another answer:\n%s", query, diff)
		}
		for name, value := range keys {
			if differs, told := !cmp.Equal(plain, get(query, map[string]string{name: value})), strings.Contains(plain.Headers["vary"], name); differs != told {
				t.Errorf("%s: another answer by %s: %v; vary is %q", query, name, differs, plain.Headers["vary"])
			}
		}
	}
	if cmp.Equal(get("part=show&locale=fi", nil), get("part=show&locale=en", nil)) {
		t.Error("every language has one answer")
	}
}

func TestConfigRefused(t *testing.T) {
	for _, file := range []string{"nothing.json", "mail-nps.json", "shop-nps", "shop-nps.js", ".json", "", "..%2fx.json", "SHOP-NPS.json"} {
		for _, part := range []string{"", "part=show"} {
			r := request("GET /w/{file}", file, nil, "")
			r.RawQueryString = part
			resp := handle(t, handler(nil), r)
			if f := decoded[failure](t, resp).Error; resp.StatusCode != http.StatusNotFound || f.Code != survey.NotFound {
				t.Errorf("%q %s: status %d, %+v", file, part, resp.StatusCode, f)
			}
		}
	}
	r := request("GET /w/{file}", "shop-nps.json", nil, "")
	r.RawQueryString = "part=all"
	if f := decoded[failure](t, handle(t, handler(nil), r)).Error; f.Field != "part" || f.Code != survey.Invalid {
		t.Errorf("unknown part: %+v", f)
	}
}

// A page must not see a failed request because it is no page for the popup.
func TestWhenSaysWhyNot(t *testing.T) {
	for _, c := range []struct{ file, origin, off string }{
		{"shop-nps.json", "", ""},
		{"shop-nps.json", shop, ""},
		{"shop-nps.json", self, ""},
		{"shop-nps.json", "https://evil.example", "origin must be on"},
		{"shop-nps.json", "null", "origin must be on"},
		{"nothing.json", shop, "no such touchpoint"},
		{"mail-nps.json", shop, "no such touchpoint"},
	} {
		r := request("GET /w/{file}", c.file, map[string]string{}, "")
		r.RawQueryString = "part=when"
		if c.origin != "" {
			r.Headers["origin"] = c.origin
		}
		resp := handle(t, handler(nil), r)
		got := decoded[struct{ Off string }](t, resp)
		if resp.StatusCode != http.StatusOK || (c.off == "") != (got.Off == "") || !strings.Contains(got.Off, c.off) || !strings.HasSuffix(resp.Headers["vary"], "origin") {
			t.Errorf("%s from %q: status %d, off %q, want %q, vary %q", c.file, c.origin, resp.StatusCode, got.Off, c.off, resp.Headers["vary"])
		}
	}
}
