package stack

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pulssi/pulssi/shared/topology"
)

// TestCheck has cdk-nag find nothing but the exceptions.
func TestCheck(t *testing.T) {
	a, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	if len(a.findings) > 0 {
		t.Errorf("cdk-nag finds:\n%s", strings.Join(a.findings, "\n"))
	}
}

// TestCheckFinds has cdk-nag find what each exception is for, where there are none.
func TestCheckFinds(t *testing.T) {
	a, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	if len(a.excepted) == 0 {
		t.Fatal("there are no exceptions")
	}
	for _, rule := range a.excepted {
		if !slices.ContainsFunc(a.bare, func(f string) bool {
			return strings.Contains(f, "AwsSolutions-"+rule+"[") || strings.Contains(f, "AwsSolutions-"+rule+":")
		}) {
			t.Errorf("nothing breaks %s where there are no exceptions: it needs none, or is not looked at", rule)
		}
	}
}

// anywhere are the statements that name no resource, with the reason.
var anywhere = map[string]string{
	"xray:PutTraceSegments":    "a trace is no resource of AWS",
	"xray:PutTelemetryRecords": "a trace is no resource of AWS",
}

// ofCDK are the functions that CDK adds, with roles, so that a stack of one region
// learns of one of another; by the beginning of their ids. They run while
// CloudFormation deploys, which waits for them and tells what went wrong: no alarm
// and no queue would say more. Their code, their logs' end and their managed policy
// (for a log of their own) are CDK's.
const ofCDK = "CustomCrossRegionExport"

// TestFunctionsOfOthers has no function but ours and those, and no managed policy
// but theirs and the one that AWS Backup documents.
func TestFunctionsOfOthers(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		n := 0
		for id, r := range synth(t, stage) {
			if r.Type == "AWS::Lambda::Function" && r.Properties["FunctionName"] == nil {
				n++
				if !strings.HasPrefix(id, ofCDK) {
					t.Errorf("%s: the function %s is nobody's", stage, id)
				}
			}
			if r.Type == "AWS::IAM::Role" && r.Properties["ManagedPolicyArns"] != nil && !strings.HasPrefix(id, ofCDK) && !strings.HasPrefix(id, "BackupPlanTables") {
				t.Errorf("%s: %s has a managed policy: %s", stage, id, show(r.Properties["ManagedPolicyArns"]))
			}
		}
		if n != 2 {
			t.Errorf("%s: CDK adds %d functions, want one that writes and one that reads", stage, n)
		}
	}
}

// TestPoliciesNameResources lets no role do anything on everything, but for what
// has no name, and none do everything.
func TestPoliciesNameResources(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		tpl := synth(t, stage)
		for id, r := range tpl {
			for _, s := range statements(t, r) {
				if s.Effect != "Allow" {
					continue
				}
				for _, action := range list(s.Action) {
					if strings.Contains(action.(string), "*") {
						t.Errorf("%s: %s may %v", stage, id, action)
					}
					for _, on := range list(s.Resource) {
						if on == "*" && anywhere[action.(string)] == "" {
							t.Errorf("%s: %s may %v on everything", stage, id, action)
						}
					}
				}
				if s.NotResource != nil && show(s.Action) != `"sns:Publish"` { // see AllowSending
					t.Errorf("%s: %s may %s on all but something", stage, id, show(s.Action))
				}
			}
		}
	}
}

// statement is one of a policy, of a role or of a resource.
type statement struct {
	Action, Resource, NotResource, Principal, Condition any
	Effect                                              string
}

// statements returns those of all policies in a resource.
func statements(t *testing.T, r resource) []statement {
	t.Helper()
	var out []statement
	var look func(part any)
	look = func(part any) {
		switch part := part.(type) {
		case map[string]any:
			if doc, ok := part["Statement"].([]any); ok {
				var found []statement
				if err := json.Unmarshal([]byte(show(doc)), &found); err != nil {
					t.Fatal(err)
				}
				out = append(out, found...)
			}
			for _, v := range part {
				look(v)
			}
		case []any:
			for _, v := range part {
				look(v)
			}
		}
	}
	look(r.Properties)
	return out
}

