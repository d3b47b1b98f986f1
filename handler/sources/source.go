package sources

import (
	"encoding/json"
	"strings"
)

// Reply is the form in which a sender wants its answer.
type Reply string

const (
	// ReplyJSON is a JSON object, and the status code counts.
	ReplyJSON Reply = "json"
	// ReplyLeadSquared is always 200, with {"Status": "Success" or "Error",
	// "StatusReason": ...}: LeadSquared disables a webhook that answers otherwise.
	ReplyLeadSquared Reply = "leadsquared"
	// ReplySalesforceAck is SOAP that holds Ack true; where something is not on disk
	// it is 503, and Salesforce sends again.
	ReplySalesforceAck Reply = "salesforce-ack"
	// ReplyEcho is the event itself, as it came: Cognito makes its user's call
	// fail otherwise.
	ReplyEcho Reply = "echo"
)

// Source is a way in, as its file says, checked and compiled. It is safe for
// use by several goroutines.
type Source struct {
	Name      string
	Namespace string // what its signup ids start with
	About     string // one line for people
	// Auth are the ways to authenticate, any of which suffices, as package
	// verify reads them. A source of events has none, and must not be reached by
	// HTTP.
	Auth  []json.RawMessage
	Reply Reply

	content   string
	event     map[string]string // see file; empty for one that comes by HTTP
	maxEvents int
	idForm    string
	secrets   []string // keys at the top of a body that hold a secret

	each, cancelled, match, company expression // the first three may be nil
	id                              []expression
	line                            map[string]expression // by the fields of package line
	mappings                        []mapping
}

// mapping is an expression by the field that it stands in.
type mapping struct {
	field, text string
	expression  expression
}

// Read takes the events out of a body, in their order. The error is about the
// whole body: ErrContentType or a BodyError. What is wrong with one event is its
// Fault, and leaves the others alone. Events beyond the most that the source's file
// allows are the last ones, with a Fault, many in one.
func (s *Source) Read(contentType string, body []byte) ([]Event, error) {
	value, err := parseBody(s.content, contentType, body)
	if err != nil {
		return nil, err
	}
	elements, err := s.elements(value)
	if err != nil {
		return nil, err
	}
	most := min(len(elements), s.maxEvents)
	events := make([]Event, most)
	for i, element := range elements[:most] {
		events[i] = s.read(element)
	}
	return append(events, s.beyond(elements[most:])...), nil
}

// elements are the events of a body.
func (s *Source) elements(body any) ([]any, error) {
	if s.each != nil {
		found, err := evaluate(s.each, body)
		if err != nil {
			return nil, BodyError{"The list of events can't be found in the body."}
		}
		body = found
	}
	switch v := body.(type) {
	case map[string]any:
		if s.each == nil {
			return []any{v}, nil
		}
	case []any:
		if s.each != nil || s.content == contentSOAP {
			return v, nil
		}
	}
	if s.each != nil {
		return nil, BodyError{"The body must hold a list of events."}
	}
	return nil, BodyError{"The body must be an object."}
}

// isEvent tells whether a payload that comes without HTTP is this source's:
// every key at its top that the file names is a text that starts as the file
// says.
func (s *Source) isEvent(payload map[string]json.RawMessage) bool {
	for key, prefix := range s.event {
		var text string
		if json.Unmarshal(payload[key], &text) != nil || !strings.HasPrefix(text, prefix) {
			return false
		}
	}
	return len(s.event) > 0
}
