package main

import (
	"fmt"
	"path/filepath"

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
		})
		if len(r.Errors) > 0 {
			return nil, fmt.Errorf("%s: %s", e.source, api.FormatMessages(r.Errors, api.FormatMessagesOptions{})[0])
		}
		out = append(out, File{e.name, r.OutputFiles[0].Contents})
	}
	widget, err := buildWidget(src)
	return append(out, widget...), err
}
