package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/goccy/go-yaml"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/signin"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

// Two touchpoints, and one that there is not; two segments, and one that nobody
// is in. The names of a kind are of one length, so that answers are too.
const (
	seen, unseen, absent = "disclosed-nps", "concealed-nps", "forgotten-nps"
	gold, silver, wooden = "plan=gold", "plan=zinc", "plan=wood"
)

// scoped has the touchpoints. Everything that is told of the second has the word
// concealed in it.
const scoped = `
locales: [en]
touchpoints:
  - id: disclosed-nps
    phase: after
    metric: nps
    channels: [email, sms, widget]
    name: {en: Disclosed}
    question: {en: How likely?}
    segments: {plan: [gold, zinc]}
  - id: concealed-nps
    phase: after
    metric: nps
    channels: [email, sms, widget]
    name: {en: Something concealed}
    question: {en: How likely is what is concealed?}
    segments: {plan: [gold, zinc]}
`

// example is how an operation is called. In its query and body $T is the
// touchpoint that it is about, $N a text that no other call has, and $NOW the
// time.
type example struct {
	role    signin.Role // the least that may, signin.Nobody for whoever signed in
	queries []string    // the first one is a whole request; none for one without parameters
	body    string
	// put is whether the body is the definition in force.
	put bool
	// open is whether it is for everybody, whatever it is about: who has the
	// link to a shared view sees it.
	open bool
	// names is whether it tells which segments there are, though not what their
	// people say.
	names bool
}

// examples has every operation of the contract.
var examples = map[string]example{
	"GET /shared/{key}": {open: true},

	"GET /api/me":                                {role: signin.Nobody},
	"GET /api/overview":                          {role: signin.Viewer},
	"GET /api/results/{touchpoint}":              {role: signin.Viewer, queries: []string{"", "by=day&include=lastYear,previous,channels,segments,earlier,annotations"}},
	"GET /api/compare/{touchpoint}":              {role: signin.Viewer, queries: []string{"withFrom=2020-01-01&withTo=2021-01-01"}},
	"GET /api/responses":                         {role: signin.Viewer, queries: []string{"", "touchpoint=$T", "touchpoint=$T&q=words"}},
	"GET /api/themes/{touchpoint}":               {role: signin.Viewer},
	"GET /api/export/{touchpoint}":               {role: signin.Viewer, queries: []string{"", "what=comments"}},
	"GET /api/annotations":                       {role: signin.Viewer, queries: []string{"", "touchpoint=$T"}},
	"POST /api/annotations":                      {role: signin.Agent, body: `{"touchpoint":"$T","date":"2020-01-01","text":"About $T"}`},
	"PATCH /api/annotations/{id}":                {role: signin.Agent, body: `{"text":"Still about $T"}`},
	"DELETE /api/annotations/{id}":               {role: signin.Agent},
	"GET /api/annotations/{id}/effect":           {role: signin.Viewer, queries: []string{"", "touchpoint=$T"}},
	"GET /api/shares":                            {role: signin.Agent},
	"POST /api/shares":                           {role: signin.Agent, body: `{"name":"$T","view":{"page":"touchpoint","touchpoint":"$T","last":12}}`},
	"DELETE /api/shares/{id}":                    {role: signin.Agent},
	"GET /api/audit":                             {role: signin.Admin, queries: []string{"", "subject=$T"}},
	"GET /api/contacts":                          {role: signin.Agent},
	"POST /api/contacts":                         {role: signin.Agent, body: `{"ref":"$N"}`},
	"GET /api/contacts/{id}":                     {role: signin.Agent},
	"PATCH /api/contacts/{id}":                   {role: signin.Agent, body: `{"company":"Esimerkki"}`},
	"DELETE /api/contacts/{id}":                  {role: signin.Admin},
	"GET /api/contacts/{id}/why":                 {role: signin.Agent},
	"POST /api/events":                           {role: signin.Agent, body: `{"type":"purchase.completed","version":1,"id":"$N","time":"$NOW","contact":{"email":"one@example.com"}}`},
	"GET /api/touchpoints":                       {role: signin.Viewer},
	"GET /api/touchpoints/{touchpoint}":          {role: signin.Viewer, names: true},
	"PUT /api/touchpoints/{touchpoint}":          {role: signin.Admin, put: true},
	"POST /api/touchpoints/{touchpoint}/plan":    {role: signin.Admin, put: true},
	"POST /api/touchpoints/{touchpoint}/preview": {role: signin.Viewer, body: `{"kind":"page"}`},
}

