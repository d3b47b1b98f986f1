package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/dynamotest"
	"github.com/trunkhook/trunkhook/internal/lambdatest"
)

// sam local passes on only variables that the template declares.
func TestTheTemplateDeclaresWhatTheFunctionsAreGiven(t *testing.T) {
	t.Parallel()
	template, err := os.ReadFile(filepath.Join(dynamotest.Root(), "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p := parts{secrets: lambdatest.StartSecretsManager(t), passwords: lambdatest.StartSystemsManager(t), exotel: exoteltest.Start(t)}
	for name := range p.env("127.0.0.1") {
		if !regexp.MustCompile(`(?m)^ +` + name + `: `).Match(template) {
			t.Errorf("the template has no variable %s", name)
		}
	}
}
