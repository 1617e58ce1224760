package site

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pulssi/pulssi/scripts/dev/ledger"
	"github.com/pulssi/pulssi/scripts/dev/service"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/files"
	"github.com/pulssi/pulssi/shared/survey"
)

// Contacts knows the people who may be asked; see the methods of store.Store.
type Contacts interface {
	Contact(ctx context.Context, id string) (*survey.Contact, error)
	ContactsByID(ctx context.Context, ids []string) (map[string]*survey.Contact, error)
	FindContact(ctx context.Context, field, value string) (*survey.Contact, error)
	ListContacts(ctx context.Context, cursor string, limit int) ([]*survey.Contact, string, error)
	Decisions(ctx context.Context, contact string) ([]survey.Decision, error)
	AsksOf(ctx context.Context, contact string) ([]*survey.Ask, error)
	Ask(ctx context.Context, id string) (*survey.Ask, error)
}

// Files is the bucket of uploads and reports; see package files.
type Files interface {
	Open(ctx context.Context, key string) (io.ReadCloser, files.Info, error)
	Put(ctx context.Context, key, contentType string, body io.ReadSeeker, meta map[string]string) error
	List(ctx context.Context, prefix string) ([]files.Info, error)
}

// Queues shows what waits and what was given up; see [service.Services].
type Queues interface {
	Waiting(queue string, limit int) ([]service.Message, int)
	Scheduled(limit int) ([]service.Scheduled, int)
	Dead(limit int) ([]service.DeadLetter, int)
	// Redrive puts the dead letters of a queue back into it.
	Redrive(failed string) (int, error)
}

// Journey moves the clock; see [service.Journey].
type Journey interface {
	Begin(to time.Time) error
	Stop()
	Progress() service.Progress
}

// Days counts what was decided by day; see [ledger.Ledger].
type Days interface{ Days() []ledger.Day }

// Desk is what the pages of asking work with.
type Desk struct {
	Contacts Contacts
	Rulebook func(context.Context) (*asking.Rulebook, error)
	Files    Files
	API      http.Handler // the product's own
	Queues   Queues
	Journey  Journey
	Box      Box
	// Reply has a text message from a phone to whoever wrote to it taken as
	// one that came by SNS.
	Reply func(ctx context.Context, from, to, body string) error
	Days  Days
	// History fills and removes demo data.
	History History
	Zone    *time.Location // in which times are shown
	Now     func() time.Time
}

// deskPages lists the pages of asking, as the index does.
var deskPages = []Page{
	{"/contacts", "Contacts", "upload people, and read why each was asked, or not"},
	{"/events", "Events", "let a purchase, a ticket, a cancellation happen"},
	{"/clock", "Clock", "move time: a quarter passes in a minute or a few"},
	{"/inbox", "Inbox", "every e-mail as a mail program shows it, with links that work"},
	{"/phone", "Phone", "text messages, and answering them"},
	{"/queue", "Queue", "asks that wait, and what could not be sent"},
}

// serveDesk adds the pages of asking.
func (s *site) serveDesk(mux *http.ServeMux) {
	mux.HandleFunc("GET /contacts", s.contacts)
	mux.HandleFunc("POST /contacts", s.upload)
	mux.HandleFunc("GET /contacts/imports", s.imports)
	mux.HandleFunc("GET /contacts/sample.csv", s.sample)
	mux.HandleFunc("GET /contacts/problems/{upload...}", s.problems)
	mux.HandleFunc("GET /contacts/{id}", s.contact)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("POST /events", s.fire)
	mux.HandleFunc("GET /clock", s.clock)
	mux.HandleFunc("GET /clock.json", s.clockJSON)
	mux.HandleFunc("POST /clock", s.move)
	mux.HandleFunc("POST /clock/stop", s.stop)
	mux.HandleFunc("GET /queue", s.queue)
	mux.HandleFunc("GET /queue/dead.json", s.deadJSON)
	mux.HandleFunc("POST /queue/redrive", s.redrive)
	mux.HandleFunc("GET /inbox", s.inbox)
	mux.HandleFunc("GET /inbox/{number}", s.mail)
	mux.HandleFunc("GET /inbox/{number}/html", s.html)
	mux.HandleFunc("GET /inbox/{number}/source", s.source)
	mux.HandleFunc("POST /inbox/{number}/unsubscribe", s.unsubscribe)
	mux.HandleFunc("GET /phone", s.phone)
	mux.HandleFunc("POST /phone", s.reply)
	mux.HandleFunc("GET /history.json", s.historyJSON)
	mux.HandleFunc("POST /history/fill", s.workOnHistory(History.Fill))
	mux.HandleFunc("POST /history/remove", s.workOnHistory(History.Remove))
	mux.HandleFunc("POST /history/stop", s.workOnHistory(stopHistory))
}

