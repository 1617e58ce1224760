package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/pulssi/pulssi/scripts/preflight/assembly"
)

// fake is an account of functions. What is nil is not asked.
type fake struct {
	caller    func() (arn.ARN, error)
	stack     func(region, name string) (*stack, error)
	resources func(region, name string) ([]string, error)
	staying   func(region, name string) ([]assembly.Named, error)
	find      func(region string, n assembly.Named) (thing, error)
	identity  func(region, name string) (identity, error)
	standing  func(region string) (standing, error)
	holds     func(region, table string) (bool, error)
}

func (f fake) Caller(context.Context, string) (arn.ARN, error) { return f.caller() }
func (f fake) Stack(_ context.Context, region, name string) (*stack, error) {
	return f.stack(region, name)
}
func (f fake) Resources(_ context.Context, region, name string) ([]string, error) {
	return f.resources(region, name)
}
func (f fake) Staying(_ context.Context, region, name string) ([]assembly.Named, error) {
	return f.staying(region, name)
}
func (f fake) Find(_ context.Context, region string, n assembly.Named) (thing, error) {
	return f.find(region, n)
}
func (f fake) Identity(_ context.Context, region, name string) (identity, error) {
	return f.identity(region, name)
}
func (f fake) Standing(_ context.Context, region string) (standing, error) { return f.standing(region) }
func (f fake) Holds(_ context.Context, region, table string) (bool, error) {
	return f.holds(region, table)
}

const (
	region = "eu-north-1"
	number = "123456789012"
)

// synth writes the assembly of package assembly's testdata for a stage into a
// folder of its own. Further replacements are pairs of texts.
func synth(t *testing.T, stage string, more ...string) string {
	t.Helper()
	dir := t.TempDir()
	replace := strings.NewReplacer(append(more, "STAGE", stage, "REGION", region, "ADDRESS", "Example <feedback@shop.example.com>")...)
	from := filepath.Join("assembly", "testdata", "whole")
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, replace.Replace(f.Name())), []byte(replace.Replace(string(b))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, stage string, more ...string) assembly.Assembly {
	t.Helper()
	a, err := assembly.Read(synth(t, stage, more...))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// identityOfDomain adds an identity of example.com to the stack of data.
var identityOfDomain = []string{`"Alarms": {`, `"Identity": {"Type": "AWS::SES::EmailIdentity", "Properties": {"EmailIdentity": "example.com"}}, "Alarms": {`}

// told is a finding as it is told.
func told(f finding) string {
	var b strings.Builder
	for _, p := range f.problems {
		b.WriteString("problem: " + strings.Join(p, "\n") + "\n")
	}
	for _, n := range f.notes {
		b.WriteString("note: " + strings.Join(n, "\n") + "\n")
	}
	if len(f.problems) == 0 {
		b.WriteString("seen: " + f.seen + "\n")
	}
	return b.String()
}

// expect fails where a finding does not tell each of these, or has another
// number of problems.
func expect(t *testing.T, f finding, err error, problems int, want ...string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	text := told(f)
	if len(f.problems) != problems {
		t.Errorf("%d problems, want %d:\n%s", len(f.problems), problems, text)
	}
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("it does not tell %q:\n%s", w, text)
		}
	}
}

func TestBootstrap(t *testing.T) {
	at := func(status, version string) *stack {
		return &stack{Status: status, Outputs: map[string]string{"BootstrapVersion": version}}
	}
	both := "bootstrap --app cdk.out aws://123456789012/eu-north-1 aws://123456789012/us-east-1"
	here := "bootstrap --app cdk.out aws://123456789012/eu-north-1"
	for name, c := range map[string]struct {
		here, edge *stack
		problems   int
		want       []string
	}{
		"in both":            {at("CREATE_COMPLETE", "21"), at("UPDATE_COMPLETE", "6"), 0, []string{"version 21 in eu-north-1, version 6 in us-east-1"}},
		"in none":            {nil, nil, 1, []string{"not in eu-north-1; not in us-east-1", both}},
		"in one":             {nil, at("CREATE_COMPLETE", "21"), 1, []string{"not in eu-north-1. Once", here + "\n"}},
		"an old one":         {at("CREATE_COMPLETE", "5"), at("CREATE_COMPLETE", "6"), 1, []string{"version 5, where 6 is needed", here + "\n"}},
		"one that failed":    {at("ROLLBACK_COMPLETE", ""), at("CREATE_COMPLETE", "6"), 1, []string{"in eu-north-1 it is in the state ROLLBACK_COMPLETE", here}},
		"one not carried on": {at("REVIEW_IN_PROGRESS", ""), at("CREATE_COMPLETE", "6"), 1, []string{"not in eu-north-1"}},
		"without a version":  {at("CREATE_COMPLETE", "none"), at("CREATE_COMPLETE", "6"), 1, []string{"version 0, where 6 is needed"}},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := bootstrapped(t.Context(), fake{stack: func(r, name string) (*stack, error) {
				if name != "CDKToolkit" {
					t.Errorf("it looks for %s", name)
				}
				return map[string]*stack{region: c.here, "us-east-1": c.edge}[r], nil
			}}, read(t, "dev"), number)
			expect(t, f, err, c.problems, c.want...)
		})
	}
}

