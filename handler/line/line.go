// Package line reads what a signup asks for beside its trunk out of JSON values: of
// the API profile, where each field is a list, and of CRMs, which have whatever
// their administrators made of it: a list, or one text with separators.
package line

import (
	"fmt"
	"strings"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/provision"
)

// The fields of a signup that its line is made of.
const (
	PhoneNumbers    = "phone_numbers"
	WhitelistedIPs  = "whitelisted_ips"
	DestinationURIs = "destination_uris"
	Credentials     = "credentials"
	CallerID        = "caller_id"
)

// Fields are all of them.
var Fields = []string{PhoneNumbers, WhitelistedIPs, DestinationURIs, Credentials, CallerID}

// Read takes a line out of the values of these fields. What isn't there, null or
// empty asks for nothing. A value of a form that can't be read is added to the
// faults; whether what was read can be used is for provision.Signup.Validate to say.
func Read(value func(field string) any, invalid *provision.InvalidError) provision.Line {
	r := reader{value, invalid}
	return provision.Line{
		PhoneNumbers:    list(r, PhoneNumbers, "phone_number", phoneNumber),
		WhitelistedIPs:  list(r, WhitelistedIPs, "", plain),
		DestinationURIs: list(r, DestinationURIs, "", plain),
		Credentials:     list(r, Credentials, "user_name", credential),
		CallerID:        r.callerID(),
	}
}

// split splits a text at commas, semicolons and white space, as people separate
// what they type into one field of a CRM. Semicolons are HubSpot's too; so is one in
// host:port;transport=tls, which belongs to what stands before it.
func split(text string) (parts []string) {
	for _, part := range strings.FieldsFunc(text, isSeparator) {
		if n := len(parts); n > 0 && strings.HasPrefix(strings.ToLower(part), "transport=") {
			parts[n-1] += ";" + part
			continue
		}
		parts = append(parts, part)
	}
	return parts
}

func isSeparator(r rune) bool {
	return strings.ContainsRune(",; \t\r\n\v\f\u00a0", r)
}

type reader struct {
	value   func(field string) any
	invalid *provision.InvalidError
}

// list reads a list, or a text with separators. An element is a text, or an object
// whose named key is one; plain elements have no object's form.
func list[T any](r reader, field, key string, element func(text string, object map[string]any) (T, bool)) (read []T) {
	var elements []any
	switch value := r.value(field).(type) {
	case nil:
	case string:
		for _, part := range split(value) {
			elements = append(elements, part)
		}
	case []any:
		elements = value
	default:
		r.invalid.Add(field, "must be a list")
	}
	if len(elements) > provision.MaxSteps { // no more is looked at than can be taken
		r.invalid.Add(field, fmt.Sprintf("must be at most %d", provision.MaxSteps))
		return nil
	}
	for _, value := range elements {
		object, isObject := value.(map[string]any)
		text, isText := value.(string)
		if isObject && key != "" {
			text, isText = object[key].(string)
		}
		e, ok := element(strings.TrimSpace(text), object)
		switch {
		case !isText && key == "":
			r.invalid.Add(field, "must be a list of texts")
			return nil
		case !isText, !ok:
			r.invalid.Add(field, "must be a list of objects with the text "+key)
			return nil
		case text != "":
			read = append(read, e)
		}
	}
	return read
}

func plain(text string, _ map[string]any) (string, bool) { return text, true }

func phoneNumber(text string, object map[string]any) (provision.PhoneNumber, bool) {
	mode, ok := optional(object, "mode")
	return provision.PhoneNumber{PhoneNumber: text, Mode: exotel.Mode(mode)}, ok
}

func credential(text string, object map[string]any) (provision.Credential, bool) {
	name, ok := optional(object, "friendly_name")
	return provision.Credential{UserName: text, FriendlyName: name}, ok
}

// optional is a key of an object that is a text if it is there.
func optional(object map[string]any, key string) (string, bool) {
	value := object[key]
	text, ok := value.(string)
	return text, ok || value == nil
}

func (r reader) callerID() string {
	value := r.value(CallerID)
	text, ok := value.(string)
	if !ok && value != nil {
		r.invalid.Add(CallerID, "must be a text")
	}
	return strings.TrimSpace(text)
}
