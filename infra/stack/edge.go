package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// frontRegion is where CloudFront takes certificates and firewalls from, and where
// budgets are, wherever the rest is (Amazon CloudFront Developer Guide:
// Requirements for using SSL/TLS certificates with CloudFront; AWS WAF Developer
// Guide: CLOUDFRONT scope).
const frontRegion = "us-east-1"

// EdgeProps are the properties of an [Edge].
type EdgeProps struct {
	Settings Settings
}

// Edge is the stack of what is in one region only, wherever the others are: what
// CloudFront takes from there, and the budget.
type Edge struct {
	Stack    awscdk.Stack
	Firewall *Firewall
}

// NewEdge makes the stack. Its output Region is where the others are, by which a
// deployment of the same stage to another region is found out.
func NewEdge(scope constructs.Construct, id string, props *EdgeProps) *Edge {
	s := props.Settings
	st := awscdk.NewStack(scope, &id, &awscdk.StackProps{
		Description:           jsii.String("Pulssi: the firewall of its front, and the budget (" + string(s.Stage) + ")"),
		Env:                   &awscdk.Environment{Region: jsii.String(frontRegion)},
		CrossRegionReferences: jsii.Bool(true),
		TerminationProtection: jsii.Bool(s.Stage == Prod),
	})
	output(st, "Region", &s.Region)
	if s.Budget != "" {
		NewBudget(st, "Budget", s)
	}
	return &Edge{st, NewFrontFirewall(st, "Firewall", s)}
}
