package traffic

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is what became of the traffic.
type Report struct {
	Requests   map[Kind]int        `json:"requests"`   // that were answered, by what they were for
	Statuses   map[int]int         `json:"statuses"`   // of the answers
	Unanswered int                 `json:"unanswered"` // requests that no answer came to
	Seconds    float64             `json:"seconds"`
	PerSecond  float64             `json:"perSecond"` // requests
	Latency    Latency             `json:"latencyMilliseconds"`
	Answers    int                 `json:"answers"` // ids under which something was accepted
	Accepted   map[string]Accepted `json:"-"`       // what must stand under each of them

	took []time.Duration
}

// Latency is how long requests took, in milliseconds: half of them at most
// P50, and so on.
type Latency struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func newReport() *Report {
	return &Report{Requests: map[Kind]int{}, Statuses: map[int]int{}, Accepted: map[string]Accepted{}}
}

func (r *Report) note(k Kind, status int, took time.Duration) {
	r.Requests[k]++
	r.Statuses[status]++
	r.took = append(r.took, took)
}

func (r *Report) add(o *Report) {
	for k, n := range o.Requests {
		r.Requests[k] += n
	}
	for s, n := range o.Statuses {
		r.Statuses[s] += n
	}
	r.Unanswered += o.Unanswered
	maps.Copy(r.Accepted, o.Accepted)
	r.took = append(r.took, o.took...)
}

func (r *Report) finish(took time.Duration) {
	r.Seconds = took.Seconds()
	r.PerSecond = float64(len(r.took)) / r.Seconds
	r.Answers = len(r.Accepted)
	slices.Sort(r.took)
	r.Latency = Latency{percentile(r.took, 50), percentile(r.took, 95), percentile(r.took, 99), percentile(r.took, 100)}
}

// percentile returns the smallest of the sorted durations that p per cent of
// them are not above (the nearest rank), in milliseconds.
func percentile(sorted []time.Duration, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*p + 99) / 100
	return float64(sorted[max(rank, 1)-1].Microseconds()) / 1000
}

// Write writes the report for people.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d answers accepted, in %.1f s\n", r.Answers, r.Seconds)
	fmt.Fprintf(&b, "%d requests, %.0f a second: p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, longest %.1f ms\n",
		len(r.took), r.PerSecond, r.Latency.P50, r.Latency.P95, r.Latency.P99, r.Latency.Max)
	fmt.Fprintf(&b, "by kind: %s\n", list(r.Requests))
	fmt.Fprintf(&b, "by status: %s\n", list(r.Statuses))
	if r.Unanswered > 0 {
		fmt.Fprintf(&b, "%d requests were not answered\n", r.Unanswered)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func list[K cmp.Ordered](m map[K]int) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%v %d", k, m[k]))
	}
	return strings.Join(out, ", ")
}
