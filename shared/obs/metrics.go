// Package obs is how people watch the functions: metrics, which CloudWatch reads
// from the logs (embedded metric format), and the id by which the lines of one
// trace are found.
//
// No line of a log tells of a person, so that erasing one leaves nothing there.
// What people are called, reached by or say is in no line, nor in an error that
// may become one. A contact, an ask, a business event and a message of the mail
// or SMS service are named by the fingerprint of their id (survey.Fingerprint):
// who has the id finds the lines, and nobody learns the id from them. Ids that
// are nobody's, as of a request, a trace, a record of a stream or a message of a
// queue, stand as they are.
//
// An answer or a vote writes no line of its own: at half a dollar for a gigabyte
// of logs that would cost as much as a fifth of taking it. The tally sees every
// one of them on the stream, and counts them by the batch.
package obs

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"time"
)

// Namespace is that of the metrics in CloudWatch. Their dimensions are stage and
// function.
const Namespace = "Pulssi"

// Name is a metric.
type Name struct{ name, unit string }

// The metrics. They are for watching, and the tallies for counting: here what
// Lambda repeats is counted again, and of a batch that the tally counted in part
// only what was left of it.
var (
	// Answers and Votes are asks that were answered for the first time: by a
	// link or a reply, and by the popup, an app or a kiosk. Suspects are those
	// that came to look like a mail scanner's.
	Answers  = Name{"Answers", "Count"}
	Votes    = Name{"Votes", "Count"}
	Suspects = Name{"Suspects", "Count"}
	// TallyLag is the age of the oldest change of a batch when it was counted.
	TallyLag = Name{"TallyLag", "Milliseconds"}
	// Sends are messages that the mail or SMS service took; Bounces and
	// Complaints what SES told of them.
	Sends = Name{"Sends", "Count"}
	// SendFailures are attempts that failed and are made again: one now and then
	// is nothing, and all of them for an hour an outage.
	SendFailures = Name{"SendFailures", "Count"}
	Bounces      = Name{"Bounces", "Count"}
	Complaints   = Name{"Complaints", "Count"}
)

// Names lists the metrics.
func Names() []Name {
	return []Name{Answers, Votes, Suspects, TallyLag, Sends, SendFailures, Bounces, Complaints}
}

// String returns the metric's name in CloudWatch.
func (n Name) String() string { return n.name }

// Value is a metric's value at a moment.
type Value struct {
	Name  Name
	Value float64
}

// Is returns a value of the metric.
func (n Name) Is(v float64) Value { return Value{n, v} }

// Fields are what a line has beside its metrics, to be found by. Their names
// must not be those of metrics or dimensions.
type Fields map[string]any

// Metrics writes metrics. Nil is one that writes nothing. It is safe for
// concurrent use as far as w is.
type Metrics struct {
	w               io.Writer
	stage, function string
	now             func() time.Time
}

// functionName is the variable by which Lambda tells a function its name.
const functionName = "AWS_LAMBDA_FUNCTION_NAME"

// NewMetrics returns what writes metrics to w, the standard output that Lambda
// takes to CloudWatch, with the stage and function that are in the function's
// name (pulssi-prod-tally). It returns nil where there is no such name: on the
// local stack nobody reads them.
func NewMetrics(getenv func(string) string, w io.Writer, now func() time.Time) *Metrics {
	name, ours := strings.CutPrefix(getenv(functionName), "pulssi-")
	stage, function, whole := strings.Cut(name, "-")
	if !ours || !whole || stage == "" || function == "" {
		return nil
	}
	return &Metrics{w, stage, function, now}
}

// metric is a MetricDefinition, directive a MetricDirective and metadata what is
// under _aws (Amazon CloudWatch User Guide: embedded metric format
// specification).
type metric struct {
	Name string
	Unit string
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metric
}

type metadata struct {
	Timestamp         int64 // milliseconds since 1970
	CloudWatchMetrics []directive
}

// Put writes one line with values of one moment, at most a hundred. Where it
// cannot be written there is nobody to tell, and the metrics have a gap.
func (m *Metrics) Put(ctx context.Context, fields Fields, values ...Value) {
	if m == nil || len(values) == 0 {
		return
	}
	now := m.now()
	d := directive{Namespace: Namespace, Dimensions: [][]string{{"stage", "function"}}}
	line := map[string]any{
		// As the lines of a log have it: without these Lambda adds its own.
		"timestamp": now.UTC().Format(time.RFC3339Nano), "level": "INFO",
		"stage": m.stage, "function": m.function,
	}
	if id := TraceID(ctx); id != "" {
		line[traceKey] = id
	}
	for name, v := range fields {
		line[name] = v
	}
	for _, v := range values {
		d.Metrics = append(d.Metrics, metric{v.Name.name, v.Name.unit})
		line[v.Name.name] = v.Value
	}
	line["_aws"] = metadata{now.UnixMilli(), []directive{d}}
	b, err := json.Marshal(line)
	if err != nil {
		return // a value that is no number
	}
	_, _ = m.w.Write(append(b, '\n'))
}
