package grants

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/pulssi/pulssi/shared/topology"
)

// place is where the templates are thought to be deployed.
type place struct {
	account, region string
	prefix          string // of names: pulssi-dev-
}

// deployment is the templates of all stacks.
type deployment struct {
	place
	stacks  []*stack
	exports map[string]export
}

// export is what a stack tells the others.
type export struct {
	from  *stack
	value any
}

// stack is one template.
type stack struct {
	Resources map[string]resource
	Outputs   map[string]struct {
		Value  any
		Export *struct{ Name any }
	}
	of *deployment
}

type resource struct {
	Type       string
	Properties map[string]any
}

// function is a function as it is deployed.
type function struct {
	name        topology.Function
	environment map[string]string
	grants      []grant
}

// ofCDK begins the ids of what CDK adds, functions with roles, so that the stacks
// of one region learn of those of another. Neither their code is ours nor what
// they may do.
const ofCDK = "CustomCrossRegionExport"

// read reads the templates of a deployment. The error names the file.
func read(at place, files ...string) (*deployment, error) {
	d := &deployment{place: at, exports: map[string]export{}}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		s := &stack{of: d}
		if err := json.Unmarshal(b, s); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		maps.DeleteFunc(s.Resources, func(id string, _ resource) bool { return strings.HasPrefix(id, ofCDK) })
		d.stacks = append(d.stacks, s)
		for id, o := range s.Outputs {
			if o.Export == nil {
				continue
			}
			name, err := s.text(o.Export.Name)
			if err != nil {
				return nil, fmt.Errorf("%s: the export of %s: %w", file, id, err)
			}
			d.exports[name] = export{s, o.Value}
		}
	}
	return d, nil
}

// each calls do for every resource of a type.
func (d *deployment) each(kind string, do func(s *stack, id string, r resource) error) error {
	for _, s := range d.stacks {
		for id, r := range s.Resources {
			if r.Type != kind {
				continue
			}
			if err := do(s, id, r); err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
		}
	}
	return nil
}

// names returns the names of all resources of a type.
func (d *deployment) names(kind string) (out []string, err error) {
	err = d.each(kind, func(s *stack, id string, _ resource) error {
		name, err := s.name(id)
		out = append(out, name)
		return err
	})
	return out, err
}

// functions returns the functions with what their roles allow, by name.
func (d *deployment) functions() ([]function, error) {
	roles, err := d.roles()
	if err != nil {
		return nil, err
	}
	var out []function
	err = d.each("AWS::Lambda::Function", func(s *stack, id string, r resource) error {
		name, err := s.name(id)
		if err != nil {
			return err
		}
		f := function{name: topology.Function(strings.TrimPrefix(name, d.prefix)), environment: map[string]string{}}
		role, err := s.text(r.Properties["Role"])
		if err != nil {
			return fmt.Errorf("the role: %w", err)
		}
		for _, g := range roles[role] {
			g.function = f.name
			f.grants = append(f.grants, g)
		}
		environment, _ := r.Properties["Environment"].(map[string]any)
		variables, _ := environment["Variables"].(map[string]any)
		for k, v := range variables {
			if f.environment[k], err = s.text(v); err != nil {
				return fmt.Errorf("the variable %s: %w", k, err)
			}
		}
		out = append(out, f)
		return nil
	})
	slices.SortFunc(out, func(a, b function) int { return strings.Compare(string(a.name), string(b.name)) })
	return out, err
}

// roles returns what each role allows, by the role's ARN.
func (d *deployment) roles() (map[string][]grant, error) {
	out := map[string][]grant{}
	policy := func(s *stack, _ string, r resource) error {
		grants, err := s.policy(r.Properties["PolicyDocument"])
		if err != nil {
			return err
		}
		for _, v := range list(r.Properties["Roles"]) {
			name, err := s.text(v)
			if err != nil {
				return err
			}
			role := d.fill(kinds["AWS::IAM::Role"].arn, name)
			out[role] = append(out[role], grants...)
		}
		return nil
	}
	role := func(s *stack, id string, r resource) error {
		if managed := list(r.Properties["ManagedPolicyArns"]); len(managed) > 0 {
			return fmt.Errorf("nothing is known of what a managed policy allows: %v", managed)
		}
		name, err := s.name(id)
		if err != nil {
			return err
		}
		arn := d.fill(kinds[r.Type].arn, name)
		for _, p := range list(r.Properties["Policies"]) {
			document, _ := p.(map[string]any)
			grants, err := s.policy(document["PolicyDocument"])
			if err != nil {
				return err
			}
			out[arn] = append(out[arn], grants...)
		}
		return nil
	}
	return out, errors.Join(d.each("AWS::IAM::Policy", policy), d.each("AWS::IAM::ManagedPolicy", policy), d.each("AWS::IAM::Role", role))
}

