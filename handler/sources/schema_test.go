package sources

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// schema.json is for editors, and must say what the code does.
func TestSchemaNamesTheFieldsOfAFile(t *testing.T) {
	t.Parallel()
	schema := readSchema(t)
	var fields []string
	for field := range reflect.TypeFor[file]().Fields() {
		fields = append(fields, field.Tag.Get("json"))
	}
	slices.Sort(fields)
	properties := schema["properties"].(map[string]any)
	if named := slices.Sorted(maps.Keys(properties)); !slices.Equal(named, fields) {
		t.Errorf("the schema has %v, a file %v", named, fields)
	}
	for field, values := range map[string][]any{
		"content": {contentJSON, contentForm, contentFormOrJSON, contentSOAP, contentEventBridge},
		"reply":   {string(ReplyJSON), string(ReplyLeadSquared), string(ReplySalesforceAck), string(ReplyEcho)},
		"id_form": {formPlain, formSalesforce},
	} {
		if got := properties[field].(map[string]any)["enum"]; !reflect.DeepEqual(got, values) {
			t.Errorf("%s may be %v, want %v", field, got, values)
		}
	}
	for path, want := range map[string]any{
		"properties.max_events.maximum": float64(mostMaxEvents), "properties.about.maxLength": float64(maxAbout),
		"$defs.expression.maxLength": float64(maxExpression), "$defs.name.pattern": sourceName.String(), "additionalProperties": false,
	} {
		if got := dig(schema, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

func TestEveryFileFitsTheSchema(t *testing.T) {
	t.Parallel()
	schema := readSchema(t)
	for name, content := range shipped(t) {
		var value any
		if err := json.Unmarshal(content, &value); err != nil {
			t.Fatal(err)
		}
		for _, fault := range validate(schema, schema, value, name) {
			t.Error(fault)
		}
		if dig(value, "$schema") != "./"+schemaFile {
			t.Errorf("%s does not name its schema", name)
		}
	}
}

// A validator that takes everything would pass the test above.
func TestTheSchemaRefuses(t *testing.T) {
	t.Parallel()
	schema := readSchema(t)
	for content, fits := range map[string]bool{
		shop:                              true,
		with(`"companny":"x"`):            false,
		with(`"match":""`):                false,
		with(`"max_events":0`):            false,
		with(`"max_events":1.5`):          false,
		with(`"reply":"xml"`):             false,
		with(`"namespace":"Shop"`):        false,
		with(`"customer_typed":"a"`):      false,
		with(`"customer_typed":["a", 1]`): false,
		with(`"event":{"a":1}`):           false,
		with(`"event":{}`):                false,
		strings.Replace(shop, `"standard-webhooks"`, `"none"`, 1):            false,
		strings.Replace(shop, `"standard-webhooks"`, `"hmac","x":1`, 1):      false,
		strings.Replace(shop, `"content":"json",`, ``, 1):                    false,
		strings.Replace(shop, `"auth":{"kind":"standard-webhooks"},`, ``, 1): false,
		`[]`: false,
	} {
		var value any
		if err := json.Unmarshal([]byte(content), &value); err != nil {
			t.Fatal(err)
		}
		if faults := validate(schema, schema, value, ""); (len(faults) == 0) != fits {
			t.Errorf("%s: %v", content, faults)
		}
	}
}

func readSchema(t *testing.T) map[string]any {
	t.Helper()
	content, err := fs.ReadFile(files, schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(content, &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

func shipped(t *testing.T) map[string][]byte {
	t.Helper()
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	contents := make(map[string][]byte)
	for _, name := range names {
		if name == schemaFile {
			continue
		}
		if contents[name], err = fs.ReadFile(files, name); err != nil {
			t.Fatal(err)
		}
	}
	return contents
}

func dig(value any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}

// validate is as much of JSON Schema as schema.json uses. A keyword that it
// doesn't know is a fault, so that none is believed in vain.
func validate(root, schema map[string]any, value any, at string) []string {
	var faults []string
	fault := func(format string, a ...any) { faults = append(faults, at+" "+fmt.Sprintf(format, a...)) }
	for keyword, arg := range schema {
		switch keyword {
		case "$schema", "title", "description", "$defs", "properties":
		case "$ref":
			target, _ := dig(root, strings.ReplaceAll(strings.TrimPrefix(arg.(string), "#/"), "/", ".")).(map[string]any)
			faults = append(faults, validate(root, target, value, at)...)
		case "anyOf":
			if !slices.ContainsFunc(arg.([]any), func(one any) bool { return len(validate(root, one.(map[string]any), value, at)) == 0 }) {
				fault("fits none of anyOf")
			}
		case "type":
			if !isType(arg.(string), value) {
				fault("is no %s", arg)
			}
		case "enum":
			if !slices.Contains(arg.([]any), value) {
				fault("is none of %v", arg)
			}
		case "pattern":
			if text, ok := value.(string); ok && !regexp.MustCompile(arg.(string)).MatchString(text) {
				fault("does not match %s", arg)
			}
		case "items":
			elements, _ := value.([]any)
			for i, element := range elements {
				faults = append(faults, validate(root, arg.(map[string]any), element, fmt.Sprintf("%s[%d]", at, i))...)
			}
		case "required":
			object, _ := value.(map[string]any)
			for _, key := range arg.([]any) {
				if _, ok := object[key.(string)]; !ok {
					fault("lacks %s", key)
				}
			}
		case "additionalProperties":
			faults = append(faults, validateMembers(root, schema, arg, value, at)...)
		case "minLength", "maxLength", "minimum", "maximum", "minItems", "minProperties":
			if size := sizeOf(value); strings.HasPrefix(keyword, "min") && size < arg.(float64) || strings.HasPrefix(keyword, "max") && size > arg.(float64) {
				fault("breaks %s %v", keyword, arg)
			}
		default:
			fault("the schema's %s is not known to this test", keyword)
		}
	}
	return faults
}

// validateMembers holds members to their property, or to additionalProperties.
func validateMembers(root, schema map[string]any, additional, value any, at string) []string {
	var faults []string
	properties, _ := schema["properties"].(map[string]any)
	object, _ := value.(map[string]any)
	for key, member := range object {
		property, ok := properties[key].(map[string]any)
		if !ok {
			if property, ok = additional.(map[string]any); !ok {
				faults = append(faults, at+" has "+key)
				continue
			}
		}
		faults = append(faults, validate(root, property, member, at+"."+key)...)
	}
	return faults
}

func isType(kind string, value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return kind == "object"
	case []any:
		return kind == "array"
	case string:
		return kind == "string"
	case float64:
		return kind == "number" || kind == "integer" && v == float64(int(v))
	}
	return false
}

// sizeOf is what a keyword bounds; of another type's value, it bounds nothing.
func sizeOf(value any) float64 {
	switch v := value.(type) {
	case string:
		return float64(len(v))
	case []any:
		return float64(len(v))
	case map[string]any:
		return float64(len(v))
	case float64:
		return v
	}
	return 0
}
