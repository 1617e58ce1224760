package stack

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulssi/pulssi/scripts/dev/signin"
	roleNames "github.com/pulssi/pulssi/shared/signin"
)

// client returns the logical id of a client of the user pool.
func (t template) client(tt *testing.T, stage Stage, name string) string {
	tt.Helper()
	return t.byName(tt, "AWS::Cognito::UserPoolClient", "ClientName", "pulssi-"+string(stage)+"-"+name)
}

// signinURL is the address of the sign-in's pages.
func signinURL(t *testing.T, stage Stage) any {
	t.Helper()
	domain := theOnly(t, synth(t, stage), "AWS::Cognito::UserPoolDomain")
	return join("https://", ref(domain), ".auth.eu-north-1.amazoncognito.com")
}

func TestUserPool(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		tpl := synth(t, stage)
		id := theOnly(t, tpl, "AWS::Cognito::UserPool")
		pool := tpl[id]
		var prefix any = "kauppa-pulssi"
		protection, deletion, mfa := "INACTIVE", "Delete", "OFF"
		var factors any
		if stage == Prod {
			prefix = join("pulssi-prod-", ref("AWS::AccountId"))
			protection, deletion, mfa = "ACTIVE", "Retain", "ON"
			factors = []string{"SOFTWARE_TOKEN_MFA"}
		}
		under := func(path string) any {
			if stage == Prod {
				return "https://answer.example.com" + path
			}
			return join("https://", arn(theOnly(t, tpl, "AWS::CloudFront::Distribution"), "DomainName"), path)
		}
		check(t, "the pool's deletion policy", pool.DeletionPolicy, deletion)
		const fi, sv, en = `<p lang="fi">Sinulle on avattu Pulssi. Käyttäjätunnus: {username}, väliaikainen salasana: {####}</p>`,
			`<p lang="sv">Du har fått tillgång till Pulssi. Användarnamn: {username}, tillfälligt lösenord: {####}</p>`,
			`<p lang="en">You have been given access to Pulssi. User name: {username}, temporary password: {####}</p>`
		invitation := sv + en // in dev the address is not known beforehand
		if stage == Prod {
			invitation = "<p>https://answer.example.com/dashboard</p>" + fi + sv + en
		}
		invitation = strings.NewReplacer("ä", "&#228;", "å", "&#229;", "ö", "&#246;").Replace(invitation)
		check(t, "the invitation", pool.Properties["AdminCreateUserConfig"].(map[string]any)["InviteMessageTemplate"], map[string]any{
			"EmailSubject": "Pulssi", "EmailMessage": invitation,
		})
		check(t, "who may join", pool.Properties["AdminCreateUserConfig"].(map[string]any)["AllowAdminCreateUserOnly"], true)
		for name, want := range map[string]any{
			"UserPoolName":           "pulssi-" + string(stage),
			"UserPoolTier":           "ESSENTIALS",
			"DeletionProtection":     protection,
			"UsernameAttributes":     []string{"email"},
			"UsernameConfiguration":  map[string]any{"CaseSensitive": false},
			"AutoVerifiedAttributes": []string{"email"},
			"UserAttributeUpdateSettings": map[string]any{
				"AttributesRequireVerificationBeforeUpdate": []string{"email"},
			},
			"Policies": map[string]any{"PasswordPolicy": map[string]any{
				"MinimumLength": 14, "RequireLowercase": true, "RequireUppercase": true, "RequireNumbers": true, "RequireSymbols": false,
				"TemporaryPasswordValidityDays": 7,
			}},
			"MfaConfiguration":       mfa,
			"EnabledMfas":            factors,
			"SmsConfiguration":       nil,
			"AccountRecoverySetting": map[string]any{"RecoveryMechanisms": []any{map[string]any{"Name": "verified_email", "Priority": 1}}},
		} {
			check(t, "the pool's "+name, pool.Properties[name], want)
		}
		domain := tpl[theOnly(t, tpl, "AWS::Cognito::UserPoolDomain")]
		check(t, "the pages", domain.Properties, map[string]any{"Domain": prefix, "UserPoolId": ref(id), "ManagedLoginVersion": 1})
		check(t, "the dashboard's client", tpl[tpl.client(t, stage, "dashboard")].Properties, map[string]any{
			"ClientName": "pulssi-" + string(stage) + "-dashboard", "UserPoolId": ref(id), "GenerateSecret": false,
			"AllowedOAuthFlowsUserPoolClient": true, "AllowedOAuthFlows": []string{"code"}, "AllowedOAuthScopes": []string{"openid", "email", "profile"},
			"CallbackURLs": []any{under("/dashboard/signin")}, "LogoutURLs": []any{under("/dashboard")},
			"SupportedIdentityProviders": []string{"COGNITO"}, "ExplicitAuthFlows": []string{"ALLOW_USER_SRP_AUTH"},
			"AccessTokenValidity": 60, "IdTokenValidity": 60, "RefreshTokenValidity": 30 * 24 * 60,
			"TokenValidityUnits":    map[string]any{"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "minutes"},
			"RefreshTokenRotation":  map[string]any{"Feature": "ENABLED", "RetryGracePeriodSeconds": 60},
			"EnableTokenRevocation": true, "PreventUserExistenceErrors": "ENABLED",
		})
	}
}

