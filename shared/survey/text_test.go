package survey

import "testing"

func TestTextIn(t *testing.T) {
	text := Text{"fi": "hei", "sv": "hej", "sv-FI": "hejssan", "en": ""}
	for _, c := range []struct {
		locale   string
		fallback []string
		want     string
	}{
		{"fi", nil, "hei"},
		{"sv-FI", nil, "hejssan"},
		{"sv-SE", nil, "hej"},
		{"sv_SE", nil, "hej"},
		{"fi-FI", []string{"sv"}, "hei"},
		{"de", nil, ""},
		{"de", []string{"sv", "fi"}, "hej"},
		{"de", []string{"no", "fi"}, "hei"},
		{"en", []string{"fi"}, "hei"}, // an empty text is a missing one
		{"en-GB", []string{"en", "sv"}, "hej"},
		{"", []string{"fi"}, "hei"},
		{"", nil, ""},
		{"FI", []string{"sv"}, "hej"}, // locales are written in one way
		{"de", []string{"fi-FI"}, ""}, // a fallback is one of the languages themselves
	} {
		if got := text.In(c.locale, c.fallback); got != c.want {
			t.Errorf("%q %v: %q, want %q", c.locale, c.fallback, got, c.want)
		}
	}
	if got := Text(nil).In("fi", []string{"sv"}); got != "" {
		t.Errorf("nothing says %q", got)
	}
}

func TestLanguage(t *testing.T) {
	for in, want := range map[string]string{"": "", "sv": "sv", "sv-FI": "sv", "sv_FI": "sv", "zh-Hant-TW": "zh", "-": ""} {
		if got := Language(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
