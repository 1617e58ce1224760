package site

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/scripts/history/demo"
	"github.com/pulssi/pulssi/shared/survey"
)

type fakeHistory struct {
	state demo.State
	there bool
	err   error
	did   string
}

func (h *fakeHistory) Fill() error                         { h.did = "fill"; return h.err }
func (h *fakeHistory) Remove() error                       { h.did = "remove"; return h.err }
func (h *fakeHistory) Stop()                               { h.did = "stop" }
func (h *fakeHistory) State() demo.State                   { return h.state }
func (h *fakeHistory) There(context.Context) (bool, error) { return h.there, nil }

func TestWhatTheIndexSaysOfTheDemoData(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	pace := *demo.NewPace(func() time.Time { return now })
	pace.Note(0, 31000)
	now = now.Add(time.Minute)
	pace.Note(15500, 31000)
	for name, tc := range map[string]struct {
		state demo.State
		want  historyView
	}{
		"nothing yet": {},
		"filling": {demo.State{Doing: demo.Filling, Pace: pace},
			historyView{Doing: "filling", Progress: "Filling: 15,500 of 31,000 answers and asks, 50 %, 1m0s left", Percent: 50}},
		"removing": {demo.State{Doing: demo.Removing}, historyView{Doing: "removing", Progress: "Removing: 0 of 0 answers and asks, 0 %"}},
		"filled":   {demo.State{Did: demo.Filling}, historyView{Last: "Filled. The results follow within a minute."}},
		"stopped":  {demo.State{Did: demo.Removing, Err: "stopped on the way"}, historyView{Last: "Not removed: Stopped on the way."}},
	} {
		s := &site{desk: Desk{History: &fakeHistory{state: tc.state}}}
		got, err := s.historyView(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTheButtonsOfTheDemoData(t *testing.T) {
	h := &fakeHistory{}
	pages, err := New(newMemory(), nil, Desk{History: h}, nil, Programs{})
	if err != nil {
		t.Fatal(err)
	}
	post := func(path string) int {
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
		return w.Code
	}
	for _, what := range []string{"fill", "remove", "stop"} {
		if status := post("/history/" + what); status != http.StatusSeeOther || h.did != what {
			t.Errorf("%s: status %d, did %q", what, status, h.did)
		}
		if !Serves("/history/" + what) {
			t.Errorf("/history/%s is not served", what)
		}
	}
	h.err = survey.Errorf(survey.Conflict, "", "wait")
	if status := post("/history/fill"); status != http.StatusConflict {
		t.Errorf("status %d while something is done", status)
	}
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/history.json", nil))
	if want := `{"doing":"","progress":"","percent":0,"last":"","there":false}`; w.Body.String() != want {
		t.Errorf("%s, want %s", w.Body, want)
	}
}
