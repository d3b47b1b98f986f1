package sources

import "errors"

// An expression picks a value out of an event. It is one function, so that
// another engine can take JMESPath's place.
type expression interface {
	// search returns what the expression gives on data, which is what
	// strictjson.Parse makes; nil where it points at nothing.
	search(data any) (any, error)
}

// evaluate is search without the engine's panics: the library of today (v1.1.1)
// compares with ==, which panics on objects, as in contains(list, object).
func evaluate(e expression, data any) (result any, err error) {
	defer func() {
		if recover() != nil {
			result, err = nil, errSearch
		}
	}()
	if result, err = e.search(data); err != nil {
		return nil, errSearch
	}
	return result, nil
}

// errSearch is all that is said of an expression that fails on an event: the
// engine's own words repeat the event's values.
var errSearch = errors.New("can't be evaluated on this event (a function was given another type than it takes)")

// compiled is an expression with what is known of it before any event.
type compiled struct {
	expression
	parts     []expression // of [a, b] at the top; of anything else, itself
	keys      []string     // that it names
	functions []string     // that it calls
}

const (
	// maxExpression is in bytes.
	maxExpression = 1000
	// maxGrowth is how many times as large as its event what an expression goes
	// through may become. Without it [@,@]|[@,@]|... doubles at each step.
	maxGrowth = 32
)

// truthy is what JMESPath takes for true.
func truthy(value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}
