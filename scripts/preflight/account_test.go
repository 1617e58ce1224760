package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cloudformationtypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"github.com/pulssi/pulssi/scripts/preflight/assembly"
	"github.com/pulssi/pulssi/shared/testkit/ministack"
	"github.com/pulssi/pulssi/shared/testkit/moto"
)

// world is an account in ministack, which takes whole stacks and knows how an
// account stands with SES. All that SES is told of there is verified at once.
type world struct {
	*testing.T
	stacks *cloudformation.Client
	ses    *sesv2.Client
	db     *dynamodb.Client
}

// enter makes the environment of this test that of somebody who has signed in to
// the account, and bootstraps CDK there.
func enter(t *testing.T) world {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "ministack.log"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := ministack.Start(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		_ = log.Close()
	})
	signIn(t, server.URL, ministack.Key)
	config, err := awsconfig.LoadDefaultConfig(t.Context(), awsconfig.WithRegion(region))
	if err != nil {
		t.Fatal(err)
	}
	w := world{t, cloudformation.NewFromConfig(config), sesv2.NewFromConfig(config), dynamodb.NewFromConfig(config)}
	for _, r := range []string{region, "us-east-1"} {
		w.deploy(r, toolkit, topic(`"BootstrapVersion": {"Value": "21"}`))
	}
	return w
}

// signIn makes an endpoint and a key, "" for none, the AWS settings of this
// process, and the only ones.
func signIn(t *testing.T, endpoint, key string) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": key,
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

// topic is a template of next to nothing, with outputs.
func topic(outputs string) string {
	return `{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": {` + outputs + `}}`
}

func (w world) must(what string, err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%s: %v", what, err)
	}
}

func in(region string) func(*cloudformation.Options) {
	return func(o *cloudformation.Options) { o.Region = region }
}

// limit is how long a stack of a few resources may take.
const limit = time.Minute

// deploy deploys a stack, and waits for its end, whatever that is.
func (w world) deploy(region, name, template string) {
	w.Helper()
	_, err := w.stacks.CreateStack(w.Context(), &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &template}, in(region))
	w.must("deploying "+name, err)
	wait := cloudformation.NewStackCreateCompleteWaiter(w.stacks, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, 100*time.Millisecond
		o.ClientOptions = append(o.ClientOptions, in(region))
	})
	if err := wait.Wait(w.Context(), &cloudformation.DescribeStacksInput{StackName: &name}, limit); err != nil {
		w.Logf("deploying %s: %v", name, err)
	}
}

func (w world) delete(region, name string) {
	w.Helper()
	_, err := w.stacks.DeleteStack(w.Context(), &cloudformation.DeleteStackInput{StackName: &name}, in(region))
	w.must("deleting "+name, err)
	wait := cloudformation.NewStackDeleteCompleteWaiter(w.stacks, func(o *cloudformation.StackDeleteCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, 100*time.Millisecond
		o.ClientOptions = append(o.ClientOptions, in(region))
	})
	w.must("deleting "+name, wait.Wait(w.Context(), &cloudformation.DescribeStacksInput{StackName: &name}, limit))
}

// verify tells SES of an identity.
func (w world) verify(name string) {
	w.Helper()
	_, err := w.ses.CreateEmailIdentity(w.Context(), &sesv2.CreateEmailIdentityInput{EmailIdentity: &name})
	w.must("telling SES of "+name, err)
}

// preflight runs the program itself, and fails where it does not refuse as
// wanted or does not tell each of these.
func (w world) preflight(refused bool, folder string, args []string, want ...string) {
	w.Helper()
	var out strings.Builder
	err := run(w.Context(), append(args, folder), nil, &out, connect)
	if (err != nil) != refused {
		w.Errorf("error %v, refused %v is wanted:\n%s", err, refused, out.String())
	}
	for _, text := range want {
		if !strings.Contains(out.String(), text) {
			w.Errorf("it does not tell %q:\n%s", text, out.String())
		}
	}
}

func (w world) production(on bool) {
	w.Helper()
	_, err := w.ses.PutAccountDetails(w.Context(), &sesv2.PutAccountDetailsInput{
		MailType: sestypes.MailTypeTransactional, WebsiteURL: aws.String("https://example.com"), ProductionAccessEnabled: &on,
	})
	w.must("telling SES of the account", err)
}

