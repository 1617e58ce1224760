// Package signin says who a signed-in person or program is, and what it may
// see: what the gateway's JWT authorizer found in a verified token, in the
// domain's words. It is pure.
package signin

import (
	"net/url"
	"slices"
	"strings"

	"github.com/pulssi/pulssi/shared/survey"
)

// Role is what somebody may do. Each may do what the ones before it may.
type Role string

// The roles. They are groups of the user pool under these names; a program's
// token has them as scopes, "pulssi/agent".
const (
	// Nobody is signed in and in no group.
	Nobody Role = ""
	// Viewer reads scores and comments, perhaps of some touchpoints or
	// segments alone.
	Viewer Role = "viewer"
	// Agent works with contacts too, tells of events, marks the timeline and
	// shares views.
	Agent Role = "agent"
	// Admin changes touchpoints too, and deletes contacts.
	Admin Role = "admin"
)

// Roles lists the roles, the least first.
func Roles() []Role { return []Role{Viewer, Agent, Admin} }

// Names of groups and scopes.
const (
	touchpointGroup = "touchpoint:" // followed by a touchpoint's id
	segmentGroup    = "segment:"    // followed by a segment, percent-encoded as in a URL's path
	scopePrefix     = "pulssi/"     // of a program's scopes, the resource server's name
)

// Who is somebody who has signed in. The zero Who may do nothing.
type Who struct {
	// ID is the subject of the token: a user's or a program's id. It is no name
	// and no address.
	ID   string
	Role Role
	// Limited is whether only Touchpoints and Segments are to be seen: for
	// viewers alone.
	Limited bool
	// Touchpoints are those to be seen, sorted; all where there are none and
	// there are segments.
	Touchpoints []string
	// Segments are those whose answers are to be seen, sorted; all answers
	// where there are none and there are touchpoints.
	Segments []string
}

// FromClaims reads the claims of a verified token as the gateway passes them
// on: all as texts, a list in brackets with spaces between ("[viewer
// touchpoint:shop-nps]"). Of several roles the greatest counts. A viewer in a
// group touchpoint:… or segment:… is limited to those; where such a group
// names nothing that could exist, nothing is to be seen, rather than all.
func FromClaims(claims map[string]string) Who {
	w := Who{ID: claims["sub"]}
	for _, s := range strings.Fields(claims["scope"]) {
		if name, ok := strings.CutPrefix(s, scopePrefix); ok {
			w.raise(Role(name))
		}
	}
	for _, g := range strings.Fields(strings.Trim(claims["cognito:groups"], "[]")) {
		w.raise(Role(g))
		if id, ok := strings.CutPrefix(g, touchpointGroup); ok {
			w.Limited = true
			w.Touchpoints = append(w.Touchpoints, id)
		}
		if s, ok := strings.CutPrefix(g, segmentGroup); ok {
			w.Limited = true
			if name, err := url.PathUnescape(s); err == nil && name != "" {
				s = name
			}
			w.Segments = append(w.Segments, s)
		}
	}
	if w.Role != Viewer {
		w.Limited, w.Touchpoints, w.Segments = false, nil, nil
	}
	slices.Sort(w.Touchpoints)
	slices.Sort(w.Segments)
	w.Touchpoints, w.Segments = slices.Compact(w.Touchpoints), slices.Compact(w.Segments)
	return w
}

func (w *Who) raise(r Role) {
	if slices.Index(Roles(), r) > slices.Index(Roles(), w.Role) {
		w.Role = r
	}
}

// May returns nil where w has a role or a greater one. The error is
// [survey.Forbidden] otherwise, with the role in it: that a route exists is no
// secret.
func (w Who) May(r Role) error {
	if slices.Index(Roles(), w.Role) >= slices.Index(Roles(), r) {
		return nil
	}
	if w.Role == Nobody {
		return survey.Errorf(survey.Forbidden, "role", "you are signed in but in no group: an administrator can add you to %s", r)
	}
	return survey.Errorf(survey.Forbidden, "role", "this is for the role %s: you have %s", r, w.Role)
}

// Sees reports whether w may see anything of a touchpoint. What w may not see
// is, to w, not there.
func (w Who) Sees(touchpoint string) bool {
	return w.Role != Nobody && (!w.Limited || len(w.Touchpoints) == 0 || slices.Contains(w.Touchpoints, touchpoint))
}

// SeesSegment reports whether w may see the answers of a segment; "" for all
// answers.
func (w Who) SeesSegment(segment string) bool {
	return w.Role != Nobody && (len(w.Segments) == 0 || slices.Contains(w.Segments, segment))
}

// SeesAnswer reports whether w may see one answer of those segments.
func (w Who) SeesAnswer(touchpoint string, segments []string) bool {
	return w.Sees(touchpoint) && (len(w.Segments) == 0 || slices.ContainsFunc(segments, w.SeesSegment))
}
