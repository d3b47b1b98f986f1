package dashboard

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

func compare(a, b string) int { return cmp.Compare(a, b) }

// number is one that the template may have as a text, as parameters are.
type number float64

func (n *number) UnmarshalJSON(content []byte) error {
	value, err := strconv.ParseFloat(strings.Trim(string(content), `"`), 64)
	*n = number(value)
	return err
}

// Dashboard is the template's.
type Dashboard struct {
	Name    string
	Widgets []Widget
}

// Widget is one on the dashboard. The grid has 24 columns.
type Widget struct {
	Type                string // text, alarm, metric or log
	X, Y, Width, Height int
	Properties          struct {
		Title, Markdown, Query, Region string
		Alarms                         []string
		Metrics                        [][]any
		Stat                           string
		Period                         int
		Stacked                        bool
		YAxis                          map[string]axis
		Annotations                    struct{ Horizontal []annotation }
	}
}

type axis struct {
	Label string
	Min   *float64
}

type annotation struct {
	Label, YAxis, Color string
	Value               float64
}

// Dashboard is the template's one dashboard.
func (t Template) Dashboard() (Dashboard, error) {
	var properties struct{ DashboardName, DashboardBody string }
	if err := t.decode("Dashboard", &properties); err != nil {
		return Dashboard{}, err
	}
	d := Dashboard{Name: properties.DashboardName}
	if err := json.Unmarshal([]byte(properties.DashboardBody), &d); err != nil {
		return Dashboard{}, fmt.Errorf("the dashboard's body: %w", err)
	}
	return d, nil
}

// line is how a query is drawn.
type line struct {
	Expression, ID, Label, Color, Stat, YAxis string
	Visible                                   *bool
}

// queries are the widget's metrics: for each a list of namespace, name and
// dimensions, with an object at its end that says how it is drawn.
func (w Widget) queries() (queries []query, lines []line, err error) {
	for _, row := range w.Properties.Metrics {
		var l line
		if options, ok := row[len(row)-1].(map[string]any); ok {
			row = row[:len(row)-1]
			content, err := json.Marshal(options)
			if err != nil {
				return nil, nil, err
			}
			if err := json.Unmarshal(content, &l); err != nil {
				return nil, nil, err
			}
		}
		q := query{id: l.ID, label: l.Label, expression: l.Expression, hidden: l.Visible != nil && !*l.Visible}
		if l.Expression == "" {
			if q.metric, err = metricOf(row); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", w.Properties.Title, err)
			}
			q.metric.Stat, q.metric.Period = cmp.Or(l.Stat, w.Properties.Stat), w.Properties.Period
			q.label = cmp.Or(q.label, q.metric.Name)
		}
		queries, lines = append(queries, q), append(lines, l)
	}
	return queries, lines, nil
}

func metricOf(row []any) (Metric, error) {
	var texts []string
	for _, field := range row {
		text, ok := field.(string)
		if !ok || text == "" || strings.Trim(text, ".") == "" {
			return Metric{}, fmt.Errorf("%v is no metric that is written out", row)
		}
		texts = append(texts, text)
	}
	if len(texts) < 2 || len(texts)%2 == 1 {
		return Metric{}, fmt.Errorf("%v is no metric", row)
	}
	m := Metric{Namespace: texts[0], Name: texts[1]}
	for i := 2; i < len(texts); i += 2 {
		m.Dimensions = append(m.Dimensions, Dimension{texts[i], texts[i+1]})
	}
	return m, nil
}
