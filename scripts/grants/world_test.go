package grants

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	awsevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pulssi/pulssi/scripts/bench/runtimeapi"
	"github.com/pulssi/pulssi/shared/apigw/local"
	"github.com/pulssi/pulssi/shared/awsenv"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/testkit/checkout"
	"github.com/pulssi/pulssi/shared/testkit/moto"
	"github.com/pulssi/pulssi/shared/topology"
)

// deployed reads the templates as they are deployed in the stage dev, in the
// account of moto.
func deployed(t *testing.T) *deployment {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "infra", "stack", "testdata", "pulssi-dev*.template.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no templates: %v", err)
	}
	d, err := read(place{account: moto.Account, region: moto.Region, prefix: "pulssi-dev-"}, files...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// furnish empties moto, which no other test of this package uses, and makes there
// what the templates have, by its name, and the address that e-mails come from.
// Tables are made for each function apart.
func furnish(t *testing.T, d *deployment, sender string) {
	t.Helper()
	c := moto.Config(t)
	queues, buckets, secrets := sqs.NewFromConfig(c), storage(t), secretsmanager.NewFromConfig(c)
	// The test may run several times in one process, with the names of before.
	resp, err := http.Post(moto.Endpoint(t)+"/moto-api/reset", "", http.NoBody)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("moto is not emptied: %v, %v", resp, err)
	}
	// Whatever makes the sender a verified one.
	if _, err := sesv2.NewFromConfig(c).CreateEmailIdentity(t.Context(), &sesv2.CreateEmailIdentityInput{EmailIdentity: &sender}); err != nil {
		t.Fatal(err)
	}
	for kind, add := range map[string]func(name string) error{
		"AWS::SQS::Queue": func(name string) error {
			_, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
			return err
		},
		"AWS::S3::Bucket": func(name string) error {
			_, err := buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{
				Bucket: &name, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: moto.Region},
			})
			return err
		},
		"AWS::Events::EventBus": func(name string) error {
			_, err := eventbridge.NewFromConfig(c).CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: &name})
			return err
		},
		"AWS::Scheduler::ScheduleGroup": func(name string) error {
			_, err := scheduler.NewFromConfig(c).CreateScheduleGroup(t.Context(), &scheduler.CreateScheduleGroupInput{Name: &name})
			return err
		},
		"AWS::SecretsManager::Secret": func(name string) error {
			// moto makes the six letters up, and takes what follows the last colon
			// of an ARN that it did not make for the name.
			arn := d.fill(secretARN, name)
			name = arn[strings.LastIndex(arn, ":")+1:]
			_, err := secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String(strings.Repeat("s", 64))})
			return err
		},
	} {
		names, err := d.names(kind)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %q, %v", kind, names, err)
		}
		for _, name := range names {
			if err := add(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func storage(t *testing.T) *s3.Client {
	t.Helper()
	return s3.NewFromConfig(moto.Config(t), func(o *s3.Options) { o.UsePathStyle = true })
}

// world is one function with tables of its own, in the environment that its
// deployment gives it.
type world struct {
	*testing.T
	function
	of       *deployment
	tables   *testkit.Tables
	recorder *recorder
	process  *runtimeapi.Process
}

func newWorld(t *testing.T, d *deployment, f function) *world {
	t.Helper()
	tables := testkit.NewTables(t)
	dynamodb, err1 := url.Parse(tables.Config.DynamoDBEndpoint)
	others, err2 := url.Parse(moto.Endpoint(t))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	r := &recorder{function: f.name, place: d.place, tables: tables.Config.TablePrefix, dynamodb: dynamodb, others: others}
	r.listen()
	t.Cleanup(r.Close)
	return &world{T: t, function: f, of: d, tables: tables, recorder: r}
}

// start compiles the function for this machine and starts it. What it reads at
// its start must be there.
func (w *world) start() {
	w.Helper()
	root, err := checkout.Root()
	if err != nil {
		w.Fatal(err)
	}
	binary := filepath.Join(w.TempDir(), "bootstrap")
	build := exec.CommandContext(w.Context(), "go", "build", "-o", binary, "-tags", "lambda.norpc", "-ldflags", "-s -w", "./functions/"+string(w.name)+"/lambda")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		w.Fatalf("building %s: %v\n%s", w.name, err, out)
	}
	var env []string
	for name, value := range w.environment {
		env = append(env, name+"="+value)
	}
	env = append(env,
		config.DynamoDBEndpoint+"="+w.recorder.URL, awsenv.Endpoint+"="+w.recorder.URL, config.TablePrefix+"="+w.recorder.tables,
		config.DryRun+"=false", config.SendRate+"=1000",
	)
	w.process, err = runtimeapi.Start(w.Context(), binary, env...)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := w.process.Stop(); err != nil {
			w.Error(err)
		}
	})
}

