package mail

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"
	gomail "github.com/emersion/go-message/mail"

	"github.com/pulssi/pulssi/shared/survey"
)

func sample() Letter {
	return Letter{
		From: mail.Address{Name: "Kauppa & Kumppanit Öy, \"kotoisa\"", Address: "kysely@example.com"}, ReplyTo: "asiakaspalvelu@example.com",
		To: "maija@example.org", Subject: "Yksi nopea kysymys: kuinka todennäköisesti suosittelisit meitä ystävälle tai työkaverille? 😀",
		HTML: "<p>Ä\n.</p>\n" + strings.Repeat("pitkä ", 400), Text: "Ä\n.\nrivi\n", Lang: "fi", ID: strings.Repeat("A", 22),
		Unsubscribe: "https://answer.example.com/u/AAAAAAAAAAAAAAAAAAAAAA", Stream: "shop-nps",
		Date: time.Date(2026, 11, 21, 9, 0, 5, 0, time.FixedZone("", 2*3600)),
	}
}

// What another library reads is what was written.
func TestComposeIsRead(t *testing.T) {
	l := sample()
	raw, err := Compose(l)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gomail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := r.Header.Subject()
	if err != nil || subject != l.Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	for field, want := range map[string]gomail.Address{
		"From": {Name: l.From.Name, Address: l.From.Address}, "To": {Address: l.To}, "Reply-To": {Address: l.ReplyTo},
	} {
		got, err := r.Header.AddressList(field)
		if err != nil || len(got) != 1 || *got[0] != want {
			t.Errorf("%s: %v, %v", field, got, err)
		}
	}
	if at, err := r.Header.Date(); err != nil || !at.Equal(l.Date) {
		t.Errorf("date %v, %v", at, err)
	}
	if id, err := r.Header.MessageID(); err != nil || !strings.HasSuffix(id, "@example.com") || strings.Contains(id, l.ID) {
		t.Errorf("message id %q, %v", id, err)
	}
	for _, want := range []struct{ kind, body string }{{"text/plain", l.Text}, {"text/html", l.HTML}} {
		part, err := r.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		kind, params, err := part.Header.(*gomail.InlineHeader).ContentType()
		if err != nil || kind != want.kind || params["charset"] != "utf-8" {
			t.Errorf("%s %v, %v", kind, params, err)
		}
		body, err := io.ReadAll(part.Body)
		if err != nil || strings.ReplaceAll(string(body), "\r\n", "\n") != want.body {
			t.Errorf("%s: %q, %v", kind, body, err)
		}
	}
	if _, err := r.NextPart(); !errors.Is(err, io.EOF) {
		t.Errorf("more parts: %v", err)
	}
}

// The rules are those of RFC 5322 (2.1.1 line length, 3.6 how often a field is
// there), RFC 8058 (3.1 and 5), RFC 2369 (2) and RFC 3834 (5).
func TestComposeHoldsTheRules(t *testing.T) {
	raw, err := Compose(sample())
	if err != nil {
		t.Fatal(err)
	}
	head, _, ok := strings.Cut(string(raw), "\r\n\r\n")
	if !ok {
		t.Fatal("no end of the header")
	}
	for s := bufio.NewScanner(strings.NewReader(string(raw))); s.Scan(); {
		if len(s.Text()) > 998 {
			t.Errorf("a line of %d characters", len(s.Text()))
		}
	}
	if bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) || bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\r")) {
		t.Error("a line end that is not CRLF")
	}
	for i, c := range raw {
		if c > 126 {
			t.Fatalf("byte %d is not ASCII", i)
		}
	}
	for _, line := range strings.Split(head, "\r\n") {
		if len(line) > 76 && !strings.HasPrefix(line, "Content-Type") {
			t.Errorf("%d characters: %s", len(line), line)
		}
	}
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{
		"From": ".+", "To": "^<maija@example.org>$", "Subject": ".+", "MIME-Version": `^1\.0$`,
		"Date":                  `^Sat, 21 Nov 2026 07:00:05 \+0000$`,
		"Message-ID":            `^<[A-Za-z0-9_-]{22}@example\.com>$`,
		"List-Unsubscribe":      `^<https://answer\.example\.com/u/A{22}>$`,
		"List-Unsubscribe-Post": `^List-Unsubscribe=One-Click$`,
		"Auto-Submitted":        `^auto-generated$`,
		"Precedence":            `^bulk$`,
		"Feedback-ID":           `^shop-nps:pulssi:example\.com$`,
		"Content-Language":      `^fi$`,
	} {
		values := e.Header.Values(field)
		if len(values) != 1 || !regexp.MustCompile(want).MatchString(values[0]) {
			t.Errorf("%s: %q", field, values)
		}
	}
}

