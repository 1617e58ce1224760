package shop

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryTextInEveryLanguage(t *testing.T) {
	b, err := files.ReadFile("texts.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]map[string]string
	if err := json.Unmarshal(b, &texts); err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(texts)), slices.Sorted(slices.Values(Locales())); !slices.Equal(got, want) {
		t.Fatalf("languages %v, want %v", got, want)
	}
	all := map[string]bool{}
	for _, m := range texts {
		for k := range m {
			all[k] = true
		}
	}
	for _, l := range Locales() {
		for k := range all {
			if texts[l][k] == "" {
				t.Errorf("%s has no text %q", l, k)
			}
		}
	}
}

func TestPages(t *testing.T) {
	h, err := New(http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	inline := regexp.MustCompile(`<style|<script(?:[^>]*)>[^<]|\sstyle=|\son[a-z]+=`)
	for _, p := range Pages() {
		for _, l := range Locales() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", p.Path+"?lang="+l+"&item=lamp", nil))
			page := w.Body.String()
			if w.Code != http.StatusOK || w.Header().Get("Content-Security-Policy") != Policy {
				t.Fatalf("%s: status %d, policy %q", p.Path, w.Code, w.Header().Get("Content-Security-Policy"))
			}
			for _, want := range []string{
				`<html lang="` + l + `">`,
				`<script async src="/pulssi.js" data-touchpoint="` + p.Touchpoint + `"></script>`,
			} {
				if !strings.Contains(page, want) {
					t.Errorf("%s in %s lacks %s", p.Path, l, want)
				}
			}
			if strings.Contains(page, "no value") {
				t.Errorf("%s in %s names a text that is not there", p.Path, l)
			}
			if m := inline.FindString(page); m != "" {
				t.Errorf("%s in %s has something inline, which its policy forbids: %q", p.Path, l, m)
			}
		}
	}
	for path, want := range map[string]int{
		"/shop/nothing": http.StatusNotFound, "/shop/static/shop.css": http.StatusOK,
		"/shop/?lang=xx": http.StatusOK, "/shop/product?item=%3Cscript%3E": http.StatusOK,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if p, _, _ := strings.Cut(path, "?"); !Serves(p) {
			t.Errorf("%s is not the shop's", p)
		}
		if w.Code != want {
			t.Errorf("GET %s: status %d, want %d", path, w.Code, want)
		}
		if strings.Contains(w.Body.String(), "<script>") {
			t.Errorf("GET %s: what was asked for is in the page unescaped", path)
		}
	}
}

// TestThePanelReadsResults has the panel's address answered by the API's own
// results, and by nothing else of the API.
func TestThePanelReadsResults(t *testing.T) {
	h, err := New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method, " ", r.URL.EscapedPath()) }))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/shop/results/shop-nps":                 "GET /api/results/shop-nps",
		"/shop/results/shop-nps?by=day":          "GET /api/results/shop-nps",
		"/shop/results/..%2Fcontacts":            "GET /api/results/..%2Fcontacts",
		"/shop/results/shop-nps/../../contacts/": "",
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if got := w.Body.String(); w.Code == http.StatusOK && got != want || w.Code != http.StatusOK && want != "" {
			t.Errorf("%s: %d %s", path, w.Code, got)
		}
	}
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, httptest.NewRequest(http.MethodDelete, "/shop/results/shop-nps", nil)); w.Code == http.StatusOK {
		t.Errorf("a method that changes: %d", w.Code)
	}
}
