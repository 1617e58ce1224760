package results

import (
	"strings"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
)

// mistakes are questions that break a rule of some request, or of every one, and
// some that break none.
var mistakes = []string{
	"", "from=x", "from=2026-11-01&to=2026-01-01", "by=hour", "by=day&from=2020-01-01", "series=2", "series=9", "limit=0", "bogus=1&wrong=2",
	"cursor=x", "what=x", "what=comments", "what=comments&cursor=x", "format=xls", "days=1", "segment=", "segment=plan%3Dgold", "segment=plan%3Dno",
	"channel=fax", "channel=widget&segment=a", "withFrom=2020-01-01", "withSegment=x", "include=x", "include=earlier", "q=", "score=99",
	"category=x", "%zz", "from=2026-01-01&from=2026-01-02",
}

// TestMistakesTellNothing makes mistakes about a touchpoint that may not be seen
// and about one that there is not: whatever is wrong, the answers are the same.
func TestMistakesTellNothing(t *testing.T) {
	seen, unseen := touchpoint("seen-nps", survey.NPS, 1), touchpoint("else-nps", survey.NPS, 2)
	asks := append(several(seen, 12, time.November, survey.Popup, "plan=gold"), several(unseen, 12, time.November, survey.Popup, "plan=gold")...)
	for _, a := range asks {
		a.Comment = "Hyvä"
	}
	h, _ := sharing(definitions{seen, unseen}, asks, survey.View{}, false)
	h.Definitions, h.Rules = &written{definitions{seen, unseen}}, book{}
	id := survey.NewID()
	h.Annotations = &marks{all: []survey.Annotation{{ID: id, Version: 1, Date: "2026-11-01", Text: "Kassa"}}}
	bodies := map[string][]string{
		routePut:     {`{"version":1,"definition":{}}`},
		routePlan:    {`{"definition":{}}`},
		routePreview: {"", "{", `{"kind":"x"}`, `{"kind":"page","locale":"de"}`, `{"kind":"page","score":11}`, `{"kind":"page","definition":{}}`},
	}
	for _, route := range []string{
		routeResults, routeThemes, routeExport, routeShow, routePut, routePlan, routePreview, routeResponses,
		"GET /api/compare/{touchpoint}", "GET /api/annotations", "GET /api/annotations/{id}/effect",
	} {
		if bodies[route] == nil {
			bodies[route] = []string{""}
		}
		for _, body := range bodies[route] {
			for _, query := range mistakes {
				for _, groups := range [][]string{{"viewer", "touchpoint:seen-nps"}, {"viewer", "touchpoint:seen-nps", "segment:plan=gold"}} {
					about := func(touchpoint string) apigw.Response {
						r := apigw.Request{
							RouteKey: route, RawQueryString: query, Body: body, Headers: map[string]string{"content-type": "application/json"},
							PathParameters: map[string]string{"touchpoint": touchpoint, "id": id},
						}
						if !strings.Contains(route, "{touchpoint}") {
							r.RawQueryString = "touchpoint=" + touchpoint + "&" + query
						}
						return signedIn(t, h, r, groups...)
					}
					other, none := about("else-nps"), about("none-nps")
					if other.StatusCode < 300 || other.StatusCode != none.StatusCode || strings.ReplaceAll(other.Body, "else-nps", "none-nps") != none.Body {
						t.Errorf("%s?%s %s: of what may not be seen %d %s, of what is not there %d %s",
							route, query, body, other.StatusCode, other.Body, none.StatusCode, none.Body)
					}
				}
			}
		}
	}
}
