package sources

import (
	"bytes"
	"encoding/json"
)

// ForEvent is the source of a payload that reached the function without HTTP,
// told by its shape: an event of EventBridge, or a trigger of Cognito. It is
// false for anything else, a request of API Gateway above all, whatever that
// holds: a request has requestContext at its top, which no event has.
func (set Set) ForEvent(payload []byte) (*Source, bool) {
	if !set.mayBeEvent(payload) {
		return nil, false
	}
	var top map[string]json.RawMessage
	if json.Unmarshal(payload, &top) != nil {
		return nil, false
	}
	if _, request := top["requestContext"]; request {
		return nil, false
	}
	for _, s := range set.all {
		if s.isEvent(top) {
			return s, true
		}
	}
	return nil, false
}

// mayBeEvent is quick, since every request goes through it: an event of any
// source holds all keys that its file names. In a request's body, which is a
// string there, quotes are escaped, so that such a key isn't found.
func (set Set) mayBeEvent(payload []byte) bool {
	for _, s := range set.all {
		if len(s.event) > 0 && s.keysIn(payload) {
			return true
		}
	}
	return false
}

func (s *Source) keysIn(payload []byte) bool {
	for key := range s.event {
		if !bytes.Contains(payload, []byte(`"`+key+`"`)) {
			return false
		}
	}
	return true
}
