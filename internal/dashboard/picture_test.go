package dashboard

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
)

var update = flag.Bool("update", false, "write docs/dashboard.svg anew")

// pseudo are the pseudo parameters of the stack in the picture.
var pseudo = map[string]string{
	"AWS::StackName": "trunkhook-prod", "AWS::Region": "ap-south-1", "AWS::Partition": "aws", "AWS::AccountId": "123456789012", "AWS::URLSuffix": "amazonaws.com",
}

// stack is template.yaml as a stack of it would be.
func stack(t *testing.T) Template {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dynamotest.Root(), "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	template, err := Parse(content, pseudo)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

func parts(t *testing.T) (Dashboard, []Alarm) {
	t.Helper()
	template := stack(t)
	d, err := template.Dashboard()
	if err != nil {
		t.Fatal(err)
	}
	alarms, err := template.Alarms()
	if err != nil {
		t.Fatal(err)
	}
	return d, alarms
}

func TestThePictureInTheDocumentsIsThatOfTheTemplatesDashboard(t *testing.T) {
	t.Parallel()
	d, alarms := parts(t)
	picture, err := Draw(d, alarms, newSample("WebhookFunction", "ReconcilerFunction"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dynamotest.Root(), "docs", "dashboard.svg")
	if *update {
		if err := os.WriteFile(file, []byte(picture), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(golden) != picture {
		t.Errorf("%s is not what is drawn of template.yaml: make dashboard-picture draws it anew", file)
	}
}
