// Package runtimeapi runs compiled Lambda bootstraps under a Runtime API of
// its own (AWS Lambda Developer Guide, "Using the Lambda runtime API", version
// 2018-06-01), to measure them and to see that they run at all. It adds as
// little as it can to what it measures: requests are read by net/http, answers
// are written by hand.
//
// What it does not imitate: extensions, SnapStart, the init phase's time limit,
// freezing between invocations, response streaming.
package runtimeapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Process is one running bootstrap. It is not safe for concurrent use: like
// Lambda, it handles one event at a time.
type Process struct {
	// Startup is the time from exec to the first poll for an event.
	Startup time.Duration

	cmd      *exec.Cmd
	listener net.Listener
	polls    chan call
	exited   chan struct{} // closed when the process has ended; then waitErr is set
	waitErr  error
	next     call // the poll that waits for an event
	count    int
}

// call is one request of the bootstrap, with its body read whole.
type call struct {
	path string
	body []byte
	at   time.Time
	conn net.Conn
}

// Start starts a bootstrap with an environment beside the one that Lambda
// sets, and waits until it polls for its first event. The error says so where
// it exits before, or does not poll before ctx ends.
func Start(ctx context.Context, binary string, env ...string) (*Process, error) {
	return StartLogging(ctx, binary, nil, os.Stderr, env...)
}

// StartLogging is [Start] for a bootstrap whose standard output, where functions
// write their logs, and standard error somebody reads.
func StartLogging(ctx context.Context, binary string, out, errs io.Writer, env ...string) (*Process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for %s: %w", binary, err)
	}
	p := &Process{listener: l, polls: make(chan call), exited: make(chan struct{})}
	go p.accept()
	p.cmd = exec.Command(binary)
	p.cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + l.Addr().String(),
		"AWS_LAMBDA_FUNCTION_NAME=measured",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_REGION=eu-north-1",
		"AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local",
		"_HANDLER=bootstrap",
		"TZ=:UTC",
	}, env...)
	p.cmd.Stdout, p.cmd.Stderr = out, errs
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", binary, err), l.Close())
	}
	go func() {
		p.waitErr = p.cmd.Wait()
		close(p.exited)
	}()
	if p.next, err = p.await(ctx, "/invocation/next"); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", binary, err), p.Stop())
	}
	p.Startup = p.next.at.Sub(began)
	return p, nil
}

// longest is how long a function is told that it may take: as long as any may.
const longest = 15 * time.Minute

// Invoke gives the bootstrap an event and returns its answer and the time from
// writing the one to having read the other. An error of the function's own
// comes back as an error with its payload.
func (p *Process) Invoke(ctx context.Context, event []byte) ([]byte, time.Duration, error) {
	p.count++
	msg := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"+
		"Lambda-Runtime-Aws-Request-Id: 00000000-0000-0000-0000-%012d\r\n"+
		"Lambda-Runtime-Deadline-Ms: %d\r\n"+
		"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-north-1:123456789012:function:measured\r\n"+
		"Content-Length: %d\r\n\r\n", p.count, time.Now().Add(longest).UnixMilli(), len(event))
	msg = append(msg, event...)
	began := time.Now()
	if _, err := p.next.conn.Write(msg); err != nil {
		return nil, 0, fmt.Errorf("sending the event: %w", err)
	}
	answer, err := p.await(ctx, "/response")
	if err != nil {
		return nil, 0, err
	}
	took := answer.at.Sub(began)
	if _, err := io.WriteString(answer.conn, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"); err != nil {
		return nil, 0, fmt.Errorf("accepting the answer: %w", err)
	}
	p.next, err = p.await(ctx, "/invocation/next")
	return answer.body, took, err
}

// Stop ends the process.
func (p *Process) Stop() error {
	err := p.cmd.Process.Kill()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-p.exited
	return errors.Join(err, p.listener.Close())
}

// await returns the next request, which must be to a path with that end.
func (p *Process) await(ctx context.Context, end string) (call, error) {
	select {
	case c := <-p.polls:
		if !strings.HasSuffix(c.path, end) {
			return call{}, fmt.Errorf("the function reported to %s: %s", c.path, c.body)
		}
		return c, nil
	case <-p.exited:
		return call{}, fmt.Errorf("the function ended: %w", errors.Join(p.waitErr, io.EOF))
	case <-ctx.Done():
		return call{}, fmt.Errorf("waiting for a request to %s: %w", end, ctx.Err())
	}
}

func (p *Process) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.serve(conn)
	}
}

func (p *Process) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 64<<10)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		select {
		case p.polls <- call{req.URL.Path, body, time.Now(), conn}:
		case <-p.exited:
			return
		}
	}
}
