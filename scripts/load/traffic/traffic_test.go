package traffic

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// touchpoints is a store of definitions that takes asks.
type touchpoints []*survey.Touchpoint

func (s touchpoints) Touchpoints(context.Context) ([]*survey.Touchpoint, error) { return s, nil }
func (s touchpoints) CreateAsk(context.Context, *survey.Ask) error              { return nil }

func someTouchpoints() touchpoints {
	var out touchpoints
	for _, id := range []string{"a", "b"} {
		for _, m := range survey.Metrics() {
			out = append(out, &survey.Touchpoint{ID: id + "-" + string(m), Metric: m, Series: 1, Channels: []survey.Channel{survey.Popup}})
		}
	}
	return append(touchpoints{{ID: "no-votes", Metric: survey.NPS, Channels: []survey.Channel{survey.Email}}}, out...)
}

// api answers with a status and keeps what it was sent, without ids.
type api struct {
	status func(n int) int

	mu   sync.Mutex
	sent []string
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	delete(body, "id")
	b, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	a.mu.Lock()
	path, _, _ := strings.Cut(r.URL.Path[1:], "/")
	a.sent = append(a.sent, path+" "+string(b))
	status := a.status(len(a.sent))
	a.mu.Unlock()
	w.WriteHeader(status)
}

func ok(int) int { return http.StatusOK }

func config(url string) Config {
	return Config{URL: url, N: 2000, Concurrency: 8, Touchpoints: 7, Seed: 7, Mix: Mix{Links: 20, Scanners: 5, Edits: 5, Comments: 10, Duplicates: 5}}
}

func TestTheSameSeedMakesTheSamePeople(t *testing.T) {
	var runs [3][]string
	for i, seed := range []uint64{7, 7, 8} {
		a := &api{status: ok}
		server := httptest.NewServer(a)
		c := config(server.URL)
		c.Seed = seed
		report, err := Run(t.Context(), c, someTouchpoints(), nil)
		server.Close()
		if err != nil {
			t.Fatal(err)
		}
		if report.Answers != c.N {
			t.Errorf("%d answers of %d", report.Answers, c.N)
		}
		slices.Sort(a.sent)
		runs[i] = a.sent
		// The shares are those of the mix, within what chance allows.
		for kind, want := range map[Kind]int{Vote: 1500, Click: 400, Scan: 100 * scans, Confirm: 50, Edit: 95, Comment: 190} {
			if got := report.Requests[kind]; got < want*7/10 || got > want*13/10 {
				t.Errorf("seed %d: %d of kind %s, about %d expected", seed, got, kind, want)
			}
		}
	}
	if !slices.Equal(runs[0], runs[1]) {
		t.Error("the same seed sent something else")
	}
	if slices.Equal(runs[0], runs[2]) {
		t.Error("another seed sent the same")
	}
}

func TestWhatIsRefusedIsNotAccepted(t *testing.T) {
	a := &api{status: func(n int) int {
		if n%2 == 0 {
			return http.StatusBadRequest
		}
		return http.StatusOK
	}}
	server := httptest.NewServer(a)
	defer server.Close()
	c := config(server.URL)
	c.N, c.Mix = 100, Mix{}
	report, err := Run(t.Context(), c, someTouchpoints(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[int]int{200: 50, 400: 50}; !maps.Equal(report.Statuses, want) || report.Answers != 50 {
		t.Errorf("statuses %v, %d answers", report.Statuses, report.Answers)
	}
}

func TestAnAPIThatIsGone(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c := config(server.URL)
	c.N = 20
	report, err := Run(t.Context(), c, someTouchpoints(), nil)
	if err == nil || report.Unanswered != 20 || report.Answers != 0 {
		t.Errorf("%v, %+v", err, report)
	}
}

func TestStop(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	server := httptest.NewServer(&api{status: func(n int) int {
		if n == 10 {
			stop()
		}
		return http.StatusOK
	}})
	defer server.Close()
	report, err := Run(ctx, config(server.URL), someTouchpoints(), nil)
	if err != nil || report.Answers == 0 || report.Answers > 100 {
		t.Errorf("%v, %d answers", err, report.Answers)
	}
}

func TestChoose(t *testing.T) {
	got, err := choose(t.Context(), someTouchpoints(), 7)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, tp := range got {
		ids = append(ids, tp.ID)
	}
	if want := "a-nps a-csat a-ces a-ces5 a-smiley a-thumbs b-nps"; strings.Join(ids, " ") != want {
		t.Errorf("got %v, want %s", ids, want)
	}
	if _, err := choose(t.Context(), someTouchpoints(), 13); err == nil {
		t.Error("13 touchpoints of 12 were found")
	}
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		people := make(chan int)
		begin := time.Now()
		go func() {
			Config{N: 11, Rate: 10}.pace(t.Context(), begin, people)
			close(people)
		}()
		for i := range people {
			if at, want := time.Since(begin), time.Duration(i)*100*time.Millisecond; at != want {
				t.Errorf("person %d came after %s, want %s", i, at, want)
			}
		}
	})
}

func TestPercentile(t *testing.T) {
	var sorted []time.Duration
	for i := range 200 {
		sorted = append(sorted, time.Duration(i+1)*time.Millisecond)
	}
	for p, want := range map[int]float64{50: 100, 95: 190, 99: 198, 100: 200} {
		if got := percentile(sorted, p); got != want {
			t.Errorf("p%d is %v, want %v", p, got, want)
		}
	}
	if got := percentile(sorted[:1], 50); got != 1 {
		t.Errorf("of one: %v", got)
	}
	if got := percentile(nil, 50); got != 0 {
		t.Errorf("of none: %v", got)
	}
}

func TestReportIsForPeople(t *testing.T) {
	r := newReport()
	r.note(Vote, 200, 2*time.Millisecond)
	r.note(Edit, 410, 4*time.Millisecond)
	r.Unanswered = 1
	r.Accepted["x"] = Accepted{}
	r.finish(time.Second)
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := `1 answers accepted, in 1.0 s
2 requests, 2 a second: p50 2.0 ms, p95 4.0 ms, p99 4.0 ms, longest 4.0 ms
by kind: edit 1, vote 1
by status: 200 1, 410 1
1 requests were not answered
`
	if b.String() != want {
		t.Errorf("got %s", b.String())
	}
	if err := r.Write(broken{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a writer that fails: %v", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