func TestStates(t *testing.T) {
	a := read(t, "dev")
	for status, want := range map[string]string{
		"":                                    "", // none
		"REVIEW_IN_PROGRESS":                  "",
		"CREATE_COMPLETE":                     "",
		"UPDATE_COMPLETE":                     "",
		"UPDATE_ROLLBACK_COMPLETE":            "",
		"IMPORT_COMPLETE":                     "",
		"IMPORT_ROLLBACK_COMPLETE":            "",
		"CREATE_IN_PROGRESS":                  "describe-stacks",
		"UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "describe-stacks",
		"DELETE_IN_PROGRESS":                  "describe-stacks",
		"ROLLBACK_COMPLETE":                   "delete-stack",
		"ROLLBACK_FAILED":                     "delete-stack",
		"CREATE_FAILED":                       "delete-stack",
		"DELETE_FAILED":                       "delete-stack",
		"UPDATE_FAILED":                       "rollback-stack",
		"UPDATE_ROLLBACK_FAILED":              "continue-update-rollback",
		"IMPORT_ROLLBACK_FAILED":              "describe-stack-events",
	} {
		t.Run(status, func(t *testing.T) {
			f, err := updatable(t.Context(), fake{stack: func(_, name string) (*stack, error) {
				if status == "" || name != "pulssi-dev-data" {
					return nil, nil
				}
				return &stack{Status: status}, nil
			}}, a)
			if want == "" {
				expect(t, f, err, 0, "pulssi-dev is new, pulssi-dev-data ", "pulssi-dev-edge is new")
				return
			}
			expect(t, f, err, 1, "The stack pulssi-dev-data in eu-north-1 is in the state "+status,
				"    aws cloudformation "+want+" --region eu-north-1 --stack-name pulssi-dev-data")
		})
	}
}

func TestASecondDeployment(t *testing.T) {
	in := func(region string) *stack {
		return &stack{Status: "CREATE_COMPLETE", Outputs: map[string]string{"Region": region}}
	}
	for name, c := range map[string]struct {
		edge     *stack
		problems int
		want     []string // before a deployment
		destroy  []string
	}{
		"the first":         {nil, 0, []string{"first of its stage"}, []string{"eu-north-1; nothing tells of another"}},
		"one that is begun": {&stack{Status: "REVIEW_IN_PROGRESS"}, 0, []string{"first of its stage"}, []string{"nothing tells of another"}},
		"one that failed":   {&stack{Status: "ROLLBACK_COMPLETE"}, 0, []string{"first of its stage"}, []string{"nothing tells of another"}},
		"the same":          {in(region), 0, []string{"this one again, in eu-north-1"}, []string{"eu-north-1, where it is deployed"}},
		"another": {in("eu-west-1"), 1, []string{
			"The stage dev is deployed in this account already, in the region eu-west-1, and this is for eu-north-1",
			"with the CONTEXT that it was deployed with", `make deploy CONTEXT="-c stage=dev -c region=eu-west-1"`, "the other stage: -c stage=prod -c region=eu-north-1.",
		}, []string{
			"pulssi-dev is deployed in the region eu-west-1, and this is for eu-north-1",
			"with the CONTEXT that it was deployed with", `make destroy CONTEXT="-c stage=dev -c region=eu-west-1"`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			on := fake{stack: func(r, name string) (*stack, error) {
				if r != "us-east-1" || name != "pulssi-dev-edge" {
					t.Errorf("it looks for %s in %s", name, r)
				}
				return c.edge, nil
			}}
			f, err := second(t.Context(), on, read(t, "dev"))
			expect(t, f, err, c.problems, c.want...)
			f, err = here(t.Context(), on, read(t, "dev"))
			expect(t, f, err, c.problems, c.destroy...)
		})
	}
}

