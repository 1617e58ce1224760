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

// template is a synthesized template: resources by logical id.
type template map[string]resource

// assembly is what CDK wrote, made once: starting it takes seconds.
type assembly struct {
	folder    string
	templates map[Stage]template
}

// given is the context of both stages: no key has its default.
var given = map[string]any{"zone": "Europe/Stockholm", "publicUrl": "https://answer.example.com", "retentionDays": "365"}

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
	out := &assembly{filepath.Join(folder, "cdk.out"), map[Stage]template{}}
	for _, stage := range []Stage{Dev, Prod} {
		// What is tested is what cdk.json makes CDK do.
		var cdk struct{ Context map[string]any }
		if err := readJSON("../../cdk.json", &cdk); err != nil {
			return nil, err
		}
		maps.Copy(cdk.Context, given)
		cdk.Context["stage"] = string(stage)
		settings, err := ReadSettings(cdk.Context)
		if err != nil {
			return nil, err
		}
		app := awscdk.NewApp(&awscdk.AppProps{Outdir: &out.folder, Context: &cdk.Context})
		p := NewPulssi(app, "test-"+string(stage), &PulssiProps{Settings: settings, Code: code})
		app.Synth(nil)
		var t struct{ Resources template }
		if err := readJSON(filepath.Join(out.folder, *p.Stack.TemplateFile()), &t); err != nil {
			return nil, err
		}
		out.templates[stage] = t.Resources
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

// role returns the logical id of a function's role.
func (t template) role(tt *testing.T, f topology.Function) string {
	tt.Helper()
	fn := t[t.byName(tt, "AWS::Lambda::Function", "FunctionName", "pulssi-dev-"+string(f))]
	ref := fn.Properties["Role"].(map[string]any)["Fn::GetAtt"].([]any)
	return ref[0].(string)
}

// TestPermissions holds each function to exactly the calls it makes, each on
// exactly the resources it makes them on.
func TestPermissions(t *testing.T) {
	tpl := synth(t, Dev)
	type statement struct {
		Action   any
		Effect   string
		Resource any
	}
	for _, f := range topology.Functions() {
		role := tpl.role(t, f)
		if r := tpl[role]; r.Properties["ManagedPolicyArns"] != nil || r.Properties["Policies"] != nil {
			t.Errorf("the role of %s has managed or inline policies: %s", f, show(r.Properties))
		}
		var got []string
		for _, p := range tpl.ofType("AWS::IAM::Policy") {
			roles := show(p.Properties["Roles"])
			if !strings.Contains(roles, `"`+role+`"`) {
				continue
			}
			var doc struct{ Statement []statement }
			if err := json.Unmarshal([]byte(show(p.Properties["PolicyDocument"])), &doc); err != nil {
				t.Fatal(err)
			}
			for _, s := range doc.Statement {
				if s.Effect != "Allow" {
					t.Errorf("%s has a statement that does not allow: %s", f, show(s))
				}
				for _, a := range list(s.Action) {
					for _, r := range list(s.Resource) {
						got = append(got, a.(string)+" on "+show(r))
					}
				}
			}
		}
		var want []string
		allow := func(resource any, actions ...string) {
			for _, a := range actions {
				want = append(want, a+" on "+show(resource))
			}
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
					allow(map[string]any{"Fn::Join": []any{"", []any{arn(table, "Arn"), "/index/*"}}}, string(action))
				}
			}
		}
		for _, s := range topology.Streams() {
			if s.Function != f {
				continue
			}
			table := tpl.byName(t, "AWS::DynamoDB::Table", "TableName", "pulssi-dev-"+s.Table.Name)
			allow(arn(table, "StreamArn"), "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
			allow(map[string]any{"Fn::Join": []any{"", []any{arn(table, "Arn"), "/stream/*"}}}, "dynamodb:ListStreams")
			allow(arn(tpl.byName(t, "AWS::SQS::Queue", "QueueName", "pulssi-dev-"+string(f)+"-failed"), "Arn"), "sqs:SendMessage")
		}
		slices.Sort(got)
		slices.Sort(want)
		check(t, "what "+string(f)+" may do", got, want)
	}
	// The functions' policies are all there are.
	if got, want := len(tpl.ofType("AWS::IAM::Policy")), len(topology.Functions()); got != want {
		t.Errorf("%d policies, want one for each of %d functions", got, want)
	}
	if other := tpl.ofType("AWS::IAM::ManagedPolicy"); len(other) > 0 {
		t.Errorf("there are managed policies: %s", show(other))
	}
}

