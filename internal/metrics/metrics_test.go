package metrics_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/internal/metrics"
)

func TestLogIsAnEmbeddedMetric(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	before := time.Now().UnixMilli()
	metrics.Log(t.Context(), slog.New(slog.NewJSONHandler(&out, nil)), "reconciler",
		metrics.Metric{Name: "PendingSignups", Unit: "Count", Value: 3}, metrics.Metric{Name: "OldestPending", Unit: "Seconds", Value: 61.5})
	var line struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
		FunctionName                  string
		PendingSignups, OldestPending float64
	}
	decoder := json.NewDecoder(&out)
	if err := decoder.Decode(&line); err != nil {
		t.Fatal(err)
	}
	group := line.AWS.CloudWatchMetrics[0]
	if line.AWS.Timestamp < before || group.Namespace != "trunkhook" || len(group.Dimensions) != 1 || group.Dimensions[0][0] != "FunctionName" || line.FunctionName != "reconciler" {
		t.Errorf("got %+v", line)
	}
	if len(group.Metrics) != 2 || group.Metrics[0].Name != "PendingSignups" || group.Metrics[1].Unit != "Seconds" || line.PendingSignups != 3 || line.OldestPending != 61.5 {
		t.Errorf("got %+v", line)
	}
}

// Lambda leaves out lines below the function's log level, and so does the logger.
func TestMetricsPassEveryLevelFilter(t *testing.T) {
	t.Parallel()
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		var out bytes.Buffer
		log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: level}))
		metrics.Log(t.Context(), log, "reconciler", metrics.Metric{Name: "PendingSignups", Unit: "Count", Value: 3})
		var line struct {
			Level          slog.Level
			PendingSignups float64
		}
		if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.PendingSignups != 3 || line.Level != max(level, slog.LevelInfo) {
			t.Errorf("at %v: %+v, %v", level, line, err)
		}
	}
}
