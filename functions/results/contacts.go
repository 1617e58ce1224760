package results

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/address"
	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/survey"
)

// Contacts keeps the contacts.
type Contacts interface {
	// Contact returns a contact. The error is [survey.NotFound] where there is
	// none.
	Contact(ctx context.Context, id string) (*survey.Contact, error)
	// FindContact returns the contact with a normalised ref, email or phone.
	// The error is [survey.NotFound] where there is none.
	FindContact(ctx context.Context, field, value string) (*survey.Contact, error)
	// ListContacts returns up to limit contacts after a cursor, and the cursor
	// of the next, "" where there are no more. The error is [survey.Invalid]
	// for a cursor that is none.
	ListContacts(ctx context.Context, cursor string, limit int) ([]*survey.Contact, string, error)
	// AddContact adds somebody new under an id that nobody has. The error is [survey.Conflict] on the field
	// of an address that belongs to another contact.
	AddContact(ctx context.Context, id string, d survey.Details, now time.Time) (*survey.Contact, error)
	// ChangeContact changes a contact's details, all or nothing. change may be
	// called again where somebody else writes meanwhile. The errors are
	// [survey.NotFound], [survey.Conflict] on the version or on the field of
	// an address that belongs to another contact, [survey.Invalid], and
	// change's own.
	ChangeContact(ctx context.Context, id string, version int, change func(*survey.Contact) error, now time.Time) (*survey.Contact, error)
	// DeleteContact deletes a contact. The error is [survey.NotFound] where
	// there is none.
	DeleteContact(ctx context.Context, id string) error
}

// Rules knows how the deployment asks.
type Rules interface {
	Rulebook(ctx context.Context) (*asking.Rulebook, error)
}

// Limits of a list of contacts.
const (
	usualContacts = 50
	maxContacts   = 200
)

// contact is one in an answer. Asks are not among it: whoever has the id of an
// ask can answer it.
type contact struct {
	ID          string                       `json:"id"`
	Version     int                          `json:"version"`
	Ref         string                       `json:"ref"`
	Email       string                       `json:"email"`
	Phone       string                       `json:"phone"`
	FirstName   string                       `json:"firstName"`
	LastName    string                       `json:"lastName"`
	Company     string                       `json:"company"`
	Locale      string                       `json:"locale"`
	Zone        string                       `json:"zone"`
	Segments    []string                     `json:"segments"`
	OptOuts     map[survey.Channel]time.Time `json:"optOuts"` // since when
	CreatedAt   *time.Time                   `json:"createdAt"`
	ChangedAt   *time.Time                   `json:"changedAt"`
	LastAskedAt *time.Time                   `json:"lastAskedAt"` // null for never
}

func newContact(c *survey.Contact) contact {
	out := contact{
		ID: c.ID, Version: c.Version, Ref: c.Ref, Email: c.Email, Phone: c.Phone, FirstName: c.FirstName, LastName: c.LastName,
		Company: c.Company, Locale: c.Locale, Zone: c.Zone, Segments: append([]string{}, c.Segments...), OptOuts: map[survey.Channel]time.Time{},
		CreatedAt: instant(c.CreatedAt), ChangedAt: instant(c.ChangedAt), LastAskedAt: instant(c.LastAskedAt),
	}
	for ch, at := range c.OptOuts {
		out.OptOuts[ch] = at.UTC()
	}
	return out
}

// instant is a time in an answer, null where it has not happened.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

// contactList is the answer to GET /api/contacts.
type contactList struct {
	Contacts []contact `json:"contacts"`
	Cursor   *string   `json:"cursor"` // of the next page; null on the last
}

// listContacts answers with a page of all contacts, or with the one that has
// an address.
func (h *Handler) listContacts(ctx context.Context, r *call) (apigw.Response, error) {
	q, err := onceEach(r.RawQueryString, "cursor", "limit", "email", "phone", "ref")
	if err != nil {
		return apigw.Response{}, err
	}
	var given []string
	for _, field := range []string{"ref", "email", "phone"} {
		if q.Has(field) {
			given = append(given, field)
		}
	}
	if len(given) > 0 {
		if len(q) > 1 {
			return apigw.Response{}, survey.Errorf(survey.Invalid, given[0], "%s must be given alone", given[0])
		}
		return h.findContact(ctx, given[0], q.Get(given[0]))
	}
	limit := usualContacts
	if q.Has("limit") {
		s := q.Get("limit")
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 || limit > maxContacts || strconv.Itoa(limit) != s {
			return apigw.Response{}, survey.Errorf(survey.Invalid, "limit", "limit must be a whole number from 1 to %d", maxContacts)
		}
	}
	if q.Has("cursor") {
		if err := survey.CheckID("cursor", q.Get("cursor")); err != nil {
			return apigw.Response{}, err
		}
	}
	found, next, err := h.Contacts.ListContacts(ctx, q.Get("cursor"), limit)
	if err != nil {
		return apigw.Response{}, err
	}
	out := contactList{Contacts: make([]contact, 0, len(found))}
	for _, c := range found {
		out.Contacts = append(out.Contacts, newContact(c))
	}
	if next != "" {
		out.Cursor = &next
	}
	return apigw.JSON(http.StatusOK, out), nil
}

