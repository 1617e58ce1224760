package site

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-lambda-go/events"

	"github.com/pulssi/pulssi/functions/intake"
	"github.com/pulssi/pulssi/scripts/dev/service"
	"github.com/pulssi/pulssi/shared/address"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/table"
	"github.com/pulssi/pulssi/shared/topology"
)

const (
	// inMemory is how much of an upload is held in memory; the rest waits in a
	// temporary file.
	inMemory = 8 << 20
	// shownImports and shownProblems are how many the page shows, and
	// shownPeople how many people at once.
	shownImports  = 10
	shownProblems = 20
	shownPeople   = 50
	maxFileName   = 100 // characters
)

// uploadForm is what is told beside a file.
type uploadForm struct{ Mapping, Country, Locale, Segment string }

// imported is one upload and what became of it.
type imported struct {
	Name, At    string
	State       string // waiting, interrupted, or of the report
	Again       string // when one that was interrupted goes on
	Report      intake.Report
	Columns     []string // "Sähköposti is email"
	Problems    []intake.Problem
	AllProblems string // address of the file
	More        int    // problems that are not shown
}

// person is one in the list.
type person struct{ ID, Name, About string }

func (s *site) contacts(w http.ResponseWriter, r *http.Request) {
	s.showContacts(w, r, http.StatusOK, "", uploadForm{})
}

func (s *site) showContacts(w http.ResponseWriter, r *http.Request, status int, mistaken string, form uploadForm) {
	imports, err := s.importList(r.Context())
	if err != nil {
		fail(w, r, err)
		return
	}
	query := strings.TrimSpace(r.URL.Query().Get("q"))
	found, next, err := s.people(r.Context(), query, r.URL.Query().Get("after"))
	if message, code, ok := mistake(err); ok {
		mistaken, status = message, code
	} else if err != nil {
		fail(w, r, err)
		return
	}
	if next != "" {
		next = "/contacts?after=" + url.QueryEscape(next)
	}
	var people []person
	for _, c := range found {
		people = append(people, s.person(c))
	}
	s.showStatus(w, r, status, "contacts.html", map[string]any{
		"Mistake": mistaken, "Form": form, "Fields": intake.Fields(), "Limit": table.MaxFile,
		"Imports": imports, "Query": query, "People": people, "Next": next,
	})
}

// people returns the contact with an address or number, or a page of all.
func (s *site) people(ctx context.Context, query, after string) ([]*survey.Contact, string, error) {
	if query == "" {
		return s.desk.Contacts.ListContacts(ctx, after, shownPeople)
	}
	book, err := s.desk.Rulebook(ctx)
	if err != nil {
		return nil, "", err
	}
	tries := map[string]string{"ref": query}
	if email, err := address.Email(query); err == nil {
		tries["email"] = email
	}
	if phone, err := address.Phone(query, book.Rules().Country); err == nil {
		tries["phone"] = phone
	}
	for _, field := range []string{"email", "phone", "ref"} {
		if tries[field] == "" {
			continue
		}
		c, err := s.desk.Contacts.FindContact(ctx, field, tries[field])
		if err == nil {
			return []*survey.Contact{c}, "", nil
		}
		if survey.CodeOf(err) != survey.NotFound {
			return nil, "", err
		}
	}
	return nil, "", nil
}

func (s *site) person(c *survey.Contact) person {
	about := []string{}
	for _, a := range []string{c.Email, c.Phone, strings.Join(c.Segments, ", ")} {
		if a != "" && a != nameOf(c) {
			about = append(about, a)
		}
	}
	if !c.LastAskedAt.IsZero() {
		about = append(about, "asked "+s.moment(c.LastAskedAt))
	}
	return person{c.ID, nameOf(c), strings.Join(about, " · ")}
}

// upload takes a file of the form into the bucket.
func (s *site) upload(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, table.MaxFile+1<<20) // the form around the file
	form, err := s.put(r)
	if r.MultipartForm != nil {
		if err := r.MultipartForm.RemoveAll(); err != nil {
			log(r.Context(), "removing an uploaded file", err)
		}
	}
	if message, status, ok := mistake(err); ok {
		s.showContacts(w, r, status, message, form)
		return
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/contacts#imports-title", http.StatusSeeOther)
}

