package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pulssi/pulssi/scripts/bench/runtimeapi"
	"github.com/pulssi/pulssi/shared/awsenv"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/testkit/ministack"
	"github.com/pulssi/pulssi/shared/topology"
)

// prefix begins the names of what is deployed, in the stage dev.
const prefix = "pulssi-dev-"

// functions runs the functions that were deployed: ministack forwards each
// event to the path of the function's name.
type functions struct {
	account account
	dir     string
	journal *journal
	server  *http.Server
	address string
	log     *os.File

	all map[string]*function // by name as deployed

	mu   sync.Mutex
	errs []error
}

// function is one of them, with at most one process.
type function struct {
	mu      sync.Mutex // held while an event is handled
	process *runtimeapi.Process
	timeout time.Duration
}

// newFunctions listens for events.
func newFunctions(ctx context.Context, dir string, j *journal) (*functions, error) {
	l, err := net.Listen("tcp", ministack.Host+":0")
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "functions.log"))
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	fs := &functions{dir: dir, journal: j, address: l.Addr().String(), log: log, all: map[string]*function{}}
	for _, f := range topology.Functions() {
		fs.all[prefix+string(f)] = &function{}
	}
	fs.server = &http.Server{
		Handler: http.HandlerFunc(fs.serve), ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() { _ = fs.server.Serve(l) }() // it ends with close
	return fs, nil
}

// variables tell ministack where the functions run.
func (fs *functions) variables() []string {
	var out []string
	for name := range fs.all {
		out = append(out, fmt.Sprintf("MINISTACK_LAMBDA_PROXY_%s=http://%s/%s", name, fs.address, name))
	}
	return out
}

// binaries is where the functions are compiled to; go itself knows what has
// changed since the last rehearsal.
func (fs *functions) binaries() string {
	return filepath.Join(filepath.Dir(fs.dir), "bin", "functions")
}

// build compiles the functions as they are deployed, for this machine.
func (fs *functions) build(ctx context.Context) error {
	for _, f := range topology.Functions() {
		cmd := command(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-tags", "lambda.norpc",
			"-o", filepath.Join(fs.binaries(), string(f)), "./functions/"+string(f)+"/lambda")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", f, err, text)
		}
	}
	fs.journal.say("   the functions, for %s/%s instead of linux/arm64", runtime.GOOS, runtime.GOARCH)
	return nil
}

// serve handles one event.
func (fs *functions) serve(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	f := fs.all[name]
	if f == nil {
		http.NotFound(w, r)
		return
	}
	event, err := io.ReadAll(r.Body)
	if err == nil {
		event, err = withWindow(event, time.Now())
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	answer, took, err := fs.invoke(r.Context(), name, f, event)
	what := describe(event)
	if err == nil {
		fs.journal.say("   %-8s %s  (%.0f ms)", strings.TrimPrefix(name, prefix), what, float64(took.Microseconds())/1000)
		w.Header().Set("Content-Type", "application/json")
		// ministack tells what it did not get, and takes no null for nothing.
		_, _ = w.Write(bytes.Replace(answer, []byte(`"batchItemFailures":null`), []byte(`"batchItemFailures":[]`), 1))
		return
	}
	fs.journal.say("   %-8s %s  failed: %v", strings.TrimPrefix(name, prefix), what, err)
	fs.mu.Lock()
	fs.errs = append(fs.errs, fmt.Errorf("%s, %s: %w", name, what, err))
	fs.mu.Unlock()
	if f.process != nil {
		_ = f.process.Stop() // as Lambda does; the next event gets another
		f.process = nil
	}
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

// failed returns what has failed until now: invocations, and what functions
// wrote to their logs as errors, by which they tell what nobody waits for.
func (fs *functions) failed() error {
	fs.mu.Lock()
	errs := slices.Clone(fs.errs)
	fs.mu.Unlock()
	written, err := os.ReadFile(fs.log.Name())
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(written)) {
		if isError(line) {
			errs = append(errs, errors.New(strings.TrimSpace(line)))
		}
	}
	return errors.Join(errs...)
}

// isError reports whether a line of a function's log, as JSON or as text, is of
// an error.
func isError(line string) bool {
	return strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, " level=ERROR ")
}

