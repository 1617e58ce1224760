package stack

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// TestASignInGuardsTheAPI asks with the token that the index tells a program to
// get, and without one.
func TestASignInGuardsTheAPI(t *testing.T) {
	s := shared(t, Options{SignIn: true, Touchpoints: []byte(shopping)})
	ask := func(method, to string, form url.Values, header ...string) (int, string) {
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
		resp, err := http.DefaultClient.Do(r)
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

	_, index := ask(http.MethodGet, s.URL+"/", nil)
	shown := regexp.MustCompile(`curl -s -u (\S+):(\S+) -d grant_type=client_credentials -d scope=pulssi/agent \\\s+(\S+) `).FindStringSubmatch(html.UnescapeString(index))
	if shown == nil || !strings.Contains(index, s.URL+"/api/touchpoints") {
		t.Fatalf("the index does not say how a program gets a token: %s", index)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, shown[3], strings.NewReader("grant_type=client_credentials&scope=pulssi/agent"))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(shown[1], shown[2])
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var token struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&token); err != nil || token.Access == "" {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	for _, tt := range []struct {
		name, method, path, token string
		status                    int
	}{
		{"nobody", http.MethodGet, "/api/touchpoints", "", 401},
		{"a forger", http.MethodGet, "/api/touchpoints", token.Access[:len(token.Access)-4] + "AAAA", 401},
		{"a program", http.MethodGet, "/api/touchpoints", token.Access, 200},
		{"a program, for what admins do", http.MethodDelete, "/api/contacts/AAAAAAAAAAAAAAAAAAAAAA", token.Access, 403},
		{"a customer", http.MethodGet, "/t/shop-nps", "", 404}, // it has no channel link: the route is open
		{"whoever comes to sign in", http.MethodGet, "/dashboard/config.json", "", 200},
		{"the shop's panel", http.MethodGet, "/shop/results/shop-nps", "", 200},
	} {
		var header []string
		if tt.token != "" {
			header = []string{"Authorization", "Bearer " + tt.token}
		}
		if status, body := ask(tt.method, s.URL+tt.path, nil, header...); status != tt.status {
			t.Errorf("%s: %d %s", tt.name, status, body)
		}
	}
	var told struct{ Signin, Client string }
	_, config := ask(http.MethodGet, s.URL+"/dashboard/config.json", nil)
	if err := json.Unmarshal([]byte(config), &told); err != nil || told.Signin != s.SignIn.Issuer || told.Client != s.SignIn.Client {
		t.Errorf("the dashboard is told %s, %v", config, err)
	}
	// The stack's own pages ask inside the process.
	if status, page := ask(http.MethodPost, s.URL+"/events", url.Values{"body": {purchase(s, "order-1", "one@example.com")}}); status != http.StatusOK || !strings.Contains(page, "Taken: order-1") {
		t.Errorf("the page of events: %d %s", status, page)
	}
}
