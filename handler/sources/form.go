package sources

import (
	"bytes"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxFields is how many a form may have.
const maxFields = 1000

// parseForm reads application/x-www-form-urlencoded into an object of texts. A
// key that comes twice is refused: which one counts depends on the reader.
func parseForm(body []byte) (any, error) {
	fields := bytes.Count(body, []byte("&")) + 1
	if fields > maxFields {
		return nil, BodyError{"The form has more than 1000 fields."}
	}
	object := make(map[string]any, fields)
	for pair := range strings.SplitSeq(string(body), "&") {
		if pair == "" {
			continue
		}
		key, value, err := parsePair(pair)
		if err != nil {
			return nil, err
		}
		if _, twice := object[key]; twice {
			return nil, BodyError{"A field stands twice in the form."}
		}
		object[key] = value
	}
	return object, nil
}

func parsePair(pair string) (key, value string, err error) {
	key, value, _ = strings.Cut(pair, "=")
	if key, err = url.QueryUnescape(key); err == nil {
		value, err = url.QueryUnescape(value)
	}
	switch {
	case err != nil:
		return "", "", BodyError{"The form is broken."}
	case !utf8.ValidString(key) || !utf8.ValidString(value):
		return "", "", BodyError{"The form is not valid UTF-8."}
	}
	return key, value, nil
}
