package figures

import (
	"context"
	"log/slog"

	"github.com/trunkhook/trunkhook/internal/metrics"
)

// Log writes log lines that carry the metrics of a function.
type Log struct {
	*slog.Logger
	Function string // its name, without version or alias; lines carry no metrics where it is empty
}

// Write writes a line. Where there is something to count, it gets through at every log level.
func (l Log) Write(ctx context.Context, level slog.Level, message string, attrs []slog.Attr, c Counts) {
	if groups := c.groups(); l.Function != "" && len(groups) > 0 {
		attrs = metrics.Append(c.withDimensions(attrs, l.Function), groups...)
		level = metrics.Level(ctx, l.Logger, level)
	}
	l.LogAttrs(ctx, level, message, attrs...) //nolint:sloglint // the callers' messages are constants
}

// WriteBacklog writes the line of the backlog, zeros included: an alarm takes its absence
// for a reconciler that doesn't run.
func (l Log) WriteBacklog(ctx context.Context, b Backlog) {
	if l.Function == "" {
		return
	}
	attrs := metrics.Append([]slog.Attr{slog.String(FunctionName, l.Function)}, b.group())
	l.LogAttrs(ctx, metrics.Level(ctx, l.Logger, slog.LevelInfo), "metrics", attrs...)
}
