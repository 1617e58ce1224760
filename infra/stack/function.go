package stack

import (
	"path/filepath"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/topology"
)

// FunctionProps are the properties of a [Function].
type FunctionProps struct {
	Function topology.Function
	Settings Settings
	// Code is the folder with one folder for each function, which holds its
	// bootstrap.
	Code string
}

// Function is one function of package topology.
type Function struct {
	Function awslambda.Function
	Role     awsiam.Role
}

// size is what a function has.
type size struct {
	memory  float64 // MB
	disk    float64 // MB, from 512
	timeout time.Duration
}

// sizes are those of the functions that need more than the usual. The results
// read up to 32 MB of comments at once and find their themes, for which somebody
// waits: 1,769 MB come with one whole processor (AWS Lambda Developer Guide:
// Configure Lambda function memory). For the others no one waits. The tally holds
// batches of up to 6 MB with their images decoded, several times that in Go; a
// batch is done in seconds, or was caught by a slow database. A tick may plan a
// million contacts, and a file have as many; their timeout is the longest there
// is, and both go on in another invocation. Unpacked, a workbook is far larger
// than its file. SQS hands a message out again after six times the timeout of
// send (AWS Lambda Developer Guide: SQS event sources).
var sizes = map[topology.Function]size{
	topology.Results: {1769, 512, 20 * time.Second},
	topology.Tally:   {512, 512, time.Minute},
	topology.Plan:    {512, 512, 15 * time.Minute},
	topology.Intake:  {1024, 2048, 15 * time.Minute},
	topology.Send:    {256, 512, 30 * time.Second},
	topology.Publish: {256, 512, time.Minute},
}

// sizeOf returns what a function has. Go is as fast with 128 MB as with more
// (budgets of the design), and a customer waits no longer than 10 s.
func sizeOf(f topology.Function) size {
	if s, ok := sizes[f]; ok {
		return s
	}
	return size{128, 512, 10 * time.Second}
}

// NewFunction makes a function with a role of its own that can write its log
// and nothing else yet.
func NewFunction(scope constructs.Construct, id string, props *FunctionProps) *Function {
	this := constructs.NewConstruct(scope, &id)
	name := props.Settings.prefix() + string(props.Function)
	logs := awslogs.NewLogGroup(this, jsii.String("Log"), &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/pulssi/" + string(props.Settings.Stage) + "/" + string(props.Function)),
		Retention:    awslogs.RetentionDays_THREE_MONTHS,
		// Logs hold no answers; what they are good for ends with the function.
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	role := awsiam.NewRole(this, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	environment := map[string]*string{}
	for k, v := range props.Settings.environment() {
		environment[k] = jsii.String(v)
	}
	has := sizeOf(props.Function)
	fn := awslambda.NewFunction(this, jsii.String("Function"), &awslambda.FunctionProps{
		FunctionName:         jsii.String(name),
		Runtime:              awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:         awslambda.Architecture_ARM_64(),
		Handler:              jsii.String("bootstrap"),
		Code:                 awslambda.Code_FromAsset(jsii.String(filepath.Join(props.Code, string(props.Function))), nil),
		MemorySize:           jsii.Number(has.memory),
		Timeout:              awscdk.Duration_Seconds(jsii.Number(has.timeout.Seconds())),
		EphemeralStorageSize: awscdk.Size_Mebibytes(jsii.Number(has.disk)),
		Environment:          &environment,
		Role:                 role,
		LogGroup:             logs,
		// Lambda's own lines about each invocation would cost more than the
		// invocation; what goes wrong it still says.
		LoggingFormat:         awslambda.LoggingFormat_JSON,
		SystemLogLevelV2:      awslambda.SystemLogLevel_WARN,
		ApplicationLogLevelV2: awslambda.ApplicationLogLevel_INFO,
	})
	f := &Function{fn, role}
	if props.Settings.Tracing == "true" {
		f.trace()
	}
	f.Allow(jsii.Strings("logs:CreateLogStream", "logs:PutLogEvents"), &[]*string{logs.LogGroupArn()})
	return f
}

// trace has Lambda record a sample of the invocations: one a second and 5 % of
// the rest (AWS X-Ray Developer Guide: default sampling rule). Records are no
// resources of AWS that could be named.
func (f *Function) trace() {
	f.Function.Node().DefaultChild().(awslambda.CfnFunction).SetTracingConfig(&awslambda.CfnFunction_TracingConfigProperty{Mode: jsii.String("Active")})
	f.Allow(jsii.Strings("xray:PutTraceSegments", "xray:PutTelemetryRecords"), jsii.Strings("*"))
}

// Allow adds a statement to the policy of the function's role.
func (f *Function) Allow(actions, resources *[]*string) {
	f.Role.AddToPolicy(allow(actions, resources))
}

// AllowIf is [Function.Allow] on a condition: the value of a key.
func (f *Function) AllowIf(actions, resources *[]*string, key string, value *string) {
	f.Role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: actions, Resources: resources,
		Conditions: &map[string]any{"StringEquals": map[string]any{key: value}},
	}))
}

