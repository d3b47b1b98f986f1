package handler

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxDepth is how deep JSON may nest.
const maxDepth = 64

// bodyError is a body that is no JSON that means one thing.
type bodyError struct{ detail string }

func (e bodyError) Error() string { return e.detail }

// parseJSON reads one JSON value, strictly: valid UTF-8, no key twice in one
// object (whose last or first one counts depends on the reader, so that what was
// checked may not be what is used), nothing behind it. Numbers are json.Number,
// so that large ids survive.
func parseJSON(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, bodyError{"The body is not valid UTF-8."}
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	value, err := parseValue(decoder, 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, bodyError{"There is something behind the JSON value."}
	}
	return value, nil
}

func parseValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, broken(decoder)
	}
	delim, ok := token.(json.Delim)
	switch {
	case !ok:
		return token, nil
	case depth == maxDepth:
		return nil, bodyError{fmt.Sprintf("The JSON nests deeper than %d.", maxDepth)}
	case delim == '{':
		return parseObject(decoder, depth)
	}
	return parseArray(decoder, depth)
}

func parseObject(decoder *json.Decoder, depth int) (any, error) {
	object := make(map[string]any)
	for decoder.More() {
		token, err := decoder.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, broken(decoder)
		}
		if _, twice := object[name]; twice {
			return nil, bodyError{"A key stands twice in one object."}
		}
		if object[name], err = parseValue(decoder, depth+1); err != nil {
			return nil, err
		}
	}
	return object, closing(decoder)
}

func parseArray(decoder *json.Decoder, depth int) (any, error) {
	array := []any{}
	for decoder.More() {
		value, err := parseValue(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	return array, closing(decoder)
}

// closing reads the bracket at the end, of which the decoder makes sure that it
// is the right one.
func closing(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return broken(decoder)
	}
	return nil
}

func broken(decoder *json.Decoder) error {
	return bodyError{fmt.Sprintf("The JSON is broken at byte %d.", decoder.InputOffset())}
}
