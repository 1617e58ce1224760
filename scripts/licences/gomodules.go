package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// module is a Go module, and the folders of its packages that are linked.
type module struct {
	dependency
	dir     string
	folders []string
}

// goModules returns the modules that the project links, other than itself. What
// it links on another system may be more: the list is that of where the functions
// run, so that it is the same everywhere. A module may have parts that came from
// elsewhere with a licence of their own: those beside the linked packages count
// too.
func goModules(root string) ([]dependency, error) {
	modules := map[string]*module{}
	for _, q := range []struct {
		use  use
		args []string
	}{
		{functions, []string{"./functions/..."}},
		{tools, []string{"./..."}},
		{tests, []string{"-test", "./..."}},
	} {
		if err := linked(root, q.use, q.args, modules); err != nil {
			return nil, err
		}
	}
	var out []dependency
	for _, m := range modules {
		licence, err := licenceOf(m.folders...)
		if err != nil {
			return nil, err
		}
		m.licence = licence
		out = append(out, m.dependency)
	}
	return out, nil
}

// linked adds the modules that some packages link, and the folders of their
// packages. One that is there already keeps its use.
func linked(root string, u use, args []string, modules map[string]*module) error {
	cmd := exec.Command("go", append([]string{"list", "-deps", "-json=Dir,Module"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	for d := json.NewDecoder(stdout); ; {
		var p struct {
			Dir    string
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return errors.Join(err, cmd.Wait())
		}
		if p.Module == nil || p.Module.Main {
			continue // the standard library, ourselves
		}
		m, ok := modules[p.Module.Path]
		if !ok {
			m = &module{dependency: dependency{from: "go", name: p.Module.Path, version: p.Module.Version, use: u}, dir: p.Module.Dir}
			modules[p.Module.Path] = m
		}
		m.add(p.Dir)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %s", cmd, err, &stderr)
	}
	return nil
}

// add adds the folder of a package and those above it.
func (m *module) add(folder string) {
	for ; len(folder) >= len(m.dir) && !slices.Contains(m.folders, folder); folder = filepath.Dir(folder) {
		m.folders = append(m.folders, folder)
	}
}
