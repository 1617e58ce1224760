package results

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/signin"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

type object = map[string]any

// contract is openapi.yaml as JSON.
func contract(t testing.TB) object {
	t.Helper()
	b, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	j, err := yaml.YAMLToJSON(b)
	if err != nil {
		t.Fatal(err)
	}
	var o object
	if err := json.Unmarshal(j, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// at returns what is at a place of the contract, and fails the test where
// nothing is. A $ref on the way is followed.
func at(t testing.TB, doc object, path ...string) any {
	t.Helper()
	var v any = doc
	for i, name := range path {
		o, ok := v.(object)
		if ok {
			v, ok = o[name]
		}
		if !ok {
			t.Fatalf("there is no %s in the contract", strings.Join(path[:i+1], " / "))
		}
		if r, ok := v.(object); ok {
			if ref, ok := r["$ref"].(string); ok && len(r) == 1 {
				v = at(t, doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
			}
		}
	}
	return v
}

func objectAt(t testing.TB, doc object, path ...string) object {
	t.Helper()
	o, ok := at(t, doc, path...).(object)
	if !ok {
		t.Fatalf("%s is no object in the contract", strings.Join(path, " / "))
	}
	return o
}

// operations lists the methods and paths of the contract.
func operations(doc object) []string {
	var out []string
	for path, item := range doc["paths"].(object) {
		for method := range item.(object) {
			if method != "parameters" {
				out = append(out, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(out)
	return out
}

func TestContractIsOpenAPI(t *testing.T) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !doc.IsOpenAPI31OrLater() {
		t.Errorf("the contract is of OpenAPI %s", doc.OpenAPI)
	}
	if err := doc.Validate(t.Context(), openapi3.IsOpenAPI31OrLater()); err != nil {
		t.Error(err)
	}
}

// pages are the routes for people, which the contract leaves out.
var pages = []string{"/", "/dashboard", "/dashboard/{proxy+}", "/s/{key}"}

func TestContractHasEveryRoute(t *testing.T) {
	var want []string
	for _, r := range topology.Routes() {
		if r.Function == topology.Results && !slices.Contains(pages, r.Path) {
			want = append(want, r.Method+" "+r.Path)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, operations(contract(t))); diff != "" {
		t.Errorf("-topology +contract:\n%s", diff)
	}
	var have []string
	for key := range routes {
		if _, path, _ := strings.Cut(key, " "); !slices.Contains(pages, path) {
			have = append(have, key)
		}
	}
	slices.Sort(have)
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("-topology +handler:\n%s", diff)
	}
}

// TestContractChangesWithItsVersion holds the contract against what was
// released. -update adds the contract under a new version, and changes nothing
// that is there.
func TestContractChangesWithItsVersion(t *testing.T) {
	doc := contract(t)
	version, ok := at(t, doc, "info", "version").(string)
	if !ok {
		t.Fatal("the version is no text")
	}
	canonical, err := json.Marshal(doc) // what it says, not how it is laid out
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(canonical)
	got := hex.EncodeToString(sum[:])
	path := filepath.Join("testdata", "contract_versions.txt")
	b, err := os.ReadFile(path)
	if err != nil && !(*update && errors.Is(err, os.ErrNotExist)) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if of, was, _ := strings.Cut(strings.TrimSpace(line), " "); of == version {
			if was != got {
				t.Errorf("openapi.yaml differs from its version %s: give it a new one and run the test with -update", version)
			}
			return
		}
	}
	if !*update {
		t.Fatalf("version %s is not in %s: run the test with -update", version, path)
	}
	if err := os.WriteFile(path, append(b, version+" "+got+"\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestContractListsWhatThereIs holds the lists of the contract against those of
// the code.
func TestContractListsWhatThereIs(t *testing.T) {
	doc := contract(t)
	for _, tt := range []struct {
		path []string
		want []string
	}{
		{[]string{"Channel"}, texts(survey.Channels())},
		{[]string{"Metric"}, texts(survey.Metrics())},
		{[]string{"Category"}, texts(append(survey.NPS.Categories(), survey.CSAT.Categories()...))},
		{[]string{"Touchpoint", "properties", "phase"}, texts(survey.Phases())},
		{[]string{"Report", "properties", "by"}, texts(units)},
		{[]string{"View", "properties", "page"}, texts(survey.Pages())},
		{[]string{"Difference", "properties", "verdict"}, texts([]verdict{realChange, withinNoise, tooFewToTell})},
		{[]string{"Figures", "properties", "verdict"}, texts([]score.Verdict{"", score.Met, score.Missed, score.Unjudged})},
		{[]string{"Decision", "properties", "verdict"}, texts([]survey.Verdict{survey.Planned, survey.WasAsked, survey.Refused})},
		{[]string{"Decision", "properties", "reason"}, texts(append([]survey.Reason{""}, survey.Reasons()...))},
		{[]string{"Event", "properties", "type"}, events.Types()},
		{[]string{"Action"}, texts(survey.Actions())},
		{[]string{"AuditEntry", "properties", "role"}, append(texts(signin.Roles()), survey.Operator)},
		{[]string{"AuditEntry", "properties", "outcome"}, texts([]survey.Outcome{survey.Begun, survey.Failed})},
	} {
		var got []string
		for _, v := range at(t, doc, append(append([]string{"components", "schemas"}, tt.path...), "enum")...).([]any) {
			got = append(got, v.(string))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: -code +contract:\n%s", strings.Join(tt.path, "."), diff)
		}
	}
}

func texts[T ~string](vs []T) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = string(v)
	}
	return out
}

// TestContractHasEveryParameter has the handler name the parameters that it
// takes, and holds them against the contract.
func TestContractHasEveryParameter(t *testing.T) {
	doc := contract(t)
	h := newHandler(definitions{touchpoint("shop-nps", survey.NPS, 1)}, nil)
	h.Contacts, h.Rules, h.Annotations = one{}, book{}, &marks{}
	for _, op := range operations(doc) {
		method, path, _ := strings.Cut(op, " ")
		var want []string
		parameters, _ := objectAt(t, doc, "paths", path, strings.ToLower(method))["parameters"].([]any)
		for _, p := range parameters {
			if o := p.(object); o["in"] == "query" {
				want = append(want, o["name"].(string))
			}
		}
		r := request(op, survey.NewID(), "nonsense=1", "{}")
		r.PathParameters["touchpoint"] = "shop-nps"
		resp, err := h.Handle(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Error struct{ Field, Message string }
		}
		if err := json.Unmarshal([]byte(resp.Body), &got); err != nil || got.Error.Field != "nonsense" {
			t.Fatalf("%s: %v in %s", op, err, resp.Body)
		}
		message := "nonsense is not a parameter of this request, which has none"
		if len(want) > 0 {
			message = "nonsense is not a parameter of this request: there are " + strings.Join(want, ", ")
		}
		if got.Error.Message != message {
			t.Errorf("%s: the handler says %q, the contract has %q", op, got.Error.Message, want)
		}
	}
}

func request(route, id, query, body string) apigw.Request {
	r := apigw.Request{RouteKey: route, RawQueryString: query, Body: body, Headers: map[string]string{}, PathParameters: map[string]string{"id": id}}
	if body != "" {
		r.Headers["content-type"] = "application/json"
	}
	return testkit.SignedIn(r, "admin")
}

// TestContractHasEveryField holds the fields of requests: what the contract
// has is taken, and nothing else is.
func TestContractHasEveryField(t *testing.T) {
	doc := contract(t)
	fields := slices.Sorted(maps.Keys(objectAt(t, doc, "components", "schemas", "NewContact", "properties")))
	want := []string{"company", "email", "firstName", "lastName", "locale", "optOut", "phone", "ref", "segments", "zone"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("-handler +contract:\n%s", diff)
	}
	body := object{"version": nil}
	for _, f := range fields {
		body[f] = nil
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	d, err := decodeDetails(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.given) != len(fields)+1 {
		t.Errorf("%d fields are taken, the contract has %d", len(d.given), len(fields)+1)
	}

	envelope, err := os.ReadFile(filepath.Join("..", "..", "events", "schemas", "envelope.v1.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema object
	if err := json.Unmarshal(envelope, &schema); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ theirs, ours object }{
		{objectAt(t, schema, "properties"), objectAt(t, doc, "components", "schemas", "Event", "properties")},
		{objectAt(t, schema, "$defs", "contact", "properties"), objectAt(t, doc, "components", "schemas", "Event", "properties", "contact", "properties")},
		{objectAt(t, schema, "$defs", "data", "properties"), objectAt(t, doc, "components", "schemas", "Event", "properties", "data", "properties")},
	} {
		if diff := cmp.Diff(slices.Sorted(maps.Keys(tt.theirs)), slices.Sorted(maps.Keys(tt.ours))); diff != "" {
			t.Errorf("an event: -envelope +contract:\n%s", diff)
		}
	}
}

// schemas compiles the schemas of the contract's bodies, by place. They are
// strict: an object has the properties that its schema names, and no others,
// where the contract itself lets clients expect more one day.
type schemas struct {
	doc      object
	compiler *jsonschema.Compiler
}

const contractURL = "contract:///openapi.json"

func newSchemas(t testing.TB, doc object) schemas {
	t.Helper()
	all := objectAt(t, doc, "components", "schemas")
	parts := map[string]bool{}
	findParts(all, parts)
	for name, s := range all {
		strict(s, parts, parts[name])
	}
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(contractURL, v); err != nil {
		t.Fatal(err)
	}
	return schemas{doc, c}
}

// findParts finds the schemas, by name, that others are made of (allOf).
func findParts(v any, parts map[string]bool) {
	switch v := v.(type) {
	case object:
		all, _ := v["allOf"].([]any)
		for _, s := range all {
			if ref, ok := s.(object)["$ref"].(string); ok {
				parts[strings.TrimPrefix(ref, "#/components/schemas/")] = true
			}
		}
		for _, s := range v {
			findParts(s, parts)
		}
	case []any:
		for _, s := range v {
			findParts(s, parts)
		}
	}
}

// strict closes a schema, but for a part, which is closed where it is used.
func strict(v any, parts map[string]bool, part bool) {
	switch v := v.(type) {
	case object:
		_, properties := v["properties"].(object)
		_, whole := v["allOf"].([]any)
		ref, _ := v["$ref"].(string)
		switch {
		case part:
		case whole, parts[strings.TrimPrefix(ref, "#/components/schemas/")]:
			v["unevaluatedProperties"] = false
		case properties && v["additionalProperties"] == nil:
			v["additionalProperties"] = false
		}
		for name, s := range v {
			if name == "allOf" {
				for _, s := range s.([]any) {
					strictBelow(s, parts)
				}
				continue
			}
			strict(s, parts, false)
		}
	case []any:
		for _, s := range v {
			strict(s, parts, false)
		}
	}
}

// strictBelow closes the schemas of a part's properties.
func strictBelow(part any, parts map[string]bool) {
	for _, s := range part.(object) {
		strict(s, parts, false)
	}
}

// check holds a body against the schema at a place of the contract.
func (s schemas) check(t testing.TB, body string, path ...string) {
	t.Helper()
	pointer := "#"
	for _, name := range path {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	}
	compiled, err := s.compiler.Compile(contractURL + pointer)
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(path, " / "), err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v in %s", strings.Join(path, " / "), err, body)
	}
	if err := compiled.Validate(v); err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(path, " / "), err, body)
	}
}

// TestResponsesAreOfTheContract makes every request of the contract so that it
// is answered with each status of the contract, and holds the bodies against
// it: both what was sent, where it was taken, and what came back.
func TestResponsesAreOfTheContract(t *testing.T) {
	c, tables, clock := onTables(t)
	ctx := t.Context()
	shop := touchpoint("shop-nps", survey.NPS, 1)
	goal := 50.0
	shop.Goal = &goal
	if err := tables.Store.PutTouchpoint(ctx, nil, shop); err != nil {
		t.Fatal(err)
	}
	k := c.add(aino)
	for i, reason := range append(survey.Reasons(), "") {
		d := survey.Decision{
			Contact: k.ID, Touchpoint: "shop-nps", Occasion: survey.Occasion(fmt.Sprint("ticket.closed/", i)), Verdict: survey.Refused, Reason: reason,
			At: clock.Now(), Due: clock.Now().Add(time.Minute), Until: clock.Now().Add(time.Hour), Other: "gone", Channel: survey.SMS,
		}
		if reason == "" {
			d.Verdict, d.Until, d.Due, d.Other = survey.WasAsked, time.Time{}, time.Time{}, ""
		}
		if err := tables.Store.PutDecision(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	for _, answered := range []bool{true, false} {
		id := survey.NewID()
		if err := tables.Store.CreateAsk(ctx, &survey.Ask{ID: id, Touchpoint: "shop-nps", Series: 1, Metric: survey.NPS, Channel: survey.Email, Locale: "fi", Contact: k.ID, Occasion: "2026Q4", AskedAt: clock.Now()}); err != nil {
			t.Fatal(err)
		}
		if !answered {
			continue
		}
		if _, err := tables.Store.Answer(ctx, id, survey.Answer{Score: 9, Via: survey.ViaHuman}, clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	memory := newHandler(definitions{shop}, score.Changes{})
	memory.Feed = newFeed(1000, manyComments(shop)...)
	changes := memory.Sheets.(*counted).Changes
	for i, a := range example(shop) {
		a.Segments = []string{"vip", "even"}[:1+i%2]
		changes.Replace(nil, a, helsinki)
	}
	failing := &Handler{
		Demo: broken{}, Sheets: &counted{err: errors.New("down")}, Feed: &feed{err: errors.New("down")}, Touchpoints: definitions{shop}, Contacts: noContacts{errors.New("down")}, Rules: book{},
		Bus: &bus{err: errors.New("down")}, Audit: &ledger{}, Zone: helsinki, Now: clock.Now,
	}
	mark := survey.Annotation{ID: survey.NewID(), Version: 1, Touchpoint: "shop-nps", Date: "2026-10-14", Text: "Kassa"}
	keys := []string{survey.NewID(), survey.NewID()}
	memory.Annotations = &marks{all: []survey.Annotation{mark}}
	memory.Shares = &shared{all: []survey.Share{
		{ID: survey.ShareID(keys[0]), Name: "Johto", View: survey.View{Page: survey.TouchpointPage, Touchpoint: "shop-nps", Last: 12}, Comments: true},
		{ID: survey.ShareID(keys[1]), Name: "Johto", View: survey.View{Page: survey.OverviewPage, Last: 12}, Expires: "2027-01-01"},
	}}
	failing.Annotations, failing.Shares = &marks{err: errors.New("down")}, &shared{err: errors.New("down")}
	most := survey.Errorf(survey.Conflict, "shares", "there are too many already")
	full := &Handler{Annotations: &marks{err: most}, Shares: &shared{err: most}, Audit: &ledger{}, Touchpoints: definitions{shop}, Zone: helsinki, Now: clock.Now}
	logless := &Handler{Audit: &ledger{err: errors.New("down")}, Zone: helsinki, Now: clock.Now}
	noTouchpoints := &Handler{Touchpoints: down{}, Zone: helsinki, Now: clock.Now}
	set, _ := settings()
	notSet, _ := settings()
	notSet.Definitions = unwritten{errors.New("down")}
	noRules, _ := settings()
	noRules.Rules = lost{}
	event, err := events.Sample(events.CallEnded)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, typ := range events.Types() {
		all = append(all, sampleEvent(t, typ))
	}
	big := `{"ref":"` + strings.Repeat("x", apigw.MaxBody) + `"}`
	plain := func(r *apigw.Request) { r.Headers["content-type"] = "text/plain" }
	known := func(h *Handler) func(*apigw.Request) {
		return func(r *apigw.Request) {
			resp, err := h.Handle(ctx, *r)
			if err != nil {
				t.Fatal(err)
			}
			r.Headers["if-none-match"] = resp.Headers["etag"]
		}
	}
	doc := contract(t)
	s := newSchemas(t, doc)
	seen := map[string]bool{}
	for _, tt := range []struct {
		h      *Handler
		op     string
		id     string // or touchpoint
		query  string
		body   string
		with   func(*apigw.Request)
		status int
	}{
		{memory, "GET /api/touchpoints", "", "", "", nil, 200},
		{memory, "GET /api/touchpoints", "", "", "", known(memory), 304},
		{memory, "GET /api/touchpoints", "", "a=1", "", nil, 400},
		{noTouchpoints, "GET /api/touchpoints", "", "", "", nil, 500},
		{memory, "GET /api/results/{touchpoint}", "shop-nps", "from=2026-10-01&to=2026-12-01", "", nil, 200},
		{memory, "GET /api/results/{touchpoint}", "shop-nps", "channel=email", "", nil, 200},
		{memory, "GET /api/results/{touchpoint}", "shop-nps", "segment=vip&by=day&from=2026-10-01", "", nil, 200},
		{memory, "GET /api/results/{touchpoint}", "shop-nps", "include=lastYear,previous,channels,segments,earlier", "", nil, 200},
		{memory, "GET /api/results/{touchpoint}", "shop-nps", "", "", known(memory), 304},
		{memory, "GET /api/results/{touchpoint}", "shop-nps", "by=hour", "", nil, 400},
		{memory, "GET /api/results/{touchpoint}", "other", "", "", nil, 404},
		{failing, "GET /api/results/{touchpoint}", "shop-nps", "", "", nil, 500},
		{memory, "GET /api/overview", "", "", "", nil, 200},
		{memory, "GET /api/overview", "", "", "", known(memory), 304},
		{memory, "GET /api/overview", "", "to=now", "", nil, 400},
		{memory, "GET /api/overview", "", "segment=nobody", "", nil, 404},
		{failing, "GET /api/overview", "", "", "", nil, 500},
		{memory, "GET /api/compare/{touchpoint}", "shop-nps", "from=2026-10-01&to=2026-10-14&withFrom=2026-10-14&withTo=2026-11-01", "", nil, 200},
		{memory, "GET /api/compare/{touchpoint}", "shop-nps", "channel=email&withChannel=widget", "", known(memory), 304},
		{memory, "GET /api/compare/{touchpoint}", "shop-nps", "", "", nil, 400},
		{memory, "GET /api/compare/{touchpoint}", "other", "", "", nil, 404},
		{failing, "GET /api/compare/{touchpoint}", "shop-nps", "channel=email&withChannel=widget", "", nil, 500},
		{memory, "GET /api/me", "", "", "", nil, 200},
		{memory, "GET /api/me", "", "", "", known(memory), 304},
		{memory, "GET /api/me", "", "id=1", "", nil, 400},
		{failing, "GET /api/me", "", "", "", nil, 500},
		{set, routeShow, "shop-nps", "", "", nil, 200},
		{set, routeShow, "shop-nps", "", "", known(set), 304},
		{set, routeShow, "Shop", "", "", nil, 400},
		{set, routeShow, "nowhere", "", "", nil, 404},
		{notSet, routeShow, "shop-nps", "", "", nil, 500},
		{set, routePlan, "shop-nps", "", `{"definition":` + everything + `}`, nil, 200},
		{set, routePlan, "shop-nps", "", `{"keepSeries":true,"definition":` + everything + `}`, nil, 200},
		{set, routePlan, "shop-nps", "", `{"definition":{},"version":1}`, nil, 400},
		{set, routePlan, "shop-nps", "", big, nil, 413},
		{set, routePlan, "shop-nps", "", `{}`, plain, 415},
		{notSet, routePlan, "shop-nps", "", `{}`, nil, 500},
		{set, routePreview, "shop-nps", "", `{"kind":"email","locale":"fi","firstName":"A","about":"B","reminder":true,"definition":` + everything + `}`, nil, 200},
		{set, routePreview, "shop-nps", "", `{"kind":"sms","definition":` + everything + `}`, nil, 200},
		{set, routePreview, "shop-nps", "", `{"kind":"page","score":5,"definition":` + everything + `}`, nil, 200},
		{set, routePreview, "shop-nps", "", `{"kind":"widget","definition":` + everything + `}`, nil, 200},
		{set, routePreview, "shop-nps", "", `{"kind":"page"}`, nil, 200},
		{set, routePreview, "shop-nps", "", `{}`, nil, 400},
		{set, routePreview, "nowhere", "", `{"kind":"page"}`, nil, 404},
		{set, routePreview, "shop-nps", "", big, nil, 413},
		{set, routePreview, "shop-nps", "", `{}`, plain, 415},
		{noRules, routePreview, "shop-nps", "", `{}`, nil, 500},
		{set, routePut, "shop-nps", "", `{"version":3,"keepSeries":false,"definition":` + everything + `}`, nil, 200},
		{set, routePut, "new", "", `{"version":0,"definition":` + strings.Replace(everything, "shop-nps", "new", 1) + `}`, nil, 201},
		{set, routePut, "shop-nps", "", `{"version":4,"definition":{}}`, nil, 400},
		{set, routePut, "nowhere", "", `{"version":4,"definition":{}}`, nil, 404},
		{set, routePut, "shop-nps", "", `{"version":3,"definition":{}}`, nil, 409},
		{set, routePut, "shop-nps", "", big, nil, 413},
		{set, routePut, "shop-nps", "", `{}`, plain, 415},
		{notSet, routePut, "shop-nps", "", `{"version":3}`, nil, 500},
		{memory, "GET /api/responses", "", "", "", nil, 200},
		{memory, "GET /api/responses", "", "touchpoint=shop-nps&category=detractor&limit=1&q=toimitus", "", nil, 200},
		{memory, "GET /api/responses", "", "", "", known(memory), 304},
		{memory, "GET /api/responses", "", "cursor=x", "", nil, 400},
		{memory, "GET /api/responses", "", "touchpoint=other", "", nil, 404},
		{failing, "GET /api/responses", "", "", "", nil, 500},
		{memory, "GET /api/themes/{touchpoint}", "shop-nps", "", "", nil, 200},
		{memory, "GET /api/themes/{touchpoint}", "shop-nps", "", "", known(memory), 304},
		{memory, "GET /api/themes/{touchpoint}", "shop-nps", "locale=Suomi", "", nil, 400},
		{memory, "GET /api/themes/{touchpoint}", "other", "", "", nil, 404},
		{failing, "GET /api/themes/{touchpoint}", "shop-nps", "", "", nil, 500},
		{memory, "GET /api/results/{touchpoint}", "shop-nps", "include=annotations", "", nil, 200},
		{memory, "GET /api/annotations", "", "", "", nil, 200},
		{memory, "GET /api/annotations", "", "", "", known(memory), 304},
		{memory, "GET /api/annotations", "", "a=1", "", nil, 400},
		{memory, "GET /api/annotations", "", "touchpoint=other", "", nil, 404},
		{failing, "GET /api/annotations", "", "", "", nil, 500},
		{memory, "POST /api/annotations", "", "", `{"touchpoint":null,"date":"2026-11-01","text":"Kassa"}`, nil, 201},
		{memory, "POST /api/annotations", "", "", `{}`, nil, 400},
		{memory, "POST /api/annotations", "", "", `{"touchpoint":"other","date":"2026-11-01","text":"Kassa"}`, nil, 404},
		{full, "POST /api/annotations", "", "", `{"date":"2026-11-01","text":"Kassa"}`, nil, 409},
		{memory, "POST /api/annotations", "", "", big, nil, 413},
		{memory, "POST /api/annotations", "", "", `{}`, plain, 415},
		{failing, "POST /api/annotations", "", "", `{"date":"2026-11-01","text":"Kassa"}`, nil, 500},
		{memory, "PATCH /api/annotations/{id}", mark.ID, "", `{"version":1,"touchpoint":"shop-nps","date":"2026-10-14","text":"Kassa"}`, nil, 200},
		{memory, "PATCH /api/annotations/{id}", mark.ID, "", `{"date":"now"}`, nil, 400},
		{memory, "PATCH /api/annotations/{id}", survey.NewID(), "", `{}`, nil, 404},
		{memory, "PATCH /api/annotations/{id}", mark.ID, "", `{"version":9}`, nil, 409},
		{memory, "PATCH /api/annotations/{id}", mark.ID, "", big, nil, 413},
		{memory, "PATCH /api/annotations/{id}", mark.ID, "", `{}`, plain, 415},
		{failing, "PATCH /api/annotations/{id}", mark.ID, "", `{}`, nil, 500},
		{memory, "GET /api/annotations/{id}/effect", mark.ID, "", "", nil, 200},
		{memory, "GET /api/annotations/{id}/effect", mark.ID, "channel=email", "", nil, 200},
		{memory, "GET /api/annotations/{id}/effect", mark.ID, "", "", known(memory), 304},
		{memory, "GET /api/annotations/{id}/effect", mark.ID, "days=1", "", nil, 400},
		{memory, "GET /api/annotations/{id}/effect", survey.NewID(), "", "", nil, 404},
		{failing, "GET /api/annotations/{id}/effect", mark.ID, "", "", nil, 500},
		{memory, "DELETE /api/annotations/{id}", mark.ID, "", "", nil, 204},
		{memory, "DELETE /api/annotations/{id}", "x", "", "", nil, 400},
		{memory, "DELETE /api/annotations/{id}", mark.ID, "", "", nil, 404},
		{failing, "DELETE /api/annotations/{id}", mark.ID, "", "", nil, 500},
		{memory, "GET /api/shares", "", "", "", nil, 200},
		{memory, "GET /api/shares", "", "", "", known(memory), 304},
		{memory, "GET /api/shares", "", "a=1", "", nil, 400},
		{failing, "GET /api/shares", "", "", "", nil, 500},
		{memory, "POST /api/shares", "", "", `{"name":"Johto","view":{"page":"touchpoint","touchpoint":"shop-nps","from":"2026-10-01","to":"2026-11-01","by":"day","channel":"email"},"comments":true,"expires":"2026-12-01"}`, nil, 201},
		{memory, "POST /api/shares", "", "", `{}`, nil, 400},
		{memory, "POST /api/shares", "", "", `{"name":"Johto","view":{"page":"touchpoint","touchpoint":"other","last":1}}`, nil, 404},
		{full, "POST /api/shares", "", "", `{"name":"Johto","view":{"page":"overview","last":1}}`, nil, 409},
		{memory, "POST /api/shares", "", "", big, nil, 413},
		{memory, "POST /api/shares", "", "", `{}`, plain, 415},
		{failing, "POST /api/shares", "", "", `{"name":"Johto","view":{"page":"overview","last":1}}`, nil, 500},
		{memory, "GET /shared/{key}", keys[0], "", "", nil, 200},
		{memory, "GET /shared/{key}", keys[1], "", "", nil, 200},
		{memory, "GET /shared/{key}", keys[0], "", "", known(memory), 304},
		{memory, "GET /shared/{key}", keys[0], "a=1", "", nil, 400},
		{memory, "GET /shared/{key}", survey.NewID(), "", "", nil, 404},
		{failing, "GET /shared/{key}", keys[0], "", "", nil, 500},
		{memory, "DELETE /api/shares/{id}", survey.ShareID(keys[0]), "", "", nil, 204},
		{memory, "DELETE /api/shares/{id}", "x", "", "", nil, 400},
		{memory, "DELETE /api/shares/{id}", survey.NewID(), "", "", nil, 404},
		{failing, "DELETE /api/shares/{id}", survey.NewID(), "", "", nil, 500},
		{memory, "GET /api/export/{touchpoint}", "shop-nps", "", "", nil, 200},
		{memory, "GET /api/export/{touchpoint}", "shop-nps", "what=comments&format=xlsx", "", nil, 200},
		{memory, "GET /api/export/{touchpoint}", "shop-nps", "what=x", "", nil, 400},
		{memory, "GET /api/export/{touchpoint}", "other", "", "", nil, 404},
		{failing, "GET /api/export/{touchpoint}", "shop-nps", "", "", nil, 500},
		{memory, "GET /api/audit", "", "", "", nil, 200},
		{memory, "GET /api/audit", "", "from=2026-11-01&action=share.delete", "", nil, 200},
		{memory, "GET /api/audit", "", "", "", known(memory), 304},
		{memory, "GET /api/audit", "", "action=share", "", nil, 400},
		{logless, "GET /api/audit", "", "", "", nil, 500},
		{c.h, "GET /api/contacts", "", "", "", nil, 200},
		{c.h, "GET /api/contacts", "", "ref=nobody", "", nil, 200},
		{c.h, "GET /api/contacts", "", "limit=1", "", nil, 200},
		{c.h, "GET /api/contacts", "", "limit=0", "", nil, 400},
		{failing, "GET /api/contacts", "", "", "", nil, 500},
		{c.h, "POST /api/contacts", "", "", `{"email":"d@example.com","phone":null,"segments":["vip"],"optOut":["email"]}`, nil, 201},
		{c.h, "POST /api/contacts", "", "", `{}`, nil, 400},
		{c.h, "POST /api/contacts", "", "", aino, nil, 409},
		{c.h, "POST /api/contacts", "", "", big, nil, 413},
		{c.h, "POST /api/contacts", "", "", `{}`, plain, 415},
		{failing, "POST /api/contacts", "", "", `{"ref":"C-1"}`, nil, 500},
		{c.h, "GET /api/contacts/{id}", k.ID, "", "", nil, 200},
		{c.h, "GET /api/contacts/{id}", "x", "", "", nil, 400},
		{c.h, "GET /api/contacts/{id}", survey.NewID(), "", "", nil, 404},
		{failing, "GET /api/contacts/{id}", k.ID, "", "", nil, 500},
		{c.h, "PATCH /api/contacts/{id}", k.ID, "", `{"version":1,"firstName":"A","lastName":null,"optOut":["sms","email"]}`, nil, 200},
		{c.h, "PATCH /api/contacts/{id}", k.ID, "", `{"version":null,"company":""}`, nil, 200},
		{c.h, "PATCH /api/contacts/{id}", k.ID, "", `{"zone":"x"}`, nil, 400},
		{c.h, "PATCH /api/contacts/{id}", k.ID, "", `{"optOut":[]}`, nil, 403},
		{c.h, "PATCH /api/contacts/{id}", survey.NewID(), "", `{}`, nil, 404},
		{c.h, "PATCH /api/contacts/{id}", k.ID, "", `{"version":9}`, nil, 409},
		{c.h, "PATCH /api/contacts/{id}", k.ID, "", big, nil, 413},
		{c.h, "PATCH /api/contacts/{id}", k.ID, "", `{}`, plain, 415},
		{failing, "PATCH /api/contacts/{id}", k.ID, "", `{}`, nil, 500},
		{c.h, "GET /api/contacts/{id}/why", k.ID, "", "", nil, 200},
		{c.h, "GET /api/contacts/{id}/why", "x", "", "", nil, 400},
		{c.h, "GET /api/contacts/{id}/why", survey.NewID(), "", "", nil, 404},
		{failing, "GET /api/contacts/{id}/why", k.ID, "", "", nil, 500},
		{c.h, "DELETE /api/contacts/{id}", k.ID, "", "", nil, 204},
		{c.h, "DELETE /api/contacts/{id}", "x", "", "", nil, 400},
		{c.h, "DELETE /api/contacts/{id}", k.ID, "", "", nil, 404},
		{failing, "DELETE /api/contacts/{id}", k.ID, "", "", nil, 500},
		{c.h, "POST /api/events", "", "", string(event), nil, 202},
		{c.h, "POST /api/events", "", "", batchOf(all...), nil, 202},
		{c.h, "POST /api/events", "", "", `{"events":[]}`, nil, 400},
		{c.h, "POST /api/events", "", "", big, nil, 413},
		{c.h, "POST /api/events", "", "", string(event), plain, 415},
		{failing, "POST /api/events", "", "", string(event), nil, 500},
	} {
		status := strconv.Itoa(tt.status)
		seen[tt.op+" "+status] = true
		t.Run(tt.op+" "+status, func(t *testing.T) {
			r := request(tt.op, tt.id, tt.query, tt.body)
			r.PathParameters["touchpoint"], r.PathParameters["key"] = tt.id, tt.id
			if tt.with != nil {
				tt.with(&r)
			}
			resp, err := tt.h.Handle(ctx, r)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.status {
				t.Fatalf("status %d, want %d: %s", resp.StatusCode, tt.status, resp.Body)
			}
			method, path, _ := strings.Cut(tt.op, " ")
			place := []string{"paths", path, strings.ToLower(method)}
			if tt.body != "" && tt.status < 300 {
				s.check(t, tt.body, append(place, "requestBody", "content", "application/json", "schema")...)
			}
			answer := objectAt(t, doc, append(place, "responses", status)...)
			for name := range answerHeaders(answer) {
				if resp.Headers[strings.ToLower(name)] == "" {
					t.Errorf("there is no header %s", name)
				}
			}
			if answer["content"] == nil {
				if resp.Body != "" {
					t.Errorf("a body: %s", resp.Body)
				}
				return
			}
			kind, _, _ := strings.Cut(resp.Headers["content-type"], ";")
			content := objectAt(t, doc, append(place, "responses", status, "content")...)
			if content[kind] == nil {
				t.Errorf("content-type is %q", resp.Headers["content-type"])
			}
			if content["application/json"] == nil {
				return // a file
			}
			place = append(place, "responses", status)
			if ref, ok := objectAt(t, doc, place[:4]...)[status].(object)["$ref"].(string); ok {
				place = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
			}
			s.check(t, resp.Body, append(place, "content", "application/json", "schema")...)
		})
	}
	for _, op := range operations(doc) {
		method, path, _ := strings.Cut(op, " ")
		for status := range objectAt(t, doc, "paths", path, strings.ToLower(method), "responses") {
			gateway := status == "403" && op != "PATCH /api/contacts/{id}" // answered before the handler is asked
			if !seen[op+" "+status] && !gateway {
				t.Errorf("%s is never answered with %s", op, status)
			}
		}
	}
}

func answerHeaders(answer object) object {
	h, _ := answer["headers"].(object)
	return h
}

// broken is what does not know whether there are generated answers.
type broken struct{}

func (broken) HasDemo(context.Context) (bool, error) { return false, errors.New("down") }

// down is touchpoints that cannot be read.
type down struct{ definitions }

func (down) All(context.Context) ([]*survey.Touchpoint, error) { return nil, errors.New("down") }
