package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// MaxRaw is the most bytes of one e-mail that SES sends without being asked
// for more (Amazon SES quotas: 40 MB after encoding). A letter has some ten
// thousand; what comes near is a mistake.
const MaxRaw = 1 << 20

// Letter is one e-mail before it is composed. From, To, Subject, HTML, Text, ID
// and Date must be given.
type Letter struct {
	From    mail.Address // the company, at a verified address
	ReplyTo string       // where answers go; From where empty
	To      string
	Subject string
	HTML    string
	Text    string
	Lang    string // language of the text
	// ID makes the Message-ID, always the same one of the same ask. It is told
	// hashed: who has an ask's id can answer it.
	ID string
	// Unsubscribe is the address that a mail program posts to where the reader
	// wants no more (RFC 8058); https only, none otherwise.
	Unsubscribe string
	// Stream names the kind of message for feedback loops and filters: the
	// touchpoint.
	Stream string
	Date   time.Time
}

// Compose writes the e-mail (RFC 5322, 2045, 2046) with a text and an HTML
// part. No field can break out of its header: line ends and other control
// characters are refused with a [survey.Invalid] error that names the field,
// and so is an e-mail over [MaxRaw] bytes.
func Compose(l Letter) ([]byte, error) {
	for _, f := range []struct{ name, value string }{
		{"from", l.From.Name + l.From.Address}, {"replyTo", l.ReplyTo}, {"to", l.To}, {"subject", l.Subject},
		{"id", l.ID}, {"unsubscribe", l.Unsubscribe}, {"stream", l.Stream}, {"lang", l.Lang},
	} {
		if strings.ContainsFunc(f.value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, survey.Errorf(survey.Invalid, f.name, "%s must not contain control characters", f.name)
		}
	}
	var b bytes.Buffer
	header := func(name, value string) { b.WriteString(fold(name+": "+value) + "\r\n") }
	_, domain, _ := strings.Cut(l.From.Address, "@")
	token := digest(l.ID)
	header("From", l.From.String())
	header("To", (&mail.Address{Address: l.To}).String())
	if l.ReplyTo != "" {
		header("Reply-To", (&mail.Address{Address: l.ReplyTo}).String())
	}
	header("Subject", mime.QEncoding.Encode("utf-8", l.Subject))
	header("Date", l.Date.UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000"))
	header("Message-ID", "<"+token+"@"+domain+">")
	// Nobody's holiday notice shall answer it (RFC 3834; Precedence and
	// X-Auto-Response-Suppress are for those who do not know that one).
	header("Auto-Submitted", "auto-generated")
	header("Precedence", "bulk")
	header("X-Auto-Response-Suppress", "All")
	if strings.HasPrefix(l.Unsubscribe, "https://") || strings.HasPrefix(l.Unsubscribe, "http://localhost") {
		header("List-Unsubscribe", "<"+l.Unsubscribe+">")
		header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	if l.Stream != "" {
		header("Feedback-ID", l.Stream+":pulssi:"+domain)
	}
	if l.Lang != "" {
		header("Content-Language", l.Lang)
	}
	header("MIME-Version", "1.0")
	parts := multipart.NewWriter(&b)
	if err := parts.SetBoundary("pulssi-" + token); err != nil {
		return nil, fmt.Errorf("composing an e-mail: %w", err)
	}
	header("Content-Type", `multipart/alternative; boundary="`+parts.Boundary()+`"`)
	b.WriteString("\r\n")
	for _, p := range []struct{ kind, body string }{{"text/plain", l.Text}, {"text/html", l.HTML}} {
		w, err := parts.CreatePart(textproto.MIMEHeader{
			"Content-Type":              {p.kind + "; charset=utf-8"},
			"Content-Transfer-Encoding": {"quoted-printable"},
		})
		if err != nil {
			return nil, fmt.Errorf("composing an e-mail: %w", err)
		}
		q := quotedprintable.NewWriter(w)
		if _, err := io.WriteString(q, p.body); err != nil {
			return nil, fmt.Errorf("composing an e-mail: %w", err)
		}
		if err := q.Close(); err != nil {
			return nil, fmt.Errorf("composing an e-mail: %w", err)
		}
	}
	if err := parts.Close(); err != nil {
		return nil, fmt.Errorf("composing an e-mail: %w", err)
	}
	if b.Len() > MaxRaw {
		return nil, survey.Errorf(survey.Invalid, "message", "the e-mail has %d bytes, and at most %d are sent", b.Len(), MaxRaw)
	}
	return b.Bytes(), nil
}

func digest(id string) string {
	sum := sha256.Sum256([]byte(id))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// fold breaks a header at its spaces, so that no line has more than 76
// characters where that can be (RFC 2047, section 2; RFC 5322, section 2.2.3).
func fold(line string) string {
	const limit = 76
	var out strings.Builder
	for len(line) > limit {
		at := strings.LastIndexByte(line[:limit+1], ' ')
		if at <= 0 {
			if at = strings.IndexByte(line[1:], ' ') + 1; at == 0 {
				break
			}
		}
		out.WriteString(line[:at] + "\r\n")
		line = line[at:]
	}
	return out.String() + line
}
