package grants

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// twoStacks are a table in one stack and a function in another.
var twoStacks = map[string]string{
	"data": `{
		"Resources": {
			"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "pulssi-dev-audit"}},
			"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "pulssi-${AWS::Region}-files"}}}
		},
		"Outputs": {
			"Name": {"Value": {"Ref": "Table"}},
			"Export": {"Value": {"Fn::GetAtt": ["Table", "Arn"]}, "Export": {"Name": "data:TableArn"}}
		}
	}`,
	"app": `{"Resources": {
		"Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "pulssi-dev-events"}},
		"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Join": ["-", ["pulssi", "dev", "asks"]]}}},
		"Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": {"Statement": [
			{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": "Queue.Arn"}}
		]}}]}},
		"Policy": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Role"}], "PolicyDocument": {"Statement": [
			{"Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:Query"], "Resource": {"Fn::ImportValue": "data:TableArn"}},
			{"Effect": "Allow", "Action": "dynamodb:Query", "Resource": {"Fn::Join": ["", [{"Fn::ImportValue": "data:TableArn"}, "/index/byWho"]]}},
			{"Effect": "Allow", "Action": "events:PutEvents", "Resource": {"Fn::GetAtt": ["Bus", "Arn"]}, "Condition": {"StringEquals": {"events:source": "pulssi.api"}}},
			{"Effect": "Allow", "Action": "sns:Publish", "NotResource": "arn:aws:sns:*:*:*"}
		]}}},
		"Function": {"Type": "AWS::Lambda::Function", "Properties": {
			"FunctionName": "pulssi-dev-results", "Role": {"Fn::GetAtt": ["Role", "Arn"]},
			"Environment": {"Variables": {
				"QUEUE": {"Ref": "Queue"}, "BUS": {"Ref": "Bus"}, "TEXT": {"Fn::Sub": ["${Bus}: ${Mine} in ${AWS::Region}", {"Mine": {"Ref": "AWS::AccountId"}}]}
			}}
		}}
	}}`,
}

// written reads templates, each of which an edit may have changed.
func written(t *testing.T, edit func(string) string) (*deployment, error) {
	t.Helper()
	var files []string
	for name, text := range twoStacks {
		file := filepath.Join(t.TempDir(), name+".template.json")
		if err := os.WriteFile(file, []byte(edit(text)), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return read(place{account: "123456789012", region: "eu-north-1", prefix: "pulssi-dev-"}, files...)
}

func TestReadsSeveralStacks(t *testing.T) {
	d, err := written(t, func(s string) string { return s })
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.functions()
	if err != nil {
		t.Fatal(err)
	}
	const table = "arn:aws:dynamodb:eu-north-1:123456789012:table/pulssi-dev-audit"
	want := []function{{
		name: "results",
		environment: map[string]string{
			"QUEUE": "https://sqs.eu-north-1.amazonaws.com/123456789012/pulssi-dev-asks", "BUS": "pulssi-dev-events",
			"TEXT": "pulssi-dev-events: 123456789012 in eu-north-1",
		},
		grants: []grant{
			{function: "results", action: "dynamodb:PutItem", resource: table},
			{function: "results", action: "dynamodb:Query", resource: table},
			{function: "results", action: "dynamodb:Query", resource: table + "/index/byWho"},
			{function: "results", action: "events:PutEvents", resource: "arn:aws:events:eu-north-1:123456789012:event-bus/pulssi-dev-events", only: condition{"events:source", "pulssi.api"}},
			{function: "results", action: "sns:Publish", resource: "arn:aws:sns:*:*:*", but: true},
			{function: "results", action: "sqs:SendMessage", resource: "arn:aws:sqs:eu-north-1:123456789012:pulssi-dev-asks"},
		},
	}}
	if diff := cmp.Diff(got, want, cmp.AllowUnexported(function{}, grant{}, condition{})); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
	if names, err := d.names("AWS::S3::Bucket"); err != nil || len(names) != 1 || names[0] != "pulssi-eu-north-1-files" {
		t.Errorf("the buckets are %q, %v", names, err)
	}
}

// TestUnreadPolicies says so where a policy could be taken for another.
func TestUnreadPolicies(t *testing.T) {
	for _, c := range []struct{ was, is, want string }{
		{`"Effect": "Allow"`, `"Effect": "Deny"`, "a statement that is not read"},
		{`"Action": "sns:Publish"`, `"NotAction": "sns:Publish"`, "a statement that is not read"},
		{`"NotResource": "arn:aws:sns:*:*:*"`, `"NotResource": ["a", "b"]`, "a statement that is not read"},
		{`"StringEquals"`, `"StringLike"`, "a condition that is not read"},
		{`{"events:source": "pulssi.api"}`, `{"events:source": "a", "events:detail-type": "b"}`, "a condition that is not read"},
		{`"Policies": [`, `"ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"], "Policies": [`, "a managed policy"},
		{`{"Fn::ImportValue": "data:TableArn"}`, `{"Fn::ImportValue": "data:Another"}`, "no template exports data:Another"},
		{`{"Ref": "Queue"}`, `{"Ref": "Absent"}`, "there is no Absent"},
		{`{"Ref": "Queue"}`, `{"Fn::Base64": "x"}`, "what is not read: Fn::Base64"},
		{`{"Ref": "Queue"}`, `7`, "what is not a text"},
	} {
		d, err := written(t, func(s string) string { return strings.Replace(s, c.was, c.is, 1) })
		if err == nil {
			_, err = d.functions()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.is, err, c.want)
		}
	}
	if _, err := read(place{}, filepath.Join(t.TempDir(), "absent.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
