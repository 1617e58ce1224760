package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/pulssi/pulssi/scripts/history/demo"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/store"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit"
)

// People of scripts/signin/people.json, by the ends of their ids.
const (
	admin  = "0001"
	agent  = "0002"
	viewer = "0004" // of shop-nps alone
)

// historyDays is how much of a history there is: enough for every view to show
// something, and no more to count.
const historyDays = 12

// numbersCase is one of the scores that were computed by hand, of a touchpoint
// that has its answers and no others.
type numbersCase struct {
	Name   string
	Metric survey.Metric
	Counts map[string]int
	figures

	id string // of the touchpoint
}

// figures are the numbers of a score.
type figures struct {
	Shown                    string
	Score, Margin, Low, High *json.Number
}

// dashboard is a stack with a short history, and the cases of numbers.
type dashboard struct {
	*Stack
	cases []numbersCase
	token string // of a program
}

func newDashboard(t *testing.T) *dashboard {
	t.Helper()
	d := &dashboard{cases: readCases(t)}
	file, err := os.ReadFile("../touchpoints.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range d.cases {
		file = fmt.Appendf(file, "\n  - {id: %s, phase: leaving, metric: %s, channels: [widget], name: {fi: %q}, question: {fi: \"%s?\"}}\n", c.id, c.Metric, c.Name, c.Name)
	}
	d.Stack = shared(t, Options{SignIn: true, Touchpoints: file})
	d.token = d.programsToken(t)

	zone, err := time.LoadLocation(config.DefaultZone)
	if err != nil {
		t.Fatal(err)
	}
	// A history that was begun goes on as it was: with this seed, and no longer.
	until := d.Clock.Now().UTC().Truncate(time.Millisecond)
	from := until.AddDate(0, 0, -historyDays)
	if err := d.Store.PutDemo(t.Context(), store.Demo{}, store.Demo{Seed: []byte("dashboard"), From: from, Until: until, Through: from}); err != nil {
		t.Fatal(err)
	}
	if err := (&demo.Filler{Store: d.Store, Zone: zone, Now: d.Clock.Now}).Fill(t.Context(), func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	d.voteCases(t)
	answered := 0
	if err := d.Store.EachAsk(t.Context(), func(a *survey.Ask, err error) error {
		if err == nil && a.Counted() {
			answered++
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	eventually(t, fmt.Sprintf("%d answers in the overview", answered), func() bool {
		var o struct {
			Touchpoints []struct{ Total struct{ N int } }
		}
		d.api(t, "/api/overview", &o)
		n := 0
		for _, tp := range o.Touchpoints {
			n += tp.Total.N
		}
		return n == answered
	})
	return d
}

func readCases(t *testing.T) []numbersCase {
	t.Helper()
	b, err := os.ReadFile("../../../functions/results/testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []numbersCase }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	for i := range file.Cases {
		file.Cases[i].id = "case-" + strconv.Itoa(i+1)
	}
	return file.Cases
}

// voteCases has customers answer as the cases say, several at a time.
func (d *dashboard) voteCases(t *testing.T) {
	t.Helper()
	votes := make(chan [2]string)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for v := range votes {
				resp, err := http.Post(d.URL+"/v/"+v[0], "application/json", strings.NewReader(fmt.Sprintf(`{"id":%q,"score":%s}`, survey.NewID(), v[1])))
				if err != nil {
					t.Error(err)
					continue
				}
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("a vote at %s: %s", v[0], resp.Status)
				}
			}
		})
	}
	for _, c := range d.cases {
		for score, n := range c.Counts {
			for range n {
				votes <- [2]string{c.id, score}
			}
		}
	}
	close(votes)
	wg.Wait()
}

// programsToken returns a token of the role agent.
func (d *dashboard) programsToken(t *testing.T) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.SignIn.TokenURL(), strings.NewReader("grant_type=client_credentials&scope=pulssi/agent"))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(d.SignIn.Program, d.SignIn.Secret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || out.Access == "" {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	return out.Access
}

// file returns what the API answers to a program.
func (d *dashboard) file(t *testing.T, path string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+d.token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v, %s %s", path, err, resp.Status, b)
	}
	return b
}

