package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
)

// makeSays is what make would do, on a machine where nothing is installed yet.
func makeSays(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("make"); err != nil {
		t.Fatal("this needs make, as the project does")
	}
	dir := t.TempDir()
	for _, file := range []string{"go.mod", "template.yaml", ".ci/requirements-sam.txt", ".ci/requirements-checkov.txt", ".ci/requirements-ministack.txt", ".ci/engines/package-lock.json"} {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "make", append([]string{"-n", "-f", filepath.Join(dynamotest.Root(), "Makefile")}, args...)...)
	command.Dir = dir
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")} // not what another make hands on
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("make %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestMakeInstallsWhatIsMissingAndNothingOfOnesOwn(t *testing.T) {
	t.Parallel()
	const (
		sam     = "python3 -m venv .tools/sam"
		engine  = "npm ci"
		ourSAM  = "SAM=own-sam"
		ourHost = "DYNAMODB_ENDPOINT=http://127.0.0.1:8000"
	)
	for name, test := range map[string]struct {
		args     []string
		has, not []string
	}{
		"deploy":               {[]string{"deploy"}, []string{sam, ".tools/sam/bin/sam deploy"}, nil},
		"deploy, own SAM":      {[]string{"deploy", ourSAM}, []string{"own-sam deploy"}, []string{sam}},
		"outputs, own SAM":     {[]string{"outputs", ourSAM}, []string{"own-sam list"}, []string{sam}},
		"secrets, own SAM":     {[]string{"secrets", ourSAM}, []string{"own-sam list"}, []string{sam}},
		"invoke":               {[]string{"invoke"}, []string{sam, engine}, nil},
		"invoke, own SAM":      {[]string{"invoke", ourSAM}, []string{"own-sam build", "-sam own-sam", engine}, []string{sam}},
		"invoke, own engine":   {[]string{"invoke", ourHost}, []string{sam}, []string{engine}},
		"start-api, dynoxide":  {[]string{"start-api", "DYNOXIDE=/opt/dynoxide"}, []string{sam}, []string{engine}},
		"e2e":                  {[]string{"e2e"}, []string{sam, "/.tools/sam/bin/sam "}, nil},
		"e2e, own SAM":         {[]string{"e2e", ourSAM}, []string{"E2E_SAM=own-sam "}, []string{sam}},
		"template, own SAM":    {[]string{"template", ourSAM}, []string{"own-sam validate", sam, ".tools/sam/bin/cfn-lint"}, nil}, // the linter is ours
		"template, by default": {[]string{"template"}, []string{sam, ".tools/sam/bin/sam validate"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			says := makeSays(t, test.args...)
			for _, part := range test.has {
				if !strings.Contains(says, part) {
					t.Errorf("%q is missing in\n%s", part, says)
				}
			}
			for _, part := range test.not {
				if strings.Contains(says, part) {
					t.Errorf("%q is in\n%s", part, says)
				}
			}
		})
	}
}
