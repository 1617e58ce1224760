package theme

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/swedish"
)

// stemmers by language. A word of another language has itself as its stem.
var stemmers = map[string]func(word string) string{
	"fi": finnishStem,
	"sv": swedishStem,
	"en": func(w string) string { return snowball(english.Stem, strings.TrimSuffix(w, "'s")) },
}

func snowball(stem func(*snowballstem.Env) bool, word string) string {
	env := snowballstem.NewEnv(word)
	stem(env)
	return env.Current()
}

// stem returns what the inflected forms of a word have in common: nothing to
// be shown. A hyphen within makes no difference.
func stem(word, language string) string {
	word = strings.ReplaceAll(word, "-", "")
	of, ok := stemmers[language]
	if !ok || hasDigit(word) {
		return word
	}
	return of(word)
}

// finnishStem is Snowball's stemmer for Finnish with what it leaves undone.
// That one removes endings and knows no consonant gradation, so that it takes
// toimitus, toimituksen and toimitusta for three words; and it takes the end of
// toimitusta, a partitive (toimitus-ta), for an elative (-sta). So before it:
//
//   - the partitive of nouns in -us, -ys (toimitus, tilaus, kysymys) and -nen
//     (maksaminen, kallista) is made the nominative where the letters before
//     it leave little doubt; palvelusta stays, which is palvelu's elative more
//     often than palvelus's partitive;
//   - a nominative in -nen gets the -s of its other forms;
//   - the adverb's -sti goes after a and ä (nopeasti).
//
// And after it:
//
//   - the stems -uks, -ust, -uud, -uut become -us, and so with y; -ist of -isten
//     and -ise become -is (Iso suomen kielioppi, § 54-56 on the inflection types
//     vastaus, kalleus and nainen);
//   - a last a, ä, e, i, o or ö goes, as plurals change it (kauppa, kauppoja), as
//     long as four letters stay; u and y stay, which tell maksu from maksaa;
//   - d becomes t (laadun, laatu; tiedon, tieto), and of a long word nt becomes n
//     (seuranta, seurannan; the stemmer makes one n of two);
//   - the common words in [irregularFinnish] are joined by hand.
func finnishStem(word string) string {
	if s, ok := strings.CutSuffix(word, "nen"); ok && len(s) >= 3 {
		word = s + "s"
	}
	for _, of := range partitives {
		if s, ok := strings.CutSuffix(word, of.ending); ok && len(s) >= of.after {
			word = s + of.becomes
			break
		}
	}
	if s, ok := cutAny(word, "sti"); ok && len(s) >= 4 && (strings.HasSuffix(s, "a") || strings.HasSuffix(s, "ä")) {
		word = s
	}
	s := snowball(finnish.Stem, word)
	if base, ok := irregularFinnish[s]; ok {
		return base
	}
	if base, ok := derived(s, word); ok {
		return base
	}
	for utf8.RuneCountInString(s) > 4 {
		t, ok := cutAny(s, "a", "ä", "e", "i", "o", "ö")
		if !ok {
			break
		}
		s = t
	}
	for _, of := range []struct{ from, to string }{{"d", "t"}, {"du", "tu"}, {"dy", "ty"}, {"usaj", "usaik"}, {"loaj", "loaik"}} {
		if t, ok := strings.CutSuffix(s, of.from); ok && len(t) >= 2 {
			s = t + of.to
			break
		}
	}
	if t, ok := strings.CutSuffix(s, "nt"); ok && len(t) >= 5 {
		s = t + "n"
	}
	if base, ok := irregularFinnish[s]; ok {
		return base
	}
	return s
}

// swedishStem is Snowball's stemmer for Swedish. That one takes the s of
// leverans for a genitive, so that it goes from leveransen too; and it leaves
// short words as they are, the common ones of which are joined by hand, at the
// end of a compound too (telefonkön).
func swedishStem(word string) string {
	s := snowball(swedish.Stem, word)
	if strings.HasSuffix(s, "ans") && len(s) > 5 {
		s = strings.TrimSuffix(s, "s")
	}
	for form, base := range irregularSwedish { // none of which ends in another
		if t, ok := strings.CutSuffix(s, form); ok && len(form) > 3 {
			return t + base
		}
	}
	return s
}

