// Package strictjson reads JSON that means one thing. encoding/json is lenient
// where that matters here: of a key that stands twice it takes the last one, half
// a surrogate pair it replaces, so that different bodies come out the same, and
// what one reader checks may not be what another one uses.
package strictjson

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

const (
	// MaxDepth is how deep objects and lists may nest.
	MaxDepth = 64
	// MaxValues is how many values a body may hold, those that hold others
	// included. A contact with all its history has some thousands.
	MaxValues = 50_000
)

// Error is a body that is no JSON that means one thing. Its text is a sentence
// for the sender, and repeats nothing of the body.
type Error struct {
	Detail string
	Twice  string // the key that stands twice in one object, if that is it
}

func (e Error) Error() string { return e.Detail }

// Parse reads one JSON value (RFC 8259): a map[string]any, []any, string,
// json.Number, bool or nil. It must be valid UTF-8 without half characters, have
// no key twice in one object, nothing behind it, and keep to MaxDepth and
// MaxValues. Numbers stay as they were written, so that large ids survive. The
// error is an Error.
func Parse(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, Error{Detail: "The body is not valid UTF-8."}
	}
	// One copy: the strings that need no unescaping are parts of it.
	p := parser{text: string(body)}
	p.space()
	value, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at != len(p.text) {
		return nil, Error{Detail: "There is something behind the JSON value."}
	}
	return value, nil
}

type parser struct {
	text    string
	at      int
	values  int
	members []member // of the objects that are open
}

type member struct {
	name  string
	value any
}

// peek is the byte at hand; 0, which no JSON holds, at the end.
func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

func (p *parser) broken() error {
	return Error{Detail: fmt.Sprintf("The JSON is broken at byte %d.", p.at)}
}

// value reads one, which starts at hand.
func (p *parser) value(depth int) (any, error) {
	if p.values++; p.values > MaxValues {
		return nil, Error{Detail: fmt.Sprintf("The JSON holds more than %d values.", MaxValues)}
	}
	switch p.peek() {
	case '{', '[':
		if depth == MaxDepth {
			return nil, Error{Detail: fmt.Sprintf("The JSON nests deeper than %d.", MaxDepth)}
		}
		if p.peek() == '{' {
			return p.object(depth)
		}
		return p.array(depth)
	case '"':
		return p.str()
	case 't':
		return true, p.word("true")
	case 'f':
		return false, p.word("false")
	case 'n':
		return nil, p.word("null")
	}
	return p.number()
}

func (p *parser) word(word string) error {
	if len(p.text)-p.at < len(word) || p.text[p.at:p.at+len(word)] != word {
		return p.broken()
	}
	p.at += len(word)
	return nil
}

// object collects the members before it makes a map of their number: one that
// grows is a good part of the time that parsing takes.
func (p *parser) object(depth int) (any, error) {
	first := len(p.members)
	p.at++
	for p.space(); p.peek() != '}'; {
		if err := p.member(depth); err != nil {
			return nil, err
		}
		if err := p.next('}'); err != nil {
			return nil, err
		}
	}
	p.at++
	object := make(map[string]any, len(p.members)-first)
	for i, m := range p.members[first:] {
		if object[m.name] = m.value; len(object) == i {
			return nil, Error{Detail: "A key stands twice in one object.", Twice: m.name}
		}
	}
	p.members = p.members[:first]
	return object, nil
}

// member reads one and puts it behind the others.
func (p *parser) member(depth int) error {
	if p.peek() != '"' {
		return p.broken()
	}
	name, err := p.str()
	if err != nil {
		return err
	}
	if p.space(); p.peek() != ':' {
		return p.broken()
	}
	p.at++
	p.space()
	value, err := p.value(depth + 1)
	if err != nil {
		return err
	}
	p.members = append(p.members, member{name, value})
	return nil
}

func (p *parser) array(depth int) (any, error) {
	array := []any{}
	p.at++
	for p.space(); p.peek() != ']'; {
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
		if err := p.next(']'); err != nil {
			return nil, err
		}
	}
	p.at++
	return array, nil
}

// next goes on to the next member or to the closing bracket. Nothing may stand
// between a comma and the bracket's place but a member.
func (p *parser) next(closing byte) error {
	p.space()
	switch p.peek() {
	case closing:
		return nil
	case ',':
		p.at++
		if p.space(); p.peek() != closing {
			return nil
		}
	}
	return p.broken()
}

// number reads -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (p *parser) number() (any, error) {
	start := p.at
	if p.peek() == '-' {
		p.at++
	}
	if p.peek() == '0' {
		p.at++
	} else if !p.digits() {
		return nil, p.broken()
	}
	if p.peek() == '.' {
		if p.at++; !p.digits() {
			return nil, p.broken()
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		if !p.digits() {
			return nil, p.broken()
		}
	}
	return json.Number(p.text[start:p.at]), nil
}

// digits reads as many as there are, and tells whether there was one.
func (p *parser) digits() bool {
	rest, n := p.text[p.at:], 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	p.at += n
	return n > 0
}
