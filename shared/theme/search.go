package theme

import (
	"strings"
	"unicode/utf8"
)

// Search looks for comments that have some words, all of them, in whatever
// inflection. The zero Search has none and matches every comment.
type Search struct {
	words []string
}

// NewSearch returns a search for the words of q.
func NewSearch(q string) Search {
	var s Search
	for _, t := range tokens(q) {
		s.words = append(s.words, t.form)
	}
	return s
}

// Empty reports whether there are no words to look for.
func (s Search) Empty() bool { return len(s.words) == 0 }

// Matches reports whether a comment, written in a language, has every word. A
// word has the stem that it would have in the comment's language. One with a
// digit, and any in a language without a stemmer, is there where the comment
// has its letters, be it within a word.
func (s Search) Matches(comment, language string) bool {
	var words []token
	_, stems := stemmers[language]
	for _, w := range s.words {
		if words == nil {
			words = tokens(comment)
		}
		if !has(words, w, language, stems && !hasDigit(w)) {
			return false
		}
	}
	return true
}

// has reports whether the words have one, by its stem or by its letters.
func has(words []token, w, language string, byStem bool) bool {
	if !byStem {
		for _, t := range words {
			if strings.Contains(t.form, w) {
				return true
			}
		}
		return false
	}
	want := stem(w, language)
	first, _ := utf8.DecodeRuneInString(want) // which no inflection changes; looking is cheap, stemming is not
	for _, t := range words {
		if r, _ := utf8.DecodeRuneInString(t.form); r == first && stem(t.form, language) == want {
			return true
		}
	}
	return false
}
