package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// npmPackages returns the packages of the package-lock.json in a folder, with
// those of bundled for pages. A licence is what the installed package says of
// itself. Of one that is for another system, and so is not installed, it is what
// npm put into the lock file.
func npmPackages(folder string, bundled []string) ([]dependency, error) {
	var lock struct {
		Packages map[string]struct {
			Version, License string
			Optional         bool
		}
	}
	if err := readJSON(filepath.Join(folder, "package-lock.json"), &lock); err != nil {
		return nil, err
	}
	const modules = "node_modules/"
	for _, name := range bundled {
		if _, ok := lock.Packages[modules+name]; !ok {
			return nil, fmt.Errorf("the pages have code of %s, which package-lock.json does not have", name)
		}
	}
	var out []dependency
	for path, p := range lock.Packages {
		if path == "" {
			continue // ourselves
		}
		d := dependency{from: "npm", name: path[strings.LastIndex(path, modules)+len(modules):], version: p.Version, use: tools, licence: p.License}
		if slices.Contains(bundled, strings.TrimPrefix(path, modules)) {
			d.use = pages
		}
		var installed struct {
			Version string
			License any // a string; what old packages have in its place is not read
		}
		err := readJSON(filepath.Join(folder, path, "package.json"), &installed)
		switch licence, ok := installed.License.(string); {
		case errors.Is(err, fs.ErrNotExist) && p.Optional:
		case errors.Is(err, fs.ErrNotExist) || err == nil && installed.Version != p.Version:
			return nil, fmt.Errorf("%s %s is not installed: run `scripts/setup.sh node`", d.name, d.version)
		case err != nil:
			return nil, err
		case ok:
			d.licence = licence
		default:
			d.licence = unknown
		}
		if d.licence == "" {
			d.licence = unknown
		}
		out = append(out, d)
	}
	return out, nil
}

func readJSON(file string, into any) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