func TestNamesThatAreTaken(t *testing.T) {
	const bucket = "pulssi-dev-files-123456789012-eu-north-1"
	for name, c := range map[string]struct {
		there, own []string // physical ids
		problems   int
		want       []string
	}{
		"nothing":     {nil, nil, 0, []string{"5, free or of the stacks"}},
		"all its own": {[]string{"pulssi-dev-responses", bucket, "arn:secret", "example.com"}, []string{"pulssi-dev-responses", bucket, "arn:secret", "example.com"}, 0, []string{"5, free"}},
		"a table that was left": {[]string{"pulssi-dev-responses", bucket}, []string{bucket}, 1, []string{
			"Taken in eu-north-1 already, and not by the stack pulssi-dev-data: the table pulssi-dev-responses.\n", "import --app cdk.out pulssi-dev-data", "the other stage: -c stage=prod -c region=eu-north-1.",
			"--table-arn arn:aws:dynamodb:eu-north-1:123456789012:table/pulssi-dev-responses", "delete-table --region eu-north-1 --table-name pulssi-dev-responses",
		}},
		"all that was left": {[]string{"pulssi-dev-responses", "pulssi-dev-tallies", bucket, "arn:secret"}, nil, 1, []string{
			"the table pulssi-dev-responses, the table pulssi-dev-tallies, the bucket " + bucket + ", the secret pulssi-dev-asks", "s3 sync s3://" + bucket + " " + bucket, "s3 rb --force s3://" + bucket, "delete-secret --region eu-north-1 --secret-id pulssi-dev-asks",
		}},
		"a table that is protected": {[]string{"pulssi-dev-tallies"}, nil, 1, []string{
			"update-table --region eu-north-1 --table-name pulssi-dev-tallies --no-deletion-protection-enabled\n    aws dynamodb delete-table --region eu-north-1 --table-name pulssi-dev-tallies",
		}},
		"another secret of the name": {[]string{"arn:secret"}, []string{"arn:another"}, 1, []string{"the secret pulssi-dev-asks"}},
		"a domain that SES knows":    {[]string{"example.com"}, nil, 1, []string{"SES in eu-north-1 knows example.com already", "Leave senderDomain out", "import --app cdk.out pulssi-dev-data", "delete-email-identity --region eu-north-1 --email-identity example.com"}},
		"both":                       {[]string{"example.com", "pulssi-dev-tallies"}, nil, 2, []string{"senderDomain", "pulssi-dev-tallies"}},
	} {
		t.Run(name, func(t *testing.T) {
			has := func(list []string, id string) bool {
				for _, x := range list {
					if x == id {
						return true
					}
				}
				return false
			}
			f, err := free(t.Context(), fake{
				resources: func(r, name string) ([]string, error) {
					if r == region && name == "pulssi-dev-data" {
						return c.own, nil
					}
					return nil, nil
				},
			}, fake{
				find: func(r string, n assembly.Named) (thing, error) {
					id := n.Name
					if n.Type == assembly.Secret {
						id = "arn:secret"
					}
					if r == region && has(c.there, id) {
						return thing{id, n.Name == "pulssi-dev-tallies"}, nil
					}
					return thing{}, nil
				},
			}, read(t, "dev", identityOfDomain...), number)
			expect(t, f, err, c.problems, c.want...)
			if strings.Contains(told(f), "--table-name pulssi-dev-responses --no-deletion-protection-enabled") {
				t.Errorf("it takes protection from what has none:\n%s", told(f))
			}
		})
	}
}

