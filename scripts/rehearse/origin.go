package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/testkit/ministack"
)

// origin is where the front finds the API. In AWS it does so by the API's name;
// ministack sends nothing to names of AWS. It is also where one region finds the
// other.
type origin struct {
	server  *http.Server
	port    int
	account account
	api     atomic.Pointer[string] // its host; nil before it is known
}

// newOrigin listens for requests, and hands them on to the API once [origin.lead]
// says which that is.
func newOrigin(a account) (*origin, error) {
	at, err := url.Parse(a.endpoint)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", ministack.Host+":0")
	if err != nil {
		return nil, err
	}
	o := &origin{port: l.Addr().(*net.TCPAddr).Port, account: a}
	on := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(at)
		r.Out.Host = at.Host // what CDK's function tells CloudFormation
		if api := o.api.Load(); api != nil && r.In.Header.Get(config.FrontHeader) != "" {
			r.Out.Host = *api
		}
	}}
	o.server = &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target := r.Header.Get("X-Amz-Target")
		if !strings.HasPrefix(target, "AmazonSSM.") {
			on.ServeHTTP(w, r)
			return
		}
		b, err := o.home(r.Context(), target, r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = w.Write(b) // who is gone needs no answer
	})}
	go func() { _ = o.server.Serve(l) }() // it ends with its Close
	return o, nil
}

// lead leads to the API at an address from now on.
func (o *origin) lead(api string) error {
	u, err := url.Parse(api)
	if err == nil {
		o.api.Store(&u.Host)
	}
	return err
}

// home makes a call of the parameter store in the region of the deployment.
func (o *origin) home(ctx context.Context, target string, body io.Reader) ([]byte, error) {
	var in, out json.RawMessage
	if err := json.NewDecoder(body).Decode(&in); err != nil {
		return nil, err
	}
	err := o.account.target(ctx, "ssm", target, in, &out)
	return out, err
}
