package results

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

const (
	routeShow    = "GET /api/touchpoints/{touchpoint}"
	routePut     = "PUT /api/touchpoints/{touchpoint}"
	routePlan    = "POST /api/touchpoints/{touchpoint}/plan"
	routePreview = "POST /api/touchpoints/{touchpoint}/preview"
)

// written is definitions in memory that can be changed.
type written struct{ definitions }

func (w *written) Stored(ctx context.Context, id string) (*survey.Touchpoint, error) {
	return w.Touchpoint(ctx, id)
}

func (w *written) PutTouchpoint(_ context.Context, was, t *survey.Touchpoint) error {
	i := slices.IndexFunc(w.definitions, func(other *survey.Touchpoint) bool { return other.ID == t.ID })
	if (i < 0) != (was == nil) || i >= 0 && w.definitions[i].Version != was.Version {
		return survey.Errorf(survey.Conflict, "id", "touchpoint %s has been changed meanwhile, read it again", t.ID)
	}
	if i < 0 {
		w.definitions = append(w.definitions, t)
	} else {
		w.definitions[i] = t
	}
	return nil
}

// unwritten is definitions that can be neither read nor changed.
type unwritten struct{ err error }

func (u unwritten) Stored(context.Context, string) (*survey.Touchpoint, error) { return nil, u.err }
func (u unwritten) PutTouchpoint(context.Context, *survey.Touchpoint, *survey.Touchpoint) error {
	return u.err
}

// lost is rules that cannot be read.
type lost struct{}

func (lost) Rulebook(context.Context) (*asking.Rulebook, error) { return nil, errors.New("down") }

// everything is a definition that has every field.
const everything = `{"id":"shop-nps","phase":"during","metric":"csat","locales":["fi","sv-FI"],"channels":["email","sms","widget"],
	"origins":["https://shop.example"],"name":{"fi":"Kauppa"},"question":{"fi":"Kuinka tyytyväinen?","sv-FI":"Hur nöjd?"},
	"low":{"fi":"En"},"high":{"fi":"Hyvin"},"followup":{"satisfied":{"fi":"Miksi?"}},"thanks":{"fi":"Kiitos"},"goal":80.5,
	"recontact":"90d","rest":"0s","stopped":true,
	"trigger":{"event":"purchase.completed","delay":"7d","when":[{"field":"total","in":["a"],"min":1,"max":2.5}],"hour":10,
		"weekdays":["mon"],"segments":["vip"],"sample":50,"reminder":"7d"},
	"message":{"subject":{"fi":"{company} kysyy"},"preheader":{"fi":"Yksi"},"opening":{"fi":"Hei"},"news":{"fi":"Uutta"},"sms":{"fi":"1-5?"},"reply":true},
	"widget":{"include":["/a*"],"exclude":["/ab"],"delay":"3s","scroll":1,"exit":true,"views":2,"sample":20,"recontact":"1d","dismissed":"1d",
		"place":"inline","target":"#x","color":"#ffcc00","shape":"faces","link":"https://review.example/"},
	"segments":{"plan":["gold"]}}`

// settings returns a handler with a touchpoint, version 3 and series 2, and
// another.
func settings() (*Handler, *written) {
	shop := touchpoint("shop-nps", survey.NPS, 2)
	shop.Version, shop.Goal = 3, new(50.0)
	w := &written{definitions{shop, touchpoint("other", survey.CSAT, 1)}}
	h := newHandler(nil, nil)
	h.Touchpoints, h.Definitions, h.Rules = w, w, book(survey.Rules{Company: "Kauppa", Postal: "Katu 1"}.Complete())
	return h, w
}

