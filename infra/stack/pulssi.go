package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

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
	API       *API
}

// NewPulssi makes all that package topology lists, and grants each function
// what it lists and nothing else.
func NewPulssi(scope constructs.Construct, id string, props *PulssiProps) *Pulssi {
	st := awscdk.NewStack(scope, &id, &awscdk.StackProps{
		Description: jsii.String("Pulssi: asks, answers and scores (" + string(props.Settings.Stage) + ")"),
	})
	p := &Pulssi{Stack: st, Tables: map[string]*Table{}, Functions: map[topology.Function]*Function{}}
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
	for _, s := range topology.Streams() {
		p.Functions[s.Function].Feed(p.Tables[s.Table.Name], s)
	}
	p.API = NewAPI(st, "Http", &APIProps{topology.Routes(), p.Functions, props.Settings})
	awscdk.NewCfnOutput(st, jsii.String("Url"), &awscdk.CfnOutputProps{Value: p.API.API.ApiEndpoint()})
	return p
}
