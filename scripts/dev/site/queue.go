package site

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/topology"
)

const (
	shownAsks = 20
	shownSent = 10
	shownDead = 20
	maxBody   = 4000 // bytes of a dead letter that are shown
)

// line is one ask in a list; Contact is "" where nobody knows whose it is.
type line struct{ Contact, Who, About string }

// span is a piece of a text, which may be a link.
type span struct{ Text, Link string }

type deadView struct{ Reason, About, Body string }

func (s *site) queue(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	name, err := s.names(ctx)
	if err != nil {
		fail(w, r, err)
		return
	}
	view := map[string]any{"Now": s.moment(s.desk.Now())}

	messages, total := s.desk.Queues.Waiting(topology.Asks.Name, shownAsks)
	var asks []queue.Ask
	var abouts []string
	for _, m := range messages {
		a, err := queue.DecodeAsk([]byte(m.Body))
		if err != nil {
			a = queue.Ask{}
		}
		about := "due " + s.moment(m.Visible)
		if m.Receives > 0 {
			about += ", failed " + count(m.Receives, "time")
			if m.Failure != "" {
				about += ": " + m.Failure
			}
		}
		asks, abouts = append(asks, a), append(abouts, about)
	}
	waiting, err := s.lines(ctx, asks, abouts, name)
	if err != nil {
		fail(w, r, err)
		return
	}
	view["Waiting"], view["WaitingTotal"], view["WaitingMore"] = waiting, total, total-len(waiting)

	schedules, total := s.desk.Queues.Scheduled(shownAsks)
	asks, abouts = nil, nil
	for _, sc := range schedules {
		asks, abouts = append(asks, sc.Ask), append(abouts, s.moment(sc.At))
	}
	scheduled, err := s.lines(ctx, asks, abouts, name)
	if err != nil {
		fail(w, r, err)
		return
	}
	view["Scheduled"], view["ScheduledTotal"], view["ScheduledMore"] = scheduled, total, total-len(scheduled)

	arrived, _ := s.desk.Box.Last()
	var sent []itemView
	for _, i := range arrived {
		if len(sent) < shownSent && !i.Mine {
			sent = append(sent, s.item(i, name))
		}
	}
	view["Sent"] = sent

	given, total := s.desk.Queues.Dead(shownDead)
	var dead []deadView
	for _, d := range given {
		body := d.Body
		if len(body) > maxBody {
			body = strings.ToValidUTF8(body[:maxBody], "") + " …"
		}
		dead = append(dead, deadView{sentence(d.Reason), d.Queue + " · " + s.moment(d.At), body})
	}
	view["Dead"], view["DeadTotal"], view["DeadMore"] = dead, total, total-len(dead)
	s.show(w, r, "queue.html", view)
}

// mostDead is how many dead letters programs are told of.
const mostDead = 10_000

// deadJSON tells programs the dead letters, the newest first; see
// scripts/redrive.
func (s *site) deadJSON(w http.ResponseWriter, r *http.Request) {
	dead, _ := s.desk.Queues.Dead(mostDead)
	showJSON(w, r, dead)
}

// redrive puts the dead letters of the queue that the form names back, and tells
// how many there were.
func (s *site) redrive(w http.ResponseWriter, r *http.Request) {
	moved, err := s.desk.Queues.Redrive(r.FormValue("queue"))
	if message, status, ok := mistake(err); ok {
		http.Error(w, message, status)
		return
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	showJSON(w, r, map[string]int{"moved": moved})
}

// lines returns asks with the names of their contacts.
func (s *site) lines(ctx context.Context, asks []queue.Ask, abouts []string, name func(string) string) ([]line, error) {
	var ids []string
	for _, a := range asks {
		if a.Contact != "" {
			ids = append(ids, a.Contact)
		}
	}
	contacts := map[string]*survey.Contact{}
	if len(ids) > 0 {
		var err error
		if contacts, err = s.desk.Contacts.ContactsByID(ctx, ids); err != nil {
			return nil, err
		}
	}
	var out []line
	for i, a := range asks {
		if a.Contact == "" {
			out = append(out, line{Who: "No ask", About: abouts[i]})
			continue
		}
		l := line{Who: "a contact that was deleted"}
		if c := contacts[a.Contact]; c != nil {
			l.Contact, l.Who = c.ID, nameOf(c)
		}
		l.About = name(a.Touchpoint) + ", " + string(a.Occasion) + " · "
		if a.Reminder {
			l.About += "reminder · "
		}
		l.About += abouts[i]
		out = append(out, l)
	}
	return out, nil
}

var webAddress = regexp.MustCompile(`https?://[^\s<>"]+[^\s<>".,;:)!?]`)

// linked cuts a text into pieces, of which the addresses are links: those of
// this stack, which is host, by their path.
func linked(text, host string) []span {
	var out []span
	at := 0
	for _, m := range webAddress.FindAllStringIndex(text, -1) {
		if m[0] > at {
			out = append(out, span{Text: text[at:m[0]]})
		}
		link := span{Text: text[m[0]:m[1]], Link: text[m[0]:m[1]]}
		if path, own := strings.CutPrefix(link.Link, "http://"+host); own && strings.HasPrefix(path, "/") {
			link.Link = path
		}
		out = append(out, link)
		at = m[1]
	}
	if at < len(text) {
		out = append(out, span{Text: text[at:]})
	}
	return out
}
