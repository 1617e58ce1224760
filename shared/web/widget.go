package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"path"
	"strings"
	"sync"
)

//go:embed dist/pulssi.js dist/pulssi.ui.js src/widget/pulssi.d.ts released
var widgetFiles embed.FS

//go:embed src/widget/version.txt
var widgetVersion string

// WidgetVersion is the version of the popup that dist holds.
func WidgetVersion() string { return strings.TrimSpace(widgetVersion) }

// How long a browser may keep a file of the popup. The one that pages name
// without a version brings a new version to them within the hour; a released
// version never changes; one that is not released yet may at any time.
const (
	cacheCurrent    = "public, max-age=3600"
	cacheReleased   = "public, max-age=31536000, immutable"
	cacheUnreleased = "no-cache"
)

// File is a file as it is served.
type File struct {
	Body, Gzip   []byte // Gzip is Body compressed as far as gzip goes
	ETag         string // of Body
	GzipETag     string // of Gzip: a strong tag is of the bytes that are sent
	Type         string // content-type
	CacheControl string
}

// Widget returns a file of the popup by the name that it is served under:
// pulssi.js, which pages name; pulssi.VERSION.js, the same file, frozen;
// pulssi.VERSION.ui.js, which it loads; and pulssi.d.ts, its types.
func Widget(name string) (*File, bool) {
	f, ok := widget()[name]
	return f, ok
}

// WidgetLoads returns the names of what a browser loads to show the popup, in
// that order; on a page where it does not show, the first alone.
func WidgetLoads() []string { return []string{"pulssi.js", "pulssi." + WidgetVersion() + ".ui.js"} }

var widget = sync.OnceValue(func() map[string]*File {
	const script, text = "text/javascript; charset=utf-8", "text/plain; charset=utf-8"
	files := map[string]*File{}
	add := func(name, source, kind, cache string) {
		b, err := widgetFiles.ReadFile(source)
		if err != nil {
			panic("web: " + err.Error()) // embedded
		}
		files[name] = newFile(b, kind, cache)
	}
	loads := WidgetLoads()
	add(loads[0], "dist/pulssi.js", script, cacheCurrent)
	add("pulssi."+WidgetVersion()+".js", "dist/pulssi.js", script, cacheUnreleased)
	add(loads[1], "dist/pulssi.ui.js", script, cacheUnreleased)
	add("pulssi.d.ts", "src/widget/pulssi.d.ts", text, cacheCurrent)
	released, err := fs.Glob(widgetFiles, "released/*.js")
	if err != nil {
		panic("web: " + err.Error()) // a pattern of ours
	}
	for _, source := range released {
		add(path.Base(source), source, script, cacheReleased)
	}
	return files
})

func newFile(body []byte, kind, cache string) *File {
	z := Gzip(body)
	return &File{
		Body: body, Gzip: z, Type: kind, CacheControl: cache, ETag: ETag(body), GzipETag: ETag(z),
	}
}

// Gzip returns b compressed as far as gzip goes. The same bytes always come to
// the same.
func Gzip(b []byte) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(b)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic("web: " + err.Error()) // a buffer takes everything
	}
	return out.Bytes()
}

// ETag returns a strong entity tag (RFC 9110, 8.8.3) of what is sent.
func ETag(sent []byte) string {
	sum := sha256.Sum256(sent)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}
