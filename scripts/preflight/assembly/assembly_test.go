package assembly

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const account = "123456789012"

func TestAWholeAssembly(t *testing.T) {
	a, err := Read(filepath.Join("testdata", "whole"))
	if err != nil {
		t.Fatal(err)
	}
	var stacks []string
	for _, s := range a.Stacks {
		stacks = append(stacks, fmt.Sprintf("%s in %q %s, %d", s.Name, s.Account, s.Region, s.Bootstrap))
	}
	want := []string{`pulssi-STAGE in "" REGION, 6`, `pulssi-STAGE-data in "" REGION, 6`, `pulssi-STAGE-edge in "" us-east-1, 6`}
	if d := cmp.Diff(want, stacks); d != "" {
		t.Errorf("stacks (-want +got):\n%s", d)
	}
	if a.Name() != "pulssi-STAGE" || a.Stage() != "STAGE" || a.Region() != "REGION" || !slices.Equal(a.Regions(), []string{"REGION", "us-east-1"}) {
		t.Errorf("it is %s, of the stage %s, in %s, of %v", a.Name(), a.Stage(), a.Region(), a.Regions())
	}
	if region, table := a.Responses(); region != "REGION" || table != "pulssi-STAGE-responses" {
		t.Errorf("answers are in %s, %s", region, table)
	}
	if sender, err := a.Sender(); err != nil || sender != "ADDRESS" {
		t.Errorf("the sender is %q, %v", sender, err)
	}
	named, err := a.Stacks[1].Named(account)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Named{
		{Table, "pulssi-STAGE-responses"}, {Table, "pulssi-STAGE-tallies"}, {Bucket, "pulssi-STAGE-files-123456789012-REGION"}, {Secret, "pulssi-STAGE-asks"},
	}, named); d != "" {
		t.Errorf("names (-want +got):\n%s", d)
	}
}

// folder writes files, by their names, into a folder of their own.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// stack is one artifact of a manifest.
func stack(name, environment string) string {
	return fmt.Sprintf(`%q: {"type": "aws:cloudformation:stack", "environment": %q, "properties": {"templateFile": "t.json"}}`, name, environment)
}

