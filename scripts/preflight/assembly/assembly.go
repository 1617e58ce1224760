// Package assembly reads what `cdk synth` wrote, the cloud assembly: the stacks
// of one deployment with their templates, as they are going to be deployed.
package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/topology"
)

// prefix begins the names of a deployment's stacks; the stage follows.
const prefix = "pulssi-"

// Assembly is the deployment of one stage. Stacks has at least one; the first
// has the name that those of the others begin with.
type Assembly struct {
	Stacks []Stack
}

// Stack is one stack with its template.
type Stack struct {
	Name   string
	Region string
	// Account is the one that it is for, "" for that of the credentials.
	Account string
	// Bootstrap is the least version of CDK's bootstrap that it needs, 0 for
	// any.
	Bootstrap int
	Resources map[string]Resource // by logical id
}

// Resource is one resource of a template.
type Resource struct {
	Type       string
	Properties map[string]any
}

// The types of resources that have a name of their own here and can be looked
// for, and the properties that their names are in.
const (
	Table    = "AWS::DynamoDB::Table"
	Bucket   = "AWS::S3::Bucket"
	Secret   = "AWS::SecretsManager::Secret"
	Identity = "AWS::SES::EmailIdentity"
)

var names = map[string]string{Table: "TableName", Bucket: "BucketName", Secret: "Name", Identity: "EmailIdentity"}

// Named is a resource of one of these types with its name.
type Named struct {
	Type string
	Name string
}

// Read reads the folder that `cdk synth` wrote to. The error says what to run
// where there is none, or none of Pulssi.
func Read(dir string) (Assembly, error) {
	var manifest struct {
		Artifacts map[string]struct {
			Type        string
			Environment string
			Properties  struct {
				StackName                     string
				TemplateFile                  string
				RequiresBootstrapStackVersion int
			}
		}
	}
	if err := read(filepath.Join(dir, "manifest.json"), &manifest); err != nil {
		return Assembly{}, err
	}
	var a Assembly
	for _, id := range slices.Sorted(maps.Keys(manifest.Artifacts)) {
		artifact := manifest.Artifacts[id]
		if artifact.Type != "aws:cloudformation:stack" {
			continue
		}
		s := Stack{Name: id, Bootstrap: artifact.Properties.RequiresBootstrapStackVersion}
		if name := artifact.Properties.StackName; name != "" {
			s.Name = name
		}
		var err error
		if s.Account, s.Region, err = environment(artifact.Environment); err != nil {
			return Assembly{}, fmt.Errorf("the stack %s of %s: %w", s.Name, dir, err)
		}
		var template struct{ Resources map[string]Resource }
		if err := read(filepath.Join(dir, filepath.Base(artifact.Properties.TemplateFile)), &template); err != nil {
			return Assembly{}, err
		}
		s.Resources = template.Resources
		a.Stacks = append(a.Stacks, s)
	}
	slices.SortFunc(a.Stacks, func(x, y Stack) int { return strings.Compare(x.Name, y.Name) })
	return a, a.check(dir)
}

// read decodes a JSON file.
func read(file string, out any) error {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s: run `make synth` first, with the CONTEXT of the deployment", file)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("%s is not as CDK writes it, run `make synth` again: %w", file, err)
	}
	return nil
}

// environment splits aws://ACCOUNT/REGION.
func environment(s string) (account, region string, err error) {
	rest, ok := strings.CutPrefix(s, "aws://")
	account, region, found := strings.Cut(rest, "/")
	if !ok || !found || account == "" || region == "" || region == "unknown-region" {
		return "", "", fmt.Errorf("it is for no region, but for %q", s)
	}
	if account == "unknown-account" {
		account = ""
	}
	return account, region, nil
}

// check returns an error where the stacks are not those of one stage.
func (a Assembly) check(dir string) error {
	if len(a.Stacks) == 0 {
		return fmt.Errorf("%s has no stacks: run `make synth` again", dir)
	}
	first := a.Stacks[0].Name
	if !strings.HasPrefix(first, prefix) || first == prefix {
		return fmt.Errorf("the stack %s of %s is not one of Pulssi, whose names begin with %s", first, dir, prefix)
	}
	for _, s := range a.Stacks[1:] {
		if !strings.HasPrefix(s.Name, first+"-") {
			return fmt.Errorf("the stacks %s and %s of %s are not of one deployment", first, s.Name, dir)
		}
	}
	return nil
}