// as makes a request as somebody in those groups.
func as(t *testing.T, h *Handler, route, id, body string, groups ...string) apigw.Response {
	t.Helper()
	r := request(route, "", "", body)
	r.PathParameters["touchpoint"] = id
	resp, err := h.Handle(t.Context(), testkit.SignedIn(r, groups...))
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// declared writes a definition of shop-nps with some fields otherwise: null
// for none.
func declared(t *testing.T, otherwise string) string {
	t.Helper()
	_, w := settings()
	return declaredOf(t, w.definitions[0], otherwise)
}

func declaredOf(t *testing.T, of *survey.Touchpoint, otherwise string) string {
	t.Helper()
	b, err := json.Marshal(newDefinition(of).Definition)
	if err != nil {
		t.Fatal(err)
	}
	var o object
	for _, b := range [][]byte{b, []byte(otherwise)} {
		if err := json.Unmarshal(b, &o); err != nil {
			t.Fatal(err)
		}
	}
	out, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestSettingsByRole(t *testing.T) {
	same := declared(t, "{}")
	for _, route := range []struct {
		name, body string
		allowed    []string
	}{
		{routeShow, "", []string{"viewer", "agent", "admin", "viewer touchpoint:shop-nps", "viewer segment:vip"}},
		{routePut, `{"version":3,"definition":` + same + `}`, []string{"admin"}},
		{routePlan, `{"definition":` + same + `}`, []string{"admin"}},
		{routePreview, `{"kind":"page"}`, []string{"viewer", "agent", "admin", "viewer touchpoint:shop-nps", "viewer segment:vip"}},
		{routePreview, `{"kind":"page","definition":null}`, []string{"viewer", "agent", "admin", "viewer touchpoint:shop-nps", "viewer segment:vip"}},
		{routePreview, `{"kind":"page","definition":` + same + `}`, []string{"admin"}},
	} {
		for _, groups := range []string{"", "viewer", "agent", "admin", "viewer touchpoint:shop-nps", "viewer segment:vip", "viewer touchpoint:other"} {
			h, _ := settings()
			resp := as(t, h, route.name, "shop-nps", route.body, strings.Fields(groups)...)
			want := http.StatusForbidden
			switch {
			case slices.Contains(route.allowed, groups):
				want = http.StatusOK
			case groups == "viewer touchpoint:other" && slices.Contains(route.allowed, "viewer"):
				want = http.StatusNotFound
			}
			if resp.StatusCode != want {
				t.Errorf("%s %s as %q: status %d, want %d: %s", route.name, route.body, groups, resp.StatusCode, want, resp.Body)
			}
		}
	}
}

// What somebody may not see is answered in the words of what is not there.
func TestHiddenIsNotThere(t *testing.T) {
	h, _ := settings()
	for route, body := range map[string]string{routeShow: "", routePreview: `{"kind":"sms"}`} {
		hidden := as(t, h, route, "shop-nps", body, "viewer", "touchpoint:other").Body
		if nowhere := as(t, h, route, "nowhere", body, "viewer", "touchpoint:other").Body; hidden != nowhere {
			t.Errorf("%s: %s for one that is hidden, %s for none", route, hidden, nowhere)
		}
	}
}

func TestShowTouchpoint(t *testing.T) {
	h, _ := settings()
	resp := as(t, h, routeShow, "shop-nps", "", "viewer")
	want := `{"version":3,"definition":` + `{"id":"shop-nps","phase":"after","metric":"nps","locales":["fi","en"],"channels":["email","widget"],` +
		`"name":{"en":"Web shop","fi":"Verkkokauppa"},"question":{"en":"How likely are you to recommend us?","fi":"Kuinka todennäköisesti suosittelisit meitä?"},"goal":50}}`
	if resp.Body != want {
		t.Errorf("got %s\nwant %s", resp.Body, want)
	}
	// What is read can be written.
	var read object
	if err := json.Unmarshal([]byte(resp.Body), &read); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(read)
	if err != nil {
		t.Fatal(err)
	}
	if resp := as(t, h, routePut, "shop-nps", string(again), "admin"); resp.StatusCode != http.StatusOK || !strings.Contains(resp.Body, `"version":3`) || !strings.Contains(resp.Body, `"changes":[]`) {
		t.Errorf("written again: %d %s", resp.StatusCode, resp.Body)
	}
}

func TestPlanTouchpoint(t *testing.T) {
	for _, tt := range []struct {
		name, id, definition, more string
		want                       string
	}{
		{"nothing", "shop-nps", "{}", "", `{"changes":[],"series":{"from":2,"to":2,"why":[],"words":""},"notes":[],"problems":[]}`},
		{"fields", "shop-nps", `{"goal":null,"low":{"fi":"Ei"},"channels":["link"]}`, "",
			`{"changes":[{"field":"channels","from":"[\"email\",\"widget\"]","to":"[\"link\"]"},{"field":"goal","from":"50","to":""},{"field":"low.fi","from":"","to":"\"Ei\""}],` +
				`"series":{"from":2,"to":2,"why":[],"words":""},"notes":[],"problems":[]}`},
		{"a new series", "shop-nps", `{"metric":"csat"}`, "",
			`{"changes":[{"field":"metric","from":"\"nps\"","to":"\"csat\""}],"series":{"from":2,"to":3,"why":[{"what":"metric","locales":[]}],"words":"the metric changes from nps to csat"},"notes":[],"problems":[]}`},
		{"a series that is kept", "shop-nps", `{"question":{"fi":"Suosittelisitko?","en":"How likely are you to recommend us?"}}`, `,"keepSeries":true`,
			`{"changes":[{"field":"question.fi","from":"\"Kuinka todennäköisesti suosittelisit meitä?\"","to":"\"Suosittelisitko?\""}],` +
				`"series":{"from":2,"to":2,"why":[{"what":"question","locales":["fi"]}],"words":"the question changes in fi"},"notes":[],"problems":[]}`},
		{"nothing to keep", "shop-nps", `{"metric":"csat"}`, `,"keepSeries":true`,
			`{"changes":[{"field":"metric","from":"\"nps\"","to":"\"csat\""}],"series":{"from":2,"to":3,"why":[{"what":"metric","locales":[]}],"words":"the metric changes from nps to csat"},"notes":[],` +
				`"problems":[{"field":"keepSeries","message":"keepSeries must not be set: the metric changes from nps to csat, whose answers cannot be counted together"}]}`},
		{"whom it asks", "shop-nps", `{"stopped":true,"trigger":{"event":"call.ended","hour":21}}`, "",
			`{"changes":[{"field":"stopped","from":"","to":"true"},{"field":"trigger.event","from":"","to":"\"call.ended\""},{"field":"trigger.hour","from":"","to":"21"}],` +
				`"series":{"from":2,"to":2,"why":[],"words":""},"notes":["nobody is asked from now on, not even who is in the queue","21 is a quiet hour: asks are sent at 8"],"problems":[]}`},
		{"a new touchpoint", "new", `{"id":"new"}`, "", `{"changes":[],"series":{"from":0,"to":1,"why":[],"words":""},"notes":[],"problems":[]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, w := settings()
			before := *w.definitions[0]
			resp := as(t, h, routePlan, tt.id, `{"definition":`+declared(t, tt.definition)+tt.more+`}`, "admin")
			if resp.StatusCode != http.StatusOK || resp.Body != tt.want {
				t.Errorf("%d\ngot  %s\nwant %s", resp.StatusCode, resp.Body, tt.want)
			}
			if diff := cmp.Diff(before, *w.definitions[0]); diff != "" || len(w.definitions) != 2 {
				t.Errorf("a plan has changed something: %s", diff)
			}
		})
	}
}

// TestProblems holds that all that is wrong is told at once by a plan, and the
// first of it by a change.
func TestProblems(t *testing.T) {
	for _, tt := range []struct {
		name, definition string // null in place of its own
		want             []string
	}{
		{"no object", `7`, []string{"definition: definition must be an object"}},
		{"nothing", `null`, []string{"definition: definition must be an object"}},
		{"fields nobody reads", declared(t, `{"colour":1,"widget":{"delay":"3s","Color":"#ffffff"},"trigger":{"event":"call.ended","when":[{"field":"a","in":["b"]},{"feld":"a"}]}}`), []string{
			"colour: colour is not a field of a definition", "trigger.when[1].feld: trigger.when[1].feld is not a field of a definition",
			"widget.Color: widget.Color is not a field of a definition",
			"trigger.when[1].field: trigger.when[1].field must be 1 to 100 characters", "trigger.when[1]: trigger.when[1] must have in, min or max",
		}},
		{"wrong types", declared(t, `{"goal":"50","locales":"fi","name":{"fi":1},"stopped":"no","recontact":90,"rest":"30 days","widget":{"scroll":1.5,"sample":[]},"segments":{"plan":"gold"},"trigger":[]}`), []string{
			"goal: goal must be a number", "locales: locales must be a list", "name.fi: name.fi must be a text", `recontact: recontact must be a text`,
			`rest: rest: "30 days" is not a time span: write a whole number and s, m, h or d, at most 3650d`,
			"segments.plan: segments.plan must be a list", "stopped: stopped must be true or false", "trigger: trigger must be an object",
			"widget.sample: widget.sample must be a whole number", "widget.scroll: widget.scroll must be a whole number",
		}},
		{"rules", declared(t, `{"phase":"never","goal":101,"question":{"fi":"","de":"Wie?"},"trigger":{"event":"purchase.regretted"}}`), []string{
			"phase: phase must be one of before, during, after, leaving", "question: question must have a text in at least one of fi, en", "question.de: question.de is in a language that locales does not list",
			"question.fi: question.fi must not be empty", "goal: goal must be from -100 to 100 for nps",
			`trigger.event: trigger.event must be one of purchase.completed, delivery.completed, ticket.closed, call.ended, meeting.held, trial.ended, cart.abandoned, subscription.cancelled, custom, not "purchase.regretted"`,
		}},
		{"what is not its own", declared(t, `{"id":"other","version":3,"series":9}`), []string{
			"version: version and series are counted by Pulssi, not set in a definition", "id: id must be shop-nps, as in the address",
		}},
		{"too long an SMS", declared(t, `{"channels":["sms"],"question":{"fi":"Miten?","en":"`+strings.Repeat("š", 210)+`"}}`), []string{
			"question: the SMS in en takes 5 parts (316 units of ucs-2), and at most 3 are sent: shorten message.sms, or the question where there is none",
		}},
		{"a field twice", strings.Replace(declared(t, `{"goal":1,"name":{"fi":"A"}}`), `"name":{`, `"goal":2,"name":{"fi":"B",`, 1), []string{
			"goal: goal must be there once", "name.fi: name.fi must be there once",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, w := settings()
			var got touchpointPlan
			resp := as(t, h, routePlan, "shop-nps", `{"definition":`+tt.definition+`}`, "admin")
			if err := json.Unmarshal([]byte(resp.Body), &got); err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("%d, %v: %s", resp.StatusCode, err, resp.Body)
			}
			var problems []string
			for _, p := range got.Problems {
				problems = append(problems, p.Field+": "+p.Message)
			}
			if diff := cmp.Diff(tt.want, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			field, message, _ := strings.Cut(tt.want[0], ": ")
			code := survey.Invalid
			if strings.HasSuffix(message, "not a field of a definition") {
				code = survey.UnknownField
			}
			wantError(t, as(t, h, routePut, "shop-nps", `{"version":3,"definition":`+tt.definition+`}`, "admin"), code, field, message)
			wantError(t, as(t, h, routePreview, "shop-nps", `{"kind":"page","definition":`+strings.Replace(tt.definition, "null", "0", 1)+`}`, "admin"), code, field, message)
			if w.definitions[0].Version != 3 {
				t.Error("it has been stored")
			}
		})
	}
}

func wantError(t *testing.T, resp apigw.Response, code survey.Code, field, message string) {
	t.Helper()
	var got struct {
		Error struct {
			Code           survey.Code
			Field, Message string
		}
	}
	if err := json.Unmarshal([]byte(resp.Body), &got); err != nil {
		t.Fatalf("%v: %s", err, resp.Body)
	}
	if got.Error.Code != code || got.Error.Field != field || got.Error.Message != message || resp.StatusCode != apigw.Status(code) {
		t.Errorf("got %d %s, want %s on %s: %s", resp.StatusCode, resp.Body, code, field, message)
	}
}

func TestManyProblems(t *testing.T) {
	h, _ := settings()
	var fields []string
	for i := range 2 * maxProblems {
		fields = append(fields, fmt.Sprintf(`"f%d":0`, i))
	}
	var got touchpointPlan
	resp := as(t, h, routePlan, "shop-nps", `{"definition":{`+strings.Join(fields, ",")+`}}`, "admin")
	if err := json.Unmarshal([]byte(resp.Body), &got); err != nil || len(got.Problems) != maxProblems {
		t.Errorf("%d problems, want %d; %v", len(got.Problems), maxProblems, err)
	}
}

func TestPutTouchpoint(t *testing.T) {
	var logged bytes.Buffer
	logger := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	defer slog.SetDefault(logger)
	h, w := settings()
	put := func(id string, version int, definition, more string) apigw.Response {
		t.Helper()
		return as(t, h, routePut, id, fmt.Sprintf(`{"version":%d,"definition":%s%s}`, version, definition, more), "admin")
	}
	for i, tt := range []struct {
		id, definition, more string
		made                 int // from that version
		status               int
		version, from, to    int // series
		line                 string
	}{
		{"shop-nps", `{"goal":40}`, "", 3, 200, 4, 2, 2, "touchpoint=shop-nps version=4 series=2"},
		{"shop-nps", `{"goal":40}`, "", 4, 200, 4, 2, 2, ""}, // nothing to write
		{"shop-nps", `{"goal":40,"question":{"fi":"Suosittelisitko?","en":"Would you?"}}`, "", 4, 200, 5, 2, 3, "touchpoint=shop-nps version=5 series=3"},
		{"shop-nps", `{"goal":40,"question":{"fi":"Suosittelisitko meitä?","en":"Would you?"}}`, `,"keepSeries":true`, 5, 200, 6, 3, 3, "touchpoint=shop-nps version=6 series=3"},
		{"new", `{"id":"new"}`, `,"keepSeries":false`, 0, 201, 1, 0, 1, "touchpoint=new version=1 series=1"},
	} {
		logged.Reset()
		resp := put(tt.id, tt.made, declared(t, tt.definition), tt.more)
		var got changedTouchpoint
		if err := json.Unmarshal([]byte(resp.Body), &got); err != nil || resp.StatusCode != tt.status {
			t.Fatalf("%d: status %d, %v: %s", i, resp.StatusCode, err, resp.Body)
		}
		if got.Version != tt.version || got.Series.From != tt.from || got.Series.To != tt.to || got.Definition.ID != tt.id || got.Definition.Series != 0 {
			t.Errorf("%d: %s", i, resp.Body)
		}
		stored, err := w.Stored(t.Context(), tt.id)
		if err != nil || stored.Version != tt.version || stored.Series != tt.to {
			t.Errorf("%d: stored is %+v, %v", i, stored, err)
		}
		line := logged.String()
		if (line == "") != (tt.line == "") || !strings.HasSuffix(line, tt.line+"\n") && line != "" ||
			line != "" && !strings.Contains(line, `msg="touchpoint changed" request="" by=00000000-0000-4000-8000-000000000001`) {
			t.Errorf("%d: logged %q, want %q", i, line, tt.line)
		}
	}
	wantError(t, put("shop-nps", 5, declared(t, "{}"), ""), survey.Conflict, "version", "version must be 6, which is in force by now: read the touchpoint again")
	wantError(t, put("shop-nps", 0, declared(t, "{}"), ""), survey.Conflict, "version", "version must be 6, which is in force by now: read the touchpoint again")
	wantError(t, put("gone", 1, declared(t, `{"id":"gone"}`), ""), survey.NotFound, "touchpoint", "there is no such touchpoint")
	wantError(t, put("shop-nps", -1, declared(t, "{}"), ""), survey.Invalid, "version", "version must be that of the definition which is changed, or 0 for a new touchpoint")
	wantError(t, as(t, h, routePut, "shop-nps", `{"definition":{}}`, "admin"), survey.Invalid, "version", "version must be that of the definition which is changed, or 0 for a new touchpoint")
	wantError(t, put("shop-nps", 6, declared(t, "{}"), `,"keep":true`), survey.UnknownField, "keep", "keep is not a field of this request")
	wantError(t, put("New%20One", 0, declared(t, "{}"), ""), survey.Invalid, "touchpoint", "touchpoint must be 1 to 63 characters of a-z, 0-9 and -, and not start with -")
}

// A definition of three languages with every text at its limit fits into a
// request; a byte over the limit does not.
func TestLargestDefinition(t *testing.T) {
	text := func(n int) string {
		return fmt.Sprintf(`{"fi":%q,"sv":%[1]q,"en":%[1]q}`, strings.Repeat("a", n))
	}
	definition := declared(t, fmt.Sprintf(`{"locales":["fi","sv","en"],"name":%s,"low":%[1]s,"high":%[1]s,"question":%s,"thanks":%[2]s,
		"followup":{"promoter":%[2]s,"passive":%[2]s,"detractor":%[2]s},"message":{"subject":%[1]s,"preheader":%[1]s,"opening":%[2]s,"news":%[2]s}}`, text(survey.MaxName), text(survey.MaxText)))
	for size, want := range map[int]int{apigw.MaxBody: http.StatusOK, apigw.MaxBody + 1: http.StatusRequestEntityTooLarge} {
		h, _ := settings()
		body := `{"version":3,"definition":` + definition + `}`
		if len(body) > size {
			t.Fatalf("the definition alone takes %d bytes", len(body))
		}
		body += strings.Repeat(" ", size-len(body))
		if resp := as(t, h, routePut, "shop-nps", body, "admin"); resp.StatusCode != want {
			t.Errorf("%d bytes: status %d, want %d: %s", size, resp.StatusCode, want, resp.Body)
		}
	}
}

// TestContractHasEveryFieldOfADefinition holds the contract's schema against
// the type, and everything against both.
func TestContractHasEveryFieldOfADefinition(t *testing.T) {
	doc := contract(t)
	if _, problems := readDefinition(json.RawMessage(everything), "shop-nps", "Kauppa"); problems != nil {
		t.Fatal(problems)
	}
	var sample object
	if err := json.Unmarshal([]byte(everything), &sample); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		of     reflect.Type
		sample object
		// but are fields that the contract or the sample has not: counted, or
		// at odds with others.
		but, notInSample []string
	}{
		"Definition":   {reflect.TypeFor[survey.Touchpoint](), sample, []string{"version", "series"}, nil},
		"Trigger":      {reflect.TypeFor[survey.Trigger](), sample["trigger"].(object), nil, []string{"every", "spread", "on"}},
		"MessageTexts": {reflect.TypeFor[survey.Message](), sample["message"].(object), nil, nil},
		"Widget":       {reflect.TypeFor[survey.Widget](), sample["widget"].(object), nil, nil},
	} {
		var fields []string
		for i := range tt.of.NumField() {
			field, _, _ := strings.Cut(tt.of.Field(i).Tag.Get("json"), ",")
			if !slices.Contains(tt.but, field) {
				fields = append(fields, field)
			}
		}
		slices.Sort(fields)
		if diff := cmp.Diff(fields, slices.Sorted(maps.Keys(objectAt(t, doc, "components", "schemas", name, "properties")))); diff != "" {
			t.Errorf("%s: -type +contract:\n%s", name, diff)
		}
		fields = slices.DeleteFunc(fields, func(f string) bool { return slices.Contains(tt.notInSample, f) })
		if diff := cmp.Diff(fields, slices.Sorted(maps.Keys(tt.sample))); diff != "" {
			t.Errorf("%s: -type +sample:\n%s", name, diff)
		}
	}
}

// Whatever a definition is, reading it ends with a touchpoint and a list of
// problems, and where there is none the touchpoint is valid.
func FuzzReadDefinition(f *testing.F) {
	for _, seed := range []string{`{}`, `null`, `{"":{}}`, `{"id":"a","goal":1e400,"rest":null}`, `{"name":{"fi":null},"widget":{"sample":1e2}}`, `{"trigger":{"when":[{}, null]}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !json.Valid(b) {
			return
		}
		tp, problems := readDefinition(bytes.TrimSpace(b), "shop", "Kauppa")
		if len(problems) == 0 {
			if err := tp.Validate(); err != nil {
				t.Errorf("%s is read as valid: %v", b, err)
			}
		}
		for _, p := range problems {
			if p.Field == "" || p.Message == "" {
				t.Errorf("%s: a problem that says nothing: %+v", b, p)
			}
		}
	})
}
