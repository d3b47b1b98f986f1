// Package canary finds secrets in what a program puts out, for tests: a part of
// one is enough, as it is or as an encoder writes it.
package canary

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// window is how many characters in a row of a secret, or of a form of it, are a
// leak: a line that was cut off must not hide it.
const window = 10

// Watch knows secrets.
type Watch struct {
	windows map[string]string // window -> what it is part of
}

// For watches these secrets, by names for people. Each should be random, and at
// least 16 characters long.
func For(secrets map[string]string) *Watch {
	w := &Watch{windows: make(map[string]string)}
	for name, secret := range secrets {
		for form, text := range forms(secret) {
			for i := range len(text) - window + 1 {
				w.windows[text[i:i+window]] = name + " " + form
			}
		}
	}
	return w
}

// forms are the secret and what encoders make of it. The escapes of JSON, URLs
// and HTML are undone in the text that is looked through.
func forms(secret string) map[string]string {
	all := map[string]string{
		"as it is":               secret,
		"in hexadecimal":         hex.EncodeToString([]byte(secret)),
		"in upper hexadecimal":   strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"quoted as Go quotes it": strings.Trim(strconv.Quote(secret), `"`),
	}
	// Base64 of a text depends on where in it the secret begins, such as behind
	// the user's name in Basic authentication.
	for shift := range 3 {
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			encoded := encoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
			begin := []int{0, 2, 3}[shift] // what is made of the xs alone, or in part
			end := len(encoded) - min(1, (shift+len(secret))%3)
			all[fmt.Sprintf("in %s, %d bytes in", name, shift)] = encoded[begin:end]
		}
	}
	return all
}

// In says what of the secrets stands in the text, sorted; nothing where nothing does.
func (w *Watch) In(text string) []string {
	found := make(map[string]bool)
	for _, reading := range readings(text) {
		for i := range len(reading) - window + 1 {
			if what, ok := w.windows[reading[i:i+window]]; ok {
				found[what] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

var (
	jsonEscape    = regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|["\\/])`)
	percentEscape = regexp.MustCompile(`%[0-9a-fA-F]{2}`)
)

// readings are the text and what it says with its escapes undone: JSON's twice,
// because there may be JSON in JSON.
func readings(text string) []string {
	once := jsonEscape.ReplaceAllStringFunc(text, unescapeJSON)
	twice := jsonEscape.ReplaceAllStringFunc(once, unescapeJSON)
	percent := percentEscape.ReplaceAllStringFunc(twice, unescapePercent)
	return slices.Compact([]string{text, once, twice, percent, html.UnescapeString(percent)})
}

func unescapeJSON(escape string) string {
	if escape[1] != 'u' {
		return escape[1:]
	}
	code, _ := strconv.ParseUint(escape[2:], 16, 16) // four hexadecimal digits
	return string(rune(code))
}

func unescapePercent(escape string) string {
	b, _ := hex.DecodeString(escape[1:]) // two hexadecimal digits
	return string(b)
}