// cutAny cuts the first of the endings that the word has.
func cutAny(word string, endings ...string) (string, bool) {
	for _, e := range endings {
		if s, ok := strings.CutSuffix(word, e); ok {
			return s, true
		}
	}
	return word, false
}

// partitives are endings of partitives whose case Snowball takes for another
// one, and how many bytes must be before them.
var partitives = slices.Concat(
	partitive(2, "austa", "oitusta", "itusta", "etusta", "utusta", "otusta", "atusta", "stusta", "ltusta", "ntusta", "mmusta", "amusta", "imusta", "emusta", "omusta", "nnusta", "llusta"),
	partitive(2, "äystä", "öitystä", "itystä", "etystä", "ytystä", "ötystä", "ätystä", "stystä", "ltystä", "ntystä", "mmystä", "ymystä", "emystä", "nnystä", "llystä"),
	partitive(3, "amista", "emista", "omista", "umista", "imista", "ämistä", "emistä", "ömistä", "ymistä", "imistä", "llista", "llistä"),
)

func partitive(after int, endings ...string) []ending {
	out := make([]ending, len(endings))
	for i, e := range endings {
		s, _ := cutAny(e, "ta", "tä")
		out[i] = ending{e, s, after}
	}
	return out
}

// ending is an ending of a word and what it becomes, where at least so many
// bytes are before it.
type ending struct {
	ending, becomes string
	after           int
}

// derivations are the ends that stems of derived nouns and adjectives have in
// their cases.
var derivations = []ending{
	{"uks", "us", 2}, {"yks", "ys", 2},
	{"uud", "uus", 2}, {"yyd", "yys", 2}, {"uut", "uus", 2}, {"yyt", "yys", 2},
	{"eud", "eus", 2}, {"eyd", "eys", 2}, {"eut", "eus", 2}, {"eyt", "eys", 2},
	{"oud", "ous", 2}, {"out", "ous", 2},
	{"ise", "is", 2},
}

// derived returns the stem of a derived word, and whether s is one.
func derived(s, word string) (string, bool) {
	for _, d := range derivations {
		if t, ok := strings.CutSuffix(s, d.ending); ok && len(t) >= d.after {
			return t + d.becomes, true
		}
	}
	for _, end := range []string{"us", "ys", "is"} { // toimitusten, ihmisten
		if strings.HasSuffix(word, end+"ten") {
			if t, ok := strings.CutSuffix(s, end+"t"); ok {
				return t + end, true
			}
		}
		if strings.HasSuffix(s, end) && len(s) > 4 {
			return s, true
		}
	}
	return s, false
}

// The stems of common words whose forms no rule above joins, or of which too
// little is left.
var irregularFinnish = byStem(map[string]string{
	"aika":   "aik aja aj aiko",
	"apu":    "apu avu",
	"ei":     "ei en et emme ette eivät eivä eiv eikä ettei",
	"hidas":  "hidas hida hitaa hita hit hitaam",
	"hinta":  "hin hint hinto hino hinn",
	"huono":  "huon huono huonost huonoi",
	"hyvä":   "hyvä hyv",
	"ihmis":  "ihm ihmi",
	"kallis": "kal kalli kallii",
	"kassa":  "kas kass kaso",
	"ohje":   "ohj",
	"tili":   "til",
	"tuki":   "tuki tue tuke tuk",
	"uusi":   "uus uude uut uud uute uuti",
	"vika":   "vika via viko vik vio",
})

var irregularSwedish = byStem(map[string]string{
	"app":   "appen appar",
	"chatt": "chatten",
	"kass":  "kassan",
	"kö":    "kön köer köerna",
	"pris":  "priset prisen",
	"svar":  "svaret svaren",
	"tid":   "tiden",
})

func byStem(of map[string]string) map[string]string {
	out := map[string]string{}
	for base, stems := range of {
		out[base] = base
		for s := range strings.FieldsSeq(stems) {
			out[s] = base
		}
	}
	return out
}
