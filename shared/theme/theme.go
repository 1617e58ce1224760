// Package theme finds what comments are about: the words and phrases that set
// some comments apart from others, in Finnish, Swedish and English; and it
// searches comments by words in any inflection. It is pure.
package theme

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Mood is what the score says that a comment came with.
type Mood int8

// The moods. Comments in the middle (passive, neutral) set nothing apart and
// are left out where the unhappy are held against the happy.
const (
	Middle Mood = iota
	Unhappy
	Happy
)

// Comment is one comment.
type Comment struct {
	Text     string
	Language string // such as "fi"
	Mood     Mood
	Late     bool // of the later half of the time looked at
}

// Theme is a word or a phrase of two words, and how many comments of its
// language have it. A comment counts once.
type Theme struct {
	// Words is how it is written most often, in lower case. It is also what to
	// search for: see [NewSearch].
	Words    string
	Language string
	// In of Of comments have it on the side that it is telling of; Against of
	// AgainstOf on the other.
	In, Of, Against, AgainstOf int
	Keyness                    float64 // see [Keyness]
	Example                    string  // one comment that has it
}

// Themes are what some comments are about, the most telling first.
type Themes struct {
	Unhappy []Theme // against the happy
	Happy   []Theme // against the unhappy
	Rising  []Theme // the later against the earlier, whatever their mood
}

const (
	// MinComments is how many comments of a side have a theme, at least: what
	// fewer have is an incident, and perhaps tells who wrote it.
	MinComments = 3
	// MinKeyness is the 0.01 point of chi-squared with one degree of freedom,
	// to which log-likelihood is compared.
	MinKeyness = 6.63
	// MaxThemes is how many themes of a kind there are at most.
	MaxThemes = 20
)

// explains is the share of the comments with a word that must have a phrase for
// the phrase to stand for it, and covers the share of the comments with a theme
// that must have a more telling one for that to stand for both.
const (
	explains = 2.0 / 3
	covers   = 3.0 / 4
)

// Find returns what comments are about. Equal comments in an equal order have
// equal themes. It works in time and memory proportional to the comments'
// length.
func Find(comments []Comment) Themes {
	var out Themes
	byLanguage := map[string][]Comment{}
	for _, c := range comments {
		byLanguage[c.Language] = append(byLanguage[c.Language], c)
	}
	for language, of := range byLanguage {
		x := newIndex(language, of)
		out.Unhappy = append(out.Unhappy, x.contrast(unhappy, happy)...)
		out.Happy = append(out.Happy, x.contrast(happy, unhappy)...)
		out.Rising = append(out.Rising, x.contrast(late, early)...)
	}
	out.Unhappy, out.Happy, out.Rising = most(out.Unhappy), most(out.Happy), most(out.Rising)
	return out
}

// most returns the most telling themes.
func most(themes []Theme) []Theme {
	slices.SortFunc(themes, func(a, b Theme) int {
		return cmp.Or(cmp.Compare(b.Keyness, a.Keyness), strings.Compare(a.Words, b.Words), strings.Compare(a.Language, b.Language))
	})
	return themes[:min(len(themes), MaxThemes)]
}

// Keyness is the log-likelihood ratio G2 of Dunning, "Accurate Methods for the
// Statistics of Surprise and Coincidence", Computational Linguistics 19 (1993),
// as Rayson and Garside use it to compare corpora ("Comparing Corpora using
// Frequency Profiling", 2000): in of of comments have a word, and against of
// againstOf others. As a comment has it or not, all four cells of the table
// count. It is 0 where the shares are the same or a side is empty; over 10.83
// is p < 0.001.
func Keyness(in, of, against, againstOf int) float64 {
	n := float64(of + againstOf)
	have := float64(in + against)
	var sum float64
	for _, c := range []struct {
		observed int
		side     int
		row      float64
	}{{in, of, have}, {against, againstOf, have}, {of - in, of, n - have}, {againstOf - against, againstOf, n - have}} {
		if c.observed > 0 {
			sum += float64(c.observed) * math.Log(float64(c.observed)*n/(float64(c.side)*c.row))
		}
	}
	return max(0, 2*sum)
}

// The sides that comments are on, and their number.
const (
	unhappy = iota
	happy
	late
	early
	sides
)

// counts are comments by side.
type counts [sides]int32

func (c *Comment) sides() (of [2]int, n int) {
	of[0] = early
	if c.Late {
		of[0] = late
	}
	switch c.Mood {
	case Unhappy:
		of[1] = unhappy
	case Happy:
		of[1] = happy
	default:
		return of, 1
	}
	return of, 2
}

// form is a word as it is written.
type form struct {
	text string
	stem int32
	// bare is a word that is no theme; not is a negation, which is none either
	// but begins a phrase.
	bare, not bool
}

