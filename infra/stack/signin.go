package stack

import (
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2authorizers"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/pulssi/pulssi/shared/config"
)

// SignInProps are the properties of a [SignIn].
type SignInProps struct {
	Settings Settings
	Users    *Users
	// URL is where the dashboard is, to which the sign-in leads back.
	URL *string
}

// SignIn is how the dashboard's people sign in, and the API knows them.
type SignIn struct {
	Users *Users
	// Dashboard is the client that people sign in by; it has no secret.
	Dashboard awscognito.UserPoolClient
}

// NewSignIn makes the dashboard's client.
func NewSignIn(scope constructs.Construct, id string, props *SignInProps) *SignIn {
	this := constructs.NewConstruct(scope, &id)
	return &SignIn{props.Users, awscognito.NewUserPoolClient(this, jsii.String("Dashboard"), &awscognito.UserPoolClientProps{
		UserPool:           props.Users.Pool,
		UserPoolClientName: jsii.String(props.Settings.prefix() + "dashboard"),
		GenerateSecret:     jsii.Bool(false), // a page keeps none: it has PKCE
		OAuth: &awscognito.OAuthSettings{
			Flows:        &awscognito.OAuthFlows{AuthorizationCodeGrant: jsii.Bool(true)},
			Scopes:       &[]awscognito.OAuthScope{awscognito.OAuthScope_OPENID(), awscognito.OAuthScope_EMAIL(), awscognito.OAuthScope_PROFILE()},
			CallbackUrls: jsii.Strings(*props.URL + "/dashboard/signin"),
			LogoutUrls:   jsii.Strings(*props.URL + "/dashboard"),
		},
		SupportedIdentityProviders: &[]awscognito.UserPoolClientIdentityProvider{awscognito.UserPoolClientIdentityProvider_COGNITO()},
		// The pages sign in by SRP. Tokens are renewed at the token endpoint
		// alone, as each renewal gives another refresh token.
		AuthFlows:                       &awscognito.AuthFlow{UserSrp: jsii.Bool(true)},
		AccessTokenValidity:             awscdk.Duration_Hours(jsii.Number(1)),
		IdTokenValidity:                 awscdk.Duration_Hours(jsii.Number(1)),
		RefreshTokenValidity:            awscdk.Duration_Days(jsii.Number(30)),
		RefreshTokenRotationGracePeriod: awscdk.Duration_Seconds(jsii.Number(60)),
		EnableTokenRevocation:           jsii.Bool(true),
		PreventUserExistenceErrors:      jsii.Bool(true),
	})}
}

// Authorizer has the gateway verify the tokens of the pool's clients.
func (si *SignIn) Authorizer() awsapigatewayv2.IHttpRouteAuthorizer {
	audience := []*string{si.Dashboard.UserPoolClientId()}
	if si.Users.Program != nil {
		audience = append(audience, si.Users.Program.UserPoolClientId())
	}
	return awsapigatewayv2authorizers.NewHttpJwtAuthorizer(jsii.String("SignIn"), si.Users.Pool.UserPoolProviderUrl(), &awsapigatewayv2authorizers.HttpJwtAuthorizerProps{
		JwtAudience: &audience,
	})
}

// scopes are those of which a token must have one to be taken: an ID token has
// none, and thus is not taken in place of an access token.
func scopes() *[]*string {
	out := jsii.Strings("openid")
	for _, r := range roles {
		*out = append(*out, jsii.String(resourceServer+"/"+r.name))
	}
	return out
}

// Tell lets a function tell the dashboard where to sign in.
func (si *SignIn) Tell(f *Function) {
	f.Know(config.SigninURL, si.Users.URL)
	f.Know(config.SigninClient, si.Dashboard.UserPoolClientId())
}

// signinPrefix is the first part of the address of a pool's pages (Amazon
// Cognito API reference: CreateUserPoolDomain).
var signinPrefix = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)

// isSigninPrefix reports whether Cognito takes a prefix: it keeps the names of
// AWS to itself.
func isSigninPrefix(s string) bool {
	return signinPrefix.MatchString(s) && !strings.Contains(s, "aws") && !strings.Contains(s, "amazon") && !strings.Contains(s, "cognito")
}
