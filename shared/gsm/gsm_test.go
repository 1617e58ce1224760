package gsm

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// The tables are written out once more from 3GPP TS 23.038 by code point, so
// that a slip of the keyboard in one of the two shows.
func TestAlphabet(t *testing.T) {
	rows := []string{
		"\u0040\u00a3\u0024\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\u000a\u00d8\u00f8\u000d\u00c5\u00e5",
		"\u0394\u005f\u03a6\u0393\u039b\u03a9\u03a0\u03a8\u03a3\u0398\u039e\u00c6\u00e6\u00df\u00c9", // without the escape at 0x1B
		"\u0020\u0021\u0022\u0023\u00a4\u0025\u0026\u0027\u0028\u0029\u002a\u002b\u002c\u002d\u002e\u002f",
		"\u0030\u0031\u0032\u0033\u0034\u0035\u0036\u0037\u0038\u0039\u003a\u003b\u003c\u003d\u003e\u003f",
		"\u00a1\u0041\u0042\u0043\u0044\u0045\u0046\u0047\u0048\u0049\u004a\u004b\u004c\u004d\u004e\u004f",
		"\u0050\u0051\u0052\u0053\u0054\u0055\u0056\u0057\u0058\u0059\u005a\u00c4\u00d6\u00d1\u00dc\u00a7",
		"\u00bf\u0061\u0062\u0063\u0064\u0065\u0066\u0067\u0068\u0069\u006a\u006b\u006c\u006d\u006e\u006f",
		"\u0070\u0071\u0072\u0073\u0074\u0075\u0076\u0077\u0078\u0079\u007a\u00e4\u00f6\u00f1\u00fc\u00e0",
	}
	if want := strings.Join(rows, ""); alphabet != want {
		t.Errorf("the alphabet is\n%q, want\n%q", alphabet, want)
	}
	if n := utf8.RuneCountInString(alphabet); n != 127 {
		t.Errorf("%d characters, want 127", n)
	}
	if want := "\u000c\u005e\u007b\u007d\u005c\u005b\u007e\u005d\u007c\u20ac"; extension != want {
		t.Errorf("the extension is %q, want %q", extension, want)
	}
}

func TestMeasure(t *testing.T) {
	r := strings.Repeat
	for _, c := range []struct {
		name, text string
		want       Size
	}{
		{"nothing", "", Size{GSM7, 0, 0}},
		{"one", "ä", Size{GSM7, 1, 1}},
		{"full", r("a", 160), Size{GSM7, 160, 1}},
		{"one more", r("a", 161), Size{GSM7, 161, 2}},
		{"two full", r("a", 306), Size{GSM7, 306, 2}},
		{"three", r("a", 307), Size{GSM7, 307, 3}},
		{"extension", "€", Size{GSM7, 2, 1}},
		{"full of extension", r("€", 80), Size{GSM7, 160, 1}},
		{"extension over the edge", r("€", 81), Size{GSM7, 162, 2}},
		// 153 is odd: each part of pairs ends one septet early.
		{"extension in parts", r("€", 152), Size{GSM7, 304, 2}},
		{"extension in one part more", r("€", 153), Size{GSM7, 306, 3}},
		{"extension at the edge of a part", r("a", 152) + "€" + r("a", 152), Size{GSM7, 306, 3}},
		{"other alphabet", "š", Size{UCS2, 1, 1}},
		{"UCS-2 full", r("š", 70), Size{UCS2, 70, 1}},
		{"UCS-2 one more", r("š", 71), Size{UCS2, 71, 2}},
		{"UCS-2 two full", r("š", 134), Size{UCS2, 134, 2}},
		{"UCS-2 three", r("š", 135), Size{UCS2, 135, 3}},
		{"emoji", "👍", Size{UCS2, 2, 1}},
		{"emoji full", r("👍", 35), Size{UCS2, 70, 1}},
		// 67 is odd too.
		{"emoji in parts", r("👍", 66), Size{UCS2, 132, 2}},
		{"emoji in one part more", r("👍", 67), Size{UCS2, 134, 3}},
		{"one emoji makes all of it long", r("a", 70) + "👍", Size{UCS2, 72, 2}},
		{"Finnish", "Kuinka todennäköisesti suosittelisit meitä? Åke & Öinen", Size{GSM7, 55, 1}},
	} {
		if got := Measure(c.text); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// A text never takes fewer parts than its units need, nor more than one unit
// wasted in each explains.
func TestPartsHoldTheUnits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("aä€|š👍\n"))).Draw(t, "text")
		s := Measure(text)
		one, part := oneGSM7, partGSM7
		if s.Encoding == UCS2 {
			one, part = oneUCS2, partUCS2
		}
		ok := s.Units <= one && s.Parts == min(1, s.Units) ||
			s.Units > one && s.Units <= s.Parts*part && s.Units > (s.Parts-1)*(part-1)
		if !ok {
			t.Errorf("%q: %+v", text, s)
		}
	})
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"":                           "",
		"”Nopea” – ja hyvä…":         `"Nopea" - ja hyvä...`,
		"it\u2019s\u00a010\u202f€":   "it's 10 €",
		"š – 👍":                      "š – 👍", // nothing is won, so nothing is changed
		"tavu\u00adviiva\u200bton x": "tavuviivaton x",
	} {
		got := Plain(in)
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		if Plain(got) != got {
			t.Errorf("%q changes twice", in)
		}
	}
}
