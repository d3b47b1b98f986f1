// Package metrics writes CloudWatch metrics as log lines in the embedded metric
// format: CloudWatch Logs takes the figures out of the line, and no call is made.
// The format: docs.aws.amazon.com, "CloudWatch embedded metric format specification".
package metrics

import (
	"context"
	"log/slog"
	"time"
)

// Namespace is that of all metrics of trunkhook.
const Namespace = "trunkhook"

// Metric is one figure.
type Metric struct {
	Name  string
	Unit  string // CloudWatch's: Count, Seconds, ...
	Value float64
}

// directive is what the format calls the metadata object.
type directive struct {
	Timestamp         int64 // in milliseconds
	CloudWatchMetrics []set
}

type set struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []definition
}

type definition struct{ Name, Unit string }

// Log writes the metrics of a function in one line. They have one dimension,
// FunctionName, so that two stacks in one account don't mix.
func Log(ctx context.Context, log *slog.Logger, function string, metrics ...Metric) {
	group := set{Namespace: Namespace, Dimensions: [][]string{{"FunctionName"}}}
	attrs := []slog.Attr{slog.String("FunctionName", function)}
	for _, m := range metrics {
		group.Metrics = append(group.Metrics, definition{m.Name, m.Unit})
		attrs = append(attrs, slog.Float64(m.Name, m.Value))
	}
	attrs = append(attrs, slog.Any("_aws", directive{Timestamp: time.Now().UnixMilli(), CloudWatchMetrics: []set{group}}))
	log.LogAttrs(ctx, passing(ctx, log), "metrics", attrs...)
}

// passing is the lowest level that gets through: figures are for alarms, whatever
// else a function is told to say. The line can't go past the logger, because Lambda
// leaves out what is below the function's log level, or has none, as well
// (docs.aws.amazon.com, "Log-level filtering").
func passing(ctx context.Context, log *slog.Logger) slog.Level {
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelWarn} {
		if log.Enabled(ctx, level) {
			return level
		}
	}
	return slog.LevelError
}
