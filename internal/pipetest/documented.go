package pipetest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/trunkhook/trunkhook/internal/dynamotest"
)

// Documented is what docs/events.md says of the events' details.
type Documented struct {
	schema   *openapi3.Schema
	Examples []map[string]any
}

// block is one of JSON in the document, a schema if it says so.
var block = regexp.MustCompile("(?s)```json( schema)?\n(.*?)```")

// Document reads docs/events.md.
func Document(t testing.TB) Documented {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dynamotest.Root(), "docs", "events.md"))
	if err != nil {
		t.Fatal(err)
	}
	var d Documented
	for _, found := range block.FindAllSubmatch(content, -1) {
		var example map[string]any
		into := any(&example)
		if len(found[1]) > 0 {
			into = &d.schema
		}
		if err := json.Unmarshal(found[2], into); err != nil {
			t.Fatalf("%v in\n%s", err, found[2])
		}
		if example != nil {
			d.Examples = append(d.Examples, example)
		}
	}
	if d.schema == nil || len(d.schema.Properties) == 0 {
		t.Fatal("docs/events.md has no schema")
	}
	return d
}

// Check says what of a detail is not as documented.
func (d Documented) Check(detail map[string]any) error {
	return d.schema.VisitJSON(detail, openapi3.MultiErrors())
}

// Fields are those that the schema knows.
func (d Documented) Fields() map[string]bool {
	fields := map[string]bool{}
	for name := range d.schema.Properties {
		fields[name] = true
	}
	return fields
}
