package metricstest_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/internal/metrics/metricstest"
)

const good = `{"_aws":{"Timestamp":1790000060000,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["F"],["F","G"]],"Metrics":[{"Name":"Calls","Unit":"Count"},{"Name":"Took","Unit":"Milliseconds"}]}]},"F":"f","G":"g","Calls":2,"Took":[1.5,2],"other":{"a":1}}`

func TestMetricsComeOutOfALine(t *testing.T) {
	t.Parallel()
	points, err := metricstest.Extract([]byte(good))
	f, fg := map[string]string{"F": "f"}, map[string]string{"F": "f", "G": "g"}
	want := []metricstest.Point{
		{"n", "Calls", "Count", f, []float64{2}},
		{"n", "Took", "Milliseconds", f, []float64{1.5, 2}},
		{"n", "Calls", "Count", fg, []float64{2}},
		{"n", "Took", "Milliseconds", fg, []float64{1.5, 2}},
	}
	if err != nil || !reflect.DeepEqual(points, want) {
		t.Errorf("got %+v, %v", points, err)
	}
}

func TestLineWithoutMetadataHasNoMetrics(t *testing.T) {
	t.Parallel()
	if points, err := metricstest.Extract([]byte(`{"Calls":2}`)); err != nil || points != nil {
		t.Errorf("got %+v, %v", points, err)
	}
}

func TestWhatBreaksTheFormatIsNamed(t *testing.T) {
	t.Parallel()
	many := func(n int, each string) string { return strings.TrimSuffix(strings.Repeat(each+",", n), ",") }
	var set, targets []string
	for i := range 31 {
		set, targets = append(set, fmt.Sprintf(`"D%d"`, i)), append(targets, fmt.Sprintf(`"D%d":"d"`, i))
	}
	for name, change := range map[string][2]string{
		"no JSON":                      {`{"_aws"`, `_aws`},
		"text in front":                {`{"_aws"`, `INFO {"_aws"`},
		"something behind":             {`{"a":1}}`, `{"a":1}} x`},
		"a member twice":               {`"G":"g"`, `"G":"g","G":"h"`},
		"timestamp in seconds":         {`1790000060000`, `1790000060`},
		"timestamp as text":            {`1790000060000`, `"1790000060000"`},
		"timestamp with a fraction":    {`1790000060000`, `1790000060000.5`},
		"no timestamp":                 {`"Timestamp":1790000060000,`, ``},
		"no directives":                {`"CloudWatchMetrics"`, `"Cloudwatchmetrix"`},
		"no namespace":                 {`"Namespace":"n"`, `"Namespace":""`},
		"another member":               {`"Namespace":"n"`, `"Namespace":"n","Extra":1`},
		"no set of dimensions":         {`[["F"],["F","G"]]`, `[]`},
		"dimension that isn't there":   {`"F":"f"`, `"E":"f"`},
		"dimension that is a number":   {`"F":"f"`, `"F":7`},
		"dimension that is empty":      {`"F":"f"`, `"F":""`},
		"dimension that is too long":   {`"F":"f"`, `"F":"` + strings.Repeat("f", 1025) + `"`},
		"dimension twice in a set":     {`["F","G"]`, `["F","F"]`},
		"31 dimensions":                {`["F","G"]`, `[` + strings.Join(set, ",") + `]`},
		"101 metrics":                  {`{"Name":"Calls","Unit":"Count"}`, many(101, `{"Name":"Calls","Unit":"Count"}`)},
		"metric that isn't there":      {`"Calls":2`, `"calls":2`},
		"metric that is a text":        {`"Calls":2`, `"Calls":"2"`},
		"metric that is null":          {`"Calls":2`, `"Calls":null`},
		"null among the values":        {`[1.5,2]`, `[1.5,null]`},
		"no values":                    {`[1.5,2]`, `[]`},
		"101 values":                   {`[1.5,2]`, `[` + many(101, "1") + `]`},
		"unit that there isn't":        {`Milliseconds`, `Millis`},
		"metric twice under one set":   {`["F","G"]`, `["F"]`},
		"line longer than Lambda's is": {`{"a":1}`, `"` + strings.Repeat("x", 256<<10) + `"`},
	} {
		line := strings.Replace(good, change[0], change[1], 1)
		if name == "31 dimensions" {
			line = strings.Replace(line, `"G":"g"`, strings.Join(targets, ","), 1)
		}
		if line == good {
			t.Fatalf("%s changes nothing", name)
		}
		if points, err := metricstest.Extract([]byte(line)); err == nil {
			t.Errorf("%s: %+v", name, points)
		}
	}
}
