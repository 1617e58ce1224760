// Package scripts_test holds the direction of imports: what may lean on what.
package scripts_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/pulssi/pulssi/"

// pkg is one package as `go list` tells it. Names of our own packages are
// without the module.
type pkg struct {
	Name    string
	Imports []string // of its code, not of its tests
	Deps    []string // all of them, direct or not
}

// graph is packages by path.
type graph map[string]pkg

// layer is the rule for the packages under a folder: which of our own they
// may import.
type layer struct {
	folder string   // the longest that fits a package counts
	may    []string // folders
}

// adapters may lean on the domain and on plain data.
var adapters = []string{"shared/survey", "shared/score", "shared/topology", "shared/config"}

var layers = []layer{
	{"shared/survey", nil},
	{"shared/score", []string{"shared/survey"}},
	{"shared/signin", []string{"shared/survey"}},
	{"shared/audit", []string{"shared/survey"}},
	{"shared/theme", nil},
	{"shared/obs", nil},
	{"shared/topology", nil},
	{"shared/config", nil},
	{"shared/asking", []string{"shared/survey"}},
	{"shared/address", []string{"shared/survey"}},
	{"shared/revision", []string{"events", "shared/survey", "shared/asking", "shared/gsm", "shared/message"}},
	{"shared/store", append([]string{"shared/asking"}, adapters...)},
	{"shared/awsenv", []string{"shared/config"}},
	{"shared/batch", nil},
	{"shared/queue", append([]string{"shared/batch"}, adapters...)},
	{"shared/schedule", append([]string{"shared/queue"}, adapters...)},
	{"shared/bus", append([]string{"events", "shared/batch"}, adapters...)},
	{"shared/files", adapters},
	{"shared/secret", adapters},
	{"shared/mail", append([]string{"shared/message"}, adapters...)},
	{"shared/gsm", nil},
	{"shared/sms", append([]string{"shared/message", "shared/gsm"}, adapters...)},
	{"shared/message", append([]string{"shared/web", "shared/gsm"}, adapters...)},
	{"shared/apigw", append([]string{"shared/web"}, adapters...)},
	{"shared/table", nil},
	{"shared/web", adapters},
	{"shared/popup", []string{"shared/survey", "shared/web"}},
	{"shared/testkit", append([]string{"shared/testkit", "shared/store", "shared/apigw"}, adapters...)},
	{"events", nil},
	{"infra", []string{"infra", "shared/topology", "shared/config", "shared/web", "events"}},
	{"functions", []string{"functions", "shared", "events"}},
	{"scripts", []string{"scripts", "shared", "events"}},
	{"scripts/contacts", []string{"scripts", "shared", "events", "functions/intake"}},
	{"scripts/erase", []string{"scripts", "shared", "events", "functions/intake"}},
	{"scripts/dev", []string{"scripts", "shared", "events", "functions"}},
	{"scripts/load", []string{"scripts", "shared", "events", "functions"}},
	{"scripts/bench", []string{"scripts", "shared", "events", "functions"}},
}

// pure packages import the standard library, and our own pure ones, alone.
// Events is not one: a library holds what comes to its JSON Schemas.
var pure = []string{"shared/survey", "shared/obs", "shared/signin", "shared/audit", "shared/score", "shared/asking", "shared/topology", "shared/config", "shared/batch", "shared/gsm"}

// violations lists what in the graph breaks a rule, in order.
func violations(g graph) []string {
	var out []string
	bad := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for path, p := range g {
		rule, ok := rule(path)
		if !ok {
			bad("%s is in no layer", path)
			continue
		}
		for _, i := range p.Imports {
			switch _, ours := g[i]; {
			case ours && !slices.ContainsFunc(rule.may, func(folder string) bool { return under(i, folder) }):
				bad("%s imports %s", path, i)
			case ours && under(i, "shared/testkit") && !under(path, "shared/testkit") && !under(path, "scripts"):
				bad("%s imports %s, which is for tests", path, i)
			case ours && under(path, "functions") && under(i, "functions") && filepath.Dir(path) != i:
				bad("%s imports another function, %s", path, i)
			case !ours && strings.Contains(i, ".") && slices.Contains(pure, path):
				bad("%s imports %s, and should be pure", path, i)
			}
		}
		if !under(path, "infra") && slices.ContainsFunc(p.Deps, func(d string) bool {
			return under(d, "github.com/aws/aws-cdk-go") || under(d, "github.com/aws/jsii-runtime-go")
		}) {
			bad("%s links CDK, which is for infra", path)
		}
		if path == "shared" {
			bad("shared has Go files of its own")
		}
		program := path == "infra" || under(path, "scripts") || under(path, "functions") && filepath.Base(path) == "lambda"
		if p.Name == "main" && !program {
			bad("%s is a program", path)
		}
	}
	slices.Sort(out)
	return out
}

// rule returns the layer of a package: the one with the longest folder.
func rule(path string) (layer, bool) {
	var best layer
	for _, l := range layers {
		if under(path, l.folder) && len(l.folder) > len(best.folder) {
			best = l
		}
	}
	return best, best.folder != "" || path == "shared"
}

