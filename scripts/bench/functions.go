package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulssi/pulssi/scripts/bench/runtimeapi"
	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/survey"
)

// The functions that customers wait for, and their baseline.
const baseline = "hello"

var public = []string{"answer", "vote"}

// build compiles a function as it is deployed, for an architecture of Lambda or
// "" for this machine, and returns the path of the binary.
func (b *bench) build(ctx context.Context, name, arch string) (string, error) {
	pkg := "./functions/" + name + "/lambda"
	if name == baseline {
		pkg = "./scripts/bench/hello"
	}
	out := filepath.Join(b.dir, arch, name)
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", out, "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w -buildid=", pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if arch != "" {
		cmd.Env = append(cmd.Env, "GOOS=linux", "GOARCH="+arch)
	}
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", name, err, text)
	}
	return out, nil
}

// binaries compiles the baseline and the public functions for this machine.
func (b *bench) binaries(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range append([]string{baseline}, public...) {
		path, err := b.build(ctx, name, "")
		if err != nil {
			return nil, err
		}
		out[name] = path
	}
	return out, nil
}

// quickDynamoDB answers every query at once with one touchpoint, so that what
// is measured is the function and not the database.
func quickDynamoDB() (*httptest.Server, error) {
	t := survey.Touchpoint{
		ID: "shop-nps", Version: 1, Series: 1, Phase: survey.After, Metric: survey.NPS, Locales: []string{"fi"},
		Channels: []survey.Channel{survey.Popup}, Name: survey.Text{"fi": "Verkkokauppa"}, Question: survey.Text{"fi": "Suosittelisitko?"},
	}
	definition, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	type s map[string]string
	page, err := json.Marshal(map[string]any{"Count": 1, "ScannedCount": 1, "Items": []any{map[string]any{
		"kind": s{"S": "touchpoint"}, "id": s{"S": t.ID}, "version": s{"N": "1"}, "definition": s{"S": string(definition)},
	}}})
	if err != nil {
		return nil, err
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write(page) // a client that is gone needs no answer
	})), nil
}

// starts measures the time from exec to the first poll of the Runtime API,
// the functions and the baseline by turns.
func starts(ctx context.Context, b *bench) ([]Row, error) {
	bins, err := b.binaries(ctx)
	if err != nil {
		return nil, err
	}
	db, err := quickDynamoDB()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	took := map[string][]time.Duration{}
	for i := range b.runs + 2 {
		for _, name := range append([]string{baseline}, public...) {
			p, err := runtimeapi.Start(ctx, bins[name], config.DynamoDBEndpoint+"="+db.URL)
			if err != nil {
				return nil, err
			}
			if err := p.Stop(); err != nil {
				return nil, err
			}
			if i >= 2 { // the first two fill the file cache
				took[name] = append(took[name], p.Startup)
			}
		}
	}
	var rows []Row
	for _, name := range public {
		rows = append(rows, compare(name+": exec to first poll, median", median(took[name]), median(took[baseline]), 1.5))
	}
	return rows, nil
}

// invocations measures one invocation that is refused before anything is
// written, the functions and the baseline by turns.
func invocations(ctx context.Context, b *bench) ([]Row, error) {
	bins, err := b.binaries(ctx)
	if err != nil {
		return nil, err
	}
	db, err := quickDynamoDB()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	took := map[string][]time.Duration{}
	const blocks = 5
	for range blocks {
		for _, name := range append([]string{baseline}, public...) {
			p, err := runtimeapi.Start(ctx, bins[name], config.DynamoDBEndpoint+"="+db.URL)
			if err != nil {
				return nil, err
			}
			event := refusedEvent(name)
			for i := range b.calls/blocks + 200 {
				answer, d, err := p.Invoke(ctx, event)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
				if name != baseline && !bytes.Contains(answer, []byte(`"statusCode":400`)) {
					return nil, fmt.Errorf("%s answered %s, want a refusal", name, answer)
				}
				if i >= 200 { // the first ones warm it up
					took[name] = append(took[name], d)
				}
			}
			if err := p.Stop(); err != nil {
				return nil, err
			}
		}
	}
	var rows []Row
	for _, name := range public {
		rows = append(rows, compare(name+": one invocation without the write, median", median(took[name]), median(took[baseline]), 1.1))
	}
	return rows, nil
}