// Who asks, by the groups of their tokens.
const (
	ofSeen = "viewer touchpoint:" + seen
	ofGold = "viewer segment:" + gold
)

// walk is a stack whose requests are made by whom they say, in the header
// X-Groups; without it by nobody.
type walk struct {
	*testing.T
	*Stack
	api http.Handler
}

// apart returns functions on the tables of a stack, beside its own: a test says
// who calls them.
func apart(t *testing.T, s *Stack) functions {
	t.Helper()
	zone, err := time.LoadLocation(config.DefaultZone)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Endpoint: s.Config.DynamoDBEndpoint, Prefix: s.Config.TablePrefix, Zone: zone,
		Tune: func(topology.Function, *dynamodb.Options) {},
	}
	f, err := newFunctions(s, s.environment(o), o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func newWalk(t *testing.T) *walk {
	t.Helper()
	s := shared(t, Options{Touchpoints: []byte(scoped)})
	return &walk{T: t, Stack: s, api: apart(t, s).api(func(r *http.Request) (map[string]string, error) {
		groups, ok := r.Header["X-Groups"]
		if !ok {
			return nil, errors.New("nobody")
		}
		return map[string]string{"sub": "u1", "cognito:groups": "[" + groups[0] + "]"}, nil
	})}
}

// answered is what an answer says.
type answered struct {
	status int
	kind   string
	body   string
}

// as makes a request as somebody in some groups, or as nobody.
func (w *walk) as(groups *string, method, path, query, body string) answered {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), method, w.URL+path+"?"+query, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if groups != nil {
		r.Header["X-Groups"] = []string{*groups}
	}
	out := httptest.NewRecorder()
	w.api.ServeHTTP(out, r)
	b, err := io.ReadAll(out.Body)
	if err != nil {
		w.Fatal(err)
	}
	return answered{out.Code, out.Header().Get("Content-Type"), string(b)}
}

// made makes something as an admin, and returns a field of the answer.
func (w *walk) made(route, touchpoint, field string) string {
	w.Helper()
	method, path, _ := strings.Cut(route, " ")
	admin := "admin"
	a := w.as(&admin, method, path, "", about(examples[route].body, touchpoint))
	var out map[string]any
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != http.StatusCreated {
		w.Fatalf("%s: %d %s", route, a.status, a.body)
	}
	return out[field].(string)
}

// about fills in a query or a body.
func about(s, touchpoint string) string {
	return strings.NewReplacer("$T", touchpoint, "$NOW", time.Now().UTC().Format(time.RFC3339), "$N", survey.NewID()).Replace(s)
}

