package site

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pulssi/pulssi/events"
	"github.com/pulssi/pulssi/shared/survey"
)

// maxEventForm is the most bytes of the form: the API's limit of a body is far
// below, and what is over that is for the API to tell.
const maxEventForm = 1 << 20

// asker is a touchpoint that asks about an event.
type asker struct {
	Name    string
	Delay   survey.Span
	Stopped bool
}

func (s *site) events(w http.ResponseWriter, r *http.Request) {
	eventType := r.URL.Query().Get("type")
	if eventType == "" {
		eventType = events.Types()[0]
	}
	if !slices.Contains(events.Types(), eventType) {
		s.showEvents(w, r, http.StatusNotFound, eventView{
			Type: events.Types()[0], Mistake: "There is no such type of event. The types are below.",
		})
		return
	}
	s.showEvents(w, r, http.StatusOK, eventView{Type: eventType, Chosen: r.URL.Query().Get("contact")})
}

// eventView is what the page shows.
type eventView struct {
	Type, Chosen, Body, Mistake, Done string
	Types                             []string
	Asking                            []asker
	People                            []person
	Who                               *person
	Rows                              int
}

func (s *site) showEvents(w http.ResponseWriter, r *http.Request, status int, v eventView) {
	var err error
	v.Types = events.Types()
	if v.Body == "" {
		v.Body, err = s.freshEvent(v.Type)
	}
	if err == nil {
		v.Asking, err = s.askers(r.Context(), v.Type)
	}
	if err == nil {
		err = s.choose(r.Context(), &v)
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	v.Rows = min(max(strings.Count(v.Body, "\n")+1, 8), 40)
	s.showStatus(w, r, status, "events.html", v)
}

// choose fills in the people whom an event can be said to have happened to,
// among them the one that is chosen.
func (s *site) choose(ctx context.Context, v *eventView) error {
	list, _, err := s.desk.Contacts.ListContacts(ctx, "", shownPeople)
	if err != nil {
		return err
	}
	if v.Chosen != "" && !slices.ContainsFunc(list, func(c *survey.Contact) bool { return c.ID == v.Chosen }) {
		c, err := s.desk.Contacts.Contact(ctx, v.Chosen)
		switch {
		case err == nil:
			list = append([]*survey.Contact{c}, list...)
		case survey.CodeOf(err) == survey.NotFound:
			v.Chosen = ""
		default:
			return err
		}
	}
	for _, c := range list {
		p := person{ID: c.ID, Name: nameOf(c)}
		if a := cmp.Or(c.Email, c.Phone, c.Ref); a != p.Name {
			p.About = a // many people have the same name
		}
		v.People = append(v.People, p)
		if c.ID == v.Chosen {
			v.Who = &p
		}
	}
	return nil
}

// freshEvent returns the sample of a type, with an id of its own, as if it had
// happened now.
func (s *site) freshEvent(eventType string) (string, error) {
	b, err := events.Sample(eventType)
	if err != nil {
		return "", err
	}
	var fields struct {
		Type    string          `json:"type"`
		Version int             `json:"version"`
		ID      string          `json:"id"`
		Time    time.Time       `json:"time"`
		Contact json.RawMessage `json:"contact,omitempty"`
		Data    json.RawMessage `json:"data,omitempty"`
	}
	if err := json.Unmarshal(b, &fields); err != nil {
		return "", fmt.Errorf("reading the sample of %s: %w", eventType, err)
	}
	var unique [2]byte
	_, _ = rand.Read(unique[:]) // documented never to return an error
	fields.ID += "-" + hex.EncodeToString(unique[:])
	fields.Time = s.desk.Now().In(s.desk.Zone).Truncate(time.Second)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(fields); err != nil {
		return "", err
	}
	return out.String(), nil
}

// askers returns the touchpoints that ask about a type of event.
func (s *site) askers(ctx context.Context, eventType string) ([]asker, error) {
	all, err := s.store.Touchpoints(ctx)
	if err != nil {
		return nil, err
	}
	var out []asker
	for _, t := range all {
		if t.Trigger != nil && t.Trigger.Event == eventType {
			out = append(out, asker{t.Name.In("en", t.Locales), t.Trigger.Delay, t.Stopped})
		}
	}
	return out, nil
}

// fire posts the event of the form to the API, and shows what that says.
func (s *site) fire(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxEventForm)
	v := eventView{Type: r.URL.Query().Get("type")}
	if !slices.Contains(events.Types(), v.Type) {
		v.Type = events.Types()[0]
	}
	if err := r.ParseForm(); err != nil {
		v.Mistake = "The event is too large, or the form broken: an event is at most 16 kB."
		s.showEvents(w, r, http.StatusRequestEntityTooLarge, v)
		return
	}
	v.Chosen = r.PostForm.Get("contact")
	v.Body = strings.ReplaceAll(r.PostForm.Get("body"), "\r\n", "\n")
	body := []byte(v.Body)
	if v.Chosen != "" {
		body = happenedTo(body, v.Chosen)
	}
	status, answer, err := s.post(r, "/api/events", body)
	if err != nil {
		fail(w, r, err)
		return
	}
	if v.Body == "" {
		v.Body = " " // as it was sent, not a fresh one
	}
	if status == http.StatusAccepted {
		v.Done = "Taken: " + strings.Join(answer.IDs, ", ") + "."
		s.showEvents(w, r, http.StatusOK, v)
		return
	}
	v.Mistake = refusal(status, answer)
	s.showEvents(w, r, http.StatusUnprocessableEntity, v)
}

// refusal tells what the API has against an event. The message begins as it is:
// the name of a field has no capital letter.
func refusal(status int, answer apiAnswer) string {
	return fmt.Sprintf("The API says %d: %s.", status, strings.TrimSuffix(answer.Error.Message+answer.Message, "."))
}

// happenedTo returns the event with another contact. What is no JSON object
// stays as it is, for the API to tell.
func happenedTo(body []byte, contact string) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil || fields == nil {
		return body
	}
	who, err := json.Marshal(map[string]string{"id": contact})
	if err != nil {
		return body
	}
	fields["contact"] = who
	if b, err := json.Marshal(fields); err == nil {
		return b
	}
	return body
}

// apiAnswer is what the API answers, or the gateway before it.
type apiAnswer struct {
	IDs   []string `json:"ids"`
	Error struct {
		Message string `json:"message"`
	} `json:"error"`
	Message string `json:"message"`
}

// post posts JSON to the product's own API.
func (s *site) post(r *http.Request, path string, body []byte) (status int, answer apiAnswer, err error) {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://"+r.Host+path, bytes.NewReader(body))
	if err != nil {
		return 0, answer, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.RemoteAddr = r.RemoteAddr
	var got response
	s.desk.API.ServeHTTP(&got, req)
	if err := json.Unmarshal(got.body.Bytes(), &answer); err != nil {
		return 0, answer, fmt.Errorf("reading the answer of %s: %w", path, err)
	}
	return got.status, answer, nil
}

// response keeps what a handler writes.
type response struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (r *response) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

func (r *response) WriteHeader(status int) { r.status = status }

func (r *response) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.body.Write(b)
}
