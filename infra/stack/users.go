package stack

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// UsersProps are the properties of [Users].
type UsersProps struct {
	Settings Settings
}

// Users is who may sign in: people, and programs where the settings have them.
type Users struct {
	Pool awscognito.UserPool
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
	{"admin", "Changes touchpoints, deletes contacts and reads the audit log too"},
}

// invitations is what those who may sign in are written, by locale.
var invitations = map[string]string{
	"fi": "Sinulle on avattu Pulssi. Käyttäjätunnus: {username}, väliaikainen salasana: {####}",
	"sv": "Du har fått tillgång till Pulssi. Användarnamn: {username}, tillfälligt lösenord: {####}",
	"en": "You have been given access to Pulssi. User name: {username}, temporary password: {####}",
}

// NewUsers makes a user pool that nobody can join by themselves, with its pages.
// The pool is of the plan Essentials, the least that has rotating refresh tokens;
// 10,000 people a month cost nothing. In Prod everybody sets up one-time passwords
// at the first sign-in: the pages offer that to nobody who may go without.
func NewUsers(scope constructs.Construct, id string, props *UsersProps) *Users {
	this := constructs.NewConstruct(scope, &id)
	s := props.Settings
	mfa, second := awscognito.Mfa_OFF, (*awscognito.MfaSecondFactor)(nil)
	removal := awscdk.RemovalPolicy_DESTROY
	if s.Stage == Prod {
		removal = kept(true) // people could be added again, but not their passwords
		mfa, second = awscognito.Mfa_REQUIRED, &awscognito.MfaSecondFactor{Otp: jsii.Bool(true), Sms: jsii.Bool(false)}
	}
	pool := awscognito.NewUserPool(this, jsii.String("Pool"), &awscognito.UserPoolProps{
		UserPoolName:        jsii.String(s.name()),
		FeaturePlan:         awscognito.FeaturePlan_ESSENTIALS,
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
		Mfa:             mfa,
		MfaSecondFactor: second,
		AccountRecovery: awscognito.AccountRecovery_EMAIL_ONLY,
		UserInvitation: &awscognito.UserInvitationConfig{
			EmailSubject: jsii.String("Pulssi"),
			EmailBody:    jsii.String(invitation(s)),
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
		// The firewall stands before these pages, and not before the newer ones.
		ManagedLoginVersion: awscognito.ManagedLoginVersion_CLASSIC_HOSTED_UI,
	})
	out := &Users{Pool: pool, URL: domain.BaseUrl(nil)}
	out.programs(s)
	st := awscdk.Stack_Of(this)
	// What one needs to add people, and for a program to ask for a token. Its
	// secret is told by the console alone.
	output(st, "UserPoolId", pool.UserPoolId())
	output(st, "SigninUrl", out.URL)
	if out.Program != nil {
		output(st, "ProgramClientId", out.Program.UserPoolClientId())
	}
	return out
}

// invitation is what somebody is written who may sign in, with where, where that
// is known beforehand: CloudFront's own name is not.
func invitation(s Settings) string {
	var out strings.Builder
	if s.Domain != "" {
		fmt.Fprintf(&out, "<p>https://%s/dashboard</p>", s.Domain)
	}
	for _, l := range s.Locales {
		fmt.Fprintf(&out, `<p lang="%s">%s</p>`, l, ascii(invitations[l]))
	}
	return out.String()
}

// ascii writes letters that are not ASCII as HTML has them. CloudFormation gives a
// template back with question marks for them, and an import into the stack would
// take that for a change.
func ascii(text string) string {
	var out strings.Builder
	for _, r := range text {
		if r < utf8.RuneSelf {
			out.WriteRune(r)
		} else {
			fmt.Fprintf(&out, "&#%d;", r)
		}
	}
	return out.String()
}

// programs makes the scopes of programs, and where the settings say so a client
// with a secret, which may do what agents do. It is not there by itself: a
// client of programs costs six dollars a month, asked for tokens or not (Amazon
// Cognito pricing, machine to machine).
func (u *Users) programs(s Settings) {
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
	server := u.Pool.AddResourceServer(jsii.String("Scopes"), &awscognito.UserPoolResourceServerOptions{
		Identifier: jsii.String(resourceServer), Scopes: &scopes,
	})
	if s.Programs != "true" {
		return
	}
	u.Program = u.Pool.AddClient(jsii.String("Program"), &awscognito.UserPoolClientOptions{
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