// policy returns what a policy allows. What it cannot read, such as a Deny, or
// a condition of more than one key, is an error, as it would be taken for more
// or less than it is.
func (s *stack) policy(document any) ([]grant, error) {
	var out []grant
	body, _ := document.(map[string]any)
	for _, v := range list(body["Statement"]) {
		statement, _ := v.(map[string]any)
		if statement["Effect"] != "Allow" || statement["NotAction"] != nil {
			return nil, fmt.Errorf("a statement that is not read: %v", statement)
		}
		only, err := s.condition(statement["Condition"])
		if err != nil {
			return nil, err
		}
		resources, but := list(statement["Resource"]), false
		if not := list(statement["NotResource"]); len(not) > 0 {
			if len(not) > 1 {
				return nil, fmt.Errorf("a statement that is not read: %v", statement)
			}
			resources, but = not, true
		}
		for _, a := range list(statement["Action"]) {
			for _, r := range resources {
				action, err1 := s.text(a)
				resource, err2 := s.text(r)
				if err := errors.Join(err1, err2); err != nil {
					return nil, err
				}
				out = append(out, grant{action: action, resource: resource, but: but, only: only})
			}
		}
	}
	return out, nil
}

func (s *stack) condition(v any) (condition, error) {
	if v == nil {
		return condition{}, nil
	}
	operators, _ := v.(map[string]any)
	equals, _ := operators["StringEquals"].(map[string]any)
	if len(operators) != 1 || len(equals) != 1 {
		return condition{}, fmt.Errorf("a condition that is not read: %v", v)
	}
	var out condition
	for key, value := range equals {
		text, err := s.text(value)
		if err != nil {
			return condition{}, err
		}
		out = condition{key, text}
	}
	return out, nil
}

// list returns a list, of which a template may write a single one without
// brackets; nil for none.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// text returns a value of the template as CloudFormation would make it.
func (s *stack) text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case map[string]any:
		for name, argument := range v {
			if len(v) == 1 {
				return s.intrinsic(name, argument)
			}
		}
	}
	return "", fmt.Errorf("what is not a text: %v", v)
}

func (s *stack) intrinsic(name string, argument any) (string, error) {
	args := list(argument)
	switch {
	case name == "Ref":
		return s.reference(fmt.Sprint(argument))
	case name == "Fn::GetAtt" && len(args) == 2:
		return s.reference(fmt.Sprint(args[0]) + "." + fmt.Sprint(args[1]))
	case name == "Fn::GetAtt":
		return s.reference(fmt.Sprint(argument))
	case name == "Fn::Join" && len(args) == 2:
		var parts []string
		for _, v := range list(args[1]) {
			part, err := s.text(v)
			if err != nil {
				return "", err
			}
			parts = append(parts, part)
		}
		return strings.Join(parts, fmt.Sprint(args[0])), nil
	case name == "Fn::Sub":
		return s.substitute(args)
	case name == "Fn::ImportValue":
		exported, err := s.text(argument)
		if err != nil {
			return "", err
		}
		from, ok := s.of.exports[exported]
		if !ok {
			return "", fmt.Errorf("no template exports %s", exported)
		}
		return from.from.text(from.value)
	}
	return "", fmt.Errorf("what is not read: %s %v", name, argument)
}

