// Command licences lists whose code Pulssi is made of and with, each with its
// version and licence, and holds every licence to those that may be.
//
//	go run ./scripts/licences          write the list, scripts/licences/licences.txt
//	go run ./scripts/licences -check   change nothing; fail where it would differ
//
// Either way it fails, and names them all, where a licence may not be. It reads
// what is installed here and asks nobody: the modules of Go, the packages of npm in
// scripts/node_modules, and those of Python in .local, which scripts/setup.sh
// installs.
//
// What is not on the list are the programs that scripts/setup.sh and its reader
// install whole and that nothing here is linked with: Go, Node, Java, Python,
// Chromium, golangci-lint (GPL-3.0), and DynamoDB Local (under an agreement of
// Amazon's own, for development and tests).
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

const (
	list   = "scripts/licences/licences.txt"
	header = "# Whose code Pulssi is made of and with: where from, name, version, what for, licence.\n# Written by go run ./scripts/licences.\n"
)

func run(args []string) error {
	flags := flag.NewFlagSet("licences", flag.ContinueOnError)
	check := flags.Bool("check", false, "change nothing; fail where the list would differ")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("it takes -check and nothing else, not %q; the list is as it was", flags.Arg(0))
	}
	bundled, err := bundledPackages()
	if err != nil {
		return err
	}
	all, err := dependencies(".", bundled)
	if err != nil {
		return err
	}
	want := header + lines(all)
	have := []byte(want)
	if *check {
		have, err = os.ReadFile(list)
	} else {
		err = os.WriteFile(list, have, 0o644)
	}
	if err != nil {
		return err
	}
	return mistakes(string(have), want, all)
}

// mistakes returns what is wrong: with the list, and with each licence.
func mistakes(have, want string, all []dependency) error {
	var errs []error
	if have != want {
		errs = append(errs, fmt.Errorf("%s is out of date, run `go run ./scripts/licences`:\n%s", list, difference(have, want)))
	}
	for _, d := range all {
		errs = append(errs, d.check())
	}
	return errors.Join(errs...)
}

// use is what code is used for.
type use string

const (
	functions use = "functions" // linked into one that is deployed
	pages     use = "pages"     // sent to a browser
	tools     use = "tools"     // linked or run by what builds, tests and deploys
	tests     use = "tests"     // linked by tests alone
)

// dependency is a line of the list.
type dependency struct {
	from          string // go, npm or python
	name, version string
	use           use
	licence       string // an SPDX expression, or unknown
}

func (d dependency) String() string {
	return fmt.Sprintf("%s %s %s %s %s", d.from, d.name, d.version, d.use, d.licence)
}

// unknown is the licence of what has none, or one that is not recognised.
const unknown = "unknown"

// dependencies returns those of the project in a folder, in order, each once.
// Bundled are the npm packages whose code is in the pages.
func dependencies(root string, bundled []string) ([]dependency, error) {
	var all []dependency
	for _, read := range []func() ([]dependency, error){
		func() ([]dependency, error) { return goModules(root) },
		func() ([]dependency, error) { return npmPackages(filepath.Join(root, "scripts"), bundled) },
		func() ([]dependency, error) { return pythonPackages(root) },
	} {
		some, err := read()
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b dependency) int { return cmp.Compare(a.String(), b.String()) })
	return slices.Compact(all), nil
}

// bundledPackages asks the build of the pages.
func bundledPackages() ([]string, error) {
	cmd := exec.Command("go", "run", "./scripts/web", "-packages")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	return strings.Fields(string(out)), nil
}

func lines(all []dependency) string {
	var out strings.Builder
	for _, d := range all {
		fmt.Fprintln(&out, d)
	}
	return out.String()
}

// difference returns the lines that one of two lists lacks, marked as by diff.
func difference(have, want string) string {
	is, should := strings.Split(have, "\n"), strings.Split(want, "\n")
	var out []string
	for _, line := range is {
		if !slices.Contains(should, line) {
			out = append(out, "- "+line)
		}
	}
	for _, line := range should {
		if !slices.Contains(is, line) {
			out = append(out, "+ "+line)
		}
	}
	return strings.Join(out, "\n")
}
