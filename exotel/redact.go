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
	forms []string // the credentials, and what encoders make of them
}

const (
	// minSecret: a shorter credential would eat ordinary words.
	minSecret = 8
	// secretStart is how much of the beginning of a credential is enough: whoever
	// repeats it may cut it off.
	secretStart = 12
)

func newRedactor(config Config) redactor {
	var r redactor
	for _, secret := range []string{config.APIToken, config.APIKey} {
		r.add(config, secret)
		r.add(config, secret[:min(len(secret), secretStart)])
	}
	return r
}

func (r *redactor) add(config Config, secret string) {
	// Older accounts have their sid for a key. It stands in every domain and
	// address, and is no secret.
	if len(secret) < minSecret || strings.Contains(DomainName(config.AccountSID), secret) {
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
	for _, form := range r.forms {
		text = withoutWords(text, form)
	}
	return text
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
	// Escapes can hide a credential from a plain search.
	if text := string(body); !strings.Contains(text, `\`) && r.text(text) == text {
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
