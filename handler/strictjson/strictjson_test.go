package strictjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/handler/strictjson"
)

func TestParseTakesWhatMeansOneThing(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]any{
		`{"a":1,"b":[true,null,"x"],"c":{}}`:       map[string]any{"a": json.Number("1"), "b": []any{true, nil, "x"}, "c": map[string]any{}},
		" {\t\"a\" :\r\n[ 1 , false ] } ":          map[string]any{"a": []any{json.Number("1"), false}},
		`{"id":9007199254740993}`:                  map[string]any{"id": json.Number("9007199254740993")},
		`[-0,0.10,1e5,2E-3,-12.5e+07]`:             []any{json.Number("-0"), json.Number("0.10"), json.Number("1e5"), json.Number("2E-3"), json.Number("-12.5e+07")},
		` "\ud83d\ude80" `:                         "🚀",
		`"\uD83D\uDE80 \"\\\/\b\f\n\r\tA\u00e9\""`: "🚀 \"\\/\b\f\n\r\tAé\"",
		`"\ufffd"`:   "\ufffd",
		"\"\ufffd\"": "\ufffd",
		`"\\ud800"`:  `\ud800`,
		`[]`:         []any{},
		`null`:       nil,
		strings.Repeat("[", 64) + strings.Repeat("]", 64): nested(64),
	} {
		if got, err := strictjson.Parse([]byte(body)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v", body, got, err)
		}
	}
}

func nested(depth int) any {
	array := []any{}
	for range depth - 1 {
		array = []any{array}
	}
	return array
}

func TestParseRefusesWhatMeansNothingOrTwoThings(t *testing.T) {
	t.Parallel()
	const half, broken, twice = "escapes half a character", "broken at byte", "A key stands twice"
	for body, want := range map[string]string{
		`"\ud800"`:                  half,
		`{"\udc00":1}`:              half,
		`["\ud800x"]`:               half,
		`"\ud83d\u0041"`:            half,
		`"\ud83d\ud83d\ude80"`:      half,
		`"\ud83d\u00zz"`:            broken,
		`{"a":1,"a":1}`:             twice,
		`{"a":1,"\u0061":2}`:        twice,
		"\"\xff\"":                  "not valid UTF-8",
		`{} {}`:                     "something behind",
		`01`:                        "something behind",
		`0x1`:                       "something behind",
		`1_0`:                       "something behind",
		`1,`:                        "something behind",
		strings.Repeat("[", 65):     "nests deeper than 64",
		strings.Repeat(`{"a":`, 65): "nests deeper than 64",
		strings.Repeat("[", 1<<20):  "nests deeper than 64",
		`[0` + strings.Repeat(",0", 50_000) + `]`: "more than 50000 values",
	} {
		check(t, body, want)
	}
	for _, body := range []string{
		``, ` `, `nul`, `truE`, `[1,]`, `[,1]`, `[1 2]`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a" 1}`, `{a:1}`, `{1:1}`, `{"a":}`, `[`, `{`, `{"a":1`, `]`,
		`-`, `+1`, `.5`, `1.`, `1.e5`, `1e`, `1e+`, `NaN`, `Infinity`,
		`"`, `"a`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"\n\"", "\"a\\n\x01\"", "'a'", "// a\n1", "\x00", "\ufeff{}",
	} {
		check(t, body, broken)
	}
}

func check(t *testing.T, body, want string) {
	t.Helper()
	got, err := strictjson.Parse([]byte(body))
	var refused strictjson.Error
	if got != nil || !errors.As(err, &refused) || !strings.Contains(refused.Detail, want) {
		t.Errorf("%.40q: %v, %v; want %q", body, got, err, want)
	}
}

// FuzzParse: what is taken is valid JSON, and means what encoding/json makes of
// it; what is refused although it is valid has one of our reasons.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"signup_id":"acme-42","company":"Acme Telecom"}`, `{"a":1,"a":2}`, `[[]]`, `"\ud800"`, `"\ud83d\ude80\n"`, `{"a":{"b":[1e400,-0.0]}}`, `nul`, strings.Repeat("[", 70),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := strictjson.Parse(body)
		if err != nil {
			if reason := err.Error(); json.Valid(body) && (strings.Contains(reason, "broken") || strings.Contains(reason, "behind")) {
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

// 20 kB of a contact with its history.
func BenchmarkParse(b *testing.B) {
	var body strings.Builder
	body.WriteString(`{"vid":4021,"properties":{"email":null`)
	for i := 0; body.Len() < 20_000; i++ {
		fmt.Fprintf(&body, `,"property_%d":{"value":"some value","versions":[{"value":"some value","source-type":"FORM","timestamp":1790000000000,"selected":false}]}`, i)
	}
	body.WriteString("}}")
	text := []byte(body.String())
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := strictjson.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