// request returns the path, the query and the body of a request about a
// touchpoint. What it needs it makes.
func (w *walk) request(route string, e example, touchpoint, query string) (path, q, body string) {
	w.Helper()
	_, path, _ = strings.Cut(route, " ")
	fill := func(parameter string, value func() string) {
		if strings.Contains(path, parameter) {
			path = strings.ReplaceAll(path, parameter, value())
		}
	}
	fill("{touchpoint}", func() string { return touchpoint })
	fill("{key}", func() string { return w.made("POST /api/shares", touchpoint, "key") })
	fill("{id}", func() string {
		if touchpoint == absent {
			return survey.NewID()
		}
		for kind, route := range map[string]string{
			"/api/annotations/": "POST /api/annotations", "/api/shares/": "POST /api/shares", "/api/contacts/": "POST /api/contacts",
		} {
			if strings.HasPrefix(path, kind) {
				return w.made(route, touchpoint, "id")
			}
		}
		w.Fatalf("%s: how is what has the id made?", route)
		return ""
	})
	body = about(e.body, touchpoint)
	if e.put {
		admin := "admin"
		body = `{"version":0,"definition":{}}`
		if touchpoint != absent {
			body = w.as(&admin, http.MethodGet, "/api/touchpoints/"+touchpoint, "", "").body
		}
		if strings.HasSuffix(path, "/plan") {
			var whole map[string]json.RawMessage
			if err := json.Unmarshal([]byte(body), &whole); err != nil {
				w.Fatal(err)
			}
			body = `{"definition":` + string(whole["definition"]) + `}`
		}
	}
	return path, about(query, touchpoint), body
}

// ask asks about a touchpoint as somebody.
func (w *walk) ask(groups, route string, e example, touchpoint, query string) answered {
	w.Helper()
	method, _, _ := strings.Cut(route, " ")
	path, q, body := w.request(route, e, touchpoint, query)
	return w.as(&groups, method, path, q, body)
}

// alike returns an answer with the name of a thing replaced.
func (a answered) alike(name, other string) answered {
	a.body = strings.ReplaceAll(a.body, name, other)
	return a
}

// operations returns the operations of the contract, with the parameters of
// their queries.
func operations(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("../../../functions/results/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type parameter struct {
		Name, In string
		Ref      string `json:"$ref" yaml:"$ref"`
	}
	var doc struct {
		Paths      map[string]map[string]any
		Components struct{ Parameters map[string]parameter }
	}
	if err := yaml.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for path, item := range doc.Paths {
		for method, operation := range item {
			if method == "parameters" {
				continue
			}
			j, err := json.Marshal(operation)
			if err != nil {
				t.Fatal(err)
			}
			var o struct{ Parameters []parameter }
			if err := json.Unmarshal(j, &o); err != nil {
				t.Fatal(err)
			}
			route := strings.ToUpper(method) + " " + path
			out[route] = []string{}
			for _, p := range o.Parameters {
				if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
					p = doc.Components.Parameters[name]
				}
				if p.In == "query" {
					out[route] = append(out[route], p.Name)
				}
			}
		}
	}
	return out
}

// answersOf has customers answer at both touchpoints, in both segments: 3 in
// the one that may be seen, 2 in the other.
func (w *walk) answersOf() {
	w.Helper()
	for _, touchpoint := range []string{seen, unseen} {
		words := map[string]string{"gold": "Plain words", "zinc": "Secret words"}
		if touchpoint == unseen {
			words = map[string]string{"gold": "Words that are concealed", "zinc": "Secret words that are concealed"}
		}
		for plan, n := range map[string]int{"gold": 3, "zinc": 2} {
			for range n {
				body := fmt.Sprintf(`{"id":%q,"score":9,"comment":%q,"attrs":{"plan":%q}}`, survey.NewID(), words[plan], plan)
				if status, answer := call(w.T, http.MethodPost, w.URL+"/v/"+touchpoint, body); status != http.StatusOK {
					w.Fatalf("vote: %d %s", status, answer)
				}
			}
		}
	}
	eventually(w.T, "the answers in the results", func() bool {
		return w.counted("admin", seen) == 5 && w.counted("admin", unseen) == 5
	})
}

// counted returns how many answers somebody is told of.
func (w *walk) counted(groups, touchpoint string) int {
	w.Helper()
	a := w.as(&groups, http.MethodGet, "/api/results/"+touchpoint, "", "")
	var r struct{ Total struct{ N int } }
	if err := json.Unmarshal([]byte(a.body), &r); err != nil || a.status != http.StatusOK {
		w.Fatalf("%d %s", a.status, a.body)
	}
	return r.Total.N
}

