// Package people makes up customers for trials. They have addresses that
// nobody has: subdomains of example.com (RFC 2606), and the phone numbers that
// are kept free for books and films in Sweden (PTS: 070-174 06 05 to 06 99) and
// in North America (NANPA: 555-0100 to 555-0199 of every area).
package people

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Options say what is made up, and how it is written.
type Options struct {
	People    int
	Seed      uint64 // the same seed makes up the same people
	Separator rune
	Encoding  string // of Encodings
}

// Encodings lists how a file can be encoded.
func Encodings() []string { return []string{"utf-8", "utf-8-bom", "utf-16", "windows-1252"} }

func encoder(name string) (encoding.Encoding, error) {
	switch name {
	case "utf-8":
		return encoding.Nop, nil
	case "utf-8-bom":
		return unicode.UTF8BOM, nil
	case "utf-16":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), nil
	case "windows-1252":
		return charmap.Windows1252, nil
	}
	return nil, fmt.Errorf("there is no encoding %q: it must be one of %s", name, strings.Join(Encodings(), ", "))
}

// language is where names come from.
type language struct {
	cell, company, domain string
	first, last           []string
}

var languages = []language{
	{"suomi", "Oy", "posti", strings.Fields("Aino Väinö Päivi Jyrki Maija Matti Helmi Eero Tuulikki Hannu Säde Yrjö Kaisa Onni Lumi Äijö"),
		strings.Fields("Virtanen Mäkelä Järvinen Korhonen Hämäläinen Nieminen Lehtonen Pöysti Koskinen Ylä-Outinen Särkkä Salmela")},
	{"ruotsi", "Ab", "brev", strings.Fields("Åsa Björn Märta Göran Linnéa Östen Karin Sven Ebba Håkan Maj-Britt Nils"),
		strings.Fields("Åkerblom Sjöström Lindqvist Öhman Bergström Nyström Häggblom Wikström Södergård Forsén")},
	{"englanti", "Ltd", "mail", strings.Fields("Grace Oliver Amelia Harry Isla George Zoë Noah Poppy Arthur"),
		strings.Fields("Fletcher O'Neill Whitfield Carter Ashdown Brontë Marlowe Kingsley")},
}

var (
	headings  = []string{"Asiakasnumero", "Etunimi", "Sukunimi", "Sähköposti", "Matkapuhelin", "Kieli", "Yritys", "Ryhmä", "Markkinointikielto"}
	groups    = []string{"", "kanta-asiakas", "vip", "uusi", "kanta-asiakas, vip"}
	companies = strings.Fields("Pohjantähti Sähkömies Leipomo Valo Kaamos Nordljus Granit")
)

// phones is how many numbers there are.
const phones = 95 + 1000

var areas = strings.Fields("202 206 212 213 310 312 404 415 617 702")

func phone(i int) string {
	if i < 95 {
		return fmt.Sprintf("+46 70 174 06 %02d", 5+i)
	}
	i -= 95
	return fmt.Sprintf("+1 %s 555 01%02d", areas[i/100], i%100)
}

// Write writes a table of people with headings in Finnish, as far as the phone
// numbers reach with one.
func Write(w io.Writer, o Options) error {
	e, err := encoder(o.Encoding)
	if err != nil {
		return err
	}
	encoded := transform.NewWriter(w, e.NewEncoder())
	table := csv.NewWriter(encoded)
	table.Comma, table.UseCRLF = o.Separator, true
	if err := table.Write(headings); err != nil {
		return fmt.Errorf("writing the people: %w", err)
	}
	r := rand.New(rand.NewPCG(o.Seed, 0))
	every := max(1, (o.People+phones-1)/phones)
	for i := range o.People {
		if err := table.Write(person(r, i, every)); err != nil {
			return fmt.Errorf("writing the people: %w", err)
		}
	}
	table.Flush()
	if err := table.Error(); err != nil {
		return fmt.Errorf("writing the people: %w", err)
	}
	if err := encoded.Close(); err != nil {
		return fmt.Errorf("writing the people: %w", err)
	}
	return nil
}

func person(r *rand.Rand, i, phoneEvery int) []string {
	l := languages[[]int{0, 0, 0, 0, 0, 0, 1, 1, 1, 2}[r.IntN(10)]]
	first, last := l.first[r.IntN(len(l.first))], l.last[r.IntN(len(l.last))]
	company, optOut, number := "", "", ""
	if r.IntN(4) == 0 {
		company = companies[r.IntN(len(companies))] + " " + l.company
	}
	if r.IntN(50) == 0 {
		optOut = "x"
	}
	if i%phoneEvery == 0 {
		number = phone(i / phoneEvery)
	}
	email := fmt.Sprintf("%s.%s.%d@%s.example.com", ascii(first), ascii(last), i+1, l.domain)
	return []string{fmt.Sprint(100_001 + i), first, last, email, number, l.cell, company, groups[r.IntN(len(groups))], optOut}
}

// ascii writes a name as in an address.
var ascii = strings.NewReplacer("Å", "a", "å", "a", "Ä", "a", "ä", "a", "Ö", "o", "ö", "o", "é", "e", "ë", "e", "'", "", "-", "").Replace
