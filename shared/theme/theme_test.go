package theme

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func words(themes []Theme) []string {
	out := []string{}
	for _, t := range themes {
		out = append(out, t.Words)
	}
	return out
}

// TestFindsWhatWasPlanted is on comments of which it is known what they are
// about.
func TestFindsWhatWasPlanted(t *testing.T) {
	for _, tt := range []struct {
		language string
		comments int
		unhappy  []string // the causes, as the comments write them most often
		happy    []string // among the themes
		rising   string
	}{
		{"fi", 300, []string{"hinta", "jonotus", "maksu", "palautus", "toimitus"}, []string{"nopea", "ystävällinen", "valikoima"}, "hinta"},
		{"sv", 100, []string{"leveransen", "priset", "telefonkö"}, []string{"enkelt", "vänlig"}, "priset"},
		{"en", 100, []string{"delivery", "doesn't work", "price"}, []string{"easy", "friendly", "fast delivery"}, "price"},
	} {
		t.Run(tt.language, func(t *testing.T) {
			of := comments(t, tt.language)
			if len(of) < tt.comments {
				t.Fatalf("only %d comments", len(of))
			}
			found := Find(of)
			top := words(found.Unhappy[:min(len(found.Unhappy), len(tt.unhappy))])
			slices.Sort(top)
			if diff := cmp.Diff(tt.unhappy, top); diff != "" {
				t.Errorf("the unhappy: -planted +found:\n%s", diff)
			}
			for _, w := range tt.happy {
				if !slices.Contains(words(found.Happy), w) {
					t.Errorf("the happy: no %s in %q", w, words(found.Happy))
				}
			}
			if len(found.Rising) == 0 || found.Rising[0].Words != tt.rising {
				t.Errorf("rising: %q, want %s first", words(found.Rising), tt.rising)
			}
			for _, th := range slices.Concat(found.Unhappy, found.Happy, found.Rising) {
				holds(t, of, th)
			}
		})
	}
}

type fataler interface {
	Errorf(format string, args ...any)
}

// holds says what is true of every theme.
func holds(t fataler, of []Comment, th Theme) {
	if th.In < MinComments || th.In > th.Of || th.Against > th.AgainstOf || th.Keyness < MinKeyness {
		t.Errorf("%+v", th)
	}
	if th.In*th.AgainstOf <= th.Against*th.Of {
		t.Errorf("%s: %d of %d is no more than %d of %d", th.Words, th.In, th.Of, th.Against, th.AgainstOf)
	}
	if th.Keyness != Keyness(th.In, th.Of, th.Against, th.AgainstOf) {
		t.Errorf("%s: keyness %v is not of its counts", th.Words, th.Keyness)
	}
	if th.Words != strings.ToLower(th.Words) {
		t.Errorf("%s is not in lower case", th.Words)
	}
	search := NewSearch(th.Words)
	n := 0
	for _, c := range of {
		if c.Language == th.Language && search.Matches(c.Text, c.Language) {
			n++
		}
	}
	if n < th.In {
		t.Errorf("%s: %d comments have it, a search finds %d", th.Words, th.In, n)
	}
	if !search.Matches(th.Example, th.Language) && !strings.HasSuffix(th.Example, "…") {
		t.Errorf("%s is not in its example %q", th.Words, th.Example)
	}
	if utf8.RuneCountInString(th.Example) > maxExample {
		t.Errorf("%s: an example of %d characters", th.Words, utf8.RuneCountInString(th.Example))
	}
}

// TestKeyness is on tables computed by hand: of 20 and 20, 10 and 5 have the
// word, so that 7.5 are expected on either side and 12.5 have not:
// 2 (10 ln 10/7.5 + 5 ln 5/7.5 + 10 ln 10/12.5 + 15 ln 15/12.5) = 2.7058.
func TestKeyness(t *testing.T) {
	for _, tt := range []struct {
		in, of, against, againstOf int
		want                       float64
	}{
		{10, 20, 5, 20, 2.7058},
		{5, 20, 10, 20, 2.7058},
		{10, 20, 0, 20, 17.2609}, // 2 (10 ln 2 + 10 ln 10/15 + 20 ln 20/15)
		{5, 10, 50, 100, 0},
		{20, 20, 20, 20, 0},
		{0, 20, 0, 20, 0},
		{3, 3, 0, 0, 0},
		{0, 0, 0, 0, 0},
		{20, 20, 0, 20, 55.4518}, // 2 x 40 ln 2
	} {
		if got := Keyness(tt.in, tt.of, tt.against, tt.againstOf); math.Abs(got-tt.want) > 0.0001 {
			t.Errorf("%+v: %.4f", tt, got)
		}
	}
}