// api reads an answer of the API into out.
func (d *dashboard) api(t *testing.T, path string, out any) {
	t.Helper()
	if err := json.Unmarshal(d.file(t, path), out); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// totalOf is what the API says of all answers together.
type totalOf struct {
	N int
	figures
}

func (d *dashboard) total(t *testing.T, touchpoint, query string) totalOf {
	t.Helper()
	var r struct{ Total totalOf }
	d.api(t, "/api/results/"+touchpoint+query, &r)
	return r.Total
}

// vote answers at shop-nps, with words.
func (d *dashboard) vote(t *testing.T, score int, comment string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"id": survey.NewID(), "score": score, "comment": comment})
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := call(t, http.MethodPost, d.URL+"/v/shop-nps", string(body)); status != http.StatusOK {
		t.Fatalf("vote: %d %s", status, answer)
	}
}

// guest is somebody with a browser of their own, whose language is Finnish.
type guest struct {
	*testing.T
	*dashboard
	ctx context.Context
	// keyboard is whether all is done with it, and the mouse is not touched.
	keyboard bool
	presses  int
}

func (d *dashboard) guest(t *testing.T) *guest {
	t.Helper()
	ctx := testkit.Browser(t, testkit.Locale("fi"), testkit.Deadline(2*browsing))
	return &guest{T: t, dashboard: d, ctx: ctx}
}

func (g *guest) do(actions ...chromedp.Action[chromedp.Void]) {
	g.Helper()
	if err := chromedp.Do(g.ctx, actions...); err != nil {
		g.Fatal(err)
	}
}

// look evaluates an expression in the page.
func look[T any](g *guest, expression string) T {
	g.Helper()
	got, err := chromedp.Run(g.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		g.Fatalf("%s: %v", expression, err)
	}
	return got
}

// until waits until an expression holds.
func (g *guest) until(expression string) {
	g.Helper()
	g.eventually(expression, func() bool { return look[bool](g, "!!("+expression+")") })
}

// eventually waits as the function of that name does, and tells what the page
// shows where it does so in vain.
func (g *guest) eventually(what string, holds func() bool) {
	g.Helper()
	limit := time.Now().Add(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(limit) {
			g.Fatalf("not within %s: %s\nat %s the page says\n%s", patience, what, look[string](g, "location.href"), look[string](g, "document.body.innerText"))
		}
		<-tick.C
	}
}

// settled waits until everything that the page asked for is there.
func (g *guest) settled() {
	g.Helper()
	g.until(`document.querySelector("main h1, main h2") && !document.querySelector("[aria-busy=true]")`)
}

// visit opens an address of the dashboard.
func (g *guest) visit(path string) {
	g.Helper()
	open(g.ctx, g.T, g.URL+path)
}

// read returns what is read in an element.
func (g *guest) read(selector string) string {
	g.Helper()
	g.until(fmt.Sprintf("document.querySelector(%q)", selector))
	return strings.Join(strings.Fields(text(g.ctx, g.T, selector)), " ")
}

func (g *guest) count(selector string) int {
	g.Helper()
	return look[int](g, fmt.Sprintf("document.querySelectorAll(%q).length", selector))
}

// press presses a link or a button.
func (g *guest) press(selector string) {
	g.Helper()
	g.presses++
	if !g.keyboard {
		g.do(chromedp.Click(selector))
		return
	}
	g.reach(selector)
	g.do(chromedp.KeyEvent(kb.Enter))
}

// mostStops is how often the Tab key is pressed at most to get anywhere.
const mostStops = 150

