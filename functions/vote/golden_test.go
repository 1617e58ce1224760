package vote_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/functions/vote"
	"github.com/pulssi/pulssi/shared/survey"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestConfigs holds the configs, which programs of others read, to golden
// files.
func TestConfigs(t *testing.T) {
	share := 20
	everything := shopNPS()
	everything.Widget = &survey.Widget{
		Include: []string{"/kiitos*", "/tack*"}, Exclude: []string{"/kiitos/ä"}, Delay: 3e9, Scroll: 50, Exit: true, Views: 2, Sample: &share,
		Recontact: 30 * 24 * 3600e9, Dismissed: 24 * 3600e9, Place: "inline", Target: "#survey", Color: "#ffcc00", Link: "https://review.example/",
	}
	everything.Low, everything.Thanks = survey.Text{"fi": "En todellakaan"}, survey.Text{"fi": "Kiitos!"}
	bare := asking(survey.Smiley)
	bare.Widget, bare.Recontact = nil, 7*24*3600e9
	arabic := asking(survey.Thumbs)
	arabic.Locales, arabic.Question = []string{"ar"}, survey.Text{"ar": "هل وجدت ما تبحث عنه؟"}
	for _, c := range []struct {
		name, query string
		touchpoint  *survey.Touchpoint
	}{
		{"everything", "", everything},
		{"everything-when", "part=when", everything},
		{"everything-show-fi", "part=show&locale=fi-FI", everything},
		{"everything-show-de", "part=show&locale=de", everything},
		{"bare-when", "part=when", bare},
		{"bare-show-sv", "part=show&locale=SV", bare},
		{"stars-show-en", "part=show&locale=en", asking(survey.CSAT)},
		{"effort-show-fi", "part=show&locale=fi", asking(survey.CES5)},
		{"arabic-show", "part=show", arabic},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &vote.Handler{Touchpoints: touchpoints{c.touchpoint.ID: c.touchpoint}}
			r := request("GET /w/{file}", c.touchpoint.ID+".json", nil, "")
			r.RawQueryString = c.query
			var got bytes.Buffer
			if err := json.Indent(&got, []byte(handle(t, h, r).Body), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			path := filepath.Join("testdata", "config", c.name+".json")
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got.String()); d != "" {
				t.Error(d)
			}
		})
	}
}
