package stack

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pulssi/pulssi/shared/topology"
)

// lasting are the types of resources whose loss is a loss of data, which are in the
// stack of data alone. What else is there belongs to one of them.
var lasting = []string{
	"AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::Cognito::UserPool", "AWS::SES::EmailIdentity", "AWS::Backup::BackupVault",
	"AWS::Scheduler::ScheduleGroup",
}

// TestStacks has what is kept in a stack of its own, so that code ships without
// touching it, and in the other region what must be there and nothing else.
func TestStacks(t *testing.T) {
	a, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	for stage, tpl := range a.templates {
		name := "pulssi-" + string(stage)
		check(t, "the stacks", a.names[stage], []string{name + "-data", name + "-edge", name})
		for id, r := range tpl {
			of := a.stacks[stage][id]
			queue, _ := r.Properties["QueueName"].(string)
			if (strings.HasSuffix(queue, "-asks") || strings.HasSuffix(queue, "-asks-failed")) && of != name+"-data" {
				t.Errorf("%s, in which asks wait, is in %s", queue, of)
			}
			if slices.Contains(lasting, r.Type) && of != name+"-data" {
				t.Errorf("%s, a %s, is in %s", id, r.Type, of)
			}
			if of == name+"-data" && (strings.HasPrefix(r.Type, "AWS::Lambda::") || strings.HasPrefix(r.Type, "AWS::ApiGatewayV2::") || r.Type == "AWS::CloudFront::Distribution") {
				t.Errorf("%s, a %s, is in the stack of data", id, r.Type)
			}
			if of == name+"-edge" && !strings.HasPrefix(id, "CustomCrossRegionExport") &&
				!slices.Contains([]string{"AWS::WAFv2::WebACL", "AWS::Budgets::Budget", "Custom::CrossRegionExportWriter"}, r.Type) {
				t.Errorf("%s, a %s, is in %s", id, r.Type, of)
			}
		}
		for id, r := range tpl {
			if text := show(r.Properties); a.stacks[stage][id] == name+"-data" && strings.ContainsFunc(text, func(r rune) bool { return r > 127 }) {
				t.Errorf("%s has letters that CloudFormation does not give back: %s", id, text)
			}
		}
		if a.stacks[stage][bucket(t, tpl)] != name+"-data" {
			t.Error("the bucket of uploads is not in the stack of data")
		}
		check(t, "the region of the others", a.outputs[stage]["Region"].Value, "eu-north-1")
	}
	var manifest struct {
		Artifacts map[string]struct {
			Environment  string
			Properties   struct{ TerminationProtection bool }
			Dependencies []string
		}
	}
	if err := json.Unmarshal([]byte(a.manifests[Prod]), &manifest); err != nil {
		t.Fatal(err)
	}
	for name, region := range map[string]string{"pulssi-prod-data": "eu-north-1", "pulssi-prod-edge": "us-east-1", "pulssi-prod": "eu-north-1"} {
		s := manifest.Artifacts[name]
		check(t, "where "+name+" is", s.Environment, "aws://unknown-account/"+region)
		check(t, "whether "+name+" is protected", s.Properties.TerminationProtection, true)
		for _, on := range []string{"pulssi-prod-data", "pulssi-prod-edge"} {
			if name == "pulssi-prod" && !slices.Contains(s.Dependencies, on) {
				t.Errorf("%s does not wait for %s", name, on)
			}
		}
	}
}

// TestBackup copies every table each night in prod, for as long as point-in-time
// recovery goes back, into a vault from which nothing can be deleted.
func TestBackup(t *testing.T) {
	tpl := synth(t, Prod)
	vault := theOnly(t, tpl, "AWS::Backup::BackupVault")
	check(t, "the vault's deletion policy", tpl[vault].DeletionPolicy, "RetainExceptOnCreate")
	check(t, "the vault's name, which another deployment does not have", tpl[vault].Properties["BackupVaultName"], join("pulssi-prod-", map[string]any{
		"Fn::Select": []any{2, map[string]any{"Fn::Split": []any{"/", ref("AWS::StackId")}}},
	}))
	for _, s := range statements(t, tpl[vault]) {
		if s.Effect != "Deny" || !strings.Contains(show(s.Action), "backup:DeleteRecoveryPoint") {
			t.Errorf("the vault's policy is %+v", s)
		}
	}
	if len(statements(t, tpl[vault])) != 1 {
		t.Error("the vault lets copies be deleted")
	}
	plan := tpl[theOnly(t, tpl, "AWS::Backup::BackupPlan")].Properties["BackupPlan"].(map[string]any)
	check(t, "the plan", plan["BackupPlanRule"], []any{map[string]any{
		"RuleName": "nightly", "ScheduleExpression": "cron(30 1 * * ? *)", "TargetBackupVault": arn(vault, "BackupVaultName"), "Lifecycle": map[string]any{"DeleteAfterDays": 35},
	}})
	selected := tpl[theOnly(t, tpl, "AWS::Backup::BackupSelection")].Properties["BackupSelection"].(map[string]any)["Resources"].([]any)
	if len(selected) != len(topology.Tables()) {
		t.Errorf("%d tables are copied, of %d", len(selected), len(topology.Tables()))
	}
	for _, table := range topology.Tables() {
		id := tpl.byName(t, "AWS::DynamoDB::Table", "TableName", "pulssi-prod-"+table.Name)
		if !strings.Contains(show(selected), `"`+id+`"`) {
			t.Errorf("%s is not copied", table.Name)
		}
	}
	if n := len(synth(t, Dev).ofType("AWS::Backup::BackupVault")); n != 0 {
		t.Errorf("dev has %d vaults", n)
	}
}

func TestBudget(t *testing.T) {
	tpl := synth(t, Prod)
	b := tpl[theOnly(t, tpl, "AWS::Budgets::Budget")].Properties
	check(t, "the budget", b["Budget"], map[string]any{
		"BudgetName": "pulssi-prod", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": map[string]any{"Amount": 100, "Unit": "USD"},
	})
	people := []any{map[string]any{"Address": "ops@example.com", "SubscriptionType": "EMAIL"}}
	told := func(kind string, percent int) any {
		return map[string]any{"Subscribers": people, "Notification": map[string]any{
			"NotificationType": kind, "ComparisonOperator": "GREATER_THAN", "Threshold": percent, "ThresholdType": "PERCENTAGE",
		}}
	}
	check(t, "who is told of it when", b["NotificationsWithSubscribers"], []any{told("ACTUAL", 80), told("FORECASTED", 100)})
	if n := len(synth(t, Dev).ofType("AWS::Budgets::Budget")); n != 0 {
		t.Errorf("without a budget there are %d", n)
	}
}
