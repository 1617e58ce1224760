// Command web builds the pages' scripts and styles from shared/web/src into
// shared/web/dist, which is committed and embedded: whoever builds a function
// needs no Node, and a reviewer sees what is served.
//
//	go run ./scripts/web           build
//	go run ./scripts/web -check    say whether what is committed is what would be built
//	go run ./scripts/web -release  freeze the popup's version
//	go run ./scripts/web -sri      print the hashes of the popup's released files
//	go run ./scripts/web -packages print the npm packages whose code is in what is built
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
}

func run() error {
	check := flag.Bool("check", false, "change nothing; fail where a built file is not what its source makes")
	freeze := flag.Bool("release", false, "freeze the popup's version under released")
	sri := flag.Bool("sri", false, "print the hashes (Subresource Integrity) of the popup's released files")
	packages := flag.Bool("packages", false, "print the npm packages whose code is in what is built, and change nothing")
	root := flag.String("root", "shared/web", "the folder of src and dist")
	flag.Parse()
	if *freeze {
		if err := Release(*root); err != nil {
			return err
		}
	}
	if *freeze || *sri {
		lines, err := Integrities(*root)
		fmt.Print(lines)
		return err
	}
	files, err := Build(filepath.Join(*root, "src"))
	if err != nil {
		return err
	}
	if *packages {
		var names []string
		for _, f := range files {
			names = append(names, f.Packages...)
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			fmt.Println(name)
		}
		return nil
	}
	if *check {
		return Check(filepath.Join(*root, "dist"), files)
	}
	for _, f := range files {
		path := filepath.Join(*root, "dist", f.Name)
		if err := os.WriteFile(path, f.Contents, 0o644); err != nil {
			return err
		}
		fmt.Printf("%s: %d bytes\n", path, len(f.Contents))
	}
	return nil
}

// Check returns an error that names every file of dist that differs from what
// was built, is missing, or comes from no source.
func Check(dist string, files []File) error {
	var errs []error
	known := map[string]bool{}
	for _, f := range files {
		known[f.Name] = true
		have, err := os.ReadFile(filepath.Join(dist, f.Name))
		if err != nil || !bytes.Equal(have, f.Contents) {
			errs = append(errs, fmt.Errorf("%s is not what its source makes: run `make web`", f.Name))
		}
	}
	entries, err := os.ReadDir(dist)
	if err != nil {
		errs = append(errs, err)
	}
	for _, e := range entries {
		if !known[e.Name()] {
			errs = append(errs, fmt.Errorf("%s comes from no source", e.Name()))
		}
	}
	return errors.Join(errs...)
}
