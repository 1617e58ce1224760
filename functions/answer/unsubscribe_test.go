package answer_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/functions/answer"
	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// person is one contact who was asked, in the tables.
type person struct {
	t       *testing.T
	store   *store.Store
	handler *answer.Handler
	contact string
	ask     string
}

func newPerson(t *testing.T, d survey.Details, locale string) *person {
	t.Helper()
	tables := testkit.NewTables(t)
	out, err := tables.Store.Upsert(t.Context(), []survey.Details{d}, now)
	if err != nil {
		t.Fatal(err)
	}
	p := &person{
		t: t, store: tables.Store, contact: out[0].Contact, ask: survey.NewID(),
		handler: &answer.Handler{Asks: tables.Store, Contacts: tables.Store, Touchpoints: catalog(), Now: func() time.Time { return now }},
	}
	err = tables.Store.CreateAsk(t.Context(), &survey.Ask{
		ID: p.ask, Touchpoint: "shop-nps", Series: 1, Metric: survey.NPS, Channel: survey.Email, Locale: locale,
		Contact: p.contact, AskedAt: now, SentAt: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *person) send(r apigw.Request) apigw.Response {
	p.t.Helper()
	resp, err := p.handler.Handle(context.Background(), r)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp
}

// out returns the channels by which the person wants no asks.
func (p *person) out() string {
	p.t.Helper()
	c, err := p.store.Contact(p.t.Context(), p.contact)
	if err != nil {
		p.t.Fatal(err)
	}
	var out []string
	for _, ch := range []survey.Channel{survey.Email, survey.SMS} {
		if _, ok := c.OptOuts[ch]; ok {
			out = append(out, string(ch))
		}
	}
	return strings.Join(out, " ")
}

const unsubscribe = "POST /u/{id}"

func both() survey.Details { return survey.Details{Email: "maija@example.com", Phone: "+358401234567"} }

// TestUnsubscribePages holds the pages of every state to their golden files, and
// what they change to the table.
func TestUnsubscribePages(t *testing.T) {
	for _, locale := range []string{"fi", "sv", "en"} {
		p := newPerson(t, both(), locale)
		show := func(name string, resp apigw.Response, wantOut string) {
			t.Helper()
			if resp.StatusCode != 200 {
				t.Errorf("%s: status %d: %s", name, resp.StatusCode, resp.Body)
			}
			golden(t, "unsubscribe-"+locale+"-"+name+".html", readable(strings.ReplaceAll(resp.Body, p.ask, strings.Repeat("A", 22))))
			if got := p.out(); got != wantOut {
				t.Errorf("%s: out of %q, want %q", name, got, wantOut)
			}
		}
		form := func(channel, action string) apigw.Request {
			return postForm(unsubscribe, p.ask, url.Values{"channel": {channel}, "action": {action}})
		}
		show("asks", p.send(request("GET /u/{id}", p.ask, "")), "")
		show("email", p.send(form("email", "stop")), "email")
		show("all", p.send(form("all", "stop")), "email sms")
		show("back", p.send(form("all", "again")), "")
		show("sms", p.send(form("sms", "stop")), "sms")
		if err := p.store.DeleteContact(t.Context(), p.contact); err != nil {
			t.Fatal(err)
		}
		golden(t, "unsubscribe-"+locale+"-gone.html", readable(strings.ReplaceAll(p.send(form("all", "stop")).Body, p.ask, strings.Repeat("A", 22))))
	}
}

// Whoever was asked by SMS finds the way out on the page of the question, also
// where it is closed; an e-mail has it itself, and nobody known has none.
func TestUnsubscribeLinkOfSMS(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*survey.Ask)
		want bool
	}{
		{"by SMS", func(a *survey.Ask) { a.Channel, a.Contact = survey.SMS, "c" }, true},
		{"by SMS, closed", func(a *survey.Ask) { a.Channel, a.Contact, a.AskedAt = survey.SMS, "c", now.Add(-survey.AnswerWindow) }, true},
		{"by SMS, to nobody known", func(a *survey.Ask) { a.Channel = survey.SMS }, false},
		{"by e-mail", func(a *survey.Ask) { a.Contact = "c" }, false},
	} {
		a := ask(survey.NPS, "sv")
		c.edit(a)
		resp := handle(t, handler(&one{t: t, ask: a}), request("GET /a/{id}", id, ""))
		if got := strings.Contains(resp.Body, `<p class="later"><a href="/u/`+id+`"><span>Vill du inte ha fler frågor?</span></a></p></main>`); got != c.want {
			t.Errorf("%s: a link %v, want %v\n%s", c.name, got, c.want, resp.Body)
		}
	}
}