// under reports whether a package is a folder or below it.
func under(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

func TestDirectionOfImports(t *testing.T) {
	lookAtSources(t)
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Imports,Deps", "./...")
	cmd.Dir = ".."
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	g := graph{}
	for d := json.NewDecoder(stdout); ; {
		var p struct {
			ImportPath string
			pkg
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for i := range p.Imports {
			p.Imports[i] = strings.TrimPrefix(p.Imports[i], module)
		}
		g[strings.TrimPrefix(p.ImportPath, module)] = p.pkg
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("go list: %v: %s", err, &stderr)
	}
	if len(g) < 20 {
		t.Fatalf("go list names %d packages, want all", len(g))
	}
	for _, v := range violations(g) {
		t.Error(v)
	}
}

// lookAtSources opens every folder of sources. go test takes a result from its
// cache until something changes that the test itself has opened; what go list
// opens it does not see.
func lookAtSources(t *testing.T) {
	t.Helper()
	for _, top := range []string{"events", "functions", "infra", "scripts", "shared"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			if d.Name() == "node_modules" {
				return fs.SkipDir
			}
			folder, err := os.Open(path)
			if err != nil {
				return err
			}
			return folder.Close()
		})
		// A fresh clone lacks the folders that have no files yet.
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

func TestViolationsAreFound(t *testing.T) {
	sound := func() graph {
		return graph{
			"shared/survey":           {Name: "survey", Imports: []string{"time"}},
			"shared/score":            {Name: "score", Imports: []string{"shared/survey"}},
			"shared/topology":         {Name: "topology"},
			"shared/store":            {Name: "store", Imports: []string{"shared/survey", "github.com/aws/aws-sdk-go-v2/aws"}},
			"shared/testkit":          {Name: "testkit", Imports: []string{"shared/store"}},
			"events":                  {Name: "events"},
			"functions/answer":        {Name: "answer", Imports: []string{"shared/store"}},
			"functions/answer/lambda": {Name: "main", Imports: []string{"functions/answer"}},
			"functions/vote":          {Name: "vote"},
			"infra":                   {Name: "main", Imports: []string{"infra/stack"}},
			"infra/stack":             {Name: "stack", Imports: []string{"shared/topology"}},
			"scripts/dev":             {Name: "main", Imports: []string{"functions/answer", "shared/testkit"}},
			"scripts/apply":           {Name: "main"},
		}
	}
	if v := violations(sound()); len(v) > 0 {
		t.Fatalf("a sound graph has violations: %q", v)
	}
	for _, c := range []struct {
		path string
		pkg  pkg
		want string
	}{
		{"shared/survey", pkg{Imports: []string{"shared/score"}}, "shared/survey imports shared/score"},
		{"shared/survey", pkg{Imports: []string{"github.com/aws/aws-sdk-go-v2/aws"}}, "should be pure"},
		{"shared/score", pkg{Imports: []string{"shared/store"}}, "shared/score imports shared/store"},
		{"shared/store", pkg{Imports: []string{"functions/answer"}}, "shared/store imports functions/answer"},
		{"shared/store", pkg{Imports: []string{"shared/testkit"}}, "shared/store imports shared/testkit"},
		{"functions/answer", pkg{Imports: []string{"functions/vote"}}, "another function"},
		{"functions/answer", pkg{Imports: []string{"shared/testkit"}}, "which is for tests"},
		{"functions/answer", pkg{Imports: []string{"infra/stack"}}, "functions/answer imports infra/stack"},
		{"functions/answer", pkg{Deps: []string{"github.com/aws/jsii-runtime-go/runtime"}}, "functions/answer links CDK"},
		{"shared/store", pkg{Deps: []string{"github.com/aws/aws-cdk-go/awscdk/v2"}}, "shared/store links CDK"},
		{"scripts/apply", pkg{Imports: []string{"shared/testkit"}, Deps: []string{"github.com/aws/jsii-runtime-go"}}, "scripts/apply links CDK"},
		{"functions/answer/lambda", pkg{Name: "main", Imports: []string{"functions/vote"}}, "another function"},
		{"functions/answer/lambda", pkg{Name: "main", Imports: []string{"shared/testkit"}}, "which is for tests"},
		{"functions/answer", pkg{Name: "main"}, "is a program"},
		{"infra/stack", pkg{Imports: []string{"shared/store"}}, "infra/stack imports shared/store"},
		{"scripts/apply", pkg{Imports: []string{"functions/answer"}}, "scripts/apply imports functions/answer"},
		{"scripts/dev", pkg{Imports: []string{"infra/stack"}}, "scripts/dev imports infra/stack"},
		{"events", pkg{Imports: []string{"shared/survey"}}, "events imports shared/survey"},
		{"shared", pkg{Name: "shared"}, "Go files of its own"},
		{"tools", pkg{}, "in no layer"},
	} {
		g := sound()
		g[c.path] = c.pkg
		v := violations(g)
		if len(v) != 1 || !strings.Contains(v[0], c.want) {
			t.Errorf("%s as %+v: violations %q, want one with %q", c.path, c.pkg, v, c.want)
		}
	}
}
