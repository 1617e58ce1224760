package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/pulssi/pulssi/scripts/dev/post"
	"github.com/pulssi/pulssi/shared/asking"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// prompt asks at once after a purchase, by e-mail, and after a delivery, by
// SMS.
const prompt = `
locales: [en, fi]
touchpoints:
  - id: shop-nps
    phase: after
    metric: nps
    channels: [email]
    name: {en: Shop, fi: Kauppa}
    question: {en: How likely?, fi: Kuinka todennäköisesti?}
    rest: 0d
    trigger: {event: purchase.completed}
  - id: delivered
    phase: after
    metric: csat
    channels: [sms]
    name: {en: Delivery, fi: Toimitus}
    question: {en: How satisfied?, fi: Kuinka tyytyväinen?}
    rest: 0d
    message: {reply: true}
    trigger: {event: delivery.completed}
`

// openHours starts a stack of touchpoints that ask at once, and moves it to a
// moment at which people are asked.
func openHours(t *testing.T) *Stack {
	t.Helper()
	s := shared(t, Options{Touchpoints: []byte(prompt)})
	zone, err := time.LoadLocation("Europe/Helsinki")
	if err != nil {
		t.Fatal(err)
	}
	at, ok := asking.NewRulebook(survey.DefaultRules()).Next(&survey.Trigger{Event: "purchase.completed"}, zone, s.Clock.Now())
	if !ok {
		t.Fatal("nobody is ever asked")
	}
	move(t, s, at.Add(time.Minute))
	return s
}

// bought has an address buy something, and returns the e-mail that came of it,
// if one did, and why not in words otherwise.
func bought(t *testing.T, s *Stack, order, email string) (post.Item, string) {
	t.Helper()
	_, before := s.Box.Last()
	fire(t, s, purchase(s, order, email))
	all, n := s.Box.Last()
	if n == before+1 && all[0].To == email {
		i, err := s.Box.Numbered(n)
		if err != nil {
			t.Fatal(err)
		}
		return i, ""
	}
	if n != before {
		t.Fatalf("%d messages for one purchase of %s", n-before, email)
	}
	c, err := s.Store.FindContact(t.Context(), "email", email)
	if err != nil {
		t.Fatal(err)
	}
	_, page := call(t, http.MethodGet, s.URL+"/contacts/"+c.ID, "")
	return post.Item{}, page
}

// on is a browser at pages of the stack.
type on struct {
	context.Context
	t *testing.T
}

func (b on) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, a := range actions {
		if err := chromedp.Do(b, a); err != nil {
			b.t.Fatalf("%s: %v", what, err)
		}
	}
}

