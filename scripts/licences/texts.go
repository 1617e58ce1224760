package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// licenceFile is how files are called that have the text of a licence. Sources
// that are called so are about licences.
var licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[sc]e|copying)([-._][^/]*)?$`)

// enough is how much of a text must be that of known licences, in percent: the
// rest is names, years and headings.
const enough = 75

// read is what texts say that are no licences themselves, by their SHA-256: a
// person has read them.
var read = map[string]string{
	// aws-lambda-go: LICENSE-SUMMARY says that the other two files hold for two
	// parts of it.
	"00c31061d11a7d289e3f5ac49f58b0d5cffdd9d1d24a9ee4c9848354356386bc": "Apache-2.0 AND MIT-0",
}

// licenceOf returns the licences whose texts are in some folders, as all hold
// together. It is unknown where there is no text, or one that is not recognised.
func licenceOf(folders ...string) (string, error) {
	var ids []string
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return "", err
		}
		for _, e := range entries {
			if e.IsDir() || !licenceFile.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
				continue
			}
			text, err := os.ReadFile(filepath.Join(folder, e.Name()))
			if err != nil {
				return "", err
			}
			ids = append(ids, recognise(text)...)
		}
	}
	if len(ids) == 0 || slices.Contains(ids, unknown) {
		return unknown, nil
	}
	slices.Sort(ids)
	return strings.Join(slices.Compact(ids), " AND "), nil
}

// recognise returns the licences that a text is of.
func recognise(text []byte) []string {
	sum := sha256.Sum256(text)
	if says, ok := read[hex.EncodeToString(sum[:])]; ok {
		return strings.Split(says, " AND ")
	}
	found := licensecheck.Scan(text)
	if found.Percent < enough {
		return []string{unknown}
	}
	var ids []string
	for _, m := range found.Match {
		ids = append(ids, m.ID)
	}
	return ids
}
