package intake

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/table"
)

func TestRecognise(t *testing.T) {
	for heading, want := range map[string]Field{
		"Sähköposti": Email, "SÄHKÖPOSTIOSOITE": Email, "sa\u0308hko\u0308posti": Email, "email": Email, "E-mail": Email, "e-mail address": Email,
		"E-post": Email, "epost": Email, "E-postadress": Email, "Sähköposti (työ)": Email, "Email 1": Email, "E-mail address 2.": Email,
		"Puhelin": Phone, "puhelinnumero": Phone, "Telefon": Phone, "Phone number": Phone, "Puhelin 2": Phone,
		"Matkapuhelin": Mobile, "GSM": Mobile, "mobil": Mobile, "Mobile phone": Mobile,
		"Etunimi": FirstName, "Förnamn": FirstName, "first_name": FirstName, "First name": FirstName,
		"Sukunimi": LastName, "Efternamn": LastName, "lastName": LastName,
		"Nimi": Name, "Namn": Name, "Name": Name, "Yritys": Company, "Företag": Company, "Company": Company,
		"Kieli": Locale, "Språk": Locale, "Language": Locale, "Segmentti": Segments, "Ryhmä": Segments, "Segment": Segments, "Group": Segments,
		"Asiakasnumero": Ref, "Kundnummer": Ref, "Customer number": Ref, "ID": Ref,
		"Aikavyöhyke": Zone, "Tidszon": Zone, "Time zone": Zone,
		"Kielto": OptOut, "Markkinointikielto": OptOut, "Opt-out": OptOut, "Avböjt": OptOut,
		"Sähköpostikielto": OptOutEmail, "SMS-kielto": OptOutSMS, "Markkinointilupa": OptIn, "Samtycke": OptIn,
		"": "", "Kaupunki": "", "emailed": "", "Osoite": "", "()": "", "2": "",
	} {
		if got, ok := recognise(heading); got != want || ok != (want != "") {
			t.Errorf("%q is %q, want %q", heading, got, want)
		}
	}
	for n := range names {
		if n != plain(n) {
			t.Errorf("%q can never be recognised", n)
		}
	}
	for l := range languages {
		if l != plain(l) {
			t.Errorf("%q can never be a language", l)
		}
	}
}

func rows(lines ...string) []table.Row {
	var out []table.Row
	for i, l := range lines {
		if l != "" {
			out = append(out, table.Row{Number: i + 1, Cells: strings.Split(l, "|")})
		}
	}
	return out
}

