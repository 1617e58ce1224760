package survey

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// good returns a definition that breaks no rule.
func good() *Touchpoint {
	return &Touchpoint{
		ID: "shop-nps", Phase: After, Metric: NPS,
		Locales:  []string{"fi", "sv-FI"},
		Channels: []Channel{Email, Popup},
		Name:     Text{"fi": "Kauppa"},
		Question: Text{"fi": "Suosittelisitko meitä?", "sv-FI": "Rekommenderar du oss?"},
	}
}

func strs[T any](n int, f func(int) T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = f(i)
	}
	return out
}

// validations has one row on either side of every edge of every rule. A row
// without a message is accepted.
var validations = []struct {
	name    string
	edit    func(*Touchpoint)
	field   string
	message string
}{
	{"as it is", func(*Touchpoint) {}, "", ""},

	{"id empty", func(t *Touchpoint) { t.ID = "" }, "id", "id must be 1 to 63 characters of a-z, 0-9 and -, and not start with -"},
	{"id of 63", func(t *Touchpoint) { t.ID = strings.Repeat("a", 63) }, "", ""},
	{"id of 64", func(t *Touchpoint) { t.ID = strings.Repeat("a", 64) }, "id", "1 to 63"},
	{"id of one digit", func(t *Touchpoint) { t.ID = "7" }, "", ""},
	{"id of the ends of each range", func(t *Touchpoint) { t.ID = "az09-" }, "", ""},
	{"id past the ends of a range", func(t *Touchpoint) { t.ID = "a{" }, "id", "a-z"},
	{"id with - inside and at the end", func(t *Touchpoint) { t.ID = "a-" }, "", ""},
	{"id with - first", func(t *Touchpoint) { t.ID = "-a" }, "id", "not start with -"},
	{"id in capitals", func(t *Touchpoint) { t.ID = "Shop" }, "id", "a-z"},
	{"id with #", func(t *Touchpoint) { t.ID = "shop#1" }, "id", "a-z"},
	{"id with ä", func(t *Touchpoint) { t.ID = "ä" }, "id", "a-z"},

	{"phase missing", func(t *Touchpoint) { t.Phase = "" }, "phase", "phase must be one of before, during, after, leaving"},
	{"phase unknown", func(t *Touchpoint) { t.Phase = "later" }, "phase", "must be one of"},
	{"metric missing", func(t *Touchpoint) { t.Metric = "" }, "metric", "metric must be one of nps, csat, ces, ces5, smiley, thumbs"},
	{"metric unknown, the rest not held against it", func(t *Touchpoint) {
		t.Metric, t.Goal, t.Followup = "stars", new(50.0), map[Category]Text{Promoter: {"fi": "Miksi?"}}
	}, "metric", "must be one of"},

	{"no locale", func(t *Touchpoint) { t.Locales = nil }, "locales", "locales must name from 1 to 20 languages"},
	{"20 locales", func(t *Touchpoint) { t.Locales = locales(20) }, "", ""},
	{"21 locales", func(t *Touchpoint) { t.Locales = locales(21) }, "locales", "from 1 to 20"},
	{"locale of three letters", func(t *Touchpoint) { t.Locales = append(t.Locales, "smn") }, "", ""},
	{"locale of one letter", func(t *Touchpoint) { t.Locales = append(t.Locales, "f") }, "locales[2]", `locales[2] must be a language such as fi or sv-FI, not "f"`},
	{"locale of four letters", func(t *Touchpoint) { t.Locales = append(t.Locales, "finn") }, "locales[2]", "must be a language"},
	{"locale in capitals", func(t *Touchpoint) { t.Locales = append(t.Locales, "EN") }, "locales[2]", "must be a language"},
	{"region in small letters", func(t *Touchpoint) { t.Locales = append(t.Locales, "en-gb") }, "locales[2]", "must be a language"},
	{"region of three letters", func(t *Touchpoint) { t.Locales = append(t.Locales, "en-GBR") }, "locales[2]", "must be a language"},
	{"region of nothing", func(t *Touchpoint) { t.Locales = append(t.Locales, "en-") }, "locales[2]", "must be a language"},
	{"region with _", func(t *Touchpoint) { t.Locales = append(t.Locales, "en_GB") }, "locales[2]", "must be a language"},
	{"region of a foreign capital", func(t *Touchpoint) { t.Locales = append(t.Locales, "fi-İ") }, "locales[2]", "must be a language"},
	{"language of a foreign letter", func(t *Touchpoint) { t.Locales = append(t.Locales, "ä") }, "locales[2]", "must be a language"},
	{"locale twice", func(t *Touchpoint) { t.Locales = append(t.Locales, "fi") }, "locales[2]", `locales[2] must not repeat "fi"`},

	{"no channel", func(t *Touchpoint) { t.Channels = nil }, "channels", "channels must name at least one of email, sms, widget, app, link, kiosk, agent"},
	{"all channels", func(t *Touchpoint) { t.Channels = Channels() }, "", ""},
	{"channel unknown", func(t *Touchpoint) { t.Channels[1] = "fax" }, "channels[1]", `channels[1] must be one of email, sms, widget, app, link, kiosk, agent, not "fax"`},
	{"channel twice", func(t *Touchpoint) { t.Channels = append(t.Channels, Email) }, "channels[2]", `must not repeat "email"`},

	{"20 origins", func(t *Touchpoint) { t.Origins = origins(20) }, "", ""},
	{"21 origins", func(t *Touchpoint) { t.Origins = origins(21) }, "origins", "origins must be at most 20"},
	{"origin with a path", func(t *Touchpoint) { t.Origins = []string{"https://a.fi", "https://a.fi/x"} }, "origins[1]", `origins[1] must be https://host or http://localhost, with a port where it is not the usual one, in lower case, without a path, not "https://a.fi/x"`},

	{"name missing", func(t *Touchpoint) { t.Name = nil }, "name", "name must have a text in at least one of fi, sv-FI"},
	{"name in the second language only", func(t *Touchpoint) { t.Name = Text{"sv-FI": "Butik"} }, "", ""},
	{"name of 100", func(t *Touchpoint) { t.Name["fi"] = strings.Repeat("ä", 100) }, "", ""},
	{"name of 101", func(t *Touchpoint) { t.Name["fi"] = strings.Repeat("ä", 101) }, "name.fi", "name.fi must be at most 100 characters"},
	{"question missing", func(t *Touchpoint) { t.Question = Text{} }, "question", "question must have a text in at least one of fi, sv-FI"},
	{"question of 500", func(t *Touchpoint) { t.Question["fi"] = strings.Repeat("😀", 500) }, "", ""},
	{"question of 501", func(t *Touchpoint) { t.Question["fi"] = strings.Repeat("😀", 501) }, "question.fi", "at most 500 characters"},
	{"question empty in one language", func(t *Touchpoint) { t.Question["sv-FI"] = "" }, "question.sv-FI", "question.sv-FI must not be empty"},
	{"question of spaces", func(t *Touchpoint) { t.Question["sv-FI"] = " \t\n" }, "question.sv-FI", "must not be empty"},
	{"question with lines and tabs", func(t *Touchpoint) { t.Question["fi"] = "a\n\tb" }, "", ""},
	{"question with a bell", func(t *Touchpoint) { t.Question["fi"] = "a\ab" }, "question.fi", "must not contain control characters"},
	{"question not UTF-8", func(t *Touchpoint) { t.Question["fi"] = "a\xff" }, "question.fi", "must be UTF-8"},
	{"question in another language", func(t *Touchpoint) { t.Question["sv"] = "Hej" }, "question.sv", "question.sv is in a language that locales does not list"},
	{"low of 100", func(t *Touchpoint) { t.Low = Text{"fi": strings.Repeat("a", 100)} }, "", ""},
	{"low of 101", func(t *Touchpoint) { t.Low = Text{"fi": strings.Repeat("a", 101)} }, "low.fi", "at most 100"},
	{"high of 100", func(t *Touchpoint) { t.High = Text{"fi": strings.Repeat("a", 100)} }, "", ""},
	{"high of 101", func(t *Touchpoint) { t.High = Text{"fi": strings.Repeat("a", 101)} }, "high.fi", "at most 100"},
	{"thanks of 500", func(t *Touchpoint) { t.Thanks = Text{"fi": strings.Repeat("a", 500)} }, "", ""},
	{"thanks of 501", func(t *Touchpoint) { t.Thanks = Text{"fi": strings.Repeat("a", 501)} }, "thanks.fi", "at most 500"},

	{"followups of every category", func(t *Touchpoint) {
		t.Followup = map[Category]Text{Promoter: {"fi": "Miksi?"}, Passive: {"fi": "Miksi?"}, Detractor: {"fi": strings.Repeat("a", 500)}}
	}, "", ""},
	{"followup without texts", func(t *Touchpoint) { t.Followup = map[Category]Text{Passive: {}} }, "", ""},
	{"followup of 501", func(t *Touchpoint) { t.Followup = map[Category]Text{Passive: {"fi": strings.Repeat("a", 501)}} }, "followup.passive.fi", "at most 500"},
	{"followup of another metric's category", func(t *Touchpoint) { t.Followup = map[Category]Text{Neutral: {"fi": "Miksi?"}} }, "followup.neutral", "followup.neutral is not a category of nps, which has promoter, passive, detractor"},
	{"followup that looks like a format", func(t *Touchpoint) { t.Followup = map[Category]Text{"%d": {"fi": "Miksi?"}} }, "followup.%d", "followup.%d is not a category of nps"},
	{"a middle that thumbs lack", func(t *Touchpoint) { t.Metric, t.Followup = Thumbs, map[Category]Text{Neutral: {"fi": "?"}} }, "followup.neutral", "which has satisfied, dissatisfied"},

	{"goal at the bottom", func(t *Touchpoint) { t.Goal = new(-100.0) }, "", ""},
	{"goal at the top", func(t *Touchpoint) { t.Goal = new(100.0) }, "", ""},
	{"goal of zero", func(t *Touchpoint) { t.Goal = new(0.0) }, "", ""},
	{"goal below", func(t *Touchpoint) { t.Goal = new(-100.1) }, "goal", "goal must be from -100 to 100 for nps"},
	{"goal above", func(t *Touchpoint) { t.Goal = new(100.1) }, "goal", "from -100 to 100"},
	{"goal that is no number", func(t *Touchpoint) { t.Goal = new(math.NaN()) }, "goal", "from -100 to 100"},
	{"goal without end", func(t *Touchpoint) { t.Goal = new(math.Inf(1)) }, "goal", "from -100 to 100"},
	{"goal of a mean", func(t *Touchpoint) { t.Metric, t.Goal = CES, new(7.0) }, "", ""},
	{"goal above a mean", func(t *Touchpoint) { t.Metric, t.Goal = CES, new(7.5) }, "goal", "goal must be from 1 to 7 for ces"},
	{"goal below a mean", func(t *Touchpoint) { t.Metric, t.Goal = CES5, new(0.0) }, "goal", "goal must be from 1 to 5 for ces5"},
	{"goal below a share", func(t *Touchpoint) { t.Metric, t.Goal = CSAT, new(-1.0) }, "goal", "goal must be from 0 to 100 for csat"},

	{"segments", func(t *Touchpoint) {
		t.Segments = map[string][]string{"plan": {"basic", "gold"}, "Ikä ryhmä": {"18-25", "a_b"}}
	}, "", ""},
	{"segment without values", func(t *Touchpoint) { t.Segments = map[string][]string{"plan": nil} }, "segments.plan", "segments.plan must list at least one value"},
	{"segment without a name", func(t *Touchpoint) { t.Segments = map[string][]string{"": {"a"}} }, "segments.", "must be made of 1 to 40 letters, digits, spaces, - and _"},
	{"segment named by 40", func(t *Touchpoint) {
		t.Segments = map[string][]string{strings.Repeat("ä", 40): {strings.Repeat("ö", 40)}}
	}, "", ""},
	{"segment value of 41", func(t *Touchpoint) { t.Segments = map[string][]string{"plan": {strings.Repeat("a", 41)}} }, "segments.plan", "1 to 40 letters"},
	{"segment value with =", func(t *Touchpoint) { t.Segments = map[string][]string{"plan": {"a=b"}} }, "segments.plan", `not "a=b"`},
	{"segment name that looks like a format", func(t *Touchpoint) { t.Segments = map[string][]string{"%s": {"a"}} }, "segments.%s", `segments.%s must be made of`},
	{"segment value empty", func(t *Touchpoint) { t.Segments = map[string][]string{"plan": {""}} }, "segments.plan", "1 to 40 letters"},
	{"50 values", func(t *Touchpoint) { t.Segments = map[string][]string{"a": numbers(20), "b": numbers(30)} }, "", ""},
	{"51 values", func(t *Touchpoint) { t.Segments = map[string][]string{"a": numbers(20), "b": numbers(31)} }, "segments", "segments must have at most 50 values together"},

	{"trigger by event", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "purchase.completed", Delay: Span(7 * day), Hour: 9} }, "", ""},
	{"trigger by cadence", func(t *Touchpoint) { t.Trigger = &Trigger{Every: "quarter", Spread: new(true), Hour: 23} }, "", ""},
	{"trigger by month", func(t *Touchpoint) { t.Trigger = &Trigger{Every: "month"} }, "", ""},
	{"trigger by year", func(t *Touchpoint) { t.Trigger = &Trigger{Every: "year"} }, "", ""},
	{"trigger of nothing", func(t *Touchpoint) { t.Trigger = &Trigger{} }, "trigger", "trigger must have either event or every"},
	{"trigger by both", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Every: "year"} }, "trigger", "either event or every"},
	{"trigger by week", func(t *Touchpoint) { t.Trigger = &Trigger{Every: "week"} }, "trigger.every", "trigger.every must be month, quarter or year"},
	{"trigger delay of a cadence", func(t *Touchpoint) { t.Trigger = &Trigger{Every: "year", Delay: 1} }, "trigger.delay", "trigger.delay needs trigger.event"},
	{"trigger spread of an event", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Spread: new(true)} }, "trigger.spread", "trigger.spread needs trigger.every"},
	{"trigger hour -1", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Hour: -1} }, "trigger.hour", "trigger.hour must be from 0 to 23"},
	{"trigger hour 24", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Hour: 24} }, "trigger.hour", "from 0 to 23"},
	{"event of 128", func(t *Touchpoint) { t.Trigger = &Trigger{Event: strings.Repeat("aZ0._-..", 16)} }, "", ""},
	{"event of 129", func(t *Touchpoint) { t.Trigger = &Trigger{Event: strings.Repeat("a", 129)} }, "trigger.event", "trigger.event must be at most 128 letters, digits, dots, - and _"},
	{"event with a space", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "purchase completed"} }, "trigger.event", "letters, digits"},
	{"trigger without e-mail and SMS", func(t *Touchpoint) { t.Channels, t.Trigger = []Channel{Popup, Link}, &Trigger{Event: "a"} }, "trigger", "trigger needs email or sms among channels"},
	{"trigger with SMS only", func(t *Touchpoint) { t.Channels, t.Trigger = []Channel{SMS}, &Trigger{Event: "a"} }, "", ""},
	{"trigger when of a cadence", func(t *Touchpoint) { t.Trigger = &Trigger{Every: "year", When: conditions(1)} }, "trigger.when", "trigger.when needs trigger.event"},
	{"10 conditions", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", When: conditions(10)} }, "", ""},
	{"11 conditions", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", When: conditions(11)} }, "trigger.when", "trigger.when must be at most 10 conditions"},
	{"condition without a field", when(Condition{In: []string{"a"}}), "trigger.when[0].field", "trigger.when[0].field must be 1 to 100 characters"},
	{"condition on a field of 100", when(Condition{Field: strings.Repeat("ä", 100), In: []string{"a"}}), "", ""},
	{"condition on a field of 101", when(Condition{Field: strings.Repeat("ä", 101), In: []string{"a"}}), "trigger.when[0].field", "1 to 100 characters"},
	{"condition of 50 values", when(Condition{Field: "a", In: numbers(50)}), "", ""},
	{"condition of 51 values", when(Condition{Field: "a", In: numbers(51)}), "trigger.when[0].in", "trigger.when[0].in must be at most 50 values"},
	{"condition of an empty value", when(Condition{Field: "a", In: []string{""}}), "", ""},
	{"condition of a value of 100", when(Condition{Field: "a", In: []string{"b", strings.Repeat("ä", 100)}}), "", ""},
	{"condition of a value of 101", when(Condition{Field: "a", In: []string{"b", strings.Repeat("ä", 101)}}), "trigger.when[0].in[1]", "trigger.when[0].in[1] must be at most 100 characters"},
	{"condition of nothing", when(Condition{Field: "a"}), "trigger.when[0]", "trigger.when[0] must have in, min or max"},
	{"condition of min", when(Condition{Field: "a", Min: new(0.0)}), "", ""},
	{"condition of max", when(Condition{Field: "a", Max: new(-1.5)}), "", ""},
	{"condition of one number", when(Condition{Field: "a", Min: new(1.0), Max: new(1.0)}), "", ""},
	{"condition upside down", when(Condition{Field: "a", Min: new(1.1), Max: new(1.0)}), "trigger.when[0].min", "trigger.when[0].min must not be above max"},
	{"condition of no number", when(Condition{Field: "a", Min: new(math.NaN())}), "trigger.when[0].min", "trigger.when[0].min must be a number"},
	{"condition without end", when(Condition{Field: "a", Max: new(math.Inf(1))}), "trigger.when[0].max", "trigger.when[0].max must be a number"},
	{"everyone's day of an event", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", On: "15"} }, "trigger.on", "trigger.on needs trigger.every and spread: false"},
	{"everyone's day where they take turns", func(t *Touchpoint) { t.Trigger = &Trigger{Every: Monthly, On: "15"} }, "trigger.on", "needs trigger.every and spread: false"},
	{"first day of a month", on(Monthly, "1"), "", ""},
	{"last day of a month", on(Monthly, "31"), "", ""},
	{"day 0 of a month", on(Monthly, "0"), "trigger.on", `trigger.on must be a day such as 15 for month, 2-15 (second month, day 15) for quarter, 11-15 for year, not "0"`},
	{"day 32 of a month", on(Monthly, "32"), "trigger.on", "must be a day"},
	{"day of a month, like a quarter's", on(Monthly, "1-15"), "trigger.on", "must be a day"},
	{"day of a quarter", on(Quarterly, "3-31"), "", ""},
	{"day of a quarter's fourth month", on(Quarterly, "4-1"), "trigger.on", "must be a day"},
	{"day of a quarter's month 0", on(Quarterly, "0-1"), "trigger.on", "must be a day"},
	{"day of a quarter, like a month's", on(Quarterly, "15"), "trigger.on", "must be a day"},
	{"day of a year", on(Yearly, "12-31"), "", ""},
	{"29 February", on(Yearly, "2-29"), "", ""},
	{"day of a year's month 13", on(Yearly, "13-1"), "trigger.on", "must be a day"},
	{"day in words", on(Yearly, "may-day"), "trigger.on", "must be a day"},
	{"weekdays", func(t *Touchpoint) {
		t.Trigger = &Trigger{Event: "a", Weekdays: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}}
	}, "", ""},
	{"weekday unknown", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Weekdays: []string{"mon", "Tue"}} }, "trigger.weekdays[1]", `trigger.weekdays[1] must be one of mon, tue, wed, thu, fri, sat, sun, not "Tue"`},
	{"weekday twice", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Weekdays: []string{"mon", "mon"}} }, "trigger.weekdays[1]", `trigger.weekdays[1] must not repeat "mon"`},
	{"trigger hour 0", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a"} }, "", ""},
	{"50 segments asked", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Segments: numbers(50)} }, "", ""},
	{"51 segments asked", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Segments: numbers(51)} }, "trigger.segments", "trigger.segments must be at most 50"},
	{"segments asked", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Segments: []string{"vip", "plan=gold"}} }, "", ""},
	{"segment asked with two =", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Segments: []string{"vip", "a=b=c"}} }, "trigger.segments[1]", `trigger.segments[1] must be made of 1 to 40 letters, digits, spaces, - and _, not "a=b=c"`},
	{"sample asked 0", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Sample: new(0)} }, "", ""},
	{"sample asked 100", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Sample: new(100)} }, "", ""},
	{"sample asked -1", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Sample: new(-1)} }, "trigger.sample", "trigger.sample must be per cent, from 0 to 100"},
	{"sample asked 101", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Sample: new(101)} }, "trigger.sample", "from 0 to 100"},
	{"reminder after 60 days", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Reminder: Span(60 * day)} }, "", ""},
	{"reminder after longer", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", Reminder: Span(60*day + 1)} }, "trigger.reminder", "trigger.reminder must be at most 60d"},
	{"event with ä", func(t *Touchpoint) { t.Trigger = &Trigger{Event: "päivä"} }, "trigger.event", "letters, digits"},

	{"widget of defaults", func(t *Touchpoint) { t.Widget = &Widget{} }, "", ""},
	{"widget without its channel", func(t *Touchpoint) { t.Channels, t.Widget = []Channel{Email}, &Widget{} }, "widget", "widget needs widget among channels"},
	{"50 patterns each", func(t *Touchpoint) { t.Widget = &Widget{Include: patterns(50), Exclude: patterns(50)} }, "", ""},
	{"51 included", func(t *Touchpoint) { t.Widget = &Widget{Include: patterns(51)} }, "widget.include", "widget.include must be at most 50"},
	{"51 excluded", func(t *Touchpoint) { t.Widget = &Widget{Exclude: patterns(51)} }, "widget.exclude", "widget.exclude must be at most 50"},
	{"patterns", func(t *Touchpoint) {
		t.Widget = &Widget{Include: []string{"/kiitos*", "*", "/" + strings.Repeat("ä", 199)}}
	}, "", ""},
	{"pattern of 201", func(t *Touchpoint) { t.Widget = &Widget{Include: []string{"/", "/" + strings.Repeat("ä", 200)}} }, "widget.include[1]", "widget.include[1] must start with / or * and have at most 200 characters"},
	{"pattern without /", func(t *Touchpoint) { t.Widget = &Widget{Exclude: []string{"kassa"}} }, "widget.exclude[0]", `must start with / or * and have at most 200 characters, not "kassa"`},
	{"pattern empty", func(t *Touchpoint) { t.Widget = &Widget{Exclude: []string{""}} }, "widget.exclude[0]", "must start with / or *"},
	{"scroll 0 and 100", func(t *Touchpoint) { t.Widget = &Widget{Scroll: 100} }, "", ""},
	{"scroll -1", func(t *Touchpoint) { t.Widget = &Widget{Scroll: -1} }, "widget.scroll", "widget.scroll must be per cent, from 0 to 100"},
	{"scroll 101", func(t *Touchpoint) { t.Widget = &Widget{Scroll: 101} }, "widget.scroll", "from 0 to 100"},
	{"sample 0", func(t *Touchpoint) { t.Widget = &Widget{Sample: new(0)} }, "", ""},
	{"sample 100", func(t *Touchpoint) { t.Widget = &Widget{Sample: new(100)} }, "", ""},
	{"sample -1", func(t *Touchpoint) { t.Widget = &Widget{Sample: new(-1)} }, "widget.sample", "widget.sample must be per cent, from 0 to 100"},
	{"sample 101", func(t *Touchpoint) { t.Widget = &Widget{Sample: new(101)} }, "widget.sample", "from 0 to 100"},
	{"views -1", func(t *Touchpoint) { t.Widget = &Widget{Views: -1} }, "widget.views", "widget.views must not be negative"},
	{"views 3", func(t *Touchpoint) { t.Widget = &Widget{Views: 3} }, "", ""},
	{"place bar", func(t *Touchpoint) { t.Widget = &Widget{Place: "bar"} }, "", ""},
	{"place corner", func(t *Touchpoint) { t.Widget = &Widget{Place: "corner"} }, "", ""},
	{"place middle", func(t *Touchpoint) { t.Widget = &Widget{Place: "middle"} }, "widget.place", "widget.place must be corner, bar or inline"},
	{"inline with its element", func(t *Touchpoint) { t.Widget = &Widget{Place: "inline", Target: "#" + strings.Repeat("ä", 199)} }, "", ""},
	{"inline without its element", func(t *Touchpoint) { t.Widget = &Widget{Place: "inline"} }, "widget.target", "widget.target must name an element exactly where widget.place is inline"},
	{"an element without inline", func(t *Touchpoint) { t.Widget = &Widget{Target: "#x"} }, "widget.target", "exactly where"},
	{"an element of 201", func(t *Touchpoint) { t.Widget = &Widget{Place: "inline", Target: "#" + strings.Repeat("ä", 200)} }, "widget.target", "widget.target must be at most 200 characters"},
	{"color", func(t *Touchpoint) { t.Widget = &Widget{Color: "#0aF9b2"} }, "", ""},
	{"color of three digits", func(t *Touchpoint) { t.Widget = &Widget{Color: "#fff"} }, "widget.color", "widget.color must be written as #rrggbb"},
	{"color of eight digits", func(t *Touchpoint) { t.Widget = &Widget{Color: "#ffffff00"} }, "widget.color", "#rrggbb"},
	{"color without #", func(t *Touchpoint) { t.Widget = &Widget{Color: "ffffff0"} }, "widget.color", "#rrggbb"},
	{"color with a sign", func(t *Touchpoint) { t.Widget = &Widget{Color: "#+fffff"} }, "widget.color", "#rrggbb"},
	{"color with g", func(t *Touchpoint) { t.Widget = &Widget{Color: "#gggggg"} }, "widget.color", "#rrggbb"},
	{"color with _", func(t *Touchpoint) { t.Widget = &Widget{Color: "#ff_fff"} }, "widget.color", "#rrggbb"},
	{"faces of csat", func(t *Touchpoint) { t.Metric, t.Widget = CSAT, &Widget{Shape: "faces"} }, "", ""},
	{"stars of csat", func(t *Touchpoint) { t.Metric, t.Widget = CSAT, &Widget{Shape: "stars"} }, "", ""},
	{"hearts of csat", func(t *Touchpoint) { t.Metric, t.Widget = CSAT, &Widget{Shape: "hearts"} }, "widget.shape", "widget.shape must be stars or faces, and only for csat"},
	{"stars of nps", func(t *Touchpoint) { t.Widget = &Widget{Shape: "stars"} }, "widget.shape", "only for csat"},
	{"link", func(t *Touchpoint) { t.Widget = &Widget{Link: "https://example.com/x?y=z#w"} }, "", ""},
	{"link of 500", func(t *Touchpoint) { t.Widget = &Widget{Link: "https://a.fi/" + strings.Repeat("a", 487)} }, "", ""},
	{"link of 501", func(t *Touchpoint) { t.Widget = &Widget{Link: "https://a.fi/" + strings.Repeat("a", 488)} }, "widget.link", "widget.link must be an https address of at most 500 characters"},
	{"link by http", func(t *Touchpoint) { t.Widget = &Widget{Link: "http://example.com"} }, "widget.link", "https address"},
	{"link that runs", func(t *Touchpoint) { t.Widget = &Widget{Link: "javascript:alert(1)"} }, "widget.link", "https address"},
	{"link without a host", func(t *Touchpoint) { t.Widget = &Widget{Link: "https:///x"} }, "widget.link", "https address"},
	{"link to a port alone", func(t *Touchpoint) { t.Widget = &Widget{Link: "https://:443/x"} }, "widget.link", "https address"},
	{"link with a password", func(t *Touchpoint) { t.Widget = &Widget{Link: "https://u:p@example.com"} }, "widget.link", "https address"},
	{"link that is none", func(t *Touchpoint) { t.Widget = &Widget{Link: "https://a b"} }, "widget.link", "https address"},
}

