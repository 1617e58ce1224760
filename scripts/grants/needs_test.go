package grants

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNeeds reads requests as they are on the wire, also those that no function
// makes now.
func TestNeeds(t *testing.T) {
	at := place{account: "123456789012", region: "eu-north-1"}
	const table, queue = "arn:aws:dynamodb:eu-north-1:123456789012:table/", "arn:aws:sqs:eu-north-1:123456789012:"
	for _, c := range []struct {
		service, target, request, body string // target is a header, or the type of the body
		status                         int
		want                           []string
	}{
		{"dynamodb", "DynamoDB_20120810.Query", "POST /", `{"TableName":"a"}`, 200, []string{"dynamodb:Query " + table + "a"}},
		{"dynamodb", "DynamoDB_20120810.Query", "POST /", `{"TableName":"a","IndexName":"i"}`, 200, []string{"dynamodb:Query " + table + "a/index/i"}},
		{"dynamodb", "DynamoDB_20120810.BatchGetItem", "POST /", `{"RequestItems":{"a":{},"b":{}}}`, 200, []string{"dynamodb:BatchGetItem " + table + "a", "dynamodb:BatchGetItem " + table + "b"}},
		{"dynamodb", "DynamoDB_20120810.TransactWriteItems", "POST /", `{"TransactItems":[{"Put":{"TableName":"a"}},{"ConditionCheck":{"TableName":"b"}},{"Delete":{"TableName":"a"}}]}`, 400,
			[]string{"dynamodb:ConditionCheckItem " + table + "b", "dynamodb:DeleteItem " + table + "a", "dynamodb:PutItem " + table + "a"}},
		{"sqs", "AmazonSQS.SendMessageBatch", "POST /", `{"QueueUrl":"https://sqs.eu-north-1.amazonaws.com/123456789012/asks"}`, 200, []string{"sqs:SendMessage " + queue + "asks"}},
		{"events", "AWSEvents.PutEvents", "POST /", `{"Entries":[{"EventBusName":"bus","Source":"pulssi.api"}]}`, 200, []string{"events:PutEvents arn:aws:events:eu-north-1:123456789012:event-bus/bus events:source=pulssi.api"}},
		{"scheduler", "", "POST /schedules/send-1", `{"GroupName":"g","Target":{"RoleArn":"role"}}`, 200,
			[]string{"iam:PassRole role iam:PassedToService=scheduler.amazonaws.com", "scheduler:CreateSchedule arn:aws:scheduler:eu-north-1:123456789012:schedule/g/send-1"}},
		{"ses", "", "POST /v2/email/outbound-emails", `{"FromEmailAddress":"a@b","Content":{"Raw":{"Data":""}}}`, 200, []string{"ses:SendRawEmail arn:aws:ses:eu-north-1:123456789012:identity/a@b ses:FromAddress=a@b"}},
		{"ses", "", "POST /v2/email/outbound-emails", `{"FromEmailAddress":"a@b","Content":{"Simple":{}}}`, 200, []string{"ses:SendEmail arn:aws:ses:eu-north-1:123456789012:identity/a@b ses:FromAddress=a@b"}},
		{"sns", "application/x-www-form-urlencoded", "POST /", "Action=Publish&PhoneNumber=%2B358401234567", 200, []string{"sns:Publish +358401234567"}},
		{"sns", "application/x-www-form-urlencoded", "POST /", "Action=Publish&TopicArn=topic", 200, []string{"sns:Publish topic"}},
		{"s3", "", "GET /files/reports/a%20b.json?x-id=GetObject", "", 200, []string{"s3:GetObject arn:aws:s3:::files/reports/a b.json"}},
		{"s3", "", "GET /files/a?x-id=GetObject", "", 404, []string{"s3:GetObject arn:aws:s3:::files/a", "s3:ListBucket arn:aws:s3:::files"}},
		{"s3", "", "PUT /files/a?x-id=PutObject", "{", 200, []string{"s3:PutObject arn:aws:s3:::files/a"}},
		{"s3", "", "GET /files?list-type=2", "", 200, nil},
		{"s3", "", "PUT /files/a?tagging=&x-id=PutObjectTagging", "", 200, nil},
		{"kms", "TrentService.Decrypt", "POST /", "{}", 200, nil},
		{"dynamodb", "DynamoDB_20120810.ExecuteStatement", "POST /", "{}", 200, nil},
	} {
		method, target, _ := strings.Cut(c.request, " ")
		r := httptest.NewRequest(method, target, nil)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20261121/eu-north-1/"+c.service+"/aws4_request, SignedHeaders=host, Signature=0")
		r.Header.Set("Content-Type", "application/json")
		if strings.Contains(c.target, "/") {
			r.Header.Set("Content-Type", c.target)
		} else if c.target != "" {
			r.Header.Set("X-Amz-Target", c.target)
		}
		w, err := readWire(at, r, []byte(c.body))
		if err != nil {
			t.Errorf("%s %s: %v", c.service, c.request, err)
			continue
		}
		w.status = c.status
		calls, err := w.calls()
		if (c.want == nil) != errors.Is(err, errUnknown) {
			t.Errorf("%s %s%s: error %v", c.service, c.request, c.target, err)
		}
		var got []string
		for _, n := range calls {
			text := n.action + " " + n.resource
			if n.with.key != "" {
				text += " " + n.with.key + "=" + n.with.value
			}
			got = append(got, text)
		}
		slices.Sort(got)
		if diff := cmp.Diff(got, c.want); diff != "" {
			t.Errorf("%s %s: -got +want\n%s", c.service, c.request, diff)
		}
	}
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	if _, err := readWire(at, r, []byte("{")); err == nil {
		t.Error("a body that is no JSON is read")
	}
}
