package results

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pulssi/pulssi/shared/apigw/local"
	"github.com/pulssi/pulssi/shared/topology"
)

// TestTheBareAddressLeadsToTheDashboard follows it there as a browser does, by the
// routes of the gateway.
func TestTheBareAddressLeadsToTheDashboard(t *testing.T) {
	h := newHandler(nil, nil)
	api := local.New(topology.Routes(), map[topology.Function]local.Invoke{topology.Results: local.Function(h.Handle)}, h.Now)
	server := httptest.NewServer(api)
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if path := resp.Request.URL.Path; resp.StatusCode != http.StatusOK || path != "/dashboard" || resp.Request.Response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d at %s", resp.StatusCode, path)
	}
}
