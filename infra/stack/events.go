package stack

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/topology"
)

// EventsProps are the properties of an [Events].
type EventsProps struct {
	Functions map[topology.Function]*Function
	Settings  Settings
}

// Events is what comes to the planning function without a queue: business
// events by a bus, and the tick.
type Events struct {
	Bus awsevents.EventBus
	// Failed keeps what could not be used: the function puts events there with
	// the reason, Lambda, EventBridge and Scheduler what they could not deliver.
	Failed awssqs.Queue
}

// NewEvents makes a bus, the rule that brings its business events to their
// function, and the tick.
func NewEvents(scope constructs.Construct, id string, props *EventsProps) *Events {
	this := constructs.NewConstruct(scope, &id)
	e := &Events{
		Bus: awsevents.NewEventBus(this, jsii.String("Bus"), &awsevents.EventBusProps{
			EventBusName: jsii.String(props.Settings.prefix() + "events"),
		}),
		Failed: newQueue(this, "Failed", props.Settings.prefix()+topology.RefusedEvents, &awssqs.QueueProps{}),
	}
	f := props.Functions[topology.EventFunction]
	rule := awsevents.NewRule(this, jsii.String("Rule"), &awsevents.RuleProps{
		RuleName: jsii.String(props.Settings.prefix() + "business-events"),
		EventBus: e.Bus,
		EventPattern: &awsevents.EventPattern{
			Source: awsevents.Match_AnythingBut(jsii.String(topology.OwnSource)),
		},
	})
	rule.AddTarget(awseventstargets.NewLambdaFunction(f.Function, &awseventstargets.LambdaFunctionProps{
		DeadLetterQueue: e.Failed,
		// The most there is: an event is not known to anyone else.
		MaxEventAge:   awscdk.Duration_Hours(jsii.Number(24)),
		RetryAttempts: jsii.Number(185),
	}))
	f.KeepFailures(e.Failed)
	e.tick(this, props.Functions[topology.TickFunction], props.Settings)
	return e
}

// tick has Scheduler invoke the function at every full hour. A tick that comes
// later than the next is of no use: the next does its work too.
func (e *Events) tick(scope constructs.Construct, f *Function, s Settings) {
	role := awsiam.NewRole(scope, jsii.String("TickRole"), &awsiam.RoleProps{AssumedBy: schedulerOf(scope, "default")})
	role.AddToPolicy(allow(jsii.Strings("lambda:InvokeFunction"), &[]*string{f.Function.FunctionArn()}))
	role.AddToPolicy(allow(jsii.Strings("sqs:SendMessage"), &[]*string{e.Failed.QueueArn()}))
	tick := awsscheduler.NewCfnSchedule(scope, jsii.String("Tick"), &awsscheduler.CfnScheduleProps{
		Name:                       jsii.String(s.prefix() + "tick"),
		Description:                jsii.String("Who is asked in this hour?"),
		ScheduleExpression:         jsii.String(fmt.Sprintf("cron(0 0/%d * * ? *)", topology.TickHours)),
		ScheduleExpressionTimezone: jsii.String("UTC"),
		FlexibleTimeWindow:         &awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
		Target: &awsscheduler.CfnSchedule_TargetProperty{
			Arn:     f.Function.FunctionArn(),
			RoleArn: role.RoleArn(),
			// Scheduler puts the moment there, as 2026-11-21T09:00:00Z.
			Input:            jsii.String(`{"tick":"<aws.scheduler.scheduled-time>"}`),
			DeadLetterConfig: &awsscheduler.CfnSchedule_DeadLetterConfigProperty{Arn: e.Failed.QueueArn()},
			RetryPolicy: &awsscheduler.CfnSchedule_RetryPolicyProperty{
				MaximumEventAgeInSeconds: jsii.Number(topology.TickHours * 3600),
				MaximumRetryAttempts:     jsii.Number(185),
			},
		},
	})
	tick.Node().AddDependency(role)
}

// schedulerOf is Scheduler on behalf of the schedules of one group of this
// account, and of nobody else's (EventBridge Scheduler User Guide: confused
// deputy prevention).
func schedulerOf(scope constructs.Construct, group string) awsiam.IPrincipal {
	st := awscdk.Stack_Of(scope)
	return awsiam.NewServicePrincipal(jsii.String("scheduler.amazonaws.com"), &awsiam.ServicePrincipalOpts{
		Conditions: &map[string]any{"StringEquals": map[string]any{
			"aws:SourceAccount": st.Account(),
			"aws:SourceArn": st.FormatArn(&awscdk.ArnComponents{
				Service: jsii.String("scheduler"), Resource: jsii.String("schedule-group"), ResourceName: jsii.String(group),
			}),
		}},
	})
}
