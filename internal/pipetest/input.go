package pipetest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// part is a string literal of a template, or a path outside of one.
var (
	part = regexp.MustCompile(`"(?:\\.|[^"\\])*"|<[^<>]*>`)
	path = regexp.MustCompile(`<\$\.[^<>]*>`)
)

// transform fills a template in, as unkindly as the documentation of Pipes can be read
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html,
// November 2026): a string gets the quotes that the template doesn't have, but nothing in
// it is escaped; where there is no value, nothing is put; an object or a list is JSON, and
// stands outside of quotes. A template whose result is JSON even so is safe.
func transform(template string, record map[string]any) (detail map[string]any, err error) {
	input := part.ReplaceAllStringFunc(template, func(found string) string {
		if !strings.HasPrefix(found, `"`) {
			return outside(LookUp(found, record))
		}
		return path.ReplaceAllStringFunc(found, func(p string) string {
			inside, ok := LookUp(p, record).(string)
			if !ok && LookUp(p, record) != nil {
				err = fmt.Errorf("%s is an object within quotes", p)
			}
			return inside
		})
	})
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(input), &detail); err != nil {
		return nil, fmt.Errorf("the input is no JSON: %w\n%s", err, input)
	}
	return detail, nil
}

func outside(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return `"` + value + `"`
	}
	document, err := json.Marshal(value)
	if err != nil {
		panic(err) // it came out of JSON
	}
	return string(document)
}

// LookUp follows a path such as $.dynamodb.NewImage.status.S, also one in < and >, into decoded
// JSON. It is nil where there is nothing.
func LookUp(path string, record map[string]any) any {
	var value any = record
	for _, name := range strings.Split(strings.Trim(path, "<>"), ".")[1:] {
		fields, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = fields[name]
	}
	return value
}
