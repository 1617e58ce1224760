package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // of the script and the style
	"encoding/base64"
	"encoding/json"
	"html"
	"slices"
	"strconv"
	"strings"

	"github.com/pulssi/pulssi/shared/survey"
)

// PageTexts are the texts of the answer page. {n}, {low} and {high} stand for
// numbers.
type PageTexts struct {
	Send       string `json:"send"`       // on the button before there is an answer,
	Add        string `json:"add"`        // after it,
	Save       string `json:"save"`       // and after a comment
	Confirm    string `json:"confirm"`    // asks to press the button where the answer is chosen and not sent
	Comment    string `json:"comment"`    // what is asked next before there is an answer
	Optional   string `json:"optional"`   // beside it
	Thanks     string `json:"thanks"`     // where the touchpoint has no thanks of its own
	Saved      string `json:"saved"`      // beside the answer
	Current    string `json:"current"`    // instead of it on a later visit
	Change     string `json:"change"`     // says that the answer can be changed later
	Offline    string `json:"offline"`    // the answer did not arrive yet
	Left       string `json:"left"`       // counts the characters of the comment: n are left
	Over       string `json:"over"`       // n are too many
	Choose     string `json:"choose"`     // no answer is chosen
	Scale      string `json:"scale"`      // the answer is not from low to high
	TooLong    string `json:"tooLong"`    // the comment is
	Unreadable string `json:"unreadable"` // the comment has characters that cannot be stored
	Yours      string `json:"yours"`      // before an answer that can no longer be changed
	Unsaved    string `json:"unsaved"`    // before a comment that was not taken and cannot be sent from here
	NotFound   string `json:"notFound"`   // titles of pages without a question
	Closed     string `json:"closed"`
	Failed     string `json:"failed"`
}

//go:embed dist/answer.css
var answerStyle string

//go:embed dist/answer.js
var answerScript string

// icon is the mark of a page in the browser's tab: with one of its own, the
// browser asks for no other.
const icon = `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='9' fill='%231f5fd0'/%3E%3Cpath d='M5 17h6l3-8 5 15 3-7h5' fill='none' stroke='%23fff' stroke-width='3' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E`

// AnswerPolicy is the Content-Security-Policy of the answer page: its own
// script and style, by their hashes, requests to its own host, and nothing
// else.
var AnswerPolicy = "default-src 'none'; script-src " + hashOf(answerScript) + "; style-src " + hashOf(answerStyle) +
	"; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// AnswerPage is the page on which a person answers one question, or what is
// left to say where nobody can. It is one document that asks for nothing
// further, and a form that works without its script.
type AnswerPage struct {
	// Touchpoint is what is asked; nil for a page without a question, which
	// says thanks or what went wrong.
	Touchpoint *survey.Touchpoint
	// Action is the path that the form posts to.
	Action string
	// Locale is the language of the visitor. The texts that are the
	// touchpoint's fall back as it says, Pulssi's own to English.
	Locale string

	Score   *int   // what is chosen; nil for nothing
	Comment string // what is written
	// Trust is that of the answer that is stored, "" for none. It need not be
	// Score and Comment.
	Trust survey.Trust
	// Stored says that Score and Comment are what is stored.
	Stored bool
	// Auto makes the script report Score without waiting for the person.
	Auto bool
	// Thanks is whether the answer has just been taken.
	Thanks bool
	// Error is what went wrong; nil for nothing.
	Error *survey.Error
	// Closed shows Score and Comment, where there are any, and no form.
	Closed bool
	// Unsaved is a comment that was sent and could not be taken, shown where
	// there is no form to keep it in.
	Unsaved string

	// Unsubscribe is the path of the page that ends the questions, "" for no
	// link to it.
	Unsubscribe string

	// Vote makes the page one of a public link; nil for an ask's.
	Vote *VotePage

	// Example makes the page a picture of itself: it has no script, and the
	// browser lets it send and load nothing, wherever it is shown.
	Example bool
}

// examplePolicy is the Content-Security-Policy of a page that is an example.
var examplePolicy = "default-src 'none'; style-src " + hashOf(answerStyle) + "; img-src data:; form-action 'none'; base-uri 'none'"

// VotePage is what a page of a public link sends beside the answer.
type VotePage struct {
	ID  string // for a form sent without the script, which makes its own
	Ref string
}

