package intake

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/pulssi/pulssi/shared/address"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/table"
)

// Field is what a column tells of a person. Fields are what columns are mapped
// to by hand.
type Field string

// The fields.
const (
	Email       Field = "email"
	Phone       Field = "phone"
	Mobile      Field = "mobile" // a phone number too, and taken before one in Phone
	FirstName   Field = "firstName"
	LastName    Field = "lastName"
	Name        Field = "name" // both in one
	Company     Field = "company"
	Locale      Field = "locale"
	Zone        Field = "zone"
	Segments    Field = "segments"
	Ref         Field = "ref"
	OptOut      Field = "optOut" // of every channel, where the cell says yes
	OptOutEmail Field = "optOutEmail"
	OptOutSMS   Field = "optOutSMS"
	OptIn       Field = "optIn" // opted out of every channel where the cell says no
)

// names are the headings that are recognised, in Finnish, Swedish and English,
// as [plain] writes them.
var names = func() map[string]Field {
	out := map[string]Field{}
	for f, list := range map[Field]string{
		Email: `sahkoposti sahkopostiosoite sposti email emailaddress mail mailaddress mailadress epost epostadress
			kontaktsahkoposti workemail`,
		Phone: `puhelin puhelinnumero puhnro puhno puh telefon telefonnummer tel telnr telephone telephonenumber
			phone phonenumber`,
		Mobile: `matkapuhelin matkapuhelinnumero kannykka kannykkanumero gsm gsmnumero mobiili mobiilinumero mobil mobilnummer
			mobilnr mobiltelefon mobile mobilephone mobilenumber mobilephonenumber cell cellphone`,
		FirstName: "etunimi etunimet fornamn tilltalsnamn firstname givenname forename",
		LastName:  "sukunimi efternamn lastname surname familyname",
		Name:      "nimi kokonimi asiakkaannimi asiakas namn fulltnamn kundnamn kund name fullname customername customer contact contactname yhteyshenkilo kontaktperson",
		Company:   "yritys yrityksennimi yhtio organisaatio tyonantaja foretag foretagsnamn bolag organisation company companyname organization employer",
		Locale:    "kieli asiointikieli aidinkieli kielikoodi sprak modersmal sprakkod language languagecode lang locale",
		Zone:      "aikavyohyke tidszon tidzon timezone zone tz",
		Segments:  "segmentti segmentit ryhma ryhmat asiakasryhma asiakassegmentti segment segments segmenten grupp grupper kundgrupp kundsegment group groups customergroup tag tags tagit",
		Ref:       "asiakasnumero asiakasnro asiakasno asiakastunnus asiakasid kundnummer kundnr kundid customernumber customerno customerid customerref id ref contactid",
		OptOut: `kielto kiellot markkinointikielto suoramarkkinointikielto kyselykielto eikyselyita reklamsparr reklamforbud marknadsforingsforbud
			avbojt avbojer optout optedout unsubscribed donotcontact donotask nomarketing`,
		OptOutEmail: "sahkopostikielto sahkopostimarkkinointikielto epostsparr epostforbud emailoptout optoutemail emailunsubscribed",
		OptOutSMS:   "tekstiviestikielto smskielto smssparr smsforbud smsoptout optoutsms",
		OptIn:       "markkinointilupa lupa suostumus samtycke tillstand consent optin marketingconsent marketingpermission",
	} {
		for n := range strings.FieldsSeq(list) {
			out[n] = f
		}
	}
	return out
}()

// Fields lists what columns can be mapped to.
func Fields() []Field {
	return []Field{Email, Phone, Mobile, FirstName, LastName, Name, Company, Locale, Zone, Segments, Ref, OptOut, OptOutEmail, OptOutSMS, OptIn}
}

// plain returns a heading without what people write differently: case,
// diacritics, and all but letters and digits.
func plain(heading string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKD.String(heading))
}

// recognise returns the field that a heading names, also where a bracket or a
// number follows it: "Puhelin (työ)", "E-mail 2".
func recognise(heading string) (Field, bool) {
	whole, _, _ := strings.Cut(heading, "(")
	for _, h := range []string{heading, whole, strings.TrimRight(whole, "0123456789 .")} {
		if f, ok := names[plain(h)]; ok {
			return f, true
		}
	}
	return "", false
}

// Columns is what is known of a table's columns.
type Columns struct {
	Heading  int      // number of the row that they stand in
	Names    []string // as they are written there
	byField  map[Field][]int
	fieldsOf []Field
}

