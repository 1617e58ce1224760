package stack

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/topology"
)

func TestMain(m *testing.M) {
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// resource is one resource of a template.
type resource struct {
	Type           string
	Properties     map[string]any
	DependsOn      []string
	DeletionPolicy string
}

// template is a synthesized template: resources by logical id.
type template map[string]resource

// both are the templates of the two stages, made once: starting CDK takes
// seconds.
var both = sync.OnceValues(func() (map[Stage]template, error) {
	code, err := os.MkdirTemp("", "pulssi-code-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(code)
	for _, f := range topology.Functions() {
		if err := os.MkdirAll(filepath.Join(code, string(f)), 0o750); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(code, string(f), "bootstrap"), []byte(f), 0o600); err != nil {
			return nil, err
		}
	}
	out := map[Stage]template{}
	for _, stage := range []Stage{Dev, Prod} {
		settings, err := ReadSettings(func(key string) any {
			if key == "stage" {
				return string(stage)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		app := awscdk.NewApp(nil)
		p := NewPulssi(app, "test-"+string(stage), &PulssiProps{Settings: settings, Code: code})
		b, err := json.Marshal(assertions.Template_FromStack(p.Stack, nil).ToJSON())
		if err != nil {
			return nil, err
		}
		var t struct{ Resources template }
		if err := json.Unmarshal(b, &t); err != nil {
			return nil, err
		}
		out[stage] = t.Resources
	}
	return out, nil
})

func synth(t *testing.T, stage Stage) template {
	t.Helper()
	all, err := both()
	if err != nil {
		t.Fatal(err)
	}
	return all[stage]
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
				actions, ok := s.Action.([]any)
				if !ok {
					actions = []any{s.Action}
				}
				for _, a := range actions {
					got = append(got, a.(string)+" on "+show(s.Resource))
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
			if a.Index {
				t.Fatal("this test does not know accesses to indexes yet")
			}
			table := tpl.byName(t, "AWS::DynamoDB::Table", "TableName", "pulssi-dev-"+a.Table.Name)
			for _, action := range a.Actions {
				allow(arn(table, "Arn"), string(action))
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
	for id, p := range tpl.ofType("AWS::IAM::Policy") {
		if strings.Contains(show(p.Properties), `"Resource":"*"`) {
			t.Errorf("%s allows something on every resource", id)
		}
	}
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
		if _, err := config.ReadZone(func(name string) string { return env[name] }); err != nil {
			t.Errorf("%s could not start: %v", f, err)
		}
		check(t, string(f)+": table prefix", c.TablePrefix, "pulssi-dev-")
	}
	for id, r := range tpl.ofType("AWS::Logs::LogGroup") {
		if days, _ := r.Properties["RetentionInDays"].(float64); days == 0 {
			t.Errorf("log group %s is kept for ever", id)
		}
	}
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
			if !slices.Contains(m.DependsOn, tpl.role(t, s.Function)) {
				t.Errorf("%s does not wait for the role of %s: %v", id, s.Function, m.DependsOn)
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
		{"publicUrl", "http://answer.example.com", "context publicUrl must start with https://"},
		{"publicUrl", "https://", "context publicUrl"},
		{"retentionDays", 91.0, ""},
		{"retentionDays", "3650", ""},
		{"retentionDays", "90", "from 91 to 3650"},
		{"retentionDays", 3651.0, "from 91 to 3650"},
		{"retentionDays", "a year", "from 91 to 3650"},
	} {
		_, err := ReadSettings(func(key string) any {
			if key == c.key {
				return c.value
			}
			return nil
		})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: error %v, want %q", c.key, c.value, err, c.want)
		}
	}
}