// several returns n comments of a text.
func several(n int, m Mood, text string) []Comment {
	return slices.Repeat([]Comment{{Text: text, Language: "fi", Mood: m}}, n)
}

func TestWhatIsATheme(t *testing.T) {
	happy := several(20, Happy, "kaikki sujui")
	for _, tt := range []struct {
		name string
		in   []Comment
		want []string
	}{
		{"nothing", nil, []string{}},
		{"nobody unhappy", several(9, Middle, "toimitus"), []string{}},
		{"of two", several(2, Unhappy, "toimitus myöhässä"), []string{}},
		{"of three", several(3, Unhappy, "toimitus"), []string{"toimitus"}},
		{"one comment many times", append(several(1, Unhappy, "toimitus toimitus toimitus"), several(9, Unhappy, "!")...), []string{}},
		{"the form that most write", slices.Concat(several(3, Unhappy, "Toimituksen"), several(2, Unhappy, "toimitus"), several(2, Unhappy, "TOIMITUKSET")), []string{"toimituksen"}},
		{"a phrase for its words", several(5, Unhappy, "liian pitkä jonotus"), []string{"pitkä jonotus"}},
		{"a word for a phrase that is a part of it", slices.Concat(several(4, Unhappy, "pitkä jonotus"), several(6, Unhappy, "jonotus")), []string{"jonotus"}},
		{"no phrase across a full stop", several(5, Unhappy, "jonotus. Pitkä"), []string{"jonotus"}},
		{"a negation", several(5, Unhappy, "tämä ei toimi"), []string{"ei toimi"}},
		{"a negation alone", several(5, Unhappy, "ei!"), []string{}},
		{"what is alike", slices.Concat(several(8, Unhappy, "maksu, kassa"), several(2, Unhappy, "maksu")), []string{"maksu"}},
		{"hyphens", slices.Concat(several(3, Unhappy, "verkko-kauppa"), several(2, Unhappy, "verkkokaupassa")), []string{"verkko-kauppa"}},
		{"markup, emoji, numbers", several(5, Unhappy, "<b>kassa</b> 😡😡 4711 & =1+1"), []string{"kassa"}},
		{"what says no more than the score", several(5, Unhappy, "huono, tosi huono"), []string{}},
		{"what both have", slices.Concat(several(10, Unhappy, "toimitus"), several(10, Unhappy, "!"), several(20, Happy, "toimitus")), []string{}},
		{"what the others have more of", slices.Concat(several(5, Unhappy, "toimitus"), several(15, Unhappy, "!"), several(20, Happy, "toimitus")), []string{}},
		{"a decomposed letter", slices.Concat(several(2, Unhappy, "hylly va\u0308a\u0308ra\u0308"), several(1, Unhappy, "VÄÄRÄ hylly")), []string{"hylly"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, words(Find(append(tt.in, happy...)).Unhappy)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestLanguagesStandApart(t *testing.T) {
	var of []Comment
	for _, language := range []string{"fi", "sv", "de"} {
		for i := range 12 {
			c := Comment{Text: "kassa", Language: language, Mood: Unhappy}
			if i%2 == 0 {
				c = Comment{Text: "nopea", Language: language, Mood: Happy}
			}
			of = append(of, c)
		}
	}
	var got []string
	for _, th := range Find(of).Unhappy {
		if th.Of != 6 || th.AgainstOf != 6 {
			t.Errorf("%+v", th)
		}
		got = append(got, th.Language+" "+th.Words)
	}
	if diff := cmp.Diff([]string{"de kassa", "fi kassa", "sv kassa"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestFindHolds draws comments of few words.
func TestFindHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Comment {
			return Comment{
				Text: strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{
					"toimitus", "Toimituksen", "ei", "toimi", "kassa", "kassalla", ".", "jonotus", "delivery", "don't", "verkko-kauppa", "24h", "<i>", "🙂", "ja",
				}), 0, 8).Draw(t, "words"), " "),
				Language: rapid.SampledFrom([]string{"fi", "en", ""}).Draw(t, "language"),
				Mood:     rapid.SampledFrom([]Mood{Unhappy, Happy, Middle}).Draw(t, "mood"),
				Late:     rapid.Bool().Draw(t, "late"),
			}
		})).Draw(t, "comments")
		found := Find(of)
		for _, th := range slices.Concat(found.Unhappy, found.Happy, found.Rising) {
			holds(t, of, th)
		}
		if diff := cmp.Diff(found, Find(of)); diff != "" {
			t.Errorf("a second time: %s", diff)
		}
	})
}

