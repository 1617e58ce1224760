package stack

import (
	"fmt"
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
	// URL is where the dashboard is: the public address, or the gateway's own,
	// to which the sign-in leads back.
	URL *string
}

// SignIn is who may use the API: people, by the pages of a user pool, and
// programs where the settings have them.
type SignIn struct {
	Pool awscognito.UserPool
	// Dashboard is the client that people sign in by; it has no secret.
	Dashboard awscognito.UserPoolClient
	// Program is the client of programs; nil for none.
	Program awscognito.UserPoolClient
	// URL is the address of the pages, below which the endpoints are too.
	URL *string
}

// resourceServer is what the scopes of programs begin with: pulssi/agent.
const resourceServer = "pulssi"

// roles are the groups of the pool and the scopes of programs, the least first,
// with what they may do; package signin reads them from a token.
var roles = []struct{ name, about string }{
	{"viewer", "Reads scores and comments"},
	{"agent", "Works with contacts, events, marks and shared views too"},
	{"admin", "Changes touchpoints and deletes contacts too"},
}

// NewSignIn makes a user pool that nobody can join by themselves, its pages,
// and its clients. The pool is of the plan Lite, which has all of this: groups
// in tokens, one-time passwords and the pages.
func NewSignIn(scope constructs.Construct, id string, props *SignInProps) *SignIn {
	this := constructs.NewConstruct(scope, &id)
	s := props.Settings
	removal := awscdk.RemovalPolicy_DESTROY
	if s.Stage == Prod {
		removal = awscdk.RemovalPolicy_RETAIN
	}
	pool := awscognito.NewUserPool(this, jsii.String("Pool"), &awscognito.UserPoolProps{
		UserPoolName:        jsii.String(strings.TrimSuffix(s.prefix(), "-")),
		FeaturePlan:         awscognito.FeaturePlan_LITE,
		SelfSignUpEnabled:   jsii.Bool(false),
		SignInAliases:       &awscognito.SignInAliases{Email: jsii.Bool(true)},
		SignInCaseSensitive: jsii.Bool(false),
		AutoVerify:          &awscognito.AutoVerifiedAttrs{Email: jsii.Bool(true)},
		// A new address counts once it is known to be theirs.
		KeepOriginal: &awscognito.KeepOriginalAttrs{Email: jsii.Bool(true)},
		StandardAttributes: &awscognito.StandardAttributes{
			Email: &awscognito.StandardAttribute{Required: jsii.Bool(true), Mutable: jsii.Bool(true)},
		},
		// Length is what makes a password strong (NIST SP 800-63B).
		PasswordPolicy: &awscognito.PasswordPolicy{
			MinLength: jsii.Number(14), RequireLowercase: jsii.Bool(true), RequireUppercase: jsii.Bool(true),
			RequireDigits: jsii.Bool(true), RequireSymbols: jsii.Bool(false), TempPasswordValidity: awscdk.Duration_Days(jsii.Number(7)),
		},
		Mfa:             awscognito.Mfa_OPTIONAL,
		MfaSecondFactor: &awscognito.MfaSecondFactor{Otp: jsii.Bool(true), Sms: jsii.Bool(false)},
		AccountRecovery: awscognito.AccountRecovery_EMAIL_ONLY,
		UserInvitation: &awscognito.UserInvitationConfig{
			EmailSubject: jsii.String("Pulssi"),
			EmailBody: jsii.String(fmt.Sprintf(`<p>%[1]s/dashboard</p>`+
				`<p lang="fi">Sinulle on avattu Pulssi. Käyttäjätunnus: {username}, väliaikainen salasana: {####}</p>`+
				`<p lang="sv">Du har fått tillgång till Pulssi. Användarnamn: {username}, tillfälligt lösenord: {####}</p>`+
				`<p lang="en">You have been given access to Pulssi. User name: {username}, temporary password: {####}</p>`, *props.URL)),
		},
		DeletionProtection: jsii.Bool(s.Stage == Prod),
		RemovalPolicy:      removal,
	})
	for i, r := range roles {
		pool.AddGroup(jsii.String("Group-"+r.name), &awscognito.UserPoolGroupOptions{
			GroupName: jsii.String(r.name), Description: jsii.String(r.about), Precedence: jsii.Number(len(roles) - i),
		})
	}
	prefix := s.SigninPrefix
	if prefix == "" {
		prefix = s.prefix() + *awscdk.Stack_Of(this).Account() // the world shares the names
	}
	domain := pool.AddDomain(jsii.String("Domain"), &awscognito.UserPoolDomainOptions{
		CognitoDomain: &awscognito.CognitoDomainOptions{DomainPrefix: &prefix},
	})
	out := &SignIn{Pool: pool, URL: domain.BaseUrl(nil)}
	out.Dashboard = pool.AddClient(jsii.String("Dashboard"), &awscognito.UserPoolClientOptions{
		UserPoolClientName: jsii.String(s.prefix() + "dashboard"),
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
	})
	out.programs(s)
	return out
}

// programs makes the scopes of programs, and where the settings say so a client
// with a secret, which may do what agents do. It is not there by itself: a
// client of programs costs six dollars a month, asked for tokens or not (Amazon
// Cognito pricing, machine to machine).
func (si *SignIn) programs(s Settings) {
	var scopes []awscognito.ResourceServerScope
	var granted awscognito.ResourceServerScope
	for _, r := range roles {
		scope := awscognito.NewResourceServerScope(&awscognito.ResourceServerScopeProps{
			ScopeName: jsii.String(r.name), ScopeDescription: jsii.String(r.about),
		})
		scopes = append(scopes, scope)
		if r.name == "agent" {
			granted = scope
		}
	}
	server := si.Pool.AddResourceServer(jsii.String("Scopes"), &awscognito.UserPoolResourceServerOptions{
		Identifier: jsii.String(resourceServer), Scopes: &scopes,
	})
	if s.Programs != "true" {
		return
	}
	si.Program = si.Pool.AddClient(jsii.String("Program"), &awscognito.UserPoolClientOptions{
		UserPoolClientName: jsii.String(s.prefix() + "program"),
		GenerateSecret:     jsii.Bool(true),
		OAuth: &awscognito.OAuthSettings{
			Flows:  &awscognito.OAuthFlows{ClientCredentials: jsii.Bool(true)},
			Scopes: &[]awscognito.OAuthScope{awscognito.OAuthScope_ResourceServer(server, granted)},
		},
		AccessTokenValidity:        awscdk.Duration_Hours(jsii.Number(1)),
		PreventUserExistenceErrors: jsii.Bool(true),
	})
}

// Authorizer has the gateway verify the tokens of the pool's clients.
func (si *SignIn) Authorizer() awsapigatewayv2.IHttpRouteAuthorizer {
	audience := []*string{si.Dashboard.UserPoolClientId()}
	if si.Program != nil {
		audience = append(audience, si.Program.UserPoolClientId())
	}
	return awsapigatewayv2authorizers.NewHttpJwtAuthorizer(jsii.String("SignIn"), si.Pool.UserPoolProviderUrl(), &awsapigatewayv2authorizers.HttpJwtAuthorizerProps{
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
	f.Know(config.SigninURL, si.URL)
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
