package touchpoints

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/survey"
)

const example = "../../dev/touchpoints.yaml"

func readExample(t testing.TB) ([]byte, []*survey.Touchpoint) {
	t.Helper()
	b, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Read("touchpoints.yaml", b)
	if err != nil {
		t.Fatal(err)
	}
	return b, f.Touchpoints
}

// TestExample holds the example to its promise: every metric and every phase,
// and every text in all three languages.
func TestExample(t *testing.T) {
	_, all := readExample(t)
	metrics, phases := map[survey.Metric]bool{}, map[survey.Phase]bool{}
	for _, tp := range all {
		metrics[tp.Metric], phases[tp.Phase] = true, true
		texts := []survey.Text{tp.Name, tp.Question, tp.Low, tp.High, tp.Thanks}
		for _, c := range tp.Followup {
			texts = append(texts, c)
		}
		for _, text := range texts {
			if len(text) != 0 && len(text) != 3 {
				t.Errorf("%s: %v is not in three languages", tp.ID, text)
			}
		}
	}
	if len(metrics) != len(survey.Metrics()) || len(phases) != len(survey.Phases()) {
		t.Errorf("metrics %v, phases %v", metrics, phases)
	}
	if i := slices.IndexFunc(all, func(tp *survey.Touchpoint) bool { return tp.ID == "shop-nps" }); i < 0 || *all[i].Goal != 50 || all[i].Trigger.Delay.String() != "7d" {
		t.Error("shop-nps is not the one of the contract")
	}
}