// TestInvocations lets nothing but this API invoke the functions, and by no
// other route than theirs.
func TestInvocations(t *testing.T) {
	tpl := synth(t, Dev)
	var got, want []string
	for id, p := range tpl.ofType("AWS::Lambda::Permission") {
		check(t, id+": principal", p.Properties["Principal"], "apigateway.amazonaws.com")
		check(t, id+": action", p.Properties["Action"], "lambda:InvokeFunction")
		fn := p.Properties["FunctionName"].(map[string]any)["Fn::GetAtt"].([]any)[0].(string)
		source := p.Properties["SourceArn"].(map[string]any)["Fn::Join"].([]any)[1].([]any)
		api := source[len(source)-2].(map[string]any)["Ref"].(string)
		if tpl[api].Type != "AWS::ApiGatewayV2::Api" {
			t.Errorf("%s is for %s", id, show(source))
		}
		got = append(got, source[len(source)-1].(string)+" "+tpl[fn].Properties["FunctionName"].(string))
	}
	for _, r := range topology.Routes() {
		want = append(want, "/*/*"+r.Path+" pulssi-dev-"+string(r.Function)) // one for each method of a path
	}
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
		check(t, string(f)+": memory", p["MemorySize"], memory(f))
		check(t, string(f)+": code", code(t, p), string(f))
		if seconds := p["Timeout"].(float64); isHTTP(f) && seconds >= 30 {
			t.Errorf("%s may take %g s, and the gateway gives up after 30", f, seconds)
		}
		log := tpl.byName(t, "AWS::Logs::LogGroup", "LogGroupName", "/pulssi/dev/"+string(f))
		check(t, string(f)+": logging", p["LoggingConfig"], map[string]any{
			"LogFormat": "JSON", "LogGroup": map[string]any{"Ref": log}, "SystemLogLevel": "WARN", "ApplicationLogLevel": "INFO",
		})
		// What it gets to know must be what it can read.
		env := map[string]string{config.Region: "eu-north-1"} // set by Lambda
		for k, v := range p["Environment"].(map[string]any)["Variables"].(map[string]any) {
			env[k] = v.(string)
		}
		c, err := config.Read(func(name string) string { return env[name] })
		if err != nil {
			t.Errorf("%s could not start: %v", f, err)
		}
		zone, err := config.ReadZone(func(name string) string { return env[name] })
		if err != nil {
			t.Errorf("%s could not start: %v", f, err)
		}
		check(t, string(f)+": zone", fmt.Sprint(zone), given["zone"])
		check(t, string(f)+": what it knows", c, config.Config{
			TablePrefix: "pulssi-dev-", PublicURL: "https://answer.example.com", Retention: 365 * 24 * time.Hour, Region: "eu-north-1",
		})
	}
	for id, r := range tpl.ofType("AWS::Logs::LogGroup") {
		if days, _ := r.Properties["RetentionInDays"].(float64); days == 0 {
			t.Errorf("log group %s is kept for ever", id)
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
	if got, want := len(tpl.ofType("AWS::Lambda::EventSourceMapping")), len(topology.Streams()); got != want {
		t.Errorf("%d mappings, want %d", got, want)
	}
	for _, s := range topology.Streams() {
		fn := tpl.byName(t, "AWS::Lambda::Function", "FunctionName", "pulssi-dev-"+string(s.Function))
		failed := tpl.byName(t, "AWS::SQS::Queue", "QueueName", "pulssi-dev-"+string(s.Function)+"-failed")
		table := tpl.byName(t, "AWS::DynamoDB::Table", "TableName", "pulssi-dev-"+s.Table.Name)
		found := false
		for id, m := range tpl.ofType("AWS::Lambda::EventSourceMapping") {
			if show(m.Properties["FunctionName"]) != show(map[string]any{"Ref": fn}) {
				continue
			}
			found = true
			check(t, id, m.Properties, map[string]any{
				"FunctionName":                   map[string]any{"Ref": fn},
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
			if !slices.ContainsFunc(m.DependsOn, func(d string) bool {
				roles := show(tpl[d].Properties["Roles"])
				return tpl[d].Type == "AWS::IAM::Policy" && strings.Contains(roles, `"`+tpl.role(t, s.Function)+`"`)
			}) {
				t.Errorf("%s does not wait for the policy of %s: %v", id, s.Function, m.DependsOn)
			}
		}
		if !found {
			t.Errorf("nothing feeds %s", s.Function)
		}
		q := tpl[failed].Properties
		check(t, "what the queue keeps, in seconds", q["MessageRetentionPeriod"], 14*24*3600)
		check(t, "the queue's encryption", q["SqsManagedSseEnabled"], true)
	}
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
		want := "NONE"
		if strings.Contains(key, " /api/") {
			want = "AWS_IAM" // never open to the world
		}
		check(t, key+": authorization", r.Properties["AuthorizationType"], want)
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
		{"stgae", "prod", "context stgae is not known: there are stage, zone, publicUrl, retentionDays"},
		{"@aws-cdk/core:anything", true, ""},
	} {
		_, err := ReadSettings(map[string]any{c.key: c.value})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: error %v, want %q", c.key, c.value, err, c.want)
		}
	}
	// All mistakes are told at once.
	_, err := ReadSettings(map[string]any{"stage": "Prod", "zone": "Europe/Atlantis", "publicUrl": "x", "retentionDays": "x"})
	for _, key := range keys {
		if err == nil || strings.Count(err.Error(), "context "+key) != 1 {
			t.Errorf("the mistake in %s is not told once: %v", key, err)
		}
	}
}
