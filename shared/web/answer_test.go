package web

import "testing"

func TestDirection(t *testing.T) {
	for locale, want := range map[string]string{
		"fi": "ltr", "sv-FI": "ltr", "en": "ltr", "": "ltr", "arn": "ltr",
		"ar": "rtl", "ar-EG": "rtl", "he": "rtl", "ckb": "rtl",
	} {
		if got := Direction(locale); got != want {
			t.Errorf("%q is written %s, want %s", locale, got, want)
		}
	}
}