// put reads the form of an upload and puts its file into the bucket.
func (s *site) put(r *http.Request) (form uploadForm, err error) {
	tooLarge := survey.Errorf(survey.TooLarge, "file", "the file must be at most %s MB: split it, and upload the parts one after the other", number(table.MaxFile>>20))
	if err := r.ParseMultipartForm(inMemory); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return form, tooLarge
		}
		return form, survey.Errorf(survey.Invalid, "file", "the form could not be read: choose a file and upload it again")
	}
	form = uploadForm{
		Mapping: strings.TrimSpace(r.FormValue("mapping")), Country: strings.ToUpper(strings.TrimSpace(r.FormValue("country"))),
		Locale: strings.TrimSpace(r.FormValue("locale")), Segment: strings.TrimSpace(r.FormValue("segment")),
	}
	file, header, err := r.FormFile("file")
	if err != nil {
		return form, survey.Errorf(survey.Invalid, "file", "choose a file first")
	}
	defer file.Close()
	switch {
	case header.Size == 0:
		return form, survey.Errorf(survey.Invalid, "file", "the file is empty")
	case header.Size > table.MaxFile:
		return form, tooLarge
	}
	if _, err := intake.ParseMapping(form.Mapping); err != nil {
		return form, survey.Errorf(survey.Invalid, "mapping", "%s", err.Error())
	}
	meta := map[string]string{}
	for name, v := range map[string]string{
		intake.MetaMapping: form.Mapping, intake.MetaCountry: form.Country, intake.MetaLocale: form.Locale, intake.MetaSegment: form.Segment,
	} {
		if v != "" {
			meta[name] = v
		}
	}
	// Each upload is an import of its own, also of a file that came before.
	key := topology.Uploads + s.desk.Now().UTC().Format("20060102-150405.000") + "/" + fileName(header.Filename)
	return form, s.desk.Files.Put(r.Context(), key, header.Header.Get("Content-Type"), file, meta)
}

// fileName returns a name that can be part of a key: letters, digits, spaces
// and .-_ of the file's own.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" .-_", r) {
			return r
		}
		return '_'
	}, name))
	runes = runes[max(0, len(runes)-maxFileName):] // with its ending
	if name := strings.Trim(string(runes), " ."); name != "" {
		return name
	}
	return "contacts"
}

// importList returns the last imports, the newest first.
func (s *site) importList(ctx context.Context) ([]imported, error) {
	all, err := s.desk.Files.List(ctx, topology.Uploads)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b files.Info) int {
		return cmp.Or(b.Modified.Compare(a.Modified), strings.Compare(b.Key, a.Key))
	})
	messages, _ := s.desk.Queues.Waiting(topology.Imports.Name, shownImports)
	again := interrupted(messages)
	var out []imported
	for _, f := range all[:min(shownImports, len(all))] {
		i := imported{Name: path.Base(f.Key), At: s.moment(f.Modified), State: "waiting"}
		err := s.readReport(ctx, f.Key, &i.Report)
		switch {
		case survey.CodeOf(err) == survey.NotFound:
		case err != nil:
			return nil, err
		default:
			i.State = string(i.Report.State)
			if at, ok := again[f.Key]; ok && i.Report.State == intake.Running {
				i.State, i.Again = "interrupted", s.moment(at)
			}
			for _, name := range slices.Sorted(maps.Keys(i.Report.Columns.Recognised)) {
				i.Columns = append(i.Columns, name+" is "+string(i.Report.Columns.Recognised[name]))
			}
			i.Problems = i.Report.Problems[:min(shownProblems, len(i.Report.Problems))]
			i.More = i.Report.Refused + i.Report.LeftOut + i.Report.Noted - len(i.Problems)
			if i.Report.State != intake.Running && i.Report.Listed > 0 {
				i.AllProblems = "/contacts/problems/" + escapePath(strings.TrimPrefix(f.Key, topology.Uploads))
			}
		}
		out = append(out, i)
	}
	return out, nil
}

// interrupted returns the uploads whose import failed before its end, with the
// time at which it goes on.
func interrupted(imports []service.Message) map[string]time.Time {
	again := map[string]time.Time{}
	for _, m := range imports {
		var n events.S3Event
		if m.Receives == 0 || json.Unmarshal([]byte(m.Body), &n) != nil {
			continue // its first try is ahead, or it names no upload
		}
		for _, r := range n.Records {
			if key, err := url.QueryUnescape(r.S3.Object.Key); err == nil {
				again[key] = m.Visible
			}
		}
	}
	return again
}

