package message

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/web"
)

var pictures = flag.String("pictures", "", "the folder to put a picture of every letter into, for a person to look at")

// looks tells what is wrong with a letter as it is drawn: content beyond the
// window's edge, answers too small to touch or in another order than read, and
// contrasts below those of WCAG 2.2 (1.4.3, 1.4.11).
const looks = `(() => {
	const wrong = [];
	// A phone widens its window to what is in it: the document tells how wide it
	// was.
	const page = document.documentElement;
	if (page.scrollWidth > page.clientWidth) wrong.push("the letter is " + page.scrollWidth + " wide");
	const rgb = (c) => c.match(/[\d.]+/g).map(Number);
	const light = (c) => {
		const [r, g, b] = rgb(c).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const contrast = (a, b) => {
		const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
		return (x + 0.05) / (y + 0.05);
	};
	const behind = (e) => {
		for (; e; e = e.parentElement) {
			const c = getComputedStyle(e).backgroundColor;
			if (rgb(c)[3] !== 0) return c;
		}
		return "rgb(255, 255, 255)";
	};
	let last;
	for (const a of document.querySelectorAll("a.score")) {
		const box = a.getBoundingClientRect(), style = getComputedStyle(a), name = a.getAttribute("aria-label");
		if (box.width < 44 || box.height < 44) wrong.push(name + " is " + box.width + "x" + box.height);
		if (box.left < 0 || box.right > page.clientWidth) wrong.push(name + " is from " + box.left + " to " + box.right);
		if (a.scrollWidth > a.clientWidth || a.scrollHeight > a.clientHeight) wrong.push(name + " is wider than its border");
		const next = last && (box.left >= last.right && box.top === last.top || box.top >= last.bottom);
		if (last && !next) wrong.push(name + " is not after the one before");
		last = box;
		const border = contrast(style.borderTopColor, behind(a.parentElement)), text = contrast(style.color, behind(a));
		if (border < 3) wrong.push(name + " has a border of contrast " + border);
		if (text < 4.5) wrong.push(name + " has contrast " + text);
	}
	for (const e of document.querySelectorAll("p, h1, td, td a")) {
		const own = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent.trim());
		const c = contrast(getComputedStyle(e).color, behind(e));
		if (own && c < 4.5) wrong.push(e.textContent.trim() + " has contrast " + c);
	}
	return wrong;
})()`

// rows are how many answers stand in each row.
const rows = `(() => {
	const tops = [...document.querySelectorAll("a.score")].map((a) => a.getBoundingClientRect().top);
	return [...new Set(tops)].map((t) => tops.filter((u) => u === t).length);
})()`

// worst is a letter with everything at its longest.
func worst(m survey.Metric) Letter {
	l := letter(m, "fi")
	long := strings.Repeat("Lentokonesuihkuturbiinimoottoriapumekaanikkoaliupseerioppilas ", 9)[:survey.MaxText]
	label := long[:survey.MaxName]
	l.Touchpoint.Question, l.Touchpoint.Low, l.Touchpoint.High = survey.Text{"fi": long}, survey.Text{"fi": label}, survey.Text{"fi": label}
	l.Touchpoint.Message = &survey.Message{Opening: survey.Text{"fi": long}, News: survey.Text{"fi": long + "\n" + long[:62]}}
	l.Company, l.Contact.FirstName = strings.Repeat("K", survey.MaxAddress), strings.Repeat("W", survey.MaxContactName)
	return l
}

func TestLooks(t *testing.T) {
	letters := map[string]Letter{"worst-nps": worst(survey.NPS), "worst-thumbs": worst(survey.Thumbs)} // figures and words
	for _, m := range survey.Metrics() {
		for _, locale := range web.Locales() {
			letters[string(m)+"-"+locale] = letter(m, locale)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /letters/{name}", func(w http.ResponseWriter, r *http.Request) {
		written, err := letters[r.PathValue("name")].Email()
		if err != nil {
			t.Error(err)
		}
		_, _ = fmt.Fprint(w, written.HTML) // an error is the browser's, which tells it
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	wantRows := map[int64]map[survey.Metric][]int{
		600: {survey.NPS: {11}, survey.CSAT: {5}, survey.CES: {7}, survey.CES5: {5}, survey.Smiley: {4}, survey.Thumbs: {2}},
		320: {survey.NPS: {6, 5}, survey.CSAT: {5}, survey.CES: {4, 3}, survey.CES5: {5}, survey.Smiley: {4}, survey.Thumbs: {2}},
	}
	for _, width := range []int64{600, 320} {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(fmt.Sprintf("%d %s", width, scheme), func(t *testing.T) {
				options := []testkit.BrowserOption{testkit.Viewport(width, 800), testkit.Touch(), testkit.NoJavaScript()}
				if scheme == "dark" {
					options = append(options, testkit.Dark())
				}
				ctx := testkit.Browser(t, options...)
				for name, l := range letters {
					if l.Locale != "fi" && (width != 320 || scheme != "light") {
						continue // the languages differ in words, which are a phone's trouble
					}
					if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/letters/"+name)); err != nil {
						t.Fatal(err)
					}
					wrong, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](looks))
					if err != nil || len(wrong) > 0 {
						t.Errorf("%s: %v\n%s", name, err, strings.Join(wrong, "\n"))
					}
					got, err := chromedp.Run(ctx, chromedp.Evaluate[[]int](rows))
					if want := wantRows[width][l.Touchpoint.Metric]; err != nil || !slices.Equal(got, want) && name != "worst-thumbs" {
						t.Errorf("%s: rows of %v answers, want %v (%v)", name, got, want, err)
					}
					if name == string(l.Touchpoint.Metric)+"-fi" {
						violations, err := testkit.Axe(ctx)
						if err != nil {
							t.Fatal(err)
						}
						for _, v := range violations {
							t.Errorf("%s: %s", name, v)
						}
					}
					if *pictures != "" {
						if err := testkit.Screenshot(ctx, filepath.Join(*pictures, fmt.Sprintf("%s-%d-%s.png", name, width, scheme))); err != nil {
							t.Fatal(err)
						}
					}
				}
			})
		}
	}
}
