package message

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pulssi/pulssi/shared/gsm"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/web"
)

// Letter is one ask to one person, ready to be written in their language. The
// zero values of About, At and Event are those of an ask in a cadence.
type Letter struct {
	Ask        string // id
	Touchpoint *survey.Touchpoint
	Contact    *survey.Contact
	Locale     string // of the contact; the touchpoint's first where empty
	Link       string // where customers reach Pulssi, https://answer.example.com
	Company    string // who asks
	Postal     string // their address
	Event      string // the business event's type
	About      string // what it was about
	At         time.Time
	Zone       *time.Location // of the contact, in which At is told
	Reminder   bool
	// Replies is whether text messages can be replied to: a touchpoint that asks
	// for a reply has a link otherwise.
	Replies bool
}

// Written is a letter as it is sent by e-mail, or, with nothing but Text, by
// SMS.
type Written struct {
	Subject string
	HTML    string
	Text    string
	// Reply is whether an SMS asks for a reply.
	Reply bool
	// Lang is the language that Pulssi's own texts are in.
	Lang string
}

// MaxHTML is the most bytes of an e-mail's HTML. Gmail clips what is over
// 102 kB; a letter is far smaller whatever a touchpoint says in it.
const MaxHTML = 40_000

//go:embed letter.html
var letterSource string

// letterTemplate is read when first asked for, by Email.
var letterTemplate = template.Must(template.New("letter").Funcs(template.FuncMap{
	// Outlook for Windows lays out with Word: it is given tables of fixed
	// width, which all others take for comments.
	"mso": func(html string) template.HTML { return template.HTML("<!--[if mso]>" + html + "<![endif]-->") },
}).Parse(letterSource))

// letterData is what letter.html shows.
type letterData struct {
	Lang, Dir, Subject, Preheader, Padding, Company, Question, QuestionLang, Hint string
	Opening, Closing                                                              []string
	Low, High, Signature, Why, Unsubscribe, UnsubscribeText, Postal               string
	// Scores are in groups, which stand beside each other where there is room
	// and below each other on a phone.
	Scores [][]letterScore
	// EndsWidth is how wide what the ends of the scale mean is told, in pixels.
	EndsWidth int
	EndsTable string
}

type letterScore struct {
	Link, Face, Name, Cell string
	Width, Pad, Size       int // at least; beside the face; of the face: in pixels
}

// maxGroup is how many scores a phone of 320 pixels shows side by side.
const maxGroup = 6

// preheaderPadding keeps the mail program's list from going on with the text
// after the preheader: characters without width that it does not trim.
var preheaderPadding = strings.Repeat("\u00a0\u200c", 60)

// Email writes the letter as an e-mail. The error is [survey.Invalid] where
// the HTML is over [MaxHTML] bytes.
func (l Letter) Email() (Written, error) {
	if l.Company == "" {
		_, l.Company, _ = strings.Cut(l.Link, "://")
	}
	w := l.words()
	t := l.Touchpoint
	own := web.In(w.lang)
	low, high := t.Metric.Scale()
	lowText, highText := w.ends()
	d := letterData{
		Lang: w.lang, Dir: web.Direction(w.lang), Subject: l.subject(w), Padding: preheaderPadding,
		Preheader: orElse(w.fill(w.message(func(m *survey.Message) survey.Text { return m.Preheader })), w.texts.Preheader),
		Company:   l.Company, Postal: l.Postal, Question: w.own(t.Question), Hint: w.texts.Hint, Opening: l.opening(w),
		Closing: l.closing(w), Signature: w.fill(w.texts.Signature), Why: w.fill(w.texts.Why),
		UnsubscribeText: w.texts.Unsubscribe,
	}
	if l.Contact.ID != "" {
		d.Unsubscribe = l.Link + "/u/" + l.Ask
	}
	if lang := w.langOf(t.Question); lang != w.lang {
		d.QuestionLang = lang
	}
	switch t.Metric {
	case survey.Thumbs: // its answers are words
	case survey.Smiley:
		d.Low, d.High = lowText, highText
	case survey.NPS, survey.CSAT, survey.CES, survey.CES5:
		d.Low, d.High = named(low, lowText), named(high, highText)
	}
	var all []letterScore
	for _, s := range web.Scores(t.Metric) {
		all = append(all, l.score(s, own.Metrics[t.Metric], lowText, highText))
	}
	d.EndsWidth = max(288, len(all)*(all[0].Width+2)) // as wide as the row, or a phone
	d.EndsTable = fmt.Sprintf(`<table role="presentation" width="%d" cellpadding="0" cellspacing="0" border="0"><tr><td>`, d.EndsWidth)
	rows := (len(all) + maxGroup - 1) / maxGroup
	d.Scores = slices.Collect(slices.Chunk(all, (len(all)+rows-1)/rows))
	var b bytes.Buffer
	if err := letterTemplate.Execute(&b, d); err != nil {
		return Written{}, fmt.Errorf("writing an e-mail to contact %s: %w", survey.Fingerprint(l.Contact.ID), err)
	}
	if b.Len() > MaxHTML {
		return Written{}, survey.Errorf(survey.Invalid, "message", "the e-mail of %s has %d bytes of HTML, and at most %d are sent", t.ID, b.Len(), MaxHTML)
	}
	return Written{Subject: d.Subject, HTML: b.String(), Text: l.plain(w, d), Lang: w.lang}, nil
}

