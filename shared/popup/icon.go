package popup

import (
	"fmt"

	"github.com/pulssi/pulssi/shared/survey"
)

// The drawings of answers: paths of SVG on a field of 32 by 32, drawn in lines
// and filled where chosen. The popup gets those of its scale alone.
const (
	star       = "M16 3l4 8.5 9 1-6.5 6.5 1.5 9-8-4.5-8 4.5 1.5-9L3 12.5l9-1z"
	thumbsUp   = "M10 14l5-11c2 0 3.5 1.5 3.5 4v5H25c2 0 3.4 1.6 3 3.5l-2 9.5a3 3 0 0 1-3 3H10M4 14h6v14H4z"
	thumbsDown = "M10 18l5 11c2 0 3.5-1.5 3.5-4v-5H25c2 0 3.4-1.6 3-3.5l-2-9.5a3 3 0 0 0-3-3H10M4 18h6V4H4z"
	head       = "M16 2.5a13.5 13.5 0 1 0 .1 0zM11.5 11v2M20.5 11v2"
)

// iconsOf returns the drawing of each answer, from the lowest on; none where
// answers are numbers.
func iconsOf(m survey.Metric, shape string) []string {
	low, high := m.Scale()
	var out []string
	for score := low; score <= high && shape != shapeNumbers; score++ {
		switch shape {
		case shapeStars:
			out = append(out, star)
		case shapeFaces:
			out = append(out, face(float64(score-low)/float64(high-low)))
		case shapeThumbs:
			out = append(out, []string{thumbsDown, thumbsUp}[score-low])
		}
	}
	return out
}

// face draws a face from sad (0) to happy (1).
func face(mood float64) string {
	return fmt.Sprintf("%sM10 20.5q6 %.0f 12 0", head, 14*mood-7)
}
