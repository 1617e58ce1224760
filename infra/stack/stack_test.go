package stack

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/topology"
)

// resource is one resource of a template.
type resource struct {
	Type           string
	Properties     map[string]any
	DependsOn      []string
	DeletionPolicy string
}

// template is a synthesized template: resources by logical id.
type template map[string]resource

// assembly is what CDK wrote, made once: starting it takes seconds.
type assembly struct {
	folder    string
	templates map[Stage]template
	outputs   map[Stage]map[string]struct{ Value any }
}

// given is the context of both stages: no key has its default, but in prod
// there is no address and nothing to send by.
var given = map[Stage]map[string]any{
	Dev: {
		"zone": "Europe/Stockholm", "publicUrl": "https://answer.example.com", "retentionDays": "365", "fileDays": 7.0,
		"sender": "Kauppa <Feedback@mail.example.com>", "senderDomain": "example.com", "smsSender": "Kauppa24", "smsNumber": "+358401234567", "sendRate": 0.5, "dryRun": true,
		"alarmEmail": "ops@example.com", "signinPrefix": "kauppa-pulssi", "programs": true,
	},
	Prod: {"zone": "Europe/Stockholm", "retentionDays": "365"},
}

var synthesized = sync.OnceValues(func() (*assembly, error) {
	folder, err := os.MkdirTemp("", "pulssi-infra-")
	if err != nil {
		return nil, err
	}
	code := filepath.Join(folder, "dist")
	for _, f := range topology.Functions() {
		if err := os.MkdirAll(filepath.Join(code, string(f)), 0o750); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(code, string(f), "bootstrap"), []byte(f), 0o600); err != nil {
			return nil, err
		}
	}
	out := &assembly{filepath.Join(folder, "cdk.out"), map[Stage]template{}, map[Stage]map[string]struct{ Value any }{}}
	for _, stage := range []Stage{Dev, Prod} {
		// What is tested is what cdk.json makes CDK do.
		var cdk struct{ Context map[string]any }
		if err := readJSON("../../cdk.json", &cdk); err != nil {
			return nil, err
		}
		maps.Copy(cdk.Context, given[stage])
		cdk.Context["stage"] = string(stage)
		settings, err := ReadSettings(cdk.Context)
		if err != nil {
			return nil, err
		}
		app := awscdk.NewApp(&awscdk.AppProps{Outdir: &out.folder, Context: &cdk.Context})
		p := NewPulssi(app, "test-"+string(stage), &PulssiProps{Settings: settings, Code: code})
		app.Synth(nil)
		var t struct {
			Resources template
			Outputs   map[string]struct{ Value any }
		}
		if err := readJSON(filepath.Join(out.folder, *p.Stack.TemplateFile()), &t); err != nil {
			return nil, err
		}
		out.templates[stage], out.outputs[stage] = t.Resources, t.Outputs
	}
	return out, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if a, err := synthesized(); err == nil {
		os.RemoveAll(filepath.Dir(a.folder))
	}
	jsii.Close()
	os.Exit(code)
}

func readJSON(file string, into any) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

func synth(t *testing.T, stage Stage) template {
	t.Helper()
	a, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	return a.templates[stage]
}

// ofType returns the resources of a type, by logical id.
func (t template) ofType(kind string) map[string]resource {
	out := map[string]resource{}
	for id, r := range t {
		if r.Type == kind {
			out[id] = r
		}
	}
	return out
}

// byName returns the logical id of the resource of a type whose property has
// a value.
func (t template) byName(tt *testing.T, kind, property, value string) string {
	tt.Helper()
	for id, r := range t.ofType(kind) {
		if r.Properties[property] == value {
			return id
		}
	}
	tt.Fatalf("there is no %s with %s %s", kind, property, value)
	return ""
}

// arn is how a template refers to an attribute of a resource.
func arn(id, attribute string) map[string]any {
	return map[string]any{"Fn::GetAtt": []any{id, attribute}}
}

func check(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(normal(got), normal(want)) {
		t.Errorf("%s is\n%s\nwant\n%s", what, show(got), show(want))
	}
}

// normal returns v as JSON has it.
func normal(v any) any {
	var out any
	if err := json.Unmarshal([]byte(show(v)), &out); err != nil {
		panic(err)
	}
	return out
}