func TestTheSender(t *testing.T) {
	for name, c := range map[string]struct {
		sender   string // in place of feedback@shop.example.com
		ses      map[string]identity
		makes    bool // the deployment makes the domain known
		problems int
		want     []string
	}{
		"none":               {sender: "", ses: nil, want: []string{"none: no e-mail is sent"}},
		"the address":        {sender: "F <feedback@shop.example.com>", ses: map[string]identity{"feedback@shop.example.com": {true, true}}, want: []string{"feedback@shop.example.com, which is verified"}},
		"its domain":         {sender: "feedback@Shop.example.com", ses: map[string]identity{"shop.example.com": {true, true}}, want: []string{"of shop.example.com, which is verified"}},
		"one above":          {sender: "feedback@shop.example.com", ses: map[string]identity{"example.com": {true, true}, "shop.example.com": {true, false}}, want: []string{"of example.com, which is verified"}},
		"the top alone":      {sender: "feedback@shop.example.com", ses: map[string]identity{"com": {true, true}}, problems: 1, want: []string{"is not verified"}},
		"nobody knows":       {sender: "feedback@shop.example.com", problems: 1, want: []string{"-c senderDomain=shop.example.com", "create-email-identity --region eu-north-1 --email-identity shop.example.com\n", "create-email-identity --region eu-north-1 --email-identity feedback@shop.example.com"}},
		"the address waits":  {sender: "feedback@shop.example.com", ses: map[string]identity{"feedback@shop.example.com": {true, false}}, problems: 1, want: []string{"the link to be pressed", "delete-email-identity --region eu-north-1 --email-identity feedback@shop.example.com"}},
		"the domain waits":   {sender: "feedback@shop.example.com", ses: map[string]identity{"example.com": {true, false}}, problems: 1, want: []string{"waits for the DNS of example.com", "DkimAttributes.[Tokens,SigningHostedZone]"}},
		"the deployment's":   {sender: "feedback@shop.example.com", makes: true, want: []string{"note: No e-mail is sent until SES has verified example.com", "Dns1 to Dns3", "of example.com, which is to be verified"}},
		"the same, it waits": {sender: "feedback@shop.example.com", makes: true, ses: map[string]identity{"example.com": {true, false}}, want: []string{"note: No e-mail"}},
		"the same, verified": {sender: "feedback@shop.example.com", makes: true, ses: map[string]identity{"example.com": {true, true}}, want: []string{"seen: feedback@shop.example.com, of example.com, which is verified"}},
	} {
		t.Run(name, func(t *testing.T) {
			more := []string{"ADDRESS", c.sender}
			if c.makes {
				more = append(more, identityOfDomain...)
			}
			f, err := verified(t.Context(), fake{identity: func(r, name string) (identity, error) {
				if r != region {
					t.Errorf("it asks in %s", r)
				}
				return c.ses[name], nil
			}}, read(t, "dev", more...), number)
			expect(t, f, err, c.problems, c.want...)
			if !c.makes && len(f.notes) > 0 {
				t.Errorf("notes %q", f.notes)
			}
		})
	}
	if _, err := verified(t.Context(), fake{}, read(t, "dev", "ADDRESS", "nobody"), number); err == nil || !strings.Contains(err.Error(), "no e-mail address") {
		t.Errorf("a sender that is no address: %v", err)
	}
}

func TestHowSESStands(t *testing.T) {
	lift := "put-account-details --region eu-north-1 --production-access-enabled --mail-type TRANSACTIONAL --website-url https://shop.example.com"
	for name, c := range map[string]struct {
		stage    string
		standing standing
		problems int
		notes    int
		want     []string
	}{
		"well":                   {"prod", standing{true, true, "HEALTHY"}, 0, 0, []string{"SES sends to everybody"}},
		"sandbox in dev":         {"dev", standing{false, true, "HEALTHY"}, 0, 1, []string{"note: SES in eu-north-1 is in the sandbox: e-mails reach verified addresses only", "YOU@shop.example.com", lift}},
		"sandbox in prod":        {"prod", standing{false, true, "HEALTHY"}, 1, 0, []string{"would refuse every e-mail to a customer", lift}},
		"paused by us":           {"dev", standing{true, false, "HEALTHY"}, 1, 0, []string{"is paused for this account", "put-account-sending-attributes --region eu-north-1 --sending-enabled"}},
		"paused by AWS":          {"prod", standing{true, true, "SHUTDOWN"}, 1, 0, []string{"(shutdown)", "Support Center"}},
		"under review":           {"prod", standing{true, true, "PROBATION"}, 0, 1, []string{"under review", "get-account"}},
		"sandboxed and paused":   {"prod", standing{false, false, "HEALTHY"}, 2, 0, []string{"sandbox", "paused"}},
		"sandboxed and reviewed": {"dev", standing{false, true, "PROBATION"}, 0, 2, []string{"SES is in the sandbox, and is under review"}},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := open(t.Context(), fake{standing: func(string) (standing, error) { return c.standing, nil }}, read(t, c.stage))
			expect(t, f, err, c.problems, c.want...)
			if len(f.notes) != c.notes {
				t.Errorf("%d notes, want %d: %q", len(f.notes), c.notes, f.notes)
			}
		})
	}
	f, err := open(t.Context(), fake{}, read(t, "prod", "ADDRESS", ""))
	expect(t, f, err, 0, "no e-mail is sent")
}

