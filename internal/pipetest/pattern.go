package pipetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Matches says whether an event has what a pattern asks for. Both are decoded JSON.
// It knows what the project's patterns use of EventBridge's language, and fails
// for the rest: values, prefix, anything-but, exists and $or, as
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
// describes them (November 2026).
func Matches(pattern, event any) (bool, error) {
	fields, ok := pattern.(map[string]any)
	if !ok {
		return false, fmt.Errorf("a pattern is an object, not %v", pattern)
	}
	object, _ := event.(map[string]any)
	for name, wanted := range fields {
		matches, err := matchesField(name, wanted, object)
		if !matches || err != nil {
			return false, err
		}
	}
	return true, nil
}

func matchesField(name string, wanted any, object map[string]any) (bool, error) {
	value, there := object[name]
	switch wanted := wanted.(type) {
	case map[string]any:
		return Matches(wanted, value)
	case []any:
		if name == "$or" {
			return some(wanted, func(one any) (bool, error) { return Matches(one, object) })
		}
		return some(wanted, func(one any) (bool, error) { return matchesLeaf(one, value, there) })
	}
	return false, fmt.Errorf("%s is neither an object nor a list in the pattern", name)
}

func some(list []any, holds func(any) (bool, error)) (bool, error) {
	for _, one := range list {
		if found, err := holds(one); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// matchesLeaf: of a list in the event, one element suffices. An object is no leaf.
func matchesLeaf(wanted, value any, there bool) (bool, error) {
	if list, ok := value.([]any); ok {
		return some(list, func(element any) (bool, error) { return matchesLeaf(wanted, element, true) })
	}
	if _, ok := value.(map[string]any); ok {
		value, there = nil, false
	}
	operator, ok := wanted.(map[string]any)
	if !ok {
		return there && reflect.DeepEqual(wanted, value), nil
	}
	if len(operator) != 1 {
		return false, fmt.Errorf("%v is not one operator", operator)
	}
	for name, operand := range operator {
		return matchesOperator(name, operand, value, there)
	}
	return false, nil
}

func matchesOperator(name string, operand, value any, there bool) (bool, error) {
	text, isText := value.(string)
	switch operand := operand.(type) {
	case bool:
		if name == "exists" {
			return there == operand, nil
		}
	case string:
		switch name {
		case "prefix":
			return isText && strings.HasPrefix(text, operand), nil
		case "anything-but":
			return there && value != operand, nil
		}
	case []any:
		if name == "anything-but" {
			found, err := some(operand, func(one any) (bool, error) { return reflect.DeepEqual(one, value), nil })
			return there && !found, err
		}
	case map[string]any:
		if prefix, ok := operand["prefix"].(string); ok && name == "anything-but" && len(operand) == 1 {
			return there && (!isText || !strings.HasPrefix(text, prefix)), nil
		}
	}
	return false, fmt.Errorf("nothing is known of %s with %v", name, operand)
}

// Decode decodes JSON, for Matches.
func Decode(document string) (value any, err error) {
	err = json.Unmarshal([]byte(document), &value)
	return value, err
}
