package touchpoints

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pulssi/pulssi/shared/survey"
)

const example = "../../dev/touchpoints.yaml"

func readExample(t testing.TB) ([]byte, []*survey.Touchpoint) {
	t.Helper()
	b, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	all, err := Read("touchpoints.yaml", b)
	if err != nil {
		t.Fatal(err)
	}
	return b, all
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

// FuzzRead holds that whatever is read can be stored: it is valid, and has
// neither version nor series.
func FuzzRead(f *testing.F) {
	b, _ := readExample(f)
	f.Add(b)
	for _, s := range []string{"", "touchpoints: [{id: a}]", "touchpoints:\n- id: &a b\n  name: *a\n", "a: &a [*a]", "touchpoints: {}", "touchpoints: [[]]", "? {a: b}\n: c"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := Read("f.yaml", b)
		if err != nil {
			return
		}
		for _, tp := range all {
			if err := tp.Validate(); err != nil || tp.Version != 0 || tp.Series != 0 {
				t.Fatalf("%+v: %v", tp, err)
			}
		}
	})
}
