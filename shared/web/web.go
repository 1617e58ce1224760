// Package web is what browsers get: the answer page, the popup, and the texts
// of both in every language. Sources are under src, built files under dist
// (see scripts/web).
package web
