package traces

import (
	"strings"
	"testing"
)

func paivi() Person {
	return Person{
		Contact: strings.Repeat("C", 22), Asks: []string{strings.Repeat("A", 22)}, Ref: "B-0017", Email: "paivi.k@example.fi", Phone: "+358401234567",
		FirstName: "Päivi", LastName: "Ähtäri-Öst", Also: []string{"pave@old.example"},
	}
}

func finder(t *testing.T, p Person) *Finder {
	t.Helper()
	f, err := NewFinder(p)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAPersonIsFound(t *testing.T) {
	f := finder(t, paivi())
	for text, want := range map[string]bool{
		"": false, "kiitos!": false,
		"Paivi.K@Example.FI": true, "mailto:paivi.k@example.fi.": true, "<paivi.k@example.fi>": true, "?to=paivi.k%40example.fi&": true,
		"xpaivi.k@example.fi": false, "paivi.k@example.fi.com": false, "paivi.k@example.fin": false, "a+paivi.k@example.fi": false, "paivi-k@example.fi": false,
		"+358401234567": true, "soita 040 123 4567": true, "(040) 123-4567.": true, "00358 40 1234567": true, "358401234567": true, "401234567": true,
		"+358 (0)40 123 45 67": true, "0401234568": false, "10401234567": false, "04012345670": false, "040  -  123  -  4567": true, "040 12 3 456": false,
		strings.Repeat("C", 22): true, "/u/" + strings.Repeat("A", 22): true, strings.Repeat("C", 21): false, "x" + strings.Repeat("B", 22): false,
		"päivi ähtäri-öst": true, "ÄHTÄRI-ÖST, PÄIVI": true, "Pa\u0308ivi A\u0308hta\u0308ri-O\u0308st": true, "Päivi": false, "Päivi Ähtäri": false, "Sopäivi Ähtäri-Öst": false, "Päivin Ähtäri-Öst": false,
		"B-0017": true, " B-0017 ": true, "B-00171": false, "asiakas B-0017 kertoi": false,
		"pave@old.example on vanha": true, "opave@old.example": false,
	} {
		if got := f.In(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
	for _, text := range []string{"Päivi Ähtäri-Öst", "B-0017", "pave@old.example"} {
		if f.Address(text) {
			t.Errorf("%q is an address", text)
		}
	}
	if !f.InRow([]string{"1", "Päivi", "Ähtäri-Öst"}) || !f.InRow([]string{"", "B-0017"}) || f.InRow([]string{"Päivi", "x", "Ähtäri-Öst"}) {
		t.Error("rows")
	}
}

func TestAPersonIsFoundInJSON(t *testing.T) {
	f := finder(t, paivi())
	for doc, want := range map[string]bool{
		`{"body":"{\"contact\":{\"email\":\"paivi.k@example.fi\"}}"}`: true,
		`{"a":[{"text":"soita:\n0401234567\t"}]}`:                     true,
		`{"0401234567":null}`:                                         true,
		`"P\u00e4ivi \u00c4ht\u00e4ri-\u00d6st"`:                      true,
		`{"n":401234568}`:                                             false, `{"a":"{b"}`: false,
		`broken paivi.k@example.fi`: true, `broken`: false,
	} {
		if got := f.InJSON(doc); got != want {
			t.Errorf("%s: %t", doc, got)
		}
	}
}

func TestWhatIsLookedFor(t *testing.T) {
	for name, c := range map[string]struct {
		p    Person
		want string
		text string // not found
	}{
		"nothing":    {Person{}, "", "x"},
		"one name":   {Person{FirstName: "Päivi"}, "", "Päivi"},
		"short ref":  {Person{Ref: "123"}, "", "123"},
		"ref":        {Person{Ref: "1234"}, "ref, as a whole value", "12345"},
		"an address": {Person{Email: "a@b.fi"}, "e-mail address", "b@b.fi"},
	} {
		if got := strings.Join(c.p.Looks(), "; "); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
		if finder(t, c.p).In(c.text) {
			t.Errorf("%s: found in %q", name, c.text)
		}
	}
	for name, p := range map[string]Person{
		"an id": {Contact: "x"}, "an ask": {Asks: []string{"x"}}, "a number": {Phone: "0401234567"}, "words": {Also: []string{" abc "}},
	} {
		if _, err := NewFinder(p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
