package stack

import (
	"encoding/json"
	"fmt"
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

// template is what is synthesized of a stage, of all its stacks: resources by
// logical id. What one stack takes from another is written as if it were one.
type template map[string]resource

// assembly is what CDK wrote, made once: starting it takes seconds.
type assembly struct {
	folder    string
	templates map[Stage]template
	outputs   map[Stage]map[string]struct{ Value any }
	stacks    map[Stage]map[string]string // logical ids of resources to the name of their stack
	names     map[Stage][]string          // of the stacks
	manifests map[Stage]string
	findings  []string // of cdk-nag, and those without the exceptions
	bare      []string
	excepted  []string // the rules of the exceptions
}

// given is the context of both stages: in dev no key has its default but the
// region, the domain and the budget, and in prod there is little that need not be
// given.
var given = map[Stage]map[string]any{
	Dev: {
		"zone": "Europe/Stockholm", "locales": "sv,en", "retentionDays": "365", "fileDays": 7.0,
		"sender": "Kauppa <Feedback@mail.example.com>", "senderDomain": "example.com", "smsSender": "Kauppa24", "smsNumber": "+358401234567", "smsBudget": 25.0, "sendRate": 0.5, "dryRun": true,
		"alarmEmail": "ops@example.com, boss@example.com", "signinPrefix": "kauppa-pulssi", "programs": true, "tracing": true,
	},
	Prod: {
		"zone": "Europe/Stockholm", "retentionDays": "365", "alarmEmail": "ops@example.com", "budget": 100.0,
		"domain": "answer.example.com", "certificate": "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
	},
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
	out := &assembly{
		folder: filepath.Join(folder, "cdk.out"), templates: map[Stage]template{}, outputs: map[Stage]map[string]struct{ Value any }{},
		stacks: map[Stage]map[string]string{}, names: map[Stage][]string{}, manifests: map[Stage]string{},
	}
	for _, stage := range []Stage{Dev, Prod} {
		if err := out.synthesize(stage, code); err != nil {
			return nil, err
		}
	}
	slices.Sort(out.excepted)
	out.excepted = slices.Compact(out.excepted)
	for _, stage := range []Stage{Dev, Prod} {
		bare := filepath.Join(folder, "bare")
		app, p, err := newApp(bare, stage, code)
		if err != nil {
			return nil, err
		}
		nag(app)
		app.Synth(nil)
		found, err := findings(bare, p)
		if err != nil {
			return nil, err
		}
		out.bare = append(out.bare, found...)
	}
	return out, nil
})

// newApp returns the app of a stage, which is yet to be synthesized.
func newApp(folder string, stage Stage, code string) (awscdk.App, *Pulssi, error) {
	// What is tested is what cdk.json makes CDK do.
	var cdk struct{ Context map[string]any }
	if err := readJSON("../../cdk.json", &cdk); err != nil {
		return nil, nil, err
	}
	maps.Copy(cdk.Context, given[stage])
	cdk.Context["stage"] = string(stage)
	settings, err := ReadSettings(cdk.Context)
	if err != nil {
		return nil, nil, err
	}
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &folder, Context: &cdk.Context})
	return app, NewPulssi(app, &PulssiProps{Settings: settings, Code: code, FilesVersion: "VERSION"}), nil
}

// findings returns what was found wrong with the constructs of an app.
func findings(folder string, p *Pulssi) ([]string, error) {
	var out []string
	for _, st := range []awscdk.Stack{p.Data.Stack, p.Edge.Stack, p.Stack} {
		var said map[string][]struct {
			Type string
			Data any
		}
		if err := readJSON(filepath.Join(folder, *st.StackName()+".metadata.json"), &said); err != nil {
			return nil, err
		}
		for path, all := range said {
			for _, m := range all {
				if m.Type == "aws:cdk:error" || m.Type == "aws:cdk:warning" {
					out = append(out, path+": "+show(m.Data))
				}
			}
		}
	}
	return out, nil
}

