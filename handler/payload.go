package handler

import (
	"encoding/json"
	"errors"
	"math"
	"slices"

	"github.com/trunkhook/trunkhook/handler/line"
	"github.com/trunkhook/trunkhook/handler/strictjson"
	"github.com/trunkhook/trunkhook/provision"
)

// parseSignup reads the body of the API profile: the signup itself, or the same
// inside {"type": ..., "data": {...}}. The error is a strictjson.Error or a
// *provision.InvalidError with every field at fault; as much of the signup as
// could be read comes with it.
func parseSignup(body []byte) (provision.Signup, error) {
	object, err := parseObject(body, "signup_id")
	if err != nil {
		return provision.Signup{}, err
	}
	var invalid provision.InvalidError
	signup := provision.Signup{
		ID:         textField(object, "signup_id", &invalid),
		Company:    textField(object, "company", &invalid),
		Generation: generationField(object, &invalid),
		Line:       line.Read(func(field string) any { return object[field] }, &invalid),
	}
	addFaults(&invalid, signup.Validate())
	return signup.Normalised(), invalid.OrNil()
}

// parseCompany reads the body of /me/signup, in which an id means nothing, nor
// anything else that the user types but the company.
func parseCompany(body []byte) (provision.Signup, error) {
	object, err := parseObject(body, "company")
	if err != nil {
		return provision.Signup{}, err
	}
	var invalid provision.InvalidError
	signup := provision.Signup{ID: "-", Company: textField(object, "company", &invalid)}.Normalised()
	addFaults(&invalid, signup.Validate())
	for _, field := range append([]string{fieldGeneration}, line.Fields...) { // who was told 201 would believe that the number is theirs
		if object[field] != nil {
			invalid.Add(field, "can't be chosen by the user")
		}
	}
	return signup, invalid.OrNil()
}

// parseObject reads a body that is the signup itself, which has the given key, or
// has it inside.
func parseObject(body []byte, key string) (map[string]any, error) {
	value, err := strictjson.Parse(body)
	if err != nil {
		return nil, err
	}
	var invalid provision.InvalidError
	object, ok := value.(map[string]any)
	if !ok {
		invalid.Add("body", "must be a JSON object")
		return nil, &invalid
	}
	if object, ok = unwrap(object, key); !ok {
		invalid.Add("data", "must be an object")
		return nil, &invalid
	}
	return object, nil
}

// addFaults adds those of fields that have none yet.
func addFaults(invalid *provision.InvalidError, err error) {
	var more *provision.InvalidError
	if !errors.As(err, &more) {
		return
	}
	for _, fault := range more.Faults {
		known := func(f provision.Fault) bool { return f.Field == fault.Field }
		if !slices.ContainsFunc(invalid.Faults, known) {
			invalid.Add(fault.Field, fault.Detail)
		}
	}
}

// unwrap takes the signup out of an event around it. One that has its key outside
// is no event: what else it holds is ignored, whatever its name.
func unwrap(object map[string]any, key string) (map[string]any, bool) {
	data, wrapped := object["data"]
	_, typed := object["type"].(string)
	if _, flat := object[key]; flat || !typed || !wrapped {
		return object, true
	}
	inner, ok := data.(map[string]any)
	return inner, ok
}

const fieldGeneration = "generation"

// badGeneration is what is wrong with any that can't be used.
var badGeneration = provision.Fault{Field: fieldGeneration, Detail: "must be a whole number from 1 to 10000"}

// generationField reads the generation, which may be left out or null.
func generationField(object map[string]any, invalid *provision.InvalidError) int {
	value := object[fieldGeneration]
	if value == nil {
		return 0
	}
	number, _ := value.(json.Number)
	n, err := number.Float64()
	if err != nil || n != math.Trunc(n) || n < 1 || n > provision.MaxGeneration {
		invalid.Faults = append(invalid.Faults, badGeneration)
		return 0
	}
	return int(n)
}

// textField reads a field that must be a string.
func textField(object map[string]any, name string, invalid *provision.InvalidError) string {
	value, there := object[name]
	text, ok := value.(string)
	switch {
	case !there:
		invalid.Add(name, "is missing")
	case !ok:
		invalid.Add(name, "must be a string")
	}
	return text
}
