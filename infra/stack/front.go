package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfrontorigins"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/config"
)

// FrontProps are the properties of a [Front].
type FrontProps struct {
	Settings Settings
	API      *API
	Key      awssecretsmanager.ISecret // which the API asks for
	Firewall *Firewall
}

// Front is the one address of everything: the files from a bucket, all else from
// the API, which takes no request that did not come this way.
type Front struct {
	Distribution awscloudfront.Distribution
	// Files is the bucket of what is the same for everybody: the popup and what
	// the dashboard loads.
	Files awss3.Bucket
	URL   *string
}

// The paths whose files are in the bucket; package web has the files.
var filePaths = []string{"/pulssi*", "/dashboard/assets/*"}

// configPath is that of what popups are told, which is the same for everybody,
// for as long as its Cache-Control says.
const configPath = "/w/*"

// NewFront makes the distribution. It has no access log: that would be of
// people's addresses.
func NewFront(scope constructs.Construct, id string, props *FrontProps) *Front {
	this := constructs.NewConstruct(scope, &id)
	s := props.Settings
	f := &Front{Files: awss3.NewBucket(this, jsii.String("Files"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		// What is in it is written anew by the next deployment, but for what
		// pages have open that were loaded before the last one. CloudFormation
		// does not empty it, and could not take it back where it is filled.
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})}
	st := awscdk.Stack_Of(this)
	api := awscloudfrontorigins.NewHttpOrigin(
		jsii.String(*props.API.API.ApiId()+".execute-api."+*st.Region()+"."+*st.UrlSuffix()),
		&awscloudfrontorigins.HttpOriginProps{
			ProtocolPolicy:     awscloudfront.OriginProtocolPolicy_HTTPS_ONLY,
			OriginSslProtocols: &[]awscloudfront.OriginSslPolicy{awscloudfront.OriginSslPolicy_TLS_V1_2},
			// CloudFormation fills it in: it is in no template.
			CustomHeaders: &map[string]*string{config.FrontHeader: frontKey(props.Key)},
		})
	headers := f.headers(this, s)
	p := &awscloudfront.DistributionProps{
		Comment: jsii.String(s.name()),
		// Europe and North America, the cheapest; others are served from there.
		PriceClass:     awscloudfront.PriceClass_PRICE_CLASS_100,
		HttpVersion:    awscloudfront.HttpVersion_HTTP2_AND_3,
		WebAclId:       props.Firewall.ACL.AttrArn(),
		EnableLogging:  jsii.Bool(false),
		ErrorResponses: uncached(),
		DefaultBehavior: &awscloudfront.BehaviorOptions{
			Origin:                api,
			AllowedMethods:        awscloudfront.AllowedMethods_ALLOW_ALL(),
			CachePolicy:           awscloudfront.CachePolicy_CACHING_DISABLED(),
			OriginRequestPolicy:   everythingBut(this, s),
			ResponseHeadersPolicy: headers,
			ViewerProtocolPolicy:  awscloudfront.ViewerProtocolPolicy_REDIRECT_TO_HTTPS,
		},
		AdditionalBehaviors: &map[string]*awscloudfront.BehaviorOptions{
			configPath: {
				Origin: api,
				CachePolicy: awscloudfront.NewCachePolicy(this, jsii.String("Config"), &awscloudfront.CachePolicyProps{
					CachePolicyName: jsii.String(s.prefix() + "config"),
					Comment:         jsii.String("As Cache-Control says, for a minute at most"),
					MinTtl:          awscdk.Duration_Seconds(jsii.Number(0)), DefaultTtl: awscdk.Duration_Seconds(jsii.Number(0)),
					MaxTtl: awscdk.Duration_Minutes(jsii.Number(1)),
					// What a popup is told depends on these, as a test of package vote
					// has it.
					QueryStringBehavior:      awscloudfront.CacheQueryStringBehavior_AllowList(jsii.String("part"), jsii.String("locale")),
					HeaderBehavior:           awscloudfront.CacheHeaderBehavior_AllowList(jsii.String("origin")),
					EnableAcceptEncodingGzip: jsii.Bool(true), EnableAcceptEncodingBrotli: jsii.Bool(true),
				}),
				ResponseHeadersPolicy: headers,
				ViewerProtocolPolicy:  awscloudfront.ViewerProtocolPolicy_REDIRECT_TO_HTTPS,
			},
		},
	}
	files := awscloudfrontorigins.S3BucketOrigin_WithOriginAccessControl(f.Files, nil)
	for _, path := range filePaths {
		(*p.AdditionalBehaviors)[path] = &awscloudfront.BehaviorOptions{
			Origin:                files,
			CachePolicy:           awscloudfront.CachePolicy_CACHING_OPTIMIZED(), // as long as Cache-Control says
			Compress:              jsii.Bool(true),
			ResponseHeadersPolicy: f.fileHeaders(this, s, path),
			ViewerProtocolPolicy:  awscloudfront.ViewerProtocolPolicy_REDIRECT_TO_HTTPS,
		}
	}
	if s.Domain != "" {
		p.DomainNames = jsii.Strings(s.Domain)
		p.Certificate = awscertificatemanager.Certificate_FromCertificateArn(this, jsii.String("Certificate"), &s.Certificate)
		p.MinimumProtocolVersion = awscloudfront.SecurityPolicyProtocol_TLS_V1_2_2021
	}
	f.Distribution = awscloudfront.NewDistribution(this, jsii.String("Distribution"), p)
	f.URL = jsii.String("https://" + *f.Distribution.DistributionDomainName())
	if s.Domain != "" {
		f.URL = jsii.String("https://" + s.Domain)
		output(st, "Dns", jsii.String(s.Domain+" CNAME "+*f.Distribution.DistributionDomainName()))
	}
	return f
}