// synthesize adds a stage.
func (a *assembly) synthesize(stage Stage, code string) error {
	app, p, err := newApp(a.folder, stage, code)
	if err != nil {
		return err
	}
	p.Check(app)
	app.Synth(nil)
	found, err := findings(a.folder, p)
	if err != nil {
		return err
	}
	a.findings, a.excepted = append(a.findings, found...), append(a.excepted, p.excepted...)
	b, err := os.ReadFile(filepath.Join(a.folder, "manifest.json")) // before the next stage writes it
	if err != nil {
		return err
	}
	a.manifests[stage] = string(b)
	a.templates[stage], a.outputs[stage], a.stacks[stage] = template{}, map[string]struct{ Value any }{}, map[string]string{}
	imports := map[string]any{}
	for _, st := range []awscdk.Stack{p.Data.Stack, p.Edge.Stack, p.Stack} {
		a.names[stage] = append(a.names[stage], *st.StackName())
		var t struct {
			Resources template
			Outputs   map[string]struct {
				Value  any
				Export struct{ Name string }
			}
		}
		if err := readJSON(filepath.Join(a.folder, *st.TemplateFile()), &t); err != nil {
			return err
		}
		for id, r := range t.Resources {
			if _, taken := a.stacks[stage][id]; taken {
				return fmt.Errorf("two stacks have a resource %s", id)
			}
			r.Properties, _ = imported(r.Properties, imports).(map[string]any)
			a.templates[stage][id], a.stacks[stage][id] = r, *st.StackName()
		}
		for name, o := range t.Outputs {
			if o.Export.Name != "" {
				imports[o.Export.Name] = o.Value
			} else {
				a.outputs[stage][name] = struct{ Value any }{o.Value}
			}
		}
	}
	return nil
}

// imported returns a part of a template with what it imports from another written
// as that has it.
func imported(part any, from map[string]any) any {
	switch part := part.(type) {
	case map[string]any:
		if name, ok := part["Fn::ImportValue"].(string); ok {
			return from[name]
		}
		for k, v := range part {
			part[k] = imported(v, from)
		}
	case []any:
		for i, v := range part {
			part[i] = imported(v, from)
		}
	}
	return part
}

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

// join is how a template puts a text together; texts beside each other are one.
func join(parts ...any) map[string]any {
	var out []any
	for _, p := range parts {
		if text, ok := p.(string); ok && len(out) > 0 {
			if before, ok := out[len(out)-1].(string); ok {
				out[len(out)-1] = before + text
				continue
			}
		}
		out = append(out, p)
	}
	return map[string]any{"Fn::Join": []any{"", out}}
}

func ref(id string) map[string]any { return map[string]any{"Ref": id} }

