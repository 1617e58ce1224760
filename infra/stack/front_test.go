package stack

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/obs"
	"github.com/pulssi/pulssi/shared/topology"
	"github.com/pulssi/pulssi/shared/web"
)

// The policies that CloudFront itself has (Amazon CloudFront Developer Guide: Use
// managed cache policies, Use managed origin request policies).
const (
	cachingDisabled      = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
	cachingOptimized     = "658327ea-f89d-4fab-a63d-7e88639e58f6"
	oneYear              = 365 * 24 * 3600
	strictOrigin         = "strict-origin-when-cross-origin"
	transportSecurityKey = "StrictTransportSecurity"
)

// distribution returns the settings of the front.
func distribution(t *testing.T, tpl template) map[string]any {
	t.Helper()
	return tpl[theOnly(t, tpl, "AWS::CloudFront::Distribution")].Properties["DistributionConfig"].(map[string]any)
}

// TestFront has one address for everything, over TLS alone, with the firewall
// before it; the files come from the bucket and all else from the API, which is
// shown the key.
func TestFront(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		tpl := synth(t, stage)
		d := distribution(t, tpl)
		var aliases any
		certificate := any(nil)
		if stage == Prod {
			aliases = []string{"answer.example.com"}
			certificate = map[string]any{
				"AcmCertificateArn": given[Prod]["certificate"], "SslSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021",
			}
		}
		check(t, "the names", d["Aliases"], aliases)
		check(t, "the certificate", d["ViewerCertificate"], certificate)
		check(t, "the versions of HTTP", d["HttpVersion"], "http2and3")
		check(t, "the log, which would be of people's addresses", d["Logging"], nil)
		firewall := tpl.byName(t, "AWS::WAFv2::WebACL", "Scope", "CLOUDFRONT")
		reader := tpl[theOnly(t, tpl, "Custom::CrossRegionExportReader")].Properties
		writer := tpl[theOnly(t, tpl, "Custom::CrossRegionExportWriter")].Properties
		var name string // by which one region learns it of the other
		for k, v := range writer["WriterProps"].(map[string]any)["exports"].(map[string]any) {
			check(t, "what is told", v, arn(firewall, "Arn"))
			name = k
		}
		check(t, "the firewall", d["WebACLId"], arn(theOnly(t, tpl, "Custom::CrossRegionExportReader"), name))
		check(t, "what is learnt", reader["ReaderProps"].(map[string]any)["imports"], map[string]any{name: "{{resolve:ssm:" + name + "}}"})

		api, files := "", ""
		for _, o := range d["Origins"].([]any) {
			o := o.(map[string]any)
			if o["S3OriginConfig"] != nil {
				files = o["Id"].(string)
				check(t, "the bucket", o["DomainName"], arn(published(t, tpl), "RegionalDomainName"))
				control := tpl[o["OriginAccessControlId"].(map[string]any)["Fn::GetAtt"].([]any)[0].(string)].Properties["OriginAccessControlConfig"].(map[string]any)
				check(t, "how it is asked", control["SigningBehavior"], "always")
				continue
			}
			api = o["Id"].(string)
			check(t, "the API", o["DomainName"], join(ref(theOnly(t, tpl, "AWS::ApiGatewayV2::Api")), ".execute-api.eu-north-1.", ref("AWS::URLSuffix")))
			check(t, "how it is asked", o["CustomOriginConfig"], map[string]any{"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": []string{"TLSv1.2"}})
			check(t, "the key", o["OriginCustomHeaders"], []any{map[string]any{
				"HeaderName":  config.FrontHeader,
				"HeaderValue": join("{{resolve:secretsmanager:", ref(secret(t, tpl, stage, "front")), ":SecretString:::}}"),
			}})
		}
		all := d["DefaultCacheBehavior"].(map[string]any)
		for key, want := range map[string]any{
			"TargetOriginId": api, "CachePolicyId": cachingDisabled, "OriginRequestPolicyId": ref(theOnly(t, tpl, "AWS::CloudFront::OriginRequestPolicy")), "ViewerProtocolPolicy": "redirect-to-https",
			"AllowedMethods": []string{"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"},
		} {
			check(t, "everything: "+key, all[key], want)
		}
		handed := tpl[theOnly(t, tpl, "AWS::CloudFront::OriginRequestPolicy")].Properties["OriginRequestPolicyConfig"].(map[string]any)
		check(t, "what is handed on", []any{handed["CookiesConfig"], handed["HeadersConfig"], handed["QueryStringsConfig"]}, []any{
			map[string]any{"CookieBehavior": "none"}, map[string]any{"HeaderBehavior": "allExcept", "Headers": []string{"host"}}, map[string]any{"QueryStringBehavior": "all"},
		})
		origins := map[string]string{}
		for _, b := range d["CacheBehaviors"].([]any) {
			b := b.(map[string]any)
			path := b["PathPattern"].(string)
			check(t, path+": over", b["ViewerProtocolPolicy"], "redirect-to-https")
			check(t, path+": compressed", b["Compress"], true)
			check(t, path+": methods", b["AllowedMethods"], nil) // GET and HEAD
			origins[path] = b["TargetOriginId"].(string)
			if origins[path] == files {
				check(t, path+": kept", b["CachePolicyId"], cachingOptimized)
			}
		}
		check(t, "the paths", origins, map[string]string{"/pulssi*": files, "/dashboard/assets/*": files, "/w/*": api})
	}
}