// TestADeploymentsLife goes from an account where there is nothing, through the
// first deployment and its deletion, to the next.
func TestADeploymentsLife(t *testing.T) {
	w := enter(t)
	folder := synth(t, "dev")
	template := func(stack string) string {
		b, err := os.ReadFile(filepath.Join(folder, stack+".template.json"))
		w.must("reading", err)
		return string(b)
	}

	w.preflight(true, folder, nil, "The sender feedback@shop.example.com is not verified")
	w.verify("example.com")
	w.preflight(false, folder, nil,
		"  account    123456789012, as arn:aws:iam::123456789012:root\n", "  bootstrap  version 21 in eu-north-1, version 21 in us-east-1\n",
		"pulssi-dev is new, pulssi-dev-data is new, pulssi-dev-edge is new", "  second     none: this is the first of its stage\n", "  names      4, free",
		"feedback@shop.example.com, of example.com, which is verified", "SES sends to everybody")
	w.preflight(false, folder, []string{"-destroy"}, "pulssi-dev is not deployed", "  stays      nothing\n", "pulssi-dev-responses holds none")

	w.deploy(region, "pulssi-dev-data", template("pulssi-dev-data"))
	w.deploy("us-east-1", "pulssi-dev-edge", template("pulssi-dev-edge"))
	w.deploy(region, "pulssi-dev", topic(``))
	w.preflight(false, folder, nil, "pulssi-dev CREATE_COMPLETE, pulssi-dev-data CREATE_COMPLETE, pulssi-dev-edge CREATE_COMPLETE", "this one again, in eu-north-1", "  names      4, free")
	w.preflight(true, synth(t, "dev", "REGION", "eu-west-3"), nil,
		"CDK is not bootstrapped as it has to be: not in eu-west-3", "The stage dev is deployed in this account already, in the region eu-north-1, and this is for eu-west-3")
	w.preflight(true, synth(t, "dev", "REGION", "eu-west-3"), []string{"-destroy", "-yes-delete", "pulssi-dev"}, `make destroy CONTEXT="-c stage=dev -c region=eu-north-1"`)

	_, err := w.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("pulssi-dev-responses"), Item: map[string]dynamodbtypes.AttributeValue{"id": &dynamodbtypes.AttributeValueMemberS{Value: "r"}}})
	w.must("answering", err)
	w.preflight(true, folder, []string{"-destroy"}, "The stack pulssi-dev holds answers, in the table pulssi-dev-responses in eu-north-1")
	w.preflight(false, folder, []string{"-destroy", "-yes-delete", "pulssi-dev"}, "pulssi-dev-responses holds some",
		"  stays      2 tables, 1 bucket, 1 secret\n", "tables: pulssi-dev-responses, pulssi-dev-tallies", "bucket: pulssi-dev-files-123456789012-eu-north-1")

	w.delete(region, "pulssi-dev")
	w.delete("us-east-1", "pulssi-dev-edge")
	w.delete(region, "pulssi-dev-data")
	w.preflight(true, folder, nil,
		"not by the stack pulssi-dev-data: the table pulssi-dev-responses, the table pulssi-dev-tallies, the bucket pulssi-dev-files-123456789012-eu-north-1, the secret pulssi-dev-asks.",
		"cdk import --app cdk.out pulssi-dev-data", "  second     none: this is the first")
	// What the stack made before it failed is left of it too.
	w.deploy(region, "pulssi-dev-data", template("pulssi-dev-data"))
	w.preflight(true, folder, nil, "The stack pulssi-dev-data in eu-north-1 is in the state ROLLBACK_COMPLETE", "the table pulssi-dev-responses")
	w.preflight(false, synth(t, "other"), nil, "  names      4, free") // beside it
}

