// Package moto runs moto, an imitation of AWS that others made and that many
// projects test against (https://docs.getmoto.org), so that what talks to AWS
// is tested with the real SDK and against a view of AWS that is not our own.
// `make setup` puts the program under .local/moto; it needs Python 3.10 or newer.
//
// What moto does not imitate: permissions, quotas, throttling, and time: it
// keeps schedules and never runs them.
//
// A server takes any credentials, and listens on the loopback address only. It
// ends with the process that started it, even when that is killed.
package moto

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/pulssi/pulssi/shared/testkit/checkout"
	"github.com/pulssi/pulssi/shared/testkit/internal/tether"
)

const (
	// Account is the account that all of a server is in.
	Account = "123456789012"
	// Region is that of [Config].
	Region = "eu-north-1"
)

// startLimit is how long a start may take, on a machine with much else to do.
const startLimit = 60 * time.Second

var errNotInstalled = errors.New("moto is not installed: run `make setup`")

// shared is the server of this process, started by the first test that needs it.
var shared = sync.OnceValues(func() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	endpoint, err := start(ctx)
	if err != nil {
		return "", fmt.Errorf("start moto: %w", err)
	}
	return endpoint, nil
})

// Endpoint returns the address of this process's server. The test fails where
// there is none. Tests share it, so each makes things with names of its own.
func Endpoint(t testing.TB) string {
	t.Helper()
	endpoint, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return endpoint
}

// Config returns what NewFromConfig of a service's package takes, for
// [Endpoint]. Clients do not repeat what fails, which would hide it. S3 needs
// paths with the bucket in them (UsePathStyle) besides.
func Config(t testing.TB) aws.Config {
	t.Helper()
	return aws.Config{
		Region:           Region,
		BaseEndpoint:     aws.String(Endpoint(t)),
		RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
}

// Kept returns what the server keeps of a kind of thing that the API of its
// service does not give back, such as the messages that were sent: ("ses",
// "RawMessage"), ("sns", "SMS"). It is that of all tests.
func Kept(t testing.TB, service, kind string) []map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, Endpoint(t)+"/moto-api/data.json", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var kept map[string]map[string][]map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&kept); err != nil {
		t.Fatal(err)
	}
	return kept[service][kind]
}

// start runs a server until this process ends, and returns its address when it
// answers. ctx bounds only the start.
func start(ctx context.Context) (string, error) {
	root, err := checkout.Root()
	if err != nil {
		return "", fmt.Errorf("%w (%w)", errNotInstalled, err)
	}
	python, err := exec.LookPath(filepath.Join(root, ".local", "moto", "bin", "python"))
	if err != nil {
		return "", fmt.Errorf("%w (%w)", errNotInstalled, err)
	}
	// Port 0: the server takes a free one, and prints it.
	cmd := exec.Command(python, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0")
	log := &output{address: make(chan string, 1)}
	cmd.Stdout, cmd.Stderr = log, log
	pipe, err := tether.Tie(cmd, "")
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is always ended by a signal; what it printed tells more
		close(ended)
	}()
	endpoint, err := ready(ctx, log, ended)
	if err != nil {
		_ = pipe.Close() // ends it
		return "", fmt.Errorf("%w\n%s", err, log.tail())
	}
	return endpoint, nil
}

// ready waits until the server answers.
func ready(ctx context.Context, log *output, ended <-chan struct{}) (string, error) {
	select {
	case endpoint := <-log.address: // it listens by now
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/moto-api/", http.NoBody)
		if err != nil {
			return "", err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", err
		}
		return endpoint, resp.Body.Close()
	case <-ended:
		return "", errors.New("it ended at once")
	case <-ctx.Done():
		return "", fmt.Errorf("it did not say where it listens: %w", context.Cause(ctx))
	}
}

// output keeps the first of what the server prints, for error messages, and
// finds its address there.
type output struct {
	address chan string

	mu    sync.Mutex
	kept  []byte
	found bool
}

const keep = 4096

var running = regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)\s`)

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept = append(o.kept, p[:min(len(p), keep-len(o.kept))]...)
	if m := running.FindSubmatch(o.kept); m != nil && !o.found {
		o.found = true
		o.address <- string(m[1])
	}
	return len(p), nil
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(bytes.TrimSpace(o.kept))
}
