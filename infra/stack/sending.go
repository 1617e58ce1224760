package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsses"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/config"
)

// SendingProps are the properties of a [Sending].
type SendingProps struct {
	Function *Function // that sends
	Settings Settings
	Set      awsses.CfnConfigurationSet // that e-mails are sent with
	// URL is where customers reach the API: links need a whole address.
	URL *string
}

// Sending is what only the function that sends has: the secret that makes the
// ids of asks, and the right to write to people.
type Sending struct {
	Secret awssecretsmanager.Secret
}

// NewSending makes the secret, of 64 letters and digits that nobody gets to
// see, and lets the function read it and send what the settings say.
func NewSending(scope constructs.Construct, id string, props *SendingProps) *Sending {
	this := constructs.NewConstruct(scope, &id)
	f, s := props.Function, props.Settings
	secret := awssecretsmanager.NewSecret(this, jsii.String("Secret"), &awssecretsmanager.SecretProps{
		SecretName:  jsii.String(s.prefix() + "asks"),
		Description: jsii.String("Makes the ids of asks. With another one, everybody could be asked again."),
		GenerateSecretString: &awssecretsmanager.SecretStringGenerator{
			PasswordLength: jsii.Number(64), ExcludePunctuation: jsii.Bool(true),
		},
		// It belongs to the asks in the tables, which stay too.
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
	f.Allow(jsii.Strings("secretsmanager:GetSecretValue"), &[]*string{secret.SecretArn()})
	f.Know(config.SecretID, secret.SecretArn())
	f.Know(config.PublicURL, props.URL)
	f.Know(config.Sender, &s.Sender)
	f.Know(config.MailSet, props.Set.Ref())
	f.Know(config.SMSSender, &s.SMSSender)
	f.Know(config.SMSNumber, &s.SMSNumber)
	f.Know(config.SendRate, &s.SendRate)
	f.Know(config.DryRun, &s.DryRun)
	if address, ok := s.senderAddress(); ok {
		// Whatever identity makes the sender a verified one: the address itself,
		// its domain, or one above it; and the configuration set. A raw message
		// is a right of its own.
		ses := func(kind string, name *string) *string {
			return awscdk.Stack_Of(this).FormatArn(&awscdk.ArnComponents{
				Service: jsii.String("ses"), Resource: &kind, ResourceName: name,
			})
		}
		resources := &[]*string{ses("identity", jsii.String("*")), ses("configuration-set", props.Set.Ref())}
		f.AllowIf(jsii.Strings("ses:SendEmail", "ses:SendRawEmail"), resources, "ses:FromAddress", &address)
	}
	if s.SMSSender != "" {
		// A phone number is no resource of AWS and has no ARN, so it cannot be
		// named; this is all that sns:Publish can be called on but topics.
		f.Role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions: jsii.Strings("sns:Publish"), NotResources: jsii.Strings("arn:aws:sns:*:*:*"),
		}))
	}
	return &Sending{secret}
}
