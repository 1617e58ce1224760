package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulssi/pulssi/shared/awsenv"
	"github.com/pulssi/pulssi/shared/testkit/ministack"
)

// unknownKeys are the keys of conditions that ministack does not fill in, so
// that it would refuse what AWS allows.
var unknownKeys = []string{"events:source", "ses:FromAddress"}

// byName are the actions that ministack holds calls to by their name, by the
// action that AWS holds them to: it knows actions for batches, which IAM does
// not, and does not know which e-mails are raw ones.
var byName = map[string]string{"sqs:SendMessage": "sqs:SendMessageBatch", "ses:SendRawEmail": "ses:SendEmail"}

// unknownTypes are those of resources that ministack does not know, on which
// nothing else depends.
var unknownTypes = []string{"AWS::WAFv2::WebACLAssociation"}

// writer begins the id of CDK's function that tells one region of another's
// resources. What ministack has in the place of the SDK calls its own region alone.
const writer = "CustomCrossRegionExportWriter"

// forMinistack changes in a template what ministack does not understand, and
// returns what was changed. What it makes of the rest is the deployment's own. The
// front finds the API, and one region the other, at a port of this machine.
func forMinistack(template map[string]any, port int) (changes []string) {
	p := patch{secrets: map[string]bool{}, port: float64(port), changes: map[string]bool{}}
	resources, _ := template["Resources"].(map[string]any)
	for id, r := range resources {
		resource, _ := r.(map[string]any)
		kind, _ := resource["Type"].(string)
		if kind == "AWS::SecretsManager::Secret" {
			p.secrets[id] = true
		}
		if kind == "AWS::Lambda::Function" && strings.HasPrefix(id, writer) {
			resource["Properties"].(map[string]any)["Environment"] = map[string]any{"Variables": map[string]any{
				awsenv.Endpoint: fmt.Sprintf("http://%s:%d", ministack.Host, port),
			}}
			p.changes["CDK's function that writes into another region does so by a port of this machine, as the account's root"] = true
		}
		if properties, ok := resource["Properties"].(map[string]any); ok && kind == "AWS::CloudWatch::Alarm" && properties["Metrics"] != nil {
			ofOneMetric(properties)
			p.changes["alarms on a share of something are on the thing itself"] = true
		}
		if slices.Contains(unknownTypes, kind) {
			delete(resources, id)
			p.changes["there is no "+kind] = true
		}
	}
	p.apply(template)
	return slices.Sorted(maps.Keys(p.changes))
}

// ofOneMetric makes an alarm be about the metric named part, where it is about an
// expression of several.
func ofOneMetric(alarm map[string]any) {
	metrics, _ := alarm["Metrics"].([]any)
	for _, m := range metrics {
		if m, _ := m.(map[string]any); m["Id"] == "part" {
			stat := m["MetricStat"].(map[string]any)
			maps.Copy(alarm, stat["Metric"].(map[string]any))
			alarm["Period"], alarm["Statistic"] = stat["Period"], stat["Stat"]
		}
	}
	delete(alarm, "Metrics")
}

// patch is a change of one template.
type patch struct {
	secrets map[string]bool // by logical id
	port    float64
	changes map[string]bool // in words
}

// apply returns a part of the template as ministack understands it.
func (p *patch) apply(part any) any {
	switch part := part.(type) {
	case map[string]any:
		if of, ok := part["Fn::GetAtt"].([]any); ok && len(of) == 2 && of[1] == "ProviderURL" {
			p.changes["the attribute ProviderURL of the user pool is written as https:// and its ProviderName, which is the same"] = true
			return map[string]any{"Fn::Join": []any{"", []any{"https://", map[string]any{"Fn::GetAtt": []any{of[0], "ProviderName"}}}}}
		}
		if id, _ := part["Ref"].(string); p.secrets[id] {
			p.changes["the Ref of the secret is written as its attribute Id, which is the same"] = true
			return map[string]any{"Fn::GetAtt": []any{id, "Id"}}
		}
		if custom, ok := part["CustomOriginConfig"].(map[string]any); ok {
			part["DomainName"] = ministack.Host
			custom["OriginProtocolPolicy"], custom["HTTPPort"] = "http-only", p.port
			delete(custom, "OriginSSLProtocols")
			p.changes["the front finds the API by a port of this machine"] = true
		}
		if key := conditionOn(part); key != "" {
			delete(part, "Condition")
			p.changes[fmt.Sprintf("%v is allowed without its condition on %s", part["Action"], key)] = true
		}
		if with, action := named(part); action != "" {
			part["Action"] = with
			p.changes["what is allowed to send is allowed "+action+", as ministack calls it"] = true
		}
		if actions, _ := part["Action"].([]any); part["Effect"] == "Allow" && slices.Contains(actions, any("ses:SendEmail")) {
			part["Resource"] = "*"
			p.changes["ses:SendEmail is allowed with every identity, as ministack does not see which one a mail is from"] = true
		}
		for k, v := range part {
			part[k] = p.apply(v)
		}
	case []any:
		for i, v := range part {
			part[i] = p.apply(v)
		}
	}
	return part
}

// conditionOn returns the unknown key on which alone a statement of a policy
// depends, "" for none.
func conditionOn(statement map[string]any) string {
	condition, _ := statement["Condition"].(map[string]any)
	equals, _ := condition["StringEquals"].(map[string]any)
	if len(condition) == 1 && len(equals) == 1 {
		for key := range equals {
			if slices.Contains(unknownKeys, key) {
				return key
			}
		}
	}
	return ""
}

// named returns the actions of a statement that allows something, with the one
// that ministack wants besides, "" for none.
func named(statement map[string]any) (actions []any, also string) {
	if statement["Effect"] != "Allow" {
		return nil, ""
	}
	switch a := statement["Action"].(type) {
	case string:
		actions = []any{a}
	case []any:
		actions = slices.Clone(a)
	}
	for _, a := range actions {
		if name, _ := a.(string); byName[name] != "" {
			also = byName[name]
		}
	}
	return append(actions, also), also
}