func TestReadRefuses(t *testing.T) {
	ok := `locales: [fi, sv]
touchpoints:
  - id: shop
    phase: after
    metric: nps
    channels: [email]
    name: {fi: Kauppa}
    question:
      fi: Suosittelisitko?
      sv: Skulle du rekommendera?
`
	if _, err := Read("f.yaml", []byte(ok)); err != nil {
		t.Fatal(err)
	}
	_, entry, _ := strings.Cut(ok, "touchpoints:\n")
	tests := []struct {
		name, file string
		want       []string // lines, in any order
	}{
		{"empty", "", []string{"f.yaml: the file is empty"}},
		{"only a comment", "# nothing\n", []string{"f.yaml: the file is empty"}},
		{"no touchpoints", "locales: [fi]\n", []string{"f.yaml: touchpoints must list at least one"}},
		{"two documents", ok + "---\n" + ok, []string{"f.yaml: a touchpoints file is one YAML document"}},
		{"too large", strings.Repeat("#", MaxFile+1), []string{"f.yaml: a touchpoints file has at most 1048576 bytes"}},
		{"unknown key at the top", "colour: red\n" + ok, []string{`f.yaml:1: unknown field "colour"`}},
		{"unknown key", strings.Replace(ok, "    metric:", "    metrik: nps\n    metric:", 1), []string{`f.yaml:5: touchpoints[0]: unknown field "metrik"`}},
		{"key twice", strings.Replace(ok, "    metric:", "    phase: before\n    metric:", 1), []string{`f.yaml:5: mapping key "phase" already defined at [4:5]`}},
		{"bad value", strings.Replace(ok, "metric: nps", "metric: stars", 1), []string{"f.yaml:5: touchpoints[0].metric must be one of nps, csat, ces, ces5, smiley, thumbs"}},
		{"text in an unlisted language", strings.Replace(ok, "sv: Skulle", "de: Würden", 1), []string{"f.yaml:10: touchpoints[0].question.de is in a language that locales does not list"}},
		{"missing field", strings.Replace(ok, "    name: {fi: Kauppa}\n", "", 1), []string{"f.yaml:3: touchpoints[0].name must have a text in at least one of fi, sv"}},
		{"every mistake", strings.NewReplacer("after", "later", "[email]", "[email, pigeon]").Replace(ok), []string{
			"f.yaml:4: touchpoints[0].phase must be one of before, during, after, leaving",
			`f.yaml:6: touchpoints[0].channels[1] must be one of email, sms, widget, app, link, kiosk, agent, not "pigeon"`,
		}},
		{"a span", ok + "    recontact: 3 weeks\n", []string{`f.yaml:3: touchpoints[0]: "3 weeks" is not a time span: write a whole number and s, m, h or d, at most 3650d`}},
		{"wrong type", strings.Replace(ok, "[email]", "7", 1), []string{"f.yaml:6: touchpoints[0]: int was used where sequence is expected"}},
		{"version and series", ok + "    version: 2\n    series: 3\n", []string{
			"f.yaml:11: touchpoints[0].version is counted by the store, not set in the file",
			"f.yaml:12: touchpoints[0].series is counted by the store, not set in the file",
		}},
		{"rules of asking", "asking:\n  rest: 14d\n  zone: Helsinki\n  quiet: {from: 25, to: 8}\n  closed:\n    - 12-27\n    - 30.2.\n" + ok, []string{
			"f.yaml:3: asking.zone must be a time zone such as Europe/Helsinki",
			"f.yaml:4: asking.quiet must be hours from 0 to 23",
			`f.yaml:7: asking.closed[1] must be a day such as 2026-12-27, or 12-27 for every year, not "30.2."`,
		}},
		{"a rule of asking unknown", "asking:\n  rest: 14d\n  pause: 3d\n" + ok, []string{`f.yaml:3: asking: unknown field "pause"`}},
		{"a quiet hour unknown", "asking:\n  quiet: {from: 20, until: 8}\n" + ok, []string{`f.yaml:2: asking: unknown field "until"`}},
		{"a rule of asking that is no span", "asking:\n  rest: a month\n" + ok, []string{`f.yaml:2: asking: "a month" is not a time span: write a whole number and s, m, h or d, at most 3650d`}},
		{"rules of asking with a version", "asking:\n  version: 2\n" + ok, []string{"f.yaml:2: asking.version is counted by the store, not set in the file"}},
		{"rules of asking in a word", "asking: gently\n" + ok, []string{"f.yaml:1: asking: string was used where mapping is expected"}},
		{"rules and touchpoints", "asking: {locale: suomi}\n" + strings.Replace(ok, "nps", "stars", 1), []string{
			"f.yaml:1: asking.locale must be a language such as fi or sv-FI",
			"f.yaml:6: touchpoints[0].metric must be one of nps, csat, ces, ces5, smiley, thumbs",
		}},
		{"an event that nobody knows", ok + "    trigger:\n      event: purchase.complete\n", []string{
			`f.yaml:12: touchpoints[0].trigger.event must be one of purchase.completed, delivery.completed, ticket.closed, call.ended, meeting.held, trial.ended, cart.abandoned, subscription.cancelled, custom, not "purchase.complete"`,
		}},
		{"a message that names what nobody knows", ok + "    message:\n      subject:\n        fi: Hei {firstName}\n        sv: Hej {förnamn}\n      reply: true\n", []string{
			"f.yaml:14: touchpoints[0].message.subject.sv must name only {firstName}, {company}, {about}, {date}, not {förnamn}",
			"f.yaml:15: touchpoints[0].message.reply needs sms among channels",
		}},
		{"same id twice", ok + entry, []string{"f.yaml:11: touchpoints[1].id is that of touchpoints[0] too"}},
		{"a list of texts", "locales: [fi]\ntouchpoints: [shop]\n", []string{"f.yaml:2: touchpoints[0]: string was used where mapping is expected"}},
		{"nothing", "locales: [fi]\ntouchpoints: [~]\n", []string{"f.yaml:2: touchpoints[0] must be a touchpoint"}},
		{"no YAML", "touchpoints: [{id: a\n", []string{"f.yaml:1: could not find flow mapping end token '}'"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read("f.yaml", []byte(tt.file))
			if err == nil {
				t.Fatal("no error")
			}
			got := slices.Sorted(strings.SplitSeq(err.Error(), "\n"))
			want := slices.Sorted(slices.Values(tt.want))
			if !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// The rules of asking are read as they are stated, and no more.
func TestReadAsking(t *testing.T) {
	f, err := Read("f.yaml", []byte(`asking:
  rest: 14d
  recontact: 0s
  quiet: {from: 21, to: 9}
  holidays: none
  closed: ["12-27", 2026-12-28]
  country: SE
  zone: Europe/Stockholm
  locale: sv-FI
  replyTo: a@example.com
`))
	want := survey.Rules{
		Rest: new(survey.Span(14 * 24 * time.Hour)), Recontact: new(survey.Span(0)), Quiet: &survey.Quiet{From: 21, To: 9},
		Holidays: "none", Closed: []string{"12-27", "2026-12-28"}, Country: "SE", Zone: "Europe/Stockholm", Locale: "sv-FI", ReplyTo: "a@example.com",
	}
	if err != nil || f.Asking == nil || !reflect.DeepEqual(*f.Asking, want) || len(f.Touchpoints) != 0 {
		t.Errorf("%+v, %v", f.Asking, err)
	}
	f, err = Read("f.yaml", []byte("asking: {}\n"))
	if err != nil || f.Asking == nil || !reflect.DeepEqual(*f.Asking, survey.Rules{}) {
		t.Errorf("%+v, %v", f.Asking, err)
	}
}

// Every type of event can be a trigger.
func TestTriggersOfEvents(t *testing.T) {
	for _, typ := range events.Types() {
		file := "locales: [fi]\ntouchpoints: [{id: a, phase: after, metric: nps, channels: [email], name: {fi: A}, question: {fi: B}, trigger: {event: " + typ + "}}]\n"
		if _, err := Read("f.yaml", []byte(file)); err != nil {
			t.Error(err)
		}
	}
}

// FuzzRead holds that whatever is read can be stored: it is valid, and has
// neither version nor series.
func FuzzRead(f *testing.F) {
	b, _ := readExample(f)
	f.Add(b)
	for _, s := range []string{"", "touchpoints: [{id: a}]", "touchpoints:\n- id: &a b\n  name: *a\n", "a: &a [*a]", "touchpoints: {}", "touchpoints: [[]]", "? {a: b}\n: c", "asking: {rest: 14d, quiet: {from: 21, to: 9}, closed: [\"12-27\"], zone: UTC}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Read("f.yaml", b)
		if err != nil {
			return
		}
		if r := file.Asking; r != nil && (r.Validate() != nil || r.Version != 0) {
			t.Fatalf("%+v", *r)
		}
		for _, tp := range file.Touchpoints {
			if err := tp.Validate(); err != nil || tp.Version != 0 || tp.Series != 0 {
				t.Fatalf("%+v: %v", tp, err)
			}
		}
	})
}
