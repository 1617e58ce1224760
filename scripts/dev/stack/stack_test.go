package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/chromedp/chromedp"

	"github.com/pulssi/pulssi/scripts/dev/shop"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/testkit/dynamodblocal"
	"github.com/pulssi/pulssi/shared/topology"
)

// patience is how long a test waits for what comes within a second or two on a
// machine with nothing else to do. How soon an answer must be counted is shown
// by a test of package pump, on a clock of its own.
const patience = time.Minute

// browsing is longer than any wait of a page.
const browsing = 3 * patience

// unbatched counts each answer as soon as it is read.
func unbatched(m topology.Stream) topology.Stream {
	m.BatchingSeconds = 0
	return m
}

func start(t *testing.T, o Options) *Stack {
	t.Helper()
	if o.Touchpoints == nil {
		b, err := os.ReadFile("../touchpoints.yaml")
		if err != nil {
			t.Fatal(err)
		}
		o.Touchpoints = b
	}
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// shared starts a stack on the tests' DynamoDB, in tables of its own, that
// counts without delay.
func shared(t *testing.T, o Options) *Stack {
	t.Helper()
	o.Endpoint, o.Prefix, o.Mapping = dynamodblocal.Shared(t), "t"+survey.NewID()+"-", unbatched
	return start(t, o)
}

func call(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// castVote votes at shop-nps.
func castVote(t *testing.T, s *Stack, score int) {
	t.Helper()
	body := fmt.Sprintf(`{"id":%q,"score":%d}`, survey.NewID(), score)
	if status, answer := call(t, http.MethodPost, s.URL+"/v/shop-nps", body); status != http.StatusOK {
		t.Fatalf("vote: %d %s", status, answer)
	}
}

// total returns what the results of shop-nps say in all.
func total(t *testing.T, s *Stack) (n int64, counts string) {
	t.Helper()
	status, body := call(t, http.MethodGet, s.URL+"/api/results/shop-nps", "")
	if status != http.StatusOK {
		t.Fatalf("results: %d %s", status, body)
	}
	var r struct {
		Total struct {
			N      int64
			Counts json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatal(err)
	}
	return r.Total.N, string(r.Total.Counts)
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %s", patience, what)
		case <-tick.C:
		}
	}
}

func TestAnswersBecomeResults(t *testing.T) {
	s := shared(t, Options{})
	for _, score := range []int{10, 10, 0} {
		castVote(t, s, score)
	}
	eventually(t, "three votes in the results", func() bool {
		n, counts := total(t, s)
		return n == 3 && counts == `{"0":1,"10":2}`
	})
}

func TestStopAndStartLosesNothing(t *testing.T) {
	dir := t.TempDir()
	address := filepath.Join(t.TempDir(), "dev.json")
	var page, bought string
	for i := range 2 {
		o := Options{Dir: dir, Touchpoints: []byte(shopping)} // the first stops while the vote waits for its batch
		if i == 1 {
			o.Mapping = unbatched
		}
		s := start(t, o)
		if s.Fresh != (i == 0) {
			t.Errorf("start %d: fresh is %t", i, s.Fresh)
		}
		if err := s.Announce(address); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(address)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`{"endpoint":%q,"prefix":%q,"url":%q,"services":%q,"clock":%q}`+"\n",
			s.Config.DynamoDBEndpoint, DefaultPrefix, s.URL, s.PostURL, filepath.Join(dir, "clock.json")); string(b) != want {
			t.Errorf("the address is %s, want %s", b, want)
		}
		if _, err := Start(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another local stack") {
			t.Errorf("a second stack on the same folder: %v", err)
		}
		if i == 1 {
			eventually(t, "the vote made just before the stop", func() bool { n, _ := total(t, s); return n == 1 })
			if _, now := call(t, http.MethodGet, s.URL+"/", ""); links(now) != links(page) {
				t.Error("the example links are others after a restart")
			}
			castVote(t, s, 9)
			eventually(t, "a vote after the restart", func() bool { n, _ := total(t, s); return n == 2 })
			if ahead := s.Clock.Ahead(); ahead < 23*time.Hour {
				t.Errorf("the clock is ahead by %s after the restart", ahead)
			}
			if _, n := s.Services.Scheduled(10); n != 1 {
				t.Errorf("%d asks are scheduled after the restart", n)
			}
			fire(t, s, bought) // asks nobody again: the secret is the same
			move(t, s, s.Clock.Now().AddDate(0, 0, 21))
			if letters, n := s.Box.Last(); n != 1 || letters[0].To != "one@example.com" {
				t.Errorf("%d messages after the restart: %v", n, to(letters))
			}
			return
		}
		_, page = call(t, http.MethodGet, s.URL+"/", "")
		castVote(t, s, 10)
		move(t, s, s.Clock.Now().Add(24*time.Hour))
		bought = purchase(s, "order-1", "one@example.com")
		fire(t, s, bought)
		before := time.Now()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(before); took > patience {
			t.Errorf("stopping took %s", took)
		}
		if _, err := os.Stat(address); !os.IsNotExist(err) {
			t.Errorf("the address is left behind: %v", err)
		}
	}
}