// reach moves the focus to an element by the Tab key, and sees where it is on
// each of its stops.
func (g *guest) reach(selector string) {
	g.Helper()
	g.until(fmt.Sprintf("document.querySelector(%q)", selector))
	type stop struct {
		There, Seen bool
		What        string
	}
	var at stop
	for range mostStops {
		g.do(chromedp.KeyEvent(kb.Tab))
		at = look[stop](g, fmt.Sprintf(`(() => {
			const e = document.activeElement, none = e === document.body || e === null;
			const ring = (x) => { const s = getComputedStyle(x); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 };
			let seen = false;
			for (let x = e; !none && x && x !== document.body && !seen; x = x.parentElement) seen = ring(x);
			const r = e?.getBoundingClientRect();
			const inside = !none && r.bottom > 0 && r.top < innerHeight && r.right > 0 && r.left < innerWidth;
			return {There: !none && e.matches(%q), Seen: none || seen && inside, What: e?.cloneNode().outerHTML ?? ""};
		})()`, selector))
		if !at.Seen {
			g.Errorf("the focus is not seen on %s", at.What)
		}
		if at.There {
			return
		}
	}
	g.Fatalf("the Tab key does not lead to %s; it is on %s", selector, at.What)
}

// choose chooses of a select by what its option is called.
func (g *guest) choose(selector, name string) {
	g.Helper()
	g.reach(selector)
	g.do(chromedp.KeyEvent(name))
}

// signIn signs in as one of the people, and waits for the view that was open.
func (g *guest) signIn(person string) {
	g.Helper()
	g.press(".welcome button.main")
	g.until("document.querySelector('button[name=person]')")
	g.press(`button[value$="` + person + `"]`)
	g.until(fmt.Sprintf("location.origin === %q && document.querySelector('.user')", g.URL))
	g.settled()
}

// latency has each answer come so much later, in milliseconds.
func latency(ms float64) chromedp.Action[chromedp.Void] {
	return connection(network.Conditions{Latency: ms, DownloadThroughput: -1, UploadThroughput: -1})
}

func connection(c network.Conditions) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		if _, err := cdp.Call(ctx, page, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{&c}}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, page, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: c.Offline, Latency: c.Latency, DownloadThroughput: -1, UploadThroughput: -1})
		return err
	})
}

// refused waits for so many of the browser's own errors about what it was
// refused, and takes them; all have a word in them.
func (g *guest) refused(least int, word string) {
	g.Helper()
	var all []string
	g.eventually(fmt.Sprintf("%d errors about %s", least, word), func() bool {
		all = append(all, testkit.ConsoleErrors(g.ctx)...)
		return len(all) >= least
	})
	for _, e := range all {
		if !strings.Contains(e, word) {
			g.Errorf("in the browser's console: %s", e)
		}
	}
}

// TestDashboard walks through the dashboard in Chromium, on one stack.
func TestDashboard(t *testing.T) {
	d := newDashboard(t)
	t.Run("by mouse", func(t *testing.T) { d.walk(t, false) })
	t.Run("by keyboard", func(t *testing.T) { d.walk(t, true) })
	t.Run("limited", d.limited)
	g := d.guest(t)
	g.visit("/dashboard/t/shop-nps")
	g.signIn(admin)
	if at := look[string](g, "location.pathname"); at != "/dashboard/t/shop-nps" {
		t.Errorf("after the sign-in one is at %s", at)
	}
	as := func(step func(*guest)) func(*testing.T) {
		return func(t *testing.T) {
			at := *g
			at.T = t
			step(&at)
		}
	}
	t.Run("a new answer", as((*guest).newAnswer))
	t.Run("offline", as((*guest).offline))
	t.Run("languages", as((*guest).languages))
	t.Run("numbers", as((*guest).numbers))
	t.Run("nothing moves", as((*guest).nothingMoves))
	t.Run("accessible", as((*guest).accessible))
	t.Run("expired", as((*guest).expired))
}

