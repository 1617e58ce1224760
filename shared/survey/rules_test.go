package survey

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestRulesValidate(t *testing.T) {
	days := func(n int) []string { return strs(n, func(int) string { return "12-27" }) }
	for _, tt := range []struct {
		name    string
		r       Rules
		field   string
		message string
	}{
		{"none stated", Rules{}, "", ""},
		{"the defaults", DefaultRules(), "", ""},
		{"no rest", Rules{Rest: new(Span(0)), Recontact: new(Span(0))}, "", ""},
		{"quiet at the ends", Rules{Quiet: &Quiet{From: 0, To: 23}}, "", ""},
		{"never quiet", Rules{Quiet: &Quiet{}}, "", ""},
		{"quiet from 24", Rules{Quiet: &Quiet{From: 24, To: 8}}, "quiet", "quiet must be hours from 0 to 23"},
		{"quiet to 24", Rules{Quiet: &Quiet{From: 20, To: 24}}, "quiet", "hours from 0 to 23"},
		{"quiet from -1", Rules{Quiet: &Quiet{From: -1}}, "quiet", "hours from 0 to 23"},
		{"quiet to -1", Rules{Quiet: &Quiet{To: -1}}, "quiet", "hours from 0 to 23"},
		{"no holidays", Rules{Holidays: NoHolidays}, "", ""},
		{"holidays of a country that we do not know", Rules{Holidays: "SE"}, "holidays", "holidays must be FI or none"},
		{"closed days", Rules{Closed: []string{"2026-12-27", "12-27", "02-29", "2028-02-29"}}, "", ""},
		{"200 closed days", Rules{Closed: days(200)}, "", ""},
		{"201 closed days", Rules{Closed: days(201)}, "closed", "closed must be at most 200 days"},
		{"a closed day that is none", Rules{Closed: []string{"12-27", "02-30"}}, "closed[1]", `closed[1] must be a day such as 2026-12-27, or 12-27 for every year, not "02-30"`},
		{"a closed day of a common year", Rules{Closed: []string{"2026-02-29"}}, "closed[0]", "must be a day"},
		{"a closed day as Finns write it", Rules{Closed: []string{"27.12.2026"}}, "closed[0]", "must be a day"},
		{"a closed day of one digit", Rules{Closed: []string{"2-9"}}, "closed[0]", "must be a day"},
		{"an empty closed day", Rules{Closed: []string{""}}, "closed[0]", "must be a day"},
		{"country", Rules{Country: "SE"}, "", ""},
		{"country in small letters", Rules{Country: "se"}, "country", "country must be two capital letters (ISO 3166-1), such as FI"},
		{"country of three letters", Rules{Country: "SWE"}, "country", "two capital letters"},
		{"zone", Rules{Zone: "America/New_York"}, "", ""},
		{"zone unknown", Rules{Zone: "Helsinki"}, "zone", "zone must be a time zone such as Europe/Helsinki"},
		{"zone of this machine", Rules{Zone: "Local"}, "zone", "must be a time zone"},
		{"locale", Rules{Locale: "sv-FI"}, "", ""},
		{"locale in words", Rules{Locale: "swedish"}, "locale", "locale must be a language such as fi or sv-FI"},
		{"company of 254", Rules{Company: strings.Repeat("ä", 254)}, "", ""},
		{"company of 255", Rules{Company: strings.Repeat("ä", 255)}, "company", "company must be at most 254 characters"},
		{"postal address of two lines", Rules{Postal: "Katu 1\nHelsinki"}, "postal", "postal must not contain control characters"},
		{"reply address of 255", Rules{ReplyTo: strings.Repeat("a", 255)}, "replyTo", "replyTo must be at most 254 characters"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantError(t, tt.r.Validate(), tt.field, tt.message) })
	}
}

func TestRulesComplete(t *testing.T) {
	d := DefaultRules()
	if d.Rest.String() != "30d" || d.Recontact.String() != "90d" || *d.Quiet != (Quiet{From: 20, To: 8}) ||
		d.Holidays != "FI" || d.Country != "FI" || d.Zone != "Europe/Helsinki" || d.Locale != "fi" || d.Closed != nil {
		t.Errorf("%+v", d)
	}
	stated := Rules{
		Version: 3, Rest: new(Span(0)), Recontact: new(Span(day)), Quiet: &Quiet{}, Holidays: NoHolidays,
		Closed: []string{"12-27"}, Country: "SE", Zone: "UTC", Locale: "sv", Company: "Oy", Postal: "Katu 1", ReplyTo: "a@example.com",
	}
	if got := stated.Complete(); !reflect.DeepEqual(got, stated) {
		t.Errorf("%+v became %+v", stated, got)
	}
	text, err := json.Marshal(stated)
	if err != nil {
		t.Fatal(err)
	}
	var back Rules
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, stated) {
		t.Errorf("%s: %+v, %v", text, back, err)
	}
	var none Rules
	none.Complete()
	if !reflect.DeepEqual(none, Rules{}) {
		t.Errorf("completing changed the rules themselves: %+v", none)
	}
}

