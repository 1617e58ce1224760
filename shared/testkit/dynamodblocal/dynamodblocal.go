// Package dynamodblocal runs DynamoDB Local, Amazon's own imitation of DynamoDB
// and DynamoDB Streams, for tests and for the local stack. `make setup` puts the
// program under .local/dynamodb; it needs Java 17 or newer.
//
// A server takes any region and credentials, as long as the access key has only
// letters and digits, and shows the same tables to all of them. It listens on
// every interface of the machine, because the program has no option to choose
// one. It ends with the process that started it, even when that is killed.
package dynamodblocal

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/testkit/checkout"
	"github.com/pulssi/pulssi/shared/testkit/internal/tether"
)

// EndpointVariable names the environment variable that holds the address of a
// DynamoDB to use instead of starting one.
const EndpointVariable = "DYNAMODB_ENDPOINT"

const (
	// startLimit is how long one start may take, on a machine with much else to do.
	startLimit = 60 * time.Second
	// stopLimit is longer than the tether takes to kill a server that hangs.
	stopLimit = 10 * time.Second
	// tries is how many ports are tried: another process may take a port
	// between the moment it is found free and the moment the server opens it.
	tries = 5
)

var (
	errNotInstalled = errors.New("DynamoDB Local is not installed: run `make setup`")
	errNoJava       = errors.New("no java found for DynamoDB Local: run `make setup`")
	errPortTaken    = errors.New("the port was taken by another process")
)

// Options say how a server keeps its data and where its log goes.
type Options struct {
	// Dir is the folder that holds the tables; it is created when missing and
	// must not be in use by another server. Empty means in memory.
	Dir string
	// Log receives what the server prints; nil discards it.
	Log io.Writer
}

// A Server is a running DynamoDB Local. Its methods may be called concurrently.
type Server struct {
	endpoint string
	stop     func()
	done     chan struct{} // closed when the process has ended
}

// Start runs a server on a free port and returns when it answers. The server
// runs until Stop or the end of this process; ctx bounds only the start. The
// error tells to run `make setup` when the program or Java is missing, and
// otherwise carries the last lines that the server printed.
func Start(ctx context.Context, opts Options) (*Server, error) {
	java, err := javaPath()
	if err != nil {
		return nil, err
	}
	home, err := home()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for range tries {
		var port int
		if port, err = freePort(ctx); err != nil {
			break
		}
		var server *Server
		if server, err = startAt(ctx, java, home, port, opts); err == nil {
			return server, nil
		}
		if !errors.Is(err, errPortTaken) {
			break
		}
	}
	return nil, fmt.Errorf("start DynamoDB Local: %w", err)
}

// Endpoint returns the server's address, such as http://127.0.0.1:40123.
func (s *Server) Endpoint() string { return s.endpoint }

// Stop ends the server and waits for it. Tables in memory are gone, tables in a
// folder stay. Stopping a server that has ended is no error.
func (s *Server) Stop() error {
	s.stop()
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case <-s.done:
		return nil
	case <-limit.C:
		return fmt.Errorf("DynamoDB Local at %s did not stop within %s", s.endpoint, stopLimit)
	}
}

// shared is the server of this process, started by the first test that needs it.
var shared = sync.OnceValues(func() (*Server, error) {
	return Start(context.Background(), Options{})
})

// Shared returns the endpoint for this process's tests: DYNAMODB_ENDPOINT, which
// `make test` sets for all packages at once, or else one server in memory. The
// test fails when there is neither. Tests share the server, so each makes tables
// with names of its own.
func Shared(t testing.TB) string {
	t.Helper()
	if endpoint := os.Getenv(EndpointVariable); endpoint != "" {
		return endpoint
	}
	server, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return server.Endpoint()
}

func startAt(ctx context.Context, java, home string, port int, opts Options) (*Server, error) {
	var args []string
	if opts.Dir == "" {
		// Most servers in memory are for tests, and soon gone: to compile thoroughly
		// what they do takes more of the processor than they do.
		args = append(args, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
	}
	args = append(args,
		"-Xmx512m",
		"-Djava.library.path="+filepath.Join(home, "DynamoDBLocal_lib"),
		"-jar", filepath.Join(home, "DynamoDBLocal.jar"),
		"-port", strconv.Itoa(port), "-sharedDb", "-disableTelemetry",
	)
	if opts.Dir == "" {
		args = append(args, "-inMemory")
	} else {
		dir, err := filepath.Abs(opts.Dir)
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		args = append(args, "-dbPath", dir)
	}

	log := &output{next: opts.Log, taken: make(chan struct{})}
	cmd := exec.Command(java, args...)
	cmd.Env = append(os.Environ(), "DDB_LOCAL_TELEMETRY=0")
	cmd.Stdout, cmd.Stderr = log, log
	pipe, err := tether.Tie(cmd, "")
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	server := &Server{
		endpoint: "http://127.0.0.1:" + strconv.Itoa(port),
		stop:     sync.OnceFunc(func() { _ = pipe.Close() }), // fails only if the process has ended
		done:     make(chan struct{}),
	}
	go func() {
		_ = cmd.Wait() // a server is always ended by a signal; what it printed tells more
		close(server.done)
	}()
	if err := server.ready(ctx, log); err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return server, nil
}

// ready waits until the server answers.
func (s *Server) ready(ctx context.Context, log *output) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-log.taken: // it prints the failure and then hangs
			return errPortTaken
		case <-s.done:
			return fmt.Errorf("it ended at once:\n%s", log.tail())
		case <-ctx.Done():
			return fmt.Errorf("no answer at %s: %w\n%s", s.endpoint, context.Cause(ctx), log.tail())
		case <-tick.C:
			if s.answers(ctx) {
				return nil
			}
		}
	}
}

// answers reports whether a request, though unsigned and so refused, is
// answered in DynamoDB's manner.
func (s *Server) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.endpoint, http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.Header.Get("X-Amzn-Requestid") != ""
}

func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	// The server opens its port on all interfaces, so it must be free on all.
	listener, err := config.Listen(ctx, "tcp", ":0")
	if err != nil {
		return 0, err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	return port, listener.Close()
}

func javaPath() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		path, err := exec.LookPath(filepath.Join(home, "bin", "java"))
		if err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath("java")
	if err != nil {
		return "", fmt.Errorf("%w (%w)", errNoJava, err)
	}
	return path, nil
}

// home finds the folder that make setup filled.
func home() (string, error) {
	root, err := checkout.Root()
	if err != nil {
		return "", fmt.Errorf("%w (%w)", errNotInstalled, err)
	}
	home := filepath.Join(root, ".local", "dynamodb")
	if _, err := os.Stat(filepath.Join(home, "DynamoDBLocal.jar")); err != nil {
		return "", fmt.Errorf("%w (%w)", errNotInstalled, err)
	}
	return home, nil
}

// output passes on what the server prints, keeps its end for error messages,
// and notices when the server cannot have its port.
type output struct {
	next  io.Writer
	taken chan struct{} // closed when the port turns out to be taken

	mu   sync.Mutex
	kept []byte
	seen bool
}

const keep = 4096

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept = append(o.kept, p...)
	o.kept = o.kept[max(0, len(o.kept)-keep):]
	if !o.seen && bytes.Contains(o.kept, []byte("Failed to bind")) {
		o.seen = true
		close(o.taken)
	}
	if o.next == nil {
		return len(p), nil
	}
	return o.next.Write(p)
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return cmp.Or(string(bytes.TrimSpace(o.kept)), "(it printed nothing)")
}