// TestEveryRouteWithEveryRole makes every request of the contract as nobody, as
// somebody in no group and with each role; and as a viewer who may see one
// touchpoint or one segment alone, to whom all others are answered like what
// does not exist.
func TestEveryRouteWithEveryRole(t *testing.T) {
	w := newWalk(t)
	w.answersOf()
	if n := w.counted(ofGold, seen); n != 3 {
		t.Errorf("who may see one segment is told of %d answers, want the 3 of it", n)
	}
	contract := operations(t)
	for route := range contract {
		if _, ok := examples[route]; !ok {
			t.Errorf("%s has no example: say how it is called, and by whom", route)
		}
	}
	for route, e := range examples {
		parameters, ok := contract[route]
		if !ok {
			t.Errorf("%s is not in the contract", route)
			continue
		}
		if len(e.queries) == 0 {
			e.queries = []string{""}
		}
		t.Run(route, func(t *testing.T) {
			w := &walk{t, w.Stack, w.api}
			w.roles(route, e)
			if e.open {
				return
			}
			w.touchpoint(route, e)
			w.segment(route, e, parameters)
		})
	}
}

// roles makes a request with every role.
func (w *walk) roles(route string, e example) {
	w.Helper()
	method, _, _ := strings.Cut(route, " ")
	path, q, body := w.request(route, e, seen, e.queries[0])
	guarded := strings.HasPrefix(path, "/api/")
	if a := w.as(nil, method, path, q, body); (a.status == http.StatusUnauthorized) != guarded {
		w.Errorf("nobody: %d %s", a.status, a.body)
	}
	for _, role := range append([]signin.Role{signin.Nobody}, signin.Roles()...) {
		a := w.ask(string(role), route, e, seen, e.queries[0])
		may := e.role == signin.Nobody || signin.Who{Role: role}.May(e.role) == nil
		if may && a.status >= 300 || !may && a.status != http.StatusForbidden {
			w.Errorf("the role %q: %d %s", role, a.status, a.body)
		}
	}
}

// touchpoint asks as a viewer of one touchpoint about it, about another, and
// about one that there is not.
func (w *walk) touchpoint(route string, e example) {
	w.Helper()
	for _, query := range e.queries {
		other := w.ask(ofSeen, route, e, unseen, query)
		none := w.ask(ofSeen, route, e, absent, query)
		if other.alike(unseen, absent) != none {
			w.Errorf("%s: of what may not be seen %+v, of what is not there %+v", query, other, none)
		}
		a := w.ask(ofSeen, route, e, seen, query)
		if e.role != signin.Agent && e.role != signin.Admin && a.status >= 300 {
			w.Errorf("%s: of what may be seen: %d %s", query, a.status, a.body)
		}
		if strings.Contains(a.body, "concealed") {
			w.Errorf("%s: the answer tells of what may not be seen: %s", query, a.body)
		}
	}
}

// segment asks as a viewer of one segment about it, about another, and about
// one that nobody is in.
func (w *walk) segment(route string, e example, parameters []string) {
	w.Helper()
	for _, query := range e.queries {
		a := w.ask(ofGold, route, e, seen, query)
		if strings.Contains(a.body, "Secret") || !e.names && strings.Contains(a.body, silver) {
			w.Errorf("%s: the answer tells of another segment: %s", query, a.body)
		}
		for _, p := range []string{"segment", "withSegment"} {
			if !slices.Contains(parameters, p) {
				continue
			}
			with := func(value string) answered {
				return w.ask(ofGold, route, e, seen, strings.TrimPrefix(query+"&"+p+"="+strings.ReplaceAll(value, "=", "%3D"), "&"))
			}
			if other, none := with(silver).alike(silver, wooden), with(wooden); other != none || other.status < 300 {
				w.Errorf("%s: %s of what may not be seen %+v, of what is not there %+v", query, p, other, none)
			}
		}
	}
}
