package revision_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/revision"
	"github.com/pulssi/pulssi/shared/survey"
)

// shop returns version 4 of a touchpoint, in its second series.
func shop() *survey.Touchpoint {
	return &survey.Touchpoint{
		ID: "shop", Version: 4, Series: 2, Phase: survey.After, Metric: survey.NPS, Locales: []string{"fi", "sv"},
		Channels: []survey.Channel{survey.Email, survey.SMS},
		Name:     survey.Text{"fi": "Kauppa"}, Question: survey.Text{"fi": "Suosittelisitko?", "sv": "Rekommenderar du?"},
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name            string
		change          func(*survey.Touchpoint)
		keep            bool
		version, series int
		fields          string // by path
		reason          string
		causes          []revision.Cause
	}{
		{name: "nothing", change: func(*survey.Touchpoint) {}, version: 4, series: 2},
		{name: "other versions do not count", change: func(t *survey.Touchpoint) { t.Version, t.Series = 9, 9 }, version: 4, series: 2},
		{name: "a goal", change: func(t *survey.Touchpoint) { t.Goal = new(40.0) }, version: 5, series: 2, fields: "goal"},
		{name: "a language more", change: func(t *survey.Touchpoint) {
			t.Locales, t.Question["en"] = append(t.Locales, "en"), "Would you?"
		}, version: 5, series: 2, fields: "locales question.en"},
		{name: "a metric", change: func(t *survey.Touchpoint) { t.Metric, t.Question["fi"] = survey.CSAT, "Kuinka?" }, version: 5, series: 3, fields: "metric question.fi",
			reason: "the metric changes from nps to csat", causes: []revision.Cause{{What: revision.Metric}}},
		{name: "words", change: func(t *survey.Touchpoint) { t.Question["sv"], t.Question["fi"] = "Hur?", "Kuinka?" }, version: 5, series: 3, fields: "question.fi question.sv",
			reason: "the question changes in fi, sv", causes: []revision.Cause{{What: revision.Question, Locales: []string{"fi", "sv"}}}},
		{name: "a language less", change: func(t *survey.Touchpoint) { delete(t.Question, "sv"); t.Question["fi"] = "Kuinka?" }, version: 5, series: 3, fields: "question.fi question.sv",
			reason: "the question changes in fi and is no longer asked in sv",
			causes: []revision.Cause{{What: revision.Question, Locales: []string{"fi"}}, {What: revision.Language, Locales: []string{"sv"}}}},
		{name: "mended words", keep: true, change: func(t *survey.Touchpoint) { t.Question["fi"] = "Suosittelisitko meitä?" }, version: 5, series: 2, fields: "question.fi",
			reason: "the question changes in fi", causes: []revision.Cause{{What: revision.Question, Locales: []string{"fi"}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			was, declared := shop(), shop()
			tt.change(declared)
			r, err := revision.New(was, declared, tt.keep)
			if err != nil {
				t.Fatal(err)
			}
			var fields []string
			for _, f := range r.Fields {
				fields = append(fields, f.Path)
			}
			if r.Becomes.Version != tt.version || r.Becomes.Series != tt.series || strings.Join(fields, " ") != tt.fields || r.Reason() != tt.reason {
				t.Errorf("version %d, series %d, fields %q, because %q", r.Becomes.Version, r.Becomes.Series, fields, r.Reason())
			}
			if r.Writes() != (tt.version > 4) || r.NewSeries() != (tt.series > 2) || r.Kept != tt.keep {
				t.Errorf("writes %v, new series %v, kept %v", r.Writes(), r.NewSeries(), r.Kept)
			}
			if diff := cmp.Diff(tt.causes, r.Causes); diff != "" {
				t.Errorf("causes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(shop(), was); diff != "" {
				t.Errorf("the definition in force has been changed:\n%s", diff)
			}
		})
	}
}

func TestANewTouchpoint(t *testing.T) {
	r, err := revision.New(nil, shop(), false)
	if err != nil || r.Becomes.Version != 1 || r.Becomes.Series != 1 || !r.Writes() || r.NewSeries() || r.Fields != nil || r.Reason() != "" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestNothingToKeep(t *testing.T) {
	csat := shop()
	csat.Metric = survey.CSAT
	for want, was := range map[string]*survey.Touchpoint{
		"the touchpoint is new": nil,
		"neither metric nor question changes, the series goes on anyway":                shop(),
		"the metric changes from csat to nps, whose answers cannot be counted together": csat,
	} {
		if _, err := revision.New(was, shop(), true); err == nil || err.Error() != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestDiff(t *testing.T) {
	was, becomes := shop(), shop()
	was.Thanks, was.Widget = survey.Text{"fi": "Kiitos"}, &survey.Widget{Delay: survey.Span(3 * time.Second)}
	becomes.Goal, becomes.Name["fi"], becomes.Channels = new(0.5), `Meidän <"kauppa">`, []survey.Channel{survey.Link}
	want := []revision.Field{
		{"channels", `["email","sms"]`, `["link"]`},
		{"goal", "", "0.5"},
		{"name.fi", `"Kauppa"`, `"Meidän <\"kauppa\">"`},
		{"thanks.fi", `"Kiitos"`, ""},
		{"widget.delay", `"3s"`, ""},
	}
	if diff := cmp.Diff(want, revision.Diff(was, becomes)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCheckEvent(t *testing.T) {
	tp := shop()
	for event, ok := range map[string]bool{"": true, "purchase.completed": true, "purchase.regretted": false} {
		tp.Trigger = &survey.Trigger{Event: event}
		if err := revision.CheckEvent(tp); (err == nil) != ok {
			t.Errorf("%q: %v", event, err)
		}
	}
	tp.Trigger = nil
	if err := revision.CheckEvent(tp); err != nil {
		t.Error(err)
	}
}

func TestCheckSMSNamesTheText(t *testing.T) {
	tp := shop()
	tp.Question["sv"] = strings.Repeat("ä", 450)
	for _, tt := range []struct {
		message *survey.Message
		want    string
	}{
		{nil, "question: the SMS in sv takes 4 parts"},
		{&survey.Message{Subject: survey.Text{"fi": "Hei"}}, "question: the SMS in sv takes 4 parts"},
		{&survey.Message{SMS: survey.Text{"fi": strings.Repeat("š", 200)}}, "message.sms: the SMS in fi takes 5 parts"},
		{&survey.Message{SMS: survey.Text{"fi": "Kuinka?"}}, ""},
	} {
		tp.Message = tt.message
		got := ""
		if errs := revision.CheckSMS(tp, "Kauppa"); len(errs) > 0 {
			got = errs[0].Field + ": " + errs[0].Message
		}
		if (got == "") != (tt.want == "") || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%+v: %q, want %q", tt.message, got, tt.want)
		}
	}
}

// The notes of cadences are held by the plans of scripts/apply.
func TestNotes(t *testing.T) {
	book := asking.NewRulebook(survey.DefaultRules())
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	was, becomes := shop(), shop()
	was.Trigger = &survey.Trigger{Event: "purchase.completed"}
	becomes.Stopped, becomes.Trigger = true, &survey.Trigger{Event: "call.ended", Hour: 21}
	want := []string{
		"nobody is asked after purchase.completed any more, not even who is in the queue",
		"nobody is asked from now on, not even who is in the queue",
		"21 is a quiet hour: asks are sent at 8",
	}
	if diff := cmp.Diff(want, revision.Notes(was, becomes, book, book, now)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if notes := revision.Notes(nil, shop(), book, book, now); notes != nil {
		t.Errorf("a new touchpoint that nobody is asked at: %q", notes)
	}
}
