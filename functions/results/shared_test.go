package results

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
)

func testNow(at string) func() time.Time {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		panic(err)
	}
	return func() time.Time { return t }
}

// words is a feed of comments in memory.
type words []*survey.Ask

func (w words) Feed(_ context.Context, touchpoint string, from, to store.FeedPosition, limit int) (out []store.FeedEntry, more bool, err error) {
	for _, a := range w {
		if at := store.FeedAt(a.AnsweredAt) + store.FeedPosition("#"+a.ID[:8]); a.Touchpoint == touchpoint && from <= at && at < to {
			out = append(out, store.FeedEntry{At: at, Ask: a})
		}
	}
	slices.SortFunc(out, func(a, b store.FeedEntry) int { return strings.Compare(string(b.At), string(a.At)) })
	if limit > 0 && len(out) > limit {
		return out[:limit], true, nil
	}
	return out, false, nil
}

// sharing returns a handler on some answers, and the key of a view of them.
func sharing(d definitions, asks []*survey.Ask, view survey.View, comments bool) (h *Handler, key string) {
	changes := score.Changes{}
	var feed words
	for _, a := range asks {
		changes.Replace(nil, a, helsinki)
		if a.Comment != "" {
			feed = append(feed, a)
		}
	}
	h, key = newHandler(d, changes), survey.NewID()
	h.Feed, h.Annotations = feed, &marks{all: []survey.Annotation{{ID: survey.NewID(), Version: 1, Date: "2026-10-01", Text: "Kassa", By: "anna"}}}
	h.Shares = &shared{all: []survey.Share{{ID: survey.ShareID(key), Name: "Johto", View: view, Comments: comments}}}
	return h, key
}

// several are n answers of 9 in the middle of a month.
func several(t *survey.Touchpoint, n int, m time.Month, ch survey.Channel, segments ...string) []*survey.Ask {
	var out []*survey.Ask
	for i := range n {
		a := answer(t, 9, time.Date(2026, m, 14, 12, i, 0, 0, time.UTC))
		a.Channel, a.Segments = ch, segments
		out = append(out, a)
	}
	return out
}

func TestSharedReport(t *testing.T) {
	shop := touchpoint("shop-nps", survey.NPS, 1)
	asks := slices.Concat(
		several(shop, 20, time.August, survey.Popup, "plan=gold"),
		several(shop, 3, time.September, survey.Popup, "plan=gold"),
		several(shop, 7, time.October, survey.Email, "plan=basic", "vip"),
		several(shop, 30, time.November, survey.Popup, "plan=silver"),
	)
	for i, a := range asks {
		if a.Comment = fmt.Sprintf("Hyvä %d", i); a.Channel == survey.Email {
			a.SentAt, a.Contact, a.Ref, a.Page = a.AnsweredAt.Add(-time.Hour), "aino", "C-1001", "shop.example/kiitos"
		}
	}
	view := survey.View{Page: survey.TouchpointPage, Touchpoint: "shop-nps", Last: 4}
	h, key := sharing(definitions{shop}, asks, view, true)
	c := caller{t, h}
	resp := open(t, h, key)
	var got sharedView
	c.want(resp, http.StatusOK, &got)
	var line []string
	for _, p := range append(got.Report.Periods, got.Report.Total) {
		line = append(line, told(p.N))
	}
	for _, g := range append(got.Report.Channels, got.Report.Segments...) {
		line = append(line, g.Name+" "+told(g.N))
	}
	// October is hidden as September could be worked out otherwise.
	want := "20 ? ? 30 60 widget 53 email 7 plan=silver 30 plan=gold 23 plan=basic 7 vip 7"
	if s := strings.Join(line, " "); s != want {
		t.Errorf("got %s, want %s", s, want)
	}
	if n := len(got.Comments); n != 50 {
		t.Errorf("%d comments", n)
	}
	for _, a := range got.Comments {
		if m := a.AnsweredAt.Month(); m != time.August && m != time.November {
			t.Errorf("a comment of a hidden month: %+v", a)
		}
	}
	for _, secret := range []string{"aino", "C-1001", "kiitos", "anna"} {
		if strings.Contains(resp.Body, secret) {
			t.Errorf("there is %q in %s", secret, resp.Body)
		}
	}
	if !strings.Contains(resp.Body, `"hidden":true`) || strings.Contains(resp.Body, `"previous"`) {
		t.Errorf("got %s", resp.Body)
	}

	h.Shares.(*shared).all[0].Comments = false
	if body := open(t, h, key).Body; strings.Contains(body, `"comments"`) || strings.Contains(body, "Hyvä") {
		t.Errorf("comments that are not shared: %s", body)
	}
	few, key := sharing(definitions{shop}, asks[:4], view, true)
	got = sharedView{}
	c.want(open(t, few, key), http.StatusOK, &got)
	if total := got.Report.Total; total.N != nil || !total.Hidden || total.Score != nil || len(total.Counts) != 0 || got.Comments != nil {
		t.Errorf("of four answers: %+v", total)
	}
}

