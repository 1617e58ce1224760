package web

import (
	_ "embed" // of the script and the style
	"html"
	"strings"
	"sync"
)

//go:embed dist/dashboard.js
var dashboardScript []byte

//go:embed dist/dashboard.css
var dashboardStyle []byte

// dashboardAssets are what the dashboard's document loads, by the names that
// it does it by: those have a hash of the content, so that a browser may keep
// them for ever and never has the script of one version with the style of
// another.
var dashboardAssets = sync.OnceValue(func() map[string]*File {
	return map[string]*File{
		"dashboard." + assetHash(dashboardScript) + ".js": newFile(dashboardScript, "text/javascript; charset=utf-8", cacheReleased),
		"dashboard." + assetHash(dashboardStyle) + ".css": newFile(dashboardStyle, "text/css; charset=utf-8", cacheReleased),
	}
})

func assetHash(b []byte) string { return strings.Trim(ETag(b), `"`) }

// DashboardAsset returns what the dashboard's document loads, by its name below
// /dashboard/assets/.
func DashboardAsset(name string) (*File, bool) {
	f, ok := dashboardAssets()[name]
	return f, ok
}

// DashboardPage is the dashboard's one document. Its script shows the view that
// the address names.
var DashboardPage = sync.OnceValue(func() *File {
	var style, script string
	for name := range dashboardAssets() {
		if strings.HasSuffix(name, ".css") {
			style = name
		} else {
			script = name
		}
	}
	return newFile([]byte(`<!doctype html><html lang="en"><head><meta charset="utf-8">`+
		`<meta name="viewport" content="width=device-width,initial-scale=1">`+
		`<meta name="color-scheme" content="light dark">`+
		`<title>Pulssi</title><link rel="icon" href="`+icon+`">`+
		`<link rel="stylesheet" href="/dashboard/assets/`+html.EscapeString(style)+`">`+
		`<script type="module" src="/dashboard/assets/`+html.EscapeString(script)+`"></script>`+
		`</head><body><div id="app"></div><noscript><p>The dashboard needs JavaScript. Hallintanäkymä tarvitsee JavaScriptin. Översikten kräver JavaScript.</p></noscript></body></html>`),
		"text/html; charset=utf-8", cacheUnreleased)
})

// DashboardPolicy is the Content-Security-Policy of the dashboard: its own
// files, requests to its own host and to where one signs in ("" for nowhere),
// and frames with what it previews.
func DashboardPolicy(signin string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src " +
		strings.TrimSpace("'self' "+signin) + "; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}
