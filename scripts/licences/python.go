package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
)

// pythonPackages returns the packages of the lists scripts/*.txt, from the
// environments of the same names in .local.
func pythonPackages(root string) ([]dependency, error) {
	files, err := filepath.Glob(filepath.Join(root, "scripts", "*.txt"))
	if err != nil {
		return nil, err
	}
	var out []dependency
	for _, file := range files {
		environment := strings.TrimSuffix(filepath.Base(file), ".txt")
		installed, err := installedPackages(filepath.Join(root, ".local", environment))
		if err != nil {
			return nil, err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			name, version, ok := strings.Cut(strings.TrimSpace(line), "==")
			if strings.HasPrefix(line, "#") || !ok {
				continue
			}
			licence, ok := installed[normal(name)+" "+version]
			if !ok {
				return nil, fmt.Errorf("%s %s is not installed: run `scripts/setup.sh %s`", name, version, environment)
			}
			out = append(out, dependency{from: "python", name: name, version: version, use: tools, licence: licence})
		}
	}
	return out, nil
}

// installedPackages returns the licences of the packages in an environment, by
// their normal names and versions.
func installedPackages(environment string) (map[string]string, error) {
	folders, err := filepath.Glob(filepath.Join(environment, "lib", "python3*", "site-packages", "*.dist-info"))
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, folder := range folders {
		about, err := metadata(filepath.Join(folder, "METADATA"))
		if err != nil {
			return nil, err
		}
		licence, err := pythonLicence(folder, about)
		if err != nil {
			return nil, err
		}
		out[normal(about.Get("Name"))+" "+about.Get("Version")] = licence
	}
	return out, nil
}

// metadata reads what a package says of itself: its head has the form of an
// e-mail's.
func metadata(file string) (textproto.MIMEHeader, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	about, err := textproto.NewReader(bufio.NewReader(f)).ReadMIMEHeader()
	if err != nil && !errors.Is(err, io.EOF) { // one without a description ends so
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return about, nil
}

// classifiers are the licences that a package may name by a classifier which
// means one licence alone.
var classifiers = map[string]string{
	"License :: OSI Approved :: Python Software Foundation License":   "PSF-2.0",
	"License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}

// pythonLicence returns the licence of the package whose metadata is in a folder:
// its expression, else that of the texts, else that of its classifier.
func pythonLicence(folder string, about textproto.MIMEHeader) (string, error) {
	if expression := about.Get("License-Expression"); expression != "" {
		return expression, nil
	}
	folders := []string{folder}
	if _, err := os.Stat(filepath.Join(folder, "licenses")); err == nil {
		folders = append(folders, filepath.Join(folder, "licenses"))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	licence, err := licenceOf(folders...)
	if err != nil || licence != unknown {
		return licence, err
	}
	for _, c := range about["Classifier"] {
		if id, ok := classifiers[c]; ok {
			return id, nil
		}
	}
	return unknown, nil
}

// normal returns the form of a package's name in which names are compared.
func normal(name string) string {
	return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
}
