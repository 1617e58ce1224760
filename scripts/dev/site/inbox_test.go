package site

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/message"
	"github.com/pulssi/pulssi/shared/survey"
)

func TestFramed(t *testing.T) {
	const mail = `<html><HEAD class="x"><meta name="color-scheme" content="light dark"><style>
:root { color-scheme: light dark; }
@media screen and ( Prefers-Color-Scheme:dark ) { a {} }
@media (prefers-color-scheme: light) { b {} }
</style></HEAD><body>light dark</body></html>`
	for dark, want := range map[bool]string{
		false: `<html><HEAD class="x"><base target="_blank"><meta name="color-scheme" content="light"><style>
:root { color-scheme: light; }
@media screen and (max-width: 0) { a {} }
@media (min-width: 0) { b {} }
</style></HEAD><body>light dark</body></html>`,
		true: `<html><HEAD class="x"><base target="_blank"><meta name="color-scheme" content="dark"><style>
:root { color-scheme: dark; }
@media screen and (min-width: 0) { a {} }
@media (max-width: 0) { b {} }
</style></HEAD><body>light dark</body></html>`,
	} {
		if diff := cmp.Diff(want, framed(mail, dark)); diff != "" {
			t.Errorf("dark is %t (-want +got):\n%s", dark, diff)
		}
	}
	if got := framed("<p>Hi</p>", false); got != `<base target="_blank"><p>Hi</p>` {
		t.Errorf("without a head: %s", got)
	}
}

// TestFramedLetters has no letter of ours keep a query that the visitor decides.
func TestFramedLetters(t *testing.T) {
	written, err := message.Letter{
		Ask: survey.NewID(), Contact: &survey.Contact{}, Link: "http://localhost:8080", Zone: time.UTC,
		Touchpoint: &survey.Touchpoint{ID: "shop", Metric: survey.NPS, Locales: []string{"en"}, Question: survey.Text{"en": "How likely?"}},
	}.Email()
	if err != nil {
		t.Fatal(err)
	}
	for _, dark := range []bool{false, true} {
		got := framed(written.HTML, dark)
		if strings.Contains(got, "prefers-color-scheme") || strings.Contains(got, "light dark") || strings.Count(got, "<base ") != 1 {
			t.Errorf("dark is %t: %s", dark, got)
		}
	}
}

func TestFields(t *testing.T) {
	raw := "From: =?utf-8?q?Kauppa_=C3=96y?= <kysely@example.com>\r\nTo: <maija@example.com>\r\nSubject: =?utf-8?q?Hyv=C3=A4=C3=A4?=\r\nX-Other: 1\r\n" +
		"List-Unsubscribe: <http://localhost:8080/u/x>\r\n\r\nHi"
	want := []fact{
		{"From", "Kauppa Öy <kysely@example.com>"}, {"To", "maija@example.com"}, {"Subject", "Hyvää"}, {"List-Unsubscribe", "http://localhost:8080/u/x"},
	}
	if diff := cmp.Diff(want, fields([]byte(raw))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestChoose(t *testing.T) {
	for query, want := range map[string]string{"": "light", "dark": "dark", "source": "source", "nonsense": "light"} {
		tabs, name := choose(views, query)
		for _, tab := range tabs {
			if tab.Chosen != (tab.Name == want) {
				t.Errorf("%q: %s is chosen: %t", query, tab.Name, tab.Chosen)
			}
		}
		if name != want {
			t.Errorf("%q: %s, want %s", query, name, want)
		}
	}
	if views[0].Chosen {
		t.Error("the choice of one page is that of all")
	}
}

// TestHeard says what came of a question by SMS.
func TestHeard(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s := &site{desk: Desk{Zone: time.UTC, Now: func() time.Time { return now }}}
	for want, a := range map[string]survey.Ask{
		"answered 4":                                      {AskedAt: now, Trust: survey.Human, AnsweredAt: now, Score: 4},
		"answered 4, with the comment “Ok”":               {AskedAt: now, Trust: survey.Human, AnsweredAt: now, Score: 4, Comment: "Ok"},
		"not answered yet. A number from 0 to 10 answers": {AskedAt: now},
		"not answered, kept as a comment: “Ok”. A number from 0 to 10 answers": {AskedAt: now, Comment: "Ok"},
		"not answered, and closed since Sat 21 Nov 2026 12:00":                 {AskedAt: now.Add(-survey.AnswerWindow)},
	} {
		a.Metric = survey.NPS
		if got := s.heard(&a); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestPostOneClick posts as RFC 8058 has it, follows nowhere, and tells what
// does not work.
func TestPostOneClick(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || string(body) != "List-Unsubscribe=One-Click" ||
			r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || len(r.Cookies()) > 0 {
			t.Errorf("%s %q, %v", r.Method, body, err)
		}
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/", http.StatusFound)
		}
	}))
	defer server.Close()
	for address, want := range map[string]int{server.URL + "/": 200, server.URL + "/moved": 302} {
		if got, err := postOneClick(t.Context(), address); got != want || err != nil {
			t.Errorf("%s: %d, %v", address, got, err)
		}
	}
	server.Close()
	for address, want := range map[string]string{"": "no address", server.URL: "nobody answers", ":": "no address to post to"} {
		if _, err := postOneClick(t.Context(), address); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", address, err)
		}
	}
}
