package handler

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestParseJSONTakesWhatMeansOneThing(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]any{
		`{"a":1,"b":[true,null,"x"],"c":{}}`: map[string]any{"a": json.Number("1"), "b": []any{true, nil, "x"}, "c": map[string]any{}},
		`{"id":9007199254740993}`:            map[string]any{"id": json.Number("9007199254740993")},
		` "\ud83d\ude80" `:                   "🚀",
		`"\ufffd"`:                           "\ufffd",
		"\"\ufffd\"":                         "\ufffd",
		`"\\ud800"`:                          `\ud800`,
		`[]`:                                 []any{},
	} {
		if got, err := parseJSON([]byte(body)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v", body, got, err)
		}
	}
}

func TestParseJSONRefusesHalfCharacters(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`"\ud800"`, `{"\udc00":1}`, `["\ud800x"]`, `"\ud83d\u0041"`} {
		if got, err := parseJSON([]byte(body)); err == nil {
			t.Errorf("%s: %#v", body, got)
		}
	}
}

// FuzzParseJSON: what is taken is valid JSON, and means what encoding/json
// makes of it; what is refused although it is valid has one of our reasons.
func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{acmeBody, `{"a":1,"a":2}`, `[[]]`, `"\ud800"`, `{"a":{"b":[1e400,-0.0]}}`, `nul`, strings.Repeat("[", 70)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := parseJSON(body)
		if err != nil {
			if reason := err.Error(); json.Valid(body) && strings.Contains(reason, "broken") {
				t.Fatalf("%q is valid, but: %s", body, reason)
			}
			return
		}
		var want any
		decoder := json.NewDecoder(strings.NewReader(string(body)))
		decoder.UseNumber()
		if !json.Valid(body) || decoder.Decode(&want) != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %#v, want %#v", body, got, want)
		}
	})
}

const acmeBody = `{"signup_id":"acme-42","company":"Acme Telecom"}`