// TestSharedCommentsTellNothingHidden shares the comments of a touchpoint of
// which two answers of the month are to another question, and three by another
// channel: neither figure is told, nor are the scores behind it.
func TestSharedCommentsTellNothingHidden(t *testing.T) {
	was, is := touchpoint("shop-nps", survey.CSAT, 1), touchpoint("shop-nps", survey.NPS, 2)
	earlier, few, rest := several(was, 2, time.November, survey.Popup), several(is, 3, time.November, survey.SMS), several(is, 10, time.November, survey.Popup)
	more := several(is, 12, time.November, survey.Email) // not hidden: the ten are, so that the three cannot be worked out
	for i, a := range slices.Concat(earlier, few, rest, more) {
		a.Comment = fmt.Sprintf("Sana %d", i)
	}
	for _, a := range earlier {
		a.Score = 1
	}
	asks := slices.Concat(earlier, few, rest, more)
	for page, want := range map[survey.View]string{
		{Page: survey.TouchpointPage, Touchpoint: "shop-nps", Last: 1}: "email",
		{Page: survey.OverviewPage, Last: 1}:                           "email sms widget",
	} {
		h, key := sharing(definitions{was, is}, asks, page, true)
		var got sharedView
		caller{t, h}.want(open(t, h, key), http.StatusOK, &got)
		by := map[string]bool{}
		for _, c := range got.Comments {
			by[string(c.Channel)] = true
			if c.Score == 1 {
				t.Errorf("%s: a comment of another series: %+v", page.Page, c)
			}
		}
		if s := strings.Join(slices.Sorted(maps.Keys(by)), " "); s != want {
			t.Errorf("%s: comments by %s, want %s", page.Page, s, want)
		}
	}
}

func told(n *int64) string {
	if n == nil {
		return "?"
	}
	return fmt.Sprint(*n)
}

func TestSharedOverview(t *testing.T) {
	shop, app := touchpoint("shop-nps", survey.NPS, 1), touchpoint("app-nps", survey.NPS, 1)
	asks := slices.Concat(
		several(shop, 20, time.May, survey.Popup), several(shop, 20, time.August, survey.Popup), several(shop, 30, time.October, survey.Popup),
		several(app, 20, time.May, survey.Popup), several(app, 4, time.August, survey.Popup), several(app, 30, time.October, survey.Popup),
	)
	h, key := sharing(definitions{shop, app}, asks, survey.View{Page: survey.OverviewPage, Last: 8}, false)
	var got sharedView
	caller{t, h}.want(open(t, h, key), http.StatusOK, &got)
	var lines []string
	for _, e := range got.Overview.Touchpoints {
		line := e.ID + ":"
		for _, p := range e.Trend {
			line += " " + told(p.N)
		}
		line += fmt.Sprintf(", %s; %s against %s: %v", told(e.Total.N), told(e.Recent.Now.N), told(e.Recent.Before.N), e.Recent.Difference != nil)
		lines = append(lines, line)
	}
	slices.Sort(lines)
	want := []string{
		"app-nps: 0 ? 0 0 ? 0 30 0, 54; ? against ?: false",
		"shop-nps: 0 20 0 0 20 0 30 0, 70; 50 against 20: true",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
}

// TestSharedTellsNothingBySubtraction draws answers and asks, and subtracts
// whatever is told from whatever else is: what comes out is of nobody or of five
// at least, and no figure of fewer is told.
func TestSharedTellsNothingBySubtraction(t *testing.T) {
	shop := touchpoint("shop-nps", survey.NPS, 1)
	rapid.Check(t, func(rt *rapid.T) {
		var asks []*survey.Ask
		for m := time.August; m <= time.November; m++ {
			for _, ch := range []survey.Channel{survey.Popup, survey.Email} {
				for _, s := range []string{"plan=gold", "plan=basic", "vip"} {
					n := rapid.SampledFrom([]int{0, 0, 1, 2, 4, 5, 9}).Draw(rt, "answers")
					some := several(shop, n, m, ch, s)
					for _, a := range some {
						if ch == survey.Email {
							a.SentAt = a.AnsweredAt.Add(-time.Hour)
						}
					}
					asks = append(asks, some...)
				}
			}
		}
		h, key := sharing(definitions{shop}, asks, survey.View{Page: survey.TouchpointPage, Touchpoint: "shop-nps", Last: 4}, false)
		var got sharedView
		caller{t, h}.want(open(t, h, key), http.StatusOK, &got)
		sets := map[string][]sharedFigures{}
		for _, p := range got.Report.Periods {
			sets["periods"] = append(sets["periods"], p.sharedFigures)
		}
		for _, g := range got.Report.Channels {
			sets["channels"] = append(sets["channels"], g.sharedFigures)
		}
		for _, g := range got.Report.Segments {
			name, _, _ := strings.Cut(g.Name, "=")
			sets[name] = append(sets[name], g.sharedFigures)
		}
		for name, set := range sets {
			for what, get := range map[string]func(sharedFigures) *int64{
				"n":    func(f sharedFigures) *int64 { return f.N },
				"sent": func(f sharedFigures) *int64 { return f.Sent },
			} {
				whole := get(got.Report.Total.sharedFigures)
				rest, hidden := int64(0), 0
				if whole != nil {
					rest = *whole
				}
				for _, f := range set {
					n := get(f)
					if n == nil {
						hidden++
						continue
					}
					if score.Small(*n) {
						rt.Fatalf("%s of %s: %d is told", what, name, *n)
					}
					rest -= *n
				}
				if whole != nil && score.Small(rest) {
					rt.Fatalf("%s of %s: %d are left, hidden %d", what, name, rest, hidden)
				}
				if whole == nil && what == "n" && hidden == 0 && len(set) > 0 && len(asks) > 0 {
					rt.Fatalf("%s: the total is hidden, its parts are not", name)
				}
			}
		}
	})
}
