package web

import (
	"slices"

	"github.com/pulssi/pulssi/shared/survey"
)

// UnsubscribeTexts are the texts of the page on which a person ends the
// questions, or takes them again.
type UnsubscribeTexts struct {
	Title   string `json:"title"`   // before anything is changed
	Intro   string `json:"intro"`   // what the page is for
	Email   string `json:"email"`   // the choices: no questions by e-mail,
	SMS     string `json:"sms"`     // by SMS,
	All     string `json:"all"`     // or at all
	Stop    string `json:"stop"`    // on the button
	Stopped string `json:"stopped"` // the title where there are no more questions by some channel
	Now     string `json:"now"`     // before the channels by which there are none
	ByEmail string `json:"byEmail"` // a channel in that list
	BySMS   string `json:"bySms"`
	Back    string `json:"back"`    // on the button that takes the questions again
	Resumed string `json:"resumed"` // the title after that
	Again   string `json:"again"`   // what holds then
	Gone    string `json:"gone"`    // nothing is known of the person any more
}

// UnsubscribePage is the page behind the unsubscribe link of a message. It is
// one document that asks for nothing further and has no script.
type UnsubscribePage struct {
	Action string // the path that its forms post to
	Locale string // of the ask
	// Reach are the channels by which the person could be asked, Out those by
	// which they want no questions.
	Reach, Out []survey.Channel
	// Asked is the channel of the message, which is proposed.
	Asked survey.Channel
	// Resumed is whether the person has just taken the questions again.
	Resumed bool
	// Gone is whether there is no such contact any more.
	Gone bool
}

// The names and values of the forms' fields. Everything is a choice of all
// channels.
const (
	UnsubscribeField  = "channel"
	UnsubscribeAction = "action"
	Everything        = "all"
	StopAsking        = "stop"
	AskAgain          = "again"
)

// HTML returns the document.
func (p *UnsubscribePage) HTML() string {
	lang := uiLanguage(p.Locale)
	w := &page{AnswerPage: &AnswerPage{Locale: p.Locale}, texts: In(p.Locale), uiLang: lang, lang: lang}
	t := w.texts.Unsubscribe
	title := t.Title
	switch {
	case p.Resumed:
		title = t.Resumed
	case p.Gone || len(p.Out) > 0:
		title = t.Stopped
	}
	w.head(w.ui(title))
	w.element("h1", "", w.ui(title))
	switch {
	case p.Gone:
		w.element("p", "", w.ui(t.Gone))
	case p.Resumed:
		w.element("p", "", w.ui(t.Again))
	case len(p.Out) > 0:
		w.element("p", "", w.ui(t.Now))
		w.put("<ul>")
		for _, ch := range p.Out {
			w.element("li", "", w.ui(w.channel(ch)))
		}
		w.put("</ul>")
	default:
		w.element("p", "", w.ui(t.Intro))
	}
	if left := slices.DeleteFunc(slices.Clone(p.Reach), func(ch survey.Channel) bool { return slices.Contains(p.Out, ch) }); !p.Gone && len(left) > 0 {
		w.stop(p, left)
	}
	if !p.Gone && len(p.Out) > 0 {
		w.put(`<form method="post" action="`)
		w.add(p.Action)
		w.put(`">`)
		w.hidden(UnsubscribeAction, AskAgain)
		w.hidden(UnsubscribeField, Everything)
		w.element("button", ` class="second"`, w.ui(t.Back))
		w.put("</form>")
	}
	w.put("</main></body></html>")
	return w.String()
}

func (w *page) channel(ch survey.Channel) string {
	if ch == survey.SMS {
		return w.texts.Unsubscribe.BySMS
	}
	return w.texts.Unsubscribe.ByEmail
}

// stop writes the form that ends the questions by one of the channels, or by
// all where there are several.
func (w *page) stop(p *UnsubscribePage, left []survey.Channel) {
	t := w.texts.Unsubscribe
	w.put(`<form method="post" action="`)
	w.add(p.Action)
	w.put(`"><fieldset class="choices">`)
	w.element("legend", "", w.ui(t.Title))
	chosen := string(left[0])
	if slices.Contains(left, p.Asked) {
		chosen = string(p.Asked)
	}
	choices := []struct{ value, text string }{}
	for _, ch := range left {
		text := t.Email
		if ch == survey.SMS {
			text = t.SMS
		}
		choices = append(choices, struct{ value, text string }{string(ch), text})
	}
	if len(left) > 1 {
		choices = append(choices, struct{ value, text string }{Everything, t.All})
	}
	for _, c := range choices {
		w.put(`<label><input type="radio" name="`, UnsubscribeField, `" required value="`, c.value, `"`)
		if c.value == chosen {
			w.put(" checked")
		}
		w.put("> ")
		w.element("span", "", w.ui(c.text))
		w.put("</label>")
	}
	w.put("</fieldset>")
	w.hidden(UnsubscribeAction, StopAsking)
	w.element("button", "", w.ui(t.Stop))
	w.put("</form>")
}
