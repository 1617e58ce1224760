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

// picture is one of the README's pictures of the dashboard.
type picture struct {
	name, path, scheme string
	width, height      int64
	scale              float64
	from               string // what is at the top
}

// touchpointPath is that of the touchpoint in the pictures, over two years.
const touchpointPath = "/dashboard/t/shop-nps"

var pictures = []picture{
	{"overview-360", "/dashboard", "light", 360, 740, 2, "body"},
	{"overview-1280", "/dashboard", "light", 1280, 1480, 1, "body"},
	{"overview-2560", "/dashboard", "dark", 2560, 1440, .6, "body"},
	{"touchpoint-360", touchpointPath, "dark", 360, 740, 2, ".standing"},
	{"touchpoint-1280", touchpointPath, "light", 1280, 1480, 1, "body"},
	{"touchpoint-2560", touchpointPath, "light", 2560, 1440, .6, "body"},
}

func (p picture) file() string {
	return filepath.Join("..", "..", "..", "shared", "web", "docs", p.name+".png")
}

// TestPictures holds the README's pictures of the dashboard to their sizes,
// having taken them anew where -pictures says of what:
//
//	make dev
//	go run ./scripts/history
//	go test ./scripts/dev/stack -run TestPictures -pictures http://localhost:8080
func TestPictures(t *testing.T) {
	if *pictured != "" {
		takePictures(t)
	}
	for _, p := range pictures {
		b, err := os.ReadFile(p.file())
		if err != nil {
			t.Fatal(err)
		}
		c, err := png.DecodeConfig(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		width, height := int(float64(p.width)*p.scale), int(float64(p.height)*p.scale)
		if c.Width != width || c.Height != height || len(b) > mostBytes {
			t.Errorf("%s is %d by %d in %d bytes, want %d by %d in %d at most", p.name, c.Width, c.Height, len(b), width, height, mostBytes)
		}
	}
}

func takePictures(t *testing.T) {
	t.Helper()
	g := &guest{T: t, dashboard: &dashboard{Stack: &Stack{URL: *pictured}}, ctx: testkit.Browser(t, testkit.Locale("en"), testkit.Deadline(2*browsing))}
	g.visit("/dashboard")
	g.signIn(admin)
	from := look[string](g, `(() => { const d = new Date(); return new Date(Date.UTC(d.getFullYear() - 2, d.getMonth() + 1, 1)).toISOString().slice(0, 10) })()`)
	for _, p := range pictures {
		path := p.path
		if path == touchpointPath {
			path += "?from=" + from
		}
		g.do(chromedp.EmulateViewport(p.width, p.height, chromedp.EmulateScale(p.scale)), prefer(p.scheme))
		g.visit(path)
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
		if err := os.WriteFile(p.file(), small, 0o644); err != nil {
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