func locales(n int) []string {
	out := []string{"fi", "sv-FI"}
	for i := len(out); i < n; i++ {
		out = append(out, string([]byte{'a' + byte(i/26), 'a' + byte(i%26)}))
	}
	return out
}

func origins(n int) []string {
	return strs(n, func(i int) string { return fmt.Sprintf("https://shop%d.fi", i) })
}

func numbers(n int) []string { return strs(n, func(i int) string { return fmt.Sprint(i) }) }

func conditions(n int) []Condition {
	return strs(n, func(int) Condition { return Condition{Field: "a", In: []string{"b"}} })
}

// when makes the definition one that asks where a condition holds.
func when(c Condition) func(*Touchpoint) {
	return func(t *Touchpoint) { t.Trigger = &Trigger{Event: "a", When: []Condition{c}} }
}

// on makes the definition one that asks everyone on a day.
func on(c Cadence, day string) func(*Touchpoint) {
	return func(t *Touchpoint) { t.Trigger = &Trigger{Every: c, Spread: new(false), On: day} }
}

func patterns(n int) []string { return strs(n, func(int) string { return "/x" }) }

func TestValidate(t *testing.T) {
	for _, c := range validations {
		t.Run(c.name, func(t *testing.T) {
			p := good()
			c.edit(p)
			wantError(t, p.Validate(), c.field, c.message)
		})
	}
}