// TestEachEndpointIsKeptApart changes the DynamoDB under a folder: the links
// of the one are not taken for the other's, nor anything else that is kept.
func TestEachEndpointIsKeptApart(t *testing.T) {
	dir, endpoint := t.TempDir(), dynamodblocal.Shared(t)
	var pages []string
	for _, e := range []string{endpoint, endpoint + "/", endpoint} { // the same server by two addresses
		s := start(t, Options{Dir: dir, Endpoint: e, Prefix: "t" + survey.NewID() + "-"})
		_, page := call(t, http.MethodGet, s.URL+"/", "")
		pages = append(pages, links(page))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if pages[0] == pages[1] || pages[0] != pages[2] {
		t.Errorf("the links of an endpoint, of another and of the first again: %q", pages)
	}
	kept, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kept {
		if !k.IsDir() && k.Name() != "lock" {
			t.Errorf("%s is kept for all endpoints", k.Name())
		}
	}
}

// links returns the example links of the index.
func links(page string) string {
	var out strings.Builder
	for part := range strings.SplitSeq(page, `href="`) {
		if strings.HasPrefix(part, "/a/") {
			fmt.Fprintln(&out, part[:strings.IndexByte(part, '"')])
		}
	}
	return out.String()
}

func TestATakenPortIsNamed(t *testing.T) {
	s := shared(t, Options{})
	port := 0
	if _, err := fmt.Sscanf(s.URL, "http://localhost:%d", &port); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Port: port})
	if want := fmt.Sprintf("port %d is taken by another program: choose another with PORT=%d make dev", port, port+1); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAFreshSetOfLinks(t *testing.T) {
	s := shared(t, Options{})
	_, before := call(t, http.MethodGet, s.URL+"/", "")
	metrics := 0
	for _, m := range survey.Metrics() {
		low, high := m.Scale()
		metrics += high - low + 1
	}
	if got := strings.Count(links(before), "\n"); got != 3*metrics {
		t.Errorf("%d links, want one for each of %d scores in three languages", got, metrics)
	}
	if status, _ := call(t, http.MethodPost, s.URL+"/links", ""); status != http.StatusOK {
		t.Errorf("renewing: %d", status)
	}
	if _, after := call(t, http.MethodGet, s.URL+"/", ""); links(after) == links(before) || links(after) == "" {
		t.Error("the links are the same as before")
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/links", bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("renewing from another site: %d", resp.StatusCode)
	}
}

// TestTheShop holds the shop to the touchpoints that it asks about.
func TestTheShop(t *testing.T) {
	s := shared(t, Options{})
	if _, page := call(t, http.MethodGet, s.URL+"/", ""); !strings.Contains(page, `href="/shop/"`) {
		t.Error("the index does not list the shop")
	}
	all, err := s.Store.Touchpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range shop.Pages() {
		if status, _ := call(t, http.MethodGet, s.URL+p.Path, ""); status != http.StatusOK {
			t.Errorf("%s: %d", p.Path, status)
		}
		if !slices.ContainsFunc(all, func(tp *survey.Touchpoint) bool { return tp.ID == p.Touchpoint }) {
			t.Errorf("%s asks about %s, which touchpoints.yaml does not have", p.Path, p.Touchpoint)
		}
	}
}

func TestPagesWithoutTouchpoints(t *testing.T) {
	s := shared(t, Options{Touchpoints: []byte{}})
	if status, body := call(t, http.MethodGet, s.URL+"/", ""); status != http.StatusOK || !strings.Contains(body, "go run ./scripts/apply") {
		t.Errorf("%d %s", status, body)
	}
}

