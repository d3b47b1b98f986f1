package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
)

type policy struct {
	Statement []struct {
		Effect, Sid string
		Action      any
		Resource    any
		Principal   any // "*", or a map
		Condition   map[string]map[string]any
	}
}

func readPolicy(t *testing.T, file string) policy {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var p policy
	if err := json.Unmarshal(content, &p); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return p
}

// What holds content, and what senders call, must be in the policy under the name
// that it has in the template: an unknown name protects nothing.
func TestStackPolicyProtectsWhatHoldsContent(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join(dynamotest.Root(), "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Type                string `yaml:"Type"`
			UpdateReplacePolicy string `yaml:"UpdateReplacePolicy"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(content, &template); err != nil {
		t.Fatal(err)
	}
	protected := map[string]bool{}
	for _, statement := range readPolicy(t, "stack-policy.json").Statement {
		names, several := statement.Resource.([]any)
		if statement.Effect != "Deny" || !several {
			continue
		}
		for _, name := range names {
			logical := strings.TrimPrefix(name.(string), "LogicalResourceId/")
			if template.Resources[logical].Type == "" {
				t.Errorf("the template has no %s", logical)
			}
			protected[logical] = true
		}
	}
	for logical, resource := range template.Resources {
		if (resource.UpdateReplacePolicy == "Retain" || resource.Type == "AWS::Serverless::HttpApi") && !protected[logical] {
			t.Errorf("%s is not protected", logical)
		}
	}
}

func TestKeyPolicyIsOne(t *testing.T) {
	t.Parallel()
	sids := map[string]bool{}
	for _, statement := range readPolicy(t, "key-policy.json").Statement {
		sids[statement.Sid] = statement.Effect == "Allow"
		equals := statement.Condition["StringEquals"]
		principals, _ := statement.Principal.(map[string]any)
		if principals["AWS"] == "*" && (equals["kms:CallerAccount"] == nil || equals["kms:ViaService"] == nil || statement.Condition["ArnLike"]["aws:PrincipalArn"] == nil) {
			t.Errorf("%s lets everybody use the key", statement.Sid)
		}
	}
	for _, sid := range []string{"ByPoliciesOfTheAccount", "LogGroups", "AlarmsToTheTopicAndEventsToTheQueue", "RolesOfTheStackBeforeTheirPoliciesAllowIt"} {
		if !sids[sid] {
			t.Errorf("nothing is allowed by %s", sid)
		}
	}
}