// Every broken rule is told at once, in the order of the file.
func TestValidateTellsAll(t *testing.T) {
	err := (&Touchpoint{Locales: []string{"fi"}, Trigger: &Trigger{Hour: 24}, Widget: &Widget{Scroll: 101, Views: -1}}).Validate()
	var fields []string
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		known, ok := errors.AsType[*Error](e)
		if !ok || known.Code != Invalid {
			t.Fatalf("%v", e)
		}
		fields = append(fields, known.Field)
	}
	want := []string{
		"id", "phase", "metric", "channels", "name", "question",
		"trigger", "trigger.hour", "widget", "widget.scroll", "widget.views",
	}
	if !slices.Equal(fields, want) {
		t.Errorf("%q, want %q", fields, want)
	}
}

func TestValidOrigin(t *testing.T) {
	for _, o := range []string{
		"https://example.com",
		"https://www.shop-1.example.co.uk",
		"https://example.com:8443",
		"https://example.com:1",
		"https://example.com:65535",
		"https://xn--kauppa-9ua.fi",
		"https://intra_net",
		"https://192.0.2.7",
		"https://[2001:db8::1]",
		"https://[2001:db8::1]:8443",
		"https://" + strings.Repeat("a", 247),
		"https://localhost",
		"http://localhost",
		"http://localhost:8080",
		"http://127.0.0.1:3000",
		"http://[::1]:8080",
	} {
		if !validOrigin(o) {
			t.Errorf("%q is refused", o)
		}
	}
	for _, o := range []string{
		"", "*", "null", "https://", "https://*", "example.com", "//example.com", "https:example.com",
		"https://*.example.com",
		"https://Example.com", "HTTPS://example.com", "https://EXAMPLE.COM",
		"https://kauppä.fi", "https://kaupp%C3%A4.fi",
		"https://example.com/", "https://example.com/x", "https://example.com?", "https://example.com?x", "https://example.com#", "https://example.com#x",
		"https://u@example.com", "https://u:p@example.com", "https://@example.com",
		"https://example.com:443", "https://example.com:", "https://:8443", "https://example.com:0", "https://example.com:08443", "https://example.com:65536", "https://example.com:-1", "https://example.com:x",
		"http://localhost:80", "http://example.com", "http://localhost.example.com", "http://127.0.0.2", "http://192.168.0.1", "http://0.0.0.0:8080",
		"https://[2001:DB8::1]", "https://[2001:db8:0:0:0:0:0:1]", "https://[2001:db8::1", "https://2001:db8::1", "https://[::1]x", "https://[]", "https://[fe80::1%25eth0]", "https://[127.0.0.1]", "https://[::ffff:127.0.0.1]", "http://[::2]:8080",
		"https://exa mple.com", " https://example.com", "https://example.com\n", "https://example.com\x00",
		"ftp://example.com", "ws://localhost:8080", "file://", "chrome-extension://abcdef", "javascript:alert(1)",
		"https://" + strings.Repeat("a", 248),
	} {
		if validOrigin(o) {
			t.Errorf("%q is accepted", o)
		}
	}
}

