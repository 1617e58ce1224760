package obs

import (
	"context"
	"log/slog"
	"strings"
)

// traceKey is the field of a line that has the id of its trace.
const traceKey = "trace"

// TraceID returns the id of the trace that an invocation belongs to,
// 1-67891233-abcdef012345678912345678, which AWS hands on from one service to the
// next (AWS X-Ray Developer Guide: tracing header); "" where there is none. It is
// there whether or not the trace is recorded.
func TraceID(ctx context.Context) string {
	header, _ := ctx.Value("x-amzn-trace-id").(string) // the key of package lambda
	for part := range strings.SplitSeq(header, ";") {
		if id, ok := strings.CutPrefix(part, "Root="); ok {
			return id
		}
	}
	return ""
}

// WithTrace returns a logger whose lines have the id of the trace too.
func WithTrace(l *slog.Logger) *slog.Logger { return slog.New(traced{l.Handler()}) }

type traced struct{ slog.Handler }

func (t traced) Handle(ctx context.Context, r slog.Record) error {
	if id := TraceID(ctx); id != "" {
		r.AddAttrs(slog.String(traceKey, id))
	}
	return t.Handler.Handle(ctx, r)
}

func (t traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{t.Handler.WithAttrs(attrs)} }

func (t traced) WithGroup(name string) slog.Handler { return traced{t.Handler.WithGroup(name)} }