// TestNothingIsPublic lets the world come to no bucket, queue, topic, table or
// secret: whoever is let in is a service, on a condition of where it comes from.
func TestNothingIsPublic(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		tpl := synth(t, stage)
		for id, r := range tpl.ofType("AWS::S3::Bucket") {
			check(t, id+": its way to the world", r.Properties["PublicAccessBlockConfiguration"], map[string]any{
				"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
			})
			tpl.comesTo(t, id)
		}
		for id, r := range tpl {
			for _, s := range statements(t, r) {
				who, _ := s.Principal.(map[string]any)
				if s.Effect != "Allow" || s.Principal == nil || strings.HasPrefix(r.Type, "AWS::IAM::Role") {
					continue
				}
				if len(who) != 1 || who["Service"] == nil || s.Condition == nil {
					t.Errorf("%s: %s lets in %s on the condition %s", stage, id, show(s.Principal), show(s.Condition))
				}
			}
		}
	}
}

// answered are the functions for which there is no dead-letter queue, with the
// reason.
var answered = map[topology.Function]string{
	topology.Answer:  "who asks is told, and can try again",
	topology.Vote:    "who asks is told, and can try again",
	topology.Results: "who asks is told, and can try again",
}

// TestFunctionsAreWatched has for each function a log that ends, and an alarm: on
// its failures where somebody waits for it, with the reason why nothing is kept of
// them, and on the queue of what it could not do elsewhere.
func TestFunctionsAreWatched(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		tpl := synth(t, stage)
		for _, f := range topology.Functions() {
			id := tpl.function(t, stage, f)
			log := tpl[id].Properties["LoggingConfig"].(map[string]any)["LogGroup"].(map[string]any)["Ref"].(string)
			if days, _ := tpl[log].Properties["RetentionInDays"].(float64); days <= 0 || days > 92 {
				t.Errorf("%s: the log of %s is kept for %v days", stage, f, tpl[log].Properties["RetentionInDays"])
			}
			if answered[f] != "" {
				tpl.byName(t, "AWS::CloudWatch::Alarm", "AlarmName", "pulssi-"+string(stage)+"-"+string(f)+"-errors")
			}
			kept := false // and each such queue has its alarm, by TestAlarms
			for _, r := range tpl {
				switch r.Type {
				case "AWS::Lambda::EventInvokeConfig":
					kept = kept || show(r.Properties["FunctionName"]) == show(ref(id)) && r.Properties["DestinationConfig"] != nil
				case "AWS::Lambda::EventSourceMapping":
					if show(r.Properties["FunctionName"]) != show(ref(id)) {
						continue
					}
					source, _ := r.Properties["EventSourceArn"].(map[string]any)["Fn::GetAtt"].([]any)
					queue := tpl[source[0].(string)]
					kept = kept || r.Properties["DestinationConfig"] != nil || queue.Properties["RedrivePolicy"] != nil
				}
			}
			if kept == (answered[f] != "") {
				t.Errorf("%s: what %s could not do is kept: %v, and the reason why not %q", stage, f, kept, answered[f])
			}
		}
	}
}

// TestNoSecretIsTold looks for secrets in all that is written: CloudFormation
// fetches the front's key by name, and the other is read by its function.
func TestNoSecretIsTold(t *testing.T) {
	a, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	for stage, tpl := range a.templates {
		for id, r := range tpl {
			if r.Type == "AWS::SecretsManager::Secret" && (r.Properties["SecretString"] != nil || r.Properties["GenerateSecretString"] == nil) {
				t.Errorf("%s: the secret %s is in the template", stage, id)
			}
			var look func(path string, part any)
			look = func(path string, part any) {
				switch part := part.(type) {
				case map[string]any:
					for k, v := range part {
						look(path+"."+k, v)
					}
				case []any:
					for _, v := range part {
						look(path, v)
					}
				case string:
					name := strings.ToLower(path)
					if strings.HasSuffix(name, "secretstring") || strings.HasSuffix(name, "password") || strings.HasSuffix(name, "_key") || strings.HasSuffix(name, "headervalue") {
						t.Errorf("%s: %s has a text at %s", stage, id, path)
					}
				}
			}
			look("", r.Properties)
		}
	}
}
