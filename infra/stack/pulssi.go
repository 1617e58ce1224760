package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/topology"
)

// PulssiProps are the properties of a [Pulssi].
type PulssiProps struct {
	Settings Settings
	Code     string // see [FunctionProps]
	// FilesVersion is that of the files which the front serves.
	FilesVersion string
}

// Pulssi is a whole deployment, in three stacks: what is kept, what CloudFront
// wants in its own region, and all else, which is made anew from the sources.
type Pulssi struct {
	Settings  Settings
	Data      *Data
	Edge      *Edge
	Stack     awscdk.Stack
	Functions map[topology.Function]*Function
	Untold    awssqs.Queue // of the function that publishes
	Events    *Events
	Notices   *Notices
	API       *API
	Front     *Front
	SignIn    *SignIn
	Alarms    *Alarms

	excepted []string // rules of cdk-nag, by Check
}

// NewPulssi makes all that package topology lists, and grants each function
// what it lists and nothing else.
func NewPulssi(scope constructs.Construct, props *PulssiProps) *Pulssi {
	s := props.Settings
	p := &Pulssi{Settings: s, Functions: map[topology.Function]*Function{}}
	p.Data = NewData(scope, s.name()+"-data", &DataProps{s})
	p.Edge = NewEdge(scope, s.name()+"-edge", &EdgeProps{s})
	st := awscdk.NewStack(scope, jsii.String(s.name()), &awscdk.StackProps{
		Description:           jsii.String("Pulssi: asks, answers and scores (" + string(s.Stage) + ")"),
		Env:                   &awscdk.Environment{Region: &s.Region},
		CrossRegionReferences: jsii.Bool(true),
		TerminationProtection: jsii.Bool(s.Stage == Prod),
	})
	p.Stack = st
	for _, f := range topology.Functions() {
		p.Functions[f] = NewFunction(st, "Function-"+string(f), &FunctionProps{f, s, props.Code})
	}
	for _, a := range topology.Accesses() {
		p.Data.Tables[a.Table.Name].Grant(p.Functions[a.Function], a)
	}
	p.Alarms = NewAlarms(st, "Alarms", &AlarmsProps{s})
	for _, m := range topology.Streams() {
		p.Alarms.Failed(string(m.Function)+"-failed", m.Function, p.Functions[m.Function].Feed(p.Data.Tables[m.Table.Name], m))
	}
	p.serve(props)
	p.ask(s)
	p.watch(s)
	return p
}

// serve makes what answers requests: the API, the front before it, and the
// sign-in.
func (p *Pulssi) serve(props *PulssiProps) {
	s := props.Settings
	p.API = NewAPI(p.Stack, "Http", &APIProps{s})
	p.Front = NewFront(p.Stack, "Front", &FrontProps{s, p.API, p.Data.FrontKey, p.Edge.Firewall})
	p.SignIn = NewSignIn(p.Stack, "SignIn", &SignInProps{s, p.Data.Users, p.Front.URL})
	NewSigninFirewall(p.Stack, "SigninFirewall", s, p.Data.Users)
	p.SignIn.Tell(p.Functions[topology.Results])
	p.API.Serve(topology.Routes(), p.Functions, p.SignIn)
	for _, f := range p.API.Functions {
		p.Functions[f].Know(config.FrontKey, frontKey(p.Data.FrontKey))
		p.Functions[f].Know(config.PublicURL, p.Front.URL)
	}
	publish := p.Functions[topology.PublishFunction]
	written := p.Front.Fill(publish, props.FilesVersion)
	// A page of the new version must find what it loads.
	for _, f := range p.API.Functions {
		p.Functions[f].Function.Node().AddDependency(written)
	}
	// What could not even be told to CloudFormation.
	p.Untold = newQueue(p.Stack, "Untold", s.prefix()+string(topology.PublishFunction)+"-failed", &awssqs.QueueProps{})
	allowSend(publish, p.Untold)
	publish.KeepFailures(p.Untold)
	p.Alarms.Failed(string(topology.PublishFunction)+"-failed", topology.PublishFunction, p.Untold)
	output(p.Stack, "Url", p.Front.URL)
}

// ask makes what asks people: what is fed by the queues, events, sending, and what
// comes back.
func (p *Pulssi) ask(s Settings) {
	for _, q := range topology.Queues() {
		queue := p.Data.Queues[q.Name]
		queue.Invoke(p.Functions[q.Function])
		p.Alarms.Failed(q.Failed(), q.Function, queue.Failed)
	}
	asks := p.Data.Queues[topology.Asks.Name]
	p.Events = NewEvents(p.Stack, "Events", &EventsProps{p.Functions, s})
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
	send := p.Functions[topology.Asks.Function]
	// Who takes asks from the queue says there when one is to come again.
	send.Allow(jsii.Strings("sqs:ChangeMessageVisibility"), &[]*string{asks.Queue.QueueArn()})
	send.Know(config.AsksQueue, asks.Queue.QueueUrl())
	for _, f := range topology.Schedulers() {
		p.Data.Schedules.Grant(p.Functions[f])
	}
	for _, f := range topology.Publishers() {
		p.Functions[f].AllowIf(jsii.Strings("events:PutEvents"), &[]*string{p.Events.Bus.EventBusArn()}, "events:source", jsii.String(topology.APISource))
		p.Functions[f].Know(config.Bus, p.Events.Bus.EventBusName())
	}
	p.Data.Files.Grant(p.Functions[topology.Imports.Function])
	p.Notices = NewNotices(p.Stack, "Notices", &NoticesProps{p.Functions, s})
	p.Alarms.Failed(string(topology.NoticeFunction)+"-failed", topology.NoticeFunction, p.Notices.Failed)
	send.Know(config.PublicURL, p.Front.URL) // links need a whole address
	AllowSending(&SendingProps{send, s, p.Data.AskSecret, p.Notices.Set})
	output(p.Stack, "BusName", p.Events.Bus.EventBusName())
}

// watch makes what tells people how things are.
func (p *Pulssi) watch(s Settings) {
	p.Alarms.Reputation(p.Notices.Set)
	for _, f := range p.API.Functions {
		p.Alarms.Errors(f, p.Functions[f])
	}
	for _, m := range topology.Streams() {
		p.Alarms.Behind(m.Function, p.Functions[m.Function])
	}
	p.Alarms.Requests(p.API)
	p.Alarms.Refused(p.API)
	p.Alarms.Sending()
	if s.SMSSender != "" {
		p.Alarms.SMSSpend()
	}
	NewPanel(p.Stack, "Panel", &PanelProps{p, s})
}