// refusedEvent is what API Gateway sends for a score that is a fraction, with
// the headers that a browser sends.
func refusedEvent(function string) []byte {
	path, param, value, body := "/a/", "id", "q7Jx0bGk2m9ZtV4yW1cNfA", `{"score":9.5,"via":"human"}`
	if function == "vote" {
		path, param, value, body = "/v/", "touchpoint", "shop-nps", `{"id":"q7Jx0bGk2m9ZtV4yW1cNfA","score":9.5,"locale":"fi"}`
	}
	event := map[string]any{
		"version": "2.0", "routeKey": "POST " + path + "{" + param + "}", "rawPath": path + value, "rawQueryString": "",
		"headers": map[string]string{
			"accept": "*/*", "accept-encoding": "gzip, deflate, br, zstd", "accept-language": "fi-FI,fi;q=0.9,en;q=0.8",
			"content-type": "application/json", "content-length": fmt.Sprint(len(body)),
			"host": "abc123.execute-api.eu-north-1.amazonaws.com", "origin": "https://abc123.execute-api.eu-north-1.amazonaws.com",
			"sec-ch-ua": `"Chromium";v="140", "Not=A?Brand";v="24"`, "sec-ch-ua-mobile": "?0", "sec-ch-ua-platform": `"Windows"`,
			"sec-fetch-dest": "empty", "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin",
			"user-agent":      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
			"x-amzn-trace-id": "Root=1-68a8a8a8-0123456789abcdef01234567", "x-forwarded-for": "203.0.113.7",
			"x-forwarded-port": "443", "x-forwarded-proto": "https",
		},
		"pathParameters": map[string]string{param: value},
		"requestContext": map[string]any{
			"accountId": "123456789012", "apiId": "abc123", "domainName": "abc123.execute-api.eu-north-1.amazonaws.com",
			"domainPrefix": "abc123", "requestId": "PkXy1gqToAMEMfQ=", "routeKey": "POST " + path + "{" + param + "}",
			"stage": "$default", "time": "22/Aug/2026:14:00:43 +0000", "timeEpoch": 1787407243000,
			"http": map[string]string{"method": "POST", "path": path + value, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
		},
		"body": body, "isBase64Encoded": false,
	}
	b, err := json.Marshal(event)
	if err != nil {
		panic(err) // a literal
	}
	return b
}

// sizes measures what is uploaded: the bootstrap for arm64, zipped.
func sizes(ctx context.Context, b *bench) ([]Row, error) {
	zipped := map[string]int{}
	for _, name := range append([]string{baseline}, public...) {
		path, err := b.build(ctx, name, "arm64")
		if err != nil {
			return nil, err
		}
		if zipped[name], err = zipSize(ctx, path); err != nil {
			return nil, err
		}
	}
	const limit = 3_200_000
	var rows []Row
	for _, name := range public {
		rows = append(rows, Row{
			What:     name + ": zip for arm64",
			Measured: fmt.Sprintf("%.2f MB", float64(zipped[name])/1e6),
			Baseline: fmt.Sprintf("%s %.2f MB", baseline, float64(zipped[baseline])/1e6),
			Budget:   "3.20 MB",
			Holds:    zipped[name] <= limit,
		})
	}
	return rows, nil
}

// zipSize returns the size of a file in a zip as CDK makes it: by Node's zlib.
func zipSize(ctx context.Context, path string) (int, error) {
	const script = `const z = require("zlib"), f = require("fs");
console.log(z.deflateRawSync(f.readFileSync(process.argv[1]), {level: 9}).length)`
	const frame = 150 // of the zip around one file, in bytes
	out, err := exec.CommandContext(ctx, "node", "-e", script, path).Output()
	if err != nil {
		return 0, fmt.Errorf("packing %s: %w", path, err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(out)))
	return n + frame, err
}

// compare makes a row of two times whose ratio has a limit.
func compare(what string, measured, base time.Duration, limit float64) Row {
	ratio := float64(measured) / float64(base)
	return Row{
		What:     what,
		Measured: fmt.Sprintf("%.2f ms, %.2f x", ms(measured), ratio),
		Baseline: fmt.Sprintf("%s %.2f ms", baseline, ms(base)),
		Budget:   fmt.Sprintf("%.1f x", limit),
		Holds:    ratio <= limit,
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}