// named is a score and what it means.
func named(score int, text string) string { return strconv.Itoa(score) + ": " + text }

// score is one answer as a link.
func (l Letter) score(s int, texts web.MetricTexts, lowText, highText string) letterScore {
	low, high := l.Touchpoint.Metric.Scale()
	name := texts.Answers[s-low]
	switch s {
	case low:
		name = lowText
	case high:
		name = highText
	}
	out := letterScore{Link: l.link(s), Face: strconv.Itoa(s), Name: named(s, name), Width: 44, Size: 18}
	switch l.Touchpoint.Metric {
	case survey.NPS:
		if low < s && s < high {
			out.Name = name // "7 of 10": it has the score in it
		}
	case survey.Smiley: // drawn by the reader's own font, so that there is no image to block
		out.Face, out.Name, out.Width, out.Size = [...]string{"😠", "🙁", "🙂", "😀"}[s-low], name, 64, 26
	case survey.Thumbs:
		out.Face, out.Name, out.Width, out.Pad = name, name, 120, 16
	case survey.CSAT, survey.CES, survey.CES5:
	}
	out.Cell = fmt.Sprintf(`<td width="%d" height="48" align="center" bgcolor="#eaf3fc">`, out.Width)
	return out
}

func (l Letter) link(score int) string {
	return l.Link + "/a/" + l.Ask + "?s=" + strconv.Itoa(score)
}

func (l Letter) subject(w words) string {
	s := orElse(w.fill(w.message(func(m *survey.Message) survey.Text { return m.Subject })), w.fill(w.texts.Subject))
	if l.Reminder {
		s = strings.ReplaceAll(w.texts.Reminder, "{subject}", s)
	}
	return oneLine(s)
}

// opening is what is said before the question.
func (l Letter) opening(w words) []string {
	out := []string{w.fill(w.texts.Greeting)}
	if l.Reminder {
		out = append(out, w.texts.Remind)
	}
	if own := w.fill(w.message(func(m *survey.Message) survey.Text { return m.Opening })); own != "" {
		return append(out, paragraphs(own)...)
	}
	reason := "cadence"
	if l.Event != "" {
		reason = l.Event
		if l.About != "" {
			reason += "/about"
		}
	}
	return append(out, w.fill(orElse(w.texts.Reasons[reason], w.texts.Reasons["other"])))
}

// closing is what is said after the scale.
func (l Letter) closing(w words) []string {
	var out []string
	if news := w.fill(w.message(func(m *survey.Message) survey.Text { return m.News })); news != "" {
		out = append(out, paragraphs(news)...)
	}
	return append(out, w.texts.Thanks)
}