// page writes an AnswerPage.
type page struct {
	*AnswerPage
	bytes.Buffer
	texts  *Texts
	lang   string // of the document
	uiLang string // of Pulssi's own texts
}

// HTML returns the document.
func (p *AnswerPage) HTML() string {
	w := &page{AnswerPage: p, texts: In(p.Locale), uiLang: uiLanguage(p.Locale)}
	w.lang = w.uiLang
	if p.Touchpoint != nil {
		w.lang = w.own(p.Touchpoint.Question).lang
	}
	w.document()
	return w.String()
}

// uiLanguage returns the language of [In].
func uiLanguage(locale string) string {
	if l := survey.Language(locale); slices.Contains(Locales(), l) {
		return l
	}
	return "en"
}

// phrase is a text and the language it is in.
type phrase struct{ text, lang string }

// ui is a text of Pulssi's own.
func (w *page) ui(text string) phrase { return phrase{text, w.uiLang} }

// own is a text of the touchpoint, as [survey.Text.In] chooses it, with the
// language it turned out to be in. Where there is none, it is empty.
func (w *page) own(t survey.Text) phrase {
	for _, l := range append([]string{w.Locale, survey.Language(w.Locale)}, w.Touchpoint.Locales...) {
		if t[l] != "" {
			return phrase{t[l], l}
		}
	}
	return phrase{"", w.uiLang}
}

// ownOr is a text of the touchpoint, or one of Pulssi's where it has none.
func (w *page) ownOr(t survey.Text, text string) phrase {
	if p := w.own(t); p.text != "" {
		return p
	}
	return w.ui(text)
}

// put writes markup, and add text, which is escaped, for content as for the
// value of an attribute in double quotes.
func (w *page) put(parts ...string) {
	for _, s := range parts {
		w.WriteString(s)
	}
}

func (w *page) add(text string) { w.WriteString(html.EscapeString(text)) }

// element writes an element that holds a phrase. Its language and direction
// are told where they are not the document's.
func (w *page) element(name, attributes string, p phrase) {
	w.put("<", name, attributes)
	if p.lang != w.lang {
		w.language(p.lang)
	}
	w.put(">")
	w.add(p.text)
	w.put("</", name, ">")
}

func (w *page) language(l string) {
	w.put(` lang="`)
	w.add(l)
	w.put(`" dir="`, Direction(l), `"`)
}

// Direction returns in which direction the language of a locale is written in
// its usual script, as the attribute dir names it: "rtl" or "ltr" (Unicode CLDR,
// characterOrder).
func Direction(locale string) string {
	if slices.Contains([]string{"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"}, survey.Language(locale)) {
		return "rtl"
	}
	return "ltr"
}

func (w *page) document() {
	title := w.title()
	w.head(title)
	w.content(title)
	if w.Unsubscribe != "" {
		w.put(`<p class="later"><a href="`)
		w.add(w.Unsubscribe)
		w.put(`">`)
		w.element("span", "", w.ui(w.texts.Unsubscribe.Title))
		w.put("</a></p>")
	}
	w.put("</main>")
	if w.asks() && !w.Example {
		w.put(`<script type="application/json" id="data">`)
		w.data()
		w.put("</script><script>", answerScript, "</script>")
	}
	w.put("</body></html>")
}

// head writes everything before the content.
func (w *page) head(title phrase) {
	w.put("<!doctype html><html")
	w.language(w.lang)
	w.put(`><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">`,
		`<link rel="icon" href="`, icon, `">`)
	if w.Example {
		w.put(`<meta http-equiv="content-security-policy" content="`, examplePolicy, `">`)
	}
	w.element("title", "", title)
	w.put("<style>", answerStyle, "</style></head><body><main>")
}

// button is what the button does with the answer as it is stored.
func (w *page) button() string {
	switch t := w.texts.Page; {
	case !w.Stored:
		return t.Send
	case w.Comment == "":
		return t.Add
	default:
		return t.Save
	}
}

// asks reports whether the page has a form.
func (w *page) asks() bool { return w.Touchpoint != nil && !w.Closed }

// title is the question, or what happened where there is none to answer.
func (w *page) title() phrase {
	switch t := w.texts.Page; {
	case w.asks():
		return w.own(w.Touchpoint.Question)
	case w.Closed:
		return w.ui(t.Closed)
	case w.Thanks:
		return w.ui(t.Thanks)
	case w.Error != nil && w.Error.Code == survey.NotFound:
		return w.ui(t.NotFound)
	default:
		return w.ui(t.Failed)
	}
}