// invoke gives the function an event. want is its answer.
func (w *world) invoke(event any, want string) {
	w.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		w.Fatal(err)
	}
	answer, _, err := w.process.Invoke(w.Context(), payload)
	if err != nil || string(answer) != want {
		w.Errorf("%s is answered %s, %v, want %s", payload, answer, err, want)
	}
}

// The answers of functions that take messages.
const (
	done  = `{"batchItemFailures":null}`
	again = `{"batchItemFailures":[{"itemIdentifier":"m"}]}`
)

// message gives the function a message of its queue.
func (w *world) message(body, want string) {
	w.Helper()
	w.invoke(awsevents.SQSEvent{Records: []awsevents.SQSMessage{{
		MessageId: "m", ReceiptHandle: "r", Body: body, Attributes: map[string]string{"ApproximateReceiveCount": "1"},
	}}}, want)
}

// request makes a request to the API as an administrator, and returns the body
// of the answer.
func (w *world) request(method, target, body string, status int) string {
	w.Helper()
	api := local.New(topology.Routes(), map[topology.Function]local.Invoke{
		w.name: func(ctx context.Context, event []byte) ([]byte, error) {
			answer, _, err := w.process.Invoke(ctx, event)
			return answer, err
		},
	}, time.Now)
	api.Authorize = func(*http.Request) (map[string]string, error) {
		return map[string]string{"sub": "administrator", "cognito:groups": "[admin]"}, nil
	}
	r := httptest.NewRequestWithContext(w.Context(), method, w.environment[config.PublicURL]+target, strings.NewReader(body))
	r.Header.Set(config.FrontHeader, w.environment[config.FrontKey])
	switch {
	case strings.HasPrefix(body, "{"):
		r.Header.Set("Content-Type", "application/json")
	case body != "":
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	out := httptest.NewRecorder()
	api.ServeHTTP(out, r)
	if out.Code != status {
		w.Errorf("%s %s: %d %s, want %d", method, target, out.Code, out.Body, status)
	}
	return out.Body.String()
}

// contact makes a contact, and returns its id.
func (w *world) contact(d survey.Details) string {
	w.Helper()
	out, err := w.tables.Store.Upsert(w.Context(), []survey.Details{d}, time.Now())
	if err != nil {
		w.Fatal(err)
	}
	return out[0].Contact
}

// put puts touchpoints, and rules by which everybody may be asked at any time.
func (w *world) put(touchpoints ...*survey.Touchpoint) {
	w.Helper()
	rules := survey.Rules{Version: 1, Quiet: &survey.Quiet{}, Holidays: "none", Company: "Kauppa Oy", Rest: new(survey.Span(time.Hour))}
	errs := []error{w.tables.Store.PutRules(w.Context(), survey.Rules{}, rules)}
	for _, t := range touchpoints {
		errs = append(errs, w.tables.Store.PutTouchpoint(w.Context(), nil, t))
	}
	if err := errors.Join(errs...); err != nil {
		w.Fatal(err)
	}
}

// follow puts the next version of a touchpoint, which asks something else: a new
// series.
func (w *world) follow(was *survey.Touchpoint) {
	w.Helper()
	next := *was
	next.Version, next.Series, next.Question = was.Version+1, was.Series+1, survey.Text{"fi": "Toisin sanoen?"}
	if err := w.tables.Store.PutTouchpoint(w.Context(), was, &next); err != nil {
		w.Fatal(err)
	}
}

// ask keeps an ask, sent a minute ago.
func (w *world) ask(change func(*survey.Ask)) string {
	w.Helper()
	a := testkit.NewAsk(time.Now().Add(-time.Minute))
	a.SentAt = a.AskedAt
	change(a)
	if err := w.tables.Store.CreateAsk(w.Context(), a); err != nil {
		w.Fatal(err)
	}
	return a.ID
}

// upload puts a file into the bucket that the function reads.
func (w *world) upload(name, content string) {
	w.Helper()
	bucket := w.environment[config.Files]
	key := path.Join(topology.Uploads, name)
	if _, err := storage(w.T).PutObject(w.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(content)}); err != nil {
		w.Fatal(err)
	}
}

// touchpoint is one that asks by e-mail and SMS, on any day.
func touchpoint(id string, trigger *survey.Trigger) *survey.Touchpoint {
	if trigger != nil {
		trigger.Weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	}
	return &survey.Touchpoint{
		ID: id, Version: 1, Series: 1, Phase: survey.After, Metric: survey.NPS, Locales: []string{"fi"},
		Channels: []survey.Channel{survey.Email, survey.SMS, survey.Popup, survey.Link},
		Name:     survey.Text{"fi": "Kauppa"}, Question: survey.Text{"fi": "Suosittelisitko?"}, Trigger: trigger,
	}
}