// Recognised returns the field of every recognised column, by its name.
func (c *Columns) Recognised() map[string]Field {
	out := map[string]Field{}
	for i, f := range c.fieldsOf {
		if f != "" {
			out[c.Name(i)] = f
		}
	}
	return out
}

// Ignored returns the names of the others.
func (c *Columns) Ignored() []string {
	var out []string
	for i, f := range c.fieldsOf {
		if f == "" && c.Names[i] != "" {
			out = append(out, c.Names[i])
		}
	}
	return out
}

// Name returns a column's name as it is written, and its place where it has
// none.
func (c *Columns) Name(i int) string {
	if i < 0 {
		return ""
	}
	if i < len(c.Names) && c.Names[i] != "" {
		return c.Names[i]
	}
	return fmt.Sprintf("column %d", i+1)
}

// HeadingRows is how many rows are looked at for the headings: a title and
// such may stand above them.
const HeadingRows = 10

// newColumns finds the headings among the first rows of a table: the row with
// the most recognised names, an address's among them. mapping says what columns
// are by hand, and goes before what is recognised; "" ignores one. It returns a
// [*table.Error] where no row is a heading.
func newColumns(rows []table.Row, mapping map[string]Field) (*Columns, error) {
	byHand := map[string]Field{}
	for name, f := range mapping {
		if f != "" && !slices.Contains(Fields(), f) {
			return nil, mistake("mapping: %q is no field; the fields are %s", f, list(Fields()))
		}
		byHand[plain(name)] = f
	}
	var best *Columns
	most := -1
	for _, r := range rows {
		c := &Columns{Heading: r.Number, Names: slices.Clone(r.Cells), byField: map[Field][]int{}}
		found, seen := 0, map[string]bool{}
		for i, name := range c.Names {
			p := plain(name)
			f, mapped := byHand[p]
			if !mapped {
				f, _ = recognise(name)
			}
			if name == "" {
				f, mapped = "", false
			}
			c.fieldsOf = append(c.fieldsOf, f)
			if f != "" {
				c.byField[f] = append(c.byField[f], i)
			}
			if f != "" || mapped {
				found++
			}
			seen[p] = true
		}
		score := found * 2
		if c.addressed() {
			score += 2 * table.MaxColumns
		}
		if found == 0 && len(r.Cells) > 1 {
			score++ // headings that nobody knows, rather than a title
		}
		if score > most {
			best, most = c, score
		}
	}
	if best == nil {
		return nil, mistake("the table has no rows")
	}
	if !best.addressed() {
		return nil, mistake("no column has addresses: there must be one for e-mail or phone among the first %d rows, such as sähköposti, puhelin, e-post, telefon, email or phone, or a mapping; the columns are %s",
			HeadingRows, shortList(best.Names))
	}
	for _, name := range slices.Sorted(maps.Keys(mapping)) {
		if !slices.ContainsFunc(best.Names, func(n string) bool { return plain(n) == plain(name) }) {
			return nil, mistake("mapping: the table has no column %q; the columns are %s", name, shortList(best.Names))
		}
	}
	// Text messages go to mobile phones.
	best.byField[Phone] = append(best.byField[Mobile], best.byField[Phone]...)
	return best, nil
}

func (c *Columns) addressed() bool {
	return len(c.byField[Email])+len(c.byField[Phone])+len(c.byField[Mobile]) > 0
}

// Defaults hold for all rows of a file.
type Defaults struct {
	Country string // of phone numbers without one
	Locale  string // where the row tells none
	Segment string // of everybody in the file, on top of the row's
}

// person is what one row tells.
type person struct {
	row        int
	details    survey.Details
	from       map[Field]int // the columns that it came from
	complaints []complaint
	refused    bool
	aside      bool // no row, only something about one
}

// complaint is one problem of a row.
type complaint struct {
	column int // -1 for the row
	kind   Kind
	reason string
}

