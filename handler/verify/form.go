package verify

import (
	"bytes"
	"mime"
	"net/url"
)

const formType = "application/x-www-form-urlencoded"

func form(o Options) scheme {
	return scheme{verify: o.verifyForm, sign: signer(checkToken, o.signForm), check: checkToken}
}

// verifyForm takes what kind token takes, or the token in a field of a form: a
// Zoho webhook without headers can only add a parameter.
func (o Options) verifyForm(r Request) bool {
	return holds(r.Secrets, append(r.tokens(), r.formField(o.Field))...)
}

// formField is the field's value if the body is a form that has it once.
func (r Request) formField(name string) string {
	if kind, _, err := mime.ParseMediaType(r.header("Content-Type")); err != nil || kind != formType {
		return ""
	}
	value, times := "", 0
	for pair := range bytes.SplitSeq(r.Body, []byte("&")) {
		if key, escaped, _ := bytes.Cut(pair, []byte("=")); unescapes(key, name) {
			value, _ = url.QueryUnescape(string(escaped)) // broken: nothing
			times++
		}
	}
	if times != 1 || len(value) > maxHeader {
		return ""
	}
	return value
}

func unescapes(key []byte, name string) bool {
	if len(key) > 3*len(name) {
		return false
	}
	text, err := url.QueryUnescape(string(key))
	return err == nil && text == name
}

// signForm puts the token into the form, in the place of one that is there.
func (o Options) signForm(secret string, r *Request) {
	var pairs [][]byte
	for pair := range bytes.SplitSeq(r.Body, []byte("&")) {
		if key, _, _ := bytes.Cut(pair, []byte("=")); len(pair) > 0 && !unescapes(key, o.Field) {
			pairs = append(pairs, pair)
		}
	}
	pairs = append(pairs, []byte(url.QueryEscape(o.Field)+"="+url.QueryEscape(secret)))
	r.Header.Set("Content-Type", formType)
	r.Body = bytes.Join(pairs, []byte("&"))
}
