package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/pulssi/pulssi/shared/testkit"
)

// dashboard is the address of one that says that somebody has arrived.
var dashboard = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, `<!DOCTYPE html><html lang="en"><title>Arrived</title><link rel="icon" href="data:,"><h1>Arrived</h1>`)
})).URL

// shared is the provider of all tests, each of which is a browser of its own.
var shared = sync.OnceValues(func() (*Provider, error) { return Start(context.Background(), dashboard) })

func provider(t *testing.T) *Provider {
	t.Helper()
	p, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// browser follows the sign-in as a browser does, and stops where it leads to
// the dashboard.
type browser struct {
	*http.Client
	p *Provider
}

func newBrowser(t *testing.T, p *Provider) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return browser{&http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), dashboard) {
			return http.ErrUseLastResponse
		}
		return nil
	}}, p}
}

// answer is a response that was read.
type answer struct {
	*http.Response
	body string
}

func (b browser) do(t *testing.T, method, to string, form url.Values, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := b.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp, string(body)}
}

const verifier = "a-verifier-that-only-this-test-knows-and-nobody-else"

// authorize returns the address at which the dashboard has one sign in.
func authorize(p *Provider, changed url.Values) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {p.Client}, "redirect_uri": {dashboard + "/dashboard/signin"},
		"scope": {"openid email profile"}, "state": {"mine"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	maps.Copy(q, changed)
	return p.Issuer + "/oauth2/authorize?" + q.Encode()
}

var button = regexp.MustCompile(`<button name="person" value="([^"]+)"><strong>([^<]+)</strong>`)

// code signs in as somebody, with one press, and returns the code.
func (b browser) code(t *testing.T, name string) string {
	t.Helper()
	page := b.do(t, http.MethodGet, authorize(b.p, nil), nil)
	for _, m := range button.FindAllStringSubmatch(page.body, -1) {
		if m[2] == name {
			return codeIn(t, b.do(t, http.MethodPost, page.Request.URL.String(), url.Values{"person": {m[1]}}))
		}
	}
	t.Fatalf("%d: %s is not on the page: %s", page.StatusCode, name, page.body)
	return ""
}

func codeIn(t *testing.T, a answer) string {
	t.Helper()
	back, err := url.Parse(a.Header.Get("Location"))
	if err != nil || back.Query().Get("code") == "" || back.Query().Get("state") != "mine" || !strings.HasPrefix(back.String(), dashboard+"/dashboard/signin?") {
		t.Fatalf("the sign-in leads to %s (%d, %v)", back, a.StatusCode, err)
	}
	return back.Query().Get("code")
}

type tokens struct {
	Access  string `json:"access_token"`
	ID      string `json:"id_token"`
	Refresh string `json:"refresh_token"`
	Expires int    `json:"expires_in"`
	Error   string
}

func (b browser) exchange(t *testing.T, form url.Values, header ...string) (tokens, answer) {
	t.Helper()
	a := b.do(t, http.MethodPost, b.p.TokenURL(), form, header...)
	var out tokens
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatalf("%d: %s", a.StatusCode, a.body)
	}
	return out, a
}

func withCode(p *Provider, code, verifier string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "client_id": {p.Client}, "code": {code},
		"redirect_uri": {dashboard + "/dashboard/signin"}, "code_verifier": {verifier},
	}
}

