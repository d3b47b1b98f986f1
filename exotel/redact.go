package exotel

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// redactor takes the credentials out of what comes back. Exotel was never seen to
// repeat them; a proxy's error page might, or one day an answer that shows the
// request that it is about. They must get into no error and into no stored trunk.
type redactor struct {
	domain string   // the account's; what stands in it is no secret
	forms  []string // the credentials, and what encoders make of them
	starts []string // of these, those that hold no other: where there is none, there is nothing
}

const (
	// minSecret: a shorter credential would eat ordinary words.
	minSecret = 8
	// secretStart is how much of the beginning of a credential is enough: whoever
	// repeats it may cut it off.
	secretStart = 12
)

func newRedactor(config Config) redactor {
	return redactor{domain: DomainName(config.AccountSID)}.with(config.APIToken, config.APIKey)
}

// with is a redactor that knows more secrets.
func (r redactor) with(secrets ...string) redactor {
	if len(secrets) == 0 {
		return r
	}
	r = redactor{domain: r.domain, forms: slices.Clone(r.forms)}
	for _, secret := range secrets {
		r.add(secret)
		r.add(secret[:min(len(secret), secretStart)])
	}
	for _, form := range r.forms {
		if !slices.ContainsFunc(r.forms, func(other string) bool { return other != form && strings.Contains(form, other) }) {
			r.starts = append(r.starts, form)
		}
	}
	return r
}

func (r *redactor) add(secret string) {
	// Older accounts have their sid for a key. It stands in every domain and
	// address, and is no secret.
	if len(secret) < minSecret || strings.Contains(r.domain, secret) {
		return
	}
	quoted, _ := json.Marshal(secret) // strings can always be written
	texts := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret),
		strings.Trim(string(quoted), `"`), strings.Trim(strconv.Quote(secret), `"`),
	}
	// In base64, as in Basic authentication, it depends on where the secret
	// begins; what is left out is made of other bytes too.
	for shift, begin := range []int{0, 2, 3} {
		encoded := base64.RawStdEncoding.EncodeToString([]byte("xxx"[:shift] + secret))
		texts = append(texts, encoded[begin:len(encoded)-min(1, (shift+len(secret))%3)])
	}
	for _, text := range texts {
		if !slices.Contains(r.forms, text) {
			r.forms = append(r.forms, text)
		}
	}
}

// text takes out every word that holds a credential: what stands right beside it
// may be the rest of a header.
func (r redactor) text(text string) string {
	if !r.holds(text) {
		return text
	}
	for _, form := range r.forms {
		text = withoutWords(text, form)
	}
	return text
}

func (r redactor) holds(text string) bool {
	return slices.ContainsFunc(r.starts, func(form string) bool { return strings.Contains(text, form) })
}

func withoutWords(text, form string) string {
	const ends = " \t\r\n\"'<>"
	var kept strings.Builder
	for {
		i := strings.Index(text, form)
		if i < 0 {
			return kept.String() + text
		}
		kept.WriteString(text[:strings.LastIndexAny(text[:i], ends)+1] + "[redacted]")
		text = text[i+len(form):]
		if end := strings.IndexAny(text, ends); end >= 0 {
			text = text[end:]
		} else {
			text = ""
		}
	}
}

// body does it with every text in an answer. A body that is no JSON stays as it
// is: nothing of it is used.
func (r redactor) body(body []byte) []byte {
	// The cheap way first: a list is long.
	if text := string(body); !r.holds(text) && !r.holds(unescaped(text)) {
		return body
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if !json.Valid(body) || decoder.Decode(&value) != nil {
		return body
	}
	value, changed := r.value(value)
	if !changed {
		return body
	}
	redacted, err := json.Marshal(value)
	if err != nil {
		return nil // it came out of JSON
	}
	return redacted
}

// unescaped undoes JSON's escapes of what can stand in a credential: Exotel's
// slashes may have a backslash each.
func unescaped(text string) string {
	var plain strings.Builder
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 || i+1 == len(text) {
			return plain.String() + text
		}
		plain.WriteString(text[:i])
		escape := text[i+1:]
		if code, err := strconv.ParseUint(escape[1:min(len(escape), 5)], 16, 16); err == nil && escape[0] == 'u' {
			plain.WriteRune(rune(code))
			text = escape[min(len(escape), 5):]
			continue
		}
		plain.WriteByte(escape[0])
		text = escape[1:]
	}
}

func (r redactor) value(value any) (_ any, changed bool) {
	switch value := value.(type) {
	case string:
		text := r.text(value)
		return text, text != value
	case []any:
		for i, element := range value {
			redacted, elementChanged := r.value(element)
			value[i], changed = redacted, changed || elementChanged
		}
	case map[string]any:
		fields := make(map[string]any, len(value))
		for name, field := range value {
			redacted, fieldChanged := r.value(field)
			fields[r.text(name)] = redacted
			changed = changed || fieldChanged || r.text(name) != name
		}
		return fields, changed
	}
	return value, changed
}