// person returns what a row tells of a person. What breaks a rule is left out
// and complained about; the row is refused where no address is left, or it
// could not be read.
func (c *Columns) person(r table.Row, def Defaults) person {
	if r.Broken != "" {
		return person{row: r.Number, complaints: []complaint{{-1, Refused, r.Broken}}, refused: true}
	}
	var d survey.Details
	var complaints []complaint
	for _, n := range r.Notes {
		if n.Column < len(c.fieldsOf) && c.fieldsOf[n.Column] != "" {
			complaints = append(complaints, complaint{n.Column, noteKind(n), n.Message})
		}
	}
	leave := func(column int, reason string) { complaints = append(complaints, complaint{column, LeftOut, reason}) }
	from := map[Field]int{} // where a value came from
	texts := map[Field]*string{FirstName: &d.FirstName, LastName: &d.LastName, Company: &d.Company, Locale: &d.Locale, Zone: &d.Zone, Ref: &d.Ref}
	for f, to := range texts {
		*to, from[f] = c.first(r, f)
	}
	if d.FirstName == "" && d.LastName == "" {
		name, i := c.first(r, Name)
		d.FirstName, d.LastName = splitName(name)
		from[FirstName], from[LastName] = i, i
	}
	d.Locale = locale(d.Locale)
	d.Email, from[Email] = c.address(r, Email, leave, address.Email)
	d.Phone, from[Phone] = c.address(r, Phone, leave, func(s string) (string, error) { return phone(s, def.Country) })
	d.Segments, from[Segments] = c.segments(r, def.Segment, leave)
	d.OptOut = c.optOuts(r, func(column int, reason string) {
		complaints = append(complaints, complaint{column, Noted, reason})
	})
	for _, e := range broken(d.Check()) {
		f := Field(e.Field)
		column, known := from[f]
		if !known || f == Email || f == Phone {
			continue // that there is no address is told below
		}
		leave(column, e.Message)
		if f == Segments {
			d.Segments = nil
		} else {
			*texts[f] = ""
		}
	}
	if d.Locale == "" {
		d.Locale = def.Locale
	}
	slices.SortStableFunc(complaints, func(a, b complaint) int { return a.column - b.column })
	p := person{row: r.Number, details: d, from: from, complaints: complaints}
	if d.Email == "" && d.Phone == "" {
		p.refused = true
		p.complaints = append(p.complaints, complaint{-1, Refused, "has neither an e-mail address nor a phone number that can be used"})
	}
	return p
}

// missing reports whether a row has a value that could not be read.
func missing(r table.Row) bool {
	return slices.ContainsFunc(r.Notes, func(n table.Note) bool { return n.Missing })
}

// remark returns what the notes of a row without cells say.
func (c *Columns) remark(r table.Row) person {
	p := person{row: r.Number, aside: true}
	for _, n := range r.Notes {
		p.complaints = append(p.complaints, complaint{n.Column, Noted, n.Message})
	}
	return p
}

func cell(r table.Row, i int) string {
	if i >= len(r.Cells) {
		return ""
	}
	return strings.Join(strings.Fields(r.Cells[i]), " ") // line ends within a cell, too
}

// first returns the first value in a field's columns, and the column; the
// field's first where there is none.
func (c *Columns) first(r table.Row, f Field) (string, int) {
	column := -1
	for _, i := range c.byField[f] {
		if v := cell(r, i); v != "" {
			return v, i
		}
		if column < 0 {
			column = i
		}
	}
	return "", column
}

// address returns the first address in a field's columns that can be used.
func (c *Columns) address(r table.Row, f Field, leave func(int, string), normalise func(string) (string, error)) (string, int) {
	for _, i := range c.byField[f] {
		v := cell(r, i)
		if v == "" {
			continue
		}
		a, err := normalise(v)
		if err == nil {
			return a, i
		}
		for _, e := range broken(err) {
			leave(i, e.Message)
		}
	}
	return "", -1
}

// broken returns the rules that are broken, joined in err.
func broken(err error) (out []*survey.Error) {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range all.Unwrap() {
			out = append(out, broken(e)...)
		}
		return out
	}
	if e, ok := errors.AsType[*survey.Error](err); ok {
		return []*survey.Error{e}
	}
	return nil
}

var (
	// rounded is how a spreadsheet shows a number that it finds too long.
	rounded = regexp.MustCompile(`^[0-9]([.,][0-9]+)?[eE][+]?[0-9]+$`)
	whole   = regexp.MustCompile(`^([0-9]+)[.,]0+$`)
)

// phone reads a phone number that a spreadsheet may have taken for a number:
// it has lost the 0 or the + that it began with, and looks like 358401234567.0
// or 3,58E+11.
func phone(s, country string) (string, error) {
	if rounded.MatchString(s) {
		return "", survey.Errorf(survey.Invalid, "phone", "phone number was rounded by a spreadsheet program: make its column text there, with all digits")
	}
	if m := whole.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	return address.Phone(s, country)
}

