package dashboard

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/scanner"
)

// operand is a part of an expression: a number, or a series.
type operand struct {
	at     func(i int) float64
	series bool
}

// calculate works an expression of metric math out: numbers, names of what is
// known, + - * /, comparisons, FILL with a number, and IF. As CloudWatch has it
// (docs.aws.amazon.com, "Using metric math", read 2026-11) what one of two series
// lacks is 0, and what both lack or is divided by zero is missing.
func calculate(expression string, known map[string][]float64) ([]float64, error) {
	p := &mathParser{known: known, length: -1}
	p.scan.Init(strings.NewReader(expression))
	p.scan.Error = func(*scanner.Scanner, string) {} // the parser says what is wrong
	p.next()
	result := p.comparison()
	if p.token != scanner.EOF || !result.series {
		p.fail("an end, after a series")
	}
	if p.err != nil {
		return nil, p.err
	}
	values := make([]float64, p.length)
	for i := range values {
		values[i] = result.at(i)
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

func (p *mathParser) fail(wanted string) operand {
	if p.err == nil {
		p.err = fmt.Errorf("column %d: %q instead of %s", p.scan.Column, p.scan.TokenText(), wanted)
	}
	return operand{at: func(int) float64 { return missing }, series: true}
}

func (p *mathParser) expect(token rune) {
	if p.token != token {
		p.fail(strconv.QuoteRune(token))
		return
	}
	p.next()
}

func (p *mathParser) comparison() operand {
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
	return combine(left, p.sum(), func(a, b float64) float64 {
		if operator == '<' && a < b || operator == '>' && a > b || equal && a == b {
			return 1
		}
		return 0
	})
}

func (p *mathParser) sum() operand {
	left := p.product()
	for p.err == nil && (p.token == '+' || p.token == '-') {
		sign := 1.0
		if p.token == '-' {
			sign = -1
		}
		p.next()
		left = combine(left, p.product(), func(a, b float64) float64 { return a + sign*b })
	}
	return left
}

func (p *mathParser) product() operand {
	left := p.term()
	for p.err == nil && (p.token == '*' || p.token == '/') {
		operator := p.token
		p.next()
		left = combine(left, p.term(), func(a, b float64) float64 {
			switch {
			case operator == '*':
				return a * b
			case b == 0:
				return missing
			}
			return a / b
		})
	}
	return left
}

// combine makes one operand of two.
func combine(left, right operand, operator func(a, b float64) float64) operand {
	return operand{series: left.series || right.series, at: func(i int) float64 {
		a, b := left.at(i), right.at(i)
		switch {
		case math.IsNaN(a) && math.IsNaN(b):
			return missing
		case math.IsNaN(a) && right.series:
			a = 0
		case math.IsNaN(b) && left.series:
			b = 0
		case math.IsNaN(a) || math.IsNaN(b):
			return missing
		}
		return operator(a, b)
	}}
}

func (p *mathParser) term() operand {
	text := p.scan.TokenText()
	switch p.token {
	case scanner.Int, scanner.Float:
		number, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return p.fail("a number")
		}
		p.next()
		return operand{at: func(int) float64 { return number }}
	case '(':
		p.next()
		inner := p.comparison()
		p.expect(')')
		return inner
	case scanner.Ident:
		p.next()
		if p.token == '(' {
			return p.function(text)
		}
		return p.name(text)
	}
	return p.fail("a number, a name or a bracket")
}

func (p *mathParser) name(name string) operand {
	values, known := p.known[name]
	if !known || p.length >= 0 && p.length != len(values) {
		p.err = fmt.Errorf("%s is not known, or not of the same length as what is before it", name)
		return p.fail("")
	}
	p.length = len(values)
	return operand{at: func(i int) float64 { return values[i] }, series: true}
}

func (p *mathParser) function(name string) operand {
	var arguments []operand
	for p.err == nil && (p.token == '(' || p.token == ',') {
		p.next()
		arguments = append(arguments, p.comparison())
	}
	p.expect(')')
	switch {
	case name == "FILL" && len(arguments) == 2:
		return operand{series: true, at: func(i int) float64 {
			if value := arguments[0].at(i); !math.IsNaN(value) {
				return value
			}
			return arguments[1].at(i)
		}}
	case name == "IF" && len(arguments) == 3:
		return operand{series: true, at: func(i int) float64 { return choose(arguments, i) }}
	}
	return p.fail("a call of FILL or IF")
}

// choose is IF: of a condition that is missing nothing comes; of a value that is
// missing 0, where the condition holds.
func choose(arguments []operand, i int) float64 {
	switch condition := arguments[0].at(i); {
	case math.IsNaN(condition):
		return missing
	case condition == 0:
		return arguments[2].at(i)
	}
	if value := arguments[1].at(i); !math.IsNaN(value) {
		return value
	}
	return 0
}
