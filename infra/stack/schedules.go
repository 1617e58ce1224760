package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/config"
)

// SchedulesProps are the properties of a [Schedules].
type SchedulesProps struct {
	Queue    *Queue // where the asks go
	Settings Settings
}

// Schedules is where single asks wait for their moment.
type Schedules struct {
	Group awsscheduler.CfnScheduleGroup
	Role  awsiam.Role // that of the schedules
	Props SchedulesProps
}

// NewSchedules makes a group of schedules, and the role by which they put asks
// into the queue, or its dead-letter queue, and can do nothing else. What waits in
// the group goes with it.
func NewSchedules(scope constructs.Construct, id string, props *SchedulesProps) *Schedules {
	this := constructs.NewConstruct(scope, &id)
	name := props.Settings.name()
	group := awsscheduler.NewCfnScheduleGroup(this, jsii.String("Group"), &awsscheduler.CfnScheduleGroupProps{Name: &name})
	role := awsiam.NewRole(this, jsii.String("Role"), &awsiam.RoleProps{AssumedBy: schedulerOf(this, name)})
	role.AddToPolicy(allow(jsii.Strings("sqs:SendMessage"), &[]*string{props.Queue.Queue.QueueArn(), props.Queue.Failed.QueueArn()}))
	return &Schedules{group, role, *props}
}

// Grant lets a function make schedules in the group, with that role.
func (s *Schedules) Grant(f *Function) {
	schedules := awscdk.Stack_Of(s.Group).FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("scheduler"), Resource: jsii.String("schedule"), ResourceName: jsii.String(*s.Group.Ref() + "/*"),
	})
	f.Allow(jsii.Strings("scheduler:CreateSchedule"), &[]*string{schedules})
	f.AllowIf(jsii.Strings("iam:PassRole"), &[]*string{s.Role.RoleArn()}, "iam:PassedToService", jsii.String("scheduler.amazonaws.com"))
	f.Know(config.ScheduleGroup, s.Group.Ref())
	f.Know(config.ScheduleRole, s.Role.RoleArn())
	f.Know(config.AsksQueueARN, s.Props.Queue.Queue.QueueArn())
	f.Know(config.FailedAsksARN, s.Props.Queue.Failed.QueueArn())
}