func TestProd(t *testing.T) {
	w := enter(t)
	w.verify("feedback@shop.example.com")
	w.production(false)
	w.preflight(true, synth(t, "prod"), nil, "feedback@shop.example.com, which is verified", "SES in eu-north-1 is in the sandbox: it would refuse every e-mail to a customer")
	w.preflight(false, synth(t, "dev"), nil, "  - SES in eu-north-1 is in the sandbox: e-mails reach verified addresses only")
	w.preflight(false, synth(t, "prod", "ADDRESS", ""), nil, "none: no e-mail is sent")
	w.production(true)
	w.preflight(false, synth(t, "prod", identityOfDomain...), nil, "  names      5, free")
	w.verify("example.com")
	w.preflight(true, synth(t, "prod", identityOfDomain...), nil, "SES in eu-north-1 knows example.com already, and not by the stack pulssi-prod-data")

	name := "pulssi-prod-data"
	w.deploy(region, name, topic(``))
	w.preflight(false, synth(t, "prod"), []string{"-destroy"}, "pulssi-prod is not deployed, pulssi-prod-data CREATE_COMPLETE")
	_, err := w.stacks.UpdateTerminationProtection(t.Context(), &cloudformation.UpdateTerminationProtectionInput{StackName: &name, EnableTerminationProtection: aws.Bool(true)})
	w.must("protecting", err)
	w.preflight(true, synth(t, "prod"), []string{"-destroy"}, "These stacks are protected from being deleted", "--region eu-north-1 --stack-name pulssi-prod-data\n")

	review := "pulssi-prod"
	_, err = w.stacks.CreateChangeSet(t.Context(), &cloudformation.CreateChangeSetInput{
		StackName: &review, ChangeSetName: aws.String("first"), ChangeSetType: cloudformationtypes.ChangeSetTypeCreate, TemplateBody: aws.String(topic(``)),
	})
	w.must("making a change set", err)
	w.preflight(false, synth(t, "prod"), nil, "pulssi-prod is new, pulssi-prod-data CREATE_COMPLETE")
}

func TestWithoutCredentials(t *testing.T) {
	signIn(t, moto.Endpoint(t), "")
	var out strings.Builder
	err := run(t.Context(), []string{synth(t, "dev")}, nil, &out, connect)
	if !errors.Is(err, errRefused) || !strings.Contains(out.String(), "  account    refused, see 1\n") || !strings.Contains(out.String(), "aws sso login") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestWhatIsFound asks of moto, where SES calls nothing verified.
func TestWhatIsFound(t *testing.T) {
	config := moto.Config(t)
	c := newCloud(config)
	id := "pulssi-found"
	secret, err := secretsmanager.NewFromConfig(config).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &id, SecretString: aws.String("s")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.secrets.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &id}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &id}, func(o *s3.Options) { o.Region = "us-east-1" }); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ses.CreateEmailIdentity(t.Context(), &sesv2.CreateEmailIdentityInput{EmailIdentity: aws.String("found.example.com")}); err != nil {
		t.Fatal(err)
	}
	for name, protected := range map[string]bool{"pulssi-open": false, "pulssi-protected": true} {
		if _, err := c.dynamoDB.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: &name, BillingMode: dynamodbtypes.BillingModePayPerRequest, DeletionProtectionEnabled: &protected,
			KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamodbtypes.KeyTypeHash}},
			AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []struct {
		assembly.Named
		thing
	}{
		{assembly.Named{Type: assembly.Secret, Name: id}, thing{ID: *secret.ARN}}, // though it is to be deleted
		{assembly.Named{Type: assembly.Bucket, Name: id}, thing{ID: id}},          // though it is in another region
		{assembly.Named{Type: assembly.Identity, Name: "found.example.com"}, thing{ID: "found.example.com"}},
		{assembly.Named{Type: assembly.Table, Name: "pulssi-open"}, thing{ID: "pulssi-open"}},
		{assembly.Named{Type: assembly.Table, Name: "pulssi-protected"}, thing{"pulssi-protected", true}},
		{assembly.Named{Type: assembly.Table, Name: id}, thing{}},
		{assembly.Named{Type: assembly.Secret, Name: "pulssi-not-found"}, thing{}},
		{assembly.Named{Type: assembly.Bucket, Name: "pulssi-not-found"}, thing{}},
		{assembly.Named{Type: assembly.Identity, Name: "example.org"}, thing{}},
	} {
		if got, err := c.Find(t.Context(), region, want.Named); err != nil || got != want.thing {
			t.Errorf("%v is %+v, %v, want %+v", want.Named, got, err, want.thing)
		}
	}
	if _, err := c.Find(t.Context(), region, assembly.Named{Type: "AWS::SQS::Queue"}); err == nil {
		t.Error("a queue can be looked for")
	}
	if i, err := c.Identity(t.Context(), region, "found.example.com"); err != nil || i != (identity{Known: true}) {
		t.Errorf("a domain that waits to be verified is %+v, %v", i, err)
	}
}
