package obs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pulssi/pulssi/shared/obs"
)

var now = time.Date(2026, 11, 21, 10, 0, 0, 123_000_000, time.UTC)

const trace = "1-67891233-abcdef012345678912345678"

// traced is the context of an invocation, as package lambda makes it.
func traced() context.Context {
	//nolint:staticcheck // the key is that of package lambda, a text
	return context.WithValue(context.Background(), "x-amzn-trace-id", "Root="+trace+";Parent=53995c3f42cd8ad8;Sampled=0")
}

func metrics(name string) (*obs.Metrics, *bytes.Buffer) {
	var out bytes.Buffer
	getenv := func(variable string) string {
		return map[string]string{"AWS_LAMBDA_FUNCTION_NAME": name}[variable]
	}
	return obs.NewMetrics(getenv, &out, func() time.Time { return now }), &out
}

// emf returns a check of a line against the rules of the format.
func emf(t *testing.T) func(line []byte) error {
	t.Helper()
	file, err := os.Open("testdata/emf.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	doc, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("emf.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("emf.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(line []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err != nil {
			return err
		}
		return schema.Validate(v)
	}
}

// TestLines writes every metric there is, and reads the lines as CloudWatch
// does: by the rules of the format, and each name that a directive has is there
// with what belongs to it.
func TestLines(t *testing.T) {
	check := emf(t)
	m, out := metrics("pulssi-prod-tally")
	var values []obs.Value
	for i, n := range obs.Names() {
		values = append(values, n.Is(float64(i)+0.5))
		m.Put(context.Background(), nil, n.Is(1))
	}
	m.Put(traced(), obs.Fields{"shard": "shardId-1", "records": 3}, values...)
	lines := strings.SplitAfter(out.String(), "\n")
	if len(lines) != len(values)+2 || lines[len(values)+1] != "" {
		t.Fatalf("%d metrics and all of them are %d lines:\n%s", len(values), len(lines), out)
	}
	for _, line := range lines[:len(values)+1] {
		if err := check([]byte(line)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		var root map[string]any
		if err := json.Unmarshal([]byte(line), &root); err != nil {
			t.Fatal(err)
		}
		directive := root["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)
		if directive["Namespace"] != "Pulssi" || root["stage"] != "prod" || root["function"] != "tally" || root["level"] != "INFO" {
			t.Errorf("line %s", line)
		}
		for _, d := range directive["Dimensions"].([]any)[0].([]any) {
			if _, ok := root[d.(string)].(string); !ok {
				t.Errorf("dimension %s is no text in %s", d, line)
			}
		}
		for _, d := range directive["Metrics"].([]any) {
			if _, ok := root[d.(map[string]any)["Name"].(string)].(float64); !ok {
				t.Errorf("metric %s is no number in %s", d, line)
			}
		}
	}
	const want = `{"TallyLag":4200,"_aws":{"Timestamp":1795255200123,"CloudWatchMetrics":[{"Namespace":"Pulssi","Dimensions":[["stage","function"]],` +
		`"Metrics":[{"Name":"TallyLag","Unit":"Milliseconds"}]}]},"function":"tally","level":"INFO","shard":"shardId-1","stage":"prod",` +
		`"timestamp":"2026-11-21T10:00:00.123Z","trace":"1-67891233-abcdef012345678912345678"}` + "\n"
	out.Reset()
	m.Put(traced(), obs.Fields{"shard": "shardId-1"}, obs.TallyLag.Is(4200))
	if out.String() != want {
		t.Errorf("line %swant %s", out, want)
	}
}

// TestWhatIsNoLine holds the check to what it is for.
func TestWhatIsNoLine(t *testing.T) {
	check := emf(t)
	m, out := metrics("pulssi-dev-send")
	m.Put(context.Background(), nil, obs.Sends.Is(1))
	good := out.String()
	for _, change := range [][2]string{
		{`"_aws"`, `"aws"`},
		{`"Timestamp":1795255200123,`, ``},
		{`"Namespace":"Pulssi",`, ``},
		{`"Unit":"Count"`, `"Unit":"Messages"`},
		{`[["stage","function"]]`, `["stage","function"]`},
		{`"Metrics":[{"Name":"Sends","Unit":"Count"}]`, `"Metrics":[]`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("%s is not in %s", change[0], good)
		}
		if err := check([]byte(bad)); err == nil {
			t.Errorf("%s passes", bad)
		}
	}
}

func TestNobodyReads(t *testing.T) {
	for _, name := range []string{"", "tally", "pulssi-", "pulssi-prod", "pulssi-prod-", "other-prod-tally"} {
		m, out := metrics(name)
		m.Put(context.Background(), nil, obs.Sends.Is(1))
		if m != nil || out.Len() > 0 {
			t.Errorf("function %q writes %q", name, out)
		}
	}
	m, out := metrics("pulssi-prod-send")
	m.Put(context.Background(), obs.Fields{"batch": 1})
	m.Put(context.Background(), nil, obs.Sends.Is(math.NaN()))
	if out.Len() > 0 {
		t.Errorf("without a value there is %q", out)
	}
}

func TestTraces(t *testing.T) {
	for header, want := range map[string]string{
		"Root=" + trace + ";Parent=53995c3f42cd8ad8;Sampled=1": trace,
		"Self=1-2-3;Root=" + trace:                             trace,
		"Root=" + trace:                                        trace,
		"Parent=53995c3f42cd8ad8":                              "",
		"":                                                     "",
	} {
		//nolint:staticcheck // the key is that of package lambda, a text
		if got := obs.TraceID(context.WithValue(context.Background(), "x-amzn-trace-id", header)); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
	var out bytes.Buffer
	l := obs.WithTrace(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo})))
	l.InfoContext(traced(), "sent", "touchpoint", "shop-nps")
	l.With("a", 1).WithGroup("g").WarnContext(traced(), "grouped", "b", 2)
	l.InfoContext(context.Background(), "without")
	l.DebugContext(traced(), "below the level")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[0], "touchpoint=shop-nps trace="+trace) ||
		!strings.HasSuffix(lines[1], "a=1 g.b=2 g.trace="+trace) || strings.Contains(lines[2], "trace") {
		t.Errorf("lines:\n%s", &out)
	}
}

func BenchmarkPut(b *testing.B) {
	m, out := metrics("pulssi-prod-tally")
	for b.Loop() {
		out.Reset()
		m.Put(traced(), obs.Fields{"shard": "shardId-1"}, obs.Answers.Is(3), obs.Votes.Is(10), obs.TallyLag.Is(4200))
	}
}