// Name is that of the deployment, pulssi-STAGE, and of its first stack.
func (a Assembly) Name() string { return a.Stacks[0].Name }

// Region is that of the deployment.
func (a Assembly) Region() string { return a.Stacks[0].Region }

// Stage is that of the deployment.
func (a Assembly) Stage() string { return strings.TrimPrefix(a.Name(), prefix) }

// OtherStage is the one that can be deployed beside it.
func (a Assembly) OtherStage() string {
	if a.Stage() == "prod" {
		return "dev"
	}
	return "prod"
}

// Regions lists the regions of all stacks, in order.
func (a Assembly) Regions() []string {
	all := map[string]bool{}
	for _, s := range a.Stacks {
		all[s.Region] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// Responses is the name of the table of the answers, and the region it is in.
func (a Assembly) Responses() (region, name string) {
	return a.Region(), a.Name() + "-" + topology.Responses.Name
}

// Sender returns whom e-mails are to come from, as the function that sends them
// is told: an address, alone or with a name before it; "" where no e-mails are
// sent. The error says that no function sends.
func (a Assembly) Sender() (string, error) {
	name := a.Name() + "-" + string(topology.Send)
	for _, s := range a.Stacks {
		for _, r := range s.Resources {
			if r.Type != "AWS::Lambda::Function" || r.Properties["FunctionName"] != name {
				continue
			}
			environment, _ := r.Properties["Environment"].(map[string]any)
			variables, _ := environment["Variables"].(map[string]any)
			switch sender := variables[config.Sender].(type) {
			case nil:
				return "", nil
			case string:
				return sender, nil
			default:
				return "", fmt.Errorf("%s of the function %s is no text", config.Sender, name)
			}
		}
	}
	return "", fmt.Errorf("there is no function %s", name)
}

// Named lists the stack's resources with a name of their own, in order, as they
// are called in an account. The error names one whose name cannot be told
// beforehand.
func (s Stack) Named(account string) ([]Named, error) {
	var out []Named
	for _, id := range slices.Sorted(maps.Keys(s.Resources)) {
		r := s.Resources[id]
		property, ok := names[r.Type]
		if !ok || r.Properties[property] == nil {
			continue
		}
		name, ok := s.text(r.Properties[property], account)
		if !ok {
			return nil, fmt.Errorf("the %s of %s in %s is made of what is known after the deployment only", property, id, s.Name)
		}
		out = append(out, Named{r.Type, name})
	}
	slices.SortFunc(out, func(x, y Named) int {
		return strings.Compare(x.Type+" "+x.Name, y.Type+" "+y.Name)
	})
	return out, nil
}

// Staying returns the types of the resources of a deployed template that stay when
// its stack is deleted, by logical id. CDK writes templates as JSON, and after an
// import as YAML, of which that is a part.
func Staying(template []byte) (map[string]string, error) {
	var t struct {
		Resources map[string]struct {
			Type           string `yaml:"Type"`
			DeletionPolicy string `yaml:"DeletionPolicy"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(template, &t); err != nil {
		return nil, fmt.Errorf("it is not as CDK writes it: %w", err)
	}
	out := map[string]string{}
	for id, r := range t.Resources {
		if strings.HasPrefix(r.DeletionPolicy, "Retain") { // RetainExceptOnCreate too
			out[id] = r.Type
		}
	}
	return out, nil
}

// text returns what CloudFormation makes of a value, where that is a text, the
// account, the region, or these joined.
func (s Stack) text(v any, account string) (string, bool) {
	if text, ok := v.(string); ok {
		return text, true
	}
	function, ok := v.(map[string]any)
	if !ok || len(function) != 1 {
		return "", false
	}
	switch function["Ref"] {
	case "AWS::AccountId":
		return account, true
	case "AWS::Region":
		return s.Region, true
	}
	join, _ := function["Fn::Join"].([]any)
	if len(join) != 2 {
		return "", false
	}
	separator, ok := join[0].(string)
	parts, isList := join[1].([]any)
	if !ok || !isList {
		return "", false
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		if texts[i], ok = s.text(p, account); !ok {
			return "", false
		}
	}
	return strings.Join(texts, separator), true
}
