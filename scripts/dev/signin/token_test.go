package signin

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"
)

const issuer = "https://cognito-idp.eu-north-1.amazonaws.com/eu-north-1_Example"

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

type claims = map[string]any

// signed returns a token with a signature made by sign over what it is of.
func signed(t *testing.T, alg string, body claims, sign func([]byte) []byte) string {
	t.Helper()
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	input := part(claims{"alg": alg, "kid": "k1", "typ": "JWT"}) + "." + part(body)
	return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
}

func rs256(t *testing.T, key *rsa.PrivateKey) func([]byte) []byte {
	return func(input []byte) []byte {
		sum := sha256.Sum256(input)
		s, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// access returns the claims of an access token as Cognito has them, changed;
// a claim that is changed to nil is left out.
func access(changed claims) claims {
	out := claims{
		"iss": issuer, "sub": "u1", "client_id": "dashboard", "token_use": "access", "scope": "openid email profile",
		"username": "u1", "cognito:groups": []string{"viewer", "touchpoint:shop-nps"},
		"iat": now.Unix() - 60, "exp": now.Unix() + 3540,
	}
	maps.Copy(out, changed)
	maps.DeleteFunc(out, func(_ string, v any) bool { return v == nil })
	return out
}

func TestTokens(t *testing.T) {
	key := newKey(t)
	v := NewVerifier(issuer, &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{key.Public()}}, []string{"dashboard", "program"}, func() time.Time { return now })
	of := func(changed claims) string { return signed(t, "RS256", access(changed), rs256(t, key)) }
	whole := of(nil)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		token string
		ok    bool
	}{
		{"an access token", whole, true},
		{"of a program", of(claims{"sub": "program", "client_id": "program", "scope": "pulssi/agent", "cognito:groups": nil, "username": nil}), true},
		{"that names its audience", of(claims{"aud": "dashboard"}), true},
		{"of several audiences", of(claims{"aud": []string{"x", "program"}}), true},
		{"in its last second", of(claims{"exp": now.Unix() + 1}), true},

		{"signed by another", signed(t, "RS256", access(nil), rs256(t, newKey(t))), false},
		{"whose signature is another's", whole[:strings.LastIndex(whole, ".")] + of(claims{"sub": "u2"})[strings.LastIndex(of(claims{"sub": "u2"}), "."):], false},
		{"without a signature", signed(t, "none", access(nil), func([]byte) []byte { return nil }), false},
		{"whose signature was cut off", whole[:strings.LastIndex(whole, ".")+1], false},
		{"signed with the public key as a secret", signed(t, "HS256", access(nil), func(input []byte) []byte {
			mac := hmac.New(sha256.New, public)
			mac.Write(input)
			return mac.Sum(nil)
		}), false},
		{"that is over", of(claims{"exp": now.Unix() - 1}), false},
		{"without an end", of(claims{"exp": nil}), false},
		{"that has not begun", of(claims{"nbf": now.Add(time.Hour).Unix()}), false},
		{"of another issuer", of(claims{"iss": issuer + "2"}), false},
		{"of no issuer", of(claims{"iss": nil}), false},
		{"of another client", of(claims{"client_id": "other"}), false},
		{"of no client", of(claims{"client_id": nil}), false},
		{"for another audience", of(claims{"aud": "other"}), false},
		{"that is an ID token", of(claims{"aud": "dashboard", "token_use": "id", "client_id": nil, "scope": nil}), false},
		{"with another's scopes", of(claims{"scope": "other/admin aws.cognito.signin.user.admin"}), false},
		{"that is no token", "a.b.c", false},
		{"that is nothing", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, scheme := range []string{"Bearer ", ""} {
				r := httptest.NewRequest(http.MethodGet, "/api/touchpoints", nil)
				r.Header.Set("Authorization", scheme+tt.token)
				got, err := v.Authorize(r)
				if (err == nil) != tt.ok || (got != nil) != tt.ok {
					t.Errorf("%q: %v, %v", scheme, got, err)
				}
			}
		})
	}
	if _, err := v.Authorize(httptest.NewRequest(http.MethodGet, "/", nil)); err == nil {
		t.Error("no header is enough")
	}
}

// TestClaims has them as the gateway passes them on.
func TestClaims(t *testing.T) {
	key := newKey(t)
	v := NewVerifier(issuer, &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{key.Public()}}, []string{"dashboard"}, func() time.Time { return now })
	token := signed(t, "RS256", access(claims{"event": claims{"a": 1}, "auth_time": 1795262340, "verified": true, "none": []string{}}), rs256(t, key))
	got, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"iss": issuer, "sub": "u1", "client_id": "dashboard", "token_use": "access", "scope": "openid email profile", "username": "u1",
		"cognito:groups": "[viewer touchpoint:shop-nps]", "iat": "1795262340", "exp": "1795265940",
		"event": `{"a":1}`, "auth_time": "1795262340", "verified": "true", "none": "[]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
