package cmd_test

import (
	"os/exec"
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
