package sources

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trunkhook/trunkhook/handler/strictjson"
)

func parsed(t testing.TB, text string) any {
	t.Helper()
	value, err := strictjson.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestExpressionsPickValues(t *testing.T) {
	t.Parallel()
	event := parsed(t, `{"id":9007199254740993,"portal-id":1,"name":"","other":"Acme","list":[{"k":"a","v":{"x":"1"}},{"k":"b"}],"first":"Asha","last":null,"yes":true}`)
	for expression, want := range map[string]any{
		`id`:                                   json.Number("9007199254740993"),
		`"portal-id"`:                          json.Number("1"),
		`to_string(id)`:                        "9007199254740993",
		`missing.deep.down`:                    nil,
		`name || other`:                        "Acme",
		`not_null(missing, name)`:              "",
		`list[?k=='a'].v.x | [0]`:              "1",
		`(list[?k=='z'].v.x | [0]) || other`:   "Acme",
		`list[].k`:                             []any{"a", "b"},
		`list[-1].k`:                           "b",
		`sort(['b','a'])`:                      []any{"a", "b"},
		`to_array(other)`:                      []any{"Acme"},
		`join(' ', [first, last][?@])`:         "Asha",
		`{a: other}`:                           map[string]any{"a": "Acme"},
		"length(list) > `1` && yes":            true,
		"length(list) == `2`":                  true,
		"`\"text\"` == 'text'":                 true,
		`starts_with(other, 'A') && !last`:     true,
		`ends_with(other, 'x') || name == 'x'`: false,
		`contains(list[].k, 'b')`:              true,
		"yes == `true`":                        true,
		`other != 'Acme'`:                      false,
	} {
		e, err := compile(expression)
		if err != nil {
			t.Errorf("%s %v", expression, err)
			continue
		}
		if got, err := evaluate(e, event); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v; want %#v", expression, got, err, want)
		}
	}
}

func TestCompileRefusesWhatDoesNotHold(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		``:                                "no JMESPath expression",
		`a[`:                              "no JMESPath expression",
		`f(a`:                             "no JMESPath expression",
		`'`:                               "at character 1",
		`{a: b c}`:                        "no JMESPath expression",
		`data.*`:                          "another one each time",
		`*`:                               "another one each time",
		`keys(@)[0]`:                      "keys(), which is not offered",
		`values(@)[0]`:                    "values(), which is not offered",
		`split(a, ',')`:                   "split(), which is not offered",
		`sort_by(a, &b)`:                  "sort_by(), which is not offered",
		`join(&a, b)`:                     "or an expression reference",
		`join(a)`:                         "join() with 1 arguments",
		`$.a`:                             "JMESPath 1.0 does not have",
		`let $a = b in $a`:                "JMESPath 1.0 does not have",
		`a + b`:                           "JMESPath 1.0 does not have",
		"id == `1`":                       "a number",
		"a[?id == `1`]":                   "a number",
		"contains(a, `1`)":                "a number",
		"a == `[1]`":                      "a number",
		"a == `{\"b\":[1]}`":              "a number",
		"id > `1`":                        "orders something",
		`a < b`:                           "orders something",
		"length(a) > b":                   "orders something",
		strings.Repeat("a", 1001):         "longer than 1000",
		strings.Repeat("[@,@]|", 9) + "@": "too much of its event",
		strings.Repeat("to_string(to_array(@))|", 9) + "@":      "too much of its event",
		"[" + strings.Repeat("@,", 40) + "@]":                   "too much of its event",
		strings.Repeat("(", 990) + "a" + strings.Repeat(")", 9): "no JMESPath expression",
	} {
		if _, err := compile(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", expression, err, want)
		}
	}
}