// program runs the program on an account, with what a person would type, "" for
// nobody there.
func program(t *testing.T, on account, typed string, args ...string) (string, error) {
	t.Helper()
	var person io.Reader
	if typed != "" {
		person = strings.NewReader(typed)
	}
	var out strings.Builder
	err := run(t.Context(), args, person, &out, func(context.Context) (account, error) { return on, nil })
	return out.String(), err
}

// well is an account in which nothing is wrong and nothing is deployed.
func well() fake {
	return fake{
		caller: func() (arn.ARN, error) { return arn.Parse("arn:aws:iam::" + number + ":user/maija") },
		stack: func(_, name string) (*stack, error) {
			if name == toolkit {
				return &stack{Status: "CREATE_COMPLETE", Outputs: map[string]string{"BootstrapVersion": "21"}}, nil
			}
			return nil, nil
		},
		resources: func(string, string) ([]string, error) { return nil, nil },
		staying:   func(string, string) ([]assembly.Named, error) { return nil, nil },
		find:      func(string, assembly.Named) (thing, error) { return thing{}, nil },
		identity:  func(string, string) (identity, error) { return identity{true, true}, nil },
		standing:  func(string) (standing, error) { return standing{true, true, "HEALTHY"}, nil },
		holds:     func(string, string) (bool, error) { return false, nil },
	}
}

func TestAllIsToldAtOnce(t *testing.T) {
	on := well()
	on.stack = func(string, string) (*stack, error) {
		return nil, errors.New("AccessDenied: cloudformation:DescribeStacks")
	}
	on.identity = func(string, string) (identity, error) { return identity{}, nil }
	on.standing = func(string) (standing, error) { return standing{false, true, "PROBATION"}, nil }
	out, err := program(t, on, "", synth(t, "prod"))
	if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), "5 problems") {
		t.Errorf("error %v", err)
	}
	for _, want := range []string{
		"Before pulssi-prod (pulssi-prod in eu-north-1, pulssi-prod-data in eu-north-1, pulssi-prod-edge in us-east-1) is deployed:\n",
		"  account    123456789012, as arn:aws:iam::123456789012:user/maija\n",
		"  bootstrap  refused, see 1\n", "  stacks     refused, see 2\n", "  names      4, free", "  sender     refused, see 4\n", "  sending    refused, see 5\n",
		"\n 1. This could not be looked at (bootstrap): AccessDenied: cloudformation:DescribeStacks.\n", "\n 4. The sender feedback@shop.example.com is not verified", "\n 5. SES in",
		"\nAfter the deployment:\n  - AWS has SES",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not tell %q:\n%s", want, out)
		}
	}
	if out, err := program(t, well(), "", synth(t, "prod")); err != nil {
		t.Errorf("where all is well: %v\n%s", err, out)
	}
}

func TestNobodyIsSignedIn(t *testing.T) {
	on := fake{caller: func() (arn.ARN, error) { return arn.ARN{}, errors.New("no credentials") }} // nothing else is asked
	for _, args := range [][]string{{synth(t, "dev")}, {"-destroy", synth(t, "dev")}} {
		out, err := program(t, on, "", args...)
		if !errors.Is(err, errRefused) {
			t.Errorf("%v: %v", args, err)
		}
		for _, want := range []string{
			"AWS in eu-north-1 does not say who is calling: no credentials.", "aws sso login", "sts get-caller-identity --region us-east-1",
			"one that is not turned on", "enable-region --region us-east-1 --region-name eu-north-1",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("%v: it does not tell %q:\n%s", args, want, out)
			}
		}
	}
}

