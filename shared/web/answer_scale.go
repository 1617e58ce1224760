package web

import (
	"fmt"
	"strconv"

	"github.com/pulssi/pulssi/shared/survey"
)

// The drawings: each one path on a field of 32 by 32, in lines of the text's
// colour.
const (
	star  = "M16 3.5l3.9 8 8.8 1.2-6.4 6.2 1.5 8.7L16 23.5l-7.8 4.1 1.5-8.7-6.4-6.2 8.8-1.2z"
	thumb = "M10 14l5-11c2 0 3.5 1.5 3.5 3.5V12H25c2 0 3.4 1.6 3 3.5l-1.8 9.7A3.4 3.4 0 0 1 23 28H10M4.5 14H10v14H4.5z"
	tick  = "M16 2.5a13.5 13.5 0 1 0 .01 0zM10 16.5l4.5 4.5 8-9"
)

// faces are the smileys, from the saddest to the happiest. They differ by more
// than the bend of the mouth, which alone is hard to see.
var faces = [...]string{
	head + "M9.5 13.5l3.8-2M22.5 13.5l-3.8-2M10 23.5q6-8 12 0",
	head + "M11.5 12v1.5M20.5 12v1.5M10.5 22q5.5-3.5 11 0",
	head + "M11.5 12v1.5M20.5 12v1.5M10 19.5q6 5 12 0",
	head + "M10 13q1.7-2.6 3.4 0M18.6 13q1.7-2.6 3.4 0M9 18.5h14a7 6.5 0 0 1-14 0z",
}

const head = "M16 2.5a13.5 13.5 0 1 0 .01 0z"

func drawing(path, class string) string {
	if class != "" {
		class = ` class="` + class + `"`
	}
	return `<svg viewBox="0 0 32 32" aria-hidden="true"` + class + `><path d="` + path + `"/></svg>`
}

// scale writes the answers as radio buttons, and the names of its ends.
func (w *page) scale() {
	m := w.Touchpoint.Metric
	scores := Scores(m)
	w.put(`<div class="ends"><div class="scale `, string(m), `">`)
	for _, s := range scores {
		w.answer(s)
	}
	w.put("</div>")
	if m != survey.Thumbs { // which say it themselves
		w.element("span", ` class="end low" aria-hidden="true"`, w.end(scores[0]))
		w.element("span", ` class="end high" aria-hidden="true"`, w.end(scores[len(scores)-1]))
	}
	w.put("</div>")
}

// Scores returns the answers in the order that they are shown in: from the
// lowest on, but yes before no.
func Scores(m survey.Metric) []int {
	if m == survey.Thumbs {
		return []int{1, 0}
	}
	low, high := m.Scale()
	var out []int
	for s := low; s <= high; s++ {
		out = append(out, s)
	}
	return out
}

// drawn reports whether the answers are drawings, and not numbers.
func drawn(m survey.Metric) bool {
	return m == survey.CSAT || m == survey.Smiley || m == survey.Thumbs
}

func (w *page) answer(score int) {
	n := strconv.Itoa(score)
	w.put("<label")
	name := w.name(score)
	if name.lang != w.lang {
		w.language(name.lang)
	}
	w.put(`><input type="radio" name="score" required value="`, n, `" aria-label="`)
	w.add(name.text)
	w.put(`"`)
	if w.Score != nil && *w.Score == score {
		w.put(" checked")
	}
	w.put("><span>")
	w.face(score)
	w.put("</span></label>")
}

// face writes what is seen of an answer.
func (w *page) face(score int) {
	m := w.Touchpoint.Metric
	low, _ := m.Scale()
	switch m {
	case survey.CSAT:
		w.put(drawing(star, ""))
	case survey.Smiley:
		w.put(drawing(faces[score-low], ""))
	case survey.Thumbs:
		class := ""
		if score == low {
			class = "down"
		}
		w.put(drawing(thumb, class))
		w.add(w.end(score).text)
	default:
		w.put(strconv.Itoa(score))
	}
}

// end is the label of the lowest or the highest answer.
func (w *page) end(score int) phrase {
	t, texts := w.Touchpoint, w.texts.Metrics[w.Touchpoint.Metric]
	if low, _ := t.Metric.Scale(); score == low {
		return w.ownOr(t.Low, texts.Low)
	}
	return w.ownOr(t.High, texts.High)
}

// name is an answer as it is read out. It holds the number that is seen. Where
// the touchpoint names the ends of its scale itself, the metric's own names
// would not fit between them, and the number has to do.
func (w *page) name(score int) phrase {
	t := w.Touchpoint
	low, high := t.Metric.Scale()
	own := w.own(t.Low).text != "" || w.own(t.High).text != ""
	isEnd := score == low || score == high
	name := w.ui(w.texts.Metrics[t.Metric].Answers[score-low])
	switch {
	case t.Metric == survey.Thumbs:
		return w.end(score)
	case t.Metric == survey.NPS && isEnd:
		e := w.end(score)
		return phrase{name.text + ", " + e.text, e.lang}
	case t.Metric == survey.NPS:
		return name
	case isEnd:
		name = w.end(score)
	case own:
		return w.ui(fmt.Sprintf("%d / %d", score, high))
	}
	if t.Metric == survey.Smiley {
		return name
	}
	return phrase{strconv.Itoa(score) + ", " + name.text, name.lang}
}