// apart is between two forms of a comment that are no phrase.
const apart = -1

// pair is two forms or two stems, one after the other.
type pair struct{ first, second int32 }

// index is the comments of one language, as numbers of forms and stems, and
// what was counted of them.
type index struct {
	language string
	comments []Comment
	texts    [][]int32 // numbers of forms
	forms    []form
	words    []counts // by stem, of the forms that are not bare
	phrases  map[pair]*phrase
	total    counts
}

func newIndex(language string, comments []Comment) *index {
	x := &index{language: language, comments: comments, texts: make([][]int32, len(comments)), phrases: map[pair]*phrase{}}
	forms, stems := map[string]int32{}, map[string]int32{}
	for i, c := range comments {
		ts := tokens(c.Text)
		text := make([]int32, 0, 2*len(ts))
		for _, t := range ts {
			if t.apart {
				text = append(text, apart)
			}
			text = append(text, x.form(t.form, forms, stems))
		}
		x.texts[i] = slices.Clip(text)
	}
	x.words = make([]counts, len(stems))
	seen := make([]int, len(stems)) // the last comment with a stem, counted from 1
	for i := range comments {
		x.total.add(&comments[i])
		for _, f := range x.texts[i] {
			if f == apart {
				continue
			}
			if f := &x.forms[f]; !f.bare && seen[f.stem] != i+1 {
				seen[f.stem] = i + 1
				x.words[f.stem].add(&comments[i])
			}
		}
	}
	for i := range comments {
		x.eachPhrase(i, func(p pair) {
			p = x.stems(p)
			of := x.phrases[p]
			if of == nil {
				of = &phrase{}
				x.phrases[p] = of
			}
			if of.seen != i+1 {
				of.seen = i + 1
				of.has.add(&comments[i])
			}
		})
	}
	return x
}

// phrase is what was counted of a phrase, and the last comment that has it,
// counted from 1.
type phrase struct {
	has  counts
	seen int
}

func (c *counts) add(of *Comment) {
	on, n := of.sides()
	for _, s := range on[:n] {
		c[s]++
	}
}

// form returns the number of a word.
func (x *index) form(text string, forms, stems map[string]int32) int32 {
	if n, ok := forms[text]; ok {
		return n
	}
	s := stem(text, x.language)
	id, ok := stems[s]
	if !ok {
		id = int32(len(stems))
		stems[s] = id
	}
	text = strings.Clone(text) // it is a part of a comment
	f := form{text: text, stem: id, not: negations[x.language][text]}
	f.bare = f.not || noThemes[x.language][text] || !hasLetter(text) || utf8.RuneCountInString(text) < 2
	n := int32(len(x.forms))
	forms[text] = n
	x.forms = append(x.forms, f)
	return n
}

func (x *index) stems(p pair) pair { return pair{x.forms[p.first].stem, x.forms[p.second].stem} }

// eachPhrase calls yield with the phrases of a comment, as forms: two words one
// after the other, frequent enough for the phrase to be a theme; the first may
// be a negation.
func (x *index) eachPhrase(i int, yield func(pair)) {
	text := x.texts[i]
	for j := 1; j < len(text); j++ {
		a, b := text[j-1], text[j]
		if a == apart || b == apart {
			continue
		}
		first, second := &x.forms[a], &x.forms[b]
		if (first.not || !first.bare && x.frequent(first.stem)) && !second.bare && first.stem != second.stem && x.frequent(second.stem) {
			yield(pair{a, b})
		}
	}
}

// frequent reports whether enough comments have a word for it to be of a theme.
func (x *index) frequent(stem int32) bool {
	return x.words[stem][early]+x.words[stem][late] >= MinComments
}

// candidate is what may be a theme: a word, whose pair has no second, or a
// phrase.
type candidate struct {
	of      pair
	has     counts
	keyness float64
	in      []int32 // the comments of its side that have it, in order
	written map[pair]int
}

const noSecond = -1

func (c *candidate) isPhrase() bool { return c.of.second != noSecond }

// contrast returns the themes that set the comments of one side apart from
// those of another.
func (x *index) contrast(in, against int) []Theme {
	found := x.candidates(in, against)
	kept := distinct(x.explained(found, in))
	out := make([]Theme, 0, min(len(kept), MaxThemes))
	for _, c := range kept[:min(len(kept), MaxThemes)] {
		t := Theme{
			Words: x.write(c), Language: x.language, Keyness: c.keyness,
			In: int(c.has[in]), Of: int(x.total[in]), Against: int(c.has[against]), AgainstOf: int(x.total[against]),
		}
		t.Example = x.example(c, t.Words)
		out = append(out, t)
	}
	return out
}

