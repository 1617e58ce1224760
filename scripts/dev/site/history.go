package site

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/pulssi/pulssi/scripts/history/demo"
)

// History fills and removes two years of demo data; see [demo.Job].
type History interface {
	Fill() error
	Remove() error
	Stop()
	State() demo.State
	// There reports whether there are any demo data.
	There(ctx context.Context) (bool, error)
}

// historyView is what the index shows of the demo data, and what its script
// asks for.
type historyView struct {
	Doing    string `json:"doing"` // "" where nothing is being done
	Progress string `json:"progress"`
	Percent  int    `json:"percent"`
	Last     string `json:"last"` // what became of the last thing that was done
	There    bool   `json:"there"`
}

func (s *site) historyView(ctx context.Context) (historyView, error) {
	there, err := s.desk.History.There(ctx)
	if err != nil {
		return historyView{}, err
	}
	st := s.desk.History.State()
	v := historyView{Doing: string(st.Doing), Percent: st.Pace.Percent(), There: there}
	did := map[demo.Doing]string{demo.Filling: "Filled", demo.Removing: "Removed"}[st.Did]
	switch {
	case st.Doing != "":
		v.Progress = map[demo.Doing]string{demo.Filling: "Filling", demo.Removing: "Removing"}[st.Doing] + ": " +
			number(st.Pace.Done) + " of " + number(st.Pace.Of) + " answers and asks, " + strconv.Itoa(v.Percent) + " %"
		if left, ok := st.Pace.Left(); ok {
			v.Progress += ", " + left.Round(time.Second).String() + " left"
		}
	case st.Err != "":
		v.Last = "Not " + map[demo.Doing]string{demo.Filling: "filled", demo.Removing: "removed"}[st.Did] + ": " + sentence(st.Err)
	case did != "":
		v.Last = did + ". The results follow within a minute."
	}
	return v, nil
}

func (s *site) historyJSON(w http.ResponseWriter, r *http.Request) {
	v, err := s.historyView(r.Context())
	if err != nil {
		fail(w, r, err)
		return
	}
	showJSON(w, r, v)
}

// workOnHistory returns a handler that has something done, and goes back to
// the index, which tells what became of it.
func (s *site) workOnHistory(do func(History) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := do(s.desk.History)
		if message, status, ok := mistake(err); ok {
			http.Error(w, message, status)
			return
		}
		if err != nil {
			fail(w, r, err)
			return
		}
		http.Redirect(w, r, "/#history", http.StatusSeeOther)
	}
}

func stopHistory(h History) error {
	h.Stop()
	return nil
}