// findContact answers with the list of the one contact that has an address, or
// of none.
func (h *Handler) findContact(ctx context.Context, field, value string) (apigw.Response, error) {
	var err error
	switch field {
	case "email":
		// An address has no spaces: what is one in the query was a + that
		// nobody encoded. So is the one before a number.
		value, err = address.Email(strings.ReplaceAll(strings.TrimSpace(value), " ", "+"))
	case "phone":
		if rest, ok := strings.CutPrefix(value, " "); ok {
			value = "+" + rest
		}
		var country string
		if country, err = h.country(ctx); err == nil {
			value, err = address.Phone(value, country)
		}
	case "ref":
		if value = strings.TrimSpace(value); value == "" {
			err = survey.Errorf(survey.Invalid, "ref", "ref must not be empty")
		}
	}
	if err != nil {
		return apigw.Response{}, err
	}
	out := contactList{Contacts: []contact{}}
	switch c, err := h.Contacts.FindContact(ctx, field, value); {
	case err == nil:
		out.Contacts = append(out.Contacts, newContact(c))
	case survey.CodeOf(err) != survey.NotFound:
		return apigw.Response{}, err
	}
	return apigw.JSON(http.StatusOK, out), nil
}

// country is that of phone numbers written without one.
func (h *Handler) country(ctx context.Context) (string, error) {
	book, err := h.Rules.Rulebook(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the rules: %w", err)
	}
	return book.Rules().Country, nil
}

func (h *Handler) getContact(ctx context.Context, r *call) (apigw.Response, error) {
	id, err := onlyID(r)
	if err != nil {
		return apigw.Response{}, err
	}
	c, err := h.Contacts.Contact(ctx, id)
	if err != nil {
		return apigw.Response{}, err
	}
	return apigw.JSON(http.StatusOK, newContact(c)), nil
}

func (h *Handler) deleteContact(ctx context.Context, r *call) (change, error) {
	id, err := onlyID(r)
	if err != nil {
		return change{}, err
	}
	was, err := h.Contacts.Contact(ctx, id)
	if err != nil {
		return change{}, err
	}
	had := was.Details()
	before := survey.LoggedContact{Version: was.Version, Fields: had.Differs(survey.Details{})}
	return change{action: survey.ContactDelete, subject: survey.Fingerprint(id), before: before, do: func(ctx context.Context) (apigw.Response, error) {
		if err := h.Contacts.DeleteContact(ctx, id); err != nil {
			return apigw.Response{}, err
		}
		return apigw.Response{StatusCode: http.StatusNoContent}, nil
	}}, nil
}

// onlyID returns the id in the path of a request that has no parameters.
func onlyID(r *call) (string, error) {
	if _, err := onceEach(r.RawQueryString); err != nil {
		return "", err
	}
	id := r.Path("id")
	return id, survey.CheckID("id", id)
}

// details is a body that adds or changes a contact.
type details struct {
	told    survey.Details  // normalised
	given   map[string]bool // the fields that the body has, among them those that are null
	version int             // of the contact to change, 0 for any
}

// readDetails reads the body of a request. The errors are those of
// [apigw.DecodeJSON], and [survey.Invalid] on an address that cannot be one.
func (h *Handler) readDetails(ctx context.Context, r *call) (details, error) {
	b, err := jsonBody(r)
	if err != nil {
		return details{}, err
	}
	d, err := decodeDetails(b)
	if err != nil {
		return details{}, err
	}
	country, err := h.country(ctx)
	if err != nil {
		return details{}, err
	}
	return d, errors.Join(address.Clean(&d.told, country)...)
}

// decodeDetails reads the body, whose addresses it leaves as they are.
func decodeDetails(b []byte) (details, error) {
	var in struct {
		Version   *int             `json:"version"`
		Ref       string           `json:"ref"`
		Email     string           `json:"email"`
		Phone     string           `json:"phone"`
		FirstName string           `json:"firstName"`
		LastName  string           `json:"lastName"`
		Company   string           `json:"company"`
		Locale    string           `json:"locale"`
		Zone      string           `json:"zone"`
		Segments  []string         `json:"segments"`
		OptOut    []survey.Channel `json:"optOut"`
	}
	if err := apigw.DecodeJSON(b, &in); err != nil {
		return details{}, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return details{}, fmt.Errorf("reading the fields of a body: %w", err)
	}
	d := details{given: map[string]bool{}, told: survey.Details{
		Ref: strings.TrimSpace(in.Ref), Email: in.Email, Phone: in.Phone,
		FirstName: strings.TrimSpace(in.FirstName), LastName: strings.TrimSpace(in.LastName), Company: strings.TrimSpace(in.Company),
		Locale: in.Locale, Zone: in.Zone, Segments: in.Segments, OptOut: in.OptOut,
	}}
	for name := range fields {
		d.given[name] = true
	}
	if in.Version != nil {
		if d.version = *in.Version; d.version < 1 {
			return details{}, survey.Errorf(survey.Invalid, "version", "version must be a whole number from 1")
		}
	}
	return d, nil
}