// TestRoles holds the groups and the scopes to the roles that tokens are read
// for, and to the scopes that the local stack asks for.
func TestRoles(t *testing.T) {
	tpl := synth(t, Dev)
	groups := tpl.ofType("AWS::Cognito::UserPoolGroup")
	wanted := []string{"openid"}
	var inOrder []any
	for _, r := range roleNames.Roles() {
		tpl.byName(t, "AWS::Cognito::UserPoolGroup", "GroupName", string(r))
		inOrder = append(inOrder, string(r))
		wanted = append(wanted, "pulssi/"+string(r))
	}
	if len(groups) != len(inOrder) {
		t.Errorf("%d groups for %d roles", len(groups), len(inOrder))
	}
	server := tpl[theOnly(t, tpl, "AWS::Cognito::UserPoolResourceServer")].Properties
	check(t, "the resource server", server["Identifier"], "pulssi")
	var names []any
	for _, s := range server["Scopes"].([]any) {
		names = append(names, s.(map[string]any)["ScopeName"])
	}
	check(t, "the scopes", names, inOrder)
	var asked []string
	for _, s := range *scopes() {
		asked = append(asked, *s)
	}
	if !slices.Equal(asked, wanted) || !slices.Equal(asked, signin.Scopes()) {
		t.Errorf("the gateway asks for %v, the local stack for %v, want %v", asked, signin.Scopes(), wanted)
	}
}

// TestPrograms has a client of programs only where it is asked for: it costs.
func TestPrograms(t *testing.T) {
	tpl := synth(t, Dev)
	server := theOnly(t, tpl, "AWS::Cognito::UserPoolResourceServer")
	id := tpl.client(t, Dev, "program")
	p := tpl[id].Properties
	for name, want := range map[string]any{
		"GenerateSecret": true, "AllowedOAuthFlows": []string{"client_credentials"}, "AccessTokenValidity": 60,
		"AllowedOAuthScopes": []any{join(ref(server), "/agent")}, "CallbackURLs": nil,
	} {
		check(t, "the client's "+name, p[name], want)
	}
	if clients := synth(t, Prod).ofType("AWS::Cognito::UserPoolClient"); len(clients) != 1 {
		t.Errorf("%d clients where there are no programs", len(clients))
	}
}

func TestAuthorizer(t *testing.T) {
	for _, stage := range []Stage{Dev, Prod} {
		tpl := synth(t, stage)
		audience := []any{ref(tpl.client(t, stage, "dashboard"))}
		if stage == Dev {
			audience = append(audience, ref(tpl.client(t, stage, "program")))
		}
		check(t, "the authorizer", tpl[theOnly(t, tpl, "AWS::ApiGatewayV2::Authorizer")].Properties, map[string]any{
			"ApiId": ref(theOnly(t, tpl, "AWS::ApiGatewayV2::Api")), "AuthorizerType": "JWT", "Name": "SignIn",
			"IdentitySource": []string{"$request.header.Authorization"},
			"JwtConfiguration": map[string]any{
				"Audience": audience, "Issuer": arn(theOnly(t, tpl, "AWS::Cognito::UserPool"), "ProviderURL"),
			},
		})
	}
}

func TestOutputsTellNoSecret(t *testing.T) {
	a, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	for stage, outputs := range a.outputs {
		names := "UserPoolId SigninUrl Url"
		if stage == Dev {
			names += " ProgramClientId"
		}
		for name := range strings.FieldsSeq(names) {
			if outputs[name].Value == nil {
				t.Errorf("%s: there is no output %s", stage, name)
			}
		}
		for name, o := range outputs {
			if v := show(o); strings.Contains(strings.ToLower(v), "secret") || strings.Contains(v, "secretsmanager") {
				t.Errorf("%s: the output %s is %s", stage, name, v)
			}
		}
	}
}
