package results

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// manyComments are twelve detractors, all of them lately, and twelve promoters
// before, in Finnish, with a few passives and Swedes.
func manyComments(shop *survey.Touchpoint) []*survey.Ask {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	var out []*survey.Ask
	for i := range 12 {
		lately, before := now.Add(-time.Duration(i)*time.Hour), now.AddDate(0, -6, -i)
		out = append(out, said(shop, 3, lately, "Toimitus myöhästyi taas."), said(shop, 10, before, "Nopea ja ystävällinen."))
		if i%4 == 0 {
			swede := said(shop, 2, lately, "Sen leverans.")
			swede.Locale, swede.Segments = "sv", []string{"vip"}
			out = append(out, said(shop, 7, before, "Ihan ok toimitus."), swede)
		}
	}
	return out
}

func readThemes(t *testing.T, h *Handler, query string, groups ...string) (themeReport, apigw.Response) {
	t.Helper()
	r := apigw.Request{RouteKey: routeThemes, RawQueryString: query, PathParameters: map[string]string{"touchpoint": "shop-nps"}}
	resp, err := h.Handle(t.Context(), testkit.SignedIn(r, groups...))
	if err != nil {
		t.Fatal(err)
	}
	var out themeReport
	if resp.StatusCode == 200 {
		if err := json.Unmarshal([]byte(resp.Body), &out); err != nil {
			t.Fatal(err)
		}
	}
	return out, resp
}

func TestThemes(t *testing.T) {
	shop := touchpoint("shop-nps", survey.NPS, 1)
	h := newHandler(definitions{shop}, nil)
	f := newFeed(1000, manyComments(shop)...)
	h.Feed = f
	got, _ := readThemes(t, h, "", "viewer")
	want := themeReport{
		Touchpoint: "shop-nps", From: "2025-12-01", To: "2026-11-22", Comments: 30, Locales: map[string]int{"fi": 27, "sv": 3},
		Complete: true, Since: "2025-12-01",
		// 2 (12 ln 2 + 12 ln 2), as all of one side and none of the other have it.
		Unhappy: []themeEntry{{"toimitus myöhästyi", "fi", "toimitus myöhästyi", 12, 12, 0, 12, 33.27, "Toimitus myöhästyi taas."}},
		Happy:   []themeEntry{{"nopea", "fi", "nopea", 12, 12, 0, 12, 33.27, "Nopea ja ystävällinen."}},
		// 2 (12 ln 27/12 + 15 ln 27/15): of 27 comments 12 are of the later half,
		// which begins on 27 May.
		Rising: []themeEntry{{"toimitus myöhästyi", "fi", "toimitus myöhästyi", 12, 12, 0, 15, 37.1, "Toimitus myöhästyi taas."}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if f.calls > maxWaves*atOnce {
		t.Errorf("%d queries", f.calls)
	}
	for _, tt := range []struct {
		query  string
		groups []string
		want   int
	}{
		{"locale=sv", nil, 3},
		{"segment=vip", nil, 3},
		{"", []string{"segment:vip"}, 3},
		{"channel=email", nil, 0},
		{"from=2026-11-01", nil, 15},
		{"from=2030-01-01&to=2030-02-01", nil, 0},
	} {
		got, resp := readThemes(t, h, tt.query, append([]string{"viewer"}, tt.groups...)...)
		if resp.StatusCode != 200 || got.Comments != tt.want {
			t.Errorf("%s: %d comments, want %d: %s", tt.query, got.Comments, tt.want, resp.Body)
		}
	}
	for query, status := range map[string]int{"segment=gold": 404, "q=x": 400, "locale=FI": 400, "from=2026-12-01&to=2026-11-01": 400} {
		if _, resp := readThemes(t, h, query, "viewer", "segment:vip"); resp.StatusCode != status {
			t.Errorf("%s: %d %s, want %d", query, resp.StatusCode, resp.Body, status)
		}
	}
	if _, resp := readThemes(t, h, "", "viewer", "touchpoint:other"); resp.StatusCode != 404 {
		t.Errorf("of somebody who may not see it: %d", resp.StatusCode)
	}
}

// TestThemesOfMoreThanCanBeRead are those of the newest comments.
func TestThemesOfMoreThanCanBeRead(t *testing.T) {
	shop := touchpoint("shop-nps", survey.NPS, 1)
	h := newHandler(definitions{shop}, nil)
	f := newFeed(2, manyComments(shop)...)
	h.Feed = f
	got, _ := readThemes(t, h, "", "viewer")
	if got.Complete || got.Comments == 0 || got.Comments >= 30 || got.Since <= "2026-05" || f.calls > maxWaves*atOnce {
		t.Errorf("%d queries: %+v", f.calls, got)
	}
}
