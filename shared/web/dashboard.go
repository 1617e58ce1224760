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

//go:embed dist/frame.js
var frameScript []byte

// dashboard is what is made of the files when it is first asked for. No variable
// is made of them at the start: a function that does not serve the dashboard
// would carry them all the same.
var dashboard struct {
	once        sync.Once
	assets      map[string]*File
	page, frame *File
}

// makeDashboard makes it. The names of what the documents load have a hash of the
// content, so that a browser may keep the files for ever and never has the script
// of one version with the style of another.
func makeDashboard() {
	script := "dashboard." + assetHash(dashboardScript) + ".js"
	style := "dashboard." + assetHash(dashboardStyle) + ".css"
	frame := "frame." + assetHash(frameScript) + ".js"
	dashboard.assets = map[string]*File{
		script: newFile(dashboardScript, "text/javascript; charset=utf-8", cacheReleased),
		style:  newFile(dashboardStyle, "text/css; charset=utf-8", cacheReleased),
		frame:  newFile(frameScript, "text/javascript; charset=utf-8", cacheReleased),
	}
	dashboard.page = newFile([]byte(`<!doctype html><html lang="en"><head><meta charset="utf-8">`+
		`<meta name="viewport" content="width=device-width,initial-scale=1">`+
		`<meta name="color-scheme" content="light dark">`+
		`<title>Pulssi</title><link rel="icon" href="`+icon+`">`+
		`<link rel="stylesheet" href="/dashboard/assets/`+html.EscapeString(style)+`">`+
		`<script type="module" src="/dashboard/assets/`+html.EscapeString(script)+`"></script>`+
		`</head><body><div id="app"></div><noscript><p>The dashboard needs JavaScript. Hallintanäkymä tarvitsee JavaScriptin. Översikten kräver JavaScript.</p></noscript></body></html>`),
		"text/html; charset=utf-8", cacheUnreleased)
	dashboard.frame = newFile([]byte(`<!doctype html><html lang="en"><head><meta charset="utf-8">`+
		`<meta name="viewport" content="width=device-width,initial-scale=1">`+
		`<meta name="color-scheme" content="light dark">`+
		`<title>Pulssi</title>`+
		`<script defer src="/dashboard/assets/`+html.EscapeString(frame)+`" data-popup="/`+html.EscapeString(WidgetLoads()[1])+`"></script>`+
		`</head><body></body></html>`),
		"text/html; charset=utf-8", cacheUnreleased)
}

func assetHash(b []byte) string { return strings.Trim(ETag(b), `"`) }

// DashboardAsset returns what the dashboard's documents load, by its name below
// /dashboard/assets/.
func DashboardAsset(name string) (*File, bool) {
	dashboard.once.Do(makeDashboard)
	f, ok := dashboard.assets[name]
	return f, ok
}

// DashboardPage is the dashboard's one document. Its script shows the view that
// the address names.
func DashboardPage() *File {
	dashboard.once.Do(makeDashboard)
	return dashboard.page
}

// DashboardPolicy is the Content-Security-Policy of the dashboard: its own
// files, requests to its own host and to where one signs in ("" for nowhere),
// and frames with what it previews.
func DashboardPolicy(signin string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src " +
		strings.TrimSpace("'self' "+signin) + "; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// FramePage is the document in which the dashboard shows what customers see,
// which it is told by messages. What it shows has styles of its own, which the
// dashboard's policy refuses, and so this document has another.
func FramePage() *File {
	dashboard.once.Do(makeDashboard)
	return dashboard.frame
}

// FramePolicy is the Content-Security-Policy of [FramePage]: any style, its own
// script and the popup's, and nothing that is sent or loaded. It has no origin,
// so that nothing in it reaches what the dashboard keeps in the browser.
const FramePolicy = "sandbox allow-scripts; default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
