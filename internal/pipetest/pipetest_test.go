package pipetest

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestMatchesAsEventBridgeDoes(t *testing.T) {
	t.Parallel()
	const event = `{"source": "trunkhook", "n": 7, "nothing": null, "tags": ["a", "b"], "detail": {"status": "active", "company": {"S": "Acme"}}}`
	for pattern, want := range map[string]bool{
		`{}`:                                                               true,
		`{"source": ["trunkhook"]}`:                                        true,
		`{"source": ["other", "trunkhook"]}`:                               true,
		`{"source": ["other"]}`:                                            false,
		`{"source": ["trunk"]}`:                                            false,
		`{"n": [7]}`:                                                       true,
		`{"n": ["7"]}`:                                                     false,
		`{"nothing": [null]}`:                                              true,
		`{"absent": [null]}`:                                               false,
		`{"tags": ["b"]}`:                                                  true,
		`{"tags": ["c"]}`:                                                  false,
		`{"source": ["trunkhook"], "n": [8]}`:                              false,
		`{"detail": {"status": ["active"]}}`:                               true,
		`{"detail": {"status": [{"prefix": "act"}]}}`:                      true,
		`{"detail": {"status": [{"prefix": "pen"}]}}`:                      false,
		`{"detail": {"status": {"S": ["active"]}}}`:                        false,
		`{"absent": {"status": ["active"]}}`:                               false,
		`{"source": [{"anything-but": "other"}]}`:                          true,
		`{"source": [{"anything-but": "trunkhook"}]}`:                      false,
		`{"source": [{"anything-but": ["trunkhook"]}]}`:                    false,
		`{"absent": [{"anything-but": "other"}]}`:                          false,
		`{"source": [{"anything-but": {"prefix": "t"}}]}`:                  false,
		`{"source": [{"anything-but": {"prefix": "#"}}]}`:                  true,
		`{"source": [{"exists": true}]}`:                                   true,
		`{"source": [{"exists": false}]}`:                                  false,
		`{"absent": [{"exists": false}]}`:                                  true,
		`{"absent": {"S": [{"exists": false}]}}`:                           true,
		`{"detail": [{"exists": true}]}`:                                   false, // leaves only
		`{"$or": [{"n": [8]}, {"source": ["trunkhook"]}]}`:                 true,
		`{"$or": [{"n": [8]}, {"source": ["other"]}]}`:                     false,
		`{"n": [7], "$or": [{"n": [8]}, {"source": ["other"]}]}`:           false,
		`{"detail": {"$or": [{"status": ["x"]}, {"status": ["active"]}]}}`: true,
	} {
		if got, err := Matches(decoded(t, pattern), decoded(t, event)); err != nil || got != want {
			t.Errorf("%s: %v, %v", pattern, got, err)
		}
	}
}

func TestWhatIsNotKnownOfPatternsIsAnError(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		`[]`, `{"source": "trunkhook"}`, `{"source": [{"wildcard": "t*"}]}`, `{"source": [{"prefix": "t", "exists": true}]}`,
		`{"source": [{"exists": "yes"}]}`, `{"source": [{"anything-but": {"suffix": "k"}}]}`,
	} {
		if _, err := Matches(decoded(t, pattern), decoded(t, `{"source": "trunkhook"}`)); err == nil {
			t.Errorf("%s is taken", pattern)
		}
	}
}

func TestInputIsFilledInAsUnkindlyAsDocumented(t *testing.T) {
	t.Parallel()
	record := decoded(t, `{"a": {"S": "acme"}, "q": {"S": "say \"hi\""}, "n": {"N": "2"}}`).(map[string]any)
	for template, want := range map[string]string{
		`{"x": "<$.a.S>"}`:            `{"x":"acme"}`,
		`{"x": "<$.a.S>/<$.n.N>/"}`:   `{"x":"acme/2/"}`,
		`{"x": <$.a.S>}`:              `{"x":"acme"}`,
		`{"x": <$.q>}`:                `{"x":{"S":"say \"hi\""}}`,
		`{"x": "<$.none.S>", "y": 1}`: `{"x":"","y":1}`,
		`{"x": "< $.a.S and \" <"}`:   `{"x":"< $.a.S and \" <"}`,
	} {
		got, err := transform(template, record)
		if text := encoded(t, got); err != nil || text != want {
			t.Errorf("%s: %s, %v", template, text, err)
		}
	}
	for template, fault := range map[string]string{
		`{"x": "<$.q.S>"}`:  "no JSON",
		`{"x": <$.q.S>}`:    "no JSON",
		`{"x": <$.none.S>}`: "no JSON",
		`{"x": "<$.q>"}`:    "within quotes",
	} {
		if got, err := transform(template, record); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v, %v", template, got, err)
		}
	}
}

func decoded(t *testing.T, document string) any {
	t.Helper()
	value, err := Decode(document)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// encoded leaves < as it is.
func encoded(t *testing.T, value any) string {
	t.Helper()
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(text.String())
}