// inAccount is the ARN of something of this account and region.
func inAccount(service string, rest ...any) map[string]any {
	return join(append([]any{"arn:aws:" + service + ":eu-north-1:", ref("AWS::AccountId")}, rest...)...)
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
		allow("*", "xray:PutTraceSegments", "xray:PutTelemetryRecords") // in dev
		for _, a := range topology.Accesses() {
			if a.Function != f {
				continue
			}
			table := tpl.byName(t, "AWS::DynamoDB::Table", "TableName", "pulssi-dev-"+a.Table.Name)
			for _, action := range a.Actions {
				if !a.Index {
					allow(arn(table, "Arn"), string(action))
					continue
				}
				for _, ix := range a.Table.Indexes {
					allow(join(arn(table, "Arn"), "/index/"+ix.Name), string(action))
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
		case topology.PublishFunction:
			files := arn(published(t, tpl), "Arn")
			allow(join(files, "/pulssi*"), "s3:GetObject", "s3:PutObject")
			allow(join(files, "/dashboard/assets/*"), "s3:GetObject", "s3:PutObject")
			allow(arn(tpl.queue(t, "publish-failed"), "Arn"), "sqs:SendMessage")
		case topology.Delivery:
			allow(arn(tpl.queue(t, "delivery-failed"), "Arn"), "sqs:SendMessage")
		case topology.Intake:
			bucket := arn(bucket(t, tpl), "Arn")
			allow(join(bucket, "/uploads/*"), "s3:GetObject")
			allow(join(bucket, "/reports/*"), "s3:GetObject", "s3:PutObject")
			allow(bucket, "s3:ListBucket")
		case topology.Send:
			allow(arn(tpl.queue(t, "asks"), "Arn"), "sqs:ChangeMessageVisibility") // when a message is to come again
			allow(ref(secret(t, tpl, Dev, "asks")), "secretsmanager:GetSecretValue")
			set := inAccount("ses", ":configuration-set/", ref(theOnly(t, tpl, "AWS::SES::ConfigurationSet")))
			for _, resource := range []any{inAccount("ses", ":identity/*"), set} {
				from := equals("ses:FromAddress", "Feedback@mail.example.com")
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
		if strings.HasPrefix(line, "ses:") || strings.HasPrefix(line, "sns:") || strings.HasPrefix(line, "xray:") {
			t.Errorf("without a sender and traces, send may %s", line)
		}
	}
}

// TestProdMayNoMore lets no function do in prod what it may not in dev, whose
// permissions are held to the calls that the functions make (scripts/grants).
func TestProdMayNoMore(t *testing.T) {
	dev, prod := synth(t, Dev), synth(t, Prod)
	for _, f := range topology.Functions() {
		may := dev.may(t, dev.role(t, Dev, f))
		for _, line := range prod.may(t, prod.role(t, Prod, f)) {
			if !slices.Contains(may, strings.ReplaceAll(line, "pulssi-prod", "pulssi-dev")) {
				t.Errorf("only in prod may %s %s", f, line)
			}
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

// bucket returns the logical id of the bucket of uploads, and published that of
// the files which the front serves.
func bucket(t *testing.T, tpl template) string {
	t.Helper()
	for id, r := range tpl.ofType("AWS::S3::Bucket") {
		if r.Properties["NotificationConfiguration"] != nil {
			return id
		}
	}
	t.Fatal("no bucket tells of uploads")
	return ""
}

func published(t *testing.T, tpl template) string {
	t.Helper()
	return tpl[theOnly(t, tpl, "Custom::Files")].Properties["Bucket"].(map[string]any)["Ref"].(string)
}

// secret returns the logical id of a secret.
func secret(t *testing.T, tpl template, stage Stage, name string) string {
	t.Helper()
	return tpl.byName(t, "AWS::SecretsManager::Secret", "Name", "pulssi-"+string(stage)+"-"+name)
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
	queues := map[topology.Function]string{topology.Plan: topology.RefusedEvents, topology.Delivery: "delivery-failed", topology.Publish: "publish-failed"}
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
	check(t, "the identity's deletion policy", identity.DeletionPolicy, "RetainExceptOnCreate")
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

// alarmed is what an alarm is about: all of it but what all alarms have.
func (t template) alarmed(tt *testing.T, prefix, topic string) map[string]map[string]any {
	tt.Helper()
	out := map[string]map[string]any{}
	for _, a := range t.ofType("AWS::CloudWatch::Alarm") {
		p := maps.Clone(a.Properties)
		name, _ := strings.CutPrefix(p["AlarmName"].(string), prefix)
		if d, _ := p["AlarmDescription"].(string); !strings.Contains(d, ". First ") || len(d) > 1024 {
			tt.Errorf("the alarm %s does not say what to do first: %q", name, d)
		}
		for key, want := range map[string]any{
			"ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching", "AlarmActions": []any{ref(topic)},
		} {
			check(tt, name+": "+key, p[key], want)
			delete(p, key)
		}
		delete(p, "AlarmDescription")
		delete(p, "AlarmName")
		out[name] = p
	}
	return out
}

// TestAlarms has an alarm for each dead-letter queue, for the failures of each
// function and of the API, for what is counted late, for both rates by which SES
// judges and for what text messages cost, and no other, each told to the same
// topic.
func TestAlarms(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		tpl := synth(t, stage)
		prefix := "pulssi-" + string(stage) + "-"
		topic := tpl.byName(t, "AWS::SNS::Topic", "TopicName", prefix+"alarms")
		want := map[string]map[string]any{}
		once := func(name, namespace, metric, statistic string, period int, threshold float64, dimensions any) {
			want[name] = map[string]any{
				"Namespace": namespace, "MetricName": metric, "Statistic": statistic, "Period": period, "Threshold": threshold,
				"EvaluationPeriods": 1, "DatapointsToAlarm": 1,
			}
			if dimensions != nil {
				want[name]["Dimensions"] = []any{dimensions}
			}
		}
		dimension := func(name string, value any) any { return map[string]any{"Name": name, "Value": value} }
		set := dimension("ses:configuration-set", ref(theOnly(t, tpl, "AWS::SES::ConfigurationSet")))
		once("bounces", "AWS/SES", "Reputation.BounceRate", "Maximum", 3600, 0.04, set)
		once("complaints", "AWS/SES", "Reputation.ComplaintRate", "Maximum", 3600, 0.0008, set)
		for id, q := range tpl.ofType("AWS::SQS::Queue") {
			if name, _ := strings.CutPrefix(q.Properties["QueueName"].(string), prefix); strings.HasSuffix(name, "-failed") {
				once(name, "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", 300, 0, dimension("QueueName", arn(id, "QueueName")))
			}
		}
		for _, name := range []string{"asks", "imports", "events", "delivery", "tally", "publish"} {
			if want[name+"-failed"] == nil {
				t.Errorf("there is no queue %s-failed", name)
			}
		}
		ratio := func(name string, threshold float64, namespace, part, of string, dimension any) {
			metric := func(id, name string) any {
				return map[string]any{"Id": id, "ReturnData": false, "MetricStat": map[string]any{
					"Metric": map[string]any{"Namespace": namespace, "MetricName": name, "Dimensions": []any{dimension}}, "Period": 300, "Stat": "Sum",
				}}
			}
			want[name] = map[string]any{"Threshold": threshold, "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Metrics": []any{
				map[string]any{"Id": "expr_1", "Expression": "IF(of > 20, part / of, part / 20)", "Label": "share", "ReturnData": true},
				metric("part", part), metric("of", of),
			}}
		}
		for _, f := range []topology.Function{topology.Answer, topology.Vote, topology.Results} {
			ratio(string(f)+"-errors", 0.05, "AWS/Lambda", "Errors", "Invocations", dimension("FunctionName", ref(tpl.function(t, stage, f))))
		}
		api := dimension("ApiId", ref(theOnly(t, tpl, "AWS::ApiGatewayV2::Api")))
		ratio("api-errors", 0.01, "AWS/ApiGateway", "5xx", "Count", api)
		ratio("api-refused", 0.5, "AWS/ApiGateway", "4xx", "Count", api)
		want["send-failing"] = map[string]any{
			"Namespace": "Pulssi", "MetricName": "SendFailures", "Statistic": "Sum", "Period": 900, "Threshold": 0,
			"EvaluationPeriods": 4, "DatapointsToAlarm": 3, "Dimensions": []any{dimension("function", "send"), dimension("stage", string(stage))},
		}
		for _, m := range topology.Streams() {
			once(string(m.Function)+"-behind", "AWS/Lambda", "IteratorAge", "Maximum", 300, 600_000, dimension("FunctionName", ref(tpl.function(t, stage, m.Function))))
			want[string(m.Function)+"-behind"]["EvaluationPeriods"], want[string(m.Function)+"-behind"]["DatapointsToAlarm"] = 3, 2
		}
		if stage == Dev { // prod sends no text messages
			once("sms-spend", "AWS/SNS", "SMSMonthToDateSpentUSD", "Maximum", 3600, 20, nil)
		}
		got := tpl.alarmed(t, prefix, topic)
		for _, a := range got {
			metrics, _ := a["Metrics"].([]any)
			slices.SortFunc(metrics, func(a, b any) int {
				order := []any{"expr_1", "part", "of"}
				return slices.Index(order, a.(map[string]any)["Id"]) - slices.Index(order, b.(map[string]any)["Id"])
			})
		}
		for name := range want {
			if got[name] == nil {
				t.Errorf("there is no alarm %s", name)
			}
		}
		for name := range got {
			check(t, "the alarm "+name, got[name], want[name])
		}
		tpl.publishes(t, topic, "cloudwatch.amazonaws.com", map[string]any{
			"StringEquals": map[string]any{"aws:SourceAccount": ref("AWS::AccountId")},
			"ArnLike":      map[string]any{"aws:SourceArn": inAccount("cloudwatch", ":alarm:"+prefix+"*")},
		})
		hear := map[string]bool{}
		for _, s := range tpl.subscriptions(topic) {
			s := s.(map[string]any)
			check(t, "how alarms are told", s["Protocol"], "email")
			hear[s["Endpoint"].(string)] = true
		}
		told := map[string]bool{"ops@example.com": true}
		if stage == Dev {
			told["boss@example.com"] = true
		}
		check(t, "who hears alarms", hear, told)
	}
}

// TestRunbook has the README say what to do about each alarm.
func TestRunbook(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range synth(t, Dev).ofType("AWS::CloudWatch::Alarm") {
		name, _ := strings.CutPrefix(a.Properties["AlarmName"].(string), "pulssi-dev-")
		if !strings.Contains(string(b), "`"+name+"`") {
			t.Errorf("the README does not say what to do about %s", name)
		}
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
	names := []string{topology.RefusedEvents, "delivery-failed", "publish-failed"}
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
		name := join("pulssi-"+string(stage)+"-files-", ref("AWS::AccountId"), "-eu-north-1")
		days := 30
		if stage == Dev {
			days = 7
		}
		check(t, "the bucket's deletion policy", b.DeletionPolicy, "RetainExceptOnCreate")
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
		check(t, "who may come to the bucket", tpl.comesTo(t, id), []any{withoutTLS(id)})
		// S3 tries the queue when it is told of it.
		if !slices.ContainsFunc(b.DependsOn, func(d string) bool {
			return tpl[d].Type == "AWS::SQS::QueuePolicy" && show(tpl[d].Properties["Queues"]) == show([]any{ref(imports)})
		}) {
			t.Errorf("the bucket does not wait for the policy of its queue: %v", b.DependsOn)
		}
		if stage == Dev {
			source := join("arn:aws:s3:::pulssi-dev-files-", ref("AWS::AccountId"), "-eu-north-1")
			check(t, "who may put into the queue of imports", tpl.opens(t, "imports"), []string{
				"s3.amazonaws.com sqs:SendMessage" + equals("aws:SourceAccount", ref("AWS::AccountId"), "aws:SourceArn", source),
			})
		}
	}
}

// comesTo returns the statements of a bucket's policy.
func (t template) comesTo(tt *testing.T, bucket string) any {
	tt.Helper()
	for _, p := range t.ofType("AWS::S3::BucketPolicy") {
		if show(p.Properties["Bucket"]) == show(ref(bucket)) {
			return p.Properties["PolicyDocument"].(map[string]any)["Statement"]
		}
	}
	tt.Fatalf("the bucket %s has no policy", bucket)
	return nil
}

// withoutTLS keeps everybody from a bucket who does not use TLS.
func withoutTLS(bucket string) any {
	return map[string]any{
		"Action": "s3:*", "Effect": "Deny", "Principal": map[string]any{"AWS": "*"},
		"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
		"Resource":  []any{arn(bucket, "Arn"), join(arn(bucket, "Arn"), "/*")},
	}
}

func TestSecrets(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		tpl := synth(t, stage)
		if got := len(tpl.ofType("AWS::SecretsManager::Secret")); got != 2 {
			t.Errorf("%d secrets, want 2", got)
		}
		for name, removal := range map[string]string{"asks": "RetainExceptOnCreate", "front": "Delete"} {
			s := tpl[secret(t, tpl, stage, name)]
			check(t, "the deletion policy of "+name, s.DeletionPolicy, removal)
			check(t, "how "+name+" is made", s.Properties["GenerateSecretString"], map[string]any{"PasswordLength": 64, "ExcludePunctuation": true})
		}
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
	for _, f := range topology.Functions() {
		if isHTTP(f) { // one for all of its routes
			want = append(want, "apigateway.amazonaws.com /*/*/* pulssi-dev-"+string(f))
		}
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
			protected, removal := stage == Prod || table.Name == "audit", "RetainExceptOnCreate"
			if protected {
				removal = "Retain"
			}
			check(t, table.Name+": deletion policy", r.DeletionPolicy, removal)
			check(t, table.Name+": deletion protection", p["DeletionProtectionEnabled"], protected)
			var appendOnly any
			if table.Name == "audit" {
				appendOnly = map[string]any{"PolicyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
					"Effect": "Deny", "Principal": map[string]any{"AWS": "*"}, "Resource": "*", "Action": []string{
						"dynamodb:BatchWriteItem", "dynamodb:DeleteItem",
						"dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:UpdateItem",
					},
				}}}}
			}
			check(t, table.Name+": who may not do what", p["ResourcePolicy"], appendOnly)
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
	others := tpl.ofType("AWS::Lambda::Function")
	for id, fn := range others {
		if fn.Properties["FunctionName"] != nil {
			delete(others, id)
		}
	}
	// CDK's own two, by which one region's stack learns the name of the firewall
	// in another's.
	for id := range others {
		if !strings.HasPrefix(id, "CustomCrossRegionExport") {
			t.Errorf("there is a function %s", id)
		}
	}
	if got, want := len(tpl.ofType("AWS::Lambda::Function"))-len(others), len(topology.Functions()); got != want {
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
				config.TablePrefix: "pulssi-" + string(stage) + "-", config.Zone: "Europe/Stockholm", config.Retention: "365",
			}
			if isHTTP(f) {
				want[config.FrontKey] = join("{{resolve:secretsmanager:", ref(secret(t, tpl, stage, "front")), ":SecretString:::}}")
			}
			if isHTTP(f) || f == topology.Send { // links need a whole address
				want[config.PublicURL] = publicURL(t, stage)
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
				want[config.SecretID] = ref(secret(t, tpl, stage, "asks"))
				want[config.Sender], want[config.SMSSender] = "Kauppa <Feedback@mail.example.com>", "Kauppa24"
				want[config.SMSNumber] = "+358401234567"
				want[config.SendRate], want[config.DryRun] = "0.5", "true"
				want[config.MailSet] = ref(tpl.byName(t, "AWS::SES::ConfigurationSet", "Name", "pulssi-"+string(stage)))
				if stage == Prod {
					want[config.SMSNumber] = ""
					want[config.Sender], want[config.SMSSender], want[config.SendRate], want[config.DryRun] = "", "", "10", "false"
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
			if stage == Dev && got[config.PublicURL] != nil {
				env[config.PublicURL] = "https://d111111abcdef8.cloudfront.net" // as CloudFront's names are
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

// publicURL is where customers reach everything.
func publicURL(t *testing.T, stage Stage) any {
	t.Helper()
	if stage == Prod {
		return "https://answer.example.com"
	}
	return join("https://", arn(theOnly(t, synth(t, stage), "AWS::CloudFront::Distribution"), "DomainName"))
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

// people are so many addresses.
func people(n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("ops%d@example.com", i))
	}
	return strings.Join(out, ", ")
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		key   string
		value any
		want  string // in the error; "" for none
	}{
		{"stage", nil, ""},
		{"stage", "prod", "context alarmEmail must be given in prod"},
		{"stage", "prod", "context budget must be given in prod"},
		{"stage", "prod", "context domain must be given in prod"},
		{"stage", "Prod", "context stage must be dev or prod"},
		{"stage", []any{"dev"}, "context stage must be a text"},
		{"zone", "Europe/Stockholm", ""},
		{"zone", "Europe/Atlantis", "context zone"},
		{"region", "eu-central-1", ""},
		{"region", "ap-east-1", "context region must be one that has all services, not \"ap-east-1\": af-south-1"}, // has no SES
		{"region", "EU-north-1", "context region"},
		{"locales", "en", ""},
		{"locales", "sv, fi", ""},
		{"locales", "", "context locales must be one or more of fi, sv, en"},
		{"locales", "fi,de", "context locales"},
		{"locales", "fi,fi", "context locales"},
		{"domain", "answer.example.com", "context certificate and domain must be given together"},
		{"certificate", "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012", "context certificate and domain must be given together"},
		{"certificate", "arn:aws:acm:eu-north-1:123456789012:certificate/12345678-1234-1234-1234-123456789012", "context certificate must be the ARN of a certificate of AWS Certificate Manager in us-east-1"},
		{"domain", "https://answer.example.com", "context domain must be a host"},
		{"domain", "answer.example.com/", "context domain must be a host"},
		{"domain", "Answer.example.com", "context domain must be a host"},
		{"domain", "localhost", "context domain must be a host"},
		{"domain", "10.0.0.1", "context domain must be a host"},
		{"domain", strings.Repeat("a.", 126) + "fi", "context domain must be a host"},
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
		{"smsNumber", "+358401234567", "context smsNumber must come with smsSender"},
		{"smsBudget", 0.01, ""},
		{"smsBudget", "1000000", ""},
		{"smsBudget", "1000000.01", "context smsBudget must be a number of US dollars over 0 and at most 1000000"},
		{"smsBudget", "0", "context smsBudget"},
		{"smsBudget", "50 USD", "context smsBudget"},
		{"smsNumber", "0401234567", "context smsNumber"},
		{"sendRate", 1000.0, ""},
		{"sendRate", "0.1", ""},
		{"sendRate", "0", "context sendRate: PULSSI_SEND_RATE must be a number over 0 and at most 1000"},
		{"dryRun", true, ""},
		{"dryRun", "false", ""},
		{"dryRun", "yes", "context dryRun must be true or false"},
		{"alarmEmail", "ops@example.com", ""},
		{"alarmEmail", people(10), ""},
		{"alarmEmail", people(11), "context alarmEmail must be at most 10 addresses, not 11"},
		{"alarmEmail", "ops@example.com, ops@example.com", "context alarmEmail must name each address once, not \"ops@example.com\" twice"},
		{"alarmEmail", "Ops <ops@example.com>", "context alarmEmail must be e-mail addresses without names, as ops@example.com, with commas between them, not \"Ops <ops@example.com>\""},
		{"alarmEmail", "a@example.com,", "context alarmEmail"},
		{"alarmEmail", "example.com", "context alarmEmail"},
		{"budget", "100", "context budget must come with alarmEmail"},
		{"budget", "1e3", "context budget must be a number of US dollars"},
		{"budget", "0.001", "context budget must be a number of US dollars"},
		{"tracing", true, ""},
		{"tracing", "on", "context tracing must be true or false, not \"on\""},
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
		{"stgae", "prod", "context stgae is not known: there are stage, region, zone, locales, domain, certificate, retentionDays, fileDays, sender, senderDomain, smsSender, smsNumber, smsBudget, sendRate, dryRun, alarmEmail, budget, signinPrefix, programs, tracing"},
		{"send-rate", "10", "context send-rate is not known"},
		{"@aws-cdk/core:anything", true, ""},
		{"aws:cdk:enable-path-metadata", true, ""},
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
		{"Feedback@Example.com", "example.com", true},
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
	// What must come together does.
	if _, err := ReadSettings(map[string]any{
		"domain": "answer.example.com", "certificate": "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
		"budget": "99.95", "alarmEmail": "ops@example.com", "smsSender": "Kauppa", "smsNumber": "+358401234567",
	}); err != nil {
		t.Error(err)
	}
	// All mistakes are told at once.
	_, err := ReadSettings(map[string]any{
		"stage": "Prod", "region": "x", "zone": "Europe/Atlantis", "locales": "x", "domain": "x", "certificate": "x", "retentionDays": "x",
		"fileDays": "x", "sender": "x", "senderDomain": "x", "smsSender": "ö", "smsNumber": "x", "smsBudget": "x", "sendRate": "x", "dryRun": "x",
		"alarmEmail": "x", "budget": "x", "signinPrefix": "X", "programs": "x", "tracing": "x",
	})
	for _, key := range keys {
		if err == nil || strings.Count(err.Error(), "context "+key+" ")+strings.Count(err.Error(), "context "+key+":") != 1 {
			t.Errorf("the mistake in %s is not told once: %v", key, err)
		}
	}
}

// TestRegions holds the regions to those of which the AWS SDKs know all services
// that a deployment uses.
func TestRegions(t *testing.T) {
	files, err := filepath.Glob("../../.local/moto/lib/python3*/site-packages/botocore/data/endpoints.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("the SDK's endpoints are not there, run make setup: %v", err)
	}
	var endpoints struct {
		Partitions []struct {
			Partition string
			Regions   map[string]any
			Services  map[string]struct{ Endpoints map[string]any }
		}
	}
	if err := readJSON(files[0], &endpoints); err != nil {
		t.Fatal(err)
	}
	for _, p := range endpoints.Partitions {
		if p.Partition != "aws" {
			continue
		}
		var want []string
		for _, region := range slices.Sorted(maps.Keys(p.Regions)) {
			missing := slices.IndexFunc(strings.Fields("lambda dynamodb streams.dynamodb apigateway sqs sns scheduler events email cognito-idp secretsmanager "+
				"wafv2 backup monitoring logs s3 cloudformation xray"), func(service string) bool { return p.Services[service].Endpoints[region] == nil })
			if missing < 0 {
				want = append(want, region)
			}
		}
		check(t, "the regions", regions, want)
		return
	}
	t.Error("there is no partition aws")
}