func TestSameSeries(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*Touchpoint)
		want bool
	}{
		{"nothing", func(*Touchpoint) {}, true},
		{"all but metric and question", func(p *Touchpoint) {
			p.Version, p.Phase, p.Channels, p.Name, p.Goal = 7, Leaving, []Channel{Kiosk}, Text{"fi": "Muu"}, new(3.0)
			p.Low, p.Followup, p.Segments = Text{"fi": "Huono"}, map[Category]Text{Promoter: {"fi": "?"}}, map[string][]string{"a": {"b"}}
		}, true},
		{"a language more", func(p *Touchpoint) { p.Question["en"] = "Would you?" }, true},
		{"a language less", func(p *Touchpoint) { delete(p.Question, "sv-FI") }, false},
		{"another language instead", func(p *Touchpoint) { p.Question = Text{"en": "Would you?"} }, false},
		{"another language instead, in the same words", func(p *Touchpoint) { p.Question = Text{"en": p.Question["fi"]} }, false},
		{"one wording", func(p *Touchpoint) { p.Question["sv-FI"] += "?" }, false},
		{"one wording beside a new language", func(p *Touchpoint) { p.Question["en"], p.Question["fi"] = "Would you?", "Uusi?" }, false},
		{"the metric", func(p *Touchpoint) { p.Metric = CSAT }, false},
		{"the direction", func(p *Touchpoint) { p.Metric = CES5 }, false},
	} {
		old, p := good(), good()
		c.edit(p)
		if got := p.SameSeries(old); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// However a question changes step by step, a series has one wording in each
// language.
func TestSeriesHasOneWording(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wordings := rapid.MapOfN(rapid.SampledFrom([]string{"fi", "sv", "en"}), rapid.SampledFrom([]string{"A", "B"}), 1, 3)
		asked := Text{} // by the series so far
		old := &Touchpoint{Metric: NPS}
		for range rapid.IntRange(1, 8).Draw(t, "changes") {
			p := &Touchpoint{Metric: NPS, Question: wordings.Draw(t, "question")}
			if !p.SameSeries(old) {
				asked = Text{}
			}
			for l, q := range p.Question {
				if was, ok := asked[l]; ok && was != q {
					t.Fatalf("one series asks %q and %q in %s", was, q, l)
				}
				asked[l] = q
			}
			old = p
		}
	})
}

