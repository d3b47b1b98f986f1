package sources

import (
	"errors"
	"fmt"

	"github.com/jmespath-community/go-jmespath/pkg/functions"
	"github.com/jmespath-community/go-jmespath/pkg/interpreter"
	"github.com/jmespath-community/go-jmespath/pkg/parsing"
)

// arity is how many arguments a function takes.
type arity struct{ least, most int }

const many = 100

// callable are the functions of JMESPath 1.0 that an expression may call. Those
// on numbers don't know json.Number, which large ids need (2017, open:
// github.com/jmespath/go-jmespath/issues/27), and those on an object's values
// give them in another order each time.
var callable = map[string]arity{
	"contains":    {2, 2},
	"ends_with":   {2, 2},
	"join":        {2, 2},
	"length":      {1, 1},
	"not_null":    {1, many},
	"sort":        {1, 1},
	"starts_with": {2, 2},
	"to_array":    {1, 1},
	"to_string":   {1, 1},
}

// caller is shared: the library's own Compile makes a table for each expression.
var caller = newCaller()

func newCaller() interpreter.FunctionCaller {
	var entries []functions.FunctionEntry
	for _, entry := range functions.GetDefaultFunctions() {
		if _, ok := callable[entry.Name]; ok {
			entries = append(entries, entry)
		}
	}
	return interpreter.NewFunctionCaller(entries...)
}

// engine evaluates all expressions. It could be told what $ and bound names stand
// for, neither of which is offered.
var engine = interpreter.NewInterpreter(nil, caller, nil)

// jmespath is an expression of the engine.
type jmespath struct{ node parsing.ASTNode }

func (e jmespath) search(data any) (any, error) { return engine.Execute(e.node, data) }

// path is an expression of keys alone, a.b.c, as most are. It needs no engine, which
// would take several times as long.
type path []string

func (p path) search(data any) (any, error) {
	for _, key := range p {
		object, _ := data.(map[string]any)
		data = object[key]
	}
	return data, nil
}

// pathOf is the path that a tree is, if it is one.
func pathOf(node parsing.ASTNode) (path, bool) {
	switch node.NodeType {
	case parsing.ASTField:
		key, ok := node.Value.(string)
		return path{key}, ok
	case parsing.ASTSubexpression:
		left, ok := pathOf(node.Children[0])
		right, also := pathOf(node.Children[1])
		return append(left, right...), ok && also
	default:
		return nil, false
	}
}

func expressionOf(node parsing.ASTNode) expression {
	if p, ok := pathOf(node); ok {
		return p
	}
	return jmespath{node}
}

// compile takes the part of JMESPath 1.0 that gives the same for the same event
// each time, and whose work is in proportion to the event. The error is a
// sentence's end: "is ...", "calls ...".
func compile(text string) (compiled, error) {
	if len(text) > maxExpression {
		return compiled{}, fmt.Errorf("is longer than %d characters", maxExpression)
	}
	node, err := parse(text)
	if err != nil {
		return compiled{}, err
	}
	var c census
	if c.growth(node); c.fault != nil {
		return compiled{}, c.fault
	}
	whole := expressionOf(node)
	parts := []expression{whole}
	if node.NodeType == parsing.ASTMultiSelectList {
		parts = parts[:0]
		for _, child := range node.Children {
			parts = append(parts, expressionOf(child))
		}
	}
	return compiled{whole, parts, c.keys, c.functions}, nil
}

func parse(text string) (node parsing.ASTNode, err error) {
	defer func() {
		if recover() != nil { // it looks beyond its last token
			err = errors.New("is no JMESPath expression")
		}
	}()
	node, err = parsing.NewParser().Parse(text)
	var syntax parsing.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return node, fmt.Errorf("is no JMESPath expression: %w, at character %d", err, syntax.Offset)
	case err != nil:
		return node, fmt.Errorf("is no JMESPath expression: %w", err)
	}
	return node, nil
}
