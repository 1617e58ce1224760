package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awswafv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Firewall keeps away those who send far more than a person does, and what is
// known to be an attack. It keeps no log: that would be of people's addresses.
type Firewall struct {
	ACL awswafv2.CfnWebACL
}

// rateWindow is over how many seconds requests of an address are counted.
const rateWindow = 300

// The most requests of one address in that time, before it is told to wait. A
// whole office, a shop's kiosk or a phone operator may be one address.
// Opt-outs have no rate of their own: mail providers post them for many people
// (RFC 8058).
const (
	answerRate = 1000   // answers, votes
	anyRate    = 10_000 // of every kind: a mail scanner opens all links of all mails to a company
	signinRate = 500    // at the pages of the user pool: several for each sign-in
)

// What is answered to who is to wait: to programs, and to those who answer by a
// form.
const (
	tooMany = "too-many"
	page    = "page"
)

// waits is the page, in all languages because WAF reads none.
const waits = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>429</title></head><body>` +
	`<p lang="fi">Tästä verkosta on tullut hetken aikaa liian monta vastausta. Yritä uudelleen viiden minuutin kuluttua.</p>` +
	`<p lang="sv">Det har kommit för många svar från det här nätet. Försök igen om fem minuter.</p>` +
	`<p lang="en">Too many answers have come from this network. Please try again in five minutes.</p></body></html>`

// NewFrontFirewall makes that of CloudFront, which is in [frontRegion] alone.
func NewFrontFirewall(scope constructs.Construct, id string, s Settings) *Firewall {
	return newFirewall(scope, id, s.prefix()+"front", "CLOUDFRONT", frontRules())
}

func frontRules() []*awswafv2.CfnWebACL_RuleProperty {
	// Opt-outs come from mail providers, whose addresses have the reputation of
	// all their users.
	reputation := managed("AWSManagedRulesAmazonIpReputationList")
	reputation.Statement = &awswafv2.CfnWebACL_StatementProperty{ManagedRuleGroupStatement: &awswafv2.CfnWebACL_ManagedRuleGroupStatementProperty{
		Name: reputation.Name, VendorName: jsii.String("AWS"),
		ScopeDownStatement: &awswafv2.CfnWebACL_StatementProperty{NotStatement: &awswafv2.CfnWebACL_NotStatementProperty{Statement: begins("/u/")}},
	}}
	return []*awswafv2.CfnWebACL_RuleProperty{
		rate("answers", answerRate, page, posts("/a/", "/t/")),
		rate("votes", answerRate, tooMany, posts("/v/")),
		rate("requests", anyRate, tooMany, nil),
		reputation,
		// A comment may say anything, and be long: nothing that a customer writes
		// is refused for its words. A program may have no name.
		managed("AWSManagedRulesKnownBadInputsRuleSet", "JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY"),
		// The cookies of a company's website come along to its subdomain, and
		// nobody here reads them.
		managed("AWSManagedRulesCommonRuleSet", "SizeRestrictions_BODY", "CrossSiteScripting_BODY",
			"GenericLFI_BODY", "GenericRFI_BODY", "EC2MetaDataSSRF_BODY", "NoUserAgent_HEADER",
			"SizeRestrictions_Cookie_HEADER", "CrossSiteScripting_COOKIE", "EC2MetaDataSSRF_COOKIE"),
	}
}

// NewSigninFirewall makes that of the pages at which people sign in, and puts it
// before them.
func NewSigninFirewall(scope constructs.Construct, id string, s Settings, u *Users) *Firewall {
	f := newFirewall(scope, id, s.prefix()+"signin", "REGIONAL", []*awswafv2.CfnWebACL_RuleProperty{
		rate("sign-ins", signinRate, tooMany, nil),
	})
	awswafv2.NewCfnWebACLAssociation(f.ACL, jsii.String("Pool"), &awswafv2.CfnWebACLAssociationProps{
		ResourceArn: u.Pool.UserPoolArn(), WebAclArn: f.ACL.AttrArn(),
	})
	return f
}

func newFirewall(scope constructs.Construct, id, name, kind string, rules []*awswafv2.CfnWebACL_RuleProperty) *Firewall {
	for i, r := range rules {
		r.Priority = jsii.Number(i)
	}
	return &Firewall{awswafv2.NewCfnWebACL(scope, &id, &awswafv2.CfnWebACLProps{
		Name:             &name,
		Scope:            &kind,
		DefaultAction:    &awswafv2.CfnWebACL_DefaultActionProperty{Allow: &awswafv2.CfnWebACL_AllowActionProperty{}},
		Rules:            &rules,
		VisibilityConfig: visible(name),
		CustomResponseBodies: &map[string]*awswafv2.CfnWebACL_CustomResponseBodyProperty{
			tooMany: {
				ContentType: jsii.String("APPLICATION_JSON"),
				Content:     jsii.String(`{"error":{"code":"too_many","message":"too many requests from this address: try again in five minutes"}}`),
			},
			page: {ContentType: jsii.String("TEXT_HTML"), Content: jsii.String(waits)},
		},
	})}
}

// visible has CloudWatch count what a rule does, and WAF keep no sample of it.
func visible(name string) *awswafv2.CfnWebACL_VisibilityConfigProperty {
	return &awswafv2.CfnWebACL_VisibilityConfigProperty{
		CloudWatchMetricsEnabled: jsii.Bool(true), MetricName: &name, SampledRequestsEnabled: jsii.Bool(false),
	}
}

// rate has an address wait that sends more than so many requests in the window,
// of those that a statement picks, nil for all. It is answered what has that name.
func rate(name string, limit float64, answer string, of *awswafv2.CfnWebACL_StatementProperty) *awswafv2.CfnWebACL_RuleProperty {
	return &awswafv2.CfnWebACL_RuleProperty{
		Name: &name,
		Statement: &awswafv2.CfnWebACL_StatementProperty{RateBasedStatement: &awswafv2.CfnWebACL_RateBasedStatementProperty{
			AggregateKeyType: jsii.String("IP"), EvaluationWindowSec: jsii.Number(rateWindow), Limit: &limit, ScopeDownStatement: of,
		}},
		Action: &awswafv2.CfnWebACL_RuleActionProperty{Block: &awswafv2.CfnWebACL_BlockActionProperty{
			CustomResponse: &awswafv2.CfnWebACL_CustomResponseProperty{ResponseCode: jsii.Number(429), CustomResponseBodyKey: &answer},
		}},
		VisibilityConfig: visible(name),
	}
}

// posts picks what is sent to paths that begin so.
func posts(paths ...string) *awswafv2.CfnWebACL_StatementProperty {
	var either []*awswafv2.CfnWebACL_StatementProperty
	for _, p := range paths {
		either = append(either, begins(p))
	}
	path := either[0]
	if len(either) > 1 { // WAF takes no "or" of one
		path = &awswafv2.CfnWebACL_StatementProperty{OrStatement: &awswafv2.CfnWebACL_OrStatementProperty{Statements: &either}}
	}
	method := matches(&awswafv2.CfnWebACL_FieldToMatchProperty{Method: map[string]any{}}, "EXACTLY", "POST", "NONE")
	return &awswafv2.CfnWebACL_StatementProperty{AndStatement: &awswafv2.CfnWebACL_AndStatementProperty{
		Statements: &[]*awswafv2.CfnWebACL_StatementProperty{method, path},
	}}
}

// begins picks the paths that begin so, however they are written.
func begins(path string) *awswafv2.CfnWebACL_StatementProperty {
	return matches(&awswafv2.CfnWebACL_FieldToMatchProperty{UriPath: map[string]any{}}, "STARTS_WITH", path, "URL_DECODE", "NORMALIZE_PATH")
}

// matches picks the requests of which a part, once it is transformed, is or begins
// with a text.
func matches(part *awswafv2.CfnWebACL_FieldToMatchProperty, how, text string, transformed ...string) *awswafv2.CfnWebACL_StatementProperty {
	var by []*awswafv2.CfnWebACL_TextTransformationProperty
	for i, t := range transformed {
		by = append(by, &awswafv2.CfnWebACL_TextTransformationProperty{Priority: jsii.Number(i), Type: &t})
	}
	return &awswafv2.CfnWebACL_StatementProperty{ByteMatchStatement: &awswafv2.CfnWebACL_ByteMatchStatementProperty{
		FieldToMatch: part, PositionalConstraint: &how, SearchString: &text, TextTransformations: &by,
	}}
}

// managed is a group of rules that AWS keeps, of which some only count.
func managed(name string, counted ...string) *awswafv2.CfnWebACL_RuleProperty {
	var overrides []*awswafv2.CfnWebACL_RuleActionOverrideProperty
	for _, rule := range counted {
		overrides = append(overrides, &awswafv2.CfnWebACL_RuleActionOverrideProperty{
			Name: jsii.String(rule), ActionToUse: &awswafv2.CfnWebACL_RuleActionProperty{Count: &awswafv2.CfnWebACL_CountActionProperty{}},
		})
	}
	return &awswafv2.CfnWebACL_RuleProperty{
		Name: &name,
		Statement: &awswafv2.CfnWebACL_StatementProperty{ManagedRuleGroupStatement: &awswafv2.CfnWebACL_ManagedRuleGroupStatementProperty{
			Name: &name, VendorName: jsii.String("AWS"), RuleActionOverrides: &overrides,
		}},
		OverrideAction:   &awswafv2.CfnWebACL_OverrideActionProperty{None: map[string]any{}},
		VisibilityConfig: visible(name),
	}
}
