package stack

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"github.com/pulssi/pulssi/shared/topology"
)

// Check holds what is synthesized to the rules of cdk-nag (AwsSolutions), but for
// the exceptions that are listed here, each with its reason. What breaks a rule
// is an error on the construct, with which CDK's command line does not go on.
func (p *Pulssi) Check(app awscdk.App) {
	p.exceptions()
	nag(app)
}

func nag(app awscdk.App) {
	awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Verbose: jsii.Bool(true), Reports: jsii.Bool(false)}), nil)
}

// wildcards are those that may stand at the end of a resource in a policy, as
// regular expressions of what cdk-nag finds, with the reason.
var wildcards = []struct {
	of            []topology.Function // that may have it
	regex, reason string
}{
	{[]topology.Function{topology.Tally}, `/^Resource::.*\/stream\/\*$/`, "The streams of one table: Lambda looks whether the role can list them when the mapping is made, and the name of one is a moment."},
	{[]topology.Function{topology.Intake}, `/^Resource::.*\/(uploads|reports)\/\*$/`, "The files of one folder of the bucket, whose names people choose."},
	{[]topology.Function{topology.PublishFunction}, `/^Resource::<FrontFiles.*\.Arn>\/(pulssi|dashboard\/assets\/)\*$/`, "The published files, whose names have their version."},
	{topology.Schedulers(), `/^Resource::arn:.*:scheduler:.*:schedule\/.*\/\*$/`, "The schedules of the deployment's own group, whose names are ids."},
	{[]topology.Function{topology.Send}, `/^Resource::arn:.*:ses:.*:identity\/\*$/`, "Whatever identity makes the sender a verified one; the condition on the sender's address is what limits it."},
	{[]topology.Function{topology.Send}, `/^Resource::\*$/`, "A phone number is no resource of AWS that could be named; NotResource keeps sns:Publish from topics."},
}

// exceptions lists the rules that are broken on purpose.
func (p *Pulssi) exceptions() {
	except := func(c constructs.IConstruct, rule, reason string, applies ...any) {
		p.excepted = append(p.excepted, rule)
		s := &cdknag.NagPackSuppression{Id: jsii.String("AwsSolutions-" + rule), Reason: &reason}
		if len(applies) > 0 {
			s.AppliesTo = &applies
		}
		cdknag.NagSuppressions_AddResourceSuppressions(c, &[]*cdknag.NagPackSuppression{s}, jsii.Bool(true))
	}
	d := p.Data
	except(d.Files.Bucket, "S1", "Only functions and the account's operators come to it, whom CloudTrail tells of; a log would be one more place with people in it.")
	except(d.Users.Pool, "COG1", "14 characters with letters of both cases and digits: length is what makes a password strong, symbols make it written down (NIST SP 800-63B).")
	if p.Settings.Stage != Prod {
		except(d.Users.Pool, "COG2", "What is tried out in dev are made-up answers; in prod everybody has a one-time password.")
	}
	except(d.Users.Pool, "COG3", "Threat protection is of the plan Plus, and costs as much for each person as the rest for all; the firewall limits how often one can try.")
	except(d.AskSecret, "SMG4", "With another secret everybody would be asked again: the ids of asks are made of it.")
	except(d.FrontKey, "SMG4", "Front and functions have to change at the same moment, which a deployment does: README, Operating.")
	if d.Backup != nil {
		except(d.Backup.Plan, "IAM4", "AWS Backup's own role, as it documents it and changes it with the service.")
	}
	except(p.Front.Files, "S1", "It holds the files that everybody may read, and nothing else.")
	except(p.Front.Distribution, "CFR1", "Customers answer from wherever they are.")
	except(p.Front.Distribution, "CFR3", "An access log would hold the addresses of those who answer: no tracking.")
	if p.Settings.Domain == "" {
		except(p.Front.Distribution, "CFR4", "CloudFront's own name takes TLS 1.0 too, and nothing can be set for it; with a domain it is TLS 1.2 or newer.")
	}
	for _, q := range []constructs.IConstruct{p.Events.Failed, p.Notices.Failed, p.Untold} {
		except(q, "SQS3", "It is where others put what they could not deliver.")
	}
	for _, w := range wildcards {
		for _, f := range w.of {
			except(p.Functions[f].Role, "IAM5", w.reason, &cdknag.RegexAppliesTo{Regex: jsii.String(w.regex)})
		}
	}
	if p.Settings.Tracing == "true" {
		for _, f := range p.Functions {
			except(f.Role, "IAM5", "A trace is no resource of AWS that could be named.", jsii.String("Resource::*"))
		}
	}
	for _, m := range topology.Streams() {
		except(p.Functions[m.Function].Function, "SQS3", "It is where Lambda puts what the function could not handle.")
	}
	for _, r := range topology.Routes() {
		if !r.SignedIn() {
			except(p.API.API.Node().FindChild(jsii.String(r.Method+strings.ReplaceAll(r.Path, "/", "--"))), "APIG4", "Who answers, or opens a page, has no account.")
		}
	}
}
