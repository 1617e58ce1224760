package stack

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsses"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/topology"
)

// AlarmsProps are the properties of an [Alarms].
type AlarmsProps struct {
	Settings Settings
}

// Alarms tells people what needs them, and what to do first.
type Alarms struct {
	Topic awssns.Topic
	All   []awscloudwatch.IAlarm
	Props AlarmsProps
	scope constructs.Construct
}

// NewAlarms makes a topic that alarms are told to, and has it write to the
// addresses of the settings; without any the alarms are there and tell nobody. The
// topic is not encrypted at rest, as that of replies: there is nothing about a
// person in an alarm.
func NewAlarms(scope constructs.Construct, id string, props *AlarmsProps) *Alarms {
	this := constructs.NewConstruct(scope, &id)
	s := props.Settings
	topic := awssns.NewTopic(this, jsii.String("Topic"), &awssns.TopicProps{
		TopicName:   jsii.String(s.prefix() + "alarms"),
		DisplayName: jsii.String("Pulssi " + string(s.Stage)), // whom the e-mails are from
		EnforceSSL:  jsii.Bool(true),
	})
	// A topic with a policy of its own is open to nobody else.
	st := awscdk.Stack_Of(this)
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sns:Publish"),
		Resources:  &[]*string{topic.TopicArn()},
		Conditions: &map[string]any{
			"StringEquals": map[string]any{"aws:SourceAccount": st.Account()},
			"ArnLike": map[string]any{"aws:SourceArn": st.FormatArn(&awscdk.ArnComponents{
				Service: jsii.String("cloudwatch"), Resource: jsii.String("alarm"), ResourceName: jsii.String(s.prefix() + "*"),
				ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
			})},
		},
	}))
	for _, address := range s.AlarmEmails {
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(&address, nil))
	}
	return &Alarms{Topic: topic, Props: *props, scope: this}
}

// The rates, of all e-mails, at which SES alarms before it acts: it reviews an
// account at 5 % bounces or 0.1 % complaints, and stops it at 10 % or 0.5 %
// (Amazon SES Developer Guide: sending review process FAQs).
const (
	bounceRate    = 0.04
	complaintRate = 0.0008
)

// Reputation alarms when too many of the e-mails sent with a configuration set
// come back, or are called spam. SES measures both over as many e-mails as tell
// something, and says so only while some are sent.
func (a *Alarms) Reputation(set awsses.CfnConfigurationSet) {
	rate := func(name string) awscloudwatch.Metric {
		return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
			Namespace: jsii.String("AWS/SES"), MetricName: &name,
			DimensionsMap: &map[string]*string{"ses:configuration-set": set.Ref()},
			Statistic:     awscloudwatch.Stats_MAXIMUM(), Period: minutes(60),
		})
	}
	a.alarm("bounces", rate("Reputation.BounceRate"), bounceRate,
		"More than 4 % of the e-mails come back; SES reviews the account at 5 %. "+
			"First stop the touchpoint that asks them (scripts/apply -stop), then look for the import that brought the bad addresses.")
	a.alarm("complaints", rate("Reputation.ComplaintRate"), complaintRate,
		"More than 0.08 % of the e-mails are called spam; SES reviews the account at 0.1 %. "+
			"First stop the touchpoint that sends them (scripts/apply -stop), then see whether these people know the company and how often they are asked.")
}

// first is what to do when a function has left something undone.
var first = map[topology.Function]string{
	topology.Tally:    "Some answers are not counted. First read the log of tally and mend the cause, then run scripts/recount --repair.",
	topology.Send:     "Some asks were not sent. First read the log of send and mend the cause, then move them back (scripts/redrive asks-failed).",
	topology.Intake:   "A file was not imported to its end. First read the log of intake and mend the cause, then move its notice back (scripts/redrive imports-failed) or upload it again.",
	topology.Plan:     "Business events were refused, or planning failed. First read a message of the queue: a refused event has its reason with it, of the rest the log of plan tells. Mended, send the events again.",
	topology.Publish:  "CloudFormation could not be told whether the files of the front are written, and waits. First read the log of publish and mend the cause; CloudFormation gives up after five minutes, and can deploy again.",
	topology.Delivery: "What became of e-mails, or a reply by SMS, is not noted. First read the log of delivery and mend the cause, then invoke it with the messages of the queue.",
}

// Failed alarms when there is anything in the queue, of that name, of what a
// function could not do.
func (a *Alarms) Failed(name string, f topology.Function, q awssqs.IQueue) {
	metric := q.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{
		Statistic: awscloudwatch.Stats_MAXIMUM(), Period: minutes(5),
	})
	a.alarm(name, metric, 0, first[f])
}

// Of what is alarmed about, how much is too much. A single failure is tried
// again, by Lambda or by who asked; these are more than that.
const (
	errorRatio   = 0.05 // of a function's invocations
	requestRatio = 0.01 // of the API's requests
	refusedRatio = 0.5  // of the same
	behindMS     = 10 * 60 * 1000
)

// fewest is the number of invocations, or requests, under which a ratio is
// taken as if there were so many: one failure of one is no outage.
const fewest = 20