func TestSigningIn(t *testing.T) {
	p := provider(t)
	b := newBrowser(t, p)

	got, a := b.exchange(t, withCode(p, b.code(t, "Sampo Salo"), verifier), "Origin", dashboard)
	if a.StatusCode != http.StatusOK || got.Expires != 3600 || a.Header.Get("Access-Control-Allow-Origin") != dashboard {
		t.Fatalf("%d %v %s", a.StatusCode, a.Header, a.body)
	}
	who, err := p.Verify(t.Context(), got.Access)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"cognito:groups": "[viewer touchpoint:shop-nps]", "client_id": p.Client, "token_use": "access", "scope": "openid email profile", "username": who["sub"], "iss": p.Issuer,
	} {
		if who[name] != want || want == "" {
			t.Errorf("%s is %q, want %q", name, who[name], want)
		}
	}
	if who["email"] != "" || who["name"] != "" {
		t.Errorf("the access token has a name or an address: %v", who)
	}
	if _, err := p.Verify(t.Context(), got.ID); err == nil {
		t.Error("the ID token is taken in place of an access token")
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(got.ID, ".")[1])
	if err != nil || !strings.Contains(string(payload), `"name":"Sampo Salo"`) || !strings.Contains(string(payload), `"email":"sampo.salo@example.com"`) {
		t.Errorf("the ID token has %s, %v", payload, err)
	}

	// The session is there still: nobody is asked again. Codes are good once.
	code := codeIn(t, b.do(t, http.MethodGet, authorize(p, nil), nil))
	if _, a := b.exchange(t, withCode(p, code, "another-verifier-that-is-not-the-one-of-the-code")); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a wrong verifier: %d %s", a.StatusCode, a.body)
	}
	code = codeIn(t, b.do(t, http.MethodGet, authorize(p, nil), nil))
	first, _ := b.exchange(t, withCode(p, code, verifier))
	if again, a := b.exchange(t, withCode(p, code, verifier)); a.StatusCode != http.StatusBadRequest || again.Error != "invalid_grant" {
		t.Errorf("a code for the second time: %d %s", a.StatusCode, a.body)
	}
	if first.Access == "" {
		t.Error("a code for the first time gives no token")
	}

	refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {p.Client}, "refresh_token": {got.Refresh}}
	renewed, a := b.exchange(t, refresh, "Origin", dashboard)
	if a.StatusCode != http.StatusOK || renewed.Refresh == "" || renewed.Refresh == got.Refresh || renewed.Access == got.Access {
		t.Fatalf("renewing: %d %s", a.StatusCode, a.body)
	}
	if again, err := p.Verify(t.Context(), renewed.Access); err != nil || again["cognito:groups"] != who["cognito:groups"] {
		t.Errorf("the renewed token: %v, %v", again, err)
	}
	if _, a := b.exchange(t, refresh); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a refresh token for the second time: %d %s", a.StatusCode, a.body)
	}

	// Signed out, one is asked again.
	out := p.Issuer + "/logout?" + url.Values{"client_id": {p.Client}, "logout_uri": {dashboard + "/dashboard"}}.Encode()
	if a := b.do(t, http.MethodGet, out, nil); a.StatusCode != http.StatusFound || a.Header.Get("Location") != dashboard+"/dashboard" {
		t.Errorf("signing out: %d to %s", a.StatusCode, a.Header.Get("Location"))
	}
	b.code(t, "Aino Aalto")
}

func TestWhatIsRefused(t *testing.T) {
	p := provider(t)
	b := newBrowser(t, p)
	for name, changed := range map[string]url.Values{
		"another client":         {"client_id": {"other"}},
		"another address":        {"redirect_uri": {"http://localhost:2/dashboard/signin"}},
		"no challenge":           {"code_challenge": nil, "code_challenge_method": nil},
		"a challenge in clear":   {"code_challenge_method": {"plain"}},
		"a token in the address": {"response_type": {"token"}},
	} {
		a := b.do(t, http.MethodGet, authorize(p, changed), nil)
		if back, _ := url.Parse(a.Header.Get("Location")); a.StatusCode == http.StatusOK || back.Query().Get("code") != "" {
			t.Errorf("%s: %d to %s", name, a.StatusCode, back)
		}
	}
	for _, q := range []url.Values{
		{"client_id": {p.Client}, "logout_uri": {"https://evil.example"}},
		{"client_id": {"other"}, "logout_uri": {dashboard + "/dashboard"}},
	} {
		if a := b.do(t, http.MethodGet, p.Issuer+"/logout?"+q.Encode(), nil); a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" {
			t.Errorf("signing out to %v: %d", q, a.StatusCode)
		}
	}
	page := b.do(t, http.MethodGet, authorize(p, nil), nil)
	if a := b.do(t, http.MethodPost, page.Request.URL.String(), url.Values{"person": {"root"}}); a.StatusCode != http.StatusBadRequest {
		t.Errorf("somebody who is not on the list: %d", a.StatusCode)
	}
	// The choice is that of the browser that was asked.
	person := button.FindStringSubmatch(page.body)[1]
	if a := newBrowser(t, p).do(t, http.MethodPost, page.Request.URL.String(), url.Values{"person": {person}}); a.StatusCode != http.StatusBadRequest {
		t.Errorf("another browser: %d to %s", a.StatusCode, a.Header.Get("Location"))
	}
	if _, a := b.exchange(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {p.Client}}, "Origin", "https://evil.example"); a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("another site may read the answers of the token endpoint")
	}
}

