package grants

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"

	"github.com/pulssi/pulssi/shared/topology"
)

// recorder stands between a function and AWS, passes on every call and notes
// what it needs. It is safe for concurrent use.
type recorder struct {
	*httptest.Server
	function topology.Function
	place    place
	tables   string   // the prefix that tables have here instead of the place's
	dynamodb *url.URL // where the calls to DynamoDB go
	others   *url.URL // where the rest goes

	mu    sync.Mutex
	down  string // the service that answers nobody now
	calls map[call]bool
	errs  []error
}

// listen starts the recorder on a free port.
func (r *recorder) listen() {
	r.calls = map[call]bool{}
	r.Server = httptest.NewServer(r)
}

// recorded returns what the function's calls needed so far. The error is of
// calls of which nothing is known.
func (r *recorder) recorded() ([]call, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []call
	for c := range r.calls {
		out = append(out, c)
	}
	return out, errors.Join(r.errs...)
}

// setDown has a service, as signatures name it, answer that it is down; "" for
// none.
func (r *recorder) setDown(service string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = service
}

// note notes a call, before its answer is passed on: what a function that has
// returned did is recorded whole.
func (r *recorder) note(w wire, status int) {
	w.status = status
	all, err := w.calls()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.errs = append(r.errs, err)
	}
	for _, c := range all {
		c.function = r.function
		r.calls[c] = true
	}
}

func (r *recorder) isDown(service string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.down == service
}

// ServeHTTP passes a call on.
func (r *recorder) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return // the function is gone
	}
	w, err := readWire(r.place, in, bytes.ReplaceAll(body, []byte(r.tables), []byte(r.place.prefix)))
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	if r.isDown(w.service) {
		r.note(w, http.StatusServiceUnavailable)
		out.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	to := r.others
	if w.service == "dynamodb" {
		to = r.dynamodb
	}
	in.Body = io.NopCloser(bytes.NewReader(body))
	proxy := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(to) },
		ModifyResponse: func(resp *http.Response) error {
			r.note(w, resp.StatusCode)
			return nil
		},
	}
	proxy.ServeHTTP(out, in)
}