func TestAnotherAccount(t *testing.T) {
	on := fake{caller: well().caller} // nothing else is asked
	for _, args := range [][]string{{}, {"-destroy"}} {
		out, err := program(t, on, "", append(args, synth(t, "dev", "unknown-account", "210987654321"))...)
		if !errors.Is(err, errRefused) || !strings.Contains(out, "is for the account 210987654321, and the credentials are of 123456789012") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// TestAnotherRegion has nothing asked but where the deployment is.
func TestAnotherRegion(t *testing.T) {
	on := fake{caller: well().caller, stack: func(string, string) (*stack, error) {
		return &stack{Status: "CREATE_COMPLETE", Outputs: map[string]string{"Region": "eu-west-1"}}, nil
	}}
	out, err := program(t, on, "", "-destroy", "-yes-delete", "pulssi-dev", synth(t, "dev"))
	if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), "1 problem") || !strings.Contains(out, "pulssi-dev is deployed in the region eu-west-1") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestWhatStays(t *testing.T) {
	a := read(t, "dev")
	f, err := staying(t.Context(), fake{staying: func(r, name string) ([]assembly.Named, error) {
		switch {
		case r == region && name == "pulssi-dev":
			return []assembly.Named{{Type: assembly.Bucket, Name: "pulssi-dev-front-x1"}}, nil
		case r == region && name == "pulssi-dev-data":
			return []assembly.Named{
				{Type: assembly.Table, Name: "pulssi-dev-tallies"}, {Type: assembly.Table, Name: "pulssi-dev-responses"}, {Type: assembly.Bucket, Name: "pulssi-dev-files"},
				{Type: assembly.Secret, Name: "arn:secret"}, {Type: assembly.Identity, Name: "example.com"}, {Type: "AWS::Cognito::UserPool", Name: "eu-north-1_x"},
				{Type: "AWS::SQS::Queue", Name: "q"},
			}, nil
		}
		return nil, nil
	}}, a)
	expect(t, f, err, 0, "seen: 1 user pool, 2 tables, 2 buckets, 1 SES identity, 1 AWS::SQS::Queue, 1 secret\n",
		"    tables: pulssi-dev-responses, pulssi-dev-tallies\n", "    buckets: pulssi-dev-files, pulssi-dev-front-x1\n", "    secret: arn:secret\n",
		"    SES identity: example.com\n", "    user pool: eu-north-1_x\n", "    AWS::SQS::Queue: q\n", "cannot be deployed again")
	f, err = staying(t.Context(), well(), a)
	expect(t, f, err, 0, "seen: nothing")
	if len(f.notes) > 0 {
		t.Errorf("notes %q", f.notes)
	}
	down := errors.New("AccessDenied: cloudformation:GetTemplate")
	if _, err := staying(t.Context(), fake{staying: func(string, string) ([]assembly.Named, error) { return nil, down }}, a); !errors.Is(err, down) {
		t.Errorf("what cannot be told: %v", err)
	}
}

func TestDestroying(t *testing.T) {
	// One stack is in a state; those named by their last part are protected.
	state := func(status string, protected ...string) func(string, string) (*stack, error) {
		return func(_, name string) (*stack, error) {
			last := name[strings.LastIndex(name, "-")+1:]
			if last != "data" && !slices.Contains(protected, last) {
				return nil, nil
			}
			return &stack{Status: status, Protected: slices.Contains(protected, last)}, nil
		}
	}
	const refused = true
	for name, c := range map[string]struct {
		stage   string
		args    []string
		typed   string
		holds   bool
		stack   func(string, string) (*stack, error)
		refused bool
		want    []string
		not     []string
	}{
		"nothing there":      {stage: "dev", stack: well().stack, want: []string{"pulssi-dev is not deployed, pulssi-dev-data is not deployed", "pulssi-dev-responses holds none"}, not: []string{"type", "Before it is gone"}},
		"no answers":         {stage: "dev", stack: state("CREATE_COMPLETE"), want: []string{"pulssi-dev-data CREATE_COMPLETE"}, not: []string{"type"}},
		"answers, no person": {stage: "dev", holds: true, stack: well().stack, refused: refused, want: []string{"The stack pulssi-dev holds answers, in the table pulssi-dev-responses in eu-north-1", "GET /api/export/{touchpoint}", "export-table-to-point-in-time", "The table stays", "with the CONTEXT that it was deployed with", `make destroy YES_DELETE=pulssi-dev CONTEXT="-c stage=dev -c region=eu-north-1"`}},
		"said beforehand":    {stage: "dev", args: []string{"-yes-delete", "pulssi-dev"}, holds: true, stack: well().stack, want: []string{"holds answers"}, not: []string{"type"}},
		"typed":              {stage: "dev", typed: "pulssi-dev\n", holds: true, stack: well().stack, want: []string{"holds answers", "type pulssi-dev: "}},
		"typed yes":          {stage: "dev", typed: "yes\n", holds: true, stack: well().stack, refused: refused},
		"typed nothing":      {stage: "dev", typed: "\n", holds: true, stack: well().stack, refused: refused},
		"another's name":     {stage: "dev", args: []string{"-yes-delete", "pulssi-prod"}, stack: well().stack, refused: refused, want: []string{"-yes-delete names pulssi-prod, and this is pulssi-dev"}},
		"a failed deletion":  {stage: "dev", stack: state("DELETE_FAILED"), want: []string{"pulssi-dev-data DELETE_FAILED"}},
		"a change going on":  {stage: "dev", typed: "pulssi-dev\n", holds: true, stack: state("UPDATE_IN_PROGRESS"), refused: refused, want: []string{"in the state UPDATE_IN_PROGRESS"}, not: []string{"type"}},
		"all protected": {stage: "prod", typed: "pulssi-prod\n", holds: true, stack: state("CREATE_COMPLETE", "data", "edge", "prod"), refused: refused, want: []string{
			" 1. These stacks are protected from being deleted",
			"--no-enable-termination-protection --region eu-north-1 --stack-name pulssi-prod\n", "--region eu-north-1 --stack-name pulssi-prod-data\n", "--region us-east-1 --stack-name pulssi-prod-edge\n",
		}, not: []string{"type"}},
		"one protected":     {stage: "prod", stack: state("CREATE_COMPLETE", "data"), refused: refused, want: []string{"--stack-name pulssi-prod-data\n"}, not: []string{"--stack-name pulssi-prod\n", "--stack-name pulssi-prod-edge\n"}},
		"prod, unprotected": {stage: "prod", stack: state("CREATE_COMPLETE"), want: []string{"pulssi-prod-data CREATE_COMPLETE"}, not: []string{"protect"}},
	} {
		t.Run(name, func(t *testing.T) {
			on := well()
			on.stack = c.stack
			on.holds = func(r, table string) (bool, error) {
				return c.holds && r == region && table == "pulssi-"+c.stage+"-responses", nil
			}
			out, err := program(t, on, c.typed, append(append([]string{"-destroy"}, c.args...), synth(t, c.stage))...)
			if errors.Is(err, errRefused) != c.refused || !c.refused && err != nil {
				t.Errorf("error %v, refused %v is wanted", err, c.refused)
			}
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("it does not tell %q:\n%s", want, out)
				}
			}
			for _, not := range c.not {
				if strings.Contains(out, not) {
					t.Errorf("it tells %q:\n%s", not, out)
				}
			}
		})
	}
	on := well()
	on.holds = func(string, string) (bool, error) { return false, errors.New("AccessDenied: dynamodb:Scan") }
	if out, err := program(t, on, "", "-destroy", "-yes-delete", "pulssi-dev", synth(t, "dev")); !errors.Is(err, errRefused) || !strings.Contains(out, "(answers): looking into pulssi-dev-responses: AccessDenied") {
		t.Errorf("answers that cannot be looked for: %v\n%s", err, out)
	}
}

func TestBadArguments(t *testing.T) {
	for args, want := range map[string]string{
		"a b":                      "name one folder",
		"-yes-delete pulssi-dev":   "-yes-delete goes with -destroy",
		"-skip":                    "not defined: -skip",
		"testdata/there/is/no/one": "run `make synth` first",
	} {
		if _, err := program(t, nil, "", strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", args, err)
		}
	}
}