// paragraphs are the lines of a text.
func paragraphs(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = oneLine(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// plain is the e-mail for those who read text.
func (l Letter) plain(w words, d letterData) string {
	var b strings.Builder
	for _, p := range d.Opening {
		b.WriteString(p + "\n\n")
	}
	b.WriteString(d.Question + "\n\n" + w.texts.Plain.Answer + "\n")
	for _, s := range slices.Concat(d.Scores...) {
		b.WriteString(s.Name + "\n" + s.Link + "\n")
	}
	b.WriteString("\n")
	for _, p := range d.Closing {
		b.WriteString(p + "\n\n")
	}
	b.WriteString(d.Signature + "\n\n--\n" + d.Why + "\n")
	if d.Unsubscribe != "" {
		b.WriteString(w.texts.Plain.Unsubscribe + "\n" + d.Unsubscribe + "\n")
	}
	b.WriteString(d.Company)
	if d.Postal != "" {
		b.WriteString(", " + d.Postal)
	}
	return b.String() + "\n"
}

// SMS writes the letter as an SMS: the question and a link, or, where the
// touchpoint asks for a reply, how to answer. Where it would not fit in
// [gsm.MaxParts] parts, because a name or the thing it is about is long or in
// another alphabet, those are left out.
func (l Letter) SMS() Written {
	out := l.sms()
	if gsm.Measure(out.Text).Parts > gsm.MaxParts {
		anybody := *l.Contact
		anybody.FirstName = ""
		l.Contact, l.About = &anybody, ""
		out = l.sms()
	}
	return out
}

func (l Letter) sms() Written {
	w := l.words()
	t := l.Touchpoint
	low, high := t.Metric.Scale()
	question := w.fill(w.message(func(m *survey.Message) survey.Text { return m.SMS }))
	ends := "" // own words say themselves what the numbers mean
	if question == "" {
		lowText, highText := w.ends()
		question, ends = w.own(t.Question), named(low, lowText)+", "+named(high, highText)+"."
	}
	form, reply := w.texts.SMS.Ask, l.Replies && t.Message != nil && t.Message.Reply
	if reply {
		form = w.texts.SMS.Reply
	}
	text := strings.NewReplacer(
		"{company}", l.Company, "{question}", question, "{ends}", ends, "{link}", l.Link+"/a/"+l.Ask,
		"{low}", strconv.Itoa(low), "{high}", strconv.Itoa(high),
	).Replace(form)
	text = strings.TrimPrefix(oneLine(text), ": ")
	if l.Reminder {
		text = strings.ReplaceAll(w.texts.Reminder, "{subject}", text)
	}
	return Written{Text: gsm.Plain(text), Lang: w.lang, Reply: reply}
}

// words are the texts of one letter.
type words struct {
	letter Letter
	lang   string // of Pulssi's own texts
	texts  *texts
	values map[string]string
}

func (l Letter) words() words {
	// A message is in one language: where the question is in another, all of it is.
	if !slices.ContainsFunc(l.Touchpoint.Locales, func(has string) bool { return survey.Language(has) == survey.Language(l.Locale) }) {
		l.Locale = l.Touchpoint.Locales[0]
	}
	w := words{letter: l, lang: survey.Language(l.Locale)}
	if !known(w.lang) {
		w.lang = fallback
	}
	w.texts = in(w.lang)
	w.values = map[string]string{"firstName": oneLine(l.Contact.FirstName), "company": l.Company, "about": oneLine(l.About)}
	if !l.At.IsZero() {
		w.values["date"] = day(w.lang, l.At.In(l.Zone))
	}
	return w
}

// own returns a text of the touchpoint's, in the letter's language or the
// first that it has.
func (w words) own(t survey.Text) string { return t.In(w.letter.Locale, w.letter.Touchpoint.Locales) }

// langOf returns the language of what own returns.
func (w words) langOf(t survey.Text) string {
	for _, l := range append([]string{w.letter.Locale, survey.Language(w.letter.Locale)}, w.letter.Touchpoint.Locales...) {
		if t[l] != "" {
			return survey.Language(l)
		}
	}
	return w.lang
}

// ends are what the lowest and the highest answer mean.
func (w words) ends() (low, high string) {
	t := w.letter.Touchpoint
	own := web.In(w.lang).Metrics[t.Metric]
	return orElse(w.own(t.Low), own.Low), orElse(w.own(t.High), own.High)
}

// message returns a text of the touchpoint's message, "" where there is none.
func (w words) message(of func(*survey.Message) survey.Text) string {
	if m := w.letter.Touchpoint.Message; m != nil {
		return w.own(of(m))
	}
	return ""
}

func (w words) fill(text string) string { return survey.Fill(text, w.values) }

func orElse(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

// oneLine keeps what somebody wrote on one line: no header and no text message
// can be broken up with it.
func oneLine(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	return strings.Join(strings.Fields(s), " ")
}

// day writes a day as it is written in a language.
func day(lang string, t time.Time) string {
	switch lang {
	case "fi":
		return t.Format("2.1.2006")
	case "sv":
		return fmt.Sprintf("den %d %s %d", t.Day(), swedishMonths[t.Month()-1], t.Year())
	default:
		return t.Format("2 January 2006")
	}
}

var swedishMonths = [...]string{"januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december"}
