package cmd_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// What only tests and cmd/local need is not for a cold start to fetch.
func TestFunctionsLinkNothingOfTests(t *testing.T) {
	t.Parallel()
	output, err := exec.Command("go", "list", "-deps", "-tags=lambda.norpc", "./webhook", "./reconciler").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, module := range []string{"github.com/getkin/", "go.etcd.io/bbolt", "pgregory.net/rapid", "go.yaml.in/", "testing", "html/template", "github.com/trunkhook/trunkhook/cmd/local", "github.com/trunkhook/trunkhook/internal/timeline"} {
		for dependency := range strings.Lines(string(output)) {
			if strings.HasPrefix(dependency, module) {
				t.Errorf("linked: %s", dependency)
			}
		}
	}
	if !strings.Contains(string(output), "github.com/trunkhook/trunkhook/handler\n") {
		t.Errorf("the list lacks the handler:\n%s", output)
	}
}

// Whatever else a cold start has to fetch has its reason beside it.
func TestWhatTheFunctionsLinkIsDocumented(t *testing.T) {
	t.Parallel()
	output, err := exec.Command("go", "list", "-deps", "-tags=lambda.norpc", "-f", "{{with .Module}}{{.Path}}{{end}}", "./webhook", "./reconciler").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	document, err := os.ReadFile("../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(document), "\n## What is linked\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var documented []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for i, text := range strings.Split(cells[1], "`") {
				if i%2 == 1 {
					documented = append(documented, text)
				}
			}
		}
	}
	linked := strings.Fields(string(output))
	linked = slices.DeleteFunc(linked, func(module string) bool { return module == "github.com/trunkhook/trunkhook" })
	slices.Sort(linked)
	slices.Sort(documented)
	if linked = slices.Compact(linked); !slices.Equal(linked, documented) {
		t.Errorf("linked are     %v\ndocumented are %v", linked, documented)
	}
}