// Whatever ends the lines of a text, each of them ends once.
func TestLinesEndOnce(t *testing.T) {
	l := sample()
	l.Text, l.HTML = "one\r\ntwo\nthree", "<p>one\r\ntwo\nthree</p>"
	raw, err := Compose(l)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\r\n\r\none\r\ntwo\r\nthree", "<p>one\r\ntwo\r\nthree</p>"} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("there is no %q in\n%q", want, raw)
		}
	}
}

func TestComposeIsStable(t *testing.T) {
	a, err := Compose(sample())
	if err != nil {
		t.Fatal(err)
	}
	b, err := Compose(sample())
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("the same letter is written in two ways (%v)", err)
	}
	l := sample()
	l.ID = strings.Repeat("B", 22)
	c, err := Compose(l)
	if err != nil || strings.Contains(string(c), digest(sample().ID)) {
		t.Errorf("another ask has the same Message-ID (%v)", err)
	}
}

func TestComposeRefuses(t *testing.T) {
	for field, edit := range map[string]func(*Letter){
		"from":        func(l *Letter) { l.From.Name = "A\r\nBcc: x@example.org" },
		"replyTo":     func(l *Letter) { l.ReplyTo = "a@example.com\nBcc: x@example.org" },
		"to":          func(l *Letter) { l.To = "a@example.com\r\nBcc: x@example.org" },
		"subject":     func(l *Letter) { l.Subject = "a\rb" },
		"id":          func(l *Letter) { l.ID = "a\nb" },
		"unsubscribe": func(l *Letter) { l.Unsubscribe = "https://a\n" },
		"stream":      func(l *Letter) { l.Stream = "\x00" },
		"lang":        func(l *Letter) { l.Lang = "fi\n" },
		"message":     func(l *Letter) { l.HTML = strings.Repeat("a", MaxRaw) },
	} {
		l := sample()
		edit(&l)
		_, err := Compose(l)
		if e, ok := errors.AsType[*survey.Error](err); !ok || e.Code != survey.Invalid || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	l := sample()
	l.Unsubscribe = "http://answer.example.com/u/A"
	raw, err := Compose(l)
	if err != nil || strings.Contains(string(raw), "List-Unsubscribe") {
		t.Errorf("unsubscribing in the open: %v", err)
	}
}

// Whatever the fields hold, another reader finds the same headers.
func FuzzCompose(f *testing.F) {
	f.Add("A\r\nBcc: x@example.org", "maija@example.org", "Hei", "fi")
	f.Add("Ö", "a@example.com, b@example.com", "=?utf-8?q?x?=", "")
	f.Fuzz(func(t *testing.T, name, to, subject, lang string) {
		l := sample()
		l.From.Name, l.To, l.Subject, l.Lang = name, to, subject, lang
		raw, err := Compose(l)
		if err != nil {
			return
		}
		e, err := message.Read(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("cannot be read: %v", err)
		}
		if e.Header.Has("Bcc") || len(e.Header.Values("To")) != 1 || len(e.Header.Values("Subject")) != 1 {
			t.Errorf("%q", raw[:min(len(raw), 500)])
		}
	})
}
