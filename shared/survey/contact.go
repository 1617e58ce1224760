package survey

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// Limits of what is known of a contact. Characters are Unicode code points.
const (
	MaxContactRef      = 64
	MaxContactName     = 100
	MaxContactSegments = MaxSegmentsOfAsk // an ask carries its contact's
	MaxAddress         = 254              // of an e-mail address (RFC 5321, section 4.5.3.1, less the angle brackets)
)

// Contact is a person we may ask.
type Contact struct {
	ID string
	// Number counts the contacts of a deployment from 1. It decides the
	// contact's turn in every cadence (package asking).
	Number  int64
	Version int // counts every change of the details, from 1

	Ref       string // the customer's number in the company's own system
	Email     string // normalised; "" for none
	Phone     string // E.164; "" for none
	FirstName string
	LastName  string
	Company   string
	Locale    string   // "" for the deployment's
	Zone      string   // an IANA name; never empty once stored
	Segments  []string // sorted

	// OptOuts says since when the person does not want to be asked by a
	// channel (e-mail, SMS). Only the person can end one.
	OptOuts map[Channel]time.Time

	// Bounces is what has come back from the address of a channel.
	Bounces map[Channel]Bounces

	CreatedAt time.Time
	ChangedAt time.Time

	// LastAskedAt and LastAsk are of the last ask at any touchpoint, Asked of
	// the last at each: the fatigue budget.
	LastAskedAt time.Time
	LastAsk     string
	Asked       map[string]Asked
}

// Asked is the last ask at one touchpoint.
type Asked struct {
	At  time.Time
	Ask string
}

// Address returns the address by which a channel reaches the contact, "" for
// none.
func (c *Contact) Address(ch Channel) string {
	switch ch {
	case Email:
		return c.Email
	case SMS:
		return c.Phone
	default:
		return ""
	}
}

// Details is what a file, an event or a program tells of a person: normalised
// (package address), and zero where nothing is told. What is not told stays as
// it is.
type Details struct {
	Ref, Email, Phone            string
	FirstName, LastName, Company string
	Locale, Zone                 string
	Segments                     []string  // replace the contact's where not nil
	OptOut                       []Channel // can only be added
}

// Details returns what is known of the contact.
func (c *Contact) Details() Details {
	return Details{
		Ref: c.Ref, Email: c.Email, Phone: c.Phone, FirstName: c.FirstName, LastName: c.LastName, Company: c.Company,
		Locale: c.Locale, Zone: c.Zone, Segments: c.Segments, OptOut: slices.Sorted(maps.Keys(c.OptOuts)),
	}
}

// Differs returns the names of the fields, as [Details.Check] has them, that
// are not as in was. Lists are the same in any order.
func (d *Details) Differs(was Details) []string {
	names := []string{}
	for _, f := range []struct {
		field   string
		differs bool
	}{
		{"ref", d.Ref != was.Ref}, {"email", d.Email != was.Email}, {"phone", d.Phone != was.Phone},
		{"firstName", d.FirstName != was.FirstName}, {"lastName", d.LastName != was.LastName}, {"company", d.Company != was.Company},
		{"locale", d.Locale != was.Locale}, {"zone", d.Zone != was.Zone},
		{"segments", !sameSet(d.Segments, was.Segments)}, {"optOut", !sameSet(d.OptOut, was.OptOut)},
	} {
		if f.differs {
			names = append(names, f.field)
		}
	}
	return names
}

func sameSet[T ~string](a, b []T) bool {
	set := func(s []T) []T { return slices.Compact(slices.Sorted(slices.Values(s))) }
	return slices.Equal(set(a), set(b))
}

// Check returns nil, or every broken rule joined, each an [Invalid] [Error] on
// the field: ref, email, phone, firstName, lastName, company, locale, zone,
// segments, optOut. None tells the detail itself. Addresses are the business of package address and only held to
// their length here. There must be a ref or an address.
func (d *Details) Check() error {
	var errs []error
	for _, f := range []struct {
		field, value string
		limit        int
	}{
		{"ref", d.Ref, MaxContactRef}, {"email", d.Email, MaxAddress}, {"phone", d.Phone, MaxAddress},
		{"firstName", d.FirstName, MaxContactName}, {"lastName", d.LastName, MaxContactName}, {"company", d.Company, MaxContactName},
	} {
		if err := checkLine(f.field, f.value, f.limit); err != nil {
			errs = append(errs, err)
		}
	}
	if d.Locale != "" && !validLocale(d.Locale) {
		errs = append(errs, broken("locale", "must be a language such as fi or sv-FI"))
	}
	if d.Zone != "" && !validZone(d.Zone) {
		errs = append(errs, broken("zone", "must be a time zone such as Europe/Helsinki"))
	}
	if len(d.Segments) > MaxContactSegments {
		errs = append(errs, broken("segments", "must be at most %d", MaxContactSegments))
	}
	for _, s := range d.Segments {
		if !ValidSegment(s) {
			errs = append(errs, broken("segments", "must be made of 1 to %d letters, digits, spaces, - and _, with one = allowed in between", MaxAttrKey))
			break
		}
	}
	for _, ch := range d.OptOut {
		if ch != Email && ch != SMS {
			errs = append(errs, broken("optOut", "must be of email, sms"))
			break
		}
	}
	if d.Ref == "" && d.Email == "" && d.Phone == "" {
		errs = append(errs, Errorf(Invalid, "email", "a contact needs an e-mail address, a phone number or a ref"))
	}
	return errors.Join(errs...)
}

// ValidSegment reports whether s names a segment: "vip", or "attribute=value".
func ValidSegment(s string) bool {
	a, v, two := strings.Cut(s, "=")
	return validSegmentPart(a) && (!two || validSegmentPart(v))
}

// validZone reports whether name is one of the IANA time zone database, as the
// functions have it embedded: an installed one has further files beside.
func validZone(name string) bool {
	if name == "" || name == "Local" || name[0] < 'A' || name[0] > 'Z' || strings.Contains(name, "//") || strings.ContainsFunc(name, notZone) {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

func notZone(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && !('0' <= r && r <= '9') && !strings.ContainsRune("/_+-", r)
}

// Merge tells the contact what d knows, and reports whether that changed
// anything. An opt-out that stands, stands from when it was first made.
func (c *Contact) Merge(d Details, now time.Time) (changed bool) {
	set := func(to *string, v string) {
		if v != "" && *to != v {
			*to, changed = v, true
		}
	}
	set(&c.Ref, d.Ref)
	set(&c.Email, d.Email)
	set(&c.Phone, d.Phone)
	set(&c.FirstName, d.FirstName)
	set(&c.LastName, d.LastName)
	set(&c.Company, d.Company)
	set(&c.Locale, d.Locale)
	set(&c.Zone, d.Zone)
	if d.Segments != nil {
		s := slices.Compact(slices.Sorted(slices.Values(d.Segments)))
		if !slices.Equal(c.Segments, s) {
			c.Segments, changed = s, true
		}
	}
	for _, ch := range d.OptOut {
		if _, out := c.OptOuts[ch]; !out {
			c.OptOuts = maps.Clone(c.OptOuts)
			if c.OptOuts == nil {
				c.OptOuts = map[Channel]time.Time{}
			}
			c.OptOuts[ch], changed = now, true
		}
	}
	return changed
}
