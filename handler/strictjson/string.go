package strictjson

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string, which starts at hand.
func (p *parser) str() (string, error) {
	p.at++
	start, rest := p.at, p.text[p.at:]
	for i := range len(rest) {
		switch c := rest[i]; {
		case c == '"':
			p.at = start + i + 1
			return rest[:i], nil
		case c == '\\':
			p.at = start + i
			return p.escaped(start)
		case c < ' ':
			p.at = start + i
			return "", p.broken()
		}
	}
	p.at = len(p.text)
	return "", p.broken()
}

// escaped reads the rest of a string with an escape at hand.
func (p *parser) escaped(start int) (string, error) {
	var text strings.Builder
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			text.WriteString(p.text[start:p.at])
			p.at++
			return text.String(), nil
		case c == '\\':
			text.WriteString(p.text[start:p.at])
			char, err := p.escape()
			if err != nil {
				return "", err
			}
			text.WriteRune(char)
			start = p.at
		case c < ' ':
			return "", p.broken()
		default:
			p.at++
		}
	}
	return "", p.broken()
}

// escape reads one character that is written with a backslash; it may take two
// escapes.
func (p *parser) escape() (rune, error) {
	if len(p.text)-p.at < 2 {
		return 0, p.broken()
	}
	letter := p.text[p.at+1]
	if letter == 'u' {
		return p.unicode()
	}
	plain := strings.IndexByte(`"\/bfnrt`, letter)
	if plain < 0 {
		return 0, p.broken()
	}
	p.at += 2
	return rune("\"\\/\b\f\n\r\t"[plain]), nil
}

// unicode reads \uXXXX, or two of them that make one character. Half a pair is
// refused: encoding/json makes U+FFFD of it, so that different bodies would come
// out the same.
func (p *parser) unicode() (rune, error) {
	first, err := p.hex()
	if err != nil || !utf16.IsSurrogate(first) {
		return first, err
	}
	if strings.HasPrefix(p.text[p.at:], `\u`) {
		second, err := p.hex()
		if err != nil {
			return 0, err
		}
		if char := utf16.DecodeRune(first, second); char != utf8.RuneError {
			return char, nil
		}
	}
	return 0, Error{Detail: "The JSON escapes half a character."}
}

// hex reads one \uXXXX.
func (p *parser) hex() (rune, error) {
	const size = len(`\uXXXX`)
	if len(p.text)-p.at < size {
		return 0, p.broken()
	}
	code, err := strconv.ParseUint(p.text[p.at+2:p.at+size], 16, 16)
	if err != nil {
		return 0, p.broken()
	}
	p.at += size
	return rune(code), nil
}
