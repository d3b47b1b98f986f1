package metrics_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trunkhook/trunkhook/internal/metrics"
	"github.com/trunkhook/trunkhook/internal/metrics/metricstest"
)

func line(attrs ...slog.Attr) []byte {
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).LogAttrs(context.Background(), slog.LevelInfo, "request", attrs...)
	return out.Bytes()
}

// What goes into a line is what CloudWatch gets out of it.
func TestLineKeepsTheFormat(t *testing.T) {
	t.Parallel()
	names := rapid.StringMatching(`[A-Z][A-Za-z]{0,30}`)
	value := rapid.OneOf(rapid.Float64Range(-1e9, 1e9), rapid.Map(rapid.IntRange(0, 1e6), func(n int) float64 { return float64(n) }))
	rapid.Check(t, func(t *rapid.T) {
		dimensions := rapid.MapOfN(rapid.Map(names, func(n string) string { return "D" + n }), rapid.StringMatching(`[ -9;-~][ -~]{0,100}`), 1, 5).Draw(t, "dimensions")
		all := slices.Sorted(maps.Keys(dimensions))
		var attrs []slog.Attr
		for _, name := range all {
			attrs = append(attrs, slog.String(name, dimensions[name]))
		}
		var groups []metrics.Group
		var want []metricstest.Point
		for i, list := range rapid.SliceOfN(rapid.SliceOfNDistinct(names, 1, 10, rapid.ID[string]), 1, 3).Draw(t, "groups") {
			group := metrics.Group{Dimensions: [][]string{all, all[:len(all)-1]}}
			for _, name := range list {
				m := metrics.Metric{Name: "M" + string(rune('A'+i)) + name, Unit: rapid.SampledFrom([]metrics.Unit{metrics.Count, metrics.Seconds, metrics.Milliseconds}).Draw(t, "unit")}
				if m.Values = rapid.SliceOfN(value, 0, 120).Draw(t, "values"); len(m.Values) == 0 {
					m.Value = value.Draw(t, "value")
				}
				group.Metrics = append(group.Metrics, m)
			}
			groups = append(groups, group)
			for _, set := range group.Dimensions {
				under := make(map[string]string)
				for _, name := range set {
					under[name] = dimensions[name]
				}
				for _, m := range group.Metrics {
					values := m.Values[:min(len(m.Values), 100)]
					if len(values) == 0 {
						values = []float64{m.Value}
					}
					want = append(want, metricstest.Point{Namespace: "trunkhook", Name: m.Name, Unit: string(m.Unit), Dimensions: under, Values: values})
				}
			}
		}
		written := line(metrics.Append(attrs, groups...)...)
		if got, err := metricstest.Extract(written); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v\n got %+v\nwant %+v\n%s", err, got, want, written)
		}
	})
}

func TestTimestampIsNow(t *testing.T) {
	t.Parallel()
	before := time.Now().UnixMilli()
	var read struct {
		AWS struct{ Timestamp int64 } `json:"_aws"`
	}
	group := metrics.Group{Dimensions: [][]string{{}}, Metrics: []metrics.Metric{{Name: "Calls", Unit: metrics.Count, Value: 1}}}
	if err := json.Unmarshal(line(metrics.Append(nil, group)...), &read); err != nil || read.AWS.Timestamp < before || read.AWS.Timestamp > time.Now().UnixMilli() {
		t.Errorf("%d, %v", read.AWS.Timestamp, err)
	}
}

// Lambda leaves out lines below the function's log level, and so does the logger.
func TestLevelIsTheLinesOwnOrTheLowestThatPasses(t *testing.T) {
	t.Parallel()
	levels := []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
	for _, function := range levels {
		for _, own := range levels {
			log := slog.New(slog.NewJSONHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: function}))
			if got := metrics.Level(t.Context(), log, own); got != max(own, function) {
				t.Errorf("%v in a function at %v is written at %v", own, function, got)
			}
		}
	}
}
