package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulssi/pulssi/scripts/dev/post"
	"github.com/pulssi/pulssi/shared/survey"
)

// Box has what arrived by e-mail and SMS; see [post.Box].
type Box interface {
	Last() ([]post.Item, int)
	Numbered(n int) (post.Item, error)
	Put(i post.Item) (post.Item, error)
}

// shownItems is how many items a page of the inbox lists.
const shownItems = 50

// itemView is one item in a list.
type itemView struct{ Link, Title, To, About, Lang string }

func (s *site) inbox(w http.ResponseWriter, r *http.Request) {
	name, err := s.names(r.Context())
	if err != nil {
		fail(w, r, err)
		return
	}
	query := strings.TrimSpace(r.URL.Query().Get("q"))
	before, _ := strconv.Atoi(r.URL.Query().Get("before")) // without one, from the newest on
	all, total := s.desk.Box.Last()
	var items []itemView
	last, more := 0, 0
	for _, i := range all {
		if i.Mine || before > 0 && i.Number >= before || !strings.Contains(strings.ToLower(i.To), strings.ToLower(query)) {
			continue
		}
		if len(items) == shownItems {
			more++
			continue
		}
		items, last = append(items, s.item(i, name)), i.Number
	}
	view := map[string]any{"Items": items, "Query": query, "Any": total > 0, "More": more, "Kept": post.Kept, "Late": before > 0}
	if more > 0 {
		view["Next"] = "/inbox?" + url.Values{"q": {query}, "before": {strconv.Itoa(last)}}.Encode()
	}
	s.show(w, r, "inbox.html", view)
}

// item returns an item as a list has it: an e-mail leads to itself, a text
// message to its conversation.
func (s *site) item(i post.Item, name func(string) string) itemView {
	v := itemView{Link: "/inbox/" + strconv.Itoa(i.Number), Title: i.Subject, To: i.To, Lang: i.Lang}
	about := []string{"e-mail", name(i.Touchpoint), s.moment(i.At)}
	if i.Channel == survey.SMS {
		v.Link, v.Title = conversationLink(i.To), i.Text
		about = []string{"SMS", s.moment(i.At)}
	}
	v.About = strings.Join(about, " · ")
	return v
}

// tab is one way to look at an e-mail.
type tab struct {
	Name, Text, Link string
	Chosen           bool
}

// views are the ways to look at an e-mail, the first of which is the usual.
var views = []tab{
	{Name: "light", Text: "Light"}, {Name: "dark", Text: "Dark"}, {Name: "images-off", Text: "Images off"},
	{Name: "text", Text: "Plain text"}, {Name: "source", Text: "Source"},
}

// widths are how wide an e-mail is shown: as on a desk, and on a small phone.
var widths = []tab{{Name: "600", Text: "600 px"}, {Name: "320", Text: "320 px"}}

// choose returns tabs, of which one is chosen, and its name: the first where
// there is none of the name that a query gives.
func choose(tabs []tab, query string) ([]tab, string) {
	out := slices.Clone(tabs)
	at := max(0, slices.IndexFunc(out, func(t tab) bool { return t.Name == query }))
	out[at].Chosen = true
	return out, out[at].Name
}

// mailView is the page of one e-mail.
type mailView struct {
	post.Item
	Name          string // of the person, "" where nobody has the address
	Contact       string
	Fields        []fact
	Views, Widths []tab
	View, Width   string
	Frame         string // address of the HTML, "" for another view
	Body          []span
	State         string // what became of the ask
	Done, Mistake string
}

// numbered returns the e-mail that a request is for, and answers where there is
// none.
func (s *site) numbered(w http.ResponseWriter, r *http.Request) (post.Item, bool) {
	n, _ := strconv.Atoi(r.PathValue("number")) // what is no number is no message's
	i, err := s.desk.Box.Numbered(n)
	if err == nil && i.Channel == survey.Email {
		return i, true
	}
	if err != nil && survey.CodeOf(err) != survey.NotFound {
		fail(w, r, err)
		return i, false
	}
	missing(w, "no such e-mail among the last ones")
	return i, false
}

func (s *site) mail(w http.ResponseWriter, r *http.Request) {
	if i, ok := s.numbered(w, r); ok {
		s.showMail(w, r, http.StatusOK, mailView{Item: i})
	}
}

func (s *site) showMail(w http.ResponseWriter, r *http.Request, status int, v mailView) {
	ctx := r.Context()
	q := r.URL.Query()
	v.Views, v.View = choose(views, q.Get("view"))
	v.Widths, v.Width = choose(widths, q.Get("width"))
	address := func(view, width string) string {
		return fmt.Sprintf("/inbox/%d?view=%s&width=%s", v.Number, view, width)
	}
	for i := range v.Views {
		v.Views[i].Link = address(v.Views[i].Name, v.Width)
	}
	for i := range v.Widths {
		v.Widths[i].Link = address(v.View, v.Widths[i].Name)
	}
	switch v.View {
	case "text":
		v.Body = linked(v.Text, r.Host)
	case "source":
		v.Body = []span{{Text: strings.ReplaceAll(string(v.Raw), "\r\n", "\n")}}
	default:
		v.Frame = fmt.Sprintf("/inbox/%d/html?view=%s", v.Number, v.View)
	}
	v.Fields = fields(v.Raw)
	if err := s.know(ctx, &v); err != nil {
		fail(w, r, err)
		return
	}
	s.showStatus(w, r, status, "mail.html", v)
}

