package handler

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep JSON may nest.
const maxDepth = 64

// bodyError is a body that is no JSON that means one thing.
type bodyError struct {
	detail string
	field  string // at fault, where it is one of ours
}

func (e bodyError) Error() string { return e.detail }

// parseJSON reads one JSON value, strictly: valid Unicode, no key twice in one
// object (whether the first or the last one counts depends on the reader, so
// that what was checked may not be what is used), nothing behind it. Numbers are
// json.Number, so that large ids survive.
func parseJSON(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, bodyError{detail: "The body is not valid UTF-8."}
	}
	p := parser{decoder: json.NewDecoder(bytes.NewReader(body)), replaced: holdsReplacement(body)}
	p.decoder.UseNumber()
	value, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := p.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, bodyError{detail: "There is something behind the JSON value."}
	}
	return value, nil
}

type parser struct {
	decoder  *json.Decoder
	replaced bool // U+FFFD stands in the body itself
}

// holdsReplacement tells whether the body holds U+FFFD, plainly or escaped.
func holdsReplacement(body []byte) bool {
	return bytes.ContainsRune(body, utf8.RuneError) || bytes.Contains(bytes.ToLower(body), []byte(`\ufffd`))
}

// token refuses half a surrogate pair (such as "\ud800"): the decoder makes
// U+FFFD of it, so that different bodies would come out the same.
func (p parser) token() (json.Token, error) {
	token, err := p.decoder.Token()
	if err != nil {
		return nil, p.broken()
	}
	if text, ok := token.(string); ok && !p.replaced && strings.ContainsRune(text, utf8.RuneError) {
		return nil, bodyError{detail: fmt.Sprintf("The JSON escapes half a character before byte %d.", p.decoder.InputOffset())}
	}
	return token, nil
}

func (p parser) value(depth int) (any, error) {
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	switch {
	case !ok:
		return token, nil
	case depth == maxDepth:
		return nil, bodyError{detail: fmt.Sprintf("The JSON nests deeper than %d.", maxDepth)}
	case delim == '{':
		return p.object(depth)
	}
	return p.array(depth)
}

func (p parser) object(depth int) (any, error) {
	object := make(map[string]any)
	for p.decoder.More() {
		token, err := p.token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, p.broken()
		}
		if _, known := object[name]; known {
			return nil, twice(name)
		}
		if object[name], err = p.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err := p.token() // the bracket; the decoder sees that it is the right one
	return object, err
}

func (p parser) array(depth int) (any, error) {
	array := []any{}
	for p.decoder.More() {
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := p.token()
	return array, err
}

// twice names the field if it is one of ours. Other names are the sender's, and
// aren't repeated.
func twice(name string) error {
	e := bodyError{detail: "A key stands twice in one object."}
	if slices.Contains([]string{"signup_id", "company", "type", "data"}, name) {
		e.field = name
	}
	return e
}

func (p parser) broken() error {
	return bodyError{detail: fmt.Sprintf("The JSON is broken at byte %d.", p.decoder.InputOffset())}
}
