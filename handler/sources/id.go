package sources

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/trunkhook/trunkhook/provision"
)

// signupID is <namespace>:<part>:<part>... of an event. Nothing is cleaned: an id
// goes in as it is, or the event is refused, so two records never meet at one
// signup. Only the last part may hold a colon, so that the others can be told
// apart. The error is a sentence's end.
func (s *Source) signupID(element any) (string, error) {
	id := append(make([]byte, 0, 2*maxPart), s.Namespace...)
	for i, expression := range s.id {
		value, err := evaluate(expression, element)
		if err != nil {
			return "", s.inPart(i, err)
		}
		text, err := part(value, i == len(s.id)-1)
		if err != nil {
			return "", s.inPart(i, err)
		}
		id = append(append(id, ':'), s.formed(text)...)
	}
	if len(id) > maxPart { // that is all that can be wrong with valid parts
		return "", errors.New("is too long: with its namespace an id may have 128 characters")
	}
	return string(id), nil
}

// inPart says which part of an id a fault is in, where there are several.
func (s *Source) inPart(i int, err error) error {
	if len(s.id) == 1 {
		return err
	}
	return fmt.Errorf("(part %d of %d) %w", i+1, len(s.id), err)
}

// part is the text of an id's part. A number is taken as it was written, and
// means the same record as a text of its digits: senders change between them.
func part(value any, last bool) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", errors.New("is missing")
	case json.Number:
		if strings.Trim(string(v), "0123456789") != "" {
			return "", errors.New("must be text or a whole number")
		}
		return string(v), nil
	case string:
		return v, checkPart(v, last)
	}
	return "", errors.New("must be text or a whole number")
}

func checkPart(text string, last bool) error {
	switch {
	case text == "":
		return errors.New("is empty")
	case len(text) > maxPart:
		return errors.New("is too long")
	case !provision.ValidSignupID(text):
		return errors.New("may hold only letters, digits and . _ : @ | -")
	case !last && strings.Contains(text, ":"):
		return errors.New("must not hold a colon, as it is not the last part")
	}
	return nil
}

// maxPart is how long one part can be at all, as the whole.
const maxPart = 128

// What the parts of an id may be: the values of id_form in a source's file.
const (
	formPlain      = "plain"
	formSalesforce = "salesforce"
)

// formed brings a part into the source's one form.
func (s *Source) formed(text string) string {
	if s.idForm == formSalesforce {
		return longID(text)
	}
	return text
}

// longID makes Salesforce's id of 18 characters of one of 15, which formulas
// still give: both mean the same record. The three behind tell, five characters
// each, which are upper case. Anything else stays as it is.
func longID(text string) string {
	const short, group = 15, 5
	if len(text) != short || strings.ContainsAny(text, ".:@|_-") {
		return text
	}
	long := []byte(text)
	for start := 0; start < short; start += group {
		bits := 0
		for i, char := range text[start : start+group] {
			if char >= 'A' && char <= 'Z' {
				bits |= 1 << i
			}
		}
		long = append(long, "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits])
	}
	return string(long)
}