func (w *page) content(title phrase) {
	if w.asks() {
		w.thanks()
		w.alert()
		w.form(title)
		return
	}
	w.element("h1", "", title)
	if w.Thanks {
		w.element("p", "", w.ui(w.texts.Page.Saved))
		w.element("p", ` class="soft later"`, w.ui(w.texts.Page.Change))
	}
	if w.Error != nil {
		code := w.Error.Code
		if code == survey.Invalid && (w.Error.Field == "id" || w.Error.Field == "touchpoint") {
			code = survey.NotFound // the link is broken: there is nothing that the visitor could mend
		}
		w.element("p", "", w.ui(w.texts.Errors[code]))
		w.rule()
	}
	if w.Closed && w.Score != nil {
		w.last()
	}
	if w.Unsaved != "" {
		w.element("p", ` class="soft later"`, w.ui(w.texts.Page.Unsaved))
		w.quote(w.Unsaved)
	}
}

// rule names the field and the rule that was broken, or the request that
// failed: what the person can tell whoever made the link.
func (w *page) rule() {
	switch w.Error.Code {
	case survey.Invalid, survey.UnknownField, survey.Internal:
		w.element("small", "", phrase{w.Error.Message, "en"})
	}
}

// last shows an answer that can no longer be changed.
func (w *page) last() {
	w.element("p", ` class="soft later"`, w.own(w.Touchpoint.Question))
	w.put("<p>")
	w.element("span", "", w.ui(w.texts.Page.Yours+": "))
	w.element("strong", "", w.name(*w.Score))
	w.put("</p>")
	if w.Comment != "" {
		w.quote(w.Comment)
	}
}

func (w *page) quote(comment string) {
	w.put(`<blockquote dir="auto">`)
	w.add(comment)
	w.put("</blockquote>")
}

func (w *page) thanks() {
	w.put(`<div class="thanks" id="thanks" tabindex="-1"`)
	if !w.Thanks {
		w.put(" hidden")
	}
	w.put(">", drawing(tick, ""))
	w.element("p", "", w.ownOr(w.Touchpoint.Thanks, w.texts.Page.Thanks))
	w.put("</div>")
}

// alert says what was wrong with what was sent.
func (w *page) alert() {
	if w.Error == nil {
		return
	}
	w.put(`<div class="alert" role="alert">`)
	w.element("p", "", w.ui(w.explain()))
	if w.Error.Field != "score" && w.Error.Field != "comment" {
		w.rule()
	}
	w.put("</div>")
}

// explain says an error in the visitor's language.
func (w *page) explain() string {
	t := w.texts.Page
	switch {
	case w.Error.Code != survey.Invalid:
	case w.Error.Field == "score" && drawn(w.Touchpoint.Metric):
		return t.Choose
	case w.Error.Field == "score":
		return w.scaleRule()
	case w.Error.Field == "comment" && len([]rune(w.Comment)) > survey.MaxComment:
		return t.TooLong
	case w.Error.Field == "comment":
		return t.Unreadable
	}
	return w.texts.Errors[w.Error.Code]
}

func (w *page) scaleRule() string {
	low, high := w.Touchpoint.Metric.Scale()
	return strings.NewReplacer("{low}", strconv.Itoa(low), "{high}", strconv.Itoa(high)).Replace(w.texts.Page.Scale)
}

func (w *page) form(question phrase) {
	w.put(`<form method="post" autocomplete="off" action="`)
	w.add(w.Action)
	w.put(`">`, "<fieldset><legend>")
	w.element("h1", "", question)
	w.put("</legend>")
	w.scale()
	w.put("</fieldset>")
	w.note()
	w.comment()
	if v := w.Vote; v != nil {
		w.hidden("id", v.ID)
		w.hidden("locale", w.Locale)
		w.hidden("ref", v.Ref)
	}
	w.element("button", "", w.ui(w.button()))
	w.put("</form>")
	if w.Vote == nil {
		hide := ""
		if !w.Stored {
			hide = " hidden"
		}
		w.element("p", ` class="soft later" id="later"`+hide, w.ui(w.texts.Page.Change))
	}
}

