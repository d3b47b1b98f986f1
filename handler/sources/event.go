package sources

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/trunkhook/trunkhook/handler/line"
	"github.com/trunkhook/trunkhook/provision"
)

// Event is one event of a body.
type Event struct {
	// Signup is what the event asks for, in the normalised form, its ID with the
	// namespace in front and its Source set. With a Fault it is as much of it as
	// could be read.
	Signup provision.Signup
	// Cancelled is an event that the source's cancelled says ends the signup. Of that
	// it has the ID and the Source, and nothing else.
	Cancelled bool
	// Ignored is an event that the source's match says is not for us.
	Ignored bool
	// Fault is a *provision.InvalidError that names the fields of the source's
	// file that make no signup of the event, though it is for us.
	Fault error
	// Raw is the event as JSON, without what the sender proves itself with, to be
	// kept for the operator. It is there with a Fault only. Of events beyond the
	// most that one delivery may hold it is a list.
	Raw json.RawMessage

	source *Source
	data   any // nil where it was not read
}

// read makes an event of one element of a body.
func (s *Source) read(element any) Event {
	if broken, ok := element.(brokenElement); ok {
		invalid := &provision.InvalidError{}
		invalid.Add("event", broken.err.Error())
		return Event{Signup: provision.Signup{Source: s.Name}, Fault: invalid, Raw: s.raw(broken), source: s, data: broken.fields}
	}
	e := Event{Signup: provision.Signup{Source: s.Name}, source: s, data: element}
	var invalid provision.InvalidError
	_, isObject := element.(map[string]any)
	cancelled, cancelledErr := s.isCancelled(element)
	matches, err := s.matches(element)
	switch {
	case !isObject:
		invalid.Add("event", "must be an object")
	case cancelledErr != nil:
		invalid.Add(fieldCancelled, cancelledErr.Error())
	case cancelled:
		e.Cancelled, e.Signup.ID = true, s.idOf(element, &invalid)
	case err != nil:
		invalid.Add(fieldMatch, err.Error())
	case !matches:
		e.Ignored = true
	default:
		e.Signup = s.signup(element, &invalid)
	}
	if err := invalid.OrNil(); err != nil {
		e.Fault, e.Raw = err, s.raw(element)
	}
	return e
}

func (s *Source) matches(element any) (bool, error) {
	if s.match == nil {
		return true, nil
	}
	value, err := evaluate(s.match, element)
	return truthy(value), err
}

// isCancelled takes nothing but true for a yes: a trunk that is deleted by mistake is
// lost.
func (s *Source) isCancelled(element any) (bool, error) {
	if s.cancelled == nil {
		return false, nil
	}
	value, err := evaluate(s.cancelled, element)
	return value == true, err
}

// idOf is the id of the event's signup; empty where it has none that can be used.
func (s *Source) idOf(element any, invalid *provision.InvalidError) string {
	id, err := s.signupID(element)
	if err != nil {
		invalid.Add(fieldID, err.Error())
		return ""
	}
	return id
}

// signup evaluates the expressions that make one.
func (s *Source) signup(element any, invalid *provision.InvalidError) provision.Signup {
	signup := provision.Signup{ID: s.idOf(element, invalid), Source: s.Name}
	value, err := evaluate(s.company, element)
	text, ok := value.(string)
	switch {
	case err != nil:
		invalid.Add(fieldCompany, err.Error())
	case value == nil:
		invalid.Add(fieldCompany, "is missing")
	case !ok:
		invalid.Add(fieldCompany, "must be text")
	default:
		signup.Company = text
	}
	signup.Line = line.Read(func(field string) any { return s.lineValue(element, field, invalid) }, invalid)
	addFaults(invalid, signup.Validate())
	return signup.Normalised()
}

// lineValue is nil where the file says nothing of the field.
func (s *Source) lineValue(element any, field string, invalid *provision.InvalidError) any {
	e, ok := s.line[field]
	if !ok {
		return nil
	}
	value, err := evaluate(e, element)
	if err != nil {
		invalid.Add(field, err.Error())
	}
	return value
}

// addFaults takes over what the engine says of fields that have no fault yet. What
// it says of the id is said already, of the field id.
func addFaults(invalid *provision.InvalidError, err error) {
	if err == nil {
		return
	}
	var found *provision.InvalidError
	if !errors.As(err, &found) {
		return
	}
	for _, fault := range found.Faults {
		known := func(f provision.Fault) bool { return f.Field == fault.Field }
		if fault.Field != "signup_id" && !slices.ContainsFunc(invalid.Faults, known) {
			invalid.Add(fault.Field, fault.Detail)
		}
	}
}

// raw is an element as JSON, without the secrets.
func (s *Source) raw(element any) json.RawMessage {
	if broken, ok := element.(brokenElement); ok {
		element = broken.fields
	}
	if object, ok := element.(map[string]any); ok && len(s.secrets) > 0 {
		object = maps.Clone(object)
		for _, key := range s.secrets {
			delete(object, key)
		}
		element = object
	}
	content, err := json.Marshal(element)
	if err != nil {
		panic(err) // it was made of JSON, a form or XML
	}
	return content
}

// Value is what an expression gives on an event.
type Value struct {
	Field      string // of the source's file
	Expression string
	Result     any // as strictjson.Parse makes it
	Err        error
}

// Values evaluates every expression of the source but each on the event, so that a
// mapping can be checked.
func (e Event) Values() []Value {
	var values []Value
	for _, m := range e.source.mappings {
		if m.field == fieldEach {
			continue
		}
		result, err := evaluate(m.expression, e.data)
		values = append(values, Value{m.field, m.text, result, err})
	}
	return values
}
