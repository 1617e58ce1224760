package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsses"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/config"
)

// SendingProps are the properties of [AllowSending].
type SendingProps struct {
	Function *Function // that sends
	Settings Settings
	Secret   awssecretsmanager.ISecret  // that makes the ids of asks
	Set      awsses.CfnConfigurationSet // that e-mails are sent with
}

// AllowSending lets the function that sends, and no other, read the secret and
// write to people as the settings say.
func AllowSending(props *SendingProps) {
	f, s := props.Function, props.Settings
	f.Allow(jsii.Strings("secretsmanager:GetSecretValue"), &[]*string{props.Secret.SecretArn()})
	f.Know(config.SecretID, props.Secret.SecretArn())
	f.Know(config.Sender, &s.Sender)
	f.Know(config.MailSet, props.Set.Ref())
	f.Know(config.SMSSender, &s.SMSSender)
	f.Know(config.SMSNumber, &s.SMSNumber)
	f.Know(config.SendRate, &s.SendRate)
	f.Know(config.DryRun, &s.DryRun)
	if address, ok := s.senderAddress(); ok {
		// Whatever identity makes the sender a verified one: the address itself,
		// its domain, or one above it; and the configuration set. All e-mails
		// are raw ones, for which SES has an action of its own.
		ses := func(kind string, name *string) *string {
			return awscdk.Stack_Of(f.Function).FormatArn(&awscdk.ArnComponents{
				Service: jsii.String("ses"), Resource: &kind, ResourceName: name,
			})
		}
		resources := &[]*string{ses("identity", jsii.String("*")), ses("configuration-set", props.Set.Ref())}
		f.AllowIf(jsii.Strings("ses:SendRawEmail"), resources, "ses:FromAddress", &address)
	}
	if s.SMSSender != "" {
		// A phone number is no resource of AWS and has no ARN, so it cannot be
		// named; this is all that sns:Publish can be called on but topics.
		f.Role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions: jsii.Strings("sns:Publish"), NotResources: jsii.Strings("arn:aws:sns:*:*:*"),
		}))
	}
}
