package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/topology"
)

// PanelProps are the properties of a [NewPanel].
type PanelProps struct {
	Of       *Pulssi
	Settings Settings
}

// namespace is that of the metrics that the functions write (package obs), and
// sendFailures one of them.
const (
	namespace    = "Pulssi"
	sendFailures = "SendFailures"
)

// metrics are all of them, by the function that writes them; a test holds them to
// package obs.
var metrics = map[string]topology.Function{
	"Answers": topology.Tally, "Votes": topology.Tally, "Suspects": topology.Tally, "TallyLag": topology.Tally,
	"Sends": topology.Send, sendFailures: topology.Send, "Bounces": topology.Delivery, "Complaints": topology.Delivery,
}

// dimensions are those of a metric of the functions.
func dimensions(s Settings, name string) *map[string]*string {
	return &map[string]*string{"stage": jsii.String(string(s.Stage)), "function": jsii.String(string(metrics[name]))}
}

// NewPanel makes the dashboard of CloudWatch that those who operate look at: on
// top what is alarmed about, then along an answer's way.
func NewPanel(scope constructs.Construct, id string, props *PanelProps) awscloudwatch.Dashboard {
	p, s := props.Of, props.Settings
	own := func(name, statistic string) awscloudwatch.IMetric {
		return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
			Namespace: jsii.String(namespace), MetricName: &name, Label: &name, Statistic: &statistic, Period: minutes(5),
			DimensionsMap: dimensions(s, name),
		})
	}
	const sum, most = "Sum", "Maximum"
	options := func(statistic string) *awscloudwatch.MetricOptions {
		return &awscloudwatch.MetricOptions{Statistic: &statistic, Period: minutes(5)}
	}
	each := func(of func(*Function) awscloudwatch.IMetric) []awscloudwatch.IMetric {
		var out []awscloudwatch.IMetric
		for _, f := range topology.Functions() {
			out = append(out, of(p.Functions[f]))
		}
		return out
	}
	waiting := func(qs ...awssqs.IQueue) []awscloudwatch.IMetric {
		var out []awscloudwatch.IMetric
		for _, q := range qs {
			out = append(out, q.MetricApproximateNumberOfMessagesVisible(options(most)))
		}
		return out
	}
	front := func(name, statistic string) awscloudwatch.IMetric {
		return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
			Namespace: jsii.String("AWS/CloudFront"), MetricName: &name, Label: &name, Statistic: &statistic, Period: minutes(5),
			Region:        jsii.String(frontRegion),
			DimensionsMap: &map[string]*string{"DistributionId": p.Front.Distribution.DistributionId(), "Region": jsii.String("Global")},
		})
	}
	panel := awscloudwatch.NewDashboard(scope, &id, &awscloudwatch.DashboardProps{
		DashboardName:   jsii.String(s.name()),
		DefaultInterval: awscdk.Duration_Days(jsii.Number(1)),
	})
	var alarms []interfacesawscloudwatch.IAlarmRef
	for _, a := range p.Alarms.All {
		alarms = append(alarms, a)
	}
	panel.AddWidgets(awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{
		Title: jsii.String("Alarms"), Alarms: &alarms, Width: jsii.Number(24), Height: jsii.Number(4),
	}))
	panel.AddWidgets(
		graph("Answers and votes in 5 minutes", own("Answers", sum), own("Votes", sum), own("Suspects", sum)),
		graph("Counting: age of the oldest change, ms", own("TallyLag", most),
			p.Functions[topology.Tally].Function.Metric(jsii.String("IteratorAge"), options(most))),
		graph("Messages in 5 minutes", own("Sends", sum), own(sendFailures, sum), own("Bounces", sum), own("Complaints", sum)),
	)
	panel.AddWidgets(
		graph("Requests at the front", front("Requests", sum)),
		graph("Share of failures at the front, %", front("4xxErrorRate", "Average"), front("5xxErrorRate", "Average")),
		graph("Requests at the API, and its failures", p.API.API.MetricCount(options(sum)), p.API.API.MetricClientError(options(sum)), p.API.API.MetricServerError(options(sum))),
	)
	refused := func(rule string) awscloudwatch.IMetric {
		return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
			Namespace: jsii.String("AWS/WAFV2"), MetricName: jsii.String("BlockedRequests"), Label: &rule, Statistic: jsii.String(sum), Period: minutes(5),
			Region:        jsii.String(frontRegion),
			DimensionsMap: &map[string]*string{"WebACL": jsii.String(s.prefix() + "front"), "Rule": &rule},
		})
	}
	var rules []awscloudwatch.IMetric
	for _, r := range frontRules() {
		rules = append(rules, refused(*r.Name))
	}
	panel.AddWidgets(graph("Refused by the firewall, by rule", rules...))
	panel.AddWidgets(
		graph("Errors of functions", each(func(f *Function) awscloudwatch.IMetric { return f.Function.MetricErrors(options(sum)) })...),
		graph("Duration of functions, longest, ms", each(func(f *Function) awscloudwatch.IMetric { return f.Function.MetricDuration(options(most)) })...),
		graph("Waiting in queues", waiting(p.Data.Queues[topology.Asks.Name].Queue, p.Data.Queues[topology.Imports.Name].Queue)...),
	)
	return panel
}

// graph is a third of the panel's width.
func graph(title string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: &title, Left: &metrics, Width: jsii.Number(8), Height: jsii.Number(6),
		LeftYAxis: &awscloudwatch.YAxisProps{Min: jsii.Number(0)},
	})
}