// invoke handles an event in the function's process, and starts it where there
// is none.
func (fs *functions) invoke(ctx context.Context, name string, f *function, event []byte) ([]byte, time.Duration, error) {
	if f.process == nil {
		if err := fs.start(ctx, name, f); err != nil {
			return nil, 0, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	return f.process.Invoke(ctx, event)
}

// start starts a function with what its deployment says.
func (fs *functions) start(ctx context.Context, name string, f *function) error {
	var deployed struct {
		Role        string
		Timeout     int
		MemorySize  int
		Environment struct{ Variables map[string]string }
		Logging     struct{ LogFormat, ApplicationLogLevel string } `json:"LoggingConfig"`
	}
	if err := fs.account.get(ctx, "lambda", "/2015-03-31/functions/"+name+"/configuration", &deployed); err != nil {
		return err
	}
	role, err := fs.account.role(ctx, deployed.Role)
	if err != nil {
		return err
	}
	env := []string{
		"AWS_LAMBDA_FUNCTION_NAME=" + name, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(deployed.MemorySize),
		"AWS_LAMBDA_LOG_FORMAT=" + deployed.Logging.LogFormat, "AWS_LAMBDA_LOG_LEVEL=" + deployed.Logging.ApplicationLogLevel,
		"AWS_REGION=" + ministack.Region, "AWS_ACCESS_KEY_ID=" + role.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + role.SecretAccessKey, "AWS_SESSION_TOKEN=" + role.SessionToken,
		awsenv.Endpoint + "=" + fs.account.endpoint, config.DynamoDBEndpoint + "=" + fs.account.endpoint,
	}
	for k, v := range deployed.Environment.Variables {
		env = append(env, k+"="+v)
	}
	binary := filepath.Join(fs.binaries(), strings.TrimPrefix(name, prefix))
	f.timeout = time.Duration(deployed.Timeout) * time.Second
	f.process, err = runtimeapi.StartLogging(ctx, binary, fs.log, fs.log, env...)
	return err
}

// close ends the processes.
func (fs *functions) close() error {
	errs := []error{fs.server.Close()}
	for _, f := range fs.all {
		f.mu.Lock()
		if f.process != nil {
			errs = append(errs, f.process.Stop())
		}
		f.mu.Unlock()
	}
	return errors.Join(append(errs, fs.log.Close())...)
}

// withWindow adds to a batch of a stream what a tumbling window has Lambda add
// (AWS Lambda Developer Guide: Stateful processing with DynamoDB Streams), and
// returns other events as they are.
func withWindow(event []byte, now time.Time) ([]byte, error) {
	var e map[string]any
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, fmt.Errorf("the event is no JSON object: %w", err)
	}
	records, _ := e["Records"].([]any)
	if len(records) == 0 || e["shardId"] != nil {
		return event, nil
	}
	first, _ := records[0].(map[string]any)
	if first["eventSource"] != "aws:dynamodb" {
		return event, nil
	}
	window := time.Duration(topology.Streams()[0].WindowSeconds) * time.Second
	start := now.UTC().Truncate(window)
	e["window"] = map[string]any{"start": start.Format(time.RFC3339), "end": start.Add(window).Format(time.RFC3339)}
	e["state"] = map[string]any{}
	e["shardId"] = "shardId-00000000000000000000-00000000" // ministack's only one
	e["eventSourceARN"] = first["eventSourceARN"]
	e["isFinalInvokeForWindow"], e["isWindowTerminatedEarly"] = false, false
	return json.Marshal(e)
}

// describe says what an event is, without what is in it.
func describe(event []byte) string {
	var e struct {
		RouteKey string
		RawPath  string
		Tick     string
		Type     string `json:"detail-type"`
		Records  []struct {
			EventSource string
		}
	}
	switch err := json.Unmarshal(event, &e); {
	case err != nil:
		return "an event that cannot be read"
	case e.RouteKey != "":
		return e.RouteKey
	case e.Tick != "":
		return "the tick of " + e.Tick
	case e.Type != "":
		return "the event " + e.Type
	case len(e.Records) > 0:
		return fmt.Sprintf("%d of %s", len(e.Records), e.Records[0].EventSource)
	default:
		return "an event"
	}
}
