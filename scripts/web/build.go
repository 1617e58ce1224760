package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// entries are the files that are built: the name in dist, and its source.
var entries = []struct{ name, source string }{
	{"answer.js", "answer.ts"},
	{"answer.css", "answer.css"},
	{"dashboard.js", "dashboard/main.tsx"},
	{"dashboard.css", "dashboard/style.css"},
	{"frame.js", "dashboard/frame.ts"},
}

// File is one built file.
type File struct {
	Name     string
	Contents []byte
	// Packages is whose code is in it: the npm packages, as package-lock.json
	// calls them without the first node_modules/, sorted.
	Packages []string
}

// Build builds all entries from a folder of sources. The same sources always
// make the same bytes. An error carries esbuild's own message, with file and
// line.
func Build(src string) ([]File, error) {
	var out []File
	packages, err := filepath.Abs(filepath.Join(src, "..", "..", "..", "scripts", "node_modules"))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		r := api.Build(api.BuildOptions{
			EntryPoints:       []string{filepath.Join(src, e.source)},
			Bundle:            true,
			MinifyWhitespace:  true,
			MinifyIdentifiers: true,
			MinifySyntax:      true,
			Target:            api.ES2020,
			Format:            api.FormatIIFE,
			Charset:           api.CharsetUTF8,
			LegalComments:     api.LegalCommentsNone,
			LogLevel:          api.LogLevelSilent,
			Loader:            map[string]api.Loader{".svg": api.LoaderText},
			JSX:               api.JSXAutomatic,
			JSXImportSource:   "preact",
			NodePaths:         []string{packages},
			Metafile:          true,
		})
		if len(r.Errors) > 0 {
			return nil, fmt.Errorf("%s: %s", e.source, api.FormatMessages(r.Errors, api.FormatMessagesOptions{})[0])
		}
		bundled, err := bundledPackages(r.Metafile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.source, err)
		}
		kept, err := notices(packages, bundled)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.source, err)
		}
		out = append(out, File{Name: e.name, Contents: append(r.OutputFiles[0].Contents, kept...), Packages: bundled})
	}
	// The popup finds no packages: it has to be small.
	widget, err := buildWidget(src)
	return append(out, widget...), err
}

// notices returns, as a comment, what the licences of packages want kept with
// their code: the licences themselves, each once.
func notices(folder string, names []string) ([]byte, error) {
	var out bytes.Buffer
	var texts []string
	of := map[string][]string{}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(folder, name, "LICENSE"))
		if err != nil {
			return nil, fmt.Errorf("the licence of %s: %w", name, err)
		}
		text := strings.TrimSpace(string(b))
		if strings.Contains(text, "*/") {
			return nil, fmt.Errorf("the licence of %s would end a comment", name)
		}
		if of[text] == nil {
			texts = append(texts, text)
		}
		of[text] = append(of[text], name)
	}
	for _, text := range texts {
		fmt.Fprintf(&out, "/*! %s\n\n%s */\n", strings.Join(of[text], ", "), text)
	}
	return out.Bytes(), nil
}

// bundledPackages returns whose code esbuild says that it put into what it built.
func bundledPackages(metafile string) ([]string, error) {
	var built struct {
		Outputs map[string]struct {
			Inputs map[string]struct {
				BytesInOutput int `json:"bytesInOutput"`
			} `json:"inputs"`
		} `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(metafile), &built); err != nil {
		return nil, err
	}
	var out []string
	for _, o := range built.Outputs {
		for path, input := range o.Inputs {
			if name, ok := packageOf(path); ok && input.BytesInOutput > 0 {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// packageOf returns which package a file belongs to: a/node_modules/@b/c of
// node_modules/a/node_modules/@b/c/d/e.js.
func packageOf(path string) (string, bool) {
	const folder = "node_modules/"
	start, last := strings.Index(path, folder), strings.LastIndex(path, folder)
	if start < 0 {
		return "", false
	}
	end := last + len(folder)
	parts := strings.SplitN(path[end:], "/", 3)
	name := parts[0]
	if strings.HasPrefix(name, "@") && len(parts) > 1 {
		name += "/" + parts[1]
	}
	return path[start+len(folder):end] + name, true
}
