package web

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/pulssi/pulssi/shared/survey"
)

// TestEveryTextInEveryLanguage walks the texts of each language: none may be
// empty, and all languages must have the same.
func TestEveryTextInEveryLanguage(t *testing.T) {
	want := paths(reflect.ValueOf(*In("en")), "")
	for _, l := range Locales() {
		got := paths(reflect.ValueOf(*In(l)), "")
		for p := range want {
			if strings.TrimSpace(got[p]) == "" {
				t.Errorf("%s has no text %s", l, p)
			}
		}
		for p := range got {
			if _, ok := want[p]; !ok {
				t.Errorf("%s has a text %s that the others lack", l, p)
			}
		}
	}
}

// paths returns every text under its path.
func paths(v reflect.Value, at string) map[string]string {
	out := map[string]string{}
	add := func(sub reflect.Value, name string) {
		for p, s := range paths(sub, at+"."+name) {
			out[p] = s
		}
	}
	switch v.Kind() {
	case reflect.String:
		out[at] = v.String()
	case reflect.Struct:
		for i := range v.NumField() {
			add(v.Field(i), v.Type().Field(i).Name)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			add(v.MapIndex(k), k.String())
		}
	case reflect.Slice:
		for i := range v.Len() {
			add(v.Index(i), fmt.Sprint(i))
		}
	default:
		panic("no text: " + v.Kind().String())
	}
	return out
}

func TestMetricTextsFitTheScales(t *testing.T) {
	for _, l := range Locales() {
		for _, m := range survey.Metrics() {
			texts := In(l).Metrics[m]
			low, high := m.Scale()
			if len(texts.Answers) != high-low+1 {
				t.Errorf("%s names %d answers of %s, want %d", l, len(texts.Answers), m, high-low+1)
			}
			if len(texts.Followup) != len(m.Categories()) {
				t.Errorf("%s has %d follow-up questions of %s, want %d", l, len(texts.Followup), m, len(m.Categories()))
			}
			for _, c := range m.Categories() {
				if texts.Followup[c] == "" {
					t.Errorf("%s has no follow-up question of %s for %s", l, m, c)
				}
			}
		}
	}
}

func TestOtherLanguagesFallBackToEnglish(t *testing.T) {
	for locale, want := range map[string]string{"fi": "fi", "sv-FI": "sv", "en-GB": "en", "ar": "en", "": "en"} {
		if In(locale) != In(want) {
			t.Errorf("In(%q) is not In(%q)", locale, want)
		}
	}
}

func TestTextsRefuseUnknownNames(t *testing.T) {
	if _, err := readTexts([]byte(`{"nobody": "reads this"}`)); err == nil {
		t.Error("a text that nobody reads was taken")
	}
}