func TestWhatCannotBeRead(t *testing.T) {
	const here = "aws://unknown-account/eu-north-1"
	for name, c := range map[string]struct {
		manifest, template, want string // "" for no such file
	}{
		"nothing":              {"", "", "there is no "},
		"no template":          {`{"artifacts": {` + stack("pulssi-dev", here) + `}}`, "", "t.json: run `make synth` first"},
		"no JSON":              {"<html>", "{}", "manifest.json is not as CDK writes it, run `make synth` again: "},
		"another JSON":         {`{"artifacts": []}`, "{}", "manifest.json is not as CDK writes it"},
		"half a template":      {`{"artifacts": {` + stack("pulssi-dev", here) + `}}`, `{"Resources": {`, "t.json is not as CDK writes it"},
		"no stacks":            {`{"artifacts": {"Tree": {"type": "cdk:tree"}}}`, "{}", "has no stacks: run `make synth` again"},
		"no region":            {`{"artifacts": {` + stack("pulssi-dev", "aws://unknown-account/unknown-region") + `}}`, "{}", "the stack pulssi-dev"},
		"no environment":       {`{"artifacts": {` + stack("pulssi-dev", "") + `}}`, "{}", `it is for no region, but for ""`},
		"somebody else's":      {`{"artifacts": {` + stack("shop", here) + `}}`, "{}", "the stack shop of "},
		"a name without stage": {`{"artifacts": {` + stack("pulssi-", here) + `}}`, "{}", "whose names begin with pulssi-"},
		"two deployments":      {`{"artifacts": {` + stack("pulssi-dev", here) + `,` + stack("pulssi-prod", here) + `}}`, "{}", "pulssi-dev and pulssi-prod"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"manifest.json": c.manifest, "t.json": c.template}
			for f, text := range files {
				if text == "" {
					delete(files, f)
				}
			}
			if _, err := Read(folder(t, files)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// one reads an assembly of one stack with these resources.
func one(t testing.TB, environment, resources string) Assembly {
	t.Helper()
	a, err := Read(folder(t, map[string]string{
		"manifest.json": `{"artifacts": {` + stack("pulssi-dev", environment) + `}}`, "t.json": `{"Resources": ` + resources + `}`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestNames(t *testing.T) {
	for value, want := range map[string]string{
		`"plain"`:                   "plain",
		`{"Ref": "AWS::AccountId"}`: account,
		`{"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}, {"Fn::Join": ["", ["b", "c"]]}]]}`: "a-eu-north-1-bc",
		`{"Ref": "Parameter"}`:                        "",
		`{"Fn::GetAtt": ["Other", "Name"]}`:           "",
		`{"Fn::Join": "a"}`:                           "",
		`{"Fn::Join": [1, ["a"]]}`:                    "",
		`{"Fn::Join": ["", "a"]}`:                     "",
		`{"Fn::Join": ["", ["a", {"Ref": "Other"}]]}`: "",
		`{"Ref": "AWS::Region", "x": 1}`:              "",
		`7`:                                           "",
	} {
		a := one(t, "aws://unknown-account/eu-north-1", `{"T": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": `+value+`}}}`)
		named, err := a.Stacks[0].Named(account)
		switch {
		case want == "" && (err == nil || !strings.Contains(err.Error(), "the TableName of T in pulssi-dev")):
			t.Errorf("%s: %v, error %v", value, named, err)
		case want != "" && (err != nil || !slices.Equal(named, []Named{{Table, want}})):
			t.Errorf("%s: %v, error %v", value, named, err)
		}
	}
	a := one(t, "aws://unknown-account/eu-north-1", `{"T": {"Type": "AWS::DynamoDB::Table"}, "Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}}}`)
	if named, err := a.Stacks[0].Named(account); err != nil || len(named) > 0 {
		t.Errorf("what CloudFormation names, and what is not looked for: %v, %v", named, err)
	}
}

func TestStaying(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "whole", "pulssi-STAGE-data.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	for template, want := range map[string]map[string]string{
		string(b): {"Tableresponses78ECF75E": Table, "Tabletallies71DA4D0F": Table, "FilesBucket7C17EE2E": Bucket, "SendingSecret26484A0E": Secret},
		// As `cdk import` has CloudFormation keep it.
		"Resources:\n  T:\n    Type: AWS::DynamoDB::Table\n    DeletionPolicy: RetainExceptOnCreate\n  Q:\n    Type: AWS::SQS::Queue\n    DeletionPolicy: Delete\n": {"T": Table},
		"{}": {},
	} {
		got, err := Staying([]byte(template))
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", template, err, d)
		}
	}
	if _, err := Staying([]byte(`{"Resources": [`)); err == nil || !strings.Contains(err.Error(), "not as CDK writes it") {
		t.Errorf("half a template: %v", err)
	}
}

func TestTheSender(t *testing.T) {
	function := func(name, environment string) string {
		return `{"F": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "` + name + `"` + environment + `}}}`
	}
	for resources, want := range map[string]string{
		function("pulssi-dev-send", `, "Environment": {"Variables": {"PULSSI_SENDER": "Example <a@example.com>"}}`): "Example <a@example.com>",
		function("pulssi-dev-send", `, "Environment": {"Variables": {"PULSSI_SENDER": ""}}`):                        "",
		function("pulssi-dev-send", `, "Environment": {"Variables": {}}`):                                           "",
		function("pulssi-dev-send", ""): "",
	} {
		if got, err := one(t, "aws://unknown-account/eu-north-1", resources).Sender(); err != nil || got != want {
			t.Errorf("%s: %q, %v", resources, got, err)
		}
	}
	for resources, want := range map[string]string{
		function("pulssi-dev-tally", ""): "there is no function pulssi-dev-send",
		function("pulssi-dev-send", `, "Environment": {"Variables": {"PULSSI_SENDER": {"Ref": "X"}}}`): "PULSSI_SENDER of the function pulssi-dev-send is no text",
	} {
		if got, err := one(t, "aws://unknown-account/eu-north-1", resources).Sender(); err == nil || err.Error() != want {
			t.Errorf("%s: %q, error %v, want %s", resources, got, err, want)
		}
	}
}

func TestAnAccountOfItsOwn(t *testing.T) {
	if a := one(t, "aws://"+account+"/eu-west-1", "{}"); a.Stacks[0].Account != account || a.Region() != "eu-west-1" {
		t.Errorf("it is for %s in %s", a.Stacks[0].Account, a.Region())
	}
}

// FuzzRead has whatever is in the files be an error or an assembly that all can
// be asked of.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"pulssi-STAGE-data", "pulssi-STAGE", "pulssi-STAGE-edge"} {
		b, err := os.ReadFile(filepath.Join("testdata", "whole", name+".template.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(`{"artifacts": {`+stack("pulssi-dev", "aws://unknown-account/eu-north-1")+`}}`, string(b))
	}
	f.Add(`{"artifacts": {"pulssi-x": {"type": "aws:cloudformation:stack", "environment": "aws://1/r", "properties": {"stackName": "pulssi-y", "templateFile": "../../t.json"}}}}`, `{"Resources": {"A": null}}`)
	f.Add(`null`, `null`)
	f.Fuzz(func(t *testing.T, manifest, template string) {
		a, err := Read(folder(t, map[string]string{"manifest.json": manifest, "t.json": template}))
		if err != nil {
			return
		}
		if a.Stage() == "" || a.Region() == "" || !strings.HasPrefix(a.Name(), "pulssi-") || len(a.Regions()) == 0 {
			t.Errorf("it is %q in %q, of %v", a.Name(), a.Region(), a.Regions())
		}
		_, _ = a.Sender()
		for _, s := range a.Stacks {
			if !strings.HasPrefix(s.Name, a.Name()) || s.Region == "" {
				t.Errorf("the stack %q of %q is in %q", s.Name, a.Name(), s.Region)
			}
			if _, err := s.Named(account); err != nil && !strings.Contains(err.Error(), s.Name) {
				t.Errorf("an error that does not name the stack: %v", err)
			}
		}
	})
}
