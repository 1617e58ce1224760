package popup

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The published values of the WCAG's own examples.
func TestContrast(t *testing.T) {
	for _, c := range []struct {
		a, b rgb
		want float64
	}{
		{0x000000, 0xffffff, 21}, {0xffffff, 0x000000, 21}, {0x123456, 0x123456, 1},
		{0x777777, 0xffffff, 4.48}, {0x767676, 0xffffff, 4.54}, {0xff0000, 0xffffff, 4.00}, {0x0000ff, 0xffffff, 8.59},
	} {
		if got := c.a.contrast(c.b); math.Abs(got-c.want) > 0.005 {
			t.Errorf("%06x on %06x: %.3f, want %.2f", c.a, c.b, got, c.want)
		}
	}
}

func TestEveryColorCanBeRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.Uint32Range(0, 0xffffff).Draw(t, "color")
		th := themeOf(fmt.Sprintf("#%06x", c))
		if th.Color != rgb(c) {
			t.Fatalf("the company's colour %06x became %06x", c, th.Color)
		}
		for name, ratio := range map[string]float64{
			"ink on colour": th.Ink.contrast(th.Color), "line on light": th.Light.contrast(lightGround), "line on dark": th.Dark.contrast(darkGround),
		} {
			if ratio < 4.5 {
				t.Fatalf("%s: %.2f in %+v", name, ratio, th)
			}
		}
	})
}

func TestThemes(t *testing.T) {
	for color, want := range map[string]theme{
		"#1f5fd0": {0x1f5fd0, 0xffffff, 0x1f5fd0, 0x5585db}, // fit for light, lightened for dark
		"#ffcc00": {0xffcc00, 0x000000, 0x8f7200, 0xffcc00}, // the other way round
	} {
		if got := themeOf(color); got != want {
			t.Errorf("%s: %06x", color, got)
		}
	}
}
