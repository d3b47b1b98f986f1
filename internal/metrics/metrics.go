// Package metrics puts CloudWatch metrics into log lines in the embedded metric
// format: CloudWatch Logs takes the figures out of the line, and no call is made.
// The format: docs.aws.amazon.com, "Specification: Embedded metric format", read 2026-11.
package metrics

import (
	"context"
	"log/slog"
	"strconv"
	"time"
)

// Namespace is that of all metrics of trunkhook.
const Namespace = "trunkhook"

// Unit is one of CloudWatch's.
type Unit string

// The units that are used.
const (
	Count        Unit = "Count"
	Seconds      Unit = "Seconds"
	Milliseconds Unit = "Milliseconds"
)

// MaxValues is how many values of one metric a line can have. What is more of them is
// left out.
const MaxValues = 100

// Metric is one figure, or several values of what was measured more than once. The name
// is of letters, so that it is the same in JSON.
type Metric struct {
	Name   string
	Unit   Unit
	Value  float64
	Values []float64 // instead of Value, where there are any
}

// Group are metrics that CloudWatch keeps under the same dimensions. Each set of
// dimensions makes a metric of its own of each. A dimension is the name of a member of
// the line, whose value is a text that isn't empty: at most 30 in a set, and no more
// than 100 metrics in a group.
type Group struct {
	Dimensions [][]string
	Metrics    []Metric
}

// Append adds to a line's attributes what makes it carry the groups' metrics as of now.
// The dimensions are the caller's to add.
func Append(attrs []slog.Attr, groups ...Group) []slog.Attr {
	for _, group := range groups {
		for _, m := range group.Metrics {
			attrs = append(attrs, m.attr())
		}
	}
	return append(attrs, slog.Any("_aws", directives{at: time.Now(), groups: groups}))
}

func (m Metric) attr() slog.Attr {
	switch {
	case len(m.Values) == 1:
		return number(m.Name, m.Values[0])
	case len(m.Values) > 1:
		return slog.Any(m.Name, numbers(m.Values[:min(len(m.Values), MaxValues)]))
	}
	return number(m.Name, m.Value)
}

// number is written by slog without reflection where it is whole, as counts are.
func number(name string, value float64) slog.Attr {
	if whole := int64(value); float64(whole) == value {
		return slog.Int64(name, whole)
	}
	return slog.Float64(name, value)
}

type numbers []float64

// MarshalJSON implements json.Marshaler.
func (n numbers) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 2+8*len(n))
	for i, value := range n {
		b = append(b, "[,"[min(i, 1)])
		b = strconv.AppendFloat(b, value, 'f', -1, 64)
	}
	return append(b, ']'), nil
}

// directives are the member that says what of the line is a metric. Every request's line
// has one, so they are written by hand.
type directives struct {
	at     time.Time
	groups []Group
}

// MarshalJSON implements json.Marshaler.
func (d directives) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 1024)
	b = strconv.AppendInt(append(b, `{"Timestamp":`...), d.at.UnixMilli(), 10)
	b = append(b, `,"CloudWatchMetrics":`...)
	b = list(b, d.groups, func(b []byte, g Group) []byte {
		b = append(b, `{"Namespace":"`+Namespace+`","Dimensions":`...)
		b = list(b, g.Dimensions, func(b []byte, set []string) []byte { return list(b, set, quoted) })
		b = append(b, `,"Metrics":`...)
		return append(list(b, g.Metrics, definition), '}')
	})
	return append(b, '}'), nil
}

func definition(b []byte, m Metric) []byte {
	b = quoted(append(b, `{"Name":`...), m.Name)
	return append(quoted(append(b, `,"Unit":`...), string(m.Unit)), '}')
}

func list[T any](b []byte, elements []T, one func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, element := range elements {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, element)
	}
	return append(b, ']')
}

func quoted(b []byte, name string) []byte { return append(append(append(b, '"'), name...), '"') }

// Level is the one at which a line that carries metrics is written: its own, or the
// lowest above that gets through. Figures are for alarms, whatever else a function is
// told to say. The line can't go past the logger, because Lambda leaves out what is below
// the function's log level, or has none, as well (docs.aws.amazon.com, "Log-level filtering").
func Level(ctx context.Context, log *slog.Logger, level slog.Level) slog.Level {
	for _, passing := range []slog.Level{level, slog.LevelInfo, slog.LevelWarn} {
		if passing >= level && log.Enabled(ctx, passing) {
			return passing
		}
	}
	return slog.LevelError
}
