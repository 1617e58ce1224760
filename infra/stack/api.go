package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/topology"
)

// APIProps are the properties of an [API].
type APIProps struct {
	Settings Settings
}

// API is the HTTP API in front of the functions.
type API struct {
	API awsapigatewayv2.HttpApi
	// Functions are those that answer, in the order of their routes.
	Functions []topology.Function
}

// NewAPI makes an HTTP API, without routes yet.
func NewAPI(scope constructs.Construct, id string, props *APIProps) *API {
	this := constructs.NewConstruct(scope, &id)
	api := awsapigatewayv2.NewHttpApi(this, jsii.String("Api"), &awsapigatewayv2.HttpApiProps{
		ApiName:            jsii.String(props.Settings.name()),
		CreateDefaultStage: jsii.Bool(false),
	})
	access := awslogs.NewLogGroup(this, jsii.String("AccessLog"), &awslogs.LogGroupProps{
		LogGroupName:  jsii.String("/pulssi/" + string(props.Settings.Stage) + "/access"),
		Retention:     awslogs.RetentionDays_ONE_MONTH,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY, // see the functions' logs
	})
	stage := awsapigatewayv2.NewHttpStage(this, jsii.String("Stage"), &awsapigatewayv2.HttpStageProps{
		HttpApi:    api,
		StageName:  jsii.String("$default"),
		AutoDeploy: jsii.Bool(true),
		// A flood costs money and nothing else: this is a hundred times what a
		// mailing of a million brings.
		Throttle: &awsapigatewayv2.ThrottleSettings{RateLimit: jsii.Number(2000), BurstLimit: jsii.Number(2000)},
	})
	// Ids only: no address, no browser, no query. All are texts, because the
	// gateway writes a bare - for what it does not know.
	stage.Node().DefaultChild().(awsapigatewayv2.CfnStage).SetAccessLogSettings(&awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
		DestinationArn: access.LogGroupArn(),
		Format:         jsii.String(`{"id":"$context.requestId","route":"$context.routeKey","status":"$context.status","ms":"$context.responseLatency"}`),
	})
	return &API{API: api}
}

// Serve adds exactly those routes, in payload format 2.0. Those for people and
// programs that have signed in are answered to nobody else.
func (a *API) Serve(routes []topology.Route, functions map[topology.Function]*Function, who *SignIn) {
	authorizer := who.Authorizer()
	integrations := map[topology.Function]awsapigatewayv2integrations.HttpLambdaIntegration{}
	for _, r := range routes {
		if integrations[r.Function] == nil {
			integrations[r.Function] = awsapigatewayv2integrations.NewHttpLambdaIntegration(
				jsii.String(string(r.Function)), functions[r.Function].Function,
				&awsapigatewayv2integrations.HttpLambdaIntegrationProps{
					PayloadFormatVersion: awsapigatewayv2.PayloadFormatVersion_VERSION_2_0(),
					// One permission for all routes: a function's policy has room for
					// fewer than these (AWS Lambda quotas: 20 KB).
					ScopePermissionToRoute: jsii.Bool(false),
				})
			a.Functions = append(a.Functions, r.Function)
		}
		options := &awsapigatewayv2.AddRoutesOptions{
			Path:        jsii.String(r.Path),
			Methods:     &[]awsapigatewayv2.HttpMethod{awsapigatewayv2.HttpMethod(r.Method)},
			Integration: integrations[r.Function],
		}
		if r.SignedIn() {
			options.Authorizer, options.AuthorizationScopes = authorizer, scopes()
		}
		a.API.AddRoutes(options)
	}
}
