// Package gsm knows what a text takes in an SMS (3GPP TS 23.038 and 23.040).
package gsm

import (
	"strings"
	"unicode/utf16"
)

// MaxParts is the most parts in which Pulssi sends one SMS: each is paid for, and
// what does not fit in three is no question any more.
const MaxParts = 3

// Encoding is how a text travels in an SMS.
type Encoding string

// The encodings. GSM7 has seven bits a character, of one small alphabet;
// UCS2 sixteen, of all alphabets, and so fits less than half as much.
const (
	GSM7 Encoding = "gsm-7"
	UCS2 Encoding = "ucs-2"
)

// What one SMS carries, and what each part of a longer one does, whose header
// takes the rest of its 140 bytes (3GPP TS 23.040, sections 9.2.3.16 and
// 9.2.3.24.1): septets in GSM7, 16-bit units in UCS2.
const (
	oneGSM7, partGSM7 = 160, 153
	oneUCS2, partUCS2 = 70, 67
)

// alphabet is the GSM 7 bit default alphabet without its escape, and extension
// the characters that follow one (3GPP TS 23.038, sections 6.2.1 and 6.2.1.1).
const (
	alphabet = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ" +
		" !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	extension = "\f^{}\\[~]|€"
)

// Size is what a text takes.
type Size struct {
	Encoding Encoding
	Units    int // septets or 16-bit units, without the headers of parts
	Parts    int // messages that are paid for; 0 for no text
}

// Measure returns what a text takes, in GSM7 where all its characters have
// one. An escaped character and a surrogate pair are never parted, so a part
// may have to end one unit early.
func Measure(text string) Size {
	septets, ok := widths(text)
	if ok {
		return measure(GSM7, septets, oneGSM7, partGSM7)
	}
	var units []int
	for _, r := range text {
		units = append(units, utf16.RuneLen(r))
	}
	return measure(UCS2, units, oneUCS2, partUCS2)
}

// widths returns the septets of each character, and false where one has none.
func widths(text string) ([]int, bool) {
	var out []int
	for _, r := range text {
		switch {
		case strings.ContainsRune(alphabet, r):
			out = append(out, 1)
		case strings.ContainsRune(extension, r):
			out = append(out, 2)
		default:
			return nil, false
		}
	}
	return out, true
}

func measure(e Encoding, widths []int, one, part int) Size {
	s := Size{Encoding: e}
	for _, w := range widths {
		s.Units += w
	}
	if s.Units <= one {
		s.Parts = min(1, s.Units)
		return s
	}
	room := 0
	for _, w := range widths {
		if room < w {
			s.Parts++
			room = part
		}
		room -= w
	}
	return s
}

// plain are the characters that typographers and keyboards put in place of
// one that GSM7 has.
var plain = strings.NewReplacer(
	"‘", "'", "’", "'", "‚", "'", "′", "'", "“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`,
	"‐", "-", "‑", "-", "–", "-", "—", "-", "−", "-", "…", "...", "•", "-", "\t", " ",
	"\u00a0", " ", "\u2009", " ", "\u202f", " ", "\u00ad", "", "\u200b", "", "\ufeff", "",
)

// Plain returns the text with typographic characters as the ones of GSM7 that
// mean the same, where that lets the whole text travel in GSM7; the text as it
// is otherwise.
func Plain(text string) string {
	p := plain.Replace(text)
	if _, ok := widths(p); ok {
		return p
	}
	return text
}
