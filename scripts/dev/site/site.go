// Package site is the pages that the local stack adds to the product: a list
// of everything there is, and those of asking.
package site

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"

	"github.com/pulssi/pulssi/shared/survey"
)

//go:embed *.html
var pages embed.FS

//go:embed static
var static embed.FS

// Policy is the Content-Security-Policy of the pages.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Page is a page beside the product's own that the index lists.
type Page struct{ Path, Name, About string }

// Programs is how programs reach the API.
type Programs struct {
	URL string // of the stack
	// TokenURL is where they get a token with Client and Secret; "" where none
	// is needed.
	TokenURL, Client, Secret string
}

// New returns the pages: /, /links (a form), those of asking, and /dev/ for what
// they load. more is listed on the index, before those of asking.
func New(store Store, links *Links, desk Desk, more []Page, programs Programs) (http.Handler, error) {
	templates, err := template.New("").Funcs(template.FuncMap{"number": number, "count": count, "later": later}).ParseFS(pages, "*.html")
	if err != nil {
		return nil, err
	}
	files, err := fs.Sub(static, "static")
	if err != nil {
		return nil, err
	}
	s := &site{store: store, links: links, desk: desk, more: slices.Concat(more, deskPages), programs: programs, templates: templates}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.index)
	mux.HandleFunc("POST /links", s.renew)
	s.serveDesk(mux)
	mux.Handle("GET /dev/", http.StripPrefix("/dev/", http.FileServerFS(files)))
	return http.NewCrossOriginProtection().Handler(mux), nil
}

// Serves reports whether a path is one of the pages.
func Serves(path string) bool {
	return path == "/" || path == "/links" || len(path) > 5 && path[:5] == "/dev/" || servesDesk(path)
}

type site struct {
	store     Store
	links     *Links
	desk      Desk
	more      []Page
	programs  Programs
	templates *template.Template
}

// linkGroup is the example asks of one touchpoint, one for each language.
type linkGroup struct {
	Touchpoint *survey.Touchpoint
	Name       string
	Asks       []linkedAsk
}

type linkedAsk struct {
	*survey.Ask
	Language string
	Question string
	Scores   []int
}

var languages = map[string]string{"fi": "Suomi", "sv": "Svenska", "en": "English"}

func (s *site) index(w http.ResponseWriter, r *http.Request) {
	all, err := s.store.Touchpoints(r.Context())
	if err != nil {
		fail(w, r, err)
		return
	}
	asks, err := s.links.Asks(r.Context())
	if err != nil {
		fail(w, r, err)
		return
	}
	byID := map[string]*survey.Touchpoint{}
	var public []*survey.Touchpoint
	for _, t := range all {
		byID[t.ID] = t
		if slices.Contains(t.Channels, survey.Link) {
			public = append(public, t)
		}
	}
	history, err := s.historyView(r.Context())
	if err != nil {
		fail(w, r, err)
		return
	}
	var groups []linkGroup
	for _, a := range asks {
		t := byID[a.Touchpoint]
		if t == nil {
			continue // made between the two reads
		}
		if len(groups) == 0 || groups[len(groups)-1].Touchpoint != t {
			groups = append(groups, linkGroup{Touchpoint: t, Name: t.Name.In("en", t.Locales)})
		}
		g := &groups[len(groups)-1]
		l := linkedAsk{Ask: a, Language: languages[a.Locale], Question: t.Question.In(a.Locale, t.Locales)}
		low, high := a.Metric.Scale()
		for n := low; n <= high; n++ {
			l.Scores = append(l.Scores, n)
		}
		g.Asks = append(g.Asks, l)
	}
	s.show(w, r, "index.html", map[string]any{"History": history, "Groups": groups, "Public": public, "More": s.more, "Programs": s.programs})
}

func (s *site) renew(w http.ResponseWriter, r *http.Request) {
	if err := s.links.Renew(r.Context()); err != nil {
		fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *site) show(w http.ResponseWriter, r *http.Request, name string, data any) {
	s.showStatus(w, r, http.StatusOK, name, data)
}

func (s *site) showStatus(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var b bytes.Buffer
	if err := s.templates.ExecuteTemplate(&b, name, data); err != nil {
		fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", Policy)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that is gone needs no answer
}

// showJSON answers with what programs read.
func showJSON(w http.ResponseWriter, r *http.Request, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b) // a client that is gone needs no answer
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	slog.ErrorContext(r.Context(), "page failed", "page", r.Pattern, "error", err.Error())
	http.Error(w, fmt.Sprintf("%s failed: see the terminal of make dev.", r.URL.Path), http.StatusInternalServerError)
}