func TestHeadings(t *testing.T) {
	wide := strings.TrimSuffix(strings.Repeat("Sarake|", 49), "|") + "|" + strings.Repeat("x", 50)
	for name, c := range map[string]struct {
		rows    []table.Row
		mapping map[string]Field
		heading int
		ignored string
		err     string
	}{
		"first row":         {rows: rows("email|x", "a@example.com|b"), heading: 1, ignored: "x"},
		"below titles":      {rows: rows("Customers", "", "Name: all|Phone list", "Name|Phone|City"), heading: 4, ignored: "City"},
		"the better of two": {rows: rows("Email|Address", "Email|Phone|Nimi"), heading: 2},
		"mapped":            {rows: rows("Osoite|Email|x"), mapping: map[string]Field{"OSOITE": Email, "email": ""}, heading: 1, ignored: "Email,x"},
		"unknown field":     {rows: rows("email"), mapping: map[string]Field{"email": "mail"}, err: `mapping: "mail" is no field; the fields are email, phone, mobile, firstName, lastName, name, company, locale, zone, segments, ref, optOut, optOutEmail, optOutSMS, optIn`},
		"unknown column":    {rows: rows("email|Nimi"), mapping: map[string]Field{"Postia": ""}, err: `mapping: the table has no column "Postia"; the columns are "email", "Nimi"`},
		"no rows":           {err: "the table has no rows"},
		"no address":        {rows: rows("Title", "Etunimi|Kaupunki", "Aino|Oulu"), err: `no column has addresses: there must be one for e-mail or phone among the first 10 rows, such as sähköposti, puhelin, e-post, telefon, email or phone, or a mapping; the columns are "Etunimi", "Kaupunki"`},
		"nothing known":     {rows: rows("Title", "A|B"), err: `no column has addresses: there must be one for e-mail or phone among the first 10 rows, such as sähköposti, puhelin, e-post, telefon, email or phone, or a mapping; the columns are "A", "B"`},
		"wide": {rows: rows(wide), err: `no column has addresses: there must be one for e-mail or phone among the first 10 rows, such as sähköposti, puhelin, e-post, telefon, email or phone, or a mapping; the columns are ` +
			strings.Repeat(`"Sarake", `, 49) + `"` + strings.Repeat("x", 40) + `…"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newColumns(c.rows, c.mapping)
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Errorf("the error is %v, want\n%s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if ignored := strings.Join(got.Ignored(), ","); got.Heading != c.heading || ignored != c.ignored {
				t.Errorf("headings in row %d, ignored %s", got.Heading, ignored)
			}
		})
	}
}

func TestPerson(t *testing.T) {
	both := []survey.Channel{survey.Email, survey.SMS}
	const noAddress = "-1 refused: has neither an e-mail address nor a phone number that can be used"
	for name, c := range map[string]struct {
		head, row string
		want      survey.Details
		problems  string // by line
	}{
		"all of it": {
			"sähköposti|puhelin|etunimi|sukunimi|yritys|kieli|aikavyöhyke|segmentti|asiakasnumero",
			" Aino@Example.com |040 1234567|Aino|Virtanen|Oy  X\nAb|suomi|Europe/Helsinki|vip, uusi;maa=FI||7",
			survey.Details{Ref: "", Email: "aino@example.com", Phone: "+358401234567", FirstName: "Aino", LastName: "Virtanen", Company: "Oy X Ab", Locale: "fi", Zone: "Europe/Helsinki", Segments: []string{"maa=FI", "uusi", "vip"}}, "",
		},
		"a name in one":          {"email|nimi", "a@example.com|Aino Maria Virtanen", survey.Details{Email: "a@example.com", FirstName: "Aino Maria", LastName: "Virtanen"}, ""},
		"a name with a comma":    {"email|nimi", "a@example.com|Virtanen, Aino Maria", survey.Details{Email: "a@example.com", FirstName: "Aino Maria", LastName: "Virtanen"}, ""},
		"one name":               {"email|nimi", "a@example.com|Madonna", survey.Details{Email: "a@example.com", FirstName: "Madonna"}, ""},
		"names go before name":   {"email|nimi|etunimi", "a@example.com|X Y|Aino", survey.Details{Email: "a@example.com", FirstName: "Aino"}, ""},
		"languages":              {"email|kieli", "a@example.com|SVENSKA", survey.Details{Email: "a@example.com", Locale: "sv"}, ""},
		"a code of a language":   {"email|kieli", "a@example.com|SV_fi", survey.Details{Email: "a@example.com", Locale: "sv-FI"}, ""},
		"no language":            {"email|kieli", "a@example.com|klingon", survey.Details{Email: "a@example.com"}, "1 left out: locale must be a language such as fi or sv-FI"},
		"no zone":                {"email|tidszon", "a@example.com|EET/Oulu", survey.Details{Email: "a@example.com"}, "1 left out: zone must be a time zone such as Europe/Helsinki"},
		"a long name":            {"email|etunimi", "a@example.com|" + strings.Repeat("ä", 101), survey.Details{Email: "a@example.com"}, "1 left out: firstName must be at most 100 characters"},
		"a name of 100":          {"email|etunimi", "a@example.com|" + strings.Repeat("ä", 100), survey.Details{Email: "a@example.com", FirstName: strings.Repeat("ä", 100)}, ""},
		"no UTF-8":               {"email|etunimi", "a@example.com|\xff", survey.Details{Email: "a@example.com"}, "1 left out: firstName must be UTF-8"},
		"a segment that is none": {"email|ryhmä", "a@example.com|a, b!, c", survey.Details{Email: "a@example.com", Segments: []string{"a", "c"}}, "1 left out: segments must be made of 1 to 40 letters, digits, spaces, - and _, with one = allowed in between"},
		"several that are none": {"email|ryhmä|ryhmä", "a@example.com|b!, a, c!|d!", survey.Details{Email: "a@example.com", Segments: []string{"a"}},
			"1 left out: segments must be made of 1 to 40 letters, digits, spaces, - and _, with one = allowed in between\n2 left out: segments must be made of 1 to 40 letters, digits, spaces, - and _, with one = allowed in between"},
		"letters in a phone":  {"email|puhelin", "a@example.com|ei ole", survey.Details{Email: "a@example.com"}, "1 left out: phone number must not contain letters"},
		"letters only":        {"puhelin", "040 SOITA", survey.Details{}, "0 left out: phone number must not contain letters\n" + noAddress},
		"mobile first":        {"puhelin|gsm", "09 123 4567|040 1234567", survey.Details{Phone: "+358401234567"}, ""},
		"the other phone":     {"puhelin|gsm", "09 123 4567|?", survey.Details{Phone: "+35891234567"}, "1 left out: phone number must be made of digits, spaces and +-()./"},
		"a phone as a number": {"puhelin", "401234567", survey.Details{Phone: "+358401234567"}, ""},
		"with a fraction":     {"puhelin", "358401234567.0", survey.Details{Phone: "+358401234567"}, ""},
		"rounded":             {"email|puhelin", "a@example.com|4,01234E+11", survey.Details{Email: "a@example.com"}, "1 left out: phone number was rounded by a spreadsheet program: make its column text there, with all digits"},
		"no address":          {"email|nimi", "|Aino", survey.Details{FirstName: "Aino"}, noAddress},
		"a bad one":           {"email|nimi", "aino|Aino", survey.Details{FirstName: "Aino"}, "0 left out: e-mail address has no @\n" + noAddress},
		"more cells":          {"email", "a@example.com|b|c", survey.Details{Email: "a@example.com"}, ""},
		"opted out":           {"email|kielto", "a@example.com|X", survey.Details{Email: "a@example.com", OptOut: both}, ""},
		"not opted out":       {"email|kielto", "a@example.com|Ei", survey.Details{Email: "a@example.com"}, ""},
		"dash":                {"email|kielto", "a@example.com|-", survey.Details{Email: "a@example.com"}, ""},
		"perhaps opted out":   {"email|kielto", "a@example.com|12.3.2024", survey.Details{Email: "a@example.com", OptOut: both}, "1 noted: is neither yes nor no, and was taken for an opt-out"},
		"of e-mail":           {"email|sähköpostikielto", "a@example.com|kyllä", survey.Details{Email: "a@example.com", OptOut: []survey.Channel{survey.Email}}, ""},
		"of SMS":              {"email|sms-kielto", "a@example.com|ja", survey.Details{Email: "a@example.com", OptOut: []survey.Channel{survey.SMS}}, ""},
		"no consent":          {"email|samtycke", "a@example.com|nej", survey.Details{Email: "a@example.com", OptOut: both}, ""},
		"consent":             {"email|samtycke", "a@example.com|kanske", survey.Details{Email: "a@example.com"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			columns, err := newColumns(rows(c.head), nil)
			if err != nil {
				t.Fatal(err)
			}
			r := table.Row{Number: 2, Cells: strings.Split(c.row, "|")}
			if name == "all of it" { // whose segments have a bar in them
				r.Cells = slices.Concat(r.Cells[:7], []string{"vip, uusi;maa=FI|vip"})
			}
			p := columns.person(r, Defaults{Country: "FI"})
			if diff := cmp.Diff(c.want, p.details); diff != "" {
				t.Error(diff)
			}
			if got := told(p); got != c.problems || p.refused != strings.Contains(c.problems, noAddress) {
				t.Errorf("problems: %s, refused %t", got, p.refused)
			}
		})
	}
}

func told(p person) string {
	var s []string
	for _, c := range p.complaints {
		s = append(s, strings.Join([]string{string(rune('0' + c.column)), " ", string(c.kind), ": ", c.reason}, ""))
		if c.column < 0 {
			s[len(s)-1] = "-1 " + string(c.kind) + ": " + c.reason
		}
	}
	return strings.Join(s, "\n")
}

func TestDefaults(t *testing.T) {
	columns, err := newColumns(rows("phone|language|segment"), nil)
	if err != nil {
		t.Fatal(err)
	}
	def := Defaults{Country: "SE", Locale: "sv", Segment: "spring"}
	p := columns.person(table.Row{Number: 2, Cells: []string{"070-174 06 05"}}, def)
	if diff := cmp.Diff(survey.Details{Phone: "+46701740605", Locale: "sv", Segments: []string{"spring"}}, p.details); diff != "" {
		t.Error(diff)
	}
	p = columns.person(table.Row{Number: 2, Cells: []string{"070-174 06 05", "en", "vip|spring"}}, def)
	if diff := cmp.Diff(survey.Details{Phone: "+46701740605", Locale: "en", Segments: []string{"spring", "vip"}}, p.details); diff != "" {
		t.Error(diff)
	}
}

func TestNotesOfCells(t *testing.T) {
	columns, err := newColumns(rows("email|city|name"), nil)
	if err != nil {
		t.Fatal(err)
	}
	p := columns.person(table.Row{Number: 2, Cells: []string{"a@example.com"}, Notes: []table.Note{
		{Column: 1, Missing: true, Message: "nobody reads"}, {Column: 2, Missing: true, Message: "is an error"}, {Column: 7, Missing: true, Message: "beyond"},
	}}, Defaults{})
	if got := told(p); got != "2 left out: is an error" || p.refused {
		t.Error(got)
	}
	p = columns.person(table.Row{Number: 3, Broken: "a quote"}, Defaults{})
	if got := told(p); got != "-1 refused: a quote" || !p.refused {
		t.Error(got)
	}
}

func FuzzRecognise(f *testing.F) {
	for _, s := range []string{"Sähköposti (työ) 2", "e-mail", "", "(", "\xff", "1."} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, heading, value string) {
		if field, ok := recognise(heading); ok == (field == "") {
			t.Errorf("%q is %q", heading, field)
		}
		columns, err := newColumns(rows("email|phone|name|locale|zone|segment|ref|opt-out|consent"), nil)
		if err != nil {
			t.Fatal(err)
		}
		r := table.Row{Number: 2, Cells: []string{"a@example.com", value, value, value, value, value, value, value, value}}
		if p := columns.person(r, Defaults{Country: "FI"}); p.refused || p.details.Check() != nil {
			t.Errorf("%q: %+v, %v", value, p, p.details.Check())
		}
	})
}
