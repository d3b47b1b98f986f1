package sources

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// unescaped replaces the references in a text: to XML's own five entities, and to
// characters. It is false where there is another.
func unescaped(raw string) (string, bool) {
	at := strings.IndexByte(raw, '&')
	if at < 0 {
		return raw, true
	}
	var text strings.Builder
	for ; at >= 0; at = strings.IndexByte(raw, '&') {
		name, rest, ended := strings.Cut(raw[at+1:], ";")
		char, ok := reference(name)
		if !ended || !ok {
			return "", false
		}
		text.WriteString(raw[:at])
		text.WriteRune(char)
		raw = rest
	}
	text.WriteString(raw)
	return text.String(), true
}

// reference is the character that is meant by what stands between & and ;
func reference(name string) (rune, bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "apos":
		return '\'', true
	case "quot":
		return '"', true
	}
	digits, ok := strings.CutPrefix(name, "#")
	base := 10
	if hex, isHex := strings.CutPrefix(digits, "x"); isHex {
		digits, base = hex, 16
	}
	code, err := strconv.ParseUint(digits, base, 32)
	if !ok || err != nil || code > unicode.MaxRune {
		return 0, false
	}
	return rune(code), isXMLChar(rune(code))
}

// isXMLChar: XML 1.0, 2.2 Characters.
func isXMLChar(char rune) bool {
	if char < ' ' {
		return char == '\t' || char == '\n' || char == '\r'
	}
	return !utf16.IsSurrogate(char) && char != 0xFFFE && char != 0xFFFF
}
