package main_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workflow is what counts of a file of GitHub Actions.
type workflow struct {
	On          map[string]any    `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency struct {
		Group  string `yaml:"group"`
		Cancel bool   `yaml:"cancel-in-progress"`
	} `yaml:"concurrency"`
	Jobs map[string]job `yaml:"jobs"`
}

type job struct {
	Needs       any               `yaml:"needs"`
	Environment string            `yaml:"environment"`
	Timeout     int               `yaml:"timeout-minutes"`
	Permissions map[string]string `yaml:"permissions"`
	Steps       []struct {
		Uses string         `yaml:"uses"`
		With map[string]any `yaml:"with"`
		Run  string         `yaml:"run"`
	} `yaml:"steps"`
}

func readText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readWorkflow(t *testing.T) (w workflow, text string) {
	t.Helper()
	text = readText(t, "deploy.yml")
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		t.Fatal(err)
	}
	return w, text
}

// pinned is an action by the hash of a commit, with the version for people.
var pinned = regexp.MustCompile(`^\s*- uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)

func TestWorkflowTrustsNobodyMoreThanItHasTo(t *testing.T) {
	t.Parallel()
	w, text := readWorkflow(t)
	for line := range strings.Lines(text) {
		if strings.Contains(line, "uses:") && !pinned.MatchString(strings.TrimRight(line, "\n")) {
			t.Errorf("not pinned by a commit: %s", line)
		}
	}
	if events := slices.Sorted(maps.Keys(w.On)); !slices.Equal(events, []string{"push", "workflow_dispatch"}) {
		t.Errorf("it runs on %v: what is deployed is on main", events)
	}
	if !maps.Equal(w.Permissions, map[string]string{"contents": "read"}) || w.Concurrency.Group == "" || w.Concurrency.Cancel {
		t.Errorf("permissions %v, concurrency %+v", w.Permissions, w.Concurrency)
	}
	if strings.Contains(text, "secrets.") {
		t.Error("a secret of GitHub's is used")
	}
	for name, job := range w.Jobs {
		deploys := job.Environment != ""
		if got := job.Permissions["id-token"] == "write"; got != deploys || deploys && !maps.Equal(job.Permissions, map[string]string{"contents": "read", "id-token": "write"}) {
			t.Errorf("%s: permissions %v", name, job.Permissions)
		}
		if job.Timeout == 0 || job.Timeout > 60 {
			t.Errorf("%s: may take %d minutes", name, job.Timeout)
		}
		for _, step := range job.Steps {
			if strings.Contains(step.Run, "${{") {
				t.Errorf("%s: an expression becomes part of a script: %s", name, step.Run)
			}
			if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != false {
				t.Errorf("%s: the token is left in the checkout", name)
			}
		}
	}
}

// The policies in the document are JSON, and trust what the workflow says that it is.
func TestPoliciesOfTheDocument(t *testing.T) {
	t.Parallel()
	w, _ := readWorkflow(t)
	blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(readText(t, "../operations.md"), -1)
	trusted := 0
	for _, block := range blocks {
		var policy struct {
			Statement []struct {
				Effect    string
				Action    any
				Resource  any
				Condition map[string]map[string]string
			}
		}
		if err := json.Unmarshal([]byte(block[1]), &policy); err != nil || len(policy.Statement) == 0 {
			t.Errorf("%v:\n%s", err, block[1])
		}
		for _, s := range policy.Statement {
			if s.Effect != "Allow" || s.Action == "*" || s.Resource == "*" {
				t.Errorf("%+v", s)
			}
			sub := s.Condition["StringEquals"]["token.actions.githubusercontent.com:sub"]
			if _, environment, ok := strings.Cut(sub, ":environment:"); ok {
				trusted++
				if w.Jobs[environment].Environment != environment {
					t.Errorf("%s is no environment of the workflow", environment)
				}
			}
		}
	}
	if trusted != 1 {
		t.Errorf("%d statements trust the workflow", trusted)
	}
}

// Nothing is deployed that was not checked, nor to prod before staging has passed.
func TestWorkflowDeploysInItsOrder(t *testing.T) {
	t.Parallel()
	w, _ := readWorkflow(t)
	config, makefile := readText(t, "../../samconfig.toml"), readText(t, "../../Makefile")
	if needs, ok := w.Jobs["staging"].Needs.([]any); !ok || !slices.Contains(needs, any("check")) || !slices.Contains(needs, any("e2e")) || w.Jobs["prod"].Needs != "staging" {
		t.Errorf("staging needs %v, prod %v", w.Jobs["staging"].Needs, w.Jobs["prod"].Needs)
	}
	for name, job := range w.Jobs {
		var done []string
		for _, step := range job.Steps {
			for _, target := range regexp.MustCompile(`\bmake (?:--silent )?([a-z0-9]+(?: [a-z0-9]+\b)*)( ENV=(\w+))?`).FindAllStringSubmatch(step.Run, -1) {
				for _, one := range strings.Fields(target[1]) {
					done = append(done, one)
					if !strings.Contains(makefile, "\n"+one+":") {
						t.Errorf("%s: there is no make %s", name, one)
					}
				}
				if target[3] != "" && (target[3] != name || !strings.Contains(config, "["+name+".deploy.parameters]")) {
					t.Errorf("%s deploys %s", name, target[3])
				}
			}
		}
		if want := []string{"deploy", "outputs", "smoke"}; job.Environment != "" && (job.Environment != name || !slices.Equal(done, want)) {
			t.Errorf("%s does %v in the environment %s", name, done, job.Environment)
		}
	}
	if len(w.Jobs) != 4 {
		t.Errorf("%d jobs", len(w.Jobs))
	}
}
