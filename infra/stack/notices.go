package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsses"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/topology"
)

// NoticesProps are the properties of a [Notices].
type NoticesProps struct {
	Functions map[topology.Function]*Function
	Settings  Settings
}

// Notices is what comes back from messages.
type Notices struct {
	Set     awsses.CfnConfigurationSet // by which SES tells what becomes of e-mails
	Replies awssns.Topic
	Failed  awssqs.Queue // what could not be handled, with ids and addresses
}

// NewNotices has SES tell what became of e-mails, and people's text messages
// come in, to the functions that hear of it.
func NewNotices(scope constructs.Construct, id string, props *NoticesProps) *Notices {
	this := constructs.NewConstruct(scope, &id)
	s := props.Settings
	heard := props.Functions[topology.NoticeFunction]
	n := &Notices{Failed: newQueue(this, "Failed", s.prefix()+string(topology.NoticeFunction)+"-failed", &awssqs.QueueProps{})}
	allowSend(heard, n.Failed)
	heard.KeepFailures(n.Failed)
	n.mail(this, s)
	// SES puts its events on the account's own bus; those of another deployment
	// in the account are of another set.
	rule := awsevents.NewRule(this, jsii.String("Rule"), &awsevents.RuleProps{
		RuleName: jsii.String(s.prefix() + "mail-notices"),
		EventPattern: &awsevents.EventPattern{
			Source: jsii.Strings("aws.ses"),
			Detail: &map[string]any{"mail": map[string]any{"tags": map[string]any{"ses:configuration-set": []any{*n.Set.Name()}}}},
		},
	})
	rule.AddTarget(awseventstargets.NewLambdaFunction(heard.Function, &awseventstargets.LambdaFunctionProps{
		DeadLetterQueue: n.Failed,
		MaxEventAge:     awscdk.Duration_Hours(jsii.Number(24)), // the most there is
		RetryAttempts:   jsii.Number(185),
	}))
	n.replies(this, props.Functions[topology.ReplyFunction], s)
	return n
}

// mail makes the configuration set by which SES tells what becomes of the e-mails
// sent with it. The set is not the default of the identity that they are from:
// what others send from the domain is not ours to count.
func (n *Notices) mail(scope constructs.Construct, s Settings) {
	n.Set = awsses.NewCfnConfigurationSet(scope, jsii.String("Set"), &awsses.CfnConfigurationSetProps{
		Name: jsii.String(s.name()),
		// SES itself sends no more to who complained or has no mailbox there.
		SuppressionOptions: &awsses.CfnConfigurationSet_SuppressionOptionsProperty{SuppressedReasons: jsii.Strings("BOUNCE", "COMPLAINT")},
		DeliveryOptions:    &awsses.CfnConfigurationSet_DeliveryOptionsProperty{TlsPolicy: jsii.String("OPTIONAL")},
		ReputationOptions:  &awsses.CfnConfigurationSet_ReputationOptionsProperty{ReputationMetricsEnabled: jsii.Bool(true)},
	})
	awsses.NewCfnConfigurationSetEventDestination(scope, jsii.String("Destination"), &awsses.CfnConfigurationSetEventDestinationProps{
		ConfigurationSetName: n.Set.Ref(),
		EventDestination: &awsses.CfnConfigurationSetEventDestination_EventDestinationProperty{
			Name:    jsii.String("bus"),
			Enabled: jsii.Bool(true),
			// No opens and no clicks: Pulssi follows nobody.
			MatchingEventTypes: jsii.Strings("DELIVERY", "BOUNCE", "COMPLAINT", "REJECT"),
			EventBridgeDestination: &awsses.CfnConfigurationSetEventDestination_EventBridgeDestinationProperty{
				EventBusArn: awscdk.Stack_Of(scope).FormatArn(&awscdk.ArnComponents{
					Service: jsii.String("events"), Resource: jsii.String("event-bus"), ResourceName: jsii.String("default"),
				}),
			},
		},
	})
}

// replies makes the topic of text messages that people send, which AWS End User
// Messaging may write to for this account: it is named in the settings of the
// account's two-way number. The topic is not encrypted at rest: SNS keeps
// nothing once it is delivered, and its own key would keep that service out.
func (n *Notices) replies(scope constructs.Construct, f *Function, s Settings) {
	n.Replies = awssns.NewTopic(scope, jsii.String("Replies"), &awssns.TopicProps{
		TopicName:  jsii.String(s.prefix() + topology.RepliesTopic),
		EnforceSSL: jsii.Bool(true),
	})
	n.Replies.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("sms-voice.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{n.Replies.TopicArn()},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": awscdk.Stack_Of(scope).Account()}},
	}))
	n.Replies.AddSubscription(awssnssubscriptions.NewLambdaSubscription(f.Function, &awssnssubscriptions.LambdaSubscriptionProps{
		DeadLetterQueue: n.Failed,
	}))
	output(awscdk.Stack_Of(scope), "RepliesTopic", n.Replies.TopicArn())
}
