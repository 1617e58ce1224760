package web

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
)

// PublishedFile is a file that the CDN serves, under its name below the root.
type PublishedFile struct {
	Name string
	*File
}

// Published lists the files that the CDN serves without asking the API: those of
// the popup, and what the dashboard's documents load. They are in the order of
// their names, in which a file comes before the one that loads it.
func Published() []PublishedFile {
	dashboard.once.Do(makeDashboard)
	var list []PublishedFile
	for name, f := range widget() {
		list = append(list, PublishedFile{name, f})
	}
	for name, f := range dashboard.assets {
		list = append(list, PublishedFile{"dashboard/assets/" + name, f})
	}
	slices.SortFunc(list, func(a, b PublishedFile) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// PublishedVersion is a hash of all that is published, and of how: it changes
// when anything does.
func PublishedVersion() string { return versionOf(Published()) }

func versionOf(list []PublishedFile) string {
	h := sha256.New()
	for _, f := range list {
		fmt.Fprintf(h, "%q %q %q %d\n", f.Name, f.Type, f.CacheControl, len(f.Body))
		h.Write(f.Body)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}

// Replaces reports whether the file may be served in the place of one with other
// content, which has that cache-control: a released file never changes, and takes
// no place but that of its version before it was released.
func (f *File) Replaces(cacheControl string) bool {
	if f.CacheControl == cacheReleased {
		return cacheControl == cacheUnreleased
	}
	return cacheControl != cacheReleased
}