// walk goes from the sign-in to a comment, to a shared view and out.
func (d *dashboard) walk(t *testing.T, keyboard bool) {
	g := d.guest(t)
	g.keyboard = keyboard
	g.visit("/dashboard")
	g.signIn(agent)
	if g.presses != 2 { // one on the dashboard, and one for who to be
		t.Errorf("signing in took %d presses", g.presses)
	}

	const card = `.stand:has(a[href*="/t/shop-nps"])`
	if got := g.read("h1"); got != "Yleiskuva" {
		t.Errorf("the page is called %q", got)
	}
	all := d.total(t, "shop-nps", "")
	if got, want := g.read(card+" .figure"), finnish(all.Shown); got != want {
		t.Errorf("the card of shop-nps says %s, the API %s", got, want)
	}
	if got, want := g.read(card+" .answers"), fmt.Sprintf("%d vastausta", all.N); !strings.HasPrefix(got, want) {
		t.Errorf("the card of shop-nps says %s, the API %s", got, want)
	}
	if n, want := g.count(".stand"), 9+len(d.cases); n != want {
		t.Errorf("%d cards, want %d", n, want)
	}

	// From a card to a comment.
	g.presses = 0
	g.press(card + " a")
	g.until(`document.querySelector("button.tower")`)
	g.settled()
	if keyboard && look[string](g, "document.activeElement.id") != "title" {
		t.Error("after the view has changed, its heading has not the focus")
	}
	score := look[int](g, `(() => {
		const given = [...document.querySelectorAll(".comment .badge")].map((b) => Number(b.textContent));
		return Math.min(...given);
	})()`)
	tower := fmt.Sprintf(`.scores li:nth-child(%d) button`, score+1)
	g.press(tower)
	g.until(fmt.Sprintf(`location.search.includes("score=%d")`, score))
	g.settled()
	g.until(fmt.Sprintf(`document.querySelector(".comment .words") && [...document.querySelectorAll(".comment .badge")].every((b) => b.textContent == "%d")`, score))
	if words := look[string](g, `document.querySelector(".comment .words").textContent`); words == "" {
		t.Error("the comment has no words")
	}
	if g.presses > 3 {
		t.Errorf("from a card to a comment it took %d presses", g.presses)
	}

	// A bar is pressed again for all, and a channel for its answers alone.
	g.press(tower)
	g.until(`!location.search.includes("score")`)
	email := `.groups button.pick[aria-pressed]`
	channel := look[string](g, fmt.Sprintf("document.querySelector(%q).textContent", email))
	g.press(email)
	g.until(`location.search.includes("channel=") && document.querySelector(".chosen")`)
	g.settled()
	if got := g.read(".chosen"); !strings.Contains(got, channel) {
		t.Errorf("the page is about %s, not about %s", got, channel)
	}
	part := d.total(t, "shop-nps", "?"+strings.TrimPrefix(look[string](g, "location.search"), "?"))
	g.until(fmt.Sprintf(`document.querySelector(".standing .answers").textContent.startsWith("%d vasta")`, part.N))
	if got, want := g.read(".standing .figure"), finnish(part.Shown); got != want || part.N >= all.N {
		t.Errorf("the page of a channel says %s of %d answers, the API %s of %d", got, part.N, want, all.N)
	}
	g.press(".chosen button")
	g.until(`!location.search.includes("channel=") && !document.querySelector(".chosen")`)
	if keyboard {
		g.arrows()
	}
	g.share(all)
	g.press(".user button")
	g.until(`document.querySelector(".welcome button.main") && !document.querySelector(".user")`)
	if left := look[string](g, `sessionStorage.getItem("pulssi.session") ?? ""`); left != "" {
		t.Errorf("after signing out, the browser keeps %s", left)
	}
	g.press(".welcome button.main")
	g.until(`document.querySelector("button[name=person]")`) // nobody is remembered
}

// arrows goes along the trend by the arrow keys.
func (g *guest) arrows() {
	g.Helper()
	g.reach("#shop-nps-trend")
	const said = `document.querySelector("#shop-nps-trend > [role=status]").textContent`
	var heard []string
	for _, key := range []string{kb.ArrowLeft, kb.ArrowLeft, kb.ArrowRight, kb.Home} {
		g.do(chromedp.KeyEvent(key))
		heard = append(heard, look[string](g, said))
	}
	if heard[0] == "" || heard[0] == heard[1] || heard[0] != heard[2] || heard[3] == heard[2] {
		g.Errorf("the arrow keys lead along %q", heard)
	}
}

