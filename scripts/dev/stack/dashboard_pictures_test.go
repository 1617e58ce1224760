package stack

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/pulssi/pulssi/shared/testkit"
)

var pictured = flag.String("pictures", "", "the address of a local stack with demo data, of whose dashboard pictures are taken")

// mostBytes is what a picture may have at most.
const mostBytes = 150_000

// TestPictures takes the README's pictures of the dashboard:
//
//	make dev
//	go run ./scripts/history
//	go test ./scripts/dev/stack -run TestPictures -pictures http://localhost:8080
func TestPictures(t *testing.T) {
	if *pictured == "" {
		t.Skip("pictures are taken where -pictures says of what")
	}
	g := &guest{T: t, dashboard: &dashboard{Stack: &Stack{URL: *pictured}}, ctx: testkit.Browser(t, testkit.Locale("en"), testkit.Deadline(2*browsing))}
	g.visit("/dashboard")
	g.signIn(admin)
	from := look[string](g, `(() => { const d = new Date(); return new Date(Date.UTC(d.getFullYear() - 2, d.getMonth() + 1, 1)).toISOString().slice(0, 10) })()`)
	touchpoint := "/dashboard/t/shop-nps?from=" + from
	for _, p := range []struct {
		name, path, scheme string
		width, height      int64
		scale              float64
		from               string // what is at the top
	}{
		{"overview-360", "/dashboard", "light", 360, 740, 2, "body"},
		{"overview-1280", "/dashboard", "light", 1280, 1480, 1, "body"},
		{"overview-2560", "/dashboard", "dark", 2560, 1440, .6, "body"},
		{"touchpoint-360", touchpoint, "dark", 360, 740, 2, ".standing"},
		{"touchpoint-1280", touchpoint, "light", 1280, 1480, 1, "body"},
		{"touchpoint-2560", touchpoint, "light", 2560, 1440, .6, "body"},
	} {
		g.do(chromedp.EmulateViewport(p.width, p.height, chromedp.EmulateScale(p.scale)), prefer(p.scheme))
		g.visit(p.path)
		g.settled()
		g.until(`!document.querySelector("p.came")`) // what came of an event is there
		g.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.querySelector(%q).scrollIntoView()", p.from)))
		shot, err := chromedp.Run(g.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		small, err := withPalette(shot)
		if err != nil {
			t.Fatal(err)
		}
		if len(small) > mostBytes {
			t.Errorf("%s has %d bytes", p.name, len(small))
		}
		if err := os.WriteFile(filepath.Join("..", "..", "..", "shared", "web", "docs", p.name+".png"), small, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// withPalette makes a PNG smaller: with the 256 colours that it has most of, and
// the nearest of them for each other.
func withPalette(file []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	b := full.Bounds()
	often := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(full.At(x, y)).(color.RGBA) }
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			often[at(x, y)]++
		}
	}
	colors := make([]color.RGBA, 0, len(often))
	for c := range often {
		colors = append(colors, c)
	}
	slices.SortFunc(colors, func(x, y color.RGBA) int {
		return cmp.Or(cmp.Compare(often[y], often[x]), cmp.Compare(x.R, y.R), cmp.Compare(x.G, y.G), cmp.Compare(x.B, y.B))
	})
	var palette color.Palette
	for _, c := range colors[:min(256, len(colors))] {
		palette = append(palette, c)
	}
	nearest := map[color.RGBA]uint8{}
	for _, c := range colors {
		nearest[c] = uint8(palette.Index(c))
	}
	small := image.NewPaletted(b, palette)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			small.SetColorIndex(x, y, nearest[at(x, y)])
		}
	}
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small)
	return out.Bytes(), err
}
