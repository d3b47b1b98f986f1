package dashboard

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/scanner"
)

// formula is an expression's value at a point of time. As in CloudWatch's metric
// math what has no data, or is divided by zero, is missing.
type formula func(i int) float64

// calculate works an expression of metric math out: numbers, names of what is
// known, + - * /, comparisons, FILL with a number, and IF.
func calculate(expression string, known map[string][]float64) ([]float64, error) {
	p := &mathParser{known: known, length: -1}
	p.scan.Init(strings.NewReader(expression))
	p.scan.Error = func(*scanner.Scanner, string) {} // the parser says what is wrong
	p.next()
	f := p.comparison()
	if p.token != scanner.EOF {
		p.fail("an end")
	}
	if p.err != nil {
		return nil, p.err
	}
	values := make([]float64, max(p.length, 0))
	for i := range values {
		values[i] = f(i)
	}
	return values, nil
}

type mathParser struct {
	scan   scanner.Scanner
	token  rune
	known  map[string][]float64
	length int // of what is known, -1 before the first
	err    error
}

func (p *mathParser) next() { p.token = p.scan.Scan() }

func (p *mathParser) fail(wanted string) formula {
	if p.err == nil {
		p.err = fmt.Errorf("column %d: %q instead of %s", p.scan.Column, p.scan.TokenText(), wanted)
	}
	return func(int) float64 { return missing }
}

func (p *mathParser) expect(token rune) {
	if p.token != token {
		p.fail(strconv.QuoteRune(token))
		return
	}
	p.next()
}

func (p *mathParser) comparison() formula {
	left := p.sum()
	operator := p.token
	if operator != '<' && operator != '>' {
		return left
	}
	p.next()
	equal := p.token == '='
	if equal {
		p.next()
	}
	right := p.sum()
	return func(i int) float64 {
		a, b := left(i), right(i)
		if operator == '<' && a < b || operator == '>' && a > b || equal && a == b {
			return 1
		}
		return 0
	}
}

func (p *mathParser) sum() formula {
	f := p.product()
	for p.err == nil && (p.token == '+' || p.token == '-') {
		left, sign := f, 1.0
		if p.token == '-' {
			sign = -1
		}
		p.next()
		right := p.product()
		f = func(i int) float64 { return left(i) + sign*right(i) }
	}
	return f
}

func (p *mathParser) product() formula {
	f := p.term()
	for p.err == nil && (p.token == '*' || p.token == '/') {
		left, operator := f, p.token
		p.next()
		right := p.term()
		f = func(i int) float64 {
			if operator == '*' {
				return left(i) * right(i)
			}
			if right(i) == 0 {
				return missing
			}
			return left(i) / right(i)
		}
	}
	return f
}

func (p *mathParser) term() formula {
	text := p.scan.TokenText()
	switch p.token {
	case scanner.Int, scanner.Float:
		number, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return p.fail("a number")
		}
		p.next()
		return func(int) float64 { return number }
	case '(':
		p.next()
		f := p.comparison()
		p.expect(')')
		return f
	case scanner.Ident:
		p.next()
		if p.token == '(' {
			return p.function(text)
		}
		return p.name(text)
	}
	return p.fail("a number, a name or a bracket")
}

func (p *mathParser) name(name string) formula {
	values, known := p.known[name]
	if !known || p.length >= 0 && p.length != len(values) {
		p.err = fmt.Errorf("%s is not known, or not of the same length as what is before it", name)
		return p.fail("")
	}
	p.length = len(values)
	return func(i int) float64 { return values[i] }
}

func (p *mathParser) function(name string) formula {
	var arguments []formula
	for p.err == nil && (p.token == '(' || p.token == ',') {
		p.next()
		arguments = append(arguments, p.comparison())
	}
	p.expect(')')
	switch {
	case name == "FILL" && len(arguments) == 2:
		return func(i int) float64 {
			if value := arguments[0](i); !math.IsNaN(value) {
				return value
			}
			return arguments[1](i)
		}
	case name == "IF" && len(arguments) == 3:
		return func(i int) float64 {
			if arguments[0](i) != 0 {
				return arguments[1](i)
			}
			return arguments[2](i)
		}
	}
	return p.fail("a call of FILL or IF")
}