func TestQuiet(t *testing.T) {
	for _, tt := range []struct {
		q     Quiet
		quiet string // an x for each hour
	}{
		{Quiet{20, 8}, "xxxxxxxx............xxxx"},
		{Quiet{0, 8}, "xxxxxxxx................"},
		{Quiet{8, 0}, "........xxxxxxxxxxxxxxxx"},
		{Quiet{23, 0}, ".......................x"},
		{Quiet{12, 13}, "............x..........."},
		{Quiet{9, 8}, "xxxxxxxx.xxxxxxxxxxxxxxx"},
		{Quiet{8, 8}, "........................"},
		{Quiet{0, 0}, "........................"},
	} {
		var got strings.Builder
		for h := range 24 {
			got.WriteByte(map[bool]byte{true: 'x', false: '.'}[tt.q.Covers(h)])
		}
		if got.String() != tt.quiet {
			t.Errorf("%+v: %s", tt.q, got.String())
		}
	}
}

func TestRestAndRecontact(t *testing.T) {
	long := Rules{Rest: new(Span(300 * day)), Recontact: new(Span(400 * day))}
	for _, tt := range []struct {
		name            string
		tp              Touchpoint
		rules           Rules
		rest, recontact time.Duration
	}{
		{"of the defaults", Touchpoint{}, Rules{}, 30 * day, 90 * day},
		{"of an event", Touchpoint{Trigger: &Trigger{Event: "a"}}, Rules{}, 30 * day, 90 * day},
		{"of the rules", Touchpoint{Trigger: &Trigger{Event: "a"}}, long, 300 * day, 400 * day},
		{"of its own", Touchpoint{Rest: new(Span(10 * day)), Recontact: Span(20 * day)}, long, 10 * day, 20 * day},
		{"none", Touchpoint{Rest: new(Span(0))}, long, 0, 400 * day},
		{"of a month", Touchpoint{Trigger: &Trigger{Every: Monthly}}, Rules{}, 20 * day, 20 * day},
		{"of a quarter", Touchpoint{Trigger: &Trigger{Every: Quarterly}}, Rules{}, 30 * day, 60 * day},
		{"of a year", Touchpoint{Trigger: &Trigger{Every: Yearly}}, Rules{}, 30 * day, 90 * day},
		{"of a quarter, under long rules", Touchpoint{Trigger: &Trigger{Every: Quarterly}}, long, 60 * day, 60 * day},
		{"of a year, under long rules", Touchpoint{Trigger: &Trigger{Every: Yearly}}, long, 240 * day, 240 * day},
		{"of a quarter, its own", Touchpoint{Trigger: &Trigger{Every: Quarterly}, Rest: new(Span(70 * day)), Recontact: Span(200 * day)}, long, 70 * day, 200 * day},
	} {
		r := tt.rules.Complete()
		if got := tt.tp.RestAfter(r); got != tt.rest {
			t.Errorf("%s: rest %s", tt.name, got)
		}
		if got := tt.tp.RecontactAfter(r); got != tt.recontact {
			t.Errorf("%s: recontact %s", tt.name, got)
		}
	}
	for _, c := range Cadences() {
		if c.Rest() <= 0 {
			t.Errorf("%s has no rest", c)
		}
	}
	if Cadence("week").Rest() != 0 {
		t.Error("there is no such cadence")
	}
}

func TestSendHour(t *testing.T) {
	for _, tt := range []struct {
		g    Trigger
		hour int
		ok   bool
	}{
		{Trigger{Event: "a"}, 0, false},
		{Trigger{Event: "a", Hour: 17}, 17, true},
		{Trigger{Every: Monthly}, 9, true},
		{Trigger{Every: Monthly, Hour: 1}, 1, true},
	} {
		if h, ok := tt.g.SendHour(); h != tt.hour || ok != tt.ok {
			t.Errorf("%+v: %d, %v", tt.g, h, ok)
		}
	}
}

func TestSpreadsAndSendsOn(t *testing.T) {
	for _, tt := range []struct {
		g       Trigger
		spreads bool
		days    string // an x for each, from Sunday
	}{
		{Trigger{Event: "a"}, false, ".xxxxx."},
		{Trigger{Every: Yearly}, true, ".xxxxx."},
		{Trigger{Every: Yearly, Spread: new(true), Weekdays: []string{"sat", "sun"}}, true, "x.....x"},
		{Trigger{Every: Yearly, Spread: new(false), Weekdays: []string{"wed"}}, false, "...x..."},
	} {
		var on strings.Builder
		for d := time.Sunday; d <= time.Saturday; d++ {
			on.WriteByte(map[bool]byte{true: 'x', false: '.'}[tt.g.SendsOn(d)])
		}
		if tt.g.Spreads() != tt.spreads || on.String() != tt.days {
			t.Errorf("%+v: %v, %s", tt.g, tt.g.Spreads(), on.String())
		}
	}
}
