package main_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/trunkhook/trunkhook/internal/pipetest"
)

// names are those of the events, by the state that they tell of.
var names = map[string]string{"active": "TrunkActivated", "incomplete": "TrunkIncomplete", "rejected": "SignupRejected", "deleted": "TrunkDeleted"}

func TestEventsAreDocumentedByValidExamples(t *testing.T) {
	t.Parallel()
	documented := pipetest.Document(t)
	seen := map[any]bool{}
	for _, example := range documented.Examples {
		if err := documented.Check(example); err != nil {
			t.Errorf("%v: %v", example["id"], err)
		}
		seen[example["status"]] = true
		for name := range example {
			if !documented.Fields()[name] {
				t.Errorf("%v: the schema has no %s", example["id"], name)
			}
		}
		if want := strings.Join([]string{example["signup_id"].(string), names[example["status"].(string)], example["updated_at"].(string)}, "/"); example["id"] != want {
			t.Errorf("the id is %v, want %s", example["id"], want)
		}
	}
	if len(documented.Examples) != 4 || len(seen) != 4 {
		t.Errorf("%d examples of %v", len(documented.Examples), seen)
	}
}

func TestSchemaOfEventsRefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	documented := pipetest.Document(t)
	for name, value := range map[string]any{
		"status": "pending", "company": "Acme", "reason": nil, "generation": "1", "revision": "0", "updated_at": "2026-11-20T10:15:31Z", "signup_id": "#budget", "trunk_name": "", "id": "acme-42",
	} {
		example := documented.Examples[0]
		kept := example[name]
		example[name] = value
		if documented.Check(example) == nil {
			t.Errorf("%s may be %v", name, value)
		}
		example[name] = kept
	}
	for _, name := range []string{"generation", "revision", "trunk_sid", "domain_name"} { // where Pipes leaves out what isn't there
		delete(documented.Examples[0], name)
	}
	if err := documented.Check(documented.Examples[0]); err != nil {
		t.Error(err)
	}
}

// rule is the one of hubspot-writeback.yaml.
type rule struct {
	pattern any
	target  struct {
		HTTPParameters struct {
			PathParameterValues []string `yaml:"PathParameterValues"`
		} `yaml:"HttpParameters"`
		InputTransformer struct {
			InputPathsMap map[string]string `yaml:"InputPathsMap"`
			InputTemplate string            `yaml:"InputTemplate"`
		} `yaml:"InputTransformer"`
	}
}

// writeback reads the rule, for the portal 8675309.
func writeback(t *testing.T) (r rule) {
	t.Helper()
	content, err := os.ReadFile("hubspot-writeback.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources struct {
			Writeback struct {
				Properties struct {
					EventPattern map[string]any `yaml:"EventPattern"`
					Targets      []yaml.Node    `yaml:"Targets"`
				} `yaml:"Properties"`
			} `yaml:"Writeback"`
		} `yaml:"Resources"`
	}
	content = []byte(strings.ReplaceAll(string(content), `!Sub "hubspot:${PortalId}:"`, `"hubspot:8675309:"`))
	if err := yaml.Unmarshal(content, &template); err != nil {
		t.Fatal(err)
	}
	pattern, err := json.Marshal(template.Resources.Writeback.Properties.EventPattern)
	if err != nil {
		t.Fatal(err)
	}
	if r.pattern, err = pipetest.Decode(string(pattern)); err != nil {
		t.Fatal(err)
	}
	if err := template.Resources.Writeback.Properties.Targets[0].Decode(&r.target); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWritebackTakesHubSpotsSignupsAndNoOthers(t *testing.T) {
	t.Parallel()
	r := writeback(t)
	for _, detail := range pipetest.Document(t).Examples {
		event := map[string]any{"source": "trunkhook", "detail-type": names[detail["status"].(string)], "detail": detail}
		want := strings.HasPrefix(detail["signup_id"].(string), "hubspot:8675309:")
		if got, err := pipetest.Matches(r.pattern, event); err != nil || got != want {
			t.Errorf("%v: taken %v, %v", detail["id"], got, err)
		}
		for name, other := range map[string]map[string]any{
			"of another source": {"source": "other"}, "of another type": {"detail-type": "TrunkRenamed"},
			"of another portal": {"detail": map[string]any{"signup_id": "hubspot:86753099:4021"}},
		} {
			changed := map[string]any{"source": event["source"], "detail-type": event["detail-type"], "detail": detail}
			for field, value := range other {
				changed[field] = value
			}
			if got, err := pipetest.Matches(r.pattern, changed); err != nil || got {
				t.Errorf("%v %s: taken %v, %v", detail["id"], name, got, err)
			}
		}
	}
}

func TestWritebackUpdatesTheContact(t *testing.T) {
	t.Parallel()
	r := writeback(t)
	for _, detail := range pipetest.Document(t).Examples {
		event := map[string]any{"detail": detail}
		if path := r.target.HTTPParameters.PathParameterValues; len(path) != 1 || pipetest.LookUp(path[0], event) != detail["source_id"] {
			t.Errorf("%v: the path is %v", detail["id"], path)
		}
		template := r.target.InputTransformer.InputTemplate
		for name, path := range r.target.InputTransformer.InputPathsMap {
			text, ok := pipetest.LookUp(path, event).(string)
			if !ok {
				t.Errorf("%v: there is no text at %s", detail["id"], path)
			}
			template = strings.ReplaceAll(template, "<"+name+">", text)
		}
		var body struct {
			Properties map[string]any `json:"properties"`
		}
		if err := json.Unmarshal([]byte(template), &body); err != nil {
			t.Fatalf("%v in %s", err, template)
		}
		for property, field := range map[string]string{
			"trunkhook_status": "status", "trunkhook_trunk_sid": "trunk_sid", "trunkhook_domain_name": "domain_name", "trunkhook_updated_at": "updated_at",
		} {
			if body.Properties[property] != detail[field] {
				t.Errorf("%v: %s is %v", detail["id"], property, body.Properties[property])
			}
		}
		if len(body.Properties) != 4 {
			t.Errorf("properties %v", body.Properties)
		}
	}
}
