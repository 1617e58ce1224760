package main

import (
	"fmt"
	"slices"
	"strings"
)

var (
	anything = []use{functions, pages, tools, tests}
	atHome   = []use{tools, tests} // what is neither deployed nor served
)

// rules are the licences that code may come under, what for, and why.
var rules = []struct {
	id   string // of SPDX
	uses []use
	why  string
}{
	{"MIT", anything, "asks for its notice alone"},
	{"ISC", anything, "MIT in fewer words"},
	{"BSD-2-Clause", anything, "asks for its notice alone"},
	{"BSD-3-Clause", anything, "asks for its notice, and not to advertise with the names of its authors"},
	{"Apache-2.0", anything, "is Pulssi's own"},
	{"MIT-0", anything, "asks for nothing"},
	{"0BSD", anything, "asks for nothing"},
	{"Unlicense", anything, "gives the code to everyone"},
	{"CC0-1.0", anything, "gives the code to everyone; it grants no patents, which code this small has none of"},
	{"MPL-2.0", atHome, "asks to publish changes to its files, which are used as they are; in what is deployed each deployer would have to see to it"},
	{"PSF-2.0", atHome, "asks for its notice and a summary of changes; only what is written in Python has it"},
	{"Python-2.0", atHome, "as PSF-2.0, with the licences of older Pythons"},
	{"CNRI-Python", atHome, "as PSF-2.0, of an older Python"},
}

// check returns an error where the licence is none that the rules allow for the
// dependency's use. Of licences that one may choose from one has to be allowed,
// and of those that hold together all. An expression that nests both is read
// more strictly than it is meant.
func (d dependency) check() error {
	for together := range strings.SplitSeq(d.licence, " AND ") {
		if !slices.ContainsFunc(strings.Split(strings.Trim(together, "()"), " OR "), d.use.allows) {
			return fmt.Errorf("%s %s %s comes under %s, which scripts/licences/rules.go does not allow for %s", d.from, d.name, d.version, d.licence, d.use)
		}
	}
	return nil
}

// allows reports whether a licence is allowed for a use.
func (u use) allows(id string) bool {
	for _, r := range rules {
		if r.id == strings.Trim(id, "()") {
			return slices.Contains(r.uses, u)
		}
	}
	return false
}