func TestSegmentsOf(t *testing.T) {
	p := &Touchpoint{Segments: map[string][]string{"plan": {"basic", "gold"}, "age": {"old"}, "zone": {"eu", "eu"}}}
	for _, c := range []struct {
		attrs map[string]string
		want  []string
	}{
		{nil, nil},
		{map[string]string{"plan": "gold"}, []string{"plan=gold"}},
		{map[string]string{"zone": "eu", "plan": "basic", "age": "old"}, []string{"age=old", "plan=basic", "zone=eu"}},
		{map[string]string{"plan": "platinum", "age": "old"}, []string{"age=old"}},
		{map[string]string{"plan": "Gold"}, nil},
		{map[string]string{"plan": ""}, nil},
		{map[string]string{"made-up": "gold"}, nil},
	} {
		if got := p.SegmentsOf(c.attrs); !slices.Equal(got, c.want) {
			t.Errorf("%v: %q, want %q", c.attrs, got, c.want)
		}
	}
	if got := good().SegmentsOf(map[string]string{"plan": "gold"}); got != nil {
		t.Errorf("segments of a touchpoint without: %q", got)
	}
}

// A stored definition comes back as it was, and a field left out stays out.
func TestTouchpointInJSON(t *testing.T) {
	full := good()
	full.Version, full.Series, full.Goal = 4, 2, new(0.0)
	full.Rest, full.Recontact, full.Stopped = new(Span(0)), Span(30*day), true
	full.Trigger = &Trigger{
		Event: "purchase.completed", Delay: Span(7 * day), Hour: 9,
		When:     []Condition{{Field: "total", Min: new(0.0), Max: new(9.5)}, {Field: "shop.id", In: []string{"a", ""}}},
		Weekdays: []string{"mon"}, Segments: []string{"vip"}, Sample: new(0), Reminder: Span(7 * day),
	}
	full.Widget = &Widget{Include: []string{"/kiitos*"}, Delay: Span(3 * time.Second), Sample: new(0), Recontact: Span(90 * day)}
	full.Followup = map[Category]Text{Detractor: {"fi": "Miksi?"}}
	full.Segments = map[string][]string{"plan": {"gold"}}
	cadence := good()
	cadence.Trigger = &Trigger{Every: Quarterly, Spread: new(false), On: "2-15"}
	for _, p := range []*Touchpoint{good(), full, cadence} {
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back Touchpoint
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(&back, p) {
			t.Errorf("%s: %+v %v", text, back, err)
		}
	}
	bare, _ := json.Marshal(good())
	for _, field := range []string{"goal", "trigger", "widget", "recontact", "segments", "origins", "version", "rest", "stopped"} {
		if strings.Contains(string(bare), `"`+field+`":`) {
			t.Errorf("%s is written though it is not there: %s", field, bare)
		}
	}
}