func (w *page) hidden(name, value string) {
	if value == "" {
		return
	}
	w.put(`<input type="hidden" name="`, name, `" value="`)
	w.add(value)
	w.put(`">`)
}

// note is the line on which the answer's fate is told, by the page and then
// by its script.
func (w *page) note() {
	t := w.texts.Page
	class, text := "note", ""
	switch {
	case w.Error != nil:
	case w.Stored && !w.Thanks:
		class, text = "note good", t.Current
	}
	w.put(`<div class="`, class, `" id="note" role="status">`, drawing(tick, ""))
	w.element("span", "", w.ui(text))
	if text == "" && w.Score != nil && w.Error == nil {
		w.put("<noscript>")
		w.element("span", "", w.ui(t.Confirm))
		w.put("</noscript>")
	}
	w.put("</div>")
}

func (w *page) comment() {
	t := w.texts.Page
	class := "more"
	if w.Comment != "" {
		class = "more typed"
	}
	w.put(`<div class="`, class, `"><label for="comment">`)
	w.element("span", ` id="ask"`, w.followup())
	w.put(" ")
	w.element("span", ` class="soft"`, w.ui("("+t.Optional+")"))
	w.put(`</label><textarea id="comment" name="comment" rows="4" dir="auto" aria-describedby="count"`)
	if w.Error != nil && w.Error.Field == "comment" {
		w.put(` aria-invalid="true"`)
	}
	w.put(">\n") // a newline of the comment's own stays
	w.add(w.Comment)
	w.put(`</textarea><p class="soft" id="count"></p></div>`)
}

// followup is what is asked after the answer that is chosen.
func (w *page) followup() phrase {
	if w.Score == nil {
		return w.ui(w.texts.Page.Comment)
	}
	return w.question(w.Touchpoint.Metric.Category(*w.Score))
}

// question is what is asked after an answer of a category.
func (w *page) question(c survey.Category) phrase {
	t := w.Touchpoint
	if text := w.texts.Metrics[t.Metric].Followup[c]; text != "" {
		return w.ownOr(t.Followup[c], text)
	}
	return w.ui(w.texts.Page.Comment)
}

// answerData is what the script knows; see shared/web/src/answer.ts.
type answerData struct {
	Auto     bool         `json:"auto,omitempty"`
	Trust    survey.Trust `json:"trust,omitempty"`
	Stored   bool         `json:"stored,omitempty"`
	Max      int          `json:"max"`
	Low      int          `json:"low"`
	Followup [][2]string  `json:"followup"` // text and language by answer, from the lowest
	Vote     *voteData    `json:"vote,omitempty"`
	Texts    scriptTexts  `json:"texts"`
}

type voteData struct {
	URL    string `json:"url"`
	Locale string `json:"locale"`
	Ref    string `json:"ref,omitempty"`
}

type scriptTexts struct {
	Send    string `json:"send"`
	Add     string `json:"add"`
	Save    string `json:"save"`
	Saved   string `json:"saved"`
	Confirm string `json:"confirm"`
	Offline string `json:"offline"`
	Left    string `json:"left"`
	Over    string `json:"over"`
	Choose  string `json:"choose"`
	TooLong string `json:"tooLong"`
	Bad     string `json:"bad"`
	Closed  string `json:"closed"`
	Failed  string `json:"failed"`
}

func (w *page) data() {
	t, m := w.texts.Page, w.Touchpoint.Metric
	low, high := m.Scale()
	d := answerData{
		Auto: w.Auto, Trust: w.Trust, Stored: w.Stored, Max: survey.MaxComment, Low: low,
		Texts: scriptTexts{
			t.Send, t.Add, t.Save, t.Saved, t.Confirm, t.Offline, t.Left, t.Over, t.Choose, t.TooLong, t.Unreadable,
			w.texts.Errors[survey.Closed], w.texts.Errors[survey.Internal],
		},
	}
	for s := low; s <= high; s++ {
		q := w.question(m.Category(s))
		d.Followup = append(d.Followup, [2]string{q.text, q.lang})
	}
	if v := w.Vote; v != nil {
		d.Vote = &voteData{"/v/" + w.Touchpoint.ID, w.Locale, v.Ref}
	}
	b, err := json.Marshal(d) // escapes <, > and &, so that no text ends the script
	if err != nil {
		panic("web: data that is no JSON: " + err.Error()) // a type of ours
	}
	w.Write(b)
}
