package grants

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// wire is one call to AWS as it goes over the network.
type wire struct {
	place
	service   string // as the signature names it
	operation string
	path      string
	body      object     // of JSON
	form      url.Values // of the query protocol
	status    int        // of the answer
}

type object map[string]any

func (o object) text(name string) string { s, _ := o[name].(string); return s }

func (o object) object(name string) object { m, _ := o[name].(map[string]any); return m }

func (o object) objects(name string) (out []object) {
	all, _ := o[name].([]any)
	for _, v := range all {
		m, _ := v.(map[string]any)
		out = append(out, m)
	}
	return out
}

// needs says what a role must allow for an API operation, by service and
// operation. Mostly it is the action of the same name on the resource that the
// request names; the rest is
//
//   - DynamoDB: a transaction needs the actions of what is in it (Developer
//     Guide: using IAM with transactions), and a query of an index is on the
//     index alone (Service Authorization Reference);
//   - SQS: the batch operations have no actions of their own (Developer Guide:
//     Amazon SQS API permissions);
//   - Scheduler: whoever makes a schedule passes its role (User Guide: setting
//     up);
//   - SES: a raw e-mail needs ses:SendRawEmail, of API v2 too, on the sender's
//     identity and on the configuration set (Developer Guide: managing access);
//   - S3: a file that is not there is told from one that is not for the caller
//     only to whoever may list the bucket (API Reference: GetObject);
//   - SNS: a phone number has no ARN.
var needs = map[string]func(wire) []call{
	"dynamodb GetItem":            onTable,
	"dynamodb PutItem":            onTable,
	"dynamodb UpdateItem":         onTable,
	"dynamodb DeleteItem":         onTable,
	"dynamodb Query":              onTable,
	"dynamodb Scan":               onTable,
	"dynamodb BatchGetItem":       onTables,
	"dynamodb BatchWriteItem":     onTables,
	"dynamodb TransactWriteItems": inTransaction,
	"dynamodb TransactGetItems":   inTransaction,

	"sqs SendMessage":                  func(w wire) []call { return onQueue(w, "sqs:SendMessage") },
	"sqs SendMessageBatch":             func(w wire) []call { return onQueue(w, "sqs:SendMessage") },
	"sqs ChangeMessageVisibility":      func(w wire) []call { return onQueue(w, "sqs:ChangeMessageVisibility") },
	"sqs ChangeMessageVisibilityBatch": func(w wire) []call { return onQueue(w, "sqs:ChangeMessageVisibility") },

	"events PutEvents": func(w wire) (out []call) {
		for _, e := range w.body.objects("Entries") {
			bus := w.fill(kinds["AWS::Events::EventBus"].arn, e.text("EventBusName"))
			out = append(out, call{action: "events:PutEvents", resource: bus, with: condition{"events:source", e.text("Source")}})
		}
		return out
	},
	"scheduler CreateSchedule": func(w wire) []call {
		schedule := w.fill("arn:aws:scheduler:REGION:ACCOUNT:schedule/NAME", w.body.text("GroupName")+"/"+path.Base(w.path))
		return []call{
			{action: "scheduler:CreateSchedule", resource: schedule},
			{action: "iam:PassRole", resource: w.body.object("Target").text("RoleArn"), with: condition{"iam:PassedToService", "scheduler.amazonaws.com"}},
		}
	},
	"secretsmanager GetSecretValue": func(w wire) []call {
		return []call{{action: "secretsmanager:GetSecretValue", resource: w.body.text("SecretId")}}
	},
	"ses SendEmail": func(w wire) (out []call) {
		action, from := "ses:SendEmail", w.body.text("FromEmailAddress")
		if w.body.object("Content")["Raw"] != nil {
			action = "ses:SendRawEmail"
		}
		resources := []string{w.fill("arn:aws:ses:REGION:ACCOUNT:identity/NAME", from)}
		if set := w.body.text("ConfigurationSetName"); set != "" {
			resources = append(resources, w.fill(kinds["AWS::SES::ConfigurationSet"].arn, set))
		}
		for _, r := range resources {
			out = append(out, call{action: action, resource: r, with: condition{"ses:FromAddress", from}})
		}
		return out
	},
	"sns Publish": func(w wire) []call {
		return []call{{action: "sns:Publish", resource: w.form.Get("PhoneNumber") + w.form.Get("TopicArn")}}
	},
	"s3 GetObject": func(w wire) []call {
		bucket, _, _ := strings.Cut(w.path, "/")
		out := []call{{action: "s3:GetObject", resource: "arn:aws:s3:::" + w.path}}
		if w.status == http.StatusNotFound {
			out = append(out, call{action: "s3:ListBucket", resource: "arn:aws:s3:::" + bucket})
		}
		return out
	},
	"s3 PutObject": func(w wire) []call {
		return []call{{action: "s3:PutObject", resource: "arn:aws:s3:::" + w.path}}
	},
}

