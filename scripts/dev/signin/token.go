package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// Scopes are those of which a token must have one: access tokens of people have
// the first, programs one of the others. An ID token has none.
func Scopes() []string { return []string{"openid", "pulssi/viewer", "pulssi/agent", "pulssi/admin"} }

// Verifier verifies tokens as a JWT authorizer of an HTTP API does (Amazon API
// Gateway Developer Guide: control access to HTTP APIs with JWT authorizers):
// signed with RS256 by a key of the issuer, for one of the clients, begun and
// not over, and with one of [Scopes]. It is safe for concurrent use.
type Verifier struct {
	tokens  *oidc.IDTokenVerifier
	clients []string
}

// NewVerifier returns a verifier of the tokens of an issuer for some clients.
func NewVerifier(issuer string, keys oidc.KeySet, clients []string, now func() time.Time) *Verifier {
	return &Verifier{oidc.NewVerifier(issuer, keys, &oidc.Config{
		SupportedSigningAlgs: []string{oidc.RS256},
		SkipClientIDCheck:    true, // which may be in client_id instead
		Now:                  now,
	}), clients}
}

// Authorize returns the claims of the token that a request has in its
// Authorization header, after "Bearer" or alone. It is a local.Authorizer. The
// error says why the token is not taken, and nothing of what is in it.
func (v *Verifier) Authorize(r *http.Request) (map[string]string, error) {
	header := r.Header.Get("Authorization")
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		token = header
	}
	if token == "" {
		return nil, errors.New("there is no token")
	}
	return v.Verify(r.Context(), token)
}

// Verify returns the claims of a token, see [Verifier.Authorize].
func (v *Verifier) Verify(ctx context.Context, token string) (map[string]string, error) {
	t, err := v.tokens.Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	var raw map[string]json.RawMessage
	if err := t.Claims(&raw); err != nil {
		return nil, err
	}
	claims := make(map[string]string, len(raw))
	for name, value := range raw {
		claims[name] = flat(value)
	}
	audience := t.Audience
	if len(audience) == 0 {
		audience = []string{claims["client_id"]}
	}
	if !slices.ContainsFunc(audience, func(a string) bool { return slices.Contains(v.clients, a) }) {
		return nil, errors.New("the token is for another client")
	}
	if !slices.ContainsFunc(strings.Fields(claims["scope"]), func(s string) bool { return slices.Contains(Scopes(), s) }) {
		return nil, fmt.Errorf("the token has none of the scopes %s", strings.Join(Scopes(), ", "))
	}
	return claims, nil
}

// flat returns a claim as the gateway passes it on: a text as it is, a list as
// "[a b]", all else as JSON writes it.
func flat(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil || list == nil {
		return string(value)
	}
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = flat(v)
	}
	return "[" + strings.Join(parts, " ") + "]"
}