// everythingBut hands everything on but cookies, which come along from a company's
// website and of which the gateway takes few, and the host, by which it tells one
// API from another.
func everythingBut(scope constructs.Construct, s Settings) awscloudfront.IOriginRequestPolicy {
	return awscloudfront.NewOriginRequestPolicy(scope, jsii.String("Requests"), &awscloudfront.OriginRequestPolicyProps{
		OriginRequestPolicyName: jsii.String(s.prefix() + "requests"),
		CookieBehavior:          awscloudfront.OriginRequestCookieBehavior_None(),
		HeaderBehavior:          awscloudfront.OriginRequestHeaderBehavior_DenyList(jsii.String("host")),
		QueryStringBehavior:     awscloudfront.OriginRequestQueryStringBehavior_All(),
	})
}

// uncached has CloudFront keep no error: it would for ten seconds, and tell one
// person what another was told (Amazon CloudFront Developer Guide: How CloudFront
// caches HTTP 4xx and 5xx status codes from your origin).
func uncached() *[]*awscloudfront.ErrorResponse {
	var out []*awscloudfront.ErrorResponse
	for _, status := range []float64{400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504} {
		out = append(out, &awscloudfront.ErrorResponse{HttpStatus: &status, Ttl: awscdk.Duration_Seconds(jsii.Number(0))})
	}
	return &out
}

// frontKey is where CloudFormation puts the key.
func frontKey(key awssecretsmanager.ISecret) *string { return key.SecretValue().UnsafeUnwrap() }

// security is what every answer says of itself where the functions do not say it
// more strictly.
func security() *awscloudfront.ResponseSecurityHeadersBehavior {
	return &awscloudfront.ResponseSecurityHeadersBehavior{
		ContentTypeOptions: &awscloudfront.ResponseHeadersContentTypeOptions{Override: jsii.Bool(true)},
		ReferrerPolicy: &awscloudfront.ResponseHeadersReferrerPolicy{
			ReferrerPolicy: awscloudfront.HeadersReferrerPolicy_STRICT_ORIGIN_WHEN_CROSS_ORIGIN, Override: jsii.Bool(false),
		},
		StrictTransportSecurity: &awscloudfront.ResponseHeadersStrictTransportSecurity{
			AccessControlMaxAge: awscdk.Duration_Days(jsii.Number(365)), Override: jsii.Bool(true),
		},
	}
}

func (f *Front) headers(scope constructs.Construct, s Settings) awscloudfront.IResponseHeadersPolicy {
	return awscloudfront.NewResponseHeadersPolicy(scope, jsii.String("Headers"), &awscloudfront.ResponseHeadersPolicyProps{
		ResponseHeadersPolicyName: jsii.String(s.prefix() + "pages"),
		SecurityHeadersBehavior:   security(),
	})
}

// fileHeaders are those of the files of a path. Pages of every origin may load
// the popup, as package vote lets them.
func (f *Front) fileHeaders(scope constructs.Construct, s Settings, path string) awscloudfront.IResponseHeadersPolicy {
	if path != filePaths[0] {
		return awscloudfront.NewResponseHeadersPolicy(scope, jsii.String("AssetHeaders"), &awscloudfront.ResponseHeadersPolicyProps{
			ResponseHeadersPolicyName: jsii.String(s.prefix() + "assets"),
			SecurityHeadersBehavior:   security(),
		})
	}
	return awscloudfront.NewResponseHeadersPolicy(scope, jsii.String("PopupHeaders"), &awscloudfront.ResponseHeadersPolicyProps{
		ResponseHeadersPolicyName: jsii.String(s.prefix() + "popup"),
		SecurityHeadersBehavior:   security(),
		// CloudFront takes these by their own name alone.
		CorsBehavior: &awscloudfront.ResponseHeadersCorsBehavior{
			AccessControlAllowCredentials: jsii.Bool(false), AccessControlAllowOrigins: jsii.Strings("*"),
			AccessControlAllowMethods: jsii.Strings("GET", "HEAD"), AccessControlAllowHeaders: jsii.Strings("*"), OriginOverride: jsii.Bool(true),
		},
		CustomHeadersBehavior: &awscloudfront.ResponseCustomHeadersBehavior{CustomHeaders: &[]*awscloudfront.ResponseCustomHeader{
			{Header: jsii.String("cross-origin-resource-policy"), Value: jsii.String("cross-origin"), Override: jsii.Bool(true)},
		}},
	})
}

// Fill has a function write the files into the bucket when they are another
// version than before. CloudFormation waits for it, and takes the deployment
// back where it fails. It returns what stands for the files being there.
func (f *Front) Fill(fn *Function, version string) constructs.IDependable {
	var under []*string
	for _, path := range filePaths {
		under = append(under, jsii.String(*f.Files.BucketArn()+path))
	}
	fn.Allow(jsii.Strings("s3:GetObject", "s3:PutObject"), &under)
	written := awscdk.NewCustomResource(f.Files, jsii.String("Written"), &awscdk.CustomResourceProps{
		ServiceToken:   fn.Function.FunctionArn(),
		ResourceType:   jsii.String("Custom::Files"),
		ServiceTimeout: awscdk.Duration_Minutes(jsii.Number(5)), // of a function that cannot even start
		Properties:     &map[string]any{"Bucket": f.Files.BucketName(), "Version": version},
	})
	written.Node().AddDependency(fn.Role)
	return written
}
