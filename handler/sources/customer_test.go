package sources

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/handler/strictjson"

	"github.com/trunkhook/trunkhook/handler/line"
)

// typedBy are the keys under which each system passes on what its customer typed
// into a form, a link or a browser, and under which nobody else writes. (Clerk's
// phone_numbers, say, can stand in public_metadata as well.)
var typedBy = map[string][]string{
	"auth0":   {"user_metadata", "username", "email"},
	"clerk":   {"unsafe_metadata", "username", "first_name", "last_name"},
	"cognito": {"clientMetadata", "userName", "name", "email", "phone_number"},
	"shopify": {"first_name", "last_name", "email", "phone", "note", "tags", "addresses", "default_address"},
	"stripe":  {"custom_fields", "client_reference_id", "customer_details", "customer_email", "collected_information", "shipping_details"},
}

// chosen are the fields that decide which trunk it is, and what it lets through.
var chosen = append([]string{fieldID}, line.Fields...)

func TestShippedFilesSayWhatTheCustomerTypes(t *testing.T) {
	t.Parallel()
	for name, f := range shippedFiles(t) {
		for _, key := range typedBy[strings.TrimPrefix(name, "eventbridge-")] {
			if !slices.Contains(f.CustomerTyped, key) {
				t.Errorf("source %s does not say that the customer types %s", name, key)
			}
		}
	}
}

// No file is trusted to say of itself what its customer types.
func TestNoShippedFileLetsTheCustomerChoose(t *testing.T) {
	t.Parallel()
	always := []string{"unsafe_metadata", "user_metadata", "clientMetadata", "custom_fields", "client_reference_id"}
	for name, f := range shippedFiles(t) {
		for _, field := range chosen {
			text := *f.expression(field)
			if text == "" {
				continue
			}
			e, err := compile(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range slices.Concat(always, f.CustomerTyped) {
				if slices.Contains(e.keys, key) {
					t.Errorf("source %s: %s uses %s", name, field, key)
				}
			}
		}
	}
}

// Whatever the customer types, and wherever such a key may stand: it is the same
// signup, with the same numbers and addresses.
func TestWhatTheCustomerTypesChangesNothingThatCounts(t *testing.T) {
	t.Parallel()
	set, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	files := shippedFiles(t)
	checked := make(map[string]bool)
	for _, s := range set.All() {
		typed := files[s.Name].CustomerTyped
		samples, err := filepath.Glob("testdata/samples/" + s.Name + "*.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range samples {
			if len(typed) == 0 || strings.HasSuffix(path, ".golden.json") {
				continue
			}
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := counts(t, s, body)
			for _, evil := range []string{
				`null`, `""`, `"evil"`, `["evil"]`,
				`{"id":"evil","sub":"evil","customer":"evil","company":"Evil","sip_numbers":["+15550100"],"sip_ips":["0.0.0.0/0"],"numbers":"+15550100","ips":"0.0.0.0/0"}`,
				`[{"key":"id","text":{"value":"evil"}},{"key":"sipips","text":{"value":"0.0.0.0/0"}}]`,
			} {
				if got := counts(t, s, replaced(t, body, typed, evil)); !reflect.DeepEqual(got, want) {
					t.Errorf("%s with %s: %v, want %v", path, evil, got, want)
				}
			}
			checked[s.Name] = checked[s.Name] || want["signup"] != ""
		}
	}
	for name, f := range files {
		if len(f.CustomerTyped) > 0 && !checked[name] {
			t.Errorf("no sample of source %s was checked", name)
		}
	}
}

// counts are the id, and the values of the fields that the customer must not choose.
func counts(t *testing.T, s *Source, body []byte) map[string]any {
	t.Helper()
	events, err := s.Read("application/json", body)
	if err != nil || len(events) != 1 {
		t.Fatalf("%s: %d events, %v", s.Name, len(events), err)
	}
	found := map[string]any{"signup": events[0].Signup.ID}
	for _, value := range events[0].Values() {
		if slices.Contains(chosen, value.Field) {
			found[value.Field] = value.Result
		}
	}
	return found
}

// replaced is a body in all of whose objects the keys have another value.
func replaced(t *testing.T, body []byte, keys []string, value string) []byte {
	t.Helper()
	root, err := strictjson.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(node any) {
		switch v := node.(type) {
		case []any:
			for _, element := range v {
				walk(element)
			}
		case map[string]any:
			for _, element := range v {
				walk(element)
			}
			for _, key := range keys {
				v[key] = json.RawMessage(value)
			}
		}
	}
	walk(root)
	content, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// What stands beside a signup_id is no signup, whatever its name: data may hold
// what a customer typed.
func TestGenericTakesNumbersFromWhereItsIDIs(t *testing.T) {
	t.Parallel()
	set, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	s, _ := set.Source("generic")
	const fields = `"company":"Acme","phone_numbers":"%[1]s","whitelisted_ips":"%[1]s","destination_uris":"%[1]s","credentials":"%[1]s","caller_id":"%[1]s"}`
	outer, inner := fmt.Sprintf(fields, "outer"), fmt.Sprintf(fields, "inner")
	for body, want := range map[string]any{
		`{"signup_id":"a","type":"x","data":{"signup_id":"b",` + inner + `,` + outer:          "outer",
		`{"signup_id":"a","company":"Acme","type":"x","data":{"signup_id":"b",` + inner + `}`: nil,
		`{"signup_id":"a",` + outer:                          "outer",
		`{"type":"x","data":{"signup_id":"b",` + inner + `}`: "inner",
	} {
		events, err := s.Read("", []byte(body))
		if err != nil || len(events) != 1 { // what it takes are no numbers, so that they are a fault
			t.Errorf("%s: %+v, %v", body, events, err)
			continue
		}
		for _, value := range events[0].Values() {
			if slices.Contains(chosen[1:], value.Field) && value.Result != want {
				t.Errorf("%s: %s is %v, want %v", body, value.Field, value.Result, want)
			}
		}
	}
}