var placeholder = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// substitute is Fn::Sub: a text, and values of its own for what is in it.
func (s *stack) substitute(args []any) (string, error) {
	own := map[string]any{}
	if len(args) == 2 {
		own, _ = args[1].(map[string]any)
	}
	var errs []error
	out := placeholder.ReplaceAllStringFunc(fmt.Sprint(args[0]), func(p string) string {
		name := placeholder.FindStringSubmatch(p)[1]
		var text string
		var err error
		if v, ok := own[name]; ok {
			text, err = s.text(v)
		} else {
			text, err = s.reference(name)
		}
		errs = append(errs, err)
		return text
	})
	return out, errors.Join(errs...)
}

// kinds are how resources are named: the property with the name, what Ref
// makes of it, and the ARN (Service Authorization Reference: resource types;
// CloudFormation Template Reference: return values).
var kinds = map[string]struct{ property, ref, arn string }{
	"AWS::DynamoDB::Table":          {"TableName", "NAME", "arn:aws:dynamodb:REGION:ACCOUNT:table/NAME"},
	"AWS::Events::EventBus":         {"Name", "NAME", "arn:aws:events:REGION:ACCOUNT:event-bus/NAME"},
	"AWS::IAM::Role":                {"RoleName", "NAME", "arn:aws:iam::ACCOUNT:role/NAME"},
	"AWS::Lambda::Function":         {"FunctionName", "NAME", "arn:aws:lambda:REGION:ACCOUNT:function:NAME"},
	"AWS::Logs::LogGroup":           {"LogGroupName", "NAME", "arn:aws:logs:REGION:ACCOUNT:log-group:NAME:*"},
	"AWS::S3::Bucket":               {"BucketName", "NAME", "arn:aws:s3:::NAME"},
	"AWS::SES::ConfigurationSet":    {"Name", "NAME", "arn:aws:ses:REGION:ACCOUNT:configuration-set/NAME"},
	"AWS::SNS::Topic":               {"TopicName", "arn:aws:sns:REGION:ACCOUNT:NAME", "arn:aws:sns:REGION:ACCOUNT:NAME"},
	"AWS::SQS::Queue":               {"QueueName", "https://sqs.REGION.amazonaws.com/ACCOUNT/NAME", "arn:aws:sqs:REGION:ACCOUNT:NAME"},
	"AWS::Scheduler::ScheduleGroup": {"Name", "NAME", "arn:aws:scheduler:REGION:ACCOUNT:schedule-group/NAME"},
	"AWS::SecretsManager::Secret":   {"Name", secretARN, secretARN},
}

// secretARN has six letters at its end that Secrets Manager makes up.
const secretARN = "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-AbCdEf"

func (p place) fill(pattern, name string) string {
	return strings.NewReplacer("REGION", p.region, "ACCOUNT", p.account, "NAME", name).Replace(pattern)
}

// name returns the name of a resource; its logical id where the template leaves
// the name to CloudFormation.
func (s *stack) name(id string) (string, error) {
	r := s.Resources[id]
	v, ok := r.Properties[kinds[r.Type].property]
	if !ok {
		return id, nil
	}
	return s.text(v)
}

// reference returns what Ref makes of an id, or Fn::GetAtt of an id, a dot and
// an attribute. Of what no policy or variable needs to name exactly it is the
// reference itself.
func (s *stack) reference(to string) (string, error) {
	switch to {
	case "AWS::AccountId":
		return s.of.account, nil
	case "AWS::Region":
		return s.of.region, nil
	case "AWS::Partition":
		return "aws", nil
	case "AWS::URLSuffix":
		return "amazonaws.com", nil
	}
	id, attribute, _ := strings.Cut(to, ".")
	r, ok := s.Resources[id]
	if !ok {
		return "", fmt.Errorf("there is no %s", id)
	}
	kind, ok := kinds[r.Type]
	if !ok {
		return to, nil
	}
	name, err := s.name(id)
	if err != nil {
		return "", err
	}
	switch attribute {
	case "":
		return s.of.fill(kind.ref, name), nil
	case "Arn", "TopicArn":
		return s.of.fill(kind.arn, name), nil
	case "StreamArn":
		return s.of.fill(kind.arn, name) + "/stream/2026-01-01T00:00:00.000", nil
	case "QueueUrl":
		return s.of.fill(kind.ref, name), nil
	case "QueueName", "TopicName", "Name":
		return name, nil
	}
	return to, nil
}
