package sources

import (
	"fmt"
	"slices"

	"github.com/jmespath-community/go-jmespath/pkg/parsing"
)

// census walks an expression's tree and notes what it meets.
type census struct {
	keys, functions []string
	fault           error // the first one
}

func (c *census) refuse(format string, a ...any) int {
	if c.fault == nil {
		c.fault = fmt.Errorf(format, a...)
	}
	return 1
}

// growth is by how many times, at most, a node's result is larger than what it
// is given. Steps multiply, lists add up, and of alternatives the largest counts.
// As it is bounded for every node, so is the work: each goes once through what
// it is given.
func (c *census) growth(node parsing.ASTNode) int {
	switch node.NodeType {
	case parsing.ASTField:
		if key, ok := node.Value.(string); ok {
			c.keys = append(c.keys, key)
		}
		return 1
	case parsing.ASTCurrentNode, parsing.ASTIdentity, parsing.ASTIndex, parsing.ASTSlice:
		return 1
	case parsing.ASTLiteral:
		if holdsNumber(node.Value) {
			return c.refuse("compares or gives a number: only length(...) can be compared with one")
		}
		return 1
	case parsing.ASTComparator:
		return c.comparator(node)
	case parsing.ASTFunctionExpression:
		return c.call(node)
	case parsing.ASTMultiSelectList, parsing.ASTMultiSelectHash:
		return c.sum(node.Children)
	case parsing.ASTOrExpression, parsing.ASTAndExpression:
		return c.largest(node.Children)
	case parsing.ASTFilterProjection: // children: the list, what to take, the condition
		c.growth(node.Children[2])
		return c.product(node.Children[:2])
	case parsing.ASTSubexpression, parsing.ASTIndexExpression, parsing.ASTPipe, parsing.ASTProjection, parsing.ASTFlatten, parsing.ASTNotExpression, parsing.ASTKeyValPair:
		return c.product(node.Children)
	case parsing.ASTValueProjection:
		return c.refuse("uses .*, whose order is another one each time")
	default:
		return c.refuse("uses what JMESPath 1.0 does not have, or an expression reference")
	}
}

func (c *census) sum(nodes []parsing.ASTNode) int {
	total := 0
	for _, node := range nodes {
		total += c.growth(node)
	}
	return c.bounded(total)
}

func (c *census) product(nodes []parsing.ASTNode) int {
	total := 1
	for _, node := range nodes {
		total = c.bounded(total * c.growth(node))
	}
	return total
}

func (c *census) largest(nodes []parsing.ASTNode) int {
	most := 1
	for _, node := range nodes {
		most = max(most, c.growth(node))
	}
	return most
}

func (c *census) bounded(growth int) int {
	if growth > maxGrowth {
		return c.refuse("makes too much of its event")
	}
	return growth
}

// comparator lets numbers be compared with length(...) alone, which gives a
// float64. Those of an event are json.Number, and equal to none.
func (c *census) comparator(node parsing.ASTNode) int {
	ordered := node.Value != parsing.TOKEQ && node.Value != parsing.TOKNE
	measured := slices.ContainsFunc(node.Children, isLength)
	for _, side := range node.Children {
		switch {
		case measured && isNumber(side):
		case ordered && !isLength(side):
			return c.refuse("orders something: only length(...) and numbers can be")
		default:
			c.growth(side)
		}
	}
	return 1 // true or false
}

func isNumber(node parsing.ASTNode) bool {
	_, ok := node.Value.(float64)
	return ok && node.NodeType == parsing.ASTLiteral
}

func isLength(node parsing.ASTNode) bool {
	return node.NodeType == parsing.ASTFunctionExpression && node.Value == "length"
}

func (c *census) call(node parsing.ASTNode) int {
	name, _ := node.Value.(string)
	takes, ok := callable[name]
	switch n := len(node.Children); {
	case !ok:
		return c.refuse("calls %s(), which is not offered", name)
	case n < takes.least || n > takes.most:
		return c.refuse("calls %s() with %d arguments", name, n)
	}
	c.functions = append(c.functions, name)
	switch name {
	case "not_null":
		return c.largest(node.Children)
	case "to_string": // it doubles quotes and backslashes
		return c.bounded(2 * c.sum(node.Children))
	}
	return c.sum(node.Children)
}

// holdsNumber looks into a literal.
func holdsNumber(literal any) bool {
	switch v := literal.(type) {
	case float64:
		return true
	case []any:
		for _, element := range v {
			if holdsNumber(element) {
				return true
			}
		}
	case map[string]any:
		for _, element := range v {
			if holdsNumber(element) {
				return true
			}
		}
	}
	return false
}