// list returns what a template has as one value or as several.
func list(v any) []any {
	if several, ok := v.([]any); ok {
		return several
	}
	return []any{v}
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// function returns the logical id of a function, and role that of its role.
func (t template) function(tt *testing.T, stage Stage, f topology.Function) string {
	tt.Helper()
	return t.byName(tt, "AWS::Lambda::Function", "FunctionName", "pulssi-"+string(stage)+"-"+string(f))
}

func (t template) role(tt *testing.T, stage Stage, f topology.Function) string {
	tt.Helper()
	ref := t[t.function(tt, stage, f)].Properties["Role"].(map[string]any)["Fn::GetAtt"].([]any)
	return ref[0].(string)
}

// queue returns the logical id of a queue of the stage dev.
func (t template) queue(tt *testing.T, name string) string {
	tt.Helper()
	return t.byName(tt, "AWS::SQS::Queue", "QueueName", "pulssi-dev-"+name)
}

// join is how a template puts a text together.
func join(parts ...any) map[string]any {
	return map[string]any{"Fn::Join": []any{"", parts}}
}

func ref(id string) map[string]any { return map[string]any{"Ref": id} }

// inAccount is the ARN of something of this account and region.
func inAccount(service string, rest ...any) map[string]any {
	return join(append([]any{"arn:", ref("AWS::Partition"), ":" + service + ":", ref("AWS::Region"), ":", ref("AWS::AccountId")}, rest...)...)
}

// may lists what a role may do: an action on a resource each, with the
// condition if there is one.
func (t template) may(tt *testing.T, role string) []string {
	tt.Helper()
	if r := t[role]; r.Properties["ManagedPolicyArns"] != nil || r.Properties["Policies"] != nil {
		tt.Errorf("the role %s has managed or inline policies: %s", role, show(r.Properties))
	}
	var out []string
	for _, p := range t.ofType("AWS::IAM::Policy") {
		if !strings.Contains(show(p.Properties["Roles"]), `"`+role+`"`) {
			continue
		}
		var doc struct {
			Statement []struct {
				Action, Resource, NotResource, Condition any
				Effect                                   string
			}
		}
		if err := json.Unmarshal([]byte(show(p.Properties["PolicyDocument"])), &doc); err != nil {
			tt.Fatal(err)
		}
		for _, s := range doc.Statement {
			if s.Effect != "Allow" {
				tt.Errorf("%s has a statement that does not allow: %s", role, show(s))
			}
			for _, a := range list(s.Action) {
				for _, r := range list(s.Resource) {
					line := a.(string) + " on " + show(r)
					if s.NotResource != nil {
						line += " but not " + show(s.NotResource)
					}
					if s.Condition != nil {
						line += " if " + show(s.Condition)
					}
					out = append(out, line)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// equals is the condition that a key has a value.
func equals(pairs ...any) string {
	values := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i].(string)] = pairs[i+1]
	}
	return " if " + show(map[string]any{"StringEquals": values})
}

// TestPermissions holds each function to exactly the calls it makes, each on
// exactly the resources it makes them on.
func TestPermissions(t *testing.T) {
	tpl := synth(t, Dev)
	for _, f := range topology.Functions() {
		var want []string
		allow := func(resource any, actions ...string) {
			for _, a := range actions {
				want = append(want, a+" on "+show(resource))
			}
		}
		allowIf := func(resource any, action, condition string) {
			want = append(want, action+" on "+show(resource)+condition)
		}
		log := tpl.byName(t, "AWS::Logs::LogGroup", "LogGroupName", "/pulssi/dev/"+string(f))
		allow(arn(log, "Arn"), "logs:CreateLogStream", "logs:PutLogEvents")
		for _, a := range topology.Accesses() {
			if a.Function != f {
				continue
			}
			table := tpl.byName(t, "AWS::DynamoDB::Table", "TableName", "pulssi-dev-"+a.Table.Name)
			for _, action := range a.Actions {
				allow(arn(table, "Arn"), string(action))
				if a.Index {
					allow(join(arn(table, "Arn"), "/index/*"), string(action))
				}
			}
		}
		for _, s := range topology.Streams() {
			if s.Function != f {
				continue
			}
			table := tpl.byName(t, "AWS::DynamoDB::Table", "TableName", "pulssi-dev-"+s.Table.Name)
			allow(arn(table, "StreamArn"), "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
			allow(join(arn(table, "Arn"), "/stream/*"), "dynamodb:ListStreams")
			allow(arn(tpl.queue(t, string(f)+"-failed"), "Arn"), "sqs:SendMessage")
		}
		for _, q := range topology.Queues() {
			if q.Function == f {
				allow(arn(tpl.queue(t, q.Name), "Arn"), "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
			}
		}
		for _, name := range topology.Senders()[f] {
			allow(arn(tpl.queue(t, name), "Arn"), "sqs:SendMessage")
		}
		if slices.Contains(topology.Schedulers(), f) {
			group := tpl.byName(t, "AWS::Scheduler::ScheduleGroup", "Name", "pulssi-dev")
			allow(inAccount("scheduler", ":schedule/", ref(group), "/*"), "scheduler:CreateSchedule")
			allowIf(arn(scheduleRole(t, tpl), "Arn"), "iam:PassRole", equals("iam:PassedToService", "scheduler.amazonaws.com"))
		}
		if slices.Contains(topology.Publishers(), f) {
			bus := tpl.byName(t, "AWS::Events::EventBus", "Name", "pulssi-dev-events")
			allowIf(arn(bus, "Arn"), "events:PutEvents", equals("events:source", "pulssi.api"))
		}
		switch f {
		case topology.Delivery:
			allow(arn(tpl.queue(t, "delivery-failed"), "Arn"), "sqs:SendMessage")
		case topology.Intake:
			bucket := arn(bucket(t, tpl), "Arn")
			allow(join(bucket, "/uploads/*"), "s3:GetObject")
			allow(join(bucket, "/reports/*"), "s3:GetObject", "s3:PutObject")
			allow(bucket, "s3:ListBucket")
		case topology.Send:
			allow(arn(tpl.queue(t, "asks"), "Arn"), "sqs:ChangeMessageVisibility") // when a message is to come again
			allow(ref(theOnly(t, tpl, "AWS::SecretsManager::Secret")), "secretsmanager:GetSecretValue")
			set := inAccount("ses", ":configuration-set/", ref(theOnly(t, tpl, "AWS::SES::ConfigurationSet")))
			for _, resource := range []any{inAccount("ses", ":identity/*"), set} {
				from := equals("ses:FromAddress", "Feedback@mail.example.com")
				allowIf(resource, "ses:SendEmail", from)
				allowIf(resource, "ses:SendRawEmail", from)
			}
			allowIf(nil, "sns:Publish", " but not "+show("arn:aws:sns:*:*:*"))
		}
		slices.Sort(want)
		check(t, "what "+string(f)+" may do", tpl.may(t, tpl.role(t, Dev, f)), want)
	}
	// The functions' policies, those of schedules and of the tick are all there are.
	if got, want := len(tpl.ofType("AWS::IAM::Policy")), len(topology.Functions())+2; got != want {
		t.Errorf("%d policies, want %d", got, want)
	}
	if other := tpl.ofType("AWS::IAM::ManagedPolicy"); len(other) > 0 {
		t.Errorf("there are managed policies: %s", show(other))
	}
	// Where there is nothing to send by, there is no right to.
	prod := synth(t, Prod)
	for _, line := range prod.may(t, prod.role(t, Prod, topology.Send)) {
		if strings.HasPrefix(line, "ses:") || strings.HasPrefix(line, "sns:") {
			t.Errorf("without a sender, send may %s", line)
		}
	}
}

// theOnly returns the logical id of the one resource of a type.
func theOnly(t *testing.T, tpl template, kind string) string {
	t.Helper()
	all := slices.Collect(maps.Keys(tpl.ofType(kind)))
	if len(all) != 1 {
		t.Fatalf("there are %d %s, want 1", len(all), kind)
	}
	return all[0]
}

func bucket(t *testing.T, tpl template) string {
	t.Helper()
	return theOnly(t, tpl, "AWS::S3::Bucket")
}

// scheduleRole returns the logical id of the role of the schedules: that which
// Scheduler may take on for the group of asks.
func scheduleRole(t *testing.T, tpl template) string {
	t.Helper()
	for id, r := range tpl.ofType("AWS::IAM::Role") {
		if strings.Contains(show(r.Properties["AssumeRolePolicyDocument"]), ":schedule-group/pulssi-") {
			return id
		}
	}
	t.Fatal("there is no role of the schedules")
	return ""
}

// trusts holds who may take on a role.
func trusts(t *testing.T, tpl template, role, service string, condition any) {
	t.Helper()
	statement := map[string]any{"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": map[string]any{"Service": service}}
	if condition != nil {
		statement["Condition"] = condition
	}
	check(t, "who may be "+role, tpl[role].Properties["AssumeRolePolicyDocument"].(map[string]any)["Statement"], []any{statement})
}

func ofGroup(group string) any {
	return map[string]any{"StringEquals": map[string]any{
		"aws:SourceAccount": ref("AWS::AccountId"), "aws:SourceArn": inAccount("scheduler", ":schedule-group/"+group),
	}}
}

// TestSchedules lets the schedules put asks into their queue, or its dead-letter
// queue, and nothing else.
func TestSchedules(t *testing.T) {
	tpl := synth(t, Dev)
	role := scheduleRole(t, tpl)
	trusts(t, tpl, role, "scheduler.amazonaws.com", ofGroup("pulssi-dev"))
	check(t, "what the schedules may do", tpl.may(t, role), []string{
		"sqs:SendMessage on " + show(arn(tpl.queue(t, "asks-failed"), "Arn")), "sqs:SendMessage on " + show(arn(tpl.queue(t, "asks"), "Arn")),
	})
}

func TestTick(t *testing.T) {
	tpl := synth(t, Dev)
	id := theOnly(t, tpl, "AWS::Scheduler::Schedule")
	fn := arn(tpl.function(t, Dev, topology.Plan), "Arn")
	failed := arn(tpl.queue(t, topology.RefusedEvents), "Arn")
	target := tpl[id].Properties["Target"].(map[string]any)
	role := target["RoleArn"].(map[string]any)["Fn::GetAtt"].([]any)[0].(string)
	check(t, "the tick", tpl[id].Properties, map[string]any{
		"Name": "pulssi-dev-tick", "Description": "Who is asked in this hour?",
		"ScheduleExpression": "cron(0 0/1 * * ? *)", "ScheduleExpressionTimezone": "UTC",
		"FlexibleTimeWindow": map[string]any{"Mode": "OFF"},
		"Target": map[string]any{
			"Arn": fn, "RoleArn": arn(role, "Arn"), "Input": `{"tick":"<aws.scheduler.scheduled-time>"}`,
			"DeadLetterConfig": map[string]any{"Arn": failed},
			"RetryPolicy":      map[string]any{"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 185},
		},
	})
	trusts(t, tpl, role, "scheduler.amazonaws.com", ofGroup("default"))
	check(t, "what the tick may do", tpl.may(t, role), []string{
		"lambda:InvokeFunction on " + show(fn), "sqs:SendMessage on " + show(failed),
	})
}

func TestBusinessEvents(t *testing.T) {
	tpl := synth(t, Dev)
	bus := tpl.byName(t, "AWS::Events::EventBus", "Name", "pulssi-dev-events")
	rule := tpl.byName(t, "AWS::Events::Rule", "Name", "pulssi-dev-business-events")
	failed := arn(tpl.queue(t, topology.RefusedEvents), "Arn")
	check(t, "the rule", tpl[rule].Properties, map[string]any{
		"Name": "pulssi-dev-business-events", "EventBusName": ref(bus), "State": "ENABLED",
		"EventPattern": map[string]any{"source": []any{map[string]any{"anything-but": []any{"pulssi"}}}},
		"Targets": []any{map[string]any{
			"Id": "Target0", "Arn": arn(tpl.function(t, Dev, topology.Plan), "Arn"),
			"DeadLetterConfig": map[string]any{"Arn": failed},
			"RetryPolicy":      map[string]any{"MaximumEventAgeInSeconds": 24 * 3600, "MaximumRetryAttempts": 185},
		}},
	})
	check(t, "who may put into the queue of what failed", tpl.opens(t, topology.RefusedEvents), []string{
		"events.amazonaws.com sqs:SendMessage if " + of("ArnEquals", arn(rule, "Arn")),
	})
}

// of is the condition that something comes from one resource.
func of(operator string, source any) string {
	return show(map[string]any{operator: map[string]any{"aws:SourceArn": source}})
}

// TestFailedInvocations keeps what a function could not do for nobody in
// particular.
func TestFailedInvocations(t *testing.T) {
	tpl := synth(t, Dev)
	queues := map[topology.Function]string{topology.Plan: topology.RefusedEvents, topology.Delivery: "delivery-failed"}
	for f, name := range queues {
		var found []string
		for id, r := range tpl.ofType("AWS::Lambda::EventInvokeConfig") {
			if show(r.Properties["FunctionName"]) != show(ref(tpl.function(t, Dev, f))) {
				continue
			}
			found = append(found, id)
			check(t, "what becomes of an invocation of "+string(f)+" that fails", r.Properties, map[string]any{
				"FunctionName": ref(tpl.function(t, Dev, f)), "Qualifier": "$LATEST",
				"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 6 * 3600,
				"DestinationConfig": map[string]any{"OnFailure": map[string]any{"Destination": arn(tpl.queue(t, name), "Arn")}},
			})
			if !tpl.waitsForPolicy(id, tpl.role(t, Dev, f)) {
				t.Errorf("%s does not wait for the policy of %s: %v", id, f, r.DependsOn)
			}
		}
		if len(found) != 1 {
			t.Errorf("%s has %d configurations, want 1", f, len(found))
		}
	}
}

func TestNotices(t *testing.T) {
	tpl := synth(t, Dev)
	set := tpl.byName(t, "AWS::SES::ConfigurationSet", "Name", "pulssi-dev")
	check(t, "what SES measures", tpl[set].Properties["ReputationOptions"], map[string]any{"ReputationMetricsEnabled": true})
	destination := theOnly(t, tpl, "AWS::SES::ConfigurationSetEventDestination")
	check(t, "what SES tells", tpl[destination].Properties, map[string]any{
		"ConfigurationSetName": ref(set),
		"EventDestination": map[string]any{
			"Name": "bus", "Enabled": true, "MatchingEventTypes": []string{"DELIVERY", "BOUNCE", "COMPLAINT", "REJECT"},
			"EventBridgeDestination": map[string]any{"EventBusArn": inAccount("events", ":event-bus/default")},
		},
	})
	identity := tpl[theOnly(t, tpl, "AWS::SES::EmailIdentity")]
	// The set is not its default: what others send is not counted as ours.
	check(t, "the identity", identity.Properties, map[string]any{"EmailIdentity": "example.com"})
	check(t, "the identity's deletion policy", identity.DeletionPolicy, "Retain")
	if n := len(synth(t, Prod).ofType("AWS::SES::EmailIdentity")); n != 0 {
		t.Errorf("without a domain there are %d identities", n)
	}

	rule := tpl.byName(t, "AWS::Events::Rule", "Name", "pulssi-dev-mail-notices")
	failed := arn(tpl.queue(t, "delivery-failed"), "Arn")
	fn := arn(tpl.function(t, Dev, topology.Delivery), "Arn")
	check(t, "the rule", tpl[rule].Properties, map[string]any{
		"Name": "pulssi-dev-mail-notices", "State": "ENABLED", // on the account's own bus
		"EventPattern": map[string]any{
			"source": []any{"aws.ses"},
			"detail": map[string]any{"mail": map[string]any{"tags": map[string]any{"ses:configuration-set": []any{"pulssi-dev"}}}},
		},
		"Targets": []any{map[string]any{
			"Id": "Target0", "Arn": fn, "DeadLetterConfig": map[string]any{"Arn": failed},
			"RetryPolicy": map[string]any{"MaximumEventAgeInSeconds": 24 * 3600, "MaximumRetryAttempts": 185},
		}},
	})

	topic := tpl.byName(t, "AWS::SNS::Topic", "TopicName", "pulssi-dev-replies")
	check(t, "who hears replies", tpl.subscriptions(topic), []any{map[string]any{
		"Protocol": "lambda", "TopicArn": ref(topic), "Endpoint": fn,
		"RedrivePolicy": map[string]any{"deadLetterTargetArn": failed},
	}})
	tpl.publishes(t, topic, "sms-voice.amazonaws.com", map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": ref("AWS::AccountId")}})
	open := tpl.opens(t, "delivery-failed")
	slices.Sort(open)
	check(t, "who may put into the queue of what failed", open, []string{
		"events.amazonaws.com sqs:SendMessage if " + of("ArnEquals", arn(rule, "Arn")),
		"sns.amazonaws.com sqs:SendMessage if " + of("ArnEquals", ref(topic)),
	})
}

// subscriptions returns the properties of those of a topic.
func (t template) subscriptions(topic string) []any {
	var out []any
	for _, s := range t.ofType("AWS::SNS::Subscription") {
		if show(s.Properties["TopicArn"]) == show(ref(topic)) {
			out = append(out, s.Properties)
		}
	}
	return out
}

// publishes holds a topic to be written to by one service on a condition, and by
// nobody without TLS.
func (t template) publishes(tt *testing.T, topic, service string, condition any) {
	tt.Helper()
	var may, mayNot int
	for _, p := range t.ofType("AWS::SNS::TopicPolicy") {
		if show(p.Properties["Topics"]) != show([]any{ref(topic)}) {
			continue
		}
		for _, s := range p.Properties["PolicyDocument"].(map[string]any)["Statement"].([]any) {
			s := s.(map[string]any)
			delete(s, "Sid")
			if s["Effect"] == "Deny" {
				mayNot++
				check(tt, "who may not write to "+topic, s["Condition"], map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}})
				continue
			}
			may++
			check(tt, "who may write to "+topic, s, map[string]any{
				"Action": "sns:Publish", "Effect": "Allow", "Principal": map[string]any{"Service": service},
				"Resource": ref(topic), "Condition": condition,
			})
		}
	}
	if may != 1 || mayNot != 1 {
		tt.Errorf("the policy of %s allows %d times and denies %d times", topic, may, mayNot)
	}
}

// TestAlarms has an alarm for each dead-letter queue and for both rates by which
// SES judges, and no other, each told to the same topic.
func TestAlarms(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		tpl := synth(t, stage)
		prefix := "pulssi-" + string(stage) + "-"
		topic := tpl.byName(t, "AWS::SNS::Topic", "TopicName", prefix+"alarms")
		want := map[string]map[string]any{}
		set := []any{map[string]any{"Name": "ses:configuration-set", "Value": ref(theOnly(t, tpl, "AWS::SES::ConfigurationSet"))}}
		want[prefix+"bounces"] = map[string]any{
			"Namespace": "AWS/SES", "MetricName": "Reputation.BounceRate", "Dimensions": set, "Period": 3600, "Threshold": 0.04,
		}
		want[prefix+"complaints"] = map[string]any{
			"Namespace": "AWS/SES", "MetricName": "Reputation.ComplaintRate", "Dimensions": set, "Period": 3600, "Threshold": 0.0008,
		}
		for id, q := range tpl.ofType("AWS::SQS::Queue") {
			if name := q.Properties["QueueName"].(string); strings.HasSuffix(name, "-failed") {
				want[name] = map[string]any{
					"Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible", "Period": 300, "Threshold": 0,
					"Dimensions": []any{map[string]any{"Name": "QueueName", "Value": arn(id, "QueueName")}},
				}
			}
		}
		for _, name := range []string{"asks", "imports", "events", "delivery", "tally"} {
			if want[prefix+name+"-failed"] == nil {
				t.Errorf("there is no queue %s-failed", name)
			}
		}
		for name, w := range want {
			w["AlarmName"], w["Statistic"], w["EvaluationPeriods"] = name, "Maximum", 1
			w["ComparisonOperator"], w["TreatMissingData"] = "GreaterThanThreshold", "notBreaching"
			w["AlarmActions"] = []any{ref(topic)}
		}
		got := map[string]map[string]any{}
		for _, a := range tpl.ofType("AWS::CloudWatch::Alarm") {
			p := maps.Clone(a.Properties)
			name := p["AlarmName"].(string)
			if d, _ := p["AlarmDescription"].(string); !strings.Contains(d, ". First ") || len(d) > 1024 {
				t.Errorf("the alarm %s does not say what to do first: %q", name, d)
			}
			delete(p, "AlarmDescription")
			got[name] = p
		}
		check(t, "the alarms", got, want)
		tpl.publishes(t, topic, "cloudwatch.amazonaws.com", map[string]any{
			"StringEquals": map[string]any{"aws:SourceAccount": ref("AWS::AccountId")},
			"ArnLike":      map[string]any{"aws:SourceArn": inAccount("cloudwatch", ":alarm:"+prefix+"*")},
		})
		var hear []any
		if stage == Dev { // prod has no address
			hear = []any{map[string]any{"Protocol": "email", "TopicArn": ref(topic), "Endpoint": "ops@example.com"}}
		}
		check(t, "who hears alarms", tpl.subscriptions(topic), hear)
	}
}

// opens lists which services a queue's own policy lets in, and holds it to
// keeping out everybody who does not use TLS.
func (t template) opens(tt *testing.T, name string) []string {
	tt.Helper()
	id := t.queue(tt, name)
	tls := false
	var out []string
	for _, p := range t.ofType("AWS::SQS::QueuePolicy") {
		if show(p.Properties["Queues"]) != show([]any{ref(id)}) {
			continue
		}
		for _, s := range p.Properties["PolicyDocument"].(map[string]any)["Statement"].([]any) {
			s := s.(map[string]any)
			check(tt, "what the policy of "+name+" is of", s["Resource"], arn(id, "Arn"))
			if s["Effect"] == "Deny" {
				tls = tls || show(s["Condition"]) == `{"Bool":{"aws:SecureTransport":"false"}}` && s["Action"] == "sqs:*"
				continue
			}
			out = append(out, s["Principal"].(map[string]any)["Service"].(string)+" "+s["Action"].(string)+" if "+show(s["Condition"]))
		}
	}
	if !tls {
		tt.Errorf("the queue %s is open without TLS", name)
	}
	return out
}

// waitsForPolicy reports whether a resource is made after the policies of a role.
func (t template) waitsForPolicy(id, role string) bool {
	return slices.ContainsFunc(t[id].DependsOn, func(d string) bool {
		return t[d].Type == "AWS::IAM::Policy" && strings.Contains(show(t[d].Properties["Roles"]), `"`+role+`"`)
	})
}

func TestQueues(t *testing.T) {
	tpl := synth(t, Dev)
	names := []string{topology.RefusedEvents, "delivery-failed"}
	others := []string{topology.RefusedEvents, "delivery-failed", topology.Imports.Name} // see their own tests
	for _, s := range topology.Streams() {
		names = append(names, string(s.Function)+"-failed")
	}
	for _, q := range topology.Queues() {
		names = append(names, q.Name, q.Failed())
		p := tpl[tpl.queue(t, q.Name)].Properties
		check(t, q.Name+": hidden for", p["VisibilityTimeout"], q.VisibilitySeconds)
		check(t, q.Name+": what is received too often", p["RedrivePolicy"], map[string]any{
			"deadLetterTargetArn": arn(tpl.queue(t, q.Failed()), "Arn"), "maxReceiveCount": q.Receives,
		})
		// Lambda refuses a mapping otherwise.
		if has := sizeOf(q.Function).timeout.Seconds(); has > float64(q.VisibilitySeconds) {
			t.Errorf("%s may take %g s, and a message comes again after %d s", q.Function, has, q.VisibilitySeconds)
		}
	}
	for _, name := range names {
		p := tpl[tpl.queue(t, name)].Properties
		check(t, name+": kept, in seconds", p["MessageRetentionPeriod"], 14*24*3600)
		check(t, name+": encrypted", p["SqsManagedSseEnabled"], true)
		open := tpl.opens(t, name)
		if !slices.Contains(others, name) && len(open) > 0 {
			t.Errorf("the queue %s is open to %s", name, open)
		}
	}
	if got := len(tpl.ofType("AWS::SQS::Queue")); got != len(names) {
		t.Errorf("%d queues, want %d", got, len(names))
	}
	// SQS hands a batch out again after six times the timeout of send.
	if got, want := 6*sizeOf(topology.Send).timeout, time.Duration(topology.Asks.VisibilitySeconds)*time.Second; got > want {
		t.Errorf("six times the timeout of send is %s, and a message is hidden for %s", got, want)
	}
}

func TestFiles(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		tpl := synth(t, stage)
		id := bucket(t, tpl)
		b := tpl[id]
		imports := tpl.byName(t, "AWS::SQS::Queue", "QueueName", "pulssi-"+string(stage)+"-imports")
		name := join("pulssi-"+string(stage)+"-files-", ref("AWS::AccountId"), "-", ref("AWS::Region"))
		days, removal := 30, "Retain"
		if stage == Dev {
			days, removal = 7, "Delete"
		}
		check(t, "the bucket's deletion policy", b.DeletionPolicy, removal)
		check(t, "the bucket", b.Properties, map[string]any{
			"BucketName": name,
			"PublicAccessBlockConfiguration": map[string]any{
				"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
			},
			"BucketEncryption": map[string]any{"ServerSideEncryptionConfiguration": []any{
				map[string]any{"ServerSideEncryptionByDefault": map[string]any{"SSEAlgorithm": "AES256"}},
			}},
			"OwnershipControls": map[string]any{"Rules": []any{map[string]any{"ObjectOwnership": "BucketOwnerEnforced"}}},
			"LifecycleConfiguration": map[string]any{"Rules": []any{ // the records of erasures stay
				map[string]any{"Status": "Enabled", "ExpirationInDays": days, "Prefix": "uploads/"},
				map[string]any{"Status": "Enabled", "ExpirationInDays": days, "Prefix": "reports/"},
				map[string]any{"Status": "Enabled", "AbortIncompleteMultipartUpload": map[string]any{"DaysAfterInitiation": 1}},
			}},
			"NotificationConfiguration": map[string]any{"QueueConfigurations": []any{map[string]any{
				"Event": "s3:ObjectCreated:*", "Queue": arn(imports, "Arn"),
				"Filter": map[string]any{"S3Key": map[string]any{"Rules": []any{map[string]any{"Name": "prefix", "Value": "uploads/"}}}},
			}}},
		})
		policy := tpl[theOnly(t, tpl, "AWS::S3::BucketPolicy")].Properties
		check(t, "who may come to the bucket", policy["PolicyDocument"].(map[string]any)["Statement"], []any{map[string]any{
			"Action": "s3:*", "Effect": "Deny", "Principal": map[string]any{"AWS": "*"},
			"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
			"Resource":  []any{arn(id, "Arn"), join(arn(id, "Arn"), "/*")},
		}})
		// S3 tries the queue when it is told of it.
		if !slices.ContainsFunc(b.DependsOn, func(d string) bool {
			return tpl[d].Type == "AWS::SQS::QueuePolicy" && show(tpl[d].Properties["Queues"]) == show([]any{ref(imports)})
		}) {
			t.Errorf("the bucket does not wait for the policy of its queue: %v", b.DependsOn)
		}
		if stage == Dev {
			source := join("arn:aws:s3:::pulssi-dev-files-", ref("AWS::AccountId"), "-", ref("AWS::Region"))
			check(t, "who may put into the queue of imports", tpl.opens(t, "imports"), []string{
				"s3.amazonaws.com sqs:SendMessage" + equals("aws:SourceAccount", ref("AWS::AccountId"), "aws:SourceArn", source),
			})
		}
	}
}

func TestSecret(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		tpl := synth(t, stage)
		s := tpl[theOnly(t, tpl, "AWS::SecretsManager::Secret")]
		check(t, "the secret's deletion policy", s.DeletionPolicy, "Retain")
		check(t, "the secret's name", s.Properties["Name"], "pulssi-"+string(stage)+"-asks")
		check(t, "how it is made", s.Properties["GenerateSecretString"], map[string]any{"PasswordLength": 64, "ExcludePunctuation": true})
	}
}

// TestInvocations lets nothing but this API, by the functions' own routes, and
// the rules of events and the topic of replies invoke a function. Scheduler does
// by a role, Lambda for streams and queues by the function's own.
func TestInvocations(t *testing.T) {
	tpl := synth(t, Dev)
	var got, want []string
	for id, p := range tpl.ofType("AWS::Lambda::Permission") {
		check(t, id+": action", p.Properties["Action"], "lambda:InvokeFunction")
		fn := p.Properties["FunctionName"].(map[string]any)["Fn::GetAtt"].([]any)[0].(string)
		who := p.Properties["Principal"].(string)
		source := show(p.Properties["SourceArn"])
		if who == "apigateway.amazonaws.com" {
			parts := p.Properties["SourceArn"].(map[string]any)["Fn::Join"].([]any)[1].([]any)
			api := parts[len(parts)-2].(map[string]any)["Ref"].(string)
			if tpl[api].Type != "AWS::ApiGatewayV2::Api" {
				t.Errorf("%s is for %s", id, source)
			}
			source = parts[len(parts)-1].(string)
		}
		got = append(got, who+" "+source+" "+tpl[fn].Properties["FunctionName"].(string))
	}
	for _, r := range topology.Routes() {
		want = append(want, "apigateway.amazonaws.com /*/*"+r.Path+" pulssi-dev-"+string(r.Function)) // one for each method of a path
	}
	for name, f := range map[string]topology.Function{
		"business-events": topology.EventFunction, "mail-notices": topology.NoticeFunction,
	} {
		rule := arn(tpl.byName(t, "AWS::Events::Rule", "Name", "pulssi-dev-"+name), "Arn")
		want = append(want, "events.amazonaws.com "+show(rule)+" pulssi-dev-"+string(f))
	}
	want = append(want, "sns.amazonaws.com "+show(ref(tpl.byName(t, "AWS::SNS::Topic", "TopicName", "pulssi-dev-replies")))+" pulssi-dev-"+string(topology.ReplyFunction))
	slices.Sort(got)
	slices.Sort(want)
	check(t, "what may invoke which function", got, want)
}

func TestTables(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		tpl := synth(t, stage)
		if got, want := len(tpl.ofType("AWS::DynamoDB::Table")), len(topology.Tables()); got != want {
			t.Errorf("%d tables, want %d", got, want)
		}
		for _, table := range topology.Tables() {
			r := tpl[tpl.byName(t, "AWS::DynamoDB::Table", "TableName", "pulssi-"+string(stage)+"-"+table.Name)]
			p := r.Properties
			check(t, table.Name+": deletion policy", r.DeletionPolicy, "Retain")
			check(t, table.Name+": deletion protection", p["DeletionProtectionEnabled"], stage == Prod)
			check(t, table.Name+": recovery", p["PointInTimeRecoverySpecification"], map[string]any{"PointInTimeRecoveryEnabled": true})
			check(t, table.Name+": billing", p["BillingMode"], "PAY_PER_REQUEST")
			check(t, table.Name+": key", p["KeySchema"], keySchema(table.Hash, table.Range))
			var stream, ttl any
			if table.Stream {
				stream = map[string]any{"StreamViewType": "NEW_AND_OLD_IMAGES"}
			}
			if table.TTL != "" {
				ttl = map[string]any{"AttributeName": table.TTL, "Enabled": true}
			}
			check(t, table.Name+": stream", p["StreamSpecification"], stream)
			check(t, table.Name+": expiry", p["TimeToLiveSpecification"], ttl)
			var indexes any
			if len(table.Indexes) > 0 {
				var list []any
				for _, ix := range table.Indexes {
					projection := "ALL"
					if ix.KeysOnly {
						projection = "KEYS_ONLY"
					}
					list = append(list, map[string]any{
						"IndexName": ix.Name, "KeySchema": keySchema(ix.Hash, ix.Range),
						"Projection": map[string]any{"ProjectionType": projection},
					})
				}
				indexes = list
			}
			check(t, table.Name+": indexes", p["GlobalSecondaryIndexes"], indexes)
		}
	}
}

func keySchema(hash, rng topology.Attribute) []any {
	out := []any{map[string]any{"AttributeName": hash.Name, "KeyType": "HASH"}}
	if rng.Name != "" {
		out = append(out, map[string]any{"AttributeName": rng.Name, "KeyType": "RANGE"})
	}
	return out
}

func TestFunctions(t *testing.T) {
	tpl := synth(t, Dev)
	if got, want := len(tpl.ofType("AWS::Lambda::Function")), len(topology.Functions()); got != want {
		t.Errorf("%d functions, want %d", got, want)
	}
	for _, f := range topology.Functions() {
		p := tpl[tpl.byName(t, "AWS::Lambda::Function", "FunctionName", "pulssi-dev-"+string(f))].Properties
		check(t, string(f)+": architecture", p["Architectures"], []string{"arm64"})
		check(t, string(f)+": runtime", p["Runtime"], "provided.al2023")
		has := sizeOf(f)
		check(t, string(f)+": memory", p["MemorySize"], has.memory)
		check(t, string(f)+": disk", p["EphemeralStorage"], map[string]any{"Size": has.disk})
		check(t, string(f)+": timeout", p["Timeout"], has.timeout.Seconds())
		check(t, string(f)+": code", code(t, p), string(f))
		if seconds := p["Timeout"].(float64); isHTTP(f) && seconds >= 30 {
			t.Errorf("%s may take %g s, and the gateway gives up after 30", f, seconds)
		}
		log := tpl.byName(t, "AWS::Logs::LogGroup", "LogGroupName", "/pulssi/dev/"+string(f))
		check(t, string(f)+": logging", p["LoggingConfig"], map[string]any{
			"LogFormat": "JSON", "LogGroup": map[string]any{"Ref": log}, "SystemLogLevel": "WARN", "ApplicationLogLevel": "INFO",
		})
		trusts(t, tpl, tpl.role(t, Dev, f), "lambda.amazonaws.com", nil)
	}
	for id, r := range tpl.ofType("AWS::Logs::LogGroup") {
		if days, _ := r.Properties["RetentionInDays"].(float64); days == 0 {
			t.Errorf("log group %s is kept for ever", id)
		}
	}
}

// TestEnvironment holds each function to knowing what it can read, and no more.
func TestEnvironment(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		tpl := synth(t, stage)
		queueURL := func(name string) any {
			return ref(tpl.byName(t, "AWS::SQS::Queue", "QueueName", "pulssi-"+string(stage)+"-"+name))
		}
		asks := tpl.byName(t, "AWS::SQS::Queue", "QueueName", "pulssi-"+string(stage)+"-asks")
		for _, f := range topology.Functions() {
			want := map[string]any{
				config.TablePrefix: "pulssi-" + string(stage) + "-", config.Zone: "Europe/Stockholm",
				config.PublicURL: "https://answer.example.com", config.Retention: "365",
			}
			if stage == Prod {
				want[config.PublicURL] = ""
			}
			if f == topology.Plan || f == topology.Send {
				want[config.AsksQueue] = queueURL("asks")
				want[config.AsksQueueARN] = arn(asks, "Arn")
				want[config.FailedAsksARN] = arn(tpl.byName(t, "AWS::SQS::Queue", "QueueName", "pulssi-"+string(stage)+"-asks-failed"), "Arn")
				want[config.ScheduleGroup] = ref(tpl.byName(t, "AWS::Scheduler::ScheduleGroup", "Name", "pulssi-"+string(stage)))
				want[config.ScheduleRole] = arn(scheduleRole(t, tpl), "Arn")
			}
			switch f {
			case topology.Results:
				want[config.SigninURL] = signinURL(t, stage)
				want[config.SigninClient] = ref(tpl.client(t, stage, "dashboard"))
				want[config.Bus] = ref(tpl.byName(t, "AWS::Events::EventBus", "Name", "pulssi-"+string(stage)+"-events"))
			case topology.Intake:
				want[config.Files] = ref(bucket(t, tpl))
			case topology.Plan:
				want[config.RefusedQueue] = queueURL(topology.RefusedEvents)
			case topology.Send:
				want[config.SecretID] = ref(theOnly(t, tpl, "AWS::SecretsManager::Secret"))
				want[config.Sender], want[config.SMSSender] = "Kauppa <Feedback@mail.example.com>", "Kauppa24"
				want[config.SMSNumber] = "+358401234567"
				want[config.SendRate], want[config.DryRun] = "0.5", "true"
				want[config.MailSet] = ref(tpl.byName(t, "AWS::SES::ConfigurationSet", "Name", "pulssi-"+string(stage)))
				if stage == Prod {
					want[config.SMSNumber] = ""
					want[config.Sender], want[config.SMSSender], want[config.SendRate], want[config.DryRun] = "", "", "10", "false"
					// Links need a whole address.
					want[config.PublicURL] = arn(theOnly(t, tpl, "AWS::ApiGatewayV2::Api"), "ApiEndpoint")
				}
			}
			got := tpl[tpl.function(t, stage, f)].Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
			check(t, "what "+string(f)+" knows", got, want)
			// It must be what the function can read.
			env := map[string]string{config.Region: "eu-north-1"} // set by Lambda
			for k, v := range got {
				if text, ok := v.(string); ok {
					env[k] = text
				}
			}
			getenv := func(name string) string { return env[name] }
			if stage == Prod && f == topology.Send {
				env[config.PublicURL] = "https://id.execute-api.eu-north-1.amazonaws.com" // as the gateway's address is
			}
			if _, err := config.Read(getenv); err != nil {
				t.Errorf("%s could not start: %v", f, err)
			}
			if _, err := config.ReadZone(getenv); err != nil {
				t.Errorf("%s could not start: %v", f, err)
			}
			if _, err := config.ReadSending(getenv); err != nil {
				t.Errorf("%s could not start: %v", f, err)
			}
		}
	}
}