// TestFilesAreServed has each file of package web under a path that is served
// from the bucket, and no route of the API that is not a GET of such a file.
func TestFilesAreServed(t *testing.T) {
	under := func(path string) bool {
		return slices.ContainsFunc(filePaths, func(p string) bool { return strings.HasPrefix(path, strings.TrimSuffix(p, "*")) })
	}
	for _, f := range web.Published() {
		if !under("/" + f.Name) {
			t.Errorf("%s is not served from the bucket", f.Name)
		}
	}
	for _, r := range topology.Routes() {
		if under(r.Path) {
			t.Errorf("%s %s can never be reached: its path is served from the bucket", r.Method, r.Path)
		}
	}
}

func TestPublish(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		tpl := synth(t, stage)
		id := theOnly(t, tpl, "Custom::Files")
		check(t, "what is asked of publish", tpl[id].Properties, map[string]any{
			"ServiceToken": arn(tpl.function(t, stage, topology.Publish), "Arn"), "ServiceTimeout": "300",
			"Bucket": ref(published(t, tpl)), "Version": "VERSION",
		})
		for _, f := range topology.Functions() {
			if fn := tpl[tpl.function(t, stage, f)]; isHTTP(f) != slices.Contains(fn.DependsOn, id) {
				t.Errorf("%s: %s waits for %v; those that answer wait for the files", stage, f, fn.DependsOn)
			}
		}
		if !tpl.waitsForPolicy(id, tpl.role(t, stage, topology.Publish)) {
			t.Errorf("it does not wait for the policy: %v", tpl[id].DependsOn)
		}
		b := published(t, tpl)
		check(t, "what becomes of them", tpl[b].DeletionPolicy, "Retain")
		check(t, "who may come to the files", tpl.comesTo(t, b), []any{withoutTLS(b), map[string]any{
			"Action": "s3:GetObject", "Effect": "Allow", "Principal": map[string]any{"Service": "cloudfront.amazonaws.com"},
			"Resource": join(arn(b, "Arn"), "/*"),
			"Condition": map[string]any{"StringEquals": map[string]any{
				"AWS:SourceArn": join("arn:", ref("AWS::Partition"), ":cloudfront::", ref("AWS::AccountId"), ":distribution/", ref(theOnly(t, tpl, "AWS::CloudFront::Distribution"))),
			}},
		}})
	}
}

