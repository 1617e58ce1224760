// Package shop is a small believable web shop on the local stack: four pages
// of a customer's path, each with the survey that belongs there, under the
// strict Content-Security-Policy that the widget's documentation names. A
// panel beside the page shows each vote arriving and the score moving.
//
// Nothing is for sale and nothing is kept: the basket travels in the address.
package shop

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

//go:embed page.html texts.json static
var files embed.FS

// Page is one page of the shop and the survey on it.
type Page struct {
	Path       string
	Touchpoint string
}

// Pages lists the pages along the customer's path. The touchpoints are those
// of scripts/dev/touchpoints.yaml: a metric and a trigger of its own each.
func Pages() []Page {
	return []Page{
		{"/shop/", "shop-search"},         // thumbs, when the visitor is about to leave
		{"/shop/product", "shop-product"}, // stars, inline, in the page
		{"/shop/cart", "shop-checkout"},   // ease, a bar after a moment
		{"/kiitos", "shop-nps"},           // recommendation, a corner popup after 3 seconds
	}
}

// Serves reports whether a path is one of the shop's.
func Serves(path string) bool {
	return strings.HasPrefix(path, "/shop/") || slices.ContainsFunc(Pages(), func(p Page) bool { return p.Path == path })
}

// Locales lists the languages of the shop, the first being its default.
func Locales() []string { return []string{"fi", "sv", "en"} }

// Policy is the Content-Security-Policy of the shop's pages: what a strict
// site needs for the widget, and nothing inline.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// product is one thing for sale. Its picture is in static under its id.
type product struct {
	ID    string
	Price string
}

var products = []product{{"mug", "24,90"}, {"throw", "89,00"}, {"lamp", "129,00"}, {"basket", "39,90"}}

// view is what the template shows.
type view struct {
	Page     Page
	Pages    []Page
	Locale   string
	Locales  []string
	Text     map[string]string
	Products []product
	Item     product
}

// New returns the shop, for the paths that [Serves] names. Its panel reads the
// results from api, which asks nobody who they are.
func New(api http.Handler) (http.Handler, error) {
	var texts map[string]map[string]string
	b, err := files.ReadFile("texts.json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &texts); err != nil {
		return nil, fmt.Errorf("texts.json: %w", err)
	}
	tmpl, err := template.New("page.html").ParseFS(files, "page.html")
	if err != nil {
		return nil, err
	}
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /shop/static/", http.StripPrefix("/shop/static/", http.FileServerFS(static)))
	mux.HandleFunc("GET /shop/results/{touchpoint}", func(w http.ResponseWriter, r *http.Request) {
		in := r.Clone(r.Context())
		id := r.PathValue("touchpoint")
		in.URL = &url.URL{Path: "/api/results/" + id, RawPath: "/api/results/" + url.PathEscape(id)}
		api.ServeHTTP(w, in)
	})
	for _, p := range Pages() {
		pattern := p.Path
		if strings.HasSuffix(pattern, "/") {
			pattern += "{$}"
		}
		mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) {
			locale := r.URL.Query().Get("lang")
			if !slices.Contains(Locales(), locale) {
				locale = Locales()[0]
			}
			v := view{
				Page: p, Pages: Pages(), Locale: locale, Locales: Locales(),
				Text: texts[locale], Products: products, Item: products[0],
			}
			for _, it := range products {
				if it.ID == r.URL.Query().Get("item") {
					v.Item = it
				}
			}
			var page bytes.Buffer
			if err := tmpl.Execute(&page, v); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", Policy)
			w.Header().Set("Cache-Control", "no-store")
			_, _ = page.WriteTo(w) // a browser that is gone needs no page
		})
	}
	return mux, nil
}