func TestAProgram(t *testing.T) {
	p := provider(t)
	b := newBrowser(t, p)
	basic := func(secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(p.Program+":"+secret))
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"pulssi/agent"}}
	got, a := b.exchange(t, form, "Authorization", basic(p.Secret))
	if a.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	who, err := p.Verify(t.Context(), got.Access)
	if err != nil || who["scope"] != "pulssi/agent" || who["sub"] != p.Program || who["cognito:groups"] != "" {
		t.Errorf("the claims of a program: %v, %v", who, err)
	}
	if _, a := b.exchange(t, form, "Authorization", basic(rand.Text())); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("another secret: %d", a.StatusCode)
	}
	form.Set("scope", "pulssi/admin")
	if _, a := b.exchange(t, form, "Authorization", basic(p.Secret)); a.StatusCode != http.StatusBadRequest {
		t.Errorf("another scope: %d %s", a.StatusCode, a.body)
	}
}

// TestThePage is that of the choice: in the language of the visitor, chosen
// from by the keyboard.
func TestThePage(t *testing.T) {
	p := provider(t)
	for lang, opts := range map[string][]testkit.BrowserOption{
		"fi": {testkit.Locale("fi-FI"), testkit.Viewport(320, 700)},
		"sv": {testkit.Locale("sv-FI"), testkit.Dark()},
		"en": {testkit.Locale("de,en")},
	} {
		t.Run(lang, func(t *testing.T) {
			ctx := testkit.Browser(t, opts...)
			if err := chromedp.Do(ctx, chromedp.Navigate(authorize(p, nil))); err != nil {
				t.Fatal(err)
			}
			shown, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.documentElement.lang + " " + document.querySelectorAll("button").length + " " + (document.documentElement.scrollWidth <= innerWidth)`))
			if err != nil || shown != lang+" 5 true" {
				t.Errorf("the page is %q, %v", shown, err)
			}
			violations, err := testkit.Axe(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range violations {
				t.Error(v)
			}
			if err := chromedp.Do(ctx, chromedp.Steps(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))); err != nil {
				t.Fatal(err)
			}
			again := time.NewTicker(50 * time.Millisecond)
			defer again.Stop()
			for title := ""; title != "Arrived"; {
				select {
				case <-ctx.Done():
					t.Fatalf("one key leads to %q", title)
				case <-again.C:
				}
				title, _ = chromedp.Run(ctx, chromedp.Evaluate[string]("document.title")) // none while a page is being left
			}
		})
	}
}

func TestItEndsWithItsParent(t *testing.T) {
	p, err := Start(t.Context(), dashboard)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err != nil { // closes its standard input and no more
		t.Error(err)
	}
	if _, err := http.Get(p.Issuer); err == nil {
		t.Error("it answers after its end")
	}
}

func TestNodeIsMissing(t *testing.T) {
	path := t.TempDir()
	t.Setenv("PATH", path)
	if _, err := Start(t.Context(), dashboard); !errors.Is(err, ErrNoNode) {
		t.Errorf("without Node: %v", err)
	}
	for script, want := range map[string]error{
		"echo 'Error [ERR_MODULE_NOT_FOUND]' >&2; exit 1": ErrNoPackage,
		"echo no; exit 1": nil,
	} {
		if err := os.WriteFile(path+"/node", []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := Start(t.Context(), dashboard); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v", script, err)
		}
	}
	if err := os.WriteFile(path+"/node", []byte("#!/bin/sh\nread x\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Start(ctx, dashboard); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Node that says nothing: %v", err)
	}
}