// TestHeaders has every answer say what keeps browsers safe, and pages of every
// origin load the popup.
func TestHeaders(t *testing.T) {
	tpl := synth(t, Dev)
	for name, id := range map[string]string{"pages": "", "assets": "", "popup": ""} {
		for candidate, r := range tpl.ofType("AWS::CloudFront::ResponseHeadersPolicy") {
			if r.Properties["ResponseHeadersPolicyConfig"].(map[string]any)["Name"] == "pulssi-dev-"+name {
				id = candidate
			}
		}
		p := tpl[id].Properties["ResponseHeadersPolicyConfig"].(map[string]any)
		check(t, name+": security", p["SecurityHeadersConfig"], map[string]any{
			"ContentTypeOptions": map[string]any{"Override": true},
			"ReferrerPolicy":     map[string]any{"Override": false, "ReferrerPolicy": strictOrigin}, // some pages say less
			transportSecurityKey: map[string]any{"AccessControlMaxAgeSec": oneYear, "Override": true},
		})
		var more, cors any
		if name == "popup" {
			list := func(v ...string) any { return map[string]any{"Items": v} }
			cors = map[string]any{
				"AccessControlAllowCredentials": false, "AccessControlAllowOrigins": list("*"), "AccessControlAllowHeaders": list("*"),
				"AccessControlAllowMethods": list("GET", "HEAD"), "OriginOverride": true,
			}
			more = map[string]any{"Items": []any{
				map[string]any{"Header": "cross-origin-resource-policy", "Value": "cross-origin", "Override": true},
			}}
		}
		check(t, name+": more", p["CustomHeadersConfig"], more)
		check(t, name+": who may load it", p["CorsConfig"], cors)
	}
	cache := tpl[theOnly(t, tpl, "AWS::CloudFront::CachePolicy")].Properties["CachePolicyConfig"].(map[string]any)
	check(t, "what it depends on", cache["ParametersInCacheKeyAndForwardedToOrigin"], map[string]any{
		"CookiesConfig":            map[string]any{"CookieBehavior": "none"},
		"HeadersConfig":            map[string]any{"HeaderBehavior": "whitelist", "Headers": []string{"origin"}},
		"QueryStringsConfig":       map[string]any{"QueryStringBehavior": "whitelist", "QueryStrings": []string{"part", "locale"}},
		"EnableAcceptEncodingGzip": true, "EnableAcceptEncodingBrotli": true,
	})
	for _, e := range distribution(t, tpl)["CustomErrorResponses"].([]any) {
		check(t, "how long an error is kept", e.(map[string]any)["ErrorCachingMinTTL"], 0)
	}
	if n := len(distribution(t, tpl)["CustomErrorResponses"].([]any)); n != 11 {
		t.Errorf("%d statuses are never kept", n)
	}
	check(t, "how long what popups are told is kept", []any{cache["MinTTL"], cache["DefaultTTL"], cache["MaxTTL"]}, []int{0, 0, 60})
}

