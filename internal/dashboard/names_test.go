package dashboard

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
	"github.com/trunkhook/trunkhook/internal/figures"
	"github.com/trunkhook/trunkhook/internal/metrics"
)

// A metric that nobody writes would leave its graph empty and its alarm quiet for
// ever; one that nobody looks at would be paid for in vain.
func TestTheTemplateLooksAtTheMetricsThatTheCodeWritesAndAtAllOfThem(t *testing.T) {
	t.Parallel()
	d, alarms := parts(t)
	var looked []string
	look := func(queries []query) {
		for _, q := range queries {
			if q.metric.Namespace == metrics.Namespace && q.metric.of("FunctionName") != "" {
				looked = append(looked, q.metric.Name)
			}
			if found := searched.FindStringSubmatch(q.expression); found != nil {
				looked = append(looked, found[2])
			}
		}
	}
	for _, alarm := range alarms {
		look(alarm.queries())
	}
	for _, w := range d.Widgets {
		queries, _, err := w.queries()
		if err != nil {
			t.Fatal(err)
		}
		look(queries)
	}
	slices.Sort(looked)
	looked = slices.Compact(looked)
	if written := writtenMetrics(t); !slices.Equal(looked, written) {
		t.Errorf("the template looks at %v\nthe code writes       %v", looked, written)
	}
}

// writtenMetrics are the names in internal/figures.
func writtenMetrics(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dynamotest.Root(), "internal", "figures", "figures.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	names := slices.DeleteFunc(constants(t, file, ""), func(name string) bool {
		return slices.Contains([]string{figures.FunctionName, figures.Outcome, figures.Source}, name) // the dimensions
	})
	slices.Sort(names)
	return names
}