func TestSearch(t *testing.T) {
	for _, tt := range []struct {
		q, comment, language string
		want                 bool
	}{
		{"toimitus", "Toimituksessa kesti.", "fi", true},
		{"TOIMITUKSEN", "toimitusta odotin", "fi", true},
		{"toimitus", "toimitin sen itse", "fi", false},
		{"toimitus hinta", "Hinnat nousivat, toimitukset eivät.", "fi", true},
		{"toimitus hinta", "Hinnat nousivat.", "fi", false},
		{"verkkokauppa", "Verkko-kaupassa oli vika", "fi", true},
		{"ei toimi", "Kassat eivät toimi", "fi", true},
		{"leverans", "Leveranserna var sena", "sv", true},
		{"prices", "The price!", "en", true},
		{"don’t", "I don't know", "en", true},
		{"liefer", "Die Lieferung", "de", true},
		{"Lieferungen", "Die Lieferung", "de", false},
		{"a4", "tulostin: A4:lle", "fi", true},
		{"4711", "tilaus nro 247110", "fi", true},
		{"ö", "ö", "fi", true},
		{"", "anything", "fi", true},
		{"🙂", "anything", "fi", true}, // no word
		{"kassa", "", "fi", false},
	} {
		if got := NewSearch(tt.q).Matches(tt.comment, tt.language); got != tt.want {
			t.Errorf("%q in %q (%s): %v", tt.q, tt.comment, tt.language, got)
		}
	}
}

func FuzzTokens(f *testing.F) {
	for _, s := range []string{"", "a-b -c d- e--f", "it’s ‐x‐", "A\u0308a\u0308", "\xff\xfea", strings.Repeat("x", 99), "=cmd|' /C calc'!A0", "İI ß ſ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, tk := range tokens(s) {
			if tk.form == "" || len(tk.form) > maxWord || !utf8.ValidString(tk.form) {
				t.Errorf("%q has the word %q", s, tk.form)
			}
			for _, language := range []string{"fi", "sv", "en"} {
				if stem(tk.form, language) == "" {
					t.Errorf("%q (%s) has no stem", tk.form, language)
				}
			}
		}
		Find([]Comment{{Text: s, Language: "fi"}})
	})
}

// BenchmarkFind is on 100,000 Finnish comments of 12 words or so, as various as
// people's: a third of the words is drawn from 30,000.
func BenchmarkFind(b *testing.B) {
	sample := comments(b, "fi")
	r := rand.New(rand.NewPCG(1, 2))
	of := make([]Comment, 100_000)
	for i := range of {
		c := sample[r.IntN(len(sample))]
		for range 4 {
			c.Text += " " + rare(int(30_000*r.Float64()*r.Float64()))
		}
		of[i] = c
	}
	b.ReportAllocs()
	for b.Loop() {
		Find(of)
	}
}

// rare returns one of many words.
func rare(n int) string {
	const syllables = "kalotuvasireponemyhi"
	s := "x"
	for n > 0 {
		s += syllables[n%10*2 : n%10*2+2]
		n /= 10
	}
	return s
}