// The library compares with ==: an object in a list would be a panic.
func TestAPanicOfTheEngineIsAnError(t *testing.T) {
	t.Parallel()
	e, err := compile(`contains(list, thing)`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := evaluate(e, parsed(t, `{"list":[{"a":1}],"thing":{"a":1}}`))
	if got != nil || !errors.Is(err, errSearch) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAnErrorOfTheEngineRepeatsNothing(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{`join('-', name)`, `starts_with(secret, 'a')`, `length(secret)`} {
		e, err := compile(expression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := evaluate(e, parsed(t, `{"name":"SECRET","secret":12345678}`)); !errors.Is(err, errSearch) {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

// The worst that is let through, on the worst body that is, ends soon.
func TestTheDearestExpressionsEnd(t *testing.T) {
	t.Parallel()
	wide := parsed(t, "["+strings.TrimSuffix(strings.Repeat(`{"a":"b"},`, 5_000), ",")+"]")
	deep := parsed(t, strings.Repeat("[", 63)+`"`+strings.Repeat("x", 100_000)+`"`+strings.Repeat("]", 63))
	for _, expression := range []string{
		strings.Repeat("[@,@]|", 4) + "to_string(@)",
		strings.Repeat("to_string(to_array(@))|", 5) + "@",
		"not_null(" + strings.Repeat("[?a=='c'][0],", 60) + "@)",
		"[?" + strings.Repeat("a=='b'&&", 100) + "a=='b'].a | join('', @)",
		"[?" + strings.Repeat("to_string(@)!='b'&&", 30) + "a=='b'].a",
		strings.Repeat("[]", 400),
		strings.Repeat("sort([].a)||", 50) + "@",
		"[" + strings.Repeat("[].a,", 30) + "@]",
	} {
		e, err := compile(expression)
		if err != nil {
			t.Errorf("%.40s: %v", expression, err)
			continue
		}
		for _, data := range []any{wide, deep} {
			start := time.Now()
			_, _ = evaluate(e, data)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("%.40s: %v", expression, took)
			}
		}
	}
}

// What is evaluated without the engine gives what the engine gives.
func TestPathsAreTheEngines(t *testing.T) {
	t.Parallel()
	keys := []string{"a", "b", "portal-id", "fields", "Value"}
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		leaves := rapid.SampledFrom([]any{nil, "", "x", true, false, json.Number("9007199254740993"), []any{}, map[string]any{}})
		if depth == 0 {
			return leaves
		}
		inner := value(depth - 1)
		return rapid.OneOf(leaves,
			rapid.Map(rapid.SliceOfN(inner, 0, 2), func(list []any) any { return list }),
			rapid.Map(rapid.MapOfN(rapid.SampledFrom(keys), inner, 0, 4), func(object map[string]any) any { return object }))
	}
	rapid.Check(t, func(t *rapid.T) {
		var expression []string
		for _, key := range rapid.SliceOfN(rapid.SampledFrom(keys), 1, 4).Draw(t, "keys") {
			expression = append(expression, `"`+key+`"`)
		}
		e, err := compile(strings.Join(expression, "."))
		if _, direct := e.expression.(path); err != nil || !direct {
			t.Fatalf("%v is %T, %v", expression, e.expression, err)
		}
		node, err := parse(strings.Join(expression, "."))
		if err != nil {
			t.Fatal(err)
		}
		data := value(4).Draw(t, "data")
		got, err := e.search(data)
		want, wantErr := jmespath{node}.search(data)
		if err != nil || wantErr != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v of %#v: %#v, %v; the engine says %#v, %v", expression, data, got, err, want, wantErr)
		}
	})
}

// Anything more than keys is the engine's.
func TestOnlyPathsGoWithoutTheEngine(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{`a[0]`, `a[]`, `a[].b`, `a || b`, `a.b == 'c'`, `!a`, `@`, `'a'`, `a | b`, `a.[b]`, `a.{b: c}`, `to_string(a)`, `a[?b].c`} {
		e, err := compile(expression)
		if _, direct := e.expression.(path); err != nil || direct {
			t.Errorf("%s is %T, %v", expression, e.expression, err)
		}
	}
}

func TestTruthyIsJMESPaths(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`null`: false, `false`: false, `""`: false, `[]`: false, `{}`: false, `true`: true, `"x"`: true, `[0]`: true, `{"a":null}`: true, `0`: true,
	} {
		if got := truthy(parsed(t, text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// An engine that panics spoils its events, and nothing else.
func TestAPanicIsTheEventsFault(t *testing.T) {
	t.Parallel()
	for field, s := range map[string]*Source{
		"match":   {Namespace: "a", content: contentJSON, maxEvents: 1, match: panicking{}},
		"id":      {Namespace: "a", content: contentJSON, maxEvents: 1, id: []expression{panicking{}}, company: panicking{}},
		"company": {Namespace: "a", content: contentJSON, maxEvents: 1, id: []expression{panicking{}}, company: panicking{}},
	} {
		events, err := s.Read("", []byte(`{"a":1}`))
		if err != nil || len(events) != 1 || events[0].Fault == nil || !strings.Contains(events[0].Fault.Error(), field+" can't be evaluated") {
			t.Errorf("%s: %+v, %v", field, events, err)
		}
	}
	s := &Source{content: contentJSON, maxEvents: 1, each: panicking{}}
	var refused BodyError
	if _, err := s.Read("", []byte(`[]`)); !errors.As(err, &refused) {
		t.Errorf("each: %v", err)
	}
}

type panicking struct{}

func (panicking) search(any) (any, error) { panic("boom") }