// Know gives the function a variable of package config.
func (f *Function) Know(name string, value *string) {
	f.Function.AddEnvironment(jsii.String(name), value, nil)
}

// KeepFailures has Lambda try twice more what it invokes the function with and
// nobody waits for, and then keep it in a queue that the function may write to.
func (f *Function) KeepFailures(q awssqs.Queue) {
	invocations := awslambda.NewCfnEventInvokeConfig(f.Function, jsii.String("Invocations"), &awslambda.CfnEventInvokeConfigProps{
		FunctionName:             f.Function.FunctionName(),
		Qualifier:                jsii.String("$LATEST"),
		MaximumRetryAttempts:     jsii.Number(2),
		MaximumEventAgeInSeconds: jsii.Number(6 * 3600), // the most there is
		DestinationConfig: &awslambda.CfnEventInvokeConfig_DestinationConfigProperty{
			OnFailure: &awslambda.CfnEventInvokeConfig_OnFailureProperty{Destination: q.QueueArn()},
		},
	})
	// Lambda looks whether the function's role may write to the queue; the
	// role's policy is part of the role here.
	invocations.Node().AddDependency(f.Role)
}

// Feed maps the stream of a table to the function, and keeps what could not be
// handled in the queue it returns.
func (f *Function) Feed(t *Table, s topology.Stream) awssqs.Queue {
	// It says which records failed, not what is in them: a recount repairs the
	// tallies without it.
	failed := newQueue(f.Function, "Failed", t.Props.Settings.prefix()+string(s.Function)+"-failed", &awssqs.QueueProps{})
	f.Allow(jsii.Strings("sqs:SendMessage"), &[]*string{failed.QueueArn()})
	t.GrantStream(f)
	mapping := awslambda.NewEventSourceMapping(f.Function, jsii.String("Stream"), &awslambda.EventSourceMappingProps{
		Target:                  f.Function,
		EventSourceArn:          t.Table.TableStreamArn(),
		StartingPosition:        awslambda.StartingPosition_TRIM_HORIZON,
		BatchSize:               jsii.Number(s.Batch),
		MaxBatchingWindow:       awscdk.Duration_Seconds(jsii.Number(s.BatchingSeconds)),
		TumblingWindow:          awscdk.Duration_Seconds(jsii.Number(s.WindowSeconds)),
		BisectBatchOnError:      jsii.Bool(s.Bisect),
		ReportBatchItemFailures: jsii.Bool(true),
		RetryAttempts:           jsii.Number(s.Retries),
		MaxRecordAge:            awscdk.Duration_Seconds(jsii.Number(s.MaxAgeSeconds)),
		ParallelizationFactor:   jsii.Number(s.Parallel),
	})
	mapping.Node().DefaultChild().(awslambda.CfnEventSourceMapping).SetDestinationConfig(&awslambda.CfnEventSourceMapping_DestinationConfigProperty{
		OnFailure: &awslambda.CfnEventSourceMapping_OnFailureProperty{Destination: failed.QueueArn()},
	})
	// Lambda refuses a mapping whose role cannot read the stream yet; the
	// role's policy is part of the role here.
	mapping.Node().AddDependency(f.Role)
	return failed
}