func (b on) says(where, what string) {
	b.t.Helper()
	eventually(b.t, fmt.Sprintf("%q in %s", what, where), func() bool {
		now, err := chromedp.Run(b, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", where)))
		return err == nil && strings.Contains(now, what) // an error is that one page goes and the next comes
	})
}

// place is where an element is on its page.
type place struct{ X, Y float64 }

func (b on) place(selector string, middle bool) place {
	b.t.Helper()
	at, err := chromedp.Run(b, chromedp.Evaluate[place](fmt.Sprintf(
		"(() => { const e = document.querySelector(%q), r = e.getBoundingClientRect(); return %t ? {X: r.x + r.width / 2, Y: r.y + r.height / 2} : {X: r.x + e.clientLeft, Y: r.y + e.clientTop} })()", selector, middle)))
	if err != nil {
		b.t.Fatalf("looking for %s: %v", selector, err)
	}
	return at
}

// clickInMail clicks a link inside the frame of the open page of an e-mail. No
// script reaches into the frame, so that where the link is comes from the same
// HTML beside it, at the same width. It returns when the ask is answered.
func (b on) clickInMail(s *Stack, number int, ask, link string) {
	b.t.Helper()
	beside := on{testkit.Browser(b.t, testkit.Viewport(600, 1200), testkit.Deadline(browsing)), b.t}
	open(beside, b.t, fmt.Sprintf("%s/inbox/%d/html", s.URL, number))
	in := beside.place(link, true)
	if _, err := chromedp.Run(b, chromedp.Evaluate[bool]("document.querySelector('iframe').scrollIntoView(), true")); err != nil {
		b.t.Fatal(err)
	}
	frame := b.place("iframe", false)
	// Chromium hands a click to a frame once that is laid out, of which it does not
	// tell the page around it: a click that came too early is made again. A second
	// one on the same link changes nothing.
	const between = 40 // looks
	looks := 0
	eventually(b.t, "the click in the e-mail", func() bool {
		if looks%between == 0 {
			b.do("clicking in the e-mail", chromedp.MouseClickXY(frame.X+in.X, frame.Y+in.Y))
		}
		looks++
		a, err := s.Store.Ask(b.t.Context(), ask)
		return err == nil && !a.AnsweredAt.IsZero()
	})
}

// TestFromAnEventToAResult buys something, opens the e-mail and clicks a score
// in it; and answers a text message from the phone.
func TestFromAnEventToAResult(t *testing.T) {
	s := openHours(t)
	b := on{testkit.Browser(t, testkit.Viewport(1280, 1300), testkit.Deadline(browsing)), t}
	open(b, t, s.URL+"/inbox")
	b.says("main", "Nothing was sent yet.")
	open(b, t, s.URL+"/phone")
	b.says("main", "Nothing was sent yet.")

	i, _ := bought(t, s, "order-1", "maija@example.com")
	if i.From != "kysely@example.com" || i.Unsubscribe != s.URL+"/u/"+i.Ask {
		t.Errorf("it is from %q, with %q", i.From, i.Unsubscribe)
	}
	a, err := s.Store.Ask(t.Context(), i.Ask)
	if err != nil || a.SentAt.IsZero() || a.DeliveredAt.IsZero() {
		t.Errorf("the ask is %+v, %v", a, err)
	}
	move(t, s, s.Clock.Now().Add(survey.SendGrace)) // before that, nobody can have read it
	open(b, t, s.URL+"/")
	b.do("opening the inbox", chromedp.Click(`a[href="/inbox"]`))
	b.says("main", "maija@example.com")
	b.do("opening the e-mail", chromedp.Click(`.people a`))
	b.says("main", "not answered yet")
	b.clickInMail(s, i.Number, i.Ask, `a[href$="?s=9"]`)
	eventually(t, "the click in the results", func() bool {
		_, counts := total(t, s)
		return counts == `{"9":1}`
	})
	open(b, t, fmt.Sprintf("%s/inbox/%d", s.URL, i.Number))
	b.says("main", "Answered 9")

	fire(t, s, fmt.Sprintf(`{"type":"delivery.completed","version":1,"id":"d-1","time":%q,"contact":{"phone":"+358400001234"}}`, s.Clock.Now().Format(time.RFC3339)))
	open(b, t, s.URL+"/phone")
	b.says("main", "Delivery: not answered yet. A number from 1 to 5 answers.")
	reply := func(text string) {
		t.Helper()
		b.do("replying", chromedp.SetValue(`[name="body"]`, text), chromedp.Click(`.conversation button`))
	}
	reply("  En tiedä vielä ")
	b.says(".said", "kept as a comment: “En tiedä vielä”")
	reply("4")
	b.says(".said", "answered 4")
	b.says(".mine:last-child", "4")
	eventually(t, "the reply in the results", func() bool {
		_, page := call(t, http.MethodGet, s.URL+"/api/results/delivered", "")
		return strings.Contains(page, `"counts":{"4":1}`)
	})
	reply("Stop.")
	b.says(".said:nth-of-type(2)", "Opted out of text messages")
	if status, body := call(t, http.MethodGet, s.URL+"/phone?q=%2B358400001234", ""); status != http.StatusOK || !strings.Contains(body, "Opted out") {
		t.Errorf("the conversation: %d", status)
	}
}

// TestUnsubscribing does it by the header, as a mail program does, and by the
// link in the e-mail. Neither is asked again, and the page of each says why.
func TestUnsubscribing(t *testing.T) {
	s := openHours(t)
	b := on{testkit.Browser(t, testkit.Viewport(1280, 1300), testkit.Deadline(browsing)), t}
	i, _ := bought(t, s, "order-1", "maija@example.com")
	open(b, t, fmt.Sprintf("%s/inbox/%d", s.URL, i.Number))
	b.do("unsubscribing by the header", chromedp.Click(`form[action$="/unsubscribe"] button`))
	b.says(".done", "The answer is 200 OK: it is done.")

	j, _ := bought(t, s, "order-2", "aino@example.com")
	_, id, _ := strings.Cut(j.Text, s.URL+"/u/")
	id, _, _ = strings.Cut(id, "\n")
	link := s.URL + "/u/" + id
	open(b, t, link)
	b.do("unsubscribing by the link", chromedp.Click(`form button`))
	eventually(t, "the opt-out", func() bool {
		c, err := s.Store.FindContact(t.Context(), "email", "aino@example.com")
		return err == nil && len(c.OptOuts) > 0
	})
	for n, email := range []string{"maija@example.com", "aino@example.com"} {
		if _, why := bought(t, s, fmt.Sprint("order-1", n), email); !strings.Contains(why, "opted out") {
			t.Errorf("the page of %s does not say why:\n%s", email, why)
		}
	}
}

// TestAddressesThatFail has messages to made-up addresses come back.
func TestAddressesThatFail(t *testing.T) {
	s := openHours(t)
	for email, why := range map[string]string{"bounce@example.com": "have come back since", "complaint@example.com": "opted out"} {
		if i, _ := bought(t, s, "first-"+email, email); i.To != email {
			t.Errorf("%s got %+v", email, i)
		}
		if _, page := bought(t, s, "second-"+email, email); !strings.Contains(page, why) {
			t.Errorf("the page of %s does not say %q:\n%s", email, why, page)
		}
	}
	// A soft bounce alone ends nothing: only the touchpoint's rest does.
	bought(t, s, "first-soft", "soft@example.com")
	if _, page := bought(t, s, "second-soft", "soft@example.com"); strings.Contains(page, "have come back since") || !strings.Contains(page, "came back") {
		t.Errorf("the page of one that bounced softly:\n%s", page)
	}
}

// TestMailsAndTextsAreShown looks at the pages as a person does, and as one who
// uses a phone, a dark screen or a screen reader does.
func TestMailsAndTextsAreShown(t *testing.T) {
	s := openHours(t)
	i, _ := bought(t, s, "order-1", "maija@example.com")
	fire(t, s, fmt.Sprintf(`{"type":"delivery.completed","version":1,"id":"d-1","time":%q,"contact":{"phone":"+358400001234"}}`, s.Clock.Now().Format(time.RFC3339)))
	mail := fmt.Sprintf("/inbox/%d", i.Number)
	paths := []string{"/inbox", "/inbox?q=nobody", mail, mail + "?view=dark&width=320", mail + "?view=images-off", mail + "?view=text", mail + "?view=source", "/phone", "/phone?q=77"}
	for name, opts := range map[string][]testkit.BrowserOption{
		"light": {testkit.Viewport(1280, 1200)},
		"dark":  {testkit.Viewport(1280, 1200), testkit.Dark()},
		"phone": {testkit.Viewport(360, 740), testkit.Touch()},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := testkit.Browser(t, append(opts, testkit.Deadline(browsing))...)
			for _, path := range paths {
				open(ctx, t, s.URL+path)
				violations, err := testkit.Axe(ctx)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range violations {
					t.Errorf("%s: %s", path, v)
				}
				if wide, err := chromedp.Run(ctx, chromedp.Evaluate[int]("document.documentElement.scrollWidth - innerWidth")); err != nil || wide > 0 {
					t.Errorf("%s is %d pixels wider than the window, %v", path, wide, err)
				}
			}
		})
	}

	for path, want := range map[string]int{
		"/inbox/0": 404, "/inbox/x": 404, "/inbox/99": 404, "/inbox/2": 404, "/inbox/2/html": 404, "/inbox/99/source": 404,
		mail + "/html": 200, mail + "/source": 200, "/inbox?before=1": 200,
	} {
		if status, _ := call(t, http.MethodGet, s.URL+path, ""); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	if _, source := call(t, http.MethodGet, s.URL+mail+"/source", ""); source != string(i.Raw) {
		t.Errorf("the source is %q", source)
	}
	for _, c := range []struct{ number, body, want string }{
		{"+358400001234", "  ", "Write something first."},
		{"+358400001234", strings.Repeat("ä", 1531), "at most 1,530 characters"},
		{"+358400009999", "4", "Nothing was sent to this number"},
	} {
		resp, err := http.PostForm(s.URL+"/phone", url.Values{"number": {c.number}, "body": {c.body}})
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(string(page), c.want) {
			t.Errorf("a reply of %q from %s: %d", c.body, c.number, resp.StatusCode)
		}
	}
	if _, n := s.Box.Last(); n != 2 {
		t.Errorf("%d messages after replies that were refused", n)
	}
}

// TestTheFirstStart asks the demonstration customer at any hour, once, and
// nobody where there were touchpoints before.
func TestTheFirstStart(t *testing.T) {
	file, err := os.ReadFile("../touchpoints.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := shared(t, Options{Touchpoints: file, Welcome: true})
	settle(t, s)
	all, n := s.Box.Last()
	if n != 1 || all[0].To != "maija@example.com" || all[0].From != "Esimerkkikauppa <kysely@example.com>" {
		t.Fatalf("%d messages: %+v", n, all)
	}
	a, err := s.Store.Ask(t.Context(), all[0].Ask)
	if err != nil || a.SentAt.IsZero() || a.DeliveredAt.IsZero() || a.Touchpoint != "shop-nps" {
		t.Errorf("the ask is %+v, %v", a, err)
	}
	again := start(t, Options{Endpoint: s.Config.DynamoDBEndpoint, Prefix: s.Config.TablePrefix, Touchpoints: file, Welcome: true})
	if _, n := again.Box.Last(); n != 0 {
		t.Errorf("%d messages at the second start", n)
	}
}