// Errors alarms when a function that answers requests fails: when it ends by an
// error, a panic or out of time. What others could not do is tried again, and then
// in a queue (see [Alarms.Failed]).
func (a *Alarms) Errors(f topology.Function, fn *Function) {
	sum := &awscloudwatch.MetricOptions{Statistic: awscloudwatch.Stats_SUM(), Period: minutes(5)}
	a.sustained(string(f)+"-errors", ratio(fn.Function.MetricErrors(sum), fn.Function.MetricInvocations(sum)), errorRatio,
		"More than 5 % of the invocations of "+string(f)+" fail. "+
			"First read its log for the error (README, Operating: Logs); if it began with a deployment, deploy the version before.")
}

// Refused alarms when the API refuses more than half of all requests: such as when
// the front shows it another key than the functions have.
func (a *Alarms) Refused(api *API) {
	sum := &awscloudwatch.MetricOptions{Statistic: awscloudwatch.Stats_SUM(), Period: minutes(5)}
	a.sustained("api-refused", ratio(api.API.MetricClientError(sum), api.API.MetricCount(sum)), refusedRatio,
		"More than half of the requests are refused (4xx): customers may see nothing else. "+
			"First open the dashboard: where that is refused, the key that the front shows is not the functions' (README, Operating: The front's key); else see the access log by route and status.")
}

// Sending alarms when attempts to send have failed for most of an hour: each comes
// again for two days before it is given up.
func (a *Alarms) Sending() {
	failures := awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(namespace), MetricName: jsii.String(sendFailures), Statistic: awscloudwatch.Stats_SUM(), Period: minutes(15),
		DimensionsMap: dimensions(a.Props.Settings, sendFailures),
	})
	a.make("send-failing", failures, 0,
		"Asks have failed to be sent in three of the last four quarters of an hour; they are tried again for two days. "+
			"First read the log of send for the error: SES may have paused the account, or its limits may be reached.", 3, 4)
}

// Requests alarms when the API answers that it failed.
func (a *Alarms) Requests(api *API) {
	sum := &awscloudwatch.MetricOptions{Statistic: awscloudwatch.Stats_SUM(), Period: minutes(5)}
	a.sustained("api-errors", ratio(api.API.MetricServerError(sum), api.API.MetricCount(sum)), requestRatio,
		"More than 1 % of the requests are answered with a failure (5xx): answers may be lost. "+
			"First see which function it is, in the access log by route, then read that function's log for the request.")
}

// Behind alarms when a function that is fed by a stream comes late: it may have
// a day, after which the stream forgets.
func (a *Alarms) Behind(f topology.Function, fn *Function) {
	age := fn.Function.Metric(jsii.String("IteratorAge"), &awscloudwatch.MetricOptions{
		Statistic: awscloudwatch.Stats_MAXIMUM(), Period: minutes(5),
	})
	a.sustained(string(f)+"-behind", age, behindMS,
		"Answers wait for more than 10 minutes to be counted. "+
			"First read the log of "+string(f)+": what fails again and again goes to "+string(f)+"-failed, from where a recount mends it; without an error it catches up by itself.")
}

// SMSSpend alarms at 80 % of what text messages may cost in a month; SNS itself
// stops at the limit that the account has for it.
func (a *Alarms) SMSSpend() {
	limit, _ := dollars(a.Props.Settings.SMSBudget) // which was looked at
	spent := awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String("AWS/SNS"), MetricName: jsii.String("SMSMonthToDateSpentUSD"),
		Statistic: awscloudwatch.Stats_MAXIMUM(), Period: minutes(60),
	})
	a.alarm("sms-spend", spent, 0.8*limit,
		"Text messages have cost more than 80 % of the month's smsBudget; SNS stops at the account's own limit. "+
			"First see which touchpoint sends them (scripts/contacts why, or the sends of the panel), and stop it (scripts/apply -stop) or raise smsBudget and the limit.")
}

// ratio is the share of one metric in another, as if the other were never under
// fewest.
func ratio(part, of awscloudwatch.IMetric) awscloudwatch.IMetric {
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression:   jsii.String(fmt.Sprintf("IF(of > %[1]d, part / of, part / %[1]d)", fewest)),
		UsingMetrics: &map[string]awscloudwatch.IMetric{"part": part, "of": of},
		Label:        jsii.String("share"), Period: minutes(5),
	})
}

func minutes(n float64) awscdk.Duration { return awscdk.Duration_Minutes(&n) }

// alarm makes an alarm for when a metric is above a threshold, once. No data is
// no alarm: nothing is sent, or a queue is asleep.
func (a *Alarms) alarm(name string, metric awscloudwatch.IMetric, threshold float64, description string) {
	a.make(name, metric, threshold, description, 1, 1)
}

// sustained is alarm for what passes by itself at times: twice of three times.
func (a *Alarms) sustained(name string, metric awscloudwatch.IMetric, threshold float64, description string) {
	a.make(name, metric, threshold, description, 2, 3)
}

func (a *Alarms) make(name string, metric awscloudwatch.IMetric, threshold float64, description string, times, of float64) {
	alarm := awscloudwatch.NewAlarm(a.scope, &name, &awscloudwatch.AlarmProps{
		AlarmName:          jsii.String(a.Props.Settings.prefix() + name),
		AlarmDescription:   &description,
		Metric:             metric,
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
		Threshold:          &threshold,
		DatapointsToAlarm:  &times,
		EvaluationPeriods:  &of,
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
	alarm.AddAlarmAction(awscloudwatchactions.NewSnsAction(a.Topic))
	a.All = append(a.All, alarm)
}
