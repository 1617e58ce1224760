package theme

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxWord is how many bytes a word has at most: what is longer is none.
const maxWord = 60

// token is one word of a text.
type token struct {
	// form is the word in lower case, with - and ' for all that look like them.
	form string
	// apart is whether more than a space is between it and the word before.
	apart bool
}

// composed writes the letters of Finnish and Swedish that came as a letter and
// a mark as one.
var composed = strings.NewReplacer("a\u0308", "ä", "o\u0308", "ö", "a\u030a", "å", "e\u0301", "é", "A\u0308", "Ä", "O\u0308", "Ö", "A\u030a", "Å")

// tokens returns the words of a text: runs of letters, digits and marks, and
// what hyphens or apostrophes join. Everything else, markup and emoji too, is
// between words.
func tokens(text string) []token {
	if strings.IndexByte(text, 0xcc) >= 0 { // with which such marks begin
		text = composed.Replace(text)
	}
	text = strings.ToLower(text)
	var out []token
	apart := true
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !inWord(r) {
			apart = apart || !unicode.IsSpace(r)
			i += size
			continue
		}
		end := wordEnd(text, i)
		if end-i <= maxWord {
			out = append(out, token{plain(text[i:end]), apart})
		}
		apart = end-i > maxWord
		i = end
	}
	return out
}

// wordEnd returns where the word ends that begins at i.
func wordEnd(text string, i int) int {
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !inWord(r) {
			if !joins(r) {
				return i
			}
			if next, _ := utf8.DecodeRuneInString(text[i+size:]); !inWord(next) {
				return i
			}
		}
		i += size
	}
	return i
}

func inWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r))
}

// joins reports whether r between two letters makes one word of them: a hyphen
// or an apostrophe in any of their forms.
func joins(r rune) bool {
	switch r {
	case '-', '\u2010', '\u2011', '\'', '\u2019':
		return true
	}
	return false
}

// oneHyphen writes every hyphen and apostrophe in one way.
var oneHyphen = strings.NewReplacer("\u2010", "-", "\u2011", "-", "\u2019", "'")

func plain(word string) string {
	if strings.IndexByte(word, 0xe2) >= 0 { // with which those begin
		return oneHyphen.Replace(word)
	}
	return word
}

// hasLetter reports whether a word is more than a number.
func hasLetter(word string) bool { return strings.ContainsFunc(word, unicode.IsLetter) }

// hasDigit reports whether a word has a digit in it, which no inflection
// follows.
func hasDigit(word string) bool { return strings.ContainsFunc(word, unicode.IsDigit) }