// share shares the touchpoint that is open, has somebody open it who has not
// signed in, and revokes it.
func (g *guest) share(want totalOf) {
	g.Helper()
	g.press("#share")
	g.press("dialog[open] [type=submit]")
	link := look[string](g.waiting("#share-link"), `document.querySelector("#share-link").value`)
	if !strings.HasPrefix(link, g.URL+"/s/") {
		g.Fatalf("the link is %q", link)
	}
	g.do(chromedp.KeyEvent(kb.Escape))
	g.until(`!document.querySelector("dialog[open]")`)

	other := g.dashboard.guest(g.T)
	open(other.ctx, g.T, link)
	other.settled()
	if got := other.read("h1"); got != "Ostoksen jälkeen" {
		g.Errorf("the shared view is called %q", got)
	}
	if got := other.read(".standing .figure"); got != finnish(want.Shown) {
		g.Errorf("the shared view says %s, the API %s", got, want.Shown)
	}
	for _, more := range []string{"nav", "#share", "button.tower", ".comments", ".user"} {
		if n := other.count(more); n > 0 {
			g.Errorf("the shared view has %d of %s", n, more)
		}
	}

	g.press(`nav a[href="/dashboard/shares"]`)
	g.settled()
	rows := g.count(".shares > li")
	g.press(".shares button.danger")
	g.press("dialog[open] button.danger")
	g.until(fmt.Sprintf(`document.querySelectorAll(".shares > li").length === %d && !document.querySelector("dialog[open]")`, rows-1))
	other.do(chromedp.Reload())
	other.until(`document.querySelector("h1")?.textContent === "Tätä näkymää ei enää ole"`)
	other.refused(1, "404")
}

// waiting returns the guest once there is an element.
func (g *guest) waiting(selector string) *guest {
	g.Helper()
	g.until(fmt.Sprintf("document.querySelector(%q)", selector))
	return g
}

// limited signs in as a viewer of one touchpoint, who sees no other.
func (d *dashboard) limited(t *testing.T) {
	g := d.guest(t)
	g.visit("/dashboard")
	g.signIn(viewer)
	if links := look[[]string](g, `[...document.querySelectorAll(".stand a, .attention a")].map((a) => new URL(a.href).pathname)`); len(links) == 0 || slices.ContainsFunc(links, func(l string) bool { return l != "/dashboard/t/shop-nps" }) {
		t.Errorf("there are links to %q", links)
	}
	if links := look[[]string](g, `[...document.querySelectorAll("nav a")].map((a) => a.getAttribute("href"))`); !slices.Equal(links, []string{"/dashboard", "/dashboard/settings"}) {
		t.Errorf("the menu leads to %q", links)
	}
	if g.count("#share") > 0 {
		t.Error("a viewer can share")
	}
	for _, path := range []string{"/dashboard/t/support-csat", "/dashboard/t/nothing", "/dashboard/people", "/dashboard/shares", "/dashboard/settings/support-csat"} {
		g.visit(path)
		g.until(`document.querySelector(".trouble h2")?.textContent === "Sivua ei löydy"`)
		if body := look[string](g, "document.body.innerText"); strings.Contains(body, "Asiakaspalvelun jälkeen") {
			t.Errorf("%s tells of what may not be seen: %s", path, body)
		}
	}
	g.refused(2, "404")
}

// newAnswer sees an answer arrive without a reload, whose words are shown as
// they were written.
func (g *guest) newAnswer() {
	const words = `<img src=x onerror="window.broken = 1"><b>Hei</b> & <script>window.broken = 2</script>`
	before := g.total(g.T, "shop-nps", "")
	g.do(chromedp.Evaluate[chromedp.Void](`window.stays = true`))
	g.vote(g.T, 9, words)
	cast := time.Now()
	g.until(fmt.Sprintf(`document.querySelector(".standing .answers").textContent.startsWith("%d vasta")`, before.N+1))
	g.Logf("the answer was shown after %s", time.Since(cast).Round(time.Millisecond))
	// That it is within ten seconds is up to how often the page asks, by its own
	// clock: an answer is counted within two (see package pump).
	const soon = 8_500
	if waits := look[[]float64](g, `(() => {
		const asked = performance.getEntriesByType("resource").filter((r) => r.name.includes("/api/results/")).map((r) => [r.startTime, r.responseEnd]);
		return asked.slice(1).map(([start], i) => start - asked[i][1]);
	})()`); len(waits) == 0 || slices.Min(waits) > soon {
		g.Errorf("the page asks again after %.0f ms", waits)
	}
	g.press(".newer button")
	g.until(`document.querySelector(".comment .words")?.textContent.includes("onerror")`)
	if got := look[string](g, `document.querySelector(".comment .words").textContent`); got != words {
		g.Errorf("the comment is shown as %q, want %q", got, words)
	}
	if n := g.count(".words *"); n > 0 {
		g.Errorf("there are %d elements in the comments", n)
	}
	if look[bool](g, "window.broken !== undefined || !window.stays") {
		g.Error("a script of a comment has run, or the page was loaded anew")
	}
}

