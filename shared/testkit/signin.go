package testkit

import (
	"strings"

	"github.com/pulssi/pulssi/shared/apigw"
)

// SignedIn returns r as the gateway passes it on when somebody in those groups
// has signed in; without groups, somebody in none.
func SignedIn(r apigw.Request, groups ...string) apigw.Request {
	claims := map[string]string{"sub": "00000000-0000-4000-8000-000000000001"}
	if len(groups) > 0 {
		claims["cognito:groups"] = "[" + strings.Join(groups, " ") + "]"
	}
	r.RequestContext.Authorizer.JWT.Claims = claims
	return r
}
