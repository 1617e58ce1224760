package web

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulssi/pulssi/shared/survey"
)

// leaves returns the texts of a JSON object by their path.
func leaves(prefix string, v any, out map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for name, below := range v {
			leaves(prefix+"/"+name, below, out)
		}
	case string:
		out[prefix] = v
	default:
		out[prefix] = ""
	}
}

// TestDashboardTextsAreInEveryLanguage holds the texts of each area of the
// dashboard against each other: the same ones in every language, none empty,
// with the same things filled in.
func TestDashboardTextsAreInEveryLanguage(t *testing.T) {
	files, err := filepath.Glob("src/dashboard/texts/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files of texts, %v", len(files), err)
	}
	filled := regexp.MustCompile(`\{\w+\}`)
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var languages map[string]any
		if err := json.Unmarshal(b, &languages); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := slices.Sorted(maps.Keys(languages)); !slices.Equal(got, []string{"en", "fi", "sv"}) {
			t.Errorf("%s has the languages %q", name, got)
		}
		english := map[string]string{}
		leaves("", languages["en"], english)
		for _, l := range Locales() {
			texts := map[string]string{}
			leaves("", languages[l], texts)
			for key, text := range texts {
				if strings.TrimSpace(text) == "" {
					t.Errorf("%s: %s%s is empty", name, l, key)
				}
			}
			for key, want := range english {
				got, ok := texts[key]
				if !ok {
					t.Errorf("%s: %s%s is missing", name, l, key)
					continue
				}
				a, b := filled.FindAllString(want, -1), filled.FindAllString(got, -1)
				slices.Sort(a)
				slices.Sort(b)
				if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
					t.Errorf("%s: %s%s fills in %q, in English %q", name, l, key, b, a)
				}
			}
			if len(texts) > len(english) {
				t.Errorf("%s: %s has texts that are not in English", name, l)
			}
		}
	}
}

// TestDashboardNamesEveryAction holds the names of what the audit log tells
// against what there is.
func TestDashboardNamesEveryAction(t *testing.T) {
	b, err := os.ReadFile("src/dashboard/texts/audit.json")
	if err != nil {
		t.Fatal(err)
	}
	var languages map[string]struct{ Actions map[survey.Action]string }
	if err := json.Unmarshal(b, &languages); err != nil {
		t.Fatal(err)
	}
	want := survey.Actions()
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(languages["en"].Actions)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestDashboardPageLoadsWhatThereIs holds the document to its files and its
// policy: nothing inline, nothing from elsewhere.
func TestDashboardPageLoadsWhatThereIs(t *testing.T) {
	page := string(DashboardPage().Body)
	names := regexp.MustCompile(`/dashboard/assets/([^"]+)`).FindAllStringSubmatch(page, -1)
	if len(names) != 2 {
		t.Fatalf("the document loads %q", names)
	}
	for _, n := range names {
		f, ok := DashboardAsset(n[1])
		if !ok || len(f.Body) == 0 || !strings.Contains(f.CacheControl, "immutable") {
			t.Errorf("%s: there %v, %q", n[1], ok, f.CacheControl)
		}
	}
	if _, ok := DashboardAsset("dashboard.js"); ok {
		t.Error("there is a file without the hash of its content")
	}
	if strings.Contains(page, "<style") || strings.Contains(page, "style=") || regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(page) {
		t.Error("the document has a style or a script in it, which its policy refuses")
	}
	for signin, want := range map[string]string{"": "connect-src 'self';", "https://x.auth.eu-north-1.amazoncognito.com": "connect-src 'self' https://x.auth.eu-north-1.amazoncognito.com;"} {
		if p := DashboardPolicy(signin); !strings.Contains(p, want) {
			t.Errorf("policy %q lacks %q", p, want)
		}
	}
}

// TestTheFrameOfPreviewsIsAlone holds the frame's document to its own script
// and the popup's, and its policy to keeping everything else out.
func TestTheFrameOfPreviewsIsAlone(t *testing.T) {
	page := string(FramePage().Body)
	m := regexp.MustCompile(`<script defer src="/dashboard/assets/([^"]+)" data-popup="/([^"]+)"></script>`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("the document loads no script: %s", page)
	}
	if f, ok := DashboardAsset(m[1]); !ok || len(f.Body) == 0 {
		t.Errorf("there is no %s", m[1])
	}
	if _, ok := Widget(m[2]); !ok {
		t.Errorf("there is no %s", m[2])
	}
	for _, want := range []string{"sandbox allow-scripts;", "default-src 'none';", "script-src 'self';", "frame-ancestors 'self'"} {
		if !strings.Contains(FramePolicy, want) {
			t.Errorf("policy %q lacks %q", FramePolicy, want)
		}
	}
	for _, never := range []string{"allow-same-origin", "connect-src", "unsafe-eval", "http"} {
		if strings.Contains(FramePolicy, never) {
			t.Errorf("policy %q has %q", FramePolicy, never)
		}
	}
}

// TestDashboardSourcesHaveNoTextsOfTheirOwn looks for words between tags: they
// belong to the files of texts.
func TestDashboardSourcesHaveNoTextsOfTheirOwn(t *testing.T) {
	words := regexp.MustCompile(`>\s*([A-Za-zÅÄÖåäö]{3,}[^<>{}=;()]*)</`)
	err := filepath.WalkDir("src/dashboard", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".tsx" {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range words.FindAllStringSubmatch(string(b), -1) {
			if strings.TrimSpace(m[1]) != "Pulssi" {
				t.Errorf("%s has the text %q", path, m[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