// offline loses the connection: what was there stays, and one is told.
func (g *guest) offline() {
	all := func() string {
		return look[string](g, `[".standing .figure", ".standing .answers", ".comments .feed"].map((s) => document.querySelector(s).textContent).join("\n")`)
	}
	before := all()
	g.do(connection(network.Conditions{Offline: true, DownloadThroughput: -1, UploadThroughput: -1}))
	g.until(`document.querySelector(".notices").textContent.includes("Ei yhteyttä")`)
	// Whoever comes back to the tab asks at once.
	g.do(chromedp.Evaluate[chromedp.Void](`document.dispatchEvent(new Event("visibilitychange"))`))
	const disconnected = "ERR_INTERNET_DISCONNECTED"
	g.refused(4, disconnected) // of all that the page shows
	if after := all(); after != before {
		g.Errorf("without a connection the page shows %s, before it showed %s", after, before)
	}
	g.do(latency(0))
	g.until(`!document.querySelector(".notices").textContent.includes("Ei yhteyttä")`)
	if after := all(); after != before {
		g.Errorf("after the connection came back the page shows %s, before it showed %s", after, before)
	}
	g.refused(0, disconnected)
}

// languages changes the language, by the keyboard.
func (g *guest) languages() {
	g.visit("/dashboard")
	g.settled()
	for _, l := range []struct{ name, lang, title, goal string }{
		{"sv", "sv", "Översikt", "Mål"}, {"en", "en", "Overview", "Goal"}, {"su", "fi", "Yleiskuva", "Tavoite"},
	} {
		g.choose("#language", l.name)
		g.until(fmt.Sprintf(`document.documentElement.lang === %q && document.querySelector("h1").textContent === %q`, l.lang, l.title))
		if got := g.read(`.stand:has(a[href*="/t/shop-nps"]) .goal`); !strings.HasPrefix(got, l.goal) {
			g.Errorf("in %s the goal is told as %q", l.lang, got)
		}
		g.visit("/dashboard")
		g.settled()
		if got := g.read("h1"); got != l.title {
			g.Errorf("after a reload the page is called %q, want %q", got, l.title)
		}
	}
}

// expired comes with tokens that are not taken any more.
func (g *guest) expired() {
	with := func(change string) {
		g.Helper()
		g.do(chromedp.Evaluate[chromedp.Void](`sessionStorage.setItem("pulssi.session", JSON.stringify({...JSON.parse(sessionStorage.getItem("pulssi.session")), ` + change + `}))`))
		g.visit("/dashboard/t/shop-nps?view=themes")
	}
	with(`expires: 0`) // and the refresh token is good
	g.settled()
	if g.count(".standing .figure") != 1 {
		g.Error("a token is not renewed")
	}
	for _, change := range []string{`expires: 0, refresh: ""`, `access: "forged"`, `expires: 0, refresh: "forged"`} {
		with(change)
		g.press(".welcome button.main") // and the sign-in knows who it is
		g.until(`document.querySelector(".user") && location.pathname === "/dashboard/t/shop-nps"`)
		g.settled()
		if at := look[string](g, "location.search"); at != "?view=themes" {
			g.Errorf("after the sign-in the view is %s", at)
		}
	}
	g.refused(2, "40") // 401 of the API, 400 of the sign-in
}

// finnish writes a number of the API as it is read.
func finnish(n string) string {
	return strings.NewReplacer("-", "−", ".", ",").Replace(n)
}
