// Package ministack runs ministack, an imitation of AWS that others made
// (https://github.com/ministackorg/ministack), for what needs more of AWS than
// single services: it takes whole CloudFormation stacks, by the CDK's own
// command line. `make setup` puts the program under .local/ministack; it needs
// Python 3.10 or newer.
//
// It holds every call to the policies of roles and resources. What it does not
// imitate: quotas, throttling, cold starts, TLS, tumbling windows, the bisection
// of batches.
//
// A server listens on the loopback address only, and ends with the process that
// started it, even when that is killed.
package ministack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/pulssi/pulssi/shared/testkit/checkout"
	"github.com/pulssi/pulssi/shared/testkit/internal/tether"
)

const (
	// Account is the account that all of a server is in.
	Account = "123456789012"
	// Region is the one that it answers for.
	Region = "eu-north-1"
	// Key is the access key, and the secret, of the account's root.
	Key = "rehearsal"
	// Host is what the addresses of its services end with.
	Host = "127.0.0.1"
)

// startLimit is how long a start may take, on a machine with much else to do.
const startLimit = 60 * time.Second

// Server is a running server.
type Server struct {
	// URL is the endpoint of all services, http://127.0.0.1:PORT.
	URL string

	front *http.Server
	pipe  io.Closer
	ended chan struct{}
}

// Start starts a server, with further variables of its environment, that writes
// its log to a file, and returns when it answers.
func Start(ctx context.Context, log *os.File, env ...string) (*Server, error) {
	root, err := checkout.Root()
	if err != nil {
		return nil, err
	}
	python, err := exec.LookPath(filepath.Join(root, ".local", "ministack", "bin", "python"))
	if err != nil {
		return nil, fmt.Errorf("ministack is not installed, run `make setup`: %w", err)
	}
	front, err := net.Listen("tcp", Host+":0")
	if err != nil {
		return nil, err
	}
	// The program itself listens on a socket that it is handed: no port is
	// looked for that another process might take meanwhile.
	back, err := net.Listen("tcp", Host+":0")
	if err != nil {
		return nil, errors.Join(err, front.Close())
	}
	s := &Server{URL: "http://" + front.Addr().String(), front: newFront(back.Addr().String()), ended: make(chan struct{})}
	if err := s.run(python, back.(*net.TCPListener), log, env); err != nil {
		return nil, errors.Join(err, front.Close(), back.Close())
	}
	go func() { _ = s.front.Serve(front) }() // it ends with Close
	if err := errors.Join(back.Close(), s.ready(ctx)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// newFront is what clients talk to: it says of every request that it came by
// TLS, as it would in AWS, because buckets, queues and topics refuse all others.
func newFront(back string) *http.Server {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: back})
			r.Out.Host = r.In.Host // which is signed, and tells one API from another
			r.Out.Header.Set("X-Forwarded-Proto", "https")
		},
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second},
	}
	return &http.Server{Handler: proxy, ReadHeaderTimeout: 10 * time.Second}
}

func (s *Server) run(python string, back *net.TCPListener, log *os.File, env []string) error {
	socket, err := back.File()
	if err != nil {
		return err
	}
	defer socket.Close()
	dir, err := os.MkdirTemp("", "pulssi-ministack-")
	if err != nil {
		return err
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		return err
	}
	// By env, as there are shells that drop variables with a hyphen in their name.
	args := slices.Concat(env, []string{python, "-m", "hypercorn", "ministack.app:app", "--bind", "fd://3", "--keep-alive", "75"})
	cmd := exec.Command("/usr/bin/env", args...)
	cmd.ExtraFiles = []*os.File{socket} // descriptor 3
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir,
		"AUTH=true", "AWS_ACCESS_KEY_ID=" + Key, "AWS_SECRET_ACCESS_KEY=" + Key,
		"MINISTACK_ACCOUNT_ID=" + Account, "MINISTACK_REGION=" + Region,
		"MINISTACK_HOST=" + Host, "GATEWAY_PORT=" + u.Port(),
		"IOT_MTLS_ENABLED=0", "SFTP_ENABLED=0", // they would listen on ports of their own
	}
	cmd.Stdout, cmd.Stderr = log, log
	if s.pipe, err = tether.Tie(cmd, dir); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	go func() {
		_ = cmd.Wait() // it is always ended by a signal; its log tells more
		close(s.ended)
	}()
	return nil
}

// ready waits until the server answers.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/_ministack/health", http.NoBody)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-s.ended:
			return errors.New("ministack ended, see its log")
		case <-ctx.Done():
			return fmt.Errorf("ministack does not answer: %w", ctx.Err())
		}
	}
}

// Close ends the server, and waits for that.
func (s *Server) Close() error {
	err := errors.Join(s.front.Close(), s.pipe.Close())
	<-s.ended
	return err
}