// TestFirewalls has an address that sends too much wait, for answers, votes,
// everything and sign-ins, and nothing that a customer writes refused.
func TestFirewalls(t *testing.T) {
	tpl := synth(t, Dev)
	type found struct {
		limit float64
		of    string
	}
	rules := map[string]map[string]found{}
	for _, acl := range tpl.ofType("AWS::WAFv2::WebACL") {
		name := acl.Properties["Name"].(string)
		rules[name] = map[string]found{}
		check(t, name+": what no rule is about", acl.Properties["DefaultAction"], map[string]any{"Allow": map[string]any{}})
		for i, r := range acl.Properties["Rules"].([]any) {
			r := r.(map[string]any)
			check(t, name+": order", r["Priority"], i)
			check(t, name+": samples, which are of people", r["VisibilityConfig"].(map[string]any)["SampledRequestsEnabled"], false)
			s := r["Statement"].(map[string]any)
			rate, ok := s["RateBasedStatement"].(map[string]any)
			if !ok {
				group := s["ManagedRuleGroupStatement"].(map[string]any)
				check(t, name+": "+r["Name"].(string), r["OverrideAction"], map[string]any{"None": map[string]any{}})
				rules[name][group["Name"].(string)] = found{}
				if scoped := show(group["ScopeDownStatement"]); group["Name"] == "AWSManagedRulesAmazonIpReputationList" && !strings.Contains(scoped, `{"NotStatement":{"Statement":{"ByteMatchStatement"`) {
					t.Errorf("opt-outs that mail providers send are held to their reputation: %s", scoped)
				}
				for body, of := range map[string]string{
					"SizeRestrictions_BODY": "Common", "CrossSiteScripting_BODY": "Common", "GenericLFI_BODY": "Common", "GenericRFI_BODY": "Common",
					"EC2MetaDataSSRF_BODY": "Common", "CrossSiteScripting_COOKIE": "Common", "JavaDeserializationRCE_BODY": "KnownBadInputs", "Log4JRCE_BODY": "KnownBadInputs",
				} {
					if group["Name"] == "AWSManagedRules"+of+"RuleSet" && !strings.Contains(show(group["RuleActionOverrides"]), `{"ActionToUse":{"Count":{}},"Name":"`+body+`"}`) {
						t.Errorf("%s refuses what a customer writes", body)
					}
				}
				continue
			}
			check(t, "how an address waits", r["Action"].(map[string]any)["Block"].(map[string]any)["CustomResponse"], map[string]any{
				"ResponseCode": 429, "CustomResponseBodyKey": map[bool]string{false: "too-many", true: "page"}[r["Name"] == "answers"],
			})
			check(t, "over how long it is counted", rate["EvaluationWindowSec"], 300)
			of := show(rate["ScopeDownStatement"])
			var paths []string
			for _, p := range []string{`"POST"`, `"/a/"`, `"/t/"`, `"/u/"`, `"/v/"`} {
				if strings.Contains(of, `"SearchString":`+p) {
					paths = append(paths, strings.Trim(p, `"`))
				}
			}
			rules[name][r["Name"].(string)] = found{rate["Limit"].(float64), strings.Join(paths, " ")}
		}
	}
	want := map[string]map[string]found{
		"pulssi-dev-front": {
			"answers": {1000, "POST /a/ /t/"}, "votes": {1000, "POST /v/"}, "requests": {10_000, ""},
			"AWSManagedRulesAmazonIpReputationList": {}, "AWSManagedRulesKnownBadInputsRuleSet": {}, "AWSManagedRulesCommonRuleSet": {},
		},
		"pulssi-dev-signin": {"sign-ins": {500, ""}},
	}
	for name := range want {
		for rule := range want[name] {
			if rules[name][rule] != want[name][rule] {
				t.Errorf("%s: %s is %+v, want %+v", name, rule, rules[name][rule], want[name][rule])
			}
		}
		if len(rules[name]) != len(want[name]) {
			t.Errorf("%s has the rules %v", name, rules[name])
		}
	}
	check(t, "where the second is", tpl[theOnly(t, tpl, "AWS::WAFv2::WebACLAssociation")].Properties, map[string]any{
		"ResourceArn": arn(theOnly(t, tpl, "AWS::Cognito::UserPool"), "Arn"),
		"WebACLArn":   arn(tpl.byName(t, "AWS::WAFv2::WebACL", "Scope", "REGIONAL"), "Arn"),
	})
}

// TestPanel shows all alarms and every metric that the functions write, of the
// functions that write them.
func TestPanel(t *testing.T) {
	tpl := synth(t, Dev)
	body := show(tpl[theOnly(t, tpl, "AWS::CloudWatch::Dashboard")].Properties["DashboardBody"])
	for id := range tpl.ofType("AWS::CloudWatch::Alarm") {
		if !strings.Contains(body, `"`+id+`"`) {
			t.Errorf("the alarm %s is not shown", id)
		}
	}
	for _, n := range obs.Names() {
		f := metrics[n.String()]
		if want := `\"` + obs.Namespace + `\",\"` + n.String() + `\",\"function\",\"` + string(f) + `\",\"stage\",\"dev\"`; f == "" || !strings.Contains(body, want) {
			t.Errorf("the metric %s of %q is not shown", n, f)
		}
	}
	if len(metrics) != len(obs.Names()) {
		t.Errorf("%d metrics are shown, and functions write %d", len(metrics), len(obs.Names()))
	}
}

// TestTracing has X-Ray record where that is asked for alone: it costs.
func TestTracing(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		var want any
		if stage == Dev {
			want = map[string]any{"Mode": "Active"}
		}
		tpl := synth(t, stage)
		for _, f := range topology.Functions() {
			check(t, string(f)+": traces", tpl[tpl.function(t, stage, f)].Properties["TracingConfig"], want)
		}
	}
}
