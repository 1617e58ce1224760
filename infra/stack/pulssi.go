package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/topology"
)

// PulssiProps are the properties of a [Pulssi].
type PulssiProps struct {
	Settings Settings
	Code     string // see [FunctionProps]
}

// Pulssi is a whole deployment.
type Pulssi struct {
	Stack     awscdk.Stack
	Tables    map[string]*Table // by name
	Functions map[topology.Function]*Function
	Queues    map[string]*Queue // by name
	Events    *Events
	Schedules *Schedules
	Files     *Files
	Sending   *Sending
	Notices   *Notices
	API       *API
	SignIn    *SignIn
	Alarms    *Alarms
}

// NewPulssi makes all that package topology lists, and grants each function
// what it lists and nothing else.
func NewPulssi(scope constructs.Construct, id string, props *PulssiProps) *Pulssi {
	st := awscdk.NewStack(scope, &id, &awscdk.StackProps{
		Description: jsii.String("Pulssi: asks, answers and scores (" + string(props.Settings.Stage) + ")"),
	})
	p := &Pulssi{Stack: st, Tables: map[string]*Table{}, Functions: map[topology.Function]*Function{}, Queues: map[string]*Queue{}}
	for _, t := range topology.Tables() {
		p.Tables[t.Name] = NewTable(st, "Table-"+t.Name, &TableProps{t, props.Settings})
		awscdk.NewCfnOutput(st, jsii.String("TableName-"+t.Name), &awscdk.CfnOutputProps{Value: p.Tables[t.Name].Table.TableName()})
	}
	for _, f := range topology.Functions() {
		p.Functions[f] = NewFunction(st, "Function-"+string(f), &FunctionProps{f, props.Settings, props.Code})
	}
	for _, a := range topology.Accesses() {
		p.Tables[a.Table.Name].Grant(p.Functions[a.Function], a)
	}
	p.Alarms = NewAlarms(st, "Alarms", &AlarmsProps{props.Settings})
	for _, s := range topology.Streams() {
		p.Alarms.Failed(string(s.Function)+"-failed", s.Function, p.Functions[s.Function].Feed(p.Tables[s.Table.Name], s))
	}
	p.API = NewAPI(st, "Http", &APIProps{props.Settings})
	url := p.API.API.ApiEndpoint()
	if props.Settings.PublicURL != "" {
		url = &props.Settings.PublicURL
	}
	p.SignIn = NewSignIn(st, "SignIn", &SignInProps{props.Settings, url})
	p.SignIn.Tell(p.Functions[topology.Results])
	p.API.Serve(topology.Routes(), p.Functions, p.SignIn)
	p.ask(st, props.Settings, url)
	awscdk.NewCfnOutput(st, jsii.String("Url"), &awscdk.CfnOutputProps{Value: p.API.API.ApiEndpoint()})
	// What one needs to add people, and for a program to ask for a token. Its
	// secret is told by the console alone.
	awscdk.NewCfnOutput(st, jsii.String("UserPoolId"), &awscdk.CfnOutputProps{Value: p.SignIn.Pool.UserPoolId()})
	awscdk.NewCfnOutput(st, jsii.String("SigninUrl"), &awscdk.CfnOutputProps{Value: p.SignIn.URL})
	if program := p.SignIn.Program; program != nil {
		awscdk.NewCfnOutput(st, jsii.String("ProgramClientId"), &awscdk.CfnOutputProps{Value: program.UserPoolClientId()})
	}
	return p
}

// ask makes what asks people: queues, events, schedules, files, sending, and
// what comes back. Customers reach the API at url.
func (p *Pulssi) ask(st awscdk.Stack, s Settings, url *string) {
	for _, q := range topology.Queues() {
		queue := NewQueue(st, "Queue-"+q.Name, &QueueProps{q, s})
		queue.Invoke(p.Functions[q.Function])
		p.Queues[q.Name] = queue
		p.Alarms.Failed(q.Failed(), q.Function, queue.Failed)
	}
	asks := p.Queues[topology.Asks.Name]
	p.Events = NewEvents(st, "Events", &EventsProps{p.Functions, s})
	p.Alarms.Failed(topology.RefusedEvents, topology.EventFunction, p.Events.Failed)
	for _, f := range topology.Functions() {
		for _, name := range topology.Senders()[f] {
			switch name {
			case topology.RefusedEvents:
				allowSend(p.Functions[f], p.Events.Failed)
				p.Functions[f].Know(config.RefusedQueue, p.Events.Failed.QueueUrl())
			case topology.Asks.Name:
				allowSend(p.Functions[f], asks.Queue)
				p.Functions[f].Know(config.AsksQueue, asks.Queue.QueueUrl())
			}
		}
	}
	// Who takes asks from the queue says there when one is to come again.
	p.Functions[topology.Asks.Function].Allow(jsii.Strings("sqs:ChangeMessageVisibility"), &[]*string{asks.Queue.QueueArn()})
	p.Functions[topology.Asks.Function].Know(config.AsksQueue, asks.Queue.QueueUrl())
	p.Schedules = NewSchedules(st, "Schedules", &SchedulesProps{asks, s})
	for _, f := range topology.Schedulers() {
		p.Schedules.Grant(p.Functions[f])
	}
	for _, f := range topology.Publishers() {
		p.Functions[f].AllowIf(jsii.Strings("events:PutEvents"), &[]*string{p.Events.Bus.EventBusArn()}, "events:source", jsii.String(topology.APISource))
		p.Functions[f].Know(config.Bus, p.Events.Bus.EventBusName())
	}
	p.Files = NewFiles(st, "Files", &FilesProps{p.Queues[topology.Imports.Name], s})
	p.Files.Grant(p.Functions[topology.Imports.Function])
	p.Notices = NewNotices(st, "Notices", &NoticesProps{p.Functions, s})
	p.Alarms.Failed(string(topology.NoticeFunction)+"-failed", topology.NoticeFunction, p.Notices.Failed)
	p.Alarms.Reputation(p.Notices.Set)
	p.Sending = NewSending(st, "Sending", &SendingProps{p.Functions[topology.Asks.Function], s, p.Notices.Set, url})
	awscdk.NewCfnOutput(st, jsii.String("BusName"), &awscdk.CfnOutputProps{Value: p.Events.Bus.EventBusName()})
	awscdk.NewCfnOutput(st, jsii.String("FilesName"), &awscdk.CfnOutputProps{Value: p.Files.Bucket.BucketName()})
}