// splitName divides a name: "Aino Maria Virtanen", "Virtanen, Aino Maria".
func splitName(name string) (first, last string) {
	if last, first, ok := strings.Cut(name, ","); ok {
		return strings.TrimSpace(first), strings.TrimSpace(last)
	}
	i := strings.LastIndexByte(name, ' ')
	if i < 0 {
		return name, ""
	}
	return name[:i], name[i+1:]
}

// languages are names of languages, as [plain] writes them.
var languages = map[string]string{
	"suomi": "fi", "finska": "fi", "finnish": "fi", "fin": "fi",
	"ruotsi": "sv", "svenska": "sv", "swedish": "sv", "swe": "sv",
	"englanti": "en", "engelska": "en", "english": "en", "eng": "en",
}

// locale returns the locale that a cell means: "Suomi", "FI", "sv_fi".
func locale(s string) string {
	if l, ok := languages[plain(s)]; ok {
		return l
	}
	lang, region, ok := strings.Cut(strings.ReplaceAll(s, "_", "-"), "-")
	if !ok {
		return strings.ToLower(lang)
	}
	return strings.ToLower(lang) + "-" + strings.ToUpper(region)
}

// segments returns the segments of a row, and nil where it names none: then
// they stay as they are. A cell that has some that are none is told of once.
func (c *Columns) segments(r table.Row, everybodys string, leave func(int, string)) ([]string, int) {
	var out []string
	column := -1
	for _, i := range c.byField[Segments] {
		none := false
		for s := range strings.FieldsFuncSeq(cell(r, i), func(r rune) bool { return strings.ContainsRune(",;|", r) }) {
			s = strings.TrimSpace(s)
			switch {
			case s == "":
			case survey.ValidSegment(s):
				out, column = append(out, s), i
			default:
				none = true
			}
		}
		if none {
			leave(i, fmt.Sprintf("segments must be made of 1 to %d letters, digits, spaces, - and _, with one = allowed in between", survey.MaxAttrKey))
		}
	}
	if everybodys != "" {
		out = append(out, everybodys)
	}
	slices.Sort(out)
	return slices.Compact(out), column
}

// yes and no are what cells say, as [plain] writes it.
var (
	yes = words("x 1 kylla k ja j yes y true tosi sant on kielto kielletty avbojt optout optedout unsubscribed")
	no  = words("0 ei e nej no n false epatosi falskt off")
)

func words(s string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		out[w] = true
	}
	return out
}

// optOuts returns what the row's person does not want. Who may have said no is
// taken to have said it: a date, say, may be the day of it.
func (c *Columns) optOuts(r table.Row, note func(int, string)) []survey.Channel {
	out := map[survey.Channel]bool{}
	for f, channels := range map[Field][]survey.Channel{
		OptOut: {survey.Email, survey.SMS}, OptOutEmail: {survey.Email}, OptOutSMS: {survey.SMS}, OptIn: {survey.Email, survey.SMS},
	} {
		for _, i := range c.byField[f] {
			v := cell(r, i)
			p := plain(v)
			said, not := yes[p], no[p] || v == "-"
			if f == OptIn {
				said, not = not, said || !not // nothing but a no opts out
			}
			if v == "" || not {
				continue
			}
			if !said {
				note(i, "is neither yes nor no, and was taken for an opt-out")
			}
			for _, ch := range channels {
				out[ch] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(out))
}

func noteKind(n table.Note) Kind {
	if n.Missing {
		return LeftOut
	}
	return Noted
}

func mistake(format string, args ...any) error {
	return &table.Error{Message: fmt.Sprintf(format, args...)}
}

func list(fields []Field) string {
	s := make([]string, len(fields))
	for i, f := range fields {
		s[i] = string(f)
	}
	return strings.Join(s, ", ")
}

// shortList returns names in quotes, the first 50 of them, none longer than 40
// characters.
func shortList(names []string) string {
	const most, longest = 50, 40
	var s []string
	for _, n := range names {
		if r := []rune(n); len(r) > longest {
			n = string(r[:longest]) + "…"
		}
		if n != "" {
			s = append(s, fmt.Sprintf("%q", n))
		}
	}
	if len(s) == 0 {
		return "none"
	}
	if len(s) > most {
		return strings.Join(s[:most], ", ") + fmt.Sprintf(" and %d more", len(s)-most)
	}
	return strings.Join(s, ", ")
}
