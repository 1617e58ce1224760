package site

import (
	"fmt"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// samplePeople is how many rows the sample has.
const samplePeople = 1000

var (
	sampleFirst = strings.Fields("Aino Eino Väinö Helmi Onni Sofia Elias Olivia Leo Ellen Oliver Lilja Eetu Venla Toivo Kerttu Åke Märta Björn Åsa Jörgen Siv Päivi Jyrki Tuula Hannu Sirpa Seppo Ritva Yrjö Mirja Ämmi")
	sampleLast  = strings.Fields("Virtanen Korhonen Mäkinen Nieminen Mäkelä Hämäläinen Laine Heikkinen Koskinen Järvinen Lehtonen Lehtinen Saarinen Salminen Heinonen Niemi Kinnunen Salonen Turunen Söderström Öhman Åkerlund Lindström Sjöberg Rantanen Väisänen Hyvönen")
)

// Sample returns the file of a customer register as Excel saves it in Finland:
// semicolons, Windows-1252, Finnish headings. All of its 1,000 people are made
// up. Some rows have the mistakes that such files have: 5 broken e-mail
// addresses in rows that have a phone number all the same, 3 people without an
// address, and 2 who are there twice.
func Sample() []byte {
	var b strings.Builder
	b.WriteString("Asiakasnumero;Etunimi;Sukunimi;Sähköposti;Puhelin;Kieli;Segmentti;Aikavyöhyke;Markkinointikielto\r\n")
	for i := 1; i <= samplePeople; i++ {
		n := i
		if i == 500 || i == 900 {
			n = i - 100 // a second time
		}
		first, last := sampleFirst[n*7%len(sampleFirst)], sampleLast[n*5%len(sampleLast)]
		email := fmt.Sprintf("%s.%s.%d@example.com", ascii(first), ascii(last), n)
		phone := ""
		if n%3 == 0 {
			phone = fmt.Sprintf("040 000 %04d", n)
		}
		switch {
		case n%200 == 77:
			email, phone = ascii(first)+" at example.com", fmt.Sprintf("040 000 %04d", n)
		case n == 333 || n == 555 || n == 777:
			email, phone = "", ""
		}
		locale := []string{"fi", "fi", "fi", "suomi", "sv", "en"}[n%6]
		zone := ""
		switch n % 50 {
		case 10, 11:
			zone = "Europe/Stockholm"
		case 12:
			zone = "Asia/Tokyo"
		case 13:
			zone = "America/New_York"
		}
		segment := []string{"basic", "basic", "gold", "yritys"}[n%4]
		out := ""
		if n%60 == 59 {
			out = "kyllä"
		}
		ref := fmt.Sprintf("A-%05d", n)
		if email == "" && phone == "" {
			ref = ""
		}
		if n%100 == 42 { // as Excel quotes a cell with a line break in it
			last = fmt.Sprintf("\"%s\r\n\"", last)
		}
		fmt.Fprintf(&b, "%s;%s;%s;%s;%s;%s;%s;%s;%s\r\n", ref, first, last, email, phone, locale, segment, zone, out)
	}
	encoded, err := charmap.Windows1252.NewEncoder().String(b.String())
	if err != nil {
		panic("site: the sample has a character that Windows-1252 has not: " + err.Error()) // a test makes it
	}
	return []byte(encoded)
}

// ascii writes a name as it stands in an e-mail address.
func ascii(name string) string {
	return strings.NewReplacer("å", "a", "ä", "a", "ö", "o").Replace(strings.ToLower(name))
}
