// Package touchpoints reads a touchpoints file and brings the stored
// definitions, and the rules of asking, in line with it, by a plan that can be
// shown first.
package touchpoints

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/pulssi/pulssi/shared/revision"
	"github.com/pulssi/pulssi/shared/survey"
)

// MaxFile is the most bytes that a file may have.
const MaxFile = 1 << 20

// File is what a touchpoints file says.
type File struct {
	// Touchpoints are without version and series, which are the store's to
	// count.
	Touchpoints []*survey.Touchpoint
	// Asking are the rules of asking, as far as the file states them and
	// without version; nil where it says nothing of them.
	Asking *survey.Rules
}

// file is a touchpoints file: the languages of its texts, in order of
// fallback, the definitions, which may name languages of their own, and the
// rules of asking.
type file struct {
	Locales     []string   `yaml:"locales"`
	Asking      ast.Node   `yaml:"asking"`
	Touchpoints []ast.Node `yaml:"touchpoints"`
}

// Read reads a YAML file; what it returns is valid. The error is every mistake
// joined, each with the file's name, the line and the path of the field:
//
//	touchpoints.yaml:12: touchpoints[2].question.sv must not be empty
func Read(name string, b []byte) (File, error) {
	r := reader{name: name}
	if len(b) > MaxFile {
		return File{}, fmt.Errorf("%s: a touchpoints file has at most %d bytes", name, MaxFile)
	}
	doc, err := parser.ParseBytes(b, 0)
	if err != nil {
		return File{}, r.at(err, nil, "")
	}
	if len(doc.Docs) != 1 {
		return File{}, fmt.Errorf("%s: a touchpoints file is one YAML document", name)
	}
	root := doc.Docs[0].Body
	if root == nil {
		return File{}, fmt.Errorf("%s: the file is empty", name)
	}
	var f file
	if err := yaml.NodeToValue(root, &f, yaml.Strict()); err != nil {
		return File{}, r.at(err, root, "")
	}
	if len(f.Touchpoints) == 0 && f.Asking == nil {
		return File{}, fmt.Errorf("%s: touchpoints must list at least one", name)
	}
	var out File
	var errs []error
	if f.Asking != nil {
		var problems []error
		out.Asking, problems = r.asking(f.Asking)
		errs = append(errs, problems...)
	}
	first := map[string]int{}
	for i, node := range f.Touchpoints {
		path := fmt.Sprintf("touchpoints[%d]", i)
		if node == nil {
			errs = append(errs, r.mistake(root, path, path+" must be a touchpoint"))
			continue
		}
		t := &survey.Touchpoint{}
		if err := yaml.NodeToValue(node, t, yaml.Strict()); err != nil {
			errs = append(errs, r.at(err, node, path+": "))
			continue
		}
		if len(t.Locales) == 0 {
			t.Locales = f.Locales
		}
		errs = append(errs, r.check(t, node, path)...)
		if j, ok := first[t.ID]; ok {
			errs = append(errs, r.mistake(node, "id", fmt.Sprintf("%s.id is that of touchpoints[%d] too", path, j)))
		}
		first[t.ID] = i
		out.Touchpoints = append(out.Touchpoints, t)
	}
	if err := errors.Join(errs...); err != nil {
		return File{}, err
	}
	return out, nil
}

// reader writes mistakes with their place.
type reader struct{ name string }

// asking reads the rules of asking, and returns their mistakes.
func (r reader) asking(node ast.Node) (*survey.Rules, []error) {
	var rules survey.Rules
	if err := yaml.NodeToValue(node, &rules, yaml.Strict()); err != nil {
		return nil, []error{r.at(err, node, "asking: ")}
	}
	errs := r.broken(rules.Validate(), node, "asking")
	if rules.Version != 0 {
		errs = append(errs, r.mistake(node, "version", "asking.version is counted by the store, not set in the file"))
	}
	return &rules, errs
}

// check returns the mistakes of one definition.
func (r reader) check(t *survey.Touchpoint, node ast.Node, path string) []error {
	errs := r.broken(t.Validate(), node, path)
	for field, set := range map[string]bool{"version": t.Version != 0, "series": t.Series != 0} {
		if set {
			errs = append(errs, r.mistake(node, field, path+"."+field+" is counted by the store, not set in the file"))
		}
	}
	if err := revision.CheckEvent(t); err != nil {
		errs = append(errs, r.broken(errors.Join(err), node, path)...)
	}
	return errs
}

// broken returns the mistakes that a Validate has joined.
func (r reader) broken(err error, node ast.Node, path string) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{r.at(err, node, path+".")}
	}
	var errs []error
	for _, err := range joined.Unwrap() {
		if e, ok := errors.AsType[*survey.Error](err); ok {
			errs = append(errs, r.mistake(node, e.Field, path+"."+e.Message))
		} else {
			errs = append(errs, r.at(err, node, path+"."))
		}
	}
	return errs
}

// mistake returns a mistake at a field of a definition: at the line of the
// deepest part of its path that is there.
func (r reader) mistake(node ast.Node, field, message string) error {
	at := node
	for field != "" {
		p, err := yaml.PathString("$." + field)
		if err == nil {
			if found, err := p.FilterNode(node); err == nil && found != nil {
				at = found
				break
			}
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
	return fmt.Errorf("%s:%d: %s", r.name, line(at), message)
}

// at returns a mistake found by the YAML library, which mostly says where; if
// not, it is at node.
func (r reader) at(err error, node ast.Node, prefix string) error {
	message := err.Error()
	n := line(node)
	if e, ok := errors.AsType[yaml.Error](err); ok {
		message = e.GetMessage()
		if t := e.GetToken(); t != nil && t.Position != nil {
			n = t.Position.Line
		}
	}
	if e, ok := errors.AsType[*survey.Error](err); ok {
		message = e.Message
	}
	return fmt.Errorf("%s:%d: %s%s", r.name, n, prefix, message)
}

// line returns the line where a node begins. A mapping's own token is that of
// its first colon, so its first key is asked.
func line(node ast.Node) int {
	for {
		switch n := node.(type) {
		case nil:
			return 1
		case *ast.MappingNode:
			if len(n.Values) == 0 {
				return n.GetToken().Position.Line
			}
			node = n.Values[0].Key
		case *ast.MappingValueNode:
			node = n.Key
		default:
			if t := node.GetToken(); t != nil && t.Position != nil {
				return t.Position.Line
			}
			return 1
		}
	}
}
