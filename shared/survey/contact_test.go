package survey

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

func TestDetailsCheck(t *testing.T) {
	for _, tt := range []struct {
		name    string
		d       Details
		field   string
		message string
	}{
		{"an e-mail address", Details{Email: "a@example.com"}, "", ""},
		{"a phone number", Details{Phone: "+358401234567"}, "", ""},
		{"a ref", Details{Ref: "4711"}, "", ""},
		{"nobody", Details{FirstName: "Aino"}, "email", "a contact needs an e-mail address, a phone number or a ref"},
		{"ref of 64", Details{Ref: strings.Repeat("ä", 64)}, "", ""},
		{"ref of 65", Details{Ref: strings.Repeat("ä", 65)}, "ref", "ref must be at most 64 characters"},
		{"ref of two lines", Details{Ref: "a\nb"}, "ref", "ref must not contain control characters"},
		{"e-mail of 254", Details{Email: strings.Repeat("a", 254)}, "", ""},
		{"e-mail of 255", Details{Email: strings.Repeat("a", 255)}, "email", "email must be at most 254 characters"},
		{"e-mail not UTF-8", Details{Email: "a\xff@example.com"}, "email", "email must be UTF-8"},
		{"phone of 255", Details{Phone: strings.Repeat("1", 255)}, "phone", "phone must be at most 254 characters"},
		{"first name of 100", Details{Ref: "1", FirstName: strings.Repeat("ä", 100)}, "", ""},
		{"first name of 101", Details{Ref: "1", FirstName: strings.Repeat("ä", 101)}, "firstName", "firstName must be at most 100 characters"},
		{"last name of 101", Details{Ref: "1", LastName: strings.Repeat("ä", 101)}, "lastName", "lastName must be at most 100 characters"},
		{"last name with a tab", Details{Ref: "1", LastName: "a\tb"}, "lastName", "must not contain control characters"},
		{"company of 101", Details{Ref: "1", Company: strings.Repeat("ä", 101)}, "company", "company must be at most 100 characters"},
		{"locale", Details{Ref: "1", Locale: "sv-FI"}, "", ""},
		{"locale in words", Details{Ref: "1", Locale: "suomi"}, "locale", "locale must be a language such as fi or sv-FI"},
		{"zone", Details{Ref: "1", Zone: "Asia/Kathmandu"}, "", ""},
		{"zone of the world", Details{Ref: "1", Zone: "UTC"}, "", ""},
		{"zone by its difference", Details{Ref: "1", Zone: "Etc/GMT+5"}, "", ""},
		{"zone unknown", Details{Ref: "1", Zone: "Europe/Atlantis"}, "zone", "zone must be a time zone such as Europe/Helsinki"},
		{"zone of this machine", Details{Ref: "1", Zone: "Local"}, "zone", "must be a time zone"},
		{"zone written twice over", Details{Ref: "1", Zone: "Europe//Helsinki"}, "zone", "must be a time zone"},
		{"zone with leap seconds", Details{Ref: "1", Zone: "right/Europe/Helsinki"}, "zone", "must be a time zone"},
		{"zone in small letters", Details{Ref: "1", Zone: "europe/helsinki"}, "zone", "must be a time zone"},
		{"zone elsewhere", Details{Ref: "1", Zone: "../zoneinfo/UTC"}, "zone", "must be a time zone"},
		{"zone with #", Details{Ref: "1", Zone: "UTC#"}, "zone", "must be a time zone"},
		{"20 segments", Details{Ref: "1", Segments: numbers(20)}, "", ""},
		{"21 segments", Details{Ref: "1", Segments: numbers(21)}, "segments", "segments must be at most 20"},
		{"segments", Details{Ref: "1", Segments: []string{"vip", "plan=gold", "Ikä ryhmä=18-25", strings.Repeat("a", 40) + "=" + strings.Repeat("b", 40)}}, "", ""},
		{"no segments", Details{Ref: "1", Segments: []string{}}, "", ""},
		{"two bad segments told once", Details{Ref: "1", Segments: []string{"a=b=c", ""}}, "segments", `segments must be made of 1 to 40 letters, digits, spaces, - and _, with one = allowed in between`},
		{"segment without a value", Details{Ref: "1", Segments: []string{"plan="}}, "segments", "with one = allowed in between"},
		{"segment of a value alone", Details{Ref: "1", Segments: []string{"=gold"}}, "segments", "with one = allowed in between"},
		{"segment of 41", Details{Ref: "1", Segments: []string{strings.Repeat("a", 41)}}, "segments", "1 to 40 letters"},
		{"opted out of both", Details{Ref: "1", OptOut: []Channel{Email, SMS}}, "", ""},
		{"opted out of a kiosk", Details{Ref: "1", OptOut: []Channel{Kiosk}}, "optOut", "optOut must be of email, sms"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantError(t, tt.d.Check(), tt.field, tt.message) })
	}
	err := (&Details{Ref: "\n", Zone: "x", Locale: "X", Segments: []string{"="}, OptOut: []Channel{Link}}).Check()
	if joined, ok := err.(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != 5 {
		t.Errorf("not every mistake is told: %v", err)
	}
	// What is told is logged, too: an address in a wrong column stays out of it.
	const bad = "maija@example.com\n"
	err = (&Details{
		Ref: bad, Email: bad, Phone: bad, FirstName: bad, LastName: bad, Company: bad, Locale: bad, Zone: bad,
		Segments: []string{bad}, OptOut: []Channel{bad},
	}).Check()
	if joined, ok := err.(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != 10 || strings.Contains(err.Error(), "maija") {
		t.Errorf("a detail is told, or a mistake is not: %v", err)
	}
}

func TestMerge(t *testing.T) {
	then, later := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	contact := func() Contact {
		return Contact{
			ID: "c", Number: 7, Version: 3, Ref: "4711", Email: "a@example.com", FirstName: "Aino", Zone: "Europe/Helsinki",
			Segments: []string{"plan=gold", "vip"}, OptOuts: map[Channel]time.Time{SMS: then},
		}
	}
	for _, tt := range []struct {
		name string
		d    Details
		edit func(*Contact) // what becomes of it; nil for nothing
	}{
		{"nothing told", Details{}, nil},
		{"what is known", Details{Ref: "4711", Email: "a@example.com", FirstName: "Aino", Segments: []string{"vip", "plan=gold"}, OptOut: []Channel{SMS}}, nil},
		{"what is new", Details{Phone: "+358401234567", LastName: "Aalto", Company: "Oy", Locale: "fi"}, func(c *Contact) {
			c.Phone, c.LastName, c.Company, c.Locale = "+358401234567", "Aalto", "Oy", "fi"
		}},
		{"what is other", Details{Ref: "4712", Email: "b@example.com", FirstName: "Eino", Zone: "UTC"}, func(c *Contact) {
			c.Ref, c.Email, c.FirstName, c.Zone = "4712", "b@example.com", "Eino", "UTC"
		}},
		{"other segments, sorted and once each", Details{Segments: []string{"b", "a", "b"}}, func(c *Contact) { c.Segments = []string{"a", "b"} }},
		{"no segments any more", Details{Segments: []string{}}, func(c *Contact) { c.Segments = nil }},
		{"an opt-out", Details{OptOut: []Channel{Email, SMS}}, func(c *Contact) {
			c.OptOuts = map[Channel]time.Time{Email: later, SMS: then}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, want := contact(), contact()
			outs := maps.Clone(c.OptOuts)
			shared := c.OptOuts // by whoever copied the contact
			if tt.edit != nil {
				tt.edit(&want)
			}
			if changed := c.Merge(tt.d, later); changed != (tt.edit != nil) {
				t.Errorf("changed: %v", changed)
			}
			if len(c.Segments) == 0 && len(want.Segments) == 0 {
				c.Segments, want.Segments = nil, nil
			}
			if !reflect.DeepEqual(c, want) {
				t.Errorf("got  %+v\nwant %+v", c, want)
			}
			if !maps.Equal(shared, outs) {
				t.Error("it changed a map that others have")
			}
		})
	}
	fresh := Contact{}
	if !fresh.Merge(Details{Email: "a@example.com", OptOut: []Channel{Email}}, then) || !fresh.OptOuts[Email].Equal(then) {
		t.Errorf("%+v", fresh)
	}
}

// What is told again changes nothing, and nothing that is told ends an opt-out
// or forgets what is known.
func TestMergeTwice(t *testing.T) {
	texts := rapid.SampledFrom([]string{"", "a", "b"})
	details := rapid.Custom(func(t *rapid.T) Details {
		return Details{
			Ref: texts.Draw(t, "ref"), Email: texts.Draw(t, "email"), Phone: texts.Draw(t, "phone"),
			FirstName: texts.Draw(t, "first"), LastName: texts.Draw(t, "last"), Company: texts.Draw(t, "company"),
			Locale: texts.Draw(t, "locale"), Zone: texts.Draw(t, "zone"),
			Segments: rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 3).Draw(t, "segments"),
			OptOut:   rapid.SliceOfN(rapid.SampledFrom([]Channel{Email, SMS}), 0, 2).Draw(t, "opt-outs"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		c := &Contact{}
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for range rapid.IntRange(1, 5).Draw(t, "times") {
			d := details.Draw(t, "details")
			was := *c
			c.Merge(d, now)
			for ch, since := range was.OptOuts {
				if !c.OptOuts[ch].Equal(since) {
					t.Fatalf("the opt-out of %s ended", ch)
				}
			}
			if was.Email != "" && c.Email == "" || !slices.IsSorted(c.Segments) {
				t.Fatalf("%+v", c)
			}
			now = now.Add(time.Hour)
			if again := *c; again.Merge(d, now) || !reflect.DeepEqual(again, *c) {
				t.Fatalf("told twice: %+v, %+v", *c, again)
			}
		}
	})
}

func TestAddress(t *testing.T) {
	c := &Contact{Email: "a@example.com", Phone: "+358401234567"}
	for ch, want := range map[Channel]string{Email: "a@example.com", SMS: "+358401234567", Popup: "", Link: "", Agent: ""} {
		if got := c.Address(ch); got != want {
			t.Errorf("by %s: %q", ch, got)
		}
	}
}
