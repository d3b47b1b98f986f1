package dashboard

import (
	"fmt"
	"math"
	"slices"
)

// The states of an alarm, as CloudWatch calls them.
const (
	StateOK    = "OK"
	StateAlarm = "ALARM"
)

// Alarm is one of the template's.
type Alarm struct {
	Name             string // its logical id
	AlarmDescription string
	AlarmActions     []string
	OKActions        []string

	Namespace, MetricName, Statistic string // of one that looks at a metric
	Dimensions                       []Dimension
	Period                           int
	Metrics                          []alarmQuery // of one that calculates

	EvaluationPeriods, DatapointsToAlarm int
	Threshold                            number
	ComparisonOperator                   string
	TreatMissingData                     string
}

type alarmQuery struct {
	ID         string `json:"Id"`
	Label      string
	Expression string
	ReturnData *bool
	MetricStat struct {
		Stat   string
		Period int
		Metric struct {
			Namespace, MetricName string
			Dimensions            []Dimension
		}
	}
}

// Alarms are those of the template, by name.
func (t Template) Alarms() ([]Alarm, error) {
	var alarms []Alarm
	for name, resource := range t.Resources {
		if resource.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		alarm := Alarm{Name: name}
		if err := t.decode(name, &alarm); err != nil {
			return nil, err
		}
		if alarm.ComparisonOperator != "GreaterThanThreshold" {
			return nil, fmt.Errorf("%s compares by %s, which nothing here can", name, alarm.ComparisonOperator)
		}
		alarms = append(alarms, alarm)
	}
	slices.SortFunc(alarms, func(a, b Alarm) int { return compare(a.Name, b.Name) })
	return alarms, nil
}

func (a Alarm) queries() []query {
	if len(a.Metrics) == 0 {
		return []query{{metric: Metric{Namespace: a.Namespace, Name: a.MetricName, Dimensions: a.Dimensions, Stat: a.Statistic, Period: a.Period}}}
	}
	var queries []query
	for _, m := range a.Metrics {
		stat := m.MetricStat
		queries = append(queries, query{
			id: m.ID, label: m.Label, expression: m.Expression, hidden: m.ReturnData != nil && !*m.ReturnData,
			metric: Metric{Namespace: stat.Metric.Namespace, Name: stat.Metric.MetricName, Dimensions: stat.Metric.Dimensions, Stat: stat.Stat, Period: stat.Period},
		})
	}
	return queries
}

// State is that of the alarm after the last of the data. It is decided as
// CloudWatch does, but for data that comes late: of the last EvaluationPeriods
// DatapointsToAlarm must breach, and what is missing counts as TreatMissingData
// says (docs.aws.amazon.com, "Configuring how CloudWatch alarms treat missing data").
func (a Alarm) State(source Source) (string, error) {
	found, err := evaluate(a.queries(), source)
	if err != nil {
		return "", fmt.Errorf("%s: %w", a.Name, err)
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%s looks at %d series instead of one", a.Name, len(found))
	}
	values := found[0].values
	breaching := 0
	for _, value := range values[max(0, len(values)-a.EvaluationPeriods):] {
		if value > float64(a.Threshold) || math.IsNaN(value) && a.TreatMissingData == "breaching" {
			breaching++
		}
	}
	needed := a.DatapointsToAlarm
	if needed == 0 {
		needed = a.EvaluationPeriods
	}
	if breaching >= needed {
		return StateAlarm, nil
	}
	return StateOK, nil
}