// servesDesk reports whether a path is one of the pages of asking.
func servesDesk(path string) bool {
	if path == "/clock.json" || path == "/history.json" || strings.HasPrefix(path, "/history/") {
		return true
	}
	for _, p := range deskPages {
		if path == p.Path || strings.HasPrefix(path, p.Path+"/") {
			return true
		}
	}
	return false
}

// mistake returns what to tell somebody about an error of theirs, with its
// status, and false where the error is none of theirs.
func mistake(err error) (message string, status int, ok bool) {
	e, ok := errors.AsType[*survey.Error](err)
	if !ok {
		return "", 0, false
	}
	status = map[survey.Code]int{
		survey.Invalid: http.StatusBadRequest, survey.NotFound: http.StatusNotFound, survey.Conflict: http.StatusConflict,
		survey.TooLarge: http.StatusRequestEntityTooLarge,
	}[e.Code]
	if status == 0 {
		return "", 0, false
	}
	return sentence(e.Message), status, true
}

// sentence writes a message as a sentence.
func sentence(m string) string {
	if m == "" {
		return ""
	}
	return strings.ToUpper(m[:1]) + strings.TrimSuffix(m[1:], ".") + "."
}

// missing answers that there is no such page.
func missing(w http.ResponseWriter, what string) {
	http.Error(w, "There is "+what+".", http.StatusNotFound)
}

// moment writes a time for people.
func (s *site) moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.In(s.desk.Zone).Format("Mon 2 Jan 2006 15:04")
}

// number writes a number with a comma between thousands.
func number(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return number(n) + " " + thing + "s"
}

// later writes a span in words.
func later(span survey.Span) string {
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}} {
		if d := time.Duration(span); d%u.unit == 0 {
			return count(int(d/u.unit), u.name)
		}
	}
	return count(int(time.Duration(span)/time.Second), "second")
}

// nameOf is how a contact is called on the pages.
func nameOf(c *survey.Contact) string {
	if n := strings.TrimSpace(c.FirstName + " " + c.LastName); n != "" {
		return n
	}
	for _, n := range []string{c.Company, c.Email, c.Phone, c.Ref} {
		if n != "" {
			return n
		}
	}
	return "Contact " + c.ID
}

// names returns what the touchpoints are called, by id.
func (s *site) names(ctx context.Context) (func(id string) string, error) {
	all, err := s.store.Touchpoints(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, t := range all {
		names[t.ID] = t.Name.In("en", t.Locales)
	}
	return func(id string) string {
		if n := names[id]; n != "" {
			return n
		}
		return id
	}, nil
}

// log tells the terminal of a failure that a page goes on without.
func log(ctx context.Context, what string, err error) {
	slog.ErrorContext(ctx, what, "error", err.Error())
}

func (s *site) describe(t *survey.Ask) string {
	state := "not sent yet"
	switch {
	case t.Counted():
		state = fmt.Sprintf("answered %d on %s", t.Score, s.moment(t.AnsweredAt))
	case t.Answered():
		state = "answered by what looks like a mail scanner"
	case !t.BouncedAt.IsZero():
		state = "sent on " + s.moment(t.SentAt) + ", came back"
	case !t.RemindedAt.IsZero():
		state = "sent on " + s.moment(t.SentAt) + ", reminded on " + s.moment(t.RemindedAt)
	case !t.DeliveredAt.IsZero():
		state = "delivered on " + s.moment(t.DeliveredAt) + ", not answered yet"
	case !t.SentAt.IsZero():
		state = "sent on " + s.moment(t.SentAt)
	}
	return state
}
