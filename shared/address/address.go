// Package address makes e-mail addresses and phone numbers that people wrote
// into the one form in which Pulssi keeps, compares and uses them. What it
// returns it also takes, and returns unchanged.
package address

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/pulssi/pulssi/shared/survey"
)

// Limits of an e-mail address, in bytes (RFC 5321, section 4.5.3.1; RFC 1035,
// section 2.3.4). That of the whole is [survey.MaxAddress].
const (
	maxLocal = 64
	maxLabel = 63
)

// MaxPhone is the most bytes of a phone number as it is written, spaces and
// all. Nobody writes longer ones, and they cost time to read.
const MaxPhone = 64

// Email returns an e-mail address in lower case, without the white space
// around it, its domain in ASCII (IDNA 2008 with UTS 46 mapping, as browsers
// look names up). The part before the @ must be ASCII too and unquoted: SES
// sends to no other. That it is taken in lower case may be wrong in theory (RFC
// 5321, section 2.4); in practice it makes two addresses of one person one.
//
// The error is [survey.Invalid] on the field email. It never has the address
// in it.
func Email(s string) (string, error) {
	s = trim(norm.NFC.String(s))
	switch {
	case s == "":
		return "", badEmail("is empty")
	case len(s) > 2*survey.MaxAddress: // its domain may become shorter in ASCII, but not by half
		return "", badEmail("must be at most %d characters", survey.MaxAddress)
	case !utf8.ValidString(s):
		return "", badEmail("must be UTF-8")
	case strings.ContainsFunc(s, unicode.IsControl):
		return "", badEmail("must not contain control characters")
	case strings.ContainsAny(s, `<>"`), strings.HasPrefix(s, "'"):
		return "", badEmail("must be the address alone, without a name, quotes or brackets")
	case strings.ContainsAny(s, ",;"):
		return "", badEmail("must be one address")
	case strings.ContainsFunc(s, unicode.IsSpace):
		return "", badEmail("must not contain spaces")
	}
	local, domain, ok := strings.Cut(s, "@")
	switch {
	case !ok:
		return "", badEmail("has no @")
	case strings.Contains(domain, "@"):
		return "", badEmail("has more than one @")
	case local == "":
		return "", badEmail("has nothing before the @")
	case domain == "":
		return "", badEmail("has nothing after the @")
	case len(local) > maxLocal:
		return "", badEmail("must have at most %d characters before the @", maxLocal)
	case strings.ContainsFunc(local, notAtom):
		return "", badEmail("must have only letters a-z, digits and .!#$%%&'*+-/=?^_`{|}~ before the @")
	case strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, ".."):
		return "", badEmail("must not have a dot first, last or twice in a row before the @")
	}
	domain, err := asciiDomain(domain)
	if err != nil {
		return "", err
	}
	s = strings.ToLower(local) + "@" + domain
	if len(s) > survey.MaxAddress {
		return "", badEmail("must be at most %d characters", survey.MaxAddress)
	}
	return s, nil
}

func asciiDomain(domain string) (string, error) {
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", badEmail("has a domain that cannot be: it may have letters, digits, dots and, not first or last, hyphens")
	}
	labels := strings.Split(ascii, ".")
	for _, l := range labels {
		if l == "" {
			return "", badEmail("must not have a dot first, last or twice in a row after the @")
		}
		if len(l) > maxLabel {
			return "", badEmail("must have at most %d characters between two dots after the @", maxLabel)
		}
	}
	switch last := labels[len(labels)-1]; {
	case len(labels) == 1:
		return "", badEmail("has no dot after the @")
	case strings.Trim(last, "0123456789") == "":
		return "", badEmail("must end with a domain such as example.com, not with a number")
	case len(last) == 1:
		return "", badEmail("must end with a domain such as example.com, not with one letter")
	}
	return ascii, nil
}

// notAtom reports whether r cannot be in an unquoted local part (RFC 5322,
// section 3.2.3: atext and the dot).
func notAtom(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !letter && !strings.ContainsRune(".!#$%&'*+-/=?^_`{|}~", r)
}

// Phone returns a phone number in E.164: "+358401234567". One that is written
// without its country's code is taken for one of country (ISO 3166-1, two
// capital letters). It must be a number that the country's numbering plan has,
// as libphonenumber knows it; whether it is anybody's, and takes messages,
// nobody can say from its digits.
//
// The error is [survey.Invalid] on the field phone. It never has the number in
// it.
func Phone(s, country string) (string, error) {
	s = trim(norm.NFKC.String(s)) // digits of full width are digits
	switch {
	case s == "":
		return "", badPhone("is empty")
	case len(s) > MaxPhone:
		return "", badPhone("must be at most %d characters", MaxPhone)
	case strings.ContainsFunc(s, unicode.IsLetter):
		return "", badPhone("must not contain letters")
	case strings.ContainsFunc(s, notPhone):
		return "", badPhone("must be made of digits, spaces and +-()./")
	case strings.LastIndexByte(s, '+') > strings.IndexFunc(s, unicode.IsDigit):
		return "", badPhone("may have a + only before its first digit, and must be one number")
	case strings.Count(s, "+") > 1:
		return "", badPhone("must have at most one +")
	}
	international := strings.Contains(s, "+")
	if !international && phonenumbers.GetCountryCodeForRegion(country) == 0 {
		return "", badPhone("must begin with + and its country's code")
	}
	if international {
		country = phonenumbers.UNKNOWN_REGION // what the country dials first must not be looked for after a +
	}
	n, err := phonenumbers.Parse(s, country)
	switch {
	case err != nil && international:
		return "", badPhone("must be + and a country's code, and then the number")
	case err != nil:
		return "", badPhone("must be a phone number of %s, or begin with + and its country's code", country)
	}
	switch reason := phonenumbers.IsPossibleNumberWithReason(n); {
	case reason == phonenumbers.TOO_SHORT:
		return "", badPhone("is too short")
	case reason == phonenumbers.TOO_LONG:
		return "", badPhone("is too long")
	case !phonenumbers.IsValidNumber(n) && international:
		return "", badPhone("is not a number of its country's numbering plan")
	case !phonenumbers.IsValidNumber(n):
		return "", badPhone("is not a number of the numbering plan of %s; one of another country must begin with +", country)
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

func notPhone(r rune) bool {
	return !('0' <= r && r <= '9') && !unicode.IsSpace(r) && !strings.ContainsRune("+-‐‑–()./", r)
}

// Clean makes both addresses of d what [Email] and [Phone] make of them. One
// that cannot be taken is cleared, and the reason is among the errors, each a
// [survey.Invalid] [survey.Error] with the field. An address that is not told,
// or only white space, is none.
func Clean(d *survey.Details, country string) []error {
	var errs []error
	clean := func(to *string, normalise func(string) (string, error)) {
		if *to = trim(*to); *to == "" {
			return
		}
		v, err := normalise(*to)
		if err != nil {
			errs = append(errs, err)
		}
		*to = v
	}
	clean(&d.Email, Email)
	clean(&d.Phone, func(s string) (string, error) { return Phone(s, country) })
	return errs
}

// trim removes white space from both ends, and the characters without width
// that come along when addresses are copied from pages and messages.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
	})
}

func badEmail(rule string, args ...any) error {
	return survey.Errorf(survey.Invalid, "email", "e-mail address "+rule, args...)
}

func badPhone(rule string, args ...any) error {
	return survey.Errorf(survey.Invalid, "phone", "phone number "+rule, args...)
}
