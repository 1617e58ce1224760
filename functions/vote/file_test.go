package vote_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"net/http"
	"testing"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/web"
)

func TestFiles(t *testing.T) {
	get := func(name string, headers map[string]string) apigw.Response {
		return handle(t, handler(nil), request("GET /{file}", name, headers, ""))
	}
	for _, name := range append(web.WidgetLoads(), "pulssi."+web.WidgetVersion()+".js", "pulssi.d.ts") {
		plain := get(name, nil)
		f, ok := web.Widget(name)
		if !ok || plain.StatusCode != http.StatusOK || plain.Body != string(f.Body) || plain.IsBase64Encoded {
			t.Fatalf("%s: status %d", name, plain.StatusCode)
		}
		zipped := get(name, map[string]string{"accept-encoding": "br;q=1.0, GZIP;q=0.8, *;q=0.1"})
		if zipped.Headers["content-encoding"] != "gzip" || !zipped.IsBase64Encoded {
			t.Fatalf("%s: headers %v", name, zipped.Headers)
		}
		b, err := base64.StdEncoding.DecodeString(zipped.Body)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if b, err = io.ReadAll(z); err != nil || !bytes.Equal(b, f.Body) {
			t.Errorf("%s: compressed it is another file, %v", name, err)
		}
		if zipped.Headers["etag"] == plain.Headers["etag"] {
			t.Errorf("%s: one strong tag for different bytes", name)
		}
		for _, resp := range []apigw.Response{plain, zipped} {
			for header, want := range map[string]string{
				"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin",
				"x-content-type-options": "nosniff", "vary": "accept-encoding", "cache-control": f.CacheControl, "content-type": f.Type,
			} {
				if got := resp.Headers[header]; got != want {
					t.Errorf("%s: %s is %q, want %q", name, header, got, want)
				}
			}
			encoding := map[string]string{"accept-encoding": resp.Headers["content-encoding"], "if-none-match": resp.Headers["etag"]}
			if again := get(name, encoding); again.StatusCode != http.StatusNotModified || again.Body != "" || again.Headers["etag"] != resp.Headers["etag"] || again.Headers["content-encoding"] != "" {
				t.Errorf("%s again: %+v", name, again)
			}
		}
	}
	for _, accept := range []string{"", "br", "gzip;q=0", "gzip; q=0.000", "identity", "xgzip"} {
		if resp := get("pulssi.js", map[string]string{"accept-encoding": accept}); resp.IsBase64Encoded {
			t.Errorf("compressed for %q", accept)
		}
	}
	for _, name := range []string{"", "pulssi", "pulssi.ui.js", "pulssi.0.0.0.js", "answer.js", "../go.mod", "favicon.ico", "integrity.txt"} {
		resp := get(name, nil)
		if f := decoded[failure](t, resp).Error; resp.StatusCode != http.StatusNotFound || f.Code != survey.NotFound {
			t.Errorf("%q: status %d, %+v", name, resp.StatusCode, f)
		}
	}
}

func TestCaching(t *testing.T) {
	current, _ := web.Widget("pulssi.js")
	if current.CacheControl != "public, max-age=3600" {
		t.Errorf("pulssi.js: %s", current.CacheControl)
	}
}
