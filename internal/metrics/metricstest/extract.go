// Package metricstest reads log lines as CloudWatch Logs does where they are in the
// embedded metric format, and says what of a line breaks its rules. CloudWatch itself
// only leaves such a line out.
package metricstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Point is a metric as it comes out of a line, under one set of dimensions.
type Point struct {
	Namespace, Name, Unit string
	Dimensions            map[string]string
	Values                []float64
}

// The rules: docs.aws.amazon.com, "Specification: Embedded metric format" and its JSON schema,
// and the API reference's Dimension and MetricDatum; read 2026-11.
const (
	maxLine       = 256 << 10 // of a line of Lambda's
	maxSet        = 30
	maxMetrics    = 100
	maxValues     = 100
	maxName       = 255
	maxDimension  = 1024
	minTimestamp  = 1_000_000_000_000 // less is seconds
	maxTimestamp  = 9_999_999_999_999
	metadataField = "_aws"
)

var units = regexp.MustCompile(`^(Seconds|Microseconds|Milliseconds|Percent|Count|None|((Kilo|Mega|Giga|Tera)?(bytes|bits)|Bytes|Bits|Count)(/Second)?)$`)

type metadata struct {
	Timestamp         *int64
	CloudWatchMetrics *[]directive
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []struct{ Name, Unit string }
}

// Extract returns the metrics of a line; none where it isn't in the format.
func Extract(line []byte) ([]Point, error) {
	root, err := members(line)
	if err != nil || root[metadataField] == nil {
		return nil, err
	}
	var m metadata
	decoder := json.NewDecoder(bytes.NewReader(root[metadataField]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return nil, err
	}
	switch {
	case len(line) > maxLine:
		return nil, fmt.Errorf("a line of %d bytes", len(line))
	case m.CloudWatchMetrics == nil || m.Timestamp == nil:
		return nil, errors.New("a member of the metadata is missing")
	case *m.Timestamp < minTimestamp || *m.Timestamp > maxTimestamp:
		return nil, fmt.Errorf("the timestamp %d is not in milliseconds", *m.Timestamp)
	}
	var points []Point
	for _, d := range *m.CloudWatchMetrics {
		of, err := d.points(root)
		if err != nil {
			return nil, err
		}
		points = append(points, of...)
	}
	return points, unique(points)
}

// members are those of the one object that the line must be, each there once.
func members(line []byte) (map[string]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("the line is no object")
	}
	root := make(map[string]json.RawMessage)
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		if root[name.(string)] != nil {
			return nil, fmt.Errorf("%s stands twice", name)
		}
		root[name.(string)] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more behind the object")
	}
	return root, nil
}

func (d directive) points(root map[string]json.RawMessage) ([]Point, error) {
	switch {
	case d.Namespace == "" || len(d.Namespace) > maxName:
		return nil, fmt.Errorf("namespace %q", d.Namespace)
	case len(d.Dimensions) == 0:
		return nil, errors.New("no set of dimensions")
	case len(d.Metrics) == 0 || len(d.Metrics) > maxMetrics:
		return nil, fmt.Errorf("%d metrics", len(d.Metrics))
	}
	var points []Point
	for _, set := range d.Dimensions {
		dimensions, err := dimensionsOf(set, root)
		if err != nil {
			return nil, err
		}
		for _, metric := range d.Metrics {
			values, err := valuesOf(metric.Name, root)
			if err != nil {
				return nil, err
			}
			if !units.MatchString(metric.Unit) {
				return nil, fmt.Errorf("unit %q", metric.Unit)
			}
			points = append(points, Point{d.Namespace, metric.Name, metric.Unit, dimensions, values})
		}
	}
	return points, nil
}

func dimensionsOf(set []string, root map[string]json.RawMessage) (map[string]string, error) {
	dimensions := make(map[string]string)
	for _, name := range set {
		var value string
		switch err := json.Unmarshal(root[name], &value); {
		case err != nil:
			return nil, fmt.Errorf("the dimension %q is no text of the line's: %s", name, root[name])
		case value == "" || len(value) > maxDimension || strings.HasPrefix(value, ":"):
			return nil, fmt.Errorf("the dimension %s is %q", name, value)
		case name == "" || len(name) > maxName || strings.HasPrefix(name, ":"):
			return nil, fmt.Errorf("a dimension's name is %q", name)
		}
		dimensions[name] = value
	}
	if len(set) > maxSet || len(dimensions) != len(set) {
		return nil, fmt.Errorf("%d dimensions, %d of them different", len(set), len(dimensions))
	}
	return dimensions, nil
}

func valuesOf(name string, root map[string]json.RawMessage) ([]float64, error) {
	var one *float64
	if json.Unmarshal(root[name], &one) == nil && one != nil {
		return []float64{*one}, nil
	}
	var several []*float64
	switch err := json.Unmarshal(root[name], &several); {
	case name == "" || len(name) > maxName:
		return nil, fmt.Errorf("a metric's name is %q", name)
	case err != nil || slices.Contains(several, nil):
		return nil, fmt.Errorf("the metric %s is no number of the line's: %s", name, root[name])
	case len(several) == 0 || len(several) > maxValues:
		return nil, fmt.Errorf("the metric %s has %d values", name, len(several))
	}
	values := make([]float64, len(several))
	for i, value := range several {
		values[i] = *value
	}
	return values, nil
}

// unique: a metric that is defined twice would count twice.
func unique(points []Point) error {
	seen := make(map[string]bool)
	for _, p := range points {
		key := fmt.Sprint(p.Namespace, p.Name, p.Dimensions)
		if seen[key] {
			return fmt.Errorf("the metric %s is defined twice under %v", p.Name, p.Dimensions)
		}
		seen[key] = true
	}
	return nil
}

// Totals are the sums of a line's metrics, by the metric's name and, behind it, the
// dimensions beside the function's name: "VendorCalls", "Signups Outcome=created".
func Totals(line []byte) (map[string]float64, error) {
	points, err := Extract(line)
	if err != nil {
		return nil, fmt.Errorf("%w in %s", err, line)
	}
	totals := make(map[string]float64)
	for _, p := range points {
		var dimensions []string
		for name, value := range p.Dimensions {
			if name != "FunctionName" {
				dimensions = append(dimensions, name+"="+value)
			}
		}
		slices.Sort(dimensions)
		key := strings.Join(append([]string{p.Name}, dimensions...), " ")
		for _, value := range p.Values {
			totals[key] += value
		}
	}
	return totals, nil
}