// escapePath escapes a path for an address, its slashes excepted.
func escapePath(p string) string { return (&url.URL{Path: p}).EscapedPath() }

func (s *site) readReport(ctx context.Context, upload string, into *intake.Report) error {
	f, _, err := s.desk.Files.Open(ctx, intake.ReportKey(upload))
	if err != nil {
		return err
	}
	b, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// imports answers with the list of imports alone, which the page's script puts
// in the place of the one that it has.
func (s *site) imports(w http.ResponseWriter, r *http.Request) {
	list, err := s.importList(r.Context())
	if err != nil {
		fail(w, r, err)
		return
	}
	s.show(w, r, "imports", list)
}

// problems answers with the file of all problems of an import.
func (s *site) problems(w http.ResponseWriter, r *http.Request) {
	upload := r.PathValue("upload")
	f, _, err := s.desk.Files.Open(r.Context(), intake.ProblemsKey(topology.Uploads+upload))
	if _, _, ok := mistake(err); ok {
		missing(w, "no such file of problems: the import has none, or is under way")
		return
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	defer f.Close()
	attachment(w, "problems of "+strings.TrimSuffix(path.Base(upload), path.Ext(upload))+".csv", "text/csv; charset=utf-8")
	_, _ = io.Copy(w, f) // a client that is gone needs no file
}

func (s *site) sample(w http.ResponseWriter, _ *http.Request) {
	attachment(w, "asiakkaat.csv", "text/csv; charset=windows-1252")
	_, _ = bytes.NewReader(Sample()).WriteTo(w) // a client that is gone needs no file
}

func attachment(w http.ResponseWriter, name, contentType string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
}

// fact is one thing that is known of a contact.
type fact struct{ Name, Value string }

// explained is one decision in words.
type explained struct {
	Touchpoint, Words, Link string
	Verdict                 survey.Verdict
}

// askedOf is one ask in the list of a contact.
type askedOf struct{ ID, Touchpoint, State string }

func (s *site) contact(w http.ResponseWriter, r *http.Request) {
	ctx, id := r.Context(), r.PathValue("id")
	c, err := s.desk.Contacts.Contact(ctx, id)
	if survey.CodeOf(err) == survey.NotFound || survey.CheckID("id", id) != nil {
		missing(w, "no contact with this id; it may have been deleted")
		return
	}
	var decisions []survey.Decision
	var asks []*survey.Ask
	var name func(string) string
	if err == nil {
		decisions, err = s.desk.Contacts.Decisions(ctx, id)
	}
	if err == nil {
		asks, err = s.desk.Contacts.AsksOf(ctx, id)
	}
	if err == nil {
		name, err = s.names(ctx)
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		zone = s.desk.Zone
	}
	var told []explained
	for _, d := range decisions {
		e := explained{Touchpoint: name(d.Touchpoint), Words: asking.Words(d, zone, name), Verdict: d.Verdict}
		if d.Ask != "" {
			e.Link = "/a/" + d.Ask
		}
		told = append(told, e)
	}
	var list []askedOf
	for _, a := range asks {
		list = append(list, askedOf{a.ID, name(a.Touchpoint), s.describe(a)})
	}
	s.show(w, r, "contact.html", map[string]any{
		"ID": c.ID, "Name": nameOf(c), "Facts": s.facts(c), "Zone": zone, "Decisions": told, "Asks": list,
	})
}

// facts are what is known of a contact, without what is not.
func (s *site) facts(c *survey.Contact) []fact {
	var outs []string
	for ch, since := range c.OptOuts {
		outs = append(outs, string(ch)+" since "+s.moment(since))
	}
	slices.Sort(outs)
	all := []fact{
		{"E-mail", c.Email}, {"Phone", c.Phone}, {"Customer number", c.Ref}, {"Company", c.Company},
		{"Language", c.Locale}, {"Time zone", c.Zone}, {"Segments", strings.Join(c.Segments, ", ")},
		{"Wants no questions by", strings.Join(outs, ", ")},
		{"Last asked", s.moment(c.LastAskedAt)}, {"Added", s.moment(c.CreatedAt)}, {"Changed", s.moment(c.ChangedAt)},
	}
	return slices.DeleteFunc(all, func(f fact) bool { return f.Value == "" })
}