func onTable(w wire) []call {
	resource := w.table(w.body.text("TableName"))
	if index := w.body.text("IndexName"); index != "" {
		resource += "/index/" + index
	}
	return []call{{action: "dynamodb:" + w.operation, resource: resource}}
}

func onTables(w wire) (out []call) {
	for table := range w.body.object("RequestItems") {
		out = append(out, call{action: "dynamodb:" + w.operation, resource: w.table(table)})
	}
	return out
}

// inTransaction names the parts of a transaction as the actions are: Put is
// dynamodb:PutItem.
func inTransaction(w wire) (out []call) {
	for _, item := range w.body.objects("TransactItems") {
		for part := range item {
			out = append(out, call{action: "dynamodb:" + part + "Item", resource: w.table(item.object(part).text("TableName"))})
		}
	}
	return out
}

func (p place) table(name string) string { return p.fill(kinds["AWS::DynamoDB::Table"].arn, name) }

func onQueue(w wire, action string) []call {
	return []call{{action: action, resource: w.fill(kinds["AWS::SQS::Queue"].arn, path.Base(w.body.text("QueueUrl")))}}
}

// readWire reads a request of one of AWS's protocols.
func readWire(at place, r *http.Request, body []byte) (wire, error) {
	w := wire{place: at, path: strings.TrimPrefix(r.URL.Path, "/")}
	// AWS4-HMAC-SHA256 Credential=ID/20261121/eu-north-1/dynamodb/aws4_request, ...
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	scope, _, _ = strings.Cut(scope, ",")
	if parts := strings.Split(scope, "/"); len(parts) == 5 {
		w.service = parts[3]
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // without one it is no JSON
	if strings.Contains(kind, "json") && w.service != "s3" {
		if err := json.Unmarshal(body, &w.body); err != nil {
			return wire{}, fmt.Errorf("%s %s: %w", w.service, r.URL.Path, err)
		}
	}
	target := r.Header.Get("X-Amz-Target")
	switch {
	case target != "":
		w.operation = target[strings.LastIndex(target, ".")+1:]
	case kind == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return wire{}, fmt.Errorf("%s: %w", w.service, err)
		}
		w.form, w.operation = form, form.Get("Action")
	default:
		w.operation = rest(w.service, r.Method, w.path, r.URL.Query())
	}
	return w, nil
}

// rest names the operation of a request whose method and path do; it is those
// themselves where they are not known.
func rest(service, method, path string, query url.Values) string {
	_, key, _ := strings.Cut(path, "/")
	// S3 has operations that only a parameter tells apart; x-id says which it is.
	id := query.Get("x-id")
	switch {
	case service == "s3" && key != "" && method+" "+id == "GET GetObject", service == "s3" && key != "" && method+" "+id == "PUT PutObject":
		return id
	case service == "ses" && method+" "+path == "POST v2/email/outbound-emails":
		return "SendEmail"
	case service == "scheduler" && method == http.MethodPost && strings.HasPrefix(path, "schedules/"):
		return "CreateSchedule"
	}
	return method + " " + path + "?" + query.Encode()
}

// errUnknown is that needs says nothing of an operation.
var errUnknown = errors.New("nothing is known of what it needs: say so in needs")

// calls returns what the function's role must allow for the call.
func (w wire) calls() ([]call, error) {
	key := w.service + " " + w.operation
	need := needs[key]
	if need == nil {
		return nil, fmt.Errorf("%s: %w", key, errUnknown)
	}
	return need(w), nil
}
