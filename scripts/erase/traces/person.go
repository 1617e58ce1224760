// Package traces looks for a person in texts and files.
package traces

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"

	"github.com/pulssi/pulssi/shared/survey"
)

// Person is what somebody is known by. Any of it may be empty.
type Person struct {
	Contact   string   `json:"contact"` // id
	Asks      []string `json:"asks"`    // ids of what the person was asked
	Ref       string   `json:"ref"`
	Email     string   `json:"email"` // normalised
	Phone     string   `json:"phone"` // E.164
	FirstName string   `json:"firstName"`
	LastName  string   `json:"lastName"`
	Also      []string `json:"also"` // such as an earlier address
}

// minRef is the fewest characters of a ref that is looked for: a shorter one is
// the value of too much that is somebody else's.
const minRef = 4

// Finder finds a person.
type Finder struct {
	ids       map[string]bool
	ref       string
	addresses *regexp.Regexp // nil for none
	words     *regexp.Regexp // the name, and what else there is; nil for none
}

// NewFinder returns a finder of p. The error says what of p cannot be looked
// for.
func NewFinder(p Person) (*Finder, error) {
	f := &Finder{ids: map[string]bool{}}
	for _, id := range append([]string{p.Contact}, p.Asks...) {
		if id == "" {
			continue
		}
		if err := survey.CheckID("id", id); err != nil {
			return nil, err
		}
		f.ids[id] = true
	}
	if len([]rune(p.Ref)) >= minRef {
		f.ref = p.Ref
	}
	var addresses, words []string
	if p.Email != "" {
		// A longer address is somebody else's.
		address := strings.ReplaceAll(regexp.QuoteMeta(p.Email), "@", "(?:@|%40)")
		addresses = append(addresses, `(?:^|[^\pL\pN._+-])`+address+`(?:$|[^\pL\pN.-]|\.(?:$|[^\pL\pN]))`)
	}
	if p.Phone != "" {
		number, err := phone(p.Phone)
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, `(?:^|\PN)`+number+`(?:$|\PN)`)
	}
	if p.FirstName != "" && p.LastName != "" {
		first, last := regexp.QuoteMeta(norm.NFC.String(p.FirstName)), regexp.QuoteMeta(norm.NFC.String(p.LastName))
		const between = `[\s,;|"']+` // in a table the two are neighbours
		words = append(words, word(first+between+last), word(last+between+first))
	}
	for _, also := range p.Also {
		if also = strings.TrimSpace(also); len([]rune(also)) < minRef {
			return nil, fmt.Errorf("what is looked for must have at least %d characters", minRef)
		}
		words = append(words, word(regexp.QuoteMeta(norm.NFC.String(also))))
	}
	var err error
	if f.addresses, err = anyOf(addresses); err != nil {
		return nil, err
	}
	f.words, err = anyOf(words)
	return f, err
}

// word is a pattern of whole words.
func word(pattern string) string { return `(?:^|[^\pL\pN])` + pattern + `(?:$|[^\pL\pN])` }

func anyOf(patterns []string) (*regexp.Regexp, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	r, err := regexp.Compile("(?i)" + strings.Join(patterns, "|"))
	if err != nil {
		return nil, fmt.Errorf("making a pattern: %w", err)
	}
	return r, nil
}

// phone returns the pattern of a number however it is written: with its
// country's code or without, in groups or not.
func phone(e164 string) (string, error) {
	n, err := phonenumbers.Parse(e164, phonenumbers.UNKNOWN_REGION)
	if err != nil {
		return "", survey.Errorf(survey.Invalid, "phone", "phone number must be + and a country's code, and then the number")
	}
	const between = `[\s().\-/–‐‑]{0,5}`
	digits := strings.Split(phonenumbers.GetNationalSignificantNumber(n), "")
	return `(?:(?:\+|00)?` + strconv.Itoa(int(n.GetCountryCode())) + between + `)?0?` + between + strings.Join(digits, between), nil
}

// Looks names what is looked for.
func (p Person) Looks() []string {
	var out []string
	for _, l := range []struct {
		name string
		is   bool
	}{
		{"contact's id", p.Contact != ""}, {"ids of asks", p.Contact != "" || len(p.Asks) > 0}, {"e-mail address", p.Email != ""}, {"phone number", p.Phone != ""},
		{"full name", p.FirstName != "" && p.LastName != ""}, {"ref, as a whole value", len([]rune(p.Ref)) >= minRef}, {"further words", len(p.Also) > 0},
	} {
		if l.is {
			out = append(out, l.name)
		}
	}
	return out
}

// Address reports whether an id or an address of the person is in a text.
func (f *Finder) Address(text string) bool {
	text = norm.NFC.String(text)
	if f.addresses != nil && f.addresses.MatchString(text) {
		return true
	}
	for i := 0; i+survey.IDLength <= len(text) && len(f.ids) > 0; i++ {
		if f.ids[text[i:i+survey.IDLength]] {
			return true
		}
	}
	return false
}

// In reports whether anything of the person is in a text.
func (f *Finder) In(text string) bool {
	return f.Address(text) || f.Is(text) || f.words != nil && f.words.MatchString(norm.NFC.String(text))
}

// Is reports whether a text is the person's ref.
func (f *Finder) Is(text string) bool { return f.ref != "" && strings.TrimSpace(text) == f.ref }

// InRow reports whether anything of the person is in the cells of a row.
func (f *Finder) InRow(cells []string) bool {
	return slices.ContainsFunc(cells, f.Is) || f.In(strings.Join(cells, ";"))
}

// InJSON reports whether anything of the person is in the texts of a JSON
// document, those that are JSON themselves included; in the bytes of what is
// none.
func (f *Finder) InJSON(doc string) bool {
	var v any
	if err := json.Unmarshal([]byte(doc), &v); err != nil {
		return f.In(doc)
	}
	return f.inValue(v)
}

func (f *Finder) inValue(v any) bool {
	switch v := v.(type) {
	case string:
		if strings.HasPrefix(v, "{") && f.InJSON(v) {
			return true
		}
		return f.In(v)
	case []any:
		return slices.ContainsFunc(v, f.inValue)
	case map[string]any:
		for k, e := range v {
			if f.In(k) || f.inValue(e) {
				return true
			}
		}
	}
	return false
}
