package web

import (
	"slices"
	"strings"
	"testing"
)

// TestPublished holds the list to what pages load: from the API's routes, which
// serve the same files where there is no CDN.
func TestPublished(t *testing.T) {
	list := Published()
	var names []string
	for _, f := range list {
		var same *File
		if asset, ok := strings.CutPrefix(f.Name, "dashboard/assets/"); ok {
			same, _ = DashboardAsset(asset)
		} else {
			same, _ = Widget(f.Name)
		}
		if f.File == nil || f.File != same {
			t.Errorf("%s is not what the API serves", f.Name)
		}
		names = append(names, f.Name)
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("published are %q, want each once, in order", names)
	}
	loads := WidgetLoads()
	for _, want := range append([]string{"pulssi.d.ts", "pulssi." + WidgetVersion() + ".js", "pulssi.1.0.0.js", "pulssi.1.0.0.ui.js"}, loads...) {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not published", want)
		}
	}
	if slices.Index(names, loads[1]) > slices.Index(names, loads[0]) {
		t.Errorf("%s comes after %s, which loads it", loads[1], loads[0])
	}
	for _, document := range []*File{DashboardPage(), FramePage()} {
		loaded := 0
		for _, part := range strings.Split(string(document.Body), `"/`)[1:] {
			path, _, _ := strings.Cut(part, `"`)
			if loaded++; !slices.Contains(names, path) {
				t.Errorf("a document of the dashboard loads %s, which is not published", path)
			}
		}
		if loaded != 2 {
			t.Errorf("a document of the dashboard loads %d files, want 2", loaded)
		}
	}
}

func TestPublishedVersion(t *testing.T) {
	if a, b := PublishedVersion(), versionOf(Published()); a != b || len(a) != 16 {
		t.Errorf("the version is %q and %q", a, b)
	}
	of := func(name, kind, cache, body string) string {
		return versionOf([]PublishedFile{{"a", &File{}}, {name, &File{Type: kind, CacheControl: cache, Body: []byte(body)}}})
	}
	same := of("b", "t", "c", "body")
	if same != of("b", "t", "c", "body") {
		t.Error("the same files have two versions")
	}
	for what, other := range map[string]string{
		"name": of("c", "t", "c", "body"), "type": of("b", "u", "c", "body"), "cache-control": of("b", "t", "d", "body"),
		"content": of("b", "t", "c", "bodz"), "no content": of("b", "t", "c", ""), "number": versionOf([]PublishedFile{{"a", &File{}}}),
	} {
		if other == same {
			t.Errorf("another %s is the same version", what)
		}
	}
}

func TestReplaces(t *testing.T) {
	for _, c := range []struct {
		file, there string
		want        bool
	}{
		{cacheCurrent, cacheCurrent, true},
		{cacheCurrent, "", true},
		{cacheCurrent, cacheReleased, false},
		{cacheUnreleased, cacheUnreleased, true},
		{cacheUnreleased, cacheReleased, false}, // its version has been released by others
		{cacheReleased, cacheUnreleased, true},  // and is released now
		{cacheReleased, cacheReleased, false},
		{cacheReleased, cacheCurrent, false},
		{cacheReleased, "", false},
	} {
		f := &File{CacheControl: c.file}
		if got := f.Replaces(c.there); got != c.want {
			t.Errorf("%q in the place of %q: %v, want %v", c.file, c.there, got, c.want)
		}
	}
}
