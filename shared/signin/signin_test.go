package signin_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/signin"
	"github.com/pulssi/pulssi/shared/survey"
)

func TestFromClaims(t *testing.T) {
	for _, tt := range []struct {
		name   string
		claims map[string]string
		want   signin.Who
	}{
		{"nothing", nil, signin.Who{}},
		{"no group", map[string]string{"sub": "u1"}, signin.Who{ID: "u1"}},
		{"another's group", map[string]string{"sub": "u1", "cognito:groups": "[administrators Admin]"}, signin.Who{ID: "u1"}},
		{"viewer", map[string]string{"sub": "u1", "cognito:groups": "[viewer]"}, signin.Who{ID: "u1", Role: signin.Viewer}},
		{"the greatest", map[string]string{"sub": "u1", "cognito:groups": "[viewer admin agent]"}, signin.Who{ID: "u1", Role: signin.Admin}},
		{"limited", map[string]string{"sub": "u1", "cognito:groups": "[touchpoint:shop-nps viewer touchpoint:a touchpoint:a]"},
			signin.Who{ID: "u1", Role: signin.Viewer, Limited: true, Touchpoints: []string{"a", "shop-nps"}}},
		{"a segment with a space", map[string]string{"sub": "u1", "cognito:groups": "[viewer segment:city=Iso%20Roba]"},
			signin.Who{ID: "u1", Role: signin.Viewer, Limited: true, Segments: []string{"city=Iso Roba"}}},
		{"an encoding that is broken", map[string]string{"cognito:groups": "[viewer segment:%zz]"},
			signin.Who{Role: signin.Viewer, Limited: true, Segments: []string{"%zz"}}},
		{"a limit without a name", map[string]string{"cognito:groups": "[viewer touchpoint:]"},
			signin.Who{Role: signin.Viewer, Limited: true, Touchpoints: []string{""}}},
		{"a limit without a role", map[string]string{"cognito:groups": "[touchpoint:a]"}, signin.Who{}},
		{"a limit does not hold an agent", map[string]string{"cognito:groups": "[agent touchpoint:a]"}, signin.Who{Role: signin.Agent}},
		{"a program", map[string]string{"sub": "p1", "scope": "pulssi/agent openid"}, signin.Who{ID: "p1", Role: signin.Agent}},
		{"another's scope", map[string]string{"sub": "p1", "scope": "other/admin admin"}, signin.Who{ID: "p1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, signin.FromClaims(tt.claims)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestMay(t *testing.T) {
	all := append([]signin.Role{signin.Nobody}, signin.Roles()...)
	for i, has := range all {
		for j, needs := range signin.Roles() {
			err := signin.Who{Role: has}.May(needs)
			if want := i > j; (err == nil) != want {
				t.Errorf("%q may what %q may: %v, want %v", has, needs, err == nil, want)
			}
			if err != nil && survey.CodeOf(err) != survey.Forbidden {
				t.Errorf("%q may not what %q may: code %s", has, needs, survey.CodeOf(err))
			}
		}
	}
}

func TestWhatIsSeen(t *testing.T) {
	all := signin.Who{Role: signin.Viewer}
	one := signin.Who{Role: signin.Viewer, Limited: true, Touchpoints: []string{"a"}}
	gold := signin.Who{Role: signin.Viewer, Limited: true, Segments: []string{"plan=gold"}}
	none := signin.Who{Role: signin.Viewer, Limited: true, Touchpoints: []string{""}}
	for _, tt := range []struct {
		name                    string
		who                     signin.Who
		a, b, everybody, golden bool
	}{
		{"nobody", signin.Who{}, false, false, false, false},
		{"all", all, true, true, true, true},
		{"one touchpoint", one, true, false, true, true},
		{"one segment", gold, true, true, false, true},
		{"no touchpoint", none, false, false, true, true},
	} {
		if tt.who.Sees("a") != tt.a || tt.who.Sees("b") != tt.b || tt.who.SeesSegment("") != tt.everybody || tt.who.SeesSegment("plan=gold") != tt.golden {
			t.Errorf("%s sees a %v, b %v, all answers %v, gold %v", tt.name, tt.who.Sees("a"), tt.who.Sees("b"), tt.who.SeesSegment(""), tt.who.SeesSegment("plan=gold"))
		}
	}
	if gold.SeesAnswer("a", []string{"plan=basic"}) || !gold.SeesAnswer("a", []string{"b2b", "plan=gold"}) || gold.SeesAnswer("a", nil) {
		t.Error("who sees gold alone sees an answer of gold and no other")
	}
	if one.SeesAnswer("b", nil) || !one.SeesAnswer("a", nil) {
		t.Error("who sees a alone sees an answer of b, or none of a")
	}
}
