package site

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pulssi/pulssi/scripts/dev/post"
	"github.com/pulssi/pulssi/shared/survey"
)

const (
	shownConversations = 20
	// shownTexts is how many texts of each conversation are shown where there
	// are more conversations than one.
	shownTexts = 6
	// maxReply is how many characters a text message may have: ten parts.
	maxReply = 1530
)

// conversation is what was written to a phone and from it.
type conversation struct {
	Number, Link  string
	Name, Contact string // of the person, "" where nobody has the number
	Earlier       int    // texts that are not shown
	Texts         []textView
	State         []string // what became of it
}

// textView is one text message.
type textView struct {
	Mine     bool
	From, At string
	Text     []span
}

func conversationLink(number string) string {
	return "/phone?" + url.Values{"q": {number}}.Encode()
}

func (s *site) phone(w http.ResponseWriter, r *http.Request) {
	s.showPhone(w, r, http.StatusOK, strings.TrimSpace(r.URL.Query().Get("q")), "", "")
}

// showPhone shows the conversations of numbers that contain a query. mistake is
// about a reply, which is body.
func (s *site) showPhone(w http.ResponseWriter, r *http.Request, status int, query, mistake, body string) {
	all, _ := s.desk.Box.Last()
	var order []string // the number with the newest text first
	texts := map[string][]post.Item{}
	for _, i := range all {
		if i.Channel != survey.SMS || !strings.Contains(i.To, strings.ReplaceAll(query, " ", "")) {
			continue
		}
		if texts[i.To] == nil {
			order = append(order, i.To)
		}
		texts[i.To] = append(texts[i.To], i)
	}
	shown := order[:min(shownConversations, len(order))]
	var out []conversation
	for _, number := range shown {
		c, err := s.conversation(r, number, texts[number], len(order) == 1)
		if err != nil {
			fail(w, r, err)
			return
		}
		out = append(out, c)
	}
	s.showStatus(w, r, status, "phone.html", map[string]any{
		"Conversations": out, "More": len(order) - len(shown), "Query": query, "Mistake": mistake, "Body": body, "MaxReply": maxReply,
	})
}

// conversation returns that of a number, whose texts are the newest first.
func (s *site) conversation(r *http.Request, number string, texts []post.Item, whole bool) (conversation, error) {
	c := conversation{Number: number, Link: conversationLink(number)}
	if !whole && len(texts) > shownTexts {
		c.Earlier = len(texts) - shownTexts
		texts = texts[:shownTexts]
	}
	for _, i := range slices.Backward(texts) {
		c.Texts = append(c.Texts, textView{i.Mine, i.From, s.moment(i.At), linked(i.Text, r.Host)})
	}
	return c, s.told(r.Context(), &c)
}

// told fills in whose number it is, and what became of the last question.
func (s *site) told(ctx context.Context, c *conversation) error {
	who, err := s.desk.Contacts.FindContact(ctx, "phone", c.Number)
	if err != nil && survey.CodeOf(err) == survey.NotFound {
		c.State = []string{"Nobody has this number here: what it writes is passed over."}
		return nil
	}
	if err != nil {
		return err
	}
	if c.Name, c.Contact = nameOf(who), who.ID; c.Name == c.Number {
		c.Name = "contact"
	}
	name, err := s.names(ctx)
	if err != nil {
		return err
	}
	asks, err := s.desk.Contacts.AsksOf(ctx, who.ID)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(asks, func(a *survey.Ask) bool { return a.Channel == survey.SMS && !a.SentAt.IsZero() }); i >= 0 {
		c.State = append(c.State, fmt.Sprintf("%s: %s.", name(asks[i].Touchpoint), s.heard(asks[i])))
	}
	if since, out := who.OptOuts[survey.SMS]; out {
		c.State = append(c.State, fmt.Sprintf("Opted out of text messages on %s. START brings them back.", s.moment(since)))
	}
	return nil
}

// heard says what came back of a question.
func (s *site) heard(a *survey.Ask) string {
	quoted := ""
	if a.Comment != "" {
		quoted = "“" + a.Comment + "”"
	}
	low, high := a.Metric.Scale()
	switch {
	case a.Counted() && quoted != "":
		return fmt.Sprintf("answered %d, with the comment %s", a.Score, quoted)
	case a.Counted():
		return fmt.Sprintf("answered %d", a.Score)
	case !s.desk.Now().Before(a.Open()):
		return "not answered, and closed since " + s.moment(a.Open())
	case quoted != "":
		return fmt.Sprintf("not answered, kept as a comment: %s. A number from %d to %d answers", quoted, low, high)
	default:
		return fmt.Sprintf("not answered yet. A number from %d to %d answers", low, high)
	}
}

// reply sends a text message from a phone of the page.
func (s *site) reply(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	from := r.PostFormValue("number")
	body := strings.TrimSpace(strings.ReplaceAll(r.PostFormValue("body"), "\r\n", "\n"))
	all, _ := s.desk.Box.Last()
	at := slices.IndexFunc(all, func(i post.Item) bool { return i.Channel == survey.SMS && !i.Mine && i.To == from })
	mistake := ""
	switch {
	case at < 0:
		from, mistake = "", "Nothing was sent to this number, so there is nobody to answer."
	case body == "":
		mistake = "Write something first."
	case utf8.RuneCountInString(body) > maxReply:
		mistake = fmt.Sprintf("A text message has at most %s characters.", number(maxReply))
	}
	if mistake != "" {
		s.showPhone(w, r, http.StatusUnprocessableEntity, from, mistake, body)
		return
	}
	to := all[at].From
	_, err := s.desk.Box.Put(post.Item{At: s.desk.Now().UTC(), Channel: survey.SMS, From: to, To: from, Text: body, Mine: true})
	if err == nil {
		err = s.desk.Reply(r.Context(), from, to, body)
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	http.Redirect(w, r, conversationLink(from), http.StatusSeeOther)
}
