package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// buildWidget builds the popup's two files from src/widget. The second has the
// style sheet in it, and the first the name and the hash of the second: whoever
// holds the first to a hash of its own, holds both.
func buildWidget(src string) ([]File, error) {
	version, err := widgetVersion(src)
	if err != nil {
		return nil, err
	}
	src = filepath.Join(src, "widget")
	style, err := bundle(filepath.Join(src, "style.css"), api.FormatDefault, nil)
	if err != nil {
		return nil, err
	}
	ui, err := bundle(filepath.Join(src, "ui.ts"), api.FormatESModule, map[string]string{"STYLE": string(bytes.TrimSpace(style))})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(ui)
	loader, err := bundle(filepath.Join(src, "loader.ts"), api.FormatIIFE, map[string]string{
		"UI_FILE": uiName(version),
		"UI_HASH": "sha256-" + base64.StdEncoding.EncodeToString(sum[:]),
	})
	if err != nil {
		return nil, err
	}
	return []File{{Name: "pulssi.js", Contents: loader}, {Name: "pulssi.ui.js", Contents: ui}}, nil
}

// bundle builds one file, with constants in place of names. The popup needs a
// browser of 2024: its style sheet has light-dark().
func bundle(source string, format api.Format, constants map[string]string) ([]byte, error) {
	define := map[string]string{}
	for name, value := range constants {
		b, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		define[name] = string(b)
	}
	r := api.Build(api.BuildOptions{
		EntryPoints:       []string{source},
		Bundle:            true,
		Define:            define,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		Target:            api.ES2022,
		Engines:           []api.Engine{{Name: api.EngineChrome, Version: "123"}, {Name: api.EngineFirefox, Version: "128"}, {Name: api.EngineSafari, Version: "17.5"}},
		Format:            format,
		Charset:           api.CharsetUTF8,
		LegalComments:     api.LegalCommentsNone,
		LogLevel:          api.LogLevelSilent,
	})
	if len(r.Errors) > 0 {
		return nil, fmt.Errorf("%s: %s", source, api.FormatMessages(r.Errors, api.FormatMessagesOptions{})[0])
	}
	return r.OutputFiles[0].Contents, nil
}

// widgetVersion reads which version of the popup the sources are.
func widgetVersion(src string) (string, error) {
	b, err := os.ReadFile(filepath.Join(src, "widget", "version.txt"))
	return strings.TrimSpace(string(b)), err
}

// The names that a version of the popup is served and released under.
func loaderName(version string) string { return "pulssi." + version + ".js" }
func uiName(version string) string     { return "pulssi." + version + ".ui.js" }

// Release freezes the popup's version: it copies the built files to the folder
// released, from where they are served for ever, and writes the hashes of all
// releases anew. It refuses a version that is there already.
func Release(root string) error {
	version, err := widgetVersion(filepath.Join(root, "src"))
	if err != nil {
		return err
	}
	for from, to := range map[string]string{"pulssi.js": loaderName(version), "pulssi.ui.js": uiName(version)} {
		b, err := os.ReadFile(filepath.Join(root, "dist", from))
		if err != nil {
			return err
		}
		f, err := os.OpenFile(filepath.Join(root, "released", to), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return fmt.Errorf("a released version never changes, give src/widget/version.txt a new one: %w", err)
		}
		if _, err := f.Write(b); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	lines, err := Integrities(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "released", "integrity.txt"), []byte(lines), 0o644)
}

// Integrities returns the lines of released/integrity.txt: of every released
// file its name and the value of the attribute integrity (Subresource
// Integrity, SHA-384) that holds a page to its bytes.
func Integrities(root string) (string, error) {
	files, err := filepath.Glob(filepath.Join(root, "released", "*.js"))
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		sum := sha512.Sum384(b)
		fmt.Fprintf(&out, "%s sha384-%s\n", filepath.Base(name), base64.StdEncoding.EncodeToString(sum[:]))
	}
	return out.String(), nil
}