// candidates returns the words and phrases that are telling of a side, the most
// telling first, with the comments that have them: several times as many as
// there can be themes, since some stand for others.
func (x *index) candidates(in, against int) []*candidate {
	var out []*candidate
	consider := func(of pair, has counts) {
		a, b := int(has[in]), int(has[against])
		c, d := int(x.total[in]), int(x.total[against])
		if a < MinComments || a*d <= b*c {
			return
		}
		if k := Keyness(a, c, b, d); k >= MinKeyness {
			out = append(out, &candidate{of: of, has: has, keyness: k, written: map[pair]int{}})
		}
	}
	for s, has := range x.words {
		consider(pair{int32(s), noSecond}, has)
	}
	for p, of := range x.phrases {
		consider(p, of.has)
	}
	slices.SortFunc(out, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(b.keyness, a.keyness), cmp.Compare(a.of.first, b.of.first), cmp.Compare(a.of.second, b.of.second))
	})
	out = out[:min(len(out), 10*MaxThemes)]
	x.find(out, in)
	return out
}

// find notes which comments of a side have the candidates, and how they write
// them.
func (x *index) find(of []*candidate, side int) {
	by := make(map[pair]*candidate, len(of))
	for _, c := range of {
		by[c.of] = c
	}
	note := func(i int, key, written pair) {
		c := by[key]
		if c == nil {
			return
		}
		c.written[written]++
		if n := len(c.in); n == 0 || c.in[n-1] != int32(i) {
			c.in = append(c.in, int32(i))
		}
	}
	for i := range x.comments {
		if on, n := x.comments[i].sides(); !slices.Contains(on[:n], side) {
			continue
		}
		for _, f := range x.texts[i] {
			if f != apart && !x.forms[f].bare {
				note(i, pair{x.forms[f].stem, noSecond}, pair{f, noSecond})
			}
		}
		x.eachPhrase(i, func(p pair) { note(i, x.stems(p), p) })
	}
}

// explained leaves out the phrases that are not what their more frequent word
// is about, and the words that a phrase which stays stands for. A phrase that
// begins with a negation has one word that counts.
func (x *index) explained(found []*candidate, side int) []*candidate {
	gone := map[pair]bool{}
	for _, c := range found {
		if !c.isPhrase() {
			continue
		}
		parts := []int32{c.of.second}
		if !x.negates(c) {
			parts = append(parts, c.of.first)
		}
		for _, s := range parts {
			if float64(c.has[side]) < explains*float64(x.words[s][side]) {
				gone[c.of] = true
			}
		}
		if !gone[c.of] {
			for _, s := range parts {
				gone[pair{s, noSecond}] = true
			}
		}
	}
	return slices.DeleteFunc(found, func(c *candidate) bool { return gone[c.of] })
}

// negates reports whether a phrase begins with a negation.
func (x *index) negates(c *candidate) bool {
	for p := range c.written {
		return x.forms[p.first].not
	}
	return false
}

// distinct leaves out the themes most of whose comments have a more telling one.
func distinct(found []*candidate) []*candidate {
	var out []*candidate
	for _, c := range found {
		if !slices.ContainsFunc(out, func(k *candidate) bool { return common(k.in, c.in) >= covers*float64(len(c.in)) }) {
			out = append(out, c)
		}
	}
	return out
}

// common returns how many numbers two lists in order have in common.
func common(a, b []int32) float64 {
	both := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			both, i, j = both+1, i+1, j+1
		}
	}
	return float64(both)
}

// write returns a theme as most comments of its side write it.
func (x *index) write(c *candidate) string {
	var best string
	times := 0
	for p, n := range c.written {
		s := x.forms[p.first].text
		if c.isPhrase() {
			s += " " + x.forms[p.second].text
		}
		if n > times || n == times && (len(s) < len(best) || len(s) == len(best) && s < best) {
			best, times = s, n
		}
	}
	return best
}

// Lengths of an example, in characters: the nearest to typical is taken, and of
// a long one the beginning. maxLooked is how many comments are looked at for it.
const (
	typical    = 70
	maxExample = 240
	maxLooked  = 500
)

// example returns one comment that has a theme: as it is written in the list
// where there is one such, and neither very short nor long.
func (x *index) example(c *candidate, words string) string {
	rank := func(i int32) int {
		text := x.comments[i].Text
		over := utf8.RuneCountInString(text) - typical
		far := max(over, -over)
		if !strings.Contains(strings.ToLower(text), words) {
			far += 10_000
		}
		return far
	}
	best := slices.MinFunc(c.in[:min(len(c.in), maxLooked)], func(a, b int32) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(x.comments[a].Text, x.comments[b].Text))
	})
	text := x.comments[best].Text
	if utf8.RuneCountInString(text) <= maxExample {
		return text
	}
	return strings.TrimSpace(string([]rune(text)[:maxExample-1])) + "…"
}