// A mail program posts one field, in either encoding of forms, and reads
// nothing but the status (RFC 8058, section 3.2).
func TestUnsubscribeOneClick(t *testing.T) {
	multipart := "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"
	for _, c := range []struct{ name, contentType, body string }{
		{"form", "application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"},
		{"multipart", `multipart/form-data; boundary="b"`, multipart},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPerson(t, both(), "fi")
			r := request(unsubscribe, p.ask, "")
			r.Headers = map[string]string{"content-type": c.contentType}
			r.Body = c.body
			for range 2 { // the second changes nothing
				resp := p.send(r)
				if resp.StatusCode != 200 || resp.Headers["location"] != "" {
					t.Errorf("status %d, location %q: %s", resp.StatusCode, resp.Headers["location"], resp.Body)
				}
				if got := p.out(); got != "email" {
					t.Errorf("out of %q", got)
				}
			}
		})
	}
}

func TestUnsubscribeRefuses(t *testing.T) {
	p := newPerson(t, both(), "fi")
	typed := func(contentType, body string) apigw.Request {
		r := request(unsubscribe, p.ask, "")
		r.Headers = map[string]string{"content-type": contentType, "accept": "application/json"}
		r.Body = body
		return r
	}
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name    string
		request apigw.Request
		status  int
		message string
	}{
		{"no id", request("GET /u/{id}", "short", ""), 400, "id must be 22 characters"},
		{"unknown id", request("GET /u/{id}", strings.Repeat("B", 22), ""), 404, "there is no question with this id"},
		{"unknown id, post", postForm(unsubscribe, strings.Repeat("B", 22), url.Values{"channel": {"all"}}), 404, "no question with this id"},
		{"another type", typed("text/plain", "x"), 415, "content-type must be"},
		{"no channel", typed(form, "action=stop"), 400, "channel must be email, sms or all"},
		{"a channel nobody is asked by", typed(form, "channel=kiosk"), 400, "channel must be email, sms or all"},
		{"an action nobody knows", typed(form, "channel=all&action=x"), 400, "action must be stop or again"},
		{"a field nobody knows", typed(form, "channel=all&x=1"), 400, "x"},
		{"another one-click", typed(form, "List-Unsubscribe=No"), 400, "List-Unsubscribe must be One-Click"},
		{"multipart without a boundary", typed("multipart/form-data", "x"), 400, "List-Unsubscribe must be One-Click"},
		{"multipart of something else", typed("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nOne-Click\r\n--b--\r\n"), 400, "List-Unsubscribe must be One-Click"},
		{"too large", typed(form, "channel="+strings.Repeat("a", 16*1024)), 413, "16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.request.Headers["accept"] = "application/json"
			resp := p.send(c.request)
			if resp.StatusCode != c.status || !strings.Contains(resp.Body, c.message) {
				t.Errorf("%d %s, want %d with %q", resp.StatusCode, resp.Body, c.status, c.message)
			}
			if got := p.out(); got != "" {
				t.Errorf("out of %q", got)
			}
		})
	}
}

// An ask of nobody known has no such page, and a link that is opened, by
// whomever, changes nothing.
func TestUnsubscribeReadsOnly(t *testing.T) {
	p := newPerson(t, survey.Details{Email: "maija@example.com"}, "fi")
	for _, route := range []string{"GET /u/{id}", "HEAD /u/{id}"} {
		resp := p.send(request(route, p.ask, ""))
		if resp.StatusCode != 200 || (resp.Body == "") != strings.HasPrefix(route, "HEAD") {
			t.Errorf("%s: %d, %d bytes", route, resp.StatusCode, len(resp.Body))
		}
		if strings.Contains(resp.Body, `value="sms"`) || strings.Contains(resp.Body, `value="all"`) && route == "GET /u/{id}" {
			t.Error("channels are offered that do not reach the person")
		}
		for name, want := range map[string]string{"cache-control": "no-store", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"} {
			if resp.Headers[name] != want {
				t.Errorf("%s: %s is %q", route, name, resp.Headers[name])
			}
		}
	}
	if p.out() != "" {
		t.Error("a GET opted out")
	}
	anonymous := survey.NewID()
	if err := p.store.CreateAsk(t.Context(), &survey.Ask{ID: anonymous, Touchpoint: "shop-nps", Series: 1, Metric: survey.NPS, Channel: survey.Link, AskedAt: now}); err != nil {
		t.Fatal(err)
	}
	if resp := p.send(request("GET /u/{id}", anonymous, "")); resp.StatusCode != 404 {
		t.Errorf("an ask of nobody: %d", resp.StatusCode)
	}
}
