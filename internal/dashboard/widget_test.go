package dashboard

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
)

func TestTheDashboardShowsEveryAlarm(t *testing.T) {
	t.Parallel()
	d, alarms := parts(t)
	var shown, all []string
	for _, w := range d.Widgets {
		shown = append(shown, w.Properties.Alarms...)
	}
	for _, alarm := range alarms {
		all = append(all, alarm.Name)
	}
	slices.Sort(shown)
	if !slices.Equal(shown, all) {
		t.Errorf("it shows   %v\nthere are %v", shown, all)
	}
}

// Where those alarms aren't made the body must still be JSON, and name none of them.
func TestTheDashboardStandsWithoutTheAlarmsOfMetricMath(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join(dynamotest.Root(), "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	template, err := Parse(content, pseudo, "HasMetricMathAlarms")
	if err != nil {
		t.Fatal(err)
	}
	d, err := template.Dashboard()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range d.Widgets {
		for _, alarm := range w.Properties.Alarms {
			if strings.Contains(string(content), "\n  "+alarm+":\n    Type: AWS::CloudWatch::Alarm\n    Condition: HasMetricMathAlarms\n") {
				t.Errorf("%s isn't there", alarm)
			}
		}
	}
}

func TestWidgetsLieOnTheGridAndNotOnEachOther(t *testing.T) {
	t.Parallel()
	d, _ := parts(t)
	taken := map[[2]int]bool{}
	for _, w := range d.Widgets {
		if w.X < 0 || w.Width < 1 || w.X+w.Width > 24 {
			t.Errorf("%q goes beyond the 24 columns", w.Properties.Title)
		}
		for x := w.X; x < w.X+w.Width; x++ {
			for y := w.Y; y < w.Y+w.Height; y++ {
				if taken[[2]int{x, y}] {
					t.Fatalf("%q lies on another widget", w.Properties.Title)
				}
				taken[[2]int{x, y}] = true
			}
		}
	}
}

// The estimate of costs says a memory size, which stands elsewhere in the template.
func TestTheEstimateOfCostsKnowsTheMemoryOfTheFunctions(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join(dynamotest.Root(), "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(content), "MemorySize: ") != 1 || !strings.Contains(string(content), "    MemorySize: 256\n") {
		t.Error("the functions have not 0.25 GB each: mend the dashboard's estimate of costs")
	}
}

func TestMetricMath(t *testing.T) {
	t.Parallel()
	known := map[string][]float64{"a": {1, missing, 4, missing}, "b": {2, 3, 0, missing}}
	for expression, want := range map[string][]float64{
		"a + b":                           {3, 3, 4, missing},
		"a + b * 2":                       {5, 6, 4, missing},
		"(a + b) * 2":                     {6, 6, 8, missing},
		"b - 1 - 1":                       {0, 1, -2, missing},
		"a / b":                           {0.5, 0, missing, missing},
		"100 * a / b":                     {50, 0, missing, missing},
		"FILL(a, 0) + FILL(b, 0)":         {3, 3, 4, 0},
		"FILL(a / b, 7)":                  {0.5, 0, 7, 7},
		"IF(b >= 2, 100 * b, 0.5)":        {200, 300, 0.5, missing},
		"IF(b >= 2, a, 5)":                {1, 0, 5, missing},
		"IF(a > 1, 1, 0)":                 {0, missing, 1, missing},
		"IF(b < 3, 1, 0)":                 {1, 0, 1, missing},
		"a <= b":                          {1, 1, 0, missing},
		"2 * FILL(a, 0) * 0.25 / 1000000": {0.0000005, 0, 0.000002, 0},
	} {
		got, err := calculate(expression, known)
		if err != nil || !slices.EqualFunc(got, want, func(a, b float64) bool { return a == b || a != a && b != b || max(a-b, b-a) < 1e-12 }) {
			t.Errorf("%s is %v, %v; want %v", expression, got, err, want)
		}
	}
	for _, expression := range []string{"", "a +", "(a", "c", "a b", "FILL(a)", "RATE(a)", "a !", "IF(a, 1, 2", "'a'", "1 + 2"} {
		if got, err := calculate(expression, known); err == nil {
			t.Errorf("%q is %v, and no error", expression, got)
		}
	}
}
