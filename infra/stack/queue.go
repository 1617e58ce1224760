package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/topology"
)

// QueueProps are the properties of a [Queue].
type QueueProps struct {
	Queue    topology.Queue
	Settings Settings
}

// Queue is one queue of package topology, with its dead-letter queue.
type Queue struct {
	Queue  awssqs.Queue
	Failed awssqs.Queue
	Props  QueueProps
}

// NewQueue makes a queue whose messages go to its dead-letter queue when they
// have been received too often.
func NewQueue(scope constructs.Construct, id string, props *QueueProps) *Queue {
	this := constructs.NewConstruct(scope, &id)
	q := props.Queue
	failed := newQueue(this, "Failed", props.Settings.prefix()+q.Failed(), &awssqs.QueueProps{})
	queue := newQueue(this, "Queue", props.Settings.prefix()+q.Name, &awssqs.QueueProps{
		VisibilityTimeout: awscdk.Duration_Seconds(jsii.Number(q.VisibilitySeconds)),
		DeadLetterQueue:   &awssqs.DeadLetterQueue{Queue: failed, MaxReceiveCount: jsii.Number(q.Receives)},
	})
	return &Queue{queue, failed, *props}
}

// newQueue makes a queue as all are: encrypted with SQS's own key, at no cost
// for a request, closed to who does not use TLS, keeping messages for as long
// as SQS does. What is in a queue is on its way and belongs to the functions
// around it, so it goes with them.
func newQueue(scope constructs.Construct, id, name string, p *awssqs.QueueProps) awssqs.Queue {
	p.QueueName = jsii.String(name)
	p.RetentionPeriod = awscdk.Duration_Days(jsii.Number(14))
	p.Encryption = awssqs.QueueEncryption_SQS_MANAGED
	p.EnforceSSL = jsii.Bool(true)
	p.RemovalPolicy = awscdk.RemovalPolicy_DESTROY
	return awssqs.NewQueue(scope, &id, p)
}

// Invoke feeds the function with the queue's messages.
func (q *Queue) Invoke(f *Function) {
	f.Allow(
		jsii.Strings("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
		&[]*string{q.Queue.QueueArn()},
	)
	p := &awslambda.EventSourceMappingProps{
		Target:                  f.Function,
		EventSourceArn:          q.Queue.QueueArn(),
		BatchSize:               jsii.Number(q.Props.Queue.Batch),
		ReportBatchItemFailures: jsii.Bool(true),
	}
	if n := q.Props.Queue.Concurrency; n > 0 {
		p.MaxConcurrency = jsii.Number(n)
	}
	mapping := awslambda.NewEventSourceMapping(f.Function, jsii.String("Queue"), p)
	// Lambda refuses a mapping whose role cannot read the queue yet; the role's
	// policy is part of the role here.
	mapping.Node().AddDependency(f.Role)
}

// allowSend lets a function put messages into a queue.
func allowSend(f *Function, q awssqs.Queue) {
	f.Allow(jsii.Strings("sqs:SendMessage"), &[]*string{q.QueueArn()})
}