// TestAMailScanner opens every link of an ask, which writes nothing, and runs
// the script of every page, which is suspect until a person answers.
func TestAMailScanner(t *testing.T) {
	meter := &testkit.Meter{}
	s := shared(t, Options{Tune: func(f topology.Function, o *dynamodb.Options) {
		if f == topology.Answer {
			meter.Attach(o)
		}
	}})
	_, page := call(t, http.MethodGet, s.URL+"/", "")
	path, _, _ := strings.Cut(links(page), "?") // of the first ask, which is about shop-nps

	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
		for score := range 11 {
			if status, _ := call(t, method, fmt.Sprintf("%s%s?s=%d", s.URL, path, score), ""); status != http.StatusOK {
				t.Fatalf("%s: %d", method, status)
			}
		}
	}
	for _, c := range meter.Calls() {
		if c.Operation != "GetItem" && c.Operation != "Query" {
			t.Errorf("looking at the links made a call of %s", c.Operation)
		}
	}

	for score := range 11 {
		if status, body := call(t, http.MethodPost, s.URL+path, fmt.Sprintf(`{"score":%d,"via":"auto"}`, score)); status != http.StatusOK {
			t.Fatalf("auto: %d %s", status, body)
		}
	}
	castVote(t, s, 10) // counted after the scanner in the stream
	eventually(t, "the vote and nothing else", func() bool {
		_, counts := total(t, s)
		return counts == `{"10":1}`
	})
	_, body := call(t, http.MethodGet, s.URL+"/api/results/shop-nps", "")
	if _, inAll, _ := strings.Cut(body, `"total"`); !strings.Contains(inAll, `"suspect":1,`) {
		t.Errorf("the results do not tell the suspect answer: %s", body)
	}
	if status, body := call(t, http.MethodPost, s.URL+path, `{"score":3,"via":"human"}`); status != http.StatusOK {
		t.Fatalf("human: %d %s", status, body)
	}
	eventually(t, "the person's answer", func() bool {
		_, counts := total(t, s)
		return counts == `{"10":1,"3":1}`
	})
}

func TestPagesInABrowser(t *testing.T) {
	s := shared(t, Options{})
	for name, opts := range map[string][]testkit.BrowserOption{
		"light": {testkit.Viewport(1280, 900)},
		"dark":  {testkit.Viewport(1280, 900), testkit.Dark()},
		"phone": {testkit.Viewport(320, 700), testkit.Touch()},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := testkit.Browser(t, append(opts, testkit.Deadline(browsing))...)
			open(ctx, t, s.URL+"/")
			violations, err := testkit.Axe(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range violations {
				t.Error(v)
			}
		})
	}
}

// TestAnAnswerArrives answers with one click of the mouse, and sees another
// answer arrive in the shop's panel without a reload.
func TestAnAnswerArrives(t *testing.T) {
	s := shared(t, Options{})
	castVote(t, s, 10)
	ctx := testkit.Browser(t, testkit.Deadline(browsing))
	open(ctx, t, s.URL+"/")
	if err := chromedp.Do(ctx, chromedp.Click(`a[href$="?s=9"]`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the vote and the click in the results", func() bool {
		_, counts := total(t, s)
		return counts == `{"10":1,"9":1}`
	})
	if _, page := call(t, http.MethodGet, s.URL+"/", ""); !strings.Contains(page, "answered 9, by a click") {
		t.Error("the index does not show the answer")
	}
	open(ctx, t, s.URL+"/shop/?lang=en")
	row := `#panel [data-touchpoint="shop-nps"]`
	eventually(t, "the answers so far", func() bool { return strings.Contains(text(ctx, t, row), "2 answers") })
	castVote(t, s, 0)
	eventually(t, "another, without a reload", func() bool { return strings.Contains(text(ctx, t, row), "3 answers") })
	if got := text(ctx, t, row+" .score"); got != "33" {
		t.Errorf("the score of a ten, a nine and a zero is shown as %q", got)
	}
}

func open(ctx context.Context, t *testing.T, url string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
}

// text returns what a person reads in an element.
func text(ctx context.Context, t *testing.T, selector string) string {
	t.Helper()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q).innerText", selector)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