// know fills in whose e-mail it is, and what became of its ask.
func (s *site) know(ctx context.Context, v *mailView) error {
	c, err := s.desk.Contacts.FindContact(ctx, "email", v.To)
	switch {
	case err == nil:
		v.Name, v.Contact = nameOf(c), c.ID
	case survey.CodeOf(err) != survey.NotFound:
		return err
	}
	if v.Ask == "" {
		return nil
	}
	a, err := s.desk.Contacts.Ask(ctx, v.Ask)
	switch {
	case err == nil:
		v.State = sentence(s.describe(a))
	case survey.CodeOf(err) != survey.NotFound:
		return err
	}
	return nil
}

// shownFields are the header fields that people want to see; the source has
// all.
var shownFields = []string{"From", "To", "Reply-To", "Subject", "Date", "List-Unsubscribe", "List-Unsubscribe-Post"}

func fields(raw []byte) []fact {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil // of what was read before, only a change of the file
	}
	var out []fact
	for _, name := range shownFields {
		value := m.Header.Get(name)
		if decoded, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
			value = decoded
		}
		if value != "" {
			if strings.Count(value, "<") == 1 && strings.HasPrefix(value, "<") { // an address alone
				value = strings.Trim(value, "<>")
			}
			out = append(out, fact{name, value})
		}
	}
	return out
}

// mailPolicy is the Content-Security-Policy of an e-mail's HTML: what a mail
// program lets it have. No script runs and no form is sent, links open outside
// of the frame, and styles are its own. Images come from wherever they are.
const mailPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data: http: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"

// mailPolicyWithoutImages is that of a mail program that shows no images.
var mailPolicyWithoutImages = strings.Replace(mailPolicy, "img-src data: http: https:", "img-src 'none'", 1)

// html answers with the HTML of an e-mail, for the frame of its page.
func (s *site) html(w http.ResponseWriter, r *http.Request) {
	i, ok := s.numbered(w, r)
	if !ok {
		return
	}
	view, policy := r.URL.Query().Get("view"), mailPolicy
	if view == "images-off" {
		policy = mailPolicyWithoutImages
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(framed(i.HTML, view == "dark"))) // a client that is gone needs no answer
}

var (
	headTag     = regexp.MustCompile(`(?i)<head(\s[^>]*)?>`)
	darkQuery   = regexp.MustCompile(`(?i)\(\s*prefers-color-scheme\s*:\s*dark\s*\)`)
	lightQuery  = regexp.MustCompile(`(?i)\(\s*prefers-color-scheme\s*:\s*light\s*\)`)
	bothSchemes = regexp.MustCompile(`(?i)(color-scheme["a-z:= ]*?)light dark`)
)

// framed returns the HTML of an e-mail for a frame: its links open in a new tab,
// and it is light or dark whatever the visitor prefers. No page can prefer that
// for a frame, so the media queries are rewritten: the one that is to hold into
// one that always does, the other into one that never does. It shows what the
// e-mail itself says for the dark; programs that make colours of their own, as
// Gmail and Outlook do, are not imitated.
func framed(html string, dark bool) string {
	const always, never = "(min-width: 0)", "(max-width: 0)"
	scheme, ifDark, ifLight := "light", never, always
	if dark {
		scheme, ifDark, ifLight = "dark", always, never
	}
	html = darkQuery.ReplaceAllLiteralString(html, ifDark)
	html = lightQuery.ReplaceAllLiteralString(html, ifLight)
	html = bothSchemes.ReplaceAllString(html, "${1}"+scheme)
	const base = `<base target="_blank">`
	if at := headTag.FindStringIndex(html); at != nil {
		return html[:at[1]] + base + html[at[1]:]
	}
	return base + html
}

// source answers with an e-mail as a file that mail programs open.
func (s *site) source(w http.ResponseWriter, r *http.Request) {
	i, ok := s.numbered(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "message/rfc822")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%d.eml"`, i.Number))
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(i.Raw) // a client that is gone needs no answer
}

// oneClick posts what a mail program does for the person who presses its
// button: no cookies, no redirects (RFC 8058, section 3.2).
var oneClick = &http.Client{
	Timeout:       10 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// unsubscribe unsubscribes as a mail program does, and tells what was answered.
func (s *site) unsubscribe(w http.ResponseWriter, r *http.Request) {
	i, ok := s.numbered(w, r)
	if !ok {
		return
	}
	v, status := mailView{Item: i}, http.StatusOK
	answer, err := postOneClick(r.Context(), i.Unsubscribe)
	switch {
	case err != nil:
		v.Mistake, status = sentence(err.Error()), http.StatusBadGateway
	case answer >= 200 && answer < 300:
		v.Done = fmt.Sprintf("The answer is %d %s: it is done.", answer, http.StatusText(answer))
	default:
		v.Mistake, status = fmt.Sprintf("The answer is %d %s.", answer, http.StatusText(answer)), http.StatusBadGateway
	}
	s.showMail(w, r, status, v)
}

func postOneClick(ctx context.Context, address string) (status int, err error) {
	if address == "" {
		return 0, errors.New("the e-mail has no address to unsubscribe at")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader("List-Unsubscribe=One-Click"))
	if err != nil {
		return 0, fmt.Errorf("%s is no address to post to: %w", address, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := oneClick.Do(req)
	if err != nil {
		return 0, fmt.Errorf("nobody answers there: %w", err)
	}
	return resp.StatusCode, resp.Body.Close()
}

// title is what a page of an e-mail is called.
func (v mailView) Title() string {
	if v.Subject == "" {
		return "An e-mail without a subject"
	}
	return v.Subject
}
