package dashboard

import (
	"fmt"
	"strings"
	"testing"
)

// CloudWatch bills an alarm by the metrics that it looks at, and a dashboard of more
// than 50 metrics whatever else the account has. Prices aside, the figures are ours.
func TestTheDocumentCountsTheMetricsThatAlarmsAndTheDashboardAreBilledFor(t *testing.T) {
	t.Parallel()
	d, alarms := parts(t)
	ofOne, always, withEvents := 0, 0, 0
	for _, alarm := range alarms {
		n := len(metricsOf(alarm.queries()))
		withEvents += n
		if strings.HasPrefix(alarm.Name, "EventsOut") {
			continue
		}
		always += n
		if n == 1 {
			ofOne++
		}
	}
	named := map[string]bool{}
	for _, w := range d.Widgets {
		queries, _, err := w.queries()
		if err != nil {
			t.Fatal(err)
		}
		for metric := range metricsOf(queries) {
			named[metric] = true
		}
	}
	for _, want := range []string{
		fmt.Sprintf("%d alarms of one,", ofOne),
		fmt.Sprintf("together %d; %d where events go out | %d.%d0 |", always, withEvents, always/10, always%10),
		fmt.Sprintf("ours names %d,", len(named)),
	} {
		if !strings.Contains(document(t), want) {
			t.Errorf("docs/operations.md doesn't say %q", want)
		}
	}
}

// metricsOf are the metrics of queries, each once, whatever the statistic.
func metricsOf(queries []query) map[string]bool {
	found := map[string]bool{}
	for _, q := range queries {
		if q.expression == "" {
			found[fmt.Sprint(q.metric.Namespace, q.metric.Name, q.metric.Dimensions)] = true
		}
	}
	return found
}