// code returns the bootstrap that a function is deployed with.
func code(t *testing.T, properties map[string]any) string {
	t.Helper()
	a, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	key := properties["Code"].(map[string]any)["S3Key"].(string)
	b, err := os.ReadFile(filepath.Join(a.folder, "asset."+strings.TrimSuffix(key, ".zip"), "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func isHTTP(f topology.Function) bool {
	return slices.ContainsFunc(topology.Routes(), func(r topology.Route) bool { return r.Function == f })
}

func TestMappings(t *testing.T) {
	tpl := synth(t, Dev)
	if got, want := len(tpl.ofType("AWS::Lambda::EventSourceMapping")), len(topology.Streams())+len(topology.Queues()); got != want {
		t.Errorf("%d mappings, want %d", got, want)
	}
	for _, s := range topology.Streams() {
		failed := tpl.queue(t, string(s.Function)+"-failed")
		table := tpl.byName(t, "AWS::DynamoDB::Table", "TableName", "pulssi-dev-"+s.Table.Name)
		check(t, "what feeds "+string(s.Function), tpl.mapping(t, s.Function), map[string]any{
			"FunctionName":                   ref(tpl.function(t, Dev, s.Function)),
			"EventSourceArn":                 arn(table, "StreamArn"),
			"StartingPosition":               "TRIM_HORIZON",
			"BatchSize":                      s.Batch,
			"MaximumBatchingWindowInSeconds": s.BatchingSeconds,
			"TumblingWindowInSeconds":        s.WindowSeconds,
			"BisectBatchOnFunctionError":     s.Bisect,
			"FunctionResponseTypes":          []string{"ReportBatchItemFailures"},
			"MaximumRetryAttempts":           s.Retries,
			"MaximumRecordAgeInSeconds":      s.MaxAgeSeconds,
			"ParallelizationFactor":          s.Parallel,
			"DestinationConfig":              map[string]any{"OnFailure": map[string]any{"Destination": arn(failed, "Arn")}},
		})
	}
	for _, q := range topology.Queues() {
		check(t, "what feeds "+string(q.Function), tpl.mapping(t, q.Function), map[string]any{
			"FunctionName":          ref(tpl.function(t, Dev, q.Function)),
			"EventSourceArn":        arn(tpl.queue(t, q.Name), "Arn"),
			"BatchSize":             q.Batch,
			"FunctionResponseTypes": []string{"ReportBatchItemFailures"},
			"ScalingConfig":         map[string]any{"MaximumConcurrency": q.Concurrency},
		})
	}
}

// mapping returns the properties of the one mapping that feeds a function.
func (t template) mapping(tt *testing.T, f topology.Function) map[string]any {
	tt.Helper()
	fn := t.function(tt, Dev, f)
	for id, m := range t.ofType("AWS::Lambda::EventSourceMapping") {
		if show(m.Properties["FunctionName"]) != show(ref(fn)) {
			continue
		}
		if !t.waitsForPolicy(id, t.role(tt, Dev, f)) {
			tt.Errorf("%s does not wait for the policy of %s: %v", id, f, m.DependsOn)
		}
		return m.Properties
	}
	tt.Errorf("nothing feeds %s", f)
	return nil
}

func TestRoutes(t *testing.T) {
	tpl := synth(t, Dev)
	got := map[string]string{}
	for id, r := range tpl.ofType("AWS::ApiGatewayV2::Route") {
		key := r.Properties["RouteKey"].(string)
		join := r.Properties["Target"].(map[string]any)["Fn::Join"].([]any)[1].([]any)
		integration := tpl[join[1].(map[string]any)["Ref"].(string)].Properties
		check(t, id+": payload", integration["PayloadFormatVersion"], "2.0")
		for _, f := range topology.Functions() {
			fn := tpl.byName(t, "AWS::Lambda::Function", "FunctionName", "pulssi-dev-"+string(f))
			if strings.Contains(show(integration["IntegrationUri"]), `"`+fn+`"`) {
				got[key] = string(f)
			}
		}
		var authorizer, scopes any
		authorization := "NONE"
		if strings.Contains(key, " /api/") { // never open to the world
			authorization, authorizer = "JWT", ref(theOnly(t, tpl, "AWS::ApiGatewayV2::Authorizer"))
			scopes = []string{"openid", "pulssi/viewer", "pulssi/agent", "pulssi/admin"}
		}
		check(t, key+": authorization", r.Properties["AuthorizationType"], authorization)
		check(t, key+": authorizer", r.Properties["AuthorizerId"], authorizer)
		check(t, key+": scopes", r.Properties["AuthorizationScopes"], scopes)
	}
	want := map[string]string{}
	for _, r := range topology.Routes() {
		want[r.Method+" "+r.Path] = string(r.Function)
	}
	check(t, "the routes", got, want)
	for _, s := range tpl.ofType("AWS::ApiGatewayV2::Stage") {
		check(t, "throttling", s.Properties["DefaultRouteSettings"], map[string]any{"ThrottlingRateLimit": 2000, "ThrottlingBurstLimit": 2000})
		format := show(s.Properties["AccessLogSettings"])
		for _, personal := range []string{"sourceIp", "userAgent", "path", "authorizer"} {
			if strings.Contains(format, personal) {
				t.Errorf("the access log has %s: %s", personal, format)
			}
		}
	}
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		key   string
		value any
		want  string // in the error; "" for none
	}{
		{"stage", nil, ""},
		{"stage", "prod", ""},
		{"stage", "Prod", "context stage must be dev or prod"},
		{"stage", []any{"dev"}, "context stage must be a text"},
		{"zone", "Europe/Stockholm", ""},
		{"zone", "Europe/Atlantis", "context zone"},
		{"publicUrl", "https://answer.example.com", ""},
		{"publicUrl", "http://answer.example.com", "context publicUrl must be https:// and a host"},
		{"publicUrl", "https://", "context publicUrl"},
		{"publicUrl", "https://answer.example.com/", ""},
		{"publicUrl", "https://answer.example.com/pulssi", "context publicUrl must be https:// and a host"},
		{"publicUrl", "answer.example.com", "context publicUrl must be https:// and a host"},
		{"retentionDays", 91.0, ""},
		{"retentionDays", "3650", ""},
		{"retentionDays", "90", "context retentionDays: PULSSI_RETENTION_DAYS must be a whole number of days from 91 to 3650"},
		{"retentionDays", 3651.0, "context retentionDays"},
		{"retentionDays", 365.5, "context retentionDays"},
		{"retentionDays", 1e7, "not \"10000000\""},
		{"retentionDays", "a year", "context retentionDays"},
		{"fileDays", 1.0, ""},
		{"fileDays", "365", ""},
		{"fileDays", "0", "context fileDays must be a whole number of days from 1 to 365, not \"0\""},
		{"fileDays", 366.0, "context fileDays"},
		{"fileDays", "07", "context fileDays"},
		{"fileDays", "a week", "context fileDays"},
		{"sender", "feedback@example.com", ""},
		{"sender", "Verkkokauppa Äijö <feedback@example.com>", ""},
		{"sender", "example.com", "context sender must be an e-mail address"},
		{"smsSender", "K", ""},
		{"smsSender", "24Kauppa789", ""},
		{"smsSender", "24Kauppa7890", "context smsSender must be 1 to 11 letters"},
		{"smsSender", "358401234", "context smsSender"},
		{"smsSender", "Äijö", "context smsSender"},
		{"smsSender", "Kauppa\n", "context smsSender"},
		{"smsNumber", "+358401234567", ""},
		{"smsNumber", "0401234567", "context smsNumber"},
		{"sendRate", 1000.0, ""},
		{"sendRate", "0.1", ""},
		{"sendRate", "0", "context sendRate: PULSSI_SEND_RATE must be a number over 0 and at most 1000"},
		{"dryRun", true, ""},
		{"dryRun", "false", ""},
		{"dryRun", "yes", "context dryRun must be true or false"},
		{"alarmEmail", "ops@example.com", ""},
		{"alarmEmail", "Ops <ops@example.com>", "context alarmEmail must be an e-mail address without a name, as ops@example.com, not \"Ops <ops@example.com>\""},
		{"alarmEmail", "a@example.com, b@example.com", "context alarmEmail"},
		{"alarmEmail", "example.com", "context alarmEmail"},
		{"alarmEmail", "ops@example.com\n", "context alarmEmail"},
		{"signinPrefix", "k", ""},
		{"signinPrefix", "kauppa-" + strings.Repeat("x", 56), ""},
		{"signinPrefix", "kauppa-" + strings.Repeat("x", 57), "context signinPrefix must be 1 to 63 small letters"},
		{"signinPrefix", "Kauppa", "context signinPrefix"},
		{"signinPrefix", "-kauppa", "context signinPrefix"},
		{"signinPrefix", "kauppa-", "context signinPrefix"},
		{"signinPrefix", "kauppa.fi", "context signinPrefix"},
		{"signinPrefix", "kauppa\n", "context signinPrefix"},
		{"signinPrefix", "our-cognito", "context signinPrefix"},
		{"signinPrefix", "laws", "context signinPrefix"},
		{"signinPrefix", "amazonia", "context signinPrefix"},
		{"programs", true, ""},
		{"programs", "false", ""},
		{"programs", "2", "context programs must be true or false, not \"2\""},
		{"stgae", "prod", "context stgae is not known: there are stage, zone, publicUrl, retentionDays, fileDays, sender, senderDomain, smsSender, smsNumber, sendRate, dryRun, alarmEmail, signinPrefix, programs"},
		{"@aws-cdk/core:anything", true, ""},
	} {
		_, err := ReadSettings(map[string]any{c.key: c.value})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: error %v, want %q", c.key, c.value, err, c.want)
		}
	}
	for _, c := range []struct {
		sender, domain string
		ok             bool
	}{
		{"feedback@example.com", "example.com", true},
		{"Kauppa <feedback@mail.example.com>", "example.com", true},
		{"feedback@example.com", "mail.example.com", false},
		{"feedback@anexample.com", "example.com", false},
		{"feedback@example.com", "feedback@example.com", false},
		{"", "example.com", false},
	} {
		_, err := ReadSettings(map[string]any{"sender": c.sender, "senderDomain": c.domain})
		if (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "context senderDomain must be the domain of sender") {
			t.Errorf("sender %q of domain %q: error %v", c.sender, c.domain, err)
		}
	}
	// All mistakes are told at once.
	_, err := ReadSettings(map[string]any{
		"stage": "Prod", "zone": "Europe/Atlantis", "publicUrl": "x", "retentionDays": "x",
		"fileDays": "x", "sender": "x", "senderDomain": "x", "smsSender": "ö", "smsNumber": "x", "sendRate": "x", "dryRun": "x", "alarmEmail": "x", "signinPrefix": "X", "programs": "x",
	})
	for _, key := range keys {
		if err == nil || strings.Count(err.Error(), "context "+key+" ")+strings.Count(err.Error(), "context "+key+":") != 1 {
			t.Errorf("the mistake in %s is not told once: %v", key, err)
		}
	}
}
