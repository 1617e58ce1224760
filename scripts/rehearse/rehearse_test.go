package main

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func decode(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestForMinistack(t *testing.T) {
	for name, c := range map[string]struct {
		part, want string
		changes    int
	}{
		"nothing":                {`{"a":["b",1,{"Fn::GetAtt":["Pool","Arn"]}]}`, `{"a":["b",1,{"Fn::GetAtt":["Pool","Arn"]}]}`, 0},
		"a Ref":                  {`[{"Ref":"Secret"},{"Ref":"Pool"}]`, `[{"Fn::GetAtt":["Secret","Id"]},{"Ref":"Pool"}]`, 1},
		"an attribute":           {`{"a":[{"Fn::GetAtt":["Pool","ProviderURL"]}]}`, `{"a":[{"Fn::Join":["",["https://",{"Fn::GetAtt":["Pool","ProviderName"]}]]}]}`, 1},
		"an unknown condition":   {`[{"Action":"x","Condition":{"StringEquals":{"events:source":"y"}}}]`, `[{"Action":"x"}]`, 1},
		"a known condition":      {`{"Action":"x","Condition":{"StringEquals":{"aws:SourceAccount":"y"}}}`, `{"Action":"x","Condition":{"StringEquals":{"aws:SourceAccount":"y"}}}`, 0},
		"a batch, alone":         {`{"Effect":"Allow","Action":"sqs:SendMessage"}`, `{"Effect":"Allow","Action":["sqs:SendMessage","sqs:SendMessageBatch"]}`, 1},
		"batches, twice":         {`[{"Effect":"Allow","Action":["sqs:SendMessage"]},{"Effect":"Allow","Action":["a","sqs:SendMessage"]}]`, `[{"Effect":"Allow","Action":["sqs:SendMessage","sqs:SendMessageBatch"]},{"Effect":"Allow","Action":["a","sqs:SendMessage","sqs:SendMessageBatch"]}]`, 1},
		"mail":                   {`{"Effect":"Allow","Action":"ses:SendRawEmail","Resource":["x"]}`, `{"Effect":"Allow","Action":["ses:SendRawEmail","ses:SendEmail"],"Resource":"*"}`, 2},
		"an origin":              {`{"DomainName":{"Ref":"Api"},"CustomOriginConfig":{"OriginProtocolPolicy":"https-only","OriginSSLProtocols":["TLSv1.2"]}}`, `{"DomainName":"127.0.0.1","CustomOriginConfig":{"OriginProtocolPolicy":"http-only","HTTPPort":8080}}`, 1},
		"a bucket's origin":      {`{"DomainName":"b.s3.eu-north-1.amazonaws.com","S3OriginConfig":{}}`, `{"DomainName":"b.s3.eu-north-1.amazonaws.com","S3OriginConfig":{}}`, 0},
		"what is denied":         {`{"Effect":"Deny","Action":"sqs:SendMessage"}`, `{"Effect":"Deny","Action":"sqs:SendMessage"}`, 0},
		"both kinds, which stay": {`{"Condition":{"StringEquals":{"aws:SourceAccount":"y","events:source":"z"}}}`, `{"Condition":{"StringEquals":{"aws:SourceAccount":"y","events:source":"z"}}}`, 0},
	} {
		secret := map[string]any{"Type": "AWS::SecretsManager::Secret"}
		template := map[string]any{"Resources": map[string]any{"Secret": secret, "Part": decode(t, c.part)}}
		changes := forMinistack(template, 8080)
		want := map[string]any{"Resources": map[string]any{"Secret": secret, "Part": decode(t, c.want)}}
		if diff := cmp.Diff(want, template); diff != "" || len(changes) != c.changes {
			t.Errorf("%s: changes %q, (-want +got):\n%s", name, changes, diff)
		}
	}
}

func TestResourcesForMinistack(t *testing.T) {
	template := decode(t, `{"Resources":{
		"Association":{"Type":"AWS::WAFv2::WebACLAssociation"},
		"Share":{"Type":"AWS::CloudWatch::Alarm","Properties":{"Threshold":0.05,"Metrics":[{"Id":"expr_1","Expression":"part / of"},
			{"Id":"part","MetricStat":{"Metric":{"Namespace":"AWS/Lambda","MetricName":"Errors","Dimensions":[]},"Period":300,"Stat":"Sum"}}]}},
		"Plain":{"Type":"AWS::CloudWatch::Alarm","Properties":{"Threshold":0,"MetricName":"Age"}},
		"CustomCrossRegionExportWriterHandler1":{"Type":"AWS::Lambda::Function","Properties":{"Timeout":900}},
		"CustomCrossRegionExportReaderHandler1":{"Type":"AWS::Lambda::Function","Properties":{"Timeout":900}}}}`).(map[string]any)
	changes := forMinistack(template, 8080)
	want := decode(t, `{"Resources":{
		"Share":{"Type":"AWS::CloudWatch::Alarm","Properties":{"Threshold":0.05,"Namespace":"AWS/Lambda","MetricName":"Errors","Dimensions":[],"Period":300,"Statistic":"Sum"}},
		"Plain":{"Type":"AWS::CloudWatch::Alarm","Properties":{"Threshold":0,"MetricName":"Age"}},
		"CustomCrossRegionExportWriterHandler1":{"Type":"AWS::Lambda::Function","Properties":{"Timeout":900,"Environment":{"Variables":{"AWS_ENDPOINT_URL":"http://127.0.0.1:8080"}}}},
		"CustomCrossRegionExportReaderHandler1":{"Type":"AWS::Lambda::Function","Properties":{"Timeout":900}}}}`)
	if diff := cmp.Diff(want, any(template)); diff != "" || len(changes) != 3 {
		t.Errorf("changes %q, (-want +got):\n%s", changes, diff)
	}
}

func TestWithWindow(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 44, 0, time.UTC)
	for name, c := range map[string]struct{ event, want string }{
		"a request":       {`{"routeKey":"GET /{file}"}`, `{"routeKey":"GET /{file}"}`},
		"a queue's batch": {`{"Records":[{"eventSource":"aws:sqs"}]}`, `{"Records":[{"eventSource":"aws:sqs"}]}`},
		"a stream's batch": {`{"Records":[{"eventSource":"aws:dynamodb","eventSourceARN":"arn"}]}`, `{"Records":[{"eventSource":"aws:dynamodb","eventSourceARN":"arn"}],
			"window":{"start":"2026-11-22T10:00:30Z","end":"2026-11-22T10:01:00Z"},"state":{},"shardId":"shardId-00000000000000000000-00000000",
			"eventSourceARN":"arn","isFinalInvokeForWindow":false,"isWindowTerminatedEarly":false}`},
		"one with a window": {`{"shardId":"s","Records":[{"eventSource":"aws:dynamodb"}]}`, `{"shardId":"s","Records":[{"eventSource":"aws:dynamodb"}]}`},
	} {
		got, err := withWindow([]byte(c.event), now)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(decode(t, c.want), decode(t, string(got))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := withWindow([]byte("[]"), now); err == nil {
		t.Error("an event that is no object is taken")
	}
}

// TestRefusal has a script that ends well, or otherwise than it should, be told.
func TestRefusal(t *testing.T) {
	for want, ended := range map[string]error{
		"":                                   errors.New("scripts/preflight: it holds answers"),
		"it is not refused":                  nil,
		"it is not refused for that: no AWS": errors.New("no AWS"),
	} {
		got := ""
		if err := refusal(ended, "holds answers"); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("after %v: %q, want %q", ended, got, want)
		}
	}
}

func TestIsError(t *testing.T) {
	for line, want := range map[string]bool{
		`{"level":"ERROR","message":"no"}`:            true,
		`timestamp=2026-11-22 level=ERROR message=no`: true,
		`{"level":"INFO","message":"yes"}`:            false,
		`timestamp=2026-11-22 level=INFO message=yes`: false,
	} {
		if got := isError(line); got != want {
			t.Errorf("isError(%s) = %v", line, got)
		}
	}
}