// change does to a contact what the body says: a field that it has is replaced,
// or removed where it is null or empty.
func (d *details) change(c *survey.Contact, now time.Time) error {
	for _, f := range []struct {
		name string
		to   *string
		v    string
	}{
		{"ref", &c.Ref, d.told.Ref}, {"email", &c.Email, d.told.Email}, {"phone", &c.Phone, d.told.Phone},
		{"firstName", &c.FirstName, d.told.FirstName}, {"lastName", &c.LastName, d.told.LastName}, {"company", &c.Company, d.told.Company},
		{"locale", &c.Locale, d.told.Locale}, {"zone", &c.Zone, d.told.Zone},
	} {
		if d.given[f.name] {
			*f.to = f.v
		}
	}
	if d.given["segments"] {
		c.Segments = slices.Compact(slices.Sorted(slices.Values(d.told.Segments)))
	}
	if !d.given["optOut"] {
		return nil
	}
	for _, ch := range slices.Sorted(maps.Keys(c.OptOuts)) {
		if !slices.Contains(d.told.OptOut, ch) {
			return survey.Errorf(survey.Forbidden, "optOut", "optOut must have %s: only the person can opt in again", ch)
		}
	}
	c.Merge(survey.Details{OptOut: d.told.OptOut}, now)
	return nil
}

func (h *Handler) addContact(ctx context.Context, r *call) (change, error) {
	if _, err := onceEach(r.RawQueryString); err != nil {
		return change{}, err
	}
	d, err := h.readDetails(ctx, r)
	if err != nil {
		return change{}, err
	}
	if d.given["version"] {
		return change{}, survey.Errorf(survey.UnknownField, "version", "version is not a field of this request")
	}
	if err := d.told.Check(); err != nil {
		return change{}, err
	}
	id := survey.NewID()
	after := survey.LoggedContact{Version: 1, Fields: d.told.Differs(survey.Details{})}
	return change{action: survey.ContactAdd, subject: survey.Fingerprint(id), after: after, do: func(ctx context.Context) (apigw.Response, error) {
		c, err := h.Contacts.AddContact(ctx, id, d.told, h.Now())
		if err != nil {
			return apigw.Response{}, err
		}
		return apigw.JSON(http.StatusCreated, newContact(c)).Set("location", "/api/contacts/"+c.ID), nil
	}}, nil
}

// changeContact changes the version that it has read, so that the log has the
// fields that change.
func (h *Handler) changeContact(ctx context.Context, r *call) (change, error) {
	id, err := onlyID(r)
	if err != nil {
		return change{}, err
	}
	d, err := h.readDetails(ctx, r)
	if err != nil {
		return change{}, err
	}
	was, err := h.Contacts.Contact(ctx, id)
	if err != nil {
		return change{}, err
	}
	now, is := h.Now(), *was
	if err := d.change(&is, now); err != nil {
		return change{}, err
	}
	becomes := is.Details()
	if becomes.Zone == "" {
		book, err := h.Rules.Rulebook(ctx)
		if err != nil {
			return change{}, fmt.Errorf("reading the rules: %w", err)
		}
		becomes.Zone = book.Rules().Zone
	}
	if err := becomes.Check(); err != nil {
		return change{}, err
	}
	c := change{again: d.version == 0, do: func(ctx context.Context) (apigw.Response, error) {
		c, err := h.Contacts.ChangeContact(ctx, id, cmp.Or(d.version, was.Version), func(c *survey.Contact) error { return d.change(c, now) }, now)
		if err != nil {
			return apigw.Response{}, err
		}
		return apigw.JSON(http.StatusOK, newContact(c)), nil
	}}
	if fields := becomes.Differs(was.Details()); len(fields) > 0 {
		c.action, c.subject = survey.ContactChange, survey.Fingerprint(id)
		c.before, c.after = survey.LoggedContact{Version: was.Version}, survey.LoggedContact{Version: was.Version + 1, Fields: fields}
	}
	return c, nil
}

// jsonBody returns the body of a request that must be JSON.
func jsonBody(r *call) ([]byte, error) {
	if r.ContentType() != "application/json" {
		return nil, survey.Errorf(survey.UnsupportedType, "content-type", "content-type must be application/json")
	}
	return r.Bytes()
}
