package popup

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// theme is the colours of the popup. Surfaces have the company's own colour
// and on them Ink, the better of black and white. Lines, icons and links have
// Light on a light ground and Dark on a dark one: the colour itself, or as much
// lighter or darker as it takes. Every pair has the contrast that WCAG 2.2 asks
// of text (1.4.3: 4.5 to 1), so that any colour can be given.
type theme struct{ Color, Ink, Light, Dark rgb }

// MarshalJSON writes the four colours as a list, in that order.
func (t theme) MarshalJSON() ([]byte, error) {
	return json.Marshal([]rgb{t.Color, t.Ink, t.Light, t.Dark})
}

// The grounds, which the popup's style sheet has too.
const (
	lightGround = rgb(0xffffff)
	darkGround  = rgb(0x1c1d21)
)

const (
	white, black rgb = 0xffffff, 0x000000
	// textContrast is a hair over 4.5, for whoever rounds.
	textContrast = 4.51
)

// themeOf makes a theme of a colour written #rrggbb.
func themeOf(color string) theme {
	n, err := strconv.ParseUint(color[1:], 16, 32)
	if err != nil {
		panic("popup: a touchpoint with a colour that is none: " + color) // validated before it is stored
	}
	c := rgb(n)
	return theme{c, c.ink(), c.against(lightGround, black), c.against(darkGround, white)}
}

// rgb is a colour of sRGB, 0xrrggbb.
type rgb uint32

// MarshalText writes the colour as #rrggbb.
func (c rgb) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "#%06x", uint32(c)), nil }

func (c rgb) channels() [3]float64 {
	return [3]float64{float64(c >> 16 & 255), float64(c >> 8 & 255), float64(c & 255)}
}

// luminance is the relative luminance of WCAG 2.2.
func (c rgb) luminance() float64 {
	l := 0.0
	for i, v := range c.channels() {
		v /= 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		l += v * [3]float64{0.2126, 0.7152, 0.0722}[i]
	}
	return l
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func (c rgb) contrast(d rgb) float64 {
	a, b := c.luminance(), d.luminance()
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

// ink returns the better of black and white for text on c; one of them always
// has a contrast of at least 4.58.
func (c rgb) ink() rgb {
	if c.contrast(white) >= c.contrast(black) {
		return white
	}
	return black
}

// against returns the colour nearest to c, on the way to toward, that can be
// text on ground.
func (c rgb) against(ground, toward rgb) rgb {
	for step := 0.0; step < 1; step += 0.02 {
		if m := c.mix(toward, step); m.contrast(ground) >= textContrast {
			return m
		}
	}
	return toward
}

func (c rgb) mix(d rgb, share float64) rgb {
	var out rgb
	from, to := c.channels(), d.channels()
	for i := range from {
		out = out<<8 | rgb(math.Round(from[i]+(to[i]-from[i])*share))
	}
	return out
}
