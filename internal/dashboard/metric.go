package dashboard

import (
	"fmt"
	"math"
	"regexp"
	"strings"
)

// Metric is one of CloudWatch's, with the statistic that is asked for.
type Metric struct {
	Namespace, Name string
	Dimensions      []Dimension
	Stat            string // Sum, Maximum, p50, ...
	Period          int    // in seconds
}

// Dimension is a part of what tells a metric from others.
type Dimension struct{ Name, Value string }

// of is the value of a dimension, if the metric has it.
func (m Metric) of(dimension string) string {
	for _, d := range m.Dimensions {
		if d.Name == dimension {
			return d.Value
		}
	}
	return ""
}

// Source has the data of metrics.
type Source interface {
	// Data are a metric's values, one for each of its periods, the last one last.
	// NaN stands for no data.
	Data(m Metric) ([]float64, error)
	// Find lists the metrics of a namespace and name that have just those
	// dimensions, as SEARCH does.
	Find(namespace, name string, dimensions []string) ([]Metric, error)
}

// query is what CloudWatch's graphs and alarms have in common: a metric, or an
// expression over others.
type query struct {
	id         string
	label      string
	metric     Metric
	expression string
	hidden     bool
}

// series is what a graph draws as one line.
type series struct {
	label  string
	values []float64
	of     int // the place of its query
}

// evaluate works the queries out. An expression may name any metric, wherever it
// stands, and expressions that stand before it. Hidden ones give no series.
func evaluate(queries []query, source Source) (shown []series, err error) {
	known := map[string][]float64{}
	for _, q := range queries {
		if q.expression == "" && q.id != "" {
			if known[q.id], err = source.Data(q.metric); err != nil {
				return nil, err
			}
		}
	}
	for i, q := range queries {
		found, err := q.series(known, source)
		if err != nil {
			return nil, fmt.Errorf("%s%s: %w", q.expression, q.metric.Name, err)
		}
		if q.id != "" && len(found) == 1 {
			known[q.id] = found[0].values
		}
		for _, s := range found {
			if s.of = i; !q.hidden {
				shown = append(shown, s)
			}
		}
	}
	return shown, nil
}

func (q query) series(known map[string][]float64, source Source) ([]series, error) {
	var values []float64
	var err error
	switch {
	case strings.HasPrefix(q.expression, "SEARCH("):
		return search(q, source)
	case q.expression != "":
		values, err = calculate(q.expression, known)
	default:
		values, err = source.Data(q.metric)
	}
	return []series{{label: q.label, values: values}}, err
}

// searched is the one form of SEARCH that our widgets use.
var searched = regexp.MustCompile(`^SEARCH\('\{([^}]+)\} MetricName="([^"]+)" FunctionName="([^"]+)"', '(\w+)', (\d+)\)$`)

var property = regexp.MustCompile(`\$\{PROP\('Dim\.(\w+)'\)\}`)

func search(q query, source Source) (found []series, err error) {
	parts := searched.FindStringSubmatch(q.expression)
	if parts == nil {
		return nil, fmt.Errorf("a search of another form than %s", searched)
	}
	schema := strings.Split(parts[1], ",")
	metrics, err := source.Find(schema[0], parts[2], schema[1:])
	if err != nil {
		return nil, err
	}
	for _, m := range metrics {
		if m.of("FunctionName") != parts[3] {
			continue
		}
		m.Stat = parts[4]
		if _, err := fmt.Sscan(parts[5], &m.Period); err != nil {
			return nil, err
		}
		values, err := source.Data(m)
		if err != nil {
			return nil, err
		}
		label := property.ReplaceAllStringFunc(q.label, func(found string) string {
			return m.of(property.FindStringSubmatch(found)[1])
		})
		found = append(found, series{label: label, values: values})
	}
	return found, nil
}

var missing = math.NaN()
